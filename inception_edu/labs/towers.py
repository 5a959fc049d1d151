"""Labs on towers: verdict on top; controls, two towers in step, and curves side by side.

The labs themselves (`scaling.py`, `dying.py`) say which settings and curves they have; what happens
is in `training.py`, what is shown in `tower_known`, `tower_words`, `tower_controls` and
`tower_curves`. Everything here is a pure function of the state.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from inception_edu.labs import link, takeaway, training
from inception_edu.labs.core import Column, Lab, Part, Row, Start, Tell, View, begun
from inception_edu.labs.tower_controls import controls, fate_key
from inception_edu.labs.tower_curves import chart_value, player_value
from inception_edu.labs.tower_known import Look, forecast_html, place_of
from inception_edu.labs.tower_words import settings_words, verdict
from inception_edu.labs.training import WARM_UP, State, work

GUESSING = math.log(10)


def make(name: str, title: str, look: Look, settings: dict, first: dict, make: Callable) -> Lab:
    """A lab on towers: `settings` are its usual first ones, `first` what a reader wants in their
    place; `make` turns settings into a configuration. Raises `Refused` for what it does not
    have."""
    start = State(settings=dict(settings), first=dict(settings), make=make)
    lab = Lab(
        name,
        title,
        start,
        partial(update, look=look, name=name.replace("-", "_")),
        partial(render, look=look),
        partial(stored, look=look, title=title),
        partial(in_a_line, look=look),
        work,
        begin=(Start(WARM_UP, WARM_UP),),
        link=partial(link_to, name=name.replace("-", "_")),
    )
    lab = begun(lab, **first)
    return replace(lab, start=replace(lab.start, first=dict(lab.start.settings)))


def link_to(state: State, name: str) -> str:
    """The line that opens the lab again; images and steps stand in it where they are not the usual
    ones."""
    config = state.config
    given = {"data": config.data, "steps": config.recipe.steps}
    usual = {"data": "fashion", "steps": 60}
    return link.write(name, state.settings | {k: v for k, v in given.items() if v != usual[k]})


def update(state: State, event, look: Look, name: str):
    """What `training.update` does, and what is taken away."""
    if isinstance(event, Tell) and isinstance(event.value, dict) and "take" in event.value:
        kind = event.value["take"]
        if kind == "link":
            return replace(state, code=link.code(link_to(state, name)))
        if kind == "code":
            last = state.last
            of = f"{_of_code(state)}: {settings_words((last or state).settings)}"
            code = takeaway.code(last.config if last else state.config, of)
            return replace(state, code=code)
        chart = chart_value(state, look)
        taken = takeaway.file(kind, state.taken[0] + 1, list(state.tracks), chart)
        return replace(state, taken=taken)
    return training.update(state, event)


def _of_code(state: State) -> str:
    """What *copy as code* is of."""
    return f"run {state.last.name}" if state.last else "what is set"


def _taken(state: State) -> dict:
    return takeaway.value(state, any(t.steps for t in state.tracks), _of_code(state))


def stored(state: State, look: Look, title: str) -> list:
    """The picture for a page without a kernel: the same chart."""
    words = verdict(state, look)[0].replace("\n", " ")
    said = f"{title}. {settings_words(state.settings)}. {words}"
    return [takeaway.picture(chart_value(state, look), f"{title}: {words}", said)]


def in_a_line(state: State, look: Look) -> str:
    return f"{settings_words(state.settings)}. {verdict(state, look)[0]}".replace("\n", " ")


def render(state: State, look: Look) -> View:
    """The lab: verdict on top; controls, towers and curves side by side."""
    words, bad = verdict(state, look)
    made = controls(state, look)
    settings = [c.key for c in made if c.kind != "button"]
    settings.insert(settings.index("rate") + 1, "key")
    return View(
        controls=made,
        parts=(
            Part("key", fate_key(), hidden=place_of(state.settings, look)[0] is None),
            Part("forecast", forecast_html(state, look)),
            Part("player", player_value(state, look), "player", "the towers, step by step"),
            Part("curves", chart_value(state, look), "chart"),
            Part("take", _taken(state), "take"),
        ),
        status=words,
        alert=bad,
        layout=Column(
            "status",
            Row(
                Column(*settings, Row("retrain", "stop", "five", "reset"), width="200px"),
                Column("player", "forecast", width="290px"),
                Column("curves", "take", width="328px"),
            ),
        ),
    )
