"""Tables for the chapters: `table(rows, columns)` of the lowest room, so that measurements and
comparisons show themselves with it too, and what several descriptions cost, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from inception_edu.describe import Node, Shape, amount, measure, size_words
from inception_edu.describe.tables import Table, table

__all__ = ["Table", "costs", "table"]


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
