"""The networks as lists of named, repeated blocks. No torch.

inception_v4()                     Fig. 9
inception_resnet_v1()              Fig. 15 with Figs. 14 and 10 to 13
inception_resnet_v2()              Fig. 15 with Figs. 3 and 16 to 19
inception_resnet_v2_released()     the network that the authors published under that name
inception_v3(), resnet()           the paper's baselines
make(kind, …)                      any of them, or a small one, from plain words and numbers
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from inception_edu._lazy import TYPE_CHECKING
from inception_edu.describe import baselines as b
from inception_edu.describe import figures as f
from inception_edu.describe.baseline_networks import inception_v3 as inception_v3
from inception_edu.describe.baseline_networks import resnet as resnet
from inception_edu.describe.blocks import Block as Block
from inception_edu.describe.blocks import Network as Network
from inception_edu.describe.printed import FIG_9, FIG_15, Row
from inception_edu.describe.small import mini as mini
from inception_edu.describe.small import tower as tower
from inception_edu.describe.spec import Conv, Node, SpecError

if TYPE_CHECKING:
    from typing import Any


def _stage(block: str) -> str:
    """inception_a → A, inception_resnet_b → B; stems and reductions are no stage."""
    return block[-1].upper() if block.startswith("inception_") and block[-2] == "_" else ""


def _from_overview(
    rows: tuple[Row, ...], nodes: dict[str, Node], printed_sizes: bool = True
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
    nodes: dict[str, Node] = {
        "stem": f.StemV4(orientation),
        "inception_a": f.InceptionA(),
        "reduction_a": f.ReductionA(**f.TABLE_1["inception_v4"]),
        "inception_b": f.InceptionB(orientation),
        "reduction_b": f.ReductionB(),
        "inception_c": f.InceptionC(orientation),
    }
    name = "Inception-v4" + (" (released)" if orientation == "released" else "")
    return Network(name, _from_overview(FIG_9, nodes))


def inception_resnet_v1(scale: float = 0.1) -> Network:
    """Inception-ResNet-v1, Fig. 15: 3×299×299 → 1792 features. `scale` as in Fig. 20 ("typically
    around 0.1")."""
    nodes: dict[str, Node] = {
        "stem": f.StemV1(),
        "inception_resnet_a": f.InceptionResNetA_v1(scale),
        "reduction_a": f.ReductionA(**f.TABLE_1["inception_resnet_v1"]),
        "inception_resnet_b": f.InceptionResNetB_v1(scale),
        "reduction_b": f.ReductionB_v1(),
        "inception_resnet_c": f.InceptionResNetC_v1(scale),
    }
    return Network("Inception-ResNet-v1", _from_overview(FIG_15, nodes))


def inception_resnet_v2(scale: float = 0.1, printed: bool = False) -> Network:
    """Inception-ResNet-v2, Fig. 15: 3×299×299 → 2144 features, in the one reading in which all sums
    close.

    `printed=True` keeps the 1154 and 2048 filters that Figs. 17 and 19 print: such a network cannot
    be built, and measuring it raises the `ChannelError` that shows why.
    """
    nodes: dict[str, Node] = {
        "stem": f.StemV4(),
        "inception_resnet_a": f.InceptionResNetA_v2(scale),
        "reduction_a": f.ReductionA(**f.TABLE_1["inception_resnet_v2"]),
        "inception_resnet_b": f.InceptionResNetB_v2(scale, printed=printed),
        "reduction_b": f.ReductionB_v2(),
        "inception_resnet_c": f.InceptionResNetC_v2(scale, printed=printed),
    }
    name = "Inception-ResNet-v2" + (" (as printed)" if printed else "")
    return Network(name, _from_overview(FIG_15, nodes, printed_sizes=False))


def inception_resnet_v2_released() -> Network:
    """The network published as Inception-ResNet-v2 (slim, Keras, timm): 3×299×299 → 1536 features.

    Inception-v3's stem and Mixed_5b, 10/20/10 narrower blocks with scales 0.17, 0.10 and 0.20, the
    last one unscaled and without ReLU, and a 1×1 convolution with 1536 filters before the pooling.
    """
    return Network(
        "Inception-ResNet-v2 (released)",
        (
            Block("stem", b.StemV3()),
            Block("mixed_5b", b.Mixed_5b()),
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


NETWORKS: dict[str, Callable[[], Network]] = {
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
    """A network by its key: of the paper in `NETWORKS`, of its family in `FAMILY`.
    Raises `SpecError` where there is none."""
    from inception_edu.describe.family import FAMILY

    known: dict[str, Callable[[], Network]] = {**NETWORKS, **FAMILY}
    if name not in known:
        raise SpecError(f"There is no network {name!r}; choose one of {', '.join(known)}.")
    return known[name]()


def make(kind: str, **options: Any) -> Network:
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
