"""Pieces of HTML that labs share: a light card, a sentence that is spoken, a small table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

CARD = (
    "background:#fff;color:#222;border:1px solid #d0d0d0;border-radius:8px;padding:8px 10px;"
    "line-height:1.45;font-size:13px;box-sizing:border-box;overflow-x:auto;"
    "font-family:var(--jp-ui-font-family,system-ui,sans-serif)"
)


def card(*pieces: str) -> str:
    """HTML on a light card, so that it reads the same in a dark theme."""
    return f'<div class="ied-card" style="{CARD}">{"".join(pieces)}</div>'


def status(sentence: str, alert: bool = False) -> str:
    """A sentence that a screen reader speaks when it changes; with `alert` one that is marked as
    well."""
    style = "line-height:1.4;"
    if alert:
        style += "font-weight:600;border-left:4px solid #d55e00;padding-left:8px"
    role = "alert" if alert else "status"
    return f'<div role="{role}" aria-live="polite" style="{style}">{escape(sentence)}</div>'


def table(rows: Sequence[tuple[str, ...]], head: tuple[str, ...] = (), css: str = "") -> str:
    """A small table: the first cell of a row names it, the others are numbers. An empty word of the
    head is an empty cell."""

    def cell(tag: str, text: str, side: str, weight: int) -> str:
        style = f"padding:1px 14px 1px 0;text-align:{side};font-weight:{weight}"
        return f'<{tag} style="{style}">{escape(text)}</{tag.split()[0]}>'

    top = [cell('th scope="col"' if word else "td", word, "right", 600) for word in head]
    out = ["<tr>" + "".join(top) + "</tr>"] if head else []
    for name, *cells in rows:
        numbers = "".join(cell("td", c, "right", 400) for c in cells)
        out.append(
            '<tr style="background:#fff">'
            + cell('th scope="row"', name, "left", 400)
            + numbers
            + "</tr>"
        )
    style = "border-collapse:collapse;margin:6px 0;color:#222;background:#fff"
    return f'<table class="{css}" style="{style}">{"".join(out)}</table>'
