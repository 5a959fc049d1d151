"""Exercises of chapter 04: the reductions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inception_edu.describe import figures
from inception_edu.teach import checks
from inception_edu.teach.verdict import Verdict


def exercise_1(cost: Any) -> Verdict:
    """Multiply-adds of Reduction-A."""
    large, small = 35 * 35, 17 * 17

    def counted(
        beside: int = small, one: int = large, inner: int = large, last: int = small
    ) -> Callable[..., int]:
        """The right count, with these places for the four convolutions."""
        return lambda c, k, w, m, n: (
            9 * c * n * beside + c * k * one + 9 * k * w * inner + 9 * w * m * last
        )

    return checks.function(
        cost,
        counted(),
        [(384, 192, 224, 256, 384), (256, 192, 192, 256, 384), (100, 10, 20, 300, 400)],
        name="cost",
        wrong={
            "The two convolutions with stride 2 make 17×17 places, and work at no others.": (
                counted(beside=large, last=large)
            ),
            "Only the two convolutions with stride 2 make 17×17 places. The 1×1 and the 3×3 with "
            "`l` filters keep 35×35.": counted(one=small, inner=small),
            "The 1×1 has stride 1: it works at all 35×35 places.": counted(one=small),
            "The 3×3 with `l` filters has stride 1: it works at all 35×35 places.": (
                counted(inner=small)
            ),
            "The last 3×3 of the third branch has stride 2: it makes 17×17 places.": (
                counted(last=large)
            ),
            "The 3×3 with `n` filters has stride 2: it makes 17×17 places.": counted(beside=large),
            "A V window of 3 with stride 2 stops at ⌊(35 − 3)/2⌋ + 1 = 17 places, not at 18.": (
                counted(beside=18 * 18, last=18 * 18)
            ),
            "The third branch is a chain: each convolution reads the filters of the one before it, "
            "and only the first reads `c`.": lambda c, k, w, m, n: (
                9 * c * (n + m) * small + c * (k + 9 * w) * large
            ),
            "The last 3×3 of the third branch reads the `l` channels of the one before it.": (
                lambda c, k, w, m, n: 9 * c * (n + m) * small + k * (c + 9 * w) * large
            ),
            "The second branch is missing: a 3×3 with `n` filters.": counted(beside=0),
            "The 1×1 has weights too: c·k of them, at 35×35 places.": counted(one=0),
            "The 3×3 with `l` filters is missing.": counted(inner=0),
            "The last 3×3 of the third branch is missing: it has `m` filters.": counted(last=0),
            "A 3×3 has nine weights for each pair of channels.": lambda c, k, w, m, n: (
                (c * n + w * m) * small + (c + w) * k * large
            ),
            "The 3×3 with `l` filters has nine weights for each pair of channels.": (
                lambda c, k, w, m, n: 9 * (c * n + w * m) * small + (c * k + 3 * k * w) * large
            ),
            "A 1×1 has one weight for each pair of channels, not nine.": counted(one=9 * large),
            "A max pool compares. It has no multiply-add.": lambda c, k, w, m, n: (
                counted()(c, k, w, m, n) + 9 * c * small
            ),
            "These are the weights; each is used at every place of its output.": counted(
                1, 1, 1, 1
            ),
            "One multiply-add counts once here.": lambda *klmn: 2 * counted()(*klmn),
            "Every filter sees every channel that comes in: multiply by these channels too.": (
                lambda c, k, w, m, n: 9 * (n + m) * small + (k + 9 * w) * large
            ),
            "`m` ends the third branch, `n` is the second one.": lambda c, k, w, m, n: counted()(
                c, k, w, n, m
            ),
            "384 enter in Inception-v4 only: use `c`.": lambda c, k, w, m, n: counted()(
                384, k, w, m, n
            ),
            "A map of 35×35 has 35·35 places, not 35.": counted(17, 35, 35, 17),
            "Those are the channels that leave; the multiply-adds are asked for.": (
                lambda c, k, w, m, n: c + n + m
            ),
        },
    )


def exercise_2(fig_12: Any) -> Verdict:
    """Reduction-B of Inception-ResNet-v1."""
    return checks.description(fig_12, figures.ReductionB_v1(), shape=(896, 17, 17), name="Fig. 12")


def exercise_3(ReductionA: Any) -> Verdict:
    """Reduction-A as a module."""
    return checks.module(
        ReductionA,
        figures.ReductionA(192, 224, 256, 384),
        (384, 35, 35),
        name="ReductionA",
    )


def exercise_4(leaves_18: Any) -> Verdict:
    """Fig. 18 with the 896 channels of v1."""
    return checks.number(
        leaves_18,
        896 + 384 + 288 + 320,
        name="leaves_18",
        wrong={
            384 + 384 + 288 + 320: "896 channels enter v1's Reduction-B, not 384.",
            1792: "That is what the paper prints for v1, and what Fig. 12 gives. Add up Fig. 18.",
            2144: "That is with the 1152 channels of v2.",
            992: "The 896 channels pass through the pool: they leave too.",
            896: "The pool is one branch of four: the others add channels.",
            896 * 3 + 384 + 288 + 320: "The 896 channels pass through the pool alone. The other "
            "branches end with their own filters.",
            896 + 384 + 320: "The branch that ends with 288 is missing.",
            896 + 384 + 288: "The branch that ends with 320 is missing.",
            896 + 288 + 320: "The branch that ends with 384 is missing.",
            896 + 384 + 256 + 288 + 320: "A branch ends with its last convolution only: 256 is "
            "inside.",
            896 + 256 * 3 + 384 + 288 * 2 + 320: "Only the last convolution of a branch reaches "
            "the join.",
            896 + 384 + 256 + 256: "Those are the filters of Fig. 12; look at Fig. 18.",
            896 + 3 * 256: "The branches end with their last convolutions, not with the 1×1 of "
            "256.",
            896
            + 384
            + 288
            + 288
            + 320: "Count each branch once: the last one passes 288 on to its 320.",
            896 + 384 + 288 + 288: "The last branch grows once more: it ends with 320.",
        },
    )
