"""The alphabet in which every figure of the paper is written. No torch.

Five kinds of node are enough: `Conv`, `Pool`, `Chain` (one after the other), `Concat` (side by
side, then joined along the channels) and `Residual` (added to the identity). Each is a frozen
dataclass, so a description is plain data: it can be compared, hashed, printed as the Python that
makes it, measured, drawn and built, and all of these read the same object.

A shape is a tuple (C, H, W): channels, height, width of one image. Shapes flow through a
description with `walk` and `out_shape`; where two numbers do not fit, the error names the figure,
the branch and both numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Shape = tuple[int, int, int]


class SpecError(ValueError):
    """A description that cannot be right. The message is a sentence for the reader."""


class ChannelError(SpecError):
    """Two channel counts that must be equal are not."""


class SizeError(SpecError):
    """Two map sizes that must be equal are not, or a map has become smaller than the kernel on
    it."""


def _pair(kernel, what: str) -> tuple[int, int]:
    pair = (kernel, kernel) if isinstance(kernel, int) else tuple(kernel)
    if len(pair) != 2 or not all(isinstance(k, int) and k >= 1 for k in pair):
        raise SpecError(
            f"{what}: the kernel must be one whole number or (height, width), got {kernel!r}."
        )
    return pair


def _check_window(node, what: str) -> None:
    object.__setattr__(node, "kernel", _pair(node.kernel, what))
    if not (isinstance(node.stride, int) and node.stride >= 1):
        raise SpecError(
            f"{what}: the stride must be a whole number of at least 1, got {node.stride!r}."
        )
    if node.padding not in ("same", "valid"):
        raise SpecError(
            f"{what}: padding is 'same' or 'valid' (V in the figures), got {node.padding!r}."
        )
    if node.padding == "same" and not all(k % 2 for k in node.kernel):
        raise SpecError(
            f"{what}: 'same' padding needs odd kernels, got {node.kernel[0]}×{node.kernel[1]}."
        )


@dataclass(frozen=True, repr=False)
class Conv:
    """A convolution with `out` filters, then batch norm and ReLU, as every unmarked conv of the
    paper.

    `kernel` is one number or (height, width). `padding="valid"` is the figures' V. Without `norm`
    the convolution has a bias; `Linear` is the 1×1 without norm and ReLU that ends each residual
    branch.
    """

    out: int
    kernel: tuple[int, int]
    stride: int = 1
    padding: str = "same"
    norm: bool = True
    relu: bool = True

    def __post_init__(self):
        if not (isinstance(self.out, int) and self.out >= 1):
            raise SpecError(f"A convolution needs at least one filter, got {self.out!r}.")
        _check_window(self, f"Conv({self.out}, …)")

    def __repr__(self):
        if (self.kernel, self.norm, self.relu) == ((1, 1), False, False):
            return f"Linear({self.out}{_window_words(self)})"
        flags = "".join(f", {f}=False" for f in ("norm", "relu") if not getattr(self, f))
        return f"Conv({self.out}, {_kernel_words(self.kernel)}{_window_words(self)}{flags})"


@dataclass(frozen=True, repr=False)
class Pool:
    """Max or average pooling. `count_padding`: whether padded zeros count in an average (the paper:
    no)."""

    kind: str
    kernel: tuple[int, int]
    stride: int = 1
    padding: str = "same"
    count_padding: bool = False

    def __post_init__(self):
        if self.kind not in ("max", "avg"):
            raise SpecError(f"A pool is of kind 'max' or 'avg', got {self.kind!r}.")
        if self.kind == "max" and self.count_padding:
            raise SpecError(
                "Only average pooling can count padded zeros; leave count_padding out of a max pool."
            )
        _check_window(self, f"Pool({self.kind!r}, …)")

    def __repr__(self):
        flag = ", count_padding=True" if self.count_padding else ""
        return (
            f"{self.kind.capitalize()}Pool({_kernel_words(self.kernel)}{_window_words(self)}{flag})"
        )


@dataclass(frozen=True, repr=False, init=False)
class Chain:
    """Parts one after the other. An empty chain passes its input on (the identity)."""

    parts: tuple[Node, ...]
    name: str
    figure: str

    def __init__(self, *parts: Node, name: str = "", figure: str = ""):
        _fill(self, parts=parts, name=name, figure=figure)

    def __repr__(self):
        return _nested("Chain", self.parts, name=self.name, figure=self.figure)


@dataclass(frozen=True, repr=False, init=False)
class Concat:
    """Branches side by side on the same input, joined along the channels in the order given.

    `out` is the sum that the figure prints, where it prints one: it is checked against the
    branches.
    """

    branches: tuple[Node, ...]
    out: int | None
    name: str
    figure: str

    def __init__(self, *branches: Node, out: int | None = None, name: str = "", figure: str = ""):
        if not branches:
            raise SpecError("A concatenation needs at least one branch.")
        _fill(self, branches=branches, out=out, name=name, figure=figure)

    def __repr__(self):
        return _nested("Concat", self.branches, out=self.out, name=self.name, figure=self.figure)


@dataclass(frozen=True, repr=False)
class Residual:
    """relu(shortcut(x) + scale · body(x)): Figs. 10 to 20. `shortcut=None` is the identity.

    `learnable` makes the scale a parameter of the network that starts at `scale`.
    """

    body: Node
    scale: float = 1.0
    relu: bool = True
    shortcut: Node | None = None
    learnable: bool = False
    name: str = ""
    figure: str = ""

    def __repr__(self):
        extra = {
            "scale": self.scale if self.scale != 1.0 else None,
            "relu": None if self.relu else False,
            "shortcut": self.shortcut,
            "learnable": self.learnable or None,
            "name": self.name,
            "figure": self.figure,
        }
        return _nested("Residual", (self.body,), **extra)


Node = Conv | Pool | Chain | Concat | Residual


def Linear(out: int, stride: int = 1, padding: str = "same") -> Conv:
    """The 1×1 "Linear" convolution of Figs. 10 to 19: bias, no batch norm, no ReLU."""
    return Conv(out, 1, stride, padding, norm=False, relu=False)


def MaxPool(kernel=3, stride: int = 1, padding: str = "same") -> Pool:
    """Max pooling; the reductions use `MaxPool(3, 2, "valid")`."""
    return Pool("max", kernel, stride, padding)


def AvgPool(kernel=3, stride: int = 1, padding: str = "same", count_padding: bool = False) -> Pool:
    """Average pooling; inside the paper's blocks 3×3 with stride 1, padded zeros not counted."""
    return Pool("avg", kernel, stride, padding, count_padding)


def children(node: Node) -> tuple[tuple[str, Node], ...]:
    """The parts of a node with the word that names each in an error, in the order of the figure."""
    if isinstance(node, Chain):
        return tuple((f"step {i}", part) for i, part in enumerate(node.parts, 1))
    if isinstance(node, Concat):
        return tuple((f"branch {i}", branch) for i, branch in enumerate(node.branches, 1))
    if isinstance(node, Residual):
        shortcut = () if node.shortcut is None else (("shortcut", node.shortcut),)
        return (("residual branch", node.body), *shortcut)
    if isinstance(node, (Conv, Pool)):
        return ()
    raise SpecError(
        f"A description is made of Conv, Pool, Chain, Concat and Residual, got {node!r}."
    )


@dataclass(frozen=True)
class Step:
    """One node of a walk: where it is, what goes in and what comes out, both as (C, H, W)."""

    path: tuple[str, ...]
    node: Node
    input: Shape
    output: Shape


def walk(node: Node, shape: Shape, path: tuple[str, ...] = ()) -> Iterator[Step]:
    """Every node below and including `node`, in the order in which data flows; the last step is
    `node` itself.

    Raises `ChannelError` or `SizeError` where the numbers do not fit, naming figure, branch and
    both numbers.
    """
    parts = children(node)
    path += tuple(filter(None, [" ".join(filter(None, [node.figure, node.name]))])) if parts else ()
    outputs = []
    for word, part in parts:
        # Only a chain hands the last output on; branches and shortcuts all start from the block's
        # input.
        start = outputs[-1] if isinstance(node, Chain) and outputs else shape
        for step in walk(part, start, (*path, word)):
            yield step
        outputs.append(step.output)
    yield Step(
        path, node, shape, joined(node, shape, outputs, ", ".join(path) or "The description")
    )


def out_shape(node: Node, shape: Shape) -> Shape:
    """The shape (C, H, W) that comes out of `node` when `shape` goes in. Raises as `walk` does."""
    *_, last = walk(node, shape)
    return last.output


def joined(node: Node, shape: Shape, outputs: list[Shape], where: str) -> Shape:
    """What leaves `node` when `shape` enters and its parts give `outputs`; `where` begins the
    sentence of an error."""
    if isinstance(node, (Conv, Pool)):
        height, width = (
            slide(n, k, node.stride, node.padding) for n, k in zip(shape[1:], node.kernel)
        )
        if height < 1 or width < 1:
            raise SizeError(f"{where}: the map is {_size(shape)} there, too small for {node!r}.")
        return (node.out if isinstance(node, Conv) else shape[0], height, width)
    if isinstance(node, Chain):
        return outputs[-1] if outputs else shape
    if isinstance(node, Concat):
        for i, out in enumerate(outputs, 1):
            if out[1:] != outputs[0][1:]:
                raise SizeError(
                    f"{where}: branch 1 gives {_size(outputs[0])} and branch {i} gives {_size(out)}; a "
                    "concatenation needs maps of one size. Compare the paddings and strides of the two."
                )
        channels = [out[0] for out in outputs]
        if node.out is not None and sum(channels) != node.out:
            terms = " + ".join(f"{c} (branch {i})" for i, c in enumerate(channels, 1))
            raise ChannelError(
                f"{where}: the branches give {terms} = {sum(channels)} channels, "
                f"but the figure says {node.out}."
            )
        return (sum(channels), *outputs[0][1:])
    body, identity = outputs[0], outputs[1] if node.shortcut is not None else shape
    carrier = "identity" if node.shortcut is None else "shortcut"
    if body[0] != identity[0]:
        raise ChannelError(
            f"{where}: the residual branch ends with {body[0]} channels, but the {carrier} it is added "
            f"to carries {identity[0]}; an addition needs equal numbers."
        )
    if body[1:] != identity[1:]:
        raise SizeError(
            f"{where}: the residual branch gives {_size(body)}, but the {carrier} it is added to is "
            f"{_size(identity)}; an addition needs maps of one size."
        )
    return body


def slide(size: int, kernel: int, stride: int, padding: str) -> int:
    """Outputs along one axis: ⌈size / stride⌉ for "same", ⌊(size − kernel) / stride⌋ + 1 for
    "valid"."""
    return -(-size // stride) if padding == "same" else (size - kernel) // stride + 1


def _size(shape: Shape) -> str:
    return f"{shape[1]}×{shape[2]}"


def _fill(node, **values) -> None:
    for key, value in values.items():
        object.__setattr__(node, key, value)


def _kernel_words(kernel: tuple[int, int]) -> str:
    return str(kernel[0]) if kernel[0] == kernel[1] else str(kernel)


def _window_words(node) -> str:
    stride = f", stride={node.stride}" if node.stride != 1 else ""
    return stride + (', padding="valid"' if node.padding == "valid" else "")


def _nested(kind: str, parts: tuple, **extra) -> str:
    """The Python that makes a node, short parts on one line, long ones indented."""
    words = [repr(p) for p in parts] + [
        f"{k}={v!r}" for k, v in extra.items() if v not in (None, "")
    ]
    line = f"{kind}({', '.join(words)})"
    if len(line) <= 88 and "\n" not in line:
        return line
    return f"{kind}(\n" + "".join("    " + w.replace("\n", "\n    ") + ",\n" for w in words) + ")"
