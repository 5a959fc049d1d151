"""What the labs that train share: the time of a run is foretold, and the run of the first settings
may be recorded.

class MyLab(TowerLab):          says what its first settings are, and makes a tower and a recipe of
                                settings
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import torch
from torch import nn

from inception_edu.data import Data, data_dir
from inception_edu.describe import Conv, Network, measure, walk
from inception_edu.labs import live
from inception_edu.labs.frame import Lab, Run
from inception_edu.learn import History, Recipe, default_device, train
from inception_edu.nets.build import build
from inception_edu.study import open_data

BATCH = 32
_MEASURING = threading.Lock()


class TowerLab(Lab):
    """A `Lab` whose runs train one tower.

    A subclass sets `first_settings` (name: first value), `file` (the recorded run in `data/`),
    `steps` (the usual length of a run) and `tests` (how many test images end a run), and defines
    `network(settings)`, `recipe(settings)` and, where the built network is to be changed,
    `model(settings)`. Where a run trains more than one network, it overrides `networks(settings)`
    and `train(settings, report, stop)` instead.
    """

    first_settings: dict = {}
    file = ""
    steps = 80
    tests = 500

    def __init__(
        self, data: Data | None = None, steps: int | None = None, mode: str = "auto", **first
    ):
        self.data = open_data("fashion") if data is None else data
        self.few = replace(self.data, test=self.data.test[: self.tests])
        self.steps = self.steps if steps is None else steps
        unknown = set(first) - set(self.first_settings)
        if unknown:
            raise ValueError(
                f"This lab has no setting {', '.join(sorted(unknown))}; it has "
                f"{', '.join(self.first_settings)}."
            )
        self.first = {**self.first_settings, **first}
        self._per_guess = 1.0  # seconds that a run took, over what was reckoned
        super().__init__(mode)

    def network(self, settings: dict) -> Network:
        raise NotImplementedError

    def recipe(self, settings: dict) -> Recipe:
        raise NotImplementedError

    def model(self, settings: dict) -> nn.Module:
        return build(self.network(settings), seed=settings["seed"])

    def networks(self, settings: dict) -> list[Network]:
        """What a run trains: from this follows how long it takes."""
        return [self.network(settings)]

    def train(self, settings: dict, report, stop):
        """One run; returns something with a `status` and a `sentence`, such as a `History`."""
        model = self.model(settings).to(default_device())
        return train(model, self.few, self.recipe(settings), on_record=report, stop=stop)

    def work(self, settings: dict):
        def timed(report, stop):
            begin = time.perf_counter()
            result = self.train(settings, report, stop)
            guess = self.seconds(settings)
            if result.status == "finished" and guess:
                self._per_guess *= (time.perf_counter() - begin) / guess
            return result

        return timed

    def total(self, settings: dict) -> int:
        return self.steps

    def seconds(self, settings: dict) -> float | None:
        """What a run takes here, about: multiply-adds at this machine's rate, and so much a
        layer."""
        if not speed.cache_info().currsize:
            return None  # the warm-up has not measured it yet
        rate, layer = speed()
        return (
            self._per_guess
            * self.steps
            * sum(
                3 * BATCH * measure(n).macs / rate + layer * layers(n)
                for n in self.networks(settings)
            )
        )

    def warm_up(self) -> None:
        measure_machine()

    def recorded(self) -> list[Run]:
        """The committed run of the first settings, if the lab still has these, and these images."""
        kept = self.kept()
        if not kept:
            return []
        history = History.from_dict(kept["history"])
        return [
            Run(
                1,
                self.first,
                self.words(self.first),
                history.records,
                history.status,
                recorded=True,
            )
        ]

    def kept(self) -> dict | None:
        """What `record` wrote, if it is there and was made with the first settings and these
        images."""
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return (
            kept
            if (kept["settings"], kept["steps"], kept["data"])
            == (self.first, self.steps, self.data.name)
            else None
        )

    @property
    def path(self) -> Path:
        return data_dir() / self.file

    def record(self) -> None:
        """Train the first settings and write the run that the lab shows when it is opened."""
        result = self.work(self.first)(lambda record: None, None)
        kept = {
            "settings": self.first,
            "steps": self.steps,
            "data": self.data.name,
            "images": len(self.data.train),
            "device": str(default_device()),
            "torch": torch.__version__,
            **self.to_keep(result),
        }
        self.path.write_text(json.dumps(kept) + "\n", encoding="utf-8")
        print(f"{self.file}: {self.words(self.first)}: {result.sentence}")

    def to_keep(self, result) -> dict:
        """What `record` writes of the result of `work`, as plain JSON types."""
        return {"history": result.to_dict()}


def layers(network: Network) -> int:
    """Convolutions in a network, and its classifier."""
    shape, count = network.input, 1
    for block in network.blocks:
        for _ in range(block.repeat):
            for step in walk(block.node, shape):
                count += isinstance(step.node, Conv)
            shape = step.output
    return count


def measure_machine() -> None:
    """What the first run of a lab would else wait for: torch's first steps, and the measurement of
    `speed`."""
    with _MEASURING:  # two labs that open at once would measure each other
        live.warm_up()
        speed()


@lru_cache(maxsize=1)
def speed() -> tuple[float, float]:
    """(multiply-adds a second in large layers, seconds a small layer costs whatever its size),
    forward and backward.

    Measured on a stack of convolution, batch norm and ReLU, on a 4×4 grid like the tower's. Draws
    no random numbers.
    """
    place = default_device()

    def seconds(width: int, layers: int) -> float:
        x = torch.full((BATCH, width, 4, 4), 0.1, device=place)
        weights = [
            torch.full((width, width, 1, 1), 0.01, device=place, requires_grad=True)
            for _ in range(layers)
        ]
        best = float("inf")
        for _ in range(6):
            start = time.perf_counter()
            y = x
            for weight in weights:
                y = torch.relu(
                    torch.nn.functional.batch_norm(
                        torch.nn.functional.conv2d(y, weight), None, None, training=True
                    )
                )
            y.sum().backward()
            y.sum().item()  # waits for the device
            best = min(best, time.perf_counter() - start)
        return best

    small, large = seconds(16, 10), seconds(512, 10)
    macs = 3 * 10 * BATCH * 16 * 512 * 512
    return macs / max(large - small, large / 4), min(small, large) / 10
