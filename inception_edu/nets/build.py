"""From a description to an ordinary torch module.

`print` of what `build` returns reads like the figure: one line a convolution, one child a branch.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import overload

import torch
from torch import nn
from torch.nn.utils import skip_init

from inception_edu._numbers import is_whole
from inception_edu.describe import (
    Block,
    Chain,
    Conv,
    Head,
    Network,
    Node,
    Pool,
    Residual,
    SpecError,
    measure,
    out_channels,
)
from inception_edu.describe import Concat as ConcatSpec
from inception_edu.describe.parts import children
from inception_edu.nets.initial import INITS, Layer, draw
from inception_edu.nets.modules import (
    AlteredResidual,
    CentredLinear,
    Concat,
    ConvBNReLU,
    NetworkModule,
    ScaledResidual,
    SlowLinear,
    WithHeads,
    convolution,
    pool,
)


@overload
def build(
    what: Network,
    in_channels: int = 3,
    init: str = "truncated",
    seed: int | None = None,
    generator: torch.Generator | None = None,
) -> NetworkModule: ...


@overload
def build(
    what: Node,
    in_channels: int = 3,
    init: str = "truncated",
    seed: int | None = None,
    generator: torch.Generator | None = None,
) -> nn.Module: ...


def build(
    what: Network | Node,
    in_channels: int = 3,
    init: str = "truncated",
    seed: int | None = None,
    generator: torch.Generator | None = None,
) -> nn.Module:
    """An `nn.Module` on the CPU from a network, or from a node that takes `in_channels` channels.

    A network becomes an `nn.Sequential` with one named child a block (repeats in an inner
    `nn.Sequential`, named "1", "2", …), then pool, flatten, dropout and classifier: N×C×H×W →
    N×classes. With auxiliary heads it gives (N×classes, [N×classes, …]) in training.

    `init`: "truncated" is a normal distribution of variance 1/fan-in cut at two deviations, which
    leaves `initial.CUT` squared of it; "he" is cut too and has exactly He's variance, 2/fan-in;
    "torch" is torch's own, uniform; "empty" draws nothing, for weights that are loaded afterwards.
    With `seed` the weights are always the same, in any thread and on any device they are moved to,
    and torch's global random state is left alone. `generator` (of the CPU) may be given instead.
    Without both the weights are drawn as torch's layers draw theirs, from torch's global state.
    Raises `SpecError` where the description's numbers do not close.
    """
    if init not in INITS:
        raise SpecError(f'init is "truncated", "he", "torch" or "empty", got {init!r}.')
    if seed is not None and not is_whole(seed):
        raise SpecError(f"seed should be a whole number, got {seed!r}.")
    if not isinstance(what, Network):
        children(what)  # raises for what is no description
        if not is_whole(in_channels) or in_channels < 1:
            raise SpecError(f"At least one channel has to enter, got in_channels={in_channels!r}.")
    if generator is not None and not isinstance(generator, torch.Generator):
        raise SpecError(f"generator is a torch.Generator, got {generator!r}.")
    if seed is not None and generator is not None:
        raise SpecError("Give a seed or a generator, not both.")
    if generator is None:
        generator = torch.default_generator
        if seed is not None:
            generator = torch.Generator().manual_seed(seed)
    if isinstance(what, Network):
        measure(what)  # raises where channels do not close or the image is too small
    else:
        out_channels(what, in_channels)  # sizes depend on the input, which is not known here
    with torch.device("cpu"):
        builder = _Builder(what.norm_eps if isinstance(what, Network) else 1e-3)
        model: nn.Module
        if isinstance(what, Network):
            model = builder.network(what)
        else:
            model = builder.module(what, in_channels)
        # Heads come last: the network draws the same weights with and without them.
        draw(builder.layers, init, generator)
        draw(builder.aside, init, generator)
    return model


class _Builder:
    """Makes modules, and notes the layers whose weights are to be drawn, in the order of the
    data."""

    def __init__(self, norm_eps: float):
        self.norm_eps = norm_eps
        self.layers: list[Layer] = []
        self.aside: list[Layer] = []

    def module(self, node: Node, channels: int) -> nn.Module:
        if isinstance(node, Conv):
            return self.conv(node, channels)
        if isinstance(node, Pool):
            return pool(node)
        if isinstance(node, Chain):
            parts = []
            for part in node.parts:
                parts.append(self.module(part, channels))
                channels = out_channels(part, channels)
            return nn.Sequential(*parts)
        if isinstance(node, ConcatSpec):
            return Concat(*(self.module(branch, channels) for branch in node.branches))
        return self.residual(node, channels)

    def conv(self, node: Conv, channels: int) -> nn.Module:
        unit: nn.Module
        if node.norm:
            unit = ConvBNReLU(channels, node, self.norm_eps)
            conv = unit.conv
        else:
            conv = convolution(channels, node)
            unit = nn.Sequential(conv, nn.ReLU(inplace=True)) if node.relu else conv
        # Without a norm a bias belongs there: it is drawn also where an edit takes it away.
        self.layers.append(Layer(conv, node.gain, node.has_bias or not node.norm))
        return unit

    def residual(self, node: Residual, channels: int) -> nn.Module:
        body = self.module(node.body, channels)
        shortcut = None if node.shortcut is None else self.module(node.shortcut, channels)
        if not node.norm and node.identity_scale == 1:
            return ScaledResidual(body, node.scale, node.relu, shortcut, node.learnable)
        out = out_channels(node, channels)
        norm = nn.BatchNorm2d(out, eps=self.norm_eps) if node.norm else None
        return AlteredResidual(
            body, node.scale, node.relu, shortcut, node.learnable, norm, node.identity_scale
        )

    def network(self, network: Network) -> NetworkModule:
        children: OrderedDict[str, nn.Module] = OrderedDict()
        channels, after = network.channels, {}
        for block in network.blocks:
            children[block.name], channels = self.block(block, channels)
            after[block.name] = channels
        children["pool"] = nn.AdaptiveAvgPool2d(1)
        children["flatten"] = nn.Flatten()
        children["dropout"] = nn.Dropout(network.dropout)
        children["classifier"] = self.classifier(network, channels)
        if not network.heads:
            return NetworkModule(network, children)
        own, self.layers = self.layers, self.aside
        heads = OrderedDict(
            (head.name, self.head(head, after[head.after], network.classes))
            for head in network.heads
        )
        self.layers = own
        return WithHeads(network, children, heads)

    def block(self, block: Block, channels: int) -> tuple[nn.Module, int]:
        copies: OrderedDict[str, nn.Module] = OrderedDict()
        for i in range(1, block.repeat + 1):
            copies[str(i)] = self.module(block.node, channels)
            channels = out_channels(block.node, channels)
        return (copies["1"] if block.repeat == 1 else nn.Sequential(copies)), channels

    def classifier(self, network: Network, channels: int) -> nn.Linear:
        gain, rate = network.classifier.gain, network.classifier.rate
        centre = network.classifier.centre
        if rate == 1 and not centre:
            return self.linear(channels, network.classes, gain)
        slow = skip_init(SlowLinear, channels, network.classes, rate=rate)
        if centre:
            held = centre == "held"
            slow = CentredLinear(channels, network.classes, rate=rate, held=held)
        self.layers.append(Layer(slow, gain, bias=True))
        return slow

    def head(self, head: Head, channels: int, classes: int) -> nn.Module:
        parts: OrderedDict[str, nn.Module] = OrderedDict()
        parts["body"] = self.module(head.node, channels)
        parts["pool"] = nn.AdaptiveAvgPool2d(1)
        parts["flatten"] = nn.Flatten()
        parts["dropout"] = nn.Dropout(head.dropout)
        parts["classifier"] = self.linear(out_channels(head.node, channels), classes)
        return nn.Sequential(parts)

    def linear(self, channels: int, classes: int, gain: float = 1.0) -> nn.Linear:
        linear = skip_init(nn.Linear, channels, classes)
        self.layers.append(Layer(linear, gain, bias=True))
        return linear


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


def residual_blocks(model: nn.Module) -> list[tuple[str, ScaledResidual]]:
    """The residual blocks of a built network, in order, with their names."""
    blocks = named_blocks(model)
    return [(name, block) for name, block in blocks if isinstance(block, ScaledResidual)]


def last_linear(block: ScaledResidual) -> nn.Conv2d:
    """The convolution that ends a residual branch: the figures' "1×1 Linear"."""
    return [m for m in block.body.modules() if isinstance(m, nn.Conv2d)][-1]
