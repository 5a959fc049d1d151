"""The family complete: each network computes what an independent implementation with the same
weights computes, has its published size, and sees as far as Google's table says.

    python tests/test_family.py            the table: network × witness × largest difference …
    python tests/test_family.py --write    ... into docs/family.md
"""

import re
import sys
from pathlib import Path

import plain_googlenet
import pytest
import torch
from torch import nn
from witnesses import (
    PAIRS,
    copy_weights,
    difference,
    inception_v3_pair,
    layers,
    plain_googlenet_pair,
    torchvision,
)

from inception_edu.describe import (
    FAMILY,
    NETWORKS,
    LocalNorm,
    Pool,
    SpecError,
    bn_inception,
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
from inception_edu.describe.parts import with_padding
from inception_edu.nets import build

PAGE = Path(__file__).resolve().parents[1] / "docs" / "family.md"


def row(name: str) -> tuple[str, ...]:
    """A line of the table: network, witness, largest difference, size, cost, field."""
    described, witness, pair = PAIRS[name]
    found = difference(*pair(), described.image)
    assert found < 1e-5, name
    return (name, witness, f"{found:.1e}", *counted(described))


def counted(described) -> tuple[str, str, str]:
    """Parameters, multiply-adds, field, in words."""
    measured = measure(described)
    field = "×".join(map(str, measured.receptive_field))
    return f"{measured.params:,}", f"{measured.macs:,}", field


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
    assert with_padding(LocalNorm(), "valid") == with_padding(LocalNorm(), "same") == LocalNorm()
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


def test_the_page_has_every_network_with_its_numbers():
    """The differences are those of the machine that wrote the page; all else is counted here."""
    assert set(PAIRS) >= {*NETWORKS, *FAMILY}
    table = PAGE.read_text(encoding="utf-8").split(START)[1].split(END)[0]
    rows = [line.strip("| ").split(" | ") for line in table.strip().splitlines()[2:]]
    found = {cells[0].strip("`"): cells for cells in rows}
    assert list(found) == list(PAIRS)
    for name, (described, witness, _) in PAIRS.items():
        cells = found[name]
        assert [cells[1], *cells[3:]] == [witness, *counted(described)]
        assert float(cells[2]) < 1e-5


START = "<!-- witnesses: python tests/test_family.py --write -->"
END = "<!-- end of witnesses -->"
HEAD = ("network", "witness", "largest difference", "parameters", "multiply-adds", "field")


def main(write: bool) -> None:
    rows = [HEAD]
    for name in PAIRS:
        rows.append(row(name))
        print(*rows[-1], sep="  ", flush=True)
    if write:
        lines = [f"| {' | '.join(cells)} |" for cells in rows]
        lines = [line.replace(f"| {n} |", f"| `{n}` |", 1) for n, line in zip(["", *PAIRS], lines)]
        lines.insert(1, "|---|---|---:|---:|---:|---:|")
        between = "\n".join([START, *lines, END])
        text = PAGE.read_text(encoding="utf-8")
        text = re.sub(f"{START}.*{END}", lambda _: between, text, flags=re.DOTALL)
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main("--write" in sys.argv[1:])
