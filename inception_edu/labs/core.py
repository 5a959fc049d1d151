"""What a lab is, without widgets: a frozen state, what happens to it, what it shows.

    lab = Lab("padding", "Padding calculator", State(), update, render)
    session = Session(lab)
    session.send(Set("kernel", "5"))          # what a reader typed, clicked or dragged
    session.state, session.view               # what came of it

`update(state, event)` gives the next state and nothing else happens in it. What is to happen
besides (train this, stop) it returns as data: `return state, Start("run", config)`. `render(state)`
gives a `View`: the controls, the parts (HTML, or a JavaScript component and its JSON), a status.
A host draws the view and sends events: `host.NotebookLab` with widgets, a `Session` alone in tests,
a page without Python with the same components (`web/`).
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
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
    the kinds stay as they are in the first view."""

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


# --- Reading what was typed -----------------------------------------------------------------------


def say(value) -> str:
    """A value in words: 0.1 and not 0.1000000001, 3 and not 3.0."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value)


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


# --- A lab, and a session with it -----------------------------------------------------------------


@dataclass(frozen=True)
class Lab:
    """A lab.

    name      its CSS class is ied-NAME
    start     the first state (frozen)
    update    (state, event) → state, or (state, effect, …); may raise `Refused`
    render    state → View
    stored    state → pictures (`labs.Picture`) for a page without a kernel
    words     state → one line
    work      job → a function of (report, stop) that does it: the job of a `Start`
    begin     effects that a host carries out when it opens the lab, such as a warm-up
    """

    name: str
    title: str
    start: Any
    update: Callable
    render: Callable[[Any], View]
    stored: Callable[[Any], list] = lambda state: []
    words: Callable[[Any], str] = lambda state: ""
    work: Callable | None = None
    begin: tuple[Effect, ...] = ()


@dataclass
class Session:
    """One use of a lab: the state now, and the way events take. Any thread may send.

    Events are dealt with one after the other, in the order of their coming, and never in the middle
    of another. `changed(event)` is called after each; `carry_out(effect)` for each effect, when
    no lock is held. `refused` holds, by control, why the last thing that was typed was not taken.
    """

    lab: Lab
    carry_out: Callable[[Effect], None] | None = None
    changed: Callable[[Event], None] | None = None
    state: Any = None
    refused: dict[str, tuple[Any, str]] = field(default_factory=dict)

    def __post_init__(self):
        if self.state is None:
            self.state = self.lab.start
        self.lock = threading.RLock()
        self._events: deque[Event] = deque()
        self._busy = False

    @property
    def view(self) -> View:
        """What is shown now: what the lab renders, with what was refused and why."""
        with self.lock:
            view, refused = self.lab.render(self.state), dict(self.refused)
        if not refused:
            return view
        controls = []
        for control in view.controls:
            if control.key in refused:
                control = replace(control, note=refused[control.key][1], wrong=True)
            controls.append(control)
        return replace(view, controls=tuple(controls))

    def set(self, key: str, value) -> None:
        """Give a control a value, as code does. Raises `Refused`, and leaves all as it was."""
        read(self.view.control(key), value)
        self.send(Set(key, value))
        if key in self.refused:
            reason = self.refused.pop(key)[1]
            self._tell(Set(key, value))
            raise Refused(reason)

    def send(self, event: Event) -> None:
        """Deal with an event. What is said already (a control's own value) is no event."""
        with self.lock:
            self._events.append(event)
            if self._busy:  # sent while another is dealt with, by the same thread: it waits
                return
            self._busy = True
            effects = []
            try:
                while self._events:
                    effects += self._deal_with(self._events.popleft())
            finally:
                self._busy = False
        for effect in effects:
            self.do(effect)

    def do(self, effect: Effect) -> None:
        if self.carry_out is None:
            raise RuntimeError(f"Nobody here carries out {effect}: give Session a carry_out.")
        self.carry_out(effect)

    def _deal_with(self, event: Event) -> tuple[Effect, ...]:
        try:
            event = self._read(event)
            if event is None:
                return ()
            answer = self.lab.update(self.state, event)
        except Refused as reason:
            if not isinstance(event, Set):
                raise
            self.refused[event.key] = (event.value, str(reason))
            self._tell(event)
            return ()
        self.state, *effects = answer if isinstance(answer, tuple) else (answer,)
        self._tell(event)
        return tuple(effects)

    def _read(self, event: Event) -> Event | None:
        if isinstance(event, Press):
            control = self.lab.render(self.state).control(event.key)
            return None if control.disabled or control.hidden else event
        if not isinstance(event, Set):
            return event
        control = self.lab.render(self.state).control(event.key)
        value = read(control, event.value)
        was_refused = self.refused.pop(event.key, None)
        if value == control.value and type(value) is type(control.value):
            if was_refused:
                self._tell(event)
            return None
        if control.disabled:
            raise Refused(f"{control.said} cannot be changed now.")
        return Set(event.key, value)

    def _tell(self, event: Event) -> None:
        if self.changed is not None:
            self.changed(event)


def begun(lab: Lab, **settings) -> Lab:
    """The lab with these settings from the start. Raises `Refused` for what it does not have."""
    session = Session(lab, carry_out=lambda effect: None)
    for key, value in settings.items():
        session.set(key, value)
    return replace(lab, start=session.state)


def run_now(session: Session, stop: threading.Event | None = None) -> Callable[[Effect], None]:
    """A `carry_out` that does the work at once, where it is called: for tests and scripts."""
    stop = stop or threading.Event()

    def carry_out(effect: Effect) -> None:
        if isinstance(effect, Stop):
            stop.set()
            return
        stop.clear()
        work = session.lab.work(effect.job)
        try:
            result = work(lambda record: session.send(Report(effect.task, record)), stop)
        except Exception as error:
            session.send(End(effect.task, "failed", None, f"{type(error).__name__}: {error}"))
            return
        status = getattr(result, "status", None) or "finished"
        sentence = getattr(result, "sentence", "")
        session.send(End(effect.task, status, result, sentence))

    return carry_out
