"""Parts and changes by hand: the description that must come out, written down. No torch."""

import pytest

from inception_edu import describe as d
from inception_edu.describe import (
    AvgPool,
    Chain,
    Classifier,
    Concat,
    Conv,
    Linear,
    MaxPool,
    Residual,
    SpecError,
)


def test_parts_by_their_addresses():
    a, b, c = Conv(1, 1), Conv(2, 1), Conv(3, 1)
    node = Chain(a, Concat(b, Residual(c, shortcut=a)))
    assert d.at(node, ()) is node and d.at(node, ("step 1",)) == a
    assert d.at(node, ("step 2", "branch 2", "shortcut")) == a
    assert d.at(node, ("step 2", "branch 2", "residual branch")) == c
    assert d.put(node, ("step 1",)) == Chain(node.parts[1])
    assert d.put(node, ("step 1",), b, c) == Chain(b, c, node.parts[1])
    both = d.put(node, ("step 2", "branch 2", "residual branch"), b, c)
    assert d.at(both, ("step 2", "branch 2", "residual branch")) == Chain(b, c)
    assert d.put(node, (), b) == b and d.put(node, (), b, c) == Chain(b, c)
    assert d.put(node, ()) == Chain()
    from inception_edu.describe.parts import last_conv, leaf_paths, leaves, with_padding

    assert list(leaves(node)) == [a, b, c, a] and list(leaves(a)) == [a]
    assert leaf_paths(node) == [
        ("step 1",),
        ("step 2", "branch 1"),
        ("step 2", "branch 2", "residual branch"),
        ("step 2", "branch 2", "shortcut"),
    ]
    assert last_conv(Residual(Chain(a, Chain(b, c)))) == ("residual branch", "step 2", "step 2")
    assert last_conv(a) == () and last_conv(Chain(a)) == ("step 1",)
    assert last_conv(Chain(a, b, c)) == ("step 3",)
    for wrong in (Chain(), Concat(a), Chain(a, MaxPool())):
        with pytest.raises(SpecError, match="must be a chain that ends with a convolution"):
            last_conv(wrong)
    even, four = MaxPool(2, 2, "valid"), MaxPool(4, 4, "valid")
    mixed = Chain(Conv(4, 3, padding="valid"), even, AvgPool(3), four)
    assert with_padding(mixed, "same") == Chain(Conv(4, 3), even, AvgPool(3), four)
    assert with_padding(mixed, "valid").parts[2].padding == "valid"
    with pytest.raises(SpecError, match="no 'step 3' in Chain; it has step 1, step 2"):
        d.at(node, ("step 3",))
    with pytest.raises(SpecError, match="in Conv; it has no parts"):
        d.at(a, ("step 1",))
    with pytest.raises(SpecError, match="A Conv has 0 parts, got 1"):
        d.rebuild(a, (b,))
    with pytest.raises(SpecError, match="A Residual has 1 parts, got 0"):
        d.rebuild(Residual(c), ())
    assert d.rebuild(a, ()) is a
    assert d.rebuild(Residual(c, shortcut=a), (b, c)) == Residual(b, shortcut=c)


TOWER = d.tower(64, 3, scale=0.5)
BODY = TOWER.blocks[1].node.body
ENDS = {
    "norm in every branch": (Conv(64, 1, relu=False, bias=True), {}),
    "norm after every sum": (Linear(64), {"norm": True}),
    "learnable scale": (Linear(64), {"learnable": True}),
    "scaled identity": (Linear(64), {"scale": 1.0, "identity_scale": 0.5}),
    "zero last layer": (Linear(64, gain=0.0), {}),
    "slow last layers": (Linear(64, gain=10.0), {"scale": 0.05}),
    "small last layers": (Linear(64, gain=0.1), {}),
    "no bias": (Linear(64, bias=False), {}),
    "centred last layers": (Linear(64, bias=False, centred=True), {}),
}


@pytest.mark.parametrize("change", ENDS)
def test_a_change_of_every_block_is_this_and_nothing_else(change):
    conv, fields = ENDS[change]
    (stem, block) = d.changed(TOWER, change).blocks
    assert stem == TOWER.blocks[0] and block.repeat == 3
    expected = {"scale": 0.5, **fields}
    assert block.node == Residual(
        Chain(BODY.parts[0], conv),
        name="Inception-ResNet-C",
        figure="Fig. 13",
        **expected,
    )


def test_a_change_of_the_last_block_leaves_the_others():
    for change, every in (
        ("norm in last branch", "norm in every branch"),
        ("norm after last sum", "norm after every sum"),
    ):
        stem, first, last = d.changed(TOWER, change).blocks
        assert (first.name, first.repeat) == ("inception_resnet_c", 2)
        assert first.node == TOWER.blocks[1].node
        assert (last.name, last.repeat, last.stage) == ("inception_resnet_c_last", 1, "C")
        assert last.node == d.changed(TOWER, every).blocks[1].node
        single = d.changed(d.tower(64, 1), change)
        assert [b.name for b in single.blocks] == ["stem", "inception_resnet_c"]
    mini = d.changed(d.mini(d.inception_resnet_v2_released()), "norm after last sum")
    assert [b.name for b in mini.blocks][-2:] == ["inception_resnet_c", "conv_7b"]
    assert [b.node.norm for b in mini.blocks if isinstance(b.node, Residual)][-1]


@pytest.mark.parametrize(
    "change, classifier",
    [
        ("zero classifier", Classifier(gain=0.0)),
        ("slow classifier", Classifier(rate=0.1)),
        ("centred classifier input", Classifier(centre="batch")),
        ("centred classifier input, mean held", Classifier(centre="held")),
        # 14.4 channels learn at the ordinary rate; 64 at 14.4 / 64 = 0.225 of it.
        ("classifier rate per width", Classifier(rate=0.225)),
        ("centred input and rate per width", Classifier(rate=0.225, centre="batch")),
    ],
)
def test_a_change_of_the_classifier_leaves_the_blocks(change, classifier):
    edited = d.changed(TOWER, change)
    assert edited.blocks == TOWER.blocks
    assert edited.classifier.rate == pytest.approx(classifier.rate)
    assert (edited.classifier.gain, edited.classifier.centre) == (
        classifier.gain,
        classifier.centre,
    )


def test_slow_ends_are_both():
    edited = d.changed(TOWER, "slow classifier and last layers")
    assert edited.classifier == Classifier(rate=0.1)
    assert edited.blocks == d.changed(TOWER, "slow last layers").blocks
