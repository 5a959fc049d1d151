"""Networks side by side, read off their descriptions: the paper's, as printed, as released, and
facenet's. No torch.

    compare(inception_resnet_v2(), inception_resnet_v2_released())      a table of what can be read
    off them differences(InceptionB(), InceptionB("released"))                   step by step: what,
    where, left, right
    facenet()                                                           the face networks' Inception-ResNet-v1
    PORTS                                                               what no description holds,
                                                                        from the ports' code

Nothing in the tables that `compare` makes is written down by hand: a changed description changes
them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import zip_longest

from inception_edu.describe import figures as f
from inception_edu.describe.measure import measure
from inception_edu.describe.networks import Block, Network
from inception_edu.describe.spec import (
    AvgPool,
    Chain,
    Concat,
    Conv,
    Node,
    Pool,
    Residual,
    Shape,
    SpecError,
    children,
    out_shape,
)

NOTHING = "—"


@dataclass(frozen=True, repr=False)
class Table:
    """A table to print: a column for each of `names`, rows of (aspect, one cell a column).

    `marked`: whether the first column is a base, so that what differs from it is marked.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    marked: bool = True

    def __getitem__(self, aspect: str) -> tuple[str, ...]:
        for row, cells in self.rows:
            if row == aspect:
                return cells
        raise KeyError(
            f"There is no row {aspect!r}; there are {', '.join(row for row, _ in self.rows)}."
        )

    def differing(self) -> Table:
        """The rows in which not all columns agree."""
        return Table(
            self.names, tuple(row for row in self.rows if len(set(row[1])) > 1), self.marked
        )

    def __str__(self):
        lines = [("", self.names), *self.rows]
        widths = [max(len(row) for row, _ in lines)] + [
            max(map(len, cells)) for cells in zip(*(c for _, c in lines))
        ]
        return "\n".join(
            "  ".join(word.ljust(w) for word, w in zip((row, *cells), widths)).rstrip()
            for row, cells in lines
        )

    __repr__ = __str__

    def _repr_html_(self):
        """On a light card of its own; where `marked`, what differs from the first column is bold
        with a ≠."""

        def cell(tag, text, style=""):
            return (
                f'<{tag} style="text-align:left;vertical-align:top;padding:4px 10px;color:#222;'
                f'border-bottom:1px solid #d0d0d0;white-space:normal;{style}">{text}</{tag}>'
            )

        def mark(first, value):
            return (
                escape(value) if value == first or not self.marked else f"<b>≠ {escape(value)}</b>"
            )

        head = "".join(cell("th", escape(name), "font-weight:600") for name in ("", *self.names))
        body = "".join(
            '<tr style="background:#fff">'
            + cell("th", escape(row), "font-weight:400")
            + "".join(cell("td", mark(cells[0], value)) for value in cells)
            + "</tr>"
            for row, cells in self.rows
        )
        return (
            '<div style="background:#fff;color:#222;overflow-x:auto;border:1px solid #d0d0d0;border-radius:8px;'
            'line-height:1.4">'
            '<table style="border-collapse:collapse;font-size:13px;margin:0">'
            f'<thead><tr style="background:#fff">{head}</tr></thead><tbody>{body}</tbody></table></div>'
        )


# --- What can be read off a description -----------------------------------------------------------


def leaves(node: Node) -> Iterator[Conv | Pool]:
    """The convolutions and pools of a node, in the order of the figure."""
    if isinstance(node, (Conv, Pool)):
        yield node
    for _, part in children(node):
        yield from leaves(part)


def trunk(network: Network) -> Iterator[tuple[Block, Shape, Shape]]:
    """(block, shape in, shape out) along a network, also where its sums do not close.

    The width of a residual block is that of the identity it is added to: what its 1×1 prints cannot
    change it.
    """
    shape = network.input
    for block in network.blocks:
        start = shape
        carried = block.node
        if isinstance(carried, Residual):
            carried = Chain() if carried.shortcut is None else carried.shortcut
        for _ in range(block.repeat):
            shape = out_shape(carried, shape)
        yield block, start, shape


def portrait(network: Network) -> dict[str, str]:
    """What a reader wants to know of a network, in words, all of it read off its description.

    Works also for a network whose numbers do not close; its parameters and multiply-adds are then
    "—" and "sums close" holds the sentence of the error.
    """
    path = list(trunk(network))
    stages = {
        stage: [step for step in path if step[0].stage == stage] for stage in _stages(network)
    }
    firsts = [steps[0][0].node for steps in stages.values()]
    last = path[-1][2]
    stage_ends = [i for i, (block, *_) in enumerate(path) if block.stage]
    before, after = path[: stage_ends[0]], path[stage_ends[-1] + 1 :]
    all_leaves = [
        leaf for block in network.blocks for leaf in leaves(block.node) for _ in range(block.repeat)
    ]
    convs = [leaf for leaf in all_leaves if isinstance(leaf, Conv)]
    final = path[stage_ends[-1]][0].node
    try:
        measured, closes = measure(network), "yes"
        params, macs = f"{measured.params:,}", f"{measured.macs:,}"
    except SpecError as error:
        params, macs, closes = NOTHING, NOTHING, f"no. {error}"
    return {
        "image": f"{network.image}×{network.image}",
        "before stage A": " + ".join(_title(block) for block, *_ in before)
        + f" → {_size(before[-1][2])}",
        "blocks in stages " + " / ".join(stages): _per_stage(
            sum(s[0].repeat for s in steps) for steps in stages.values()
        ),
        "trunk width": _per_stage(steps[0][1][0] for steps in stages.values()),
        "branches joined": _per_stage(_joined(node) for node in firsts),
        "linear 1×1": _per_stage(
            node.body.parts[-1].out if isinstance(node, Residual) else NOTHING for node in firsts
        ),
        "sums close": closes,
        "scale": _per_stage(_scales(steps) for steps in stages.values()),
        "ReLU after the last sum": ("yes" if final.relu else "no")
        if isinstance(final, Residual)
        else NOTHING,
        "kernels n×1 and 1×n": "; ".join(
            dict.fromkeys(filter(None, map(_orientation, network.blocks)))
        )
        or NOTHING,
        "after the last stage": " + ".join(_title(block) for block, *_ in after) or "nothing",
        "classifier": f"{last[0]} → {network.classes}",
        "dropout keeps": f"{1 - network.dropout:g}",
        "batch norm": f"{sum(c.norm for c in convs)} of {len(convs)} convolutions, ε = {network.norm_eps:g}",
        "average pools in blocks": _averages(all_leaves),
        "parameters": params,
        "multiply-adds": macs,
    }


def compare(*networks: Network) -> Table:
    """The portraits of networks side by side; the first is the one the others are compared with.

    Raises `SpecError` where the networks have no common stages, so that rows cannot be laid side by
    side.
    """
    portraits = [portrait(network) for network in networks]
    if not portraits:
        raise SpecError("A comparison needs at least one network.")
    for network, other in zip(networks, portraits):
        if list(other) != list(portraits[0]):
            raise SpecError(
                f"{network.name} has stages {', '.join(_stages(network))}, {networks[0].name} has "
                f"{', '.join(_stages(networks[0]))}: they cannot be laid side by side."
            )
    rows = {aspect: tuple(p[aspect] for p in portraits) for aspect in portraits[0]}
    for aspect in ("parameters", "multiply-adds"):
        rows[f"{aspect}, relative"] = tuple(
            _ratio(value, rows[aspect][0]) for value in rows[aspect]
        )
    return Table(tuple(n.name for n in networks), tuple(rows.items()))


def _stages(network: Network) -> list[str]:
    stages = list(dict.fromkeys(block.stage for block in network.blocks if block.stage))
    if not stages:
        raise SpecError(
            f"{network.name} has no stages of repeated blocks, so there is nothing to compare."
        )
    return stages


def _ratio(number: str, base: str) -> str:
    if NOTHING in (number, base):
        return NOTHING
    return f"{int(number.replace(',', '')) / int(base.replace(',', '')):.2f}"


def _title(block: Block) -> str:
    figure, name = getattr(block.node, "figure", ""), getattr(block.node, "name", "")
    return f"{name} ({figure})" if name and figure else name or figure or words(block.node)


def _size(shape: Shape) -> str:
    return f"{shape[1]}×{shape[2]}×{shape[0]}"


def _per_stage(values) -> str:
    return " / ".join(map(str, values))


def _joined(node: Node) -> int:
    """Channels after the concatenation of a block's branches."""
    inner = node.body.parts[0] if isinstance(node, Residual) else node
    return out_shape(inner, (1, 1025, 1025))[0]


def _scales(steps) -> str:
    scales = [block.node.scale if isinstance(block.node, Residual) else None for block, *_ in steps]
    found = [NOTHING if s is None else f"{s:g}" for s in dict.fromkeys(scales)]
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])}, last {found[-1]}"


def _orientation(block: Block) -> str:
    """The order of 1×n and n×1 kernels in each branch of a block, "" where it has none."""
    runs = []
    node = block.node.body if isinstance(block.node, Residual) else block.node
    for chain in _chains(node):
        kernels = [
            part.kernel
            for part in chain
            if isinstance(part, Conv) and part.kernel[0] != part.kernel[1]
        ]
        runs += [" → ".join(f"{h}×{w}" for h, w in kernels)] if kernels else []
    return f"{block.stage or block.name}: {', '.join(runs)}" if runs else ""


def _chains(node: Node) -> Iterator[tuple[Node, ...]]:
    if isinstance(node, Chain):
        yield node.parts
    for _, part in children(node):
        yield from _chains(part)


def _averages(all_leaves: list[Conv | Pool]) -> str:
    averages = [
        leaf
        for leaf in all_leaves
        if isinstance(leaf, Pool) and leaf.kind == "avg" and leaf.padding == "same"
    ]
    if not averages:
        return "none"
    counted = sum(pool.count_padding for pool in averages)
    return f"{len(averages)}, padded zeros " + (
        "not counted"
        if not counted
        else "counted"
        if counted == len(averages)
        else f"counted in {counted}"
    )


# --- Step by step ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """One place where two descriptions differ: `left` and `right` in words, "—" for what one of
    them lacks."""

    where: str
    what: str
    left: str
    right: str

    def __str__(self):
        return f"{self.where}: {self.what} {self.left} against {self.right}"


def differences(left: Node | Network, right: Node | Network) -> list[Difference]:
    """Every place where two descriptions differ, in the order of data flow; empty where they are
    the same.

    Networks are laid side by side by their blocks' names. Names and figure numbers of nodes are not
    compared, nor the printed sums: only what is computed.
    """
    if isinstance(left, Network) != isinstance(right, Network):
        raise SpecError("Compare two networks or two blocks, not a network with a block.")
    if isinstance(left, Network):
        return list(_network_differences(left, right))
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


def _copies(block: Block) -> str:
    return f"{block.repeat} × {_title(block)}" if block.repeat > 1 else _title(block)


def _field(where: str, what: str, left, right) -> Iterator[Difference]:
    if left != right:
        yield Difference(
            where,
            what,
            *(
                f"{v[0]}×{v[1]}"
                if isinstance(v, tuple)
                else f"{v:g}"
                if isinstance(v, float)
                else str(v)
                for v in (left, right)
            ),
        )


def _node_differences(left: Node, right: Node, path: tuple[str, ...]) -> Iterator[Difference]:
    where = "/".join(path) or "block"
    if type(left) is not type(right):
        yield Difference(where, "node", words(left), words(right))
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
        ):
            if hasattr(left, key):
                yield from _field(where, name, getattr(left, key), getattr(right, key))
        return
    if isinstance(left, Residual):
        for key in ("scale", "relu", "learnable"):
            yield from _field(
                where, "ReLU" if key == "relu" else key, getattr(left, key), getattr(right, key)
            )
    ours, theirs = children(left), children(right)
    for (word, a), (other, b) in zip_longest(ours, theirs, fillvalue=(None, None)):
        inner = (*path, word or other)
        if a is None or b is None:
            yield Difference(
                "/".join(inner), "part", *(NOTHING if x is None else words(x) for x in (a, b))
            )
        else:
            yield from _node_differences(a, b, inner)


def words(node: Node) -> str:
    """A node in a few words: "3×3 Conv 96 /2 V", or what a larger one is made of."""
    if isinstance(node, (Conv, Pool)):
        kernel = f"{node.kernel[0]}×{node.kernel[1]}"
        kind = f"{node.kind} pool" if isinstance(node, Pool) else f"Conv {node.out}"
        return (
            f"{kernel} {kind}"
            + (f" /{node.stride}" if node.stride > 1 else "")
            + (" V" if node.padding == "valid" else "")
        )
    if isinstance(node, Chain) and all(isinstance(part, (Conv, Pool)) for part in node.parts):
        return " → ".join(map(words, node.parts)) or "the input unchanged"
    parts = len(children(node))
    inner = {Chain: f"{parts} steps", Concat: f"{parts} branches", Residual: "a residual block"}[
        type(node)
    ]
    return f"{inner}, {sum(isinstance(leaf, Conv) for leaf in leaves(node))} convolutions"


# --- facenet's network ----------------------------------------------------------------------------


def facenet(identities: int = 8631, embedding: int = 512) -> Network:
    """The Inception-ResNet-v1 that the face networks use: 3×160×160 → 1792 → `embedding` →
    `identities`.

    The paper's stem, blocks and reductions with scales 0.17, 0.10 and 0.20, and a sixth C block
    that is not scaled and has no ReLU; then average pooling, dropout and a linear embedding with
    batch norm. The classifier over `identities` is there in training only (VGGFace2 has 8631). The
    numbers are facenet-pytorch's (facenet itself embeds in 128 and keeps 0.8 in dropout), whose
    dropout stands before the embedding, ours before the classifier.
    """
    # 160 pixels leave a 3×3 map, which the average pooling takes whole.
    embed = Chain(AvgPool(3, padding="valid"), Conv(embedding, 1, relu=False), name="Embedding")
    return Network(
        "Inception-ResNet-v1 (facenet-pytorch)",
        (
            Block("stem", f.StemV1()),
            Block("inception_resnet_a", f.InceptionResNetA_v1(0.17), 5, "A"),
            Block("reduction_a", f.ReductionA(**f.TABLE_1["inception_resnet_v1"])),
            Block("inception_resnet_b", f.InceptionResNetB_v1(0.10), 10, "B"),
            Block("reduction_b", f.ReductionB_v1()),
            Block("inception_resnet_c", f.InceptionResNetC_v1(0.20), 5, "C"),
            Block("inception_resnet_c_last", f.InceptionResNetC_v1(1.0, relu=False), 1, "C"),
            Block("embedding", embed),
        ),
        classes=identities,
        dropout=0.6,
        image=160,
    )


# --- What no description holds --------------------------------------------------------------------

# Read in the source. Inception-ResNet-v2: tensorflow/models (research/slim),
# keras-team/keras-applications, timm 1.0, Cadene/pretrained-models.pytorch; Inception-ResNet-v1:
# davidsandberg/facenet and timesler/facenet-pytorch. "Keeps a step" is the share of a running mean
# that one training step leaves: PyTorch's momentum is one minus it.
PORTS = Table(
    ("paper", "slim", "Keras", "timm", "Cadene", "facenet", "facenet-pytorch"),
    (
        ("auxiliary classifier", ("in no figure", "yes, at 17×17", "no", "no", "no", "no", "no")),
        ("batch norm learns a scale γ", ("not stated", "no", "no", "yes", "yes", "no", "yes")),
        (
            "running mean keeps a step",
            ("not stated", "0.9997", "0.99", "0.9", "0.9", "0.995", "0.9"),
        ),
        ("batch norm's ε", ("not stated", "0.001", "0.001", "0.001", "0.001", "0.001", "0.001")),
        ("dropout keeps", ("0.8", "0.8", "1", "1", "1", "0.8", "0.4")),
        (
            "padded zeros in averages",
            (
                "not stated",
                "not counted",
                "not counted",
                "not counted",
                "not counted",
                "no average inside",
                "no average inside",
            ),
        ),
        ("classes in the checkpoint", ("1000", "1001", "1000", "1000", "1001", "faces", "faces")),
    ),
    marked=False,
)
