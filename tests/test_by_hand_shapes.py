"""Shapes by hand: what leaves a node, and how what does not fit is told. No torch."""

import pytest

from inception_edu.describe import (
    Chain,
    ChannelError,
    Concat,
    Conv,
    Linear,
    MaxPool,
    Residual,
    SizeError,
    SpecError,
    out_channels,
    out_shape,
    slide,
    walk,
)
from inception_edu.describe.spec import VanishedError


@pytest.mark.parametrize(
    "size, kernel, stride, padding, outputs",
    [
        (299, 3, 2, "valid", 149),
        (149, 3, 1, "valid", 147),
        (35, 3, 2, "valid", 17),
        (8, 3, 2, "same", 4),
        (9, 3, 2, "same", 5),
        (7, 1, 3, "valid", 3),
        (3, 3, 1, "valid", 1),
        (112, 3, 2, "ceil", 56),
        (113, 3, 2, "ceil", 56),
        (28, 3, 2, "ceil", 14),
        (10, 2, 3, "ceil", 4),
    ],
)
def test_windows_along_one_axis(size, kernel, stride, padding, outputs):
    assert slide(size, kernel, stride, padding) == outputs


def test_height_and_width_go_their_own_ways():
    assert out_shape(Conv(4, (1, 7), padding="valid"), (3, 10, 12)) == (4, 10, 6)
    assert out_shape(MaxPool(3, 2, "valid"), (3, 9, 11)) == (3, 4, 5)
    assert out_shape(Chain(), (3, 4, 5)) == (3, 4, 5)
    both = Concat(Conv(4, 1, 2), MaxPool(3, 2))
    assert out_shape(both, (3, 9, 11)) == (7, 5, 6)
    projected = Residual(Conv(4, 1, 2), shortcut=Conv(4, 1, 2))
    assert out_shape(projected, (3, 9, 11)) == (4, 5, 6)
    assert out_channels(projected, 3) == 4 and out_channels(Chain(both, Conv(5, 1)), 3) == 5
    assert out_channels(Chain(), 3) == 3 and out_channels(both, 3) == 7


@pytest.mark.parametrize(
    "node, shape, kind, words, short",
    [
        (Conv(4, 1, groups=2), (3, 9, 9), ChannelError, "3 channels do not fall into 2", "3 in 2"),
        (
            Concat(Conv(4, 1), Conv(5, 1), out=10),
            (3, 9, 9),
            ChannelError,
            r"4 \(branch 1\) \+ 5 \(branch 2\) = 9 channels, but the figure says 10",
            "9 ≠ 10",
        ),
        (Concat(Conv(4, 1), Conv(5, 1), out=8), (3, 9, 9), ChannelError, "= 9 channels", "9 ≠ 8"),
        (
            Residual(Conv(4, 1), shortcut=Conv(4, 1, 2)),
            (3, 9, 8),
            SizeError,
            "gives 9×8, but the shortcut it is added to is 5×4",
            "9×8 ≠ 5×4",
        ),
        (
            Residual(Linear(4)),
            (3, 9, 9),
            ChannelError,
            "ends with 4 channels, but the identity it is added to carries 3",
            "4 ≠ 3",
        ),
        (
            Residual(Linear(4), shortcut=Linear(5)),
            (3, 9, 9),
            ChannelError,
            "ends with 4 channels, but the shortcut it is added to carries 5",
            "4 ≠ 5",
        ),
        (
            Residual(Conv(3, 3, padding="valid")),
            (3, 9, 8),
            SizeError,
            "gives 7×6, but the identity it is added to is 9×8",
            "7×6 ≠ 9×8",
        ),
        (
            Residual(Conv(3, (1, 3), padding="valid")),
            (3, 9, 8),
            SizeError,
            "gives 9×6, but the identity",
            "9×6 ≠ 9×8",
        ),
        (
            Conv(3, (1, 3), padding="valid"),
            (3, 9, 2),
            VanishedError,
            "the map is 9×2 there, too small for Conv",
            "9×2 is too small",
        ),
        (
            Conv(3, (3, 1), padding="valid"),
            (3, 2, 9),
            VanishedError,
            "the map is 2×9 there",
            "2×9 is too small",
        ),
        (
            Concat(Conv(1, 1), Conv(1, 1), Conv(1, 3, padding="valid")),
            (3, 9, 9),
            SizeError,
            "branch 1 gives 9×9 and branch 3 gives 7×7",
            "9×9 ≠ 7×7",
        ),
    ],
)
def test_what_does_not_fit_is_named_with_both_numbers(node, shape, kind, words, short):
    with pytest.raises(SpecError, match=words) as found:
        out_shape(node, shape)
    assert type(found.value) is kind and found.value.short.startswith(short)


def test_the_branches_of_another_size_are_numbered_from_0():
    v = Conv(1, 3, padding="valid")
    with pytest.raises(SizeError) as found:
        out_shape(Concat(v, Conv(1, 1), v, Conv(2, 1), Conv(3, 1)), (3, 9, 9))
    assert found.value.odd == (0, 2)


def test_channels_are_spoken_of_before_sizes():
    for filters in (2, 4):
        with pytest.raises(ChannelError):
            out_shape(Residual(Conv(filters, 3, padding="valid")), (3, 9, 9))


def test_the_way_to_a_wrong_part_is_told():
    inner = Residual(Linear(4), name="Inner")
    block = Concat(Conv(1, 1), Chain(Conv(3, 1), inner), figure="Fig. 0", name="Outer")
    with pytest.raises(ChannelError, match=r"^Fig\. 0 Outer, branch 2, step 2, Inner: "):
        out_shape(block, (3, 9, 9))
    with pytest.raises(ChannelError, match=r"^Fig\. 0 Outer, branch 2, step 2, Inner: "):
        out_channels(block, 3)
    with pytest.raises(ChannelError, match="^The description: "):
        out_channels(Residual(Linear(4)), 3)


def test_a_walk_that_goes_on_gives_what_the_figure_needs():
    block = Chain(Concat(Conv(4, 1), Conv(5, 1), out=10), Residual(Linear(7)), Conv(6, 3))
    steps = {step.path: step for step in walk(block, (3, 9, 9), go_on=True)}
    assert isinstance(steps["step 1",].error, ChannelError)
    assert steps["step 1",].output == (9, 9, 9)  # what its branches give
    assert isinstance(steps["step 2",].error, ChannelError)
    assert steps["step 2",].output == (9, 9, 9)  # what the identity carries
    assert steps["step 2", "residual branch"].error is None
    assert steps[()].output == (6, 9, 9) and steps[()].error is None
    carried = Residual(Linear(7), shortcut=Conv(6, 1, 2))
    *_, last = walk(carried, (3, 9, 9), go_on=True)
    assert last.output == (6, 5, 5)
    steps = list(walk(Chain(Conv(4, 3, padding="valid"), Conv(5, 1)), (3, 2, 2), go_on=True))
    assert isinstance(steps[0].error, VanishedError)
    assert [s.output for s in steps] == [None, None, None] and steps[1].input is None
    assert all(s.output is None for s in walk(block, None, go_on=True))
    with pytest.raises(ChannelError):
        list(walk(block, (3, 9, 9)))
