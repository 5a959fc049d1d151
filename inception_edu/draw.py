"""A description as a picture, in the manner of the paper's figures. No torch.

    draw(InceptionA())                          a block; shapes are known for every figure of the paper
    draw(node, (384, 35, 35))                   any block with the shape (C, H, W) that enters it
    draw(inception_v4())                        a network, as Figs. 9 and 15
    figure(5)                                   a figure of the paper by its number, with a note on its misprint

The result is an SVG text that a notebook shows as a picture: data flows from bottom to top as in the paper, shapes
are written H×W×C as the paper prints them, branches are numbered from left to right and keep their colours
everywhere. It stands on a light card of its own, so it reads the same in a dark theme.

How a picture is made: `_flow` computes the shapes, `_Layout` turns each node into a `_Part` (boxes, lines and words
in a coordinate system whose y axis is the direction of flow), `_render` writes the SVG.
"""
from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from html import escape

from inception_edu import spec
from inception_edu.figures import FIGURES, TABLE_1, Row
from inception_edu.measure import measure
from inception_edu.networks import Network
from inception_edu.spec import Chain, Concat, Conv, Node, Pool, Residual, Shape, SpecError, children

# Of the first, second, … branch of every block, left to right: here, in the plots and in the labs. Dark enough for
# text on white, told apart by colour-blind readers; the branches also carry their numbers.
BRANCH_COLOURS = ("#0072b2", "#d55e00", "#007a5a", "#a63d82", "#8a6200", "#4a4a9c")
INK, FAINT, LINE_COLOUR, WRONG, CARD = "#1b1b1b", "#5f5f5f", "#555555", "#c00000", "#ffffff"
BAR, NEUTRAL, SCALE = "#3d4654", "#f3f4f6", "#fff4cc"

FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
SIZE, SMALL, LINE = 12, 10, 15           # of the letters in boxes, of those beside lines; from line to line
PAD, GAP, FAN, COLUMN, MARGIN = 9, 30, 46, 14, 16
RADIUS = 11                              # of the "+"


class Drawing(str):
    """An SVG text that notebooks show as a picture. `errors`: the sentences drawn in red, if any."""

    title: str
    description: str
    errors: tuple[str, ...]
    size: tuple[float, float]

    def _repr_svg_(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """As an <img>: it shows in a notebook that is not trusted yet, and carries its words as alt text."""
        data = base64.b64encode(self.encode()).decode()
        said = escape(f"{self.title}. {self.description}", quote=True)
        return (f'<img class="inception-drawing" alt="{said}" width="{self.size[0]:.0f}" '
                f'style="max-width:100%;height:auto" src="data:image/svg+xml;base64,{data}">')

    def __repr__(self) -> str:
        return f"<Drawing of {self.title}. {self.description}>"


def draw(what: Node | Network | tuple[Row, ...], shape: Shape | int | None = None, *, title: str | None = None,
         direction: str = "up", highlight=None, params: bool = False, wrong: bool = False,
         labels: dict[str, str] | None = None, note: str = "") -> Drawing:
    """Draw a block (any node) or a network.

    `shape` is the input (C, H, W), or for a network the side of the image. Without it the blocks of the paper's
    figures take the figure's own, other blocks are drawn without shapes, networks take their own image.
    `direction`: "up" as in the paper, or "down". `params`: write parameters and multiply-adds beside every
    convolution (for a network: also the receptive field). `labels` replaces the filters' number at a path, for
    example {"branch 3/step 1": "k = 192"}.
    `highlight`: a branch number, a path such as "branch 3" or "branch 3/step 2", a block's name, or a list of
    these; everything else fades.
    `wrong=True` draws a mismatch in red at its place, with the sentence in `errors`; otherwise it raises
    `ChannelError` or `SizeError`.
    """
    if direction not in ("up", "down"):
        raise SpecError(f'direction is "up" or "down", got {direction!r}.')
    if isinstance(what, Network) or isinstance(what, tuple):
        canvas = _overview(what, shape, params, wrong)
    else:
        canvas = _block(what, shape, params, wrong, labels or {})
    canvas.title = title or canvas.title
    canvas.note = note
    return _render(canvas, direction, _paths(highlight))


def figure(number: int, **options) -> Drawing:
    """A figure of the paper, 1 to 20, drawn from its description, with a line on its misprint where it has one."""
    if number not in FIGURES:
        raise SpecError(f"The paper's block figures are 1 to 20, got {number!r}.")
    f = FIGURES[number]
    note = f"Misprint: {f.misprint}" if f.misprint else ""
    if number == 7:
        k, l, m, n = TABLE_1["inception_v4"].values()  # noqa: E741 - the paper's own names
        options.setdefault("labels", {"branch 2": f"n = {n}", "branch 3/step 1": f"k = {k}",
                                      "branch 3/step 2": f"l = {l}", "branch 3/step 3": f"m = {m}"})
    if number == 15:
        note = "The printed sizes are Inception-ResNet-v1's; v2 takes Figs. 3 and 16 to 19 instead."
    options.setdefault("note", note)
    options.setdefault("title", f"Fig. {number}: {f.title}")
    return draw(f.node, options.pop("shape", f.input), **options)


def _paths(highlight) -> list[tuple[str, ...]]:
    if highlight is None:
        return []
    if isinstance(highlight, (str, int)):
        highlight = [highlight]
    return [(f"branch {h}",) if isinstance(h, int) else tuple(h.split("/")) if isinstance(h, str) else tuple(h)
            for h in highlight]


# --- Words ---------------------------------------------------------------------------------------------------------

def size_words(shape: Shape) -> str:
    """(C, H, W) as the paper prints it: H×W×C."""
    return f"{shape[1]}×{shape[2]}×{shape[0]}"


def amount(number: float) -> str:
    """41,293 → "41 k", 12,345,678 → "12.3 M", with three figures at most."""
    for unit, word in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if number >= unit * 0.9995:
            value = number / unit
            return f"{value:.3g}{word}" if value < 999.5 else f"{value:.0f}{word}"
    return f"{number:.0f}"


def leaf_words(node: Conv | Pool, filters: str = "") -> tuple[str, ...]:
    """The words in the box of a convolution or pool, as in the paper: ("3×3 Conv", "(96, stride 2, V)")."""
    kernel = f"{node.kernel[0]}×{node.kernel[1]}"
    inside = [f"stride {node.stride}"] if node.stride != 1 else []
    inside += ["V"] if node.padding == "valid" else []
    if isinstance(node, Pool):
        inside += ["zeros count"] if node.count_padding else []
        head = f"{kernel} MaxPool" if node.kind == "max" else f"{kernel} Avg Pool"
    else:
        kind = ["Linear"] if not (node.norm or node.relu) else [w for w, has in
                (("no BN", node.norm), ("no ReLU", node.relu)) if not has]
        inside = [filters or str(node.out), *kind, *inside]
        head = f"{kernel} Conv"
    return (head, f"({', '.join(inside)})") if inside else (head,)


def describe(node: Node) -> str:
    """The description as a sentence part, for readers who hear the picture."""
    if isinstance(node, (Conv, Pool)):
        return " ".join(leaf_words(node))
    if isinstance(node, Chain):
        return ", then ".join(describe(part) for part in node.parts) or "the input unchanged"
    if isinstance(node, Concat):
        words = "; ".join(f"branch {i}: {describe(b)}" for i, b in enumerate(node.branches, 1))
        return f"{len(node.branches)} branches joined along the channels ({words})"
    scale = f" times {node.scale:g}" if node.scale != 1 or node.learnable else ""
    shortcut = "the identity" if node.shortcut is None else f"a shortcut ({describe(node.shortcut)})"
    return f"{shortcut} plus{scale} ({describe(node.body)})" + (", then ReLU" if node.relu else "")


# Widths of letters as shares of their size, at least those of DejaVu Sans, the widest font that is likely to be used.
_NARROW, _WIDE, _WIDEST = "fijlrt.,:;'|!()[]I-/ ", "×≠=+<>→·…≥~#", "mwMWQ%@—✗&"


def text_width(text: str, size: float = SIZE, bold: bool = False) -> float:
    """An upper bound of the width of a text in the common sans-serif fonts."""
    ems = sum(0.44 if c in _NARROW else 1.0 if c in _WIDEST else 0.84 if c in _WIDE else 0.8 if c.isupper() else 0.64
              for c in text)
    return ems * size * (1.13 if bold else 1.0)


def _wrap(text: str, width: float, size: float) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer, size) > width and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return [line for line in lines if line]


# --- Shapes --------------------------------------------------------------------------------------------------------

@dataclass
class _Flow:
    """What enters and leaves a node; `short` is the mismatch in a few characters, `error` in a sentence."""

    input: Shape | None
    output: Shape | None
    error: str = ""
    short: str = ""


def _flow(node: Node, shape: Shape | None, path: tuple[str, ...], where: tuple[str, ...], found: dict) -> Shape | None:
    """Fill `found` with the shapes at every path. After a mismatch it goes on with what the figure would need."""
    outputs = []
    here = where + tuple(filter(None, [" ".join(filter(None, [node.figure, node.name]))]) if children(node) else ())
    for word, part in children(node):
        start = outputs[-1] if isinstance(node, Chain) and outputs else shape
        outputs.append(_flow(part, start, (*path, word), (*here, word), found))
    flow = _Flow(shape, None)
    if shape is not None and None not in outputs:
        try:
            flow.output = spec._join(node, shape, outputs, ", ".join(here) or "The description")
        except SpecError as error:
            flow.error = str(error)
            flow.short, flow.output = _mend(node, shape, outputs)
    found[path] = flow
    return flow.output


def _mend(node: Node, shape: Shape, outputs: list[Shape]) -> tuple[str, Shape | None]:
    """A mismatch in a few characters, and the shape with which the drawing goes on."""
    if isinstance(node, (Conv, Pool)):
        return f"{shape[1]}×{shape[2]} is too small", None
    if isinstance(node, Concat):
        sizes = {f"{h}×{w}": None for _, h, w in outputs}
        total = sum(c for c, _, _ in outputs)
        short = " ≠ ".join(sizes) if len(sizes) > 1 else f"{total} ≠ {node.out}"
        return short, (total, *outputs[0][1:])
    body, identity = outputs[0], outputs[1] if node.shortcut is not None else shape
    short = (f"{body[0]} ≠ {identity[0]}" if body[0] != identity[0]
             else f"{body[1]}×{body[2]} ≠ {identity[1]}×{identity[2]}")
    return short, identity


# --- Layout --------------------------------------------------------------------------------------------------------
# x grows to the right, y in the direction of flow.

@dataclass
class _Box:
    x: float
    y: float
    width: float
    height: float
    lines: tuple[tuple[str, float, bool], ...]       # text, size, bold
    kind: str                                        # conv, pool, bar, relu, input, scale, plus, net, reduction
    path: tuple[str, ...] = ()
    branch: int | None = None
    wrong: bool = False
    tip: str = ""
    repeat: int = 1

    def move(self, dx, dy):
        self.x, self.y = self.x + dx, self.y + dy


@dataclass
class _Line:
    points: list[tuple[float, float]]
    path: tuple[str, ...] = ()
    branch: int | None = None
    arrow: bool = True
    wrong: bool = False

    def move(self, dx, dy):
        self.points = [(x + dx, y + dy) for x, y in self.points]


@dataclass
class _Text:
    """Words beside a line: `y` is their middle."""

    x: float
    y: float
    text: str
    path: tuple[str, ...] = ()
    anchor: str = "start"
    colour: str = FAINT
    bold: bool = False
    size: float = SMALL

    def move(self, dx, dy):
        self.x, self.y = self.x + dx, self.y + dy


@dataclass
class _End:
    """Where a part is entered or left. `span`: the x range from which lines may leave a bar."""

    x: float
    y: float
    path: tuple[str, ...] = ()
    branch: int | None = None
    label: str = ""
    wrong: bool = False
    span: tuple[float, float] | None = None
    through: bool = False                            # nothing stands here: the line goes on
    badge: str = ""

    def move(self, dx, dy):
        self.x, self.y = self.x + dx, self.y + dy
        if self.span:
            self.span = (self.span[0] + dx, self.span[1] + dx)


@dataclass
class _Part:
    """A laid-out node. It occupies 0…width × 0…height; lines arrive around `inlet` and leave around `outlet`."""

    width: float
    height: float
    inlet: float
    outlet: float
    entries: list[_End]
    exits: list[_End]
    items: list = field(default_factory=list)

    def move(self, dx, dy=0.0):
        self.inlet, self.outlet = self.inlet + dx, self.outlet + dx
        for thing in (*self.items, *self.entries, *self.exits):
            thing.move(dx, dy)


@dataclass
class _Canvas:
    width: float
    height: float
    items: list
    title: str
    description: str
    errors: tuple[str, ...] = ()
    note: str = ""


def _boxed(lines) -> tuple[float, float]:
    """Width and height of a box around lines of (text, size, bold)."""
    width = max((text_width(*line) for line in lines), default=0) + 2 * PAD
    return width, LINE * len(lines) + (PAD if len(lines) > 1 else PAD + 2)


def _label(end: _End, y: float) -> list[_Text]:
    if not end.label:
        return []
    return [_Text(end.x + 6, y, end.label, end.path, colour=WRONG if end.wrong else FAINT, bold=end.wrong)]


class _Layout:
    """Turns nodes into parts. `flows` are the shapes by path (empty: draw none)."""

    def __init__(self, flows: dict, params: bool, labels: dict[str, str]):
        self.flows, self.params, self.labels = flows, params, labels

    def flow(self, path) -> _Flow:
        return self.flows.get(path) or _Flow(None, None)

    def shape(self, path) -> str:
        output = self.flow(path).output
        return size_words(output) if output else ""

    def node(self, node: Node, path=(), branch=None, open_end=False) -> _Part:
        if isinstance(node, (Conv, Pool)):
            return self.leaf(node, path, branch)
        if isinstance(node, Chain):
            return self.chain(node, path, branch, open_end)
        if isinstance(node, Concat):
            return self.concat(node, path, branch, open_end)
        return self.residual(node, path, branch)

    def leaf_lines(self, node, path):
        flow = self.flow(path)
        key = "/".join(path)
        words = leaf_words(node, self.labels.get(key, ""))
        lines = [(words[0], SIZE, False), *((w, SIZE, False) for w in words[1:])]
        if self.params and flow.input and isinstance(node, Conv) and not flow.error:
            cost = measure(node, flow.input)
            lines.append((f"{amount(cost.params)} · {amount(cost.macs)}", SMALL, False))
        if flow.error:
            lines.append((flow.short, SMALL, True))
        return tuple(lines)

    def leaf(self, node, path, branch, width=0.0) -> _Part:
        flow, lines = self.flow(path), self.leaf_lines(node, path)
        natural, height = _boxed(lines)
        width = max(natural, width, 76)
        kind = "conv" if isinstance(node, Conv) else "pool"
        box = _Box(0, 0, width, height, lines, kind, path, branch, bool(flow.error), _tip(node, flow))
        label, middle = self.shape(path), width / 2
        # The words right of the line may reach into the gap between the columns.
        right = max(width / 2, text_width(label, SMALL, True) + 10 - COLUMN) if label else width / 2
        return _Part(middle + right, height, middle, middle, [_End(middle, 0, path, branch)],
                     [_End(middle, height, path, branch, label)], [box])

    def chain(self, node, path, branch, open_end) -> _Part:
        if not node.parts:
            end = _End(10, 0, path, branch, through=True, label=self.shape(path))
            return _Part(20, 0, 10, 10, [end], [replace(end)])
        words = [word for word, _ in children(node)]
        # Boxes of one chain share their width.
        width = max((_boxed(self.leaf_lines(p, (*path, w)))[0] for w, p in zip(words, node.parts)
                     if isinstance(p, (Conv, Pool))), default=0)
        parts = []
        for i, (word, part) in enumerate(zip(words, node.parts), 1):
            if isinstance(part, (Conv, Pool)):
                parts.append(self.leaf(part, (*path, word), branch, width))
            else:
                parts.append(self.node(part, (*path, word), branch, open_end and i == len(words)))
        return self.stack(parts)

    def stack(self, parts: list[_Part]) -> _Part:
        """Parts one above the other, joined by lines."""
        whole, *rest = parts
        low, high = 0.0, whole.width
        for part in rest:
            start = whole.exits[0]
            split = len(part.entries) > 1
            plain = start.span is not None and all(start.span[0] <= e.x + whole.outlet - part.inlet <= start.span[1]
                                                   for e in part.entries)
            gap = 0 if start.through and start.y == whole.height == 0 else FAN if split and not plain else GAP
            shift = whole.outlet - part.inlet
            part.move(shift, whole.height + gap)
            whole.items += part.items + self.join(start, part.entries)
            low, high = min(low, shift), max(high, shift + part.width)
            if start.through and whole.height == 0:     # nothing was there: the line comes from further below
                whole.entries = part.entries if gap == 0 else whole.entries
            whole.height += gap + part.height
            whole.outlet, whole.exits = part.outlet, part.exits
        whole.move(-low)
        whole.width = high - low
        return whole

    def join(self, start: _End, entries: list[_End]) -> list:
        """Lines from one end to one or several entries."""
        items = []
        y = entries[0].y
        if y == start.y:
            return items
        rail = start.y + (20 if start.label or start.span is None else 14)
        turned = [e for e in entries if not self.straight(start, e)]
        if turned:
            x = start.x if start.span is None else min(max(start.x, start.span[0]), start.span[1])
            ends = [e.x for e in turned] + [x]
            items.append(_Line([(x, start.y), (x, rail)], start.path, arrow=False))
            items.append(_Line([(min(ends), rail), (max(ends), rail)], start.path, arrow=False))
        for entry in entries:
            foot = rail if turned and (entry in turned or start.span is None) else start.y
            items.append(_Line([(entry.x, foot), (entry.x, y)], entry.path, entry.branch, not entry.through,
                               start.wrong))
            if entry.badge:
                colour = _colour(entry.branch)
                items.append(_Text(entry.x - 6, y - 11, entry.badge, entry.path, "end", colour, True))
        return items + _label(start, (start.y + (rail if len(entries) > 1 else y)) / 2)

    @staticmethod
    def straight(start: _End, entry: _End) -> bool:
        low, high = start.span or (start.x, start.x)
        return low - 0.01 <= entry.x <= high + 0.01

    def concat(self, node, path, branch, open_end) -> _Part:
        entries, exits, items = [], [], []
        x = height = 0.0
        for i, (word, child) in enumerate(children(node)):
            colour = i if branch is None else branch
            part = self.node(child, (*path, word), colour, open_end=True)
            part.move(x)
            x += part.width + COLUMN
            height = max(height, part.height)
            for entry in part.entries:
                entry.badge = entry.badge or (str(i + 1) if entry is part.entries[0] else "")
                entry.branch = colour if entry.branch is None else entry.branch
            entries += part.entries
            exits += [replace(e, branch=colour if e.branch is None else e.branch) for e in part.exits]
            items += part.items
        width = x - COLUMN
        flow = self.flow(path)
        middle = (entries[0].x + entries[-1].x) / 2
        if open_end and not flow.error and len(exits) > 1:
            return _Part(width, height, middle, middle, entries, exits, items)
        y = height + GAP
        sizes = [e.label.rsplit("×", 1)[0] for e in exits]
        for end in exits:
            odd = bool(flow.error) and end.label and " ≠ " in flow.short and "×" in flow.short \
                and end.label.rsplit("×", 1)[0] != max(sizes, key=sizes.count)
            end.wrong = end.wrong or odd
            items.append(_Line([(end.x, end.y), (end.x, y)], end.path, end.branch, wrong=end.wrong))
            items += _label(end, y - 17)
        bar = self.bar("Filter concat", self.shape(path) if not flow.error else "", flow, y, exits, path)
        centre = bar.x + bar.width / 2
        part = _Part(width, y + bar.height, middle, centre, entries,
                     [_End(centre, y + bar.height, path, branch, span=(bar.x + 8, bar.x + bar.width - 8))],
                     [*items, bar])
        return _cover(part, bar.x, bar.x + bar.width)

    def bar(self, word, shape, flow, y, ends, path, kind="bar") -> _Box:
        """A wide box over all of `ends`, so that every line meets it straight."""
        low, high = min(e.x for e in ends) - 26, max(e.x for e in ends) + 26
        head = [(word, SIZE, True)]
        tail = [(shape, SIZE, False)] if shape else []
        tail += [(flow.short, SIZE, True)] if flow.short else []
        if tail and text_width(f"{word}  {tail[0][0]}", SIZE, True) + 2 * PAD <= high - low:
            head, tail = [(f"{word}  {tail[0][0]}", SIZE, True)], tail[1:]
        lines = tuple(head + tail)
        need, height = _boxed(lines)
        spare = max(0.0, need - (high - low)) / 2
        return _Box(low - spare, y, high - low + 2 * spare, height, lines, kind, path, None, bool(flow.error),
                    flow.error)

    def residual(self, node, path, branch) -> _Part:
        body = self.node(node.body, (*path, "residual branch"), branch)
        side = _Part(16, 0, 8, 8, [_End(8, 0, (*path, "shortcut"), branch, through=True)],
                     [_End(8, 0, (*path, "shortcut"), branch)])
        if node.shortcut is not None:
            side = self.node(node.shortcut, (*path, "shortcut"), branch)
        body.move(side.width + COLUMN)
        items = side.items + body.items
        flow, end = self.flow(path), body.exits[0]
        x, y = body.outlet, max(body.height, side.height)
        line_y = y + GAP
        if node.scale != 1 or node.learnable:
            words = f"× {node.scale:g}" + (", learnt" if node.learnable else "")
            lines = ((words, SIZE, True),)
            width, height = _boxed(lines)
            pill = _Box(x - width / 2, body.height + GAP, width, height, lines, "scale", (*path, "scale"),
                        tip="the residual branch is multiplied by this number before the addition (Fig. 20)")
            items += [_Line([(end.x, end.y), (x, pill.y)], end.path), pill, *_label(end, (end.y + pill.y) / 2)]
            end = _End(x, pill.y + height, pill.path)
            line_y = max(line_y, end.y + 18)
        plus = _Box(x - RADIUS, line_y, 2 * RADIUS, 2 * RADIUS, (("+", 15, True),), "plus", path, None,
                    bool(flow.error), flow.error)
        middle = line_y + RADIUS
        if end.span:                                      # a bar is left straight under the "+"
            end = replace(end, x=min(max(x, end.span[0]), end.span[1]))
        items += [_Line([(end.x, end.y), (x, line_y)], end.path), *_label(end, (end.y + line_y) / 2)]
        start = side.exits[0]
        items.append(_Line([(start.x, start.y), (start.x, middle), (x - RADIUS, middle)], (*path, "shortcut")))
        items += _label(start, start.y + GAP / 2) if node.shortcut is not None else []
        items.append(plus)
        right, top = body.width + side.width + COLUMN, plus.y + plus.height
        if flow.error:
            items.append(_Text(x + RADIUS + 6, middle, flow.short, path, colour=WRONG, bold=True, size=SIZE))
            right = max(right, x + RADIUS + 6 + text_width(flow.short, SIZE, True))
        leave = _End(x, top, path, branch, self.shape(path))
        if node.relu:
            lines = (("ReLU activation", SIZE, False),)
            width, height = _boxed(lines)
            box = _Box(x - width / 2, top + 16, width, height, lines, "relu", path)
            items += [_Line([(x, top), (x, box.y)], path), box]
            leave = _End(x, box.y + height, path, branch, self.shape(path))
        part = _Part(right, leave.y, body.inlet, x, [*side.entries, *body.entries], [leave], items)
        half = max(text_width("ReLU activation") / 2 + PAD, 6 + text_width(leave.label, SMALL, True))
        return _cover(part, x - half, x + half)


def _cover(part: _Part, low: float, high: float) -> _Part:
    """The same part, wide enough for low…high."""
    shift = max(0.0, -low)
    part.move(shift)
    part.width = max(part.width, high) + shift
    return part


def _tip(node: Node, flow: _Flow) -> str:
    words = repr(node)
    if flow.input and flow.output:
        words += f": {size_words(flow.input)} → {size_words(flow.output)}"
        if isinstance(node, Conv):
            cost = measure(node, flow.input)
            words += f", {cost.params:,} parameters, {cost.macs:,} multiply-adds"
    return f"{words}. {flow.error}" if flow.error else words


def _known_input(node: Node) -> Shape | None:
    """The input of the figure of the paper that this node says it is."""
    words = getattr(node, "figure", "")
    number = words.removeprefix("Fig. ")
    return FIGURES[int(number)].input if words.startswith("Fig. ") and number.isdigit() and \
        int(number) in FIGURES else None


def _block(node: Node, shape: Shape | None, params: bool, wrong: bool, labels: dict[str, str]) -> _Canvas:
    children(node)                                        # raises for what is no node
    if shape is None and (known := _known_input(node)) is not None:
        try:
            spec.out_shape(node, known)
            shape = known
        except SpecError:
            shape = known if wrong else None              # another width than the figure's: no shapes
    elif shape is not None:
        if not (isinstance(shape, tuple) and len(shape) == 3 and all(isinstance(n, int) and n > 0 for n in shape)):
            raise SpecError(f"A block is drawn for a shape (channels, height, width), got {shape!r}.")
        if not wrong:
            spec.out_shape(node, shape)                   # raises where the numbers do not fit
    flows: dict = {}
    if shape is not None:
        _flow(node, shape, (), (), flows)
    layout = _Layout(flows, params, labels)
    part = layout.node(node)
    words = size_words(shape) if shape else ""
    box = layout.bar("Input", words, _Flow(shape, shape), 0, part.entries, ("input",), "input")
    part = _cover(part, box.x, box.x + box.width)
    box = layout.bar("Input", words, _Flow(shape, shape), 0, part.entries, ("input",), "input")
    centre = box.x + box.width / 2
    foot = _Part(part.width, box.height, part.inlet, part.inlet, [],
                 [_End(centre, box.height, ("input",), span=(box.x + 8, box.x + box.width - 8))], [box])
    part = layout.stack([foot, part])
    for end in part.exits:
        part.items += [_Line([(end.x, end.y), (end.x, end.y + 26)], end.path), *_label(end, end.y + 15)]
    errors = tuple(flow.error for flow in flows.values() if flow.error)
    name, number = getattr(node, "name", ""), getattr(node, "figure", "")
    title = ": ".join(filter(None, [number, name])) or {Conv: "Convolution", Pool: "Pool"}.get(type(node), "A block")
    leaving = flows[()].output if flows else None
    said = f"Input{' ' + words if words else ''}, then {describe(node)}." + \
        (f" Output {size_words(leaving)}." if leaving else "") + "".join(f" Wrong: {e}" for e in errors)
    return _Canvas(part.width, part.height + 26, part.items, title, said, errors)


# --- Networks ------------------------------------------------------------------------------------------------------

@dataclass
class _Stage:
    """One box of an overview."""

    name: str
    words: str
    small: str
    kind: str
    repeat: int = 1
    output: str = ""
    cells: tuple[str, ...] = ()
    wrong: str = ""


def _overview(what, shape, params: bool, wrong: bool) -> _Canvas:
    return _stack_overview(*(_printed(what) if isinstance(what, tuple) else _computed(what, shape, params, wrong)))


def _printed(rows: tuple[Row, ...]):
    """Figs. 9 and 15 as printed."""
    stages = [_Stage("input", "Input", "", "input", output="299×299×3")]
    for row in rows:
        node = FIGURES[row.figure].node
        kind = "reduction" if "reduction" in row.block else "net"
        stages.append(_Stage(row.block, node.name, f"Fig. {row.figure}", kind, row.repeat, size_words(row.output)))
    features = rows[-1].output[0]
    stages += [_Stage("pool", "Average pooling", "", "tail", output=str(features)),
               _Stage("dropout", "Dropout (keep 0.8)", "", "tail", output=str(features)),
               _Stage("classifier", "Softmax", "", "tail", output="1000")]
    return stages, (), "Overview", ()


def _computed(network: Network, shape, params: bool, wrong: bool):
    from inception_edu.measure import _rows, input_shape
    start = input_shape(network, shape)
    errors: list[str] = []
    if not wrong:
        measure(network, start)                           # raises where the network cannot take the image
    stages = [_Stage("input", "Input", "", "input", output=size_words(start))]
    rows, current, broken = [], start, False
    for block in network.blocks:
        message = ""
        if not broken:
            try:
                made = _rows((block,), current)
                current = made[-1].output if made else current
            except SpecError as error:
                message, broken = str(error), True
                errors.append(message)
        node = block.node
        words = getattr(node, "name", "") or (" ".join(leaf_words(node)) if isinstance(node, (Conv, Pool))
                                              else block.name)
        small = [getattr(node, "figure", "")]
        if isinstance(node, Residual) and (node.scale != 1 or node.learnable):
            small.append(f"scale {node.scale:g}" + (", learnt" if node.learnable else ""))
        if isinstance(node, Residual) and not node.relu:
            small.append("no ReLU")
        kind = "reduction" if "reduction" in block.name or "Reduction" in words else "net"
        stages.append(_Stage(block.name, words, " · ".join(filter(None, small)), kind, block.repeat,
                             "" if broken else size_words(current), (), message))
    features = current[0]
    tail = [("pool", "Average pooling", features)]
    tail += [("dropout", f"Dropout (keep {1 - network.dropout:g})", features)] if network.dropout else []
    tail += [("classifier", "Softmax", network.classes)]
    stages += [_Stage(name, words, "", "tail", output="" if broken else str(out)) for name, words, out in tail]
    heads = ()
    if params:
        heads = ("parameters", "multiply-adds", "sees")
        done = network.blocks[:next((i for i, s in enumerate(stages[1:]) if s.wrong), len(network.blocks))]
        rows = _rows(done, start)
        for stage in stages:
            mine = [r for r in rows if r.name == stage.name or r.name.rsplit(".", 1)[0] == stage.name]
            if mine:
                sees = mine[-1].receptive_field
                stage.cells = (amount(sum(r.params for r in mine)), amount(sum(r.macs for r in mine)),
                               f"{sees[0]}×{sees[1]}")
        if not broken:
            cost = (features + 1) * network.classes
            stages[-1].cells = (amount(cost), amount(cost), "")
    return stages, heads, network.name, tuple(errors)


def _stack_overview(stages: list[_Stage], heads, title: str, errors) -> _Canvas:
    items: list = []
    lines = []
    for stage in stages:
        words = f"{stage.repeat} × {stage.words}" if stage.repeat > 1 else stage.words
        lines.append(((words, SIZE + 1, True), *(((stage.small, SMALL, False),) if stage.small else ())))
    width = max(170.0, *(_boxed(line)[0] + 16 for line in lines))
    left = 12.0 if any(s.repeat > 1 for s in stages) else 0.0
    out_width = max(text_width(s.output, SIZE, True) for s in stages)
    columns = [left + width + 14 + out_width]
    cell_widths = [max(text_width(head, SMALL), *(text_width(s.cells[i], SIZE) for s in stages if s.cells))
                   if any(s.cells for s in stages) else text_width(head, SMALL) for i, head in enumerate(heads)]
    for cell in cell_widths:
        columns.append(columns[-1] + 18 + cell)
    right = columns[-1]
    y, said = 0.0, []
    after_wrong = False
    for i, (stage, line) in enumerate(zip(stages, lines)):
        height = _boxed(line)[1] + 2
        kind = stage.kind
        y += 8 if stage.repeat > 1 else 0
        box = _Box(left, y, width, height, line, kind, (stage.name,), None, bool(stage.wrong),
                   stage.wrong or f"{stage.words}, output {stage.output}", stage.repeat)
        if i:
            items.append(_Line([(left + width / 2, last), (left + width / 2, y - (6 if stage.repeat > 1 else 0))],
                               (stage.name,)))
        items.append(box)
        middle = y + height / 2
        if stage.wrong:
            for k, part in enumerate(_wrap("breaks here", 200, SIZE)):
                items.append(_Text(left + width + 14, middle - k * LINE, part, (stage.name,), colour=WRONG, bold=True,
                                   size=SIZE))
            after_wrong = True
        elif stage.output:
            items.append(_Text(columns[0], middle, stage.output, (stage.name,), "end", INK, False, SIZE))
        for k, cell in enumerate(stage.cells, 1):
            items.append(_Text(columns[k], middle, cell, (stage.name,), "end", FAINT, False, SIZE))
        if not after_wrong:
            times = f"{stage.repeat} times " if stage.repeat > 1 else ""
            said.append(f"{times}{stage.words}" + (f" ({stage.small})" if stage.small else "") +
                        (f": {stage.output}" if stage.output else ""))
        last = y + height
        y = last + 20
    top = last
    head_y = top + 14
    if heads:
        items.append(_Text(columns[0], head_y, "output", (), "end", FAINT, False, SMALL))
        for k, head in enumerate(heads, 1):
            items.append(_Text(columns[k], head_y, head, (), "end", FAINT, False, SMALL))
        top = head_y + 8
    if after_wrong:
        right = max(right, left + width + 14 + text_width("breaks here", SIZE, True))
    words = "From input to output: " + "; ".join(said) + "." + "".join(f" Wrong: {e}" for e in errors)
    return _Canvas(right, top, items, title, words, errors)


# --- SVG -----------------------------------------------------------------------------------------------------------

def _colour(branch: int | None) -> str:
    return LINE_COLOUR if branch is None else BRANCH_COLOURS[branch % len(BRANCH_COLOURS)]


def _tint(colour: str, share: float = 0.13) -> str:
    """A colour mixed with white."""
    parts = [int(colour[i:i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - share * (255 - p)):02x}" for p in parts)


def _inside(path: tuple[str, ...], wanted: list[tuple[str, ...]]) -> bool:
    return any(path[i:i + len(w)] == w for w in wanted for i in range(len(path)))


def _render(canvas: _Canvas, direction: str, wanted: list[tuple[str, ...]]) -> Drawing:
    title_width = text_width(canvas.title, 14, True)
    inner = max(canvas.width, min(title_width, 560))
    heading = _wrap(canvas.title, inner / 1.13, 14)
    notes = [line for text in filter(None, [canvas.note, *canvas.errors])
             for line in _wrap(text, max(inner, 360), 11)] if (canvas.note or canvas.errors) else []
    inner = max([inner, *(text_width(n, 11) for n in notes)])
    dx = MARGIN + (inner - canvas.width) / 2
    top = MARGIN + 19 * len(heading) + 8
    width = inner + 2 * MARGIN
    height = top + canvas.height + (14 + 16 * len(notes) if notes else 0) + MARGIN

    def at(y: float) -> float:
        return top + (canvas.height - y if direction == "up" else y)

    def fade(path) -> str:
        return ' opacity="0.22"' if wanted and not _inside(path, wanted) else ""

    lines, boxes, texts = [], [], []
    for item in canvas.items:
        if isinstance(item, _Line):
            lines.append(_line_svg(item, dx, at, fade(item.path)))
        elif isinstance(item, _Box):
            boxes.append(_box_svg(item, dx, at, direction, fade(item.path)))
        else:
            weight = ' font-weight="700"' if item.bold else ""
            texts.append(f'<text x="{item.x + dx:.1f}" y="{at(item.y) + item.size * 0.36:.1f}" '
                         f'font-size="{item.size:g}" text-anchor="{item.anchor}" fill="{item.colour}" stroke="{CARD}" '
                         f'stroke-width="3" paint-order="stroke"{weight}{fade(item.path)}>{escape(item.text)}</text>')
    said = escape(canvas.title, quote=True)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
           f'height="{height:.0f}" role="img" aria-label="{said}" style="max-width:100%;height:auto" '
           f'font-family="{FONT}" font-size="{SIZE}" fill="{INK}">',
           f'<title>{said}</title><desc>{escape(canvas.description)}</desc>',
           f'<rect x="0.5" y="0.5" width="{width - 1:.0f}" height="{height - 1:.0f}" rx="8" fill="{CARD}" '
           'stroke="#d5d8dd"/>']
    for i, text in enumerate(heading):
        out.append(f'<text x="{MARGIN}" y="{MARGIN + 12 + 19 * i}" font-size="14" font-weight="700">'
                   f'{escape(text)}</text>')
    out += [*lines, *boxes, *texts]
    for i, text in enumerate(notes):
        colour = WRONG if canvas.errors else FAINT
        out.append(f'<text x="{MARGIN}" y="{top + canvas.height + 22 + 16 * i:.1f}" font-size="11" fill="{colour}">'
                   f'{escape(text)}</text>')
    drawing = Drawing("\n".join(out) + "\n</svg>")
    drawing.title, drawing.description = canvas.title, canvas.description
    drawing.errors, drawing.size = canvas.errors, (width, height)
    return drawing


def _line_svg(line: _Line, dx: float, at, fade: str) -> str:
    points = [(x + dx, at(y)) for x, y in line.points]
    colour = WRONG if line.wrong else _colour(line.branch)
    head = ""
    if line.arrow:
        (x0, y0), (x1, y1) = points[-2:]
        length = max(abs(x1 - x0) + abs(y1 - y0), 1e-6)
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        base = (x1 - 7 * ux, y1 - 7 * uy)
        head = (f'<path d="M{x1:.1f} {y1:.1f}L{base[0] - 3.5 * uy:.1f} {base[1] + 3.5 * ux:.1f}'
                f'L{base[0] + 3.5 * uy:.1f} {base[1] - 3.5 * ux:.1f}Z" fill="{colour}"{fade}/>')
        points[-1] = (x1 - 5 * ux, y1 - 5 * uy)
    d = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return (f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="1.5" stroke-linejoin="round"{fade}/>' + head)


def _box_svg(box: _Box, dx: float, at, direction: str, fade: str) -> str:
    x, width, height = box.x + dx, box.width, box.height
    y = at(box.y + height) if direction == "up" else at(box.y)
    fill, stroke, text, radius = {
        "conv": (_tint(_colour(box.branch)) if box.branch is not None else NEUTRAL, _colour(box.branch), INK, 3),
        "pool": (_tint(_colour(box.branch)) if box.branch is not None else NEUTRAL, _colour(box.branch), INK, 14),
        "bar": (BAR, BAR, "#ffffff", 4),
        "input": (CARD, LINE_COLOUR, INK, 4),
        "relu": (CARD, LINE_COLOUR, INK, 14),
        "scale": (SCALE, "#8a6200", INK, 12),
        "plus": (CARD, INK, INK, RADIUS),
        "net": (_tint("#0072b2", 0.1), "#3d6a8a", INK, 4),
        "reduction": (_tint("#d55e00", 0.1), "#9a5a2c", INK, 4),
        "tail": (NEUTRAL, LINE_COLOUR, INK, 4),
    }[box.kind]
    dash = ""
    if box.wrong:
        fill, stroke, text, dash = "#fde8e8", WRONG, WRONG, ' stroke-dasharray="5 2"'
    line = f'stroke="{stroke}" stroke-width="{2 if box.wrong else 1.3}"{dash}'
    radius = min(radius, height / 2)
    out = [f'<g class="{box.kind}" data-path="{escape("/".join(box.path), quote=True)}"{fade}>']
    if box.tip:
        out.append(f"<title>{escape(box.tip)}</title>")
    for i in range(min(box.repeat, 3) - 1, 0, -1):        # the plates behind a repeated block
        shift = 3 * i
        lift = shift if direction == "up" else -shift
        out.append(f'<rect class="plate" x="{x - shift:.1f}" y="{y + lift:.1f}" width="{width:.1f}" '
                   f'height="{height:.1f}" rx="{radius}" fill="{fill}" {line}/>')
    if box.kind == "reduction":
        inset = 12
        low, high = (y + height, y) if direction == "up" else (y, y + height)
        out.append(f'<path class="box" d="M{x:.1f} {low:.1f}H{x + width:.1f}L{x + width - inset:.1f} {high:.1f}'
                   f'H{x + inset:.1f}Z" fill="{fill}" {line}/>')
    else:
        out.append(f'<rect class="box" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
                   f'rx="{radius:g}" fill="{fill}" {line}/>')
    start = y + height / 2 - LINE * len(box.lines) / 2
    for i, (words, size, bold) in enumerate(box.lines):
        weight = ' font-weight="700"' if bold else ""
        out.append(f'<text x="{x + width / 2:.1f}" y="{start + LINE * (i + 0.5) + size * 0.36:.1f}" '
                   f'text-anchor="middle" font-size="{size:g}" fill="{text}"{weight}>{escape(words)}</text>')
    return "".join(out) + "</g>"
