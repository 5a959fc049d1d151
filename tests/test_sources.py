"""`inception_edu.data.sources`: folders of images, CIFAR-10, and downloads from a server on this
machine."""

import gzip
import hashlib
import io
import os
import pickle
import socket
import struct
import tarfile
import threading
import time
import warnings
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch
from PIL import Image

from inception_edu.data import DataError, load, read_picture
from inception_edu.data import cifar10 as C
from inception_edu.data import download as L
from inception_edu.data import folder as F


@pytest.fixture(autouse=True)
def downloads(tmp_path, monkeypatch):
    """Each test has a download folder, home and working folder of its own."""
    monkeypatch.setenv("INCEPTION_EDU_DATA", str(tmp_path / "downloads"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "downloads"


def write(path, colour=(200, 30, 30), size=(32, 32), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path, **options)


RED, GREEN, BLUE = (200, 0, 0), (0, 200, 0), (0, 0, 200)


def two_classes(root, count=5, **options):
    for i in range(count):
        write(root / "red" / f"{i}.png", RED, **options)
        write(root / "green" / f"{i}.png", GREEN, **options)
    return root


def from_folder(root, **options):
    return load(f"folder:{root}", device="cpu", **options)


# ------------------------------------------------------------------------------------------- folder


def test_train_and_test_folders(tmp_path):
    for part, count in (("Train", 3), ("Validation", 2)):
        for i in range(count):
            write(tmp_path / part / "b" / f"{i}.png", RED)
            write(tmp_path / part / "a" / "deeper" / f"{i}.jpg", GREEN)
    data = from_folder(tmp_path)
    assert (
        data.classes == ("a", "b") and data.image == 32 and data.name == f"folder:{tmp_path.name}"
    )
    assert data.train.labels.tolist() == [0, 0, 0, 1, 1, 1] and data.test.labels.tolist() == [
        0,
        0,
        1,
        1,
    ]
    assert data.train.images[4, :, 16, 16].tolist() == list(RED)
    assert (
        data.train.images[0, :, 16, 16].int() - torch.tensor(GREEN)
    ).abs().max() < 8  # JPEG is not exact
    assert data.notes == ()


def test_without_a_test_folder_a_seeded_fifth_of_each_class_is_held_out(tmp_path):
    for i in range(20):
        write(tmp_path / "many" / f"{i:02}.png", (i, 0, 0))
    for i in range(5):
        write(tmp_path / "few" / f"{i}.png", (100 + i, 0, 0))
    data, again, other = (from_folder(tmp_path, seed=seed) for seed in (0, 0, 1))
    assert data.classes == ("few", "many")
    assert torch.bincount(data.train.labels).tolist() == [4, 16] and torch.bincount(
        data.test.labels
    ).tolist() == [1, 4]
    red = [split.images[:, 0, 0, 0].tolist() for split in (data.train, data.test)]
    assert sorted(red[0] + red[1]) == [*range(20), *range(100, 105)], (
        "each image is in one of the two"
    )
    assert all((r >= 100) == (label == 0) for r, label in zip(red[1], data.test.labels.tolist()))
    assert torch.equal(data.test.images, again.test.images) and not torch.equal(
        data.test.images, other.test.images
    )
    assert "drawn with seed 1" in other.describe()


def test_a_class_may_be_called_train(tmp_path):
    for i in range(3):
        write(tmp_path / "train" / f"{i}.png", RED)
        write(tmp_path / "car" / f"{i}.png", BLUE)
    assert from_folder(tmp_path).classes == ("car", "train")


def test_modes(tmp_path):
    root = two_classes(tmp_path / "images", count=2)
    here = root / "red"
    gradient = np.tile(np.arange(0, 256, 8, dtype=np.uint8), (32, 1))
    grey = Image.fromarray(gradient)
    grey.save(here / "x1-grey.png")
    grey.convert("P").save(here / "x2-palette.png")
    Image.fromarray(gradient.astype(np.uint16) * 257).save(here / "x3-sixteen.png")
    Image.fromarray(gradient.astype(np.float32) / 255).save(here / "x4-float.tiff")
    clear = np.zeros((32, 32, 4), np.uint8)
    clear[:, 16:] = (0, 0, 250, 255)
    clear[:, :8] = (250, 0, 0, 0)  # transparent: its red must not show
    Image.fromarray(clear).save(here / "x5-clear.png")
    palette = Image.new("P", (32, 32), 1)
    palette.putpalette([9, 9, 9, 200, 100, 50])
    palette.save(here / "x6-palette-clear.png", transparency=1)
    Image.new("CMYK", (32, 32), (0, 255, 255, 0)).save(here / "x7-cmyk.jpg")
    Image.new("1", (32, 32), 1).save(here / "x8-bits.png")
    Image.fromarray(np.stack([gradient, np.full_like(gradient, 255)], 2), "LA").save(
        here / "x9-la.png"
    )
    write(root / "test" / "unused.png")  # no second level: an ordinary class
    data = from_folder(root)
    assert data.image == 32 and not any("cannot be read" in note for note in data.notes), data.notes
    everything = torch.cat([data.train.images, data.test.images])
    labels = torch.cat([data.train.labels, data.test.labels])
    assert torch.bincount(labels).tolist() == [2, 11, 1]
    reads = {path.name: array(path, 32) for path in here.iterdir()}
    for name in ("x1-grey.png", "x2-palette.png", "x3-sixteen.png", "x4-float.tiff", "x9-la.png"):
        assert np.abs(reads[name].astype(int) - gradient).max() <= 1, name
    assert (reads["x5-clear.png"][:, :, :16] == 255).all()
    assert (reads["x5-clear.png"][:, :, 16:] == np.array([0, 0, 250])[:, None, None]).all()
    assert (reads["x6-palette-clear.png"] == 255).all() and (reads["x8-bits.png"] == 255).all()
    assert reads["x7-cmyk.jpg"][0].min() > 200 and reads["x7-cmyk.jpg"][1:].max() < 60
    for read in reads.values():
        assert (everything == torch.from_numpy(read.copy())).flatten(1).all(1).any()


def array(path, side):
    return read_picture(path, side=side)[0]


def test_pictures_are_turned_as_their_exif_data_says(tmp_path):
    half = np.zeros((40, 80, 3), np.uint8)
    half[:, 40:] = 255  # right half white
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees: white goes down
    Image.fromarray(half).save(tmp_path / "turned.jpg", exif=exif)
    read = array(tmp_path / "turned.jpg", 16)
    assert read[:, :4].mean() < 10 and read[:, -4:].mean() > 245


def test_other_sizes_keep_the_middle(tmp_path):
    wide = np.zeros((50, 150, 3), np.uint8)
    wide[:, 50:100] = (0, 250, 0)  # the middle square
    Image.fromarray(wide).save(tmp_path / "wide.png")
    Image.fromarray(wide.transpose(1, 0, 2)).save(tmp_path / "tall.png")
    for name in ("wide.png", "tall.png"):
        read = array(tmp_path / name, 24)
        assert read.shape == (3, 24, 24)
        assert (read[1, 2:-2, 2:-2] > 240).all() and read[0].max() < 10
    # A large JPEG takes the short cut of decoding at a fraction of its size, and still looks the
    # same.
    ramp = np.tile(np.linspace(0, 255, 1024).astype(np.uint8), (512, 1))
    Image.fromarray(ramp).save(tmp_path / "ramp.jpg", quality=95)
    read = array(tmp_path / "ramp.jpg", 32)
    assert np.abs(read[0].mean(0) - np.linspace(64, 191, 32)).max() < 4


def test_the_default_size_is_32_only_if_all_are(tmp_path):
    small = two_classes(tmp_path / "small")
    assert from_folder(small).image == 32
    assert from_folder(small, image=20).image == 20
    write(small / "red" / "z.png", RED, size=(40, 32))
    assert from_folder(small).image == 64
    mixed = two_classes(tmp_path / "mixed", size=(100, 80))
    assert from_folder(mixed).image == 64


def test_grey_pictures_have_one_channel(tmp_path):
    root = two_classes(tmp_path / "grey")
    for path in root.rglob("*.png"):
        level = int(path.stem) * 10 + 5
        write(path, (level, level, level))
    data = from_folder(root)
    assert data.train.images.shape[1] == 1 and "grey" in data.describe()
    assert data.normalise(data.train.images).shape[1] == 3


def test_unreadable_files_are_named_and_left_out(tmp_path):
    root = two_classes(tmp_path / "images")
    (root / "red" / "broken.png").write_bytes(b"no picture")
    (root / "red" / "empty.jpg").write_bytes(b"")
    whole = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(
        whole, "JPEG"
    )
    (root / "green" / "cut.jpg").write_bytes(whole.getvalue()[:1000])
    (root / "green" / "huge.ppm").write_bytes(
        b"P6 40000 40000 255\n"
    )  # Pillow refuses to open it: not an OSError
    (root / "green" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (root / "green" / "notes.txt").write_text("not a picture")
    (root / "green" / ".hidden.png").write_bytes(b"passed over")
    for first in (True, False):  # the second time it comes from the kept file, and warns no more
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            data = from_folder(root)
        assert ["5 files" in str(w.message) for w in caught] == [True] * first
        for name in ("broken.png", "empty.jpg", "cut.jpg", "gone.png", "huge.ppm"):
            assert name in data.describe()
        assert "1 × .txt" in data.describe() and ".hidden" not in data.describe()
        assert str(tmp_path) not in data.describe()
        assert len(data.train) + len(data.test) == 10


def test_a_relative_path(tmp_path, monkeypatch):
    root = two_classes(tmp_path / "images")
    (root / "red" / "broken.png").write_bytes(b"no picture")
    monkeypatch.chdir(root)
    with pytest.warns(
        UserWarning, match=r"1 file: red.broken.png \(cannot be read as a picture: PNG, .* can\)\.$"
    ):
        data = from_folder(".")
    assert data.name == "folder:images" and data.classes == ("green", "red")


@pytest.mark.parametrize("written", ['"{}"', "'{}'", " {} "])
def test_a_path_as_file_managers_copy_it(tmp_path, written):
    root = two_classes(tmp_path / "my images")
    assert from_folder(written.format(root)).name == "folder:my images"


def test_many_unreadable_files_are_counted(tmp_path):
    root = two_classes(tmp_path / "images")
    for i in range(9):
        (root / "red" / f"broken{i}.png").write_bytes(b"no picture")
    with pytest.warns(UserWarning, match="9 files: .*broken.*; and 4 more") as caught:
        from_folder(root)
    assert str(caught[0].message).count("broken") == 5


def test_a_class_without_readable_pictures_is_left_out(tmp_path):
    root = two_classes(tmp_path / "images")
    (root / "another").mkdir()
    (root / "another" / "broken.png").write_bytes(b"no picture")
    (root / "void").mkdir()
    with pytest.warns(UserWarning):
        data = from_folder(root)
    assert data.classes == ("green", "red") and set(data.train.labels.tolist()) == {0, 1}
    assert data.train.images[data.train.labels == 1][0, :, 5, 5].tolist() == list(RED)
    assert (
        "Without images: void." in data.notes
        and "Without a readable training image: another." in data.notes
    )


def test_test_images_of_a_class_without_training_images_are_left_out_too(tmp_path):
    for part in ("train", "test"):
        two_classes(tmp_path / part, count=2)
        write(tmp_path / part / "blue" / "1.png", BLUE)
    (tmp_path / "train" / "blue" / "1.png").write_bytes(b"no picture")
    with pytest.warns(UserWarning):
        data = from_folder(tmp_path)
    assert data.classes == ("green", "red") and data.test.labels.tolist() == [0, 0, 1, 1]
    assert data.test.images[:, 2].max() == 0


def test_one_class_is_refused_before_decoding(tmp_path, monkeypatch):
    read = count_reads(monkeypatch)
    for i in range(50):
        write(tmp_path / "only" / f"{i}.png")
    with pytest.raises(DataError, match="one class only"):
        from_folder(tmp_path)
    assert read == []


def one_class(root):
    write(root / "only" / "1.png")
    (root / "empty").mkdir()


def one_readable(root):
    write(root / "only" / "1.png")
    (root / "bad").mkdir()
    (root / "bad" / "1.png").write_bytes(b"no")


def no_images(root):
    (root / "a").mkdir(parents=True)
    (root / "b").mkdir()


def flat(root):
    write(root / "1.png")


def other_test_class(root):
    for name in ("train/a", "train/b", "test/a", "test/c"):
        write(root / name / "1.png")


def singles(root):
    write(root / "a" / "1.png", GREEN)
    write(root / "b" / "1.png", RED)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "make, sentence",
    [
        (
            one_class,
            r"readable images of one class only \(only\), but a classifier needs at least two",
        ),
        (
            one_readable,
            r"readable images of one class only \(only\), but a classifier needs at least two",
        ),
        (no_images, r"no images in the subfolders of .*: put the images of each class \(.jpg"),
        (flat, r"no images in the subfolders of"),
        (
            other_test_class,
            r"has images of class 'c', but .* has none: the same classes should be in both",
        ),
        (singles, r"no readable test images: a class needs at least two images"),
    ],
)
def test_folders_that_cannot_be_used(tmp_path, make, sentence):
    root = tmp_path / "images"
    root.mkdir()
    make(root)
    with pytest.raises(DataError, match=sentence):
        from_folder(root)


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(DataError, match="There is no folder .*nowhere: check the path"):
        from_folder(tmp_path / "nowhere")


def test_limit_takes_from_the_classes_in_turn(tmp_path):
    data = from_folder(two_classes(tmp_path / "images", count=20), limit=(6, 4))
    assert torch.bincount(data.train.labels).tolist() == [3, 3] and torch.bincount(
        data.test.labels
    ).tolist() == [2, 2]


def count_reads(monkeypatch):
    read, original = [], F.read_picture
    monkeypatch.setattr(
        F, "read_picture", lambda path, side: read.append(path) or original(path, side=side)
    )
    return read


def test_decoded_pictures_are_kept_until_a_file_changes(tmp_path, downloads, monkeypatch):
    root, read = two_classes(tmp_path / "images"), count_reads(monkeypatch)
    first = from_folder(root)
    assert len(read) == 10
    again = from_folder(root)
    assert len(read) == 10, "the second time nothing is decoded"
    assert torch.equal(first.train.images, again.train.images) and first.notes == again.notes
    assert first.classes == again.classes

    write(root / "red" / "0.png", BLUE)  # another picture of the same size in bytes, or not
    os.utime(root / "red" / "0.png", ns=(1, 1))
    changed = from_folder(root)
    assert len(read) == 20
    blue = (torch.cat([changed.train.images, changed.test.images])[:, 2, 0, 0] == 200).sum()
    assert blue == 1
    (root / "green" / "0.png").unlink()
    assert len(from_folder(root).train) == 7 and len(read) == 29
    assert len(list(downloads.iterdir())) == 1, "an outdated file is replaced, not kept"
    from_folder(root, image=16)
    assert len(read) == 38 and len(list(downloads.iterdir())) == 2


def test_a_damaged_kept_file_is_made_again(tmp_path, downloads, monkeypatch):
    root, read = two_classes(tmp_path / "images"), count_reads(monkeypatch)
    first = from_folder(root)
    kept = next(downloads.iterdir())
    whole = kept.read_bytes()
    for damaged in (b"", b"nonsense", whole[:-100], struct.pack("<Q", 2**62) + whole[8:]):
        kept.write_bytes(damaged)
        read.clear()
        assert torch.equal(from_folder(root).train.images, first.train.images) and len(read) == 10


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs Unix")
def test_without_a_place_to_keep_them_the_pictures_are_still_there(tmp_path, monkeypatch):
    (tmp_path / "a-file").write_text("in the way")
    monkeypatch.setenv("INCEPTION_EDU_DATA", str(tmp_path / "a-file"))
    assert len(from_folder(two_classes(tmp_path / "images")).train) == 8


def test_thousands_of_pictures_show_progress(tmp_path, monkeypatch, capsys):
    write(tmp_path / "1.png")
    images, errors = F._decode([str(tmp_path / "1.png")] * 4000, 32)
    assert images.shape == (4000, 3, 32, 32) and set(errors) == {None}
    assert "decoding images" in capsys.readouterr().err
    monkeypatch.setitem(__import__("sys").modules, "tqdm", None)  # as if it were not installed
    F._decode([str(tmp_path / "1.png")] * 4000, 32)
    shown = capsys.readouterr().out
    assert "decoding images: 10 %" in shown and shown.rstrip().endswith("100 %")


# --------------------------------------------------------------------------------- a small CIFAR-10


def python2_pickle(data, labels):
    """A dictionary with an array and a list as Python 2 wrote it: texts are byte strings, protocol
    2."""

    def text(value):
        return (
            b"U" + bytes([len(value)]) + value
            if len(value) < 256
            else b"T" + struct.pack("<i", len(value)) + value
        )

    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85"
        + text(b"b")
        + b"\x87R("
        + b"K\x01"
        + b"M"
        + struct.pack("<H", data.shape[0])
        + b"M"
        + struct.pack("<H", data.shape[1])
        + b"\x86"
        + b"cnumpy\ndtype\n"
        + text(b"u1")
        + b"K\x00K\x01\x87R(K\x03"
        + text(b"|")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        + text(data.tobytes())
        + b"tb"
    )
    numbers = b"".join(b"K" + bytes([label]) for label in labels)
    return b"\x80\x02}(" + text(b"data") + array + text(b"labels") + b"](" + numbers + b"eu."


@pytest.fixture
def small_cifar(monkeypatch):
    """The batches and archive of a CIFAR-10 with 20 images a file, whose checksums the module now
    expects."""
    rng, batches = np.random.default_rng(0), {}
    for name in C.CIFAR10_BATCHES:
        batches[name] = python2_pickle(
            rng.integers(0, 256, (20, 3072), np.uint8), rng.integers(0, 10, 20).tolist()
        )
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        members = {f"cifar-10-batches-py/{name}": content for name, content in batches.items()}
        for name, content in {"../evil": b"x", **members, "data_batch_1": b"a decoy"}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    archive = packed.getvalue()
    monkeypatch.setattr(
        C, "CIFAR10_BATCHES", {name: hashlib.md5(c).hexdigest() for name, c in batches.items()}
    )
    monkeypatch.setattr(C, "CIFAR10_SIZE", len(archive))
    monkeypatch.setattr(C, "CIFAR10_MD5", hashlib.md5(archive).hexdigest())
    monkeypatch.setattr(C, "CIFAR10_MIRRORS", ())
    return batches, archive


def is_small_cifar(data, batches):
    first = pickle.loads(batches["data_batch_1"], encoding="latin1")
    test = pickle.loads(batches["test_batch"], encoding="latin1")
    assert data.train.images.shape == (100, 3, 32, 32) and len(data.test) == 20
    assert np.array_equal(data.train.images[:20].flatten(1).numpy(), first["data"])
    assert (
        data.train.labels[:20].tolist() == first["labels"]
        and data.test.labels.tolist() == test["labels"]
    )
    assert data.classes[:3] == ("airplane", "automobile", "bird") and data.name == "cifar10"
    return True


@pytest.mark.parametrize("place", ["downloads", "work/data", "home/data", "home/Downloads"])
@pytest.mark.parametrize("unpacked", [False, True])
def test_an_existing_copy_of_cifar10_is_used(tmp_path, downloads, small_cifar, place, unpacked):
    batches, archive = small_cifar
    folder = tmp_path / place
    folder.mkdir(parents=True)
    if unpacked:
        (folder / "cifar-10-batches-py").mkdir()
        for name, content in batches.items():
            (folder / "cifar-10-batches-py" / name).write_bytes(content)
    else:
        (folder / C.CIFAR10_NAME).write_bytes(archive)
    assert is_small_cifar(load("cifar10", "cpu"), batches)
    assert load("cifar10", "cpu", image=16, limit=30).train.images.shape == (30, 3, 16, 16)
    assert not (tmp_path / "evil").exists() and not (downloads / "data_batch_1").exists()


def test_cifar10_is_decoded_once(tmp_path, downloads, small_cifar):
    batches, archive = small_cifar
    downloads.mkdir()
    (downloads / C.CIFAR10_NAME).write_bytes(archive)
    load("cifar10", "cpu")
    (downloads / C.CIFAR10_NAME).unlink()
    assert is_small_cifar(load("cifar10", "cpu"), batches)


def test_a_changed_copy_is_not_used(tmp_path, small_cifar):
    batches, archive = small_cifar
    folder = tmp_path / "home" / "data" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    for name, content in batches.items():
        (folder / name).write_bytes(
            content if name != "test_batch" else content[:-9] + b"K\x05K\x05K\x05eu."
        )
    (tmp_path / "home" / "data" / C.CIFAR10_NAME).write_bytes(archive[:-1] + b"!")
    with pytest.raises(DataError, match="could not be downloaded"):
        load("cifar10", "cpu")


class Evil:
    def __reduce__(self):
        return os.system, ("touch evil",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_runs_code_is_refused(tmp_path, protocol):
    for harm in (Evil(), {"data": Evil()}, os.system, np.load, torch.load):
        with pytest.raises(DataError, match="which no file of CIFAR-10 needs: do not trust it"):
            C._plain_pickle(pickle.dumps(harm, protocol))
    assert not os.path.exists("evil")


# ----------------------------------------------------------------------------------------- download

CONTENT = np.random.default_rng(1).integers(0, 256, 1_000_003, np.uint8).tobytes()
SIZE, MD5 = len(CONTENT), hashlib.md5(CONTENT).hexdigest()


@contextmanager
def server(
    content=CONTENT,
    *,
    ranges=True,
    drop_after=None,
    drops=10**9,
    code=None,
    length=True,
    wrong_range=False,
    stall_after=None,
):
    """A server on this machine with the faults that are asked for. Yields (address, [(range asked,
    bytes sent)])."""
    log = []
    left = [drops]

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            asked = self.headers.get("Range")
            if code:
                return self.send_error(code)
            start = 0
            if asked and ranges:
                start = int(asked.removeprefix("bytes=").split("-")[0])
                if start >= len(content):
                    return self.send_error(416)
                self.send_response(206)
                self.send_header(
                    "Content-Range",
                    f"bytes {start + 5 * wrong_range}-{len(content) - 1}/{len(content)}",
                )
            else:
                self.send_response(200)
            if length:
                self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            body = content[start:]
            if drop_after is not None and left[0] > 0:
                left[0] -= 1
                body = body[:drop_after]
            if stall_after is not None:
                body = body[:stall_after]
            log.append((asked, len(body)))
            try:
                self.wfile.write(body)
                if stall_after is not None:
                    time.sleep(4)
            except OSError:
                pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{http.server_port}/file.tar.gz", log
    finally:
        http.shutdown()
        http.server_close()


@pytest.fixture
def target(downloads):
    downloads.mkdir()
    return downloads / "file.tar.gz"


def fetch(target, *urls, timeout=30):
    L.download(urls, target, SIZE, MD5, timeout=timeout)


def alone(target, *others):
    names = {path.name for path in target.parent.iterdir()} - {target.name + ".lock"}
    assert names == {target.name, *others}
    return target.read_bytes() == CONTENT


def test_a_plain_download(target, capsys):
    with server() as (url, log):
        fetch(target, url)
    assert alone(target) and log == [(None, SIZE)]
    assert "downloading file.tar.gz" in capsys.readouterr().err


def test_a_dropped_connection_is_taken_up_again(target):
    with server(drop_after=300_000, drops=3) as (url, log):
        fetch(target, url)
    assert alone(target)
    assert [asked for asked, _ in log] == [None, "bytes=300000-", "bytes=600000-", "bytes=900000-"]


def test_without_a_length_the_end_is_noticed(target):
    with server(length=False, drop_after=300_000, drops=1) as (url, log):
        fetch(target, url)
    assert alone(target) and len(log) == 2


def test_a_server_that_ignores_ranges(target):
    with server(ranges=False, drop_after=600_000, drops=1) as (url, log):
        fetch(target, url)
    assert alone(target) and log == [(None, 600_000), ("bytes=600000-", SIZE)]


def test_what_a_server_without_ranges_drops_early_is_not_lost(target):
    part = target.with_name("file.tar.gz.part")
    part.write_bytes(CONTENT[:700_000])
    with server(ranges=False, drop_after=100_000) as (url, _):
        with pytest.raises(
            DataError, match="1 of 1 MB have arrived and are kept, so try again later"
        ):
            fetch(target, url)
    assert part.read_bytes() == CONTENT[:700_000]


def test_a_download_is_continued_after_a_restart_and_at_another_address(target):
    with server(drop_after=400_000, drops=1, code=None) as (url, log):
        with pytest.raises(KeyboardInterrupt):
            interrupt(target, url)
        assert target.with_name("file.tar.gz.part").stat().st_size > 0 and not target.exists()
    with server() as (url, log):
        fetch(target, url)
    assert alone(target) and log[0][0] is not None


def interrupt(target, url):
    class Stop(L.Progress):
        def at(self, done):
            if done > 200_000:
                raise KeyboardInterrupt

    original, L.Progress = L.Progress, Stop
    try:
        fetch(target, url)
    finally:
        L.Progress = original


def test_the_next_address_is_tried(target):
    with (
        server(code=404) as (gone, _),
        server(content=b"<html>log in</html>") as (page, _),
        server(wrong_range=True, drop_after=500_000, drops=1) as (odd, _),
        server() as (good, log),
    ):
        fetch(target, "http://127.0.0.1:1/closed", gone, page, odd, good)
    assert alone(target) and log[0][0] == "bytes=500000-"


def test_a_wrong_file_of_the_right_size_is_refused(target):
    wrong = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    with (
        server(content=wrong) as (url, _),
        pytest.raises(DataError, match="delivers another file, its checksum"),
    ):
        fetch(target, url)
    assert [path.suffix for path in target.parent.iterdir()] == [".lock"]
    with server(content=wrong) as (bad, _), server() as (good, _):
        fetch(target, bad, good)
    assert alone(target)


@pytest.mark.parametrize("part", [b"garbage" * 1000, CONTENT + b"too long", bytes(SIZE)])
def test_a_damaged_part_is_fetched_again(target, part):
    target.with_name("file.tar.gz.part").write_bytes(part)
    with server() as (url, _):
        fetch(target, url)
    assert alone(target)


def test_a_server_with_a_shorter_file_costs_nothing(target):
    target.with_name("file.tar.gz.part").write_bytes(CONTENT[:-10])
    with (
        server(content=CONTENT[:-20]) as (short, _),
        server() as (good, log),
    ):  # the first answers 416
        fetch(target, short, good)
    assert alone(target) and log == [(f"bytes={SIZE - 10}-", 10)]


def test_a_server_that_falls_silent(target):
    with server(stall_after=400_001) as (
        slow,
        log,
    ):  # goes on where it stopped, without losing a byte
        fetch(target, slow, timeout=0.5)
    assert alone(target) and [asked for asked, _ in log] == [None, "bytes=400001-", "bytes=800002-"]
    target.unlink()
    with server(stall_after=0) as (silent, log), server() as (good, _):
        fetch(target, silent, good, timeout=0.5)
    assert alone(target) and len(log) == 3


def test_a_reader_file_of_the_same_name_is_not_lost(target):
    target.write_bytes(b"mine")
    target.with_name("file.tar.gz.not-original-1").write_bytes(b"mine too")
    with server() as (url, _):
        fetch(target, url)
    assert alone(target, "file.tar.gz.not-original-1", "file.tar.gz.not-original-2")
    assert target.with_name("file.tar.gz.not-original-1").read_bytes() == b"mine too"
    assert target.with_name("file.tar.gz.not-original-2").read_bytes() == b"mine"


def test_two_downloads_at_once(target):
    from filelock import FileLock

    lock = target.with_name("file.tar.gz.lock")
    with server() as (url, log):
        with FileLock(lock):
            with pytest.raises(DataError, match="Another download of file.tar.gz is under way"):
                fetch(target, url)
        assert log == [] and lock.exists()  # left behind by one that ended
        fetch(target, url)
    assert alone(target)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux")
def test_a_full_disk(target):
    target.with_name("file.tar.gz.part").symlink_to("/dev/full")
    with (
        server() as (url, _),
        pytest.raises(DataError, match="No space left on device.*: make room on the disk"),
    ):
        fetch(target, url)


def test_the_disk_cannot_be_written(target, tmp_path):
    target.with_name("file.tar.gz.part").mkdir()
    with (
        server() as (url, _),
        pytest.raises(DataError, match="part cannot be written.*INCEPTION_EDU_DATA"),
    ):
        fetch(target, url)
    (tmp_path / "a-file").write_text("")
    with pytest.raises(DataError, match="cannot be made .*set INCEPTION_EDU_DATA"):
        fetch(tmp_path / "a-file" / "x" / "file.tar.gz", "http://127.0.0.1:1/")


def test_cifar10_by_download(downloads, small_cifar, monkeypatch):
    batches, archive = small_cifar
    with server(archive, ranges=False, drop_after=len(archive) // 2, drops=1) as (url, log):
        monkeypatch.setattr(C, "CIFAR10_MIRRORS", (url,))
        assert is_small_cifar(load("cifar10", "cpu"), batches)
        load("cifar10", "cpu")
        assert len(log) == 2
    assert (downloads / C.CIFAR10_NAME).read_bytes() == archive


def test_offline_says_in_one_sentence_what_to_do(monkeypatch, downloads):
    def no_network(*_, **__):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    with warnings.catch_warnings(), pytest.raises(DataError) as caught:
        warnings.simplefilter("error")
        load("cifar10", "cpu")
    sentence = str(caught.value)
    assert (
        "could not be downloaded" in sentence
        and "name resolution" in sentence
        and "\n" not in sentence
    )
    assert "'fashion'" in sentence and "'folder:PATH'" in sentence and str(downloads) in sentence
    assert [path.suffix for path in downloads.iterdir()] == [".lock"]
