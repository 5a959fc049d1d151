"""The experiment on small collections of photographs, such as a reader's own. A function from a
mode to its configurations."""

from __future__ import annotations

from dataclasses import replace

from inception_edu.study.cells import repeat
from inception_edu.study.config import Config
from inception_edu.study.experiments_race import racer
from inception_edu.study.racers import PAIRS, title
from inception_edu.study.tuning import best_rate

PER_CLASS = (50, 200, 1000)


def cell(name: str, count: int) -> str:
    """The label of a network trained on so many pictures a class."""
    return f"{title(name)}, {count} a class"


def own_photographs(mode: str) -> list[Config]:
    """What may be expected of a reader's own folder: Inception-v4 and Inception-ResNet-v2 race on
    50, 200 and 1000 photographs a class, and their answers to 1 and 12 crops are kept, for
    ensembles. The test images are the same for all."""
    cells = [
        replace(
            racer(
                name,
                best_rate(name),
                cell(name, count),
                after="few crops",
                steps=600,
                decay_every=15,
                evaluate_every=None,
            ),
            per_class=count,
            test_images=1000,
        )
        for count in PER_CLASS
        for name in PAIRS[1]
    ]
    if mode == "quick":
        cells = [replace(c, after="") for c in cells]
    return repeat(cells, mode, [cell(PAIRS[1][1], PER_CLASS[0])], 60)
