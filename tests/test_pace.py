"""Threads by measurement, and clocks that keep to their budget."""

import subprocess
import sys
import threading
import time

import pytest
import torch

from inception_edu.learn import Pace, Recipe, clock, history, pace, ratio, threads, timing, train
from inception_edu.learn.pace import AGAIN, LOOKS
from inception_edu.learn.timing import Timing

pytestmark = pytest.mark.usefixtures("threads_put_back")


class Machine:
    """A clock that stands still but for what `work` and the look at free cores cost on it."""

    def __init__(self, monkeypatch, quiet=1.0):
        self.now = 100.0
        self.quiet = quiet  # time of a step with two threads, over that with one, when undisturbed
        self.busy = False
        monkeypatch.delenv("INCEPTION_EDU_THREADS", raising=False)
        monkeypatch.setattr(pace, "most_threads", lambda: 2)
        monkeypatch.setattr(pace, "cores_are_free", self.look)
        monkeypatch.setattr(pace.time, "perf_counter", lambda: self.now)

    def look(self, number):
        self.now += 0.025
        return not self.busy

    def work(self, seconds=0.05):
        """A step: 50 ms with one thread; beside other work two threads take eight times as long."""
        if torch.get_num_threads() == 2:
            seconds *= 8 if self.busy else self.quiet
        self.now += seconds

    def run(self, steps, changes=()):
        """The numbers of threads of all steps, and the seconds that they took."""
        paced, used, start = Pace(), [], self.now
        for step in range(steps):
            if step in changes:
                self.busy = not self.busy
            with paced.step():
                used.append(torch.get_num_threads())
                self.work()
        return used, self.now - start


def test_two_threads_where_they_are_faster(monkeypatch):
    used, seconds = Machine(monkeypatch, quiet=0.7).run(200)
    assert set(used[: LOOKS - 1]) == {2} and used[LOOKS - 1] == 1
    assert used.count(2) > 190
    assert seconds < 0.05 * 200 * 0.73


def test_looks_at_one_thread_cost_little_where_a_step_is_long(monkeypatch):
    """Of steps of seconds, not one in three is spent on looking."""
    machine = Machine(monkeypatch, quiet=0.6)
    paced, used = Pace(), []
    for _ in range(100):
        with paced.step():
            used.append(torch.get_num_threads())
            machine.work(seconds=3.0)
    assert used.count(1) == 100 // LOOKS


def test_one_thread_where_two_bring_nothing(monkeypatch):
    used, seconds = Machine(monkeypatch, quiet=0.99).run(400)
    assert used.count(2) <= LOOKS + 400 * 0.05 / AGAIN
    assert seconds < 0.05 * 400 * 1.02


def test_one_thread_beside_other_work(monkeypatch):
    machine = Machine(monkeypatch, quiet=0.7)
    machine.busy = True
    used, seconds = machine.run(200)
    assert set(used) == {1}
    assert seconds < 0.05 * 200 * 1.1


def test_other_work_that_begins_is_met_once(monkeypatch):
    used, seconds = Machine(monkeypatch, quiet=0.7).run(400, changes=[100])
    assert used[100] == 2 and set(used[101:]) == {1}
    one = 0.05 * 400
    assert seconds < 1.1 * one


def test_other_work_that_begins_before_one_thread_was_timed_is_met_once(monkeypatch):
    used, _ = Machine(monkeypatch, quiet=0.7).run(200, changes=[10])
    assert used[10] == 2 and set(used[11:]) == {1}


def test_other_work_that_ends_is_noticed(monkeypatch):
    machine = Machine(monkeypatch, quiet=0.7)
    machine.busy = True
    used, _ = machine.run(1000, changes=[60])
    assert set(used[:60]) == {1} and used[-200:].count(2) > 190


def test_what_is_asked_for_decides(monkeypatch):
    machine = Machine(monkeypatch, quiet=0.7)
    monkeypatch.setenv("INCEPTION_EDU_THREADS", "1")
    assert set(machine.run(50)[0]) == {1}
    monkeypatch.setenv("INCEPTION_EDU_THREADS", "2")
    machine.busy = True
    assert set(machine.run(50)[0]) == {2}
    with threads(1):
        assert set(machine.run(50)[0]) == {1}
        with threads(2):
            assert set(machine.run(50)[0]) == {2}
        assert torch.get_num_threads() == 1


def test_cores_that_others_use_are_not_free():
    """Beside as many programs that never rest as there are cores."""
    number = max(2, pace.cores())
    spin = [sys.executable, "-c", "while True: pass"]
    others = [subprocess.Popen(spin) for _ in range(number)]
    torch.set_num_threads(1)
    try:
        time.sleep(0.2)
        found = [pace.cores_are_free(number) for _ in range(9)]
    finally:
        for other in others:
            other.kill()
            other.wait()
    assert found.count(True) <= 1, found
    assert torch.get_num_threads() == 1


def test_beside_another_thread_that_trains_the_cores_are_not_free(monkeypatch):
    """Its processor time is this process's too, so the clocks alone would say that they are."""
    monkeypatch.setattr(pace.time, "process_time", lambda: 10 * time.perf_counter())
    assert pace.cores_are_free(1)
    stop, begun = threading.Event(), threading.Event()

    def train_on():
        paced = Pace()
        while not stop.is_set():
            with paced.step():
                torch.mm(torch.zeros(64, 64), torch.zeros(64, 64))
            begun.set()

    other = threading.Thread(target=train_on)
    other.start()
    try:
        assert begun.wait(10)
        assert not any(pace.cores_are_free(1) for _ in range(5))
    finally:
        stop.set()
        other.join()


def test_a_context_gives_the_number_back():
    before = torch.get_num_threads()
    with pytest.raises(KeyError), threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise KeyError
    assert torch.get_num_threads() == before


def test_a_number_that_the_reader_set_is_the_most(monkeypatch):
    monkeypatch.setattr(pace, "cores", lambda: 16)
    torch.set_num_threads(3)
    assert pace.most_threads() == 3
    pace._set(1)  # our own choice is not taken for the reader's
    assert pace.most_threads() == 3


def curve(number):
    from test_train import images, small

    recipe = Recipe(steps=3, batch_size=16, lr=0.05, precision="float32", record_every=1)
    with threads(number):
        found = train(small(), images(32, side=32), recipe)
    assert found.threads == [number]
    return [record.loss for record in found.records]


def test_the_same_seed_repeats_with_the_same_number_of_threads_only():
    """What is true, and what the docstring of `train` says."""
    one, two = curve(1), curve(2)
    assert one == curve(1) and two == curve(2)
    assert one != two, "sums are added in another order"
    assert one[0] == pytest.approx(two[0], rel=1e-5)


def test_a_history_without_threads_can_be_read():
    from test_train import QUICK, images, small

    kept = train(small(), images(), QUICK).to_dict()
    assert set(kept["threads"]) <= {1, pace.most_threads()} and kept["threads"]
    del kept["threads"]  # as files of earlier versions
    assert history.History.from_dict(kept).threads == []


# --- Clocks ---------------------------------------------------------------------------------------


def test_rounds_take_turns_and_the_first_does_not_count():
    order = []
    found = clock({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, rounds=3)
    assert order == ["a", "b"] * 4
    assert [len(timing) for timing in found.values()] == [3, 3]


def test_no_round_begins_when_the_budget_is_spent(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(timing.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(timing, "set_threads", lambda: 1)

    def slow(x):
        now[0] += 3.0

    found = clock({"slow": slow}, torch.zeros(1), rounds=50, budget=10)
    assert len(found["slow"]) == 3 and now[0] == 12.0
    found = clock({"slow": slow}, torch.zeros(1), rounds=50, budget=1)
    assert found["slow"] == [3.0], "the first round is all there is"
    assert str(found["slow"]) == "3 s (one round: rough)" and found["slow"].spread == float("inf")


def test_a_clock_waits_for_the_device_of_the_arguments(monkeypatch):
    waited = []
    monkeypatch.setattr(timing, "synchronize", lambda device: waited.append(device.type))
    clock({"a": lambda x: x}, torch.zeros(1, device="meta"), rounds=1)
    assert waited == ["meta"] * 4  # before and after each of the two calls


def test_a_timing_says_how_sure_it_is():
    steady = Timing([0.100, 0.101, 0.099, 0.100, 0.100])
    assert str(steady) == "100 ms (100 to 100 in 5 rounds)" and steady.spread < 0.1
    jumpy = Timing([0.1, 0.4, 0.1, 0.3, 0.2])
    assert "rough" in str(jumpy) and jumpy.median == 0.2
    assert ratio(Timing([2.0, 30.0, 4.0]), Timing([1.0, 10.0, 2.0])) == 2.0


def test_timing_a_real_call():
    found = clock({"nap": lambda: time.sleep(0.01)}, rounds=3)["nap"]
    assert 0.009 < found.low <= found.median <= found.high < 2
