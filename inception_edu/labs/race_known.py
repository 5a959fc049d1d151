"""What is known before a race is run: the recorded races of the lab's first settings."""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace

from inception_edu.labs.race_pairs import NAMES, TOWERS, configs, names
from inception_edu.labs.race_state import State
from inception_edu.labs.story import percent
from inception_edu.study.config import ExperimentError
from inception_edu.study.results import Result, load_results

Sides = tuple[tuple[Result, ...], tuple[Result, ...]]


@lru_cache(maxsize=1)
def recorded() -> Sides:
    """The recorded runs by side, the seeds in order; none where there is no file."""
    try:
        runs = load_results("lab_race")
    except ExperimentError:
        return (), ()
    plain, residual = (
        tuple(sorted((r for r in runs if r.label == name), key=lambda r: r.seed))
        for name in NAMES[TOWERS]
    )
    return plain, residual


def recorded_here(state: State) -> Sides:
    """The recorded runs of these very settings, whatever the seed; none for any others. The images
    need not be open yet."""
    if not all(recorded()):
        return (), ()
    known = tuple(runs[0].config.with_seed(0) for runs in recorded())
    arguments = dict(known[0].arguments)
    images = SimpleNamespace(
        source=state.source, image=arguments["image"], classes=range(arguments["classes"])
    )
    made = configs({**state.settings, "seed": 0}, images, state.steps)
    return recorded() if made == known else ((), ())


def wrong(result: Result) -> float | None:
    """Share of the test images that a run gets wrong."""
    return None if result.accuracy is None else 1 - result.accuracy


def nearest(state: State) -> str:
    """ "Recorded at depth 4, rate 0.05, scale 0.3: without identity 35 to 51 %, …": where the lab
    knows the pair at other settings only."""
    if not all(recorded()) or state.settings["pair"] != TOWERS or state.source != "fashion":
        return ""
    known = recorded()[1][0].config
    arguments = dict(known.arguments)
    at = f"depth {arguments['depth']}, rate {known.recipe.lr:g}, scale {arguments['scale']:g}"
    return f"Recorded at {at} only: {_shares(state, recorded())} wrong."


def bands(sides: Sides) -> list[dict]:
    """All recorded seeds of a side as a band, for `web/chart.js`. Against steps alone: the seconds
    are another machine's."""
    found = []
    for side, runs in enumerate(sides):
        if len(runs) > 1:
            columns = list(zip(*([1 - a for a in r.curves["accuracy"]] for r in runs)))
            found.append(
                {
                    "panel": "error",
                    "x": runs[0].curves["step"],
                    "low": [min(column) for column in columns],
                    "high": [max(column) for column in columns],
                    "colour": side,
                }
            )
    return found


def curves(state: State, sides: Sides) -> list[dict]:
    """One recorded seed of each side as a curve: the one that is set, else the first. Against the
    seconds that its steps will take here, once this machine was measured."""
    found = []
    for side, runs in enumerate(sides):
        for run in [r for r in runs if r.seed == state.settings["seed"]][:1] or runs[:1]:
            name = names(state.settings)[side]
            error = [1 - a for a in run.curves["accuracy"]]
            share = wrong(run)
            end = "" if share is None else f" · {percent(share)} of the test wrong"
            found.append(
                {
                    "id": -1 - side,
                    "name": f"rec{'+' if side else '−'}",
                    "words": f"recorded · {name} · seed {run.seed}{end}",
                    "colour": side,
                    "faded": bool(state.races),
                    "hidden": False,
                    "pinned": False,
                    "fixed": True,
                    "series": {"error": [list(run.curves["step"]), error]}
                    | _against_time(state, run, error),
                }
            )
    return found


def _against_time(state: State, run: Result, error: list[float]) -> dict:
    if state.pace is None:
        return {}
    seconds = state.factor * state.pace(run.config) / run.config.recipe.steps
    return {"own": [[seconds * step for step in run.curves["step"]], error]}


def words(state: State) -> str:
    """ "Recorded, 5 seeds: without identity 27 to 33 % of 500 test images wrong, …"; what is known
    of the pair at other settings, where these are not recorded."""
    sides = recorded_here(state)
    if not all(sides):
        return nearest(state)
    return (
        f"Recorded, {len(sides[0])} seeds: {_shares(state, sides)} of {sides[0][0].data['test']} "
        "test images wrong."
    )


def _shares(state: State, sides: Sides) -> str:
    told = []
    for name, runs in zip(names(state.settings), sides):
        shares = [100 * share for r in runs if (share := wrong(r)) is not None]
        told.append(f"{name} {min(shares):.0f} to {max(shares):.0f} %")
    return ", ".join(told)
