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


@contextmanager
def own_dropout(model: nn.Module, generator: torch.Generator) -> Iterator[None]:
    """Within the context the network's `nn.Dropout`, `Dropout1d`, `2d` and `3d` draw from
    `generator` (on the CPU). Other random layers draw from torch's generator, as they always do."""
    changed: list[nn.Module] = []
    for module in model.modules():
        if not isinstance(module, KINDS) or type(module) not in KINDS:
            continue  # a subclass may have a forward of its own
        if module.training and module.p > 0:
            # An attribute of the object comes before the method of its class.
            module.forward = partial(dropped, module, generator)  # type: ignore[method-assign]
            changed.append(module)
    try:
        yield
    finally:
        for module in changed:
            del module.forward


def dropped(module: nn.Dropout | Whole, generator: torch.Generator, x: Tensor) -> Tensor:
    """x times a mask: 0 with probability p, else 1 / (1 − p)."""
    shape = list(x.shape)
    for dimensions, kind in enumerate(WHOLE, 1):
        if isinstance(module, kind):
            shape[-dimensions:] = [1] * dimensions  # one number for a channel's whole map
    keep = 1 - module.p
    mask = torch.empty(shape, dtype=x.dtype).bernoulli_(keep, generator=generator)
    if keep > 0:
        mask.div_(keep)
    return x * mask.to(x.device)
