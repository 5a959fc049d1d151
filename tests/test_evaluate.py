"""Error figures against answers worked out by hand."""

import math
import threading
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from inception_edu.data import Data, Split
from inception_edu.learn import (
    accuracy,
    agreement,
    bootstrap,
    centre_crop,
    ensemble,
    error_correlation,
    error_rate,
    evaluating,
    fast_layout,
    interval,
    logits,
    many_crops,
    right,
    ten_crops,
    twelve_crops,
)

ROWS = torch.tensor([[0.1, 0.9, 0.0], [0.8, 0.1, 0.1], [0.2, 0.3, 0.5], [0.4, 0.5, 0.1]])
LABELS = torch.tensor([1, 0, 0, 0])  # right, right, wrong (third), wrong (second)


class Brightness(nn.Module):
    """Two classes: the mean of the pixels, and zero. Counts what it is given."""

    def __init__(self):
        super().__init__()
        self.seen, self.modes, self.drop = [], [], nn.Dropout(0.5)

    def forward(self, x):
        self.seen.append(tuple(x.shape))
        self.modes.append((self.training, torch.is_grad_enabled()))
        return torch.stack([self.drop(x).mean((1, 2, 3)), x.new_zeros(len(x))], 1)


def data() -> Data:
    """Five images, dark to bright; label 0 where bright."""
    pixels = (
        torch.tensor([0, 60, 120, 180, 240], dtype=torch.uint8)
        .view(-1, 1, 1, 1)
        .expand(-1, 3, 8, 8)
        .contiguous()
    )
    split = Split(pixels, torch.tensor([1, 1, 1, 0, 0]))
    return Data("steps", ("bright", "dark"), split, split)


def test_top_1_and_top_k():
    assert right(ROWS, LABELS).tolist() == [True, True, False, False]
    assert error_rate(ROWS, LABELS) == 0.5
    assert error_rate(ROWS, LABELS, k=2) == 0.25
    assert error_rate(ROWS, LABELS, k=3) == 0.0
    with pytest.raises(ValueError, match="choose 1 to 3"):
        error_rate(ROWS, LABELS, k=4)


def test_a_network_that_says_the_same_of_all_classes_is_at_chance():
    labels = torch.arange(10)
    assert error_rate(torch.zeros(10, 10), labels) == pytest.approx(0.9)
    assert error_rate(torch.zeros(10, 10), labels, k=5) == pytest.approx(0.5)


def test_nan_is_never_right():
    assert error_rate(torch.full((4, 3), math.nan), torch.tensor([0, 1, 2, 0]), k=3) == 1.0


def test_accuracy_and_logits_by_hand():
    model = Brightness()
    assert (
        accuracy(model, data()) == 0.8
    )  # the middle image is at the mean: a tie, and class 0 wins it
    rows = logits(model, data(), batch_size=2)
    assert rows.shape == (5, 2) and rows.dtype == torch.float32
    std = torch.tensor([0, 60, 120, 180, 240.0]).std(correction=0)
    torch.testing.assert_close(
        rows[:, 0], (torch.tensor([0, 60, 120, 180, 240.0]) - 120) / std, rtol=1e-5, atol=1e-5
    )
    assert model.seen == [(5, 3, 8, 8), (2, 3, 8, 8), (2, 3, 8, 8), (1, 3, 8, 8)]


def test_evaluation_is_without_dropout_and_gradients_and_puts_the_mode_back():
    model = Brightness().train()
    first, second = logits(model, data()), logits(model, data())
    assert torch.equal(first, second) and model.modes == [(False, False)] * 2 and model.training
    with pytest.raises(KeyError):
        with evaluating(model):
            raise KeyError
    assert model.training
    accuracy(model.eval(), data())
    assert not model.training


def test_a_part_that_rests_in_training_still_does_after_an_evaluation():
    """Batch norms that are held while the rest learns, as in fine-tuning."""
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(256, 2))
    model.train()
    model[1].eval()
    accuracy(model, data())
    assert [part.training for part in model] == [True, False, True, True] and model.training


def test_rows_under_autocast_are_float32():
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 2))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert logits(model, data()).dtype == torch.float32
        assert logits(model, data(), crops=ten_crops(8)).dtype == torch.float32


def test_large_images_come_in_small_batches():
    pixels = torch.zeros(12, 3, 300, 300, dtype=torch.uint8)
    split = Split(pixels, torch.zeros(12, dtype=torch.long))
    logits(model := Brightness(), Data("large", ("bright", "dark"), split, split))
    assert [shape[0] for shape in model.seen] == [11, 1]


def test_the_layout_changes_no_numbers(monkeypatch):
    images = torch.rand(4, 3, 5, 7)
    assert fast_layout(images).is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(fast_layout(images), images)
    # On a GPU with tensor cores at work only.
    on_gpu = SimpleNamespace(
        device=torch.device("cuda"), contiguous=lambda memory_format: memory_format
    )
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda kind: False)
    assert fast_layout(on_gpu) is on_gpu
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda kind: kind == "cuda")
    assert fast_layout(on_gpu) == torch.channels_last


def test_another_split_and_stopping():
    part = data().train[3:]
    assert accuracy(Brightness(), data(), part) == 1.0
    stop = threading.Event()
    stop.set()
    assert logits(Brightness(), data(), stop=stop).shape == (0, 2)


# --- Crops ----------------------------------------------------------------------------------------

PICTURE = torch.arange(36.0).view(1, 1, 6, 6)


def test_centre_crop():
    (crop,) = centre_crop(4)(PICTURE)
    assert torch.equal(crop, PICTURE[..., 1:5, 1:5])


def test_ten_crops_are_corners_and_middle_both_ways():
    crops = list(ten_crops(4)(PICTURE))
    assert len(crops) == 10
    places = [(0, 0), (0, 2), (2, 0), (2, 2), (1, 1)]
    for (y, x), crop, mirrored in zip(places, crops[::2], crops[1::2]):
        assert torch.equal(crop, PICTURE[..., y : y + 4, x : x + 4])
        assert torch.equal(mirrored, crop.flip(-1))


def test_twelve_crops_add_the_whole_image():
    crops = list(twelve_crops(4)(PICTURE))
    assert len(crops) == 12 and all(c.shape == (1, 1, 4, 4) for c in crops)
    assert crops[10].mean().item() == pytest.approx(PICTURE.mean().item(), abs=0.2)
    assert torch.equal(crops[11], crops[10].flip(-1))


def test_many_crops_are_144_of_an_oblong_and_48_of_a_square():
    oblong = torch.rand(2, 3, 96, 160, generator=torch.Generator().manual_seed(0))
    crops = list(many_crops(64)(oblong))
    assert len(crops) == 144 and all(c.shape == (2, 3, 64, 64) for c in crops)
    assert len({c.numpy().tobytes() for c in crops}) == 144  # no two alike
    square = list(many_crops(64)(oblong[..., :96]))
    assert len(square) == 48 == len({c.numpy().tobytes() for c in square})
    assert len(list(many_crops(64, scales=(1.0, 1.5), squares=1)(oblong))) == 24


def test_many_crops_start_from_the_sizes_of_googlenet():
    """At 224: shorter sides of 256, 288, 320 and 352; the first crop of each is its upper left
    corner."""
    image = torch.rand(1, 1, 256, 256, generator=torch.Generator().manual_seed(0))
    first = next(iter(many_crops(224)(image)))
    assert torch.equal(first, image[..., :224, :224])


def test_a_crop_that_is_larger_than_the_image_is_refused():
    with pytest.raises(ValueError, match="does not fit"):
        list(centre_crop(7)(PICTURE))


def test_crops_are_averaged_as_softmax():
    class Corner(nn.Module):
        def forward(self, x):
            return torch.stack([x[:, 0, 0, 0], 0 * x[:, 0, 0, 0]], 1)

    source = data()
    images = torch.randint(
        0, 255, (3, 3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
    )
    split = Split(images, torch.tensor([0, 1, 0]))
    found = logits(Corner(), source, split, crops=ten_crops(6))
    pixels = source.normalise(images)[:, 0]
    corners = torch.stack(
        [
            pixels[:, y, x]
            for y, x in (
                (0, 0),
                (0, 5),
                (0, 2),
                (0, 7),
                (2, 0),
                (2, 5),
                (2, 2),
                (2, 7),
                (1, 1),
                (1, 6),
            )
        ]
    )
    torch.testing.assert_close(found.exp()[:, 0], corners.sigmoid().mean(0))
    torch.testing.assert_close(found.exp().sum(1), torch.ones(3))


# --- Ensembles ------------------------------------------------------------------------------------


def test_an_ensemble_averages_shares_not_logits():
    a, b = (
        torch.tensor([[math.log(9), 0.0]]),
        torch.tensor([[0.0, math.log(3)]]),
    )  # 90 %, 25 % for class 0
    torch.testing.assert_close(ensemble([a, b]).exp(), torch.tensor([[0.575, 0.425]]))
    torch.testing.assert_close(ensemble([a]).exp(), a.softmax(1))
    with pytest.raises(ValueError, match="at least one"):
        ensemble([])


def test_agreement_by_hand():
    """Of ten images: both right 5, only a 2, only b 1, neither 2."""
    a = torch.tensor([1] * 5 + [1] * 2 + [0] * 1 + [0] * 2, dtype=torch.bool)
    b = torch.tensor([1] * 5 + [0] * 2 + [1] * 1 + [0] * 2, dtype=torch.bool)
    found = agreement(a, b)
    assert found["both_right"] == pytest.approx(0.5) and found["both_wrong"] == pytest.approx(0.2)
    assert found["only_a"] == pytest.approx(0.2) and found["only_b"] == pytest.approx(0.1)
    assert found["disagreement"] == pytest.approx(0.3)
    assert found["q"] == pytest.approx((5 * 2 - 2 * 1) / (5 * 2 + 2 * 1))
    assert found["correlation"] == pytest.approx((5 * 2 - 2 * 1) / math.sqrt(7 * 3 * 6 * 4))
    torch.testing.assert_close(
        torch.tensor(found["correlation"]), torch.corrcoef(torch.stack([a, b]).float())[0, 1]
    )


def test_agreement_at_its_ends():
    a = torch.tensor([True, True, False])
    assert agreement(a, a)["q"] == 1 and agreement(a, ~a)["q"] == -1
    assert math.isnan(agreement(torch.ones(3), a)["q"]) and math.isnan(
        agreement(torch.ones(3), a)["correlation"]
    )


def test_error_correlation_is_the_mean_over_pairs():
    labels = torch.zeros(4, dtype=torch.long)
    members = [
        torch.eye(2)[torch.tensor(guess)] for guess in ([0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 0, 1])
    ]
    found = error_correlation(members, labels)
    assert found["disagreement"] == pytest.approx((1 + 1 + 2) / 3 / 4)
    assert found["both_wrong"] == pytest.approx((1 + 1 + 1) / 3 / 4)
    with pytest.raises(ValueError, match="at least two"):
        error_correlation(members[:1], labels)


# --- Uncertainty ----------------------------------------------------------------------------------


def test_wilson_by_hand():
    """The textbook example 10 of 20 and the ends; at z = 1 the arithmetic can be followed."""
    assert interval(10, 20) == pytest.approx((0.29930, 0.70070), abs=1e-5)
    assert interval(0, 10) == pytest.approx((0.0, 0.27753), abs=1e-5)
    assert interval(10, 10) == pytest.approx((0.72247, 1.0), abs=1e-5)
    assert interval(1, 1, z=1.0) == pytest.approx((0.5, 1.0))
    for hits, count in ((1, 0), (5, 4), (-1, 4)):
        with pytest.raises(ValueError, match="0 ≤ hits ≤ count"):
            interval(hits, count)


def test_bootstrap_is_about_the_normal_interval_and_repeats():
    values = (torch.arange(400) % 4 == 0).float()  # a quarter are 1
    low, high = bootstrap(values)
    half = 1.96 * math.sqrt(0.25 * 0.75 / 400)
    assert low == pytest.approx(0.25 - half, abs=0.006) and high == pytest.approx(
        0.25 + half, abs=0.006
    )
    assert bootstrap(values) == (low, high) != bootstrap(values, seed=1)
    narrow = bootstrap(values, level=0.5)
    assert low < narrow[0] < 0.25 < narrow[1] < high
    assert bootstrap(torch.full((50,), 3.0)) == (3.0, 3.0)


def test_bootstrap_draws_rows_together():
    pairs = torch.stack([torch.arange(30.0), torch.arange(30.0) + 2], 1)
    low, high = bootstrap(pairs, lambda rows: (rows[:, 1] - rows[:, 0]).mean().item(), draws=50)
    assert low == high == 2.0
