"""A table that a notebook shows as a table, and a terminal as aligned text.

    table([("stem", 2_000_000, 0.12)], ["block", "parameters", "share"],
          formats={"share": ".0%"}, caption="Where the parameters sit")

Numbers stand at the right with thousands separators, text at the left. In a page the table follows
the theme, scrolls where the page is narrow, and a click on a heading sorts by it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

Format = str | Callable[[Any], str]

BORDER = "var(--jp-border-color2, #c8c8c8)"


def spaced(text: str) -> str:
    """Percent with a space, as all chapters write it: "44%" becomes "44 %"."""
    return re.sub(r"(?<=[0-9])%", " %", text)


# Sorts the rows of the table by the column of the button that was pressed; again: the other way. It
# stands once, at the table: at each heading it was half of the bytes of a page.
SORT = """
(function (table, button) {
  if (!button) return;
  var heading = button.closest('th'), row = heading.parentNode;
  var place = [].indexOf.call(row.children, heading);
  var up = heading.getAttribute('aria-sort') !== 'ascending';
  [].forEach.call(row.children, function (other) { other.removeAttribute('aria-sort'); });
  heading.setAttribute('aria-sort', up ? 'ascending' : 'descending');
  function key(line) {
    var cell = line.children[place], number = cell.dataset.v;
    return number === undefined ? cell.textContent : parseFloat(number);
  }
  var body = table.tBodies[0];
  [].slice.call(body.rows).sort(function (a, b) {
    return (key(a) > key(b) ? 1 : key(a) < key(b) ? -1 : 0) * (up ? 1 : -1);
  }).forEach(function (line) { body.appendChild(line); });
})(this, event.target.closest('th button'))
"""


@dataclass(frozen=True, repr=False)
class Table:
    """Rows under column headings. `formats`: a format ("," or ".1%") or a function for a column."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    caption: str = ""
    formats: Mapping[str, Format] = field(default_factory=dict)
    strong: frozenset[int] = frozenset()  # rows that are set in bold

    def texts(self) -> list[list[str]]:
        """The cells as they are shown."""
        return [
            [self._text(name, value) for name, value in zip(self.columns, row)] for row in self.rows
        ]

    def _text(self, column: str, value: Any) -> str:
        if value is None:
            return ""
        wanted = self.formats.get(column)
        if wanted is None or (isinstance(wanted, str) and isinstance(value, str)):
            return spaced(plain(value))
        text = wanted(value) if callable(wanted) else spaced(format(value, wanted))
        return text.replace("-", "−", 1) if text.startswith("-") else text

    def _is_numeric(self, place: int) -> bool:
        values = [row[place] for row in self.rows if row[place] is not None]
        return bool(values) and all(_is_number(value) for value in values)

    def __str__(self) -> str:
        lines = [list(self.columns), *self.texts()]
        widths = [max(map(_width, column)) for column in zip(*lines)]
        right = [self._is_numeric(place) for place in range(len(self.columns))]
        shown = []
        for line in lines:
            cells = [
                _pad(text, width, at_right) for text, width, at_right in zip(line, widths, right)
            ]
            shown.append("  ".join(cells).rstrip())
        rule = "─" * max(map(_width, shown))
        head = [self.caption] if self.caption else []
        return "\n".join([*head, shown[0], rule, *shown[1:]])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        numeric = [self._is_numeric(place) for place in range(len(self.columns))]
        head = "".join(self._heading(name, right) for name, right in zip(self.columns, numeric))
        body = "".join(
            self._row(number, texts, numeric) for number, texts in enumerate(self.texts())
        )
        caption = ""
        if self.caption:
            style = (
                "caption-side:top;text-align:left;padding:2px 0 6px;font-weight:600;color:inherit"
            )
            caption = f'<caption style="{style}">{escape(self.caption)}</caption>'
        sort = f' onclick="{_one_line(SORT)}"' if self._sortable else ""
        return (
            '<div class="ied-table" tabindex="0" style="overflow-x:auto;max-width:100%">'
            f'<table{sort} style="border-collapse:collapse;font-size:13px;line-height:1.45;'
            f'margin:4px 0;color:inherit;font-variant-numeric:tabular-nums">{caption}'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    @property
    def _sortable(self) -> bool:
        return len(self.rows) > 3

    def _heading(self, name: str, right: bool) -> str:
        text = _unbroken(escape(name))
        if self._sortable and name:
            # Each by its name: JupyterLab takes "all" away while a notebook is not trusted.
            plain_button = (
                "background:transparent;border:0;padding:0;margin:0;font-family:inherit;"
                "font-size:13px;font-weight:600;color:inherit;text-align:inherit;cursor:pointer;"
                "text-decoration:underline;text-decoration-style:dotted"
            )
            text = f'<button type="button" title="sort" style="{plain_button}">{text}</button>'
        return f'<th scope="col" style="{_cell_style(right)}font-weight:600">{text}</th>'

    def _row(self, number: int, texts: list[str], numeric: list[bool]) -> str:
        weight = "font-weight:600;" if number in self.strong else ""
        cells = []
        for place, (text, right) in enumerate(zip(texts, numeric)):
            value = self.rows[number][place]
            key = f' data-v="{float(value)}"' if right and value is not None else ""
            style = _cell_style(right) + ("white-space:nowrap;" if right else "") + weight
            cells.append(f'<td{key} style="{style}">{_unbroken(escape(text))}</td>')
        return f'<tr style="background:transparent">{"".join(cells)}</tr>'


def table(
    rows: Sequence[Any] | Mapping[Any, Any],
    columns: Sequence[str] | None = None,
    *,
    caption: str = "",
    formats: Mapping[str, Format] | None = None,
    strong: Sequence[int] = (),
) -> Table:
    """A table of `rows`: sequences of cells, mappings from column to cell, or one mapping from a
    row's name to its cell or cells.

    Without `columns` the keys of the first row are the headings. ValueError where a row has another
    number of cells than there are columns.
    """
    if isinstance(rows, Mapping):
        rows = [(name, *_cells(values)) for name, values in rows.items()]
    if columns is None:
        if not rows or not isinstance(rows[0], Mapping):
            raise ValueError("A table of plain rows needs its column headings: columns=[…].")
        columns = list(rows[0])
    found = []
    for row in rows:
        cells = [row.get(name) for name in columns] if isinstance(row, Mapping) else list(row)
        if len(cells) != len(columns):
            raise ValueError(f"{len(columns)} columns ({', '.join(columns)}), but the row {cells}.")
        found.append(tuple(cells))
    if unknown := set(formats or {}) - set(columns):
        raise ValueError(f"There is no column {min(unknown)!r}; there are {', '.join(columns)}.")
    return Table(tuple(columns), tuple(found), caption, dict(formats or {}), frozenset(strong))


def _cells(values: Any) -> Sequence[Any]:
    return values if isinstance(values, (tuple, list)) else (values,)


def plain(value: Any) -> str:
    """A value for a cell: 1,234 and 0.123; a shape as 384×35×35; text as it is."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple) and value and all(isinstance(n, int) for n in value):
        return "×".join(map(str, value))
    if _is_number(value):
        text = f"{value:,}" if value == int(value) else f"{value:.3g}"
        return text.removesuffix(".0").replace("-", "−")
    return str(value)


def _is_number(value: Any) -> bool:
    if isinstance(value, (bool, str, tuple)) or not hasattr(value, "__float__"):
        return False
    return float(value) == float(value) and abs(float(value)) != float("inf")


def _one_line(script: str) -> str:
    return escape(" ".join(script.split()), quote=True)


def _cell_style(right: bool) -> str:
    side = "right" if right else "left"
    return (
        f"text-align:{side};vertical-align:top;padding:3px 12px 3px 4px;"
        f"border-bottom:1px solid {BORDER};color:inherit;"
    )


def _unbroken(text: str) -> str:
    """No line ends between a number and its sign: "10 %", "Fig. 4"."""
    return re.sub(r" (?=%)|(?<=Fig\.) (?=\d)", "&nbsp;", text)


def _width(text: str) -> int:
    """Columns on a terminal; letters that are put on top of others take none."""
    return sum(not unicodedata.combining(letter) for letter in text)


def _pad(text: str, width: int, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space
