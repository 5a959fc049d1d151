"""Crops: the parts of an image that a network is asked about.

Each function makes a function that takes images N×C×H×W and gives crops N×C×size×size, one after
the other; `logits(model, data, crops=ten_crops(28))` averages what the network says of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch.nn.functional as F
from torch import Tensor

from inception_edu._numbers import is_whole

Crops = Callable[[Tensor], Iterator[Tensor]]


def centre_crop(size: int) -> Crops:
    """One crop of size×size pixels from the middle, as in the paper's Table 2 ("single crop")."""
    _check(size)

    def crops(images: Tensor) -> Iterator[Tensor]:
        yield _window(images, size, 0.5, 0.5)

    return crops


def ten_crops(size: int) -> Crops:
    """The four corners and the middle, each also mirrored: the "10 crops" of Table 3's ResNet
    row."""
    _check(size)

    def crops(images: Tensor) -> Iterator[Tensor]:
        for y, x in ((0, 0), (0, 1), (1, 0), (1, 1), (0.5, 0.5)):
            yield from _both_ways(_window(images, size, y, x))

    return crops


def twelve_crops(size: int) -> Crops:
    """`ten_crops` and the whole image rescaled to size×size, also mirrored.

    The paper does not say which 12 its Table 3 means; these are the 10 usual ones and the last view
    of `many_crops`.
    """
    _check(size)

    def crops(images: Tensor) -> Iterator[Tensor]:
        yield from ten_crops(size)(images)
        yield from _both_ways(_resize(images, (size, size)))

    return crops


def many_crops(
    size: int,
    scales: Sequence[float] = (256 / 224, 288 / 224, 320 / 224, 352 / 224),
    squares: int = 3,
) -> Crops:
    """GoogLeNet's crops (arXiv 1409.4842, section 7), which the paper's Table 4 calls 144: 4 · 3 ·
    6 · 2.

    The image is rescaled so that its shorter side is each of `scales` times `size`; of each,
    `squares` squares are taken along the longer side; of each square four corners and the middle,
    size×size, and the square itself rescaled to size×size; and all of these mirrored. On square
    images all squares coincide and only one is computed, which leaves 48 different crops: the
    average is the same. GoogLeNet's sizes are 256, 288, 320 and 352 for crops of 224. Raises
    ValueError for what is no number of pixels or squares.
    """
    _check(size)
    if not is_whole(squares) or squares < 1:
        raise ValueError(f"squares should be a whole number of at least 1, got {squares!r}.")

    def crops(images: Tensor) -> Iterator[Tensor]:
        height, width = images.shape[-2:]
        for scale in scales:
            factor = scale * size / min(height, width)
            large = _resize(images, (round(height * factor), round(width * factor)))
            side, spare = min(large.shape[-2:]), max(large.shape[-2:]) - min(large.shape[-2:])
            places = [0.5]
            if spare and squares > 1:
                places = [i / (squares - 1) for i in range(squares)]
            for place in places:
                square = _window(large, side, place, place)
                yield from ten_crops(size)(square)
                yield from _both_ways(_resize(square, (size, size)))

    return crops


def _check(size: object) -> None:
    if not is_whole(size) or size < 1:  # type: ignore[operator]
        raise ValueError(f"A crop's side is a whole number of pixels, at least 1; got {size!r}.")


def _both_ways(images: Tensor) -> tuple[Tensor, Tensor]:
    return images, images.flip(-1)


def _window(images: Tensor, size: int, y: float, x: float) -> Tensor:
    """size×size at the place y, x between 0 (top, left) and 1 (bottom, right)."""
    height, width = images.shape[-2:]
    if size > min(height, width):
        raise ValueError(
            f"A crop of {size}×{size} pixels does not fit into an image of {height}×{width}."
        )
    top, left = int((height - size) * y), int((width - size) * x)
    return images[..., top : top + size, left : left + size]


def _resize(images: Tensor, size: tuple[int, int]) -> Tensor:
    if tuple(images.shape[-2:]) == size:
        return images
    return F.interpolate(images, size, mode="bilinear", align_corners=False, antialias=True)
