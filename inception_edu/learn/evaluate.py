"""Error figures of trained networks: on one crop or many, of one network or an ensemble, with their
uncertainty.

    accuracy(model, data)                           share of the test images named rightly
    logits(model, data)                             N×classes, one row an image
    logits(model, data, crops=ten_crops(28))        averaged over ten crops, as in Table 3
    ensemble([logits(a, data), logits(b, data)])    average of the softmax, as in Table 5
    error_rate(rows, data.test.labels, k=5)         top-5 error
    interval(wrong, count)                          95 % interval of a share

A function that shows itself in a chapter takes plain tensors, so a reader can check it by hand on
four images.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations

import torch
from torch import Tensor, nn

from inception_edu._numbers import is_whole
from inception_edu.learn.crops import Crops
from inception_edu.learn.machine import device_of
from inception_edu.learn.pace import Pace
from inception_edu.learn.recipe import check_stop
from inception_edu.nets.inference import evaluating as evaluating
from inception_edu.nets.inference import fast_layout as fast_layout

# --- One network on all images --------------------------------------------------------------------


def logits(
    model: nn.Module,
    data,
    split=None,
    crops: Crops | None = None,
    batch_size: int | None = None,
    stop=None,
) -> Tensor:
    """The classifier's output for every image of a split (the test images where none is given):
    float32, N×classes.

    With `crops`, the softmax is averaged over an image's crops and its logarithm returned, so the
    rows can be used like logits. Rows stand in the order of the split, on the CPU; batches travel
    to the network. A `threading.Event` in `stop` that is set ends the work after a batch, with
    fewer rows. Raises ValueError for what is no network, no images, no crops or no event.
    """
    split = _asked(model, data, split, crops)
    check_stop(stop)
    # 250 images of 32×32 at a time; fewer of larger ones, which fill the memory.
    if batch_size is None:
        batch_size = min(250, max(1, 2**20 // split.images.shape[-2:].numel()))
    rows, place = [], device_of(model)
    pace = Pace(place)
    with evaluating(model):
        for images, _ in data.batches(split, batch_size, device=place):
            if stop is not None and stop.is_set():
                break
            with pace.step():
                if crops is None:
                    rows.append(model(fast_layout(images)).float())
                else:
                    shares = [model(fast_layout(crop)).float().softmax(1) for crop in crops(images)]
                    rows.append(torch.stack(shares).mean(0).log())
    return torch.cat(rows).cpu() if rows else torch.empty(0, len(data.classes))


def accuracy(model: nn.Module, data, split=None, crops: Crops | None = None) -> float:
    """Share of the images of a split (the test images where none is given) whose first guess is
    right, 0 to 1. Raises as `logits`."""
    split = _asked(model, data, split, crops)
    return 1 - error_rate(logits(model, data, split, crops), split.labels)


def _asked(model: nn.Module, data, split, crops):
    """The split that was asked for. Raises ValueError for what is no network, images or crops."""
    if not isinstance(model, nn.Module) or not hasattr(data, "batches"):
        raise ValueError(
            "First the network, a torch module, then the images that `load` gives: got "
            f"{type(model).__name__} and {type(data).__name__}."
        )
    if split is not None and not hasattr(split, "images"):
        raise ValueError(f"split is a part of the data, such as data.train; got {split!r}.")
    if crops is not None and not callable(crops):
        raise ValueError(f"crops is made by a function, such as centre_crop(28); got {crops!r}.")
    return data.test if split is None else split


def right(rows: Tensor, labels: Tensor, k: int = 1) -> Tensor:
    """For each image (a row of N×classes) whether its label is among the k largest: N booleans.

    A class that ties with the label counts as smaller only if it stands behind it, so a network
    that says the same of every class is not counted as right. Raises ValueError where k is not
    between 1 and the number of classes, or rows and labels are no tensors that fit.
    """
    if not isinstance(rows, Tensor) or rows.ndim != 2 or not isinstance(labels, Tensor):
        raise ValueError(
            "Rows are a tensor N×classes, such as `logits` gives, and labels a tensor of N; got "
            f"{_kind(rows)} and {_kind(labels)}."
        )
    if not is_whole(k):
        raise ValueError(f"k should be a whole number, got {k!r}.")
    if not 1 <= k <= rows.shape[1]:
        raise ValueError(
            f"k is {k}, but there are {rows.shape[1]} classes: choose 1 to {rows.shape[1]}."
        )
    if labels.shape != rows.shape[:1] or labels.is_floating_point():
        raise ValueError(
            f"{len(rows)} rows need as many labels, whole numbers; got {tuple(labels.shape)} of "
            f"{labels.dtype}."
        )
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < rows.shape[1]:
        raise ValueError(
            f"Labels are positions in {rows.shape[1]} classes, 0 to {rows.shape[1] - 1}; got "
            f"{int(labels.min())} to {int(labels.max())}."
        )
    labels = labels.to(rows.device)
    own = rows.gather(1, labels[:, None])
    before = torch.arange(rows.shape[1], device=rows.device) < labels[:, None]
    # A row with NaN is never right: comparisons with NaN are false, so it must be asked for.
    larger = (rows > own) | ((rows == own) & before)
    return (larger.sum(1) < k) & ~rows.isnan().any(1)


def _kind(value: object) -> str:
    if isinstance(value, Tensor):
        return "a tensor " + "×".join(map(str, value.shape))
    return f"a {type(value).__name__}"


def error_rate(rows: Tensor, labels: Tensor, k: int = 1) -> float:
    """Top-k error, 0 to 1: the share of images whose label is not among the k largest of its row
    (N×classes)."""
    return 1 - right(rows, labels, k).cpu().double().mean().item()


# --- Ensembles ------------------------------------------------------------------------------------


def ensemble(members: Sequence[Tensor]) -> Tensor:
    """The logarithm of the members' averaged softmax: M tensors N×classes become one. Table 5 of
    the paper. ValueError where there is none."""
    if not isinstance(members, (list, tuple)) or not members:
        raise ValueError("An ensemble needs a list with at least one member.")
    if not all(isinstance(member, Tensor) for member in members):
        raise ValueError("An ensemble is made of answers: logits(model, data) of each member.")
    if len({member.shape for member in members}) > 1:
        shapes = ", ".join("×".join(map(str, member.shape)) for member in members)
        raise ValueError(f"Members answer for the same images, N×classes each; got {shapes}.")
    return torch.stack([member.softmax(1) for member in members]).mean(0).log()


def agreement(a: Tensor, b: Tensor) -> dict[str, float]:
    """How alike two members err, from N booleans each (what `right` gives).

    both_right, both_wrong, only_a, only_b   shares of the images
    disagreement   only_a + only_b: how often exactly one of them is right
    q              Yule's Q, (both_right·both_wrong − only_a·only_b) / (both_right·both_wrong +
                   only_a·only_b): 1 where the same images are missed, 0 where errors are
                   independent, −1 where they never meet; NaN where it is not defined (a member that
                   is always right or always wrong)
    correlation    of the two columns of right and wrong (phi); NaN likewise
    """
    a, b = a.cpu().double(), b.cpu().double()
    n11, n00 = (a * b).mean().item(), ((1 - a) * (1 - b)).mean().item()
    n10, n01 = (a * (1 - b)).mean().item(), ((1 - a) * b).mean().item()
    same, cross = n11 * n00, n10 * n01
    spread = math.sqrt((n11 + n10) * (n01 + n00) * (n11 + n01) * (n10 + n00))
    return {
        "both_right": n11,
        "both_wrong": n00,
        "only_a": n10,
        "only_b": n01,
        "disagreement": n10 + n01,
        "q": (same - cross) / (same + cross) if same + cross else math.nan,
        "correlation": (same - cross) / spread if spread else math.nan,
    }


def error_correlation(members: Sequence[Tensor], labels: Tensor) -> dict[str, float]:
    """`agreement` averaged over all pairs of members (N×classes each). Raises ValueError for fewer
    than two."""
    if len(members) < 2:
        raise ValueError("Agreement is between members: an ensemble of at least two is needed.")
    columns = [right(member, labels) for member in members]
    pairs = [agreement(a, b) for a, b in combinations(columns, 2)]
    return {key: sum(pair[key] for pair in pairs) / len(pairs) for key in pairs[0]}


# --- Uncertainty ----------------------------------------------------------------------------------


def interval(hits: int, count: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's interval of a share: `hits` of `count` independent images; 95 % with the z given.

    It says how far the share could lie off because the test set is finite, not how it varies from
    seed to seed. ValueError where the counts cannot be.
    """
    if not is_whole(hits) or not is_whole(count) or count < 1 or not 0 <= hits <= count:
        raise ValueError(
            "An interval needs whole numbers, 0 ≤ hits ≤ count, and at least one image; got "
            f"{hits!r} of {count!r}."
        )
    share = hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = (
        z
        / (1 + z * z / count)
        * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    )
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap(
    values: Tensor,
    statistic: Callable[[Tensor], float] | None = None,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile interval of a statistic (the mean where none is given) of N values, or of N rows
    drawn together.

    For paired comparisons, give the difference of two networks' `right` on the same images as the
    values. `statistic` gets a resampled tensor of the same shape. Always the same draws for a seed.
    """
    generator = torch.Generator().manual_seed(seed)
    values = values.cpu().double() if statistic is None else values.cpu()
    picks = (torch.randint(len(values), (len(values),), generator=generator) for _ in range(draws))
    found = torch.tensor(
        [(values[pick].mean() if statistic is None else statistic(values[pick])) for pick in picks],
        dtype=torch.float64,
    )
    low, high = torch.quantile(
        found, torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)
    ).tolist()
    return low, high
