"""Which images of a data set excite a channel most: one pass finds it for every channel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from inception_edu.nets.features import branches_of
from inception_edu.nets.look import (
    OUTPUT,
    block_of,
    blocks_of,
    branch_words,
    resting,
    to_model,
)


@dataclass(frozen=True)
class Exciting:
    """The images that excite each channel of a part most, strongest first, channels×count each:
    `images` their positions, `values` the largest value, `rows` and `columns` where it stands."""

    images: np.ndarray
    values: np.ndarray
    rows: np.ndarray
    columns: np.ndarray


Found = dict[tuple[str, str], Exciting]  # by (block, part)


def exciting(
    model: nn.Module, images: Tensor, prepare, names: Iterable[str] | None = None, count: int = 8
) -> Found:
    """For each branch and the output of each block named (None: of all): the images that excite
    its channels most. `images`: N×C×H×W as a split keeps them; `prepare(batch)` makes the network's
    input of them, such as `data.normalise`."""
    *_, (_, found) = searching(model, images, prepare, names, count)
    return found


def searching(
    model: nn.Module,
    images: Tensor,
    prepare,
    names: Iterable[str] | None = None,
    count: int = 8,
    batch_size: int = 250,
) -> Iterator[tuple[int, Found]]:
    """`exciting`, a batch at a time: yields (images seen, what was found in them)."""
    if names is None:
        names = [name for name, _ in blocks_of(model)]
    targets = {}
    for name in names:
        module = block_of(model, name)
        for part, branch in zip(branch_words(module), branches_of(module)):
            targets[name, part] = branch
        targets[name, OUTPUT] = module
    best: dict[tuple[str, str], Exciting] = {}
    for start in range(0, len(images), batch_size):
        batch = images[start : start + batch_size]
        for key, found in _batch(model, prepare(batch), targets, count).items():
            found = Exciting(found.images + start, found.values, found.rows, found.columns)
            best[key] = _stronger(best[key], found, count) if key in best else found
        yield start + len(batch), best


def _batch(model: nn.Module, batch: Tensor, targets: dict, count: int) -> Found:
    found: Found = {}

    def keep(key):
        def hook(module, inputs, output):
            if not isinstance(output, Tensor) or output.ndim != 4:
                return
            value, place = output.detach().flatten(2).max(2)
            top = value.topk(min(count, len(value)), dim=0)
            where = place.gather(0, top.indices).T.cpu().numpy()
            found[key] = Exciting(
                top.indices.T.cpu().numpy().astype(np.int32),
                top.values.T.float().cpu().numpy(),
                (where // output.shape[3]).astype(np.int16),
                (where % output.shape[3]).astype(np.int16),
            )

        return hook

    with resting(model), ExitStack() as stack, torch.no_grad():
        for key, target in targets.items():
            stack.callback(target.register_forward_hook(keep(key)).remove)
        model(to_model(model, batch))
    return found


def _stronger(first: Exciting, second: Exciting, count: int) -> Exciting:
    """The strongest of two findings."""
    both = {
        key: np.concatenate([getattr(first, key), getattr(second, key)], 1)
        for key in ("images", "values", "rows", "columns")
    }
    order = np.argsort(-both["values"], axis=1, kind="stable")[:, :count]
    return Exciting(**{key: np.take_along_axis(a, order, 1) for key, a in both.items()})
