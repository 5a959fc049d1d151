"""Two descriptions step by step: every place where they differ. No torch.

differences(InceptionB(), InceptionB("released"))       what, where, left, right
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from inception_edu.describe.blocks import Block, Network
from inception_edu.describe.parts import children, leaves
from inception_edu.describe.spec import Chain, Concat, Conv, Node, Pool, Residual, SpecError
from inception_edu.describe.table import NOTHING


@dataclass(frozen=True)
class Difference:
    """One place where two descriptions differ: `left` and `right` in words, "—" for what one of
    them lacks."""

    where: str
    what: str
    left: str
    right: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} {self.left} against {self.right}"


def differences(left: Node | Network, right: Node | Network) -> list[Difference]:
    """Every place where two descriptions differ, in the order of data flow; empty where they are
    the same.

    Networks are laid side by side by their blocks' names. Names and figure numbers of nodes are not
    compared, nor the printed sums: only what is computed.
    Raises `SpecError` for a network and a block.
    """
    if isinstance(left, Network) and isinstance(right, Network):
        return list(_network_differences(left, right))
    if isinstance(left, Network) or isinstance(right, Network):
        raise SpecError("Compare two networks or two blocks, not a network with a block.")
    return list(_node_differences(left, right, ()))


def _network_differences(left: Network, right: Network) -> Iterator[Difference]:
    for what in ("image", "channels"):
        yield from _field("input", what, getattr(left, what), getattr(right, what))
    ours, theirs = ({block.name: block for block in n.blocks} for n in (left, right))
    # In the order of the left network; what only the right one has stands where the right one has
    # it.
    order = list(ours)
    for i, name in enumerate(theirs):
        if name not in ours:
            before = list(theirs)[i - 1] if i else None
            order.insert(order.index(before) + 1 if before else 0, name)
    for name in order:
        a, b = ours.get(name), theirs.get(name)
        if a is None or b is None:
            yield Difference(name, "block", *(NOTHING if x is None else _copies(x) for x in (a, b)))
            continue
        yield from _field(name, "repeats", a.repeat, b.repeat)
        yield from _node_differences(a.node, b.node, (name,))
    for what in ("dropout", "classes", "norm_eps"):
        yield from _field(
            "head" if what != "norm_eps" else "batch norm",
            what,
            getattr(left, what),
            getattr(right, what),
        )
    for what, name in (
        ("gain", "initial weights times"),
        ("rate", "share of the learning rate"),
        ("centre", "input centred"),
    ):
        ours_, theirs_ = getattr(left.classifier, what), getattr(right.classifier, what)
        yield from _field("classifier", name, ours_, theirs_)


def _copies(block: Block) -> str:
    return f"{block.repeat} × {block_title(block)}" if block.repeat > 1 else block_title(block)


def _field(where: str, what: str, left: object, right: object) -> Iterator[Difference]:
    if left != right:
        yield Difference(where, what, _plain(left), _plain(right))


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return f"{value[0]}×{value[1]}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _node_differences(left: Node, right: Node, path: tuple[str, ...]) -> Iterator[Difference]:
    where = "/".join(path) or "block"
    if type(left) is not type(right):
        yield Difference(where, "node", node_words(left), node_words(right))
        return
    if isinstance(left, (Conv, Pool)):
        for key, name in (
            ("out", "filters"),
            ("kind", "kind"),
            ("kernel", "kernel"),
            ("stride", "stride"),
            ("padding", "padding"),
            ("norm", "batch norm"),
            ("relu", "ReLU"),
            ("count_padding", "padded zeros counted"),
            ("groups", "groups"),
            ("has_bias", "bias"),
            ("centred", "centred filters"),
            ("gain", "initial weights times"),
        ):
            if hasattr(left, key):
                yield from _field(where, name, getattr(left, key), getattr(right, key))
        return
    if isinstance(left, Residual):
        for key, name in (
            ("scale", "scale"),
            ("relu", "ReLU"),
            ("learnable", "learnable"),
            ("norm", "batch norm after the sum"),
            ("identity_scale", "scale of the identity"),
        ):
            yield from _field(where, name, getattr(left, key), getattr(right, key))
    ours, theirs = children(left), children(right)
    nothing: tuple[str, Node | None] = ("", None)
    for (word, a), (other, b) in zip_longest(ours, theirs, fillvalue=nothing):
        inner = (*path, word or other)
        if a is None or b is None:
            yield Difference(
                "/".join(inner), "part", *(NOTHING if x is None else node_words(x) for x in (a, b))
            )
        else:
            yield from _node_differences(a, b, inner)


def node_words(node: Node) -> str:
    """A node in a few words: "3×3 Conv 96 /2 V", or what a larger one is made of."""
    if isinstance(node, Pool) and node.kind == "local":
        return "local response normalisation"
    if isinstance(node, (Conv, Pool)):
        kernel = f"{node.kernel[0]}×{node.kernel[1]}"
        kind = f"{node.kind} pool" if isinstance(node, Pool) else f"Conv {node.out}"
        return (
            f"{kernel} {kind}"
            + (f" /{node.stride}" if node.stride > 1 else "")
            + (" V" if node.padding == "valid" else "")
        )
    if isinstance(node, Chain) and all(isinstance(part, (Conv, Pool)) for part in node.parts):
        return " → ".join(map(node_words, node.parts)) or "the input unchanged"
    parts = len(children(node))
    inner = {Chain: f"{parts} steps", Concat: f"{parts} branches", Residual: "a residual block"}[
        type(node)
    ]
    convs = sum(isinstance(leaf, Conv) for leaf in leaves(node))
    return f"{inner}, {convs} convolution{'' if convs == 1 else 's'}"


def block_title(block: Block) -> str:
    figure, name = getattr(block.node, "figure", ""), getattr(block.node, "name", "")
    return f"{name} ({figure})" if name and figure else name or figure or node_words(block.node)
