"""Fields and paths against torch: the gradient of a sum of ones counts paths."""

import numpy as np
import pytest
import torch
from torch import nn

from inception_edu.describe import (
    AvgPool,
    Chain,
    Concat,
    Conv,
    MaxPool,
    Residual,
    SpecError,
    figures,
    measure,
    networks,
    paths,
)
from inception_edu.describe.padding import outputs, readers, unread


class Ones(nn.Module):
    """A description as a module of one channel whose weights are all 1: its gradient counts
    paths. Written apart from the package's own builder and walk."""

    def __init__(self, node):
        super().__init__()
        self.node = node

    def forward(self, x):
        return self.run(self.node, x)

    def run(self, node, x):
        if isinstance(node, Chain):
            for part in node.parts:
                x = self.run(part, x)
            return x
        if isinstance(node, Concat):
            return sum(self.run(branch, x) for branch in node.branches)
        if isinstance(node, Residual):
            return x + self.run(node.body, x)
        padding = [(k - 1) // 2 if node.padding == "same" else 0 for k in node.kernel]
        weight = torch.ones(1, 1, *node.kernel, dtype=torch.float64)
        return torch.nn.functional.conv2d(x, weight, stride=node.stride, padding=padding)


NODES = {
    "two 3×3": Chain(Conv(1, 3), Conv(1, 3)),
    "strided": Chain(Conv(1, 3, 2, "valid"), MaxPool(3, 2), Conv(1, (1, 7))),
    "two 1×7": Chain(Conv(1, (1, 7)), Conv(1, (1, 7))),
    "Fig. 4": figures.InceptionA(),
    "Fig. 6": figures.InceptionC(),
    "Fig. 8": figures.ReductionB(),
    "Fig. 11": figures.InceptionResNetB_v1(),
    "Fig. 3": figures.StemV4(),
}


@pytest.mark.parametrize("name", NODES)
@pytest.mark.parametrize("corner", [False, True])
def test_paths_are_torchs_gradient_of_ones(name, corner):
    node, side = NODES[name], 75 if name == "Fig. 3" else 17
    x = torch.zeros(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    y = Ones(node)(x)
    place = (0, y.shape[3] - 1) if corner else (y.shape[2] // 2, y.shape[3] // 2)
    y[0, 0, place[0], place[1]].backward()
    # A residual block needs as many channels as it has; paths do not count channels.
    channels = {"Fig. 4": 384, "Fig. 6": 1536, "Fig. 8": 1024, "Fig. 11": 896}.get(name, 3)
    frames = paths.grow(node, (channels, side, side), place if corner else None)
    assert np.array_equal(frames[-1].counts, x.grad[0, 0].numpy())
    assert frames[0].paths == 1 and frames[0].size == tuple(y.shape[2:])


def test_known_fields_and_counts():
    two = paths.grow(NODES["two 3×3"], (1, 15, 15))[-1]
    assert two.seen == (5, 5) and two.paths == 81 and two.counts.max() == 9
    top, left, _, _ = two.box
    assert two.counts[top, left : left + 5].tolist() == [1, 2, 3, 2, 1]
    five = paths.grow(Conv(1, 5), (1, 15, 15))[-1]
    assert five.seen == (5, 5) and five.paths == 25 and five.counts.max() == 1
    square = paths.grow(Chain(Conv(1, (1, 7)), Conv(1, (7, 1))), (1, 17, 17))[-1]
    assert square.seen == (7, 7) and square.counts.max() == 1
    strip = paths.grow(NODES["two 1×7"], (1, 17, 17))[-1]
    assert strip.seen == (1, 13) and strip.counts.max() == 7


def test_the_borderless_reach_is_the_receptive_field():
    for net in (networks.inception_v4(), networks.inception_resnet_v2()):
        frames = paths.grow(net)
        assert frames[-1].reach == measure(net).receptive_field
        assert frames[-1].size == (299, 299) and frames[0].size == (8, 8)
        assert len(frames) > 15


def test_a_row_of_3x3_makes_a_bell():
    """n windows of 3 in a row have the variance n·2/3 along each axis, as dice have."""
    for n in (1, 3, 6):
        frame = paths.grow(Chain(*[Conv(1, 3)] * n), (1, 31, 31))[-1]
        profile = frame.counts.sum(0) / frame.paths
        at = np.arange(31) - 15
        assert (profile * at**2).sum() == pytest.approx(n * 2 / 3)
        assert frame.seen == (2 * n + 1,) * 2


def test_half_of_the_paths_lie_in_the_core():
    frame = paths.grow(Chain(*[Conv(1, 3)] * 6), (1, 31, 31))[-1]
    height, width = frame.core(0.5)
    profile = frame.counts.sum(0) / frame.paths
    inside = profile[15 - width // 2 : 15 + width // 2 + 1].sum()
    smaller = profile[15 - width // 2 + 1 : 15 + width // 2].sum()
    assert height == width == 3 and inside >= 0.5 > smaller
    assert frame.core(1.0) == frame.seen
    assert paths.grow(AvgPool(3), (1, 9, 9))[-1].core(1.0) == (3, 3)


def test_wrong_input_is_a_sentence():
    with pytest.raises(SpecError, match="shape"):
        paths.grow(Conv(1, 3))
    with pytest.raises(SpecError, match="8×8"):
        paths.grow(networks.inception_v4(), 299, (8, 0))


def test_counts_in_words():
    assert paths.number_words(81.0) == "81"
    assert paths.number_words(1234567.0) == "1,234,567"
    assert paths.number_words(2.5e45) == "2.5·10⁴⁵"


def test_the_formula_is_torchs():
    for size in range(1, 36):
        for kernel in range(1, 8):
            for stride in range(1, 5):
                for padding in range(4):
                    count = outputs(size, kernel, stride, padding)
                    if size + 2 * padding < kernel:
                        assert count == 0
                        continue
                    row, window = torch.zeros(1, 1, size), torch.zeros(1, 1, kernel)
                    done = nn.functional.conv1d(row, window, stride=stride, padding=padding)
                    assert count == done.shape[2]


@pytest.mark.parametrize(
    "size, kernel, stride, padding",
    [(15, 3, 2, 0), (16, 3, 2, 0), (8, 3, 3, 0), (7, 5, 4, 1), (3, 7, 1, 0), (9, 1, 3, 0)],
)
def test_a_pixels_readers_are_its_gradient(size, kernel, stride, padding):
    row = torch.zeros(1, 1, size, requires_grad=True)
    wanted = [0] * size
    if size + 2 * padding >= kernel:
        ones = torch.ones(1, 1, kernel)
        nn.functional.conv1d(row, ones, stride=stride, padding=padding).sum().backward()
        wanted = row.grad[0, 0].int().tolist()
    assert readers(size, kernel, stride, padding) == wanted
    trailing = 0
    while trailing < size and wanted[-1 - trailing] == 0:
        trailing += 1
    assert unread(size, kernel, stride, padding) == trailing
