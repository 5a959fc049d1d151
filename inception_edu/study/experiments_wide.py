"""The experiments at the paper's width, for a machine with a GPU: C1 to C7 and C10. Each is a
function from a mode to its configurations. An hour of one card is enough for all (`sized`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inception_edu.study.cells import PAPER, repeat, tower
from inception_edu.study.config import Config
from inception_edu.study.experiments_dying import cell, no_blocks_at, treated
from inception_edu.study.experiments_race import ALL_FILTERS, DEEP_RATES, racer, tuned
from inception_edu.study.racers import DEEP, PAIRS
from inception_edu.study.tuning import best_rate

# As many blocks as make two minutes of a run on one core of a laptop, and seconds on a GPU.
BLOCKS = (2, 3, 2)
STEPS = 1000


def wide(mode: str) -> list[Config]:
    """Towers of 1152 and 2304 channels at the paper's rate, a third and three times of it: does
    what died in the first steps come back, and does what lived die late? C3, C5, C10."""
    settings = [
        (1152, 1.0, 0.045),
        (1152, 0.1, 0.045),
        (1152, 1.0, 0.015),
        (1152, 1.0, 0.14),
        (1152, 0.1, 0.14),
        (2304, 1.0, 0.045),
        (2304, 0.1, 0.045),
    ]
    steps: dict[str, Any] = dict(steps=2000, record_every=50)
    cells = [tower(cell(w, s, lr), w, s, lr=lr, **steps) for w, s, lr in settings]
    cells += [
        tower(no_blocks_at(w, lr), w, lr=lr, depth=0, **steps)
        for w, lr in ((1152, 0.045), (1152, 0.015), (1152, 0.14), (2304, 0.045))
    ]
    return repeat(cells, mode, [cell(1152, 1.0, 0.045)], 20)


def paper_width(mode: str) -> list[Config]:
    """Inception-ResNet-v2 with all of its filters (1152 channels in its B blocks, 2144 in its C
    blocks) and fewer blocks (2, 3 and 2), with the paper's RMSProp: does it die unscaled, does
    scaling save it, and does scaling cost accuracy where nothing dies? C3, C5, C7."""
    settings = [
        (1.0, 0.045),
        (0.2, 0.045),
        (0.1, 0.045),
        (0.0, 0.045),
        (1.0, 0.0045),
        (0.2, 0.0045),
        (1.0, 0.14),
        (0.2, 0.14),
    ]
    cells = [_full(f"scale {scale:g}, rate {lr:g}", scale, lr) for scale, lr in settings]
    return repeat(cells, mode, ["scale 1, rate 0.045"], 4)


def _full(label: str, scale: float, lr: float) -> Config:
    recipe = replace(PAPER, lr=lr, steps=STEPS, record_every=20, augment="window+flip")
    arguments = dict(width=1, repeats=BLOCKS, image=28, scale=scale)
    return Config(label, "inception_resnet_v2", arguments, recipe, test_images=2000)


def wide_remedies(mode: str) -> list[Config]:
    """A tower of 1152 channels at the paper's rate with every remedy, followed for 540 steps more
    than the small one, so that a late death shows: C4, C5, C6, C10."""
    cells = [
        replace(c, recipe=replace(c.recipe, steps=c.recipe.steps + 540, record_every=15))
        for c in treated(1152, PAPER.lr)
    ]
    return repeat(cells, mode, ["nothing"], 10)


def wide_race_tuning(mode: str) -> list[Config]:
    """The rates of `wide_race`, tried alike for all four networks with all of their filters and
    judged on held-out training images (3 seeds: it picks a rate, it proves nothing)."""
    cells = tuned(DEEP, DEEP_RATES, width=1)
    return repeat(cells, mode, [f"{PAIRS[0][1]}, rate 0.1"], 2, count=3)


def wide_race(mode: str) -> list[Config]:
    """The race of the deep pairs with all filters, each network at its best rate of
    `wide_race_tuning`: C1, C2. With all filters the residual network of a pair has up to 10 % fewer
    multiply-adds."""
    cells = [
        racer(n, best_rate(n, "wide_race_tuning"), f"{n}{ALL_FILTERS}", width=1, blocks=DEEP)
        for n in DEEP
    ]
    if mode == "quick":
        cells = [replace(c, recipe=replace(c.recipe, evaluate_every=None)) for c in cells]
    return repeat(cells, mode, [f"{name}{ALL_FILTERS}" for name in PAIRS[0]], 2)
