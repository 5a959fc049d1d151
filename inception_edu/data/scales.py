"""Generated pictures in which the size of the object is known: `scales`.

Each picture shows one object, drawn with twelve dots on a plain ground: an outline (circle, square,
…) or a pattern (rows, grid, …). Colours, place, lean and size are random, so the class says what
the object is and nothing else.

All classes have the same dots, and the dots keep their size when the object grows: only how they
are arranged tells the classes apart. To see that, a filter must cover several dots at once. In a
picture of 32×32 pixels the dots of an object of 8 pixels touch, and 9×9 pixels show all of it; of
an object of 28 pixels they show one to three dots. That is why the accuracy at each size shows
which receptive fields a network has.
"""

import numpy as np
import torch

from inception_edu._numbers import is_whole
from inception_edu.data.places import need_memory
from inception_edu.data.types import Data, Split

DOTS = 12
NOISE = 8  # standard deviation of the noise, in levels of 256
COUNTS = (5000, 1000)  # training and test images of the source `scales`, up to 96×96 pixels
PIXELS = (
    5000 * 96 * 96
)  # larger images: fewer of them, so that the training images have at most so many pixels


def _along(corners, dots=DOTS, closed=True):
    """Dots at equal distances along a line through the corners: dots × (x, y)."""
    line = np.array([*corners, corners[0]] if closed else corners, float)
    walked = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    stops = np.linspace(0, walked[-1], dots, endpoint=not closed)
    return np.stack([np.interp(stops, walked, line[:, axis]) for axis in (0, 1)], axis=1)


def _around(radius, turns):
    """Points at these parts of a full turn, clockwise from the top: (x, y), y pointing down as in
    images."""
    angle = 2 * np.pi * np.asarray(turns)
    return np.stack([radius * np.sin(angle), -radius * np.cos(angle)], axis=1)


_SPAN = np.linspace(-1, 1, 201)
# Positions of the dots of each class within the circle of radius 1: dots × (x, y).
PATTERNS = {
    "circle": _around(1, np.arange(DOTS) / DOTS),
    "square": _along([(-0.7, -0.7), (0.7, -0.7), (0.7, 0.7), (-0.7, 0.7)]),
    "triangle": _along(_around(1, [0, 1 / 3, 2 / 3])),
    "star": _around(np.where(np.arange(DOTS) % 2, 0.5, 1), np.arange(DOTS) / DOTS),
    "cross": np.concatenate(
        [_along([(-1, 0), (1, 0)], 6, False), _along([(0, -1), (0, 1)], 6, False)]
    ),
    "horseshoe": _along(
        [(-0.65, -0.75), *_around(0.65, np.linspace(0.75, 0.25, 50)) + (0, 0.1), (0.65, -0.75)],
        closed=False,
    ),
    "zigzag": _along([(-0.65, -0.75), (0.65, -0.75), (-0.65, 0.75), (0.65, 0.75)], closed=False),
    "wave": _along(np.stack([0.9 * _SPAN, 0.4 * np.sin(2 * np.pi * _SPAN)], axis=1), closed=False),
    "rows": np.concatenate([_along([(-0.8, y), (0.8, y)], 6, False) for y in (-0.4, 0.4)]),
    "grid": np.array([(x, y) for y in (-0.5, 0, 0.5) for x in (-0.75, -0.25, 0.25, 0.75)]),
}
CLASSES = tuple(PATTERNS)


def scales(
    n: int,
    image: int = 32,
    seed: int | tuple[int, ...] = 0,
    sizes: tuple[float, float] | None = None,
    dot: float | None = None,
    noise: float = NOISE,
) -> Split:
    """n pictures of image×image pixels, in colour, on the CPU; `factors` holds each object's size
    in pixels.

    sizes: smallest and largest size in pixels, the diameter of the circle around the object; None
    takes a quarter to
        seven eighths of the image. Sizes are drawn evenly on a logarithmic scale: as many lie
        between 8 and 16 as between 16 and 32. The object lies wholly inside the picture.
    dot: width of the dots in pixels, the same at every size; None takes a sixteenth of the image.
    noise: standard deviation of the noise in levels of 256.

    The classes take turns (0, 1, …, 9, 0, …), so every prefix is balanced. The same seed gives the
    same pictures, and fewer pictures are the first of more. Raises ValueError if the sizes do not
    fit into the image, `DataError` where there is no memory for the pictures.
    """
    for what, number in (("n", n), ("image", image)):
        if not is_whole(number) or number < 1:
            raise ValueError(f"{what} should be a whole number of at least 1, got {number!r}.")
    need_memory(n, 3, image)
    low, high = sizes or (image / 4, image * 7 / 8)
    dot = dot or image / 16
    if not dot < low <= high <= image:
        raise ValueError(
            f"sizes should lie between the {dot:g} pixels of a dot and the {image} pixels of the "
            f"image, but they go from {low:g} to {high:g}."
        )
    labels = np.arange(n) % len(CLASSES)
    drawing, grain = (
        np.random.default_rng(stream) for stream in np.random.SeedSequence(seed).spawn(2)
    )
    u = drawing.random((n, 10), dtype=np.float32)  # one row a picture
    size = np.minimum(low * (high / low) ** u[:, :1], high).astype(np.float32)
    centre = size / 2 + (image - size) * u[:, 1:3]  # x, y
    lean = (u[:, 3:4] - 0.5) * np.float32(np.pi / 6)  # up to 15 degrees either way
    x, y = (
        np.stack([PATTERNS[name] for name in CLASSES]).astype(np.float32)[labels].transpose(2, 0, 1)
    )
    reach = (size - dot) / 2
    across = centre[:, :1] + reach * (
        np.cos(lean) * x - np.sin(lean) * y
    )  # of each dot, in pixels: n × dots
    down = centre[:, 1:] + reach * (np.sin(lean) * x + np.cos(lean) * y)
    ground, ink = 115 * u[:, 4:7], 255 - 115 * u[:, 7:10]  # red, green, blue: light on dark

    pixel = np.arange(image, dtype=np.float32) + 0.5

    def profile(place):
        """Height of each dot's bump at each row or column of pixels: count × dots × image."""
        return np.exp(((pixel - place[:, :, None]) / np.float32(dot / 2)) ** 2 * np.float32(-0.8))

    images = np.empty((n, 3, image, image), np.uint8)
    step = max(1, 2**18 // image**2)  # pictures at a time: a few megabytes
    for part in (slice(start, start + step) for start in range(0, n, step)):
        # A bump is its profile down times its profile across, and the picture is the sum over the
        # dots.
        shown = np.einsum("nkh,nkw->nhw", profile(down[part]), profile(across[part]))
        np.minimum(shown, 1, out=shown)
        colours = (ink - ground)[part, :, None, None] * shown[:, None]
        shown = grain.standard_normal(shown.shape, dtype=np.float32) * np.float32(
            noise
        )  # the same in all colours
        colours += shown[:, None]
        colours += ground[part, :, None, None]
        np.clip(colours, 0, 255, out=colours)
        images[part] = np.rint(colours, out=colours)
    return Split(
        torch.from_numpy(images), torch.from_numpy(labels), torch.from_numpy(size[:, 0].copy())
    )


def scales_data(image: int, limits: tuple[int | None, int | None], seed: int) -> Data:
    """The source `scales` of `load`: training and test pictures from separate streams of the
    seed."""
    splits = []
    for part, (count, limit) in enumerate(zip(COUNTS, limits)):
        most = PIXELS // image**2 * count // COUNTS[0]
        n = min(count, max(len(CLASSES), most)) if limit is None else min(count, limit)
        splits.append(scales(n, image, (seed, part)))
    return Data("scales" if image == 32 else f"scales:{image}", CLASSES, splits[0], splits[1])
