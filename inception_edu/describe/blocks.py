"""A network as data: named, repeated blocks in order, and a classifier. No torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from inception_edu._numbers import is_whole
from inception_edu.describe.errors import strange
from inception_edu.describe.parts import children, map_nodes
from inception_edu.describe.spec import Node, Shape, SpecError


@dataclass(frozen=True)
class Classifier:
    """The linear layer after the pooling, from a vector a of channels to a number a class.

    What experiments change: `gain` multiplies its initial weights. `rate` lets it learn at that
    share of the ordinary rate: z = W (√rate · a) + b with W larger by 1/√rate, so that it starts
    as it would, and a step of SGD moves z by the effect of W only `rate` times as far. `centre`
    takes the batch's mean away from a first: "batch", or "held": then no gradient passes through
    the mean. Outside training it is a running mean.
    """

    gain: float = 1.0
    rate: float = 1.0
    centre: str = ""


@dataclass(frozen=True)
class Block:
    """`repeat` copies of one description. `stage` is A, B or C (2 to 5 for ResNet) for the blocks
    that a network repeats, and empty for stems, reductions and the like; `output` is the shape (C,
    H, W) the paper prints."""

    name: str
    node: Node
    repeat: int = 1
    stage: str = ""
    output: Shape | None = None

    def __post_init__(self) -> None:
        children(self.node)  # raises for what is no description
        if not is_whole(self.repeat) or self.repeat < 0:
            wanted = "a whole number of at least 0"
            raise SpecError(f"Block {self.name}: repeat is {wanted}, got {self.repeat!r}.")


@dataclass(frozen=True)
class Head:
    """An auxiliary classifier, used in training alone: it reads what leaves the block `after`,
    sends it through `node`, drops the share `dropout` and classifies the rest linearly. Its loss is
    added with `weight` (GoogLeNet: 0.3, arXiv 1409.4842, Section 5).
    """

    name: str
    after: str
    node: Node
    dropout: float = 0.0
    weight: float = 0.3


@dataclass(frozen=True)
class Network:
    """Blocks in order, then average pooling over the whole map, dropout and a linear classifier.

    `dropout` is the share dropped (the paper keeps 0.8); `image` the side of the square input in
    pixels; `norm_eps` the constant in batch norm's denominator; `heads` are auxiliary classifiers.
    """

    name: str
    blocks: tuple[Block, ...]
    classes: int = 1000
    dropout: float = 0.2
    image: int = 299
    channels: int = 3
    norm_eps: float = 1e-3
    classifier: Classifier = Classifier()
    heads: tuple[Head, ...] = ()

    def __post_init__(self) -> None:
        wanted = f"The blocks of {self.name} are a tuple of Block(name, node)"
        given: object = self.blocks
        if isinstance(given, list):
            raise SpecError(f"{wanted}, and here is a list: write tuple(…) around it.")
        if not isinstance(self.blocks, tuple) or not all(isinstance(b, Block) for b in self.blocks):
            raise SpecError(f"{wanted}.")
        for what in ("classes", "image", "channels"):
            value = getattr(self, what)
            if not is_whole(value) or value < 1:
                raise SpecError(f"{what} should be a whole number of at least 1, got {value!r}.")
        if not isinstance(self.dropout, (int, float)) or not 0 <= self.dropout <= 1:
            raise SpecError(f"dropout is the share dropped, 0 to 1; got {self.dropout!r}.")

    @property
    def input(self) -> Shape:
        """(C, H, W) of the image for which the network is described."""
        return (self.channels, self.image, self.image)

    def __getitem__(self, name: str) -> Block:
        for block in self.blocks:
            if block.name == name:
                return block
        raise KeyError(
            f"{self.name} has no block {name!r}; it has {', '.join(b.name for b in self.blocks)}."
        )

    def __repr__(self) -> str:
        rows = "".join(f"\n  {b.repeat:>2} × {b.name}: {_first_line(b.node)}" for b in self.blocks)
        return (
            f"Network {self.name}, {self.image}×{self.image}×{self.channels} in, "
            f"{self.classes} classes, dropout {self.dropout:g}:{rows}"
        )

    def map(self, change: Callable[[Node], Node]) -> Network:
        """The same network with `change(node)` in the place of every node of its blocks, innermost
        first."""
        blocks = (replace(block, node=map_nodes(change, block.node)) for block in self.blocks)
        return replace(self, blocks=tuple(blocks))


def check_network(value: object) -> None:
    """Raises `SpecError` for what is no network."""
    if not isinstance(value, Network):
        wanted = 'is asked for, such as inception_v4() or network("inception_v4")'
        raise SpecError(strange(value, "A network", wanted))


def _first_line(node: Node) -> str:
    figure, name = getattr(node, "figure", ""), getattr(node, "name", "")
    return " ".join(filter(None, [figure, name])) or repr(node)
