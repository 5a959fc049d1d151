"""What happens to a lab, what is to be done, what it shows: the words of `core`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class Refused(ValueError):
    """Something that cannot be read or done; the message says what was seen and what to do."""


# --- What happens ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Set:
    """A control is given a value: of its type, or as text that a reader typed."""

    key: str
    value: Any


@dataclass(frozen=True)
class Press:
    """A button is pressed."""

    key: str


@dataclass(frozen=True)
class Tell:
    """A component in the page says something, such as the address of a box that was clicked."""

    part: str
    value: Any


@dataclass(frozen=True)
class Report:
    """A task that is under way reports: `value` is one record."""

    task: str
    value: Any


@dataclass(frozen=True)
class End:
    """A task is over. `status` is "finished", "stopped", "diverged" or "failed"; `value` is what
    the work returned."""

    task: str
    status: str
    value: Any = None
    sentence: str = ""


Event = Set | Press | Tell | Report | End


# --- What is to be done ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Start:
    """Begin a task: the host calls `lab.work(job)` and runs what it gets."""

    task: str
    job: Any


@dataclass(frozen=True)
class Stop:
    """End the task after the step that it is in."""

    task: str


Effect = Start | Stop


# --- What is shown --------------------------------------------------------------------------------

KINDS = ("slider", "steps", "whole", "list", "pick", "check", "text", "button")


@dataclass(frozen=True)
class Control:
    """One control.

    kind      "slider" (a number from `low` to `high` by `step`; `whole` for integers), "whole" (a
              box for an integer), "steps" (a slider over `options`), "list", "pick" (a row of
              buttons), "check", "text", "button"
    options   values, or (words, value) pairs
    note      a short line under it: "for the next run"; also where a refusal is shown
    strip     HTML under the slider: what is known along it
    name      what a screen reader says, where `label` is not enough
    tip       what pressing it does
    look      of a button: "primary" for the one that matters most
    starts    of a button: it works with what is set, so it waits while something typed is refused
    """

    key: str
    kind: str
    label: str
    value: Any = None
    options: tuple = ()
    low: float = 0
    high: float = 1
    step: float = 1
    whole: bool = False
    unit: str = ""
    disabled: bool = False
    hidden: bool = False
    note: str = ""
    wrong: bool = False
    strip: str = ""
    name: str = ""
    tip: str = ""
    look: str = ""
    starts: bool = False

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"A control is one of {', '.join(KINDS)}; got {self.kind!r}.")

    @property
    def choices(self) -> tuple[tuple[str, Any], ...]:
        """The options as (words, value) pairs."""
        pairs = []
        for option in self.options:
            pairs.append(option if isinstance(option, tuple) else (say(option), option))
        return tuple(pairs)

    @property
    def said(self) -> str:
        """The name that a screen reader says."""
        return self.name or self.label or self.key

    @property
    def text(self) -> str:
        """The value as a reader would type it."""
        for words, value in self.choices:
            if value == self.value:
                return words
        return say(self.value)


@dataclass(frozen=True)
class Part:
    """One piece of the page: `kind` "html" with HTML or SVG, or the name of a component
    (`web/NAME.js`) with its JSON. `said` is its accessible name, where the piece has none."""

    key: str
    value: Any
    kind: str = "html"
    said: str = ""
    hidden: bool = False


@dataclass(frozen=True)
class Row:
    """Keys of controls and parts, or groups of them, side by side (they wrap). `width` of each
    child may be fixed by naming it: Row(Column(…, width="232px"), "chart")."""

    items: tuple
    width: str = ""

    def __init__(self, *items, width: str = ""):
        object.__setattr__(self, "items", items)
        object.__setattr__(self, "width", width)


class Column(Row):
    """The same, one below the other."""


@dataclass(frozen=True)
class View:
    """All that a lab shows. `layout` names every key once; without one, the controls come in a row,
    then the buttons, the status, the parts. "status" is the key of the status line. The layout and
    the kinds stay as they are in the first view. The first line of `status` is what counts; what
    stands after a line break is shown smaller under it."""

    controls: tuple[Control, ...] = ()
    parts: tuple[Part, ...] = ()
    status: str = ""
    alert: bool = False
    layout: Row | None = None

    def control(self, key: str) -> Control:
        return _find(self.controls, key, "control")

    def part(self, key: str) -> Part:
        return _find(self.parts, key, "part")

    def arranged(self) -> Row:
        """The layout, given or usual."""
        if self.layout is not None:
            return self.layout
        settings = [c.key for c in self.controls if c.kind != "button"]
        buttons = [c.key for c in self.controls if c.kind == "button"]
        parts = [p.key for p in self.parts]
        return Column(Row(*settings), Row(*buttons), "status", *parts)


def _find(items, key: str, what: str):
    for item in items:
        if item.key == key:
            return item
    raise Refused(
        f"This lab has no {what} {key!r}; it has {', '.join(item.key for item in items)}."
    )


def say(value) -> str:
    """A value in words: 0.1 and not 0.1000000001, 3 and not 3.0."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)
