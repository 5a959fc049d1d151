"""Which number, known before the first step, tells the runs that die from the runs that live?

    judge(results)                     how well each score orders dead and living runs, with a 95 %
                                       interval over the settings
    apart(results, one, other)         by how much one score orders more of the pairs than another
    transfer(fitted, judged)           the threshold that is best on some runs, tried on others

Each score is judged beside its simple rivals, and where it was not fitted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from inception_edu.study.fates import fate
from inception_edu.study.recorded import Grid
from inception_edu.study.results import Result
from inception_edu.study.statistics import StatisticsError

DRAWS = 1000


def _argument(result: Result, name: str) -> float:
    return float(dict(result.config.arguments)[name])


def _rate(result: Result) -> float:
    return result.config.recipe.lr


SCORES: dict[str, Callable[[Result], float]] = {
    "rate × ‖a‖²": lambda r: _rate(r) * r.curves["length"][0],
    "width × rate × scale²": lambda r: (
        _argument(r, "width") * _rate(r) * _argument(r, "scale") ** 2
    ),
    "width × rate × scale": lambda r: _argument(r, "width") * _rate(r) * _argument(r, "scale"),
    "width × rate": lambda r: _argument(r, "width") * _rate(r),
    "rate": _rate,
    "width": lambda r: _argument(r, "width"),
}


@dataclass(frozen=True)
class Judged:
    """How well a score orders: of all pairs of a run that dies and one that lives, the share in
    which the one that dies has the higher score (½ for a tie), with its 95 % interval."""

    share: float
    low: float
    high: float
    dead: int
    alive: int


def judge(
    results: Iterable[Result], scores: dict[str, Callable[[Result], float]] = SCORES, seed: int = 0
) -> dict[str, Judged]:
    """Every score on the runs that die or live (what suffers is left out). The interval draws
    settings, not runs: seeds of one setting are much alike."""
    cells = _settings(results)
    draws = _drawn(cells, seed)
    return {name: _judged(cells, score, draws) for name, score in scores.items()}


def apart(
    results: Iterable[Result], one: str, other: str, seed: int = 0
) -> tuple[float, float, float]:
    """By how much one of `SCORES` orders more of the pairs than another, and the 95 % interval of
    that: both scores see the same draws of settings, so what makes a draw hard drops out."""
    cells = _settings(results)
    values = [_valued(cells, SCORES[name]) for name in (one, other)]
    gaps = []
    for draw in _drawn(cells, seed):
        first, second = (_share([those[i] for i in draw]) for those in values)
        if first is not None and second is not None:
            gaps.append(first - second)
    low, high = np.quantile(gaps, (0.025, 0.975))
    first, second = (_share(those) for those in values)
    assert first is not None and second is not None  # `_settings` has seen both kinds of runs
    return first - second, float(low), float(high)


def _settings(results: Iterable[Result]) -> list[list[tuple[Result, bool]]]:
    """The runs that die or live, by setting, and whether they die."""
    groups: dict[tuple, list[tuple[Result, bool]]] = {}
    for result in results:
        word = fate(result).word
        if word in ("lives", "dies"):
            groups.setdefault(_setting(result.config), []).append((result, word == "dies"))
    told = {dies for cell in groups.values() for _, dies in cell}
    if told != {True, False}:
        raise StatisticsError("To judge a score, some runs have to die and some have to live.")
    return list(groups.values())


def _drawn(cells: list, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, len(cells), (DRAWS, len(cells)))


def _valued(cells: list, score: Callable) -> list[list[tuple[float, bool]]]:
    return [[(score(result), dies) for result, dies in cell] for cell in cells]


def _setting(config: Any) -> tuple:
    """What runs that differ in their seed alone have in common."""
    of_config = {k: v for k, v in vars(config).items() if k not in ("label", "recipe", "seed")}
    of_recipe = {k: v for k, v in vars(config.recipe).items() if k != "seed"}
    return *sorted(of_config.items(), key=str), *sorted(of_recipe.items(), key=str)


def _judged(cells, score, draws) -> Judged:
    values = _valued(cells, score)
    shares = [s for draw in draws if (s := _share([values[i] for i in draw])) is not None]
    low, high = np.quantile(shares, (0.025, 0.975))
    dead = sum(dies for cell in values for _, dies in cell)
    alive = sum(len(cell) for cell in values) - dead
    share = _share(values)
    assert share is not None  # `judge` has seen runs that die and runs that live
    return Judged(share, float(low), float(high), dead, alive)


def _share(values) -> float | None:
    flat = [pair for cell in values for pair in cell]
    dead = np.array([score for score, dies in flat if dies])
    alive = np.sort([score for score, dies in flat if not dies])
    if not len(dead) or not len(alive):
        return None
    below = np.searchsorted(alive, dead, "left")
    ties = np.searchsorted(alive, dead, "right") - below
    return float((below + ties / 2).sum() / (len(dead) * len(alive)))


@dataclass(frozen=True)
class Transfer:
    """A threshold that was chosen on some runs, and the share of runs that it sorts rightly there
    and elsewhere."""

    threshold: float
    fitted: float
    judged: float


def transfer(
    fitted: Iterable[Result],
    judged: Iterable[Result],
    scores: dict[str, Callable[[Result], float]] = SCORES,
) -> dict[str, Transfer]:
    """The threshold of each score that sorts the runs of `fitted` best, tried on `judged`. Right is
    the mean of the shares of the dead and of the living that are told."""
    first, second = (_sorted_out(results) for results in (fitted, judged))
    found = {}
    for name, score in scores.items():
        values = [(score(result), dies) for result, dies in first]
        places = sorted({value for value, _ in values})
        between = [(a * b) ** 0.5 if a > 0 else b / 2 for a, b in zip(places, places[1:])]
        best = max(between or places, key=lambda place: _right(values, place))
        there = [(score(result), dies) for result, dies in second]
        found[name] = Transfer(best, _right(values, best), _right(there, best))
    return found


def _sorted_out(results: Iterable[Result]) -> list[tuple[Result, bool]]:
    words = [(result, fate(result).word) for result in results]
    return [(result, word == "dies") for result, word in words if word in ("lives", "dies")]


def _right(values: list[tuple[float, bool]], place: float) -> float:
    dead = [value > place for value, dies in values if dies]
    alive = [value <= place for value, dies in values if not dies]
    shares = [sum(part) / len(part) for part in (dead, alive) if part]
    return sum(shares) / len(shares)


def recorded_runs(grid: Grid) -> list[Any]:
    """The runs of a recorded grid in the form that `judge` and `transfer` take."""
    found = []
    for cell in grid.cells:
        arguments = (("scale", cell.scale), ("width", cell.width))
        recipe = SimpleNamespace(lr=cell.rate)
        config = SimpleNamespace(arguments=arguments, recipe=recipe, change="")
        for run in cell.runs:
            found.append(
                SimpleNamespace(
                    config=config,
                    curves={"length": [run.length]},
                    maps=run.maps,
                    dead=run.ends,
                    status=run.status,
                )
            )
    return found
