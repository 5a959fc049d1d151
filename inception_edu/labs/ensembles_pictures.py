"""The test images that runs were asked about, where this machine has the same ones."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from inception_edu.data import DataError, downloads_dir
from inception_edu.labs.inside_parts import png
from inception_edu.study.config import PHOTOGRAPHS
from inception_edu.study.identity import CIFAR10, exact_name, open_data, photographs, some, where
from inception_edu.study.results import Result


def pictures_of(
    results: list[Result], labels: Tensor
) -> tuple[Callable[[int], str] | None, tuple[str, ...]]:
    """(what gives test image i as a data address, the names of the classes). Without pictures where
    the images are not here, or are others than those of the runs; nothing is downloaded."""
    kept = [result for result in results if "labels" in result.extras]
    config, named = kept[0].config, kept[0].data.get("name", "")
    classes = CIFAR10 if named.startswith("CIFAR-10") else ()
    source = where(config.data)
    if source == "cifar10" and not (downloads_dir() / "cifar10.safetensors").is_file():
        return None, classes
    try:
        data = open_data(config.data)
    except DataError:
        return None, classes
    test = some(data.test, len(labels))
    other = config.data == PHOTOGRAPHS and exact_name(data, photographs()) != named
    if other or not torch.equal(test.labels, labels):
        return None, classes

    def picture(i: int) -> str:
        pixels = test.images[i].expand(3, -1, -1).numpy()
        return png(pixels.transpose(1, 2, 0))

    return picture, data.classes
