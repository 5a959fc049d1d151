"""What a trained network says of several crops of each test image (C9), kept with its run."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable

import torch
from torch import nn

from inception_edu.data.types import Data
from inception_edu.data.windows import window
from inception_edu.learn import centre_crop, logits, many_crops, twelve_crops
from inception_edu.study.config import ExperimentError
from inception_edu.study.identity import some
from inception_edu.study.results import Result

CROPS = {"1 crop": centre_crop, "12 crops": twelve_crops, "144 crops": many_crops}
KINDS = {"crops": tuple(CROPS), "few crops": ("1 crop", "12 crops")}  # by `Config.after`


def crop_answers(
    model: nn.Module, data: Data, count: int = 2000, kinds: Iterable[str] = tuple(CROPS)
) -> dict:
    """What the network says of `count` test images, by kind of crop (`kinds`, of CROPS): windows
    such as it was trained on, 28×28 of 32×32.

    Kept as float16 (logits, and for several crops the logarithm of the mean probability), with the
    seconds it took.
    """
    chosen = some(data.test, count)
    found = {"labels": _packed(chosen.labels.to(torch.uint8)), "images": len(chosen)}
    for name in kinds:
        start = time.perf_counter()
        rows = logits(model, data, chosen, CROPS[name](window(chosen.images.shape[-1])))
        found[name] = {
            "rows": _packed(rows.clamp(min=-30).half()),
            "seconds": time.perf_counter() - start,
        }
    return found


def _packed(tensor: torch.Tensor) -> str:
    return base64.b64encode(tensor.cpu().contiguous().numpy().tobytes()).decode()


def crop_logits(result: Result) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The labels (N) of the test images and, by kind of crop, what a run's network said of them
    (N×classes).

    Raises ExperimentError for a run whose configuration did not ask for it (`after="crops"`).
    """
    if "labels" not in result.extras:
        why = (
            "it diverged."
            if result.status == "diverged"
            else 'its configuration needs after="crops".'
        )
        raise ExperimentError(f"The run {result.label!r} kept no answers to crops: {why}")

    def unpacked(text: str, kind: torch.dtype) -> torch.Tensor:
        return torch.frombuffer(bytearray(base64.b64decode(text)), dtype=kind)

    labels = unpacked(result.extras["labels"], torch.uint8).long()
    return labels, {
        name: unpacked(result.extras[name]["rows"], torch.float16).float().view(len(labels), -1)
        for name in CROPS
        if name in result.extras
    }
