"""What a run leaves behind: records, and the history that holds them."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from inception_edu.learn.recipe import Recipe


@dataclass
class Record:
    """One point of the curves. `loss` and `accuracy` are means over the training batches since the
    record before.

    spread   standard deviation of a block's output, by block
    dead     share of a block's output channels that are 0 at every pixel of every image of the
             batch
    ratio    root mean square of scale · body(x) over that of the shortcut, residual blocks only
    inside   what an experiment adds (`study.watch`): push, logits, branch …
    """

    step: int
    seconds: float
    loss: float
    accuracy: float
    grad_norm: float
    lr: float
    spread: dict[str, float] = field(default_factory=dict)
    dead: dict[str, float] = field(default_factory=dict)
    ratio: dict[str, float] = field(default_factory=dict)
    inside: dict[str, float] = field(default_factory=dict)


@dataclass
class History:
    """A run: its records, how it ended ("finished", "stopped" or "diverged"), and that in a
    sentence.

    `test_accuracy` is None unless the run finished. `evaluations` holds (step, test accuracy)
    pairs, the last one included. `seconds` counts training alone, without tests. `threads`: the
    numbers of threads that torch computed with, in order of first use.
    """

    recipe: Recipe = Recipe()
    records: list[Record] = field(default_factory=list)
    status: str = "running"
    sentence: str = ""
    test_accuracy: float | None = None
    evaluations: list[tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0
    device: str = "cpu"
    precision: str = "float32"
    threads: list[int] = field(default_factory=list)

    def __repr__(self):
        return f"<History: {self.sentence or self.status} {len(self.records)} records>"

    def to_dict(self) -> dict:
        """Plain JSON types: the records as columns, numbers to six digits, None for what is not
        finite."""
        rows = [asdict(r) for r in self.records]
        columns: dict[str, Any] = {}
        for key in (f.name for f in fields(Record)):
            values = [row[key] for row in rows]
            if values and isinstance(values[0], dict):
                names = dict.fromkeys(name for value in values for name in value)
                columns[key] = {
                    name: [_short(value.get(name)) for value in values] for name in names
                }
            else:
                columns[key] = [_short(value) for value in values]
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            **plain,
            "recipe": asdict(self.recipe),
            "records": columns,
            "seconds": _short(self.seconds),
            "evaluations": [list(pair) for pair in self.evaluations],
        }

    @classmethod
    def from_dict(cls, values: dict) -> History:
        """What `to_dict` wrote, also after a way through JSON."""
        columns, records = values["records"], []
        for i, step in enumerate(columns["step"]):
            row = {
                key: {n: _long(v[i]) for n, v in column.items()}
                if isinstance(column, dict)
                else _long(column[i])
                for key, column in columns.items()
            }
            records.append(Record(**{**row, "step": step}))
        known = {f.name for f in fields(Recipe)}
        recipe = Recipe(**{k: v for k, v in values["recipe"].items() if k in known})
        pairs = [tuple(pair) for pair in values["evaluations"]]
        return cls(**{**values, "recipe": recipe, "records": records, "evaluations": pairs})


def _short(value):
    if not isinstance(value, float):
        return value
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _long(value):
    return math.nan if value is None else value
