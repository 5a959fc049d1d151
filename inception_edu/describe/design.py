"""Changing a block as a reader does: steps and branches come and go. No torch.

Each function takes a block and the address of the chosen step, and gives the changed block and the
address that is chosen then. An empty branch (it hands its input on) can be chosen, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from inception_edu.describe.flow import walk
from inception_edu.describe.measure import measure
from inception_edu.describe.parts import Path, at, children, map_convs, map_nodes, put
from inception_edu.describe.spec import (
    Chain,
    Concat,
    Conv,
    Node,
    Pool,
    Residual,
    Shape,
    SpecError,
)

Changed = tuple[Node, Path]


def free(node: Node) -> Node:
    """The block without the sums that a figure prints, and with fixed scales: free to be
    changed."""

    def freed(part: Node) -> Node:
        if isinstance(part, Concat):
            return replace(part, out=None)
        return replace(part, learnable=False) if isinstance(part, Residual) else part

    return map_nodes(freed, node)


def places(node: Node, path: Path = ()) -> list[Path]:
    """The addresses that can be chosen: convolutions, pools and empty branches, in order."""
    if isinstance(node, (Conv, Pool)) or (path and isinstance(node, Chain) and not node.parts):
        return [path]
    return [place for word, part in children(node) for place in places(part, (*path, word))]


def nearest(node: Node, path: Path) -> Path:
    """The place that remains closest to where one was: in the same branch, then next to it."""

    def likeness(other: Path) -> tuple[int, int]:
        same = 0
        while same < min(len(path), len(other)) and path[same] == other[same]:
            same += 1
        here, there = (_number(p[same]) if same < len(p) else 0 for p in (path, other))
        return same, -abs(here - there)

    return max(places(node), key=likeness)


def _number(word: str) -> int:
    return int(word.rpartition(" ")[2]) if word[-1].isdigit() else 0


def branch_of(path: Path) -> Path | None:
    """The innermost branch in which an address lies."""
    for end in range(len(path), 0, -1):
        if path[end - 1].startswith("branch "):
            return path[:end]
    return None


def where(path: Path) -> str:
    """An address in words: "Branch 3, step 2"."""
    words = [word for word in path if word.startswith(("branch", "shortcut"))]
    if path and path[-1].startswith("step"):
        words.append(path[-1])
    text = ", ".join(words) or "the step"
    return text[0].upper() + text[1:]


def _branch(path: Path) -> Path:
    branch = branch_of(path)
    if branch is None:
        raise SpecError(
            f"{where(path)} lies in no branch: choose a step between the input and a concatenation."
        )
    return branch


def add_step(node: Node, path: Path) -> Changed:
    """A 3×3 convolution after the chosen step, with as many filters."""
    old = at(node, path)
    new = Conv(old.out if isinstance(old, Conv) else 64, 3)
    if isinstance(old, Chain):  # an empty branch
        return put(node, path, Chain(new)), (*path, "step 1")
    if path and path[-1].startswith("step "):
        after = int(path[-1].split()[1]) + 1
        return put(node, path, old, new), (*path[:-1], f"step {after}")
    return put(node, path, Chain(old, new)), (*path, "step 2")


def remove_step(node: Node, path: Path) -> Changed:
    """Take the chosen step out; a branch without steps hands its input on."""
    if isinstance(at(node, path), Chain):
        raise SpecError(f"{where(path)} has no step left to take out: it hands its input on.")
    filled = [place for place in places(node) if not isinstance(at(node, place), Chain)]
    if len(filled) == 1:
        raise SpecError("The last step of a block has to stay.")
    if not path[-1].startswith("step "):
        changed = put(node, path, Chain())
        return changed, path
    changed = put(node, path)
    chain = path[:-1]
    rest = at(changed, chain) if chain else None
    if isinstance(rest, Chain) and not rest.parts:
        return changed, nearest(changed, chain)
    return changed, nearest(changed, path)


def add_branch(node: Node, path: Path) -> Changed:
    """A copy of the chosen step's branch, to its right."""
    branch = _branch(path)
    copy = at(node, branch)
    number = int(branch[-1].split()[1]) + 1
    changed = put(node, branch, copy, copy)
    return changed, nearest(changed, (*branch[:-1], f"branch {number}"))


def remove_branch(node: Node, path: Path) -> Changed:
    """Take out the chosen step's branch."""
    branch = _branch(path)
    join = at(node, branch[:-1])
    if isinstance(join, Concat) and len(join.branches) == 1:
        raise SpecError("The last branch of a concatenation has to stay.")
    changed = put(node, branch)
    if not any(not isinstance(at(changed, p), Chain) for p in places(changed)):
        raise SpecError("The last step of a block has to stay.")
    return changed, nearest(changed, path)


def widen(node: Node, path: Path, factor: float) -> Changed:
    """Multiply the filters of every convolution in the chosen step's branch."""
    branch = _branch(path)

    def wider(conv: Conv) -> Conv:
        return replace(conv, out=max(1, round(conv.out * factor)))

    return put(node, branch, map_convs(wider, at(node, branch))), path


def change(node: Node, path: Path, **fields: Any) -> Changed:
    """Change the chosen step: kind ("conv", "max", "avg"), out, kernel, stride, padding, norm,
    relu. Raises `SpecError` for what cannot be."""
    old = at(node, path)
    if not isinstance(old, (Conv, Pool)):
        raise SpecError(f"{where(path)} has no step: add one first.")
    kind = fields.pop("kind", "conv" if isinstance(old, Conv) else old.kind)
    if kind == "conv" and isinstance(old, Conv):
        return put(node, path, replace(old, **fields)), path
    window = {key: fields.pop(key, getattr(old, key)) for key in ("kernel", "stride", "padding")}
    if kind == "conv":
        return put(node, path, Conv(**{"out": 64, **fields}, **window)), path
    same = isinstance(old, Pool) and old.kind == kind
    new = replace(old, **window) if same else Pool(kind, **window)
    return put(node, path, new), path


# --- What a branch does ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Branch:
    """One branch of a concatenation: its address, what leaves it, the (height, width) that a value
    of it sees of the concatenation's input, and what it costs."""

    path: Path
    output: Shape
    field: tuple[int, int]
    params: int
    macs: int


def branches(node: Node, shape: Shape, path: Path = ()) -> tuple[Branch, ...]:
    """The branches of the concatenation in which `path` lies, else of the first one; none where
    there is none. Raises `SpecError` where the numbers do not fit before it."""
    steps = {step.path: step for step in walk(node, shape, go_on=True)}
    joins = [p for p, step in steps.items() if isinstance(step.node, Concat)]
    joins.sort(key=len)
    if not joins:
        return ()
    around = [p for p in joins if path[: len(p)] == p]
    chosen = around[0] if around else joins[0]
    found = []
    for word, part in children(steps[chosen].node):
        place = (*chosen, word)
        entering = steps[place].input
        if entering is None:
            return ()
        try:
            m = measure(part, entering)
        except SpecError:
            return ()
        found.append(Branch(place, m.output, m.receptive_field, m.params, m.macs))
    return tuple(found)


def formula(node: Node, shape: Shape, path: Path) -> str:
    """What the step at an address computes and costs, with its numbers."""
    steps = {step.path: step for step in walk(node, shape, go_on=True)}
    step = steps[path]
    if step.input is None or step.output is None:
        return f"{where(path)}: no shape gets here while the numbers before it do not fit."
    part = step.node
    (channels, h_in, w_in), (filters, h_out, w_out) = step.input, step.output
    sizes = _sizes(part, (h_in, w_in), (h_out, w_out))
    if not isinstance(part, (Conv, Pool)):
        return f"{where(path)}: hands its input on, {h_in}×{w_in}×{channels}."
    h, w = part.kernel
    if isinstance(part, Pool) and part.kind == "local":
        return (
            f"{where(path)}: each value is divided by (1 + 0.0001 · the mean square of five "
            f"channels around it)^0.75; no parameter. {sizes}"
        )
    if isinstance(part, Pool):
        word = "largest" if part.kind == "max" else "mean"
        return (
            f"{where(path)}: the {word} of each {h}×{w} window, channel by channel; no parameter. "
            f"{sizes}"
        )
    weights = channels // part.groups * filters * h * w
    row = measure(part, step.input).rows[0]
    terms = f"{channels} × {filters} × {h}×{w} = {weights:,} weights"
    if part.groups > 1:
        terms = f"{channels}/{part.groups} × {filters} × {h}×{w} = {weights:,} weights"
    if part.norm:
        terms += f", + 2·{filters} (γ and β)"
    if part.has_bias:
        terms += f", + {filters} (bias)"
    return (
        f"{where(path)}: {terms} = {row.params:,} parameters; at {h_out}×{w_out} places "
        f"{row.macs:,} multiply-adds. {sizes}"
    )


def _sizes(part: Node, before: tuple[int, int], after: tuple[int, int]) -> str:
    if not isinstance(part, (Conv, Pool)):
        return ""
    if part.padding == "same":
        words = f"{after[0]}×{after[1]}"
        rule = "stays" if part.stride == 1 else f"⌈{before[0]} / {part.stride}⌉ = {after[0]}:"
        return f"Same padding: the size {rule} {words}."
    rule = f"⌊({before[0]} − {part.kernel[0]}) / {part.stride}⌋ + 1 = {after[0]}"
    return f"V: {rule}, so {after[0]}×{after[1]}."
