"""Folding and merging change the weights, not the function; the speed lab says what it measured."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from inception_edu.describe import (
    NETWORKS,
    AvgPool,
    Chain,
    Concat,
    Conv,
    Linear,
    Residual,
    SpecError,
    figures,
    mini,
    network,
    tower,
)
from inception_edu.nets.build import build
from inception_edu.nets.fast import Siblings, fold, merge_siblings

MINIS = [key for key in NETWORKS if key.startswith("inception")]


def trained(what, *args, seed=0):
    """Built, with batch norms as training leaves them, in evaluation mode."""
    model = build(what, *args, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight.data, module.running_var):
                tensor.copy_(0.5 + torch.rand(len(tensor), generator=generator))
            for tensor in (module.bias.data, module.running_mean):
                tensor.copy_(0.3 * torch.randn(len(tensor), generator=generator))
        elif isinstance(module, nn.Conv2d) and module.bias is not None:
            nn.init.normal_(module.bias, generator=generator)
    return model.eval()


def kinds(model, kind):
    return [m for m in model.modules() if isinstance(m, kind)]


@torch.no_grad()
def apart(a, b, x):
    """Largest difference of two modules' outputs, in standard deviations."""
    return ((a(x) - b(x)).abs().max() / a(x).std()).item()


@pytest.mark.parametrize("key", MINIS)
def test_folded_and_merged_networks_compute_the_same(key):
    model = trained(mini(network(key)))
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    folded = fold(model)
    merged = merge_siblings(folded)
    assert not kinds(folded, nn.BatchNorm2d) and kinds(model, nn.BatchNorm2d)
    assert apart(model, folded, images) < 1e-5 and apart(model, merged, images) < 1e-5
    assert kinds(merged, Siblings) and len(kinds(merged, nn.Conv2d)) < len(kinds(folded, nn.Conv2d))
    assert all(torch.equal(value, kept[name]) for name, value in model.state_dict().items()), (
        "the original changed"
    )
    assert all(b.scale == 1 for b in folded.modules() if hasattr(b, "shortcut"))
    with pytest.raises(SpecError, match="takes batches of shape"):  # the input is still checked
        merged(torch.randn(1, 1, 32, 32))


def test_siblings_of_the_figures():
    """Read off the figures: three branches begin with a 1×1 in each A, B and C, two in Reduction-B
    and in join 2 of the stem, one in Reduction-A."""
    for figure, channels, sizes in (
        (figures.InceptionA(), 384, [96, 64, 64]),
        (figures.InceptionB(), 1024, [384, 192, 192]),
        (figures.InceptionC(), 1536, [256, 384, 384]),
        (figures.ReductionB(), 1024, [192, 256]),
    ):
        merged = merge_siblings(fold(trained(figure, channels)))
        assert merged.sizes == sizes and merged.first[0].weight.shape == (
            sum(sizes),
            channels,
            1,
            1,
        )
    stem = merge_siblings(fold(trained(figures.StemV4(), 3)))
    assert [m.sizes for m in kinds(stem, Siblings)] == [[64, 64]]
    assert not kinds(merge_siblings(fold(trained(figures.ReductionA(8, 8, 8, 8), 16))), Siblings)


branches = st.lists(
    st.sampled_from(
        [
            Conv(3, 1),
            Conv(2, 3),
            Chain(Conv(4, 1), Conv(2, 3)),
            Chain(AvgPool(3), Conv(3, 1)),
            Conv(2, 1, relu=False),
            Chain(Conv(4, 1, norm=False), Conv(2, (1, 3))),
            Chain(Conv(3, 1), Concat(Conv(2, 1), Conv(2, 1), Conv(1, (3, 1)))),
        ]
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=40, deadline=None)
@given(branches, st.sampled_from([0.0, 0.1, 1.0, 1.7]), st.integers(0, 5))
def test_any_block_computes_the_same(parts, scale, seed):
    block = trained(Residual(Chain(Concat(*parts), Linear(6)), scale=scale), 6, seed=seed)
    x = torch.randn(2, 6, 7, 7, generator=torch.Generator().manual_seed(seed))
    for quick in (fold(block), fold(block, scale=False), merge_siblings(fold(block))):
        assert apart(block, quick, x) < 1e-5


def test_scales_that_stay():
    learnable = trained(
        Residual(Chain(Concat(Conv(4, 1)), Linear(6)), scale=0.1, learnable=True), 6
    )
    assert fold(learnable).scale.item() == pytest.approx(0.1) and isinstance(
        fold(learnable).scale, nn.Parameter
    )
    ends_in_relu = trained(Residual(Conv(6, 1), scale=0.1), 6)
    assert fold(ends_in_relu).scale == 0.1
    assert apart(ends_in_relu, fold(ends_in_relu), torch.randn(1, 6, 5, 5)) < 1e-5


def test_what_cannot_be_folded_says_so():
    with pytest.raises(SpecError, match=r"call model.eval\(\) first"):
        fold(build(tower(16, 1), seed=0).train())
    with pytest.raises(SpecError, match=r"fold\(model\) first"):
        merge_siblings(trained(tower(16, 1)))
