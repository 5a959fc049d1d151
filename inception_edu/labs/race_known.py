"""What is known before a race is run: the recorded races of the lab's first settings, at each of
its depths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby
from types import SimpleNamespace

from inception_edu.labs.race_pairs import NAMES, TOWERS, configs, names
from inception_edu.labs.race_state import State, margin, standing
from inception_edu.labs.story import percent
from inception_edu.labs.takeaway import RECORDED
from inception_edu.study.fates import MAJORITY
from inception_edu.study.results import Result, results_if_any

Sides = tuple[tuple[Result, ...], tuple[Result, ...]]
NOTHING: Sides = ((), ())
# What recorded races said along a slider: colours mean sides.
STANDING = {
    "behind": "#b84300",
    "open": "#8a8f98",
    "ahead": "#0068ab",
    "differs by seed": "repeating-linear-gradient(135deg,#8a8f98 0 3px,#0068ab 3px 6px)",
}


@lru_cache(maxsize=1)
def recorded() -> dict[int, Sides]:
    """By depth: the recorded runs of each side, the seeds in order; none where there is no file."""
    runs = results_if_any("lab_race")
    found = {}
    for depth in sorted({dict(run.config.arguments)["depth"] for run in runs}):
        plain, residual = (
            tuple(
                sorted(
                    (r for r in runs if r.label == f"{name}, depth {depth}"), key=lambda r: r.seed
                )
            )
            for name in NAMES[TOWERS]
        )
        found[depth] = plain, residual
    return found


def recorded_here(state: State) -> Sides:
    """The recorded runs of these very settings, whatever the seed; none for any others. The images
    need not be open yet."""
    sides = recorded().get(state.settings["depth"], NOTHING)
    if not all(sides):
        return NOTHING
    known = [replace(runs[0].config, seed=0, label="") for runs in sides]
    arguments = dict(known[0].arguments)
    images = SimpleNamespace(
        source=state.source, image=arguments["image"], classes=range(arguments["classes"])
    )
    made = configs({**state.settings, "seed": 0}, images, state.steps)
    return sides if [replace(config, label="") for config in made] == known else NOTHING


def wrong(result: Result) -> float | None:
    """Share of the test images that a run gets wrong."""
    return None if result.accuracy is None else 1 - result.accuracy


def nearest(state: State) -> str:
    """ "Recorded at rate 0.05, scale 0.3 only: without identity 24 to 33 %, …": where the lab knows
    the pair at other settings only."""
    sides = recorded().get(state.settings["depth"], NOTHING)
    if not all(sides) or not _known_pair(state):
        return ""
    return f"Recorded {_at(sides)} only: {_shares(state, sides)} wrong."


def _known_pair(state: State) -> bool:
    return state.settings["pair"] == TOWERS and state.source == "fashion"


def _at(sides: Sides) -> str:
    """ "at depth 4, rate 0.05, scale 0.3, 100 steps": the settings of recorded runs."""
    config = sides[1][0].config
    arguments = dict(config.arguments)
    at = f"at depth {arguments['depth']}, rate {config.recipe.lr:g}, scale {arguments['scale']:g}"
    return f"{at}, {config.recipe.steps} steps"


def strip(state: State, depths: Sequence[int]) -> tuple[str, str]:
    """(the strip under the slider of depths, what it says in words): how the residual side stood in
    the recorded races. It is pale where these had another rate, scale or number of steps."""
    there = {d: sides for d in depths if all(sides := recorded().get(d, NOTHING))}
    known = {d: _standings(sides) for d, sides in there.items()} if _known_pair(state) else {}
    exact = any(
        all(recorded_here(replace(state, settings={**state.settings, "depth": depth})))
        for depth in known
    )
    wide, stretches = 100 / (len(depths) - 1), []
    for depth, counts in known.items():
        place = depths.index(depth) * wide
        left, right = max(0, place - wide / 2.2), min(100, place + wide / 2.2)
        told = ", ".join(f"{word} in {n}" for word, n in counts.items())
        title = f"depth {depth}, of {sum(counts.values())} recorded seeds: {told}"
        stretches.append(
            f'<span title="{title}" style="position:absolute;left:{left:.1f}%;top:0;bottom:0;'
            f"width:{right - left:.1f}%;background:{STANDING[_word(counts)]};"
            f'opacity:{1 if exact else 0.5}"></span>'
        )
    html = (
        '<div class="ied-fates" style="position:relative;height:8px;margin:0 8px;'
        f'border-radius:2px">{"".join(stretches)}</div>'
    )
    return html, _along(known, exact)


def _standings(sides: Sides) -> Counter[str]:
    return Counter(standing(wrong(plain), wrong(residual)) for plain, residual in zip(*sides))


def _word(counts: Counter[str]) -> str:
    """The word that at least four of five seeds share."""
    word, count = counts.most_common(1)[0]
    return word if count >= MAJORITY * sum(counts.values()) else "differs by seed"


def _along(known: dict[int, Counter[str]], exact: bool) -> str:
    """ "recorded: + open 2–4 · ahead 6–24": + is the side with the identity."""
    if not known:
        return ""
    stretches = []
    for word, group in groupby(known, key=lambda depth: _word(known[depth])):
        ends = list(group)
        span = f"{ends[0]}" if len(ends) == 1 else f"{ends[0]}–{ends[-1]}"
        stretches.append(f"{word.removesuffix(' by seed')} {span}")
    where = "" if exact else " with other settings"
    return f"recorded{where}: + {' · '.join(stretches)}"


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
                    "dash": RECORDED,
                    "faded": False,
                    "hidden": False,
                    "pinned": False,
                    "fixed": True,
                    "series": {"error": [list(run.curves["step"]), error]}
                    | _against_time(state, run, error),
                }
            )
    return found


def _against_time(state: State, run: Result, error: list[float]) -> dict:
    if state.pace is None or state.races:  # measured seconds are there, or will be
        return {}
    seconds = state.factor * state.pace(run.config) / run.config.recipe.steps
    return {"own": [[seconds * step for step in run.curves["step"]], error]}


def words(state: State) -> str:
    """ "Recorded, 5 seeds: without identity 27 to 33 % of 500 test images wrong, …"; what is known
    of the pair at other settings, where these are not recorded."""
    sides = recorded_here(state)
    if not all(sides):
        return nearest(state)
    counts = _standings(sides)
    return (
        f"Recorded, {len(sides[0])} seeds: {_shares(state, sides)} of {sides[0][0].data['test']} "
        f"test images wrong; with identity ahead in {counts['ahead']}, behind in "
        f"{counts['behind']}, open in {counts['open']} (less than {100 * margin():g} points apart)."
    )


def _shares(state: State, sides: Sides) -> str:
    told = []
    for name, runs in zip(names(state.settings), sides):
        shares = [100 * share for r in runs if (share := wrong(r)) is not None]
        told.append(f"{name} {min(shares):.0f} to {max(shares):.0f} %" if shares else f"{name} all")
    return ", ".join(told)
