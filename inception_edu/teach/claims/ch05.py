"""Claims of chapter 05, from the description of Inception-v4."""

from __future__ import annotations

import math

from inception_edu.describe import (
    Chain,
    Conv,
    Node,
    Pool,
    Residual,
    amount,
    inception_v4,
    leaves,
    measure,
    network,
    out_shape,
    walk,
)
from inception_edu.teach.claims import registered


def _longest(node: Node) -> int:
    """Convolutions on the longest way through a block without a residual."""
    if isinstance(node, (Conv, Pool)):
        return int(isinstance(node, Conv))
    if isinstance(node, Chain):
        return sum(map(_longest, node.parts))
    assert not isinstance(node, Residual)
    return max(map(_longest, node.branches))


@registered("05.longest-path")
def longest_path() -> tuple[bool, str]:
    blocks = inception_v4().blocks
    steps = sum(block.repeat * _longest(block.node) for block in blocks)
    return steps == 75, f"The longest way from image to pooling passes {steps} convolutions."


@registered("05.stem-numbers")
def stem_numbers() -> tuple[bool, str]:
    shape = (3, 299, 299)
    computed: dict[str, int] = {}
    for block in inception_v4().blocks:
        for _ in range(block.repeat):
            made = [
                math.prod(step.output)
                for step in walk(block.node, shape)
                if isinstance(step.node, (Conv, Pool)) and step.output
            ]
            computed[block.name] = computed.get(block.name, 0) + sum(made)
            shape = out_shape(block.node, shape)
    share = computed["stem"] / sum(computed.values())
    return 0.30 < share < 0.35, (
        f"The stem makes {share:.0%} of all the numbers that a forward pass computes: its maps are "
        "the largest ones."
    )


def _shares(what: str) -> dict[str, float]:
    """The part of all parameters ("params") or multiply-adds ("macs") by group of blocks."""
    size = measure(inception_v4())
    found: dict[str, float] = {}
    for row in size.rows:
        group = row.name.split(".")[0]
        found[group] = found.get(group, 0.0) + getattr(row, what) / getattr(size, what)
    return found


@registered("05.total")
def total() -> tuple[bool, tuple[str, str]]:
    whole = inception_v4()
    size = measure(whole)
    convolutions = sum(
        block.repeat * sum(isinstance(leaf, Conv) for leaf in leaves(block.node))
        for block in whole.blocks
    )
    blocks = {block.stage: block.repeat for block in whole.blocks if block.stage}
    return blocks == {"A": 4, "B": 7, "C": 3}, (
        f"Inception-v4 is a list of a stem, {blocks['A']} A, {blocks['B']} B and {blocks['C']} C "
        f"blocks and 2 reductions: {convolutions} convolutions, {amount(size.params)} parameters "
        f"and {amount(size.macs)} multiply-adds for one image.",
        f"{convolutions} convolutions, {amount(size.params)} parameters, {amount(size.macs)} "
        "multiply-adds.",
    )


@registered("05.uniform")
def uniform() -> tuple[bool, str]:
    counts = {}
    for key in ("googlenet", "bn_inception", "inception_v3", "inception_v4"):
        blocks = [block for block in network(key).blocks if block.stage]
        counts[key] = (len({(b.stage, b.node) for b in blocks}), sum(b.repeat for b in blocks))
    told = ", ".join(
        f"{network(key).name} has {many} different ones among {count}"
        for key, (many, count) in counts.items()
    )
    *older, (many, _) = counts.values()
    return many == 3 and all(number > many for number, _ in older), (
        f"Inception blocks without the halving ones: {told}. That is one design for each grid."
    )


@registered("05.b-stage")
def b_stage() -> tuple[bool, str]:
    params, macs = _shares("params"), _shares("macs")
    holds = all(max(found, key=found.__getitem__) == "inception_b" for found in (params, macs))
    return holds, (
        f"The seven B blocks hold {params['inception_b']:.0%} of the parameters and do "
        f"{macs['inception_b']:.0%} of the multiply-adds, more than any other stage."
    )


@registered("05.stem-and-c")
def stem_and_c() -> tuple[bool, str]:
    params, macs = _shares("params"), _shares("macs")
    holds = params["stem"] < macs["stem"] and params["inception_c"] > macs["inception_c"]
    return holds, (
        f"The stem has {params['stem']:.1%} of the parameters and does {macs['stem']:.0%} of the "
        f"multiply-adds. The C blocks have {params['inception_c']:.0%} and do "
        f"{macs['inception_c']:.0%}."
    )
