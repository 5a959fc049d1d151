"""Which files of a folder belong to which class, and which are training and which test images.

Names are compared as people read them: macOS writes an umlaut as two characters, Windows and Linux
as one.
"""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from inception_edu.data.errors import DataError

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
Part = list[tuple[int, str]]  # (label, path) of each picture


@dataclass
class Found:
    """The classes of a folder, its training and test images, and what a reader should know."""

    classes: tuple[str, ...]
    parts: tuple[Part, Part]
    notes: list[str] = field(default_factory=list)


def find_images(root: Path, seed: int) -> Found:
    """The images below `root`, by class. Raises DataError, with a sentence, where they do not make
    at least two classes."""
    left_out: Counter[str] = Counter()
    train, test = _one_of(root, TRAIN_NAMES), _one_of(root, TEST_NAMES)
    held_out: dict[str, list[str]] = {}
    if train is not None and _subfolders(train):
        top = train
        found = _of_classes(train, left_out)
        if test is not None:
            held_out = _of_classes(test, left_out)
            _same_classes(found, held_out, train, test)
    else:
        top = root
        found = _of_classes(root, left_out)
    if not any(found.values()):
        raise DataError(_nothing_there(top))
    classes = tuple(sorted(name for name in found if found[name]))
    if len(classes) < 2:
        _nested(top)
    need_two(classes, root)
    notes = []
    if empty := sorted(set(found) - set(classes)):
        notes.append(f"Without images: {', '.join(empty)}.")
    if left_out:
        kinds = ", ".join(f"{count} × {ending}" for ending, count in sorted(left_out.items()))
        notes.append(f"Left out, because they do not end like pictures: {kinds}.")
    if any(held_out.values()):
        parts = _given(classes, found, held_out)
    else:
        parts = _drawn(classes, found, seed)
        notes.append(f"A fifth of each class, drawn with seed {seed}, is held out as test images.")
    return Found(classes, parts, notes)


def _given(classes, found, held_out) -> tuple[Part, Part]:
    train = [(label, path) for label, name in enumerate(classes) for path in found[name]]
    test = [(label, path) for label, name in enumerate(classes) for path in held_out.get(name, [])]
    return train, test


def _drawn(classes, found, seed: int) -> tuple[Part, Part]:
    train: Part = []
    test: Part = []
    for label, name in enumerate(classes):
        paths = found[name]
        count = max(1, round(TEST_SHARE * len(paths))) if len(paths) > 1 else 0
        order = np.random.default_rng((seed, label)).permutation(len(paths))
        chosen = set(order[:count].tolist())
        for i, path in enumerate(paths):
            (test if i in chosen else train).append((label, path))
    return train, test


def _of_classes(directory: Path, left_out: Counter[str]) -> dict[str, list[str]]:
    """The pictures of each subfolder. Two subfolders whose names read the same are one class."""
    found: dict[str, list[str]] = {}
    for entry in _subfolders(directory):
        found.setdefault(shown(entry.name), []).extend(_pictures(entry, left_out))
    return found


def _pictures(directory: Path, left_out: Counter[str]) -> list[str]:
    paths = []
    for here, folders, files in os.walk(directory):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.startswith(".") or name.lower() in ("thumbs.db", "desktop.ini"):
                continue
            if name.lower().endswith(ENDINGS):
                paths.append(os.path.join(here, name))
            else:
                left_out[Path(name).suffix.lower() or name] += 1
    return paths


def _same_classes(found, held_out, train: Path, test: Path) -> None:
    for name in sorted(held_out):
        if held_out[name] and not found.get(name):
            raise DataError(
                f"{test} has images of class {name!r}, but {train} has none: the same classes "
                "should be in both."
            )


def _nothing_there(directory: Path) -> str:
    lying = [entry for entry in os.scandir(directory) if entry.name.lower().endswith(ENDINGS)]
    count = f", but {len(lying)} in the folder itself" if lying else ""
    return (
        f"There are no images in the subfolders of {directory}{count}: put the images of each "
        f"class ({', '.join(ENDINGS)}) into a subfolder named after the class."
    )


def _nested(directory: Path) -> None:
    """Raise where the classes lie one level too deep: a single subfolder that holds them all."""
    below = _subfolders(directory)
    inner = _subfolders(below[0]) if len(below) == 1 else []
    if len(inner) < 2:
        return
    names = ", ".join(shown(path.name) for path in inner[:5]) + (", …" if len(inner) > 5 else "")
    raise DataError(
        f"{directory} has one subfolder, {shown(below[0].name)}, and the classes ({names}) seem to "
        f"lie in it, one level too deep: use 'folder:{below[0]}', or move them up by one."
    )


def need_two(classes, root: Path) -> None:
    """Raise DataError where fewer than two classes are left."""
    if len(classes) < 2:
        found = f"of one class only ({classes[0]})" if classes else "of no class"
        raise DataError(
            f"{root} has readable images {found}, but a classifier needs at least two classes: put "
            "the images of each class into a subfolder of its own."
        )


def is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name that is too long, or that holds a zero byte
        return False


def shown(name: str) -> str:
    """A file's name as it can be compared and printed: composed characters, and � for bytes that
    are no text."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return unicodedata.normalize("NFC", text)


def within(path: str, root: Path) -> str:
    """The path below root. All paths begin with it; os.path.relpath is 20 times slower."""
    return shown(path[len(str(root)) :].lstrip(os.sep))


def _subfolders(directory: Path) -> list[Path]:
    found = []
    for entry in os.scandir(directory):
        if entry.is_dir() and not entry.name.startswith((".", "__MACOSX")):
            found.append(Path(entry))
    return sorted(found, key=lambda path: path.name)


def _one_of(root: Path, names: tuple[str, ...]) -> Path | None:
    """The subfolder with the first of these names, in any case, or None."""
    there = {path.name.lower(): path for path in reversed(_subfolders(root))}
    return next((there[name] for name in names if name in there), None)
