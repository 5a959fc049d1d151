"""The embedded images: 10,000 + 2,000 of Fashion-MNIST."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import torch

from inception_edu.data import paths
from inception_edu.data.errors import DataError
from inception_edu.data.types import Data, Split

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


def fashion(border: int = 2) -> Data:
    """The source `fashion`: grey, 28×28 with a border of so many pixels.

    Raises DataError if the file is missing or not the one that was committed.
    """
    path = paths.data_dir() / "fashion.npz"
    if not path.is_file():
        raise DataError(
            f"{path} is missing: fetch it again, or build it with data/build_fashion.py."
        )
    packed = path.read_bytes()
    if hashlib.sha256(packed).hexdigest() != FASHION_SHA256:
        raise DataError(
            f"{path} is damaged or changed, its checksum is not the one written in "
            "inception_edu/data/fashion.py: fetch it again, or build it with "
            "data/build_fashion.py."
        )
    splits = []
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        for name in ("train", "test"):
            bordered = np.pad(
                arrays[f"{name}_images"], ((0, 0), (border, border), (border, border))
            )
            images = torch.from_numpy(bordered).unsqueeze(1)
            splits.append(Split(images, torch.from_numpy(arrays[f"{name}_labels"]).long()))
    return Data("fashion", FASHION_CLASSES, splits[0], splits[1])
