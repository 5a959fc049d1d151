"""Exercises of chapter 08: scaling the residual."""

from __future__ import annotations

import math
from typing import Any

from inception_edu.teach import checks
from inception_edu.teach.verdict import Verdict


def exercise_1(growth: Any) -> Verdict:
    """Standard deviation of a sum of scaled, independent additions."""
    return checks.function(
        growth,
        lambda s, n, v: s * (n * v / 2) ** 0.5,
        [(0.0, 10, 0.8), (1.0, 10, 0.8), (0.1, 40, 1.0), (0.3, 5, 2.0)],
        name="growth",
        wrong={
            "Forget the stem: the sum of the additions begins at 0.": (
                lambda s, n, v: (1 + n * s**2 * v / 2) ** 0.5
            ),
            "The scale multiplies the deviation once; squared it belongs to the variance.": (
                lambda s, n, v: s**2 * (n * v / 2) ** 0.5
            ),
            "`depth` terms are added, not one fewer.": lambda s, n, v: s * ((n - 1) * v / 2) ** 0.5,
            "Standard deviations do not add up, variances do.": (
                lambda s, n, v: s * n * (v / 2) ** 0.5
            ),
            "$b^2$ is $v/2$, not $v$.": lambda s, n, v: s * (n * v) ** 0.5,
            "The scale multiplies the deviation, so its square multiplies the variance.": (
                lambda s, n, v: (s * n * v / 2) ** 0.5
            ),
            "That is the variance; a standard deviation is its root.": (
                lambda s, n, v: s**2 * n * v / 2
            ),
            "That is a variance, and the scale enters it squared; a standard deviation is its "
            "root.": lambda s, n, v: s * n * v / 2,
            "The scale is missing: at scale 0 nothing is added.": (
                lambda s, n, v: (n * v / 2) ** 0.5
            ),
            "The depth is missing: `depth` terms are added.": lambda s, n, v: s * (v / 2) ** 0.5,
            "The root belongs over the 2 as well: it is part of the variance.": (
                lambda s, n, v: s * (n * v) ** 0.5 / 2
            ),
            "Variances of independent terms add up: each has its own, none is divided.": (
                lambda s, n, v: s * (v / 2 / n) ** 0.5
            ),
            "`v` is a variance: its root belongs into a standard deviation.": (
                lambda s, n, v: s * n**0.5 * v / 2
            ),
            "In the textbook's law each block multiplies the variance. Here each block adds the "
            "same.": lambda s, n, v: (1 + s**2) ** (n / 2),
            "The depth counts terms that are added: it is a factor under the root, no exponent.": (
                lambda s, n, v: s * (v / 2) ** (n / 2)
            ),
            "$v$ is halved, not doubled.": lambda s, n, v: s * (n * v * 2) ** 0.5,
        },
    )


def exercise_2(twin_rate: Any) -> Verdict:
    """The rate at which a folded layer keeps up with a scaled one."""
    return checks.function(
        twin_rate,
        lambda rate, scale: rate * scale**2,
        [(0.2, 0.3), (0.045, 0.1), (1.0, 1.0), (2.0, 0.5)],
        name="twin_rate",
        wrong={
            "The scale multiplies the rate; nothing is subtracted.": lambda rate, scale: (
                rate - scale**2
            ),
            "The scale multiplies the rate, twice; 1 minus it has no part.": lambda rate, scale: (
                rate * (1 - scale)
            ),
            "That holds at scale 0.1 only: use `scale`.": lambda rate, scale: rate * 0.01,
            "One factor comes from the gradient; what does the twin's definition add?": (
                lambda rate, scale: rate * scale
            ),
            f"At the same rate the two drift apart: by {_apart(0.2, 0.2, 0.3):.2f} after 20 steps "
            "at rate 0.2 and scale 0.3.": lambda rate, scale: rate,
            "The twin must be slower, not faster.": lambda rate, scale: rate / scale**2,
            "The twin must be slower, not faster, and one factor is not enough.": (
                lambda rate, scale: rate / scale
            ),
            "The scale makes the twin slower, so the square of it, not its root.": (
                lambda rate, scale: rate * scale**0.5
            ),
            "The scale enters squared, not the rate.": lambda rate, scale: rate**2 * scale,
            "Only the scale enters squared.": lambda rate, scale: (rate * scale) ** 2,
            "One factor s from the gradient, one from the definition of W′: s², not 2s.": (
                lambda rate, scale: rate * 2 * scale
            ),
            "The rate itself is missing.": lambda rate, scale: scale**2,
            "One factor too many.": lambda rate, scale: rate * scale**3,
        },
    )


def _apart(rate: float, twins_rate: float, scale: float) -> float:
    """How far apart a scaled weight and its folded twin are after 20 steps on one example, z = 1
    and target 1."""
    w = 1.0
    twin = scale * w
    for _ in range(20):
        w -= rate * scale * (scale * w - 1)
        twin -= twins_rate * (twin - 1)
    return abs(scale * w - twin)


def exercise_3(seeds_needed: Any) -> Verdict:
    """Seeds that would show a gap."""
    return checks.function(
        seeds_needed,
        lambda spread, gap: math.ceil(2 * (1.96 * spread / gap) ** 2),
        [(1.5, 0.5), (0.4, 0.5), (2.0, 2.0), (0.8, 0.25), (3.0, 1.0)],
        name="seeds_needed",
        wrong={
            "n is under the root: square both sides, and do not take the root again.": (
                lambda s, g: math.ceil(2**0.5 * 1.96 * s / g)
            ),
            "`gap` and `n` have changed places: solve 1.96·√(2·spread²/n) ≤ gap for n.": (
                lambda s, g: math.ceil(1.96 * (2 * s**2 / g) ** 0.5)
            ),
            "There are two means, each with its own error: 2 · spread² / n.": (
                lambda s, g: math.ceil((1.96 * s / g) ** 2)
            ),
            "Round up: a part of a seed cannot be run.": lambda s, g: 2 * (1.96 * s / g) ** 2,
            "Round up, not down: with one seed fewer the interval is too wide.": (
                lambda s, g: math.floor(2 * (1.96 * s / g) ** 2)
            ),
            "Round up; `round` goes down at times.": lambda s, g: round(2 * (1.96 * s / g) ** 2),
            "The 1.96 is missing: one standard error covers only two runs of three.": (
                lambda s, g: math.ceil(2 * (s / g) ** 2)
            ),
            "1.96 is inside the square too.": lambda s, g: math.ceil(1.96 * 2 * (s / g) ** 2),
            "The errors shrink with √n, so n grows with the square of spread / gap.": (
                lambda s, g: math.ceil(2 * 1.96 * s / g)
            ),
            "The errors shrink with √n, so n grows with the square of spread / gap. And there are "
            "two means.": lambda s, g: math.ceil(1.96 * s / g),
            "Upside down: a smaller gap needs more seeds.": (
                lambda s, g: math.ceil(2 * (1.96 * g / s) ** 2)
            ),
            "The interval reaches ±gap, so half its width is compared with the gap; you compared "
            "the whole width.": lambda s, g: math.ceil(8 * (1.96 * s / g) ** 2),
            "The gap is half of the interval's width already: do not double it.": (
                lambda s, g: math.ceil(2 * (1.96 * s / (2 * g)) ** 2)
            ),
            "2 spread² is the variance for one seed each: its factor is 2, not 4.": (
                lambda s, g: math.ceil(4 * (1.96 * s / g) ** 2)
            ),
            "1.96, not 2: the answer differs.": lambda s, g: math.ceil(2 * (2 * s / g) ** 2),
            "`spread` is a standard deviation: its square is the variance.": (
                lambda s, g: math.ceil(2 * 1.96**2 * s / g**2)
            ),
            "That is the number of runs in both settings together; n is for each.": (
                lambda s, g: 2 * math.ceil(2 * (1.96 * s / g) ** 2)
            ),
        },
    )
