"""Steps that are captured once and replayed: which may be, and that they give the same run."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from test_train import QUICK, images, losses, small
from torch import nn

from inception_edu.describe import networks
from inception_edu.learn import Recipe, train
from inception_edu.learn.dropout import Masks, own_dropout
from inception_edu.learn.steps import can_be_captured
from inception_edu.nets.build import build

on_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")


class Noisy(nn.Module):
    def forward(self, x):
        return x + torch.randn(()).item()


def test_only_what_repeats_itself_is_captured(monkeypatch):
    model = build(networks.tower(width=8, depth=2), seed=0)
    assert can_be_captured(model)
    hook = model.register_forward_hook(lambda *_: None)
    assert not can_be_captured(model), "a hook may count or print"
    hook.remove()
    assert not can_be_captured(nn.Sequential(model, Noisy())), "a reader's module may draw"
    monkeypatch.setenv("INCEPTION_EDU_GRAPHS", "0")
    assert not can_be_captured(model)


def test_held_masks_are_refreshed_with_the_numbers_of_ordinary_steps():
    """A replayed step finds in its places what an ordinary step would have drawn."""
    layers = nn.Sequential(nn.Dropout(0.3), nn.Dropout2d(0.5))
    x = torch.ones(4, 6, 5, 5)
    masks = Masks(torch.Generator().manual_seed(3))
    with own_dropout(layers, masks):
        ordinary = [layers(x) for _ in range(3)]
    assert not torch.equal(ordinary[0], ordinary[1])

    masks = Masks(torch.Generator().manual_seed(3))
    with own_dropout(layers, masks):
        first = layers(x)
    masks.hold()
    with own_dropout(layers, masks):
        layers(x)
    masks.release()
    assert torch.equal(first, ordinary[0])
    places = [mask for mask, _ in masks.held]
    assert [tuple(place.shape) for place in places] == [(4, 6, 5, 5), (4, 6, 1, 1)]
    for step in (1, 2):
        masks.refresh()
        assert torch.equal(x * places[0] * places[1], ordinary[step])


@on_cuda
@pytest.mark.parametrize(
    "recipe",
    [
        QUICK,
        replace(QUICK, schedule="one-cycle", weight_decay=1e-3, nesterov=True, average=0.9),
        Recipe(optimizer="rmsprop", lr=0.02, schedule="paper", decay_every=4, clip=2.0),
    ],
)
def test_a_replayed_run_is_the_ordinary_run(recipe, monkeypatch):
    recipe = replace(recipe, steps=40, batch_size=16, record_every=10, precision="float32")
    data = images()
    found = []
    for graphs in ("0", "1"):
        monkeypatch.setenv("INCEPTION_EDU_GRAPHS", graphs)
        found.append(train(small(0.5).cuda(), data, recipe))
    ordinary, replayed = found
    assert losses(replayed) == pytest.approx(losses(ordinary), rel=2e-2)
    assert replayed.test_accuracy == pytest.approx(ordinary.test_accuracy, abs=0.1)
    assert [r.lr for r in replayed.records] == pytest.approx([r.lr for r in ordinary.records])


@on_cuda
def test_two_runs_at_once_give_the_curves_that_they_give_alone():
    """Labs train in threads of one process; two captures at a time would spoil each other."""
    recipe = replace(QUICK, steps=60, batch_size=16, record_every=10, precision="float32")

    def models():
        return [small(0.5, seed=seed).cuda() for seed in range(4)]

    def run(model, seed):
        return losses(train(model, images(), replace(recipe, seed=seed)))

    alone = [run(model, seed) for seed, model in enumerate(models())]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(run, models(), range(4)))
    for one, other in zip(alone, together):
        assert other == pytest.approx(one, rel=2e-2)


@on_cuda
def test_a_replayed_step_is_faster():
    """The reason why there are any."""
    recipe = Recipe(steps=60, batch_size=16, record_every=60, precision="float32")
    network = networks.mini(networks.inception_resnet_v1(), width=1 / 16, repeats=(1, 1, 1))
    seconds = {}
    for graphs in ("0", "1"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("INCEPTION_EDU_GRAPHS", graphs)
            history = train(build(network, seed=0).cuda(), images(side=32, classes=8), recipe)
            seconds[graphs] = history.seconds
    assert seconds["1"] < seconds["0"]
