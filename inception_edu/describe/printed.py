"""The paper's figures by number, with the shape that enters each and its misprint. No torch."""

from __future__ import annotations

from dataclasses import dataclass

from inception_edu.describe.figures import (
    InceptionA,
    InceptionB,
    InceptionC,
    InceptionResNetA_v1,
    InceptionResNetA_v2,
    InceptionResNetB_v1,
    InceptionResNetB_v2,
    InceptionResNetC_v1,
    InceptionResNetC_v2,
    ReducedResidualConnection,
    ReductionA,
    ReductionB,
    ReductionB_v1,
    ReductionB_v2,
    ResidualConnection,
    ScaledResidualBlock,
    StemV1,
    StemV4,
)
from inception_edu.describe.paper_tables import TABLE_1
from inception_edu.describe.spec import Node, Shape


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
            "The 3×3 Conv (192 V) is printed without its stride 2; the max pool beside it without "
            "its kernel.",
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
