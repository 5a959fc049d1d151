"""Labs without widgets: reading what is typed, the order of events, work as data, two hosts."""

import threading
from dataclasses import dataclass, replace
from types import SimpleNamespace

import ipywidgets as widgets
import pytest

from inception_edu.labs import core
from inception_edu.labs.core import (
    Control,
    End,
    Lab,
    Part,
    Press,
    Refused,
    Report,
    Session,
    Set,
    Start,
    Stop,
    Tell,
    View,
    read,
    run_now,
)
from inception_edu.labs.host import NotebookLab

SCALE = Control("scale", "slider", "scale", 0.1, low=0, high=1.5, step=0.05)
WIDTH = Control("width", "steps", "width", 72, options=(72, 144, 288))
BLOCKS = Control("blocks", "slider", "blocks", 4, low=1, high=20, whole=True)


@pytest.mark.parametrize(
    "control, typed, value",
    [
        (SCALE, "0,5", 0.5),
        (SCALE, " 0.35 ", 0.35),
        (SCALE, 1, 1.0),
        (SCALE, "1e-1", 0.1),
        (WIDTH, "144", 144),
        (WIDTH, 144.0, 144),
        (BLOCKS, "12", 12),
        (Control("rate", "list", "rate", "slow", options=("slow", "fast")), "fast", "fast"),
        (Control("kind", "pick", "kind", 1, options=(("one", 1), ("two", 2))), "two", 2),
    ],
)
def test_what_is_typed_is_read(control, typed, value):
    assert read(control, typed) == value


@pytest.mark.parametrize(
    "control, typed, reason",
    [
        (SCALE, "99", "from 0 to 1.5; 99 is outside"),
        (SCALE, "1e9", "outside"),
        (SCALE, "abc", "“abc” cannot be read"),
        (SCALE, "nan", "finite"),
        (SCALE, "0.33", "steps of 0.05; 0.33 is none: the nearest is 0.35"),
        (SCALE, True, "number"),
        (WIDTH, "100", "one of 72, 144, 288; got “100”"),
        (BLOCKS, "1.5", "whole number"),
        (Control("on", "check", "on", True), "yes", "on or off"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(control, typed, reason):
    with pytest.raises(Refused, match=reason):
        read(control, typed)


# --- A small lab: counts to a number, in a task ---------------------------------------------------


@dataclass(frozen=True)
class Counted:
    to: int = 5
    kinds: tuple = ("a", "b")
    kind: str = "b"
    seen: tuple = ()
    running: bool = False
    end: str = ""
    told: str = ""


def update(state, event):
    match event:
        case Set("to", 13):
            raise Refused("13 is not counted to.")
        case Set(key, value):
            return replace(state, **{key: value})
        case Press("go"):
            return replace(state, running=True, seen=()), Start("count", state.to)
        case Press("stop"):
            return state, Stop("count")
        case Press("other kinds"):
            return replace(state, kinds=("x", "y", "b"))
        case Report(value=value):
            return replace(state, seen=(*state.seen, value))
        case End(status=status):
            return replace(state, running=False, end=status)
        case Tell(value=value):
            return replace(state, told=value)
    return state


def render(state):
    return View(
        controls=(
            Control("to", "slider", "count to", state.to, low=1, high=20, whole=True),
            Control("kind", "list", "kind", state.kind, options=state.kinds),
            Control("go", "button", "Go", disabled=state.running, look="primary"),
            Control("stop", "button", "Stop", disabled=not state.running),
            Control("other kinds", "button", "Other kinds"),
        ),
        parts=(Part("count", "<b data-tell='hello'>" + str(len(state.seen)) + "</b>"),),
        status="running" if state.running else state.end,
        alert=state.end == "failed",
    )


def work(to):
    def count(report, stop):
        if to == 20:
            raise RuntimeError("twenty is too many")
        for n in range(to):
            if stop.is_set():
                return SimpleNamespace(status="stopped", sentence="")
            report(n)
        return SimpleNamespace(status="finished", sentence="")

    return count


COUNTING = Lab("counting", "Counting", Counted(), update, render, work=work)


def test_a_lab_without_widgets_is_driven_by_events_and_read_by_its_view():
    session = Session(COUNTING)
    session.carry_out = run_now(session)
    assert session.view.control("stop").disabled and not session.view.control("go").disabled
    session.send(Set("to", "3"))
    session.send(Press("go"))
    assert session.state.seen == (0, 1, 2) and session.state.end == "finished"
    assert session.view.part("count").value == "<b data-tell='hello'>3</b>"
    session.send(Tell("count", "hello"))
    assert session.state.told == "hello"


def test_a_refusal_leaves_the_state_and_says_why_until_something_else_is_given():
    session = Session(COUNTING)
    for typed, reason in (("99", "outside"), ("x", "cannot be read"), ("13", "not counted")):
        session.send(Set("to", typed))
        control = session.view.control("to")
        assert session.state.to == 5 and control.value == 5
        assert control.wrong and reason in control.note
    session.send(Set("to", 5))
    assert not session.view.control("to").wrong
    with pytest.raises(Refused, match="outside"):
        session.set("to", 99)
    with pytest.raises(Refused, match="not counted"):
        session.set("to", 13)
    assert not session.view.control("to").wrong and session.state.to == 5
    with pytest.raises(Refused, match="no control 'tomato'; it has to, kind, go"):
        session.set("tomato", 1)


def test_a_button_that_does_nothing_now_does_nothing():
    done = []
    session = Session(COUNTING, carry_out=done.append)
    session.send(Press("stop"))
    assert done == []
    session.send(Press("go"))
    session.send(Press("go"))  # a second click that was on its way
    assert done == [Start("count", 5)]


def test_work_that_fails_ends_in_a_sentence():
    session = Session(COUNTING)
    session.carry_out = run_now(session)
    session.set("to", 20)
    session.send(Press("go"))
    assert session.state.end == "failed" and session.view.alert


def test_events_from_many_threads_come_one_after_the_other():
    inside = threading.Semaphore(1)

    def alone(state, event):
        assert inside.acquire(blocking=False), "two events at the same time"
        state = update(state, event)
        inside.release()
        return state

    session = Session(replace(COUNTING, update=alone))
    threads = [
        threading.Thread(target=lambda: [session.send(Report("count", 1)) for _ in range(200)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(session.state.seen) == 1600


def test_an_event_sent_while_another_is_dealt_with_waits_its_turn():
    order = []
    session = Session(COUNTING)

    def changed(event):
        order.append((event, session.state.to))
        if event == Set("to", 7):
            session.send(Set("to", 8))
            order.append("sent")

    session.changed = changed
    session.send(Set("to", 7))
    assert order == [(Set("to", 7), 7), "sent", (Set("to", 8), 8)]


# --- With widgets ---------------------------------------------------------------------------------


def test_widgets_and_state_say_the_same_from_either_side():
    lab = NotebookLab(COUNTING, mode="foreground")
    lab.controls["to"].value = 9
    assert lab.state.to == lab.to == 9 and lab.boxes["to"].text.value == "9"
    lab.to = 4
    assert lab.controls["to"].value == 4
    lab.boxes["to"].text.value = "99"
    assert lab.state.to == 4 and "outside" in lab.boxes["to"].note.value
    assert lab.boxes["to"].text.value == "99", "what was typed stays, with the reason under it"
    lab.boxes["to"].text.value = "6"
    assert lab.state.to == 6 and lab.boxes["to"].note.value == ""
    lab.boxes["to"].text.value = "99"
    assert "outside" in lab.boxes["to"].note.value
    lab.boxes["to"].text.value = "6"  # what is set already
    assert lab.boxes["to"].note.value == "" and lab.state.to == 6
    lab.controls["go"].click()
    assert lab.state.seen == tuple(range(6)) and "finished" in lab.status.value
    assert "6" in lab.pieces["count"].widget.value
    with pytest.raises(AttributeError):
        lab.tomato  # noqa: B018


def test_new_options_do_not_choose_for_the_reader():
    lab = NotebookLab(COUNTING, mode="foreground")
    lab.press("other kinds")
    assert lab.controls["kind"].options == (("x", "x"), ("y", "y"), ("b", "b"))
    assert lab.state.kind == "b" == lab.controls["kind"].value


def test_linked_widgets_of_two_labs_go_together():
    one, two = NotebookLab(COUNTING, "foreground"), NotebookLab(COUNTING, "foreground")
    widgets.link((one.controls["to"], "value"), (two.controls["to"], "value"))
    two.to = 11
    assert one.state.to == 11
    one.to = 3
    assert two.state.to == 3


def test_every_handle_has_a_name_in_the_page():
    lab = NotebookLab(COUNTING, mode="foreground")
    assert lab._frame.value["names"] == {"ied-control-to": "count to", "ied-control-kind": "kind"}


def test_core_needs_neither_widgets_nor_torch():
    import subprocess
    import sys

    script = (
        "import sys\n"
        "from inception_edu.labs.core import Session\n"
        "from inception_edu.labs.comparison import make\n"
        "assert Session(make()).view.status\n"
        "assert not {'torch', 'ipywidgets', 'anywidget', 'IPython'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


def test_a_control_is_one_of_the_kinds():
    with pytest.raises(ValueError, match="slider, steps, whole, list"):
        Control("x", "dial", "x")
    assert set(core.KINDS) >= {"slider", "button"}


def test_a_choice_from_a_list_that_was_shortened_meanwhile_changes_nothing():
    from inception_edu.labs.boxes import Listed

    seen = []
    handle = Listed(options=("a", "b", "c"), value="c")
    handle.observe(lambda change: seen.append(change["new"]), names="value")
    handle.options = ("x", "y")
    handle.value = "y"
    handle.set_state({"index": 2})  # as the page says it
    assert handle.value == "y" and handle.index == 1 and seen == ["x", "y"]
    handle.set_state({"index": 0})
    assert handle.value == "x"
