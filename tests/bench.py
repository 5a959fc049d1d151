"""Speed: `make bench`, or `python tests/bench.py WORD ...` for the groups with one of these words
in their name.

Each line says what was measured, its target, and whether it is met. Ratios come from one run that
alternates between the two sides, so a machine that is busy with other things slows both; the
fastest of several rounds counts. A function decorated with `line` is a group: it returns `Line`s.
"""

from __future__ import annotations

import argparse
import functools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

GROUPS: list[tuple[str, Callable[[], Iterable[Line]]]] = []


@dataclass
class Line:
    """One measurement. `target` is a bound (`at_least` says of which side), or None where there is
    none."""

    what: str
    value: float
    unit: str = ""
    target: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def passed(self) -> bool:
        return self.target is None or (
            self.value >= self.target if self.at_least else self.value <= self.target
        )

    def __str__(self):
        bound = verdict = ""
        if self.target is not None:
            bound = f"{'≥' if self.at_least else '≤'} {self.target:g} {self.unit}".strip()
            verdict = "pass" if self.passed else "MISS"
        value = f"{self.value:.3g} {self.unit}"
        return f"{self.what:<70} {value:>10}   {bound:>8}   {verdict:<5} {self.note}".rstrip()


def line(name: str):
    """Register a group of lines under a name."""

    def register(function):
        GROUPS.append((name, function))
        return function

    return register


def fastest(function: Callable[[], object], rounds: int = 5) -> float:
    """Seconds of the fastest of several calls."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def side_by_side(*functions: Callable[[], float], rounds: int = 4) -> list[float]:
    """The fastest of several rounds of each function, which return their own seconds; the rounds
    alternate."""
    times = [[function() for function in functions] for _ in range(rounds)]
    return [min(column) for column in zip(*times)]


# --- Without torch --------------------------------------------------------------------------------


def in_a_new_process(code: str, rounds: int = 4) -> tuple[float, bool]:
    """Seconds (the fastest of several rounds) that `code` takes in a new Python, and whether torch
    was imported. What stands before a line "---" is done before the clock starts."""
    before, _, timed = code.rpartition("---\n")
    whole = (
        f"import sys, time\n{before}\nstart = time.perf_counter()\n{timed}\n"
        "print(time.perf_counter() - start, 'torch' in sys.modules)"
    )
    found = []
    with tempfile.TemporaryDirectory() as compiled:
        # The first round compiles the modules, as the first import after an installation does; the
        # others find them.
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = compiled
        for _ in range(rounds):
            out = subprocess.run(
                [sys.executable, "-c", whole],
                capture_output=True,
                text=True,
                check=True,
                env=environment,
            )
            found.append(out.stdout.split())
    return min(float(seconds) for seconds, _ in found), any(torch == "True" for _, torch in found)


@line("import")
def imports() -> list[Line]:
    lines = []
    for code, said in (
        ("import inception_edu", "import inception_edu"),
        (
            "from inception_edu.describe import draw, figures, measure, networks, spec",
            "import descriptions, measuring and drawing",
        ),
    ):
        seconds, torch = in_a_new_process(code)
        lines.append(
            Line(
                said,
                float("inf") if torch else seconds,
                "s",
                0.2,
                note="imports torch" if torch else "without torch",
            )
        )
    return lines


@line("measure")
def measuring() -> list[Line]:
    """The first measurement in a process, with nothing remembered."""
    lines = []
    for name in (
        "inception_v4",
        "inception_resnet_v2",
        "inception_resnet_v2_released",
        "resnet152",
    ):
        seconds, _ = in_a_new_process(
            "from inception_edu.describe import measure\n"
            "from inception_edu.describe import NETWORKS\n"
            f"network = NETWORKS[{name!r}]()\n---\nmeasure(network)"
        )
        lines.append(Line(f"measure {name}, full size", 1000 * seconds, "ms", 20))
    return lines


# --- Training -------------------------------------------------------------------------------------


def _networks():
    from inception_edu.describe import mini, network, tower

    return {
        "mini Inception-v4": mini(network("inception_v4")),
        "mini Inception-ResNet-v1": mini(network("inception_resnet_v1")),
        "mini Inception-ResNet-v2": mini(network("inception_resnet_v2"), 1 / 4),
        "tower of 288 channels": tower(288),
    }


def _data(limit: int = 2000):
    from inception_edu.data import load

    return load("fashion", device="cpu", limit=(limit, 50))


def theirs(name: str, workers: str, folder: str) -> tuple[int, float]:
    """What a tutorial writes: ImageFolder, transforms, DataLoader, and the loss asked for at each
    step."""
    import torch
    from torch import nn
    from torchvision import transforms
    from torchvision.datasets import ImageFolder

    from inception_edu.nets.build import build

    chain = transforms.Compose(
        [
            transforms.RandomCrop(32, 4),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize([0.29] * 3, [0.35] * 3),
        ]
    )
    model = build(_networks()[name], seed=0)
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    loader = torch.utils.data.DataLoader(
        ImageFolder(folder, chain), BATCH, shuffle=True, drop_last=True, num_workers=int(workers)
    )
    for step, (x, y) in enumerate(loader):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        loss.item()
        if step == 0:
            start = time.perf_counter()  # neither starting workers nor the first step counts
    return step * BATCH, time.perf_counter() - start


def ours(name: str) -> tuple[int, float]:
    """As in a notebook of `make lab`, whose processes keep their memory."""
    from inception_edu.learn import Recipe, keep_memory, train
    from inception_edu.nets.build import build

    keep_memory()

    recipe, marks = Recipe(steps=STEPS + 1, batch_size=BATCH, lr=0.01, augment="crop+flip"), []
    train(
        build(_networks()[name], seed=0),
        _data(),
        recipe,
        on_record=lambda r: marks.append(r.seconds),
    )
    return STEPS * BATCH, marks[-1] - marks[0]


STEPS, BATCH = 30, 64


@line("loop")
def loop() -> list[Line]:
    """Our loop against a tutorial's, each in a process of its own, as people run them. Of the
    tutorial's two ways, without workers and with two, the faster counts."""
    from torchvision.io import write_png

    data, lines = _data(), []
    with tempfile.TemporaryDirectory() as folder:
        for i, (image, label) in enumerate(zip(data.train.images, data.train.labels.tolist())):
            place = Path(folder) / str(label)
            place.mkdir(exist_ok=True)
            write_png(image.expand(3, -1, -1).contiguous(), str(place / f"{i}.png"))

        def seconds_per_image(function: str, *arguments: str) -> float:
            code = (
                f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\nimport bench\n"
                f"print(*bench.{function}(*sys.argv[1:]))"
            )
            out = subprocess.run(
                [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
            )
            images, seconds = out.stdout.split()[-2:]
            return float(seconds) / float(images)

        for name in list(_networks())[:2]:
            times = side_by_side(
                lambda n=name: seconds_per_image("ours", n),
                lambda n=name: seconds_per_image("theirs", n, "0", folder),
                lambda n=name: seconds_per_image("theirs", n, "2", folder),
                rounds=3,
            )
            mine, none, two = (1 / seconds for seconds in times)
            lines.append(
                Line(
                    f"our loop against DataLoader + ImageFolder, {name}",
                    mine / max(none, two),
                    "×",
                    1.5,
                    True,
                    f"{mine:.0f} against {none:.0f} images/s without and {two:.0f} with two "
                    "workers",
                )
            )
    return lines


@line("rate")
def rate() -> list[Line]:
    """Multiply-adds of a training step (three times the forward pass) a second, over those of the
    best of a few matrix products of 256 to 1536 rows. As in a notebook of `make lab`, whose
    processes keep their memory; in steps enough that the one which tries a single thread counts as
    little as it does in a reader's run."""
    import torch

    from inception_edu.describe import measure
    from inception_edu.learn import Recipe, keep_memory, train
    from inception_edu.nets.build import build

    keep_memory()
    data, steps, batch = _data(), 50, 64

    def products() -> float:
        best = 0.0
        for n in (256, 512, 1024, 1536):
            a, b = torch.rand(n, n), torch.rand(n, n)
            best = max(best, n**3 / fastest(functools.partial(torch.mm, a, b), 5))
        return 1 / best  # seconds for one multiply-add

    def training(network) -> float:
        marks = []
        train(
            build(network, seed=0),
            data,
            Recipe(steps=steps + 1, batch_size=batch, lr=0.01),
            on_record=lambda r: marks.append(r.seconds),
        )
        return marks[-1] - marks[0]

    lines = []
    for name, network in _networks().items():
        product, seconds = side_by_side(products, lambda n=network: training(n), rounds=3)
        reached = 3 * measure(network).macs * steps * batch / seconds
        lines.append(
            Line(
                f"a training step's share of the matrix-product rate, {name}",
                100 * reached * product,
                "%",
                note=f"{2e-9 * reached:.1f} of {2e-9 / product:.1f} GFLOP/s, "
                f"{steps * batch / seconds:.0f} images/s",
            )
        )
    return lines


@line("probes")
def probes() -> list[Line]:
    """A record every 5 steps against none between the first and the last."""
    from inception_edu.learn import Recipe, train
    from inception_edu.nets.build import build

    data, lines = _data(), []
    for name, network in list(_networks().items())[1:]:
        models = build(network, seed=0), build(network, seed=0)

        def run(model, every: int) -> float:
            marks = []
            train(
                model,
                data,
                Recipe(steps=21, batch_size=64, lr=0.01, record_every=every),
                on_record=lambda r: marks.append(r.seconds),
            )
            return marks[-1] - marks[0]

        with_records, without = side_by_side(
            lambda m=models: run(m[0], 5), lambda m=models: run(m[1], 1000), rounds=5
        )
        lines.append(
            Line(
                f"recording every 5 steps costs, {name}", 100 * (with_records / without - 1), "%", 5
            )
        )
    return lines


@line("batches")
def batches() -> list[Line]:
    """Choosing, augmenting and normalising a batch, as a share of the training step that it
    feeds."""
    import torch

    from inception_edu.learn import Recipe, train
    from inception_edu.nets.build import build

    data, (name, network) = _data(), list(_networks().items())[1]

    def data_alone() -> float:
        generator = torch.Generator().manual_seed(0)
        start = time.perf_counter()
        for _ in data.batches(data.train, 64, generator, "crop+flip", steps=20):
            pass
        return (time.perf_counter() - start) / 20

    def training() -> float:
        marks = []
        train(
            build(network, seed=0),
            data,
            Recipe(steps=9, batch_size=64, lr=0.01, augment="crop+flip"),
            on_record=lambda r: marks.append(r.seconds),
        )
        return (marks[-1] - marks[0]) / 8

    alone, step = side_by_side(data_alone, training)
    return [
        Line(
            f"the data's share of a training step, {name}",
            100 * alone / step,
            "%",
            5,
            note=f"{1000 * alone:.2f} of {1000 * step:.0f} ms",
        )
    ]


@line("labs")
def labs() -> list[Line]:
    """From a click to the first point, to the end of a stopped run, to the verdict."""
    import bench_labs

    return bench_labs.labs(Line)


@line("plotting")
def plotting() -> Iterable[Line]:
    """What plotting costs training."""
    import bench_labs

    return bench_labs.plotting(Line)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "words", nargs="*", help=f"groups to measure; none: all ({', '.join(n for n, _ in GROUPS)})"
    )
    words = parser.parse_args().words
    missed = 0
    for name, function in GROUPS:
        if words and not any(word in name for word in words):
            continue
        for measured in function():
            print(measured, flush=True)
            missed += not measured.passed
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    print(f"{missed} missed" if missed else "all targets met")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
