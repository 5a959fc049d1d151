"""Exercises of chapter 02: the stem and the arithmetic of sizes."""

from __future__ import annotations

from typing import Any

from inception_edu.describe import figures
from inception_edu.teach import checks
from inception_edu.teach.verdict import Verdict


def exercise_1(places: Any) -> Verdict:
    """Places at which a window stops."""
    return checks.function(
        places,
        lambda n, k, s, p: (n + 2 * p - k) // s + 1,
        [
            (299, 3, 2, 0),
            (147, 3, 1, 1),
            (149, 3, 1, 0),
            (224, 3, 2, 0),
            (10, 3, 3, 0),
            (35, 7, 2, 3),
            (20, 5, 3, 1),
            (28, 1, 2, 0),
        ],
        name="places",
        wrong={
            "That holds for 3×3 windows only: use `k`.": (
                lambda n, k, s, p: (n + 2 * p - 3) // s + 1
            ),
            "The window slides over the padding too: put it inside the division.": (
                lambda n, k, s, p: (n - k) // s + 1 + 2 * p
            ),
            "Padding is on both sides: it counts twice.": lambda n, k, s, p: (n + p - k) // s + 1,
            "Padding makes the row longer: add it.": lambda n, k, s, p: (n - 2 * p - k) // s + 1,
            "The first place counts too: add 1.": lambda n, k, s, p: (n + 2 * p - k) // s,
            "Add 1 after the division: the first place is no step.": (
                lambda n, k, s, p: (n + 2 * p - k + 1) // s
            ),
            "The window's own width counts in pixels: subtract `k` before you divide by the "
            "stride.": lambda n, k, s, p: (n + 2 * p) // s - k + 1,
            "The stride is missing.": lambda n, k, s, p: n + 2 * p - k + 1,
            "Round down with //: half a place is none.": lambda n, k, s, p: (n + 2 * p - k) / s + 1,
            "Round down: a window that sticks out does not count.": (
                lambda n, k, s, p: -(-(n + 2 * p - k) // s) + 1
            ),
            "Round down with //; `round` goes up at times.": (
                lambda n, k, s, p: round((n + 2 * p - k) / s) + 1
            ),
            "The window's own width is missing.": lambda n, k, s, p: (n + 2 * p) // s,
            "The window's own width is missing: subtract `k` before the division.": (
                lambda n, k, s, p: (n + 2 * p) // s + 1
            ),
            "The window's own width is missing, and so is the padding.": lambda n, k, s, p: n // s,
            "The padding is missing.": lambda n, k, s, p: (n - k) // s + 1,
            "Add 1 to the number of steps, not to the stride.": (
                lambda n, k, s, p: (n + 2 * p - k) // (s + 1)
            ),
            "Subtract `k` once; only the padding is on both sides.": (
                lambda n, k, s, p: (n + 2 * (p - k)) // s + 1
            ),
            "Windows may overlap: divide by the stride, not by the width.": (
                lambda n, k, s, p: (n + 2 * p - k) // k + 1
            ),
            "The brackets are wrong: subtract `k` before you divide.": (
                lambda n, k, s, p: n + 2 * p - k // s + 1
            ),
            "Divide by the stride; you multiplied.": lambda n, k, s, p: (n + 2 * p - k) * s + 1,
            "One place too many: add 1 once.": lambda n, k, s, p: (n + 2 * p - k) // s + 2,
        },
    )


def exercise_2(leaves: Any) -> Verdict:
    """What leaves the stem of Fig. 3 for 224×224."""
    return checks.shape(
        leaves,
        (384, 25, 25),
        name="leaves",
        wrong={
            (384, 28, 28): "That is 224/8: the V convolutions also take pixels from the edge.",
            (384, 26, 26): "Somewhere you rounded up: V windows round down.",
            (384, 27, 27): "A V window takes pixels from the edge at each of its layers.",
            (384, 35, 35): "That is what 299 gives.",
            (192, 25, 25): "The last join puts two branches of 192 channels side by side.",
            (192, 52, 52): "That is the second join; one step of stride 2 follows.",
            (160, 54, 54): "That is the first join; the stem goes on.",
            (384, 52, 52): "The last step has stride 2: it halves the map.",
            (256, 25, 25): "256 leave the stem of Fig. 14; this is Fig. 3.",
        },
    )


def exercise_3(needs: Any) -> Verdict:
    """Pixels that a window needs for m places."""
    return checks.function(
        needs,
        lambda m, k, s: (m - 1) * s + k,
        [(1, 3, 2), (3, 3, 2), (35, 3, 2), (147, 3, 1), (4, 7, 2), (5, 1, 2), (3, 5, 3)],
        name="needs",
        wrong={
            "That holds for 3×3 windows only: use `k`.": lambda m, k, s: (m - 1) * s + 3,
            "For `m = 1` this gives `s + k` pixels. But one place needs no more than `k`.": (
                lambda m, k, s: m * s + k
            ),
            "You multiplied the size by the stride; the window's width is missing.": (
                lambda m, k, s: m * s
            ),
            "One pixel more than necessary: the places are `m - 1` steps apart.": (
                lambda m, k, s: m * s + k - 1
            ),
            "The window is k wide only once, at the first place.": (
                lambda m, k, s: (m - 1) * (s + k)
            ),
            "That holds for 3×3 with stride 2 only; use `k` and `s`.": lambda m, k, s: 2 * m + 1,
            "This goes forwards: pixels to places.": lambda m, k, s: (m - k) // s + 1,
            "Windows overlap: every further place takes `s` pixels more, not `k`.": (
                lambda m, k, s: m * k
            ),
            "The stride is missing: every further place takes `s` more.": (
                lambda m, k, s: m - 1 + k
            ),
            "The last window must fit whole: add `k`, not `k - 1`.": (
                lambda m, k, s: (m - 1) * s + k - 1
            ),
            "The first place takes `k` pixels: the width is missing.": lambda m, k, s: (m - 1) * s,
            "One pixel too many: with (m - 1)·s + k the last window just fits.": (
                lambda m, k, s: (m - 1) * s + k + 1
            ),
            "Stride and width have changed places.": lambda m, k, s: (m - 1) * k + s,
        },
    )


def exercise_4(fig_14: Any) -> Verdict:
    """The stem of Inception-ResNet-v1."""
    return checks.description(fig_14, figures.StemV1(), shape=(3, 299, 299), name="Fig. 14")


def exercise_5(Join2: Any) -> Verdict:
    """A join whose branches differ in size."""
    return checks.module(Join2, figures.StemV4().parts[4], (160, 25, 25), name="Join2")
