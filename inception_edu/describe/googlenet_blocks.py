"""The blocks of GoogLeNet (arXiv 1409.4842) and BN-Inception (arXiv 1502.03167), where the paper's
family begins. No torch."""

from __future__ import annotations

from inception_edu.describe.link import linked
from inception_edu.describe.spec import AvgPool, Chain, Concat, Conv, MaxPool, Pool


def LocalNorm() -> Pool:
    """Local response normalisation, as GoogLeNet has it (BVLC's replication, made with its
    authors' help: α = 0.0001, β = 0.75, k = 1): each value a is divided by
    (1 + α · mean of a² over the five channels around it)^0.75."""
    return Pool("local", 1)


@linked
def StemGoogLeNet(norm: bool = False, bias: bool | None = None, local: bool = False) -> Chain:
    """3×224×224 → 192×28×28. GoogLeNet's Table 1, rows 1 to 4; BN-Inception's Fig. 5. `local`: with
    the local response normalisations of GoogLeNet's Fig. 3, behind the first pool and before the
    second."""
    between = (LocalNorm(),) if local else ()
    return Chain(
        Conv(64, 7, 2, norm=norm, bias=bias),
        MaxPool(3, 2, "ceil"),
        *between,
        Conv(64, 1, norm=norm, bias=bias),
        Conv(192, 3, norm=norm, bias=bias),
        *between,
        MaxPool(3, 2, "ceil"),
        name="Stem",
        figure="GoogLeNet",
    )


@linked
def InceptionGoogLeNet(
    one: int, three: tuple[int, int], five: tuple[int, int], pool: int, variant: str = "paper"
) -> Concat:
    """C×H×W → (one + three[1] + five[1] + pool)×H×W: a row of GoogLeNet's Table 1, with its
    filters in the order of the table.

    `variant="torchvision"` has batch norm, and a 3×3 where the paper has the 5×5.
    """
    norm = variant == "torchvision"
    wide = 3 if norm else 5
    return Concat(
        Conv(one, 1, norm=norm),
        Chain(Conv(three[0], 1, norm=norm), Conv(three[1], 3, norm=norm)),
        Chain(Conv(five[0], 1, norm=norm), Conv(five[1], wide, norm=norm)),
        Chain(MaxPool(3), Conv(pool, 1, norm=norm)),
        name="Inception",
        figure="GoogLeNet",
    )


@linked
def HeadGoogLeNet(norm: bool = False) -> Chain:
    """An auxiliary classifier before its last layer: C×14×14 → 1024×1×1. Section 5."""
    return Chain(
        AvgPool(5, 3, "valid"),
        Conv(128, 1, norm=norm),
        Conv(1024, 4, padding="valid", norm=False),
        name="Auxiliary head",
        figure="GoogLeNet",
    )


@linked
def InceptionBN(
    one: int,
    three: tuple[int, int],
    double: tuple[int, int],
    pool: int,
    kind: str = "avg",
    bias: bool | None = None,
) -> Concat:
    """C×H×W → (one + three[1] + double[1] + pool)×H×W: a row of BN-Inception's Fig. 5.

    Two 3×3 take the place of the 5×5; all but the last block pool by the average, padded zeros
    counted in the port that gave its weights away.
    """
    pooled = AvgPool(3, count_padding=True) if kind == "avg" else MaxPool(3)
    return Concat(
        Conv(one, 1, bias=bias),
        Chain(Conv(three[0], 1, bias=bias), Conv(three[1], 3, bias=bias)),
        Chain(
            Conv(double[0], 1, bias=bias),
            Conv(double[1], 3, bias=bias),
            Conv(double[1], 3, bias=bias),
        ),
        Chain(pooled, Conv(pool, 1, bias=bias)),
        name="Inception",
        figure="BN-Inception",
    )


@linked
def ReductionBN(
    three: tuple[int, int], double: tuple[int, int], bias: bool | None = None
) -> Concat:
    """C×H×W → (C + three[1] + double[1])×H/2×W/2: the rows "pass through" of BN-Inception's
    Fig. 5."""
    return Concat(
        Chain(Conv(three[0], 1, bias=bias), Conv(three[1], 3, 2, bias=bias)),
        Chain(
            Conv(double[0], 1, bias=bias),
            Conv(double[1], 3, bias=bias),
            Conv(double[1], 3, 2, bias=bias),
        ),
        MaxPool(3, 2, "ceil"),
        name="Inception, stride 2",
        figure="BN-Inception",
    )
