"""A table to print and to show, with what differs from its first column marked. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

NOTHING = "—"


@dataclass(frozen=True, repr=False)
class Table:
    """A table to print: a column for each of `names`, rows of (aspect, one cell a column).

    `marked`: whether the first column is a base, so that what differs from it is marked.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    marked: bool = True

    def __getitem__(self, aspect: str) -> tuple[str, ...]:
        for row, cells in self.rows:
            if row == aspect:
                return cells
        raise KeyError(
            f"There is no row {aspect!r}; there are {', '.join(row for row, _ in self.rows)}."
        )

    def differing(self) -> Table:
        """The rows in which not all columns agree."""
        return Table(
            self.names, tuple(row for row in self.rows if len(set(row[1])) > 1), self.marked
        )

    def __str__(self) -> str:
        lines = [("", self.names), *self.rows]
        widths = [max(len(row) for row, _ in lines)] + [
            max(map(len, cells)) for cells in zip(*(c for _, c in lines))
        ]
        return "\n".join(
            "  ".join(word.ljust(w) for word, w in zip((row, *cells), widths)).rstrip()
            for row, cells in lines
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """On a light card of its own; where `marked`, what differs from the first column is bold
        with a ≠."""

        def cell(tag: str, text: str, style: str = "") -> str:
            return (
                f'<{tag} style="text-align:left;vertical-align:top;padding:4px 10px;color:#222;'
                f'border-bottom:1px solid #d0d0d0;white-space:normal;{style}">{text}</{tag}>'
            )

        def mark(first: str, value: str) -> str:
            return (
                escape(value) if value == first or not self.marked else f"<b>≠ {escape(value)}</b>"
            )

        head = cell("td", "") + "".join(
            cell("th", escape(name), "font-weight:600") for name in self.names
        )
        body = "".join(
            '<tr style="background:#fff">'
            + cell("th", escape(row), "font-weight:400")
            + "".join(cell("td", mark(cells[0], value)) for value in cells)
            + "</tr>"
            for row, cells in self.rows
        )
        return (
            '<div style="background:#fff;color:#222;overflow-x:auto;border:1px solid #d0d0d0;'
            'border-radius:8px;line-height:1.4">'
            '<table style="border-collapse:collapse;font-size:13px;margin:0">'
            f'<thead><tr style="background:#fff">{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>"
        )
