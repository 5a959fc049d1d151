"""Writes the recorded runs of the labs, which `recorded` reads: data/results/lab_grid.json.gz."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path

from inception_edu.study.config import Config
from inception_edu.study.recorded import CURVES, SCHEMA, RecordedError, packed, recorded_grid
from inception_edu.study.results import RESULTS, Result, write_whole


def pack_grid(name: str, results: list[Result], folder: Path | None = None) -> Path:
    """Put the runs of a grid of width × scale × rate into one compact file, by cell. What the file
    has stays, unless it was run again."""
    path = Path(folder or RESULTS) / f"{name}.json.gz"
    before = json.loads(gzip.decompress(path.read_bytes())) if path.is_file() else {}
    cells = {place(c["width"], c["scale"], c["rate"]): c for c in before.get("cells", ())}
    there = {(*where, run["seed"]) for where, cell in cells.items() for run in cell["runs"]}
    new = [r for r in results if (*place_of(r.config), r.seed) not in there]
    for result in results:
        width, scale, rate = where = place_of(result.config)
        cell = cells.setdefault(where, _empty(width, scale, rate))
        others = [run for run in cell["runs"] if run["seed"] != result.seed]
        cell["runs"] = sorted([*others, _run(result)], key=lambda run: run["seed"])
        cell["steps"] = max(cell["steps"], result.curves["step"], key=len)
    facts = before.get("facts", {})
    _write(path, [cells[key] for key in sorted(cells)], _facts(new, cells, facts))
    return path


def _write(path: Path, cells: list[dict], facts: dict) -> None:
    text = json.dumps({"schema": SCHEMA, "facts": facts, "cells": cells}, separators=(",", ":"))
    # No time of writing in the file: the same runs give the same bytes.
    write_whole(path, gzip.compress(text.encode(), mtime=0))


def _facts(results: list[Result], cells: dict, old: dict) -> dict:
    if not results:
        return old
    hours = sum(r.seconds * r.threads for r in results) / 3600
    arguments = dict(results[0].config.arguments)
    return {
        "runs": sum(len(cell["runs"]) for cell in cells.values()),
        "data": sorted({*old.get("data", ()), *(r.data["name"] for r in results)}),
        "images": results[0].data["train"],
        "device": sorted({*old.get("device", ()), *(r.device for r in results)}),
        "versions": results[0].versions,
        "steps": results[0].config.recipe.steps,
        "depth": arguments["depth"],
        "optimizer": results[0].config.recipe.optimizer,
        "core_hours": round(old.get("core_hours", 0) + hours, 2),
    }


def place(width: float, scale: float, rate: float) -> tuple[int, float, float]:
    return int(width), float(scale), float(rate)


def place_of(config: Config) -> tuple[int, float, float]:
    """Where a configuration stands in the grid."""
    arguments = dict(config.arguments)
    return place(arguments["width"], arguments["scale"], config.recipe.lr)


def recorded_there(configs: Iterable[Config]) -> set[Config]:
    """Those of the configurations that the committed grid holds."""
    try:
        cells = recorded_grid().cells
    except RecordedError:
        return set()
    known = {(*place(c.width, c.scale, c.rate), r.seed) for c in cells for r in c.runs}
    return {c for c in configs if (*place_of(c), c.seed) in known}


def _empty(width: int, scale: float, rate: float) -> dict:
    return {"width": width, "scale": scale, "rate": rate, "steps": [], "runs": []}


def _run(result: Result) -> dict:
    blocks = result.maps["dead"]
    curves = {name: packed(name, result.curves[name]) for name in CURVES}
    shares = [share for name in blocks for share in blocks[name]]
    return {
        "seed": result.seed,
        "status": result.status,
        "test_accuracy": result.accuracy,
        "ends": {name: round(result.dead.get(name, 0.0), 4) for name in blocks},
        "length": float(f"{result.curves['length'][0]:.4g}"),
        "packed": {**curves, "dead": packed("dead", shares)},
        "n": len(result.curves["step"]),
    }
