"""The nodes by hand: what a field is when nothing is said, how a node is printed, what is refused.
No torch.
"""

import pytest

from inception_edu.describe import (
    AvgPool,
    Block,
    Chain,
    Classifier,
    Concat,
    Conv,
    Head,
    Linear,
    LocalNorm,
    MaxPool,
    Pool,
    Residual,
    SpecError,
)


def test_what_is_not_said_is_the_papers_ordinary_case():
    conv = Conv(8, 3)
    assert (conv.out, conv.kernel, conv.stride, conv.padding) == (8, (3, 3), 1, "same")
    assert (conv.norm, conv.relu, conv.groups, conv.has_bias) == (True, True, 1, False)
    assert (conv.bias, conv.centred, conv.gain) == (None, False, 1.0)
    linear = Linear(8)
    assert (linear.kernel, linear.stride, linear.padding) == ((1, 1), 1, "same")
    assert (linear.norm, linear.relu, linear.has_bias) == (False, False, True)
    for made, kind in ((MaxPool(), "max"), (AvgPool(), "avg")):
        window = (made.kind, made.kernel, made.stride, made.padding, made.count_padding)
        assert window == (kind, (3, 3), 1, "same", False)
    bare = Pool("avg", 3)
    assert (bare.stride, bare.padding, bare.count_padding) == (1, "same", False)
    block = Residual(conv)
    assert (block.scale, block.relu, block.shortcut, block.learnable) == (1.0, True, None, False)
    assert (block.norm, block.identity_scale, block.name, block.figure) == (False, 1.0, "", "")
    classifier = Classifier()
    assert (classifier.gain, classifier.rate, classifier.centre) == (1.0, 1.0, "")
    assert Head("aux", "b", conv).dropout == 0.0
    assert (Block("b", conv).repeat, Block("b", conv).stage, Block("b", conv).output) == (
        1,
        "",
        None,
    )


def test_a_bias_may_be_said_against_the_rule():
    assert Conv(8, 3, norm=False).has_bias and not Conv(8, 3, norm=False, bias=False).has_bias
    assert Conv(8, 3, bias=True).has_bias


def test_nodes_are_data():
    for node in (
        Conv(4, 1),
        MaxPool(),
        Chain(Conv(4, 1)),
        Concat(Conv(4, 1)),
        Residual(Conv(4, 1)),
    ):
        assert node in {node}
        with pytest.raises(AttributeError):
            node.name = "other"
    for record in (Classifier(), Block("b", Conv(4, 1)), Head("a", "b", Conv(4, 1))):
        assert record in {record}
        with pytest.raises(AttributeError):
            record.name = "other"
    for kind in (Chain, Concat):
        linked = kind(Conv(4, 1), source="here")
        assert linked == kind(Conv(4, 1)) and linked != kind(Conv(5, 1))
        assert hash(linked) == hash(kind(Conv(4, 1)))
    assert Residual(Conv(4, 1), source="here") == Residual(Conv(4, 1))
    assert Chain(Conv(1, 1), parts=[Conv(2, 1)]).parts == (Conv(1, 1), Conv(2, 1))
    assert Concat(Conv(1, 1), branches=[Conv(2, 1)]).branches == (Conv(1, 1), Conv(2, 1))


@pytest.mark.parametrize(
    "node, text",
    [
        (Conv(8, 3), "Conv(8, 3)"),
        (Conv(8, (1, 7), 2, "valid"), 'Conv(8, (1, 7), stride=2, padding="valid")'),
        (Conv(8, 3, relu=False), "Conv(8, 3, relu=False)"),
        (Conv(8, 3, norm=False), "Conv(8, 3, norm=False)"),
        (Conv(8, 1, norm=False), "Conv(8, 1, norm=False)"),
        (Conv(8, 3, norm=False, relu=False), "Conv(8, 3, norm=False, relu=False)"),
        (
            Conv(8, 3, groups=4, bias=True, centred=True, gain=0.5),
            "Conv(8, 3, groups=4, bias=True, centred=True, gain=0.5)",
        ),
        (Linear(8), "Linear(8)"),
        (Linear(8, 2, "valid"), 'Linear(8, stride=2, padding="valid")'),
        (Linear(8, bias=False), "Linear(8, bias=False)"),
        (MaxPool(3, 2, "valid"), 'MaxPool(3, stride=2, padding="valid")'),
        (AvgPool((1, 3), count_padding=True), "AvgPool((1, 3), count_padding=True)"),
        (Chain(), "Chain()"),
        (Chain(Linear(8), name="a", figure="b"), "Chain(Linear(8), name='a', figure='b')"),
        (Concat(Linear(8), out=8), "Concat(Linear(8), out=8)"),
        (Residual(Linear(8)), "Residual(Linear(8))"),
        (
            Residual(Linear(8), 0.5, False, learnable=True),
            "Residual(Linear(8), scale=0.5, relu=False, learnable=True)",
        ),
        (
            Residual(Linear(8), norm=True, identity_scale=0.5),
            "Residual(Linear(8), norm=True, identity_scale=0.5)",
        ),
        (
            Residual(Linear(8), 2.0, identity_scale=3.0),
            "Residual(Linear(8), scale=2.0, identity_scale=3.0)",
        ),
        (Residual(Linear(8), shortcut=Linear(8)), "Residual(Linear(8), shortcut=Linear(8))"),
    ],
)
def test_a_node_is_printed_as_the_shortest_python_that_makes_it(node, text):
    assert repr(node) == text


def test_a_line_of_88_characters_is_one_line_and_one_of_89_is_not():
    # All but the name itself.
    fixed = len("Chain(" + ", ".join(["Linear(8)"] * 5) + ", name='')")
    fits = Chain(*[Linear(8)] * 5, name="x" * (88 - fixed))
    assert len(repr(fits)) == 88 and "\n" not in repr(fits)
    longer = Chain(*[Linear(8)] * 5, name="x" * (89 - fixed))
    assert repr(longer).splitlines()[:2] == ["Chain(", "    Linear(8),"]
    assert repr(longer).splitlines()[-1] == ")"
    outer = repr(Chain(longer)).splitlines()
    assert outer[:3] == ["Chain(", "    Chain(", "        Linear(8),"]


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: Conv(0, 3), "at least one filter, got 0"),
        (lambda: Conv(2.5, 3), "at least one filter, got 2.5"),
        (lambda: Conv(8, 0), r"Conv\(8, …\): the kernel .* got 0"),
        (lambda: Conv(8, (3, 0)), "the kernel"),
        (lambda: Conv(8, (3, 2.0)), "the kernel"),
        (lambda: Conv(8, (3,)), "the kernel"),
        (lambda: Conv(8, 3, 0), "stride must be a whole number of at least 1, got 0"),
        (lambda: Conv(8, 3, 1.5), "stride"),
        (lambda: Conv(8, 3, padding="ceil"), "'same' or 'valid'.* got 'ceil'"),
        (lambda: Conv(8, 2), "odd kernels, got 2×2"),
        (lambda: Conv(8, (3, 2)), "odd kernels, got 3×2"),
        (lambda: Conv(8, (4, 3)), "odd kernels, got 4×3"),
        (lambda: Conv(8, 3, groups=3), "equal groups, got groups=3"),
        (lambda: Conv(8, 3, groups=0), "equal groups"),
        (lambda: Conv(8, 3, groups=2.0), "equal groups"),
        (lambda: Pool("min", 3), "got 'min'"),
        (lambda: MaxPool(2), r"Pool\('max', …\): 'same' padding needs odd kernels"),
        (lambda: Pool("max", 3, count_padding=True), "Only average pooling"),
        (lambda: Concat(), "at least one branch"),
    ],
)
def test_what_cannot_be_is_refused(make, words):
    with pytest.raises(SpecError, match=words):
        make()


def test_what_can_be_is_taken():
    assert Conv(1, 1, 1).out == 1 and Conv(8, 4, padding="valid").kernel == (4, 4)
    assert Conv(8, 3, groups=8).groups == 8
    assert Pool("avg", 3, count_padding=True).count_padding
    assert Pool("max", 3, padding="ceil").padding == "ceil"


@pytest.mark.parametrize("window", ((3,), (1, 2), (1, 1, "valid"), (1, 1, "ceil")))
def test_local_response_normalisation_has_a_window_of_one(window):
    assert LocalNorm() == Pool("local", 1)
    with pytest.raises(SpecError, match="has a 1×1 window: write LocalNorm"):
        Pool("local", *window)
