"""The networks that the paper's stand on, and those beside them. No torch.

googlenet()            GoogLeNet, 2014; its auxiliary heads as an option
bn_inception()         BN-Inception, 2015: batch norm, two 3×3 for the 5×5
inception_v3_aux()     Inception-v3 with its auxiliary head
resnext()              ResNeXt: grouped branches, the other way to have many
facenet()              the released Inception-ResNet-v1, of the face networks
"""

from __future__ import annotations

from dataclasses import replace

from inception_edu.describe import baselines as b
from inception_edu.describe import figures as f
from inception_edu.describe import googlenet_blocks as g
from inception_edu.describe.baseline_networks import inception_v3, resnet
from inception_edu.describe.blocks import Block, Head, Network
from inception_edu.describe.paper_tables import TABLE_1
from inception_edu.describe.spec import AvgPool, Chain, Conv, MaxPool, SpecError

# GoogLeNet's Table 1: #1×1, (#3×3 reduce, #3×3), (#5×5 reduce, #5×5), pool proj.
GOOGLENET = {
    "3a": (64, (96, 128), (16, 32), 32),
    "3b": (128, (128, 192), (32, 96), 64),
    "4a": (192, (96, 208), (16, 48), 64),
    "4b": (160, (112, 224), (24, 64), 64),
    "4c": (128, (128, 256), (24, 64), 64),
    "4d": (112, (144, 288), (32, 64), 64),
    "4e": (256, (160, 320), (32, 128), 128),
    "5a": (256, (160, 320), (32, 128), 128),
    "5b": (384, (192, 384), (48, 128), 128),
}

# BN-Inception's Fig. 5: #1×1, (#3×3 reduce, #3×3), (double #3×3 reduce, double #3×3), pool proj.
BN_INCEPTION = {
    "3a": (64, (64, 64), (64, 96), 32),
    "3b": (64, (64, 96), (64, 96), 64),
    "4a": (224, (64, 96), (96, 128), 128),
    "4b": (192, (96, 128), (96, 128), 128),
    "4c": (160, (128, 160), (128, 160), 128),
    "4d": (96, (128, 192), (160, 192), 128),
    "5a": (352, (192, 320), (160, 224), 128),
    "5b": (352, (192, 320), (192, 224), 128),
}
STAGES = {"3": "A", "4": "B", "5": "C"}


def googlenet(variant: str = "paper", heads: bool = False, local: bool = False) -> Network:
    """GoogLeNet (arXiv 1409.4842, Table 1), 3×224×224 → 1024 features. `local`: with the local
    response normalisation of its Fig. 3, which later networks of the family do not have.

    `variant="torchvision"` is the network of that name in torchvision: batch norm, 3×3 kernels
    where the paper has 5×5, a 2×2 pool before the last stage, less dropout. `heads` adds the two
    auxiliary classifiers. Raises `SpecError` for another variant.
    """
    if variant not in ("paper", "torchvision"):
        raise SpecError(f'variant is "paper" or "torchvision", got {variant!r}.')
    ours = variant == "paper"
    blocks = [Block("stem", g.StemGoogLeNet(norm=not ours, local=local))]
    for name, row in GOOGLENET.items():
        if name == "4a":
            blocks.append(Block("pool_3", MaxPool(3, 2, "ceil")))
        if name == "5a":
            blocks.append(Block("pool_4", MaxPool(3 if ours else 2, 2, "ceil")))
        node = g.InceptionGoogLeNet(*row, variant=variant)
        blocks.append(Block(f"inception_{name}", node, stage=STAGES[name[0]]))
    head = g.HeadGoogLeNet(norm=not ours)
    aside = (Head("aux1", "inception_4a", head, 0.7), Head("aux2", "inception_4d", head, 0.7))
    return Network(
        "GoogLeNet" + (", local norm" if local else "") + ("" if ours else " (torchvision)"),
        tuple(blocks),
        dropout=0.4 if ours else 0.2,
        image=224,
        heads=aside if heads else (),
    )


def bn_inception(bias: bool | None = None) -> Network:
    """BN-Inception (arXiv 1502.03167, Fig. 5), also called Inception-v2: 3×224×224 → 1024 features.

    `bias=True`: biases beside batch norm, as in the port from Caffe that gave its weights away.
    """
    blocks = [Block("stem", g.StemGoogLeNet(norm=True, bias=bias))]
    for name, row in BN_INCEPTION.items():
        if name == "4a":
            blocks.append(Block("inception_3c", g.ReductionBN((128, 160), (64, 96), bias)))
        if name == "5a":
            blocks.append(Block("inception_4e", g.ReductionBN((128, 192), (192, 256), bias)))
        node = g.InceptionBN(*row, kind="max" if name == "5b" else "avg", bias=bias)
        blocks.append(Block(f"inception_{name}", node, stage=STAGES[name[0]]))
    return Network("BN-Inception", tuple(blocks), dropout=0.0, image=224, norm_eps=1e-5)


def inception_v3_aux(count_padding: bool = True) -> Network:
    """Inception-v3 with its auxiliary head after the last 17×17 block, as released; slim, which
    trained it, weights the head's loss with 0.4."""
    head = Chain(
        AvgPool(5, 3, "valid"), Conv(128, 1), Conv(768, 5, padding="valid"), name="Auxiliary head"
    )
    return replace(inception_v3(count_padding), heads=(Head("aux", "mixed_6e", head, weight=0.4),))


def resnext() -> Network:
    """ResNeXt-50, 32×4d (arXiv 1611.05431, Table 1): ResNet-50 whose 3×3 has 32 groups and twice
    the filters. 3×224×224 → 2048 features."""
    plain = resnet(50)
    blocks = [plain.blocks[0]]
    for block in plain.blocks[1:]:
        stage = int(block.name.removeprefix("conv")[0])
        inner = 64 * 2 ** (stage - 2)
        first = block.name.endswith("_1")
        stride = 2 if first and stage > 2 else 1
        node = b.Bottleneck(2 * inner, stride, first, out=4 * inner, groups=32)
        blocks.append(replace(block, node=node))
    return replace(plain, name="ResNeXt-50 32×4d", blocks=tuple(blocks))


def facenet(identities: int = 8631, embedding: int = 512) -> Network:
    """The Inception-ResNet-v1 that the face networks use: 3×160×160 → 1792 → `embedding` →
    `identities`.

    The paper's stem, blocks and reductions with scales 0.17, 0.10 and 0.20, and a sixth C block
    that is not scaled and has no ReLU; then average pooling, dropout and a linear embedding with
    batch norm. The classifier over `identities` is there in training only (VGGFace2 has 8631). The
    numbers are facenet-pytorch's (facenet itself embeds in 128 and keeps 0.8 in dropout), whose
    dropout stands before the embedding, ours before the classifier.
    """
    # 160 pixels leave a 3×3 map, which the average pooling takes whole.
    embed = Chain(AvgPool(3, padding="valid"), Conv(embedding, 1, relu=False), name="Embedding")
    return Network(
        "Inception-ResNet-v1 (facenet-pytorch)",
        (
            Block("stem", f.StemV1()),
            Block("inception_resnet_a", f.InceptionResNetA_v1(0.17), 5, "A"),
            Block("reduction_a", f.ReductionA(**TABLE_1["inception_resnet_v1"])),
            Block("inception_resnet_b", f.InceptionResNetB_v1(0.10), 10, "B"),
            Block("reduction_b", f.ReductionB_v1()),
            Block("inception_resnet_c", f.InceptionResNetC_v1(0.20), 5, "C"),
            Block("inception_resnet_c_last", f.InceptionResNetC_v1(1.0, relu=False), 1, "C"),
            Block("embedding", embed),
        ),
        classes=identities,
        dropout=0.6,
        image=160,
    )


FAMILY = {
    "googlenet": googlenet,
    "googlenet_aux": lambda: googlenet(heads=True),
    "googlenet_local": lambda: googlenet(local=True),
    "googlenet_torchvision": lambda: googlenet("torchvision"),
    "bn_inception": bn_inception,
    "inception_v3_aux": inception_v3_aux,
    "inception_resnet_v1_released": facenet,
    "resnext50": resnext,
}
