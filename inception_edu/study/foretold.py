"""What is known of a tower before its first step, by pencil: how far the outputs of its blocks
spread, and how long the vector is that enters its classifier.

    before(scale=0.3, depth=10).spread     (0.58, 0.60, …): standard deviation, the stem first
    before(0.3, 10).length                 ‖a‖² for each channel of the trunk

A branch ends in batch norm and ReLU, so the mean square of what enters its linear 1×1 is ½,
whatever the width, the images and the rate. The linear 1×1 therefore adds noise of one size to the
trunk, ten times over, and the ReLU after each sum keeps what is above 0. Here this noise is drawn
for a few thousand channels, and nothing else is computed. Needs no torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

# Standard deviation of a standard normal distribution that is cut at two deviations, as first
# weights are (`nets.initial`).
CUT = 0.87962566103423978
# What the linear 1×1 puts out: weights of variance CUT² / fan-in on inputs of mean square ½.
BRANCH = CUT * math.sqrt(0.5)
# The share of its variance that a channel has at all positions of all images alike: its inputs are
# never below 0, and the square of their mean is 1/(2π), where the mean of their squares is ½.
SHARED = 1 / math.pi
CHANNELS, POSITIONS, MOST = 1024, 16, 20  # a 4×4 grid; the deepest tower of the labs


@dataclass(frozen=True)
class Before:
    """A tower before its first step.

    spread   standard deviation of the output of the stem, then of each block
    length   ‖a‖² by the number of channels, where a is the spatial mean of the last block's output;
             6 to 12 % more than the recorded towers have
    """

    spread: tuple[float, ...]
    length: float


@lru_cache(maxsize=1)
def _noise() -> np.ndarray:
    """Standard normal numbers, layer by layer: CHANNELS × POSITIONS, alike along the positions to
    the degree of SHARED."""
    random = np.random.default_rng(0)
    own = random.standard_normal((MOST + 1, CHANNELS, POSITIONS), dtype=np.float32)
    shared = random.standard_normal((MOST + 1, CHANNELS, 1), dtype=np.float32)
    noise = math.sqrt(1 - SHARED) * own + math.sqrt(SHARED) * shared
    noise[0] = own[0]  # the stem ends in batch norm: its channels have no mean of their own
    return noise


@lru_cache(maxsize=256)
def before(scale: float, depth: int) -> Before:
    """The tower of `depth` blocks scaled by `scale`. Raises ValueError for a depth above 20."""
    if not 0 <= depth <= MOST:
        raise ValueError(f"The labs' towers have 0 to {MOST} blocks; got {depth}.")
    noise = _noise()
    x = np.maximum(noise[0], 0)
    spread = [float(x.std())]
    for layer in noise[1 : depth + 1]:
        x = np.maximum(x + scale * BRANCH * layer, 0)
        spread.append(float(x.std()))
    return Before(tuple(spread), float(np.square(x.mean(1)).mean()))
