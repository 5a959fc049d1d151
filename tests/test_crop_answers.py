"""The answers to crops that a run keeps, against a second way of computing them."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from inception_edu.data import evenly, load
from inception_edu.learn import train
from inception_edu.study import (
    Config,
    ExperimentError,
    Recipe,
    crop_logits,
    crops,
    run,
    runs,
    sweep,
)

COUNT = 40
WINDOWS = Config(
    "windows",
    "tower",
    dict(width=16, depth=2, scale=0.5, image=28),
    Recipe(steps=6, batch_size=16, lr=0.05, record_every=3, augment="window+flip"),
    data="fashion",
    test_images=20,
    after="crops",
)


@pytest.fixture
def few(monkeypatch):
    """Answers to 40 test images are enough here."""

    def of_few(model, data, count, kinds):
        return crops.crop_answers(model, data, COUNT, kinds)

    monkeypatch.setattr(runs, "crop_answers", of_few)


def corners_and_middle(images, size=28):
    """Ten views of N×3×H×W, written down place by place."""
    end, middle = images.shape[-1] - size, (images.shape[-1] - size) // 2
    for y, x in ((0, 0), (0, end), (end, 0), (end, end), (middle, middle)):
        crop = images[:, :, y : y + size, x : x + size]
        yield crop
        yield crop.flip(3)


def resized(images, side):
    return F.interpolate(images, (side, side), mode="bilinear", antialias=True)


def views(images, kind):
    if kind == "1 crop":
        yield images[:, :, 2:30, 2:30]
    elif kind == "12 crops":
        yield from corners_and_middle(images)
        yield resized(images, 28)
        yield resized(images, 28).flip(3)
    else:  # 256, 288, 320, 352 to crops of 224 is 32, 36, 40, 44 to crops of 28
        for side in (32, 36, 40, 44):
            large = resized(images, side) if side != 32 else images
            yield from corners_and_middle(large)
            yield resized(large, 28)
            yield resized(large, 28).flip(3)


def test_answers_are_those_of_the_trained_network(few, tmp_path):
    """Through the result file and back, against the same network trained again and asked view by
    view."""
    (result,) = sweep([WINDOWS], folder=tmp_path, progress=False)
    labels, answers = crop_logits(result)

    data, model = load("fashion"), WINDOWS.model()
    train(
        model, data, replace(WINDOWS.recipe, precision="float32")
    )  # as a run does it on every CPU
    model.eval()
    chosen = torch.from_numpy(evenly(data.test.labels.cpu().numpy(), COUNT))
    assert labels.tolist() == data.test.labels[chosen].tolist()
    assert labels.bincount().tolist() == [COUNT // 10] * 10
    pixels = data.test.images[chosen].float().repeat(1, 3, 1, 1) / 255
    pixels = (pixels - data.mean.view(1, -1, 1, 1)) / data.std.view(1, -1, 1, 1)
    assert list(answers) == ["1 crop", "12 crops", "144 crops"]
    for kind, count in zip(answers, (1, 12, 48)):
        with torch.no_grad():
            each = torch.stack([model(view).softmax(1) for view in views(pixels, kind)])
        assert len(each) == count
        torch.testing.assert_close(answers[kind].softmax(1), each.mean(0), rtol=0, atol=1e-3)
    assert (answers["1 crop"].softmax(1) - answers["12 crops"].softmax(1)).abs().max() > 0.01
    assert (answers["12 crops"].softmax(1) - answers["144 crops"].softmax(1)).abs().max() > 0.003


def test_logits_of_any_size_stay_finite_in_16_bits(few):
    """And as many images of each class are asked about, also where the test images stand in order
    of their class."""

    class Sure(torch.nn.Module):
        def forward(self, x):
            rows = torch.full((len(x), 10), -1e9)
            rows[:, 3] = 60000.0
            return rows

    data = load("fashion")
    in_order = replace(data, test=data.test[data.test.labels.argsort()])
    result = replace(
        run(replace(WINDOWS, after="")), extras=crops.crop_answers(Sure(), in_order, COUNT)
    )
    labels, answers = crop_logits(result)
    assert labels.bincount().tolist() == [COUNT // 10] * 10
    for rows in answers.values():
        assert rows.isfinite().all() and (rows.argmax(1) == 3).all()


def test_a_run_that_kept_no_answers_says_so():
    with pytest.raises(ExperimentError, match='after="crops"'):
        crop_logits(run(replace(WINDOWS, after="")))


def test_a_run_that_diverged_keeps_none():
    result = run(replace(WINDOWS, recipe=replace(WINDOWS.recipe, lr=1e30)))
    assert result.status == "diverged" and result.extras == {}
    with pytest.raises(ExperimentError, match="kept no answers"):
        crop_logits(result)
