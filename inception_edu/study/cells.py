"""What the experiments' cells are made of: the towers, their recipes, their seeds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from inception_edu.learn import Recipe
from inception_edu.study.config import Config, seeds

# quick: a picture in about 15 s on two cores. standard: what is committed, 5 seeds a cell. full:
# larger, for a GPU.
MODES = ("quick", "standard", "full")


# Section 3.3's setting, small: the paper's RMSProp (decay 0.9, epsilon 1.0) and learning rate on a
# tower of Fig. 13's blocks. 60 steps show the deaths of the first steps; whether they last, longer
# experiments ask (`recovery`, `long`, `wide`).
PAPER = Recipe(
    steps=60,
    batch_size=32,
    optimizer="rmsprop",
    lr=0.045,
    momentum=0.9,
    rms_decay=0.9,
    eps=1.0,
    record_every=3,
)
SGD = replace(PAPER, optimizer="sgd")
# A tower of 144 channels dies at rate 0.3 ("nothing" in `remedies`) as one of 1152 does at 0.045
# (`dying`), in a fraction of the time: the patient on which remedies and causes are tried.
SICK: dict[str, Any] = dict(width=144, lr=0.3)
# Two-phase warm-up of Section 3.3: a first phase at a very low rate, then the full one at once.
TWO_PHASE: dict[str, Any] = dict(warmup_steps=30, warmup_lr=1e-5, steps=90)
LINEAR: dict[str, Any] = dict(warmup_steps=60, steps=120, record_every=6)


def tower(
    label: str,
    width: int = 576,
    scale: float = 1.0,
    base: Recipe = PAPER,
    change: str = "",
    depth: int = 10,
    **recipe,
) -> Config:
    return Config(
        label,
        "tower",
        dict(width=width, depth=depth, scale=scale),
        replace(base, **recipe),
        change=change,
    )


def sick(label: str, scale: float = 1.0, **changes) -> Config:
    return tower(label, scale=scale, **{**SICK, **changes})


def repeat(
    cells: list[Config], mode: str, quick: Iterable[str] = (), quick_steps: int = 40, count: int = 5
) -> list[Config]:
    """Seeds for each cell: `count`, twice as many in full mode; in quick mode one, of the cells
    named, with fewer steps."""
    if mode == "quick":
        chosen = [c for c in cells if c.label in set(quick)]
        return [replace(c, recipe=replace(c.recipe, steps=quick_steps)) for c in chosen]
    return [c for cell in cells for c in seeds(cell, 2 * count if mode == "full" else count)]
