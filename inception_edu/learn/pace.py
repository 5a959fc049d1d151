"""How many threads torch computes with, chosen by measurement.

On two quiet cores the second thread makes a training step 1.15 to 1.6 times as fast. On two cores
that something else uses as well, threads wait for one another at every layer, and a step takes 5 to
15 times as long as with one. Counting cores cannot tell the two apart, timing can: `Pace` looks
whether the cores are free, times the steps of a loop with all threads and now and then one with
one, and takes a single thread at once where a step met other work.

INCEPTION_EDU_THREADS, where it is set, decides; so does `with threads(1):`.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import torch

from inception_edu._numbers import is_whole
from inception_edu.learn.machine import cores

SAMPLES = 2  # timed steps with all threads before a number is chosen
AGAIN = 5.0  # seconds from look to look at the other number
LOOKS = 50  # steps with all threads from look to look at one thread: a look costs one slow step
WORTH = 0.95  # all threads must take less than this share of one thread's time
SPOILT = 1.5  # a step that takes this much of one thread's time has met other work
ALONE = 2.0  # the same, of the fastest step with all threads, before one thread was timed
PATIENCE = 30.0  # the longest time, in seconds, before all threads are tried once more
TRUST = 0.5  # seconds for which cores that were free are taken to be free
_PROBE = 0.02  # seconds that `cores_are_free` takes
_GIVEN = 0.8  # the share of the cores' time that free cores give

_here = threading.local()  # torch's number belongs to a thread, and so does what was asked for
_last: int | None = None  # what was set last, by anybody in here
_stepped: dict[int, float] = {}  # when each Python thread last made a step of a `Pace`


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Within the context torch computes with so many threads in this Python thread, whatever is
    measured: `with threads(1):` is how recorded experiments repeat to the last bit. Raises
    ValueError for what is no number of threads."""
    if not is_whole(number) or number < 1:
        raise ValueError(f"threads should be a whole number of at least 1, got {number!r}.")
    before, asked = torch.get_num_threads(), getattr(_here, "asked", None)
    _here.asked = number
    _set(number)
    try:
        yield
    finally:
        _here.asked = asked
        _set(before)


def set_threads() -> int:
    """Let torch use all cores of this process where they are free just now, else one thread, and
    return the number. Takes about a fiftieth of a second."""
    number = _asked()
    if number is None:
        most = most_threads()
        number = most if most > 1 and cores_are_free(most) else 1
    _set(number)
    return number


def most_threads() -> int:
    """What torch would use, but no more than there are cores for: a container may own a few of a
    machine's cores, which torch does not notice."""
    now = torch.get_num_threads()
    if now != getattr(_here, "set", _last):  # the first time, or somebody else chose a number
        _here.most = now
        _here.set = now
    return min(cores(), getattr(_here, "most", None) or _most_at_import)


def _asked() -> int | None:
    asked = getattr(_here, "asked", None)
    if asked is not None:
        return asked
    chosen = os.environ.get("INCEPTION_EDU_THREADS")
    if not chosen:
        return None
    if not chosen.isdecimal() or not int(chosen):
        raise ValueError(
            f"INCEPTION_EDU_THREADS is {chosen!r}: set it to a whole number from 1 on, or to "
            "nothing."
        )
    return int(chosen)


def _set(number: int) -> None:
    global _last
    if torch.get_num_threads() != number:
        torch.set_num_threads(number)
    _last = _here.set = number


def cores_are_free(number: int) -> bool:
    """Whether so many threads get nearly all of the time of so many cores just now. Leaves the
    number of threads as it was.

    Work for all threads runs for a moment, and the processor time that this process got is
    compared with the time by the clock. Two threads on two cores get 1.7 to 2.0 of it alone, at
    most 1.5 beside one program that never rests, at most 1.2 beside two. How much faster they work
    tells less: a thread that has just slept is let in first, so for some milliseconds two are
    faster than one on a busy machine too. Beside another Python thread that trains the answer is
    no: its time would count as ours.
    """
    now = time.perf_counter()
    me = threading.get_ident()
    for thread, last in list(_stepped.items()):
        if now - last >= 1.0:
            _stepped.pop(thread, None)  # its loop is over
        elif thread != me:
            return False
    before = torch.get_num_threads()
    x = torch.zeros(256, 256)
    try:
        torch.set_num_threads(number)
        torch.mm(x, x)  # wakes the threads
        start, given = time.perf_counter(), time.process_time()
        while (spent := time.perf_counter() - start) < _PROBE:
            torch.mm(x, x)
        return time.process_time() - given >= _GIVEN * number * spent
    finally:
        torch.set_num_threads(before)


class Pace:
    """Chooses the number of threads for the steps of one loop, which repeat one piece of work.

        pace = Pace()
        for batch in batches:
            with pace.step():
                …
        pace.numbers      [1, 2]: which numbers were in use, in order of first use

    On a GPU, and where the number is asked for, nothing is measured.
    """

    def __init__(self, place: torch.device | None = None):
        self.numbers: list[int] = []
        self.steps = 0
        self.fixed = _asked()
        self.most = most_threads()
        if self.fixed is None and (self.most == 1 or (place and place.type != "cpu")):
            self.fixed = self.most
        self.seconds: dict[int, deque[float]] = {n: deque(maxlen=3) for n in (1, self.most)}
        self.again = self.not_before = 0.0
        self.look = LOOKS
        self.wait = 1.0
        self.trusted = 0.0

    @contextmanager
    def step(self) -> Iterator[None]:
        """One step of training, timed, with the number of threads that is chosen for it."""
        number = self._choose() if self.fixed is None else self.fixed
        _set(number)
        if number not in self.numbers:
            self.numbers.append(number)
        start = time.perf_counter()
        yield
        now = _stepped[threading.get_ident()] = time.perf_counter()
        if self.fixed is None:
            self._note(number, now - start)

    def _choose(self) -> int:
        self.steps += 1
        if len(self.seconds[self.most]) < SAMPLES:
            return self.most if self._free() else 1
        best, now = self._best(), time.perf_counter()
        if now < self.again or (best == self.most and self.steps < self.look):
            return best
        self.again, self.look = now + AGAIN, self.steps + LOOKS
        if best == self.most:
            return 1
        return self.most if self._free() else 1

    def _best(self) -> int:
        if not self.seconds[1]:
            return self.most
        one, all_of_them = (median(self.seconds[n]) for n in (1, self.most))
        return self.most if all_of_them < WORTH * one else 1

    def _free(self) -> bool:
        now = time.perf_counter()
        if now < self.not_before:
            return False
        if now < self.trusted:
            return True
        if cores_are_free(self.most):
            self.trusted = now + TRUST
            return True
        self._later(now)
        return False

    def _later(self, now: float) -> None:
        """Other work is there: one thread, for longer each time."""
        self.not_before = now + self.wait
        self.trusted = 0.0
        self.wait = min(2 * self.wait, PATIENCE)

    def _note(self, number: int, seconds: float) -> None:
        if self.steps == 1:  # it warms up
            return
        if number != 1 and self._spoilt(number, seconds):
            self.seconds[number].clear()
            self._later(time.perf_counter())
            return
        self.seconds[number].append(seconds)
        if len(self.seconds[self.most]) == 3:
            self.wait = 1.0

    def _spoilt(self, number: int, seconds: float) -> bool:
        one, so_far = self.seconds[1], self.seconds[number]
        if one:
            return seconds > SPOILT * median(one)
        return bool(so_far) and seconds > ALONE * min(so_far)


_most_at_import = torch.get_num_threads()
