"""Which convolution of a released network, by timm's names, is which of ours.

timm joins the branches of a block in another order than the paper's figures show them, so its
weights do not only get other names: the input channels of every later convolution are put in order
too. A plan says which of timm's convolutions belongs to which of ours, and at which place timm
concatenates a branch; everything else follows from the description.

A plan mirrors a description: a string names a convolution, None stands for a pool, a list for a
chain, and a tuple of (place in timm's concatenation, plan) for a concatenation, its entries in
the order of our branches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from inception_edu.describe import Chain, Concat, Conv, Node, Pool, Residual


def run(prefix: str, count: int, start: int = 0) -> list[str]:
    return [f"{prefix}.{i}" for i in range(start, start + count)]


_AVERAGE = [None, "branch3.1"]
_V4_C = (
    (3, _AVERAGE),
    (0, "branch0"),
    (1, ["branch1_0", ((0, "branch1_1a"), (1, "branch1_1b"))]),
    (2, ["branch2_0", "branch2_1", "branch2_2", ((1, "branch2_3b"), (0, "branch2_3a"))]),
)
_REDUCTION_A = ((2, None), (0, "branch0"), (1, run("branch1", 3)))


def v4_blocks() -> Iterator[tuple[str, str, object]]:
    """(our block, timm's prefix, plan) for every block of Inception-v4."""
    stem = [
        "0",
        "1",
        "2",
        ((0, None), (1, "3.conv")),
        ((0, run("4.branch0", 2)), (1, run("4.branch1", 4))),
        ((0, "5.conv"), (1, None)),
    ]
    yield "stem", "features.", stem
    a = ((3, _AVERAGE), (0, "branch0"), (1, run("branch1", 2)), (2, run("branch2", 3)))
    b = ((3, _AVERAGE), (0, "branch0"), (1, run("branch1", 3)), (2, run("branch2", 5)))
    for i in range(4):
        yield f"inception_a.{i + 1}", f"features.{6 + i}.", a
    yield "reduction_a", "features.10.", _REDUCTION_A
    for i in range(7):
        yield f"inception_b.{i + 1}", f"features.{11 + i}.", b
    yield (
        "reduction_b",
        "features.18.",
        ((2, None), (0, run("branch0", 2)), (1, run("branch1", 4))),
    )
    for i in range(3):
        yield f"inception_c.{i + 1}", f"features.{19 + i}.", _V4_C


def resnet_v2_blocks() -> Iterator[tuple[str, str, object]]:
    yield "stem", "", ["conv2d_1a", "conv2d_2a", "conv2d_2b", None, "conv2d_3b", "conv2d_4a", None]
    yield (
        "mixed_5b",
        "mixed_5b.",
        ((0, "branch0"), (1, run("branch1", 2)), (2, run("branch2", 3)), (3, _AVERAGE)),
    )
    a = [((0, "branch0"), (1, run("branch1", 2)), (2, run("branch2", 3))), "conv2d"]
    b_or_c = [((0, "branch0"), (1, run("branch1", 3))), "conv2d"]
    for i in range(10):
        yield f"inception_resnet_a.{i + 1}", f"repeat.{i}.", a
    yield "reduction_a", "mixed_6a.", _REDUCTION_A
    for i in range(20):
        yield f"inception_resnet_b.{i + 1}", f"repeat_1.{i}.", b_or_c
    yield (
        "reduction_b",
        "mixed_7a.",
        ((3, None), (0, run("branch0", 2)), (1, run("branch1", 2)), (2, run("branch2", 3))),
    )
    for i in range(9):
        yield f"inception_resnet_c.{i + 1}", f"repeat_2.{i}.", b_or_c
    yield "inception_resnet_c_last", "block8.", b_or_c
    yield "conv_7b", "", "conv2d_7b"


def v3_blocks() -> Iterator[tuple[str, str, object]]:
    def numbered(prefix, *ends):
        return [f"{prefix}_{end}" for end in ends]

    pool = [None, "branch_pool"]
    yield (
        "stem",
        "",
        [
            "Conv2d_1a_3x3",
            "Conv2d_2a_3x3",
            "Conv2d_2b_3x3",
            None,
            "Conv2d_3b_1x1",
            "Conv2d_4a_3x3",
            None,
        ],
    )
    a = (
        (0, "branch1x1"),
        (1, numbered("branch5x5", 1, 2)),
        (2, numbered("branch3x3dbl", 1, 2, 3)),
        (3, pool),
    )
    b = (
        (0, "branch1x1"),
        (1, numbered("branch7x7", 1, 2, 3)),
        (2, numbered("branch7x7dbl", 1, 2, 3, 4, 5)),
        (3, pool),
    )

    def fan(prefix, end):
        return ((0, f"{prefix}_{end}a"), (1, f"{prefix}_{end}b"))

    c = (
        (0, "branch1x1"),
        (1, ["branch3x3_1", fan("branch3x3", 2)]),
        (2, [*numbered("branch3x3dbl", 1, 2), fan("branch3x3dbl", 3)]),
        (3, pool),
    )
    reduction_a = ((0, "branch3x3"), (1, numbered("branch3x3dbl", 1, 2, 3)), (2, None))
    reduction_b = (
        (0, numbered("branch3x3", 1, 2)),
        (1, numbered("branch7x7x3", 1, 2, 3, 4)),
        (2, None),
    )
    for ours, theirs, plan in (
        ("mixed_5b", "Mixed_5b", a),
        ("mixed_5c.1", "Mixed_5c", a),
        ("mixed_5c.2", "Mixed_5d", a),
        ("mixed_6a", "Mixed_6a", reduction_a),
        ("mixed_6b", "Mixed_6b", b),
        ("mixed_6c.1", "Mixed_6c", b),
        ("mixed_6c.2", "Mixed_6d", b),
        ("mixed_6e", "Mixed_6e", b),
        ("mixed_7a", "Mixed_7a", reduction_b),
        ("mixed_7b.1", "Mixed_7b", c),
        ("mixed_7b.2", "Mixed_7c", c),
    ):
        yield ours, theirs + ".", plan


@dataclass(frozen=True)
class Pair:
    """One layer of ours and of a port's; `rows[j]` is the port's output channel for our channel j,
    `columns` its input. `node` describes a convolution; None is a classifier."""

    ours: str
    theirs: str
    rows: list[int] | None
    columns: list[int]
    node: Conv | None = None

    @property
    def norm(self) -> bool:
        return self.node is not None and self.node.norm

    @property
    def bias(self) -> bool:
        return self.node is None or self.node.has_bias

    def shape(self, classes: int) -> tuple[int, ...]:
        """Of our weights: filters × input channels × kernel, or classes × features."""
        if self.node is None:
            return classes, len(self.columns)
        return self.node.out, len(self.columns), *self.node.kernel


def pairs_of(
    node: Node, plan, ours: str, theirs: str, order: list[int], end: list[int] | None = None
):
    """Yields the pairs below `node`; returns the order of its output channels. `end` is the order
    that the last convolution must have, because its output is added to something in that order."""
    if isinstance(node, Conv):
        rows = end or list(range(node.out))
        inner = f"{ours}.0" if node.relu and not node.norm else ours
        # A group reads its share of the channels, which are in their own order.
        columns = order if node.groups == 1 else list(range(len(order) // node.groups))
        yield Pair(inner, theirs + plan, rows, columns, node)
        return rows
    if isinstance(node, Pool):
        return order
    if isinstance(node, Chain):
        for i, (part, sub) in enumerate(zip(node.parts, plan)):
            last = i == len(node.parts) - 1
            order = yield from pairs_of(
                part, sub, f"{ours}.{i}", theirs, order, end if last else None
            )
        return order
    if isinstance(node, Concat):
        orders = {}
        for i, (branch, (place, sub)) in enumerate(zip(node.branches, plan), 1):
            orders[place] = (
                i,
                (yield from pairs_of(branch, sub, f"{ours}.branch{i}", theirs, order)),
            )
        start, starts = 0, {}
        for place in sorted(orders):
            i, inner = orders[place]
            starts[i] = [start + c for c in inner]
            start += len(inner)
        return [c for i in sorted(starts) for c in starts[i]]
    assert isinstance(node, Residual)
    if node.shortcut is None:
        yield from pairs_of(node.body, plan, f"{ours}.body", theirs, order, end=order)
        return order
    body, shortcut = plan
    yield from pairs_of(node.body, body, f"{ours}.body", theirs, order)
    return (yield from pairs_of(node.shortcut, shortcut, f"{ours}.shortcut", theirs, order))


def in_their_order(plan, prefix: str) -> Iterator[str]:
    """The port's names of a plan's convolutions, branches in the order of its concatenation."""
    if isinstance(plan, str):
        yield prefix + plan
    elif isinstance(plan, list):
        for part in plan:
            yield from in_their_order(part, prefix)
    elif isinstance(plan, tuple):
        for _, part in sorted(plan, key=lambda branch: branch[0]):
            yield from in_their_order(part, prefix)
