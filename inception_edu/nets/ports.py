"""Released networks as public packages write them: which layer is called what, and how pictures
come in.

What a checkpoint cannot say (batch norm's ε, padding, preprocessing) stands here, as the packages'
own code has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from inception_edu.describe import (
    Network,
    bn_inception,
    facenet,
    googlenet,
    inception_resnet_v2_released,
    inception_v3,
    inception_v3_aux,
    inception_v4,
    resnet,
    resnext,
)
from inception_edu.nets.preprocessing import Preprocessing
from inception_edu.nets.timm_plans import (
    Pair,
    in_their_order,
    pairs_of,
    resnet_v2_blocks,
    run,
    v3_blocks,
    v4_blocks,
)

Blocks = Iterator[tuple[str, str, object]]
_HALF = (0.5, 0.5, 0.5)
_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def _inner(layer: str) -> tuple[str, str]:
    """timm's Inceptions and torchvision's: convolution and batch norm inside one module."""
    return f"{layer}.conv", f"{layer}.bn"


def _beside(layer: str) -> tuple[str, str]:
    """Cadene's BN-Inception."""
    return layer, f"{layer}_bn"


def _numbered(layer: str) -> tuple[str, str]:
    """ResNet in torchvision and timm: conv1 and bn1, downsample.0 and downsample.1."""
    norm = layer[:-1] + "1" if layer.endswith("downsample.0") else layer.replace("conv", "bn")
    return layer, norm


def _face(layer: str) -> tuple[str, str]:
    """facenet-pytorch: its embedding is a linear layer with a batch norm of its own."""
    return (layer, "last_bn") if layer == "last_linear" else _inner(layer)


@dataclass(frozen=True)
class Port:
    """A network as `packages` write its weights.

    `blocks` gives (our block, prefix, plan) as in `timm_plans`; `heads` (our head, prefix, plan,
    classifier); `matrices` are layers stored as matrices that are convolutions here.
    """

    packages: str
    describe: Callable[[], Network]
    blocks: Callable[[], Blocks]
    classifier: str
    prepare: Preprocessing
    naming: Callable[[str], tuple[str, str]] = _inner
    heads: tuple[tuple[str, str, object, str], ...] = ()
    matrices: frozenset[str] = frozenset()

    def pairs(self, description: Network | None = None) -> Iterator[Pair]:
        """Every layer of the network: ours (`description`, or the port's own) and theirs."""
        description = self.describe() if description is None else description
        plans = {ours: (theirs, plan) for ours, theirs, plan in self.blocks()}
        order, after = list(range(description.channels)), {}
        for block in description.blocks:
            for i in range(1, block.repeat + 1):
                ours = block.name if block.repeat == 1 else f"{block.name}.{i}"
                theirs, plan = plans[ours]
                order = yield from pairs_of(block.node, plan, ours, theirs, order)
            after[block.name] = order
        yield Pair("classifier", self.classifier, None, order)
        nodes = {head.name: head for head in description.heads}
        for name, prefix, plan, classifier in self.heads:
            head = nodes[name]
            order = yield from pairs_of(
                head.node, plan, f"heads.{name}.body", prefix, after[head.after]
            )
            ours = f"heads.{name}.classifier"
            yield Pair(ours, prefix + classifier, None, order)

    def layers(self) -> Iterator[str]:
        """Their names of the layers in the order in which their code makes them."""
        for _, prefix, plan in self.blocks():
            yield from in_their_order(plan, prefix)
        yield self.classifier

    def tensors(self, pair: Pair) -> Iterator[tuple[str, str, bool]]:
        """(our key, their key, whether the tensor has input channels) for each tensor of a
        layer."""
        conv, norm = self.naming(pair.theirs) if pair.norm else (pair.theirs, "")
        ours = f"{pair.ours}.conv" if pair.norm else pair.ours
        yield f"{ours}.weight", f"{conv}.weight", True
        if pair.bias:
            yield f"{ours}.bias", f"{conv}.bias", False
        if pair.norm:
            for key in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
                yield f"{pair.ours}.norm.{key}", f"{norm}.{key}", False


def _googlenet_blocks() -> Blocks:
    yield "stem", "", ["conv1", None, "conv2", "conv3", None]
    plan = (
        (0, "branch1"),
        (1, run("branch2", 2)),
        (2, run("branch3", 2)),
        (3, [None, "branch4.1"]),
    )
    for name in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
        yield f"inception_{name}", f"inception{name}.", plan
    yield "pool_3", "", None
    yield "pool_4", "", None


def _bn_blocks() -> Blocks:
    yield "stem", "", ["conv1_7x7_s2", None, "conv2_3x3_reduce", "conv2_3x3", None]
    three = ["3x3_reduce", "3x3"]
    double = ["double_3x3_reduce", "double_3x3_1", "double_3x3_2"]
    whole = ((0, "1x1"), (1, three), (2, double), (3, [None, "pool_proj"]))
    halving = ((0, three), (1, double), (2, None))
    for name in ("3a", "3b", "3c", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
        plan = halving if name in ("3c", "4e") else whole
        yield f"inception_{name}", f"inception_{name}_", plan


def _resnet_blocks(depth: int) -> Callable[[], Blocks]:
    def blocks() -> Blocks:
        yield "stem", "", ["conv1", None]
        body = ["conv1", "conv2", "conv3"]
        description = resnet(depth)
        for i in range(2, 6):
            yield f"conv{i}_1", f"layer{i - 1}.0.", (body, "downsample.0")
            for j in range(1, description[f"conv{i}"].repeat + 1):
                yield f"conv{i}.{j}", f"layer{i - 1}.{j}.", body

    return blocks


def _face_blocks() -> Blocks:
    stem = ("conv2d_1a", "conv2d_2a", "conv2d_2b", None, "conv2d_3b", "conv2d_4a", "conv2d_4b")
    yield "stem", "", list(stem)
    a = [((0, "branch0"), (1, run("branch1", 2)), (2, run("branch2", 3))), "conv2d"]
    b_or_c = [((0, "branch0"), (1, run("branch1", 3))), "conv2d"]
    for i in range(5):
        yield f"inception_resnet_a.{i + 1}", f"repeat_1.{i}.", a
    yield "reduction_a", "mixed_6a.", ((2, None), (0, "branch0"), (1, run("branch1", 3)))
    for i in range(10):
        yield f"inception_resnet_b.{i + 1}", f"repeat_2.{i}.", b_or_c
    half = ((3, None), (0, run("branch0", 2)), (1, run("branch1", 2)), (2, run("branch2", 3)))
    yield "reduction_b", "mixed_7a.", half
    for i in range(5):
        yield f"inception_resnet_c.{i + 1}", f"repeat_3.{i}.", b_or_c
    yield "inception_resnet_c_last", "block8.", b_or_c
    yield "embedding", "", [None, "last_linear"]


def _released_v4() -> Network:
    return inception_v4("released")


_TF = Preprocessing(299, 0.875, _HALF, _HALF)
_V3 = Port("timm, torchvision", inception_v3, v3_blocks, "fc", _TF)
_TORCHVISION = Preprocessing(224, 224 / 256, *_IMAGENET, bilinear=True)
_GOOGLENET = Port(
    "torchvision",
    lambda: googlenet("torchvision"),
    _googlenet_blocks,
    "fc",
    replace(_TORCHVISION, mean=_HALF, std=_HALF),  # its own layer makes these of ImageNet's
)
_RESNETS = {
    f"resnet{depth}": Port(
        "torchvision, timm",
        partial(resnet, depth),
        _resnet_blocks(depth),
        "fc",
        _TORCHVISION,
        _numbered,
    )
    for depth in (50, 101, 152)
}

PORTED: dict[str, Port] = {
    "inception_v3": _V3,
    "inception_v3_aux": replace(
        _V3,
        packages="torchvision",
        describe=inception_v3_aux,
        heads=(("aux", "AuxLogits.", [None, "conv0", "conv1"], "fc"),),
    ),
    "inception_v4": Port("timm, Cadene", _released_v4, v4_blocks, "last_linear", _TF),
    "inception_resnet_v2": Port(
        "timm",
        inception_resnet_v2_released,
        resnet_v2_blocks,
        "classif",
        replace(_TF, crop=0.8975),
    ),
    "inception_resnet_v2_cadene": Port(
        "Cadene",
        inception_resnet_v2_released,
        resnet_v2_blocks,
        "last_linear",
        replace(_TF, crop=0.8975),
    ),
    "googlenet_torchvision": _GOOGLENET,
    "googlenet_torchvision_aux": replace(
        _GOOGLENET,
        describe=lambda: googlenet("torchvision", heads=True),
        heads=tuple((h, f"{h}.", [None, "conv", "fc1"], "fc2") for h in ("aux1", "aux2")),
        matrices=frozenset({"aux1.fc1", "aux2.fc1"}),
    ),
    "bn_inception": Port(
        "Cadene",
        lambda: bn_inception(bias=True),
        _bn_blocks,
        "last_linear",
        Preprocessing(224, 0.875, (104, 117, 128), (1, 1, 1), True, bgr=True, top=255),
        _beside,
    ),
    **_RESNETS,
    "resnext50": replace(_RESNETS["resnet50"], describe=resnext),
    "inception_resnet_v1_released": Port(
        "facenet-pytorch",
        facenet,
        _face_blocks,
        "logits",
        Preprocessing(160, 1.0, (127.5,) * 3, (128,) * 3, True, top=255),
        _face,
        matrices=frozenset({"last_linear"}),
    ),
}
