"""What the race lab says: the verdict of a race, the tally of several."""

from __future__ import annotations

from collections import Counter

from inception_edu.labs import race_known
from inception_edu.labs.core import say
from inception_edu.labs.race_pairs import configs, cost, names, racers, second
from inception_edu.labs.race_state import FOLDER, Course, State, alike, margin
from inception_edu.labs.story import percent
from inception_edu.labs.tower_words import share_interval
from inception_edu.labs.training import differing


def verdict(state: State) -> tuple[str, bool]:
    """(what is said at the top, whether it is bad news)."""
    if state.ask_reset:
        return f"Reset forgets {len(state.races)} races. Press it once more, or go on.", False
    if state.trouble:
        return state.trouble, True
    if state.running or state.fresh:
        return _of_last(state, state.races[-1])
    if not state.ready or state.images is None:
        if state.settings["data"] == FOLDER and not state.settings["folder"]:
            return "Type the path of a folder, then press Enter.", False
        return "Opening the images …", False
    if not state.raced:
        known = race_known.words(state)
        made = configs(state.settings, state.images, state.steps)
        words = f"{racers(state.settings)}, on {state.images.name}: which learns sooner?"
        more = (state.images.about, cost(state.settings, made), known, "Press Race.")
        return f"{words}\n{' '.join(filter(None, more))}", False
    return _of_last(state, state.races[-1])


def _of_last(state: State, course: Course) -> tuple[str, bool]:
    sides = names(course.settings)
    if course.status == "running":
        step = max((side[-1] for side in course.steps if side), default=0)
        done = f"step {step} of {course.configs[0].recipe.steps}"
        words = f"Race {course.name}: seed {course.settings['seed']}, {done}."
        return f"{words}\n{tally(state)}", False
    if course.status == "failed":
        return f"Race {course.name}: {course.sentence}", True
    if course.status == "stopped":
        return f"Race {course.name} was stopped: no verdict.\n{tally(state)}", False
    told = []
    for name, wrong, steps in zip(sides, course.wrong, course.steps):
        if wrong is None:
            at = f"after step {steps[-1]}" if steps else "at once"
            told.append(f"{name} diverged {at}")
        else:
            told.append(f"{name} {percent(wrong)}")
    bad = course.status == "diverged"
    moved = [
        k for k in ("depth", "rate", "scale") if k in differing(course.settings, state.settings)
    ]
    then = "".join(f", {key} {say(course.settings[key])}" for key in moved)
    of = f" of {course.tested:,}" if course.tested else ""
    words = f"Race {course.name}{then}, test images wrong: {', '.join(told)}{of}."
    more = (tally(state), cost(course.settings, course.configs))
    return f"{words}\n{' '.join(filter(None, more))}", bad


def open_means(tested: int | None = None) -> str:
    """What *open* means, of so many test images."""
    return f"less than {100 * margin(tested):.2g} points apart"


def tally(state: State) -> str:
    """ "Of 3 seeds with the settings of race 2 the residual network is ahead in 2, …" """
    if not state.races:
        return ""
    last = state.races[-1]
    same = {c.settings["seed"]: c for c in state.races if alike(c.settings, last.settings)}
    over = [c for c in same.values() if c.outcome != "no result"]
    counts = Counter(course.outcome for course in over)
    if not over:
        return ""
    seeds = "1 seed" if len(over) == 1 else f"{len(over)} seeds"
    words = (
        f"Of {seeds} with the settings of race {last.name} {second(last.settings)} is ahead in "
        f"{counts['ahead']}, behind in {counts['behind']}, open in {counts['open']} "
        f"({open_means(last.tested)})"
    )
    if len(over) == 1:
        return f"{words}: one seed is a picture, not a verdict."
    low, high = share_interval(counts["ahead"], len(over))
    return (
        f"{words}. How sure: with 95 % confidence it is ahead in {100 * low:.0f} to "
        f"{100 * high:.0f} % of all seeds."
    )
