"""The controls of a lab on towers, with strips that say what recorded runs did along them."""

from __future__ import annotations

from dataclasses import replace
from html import escape

from inception_edu.labs.core import Control, say
from inception_edu.labs.tower_known import Look
from inception_edu.labs.tower_words import duration
from inception_edu.labs.training import NO_BET, State
from inception_edu.study.recorded import recorded_grid

WORDS = ("dies", "suffers", "lives")
FATES = {  # colour of a stretch of a strip
    "lives": "#2f9e77",
    "suffers": "#d8a520",
    "dies": "#b84300",
    "diverges": "#b84300",
    "differs by seed": "repeating-linear-gradient(135deg,#d8a520 0 3px,#b84300 3px 6px)",
}


def strip_html(axis: str, state: State, look: Look, control: Control) -> tuple[str, str]:
    """(the strip under a slider, what it says in words): what recorded runs did along it."""
    place = look.grid(state.settings)
    empty = '<div class="ied-fates" style="height:8px"></div>'
    if place is None:
        return empty, ""
    width, scale, rate = place
    others = {"width": width, "scale": scale, "rate": rate}
    others.pop(axis)
    found = [entry for entry in recorded_grid().strip(axis, **others) if entry["word"] in FATES]
    known = {entry["value"]: entry for entry in found}
    stretches = []
    for left, right, value in _stretches(control, axis):
        entry = known.get(value)
        if entry is None:
            continue
        title = escape(f"{axis} {say(value)}: {entry['sentence']}", quote=True)
        stretches.append(
            f'<span title="{title}" style="position:absolute;left:{left:.1f}%;top:0;bottom:0;'
            f'width:{right - left:.1f}%;background:{FATES[entry["word"]]}"></span>'
        )
    html = (
        '<div class="ied-fates" style="position:relative;height:8px;margin:0 8px;border-radius:2px;'
        f'overflow:hidden;background:var(--ied-grid)">{"".join(stretches)}</div>'
    )
    return html, _along(found, others)


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


def _along(found: list[dict], others: dict) -> str:
    """ "recorded: lives to 0.3, dies from 0.5" """
    if not found:
        return "not recorded"
    words = [entry["word"] for entry in found]
    if len(words) == 1:
        return f"recorded at {say(found[0]['value'])} only: {words[0]}"
    if len(set(words)) == 1:
        return f"recorded: {words[0]} all along"
    first, last = words[0], words[-1]
    end = 0
    while end + 1 < len(words) and words[end + 1] == first:
        end += 1
    start = len(words) - 1
    while start and words[start - 1] == last:
        start -= 1
    told = f"recorded: {first} to {say(found[end]['value'])}"
    return f"{told}, {last} from {say(found[start]['value'])}"


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
    tally = f"so far: right {right} of {len(state.bets)}" if state.bets else ""
    made.append(
        Control(
            "bet",
            "pick",
            "your bet",
            state.bet,
            options=(*WORDS, NO_BET),
            disabled=running is not None,
            note=tally,
        )
    )
    return (*made, *_buttons(state))


def _buttons(state: State) -> tuple[Control, ...]:
    running = state.running is not None
    seconds = state.seconds
    time = f" · {duration(seconds)}" if seconds else ""
    five = f" · {duration(5 * seconds)}" if seconds else ""
    untouched = not state.tracks and state.settings == state.first
    count = len(state.tracks)
    reset = f"Forget {count} runs" if state.ask_reset else "Reset"
    return (
        Control(
            "retrain",
            "button",
            f"Retrain{time}",
            disabled=running,
            look="primary",
            tip="Train a new network with these settings",
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
            f"Five seeds{five}",
            disabled=running,
            tip="Train seeds 0 to 4 with these settings: a band and an interval",
        ),
    )
