"""Networks side by side, read off their descriptions: the paper's, as printed, as released, and
facenet's. No torch.

    compare(inception_resnet_v2(), inception_resnet_v2_released())      what can be read off them

Nothing in the tables that `compare` makes is written down by hand: a changed description changes
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from inception_edu.describe.blocks import Block, Network, check_network
from inception_edu.describe.difference import block_title
from inception_edu.describe.flow import out_channels, out_shape
from inception_edu.describe.measure import measure
from inception_edu.describe.parts import at, children, last_conv, leaves
from inception_edu.describe.spec import Chain, Conv, Node, Pool, Residual, Shape, SpecError
from inception_edu.describe.table import NOTHING, Table


def trunk(network: Network) -> Iterator[tuple[Block, Shape, Shape]]:
    """(block, shape in, shape out) along a network, also where its sums do not close.

    The width of a residual block is that of the identity it is added to: what its 1×1 prints cannot
    change it. Raises `SpecError` for what is no network.
    """
    check_network(network)
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
        "before stage A": " + ".join(block_title(block) for block, *_ in before)
        + f" → {_size(before[-1][2])}",
        "blocks in stages " + " / ".join(stages): _per_stage(
            sum(s[0].repeat for s in steps) for steps in stages.values()
        ),
        "trunk width": _per_stage(steps[0][1][0] for steps in stages.values()),
        "branches joined": _per_stage(_joined(node) for node in firsts),
        "linear 1×1": _per_stage(
            _filters_at_the_end(node) if isinstance(node, Residual) else NOTHING for node in firsts
        ),
        "sums close": closes,
        "scale": _per_stage(_scales(steps) for steps in stages.values()),
        "ReLU after the last sum": _relu_at_the_end(final),
        "kernels n×1 and 1×n": "; ".join(
            dict.fromkeys(filter(None, map(_orientation, network.blocks)))
        )
        or NOTHING,
        "after the last stage": " + ".join(block_title(block) for block, *_ in after) or "nothing",
        "classifier": f"{last[0]} → {network.classes}",
        "dropout keeps": f"{1 - network.dropout:g}",
        "batch norm": (
            f"{sum(c.norm for c in convs)} of {len(convs)} convolutions, ε = {network.norm_eps:g}"
        ),
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


def _size(shape: Shape) -> str:
    return f"{shape[1]}×{shape[2]}×{shape[0]}"


def _per_stage(values: Iterable[object]) -> str:
    return " / ".join(map(str, values))


def _joined(node: Node) -> int:
    """Channels after the concatenation of a block's branches."""
    inner = node.body if isinstance(node, Residual) else node
    first = inner.parts[0] if isinstance(node, Residual) and isinstance(inner, Chain) else inner
    return out_channels(first, 1)


def _filters_at_the_end(block: Residual) -> int:
    conv = at(block, last_conv(block))
    assert isinstance(conv, Conv)
    return conv.out


def _relu_at_the_end(node: Node) -> str:
    if not isinstance(node, Residual):
        return NOTHING
    return "yes" if node.relu else "no"


def _scales(steps: list[tuple[Block, Shape, Shape]]) -> str:
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
    words = f"counted in {counted}" if counted else "not counted"
    if counted == len(averages):
        words = "counted"
    return f"{len(averages)}, padded zeros {words}"
