"""What a run is called: a digest of all that decides what it computes.

    identify(config)               which images (by their pixels), precision and device this machine
                                   would take
    digest(config, identity)       twelve characters, the same in every process, on every Python

A label says "photographs"; two machines may mean different pixels by it. So the name of a run holds
a fingerprint of the images, and a result that was made with others has another name.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache

import torch

from inception_edu.data import Data, Split, evenly, load
from inception_edu.learn import Recipe, autocast, default_device
from inception_edu.study.config import PHOTOGRAPHS, Config

# Of the result files: raised when an older reader would misread a newer file.
SCHEMA = 2
# Of the training: raised when the same recipe and seed give another curve than before.
RECIPE_VERSION = 1
HELD_OUT = 5000  # at most so many training images, and a fifth of them, are kept for validation


@dataclass(frozen=True)
class Identity:
    """What decides a run's numbers beside its configuration.

    data       fingerprint of all images and labels of the source
    precision  "float32" or "bfloat16", as computed in
    device     the kind of device: "cpu", "cuda", "mps"
    version    of the training, `RECIPE_VERSION`
    """

    data: str
    precision: str
    device: str
    version: int = RECIPE_VERSION


def digest(config: Config, identity: Identity) -> str:
    """Twelve characters that name what `config` computes on these images, in this precision, on
    this kind of device.

    The label is left out, so one run can belong to several experiments. So is every field of the
    configuration and of the recipe that has its default value: what learns something new keeps its
    old results.
    """
    values = {f.name: getattr(config, f.name) for f in fields(config)}
    values = {k: v for k, v in values.items() if k not in ("label", "arguments", "recipe")}
    values = _changed(values, {f.name: f.default for f in fields(config)})
    values["arguments"] = dict(config.arguments)
    values["recipe"] = _changed(asdict(config.recipe), asdict(Recipe()))
    values["identity"] = asdict(identity)
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _changed(values: dict, defaults: dict) -> dict:
    return {k: v for k, v in values.items() if v != defaults[k]}


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
