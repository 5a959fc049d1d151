"""The training loop: its schedules and optimizers by hand arithmetic, what it records, and every
way it can end."""

import inspect
import json
import math
import threading
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch
from torch import nn

from inception_edu.data import Data, Split, load
from inception_edu.describe import SpecError, mini, network, tower
from inception_edu.learn import (
    Average,
    History,
    Probe,
    Recipe,
    Record,
    RMSPropTF,
    TrainError,
    evaluate,
    gradient_norm,
    learning_rate,
    loop,
    make_optimizer,
    measure_statistics,
    optimisers,
    plain_train,
    train,
    training,
)
from inception_edu.learn.dropout import Masks, own_dropout
from inception_edu.learn.optimisers import delay
from inception_edu.learn.probes import Meter
from inception_edu.nets.build import ScaledResidual, build


def images(count=64, side=8, classes=4, seed=0) -> Data:
    """Random pictures whose class shows in their brightness, so there is something to learn."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % classes
    pixels = torch.randint(0, 60, (count, 3, side, side), generator=draw) + (60 * labels).view(
        -1, 1, 1, 1
    )
    split = Split(pixels.clamp(max=255).to(torch.uint8), labels)
    return Data("random", tuple("abcdefgh"[:classes]), split, split[: count // 2])


def small(dropout=0.0, classes=4, seed=0) -> nn.Sequential:
    """A network in the shape that `build` gives one: named blocks, then pool, flatten, dropout,
    classifier."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        body = nn.Sequential(
            nn.Conv2d(8, 8, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 1)
        )
        return nn.Sequential(
            OrderedDict(
                stem=nn.Sequential(
                    nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU()
                ),
                block=ScaledResidual(body, 0.3),
                pool=nn.AdaptiveAvgPool2d(1),
                flatten=nn.Flatten(),
                dropout=nn.Dropout(dropout),
                classifier=nn.Linear(8, classes),
            )
        )


QUICK = Recipe(
    steps=12, batch_size=16, lr=0.05, precision="float32"
)  # the arithmetic that the tests repeat


def losses(history: History) -> list[float]:
    return [r.loss for r in history.records]


# --- Schedules ------------------------------------------------------------------------------------


def rates(**recipe) -> list[float]:
    recipe = Recipe(**recipe)
    return [learning_rate(recipe, step) for step in range(1, recipe.steps + 1)]


def test_constant_rate():
    assert rates(steps=3, lr=0.2) == [0.2, 0.2, 0.2]


def test_paper_multiplies_by_094_every_so_many_steps():
    found = rates(steps=5, lr=0.045, schedule="paper", decay_every=2)
    assert found == pytest.approx([0.045, 0.045, 0.0423, 0.0423, 0.039762])


def test_paper_decays_every_two_epochs_by_default():
    data = images(32)  # batches of 8: an epoch has 4 steps
    history = train(
        small(), data, Recipe(steps=17, batch_size=8, lr=0.1, schedule="paper", record_every=1)
    )
    assert [r.lr for r in history.records] == pytest.approx([0.1] * 8 + [0.094] * 8 + [0.08836])


def test_one_cycle_rises_for_a_quarter_and_falls_to_the_end():
    expected = [1 / 3, 2 / 3, 1] + [k / 9 for k in range(9, 0, -1)]
    assert rates(steps=12, lr=1.0, schedule="one-cycle") == pytest.approx(expected)


def test_linear_warm_up_reaches_the_rate_at_its_last_step():
    assert rates(steps=6, lr=0.4, warmup_steps=4) == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])


def test_two_phase_warm_up_jumps():
    assert rates(steps=5, lr=0.4, warmup_steps=3, warmup_lr=1e-5) == [1e-5] * 3 + [0.4] * 2


def test_schedules_start_after_the_warm_up():
    assert rates(steps=6, lr=1.0, warmup_steps=2, schedule="one-cycle") == pytest.approx(
        [0.5, 1, 1, 0.75, 0.5, 0.25]
    )
    assert rates(steps=5, lr=1.0, warmup_steps=2, schedule="paper", decay_every=2) == [
        0.5,
        1,
        1,
        1,
        0.94,
    ]


@pytest.mark.parametrize(
    "wrong, word",
    [
        (dict(optimizer="adam"), "optimizer"),
        (dict(schedule="cosine"), "schedule"),
        (dict(precision="half"), "precision"),
        (dict(steps=0), "steps"),
        (dict(batch_size=0), "batch_size"),
        (dict(record_every=0), "record_every"),
        (dict(lr=-0.1), "lr"),
        (dict(lr=math.nan), "lr"),
        (dict(momentum=1.5), "momentum"),
        (dict(average=2), "average"),
        (dict(clip=0.0), "clip"),
        (dict(clip=math.nan), "clip"),
        (dict(lr_decay=-0.94), "lr_decay"),
        (dict(label_smoothing=-1), "label_smoothing"),
        (dict(warmup_steps=-1), "warmup_steps"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_a_sentence(wrong, word):
    with pytest.raises(TrainError, match=word):
        Recipe(**wrong)


# --- Optimizers -----------------------------------------------------------------------------------


def test_rmsprop_by_hand():
    """Two steps with gradients 2 and then 1, decay 0.9, momentum 0.5, eps 1, rate 0.1."""
    weight = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    optimizer = RMSPropTF([weight], lr=0.1, decay=0.9, momentum=0.5, eps=1.0)
    expected, s, m = 1.0, 1.0, 0.0
    for gradient in (2.0, 1.0):
        s = 0.9 * s + 0.1 * gradient**2
        m = 0.5 * m + 0.1 * gradient / math.sqrt(s + 1.0)
        expected -= m
        weight.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
        assert weight.item() == pytest.approx(expected, abs=1e-12)
    assert s == pytest.approx(1.27) and expected == pytest.approx(0.735814, abs=1e-6)
    assert optimizer.state[weight]["momentum_buffer"].item() == pytest.approx(m)


def test_rmsprop_takes_the_rate_of_each_step_and_decays_weights():
    weight = nn.Parameter(torch.tensor([2.0]))
    optimizer = RMSPropTF([weight], lr=0.1, momentum=0.0, eps=0.0, decay=1.0, weight_decay=0.5)
    for rate in (0.1, 0.01):
        weight.grad = torch.tensor([0.0])
        optimisers.set_rate(optimizer, rate)
        optimizer.step()
    assert weight.item() == pytest.approx(2 * (1 - 0.1 * 0.5) * (1 - 0.01 * 0.5))


def test_rmsprop_equals_timms_and_not_torchs():
    timm = pytest.importorskip("timm.optim")
    gradients = torch.randn(20, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def run(make):
        weight = nn.Parameter(torch.ones(3, dtype=torch.float64))
        optimizer = make([weight])
        for step, gradient in enumerate(gradients):
            optimisers.set_rate(optimizer, 0.045 * 0.9**step)
            weight.grad = gradient.clone()
            optimizer.step()
        return weight.detach()

    ours = run(lambda p: RMSPropTF(p, 0.045, decay=0.9, momentum=0.9, eps=1.0))
    theirs = run(lambda p: timm.RMSpropTF(p, 0.045, alpha=0.9, momentum=0.9, eps=1.0))
    torchs = run(lambda p: torch.optim.RMSprop(p, 0.045, alpha=0.9, momentum=0.9, eps=1.0))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    assert (ours - torchs).abs().max() > 0.01


def test_weight_decay_spares_biases_norms_and_scales():
    model = build(tower(16, 1, learnable=True, image=8, classes=4), seed=0)
    decayed, spared = make_optimizer(model, Recipe(weight_decay=0.1)).param_groups
    assert decayed["weight_decay"] == 0.1 and spared["weight_decay"] == 0
    names = {p: name for name, p in model.named_parameters()}
    assert all(names[p].endswith("weight") and p.ndim in (2, 4) for p in decayed["params"])
    assert {names[p].rsplit(".", 1)[1] for p in spared["params"]} == {"weight", "bias", "scale"}
    assert len(names) == len(decayed["params"]) + len(spared["params"])


def test_a_frozen_network_is_a_sentence():
    model = small()
    model.requires_grad_(False)
    with pytest.raises(TrainError, match="no weights to train"):
        train(model, images(), QUICK)


@pytest.mark.parametrize(
    "recipe",
    [
        replace(QUICK, nesterov=True),
        replace(QUICK, optimizer="rmsprop", lr=0.045),
        replace(QUICK, momentum=0.0),
        replace(
            QUICK,
            label_smoothing=0.1,
            clip=1.0,
            average=0.9,
            augment="crop+flip",
            schedule="one-cycle",
            weight_decay=1e-4,
        ),
    ],
)
def test_recipes_run_and_learn(recipe):
    history = train(small(), images(), replace(recipe, steps=60))
    assert history.status == "finished" and losses(history)[-1] < losses(history)[0] - 0.1


def test_nesterov_and_momentum_make_a_difference():
    plain = losses(train(small(), images(), QUICK))
    assert plain != losses(train(small(), images(), replace(QUICK, nesterov=True)))
    assert plain != losses(train(small(), images(), replace(QUICK, momentum=0.5)))


def test_label_smoothing_by_hand():
    """The first loss, with the weights as they are: the mean of −Σ target · log softmax."""
    data, model = images(16), small()
    recipe = Recipe(steps=1, batch_size=16, label_smoothing=0.2)
    copy = small().train()
    log_shares = copy(data.normalise(data.train.images)).log_softmax(1)
    target = torch.full((16, 4), 0.2 / 4)
    target[torch.arange(16), data.train.labels] += 0.8
    expected = -(target * log_shares).sum(1).mean().item()
    assert train(model, data, recipe).records[0].loss == pytest.approx(expected, rel=1e-4)


def test_clipping_shortens_all_gradients_together():
    model = small()
    for i, weight in enumerate(model.parameters()):
        weight.grad = torch.full_like(weight, 0.1 * (i + 1))
    before = [p.grad.clone() for p in model.parameters()]
    length = math.sqrt(sum((g**2).sum().item() for g in before))
    assert gradient_norm(model, clip=2 * length).item() == pytest.approx(length)
    assert all(torch.equal(p.grad, g) for p, g in zip(model.parameters(), before))
    assert gradient_norm(model, clip=length / 4).item() == pytest.approx(
        length
    )  # the length before
    for weight, gradient in zip(model.parameters(), before):
        torch.testing.assert_close(weight.grad, gradient / 4)


def test_normalised_gradients_move_every_tensor_equally_far():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(5, 5, bias=False))
    before = [p.detach().clone() for p in model.parameters()]
    model[1](0.01 * model[0](torch.ones(1, 3))).sum().backward()
    model[2](torch.zeros(1, 5)).sum().backward()  # a gradient of length 0 moves nothing
    directions = [p.grad.clone() for p in model.parameters()]
    lengths = [float(d.norm()) for d in directions]
    assert min(length for length in lengths if length) < 0.1 < 1 < max(lengths)
    make_optimizer(model, Recipe(optimizer="normalised", lr=0.1, momentum=0.9)).step()
    moved = [p.detach() - q for p, q in zip(model.parameters(), before)]
    assert [float(m.norm()) for m in moved] == pytest.approx([0.1, 0.1, 0.1, 0.1, 0.0], abs=1e-6)
    for move, direction, length in zip(moved, directions, lengths):
        if length:
            assert torch.allclose(move, -0.1 * direction / length, atol=1e-6)


def test_clipping_acts_in_the_loop():
    tight = train(small(), images(), replace(QUICK, clip=1e-6, record_every=1))
    assert max(losses(tight)) - min(losses(tight)) < max(
        losses(train(small(), images(), QUICK))
    ) - min(losses(train(small(), images(), QUICK)))
    assert all(r.grad_norm > 1e-3 for r in tight.records)


# --- Records --------------------------------------------------------------------------------------


def test_records_come_at_the_first_every_few_and_the_last_step():
    seen = []
    history = train(
        small(), images(), replace(QUICK, steps=13, record_every=5), on_record=seen.append
    )
    assert [r.step for r in history.records] == [1, 5, 10, 13]
    assert seen == history.records
    seconds = [r.seconds for r in history.records]
    assert seconds == sorted(seconds) and 0 < seconds[0] and seconds[-1] <= history.seconds


def test_loss_and_accuracy_are_means_since_the_record_before():
    every = train(small(), images(), replace(QUICK, record_every=1)).records
    some = train(small(), images(), replace(QUICK, record_every=4)).records
    assert [r.step for r in some] == [1, 4, 8, 12]
    for record, group in zip(some, (every[:1], every[1:4], every[4:8], every[8:])):
        assert record.loss == pytest.approx(sum(r.loss for r in group) / len(group), rel=1e-6)
        assert record.accuracy == pytest.approx(
            sum(r.accuracy for r in group) / len(group), rel=1e-6
        )


def test_probes_by_hand():
    """Three of four channels of the block are dead; spread and ratio as computed with plain
    torch."""
    body = nn.Conv2d(4, 4, 1)
    with torch.no_grad():
        body.bias.copy_(torch.tensor([0.0, -100.0, -100.0, -100.0]))
    model = nn.Sequential(
        OrderedDict(
            stem=nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU()),
            block=ScaledResidual(body, 0.5),
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            classifier=nn.Linear(4, 2),
        )
    )
    probes, batch = Meter(model), torch.randn(6, 3, 5, 5)
    with probes.watch(model):
        model(batch)
    probes.count(torch.tensor(1.5), torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([1, 1]))
    record = probes.record(7, 0.25, torch.tensor(3.0), 0.1)
    with torch.no_grad():
        stem = model.stem(batch)
        branch = 0.5 * model.block.body(stem)
        out = model.block(stem)
    assert (
        record.step,
        record.seconds,
        record.loss,
        record.accuracy,
        record.grad_norm,
        record.lr,
    ) == (7, 0.25, 1.5, 0.5, 3.0, 0.1)
    assert record.spread == pytest.approx({"stem": stem.std().item(), "block": out.std().item()})
    assert record.dead["block"] == 0.75
    assert record.ratio == pytest.approx(
        {"block": (branch.square().mean() / stem.square().mean()).sqrt().item()}
    )


def test_a_channel_with_one_living_pixel_is_not_dead():
    model = nn.Sequential(
        OrderedDict(stem=nn.ReLU(), pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten())
    )
    batch = torch.zeros(4, 3, 6, 6)
    batch[2, 1, 5, 0] = 1e-20
    probes = Meter(model)
    with probes.watch(model):
        model(batch)
    probes.count(torch.tensor(0.0), torch.zeros(1, 2), torch.tensor([0]))
    assert probes.record(1, 0.0, torch.tensor(0.0), 0.1).dead["stem"] == pytest.approx(2 / 3)


def test_steps_without_a_record_carry_no_hooks():
    model, counts = small(), []
    # A pre-hook of our own counts the hooks that are there when the network runs.
    model.register_forward_pre_hook(
        lambda *_: (
            counts.append(sum(len(m._forward_hooks) for m in model.modules()))
            if model.training
            else None
        )
    )
    train(model, images(), replace(QUICK, steps=6, record_every=3))
    assert [bool(n) for n in counts] == [True, False, True, False, False, True]
    assert not any(m._forward_hooks for m in model.modules())


def test_every_block_is_probed_under_its_name():
    data = load("fashion", device="cpu", limit=(64, 10))
    history = train(
        build(mini(network("inception_resnet_v1"), 1 / 16), seed=0),
        data,
        Recipe(steps=1, batch_size=16),
    )
    names = [
        "stem",
        "inception_resnet_a",
        "reduction_a",
        "inception_resnet_b.1",
        "inception_resnet_b.2",
        "reduction_b",
        "inception_resnet_c",
    ]
    record = history.records[0]
    assert list(record.spread) == list(record.dead) == names
    assert list(record.ratio) == [n for n in names if "resnet" in n]
    assert all(0 < v < 10 for v in record.spread.values()) and all(
        0 <= v <= 1 for v in record.dead.values()
    )


def test_recording_does_not_change_the_training():
    often = train(a := small(), images(), replace(QUICK, record_every=1))
    rarely = train(b := small(), images(), replace(QUICK, record_every=100))
    assert [r.step for r in rarely.records] == [
        1,
        12,
    ] and often.test_accuracy == rarely.test_accuracy
    assert all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values()))


def test_a_history_survives_json():
    history = train(small(), images(), replace(QUICK, evaluate_every=5, warmup_steps=3))
    history.records[1] = replace(history.records[1], grad_norm=math.inf)
    text = json.dumps(history.to_dict(), allow_nan=False)
    back = History.from_dict(json.loads(text))
    assert back.recipe == history.recipe and back.sentence == history.sentence
    assert back.evaluations == history.evaluations and back.test_accuracy == history.test_accuracy
    assert [r.step for r in back.records] == [r.step for r in history.records]
    assert back.records[-1].ratio == pytest.approx(history.records[-1].ratio, rel=1e-5)
    assert math.isnan(back.records[1].grad_norm) and losses(back) == pytest.approx(
        losses(history), rel=1e-5
    )
    assert json.dumps(back.to_dict(), allow_nan=False) == text


def test_an_empty_history_survives_json():
    assert History.from_dict(
        json.loads(json.dumps(History(status="stopped").to_dict()))
    ) == History(status="stopped")


def test_a_record_without_probes_survives_json():
    history = History(
        records=[Record(1, 0.1, 2.0, 0.5, 1.0, 0.1), Record(2, 0.2, 1.9, 0.5, 1.0, 0.1)]
    )
    assert History.from_dict(json.loads(json.dumps(history.to_dict()))).records == history.records


# --- Seeds ----------------------------------------------------------------------------------------


def curve(seed=0, dropout=0.5):
    history = train(
        small(dropout), images(), replace(QUICK, augment="crop+flip", seed=seed, record_every=1)
    )
    return losses(history), [r.grad_norm for r in history.records], history.test_accuracy


def test_the_same_seed_gives_the_same_curve_to_the_last_bit():
    torch.manual_seed(1)
    first = curve()
    torch.manual_seed(2)
    torch.randn(7)
    assert curve() == first
    assert curve(seed=1) != first


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_two_runs_at_once_give_the_curves_that_they_give_alone(dropout):
    recipe, data = replace(QUICK, steps=30, record_every=1), images()
    runs = [[(small(dropout), replace(recipe, seed=seed)) for _ in range(4)] for seed in (0, 1)]
    alone = [losses(train(model, data, plan)) for (model, plan), *_ in runs]
    together: dict = {}
    barrier = threading.Barrier(2)

    def run(seed):
        barrier.wait()
        together[seed] = [losses(train(model, data, plan)) for model, plan in runs[seed][1:]]

    workers = [threading.Thread(target=run, args=(seed,)) for seed in (0, 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert together == {seed: [alone[seed]] * 3 for seed in (0, 1)}


def test_two_networks_with_dropout_take_turns():
    recipe = replace(QUICK, record_every=1)
    models = [small(0.5), small(0.5, seed=1)]
    alone = [losses(train(small(0.5, seed=s), images(), recipe)) for s in (0, 1)]
    ends = zip(*(training(model, images(), recipe) for model in models))
    *_, (first, second) = ends
    assert [losses(first), losses(second)] == alone


@pytest.mark.parametrize("kind", [nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d])
def test_own_dropout_is_torchs_to_the_bit(kind):
    """Seeded alike, torch's own generator and the run's give the same masks."""
    layer = kind(0.3)
    x = torch.randn(4, 6, *[5] * {nn.Dropout: 2, nn.Dropout3d: 3, nn.Dropout2d: 2}.get(kind, 1))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        expected = layer(x)
    before = torch.random.get_rng_state()
    with own_dropout(layer, Masks(torch.Generator().manual_seed(7))):
        assert torch.equal(layer(x), expected)
        assert (expected == 0).any()
    assert torch.equal(torch.random.get_rng_state(), before)
    assert "forward" not in vars(layer)


# --- Probes ---------------------------------------------------------------------------------------


class Momentum(Probe):
    """Looks at the optimizer's state and at an inner activation."""

    def __init__(self):
        self.seen, self.inner, self.watching = [], [], 0

    @contextmanager
    def watch(self, model):
        hook = model.block.register_forward_hook(lambda m, i, out: self.inner.append(out.mean()))
        self.watching += 1
        yield
        hook.remove()

    def __call__(self, moment):
        buffer = moment.optimizer.state[moment.model.classifier.weight]["momentum_buffer"]
        gradient = moment.model.classifier.weight.grad
        self.seen.append((moment.step, moment.record.step, buffer.clone(), gradient.clone()))
        assert moment.images.shape == (16, 3, 8, 8) and moment.output.shape == (16, 4)
        expected = nn.functional.cross_entropy(moment.output, moment.labels)
        assert moment.loss.item() == pytest.approx(expected.item())


def test_probes_are_handed_the_model_the_batch_and_the_optimizer():
    probe, called = Momentum(), []
    plain = lambda moment: called.append(("probe", moment.step))  # noqa: E731
    note = lambda record: called.append(("record", record.step))  # noqa: E731
    recipe = replace(QUICK, record_every=5)
    history = train(small(), images(), recipe, probes=[probe, plain], on_record=note)
    steps = [r.step for r in history.records]
    assert steps == [1, 5, 10, 12] == [step for step, *_ in probe.seen]
    assert called == [(kind, step) for step in steps for kind in ("probe", "record")]
    assert len(probe.inner) == probe.watching == 4
    # SGD's momentum after the first step is the gradient itself.
    _, _, buffer, gradient = probe.seen[0]
    assert torch.equal(buffer, gradient) and gradient.abs().sum() > 0
    assert losses(history) == losses(train(small(), images(), recipe)), "looking changes nothing"


def test_a_hook_of_a_probe_that_fails_is_taken_down():
    class Bad(Momentum):
        def __call__(self, moment):
            raise KeyError("my own mistake")

    model = small()
    with pytest.raises(KeyError, match="my own mistake"):
        train(model, images(), QUICK, probes=[Bad()])
    assert not any(m._forward_hooks for m in model.modules())


# --- The loop on one page -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "recipe",
    [
        QUICK,
        replace(QUICK, weight_decay=1e-2, label_smoothing=0.1, augment="crop+flip", seed=3),
        replace(QUICK, schedule="one-cycle", momentum=0.0, warmup_steps=3),
    ],
)
def test_the_plain_loop_equals_the_packages_to_the_last_bit(recipe):
    recipe = replace(recipe, record_every=1)
    ours, plain = small(), small()
    found = plain_train(plain, images(), recipe)
    assert found == losses(train(ours, images(), recipe)) and len(set(found)) > 5
    for name, tensor in ours.state_dict().items():
        assert torch.equal(tensor, plain.state_dict()[name]), name


def test_the_plain_loop_fits_on_a_page():
    lines = [line for line in inspect.getsource(plain_train).splitlines() if line.strip()]
    assert len(lines) <= 40


def test_another_seed_shuffles_and_drops_differently():
    assert curve(0, dropout=0.0)[0] != curve(1, dropout=0.0)[0]
    assert curve(0, dropout=0.0)[0] != curve(0, dropout=0.5)[0]


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_the_callers_random_numbers_are_left_alone(dropout):
    torch.manual_seed(3)
    expected = torch.randn(5)
    torch.manual_seed(3)
    train(small(dropout), images(), QUICK)
    assert torch.equal(torch.randn(5), expected)


def test_a_network_without_dropout_never_touches_the_global_generator(monkeypatch):
    """A run in the background must not turn back the random numbers of the cell that runs
    meanwhile."""
    data = images()
    torch.manual_seed(4)
    expected = torch.randn(4)

    torch.manual_seed(4)
    drawn = []
    train(
        small(),
        data,
        replace(QUICK, record_every=4),
        on_record=lambda _: drawn.append(torch.randn(1)),
    )
    assert torch.equal(torch.cat(drawn), expected)


def test_mini_networks_repeat_their_curve():
    data = load("fashion", device="cpu", limit=(256, 50))
    curves = [
        losses(
            train(
                build(mini(network("inception_v4"), 1 / 16), seed=0),
                data,
                Recipe(steps=4, batch_size=32, record_every=1),
            )
        )
        for _ in range(2)
    ]
    assert curves[0] == curves[1]


# --- How a run ends -------------------------------------------------------------------------------


def test_a_finished_run():
    history = train(model := small(), images(), QUICK)
    assert history.status == "finished"
    assert (
        history.sentence.startswith("Finished 12 steps in ")
        and "of 32 test images right." in history.sentence
    )
    assert 0 <= history.test_accuracy <= 1 and history.evaluations == [(12, history.test_accuracy)]
    assert repr(history) == f"<History: {history.sentence} 4 records>"
    assert model.training and history.device == "cpu"
    assert history.precision == "float32"


@pytest.mark.parametrize("at", [1, 2, 7])
def test_stop_is_read_at_every_step(at):
    stop = threading.Event()

    def on_record(record):
        if record.step == at:
            stop.set()

    history = train(
        small(), images(), replace(QUICK, record_every=1), on_record=on_record, stop=stop
    )
    assert history.status == "stopped" and [r.step for r in history.records] == list(
        range(1, at + 1)
    )
    assert history.sentence == f"Stopped after {at} of 12 steps."
    assert history.test_accuracy is None and history.evaluations == []


def test_a_run_stopped_before_it_begins_changes_nothing():
    stop = threading.Event()
    stop.set()
    model = small()
    history = train(model, images(), QUICK, stop=stop)
    assert (
        history.status == "stopped"
        and history.records == []
        and history.sentence == "Stopped after 0 of 12 steps."
    )
    assert all(
        torch.equal(a, b)
        for a, b in zip(model.state_dict().values(), small().state_dict().values())
    )


def test_stop_in_the_final_test():
    stop = threading.Event()
    history = train(
        small(), images(), QUICK, stop=stop, on_record=lambda r: r.step == 12 and stop.set()
    )
    assert history.status == "stopped" and history.test_accuracy is None
    assert history.sentence == "Stopped in the test after all 12 steps."


def test_a_diverging_run_ends_with_a_sentence():
    history = train(small(), images(), replace(QUICK, lr=1e20, record_every=1, steps=50))
    assert history.status == "diverged" and history.test_accuracy is None
    assert history.records and all(math.isfinite(r.loss) for r in history.records)
    last = history.records[-1]
    assert f"by step {last.step + 1} the loss was no longer a finite number" in history.sentence
    assert (
        f"(it was {last.loss:.3g} at step {last.step})" in history.sentence
        and "learning rate" in history.sentence
    )


def test_a_divergence_between_two_records_is_seen_at_the_next():
    history = train(small(), images(), replace(QUICK, lr=1e20, record_every=10, steps=50))
    assert history.status == "diverged" and [r.step for r in history.records] == [1]
    assert "by step 10" in history.sentence


def test_an_error_in_on_record_reaches_the_caller_and_leaves_no_hooks():
    model = small(0.5)
    torch.manual_seed(5)
    expected = torch.randn(3)
    torch.manual_seed(5)

    def on_record(record):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        train(model, images(), QUICK, on_record=on_record)
    assert not any(m._forward_hooks for m in model.modules()) and torch.equal(
        torch.randn(3), expected
    )


# --- What does not fit together -------------------------------------------------------------------


def test_wrong_channels_are_a_sentence():
    model = small()
    model.stem[0] = nn.Conv2d(1, 8, 3, 2, 1, bias=False)
    with pytest.raises(TrainError, match=r"cannot take images of 3×8×8.*of random"):
        train(model, images(), QUICK)


def test_too_few_classes_are_a_sentence():
    with pytest.raises(TrainError, match=r"N×3, but random has 4 classes.*classes=4"):
        train(small(classes=3), images(), QUICK)


def test_an_output_that_is_a_map_is_a_sentence():
    model = small()
    del model.pool, model.flatten, model.dropout, model.classifier
    with pytest.raises(TrainError, match=r"output is N×8×4×4"):
        train(model, images(), QUICK)


def test_images_too_small_for_the_network_are_a_sentence():
    model = small()
    model.stem[0] = nn.Conv2d(3, 8, 9, bias=False)
    with pytest.raises(TrainError, match=r"cannot take images of 3×8×8.*Torch says"):
        train(model, images(), QUICK)


def test_a_description_that_says_what_is_wrong_is_left_to_say_it():
    with pytest.raises(SpecError, match="3×H×W|1×H×W") as caught:
        train(build(tower(16, 1, image=8, classes=4, channels=1), seed=0), images(), QUICK)
    assert not isinstance(caught.value, TrainError)


class Own(nn.Module):
    """A reader's own network, with a mistake of the reader's."""

    def __init__(self, mistake):
        super().__init__()
        self.conv, self.mistake = nn.Conv2d(3, 4, 3), mistake

    def forward(self, x):
        return self.mistake(self.conv(x).mean((2, 3)))


def unknown(x):
    return x + nowhere  # noqa: F821


@pytest.mark.parametrize(
    "mistake, kind",
    [
        (unknown, NameError),
        (lambda x: x.softmaxx(1), AttributeError),
        (lambda x: {}["logits"], KeyError),
        (lambda x: 1 + "a", TypeError),
    ],
)
def test_a_mistake_in_the_networks_own_code_is_left_to_say_what_it_is(mistake, kind):
    with pytest.raises(kind):
        train(Own(mistake), images(), QUICK)


def test_an_output_that_is_no_tensor_is_a_sentence():
    with pytest.raises(TrainError, match="returns a tuple, but training needs one tensor, N×4"):
        train(Own(lambda x: (x, x)), images(), QUICK)


def test_a_network_that_is_no_sequential_trains():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Conv2d(3, 8, 3)
            self.last = nn.Linear(8, 4)

        def forward(self, x):
            return self.last(self.first(x).relu().mean((2, 3)))

    history = train(Own(), images(), QUICK)
    assert history.status == "finished" and "first" in history.records[0].spread


# --- The running average --------------------------------------------------------------------------


def test_the_average_by_hand():
    """Decay min(d, (1 + n) / (10 + n)) at step n, as in TensorFlow: 2/11, 3/12, then 0.25."""
    model = nn.Sequential(nn.Linear(1, 1, bias=False))
    weight = model[0].weight
    with torch.no_grad():
        weight.fill_(1.0)
    average = Average(model, 0.25)
    expected = 1.0
    for value, keep in ((2.0, 2 / 11), (3.0, 3 / 12), (4.0, 0.25)):
        with torch.no_grad():
            weight.fill_(value)
        average.update()
        expected = keep * expected + (1 - keep) * value
    average.put_in(images())
    assert weight.item() == pytest.approx(expected)


def test_the_model_ends_with_the_averaged_weights_and_their_statistics():
    data, recipe = images(), replace(QUICK, average=0.99, lr=0.2)
    history = train(averaged := small(), data, recipe)
    train(raw := small(), data, replace(recipe, average=0.0))
    assert not torch.equal(averaged.classifier.weight, raw.classifier.weight)
    # The statistics of the first batch norm: of what its convolution makes of the training images,
    # all together.
    made = averaged.stem[0](data.normalise(data.train.images)).detach()
    torch.testing.assert_close(
        averaged.stem[1].running_mean, made.mean((0, 2, 3)), rtol=1e-4, atol=1e-5
    )
    torch.testing.assert_close(
        averaged.stem[1].running_var, made.var((0, 2, 3)), rtol=1e-3, atol=1e-5
    )
    assert evaluate.accuracy(averaged, data) == history.test_accuracy
    assert averaged.stem[1].momentum == 0.1 and averaged.training


def test_tests_on_the_way_do_not_change_the_run():
    for average in (0.0, 0.95):
        often = train(a := small(), images(), replace(QUICK, average=average, evaluate_every=3))
        once = train(b := small(), images(), replace(QUICK, average=average))
        assert [step for step, _ in often.evaluations] == [3, 6, 9, 12] and len(
            once.evaluations
        ) == 1
        assert losses(often) == losses(once) and often.test_accuracy == once.test_accuracy
        assert all(
            torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values())
        )


def test_a_test_on_the_way_is_of_the_averaged_weights(monkeypatch):
    tested = []

    def logits(model, *args, **words):
        tested.append({k: v.clone() for k, v in model.state_dict().items()})
        return evaluate.logits(model, *args, **words)

    monkeypatch.setattr(loop, "logits", logits)
    train(small(), images(), replace(QUICK, average=0.95, evaluate_every=6))
    train(half := small(), images(), replace(QUICK, average=0.95, steps=6))
    assert all(torch.equal(tested[0][k], v) for k, v in half.state_dict().items())


def test_a_test_on_the_way_puts_weights_and_statistics_back():
    def run(evaluate_every):
        stop = threading.Event()
        recipe = replace(QUICK, average=0.95, evaluate_every=evaluate_every, record_every=1)
        train(
            model := small(),
            images(),
            recipe,
            stop=stop,
            on_record=lambda r: r.step == 7 and stop.set(),
        )
        return model.state_dict()

    assert all(torch.equal(a, b) for a, b in zip(run(None).values(), run(7).values()))


def test_statistics_are_averages_over_the_batches():
    data, model, batches = images(60), small(), []
    hook = model.stem[1].register_forward_pre_hook(
        lambda module, inputs: batches.append(inputs[0].clone())
    )
    measure_statistics(model, data, images=60, batch_size=20)
    hook.remove()
    assert [len(x) for x in batches] == [20, 20, 20]
    with torch.no_grad():
        made = model.stem[0](data.normalise(data.train.images))
    torch.testing.assert_close(
        model.stem[1].running_mean, made.mean((0, 2, 3)), rtol=1e-4, atol=1e-6
    )
    variance = sum(x.var((0, 2, 3)) for x in batches) / 3
    torch.testing.assert_close(model.stem[1].running_var, variance, rtol=1e-4, atol=1e-6)


def test_statistics_come_from_all_classes():
    """Classes that take turns, as in the embedded images: every fifth image is of one of two
    classes."""
    data, model = images(5000, side=4, classes=8), small(classes=8)
    labels = torch.arange(5000) % 10 // 2 % 8
    pixels = (50 * labels).view(-1, 1, 1, 1).expand(-1, 3, 4, 4).to(torch.uint8)
    data = replace(data, train=Split(pixels, labels))
    measure_statistics(model, data, images=1000)
    made = model.stem[0](data.normalise(data.train.images)).mean((0, 2, 3)).detach()
    torch.testing.assert_close(model.stem[1].running_mean, made, rtol=0.1, atol=0.02)


def test_averaged_weights_take_their_statistics_from_windows_after_training_on_windows():
    data, model, sides = images(side=16), small(), []
    model.register_forward_hook(lambda module, inputs, output: sides.append(inputs[0].shape[-1]))
    train(model, data, replace(QUICK, augment="window", average=0.5, steps=1))
    first, *others = sides  # the first one asks whether network and images fit
    assert first == 16 and len(others) > 2 and set(others) == {14}


def test_after_windows_the_test_is_on_the_centres():
    train(
        model := small(),
        data := images(side=16),
        replace(QUICK, augment="window", steps=2, lr=0.001),
    )
    history = train(model, data, replace(QUICK, augment="window", steps=1, lr=0.0))
    centres = replace(data, test=Split(data.test.images[..., 1:15, 1:15], data.test.labels))
    assert history.test_accuracy == evaluate.accuracy(model, centres)
    tested = []
    model.register_forward_hook(
        lambda module, inputs, output: tested.append(tuple(inputs[0].shape[-2:]))
    )
    train(model, data, replace(QUICK, augment="window", steps=1, lr=0.0))
    assert tested[-1] == (14, 14)


# --- The machine ----------------------------------------------------------------------------------


def test_bfloat16_on_request():
    history = train(model := small(), images(), replace(QUICK, precision="bfloat16"))
    assert history.precision == "bfloat16" and history.status == "finished"
    assert model.classifier.weight.dtype == torch.float32
    assert losses(history) != losses(train(small(), images(), replace(QUICK, precision="float32")))


def test_learns_the_embedded_images():
    data = load("fashion", device="cpu", limit=(1500, 300))
    history = train(
        build(mini(network("inception_resnet_v1"), 1 / 16), seed=0),
        data,
        Recipe(steps=60, batch_size=32, average=0.95),
    )
    assert history.test_accuracy > 0.6


# --- Replicas -------------------------------------------------------------------------------------


def test_a_replica_applies_the_gradient_of_older_weights():
    """By hand: the loss w²/2 has gradient w. With three replicas the first two steps change
    nothing, and each later one applies the gradient of two steps before."""
    weight = nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    delay(optimizer, 2)
    seen = []
    for _ in range(6):
        optimizer.zero_grad()
        (weight.square().sum() / 2).backward()
        optimizer.step()
        seen.append(weight.item())
    assert seen == pytest.approx([1, 1, 0.9, 0.8, 0.7, 0.61])


def test_replicas_begin_late_and_then_train():
    recipe = Recipe(steps=6, batch_size=16, lr=0.05, precision="float32", record_every=1, seed=1)
    alone = train(small(), images(64, side=32), recipe)
    model = small()
    before = [p.clone() for p in model.parameters()]
    history = train(model, images(64, side=32), replace(recipe, steps=4, replicas=5))
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters())), "four too early"
    model = small()
    history = train(model, images(64, side=32), replace(recipe, replicas=5))
    assert not all(torch.equal(a, b) for a, b in zip(before, model.parameters()))
    assert history.records[0].loss == alone.records[0].loss
    with pytest.raises(TrainError, match="replicas must be at least 1, got 0"):
        Recipe(replicas=0)
