"""`load`: one call for every source of images."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import torch

from inception_edu._numbers import is_whole
from inception_edu.data.cifar10 import cifar10
from inception_edu.data.errors import DataError
from inception_edu.data.fashion import fashion
from inception_edu.data.folder import folder
from inception_edu.data.places import device_here
from inception_edu.data.scales import scales_data
from inception_edu.data.types import Data, Split, evenly, rescale


def load(
    source: str | os.PathLike = "fashion",
    device: str | torch.device = "cpu",
    limit: int | tuple[int, int] | None = None,
    image: int | None = None,
    seed: int = 0,
) -> Data:
    """The images of a source, on the CPU.

    source: "fashion", "scales" or "scales:64", "cifar10", or "folder:PATH"; a `Path` is such a
        folder.
    device: keep the whole set on this device instead; see `Data.to`.
    limit: at most so many images in each split, or a pair for (training, test); evenly from the
        classes.
    image: side in pixels; None takes the source's own (fashion, cifar10, scales: 32; folder: 32 if
        all its images are 32×32, else 64). Images of another size are rescaled; `fashion` at 28 is
        the original without its border.
    seed: of what is drawn: the pictures of `scales`, and the test images of a folder that has no
        test folder.

    Raises DataError, with a sentence that says what to do, if the source is unknown or cannot be
    read, if there is no such device, or not the memory for such images.
    """
    place = device_here(device)
    if isinstance(source, os.PathLike):
        source = f"folder:{os.fspath(source)}"
    if not isinstance(source, str):
        raise DataError(_unknown(repr(source)))
    kind, _, rest = source.partition(":")
    limits = limit if isinstance(limit, tuple) else (limit, limit)
    if len(limits) != 2:
        raise DataError(f"limit is {limit}: give one number, or two, for training and test images.")
    numbers = (("limit", limits[0]), ("limit", limits[1]), ("image", image), ("seed", seed))
    for what, value in numbers:
        if not is_whole(value) and (value is not None or what == "seed"):
            raise DataError(f"{what} should be a whole number, got {value!r}.")
    if seed < 0:
        raise DataError(f"seed is {seed}, but seeds begin at 0.")
    if any(most is not None and most < 1 for most in limits):
        raise DataError(f"limit is {limit}, but a split needs at least one image.")
    if kind == "scales" and rest:
        if not rest.isdecimal():
            raise DataError(
                f"{source!r} should end in the side of the images in pixels, for example "
                "'scales:64'."
            )
        image = int(rest)
    if image is not None and image < 8:
        raise DataError(f"image is {image}, but images need at least 8 pixels a side.")
    if kind == "fashion" and not rest:
        data = fashion(border=0 if image == 28 else 2)
    elif kind == "scales":
        data = scales_data(image or 32, limits, seed)
    elif kind == "cifar10" and not rest:
        data = cifar10()
    elif kind == "folder" and rest:
        rest = rest.strip()
        if len(rest) > 2 and rest[0] == rest[-1] and rest[0] in "\"'":
            rest = rest[1:-1]  # as file managers copy a path
        try:
            root = Path(rest).expanduser()
        except RuntimeError as error:  # ~somebody, who is not there
            raise DataError(f"{source!r} cannot be found: {error}") from None
        data = folder(root, image, limits, seed)
    else:
        raise DataError(_unknown(source))
    train, test = _first(data.train, limits[0]), _first(data.test, limits[1])
    if image is not None:
        train, test = (replace(part, images=rescale(part.images, image)) for part in (train, test))
    return replace(data, train=train, test=test).to(place)


def _unknown(source: str) -> str:
    try:
        is_folder = Path(source).expanduser().is_dir()
    except (OSError, ValueError, RuntimeError):  # too long, a zero byte, an unknown ~user
        is_folder = False
    if is_folder and source:
        return f"{source!r} is a folder: write 'folder:{source}'."
    return (
        f"There is no source {source!r}: use 'fashion', 'scales', 'cifar10' or 'folder:PATH', "
        "where PATH is a folder with one subfolder of images for each class."
    )


def _first(split: Split, limit: int | None) -> Split:
    if limit is None or limit >= len(split):
        return split
    return split[torch.from_numpy(evenly(split.labels.numpy(), limit))]
