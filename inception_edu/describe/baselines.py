"""The blocks of the networks that the paper compares with: Inception-v3 and ResNet. No torch."""

from __future__ import annotations

from inception_edu.describe.link import linked
from inception_edu.describe.spec import AvgPool, Chain, Concat, Conv, MaxPool, Residual, SpecError

# --- Inception-v3 (as released; arXiv 1512.00567), and the released Inception-ResNet-v2's stem ----


@linked
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


@linked
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


@linked
def ReductionA_v3() -> Concat:
    """Mixed_6a: 288×35×35 → 768×17×17."""
    return Concat(
        Conv(384, 3, 2, "valid"),
        Chain(Conv(64, 1), Conv(96, 3), Conv(96, 3, 2, "valid")),
        MaxPool(3, 2, "valid"),
        name="Reduction-A",
        figure="Inception-v3",
    )


@linked
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


@linked
def ReductionB_v3() -> Concat:
    """Mixed_7a: 768×17×17 → 1280×8×8."""
    return Concat(
        Chain(Conv(192, 1), Conv(320, 3, 2, "valid")),
        Chain(Conv(192, 1), Conv(192, (1, 7)), Conv(192, (7, 1)), Conv(192, 3, 2, "valid")),
        MaxPool(3, 2, "valid"),
        name="Reduction-B",
        figure="Inception-v3",
    )


@linked
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


@linked
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


@linked
def StemResNet() -> Chain:
    """3×224×224 → 64×56×56: 7×7 with stride 2, then a 3×3 max pool with stride 2."""
    return Chain(Conv(64, 7, 2), MaxPool(3, 2), name="Stem", figure="ResNet")


@linked
def Bottleneck(
    inner: int,
    stride: int = 1,
    project: bool = False,
    out: int | None = None,
    groups: int = 1,
    stride_on: str = "3×3",
) -> Residual:
    """C×H×W → out×(H/stride)×(W/stride): 1×1, 3×3, 1×1 beside the identity or a projecting 1×1.

    `out` is 4·inner where nothing else is said. The stride sits on the 3×3, as in the widely used
    implementations; `stride_on="1×1"` puts it on the first 1×1, as He et al. do. `groups` cuts the
    3×3 into groups, as ResNeXt does. Raises `SpecError` for another `stride_on`.
    """
    if stride_on not in ("1×1", "3×3"):
        raise SpecError(f'The stride is on the "1×1" or on the "3×3", got {stride_on!r}.')
    first, second = (stride, 1) if stride_on == "1×1" else (1, stride)
    out = 4 * inner if out is None else out
    body = Chain(
        Conv(inner, 1, first), Conv(inner, 3, second, groups=groups), Conv(out, 1, relu=False)
    )
    shortcut = Conv(out, 1, stride, relu=False) if project else None
    return Residual(body, shortcut=shortcut, name="Bottleneck", figure="ResNet")
