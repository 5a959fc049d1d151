"""Other ways to halve the grid than the paper's reductions, as edits of a network. No torch.

    changed(network, "pool, then widen")     every reduction: a pool, then a 3×3

All of them pad, as the reductions of small networks do (`mini`), and give as many channels as the
reduction whose place they take.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from inception_edu.describe.blocks import Network
from inception_edu.describe.measure import Measurement, measure
from inception_edu.describe.spec import Chain, Conv, MaxPool, Node, SpecError

SHARES = [i / 50 for i in range(1, 101)]  # of the channels, in the layer that is fitted


def with_reductions(network: Network, make: Callable[[int], Node]) -> Network:
    """The network with `make(channels)` in the place of every reduction; `channels` is how many
    leave it. Raises `SpecError` where there is none."""
    width = {row.name: row.output[0] for row in measure(network).rows}
    blocks = tuple(
        replace(block, node=make(width[block.name])) if _halves(block.name) else block
        for block in network.blocks
    )
    if blocks == network.blocks:
        raise SpecError(f"{network.name} has no block named reduction_a or reduction_b to change.")
    return replace(network, blocks=blocks)


def _halves(name: str) -> bool:
    return name.startswith("reduction")


def _pool_first(network: Network) -> Network:
    return with_reductions(network, lambda c: Chain(MaxPool(3, 2), Conv(c, 3)))


def _pool_last(network: Network) -> Network:
    return with_reductions(network, lambda c: Chain(Conv(c, 3), MaxPool(3, 2)))


def _fitted(network: Network, kernel: int, what: Callable[[Measurement], int]) -> Network:
    """Pool first, then a `kernel`×`kernel` before the 3×3, with as many filters as bring
    `what(measure(…))` nearest to that of the network."""

    def way(share: float) -> Network:
        return with_reductions(
            network,
            lambda c: Chain(MaxPool(3, 2), Conv(max(1, round(share * c)), kernel), Conv(c, 3)),
        )

    wanted = what(measure(network))
    return min(map(way, SHARES), key=lambda made: abs(what(measure(made)) - wanted))


HALVINGS: dict[str, Callable[[Network], Network]] = {
    "pool, then widen": _pool_first,
    "pool first, equal parameters": lambda n: _fitted(n, 1, lambda m: m.params),
    "pool first, equal multiply-adds": lambda n: _fitted(n, 3, lambda m: m.macs),
    "widen, then pool": _pool_last,
}
