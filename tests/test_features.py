"""What chapter 12 shows, against networks whose answer is known because their weights were set by
hand."""

import pytest
import torch
from torch import nn

from inception_edu.data import Data, Split
from inception_edu.describe import (
    AvgPool,
    Block,
    Chain,
    Concat,
    Conv,
    InceptionA,
    InceptionResNetA_v1,
    Linear,
    MaxPool,
    Network,
    Residual,
    measure,
    mini,
    network,
    tower,
)
from inception_edu.learn import accuracy
from inception_edu.nets import covered, exciting, features, windows
from inception_edu.nets.build import build, named_blocks


@pytest.fixture
def images():
    return torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture(params=["inception_v4", "inception_resnet_v2", "inception_v3", "resnet50"])
def model(request):
    repeats = (1, 1, 1, 1) if request.param == "resnet50" else (1, 2, 1)
    return build(mini(network(request.param), width=1 / 16, repeats=repeats), seed=0).train()


def _data(images, labels, classes=10):
    split = Split(images, labels)
    return Data("made up", tuple(f"class {i}" for i in range(classes)), split, split)


def _random_data(n=40, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return _data(
        torch.randint(0, 256, (n, 3, 32, 32), dtype=torch.uint8, generator=generator),
        torch.arange(n) % 10,
    )


def test_activations_are_what_the_blocks_say_and_the_network_is_left_as_it_was(model, images):
    before = {k: v.clone() for k, v in model.state_dict().items()}
    seen = features.activations(model, images)
    expected = {
        row.name: row.output for row in measure(model.description).rows if row.name != "classifier"
    }
    assert {name: tuple(out.shape[1:]) for name, out in seen.items()} == expected
    assert model.training and not any(m._forward_hooks for m in model.modules())
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    model.eval()
    with torch.no_grad():
        last = list(seen.values())[-1]
        torch.testing.assert_close(model.classifier(last.mean((2, 3))), model(images))


def test_branches_join_to_the_block(images):
    model = build(mini(network("inception_v4"), width=1 / 16), seed=0)
    at = features.inside(model, images, "inception_b.2")
    torch.testing.assert_close(torch.cat(list(at.branches.values()), 1), at.output)
    assert list(at.branches) == [
        "1 · average pool → 1×1",
        "2 · 1×1",
        "3 · 1×1 → 1×7 → 1×7",
        "4 · 1×1 → 1×7 → 7×1 → 1×7 → 7×1",
    ]
    assert at.change is None


def test_a_residual_block_adds_its_scaled_change(images):
    model = build(mini(network("inception_resnet_v2"), width=1 / 16, scale=0.3), seed=0)
    at = features.inside(model, images, "inception_resnet_b.1")
    torch.testing.assert_close(torch.relu(at.input + 0.3 * at.change), at.output)
    conv = dict(named_blocks(model))["inception_resnet_b.1"].body[1]
    torch.testing.assert_close(conv(torch.cat(list(at.branches.values()), 1)), at.change)


def test_names_of_branches():
    assert features.branch_names(build(InceptionA(), 384)) == [
        "average pool → 1×1",
        "1×1",
        "1×1 → 3×3",
        "1×1 → 3×3 → 3×3",
    ]
    assert features.branch_names(build(InceptionResNetA_v1(), 256)) == [
        "1×1",
        "1×1 → 3×3",
        "1×1 → 3×3 → 3×3",
    ]
    assert features.branch_names(build(Conv(4, 3), 3)) == []


def test_dead_channels_are_those_that_were_killed():
    model = build(tower(32, 2, scale=1.0), seed=0)
    conv = dict(named_blocks(model))["inception_resnet_c.2"].body[1]
    with torch.no_grad():
        conv.bias[[3, 7]] = -1e6
    masks = features.dead_channels(model, _random_data())
    assert masks["inception_resnet_c.2"].nonzero().flatten().tolist() == [3, 7]
    assert not masks["inception_resnet_c.1"].any()


def test_a_channel_that_lives_on_one_image_only_is_not_dead():
    images = torch.zeros(60, 3, 32, 32, dtype=torch.uint8)
    images[59] = 255
    net = Network("bright", (Block("stem", Conv(2, 1, norm=False)),), classes=10, image=32)
    model = build(net, seed=0)
    with torch.no_grad():
        model.stem[0].weight.fill_(1.0)
        model.stem[0].bias.copy_(torch.tensor([0.0, -1e6]))
    masks = features.dead_channels(model, _data(images, torch.arange(60) % 10), batch_size=25)
    assert masks["stem"].tolist() == [False, True]


def test_listening_reads_the_slices_of_the_1x1():
    block = build(InceptionResNetA_v1(), 256)
    weight = block.body[1].weight
    with torch.no_grad():
        for s, value in ((slice(0, 32), 1.0), (slice(32, 64), 0.0), (slice(64, 96), -3.0)):
            weight[:, s] = value
    assert features.listening(block) == pytest.approx([0.25, 0.0, 0.75])
    with torch.no_grad():
        weight[7, 64:96] = 0.0
    assert features.listening(block, 7) == pytest.approx([1.0, 0.0, 0.0])
    with pytest.raises(features.FeatureError, match="residual Inception block"):
        features.listening(build(InceptionA(), 384))


def test_branch_channels():
    assert features.branch_channels(build(InceptionA(), 384)) == [96, 96, 96, 96]
    from inception_edu.describe import InceptionC

    assert features.branch_channels(build(InceptionC(), 1536)) == [256, 256, 512, 512]


def test_switching_a_branch_off_is_the_same_as_cutting_its_weights(images):
    model = build(mini(network("inception_resnet_v1"), width=1 / 16), seed=0).eval()
    name = "inception_resnet_b.2"
    module = dict(named_blocks(model))[name]
    channels = features.branch_channels(module)
    with torch.no_grad():
        whole = model(images)
        with features.switched_off(model, name, 2):
            off = model(images)
        assert torch.equal(model(images), whole) and not torch.equal(off, whole)
        module.body[1].weight[:, channels[0] : channels[0] + channels[1]] = 0
        torch.testing.assert_close(model(images), off)
    with pytest.raises(features.FeatureError, match="has 2 branches; there is no branch 3"):
        with features.switched_off(model, name, 3):
            pass


def test_branch_effects_find_the_branch_that_matters():
    """Two branches, only the first carries the class: the label is told by the red channel
    alone."""
    join = Concat(Chain(Conv(2, 1, norm=False)), Chain(Conv(2, 1, norm=False)))
    net = Network("red", (Block("block", join),), classes=2, image=8)
    model = build(net, seed=0)
    with torch.no_grad():
        for branch in model.block.children():
            branch[0][0].weight.zero_()
            branch[0][0].bias.zero_()
        model.block.branch1[0][0].weight[0, 0] = 1.0
        model.block.branch1[0][0].weight[1, 0] = -1.0
        model.classifier.weight.copy_(torch.tensor([[1.0, -1, 0, 0], [-1.0, 1, 0, 0]]))
        model.classifier.bias.zero_()
    images = torch.randint(
        0, 256, (40, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    labels = torch.arange(40) % 2
    images[:, 0] = torch.where(labels == 0, 255, 0).to(torch.uint8)[:, None, None]
    data = _data(images, labels, classes=2)
    assert accuracy(model, data) == 1.0
    assert features.branch_effects(model, data)["block"] == pytest.approx([0.5, 0.0])


@pytest.mark.parametrize("scale, share", [(0.0, 0.0), (1.0, 0.5), (3.0, 0.75)])
def test_shares_of_change_and_identity(scale, share):
    """A residual branch that is itself the identity on positive maps: its change is as large as
    what it is added to."""
    block = Residual(
        Chain(Concat(Conv(2, 1, norm=False), Conv(2, 1, norm=False)), Linear(4)), scale
    )
    net = Network(
        "twice", (Block("stem", Conv(4, 1, norm=False)), Block("block", block)), classes=2, image=8
    )
    model = build(net, seed=0)
    with torch.no_grad():
        for i, branch in enumerate(model.block.body[0].children()):
            branch[0].weight.zero_()
            branch[0].weight[0, 2 * i, 0, 0] = branch[0].weight[1, 2 * i + 1, 0, 0] = 1.0
        model.block.body[1].weight.copy_(torch.eye(4)[:, :, None, None])
    images = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert features.residual_shares(model, images) == pytest.approx({"block": share})


def test_the_effective_field_lies_in_the_theoretical_one_and_is_peaked():
    chain = Chain(*(Conv(4, 3) for _ in range(4)))
    net = Network("chain", (Block("chain", chain),), classes=2, image=33)
    model = build(net, seed=0)
    with torch.no_grad():
        for m in model.modules():
            if isinstance(m, nn.Conv2d):
                m.weight.fill_(1 / m.weight[0].numel())
    field = features.effective_field(model, torch.ones(1, 3, 33, 33), "chain")
    reached = field > 0
    assert (
        (int(reached.any(1).sum()), int(reached.any(0).sum()))
        == measure(net).receptive_field
        == (9, 9)
    )
    # Equal weights: the gradient along one axis is the number of ways through four windows of
    # three.
    ways = torch.tensor([1.0])
    for _ in range(4):
        ways = nn.functional.conv1d(ways[None, None], torch.ones(1, 1, 3), padding=2)[0, 0]
    torch.testing.assert_close(field[16, 12:21], (ways / ways.max()))


@pytest.mark.parametrize("side", [1, 5, 9])
def test_the_radius_of_a_flat_square_is_its_side(side):
    field = torch.zeros(21, 21)
    field[10 - side // 2 : 11 + side // 2, 10 - side // 2 : 11 + side // 2] = 1.0
    assert features.field_radius(field, 1.0) == side


def test_covering_finds_the_only_pixels_that_matter():
    net = Network("corner", (Block("stem", MaxPool(1)),), classes=2, image=16)
    model = build(net, seed=0)
    with torch.no_grad():
        model.classifier.weight.copy_(torch.tensor([[5.0, 0, 0], [-5.0, 0, 0]]))
        model.classifier.bias.zero_()
    image = torch.zeros(3, 16, 16)
    image[0, 2:5, 10:13] = 20.0  # the only evidence
    drop = covered(model, image[None], [0], patch=3, stride=1)[0]
    row, column = divmod(int(drop.argmax()), 16)
    assert drop.shape == (16, 16) and 2 <= row < 5 and 10 <= column < 13
    assert abs(drop[10:, :6]).max() < 1e-6


def test_the_planted_spot_excites_most():
    images = torch.zeros(30, 3, 32, 32, dtype=torch.uint8)
    images[7, :, 20:23, 4:7] = 255
    images[19, :, 20:23, 4:7] = 128
    stem = Chain(Conv(2, 3, norm=False), Conv(2, 1, norm=False))
    net = Network("bright", (Block("stem", stem),), classes=2, image=32)
    model = build(net, seed=0)
    with torch.no_grad():
        for m in model.modules():
            if isinstance(m, nn.Conv2d):
                m.weight.fill_(1.0)
    data = _data(images, torch.arange(30) % 2, 2)
    found = exciting(model, images, data.normalise, ["stem"], count=2)["stem", "output"]
    assert found.images[0].tolist() == [7, 19]
    rows, columns = windows(model, "stem")
    assert rows.of(int(found.rows[0, 0])) == (20, 23)
    assert columns.of(int(found.columns[0, 0])) == (4, 7)
    assert found.values[0, 0] > found.values[0, 1]


def test_an_unknown_block_names_those_there_are(images):
    model = build(tower(16, 1), seed=0)
    with pytest.raises(
        features.FeatureError, match="no block 'inception_d'; it has stem, inception_resnet_c"
    ):
        features.inside(model, images, "inception_d")


def test_average_pools_are_named():
    assert features.branch_names(build(Concat(AvgPool(3), Conv(1, (1, 7))), 3)) == [
        "average pool",
        "1×7",
    ]
