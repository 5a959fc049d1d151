"""What the speed lab measures: two networks in turns, round by round."""

from __future__ import annotations

import time
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import nn

from inception_edu.describe import FAMILY, NETWORKS, measure, mini, network
from inception_edu.learn import default_device
from inception_edu.learn.machine import synchronize
from inception_edu.learn.pace import set_threads
from inception_edu.learn.speedup import Speedup
from inception_edu.nets.build import build
from inception_edu.nets.fast import fold, merge_siblings

MINI = "mini "
# Auxiliary heads are there in training only.
KEYS = (
    *(key for key in (*NETWORKS, *FAMILY) if not key.endswith("_aux")),
    *(MINI + key for key in ("inception_v4", "inception_resnet_v1", "inception_resnet_v2")),
)
WEIGHTS = (("as trained", "plain"), ("folded", "folded"), ("folded and merged", "merged"))
LAYOUTS = {"channels first": torch.contiguous_format, "channels last": torch.channels_last}
PRECISIONS = ("float32", "bfloat16")
BATCHES = (1, 4, 16)
FEW, MOST_ROUNDS, BUDGET = 6, 15, 4.0  # rounds, and seconds after which six are enough


@dataclass(frozen=True)
class Settings:
    """What is measured."""

    network: str
    image: int
    batch: int
    weights: str = "merged"
    layout: str = "channels first"
    precision: str = "float32"

    @property
    def description(self):
        return description_of(self.network)

    @property
    def macs(self) -> int:
        """Multiply-adds of one call of the plain network."""
        return self.batch * measure(self.description, self.image).macs

    def words(self) -> str:
        changes = [
            dict((k, words) for words, k in WEIGHTS)[self.weights]
            if self.weights != "plain"
            else "",
            self.layout if self.layout != "channels first" else "",
            self.precision if self.precision != "float32" else "",
        ]
        what = ", ".join(filter(None, changes)) or "nothing changed"
        return f"{self.description.name}, {self.batch} × {self.image}×{self.image}: {what}"


@dataclass(frozen=True)
class Found:
    """One measurement: seconds of each call of the plain network and of the changed one, in turns,
    and the largest difference of their logits in standard deviations of the plain one's."""

    settings: Settings
    plain: tuple[float, ...]
    changed: tuple[float, ...]
    error: float
    status: str = "finished"

    @property
    def speedup(self) -> Speedup:
        return Speedup.of(self.plain, self.changed)


def description_of(key: str):
    return mini(network(key.removeprefix(MINI))) if key.startswith(MINI) else network(key)


@lru_cache(maxsize=3)
def _model(key: str, weights: str, layout: str) -> nn.Module:
    if layout != "channels first":
        # A copy: `to` would change the plain network that it is clocked against.
        return deepcopy(_model(key, weights, "channels first")).to(memory_format=LAYOUTS[layout])
    if weights == "plain":
        # With torch's own smaller weights a picture's signal fades in a deep network: all pictures
        # would get one answer, and equal outputs would prove nothing.
        return build(description_of(key), init="he", seed=0).to(default_device()).eval()
    folded = fold(_model(key, "plain", layout))
    return folded if weights == "folded" else merge_siblings(folded)


@lru_cache(maxsize=1)
def probe() -> float:
    """Multiply-adds a second of a middling convolution here: about 20 ms of work."""
    set_threads()
    conv, x = nn.Conv2d(64, 64, 3, padding=1).to(default_device()), torch.zeros(1, 64, 48, 48)
    x = x.to(default_device())
    with torch.inference_mode():
        conv(x)
        synchronize(x.device)
        start = time.perf_counter()
        for _ in range(3):
            conv(x)
        synchronize(x.device)
    return 3 * 64 * 64 * 9 * 48 * 48 / (time.perf_counter() - start)


def clocking(settings: Settings, few: int = FEW):
    """A function of (report, stop) that clocks the settings against the plain network, round by
    round, at least `few`; it reports a `Found` after each."""

    def work(report, stop) -> Found:
        set_threads()
        device, key, side = default_device(), settings.network, settings.image
        plain = _model(key, "plain", "channels first")
        changed = _model(key, settings.weights, settings.layout)
        shape = (settings.batch, settings.description.channels, side, side)
        images = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(device)
        order = LAYOUTS[settings.layout]

        def call(x):
            half = settings.precision == "bfloat16"
            cast = torch.autocast(device.type, torch.bfloat16) if half else nullcontext()
            with cast:
                return changed(x.contiguous(memory_format=order))

        with torch.inference_mode():
            expected = plain(images)  # these two warm up as well
            error = ((call(images).float() - expected).abs().max() / expected.std()).item()
            found, begun = Found(settings, (), (), error, "running"), time.perf_counter()
            for done in range(1, max(few, MOST_ROUNDS) + 1):
                first, second = (_seconds(f, images, device) for f in (plain, call))
                found = replace(
                    found, plain=(*found.plain, first), changed=(*found.changed, second)
                )
                report(found)
                if stop.is_set():
                    break
                if done >= few and time.perf_counter() - begun > BUDGET:
                    break
        return replace(found, status="stopped" if stop.is_set() else "finished")

    return work


def _seconds(call, images, device) -> float:
    synchronize(device)
    start = time.perf_counter()
    call(images)
    synchronize(device)
    return time.perf_counter() - start
