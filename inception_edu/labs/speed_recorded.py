"""A measurement of the speed lab that comes with the project, for pages in which nothing can be
measured: `data/results/speed.json`.

python -c "from inception_edu.labs.speed_recorded import record; record()"    writes it anew
"""

from __future__ import annotations

import json
import os
import platform
import threading
from dataclasses import asdict

import torch

from inception_edu.data import data_dir
from inception_edu.labs.speed_clock import Settings, clocking
from inception_edu.learn.speedup import Speedup

FILE = "speed.json"
PLAIN = Settings("inception_resnet_v2", 139, 1)
CHANGES: tuple[dict[str, str], ...] = (
    {"weights": "folded"},
    {"weights": "merged"},
    {"weights": "merged", "layout": "channels last"},
    {"weights": "merged", "layout": "channels last", "precision": "bfloat16"},
)


def record() -> None:
    """Measure `CHANGES` here and write the file: the ratios of each round and what they were
    measured on, no seconds, which other programs on the machine would have changed."""
    rows = []
    for change in CHANGES:
        settings = Settings(PLAIN.network, PLAIN.image, PLAIN.batch, **change)
        found = clocking(settings)(lambda _: None, threading.Event())
        ratios = [round(ratio, 4) for ratio in found.speedup.ratios]
        rows.append({"settings": asdict(settings), "ratios": ratios})
    facts = {
        "question": "How many times as fast as the plain network is it after each change?",
        "device": "cpu" if not torch.cuda.is_available() else torch.cuda.get_device_name(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores seen",
        "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "rows": rows,
    }
    text = json.dumps(facts, indent=1) + "\n"
    (data_dir() / "results" / FILE).write_text(text, encoding="utf-8")


def recorded() -> tuple[list[tuple[str, Speedup]], str]:
    """The rows of the file as `speed_picture.speed_svg` takes them, and where they were
    measured. Without the file: no rows."""
    path = data_dir() / "results" / FILE
    if not path.is_file():
        return [], ""
    facts = json.loads(path.read_text(encoding="utf-8"))
    rows = [
        (Settings(**row["settings"]).words(), Speedup(tuple(row["ratios"])))
        for row in facts["rows"]
    ]
    threads = f"{facts['threads']} thread{'s' * (facts['threads'] != 1)}"
    return rows, f"{facts['device']}, {threads}, torch {facts['versions']['torch']}"
