"""Boxes, lines and words on a light card, written as SVG. `draw.py` says where they go. No torch.

x grows to the right and y in the direction in which data flows; `render` turns that up (as in the
paper) or down. Texts are measured here without a font at hand: `text_width` is an upper bound for
the common sans-serif fonts, so no text leaves its box on any machine.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from html import escape

# Of the first, second, … branch of every block, left to right: here, in the plots and in the labs.
# Dark enough for text on white, told apart by colour-blind readers; the branches also carry their
# numbers.
BRANCH_COLOURS = ("#0072b2", "#d55e00", "#007a5a", "#a63d82", "#8a6200", "#4a4a9c")
INK, FAINT, STROKE, WRONG, CARD = "#1b1b1b", "#5f5f5f", "#555555", "#c00000", "#ffffff"
FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
SIZE, SMALL, LINE = 12, 10, 15  # of the letters in boxes, of those beside lines; from line to line
PAD, MARGIN, PLATE = 9, 16, 3  # around the text in a box, around the drawing, between plates

# Widths of letters as shares of their size, at least those of DejaVu Sans, the widest font that is
# likely to be used.
_NARROW, _WIDE, _WIDEST = "fijlrt.,:;'|!()[]I-/ ", "×≠=+<>→·…≥~#&^", "mwMWQ%@—\t"

Heights = Callable[[float], float]  # where a y of the drawing lies in the picture
Words = tuple[str, float, bool]  # a text, its size, whether it is bold (up to a tab)


def text_width(text: str, size: float = SIZE, bold: bool = False) -> float:
    """An upper bound of the width of a text in the common sans-serif fonts, in the drawing's
    units."""
    ems = sum(map(_letter_width, text))
    return ems * size * (1.13 if bold else 1.0)


@cache
def _letter_width(letter: str) -> float:
    """As a share of the letters' size."""
    if letter in _NARROW:
        return 0.44
    if letter in _WIDE:
        return 0.84
    if letter in _WIDEST or not letter.isascii():
        return 1.0
    return 0.8 if letter.isupper() else 0.64


def wrap(text: str, width: float, size: float, bold: bool = False) -> list[str]:
    """A text cut into lines of at most `width`, where its words are short enough."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, size, bold) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return [line for line in lines if line]


def box_size(lines: tuple[Words, ...]) -> tuple[float, float]:
    """Width and height of a box around lines of words."""
    width = max((text_width(*line) for line in lines), default=0) + 2 * PAD
    return width, LINE * len(lines) + (PAD if len(lines) > 1 else PAD + 2)


@dataclass(eq=False)
class Box:
    """`kind` chooses the look; `path` says which node of the description this is; `repeat` draws
    plates behind it."""

    x: float
    y: float
    width: float
    height: float
    lines: tuple[Words, ...]
    kind: str
    path: tuple[str, ...] = ()
    branch: int | None = None
    wrong: bool = False
    tip: str = ""
    repeat: int = 1

    def move(self, dx: float, dy: float) -> None:
        self.x, self.y = self.x + dx, self.y + dy


@dataclass(eq=False)
class Line:
    points: list[tuple[float, float]]
    path: tuple[str, ...] = ()
    branch: int | None = None
    arrow: bool = True
    wrong: bool = False

    def move(self, dx: float, dy: float) -> None:
        self.points = [(x + dx, y + dy) for x, y in self.points]


@dataclass(eq=False)
class Text:
    """Words beside a line: `y` is their middle."""

    x: float
    y: float
    text: str
    path: tuple[str, ...] = ()
    anchor: str = "start"
    colour: str = FAINT
    bold: bool = False
    size: float = SMALL

    def move(self, dx: float, dy: float) -> None:
        self.x, self.y = self.x + dx, self.y + dy


@dataclass(eq=False)
class Canvas:
    """What is to be rendered: items in 0…width × 0…height, a heading, a spoken description, lines
    of text below."""

    width: float
    height: float
    items: list = field(default_factory=list)
    title: str = ""
    description: str = ""
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    foot: tuple[str, float] = ("", 0.0)  # SVG below the items, and its height


class Drawing(str):
    """An SVG text that notebooks show as a picture.

    `title` and `description` are its words, `errors` the sentences drawn in red, `size` its (width,
    height).
    """

    title: str  # type: ignore[assignment]  # a text has a method of this name
    description: str
    errors: tuple[str, ...]
    size: tuple[float, float]

    def _repr_svg_(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """As an <img>: it also shows in a notebook that is not trusted yet, and carries its words
        as alt text."""
        data = base64.b64encode(self.encode()).decode()
        said = escape(f"{self.title}. {self.description}", quote=True)
        return (
            f'<img class="ied-drawing" alt="{said}" width="{self.size[0]:.0f}" '
            f'style="max-width:100%;height:auto" src="data:image/svg+xml;base64,{data}">'
        )

    def __repr__(self) -> str:
        return f"<Drawing of {self.title}. {self.description}>"


def branch_colour(branch: int | None) -> str:
    """The colour of a branch counted from 0; grey where there is none."""
    return STROKE if branch is None else BRANCH_COLOURS[branch % len(BRANCH_COLOURS)]


def tint(colour: str, share: float = 0.13) -> str:
    """A colour mixed with white."""
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - share * (255 - p)):02x}" for p in parts)


def inside(path: tuple[str, ...], wanted: list[tuple[str, ...]]) -> bool:
    return any(path[i : i + len(w)] == w for w in wanted for i in range(len(path)))


def render(
    canvas: Canvas, direction: str = "up", highlight: list[tuple[str, ...]] | None = None
) -> Drawing:
    """The SVG. What does not lie in one of the `highlight` paths fades, where there are any."""
    inner = max(canvas.width, 270.0)  # room for a heading
    heading = wrap(canvas.title, inner, 14, True)
    texts = [
        (line, WRONG if text in canvas.errors else FAINT)
        for text in (*canvas.notes, *canvas.errors)
        for line in wrap(text, max(inner, 330), 11)
    ]
    lines = [(text, 14, True) for text in heading] + [(text, 11, False) for text, _ in texts]
    inner = max([canvas.width, *(text_width(*line) for line in lines)])
    dx = MARGIN + (inner - canvas.width) / 2
    top = MARGIN + 19 * len(heading) + 8
    width = round(inner + 2 * MARGIN)
    below = top + canvas.height + canvas.foot[1]
    height = round(below + (14 + 16 * len(texts) if texts else 0) + MARGIN)

    def at(y: float) -> float:
        return top + (canvas.height - y if direction == "up" else y)

    drawn: dict[type, list[str]] = {Line: [], Box: [], Text: []}
    for item in canvas.items:
        fade = ' opacity="0.22"' if highlight and not inside(item.path, highlight) else ""
        drawn[type(item)].append(_SVG[type(item)](item, dx, at, fade))
    said = escape(canvas.title, quote=True)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" '
        f'role="img" aria-label="{said}" style="max-width:100%;height:auto" font-family="{FONT}" '
        f'font-size="{SIZE}" fill="{INK}">',
        f"<title>{said}</title><desc>{escape(canvas.description)}</desc>",
        f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" fill="{CARD}" '
        'stroke="#d5d8dd"/>',
    ]
    out += [
        f'<text x="{MARGIN}" y="{MARGIN + 12 + 19 * i}" font-size="14" font-weight="700">'
        f"{escape(text)}</text>"
        for i, text in enumerate(heading)
    ]
    out += [svg for kind in (Line, Box, Text) for svg in drawn[kind]]
    if canvas.foot[0]:
        move = f"translate({dx:.1f},{top + canvas.height + 10:.1f})"
        out.append(f'<g transform="{move}">{canvas.foot[0]}</g>')
    out += [
        f'<text x="{MARGIN}" y="{below + 22 + 16 * i:.1f}" font-size="11" '
        f'fill="{colour}">'
        f"{escape(text)}</text>"
        for i, (text, colour) in enumerate(texts)
    ]
    drawing = Drawing("\n".join(out) + "\n</svg>")
    drawing.title, drawing.description = canvas.title, canvas.description
    drawing.errors, drawing.size = canvas.errors, (width, height)
    return drawing


def _text_svg(item: Text, dx: float, at: Heights, fade: str) -> str:
    weight = ' font-weight="700"' if item.bold else ""
    # The white edge keeps words readable where a line passes close by.
    return (
        f'<text x="{item.x + dx:.1f}" y="{at(item.y) + item.size * 0.36:.1f}" '
        f'font-size="{item.size:g}" text-anchor="{item.anchor}" fill="{item.colour}" '
        f'stroke="{CARD}" stroke-width="3" paint-order="stroke"'
        f"{weight}{fade}>{escape(item.text)}</text>"
    )


def _line_svg(item: Line, dx: float, at: Heights, fade: str) -> str:
    points = [(x + dx, at(y)) for x, y in item.points]
    colour = WRONG if item.wrong else branch_colour(item.branch)
    head = ""
    if item.arrow:  # drawn, not a marker: markers need ids, unique in a page
        (x0, y0), (x1, y1) = points[-2:]
        length = max(abs(x1 - x0) + abs(y1 - y0), 1e-6)
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        x2, y2 = x1 - 7 * ux, y1 - 7 * uy
        head = (
            f'<path d="M{x1:.1f} {y1:.1f}L{x2 - 3.5 * uy:.1f} {y2 + 3.5 * ux:.1f}'
            f'L{x2 + 3.5 * uy:.1f} {y2 - 3.5 * ux:.1f}Z" fill="{colour}"{fade}/>'
        )
        points[-1] = (x1 - 5 * ux, y1 - 5 * uy)
    way = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return (
        f'<path d="{way}" fill="none" stroke="{colour}" stroke-width="1.5" '
        f'stroke-linejoin="round"{fade}/>{head}'
    )


_LOOKS = {  # fill, stroke, text, corner; None: the branch's colour
    "conv": (None, None, INK, 3),
    "pool": (None, None, INK, 14),
    "bar": ("#3d4654", "#3d4654", "#ffffff", 4),
    "input": (CARD, STROKE, INK, 4),
    "relu": (CARD, STROKE, INK, 14),
    "norm": (CARD, STROKE, INK, 14),
    "scale": ("#fff4cc", "#8a6200", INK, 12),
    "plus": (CARD, INK, INK, 40),
    "block": (tint("#0072b2", 0.1), "#3d6a8a", INK, 4),
    "reduction": (tint("#d55e00", 0.1), "#9a5a2c", INK, 4),
    "tail": ("#f3f4f6", STROKE, INK, 4),
}


def _box_svg(item: Box, dx: float, at: Heights, fade: str) -> str:
    x, width, height = item.x + dx, item.width, item.height
    foot, head = at(item.y), at(item.y + height)  # where data enters and leaves
    y = min(foot, head)
    fill, stroke, text, rounding = _LOOKS[item.kind]
    stroke = stroke or branch_colour(item.branch)
    fill = fill or ("#f3f4f6" if item.branch is None else tint(stroke))
    dash = ""
    if item.wrong:
        fill, stroke, text, dash = "#fde8e8", WRONG, WRONG, ' stroke-dasharray="5 2"'
    look = f'fill="{fill}" stroke="{stroke}" stroke-width="{2 if item.wrong else 1.3}"{dash}'
    corner = min(rounding, height / 2)
    out = [f'<g class="{item.kind}" data-path="{escape("/".join(item.path), quote=True)}"{fade}>']
    out += [f"<title>{escape(item.tip)}</title>"] if item.tip else []
    # Behind a repeated block, towards where data comes from.
    for i in range(min(item.repeat, 3) - 1, 0, -1):
        lift = PLATE * i if foot > head else -PLATE * i
        out.append(
            f'<rect class="plate" x="{x - PLATE * i:.1f}" y="{y + lift:.1f}" width="{width:.1f}" '
            f'height="{height:.1f}" rx="{corner:g}" {look}/>'
        )
    if item.kind == "reduction":  # narrower where data leaves, as the grid is
        out.append(
            f'<path class="box" d="M{x:.1f} {foot:.1f}H{x + width:.1f}'
            f'L{x + width - 12:.1f} {head:.1f}H{x + 12:.1f}Z" {look}/>'
        )
    else:
        out.append(
            f'<rect class="box" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'rx="{corner:g}" {look}/>'
        )
    start = y + height / 2 - LINE * len(item.lines) / 2
    for i, (words, size, bold) in enumerate(item.lines):
        words, _, rest = words.partition("\t")
        rest = f'<tspan dx="6" font-weight="400"> {escape(rest)}</tspan>' if rest else ""
        weight = ' font-weight="700"' if bold else ""
        out.append(
            f'<text x="{x + width / 2:.1f}" y="{start + LINE * (i + 0.5) + size * 0.36:.1f}" '
            f'text-anchor="middle" font-size="{size:g}" fill="{text}"{weight}>'
            f"{escape(words)}{rest}</text>"
        )
    return "".join(out) + "</g>"


_SVG: dict[type, Callable[..., str]] = {Text: _text_svg, Line: _line_svg, Box: _box_svg}
