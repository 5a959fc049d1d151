"""The single-crop error of a file of weights on a folder of validation pictures.

    python -m inception_edu.learn.released WEIGHTS FOLDER [--labels FILE] [--limit N]

`FOLDER` holds one subfolder a class, whose names in order are the classes 0, 1, …: ImageNet's
validation set sorted into its 1000 folders n01440764, …; or pictures alone, with `--labels`: a text
file with a line "NAME NUMBER" for each. Pictures are prepared as the package that wrote the weights
does it: `nets.passport` says which that is.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from inception_edu.learn.evaluate import interval, right
from inception_edu.nets import (
    Passport,
    Preprocessing,
    WeightsError,
    device_of,
    evaluating,
    passport,
)

ENDINGS = (".jpeg", ".jpg", ".png", ".webp", ".bmp")


@dataclass(frozen=True)
class SingleCrop:
    """Errors of one network on one crop of `count` pictures, from 0 to 1; `unread` are files that
    could not be decoded."""

    network: str
    count: int
    top1: float
    top5: float
    unread: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = []
        for k, error in ((1, self.top1), (5, self.top5)):
            low, high = interval(round(error * self.count), self.count)
            said.append(f"top-{k} error {error:.2%} (95 %: {low:.2%} to {high:.2%})")
        files = "1 file" if len(self.unread) == 1 else f"{len(self.unread)} files"
        left = f" {files} could not be read." if self.unread else ""
        return f"{self.network} on one crop of {self.count} pictures: {', '.join(said)}.{left}"


def labelled(folder: str | os.PathLike, labels: str | os.PathLike | None = None):
    """(path, class) of each picture below a folder, in order. Raises `WeightsError` where there are
    none, or a label is missing."""
    folder = Path(folder)
    if not folder.is_dir():
        raise WeightsError(f"There is no folder {folder}.")
    if labels is not None:
        try:
            text = Path(labels).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise WeightsError(f"The labels {labels} cannot be read: {error}.") from None
        words = [line.split() for line in text.splitlines()]
        if bad := [" ".join(w) for w in words if w and (len(w) != 2 or not w[1].isdigit())]:
            raise WeightsError(f'A line of labels is "NAME NUMBER", got "{bad[0]}".')
        found = [(folder / w[0], int(w[1])) for w in words if w]
    else:
        classes = sorted(path for path in folder.iterdir() if path.is_dir())
        found = [
            (path, number)
            for number, place in enumerate(classes)
            for path in sorted(place.iterdir())
            if path.suffix.lower() in ENDINGS
        ]
    if not found:
        raise WeightsError(
            f"{folder} has no subfolders with pictures: one for each class is needed, "
            "or labels=FILE with a line for each picture."
        )
    return found


def single_crop(
    model: torch.nn.Module,
    prepare: Preprocessing,
    pictures: Sequence[tuple[Path, int]],
    batch_size: int = 16,
    name: str = "",
) -> SingleCrop:
    """The errors of a model (N×3×H×W → N×classes) on (path, class) pairs, each picture prepared
    and cropped once. Files that cannot be decoded are left out and named."""
    from PIL import Image

    place, hits, unread = device_of(model), [0, 0], []
    batch: list[torch.Tensor] = []
    labels: list[int] = []

    def flush() -> None:
        if batch:
            rows = model(torch.cat(batch).to(place)).float().cpu()
            answer = torch.tensor(labels)
            for i, k in enumerate((1, min(5, rows.shape[1]))):
                hits[i] += int(right(rows, answer, k).sum())
        batch.clear()
        labels.clear()

    with evaluating(model):
        for path, label in pictures:
            try:
                with Image.open(path) as picture:
                    batch.append(prepare(picture))
            except OSError:
                unread.append(str(path))
                continue
            labels.append(label)
            if len(batch) == batch_size:
                flush()
        flush()
    count = len(pictures) - len(unread)
    if not count:
        raise WeightsError(f"None of the {len(pictures)} pictures could be read.")
    top1, top5 = (1 - hit / count for hit in hits)
    return SingleCrop(name, count, top1, top5, tuple(unread))


def evaluate_file(
    weights: str | os.PathLike,
    folder: str | os.PathLike,
    labels: str | os.PathLike | None = None,
    limit: int | None = None,
) -> tuple[Passport, SingleCrop]:
    """A file's passport, and its errors on a folder (`limit`: on so many pictures, spread evenly).

    Raises `WeightsError` where the file or the folder is not what is needed.
    """
    if limit is not None and limit < 1:
        raise WeightsError(f"The limit is {limit}, but an error needs at least one picture.")
    found, pictures = passport(weights), labelled(folder, labels)
    most = max(label for _, label in pictures)
    if not found.classes:
        raise WeightsError(f"{found.file} has no classifier, so it names no pictures.")
    if most >= found.classes:
        raise WeightsError(
            f"{found.file} knows {found.classes} classes, the pictures are of {most + 1}."
        )
    if limit is not None and limit < len(pictures):
        step = len(pictures) / limit
        pictures = [pictures[int(i * step)] for i in range(limit)]
    model, name = found.load(), found.description.name
    return found, single_crop(model, found.prepare, pictures, name=name)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m inception_edu.learn.released",
        description="The single-crop error of a file of weights on a folder of pictures.",
    )
    parser.add_argument("weights", help="a file of weights")
    parser.add_argument("folder", help="pictures, one subfolder a class; or alone, with --labels")
    parser.add_argument("--labels", help='a file with lines "NAME NUMBER"')
    parser.add_argument("--limit", type=int, help="only so many pictures, spread evenly")
    args = parser.parse_args(words)
    try:
        found, errors = evaluate_file(args.weights, args.folder, args.labels, args.limit)
    except WeightsError as error:
        print(error, file=sys.stderr)
        return 1
    print(found, errors, sep="\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
