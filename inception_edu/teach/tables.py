"""Tables for the chapters: `table(rows, columns)` of the lowest room, so that measurements and
comparisons show themselves with it too, and what several descriptions cost, side by side."""

from __future__ import annotations

from collections.abc import Mapping

from inception_edu.describe import Node, Shape, amount, measure, size_words
from inception_edu.describe.tables import Table, table

__all__ = ["Table", "costs", "table"]


def costs(nodes: Mapping[str, Node], shape: Shape) -> Table:
    """What each of several descriptions gives and costs when (C, H, W) enters it.

    Columns: its name, the shape that leaves it, the pixels that an output sees, parameters and
    multiply-adds. Raises as `measure` does where a description cannot take the shape.
    """
    rows = []
    for name, node in nodes.items():
        found = measure(node, shape)
        sees = "×".join(map(str, found.receptive_field))
        rows.append((name, size_words(found.output), sees, found.params, found.macs))
    columns = ("", "gives", "sees", "parameters", "multiply-adds")
    return table(rows, columns, formats={"parameters": amount, "multiply-adds": amount})
