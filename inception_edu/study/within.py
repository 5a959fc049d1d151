"""Several runs that must end in a given time, whatever the pictures and the machine.

    vote = train_within(configs, seconds=150)
    vote.results, vote.sentence         "4 networks in 96 s, 150 steps each."

How long a step takes is measured on each run's own first steps. Where the wanted number of steps
does not fit, the run begins anew with fewer, and later runs get no more than earlier ones. What
had to be left out is told.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from inception_edu.study.config import Config
from inception_edu.study.results import Result
from inception_edu.study.runs import FEW, MANY, Running

TIMED = 5  # steps from which the time of a step is told; the first of them warms up
LEAST = 20  # steps below which a training is not worth its place
PATIENCE = 1.5  # times what it was given: so long a run may take where other work comes in


@dataclass(frozen=True)
class Trained:
    """What came of `train_within`: the results, the runs behind them in the same order (each with
    its `model` and `data`), and in a sentence how long it took and what was left out."""

    results: list[Result]
    runs: list[Running]
    sentence: str


def train_within(configs: Sequence[Config], seconds: float) -> Trained:
    """Train as many of `configs` as end within so many seconds, one after the other, and each of
    them for as many of its steps as fit; the first is trained in any case, for at least 20 steps.

    The time is shared equally, and what one run leaves goes to the next. A run that meets other
    work and takes half as long again as it was given is stopped, unless it is the first.
    """
    start = time.monotonic()
    results: list[Result] = []
    runs: list[Running] = []
    left_out: list[Config] = []
    most = max(config.recipe.steps for config in configs)
    for place, config in enumerate(configs):
        given = (start + seconds - time.monotonic()) / (len(configs) - place)
        if results and given <= 0:
            left_out.append(config)
            continue
        stop = threading.Event()
        running, fits = _begun(_shortened(config, most), given, stop)
        most = running.config.recipe.steps
        if not fits and results:
            left_out.append(config)
            continue
        result = _finished(running, stop, PATIENCE * given if results else math.inf)
        if result.status == "stopped":
            left_out.append(config)
        else:
            results.append(result)
            runs.append(running)
    took = time.monotonic() - start
    return Trained(results, runs, _sentence(configs, results, left_out, took, seconds))


def _shortened(config: Config, steps: int) -> Config:
    steps = min(steps, config.recipe.steps)
    return replace(config, recipe=replace(config.recipe, steps=steps))


def _begun(config: Config, given: float, stop: threading.Event) -> tuple[Running, bool]:
    """A run of which so many steps are made that the time of a step is known, with no more steps
    than fit into the seconds that are given; and whether the least number fits."""
    running = Running(config, stop=stop)
    marks = [time.monotonic()]
    for _ in zip(range(TIMED), running):
        marks.append(time.monotonic())
    if running.history.status != "running" or config.recipe.steps <= TIMED:
        return running, True  # it is over, or nearly
    step = median(b - a for a, b in zip(marks[1:], marks[2:]))
    left = given - (time.monotonic() - marks[0])
    if (config.recipe.steps - TIMED + _after(config)) * step <= left:
        return running, True
    fit = int(left / step - _after(config))
    shorter = _shortened(config, max(LEAST, fit))
    return Running(shorter, stop=stop), fit >= LEAST


def _after(config: Config) -> float:
    """What is asked of a network after its training, in training steps: a step counts as three
    forward passes of its batch."""
    passes = {"few crops": 1 + 12, "crops": 1 + 12 + 48}.get(config.after, 0)
    images = config.test_images * (1 + passes) + FEW + MANY
    return images / (3 * config.recipe.batch_size)


def _finished(running: Running, stop: threading.Event, most: float) -> Result:
    """The run to its end; stopped after so many seconds."""
    start = time.monotonic()
    for _ in running:
        if time.monotonic() - start > most:
            stop.set()
    return running.result()


def _sentence(
    configs: Sequence[Config],
    results: Sequence[Result],
    left_out: Sequence[Config],
    took: float,
    seconds: float,
) -> str:
    wanted = max(config.recipe.steps for config in configs)
    steps = [result.config.recipe.steps for result in results]
    said = f"{min(steps)}" if min(steps) == max(steps) else f"{max(steps)} to {min(steps)}"
    networks = "1 network" if len(results) == 1 else f"{len(results)} networks"
    told = f"{networks} in {took:.0f} s, {said} steps each."
    if min(steps) == wanted and not left_out:
        return f"{told} Nothing was left out."
    if min(steps) < wanted:
        told += f" {wanted} steps each would not have ended within {seconds:.0f} s here."
    if left_out:
        names = ", ".join(f"{config.label} with seed {config.seed}" for config in left_out)
        told += f" Left out for want of time: {names}."
    return told
