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

WHOLE = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)  # drop whole channels
KINDS = (nn.Dropout, *WHOLE)


@contextmanager
def own_dropout(model: nn.Module, generator: torch.Generator) -> Iterator[None]:
    """Within the context the network's `nn.Dropout`, `Dropout1d`, `2d` and `3d` draw from
    `generator` (on the CPU). Other random layers draw from torch's generator, as they always do."""
    changed = []
    for module in model.modules():
        if type(module) in KINDS and module.training and module.p > 0:
            # An attribute of the object comes before the method of its class.
            module.forward = partial(dropped, module, generator)
            changed.append(module)
    try:
        yield
    finally:
        for module in changed:
            del module.forward


def dropped(module: nn.Module, generator: torch.Generator, x: Tensor) -> Tensor:
    """x times a mask: 0 with probability p, else 1 / (1 − p)."""
    shape = x.shape
    if isinstance(module, WHOLE):
        channels = x.ndim - module_dimensions(module)
        shape = (*x.shape[:channels], *(1 for _ in x.shape[channels:]))
    keep = 1 - module.p
    mask = torch.empty(shape, dtype=x.dtype).bernoulli_(keep, generator=generator)
    if keep > 0:
        mask.div_(keep)
    return x * mask.to(x.device)


def module_dimensions(module: nn.Module) -> int:
    """Dimensions of one channel's map: 2 for `Dropout2d`."""
    return 1 + WHOLE.index(type(module))
