"""Small collections of photographs: training on a few of each class, answers, a look inside."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from inception_edu.data import Data, Split, load
from inception_edu.labs.subjects import own_subject
from inception_edu.nets import build
from inception_edu.study import (
    Answers,
    Config,
    Identity,
    Recipe,
    Running,
    configurations,
    digest,
    run,
    train_within,
    within,
)
from inception_edu.study.config import ExperimentError
from inception_edu.study.experiments_own import PER_CLASS

TINY = Config(
    "tiny",
    "inception_resnet_v2",
    dict(width=1 / 16, repeats=(1, 1, 1), image=28),
    Recipe(steps=2, batch_size=8, augment="window+flip"),
    data="fashion",
    test_images=20,
    after="few crops",
    per_class=3,
)


def test_a_run_on_three_pictures_a_class_keeps_its_answers():
    result = run(TINY)
    assert result.data["train"] == 30 and result.data["test"] == 20
    members = Answers.of([result, run(TINY.with_seed(1))])
    assert set(members.rows) == {"1 crop", "12 crops"}
    assert members.rows["12 crops"].shape == (2, 20, 10)
    wrong = members.wrong([0], "1 crop").double().mean().item()
    assert wrong == pytest.approx(1 - result.accuracy, abs=0.11), "the same images, other crops"


def test_how_many_pictures_a_class_is_part_of_a_runs_name():
    here = Identity("images", "float32", "cpu")
    assert digest(TINY, here) != digest(replace(TINY, per_class=4), here)
    assert Config.from_dict(TINY.to_dict()) == TINY
    older = {k: v for k, v in TINY.to_dict().items() if k != "per_class"}
    assert Config.from_dict(older).per_class is None
    with pytest.raises(ExperimentError, match="crops"):
        replace(TINY, after="many crops")


def test_the_experiment_has_the_same_network_at_each_number_of_pictures():
    configs = [c for c in configurations("own_photographs", "standard") if "ResNet" in c.label]
    assert {c.per_class for c in configs} == set(PER_CLASS)
    assert len({(c.arguments, replace(c.recipe, seed=0)) for c in configs}) == 1


def coloured():
    images = torch.randint(0, 256, (20, 3, 32, 32), dtype=torch.uint8)
    split = Split(images, torch.arange(20) % 2)
    return Data("mine", ("cat", "dog"), split, split)


@pytest.mark.parametrize(
    "data", [load("fashion", limit=(40, 40)), coloured()], ids=["grey", "colour"]
)
def test_a_network_of_ones_own_is_asked_about_pictures_as_it_was_trained_on_them(data):
    model = build(replace(TINY, arguments=dict(TINY.arguments)).description(), seed=0)
    subject = own_subject(model, data)
    pixels = data.test.images[:1]
    picture = Image.fromarray(np.asarray(pixels[0].expand(3, -1, -1).permute(1, 2, 0)))
    assert torch.allclose(subject.prepare(picture), data.normalise(pixels), atol=0.02)
    assert subject.prepare(picture, 64).shape == (1, 3, 64, 64)
    assert subject.classes == data.classes and len(subject.pictures()) > 0


def three(steps):
    recipe = replace(TINY.recipe, steps=steps)
    return [replace(TINY, label=f"tiny {n}", seed=n, recipe=recipe, after="") for n in range(3)]


def test_runs_that_fit_are_trained_whole():
    found = train_within(three(8), seconds=600)
    assert [r.config.recipe.steps for r in found.results] == [8, 8, 8]
    assert [r.seed for r in found.results] == [0, 1, 2]
    assert "3 networks" in found.sentence and "8 steps each. Nothing was left" in found.sentence
    assert [run.config for run in found.runs] == [r.config for r in found.results]
    again = run(three(8)[2], threads=None)
    assert again.accuracy == pytest.approx(found.results[2].accuracy, abs=0.11)


def slow_clock(monkeypatch, seconds):
    """Each look at the clock comes so many seconds after the one before."""
    ticks = iter(range(10**6))
    clock = SimpleNamespace(monotonic=lambda: seconds * next(ticks))
    monkeypatch.setattr(within, "time", clock)


def test_runs_that_do_not_fit_get_fewer_steps_and_it_is_told(monkeypatch):
    slow_clock(monkeypatch, 1.0)  # a step takes a second
    found = train_within(three(200), seconds=300)
    steps = [r.config.recipe.steps for r in found.results]
    assert steps[0] < 100 and steps == sorted(steps, reverse=True) and min(steps) >= 60
    assert "200 steps each would not have ended within 300 s here." in found.sentence


def test_a_first_run_is_trained_in_any_case_and_others_are_left_out(monkeypatch):
    slow_clock(monkeypatch, 1.0)
    found = train_within(three(200), seconds=3)
    assert [r.config.recipe.steps for r in found.results] == [60]
    assert found.results[0].status == "finished" and found.results[0].accuracy is not None
    assert "1 network in" in found.sentence
    assert "Left out for want of time: tiny 1 with seed 1, tiny 2 with seed 2." in found.sentence


def test_a_run_that_meets_other_work_is_stopped(monkeypatch):
    begun = within._begun

    def sudden(config, most, left, many, after, stop):
        slow_clock(monkeypatch, 0.1 if config.seed == 0 else 50.0)
        if config.seed == 0:
            return begun(config, most, left, many, after, stop)
        return Running(config, stop=stop), left

    slow_clock(monkeypatch, 0.1)
    monkeypatch.setattr(within, "_begun", sudden)
    found = train_within(three(30)[:2], seconds=60)
    assert [r.seed for r in found.results] == [0] and "tiny 1 with seed 1" in found.sentence
