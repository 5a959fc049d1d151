"""`inception_edu.data` and `scales`: the embedded images, batches, augmentation, generated
pictures."""

import hashlib
import importlib.util
import math
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inception_edu import data as D
from inception_edu.data import augmentation, paths
from inception_edu.data.scales import CLASSES, DOTS, PATTERNS, scales

ROOT = Path(__file__).resolve().parents[1]
DEBIAN = Path("/usr/share/datasets/fashion-mnist")


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def some_data(n=50, channels=3, side=8, classes=5, seed=0):
    """Random images whose first pixel is their number, so that they can be told apart."""
    rng = np.random.default_rng(seed)
    images = torch.from_numpy(rng.integers(0, 256, (n, channels, side, side), dtype=np.uint8))
    images[:, :, 0, 0] = torch.arange(n, dtype=torch.uint8)[:, None]
    split = D.Split(images, torch.arange(n) % classes)
    return D.Data("some", tuple("abcdefghij"[:classes]), split, split[: n // 2])


@pytest.fixture(scope="module")
def fashion():
    return D.load("fashion", device="cpu")


@pytest.fixture(scope="module")
def builder():
    spec = importlib.util.spec_from_file_location(
        "build_fashion", ROOT / "data" / "build_fashion.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ------------------------------------------------------------------------------ the embedded images


def test_fashion_is_balanced_and_bordered(fashion):
    assert fashion.train.images.shape == (10000, 1, 32, 32) and fashion.test.images.shape == (
        2000,
        1,
        32,
        32,
    )
    for split in (fashion.train, fashion.test):
        assert split.images.dtype == torch.uint8 and split.labels.dtype == torch.int64
        assert (split.labels.view(-1, 10) == torch.arange(10)).all(), (
            "every run of ten should hold each class once"
        )
        border = torch.ones(32, 32, dtype=torch.bool)
        border[2:-2, 2:-2] = False
        assert (split.images[:, 0, border] == 0).all()
        assert len(torch.unique(split.images.flatten(1), dim=0)) > 0.99 * len(split)
    unbordered = D.load("fashion", device="cpu", image=28)
    assert torch.equal(unbordered.test.images, fashion.test.images[:, :, 2:-2, 2:-2])


def test_the_labels_belong_to_the_images(fashion):
    # A trouser is dark in the middle of its lower half, between the legs; a bag and a pullover are
    # not.
    gap = fashion.test.images[:, 0, 22:26, 15:17].float().mean((1, 2))
    by_class = {
        name: gap[fashion.test.labels == i].median() for i, name in enumerate(fashion.classes)
    }
    assert by_class["trouser"] < 60 < min(by_class["bag"], by_class["pullover"], by_class["dress"])
    # Shoes are low: no light in the upper quarter.
    top = fashion.test.images[:, 0, 3:7].float().mean((1, 2))
    for shoe in ("sneaker", "sandal"):
        assert top[fashion.test.labels == fashion.classes.index(shoe)].median() < 5


def test_a_changed_or_missing_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "data_dir", lambda: tmp_path)
    with pytest.raises(D.DataError, match=r"fashion\.npz is missing: fetch it again"):
        D.load("fashion", device="cpu")
    packed = bytearray((ROOT / "data" / "fashion.npz").read_bytes())
    packed[len(packed) // 2] ^= 1
    (tmp_path / "fashion.npz").write_bytes(packed)
    with pytest.raises(D.DataError, match=r"fashion\.npz is damaged or changed.*fetch it again"):
        D.load("fashion", device="cpu")


def test_readme_and_licence_of_the_embedded_file():
    digest = hashlib.sha256((ROOT / "data" / "fashion.npz").read_bytes()).hexdigest()
    assert digest in (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    licence = (ROOT / "data" / "fashion-LICENSE.txt").read_text(encoding="utf-8")
    assert "Zalando SE" in licence and "Permission is hereby granted, free of charge" in licence
    assert (
        "The above copyright notice and this permission notice shall be included"
        in licence.replace("\n", " ")
    )


@pytest.mark.skipif(
    not DEBIAN.is_dir(), reason="needs the original files: apt install dataset-fashion-mnist"
)
def test_the_builder_makes_the_same_bytes(builder, fashion):
    packed = builder.build(DEBIAN)
    labels = builder.read(DEBIAN / "t10k-labels-idx1-ubyte.gz")
    images = builder.read(DEBIAN / "t10k-images-idx3-ubyte.gz")
    assert labels.shape == (10000,) and images.shape == (10000, 28, 28)
    third_bag = np.flatnonzero(labels == 8)[2]
    assert np.array_equal(fashion.test.images[28, 0, 2:-2, 2:-2].numpy(), images[third_bag])
    assert packed == (ROOT / "data" / "fashion.npz").read_bytes()


@pytest.mark.skipif(
    not DEBIAN.is_dir(), reason="needs the original files: apt install dataset-fashion-mnist"
)
def test_the_builder_refuses_another_file(builder, tmp_path):
    for name in builder.ORIGINALS:
        shutil.copy(DEBIAN / name, tmp_path / name)
    shutil.copy(DEBIAN / "t10k-labels-idx1-ubyte.gz", tmp_path / "train-labels-idx1-ubyte.gz")
    with pytest.raises(SystemExit, match="train-labels-idx1-ubyte.gz is not the file"):
        builder.build(tmp_path)


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), max_size=80), st.integers(1, 3))
def test_the_builder_deals_in_rounds(builder, extra, rounds):
    labels = np.array(extra + list(range(10)) * rounds)
    chosen = builder.deal(labels, rounds)
    assert list(labels[chosen]) == list(range(10)) * rounds
    for label in range(10):
        assert (
            list(chosen[label::10])
            == [i for i, value in enumerate(labels) if value == label][:rounds]
        )


def test_where_the_embedded_data_is_found(tmp_path, monkeypatch):
    package = tmp_path / "inception_edu"
    package.mkdir()
    monkeypatch.setattr(paths, "PACKAGE", package)
    with pytest.raises(
        D.DataError, match="The embedded data is missing.*Install the project again"
    ):
        D.data_dir()
    (tmp_path / "data").mkdir()
    assert D.data_dir() == tmp_path / "data"
    (package / "_data").mkdir()  # inside an installed package it comes first
    assert D.data_dir() == package / "_data"


# -------------------------------------------------------------------------------------- normalising


@pytest.mark.parametrize("channels", [1, 3])
def test_normalise(channels):
    data = some_data(n=200, channels=channels)
    images = data.train.images.numpy() / 255
    mean, std = images.mean((0, 2, 3)), images.std((0, 2, 3))
    np.testing.assert_allclose(data.mean, mean, atol=1e-6)
    np.testing.assert_allclose(data.std, std, atol=1e-6)
    out = data.normalise(data.train.images)
    assert out.shape == (200, 3, 8, 8) and out.dtype == torch.float32 and out.is_contiguous()
    expected = ((images - mean[:, None, None]) / std[:, None, None]) * np.ones((1, 3, 1, 1))
    np.testing.assert_allclose(out, expected, atol=1e-5)


def test_normalise_uses_the_training_images_also_for_the_test_images():
    data = some_data()
    dark = D.Split(torch.zeros_like(data.train.images), data.train.labels)
    other = D.Data("other", data.classes, data.train, dark)
    assert torch.equal(other.mean, data.mean) and torch.equal(other.std, data.std)


def test_constant_images_become_zero():
    split = D.Split(torch.full((20, 1, 8, 8), 7, dtype=torch.uint8), torch.arange(20) % 2)
    assert (D.Data("flat", ("a", "b"), split, split).normalise(split.images) == 0).all()


# ------------------------------------------------------------------------------------------ batches


def numbers(data, images):
    """Which images of `some_data` these normalised ones are."""
    first = images[:, 0, 0, 0] * 255 * data.std[0] + 255 * data.mean[0]
    return first.round().int().tolist()


def test_training_batches_are_a_shuffle_without_the_partial_batch():
    data = some_data(n=50)
    batches = list(data.batches(data.train, 8, seeded(3)))
    assert [len(labels) for _, labels in batches] == [8] * 6
    assert all(
        images.shape == (8, 3, 8, 8) and labels.dtype == torch.int64 for images, labels in batches
    )
    seen = [i for images, _ in batches for i in numbers(data, images)]
    assert len(set(seen)) == 48 and seen != sorted(seen)
    for images, labels in batches:
        assert labels.tolist() == [i % 5 for i in numbers(data, images)]


def test_the_same_seed_gives_the_same_batches():
    data = some_data(n=40)

    def run(seed):
        return list(data.batches(data.train, 8, seeded(seed), "crop+flip+cutout", steps=12))

    one, again, other = run(1), run(1), run(2)
    assert all(torch.equal(a, b) and torch.equal(c, d) for (a, c), (b, d) in zip(one, again))
    assert not all(torch.equal(a, b) for (a, _), (b, _) in zip(one, other))


def test_steps_go_on_over_epochs_which_differ():
    data = some_data(n=20)
    batches = [
        numbers(data, images) for images, _ in data.batches(data.train, 8, seeded(0), steps=7)
    ]
    assert len(batches) == 7
    epochs = [sum(batches[i : i + 2], []) for i in (0, 2, 4)]
    assert all(len(set(epoch)) == 16 for epoch in epochs), "an image comes at most once an epoch"
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert set(sum(batches, [])) == set(range(20)), "other images are left out in the next epoch"


def test_a_split_smaller_than_a_batch_is_one_batch():
    data = some_data(n=10)
    assert [len(labels) for _, labels in data.batches(data.train, 64, seeded(0))] == [10]
    assert [len(labels) for _, labels in data.batches(data.train, 64, seeded(0), steps=3)] == [
        10
    ] * 3


def test_evaluation_sees_each_image_once_in_order():
    data = some_data(n=50)
    batches = list(data.batches(data.train, 16))
    assert [len(labels) for _, labels in batches] == [16, 16, 16, 2]
    assert torch.equal(
        torch.cat([images for images, _ in batches]), data.normalise(data.train.images)
    )
    assert torch.equal(torch.cat([labels for _, labels in batches]), data.train.labels)


def test_senseless_batches_are_refused_before_the_first_one():
    data = some_data()
    with pytest.raises(ValueError, match="pass a torch.Generator"):
        data.batches(data.train, 8, augment="flip")
    with pytest.raises(ValueError, match="pass a torch.Generator"):
        data.batches(data.train, 8, steps=3)
    with pytest.raises(ValueError, match="at least one image, but batch_size is 0"):
        data.batches(data.train, 0, seeded(0))
    with pytest.raises(ValueError, match="no augmentation 'rotate'.*crop, window, flip, cutout"):
        data.batches(data.train, 8, seeded(0), "flip+rotate")
    with pytest.raises(ValueError, match="no images in this split"):
        data.batches(data.train[:0], 8, seeded(0))


def test_batches_leave_the_images_alone():
    data = some_data()
    before = data.train.images.clone()
    for images, _ in data.batches(data.train, 8, seeded(0), "crop+flip+cutout"):
        images.zero_()
    for images, _ in data.batches(data.train, 8):
        images.zero_()
    assert torch.equal(data.train.images, before)


# ------------------------------------------------------------------------------------- augmentation


def naive(image, window, crop, flip, middle, fill):
    """One image C×H×W at a time, with padding, slices and loops."""
    channels, height, width = image.shape
    if window is not None:
        height, width = height - max(1, round(height / 8)), width - max(1, round(width / 8))
        image = image[:, window[0] : window[0] + height, window[1] : window[1] + width]
    out = image
    if crop is not None:
        up, left = max(1, round(height / 8)), max(1, round(width / 8))
        padded = np.pad(image, ((0, 0), (up, up), (left, left)), mode="reflect")
        out = padded[
            :, up + crop[0] : up + crop[0] + height, left + crop[1] : left + crop[1] + width
        ]
    if flip:
        out = out[:, :, ::-1]
    out = out.copy()
    if middle is not None:
        for y in range(
            middle[0] - (height // 2) // 2, middle[0] - (height // 2) // 2 + height // 2
        ):
            for x in range(
                middle[1] - (width // 2) // 2, middle[1] - (width // 2) // 2 + width // 2
            ):
                if 0 <= y < height and 0 <= x < width:
                    out[:, y, x] = fill
    return out


@settings(deadline=None)
@given(
    count=st.integers(1, 4),
    channels=st.sampled_from([1, 3]),
    height=st.integers(8, 40),
    width=st.integers(8, 40),
    kinds=st.sets(st.sampled_from(D.AUGMENTATIONS)),
    seed=st.integers(0, 2**31),
)
def test_augmentation_equals_a_naive_one(count, channels, height, width, kinds, seed):
    images = torch.from_numpy(
        np.random.default_rng(seed).integers(0, 256, (count, channels, height, width), np.uint8)
    )
    draws = augmentation.draw(count, images.shape, kinds, seeded(seed))
    out = augmentation.apply(images, draws, fill=torch.full((channels,), 100 / 255))
    assert out.dtype == torch.uint8
    for i in range(count):
        drawn = [
            draws[kind][i].tolist() if kind in kinds else None
            for kind in ("window", "crop", "flip", "cutout")
        ]
        assert np.array_equal(out[i].numpy(), naive(images[i].numpy(), *drawn, 100))


def test_flip_mirrors_about_half_of_the_images():
    images = some_data(n=200).train.images
    out = D.augment(images, "flip", seeded(0))
    same = (out == images).flatten(1).all(1)
    assert (same | (out == images.flip(-1)).flatten(1).all(1)).all()
    assert 70 < same.sum() < 130


@pytest.mark.parametrize("side, most", [(8, 1), (28, 4), (32, 4), (64, 8), (299, 37)])
def test_crop_shifts_by_an_eighth_in_all_directions(side, most):
    # An image that is its own coordinate: what stands in the middle tells the shift.
    middle = side // 2
    down = (torch.arange(side) % 256).to(torch.uint8).view(1, 1, -1, 1).expand(600, 1, side, 8)
    shifts = D.augment(down, "crop", seeded(0))[:, 0, middle, 4].int() - middle
    assert set(shifts.tolist()) == set(range(-most, most + 1))
    across = down.transpose(2, 3).contiguous()
    shifts = D.augment(across, "crop", seeded(1))[:, 0, 4, middle].int() - middle
    assert set(shifts.tolist()) == set(range(-most, most + 1))


def test_a_window_lies_anywhere_in_the_image():
    # An image that is its own coordinate: the first pixel tells where the window began.
    down = torch.arange(32, dtype=torch.uint8).view(1, 1, -1, 1).expand(600, 1, 32, 32)
    out = D.augment(down, "window", seeded(0))
    assert out.shape == (600, 1, 28, 28) and D.window(32) == 28
    assert set(out[:, 0, 0, 0].tolist()) == {0, 1, 2, 3, 4}
    assert (out[:, 0, -1, 0] - out[:, 0, 0, 0] == 27).all()


def test_none_changes_nothing():
    images = some_data().train.images
    assert torch.equal(D.augment(images, "none", seeded(0)), images)


def test_cutout_covers_at_most_a_quarter_with_the_mean():
    data = some_data(n=200, side=16)
    out = D.augment(data.train.images, "cutout", seeded(0), fill=1.0)
    covered = (out != data.train.images).any(1).flatten(1).sum(1)
    assert 55 <= covered.max() <= 64 and covered.min() < 30
    # In batches the fill is the training mean, which is zero after normalising (to the nearest of
    # 256 levels).
    flat = D.Split(torch.full((40, 3, 16, 16), 255, dtype=torch.uint8), torch.arange(40) % 2)
    half = D.Split(torch.cat([flat.images, torch.zeros_like(flat.images)]), torch.arange(80) % 2)
    data = D.Data("half", ("a", "b"), half, half)
    images = torch.cat([images for images, _ in data.batches(flat, 10, seeded(0), "cutout")])
    filled = images[images.abs() < 0.5]
    assert len(filled) > 0 and filled.abs().max() < 0.01


# ----------------------------------------------------------------------------- choosing and showing


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(1, 70))
def test_evenly_takes_from_the_classes_in_turn(labels, limit):
    chosen = D.evenly(labels, limit)
    assert len(chosen) == min(limit, len(labels)) and list(chosen) == sorted(set(chosen.tolist()))
    taken = np.bincount(np.array(labels)[chosen], minlength=5)
    there = np.bincount(labels, minlength=5)
    for a in range(5):
        for b in range(5):
            assert taken[a] >= min(there[a], taken[b] - 1), (
                "no class is more than one ahead of one that has more"
            )
    for label in range(5):
        of_label = [i for i, x in enumerate(labels) if x == label]
        assert [i for i in chosen if labels[i] == label] == of_label[: taken[label]]
    assert set(chosen) <= set(D.evenly(labels, limit + 1))


def test_limit(fashion):
    small = D.load("fashion", device="cpu", limit=(200, 55))
    assert torch.equal(small.train.images, fashion.train.images[:200])
    assert torch.equal(small.test.labels, fashion.test.labels[:55])
    assert [
        len(split)
        for split in (D.load("fashion", "cpu", 3000).train, D.load("fashion", "cpu", 3000).test)
    ] == [3000, 2000]


def test_split_indexing_keeps_images_labels_and_factors_together():
    split = scales(60, 32, seed=1)
    small = split[split.factors < 12]
    assert 0 < len(small) < 60 and small.factors.max() < 12
    where = (split.factors < 12).nonzero()[:, 0]
    assert torch.equal(small.images, split.images[where]) and torch.equal(
        small.labels, split.labels[where]
    )


def test_samples(fashion):
    rows = fashion.samples(3)
    assert rows.shape == (10, 3, 1, 32, 32)
    assert torch.equal(rows[4, 2], fashion.test.images[fashion.test.labels == 4][2])
    with pytest.raises(
        ValueError,
        match="201 images of class 'T-shirt' were asked for, but the test images have 200",
    ):
        fashion.samples(201)


def test_describe(fashion):
    assert fashion.describe() == (
        "fashion: 10,000 training and 2,000 test images, 10 classes, 32×32 grey, 12.3 MB on cpu"
    )
    noted = D.Data("folder:x", ("<a>", "b"), some_data().train, some_data().test, ("One thing.",))
    assert noted.describe().endswith("8×8 colour, 0.0 MB on cpu. One thing.")
    html = noted._repr_html_()
    assert "<td>&lt;a&gt;</td>" in html and "<a>" not in html and "One thing." in html


@pytest.mark.parametrize(
    "call, sentence",
    [
        (
            dict(source="mnist"),
            r"no source 'mnist': use 'fashion', 'scales', 'cifar10' or 'folder:PATH'",
        ),
        (dict(source="folder:"), r"no source 'folder:'"),
        (dict(source="scales:large"), r"'scales:large' should end in the side of the images"),
        (dict(limit=0), r"limit is 0, but a split needs at least one image"),
        (dict(image=4), r"image is 4, but images need at least 8 pixels"),
        (dict(source="scales:4"), r"image is 4, but images need at least 8 pixels"),
    ],
)
def test_what_cannot_be_loaded_is_said_in_a_sentence(call, sentence):
    with pytest.raises(D.DataError, match=sentence):
        D.load(**call)


def test_rescaling():
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.integers(0, 256, (3, 1, 32, 32), dtype=np.uint8))
    assert torch.equal(D.rescale(images, 32), images)
    blocks = images.float().view(3, 1, 16, 2, 16, 2).mean((3, 5))
    small = D.rescale(images, 16)
    assert small.dtype == torch.uint8 and small.shape == (3, 1, 16, 16)
    # The triangle filter looks at the neighbours too, so compare the means and the general look.
    assert abs(small.float().mean() - images.float().mean()) < 1
    assert np.corrcoef(small.flatten(), blocks.flatten())[0, 1] > 0.9
    assert (D.rescale(torch.full((2, 3, 32, 32), 201, dtype=torch.uint8), 50) == 201).all()
    assert D.load("fashion", "cpu", limit=10, image=64).image == 64


def test_data_lie_on_the_cpu_until_they_are_put_elsewhere(monkeypatch):
    monkeypatch.setenv("INCEPTION_EDU_DEVICE", "meta")  # where networks go; data do not follow
    data = D.load("fashion", limit=20)
    assert data.device.type == "cpu" and data.mean.device.type == "cpu"
    assert data.to("meta").test.images.device.type == "meta"
    assert D.load("fashion", "meta", limit=20).train.labels.device.type == "meta"


def test_importing_costs_no_more_than_torch():
    script = (
        "import sys, torch, numpy; before = set(sys.modules); import inception_edu.data; "
        "print(*{name.split('.')[0] for name in set(sys.modules) - before - "
        "set(sys.stdlib_module_names)})"
    )
    out = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    assert set(out.split()) - set(sys.stdlib_module_names) == {"inception_edu"}


# ------------------------------------------------------------------------------------------- scales


def test_scales_are_reproducible_and_fewer_are_the_first_of_more():
    many, again, few, other = (
        scales(300, 32, 5),
        scales(300, 32, 5),
        scales(37, 32, 5),
        scales(300, 32, 6),
    )
    assert torch.equal(many.images, again.images) and torch.equal(many.factors, again.factors)
    assert torch.equal(few.images, many.images[:37]) and torch.equal(few.factors, many.factors[:37])
    assert not torch.equal(many.images, other.images)
    assert torch.equal(few.labels, torch.arange(37) % len(CLASSES))


def coverage(split):
    """Difference to the ground, as a share of the strongest one: N×H×W, 1 in the middle of a
    dot."""
    images = split.images.float()
    ground = images[:, :, [0, 0, -1, -1], [0, -1, 0, -1]].median(2).values
    difference = (images - ground[:, :, None, None]).abs().amax(1)
    return difference / difference.flatten(1).amax(1)[:, None, None]


@settings(deadline=None, max_examples=25)
@given(image=st.integers(28, 128), seed=st.integers(0, 2**31))
def test_the_factor_is_the_size_of_the_object(image, seed):
    split = scales(40, image, seed, noise=0)
    assert split.images.shape == (40, 3, image, image)
    assert (split.factors >= image / 4 - 1e-3).all() and (
        split.factors <= image * 7 / 8 + 1e-3
    ).all()
    shown = coverage(split) > 0.3
    for label, size, mask in zip(split.labels.tolist(), split.factors.tolist(), shown):
        y, x = mask.nonzero().T
        height, width = (y.max() - y.min() + 1).item(), (x.max() - x.min() + 1).item()
        if CLASSES[label] == "circle":
            assert abs(height - size) < 2.5 * image / 32 and abs(width - size) < 2.5 * image / 32
        assert 0.6 * size - 2 < max(height, width) < size + 2 * image / 32


def test_sizes_are_even_on_a_logarithmic_scale_and_can_be_chosen():
    sizes = scales(2000, 32, 0, sizes=(8, 32)).factors
    assert sizes.min() >= 8 and sizes.max() <= 32
    shares = torch.histogram(sizes.log2(), bins=torch.tensor([3.0, 3.5, 4.0, 4.5, 5.0])).hist / 2000
    assert ((shares - 0.25).abs() < 0.04).all()
    assert (scales(50, 64, 0, sizes=(20, 20)).factors == 20).all()
    for label in range(10):
        assert 14 < sizes[label::10].mean() < 20, "no class is larger than the others"
    for sizes in ((1, 10), (10, 40), (20, 10)):
        with pytest.raises(
            ValueError, match="sizes should lie between the 2 pixels of a dot and the 32 pixels"
        ):
            scales(10, 32, sizes=sizes)


def test_only_the_arrangement_of_the_dots_differs():
    # No class can be told by how many dots it has, how far they reach, or how much of the picture
    # they cover.
    for name, dots in PATTERNS.items():
        assert dots.shape == (DOTS, 2) and 0.85 < np.hypot(*dots.T).max() <= 1.001, name
        distances = np.hypot(*(dots[:, None] - dots[None]).transpose(2, 0, 1)) + np.eye(DOTS) * 9
        assert distances.min() > 0.2, f"two dots of {name} lie on each other"
    large = scales(200, 96, 0, sizes=(80, 80), dot=2, noise=0)
    area = coverage(large).flatten(1).sum(1)
    by_class = torch.stack([area[large.labels == label].mean() for label in range(10)])
    assert by_class.max() / by_class.min() < 1.15
    # The dots keep their size when the object grows.
    larger = coverage(scales(200, 96, 0, sizes=(90, 90), dot=2, noise=0)).flatten(1).sum(1)
    assert abs(larger.mean() / area.mean() - 1) < 0.05


def test_colours_say_nothing_about_the_class():
    split = scales(1000, 32, 0)
    means = torch.stack(
        [split.images[split.labels == label].float().mean((0, 2, 3)) for label in range(10)]
    )
    assert means.std(0).max() < 10  # of means over 100 pictures, each with a colour of its own
    assert split.images.float().mean((2, 3)).std(0).min() > 20


def test_the_source_scales():
    data = D.load("scales", "cpu", limit=(50, 20))
    assert data.classes == CLASSES and len(data.train) == 50 and len(data.test) == 20
    assert data.train.factors is not None and data.name == "scales"
    assert not torch.equal(data.train.images[:20], data.test.images), "test pictures are others"
    other = D.load("scales", "cpu", limit=(50, 20), seed=1)
    assert not torch.equal(other.train.images, data.train.images)
    named = D.load("scales:48", "cpu", limit=10)
    assert named.train.images.shape == (10, 3, 48, 48) and named.name == "scales:48"
    assert torch.equal(D.load("scales", "cpu", limit=10, image=48).train.images, named.train.images)
    full = D.load("scales", "cpu")
    assert (len(full.train), len(full.test)) == (5000, 1000)


def test_scales_of_full_size_stay_within_memory():
    data = D.load("scales:299", "cpu", limit=(12, 12))
    assert data.train.images.shape == (12, 3, 299, 299)
    assert (data.train.factors > 70).all() and (data.train.factors <= math.ceil(299 * 7 / 8)).all()
