"""Measured without torch against torchinfo and real forward passes; illegal sizes; minis and
towers."""

import subprocess
import sys

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from scipy.stats import truncnorm
from torchinfo import summary

from inception_edu.describe import (
    NETWORKS,
    Block,
    Conv,
    Network,
    Residual,
    SizeError,
    SpecError,
    inception_resnet_v1,
    make,
    measure,
    mini,
    network,
    smallest_image,
    tower,
    walk,
)
from inception_edu.nets import (
    Concat,
    ConvBNReLU,
    NetworkModule,
    ScaledResidual,
    build,
    named_blocks,
)


def shallow(described):
    """One block a stage: the same shapes in a fraction of the time."""
    from dataclasses import replace

    return replace(described, blocks=tuple(replace(b, repeat=1) for b in described.blocks))


def _torchinfo(described, image):
    with torch.device("meta"):
        model = build(described, init="torch")
    return summary(model, (1, *image), device="meta", verbose=0, mode="eval")


@pytest.mark.parametrize(
    "name, image",
    [(n, (3, s, s)) for n in NETWORKS for s in (network(n).image, 150)]
    + [("inception_v4", (3, 75, 133)), ("inception_resnet_v2", (3, 180, 96))],
)
def test_parameters_and_multiply_adds_are_torchinfos(name, image):
    info = _torchinfo(network(name), image)
    counted = measure(network(name), image)
    assert counted.params == info.total_params
    assert counted.macs == info.total_mult_adds


@pytest.mark.parametrize("name", NETWORKS)
def test_minis_count_as_torchinfo(name):
    stages = 4 if name.startswith("resnet") else 3
    for width, image in ((1 / 8, 32), (1 / 5, 28), (1 / 4, 64)):
        described = mini(network(name), width=width, repeats=(2,) * stages, image=image)
        info = _torchinfo(described, described.input)
        assert (measure(described).params, measure(described).macs) == (
            info.total_params,
            info.total_mult_adds,
        )
        assert 50_000 < measure(described).params < 3_000_000


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from([n for n in NETWORKS]),
    height=st.integers(70, 130),
    width=st.integers(70, 130),
)
def test_shapes_equal_a_forward_pass_at_any_legal_size(name, height, width):
    described = shallow(network(name))
    low = smallest_image(described)
    if min(height, width) < low:
        with pytest.raises(SizeError):
            measure(described, (height, width))
        return
    model = build(described, init="empty").to("meta").eval()
    shapes = {}
    for block, module in named_blocks(model):
        module.register_forward_hook(
            lambda m, i, out, block=block: shapes.__setitem__(block, tuple(out.shape[1:]))
        )
    model(torch.zeros(1, 3, height, width, device="meta"))
    measured = {row.name: row.output for row in measure(described, (height, width)).rows}
    measured.pop("classifier")
    assert measured == shapes


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from([n for n in NETWORKS]),
    width=st.floats(0.02, 0.3),
    image=st.sampled_from([28, 32, 48, 64]),
    repeats=st.lists(st.integers(0, 3), min_size=3, max_size=3),
    scale=st.sampled_from([None, 0.0, 0.2, 1.0]),
)
def test_any_mini_runs_forward_with_the_shapes_it_says(name, width, image, repeats, scale):
    if name.startswith("resnet"):
        repeats = [*repeats, 1]
    described = mini(
        network(name), width=width, repeats=tuple(repeats), image=image, scale=scale, classes=7
    )
    model = build(described, seed=1).eval()
    with torch.no_grad():
        assert model(torch.zeros(2, 3, image, image)).shape == (2, 7)
    assert len(named_blocks(model)) == len(measure(described).rows) - 1
    if scale is not None:
        identities = [
            s.node
            for b in described.blocks
            for s in _steps(b.node)
            if isinstance(s.node, Residual) and s.node.shortcut is None
        ]
        assert all(node.scale == scale for node in identities)


def _steps(node):
    channels = next((c for c in range(1, 3000) if _closes(node, c)), None)
    return walk(node, (channels, 64, 64)) if channels else ()


def _closes(node, channels):
    try:
        return bool(list(walk(node, (channels, 64, 64))))
    except SpecError:
        return False


@pytest.mark.parametrize("name", [n for n in NETWORKS if "inception" in n])
def test_75_is_the_smallest_image_and_74_names_the_block(name):
    """75 is what timm's networks accept too (paper.md's measured value); counted down by a real
    forward pass below."""
    described = network(name)
    assert smallest_image(described) == 75
    with pytest.raises(
        SizeError, match=r"74×74.*In block (reduction_b|mixed_7a) the map vanishes.*75×75"
    ):
        measure(described, 74)


def test_torch_agrees_that_75_is_the_smallest():
    built = build(shallow(network("inception_v4")), init="torch").eval()
    model = torch.nn.Sequential(*built)  # without our own check: what does torch say?
    with torch.no_grad():
        model(torch.zeros(1, 3, 75, 75))
        with pytest.raises(RuntimeError):
            model(torch.zeros(1, 3, 74, 74))


def test_a_built_network_answers_wrong_input_with_a_sentence():
    model = build(mini(network("inception_v4")), seed=0)
    with pytest.raises(SpecError, match=r"batches of shape N×3×H×W, got 2×1×32×32"):
        model(torch.zeros(2, 1, 32, 32))
    full = build(shallow(network("inception_v4")), init="torch")
    with pytest.raises(SizeError, match=r"smallest image it can take is 75×75"):
        full(torch.zeros(1, 3, 50, 50))


@settings(max_examples=30, deadline=None)
@given(
    kernel=st.sampled_from([1, 3, (1, 7), (7, 1), 5]),
    stride=st.integers(1, 2),
    seed=st.integers(0, 99),
)
def test_receptive_field_is_what_gradients_reach(kernel, stride, seed):
    """A chain of convolutions: the input pixels with a gradient span exactly the measured receptive
    field."""
    from inception_edu.describe import Chain

    chain = Chain(Conv(2, 3, 2, "valid"), Conv(2, kernel, stride), Conv(2, 3))
    counted = measure(chain, (1, 65, 65))
    torch.manual_seed(seed)
    model = build(chain, 1).eval()
    for m in model.modules():
        if isinstance(m, torch.nn.Conv2d):
            torch.nn.init.constant_(m.weight, 1.0)
    x = torch.ones(1, 1, 65, 65, requires_grad=True)
    out = model(x)
    out[0, 0, out.shape[2] // 2, out.shape[3] // 2].backward()
    reached = x.grad[0, 0] != 0
    # From the first pixel reached to the last: a 1×1 with stride 2 leaves gaps between them.
    field = tuple(
        int(rows.max() - rows.min()) + 1
        for rows in (reached.any(axis).nonzero() for axis in (1, 0))
    )
    assert field == counted.receptive_field


def test_the_only_modules():
    kinds = {
        type(m) for n in NETWORKS for m in build(mini(network(n), repeats=None), seed=0).modules()
    }
    ours = {k for k in kinds if k.__module__.startswith("inception_edu")}
    assert ours == {ConvBNReLU, Concat, ScaledResidual, NetworkModule}


def test_print_reads_like_the_figure():
    text = repr(build(mini(network("inception_resnet_v2")), seed=0))
    for words in (
        "inception_resnet_a: ScaledResidual(scale=0.1)",
        "ConvBNReLU(1×7,",
        "ConvBNReLU(7×1,",
        "branch3: Sequential",
    ):
        assert words in text


@settings(max_examples=10, deadline=None)
@given(scale=st.floats(0, 1.5), seed=st.integers(0, 1000))
def test_a_scaled_block_is_relu_of_x_plus_scale_times_f(scale, seed):
    from inception_edu.describe import InceptionResNetA_v1

    block = build(InceptionResNetA_v1(scale), 256, seed=seed).eval()
    x = torch.randn(1, 256, 9, 9, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        torch.testing.assert_close(block(x), torch.relu(x + scale * block.body(x)))


def test_the_same_seed_gives_the_same_weights_and_leaves_torch_alone():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    a, b, c = (build(mini(network("inception_v4")), seed=s).state_dict() for s in (3, 3, 4))
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(a[k], b[k]) for k in a)
    assert not all(torch.equal(a[k], c[k]) for k in a)


def test_a_seed_gives_the_same_first_weights_with_every_torch():
    """`trunc_normal_` does not: 2.11 begins otherwise than 2.14."""
    first = next(p for p in build(tower(72, 2, 1.0), seed=0).parameters() if p.dim() == 4)
    begins = [-0.000013025, 0.003930038, 0.304019392, -0.125547990]
    assert first.flatten()[:4].tolist() == pytest.approx(begins, abs=1e-7)
    assert first.abs().max() <= 2 * first[0].numel() ** -0.5


@pytest.mark.parametrize("init, gain", [("truncated", 1.0), ("he", 2.0)])
def test_initialisation_has_the_stated_deviation(init, gain):
    model = build(tower(576, 1), init=init, seed=0)
    conv = model.stem[2].conv
    # Of a normal cut at two deviations scipy says what deviation it keeps (0.8796).
    kept = truncnorm.std(-2, 2) if init == "truncated" else 1.0
    expected = kept * (gain / (64 * 9)) ** 0.5
    assert abs(conv.weight.std().item() / expected - 1) < 0.01
    cut = 2 * (gain / (64 * 9)) ** 0.5 / (1 if init == "truncated" else truncnorm.std(-2, 2))
    assert 0.99 * cut < conv.weight.abs().max().item() <= cut * 1.000001


def test_tower_is_figure_13_at_another_width():
    from inception_edu.describe import InceptionResNetC_v1

    assert tower(1792, 1)["inception_resnet_c"].node == InceptionResNetC_v1()
    block = tower(576, 10, scale=0.3)["inception_resnet_c"]
    assert (block.repeat, block.node.scale, block.node.body.parts[1].out) == (10, 0.3, 576)
    assert measure(tower(576, 10)).output == (576, 4, 4)


def test_a_plain_tower_has_the_branches_but_no_identity():
    residual, plain = tower(64, 2), tower(64, 2, residual=False)
    assert plain["inception_c"].node.parts[0] == residual["inception_resnet_c"].node.body.parts[0]
    assert not any(isinstance(m, ScaledResidual) for m in build(plain, seed=0).modules())
    assert abs(measure(plain).macs / measure(residual).macs - 1) < 0.02


def test_last_norm_and_learnable_scale():
    model = build(tower(64, 3, last_norm=True, learnable=True), seed=0)
    last = named_blocks(model)[-1][1]
    assert isinstance(last.body[1], ConvBNReLU) and not last.body[1].spec.relu
    first = named_blocks(model)[1][1]
    assert isinstance(first.scale, torch.nn.Parameter) and isinstance(
        first.body[1], torch.nn.Conv2d
    )
    assert measure(model.description).params == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    "make_it, words",
    [
        (lambda: mini(network("inception_v4"), repeats=(1, 2)), "3 stages"),
        (lambda: mini(network("inception_v4"), width=0), "share of the paper's filters"),
        (lambda: mini(network("inception_v4"), image=4), "at least 8×8"),
        (lambda: tower(4), "width of at least 8"),
        (lambda: network("inception_v5"), "choose one of"),
        (lambda: make("mini", network="inception_v4", colour=3), "cannot be made"),
        (lambda: build(network("inception_v4"), init="zeros"), "init is"),
        (lambda: measure(network("inception_v4"), (1, 299, 299)), "3 channels"),
        (lambda: measure(Conv(3, 1)), "needs the shape"),
        (lambda: measure(network("inception_v4"), 0), "at least one pixel"),
        (lambda: Network("mine", [Block("stem", Conv(8, 3))]), r"a list: write tuple\(…\) around"),
    ],
)
def test_wrong_requests_end_with_a_sentence(make_it, words):
    with pytest.raises(SpecError, match=words):
        make_it()


def test_make_is_the_same_as_calling():
    assert make("mini", network="inception_resnet_v1", width=0.125, repeats=[1, 1, 1]) == mini(
        inception_resnet_v1(), width=0.125, repeats=(1, 1, 1)
    )
    assert make("tower", width=64, depth=2) == tower(64, 2)
    assert make("resnet50", classes=7).classes == 7


def test_deep_minis_keep_the_last_block_of_a_stage():
    released = mini(network("inception_resnet_v2_released"), repeats=(1, 1, 3))
    c = [b for b in released.blocks if b.stage == "C"]
    assert [b.repeat for b in c] == [2, 1] and not c[-1].node.relu and c[-1].node.scale == 1.0
    v3 = mini(network("inception_v3"), repeats=(6, 2, 1))
    assert sum(b.repeat for b in v3.blocks if b.stage == "A") == 6


def test_descriptions_import_no_torch():
    code = (
        "import sys, inception_edu, inception_edu.describe.spec, inception_edu.describe.figures, "
        "inception_edu.describe.networks, "
        "inception_edu.describe.measure; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_resnet_equals_torchvisions():
    torchvision = pytest.importorskip("torchvision")
    theirs = torchvision.models.resnet50(weights=None).eval()
    ours = build(network("resnet50"), init="torch").eval()
    # Both list their tensors in the order of the data, except that torchvision's projection comes
    # last in a block.
    source, state = theirs.state_dict(), {}
    for our_word, their_word in (("shortcut", "downsample"), ("", "")):
        keys = [k for k in ours.state_dict() if our_word in k and k not in state]
        values = [
            v
            for k, v in source.items()
            if their_word in k and (their_word or "downsample" not in k)
        ]
        state |= dict(zip(keys, values))
    ours.load_state_dict(state)
    x = torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x), rtol=1e-5, atol=1e-5)
