"""The alphabet: shapes flow, wrong sums are named, and a printed description is the Python that
makes it."""

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch import nn

from inception_edu import describe
from inception_edu.describe import (
    AvgPool,
    Chain,
    ChannelError,
    Concat,
    Conv,
    Linear,
    MaxPool,
    Pool,
    Residual,
    SizeError,
    SpecError,
    children,
    out_shape,
    slide,
    walk,
)
from inception_edu.nets.build import build

ODD = st.sampled_from([1, 3, 5, 7])
KERNEL = st.one_of(ODD, st.tuples(ODD, ODD))


@given(
    size=st.integers(1, 400), kernel=st.integers(1, 9), stride=st.integers(1, 4), same=st.booleans()
)
def test_slide_is_what_torch_does(size, kernel, stride, same):
    if same and kernel % 2 == 0 or not same and size < kernel:
        return
    pool = nn.MaxPool1d(kernel, stride, kernel // 2 if same else 0)
    got = pool(torch.zeros(1, 1, size)).shape[-1]
    assert slide(size, kernel, stride, "same" if same else "valid") == got


def convs():
    padding = st.sampled_from(["same", "valid"])
    return st.builds(
        Conv, st.integers(1, 6), KERNEL, st.integers(1, 2), padding, st.booleans(), st.booleans()
    )


def nodes():
    window = (ODD, st.integers(1, 2), st.sampled_from(["same", "valid"]))
    pools = st.one_of(st.builds(MaxPool, *window), st.builds(AvgPool, *window, st.booleans()))
    leaves = st.one_of(convs(), pools)
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda parts: Chain(*parts), st.lists(inner, min_size=1, max_size=3)),
            st.builds(
                lambda parts: Concat(*parts, name="block", figure="Fig. 0"),
                st.lists(inner, min_size=1, max_size=3),
            ),
            st.builds(
                lambda body, scale: Residual(body, scale), inner, st.sampled_from([0.1, 0.3, 1.0])
            ),
        ),
        max_leaves=6,
    )


@settings(max_examples=150, deadline=None)
@given(
    node=nodes(), channels=st.integers(1, 4), size=st.tuples(st.integers(1, 20), st.integers(1, 20))
)
def test_a_description_says_what_torch_does(node, channels, size):
    """Random descriptions: the declared shape is the shape of a forward pass, and where the
    description raises, torch cannot run the module either."""
    shape = (channels, *size)
    try:
        expected = out_shape(node, shape)
    except SpecError:
        # Adding one channel to many, or one pixel, is legal in torch, by broadcasting, and never
        # meant.
        if not any(isinstance(part, Residual) for part in _all(node)):
            with pytest.raises((SpecError, RuntimeError)), torch.no_grad():
                build(node, channels).eval()(torch.zeros(1, *shape))
        return
    with torch.no_grad():
        assert tuple(build(node, channels).eval()(torch.zeros(1, *shape)).shape[1:]) == expected


def _all(node):
    yield node
    for _, part in children(node):
        yield from _all(part)


@given(node=nodes())
def test_repr_is_the_python_that_makes_the_node(node):
    assert eval(repr(node), vars(describe)) == node


def test_empty_chain_is_the_identity():
    assert out_shape(Chain(), (3, 5, 7)) == (3, 5, 7)


def test_a_wrong_sum_names_figure_branches_and_both_numbers():
    block = Concat(
        Conv(96, 1), Chain(Conv(64, 1), Conv(90, 3)), out=192, name="Inception-A", figure="Fig. 4"
    )
    with pytest.raises(
        ChannelError, match=r"Fig\. 4 Inception-A.*96 \(branch 1\) \+ 90 \(branch 2\) = 186.*192"
    ):
        out_shape(block, (3, 9, 9))


def test_a_wrong_residual_end_names_figure_and_both_numbers():
    block = Residual(Chain(Conv(4, 1), Linear(1154)), name="Inception-ResNet-B", figure="Fig. 17")
    with pytest.raises(ChannelError, match=r"Fig\. 17 Inception-ResNet-B.*1154.*1152"):
        out_shape(block, (1152, 17, 17))


def test_a_missing_padding_names_the_branch_and_both_sizes():
    block = Concat(Conv(96, 1), Chain(Conv(64, 1), Conv(96, 3, padding="valid")), figure="Fig. 4")
    with pytest.raises(SizeError, match=r"Fig\. 4: branch 1 gives 35×35 and branch 2 gives 33×33"):
        out_shape(block, (384, 35, 35))


def test_an_error_inside_a_branch_names_the_way_to_it():
    block = Concat(
        Conv(8, 1),
        Chain(Conv(8, 1), Conv(8, 7, padding="valid")),
        figure="Fig. 5",
        name="Inception-B",
    )
    with pytest.raises(
        SizeError, match=r"Fig\. 5 Inception-B, branch 2, step 2: the map is 5×5 there, too small"
    ):
        out_shape(block, (8, 5, 5))


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: Conv(0, 1), "at least one filter"),
        (lambda: Conv(8, 2), "odd kernels"),
        (lambda: Conv(8, 3, 0), "stride"),
        (lambda: Conv(8, 3, padding="full"), "'same' or 'valid'"),
        (lambda: Conv(8, (3, 3, 3)), "height, width"),
        (lambda: Pool("median", 3), "'max' or 'avg'"),
        (lambda: Pool("max", 3, count_padding=True), "Only average pooling"),
        (lambda: Concat(), "at least one branch"),
        (lambda: Chain("conv"), "is a Conv, Pool"),
        (lambda: out_shape("conv", (3, 9, 9)), "made of Conv, Pool"),
    ],
)
def test_wrong_descriptions_end_with_a_sentence(make, words):
    with pytest.raises(SpecError, match=words):
        make()


def test_walk_follows_the_data_and_ends_with_the_node():
    block = Concat(AvgPool(3), Chain(Conv(4, 1), MaxPool(3)))
    steps = list(walk(block, (3, 8, 8)))
    assert [s.node for s in steps] == [
        block.branches[0],
        block.branches[1].parts[0],
        block.branches[1].parts[1],
        block.branches[1],
        block,
    ]
    assert all(s.output == out_shape(s.node, s.input) for s in steps)
