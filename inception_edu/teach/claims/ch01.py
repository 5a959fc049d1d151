"""Claims of chapter 01, from the committed runs on kernel sizes (`kernel_sizes.json`)."""

from __future__ import annotations

from inception_edu.describe import AvgPool, Chain, Concat, Conv, amount, measure
from inception_edu.study import (
    Cell,
    difference,
    heads_verdict,
    holm,
    kernel_sizes,
    raced,
    summarise,
)
from inception_edu.study.claims import IMAGENET, made
from inception_edu.study.racers import RACERS, title
from inception_edu.study.statistics import Difference
from inception_edu.teach.claims import judged, registered

NAIVE = Concat(Conv(64, 1), Conv(128, 3), Conv(32, 5))
GOOGLENET_3A = Concat(
    Conv(64, 1),
    Chain(Conv(96, 1), Conv(128, 3)),
    Chain(Conv(16, 1), Conv(32, 5)),
    Chain(AvgPool(3), Conv(32, 1)),
)


Kernels = tuple[tuple[int, ...], int]  # their sizes, and how many filters


def _seeds() -> int:
    return len(kernel_sizes.committed()[1]["seeds"])


def _gap(one: Kernels, other: Kernels, size: str = "all") -> Difference:
    """By how much one set of kernels is right more often than another: a seed draws the pictures,
    so they are paired by seed."""
    cells, facts = kernel_sizes.committed()
    a, b = (
        Cell(cells[key].label, tuple(cells[key].accuracy[size]), tuple(facts["seeds"]))
        for key in (one, other)
    )
    return difference(a, b)


@registered("01.bottleneck")
def bottleneck() -> tuple[bool, tuple[str, str]]:
    """A 1×1 in front of the large kernels, in GoogLeNet's block 3a."""
    before, after = (measure(node, (192, 28, 28)).macs for node in (NAIVE, GOOGLENET_3A))
    return after < before / 2, (
        "A 1×1 before each large kernel reduces a block like GoogLeNet's from "
        f"{amount(before)} to {amount(after)} multiply-adds, with one branch more.",
        f"A 1×1 first: {amount(after)} multiply-adds in place of {amount(before)}.",
    )


@registered("01.factorised")
def factorised() -> tuple[bool, str]:
    """Weights of a kernel and of its split, for one channel in and out."""
    whole = {k: k * k for k in (5, 7)}
    split = {5: 2 * 3 * 3, 7: 1 * 7 + 7 * 1}
    holds = all(split[k] < whole[k] for k in whole)
    return holds, (
        f"Two 3×3 see the same pixels as a 5×5 with {split[5]} weights in place of {whole[5]}. A "
        f"1×7 and a 7×1 see the same as a 7×7 with {split[7]} in place of {whole[7]}."
    )


@registered("01.large-kernel")
def large_kernel() -> tuple[bool, str]:
    """9×9 against 3×3 with the same number of filters, by size of the objects."""
    cells, _ = kernel_sizes.committed()
    wide, narrow = cells[(9,), 48], cells[(3,), 48]
    # Rounded, so that a half is told as by `difference`, which adds in another order.
    gains = [round(100 * (wide.mean(s) - narrow.mean(s)), 6) for s in kernel_sizes.SIZES]
    gaps = holm({s: _gap(((9,), 48), ((3,), 48), s) for s in kernel_sizes.SIZES})
    holds = all(gap.seen == "more" for gap in gaps.values()) and gains[0] == min(gains)
    return holds, (
        "With equally many filters, 9×9 kernels are better than 3×3 at every size of the objects: "
        f"by {gains[0]:.1f} points on small ones, by up to {max(gains):.1f} points on larger ones "
        f"({_seeds()} seeds; each is seen, corrected for {len(gaps)} questions)."
    )


@registered("01.equal-cost")
def equal_cost() -> tuple[bool, str]:
    """At equal cost the small kernel wins on small objects."""
    cells, _ = kernel_sizes.committed()
    small, large = cells[(3,), 132].mean("small"), cells[(9,), 15].mean("small")
    gap = _gap(((3,), 132), ((9,), 15), "small")
    return gap.seen == "more", (
        f"At equal cost 3×3 kernels do better on small objects: {small:.0%} right against "
        f"{large:.0%} for 9×9, {gap.text()}."
    )


@registered("01.known-size")
def known_size() -> tuple[bool, str]:
    """One kernel of the right size against three sizes side by side."""
    cells, _ = kernel_sizes.committed()
    alone, mixed = cells[(9,), 48].mean("all"), cells[(3, 5, 9), 48].mean("all")
    middle, cheap = cells[(5,), 48].mean("all"), cells[(3, 5, 9), 30].mean("all")
    pairs = {
        "filters": (((9,), 48), ((3, 5, 9), 48)),
        "cost": (((5,), 48), ((3, 5, 9), 30)),
    }
    gaps = holm({what: _gap(*pair) for what, pair in pairs.items()})
    return all(gap.seen == "more" for gap in gaps.values()), (
        "One well-chosen kernel size does better than three sizes side by side. With equally many "
        f"filters 9×9 is right on {alone:.1%}, the mixture on {mixed:.1%}: "
        f"{gaps['filters'].text()}. At equal cost 5×5 is right on {middle:.1%}, a mixture on "
        f"{cheap:.1%}: {gaps['cost'].text()}. The sizes were chosen on these pictures, so both "
        "gains are a little too large."
    )


@registered("01.unknown-size")
def unknown_size() -> tuple[bool, str]:
    """A mixture against single sizes, at equal cost."""
    cells, _ = kernel_sizes.committed()
    mixed = cells[(3, 5, 9), 30].mean("all")
    single = {k: cells[k, n].mean("all") for k, n in kernel_sizes.SAME_COST if len(k) == 1}
    rivals = {key[0]: key for key in kernel_sizes.SAME_COST if len(key[0]) == 1}
    gaps = holm({k: _gap(((3, 5, 9), 30), key) for k, key in rivals.items()})
    worse = [f"{k}×{k} ({single[k,]:.0%})" for (k,), gap in gaps.items() if gap.seen == "more"]
    return len(worse) > len(single) / 2, (
        f"Most single sizes are a worse choice. At equal cost the mixture is right on {mixed:.0%}, "
        f"and is seen to be better than {len(worse)} of {len(single)} single sizes (corrected for "
        f"{len(gaps)} questions): {', '.join(worse)}."
    )


@registered("01.heads-speed")
def heads_speed() -> tuple[bool, str]:
    """GoogLeNet's Section 5: more gradient for the lower layers."""
    return judged("Auxiliary heads let a network learn faster", heads_verdict("speed"))


@registered("01.heads-end")
def heads_end() -> tuple[bool, str]:
    """Inception-v3's Section 4: a slightly higher plateau."""
    return judged("Auxiliary heads let a network end better", heads_verdict("end"))


@registered("01.heads-scope")
def heads_scope() -> tuple[bool, str]:
    judged_on = (e.of for what in ("speed", "end") for e in heads_verdict(what).evidence)
    counted = frozenset().union(*judged_on)
    return len(counted) >= 20, (
        f"These verdicts on auxiliary heads: {made(('heads',), len(counted))} A full replication "
        f"needs {IMAGENET}, with and without heads."
    )


@registered("01.family-here")
def family_here() -> tuple[bool, str]:
    """Final errors of the four networks that raced, small, in chapter 10."""
    cells = summarise(raced(), "accuracy")
    told = "; ".join(
        f"{title(name)}: {100 * (1 - cells[name].mean):.1f} % ({cells[name].n} seeds)"
        for name in RACERS
    )
    run = raced()[0]
    return all(cells[name].n >= 5 for name in RACERS), (
        f"With a sixteenth of the filters, on {run.data['name']}, after "
        f"{run.config.recipe.steps} steps the test errors are: {told}. Chapter 10 compares them."
    )
