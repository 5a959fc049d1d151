"""The first weights of a network, drawn on the CPU from a generator of their own.

A layer draws the same numbers whatever an experiment changes about it, so a network and an edit of
it start from the same weights, but for what the edit is about.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from inception_edu.nets.modules import SlowLinear

# The standard deviation of a standard normal distribution that is cut at two deviations.
CUT = 0.87962566103423978
INITS = ("truncated", "he", "torch", "empty")


@dataclass(frozen=True)
class Layer:
    """A layer whose weights are to be drawn: `gain` multiplies them, `bias` says whether a bias is
    drawn (it may be drawn for a layer that has none, so that later layers draw the same numbers).
    """

    module: nn.Conv2d | nn.Linear
    gain: float = 1.0
    bias: bool = False


@torch.no_grad()
def draw(layers: list[Layer], init: str, generator: torch.Generator) -> None:
    """Draw the weights of layers, in their order. `init` is explained by `build`."""
    if init == "empty":
        return
    # torch's own start comes first, also where it is replaced: a seed keeps its weights so.
    for layer in layers:
        _torch_start(layer, generator)
    for layer in layers:
        if init != "torch":
            _truncated(layer.module, init, generator)
        if layer.gain == 0:
            layer.module.weight.zero_()
        elif layer.gain != 1:
            layer.module.weight.mul_(layer.gain)
        if isinstance(layer.module, SlowLinear):
            layer.module.weight.div_(layer.module.factor)


def _torch_start(layer: Layer, generator: torch.Generator) -> None:
    """What `nn.Conv2d` and `nn.Linear` draw for themselves: uniform within ±1/√fan-in."""
    weight = layer.module.weight
    nn.init.kaiming_uniform_(weight, a=5**0.5, generator=generator)
    if layer.bias:
        bound = 1 / weight[0].numel() ** 0.5
        bias = layer.module.bias
        there = torch.empty(len(weight)) if bias is None else bias
        nn.init.uniform_(there, -bound, bound, generator=generator)


def _truncated(module: nn.Conv2d | nn.Linear, init: str, generator: torch.Generator) -> None:
    """A normal distribution cut at two deviations; biases are 0."""
    weight: Tensor = module.weight
    fan_in = weight[0].numel()
    std = (1 / fan_in) ** 0.5 if init == "truncated" else (2 / fan_in) ** 0.5 / CUT
    _cut_normal(weight, std, generator)
    if module.bias is not None:
        module.bias.zero_()


def _cut_normal(weight: Tensor, std: float, generator: torch.Generator) -> None:
    """Draw until nothing lies beyond two deviations. These are the numbers of `trunc_normal_` in
    torch 2.14. In 2.11 it gave others, so with it a seed would mean the same in one version only.
    """
    bound = weight.new_tensor(2 * std).item()
    weight.normal_(0, std, generator=generator)
    while (beyond := weight.abs() > bound).any():
        again = torch.empty_like(weight).normal_(0, std, generator=generator)
        weight.copy_(torch.where(beyond, again, weight))
