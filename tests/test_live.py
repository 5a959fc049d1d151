"""A run that can be watched and stopped; the same on Colab."""

import json
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path
from queue import Empty
from types import SimpleNamespace as Record

import ipywidgets as widgets
import pytest
import torch

from inception_edu.labs import WIDGET_VIEW, live
from inception_edu.labs.live import AskingStop, LiveRun, pick_mode
from inception_edu.learn import machine

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 60  # seconds: machines may be slow; what takes that long hangs

# --- One run --------------------------------------------------------------------------------------


def counting(steps=10_000, pause=0.002, end="finished", explode=False):
    """Work that "trains": `steps` records, stopping when asked."""

    def work(report, stop):
        for step in range(1, steps + 1):
            if stop.is_set():
                return Record(status="stopped", sentence=f"Stopped at step {step}.")
            if explode:
                raise RuntimeError("the images are gone")
            report(Record(step=step, loss=2.0 / step, thread=threading.current_thread()))
            time.sleep(pause)
        return Record(status=end, sentence=f"{end} after {steps} steps.")

    return work


def until(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def test_background_runs_in_a_thread_of_its_own_and_stops():
    run = LiveRun("background")
    assert run.start(counting()) and run.running
    until(lambda: run.records)
    run.stop()
    assert run.wait(PATIENCE)
    assert run.status == "stopped" and run.sentence.startswith("Stopped at step")
    assert run.records[0].thread is not threading.current_thread() and run.records[0].thread.daemon


def test_foreground_runs_where_it_is_called():
    run = LiveRun("foreground")
    assert run.start(counting(5, 0)) and not run.running
    assert run.status == "finished" and len(run.records) == 5
    assert run.records[0].thread is threading.current_thread()


def test_many_quick_starts_make_one_run():
    run = LiveRun("background")
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(run.start(counting()))) for _ in range(8)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    run.stop()
    assert run.wait(PATIENCE)
    assert sorted(answers) == [False] * 7 + [True] and run.started == 1
    assert run.start(counting(3, 0)) and run.wait(PATIENCE) and run.started == 2


def test_a_start_from_within_a_foreground_run_is_refused():
    run = LiveRun("foreground")
    answers = []
    run.start(lambda report, stop: answers.append(run.start(counting(1))))
    assert answers == [False] and run.status == "finished"


@pytest.mark.parametrize("mode", ["background", "foreground"])
def test_ends_are_told_apart(mode):
    run = LiveRun(mode)
    run.start(counting(3, 0, "diverged"))
    assert run.wait(PATIENCE) and (run.status, run.sentence) == (
        "diverged",
        "diverged after 3 steps.",
    )
    run.start(counting(explode=True))
    assert run.wait(PATIENCE) and run.status == "failed"
    assert run.sentence == "The run ended with an error. RuntimeError: the images are gone"
    assert isinstance(run.error, RuntimeError)
    run.start(counting(3, 0))
    assert run.wait(PATIENCE) and run.status == "finished" and run.error is None


def test_the_first_record_is_drawn_at_once_and_drawing_keeps_to_its_share():
    drawn = []
    run = LiveRun(
        "foreground",
        draw=lambda: (drawn.append(len(run.records)), time.sleep(0.02)),
        redraw=0.0,
        share=0.1,
    )
    run.start(counting(400, 0.002))
    assert drawn[0] == 1
    total = run.times["end"] - run.times["start"]
    assert run.times["drawing"] <= 0.1 * total + 0.1, "at most its share, and one drawing"
    for page, most in ((0.05, 0.1 * total / (0.05 + 0.02)), (10.0, 1)):
        run = LiveRun("foreground", draw=lambda: time.sleep(0.02), redraw=0.0, share=0.1, page=page)
        run.start(counting(400, 0.002))
        assert 1 <= run.times["draws"] <= most + 1, (
            "what the page needs to show a drawing counts as well"
        )
    fast = []
    run = LiveRun("foreground", draw=lambda: fast.append(1), redraw=0.05)
    run.start(counting(100, 0.002))
    assert 2 <= len(fast) <= (run.times["end"] - run.times["start"]) / 0.05 + 1


def test_foreground_asks_for_clicks_and_a_click_on_stop_ends_the_run():
    run = LiveRun("foreground")
    asked = []

    def work(report, stop):
        stop._ask = lambda: (asked.append(1), run.stop() if len(asked) == 3 else None)
        return counting()(report, stop)

    run.start(work)
    assert run.status == "stopped" and len(asked) == 3


def test_asking_is_rationed():
    asked = []
    stop = AskingStop(lambda: asked.append(1), every=30)
    assert not any(stop.is_set() for _ in range(100)) and len(asked) == 1


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_interrupt_ends_a_foreground_run_in_order():
    before = signal.getsignal(signal.SIGINT)
    run = LiveRun("foreground")
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    run.start(counting())
    assert run.status == "stopped" and run.sentence.startswith("Stopped at step")
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_second_interrupt_ends_work_that_does_not_listen():
    run = LiveRun("foreground")
    for seconds in (0.3, 0.6):
        threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)).start()

    def deaf(report, stop):
        while True:
            time.sleep(0.01)

    run.start(deaf)
    assert (run.status, run.sentence) == ("stopped", "Interrupted.")


def test_the_mode_fits_the_place(monkeypatch):
    for name in ("COLAB_RELEASE_TAG",):
        monkeypatch.delenv(name, raising=False)
    assert pick_mode() == "background" and pick_mode("foreground") == "foreground"
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release")
    assert pick_mode() == "foreground" and pick_mode("background") == "background"
    with pytest.raises(ValueError, match="auto, background, foreground"):
        pick_mode("sometimes")


# --- As on Colab: ipywidgets 7.7.1, IPython 7.34, ipykernel 6.17 ----------------------------------


class ColabKernel:
    """A kernel of Colab's versions, driven message by message: clicks are sent while it is busy."""

    def __init__(self, python, folder, **environment):
        from jupyter_client.kernelspec import KernelSpecManager
        from jupyter_client.manager import KernelManager

        spec = folder / "kernels" / "colab"
        spec.mkdir(parents=True)
        (spec / "kernel.json").write_text(
            json.dumps(
                {
                    "argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
                    "display_name": "Colab",
                    "language": "python",
                    "interrupt_mode": "signal",
                    "env": {
                        "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)]),
                        "IPYTHONDIR": str(folder / "ipython"),
                        "COLAB_RELEASE_TAG": "test",
                        **environment,
                    },
                }
            )
        )
        self.manager = KernelManager(
            kernel_name="colab",
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(spec.parent)]),
        )
        self.manager.start_kernel(cwd=str(folder))
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)
        self.seen: list[dict] = []  # every message on iopub, in order

    def listen(self, until, seconds=2 * PATIENCE):
        """Read messages until `until(message)` holds; return that message."""
        end = time.monotonic() + seconds
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=1)
            except Empty:
                assert time.monotonic() < end and self.manager.is_alive(), (
                    "waited in vain for the kernel"
                )
                continue
            self.seen.append(message)
            if message["msg_type"] == "error":
                raise AssertionError("\n".join(message["content"]["traceback"]))
            if until(message):
                return message

    def send(self, comm: str, data: dict) -> str:
        message = self.client.session.msg("comm_msg", {"comm_id": comm, "data": data})
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def click(self, comm: str) -> str:
        return self.send(comm, {"method": "custom", "content": {"event": "click"}})

    def set(self, comm: str, value) -> str:
        return self.send(comm, {"method": "update", "state": {"value": value}, "buffer_paths": []})

    def idle(self, parent: str):
        """Wait until the kernel has dealt with the message `parent`."""
        return self.listen(
            lambda m: (
                m["msg_type"] == "status"
                and m["content"]["execution_state"] == "idle"
                and m["parent_header"].get("msg_id") == parent
            )
        )

    def run(self, code: str) -> str:
        """Run a cell and return what it prints."""
        first = len(self.seen)
        self.idle(self.client.execute(code))
        return "".join(m["content"]["text"] for m in self.seen[first:] if m["msg_type"] == "stream")

    def values(self, comm: str, first: int = 0) -> list[dict]:
        """The messages that set the widget's value."""
        return [
            m
            for m in self.seen[first:]
            if m["msg_type"] == "comm_msg"
            and m["content"]["comm_id"] == comm
            and "value" in m["content"]["data"].get("state", {})
        ]

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def colab(colab_python, tmp_path):
    kernel = ColabKernel(colab_python, tmp_path)
    yield kernel
    kernel.close()


# A lab on the contract of `labs.core` that counts instead of training, for a kernel without pytest.
COUNTING = """
import time
from dataclasses import dataclass, replace
from types import SimpleNamespace as Record
from inception_edu.labs.core import (
    Control, End, Lab, Part, Press, Report, Set, Start, Stop, View)
from inception_edu.labs.host import NotebookLab

@dataclass(frozen=True)
class State:
    steps: int = 100_000
    two_words: float = 1.0
    seen: int = 0
    runs: int = 0
    status: str = "ready"

def update(state, event):
    match event:
        case Set(key, value):
            return replace(state, **{key: value})
        case Press("retrain"):
            return replace(state, runs=state.runs + 1, status="running"), Start("run", state.steps)
        case Press("stop"):
            return state, Stop("run")
        case Report(value=record):
            return replace(state, seen=record.step)
        case End(status=status):
            return replace(state, status=status)

def render(state):
    running = state.status == "running"
    return View(
        controls=(
            Control("two_words", "slider", "two words", state.two_words, high=1.5, step=0.25),
            Control("retrain", "button", "Retrain", disabled=running),
            Control("stop", "button", "Stop", disabled=not running),
        ),
        parts=(Part("count", f"<b>step {state.seen} of {state.steps}</b>"),),
        status=state.status,
    )

def work(steps):
    def count(report, stop):
        for step in range(1, steps + 1):
            if stop.is_set():
                return Record(status="stopped", sentence=f"Stopped at step {step}.")
            report(Record(step=step))
            time.sleep(0.002)
        return Record(status="finished", sentence="")
    return count

lab = NotebookLab(Lab("counting", "Counting", State(), update, render, work=work))
"""
OPEN = """
import ipywidgets, IPython, ipykernel, json
assert (ipywidgets.__version__, IPython.__version__) == ("7.7.1", "7.34.0"), "not Colab's versions"
{make}
parts = {{name: control.model_id for name, control in lab.controls.items()}}
parts.update({{name: piece.widget.model_id for name, piece in lab.pieces.items()}})
parts.update(status=lab.status.model_id)
lab.show()
print(json.dumps(parts))
"""


def counting_goes_on(message) -> bool:
    return message["msg_type"] == "comm_msg" and re.search(r"step \d+ of 100000", str(message))


def test_on_colab_the_run_is_in_the_foreground_and_stop_gets_through(colab):
    parts = json.loads(colab.run(OPEN.format(make=COUNTING)))
    shown = next(m for m in colab.seen if m["msg_type"] == "display_data")
    assert set(shown["content"]["data"]) == {WIDGET_VIEW, "text/html", "text/plain"}

    first = len(colab.seen)
    train = colab.click(parts["retrain"])
    colab.listen(counting_goes_on)
    grown = colab.values(parts["count"], first)
    assert all(m["parent_header"]["msg_id"] == train for m in grown), (
        "Colab shows what belongs to the click"
    )
    again = colab.click(parts["retrain"])  # is refused while the run goes on
    colab.idle(again)
    waiting = colab.client.execute("print('a cell that waited', lab.state.status)")
    moved = colab.set(parts["two_words"], 0.25)
    colab.idle(moved)  # before the cell: the slider is dealt with in mid-run
    later = len(colab.seen)
    colab.listen(lambda m: m in colab.values(parts["count"], later))
    assert colab.values(parts["count"], later)[0]["parent_header"]["msg_id"] == train, (
        "still the run's own parent"
    )
    colab.click(parts["stop"])
    colab.idle(train)
    colab.idle(waiting)
    printed = "".join(m["content"]["text"] for m in colab.seen if m["msg_type"] == "stream")
    assert "a cell that waited stopped" in printed
    said = "[lab.state.runs, lab.state.status, lab.state.two_words, lab.task('run').mode]"
    state = json.loads(colab.run(f"print(json.dumps({said}))"))
    assert state == [1, "stopped", 0.25, "foreground"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_on_colab_interrupt_ends_a_run_in_order(colab):
    parts = json.loads(colab.run(OPEN.format(make=COUNTING)))
    train = colab.click(parts["retrain"])
    colab.listen(counting_goes_on)
    colab.manager.interrupt_kernel()
    colab.idle(train)
    said = "print(json.dumps([lab.state.runs, lab.state.status]))"
    assert json.loads(colab.run(said)) == [1, "stopped"]
    interrupted = colab.client.execute("lab.press('retrain')")  # the same from a cell
    colab.listen(counting_goes_on)
    colab.manager.interrupt_kernel()
    colab.idle(interrupted)
    assert json.loads(colab.run(said)) == [2, "stopped"]
    # Interrupt works as ever afterwards.
    message = colab.client.execute("import time; time.sleep(600)")
    time.sleep(1)
    colab.manager.interrupt_kernel()
    with pytest.raises(AssertionError, match="KeyboardInterrupt"):
        colab.idle(message)


SCALING = (
    "import torch; torch.set_num_threads(1)\n"
    "from inception_edu.labs.scaling import scaling_core\n"
    "from inception_edu.labs.host import NotebookLab\n"
    "lab = NotebookLab(scaling_core(width=32, depth=1, steps=5000))"
)


def test_on_colab_the_scaling_lab_trains_and_stops(colab):
    parts = json.loads(colab.run(OPEN.format(make=SCALING)))
    colab.idle(colab.set(parts["scale"], 0.2))
    train = colab.click(parts["retrain"])
    going = r"step \d+ of 5000"
    colab.listen(lambda m: m["msg_type"] == "comm_msg" and re.search(going, str(m)))
    colab.click(parts["stop"])
    colab.idle(train)
    said = "[len(lab.state.tracks), lab.state.last.status, lab.state.last.settings['scale']]"
    assert json.loads(colab.run(f"print(json.dumps({said}))")) == [1, "stopped", 0.2]
    assert "stopped" in colab.values(parts["status"])[-1]["content"]["data"]["state"]["value"]


def test_without_anywidget_html_is_an_html_widget_and_a_chart_says_what_is_missing(monkeypatch):
    from inception_edu.labs.boxes import Piece
    from inception_edu.labs.core import Part
    from inception_edu.labs.page import component

    monkeypatch.setitem(sys.modules, "anywidget", None)
    component.cache_clear()
    piece = Piece(Part("words", "<b>step 3</b>"), print)
    assert type(piece.widget) is widgets.HTML and piece.widget.value == "<b>step 3</b>"
    with pytest.raises(RuntimeError, match="draws 'curves' with anywidget, which is missing"):
        Piece(Part("curves", {}, "chart"), print)
    component.cache_clear()


def test_a_stop_that_is_taken_reaches_the_run(monkeypatch):
    run, seen = LiveRun("background"), []

    class Event(threading.Event):
        def __init__(self):
            super().__init__()
            run.stop()  # as another thread may, whenever an event is made

    monkeypatch.setattr(threading, "Event", Event)
    assert run.start(lambda report, stop: seen.append((run.status, stop.is_set())))
    assert run.wait(10) and seen == [("stopping", True)]


def test_the_page_takes_time_from_a_training_that_uses_all_cores_it_may_use(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(machine, "cores", lambda: 2)  # of a container, on a larger machine
    assert live.page_seconds("background") > 0 == live.page_seconds("foreground")
    monkeypatch.setattr(machine, "cores", lambda: 3)
    assert live.page_seconds("background") == 0
