"""What a reader typed, as a value of a control; or a refusal with its reason."""

from __future__ import annotations

import math

from inception_edu.labs.view import Control, Refused, say


def number(typed, label: str = "value") -> float:
    """A number out of a number or a text; "0,5" is a half. Raises `Refused`."""
    if isinstance(typed, bool):
        raise Refused(f"{label} is a number; got {typed}.")
    if isinstance(typed, (int, float)):
        value = float(typed)
    else:
        text = str(typed).strip()
        if text.count(",") == 1 and "." not in text:
            text = text.replace(",", ".")
        try:
            value = float(text)
        except ValueError:
            raise Refused(f"{label} is a number; “{typed}” cannot be read as one.") from None
    if not math.isfinite(value):
        raise Refused(f"{label} is a finite number; got {typed}.")
    return value


def read(control: Control, typed):
    """`typed` as a value of the control. Raises `Refused` with the reason; nothing is changed
    silently."""
    label = control.said
    if control.kind in ("slider", "whole"):
        value = number(typed, label)
        if not control.low <= value <= control.high:
            raise Refused(
                f"{label} goes from {say(control.low)} to {say(control.high)}; "
                f"{say(typed)} is outside."
            )
        whole = control.whole or control.kind == "whole"
        if whole and value != int(value):
            raise Refused(f"{label} is a whole number; {say(typed)} is not.")
        steps = (value - control.low) / control.step
        if control.kind == "slider" and abs(steps - round(steps)) > 1e-6:
            # A slider in a page moves to its nearest step by itself, without a word.
            near = round(control.low + round(steps) * control.step, 10)
            raise Refused(
                f"{label} goes in steps of {say(control.step)}; {say(typed)} is none: the nearest "
                f"is {say(near)}."
            )
        return int(value) if whole else value
    if control.kind in ("steps", "list", "pick"):
        return _read_choice(control, typed)
    if control.kind == "check":
        if not isinstance(typed, bool):
            raise Refused(f"{label} is on or off: True or False, not {typed!r}.")
        return typed
    if control.kind == "text":
        return str(typed)
    raise Refused(f"{label} is a button: it is pressed, not set.")


def _read_choice(control: Control, typed):
    for words, value in control.choices:
        if typed is value or (type(typed) is type(value) and typed == value) or typed == words:
            return value
    numbers = [v for _, v in control.choices if isinstance(v, (int, float))]
    if len(numbers) == len(control.choices):
        wanted = number(typed, control.said)
        for value in numbers:
            if math.isclose(value, wanted, rel_tol=1e-9):
                return value
    there = ", ".join(words for words, _ in control.choices)
    raise Refused(f"{control.said} is one of {there}; got “{say(typed)}”.")
