"""Labs that train: the state, and what happens to it. What they show is in `towers.py`.

A run is a `study.Config`, started as an effect; its records come back as events, its end brings a
`study.Result`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from inception_edu.labs.core import End, Event, Press, Refused, Report, Set, Start, Stop, Tell
from inception_edu.labs.story import Course
from inception_edu.study.fates import Fate, fate, fate_of_cell

MOST = 7  # runs that are drawn, as long as nobody asks for more; the legend has all
NO_BET = "no bet"
BETS = ("dies", "suffers", "lives")
TASK, WARM_UP = "run", "warm up"
PACED = 5  # steps after which a run tells the pace


@dataclass(frozen=True)
class Track:
    """One run as it is shown.

    settings   (name, value) pairs;   config: the `study.Config` that repeats it
    steps      the recorded steps;    curves: by name, one number a record
    dead       by block, one share a record;   spread: by block, at the last record
    status     "running", "finished", "stopped", "diverged", "failed"
    group      runs started together by Five seeds have the same
    result     the `study.Result` of a run that is over
    """

    number: int
    settings: dict
    config: Any
    name: str = ""
    steps: tuple[int, ...] = ()
    curves: dict[str, tuple] = field(default_factory=dict)
    dead: dict[str, tuple] = field(default_factory=dict)
    spread: dict[str, float] = field(default_factory=dict)
    first_spread: dict[str, float] = field(default_factory=dict)
    status: str = "running"
    sentence: str = ""
    accuracy: float | None = None
    fate: Fate | None = None
    result: Any = None
    group: int = 0
    hidden: bool = False
    pinned: bool = False

    @property
    def course(self) -> Course:
        return Course(
            self.steps,
            self.curves.get("loss", ()),
            self.dead,
            self.curves.get("push", ()),
            self.curves.get("logits", ()),
        )

    def with_record(self, record) -> Track:
        """The track with one more record of `learn.train`."""
        values = {"loss": record.loss, "accuracy": record.accuracy, **record.inside}
        curves = {key: (*self.curves.get(key, ()), value) for key, value in values.items()}
        dead = {key: (*self.dead.get(key, ()), share) for key, share in record.dead.items()}
        return replace(
            self,
            steps=(*self.steps, record.step),
            curves=curves,
            dead=dead,
            spread=dict(record.spread),
            first_spread=self.first_spread or dict(record.spread),
        )

    def ended(self, end: End) -> Track:
        """The track of a run that is over."""
        result = end.value
        if result is None or not getattr(result, "curves", None):
            return replace(self, status=end.status, sentence=end.sentence)
        return replace(
            self,
            status=result.status,
            sentence=result.sentence,
            accuracy=result.test_accuracy,
            fate=fate(result),
            result=result,
        )


@dataclass(frozen=True)
class State:
    """A training lab. `make` turns settings into a `Config`; `pace` is how many seconds a run of
    these settings takes here (a function of the config), once it has been measured."""

    settings: dict
    first: dict
    make: Callable[[dict], Any]
    tracks: tuple[Track, ...] = ()
    count: int = 0
    queue_settings: tuple[dict, ...] = ()
    group: int = 0
    bet: str = NO_BET
    bets: tuple[bool, ...] = ()
    ask_reset: bool = False
    stopping: bool = False
    ending: bool = False  # a run that was forgotten has not yet come to its end
    fresh: bool = False  # the last run is over, and no setting was changed since
    pace: Callable[[Any], float] | None = None
    factor: float = 1.0
    code: str = ""
    taken: tuple[int, str, str, str] = (0, "", "", "")  # number, file name, MIME type, base64

    @property
    def running(self) -> Track | None:
        track = self.tracks[-1] if self.tracks else None
        return track if track and track.status == "running" else None

    @property
    def last(self) -> Track | None:
        return self.tracks[-1] if self.tracks else None

    @property
    def config(self):
        """The settings as the configuration of a run."""
        return self.make(self.settings)

    @property
    def seconds(self) -> float | None:
        """What a run of the settings takes here, about."""
        return None if self.pace is None else self.factor * self.pace(self.config)

    def track(self, number: int) -> Track | None:
        return next((t for t in self.tracks if t.number == number), None)


def update(state: State, event: Event):
    """Every training lab's `update`."""
    asked = state.ask_reset
    if isinstance(event, (Set, Press)):
        state = replace(state, ask_reset=False)
    match event:
        case Set("bet", value):
            return replace(state, bet=value)
        case Set(key, value):
            return replace(_set(state, key, value), fresh=False)
        case Press("retrain"):
            return _start(replace(state, group=0), state.settings)
        case Press("five"):
            settings = [{**state.settings, "seed": seed} for seed in five(state.settings["seed"])]
            state = replace(state, group=state.count + 1, queue_settings=tuple(settings[1:]))
            return _start(state, settings[0])
        case Press("stop"):
            return replace(state, queue_settings=(), stopping=True), Stop(TASK)
        case Press("reset"):
            return _reset(state, asked)
        case Report(task="run", value=record) if state.running:
            return _paced(_with_last(state, state.running.with_record(record)), record)
        case End(task="run"):
            return _ended(state, event)
        case End(task="warm up", value=pace):
            return replace(state, pace=pace)
        case Tell(value=said) if isinstance(said, dict):
            return _told(state, said)
    return state


def _set(state: State, key: str, value) -> State:
    settings = {**state.settings, key: value}
    state.make(settings)  # raises where there is no such network
    return replace(state, settings=settings)


def _start(state: State, settings: dict):
    config = state.make(settings)
    number = state.count + 1
    track = Track(number, dict(settings), config, str(number), group=state.group)
    tracks = (*stepped_back(state.tracks, MOST - 1), track)
    state = replace(state, tracks=tracks, count=number, stopping=False, code="")
    return replace(state, fresh=False), Start(TASK, config)


def stepped_back(runs: tuple[Any, ...], most: int) -> tuple[Any, ...]:
    """The runs, of which the oldest are hidden where more than `most` are shown; pinned ones
    stay."""
    shown = [run for run in runs if not run.hidden and not run.pinned]
    old = shown[: max(0, len(shown) - most)]
    return tuple(replace(run, hidden=True) if run in old else run for run in runs)


def _paced(state: State, record) -> State:
    """The pace of this machine as it is now, whatever else it computes: what the steps of the run
    under way have taken, against what was measured."""
    track = state.running
    if state.pace is None or track is None or record.step < PACED:
        return state
    foretold = state.pace(track.config) * record.step / track.config.recipe.steps
    return replace(state, factor=max(0.05, min(20.0, record.seconds / foretold)))


def _with_last(state: State, track: Track) -> State:
    return replace(state, tracks=(*state.tracks[:-1], track))


def _ended(state: State, event: End):
    track = state.running
    if track is None:
        return replace(state, ending=False)
    track = track.ended(event)
    state = replace(_with_last(state, track), stopping=False, fresh=True)
    if state.queue_settings and track.status in ("finished", "diverged"):
        settings, *rest = state.queue_settings
        return _start(replace(state, queue_settings=tuple(rest)), settings)
    state = _settle(replace(state, queue_settings=()), track)
    return _hide_group(state, track.group) if track.group else state


def _settle(state: State, track: Track) -> State:
    """The bet is on the run that is over, or on all seeds that were run together. One on seeds
    that differ is neither won nor lost; a run that did not come to its end leaves it open."""
    if state.bet == NO_BET or track.fate is None or track.fate.word == "stopped":
        return state
    fates = [t.fate for t in group_of(state, track) if t.fate is not None]
    word = fate_of_cell(fates).word
    bets = (*state.bets, state.bet == word) if word in BETS else state.bets
    return replace(state, bets=bets, bet=NO_BET)


def group_of(state: State, track: Track) -> list[Track]:
    """The runs that were started together with this one and have a fate, itself included."""
    if not track.group:
        return [track]
    return [t for t in state.tracks if t.group == track.group and t.fate is not None]


def five(seed: int) -> list[int]:
    """The seeds that are run together, from this one on."""
    return list(range(seed, seed + 5))


def _hide_group(state: State, group: int) -> State:
    """The seeds of a group are shown as a band; their curves step back."""
    tracks = tuple(
        replace(t, hidden=True) if t.group == group and t is not state.last else t
        for t in state.tracks
    )
    return replace(state, tracks=tracks)


def _reset(state: State, asked: bool):
    if len(state.tracks) > 1 and not asked:
        return replace(state, ask_reset=True)
    clean = replace(state, settings=state.first, tracks=(), queue_settings=(), group=0, code="")
    clean = replace(clean, bet=NO_BET, stopping=False, count=0)
    return (replace(clean, ending=True), Stop(TASK)) if state.running else clean


def _told(state: State, said: dict) -> State:
    tracks = by_legend(state.tracks, said, lambda number: state.track(number), "run")
    return replace(state, tracks=tracks, fresh=state.fresh and len(tracks) == len(state.tracks))


def by_legend(
    runs: tuple[Any, ...], said: dict, find: Callable[[int], Any], what: str
) -> tuple[Any, ...]:
    """The runs as the legend wants them: one hidden or shown, pinned or not, under another name,
    or removed. `find` gives the run of a curve's number. Raises `Refused` for one under way."""
    action = next((word for word in ("hide", "pin", "remove", "rename") if word in said), None)
    run = find(said[action]) if action else None
    if action is None or run is None:
        return runs
    if action == "remove":
        if run.status == "running":
            raise Refused(f"A {what} that is under way cannot be removed: press Stop first.")
        return tuple(other for other in runs if other is not run)
    if action == "hide":
        changed = replace(run, hidden=bool(said.get("hidden", not run.hidden)))
    elif action == "pin":
        changed = replace(run, pinned=not run.pinned)
    else:
        changed = replace(run, name=str(said.get("name", "")).strip()[:12] or run.name)
    return tuple(changed if other is run else other for other in runs)


def differing(one: dict, other: dict) -> list[str]:
    """The settings in which two runs differ."""
    return [key for key in one if one[key] != other.get(key)]


def interval(values: list[float]) -> tuple[float, float]:
    """Mean of at least two values, and half of its 95 % interval (Student's t)."""
    t = {2: 12.71, 3: 4.303, 4: 3.182, 5: 2.776}
    n = len(values)
    mean = sum(values) / n
    deviation = math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1))
    return mean, t.get(n, 2.571) * deviation / math.sqrt(n)


def work(job):
    """The work of a `Start`: a configuration is trained, the warm-up measures this machine."""
    if job == WARM_UP:
        return lambda report, stop: _pace()

    def train(report, stop):
        from inception_edu.study.runs import run

        return run(job, on_record=report, stop=stop, threads=None)

    return train


def _pace():
    """Take the first training step of the process, measure the machine, and give the seconds of a
    run as a function of its configuration."""
    from inception_edu.labs.pace import pace

    return pace()
