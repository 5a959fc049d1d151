"""Data sets as one tensor on the device.

    data = load("fashion")
    print(data.describe())
    for images, labels in data.batches(data.train, 64, torch.Generator().manual_seed(0),
    augment="crop+flip"):
        ...                                       # images: 64×3×32×32 float32, labels: 64 int64,
                                                  both on the device

Small images fit into memory as a whole, so a split is one uint8 tensor; choosing, shifting,
mirroring and normalising a batch are a few tensor operations on the device that trains. Nothing is
decoded twice and no worker process is needed.

| source           | what it is                                                                      |
|------------------|---------------------------------------------------------------------------------|
| `fashion`        | embedded: 10,000 + 2,000 images of Fashion-MNIST, 32×32 grey, 10 classes        |
| `scales`         | generated: shapes and textures whose size is known (`scales:64` for 64×64)      |
| `cifar10`        | an existing copy, or else the original archive from the internet (163 MiB)      |
| `folder:PATH`    | any folder with one subfolder of images for each class                          |
"""

import hashlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

FASHION_SHA256 = "ff2095ba7f32272bab8b786394254f515150a9bdb8bfef46367b547fa775a1bb"
FASHION_CLASSES = (
    "T-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
AUGMENTATIONS = ("crop", "window", "flip", "cutout")


class DataError(RuntimeError):
    """Images could not be had. The message is a sentence that says what is wrong and what to do."""


@dataclass(frozen=True, eq=False)
class Split:
    """Images with their labels, on one device.

    images: uint8, N×C×H×W with C = 1 (grey) or 3 (red, green, blue).
    labels: int64, N; positions in `Data.classes`.
    factors: float32, N, or None; for `scales` the size of each object in pixels.
    """

    images: Tensor
    labels: Tensor
    factors: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, chosen) -> "Split":
        """The split of some of the images: a slice, a tensor of positions, or a mask such as
        `test.factors < 12`."""
        factors = None if self.factors is None else self.factors[chosen]
        return Split(self.images[chosen], self.labels[chosen], factors)

    def to(self, device) -> "Split":
        factors = None if self.factors is None else self.factors.to(device)
        return Split(self.images.to(device), self.labels.to(device), factors)


@dataclass(frozen=True, eq=False)
class Data:
    """Training and test images with the names of their classes; `notes` holds what a reader should
    know about them."""

    name: str
    classes: tuple[str, ...]
    train: Split
    test: Split
    notes: tuple[str, ...] = ()

    @property
    def device(self) -> torch.device:
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
        counts = torch.stack(
            [torch.bincount(images[:, c].flatten(), minlength=256) for c in range(images.shape[1])]
        )
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
        """uint8 N×C×H×W to float32 N×3×H×W: minus the training mean, divided by the training
        standard deviation.

        Grey images are repeated in three channels. A channel that is constant over all training
        images becomes 0.
        """
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
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches (images float32 B×3×H×W, labels int64 B) of a split, on the split's device.

        With a generator, for training: the images in random order, each at most once an epoch. The
        last, partial batch of an epoch is left out, so all batches have `batch_size` images (a
        split smaller than that is one batch); other images are left out in the next epoch. With
        `steps`, epochs follow each other until that many batches are made.

        Without a generator, for evaluation: each image exactly once, in order; the last batch may
        be smaller.

        augment: "none", or any of "crop", "window", "flip", "cutout" joined by "+", see `augment`;
        needs a generator. All random numbers of an epoch are drawn at its start on the generator's
        device: a generator on the CPU gives the same batches on every device. Raises ValueError for
        a batch size or an `augment` that makes no sense.
        """
        kinds = _kinds(augment)
        if batch_size < 1:
            raise ValueError(f"A batch needs at least one image, but batch_size is {batch_size}.")
        if generator is None and (kinds or steps is not None):
            raise ValueError(
                "Augmentation and `steps` are for training: pass a torch.Generator, which also shuffles."
            )
        if len(split) == 0:
            raise ValueError("There are no images in this split, so there are no batches.")
        return self._batches(split, batch_size, generator, kinds, steps)

    def _batches(self, split, batch_size, generator, kinds, steps):
        if generator is None:
            for start in range(0, len(split), batch_size):
                batch = split[start : start + batch_size]
                yield self.normalise(batch.images), batch.labels
            return
        size, device, done = min(batch_size, len(split)), split.images.device, 0
        while steps is None or done < steps:
            order = torch.randperm(len(split), generator=generator, device=generator.device).to(
                device
            )
            draws = _draw(len(split), split.images.shape, kinds, generator, device)
            for start in range(0, len(split) - size + 1, size):
                if done == steps:
                    return
                chosen = order[start : start + size]
                images = _apply(
                    split.images[chosen],
                    {kind: x[start : start + size] for kind, x in draws.items()},
                    self.mean,
                )
                yield self.normalise(images), split.labels[chosen]
                done += 1
            if steps is None:
                return

    def samples(self, n: int, split: str = "test") -> Tensor:
        """The first n images of each class: uint8, classes × n × C × H × W.

        Raises ValueError if a class has fewer than n images.
        """
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

    def to(self, device) -> "Data":
        return replace(self, train=self.train.to(device), test=self.test.to(device))

    def describe(self) -> str:
        """One line: the source, how many images and classes, their size, and the device; then the
        notes, if any."""
        _, channels, height, width = self.train.images.shape
        megabytes = sum(part.images.numel() for part in (self.train, self.test)) / 1e6
        colour = "grey" if channels == 1 else "colour"
        line = (
            f"{self.name}: {len(self.train):,} training and {len(self.test):,} test images, {len(self.classes)} "
            f"classes, {height}×{width} {colour}, {megabytes:.1f} MB on {self.device}"
        )
        return " ".join((line + ".", *self.notes)) if self.notes else line

    def __repr__(self) -> str:
        return f"<Data {self.describe()}>"

    def _repr_html_(self) -> str:
        from html import escape

        counts = [
            torch.bincount(part.labels.cpu(), minlength=len(self.classes))
            for part in (self.train, self.test)
        ]
        rows = "".join(
            f"<tr><td>{escape(name)}</td><td>{train:,}</td><td>{test:,}</td></tr>"
            for name, train, test in zip(self.classes, *(c.tolist() for c in counts))
        )
        return (
            f"<div class='inception-data'><p>{escape(self.describe())}</p>"
            f"<details><summary>images of each class</summary><table><thead><tr><th>class</th><th>training</th>"
            f"<th>test</th></tr></thead><tbody>{rows}</tbody></table></details></div>"
        )


# ---------------------------------------------------------------------------------------------------- augmentation


def augment(
    images: Tensor, how: str, generator: torch.Generator, fill: Tensor | float = 0.5
) -> Tensor:
    """Randomly changed copies of uint8 images N×C×H×W, one draw an image, all at once on the
    images' device.

    how: "none", or any of these joined by "+":
    "crop"    shift by up to an eighth of the side (4 pixels at 32) each way; the border is filled
              by reflection
    "window"  cut out a square that is an eighth smaller (28×28 of 32×32), anywhere; nothing is
              filled, so the result is smaller than the image
    "flip"    mirror left and right with probability one half
    "cutout"  cover one square, half as wide as the image, with `fill` (per channel, from 0 to 1);
              its centre may lie anywhere in the image, so the square may be cut off at the border

    Raises ValueError if `how` names anything else.
    """
    return _apply(
        images, _draw(len(images), images.shape, _kinds(how), generator, images.device), fill
    )


def _kinds(how):
    kinds = () if how == "none" else tuple(how.split("+"))
    if unknown := [kind for kind in kinds if kind not in AUGMENTATIONS]:
        raise ValueError(
            f"There is no augmentation {unknown[0]!r}: write 'none', or join any of "
            f"{', '.join(AUGMENTATIONS)} by '+', for example 'crop+flip'."
        )
    return kinds


def reach(side: int) -> int:
    """How many pixels "crop" shifts an image of this side at most: an eighth of it, 4 at 32
    pixels."""
    return max(1, round(side / 8))


def window(side: int) -> int:
    """The side that "window" leaves of an image's: 28 of 32 pixels."""
    return side - reach(side)


def _draw(count, shape, kinds, generator, device):
    """The random numbers of `count` images: shifts (count×2), mirrored or not (count), middles of
    squares (count×2)."""
    height, width = shape[-2:]

    def integers(low, high):
        return torch.randint(low, high, (count,), generator=generator, device=generator.device)

    draws = {}
    if "window" in kinds:
        draws["window"] = torch.stack(
            [integers(0, reach(height) + 1), integers(0, reach(width) + 1)], 1
        ).to(device)
        height, width = window(height), window(width)
    if "crop" in kinds:
        (up, left) = reach(height), reach(width)
        draws["crop"] = torch.stack([integers(-up, up + 1), integers(-left, left + 1)], 1).to(
            device
        )
    if "flip" in kinds:
        draws["flip"] = integers(0, 2).bool().to(device)
    if "cutout" in kinds:
        draws["cutout"] = torch.stack([integers(0, height), integers(0, width)], 1).to(device)
    return draws


def _apply(images, draws, fill):
    count, channels, height, width = images.shape
    if {"window", "crop", "flip"} & set(draws):
        # Which row and column of the image each row and column of the result shows; both are then
        # one gather.
        line = width
        if "window" in draws:
            height, width = window(height), window(width)
        rows = torch.arange(height, device=images.device).expand(count, height)
        columns = torch.arange(width, device=images.device).expand(count, width)
        if "flip" in draws:
            columns = torch.where(draws["flip"][:, None], columns.flip(1), columns)
        if "crop" in draws:
            rows = _reflect(rows + draws["crop"][:, :1], height)
            columns = _reflect(columns + draws["crop"][:, 1:], width)
        if "window" in draws:
            rows, columns = rows + draws["window"][:, :1], columns + draws["window"][:, 1:]
        places = (
            (rows[:, :, None] * line + columns[:, None, :])
            .view(count, 1, -1)
            .expand(-1, channels, -1)
        )
        images = (
            images.reshape(count, channels, -1)
            .gather(2, places)
            .view(count, channels, height, width)
        )
    if "cutout" in draws:
        y, x = draws["cutout"][:, :1], draws["cutout"][:, 1:]
        tall, wide = height // 2, width // 2
        down = (
            torch.arange(height, device=images.device) - y + tall // 2
        )  # 0 in the first covered row
        across = torch.arange(width, device=images.device) - x + wide // 2
        covered = ((down >= 0) & (down < tall))[:, None, :, None] & (
            (across >= 0) & (across < wide)
        )[:, None, None, :]
        fill = (
            (255 * torch.as_tensor(fill, dtype=torch.float32))
            .round()
            .to(images.device, torch.uint8)
        )
        images = torch.where(covered, fill.view(1, -1, 1, 1), images)
    return images


def _reflect(position, length):
    """Positions outside 0 … length-1 mirrored at the border pixel: -1 is 1, length is length-2."""
    return (length - 1) - ((length - 1) - position.abs()).abs()


# --------------------------------------------------------------------------------------------------------- sources


def load(
    source: str = "fashion",
    device=None,
    limit: int | tuple[int, int] | None = None,
    image: int | None = None,
    seed: int = 0,
) -> Data:
    """The images of a source (see the top of this module), ready on the device.

    device: as for torch; None takes the best one there is, see `default_device`.
    limit: at most so many images in each split, or a pair for (training, test); evenly from the
    classes. image: side in pixels; None takes the source's own (fashion, cifar10, scales: 32;
    folder: 32 if all its images are
        32×32, else 64). Images of another size are rescaled; `fashion` at 28 is the original
        without its border.
    seed: of what is drawn: the pictures of `scales`, and the test images of a folder that has no
    test folder.

    Raises DataError, with a sentence that says what to do, if the source is unknown or cannot be
    read.
    """
    kind, _, rest = source.partition(":")
    limits = limit if isinstance(limit, tuple) else (limit, limit)
    if any(most is not None and most < 1 for most in limits):
        raise DataError(f"limit is {limit}, but a split needs at least one image.")
    if kind == "scales" and rest:
        if not rest.isdecimal():
            raise DataError(
                f"{source!r} should end in the side of the images in pixels, for example 'scales:64'."
            )
        image = int(rest)
    if image is not None and image < 8:
        raise DataError(f"image is {image}, but images need at least 8 pixels a side.")
    if kind == "fashion" and not rest:
        data = _fashion(image)
    elif kind == "scales":
        from inception_edu.data.scales import scales_data

        data = scales_data(image or 32, limits, seed)
    elif kind == "cifar10" and not rest:
        from inception_edu.data.sources import cifar10

        data = cifar10(image)
    elif kind == "folder" and rest:
        from inception_edu.data.sources import folder

        data = folder(Path(rest).expanduser(), image, limits, seed)
    else:
        raise DataError(
            f"There is no source {source!r}: use 'fashion', 'scales', 'cifar10' or 'folder:PATH', where "
            "PATH is a folder with one subfolder of images for each class."
        )
    data = replace(data, train=_first(data.train, limits[0]), test=_first(data.test, limits[1]))
    return data.to(default_device() if device is None else device)


def default_device() -> torch.device:
    """INCEPTION_EDU_DEVICE if it is set, else CUDA, else MPS (Apple), else the CPU."""
    if chosen := os.environ.get("INCEPTION_EDU_DEVICE"):
        return torch.device(chosen)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def data_dir() -> Path:
    """The folder of the embedded data: in an installed package `inception_edu/_data`, else `data`
    beside the package.

    Raises DataError if there is neither.
    """
    here = Path(__file__).resolve().parents[1]
    for folder in (here / "_data", here.parent / "data"):
        if folder.is_dir():
            return folder
    raise DataError(
        f"The embedded data is missing: neither {here / '_data'} nor {here.parent / 'data'} exists. "
        "Install the project again, or work in a complete copy of its repository."
    )


def downloads_dir() -> Path:
    """Where downloads and decoded folders are kept: INCEPTION_EDU_DATA, or ~/.cache/inception_edu.
    Not created here."""
    return Path(os.environ.get("INCEPTION_EDU_DATA") or "~/.cache/inception_edu").expanduser()


def evenly(labels, limit: int) -> np.ndarray:
    """Positions, in order, of `limit` labels taken from the classes in turn: the first of each, the
    second of each …"""
    labels = np.asarray(labels)
    by_class = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[by_class], labels[by_class])
    turn = np.empty(len(labels), np.int64)
    turn[by_class] = (
        np.arange(len(labels)) - starts
    )  # how many of its own class come before each one
    return np.sort(np.lexsort((labels, turn))[:limit])


def _first(split, limit):
    if limit is None or limit >= len(split):
        return split
    return split[torch.from_numpy(evenly(split.labels.numpy(), limit))]


def rescale(images: Tensor, side: int) -> Tensor:
    """uint8 N×C×H×W rescaled to side×side pixels (bilinear, averaging over the pixels where it
    shrinks)."""
    if images.shape[-2:] == (side, side):
        return images
    out = torch.empty(*images.shape[:2], side, side, dtype=torch.uint8)
    for old, new in zip(images.split(1000), out.split(1000)):
        new.copy_(
            F.interpolate(old.float(), (side, side), mode="bilinear", antialias=True).round_()
        )
    return out


def _fashion(image):
    path = data_dir() / "fashion.npz"
    if not path.is_file():
        raise DataError(
            f"{path} is missing: fetch it again, or build it with data/build_fashion.py."
        )
    packed = path.read_bytes()
    if hashlib.sha256(packed).hexdigest() != FASHION_SHA256:
        raise DataError(
            f"{path} is damaged or changed, its checksum is not the one written in inception_edu/data.py: "
            "fetch it again, or build it with data/build_fashion.py."
        )
    border = 0 if image == 28 else 2
    splits = []
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        for name in ("train", "test"):
            images = np.pad(arrays[f"{name}_images"], ((0, 0), (border, border), (border, border)))
            images = torch.from_numpy(images).unsqueeze(1)
            splits.append(
                Split(
                    rescale(images, image or 32), torch.from_numpy(arrays[f"{name}_labels"]).long()
                )
            )
    return Data("fashion", FASHION_CLASSES, *splits)
