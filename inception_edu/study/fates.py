"""What became of a network in training, in one word and with its numbers: the one rule of all
chapters and labs (docs/verdicts.md).

    fate({"stem": 0.0, "block 1": 0.6})           dies: 60 % of the channels of block 1 are dead
    fate({"block 1": [0.0, 0.8, 0.3]})            suffers, and falling: a course instead of an end
    fate(result)                                  of a run
    fate_of_cell([result, result, …])             of the seeds of one setting

Needs no torch: a page without Python's heavy parts can import it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

# Shares of dead channels in the worst block. Below the first a run lives, from the second on it
# dies, between them it suffers.
LIVES_BELOW = 0.1
DIES_FROM = 0.5
# The end of a run is measured on so many training images; a record of its course on its batch.
END_IMAGES = 64
# A course is level where its last two quarters differ by less than this share.
LEVEL_WITHIN = 0.02
# A setting has a word of its own where so many of its runs share it.
MAJORITY = 0.8

WORDS = ("lives", "suffers", "dies", "diverges", "stopped")
PLURAL = {
    "lives": "live",
    "suffers": "suffer",
    "dies": "die",
    "diverges": "diverge",
    "stopped": "stopped",
}


@dataclass(frozen=True)
class Fate:
    """What became of one run.

    word      "lives", "suffers", "dies" (by the share of dead channels in the worst block at the
              end), "diverges" (the loss was no longer a finite number), "stopped" (it did not come
              to its end, so nothing is said)
    dead      share of dead channels in the worst block at the end; None where it is not known
    block     the name of that block
    last      share of dead channels in the last block
    peak      the largest share that any block had at any recorded step
    trend     "rising", "falling", "level", or "" where only the end is known
    sentence  the same in words
    """

    word: str
    dead: float | None
    block: str
    last: float | None
    peak: float | None
    trend: str
    sentence: str

    @property
    def settled(self) -> bool:
        """Whether the share of dead channels no longer changed at the end."""
        return self.trend == "level"

    def to_dict(self) -> dict:
        """Plain JSON types."""
        return asdict(self) | {"settled": self.settled}


def word_of(dead: float) -> str:
    """The word for a share of dead channels in the worst block, from 0 to 1."""
    if dead < LIVES_BELOW:
        return "lives"
    return "dies" if dead >= DIES_FROM else "suffers"


def fate(run: object, status: str | None = None) -> Fate:
    """What became of a run.

    `run`: an object with `dead`, `maps` and `status` (a `Result`), or a mapping from each block,
    the first one first, to its share of dead channels: one number (the end) or one number a record
    (the course). `status`: "finished" (the default for a mapping), "stopped" or "diverged".

    Raises ValueError where a mapping names no block.
    """
    if not isinstance(run, Mapping):
        return _fate_of_result(run, status)
    status = status or "finished"
    courses = {name: _course(shares) for name, shares in run.items()}
    if status in ("diverged", "stopped"):
        return _without_end(status, courses)
    if not courses or not all(courses.values()):
        raise ValueError(
            "fate() needs the share of dead channels of at least one block, for example "
            "fate({'block 1': 0.2}); it was given none."
        )
    ends = {name: course[-1] for name, course in courses.items()}
    block = max(ends, key=lambda name: ends[name])
    return _described(ends, block, _peak(courses), _trend(_worst(courses)))


def _fate_of_result(result, status: str | None) -> Fate:
    status = status or result.status
    maps = dict(result.maps.get("dead", {}))
    if status != "finished":
        return fate(maps, status)
    # The end is measured on more images than a record of the course is, so it has the word.
    trend = _trend(_worst({name: _course(shares) for name, shares in maps.items()}))
    peak = max(_peak(maps) or 0.0, *result.dead.values())
    block = max(result.dead, key=result.dead.get)
    return _described(dict(result.dead), block, peak, trend)


def _described(ends: dict[str, float], block: str, peak: float | None, trend: str) -> Fate:
    dead, last = ends[block], list(ends.values())[-1]
    word = word_of(dead)
    sentence = f"{word.capitalize()}: {_percent(dead)} of the channels of {block} are dead"
    sentence += f", the share is {trend}." if trend in ("rising", "falling") else "."
    return Fate(word, dead, block, last, peak, trend, sentence)


def _without_end(status: str, courses: dict[str, list[float]]) -> Fate:
    if status == "diverged":
        sentence = "Diverges: the loss was no longer a finite number."
        return Fate("diverges", None, "", None, _peak(courses), "", sentence)
    return Fate("stopped", None, "", None, _peak(courses), "", "Stopped before its end.")


def _course(shares: float | Sequence[float]) -> list[float]:
    return [float(shares)] if isinstance(shares, (int, float)) else [float(x) for x in shares]


def _worst(courses: dict[str, list[float]]) -> list[float]:
    """The share of the worst block, record by record."""
    return [max(shares) for shares in zip(*courses.values())]


def _peak(courses: Mapping[str, Sequence[float]]) -> float | None:
    return max((max(course) for course in courses.values() if course), default=None)


def _trend(worst: list[float]) -> str:
    """How the last quarter of the records compares with the one before it."""
    quarter = len(worst) // 4
    if quarter < 1:
        return ""
    late, before = worst[-quarter:], worst[-2 * quarter : -quarter]
    change = sum(late) / quarter - sum(before) / quarter
    if abs(change) < LEVEL_WITHIN:
        return "level"
    return "rising" if change > 0 else "falling"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


@dataclass(frozen=True)
class CellFate:
    """What became of the runs of one setting.

    word    the word that at least four of five runs share, else "differs by seed"; "no run" where
            none came to its end or diverged
    counts  how many runs have which word, stopped ones included
    trends  in how many runs the share of dead channels was rising, falling or level at the end
    """

    word: str
    counts: dict[str, int] = field(default_factory=dict)
    dead: tuple[float, ...] = ()
    sentence: str = ""
    trends: dict[str, int] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """Whether the share no longer changed in at least four of five runs."""
        return self.trends.get("level", 0) >= MAJORITY * sum(self.trends.values()) > 0

    def to_dict(self) -> dict:
        """Plain JSON types."""
        return asdict(self) | {"dead": list(self.dead)}


def fate_of_cell(runs: Iterable[object]) -> CellFate:
    """The fate of one setting from its runs: results, mappings as `fate` takes them, or fates.

    A stopped run is counted and decides nothing.
    """
    each = [run if isinstance(run, Fate) else fate(run) for run in runs]
    counts = Counter(f.word for f in each)
    decided = [f for f in each if f.word != "stopped"]
    dead = tuple(f.dead for f in decided if f.dead is not None)
    trends = dict(Counter(f.trend for f in decided if f.trend))
    if not decided:
        return CellFate("no run", dict(counts), dead, "No run of this setting came to its end.")
    word, count = Counter(f.word for f in decided).most_common(1)[0]
    if count < MAJORITY * len(decided):
        word = "differs by seed"
    told = f"{count} of {len(each)} runs" if count == len(each) else counted(counts)
    spread = f"; worst block {between(dead)} dead" if dead else ""
    return CellFate(word, dict(counts), dead, f"{word} ({told}{spread})", trends)


def counted(counts: Mapping[str, int]) -> str:
    """{"lives": 4, "suffers": 1} as "4 live, 1 suffers"."""
    told = []
    for word in WORDS:
        if count := counts.get(word, 0):
            told.append(f"{count} {word if count == 1 else PLURAL[word]}")
    return ", ".join(told)


def between(shares: Sequence[float]) -> str:
    """The smallest and the largest share, in per cent: "62 % to 76 %"; one number where they are
    alike, "" where there are none."""
    if not shares:
        return ""
    low, high = _percent(min(shares)), _percent(max(shares))
    return low if low == high else f"{low} to {high}"
