"""What a branch or a channel adds to the answer, and which places of a picture speak for a class.

As in `look`, every function takes any module and leaves it as it was; what comes back is numpy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack

import numpy as np
import torch
from torch import Tensor, nn

from inception_edu.nets.features import branches_of
from inception_edu.nets.look import (
    Look,
    Off,
    as_numpy,
    block_of,
    blocks_of,
    look,
    part_module,
    resting,
    silenced,
    to_model,
)
from inception_edu.nets.modules import NetworkModule

# --- What a channel is for ------------------------------------------------------------------------


# What is set to 0 in one block: a branch, by its number from 1 on, or a channel: (part, channel).
Case = int | tuple[str, int]


def without(
    model: nn.Module,
    image: Tensor,
    name: str,
    cases: Sequence[Case],
    off: Off = (),
    seen: Look | None = None,
) -> np.ndarray:
    """cases×K logits: what the network says of this picture with one thing of a block set to 0 in
    each. The logit as it is minus one of these is what that branch or channel adds to the class; in
    the last block's output that is a channel's mean times its weight in the classifier.

    All cases are one batch; in a network that `build` made it starts at the block. `off`: branches
    that are off in all cases. `seen`: what `look` gave, where it was asked before with the same
    branches off.
    """
    seen = seen or look(model, image, off)
    module = block_of(model, name)
    silent: dict[nn.Module, list[tuple]] = {}
    for i, case in enumerate(cases):
        if isinstance(case, int):
            silent.setdefault(branches_of(module)[case - 1], []).append((i,))
        else:
            silent.setdefault(part_module(module, case[0])[0], []).append((i, case[1]))

    def silence(places):
        def hook(module, inputs, output):
            output = output.clone()
            for place in places:
                output[place] = 0
            return output

        return hook

    with resting(model), silenced(model, off), ExitStack() as stack, torch.no_grad():
        for part, places in silent.items():
            stack.callback(part.register_forward_hook(silence(places)).remove)
        if isinstance(model, NetworkModule):
            return as_numpy(
                _onwards(model, name, seen.entered[name][0].repeat(len(cases), 1, 1, 1))
            )
        return as_numpy(model(to_model(model, image).repeat(len(cases), 1, 1, 1)))


def _onwards(model: NetworkModule, name: str, entering: Tensor) -> Tensor:
    """N×K: the network's answer to what enters one of its blocks, N×C×H×W."""
    blocks = blocks_of(model)
    first = [other for other, _ in blocks].index(name)
    for _, module in blocks[first:]:
        entering = module(entering)
    for part in ("pool", "flatten", "dropout", "classifier"):
        entering = model.get_submodule(part)(entering)
    return entering


def class_weights(model: nn.Module, name: str, channel: int) -> np.ndarray | None:
    """K numbers: the classifier's weights on one channel of the last block; None for another block,
    which no class reads directly."""
    classifier = getattr(model, "classifier", None)
    last = blocks_of(model)[-1][0]
    if name != last or not isinstance(classifier, nn.Linear):
        return None
    return as_numpy(classifier.weight[:, channel])


# --- Why this class -------------------------------------------------------------------------------


def class_activation(
    model: nn.Module, image: Tensor, targets: Iterable[int], seen: Look | None = None
) -> dict[int, np.ndarray]:
    """By class, h×w: how much each place of the last block's output speaks for the class, or
    against it where negative. In a network that averages its last maps and reads them with one
    linear layer, as the paper's do, the places add up to the class's logit without the classifier's
    bias (Zhou et al., arXiv 1512.04150). For other modules it is captum's GradCAM (without its
    ReLU), which gives the same there. `seen`: what `look` gave, where it was asked before."""
    if getattr(model, "description", None) is not None:
        maps = list((seen or look(model, image)).outputs.values())[-1]
        weights = as_numpy(model.get_parameter("classifier.weight"))[list(targets)] / maps[0].size
        return dict(zip(targets, np.einsum("kc,chw->khw", weights, maps)))
    return grad_cam(model, image, targets, list((seen or look(model, image)).outputs)[-1])


def grad_cam(
    model: nn.Module, image: Tensor, targets: Iterable[int], name: str
) -> dict[int, np.ndarray]:
    """By class, h×w: a block's maps, weighted by the mean gradient of the class's logit on each
    (Selvaraju et al., arXiv 1610.02391), positive and negative. Computed by captum."""
    from captum.attr import LayerGradCam

    cam = LayerGradCam(model, block_of(model, name))
    found = {}
    with resting(model), torch.enable_grad():
        batch = to_model(model, image).detach().clone().requires_grad_(True)
        for target in targets:
            places = cam.attribute(batch, target=int(target), relu_attributions=False)
            found[int(target)] = as_numpy(places[0, 0])
    return found


def covered(
    model: nn.Module,
    image: Tensor,
    targets: Iterable[int],
    patch: int,
    stride: int,
    cover: float = 0.0,
) -> dict[int, np.ndarray]:
    """By class, H×W: how far its share falls where a square of `patch` pixels covers the picture,
    averaged over the squares on a pixel (`stride` apart). What captum's `Occlusion` gives, for all
    classes with one set of forward passes."""
    height, width = image.shape[-2:]
    corners = [
        (y, x) for y in _corners(height, patch, stride) for x in _corners(width, patch, stride)
    ]
    with resting(model), torch.no_grad():
        batch = to_model(model, image)
        whole = model(batch)[0].float().softmax(0)
        drops = torch.zeros(len(whole), height, width)
        masks = torch.zeros(len(corners), 1, height, width)
        for mask, (y, x) in zip(masks, corners):
            mask[:, y : y + patch, x : x + patch] = 1
        count = masks.sum((0, 1)).clamp_min(1)
        for some in masks.split(64):
            hidden = batch * (1 - some.to(batch)) + cover * some.to(batch)
            fall = (whole - model(hidden).float().softmax(1)).cpu()
            drops = drops + torch.einsum("nk,nhw->khw", fall, some[:, 0])
    return {int(k): as_numpy(drops[int(k)] / count) for k in targets}


def _corners(length: int, patch: int, stride: int) -> list[int]:
    last = max(0, length - patch)
    return [*range(0, last, stride), last]
