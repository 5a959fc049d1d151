"""The experiments on dying towers with the embedded images: what a test repeats, what the labs
show, and where the predictor is tried. Each is a function from a mode to its configurations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inception_edu.study.cells import SGD, repeat, tower
from inception_edu.study.config import Config
from inception_edu.study.experiments_dying import cell


def embedded(mode: str) -> list[Config]:
    """A tower that dies and two that do not, on the embedded images and in seconds: what anybody
    can run again."""
    base: dict[str, Any] = dict(lr=0.45, steps=40, record_every=5)
    cells = [
        tower("nothing", 72, **base),
        tower("scale 0.1", 72, 0.1, **base),
        tower("rate / 10", 72, **{**base, "lr": 0.045}),
    ]
    cells = [replace(c, data="fashion", test_images=200) for c in cells]
    return repeat(cells, mode, [c.label for c in cells], count=16)


GRID: dict[str, tuple[Any, ...]] = {
    "width": (72, 144, 288, 576),
    "scale": (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0),
    "lr": (0.01, 0.045, 0.1, 0.2, 0.45),
}


def lab_grid(mode: str) -> list[Config]:
    """Width × scale × rate on the embedded images: the recorded runs that the labs show before
    anybody has waited."""
    cells = [
        tower(cell(width, scale, rate), width, scale, lr=rate, steps=60, record_every=2)
        for width in GRID["width"]
        for rate in GRID["lr"]
        for scale in GRID["scale"]
    ]
    cells = [replace(c, data="fashion", test_images=200) for c in cells]
    return repeat(cells, mode, [cell(72, scale, 0.45) for scale in (0.1, 1.0)])


# One thing that the runs behind the predictor had alike (depth 10, batches of 32, RMSProp, 10
# classes), changed at a time: arguments of `cells.tower`, and of the network.
ELSEWHERE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "4 blocks": (dict(depth=4), {}),
    "16 blocks": (dict(depth=16), {}),
    "batches of 8": (dict(batch_size=8), {}),
    "batches of 128": (dict(batch_size=128), {}),
    "SGD": (dict(base=SGD), {}),
    "100 classes": ({}, dict(classes=100)),
}


def elsewhere(mode: str) -> list[Config]:
    """Does what tells dead runs from living ones still tell them at other depths, batch sizes and
    class counts, and with another optimiser? On images and seeds that it was not found on. C10."""
    cells = []
    for what, (setting, arguments) in ELSEWHERE.items():
        for width in (72, 144):
            for rate in (0.045, 0.15, 0.45):
                label = f"{what}, width {width}, rate {rate:g}"
                made = tower(label, width, lr=rate, record_every=6, **setting)
                everything = dict(made.arguments) | arguments
                cells.append(replace(made, arguments=everything, data="fashion", test_images=200))
    return repeat(cells, mode, ["SGD, width 72, rate 0.45"])
