"""A module as HTML that opens, and as plain text: repeats folded into one line; in HTML children on
demand, without a script."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import groupby

from torch import nn

from inception_edu.describe.tables import BORDER


def folded(module: nn.Module, name: str = "") -> str:
    """`module` as nested <details>: one line a child, "4 × …" for neighbours that are alike, its
    parameters at the end of the line. The first level is open."""
    style = (
        f"color:inherit;border:1px solid {BORDER};border-radius:8px;padding:8px 10px;"
        "font:12.5px/1.6 monospace;overflow-x:auto"
    )
    return f'<div style="{style}">{_line(name, module, 1, True)}</div>'


def folded_text(module: nn.Module, name: str = "") -> str:
    """The same as plain text, everything open but repeats."""
    return "\n".join(_lines(name, module, 1, ""))


def _lines(name: str, module: nn.Module, count: int, indent: str) -> Iterator[str]:
    params = sum(p.numel() for p in module.parameters())
    times = f"{count} × " if count > 1 else ""
    size = f"  {params:,} parameters" if params else ""
    yield f"{indent}{name}: {times}{_words(module)}{size}"
    if not _one_line(module):
        for row in _rows(module):
            yield from _lines(*row, indent + "  ")


def _line(name: str, module: nn.Module, count: int, opened: bool = False) -> str:
    params = sum(p.numel() for p in module.parameters())
    times = f"{count} × " if count > 1 else ""
    size = f' <span style="opacity:.75">{params:,} parameters</span>' if params else ""
    label = f"<b>{escape(name)}</b> {times}{escape(_words(module))}{size}"
    if _one_line(module):
        return f'<div style="padding-left:1.1em">{label}</div>'
    inside = "".join(_line(*row) for row in _rows(module))
    return (
        f"<details{' open' if opened else ''}><summary>{label}</summary>"
        f'<div style="padding-left:1.4em">{inside}</div></details>'
    )


def _rows(module: nn.Module) -> Iterator[tuple[str, nn.Module, int]]:
    """(name, child, how many like it in a row)."""
    for _, alike in groupby(module.named_children(), key=lambda child: repr(child[1])):
        children = list(alike)
        first, last = children[0], children[-1]
        name = first[0] if len(children) == 1 else f"{first[0]} … {last[0]}"
        yield name, first[1], len(children)


def _words(module: nn.Module) -> str:
    if _one_line(module):
        return repr(module)
    extra = module.extra_repr()
    return type(module).__name__ + (f"({extra})" if extra else "")


def _one_line(module: nn.Module) -> bool:
    """A layer, or a module that says itself in a line of its own, as `ConvBNReLU` does. (A whole
    network says itself in many lines: these.)"""
    own = type(module).__repr__ is not nn.Module.__repr__ and not hasattr(module, "_repr_html_")
    return own or not any(True for _ in module.children())
