"""The curves of the race lab: in the page, as CSV, as a figure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath

from inception_edu.labs import race_known
from inception_edu.labs.core import say
from inception_edu.labs.race_pairs import TOWERS, names
from inception_edu.labs.race_state import PANELS, Course, State
from inception_edu.labs.story import percent
from inception_edu.labs.takeaway import dash
from inception_edu.labs.training import Track


def chart_value(state: State) -> dict:
    """Curves by side: the colour is the side's, the number the race's. Behind them what recorded
    races of these settings did."""
    seen = replace(state, settings=state.in_view)
    known = race_known.recorded_here(seen)
    runs = [] if state.raced else race_known.curves(seen, known)
    for course in state.races:
        for side, name in enumerate(names(course.settings)):
            runs.append(_run(state, course, side, name))
    steps = max([state.steps, *(c.configs[0].recipe.steps for c in state.races)])
    foretold = any("own" in run["series"] for run in runs if run["fixed"])
    own = "seconds foretold for this machine" if foretold else ""
    if not state.races and not foretold:
        own = "empty until the first race"
    return {
        "panels": [p | {"unit": own} if own and p["key"] == "own" else p for p in PANELS],
        "runs": runs,
        "bands": race_known.bands(known),
        "x": {"label": "step", "max": steps},
        "height": 130,
        "loose": True,
    }


def _run(state: State, course: Course, side: int, name: str) -> dict:
    last = course is state.races[-1]
    words = [name, *(f"{key} {say(course.settings[key])}" for key in _keys(state, course))]
    if len({c.configs[0].data for c in state.races}) > 1:
        words.insert(1, f"on {data_name(course)}")
    wrong = course.wrong[side]
    if wrong is not None:
        words.append(f"{percent(wrong)} of the test wrong")
    points = list(course.steps[side]), list(course.errors[side])
    own = list(course.seconds[side]), list(course.errors[side])
    return {
        "id": 2 * course.number + side,
        "name": f"{course.name}{'+' if side else '−'}",
        "words": " · ".join(words),
        "colour": side,
        "dash": dash(course.number, 1, last, not course.pinned),
        "faded": not last and not course.pinned,
        "hidden": course.hidden,
        "pinned": course.pinned,
        "fixed": False,
        "running": course.status == "running",
        "series": {} if course.hidden else {"error": list(points), "own": list(own)},
    }


def data_name(course: Course) -> str:
    """As the images call themselves: "fashion", "folder:garden"."""
    kind, _, path = course.configs[0].data.partition(":")
    return f"{kind}:{PurePath(path).name}" if path else kind


def _keys(state: State, course: Course) -> list[str]:
    """The settings in which the races that are shown differ; the seed always."""
    towers = course.settings["pair"] == TOWERS
    found = []
    for key in ("depth", "rate", "scale") if towers else ("rate", "scale"):
        if any(c.settings[key] != course.settings[key] for c in state.races):
            found.append(key)
    return [*found, "seed"]


def tracks(state: State):
    found = []
    for course in state.races:
        for side, name in enumerate(names(course.settings)):
            curves = {"training_error": course.errors[side], "seconds": course.seconds[side]}
            settings = {**course.settings, "data": course.configs[0].data}
            if settings["pair"] != TOWERS:
                settings["depth"] = ""
            settings |= {"side": name, "test_error": course.wrong[side]}
            for key in ("folder", "one", "two"):  # in `data`, and in `side`
                del settings[key]
            found.append(
                Track(course.number, settings, None, course.name, course.steps[side], curves)
            )
    return found
