"""The rule for devices (docs/devices.md), kept on a device without hardware: one like CUDA, one
like MPS. `pytest -m second_device`."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import build as notebooks
import pytest
import second_device
import torch
from filelock import FileLock
from test_train import QUICK, images, losses, small

from inception_edu.describe import SpecError
from inception_edu.learn import (
    Recipe,
    accuracy,
    agreement,
    bootstrap,
    clock,
    default_device,
    error_rate,
    logits,
    measure_statistics,
    right,
    train,
    twelve_crops,
)
from inception_edu.nets import covered, exciting, features, load_checkpoint, save_checkpoint
from inception_edu.nets.build import build
from inception_edu.nets.fast import fold, merge_siblings

pytestmark = pytest.mark.second_device
ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "tests" / "on_second_device.py"
# `make gpu` runs these tests on the real device that INCEPTION_EDU_DEVICE names.
REAL = os.environ.get("INCEPTION_EDU_DEVICE", "")
TOY = REAL or second_device.NAME
VARIANTS = (REAL,) if REAL else ("cuda", "mps")


@pytest.fixture(params=VARIANTS)
def variant(request, monkeypatch):
    if not REAL:
        second_device.register(request.param)
    monkeypatch.setenv("INCEPTION_EDU_DEVICE", TOY)
    return request.param


toy_alone = pytest.mark.skipif(bool(REAL), reason="about the device without hardware")


def mini():
    from inception_edu.describe import networks

    return networks.mini(networks.inception_resnet_v1(), width=1 / 16, repeats=(1, 1, 1))


# --- The device refuses what a real one refuses ---------------------------------------------------


@toy_alone
def test_two_devices_do_not_mix(variant):
    x = torch.ones(3, device=TOY)
    assert x.device.type == TOY and (x + 1).sum().item() == 6 and x.cpu().numpy().sum() == 3
    with pytest.raises(RuntimeError, match="two devices, toy:0 and cpu"):
        x + torch.ones(3)
    with pytest.raises(RuntimeError):
        x.numpy()
    assert torch.equal((x * torch.tensor(2.0)).cpu(), 2 * torch.ones(3)), "a number alone may"
    assert x[torch.tensor([0, 2])].shape == (2,), "and so may positions"


@toy_alone
def test_only_the_one_like_mps_refuses_64_bits(variant):
    x = torch.ones(3, device=TOY)
    if variant == "mps":
        for wrong in (
            lambda: x.double(),
            lambda: torch.zeros(2, dtype=torch.float64, device=TOY),
            lambda: torch.zeros(2, dtype=torch.float64).to(TOY),
        ):
            with pytest.raises(TypeError, match="doesn't support float64"):
                wrong()
    else:
        assert x.double().sum().item() == 3


@toy_alone
def test_changes_in_place_reach_views(variant):
    x = torch.zeros(2, 3, device=TOY)
    x[0].add_(1)
    x.view(6)[5] = 7
    assert x.cpu().tolist() == [[1, 1, 1], [0, 0, 7]]


# --- Training -------------------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [False, True], ids=["batches travel", "data.to(device)"])
def test_a_run_is_the_cpus_run(variant, whole):
    """Order, augmentation and dropout are drawn on the CPU, so only rounding differs."""
    recipe = replace(QUICK, steps=4, augment="crop+flip+cutout", record_every=1)
    recipe = replace(recipe, precision="float32")
    here = train(small(0.5), images(), recipe)
    model = small(0.5).to(TOY)
    data = images().to(TOY) if whole else images()
    there = train(model, data, recipe)
    assert losses(there) == pytest.approx(losses(here), rel=1e-3)
    assert there.device == f"{TOY}:0" and there.status == "finished"
    assert {p.device.type for p in model.parameters()} == {TOY}, "it stays where its owner put it"
    assert data.device.type == (TOY if whole else "cpu")


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(optimizer="rmsprop", schedule="paper", clip=2.0, average=0.9, evaluate_every=2),
        Recipe(schedule="one-cycle", augment="window+flip", label_smoothing=0.1, weight_decay=1e-4),
        Recipe(warmup_steps=2, nesterov=True),
    ],
)
def test_every_kind_of_recipe_runs(variant, recipe):
    recipe = replace(recipe, steps=4, batch_size=16, record_every=2)
    assert train(build(mini(), seed=0).to(TOY), images(side=32, classes=8), recipe).test_accuracy


def test_probes_and_statistics(variant):
    seen = []
    model = small().to(TOY)
    train(model, images(), QUICK, probes=[lambda m: seen.append(m.images.device.type)])
    assert set(seen) == {TOY}
    measure_statistics(model, images())
    with pytest.raises(SpecError, match=rf"is on {TOY}.*, got a batch on cpu: write images\.to"):
        build(mini(), seed=0).to(TOY)(torch.randn(2, 3, 32, 32))  # the owner's batch is the owner's


# --- Evaluation and features ----------------------------------------------------------------------


def test_what_is_said_of_images_lies_on_the_cpu(variant):
    data, model = images(side=32, classes=8), build(mini(), seed=0)
    here = logits(model, data)
    crops = logits(model, data, crops=twelve_crops(28))
    model = model.to(TOY)
    there = logits(model, data)
    assert there.device.type == "cpu" and torch.allclose(there, here, atol=1e-4)
    assert torch.allclose(logits(model, data, crops=twelve_crops(28)), crops, atol=1e-4)
    assert logits(model, data.to(TOY)).device.type == "cpu"
    labels = data.test.labels
    assert (
        error_rate(there, labels) == error_rate(here, labels) == error_rate(there, labels.to(TOY))
    )
    assert accuracy(model, data.to(TOY)) == pytest.approx(1 - error_rate(here, labels))


def test_statistics_take_answers_from_anywhere(variant):
    labels = torch.arange(10) % 2
    a, b = torch.randn(2, 10, 2, generator=torch.Generator().manual_seed(0))
    here = agreement(right(a, labels), right(b, labels))
    there = agreement(right(a.to(TOY), labels.to(TOY)), right(b.to(TOY), labels))
    assert there == pytest.approx(here, nan_ok=True)
    assert bootstrap(a[:, 0].to(TOY), draws=50) == bootstrap(a[:, 0], draws=50)


def test_features(variant):
    data, model = images(16, side=32, classes=8), build(mini(), seed=0)
    batch = data.normalise(data.test.images)
    here = features.activations(model, batch)
    shares = features.residual_shares(model, batch)
    model = model.to(TOY)
    for name, maps in features.activations(model, batch).items():
        assert torch.allclose(maps.cpu(), here[name], atol=1e-3), name
    assert features.residual_shares(model, batch) == pytest.approx(shares, rel=1e-2)
    name = list(here)[1]
    assert features.inside(model, batch, name).output.shape == here[name].shape
    assert set(features.dead_channels(model, data)) == set(here)
    assert len(features.branch_effects(model, data)) > 2
    field = features.effective_field(model, batch, name)
    assert features.field_radius(field) > 1
    assert covered(model, batch[:1], [3], patch=16, stride=8)[3].shape == (32, 32)
    top = exciting(model, data.test.images, data.normalise, [name], count=3)[name, "output"]
    assert top.images.shape == (here[name].shape[1], 3)
    features.listening(dict(model.named_children())["inception_resnet_a"])


def test_folding_merging_and_clocking(variant):
    model = build(mini(), seed=0).eval().to(TOY)
    x = torch.randn(2, 3, 32, 32).to(TOY)
    quick = merge_siblings(fold(model))
    with torch.no_grad():
        assert torch.allclose(quick(x).cpu(), model(x).cpu(), atol=1e-3)
    assert len(clock({"plain": model, "quick": quick}, x, rounds=2)["quick"]) == 2


def test_a_checkpoint_can_be_written(variant, tmp_path):
    recipe = dict(kind="tower", width=8, depth=2)
    from inception_edu.describe.networks import make

    model = build(make(**recipe), seed=0).to(TOY)
    save_checkpoint(tmp_path / "x.safetensors", model, recipe, half=False)
    again, _ = load_checkpoint(tmp_path / "x.safetensors")
    for name, tensor in again.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name].cpu()), name


def test_a_run_of_an_experiment(variant):
    from inception_edu.study import Config, run

    config = Config("toy", "tower", dict(width=8, depth=2), Recipe(steps=3, batch_size=16))
    result = run(replace(config, data="fashion", test_images=50))
    assert result.status == "finished" and result.device.startswith(TOY)
    assert default_device().type == TOY


# --- Chapters -------------------------------------------------------------------------------------

RUNS = [
    pytest.param(variant, source.stem, id=f"{variant}-{source.stem}")
    for variant in ("mps", "cuda")
    for source in notebooks.sources()
]


@pytest.fixture(scope="module")
def chapters(tmp_path_factory):
    """What `on_second_device.py` says of every chapter, by variant; each variant is run once, by
    whichever of pytest's processes comes first."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent

    def of(variant: str) -> dict[str, dict]:
        kept = shared / f"chapters_{variant}.jsonl"
        with FileLock(f"{kept}.lock"):
            if not kept.exists():
                kept.write_text(said(variant), encoding="utf-8")
        lines = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
        return {line["name"]: line for line in lines}

    def said(variant: str) -> str:
        done = subprocess.run(
            [sys.executable, str(SCRIPT), variant],
            cwd=tmp_path_factory.mktemp(variant),
            capture_output=True,
            text=True,
            timeout=1700,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        assert lines, done.stderr[-3000:]
        return "\n".join(lines)

    return of


@pytest.mark.timeout(1800)
@toy_alone
@pytest.mark.parametrize("variant, chapter", RUNS)
def test_chapters_run_whole(variant, chapter, chapters):
    assert not (error := chapters(variant)[chapter]["error"]), error
