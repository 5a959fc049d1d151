"""Exercises of chapter 10: the race."""

from __future__ import annotations

import math
from typing import Any

from inception_edu.describe import Network, measure, networks
from inception_edu.teach import checks
from inception_edu.teach.exercises.controls import faults_of_control
from inception_edu.teach.verdict import (
    Verdict,
    missing,
    right,
    short,
    student_code,
    unsolved,
    wrong,
)


def exercise_1(mean_error: Any) -> Verdict:
    """Area under a curve of errors, divided by its length."""

    def pieces(steps: Any, errors: Any) -> list[tuple[float, float, float]]:
        return list(zip([b - a for a, b in zip(steps, steps[1:])], errors, errors[1:]))

    def area(steps: Any, errors: Any) -> float:
        return sum(width * (e + f) / 2 for width, e, f in pieces(steps, errors))

    return checks.function(
        mean_error,
        [0.625, 0.43, 0.4, 0.63],
        [
            ([0, 1, 2], [1.0, 0.5, 0.5]),
            ([0, 10, 100], [0.9, 0.5, 0.3]),
            ([50, 100], [0.6, 0.2]),
            ([10, 20, 40, 60], [0.8, 0.7, 0.6, 0.5]),
        ],
        name="mean_error",
        wrong={
            "A piece's two heights are added, not subtracted.": (
                lambda s, e: sum(w * (b - a) / 2 for w, a, b in pieces(s, e)) / (s[-1] - s[0])
            ),
            "That is the mean of the first and the last error; the others count too.": (
                lambda s, e: (e[0] + e[-1]) / 2
            ),
            "The last piece is missing: n points make n − 1 pieces.": (
                lambda s, e: area(s[:-1], e[:-1]) / (s[-1] - s[0])
            ),
            "A step is a place, not a width: weigh each mean height with its piece's width.": (
                lambda s, e: sum(a * b for a, b in zip(s, e)) / sum(s)
            ),
            "That is the plain mean of the errors: a long piece must count for more than a short "
            "one.": lambda s, e: sum(e) / len(e),
            "That is the area; divide it by the length of the axis.": area,
            "Divide by the length from the first step to the last, not by the last step.": (
                lambda s, e: area(s, e) / s[-1]
            ),
            "Divide by the length of the axis, not by the number of points.": (
                lambda s, e: area(s, e) / len(s)
            ),
            "Divide by the length of the axis, not by the number of pieces.": (
                lambda s, e: area(s, e) / (len(s) - 1)
            ),
            "A piece is a trapezoid: take the mean of its two heights, not the left one.": (
                lambda s, e: sum(w * a for w, a, _ in pieces(s, e)) / (s[-1] - s[0])
            ),
            "A piece is a trapezoid: take the mean of its two heights, not the right one.": (
                lambda s, e: sum(w * b for w, _, b in pieces(s, e)) / (s[-1] - s[0])
            ),
            "The two heights of a piece are averaged: divide their sum by 2.": (
                lambda s, e: 2 * area(s, e) / (s[-1] - s[0])
            ),
            "Pieces differ in width: multiply each mean height by its width.": (
                lambda s, e: sum((a + b) / 2 for _, a, b in pieces(s, e)) / (len(s) - 1)
            ),
            "That is the middle one of the sorted errors; each piece counts with its width.": (
                lambda s, e: sorted(e)[len(e) // 2]
            ),
            "The last error alone says nothing about the way there.": lambda s, e: e[-1],
            "A piece's heights are added, not subtracted.": (
                lambda s, e: sum(w * (a - b) / 2 for w, a, b in pieces(s, e)) / (s[-1] - s[0])
            ),
        },
    )


def _mini(name: str, *repeats: int) -> Network:
    return networks.mini(networks.network(name), width=1 / 16, repeats=repeats, image=28)


def exercise_2(partner: Any) -> Verdict:
    """The network of nearest cost."""
    shapes = ((1, 2, 1), (2, 3, 2), (2, 4, 3), (5, 10, 5))
    field = {str(shape): _mini("inception_resnet_v2", *shape) for shape in shapes}
    far_apart = {
        str(shape): _mini("inception_resnet_v2", *shape) for shape in ((1, 1, 0), shapes[-1])
    }
    between = _mini("inception_resnet_v2", 2, 4, 3)  # nearer to the first, by its own measure
    targets = [_mini("inception_v4", *r) for r in ((1, 2, 1), (1, 1, 0), (4, 7, 3), (2, 2, 1))]

    def nearest(target: Network, candidates: dict[str, Network], what: str = "macs") -> str:
        wanted = getattr(measure(target), what)

        def off(name: str) -> float:
            return abs(getattr(measure(candidates[name]), what) / wanted - 1)

        return min(candidates, key=off)

    def by_candidate(target: Network, candidates: dict[str, Network]) -> str:
        wanted = measure(target).macs
        return min(candidates, key=lambda n: abs(wanted / measure(candidates[n]).macs - 1))

    def above(target: Network, candidates: dict[str, Network]) -> str:
        wanted = measure(target).macs
        fits = [n for n, c in candidates.items() if measure(c).macs >= wanted]
        return min(fits, key=lambda n: measure(candidates[n]).macs)

    def below(target: Network, candidates: dict[str, Network]) -> str:
        wanted = measure(target).macs
        fits = [n for n, c in candidates.items() if measure(c).macs <= wanted]
        return max(fits, key=lambda n: measure(candidates[n]).macs)

    def cheapest(target: Network, candidates: dict[str, Network]) -> str:
        return min(candidates, key=lambda n: measure(candidates[n]).macs)

    def by_blocks(target: Network, candidates: dict[str, Network]) -> str:
        wanted = len(target.blocks)
        return min(candidates, key=lambda n: abs(len(candidates[n].blocks) - wanted))

    def dearest(target: Network, candidates: dict[str, Network]) -> str:
        return max(candidates, key=lambda n: measure(candidates[n]).macs)

    def farthest(target: Network, candidates: dict[str, Network]) -> str:
        wanted = measure(target).macs
        return max(candidates, key=lambda n: abs(measure(candidates[n]).macs - wanted))

    def twin_of_name(target: Network, candidates: dict[str, Network]) -> Network:
        return candidates[nearest(target, candidates)]

    return checks.function(
        partner,
        nearest,
        [*((target, field) for target in targets), (between, far_apart)],
        name="partner",
        wrong={
            "Relative to the target's multiply-adds, not to each candidate's.": by_candidate,
            "That compares parameters; the race is at equal multiply-adds.": (
                lambda t, c: nearest(t, c, "params")
            ),
            "That is the nearest of those that cost more; one of less cost may be nearer.": above,
            "That is the nearest of those that cost less; one of more cost may be nearer.": below,
            "That compares numbers of blocks; the race is at equal multiply-adds.": by_blocks,
            "That is the cheapest of all: compare with the target.": cheapest,
            "That costs most of all: take the distance, `abs(…)`, from the target.": dearest,
            "That is the one farthest away: `min`, not `max`.": farthest,
            "The name is asked for, not the network.": twin_of_name,
        },
    )


def exercise_3(factor: Any) -> Verdict:
    """Growth of a gradient from one block to the one below."""
    return checks.function(
        factor,
        [2.0, 1.0, 0.5, 3.0, 2.0],
        [
            [8.0, 4.0, 2.0, 1.0],
            [5.0, 5.0],
            [1.0, 2.0, 4.0],
            [9.0, 1.0, 1.0],
            [32.0, 1.0, 4.0, 8.0, 1.0, 1.0],
        ],
        name="factor",
        wrong={
            "A factor is a ratio: divide the two lengths, then take the root.": (
                lambda x: (x[0] - x[-1]) ** (1 / (len(x) - 1))
            ),
            "Take the (n − 1)th root, not the (n − 1)th power.": lambda x: (
                (x[0] / x[-1]) ** (len(x) - 1)
            ),
            "The first over the last, not the largest over the smallest: it may also shrink.": (
                lambda x: (max(x) / min(x)) ** (1 / (len(x) - 1))
            ),
            "One step too many: n blocks are n − 1 steps apart.": (
                lambda x: (x[0] / x[-1]) ** (1 / len(x))
            ),
            "Upside down: the gradient travels from the last block to the first.": (
                lambda x: (x[-1] / x[0]) ** (1 / (len(x) - 1))
            ),
            "Upside down, and one step too many.": lambda x: (x[-1] / x[0]) ** (1 / len(x)),
            "That is the growth over all blocks; one step has its (n − 1)th root.": (
                lambda x: x[0] / x[-1]
            ),
            "A factor is multiplied n − 1 times: take a root, do not divide.": (
                lambda x: x[0] / x[-1] / (len(x) - 1)
            ),
            "A mean of the ratios is pulled up by one large ratio; the product must come out "
            "right.": lambda x: sum(a / b for a, b in zip(x, x[1:])) / (len(x) - 1),
            "That is the first step alone; take all of them.": lambda x: x[0] / x[1],
            "That is the last step alone; take all of them.": lambda x: x[-2] / x[-1],
            "A factor, not a difference: divide.": lambda x: (x[0] - x[-1]) / (len(x) - 1),
            "That is a mean of the lengths; the factor compares the first with the last.": (
                lambda x: math.exp(sum(map(math.log, x)) / len(x))
            ),
            "That is the logarithm of the factor: take `exp` of it.": (
                lambda x: math.log(x[0] / x[-1]) / (len(x) - 1)
            ),
            "The root's order is the number of steps, one less than the blocks: n − 1.": (
                lambda x: (x[0] / x[-1]) ** (1 / (len(x) + 1))
            ),
        },
    )


def exercise_4(judge: Any) -> Verdict:
    """What an interval allows to say."""

    def right_one(low: float, high: float) -> str:
        if high < 0:
            return "faster"
        return "slower" if low > 0 else "open"

    def by_middle(low: float, high: float) -> str:
        return "faster" if low + high < 0 else "slower"

    def middle_or_open(low: float, high: float) -> str:
        if low + high == 0:
            return "open"
        return by_middle(low, high)

    def swapped(low: float, high: float) -> str:
        return {"faster": "slower", "slower": "faster", "open": "open"}[right_one(low, high)]

    def touching(low: float, high: float) -> str:
        if high <= 0:
            return "faster"
        return "slower" if low >= 0 else "open"

    def swapped_and_touching(low: float, high: float) -> str:
        if low < 0 < high:
            return "open"
        return "faster" if low > 0 else "slower"

    def by_width(low: float, high: float) -> str:
        return "open" if high - low > 2 else by_middle(low, high)

    def one_end(low: float, high: float) -> str:
        if low < 0:
            return "faster"
        return "slower" if high > 0 else "open"

    def never_open(low: float, high: float) -> str:
        return "faster" if high < 0 else "slower"

    def always_faster(low: float, high: float) -> str:
        return "open" if low < 0 < high else "faster"

    def never_slower(low: float, high: float) -> str:
        return "faster" if high < 0 else "open"

    return checks.function(
        judge,
        right_one,
        [
            (-3.0, -1.0),
            (0.5, 2.0),
            (-4.0, 0.5),
            (-0.1, 3.0),
            (-9.0, -1.0),
            (1.0, 8.0),
            (-0.4, 0.3),
            (-2.0, 0.0),
            (0.0, 2.0),
        ],
        name="judge",
        wrong={
            "Below 0 the residual network errs less; and an interval that ends at 0 holds 0.": (
                swapped_and_touching
            ),
            "That looks at the middle alone: an interval that holds 0 has shown nothing.": (
                by_middle
            ),
            "That looks at the middle alone: a wide interval around it may hold 0 too.": (
                middle_or_open
            ),
            "The errors are residual minus plain: below 0 the residual network errs less.": swapped,
            "An interval that ends at 0 holds 0: only `< 0` and `> 0` are whole.": touching,
            "Its width does not matter: does the interval hold 0?": by_width,
            "Its width does not matter. Does 0 lie in it?": (
                lambda low, high: "open" if high - low > 2 else never_open(low, high)
            ),
            'One end is not enough: for "faster" the upper end must be below 0 too.': one_end,
            'An interval that holds 0 is "open".': never_open,
            'An interval that lies above 0 is "slower", not "open".': never_slower,
            'An interval that lies above 0 is "slower", not "faster".': always_faster,
        },
    )


def exercise_5(control: Any) -> Verdict:
    """The control that is missing from the experiment on depth.

    The towers: rates 0.02, 0.05 and 0.1, five seeds, 600 steps.
    """
    if missing(control):
        return unsolved()
    if not isinstance(control, dict):
        return wrong(f"A dictionary is asked for: `dict(blocks=…, …)`, got {short(control)}.")
    with student_code():
        control = {
            key: (value.tolist() if hasattr(value, "tolist") else value)
            for key, value in control.items()
        }
    keys = ("blocks", "rates", "seeds", "steps")
    if lacking := [key for key in keys if key not in control]:
        return wrong(f"There is no entry for {lacking[0]!r}.")
    if surplus := [key for key in control if key not in keys]:
        return wrong(f"There is an entry {surplus[0]!r} that is not asked for.")
    if any(missing(value) for value in control.values()):
        return unsolved("There is still a `...` among the entries.")
    faults = faults_of_control(**control)
    if faults:
        return wrong(*faults)
    return right(
        "The stem alone, with the same care: if no tower beats it, the blocks have not earned "
        "their place, whatever the race between them says."
    )
