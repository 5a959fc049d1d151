"""Claims of chapter 07, from the descriptions of the networks that share a name."""

from __future__ import annotations

from inception_edu.describe import (
    Network,
    compare,
    differences,
    inception_resnet_v2,
    inception_resnet_v2_released,
    inception_v4,
    leaves,
    measure,
)
from inception_edu.teach.claims import registered

FIVE = (
    "before stage A",
    "blocks in stages A / B / C",
    "trunk width",
    "ReLU after the last sum",
    "after the last stage",
)


def shared(one: Network, other: Network) -> list[str]:
    """Which of the five properties two networks have in common."""
    found = compare(one, other)
    return [aspect for aspect in FIVE if len(set(found[aspect])) == 1]


@registered("07.nothing-shared")
def nothing_shared() -> tuple[bool, tuple[str, str]]:
    paper, released = inception_resnet_v2(), inception_resnet_v2_released()
    branches = compare(paper, released)["branches joined"]
    blocks = [sum(b.repeat for b in n.blocks if b.stage) for n in (paper, released)]
    return not shared(paper, released) and branches[0] == branches[1], (
        "The released Inception-ResNet-v2 has another stem, another trunk and another head than "
        f"the paper's, and {blocks[1]} blocks in its stages in place of {blocks[0]}. Its branches "
        "have the same widths.",
        f"The released network has {blocks[1]} blocks, the paper's {blocks[0]}.",
    )


@registered("07.cost")
def cost() -> tuple[bool, tuple[str, str]]:
    v4 = measure(inception_v4()).macs
    paper, released = (
        measure(network).macs / v4
        for network in (inception_resnet_v2(), inception_resnet_v2_released())
    )
    return paper < 0.85 < released < 1.15, (
        f"The paper's v2 needs {paper:.2f} times the multiply-adds of Inception-v4, the released "
        f"network {released:.2f} times.",
        f"It has {paper:.2f} times v4's multiply-adds, and {released:.2f} times as released.",
    )


@registered("07.orientation")
def orientation() -> tuple[bool, str]:
    printed, released = inception_v4(), inception_v4("released")
    turned = 0
    for one, other in zip(printed.blocks, released.blocks):
        pairs = zip(leaves(one.node), leaves(other.node))
        turned += one.repeat * sum(a.kernel != b.kernel for a, b in pairs)
    a, b = measure(printed), measure(released)
    return turned > 0 and (a.params, a.macs) == (b.params, b.macs), (
        f"The released Inception-v4 turns {turned} kernels, from "
        f"{len(differences(printed, released))} places of the figures. Parameters and costs "
        "stay the same, but a checkpoint needs the right order."
    )
