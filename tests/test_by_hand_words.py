"""Words and numbers that come from a file: equal to those of the code, and not the same objects. No
torch."""

import pytest

from inception_edu import describe as d
from inception_edu.describe import Bottleneck, Chain, Conv, MaxPool, make, slide
from inception_edu.describe.parts import with_padding


def read(word: str) -> str:
    """The word as a file gives it: a new object."""
    new = "".join(list(word))
    assert new == word
    return new


def test_paddings():
    assert slide(9, 3, 2, read("same")) == 5 and slide(9, 3, 2, read("valid")) == 4
    assert slide(10, 3, 2, read("ceil")) == 5 and slide(10, 3, 2, read("valid")) == 4
    with pytest.raises(d.SpecError, match="odd kernels"):
        Conv(4, 2, padding=read("same"))
    mixed = Chain(Conv(4, 3, padding="valid"), MaxPool(4, 4, "valid"), MaxPool(2, 2, "valid"))
    same = Chain(Conv(4, 3), MaxPool(4, 4, "valid"), MaxPool(2, 2, "valid"))
    assert with_padding(mixed, read("same")) == same
    assert repr(Conv(4, 3, padding=read("same"))) == "Conv(4, 3)"
    with pytest.raises(d.SpecError, match="Only average"):
        d.Pool(read("max"), 3, count_padding=True)
    assert d.Pool(read("avg"), 3, count_padding=True).count_padding


def test_orientations_and_strides():
    assert d.InceptionC(read("released")) == d.InceptionC("released") != d.InceptionC("paper")
    assert d.inception_v4(read("released")).name == "Inception-v4 (released)"
    assert Bottleneck(4, 2, stride_on=read("1×1")) == Bottleneck(4, 2, stride_on="1×1")
    assert Bottleneck(4, 2, stride_on=read("3×3")) != Bottleneck(4, 2, stride_on="1×1")


def test_networks():
    assert make(read("tower"), width=64, depth=2) == d.tower(64, 2)
    assert make(read("mini"), network=read("resnet50"), repeats=[1, 1, 1, 1]).name == (
        "mini ResNet-50"
    )
    assert make(read("resnet50"), classes=7).classes == 7
    assert d.inception_v4()[read("stem")].name == "stem"
    with pytest.raises(d.SpecError, match="'mini' cannot be made from these options"):
        make("mini", width=0.5)


def test_large_numbers():
    large = int("1154")
    assert d.out_channels(d.Concat(Conv(large, 1), Conv(1, 1), out=int("1155")), 3) == 1155
    same = d.Residual(d.Linear(large))
    assert d.out_shape(same, (int("1154"), 2, 2)) == (1154, 2, 2)
    assert d.measure(d.tower(64, 1), (int("3"), int("300"), int("300"))).input == (3, 300, 300)
    assert repr(d.Residual(Conv(large, 1), float("1.0"), identity_scale=float("1.0"))) == (
        "Residual(Conv(1154, 1))"
    )
