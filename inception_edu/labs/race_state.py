"""The race lab's state, and what happens to it. What it shows is in `race.py`, the work in
`racing.py`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count, islice
from typing import TYPE_CHECKING, Any

from inception_edu.labs.core import (
    End,
    Event,
    Press,
    Refused,
    Report,
    Set,
    Start,
    Stop,
    Tell,
)
from inception_edu.labs.race_images import Images
from inception_edu.labs.race_pairs import TOWERS, configs
from inception_edu.labs.training import WARM_UP, by_legend, differing, stepped_back
from inception_edu.labs.training import work as training_work

if TYPE_CHECKING:
    from inception_edu.study.results import Result

STEPS = 100
RATES = (0.003, 0.01, 0.02, 0.03, 0.05, 0.1, 0.3, 1.0)
SOURCES = (("clothes (embedded)", "fashion"), ("shapes, generated", "scales"))
FOLDER = "a folder …"
MOST = 5  # races that are drawn, as long as nobody asks for more; the legend has all
# A race is open where the sides differ by less than this share of so many test images. Of fewer it
# is more: chance grows as their root becomes smaller.
OPEN, TESTED = 0.02, 500
FIRST = {
    "pair": TOWERS,
    "depth": 4,  # both sides learn; from sixteen on the one without the identity hardly does
    "rate": 0.05,
    "scale": 0.3,
    "seed": 5,  # 0 to 4 are recorded: a reader's first race is a new one
    "data": "fashion",
    "folder": "",
    "one": "Inception-v3",  # these two of `CHOICE`
    "two": "ResNet-50",
}
PANELS = (
    dict(key="error", title="Training error, step by step", percent=True, low=0, high=1),
    dict(
        key="own",
        title="The same against its own time",
        unit="seconds of its own, on this machine",
        percent=True,
        low=0,
        high=1,
        alone=True,
    ),
)


@dataclass(frozen=True)
class Course:
    """One race: its settings and, by side (without, with residual connections), its points;
    `results`, once it is over, what `study.run` gives for each of its `configs`."""

    number: int
    settings: dict
    configs: tuple[Any, Any]
    results: tuple[Result, ...] = ()
    steps: tuple[tuple, ...] = ((), ())
    errors: tuple[tuple, ...] = ((), ())
    seconds: tuple[tuple, ...] = ((), ())
    says: tuple[tuple, ...] = ((), ())
    since: tuple[tuple, ...] = ((), ())  # the steps at which these answers came up
    status: str = "running"
    sentence: str = ""
    wrong: tuple[float | None, ...] = (None, None)
    tested: int | None = None  # on so many images
    name: str = ""
    hidden: bool = False
    pinned: bool = False

    @property
    def outcome(self) -> str:
        plain, residual = self.wrong
        return standing(plain, residual, self.tested)


def margin(tested: int | None = None) -> float:
    """The share of so many test images (None: of enough) that makes a difference between sides."""
    return OPEN * max(1, TESTED / tested) ** 0.5 if tested else OPEN


def standing(plain: float | None, residual: float | None, tested: int | None = None) -> str:
    """How the residual side stands at the end, by the shares of the test images that both get
    wrong: "ahead", "behind" or "open"; "no result" where one of them has none."""
    if plain is None or residual is None:
        return "no result"
    if abs(plain - residual) < margin(tested):
        return "open"
    return "ahead" if residual < plain else "behind"


@dataclass(frozen=True)
class State:
    """The race lab."""

    settings: dict
    first: dict
    steps: int
    races: tuple[Course, ...] = ()
    count: int = 0
    queue: tuple[tuple[dict, tuple], ...] = ()  # settings and configurations of races to come
    images: Images | None = None
    opening: str = ""  # the source that is being opened
    trouble: str = ""
    ask_reset: bool = False
    stopping: bool = False
    ending: bool = False  # a race that was forgotten has not yet come to its end
    fresh: bool = False  # the last race is over, and no setting was changed since
    pace: Any = None
    factor: float = 1.0
    code: str = ""
    taken: tuple[int, str, str, str] = (0, "", "", "")

    @property
    def running(self) -> Course | None:
        last = self.races[-1] if self.races else None
        return last if last and last.status == "running" else None

    @property
    def source(self) -> str:
        """What `data.load` is asked for."""
        if self.settings["data"] == FOLDER:
            return f"folder:{self.settings['folder']}"
        return self.settings["data"]

    @property
    def ready(self) -> bool:
        return self.images is not None and self.images.source == self.source

    @property
    def in_view(self) -> dict:
        """The settings that pictures and words are about: those of a race that is under way or just
        over, whatever was set meanwhile for the next one; else those that are set."""
        last = self.races[-1] if self.races else None
        return last.settings if last and (self.fresh or last is self.running) else self.settings

    @property
    def raced(self) -> bool:
        """Whether the last race was with these settings, whatever its seed."""
        return bool(self.races) and alike(self.races[-1].settings, self.in_view)


def alike(one: dict, other: dict) -> bool:
    """Whether two races have the same settings, whatever the seed."""
    return set(differing(one, other)) <= {"seed"}


# --- What happens ---------------------------------------------------------------------------------


def update(state: State, event: Event):
    """A control, a button, the race, the images."""
    asked = state.ask_reset
    if isinstance(event, (Set, Press)):
        state = replace(state, ask_reset=False)
    match event:
        case Set(key, value):
            return _set(state, key, value)
        case Press("retrain"):
            return _start(replace(state, queue=()), *_made(state, state.settings))
        case Press("three"):
            first, *rest = (_made(state, {**state.settings, "seed": s}) for s in three(state))
            return _start(replace(state, queue=tuple(rest)), *first)
        case Press("stop"):
            return replace(state, queue=(), stopping=True), Stop("race")
        case Press("reset"):
            return _reset(state, asked)
        case Report(task="race", value=lap) if state.running:
            return replace(state, races=(*state.races[:-1], _with_lap(state.running, lap)))
        case End(task="race"):
            return _ended(state, event)
        case End(task="open"):
            return _opened(state, event)
        case End(task="warm up", value=pace):
            return replace(state, pace=pace)
        case Tell(value=said) if isinstance(said, dict):
            return _told(state, said)
    return state


def three(state: State) -> list[int]:
    """The seeds that one press races: of three from the one that is set those that were not raced
    with these settings; three new ones where all of these were."""
    raced = {
        course.settings["seed"]
        for course in state.races
        if course.outcome != "no result"
        and all(course.settings[k] == v for k, v in state.settings.items() if k != "seed")
    }
    first = state.settings["seed"]
    if left := [seed for seed in range(first, first + 3) if seed not in raced]:
        return left
    new = (seed for seed in count(first) if seed not in raced)
    return list(islice(new, 3))


def _set(state: State, key: str, value):
    state = replace(state, settings={**state.settings, key: value}, trouble="", fresh=False)
    if key not in ("data", "folder"):
        return state
    return _open(state)


def _open(state: State):
    """Open the images that are wanted, unless others are being opened: `_opened` looks again."""
    unnamed = state.settings["data"] == FOLDER and not state.settings["folder"]
    if state.opening or state.ready or unnamed:
        return state
    opened = replace(state, images=None, opening=state.source)
    return opened, Start("open", ("open", state.source))


def _opened(state: State, event: End):
    asked, state = state.opening, replace(state, opening="")
    if asked != state.source:  # another source was chosen meanwhile
        return _open(state)
    if event.status == "failed":
        return replace(state, trouble=event.sentence.split("Error: ", 1)[-1])
    return replace(state, images=event.value, trouble="")


def _made(state: State, settings: dict) -> tuple[dict, tuple]:
    if not state.ready:
        raise Refused("The images are not there yet.")
    return dict(settings), configs(settings, state.images, state.steps)


def _start(state: State, settings: dict, made: tuple):
    number = state.count + 1
    course = Course(number, settings, made, name=str(number))
    races = (*stepped_back(state.races, MOST - 1), course)
    state = replace(state, races=races, count=number, stopping=False, code="")
    return replace(state, fresh=False), Start("race", ("race", made))


def _with_lap(course: Course, lap) -> Course:
    steps, errors, seconds = list(course.steps), list(course.errors), list(course.seconds)
    for side, record in enumerate(lap.sides):
        if record is not None:
            steps[side] = (*steps[side], record.step)
            errors[side] = (*errors[side], 1 - record.accuracy)
            seconds[side] = (*seconds[side], record.seconds)
    at = max(record.step for record in lap.sides if record)
    since = tuple(
        tuple(was[i] if i < len(old) and old[i] == now else at for i, now in enumerate(answers))
        for answers, old, was in zip(lap.says, course.says, course.since)
    )
    course = replace(course, says=lap.says, since=since)
    return replace(course, steps=tuple(steps), errors=tuple(errors), seconds=tuple(seconds))


def _ended(state: State, event: End):
    course = state.running
    if course is None:
        return replace(state, ending=False)
    if event.value is None:
        course = replace(course, status=event.status, sentence=event.sentence)
    else:
        results = event.value.results
        tests = [result.accuracy for result in results]
        wrong = tuple(None if right is None else 1 - right for right in tests)
        data = [getattr(result, "data", None) for result in results]  # a page has none
        tested = next((one["test"] for one in data if one), None)
        course = replace(course, status=event.status, wrong=wrong, results=results, tested=tested)
        spent = sum(result.seconds for result in results)
        if state.pace is not None and event.status == "finished":
            guess = sum(state.pace(config) for config in course.configs)
            state = replace(state, factor=max(0.05, min(20, spent / guess)))
    state = replace(state, races=(*state.races[:-1], course), stopping=False, fresh=True)
    if state.queue and course.status == "finished":
        following, *rest = state.queue
        return _start(replace(state, queue=tuple(rest)), *following)
    return replace(state, queue=())


def _reset(state: State, asked: bool):
    if len(state.races) > 1 and not asked:
        return replace(state, ask_reset=True)
    running = state.running is not None
    state = replace(state, settings=state.first, races=(), queue=(), count=0, code="", trouble="")
    state = replace(state, fresh=False)
    answer = _open(replace(state, ending=running or state.ending, stopping=False))
    state, *effects = answer if isinstance(answer, tuple) else (answer,)
    return (state, *effects, *([Stop("race")] if running else []))


def _told(state: State, said: dict) -> State:
    """Each race has two curves, numbered 2n and 2n + 1."""

    def race(number: int) -> Course | None:
        return next((c for c in state.races if c.number == number // 2), None)

    races = by_legend(state.races, said, race, "race")
    return replace(state, races=races, fresh=state.fresh and len(races) == len(state.races))


def work(job):
    """The work of a `Start`: a race, images to open, the warm-up."""
    if job == WARM_UP:
        return training_work(job)
    from inception_edu.labs import racing

    what, argument = job
    if what == "open":
        return lambda report, stop: racing.look_at(argument)
    return lambda report, stop: racing.race(argument, report, stop)
