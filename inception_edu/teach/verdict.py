"""What a check says about an answer, and the fence between the student's code and the author's.

A check never raises because of an answer: whatever a student's code does becomes a `Verdict`. An
error in the author's part (a reference, a twin of a typical mistake) is not the student's fault and
is raised as it is. `student_code` marks the places where the student's code runs. No torch.
"""

from __future__ import annotations

import functools
import linecache
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

MOST = 4  # faults that are listed one by one
STUB = "Replace the `...` by your answer and run both cells again."


@dataclass(frozen=True)
class Verdict:
    """What a check found. True in an `if` when the answer is right.

    state: "right", "wrong" or "unsolved". message: one or more plain sentences; `faults` are the
    same findings one by one. diagnosed: the message names the mistake; False where it only says
    that the answer is wrong, or shows a case in which it is.
    """

    state: str
    message: str
    name: str = ""
    faults: tuple[str, ...] = field(default=())
    diagnosed: bool = True

    @property
    def ok(self) -> bool:
        """Whether the answer is right."""
        return self.state == "right"

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        mark = {"right": "✓", "wrong": "✗", "unsolved": "…"}[self.state]
        return f"{mark} {self.name + ': ' if self.name else ''}{self.message}"

    def _repr_html_(self) -> str:
        mark, word, colour = {
            "right": ("✓", "Right", "#00704a"),
            "wrong": ("✗", "Not yet", "#b3400a"),
            "unsolved": ("…", "Not solved yet", "#5a5a5a"),
        }[self.state]
        body = f"<span>{as_html(self.message)}</span>"
        if len(self.faults) > 1:
            items = "".join(f"<li>{as_html(fault)}</li>" for fault in self.faults)
            body = f"<ul style='margin:4px 0 0;padding-left:20px'>{items}</ul>"
        name = f" · {escape(self.name)}" if self.name else ""
        style = (
            "background:var(--jp-layout-color1,#fff);color:var(--jp-content-font-color1,#222);"
            f"border:1px solid var(--jp-border-color2,#d0d0d0);border-left:6px solid {colour};"
            "border-radius:6px;padding:8px 12px;line-height:1.45;max-width:820px"
        )
        return (
            f"<div class='ied-verdict ied-{self.state}' role='status' style='{style}'>"
            f"<b style='color:{_on_either(colour)}'>{mark} {word}{name}</b><br>{body}</div>"
        )


def _on_either(colour: str) -> str:
    """The colour, moved towards that of the text: readable in a light theme and in a dark one."""
    return f"color-mix(in srgb, {colour} 60%, var(--jp-content-font-color1,#222))"


def as_html(text: str) -> str:
    """A sentence as HTML; what stands between `backticks` is code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


class Unsolved(Exception):
    """The answer is still a stub."""


class Wrong(Exception):
    """The answer cannot be checked further; the text is the fault."""


class StudentError(Exception):
    """The student's code stopped with `error`."""

    def __init__(self, error: BaseException):
        super().__init__(str(error))
        self.error = error


@contextmanager
def student_code() -> Iterator[None]:
    """What an answer raises in here is the answer's fault: `checked` makes a verdict of it."""
    try:
        yield
    except (Unsolved, Wrong, StudentError):
        raise
    except (Exception, SystemExit) as error:
        raise StudentError(error) from error


def right(message: str) -> Verdict:
    return Verdict("right", message)


def wrong(*faults: str, diagnosed: bool = True) -> Verdict:
    """At most four faults in words, and how many more there are."""
    shown = faults[:MOST]
    rest = len(faults) - len(shown)
    more = (f"And {rest} more difference{'s' if rest > 1 else ''}.",) if rest else ()
    texts = (*shown, *more)
    return Verdict("wrong", " ".join(texts), faults=texts, diagnosed=diagnosed)


def unsolved(message: str = STUB) -> Verdict:
    return Verdict("unsolved", message)


def checked(function: Callable[..., Verdict]) -> Callable[..., Verdict]:
    """A check: a missing answer is unsolved, an error in the student's code is a wrong answer, and
    `name=` puts the exercise's name on the verdict. An error elsewhere is the author's: it is
    raised."""

    @functools.wraps(function)
    def check(answer: Any, *args: Any, name: str = "", **kwargs: Any) -> Verdict:
        try:
            if missing(answer):
                raise Unsolved
            verdict = function(answer, *args, **kwargs)
        except Unsolved as reason:
            verdict = unsolved(str(reason) or STUB)
        except Wrong as fault:
            verdict = wrong(str(fault))
        except StudentError as stopped:
            verdict = wrong(f"Your answer stopped with {in_words(stopped.error)}")
        return replace(verdict, name=name)

    return check


def in_words(error: BaseException) -> str:
    """An exception in one line, with the line of a notebook's cell in which it was raised."""
    text = " ".join(str(error).split())
    said = f"{type(error).__name__}: {text[:300]}" if text else f"{type(error).__name__}."
    line = _line_of_a_cell(error)
    return f"{said} (line: `{line}`)" if line else said


def _line_of_a_cell(error: BaseException) -> str:
    """The last line of the student's own cells on the way to the error; "" where there is none."""
    found = ""
    for frame, number in traceback.walk_tb(error.__traceback__):
        file = frame.f_code.co_filename
        if "ipykernel_" in file or file.startswith("<ipython-input"):
            found = linecache.getline(file, number).strip()
    return found[:100]


def missing(value: Any) -> bool:
    """Whether an answer, or a part of a tuple or list, is still `...` or None."""
    if value is None or value is Ellipsis or value is NotImplemented:
        return True
    if not isinstance(value, (tuple, list)):
        return False
    return any(part is Ellipsis or part is None for part in value)


def short(value: Any) -> str:
    """A value as Python shows it, in at most 80 characters."""
    named = getattr(value, "name", None) if hasattr(value, "blocks") else None
    with student_code():
        text = f"network {named}" if named else " ".join(repr(value).split())
    return text if len(text) <= 80 else text[:77] + "…"
