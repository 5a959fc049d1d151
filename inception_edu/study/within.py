"""Several runs that must end in a given time, whatever the pictures and the machine.

    vote = train_within(configs, seconds=150)
    vote.results, vote.sentence         "4 networks in 96 s, 150 steps each."

How long a step takes is measured on each run's own first steps, and what comes after the training
on the first run. Where the wanted steps of all runs do not fit, they get fewer. Where even 60 steps
each do not fit, there are fewer runs. What had to be left out is told.
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
LEAST = 60  # steps after which a small network has learned something
PATIENCE = 1.5  # times what it was given: so long a run may take where other work comes in


@dataclass(frozen=True)
class Trained:
    """What came of `train_within`: the results, the runs behind them in the same order (each with
    its `model` and `data`), and in a sentence how long it took and what was left out."""

    results: list[Result]
    runs: list[Running]
    sentence: str


def train_within(configs: Sequence[Config], seconds: float) -> Trained:
    """Train `configs`, one after the other, within so many seconds: as many of them as get 60 steps
    or more, and each for as many of its steps as fit. The first is trained in any case, for 60
    steps at least.

    The time is shared equally, and what one run leaves goes to the next. A run that meets other
    work and takes half as long again as it was given is stopped, unless it is the first.
    """
    start = time.monotonic()
    results: list[Result] = []
    runs: list[Running] = []
    left_out: list[Config] = []
    steps, after = math.inf, math.nan  # the fewest so far; seconds from the last step to the result
    for place, config in enumerate(configs):
        left = start + seconds - time.monotonic()
        if results and left <= after:
            left_out.append(config)
            continue
        stop = threading.Event()
        running, given = _begun(config, steps, left, len(configs) - place, after, stop)
        if results and not given:
            left_out.append(config)
            continue
        result, after = _finished(running, stop, PATIENCE * given if results else math.inf)
        if result.status == "stopped":
            left_out.append(config)
        else:
            steps = running.config.recipe.steps
            results.append(result)
            runs.append(running)
    took = time.monotonic() - start
    return Trained(results, runs, _sentence(configs, results, left_out, took, seconds))


def _with_steps(config: Config, steps: float) -> Config:
    wanted = int(min(steps, config.recipe.steps))
    return replace(config, recipe=replace(config.recipe, steps=wanted))


def _begun(
    config: Config, most: float, left: float, many: int, after: float, stop: threading.Event
) -> tuple[Running, float]:
    """A run with at most `most` steps, for which a share of the `left` seconds is enough when
    `many` runs are still to come; and this share, 0 where the least number of steps does not fit.
    `after`: the seconds that a run takes after its last step (nan: not known yet)."""
    config = _with_steps(config, most)
    running = Running(config, stop=stop)
    marks = [time.monotonic()]
    for _ in zip(range(TIMED), running):
        marks.append(time.monotonic())
    if running.history.status != "running" or config.recipe.steps <= TIMED:
        return running, left  # it is over, or nearly
    step = median(b - a for a, b in zip(marks[1:], marks[2:]))
    left -= marks[-1] - marks[0]
    after = step * _steps_after(config) if math.isnan(after) else after
    affordable = int(left / (min(LEAST, config.recipe.steps) * step + after))
    share = left / min(many, max(1, affordable))
    fit = int((share - after) / step)
    if fit >= config.recipe.steps - TIMED:
        return running, share
    shorter = _with_steps(config, max(LEAST, fit))
    return Running(shorter, stop=stop), share if affordable else 0.0


def _steps_after(config: Config) -> float:
    """What is asked of a network after its training, in training steps: a step counts as three
    forward passes of its batch."""
    passes = {"few crops": 1 + 12, "crops": 1 + 12 + 48}.get(config.after, 0)
    images = config.test_images * (1 + passes) + FEW + MANY
    return images / (3 * config.recipe.batch_size)


def _finished(running: Running, stop: threading.Event, most: float) -> tuple[Result, float]:
    """The run to its end, stopped after so many seconds; and the seconds after its last step."""
    start = last = time.monotonic()
    for history in running:
        if history.status == "running":
            last = time.monotonic()
        if last - start > most:
            stop.set()
    result = running.result()
    return result, time.monotonic() - last


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
