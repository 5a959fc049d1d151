"""Which kernel sizes see small objects, and which see large ones: random filters on the `scales`
pictures.

    see((3,), seed=0)            {"small": 0.61, "medium": 0.65, "large": 0.28, …}: accuracy by the
                                 object's size
    see((3, 5, 9), filters=48)   a mixture: a third of the filters of each size
    python -m inception_edu.study.kernel_sizes      the committed runs: 12 cells, 5 seeds each

The filters are drawn at random and stay as they are; only a linear classifier on what they see is
fitted, in closed form. So nothing depends on a learning rate or on patience, a run takes seconds,
and what differs between two runs is the size of the kernels alone. Each filter reports three
numbers a picture: the mean, the maximum and the spread of its response after ReLU.
"""

from __future__ import annotations

import json
import platform
import statistics
import time
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from inception_edu.data.scales import CLASSES, scales
from inception_edu.data.types import Split
from inception_edu.learn import default_device
from inception_edu.study.results import RESULTS, write_whole

SIZES = {"small": (8.0, 12.0), "medium": (12.0, 18.5), "large": (18.5, 28.1)}  # pixels of 32
STRIDE = 2
SEEDS = range(5)
PICTURES = (2000, 1000)  # to fit, to test

# Cells of the committed experiment: kernels and how many filters. First the same number of filters,
# then the same cost.
SAME_FILTERS = [((k,), 48) for k in (1, 3, 5, 9, 13)] + [
    ((3, 9), 48),
    ((3, 5, 9), 48),
    ((1, 3, 5, 9), 48),
]
SAME_COST = [((3,), 132), ((5,), 48), ((9,), 15), ((13,), 7), ((3, 5, 9), 30)]


def multiply_adds(kernels: tuple[int, ...], filters: int = 48, image: int = 32) -> int:
    """Multiply-adds of the filters on one picture of three channels."""
    places = (-(-image // STRIDE)) ** 2
    return sum(3 * k * k * (filters // len(kernels)) for k in kernels) * places


def responses(images: Tensor, kernels: tuple[int, ...], filters: int, seed: int) -> Tensor:
    """uint8 N×3×H×W → float32 N×(3·filters) on the CPU: mean, maximum and spread of every random
    filter's response, which `default_device()` computes.

    Each kernel size has the same share of the filters. Filters larger than 1×1 have mean zero, so
    that an even surface says nothing to them.
    """
    generator = torch.Generator().manual_seed(seed)
    found = []
    pixels = images.to(default_device()).float().div_(64).sub_(2)
    for k in kernels:
        shape = (filters // len(kernels), 3, k, k)
        weight = torch.randn(shape, generator=generator) / (3 * k * k) ** 0.5
        if k > 1:
            weight = weight - weight.mean((2, 3), keepdim=True)
        weight = weight.to(pixels.device)
        for batch in pixels.split(250):
            seen = F.conv2d(batch, weight, stride=STRIDE, padding=k // 2).relu_().flatten(2)
            found.append(torch.cat([seen.mean(2), seen.amax(2), seen.std(2)], 1).cpu())
    each = len(found) // len(kernels)
    return torch.cat([torch.cat(found[i * each : (i + 1) * each]) for i in range(len(kernels))], 1)


def fit(features: Tensor, labels: Tensor, penalty: float = 1e-2):
    """A linear classifier by least squares with a small penalty; returns features → N predicted
    labels. On the CPU, in 64 bits."""
    mean, std = features.mean(0), features.std(0) + 1e-6

    def prepared(x):
        return torch.cat([(x - mean) / std, x.new_ones(len(x), 1)], 1).double()

    x, y = prepared(features), F.one_hot(labels, len(CLASSES)).double()
    weights = torch.linalg.solve(
        x.T @ x + penalty * len(x) * torch.eye(x.shape[1]).double(), x.T @ y
    )
    return lambda new: (prepared(new) @ weights).argmax(1)


@dataclass(frozen=True)
class Cell:
    """Kernels, number of filters, and what the seeds gave: accuracy by size, one number a seed."""

    kernels: tuple[int, ...]
    filters: int
    accuracy: dict[str, list[float]]

    @property
    def label(self) -> str:
        return " + ".join(f"{k}×{k}" for k in self.kernels)

    def mean(self, size: str) -> float:
        return statistics.mean(self.accuracy[size])

    def spread(self, size: str) -> float:
        """Standard deviation over the seeds."""
        return statistics.stdev(self.accuracy[size])


def pictures(seed: int) -> tuple[Split, Split]:
    """Training and test pictures of a seed, 32×32."""
    train, test = (scales(count, 32, (seed, part)) for part, count in enumerate(PICTURES))
    return train, test


def see(
    kernels: tuple[int, ...],
    filters: int = 48,
    seed: int = 0,
    data: tuple[Split, Split] | None = None,
) -> dict:
    """Accuracy on small, medium and large objects, and on all, of `filters` random filters of these
    sizes.

    The seed draws the filters and, where `data` (from `pictures`) is not given, the pictures.
    Raises ValueError where the filters cannot be shared out.
    """
    if not kernels or any(k < 1 or k % 2 == 0 for k in kernels) or filters < len(kernels):
        raise ValueError(
            f"Kernels are odd sizes such as (3, 5, 9), with at least one filter each; got "
            f"{kernels} and {filters} filters."
        )
    train, test = data or pictures(seed)
    if test.factors is None:
        raise ValueError("The test images have to know how large they are drawn: use `scales`.")
    start = time.perf_counter()
    predict = fit(responses(train.images, kernels, filters, seed), train.labels)
    right = (predict(responses(test.images, kernels, filters, seed)) == test.labels).float()
    found = {"all": right.mean().item()}
    for size, (low, high) in SIZES.items():
        found[size] = right[(test.factors >= low) & (test.factors < high)].mean().item()
    return {**found, "seconds": time.perf_counter() - start}


def committed() -> tuple[dict[tuple, Cell], dict]:
    """The committed runs as {(kernels, filters): Cell}, and the facts about them (seeds, device,
    versions)."""
    content = json.loads((RESULTS / "kernel_sizes.json").read_text(encoding="utf-8"))
    cells: dict[tuple, Cell] = {}
    for run in content.pop("runs"):
        key = (tuple(run["kernels"]), run["filters"])
        cell = cells.setdefault(key, Cell(*key, {size: [] for size in (*SIZES, "all")}))
        for size, values in cell.accuracy.items():
            values.append(run[size])
    return cells, content


def main() -> None:
    runs = []
    for seed in SEEDS:
        data = pictures(seed)
        for kernels, filters in dict.fromkeys(SAME_FILTERS + SAME_COST):
            found = see(kernels, filters, seed, data)
            runs.append(
                {
                    "kernels": kernels,
                    "filters": filters,
                    "seed": seed,
                    **{k: round(v, 4) for k, v in found.items()},
                }
            )
            print(runs[-1], flush=True)
    content = {
        "question": "Which kernel sizes, and which mixtures of them, see small and large objects?",
        "data": f"scales, {PICTURES[0]} pictures to fit and {PICTURES[1]} to test, 32×32",
        "config": {
            "stride": STRIDE,
            "penalty": 1e-2,
            "sizes": SIZES,
            "classifier": "least squares",
        },
        "seeds": list(SEEDS),
        "device": str(default_device()),
        "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__.split("+")[0]},
        "runs": runs,
    }
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    write_whole(RESULTS / "kernel_sizes.json", text)


if __name__ == "__main__":
    main()
