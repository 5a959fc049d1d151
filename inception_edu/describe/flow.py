"""Shapes flow through a description: one walk for measuring, drawing, building and errors. No
torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from inception_edu._numbers import is_whole
from inception_edu.describe.parts import Path, children
from inception_edu.describe.spec import (
    Chain,
    ChannelError,
    Concat,
    Conv,
    Node,
    Pool,
    Residual,
    Shape,
    SizeError,
    SpecError,
    VanishedError,
)


@dataclass(frozen=True)
class Step:
    """One node of a walk: its address, what goes in and what comes out, both as (C, H, W).

    `where` begins the sentence of an error: the figure, its name and the words of the address.
    `error` is what does not fit there, if the walk was asked to go on; `output` is then what the
    figure would need, or None where nothing can follow.
    """

    path: Path
    where: str
    node: Node
    input: Shape | None
    output: Shape | None
    error: SpecError | None = None


def walk(node: Node, shape: Shape | None, *, go_on: bool = False) -> Iterator[Step]:
    """Every node below and including `node`, in the order in which data flows; the last step is
    `node` itself.

    Raises `ChannelError`, `SizeError` or `VanishedError` where the numbers do not fit, naming
    figure, branch and both numbers. With `go_on` the error stands in its step and the walk goes on
    with what the figure would need; then `shape` may be None, where no shape is known.
    """
    yield from _walk(node, shape, (), (), go_on)


def _walk(node: Node, shape: Shape | None, path: Path, where: Path, go_on: bool) -> Iterator[Step]:
    parts = children(node)
    if not isinstance(node, (Conv, Pool)) and (title := f"{node.figure} {node.name}".strip()):
        where = (*where, title)
    outputs: list[Shape | None] = []
    for word, part in parts:
        # Only a chain hands the last output on; branches and shortcuts all start from the block's
        # input.
        start = outputs[-1] if isinstance(node, Chain) and outputs else shape
        step = None
        for step in _walk(part, start, (*path, word), (*where, word), go_on):
            yield step
        assert step is not None
        outputs.append(step.output)
    words = ", ".join(where) or "The description"
    known = [out for out in outputs if out is not None]
    if shape is None or len(known) < len(outputs):
        yield Step(path, words, node, shape, None)
        return
    try:
        output: Shape | None = joined(node, shape, known, words)
        error = None
    except SpecError as found:
        if not go_on:
            raise
        output, error = _needed(node, shape, known), found
    yield Step(path, words, node, shape, output, error)


def _needed(node: Node, shape: Shape, outputs: list[Shape]) -> Shape | None:
    """With what a walk goes on after an error: what the figure would need there."""
    if isinstance(node, Concat):
        sizes = [out[1:] for out in outputs]
        usual = max(sizes, key=sizes.count)
        return (sum(out[0] for out in outputs), *usual)
    if isinstance(node, Residual):
        return outputs[1] if node.shortcut is not None else shape
    return None  # the map has vanished


def out_shape(node: Node, shape: Shape) -> Shape:
    """The shape (C, H, W) that comes out of `node` when `shape` goes in. Raises as `walk` does, and
    `SpecError` for what is no shape."""
    if not (
        isinstance(shape, (tuple, list))
        and len(shape) == 3
        and all(is_whole(side) and side > 0 for side in shape)
    ):
        raise SpecError(
            f"A shape is (channels, height, width), whole numbers of at least 1; got {shape!r}."
        )
    *_, last = walk(node, shape)
    assert last.output is not None
    return last.output


def out_channels(node: Node, channels: int) -> int:
    """Channels that leave `node` when `channels` enter, whatever the map's size.

    Raises `ChannelError` where they do not add up.
    """
    return _channels(node, channels, ())


def _channels(node: Node, channels: int, where: Path) -> int:
    if not isinstance(node, (Conv, Pool)) and (title := f"{node.figure} {node.name}".strip()):
        where = (*where, title)
    outputs: list[int] = []
    for word, part in children(node):
        start = outputs[-1] if isinstance(node, Chain) and outputs else channels
        outputs.append(_channels(part, start, (*where, word)))
    return _joined_channels(node, channels, outputs, ", ".join(where) or "The description")


def joined(node: Node, shape: Shape, outputs: list[Shape], where: str) -> Shape:
    """What leaves `node` when `shape` enters and its parts give `outputs`; `where` begins the
    sentence of an error."""
    height, width = _joined_size(node, shape, outputs, where)
    return _joined_channels(node, shape[0], [out[0] for out in outputs], where), height, width


def _joined_channels(node: Node, channels: int, outputs: list[int], where: str) -> int:
    if isinstance(node, Conv):
        if channels % node.groups:
            raise ChannelError(
                f"{where}: {channels} channels do not fall into {node.groups} equal groups.",
                f"{channels} in {node.groups} groups",
            )
        return node.out
    if isinstance(node, Pool):
        return channels
    if isinstance(node, Chain):
        return outputs[-1] if outputs else channels
    if isinstance(node, Concat):
        total = sum(outputs)
        if node.out is not None and total != node.out:
            terms = " + ".join(f"{c} (branch {i})" for i, c in enumerate(outputs, 1))
            raise ChannelError(
                f"{where}: the branches give {terms} = {total} channels, "
                f"but the figure says {node.out}.",
                f"{total} ≠ {node.out}",
            )
        return total
    body, carried = outputs[0], outputs[1] if node.shortcut is not None else channels
    if body != carried:
        raise ChannelError(
            f"{where}: the residual branch ends with {body} channels, but the {_carrier(node)} it "
            f"is added to carries {carried}; an addition needs equal numbers.",
            f"{body} ≠ {carried}",
        )
    return body


def _joined_size(node: Node, shape: Shape, outputs: list[Shape], where: str) -> tuple[int, int]:
    if isinstance(node, (Conv, Pool)):
        height, width = (
            slide(n, k, node.stride, node.padding) for n, k in zip(shape[1:], node.kernel)
        )
        if height < 1 or width < 1:
            raise VanishedError(
                f"{where}: the map is {_size(shape)} there, too small for {node!r}.",
                f"{_size(shape)} is too small",
            )
        return height, width
    if isinstance(node, Chain):
        return (outputs[-1] if outputs else shape)[1:]
    if isinstance(node, Concat):
        _check_sizes(outputs, where)
        return outputs[0][1:]
    body, carried = outputs[0], outputs[1] if node.shortcut is not None else shape
    # Channels are spoken of first: _joined_channels raises for them.
    if body[0] == carried[0] and body[1:] != carried[1:]:
        raise SizeError(
            f"{where}: the residual branch gives {_size(body)}, but the {_carrier(node)} it is "
            f"added to is {_size(carried)}; an addition needs maps of one size.",
            f"{_size(body)} ≠ {_size(carried)}",
        )
    return body[1:]


def _check_sizes(outputs: list[Shape], where: str) -> None:
    """Raises where the branches of a concatenation give maps of more than one size."""
    sizes = [_size(out) for out in outputs]
    if len(set(sizes)) == 1:
        return
    other = next(i for i, size in enumerate(sizes) if size != sizes[0])
    usual = max(sizes, key=sizes.count)
    raise SizeError(
        f"{where}: branch 1 gives {sizes[0]} and branch {other + 1} gives {sizes[other]}; a "
        "concatenation needs maps of one size. Compare the paddings and strides of the two.",
        " ≠ ".join(dict.fromkeys(sizes)),
        tuple(i for i, size in enumerate(sizes) if size != usual),
    )


def _carrier(node: Residual) -> str:
    return "identity" if node.shortcut is None else "shortcut"


def slide(size: int, kernel: int, stride: int, padding: str) -> int:
    """Outputs along one axis: ⌈size / stride⌉ for "same", ⌊(size − kernel) / stride⌋ + 1 for
    "valid", ⌈(size − kernel) / stride⌉ + 1 for "ceil"."""
    if padding == "same":
        return -(-size // stride)
    if padding == "ceil":
        return -((kernel - size) // stride) + 1
    return (size - kernel) // stride + 1


def _size(shape: Shape) -> str:
    return f"{shape[1]}×{shape[2]}"


def narrowest(node: Node, shape: Shape) -> int:
    """The fewest numbers that carry the image at any place from the input's end to the output.

    Branches side by side carry it together. Of a `Residual` the identity carries everything.
    """
    if isinstance(node, Concat):
        return sum(narrowest(branch, shape) for branch in node.branches)
    if not isinstance(node, Chain):
        return prod(out_shape(node, shape))
    found = []
    for part in node.parts:
        found.append(narrowest(part, shape))
        shape = out_shape(part, shape)
    return min(found)
