"""Exercises of chapter 07: the paper's networks and the released ones."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from inception_edu.describe import (
    Network,
    Residual,
    facenet,
    inception_resnet_v1,
    inception_resnet_v2,
    inception_resnet_v2_released,
    inception_v4,
    measure,
)
from inception_edu.teach import checks
from inception_edu.teach.verdict import Verdict


def exercise_1(total: Any) -> Verdict:
    """B blocks that make Inception-ResNet-v2 as costly as Inception-v4."""
    paper, target = inception_resnet_v2(), measure(inception_v4())

    def with_blocks(n: int) -> Network:
        blocks = [
            replace(b, repeat=n) if b.name == "inception_resnet_b" else b for b in paper.blocks
        ]
        return replace(paper, blocks=tuple(blocks))

    need = next(n for n in range(1, 99) if measure(with_blocks(n)).macs >= target.macs)
    by_params = next(n for n in range(1, 99) if measure(with_blocks(n)).params >= target.params)
    one = {row.name: row.macs for row in measure(paper).rows}["inception_resnet_b.1"]
    gap = (target.macs - measure(paper).macs) / one
    costs = {row.name: row.macs for row in (*measure(paper).rows, *target.rows)}

    def filled_with(block: str) -> int:
        return 10 + math.ceil((target.macs - measure(paper).macs) / costs[block])

    too_few = (
        "That begins with 5 blocks, which is v1, or divides by a B block of Inception-v4: v2 has "
        "10, and the blocks to add are its own."
    )
    return checks.number(
        total,
        need,
        name="total",
        unit="blocks",
        wrong={
            filled_with(
                "inception_resnet_a.1"
            ): "The gap is filled with B blocks; you divided by an A block.",
            filled_with("inception_b.1"): too_few,
            5 + math.ceil(gap): too_few,
            need - 10: "Those are the blocks to add; the question asks for the total.",
            need - 1: "That falls just short of Inception-v4: one more.",
            need + 1: "One block fewer is enough already.",
            7: "7 is the number of B blocks of Inception-v4: count those of Inception-ResNet-v2.",
            20: "20 are more than enough: that is the released network's number.",
            10: "Those are the blocks that are there; the network is then cheaper than v4.",
            10 + gap: "A whole number of blocks: round up, so that the cost is reached.",
            gap: "A whole number, and with the 10 blocks that are there.",
            math.floor(gap): "Round up, and add the 10 blocks that are there.",
            by_params: "That compares parameters; multiply-adds are asked for.",
            math.ceil(
                10 * (target.macs / measure(paper).macs - 1)
            ): "The whole network is more than its 10 B blocks: divide by what one of them costs.",
            math.ceil(target.macs / one): "The network has other blocks too: only the gap is to "
            "be filled with B blocks.",
        },
    )


def exercise_2(sixth: Any) -> Verdict:
    """Facenet's sixth C block."""
    return checks.description(
        sixth, facenet()["inception_resnet_c_last"].node, shape=(1792, 3, 3), name="sixth"
    )


def exercise_3(scales: Any) -> Verdict:
    """The scales of a network's residual blocks."""

    def every(network: Network) -> list[float]:
        nodes = [block.node for block in network.blocks]
        return [node.scale for node in nodes if isinstance(node, Residual)]

    def repeated(network: Network) -> list[float]:
        return [
            block.node.scale
            for block in network.blocks
            for _ in range(block.repeat)
            if isinstance(block.node, Residual)
        ]

    return checks.function(
        scales,
        lambda network: list(dict.fromkeys(every(network))),
        [inception_resnet_v2_released(), inception_resnet_v1(0.3), inception_v4()],
        name="scales",
        wrong={
            "Each value once: `dict.fromkeys(values)` drops repetitions and keeps the order.": (
                every
            ),
            "Each value once, however often its block is repeated: `dict.fromkeys(values)`.": (
                repeated
            ),
            "The order is that of appearance, not of size.": lambda n: sorted(set(every(n))),
            "The order is that of appearance, from the image on.": (
                lambda n: list(dict.fromkeys(every(n)))[::-1]
            ),
            "A list is asked for, and a set has no order: `list(dict.fromkeys(values))`.": (
                lambda n: set(every(n))
            ),
            "A list is asked for: put `list(…)` around it.": lambda n: tuple(
                dict.fromkeys(every(n))
            ),
            "A list is asked for: put `list(…)` around the dictionary.": (
                lambda n: dict.fromkeys(every(n))
            ),
            "That is the first scale alone; there may be several, or none.": (
                lambda n: every(n)[:1]
            ),
            "Those are the blocks; their `.node.scale` is asked for.": lambda n: [
                block.name for block in n.blocks if isinstance(block.node, Residual)
            ],
            "How many there are is not asked; the list itself is.": lambda n: len(set(every(n))),
        },
    )
