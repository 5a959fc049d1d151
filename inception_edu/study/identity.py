"""The images of a run, and what this machine would run it with.

identify(config)               which images (by their pixels), precision and device this machine
                               would take
open_data("fashion")           the images behind a configuration's `data`
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

import torch

from inception_edu.data.sources import load
from inception_edu.data.types import Data, Split, evenly
from inception_edu.learn import Recipe, autocast, default_device
from inception_edu.study.config import PHOTOGRAPHS, Config
from inception_edu.study.digests import Identity

HELD_OUT = 5000  # at most so many training images, and a fifth of them, are kept for validation


def identify(config: Config, source: str | None = None) -> Identity:
    """What this machine would run `config` with. Reads the images, once a process."""
    recipe = settled(config)
    place = default_device()
    return Identity(
        fingerprint(config.data, source), autocast(place, recipe.precision)[1], place.type
    )


def settled(config: Config) -> Recipe:
    """The recipe as it is trained: the precision "auto" is float32, so that a run means the same
    on every machine. (On a GPU torch lets convolutions multiply in TF32 then.)"""
    if config.recipe.precision == "auto":
        return replace(config.recipe, precision="float32")
    return config.recipe


# --- Images ---------------------------------------------------------------------------------------


def photographs() -> str:
    """The source behind "photographs": INCEPTION_EDU_PHOTOGRAPHS (for example folder:PATH), else
    cifar10."""
    return os.environ.get("INCEPTION_EDU_PHOTOGRAPHS", "cifar10")


def where(name: str, source: str | None = None) -> str:
    """The source of `load` behind a configuration's `data`; `source` says where the photographs
    are."""
    return (source or photographs()) if name == PHOTOGRAPHS else name


@lru_cache(maxsize=2)
def _data(source: str) -> Data:
    return load(source)


@lru_cache(maxsize=4)
def _judged(source: str, count: int | None, judge: str, per_class: int | None) -> Data:
    data = _data(source)
    if judge == "validation":
        data = held_out(data)
    if per_class is not None:
        data = replace(data, train=some(data.train, per_class * len(data.classes)))
    return data if count is None else replace(data, test=some(data.test, count))


def open_data(
    name: str = PHOTOGRAPHS,
    source: str | None = None,
    test_images: int | None = None,
    judge: str = "test",
    per_class: int | None = None,
) -> Data:
    """The images of a configuration, read once a process; `test_images`: only so many, as many of
    each class. `judge` and `per_class` as in `Config`. `source` says where the photographs are."""
    return _judged(where(name, source), test_images, judge, per_class)


def held_out(data: Data) -> Data:
    """The same images with `test` taken out of the training images: as many of each class, always
    the same ones, never trained on. The real test images are gone."""
    count = min(HELD_OUT, len(data.train) // 5)
    chosen = torch.from_numpy(evenly(data.train.labels.cpu().numpy(), count))
    kept = torch.ones(len(data.train), dtype=torch.bool)
    kept[chosen] = False
    place = data.train.labels.device
    return replace(data, train=data.train[kept.to(place)], test=data.train[chosen.to(place)])


def some(split: Split, count: int) -> Split:
    """`count` images, as many of each class: the same ones every time."""
    if count >= len(split):
        return split
    return split[torch.from_numpy(evenly(split.labels.cpu().numpy(), count))]


@lru_cache(maxsize=4)
def _fingerprint(source: str) -> str:
    data = _data(source)
    return fingerprint_of([data.train, data.test])


def fingerprint(name: str, source: str | None = None) -> str:
    """Sixteen characters for the pixels and labels behind a configuration's `data`."""
    return _fingerprint(where(name, source))


def fingerprint_of(splits: Iterable[Split]) -> str:
    """Sixteen characters for the shapes, pixels and labels of some splits, in order."""
    found = hashlib.sha256()
    for split in splits:
        found.update(repr(tuple(split.images.shape)).encode())
        found.update(split.images.cpu().contiguous().numpy().tobytes())
        found.update(split.labels.cpu().contiguous().numpy().tobytes())
    return found.hexdigest()[:16]


CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def exact_name(data: Data, source: str) -> str:
    """How results name their images. The JPEG copy of CIFAR-10 is told by its classes and
    counts."""
    sizes = (len(data.train), len(data.test))
    jpeg = source.startswith("folder:") and tuple(data.classes) == CIFAR10
    return "CIFAR-10 (JPEG copy)" if jpeg and sizes == (50_000, 10_000) else data.name
