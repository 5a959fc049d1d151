"""Death, frame by frame: recorded runs as films, with a twin beside them in step.

from inception_edu.labs.film import death, film
death()                        # the committed runs on photographs, to choose from
film(result)                   # a run of one's own: a `study.Result`
film(result, twin)             # … and another beside it
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from inception_edu.labs import link, takeaway
from inception_edu.labs.core import Column, Control, Lab, Part, Row, Set, View, begun
from inception_edu.labs.story import percent, stops
from inception_edu.labs.tower_curves import series
from inception_edu.labs.tower_words import fate_words
from inception_edu.labs.towers import GUESSING
from inception_edu.labs.training import Track
from inception_edu.study.fates import fate
from inception_edu.study.results import Result, load_results

if TYPE_CHECKING:
    from inception_edu.labs.host import NotebookLab

PANELS = (
    dict(
        key="loss", title="Loss", unit="nats, log", log=True, axis=False,
        guides=[{"y": GUESSING, "label": "guessing"}],
    ),
    dict(key="logits", title="Logits", unit="standard deviation", low=0, axis=False),
    dict(key="push", title="Push", unit="mean of a · ∂loss/∂a", axis=False),
    dict(
        key="branch", title="What the last branch adds", unit="mean", axis=False,
        guides=[{"y": 0, "label": ""}],
    ),
    dict(key="dead", title="Silent in the batch, last block", percent=True, low=0, high=1),
)  # fmt: skip


@dataclass(frozen=True)
class Film:
    """A run and, where there is one, its twin."""

    title: str
    run: Track
    twin: Track | None = None


@dataclass(frozen=True)
class State:
    """Which of the films is shown."""

    films: tuple[Film, ...]
    chosen: int = 0

    @property
    def film(self) -> Film:
        return self.films[self.chosen]


def as_track(result: Result, number: int = 1, name: str = "") -> Track:
    """A `study.Result` as a track."""
    arguments = dict(result.config.arguments)
    settings = {
        "scale": arguments.get("scale", 1.0),
        "width": arguments.get("width", 0),
        "rate": result.config.recipe.lr,
        "seed": result.seed,
    }
    names = ("loss", "accuracy", "push", "logits", "branch")
    curves = {key: tuple(result.curves[key]) for key in names if key in result.curves}
    dead = {key: tuple(values) for key, values in result.maps.get("dead", {}).items()}
    return Track(
        number,
        settings,
        result.config,
        name or str(number),
        steps=tuple(result.curves["step"]),
        curves=curves,
        dead=dead,
        status=result.status,
        sentence=result.sentence,
        accuracy=result.test_accuracy,
        fate=fate(result),
    )


def healed(result: Result) -> float:
    """How much of the darkest block came back: its deepest share of silent channels less its
    last."""
    found = [max(course) - course[-1] for course in result.maps.get("dead", {}).values() if course]
    return max(found, default=0.0)


@lru_cache(maxsize=1)
def committed() -> tuple[Film, ...]:
    """Films of the committed runs on photographs: the patient, a wide tower at the paper's rate,
    the run in which a block healed most, and one that lives without scaling."""
    runs = [r for r in load_results("dying") if r.status == "finished"]
    cells: dict[tuple, dict[int, Result]] = {}
    for run in runs:
        arguments = dict(run.config.arguments)
        key = (arguments["width"], arguments["scale"], run.config.recipe.lr)
        cells.setdefault(key, {})[run.seed] = run
    most = max(runs, key=healed)
    arguments = dict(most.config.arguments)
    best = (arguments["width"], arguments["scale"], most.config.recipe.lr)
    wanted = [
        ("144 channels, rate 0.45", (144, 1.0, 0.45), 0),
        ("1152 channels, the paper's rate", (1152, 1.0, 0.045), 0),
        (f"one block heals: {best[0]} channels, rate {best[2]:g}", best, most.seed),
        ("144 channels, the paper's rate", (144, 1.0, 0.045), 0),
    ]
    films = []
    for title, key, seed in wanted:
        shown = cells.get(key, {}).get(seed)
        twin = cells.get((key[0], 0.1, key[2]), {}).get(seed)
        if shown is not None:
            beside = as_track(twin, 2) if twin is not None else None
            films.append(Film(title, as_track(shown, 1), beside))
    return tuple(films)


def update(state: State, event) -> State:
    """Another film is chosen."""
    if isinstance(event, Set):
        return State(state.films, event.value)
    return state


def render(state: State) -> View:
    film = state.film
    options = tuple((f.title, i) for i, f in enumerate(state.films))
    return View(
        controls=(
            Control("film", "list", "run", state.chosen, options=options, hidden=len(options) < 2),
        ),
        parts=(
            Part("player", player_value(film), "player", "the towers, step by step"),
            Part("curves", chart_value(film), "chart"),
        ),
        status=words(film),
        alert=False,
        layout=Column(
            Row("film"),
            "status",
            Row(Column("player", width="360px"), Column("curves", width="440px")),
        ),
    )


def words(film: Film) -> str:
    """What became of the run, and of its twin."""
    told = fate_words(film.run)
    if film.twin is None:
        return told
    name = names(film)[1]
    beside = f"The same with {name}" if name.startswith("scale") else f"Beside it {name}"
    right = film.twin.accuracy
    return f"{told} {beside}: {film.twin.status if right is None else percent(right) + ' right'}."


def names(film: Film) -> list[str]:
    """What tells the two apart: their scales, else their experiments' names."""
    tracks = [track for track in (film.run, film.twin) if track is not None]
    scales = [track.settings["scale"] for track in tracks]
    if len(set(scales)) == len(tracks):
        return [f"scale {scale:g}" for scale in scales]
    return [track.config.label for track in tracks]


def player_value(film: Film) -> dict:
    towers = []
    for colour, track in enumerate(t for t in (film.run, film.twin) if t is not None):
        blocks = list(track.dead)
        towers.append(
            {
                "id": [film.title, colour],
                "title": f"{names(film)[colour]} · seed {track.settings['seed']}",
                "colour": colour,
                "blocks": ["stem" if n == "stem" else str(i) for i, n in enumerate(blocks)],
                "steps": list(track.steps),
                "dead": [list(track.dead[name]) for name in blocks],
            }
        )
    told = [stop.to_dict() for stop in stops(film.run.course)]
    return {"towers": towers, "stops": told, "total": film.run.steps[-1], "said": ""}


def chart_value(film: Film) -> dict:
    runs: list[dict[str, Any]] = []
    for colour, track in enumerate(t for t in (film.run, film.twin) if t is not None):
        right = "" if track.accuracy is None else f" · {percent(track.accuracy)} right"
        name = names(film)[colour]
        fate = "" if track.fate is None else f" · {track.fate.word}"
        runs.append(
            {
                "id": colour + 1,
                "name": name.removeprefix("scale ") if name.startswith("scale") else "AB"[colour],
                "words": f"{name}{fate}{right}",
                "colour": colour,
                "dash": colour,
                "faded": False,
                "hidden": False,
                "pinned": True,
                "fixed": True,
                "series": series(track, PANELS),
            }
        )
    known = {key for run in runs for key in run["series"]}
    panels = [panel for panel in PANELS if panel["key"] in known]
    steps = film.run.steps[-1]
    x = {"label": "step", "max": steps}
    return {"panels": panels, "runs": runs, "bands": [], "x": x, "height": 62}


def stored(state: State, title: str) -> list:
    said = words(state.film)
    told = " ".join(stop.words for stop in stops(state.film.run.course))
    return [takeaway.picture(chart_value(state.film), f"{title}: {said}", f"{said} {told}")]


def film_core(films: tuple[Film, ...], title: str = "Death, frame by frame") -> Lab:
    """The lab without widgets."""
    return Lab(
        "film",
        title,
        State(films),
        update,
        render,
        partial(stored, title=title),
        lambda state: words(state.film),
    )


def death_core(**first) -> Lab:
    """The committed runs on photographs, without widgets. Raises `Refused` for a film that there is
    not."""
    lab = replace(
        film_core(committed()),
        link=lambda state: link.write("death", {"film": state.film.title}),
    )
    return begun(lab, **first)


def death(mode: str = "auto", **first) -> NotebookLab:
    """Display the committed runs on photographs as films, and return the lab. `film`: the title of
    the one that is shown first."""
    return _shown(death_core(**first), mode)


def film(result: Result, twin: Result | None = None, mode: str = "auto") -> NotebookLab:
    """Display a run as a film, with `twin` beside it in step, and return the lab. Raises ValueError
    for what is no run, or one that recorded nothing."""
    for one in (result, twin):
        if one is not None and not isinstance(one, Result):
            raise ValueError(f"A film is of a Result, such as `run` gives; got {one!r}.")
    if not result.curves.get("step"):
        raise ValueError("This run recorded no step, so there is nothing to play: train it longer.")
    other = None if twin is None else as_track(twin, 2)
    films = (Film("", as_track(result, 1), other),)
    return _shown(film_core(films, "A run, frame by frame"), mode)


def _shown(lab: Lab, mode: str) -> NotebookLab:
    from inception_edu.labs.host import NotebookLab

    made = NotebookLab(lab, mode)
    made.show()
    return made
