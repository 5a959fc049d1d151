"""Writes the recorded runs of the labs, which `recorded` reads: data/results/lab_grid.json.gz."""

from __future__ import annotations

from pathlib import Path

from inception_edu.study.recorded import CURVES, packed, write_grid
from inception_edu.study.results import RESULTS, Result


def pack_grid(name: str, results: list[Result], folder: Path | None = None) -> Path:
    """Write the runs of a grid of width × scale × rate, by cell, as one compact file."""
    cells: dict[tuple, dict] = {}
    for result in results:
        arguments = dict(result.config.arguments)
        width, scale, rate = arguments["width"], arguments["scale"], result.config.recipe.lr
        cell = cells.setdefault((width, scale, rate), _empty(width, scale, rate))
        cell["runs"].append(_run(result))
        cell["steps"] = max(cell["steps"], result.curves["step"], key=len)
    facts = {
        "runs": len(results),
        "data": sorted({r.data["name"] for r in results}),
        "images": results[0].data["train"],
        "device": sorted({r.device for r in results}),
        "versions": results[0].versions,
        "steps": results[0].config.recipe.steps,
        "depth": dict(results[0].config.arguments)["depth"],
        "optimizer": results[0].config.recipe.optimizer,
        "core_hours": round(sum(r.seconds * r.threads for r in results) / 3600, 2),
    }
    path = Path(folder or RESULTS) / f"{name}.json.gz"
    write_grid(path, [cells[key] for key in sorted(cells)], facts)
    return path


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
