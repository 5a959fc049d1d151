"""Running a network: evaluation mode, the device it is on, and the layout that is fast there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor, nn


class Images(Protocol):
    """A data set, as far as a network needs to know it: `inception_edu.data.Data` is one."""

    @property
    def test(self) -> Any:
        """The images that a network is judged by."""
        ...

    def batches(self, split: Any, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Pairs of normalised images (N×C×H×W) and labels (N), in order."""
        ...


@contextmanager
def evaluating(model: nn.Module) -> Iterator[nn.Module]:
    """Evaluation mode without gradients; afterwards every module is in the mode it was in, also
    a batch norm that is held while the rest learns."""
    training, modes = model.training, [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield model
    finally:
        model.train(training)  # for what a module of the owner's does when its mode changes
        for module, mode in modes:
            module.training = mode


def device_of(model: nn.Module) -> torch.device:
    """Where a model is; the CPU for one without parameters and buffers."""
    for tensor in (*model.parameters(), *model.buffers()):
        return tensor.device
    return torch.device("cpu")


def fast_layout(images: Tensor) -> Tensor:
    """The same N×C×H×W with each pixel's channels side by side in memory where that is faster; the
    layout carries through the network.

    On a CPU a training step of a mini network takes 0.65 (Inception-v4) to 0.95 (tower) of the time
    so; on a GPU it is what tensor cores want, so there it goes with bfloat16.
    """
    if images.device.type == "cpu" or torch.is_autocast_enabled(images.device.type):
        return images.contiguous(memory_format=torch.channels_last)
    return images


def share_right(model: nn.Module, data: Images, split: Any = None, batch_size: int = 250) -> float:
    """Share of the images of a split (by default the test images) that a network names rightly."""
    place = device_of(model)
    right = count = 0
    with evaluating(model):
        for images, labels in data.batches(data.test if split is None else split, batch_size):
            answers = model(fast_layout(images.to(place))).argmax(1)
            right += int((answers == labels.to(place)).sum())
            count += len(labels)
    return right / count
