"""Windows of input pixels: by hand, against `measure`, and against what really reaches a value."""

import pytest
import torch

from inception_edu.describe import (
    Chain,
    Conv,
    InceptionA,
    InceptionB,
    MaxPool,
    SpecError,
    inception_v4,
    measure,
    mini,
    network,
)
from inception_edu.describe.field import ONE, Window, entering, window, within
from inception_edu.nets.build import build


def test_by_hand():
    """3×3 same reads one before and one after; a valid one starts at its own place; stride 2 twice
    as far."""
    assert window(Conv(4, 3))[0].of(5) == (4, 7)
    assert window(Conv(4, 3, padding="valid"))[0].of(5) == (5, 8)
    down = Chain(MaxPool(3, stride=2, padding="valid"), Conv(4, 3, padding="valid"))
    assert window(down) == (Window(0, 2, 7), Window(0, 2, 7))
    rows, columns = window(Conv(4, (1, 7)))
    assert rows.of(0) == (0, 1) and columns.of(0) == (-3, 4)
    assert window(Chain()) == ONE


def test_a_block_reads_the_union_of_its_branches():
    assert window(InceptionA()) == (Window(-2, 1, 5), Window(-2, 1, 5))
    rows, columns = window(InceptionB())
    # As printed the short branch is 1×7, 1×7: 13 columns; the long one 13 rows and 13 columns.
    assert (rows, columns) == (Window(-6, 1, 13), Window(-6, 1, 13))


@pytest.mark.parametrize("net", [inception_v4(), mini(network("inception_resnet_v2"))])
def test_sizes_are_those_of_measure(net):
    for row in measure(net).rows[:-1]:
        found = within(net, row.name, row.node)
        assert tuple(w.size for w in found) == row.receptive_field, row.name
        assert tuple(w.step for w in found) == row.stride


def test_where_a_block_begins():
    net = inception_v4()
    assert entering(net, "stem") == ONE
    assert entering(net, "inception_a.2") == within(net, "inception_a.1", InceptionA())
    with pytest.raises(SpecError, match="no block 'inception_a.9'"):
        entering(net, "inception_a.9")


def test_a_value_depends_on_its_window_and_on_nothing_else():
    """All weights 1, no norm, so that every path counts: the gradient's support is the window."""
    node = Chain(
        Conv(2, 3, stride=2, padding="valid", norm=False),
        Conv(2, (1, 7), norm=False),
        Conv(2, (3, 1), norm=False),
    )
    model = build(node, 1)
    for parameter in model.parameters():
        torch.nn.init.constant_(parameter, 1.0)
    image = torch.ones(1, 1, 41, 41, requires_grad=True)
    model(image)[0, 0, 9, 8].backward()
    rows, columns = (image.grad[0, 0].sum(axis).nonzero().flatten() for axis in (1, 0))
    windows = window(node)
    assert (rows[0].item(), rows[-1].item() + 1) == windows[0].of(9)
    assert (columns[0].item(), columns[-1].item() + 1) == windows[1].of(8)
