"""Exercises of chapter 03: the Inception modules."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from inception_edu.describe import AvgPool, Chain, Concat, Conv, figures
from inception_edu.teach import checks
from inception_edu.teach.verdict import Verdict, right, wrong


def exercise_1(Fan: Any) -> Verdict:
    """A branch that fans out."""
    return checks.module(Fan, figures.InceptionC().branches[2], (1536, 8, 8), name="Fan")


def exercise_2(Slips: Any) -> Verdict:
    """Four slips in an Inception-A."""
    return checks.module(Slips, figures.InceptionA(), (384, 35, 35), name="Slips")


def exercise_3(turn: Any) -> Verdict:
    """A description with every kernel turned."""
    if not callable(turn):
        return checks.function(turn, [], [])
    small = Conv(8, (3, 1), relu=False)
    first = checks.description(lambda: turn(small), Conv(8, (1, 3), relu=False), name="turn")
    if not first.ok:
        return first
    with suppress(Exception):  # what it raises is told below
        if turn(AvgPool((1, 3))) is None:
            return wrong("A `Pool` comes back as None: its kernel is to be turned, too.")
    if small.kernel != (3, 1):
        return wrong("The node that you were given was changed; make a copy with `replace`.")
    long = figures.InceptionB("released").branches[3]
    inner = Concat(AvgPool((1, 3)), Conv(8, (1, 3), relu=False))
    verdict = checks.description(
        lambda: turn(Concat(long, Chain(Conv(8, (3, 1)), inner))),
        Concat(
            figures.InceptionB("paper").branches[3],
            Chain(Conv(8, (1, 3)), Concat(AvgPool((3, 1)), Conv(8, (3, 1), relu=False))),
        ),
        name="turn",
    )
    if not verdict.ok:
        return verdict
    block = figures.InceptionB()
    again = checks.description(lambda: turn(turn(block)), block, ordered=True, name="turn")
    if not again.ok:
        return wrong(f"Turned twice, Fig. 5 should be what it was. {again.message}")
    return right("Every kernel is turned, however deep, and everything else is kept.")
