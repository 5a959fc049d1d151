"""How the field of one output value grows, layer by layer, back to the input. No torch.

A value of the output is a sum over windows, each of whose values is a sum over windows again. Walk
back from one value and count, for every pixel of every map on the way, on how many *paths* it
reaches that value: a path picks one pixel of a window at every layer. The pixels with at least one
path are the field; how the paths spread is the field's shape. Where windows of several pixels
follow each other, the middle lies on more paths than the edge: that is the bell of an effective
receptive field (Luo et al. 2016, arXiv 1701.04128), before any weight is known.

Channels are not counted: one path is one way through the places of the maps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from inception_edu.describe.blocks import Network
from inception_edu.describe.flow import out_shape
from inception_edu.describe.measure import input_shape, measure
from inception_edu.describe.parts import children
from inception_edu.describe.spec import (
    Chain,
    Concat,
    Conv,
    Node,
    Pool,
    Shape,
    SpecError,
)


@dataclass(frozen=True, eq=False)
class Frame:
    """One map on the way back, and the field in it.

    name     what reads this map next ("3×3 Conv"), or "the output"
    counts   H×W: paths from each pixel to the chosen output value, rounded beyond 2^53
    reach    (height, width) of the field if the map had no border: what `measure` calls the
             receptive field
    """

    name: str
    counts: np.ndarray
    reach: tuple[int, int]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the map."""
        return self.counts.shape

    @property
    def box(self) -> tuple[int, int, int, int]:
        """(top, left, bottom, right) of the field inside the map; bottom and right are the first
        outside."""
        rows, columns = np.nonzero(self.counts.any(1))[0], np.nonzero(self.counts.any(0))[0]
        return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1

    @property
    def seen(self) -> tuple[int, int]:
        """(height, width) of the field inside the map."""
        top, left, bottom, right = self.box
        return bottom - top, right - left

    @property
    def paths(self) -> float:
        """All paths from this map to the chosen value; those from padding's zeros are none."""
        return float(self.counts.sum())

    def core(self, share: float = 0.5) -> tuple[int, int]:
        """(rows, columns): the fewest neighbouring rows that hold this share of the paths, and the
        fewest columns."""
        return _shortest(self.counts.sum(1), share), _shortest(self.counts.sum(0), share)


def grow(
    what: Node | Network,
    shape: Shape | int | None = None,
    place: tuple[int, int] | None = None,
) -> tuple[Frame, ...]:
    """The field of the output at `place` (row, column; the middle by default), from the output back
    to the input.

    `shape` is the input (C, H, W) of a node, or the side of a network's image. There is a frame
    before each step of a chain and before each block of a network. Raises `SpecError` where the
    description does not fit, or the place lies outside the output.
    """
    if isinstance(what, Network):
        shape = input_shape(what, shape)
    if not (isinstance(shape, tuple) and len(shape) == 3):
        raise SpecError(
            "A block needs the shape (channels, height, width) of its input, "
            "for example grow(InceptionA(), (384, 35, 35))."
        )
    steps = []
    for name, node in _steps(what):
        output = out_shape(node, shape)
        steps.append((name, node, shape))
        shape = output
    height, width = shape[1:]
    row, column = (height // 2, width // 2) if place is None else place
    if not (0 <= row < height and 0 <= column < width):
        raise SpecError(
            f"The output is {height}×{width}; there is no place in row {row}, column {column} "
            "(counted from 0)."
        )
    counts = np.zeros((height, width))
    counts[row, column] = 1
    frames = [Frame("the output", counts, (1, 1))]
    for name, node, entering in reversed(steps):
        counts = _back(node, counts, entering)
        frames.append(Frame(name, counts, _reach(node, entering, frames[-1].reach)))
    return tuple(frames)


def _steps(what: Node | Network) -> Iterator[tuple[str, Node]]:
    """What is walked through one by one: the parts of chains, the blocks of a network."""
    if isinstance(what, Network):
        for block in what.blocks:
            if isinstance(block.node, Chain):
                yield from _steps(block.node)
                continue
            for i in range(1, block.repeat + 1):
                yield (block.name if block.repeat == 1 else f"{block.name}.{i}"), block.node
    elif isinstance(what, Chain):
        for part in what.parts:
            yield from _steps(part)
    else:
        yield _name(what), what


def _name(node: Node) -> str:
    if isinstance(node, Pool) and node.kind == "local":
        return "LocalNorm"
    if isinstance(node, (Conv, Pool)):
        kernel = f"{node.kernel[0]}×{node.kernel[1]}"
        kind = "Conv" if isinstance(node, Conv) else {"max": "MaxPool", "avg": "AvgPool"}[node.kind]
        stride = f" /{node.stride}" if node.stride > 1 else ""
        return f"{kernel} {kind}{stride}{' V' if node.padding == 'valid' else ''}"
    if node.name:
        return node.name
    if isinstance(node, Concat):
        return f"{len(node.branches)} branches"
    return "a residual block"


def _reach(node: Node, shape: Shape, after: tuple[int, int]) -> tuple[int, int]:
    """The borderless field before a node, from the one after it."""
    row = measure(node, shape).rows[0]
    sides = zip(after, row.stride, row.receptive_field)
    height, width = ((a - 1) * s + f for a, s, f in sides)
    return height, width


def _back(node: Node, counts: np.ndarray, shape: Shape) -> np.ndarray:
    """Paths at the input (C, H, W) of a node, from the paths at its output."""
    if isinstance(node, (Conv, Pool)):
        for axis in (0, 1):
            kernel, size = node.kernel[axis], shape[1 + axis]
            padding = (kernel - 1) // 2 if node.padding == "same" else 0
            counts = _slide_back(counts, axis, size, kernel, node.stride, padding)
        return counts
    parts = [part for _, part in children(node)]
    if isinstance(node, Chain):
        shapes = [shape]
        for part in parts:
            shapes.append(out_shape(part, shapes[-1]))
        for part, entering in zip(reversed(parts), reversed(shapes[:-1])):
            counts = _back(part, counts, entering)
        return counts
    ways = [_back(part, counts, shape) for part in parts]
    if not isinstance(node, Concat) and node.shortcut is None:
        ways.append(counts)  # the identity
    return np.sum(ways, axis=0)


def _slide_back(
    counts: np.ndarray, axis: int, size: int, kernel: int, stride: int, padding: int
) -> np.ndarray:
    """Along one axis: every place hands its paths to each pixel of its window; padding keeps its
    own."""
    counts = np.moveaxis(counts, axis, 0)
    places = len(counts)
    length = max(size + 2 * padding, (places - 1) * stride + kernel)
    pixels = np.zeros((length, *counts.shape[1:]))
    for offset in range(kernel):
        pixels[offset : offset + (places - 1) * stride + 1 : stride] += counts
    return np.moveaxis(pixels[padding : padding + size], 0, axis)


def _shortest(profile: np.ndarray, share: float) -> int:
    """The length of the shortest stretch that holds this share of a profile."""
    wanted = share * profile.sum() * (1 - 1e-12)
    until = np.concatenate([[0.0], np.cumsum(profile)])
    ends = np.searchsorted(until, until[:-1] + wanted)  # the first end that is far enough
    lengths = ends - np.arange(len(profile))
    return int(lengths[ends < len(until)].min())


def number_words(count: float) -> str:
    """A count of paths: exact as long as it is, then in powers of ten."""
    if count < 2**53 and count < 1e12:
        return f"{int(count):,}"
    power = int(np.floor(np.log10(count)))
    raised = str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{count / 10**power:.1f}·10{raised}"
