"""How long a training run takes on this machine, about: told before it begins."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import lru_cache

import torch

from inception_edu.describe.flow import out_shape, walk
from inception_edu.describe.measure import measure
from inception_edu.describe.networks import Network
from inception_edu.describe.spec import Conv
from inception_edu.labs import live
from inception_edu.learn import default_device

BATCH = 32
_MEASURING = threading.Lock()


def pace() -> Callable[[object], float]:
    """Measure this machine, and give a function: the seconds that a run of a `study.Config` takes
    here, about."""
    measure_machine()
    rate, layer = speed()
    known: dict = {}

    def seconds(config) -> float:
        key = (config.network, config.arguments)
        if key not in known:
            network = config.description()
            known[key] = measure(network).macs, layers(network)
        macs, count = known[key]
        recipe = config.recipe
        return recipe.steps * (3 * recipe.batch_size * macs / rate + layer * count)

    return seconds


def layers(network: Network) -> int:
    """Convolutions in a network, and its classifier."""
    shape, count = network.input, 1
    for block in network.blocks:
        for _ in range(block.repeat):
            for step in walk(block.node, shape):
                count += isinstance(step.node, Conv)
            shape = out_shape(block.node, shape)
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
