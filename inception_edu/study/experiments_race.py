"""The experiments on races: Inception against Inception-ResNet at equal cost, and towers with and
without the identity: C1, C2, C7, C9. Each is a function from a mode to its configurations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from inception_edu.learn import Recipe
from inception_edu.study.cells import SGD, repeat
from inception_edu.study.config import Config, seeds
from inception_edu.study.racers import DEEP, DEPTHS, PAIRS, RACERS, tower_pair
from inception_edu.study.results import Result, load_results
from inception_edu.study.tuning import best_rate

# Three quarters of a pass over the 50,000 images; the rate falls as in Section 4, by 0.94 at a
# time, 40 times.
RACE = Recipe(
    steps=1200,
    batch_size=32,
    optimizer="sgd",
    momentum=0.9,
    schedule="paper",
    decay_every=30,
    augment="window+flip",
    record_every=20,
    evaluate_every=150,
)
# The same for every network: equal budgets. 0.055 is there because the best of 0.03, 0.1 and 0.3
# lay between the first two for one of them.
RATES = (0.03, 0.055, 0.1, 0.3)
# A rate more for the deep pairs: one of these networks took the lowest of the four.
DEEP_RATES = (0.01, *RATES)
# In the labels of the race for a GPU, and of the race of the deep pairs.
ALL_FILTERS, DEEP_PAIR, TWICE = ", all filters", ", deep", ", deep, twice as long"


def racer(
    name: str,
    lr: float,
    label: str = "",
    scale: float | None = None,
    after: str = "",
    width: float = 1 / 16,
    blocks: Mapping[str, tuple[int, ...]] = RACERS,
    **recipe,
) -> Config:
    return Config(
        label or f"{name}, rate {lr:g}",
        name,
        dict(width=width, repeats=blocks[name], image=28, scale=scale),
        replace(RACE, lr=lr, **recipe),
        test_images=2000,
        after=after,
    )


def race_tuning(mode: str) -> list[Config]:
    """The race's learning rate, tried alike for all four networks and judged on training images
    that are held out: no verdict ever sees them (3 seeds: it picks a rate, it proves nothing)."""
    cells = tuned()
    return repeat(cells, mode, [f"{n}, rate 0.1" for n in PAIRS[1]], count=3)


def tuned(
    blocks: Mapping[str, tuple[int, ...]] = RACERS,
    rates: tuple[float, ...] = RATES,
    **arguments,
) -> list[Config]:
    """Every network at every rate, for a third of the race's length."""
    arguments |= dict(steps=400, decay_every=10, evaluate_every=None, blocks=blocks)
    cells = [racer(name, lr, **arguments) for name in blocks for lr in rates]
    return [replace(c, judge="validation") for c in cells]


def race(mode: str) -> list[Config]:
    """Inception against Inception-ResNet at equal cost, each at its best rate: C1, C2, C7. Also
    scale 1 against 0.1.

    Each network's answers to 1, 12 and 144 crops are kept: C9.
    """
    cells = [racer(name, best_rate(name), label=name, after="crops") for name in RACERS]
    cells += [
        racer(
            "inception_resnet_v2",
            best_rate("inception_resnet_v2"),
            "inception_resnet_v2, scale 1",
            1.0,
        )
    ]
    if mode == "quick":
        cells = [
            replace(c, after="", recipe=replace(c.recipe, evaluate_every=None, decay_every=2))
            for c in cells
        ]
    return repeat(cells, mode, PAIRS[1], 80)


def race_more(mode: str) -> list[Config]:
    """Ten more seeds of the race, without the answers: with five the race cannot show a gain of two
    points. C1, C2."""
    cells = [racer(name, best_rate(name), label=name) for name in RACERS]
    if mode == "quick":
        cells = [replace(c, recipe=replace(c.recipe, evaluate_every=None)) for c in cells]
        return [c.with_seed(5) for c in repeat(cells, mode, PAIRS[1], 80)]
    # Those that `race` has in this mode come before them.
    first = 10 if mode == "full" else 5
    return [run for cell in cells for run in seeds(cell, 2 * first, first)]


def deep_race_tuning(mode: str) -> list[Config]:
    """The rates of `deep_race`, tried alike for all four networks and judged on held-out training
    images (3 seeds: it picks a rate, it proves nothing)."""
    return repeat(tuned(DEEP, DEEP_RATES), mode, [f"{PAIRS[1][1]}, rate 0.1"], count=3)


def deep_race(mode: str) -> list[Config]:
    """The race of both pairs in deep versions (9 and 17, 14 and 28 blocks), at equal cost, each at
    its best rate: does the advantage in speed begin with depth? C1, C2."""
    cells = [
        racer(name, best_rate(name, "deep_race_tuning"), f"{name}{DEEP_PAIR}", blocks=DEEP)
        for name in DEEP
    ]
    if mode == "quick":
        cells = [replace(c, recipe=replace(c.recipe, evaluate_every=None)) for c in cells]
    return repeat(cells, mode, [f"{name}{DEEP_PAIR}" for name in DEEP], 10, count=10)


def longer_race(mode: str) -> list[Config]:
    """The deep race again, twice as long, with the same fall of the rate from first to last step:
    has a race come to its end, or does more training still help? C2."""
    twice: dict[str, Any] = dict(
        steps=2 * RACE.steps, decay_every=60, record_every=40, evaluate_every=300
    )
    cells = [
        racer(name, best_rate(name, "deep_race_tuning"), f"{name}{TWICE}", blocks=DEEP, **twice)
        for name in DEEP
    ]
    if mode == "quick":
        cells = [replace(c, recipe=replace(c.recipe, evaluate_every=None)) for c in cells]
    return repeat(cells, mode, [f"{name}{TWICE}" for name in DEEP], 10)


def raced() -> list[Result]:
    """The committed races of the four networks at equal cost, 15 seeds each: those of `race`, which
    keep their answers, and those of `race_more`."""
    runs = [*load_results("race"), *load_results("race_more")]
    return [run for run in runs if run.label in RACERS]


def depth(mode: str) -> list[Config]:
    """The same tower with and without the identity at depths 2 to 16: where does the advantage
    begin? C1.

    With the identity once as in ResNet (scale 1) and once as in Fig. 20 (scale 0.1). Without it
    once with the branches of Fig. 13, which hand on a quarter of the channels, and once with
    branches as wide as the trunk. And the stem alone, the mark that blocks have to beat.
    """
    kinds: dict[str, dict[str, Any]] = {
        "plain": dict(residual=False),
        "plain, full width": dict(residual=False, bottleneck=False),
        "residual": dict(scale=1.0),
        "residual × 0.1": dict(scale=0.1),
    }
    depths = (2, 4, 8, 16) if mode != "full" else (2, 4, 8, 16, 32, 64)
    cells = []
    for lr in (0.1, 0.02):
        recipe = replace(SGD, lr=lr, steps=200, record_every=10)
        stem = dict(width=72, depth=0)
        cells.append(Config(f"stem only, rate {lr:g}", "tower", stem, recipe))
        for d in depths:
            for kind, arguments in kinds.items():
                label = f"{kind}, depth {d}, rate {lr:g}"
                cells.append(Config(label, "tower", dict(width=72, depth=d, **arguments), recipe))
    quick = [f"{k}, depth {d}, rate 0.1" for k in ("residual", "plain") for d in (2, 16)]
    return repeat(cells, mode, quick, 60)


TOWERS: dict[str, dict[str, Any]] = {
    "plain": dict(residual=False, depth=16),
    "plain, full width": dict(residual=False, bottleneck=False, depth=16),
    "residual × 0.1": dict(scale=0.1, depth=16),
    "stem only": dict(depth=0),
}
OPTIMISERS: dict[str, tuple[dict[str, Any], tuple[float, ...]]] = {
    "SGD": ({}, (0.3, 0.1, 0.02, 0.005, 0.001)),
    "SGD, clipped": (dict(clip=1.0), (0.3, 0.1, 0.02, 0.005, 0.001)),
    "SGD, equal steps": (dict(optimizer="normalised"), (0.3, 0.1, 0.03, 0.01, 0.003)),
}


def long_gradients(mode: str) -> list[Config]:
    """In a plain tower of 16 blocks the gradient is far longer near the stem. Does the tower learn
    as one with the identity does, once the steps of all blocks are equally long? C1."""
    cells = [
        Config(
            f"{kind}, {how}, rate {lr:g}",
            "tower",
            dict(width=72, **arguments),
            replace(SGD, lr=lr, steps=200, record_every=10, **changes),
        )
        for kind, arguments in TOWERS.items()
        for how, (changes, rates) in OPTIMISERS.items()
        for lr in rates
    ]
    quick = [
        f"{kind}, {how}, rate {rates[2]:g}"
        for kind in ("plain", "residual × 0.1")
        for how, (_, rates) in OPTIMISERS.items()
    ]
    return repeat(cells, mode, quick, 60)


def lab_race(mode: str) -> list[Config]:
    """The race lab's first settings at each of its depths, on the embedded images: the recorded
    races that the lab shows before anybody has waited."""
    cells = []
    for d in DEPTHS:
        sides = tower_pair(100, 0.05, 0.3, "fashion", depth=d, image=32, classes=10)
        cells += [replace(side, label=f"{side.label}, depth {d}") for side in sides]
    return repeat(cells, mode, [c.label for c in cells if c.label.endswith("depth 4")])
