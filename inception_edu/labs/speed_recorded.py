"""Measurements of the speed lab that come with the project, for pages in which nothing can be
measured: `data/results/speed.json`.

python -c "from inception_edu.labs.speed_recorded import record; record()"    writes it anew
"""

from __future__ import annotations

import itertools
import json
import os
import platform
import threading
from dataclasses import asdict, dataclass
from functools import lru_cache

import torch

from inception_edu.data import data_dir
from inception_edu.labs.speed_clock import LAYOUTS, PRECISIONS, WEIGHTS, Settings, clocking
from inception_edu.learn import default_device
from inception_edu.learn.speedup import Speedup

FILE = "speed.json"
ROUNDS = 31  # of each, so that a busy machine's median still has a narrow interval
PLAIN = Settings("inception_resnet_v2", 139, 1, "plain")
# Every choice; the first, "nothing changed", clocks the plain network against itself.
ALL = tuple(
    Settings(PLAIN.network, PLAIN.image, PLAIN.batch, *choice)
    for choice in itertools.product((key for _, key in WEIGHTS), LAYOUTS, PRECISIONS)
)
# One change after the other, as the chapter makes them.
STEPS = (
    Settings(PLAIN.network, PLAIN.image, PLAIN.batch, "folded"),
    Settings(PLAIN.network, PLAIN.image, PLAIN.batch, "merged"),
    Settings(PLAIN.network, PLAIN.image, PLAIN.batch, "merged", "channels last"),
    Settings(PLAIN.network, PLAIN.image, PLAIN.batch, "merged", "channels last", "bfloat16"),
)


class NotRecorded(LookupError):
    """There is no measurement of this in the file."""


@dataclass(frozen=True)
class Recorded:
    """A measurement of the file; `error` as in `speed_clock.Found`."""

    settings: Settings
    speedup: Speedup
    error: float


def record() -> None:
    """Measure `ALL` here and write the file: the ratios of each round and what they were measured
    on, no seconds, which other programs on the machine would have changed."""
    rows, load, place = [], [os.getloadavg()[0]], default_device()
    for settings in ALL:
        found = clocking(settings, ROUNDS)(lambda _: None, threading.Event())
        ratios = [round(ratio, 4) for ratio in found.speedup.ratios]
        error = float(f"{found.error:.2g}")
        rows.append({"settings": asdict(settings), "ratios": ratios, "error": error})
        load.append(os.getloadavg()[0])
    facts = {
        "question": "How many times as fast as the plain network is it after each change?",
        "device": torch.cuda.get_device_name(place) if place.type == "cuda" else place.type,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores seen",
        "threads": torch.get_num_threads(),
        "load": [round(min(load), 1), round(max(load), 1)],
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "rows": rows,
    }
    text = json.dumps(facts, indent=1) + "\n"
    (data_dir() / "results" / FILE).write_text(text, encoding="utf-8")


@lru_cache(maxsize=1)
def _file() -> tuple[dict[Settings, Recorded], str]:
    path = data_dir() / "results" / FILE
    if not path.is_file():
        return {}, ""
    facts = json.loads(path.read_text(encoding="utf-8"))
    found = {}
    for row in facts["rows"]:
        settings = Settings(**row["settings"])
        found[settings] = Recorded(settings, Speedup(tuple(row["ratios"])), row["error"])
    threads = f"{facts['threads']} thread{'s' * (facts['threads'] != 1)}"
    low, high = facts["load"]
    load = f"load {low:g} to {high:g}"
    return found, f"{facts['device']}, {threads}, torch {facts['versions']['torch']}, {load}"


def recorded() -> tuple[list[tuple[str, Speedup]], str]:
    """The rows of `STEPS` as `speed_picture.speed_svg` takes them, and where they were measured.
    Without the file: no rows."""
    found, where = _file()
    return [(s.words(), found[s].speedup) for s in STEPS if s in found], where


def measured(settings: Settings) -> tuple[Recorded, str]:
    """The recorded measurement of these settings, and where it was made. Raises `NotRecorded`."""
    found, where = _file()
    if settings not in found:
        raise NotRecorded(f"There is no recorded measurement of {settings.words()}.")
    return found[settings], where
