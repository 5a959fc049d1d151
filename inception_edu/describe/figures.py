"""The blocks of the paper's figures as data, under their numbers. No torch.

Branches stand in the order of the printed figure, left to right. Numbers are the paper's own; where
the print cannot be meant (misprints) the docstring says so, and `printed=True` gives the printed
numbers all the same, so that the channel arithmetic can be seen to fail. `orientation="released"`
gives the order of 1×n and n×1 kernels in the code that the authors published; shapes, parameters
and multiply-adds are the same in both.

Residual blocks carry `scale=1.0` by default, as drawn in Figs. 10 to 19; Fig. 20 adds the scale.
"""

from __future__ import annotations

from inception_edu.describe.link import linked
from inception_edu.describe.paper_tables import TABLE_1 as TABLE_1
from inception_edu.describe.spec import (
    AvgPool,
    Chain,
    Concat,
    Conv,
    Linear,
    MaxPool,
    Residual,
    SpecError,
)


def _turned(orientation: str) -> bool:
    if orientation not in ("paper", "released"):
        raise SpecError(f'orientation is "paper" or "released", got {orientation!r}.')
    return orientation == "released"


# --- Residual connections in general --------------------------------------------------------------


@linked
def ResidualConnection(filters: int = 64) -> Residual:
    """Fig. 1: two 3×3 convolutions beside the identity, added, then ReLU. N×filters×H×W in and
    out."""
    return Residual(
        Chain(Conv(filters, 3), Conv(filters, 3, relu=False)),
        name="Residual connection",
        figure="Fig. 1",
    )


@linked
def ReducedResidualConnection(filters: int = 256, inner: int = 64) -> Residual:
    """Fig. 2: the same with 1×1 convolutions around the 3×3, which spare computation."""
    body = Chain(Conv(inner, 1), Conv(inner, 3), Conv(filters, 1, relu=False))
    return Residual(body, name="Residual connection with 1×1", figure="Fig. 2")


@linked
def ScaledResidualBlock(scale: float = 0.1, filters: int = 256) -> Residual:
    """Fig. 20: any inner network, its last *linear* activations times a constant, added, then
    ReLU."""
    inner = InceptionResNetA_v1(filters=filters).body
    return Residual(inner, scale=scale, name="Scaled residual block", figure="Fig. 20")


# --- Inception-v4 ---------------------------------------------------------------------------------


@linked
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


@linked
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


@linked
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


@linked
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


@linked
def ReductionA(k: int, l: int, m: int, n: int) -> Concat:  # noqa: E741 - the paper's own names, Table 1
    """Fig. 7: C×35×35 → (C+n+m)×17×17. k, l, m, n stand in Table 1."""
    return Concat(
        MaxPool(3, 2, "valid"),
        Conv(n, 3, 2, "valid"),
        Chain(Conv(k, 1), Conv(l, 3), Conv(m, 3, 2, "valid")),
        name="Reduction-A",
        figure="Fig. 7",
    )


@linked
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


@linked
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


@linked
def InceptionResNetA_v1(scale: float = 1.0, filters: int = 256) -> Residual:
    """Fig. 10: 256×35×35 → 256×35×35."""
    branches = Concat(
        Conv(32, 1), Chain(Conv(32, 1), Conv(32, 3)), Chain(Conv(32, 1), Conv(32, 3), Conv(32, 3))
    )
    return Residual(
        Chain(branches, Linear(filters)), scale, name="Inception-ResNet-A", figure="Fig. 10"
    )


@linked
def InceptionResNetB_v1(scale: float = 1.0) -> Residual:
    """Fig. 11: 896×17×17 → 896×17×17."""
    branches = Concat(Conv(128, 1), Chain(Conv(128, 1), Conv(128, (1, 7)), Conv(128, (7, 1))))
    return Residual(
        Chain(branches, Linear(896)), scale, name="Inception-ResNet-B", figure="Fig. 11"
    )


@linked
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


@linked
def InceptionResNetC_v1(scale: float = 1.0, relu: bool = True) -> Residual:
    """Fig. 13: 1792×8×8 → 1792×8×8."""
    branches = Concat(Conv(192, 1), Chain(Conv(192, 1), Conv(192, (1, 3)), Conv(192, (3, 1))))
    return Residual(
        Chain(branches, Linear(1792)), scale, relu, name="Inception-ResNet-C", figure="Fig. 13"
    )


# --- Inception-ResNet-v2 --------------------------------------------------------------------------


@linked
def InceptionResNetA_v2(scale: float = 1.0, filters: int = 384) -> Residual:
    """Fig. 16: 384×35×35 → 384×35×35 (320 in the released network)."""
    branches = Concat(
        Conv(32, 1), Chain(Conv(32, 1), Conv(32, 3)), Chain(Conv(32, 1), Conv(48, 3), Conv(64, 3))
    )
    return Residual(
        Chain(branches, Linear(filters)), scale, name="Inception-ResNet-A", figure="Fig. 16"
    )


@linked
def InceptionResNetB_v2(scale: float = 1.0, filters: int = 1152, printed: bool = False) -> Residual:
    """Fig. 17: 1152×17×17 → 1152×17×17 (1088 in the released network).

    The figure prints 1154 filters in the linear 1×1; Reduction-A delivers 384 + 384 + 384 = 1152.
    """
    branches = Concat(Conv(192, 1), Chain(Conv(128, 1), Conv(160, (1, 7)), Conv(192, (7, 1))))
    linear = Linear(1154 if printed else filters)
    return Residual(Chain(branches, linear), scale, name="Inception-ResNet-B", figure="Fig. 17")


@linked
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


@linked
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
