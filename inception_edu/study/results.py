"""What a run showed, and the files that keep it.

    result = read_result(config)                  a finished run of this machine, or None
    load_results("remedies")                      the committed runs of an experiment

A result is written under another name first and then renamed, so a file that exists is whole. Every
file names its schema; a file of another schema is not read, a sentence says what to do.
"""

from __future__ import annotations

import json
import math
import os
import platform
import threading
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import inception_edu
from inception_edu.data.paths import data_dir, downloads_dir
from inception_edu.study.config import Config, ExperimentError
from inception_edu.study.digests import RECIPE_VERSION, SCHEMA, Identity, digest

RESULTS = data_dir() / "results"


@dataclass(frozen=True)
class Result:
    """What one run showed. `Result.from_dict(json)` reads what `to_dict` wrote.

    status     "finished", "stopped" or "diverged". A run that did not finish has no accuracy and no
               dead channels: they are None, and whoever averages says how many runs had none
    dead       share of channels that are 0 at every position of 64 training images at the end, by
               block
    curves     by name, one number a recorded step: step, loss, accuracy, grad_norm, lr; for the
               last residual block bias, weight, momentum (means of its last layer's parameters and
               of the optimizer's buffer for its weights), branch, identity (means of what it adds
               and of what it adds to); for the vector a that enters the classifier length (mean of
               |a|²) and push (mean of a · ∂loss/∂a); logits (standard deviation), entropy (of the
               probabilities, in nats)
    maps       by name (spread, dead, ratio, branch, gradient: the length of a block's gradient), by
               block, one number a recorded step
    data       the exact name of the images, their fingerprint, and their counts
    extras     evaluations, pairs of (step, test accuracy), where the recipe asks for them; the
               answers to crops; "dead_training": the dead channels on 500
               training images
    version    of the training that made it, `RECIPE_VERSION`
    """

    config: Config
    status: str
    sentence: str
    test_accuracy: float | None
    dead: dict[str, float]
    curves: dict[str, list]
    maps: dict[str, dict[str, list]]
    seconds: float
    params: int
    macs: int
    data: dict
    device: str
    threads: int
    precision: str
    versions: dict[str, str]
    extras: dict = field(default_factory=dict)
    version: int = RECIPE_VERSION

    @property
    def label(self) -> str:
        """The configuration's label."""
        return self.config.label

    @property
    def seed(self) -> int:
        """The configuration's seed."""
        return self.config.seed

    @property
    def identity(self) -> Identity:
        """What the run depends on beside its configuration."""
        kind = self.device.partition(":")[0]
        return Identity(self.data["fingerprint"], self.precision, kind, self.version)

    @property
    def digest(self) -> str:
        """The name of the result's file."""
        return digest(self.config, self.identity)

    @property
    def dead_last(self) -> float | None:
        """Share of dead channels in the last block, the layer before the average pooling."""
        return list(self.dead.values())[-1] if self.dead else None

    @property
    def dead_most(self) -> float | None:
        """Share of dead channels in the block that has most of them."""
        return max(self.dead.values(), default=None)

    @property
    def final_loss(self) -> float | None:
        """Mean of the last fifth of the recorded losses."""
        losses = [x for x in self.curves["loss"] if x is not None]
        if self.status != "finished" or not losses:
            return None
        tail = losses[-max(1, len(losses) // 5) :]
        return sum(tail) / len(tail)

    @property
    def accuracy(self) -> float | None:
        """Accuracy on the test images, or on the held-out training images where `config.judge` says
        so."""
        return self.test_accuracy if self.status == "finished" else None

    def to_dict(self) -> dict:
        """Plain JSON types, with the schema's number."""
        return {
            "schema": SCHEMA,
            "digest": self.digest,
            **{f.name: getattr(self, f.name) for f in fields(self)},
            "config": self.config.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: dict) -> Result:
        """Raises ExperimentError for another schema than this version's."""
        if (schema := values.get("schema", 1)) != SCHEMA:
            raise ExperimentError(
                f"This result has schema {schema}, this version reads {SCHEMA}: bring the file "
                "up to date with `python -m inception_edu.study migrate FILE`."
            )
        values = {k: v for k, v in values.items() if k not in ("digest", "schema")}
        return cls(**{**values, "config": Config.from_dict(values["config"])})


def versions() -> dict[str, str]:
    """Of Python, torch and this package; the card's name where a run is computed on one."""
    import torch  # to read a result none is needed

    from inception_edu.learn import default_device

    found = {
        "python": platform.python_version(),
        "torch": torch.__version__.split("+")[0],
        "inception_edu": inception_edu.__version__,
    }
    place = default_device()
    if place.type == "cuda":
        found["card"] = torch.cuda.get_device_name(place)
    return found


# --- Files of this machine's runs -----------------------------------------------------------------


def runs_folder() -> Path:
    """Where finished runs are kept: INCEPTION_EDU_RUNS, else runs/ beside the downloads."""
    chosen = os.environ.get("INCEPTION_EDU_RUNS")
    return Path(chosen).expanduser() if chosen else downloads_dir() / "runs"


def _short(value):
    """Four significant digits are enough for a curve; what is not finite becomes null."""
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        whole = value == int(value) and abs(value) <= 1e6
        return int(value) if whole else float(f"{value:.4g}")
    if isinstance(value, dict):
        return {k: _short(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_short(v) for v in value]
    return value


def line(result: Result) -> str:
    """A result as one line of JSON: the configuration exactly, measured numbers to four digits."""
    values = result.to_dict()
    exact = {name: values.pop(name) for name in ("schema", "digest", "config")}
    return json.dumps({**exact, **_short(values)}, separators=(",", ":"))


def write_whole(path: Path, content: str | bytes) -> None:
    """Write under another name, then rename: `path` either has all of `content` (text as UTF-8) or
    is as it was before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        part.write_bytes(content if isinstance(content, bytes) else content.encode())
        os.replace(part, path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def keep(result: Result, folder: Path | None = None) -> Path:
    """Write a run into the folder of runs, under its name."""
    path = Path(folder or runs_folder()) / f"{result.digest}.json"
    write_whole(path, line(result))
    return path


def read_result(
    config: Config,
    folder: Path | None = None,
    source: str | None = None,
    identity: Identity | None = None,
) -> Result | None:
    """The finished run of `config` on this machine's images, precision and device, or None.

    What a file says of itself counts, not its name: a run of another configuration, of other
    images, or an unreadable file is none. `source` says where the photographs are.
    """
    if identity is None:
        from inception_edu.study.identity import identify  # torch, to read the images

        identity = identify(config, source)
    wanted = digest(config, identity)
    path = Path(folder or runs_folder()) / f"{wanted}.json"
    try:
        result = Result.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, ExperimentError):
        return None
    return replace(result, config=config) if result.digest == wanted else None


# --- Committed results ----------------------------------------------------------------------------


def pack(
    name: str,
    results: list[Result],
    folder: Path | None = None,
    question: str = "",
    missing: int = 0,
) -> Path:
    """Write an experiment's runs into one file, a header line and a line a run:
    data/results/NAME.jsonl. `missing`: how many runs the experiment asks for beside these."""
    statuses = sorted({r.status for r in results})
    header = {
        "schema": SCHEMA,
        "experiment": name,
        "question": question,
        "runs": len(results),
        "cells": len({r.label for r in results}),
        "missing": missing,
        "status": {s: sum(r.status == s for r in results) for s in statuses},
        "core_hours": round(sum(r.seconds * r.threads for r in results) / 3600, 2),
        "data": sorted({r.data["name"] for r in results}),
        "device": sorted({r.device for r in results}),
    }
    lines = [json.dumps(header, ensure_ascii=False), *map(line, results)]
    path = Path(folder or RESULTS) / f"{name}.jsonl"
    write_whole(path, "\n".join(lines) + "\n")
    return path


def results_file(name: str, folder: Path | None = None) -> Path:
    """Where the committed runs of an experiment are, or would be."""
    return Path(folder or RESULTS) / f"{name}.jsonl"


def results_if_any(name: str) -> list[Result]:
    """The committed runs of an experiment; none where nobody has made them. Raises
    `ExperimentError` where a file is there and cannot be read."""
    return load_results(name) if results_file(name).exists() else []


def load_results(name: str, folder: Path | None = None) -> list[Result]:
    """The committed runs of an experiment. Raises `ExperimentError` where there are none."""
    path = results_file(name, folder)
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in Path(folder or RESULTS).glob("*.jsonl"))) or "none"
        raise ExperimentError(
            f"There are no committed results called {name!r} (there are: {known}). Make them with "
            f"`python -m inception_edu.study run {name}`."
        )
    _, *lines = path.read_text(encoding="utf-8").splitlines()
    return [Result.from_dict(json.loads(text)) for text in lines]
