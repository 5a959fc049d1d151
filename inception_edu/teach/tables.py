"""Tables for the chapters: `table(rows, columns)` of the lowest room, so that measurements and
comparisons show themselves with it too, and what several descriptions cost, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from inception_edu.describe import (
    Chain,
    Concat,
    Conv,
    Difference,
    Node,
    Pool,
    Residual,
    Shape,
    amount,
    measure,
    out_shape,
    size_words,
)
from inception_edu.describe.tables import Table, table

__all__ = ["Table", "branches", "changes", "costs", "table"]


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


def changes(
    found: Sequence[Difference], left: str = "left", right: str = "right", caption: str = ""
) -> Table:
    """Where two descriptions differ (`describe.differences`), one row a place."""
    rows = [(one.where, one.what, one.left, one.right) for one in found]
    return table(rows, ["where", "what", left, right], caption=caption)
