"""Tables for the chapters: `table(rows, columns)` of the lowest room, so that measurements and
comparisons show themselves with it too, and what several descriptions cost, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from inception_edu.describe import (
    FIGURES,
    Chain,
    Concat,
    Conv,
    Difference,
    Network,
    Node,
    Pool,
    Residual,
    Shape,
    amount,
    leaves,
    measure,
    out_shape,
    size_words,
    walk,
)
from inception_edu.describe.tables import Table, table

__all__ = [
    "Table",
    "branches",
    "changes",
    "costs",
    "figure_costs",
    "shapes",
    "stages",
    "table",
    "totals",
]


def costs(
    nodes: Mapping[str, Node],
    shape: Shape,
    caption: str = "",
    **more: Mapping[str, Any] | Sequence[Any],
) -> Table:
    """What each of several descriptions gives and costs when (C, H, W) enters it.

    Columns: its name, the shape that leaves it, the pixels that an output sees, parameters and
    multiply-adds; then `more` columns, such as ms={"5×5": 3.1, …} or values in order. Raises as
    `measure` does where a description cannot take the shape.
    """
    extra = [
        [values[name] for name in nodes] if isinstance(values, Mapping) else list(values)
        for values in more.values()
    ]
    rows = []
    for place, (name, node) in enumerate(nodes.items()):
        found = measure(node, shape)
        sees = "×".join(map(str, found.receptive_field))
        rows.append((name, size_words(found.output), sees, found.params, found.macs))
        rows[-1] += tuple(column[place] for column in extra)
    words = [name.replace("_", " ") for name in more]
    columns = ["", "gives", "sees", "parameters", "multiply-adds", *words]
    formats = {"parameters": amount, "multiply-adds": amount}
    return table(rows, columns, caption=caption, formats=formats)


def branches(node: Node, shape: Shape, caption: str = "") -> Table:
    """What each branch of a block gives and costs, then the linear 1×1 and the sum of a residual
    block; the last row is the whole. Raises as `measure` does."""
    body = node.body if isinstance(node, Residual) else node
    parts = body.parts if isinstance(node, Residual) and isinstance(body, Chain) else (body,)
    join = parts[0]
    found: dict[str, tuple[Node, Shape]] = {}
    if isinstance(join, Concat):
        for number, branch in enumerate(join.branches, 1):
            found[f"branch {number}"] = (branch, shape)
    if len(parts) > 1:
        found["joined"] = (join, shape)
        found["linear 1×1"] = (parts[1], out_shape(join, shape))
    found["the block"] = (node, shape)
    rows = []
    for name, (part, enters) in found.items():
        size = measure(part, enters)
        sees = "×".join(map(str, size.receptive_field))
        rows.append((name, size_words(size.output), sees, size.params, size.macs))
    columns = ["", "gives", "sees", "parameters", "multiply-adds"]
    formats = {"parameters": amount, "multiply-adds": amount}
    named = () if isinstance(node, (Conv, Pool)) else (node.figure, node.name)
    title = caption or " ".join(word for word in named if word)
    return table(rows, columns, caption=title, formats=formats, strong=[len(rows) - 1])


def figure_costs(*numbers: int) -> Table:
    """Parameters and multiply-adds of figures of the paper, with the shape that the paper prints
    as their input. Raises ValueError for a figure that is no block."""
    rows = []
    for number in numbers:
        figure = FIGURES.get(number)
        if figure is None or isinstance(figure.node, tuple):
            raise ValueError(
                f"The figures of blocks are 1 to 8, 10 to 14, 16 to 20; got {number!r}."
            )
        size = measure(figure.node, figure.input)
        gives = size_words(size.output)
        rows.append((f"Fig. {number}", figure.title, gives, size.params, size.macs))
    return table(rows, ["", "block", "gives", "parameters", "multiply-adds"])


def shapes(node: Node, shape: Shape) -> Table:
    """Each convolution and pool of a description, with the shape (C, H, W) that enters and the one
    that leaves it. Raises as `walk` does where the description cannot take the shape."""
    rows = [
        (", ".join(step.path), repr(step.node), step.input, step.output)
        for step in walk(node, shape)
        if isinstance(step.node, (Conv, Pool))
    ]
    return table(rows, ["where", "step", "enters C×H×W", "leaves C×H×W"])


def totals(*networks: Network, base: Network | None = None) -> Table:
    """What whole networks cost: convolutions, parameters, multiply-adds for one image; with `base`
    also as a multiple of that network's multiply-adds."""
    rows = []
    for network in networks:
        size = measure(network)
        found = (block.repeat * sum(map(_is_conv, leaves(block.node))) for block in network.blocks)
        times = (size.macs / measure(base).macs,) if base else ()
        rows.append((network.name, sum(found), size.params, size.macs, *times))
    more = [f"{base.name} = 1"] if base else []
    columns = ["network", "convolutions", "parameters", "multiply-adds", *more]
    return table(rows, columns, formats=dict.fromkeys(more, ".2f"))


def stages(*networks: Network) -> Table:
    """The blocks of networks that have the same ones, side by side: how many times each stands
    there, and the shape that leaves the last of them."""
    rows: dict[str, list[Any]] = {block.name: [block.name] for block in networks[0].blocks}
    for network in networks:
        leaves_it = {row.name.split(".")[0]: row.output for row in measure(network).rows}
        for block in network.blocks:
            rows[block.name] += [block.repeat, leaves_it[block.name]]
    columns = [f"{what} {network.name}" for network in networks for what in ("times in", "leaves")]
    return table(list(rows.values()), ["block", *columns])


def _is_conv(node: Node) -> bool:
    return isinstance(node, Conv)


def changes(
    found: Sequence[Difference], left: str = "left", right: str = "right", caption: str = ""
) -> Table:
    """Where two descriptions differ (`describe.differences`), one row a place."""
    rows = [(one.where, one.what, one.left, one.right) for one in found]
    return table(rows, ["where", "what", left, right], caption=caption)
