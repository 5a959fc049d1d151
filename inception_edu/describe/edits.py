"""The changes of the experiments, as edits of a network's description. No torch.

    changed(tower(width=576), "no bias")       the same network, its linear 1×1s without bias

What is edited is a description like any other: it can be drawn, measured, compared and built. With
the same seed it starts from the weights of the network it was made of, but for what the change is
about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from inception_edu.describe.blocks import Block, Classifier, Network, check_network
from inception_edu.describe.flow import out_channels
from inception_edu.describe.halving import HALVINGS
from inception_edu.describe.parts import at, last_conv, put
from inception_edu.describe.spec import Conv, Node, Residual, SpecError

RATE = 0.1  # of a slow layer, as a share of the ordinary learning rate
BASE_WIDTH = 14.4  # channels at which a rate that falls as 1/width is the ordinary rate


def changed(network: Network, change: str) -> Network:
    """The network with a change of `CHANGES` made. Raises `SpecError` where there is no such
    change, or where nothing in the network can be changed so."""
    check_network(network)
    if change not in CHANGES:
        raise SpecError(f"There is no change {change!r}; choose one of {', '.join(CHANGES)}.")
    return CHANGES[change](network)


def on_residuals(network: Network, change: Callable[[Residual], Node]) -> Network:
    """The network with `change(block)` in the place of every residual block. Raises `SpecError`
    where there is none."""
    check_network(network)
    if not any(isinstance(block.node, Residual) for block in network.blocks):
        raise SpecError(f"{network.name} has no residual block to change.")
    blocks = (
        replace(block, node=change(block.node)) if isinstance(block.node, Residual) else block
        for block in network.blocks
    )
    return replace(network, blocks=tuple(blocks))


def on_last_residual(network: Network, change: Callable[[Residual], Node]) -> Network:
    """The network with `change(block)` in the place of its last residual block, which gets a name
    of its own where it was one of several copies. Raises `SpecError` where there is none."""
    check_network(network)
    places = [i for i, block in enumerate(network.blocks) if isinstance(block.node, Residual)]
    if not places:
        raise SpecError(f"{network.name} has no residual block to change.")
    i = places[-1]
    block = network.blocks[i]
    assert isinstance(block.node, Residual)
    node = change(block.node)
    new: tuple[Block, ...] = (replace(block, node=node),)
    if block.repeat > 1:
        last = replace(block, name=f"{block.name}_last", node=node, repeat=1)
        new = (replace(block, repeat=block.repeat - 1), last)
    return replace(network, blocks=(*network.blocks[:i], *new, *network.blocks[i + 1 :]))


def on_last_conv(block: Residual, **fields: object) -> Residual:
    """The block with other fields in the convolution that ends its body, the figures' "1×1
    Linear"."""
    path = last_conv(block)
    conv = at(block, path)
    assert isinstance(conv, Conv)
    edited = put(block, path, replace(conv, **fields))  # type: ignore[arg-type]
    assert isinstance(edited, Residual)
    return edited


def _norm_in_branch(block: Residual) -> Residual:
    return on_last_conv(block, norm=True, bias=True)


def _norm_after_sum(block: Residual) -> Residual:
    return replace(block, norm=True)


def _learnable(block: Residual) -> Residual:
    return replace(block, learnable=True)


def _scaled_identity(block: Residual) -> Residual:
    return replace(block, scale=1.0, identity_scale=block.scale)


def _slow_last_layer(block: Residual) -> Residual:
    return replace(on_last_conv(block, gain=1 / RATE), scale=RATE * block.scale)


def _rate_per_width(network: Network, centre: str = "") -> Network:
    channels = network.channels
    for block in network.blocks:
        for _ in range(block.repeat):
            channels = out_channels(block.node, channels)
    return replace(network, classifier=Classifier(rate=BASE_WIDTH / channels, centre=centre))


def _slow_ends(network: Network) -> Network:
    return on_residuals(replace(network, classifier=Classifier(rate=RATE)), _slow_last_layer)


CHANGES: dict[str, Callable[[Network], Network]] = {
    "norm in last branch": lambda n: on_last_residual(n, _norm_in_branch),
    "norm in every branch": lambda n: on_residuals(n, _norm_in_branch),
    "norm after last sum": lambda n: on_last_residual(n, _norm_after_sum),
    "norm after every sum": lambda n: on_residuals(n, _norm_after_sum),
    "learnable scale": lambda n: on_residuals(n, _learnable),
    "scaled identity": lambda n: on_residuals(n, _scaled_identity),
    "zero last layer": lambda n: on_residuals(n, lambda b: on_last_conv(b, gain=0.0)),
    "zero classifier": lambda n: replace(n, classifier=Classifier(gain=0.0)),
    "slow classifier": lambda n: replace(n, classifier=Classifier(rate=RATE)),
    "slow last layers": lambda n: on_residuals(n, _slow_last_layer),
    "small last layers": lambda n: on_residuals(n, lambda b: on_last_conv(b, gain=0.1)),
    "no bias": lambda n: on_residuals(n, lambda b: on_last_conv(b, bias=False)),
    "centred last layers": lambda n: on_residuals(
        n, lambda b: on_last_conv(b, bias=False, centred=True)
    ),
    "centred classifier input": lambda n: replace(n, classifier=Classifier(centre="batch")),
    "centred classifier input, mean held": lambda n: replace(
        n, classifier=Classifier(centre="held")
    ),
    "classifier rate per width": _rate_per_width,
    "centred input and rate per width": lambda n: _rate_per_width(n, "batch"),
    "slow classifier and last layers": _slow_ends,
    **HALVINGS,
}
