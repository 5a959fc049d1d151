"""Changing images at random, whole batches at a time: shifts, windows, mirror images, covered
squares."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from inception_edu.data.windows import reach, window

AUGMENTATIONS = ("crop", "window", "flip", "cutout")


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
    draws = draw(len(images), images.shape, parse(how), generator)
    return apply(images, draws, fill)


def parse(how: str) -> tuple[str, ...]:
    """The kinds in "crop+flip": ("crop", "flip"). Raises ValueError for a kind that there is
    not."""
    kinds = () if how == "none" else tuple(how.split("+"))
    for kind in kinds:
        if kind not in AUGMENTATIONS:
            raise ValueError(
                f"There is no augmentation {kind!r}: write 'none', or join any of "
                f"{', '.join(AUGMENTATIONS)} by '+', for example 'crop+flip'."
            )
    return kinds


def draw(
    count: int, shape: tuple[int, ...], kinds: tuple[str, ...], generator: torch.Generator
) -> dict[str, Tensor]:
    """The random numbers of `count` images, on the generator's device: shifts (count×2), mirrored
    or not (count), middles of squares (count×2)."""
    height, width = shape[-2:]

    def integers(low: int, high: int) -> Tensor:
        return torch.randint(low, high, (count,), generator=generator, device=generator.device)

    draws: dict[str, Tensor] = {}
    if "window" in kinds:
        down, across = reach(height), reach(width)
        draws["window"] = torch.stack([integers(0, down + 1), integers(0, across + 1)], 1)
        height, width = window(height), window(width)
    if "crop" in kinds:
        down, across = reach(height), reach(width)
        shifts = [integers(-down, down + 1), integers(-across, across + 1)]
        draws["crop"] = torch.stack(shifts, 1)
    if "flip" in kinds:
        draws["flip"] = integers(0, 2).bool()
    if "cutout" in kinds:
        draws["cutout"] = torch.stack([integers(0, height), integers(0, width)], 1)
    return draws


def apply(images: Tensor, draws: Mapping[str, Tensor], fill: Tensor | float) -> Tensor:
    """uint8 N×C×H×W changed as the random numbers say, on the images' device."""
    draws = {kind: numbers.to(images.device) for kind, numbers in draws.items()}
    if {"window", "crop", "flip"} & set(draws):
        images = _move(images, draws)
    if "cutout" in draws:
        images = _cover(images, draws["cutout"], fill)
    return images


def _move(images: Tensor, draws: Mapping[str, Tensor]) -> Tensor:
    """Which row and column of the image each row and column of the result shows; both are then one
    gather."""
    count, channels, height, width = images.shape
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
        rows = rows + draws["window"][:, :1]
        columns = columns + draws["window"][:, 1:]
    places = rows[:, :, None] * line + columns[:, None, :]
    places = places.view(count, 1, -1).expand(-1, channels, -1)
    pixels = images.reshape(count, channels, -1).gather(2, places)
    return pixels.view(count, channels, height, width)


def _cover(images: Tensor, middles: Tensor, fill: Tensor | float) -> Tensor:
    height, width = images.shape[-2:]
    y, x = middles[:, :1], middles[:, 1:]
    tall, wide = height // 2, width // 2
    # Counted from the first covered row and column.
    down = torch.arange(height, device=images.device) - y + tall // 2
    across = torch.arange(width, device=images.device) - x + wide // 2
    rows = (down >= 0) & (down < tall)
    columns = (across >= 0) & (across < wide)
    covered = rows[:, None, :, None] & columns[:, None, None, :]
    colour = (255 * torch.as_tensor(fill, dtype=torch.float32, device="cpu")).round()
    colour = colour.to(images.device, torch.uint8).view(1, -1, 1, 1)
    return torch.where(covered, colour, images)


def _reflect(position: Tensor, length: int) -> Tensor:
    """Positions outside 0 … length-1 mirrored at the border pixel: -1 is 1, length is length-2."""
    return (length - 1) - ((length - 1) - position.abs()).abs()
