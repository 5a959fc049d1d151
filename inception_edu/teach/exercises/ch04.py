"""Exercises of chapter 04: the reductions."""

from __future__ import annotations

from typing import Any

from inception_edu.describe import figures
from inception_edu.teach import checks
from inception_edu.teach.verdict import Verdict


def exercise_1(leaves: Any) -> Verdict:
    """Channels that leave Reduction-A."""
    return checks.function(
        leaves,
        lambda c, k, w, m, n: c + n + m,
        [(384, 192, 224, 256, 384), (256, 192, 192, 256, 384), (100, 1, 20, 300, 4000)],
        name="leaves",
        wrong={
            "n and m are added to the pool's channels; nothing is multiplied.": (
                lambda c, k, w, m, n: c * (n + m)
            ),
            "The pool passes its channels on too.": lambda c, k, w, m, n: n + m,
            "384 enter in Inception-v4 only: use `c`.": lambda c, k, w, m, n: 384 + m + n,
            "k and l are inner widths; only the ends of branches are joined.": (
                lambda c, k, w, m, n: c + k + w + m + n
            ),
            "The 3×3 with `n` filters reaches the join, and `m` is the end of the third branch; "
            "`l` is inside it.": lambda c, k, w, m, n: c + w + m + n,
            "The third branch is missing: it ends with m channels.": lambda c, k, w, m, n: c + n,
            "The 3×3 with `n` filters is missing: it reaches the join.": (
                lambda c, k, w, m, n: c + m
            ),
            "These three follow one another: only the last, m, reaches the join.": (
                lambda c, k, w, m, n: k + w + m + n
            ),
            "That holds for the numbers of Inception-v4 only: use `m` and `n`.": (
                lambda c, k, w, m, n: c + 640
            ),
            "That holds where c = n, as in Inception-v4; each has a place of its own.": (
                lambda c, k, w, m, n: 2 * c + m
            ),
            "`k` is the 1×1 at the start of the third branch; it does not reach the join.": (
                lambda c, k, w, m, n: c + k + n
            ),
            "`k` is inside the third branch; that branch ends with `m`.": (
                lambda c, k, w, m, n: c + k + m + n
            ),
            "`l` is inside the third branch; that branch ends with `m`.": (
                lambda c, k, w, m, n: c + w + n
            ),
            "A concatenation adds channels up; the largest branch is not the whole.": (
                lambda c, k, w, m, n: max(c, n, m)
            ),
            "A concatenation adds channels; it does not multiply them.": (
                lambda c, k, w, m, n: c * n * m
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
