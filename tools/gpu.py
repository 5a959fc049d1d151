"""What the collection does on this machine's GPU: one command, at most ten minutes, no network.

    python tools/gpu.py                                        all of it, on CUDA
    python tools/gpu.py --photographs folder:/path/to/cifar10  colour photographs for the training
    INCEPTION_EDU_DEVICE=cpu python tools/gpu.py --minutes 2 --chapters 02 --quick    a rehearsal

It trains the two small networks on images and notes when they reach 80 and 90 %, runs the tests
that touch a device, the benchmark, and every chapter, and writes one file,
data/machines/NAME.json: the card, its driver, the versions, and what was found. The chapters'
device columns come from such files. What the time did not suffice for stands there as such.

A rehearsal on another device than CUDA is not written to data/machines unless --output says so.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MACHINES = ROOT / "data" / "machines"
SCHEMA = 1
PARTS = ("training", "steps", "tests", "bench", "chapters")
LEAST = 60  # seconds that a chapter gets, where so many are left
GOALS = (0.8, 0.9)  # accuracies whose time is noted
NETWORKS = {
    "inception_v4": dict(network="inception_v4", width=1 / 4, repeats=[1, 2, 1]),
    "inception_resnet_v2": dict(
        network="inception_resnet_v2", width=1 / 4, repeats=[2, 3, 2], scale=0.2
    ),
}


@dataclass
class Budget:
    """The time that is left."""

    seconds: float

    def __post_init__(self):
        self.end = time.monotonic() + self.seconds

    @property
    def left(self) -> float:
        return max(0.0, self.end - time.monotonic())


def driver() -> str:
    """The NVIDIA driver's version; "" where there is none."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().splitlines()[0] if done.stdout.strip() else ""


def describe_machine(device) -> dict:
    """Card, driver and versions."""
    import numpy
    import torch
    import torchvision

    import inception_edu

    facts = {
        "device": device.type,
        "card": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "numpy": numpy.__version__,
        "inception_edu": inception_edu.__version__,
    }
    if device.type == "cuda":
        card = torch.cuda.get_device_properties(device)
        facts |= {
            "card": card.name,
            "memory_gb": round(card.total_memory / 2**30, 1),
            "capability": f"{card.major}.{card.minor}",
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
            "driver": driver(),
        }
    return facts


# --- Training -------------------------------------------------------------------------------------


def matrix_rate(device, dtype, largest: int, seconds: float = 2.0) -> float:
    """Multiply-adds a second of the best square matrix product of up to `largest` rows."""
    import torch

    from inception_edu.learn import synchronize

    best, sides = 0.0, [side for side in (512, 1024, 2048, 4096, 8192) if side <= largest]
    for side in sides:
        a = torch.randn(side, side, device=device, dtype=dtype)
        torch.mm(a, a)
        synchronize(device)
        start, calls = time.perf_counter(), 0
        while time.perf_counter() - start < seconds / len(sides):
            torch.mm(a, a)
            synchronize(device)
            calls += 1
        best = max(best, calls * side**3 / (time.perf_counter() - start))
    return best


def train_one(name: str, data, device, epochs: float, budget: Budget, rate: float) -> dict:
    """Train one network; when it reached which accuracy, its speed, and its share of the card's."""
    import threading

    from inception_edu.describe.measure import measure
    from inception_edu.describe.networks import make
    from inception_edu.learn import Recipe, train
    from inception_edu.nets.build import build

    images = len(data.train.labels)
    batch = min(128, images)
    steps = max(4, round(epochs * images / batch))
    every = max(2, steps // 20)
    network = make(kind="mini", **NETWORKS[name])
    recipe = Recipe(
        steps=steps,
        batch_size=batch,
        lr=0.2,
        nesterov=True,
        weight_decay=3e-4,
        schedule="one-cycle",
        label_smoothing=0.1,
        average=0.995,
        augment="crop+flip",
        record_every=every,
        evaluate_every=every,
    )
    stop = threading.Event()
    timer = threading.Timer(budget.left, stop.set)
    timer.start()
    try:
        history = train(build(network, seed=0).to(device), data.to(device), recipe, stop=stop)
    finally:
        timer.cancel()
    seconds_at = {record.step: record.seconds for record in history.records}
    reached = dict(history.evaluations)
    if history.test_accuracy is not None:
        reached[steps] = history.test_accuracy
        seconds_at[steps] = history.seconds
    first, last = history.records[0], history.records[-1]
    speed = 0.0
    if last.step > first.step:
        speed = batch * (last.step - first.step) / (last.seconds - first.seconds)
    return {
        "network": name,
        "images": data.name,
        "training_images": images,
        "batch_size": batch,
        "steps": steps,
        "status": history.status,
        "precision": history.precision,
        "test_accuracy": history.test_accuracy,
        "seconds": round(history.seconds, 3),
        "seconds_to": {f"{goal:.0%}": first_time(reached, seconds_at, goal) for goal in GOALS},
        "images_per_second": round(speed, 1),
        "share_of_matrix_rate": round(3 * measure(network).macs * speed / rate, 4),
    }


def first_time(reached: dict[int, float], seconds_at: dict[int, float], goal: float):
    """Seconds of training at the first test that found `goal`; None where none did."""
    for step in sorted(reached):
        if reached[step] >= goal and step in seconds_at:
            return round(seconds_at[step], 3)
    return None


def training(device, source: str, epochs: float, limit: tuple | None, budget: Budget) -> list[dict]:
    import torch

    from inception_edu.data import load
    from inception_edu.learn import autocast

    data = load(source, limit=limit)
    precision = autocast(device)[1]
    largest = 8192 if device.type == "cuda" else 1024
    rate = matrix_rate(device, getattr(torch, precision), largest)
    rows = []
    for number, name in enumerate(NETWORKS):
        share = Budget(budget.left / (len(NETWORKS) - number))
        print(f"training {name} on {data.name} … ", end="", flush=True)
        rows.append(train_one(name, data, device, epochs, share, rate))
        print(f"{rows[-1]['status']}, {rows[-1]['images_per_second']:.0f} images a second")
    return rows


DEVICE_TESTS = ["tests/test_second_device.py", "tests/test_steps.py"]


def steps(device, count: int = 120) -> list[dict]:
    """Milliseconds of a training step of small networks, as an ordinary one and, on CUDA, as one
    that is captured once and replayed."""
    import torch

    from inception_edu.data import Data, Split
    from inception_edu.describe.networks import make
    from inception_edu.learn import Recipe, train
    from inception_edu.nets.build import build

    described = {
        "tower of 72 channels": (make(kind="tower", width=72), 32),
        "inception_resnet_v2": (make(kind="mini", **NETWORKS["inception_resnet_v2"]), 128),
    }
    pixels = torch.randint(0, 256, (1024, 3, 32, 32), dtype=torch.uint8)
    split = Split(pixels, torch.arange(1024) % 10)
    data = Data("noise", tuple("abcdefghij"), split, split[:10]).to(device)
    rows = []
    for name, (network, batch) in described.items():
        row: dict = {"network": name, "batch_size": batch}
        for word, graphs in (("ordinary", "0"), ("replayed", "1")):
            if word == "replayed" and device.type != "cuda":
                continue
            os.environ["INCEPTION_EDU_GRAPHS"] = graphs
            recipe = Recipe(steps=count, batch_size=batch, lr=1e-3, record_every=count // 4)
            seen = train(build(network, seed=0).to(device), data, recipe).records
            took = (seen[-1].seconds - seen[1].seconds) / (seen[-1].step - seen[1].step)
            row[f"{word}_ms"] = round(1000 * took, 3)
        rows.append(row)
    os.environ.pop("INCEPTION_EDU_GRAPHS")
    print(rows)
    return rows


# --- Tests, benchmark, chapters -------------------------------------------------------------------


def run(command: list, budget: Budget, **environment: str) -> tuple[int | None, str, float]:
    """(exit code, output, seconds) of a command in the project's folder; code None: out of time."""
    start = time.monotonic()
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    whole = os.environ | {"PYTHONPATH": os.pathsep.join(paths)} | environment
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        try:
            code = subprocess.run(
                [sys.executable, *map(str, command)],
                cwd=ROOT,
                env=whole,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=budget.left,
            ).returncode
        except subprocess.TimeoutExpired:
            code = None
        output.seek(0)
        return code, output.read(), round(time.monotonic() - start, 1)


def tests(device: str, selection: list[str], budget: Budget) -> dict:
    """The tests of what runs on a device."""
    print("tests … ", end="", flush=True)
    workers = str(max(1, min(4, (os.cpu_count() or 1) // 4)))
    command = ["-m", "pytest", "-q", "-n", workers, "-p", "no:cacheprovider", *selection]
    code, output, seconds = run(command, budget, INCEPTION_EDU_DEVICE=device)
    counts = {
        word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|skipped|error)", output)
    }
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE)
    print(counts or "not finished")
    finished = code is not None
    return {"finished": finished, "counts": counts, "failed": failed, "seconds": seconds}


def benchmark(words: list[str], budget: Budget) -> dict:
    """The benchmark's lines, as `make bench` prints them."""
    print("benchmark … ", end="", flush=True)
    code, output, seconds = run(["tests/bench.py", *words], budget)
    lines = [line.rstrip() for line in output.splitlines() if line.strip()]
    if code:  # its last lines would be taken for measurements
        raise RuntimeError(lines[-1] if lines else f"it ended with {code}")
    print(f"{len(lines)} lines")
    return {"finished": code is not None, "lines": lines, "seconds": seconds}


EXECUTE = """
import sys
sys.path.insert(0, "notebooks")
import build
build.execute(build.transform(build.sources(sys.argv[1])[0]), sys.argv[2], build.NOTEBOOKS)
"""


def chapters(
    device: str, mode: str, numbers: list[str], budget: Budget, together: int = 1
) -> list[dict]:
    """Seconds that each chapter takes as a whole, and how it ended; `together` at a time."""
    names = sorted(path.stem for path in (ROOT / "notebooks" / "src").glob("[0-9][0-9]_*.py"))
    if numbers:
        names = [name for name in names if name[:2] in numbers]

    def one(name: str) -> dict:
        row = {"chapter": name, "mode": mode, "status": "out of time", "seconds": None}
        if budget.left > 5:
            command = ["-c", EXECUTE, name, mode]
            # One that hangs leaves the others half of the time.
            share = Budget(max(budget.left / 2, min(budget.left, LEAST)))
            code, output, seconds = run(command, share, INCEPTION_EDU_DEVICE=device)
            if code is not None:
                row |= {"status": "failed" if code else "ran", "seconds": seconds}
            if code:
                plain = re.sub(r"\x1b\[[\d;]*m", "", output)  # IPython writes errors in colours
                row["error"] = plain.strip().splitlines()[-1][:300]
            print(f"{name}: {row['status']}, {seconds:.0f} s", flush=True)
        return row

    with ThreadPoolExecutor(together) as pool:
        return list(pool.map(one, names))


def write(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10, help="time for all of it")
    parser.add_argument(
        "--photographs",
        default=os.environ.get("INCEPTION_EDU_PHOTOGRAPHS", "fashion"),
        help="source of the images to train on; the embedded ones where none is named",
    )
    parser.add_argument("--epochs", type=float, default=28, help="passes over them")
    parser.add_argument("--chapters", nargs="*", default=[], help="numbers; none: all")
    parser.add_argument(
        "--parts", nargs="*", default=[], choices=PARTS, help="only these; the others stay"
    )
    parser.add_argument("--together", type=int, default=1, help="chapters at a time")
    parser.add_argument("--name", help="of the file to write; the card's name by default")
    parser.add_argument("--output", type=Path, help="write this file instead")
    parser.add_argument("--quick", action="store_true", help="a rehearsal: little of everything")
    args = parser.parse_args(arguments)

    import torch

    sys.path.insert(0, str(ROOT))
    device = torch.device(os.environ.get("INCEPTION_EDU_DEVICE", "cuda"))
    if device.type == "cuda" and not torch.cuda.is_available():
        print(
            "No CUDA device is here: torch sees none. On a machine without one, a rehearsal is "
            "INCEPTION_EDU_DEVICE=cpu python tools/gpu.py --quick"
        )
        return 2
    whole = Budget(60 * args.minutes)
    found = {
        "schema": SCHEMA,
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "rehearsal": args.quick or device.type != "cuda",
        "machine": describe_machine(device),
    }
    # A quarter of the time each for training, and for tests with the benchmark; the rest is the
    # chapters'.
    part = whole.seconds / 4
    epochs, limit = (1, (20, 20)) if args.quick else (args.epochs, None)
    mode = "quick" if args.quick else "standard"
    selection = ["tests/test_machine.py", "-k", "bfloat16"] if args.quick else DEVICE_TESTS
    work = {
        "training": lambda: training(device, args.photographs, epochs, limit, Budget(part)),
        "steps": lambda: steps(device, 8 if args.quick else 120),
        "tests": lambda: tests(device.type, selection, Budget(part / 2)),
        "bench": lambda: benchmark(["measure"] if args.quick else [], Budget(part / 2)),
        "chapters": lambda: chapters(device.type, mode, args.chapters, whole, args.together),
    }
    name = args.name or re.sub(r"[^a-z0-9]+", "-", found["machine"]["card"].lower()).strip("-")
    path = args.output or MACHINES / f"{name}.json"
    if found["rehearsal"] and not args.output:
        path = ROOT / "dist" / f"rehearsal-{name}.json"
    if args.parts and path.exists():  # the other parts stay, if they are of this machine
        before = json.loads(path.read_text(encoding="utf-8"))
        found = before | found if before["machine"] == found["machine"] else found
    wrong = []
    for task in args.parts or work:
        # Written after each part: what was found stays, whatever the next one meets.
        try:
            found[task] = work[task]()
        except Exception as error:
            print(f"{task}: {type(error).__name__}: {error}")
            wrong.append(task)
            continue
        if task == "chapters":
            found["together"] = args.together
        found["seconds"] = round(whole.seconds - whole.left, 1)
        write(path, found)
    failed = [row["chapter"] for row in found.get("chapters", []) if row["status"] == "failed"]
    wrong += found.get("tests", {}).get("failed", [])
    print(f"{whole.seconds - whole.left:.0f} s; written to {path}")
    if failed or wrong:
        print("failed:", *failed, *wrong)
    return bool(failed or wrong)


if __name__ == "__main__":
    sys.exit(main())
