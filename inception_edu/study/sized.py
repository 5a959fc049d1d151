"""How long runs take on a graphics card, as an estimate from the committed runs that were made on
one.

    on_a_card(configurations("wide"))    OnACard(card="NVIDIA H200", least=…, most=…) in seconds

Small networks in batches of 32 leave a card waiting for its next order, so what counts is the
number of steps: each is taken to last as long as the fastest and as the slowest of the committed
ones, longer where it has more multiply-adds or more blocks than any of these.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from inception_edu.study.config import Config
from inception_edu.study.results import load_results

MEASURED = ("recovery", "paper_width")


@dataclass(frozen=True)
class OnACard:
    """The card of the committed runs, and the least and the most seconds that runs would take."""

    card: str
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.least / 60:.0f} to {self.most / 60:.0f} minutes on an {self.card}"


def on_a_card(configs: Iterable[Config]) -> OnACard:
    """An estimate for `configs`, one run after the other."""
    runs = [
        run
        for name in MEASURED
        for run in load_results(name)
        if run.device == "cuda" and dict(run.config.arguments).get("depth") != 0
    ]
    step = [run.seconds / run.config.recipe.steps for run in runs]
    largest = max(run.macs * run.config.recipe.batch_size for run in runs)
    deepest = max(_blocks(run.config) for run in runs)

    def steps(config: Config) -> float:
        work = config.macs() * config.recipe.batch_size / largest
        return config.recipe.steps * max(1.0, work, _blocks(config) / deepest)

    every = sum(map(steps, configs))
    return OnACard(runs[0].versions["card"], every * min(step), every * max(step))


def _blocks(config: Config) -> int:
    """How many blocks the card is told to compute, one after another, in a step."""
    return sum(block.repeat for block in config.description().blocks)
