"""The towers and the curves of a lab on towers, as `web/player.js` and `web/chart.js` take them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from inception_edu.labs.core import say
from inception_edu.labs.story import percent, stops
from inception_edu.labs.takeaway import RECORDED, dash
from inception_edu.labs.tower_known import (
    Look,
    elsewhere,
    here_of,
    in_view,
    off_of,
    place_of,
    shown,
    stands,
    track_of,
    unusual,
)
from inception_edu.labs.tower_words import settings_words
from inception_edu.labs.training import State, Track, differing, group_of
from inception_edu.study.recorded import RecordedCell

# Places among the colours of `web/theme.js`: of a recorded run, by what became of it, and of the
# reader's own.
FATE_PLACES = {"lives": 3, "suffers": 4, "dies": 0}
OWN = (2, 5, 6, 7)
GREY_DASH = 6
USUAL_WORDS = {"remedy": "no remedy", "optimizer": "RMSProp"}


def player_value(state: State, look: Look) -> dict:
    """The two towers and the stops of the first one's story, for `web/player.js`."""
    state = in_view(state)
    found = shown(state, look)
    towers = [_tower(state, look, track) for track in found]
    told = stops(found[0].course) if found else []
    total = found[0].steps[-1] if found and found[0].steps else 0
    if state.running:
        total, told = state.running.config.recipe.steps, []
    return {
        "towers": towers,
        "stops": [stop.to_dict() for stop in told],
        "total": total,
        "said": _film_words(state, found),
    }


def _film_words(state: State, found: list[Track]) -> str:
    if state.running:
        return "The run is under way. Scrub back as you like; its stops are set when it is over."
    if not found:
        return "Nothing is recorded near these settings: the film begins with your run."
    return ""


def _tower(state: State, look: Look, track: Track) -> dict:
    names = list(track.dead)
    known = track.number < 0
    if known:  # with the settings that all recorded runs have, whatever is set
        left_out = unusual(state.settings, look)
        other = [USUAL_WORDS.get(key, f"{key} {say(look.usual[key])}") for key in left_out]
        keys = _elsewhere(state, track)
    else:
        other = []
        keys = [k for k in differing(track.settings, state.settings) if k not in ("scale", "seed")]
    where = " · ".join(filter(None, [*other, settings_words(track.settings, keys)]))
    scale = f"scale {say(track.settings.get('scale'))}"
    title = f"rec. {where}" if known and where else "recorded"
    if not known:
        title = " · ".join(filter(None, [f"run {track.name}", where]))
    title = f"{title} · {scale}"
    return {
        "id": [track.number, track.settings.get("scale"), track.settings.get("width")],
        "title": title,
        "colour": colour(track),
        "blocks": ["stem" if n == "stem" else str(i) for i, n in enumerate(names)],
        "steps": list(track.steps),
        "dead": [list(track.dead[name]) for name in names],
    }


def _elsewhere(state: State, track: Track) -> list[str]:
    """In which settings a recorded track is not what is set: it is the nearest there is."""
    keys = ("width", "rate")
    return [k for k in keys if track.settings.get(k) != state.settings.get(k)]


def colour(track: Track) -> int:
    """The recorded run has the colour of what became of it, its twin another; no run of the
    reader's has one of these."""
    if track.number == -2:
        return 1
    if track.number == -1:
        return FATE_PLACES.get(track.fate.word if track.fate else "", 0)
    return OWN[(track.number - 1) % len(OWN)]


def _dash(state: State, track: Track, faded: bool) -> int:
    """The pattern of a track's line, by which two of one colour are told apart."""
    if track.number < 0:
        return {-1: RECORDED, -2: 1}[track.number]
    return dash(track.number, len(OWN), track is state.last, faded)


def chart_value(state: State, look: Look) -> dict:
    """Curves, bands and the legend, for `web/chart.js`."""
    state = in_view(state)
    kept = state.tracks
    keys = {key for t in kept for key in differing(t.settings, kept[0].settings)}
    order = [key for key in state.settings if key in keys]
    runs = [_run(state, look, track, order) for track in kept]
    found = shown(state, look)
    fixed = [t for t in found if t.number < 0]
    runs = [*runs, *(_run(state, look, t, ["scale", *_elsewhere(state, t)]) for t in fixed)]
    off = off_of(state, look)
    if off is not None:
        runs.append(_off_run(off, look, elsewhere(off, state.settings)))
    tower = look.tower(state.settings)
    if tower is not None and any(panel["key"] == "spread" for panel in look.panels):
        runs.append(_before_run(tower.spread))
    bands = _bands(state, look)
    steps = state.config.recipe.steps
    if state.running:
        steps = max(steps, state.running.config.recipe.steps)
    return {
        "panels": _panels(state, look),
        "runs": runs,
        "bands": bands,
        "x": {"label": "step", "max": max([steps, *(t.steps[-1] for t in kept if t.steps)])},
        "height": 60 if len(look.panels) < 5 else 51,
        "same": _same(state, kept, order),
    }


def _same(state: State, kept: Sequence[Track], order: list[str]) -> str:
    """What the legend leaves out: the settings that all of its runs have."""
    alike = [key for key in state.settings if key not in order]
    if not kept or not alike:
        return ""
    whose = "In all runs" if len(kept) > 1 else f"Run {kept[0].name}"
    return f"{whose}: {settings_words(kept[0].settings, alike)}"


def _panels(state: State, look: Look) -> list[dict]:
    """The panels; of several over the same steps only the last one has numbers along its axis.
    Where no band of recorded seeds can be drawn, the first one says so."""
    over_steps = [panel["key"] for panel in look.panels if not panel.get("alone")]
    made = [{**panel, "axis": panel["key"] not in over_steps[:-1]} for panel in look.panels]
    if here_of(state, look) is None:
        left_out = place_of(state.settings, look)[1]
        why = f"recorded {left_out} only" if left_out else "nothing is recorded near"
        made[0]["note"] = f"no band: {why}"
    return made


def series(track: Track, panels) -> dict:
    """A track's points by panel: "dead" is the last block's, "spread" runs over the blocks."""
    found = {}
    for panel in panels:
        key = panel["key"]
        if key == "dead" and track.dead:
            values = list(track.dead.values())[-1]
            found[key] = [list(track.steps), list(values)]
        elif key == "spread" and track.spread:
            found[key] = [list(range(len(track.spread))), list(track.spread.values())]
        elif key in track.curves:
            found[key] = [list(track.steps), [_finite(v) for v in track.curves[key]]]
    return found


def _finite(value):
    return value if value is not None and math.isfinite(value) else None


def _run(state: State, look: Look, track: Track, keys: list[str]) -> dict:
    recorded_one = track.number < 0
    words = [settings_words(track.settings, [k for k in keys if k in track.settings])]
    if recorded_one:
        left_out = place_of(state.settings, look)[1]
        words = [f"recorded {left_out}".strip(), *words, f"seed {track.settings['seed']}"]
    end = []
    if track.fate is not None:
        end.append(track.fate.word)
    elif track.status != "finished":
        end.append(track.status)
    if track.accuracy is not None:
        end.append(f"{percent(track.accuracy)} right")
    faded = not (track is state.last or track.pinned or recorded_one)
    # Of the reader's own the end comes first: many settings may differ, and the line is short.
    words = [*words, *end] if recorded_one else [*end, *words]
    return {
        "id": track.number,
        "name": track.name if not recorded_one else {-1: "rec", -2: "0.1"}[track.number],
        "words": " · ".join(filter(None, words)),
        "colour": colour(track),
        "dash": _dash(state, track, faded),
        "faded": faded,
        "hidden": track.hidden,
        "pinned": track.pinned,
        "fixed": recorded_one,
        "running": track.status == "running",
        "series": {} if track.hidden else series(track, look.panels),
    }


def _off_run(cell: RecordedCell, look: Look, where: str) -> dict:
    found = {}
    for panel in look.panels:
        if panel["key"] in ("loss", "accuracy"):
            band = cell.band(panel["key"])
            found[panel["key"]] = [band["step"], band["mean"]]
    mean = sum(cell.accuracy) / len(cell.accuracy)
    at = f", {where}" if where else ""
    words = (
        f"blocks switched off (scale 0{at}), mean of {len(cell.runs)} seeds · {percent(mean)} right"
    )
    return _grey(-3, "off", words, found)


def _before_run(spread: tuple[float, ...]) -> dict:
    words = "before step 1: spread, foretold from scale and depth alone"
    points = [list(range(len(spread))), list(spread)]
    return _grey(-4, "0", words, {"spread": points})


def _grey(number: int, name: str, words: str, series: dict) -> dict:
    """What is known beside the runs."""
    return {
        "id": number,
        "name": name,
        "words": words,
        "colour": -1,
        "dash": GREY_DASH,
        "faded": True,
        "hidden": False,
        "pinned": False,
        "fixed": True,
        "series": series,
    }


def _bands(state: State, look: Look) -> list[dict]:
    """Five recorded seeds of these settings, and the seeds that the reader has run together."""
    bands = []
    here = here_of(state, look)
    last = state.last
    # Of another setting than the one that is set only where its curve stands there and says so.
    named = here is not None and (here.exact or any(t.number == -1 for t in shown(state, look)))
    ours = named and (last is None or last.settings.keys() == state.settings.keys())
    cell = here.cell if here is not None and ours else None
    group = group_of(state, last) if last and last.group else []
    ink = 0
    if cell is not None:
        own = last if last is not None and stands(state, last) else None
        ink = colour(own or track_of(cell, state.settings["seed"], -1, "recorded"))
    for panel in look.panels:
        key = {"dead": "dead_last"}.get(panel["key"], panel["key"])
        if cell is not None and key in ("loss", "accuracy", "push", "logits", "dead_last"):
            band = cell.band(key)
            sides = {"x": band["step"], "low": band["low"], "high": band["high"]}
            bands.append({"panel": panel["key"], **sides, "colour": ink})
        if len(group) > 1:
            bands.append(_group_band(group, panel))
    return [band for band in bands if band]


def _group_band(group: list[Track], panel: dict) -> dict:
    rows = [row for t in group if (row := series(t, [panel]).get(panel["key"]))]
    if panel.get("alone") or len(rows) < len(group):
        return {}
    columns = list(zip(*(values for _, values in rows)))
    return {
        "panel": panel["key"],
        "x": rows[0][0][: len(columns)],
        "low": [min((v for v in c if v is not None), default=None) for c in columns],
        "high": [max((v for v in c if v is not None), default=None) for c in columns],
        "colour": colour(group[-1]),
    }
