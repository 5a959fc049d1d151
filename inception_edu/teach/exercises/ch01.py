"""Exercises of chapter 01: from GoogLeNet to Inception-v3."""

from __future__ import annotations

from typing import Any

from inception_edu.describe import Chain, Conv
from inception_edu.teach import checks
from inception_edu.teach.verdict import Verdict


def exercise_1(multiply_adds: Any) -> Verdict:
    """Multiply-adds of a convolution."""
    return checks.function(
        multiply_adds,
        lambda c, n, h, w, a, b: c * n * h * w * a * b,
        [(192, 32, 28, 28, 5, 5), (96, 64, 17, 17, 1, 7), (3, 32, 10, 20, 3, 3)],
        name="multiply_adds",
        wrong={
            "These are the weights; each is used at every place of the map.": (
                lambda c, n, h, w, a, b: c * n * a * b
            ),
            "These are the weights and a bias each; multiply-adds happen at every place.": (
                lambda c, n, h, w, a, b: c * n * a * b + n
            ),
            "The size of the kernel is missing: each place of the output needs kh·kw products per "
            "channel.": lambda c, n, h, w, a, b: c * n * h * w,
            "The kernel need not be square: `kh` times `kw`.": (
                lambda c, n, h, w, a, b: c * n * h * w * a * a
            ),
            "The kernel need not be square: `kh` times `kw`, in that order or the other.": (
                lambda c, n, h, w, a, b: c * n * h * w * b * b
            ),
            "The map need not be square: `h` times `w`.": (
                lambda c, n, h, w, a, b: c * n * h * h * a * b
            ),
            "The map has `h` times `w` places, not h + w.": (
                lambda c, n, h, w, a, b: c * n * (h + w) * a * b
            ),
            "The kernel has kh·kw places, not kh + kw.": (
                lambda c, n, h, w, a, b: c * n * h * w * (a + b)
            ),
            "Each sum runs over all input channels.": lambda c, n, h, w, a, b: n * h * w * a * b,
            "There are `filters` maps in the output.": lambda c, n, h, w, a, b: c * h * w * a * b,
            "Every filter sees every channel: multiply them, do not add them.": (
                lambda c, n, h, w, a, b: (c + n) * h * w * a * b
            ),
            "One multiply-add counts once here.": lambda c, n, h, w, a, b: (
                2 * c * n * h * w * a * b
            ),
            "Without padding the map would shrink; here it keeps its size.": (
                lambda c, n, h, w, a, b: c * n * (h - a + 1) * (w - b + 1) * a * b
            ),
            "A bias is an addition, no multiply-add: leave it out.": (
                lambda c, n, h, w, a, b: (c * a * b + 1) * n * h * w
            ),
            "Multiply the weights by the number of places; do not add the two.": (
                lambda c, n, h, w, a, b: c * n * a * b + n * h * w
            ),
            "The kernel's places are multiplied by the channels that come in, not added to "
            "them.": lambda c, n, h, w, a, b: n * h * w * (c + a * b),
            "That filters each channel by itself and then mixes them; here each filter reads all "
            "channels.": lambda c, n, h, w, a, b: c * h * w * a * b + c * n * h * w,
            "The first product of a sum counts too: kh·kw·c products, not one less.": (
                lambda c, n, h, w, a, b: (c * a * b - 1) * n * h * w
            ),
        },
    )


def exercise_2(m: Any) -> Verdict:
    """Where a 1×1 in front stops paying."""
    return checks.number(
        m,
        230,
        name="m",
        wrong={
            256: "With m = 256 the pair costs the 1×1 more than the 3×3 alone.",
            255: "The 1×1 has weights too: 256·m of them.",
            229: "A little more still fits: 230·10 is below 9·256 = 2304.",
            231: "231·10 is more than 9·256 = 2304: this costs a little more than the 3×3 alone.",
            230.4: "A whole number of filters, please.",
            2304: "That is 9·256; the pair has 10 weights for each filter: divide.",
            2304 / 9: "The 1×1 has weights too: 256·m of them.",
            2225: "The 3×3 behind the 1×1 has 256 filters: 9·m·256 weights, not 9·m.",
            28: "Let both sides of the comparison have 256 filters: 256·m + 9·m·256 < 9·256·256.",
            25: "256 weights for each filter of the 1×1 and 9·256 behind it: that is 10·256·m.",
            242: "The 3×3 behind the 1×1 still has 256 filters: 9·m·256 weights, not 9·m·m.",
            128: "Half the filters save much; the question is where the saving ends.",
            64: "That is what the paper likes to take; the question is where the saving ends.",
        },
    )


def exercise_3(split: Any) -> Verdict:
    """7×7 as 1×7 and 7×1."""
    return checks.description(
        split,
        Chain(Conv(64, 1), Conv(64, (1, 7)), Conv(128, (7, 1))),
        (256, 17, 17),
        name="split",
    )
