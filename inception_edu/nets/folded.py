"""A module as HTML that opens, and as plain text: repeats folded into one line; in HTML children on
demand, without a script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from itertools import groupby

from torch import Tensor, nn

from inception_edu.describe.tables import BORDER


@dataclass(frozen=True)
class _Row:
    """One line: a module, or `count` neighbours that are alike. `params` are those of one of them,
    `inside` the lines of its children."""

    name: str
    count: int
    words: str
    params: int
    inside: tuple[_Row, ...]

    @property
    def times(self) -> str:
        return f"{self.count} × " if self.count > 1 else ""

    @property
    def size(self) -> str:
        return f"{self.params:,} parameters" if self.params else ""


def folded(module: nn.Module, name: str = "") -> str:
    """`module` as nested <details>: one line a child, "4 × …" for neighbours that are alike, its
    parameters at the end of the line. The first level is open."""
    style = (
        f"color:inherit;border:1px solid {BORDER};border-radius:8px;padding:8px 10px;"
        "font:12.5px/1.6 monospace;overflow-x:auto"
    )
    return f'<div style="{style}">{_html(_row(name, module), opened=True)}</div>'


def folded_text(module: nn.Module, name: str = "") -> str:
    """The same as plain text, everything open but repeats."""
    return "\n".join(_text(_row(name, module), indent=""))


def _html(row: _Row, opened: bool = False) -> str:
    size = f' <span style="opacity:.75">{row.size}</span>' if row.size else ""
    label = f"<b>{escape(row.name)}</b> {row.times}{escape(row.words)}{size}"
    if not row.inside:
        return f'<div style="padding-left:1.1em">{label}</div>'
    inside = "".join(map(_html, row.inside))
    return (
        f"<details{' open' if opened else ''}><summary>{label}</summary>"
        f'<div style="padding-left:1.4em">{inside}</div></details>'
    )


def _text(row: _Row, indent: str) -> Iterator[str]:
    yield f"{indent}{row.name}: {row.times}{row.words}  {row.size}".rstrip()
    for inner in row.inside:
        yield from _text(inner, indent + "  ")


def _row(name: str, module: nn.Module, count: int = 1) -> _Row:
    if _one_line(module):
        return _Row(name, count, repr(module), _numbers(module.parameters()), ())
    inside = tuple(_row(*alike) for alike in _alike(module))
    params = _numbers(module.parameters(recurse=False))
    params += sum(row.count * row.params for row in inside)
    extra = module.extra_repr()
    words = type(module).__name__ + (f"({extra})" if extra else "")
    return _Row(name, count, words, params, inside)


def _numbers(parameters: Iterable[Tensor]) -> int:
    return sum(parameter.numel() for parameter in parameters)


def _alike(module: nn.Module) -> Iterator[tuple[str, nn.Module, int]]:
    """(name, child, how many like it in a row)."""
    for _, alike in groupby(module.named_children(), key=lambda child: repr(child[1])):
        children = list(alike)
        first, last = children[0], children[-1]
        name = first[0] if len(children) == 1 else f"{first[0]} … {last[0]}"
        yield name, first[1], len(children)


def _one_line(module: nn.Module) -> bool:
    """A layer, or a module that says itself in a line of its own, as `ConvBNReLU` does. (A whole
    network says itself in many lines: these.)"""
    own = type(module).__repr__ is not nn.Module.__repr__ and not hasattr(module, "_repr_html_")
    return own or not any(True for _ in module.children())
