"""What every source gives: `Data`, training and test images as two `Split`s.

Small images fit into memory as a whole, so a split is one uint8 tensor; choosing, shifting,
mirroring and normalising a batch are a few tensor operations on the device that trains. Nothing is
decoded twice and no worker process is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from inception_edu._numbers import is_whole
from inception_edu.data import augmentation
from inception_edu.data.places import device_here, need_memory


@dataclass(frozen=True, eq=False)
class Split:
    """Images with their labels, on one device: the CPU, unless `to` put them elsewhere.

    images: uint8, N×C×H×W with C = 1 (grey) or 3 (red, green, blue).
    labels: int64, N; positions in `Data.classes`.
    factors: float32, N, or None; for `scales` the size of each object in pixels.
    """

    images: Tensor
    labels: Tensor
    factors: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, chosen) -> Split:
        """The split of some of the images: a slice, a tensor of positions, or a mask such as
        `test.factors < 12`."""
        factors = None if self.factors is None else self.factors[chosen]
        return Split(self.images[chosen], self.labels[chosen], factors)

    def to(self, device) -> Split:
        """The same images on a device. Raises `DataError` where torch has no such one."""
        device = device_here(device)
        factors = None if self.factors is None else self.factors.to(device)
        return Split(self.images.to(device), self.labels.to(device), factors)


@dataclass(frozen=True, eq=False)
class Data:
    """Training and test images with the names of their classes; `notes` holds what a reader should
    know about them.

    Images lie on the CPU. Batches go to the device of the network that wants them. Where many
    steps are made on a GPU, `data.to(device)` keeps the whole set there and saves those journeys.
    """

    name: str
    classes: tuple[str, ...]
    train: Split
    test: Split
    notes: tuple[str, ...] = ()

    @property
    def device(self) -> torch.device:
        """Where the images lie."""
        return self.train.images.device

    @property
    def image(self) -> int:
        """Side of the images in pixels."""
        return self.train.images.shape[-1]

    @cached_property
    def _moments(self) -> tuple[Tensor, Tensor]:
        # Counting how often each of the 256 levels occurs is exact: the same images give the same
        # bits on every device.
        images, levels = self.train.images.cpu(), torch.arange(256, dtype=torch.float64)
        channels = [images[:, c].flatten() for c in range(images.shape[1])]
        counts = torch.stack([torch.bincount(pixels, minlength=256) for pixels in channels])
        share = counts / counts.sum(1, keepdim=True, dtype=torch.float64)
        mean = (share * levels).sum(1)
        std = (share * (levels - mean[:, None]) ** 2).sum(1).sqrt()
        return (mean / 255).float(), (std / 255).float()

    @property
    def mean(self) -> Tensor:
        """Mean of the training images per channel, float32 on the CPU, where black is 0 and white
        is 1."""
        return self._moments[0]

    @property
    def std(self) -> Tensor:
        """Standard deviation of the training images per channel, in the units of `mean`."""
        return self._moments[1]

    def normalise(self, images: Tensor) -> Tensor:
        """uint8 N×C×H×W to float32 N×3×H×W, on the images' device: minus the training mean, divided
        by the training standard deviation.

        Grey images are repeated in three channels. A channel that is constant over all training
        images becomes 0. Raises ValueError for images that are not bytes, or with another number
        of channels than the training images have.
        """
        channels = self.train.images.shape[1]
        if images.dtype != torch.uint8:
            kind = str(images.dtype).removeprefix("torch.")
            raise ValueError(
                f"`normalise` takes bytes (uint8, 0 to 255), got {kind}: a batch of `batches` is "
                "normalised already."
            )
        if images.ndim != 4 or images.shape[1] != channels:
            shape = "×".join(map(str, images.shape))
            raise ValueError(f"{self.name} has images of shape N×{channels}×H×W, got {shape}.")
        std = 255 * self.std
        gain = torch.where(std > 0, 1 / std, torch.zeros(()))
        shift = -255 * self.mean * gain
        gain, shift = (x.view(-1, 1, 1).to(images.device) for x in (gain, shift))
        out = images.to(torch.float32).mul_(gain).add_(shift)
        return out if out.shape[1] == 3 else out.repeat(1, 3, 1, 1)

    def batches(
        self,
        split: Split,
        batch_size: int,
        generator: torch.Generator | None = None,
        augment: str = "none",
        steps: int | None = None,
        device: str | torch.device | None = None,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches (images float32 B×3×H×W, labels int64 B) of a split, on `device` (None: where the
        split is). What travels is the bytes; changing and normalising happen there.

        With a generator, for training: the images in random order, each at most once an epoch. The
        last, partial batch of an epoch is left out, so all batches have `batch_size` images (a
        split smaller than that is one batch); other images are left out in the next epoch. With
        `steps`, epochs follow each other until that many batches are made.

        Without a generator, for evaluation: each image exactly once, in order; the last batch may
        be smaller.

        augment: "none", or any of "crop", "window", "flip", "cutout" joined by "+", see `augment`;
        needs a generator. All random numbers of an epoch are drawn at its start on the generator's
        device: a generator on the CPU gives the same batches on every device. Raises ValueError for
        a batch size or an `augment` that makes no sense, `DataError` for a device that is not here.
        """
        kinds = augmentation.parse(augment)
        if not hasattr(split, "images"):
            raise ValueError(f"split is a part of the data, such as data.train; got {split!r}.")
        for what, number in (("batch_size", batch_size), ("steps", steps)):
            if number is not None and not is_whole(number):
                raise ValueError(f"{what} should be a whole number, got {number!r}.")
        if batch_size < 1:
            raise ValueError(f"A batch needs at least one image, but batch_size is {batch_size}.")
        if generator is None and (kinds or steps is not None):
            raise ValueError(
                "Augmentation and `steps` are for training: pass a torch.Generator, which also "
                "shuffles."
            )
        if len(split) == 0:
            raise ValueError("There are no images in this split, so there are no batches.")
        place = split.images.device if device is None else device_here(device)
        if generator is None:
            return self._in_order(split, batch_size, place)
        return self._shuffled(split, batch_size, generator, kinds, steps, place)

    def _in_order(self, split, batch_size, place):
        for start in range(0, len(split), batch_size):
            batch = split[start : start + batch_size].to(place)
            yield self.normalise(batch.images), batch.labels

    def _shuffled(self, split, batch_size, generator, kinds, steps, place):
        size, done = min(batch_size, len(split)), 0
        while steps is None or done < steps:
            order = torch.randperm(len(split), generator=generator, device=generator.device)
            order = order.to(split.images.device)
            draws = augmentation.draw(len(split), split.images.shape, kinds, generator)
            for start in range(0, len(split) - size + 1, size):
                if done == steps:
                    return
                chosen = slice(start, start + size)
                batch = split[order[chosen]].to(place)
                of_batch = {kind: numbers[chosen] for kind, numbers in draws.items()}
                images = augmentation.apply(batch.images, of_batch, self.mean)
                yield self.normalise(images), batch.labels
                done += 1
            if steps is None:
                return

    def samples(self, n: int, split: str = "test") -> Tensor:
        """The first n images of each class: uint8, classes × n × C × H × W.

        Raises ValueError if a class has fewer than n images.
        """
        if not is_whole(n) or n < 1:
            raise ValueError(f"n should be a whole number of at least 1, got {n!r}.")
        if split not in ("train", "test"):
            raise ValueError(f"split is 'train' or 'test', got {split!r}.")
        part = getattr(self, split)
        rows = []
        for label, name in enumerate(self.classes):
            found = (part.labels == label).nonzero()[:n, 0]
            if len(found) < n:
                raise ValueError(
                    f"{n} images of class {name!r} were asked for, but the {split} images have "
                    f"{len(found)}."
                )
            rows.append(part.images[found])
        return torch.stack(rows)

    def to(self, device) -> Data:
        """The same images on a device, as a whole: the one explicit word for what `batches` does
        batch by batch. Raises `DataError` where torch has no such device."""
        return replace(self, train=self.train.to(device), test=self.test.to(device))

    def describe(self) -> str:
        """One line: the source, how many images and classes, their size, and the device; then the
        notes, if any."""
        _, channels, height, width = self.train.images.shape
        megabytes = sum(part.images.numel() for part in (self.train, self.test)) / 1e6
        colour = "grey" if channels == 1 else "colour"
        line = (
            f"{self.name}: {len(self.train):,} training and {len(self.test):,} test images, "
            f"{len(self.classes)} classes, {height}×{width} {colour}, {megabytes:.1f} MB on "
            f"{self.device}"
        )
        return " ".join((line + ".", *self.notes)) if self.notes else line

    def __repr__(self) -> str:
        return f"<Data {self.describe()}>"

    def _repr_html_(self) -> str:
        rows = ""
        train, test = (self._per_class(part) for part in (self.train, self.test))
        for name, of_train, of_test in zip(self.classes, train, test):
            rows += f"<tr><td>{escape(name)}</td><td>{of_train:,}</td><td>{of_test:,}</td></tr>"
        return (
            f"<div class='inception-data'><p>{escape(self.describe())}</p>"
            "<details><summary>images of each class</summary><table><thead><tr><th>class</th>"
            f"<th>training</th><th>test</th></tr></thead><tbody>{rows}</tbody></table></details>"
            "</div>"
        )

    def _per_class(self, part: Split) -> list[int]:
        return torch.bincount(part.labels.cpu(), minlength=len(self.classes)).tolist()


def evenly(labels, limit: int) -> np.ndarray:
    """Positions, in order, of `limit` labels taken from the classes in turn: the first of each, the
    second of each …"""
    labels = np.asarray(labels)
    by_class = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[by_class], labels[by_class])
    turn = np.empty(len(labels), np.int64)  # how many of its own class come before each one
    turn[by_class] = np.arange(len(labels)) - starts
    return np.sort(np.lexsort((labels, turn))[:limit])


def rescale(images: Tensor, side: int) -> Tensor:
    """uint8 N×C×H×W rescaled to side×side pixels (bilinear, averaging over the pixels where it
    shrinks). Raises `DataError` where there is no memory for them."""
    if images.shape[-2:] == (side, side):
        return images
    need_memory(images.shape[0], images.shape[1], side)
    out = torch.from_numpy(np.empty((*images.shape[:2], side, side), np.uint8))
    few = max(1, min(1000, 2**26 // (images.shape[1] * side**2)))  # at a time: 256 MB as float32
    for old, new in zip(images.split(few), out.split(few)):
        new.copy_(
            F.interpolate(old.float(), (side, side), mode="bilinear", antialias=True).round_()
        )
    return out
