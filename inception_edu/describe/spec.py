"""The alphabet in which every figure of the paper is written. No torch.

Five kinds of node are enough: `Conv`, `Pool`, `Chain` (one after the other), `Concat` (side by
side, then joined along the channels) and `Residual` (added to the identity). Each is a frozen
dataclass, so a description is plain data: it can be compared, hashed, printed as the Python that
makes it, measured, drawn and built, and all of these read the same object.

A shape is a tuple (C, H, W): channels, height, width of one image. `walk` sends shapes through a
description; `parts` finds and changes a description's parts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from inception_edu._lazy import TYPE_CHECKING
from inception_edu.describe.errors import ChannelError as ChannelError
from inception_edu.describe.errors import SizeError as SizeError
from inception_edu.describe.errors import SpecError as SpecError
from inception_edu.describe.errors import VanishedError as VanishedError
from inception_edu.describe.errors import check_fields, check_window, strange

if TYPE_CHECKING:
    from typing import Any, TypeAlias


Shape: TypeAlias = tuple[int, int, int]
Pair: TypeAlias = tuple[int, int]  # (height, width); the constructors take one number as well


def _check_parts(kind: str, parts: Iterable[object]) -> None:
    for part in parts:
        if part is ...:  # a gap in an exercise, of which its check speaks
            continue
        if isinstance(part, (list, tuple)):
            raise SpecError(
                f"The parts of a {kind} are given one by one, got a {type(part).__name__}: write "
                f"{kind}(first, second), or {kind}(*parts)."
            )
        if not isinstance(part, (Conv, Pool, Chain, Concat, Residual)):
            such = "is a Conv, Pool, Chain, Concat or Residual"
            raise SpecError(strange(part, f"A part of a {kind}", such))


@dataclass(frozen=True, repr=False)
class Conv:
    """A convolution with `out` filters, then batch norm and ReLU, as every unmarked conv of the
    paper.

    `kernel` is one number or (height, width). `padding="valid"` is the figures' V. Without `norm`
    the convolution has a bias; `Linear` is the 1×1 without norm and ReLU that ends each residual
    branch. `groups`: the channels are cut into so many groups and each filter reads one of them.

    What experiments change: `bias` overrides whether there is one (None: as said above);
    `centred` takes the mean weight of each filter away, so that it cannot answer to what all its
    inputs have in common; `gain` multiplies the initial weights.
    """

    out: int
    kernel: Pair
    stride: int = 1
    padding: str = "same"
    norm: bool = True
    relu: bool = True
    groups: int = 1
    bias: bool | None = None
    centred: bool = False
    gain: float = 1.0

    if TYPE_CHECKING:  # a kernel may be given as one number; it is stored as (height, width)

        def __init__(
            self,
            out: int,
            kernel: int | Pair,
            stride: int = 1,
            padding: str = "same",
            norm: bool = True,
            relu: bool = True,
            groups: int = 1,
            bias: bool | None = None,
            centred: bool = False,
            gain: float = 1.0,
        ) -> None: ...

    def __post_init__(self) -> None:
        if not (isinstance(self.out, int) and self.out >= 1):
            raise SpecError(f"A convolution needs at least one filter, got {self.out!r}.")
        what = f"Conv({self.out}, …)"
        check_window(self, what)
        check_fields(self, what, ("norm", "relu", "centred"), ("gain",))
        if not (isinstance(self.groups, int) and self.groups >= 1) or self.out % self.groups:
            raise SpecError(
                f"{what}: the filters must fall into equal groups, got groups={self.groups!r}."
            )

    @property
    def has_bias(self) -> bool:
        """Whether the convolution adds a number to each channel."""
        return not self.norm if self.bias is None else self.bias

    def __repr__(self) -> str:
        window = _window_words(self) + _flags(self, groups=1, bias=None, centred=False, gain=1.0)
        if (self.kernel, self.norm, self.relu) == ((1, 1), False, False):
            return f"Linear({self.out}{window})"
        flags = _flags(self, norm=True, relu=True)
        return f"Conv({self.out}, {_kernel_words(self.kernel)}{window}{flags})"


@dataclass(frozen=True, repr=False)
class Pool:
    """Max or average pooling. `count_padding`: whether padded zeros count in an average (the paper:
    no). `padding="ceil"`: as "valid", but a last window that reaches over the border counts too, as
    in Caffe; GoogLeNet's and BN-Inception's pools are such. Kind "local", `LocalNorm()`: local
    response normalisation over five neighbouring channels, at each place alone."""

    kind: str
    kernel: Pair
    stride: int = 1
    padding: str = "same"
    count_padding: bool = False

    if TYPE_CHECKING:

        def __init__(
            self,
            kind: str,
            kernel: int | Pair,
            stride: int = 1,
            padding: str = "same",
            count_padding: bool = False,
        ) -> None: ...

    def __post_init__(self) -> None:
        if self.kind not in ("max", "avg", "local"):
            raise SpecError(f"A pool is 'max' or 'avg', or a LocalNorm(); got {self.kind!r}.")
        if self.kind != "avg" and self.count_padding:
            raise SpecError(
                "Only average pooling can count padded zeros; "
                "leave count_padding out of a max pool."
            )
        what = f"Pool({self.kind!r}, …)"
        check_window(self, what)
        check_fields(self, what, ("count_padding",))
        if self.kind == "local" and (self.kernel, self.stride, self.padding) != ((1, 1), 1, "same"):
            raise SpecError("Local response normalisation has a 1×1 window: write LocalNorm().")

    def __repr__(self) -> str:
        if self.kind == "local":
            return "LocalNorm()"
        window = _kernel_words(self.kernel) + _window_words(self)
        flag = ", count_padding=True" if self.count_padding else ""
        return f"{self.kind.capitalize()}Pool({window}{flag})"


@dataclass(frozen=True, repr=False, init=False)
class Chain:
    """Parts one after the other. An empty chain passes its input on (the identity).

    `Chain(Conv(64, 1), Conv(96, 3))`; `parts=` takes them as one sequence. `source` is the function
    of the figure that made the node; it is not part of what is compared.
    """

    parts: tuple[Node, ...]
    name: str = ""
    figure: str = ""
    source: str = field(default="", compare=False)

    def __init__(
        self,
        *steps: Node,
        parts: Iterable[Node] = (),
        name: str = "",
        figure: str = "",
        source: str = "",
    ) -> None:
        parts = (*steps, *parts)
        _check_parts("Chain", parts)
        _fill(self, parts=parts, name=name, figure=figure, source=source)

    def __repr__(self) -> str:
        return _nested("Chain", self.parts, name=self.name, figure=self.figure)


@dataclass(frozen=True, repr=False, init=False)
class Concat:
    """Branches side by side on the same input, joined along the channels in the order given.

    `out` is the sum that the figure prints, where it prints one: it is checked against the
    branches. `Concat(Conv(64, 1), Conv(96, 3))`; `branches=` takes them as one sequence.
    """

    branches: tuple[Node, ...]
    out: int | None = None
    name: str = ""
    figure: str = ""
    source: str = field(default="", compare=False)

    def __init__(
        self,
        *beside: Node,
        branches: Iterable[Node] = (),
        out: int | None = None,
        name: str = "",
        figure: str = "",
        source: str = "",
    ) -> None:
        branches = (*beside, *branches)
        if not branches:
            raise SpecError("A concatenation needs at least one branch.")
        _check_parts("Concat", branches)
        _fill(self, branches=branches, out=out, name=name, figure=figure, source=source)

    def __repr__(self) -> str:
        return _nested("Concat", self.branches, out=self.out, name=self.name, figure=self.figure)


@dataclass(frozen=True, repr=False)
class Residual:
    """relu(shortcut(x) + scale · body(x)): Figs. 10 to 20. `shortcut=None` is the identity.

    `learnable` makes the scale a parameter of the network that starts at `scale`.

    What experiments change: `norm` puts a batch norm between the sum and the ReLU (the paper:
    none, Section 3.2); `identity_scale` multiplies the shortcut, which Fig. 20 does not.
    """

    body: Node
    scale: float = 1.0
    relu: bool = True
    shortcut: Node | None = None
    learnable: bool = False
    name: str = ""
    figure: str = ""
    norm: bool = False
    identity_scale: float = 1.0
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        shortcut = () if self.shortcut is None else (self.shortcut,)
        _check_parts("Residual", (self.body, *shortcut))
        flags, numbers = ("relu", "learnable", "norm"), ("scale", "identity_scale")
        check_fields(self, "Residual", flags, numbers)

    def __repr__(self) -> str:
        extra = {
            "scale": self.scale if self.scale != 1.0 else None,
            "relu": None if self.relu else False,
            "shortcut": self.shortcut,
            "learnable": self.learnable or None,
            "name": self.name,
            "figure": self.figure,
            "norm": self.norm or None,
            "identity_scale": self.identity_scale if self.identity_scale != 1.0 else None,
        }
        return _nested("Residual", (self.body,), **extra)


Node: TypeAlias = Conv | Pool | Chain | Concat | Residual


def Linear(out: int, stride: int = 1, padding: str = "same", **changes: Any) -> Conv:
    """The 1×1 "Linear" convolution of Figs. 10 to 19: bias, no batch norm, no ReLU.

    `changes` are further fields of `Conv`.
    """
    return Conv(out, 1, stride, padding, norm=False, relu=False, **changes)


def MaxPool(kernel: int | Pair = 3, stride: int = 1, padding: str = "same") -> Pool:
    """Max pooling; the reductions use `MaxPool(3, 2, "valid")`."""
    return Pool("max", kernel, stride, padding)


def AvgPool(
    kernel: int | Pair = 3, stride: int = 1, padding: str = "same", count_padding: bool = False
) -> Pool:
    """Average pooling; inside the paper's blocks 3×3 with stride 1, padded zeros not counted."""
    return Pool("avg", kernel, stride, padding, count_padding)


def _fill(node: Any, **values: Any) -> None:
    for key, value in values.items():
        object.__setattr__(node, key, value)


def _kernel_words(kernel: tuple[int, int]) -> str:
    return str(kernel[0]) if kernel[0] == kernel[1] else str(kernel)


def _flags(node: Conv, **defaults: object) -> str:
    """The fields that do not have their default value, as they are written in a call."""
    different = {k: v for k, d in defaults.items() if (v := getattr(node, k)) != d}
    return "".join(f", {key}={value!r}" for key, value in different.items())


def _window_words(node: Conv | Pool) -> str:
    stride = f", stride={node.stride}" if node.stride != 1 else ""
    return stride + (f', padding="{node.padding}"' if node.padding != "same" else "")


def _nested(kind: str, parts: tuple[Node, ...], **extra: object) -> str:
    """The Python that makes a node, short parts on one line, long ones indented."""
    words = [repr(p) for p in parts] + [
        f"{k}={v!r}" for k, v in extra.items() if v not in (None, "")
    ]
    line = f"{kind}({', '.join(words)})"
    if len(line) <= 88 and "\n" not in line:
        return line
    return f"{kind}(\n" + "".join("    " + w.replace("\n", "\n    ") + ",\n" for w in words) + ")"
