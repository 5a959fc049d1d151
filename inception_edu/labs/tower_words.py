"""What a lab on towers says: the verdict of a run, of five, and what is recorded."""

from __future__ import annotations

import math

from inception_edu.labs.core import say
from inception_edu.labs.story import block_words, percent, silent_since
from inception_edu.labs.tower_known import Look, beside_of, here_of, near, unusual
from inception_edu.labs.training import State, Track, differing, group_of, interval
from inception_edu.study.fates import (
    DIES_FROM,
    END_IMAGES,
    LIVES_BELOW,
    CellFate,
    between,
    counted,
    fate_of_cell,
)
from inception_edu.study.recorded import recorded_grid

# Between which shares of silent channels a run suffers.
LIMITS = f"{100 * LIVES_BELOW:.0f} to {100 * DIES_FROM:.0f} %"
NAMES = {"rmsprop": "RMSProp", "sgd": "SGD", "lr": "rate"}


def verdict(state: State, look: Look) -> tuple[str, bool]:
    """(what is said at the top, whether it is bad news)."""
    if state.ask_reset:
        count = len(state.tracks)
        return f"Reset forgets {count} runs. Press it once more to do so, or just go on.", False
    track = state.last
    if track is None:
        return _before(state, look), False
    if track.status == "running":
        total = track.config.recipe.steps
        step = track.steps[-1] if track.steps else 0
        told = "Stopping after this step …" if state.stopping else f"step {step} of {total}"
        left = _left(state, track)
        among = _among(state, track)
        return f"Run {track.name}: {told}{left}\n{settings_words(track.settings)}{among}", False
    moved = [k for k in differing(state.settings, track.settings) if k != "seed"]
    if moved and not state.fresh:
        return _before(state, look, _earlier(state, track, moved)), False
    decided = [t for t in group_of(state, track) if t.fate and t.fate.word != "stopped"]
    if track.group and decided and not state.queue_settings:
        words, bad = _group_verdict(state, look, track)
    else:
        words, bad = _run_verdict(state, look, track)
    if moved:  # while it ran
        lead, *more = words.split("\n", 1)
        lead += f" Set for the next run: {settings_words(state.settings, moved)}."
        words = "\n".join([lead, *more])
    return words, bad


def _left(state: State, track: Track) -> str:
    if state.pace is None or not track.steps:
        return ""
    seconds = state.factor * state.pace(track.config)
    share = track.steps[-1] / track.config.recipe.steps
    return f", about {duration(seconds * (1 - share))} left"


def _among(state: State, track: Track) -> str:
    """Of several seeds: which one this is, and what the others did."""
    if not track.group:
        return ""
    done = group_of(state, track)
    so_far = counted(fate_of_cell([t.fate for t in done]).counts) if done else ""
    told = f" · run {len(done) + 1} of {len(done) + 1 + len(state.queue_settings)}"
    return told + (f", so far {so_far}" if so_far else "")


def _before(state: State, look: Look, earlier: str = "") -> str:
    """What is recorded of the settings; then what the reader's last run did (`earlier`), else what
    to do."""
    here = here_of(state, look)
    if here is None:
        next_ = earlier or "Bet, then press Retrain."
        plain, left_out = beside_of(state, look)
        if plain is None:
            return f"Nothing is recorded near these settings.\n{next_}"
        with_ = settings_words(state.settings, unusual(state.settings, look))
        told = recorded_words(plain).replace("Recorded", f"Recorded {left_out}", 1)
        return f"Nothing is recorded with {with_}.\n{told} {next_}"
    how_sure = f"How sure: {sure(here.cell.fate)}. " if here.exact else _other_side(here)
    next_ = earlier or "Bet what your run does, then press Retrain."
    return f"{recorded_words(here)}\n{how_sure}{next_}"


def _earlier(state: State, track: Track, keys: list[str]) -> str:
    """ "Your last run, scale 0.75: Lived: …": what was said before a control was moved."""
    with_ = settings_words(track.settings, keys)
    group = group_of(state, track) if track.group else []
    if len(group) > 1:
        told = fate_of_cell([t.fate for t in group if t.fate])
        return f"With {with_} your {_of_seeds(told)}."
    words = _no_end(track) or (fate_words(track) if track.fate else "")
    return f"Your last run, {with_}: {words}" if words else ""


def _other_side(here) -> str:
    """ "At scale 0.3 all 5 runs live. ": what is recorded beyond a setting that lies between two;
    nothing where more than one of them differs."""
    moved = [key for key, value in here.settings.items() if value != here.asked[key]]
    if len(moved) != 1:
        return ""
    axis, others = moved[0], {k: v for k, v in here.settings.items() if k != moved[0]}
    shown, asked = here.settings[axis], here.asked[axis]
    beyond = [
        place
        for place in recorded_grid().strip(axis, **others)
        if (place["value"] - asked) * (shown - asked) < 0
    ]
    if not beyond:
        return ""
    place = min(beyond, key=lambda place: abs(place["value"] - asked))
    return f"At {axis} {say(place['value'])} {_all_or_some(place['counts'], 'runs')}. "


def recorded_words(here) -> str:
    """ "Recorded: width 144, scale 1, rate 0.45: all 5 runs die, 14 to 36 % right." """
    cell = here.cell
    settings = ", ".join(f"{key} {say(value)}" for key, value in here.settings.items())
    nearest = "" if here.exact else " is the nearest recorded setting"
    right = [f"{100 * a:.0f}" for a in (min(cell.accuracy), max(cell.accuracy))]
    told = _all_or_some(cell.fate.counts, "runs")
    return f"Recorded: {settings}{nearest}: {told}, {right[0]} to {right[1]} % right."


def _all_or_some(counts: dict[str, int], what: str) -> str:
    """ "all 5 runs die", "of 5 runs 4 die, 1 suffers"."""
    words, count = counted(counts), sum(counts.values())
    if len(counts) > 1:
        return f"of {count} {what} {words}"
    return f"all {count} {what} {words.split(' ', 1)[1]}" if count > 1 else f"{words} of one"


def _run_verdict(state: State, look: Look, track: Track) -> tuple[str, bool]:
    if words := _no_end(track):
        return words, track.status != "stopped"
    told = [fate_words(track)]
    told += [_against(state, look, track), _inside(look, track)]
    told.append("One seed is a picture, not a verdict.")
    words = f"{told[0]}\n{' '.join(filter(None, told[1:]))}"
    return words, track.fate is not None and track.fate.word == "dies"


def _no_end(track: Track) -> str:
    """What is said of a run that did not come to its end; nothing of one that did."""
    if track.status == "failed":
        return f"Run {track.name}: {track.sentence}"
    if track.status == "stopped":
        return f"Run {track.name} was stopped at step {_last(track)}: no verdict."
    if track.status == "diverged":
        return (
            f"Run {track.name} diverged: the loss was no longer a finite number after step "
            f"{_last(track)}."
        )
    return ""


def _last(track: Track) -> int:
    return track.steps[-1] if track.steps else 0


def fate_words(track: Track) -> str:
    """ "Died: 99 % of block 10 silent on 64 images, dark since step 12; 15 % of the test images
    right, guessing gives 10 %." """
    fate = track.fate
    # Of the curves beside it, one counts what is right on the training batch.
    right = (
        "" if track.accuracy is None else f"; {percent(track.accuracy)} of the test images right"
    )
    if fate is None or fate.dead is None:
        return f"Run {track.name} is over{right}."
    block = block_words(fate.block, list(track.dead))
    since = silent_since(track.course)
    told = {
        "dies": f"Died: {percent(fate.dead)} of {block} silent",
        "suffers": f"Suffered ({LIMITS}): {percent(fate.dead)} of {block} silent at the end",
        "lives": f"Lived: at most {percent(fate.dead)} of a block silent",
    }[fate.word]
    if fate.dead == 0:
        told = "Lived: no channel silent"
    # The curve and the towers count in a batch.
    told += f" on {END_IMAGES} images"
    if fate.word == "dies" and since is not None:
        told += f", dark since step {since}"
    return f"{told}{right}, guessing gives 10 %."


def _against(state: State, look: Look, track: Track) -> str:
    """The run before it, if only one or two settings differ; else the recorded twin at 0.1."""
    earlier = [t for t in state.tracks if t is not track and t.accuracy is not None]
    for other in reversed(earlier):
        keys = differing(track.settings, other.settings)
        if keys == ["seed"] or len(keys) != 1:
            continue
        key = keys[0]
        return (
            f"Against run {other.name} only the {NAMES.get(key, key)} differs "
            f"({say(other.settings[key])} → {say(track.settings[key])}): {_right(other)}."
        )
    place = look.grid(track.settings)
    twin = place and place[1] != 0.1 and near(place[0], 0.1, place[2])
    if not twin or not twin.exact:
        return ""
    low, high = min(twin.cell.accuracy), max(twin.cell.accuracy)
    return f"Recorded with scale 0.1: {100 * low:.0f} to {100 * high:.0f} % right."


def _right(track: Track) -> str:
    return f"{percent(track.accuracy)} right" if track.accuracy is not None else track.status


def _inside(look: Look, track: Track) -> str:
    place = look.grid(track.settings)
    here = place and near(*place)
    if not here or not here.exact or track.accuracy is None:
        return ""
    low, high = min(here.cell.accuracy), max(here.cell.accuracy)
    seeds = len(here.cell.runs)
    gave = f"what {seeds} recorded seeds gave ({100 * low:.0f} to {100 * high:.0f} %)"
    if low - 1e-9 <= track.accuracy <= high + 1e-9:
        return f"Inside {gave}."
    # The least or the largest of n + 1 draws.
    often = round(200 / (seeds + 1))
    return f"Outside {gave}. That is common: {often} of 100 new seeds fall outside."


def _group_verdict(state: State, look: Look, track: Track) -> tuple[str, bool]:
    """What the reader's seeds did; with what recorded ones of the same settings did, and how sure
    that makes."""
    group = group_of(state, track)
    right = [t.accuracy for t in group if t.accuracy is not None]
    told = fate_of_cell([t.fate for t in group])
    words = f"{_of_seeds(told)}."
    if len(group) > 1:
        words += " The band shows them all; the legend shows each."
    if len(right) > 1:
        mean, half = interval(right)
        words += (
            f"\n{percent(mean)} right, 95 % interval {100 * (mean - half):.0f} to "
            f"{100 * (mean + half):.0f} %."
        )
    mine, there = {t.settings["seed"] for t in group}, []
    place = look.grid(track.settings)
    here = place and near(*place)
    if here and here.exact:
        there = [run for run in here.cell.runs if run.seed not in mine]
    all_of_them = fate_of_cell([*(t.fate for t in group), *(run.fate for run in there)])
    if there:
        words += f" With {len(there)} recorded seeds: {all_of_them.word}, {sure(all_of_them)}."
    else:
        words += f" How sure: {sure(told)}."
    return words, told.word == "dies"


def _of_seeds(told: CellFate) -> str:
    """ "5 seeds: all die; worst block 81 % to 95 % silent"."""
    count, words = sum(told.counts.values()), counted(told.counts)
    if len(told.counts) == 1 and count > 1:
        words = f"all {words.split(' ', 1)[1]}"
    dead = f"; worst block {between(told.dead)} silent" if told.dead else ""
    return f"{count} seeds: {words}{dead}"


def sure(told: CellFate) -> str:
    """ "5 of 5 live: with 95 % confidence 48 to 100 % of all seeds do" (Clopper and Pearson)."""
    runs = sum(n for word, n in told.counts.items() if word != "stopped")
    word, count = max(told.counts.items(), key=lambda pair: (pair[0] != "stopped", pair[1]))
    low, high = share_interval(count, runs)
    verb = counted({word: 2}).split(" ", 1)[1]
    return (
        f"{count} of {runs} {verb}: with 95 % confidence {100 * low:.0f} to {100 * high:.0f} % of "
        "all seeds do"
    )


def share_interval(k: int, n: int) -> tuple[float, float]:
    """Clopper and Pearson's 95 % interval of a share of which k of n were counted, as
    `study.statistics.at_most_counts` gives it; a slider would wait for the import of scipy."""

    def at_least(count: int, p: float) -> float:
        return math.fsum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(count, n + 1))

    def place(count: int, wanted: float) -> float:
        low, high = 0.0, 1.0
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if at_least(count, middle) < wanted else (low, middle)
        return low

    return (place(k, 0.025) if k else 0.0), (place(k + 1, 0.975) if k < n else 1.0)


def settings_words(settings: dict, keys: list[str] | None = None) -> str:
    """ "scale 0.1 · width 144 · rate 0.45"; only `keys`, where they are given."""
    parts = []
    for key in settings if keys is None else keys:
        value = settings[key]
        parts.append(NAMES.get(value, f"{NAMES.get(key, key)} {say(value)}"))
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """ "6 s", "2 min": about."""
    if seconds < 1:
        return "1 s"
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
