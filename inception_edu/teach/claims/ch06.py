"""Claims of chapter 06, from the descriptions of Figs. 10 to 19."""

from __future__ import annotations

from inception_edu.describe import (
    TABLE_1,
    Chain,
    ChannelError,
    Conv,
    InceptionA,
    InceptionResNetA_v1,
    InceptionResNetA_v2,
    InceptionResNetB_v2,
    InceptionResNetC_v2,
    Node,
    ReductionA,
    ReductionB_v2,
    Residual,
    StemV4,
    amount,
    inception_resnet_v1,
    inception_resnet_v2,
    inception_v3,
    inception_v4,
    measure,
    out_shape,
)
from inception_edu.teach.claims import registered


def _filters(block: Node) -> int:
    """Of the linear 1×1 that ends a residual block's body."""
    assert isinstance(block, Residual) and isinstance(block.body, Chain)
    last = block.body.parts[-1]
    assert isinstance(last, Conv)
    return last.out


def _widths() -> list[tuple[int, int, int]]:
    """What leaves v2's stem and its two reductions."""
    stem = out_shape(StemV4(), (3, 299, 299))
    after_a = out_shape(ReductionA(**TABLE_1["inception_resnet_v2"]), stem)
    return [stem, after_a, out_shape(ReductionB_v2(), after_a)]


@registered("06.cheaper")
def cheaper() -> tuple[bool, tuple[str, str]]:
    plain = measure(InceptionA(), (384, 35, 35)).macs
    first = measure(InceptionResNetA_v1(), (256, 35, 35)).macs
    second = measure(InceptionResNetA_v2(), (384, 35, 35)).macs
    return first < plain / 4 and second < plain / 2, (
        f"A block of Inception-A needs {amount(plain)} multiply-adds. That is "
        f"{plain / first:.1f} times Inception-ResNet-A of v1 ({amount(first)}), and "
        f"{plain / second:.1f} times that of v2 ({amount(second)}), which is as wide as "
        "Inception-A.",
        f"Inception-A costs {plain / first:.1f} times v1's Inception-ResNet-A.",
    )


@registered("06.widths")
def widths() -> tuple[bool, str]:
    found = [shape[0] for shape in _widths()]
    trunk = [_filters(b.node) for b in inception_resnet_v2().blocks if b.stage]
    return found == trunk, (
        f"By the channels of its reductions, the trunk of v2 is {found[0]}, {found[1]} and "
        f"{found[2]} channels wide in stages A, B and C."
    )


@registered("06.misprints")
def misprints() -> tuple[bool, str]:
    _, after_a, after_b = _widths()
    printed, refused = [], 0
    for make, shape in ((InceptionResNetB_v2, after_a), (InceptionResNetC_v2, after_b)):
        block = make(printed=True)
        printed.append(_filters(block))
        try:
            out_shape(block, shape)
        except ChannelError:
            refused += 1
    return refused == 2, (
        f"Fig. 17 prints {printed[0]} filters and Fig. 19 prints {printed[1]}. They cannot be "
        f"added to trunks of {after_a[0]} and {after_b[0]} channels, so both are misprints."
    )


@registered("06.norm")
def norm() -> tuple[bool, str]:
    """What a batch norm after each sum would keep: one map of the trunk's width a block."""
    rows = [row for row in measure(inception_resnet_v2()).rows if isinstance(row.node, Residual)]
    kept = sum(4 * row.output[0] * row.output[1] * row.output[2] for row in rows)
    return kept > 0, (
        f"A batch norm after each of the {len(rows)} sums of v2 would keep one more map each: "
        f"{kept / 1e6:.1f} MB for one image of 299×299."
    )


@registered("06.cost")
def cost() -> tuple[bool, str]:
    """Section 3.2's counterparts by count."""
    pairs = ((inception_resnet_v1(), inception_v3()), (inception_resnet_v2(), inception_v4()))
    first, second = (measure(ours).macs / measure(theirs).macs for ours, theirs in pairs)
    return 0.85 < first < 1.15 and second < 0.85, (
        f"v1 has {first:.2f} times the multiply-adds of Inception-v3, {first - 1:.0%} more. v2 "
        f"has {second:.2f} times those of Inception-v4: what Section 3.2 says of v2, that they "
        "match, does not hold for the network that the figures describe."
    )
