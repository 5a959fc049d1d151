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

from inception_edu.describe.networks import Block, Network
from inception_edu.describe.spec import (
    Chain,
    Concat,
    Conv,
    Node,
    Pool,
    Residual,
    Shape,
    SizeError,
    SpecError,
    out_shape,
)


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
        return sum(row.params for row in self.rows)

    @property
    def macs(self) -> int:
        return sum(row.macs for row in self.rows)

    @property
    def output(self) -> Shape:
        """The last feature map (C, H, W), before pooling."""
        maps = [row for row in self.rows if row.name != "classifier"]
        return maps[-1].output if maps else self.input

    @property
    def receptive_field(self) -> tuple[int, int]:
        maps = [row for row in self.rows if row.name != "classifier"]
        return maps[-1].receptive_field if maps else (1, 1)

    def __str__(self):
        head = f"{self.name}, input {_words(self.input)}"
        lines = [
            f"{'block':<28}{'output C×H×W':<16}{'parameters':>12}{'multiply-adds':>16}{'sees':>10}"
        ]
        for row in self.rows:
            sees = (
                ""
                if row.name == "classifier"
                else f"{row.receptive_field[0]}×{row.receptive_field[1]}"
            )
            lines.append(
                f"{row.name:<28}{_words(row.output):<16}{row.params:>12,}{row.macs:>16,}{sees:>10}"
            )
        lines.append(f"{'together':<44}{self.params:>12,}{self.macs:>16,}")
        return "\n".join([head, *lines])

    __repr__ = __str__


def _words(shape: Shape) -> str:
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
def _cost(node: Node, shape: Shape) -> _Cost:
    if isinstance(node, Conv):
        _, height, width = out_shape(node, shape)
        weights = shape[0] * node.out * node.kernel[0] * node.kernel[1]
        norm = 2 * node.out if node.norm else 0
        bias = 0 if node.norm else node.out
        reach, jump = _window(node)
        return _Cost(weights + bias + norm, (weights + bias) * height * width + norm, reach, jump)
    if isinstance(node, Pool):
        return _Cost(0, 0, *_window(node))
    if isinstance(node, Chain):
        params = macs = 0
        reach, jump = (0, 0), (1, 1)
        for part in node.parts:
            cost = _cost(part, shape)
            params, macs = params + cost.params, macs + cost.macs
            reach = tuple(r + j * c for r, j, c in zip(reach, jump, cost.reach))
            jump = tuple(j * c for j, c in zip(jump, cost.jump))
            shape = out_shape(part, shape)
        return _Cost(params, macs, reach, jump)
    if isinstance(node, Concat):
        parts = node.branches
    else:
        parts = (node.body, Chain() if node.shortcut is None else node.shortcut)
    costs = [_cost(part, shape) for part in parts]
    learnt = 1 if isinstance(node, Residual) and node.learnable else 0
    reach = tuple(max(c.reach[axis] for c in costs) for axis in (0, 1))
    return _Cost(
        sum(c.params for c in costs) + learnt, sum(c.macs for c in costs), reach, costs[0].jump
    )


def _window(node) -> tuple[tuple[int, int], tuple[int, int]]:
    return tuple(k - 1 for k in node.kernel), (node.stride, node.stride)


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
        raise SizeError(
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
    network's own size."""
    if image is None:
        return network.input
    if isinstance(image, int):
        image = (image, image)
    if len(image) == 3 and image[0] != network.channels:
        raise SpecError(
            f"{network.name} takes images of {network.channels} channels, got {image[0]}."
        )
    if min(image) < 1:
        raise SpecError(f"An image needs at least one pixel a side, got {_words(image)}.")
    return (network.channels, *image[-2:])


def _rows(blocks: tuple[Block, ...], shape: Shape) -> tuple[Row, ...]:
    rows = []
    field, jump = (1, 1), (1, 1)
    for block in blocks:
        for i in range(1, block.repeat + 1):
            name = block.name if block.repeat == 1 else f"{block.name}.{i}"
            try:
                output = _output(block.node, shape)
            except SizeError as error:
                raise SizeError(
                    f"In block {name} the map vanishes: {error}"
                    if "too small" in str(error)
                    else f"In block {name}: {error}"
                ) from None
            cost = _cost(block.node, shape)
            field = tuple(r + j * c for r, j, c in zip(field, jump, cost.reach))
            jump = tuple(j * c for j, c in zip(jump, cost.jump))
            rows.append(Row(name, block.node, shape, output, cost.params, cost.macs, field, jump))
            shape = output
    return tuple(rows)


@lru_cache(maxsize=20_000)
def _output(node: Node, shape: Shape) -> Shape:
    return out_shape(node, shape)


@lru_cache(maxsize=256)
def smallest_image(network: Network) -> int:
    """The smallest side of a square image, in pixels, that passes every block of the network (75
    for Inception-v4)."""
    for side in range(1, 1025):
        try:
            _rows(network.blocks, (network.channels, side, side))
            return side
        except SizeError:
            continue
    raise SizeError(f"{network.name} cannot take any square image of up to 1024 pixels.")
