"""What every lab shares: a training run that can be watched and stopped. The frame around it is in
`frame.py`.

`LiveRun` runs a function that trains. It knows nothing of widgets or networks: the function gets
`report`, which it calls with each record, and `stop`, an event that it reads every step.

    background   (JupyterLab, Notebook) the function runs in a daemon thread, never in a button's
                 callback: which thread that is cannot be foreseen, and a busy kernel delivers no
                 click on Stop.
    foreground   (Colab, which shows no widget updates made in a background thread) the function
                 runs where it is called. Each look at `stop` lets the kernel deal with waiting
                 clicks first; Interrupt ends the run as Stop does.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
import weakref
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

MODES = ("auto", "background", "foreground")


def pick_mode(mode: str = "auto") -> str:
    """ "background" or "foreground": what `mode` says, or what fits the place where this runs."""
    if mode not in MODES:
        raise ValueError(f"mode is one of {', '.join(MODES)}, got {mode!r}.")
    if mode != "auto":
        return mode
    return (
        "foreground"
        if "google.colab" in sys.modules or "COLAB_RELEASE_TAG" in os.environ
        else "background"
    )


def page_seconds(mode: str) -> float:
    """What the reader's browser takes from the training for each new picture of a lab, in seconds.

    Nothing where it runs elsewhere (Colab) or has a core of its own. Where torch uses all cores of
    the machine, every moment that the browser needs one of them holds all threads up: about 20 ms,
    measured in Chromium without a GPU.
    """
    import torch

    from inception_edu.learn.machine import cores

    return 0.02 if mode == "background" and cores() <= torch.get_num_threads() else 0.0


# --- Foreground: stay reachable while the kernel is busy ------------------------------------------


def _kernel():
    """The ipykernel of version 6 that runs this code, if this is its main thread; else None."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    kernel = getattr(shell, "kernel", None)
    here = threading.current_thread() is threading.main_thread()
    six = hasattr(kernel, "msg_queue") and hasattr(kernel, "dispatch_shell")
    return kernel if here and six else None


def let_clicks_through() -> None:
    """Deal with the widget messages that wait at the busy kernel. Cells that wait stay in the
    queue, in order.

    Does nothing outside an ipykernel 6 (Colab has 6.17). In ipykernel 7 clicks arrive in a thread
    of their own.
    """
    kernel = _kernel()
    if kernel is None:
        return
    kernel.shell_stream.flush()  # from the socket into kernel.msg_queue
    waiting = []
    while kernel.msg_queue.qsize():
        waiting.append(kernel.msg_queue.get_nowait())
    if not waiting:
        return
    # Dealing with a message makes it the parent of all output and renews the Interrupt handler:
    # keep the run's own.
    parent, ident = kernel.get_parent("shell"), kernel._parent_ident["shell"]
    handler, saved = signal.getsignal(signal.SIGINT), getattr(kernel, "saved_sigint_handler", None)
    try:
        for item in waiting:
            _, dispatch, frames = item
            if not _is_click(kernel, frames):
                kernel.msg_queue.put_nowait(item)
                continue
            step = dispatch(*frames)
            try:
                step.send(None)  # a widget message is dealt with in one go, without an await
            except StopIteration:
                pass
            finally:
                step.close()
    finally:
        kernel.set_parent(ident, parent, "shell")
        signal.signal(signal.SIGINT, handler)
        kernel.saved_sigint_handler = saved


def _is_click(kernel, frames) -> bool:
    try:
        _, parts = kernel.session.feed_identities(frames[0], copy=False)
        return kernel.session.unpack(parts[1].bytes)["msg_type"] in (
            "comm_msg",
            "comm_close",
            "comm_open",
        )
    except Exception:
        return False


class AskingStop(threading.Event):
    """A stop event that lets the kernel deal with waiting clicks, twenty times a second at most,
    when it is read."""

    def __init__(self, ask=let_clicks_through, every: float = 0.05):
        super().__init__()
        self._ask, self._every, self._last = ask, every, 0.0

    def is_set(self) -> bool:
        now = time.monotonic()
        if now - self._last >= self._every:
            self._last = now
            self._ask()
        return super().is_set()


@contextmanager
def _interrupt_stops(stop: threading.Event):
    """The first Interrupt sets `stop`, so that the run ends in order; a second one is a
    KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def once(*_):
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, once)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


# --- One run at a time ----------------------------------------------------------------------------

_LIVE: weakref.WeakSet = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    """A thread that still computes while Python shuts down may crash: stop the runs and wait for
    them a little."""
    for run in list(_LIVE):
        run.stop()
    for run in list(_LIVE):
        run.wait(3)
    for thread in _ASIDE:
        thread.join(10)


_ASIDE: list[threading.Thread] = []


def aside(function) -> None:
    """Call `function` in a thread of its own that does not keep Python from ending."""
    _ASIDE[:] = [thread for thread in _ASIDE if thread.is_alive()]
    _ASIDE.append(threading.Thread(target=function, daemon=True, name="lab warm-up"))
    _ASIDE[-1].start()


class LiveRun:
    """Runs `work(report, stop)` and keeps what it reports; one run at a time.

    `status` is "ready", "running", "stopping", and at the end "finished", "stopped", "diverged" (if
    that is the `status` of what `work` returns) or "failed" (`work` raised; `error` holds the
    exception). `sentence` says the
    end in words. `draw()` is called with the first record and then at most every `redraw` seconds,
    less often where drawing takes long: all drawings of a run, with the `page` seconds that the
    browser needs to show each, get at most `share` of its time.
    `ended()` is called once a run, before the next can start; `released()` after it, when it can.
    """

    def __init__(
        self,
        mode: str = "auto",
        draw=None,
        ended=None,
        redraw: float = 0.1,
        share: float = 0.025,
        page: float = 0.0,
        released=None,
    ):
        self.mode = pick_mode(mode)
        self.status, self.sentence = "ready", ""
        self.error: Exception | None = None
        self.result: Any = None
        self.records: list = []
        self.started = 0
        self.times: dict[str, float] = {}
        self._draw, self._ended = draw or (lambda: None), ended or (lambda: None)
        self._released = released or (lambda: None)
        self._redraw, self._share, self._page = redraw, share, page
        self._busy, self._stop = threading.Lock(), threading.Event()
        self._saying = threading.RLock()  # a status is read and changed as one
        self._thread: threading.Thread | None = None
        _LIVE.add(self)

    @property
    def running(self) -> bool:
        return self._busy.locked()

    def start(self, work) -> bool:
        """Start `work`, unless a run is under way: then nothing happens and the answer is False.

        In the foreground the call returns when the run has ended.
        """
        if not self._busy.acquire(blocking=False):
            return False
        background = self.mode == "background"
        # Before the status says "running": from then on another thread may stop the run.
        self._stop = threading.Event() if background else AskingStop()
        self.status, self.sentence, self.error, self.result = "running", "", None, None
        self.records, self.started = [], self.started + 1
        self.times = {"start": time.perf_counter(), "drawing": 0.0, "draws": 0}
        self._next = 0.0
        if background:
            self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
            self._thread.start()
        else:
            with _interrupt_stops(self._stop):
                self._run(work)
        return True

    def stop(self) -> None:
        """Ask the run to end after the step that it is in."""
        with self._saying:
            if self.running and self.status == "running":
                self.status = "stopping"
                self.times["stop"] = time.perf_counter()
                self._stop.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until no run is under way, at most `seconds`; whether that came to pass."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(seconds)
        return not self.running

    def report(self, record) -> None:
        """Keep a record and draw, if it is time to."""
        self.records.append(record)
        now = time.perf_counter()
        if now < self._next:
            return
        self._draw()
        spent = time.perf_counter() - now
        self.times.setdefault("first draw", now + spent)
        self.times["drawing"] += spent
        self.times["draws"] += 1
        # What all drawings have cost by the end of the next one; the first was made when the run
        # began.
        cost = self.times["drawing"] + spent + (self.times["draws"] + 2) * self._page
        self._next = max(now + self._redraw, self.times["start"] + cost / self._share)

    def _run(self, work) -> None:
        status, sentence = "failed", ""
        try:
            self.result = work(self.report, self._stop)
            status = getattr(self.result, "status", None) or (
                "stopped" if self._stop.is_set() else "finished"
            )
            sentence = getattr(self.result, "sentence", "")
        except KeyboardInterrupt:
            status, sentence = "stopped", "Interrupted."
        except Exception as error:
            self.error = error
            sentence = f"The run ended with an error. {type(error).__name__}: {error}"
        self.times["end"] = time.perf_counter()
        with self._saying:
            self.status, self.sentence = status, sentence
        try:
            self._ended()
        finally:
            self._busy.release()
        self._released()


@lru_cache(maxsize=1)
def warm_up() -> float:
    """Take one small training step, so that the first step of a run need not load and prepare
    torch's parts.

    Draws no random numbers, so it cannot change what a cell computes meanwhile. Returns the seconds
    it took.
    """
    import torch
    from torch.nn import functional as F

    start = time.perf_counter()
    x = torch.zeros(8, 3, 32, 32)
    weights = [
        torch.full((16, 3, 3, 3), 0.01, requires_grad=True),
        torch.full((16, 16, 1, 3), 0.01, requires_grad=True),
    ]
    bias = torch.zeros(16, requires_grad=True)
    x = F.conv2d(x, weights[0], stride=2, padding=1)
    x = F.relu(F.batch_norm(x, None, None, training=True))
    x = F.conv2d(x, weights[1], bias, padding=(0, 1))
    loss = F.cross_entropy(x.mean((2, 3)), torch.zeros(8, dtype=torch.long))
    loss.backward()
    for optimizer in (
        torch.optim.SGD([weights[0]], lr=0.1, momentum=0.9),
        torch.optim.RMSprop([weights[1]], lr=0.1),
    ):
        optimizer.step()
    return time.perf_counter() - start
