"""The work of the race lab: two networks train a step each in turn, with the same batches, and say
what they see on twelve test images."""

from __future__ import annotations

import base64
import io
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import torch

from inception_edu.data.types import Data
from inception_edu.labs.race_images import Images
from inception_edu.learn import History, Record
from inception_edu.study import Config, Result, Running, open_data

PICTURES = 12


@dataclass(frozen=True)
class Lap:
    """Both networks at one step: the record of each, or None for one that is out of the race;
    `says`: what each says of the twelve pictures (positions in the classes)."""

    sides: tuple[Record | None, ...]
    says: tuple[tuple[int, ...], ...] = ((), ())

    @property
    def step(self) -> int:
        return next(record.step for record in self.sides if record)


@dataclass(frozen=True)
class Race:
    """A race that is over: what each side's run showed, as `study.run` of its configuration alone
    would."""

    results: tuple[Result, ...]
    status: str
    sentence: str = ""


def twelve(data: Data) -> torch.Tensor:
    """Positions of the twelve test images: the first of each class in turn."""
    labels = data.test.labels.tolist()
    places: dict[int, list[int]] = {}
    for i, label in enumerate(labels):
        places.setdefault(label, []).append(i)
    chosen: list[int] = []
    turn = 0
    while len(chosen) < min(PICTURES, len(labels)):
        some = [group[turn] for _, group in sorted(places.items()) if turn < len(group)]
        chosen += some[: PICTURES - len(chosen)]
        turn += 1
    return torch.tensor(chosen)


def look_at(source: str, test_images: int | None = None) -> Images:
    """Open a source of images, all its test images or some of them. Raises `data.DataError` where
    there are none."""
    data = open_data(source, test_images=test_images)
    places = twelve(data)
    chosen = data.test[places]
    pictures = tuple(_png(image) for image in chosen.images)
    labels, there = tuple(chosen.labels.tolist()), tuple(places.tolist())
    about = _about(data) if source.startswith("folder:") else ""
    classes = tuple(data.classes)
    return Images(source, data.name, classes, data.image, pictures, labels, there, about)


def _about(data: Data) -> str:
    """ "144 training and 35 test images. Left out, because they cannot be read, …" """
    left = [note for note in data.notes if note.startswith(("Left out", "Without"))]
    files = re.sub(r" \([^)]*\)", "", " ".join(left))  # why, is in `data.describe()`
    count = f"{len(data.train):,} training and {len(data.test):,} test images."
    return textwrap.shorten(f"{count} {files}", 200, placeholder=" …")


def _png(image: torch.Tensor) -> str:
    from PIL import Image

    values = image.permute(1, 2, 0).numpy()
    picture = Image.fromarray(values.squeeze(2) if values.shape[2] == 1 else values)
    out = io.BytesIO()
    picture.save(out, "png")
    return base64.b64encode(out.getvalue()).decode()


@torch.no_grad()
def says(running: Running, chosen: torch.Tensor) -> tuple[int, ...]:
    """What a network that is being trained says now of some test images."""
    model, data = running.model, running.data
    images = data.normalise(data.test.images[chosen]).to(next(model.parameters()).device)
    size = dict(running.config.arguments).get("image", images.shape[-1])
    edge = (images.shape[-1] - size) // 2
    model.eval()
    answers = model(images[..., edge : edge + size, edge : edge + size]).argmax(1).tolist()
    model.train()
    return tuple(answers)


def race(configs: tuple[Config, Config], report: Callable, stop) -> Race:
    """Train both, a step of each in turn, and report a `Lap` with each record."""
    runs = [Running(config, stop=stop) for config in configs]
    chosen = twelve(runs[0].data)
    seen = [0, 0]
    while under_way := [run for run in runs if run.history.status == "running"]:
        for run in under_way:
            next(run)
        histories = [run.history for run in runs]
        counts = [len(history.records) for history in histories]
        if counts != seen:
            new = [h.records[-1] if n > s else None for h, n, s in zip(histories, counts, seen)]
            report(Lap(tuple(new), tuple(says(run, chosen) for run in runs)))
            seen = counts
    return Race(tuple(run.result() for run in runs), _status([run.history for run in runs]))


def _status(histories: list[History]) -> str:
    """A race is stopped where one side was, and diverged where both were."""
    statuses = [history.status for history in histories]
    if "stopped" in statuses:
        return "stopped"
    return "diverged" if statuses == ["diverged", "diverged"] else "finished"
