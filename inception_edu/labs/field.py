"""How a field grows: choose an output, and watch what it sees grow backwards, layer by layer.

    field_lab("1×7 ∘ 1×7")
    field_lab(figures.InceptionB().branches[3], (1024, 17, 17))

Python counts the paths (`describe/paths.py`); the page plays the maps (`web/field.js`).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from inception_edu.describe import (
    Chain,
    Conv,
    Network,
    Node,
    Shape,
    SpecError,
    figures,
    inception_resnet_v2,
    inception_v3,
    inception_v4,
)
from inception_edu.describe import code as texts
from inception_edu.describe.canvas import BRANCH_COLOURS, CARD, INK
from inception_edu.describe.paths import Frame, grow, number_words
from inception_edu.labs import Picture, link
from inception_edu.labs.core import Column, Control, Lab, Part, Refused, Row, Set, Tell, View

if TYPE_CHECKING:
    from inception_edu.labs.host import NotebookLab

OWN = "your own"
MOST_NUMBERS = 441  # counts of paths written into the map


def _b(number: int) -> Node:
    return figures.InceptionB().branches[number - 1]


# What can be chosen: words, then a description and the shape (C, H, W) that enters it.
EXAMPLES: dict[str, tuple[Node | Network, Shape | None]] = {
    "3×3 ∘ 3×3": (Chain(Conv(1, 3), Conv(1, 3)), (1, 17, 17)),
    "5×5": (Conv(1, 5), (1, 17, 17)),
    "six 3×3": (Chain(*[Conv(1, 3)] * 6), (1, 17, 17)),
    "1×7 ∘ 7×1": (Chain(Conv(1, (1, 7)), Conv(1, (7, 1))), (1, 17, 17)),
    "1×7 ∘ 1×7": (Chain(Conv(1, (1, 7)), Conv(1, (1, 7))), (1, 17, 17)),
    "Fig. 4, branch 4": (figures.InceptionA().branches[3], (384, 35, 35)),
    "Fig. 5, branch 3 (the paper's print)": (_b(3), (1024, 17, 17)),
    "Fig. 5, branch 4": (_b(4), (1024, 17, 17)),
    "Fig. 5, whole block": (figures.InceptionB(), (1024, 17, 17)),
    "Fig. 11, a residual block": (figures.InceptionResNetB_v1(), (896, 17, 17)),
    "Fig. 3, the stem": (figures.StemV4(), (3, 299, 299)),
    "Inception-v3": (inception_v3(), None),
    "Inception-v4": (inception_v4(), None),
    "Inception-ResNet-v2": (inception_resnet_v2(), None),
}


@dataclass(frozen=True)
class State:
    """What is looked at, and which of its outputs: `place` (row, column), or None for the
    middle."""

    what: str
    place: tuple[int, int] | None = None
    own: tuple[Node | Network, Shape | None] | None = None

    @property
    def described(self) -> tuple[Node | Network, Shape | None]:
        return self.own if self.own and self.what == OWN else EXAMPLES[self.what]

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The maps from the output back to the input."""
        return _frames(*self.described, self.place)


@lru_cache(maxsize=32)
def _frames(what, shape, place) -> tuple[Frame, ...]:
    return grow(what, shape, place)


def update(state: State, event) -> State:
    if isinstance(event, Set) and event.key == "what":
        return replace(state, what=event.value, place=None)
    if isinstance(event, Tell):
        return _placed(state, event.value["place"])
    return state


def _placed(state: State, place) -> State:
    row, column = (int(n) for n in place)
    height, width = state.frames[0].size
    if not (0 <= row < height and 0 <= column < width):
        raise Refused(f"The output is {height}×{width}; there is no row {row}, column {column}.")
    return replace(state, place=(row, column))


def link_to(state: State) -> str:
    """The line that opens the lab again. It holds the description of what is one's own."""
    settings: dict = {"what": state.what}
    if state.own and state.what == OWN:
        node, shape = state.own
        text = texts.network_code(node) if isinstance(node, Network) else repr(node)
        settings = {"what": text, "shape": shape}
    return link.write("field_lab", settings | {"place": state.place})


@lru_cache(maxsize=8)  # the host asks several times for one state
def render(state: State) -> View:
    options = list(EXAMPLES) + ([OWN] if state.own else [])
    frames = state.frames
    row, column = np.argwhere(frames[0].counts)[0]
    value = {
        "key": state.what,
        "place": [int(row), int(column)],
        "frames": [_packed(frame, i, frames) for i, frame in enumerate(frames)],
    }
    what = Control("what", "list", "look at", state.what, tuple(options), name="what to look at")
    part = Part("field", value, "field", "how a field grows")
    return View((what,), (part,), _verdict(state), layout=Column(Row("what"), "status", "field"))


def _packed(frame: Frame, at: int, frames: tuple[Frame, ...]) -> dict:
    """A frame as the page wants it: only the field's box, as bytes."""
    top, left, bottom, right = frame.box
    counts = frame.counts[top:bottom, left:right]
    shares = counts / counts.max()
    few = counts.size <= MOST_NUMBERS and counts.max() < 1e6
    numbers = [int(n) for n in counts.ravel()] if few else None
    profiles = [counts.sum(1), counts.sum(0)]
    return {
        "name": frame.name,
        "size": list(frame.size),
        "box": [top, left, bottom, right],
        "seen": f"{frame.seen[0]}×{frame.seen[1]}",
        "paths": number_words(frame.paths),
        "most": float(counts.max()),
        "cells": base64.b64encode(_bytes(shares)).decode(),
        "numbers": numbers,
        "profile": [[round(float(v), 4) for v in p / p.max()] for p in profiles],
        "said": _said(frame, at, len(frames)),
    }


def _bytes(shares: np.ndarray) -> bytes:
    """Shares of 0 to 1 as bytes; what is not 0 stays at least 1."""
    return np.where(shares > 0, np.maximum(np.round(shares * 255), 1), 0).astype(np.uint8).tobytes()


def _said(frame: Frame, at: int, count: int) -> str:
    """One map in words."""
    if at == 0:
        return f"The output, {frame.size[0]}×{frame.size[1]}: one value is chosen."
    height, width = frame.seen
    where = "The input" if at == count - 1 else f"Before the {frame.name}"
    words = f"{where}: the value sees {height}×{width} of {frame.size[0]}×{frame.size[1]}"
    if frame.reach != frame.seen:
        words += f" ({frame.reach[0]}×{frame.reach[1]} if the map had no border)"
    words += f", on {number_words(frame.paths)} paths."
    most, least = frame.counts.max(), frame.counts[frame.counts > 0].min()
    if most > least:
        rows, columns = frame.core()
        words += (
            f" The busiest pixel lies on {number_words(most)} of them, the quietest on "
            f"{number_words(least)}. Half of all paths begin in "
            + ", and half in ".join(
                f"{few} of the {all_} {what}"
                for few, all_, what in ((rows, height, "rows"), (columns, width, "columns"))
                if all_ > 1
            )
            + "."
        )
    elif height * width > 1:
        words += f" Every pixel of the field lies on {number_words(most)}: there is no middle."
    return words


def _verdict(state: State) -> str:
    last = state.frames[-1]
    seen = f"{last.seen[0]}×{last.seen[1]}"
    steps = len(state.frames) - 1
    return (
        f"{state.what}: one output value sees {seen} of the {last.size[0]}×{last.size[1]} input, "
        f"through {steps} {'step' if steps == 1 else 'steps'} and {number_words(last.paths)} paths."
    )


def picture(state: State) -> Picture:
    """The input with the field in it, and the curves beside: for a page without scripts."""
    frame = state.frames[-1]
    height, width = frame.size
    cell = min(18, 260 / max(height, width))
    pixels = max(1, -(-max(height, width) // 38))  # a square stands for so many pixels a side
    out = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 330 330" width="330" role="img" '
        f'style="background:{CARD};font:12px sans-serif">'
        f'<text x="12" y="18" fill="{INK}">the input, and what one output sees</text>'
    ]
    most = frame.counts.max()
    for i in range(0, height, pixels):
        for j in range(0, width, pixels):
            count = frame.counts[i : i + pixels, j : j + pixels].max()
            shade = 0.12 + 0.88 * (count / most) ** 0.5 if count else 0.0
            look = f'fill="{BRANCH_COLOURS[0]}" fill-opacity="{shade:.2f}"'
            if pixels == 1:
                look += ' stroke="#c9cdd3" stroke-width="0.5"'
            elif not count:
                continue
            out.append(
                f'<rect x="{12 + j * cell:.1f}" y="{28 + i * cell:.1f}" '
                f'width="{pixels * cell:.1f}" height="{pixels * cell:.1f}" {look}/>'
            )
    out.append(
        f'<rect x="12" y="28" width="{width * cell:.1f}" height="{height * cell:.1f}" '
        f'fill="none" stroke="{INK}"/></svg>'
    )
    return Picture("".join(out), f"{_verdict(state)} {_said(frame, 1, 2)}")


def make(
    what: str | Node | Network = "3×3 ∘ 3×3",
    shape: Shape | None = None,
    place: tuple[int, int] | None = None,
) -> Lab:
    """The lab without widgets: a `core.Lab`. Raises as `field_lab`."""
    if isinstance(what, str) and what not in EXAMPLES and "(" in what:
        network = what.startswith("Network(")
        what = texts.parse_network(what) if network else texts.parse(what)
    if isinstance(what, str):
        if what not in EXAMPLES:
            raise Refused(f"There is no {what!r} to look at; there are {', '.join(EXAMPLES)}.")
        start = State(what)
    else:
        if shape is None and not isinstance(what, Network):
            raise SpecError(
                "A block of your own needs the shape (channels, height, width) that enters it."
            )
        start = State(OWN, own=(what, shape))
        grow(what, shape)  # raises with a sentence where the numbers do not fit
    return Lab(
        "field-lab",
        "How a field grows",
        start if place is None else _placed(start, place),
        update,
        render,
        stored=lambda state: [picture(state)],
        words=_verdict,
        link=link_to,
    )


def field_lab(
    what: str | Node | Network = "3×3 ∘ 3×3",
    shape: Shape | None = None,
    place: tuple[int, int] | None = None,
) -> NotebookLab:
    """Display how a field grows, and return the lab: `lab.what = "5×5"` chooses, `lab.state.frames`
    holds the counts.

    `what` is a key of `EXAMPLES`, a network, or a node (or its code) with the `shape` (C, H, W)
    that enters it; `place` the row and column of the output that is looked at, its middle by
    default. Raises `SpecError` where the description does not fit, `Refused` for another key.
    """
    from inception_edu.labs.host import NotebookLab

    lab = NotebookLab(make(what, shape, place))
    lab.show()
    return lab
