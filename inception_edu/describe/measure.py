"""Shapes, parameters, multiply-adds and receptive fields of a description, without running it. No
torch.

Parameters and multiply-adds are counted as torchinfo counts them, so that both print the same
number: a convolution costs its weights and biases at every output position, batch norm its 2·C
parameters once, the classifier its weights and biases once. One multiply-add is one multiplication
with one addition.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from inception_edu._lazy import TYPE_CHECKING
from inception_edu._numbers import is_whole
from inception_edu.describe.blocks import Block, Network, check_network
from inception_edu.describe.flow import Step, out_shape, walk
from inception_edu.describe.parts import children
from inception_edu.describe.spec import (
    Chain,
    Conv,
    Node,
    Pair,
    Pool,
    Residual,
    Shape,
    SizeError,
    SpecError,
    VanishedError,
)

if TYPE_CHECKING:
    from inception_edu.describe.tables import Table


@dataclass(frozen=True)
class Row:
    """One block: shapes (C, H, W), parameters, multiply-adds per image, and how far its output
    reaches back.

    `receptive_field` is (height, width) in pixels of the network's input, `stride` the pixels
    between neighbours of the block's output.
    """

    name: str
    node: Node
    input: Shape
    output: Shape
    params: int
    macs: int
    receptive_field: tuple[int, int]
    stride: tuple[int, int]


@dataclass(frozen=True)
class Measurement:
    """What `measure` returns: a row a block, and the totals with the classifier, if there is
    one."""

    name: str
    input: Shape
    rows: tuple[Row, ...]

    @property
    def params(self) -> int:
        """All parameters, the classifier's included."""
        return sum(row.params for row in self.rows)

    @property
    def macs(self) -> int:
        """All multiply-adds for one image, the classifier's included."""
        return sum(row.macs for row in self.rows)

    @property
    def output(self) -> Shape:
        """The last feature map (C, H, W), before pooling."""
        maps = [row for row in self.rows if row.name != "classifier"]
        return maps[-1].output if maps else self.input

    @property
    def receptive_field(self) -> tuple[int, int]:
        """(height, width) in pixels that a value of the last map sees."""
        maps = [row for row in self.rows if row.name != "classifier"]
        return maps[-1].receptive_field if maps else (1, 1)

    def table(self) -> Table:
        """A row a block, and the sums."""
        from inception_edu.describe.tables import table

        rows: list[tuple[str, Shape | None, int, int, Pair | None]] = []
        for row in self.rows:
            sees = None if row.name == "classifier" else row.receptive_field
            rows.append((row.name, row.output, row.params, row.macs, sees))
        rows.append(("together", None, self.params, self.macs, None))
        return table(
            rows,
            ["block", "output C×H×W", "parameters", "multiply-adds", "sees"],
            caption=f"{self.name}, input {_words(self.input)}",
            strong=[len(rows) - 1],
        )

    def __str__(self) -> str:
        return str(self.table())

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()

    __repr__ = __str__


def _words(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


@dataclass(frozen=True)
class _Cost:
    """Cost of a node: reach is what it adds to the receptive field, in steps of its own input; jump
    its stride."""

    params: int
    macs: int
    reach: tuple[int, int]
    jump: tuple[int, int]


@lru_cache(maxsize=20_000)
def _cost(node: Node, shape: Shape) -> tuple[Shape, _Cost]:
    """What leaves a node and what it costs, from one walk through it."""
    costs: dict[tuple[str, ...], _Cost] = {}
    for step in walk(node, shape):
        parts = [costs[step.path + (word,)] for word, _ in children(step.node)]
        costs[step.path] = _own_cost(step, parts)
    assert step.output is not None
    return step.output, costs[()]


def _own_cost(step: Step, parts: list[_Cost]) -> _Cost:
    """The cost of one node whose parts cost `parts`."""
    node = step.node
    assert step.input is not None and step.output is not None
    channels, height, width = step.output
    if isinstance(node, Conv):
        area = node.kernel[0] * node.kernel[1]
        weights = step.input[0] // node.groups * node.out * area
        bias = node.out if node.has_bias else 0
        norm = 2 * node.out if node.norm else 0
        macs = (weights + bias) * height * width + norm
        return _Cost(weights + bias + norm, macs, _reach(node), (node.stride, node.stride))
    if isinstance(node, Pool):
        return _Cost(0, 0, _reach(node), (node.stride, node.stride))
    params, macs = sum(c.params for c in parts), sum(c.macs for c in parts)
    if isinstance(node, Chain):
        reach, jump = (0, 0), (1, 1)
        for cost in parts:
            reach = _further(reach, jump, cost.reach)
            jump = (jump[0] * cost.jump[0], jump[1] * cost.jump[1])
        return _Cost(params, macs, reach, jump)
    reach = (max(c.reach[0] for c in parts), max(c.reach[1] for c in parts))
    if isinstance(node, Residual):
        norm = 2 * channels if node.norm else 0
        learnt = 1 if node.learnable else 0
        return _Cost(params + norm + learnt, macs + norm, reach, parts[0].jump)
    return _Cost(params, macs, reach, parts[0].jump)


def _reach(node: Conv | Pool) -> Pair:
    return node.kernel[0] - 1, node.kernel[1] - 1


def _further(reach: Pair, jump: Pair, more: Pair) -> Pair:
    """A reach in pixels, `more` steps of `jump` pixels longer."""
    return reach[0] + jump[0] * more[0], reach[1] + jump[1] * more[1]


def measure(
    what: Network | Node, image: int | tuple[int, int] | Shape | None = None
) -> Measurement:
    """Measure a network or a node for one input.

    `image` is the side in pixels, (height, width), or for a node the shape (C, H, W) that enters
    it.
    Raises `SizeError` that names the block in which the map vanishes and the smallest legal image,
    and `ChannelError` where a description's numbers do not close.
    """
    if not isinstance(what, Network):
        children(what)  # raises for what is no description
        if not (isinstance(image, tuple) and len(image) == 3):
            raise SpecError(
                "A block needs the shape (channels, height, width) of its input, "
                "for example measure(InceptionA(), (384, 35, 35))."
            )
        out_shape(what, image)  # raises with the node's own words
        name = getattr(what, "name", "") or "block"
        return Measurement(name, image, _rows((Block(name, what),), image))
    try:
        shape = input_shape(what, image)
        rows = _rows(what.blocks, shape)
    except SizeError as error:
        raise type(error)(
            f"{what.name} cannot take {shape[1]}×{shape[2]} images. {error} "
            f"The smallest image it can take is {smallest_image(what)}×{smallest_image(what)}."
        ) from None
    features = rows[-1].output[0] if rows else shape[0]
    classifier = (features + 1) * what.classes
    head = Row(
        "classifier",
        Chain(),
        (features, 1, 1),
        (what.classes, 1, 1),
        classifier,
        classifier,
        rows[-1].receptive_field if rows else (1, 1),
        (1, 1),
    )
    return Measurement(what.name, shape, (*rows, head))


def input_shape(network: Network, image: int | tuple[int, ...] | None = None) -> Shape:
    """(C, H, W) for an image given as its side, (height, width), (C, H, W) or None for the
    network's own size. Raises `SpecError` for other channels or an empty image."""
    if image is None:
        return network.input
    sides = image if isinstance(image, (tuple, list)) else (image, image)
    if len(sides) not in (2, 3) or not all(is_whole(side) for side in sides):
        raise SpecError(
            "An image is given by its side in pixels, (height, width) or (channels, height, "
            f"width): whole numbers; got {image!r}."
        )
    image = tuple(int(side) for side in sides)
    if len(image) == 3 and image[0] != network.channels:
        raise SpecError(
            f"{network.name} takes images of {network.channels} channels, got {image[0]}."
        )
    if min(image) < 1:
        raise SpecError(f"An image needs at least one pixel a side, got {_words(image)}.")
    return (network.channels, image[-2], image[-1])


@dataclass(frozen=True)
class Trace:
    """How far an image gets: a `Row` a copy of a block, and the block that breaks, if one does.

    `end` is the shape (C, H, W) that leaves the last row, or enters the block that breaks; `cause`
    is why it breaks.
    """

    rows: tuple[Row, ...]
    end: Shape
    broken: Block | None = None
    cause: SpecError | None = None

    @property
    def error(self) -> str:
        """A sentence for the reader; empty where nothing breaks."""
        return f"Block {self.broken.name} breaks. {self.cause}" if self.broken else ""

    def of(self, block: str) -> tuple[Row, ...]:
        """The rows of a block and its copies."""
        return tuple(r for r in self.rows if block in (r.name, r.name.rpartition(".")[0]))


def trace(network: Network, image: int | tuple[int, ...] | None = None) -> Trace:
    """Send an image (its side, (C, H, W), or the network's own size) through the blocks, up to one
    that breaks. Raises `SpecError` for what is no network or no image."""
    check_network(network)
    return _trace(network.blocks, input_shape(network, image))


def _trace(blocks: tuple[Block, ...], shape: Shape) -> Trace:
    rows: list[Row] = []
    field, jump = (1, 1), (1, 1)
    for block in blocks:
        for i in range(1, block.repeat + 1):
            try:
                output, cost = _cost(block.node, shape)
            except SpecError as error:
                return Trace(tuple(rows), shape, block, error)
            name = block.name if block.repeat == 1 else f"{block.name}.{i}"
            field = _further(field, jump, cost.reach)
            jump = (jump[0] * cost.jump[0], jump[1] * cost.jump[1])
            rows.append(Row(name, block.node, shape, output, cost.params, cost.macs, field, jump))
            shape = output
    return Trace(tuple(rows), shape)


def _rows(blocks: tuple[Block, ...], shape: Shape) -> tuple[Row, ...]:
    """A row a copy of a block. Raises where one breaks, naming it."""
    found = _trace(blocks, shape)
    if found.broken is None or found.cause is None:
        return found.rows
    if not isinstance(found.cause, SizeError):
        raise found.cause
    copy = len(found.of(found.broken.name)) + 1
    name = found.broken.name if found.broken.repeat == 1 else f"{found.broken.name}.{copy}"
    words = " the map vanishes" if isinstance(found.cause, VanishedError) else ""
    raise type(found.cause)(f"In block {name}{words}: {found.cause}")


@lru_cache(maxsize=256)
def smallest_image(network: Network) -> int:
    """The smallest side of a square image, in pixels, that passes every block of the network (75
    for Inception-v4). Raises `SpecError` where there is none."""
    check_network(network)
    for side in range(1, 1025):
        found = _trace(network.blocks, (network.channels, side, side))
        if found.cause is None:
            return side
        if not isinstance(found.cause, SizeError):
            raise found.cause
    raise SizeError(f"{network.name} cannot take any square image of up to 1024 pixels.")
