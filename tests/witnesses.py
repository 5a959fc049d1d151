"""Each network of the family, and an independent implementation of it with the same weights: what
tests/test_family.py compares."""

from dataclasses import replace

import plain_googlenet
import pytest
import torch
from torch import nn

from inception_edu.describe import (
    Concat,
    Pool,
    bn_inception,
    facenet,
    googlenet,
    inception_resnet_v1,
    inception_resnet_v2,
    inception_resnet_v2_released,
    inception_v3,
    inception_v3_aux,
    inception_v4,
    resnet,
    resnext,
)
from inception_edu.nets import build, evaluating, from_timm
from inception_edu.nets.weights import with_weights

KINDS = (nn.Conv2d, nn.BatchNorm2d, nn.Linear)


def layers(model: nn.Module, leave: tuple[str, ...] = ()) -> list[nn.Module]:
    """Layers with weights in the order of definition, without those below the names in `leave`."""
    found = []
    for name, module in model.named_modules():
        if isinstance(module, KINDS) and not any(part in leave for part in name.split(".")):
            found.append(module)
    return found


@torch.no_grad()
def copy_weights(ours: list[nn.Module], theirs: list[nn.Module]) -> None:
    """Random weights and statistics into both: layer by layer, in the order of definition."""
    assert len(ours) == len(theirs)
    generator = torch.Generator().manual_seed(0)
    for a, b in zip(ours, theirs):
        if isinstance(b, nn.BatchNorm2d | nn.BatchNorm1d):
            for tensor in (b.running_mean, b.bias):
                tensor.copy_(0.1 * torch.randn(tensor.shape, generator=generator))
            for tensor in (b.running_var, b.weight):
                tensor.copy_(0.8 + 0.4 * torch.rand(tensor.shape, generator=generator))
        else:
            fan_in = b.weight[0].numel()
            draw = torch.randn(b.weight.shape, generator=generator)
            b.weight.copy_(draw * (1.5 / fan_in) ** 0.5)
            if b.bias is not None:
                b.bias.copy_(0.1 * torch.randn(b.bias.shape, generator=generator))
        for (key, ours_), theirs_ in zip(a.state_dict().items(), b.state_dict().values()):
            assert ours_.numel() == theirs_.numel(), (a, b, key)
            ours_.copy_(theirs_.reshape(ours_.shape))


def difference(ours: nn.Module, theirs, side: int) -> float:
    """The largest difference of two networks' outputs, relative to the outputs' spread."""
    x = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    with evaluating(ours), evaluating(theirs):
        a, b = ours(x), theirs(x)
    assert a.shape == b.shape and b.std() > 1e-3
    return ((a - b).abs().max() / b.std()).item()


def torchvision(name: str, **options) -> nn.Module:
    models = pytest.importorskip("torchvision.models")
    return getattr(models, name)(weights=None, **options)


def pool_last(description):
    """Pools at the end of reductions, where the port has them: the same in another order."""

    def moved(node):
        if isinstance(node, Concat) and isinstance(node.branches[0], Pool):
            return replace(node, branches=(*node.branches[1:], node.branches[0]))
        return node

    return description.map(moved)


def googlenet_pair():
    heads = ("aux1", "aux2", "heads")
    ours = build(googlenet("torchvision", heads=True), init="empty")
    theirs = torchvision("googlenet", init_weights=False, aux_logits=True)
    copy_weights(layers(ours, heads), layers(theirs, heads))
    return ours, theirs


class Answer(nn.Module):
    """The first of several outputs."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x)[0]


def plain_googlenet_pair(local: bool):
    """Ours with all heads, and the plain one with all of its outputs."""
    ours = build(googlenet(heads=True, local=local), init="empty")
    theirs = plain_googlenet.GoogLeNet(local)
    copy_weights(layers(ours), layers(theirs))
    return ours, theirs


def bn_inception_pair():
    models = pytest.importorskip("pretrainedmodels.models.bninception")
    ours, theirs = build(bn_inception(bias=True), init="empty"), models.BNInception()
    copy_weights(layers(ours), layers(theirs))
    return ours, theirs


def inception_v3_pair():
    heads = ("heads", "AuxLogits")
    ours = build(inception_v3_aux(), init="empty")
    theirs = torchvision("inception_v3", init_weights=False, aux_logits=True)
    copy_weights(layers(ours, heads), layers(theirs, heads))
    copy_weights(layers(ours.heads), layers(theirs.AuxLogits))
    return ours, theirs


def resnet_pair():
    ours, theirs = build(resnet(50), init="empty"), torchvision("resnet50")
    copy_weights(layers(ours), layers(theirs))
    return ours, theirs


def resnext_pair():
    ours, theirs = build(resnext(), init="empty"), torchvision("resnext50_32x4d")
    copy_weights(layers(ours), layers(theirs))
    return ours, theirs


def resnet_stride_1x1_pair(depth: int):
    """torchvision's ResNet with the strides moved to where He et al. have them."""
    ours, theirs = build(resnet(depth, "1×1"), init="empty"), torchvision(f"resnet{depth}")
    for block in (m for m in theirs.modules() if type(m).__name__ == "Bottleneck"):
        block.conv1.stride, block.conv2.stride = block.conv2.stride, (1, 1)
    copy_weights(layers(ours), layers(theirs))
    return ours, theirs


def facenet_pair():
    models = pytest.importorskip("facenet_pytorch.models.inception_resnet_v1")
    described = pool_last(facenet(identities=100))
    ours = build(described, init="empty")
    theirs = models.InceptionResnetV1(pretrained=None, classify=True, num_classes=100)
    names = nn.BatchNorm1d, *KINDS
    copy_weights(layers(ours), [m for m in theirs.modules() if isinstance(m, names)])
    return ours, theirs


def with_answer(ours, theirs):
    return ours, Answer(theirs)


class Answers(nn.Module):
    """The answer and those of the auxiliary heads, as in training but without dropout."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        self.model.train()
        for module in self.model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        answer, *aside = self.model(x)
        heads = aside[0] if isinstance(aside[0], tuple | list) else aside
        return torch.cat([answer, *heads], 1)


def deeper_resnet_pair(depth: int):
    ours, theirs = build(resnet(depth), init="empty"), torchvision(f"resnet{depth}")
    copy_weights(layers(ours), layers(theirs))
    return ours, theirs


def timm_pair(name: str):
    theirs = pytest.importorskip("timm").create_model(name, pretrained=False).eval()
    copy_weights(layers(theirs), layers(theirs))
    return from_timm(name, theirs), theirs


def another(conv: nn.Conv2d, **changes) -> nn.Conv2d:
    """A convolution like this one but for `changes`."""
    keys = ("in_channels", "out_channels", "kernel_size", "stride", "padding")
    known = {key: getattr(conv, key) for key in keys} | {"bias": conv.bias is not None}
    return nn.Conv2d(**(known | changes))


# The kernels that the paper prints the other way round than the released code has them.
TURNED = {
    "Mixed4a": ("branch1.1", "branch1.2"),
    "InceptionB": ("branch1.2", *(f"branch2.{i}" for i in range(1, 5))),
    "InceptionC": ("branch2_1", "branch2_2"),
}


def inception_v4_pair():
    """The paper's Inception-v4, and timm's with nine kinds of kernels turned."""
    theirs = pytest.importorskip("timm").create_model("inception_v4", pretrained=False).eval()
    for block in theirs.features:
        for name in TURNED.get(type(block).__name__, ()):
            layer = block.get_submodule(name)
            sides, pads = layer.conv.kernel_size[::-1], layer.conv.padding[::-1]
            layer.conv = another(layer.conv, kernel_size=sides, padding=pads)
    copy_weights(layers(theirs), layers(theirs))
    ours = with_weights("inception_v4", theirs.state_dict(), description=inception_v4())
    return ours, theirs


def widened(block: nn.Module, was: int, trunk: int) -> nn.Module:
    """A block of the released network with `trunk` channels where it has `was`."""
    for module in list(block.modules()):
        for name, conv in module.named_children():
            if not isinstance(conv, nn.Conv2d):
                continue
            if conv.in_channels == was:
                conv = another(conv, in_channels=trunk)
            elif name == "conv2d":
                conv = another(conv, out_channels=trunk)
            setattr(module, name, conv)
    if hasattr(block, "scale"):
        block.scale = 0.1
    return block


def inception_resnet_v2_pair():
    """The paper's Inception-ResNet-v2, and one put together of timm's parts: the stem of its
    Inception-v4 with two kernels turned, and its blocks, 5, 10 and 5 of them, in wider trunks."""
    pytest.importorskip("timm")
    from timm.models.inception_resnet_v2 import InceptionResnetV2

    _, v4 = inception_v4_pair()
    whole = InceptionResnetV2()
    trunks = {"repeat": (320, 384), "repeat_1": (1088, 1152), "repeat_2": (2080, 2144)}
    stages = {
        stage: nn.Sequential(*(widened(block, *trunk) for block in getattr(whole, stage)[:count]))
        for (stage, trunk), count in zip(trunks.items(), (5, 10, 5))
    }
    theirs = nn.Sequential(
        *v4.features[:6],
        stages["repeat"],
        widened(whole.mixed_6a, *trunks["repeat"]),
        stages["repeat_1"],
        widened(whole.mixed_7a, *trunks["repeat_1"]),
        stages["repeat_2"],
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(2144, 1000),
    ).eval()
    described = pool_last(inception_resnet_v2())
    described = replace(described, blocks=(inception_resnet_v2().blocks[0], *described.blocks[1:]))
    ours = build(described, init="empty")
    copy_weights(layers(ours), layers(theirs))
    return ours, theirs


def inception_resnet_v1_pair():
    """The paper's Inception-ResNet-v1, and facenet's without its sixth C block and its embedding,
    with every scale 0.1."""
    models = pytest.importorskip("facenet_pytorch.models.inception_resnet_v1")
    face = models.InceptionResnetV1(pretrained=None)
    for block in face.modules():
        if hasattr(block, "scale"):
            block.scale = 0.1
    kept = [part for name, part in face.named_children() if name not in AFTER_C]
    theirs = nn.Sequential(
        *kept, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1792, 1000)
    ).eval()
    ours = build(pool_last(inception_resnet_v1()), init="empty")
    copy_weights(layers(ours), layers(theirs))
    return ours, theirs


AFTER_C = ("block8", "avgpool_1a", "dropout", "last_linear", "last_bn")


# Network: its description, the package that is its witness, and how both get the same weights.
PAIRS = {
    "googlenet": (
        googlenet(),
        "plain torch, after BVLC's",
        lambda: with_answer(*plain_googlenet_pair(False)),
    ),
    "googlenet_aux": (
        googlenet(heads=True),
        "plain torch, after BVLC's; answers of the heads too",
        lambda: tuple(map(Answers, plain_googlenet_pair(False))),
    ),
    "googlenet_local": (
        googlenet(local=True),
        "plain torch, after BVLC's",
        lambda: with_answer(*plain_googlenet_pair(True)),
    ),
    "googlenet_torchvision": (googlenet("torchvision"), "torchvision", googlenet_pair),
    "bn_inception": (bn_inception(bias=True), "pretrainedmodels", bn_inception_pair),
    "inception_v3": (inception_v3(), "timm", lambda: timm_pair("inception_v3")),
    "inception_v3_aux": (inception_v3_aux(), "torchvision", inception_v3_pair),
    "inception_v4": (inception_v4(), "timm, kernels turned", inception_v4_pair),
    "inception_v4_released": (
        inception_v4("released"),
        "timm",
        lambda: timm_pair("inception_v4"),
    ),
    "inception_resnet_v2_released": (
        inception_resnet_v2_released(),
        "timm",
        lambda: timm_pair("inception_resnet_v2"),
    ),
    "inception_resnet_v1": (
        inception_resnet_v1(),
        "facenet-pytorch, without what the paper lacks",
        inception_resnet_v1_pair,
    ),
    "inception_resnet_v2": (
        inception_resnet_v2(),
        "timm, its parts in wider trunks",
        inception_resnet_v2_pair,
    ),
    "resnet50": (resnet(50), "torchvision", resnet_pair),
    "resnet50, stride on the 1×1": (
        resnet(50, "1×1"),
        "torchvision, strides moved",
        lambda: resnet_stride_1x1_pair(50),
    ),
    "resnet101": (resnet(101), "torchvision", lambda: deeper_resnet_pair(101)),
    "resnet101, stride on the 1×1": (
        resnet(101, "1×1"),
        "torchvision, strides moved",
        lambda: resnet_stride_1x1_pair(101),
    ),
    "resnet152": (resnet(152), "torchvision", lambda: deeper_resnet_pair(152)),
    "resnet152, stride on the 1×1": (
        resnet(152, "1×1"),
        "torchvision, strides moved",
        lambda: resnet_stride_1x1_pair(152),
    ),
    "resnext50": (resnext(), "torchvision", resnext_pair),
    "inception_resnet_v1_released": (facenet(), "facenet-pytorch", facenet_pair),
}
# Nobody published the networks as the paper prints them: their witnesses are put together of
# published parts, and tests/test_transcription.py holds their blocks against the figures.
