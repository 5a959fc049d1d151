"""Exercises of chapter 13: making it fast."""

from __future__ import annotations

from typing import Any

from inception_edu.describe import Concat, Conv, networks
from inception_edu.teach import checks
from inception_edu.teach.verdict import Verdict


def exercise_1(fold_norm: Any) -> Verdict:
    """A batch norm folded into the convolution before it."""
    import torch

    generator = torch.Generator().manual_seed(0)
    w = torch.randn(4, 3, 3, 3, generator=generator)
    g, b, m, v = (torch.rand(4, generator=generator) + 0.1 for _ in range(4))

    def folded(w: Any, g: Any, b: Any, m: Any, v: Any, e: float) -> tuple[Any, Any]:
        factor = g / (v + e) ** 0.5
        return w * factor.reshape(-1, 1, 1, 1), b - m * factor

    def bias(change: Any) -> Any:
        def twin(w: Any, g: Any, b: Any, m: Any, v: Any, e: float) -> tuple[Any, Any]:
            return folded(w, g, b, m, v, e)[0], change(g, b, m, (v + e) ** 0.5)

        return twin

    return checks.function(
        fold_norm,
        folded,
        [(w, g, b, m, v, 1e-3), (w, g, b, m, v / 100, 1e-2)],
        name="fold_norm",
        wrong={
            "ε is missing under the root: it matters where the variance is small.": (
                lambda w, g, b, m, v, e: folded(w, g, b, m, v, 0.0)
            ),
            "ε belongs under the root, to the variance.": (
                lambda w, g, b, m, v, e: folded(w, g, b, m, (v**0.5 + e) ** 2, 0.0)
            ),
            "The mean is taken away after the factor was applied: it has to be multiplied by it "
            "too.": bias(lambda g, b, m, s: b - m),
            "The mean is taken away, not added.": bias(lambda g, b, m, s: b + m * g / s),
            "`beta` is missing from the bias.": bias(lambda g, b, m, s: -m * g / s),
            "The mean is missing from the bias: `beta` alone is not all.": bias(
                lambda g, b, m, s: b
            ),
            "The factor multiplies the mean, not `beta`.": bias(lambda g, b, m, s: b * g / s - m),
            "The factor multiplies the mean, not `beta`: beta is added after the norm.": bias(
                lambda g, b, m, s: (b - m) * g / s
            ),
            "`gamma` belongs to the mean in the bias too.": bias(lambda g, b, m, s: b - m / s),
            "The bias is the mean's part taken away from `beta`, not the other way round.": bias(
                lambda g, b, m, s: m * g / s - b
            ),
            "That divides by the variance; batch norm divides by its root.": (
                lambda w, g, b, m, v, e: folded(w, g, b, m, (v + e) ** 2, 0.0)
            ),
            "That multiplies by the root of the variance; batch norm divides by it.": (
                lambda w, g, b, m, v, e: folded(w, g, b, m, 1 / (v + e), 0.0)
            ),
            "`gamma` is missing from the factor.": (
                lambda w, g, b, m, v, e: folded(w, torch.ones_like(g), b, m, v, e)
            ),
            "The weight is unchanged: multiply every filter by its factor.": (
                lambda w, g, b, m, v, e: (w, folded(w, g, b, m, v, e)[1])
            ),
            "The other way round: first the weight, then the bias.": (
                lambda w, g, b, m, v, e: folded(w, g, b, m, v, e)[::-1]
            ),
            "The factor belongs to the output channels, axis 0 of the weight.": (
                lambda w, g, b, m, v, e: (
                    w * (g / (v + e) ** 0.5)[: w.shape[1]].reshape(1, -1, 1, 1),
                    folded(w, g, b, m, v, e)[1],
                )
            ),
            "Only the weight is there: the bias is asked for too.": (
                lambda w, g, b, m, v, e: folded(w, g, b, m, v, e)[0]
            ),
        },
    )


def exercise_2(speedup: Any) -> Verdict:
    """How much faster the whole becomes (Amdahl's law)."""
    return checks.function(
        speedup,
        lambda p, k: 1 / (1 - p + p / k),
        [(0.5, 2), (0.9, 10), (0.3, 1e9), (1.0, 4)],
        name="speedup",
        wrong={
            "`share` goes from 0 to 1: the whole is 1, not 100.": lambda p, k: (
                100 / (100 - p + p / k)
            ),
            "The rest takes 1 - share; the part's share / factor is added to that.": (
                lambda p, k: 1 / (1 - p / k)
            ),
            "That is the time that is left; the speed-up is one over it.": (
                lambda p, k: 1 - p + p / k
            ),
            "The part does not vanish: p / k of it stays.": (
                lambda p, k: 1 / (1 - p) if p < 1 else 0.0
            ),
            "Only a part becomes faster; the rest takes as long as before.": lambda p, k: k,
            "Only a part becomes faster: its new time is share / factor.": lambda p, k: p * k,
            "Speeds do not add up like that; add up the two times, then take one over them.": (
                lambda p, k: 1 - p + p * k
            ),
            "A part that is `factor` times as fast takes share / factor, not share · factor.": (
                lambda p, k: 1 / (1 - p + p * k)
            ),
            "The rest is missing: 1 - share stays as it is.": lambda p, k: k / p,
            "The rest takes 1 - share, not 1.": lambda p, k: 1 / (1 + p / k),
            "The rest takes 1 - share, and the part share / factor: you divided the rest.": (
                lambda p, k: 1 / (p + (1 - p) / k)
            ),
            "That is what is saved of the time; the speed-up is old time over new time.": (
                lambda p, k: p - p / k
            ),
            "That is the gain alone: the speed-up of an unchanged whole is 1.": (
                lambda p, k: 1 / (1 - p + p / k) - 1
            ),
            "Share and factor have changed places.": (lambda p, k: 1 / (1 - 1 / k + 1 / k / p)),
        },
    )


def exercise_3(saved: Any) -> Verdict:
    """Sibling 1×1 convolutions of Inception-v4 that merging removes."""

    def siblings(block: networks.Block) -> int:
        assert isinstance(block.node, Concat)
        firsts = [getattr(branch, "parts", (branch,))[0] for branch in block.node.branches]
        return sum(isinstance(first, Conv) and first.kernel == (1, 1) for first in firsts)

    blocks = [b for b in networks.inception_v4().blocks if b.name != "stem"]
    return checks.number(
        saved,
        sum(b.repeat * max(0, siblings(b) - 1) for b in blocks),
        name="saved",
        unit="convolutions",
        wrong={
            4 * 2
            + 7 * 2
            + 3 * 2
            + 3: "One disappears in the reductions: Reduction-A has a single 1×1, Reduction-B two.",
            4 * 2
            + 7 * 2
            + 3 * 3
            + 1: "In Inception-C's first branch the 1×1 comes after the pool: no sibling.",
            149 - 29: "Those are the convolutions that stay; how many disappear?",
            4 * 2 + 7 * 2 + 3 * 2: "Reduction-B has two siblings as well.",
            4 * 3 + 7 * 3 + 3 * 3 + 2: "n siblings become one, so n − 1 disappear.",
            4 * 3 + 7 * 3 + 3 * 3: "n siblings become one, so n − 1 disappear; and Reduction-B has "
            "two.",
            4 * 3 + 7 * 3 + 3 * 3 + 1: "Three siblings become one, so two disappear, not three.",
            4 * 3 + 7 * 3 + 3 * 3 + 3: "n siblings become one, so n − 1 disappear.",
            4 * 3 + 7 * 3 + 3 * 3 + 1 + 2: "n siblings become one, so n − 1 disappear.",
            4 * 2 + 7 * 3 + 3 * 2 + 1: "In Inception-B's first branch the 1×1 comes after the "
            "pool: no sibling.",
            4 * 3 + 7 * 2 + 3 * 2 + 1: "In Inception-A's first branch the 1×1 comes after the "
            "pool: no sibling.",
            4 * 3 + 7 * 3 + 3 * 3 - 1: "In the first branches the 1×1 comes after the pool.",
            2 + 2 + 2 + 1: "Each block stands for 4, 7 or 3 copies: multiply.",
            2 + 2 + 2: "Each block stands for 4, 7 or 3 copies, and Reduction-B has two siblings.",
            4 + 7 + 3 + 1: "Three siblings become one: two disappear in each block, not one.",
            4 + 7 + 3: "That is the number of blocks; two disappear in each.",
            4 * 2 + 7 * 2 + 3 * 2 + 2: "Two siblings become one: Reduction-B saves one. "
            "Reduction-A has a single 1×1.",
            4 * 4 + 7 * 4 + 3 * 4: "Not every branch begins with a 1×1 on the block's own input.",
        },
    )


def exercise_4(faults: Any) -> Verdict:
    """What makes a timing useless."""
    if isinstance(faults, (list, tuple)) and faults and Ellipsis not in faults:
        faults = set(faults)
    return checks.equal(
        faults,
        {"first call", "no waiting", "one round"},
        name="faults",
        wrong=[
            (
                {"first call", "no waiting", "one round", "eval mode"},
                "Three of them: in evaluation mode a network may well be timed; that is how it is "
                "used.",
            ),
            (
                {"first call", "no waiting"},
                "One time says nothing about how much it scatters.",
            ),
            (
                {"first call", "one round"},
                "A GPU works on after the call has returned: who reads the clock must wait for it.",
            ),
            (
                {"no waiting", "one round"},
                "The first call also fetches memory and chooses code; later ones do not.",
            ),
            (
                "eval mode",
                "A set of three is asked for, and evaluation mode is no fault.",
            ),
        ],
    )
