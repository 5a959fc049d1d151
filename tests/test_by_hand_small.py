"""The small networks by hand: filters of minis and towers, block by block. No torch."""

from dataclasses import replace

import pytest

from inception_edu import describe as d
from inception_edu.describe import (
    AvgPool,
    Chain,
    Concat,
    Conv,
    Linear,
    MaxPool,
    SpecError,
    measure,
    out_shape,
)


def test_the_small_stem():
    """384 channels / 8 = 48: 8·round(48/24) = 16 first, 48 − 16 = 32 beside the pool's 16."""
    small = d.mini(d.inception_v4())
    first = Conv(16, 3)
    assert small["stem"].node == Chain(
        first, first, Concat(Conv(32, 3, 2), MaxPool(3, 2)), name="Small stem"
    )
    assert out_shape(small["stem"].node, (3, 32, 32)) == (48, 16, 16)
    # From 48 pixels one more halving, in front.
    large = d.mini(d.inception_v4(), image=48)["stem"].node
    assert large.parts[0] == Conv(16, 3, 2) and large.parts[1:] == small["stem"].node.parts
    assert len(d.mini(d.inception_v4(), image=47)["stem"].node.parts) == 3
    # Never below 16 channels: 8 first and 8 beside them.
    least = d.mini(d.inception_v4(), width=0.01)["stem"].node
    assert least == Chain(
        Conv(8, 3), Conv(8, 3), Concat(Conv(8, 3, 2), MaxPool(3, 2)), name="Small stem"
    )
    # 37 channels: 37/24 = 1.54, so 16 first and 21 beside.
    odd = d.mini(d.inception_v4(), width=37 / 384)["stem"].node
    assert odd.parts[0] == Conv(16, 3) and odd.parts[-1].branches[0] == Conv(21, 3, 2)
    # 256 / 2 = 128: round(128/24) = 5, so 40 first and 88 beside.
    half = d.mini(d.inception_resnet_v1(), width=0.5)["stem"].node
    assert half.parts[-1] == Concat(Conv(88, 3, 2), MaxPool(3, 2)) and half.parts[0].out == 40


def test_a_mini_is_the_network_with_an_eighth_of_its_filters():
    small = d.mini(d.inception_v4())
    assert [(b.name, b.repeat, b.stage) for b in small.blocks] == [
        ("stem", 1, ""),
        ("inception_a", 1, "A"),
        ("reduction_a", 1, ""),
        ("inception_b", 2, "B"),
        ("reduction_b", 1, ""),
        ("inception_c", 1, "C"),
    ]
    assert (small.name, small.classes, small.dropout) == ("mini Inception-v4", 10, 0.0)
    assert (small.image, small.channels, small.input) == (32, 3, (3, 32, 32))
    # 96/8 = 12, 64/8 = 8; the printed sum goes, for it is no longer 384.
    assert small["inception_a"].node.branches == (
        Chain(AvgPool(3), Conv(12, 1)),
        Conv(12, 1),
        Chain(Conv(8, 1), Conv(12, 3)),
        Chain(Conv(8, 1), Conv(12, 3), Conv(12, 3)),
    )
    assert small["inception_a"].node.out is None
    assert small["reduction_a"].node.branches[:2] == (MaxPool(3, 2), Conv(48, 3, 2))
    assert [r.output for r in measure(small).rows[:-1]] == [
        (48, 16, 16),
        (48, 16, 16),
        (128, 8, 8),
        (128, 8, 8),
        (128, 8, 8),
        (192, 4, 4),
        (192, 4, 4),
    ]


def test_a_mini_residual_block_ends_with_as_many_filters_as_its_trunk():
    small = d.mini(d.inception_resnet_v1(), scale=0.3, channels=1, classes=4, dropout=0.5)
    # The stem has 256/8 = 32; 32/8 = 4 in the branches.
    node = small["inception_resnet_a"].node
    assert node.body.parts[1] == Linear(32) and node.scale == 0.3
    assert node.body.parts[0].branches[0] == Conv(4, 1)
    assert (small.channels, small.classes, small.dropout) == (1, 4, 0.5)
    assert d.mini(d.inception_resnet_v1(0.2))["inception_resnet_a"].node.scale == 0.2
    everything = d.mini(d.inception_resnet_v1(), repeats=None)
    assert [b.repeat for b in everything.blocks] == [1, 5, 1, 10, 1, 5]
    none = d.mini(d.inception_resnet_v1(), repeats=(0, 1, 0))
    assert [b.name for b in none.blocks] == [
        "stem",
        "reduction_a",
        "inception_resnet_b",
        "reduction_b",
    ]
    more = d.mini(d.inception_resnet_v1(), repeats=(7, 1, 1))
    assert more["inception_resnet_a"].repeat == 7


def test_uneven_stages_keep_their_first_blocks_and_the_last():
    released = d.inception_resnet_v2_released()
    blocks = d.mini(released, repeats=(1, 1, 2)).blocks
    c = [(b.name, b.repeat, b.node.scale, b.node.relu) for b in blocks if b.stage == "C"]
    assert c == [("inception_resnet_c", 1, 0.2, True), ("inception_resnet_c_2", 1, 1.0, False)]
    one = [b for b in d.mini(released).blocks if b.stage == "C"]
    assert [(b.repeat, b.node.relu) for b in one] == [(1, False)]
    more = [b for b in d.mini(released, repeats=(1, 1, 12)).blocks if b.stage == "C"]
    assert [b.repeat for b in more] == [11, 1]
    resnet = d.mini(d.resnet(50), repeats=(1, 1, 1, 1))
    assert [b.name for b in resnet.blocks][:3] == ["stem", "conv2_1", "conv2"]
    # A shortcut that projects keeps its own scale.
    scaled = d.mini(d.resnet(50), repeats=(1, 1, 1, 1), scale=0.3)
    assert (scaled["conv2_1"].node.scale, scaled["conv2"].node.scale) == (1.0, 0.3)


def test_groups_follow_thin_filters():
    from inception_edu.describe.small import thin

    # 24 inputs and 32/8 = 4 filters: of 8 groups, 4 are the most that divide both.
    assert thin(Conv(32, 3, groups=8), 1 / 8, 24) == Conv(4, 3, groups=4)
    # 9 inputs fall into no even number of groups; 10 and 4 leave the same rest in 3, but a rest.
    assert thin(Conv(32, 3, groups=8), 1 / 8, 9) == Conv(4, 3)
    assert thin(Conv(32, 3, groups=4), 1 / 8, 10) == Conv(4, 3, groups=2)
    assert thin(Conv(8, 3, padding="valid"), 1 / 8, 3) == Conv(4, 3, padding="valid")
    assert thin(Conv(80, 3, padding="valid"), 1 / 8, 3, "same") == Conv(10, 3)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: d.mini(d.inception_v4(), repeats=(1, 1)), r"has 3 stages \(A, B, C\)"),
        (lambda: d.mini(d.inception_v4(), repeats=(1, -1, 1)), r"got \(1, -1, 1\)"),
        (lambda: d.mini(d.inception_v4(), width=0), "above 0 and at most 1, got 0"),
        (lambda: d.mini(d.inception_v4(), width=1.01), "got 1.01"),
        (lambda: d.mini(d.inception_v4(), image=7), "at least 8×8 pixels, got 7"),
        (lambda: d.tower(7), "width of at least 8 .* got 7"),
        (lambda: d.tower(8, -1), "got 8 and -1"),
    ],
)
def test_small_networks_that_cannot_be(make, words):
    with pytest.raises(SpecError, match=words):
        make()


def test_small_networks_at_their_bounds():
    assert d.mini(d.inception_v4(), width=1, image=8).image == 8
    assert [b.name for b in d.tower(8, 0).blocks] == ["stem"]
    assert [b.name for b in d.tower(8, 0, residual=False).blocks] == ["stem"]
    assert [b.name for b in d.tower(8, 0, last_norm=True).blocks] == ["stem"]


def test_a_tower():
    """576 of Fig. 13's 1792 channels: 192·576/1792 = 61.7, so 62 in each branch."""
    tower = d.tower()
    assert (tower.classes, tower.dropout, tower.image, tower.channels) == (10, 0.0, 32, 3)
    assert tower.name == "residual tower, width 576, depth 10"
    stem, block = tower.blocks
    assert stem.node == Chain(
        Conv(32, 3, 2), Conv(64, 3, 2), Conv(576, 3, 2), name="Three convolutions"
    )
    assert (block.name, block.repeat, block.stage) == ("inception_resnet_c", 10, "C")
    branches = Concat(Conv(62, 1), Chain(Conv(62, 1), Conv(62, (1, 3)), Conv(62, (3, 1))))
    assert block.node.body == Chain(branches, Linear(576))
    assert (block.node.scale, block.node.learnable, block.node.relu) == (1.0, False, True)
    assert d.tower(learnable=True).blocks[1].node.learnable
    assert [c.out for c in d.tower(16).blocks[0].node.parts] == [16, 16, 16]
    # Halves go to the even number: 192·42/1792 = 4.5 and 192·70/1792 = 7.5; without the bottleneck
    # 192·61/384 = 30.5 and 192·63/384 = 31.5.
    for width, bottleneck, filters in (
        (42, True, 4),
        (70, True, 8),
        (61, False, 30),
        (63, False, 32),
    ):
        block = d.tower(width, bottleneck=bottleneck).blocks[1].node
        assert block.body.parts[0].branches[0] == Conv(filters, 1)
    # Without the bottleneck: 192·576/384 = 288, twice that is the trunk.
    assert d.tower(bottleneck=False).blocks[1].node.body.parts[0].branches[0] == Conv(288, 1)


def test_the_other_towers():
    plain = d.tower(64, 3, residual=False)
    assert plain.name == "plain tower, width 64, depth 3"
    assert [(b.name, b.repeat, b.stage) for b in plain.blocks] == [
        ("stem", 1, ""),
        ("inception_c", 3, "C"),
    ]
    # 192·64/1792 = 6.9, so 7 in each branch.
    branches = Concat(Conv(7, 1), Chain(Conv(7, 1), Conv(7, (1, 3)), Conv(7, (3, 1))))
    assert plain.blocks[1].node == Chain(
        branches, Conv(64, 1), name="Inception-C without identity", figure="after Fig. 13"
    )
    for depth, copies in ((1, [1]), (2, [1, 1]), (3, [2, 1])):
        blocks = d.tower(64, depth, last_norm=True).blocks[1:]
        assert [b.repeat for b in blocks] == copies
        assert blocks[-1].name == "inception_resnet_c_last" and blocks[-1].stage == "C"
        assert blocks[-1].node.body == Chain(branches, Conv(64, 1, relu=False))
    assert blocks[0].node.body.parts[1] == Linear(64) and blocks[0].stage == "C"


def test_three_kinds_in_a_stage_are_three_blocks():
    """Inception-v3's stage B: 128, 160, 160 and 192 inner filters; an eighth is 16, 20, 20, 24."""
    small = d.mini(d.inception_v3(), repeats=(1, 4, 1))
    found = [(b.name, b.repeat, b.stage) for b in small.blocks if b.stage == "B"]
    assert found == [
        ("inception_b", 1, "B"),
        ("inception_b_2", 2, "B"),
        ("inception_b_3", 1, "B"),
    ]
    inner = [b.node.branches[1].parts[0].out for b in small.blocks if b.stage == "B"]
    assert inner == [16, 20, 24]


def test_a_head_behind_a_block_of_no_stage_is_left_out_of_a_mini():
    whole = d.network("inception_v4")
    head = d.network("googlenet_aux").heads[0]
    headed = replace(whole, heads=(replace(head, after="stem"),))
    assert d.mini(headed, heads=True).heads == ()
