"""Recorded runs for the labs: what a setting gave, read from one small file, before anybody waits.

    grid = recorded_grid("lab_grid")
    near = grid.nearest(width=150, scale=0.1, rate=0.05)
    near.settings, near.exact, near.distance       {"width": 144, …}, False, 0.1: how near
    near.cell.band("loss")                         {"step": […], "mean": […], "low": […], "high": …}
    near.cell.runs[0].curve("loss")                one seed, one number a recorded step
    near.cell.runs[0].dead()                       {"stem": […], "inception_resnet_c.1": […], …}
    near.cell.fate                                 `CellFate`: lives, suffers, dies, … with numbers
    grid.strip("scale", width=144, rate=0.2)       fates along one axis, for a strip under a slider
    grid.axes                                      {"width": (72, 144, …), "scale": …, "rate": …}
    near.cell.danger                               rate × mean ‖a‖² of the fresh networks: the
                                                   predictor's axis

Needs neither torch nor numpy: a page without them can read it too. Everything has `to_dict()` with
plain JSON types. What is stored is rounded: losses and the other curves to 64 steps a factor of 2
(at most 0.6 % off), shares of dead channels and accuracies to 1/250.

The file is written by `python -m inception_edu.study pack lab_grid`.
"""

from __future__ import annotations

import base64
import gzip
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from types import SimpleNamespace

from inception_edu.study.fates import CellFate, Fate, fate, fate_of_cell

CURVES = ("loss", "accuracy", "push", "logits")
SHARES = ("accuracy", "dead")
AXES = ("width", "scale", "rate")
SCHEMA = 1


class RecordedError(ValueError):
    """A setting, an axis or a file that is not there. The message says what there is."""


@dataclass(frozen=True, eq=False)
class RecordedRun:
    """One seed of one setting. `packed` holds its curves, one byte or two a number."""

    seed: int
    status: str
    test_accuracy: float | None
    ends: dict[str, float]
    length: float
    packed: dict[str, str]
    steps: tuple[int, ...]

    def curve(self, name: str) -> list[float]:
        """One of `CURVES`, one number a recorded step (`steps`)."""
        if name not in CURVES:
            raise RecordedError(f"There is no curve {name!r}; choose one of {', '.join(CURVES)}.")
        return _unpacked(name, self.packed[name])

    def dead(self) -> dict[str, list[float]]:
        """Share of dead channels by block, the first one first, one number a recorded step."""
        values = _unpacked("dead", self.packed["dead"])
        count = len(values) // max(1, len(self.ends))
        return {name: values[i * count : (i + 1) * count] for i, name in enumerate(self.ends)}

    @cached_property
    def fate(self) -> Fate:
        """By the dead channels at the end, counted on 64 training images."""
        return fate(SimpleNamespace(dead=self.ends, maps=self.maps, status=self.status))

    @property
    def maps(self) -> dict[str, dict[str, list[float]]]:
        """As a `Result` has them, the dead channels alone."""
        return {"dead": self.dead()}

    def to_dict(self) -> dict:
        """Plain JSON types, curves unpacked."""
        return {
            "seed": self.seed,
            "status": self.status,
            "accuracy": self.test_accuracy,
            "steps": list(self.steps),
            "curves": {name: self.curve(name) for name in CURVES},
            "dead": self.dead(),
            "fate": self.fate.to_dict(),
        }


@dataclass(frozen=True, eq=False)
class RecordedCell:
    """One setting with all its seeds. Each is itself alone, so what is made of it can be kept."""

    width: int
    scale: float
    rate: float
    runs: tuple[RecordedRun, ...]

    @property
    def settings(self) -> dict[str, float]:
        return {"width": self.width, "scale": self.scale, "rate": self.rate}

    @cached_property
    def fate(self) -> CellFate:
        return fate_of_cell(run.fate for run in self.runs)

    @property
    def accuracy(self) -> list[float]:
        """Test accuracy of every seed that came to its end."""
        return [run.test_accuracy for run in self.runs if run.test_accuracy is not None]

    @property
    def danger(self) -> float:
        """rate × mean ‖a‖², where a is what enters the classifier before the first step."""
        lengths = [run.length for run in self.runs]
        return self.rate * sum(lengths) / len(lengths)

    def band(self, name: str) -> dict[str, list[float]]:
        """Mean, smallest and largest over the seeds of a curve, or of the dead channels of the
        worst ("dead") or the last ("dead_last") block, at each recorded step. The lists are kept
        and given to everybody: change none."""
        return _band(self, name)

    def to_dict(self, runs: bool = True) -> dict:
        """Plain JSON types; without `runs` the settings and the fate alone."""
        found = {**self.settings, "fate": self.fate.to_dict(), "danger": self.danger}
        found["accuracy"] = self.accuracy
        return found | ({"runs": [run.to_dict() for run in self.runs]} if runs else {})


@dataclass(frozen=True)
class Near:
    """The recorded setting that lies nearest to the one asked for.

    distance   0 where it is the very one; 1 is a factor of 2 in width or rate, or 0.2 in scale
    """

    cell: RecordedCell
    asked: dict[str, float]
    distance: float

    @property
    def settings(self) -> dict[str, float]:
        return self.cell.settings

    @property
    def exact(self) -> bool:
        return self.distance < 1e-9

    @property
    def sentence(self) -> str:
        """What is shown: "Recorded: width 144, scale 0.1, rate 0.2 (the nearest to …)."."""
        here = ", ".join(f"{name} {value:g}" for name, value in self.settings.items())
        if self.exact:
            return f"Recorded: {here}."
        asked = ", ".join(f"{name} {value:g}" for name, value in self.asked.items())
        return f"Recorded: {here} (the nearest to {asked})."


@dataclass(frozen=True)
class Grid:
    """All recorded settings of one experiment, and the facts about them (data, device …)."""

    cells: tuple[RecordedCell, ...]
    facts: dict

    @cached_property
    def axes(self) -> dict[str, tuple[float, ...]]:
        """The recorded values of width, scale and rate."""
        return {axis: tuple(sorted({getattr(c, axis) for c in self.cells})) for axis in AXES}

    def nearest(self, *, width: float, scale: float, rate: float) -> Near:
        """The recorded setting nearest to this one, and how near it is."""
        asked = {"width": width, "scale": scale, "rate": rate}
        cell = min(self.cells, key=lambda cell: _distance(cell, asked))
        return Near(cell, asked, _distance(cell, asked))

    def beside(self, **asked: float) -> dict[str, float]:
        """For each value of an axis the recorded value nearest to it; nothing for one that is
        further off than a factor of 2 (in scale: 0.2)."""
        near = {name: _nearest_value(self.axes[name], name, value) for name, value in asked.items()}
        return {k: v for k, v in near.items() if _gap(k, v, asked[k]) <= 1 + 1e-9}

    def strip(self, axis: str, **others: float) -> list[dict]:
        """Fates along one axis, the other two fixed at their nearest recorded values (`beside`
        says which, and whether they are near): a list of {"value", "word", "sentence", "counts"},
        sorted by value.

        Raises RecordedError where the axis or one of the others is missing.
        """
        fixed = [name for name in AXES if name != axis]
        if axis not in AXES or set(others) != set(fixed):
            raise RecordedError(
                f"A strip runs along one of {', '.join(AXES)} and needs the other two: got axis "
                f"{axis!r} and {', '.join(others) or 'no other'}."
            )
        place = {name: _nearest_value(self.axes[name], name, others[name]) for name in fixed}
        found = [c for c in self.cells if all(getattr(c, n) == v for n, v in place.items())]
        return [
            {
                "value": getattr(cell, axis),
                "word": cell.fate.word,
                "sentence": cell.fate.sentence,
                "counts": cell.fate.counts,
            }
            for cell in sorted(found, key=lambda cell: getattr(cell, axis))
        ]


@lru_cache(maxsize=256)  # a chart asks for the same bands at each of its pictures
def _band(cell: RecordedCell, name: str) -> dict[str, list[float]]:
    rows = [_course(run, name) for run in cell.runs]
    count = min(len(row) for row in rows)
    columns = list(zip(*(row[:count] for row in rows)))
    return {
        "step": list(cell.runs[0].steps[:count]),
        "mean": [sum(column) / len(column) for column in columns],
        "low": [min(column) for column in columns],
        "high": [max(column) for column in columns],
    }


def _course(run: RecordedRun, name: str) -> list[float]:
    if name == "dead_last":
        return list(run.dead().values())[-1]
    if name == "dead":
        return [max(shares) for shares in zip(*run.dead().values())]
    return run.curve(name)


def _gap(axis: str, a: float, b: float) -> float:
    if axis == "scale":
        return abs(a - b) / 0.2
    return abs(math.log2(a / b)) if a > 0 and b > 0 else math.inf


def _distance(cell: RecordedCell, asked: dict[str, float]) -> float:
    return math.sqrt(sum(_gap(axis, getattr(cell, axis), asked[axis]) ** 2 for axis in AXES))


def _nearest_value(values: Iterable[float], axis: str, asked: float) -> float:
    return min(values, key=lambda value: _gap(axis, value, asked))


# --- The file -------------------------------------------------------------------------------------

# Numbers that may span many sizes are kept as sign and logarithm, 64 steps a factor of 2, in two
# bytes; shares in one byte.
STEPS, LEAST, FINEST = 64, -20, 250


def packed(name: str, values: Iterable[float | None]) -> str:
    """Numbers of a curve as text; None (not finite) is kept as such."""
    if name in SHARES:
        return _text(bytes(255 if v is None else round(FINEST * v) for v in values))
    return _text(b"".join(_coded(v).to_bytes(2, "big") for v in values))


def _coded(value: float | None) -> int:
    if value is None or not math.isfinite(value):
        return 0xFFFF
    if abs(value) < 2.0**LEAST:
        return 0
    size = 1 + round(STEPS * (math.log2(abs(value)) - LEAST))
    return size + (0x8000 if value < 0 else 0)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unpacked(name: str, text: str) -> list[float]:
    data = base64.b64decode(text)
    if name in SHARES:
        return [math.nan if b == 255 else b / FINEST for b in data]
    return [_number(int.from_bytes(data[i : i + 2], "big")) for i in range(0, len(data), 2)]


def _number(code: int) -> float:
    if code == 0xFFFF:
        return math.nan
    size = code & 0x7FFF
    value = 2 ** ((size - 1) / STEPS + LEAST) if size else 0.0
    return -value if code & 0x8000 else value


def read_grid(path: Path) -> Grid:
    """Read what `record_grid.pack_grid` wrote. Raises RecordedError where there is none."""
    if not path.is_file():
        raise RecordedError(f"There are no recorded runs at {path}.")
    content = json.loads(gzip.decompress(path.read_bytes()))
    if content["schema"] != SCHEMA:
        raise RecordedError(f"{path.name} has schema {content['schema']}; this reads {SCHEMA}.")
    return Grid(tuple(_cell(values) for values in content["cells"]), content["facts"])


def _cell(values: dict) -> RecordedCell:
    steps = tuple(values["steps"])
    runs = tuple(RecordedRun(steps=steps[: run.pop("n")], **run) for run in values["runs"])
    return RecordedCell(values["width"], values["scale"], values["rate"], runs)


@lru_cache
def recorded_grid(name: str = "lab_grid") -> Grid:
    """The committed grid, read once a process."""
    return read_grid(_folder() / f"{name}.json.gz")


def _folder() -> Path:
    here = Path(__file__).resolve().parents[1]
    installed = here / "_data" / "results"
    return installed if installed.is_dir() else here.parent / "data" / "results"
