"""What is known of a tower before its first step, by pencil: how far the outputs of its blocks
spread, and how long the vector is that enters its classifier.

    before(scale=0.3, depth=10).spread     (0.58, 0.60, …): standard deviation, the stem first
    before(0.3, 10).length                 ‖a‖² for each channel of the trunk

A branch ends in batch norm and ReLU, so the mean square of what enters its linear 1×1 is ½,
whatever the width, the images and the rate. The linear 1×1 therefore adds noise of one size to the
trunk, ten times over, and the ReLU after each sum keeps what is above 0. Here this noise is drawn
for a thousand channels at two positions, and nothing else is computed. Needs neither torch nor
numpy.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist, fmean

# Standard deviation of a standard normal distribution that is cut at two deviations, as first
# weights are (`nets.initial`).
CUT = 0.87962566103423978
# What the linear 1×1 puts out: weights of variance CUT² / fan-in on inputs of mean square ½.
BRANCH = CUT * math.sqrt(0.5)
# The share of its variance that a channel has at all positions of all images alike: its inputs are
# never below 0, and the square of their mean is 1/(2π), where the mean of their squares is ½.
SHARED = 1 / math.pi
CHANNELS, POSITIONS, MOST = 1000, 16, 20  # a 4×4 grid; the deepest tower of the labs


@dataclass(frozen=True)
class Before:
    """A tower before its first step.

    spread   standard deviation of the output of the stem, then of each block
    length   ‖a‖² by the number of channels, where a is the spatial mean of the last block's output;
             about a tenth more than the recorded towers have
    """

    spread: tuple[float, ...]
    length: float


@lru_cache(maxsize=1)
def _noise() -> list[list[tuple[float, float]]]:
    """Layer by layer, for each channel at two positions: standard normal numbers, alike at both to
    the degree of SHARED."""
    draw = random.Random(0)
    normal = [NormalDist().inv_cdf((i + 0.5) / CHANNELS) for i in range(CHANNELS)]
    shuffled = lambda: draw.sample(normal, CHANNELS)  # noqa: E731
    layers = [list(zip(shuffled(), shuffled()))]  # after the stem's batch norm nothing is shared
    own, shared = math.sqrt(1 - SHARED), math.sqrt(SHARED)
    for _ in range(MOST):
        three = zip(shuffled(), shuffled(), shuffled())
        layers.append([(own * p + shared * c, own * q + shared * c) for p, q, c in three])
    return layers


@lru_cache(maxsize=256)
def before(scale: float, depth: int) -> Before:
    """The tower of `depth` blocks scaled by `scale`. Raises ValueError for a depth above 20."""
    if not 0 <= depth <= MOST:
        raise ValueError(f"The labs' towers have 0 to {MOST} blocks; got {depth}.")
    stem, *blocks = _noise()
    x = [(max(p, 0.0), max(q, 0.0)) for p, q in stem]
    spread, size = [_spread(x)], scale * BRANCH
    for layer in blocks[:depth]:
        x = [(max(p + size * n, 0.0), max(q + size * m, 0.0)) for (p, q), (n, m) in zip(x, layer)]
        spread.append(_spread(x))
    # Of the square of a mean over positions, one part in POSITIONS is of a position with itself.
    square = fmean((p * p + q * q) / 2 for p, q in x)
    pair = fmean(p * q for p, q in x)
    return Before(tuple(spread), square / POSITIONS + pair * (1 - 1 / POSITIONS))


def _spread(x: list[tuple[float, float]]) -> float:
    mean = fmean((p + q) / 2 for p, q in x)
    return math.sqrt(fmean((p * p + q * q) / 2 for p, q in x) - mean**2)
