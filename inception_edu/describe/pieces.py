"""What a block's drawing is laid out from: parts, the ends where lines meet them, and bars.

No torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from inception_edu.describe.canvas import (
    FAINT,
    SIZE,
    SMALL,
    WRONG,
    Box,
    Text,
    box_size,
    text_width,
)
from inception_edu.describe.parts import Path


@dataclass(eq=False)
class End:
    """Where a part is entered or left. `span`: the x range over which lines may meet a bar."""

    x: float
    y: float
    path: Path = ()
    branch: int | None = None
    label: str = ""
    span: tuple[float, float] | None = None
    through: bool = False  # nothing stands here: the line goes on
    badge: str = ""
    wrong: bool = False

    def move(self, dx: float, dy: float) -> None:
        self.x, self.y = self.x + dx, self.y + dy
        self.span = self.span and (self.span[0] + dx, self.span[1] + dx)

    def nearest(self, x: float) -> float:
        """Where a line to `x` best leaves from."""
        low, high = self.span or (self.x, self.x)
        return min(max(x, low), high)


@dataclass(eq=False)
class Part:
    """A laid-out node. It occupies 0…width × 0…height; lines arrive around `inlet` and leave around
    `outlet`."""

    width: float
    height: float
    inlet: float
    outlet: float
    entries: list[End]
    exits: list[End]
    items: list = field(default_factory=list)

    def move(self, dx: float, dy: float = 0.0) -> None:
        self.inlet, self.outlet = self.inlet + dx, self.outlet + dx
        for thing in (*self.items, *self.entries, *self.exits):
            thing.move(dx, dy)

    def cover(self, low: float, high: float) -> Part:
        """Make the part wide enough for low…high as well."""
        shift = max(0.0, -low)
        self.move(shift)
        self.width = max(self.width, high) + shift
        return self


def label_of(end: End, y: float) -> list[Text]:
    """The shape that leaves `end`, right of its line at height `y`."""
    colour = WRONG if end.wrong else FAINT
    return (
        [Text(end.x + 6, y, end.label, end.path, colour=colour, bold=end.wrong)]
        if end.label
        else []
    )


def reach_of(label: str) -> float:
    """How far a label reaches to the right of its line."""
    return 6 + text_width(label, SMALL, True) if label else 0.0


def bar(
    kind: str,
    word: str,
    shape: str,
    y: float,
    ends: list[End],
    path: Path,
    error: str = "",
    short: str = "",
) -> Box:
    """A box wide enough that every line of `ends` meets it straight."""
    low, high = min(e.x for e in ends) - 26, max(e.x for e in ends) + 26
    one = f"{word}\t{shape}" if shape else word
    lines = [(one, SIZE, True)]
    if box_size(tuple(lines))[0] > high - low and shape:
        lines = [(word, SIZE, True), (shape, SIZE, False)]
    lines += [(short, SIZE, True)] if short else []
    width, height = box_size(tuple(lines))
    spare = max(0.0, width - (high - low)) / 2
    return Box(
        low - spare,
        y,
        high - low + 2 * spare,
        height,
        tuple(lines),
        kind,
        path,
        None,
        bool(error),
        error,
    )
