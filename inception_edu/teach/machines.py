"""What `make gpu` found on the machines that were measured, as tables: one file a machine in
data/machines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inception_edu.describe.tables import Table, table
from inception_edu.study.racers import title

NONE = "No machine was measured yet. `make gpu` measures yours."


def measured(part: str, folder: Path | None = None) -> list[tuple[str, dict[str, Any]]]:
    """The lines of one part ("steps", "training") of every file of `folder` (data/machines), each
    with the card that it was measured on."""
    from inception_edu.data.paths import data_dir, read_parts

    found = read_parts(Path(folder or data_dir() / "machines"), "machine.card", part)
    return [(machine["machine.card"], row) for machine in found for row in machine[part]]


def step_times(folder: Path | None = None) -> Table:
    """Milliseconds of an ordinary and of a replayed training step, and their ratio: a row for each
    network on each machine."""
    rows = [
        (card, title(row["network"]), row["batch_size"])
        + (row["ordinary_ms"], row["replayed_ms"], row["ordinary_ms"] / row["replayed_ms"])
        for card, row in measured("steps", folder)
    ]
    columns = ["machine", "network", "images", "ordinary, ms", "replayed, ms", "times as fast"]
    formats = dict.fromkeys(columns[3:], ".1f")
    caption = "One training step; images: how many at once" if rows else NONE
    return table(rows, columns, formats=formats, caption=caption)


def training_times(folder: Path | None = None) -> Table:
    """Seconds to 80 and 90 % of the test images and to the end of a training: a row for each
    network on each machine. "not reached": the run ended below."""
    rows = []
    for card, row in measured("training", folder):
        reached = row["seconds_to"]
        times = [
            "not reached" if reached[goal] is None else f"{reached[goal]:.1f} s" for goal in reached
        ]
        rows.append((card, title(row["network"]), *times))
        rows[-1] += (f"{row['seconds']:.1f} s", row["test_accuracy"], row["images_per_second"])
    found = [row["seconds_to"] for _, row in measured("training", folder)]
    goals = list(found[0]) if found else ["80%", "90%"]
    columns = ["machine", "network", *(f"to {goal.replace('%', ' %')}" for goal in goals)]
    columns += ["whole run", "right at its end", "images a second"]
    formats = {"right at its end": ".1%", "images a second": ",.0f"}
    caption = "One run each: a picture, no verdict" if rows else NONE
    return table(rows, columns, formats=formats, caption=caption)
