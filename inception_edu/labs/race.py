"""The race lab: two networks of equal cost, one with residual connections and one without, train in
turns.

from inception_edu.labs.race import race_lab
lab = race_lab()                       # or race_lab("folder:PATH")
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from inception_edu.labs import link, race_known, race_state, takeaway
from inception_edu.labs.core import (
    Column,
    Control,
    Lab,
    Part,
    Refused,
    Row,
    Start,
    Tell,
    View,
    begun,
    say,
)
from inception_edu.labs.race_curves import chart_value, data_name, tracks
from inception_edu.labs.race_pairs import (
    CHOICE,
    NAMES,
    RUNNERS,
    TOWERS,
    configs,
    names,
)
from inception_edu.labs.race_pictures import pictures_html
from inception_edu.labs.race_state import (
    FIRST,
    FOLDER,
    RATES,
    SOURCES,
    STEPS,
    State,
    three,
    work,
)
from inception_edu.labs.race_words import verdict
from inception_edu.labs.tower_words import duration
from inception_edu.labs.training import WARM_UP
from inception_edu.study.racers import DEPTHS

if TYPE_CHECKING:
    from inception_edu.labs.host import NotebookLab


def link_to(state: State) -> str:
    """The line that opens the lab again."""
    settings = {k: v for k, v in state.settings.items() if k not in ("data", "folder")}
    given = {"data": state.source, "steps": state.steps}
    usual = {"data": "fashion", "steps": STEPS}
    return link.write("race_lab", settings | {k: v for k, v in given.items() if v != usual[k]})


def update(state: State, event):
    """What `race_state.update` does, and what is taken away."""
    wanted = isinstance(event, Tell) and isinstance(event.value, dict) and "take" in event.value
    if not wanted:
        return race_state.update(state, event)
    kind = event.value["take"]
    if kind == "link":
        return replace(state, code=link.code(link_to(state)))
    if kind == "code":
        last = state.races[-1].configs if state.races else None
        made = last or configs(state.settings, state.images, state.steps)
        told = zip(made, names((state.races[-1] if last else state).settings))
        code = (takeaway.code(config, f"{_of_code(state)}: {name}") for config, name in told)
        return replace(state, code="\n".join(code))
    data = ", ".join(dict.fromkeys(data_name(course) for course in state.races))
    title = f"The race, on {data}"
    taken = takeaway.file(kind, state.taken[0] + 1, tracks(state), chart_value(state), title)
    return replace(state, taken=taken)


def _of_code(state: State) -> str:
    """What *copy as code* is of."""
    return f"race {state.races[-1].name}" if state.races else "what is set"


# --- What is shown --------------------------------------------------------------------------------


def render(state: State) -> View:
    words, bad = verdict(state)
    made = controls(state)
    settings = [c.key for c in made if c.kind != "button"]
    ready = any(any(c.steps) for c in state.races)
    return View(
        controls=made,
        parts=(
            Part("pictures", pictures_html(state)),
            Part("curves", chart_value(state), "chart"),
            Part("take", takeaway.value(state, ready, _of_code(state)), "take"),
        ),
        status=words,
        alert=bad,
        layout=Column(
            "status",
            Row(
                Column(*settings, Row("retrain", "stop", "reset", "three"), width="215px"),
                Column("curves", "take", width="330px"),
                Column("pictures", width="270px"),
            ),
        ),
    )


def controls(state: State) -> tuple[Control, ...]:
    s, running = state.settings, state.running
    towers, free = s["pair"] == TOWERS, s["pair"] == CHOICE
    strip, along = race_known.strip(state, DEPTHS)
    made = [
        Control("pair", "list", "pair", s["pair"], options=(*NAMES, CHOICE)),
        Control("one", "list", "first", s["one"], options=tuple(RUNNERS), hidden=not free),
        Control("two", "list", "second", s["two"], options=tuple(RUNNERS), hidden=not free),
        Control(
            "depth",
            "steps",
            "depth",
            s["depth"],
            options=DEPTHS,
            disabled=not towers,
            strip=strip,
            note=along,
        ),
        Control("rate", "steps", "learning rate", s["rate"], options=RATES),
        Control("scale", "slider", "residual scale", s["scale"], low=0, high=1.5, step=0.05),
        Control("seed", "whole", "seed", s["seed"], low=0, high=9999),
        Control("data", "list", "images", s["data"], options=(*SOURCES, FOLDER)),
        Control(
            "folder",
            "text",
            "path",
            s["folder"],
            hidden=s["data"] != FOLDER,
            note="a folder with one subfolder of pictures a class",
        ),
    ]
    if running:
        noted = []
        for control in made:
            was = running.settings.get(control.key)
            if was != control.value and not control.hidden:
                control = replace(control, note=f"this race has {say(was)}")
            noted.append(control)
        made = noted
    return (*made, *_buttons(state))


def _buttons(state: State) -> tuple[Control, ...]:
    idle = state.running is None and state.ready and not state.ending
    seconds = _seconds(state)
    once = f" · about {duration(seconds)}" if seconds else ""
    thrice = f" · about {duration(3 * seconds)}" if seconds else ""
    reset = f"Forget {len(state.races)} races" if state.ask_reset else "Reset"
    untouched = not state.races and state.settings == state.first
    seeds = three(state)
    return (
        Control(
            "retrain",
            "button",
            f"Race{once}",
            disabled=not idle,
            look="primary",
            tip="Train both networks anew, a step of each in turn",
            starts=True,
        ),
        Control(
            "stop",
            "button",
            "Stop",
            disabled=state.running is None or state.stopping,
            tip="End the race after the step that it is in",
        ),
        Control(
            "reset",
            "button",
            reset,
            disabled=untouched,
            tip="Forget the races and put every setting back",
        ),
        Control(
            "three",
            "button",
            f"Three seeds{thrice}",
            disabled=not idle,
            tip=f"Race with seeds {', '.join(map(str, seeds))}, unless you press Stop",
            starts=True,
        ),
    )


def _seconds(state: State) -> float | None:
    if state.pace is None or not state.ready:
        return None
    made = configs(state.settings, state.images, state.steps)
    return state.factor * sum(state.pace(config) for config in made)


def stored(state: State) -> list:
    """The picture for a page without a kernel. It is made while the images are still being
    opened."""
    words = in_a_line(state)
    chart = chart_value(replace(state, pace=None))  # a reader of the picture has another machine
    return [takeaway.picture(chart, f"The race: {words}", f"The race. {words}")]


def in_a_line(state: State) -> str:
    if state.races:
        return verdict(state)[0].replace("\n", " ").strip()
    sides = " and ".join(names(state.settings))
    equal = "" if state.settings["pair"] == CHOICE else ", at equal cost"
    return f"{sides}{equal}. {race_known.words(state)}".strip()


# --- The lab --------------------------------------------------------------------------------------


def race_core(data: str = "fashion", steps: int = STEPS, **first) -> Lab:
    """The lab without widgets. Raises ValueError for a setting that it does not have."""
    settings = dict(FIRST)
    known = [source for _, source in SOURCES]
    if data in known:
        settings["data"] = data
    elif str(data).startswith("folder:"):
        settings |= {"data": FOLDER, "folder": str(data).removeprefix("folder:")}
    else:
        raise Refused(f"data is one of {', '.join(known)} or folder:PATH; got {data!r}.")
    start = State(settings, settings, steps)
    start = replace(start, opening=start.source)  # the host begins with it
    lab = Lab(
        "race-lab", "The race", start, update, render, stored, in_a_line, work,
        begin=(Start(WARM_UP, WARM_UP), Start("open", ("open", start.source))), link=link_to,
    )  # fmt: skip
    lab = begun(lab, **first)
    return replace(lab, start=replace(lab.start, first=dict(lab.start.settings)))


def race_lab(data: str = "fashion", steps: int = STEPS, mode: str = "auto", **first) -> NotebookLab:
    """Display the race between networks with and without residual connections, and return it.

    `data` is "fashion" (the embedded images), "scales" or "folder:PATH", `steps` the steps of each
    network. Further keywords are the controls' first values: pair (a key of `NAMES`, or `CHOICE`
    with one and two, keys of `RUNNERS`), depth (towers only), rate, scale, seed. In code, set
    `lab.depth = 16`, `lab.press("retrain")`, `lab.wait()`, and read `lab.state.races`. Raises
    ValueError for a setting that there is not.
    """
    from inception_edu.labs.host import NotebookLab

    lab = NotebookLab(race_core(data, steps, **first), mode)
    lab.show()
    return lab
