"""From a description to a module: names, kinds and numbers of what `build` makes, written down by
hand."""

import pytest
import torch
from torch import nn

from inception_edu.describe import (
    Block,
    Chain,
    ChannelError,
    Classifier,
    Concat,
    Conv,
    Head,
    Linear,
    MaxPool,
    Network,
    Residual,
    SizeError,
    SpecError,
)
from inception_edu.nets import (
    AlteredResidual,
    ConvBNReLU,
    ScaledResidual,
    build,
    last_linear,
    named_blocks,
    residual_blocks,
)
from inception_edu.nets.modules import CentredLinear, SlowLinear

BODY = Chain(Concat(Conv(2, 1), Chain(Conv(3, 1), Conv(2, 3))), Linear(4))
TINY = Network(
    "Tiny",
    (
        Block("stem", Chain(Conv(4, 3, 2), MaxPool(3))),
        Block("many", Residual(BODY, 0.5), 2, "A"),
        Block("one", Residual(BODY, 0.25), 1, "B"),
    ),
    classes=7,
    dropout=0.3,
    image=16,
    norm_eps=0.01,
)


def test_the_children_of_a_network():
    model = build(TINY, seed=0)
    names = [name for name, _ in model.named_children()]
    assert names == ["stem", "many", "one", "pool", "flatten", "dropout", "classifier"]
    assert [name for name, _ in model.many.named_children()] == ["1", "2"]
    assert [name for name, _ in named_blocks(model)] == ["stem", "many.1", "many.2", "one"]
    assert [(n, b.scale) for n, b in residual_blocks(model)] == [
        ("many.1", 0.5),
        ("many.2", 0.5),
        ("one", 0.25),
    ]
    assert model.dropout.p == 0.3 and model.pool.output_size == 1
    assert (model.classifier.in_features, model.classifier.out_features) == (4, 7)
    assert type(model.classifier) is nn.Linear and model.classifier.bias is not None
    assert last_linear(model.one) is model.one.body[1] and last_linear(model.one).out_channels == 4
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    # One in the stem, three in each of three bodies; the linear ends have none.
    assert len(norms) == 1 + 3 * 3 and {norm.eps for norm in norms} == {0.01}
    with torch.no_grad():
        assert model.eval()(torch.zeros(2, 3, 16, 16)).shape == (2, 7)


def test_the_kinds_of_a_block():
    unit = build(Conv(4, 3), 2)
    assert isinstance(unit, ConvBNReLU) and unit.norm.eps == 1e-3 and unit.conv.bias is None
    assert unit.conv.in_channels == 2 and build(Conv(4, 3)).conv.in_channels == 3
    linear = build(Linear(4))
    assert type(linear) is nn.Conv2d and linear.bias is not None
    with_relu = build(Conv(4, 3, norm=False))
    assert [type(m) for m in with_relu] == [nn.Conv2d, nn.ReLU] and with_relu[1].inplace
    assert with_relu[0].bias is not None
    chain = build(Chain(Conv(5, 1), Conv(6, 1)), 2)
    assert [m.conv.in_channels for m in chain] == [2, 5]
    assert [m.conv.in_channels for m in build(Concat(Conv(5, 1), Conv(6, 1)), 2).children()] == [
        2,
        2,
    ]
    plain = build(Residual(Linear(3), 0.5, False))
    assert type(plain) is ScaledResidual and plain.scale == 0.5
    assert isinstance(plain.relu, nn.Identity) and isinstance(plain.shortcut, nn.Identity)
    assert isinstance(build(Residual(Linear(3))).relu, nn.ReLU)
    assert not any(isinstance(p, nn.Parameter) and p.ndim == 0 for p in plain.parameters())
    assert isinstance(build(Residual(Linear(3), learnable=True)).scale, nn.Parameter)


def test_an_altered_residual_block():
    x = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    scaled = build(Residual(Linear(3), 0.5, identity_scale=0.25), seed=0)
    assert type(scaled) is AlteredResidual
    with torch.no_grad():
        torch.testing.assert_close(scaled(x), torch.relu(0.25 * x + 0.5 * scaled.body(x)))
    assert type(build(Residual(Linear(3), identity_scale=2.0))) is AlteredResidual
    normed = build(Residual(Linear(3), 0.5, norm=True), seed=0)
    assert type(normed) is AlteredResidual and normed.norm.num_features == 3
    assert normed.norm.eps == 1e-3
    projected = build(Residual(Conv(5, 1, 2, relu=False), shortcut=Conv(5, 1, 2, relu=False)))
    assert projected(x).shape == (2, 5, 2, 2)
    # The shortcut has a body of the same input: 3 channels.
    assert projected.shortcut.conv.in_channels == 3
    both = build(Residual(Linear(5), norm=True, shortcut=Linear(5)), 3)
    assert both.norm.num_features == 5 and both.shortcut is not None


@pytest.mark.parametrize(
    "classifier, kind, rate, held",
    [
        (Classifier(), nn.Linear, None, None),
        (Classifier(gain=2.0), nn.Linear, None, None),
        (Classifier(rate=0.1), SlowLinear, 0.1, None),
        (Classifier(centre="batch"), CentredLinear, 1.0, False),
        (Classifier(centre="held"), CentredLinear, 1.0, True),
        (Classifier(rate=0.5, centre="held"), CentredLinear, 0.5, True),
    ],
)
def test_the_classifier(classifier, kind, rate, held):
    from dataclasses import replace

    plain = build(TINY, seed=0).classifier
    made = build(replace(TINY, classifier=classifier), seed=0).classifier
    assert type(made) is kind and made.weight.shape == (7, 4)
    if rate is not None:
        assert made.factor == pytest.approx(rate**0.5)
    if held is not None:
        assert made.held is held
    wanted = classifier.gain * plain.weight / (1.0 if rate is None else rate**0.5)
    torch.testing.assert_close(made.weight, wanted)


def test_auxiliary_heads():
    from dataclasses import replace

    head = Head("aside", "many", Chain(Conv(5, 1)), dropout=0.7)
    with_head = replace(TINY, heads=(head,))
    model = build(with_head, seed=0).train()
    made = model.heads["aside"]
    assert [n for n, _ in made.named_children()] == [
        "body",
        "pool",
        "flatten",
        "dropout",
        "classifier",
    ]
    assert made.dropout.p == 0.7 and made.pool.output_size == 1
    assert (made.classifier.in_features, made.classifier.out_features) == (5, 7)
    # Drawn as torch does it: within 1/√5 for 5 inputs.
    drawn = build(with_head, init="torch", seed=0).heads["aside"].classifier.weight
    assert 0.8 / 5**0.5 < drawn.abs().max().item() <= 1 / 5**0.5
    answer, (aside,) = model(torch.zeros(2, 3, 16, 16))
    assert answer.shape == aside.shape == (2, 7)


def test_what_cannot_be_built_is_said_before_it_is_built():
    with pytest.raises(ChannelError):
        build(Residual(Linear(4)), 3)
    with pytest.raises(SizeError):
        build(Network("Small", (Block("v", Conv(4, 3, padding="valid")),), image=2))
    with pytest.raises(SpecError, match='init is "truncated", "he", "torch" or "empty", got'):
        build(TINY, init="ones")
    with pytest.raises(SpecError, match="not both"):
        build(TINY, seed=0, generator=torch.Generator())


def test_a_seed_of_0_is_a_seed_and_the_default_draw_is_truncated():
    torch.manual_seed(1)
    first, again = build(Conv(64, 3), seed=0), build(Conv(64, 3), seed=0)
    assert torch.equal(first.conv.weight, again.conv.weight)
    # 3·3·3 = 27 inputs to a filter: cut at two deviations of 1/√27.
    largest = build(Conv(512, 3), seed=0).conv.weight.abs().max().item()
    assert 1.9 / 27**0.5 < largest <= 2 / 27**0.5 + 1e-6
    generator = torch.Generator().manual_seed(0)
    assert torch.equal(build(Conv(64, 3), generator=generator).conv.weight, first.conv.weight)
    gained = build(Conv(64, 3, gain=0.5), seed=0)
    torch.testing.assert_close(gained.conv.weight, 0.5 * first.conv.weight)
    assert build(Conv(4, 3)).conv.weight.device.type == "cpu"


def test_a_bias_that_an_edit_takes_away_changes_no_later_weight():
    ordinary = build(Chain(Linear(4), Linear(5)), init="torch", seed=0)
    without = build(Chain(Linear(4, bias=False), Linear(5)), init="torch", seed=0)
    assert without[0].bias is None and torch.equal(without[0].weight, ordinary[0].weight)
    assert torch.equal(without[1].weight, ordinary[1].weight)
    # A norm in its place draws none, nor does an ordinary convolution.
    normed = build(Chain(Conv(4, 1), Linear(5)), init="torch", seed=0)
    assert not torch.equal(normed[1].weight, ordinary[1].weight)


def test_a_notebook_shows_a_network_that_opens_with_repeats_folded():
    """One <details> for each module with children, except folded repeats; balanced, no script."""
    import re

    from inception_edu.describe import inception_v4, mini
    from inception_edu.nets import build

    model = build(mini(inception_v4(), repeats=(1, 3, 1)), seed=0)
    html = model._repr_html_()
    assert html.count("<details") == html.count("</details>") > 5
    assert html.count("<details open>") == 1 and "<script" not in html
    assert "1 … 3</b> 3 × Concat" in html
    params = sum(p.numel() for p in model.parameters())
    assert f"{params:,} parameters" in html
    layers = sum(type(part).__name__ == "ConvBNReLU" for part in model.modules())
    shown = repr(model).count("ConvBNReLU(")
    assert len(re.findall(r"ConvBNReLU\(", html)) == shown == layers - 2 * 10  # of two B blocks
    text = repr(model).splitlines()
    assert text[0] == f"{model.description.name}: NetworkModule  {params:,} parameters"
    assert any(line.startswith("    1 … 3: 3 × Concat  ") for line in text)
