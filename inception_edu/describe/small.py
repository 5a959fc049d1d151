"""Small trainable networks made of the paper's blocks. No torch.

mini(network, width, repeats)      any network, small enough to train in seconds
tower(width, depth, scale)         one stage of Fig. 13 blocks, to study depth, width and scale
                                   alone
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from inception_edu._numbers import is_number, is_whole
from inception_edu.describe.blocks import Block, Head, Network, check_network
from inception_edu.describe.figures import InceptionResNetC_v1
from inception_edu.describe.flow import out_channels, out_shape
from inception_edu.describe.measure import trace
from inception_edu.describe.parts import at, children, last_conv, put, rebuild, with_padding
from inception_edu.describe.spec import (
    Chain,
    Concat,
    Conv,
    Linear,
    MaxPool,
    Node,
    Pool,
    Residual,
    Shape,
    SpecError,
)


def thin(node: Node, width: float, channels: int, padding: str | None = None) -> Node:
    """The same block with every filter count times `width`, for an input of `channels` channels.

    The linear end of an identity block takes `channels` filters, so that the addition closes at any
    width. `padding` replaces the printed padding: small maps cannot afford to lose a border in each
    V.
    """
    from fractions import Fraction  # here: it costs whoever only draws 2 ms

    share = Fraction(width).limit_denominator(4096)

    def go(node: Node, channels: int) -> Node:
        if isinstance(node, Conv):
            # Never fewer than 4 filters: a branch of one or two dies too easily to teach anything.
            out = max(4, round(node.out * share))
            return replace(node, out=out, groups=_groups(node.groups, channels, out))
        parts: list[Node] = []
        current = channels
        for _, part in children(node):
            parts.append(go(part, current))
            if isinstance(node, Chain):
                current = out_channels(parts[-1], current)
        node = rebuild(node, parts)
        if isinstance(node, Concat):
            return replace(node, out=None)
        return _closed(node, channels) if isinstance(node, Residual) else node

    node = go(node, channels)
    return with_padding(node, padding) if padding else node


def _groups(groups: int, channels: int, out: int) -> int:
    """The largest number of groups, at most `groups`, into which both channel counts fall."""
    return next(g for g in range(groups, 0, -1) if channels % g == out % g == 0)


def _closed(node: Residual, channels: int) -> Node:
    """The same block with a last convolution that has as many filters as the identity or shortcut
    that it is added to."""
    carried = channels if node.shortcut is None else out_channels(node.shortcut, channels)
    end = last_conv(node)
    conv = at(node, end)
    assert isinstance(conv, Conv)
    return put(node, end, replace(conv, out=carried))


def without_sum(node: Residual) -> Node:
    """A residual block without its identity or shortcut: what was added is handed on, by a last
    convolution with batch norm and ReLU."""
    end = last_conv(node)
    conv = at(node, end)
    assert isinstance(conv, Conv)
    changed = put(node, end, replace(conv, norm=True, relu=True, bias=None))
    assert isinstance(changed, Residual)
    return changed.body


def _small_stem(channels: int, image: int) -> Chain:
    """Image → channels×n×n with n = image/2 (image/4 from 48 pixels): the last concatenation of
    Fig. 3, after two 3×3 convolutions that keep the grid."""
    # In eights: these maps are the largest, and processors work on 8 channels at once (10 cost a
    # quarter more than 8).
    first = max(8, 8 * round(channels / 24))
    halve = (Conv(first, 3, 2),) if image >= 48 else ()
    join = Concat(Conv(max(4, channels - first), 3, 2), MaxPool(3, 2))
    return Chain(*halve, Conv(first, 3), Conv(first, 3), join, name="Small stem")


def mini(
    network: Network,
    width: float = 1 / 8,
    repeats: tuple[int, ...] | None = (1, 2, 1),
    image: int = 32,
    scale: float | None = None,
    classes: int = 10,
    dropout: float = 0.0,
    channels: int = 3,
    heads: bool = False,
    residual: bool = True,
) -> Network:
    """A small trainable network of the same blocks: filters times `width`, `repeats` blocks in each
    stage.

    The big stem is replaced by three convolutions, and V by same padding, so a 32×32 image gives
    the stages 16×16, 8×8 and 4×4 maps. Where a network's stage is not uniform, the first blocks and
    the last one are kept. `repeats=None` keeps the printed numbers; `scale=None` keeps each block's
    own scale. `heads` keeps the network's auxiliary heads, each at its place in its stage;
    `residual=False` takes the sums away (`without_sum`).
    Raises `SpecError` where `repeats` does not fit the network's stages or a number is out of
    range.
    """
    check_network(network)
    _whole(image=image, classes=classes, channels=channels)
    _flags(heads=heads, residual=residual)
    stages: dict[str, list[Node]] = {}
    for block in network.blocks:
        if block.stage:
            stages.setdefault(block.stage, []).extend([block.node] * block.repeat)
    counts = tuple(map(len, stages.values())) if repeats is None else _counts(repeats)
    if len(counts) != len(stages):
        raise SpecError(
            f"{network.name} has {len(stages)} stages ({', '.join(stages)}): "
            f"`repeats` needs as many whole numbers of at least 0, got {repeats!r}."
        )
    if not is_number(width) or not 0 < width <= 1:
        raise SpecError(
            f"`width` is a share of the paper's filters, above 0 and at most 1, got {width!r}."
        )
    if image < 8:
        raise SpecError(f"A mini network needs images of at least 8×8 pixels, got {image}.")
    wanted = dict(zip(stages, counts))

    stem = out_channels(network.blocks[0].node, network.channels)
    blocks = [Block("stem", _small_stem(max(16, round(stem * width)), image))]
    current = out_channels(blocks[0].node, channels)
    asides = _places(network, wanted) if heads else {}
    kept: list[Head] = []
    done = set()
    for block in network.blocks[1:]:
        if block.stage in done:
            continue
        if block.stage:
            done.add(block.stage)
            nodes = _pick(stages[block.stage], wanted[block.stage])
        else:
            nodes = [block.node]
        name = block.name if not block.stage or block.stage.isdigit() else _stage_name(block)
        runs: list[Block] = []
        for i, node in enumerate(nodes):
            if scale is not None and isinstance(node, Residual) and node.shortcut is None:
                node = replace(node, scale=scale)
            node = thin(node, width, current, padding="same")
            if not residual and isinstance(node, Residual):
                node = without_sum(node)
            current = out_channels(node, current)
            if runs and runs[-1].node == node and not asides.get((block.stage, i - 1)):
                runs[-1] = replace(runs[-1], repeat=runs[-1].repeat + 1)
            else:
                runs.append(
                    Block(name if not runs else f"{name}_{len(runs) + 1}", node, 1, block.stage)
                )
            for head in asides.get((block.stage, i), ()):
                kept.append(replace(head, after=runs[-1].name, dropout=dropout))
        blocks += runs
    small = replace(
        network,
        name=f"mini {network.name}",
        heads=(),
        blocks=tuple(blocks),
        classes=classes,
        dropout=dropout,
        image=image,
        channels=channels,
    )
    if not kept:
        return small
    found = trace(small)
    return replace(
        small, heads=tuple(_small_head(h, width, found.of(h.after)[-1].output) for h in kept)
    )


def _whole(**numbers: object) -> None:
    for name, number in numbers.items():
        if not is_whole(number) or number < 1:  # type: ignore[operator]
            raise SpecError(f"{name} should be a whole number of at least 1, got {number!r}.")


def _flags(**flags: object) -> None:
    for name, flag in flags.items():
        if not isinstance(flag, bool):
            raise SpecError(f"{name} is True or False, got {flag!r}.")


def _counts(repeats: Iterable[int]) -> tuple[int, ...]:
    """`repeats` as a tuple; an empty one where they are no whole numbers of at least 0."""
    counts = tuple(repeats) if isinstance(repeats, Iterable) else ()
    return counts if all(is_whole(n) and n >= 0 for n in counts) else ()


def _places(network: Network, wanted: dict[str, int]) -> dict[tuple[str, int], list[Head]]:
    """Behind which of a stage's kept blocks each head stands: {(stage, number): heads}, at the same
    share of the stage as in the whole network. A head of a stage without blocks is left out."""
    found: dict[tuple[str, int], list[Head]] = {}
    for head in network.heads:
        stage = network[head.after].stage
        names = [b.name for b in network.blocks if b.stage == stage for _ in range(b.repeat)]
        last = len(names) - 1 - names[::-1].index(head.after)
        if count := wanted.get(stage, 0):
            place = round(last * (count - 1) / max(1, len(names) - 1))
            found.setdefault((stage, place), []).append(head)
    return found


def _small_head(head: Head, width: float, shape: Shape) -> Head:
    """A head with filters times `width` for maps of `shape`. As in the whole networks its last
    kernel covers all that the pooling leaves."""
    node = thin(head.node, width, shape[0])
    assert isinstance(node, Chain)
    pool, *convs = node.parts
    assert isinstance(pool, Pool) and isinstance(convs[-1], Conv)
    side = min(pool.kernel[0], shape[1])
    pool = replace(pool, kernel=(side, side))
    convs[-1] = replace(convs[-1], kernel=out_shape(pool, shape)[1:])
    return replace(head, node=replace(node, parts=(pool, *convs)))


def _stage_name(block: Block) -> str:
    kind = "inception_resnet" if isinstance(block.node, Residual) else "inception"
    return f"{kind}_{block.stage.lower()}"


def _pick(nodes: list[Node], count: int) -> list[Node]:
    """`count` of a stage's blocks: the first ones and the last; the first repeats where more are
    asked for."""
    if count == 0:
        return []
    extra = max(0, count - len(nodes))
    return [nodes[0]] * extra + nodes[: max(0, min(count, len(nodes)) - 1)] + [nodes[-1]]


def tower(
    width: int = 576,
    depth: int = 10,
    scale: float = 1.0,
    residual: bool = True,
    image: int = 32,
    classes: int = 10,
    last_norm: bool = False,
    learnable: bool = False,
    channels: int = 3,
    bottleneck: bool = True,
) -> Network:
    """`depth` blocks of Fig. 13's branches on a trunk of `width` channels and a grid of image/8,
    after three convs.

    Everything but width, depth and scale is left out, so that their effect can be seen alone:
    Section 3.3's instability above 1000 filters in a network that trains in seconds.
    `residual=False` is the same network without the identity: concatenation, then 1×1 convolution
    with batch norm and ReLU. `last_norm` adds a batch norm to the last block's linear 1×1, the
    remedy that Section 3.3 says does not help. Fig. 13's branches hand on 384 of 1792 channels;
    `bottleneck=False` widens them until they hand on as many as the trunk has.
    Raises `SpecError` for fewer than 8 channels or a negative depth.
    """
    _whole(image=image, classes=classes, channels=channels)
    _flags(residual=residual, last_norm=last_norm, bottleneck=bottleneck)
    whole = is_whole(width) and is_whole(depth)
    if not whole or width < 8 or depth < 0:
        raise SpecError(
            "A tower needs a width of at least 8 and a depth of at least 0, whole numbers, "
            f"got {width!r} and {depth!r}."
        )
    stem = Chain(
        Conv(min(32, width), 3, 2),
        Conv(min(64, width), 3, 2),
        Conv(width, 3, 2),
        name="Three convolutions",
    )
    factor = width / (1792 if bottleneck else 384)
    block = thin(replace(InceptionResNetC_v1(scale), learnable=learnable), factor, width)
    assert isinstance(block, Residual) and isinstance(block.body, Chain)
    branches = block.body.parts[0]
    plain = Chain(
        branches,
        Conv(width, 1),
        name="Inception-C without identity",
        figure="after Fig. 13",
    )
    blocks = [Block("stem", stem)]
    if not residual and depth:
        blocks.append(Block("inception_c", plain, depth, "C"))
    elif last_norm and depth:
        normed = replace(block, body=Chain(branches, replace(Linear(width), norm=True)))
        blocks += [Block("inception_resnet_c", block, depth - 1, "C")] if depth > 1 else []
        blocks.append(Block("inception_resnet_c_last", normed, 1, "C"))
    elif depth:
        blocks.append(Block("inception_resnet_c", block, depth, "C"))
    name = f"{'residual' if residual else 'plain'} tower, width {width}, depth {depth}"
    return Network(name, tuple(blocks), classes, 0.0, image, channels)
