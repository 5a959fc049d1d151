"""A description as a picture, in the manner of the paper's figures. No torch.

    draw(InceptionA())                  a block; the paper's figures know the shape that enters them
    draw(node, (384, 35, 35))           any block with the shape (C, H, W) that enters it
    draw(inception_v4(), params=True)   a network, as Figs. 9 and 15, with what each block costs
    figure(5)                           a figure of the paper by its number, with a line on its
                                        misprint

The result is an SVG text that a notebook shows as a picture: data flows from bottom to top as in
the paper, shapes are written H×W×C as the paper prints them, branches are numbered from left to
right and keep their colours everywhere. It stands on a light card of its own, so it reads the same
in a dark theme.

How a picture is made: `_flow` computes the shapes, `_Layout` turns every node into a `_Part` of
boxes, lines and words, `canvas.render` writes the SVG.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from inception_edu.describe import spec
from inception_edu.describe.canvas import (
    BRANCH_COLOURS,
    FAINT,
    INK,
    PAD,
    PLATE,
    SIZE,
    SMALL,
    WRONG,
    Box,
    Canvas,
    Drawing,
    Line,
    Text,
    box_size,
    branch_colour,
    render,
    text_width,
)
from inception_edu.describe.figures import FIGURES, TABLE_1, Row
from inception_edu.describe.measure import Row as MeasuredRow
from inception_edu.describe.measure import input_shape, measure
from inception_edu.describe.networks import Block, Network
from inception_edu.describe.spec import (
    Chain,
    Concat,
    Conv,
    Node,
    Pool,
    Residual,
    Shape,
    SpecError,
    children,
)

__all__ = [
    "BRANCH_COLOURS",
    "Drawing",
    "Trace",
    "amount",
    "describe",
    "draw",
    "figure",
    "leaf_words",
    "size_words",
    "trace",
]

GAP, FAN, COLUMN = 30, 46, 14  # between boxes, where lines fan out, between columns
RADIUS = 11  # of the "+"


def draw(
    what: Node | Network | tuple[Row, ...],
    shape: Shape | int | None = None,
    *,
    title: str | None = None,
    direction: str = "up",
    highlight=None,
    params: bool = False,
    wrong: bool = False,
    labels: dict[str, str] | None = None,
    note: str = "",
) -> Drawing:
    """Draw a block (any node), a network, or the rows of Fig. 9 or 15.

    `shape` is the input (C, H, W), or for a network the side of the image. Without it the blocks of
    the paper's figures take the figure's own, other blocks are drawn without shapes, networks take
    their own image. `direction` is "up" as in the paper, or "down". `params` writes parameters and
    multiply-adds into every convolution; for a network, beside every block, with the receptive
    field. `labels` replaces the number of filters at a path, for example {"branch 3/step 1": "k =
    192"}; `note` is text below the picture. `highlight` is a branch number, a path such as "branch
    3" or "branch 3/step 2", a block's name, or a list of these; everything else fades. `wrong=True`
    draws a mismatch in red at its place and keeps its sentence in `errors`; otherwise it raises
    `ChannelError` or `SizeError`.
    """
    if direction not in ("up", "down"):
        raise SpecError(f'direction is "up" or "down", got {direction!r}.')
    if isinstance(what, Network):
        canvas = _network(what, shape, params, wrong)
    elif isinstance(what, tuple):
        canvas = _printed(what)
    else:
        canvas = _block(what, shape, params, wrong, labels or {})
    canvas.title = title or canvas.title
    canvas.notes = tuple(filter(None, (*canvas.notes, note)))
    return render(canvas, direction, _paths(highlight))


def figure(number: int, **options) -> Drawing:
    """A figure of the paper, 1 to 20, drawn from its description, with a line on its misprint where
    it has one.

    Options are those of `draw`.
    """
    if number not in FIGURES:
        raise SpecError(f"The paper's figures of blocks are 1 to 20, got {number!r}.")
    f = FIGURES[number]
    defaults = {
        "title": f"Fig. {number}: {f.title}",
        "shape": f.input,
        "note": f.misprint and f"Note: {f.misprint}",
    }
    if number == 7:
        k, l, m, n = TABLE_1["inception_v4"].values()  # noqa: E741 - the paper's own names
        defaults["labels"] = {
            "branch 2": f"n = {n}",
            "branch 3/step 1": f"k = {k}",
            "branch 3/step 2": f"l = {l}",
            "branch 3/step 3": f"m = {m}",
        }
    if number == 15:
        defaults["note"] = (
            "The sizes are Inception-ResNet-v1's; v2 takes Figs. 3 and 16 to 19 instead."
        )
    return draw(f.node, **{**defaults, **options})


def _paths(highlight) -> list[tuple[str, ...]]:
    if highlight is None:
        return []
    wanted = [highlight] if isinstance(highlight, (str, int)) else highlight
    return [
        (f"branch {w}",)
        if isinstance(w, int)
        else tuple(w.split("/"))
        if isinstance(w, str)
        else tuple(w)
        for w in wanted
    ]


# --- Words ----------------------------------------------------------------------------------------


def size_words(shape: Shape) -> str:
    """(C, H, W) as the paper prints it: H×W×C."""
    return f"{shape[1]}×{shape[2]}×{shape[0]}"


def amount(number: float) -> str:
    """A number in three figures: 41,293 → "41.3 k", 12,345,678 → "12.3 M"."""
    for unit, word in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if number >= unit * 0.9995:
            return (
                f"{number / unit:.3g}{word}"
                if number < 999.5 * unit
                else f"{number / unit:.0f}{word}"
            )
    return f"{number:.0f}"


def leaf_words(node: Conv | Pool, filters: str = "") -> tuple[str, ...]:
    """The words in the box of a convolution or pool, as in the paper: ("3×3 Conv", "(96, stride 2,
    V)")."""
    kernel = f"{node.kernel[0]}×{node.kernel[1]}"
    window = [f"stride {node.stride}"] if node.stride != 1 else []
    window += ["V"] if node.padding == "valid" else []
    if isinstance(node, Pool):
        window += ["zeros count"] if node.count_padding else []
        head = f"{kernel} {'MaxPool' if node.kind == 'max' else 'AvgPool'}"
    else:
        missing = [
            word for word, there in (("no BN", node.norm), ("no ReLU", node.relu)) if not there
        ]
        window = [
            filters or str(node.out),
            *(["Linear"] if len(missing) == 2 else missing),
            *window,
        ]
        head = f"{kernel} Conv"
    return (head, f"({', '.join(window)})") if window else (head,)


def describe(node: Node) -> str:
    """A description as part of a sentence, for readers who hear the picture."""
    if isinstance(node, (Conv, Pool)):
        return " ".join(leaf_words(node))
    if isinstance(node, Chain):
        return ", then ".join(describe(part) for part in node.parts) or "the input unchanged"
    if isinstance(node, Concat):
        words = "; ".join(f"branch {i}: {describe(b)}" for i, b in enumerate(node.branches, 1))
        return f"{len(node.branches)} branches joined along the channels ({words})"
    scale = f" {_scale_words(node)}" if _scaled(node) else ""
    shortcut = (
        "the identity" if node.shortcut is None else f"a shortcut ({describe(node.shortcut)})"
    )
    return f"{shortcut} plus{scale} ({describe(node.body)})" + (", then ReLU" if node.relu else "")


def _scaled(node: Node) -> bool:
    return isinstance(node, Residual) and (node.scale != 1 or node.learnable)


def _scale_words(node: Residual) -> str:
    return f"× {node.scale:g}" + (", learnt" if node.learnable else "")


# --- Shapes ---------------------------------------------------------------------------------------


@dataclass
class _Flow:
    """What enters and leaves a node; `short` is a mismatch in a few characters, `error` in a
    sentence."""

    input: Shape | None = None
    output: Shape | None = None
    error: str = ""
    short: str = ""
    odd: tuple[int, ...] = ()  # of a concatenation: the branches of another size


def _flow(
    node: Node, shape: Shape | None, path: tuple[str, ...], where: tuple[str, ...], found: dict
) -> Shape | None:
    """Fill `found` with the shapes at every path. After a mismatch it goes on with what the figure
    would need."""
    outputs = []
    parts = children(node)
    where += tuple(
        filter(None, [" ".join(filter(None, [node.figure, node.name]))] if parts else [])
    )
    for word, part in parts:
        start = outputs[-1] if isinstance(node, Chain) and outputs else shape
        outputs.append(_flow(part, start, (*path, word), (*where, word), found))
    flow = found[path] = _Flow(shape)
    if shape is not None and None not in outputs:
        try:
            flow.output = spec.joined(node, shape, outputs, ", ".join(where) or "The description")
        except SpecError as error:
            flow.error = str(error)
            _mend(flow, node, outputs)
    return flow.output


def _mend(flow: _Flow, node: Node, outputs: list[Shape]) -> None:
    """The mismatch in a few characters, and the shape with which the drawing goes on (None: there
    is none)."""
    if isinstance(node, (Conv, Pool)):
        flow.short = f"{flow.input[1]}×{flow.input[2]} is too small"
    elif isinstance(node, Concat):
        sizes = [f"{height}×{width}" for _, height, width in outputs]
        usual = max(sizes, key=sizes.count)
        flow.odd = tuple(i for i, size in enumerate(sizes) if size != usual)
        total = sum(channels for channels, _, _ in outputs)
        flow.short = " ≠ ".join(dict.fromkeys(sizes)) if flow.odd else f"{total} ≠ {node.out}"
        flow.output = (total, *outputs[sizes.index(usual)][1:])
    else:
        body, carried = outputs[0], outputs[1] if node.shortcut is not None else flow.input
        flow.short = (
            f"{body[0]} ≠ {carried[0]}"
            if body[0] != carried[0]
            else f"{body[1]}×{body[2]} ≠ {carried[1]}×{carried[2]}"
        )
        flow.output = carried


# --- Layout of a block ----------------------------------------------------------------------------
# x grows to the right, y in the direction of flow.


@dataclass
class _End:
    """Where a part is entered or left. `span`: the x range over which lines may meet a bar."""

    x: float
    y: float
    path: tuple[str, ...] = ()
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


@dataclass
class _Part:
    """A laid-out node. It occupies 0…width × 0…height; lines arrive around `inlet` and leave around
    `outlet`."""

    width: float
    height: float
    inlet: float
    outlet: float
    entries: list[_End]
    exits: list[_End]
    items: list = field(default_factory=list)

    def move(self, dx: float, dy: float = 0.0) -> None:
        self.inlet, self.outlet = self.inlet + dx, self.outlet + dx
        for thing in (*self.items, *self.entries, *self.exits):
            thing.move(dx, dy)

    def cover(self, low: float, high: float) -> _Part:
        """Make the part wide enough for low…high as well."""
        shift = max(0.0, -low)
        self.move(shift)
        self.width = max(self.width, high) + shift
        return self


def _label(end: _End, y: float) -> list[Text]:
    """The shape that leaves `end`, right of its line at height `y`."""
    colour = WRONG if end.wrong else FAINT
    return (
        [Text(end.x + 6, y, end.label, end.path, colour=colour, bold=end.wrong)]
        if end.label
        else []
    )


def _reach(label: str) -> float:
    """How far a label reaches to the right of its line."""
    return 6 + text_width(label, SMALL, True) if label else 0.0


def _bar(
    kind: str,
    word: str,
    shape: str,
    y: float,
    ends: list[_End],
    path: tuple[str, ...],
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


class _Layout:
    """Turns nodes into parts. `flows` are the shapes by path (empty: none are drawn)."""

    def __init__(self, flows: dict, params: bool, labels: dict[str, str]):
        self.flows, self.params, self.labels = flows, params, labels

    def flow(self, path: tuple[str, ...]) -> _Flow:
        return self.flows.get(path) or _Flow()

    def shape(self, path: tuple[str, ...]) -> str:
        output = self.flow(path).output
        return size_words(output) if output else ""

    def node(
        self, node: Node, path: tuple[str, ...] = (), branch: int | None = None, inner: bool = False
    ) -> _Part:
        """`inner`: the node ends a branch, so a concatenation there may leave the joining to the
        one outside."""
        if isinstance(node, (Conv, Pool)):
            return self.leaf(node, path, branch)
        if isinstance(node, Chain):
            return self.chain(node, path, branch, inner)
        if isinstance(node, Concat):
            return self.concat(node, path, branch, inner)
        return self.residual(node, path, branch)

    def words(self, node: Conv | Pool, path: tuple[str, ...]) -> tuple:
        flow = self.flow(path)
        lines = [
            (text, SIZE, False) for text in leaf_words(node, self.labels.get("/".join(path), ""))
        ]
        if self.params and isinstance(node, Conv) and flow.output:
            cost = measure(node, flow.input)
            lines.append((f"{amount(cost.params)} · {amount(cost.macs)}", SMALL, False))
        return (*lines, *([(flow.short, SMALL, True)] if flow.error else []))

    def leaf(
        self, node: Conv | Pool, path: tuple[str, ...], branch: int | None, width: float = 0.0
    ) -> _Part:
        flow, lines = self.flow(path), self.words(node, path)
        natural, height = box_size(lines)
        width = max(natural, width, 76)
        kind = "conv" if isinstance(node, Conv) else "pool"
        box = Box(
            0, 0, width, height, lines, kind, path, branch, bool(flow.error), _tip(node, flow)
        )
        label, middle = self.shape(path), width / 2
        right = max(
            middle, _reach(label) + 4 - COLUMN
        )  # a label may reach into the gap between columns
        return _Part(
            middle + right,
            height,
            middle,
            middle,
            [_End(middle, 0, path, branch)],
            [_End(middle, height, path, branch, label)],
            [box],
        )

    def chain(self, node: Chain, path: tuple[str, ...], branch: int | None, inner: bool) -> _Part:
        if not node.parts:
            end = _End(10, 0, path, branch, self.shape(path), through=True)
            right = max(20, 10 + _reach(end.label) - COLUMN)
            return _Part(right, 0, 10, 10, [end], [replace(end)])
        leaves = [
            ((*path, word), part) for word, part in children(node) if isinstance(part, (Conv, Pool))
        ]
        width = max((box_size(self.words(part, where))[0] for where, part in leaves), default=0.0)
        parts = [
            self.leaf(part, (*path, word), branch, width)
            if isinstance(part, (Conv, Pool))
            else self.node(part, (*path, word), branch, inner and part is node.parts[-1])
            for word, part in children(node)
        ]
        return self.stack(parts)

    def stack(self, parts: list[_Part]) -> _Part:
        """Parts one after the other, joined by lines."""
        whole, *rest = parts
        for part in rest:
            if part.height == 0:  # nothing but a line
                continue
            if whole.height == 0:
                whole = part
                continue
            start, shift = whole.exits[0], whole.outlet - part.inlet
            straight = all(
                abs(start.nearest(e.x + shift) - e.x - shift) < 0.1 for e in part.entries
            )
            gap = GAP if straight else FAN
            part.move(shift, whole.height + gap)
            whole.items += part.items + self.join(start, part.entries)
            whole.height += gap + part.height
            whole.outlet, whole.exits = part.outlet, part.exits
            whole.cover(shift, shift + part.width)
        return whole

    def join(self, start: _End, entries: list[_End]) -> list:
        """Lines from one end to one or several entries: straight, or over a rail where they lie
        aside."""
        items: list = []
        rail = start.y + (20 if start.label else 14)
        turned = [e for e in entries if abs(start.nearest(e.x) - e.x) >= 0.1]
        left = [e for e in turned if e.x < start.nearest(e.x)]
        right = [e for e in turned if e.x > start.nearest(e.x)]
        for side in filter(None, (left, right)):
            x = start.nearest(side[0].x)
            far = max(side, key=lambda e: abs(e.x - x)).x
            trunk = (
                [] if side is right and left and start.nearest(left[0].x) == x else [(x, start.y)]
            )
            items.append(Line([*trunk, (x, rail), (far, rail)], start.path, arrow=False))
        for entry in entries:
            foot = rail if entry in turned else start.y
            items.append(
                Line(
                    [(entry.x, foot), (entry.x, entry.y)],
                    entry.path,
                    entry.branch,
                    not entry.through,
                )
            )
            if entry.badge:
                items.append(
                    Text(
                        entry.x - 6,
                        entry.y - 12,
                        entry.badge,
                        entry.path,
                        "end",
                        branch_colour(entry.branch),
                        True,
                    )
                )
        top = rail if turned else entries[0].y
        return items + _label(start, (start.y + top) / 2)

    def concat(self, node: Concat, path: tuple[str, ...], branch: int | None, inner: bool) -> _Part:
        entries, exits, items = [], [], []
        x = height = 0.0
        flow = self.flow(path)
        for i, (word, child) in enumerate(children(node)):
            colour = i if branch is None else branch
            part = self.node(child, (*path, word), colour, inner=True)
            part.move(x)
            part.entries[0].badge = part.entries[0].badge or str(i + 1)
            for end in (*part.entries, *part.exits):
                end.branch = colour
                end.wrong = end.wrong or i in flow.odd
            x += part.width + COLUMN
            height = max(height, part.height)
            entries, exits, items = entries + part.entries, exits + part.exits, items + part.items
        width, middle = x - COLUMN, (entries[0].x + entries[-1].x) / 2
        if inner and not flow.error and len(exits) > 1:
            return _Part(width, height, middle, middle, entries, exits, items)
        y = height + GAP
        for end in exits:
            items += [
                Line([(end.x, end.y), (end.x, y)], end.path, end.branch, wrong=end.wrong),
                *_label(end, y - 18),
            ]
        bar = _bar(
            "bar",
            "Filter concat",
            "" if flow.error else self.shape(path),
            y,
            exits,
            path,
            flow.error,
            flow.short,
        )
        low, high = bar.x, bar.x + bar.width
        top = y + bar.height
        leave = _End((low + high) / 2, top, path, branch, span=(low + 8, high - 8))
        return _Part(width, top, middle, leave.x, entries, [leave], [*items, bar]).cover(low, high)

    def residual(self, node: Residual, path: tuple[str, ...], branch: int | None) -> _Part:
        """The shortcut on the left, the body beside it, the "+" over the body's end."""
        word = (*path, "shortcut")
        if node.shortcut is None:
            side = _Part(
                16, 0, 8, 8, [_End(8, 0, word, branch, through=True)], [_End(8, 0, word, branch)]
            )
        else:
            side = self.node(node.shortcut, word, branch)
        body = self.node(node.body, (*path, "residual branch"), branch)
        pill_lines = ((_scale_words(node), SIZE, True),) if _scaled(node) else ()
        half = max(RADIUS + 8, box_size(pill_lines)[0] / 2)
        body.cover(body.outlet - half, body.outlet + half)
        body.move(side.width + COLUMN)
        flow, end, start = self.flow(path), body.exits[0], side.exits[0]
        x, items = body.outlet, side.items + body.items
        plus_y = max(body.height, side.height) + GAP
        if pill_lines:
            width, height = box_size(pill_lines)
            pill = Box(
                x - width / 2,
                body.height + GAP,
                width,
                height,
                pill_lines,
                "scale",
                (*path, "scale"),
                tip="The residual branch is multiplied by this number before the addition (Fig. 20).",
            )
            items += [
                Line([(x, end.y), (x, pill.y)], end.path, branch),
                pill,
                *_label(end, (end.y + pill.y) / 2),
            ]
            end = _End(x, pill.y + height, pill.path)
            plus_y = max(plus_y, end.y + 18)
        plus = Box(
            x - RADIUS,
            plus_y,
            2 * RADIUS,
            2 * RADIUS,
            (("+", 15, True),),
            "plus",
            path,
            None,
            bool(flow.error),
            flow.error,
        )
        middle, top = plus_y + RADIUS, plus_y + 2 * RADIUS
        items += [
            Line([(x, end.y), (x, plus_y)], end.path, branch),
            *_label(end, plus_y - GAP / 2),
            Line([(start.x, start.y), (start.x, middle), (x - RADIUS, middle)], word, branch),
            plus,
        ]
        items += _label(start, start.y + GAP / 2) if node.shortcut is not None else []
        right = body.width + side.width + COLUMN
        if flow.error:
            items.append(
                Text(x + RADIUS + 6, middle, flow.short, path, colour=WRONG, bold=True, size=SIZE)
            )
            right = max(right, x + RADIUS + 6 + text_width(flow.short, SIZE, True))
        if node.relu:
            lines = (("ReLU activation", SIZE, False),)
            width, height = box_size(lines)
            relu = Box(x - width / 2, top + 16, width, height, lines, "relu", path)
            items += [Line([(x, top), (x, relu.y)], path, branch), relu]
            top = relu.y + height
            right = max(right, x + width / 2)
        leave = _End(x, top, path, branch, self.shape(path))
        part = _Part(right, top, body.inlet, x, [*side.entries, *body.entries], [leave], items)
        return part.cover(
            x - text_width("ReLU activation") / 2 - PAD, x + _reach(leave.label) - COLUMN + 4
        )


def _tip(node: Node, flow: _Flow) -> str:
    words = repr(node)
    if flow.output:
        cost = measure(node, flow.input)
        words += f": {size_words(flow.input)} → {size_words(flow.output)}"
        words += (
            f", {cost.params:,} parameters, {cost.macs:,} multiply-adds"
            if isinstance(node, Conv)
            else ""
        )
    return f"{words}. {flow.error}" if flow.error else words


def _known_input(node: Node) -> Shape | None:
    """The input of the figure of the paper that this node says it is."""
    head, _, number = getattr(node, "figure", "").partition("Fig. ")
    f = FIGURES.get(int(number)) if not head and number.isdigit() else None
    return f.input if f else None


def _block(
    node: Node, shape: Shape | None, params: bool, wrong: bool, labels: dict[str, str]
) -> Canvas:
    children(node)  # raises for what is no node
    if shape is None and (known := _known_input(node)) is not None:
        try:
            spec.out_shape(node, known)
            shape = known
        except SpecError:
            shape = (
                known if wrong else None
            )  # of another width than the figure: drawn without shapes
    elif shape is not None:
        if not (
            isinstance(shape, tuple)
            and len(shape) == 3
            and all(isinstance(n, int) and n > 0 for n in shape)
        ):
            raise SpecError(
                f"A block is drawn for a shape (channels, height, width), got {shape!r}."
            )
        if not wrong:
            spec.out_shape(node, shape)  # raises where the numbers do not fit
    flows: dict[tuple[str, ...], _Flow] = {}
    if shape is not None:
        _flow(node, shape, (), (), flows)
    layout = _Layout(flows, params, labels)
    part = layout.node(node)
    words = size_words(shape) if shape else ""
    box = _bar("input", "Input", words, 0, part.entries, ("input",))
    part.cover(box.x, box.x + box.width)
    box.x += max(0.0, -box.x)
    centre = box.x + box.width / 2
    start = _End(centre, box.height, ("input",), span=(box.x + 8, box.x + box.width - 8))
    foot = _Part(part.width, box.height, part.inlet, part.inlet, [], [start], [box])
    end = part.exits[0]
    if part.height == 0:  # an empty chain: the input leaves as it came
        end, part = start, foot
    else:
        part = layout.stack([foot, part])
        end = part.exits[0]
    part.items += [Line([(end.x, end.y), (end.x, end.y + 26)], end.path), *_label(end, end.y + 15)]
    part.cover(0, end.x + _reach(end.label))
    errors = tuple(dict.fromkeys(flow.error for flow in flows.values() if flow.error))
    title = ": ".join(filter(None, [getattr(node, "figure", ""), getattr(node, "name", "")]))
    leaving = flows[()].output if flows else None
    said = " ".join(
        filter(
            None,
            [
                f"Input{' ' + words if words else ''}, then {describe(node)}.",
                leaving and f"Output {size_words(leaving)}.",
                *(f"Wrong: {error}" for error in errors),
            ],
        )
    )
    notes = ("In the boxes: parameters · multiply-adds.",) if params and shape else ()
    return Canvas(part.width, part.height + 26, part.items, title or "A block", said, errors, notes)


# --- Networks -------------------------------------------------------------------------------------


@dataclass
class _Stage:
    """One box of an overview, its output, and further cells beside it."""

    name: str
    words: str
    output: str = ""
    small: str = ""
    kind: str = "tail"
    repeat: int = 1
    cells: tuple[str, ...] = ()
    wrong: bool = False


def _printed(rows: tuple[Row, ...]) -> Canvas:
    """Figs. 9 and 15 as printed."""
    stages = [_Stage("input", "Input", "299×299×3", kind="input")]
    for row in rows:
        kind = "reduction" if row.block.startswith("reduction") else "block"
        stages.append(
            _Stage(
                row.block,
                FIGURES[row.figure].node.name,
                size_words(row.output),
                f"Fig. {row.figure}",
                kind,
                row.repeat,
            )
        )
    features = str(rows[-1].output[0])
    stages += [
        _Stage("pool", "Average pooling", features),
        _Stage("dropout", "Dropout (keep 0.8)", features),
        _Stage("classifier", "Softmax", "1000"),
    ]
    return _overview(stages, (), "Overview", ())


@dataclass(frozen=True)
class Trace:
    """How far an image gets: a `measure.Row` a copy of a block, and the block that breaks, if one
    does.

    `end` is the shape (C, H, W) that leaves the last row, or enters the block that breaks.
    """

    rows: tuple[MeasuredRow, ...]
    end: Shape
    broken: Block | None = None
    error: str = ""

    def of(self, block: str) -> tuple[MeasuredRow, ...]:
        """The rows of a block and its copies."""
        return tuple(
            row for row in self.rows if row.name == block or row.name.rpartition(".")[0] == block
        )


def trace(network: Network, shape: Shape | int | None = None) -> Trace:
    """Send an image (its side, (C, H, W), or the network's own size) through the blocks, up to one
    that breaks."""
    shape = input_shape(network, shape)
    rows: list[MeasuredRow] = []
    field, jump = (1, 1), (1, 1)
    for block in network.blocks:
        cost = None
        for i in range(1, block.repeat + 1):
            if cost is None or cost.input != shape:  # copies on the same map cost the same
                try:
                    spec.out_shape(block.node, shape)
                except SpecError as error:
                    return Trace(tuple(rows), shape, block, f"Block {block.name} breaks. {error}")
                cost = measure(block.node, shape).rows[0]
            field = tuple(f + j * (r - 1) for f, j, r in zip(field, jump, cost.receptive_field))
            jump = tuple(j * s for j, s in zip(jump, cost.stride))
            name = block.name if block.repeat == 1 else f"{block.name}.{i}"
            rows.append(replace(cost, name=name, receptive_field=field, stride=jump))
            shape = cost.output
    return Trace(tuple(rows), shape)


def _network(network: Network, shape: Shape | int | None, params: bool, wrong: bool) -> Canvas:
    shape = input_shape(network, shape)
    if not wrong:
        measure(network, shape)  # raises where the network cannot take the image
    traced = trace(network, shape)
    stages = [_Stage("input", "Input", size_words(shape), kind="input")]
    for block in network.blocks:
        stage = _Stage(
            block.name, _block_words(block), "", _small_words(block), "block", block.repeat
        )
        if "reduction" in stage.words.lower():
            stage.kind = "reduction"
        rows = traced.of(block.name)
        stage.wrong = block is traced.broken
        if rows and not stage.wrong:
            stage.output = size_words(rows[-1].output)
            sees = "×".join(map(str, rows[-1].receptive_field))
            stage.cells = (
                amount(sum(r.params for r in rows)),
                amount(sum(r.macs for r in rows)),
                sees,
            )
        stages.append(stage)
    features, fits = traced.end[0], not traced.error
    classifier = amount((features + 1) * network.classes)
    tail = [_Stage("pool", "Average pooling", str(features))]
    tail += (
        [_Stage("dropout", f"Dropout (keep {1 - network.dropout:g})", str(features))]
        if network.dropout
        else []
    )
    tail += [
        _Stage("classifier", "Softmax", str(network.classes), cells=(classifier, classifier, ""))
    ]
    stages += tail if fits else [replace(stage, output="", cells=()) for stage in tail]
    heads = ("parameters", "multiply-adds", "sees (pixels)") if params else ()
    return _overview(stages, heads, network.name, (traced.error,) if traced.error else ())


def _block_words(block: Block) -> str:
    """The name of a block in an overview: the paper's, or its words if it is a single
    convolution."""
    node = block.node
    if isinstance(node, (Conv, Pool)):
        return " ".join(leaf_words(node))
    return node.name or block.name


def _small_words(block: Block) -> str:
    """The figure, or the block's own name where neither the words nor a figure of the paper tell it
    apart."""
    node, words = block.node, [getattr(block.node, "figure", "")]
    if not words[0].startswith("Fig.") and block.name != _block_words(block).lower().replace(
        "-", "_"
    ):
        words = [block.name]
    words += (
        [f"scale {node.scale:g}" + (", learnt" if node.learnable else "")] if _scaled(node) else []
    )
    words += ["no ReLU"] if isinstance(node, Residual) and not node.relu else []
    return " · ".join(filter(None, words))


def _overview(
    stages: list[_Stage], heads: tuple[str, ...], title: str, errors: tuple[str, ...]
) -> Canvas:
    """Boxes one above the other, what leaves each at its right, and columns of further numbers."""
    lines = []
    for stage in stages:
        times = f"{stage.repeat} × " if stage.repeat > 1 else ""
        lines.append(
            (
                (times + stage.words, SIZE + 1, True),
                *(((stage.small, SMALL, False),) if stage.small else ()),
            )
        )
    left = 2 * PLATE if any(s.repeat > 1 for s in stages) else 0
    width = max(
        170.0, *(box_size(line)[0] + 24 for line in lines)
    )  # 24: a reduction's slanting sides
    outputs = ["breaks here" if s.wrong else s.output for s in stages]
    column = left + width + 14
    rights = [column + max(text_width(words, SIZE, True) for words in outputs)]
    for i, head in enumerate(heads):
        cells = [s.cells[i] for s in stages if s.cells]
        rights.append(
            rights[-1] + 16 + max(text_width(head, SMALL), *(text_width(c, SIZE) for c in cells), 0)
        )
    items: list = []
    y = last = 0.0
    said = []
    for i, (stage, line, output) in enumerate(zip(stages, lines, outputs)):
        height = box_size(line)[1] + 2
        lift = PLATE * (min(stage.repeat, 3) - 1)
        y += lift
        path = (stage.name,)
        if i:
            items.append(Line([(left + width / 2, last), (left + width / 2, y - lift)], path))
        last = y + height
        tip = errors[0] if stage.wrong else f"{stage.words}{', output ' + output if output else ''}"
        items.append(
            Box(
                left, y, width, height, line, stage.kind, path, None, stage.wrong, tip, stage.repeat
            )
        )
        middle = y + height / 2
        if output:
            colour = WRONG if stage.wrong else INK
            items.append(Text(rights[0], middle, output, path, "end", colour, stage.wrong, SIZE))
        items += [
            Text(x, middle, cell, path, "end", FAINT, False, SIZE)
            for x, cell in zip(rights[1:], stage.cells)
        ]
        times = f"{stage.repeat} times " if stage.repeat > 1 else ""
        small = f" ({stage.small})" if stage.small else ""
        said.append(f"{times}{stage.words}{small}{': ' + output if output else ''}")
        y = last + 20
    if heads:
        items += [
            Text(x, last + 14, head, (), "end") for x, head in zip(rights, ("output", *heads))
        ]
        last += 22
    words = f"From input to output: {'; '.join(said)}." + "".join(
        f" Wrong: {error}" for error in errors
    )
    return Canvas(rights[-1], last, items, title, words, errors)
