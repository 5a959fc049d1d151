"""Claims of chapter 04, from the descriptions of Figs. 7, 8, 12 and 18."""

from __future__ import annotations

import math

from inception_edu.describe import (
    TABLE_1,
    Chain,
    Concat,
    Conv,
    MaxPool,
    ReductionA,
    ReductionB,
    amount,
    measure,
    narrowest,
    out_shape,
)
from inception_edu.describe.halving import HALVINGS
from inception_edu.study import difference, holm, load_results, summarise
from inception_edu.study.experiments_training import PARALLEL
from inception_edu.teach.claims import registered

ENTERS = (384, 35, 35)
POOL_FIRST = Chain(MaxPool(3, 2, "valid"), Conv(1024, 3))
WIDEN_FIRST = Chain(Conv(1024, 3), MaxPool(3, 2, "valid"))
FIG_7 = ReductionA(**TABLE_1["inception_v4"])
TRUNK = {"inception_v4": 384, "inception_resnet_v1": 256, "inception_resnet_v2": 384}


@registered("04.grid")
def grid() -> tuple[bool, str]:
    first, wide = (measure(node, ENTERS).macs for node in (POOL_FIRST, WIDEN_FIRST))
    left = narrowest(POOL_FIRST, ENTERS) / math.prod(ENTERS)
    return 4 < wide / first < 4.5 and left < 0.25, (
        f"To widen before the pooling costs {wide / first:.1f} times as many multiply-adds as to "
        f"pool first. But pooling first leaves only {left:.0%} of the numbers that enter."
    )


@registered("04.parallel")
def parallel() -> tuple[bool, tuple[str, str]]:
    """Fig. 7 against pooling first: the narrowest place and the parameters."""
    ours, first = measure(FIG_7, ENTERS), measure(POOL_FIRST, ENTERS)
    wider = narrowest(FIG_7, ENTERS) / narrowest(POOL_FIRST, ENTERS)
    share = ours.params / first.params
    return wider > 2 and share < 0.7 and ours.macs > first.macs, (
        "Reduction-A pools and convolves in parallel. Its narrowest place holds "
        f"{wider:.1f} times as many numbers as that of *pool, then widen*. It has {share:.0%} of "
        f"the parameters and {ours.macs / first.macs:.2f} times the multiply-adds.",
        f"Pooling beside a convolution: {share:.0%} of the parameters.",
    )


@registered("04.channels")
def channels() -> tuple[bool, str]:
    widths, holds = [], True
    for name, row in TABLE_1.items():
        c = TRUNK[name]
        found = out_shape(ReductionA(**row), (c, 35, 35))[0]
        holds = holds and found == c + row["n"] + row["m"]
        widths.append(found)
    return holds, (
        "Reduction-A gives c + n + m channels. k and l are widths inside a branch. So "
        f"{widths[0]} channels leave it in Inception-v4, {widths[1]} in Inception-ResNet-v1 and "
        f"{widths[2]} in v2."
    )


@registered("04.one-by-one")
def one_by_one() -> tuple[bool, str]:
    """Fig. 8 without the 1×1 at the head of its branches."""
    shape = (1024, 17, 17)
    pool, *convolutions = ReductionB().branches
    chains = [branch for branch in convolutions if isinstance(branch, Chain)]
    direct = Concat(pool, *(Chain(*chain.parts[1:]) for chain in chains))
    with_it, without = measure(ReductionB(), shape), measure(direct, shape)
    params, macs = without.params / with_it.params, without.macs / with_it.macs
    return params > 1.5 and macs > 1.5 and with_it.output == without.output, (
        f"Without the 1×1 that begins its branches, Fig. 8 would have {params:.1f} times the "
        f"parameters and {macs:.1f} times the multiply-adds (with it {amount(with_it.macs)})."
    )


@registered("04.reductions")
def reductions() -> tuple[bool, tuple[str, str]]:
    """Ten runs of each way to halve the grid: the parallel way minus each of the others."""
    runs = load_results("reductions")
    cells = summarise(runs)
    gaps = holm({way: difference(cells[PARALLEL], cells[way]) for way in HALVINGS})
    one_each = {run.label: run.config for run in runs}
    sizes = {way: measure(config.description()) for way, config in one_each.items()}
    first, equal, costly, last = HALVINGS
    params, macs = (
        getattr(sizes[PARALLEL], what) / getattr(sizes[first], what) for what in ("params", "macs")
    )
    told = {way: f"{gap.text()}, {gap.word()}" for way, gap in gaps.items()}
    better = gaps[equal].seen == gaps[costly].seen == "more"
    return better and not gaps[first].seen and not gaps[last].seen, (
        f"To pool first is, by itself, not seen to hurt. Accuracy of the parallel way minus "
        f"*{first}*: {told[first]}. The parallel way has {params:.0%} of its parameters and "
        f"{macs:.0%} of its multiply-adds. Minus *{last}*: {told[last]}. The two ways that are "
        "fitted to the parallel one have a thin layer more, one after the other, and are behind: "
        f"minus *{equal}* {told[equal]}; minus *{costly}* {told[costly]}.",
        f"To halve in parallel ends like *{first}*, with {params:.0%} of the parameters.",
    )
