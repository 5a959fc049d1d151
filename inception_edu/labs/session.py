"""A lab, and one use of it: events in their order, refusals, effects."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from inception_edu.labs.reading import read
from inception_edu.labs.view import (
    Effect,
    End,
    Event,
    Press,
    Refused,
    Report,
    Set,
    Stop,
    View,
)


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
    link      state → a line that opens the lab again (`labs.link`); "" where there is none
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
    link: Callable[[Any], str] = lambda state: ""


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
        wrong = self._wrong(view)
        controls = []
        for control in view.controls:
            if control.key in refused:
                control = replace(control, note=refused[control.key][1], wrong=True)
            elif control.starts and wrong:
                control = replace(control, disabled=True, tip=f"First correct: {wrong}")
            controls.append(control)
        return replace(view, controls=tuple(controls))

    def _wrong(self, view: View) -> str:
        """What a reader sees of refused values: "scale, seed"."""
        known = {control.key: control for control in view.controls}
        return ", ".join(known[key].said for key in self.refused if not known[key].hidden)

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
            effects: list[Effect] = []
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
            taken = self._read(event)
            if taken is None:
                return ()
            event = taken
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
            view = self.lab.render(self.state)
            control = view.control(event.key)
            if control.disabled or control.hidden or (control.starts and self._wrong(view)):
                return None
            self.refused.clear()  # what was typed wrongly is over: Reset shows what is
            return event
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
        if session.lab.work is None:
            raise RuntimeError(f"{session.lab.title} has no work to do.")
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
