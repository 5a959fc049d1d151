"""Dropout with random numbers of its own.

torch's dropout draws from one generator for the whole process (one more a GPU): two runs at the
same time would take each other's numbers. During a step of `train` the masks come from the run's
generator instead, on the CPU, so that a run gives the same curve alone, beside others, and (up to
rounding) on another device; torch's own random state is never touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

Whole = nn.Dropout1d | nn.Dropout2d | nn.Dropout3d
WHOLE = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)  # drop whole channels
KINDS = (nn.Dropout, *WHOLE)


class Masks:
    """Where the masks come from: drawn from a generator on the CPU, one after another.

    A step that is captured once and replayed cannot draw. After `hold()`, a step is given the same
    places in memory for its masks, in the order in which the step before asked for them, and
    `refresh()` draws new masks into them. `release()` ends that.
    """

    def __init__(self, generator: torch.Generator):
        self.generator = generator
        self.asked: list[tuple[Tensor, float]] = []  # of the last step: masks, shares kept
        self.held: list[tuple[Tensor, float]] = []
        self.next: int | None = None

    def begin(self) -> None:
        """A step begins."""
        self.asked = []

    def take(self, shape: list[int], keep: float, like: Tensor) -> Tensor:
        """A mask on the device of `like`: 0 with probability 1 − keep, else 1 / keep."""
        if self.next is not None:
            self.next += 1
            return self.held[self.next - 1][0]
        mask = self._draw(shape, keep, like.dtype).to(like.device)
        self.asked.append((mask, keep))
        return mask

    def _draw(self, shape, keep: float, dtype: torch.dtype) -> Tensor:
        mask = torch.empty(shape, dtype=dtype).bernoulli_(keep, generator=self.generator)
        return mask.div_(keep) if keep > 0 else mask

    def hold(self) -> None:
        # Memory of its own: what a captured step allocates it may use twice.
        self.held = [(mask.clone(), keep) for mask, keep in self.asked]
        self.next = 0

    def release(self) -> None:
        self.next = None

    def refresh(self) -> None:
        for mask, keep in self.held:
            mask.copy_(self._draw(mask.shape, keep, mask.dtype))


@contextmanager
def own_dropout(model: nn.Module, masks: Masks) -> Iterator[None]:
    """Within the context the network's `nn.Dropout`, `Dropout1d`, `2d` and `3d` take their masks
    from `masks`. Other random layers draw from torch's generator, as they always do."""
    masks.begin()
    changed: list[nn.Module] = []
    for module in model.modules():
        if not isinstance(module, KINDS) or type(module) not in KINDS:
            continue  # a subclass may have a forward of its own
        if module.training and module.p > 0:
            # An attribute of the object comes before the method of its class.
            module.forward = partial(dropped, module, masks)  # type: ignore[method-assign]
            changed.append(module)
    try:
        yield
    finally:
        for module in changed:
            del module.forward


def dropped(module: nn.Dropout | Whole, masks: Masks, x: Tensor) -> Tensor:
    """x times a mask: 0 with probability p, else 1 / (1 − p)."""
    shape = list(x.shape)
    for dimensions, kind in enumerate(WHOLE, 1):
        if isinstance(module, kind):
            shape[-dimensions:] = [1] * dimensions  # one number for a channel's whole map
    return x * masks.take(shape, 1 - module.p, x)
