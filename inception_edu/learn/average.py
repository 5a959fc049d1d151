"""The running average of the weights, and batch norm's statistics for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from inception_edu.learn.crops import Crops
from inception_edu.learn.evaluate import evaluating, fast_layout
from inception_edu.learn.machine import device_of


class Average:
    """The running average of the weights that Section 4 evaluates. With decay 0 there is none, and
    nothing is done.

    As in TensorFlow, the decay is (1 + n) / (10 + n) after n steps until it has grown to `decay`,
    so that the first, random weights are soon forgotten. Batch norm's statistics belong to the
    weights that made the activations: for the averaged weights they are measured anew, on training
    images, cut by `crops` as those of the test are (None: whole).
    """

    def __init__(self, model: nn.Module, decay: float, crops: Crops | None = None):
        self.model, self.decay, self.crops, self.steps = model, decay, crops, 0
        self.now: list[torch.Tensor] = (
            [p for p in model.parameters() if p.requires_grad] if decay else []
        )
        self.mean = [p.detach().clone() for p in self.now]

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights as they are after a step."""
        self.steps += 1
        keep = min(self.decay, (1 + self.steps) / (10 + self.steps))
        if self.now:
            torch._foreach_lerp_(self.mean, self.now, 1 - keep)

    @torch.no_grad()
    def put_in(self, data) -> None:
        """The averaged weights take their place in the model, for good."""
        for mean, weight in zip(self.mean, self.now):
            weight.copy_(mean)
        if self.now:
            measure_statistics(self.model, data, self.crops)

    @contextmanager
    def weights(self, data) -> Iterator[None]:
        """The averaged weights are in the model, until the end of the block."""
        touched = [*self.now, *self.model.buffers()] if self.now else []
        kept = [(tensor, tensor.detach().clone()) for tensor in touched]
        self.put_in(data)
        try:
            yield
        finally:
            with torch.no_grad():
                for tensor, value in kept:
                    tensor.copy_(value)


def measure_statistics(
    model: nn.Module,
    data,
    crops: Crops | None = None,
    images: int = 2000,
    batch_size: int = 100,
) -> None:
    """Set the means and variances of every batch norm to the averages over (up to) `images`
    training images, each of them cut by `crops` (None: whole)."""
    norms = []
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.track_running_stats:
            norms.append(module)
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    count = min(images, len(data.train.labels))
    # At random, always the same ones: every n-th image would be of one class in a split whose
    # classes take turns.
    order = torch.randperm(len(data.train.labels), generator=torch.Generator().manual_seed(0))
    chosen = order[:count].to(data.train.labels.device)
    place = device_of(model)
    with evaluating(model):
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # a plain average over the batches
            norm.train()
        for i in range(parts := max(1, count // batch_size)):
            batch = data.normalise(data.train.images[chosen[i::parts]].to(place))
            for crop in crops(batch) if crops else [batch]:
                model(fast_layout(crop))
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
