"""Ratios of times, and when they say something."""

import random

import pytest

from inception_edu.learn.speedup import Speedup


def test_the_interval_by_hand():
    """Six rounds: all of them lie on one side of the median with probability 2 / 64, so the
    smallest and the largest are a 96.9 % interval. With nine, 2 · (1 + 9) / 512 leaves 96.1 %."""
    assert Speedup((1.0, 1.1, 1.2, 1.3, 1.4)).interval is None
    assert Speedup((1.3, 1.1, 1.6, 1.2, 1.4, 1.5)).interval == (1.1, 1.6)
    nine = tuple(1 + i / 10 for i in range(1, 10))
    assert Speedup(nine).interval == (1.2, 1.8)


@pytest.mark.parametrize(
    "ratios, verdict",
    [
        ((1.2,) * 7, "faster"),
        ((0.8,) * 7, "slower"),
        ((0.9, 1.1, 0.95, 1.05, 1.2, 0.8, 1.0), "no clear gain"),
        ((2.0, 2.1), "too few rounds to tell"),
    ],
)
def test_verdicts(ratios, verdict):
    assert Speedup(ratios).verdict == verdict
    assert str(Speedup(ratios)).startswith(verdict)


def test_rounds_are_compared_in_pairs():
    assert Speedup.of([2.0, 8.0], [1.0, 2.0]).ratios == (2.0, 4.0)


def test_without_a_gain_it_is_wrong_once_in_twenty_at_most():
    draw = random.Random(0)
    wrong = 0
    for _ in range(2000):
        ratios = tuple(draw.lognormvariate(0, 0.3) for _ in range(12))
        wrong += Speedup(ratios).verdict in ("faster", "slower")
    assert 0 < wrong / 2000 < 0.05
