"""From a description to an ordinary torch module: three small modules, and `build` that puts them
together.

`print` of what `build` returns reads like the figure: one line a convolution, one child a branch.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from functools import partial

import torch
from torch import nn

from inception_edu.describe.measure import input_shape, measure
from inception_edu.describe.networks import Network
from inception_edu.describe.spec import Chain, Conv, Node, Pool, SizeError, SpecError, out_shape
from inception_edu.describe.spec import Concat as ConcatSpec


class ConvBNReLU(nn.Sequential):
    """N×C×H×W → N×out×H'×W': convolution without bias, batch norm, and ReLU unless `relu=False`.

    Every unmarked convolution of the paper's figures. `padding="valid"` is the figures' V.
    """

    def __init__(self, channels: int, spec: Conv, norm_eps: float = 1e-3):
        conv = nn.Conv2d(channels, spec.out, spec.kernel, spec.stride, _padding(spec), bias=False)
        parts = OrderedDict(conv=conv, norm=nn.BatchNorm2d(spec.out, eps=norm_eps))
        if spec.relu:
            parts["relu"] = nn.ReLU(inplace=True)
        super().__init__(parts)
        self.spec = spec

    def __repr__(self):
        words = [f"{self.conv.in_channels} → {self.spec.out}"]
        words += [f"stride {self.spec.stride}"] if self.spec.stride != 1 else []
        words += ["V"] if self.spec.padding == "valid" else []
        words += [] if self.spec.relu else ["no ReLU"]
        return f"ConvBNReLU({self.spec.kernel[0]}×{self.spec.kernel[1]}, {', '.join(words)})"


class Concat(nn.Module):
    """N×C×H×W → N×(sum of the branches)×H'×W': every branch on the same input, joined along the
    channels."""

    def __init__(self, *branches: nn.Module):
        super().__init__()
        for i, branch in enumerate(branches, 1):
            self.add_module(f"branch{i}", branch)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.children()], dim=1)


class ScaledResidual(nn.Module):
    """N×C×H×W → N×C×H×W: relu(x + scale · body(x)), Fig. 20.

    The shortcut is the identity, or a projecting convolution in ResNet. `scale` is a number, or a
    parameter of the network where `learnable`.
    """

    def __init__(
        self,
        body: nn.Module,
        scale: float = 1.0,
        relu: bool = True,
        shortcut: nn.Module | None = None,
        learnable: bool = False,
    ):
        super().__init__()
        self.body = body
        self.shortcut = nn.Identity() if shortcut is None else shortcut
        self.scale = nn.Parameter(torch.tensor(float(scale))) if learnable else scale
        self.relu = nn.ReLU() if relu else nn.Identity()

    def forward(self, x):
        return self.relu(self.shortcut(x) + self.scale * self.body(x))

    def extra_repr(self):
        return f"scale={float(self.scale):g}" + (
            ", learnable" if isinstance(self.scale, nn.Parameter) else ""
        )


def _padding(spec: Conv | Pool) -> tuple[int, int]:
    return tuple(k // 2 for k in spec.kernel) if spec.padding == "same" else (0, 0)


def _module(node: Node, channels: int, norm_eps: float) -> tuple[nn.Module, int]:
    """The module of a node, and the channels that leave it."""
    if isinstance(node, Conv):
        if node.norm:
            return ConvBNReLU(channels, node, norm_eps), node.out
        conv = nn.Conv2d(channels, node.out, node.kernel, node.stride, _padding(node))
        return (nn.Sequential(conv, nn.ReLU(inplace=True)) if node.relu else conv), node.out
    if isinstance(node, Pool):
        if node.kind == "max":
            return nn.MaxPool2d(node.kernel, node.stride, _padding(node)), channels
        return nn.AvgPool2d(
            node.kernel, node.stride, _padding(node), count_include_pad=node.count_padding
        ), channels
    if isinstance(node, Chain):
        parts = []
        for part in node.parts:
            module, channels = _module(part, channels, norm_eps)
            parts.append(module)
        return nn.Sequential(*parts), channels
    if isinstance(node, ConcatSpec):
        branches, sums = zip(*(_module(branch, channels, norm_eps) for branch in node.branches))
        return Concat(*branches), sum(sums)
    body, out = _module(node.body, channels, norm_eps)
    shortcut = None if node.shortcut is None else _module(node.shortcut, channels, norm_eps)[0]
    return ScaledResidual(body, node.scale, node.relu, shortcut, node.learnable), out


def build(
    what: Network | Node, in_channels: int = 3, init: str = "truncated", seed: int | None = None
) -> nn.Module:
    """An `nn.Module` from a network, or from a node that takes `in_channels` channels.

    A network becomes an `nn.Sequential` with one named child a block (repeats in an inner
    `nn.Sequential`, named "1", "2", …), then pool, flatten, dropout and classifier: N×C×H×W →
    N×classes. `init`: "truncated" (normal cut at two deviations, std 1/√fan-in), "he" (std
    √(2/fan-in)) or "torch" (torch's own defaults). With `seed` the weights are always the same;
    torch's global state is left alone.
    Raises `SpecError` where the description's numbers do not close.
    """
    if init not in ("truncated", "he", "torch"):
        raise SpecError(f'init is "truncated", "he" or "torch", got {init!r}.')
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        if not isinstance(what, Network):
            # Raises where channels do not close. Sizes depend on the input, which is not known
            # here.
            with suppress(SizeError):
                out_shape(what, (in_channels, 1025, 1025))
            model, _ = _module(what, in_channels, 1e-3)
        else:
            model = _network(what)
        initialise(model, init)
    return model


def _network(network: Network) -> nn.Sequential:
    measure(network)  # raises where channels do not close or the image is too small
    children, channels = OrderedDict(), network.channels
    for block in network.blocks:
        copies = []
        for _ in range(block.repeat):
            module, channels = _module(block.node, channels, network.norm_eps)
            copies.append(module)
        repeated = OrderedDict((str(i), module) for i, module in enumerate(copies, 1))
        children[block.name] = copies[0] if block.repeat == 1 else nn.Sequential(repeated)
    children["pool"] = nn.AdaptiveAvgPool2d(1)
    children["flatten"] = nn.Flatten()
    children["dropout"] = nn.Dropout(network.dropout)
    children["classifier"] = nn.Linear(channels, network.classes)
    model = nn.Sequential(children)
    model.description = network
    model.register_forward_pre_hook(partial(_check_input, network, set()))
    return model


def _check_input(network: Network, seen: set, module: nn.Module, inputs: tuple) -> None:
    """A sentence instead of an error from inside torch, for a batch that the network cannot
    take."""
    shape = tuple(inputs[0].shape)
    if shape[1:] in seen:
        return
    if len(shape) != 4 or shape[1] != network.channels:
        raise SpecError(
            f"{network.name} takes batches of shape N×{network.channels}×H×W, "
            f"got {'×'.join(map(str, shape))}."
        )
    measure(network, input_shape(network, shape[1:]))
    seen.add(shape[1:])


def initialise(model: nn.Module, init: str = "truncated") -> None:
    """Initialise convolutions and classifiers in place; biases to 0, batch norms to 1 and 0."""
    if init == "torch":
        return
    gain = {"truncated": 1.0, "he": 2.0}[init]
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            std = (gain / module.weight[0].numel()) ** 0.5
            nn.init.trunc_normal_(module.weight, std=std, a=-2 * std, b=2 * std)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def named_blocks(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """The blocks of a built network in order, repeats one by one: [("stem", …), ("inception_a.1",
    …), …]."""
    blocks = []
    for name, child in model.named_children():
        if name == "pool":
            break
        parts = list(child.named_children())
        # Repeats are numbered from 1; the steps of a chain, as torch does it, from 0.
        if type(child) is nn.Sequential and parts and parts[0][0] == "1":
            blocks += [(f"{name}.{i}", part) for i, part in parts]
        else:
            blocks.append((name, child))
    return blocks
