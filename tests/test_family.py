"""The family complete: each network computes what an independent implementation with the same
weights computes, has its published size, and sees as far as Google's table says."""

from dataclasses import replace

import plain_googlenet
import pytest
import torch
from torch import nn

from inception_edu.describe import (
    FAMILY,
    NETWORKS,
    Concat,
    LocalNorm,
    Pool,
    SpecError,
    bn_inception,
    facenet,
    googlenet,
    inception_resnet_v2_released,
    inception_v3,
    inception_v3_aux,
    inception_v4,
    measure,
    mini,
    network,
    resnet,
    resnext,
)
from inception_edu.describe.code import parse
from inception_edu.nets import build, evaluating, from_timm

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


def deeper_resnet_pair(depth: int):
    ours, theirs = build(resnet(depth), init="empty"), torchvision(f"resnet{depth}")
    copy_weights(layers(ours), layers(theirs))
    return ours, theirs


def timm_pair(name: str):
    theirs = pytest.importorskip("timm").create_model(name, pretrained=False).eval()
    copy_weights(layers(theirs), layers(theirs))
    return from_timm(name, theirs), theirs


# Network: its description, the package that is its witness, and how both get the same weights.
PAIRS = {
    "googlenet": (
        googlenet(),
        "plain torch, after BVLC's",
        lambda: with_answer(*plain_googlenet_pair(False)),
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
# The networks as the paper prints them were published by nobody: tests/test_transcription.py holds
# their blocks against the figures.


def row(name: str) -> tuple[str, ...]:
    """A line of the table: network, witness, largest difference, size, cost, field."""
    described, witness, pair = PAIRS[name]
    found, measured = difference(*pair(), described.image), measure(described)
    assert found < 1e-5, name
    field = "×".join(map(str, measured.receptive_field))
    return (
        name,
        witness,
        f"{found:.1e}",
        f"{measured.params:,}",
        f"{measured.macs:,}",
        field,
    )


@pytest.mark.parametrize("name", PAIRS)
def test_it_computes_what_its_witness_computes(name):
    print(*row(name), sep="  ")


def test_the_auxiliary_head_of_inception_v3_is_its_witnesss():
    ours, theirs = inception_v3_pair()
    for model in (ours, theirs):
        model.train()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
    x = torch.randn(2, 3, 299, 299, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        answer, (aside,) = ours(x)
        expected = theirs(x)
    assert torch.allclose(answer, expected.logits, atol=1e-4)
    assert torch.allclose(aside, expected.aux_logits, atol=1e-4)
    assert not torch.allclose(answer, aside, atol=1e-1)


@pytest.mark.parametrize("local", [False, True])
def test_the_auxiliary_heads_of_googlenet_are_those_of_the_plain_one(local):
    ours, theirs = plain_googlenet_pair(local)
    ours.train()
    for module in ours.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    x = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        answer, aside = ours(x)
        expected = theirs(x)
    for mine, other in zip((answer, *aside), expected):
        assert (mine - other).abs().max() < 1e-5 * other.std()
    assert not torch.allclose(aside[0], aside[1], atol=1e-2)


def test_local_response_normalisation_is_caffes():
    x = 40 * torch.randn(2, 9, 3, 3, generator=torch.Generator().manual_seed(6))
    ours = build(LocalNorm(), 9)
    assert torch.allclose(ours(x), plain_googlenet.local_norm(x), atol=1e-5)
    assert (ours(x) - x).abs().max() > 0.1
    assert measure(googlenet(local=True)).receptive_field == measure(googlenet()).receptive_field
    assert measure(googlenet(local=True)).params == measure(googlenet()).params == 6_998_552
    assert parse(repr(googlenet(local=True).blocks[0].node)) == googlenet(local=True).blocks[0].node
    with pytest.raises(SpecError, match="has a 1×1 window: write LocalNorm"):
        Pool("local", 3)


def test_the_auxiliary_heads_of_googlenet_are_in_training_alone():
    model = build(mini(googlenet(), image=32), seed=0)
    assert not hasattr(model, "heads")  # a mini network has none
    full = build(googlenet(heads=True, variant="torchvision"), init="torch", seed=0)
    x = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(3))
    answer, aside = full.train()(x)
    assert [tuple(a.shape) for a in (answer, *aside)] == [(2, 1000)] * 3
    assert full.eval()(x).shape == (2, 1000)
    theirs = torchvision("googlenet", init_weights=False, aux_logits=True).aux1.eval()
    body = full.heads["aux1"].eval()
    copy_weights(layers(body), layers(theirs))
    # torchvision averages 14×14 to 4×4 by other windows than the paper's 5×5 with stride 3.
    four = torch.rand(2, 512, 4, 4, generator=torch.Generator().manual_seed(4))
    rest = nn.Sequential(*body.body[1:], body.flatten, body.classifier)
    assert torch.allclose(rest(four), theirs(four), atol=1e-5)


@pytest.mark.parametrize(
    "name, described",
    [
        ("GoogLeNet_Weights", googlenet("torchvision")),
        ("ResNet50_Weights", resnet(50)),
        ("ResNet101_Weights", resnet(101)),
        ("ResNet152_Weights", resnet(152)),
        ("ResNeXt50_32X4D_Weights", resnext()),
    ],
)
def test_parameters_and_multiply_adds_are_torchvisions_published_ones(name, described):
    models = pytest.importorskip("torchvision.models")
    published = getattr(models, name).IMAGENET1K_V1.meta
    measured = measure(described)
    assert measured.params == published["num_params"]
    assert abs(measured.macs / 1e9 - published["_ops"]) < 0.002


def test_parameters_of_the_others_are_the_published_ones():
    # torchvision counts Inception-v3 with its auxiliary head; Cadene's port prints its own number.
    whole = sum(p.numel() for p in build(inception_v3_aux(), init="empty").parameters())
    assert whole == 27_161_264
    assert measure(bn_inception(bias=True)).params == 11_295_240


# Araujo, Norris, Sim: Computing receptive fields of convolutional neural networks, Distill 2019;
# and the same with the stride on the 3×3.
@pytest.mark.parametrize(
    "described, side",
    [
        (inception_v3(), 1311),
        (inception_v4(), 2071),
        (inception_resnet_v2_released(), 3039),
        (resnet(50, "1×1"), 483),
        (resnet(101, "1×1"), 1027),
        (resnet(152, "1×1"), 1507),
        (resnet(50), 427),
        (resnet(101), 971),
        (resnet(152), 1451),
        (bn_inception(), 699),
    ],
)
def test_receptive_fields_are_googles(described, side):
    assert measure(described).receptive_field == (side, side)


@pytest.mark.parametrize("name", FAMILY)
def test_a_mini_of_each_runs_and_learns_from_every_weight(name):
    stages = len({block.stage for block in network(name).blocks if block.stage})
    model = build(mini(network(name), repeats=(1,) * stages), seed=0)
    model(torch.rand(2, 3, 32, 32)).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    assert not set(FAMILY) & set(NETWORKS)


def main() -> None:
    """The table, printed: `python tests/test_family.py`."""
    head = ("network", "witness", "largest difference", "parameters", "multiply-adds", "field")
    rows = []
    for name in PAIRS:
        try:
            rows.append(row(name))
        except pytest.skip.Exception as missing:
            rows.append((name, str(missing), *"----"))
    widths = [max(map(len, column)) for column in zip(head, *rows)]
    for line in (head, *rows):
        print("  ".join(word.ljust(width) for word, width in zip(line, widths)).rstrip())


if __name__ == "__main__":
    main()
