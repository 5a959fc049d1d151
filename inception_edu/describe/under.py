"""What stands under each branch of a drawn block: its field as a shape to scale, and its shares of
parameters and multiply-adds. No torch.
"""

from __future__ import annotations

from inception_edu.describe.canvas import FAINT, SMALL, Box, Line, branch_colour
from inception_edu.describe.design import Branch
from inception_edu.describe.parts import Path

HIGH = 40.0  # of the largest field, in the drawing's units
CELL = 8.0  # the side of a field's cell, at most
LINE = 13  # from line to line
NOTE = "Below: what a branch sees · its share of parameters · of multiply-adds."


def under(items: list, found: tuple[Branch, ...]) -> tuple[str, float]:
    """The SVG below a block's drawing, and how high it is. `items` are the drawing's; a branch
    stands where its boxes and lines stand."""
    if not found:
        return "", 0.0
    params, macs = shares(found)
    cell = min(CELL, HIGH / max(max(b.field) for b in found))
    out = []
    for i, branch in enumerate(found):
        x, colour = _middle(items, branch.path), branch_colour(i)
        height, width = branch.field
        out.append(_shape(x, height, width, cell, colour))
        lines = (f"{height}×{width}", f"{params[i]:.0%} · {macs[i]:.0%}")
        for row, words in enumerate(lines):
            bold = ' font-weight="700"' if row == 0 else ""
            out.append(
                f'<text x="{x:.1f}" y="{HIGH + LINE * (row + 1):.1f}" font-size="{SMALL:g}" '
                f'text-anchor="middle" fill="{FAINT if row else colour}"{bold}>{words}</text>'
            )
    return "".join(out), HIGH + LINE * 2 + 8


def shares(found: tuple[Branch, ...]) -> tuple[list[float], list[float]]:
    """Each branch's share of the branches' parameters, and of their multiply-adds."""
    counts = [[b.params for b in found], [b.macs for b in found]]
    params, macs = ([n / max(sum(numbers), 1) for n in numbers] for numbers in counts)
    return params, macs


def _middle(items: list, path: Path) -> float:
    """x of a branch: of its lowest box, else of the first line that belongs to it."""
    mine = [item for item in items if item.path[: len(path)] == path]
    boxes = sorted((b for b in mine if isinstance(b, Box)), key=lambda b: b.y)
    if boxes:
        return boxes[0].x + boxes[0].width / 2
    lines = [item for item in mine if isinstance(item, Line)]
    return lines[0].points[-1][0] if lines else 0.0


def _shape(x: float, height: int, width: int, cell: float, colour: str) -> str:
    """A field in so many cells around `x`, or as one area where they would be too small."""
    left, top = x - width * cell / 2, (HIGH - height * cell) / 2
    places = [(0, 0, height, width)]
    if cell >= 2:
        places = [(r, c, 1, 1) for r in range(height) for c in range(width)]
    drawn = (
        f"M{left + c * cell:.1f} {top + r * cell:.1f}h{w * cell - 0.6:.1f}v{h * cell - 0.6:.1f}"
        f"h{0.6 - w * cell:.1f}z"
        for r, c, h, w in places
    )
    return f'<path class="field" d="{"".join(drawn)}" fill="{colour}"/>'
