"""How many channels are dead on every training image, and not just on the few that a run is judged
by.

    python -m inception_edu.study all_images     data/results/all_images.json
    counted_on_all()                             the committed counts, one a run

A channel that is 0 on 64 images may fire on another of 50,000. Three unscaled towers (two that
verdicts and tests rest on, one in which seeds differ) and the settings of `remedies` are trained
once more, and the same trained network is looked at with 64, with 500 and with all training images.
That takes longer than the runs themselves. More images can only lower a share, so a setting that
lives on 64 keeps its word: the others come first, and among them those that a verdict rests on. An
interrupted count goes on.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from inception_edu.learn.pace import threads
from inception_edu.study.claims_dying import REMEDIES_OF_C4, SCALES, WARM_UPS, fates_of
from inception_edu.study.config import Config
from inception_edu.study.results import RESULTS, load_results, versions, write_whole
from inception_edu.study.runs import FEW, MANY, Running
from inception_edu.study.watch import dead_channels

UNSCALED = (
    ("embedded", "nothing"),
    ("elsewhere", "batches of 8, width 72, rate 0.15"),
    ("remedies", "nothing"),
)
# The settings that each verdict rests on, beside "nothing".
RESTS_ON = {"C4": REMEDIES_OF_C4, "C5": SCALES, "C6": WARM_UPS}
JUDGED = ("nothing", *(label for labels in RESTS_ON.values() for label in labels))
SEEDS = range(5)
PATH = RESULTS / "all_images.json"


def may_change() -> list[str]:
    """The settings of `remedies` whose word more images may change: all but those that live. Those
    that a verdict rests on come first."""
    found = fates_of("remedies")
    labels = dict.fromkeys((*JUDGED, *found))
    return [label for label in labels if found[label].word != "lives"]


def asked() -> list[tuple[str, str]]:
    """(experiment, label) of every setting that is to be counted, in this order."""
    labels = (*may_change(), *fates_of("remedies"))
    return list(dict.fromkeys((*UNSCALED, *(("remedies", label) for label in labels))))


@dataclass(frozen=True)
class Counted:
    """One trained network: the share of dead channels in its worst block (`worst`) and in its last
    one (`last`), on 64, on 500 and on all `images` training images."""

    experiment: str
    label: str
    seed: int
    images: int
    worst: list[float]
    last: list[float]


def count(experiment: str, config: Config, source: str | None = None) -> Counted:
    """Train `config` and count its dead channels three times. Raises ValueError for a run that does
    not come to its end."""
    with threads(1):
        running = Running(config, source=source)
        for _ in running:
            pass
        if running.history.status != "finished":
            raise ValueError(f"{config.label}, seed {config.seed}: {running.history.sentence}")
        every = len(running.data.train)
        found = [dead_channels(running.model, running.data, n) for n in (FEW, MANY, every)]
    worst = [round(max(shares.values()), 4) for shares in found]
    last = [round(list(shares.values())[-1], 4) for shares in found]
    return Counted(experiment, config.label, config.seed, every, worst, last)


def measure_all_images(source: str | None = None, path: Path | None = None) -> Path:
    """Count every run of the settings in `asked`, and write the committed file after each. What the
    file has is not counted again."""
    path = path or PATH
    found = counted_on_all(path) if path.is_file() else []
    there = {(row.experiment, row.label, row.seed) for row in found}
    for experiment, label in asked():
        for run in load_results(experiment):
            key = experiment, run.label, run.seed
            if run.label != label or run.seed not in SEEDS or key in there:
                continue
            found.append(count(experiment, run.config, source))
            print(found[-1], flush=True)
            content = {
                "question": "How many channels are dead on all training images?",
                "versions": versions(),
                "runs": [asdict(row) for row in found],
            }
            write_whole(path, json.dumps(content) + "\n")
    return path


def counted_on_all(path: Path | None = None) -> list[Counted]:
    """The committed counts."""
    content = json.loads((path or PATH).read_text(encoding="utf-8"))
    return [Counted(**row) for row in content["runs"]]
