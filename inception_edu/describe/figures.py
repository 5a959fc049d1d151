"""The paper's figures and Tables 1 to 5 as data, under their numbers. No torch.

Branches stand in the order of the printed figure, left to right. Numbers are the paper's own; where
the print cannot be meant (misprints) the docstring says so, and `printed=True` gives the printed
numbers all the same, so that the channel arithmetic can be seen to fail. `orientation="released"`
gives the order of 1×n and n×1 kernels in the code that the authors published; shapes, parameters
and multiply-adds are the same in both.

Residual blocks carry `scale=1.0` by default, as drawn in Figs. 10 to 19; Fig. 20 adds the scale.
"""

from __future__ import annotations

from dataclasses import dataclass

from inception_edu.describe.spec import (
    AvgPool,
    Chain,
    Concat,
    Conv,
    Linear,
    MaxPool,
    Node,
    Residual,
    Shape,
    SpecError,
)

# Table 1: filters of the shared Reduction-A (Fig. 7) in the three networks.
TABLE_1 = {
    "inception_v4": dict(k=192, l=224, m=256, n=384),
    "inception_resnet_v1": dict(k=192, l=192, m=256, n=384),
    "inception_resnet_v2": dict(k=256, l=256, m=384, n=384),
}

# Tables 2 to 5: errors in percent on ImageNet's 50,000 validation images, as arXiv 1602.07261
# prints them. "ResNet-151" is He et al.'s ResNet-152; its rows were not measured by the authors of
# this paper. Table 2: one crop, and without the blacklisted images, which makes it look better than
# Tables 3 to 5 by about what `BLACKLISTED` says (Section 5). Table 3: 12 crops; Table 4: 144 crops;
# for ResNet 10 crops, and dense.
VALIDATION_IMAGES = 50_000
BLACKLISTED = dict(images=1700, top1=0.3, top5=0.15)
TABLE_2 = {
    "bn_inception": dict(crops="1 crop", top1=25.2, top5=7.8),
    "inception_v3": dict(crops="1 crop", top1=21.2, top5=5.6),
    "inception_resnet_v1": dict(crops="1 crop", top1=21.3, top5=5.5),
    "inception_v4": dict(crops="1 crop", top1=20.0, top5=5.0),
    "inception_resnet_v2": dict(crops="1 crop", top1=19.9, top5=4.9),
}
TABLE_3 = {
    "resnet_151": dict(crops="10 crops", top1=21.4, top5=5.7),
    "inception_v3": dict(crops="12 crops", top1=19.8, top5=4.6),
    "inception_resnet_v1": dict(crops="12 crops", top1=19.8, top5=4.6),
    "inception_v4": dict(crops="12 crops", top1=18.7, top5=4.2),
    "inception_resnet_v2": dict(crops="12 crops", top1=18.7, top5=4.1),
}
TABLE_4 = {
    "resnet_151": dict(crops="dense", top1=19.4, top5=4.5),
    "inception_v3": dict(crops="144 crops", top1=18.9, top5=4.3),
    "inception_resnet_v1": dict(crops="144 crops", top1=18.8, top5=4.3),
    "inception_v4": dict(crops="144 crops", top1=17.7, top5=3.8),
    "inception_resnet_v2": dict(crops="144 crops", top1=17.8, top5=3.7),
}
# Ensembles; the paper prints no top-1 for the first. The last one's top-5 error on the test images
# stands in the text.
TABLE_5 = {
    "resnet": dict(networks={"resnet_151": 6}, crops="dense", top1=None, top5=3.6),
    "inception_v3": dict(networks={"inception_v3": 4}, crops="144 crops", top1=17.3, top5=3.6),
    "mixed": dict(
        networks={"inception_v4": 1, "inception_resnet_v2": 3},
        crops="144 crops",
        top1=16.5,
        top5=3.1,
    ),
}
TEST_TOP5 = 3.08
# What the AAAI version, which numbers these tables one lower, prints differently: (table here, row)
# → its numbers. The ResNet row is BN-Inception's of Table 2 again, evidently a slip.
AAAI = {
    ("TABLE_3", "resnet_151"): dict(top1=25.2, top5=7.8),
    ("TABLE_5", "mixed"): dict(top1=16.4, top5=3.1),
}


def _turned(orientation: str) -> bool:
    if orientation not in ("paper", "released"):
        raise SpecError(f'orientation is "paper" or "released", got {orientation!r}.')
    return orientation == "released"


# --- Residual connections in general --------------------------------------------------------------


def ResidualConnection(filters: int = 64) -> Residual:
    """Fig. 1: two 3×3 convolutions beside the identity, added, then ReLU. N×filters×H×W in and
    out."""
    return Residual(
        Chain(Conv(filters, 3), Conv(filters, 3, relu=False)),
        name="Residual connection",
        figure="Fig. 1",
    )


def ReducedResidualConnection(filters: int = 256, inner: int = 64) -> Residual:
    """Fig. 2: the same with 1×1 convolutions around the 3×3, which spare computation."""
    body = Chain(Conv(inner, 1), Conv(inner, 3), Conv(filters, 1, relu=False))
    return Residual(body, name="Residual connection with 1×1", figure="Fig. 2")


def ScaledResidualBlock(scale: float = 0.1, filters: int = 256) -> Residual:
    """Fig. 20: any inner network, its last *linear* activations times a constant, added, then
    ReLU."""
    inner = InceptionResNetA_v1(filters=filters).body
    return Residual(inner, scale=scale, name="Scaled residual block", figure="Fig. 20")


# --- Inception-v4 ---------------------------------------------------------------------------------


def StemV4(orientation: str = "paper") -> Chain:
    """Fig. 3: 3×299×299 → 384×35×35, for Inception-v4 and Inception-ResNet-v2.

    The print leaves out the stride 2 of the last 192-filter convolution; 71 → 35 needs it.
    The released code swaps 7×1 and 1×7.
    """
    first, second = ((1, 7), (7, 1)) if _turned(orientation) else ((7, 1), (1, 7))
    return Chain(
        Conv(32, 3, 2, "valid"),
        Conv(32, 3, 1, "valid"),
        Conv(64, 3),
        Concat(MaxPool(3, 2, "valid"), Conv(96, 3, 2, "valid"), out=160),
        Concat(
            Chain(Conv(64, 1), Conv(96, 3, 1, "valid")),
            Chain(Conv(64, 1), Conv(64, first), Conv(64, second), Conv(96, 3, 1, "valid")),
            out=192,
        ),
        Concat(Conv(192, 3, 2, "valid"), MaxPool(3, 2, "valid"), out=384),
        name="Stem",
        figure="Fig. 3",
    )


def InceptionA() -> Concat:
    """Fig. 4: 384×35×35 → 384×35×35."""
    return Concat(
        Chain(AvgPool(3), Conv(96, 1)),
        Conv(96, 1),
        Chain(Conv(64, 1), Conv(96, 3)),
        Chain(Conv(64, 1), Conv(96, 3), Conv(96, 3)),
        out=384,
        name="Inception-A",
        figure="Fig. 4",
    )


def InceptionB(orientation: str = "paper") -> Concat:
    """Fig. 5: 1024×17×17 → 1024×17×17.

    The paper prints two 1×7 in a row in the third branch; the released code has 1×7, 7×1, and turns
    the fourth branch round.
    """
    if _turned(orientation):
        short, long = ((1, 7), (7, 1)), ((7, 1), (1, 7), (7, 1), (1, 7))
    else:
        short, long = ((1, 7), (1, 7)), ((1, 7), (7, 1), (1, 7), (7, 1))
    return Concat(
        Chain(AvgPool(3), Conv(128, 1)),
        Conv(384, 1),
        Chain(Conv(192, 1), Conv(224, short[0]), Conv(256, short[1])),
        Chain(
            Conv(192, 1),
            Conv(192, long[0]),
            Conv(224, long[1]),
            Conv(224, long[2]),
            Conv(256, long[3]),
        ),
        out=1024,
        name="Inception-B",
        figure="Fig. 5",
    )


def InceptionC(orientation: str = "paper") -> Concat:
    """Fig. 6: 1536×8×8 → 1536×8×8. The released code turns 1×3 448 → 3×1 512 into 3×1 448 → 1×3
    512."""
    first, second = ((3, 1), (1, 3)) if _turned(orientation) else ((1, 3), (3, 1))
    return Concat(
        Chain(AvgPool(3), Conv(256, 1)),
        Conv(256, 1),
        Chain(Conv(384, 1), Concat(Conv(256, (1, 3)), Conv(256, (3, 1)))),
        Chain(
            Conv(384, 1),
            Conv(448, first),
            Conv(512, second),
            Concat(Conv(256, (3, 1)), Conv(256, (1, 3))),
        ),
        out=1536,
        name="Inception-C",
        figure="Fig. 6",
    )


def ReductionA(k: int, l: int, m: int, n: int) -> Concat:  # noqa: E741 - the paper's own names, Table 1
    """Fig. 7: C×35×35 → (C+n+m)×17×17. k, l, m, n stand in Table 1."""
    return Concat(
        MaxPool(3, 2, "valid"),
        Conv(n, 3, 2, "valid"),
        Chain(Conv(k, 1), Conv(l, 3), Conv(m, 3, 2, "valid")),
        name="Reduction-A",
        figure="Fig. 7",
    )


def ReductionB() -> Concat:
    """Fig. 8: 1024×17×17 → 1536×8×8, Inception-v4."""
    return Concat(
        MaxPool(3, 2, "valid"),
        Chain(Conv(192, 1), Conv(192, 3, 2, "valid")),
        Chain(Conv(256, 1), Conv(256, (1, 7)), Conv(320, (7, 1)), Conv(320, 3, 2, "valid")),
        name="Reduction-B",
        figure="Fig. 8",
    )


# --- Inception-ResNet-v1 --------------------------------------------------------------------------


def StemV1() -> Chain:
    """Fig. 14: 3×299×299 → 256×35×35, Inception-ResNet-v1."""
    return Chain(
        Conv(32, 3, 2, "valid"),
        Conv(32, 3, 1, "valid"),
        Conv(64, 3),
        MaxPool(3, 2, "valid"),
        Conv(80, 1),
        Conv(192, 3, 1, "valid"),
        Conv(256, 3, 2, "valid"),
        name="Stem",
        figure="Fig. 14",
    )


def InceptionResNetA_v1(scale: float = 1.0, filters: int = 256) -> Residual:
    """Fig. 10: 256×35×35 → 256×35×35."""
    branches = Concat(
        Conv(32, 1), Chain(Conv(32, 1), Conv(32, 3)), Chain(Conv(32, 1), Conv(32, 3), Conv(32, 3))
    )
    return Residual(
        Chain(branches, Linear(filters)), scale, name="Inception-ResNet-A", figure="Fig. 10"
    )


def InceptionResNetB_v1(scale: float = 1.0) -> Residual:
    """Fig. 11: 896×17×17 → 896×17×17."""
    branches = Concat(Conv(128, 1), Chain(Conv(128, 1), Conv(128, (1, 7)), Conv(128, (7, 1))))
    return Residual(
        Chain(branches, Linear(896)), scale, name="Inception-ResNet-B", figure="Fig. 11"
    )


def ReductionB_v1() -> Concat:
    """Fig. 12: 896×17×17 → 1792×8×8."""
    return Concat(
        MaxPool(3, 2, "valid"),
        Chain(Conv(256, 1), Conv(384, 3, 2, "valid")),
        Chain(Conv(256, 1), Conv(256, 3, 2, "valid")),
        Chain(Conv(256, 1), Conv(256, 3), Conv(256, 3, 2, "valid")),
        name="Reduction-B",
        figure="Fig. 12",
    )


def InceptionResNetC_v1(scale: float = 1.0, relu: bool = True) -> Residual:
    """Fig. 13: 1792×8×8 → 1792×8×8."""
    branches = Concat(Conv(192, 1), Chain(Conv(192, 1), Conv(192, (1, 3)), Conv(192, (3, 1))))
    return Residual(
        Chain(branches, Linear(1792)), scale, relu, name="Inception-ResNet-C", figure="Fig. 13"
    )


# --- Inception-ResNet-v2 --------------------------------------------------------------------------


def InceptionResNetA_v2(scale: float = 1.0, filters: int = 384) -> Residual:
    """Fig. 16: 384×35×35 → 384×35×35 (320 in the released network)."""
    branches = Concat(
        Conv(32, 1), Chain(Conv(32, 1), Conv(32, 3)), Chain(Conv(32, 1), Conv(48, 3), Conv(64, 3))
    )
    return Residual(
        Chain(branches, Linear(filters)), scale, name="Inception-ResNet-A", figure="Fig. 16"
    )


def InceptionResNetB_v2(scale: float = 1.0, filters: int = 1152, printed: bool = False) -> Residual:
    """Fig. 17: 1152×17×17 → 1152×17×17 (1088 in the released network).

    The figure prints 1154 filters in the linear 1×1; Reduction-A delivers 384 + 384 + 384 = 1152.
    """
    branches = Concat(Conv(192, 1), Chain(Conv(128, 1), Conv(160, (1, 7)), Conv(192, (7, 1))))
    linear = Linear(1154 if printed else filters)
    return Residual(Chain(branches, linear), scale, name="Inception-ResNet-B", figure="Fig. 17")


def ReductionB_v2() -> Concat:
    """Fig. 18: 1152×17×17 → 2144×8×8. The caption says "v1"; Fig. 15's caption assigns it to v2."""
    return Concat(
        MaxPool(3, 2, "valid"),
        Chain(Conv(256, 1), Conv(384, 3, 2, "valid")),
        Chain(Conv(256, 1), Conv(288, 3, 2, "valid")),
        Chain(Conv(256, 1), Conv(288, 3), Conv(320, 3, 2, "valid")),
        name="Reduction-B",
        figure="Fig. 18",
    )


def InceptionResNetC_v2(
    scale: float = 1.0, filters: int = 2144, relu: bool = True, printed: bool = False
) -> Residual:
    """Fig. 19: 2144×8×8 → 2144×8×8 (2080 in the released network).

    The figure prints 2048 filters in the linear 1×1; Reduction-B delivers 1152 + 384 + 288 + 320 =
    2144.
    """
    branches = Concat(Conv(192, 1), Chain(Conv(192, 1), Conv(224, (1, 3)), Conv(256, (3, 1))))
    linear = Linear(2048 if printed else filters)
    return Residual(
        Chain(branches, linear), scale, relu, name="Inception-ResNet-C", figure="Fig. 19"
    )


# --- Inception-v3 (as released; arXiv 1512.00567), and the released Inception-ResNet-v2's stem ----


def StemV3() -> Chain:
    """Inception-v3's stem, also of the released Inception-ResNet-v2: 3×299×299 → 192×35×35."""
    return Chain(
        Conv(32, 3, 2, "valid"),
        Conv(32, 3, 1, "valid"),
        Conv(64, 3),
        MaxPool(3, 2, "valid"),
        Conv(80, 1),
        Conv(192, 3, 1, "valid"),
        MaxPool(3, 2, "valid"),
        name="Stem",
        figure="Inception-v3",
    )


def InceptionA_v3(pool: int, count_padding: bool = True) -> Concat:
    """Mixed_5b to 5d: C×35×35 → (224+pool)×35×35. A 5×5 and a double 3×3 beside the 1×1.

    The PyTorch ports count padded zeros in the average, TensorFlow does not.
    """
    return Concat(
        Conv(64, 1),
        Chain(Conv(48, 1), Conv(64, 5)),
        Chain(Conv(64, 1), Conv(96, 3), Conv(96, 3)),
        Chain(AvgPool(3, count_padding=count_padding), Conv(pool, 1)),
        name="Inception-A",
        figure="Inception-v3",
    )


def ReductionA_v3() -> Concat:
    """Mixed_6a: 288×35×35 → 768×17×17."""
    return Concat(
        Conv(384, 3, 2, "valid"),
        Chain(Conv(64, 1), Conv(96, 3), Conv(96, 3, 2, "valid")),
        MaxPool(3, 2, "valid"),
        name="Reduction-A",
        figure="Inception-v3",
    )


def InceptionB_v3(c: int, count_padding: bool = True) -> Concat:
    """Mixed_6b to 6e: 768×17×17 → 768×17×17, n×n split into 1×7 and 7×1 with c inner filters."""
    return Concat(
        Conv(192, 1),
        Chain(Conv(c, 1), Conv(c, (1, 7)), Conv(192, (7, 1))),
        Chain(Conv(c, 1), Conv(c, (7, 1)), Conv(c, (1, 7)), Conv(c, (7, 1)), Conv(192, (1, 7))),
        Chain(AvgPool(3, count_padding=count_padding), Conv(192, 1)),
        name="Inception-B",
        figure="Inception-v3",
    )


def ReductionB_v3() -> Concat:
    """Mixed_7a: 768×17×17 → 1280×8×8."""
    return Concat(
        Chain(Conv(192, 1), Conv(320, 3, 2, "valid")),
        Chain(Conv(192, 1), Conv(192, (1, 7)), Conv(192, (7, 1)), Conv(192, 3, 2, "valid")),
        MaxPool(3, 2, "valid"),
        name="Reduction-B",
        figure="Inception-v3",
    )


def InceptionC_v3(count_padding: bool = True) -> Concat:
    """Mixed_7b and 7c: C×8×8 → 2048×8×8, with branches that fan out."""
    return Concat(
        Conv(320, 1),
        Chain(Conv(384, 1), Concat(Conv(384, (1, 3)), Conv(384, (3, 1)))),
        Chain(Conv(448, 1), Conv(384, 3), Concat(Conv(384, (1, 3)), Conv(384, (3, 1)))),
        Chain(AvgPool(3, count_padding=count_padding), Conv(192, 1)),
        out=2048,
        name="Inception-C",
        figure="Inception-v3",
    )


def Mixed_5b() -> Concat:
    """The block after the stem of the released Inception-ResNet-v2: 192×35×35 → 320×35×35."""
    return Concat(
        Conv(96, 1),
        Chain(Conv(48, 1), Conv(64, 5)),
        Chain(Conv(64, 1), Conv(96, 3), Conv(96, 3)),
        Chain(AvgPool(3), Conv(64, 1)),
        out=320,
        name="Mixed_5b",
        figure="Released Inception-ResNet-v2",
    )


# --- ResNet (He et al. 2015, arXiv 1512.03385), the residual baseline -----------------------------


def StemResNet() -> Chain:
    """3×224×224 → 64×56×56: 7×7 with stride 2, then a 3×3 max pool with stride 2."""
    return Chain(Conv(64, 7, 2), MaxPool(3, 2), name="Stem", figure="ResNet")


def Bottleneck(inner: int, stride: int = 1, project: bool = False) -> Residual:
    """C×H×W → (4·inner)×(H/stride)×(W/stride): 1×1, 3×3, 1×1 beside the identity or a projecting
    1×1.

    The stride sits on the 3×3, as in the widely used implementations (He et al. put it on the first
    1×1).
    """
    body = Chain(Conv(inner, 1), Conv(inner, 3, stride), Conv(4 * inner, 1, relu=False))
    shortcut = Conv(4 * inner, 1, stride, relu=False) if project else None
    return Residual(body, shortcut=shortcut, name="Bottleneck", figure="ResNet")


# --- The figures by number ------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One box of an overview (Fig. 9 or 15): its figure, how often it repeats, the printed output
    (C, H, W)."""

    block: str
    figure: int
    repeat: int
    output: Shape


# Fig. 9, bottom to top.
FIG_9 = (
    Row("stem", 3, 1, (384, 35, 35)),
    Row("inception_a", 4, 4, (384, 35, 35)),
    Row("reduction_a", 7, 1, (1024, 17, 17)),
    Row("inception_b", 5, 7, (1024, 17, 17)),
    Row("reduction_b", 8, 1, (1536, 8, 8)),
    Row("inception_c", 6, 3, (1536, 8, 8)),
)

# Fig. 15, bottom to top. The printed sizes are Inception-ResNet-v1's; v2 takes Figs. 3 and 16 to 19
# instead.
FIG_15 = (
    Row("stem", 14, 1, (256, 35, 35)),
    Row("inception_resnet_a", 10, 5, (256, 35, 35)),
    Row("reduction_a", 7, 1, (896, 17, 17)),
    Row("inception_resnet_b", 11, 10, (896, 17, 17)),
    Row("reduction_b", 12, 1, (1792, 8, 8)),
    Row("inception_resnet_c", 13, 5, (1792, 8, 8)),
)


@dataclass(frozen=True)
class Figure:
    """A figure of the paper: its number, title, description and the shape (C, H, W) that enters it.

    `node` is a node, or for the overviews 9 and 15 a tuple of `Row`.
    """

    number: int
    title: str
    node: Node | tuple[Row, ...]
    input: Shape
    misprint: str = ""


FIGURES = {
    f.number: f
    for f in (
        Figure(1, "Residual connection", ResidualConnection(), (64, 56, 56)),
        Figure(
            2,
            "Residual connection with 1×1 convolutions",
            ReducedResidualConnection(),
            (256, 56, 56),
        ),
        Figure(
            3,
            "Stem of Inception-v4 and Inception-ResNet-v2",
            StemV4(),
            (3, 299, 299),
            "The 3×3 Conv (192 V) is printed without its stride 2; the max pool beside it without its kernel.",
        ),
        Figure(4, "Inception-A", InceptionA(), (384, 35, 35)),
        Figure(
            5,
            "Inception-B",
            InceptionB(),
            (1024, 17, 17),
            "The third branch prints 1×7 twice; the released code has 1×7, then 7×1.",
        ),
        Figure(6, "Inception-C", InceptionC(), (1536, 8, 8)),
        Figure(
            7,
            "Reduction-A, here with Inception-v4's k, l, m, n",
            ReductionA(**TABLE_1["inception_v4"]),
            (384, 35, 35),
        ),
        Figure(8, "Reduction-B of Inception-v4", ReductionB(), (1024, 17, 17)),
        Figure(9, "Inception-v4", FIG_9, (3, 299, 299)),
        Figure(
            10, "Inception-ResNet-A of Inception-ResNet-v1", InceptionResNetA_v1(), (256, 35, 35)
        ),
        Figure(
            11, "Inception-ResNet-B of Inception-ResNet-v1", InceptionResNetB_v1(), (896, 17, 17)
        ),
        Figure(12, "Reduction-B of Inception-ResNet-v1", ReductionB_v1(), (896, 17, 17)),
        Figure(
            13, "Inception-ResNet-C of Inception-ResNet-v1", InceptionResNetC_v1(), (1792, 8, 8)
        ),
        Figure(14, "Stem of Inception-ResNet-v1", StemV1(), (3, 299, 299)),
        Figure(15, "Inception-ResNet-v1 and v2", FIG_15, (3, 299, 299)),
        Figure(
            16, "Inception-ResNet-A of Inception-ResNet-v2", InceptionResNetA_v2(), (384, 35, 35)
        ),
        Figure(
            17,
            "Inception-ResNet-B of Inception-ResNet-v2",
            InceptionResNetB_v2(),
            (1152, 17, 17),
            "The linear 1×1 prints 1154 filters; the addition needs 1152.",
        ),
        Figure(
            18,
            "Reduction-B of Inception-ResNet-v2",
            ReductionB_v2(),
            (1152, 17, 17),
            "The caption says Inception-ResNet-v1; Fig. 15's caption assigns this block to v2.",
        ),
        Figure(
            19,
            "Inception-ResNet-C of Inception-ResNet-v2",
            InceptionResNetC_v2(),
            (2144, 8, 8),
            "The linear 1×1 prints 2048 filters; the addition needs 2144.",
        ),
        Figure(20, "Scaled residual block", ScaledResidualBlock(), (256, 35, 35)),
    )
}
