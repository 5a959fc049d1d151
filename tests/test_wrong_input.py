"""What a reader may hand over by mistake: it works, or one sentence says what was seen and what to
do."""

import os
import unicodedata
import warnings
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from inception_edu.data import Data, DataError, Split, folder, load, places
from inception_edu.describe import (
    Block,
    Chain,
    Concat,
    Conv,
    InceptionA,
    Residual,
    SpecError,
    changed,
    compare,
    figure,
    measure,
    trace,
)
from inception_edu.describe.networks import inception_v4, mini, tower
from inception_edu.labs.diagram import network_diagram
from inception_edu.labs.inside import feature_maps
from inception_edu.labs.shapes import shape_explorer
from inception_edu.labs.speed import speed_lab
from inception_edu.learn import (
    Recipe,
    accuracy,
    centre_crop,
    clock,
    ensemble,
    error_rate,
    logits,
    threads,
    train,
)
from inception_edu.learn.recipe import TrainError
from inception_edu.nets import (
    WeightsError,
    load_checkpoint,
    plain_names,
    read_tensors,
    save_checkpoint,
)
from inception_edu.nets.build import build
from inception_edu.nets.fast import fold
from inception_edu.study import Config, ExperimentError, configurations, run, seeds, sweep
from inception_edu.teach import check, figure_costs, predict


@pytest.fixture(autouse=True)
def downloads(tmp_path, monkeypatch):
    monkeypatch.setenv("INCEPTION_EDU_DATA", str(tmp_path / "kept"))


def pictures(folder: Path, count: int = 5, level: int = 100) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        pixels = np.full((32, 32, 3), level + i, np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")


def two_classes(root: Path, count: int = 5) -> Path:
    pictures(root / "cat", count, 60)
    pictures(root / "dog", count, 160)
    return root


def sentence(error) -> str:
    text = str(error.value)
    assert "\n" not in text and text.endswith((".", "?")), text
    return text


# --- Where the folder is --------------------------------------------------------------------------


def test_a_path_without_the_word_folder(tmp_path):
    root = two_classes(tmp_path / "pets")
    with pytest.raises(DataError) as caught:
        load(str(root))
    assert f"is a folder: write 'folder:{root}'" in sentence(caught)
    assert len(load(f"folder:{root}").train) == 8


def test_a_path_as_windows_writes_it(tmp_path, monkeypatch):
    two_classes(tmp_path / "my pets" / "2024")
    monkeypatch.chdir(tmp_path)
    if os.sep == "/":
        with pytest.raises(DataError) as caught:
            load("folder:my pets\\2024")
        said = sentence(caught)
        assert "folders are divided by /" in said and "my pets/2024'" in said
    assert len(load(f"folder:my pets{os.sep}2024").train) == 8


@pytest.mark.parametrize("source", ["x" * 5000, "folder:" + "x" * 5000, "a\0b", "folder:a\0b"])
def test_a_name_that_no_system_takes(source):
    with pytest.raises(DataError) as caught:
        load(source)
    sentence(caught)


def test_a_path_object_is_a_folder_and_a_number_is_none(tmp_path):
    root = two_classes(tmp_path / "pets")
    assert len(load(root).train) == 8
    with pytest.raises(DataError, match="There is no source '5': use 'fashion'") as caught:
        load(5)
    sentence(caught)


def test_an_archive_that_was_not_unpacked(tmp_path):
    (tmp_path / "pets.zip").write_bytes(b"PK")
    with pytest.raises(DataError, match="pets.zip is a file: unpack it") as caught:
        load(f"folder:{tmp_path / 'pets.zip'}")
    sentence(caught)


def test_the_folder_of_somebody_who_is_not_there():
    with pytest.raises(DataError, match="'folder:~nobody-here/pets' cannot be found") as caught:
        load("folder:~nobody-here/pets")
    sentence(caught)


@pytest.mark.parametrize(
    "wrong, said",
    [
        (dict(limit="10"), "limit should be a whole number, got '10'"),
        (dict(limit=(10, 2.5)), "limit should be a whole number, got 2.5"),
        (dict(limit=(10,)), "give one number, or two"),
        (dict(image="64"), "image should be a whole number, got '64'"),
        (dict(image=64.0), "image should be a whole number, got 64.0"),
    ],
)
def test_numbers_that_are_none(wrong, said):
    with pytest.raises(DataError, match=said) as caught:
        load("fashion", **wrong)
    sentence(caught)


def test_numbers_of_numpy_are_numbers():
    assert len(load("fashion", limit=np.int64(10)).train) == 10
    Recipe(steps=np.int64(3), lr=np.float32(0.1))


# --- What lies in it ------------------------------------------------------------------------------


def test_classes_one_level_too_deep(tmp_path):
    two_classes(tmp_path / "download" / "pets")
    with pytest.raises(DataError) as caught:
        load(f"folder:{tmp_path / 'download'}")
    said = sentence(caught)
    assert "one subfolder, pets" in said and "(cat, dog)" in said and "one level too deep" in said
    assert f"'folder:{tmp_path / 'download' / 'pets'}'" in said


def test_classes_one_level_too_deep_in_the_training_folder(tmp_path):
    for part in ("train", "test"):
        two_classes(tmp_path / part / "images")
    with pytest.raises(DataError) as caught:
        load(f"folder:{tmp_path}")
    assert "one level too deep" in sentence(caught) and "train" in sentence(caught)


def test_a_single_class_with_a_single_subfolder_is_told_as_before(tmp_path):
    pictures(tmp_path / "cats" / "2024")
    with pytest.raises(DataError, match=r"one class only \(cats\)"):
        load(f"folder:{tmp_path}")


def test_pictures_beside_the_subfolders_are_counted(tmp_path):
    pictures(tmp_path / "flat", 3)
    (tmp_path / "flat" / "empty").mkdir()
    with pytest.raises(DataError) as caught:
        load(f"folder:{tmp_path / 'flat'}")
    assert "but 3 in the folder itself" in sentence(caught)


def test_a_class_with_one_picture_is_named(tmp_path):
    root = two_classes(tmp_path / "pets")
    pictures(root / "axolotl", 1)
    for _ in range(2):  # also when the images come from the kept file
        folder._SAID.clear()  # as in a new process
        with pytest.warns(UserWarning, match="Without a test image, so never tested: axolotl"):
            data = load(f"folder:{root}")
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # said once
            again = load(f"folder:{root}")
        assert again.describe() == data.describe()
        assert data.classes == ("axolotl", "cat", "dog")
        assert "never tested: axolotl" in data.describe() and 0 not in data.test.labels.tolist()


def test_classes_that_all_are_tested_need_no_word(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "never tested" not in load(f"folder:{two_classes(tmp_path / 'pets')}").describe()


# --- Names as different systems write them --------------------------------------------------------


def test_one_class_whose_name_two_systems_spell_differently(tmp_path):
    """macOS writes "Ä" as two characters; a copy on Linux then has two spellings of one name."""
    composed = unicodedata.normalize("NFC", "Bär")
    apart = unicodedata.normalize("NFD", "Bär")
    assert composed != apart
    pictures(tmp_path / "train" / composed, 4)
    pictures(tmp_path / "train" / "Fuchs", 4)
    pictures(tmp_path / "test" / apart, 2)
    pictures(tmp_path / "test" / "Fuchs", 2)
    data = load(f"folder:{tmp_path}")
    assert data.classes == (composed, "Fuchs")
    assert torch.bincount(data.test.labels).tolist() == [2, 2]


def test_names_of_all_systems(tmp_path):
    root = tmp_path / "all"
    pictures(root / "C++ & more (new)", 2)
    pictures(root / "日本", 2)
    if os.sep == "/":
        pictures(root / "back\\slash", 2)
    long = root / "日本" / ("n" * 200) / ("m" * 200)
    pictures(long, 2)
    (root / "__MACOSX" / "cat").mkdir(parents=True)
    (root / "日本" / "._0.png").write_bytes(b"a shadow that macOS leaves")
    (root / "日本" / "Thumbs.db").write_bytes(b"a shadow that Windows leaves")
    data = load(f"folder:{root}")
    assert set(data.classes) >= {"C++ & more (new)", "日本"}
    assert "Left out" not in data.describe()
    counts = torch.bincount(torch.cat([data.train.labels, data.test.labels]))
    assert counts[data.classes.index("日本")] == 4


@pytest.mark.skipif(os.name != "posix", reason="names are text there")
def test_a_name_that_is_no_text_can_be_printed(tmp_path):
    root = two_classes(tmp_path / "pets")
    try:
        os.rename(os.fsencode(root / "cat"), os.fsencode(root) + b"/caf\xe9")
    except OSError:
        pytest.skip("this file system takes text only")
    data = load(f"folder:{root}")
    assert data.classes == ("caf�", "dog")
    data.describe().encode("utf-8")


# --- Images that are no bytes, and bytes that are no batch ----------------------------------------


def some(channels: int = 1) -> Data:
    images = torch.arange(8 * channels * 64, dtype=torch.uint8).view(8, channels, 8, 8)
    split = Split(images, torch.arange(8) % 2)
    return Data("some", ("a", "b"), split, split)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int64])
def test_normalising_what_is_no_bytes(dtype):
    data = some()
    with pytest.raises(ValueError, match="takes bytes.*got (float32|float64|int64)") as caught:
        data.normalise(data.train.images.to(dtype))
    sentence(caught)


def test_normalising_images_of_other_channels():
    with pytest.raises(ValueError, match=r"some has images of shape N×1×H×W, got 8×3×8×8"):
        some(1).normalise(some(3).train.images)
    with pytest.raises(ValueError, match=r"some has images of shape N×3×H×W, got 3×8×8"):
        some(3).normalise(some(3).train.images[0])


# --- What is handed to `train` --------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong, said",
    [
        (dict(steps=2.5), "steps must be a whole number, got 2.5"),
        (dict(batch_size="64"), "batch_size must be a whole number, got '64'"),
        (dict(warmup_steps=True), "warmup_steps must be a whole number, got True"),
        (dict(seed=0.5), "seed must be a whole number, got 0.5"),
        (dict(lr="0.1"), "lr must be a number, got '0.1'"),
        (dict(clip="1"), "clip must be a number, got '1'"),
    ],
)
def test_a_recipe_of_other_kinds(wrong, said):
    with pytest.raises(TrainError, match=said) as caught:
        Recipe(**wrong)
    sentence(caught)


def labelled(labels: torch.Tensor) -> Data:
    split = Split(torch.zeros(8, 3, 32, 32, dtype=torch.uint8), labels)
    return Data("mine", ("a", "b"), split, split)


def test_what_is_no_network_or_no_images():
    data = labelled(torch.arange(8) % 2)
    with pytest.raises(TrainError, match="module can be trained, got Network: `build`") as caught:
        train(tower(8, 2), data)
    sentence(caught)
    with pytest.raises(TrainError, match="A torch module can be trained, got Data"):
        train(data, network())
    with pytest.raises(TrainError, match="needs the images that `load` gives, got str") as caught:
        train(network(), "fashion")
    sentence(caught)


def test_labels_that_are_no_classes():
    """On a GPU torch would end the whole process's computing."""
    with pytest.raises(TrainError, match="from 1 to 2, but it has 2 classes: .* 0 to 1") as caught:
        train(network(), labelled(torch.arange(8) % 2 + 1), Recipe(steps=1))
    sentence(caught)
    with pytest.raises(TrainError, match="go from -1 to 0"):
        train(network(), labelled(torch.arange(8) % 2 - 1), Recipe(steps=1))
    with pytest.raises(TrainError, match=r"are torch.float32: write labels.long\(\)") as caught:
        train(network(), labelled((torch.arange(8) % 2).float()), Recipe(steps=1))
    sentence(caught)


def test_a_recipe_that_is_none():
    with pytest.raises(TrainError, match=r"said by a Recipe\(...\), got dict") as caught:
        train(network(), labelled(torch.arange(8) % 2), {"steps": 2})
    sentence(caught)


# --- What is handed to other functions ------------------------------------------------------------

DATA = labelled(torch.arange(8) % 2)
ROWS = torch.zeros(4, 3)
CONFIG = Config("a", "tower", {"widht": 8})
FASHION = Config("a", "tower", {"width": 8, "depth": 1}, data="fashion")
CALLS = {
    "a function for a description": (
        lambda: build(InceptionA),
        r"the function InceptionA: call it, InceptionA\(\)",
    ),
    "a name for a description": (lambda: build("inception_v4"), "Residual, got 'inception_v4'"),
    "a module for a description": (lambda: measure(network()), "Residual, got a NetworkModule"),
    "a function to measure": (lambda: measure(inception_v4), "the function inception_v4: call it"),
    "no channel": (lambda: build(InceptionA(), 0), "At least one channel .* in_channels=0"),
    "a seed of text": (lambda: build(tower(8, 2), seed="0"), "seed should be a whole number"),
    "a side of text": (lambda: measure(inception_v4(), "299"), "whole numbers; got '299'"),
    "a side of half a pixel": (lambda: measure(inception_v4(), 299.5), "whole numbers; got 299.5"),
    "a width of text": (lambda: tower("8", 2), "whole numbers, got '8' and 2"),
    "a description to fold": (lambda: fold(tower(8, 2)), "got a Network: build it"),
    "data before the network": (lambda: accuracy(DATA, network()), "got Data and NetworkModule"),
    "a split by name": (lambda: accuracy(network(), DATA, "test"), "data.train; got 'test'"),
    "batches of a split by name": (lambda: DATA.batches("train", 2), "data.train; got 'train'"),
    "half an image a class": (lambda: DATA.samples(1.5), "n should be a whole number .*1.5"),
    "no image a class": (lambda: DATA.samples(0), "at least 1, got 0"),
    "a split that is a number": (lambda: DATA.samples(1, 1.5), "'train' or 'test', got 1.5"),
    "batches of 2.5 images": (lambda: DATA.batches(DATA.train, 2.5), "whole number, got 2.5"),
    "batches of no images": (lambda: logits(network(), DATA, batch_size=0), "batch_size is 0"),
    "a side for crops": (lambda: accuracy(network(), DATA, crops=28), r"centre_crop\(28\); got 28"),
    "a crop of text": (lambda: centre_crop("28"), "whole number of pixels, at least 1; got '28'"),
    "a yes for an event": (lambda: train(network(), DATA, stop=False), "Event, .*; got False"),
    "the same in a run": (lambda: run(FASHION, stop=True), "Event, .*; got True"),
    "the same in a test": (lambda: logits(network(), DATA, stop=False), "Event, .*; got False"),
    "a record for its function": (lambda: train(network(), DATA, on_record=5), "Record, got 5"),
    "one probe for a list": (lambda: train(network(), DATA, probes=print), r"probes=\[mine\]"),
    "half a thread": (lambda: threads(0.5).__enter__(), "at least 1, got 0.5"),
    "a device of no kind": (lambda: load(device="gpu"), "no device 'gpu' here: torch has cpu"),
    "a card that is not there": (lambda: DATA.to("cuda:99"), "no device 'cuda:99' here"),
    "batches for no device": (lambda: DATA.batches(DATA.train, 2, device="gpu"), "no device 'gpu'"),
    "a function for a network": (
        lambda: network_diagram(inception_v4),
        r"call it, inception_v4\(\)",
    ),
    "a function to make small": (lambda: mini(inception_v4), "the function inception_v4: call it"),
    "a name to compare": (lambda: compare("inception_v4"), r'network\("inception_v4"\), got'),
    "a block to change": (lambda: changed(InceptionA(), "no bias"), "A network is asked for"),
    "a function to trace": (lambda: trace(inception_v4), "the function inception_v4: call it"),
    "classes of text": (lambda: tower(8, 2, classes="10"), "classes should be a whole .*'10'"),
    "a name to run": (lambda: run("tower"), r"said by a Config\(...\), got str"),
    "half a test image": (lambda: Config("a", "tower", test_images=2.5), "test_images .*2.5"),
    "a branch that is not there": (lambda: figure(5, highlight=9), "no 'branch 9' in the picture"),
    "a figure's block": (lambda: figure_costs(9), "figures of blocks are 1 to 8, .*; got 9"),
    "a change of nothing": (lambda: changed(inception_v4(), "no bias"), "no residual block to"),
    "a shape of two": (lambda: measure(InceptionA(), (0, 35, 35)), "at least 1; got .0, 35, 35"),
    "two for dropout": (lambda: mini(inception_v4(), dropout=2), "share dropped, 0 to 1; got 2"),
    "channels of text": (lambda: build(InceptionA(), "384"), "in_channels='384'"),
    "a number for random numbers": (lambda: build(tower(8, 2), generator=5), "Generator, got 5"),
    "no steps": (lambda: Recipe(steps=None), "steps must be a whole number, got None"),
    "no for a yes": (lambda: Recipe(nesterov="no"), "True or False, got 'no'"),
    "the best half": (lambda: error_rate(ROWS, torch.zeros(4), k=0.5), "k should be a .* 0.5"),
    "a list of labels": (lambda: error_rate(ROWS, [0, 1, 2, 0]), "tensor 4×3 and a list"),
    "nothing to clock": (lambda: clock({}, ROWS), "needs functions to call"),
    "no round": (lambda: clock({"a": network()}, ROWS, rounds=0), "rounds .* at least 1, got 0"),
    "a number of workers": (lambda: sweep([FASHION], 4), r"such as local_executor\(2\), got 4"),
    "seeds of text": (lambda: seeds(FASHION, "5"), "count should be a whole number, got '5'"),
    "a mode of no kind": (lambda: configurations("dying", "slow"), "There is no mode 'slow'"),
    "an answer too many": (lambda: check("01.2", 3, 4), r"1 answers: write check\(\"01.2\", m\)"),
    "one choice": (lambda: predict("a", "b", "yes"), "choices are a list, .*; got 'yes'"),
    "a number for a path": (lambda: load_checkpoint(5), "path of a file is asked for, got a int"),
    "a module for a subject": (lambda: feature_maps({"mine": network()}), r"own_subject\(model"),
    "half a picture": (lambda: feature_maps(pictures={"a": ROWS.numpy()}), "uint8 3×H×W, got fl"),
    "a lab's side of text": (lambda: shape_explorer("inception_v4", "299"), "number, got '299'"),
    "samples of no split": (lambda: DATA.samples(1, "validation"), "'train' or 'test', got 'val"),
    "networks as an ensemble": (lambda: ensemble([network()]), "made of answers: logits"),
    "members of other images": (lambda: ensemble([ROWS, ROWS[:2]]), "each; got 4×3, 2×3"),
    "too few labels": (lambda: error_rate(ROWS, torch.tensor([0, 1])), "4 rows need as many"),
    "labels that are no numbers": (lambda: error_rate(ROWS, ROWS[:, 0]), "of torch.float32"),
    "labels of no class": (lambda: error_rate(ROWS, torch.tensor([0, 1, 2, 3])), "2; got 0 to 3"),
    "a network to clock": (lambda: clock(network(), ROWS), "by name, got a NetworkModule"),
    "one configuration to sweep": (lambda: sweep(CONFIG), r"write sweep\(\[config\]\)"),
    "a setting that there is not": (lambda: CONFIG.macs(), "cannot be made from .*'widht'"),
    "a seed below 0": (lambda: load("scales", seed=-1), "seed is -1, but seeds begin at 0"),
    "a batch that cannot be clocked": (lambda: speed_lab(batch=3), "no batch 3; .* 1, 4, 16"),
    "a list of networks": (lambda: feature_maps(models=[network()]), "by name, .* got a list"),
}


@pytest.mark.parametrize("what", CALLS)
def test_what_is_handed_over_is_told_in_one_sentence(what):
    call, said = CALLS[what]
    with pytest.raises((ValueError, DataError, ExperimentError), match=said) as caught:
        call()
    sentence(caught)


# --- More than there is room for ------------------------------------------------------------------


def test_images_beyond_memory(tmp_path):
    for source in ("fashion", f"folder:{two_classes(tmp_path / 'pets')}", "scales"):
        with pytest.raises(DataError, match="of memory here: choose smaller ones") as caught:
            load(source, image=10_000_000)
        assert "10,000,000×10,000,000 pixels takes" in sentence(caught)
    few = load("fashion", limit=2, image=3000)
    assert few.train.images.shape == (2, 1, 3000, 3000), "what is cut off takes no room"


@pytest.mark.parametrize(
    "files, most",
    [
        ({"memory.max": "2000000"}, 2_000_000),
        ({"memory.max": "max"}, None),
        ({"memory/memory.limit_in_bytes": "3000000"}, 3_000_000),
        ({}, None),
    ],
)
def test_memory_of_a_container(tmp_path, files, most):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert places.memory(tmp_path) == (most or places.memory(tmp_path / "nowhere"))


# --- What is handed to `save_checkpoint` ----------------------------------------------------------


@pytest.mark.parametrize(
    "recipe, facts, said",
    [
        (tower(8, 2), {}, r"such as dict\(kind='tower'.*; got a Network"),
        (dict(width=8), {}, "from which `make` makes its network"),
        (dict(kind="tower", width=16, depth=2), {}, "is not the network that .* makes: .* 8×3×3×3"),
        (dict(kind="tower", width=8, depth=2), dict(seen=ROWS), "kept as JSON"),
    ],
)
def test_a_checkpoint_that_could_not_be_read(tmp_path, recipe, facts, said):
    with pytest.raises(WeightsError, match=said) as caught:
        save_checkpoint(tmp_path / "mine.safetensors", network(), recipe, **facts)
    sentence(caught)
    assert not list(tmp_path.iterdir()), "nothing is written"


# --- Parts and settings of a network --------------------------------------------------------------


@pytest.mark.parametrize(
    "make, said",
    [
        (lambda: Chain(5), "A part of a Chain is a Conv, Pool, .* got 5"),
        (lambda: Chain(InceptionA), r"got the function InceptionA: call it, InceptionA\(\)"),
        (
            lambda: Chain([Conv(8, 1)]),
            r"got a list: write Chain\(first, second\), or Chain\(\*parts",
        ),
        (lambda: Chain(Conv), r"got the type Conv: make one, Conv\(…\)"),
        (lambda: Concat(Conv(8, 1), None), "A part of a Concat is a Conv, .* got None"),
        (lambda: Residual(Conv(8, 1), shortcut=3), "A part of a Residual is a Conv, .* got 3"),
        (lambda: Residual(Conv(8, 1), "0.1"), "Residual: scale is a finite number, got '0.1'"),
        (lambda: Residual(Conv(8, 1), relu="no"), "Residual: relu is True or False, got 'no'"),
        (lambda: Conv(8, 1, norm="no"), "Conv.8, ….: norm is True or False, got 'no'"),
        (lambda: Conv(8, 1, gain="a"), "Conv.8, ….: gain is a finite number, got 'a'"),
        (lambda: Conv(8, 3.0), r"the kernel must be one whole number or .*, got 3\.0"),
        (lambda: tower(8, scale="a"), "scale is a finite number, got 'a'"),
        (lambda: tower(8, scale=float("nan")), "scale is a finite number, got nan"),
        (lambda: tower(8, residual="no"), "residual is True or False, got 'no'"),
        (lambda: mini(inception_v4(), "a"), "`width` is a share of the .* got 'a'"),
        (lambda: mini(inception_v4(), repeats=5), "as many whole numbers of at least 0, got 5"),
        (lambda: mini(inception_v4(), repeats="121"), "as many whole numbers .* got '121'"),
        (lambda: Block("a", 5), "A description is made of Conv, .* got 5"),
        (lambda: Block("a", Conv(8, 1), "2"), "Block a: repeat is a whole number .* got '2'"),
    ],
)
def test_what_is_no_network_is_refused_where_it_is_written(make, said):
    with pytest.raises(SpecError, match=said) as caught:
        make()
    sentence(caught)


def test_numbers_of_numpy_scale_a_network():
    assert tower(8, 2, np.float32(0.5)) == tower(8, 2, 0.5)


# --- Batches that a network cannot take -----------------------------------------------------------


def network():
    return build(tower(8, 2), seed=0)


def test_a_batch_of_bytes():
    with pytest.raises(SpecError, match="float32 numbers.*got a batch of uint8") as caught:
        network()(torch.zeros(2, 3, 32, 32, dtype=torch.uint8))
    assert "data.normalise(images)" in sentence(caught)


def test_a_batch_of_64_bits():
    images = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    with pytest.raises(SpecError, match="weights of float32, got a batch of float64") as caught:
        network()(images)
    sentence(caught)
    assert network().double()(images).dtype == torch.float64, "where both have 64 bits it works"


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_a_batch_of_16_bits(kind):
    images = torch.randn(2, 3, 32, 32)
    with pytest.raises(SpecError, match="weights of float32, got a batch of b?float16") as caught:
        network()(images.to(kind))
    assert "images.float()" in sentence(caught)
    with pytest.raises(SpecError, match=r"weights of bfloat16.*images.to\(torch.bfloat16\)"):
        network().bfloat16()(images)
    with torch.autocast("cpu", torch.bfloat16):
        network()(images.bfloat16())  # there torch brings both together


def test_a_batch_that_lies_elsewhere():
    with pytest.raises(SpecError, match="is on cpu, got a batch on meta") as caught:
        network()(torch.zeros(2, 3, 32, 32, device="meta"))
    assert "write images.to('cpu')" in sentence(caught)


def test_a_replica_of_data_parallel_has_no_parameters():
    """torch puts plain tensors in their place."""
    model, images = network().eval(), torch.randn(2, 3, 32, 32)
    wanted = model(images)
    for module in model.modules():
        for name in list(module._parameters):
            tensor = module._parameters.pop(name)
            setattr(module, name, None if tensor is None else tensor.detach())
    assert not list(model.parameters()) and torch.equal(model(images), wanted)
    with pytest.raises(SpecError, match="got a batch of uint8"):
        model(images.to(torch.uint8))


def test_an_array_of_numpy():
    with pytest.raises(SpecError, match="takes a tensor, got ndarray") as caught:
        network()(np.zeros((2, 3, 32, 32), np.float32))
    assert "torch.as_tensor(images)" in sentence(caught)


def test_channels_last():
    with pytest.raises(SpecError, match="got 2×32×32×3") as caught:
        network()(torch.zeros(2, 32, 32, 3))
    assert "images.permute(0, 3, 1, 2)" in sentence(caught)


def test_kinds_are_looked_at_in_every_batch():
    model, images = network(), torch.randn(2, 3, 32, 32)
    model(images)
    with pytest.raises(SpecError, match="float64"):
        model(images.double())


def test_one_grey_channel_and_one_image():
    with pytest.raises(SpecError, match="got 2×1×32×32") as caught:
        network()(torch.randn(2, 1, 32, 32))
    assert "images.expand(-1, 3, -1, -1)" in sentence(caught)
    with pytest.raises(SpecError, match="got 3×32×32") as caught:
        network()(torch.randn(3, 32, 32))
    assert "image[None]" in sentence(caught)


def test_a_batch_of_one_image_that_shrinks_to_a_pixel():
    model = build(mini(inception_v4(), width=1 / 16, repeats=(1, 1, 1), image=32), seed=0)
    one = torch.randn(1, 3, 32, 32)
    shrinks = nn.Sequential(OrderedDict(pool=nn.AdaptiveAvgPool2d(1), norm=nn.BatchNorm2d(3)))
    model.stem = nn.Sequential(shrinks, *model.stem)
    with pytest.raises(SpecError, match="a batch of one image") as caught:
        model.train()(one)
    assert "model.eval()" in sentence(caught)


def test_an_ordinary_fault_of_a_value_stays_what_it_is():
    model = network()

    def fail(module, inputs):
        raise ValueError("my own")

    model[0].register_forward_pre_hook(fail)
    with pytest.raises(ValueError, match="my own"):
        model(torch.randn(2, 3, 32, 32))


def test_a_slice_of_a_network_is_an_ordinary_chain_of_blocks():
    model, images = network().eval(), torch.randn(2, 3, 32, 32)
    part = model[:2]
    assert type(part) is nn.Sequential and list(part._modules) == list(model._modules)[:2]
    assert torch.equal(model[2:](part(images)), model(images)) and model[0] is part[0]


def test_weights_saved_from_data_parallel(tmp_path):
    """It writes "module." before every name."""
    model = network()
    torch.save({"state_dict": nn.DataParallel(model).state_dict()}, tmp_path / "mine.pth")
    for state in (read_tensors(tmp_path / "mine.pth"), nn.DataParallel(model).state_dict()):
        other = build(tower(8, 2), seed=1)
        other.load_state_dict(state)
        for name, tensor in model.state_dict().items():
            assert torch.equal(other.state_dict()[name], tensor)


def test_weights_of_another_network_are_told_in_one_sentence():
    model = network()
    with pytest.raises(WeightsError, match=r"These weights do not fit .*: \d+ of its") as caught:
        model.load_state_dict(build(mini(inception_v4(), image=32)).state_dict())
    assert "passport(file)" in sentence(caught) and len(sentence(caught)) < 400
    with pytest.raises(WeightsError, match="is 16×3×3×3 there and 8×3×3×3 here") as caught:
        model.load_state_dict(build(tower(16, 2)).state_dict())
    sentence(caught)
    assert model.load_state_dict({}, strict=False).missing_keys, "torch's own, where it is asked"


def test_a_file_of_weights_that_is_no_checkpoint_of_ours(tmp_path):
    torch.save(network().state_dict(), tmp_path / "theirs.pth")
    with pytest.raises(WeightsError, match="not a checkpoint of this project") as caught:
        load_checkpoint(tmp_path / "theirs.pth")
    assert "passport('theirs.pth')" in sentence(caught)


def test_a_network_with_a_part_called_module_keeps_its_names():
    state = {"module.weight": torch.zeros(1), "bias": torch.zeros(1)}
    assert plain_names(state) == state
