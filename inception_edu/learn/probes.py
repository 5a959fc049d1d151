"""What is looked at while a network learns.

`Meter` makes the records of a run. Whoever wants to see more hands `train` probes of their own: a
function, or an object with a `watch` as well, see `Probe`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from inception_edu.learn.history import Record
from inception_edu.nets.build import ScaledResidual, named_blocks


@dataclass(frozen=True)
class Moment:
    """A recorded step, just after the optimizer's step. Gradients are still there.

    images   B×3×H×W as they entered the network;  labels: B;  output: B×classes;  loss: a scalar.
             All on the network's device
    record   the curves' point of this step
    """

    step: int
    model: nn.Module
    images: Tensor
    labels: Tensor
    output: Tensor
    loss: Tensor
    optimizer: torch.optim.Optimizer
    record: Record


class Probe:
    """Looks on while a network learns: `train(model, data, recipe, probes=[MyProbe()])`.

        class Momentum(Probe):
            def __call__(self, moment):
                weight = moment.model.classifier.weight
                self.seen.append(moment.optimizer.state[weight]["momentum_buffer"].norm())

    Called at recorded steps only, in the thread that trains, before `on_record`. A plain function
    of a `Moment` will do as well.
    """

    def watch(self, model: nn.Module) -> AbstractContextManager:
        """Entered before the forward pass of a recorded step and left after the backward pass: the
        place to hang hooks, and to take them down again."""
        return nullcontext()

    def __call__(self, moment: Moment) -> None:
        raise NotImplementedError


@contextmanager
def watching(probes: Sequence[Any], model: nn.Module) -> Iterator[None]:
    """All of the probes watch."""
    with ExitStack() as stack:
        for probe in probes:
            if hasattr(probe, "watch"):
                stack.enter_context(probe.watch(model))
        yield


class Meter:
    """What a record holds: loss and accuracy counted at every step, the blocks' activations at
    recorded steps.

    `watch` hangs a hook on every block for one forward pass; at other steps no hook exists.
    Everything stays on the device until `record` fetches it in one go, so a GPU is waited for at
    recorded steps only.
    """

    def __init__(self, model: nn.Module):
        self.blocks = named_blocks(model)
        self.values: dict[tuple[str, str], Tensor] = {}
        self._start_counting()

    def _start_counting(self) -> None:
        self.loss = self.hits = torch.zeros(())
        self.steps = self.images = 0

    def count(self, loss: Tensor, output: Tensor, labels: Tensor) -> None:
        self.loss = self.loss.to(loss.device) + loss.detach()
        self.hits = self.hits.to(loss.device) + (output.detach().argmax(1) == labels).sum()
        self.steps += 1
        self.images += len(labels)

    @contextmanager
    def watch(self, model: nn.Module) -> Iterator[None]:
        hooks = []
        for name, block in self.blocks:
            hooks.append(block.register_forward_hook(partial(self._output, name)))
            if isinstance(block, ScaledResidual):
                hooks.append(block.body.register_forward_hook(partial(self._residual, name, block)))
                hooks.append(block.shortcut.register_forward_hook(partial(self._shortcut, name)))
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    @torch.no_grad()
    def _output(self, name: str, module: nn.Module, inputs: tuple, output: Tensor) -> None:
        if output.ndim == 4:
            x = output.detach().float()
            # Sums are ten times faster here than std() and any().
            n, mean, length = x.numel(), x.mean(), torch.linalg.vector_norm(x)
            variance = (length.square() - n * mean.square()) / max(1, n - 1)
            self.values["spread", name] = variance.clamp(min=0).sqrt()
            self.values["dead", name] = (x.abs().sum((0, 2, 3)) == 0).float().mean()

    @torch.no_grad()
    def _residual(
        self, name: str, block: ScaledResidual, module: nn.Module, inputs: tuple, output: Tensor
    ) -> None:
        length = torch.linalg.vector_norm(output.detach().float())
        self.values["body", name] = length * abs(block.scale)

    @torch.no_grad()
    def _shortcut(self, name: str, module: nn.Module, inputs: tuple, output: Tensor) -> None:
        self.values["shortcut", name] = torch.linalg.vector_norm(output.detach().float())

    def record(self, step: int, seconds: float, norm: Tensor, lr: float) -> Record:
        """The record of the steps since the last one. The only place of the loop that waits for the
        device."""
        numbers = [self.loss / self.steps, self.hits / self.images, norm, *self.values.values()]
        fetched = torch.stack([x.detach().float() for x in numbers]).tolist()
        loss, accuracy, length, *rest = fetched
        found: dict[str, dict[str, float]] = {}
        for (kind, name), value in zip(self.values, rest):
            found.setdefault(kind, {})[name] = value
        ratio = _ratios(found.get("body", {}), found.get("shortcut", {}))
        self.values = {}
        self._start_counting()
        spread, dead = found.get("spread", {}), found.get("dead", {})
        return Record(step, seconds, loss, accuracy, length, lr, spread, dead, ratio)


def _ratios(body: dict[str, float], shortcut: dict[str, float]) -> dict[str, float]:
    """Both have the same number of elements, so the ratio of their lengths is the ratio of their
    root mean squares."""
    ratio = {}
    for name in body:
        if name in shortcut:
            ratio[name] = body[name] / shortcut[name] if shortcut[name] else math.inf
    return ratio
