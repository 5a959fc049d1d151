"""How long something takes, and how sure that is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from statistics import median, quantiles

import torch

from inception_edu._numbers import is_whole
from inception_edu.learn.machine import default_device, synchronize
from inception_edu.learn.pace import set_threads, threads


class Timing(list):
    """The seconds of each round, and what they say: `print(timing)` gives "12.3 ms (11.9 to 13.0 in
    7 rounds)".

    The middle and the quartiles are told, so that one interrupted round changes little.
    """

    @property
    def median(self) -> float:
        """The median, in seconds."""
        return median(self)

    @property
    def low(self) -> float:
        """A quarter of the rounds were faster."""
        return quantiles(self, n=4, method="inclusive")[0] if len(self) > 1 else self[0]

    @property
    def high(self) -> float:
        """A quarter of the rounds were slower."""
        return quantiles(self, n=4, method="inclusive")[2] if len(self) > 1 else self[0]

    @property
    def spread(self) -> float:
        """(high − low) / median: below 0.1 the figure can be trusted, above 0.5 it is a rough
        one. With a single round nothing is known: infinite."""
        return (self.high - self.low) / self.median if len(self) > 1 else float("inf")

    def __str__(self) -> str:
        unit, factor = ("s", 1) if self.median >= 1 else ("ms", 1000)
        if len(self) == 1:
            return f"{factor * self[0]:.3g} {unit} (one round: rough)"
        low, high = factor * self.low, factor * self.high
        rough = "; rough" if self.spread > 0.5 else ""
        how = f"{low:.3g} to {high:.3g} in {len(self)} rounds{rough}"
        return f"{factor * self.median:.3g} {unit} ({how})"


def clock(
    calls: Mapping[str, Callable],
    *arguments,
    rounds: int = 7,
    budget: float = 10.0,
    device: str | torch.device | None = None,
    one_core: bool = False,
    gradients: bool = False,
) -> dict[str, Timing]:
    """Seconds of up to `rounds` calls of each function with the arguments, in turns, so that all
    meet the same disturbances.

        found = clock({"plain": model, "quick": quick}, images, budget=5)
        print(found["plain"])                          12.3 ms (11.9 to 13.0 in 7 rounds)
        ratio(found["plain"], found["quick"])          1.61: how many times as fast

    Each call is waited for on `device` (None: where the first tensor among the arguments is, else
    `default_device()`). A first round warms up and does not count. No round begins after `budget`
    seconds, so a busy machine gives fewer rounds, not a longer wait; where the first round took as
    long as that, it is all there is.

    one_core     on a CPU, one thread and its processor time: what other programs do at the same
                 moment does not count
    gradients    without it, no operation is recorded for a backward pass

    Raises ValueError where `calls` are not functions by name, or there is no round.
    """
    if isinstance(calls, Mapping) and not (calls and all(map(callable, calls.values()))):
        raise ValueError(f"`clock` needs functions to call, got {dict(calls)!r}.")
    if not is_whole(rounds) or rounds < 1:
        raise ValueError(f"rounds should be a whole number of at least 1, got {rounds!r}.")
    if not isinstance(calls, Mapping):
        raise ValueError(
            f"`clock` takes functions by name, got a {type(calls).__name__}: write "
            'clock({"mine": model}, images).'
        )
    if device is not None:
        device = torch.device(device)
    else:
        tensors = [x for x in arguments if isinstance(x, torch.Tensor)]
        device = tensors[0].device if tensors else default_device()
    begun = time.perf_counter()
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    with ExitStack() as stack:
        stack.enter_context(torch.set_grad_enabled(True) if gradients else torch.inference_mode())
        now = time.perf_counter
        if one_core and device.type == "cpu":
            stack.enter_context(threads(1))
            now = time.thread_time
        elif device.type == "cpu":
            set_threads()
        for done in range(rounds + 1):
            if done and time.perf_counter() - begun > budget:
                break
            for name, call in calls.items():
                synchronize(device)
                start = now()
                call(*arguments)
                synchronize(device)
                seconds[name].append(now() - start)
    return {name: Timing(found[1:] or found) for name, found in seconds.items()}


def ratio(slow: Timing, quick: Timing) -> float:
    """How many times as fast `quick` is: the middle of the ratios round by round, which both
    spent on the same machine in the same state."""
    return median(a / b for a, b in zip(slow, quick))
