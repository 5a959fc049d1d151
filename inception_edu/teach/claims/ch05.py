"""Claims of chapter 05, from the description of Inception-v4."""

from __future__ import annotations

import math

from inception_edu.describe import (
    Chain,
    Conv,
    Node,
    Pool,
    Residual,
    inception_v4,
    measure,
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
    network = inception_v4()
    steps = sum(block.repeat * _longest(block.node) for block in network.blocks)
    return steps == 75, f"The longest way from image to pooling passes {steps} convolutions."


@registered("05.stem-numbers")
def stem_numbers() -> tuple[bool, str]:
    network, shape = inception_v4(), (3, 299, 299)
    computed: dict[str, int] = {}
    for block in network.blocks:
        for _ in range(block.repeat):
            made = [
                math.prod(step.output)
                for step in walk(block.node, shape)
                if isinstance(step.node, (Conv, Pool)) and step.output
            ]
            computed[block.name] = computed.get(block.name, 0) + sum(made)
            shape = out_shape(block.node, shape)
    share = computed["stem"] / sum(computed.values())
    size = measure(network)
    stem = next(row for row in size.rows if row.name == "stem").params / size.params
    return 0.30 < share < 0.35 and round(100 * stem, 1) == 1.4, (
        f"The stem holds {stem:.1%} of the parameters and makes {share:.0%} of all the numbers "
        "that a forward pass computes."
    )
