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

How a picture is made: `walk` computes the shapes, `layout` turns every node of a block into boxes,
lines and words (`overview` does so for a network), `canvas.render` writes the SVG.
"""

from __future__ import annotations

from collections.abc import Iterable

from inception_edu._lazy import TYPE_CHECKING
from inception_edu.describe.blocks import Network
from inception_edu.describe.canvas import Canvas, Drawing, Line, inside, render
from inception_edu.describe.flow import out_shape, walk
from inception_edu.describe.layout import Layout
from inception_edu.describe.paper_tables import TABLE_1
from inception_edu.describe.parts import Path, children
from inception_edu.describe.pieces import End, Part, bar, label_of, reach_of
from inception_edu.describe.printed import FIGURES, Row
from inception_edu.describe.spec import Node, Shape, SpecError
from inception_edu.describe.words import describe, size_words

if TYPE_CHECKING:
    from typing import Any, TypeAlias


Highlight: TypeAlias = int | str | Iterable[int | str | Path] | None


def draw(
    what: Node | Network | tuple[Row, ...],
    shape: Shape | int | None = None,
    *,
    title: str | None = None,
    direction: str = "up",
    highlight: Highlight = None,
    params: bool = False,
    wrong: bool = False,
    labels: dict[str, str] | None = None,
    note: str = "",
    fields: Path | None = None,
) -> Drawing:
    """Draw a block (any node), a network, or the rows of Fig. 9 or 15.

    `shape` is the input (C, H, W), or for a network the side of the image. Without it the blocks of
    the paper's figures take the figure's own, other blocks are drawn without shapes, networks take
    their own image. `direction` is "up" as in the paper, or "down". `params` writes parameters and
    multiply-adds into every convolution; for a network, beside every block, with the receptive
    field. `labels` replaces the number of filters at a path, for example {"branch 3/step 1": "k =
    192"}; `note` is text below the picture. `fields` draws under each branch what it sees and its
    shares of the cost: () for the outermost concatenation, a path for the one in which it lies; it
    needs a shape. `highlight` is a branch number, a path such as "branch 3" or "branch 3/step 2", a
    block's name, or a list of these; everything else fades. `wrong=True`
    draws a mismatch in red at its place and keeps its sentence in `errors`; otherwise it raises
    `ChannelError` or `SizeError`. Raises `SpecError` for what there is not to highlight.
    """
    if direction not in ("up", "down"):
        raise SpecError(f'direction is "up" or "down", got {direction!r}.')
    if isinstance(what, (Network, tuple)):
        from inception_edu.describe.overview import network_canvas, printed_canvas

        if isinstance(what, Network):
            canvas = network_canvas(what, shape, params, wrong)
        else:
            canvas = printed_canvas(what)
    else:
        canvas = _block(what, shape, params, wrong, labels or {})
        if fields is not None and isinstance(shape, tuple):
            from inception_edu.describe.design import branches
            from inception_edu.describe.under import NOTE, under

            canvas.foot = under(canvas.items, branches(what, shape, fields))
            canvas.notes = (*canvas.notes, NOTE) if canvas.foot[0] else canvas.notes
    paths = _paths(highlight)
    for path in paths:
        if not any(inside(item.path, [path]) for item in canvas.items):
            raise SpecError(f"There is no {'/'.join(path)!r} in the picture to highlight.")
    canvas.title = title or canvas.title
    canvas.notes = tuple(filter(None, (*canvas.notes, note)))
    return render(canvas, direction, paths)


def figure(number: int, **options: Any) -> Drawing:
    """A figure of the paper, 1 to 20, drawn from its description, with a line on its misprint where
    it has one.

    Options are those of `draw`. Raises `SpecError` for another number.
    """
    if number not in FIGURES:
        raise SpecError(f"The paper's figures of blocks are 1 to 20, got {number!r}.")
    f = FIGURES[number]
    defaults: dict[str, Any] = {
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


def _paths(highlight: Highlight) -> list[Path]:
    if highlight is None:
        return []
    if not isinstance(highlight, (str, int, Iterable)):
        raise SpecError(f"highlight is a branch's number, a path or a block, got {highlight!r}.")
    wanted = [highlight] if isinstance(highlight, (str, int)) else highlight
    return [_path(w) for w in wanted]


def _path(wanted: int | str | Path) -> Path:
    if isinstance(wanted, int):
        return (f"branch {wanted}",)
    return tuple(wanted.split("/")) if isinstance(wanted, str) else tuple(wanted)


def _known_input(node: Node) -> Shape | None:
    """The input of the figure of the paper that this node says it is."""
    head, _, number = getattr(node, "figure", "").partition("Fig. ")
    f = FIGURES.get(int(number)) if not head and number.isdigit() else None
    return f.input if f else None


def _entering(node: Node, shape: Shape | int | None, wrong: bool) -> Shape | None:
    """The shape for which a block is drawn: the one that was given, else that of its figure, where
    the block can take it. Raises where the given one does not fit, unless that is to be drawn."""
    if shape is None:
        known = _known_input(node)
        if known is None or wrong:
            return known
        try:
            out_shape(node, known)
        except SpecError:  # of another width than the figure: drawn without shapes
            return None
        return known
    if not (
        isinstance(shape, tuple)
        and len(shape) == 3
        and all(isinstance(n, int) and n > 0 for n in shape)
    ):
        raise SpecError(f"A block is drawn for a shape (channels, height, width), got {shape!r}.")
    if not wrong:
        out_shape(node, shape)  # raises where the numbers do not fit
    return shape


def _block(
    node: Node, shape: Shape | int | None, params: bool, wrong: bool, labels: dict[str, str]
) -> Canvas:
    children(node)  # raises for what is no node
    shape = _entering(node, shape, wrong)
    steps = {step.path: step for step in walk(node, shape, go_on=True)}
    layout = Layout(steps, params, labels)
    part = layout.node(node)
    words = size_words(shape) if shape else ""
    box = bar("input", "Input", words, 0, part.entries, ("input",))
    part.cover(box.x, box.x + box.width)
    box.x += max(0.0, -box.x)
    centre = box.x + box.width / 2
    start = End(centre, box.height, ("input",), span=(box.x + 8, box.x + box.width - 8))
    foot = Part(part.width, box.height, part.inlet, part.inlet, [], [start], [box])
    end = part.exits[0]
    if part.height == 0:  # an empty chain: the input leaves as it came
        end, part = start, foot
    else:
        part = layout.stack([foot, part])
        end = part.exits[0]
    part.items += [
        Line([(end.x, end.y), (end.x, end.y + 26)], end.path),
        *label_of(end, end.y + 15),
    ]
    part.cover(0, end.x + reach_of(end.label))
    errors = tuple(dict.fromkeys(str(step.error) for step in steps.values() if step.error))
    title = ": ".join(filter(None, [getattr(node, "figure", ""), getattr(node, "name", "")]))
    leaving = steps[()].output
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
