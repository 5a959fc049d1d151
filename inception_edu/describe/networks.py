"""The networks as lists of named, repeated blocks, and small trainable ones made of the same
blocks. No torch.

inception_v4()                     Fig. 9
inception_resnet_v1()              Fig. 15 with Figs. 14 and 10 to 13
inception_resnet_v2()              Fig. 15 with Figs. 3 and 16 to 19
inception_resnet_v2_released()     the network that the authors published under that name
inception_v3(), resnet()           the paper's baselines
mini(network, width, repeats)      any of them, small enough to train in seconds
tower(width, depth, scale)         one stage of Fig. 13 blocks, to study depth, width and scale
                                   alone
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from inception_edu.describe import figures as f
from inception_edu.describe.spec import (
    Chain,
    ChannelError,
    Concat,
    Conv,
    Linear,
    MaxPool,
    Node,
    Pool,
    Residual,
    Shape,
    SpecError,
    out_shape,
)


@dataclass(frozen=True)
class Block:
    """`repeat` copies of one description. `stage` is A, B or C (2 to 5 for ResNet) for the blocks
    that a network repeats, and empty for stems, reductions and the like; `output` is the shape (C,
    H, W) the paper prints."""

    name: str
    node: Node
    repeat: int = 1
    stage: str = ""
    output: Shape | None = None


@dataclass(frozen=True)
class Network:
    """Blocks in order, then average pooling over the whole map, dropout and a linear classifier.

    `dropout` is the share dropped (the paper keeps 0.8); `image` the side of the square input in
    pixels; `norm_eps` the constant in batch norm's denominator.
    """

    name: str
    blocks: tuple[Block, ...]
    classes: int = 1000
    dropout: float = 0.2
    image: int = 299
    channels: int = 3
    norm_eps: float = 1e-3

    @property
    def input(self) -> Shape:
        return (self.channels, self.image, self.image)

    def __getitem__(self, name: str) -> Block:
        for block in self.blocks:
            if block.name == name:
                return block
        raise KeyError(
            f"{self.name} has no block {name!r}; it has {', '.join(b.name for b in self.blocks)}."
        )

    def __repr__(self):
        rows = "".join(f"\n  {b.repeat:>2} × {b.name}: {_first_line(b.node)}" for b in self.blocks)
        return (
            f"Network {self.name}, {self.image}×{self.image}×{self.channels} in, {self.classes} classes, "
            f"dropout {self.dropout:g}:{rows}"
        )


def _first_line(node: Node) -> str:
    figure, name = getattr(node, "figure", ""), getattr(node, "name", "")
    return " ".join(filter(None, [figure, name])) or repr(node)


def _stage(block: str) -> str:
    """inception_a → A, inception_resnet_b → B; stems and reductions are no stage."""
    return block[-1].upper() if block.startswith("inception_") and block[-2] == "_" else ""


def _from_overview(
    rows: tuple[f.Row, ...], nodes: dict[str, Node], printed_sizes: bool = True
) -> tuple[Block, ...]:
    return tuple(
        Block(
            r.block, nodes[r.block], r.repeat, _stage(r.block), r.output if printed_sizes else None
        )
        for r in rows
    )


def inception_v4(orientation: str = "paper") -> Network:
    """Inception-v4, Fig. 9: 3×299×299 → 1536 features. Section 3.1.

    `orientation="paper"` has the 1×n and n×1 kernels as the figures print them, "released" as in
    the published code and weights; both have the same shapes and cost.
    """
    nodes = {
        "stem": f.StemV4(orientation),
        "inception_a": f.InceptionA(),
        "reduction_a": f.ReductionA(**f.TABLE_1["inception_v4"]),
        "inception_b": f.InceptionB(orientation),
        "reduction_b": f.ReductionB(),
        "inception_c": f.InceptionC(orientation),
    }
    name = "Inception-v4" + (" (released)" if orientation == "released" else "")
    return Network(name, _from_overview(f.FIG_9, nodes))


def inception_resnet_v1(scale: float = 0.1) -> Network:
    """Inception-ResNet-v1, Fig. 15: 3×299×299 → 1792 features. `scale` as in Fig. 20 ("typically
    around 0.1")."""
    nodes = {
        "stem": f.StemV1(),
        "inception_resnet_a": f.InceptionResNetA_v1(scale),
        "reduction_a": f.ReductionA(**f.TABLE_1["inception_resnet_v1"]),
        "inception_resnet_b": f.InceptionResNetB_v1(scale),
        "reduction_b": f.ReductionB_v1(),
        "inception_resnet_c": f.InceptionResNetC_v1(scale),
    }
    return Network("Inception-ResNet-v1", _from_overview(f.FIG_15, nodes))


def inception_resnet_v2(scale: float = 0.1, printed: bool = False) -> Network:
    """Inception-ResNet-v2, Fig. 15: 3×299×299 → 2144 features, in the one reading in which all sums
    close.

    `printed=True` keeps the 1154 and 2048 filters that Figs. 17 and 19 print: such a network cannot
    be built, and measuring it raises the `ChannelError` that shows why.
    """
    nodes = {
        "stem": f.StemV4(),
        "inception_resnet_a": f.InceptionResNetA_v2(scale),
        "reduction_a": f.ReductionA(**f.TABLE_1["inception_resnet_v2"]),
        "inception_resnet_b": f.InceptionResNetB_v2(scale, printed=printed),
        "reduction_b": f.ReductionB_v2(),
        "inception_resnet_c": f.InceptionResNetC_v2(scale, printed=printed),
    }
    name = "Inception-ResNet-v2" + (" (as printed)" if printed else "")
    return Network(name, _from_overview(f.FIG_15, nodes, printed_sizes=False))


def inception_resnet_v2_released() -> Network:
    """The network published as Inception-ResNet-v2 (slim, Keras, timm): 3×299×299 → 1536 features.

    Inception-v3's stem and Mixed_5b, 10/20/10 narrower blocks with scales 0.17, 0.10 and 0.20, the
    last one unscaled and without ReLU, and a 1×1 convolution with 1536 filters before the pooling.
    """
    return Network(
        "Inception-ResNet-v2 (released)",
        (
            Block("stem", f.StemV3()),
            Block("mixed_5b", f.Mixed_5b()),
            Block("inception_resnet_a", f.InceptionResNetA_v2(0.17, filters=320), 10, "A"),
            Block("reduction_a", f.ReductionA(**f.TABLE_1["inception_resnet_v2"])),
            Block("inception_resnet_b", f.InceptionResNetB_v2(0.10, filters=1088), 20, "B"),
            Block("reduction_b", f.ReductionB_v2()),
            Block("inception_resnet_c", f.InceptionResNetC_v2(0.20, filters=2080), 9, "C"),
            Block(
                "inception_resnet_c_last",
                f.InceptionResNetC_v2(1.0, filters=2080, relu=False),
                1,
                "C",
            ),
            Block("conv_7b", Conv(1536, 1)),
        ),
    )


def inception_v3(count_padding: bool = True) -> Network:
    """Inception-v3 (arXiv 1512.00567) as released, without its auxiliary head: 3×299×299 → 2048
    features.

    `count_padding=True` averages over padded zeros as torchvision and timm do, False as TensorFlow
    does.
    """
    a, b, c = (
        (lambda *args, make=make: make(*args, count_padding=count_padding))
        for make in (f.InceptionA_v3, f.InceptionB_v3, f.InceptionC_v3)
    )
    return Network(
        "Inception-v3",
        (
            Block("stem", f.StemV3()),
            Block("mixed_5b", a(32), 1, "A"),
            Block("mixed_5c", a(64), 2, "A"),
            Block("mixed_6a", f.ReductionA_v3()),
            Block("mixed_6b", b(128), 1, "B"),
            Block("mixed_6c", b(160), 2, "B"),
            Block("mixed_6e", b(192), 1, "B"),
            Block("mixed_7a", f.ReductionB_v3()),
            Block("mixed_7b", c(), 2, "C"),
        ),
    )


def resnet(depth: int = 152) -> Network:
    """ResNet-50, -101 or -152 (arXiv 1512.03385): 3×224×224 → 2048 features. The paper's
    "ResNet-151" is the 152."""
    stages = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
    if depth not in stages:
        raise SpecError(f"ResNet is described here with 50, 101 or 152 layers, not {depth}.")
    blocks = [Block("stem", f.StemResNet())]
    for i, repeat in enumerate(stages[depth], 2):
        inner = 64 * 2 ** (i - 2)
        first = f.Bottleneck(inner, stride=1 if i == 2 else 2, project=True)
        blocks += [
            Block(f"conv{i}_1", first),
            Block(f"conv{i}", f.Bottleneck(inner), repeat - 1, str(i)),
        ]
    return Network(f"ResNet-{depth}", tuple(blocks), dropout=0.0, image=224, norm_eps=1e-5)


NETWORKS = {
    "inception_v3": inception_v3,
    "inception_v4": inception_v4,
    "inception_v4_released": lambda: inception_v4("released"),
    "inception_resnet_v1": inception_resnet_v1,
    "inception_resnet_v2": inception_resnet_v2,
    "inception_resnet_v2_released": inception_resnet_v2_released,
    "resnet50": lambda: resnet(50),
    "resnet101": lambda: resnet(101),
    "resnet152": lambda: resnet(152),
}


def network(name: str) -> Network:
    """A network of the paper by its key in `NETWORKS`."""
    if name not in NETWORKS:
        raise SpecError(f"There is no network {name!r}; choose one of {', '.join(NETWORKS)}.")
    return NETWORKS[name]()


# --- Small trainable networks ---------------------------------------------------------------------


def thin(node: Node, width: float, channels: int, padding: str | None = None) -> Node:
    """The same block with every filter count times `width`, for an input of `channels` channels.

    The linear end of an identity block takes `channels` filters, so that the addition closes at any
    width. `padding` replaces the printed padding: small maps cannot afford to lose a border in each
    V.
    """

    def filters(n: int) -> int:
        # Never fewer than 4 filters: a branch of one or two dies too easily to teach anything.
        return max(4, round(n * Fraction(width).limit_denominator(4096)))

    def go(node: Node, channels: int) -> Node:
        if isinstance(node, (Conv, Pool)):
            changes = {"padding": padding} if padding else {}
            return replace(
                node, **changes, **({"out": filters(node.out)} if isinstance(node, Conv) else {})
            )
        if isinstance(node, Chain):
            parts, current = [], channels
            for part in node.parts:
                parts.append(go(part, current))
                current = out_channels(parts[-1], current)
            return Chain(*parts, name=node.name, figure=node.figure)
        if isinstance(node, Concat):
            return Concat(
                *(go(b, channels) for b in node.branches), name=node.name, figure=node.figure
            )
        shortcut = None if node.shortcut is None else go(node.shortcut, channels)
        carried = channels if shortcut is None else out_channels(shortcut, channels)
        return replace(node, body=_end_with(go(node.body, channels), carried), shortcut=shortcut)

    return go(node, channels)


def out_channels(node: Node, channels: int) -> int:
    """Channels that leave `node` when `channels` enter, whatever the map's size."""
    return out_shape(node, (channels, 1025, 1025))[0]


def _end_with(body: Node, out: int) -> Chain:
    if not (isinstance(body, Chain) and isinstance(body.parts[-1], Conv)):
        raise ChannelError("A residual branch must be a chain that ends with a convolution.")
    return Chain(
        *body.parts[:-1], replace(body.parts[-1], out=out), name=body.name, figure=body.figure
    )


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
) -> Network:
    """A small trainable network of the same blocks: filters times `width`, `repeats` blocks in each
    stage.

    The big stem is replaced by three convolutions, and V by same padding, so a 32×32 image gives
    the stages 16×16, 8×8 and 4×4 maps. Where a network's stage is not uniform, the first blocks and
    the last one are kept. `repeats=None` keeps the printed numbers; `scale=None` keeps each block's
    own scale.
    Raises `SpecError` where `repeats` does not fit the network's stages or a number is out of
    range.
    """
    stages: dict[str, list[Node]] = {}
    for block in network.blocks:
        if block.stage:
            stages.setdefault(block.stage, []).extend([block.node] * block.repeat)
    counts = tuple(map(len, stages.values())) if repeats is None else tuple(repeats)
    if len(counts) != len(stages) or any(n < 0 for n in counts):
        raise SpecError(
            f"{network.name} has {len(stages)} stages ({', '.join(stages)}): "
            f"`repeats` needs as many numbers of at least 0, got {counts}."
        )
    if not 0 < width <= 1:
        raise SpecError(
            f"`width` is a share of the paper's filters, above 0 and at most 1, got {width}."
        )
    if image < 8:
        raise SpecError(f"A mini network needs images of at least 8×8 pixels, got {image}.")
    wanted = dict(zip(stages, counts))

    stem = out_channels(network.blocks[0].node, network.channels)
    blocks = [Block("stem", _small_stem(max(16, round(stem * width)), image))]
    current = out_channels(blocks[0].node, channels)
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
        for node in nodes:
            if scale is not None and isinstance(node, Residual) and node.shortcut is None:
                node = replace(node, scale=scale)
            node = thin(node, width, current, padding="same")
            current = out_channels(node, current)
            if runs and runs[-1].node == node:
                runs[-1] = replace(runs[-1], repeat=runs[-1].repeat + 1)
            else:
                runs.append(
                    Block(name if not runs else f"{name}_{len(runs) + 1}", node, 1, block.stage)
                )
        blocks += runs
    return replace(
        network,
        name=f"mini {network.name}",
        blocks=tuple(blocks),
        classes=classes,
        dropout=dropout,
        image=image,
        channels=channels,
    )


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
    """
    if width < 8 or depth < 0:
        raise SpecError(
            f"A tower needs a width of at least 8 and a depth of at least 0, got {width} and {depth}."
        )
    stem = Chain(
        Conv(min(32, width), 3, 2),
        Conv(min(64, width), 3, 2),
        Conv(width, 3, 2),
        name="Three convolutions",
    )
    factor = width / (1792 if bottleneck else 384)
    block = thin(replace(f.InceptionResNetC_v1(scale), learnable=learnable), factor, width)
    plain = Chain(
        block.body.parts[0],
        Conv(width, 1),
        name="Inception-C without identity",
        figure="after Fig. 13",
    )
    blocks = [Block("stem", stem)]
    if last_norm and residual and depth:
        normed = replace(block, body=Chain(block.body.parts[0], replace(Linear(width), norm=True)))
        blocks += [Block("inception_resnet_c", block, depth - 1, "C")] if depth > 1 else []
        blocks += [Block("inception_resnet_c_last", normed, 1, "C")]
    elif depth:
        blocks += [
            Block(
                "inception_resnet_c" if residual else "inception_c",
                block if residual else plain,
                depth,
                "C",
            )
        ]
    name = f"{'residual' if residual else 'plain'} tower, width {width}, depth {depth}"
    return Network(name, tuple(blocks), classes, 0.0, image, channels)


def make(kind: str, **options) -> Network:
    """A network from plain words and numbers, as result files and checkpoints hold them.

    `make("mini", network="inception_v4", width=0.25, repeats=[1, 2, 1])`,
    `make("tower", width=576, scale=0.1)`, or a key of `NETWORKS`. Raises `SpecError` where the kind
    or an option is unknown.
    """
    try:
        if kind == "tower":
            return tower(**options)
        if kind == "mini":
            return mini(network(options.pop("network")), **options)
        return replace(network(kind), **options)
    except (TypeError, KeyError) as error:
        raise SpecError(f"{kind!r} cannot be made from these options: {error}.") from None
