"""The changes of the experiments: what each does, in numbers, to a description and to what is built
of it; and weights that come from a seed alone."""

import threading
from dataclasses import replace

import pytest
import torch
from torch import nn

from inception_edu.describe import (
    CHANGES,
    Chain,
    Classifier,
    Conv,
    Network,
    Residual,
    SpecError,
    at,
    changed,
    children,
    differences,
    draw,
    map_convs,
    measure,
    mini,
    network,
    out_channels,
    put,
    rebuild,
    tower,
    with_reductions,
)
from inception_edu.describe.halving import HALVINGS
from inception_edu.nets import build, last_linear, residual_blocks

PLAIN = tower(width=32, depth=2, scale=0.5)
OF_TOWERS = [change for change in CHANGES if change not in HALVINGS]
SMALL = mini(network("inception_v4"), width=1 / 16, repeats=(1, 1, 1))


def built(change: str, described: Network = PLAIN) -> nn.Module:
    return build(changed(described, change) if change else described, seed=3)


def block(change: str) -> nn.Module:
    """The last residual block, in training mode."""
    return residual_blocks(built(change))[-1][1].train()


def features(seed: int = 0) -> torch.Tensor:
    return torch.rand(4, 32, 4, 4, generator=torch.Generator().manual_seed(seed))


def normed(x: torch.Tensor) -> torch.Tensor:
    mean = x.mean((0, 2, 3), keepdim=True)
    return (x - mean) / (x.var((0, 2, 3), unbiased=False, keepdim=True) + 1e-3).sqrt()


@pytest.mark.parametrize("change", OF_TOWERS)
def test_a_changed_network_is_a_description_like_any_other(change):
    described = changed(PLAIN, change)
    assert described != PLAIN and hash(described) != hash(PLAIN)
    assert differences(PLAIN, described)
    assert draw(described) != draw(PLAIN)
    model = build(described, seed=0)
    assert measure(described).params == sum(p.numel() for p in model.parameters())
    assert changed(PLAIN, change) == described


@pytest.mark.parametrize("change", OF_TOWERS)
def test_it_starts_from_the_same_weights_but_for_what_it_changes(change):
    plain = {tuple(p.shape): p for p in built("").stem.parameters()}
    edited = {tuple(p.shape): p for p in built(change).stem.parameters()}
    assert all(torch.equal(plain[shape], edited[shape]) for shape in plain)
    first = [m for m in block("").modules() if isinstance(m, nn.Conv2d)][0]
    same = [m for m in block(change).modules() if isinstance(m, nn.Conv2d)][0]
    assert torch.equal(first.weight, same.weight)


@pytest.mark.parametrize("way", HALVINGS)
def test_another_way_to_halve_gives_the_same_sizes_and_trains(way):
    described = changed(SMALL, way)
    outputs = [(row.name, row.output) for row in measure(described).rows]
    assert outputs == [(row.name, row.output) for row in measure(SMALL).rows]
    model = build(described, seed=0)
    assert measure(described).params == sum(p.numel() for p in model.parameters())
    model(torch.rand(2, 3, 32, 32)).square().sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_ways_to_halve_pool_where_they_say_and_cost_what_they_say():
    def kinds(way):
        node = next(b for b in changed(SMALL, way).blocks if b.name == "reduction_a").node
        return [(type(part).__name__, part.kernel[0]) for part in node.parts]

    assert kinds("pool, then widen") == [("Pool", 3), ("Conv", 3)]
    assert kinds("widen, then pool") == [("Conv", 3), ("Pool", 3)]
    assert kinds("pool first, equal parameters") == [("Pool", 3), ("Conv", 1), ("Conv", 3)]
    assert kinds("pool first, equal multiply-adds") == [("Pool", 3), ("Conv", 3), ("Conv", 3)]
    ours = measure(SMALL)
    as_many = measure(changed(SMALL, "pool first, equal parameters")).params
    as_costly = measure(changed(SMALL, "pool first, equal multiply-adds")).macs
    assert as_many == pytest.approx(ours.params, rel=0.02)
    assert as_costly == pytest.approx(ours.macs, rel=0.02)


def test_reductions_of_ones_own():
    made = with_reductions(SMALL, lambda channels: Conv(channels, 3, stride=2))
    assert measure(made).rows[-1].output == measure(SMALL).rows[-1].output
    changed_ = [b.name for b, old in zip(made.blocks, SMALL.blocks) if b != old]
    assert changed_ == ["reduction_a", "reduction_b"]
    with pytest.raises(SpecError, match="no block named reduction_a"):
        with_reductions(PLAIN, lambda channels: Conv(channels, 3))


def test_norm_in_branch_norms_what_the_branch_adds():
    x = features()
    expected = torch.relu(x + 0.5 * normed(block("").body(x)))
    assert torch.allclose(block("norm in last branch")(x), expected, atol=1e-5)
    first, last = (b for _, b in residual_blocks(built("norm in last branch").train()))
    assert isinstance(first.body[-1], nn.Conv2d) and hasattr(last.body[-1], "norm")
    for _, every in residual_blocks(built("norm in every branch")):
        assert isinstance(every.body[-1].norm, nn.BatchNorm2d)
        assert every.body[-1].conv.bias is not None


def test_norm_after_sum_norms_the_sum():
    x = features()
    expected = torch.relu(normed(x + 0.5 * block("").body(x)))
    assert torch.allclose(block("norm after last sum")(x), expected, atol=1e-5)
    norms = {
        change: [type(getattr(b, "norm", None)) for _, b in residual_blocks(built(change))]
        for change in ("norm after last sum", "norm after every sum")
    }
    assert norms["norm after last sum"] == [type(None), nn.BatchNorm2d]
    assert norms["norm after every sum"] == [nn.BatchNorm2d] * 2


def test_a_learnable_scale_starts_at_the_scale_and_learns():
    changed_ = block("learnable scale")
    assert torch.allclose(changed_(features()), block("")(features()))
    changed_(features()).sum().backward()
    assert changed_.scale.grad.abs() > 0 and float(changed_.scale) == 0.5


def test_a_scaled_identity_scales_the_identity_alone():
    x = features()
    expected = torch.relu(0.5 * x + block("").body(x))
    assert torch.allclose(block("scaled identity")(x), expected, atol=1e-6)


def test_zero_last_layers_add_nothing_and_small_ones_a_tenth():
    x = features()
    assert torch.equal(block("zero last layer")(x), x)
    small, plain = block("small last layers").body(x), block("").body(x)
    assert torch.allclose(small, 0.1 * plain, atol=1e-6) and plain.abs().mean() > 0.01


def test_a_zero_classifier_says_nothing_at_first():
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    assert not built("zero classifier").eval()(images).any()
    assert built("").eval()(images).any()


def step_of(model: nn.Module, weights: list[nn.Parameter], apply, rate: float = 1e-3):
    """How far `apply()` moves when plain SGD takes one step on `weights` alone."""
    before = apply().detach()
    apply().square().sum().backward()
    with torch.no_grad():
        for weight in weights:
            weight -= rate * weight.grad
        return apply() - before


def test_a_slow_classifier_starts_the_same_and_moves_ten_times_slower():
    a = torch.rand(8, 32, generator=torch.Generator().manual_seed(1)).double()
    plain, slow = built("").classifier.double(), built("slow classifier").classifier.double()
    assert torch.allclose(plain(a), slow(a), atol=1e-6)
    fast_step = step_of(plain, [plain.weight], lambda: plain(a))
    slow_step = step_of(slow, [slow.weight], lambda: slow(a))
    assert (
        torch.allclose(slow_step, 0.1 * fast_step, rtol=1e-4, atol=1e-7)
        and fast_step.abs().max() > 1e-4
    )


def test_a_classifier_may_learn_faster_too():
    network = tower(32, 1)
    fast = replace(network, classifier=Classifier(rate=4.0))
    a = torch.rand(8, 32, generator=torch.Generator().manual_seed(1)).double()
    plain, quick = (build(n, seed=0).classifier.double() for n in (network, fast))
    assert torch.allclose(plain(a), quick(a), atol=1e-6)
    step = step_of(plain, [plain.weight], lambda: plain(a))
    larger = step_of(quick, [quick.weight], lambda: quick(a))
    assert torch.allclose(larger, 4 * step, rtol=1e-4, atol=1e-7)


def test_slow_last_layers_start_the_same_and_move_a_hundred_times_slower():
    """Ten times larger weights behind a scale of a tenth: the same sum, and as both the gradient
    and what a step of the weight does are a tenth, a step moves it a hundredth as far."""
    x = features().double()
    plain, slow = block("").double(), block("slow last layers").double()
    assert torch.allclose(plain(x), slow(x), atol=1e-5) and slow.scale == pytest.approx(0.05)

    def added(b):
        return lambda: b.scale * b.body(x)

    fast_step = step_of(plain, [last_linear(plain).weight], added(plain), 1e-4)
    slow_step = step_of(slow, [last_linear(slow).weight], added(slow), 1e-4)
    assert (
        torch.allclose(slow_step, 0.01 * fast_step, rtol=1e-3, atol=1e-8)
        and fast_step.abs().max() > 1e-4
    )


def test_without_bias_and_centred():
    x = features()
    plain, without = block(""), block("no bias")
    assert last_linear(without).bias is None
    nn.init.constant_(last_linear(plain).bias, 0.0)
    assert torch.equal(without(x), plain(x))
    centred = last_linear(block("centred last layers"))
    level = torch.full((1, centred.in_channels, 2, 2), 0.7)
    assert centred(level).abs().max() < 1e-6 < last_linear(plain)(level).abs().max()
    assert centred.bias is None


def test_what_cannot_be_changed_is_answered_with_a_sentence():
    with pytest.raises(SpecError, match="no change 'no boas'; choose one of norm in last branch"):
        changed(PLAIN, "no boas")
    with pytest.raises(SpecError, match="no residual block"):
        changed(mini(network("inception_v4")), "norm in last branch")


# --- Parts ----------------------------------------------------------------------------------------


def test_parts_are_found_replaced_and_rebuilt():
    node = PLAIN["inception_resnet_c"].node
    path = ("residual branch", "step 1", "branch 2", "step 3")
    assert at(node, path) == at(node, path[:2]).branches[1].parts[2]
    wider = put(node, path, Conv(9, 1), Conv(7, 1))
    assert at(wider, path) == Conv(9, 1) and len(at(wider, path[:-1]).parts) == 4
    assert put(wider, path, at(node, path)) != node  # one of the two is still there
    assert put(put(wider, path), path, at(node, path)) == node
    assert rebuild(node, [part for _, part in children(node)]) == node
    assert map_convs(lambda c: c, node) == node
    doubled = map_convs(lambda c: replace(c, out=2 * c.out), node)
    assert out_channels(doubled.body, 32) == 2 * out_channels(node.body, 32)
    with pytest.raises(SpecError, match="no 'branch 9' in Concat; it has branch 1, branch 2"):
        at(node, (*path[:2], "branch 9"))
    with pytest.raises(SpecError, match="Residual has 1 parts, got 2"):
        rebuild(node, (Conv(1, 1), Conv(1, 1)))
    assert replace(Chain(Conv(4, 1), name="a"), name="b") == Chain(Conv(4, 1), name="b")
    assert isinstance(node, Residual) and node.source.endswith(":InceptionResNetC_v1")


# --- First weights --------------------------------------------------------------------------------


def test_builds_in_two_threads_give_what_they_give_alone():
    described = mini(network("inception_resnet_v1"))
    alone = [build(described, seed=seed).state_dict() for seed in range(4)]
    together: dict[int, dict] = {}
    gate = threading.Barrier(4)

    def work(seed: int) -> None:
        gate.wait()
        together[seed] = build(described, seed=seed).state_dict()

    torch.manual_seed(11)
    before = torch.random.get_rng_state()
    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, state in enumerate(alone):
        assert all(torch.equal(state[key], together[seed][key]) for key in state)
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_generator_goes_on_and_a_default_device_changes_nothing():
    generator = torch.Generator().manual_seed(5)
    first, second = (build(PLAIN, generator=generator).classifier.weight for _ in range(2))
    assert torch.equal(first, build(PLAIN, seed=5).classifier.weight)
    assert not torch.equal(first, second)
    with torch.device("meta"):
        assert torch.equal(build(PLAIN, seed=5).classifier.weight, first)
    torch.manual_seed(5)
    assert torch.equal(build(PLAIN).classifier.weight, first)
    with pytest.raises(SpecError, match="not both"):
        build(PLAIN, seed=1, generator=generator)


# The sums that the same calls gave when these runs were recorded.
@pytest.mark.parametrize(
    "init, total", [("truncated", 3227.3447905217), ("torch", 2318.821809021152)]
)
def test_seeds_give_the_weights_of_the_recorded_runs(init, total):
    model = build(tower(width=64, depth=3, scale=0.3), init=init, seed=0)
    found = sum(p.double().abs().sum().item() for p in model.parameters())
    assert found == pytest.approx(total, rel=1e-13)
