"""A network at several steps of its training, in one file."""

import pytest
import torch

from inception_edu.data import data_dir, load
from inception_edu.describe import make
from inception_edu.learn import accuracy
from inception_edu.nets import WeightsError
from inception_edu.nets.build import build
from inception_edu.nets.steps import load_step, pack, save_steps, steps, unpack

TOWER = dict(kind="tower", width=16, depth=2, scale=1.0)


def test_a_value_moves_by_half_a_step_at_most():
    weight = torch.randn(6, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    weight[2] = 0
    back = unpack(pack({"w": weight, "b": weight[0, 0, 0]}))
    step = weight.abs().amax((1, 2, 3), keepdim=True) / 127
    assert ((back["w"] - weight).abs() <= step / 2 + 1e-7).all()
    assert torch.equal(back["b"], weight[0, 0, 0]), "vectors stay whole"


def test_what_was_saved_comes_back(tmp_path):
    path = tmp_path / "some_steps.safetensors"
    models = {step: build(make(**TOWER), seed=step).eval() for step in (0, 7)}
    save_steps(path, TOWER, {k: m.state_dict() for k, m in models.items()}, seed=3)
    assert steps(path) == ([0, 7], {"seed": 3})
    image = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    for step, model in models.items():
        got, facts = load_step(path, step)
        with torch.no_grad():
            expected = model(image)
            assert (got(image) - expected).abs().max() < 0.05 * expected.abs().max()
        assert facts == {"seed": 3}
    with pytest.raises(WeightsError, match=r"holds the steps \[0, 7\], not step 5"):
        load_step(path, 5)
    with pytest.raises(WeightsError, match="There is no file"):
        steps(tmp_path / "absent")


def test_the_committed_steps_learn():
    path = data_dir() / "checkpoints" / "steps" / "fashion_inception_resnet_v2.safetensors"
    found, facts = steps(path)
    assert found[0] == 0 and path.stat().st_size < 2e6
    right = [facts["test_accuracy"][str(step)] for step in found]
    assert right == sorted(right) and right[0] < 0.2 and right[-1] > 0.85
    data = load("fashion", device="cpu")
    step = found[2]
    got = accuracy(load_step(path, step)[0], data)
    assert got == pytest.approx(facts["test_accuracy"][str(step)], abs=0.003)
