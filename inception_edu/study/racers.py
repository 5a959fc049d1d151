"""Who races: the pairs of the paper at equal cost, and the two towers of the race lab. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inception_edu.learn.recipe import Recipe
from inception_edu.study.config import Config

# As in the paper, v3 races v1 and v4 races v2. Its Inception-ResNets have more and cheaper blocks
# than its pure networks; with these numbers of blocks, each pair has the same multiply-adds within
# one part in a hundred.
RACERS = {
    "inception_v3": (1, 2, 1),
    "inception_resnet_v1": (1, 3, 2),
    "inception_v4": (1, 2, 1),
    "inception_resnet_v2": (2, 3, 2),
}
# The deep pairs: the pure network has its own number of blocks, and its rival as many as make equal
# multiply-adds.
DEEP = {
    "inception_v3": (3, 4, 2),
    "inception_resnet_v1": (4, 9, 4),
    "inception_v4": (4, 7, 3),
    "inception_resnet_v2": (7, 13, 8),
}


def depth_words(racers: Mapping[str, tuple[int, ...]] = RACERS) -> str:
    """How deep they are: "4 to 7 blocks"."""
    counts = [sum(blocks) for blocks in racers.values()]
    return f"{min(counts)} to {max(counts)} blocks"


def title(name: str) -> str:
    """ "inception_resnet_v2" as the paper writes it: "Inception-ResNet-v2"."""
    return name.replace("inception_", "Inception-").replace("resnet_", "ResNet-")


PAIRS = (("inception_v3", "inception_resnet_v1"), ("inception_v4", "inception_resnet_v2"))


DEPTHS = (2, 4, 6, 8, 12, 16, 24)  # of the lab's towers; each is recorded


def tower_pair(
    steps: int, rate: float, scale: float, data: str, depth: int, **images: Any
) -> tuple[Config, Config]:
    """A tower of 72 channels without the identity, and one with it at `scale`, as they race in the
    lab. `images` has what the towers must know of them: image (their side), classes."""
    recipe = Recipe(steps=steps, batch_size=32, lr=rate, momentum=0.9, record_every=4)
    common = dict(width=72, depth=depth, **images)
    kinds: dict[str, dict[str, Any]] = {
        "without identity": dict(residual=False),
        "with identity": dict(scale=scale),
    }
    plain, residual = (
        Config(label, "tower", {**common, **kind}, recipe, data=data, test_images=500)
        for label, kind in kinds.items()
    )
    return plain, residual
