"""What is known before a tower is trained: the recorded runs nearest to its settings, what stands
beside it, the forecast."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache

from inception_edu.labs.core import Control, say
from inception_edu.labs.story import percent
from inception_edu.labs.training import State, Track, differing
from inception_edu.study.foretold import Before
from inception_edu.study.recorded import RecordedCell, RecordedError, recorded_grid

# Colours of what became of runs; seeds that differ have another one where it can be drawn.
FATE_COLOURS = {"lives": "#2f9e77", "suffers": "#d8a520", "dies": "#b84300"}
DIFFERS = "#8a8f98"


@dataclass(frozen=True)
class Look:
    """One lab on towers.

    settings   state → its controls, without strips and notes
    panels     of the chart, as `web/chart.js` takes them
    grid       settings → (width, scale, rate) where the recorded grid speaks of them, else None
    tower      settings → what is known of that tower before training, None where it is altered
    usual      settings that every recorded run has
    """

    settings: Callable[[State], tuple[Control, ...]]
    panels: tuple[dict, ...]
    grid: Callable[[dict], tuple[float, float, float] | None]
    tower: Callable[[dict], Before | None]
    usual: dict = field(default_factory=dict)


@lru_cache(maxsize=512)
def near(width: float, scale: float, rate: float):
    """The recorded setting nearest to this one; None where nothing is recorded or it is far."""
    try:
        found = recorded_grid().nearest(width=width, scale=scale, rate=rate)
    except RecordedError:
        return None
    return found if found.distance <= 1 else None


@lru_cache(maxsize=1)
def dangers() -> tuple[tuple[float, str], ...]:
    """(rate × mean ‖a‖², fate) of every recorded setting, the least first."""
    try:
        cells = recorded_grid().cells
    except RecordedError:
        return ()
    return tuple(sorted((cell.danger, cell.fate.word) for cell in cells if cell.danger > 0))


@lru_cache(maxsize=64)
def track_of(cell: RecordedCell, seed: int, number: int, name: str) -> Track:
    """A recorded run as a track."""
    run = next((r for r in cell.runs if r.seed == seed), cell.runs[0])
    curves = {key: tuple(run.curve(key)) for key in ("loss", "accuracy", "push", "logits")}
    dead = {key: tuple(values) for key, values in run.dead().items()}
    settings = {**cell.settings, "seed": run.seed}
    return Track(
        number,
        settings,
        None,
        name,
        steps=run.steps,
        curves=curves,
        dead=dead,
        status=run.status,
        accuracy=run.test_accuracy,
        fate=run.fate,
    )


def elsewhere(cell: RecordedCell, asked: dict) -> str:
    """ "width 144": in what a recorded setting is not the one asked for, the scale aside."""
    return ", ".join(
        f"{key} {say(value)}"
        for key, value in cell.settings.items()
        if key != "scale" and value != asked[key]
    )


def here_of(state: State, look: Look):
    place = look.grid(state.settings)
    return None if place is None else near(*place)


def unusual(settings: dict, look: Look) -> list[str]:
    """The settings that no recorded run has."""
    return [k for k, v in look.usual.items() if settings.get(k, v) != v]


def place_of(settings: dict, look: Look) -> tuple[tuple[float, float, float] | None, str]:
    """(where the recorded grid has these settings, what they were without there): of a remedy
    nothing is recorded, so the place is that of the same without it, and says so."""
    place = look.grid(settings)
    moved = unusual(settings, look)
    if place is not None or not moved:
        return place, ""
    place = look.grid({**settings, **look.usual})
    words = {"remedy": "without the remedy", "optimizer": "with RMSProp"}
    told = [words.get(key, f"at {key} {say(look.usual[key])}") for key in moved]
    return place, ", ".join(told) if place else ""


def beside_of(state: State, look: Look):
    """(the recorded setting nearest to this one without what is not recorded, without what); None
    where these settings are recorded themselves, or nothing is near."""
    place, left_out = place_of(state.settings, look)
    return (near(*place), left_out) if place and left_out else (None, "")


def twin_of(state: State, look: Look) -> Track | None:
    """The same at scale 0.1, as recorded."""
    place = look.grid(state.settings)
    found = place and near(place[0], 0.1, place[2])
    return track_of(found.cell, state.settings["seed"], -2, "0.1") if found else None


def off_of(state: State, look: Look) -> RecordedCell | None:
    """The same with its blocks switched off."""
    place = look.grid(state.settings)
    found = place and near(place[0], 0.0, place[2])
    return found.cell if found and found.cell.scale == 0 else None


def stands(state: State, track: Track) -> bool:
    """Whether a run is of the settings as they are; one of several seeds is, whatever its seed."""
    keys = differing(track.settings, state.settings)
    return not keys or (track.group > 0 and keys == ["seed"])


def in_view(state: State) -> State:
    """The state as its pictures show it: a run under way, or one that is just over, stands among
    what is recorded of its own settings, whatever was set meanwhile for the next one."""
    last = state.last
    if last is None or not (state.fresh or last.status == "running"):
        return state
    return replace(state, settings=dict(last.settings))


def shown(state: State, look: Look) -> list[Track]:
    """What the two towers show: the run under way, or the last one while its settings stand, else
    what was recorded of these settings, or of the same without a remedy; beside it a pinned run, or
    the recorded twin at 0.1."""
    last = state.last
    here = here_of(state, look) or beside_of(state, look)[0]
    known = track_of(here.cell, state.settings["seed"], -1, "recorded") if here else None
    own = last and (last.status == "running" or stands(state, last))
    first = last if own else known or last
    others = [t for t in state.tracks if t.pinned and t is not first]
    twin = others[-1] if others else twin_of(state, look)
    if twin is None and own and here_of(state, look) is None:
        twin = known  # with a remedy: the same without it
    found = [t for t in (first, twin) if t is not None]
    if len(found) == 2 and found[0].number == -1 and found[0].settings == found[1].settings:
        return found[:1]
    return found


def forecast_html(state: State, look: Look) -> str:
    """Before anything is trained: Fig. 20 with its factor, how far the blocks' outputs will spread,
    where the setting stands among all recorded ones, and what the blocks are worth."""
    here, tower = here_of(state, look), look.tower(state.settings)
    pictures = _fig20(state.settings["scale"]) + _spread(state, tower)
    lines = [f'<div class="ied-forecast-top">{pictures}</div>']
    place = look.grid(state.settings)
    if place is not None and tower is not None:
        exact = here is not None and here.exact
        lines.append(_danger(here.cell.danger if exact else place[0] * place[2] * tower.length))
    off = off_of(state, look)
    if off is not None and here is not None:
        lines.append(_worth(here.cell, off, elsewhere(here.cell, state.settings)))
    return '<div class="ied-forecast-box">' + "".join(lines) + "</div>"


def _fig20(scale: float) -> str:
    ink = 'stroke="var(--ied-ink,#1d1d1f)" fill="none"'
    word = 'fill="var(--ied-ink,#1d1d1f)" font-size="11" text-anchor="middle"'
    return (
        f'<svg viewBox="0 0 212 42" width="212" role="img" aria-label="Fig. 20: relu of x plus '
        f'{say(scale)} times the Inception branch">'
        f'<path d="M16 13H152M24 13V30H34M92 30h8M138 30h21V20" {ink}/>'
        f'<rect x="34" y="21" width="58" height="18" rx="3" {ink}/>'
        f'<text x="63" y="34" {word}>Inception</text>'
        f'<rect x="100" y="21" width="38" height="18" rx="3" '
        f'fill="var(--ied-alarm-soft,#fdeee4)" stroke="var(--ied-alarm,#b84300)"/>'
        f'<text x="119" y="34" {word}>× {say(scale)}</text>'
        f'<circle cx="159" cy="13" r="7" {ink}/><text x="159" y="17" {word}>+</text>'
        f'<path d="M166 13h10" {ink}/><text x="194" y="17" {word}>ReLU</text>'
        f'<text x="10" y="17" {word}>x</text></svg>'
    )


def _spread(state: State, tower: Before | None) -> str:
    """The standard deviation of each block's output before the first step, as bars; what the last
    run had there, as dots."""
    if tower is None:
        return ""
    last = state.last if state.last and stands(state, state.last) else None
    seen = list(last.first_spread.values()) if last else []
    most = max(1.5, *tower.spread, *seen)
    wide = 110 / len(tower.spread)
    bars = "".join(
        f'<rect x="{i * wide:.1f}" y="{42 - 26 * v / most:.1f}" width="{max(1, wide - 2):.1f}" '
        f'height="{26 * v / most:.1f}" fill="var(--ied-blue,#0068ab)" opacity=".55"/>'
        for i, v in enumerate(tower.spread)
    )
    dots = "".join(
        f'<circle cx="{i * wide + wide / 2 - 1:.1f}" cy="{42 - 26 * v / most:.1f}" r="2" '
        'fill="var(--ied-ink,#1d1d1f)"/>'
        for i, v in enumerate(seen)
    )
    ends = f"{tower.spread[0]:.2f} → {tower.spread[-1]:.2f}"
    said = (
        f"Spread of the outputs of stem and blocks before training, foretold from scale and depth: "
        f"from {tower.spread[0]:.2f} at the stem to {tower.spread[-1]:.2f} at the last block"
    )
    if last and seen:
        said += f"; measured in run {last.name}: from {seen[0]:.2f} to {seen[-1]:.2f}"
    return (
        f'<svg viewBox="0 0 112 42" width="112" role="img" aria-label="{said}"><title>{said}'
        f'</title><text x="0" y="11" font-size="11" fill="var(--ied-ink,#1d1d1f)">'
        f"spread {ends}</text>{bars}{dots}</svg>"
    )


def _danger(danger: float) -> str:
    """Where a setting stands on rate × ‖a‖² among all recorded ones."""
    known = dangers()
    if not known or danger <= 0:
        return ""
    least, most = min(danger, known[0][0]), max(danger, known[-1][0])

    def at(one: float) -> float:
        return 300 * math.log(one / least) / max(1e-9, math.log(most / least))

    ticks = "".join(
        f'<rect x="{at(d):.1f}" y="4" width="2" height="10" '
        f'fill="{FATE_COLOURS.get(word, DIFFERS)}"/>'
        for d, word in known
    )
    place = at(danger)
    nearest = sorted(known, key=lambda pair: abs(math.log(pair[0] / danger)))[:10]
    counts = Counter(word for _, word in nearest)
    verbs = {"lives": "live", "suffers": "suffer", "dies": "die", "differs by seed": "differ"}
    told = ", ".join(
        f"{counts[word]} {word.split()[0] if counts[word] == 1 else several}"
        for word, several in verbs.items()
        if counts[word]
    )
    said = (
        f"rate × ‖a‖² is {say(float(f'{danger:.2g}'))} before the first step; of the "
        f"{len(nearest)} recorded settings nearest to that {told}"
    )
    return (
        f'<svg viewBox="-4 0 310 20" width="300" role="img" aria-label="{said}" '
        f'style="max-width:100%;height:auto">{ticks}'
        f'<path d="M{place:.1f} 20l-5 -6h10z" fill="var(--ied-ink,#1d1d1f)"/></svg>'
        f"<div>{said}.</div>"
    )


def _worth(cell: RecordedCell, off: RecordedCell, where: str) -> str:
    if cell.scale == 0:
        return ""
    with_blocks = sum(cell.accuracy) / len(cell.accuracy)
    without = sum(off.accuracy) / len(off.accuracy)
    means = "no difference is shown"  # the seeds overlap
    if min(cell.accuracy) > max(off.accuracy):
        means = "the blocks help in every seed"
    if max(cell.accuracy) < min(off.accuracy):
        means = "the blocks do harm in every seed"
    at = f" at {where}" if where else ""
    return (
        f"<div>With its blocks switched off the network gets {percent(without)}, with them "
        f"{percent(with_blocks)} (recorded means{at}): {means}.</div>"
    )
