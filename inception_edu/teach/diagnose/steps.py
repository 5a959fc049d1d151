"""Blocks as sequences of steps, and steps in words. No torch.

Descriptions (`spec`) and modules that were watched at work (`watch`) both become tuples of `Step`
and `Join`, so that an answer of either kind is compared with a figure in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from inception_edu.describe import Chain, Concat, Conv, Node, Pool, Residual, Shape

WINDOWS = ("conv", "max", "avg")


@dataclass(frozen=True)
class Step:
    """One operation. `kind`: conv (with its batch norm and ReLU), max, avg, norm, relu, times, or
    another word.

    `name` and `norm_name` are what the answer calls its layers ("b3.1"); they are not compared.
    """

    kind: str
    out: int = 0
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    norm: bool = False
    relu: bool = False
    bias: bool = False
    count: bool = False  # an average that counts padded zeros
    ceil: bool = False
    groups: int = 1
    dilation: tuple[int, int] = (1, 1)
    factor: float = 1.0
    relu_first: bool = False  # ReLU, then batch norm
    eps: float | None = field(default=None, compare=False)
    name: str = field(default="", compare=False)
    norm_name: str = field(default="", compare=False)


@dataclass(frozen=True)
class Join:
    """Branches that start from the same map and are put together: kind "cat" (along `dim`) or
    "add"."""

    kind: str
    branches: tuple[Sequence, ...]
    dim: int = 1


Sequence = tuple  # of Step and Join


def sequence(node: Node) -> Sequence:
    """The steps of a description."""
    if isinstance(node, Conv):
        return (
            Step(
                "conv",
                node.out,
                node.kernel,
                _two(node.stride),
                _pad(node),
                node.norm,
                node.relu,
                bias=not node.norm,
            ),
        )
    if isinstance(node, Pool):
        count = node.count_padding and any(_pad(node))
        return (Step(node.kind, 0, node.kernel, _two(node.stride), _pad(node), count=count),)
    if isinstance(node, Chain):
        return tuple(item for part in node.parts for item in sequence(part))
    if isinstance(node, Concat):
        return tidy((Join("cat", tuple(sequence(branch) for branch in node.branches)),))
    if isinstance(node, Residual):
        body = sequence(node.body) + (
            (Step("times", factor=float(node.scale)),) if node.scale != 1 else ()
        )
        identity = () if node.shortcut is None else sequence(node.shortcut)
        return tidy((Join("add", (identity, body)), *((Step("relu"),) if node.relu else ())))
    raise TypeError(f"not a description: {node!r}")


def tidy(items: Sequence) -> Sequence:
    """The same computation written in one way: a join directly inside a join of its kind is spliced
    into it."""
    found: list[Step | Join] = []
    for item in items:
        if isinstance(item, Join):
            branches: list[Sequence] = []
            for branch in map(tidy, item.branches):
                inner = branch[0] if len(branch) == 1 and isinstance(branch[0], Join) else None
                if inner and inner.kind == item.kind and inner.dim == item.dim:
                    branches += inner.branches
                else:
                    branches.append(branch)
            if len(branches) == 1:
                found += branches[0]
                continue
            item = replace(item, branches=tuple(branches))
        found.append(item)
    return tuple(found)


def _two(n) -> tuple[int, int]:
    return (n, n) if isinstance(n, int) else tuple(n)


def _pad(node) -> tuple[int, int]:
    return tuple(k // 2 for k in node.kernel) if node.padding == "same" else (0, 0)


def size_words(pair) -> str:
    return f"{pair[0]}×{pair[1]}"


def what(item: Step | Join) -> str:
    """A step in a few words: "3×3 convolution", "average pool", …"""
    if isinstance(item, Join):
        return {"cat": "concatenation", "add": "addition"}.get(item.kind, item.kind)
    if item.kind == "conv":
        plain = not item.norm and not item.relu
        return f"{'linear ' if plain else ''}{size_words(item.kernel)} convolution"
    names = {
        "max": f"{size_words(item.kernel)} max pool",
        "avg": f"{size_words(item.kernel)} average pool",
        "norm": "batch norm",
        "relu": "ReLU",
        "times": f"multiplication by {item.factor:g}",
    }
    return names.get(item.kind, item.kind)


def whole(item: Step | Join) -> str:
    extra = f" with {item.out} filters" if isinstance(item, Step) and item.kind == "conv" else ""
    return _a(what(item) + extra)


def _a(words: str) -> str:
    return ("an " if words[0] in "aeiou" else "a ") + words


def branch_words(items: Sequence) -> str:
    """A branch in short: "1×1 → 3×3"."""
    short = {"max": "max pool", "avg": "average pool"}
    words = []
    for item in items:
        if isinstance(item, Join):
            words.append("{" + ", ".join(branch_words(b) for b in item.branches) + "}")
        else:
            words.append(
                size_words(item.kernel) if item.kind == "conv" else short.get(item.kind, what(item))
            )
    return " → ".join(words) or "identity"


def number(pair) -> str:
    return str(pair[0]) if pair[0] == pair[1] else f"({pair[0]}, {pair[1]})"


def output(items: Sequence, shape: Shape | None) -> Shape | None:
    """The shape (C, H, W) that leaves a sequence, or None where it does not work out."""
    for item in items:
        if shape is None:
            return None
        if isinstance(item, Join):
            ends = [output(branch, shape) for branch in item.branches]
            outs = [end for end in ends if end is not None]
            if not outs or len(outs) < len(ends) or len({o[1:] for o in outs}) > 1:
                return None
            shape = (sum(o[0] for o in outs) if item.kind == "cat" else outs[0][0], *outs[0][1:])
        elif item.kind in WINDOWS:
            size = []
            for n, k, s, p, d in zip(
                shape[1:], item.kernel, item.stride, item.padding, item.dilation
            ):
                span = n + 2 * p - d * (k - 1) - 1
                size.append(-(-span // s) + 1 if item.ceil else span // s + 1)
            shape = (item.out or shape[0], *size) if min(size) >= 1 else None
    return shape
