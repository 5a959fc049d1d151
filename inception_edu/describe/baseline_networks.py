"""The networks that the paper compares its own with: Inception-v3 and ResNet. No torch."""

from __future__ import annotations

from inception_edu.describe import baselines as b
from inception_edu.describe.blocks import Block, Network
from inception_edu.describe.spec import SpecError


def inception_v3(count_padding: bool = True) -> Network:
    """Inception-v3 (arXiv 1512.00567) as released, without its auxiliary head: 3×299×299 → 2048
    features.

    `count_padding=True` averages over padded zeros as torchvision and timm do, False as TensorFlow
    does.
    """
    return Network(
        "Inception-v3",
        (
            Block("stem", b.StemV3()),
            Block("mixed_5b", b.InceptionA_v3(32, count_padding), 1, "A"),
            Block("mixed_5c", b.InceptionA_v3(64, count_padding), 2, "A"),
            Block("mixed_6a", b.ReductionA_v3()),
            Block("mixed_6b", b.InceptionB_v3(128, count_padding), 1, "B"),
            Block("mixed_6c", b.InceptionB_v3(160, count_padding), 2, "B"),
            Block("mixed_6e", b.InceptionB_v3(192, count_padding), 1, "B"),
            Block("mixed_7a", b.ReductionB_v3()),
            Block("mixed_7b", b.InceptionC_v3(count_padding), 2, "C"),
        ),
    )


def resnet(depth: int = 152, stride_on: str = "3×3") -> Network:
    """ResNet-50, -101 or -152 (arXiv 1512.03385): 3×224×224 → 2048 features. The paper's
    "ResNet-151" is the 152. `stride_on`: "3×3" as in the widely used implementations, or "1×1", the
    first one of a block, as He et al. have it. Raises `SpecError` for another depth."""
    stages = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
    if depth not in stages:
        raise SpecError(f"ResNet is described here with 50, 101 or 152 layers, not {depth}.")
    blocks = [Block("stem", b.StemResNet())]
    for i, repeat in enumerate(stages[depth], 2):
        inner = 64 * 2 ** (i - 2)
        first = b.Bottleneck(inner, 1 if i == 2 else 2, True, stride_on=stride_on)
        blocks += [
            Block(f"conv{i}_1", first),
            Block(f"conv{i}", b.Bottleneck(inner), repeat - 1, str(i)),
        ]
    return Network(f"ResNet-{depth}", tuple(blocks), dropout=0.0, image=224, norm_eps=1e-5)
