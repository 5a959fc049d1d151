"""A reader's own images: a folder with one subfolder for each class.

`finding` says which files belong to which class; here they are decoded, once, and kept in
`downloads_dir()`, so that the second time they are there at once.
"""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from inception_edu.data import kept as kept_images
from inception_edu.data.errors import DataError
from inception_edu.data.finding import Found, find_images, is_folder, need_two, shown, within
from inception_edu.data.paths import downloads_dir
from inception_edu.data.pictures import PictureError, read_picture
from inception_edu.data.places import need_memory
from inception_edu.data.progress import Progress
from inception_edu.data.types import Data, Split, evenly

STEP = 250  # pictures that one thread decodes at a time
_SAID: set[tuple[str, str]] = set()  # (folder, problem): a warning is given once, notes always


def folder(root: Path, image: int | None = None, limits=(None, None), seed: int = 0) -> Data:
    """Images in one subfolder for each class, or in `train` and `test` with one subfolder for each
    class in both.

    Without a test folder a fifth of each class, drawn with `seed`, becomes the test images.
    Pictures may have any size and mode, see `read_picture`; the shorter side is scaled to `image`
    pixels and the middle is kept. image: None takes 32 if all pictures are 32×32, else 64. If all
    are grey, they have one channel.

    A file that cannot be read is left out, and a class may end up without test images: the notes
    name both, and the first time a warning does. Raises DataError if the folder does not exist, or
    if fewer than two classes with readable images remain.
    """
    root = Path(os.path.abspath(root))
    if not is_folder(root):
        raise DataError(_no_folder(root))
    found = find_images(root, seed)
    for part, limit in zip(found.parts, limits):
        if limit is not None:
            part[:] = [part[i] for i in evenly([label for label, _ in part], limit)]

    stamps = []
    for part in found.parts:
        stamps.append([(label, within(path, root), *_stamp(path)) for label, path in part])
    signature = kept_images.digest([2, image, found.classes, found.notes, stamps])
    name = kept_images.digest([str(root.resolve()), image, limits, seed])[:16]
    cache = downloads_dir() / f"folder-{name}.safetensors"
    kept = kept_images.read(cache, signature)
    if kept is None:
        kept = _decode_all(root, found, image)
        kept_images.write(cache, signature, *kept)
    tensors, facts = kept
    for note in facts["problems"]:
        if (str(root), note) not in _SAID:
            _SAID.add((str(root), note))
            warnings.warn(note, stacklevel=3)
    train, test = (
        Split(tensors[f"{part}_images"], tensors[f"{part}_labels"]) for part in ("train", "test")
    )
    notes = (*facts["notes"], *facts["problems"])
    return Data(f"folder:{shown(root.name)}", tuple(facts["classes"]), train, test, notes)


def _no_folder(root: Path) -> str:
    written = str(root)
    turned = written.replace("\\", "/")
    if os.sep == "/" and "\\" in written and is_folder(Path(turned)):
        return (
            f"There is no folder {written}: here folders are divided by /, so write "
            f"'folder:{turned}'."
        )
    if os.path.isfile(root):
        return f"{shown(written)} is a file: unpack it, and name the folder that it makes."
    return (
        f"There is no folder {shown(written)}: check the path, it should hold one subfolder of "
        "images for each class."
    )


def _stamp(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return 0, 0  # a broken link, say: decoding will name it
    return status.st_size, status.st_mtime_ns


def _decode_all(root: Path, found: Found, image: int | None) -> tuple[dict, dict]:
    """The tensors and facts that `folder` keeps."""
    files = [path for part in found.parts for _, path in part]
    labels = np.array([label for part in found.parts for label, _ in part], np.int64)
    is_train = np.arange(len(files)) < len(found.parts[0])
    images, errors = _decode_to(files, image)
    readable = np.array([error is None for error in errors])
    problems = _left_out(root, files, errors)

    of_train = readable & is_train
    kept = [label for label in range(len(found.classes)) if (of_train & (labels == label)).any()]
    names = [found.classes[label] for label in kept]
    need_two(names, root)
    if lost := [name for name in found.classes if name not in names]:
        problems.append(f"Without a readable training image: {', '.join(lost)}.")
    use = readable & np.isin(labels, kept)
    labels = np.searchsorted(kept, labels)
    if (images[use] == images[use][:, :1]).all():
        images = images[:, :1]
    tensors = {}
    for name, part in (("train", is_train), ("test", ~is_train)):
        if not (use & part).any():
            raise DataError(
                f"{root} has no readable {name} images: a class needs at least two images, so that "
                "one can be held out."
            )
        tensors[f"{name}_images"] = torch.from_numpy(images[use & part])
        tensors[f"{name}_labels"] = torch.from_numpy(labels[use & part])
    tested = set(tensors["test_labels"].tolist())
    if untested := [name for label, name in enumerate(names) if label not in tested]:
        problems.append(f"Without a test image, so never tested: {', '.join(untested)}.")
    return tensors, {"classes": names, "notes": found.notes, "problems": problems}


def _left_out(root: Path, files: list[str], errors: list[str | None]) -> list[str]:
    """The sentence that names the files that cannot be read, if there are any."""
    bad = [f"{within(path, root)} ({error})" for path, error in zip(files, errors) if error]
    if not bad:
        return []
    count = "1 file" if len(bad) == 1 else f"{len(bad)} files"
    more = f"; and {len(bad) - 5} more" if len(bad) > 5 else ""
    return [f"Left out, because they cannot be read, {count}: {'; '.join(bad[:5])}{more}."]


def _decode_to(files: list[str], image: int | None) -> tuple[np.ndarray, list[str | None]]:
    """Most likely all pictures have the size of the first one. Only if that is 32×32 and another
    one is not, are they read twice."""
    if image is not None:
        return _decode(files, image)
    first = next((size for size in map(_size, files) if size), None)
    if first == (32, 32):
        decoded = _decode_if_all(files, 32)
        if decoded is not None:
            return decoded
    return _decode(files, 64)


def _size(path: str) -> tuple[int, int] | None:
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return picture.size
    except Exception:
        return None


def _decode(files: list[str], side: int) -> tuple[np.ndarray, list[str | None]]:
    decoded = _decode_if_all(files, side, strict=False)
    assert decoded is not None
    return decoded


def _decode_if_all(
    files: list[str], side: int, strict: bool = True
) -> tuple[np.ndarray, list[str | None]] | None:
    """(uint8 N×3×side×side, one error or None for each file); with `strict`, None if a picture of
    another size turns up."""
    need_memory(len(files), 3, side)
    images = np.zeros((len(files), 3, side, side), np.uint8)
    errors: list[str | None] = [None] * len(files)
    with Progress("decoding images", len(files), "images", quiet=len(files) < 4000) as progress:

        def decode(start: int) -> bool:
            for i in range(start, min(start + STEP, len(files))):
                try:
                    picture, _ = read_picture(files[i], side=side)
                except PictureError as error:
                    # The sentence begins with the name, which stands before it here.
                    why = str(error).replace(files[i], "")
                    why = why.removeprefix(os.path.basename(files[i]))
                    errors[i] = why.strip(" .")
                    continue
                if strict and _size(files[i]) != (side, side):
                    return False
                images[i] = picture
            progress.add(min(STEP, len(files) - start))
            return True

        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            jobs = [pool.submit(decode, start) for start in range(0, len(files), STEP)]
            for job in jobs:
                if not job.result():
                    pool.shutdown(cancel_futures=True)
                    return None
    return images, errors
