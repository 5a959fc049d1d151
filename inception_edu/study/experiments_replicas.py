"""The experiments on many replicas, with which the paper trained: C3, C4, C5. Each is a function
from a mode to its configurations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inception_edu.study.cells import PAPER, repeat, tower
from inception_edu.study.config import Config

REPLICAS = 20
# Batch and rate of a step that 20 replicas make together: the paper's rate as it is, and times 20,
# which is the usual rule (Goyal et al. 2017, arXiv 1706.02677).
TOGETHER = REPLICAS * PAPER.batch_size
RATES = (PAPER.lr, REPLICAS * PAPER.lr)
STEPS = 60


def replicas(mode: str) -> list[Config]:
    """The paper trained with 20 replicas. Asynchronous ones apply gradients of older weights: does
    a tower die at a lower rate then, does scaling still save it, and does a tower without the
    identity die too? C3, C4, C5."""
    kinds: dict[str, tuple[int, dict[str, Any]]] = {
        "scale 1": (144, dict(scale=1.0)),
        "scale 0.1": (144, dict(scale=0.1)),
        "without identity": (144, dict(scale=1.0, residual=False)),
        "72 channels": (72, dict(scale=1.0)),
        # What dies here does not die because of the blocks.
        "no blocks": (144, dict(depth=0)),
    }
    cells = []
    for kind, (width, arguments) in kinds.items():
        for rate in (0.00225, 0.0045, 0.015, 0.045):
            for copies in (1, 20):
                label = f"{kind}, rate {rate:g}, {copies} replica{'s' * (copies > 1)}"
                made = tower(label, width, lr=rate, steps=150, record_every=5, replicas=copies)
                cells.append(replace(made, arguments=dict(made.arguments) | arguments))
    return repeat(cells, mode, ["scale 1, rate 0.045, 20 replicas"], 60)


def one_step(scale: float, batch: int, rate: float) -> str:
    """The label of a setting of `synchronous`."""
    return f"scale {scale:g}, batch {batch}, rate {rate:g}"


def synchronous(mode: str) -> list[Config]:
    """Twenty replicas that wait for one another make one step of a batch 20 times as large: does a
    tower die then at the paper's rate, and at 20 times this rate? Beside it the batch of one
    replica at the same rates. C3."""
    recipe: dict[str, Any] = dict(steps=STEPS, record_every=5)
    cells = [
        tower(one_step(1.0, batch, rate), 144, 1.0, lr=rate, batch_size=batch, **recipe)
        for batch in (TOGETHER, PAPER.batch_size)
        for rate in RATES
    ]
    return repeat(cells, mode, [one_step(1.0, PAPER.batch_size, RATES[1])], 10)
