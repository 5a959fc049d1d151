"""Tables of chapter 09: how well a number tells, before the training, which runs die."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from inception_edu.describe.tables import Table, table

COMPARED = ("rate × ‖a‖²", "width × rate × scale²")


def predictors(here: Sequence[Any], elsewhere: Sequence[Any]) -> Table:
    """A row a predictor: how it orders the runs of both places, and how the threshold that is best
    on the runs of `here` sorts those of `elsewhere`."""
    from inception_edu.study import judge, transfer

    first, second, moved = judge(here), judge(elsewhere), transfer(here, elsewhere)
    rows = []
    for name, found in first.items():
        ordered = [f"{f.share:.0%} ({f.low:.0%} to {f.high:.0%})" for f in (found, second[name])]
        rows.append((name, *ordered, f"{moved[name].judged:.0%}"))
    one, other = next(iter(first.values())), next(iter(second.values()))
    return table(
        rows,
        ["predictor", "orders here", "orders elsewhere", "its threshold sorts, elsewhere"],
        caption=f"{one.dead} dead and {one.alive} living runs here, {other.dead} and "
        f"{other.alive} elsewhere",
    )


def predictors_changed(here: Sequence[Any], changed: Sequence[Any]) -> Table:
    """A row for each thing that is changed in the runs of `changed`: how many die and live, and how
    the thresholds that are best on the runs of `here` sort them."""
    from inception_edu.study import ELSEWHERE, fate, transfer

    rows = []
    for what in ELSEWHERE:
        runs = [run for run in changed if run.label.startswith(f"{what},")]
        words, moved = [fate(run).word for run in runs], transfer(here, runs)
        told = [f"{moved[name].judged:.0%}" for name in COMPARED]
        rows.append((what, words.count("dies"), words.count("lives"), *told))
    return table(
        rows,
        ["changed", "die", "live", *(f"{name} sorts" for name in COMPARED)],
        caption="the thresholds that are best on the runs of Experiment 1",
    )
