"""The parts of a description: to find one by its address, to replace it, to change them all. No
torch.

An address is a tuple of words, one a level, as the figure is read: ("branch 3", "step 2") is the
second step of the third branch, ("residual branch", "step 1") the first step of a residual body.
Nodes never change: every function here gives a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from inception_edu._lazy import TYPE_CHECKING
from inception_edu.describe.errors import strange
from inception_edu.describe.spec import Chain, Concat, Conv, Node, Pool, Residual, SpecError

if TYPE_CHECKING:
    from typing import TypeAlias


Path: TypeAlias = tuple[str, ...]


def children(node: Node) -> tuple[tuple[str, Node], ...]:
    """The parts of a node with the word that names each, in the order of the figure.
    Raises `SpecError` for what is no node."""
    if isinstance(node, Chain):
        return tuple((f"step {i}", part) for i, part in enumerate(node.parts, 1))
    if isinstance(node, Concat):
        return tuple((f"branch {i}", branch) for i, branch in enumerate(node.branches, 1))
    if isinstance(node, Residual):
        shortcut = () if node.shortcut is None else (("shortcut", node.shortcut),)
        return (("residual branch", node.body), *shortcut)
    if isinstance(node, (Conv, Pool)):
        return ()
    raise SpecError(strange(node))


def rebuild(node: Node, parts: Sequence[Node]) -> Node:
    """The same node with other parts, in the order of `children`; its name, figure and numbers
    stay.

    A chain and a concatenation take any number of parts, a residual block its body and, where it
    has one, its shortcut. Raises `SpecError` for another number of parts.
    """
    if isinstance(node, Chain):
        return replace(node, parts=tuple(parts))
    if isinstance(node, Concat):
        return replace(node, branches=tuple(parts))
    if len(parts) != len(children(node)):
        raise SpecError(
            f"A {type(node).__name__} has {len(children(node))} parts, got {len(parts)}."
        )
    if isinstance(node, Residual):
        shortcut = parts[1] if node.shortcut is not None else None
        return replace(node, body=parts[0], shortcut=shortcut)
    return node


def map_nodes(change: Callable[[Node], Node], node: Node) -> Node:
    """The same description with `change(n)` in the place of every node n, innermost first."""
    parts = [map_nodes(change, part) for _, part in children(node)]
    return change(rebuild(node, parts))


def map_convs(change: Callable[[Conv], Node], node: Node) -> Node:
    """The same description with `change(conv)` in the place of every convolution."""
    return map_nodes(lambda n: change(n) if isinstance(n, Conv) else n, node)


def at(node: Node, path: Path) -> Node:
    """The part at an address; the empty address is the node itself. Raises `SpecError` where there
    is none."""
    for word in path:
        node = children(node)[_position(node, word)][1]
    return node


def put(node: Node, path: Path, *new: Node) -> Node:
    """The same description with `new` in the place of the part at `path`.

    None, one or several: a chain or a concatenation grows or shrinks with them; elsewhere several
    become a chain. Raises `SpecError` where there is no such part.
    """
    if not path:
        return new[0] if len(new) == 1 else Chain(*new)
    parts = [part for _, part in children(node)]
    i = _position(node, path[0])
    if len(path) == 1 and isinstance(node, (Chain, Concat)):
        parts[i : i + 1] = new
    else:
        parts[i] = put(parts[i], path[1:], *new)
    return rebuild(node, parts)


def _position(node: Node, word: str) -> int:
    words = [known for known, _ in children(node)]
    if word not in words:
        there = ", ".join(words) or "no parts"
        raise SpecError(f"There is no {word!r} in {type(node).__name__}; it has {there}.")
    return words.index(word)


def leaves(node: Node) -> Iterator[Conv | Pool]:
    """The convolutions and pools of a node, in the order of the figure."""
    if isinstance(node, (Conv, Pool)):
        yield node
    for _, part in children(node):
        yield from leaves(part)


def leaf_paths(node: Node, path: Path = ()) -> list[Path]:
    """The addresses of a node's convolutions and pools, in the order of the figure."""
    if isinstance(node, (Conv, Pool)):
        return [path]
    return [leaf for word, part in children(node) for leaf in leaf_paths(part, (*path, word))]


def last_conv(node: Node) -> Path:
    """The address of the convolution that ends a node: of a residual block, the one that ends its
    body. Raises `SpecError` where the node does not end with a convolution."""
    path: Path = ()
    while (part := at(node, path)) and not isinstance(part, Conv):
        inner = children(part)
        if isinstance(part, Residual):
            path = (*path, "residual branch")
        elif isinstance(part, Chain) and inner:
            path = (*path, inner[-1][0])
        else:
            raise SpecError("A residual branch must be a chain that ends with a convolution.")
    return path


def with_padding(node: Node, padding: str) -> Node:
    """The same description with "same" or "valid" padding in every convolution and pool. "same"
    leaves even kernels as they are: a map cannot be padded evenly for them. Local response
    normalisation has nothing to pad."""

    def changed(n: Node) -> Node:
        if not isinstance(n, (Conv, Pool)) or (isinstance(n, Pool) and n.kind == "local"):
            return n
        if padding == "same" and not all(k % 2 for k in n.kernel):
            return n
        return replace(n, padding=padding)

    return map_nodes(changed, node)
