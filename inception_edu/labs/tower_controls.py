"""The controls of a lab on towers, with strips that say what recorded runs did along them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from html import escape
from itertools import groupby

from inception_edu.labs.core import Control, say
from inception_edu.labs.tower_known import FATE_COLOURS, Look, place_of
from inception_edu.labs.tower_words import duration
from inception_edu.labs.training import BETS, NO_BET, State, differing, five
from inception_edu.study.fates import DIES_FROM, LIVES_BELOW, Fate, fate_of_cell
from inception_edu.study.recorded import AXES, recorded_grid

FATES = {  # colour of a stretch of a strip
    **FATE_COLOURS,
    "diverges": FATE_COLOURS["dies"],
    "differs by seed": "repeating-linear-gradient(135deg,#d8a520 0 3px,#b84300 3px 6px)",
}


def fate_key() -> str:
    """What the colours of the strips mean; of the words, how much of the worst block is dead."""
    shown = {**FATES, "not tried": "var(--ied-grid)"}
    shown.pop("diverges")
    means = {
        "lives": f" (&lt; {100 * LIVES_BELOW:.0f} % dead)",
        "dies": f" (≥ {100 * DIES_FROM:.0f} %)",
    }
    keys = "".join(
        f'<span><i style="background:{colour}"></i>{word.removesuffix(" by seed")}'
        f"{means.get(word, '')}</span>"
        for word, colour in shown.items()
    )
    return f'<div class="ied-fate-key"><span>recorded:</span>{keys}</div>'


def strip_html(axis: str, state: State, look: Look, control: Control) -> tuple[str, str]:
    """(the strip under a slider, what it says in words): what recorded runs did along it, and as
    dots what the reader's own did."""
    place, left_out = place_of(state.settings, look)
    stretches, words = [], ""
    if place is not None:
        others = dict(zip(AXES, place))
        others.pop(axis)
        near = recorded_grid().beside(**others)
        found = recorded_grid().strip(axis, **others) if len(near) == len(others) else []
        found = [entry for entry in found if entry["word"] in FATES]
        known = {entry["value"]: entry for entry in found}
        moved = ", ".join(f"{k} {say(v)}" for k, v in near.items() if v != others[k])
        elsewhere = ", ".join(filter(None, [left_out, moved and f"at {moved}"]))
        words = _along(found, elsewhere, recorded_grid().axes[axis])
        for left, right, value in _stretches(control, axis):
            if value in known:
                at = f" {elsewhere}" if elsewhere else ""
                title = escape(f"{axis} {say(value)}{at}: {known[value]['sentence']}", quote=True)
                stretches.append(
                    f'<span title="{title}" style="position:absolute;left:{left:.1f}%;top:0;'
                    f"bottom:0;width:{right - left:.1f}%;background:{FATES[known[value]['word']]};"
                    f'opacity:{0.5 if elsewhere else 1}"></span>'
                )
    ground = "background:var(--ied-grid);" if place is not None else ""
    html = (
        '<div class="ied-fates" style="position:relative;height:8px;margin:0 8px;border-radius:2px;'
        f'{ground}">{"".join(stretches)}{"".join(_own(axis, state, control))}</div>'
    )
    return html, words


def _own(axis: str, state: State, control: Control) -> list[str]:
    """A dot for each value at which the reader ran what is set now: seeds of one value are one
    dot, by the rule for several seeds."""
    runs: dict[float, list[Fate]] = {}
    for track in state.tracks:
        if track.fate and set(differing(track.settings, state.settings)) <= {axis, "seed"}:
            runs.setdefault(track.settings[axis], []).append(track.fate)
    dots = []
    for value, fates in runs.items():
        told = fate_of_cell(fates)
        count = "1 run" if len(fates) == 1 else f"{len(fates)} runs"
        words = escape(f"your {count} at {axis} {say(value)}: {told.word}", quote=True)
        dots.append(
            f'<span class="ied-own" title="{words}" style="position:absolute;'
            f"left:calc({_spot(control, value):.1f}% - 5px);top:-1px;width:6px;height:6px;"
            f"border-radius:50%;border:2px solid var(--ied-ink);"
            f'background:{FATES.get(told.word, "var(--ied-grid)")}"></span>'
        )
    return dots


def _spot(control: Control, value) -> float:
    """Where a value stands along a slider, in percent."""
    if control.kind == "steps":
        options = [option for _, option in control.choices]
        return 100 * options.index(value) / max(1, len(options) - 1)
    return 100 * (value - control.low) / (control.high - control.low)


def _stretches(control: Control, axis: str) -> list[tuple[float, float, float]]:
    """(left, right, value): the stretch of the slider, in percent, for each recorded value."""
    values = recorded_grid().axes[axis]
    if control.kind == "steps":
        options = [value for _, value in control.choices]
        wide = 100 / max(1, len(options) - 1)
        places = [(options.index(v) * wide, v) for v in values if v in options]
        return [(max(0, p - wide / 2.2), min(100, p + wide / 2.2), v) for p, v in places]
    span = control.high - control.low
    places = [(100 * (v - control.low) / span, v) for v in values]
    found = []
    for i, (place, value) in enumerate(places):
        left = (places[i - 1][0] + place) / 2 if i else 0
        right = (place + places[i + 1][0]) / 2 if i + 1 < len(places) else min(100, place + 5)
        found.append((left + 0.3, right - 0.3, value))
    return found


def _along(found: list[dict], elsewhere: str, values: Iterable[float]) -> str:
    """ "lives 0–0.3 · dies 0.5 · not tried 0.7–1" of the recorded `values`; "at width 144: …" where
    the strip is not of the very settings."""
    if not found:
        return "not tried near these settings"
    words = {entry["value"]: entry["word"] for entry in found}
    stretches = []
    for word, group in groupby(values, key=lambda value: words.get(value, "not tried")):
        ends = [say(value) for value in group]
        span = ends[0] if len(ends) == 1 else f"{ends[0]}–{ends[-1]}"
        stretches.append(f"{word.removesuffix(' by seed')} {span}")
    return f"{f'{elsewhere}: ' if elsewhere else ''}{' · '.join(stretches)}"


def controls(state: State, look: Look) -> tuple[Control, ...]:
    """The settings with strips and notes, the bet, the buttons."""
    made = []
    running = state.running
    for control in look.settings(state):
        note = ""
        if control.kind in ("slider", "steps") and control.key in ("width", "scale", "rate"):
            strip, note = strip_html(control.key, state, look, control)
            control = replace(control, strip=strip)
        if running and running.settings.get(control.key) != control.value:
            note = f"for the next run; this one has {say(running.settings.get(control.key))}"
        made.append(replace(control, note=note))
    right = sum(state.bets)
    tally = f" · right so far: {right} of {len(state.bets)}" if state.bets else ""
    made.append(
        Control(
            "bet",
            "pick",
            f"your bet{tally}",
            state.bet,
            options=(*BETS, NO_BET),
            disabled=running is not None,
            name="your bet",
        )
    )
    return (*made, *_buttons(state))


def _buttons(state: State) -> tuple[Control, ...]:
    running = state.running is not None
    busy = running or state.ending
    seconds = state.seconds
    time = f" · about {duration(seconds)}" if seconds else ""
    five_times = f" · about {duration(5 * seconds)}" if seconds else ""
    seeds = five(state.settings["seed"])
    untouched = not state.tracks and state.settings == state.first
    count = len(state.tracks)
    reset = f"Forget {count}?" if state.ask_reset else "Reset"
    return (
        Control(
            "retrain",
            "button",
            f"Retrain{time}",
            disabled=busy,
            look="primary",
            tip="Train a new network with these settings",
            starts=True,
        ),
        Control(
            "stop",
            "button",
            "Stop",
            disabled=not running or state.stopping,
            tip="End the run after the step that it is in",
        ),
        Control(
            "reset",
            "button",
            reset,
            disabled=untouched,
            tip="Forget the runs and put every setting back",
        ),
        Control(
            "five",
            "button",
            f"Five seeds{five_times}",
            disabled=busy,
            tip=f"Train seeds {seeds[0]} to {seeds[-1]} with these settings: a verdict",
            starts=True,
        ),
    )
