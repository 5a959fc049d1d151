"""The sides of a network's maps: what padding makes of them, and the smallest image. No torch."""

from __future__ import annotations

from functools import lru_cache

from inception_edu.describe.blocks import Network
from inception_edu.describe.flow import walk
from inception_edu.describe.measure import smallest_image, trace
from inception_edu.describe.parts import with_padding
from inception_edu.describe.spec import SpecError


def padded(network: Network, padding: str) -> Network:
    """The same network with "same" or "valid" padding in every convolution and pool; "printed"
    changes nothing."""
    if padding == "printed":
        return network
    return network.map(lambda node: with_padding(node, padding))


def side_chain(network: Network, image: int) -> list[int]:
    """The side of the map from the image on, wherever it shrinks: 299, 149, 147, 73, 71, 35, 17,
    8."""
    sides = [image]
    for row in trace(network, image).rows:
        if row.output[1] == row.input[1]:
            continue
        for step in walk(row.node, row.input):
            if step.output is not None and step.output[1] < sides[-1]:
                sides.append(step.output[1])
    return sides


@lru_cache(maxsize=256)
def smallest(network: Network, largest: int = 640) -> int | None:
    """The smallest legal side, or None where no image up to `largest` fits."""
    # One of four neighbours fits wherever any large image does: strides of 2 leave no more odd
    # sizes than that.
    if all(trace(network, side).broken for side in range(largest - 3, largest + 1)):
        return None
    try:
        return smallest_image(network)
    except SpecError:
        return None
