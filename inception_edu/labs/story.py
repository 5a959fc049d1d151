"""The story of a run, told by its own numbers: where a film of it stops, and what is said there.

    stops(Course(steps, loss, dead, push, logits))      [Stop(2, "overshoot", "…"), …]

Nothing is placed by hand: a run that lives has another story than one that dies, and one that heals
another again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from inception_edu.study.fates import word_of

# A quantity has overshot where it is so many times what it was at the first step.
OVERSHOT = 3.0
# The push is over where it is below this share of its peak.
OVER = 0.1
# A block is dark from this share of silent channels on; it has healed where so much came back.
DARK, BACK = 0.5, 0.1
# "Silent since": from there on never below this share of what it is at the end.
SINCE = 0.9


@dataclass(frozen=True)
class Course:
    """What a run recorded, one number a record: `dead` by block, the first block first. `push`
    (mean of a · ∂loss/∂a, where a enters the classifier) and `logits` (their standard deviation)
    may be missing."""

    steps: Sequence[int]
    loss: Sequence[float]
    dead: Mapping[str, Sequence[float]] = field(default_factory=dict)
    push: Sequence[float] = ()
    logits: Sequence[float] = ()
    classes: int = 10

    @property
    def worst(self) -> str:
        """The block with most silent channels at the end; of several the last."""
        names = list(self.dead)
        return max(reversed(names), key=lambda name: self.dead[name][-1]) if names else ""


@dataclass(frozen=True)
class Stop:
    """A step at which the film has something to say."""

    step: int
    name: str
    words: str

    def to_dict(self) -> dict:
        return {"step": self.step, "name": self.name, "words": self.words}


def block_words(name: str, names: Sequence[str]) -> str:
    """ "inception_resnet_c.3" → "block 3", "stem" → "the stem"."""
    if name == "stem":
        return "the stem"
    return f"block {list(names).index(name)}"


def percent(share: float) -> str:
    """A share in words: 0.071 → "7 %", 0.004 → "0.4 %"."""
    value = 100 * share
    return f"{value:.1f} %" if 0 < value < 0.95 else f"{value:.0f} %"


def silent_since(course: Course) -> int | None:
    """The step from which on the worst block is about as dark as at the end; None where it is not
    dark."""
    shares = course.dead.get(course.worst, ())
    if not shares or shares[-1] < DARK:
        return None
    first = len(shares)
    while first and shares[first - 1] >= SINCE * shares[-1]:
        first -= 1
    return course.steps[first]


def stops(course: Course) -> list[Stop]:
    """At most five stops, in order of their steps; none before there are three records."""
    if len(course.steps) < 3:
        return []
    overshoot = _overshoot(course)
    found = [*overshoot, *_sinking(course, overshoot), *_dark(course), *_healing(course)]
    if not any(stop.name in ("dark", "healing", "never dark") for stop in found):
        found += _learning(course)
    by_step: dict[int, Stop] = {}
    for stop in found:  # one stop a step: what else is told there follows
        first = by_step.get(stop.step)
        words = f"{first.words} {stop.words}" if first else stop.words
        by_step[stop.step] = Stop(stop.step, first.name if first else stop.name, words)
    return sorted(by_step.values(), key=lambda stop: stop.step)


def _finite(values: Sequence[float]) -> list[float]:
    return [v if v is not None and math.isfinite(v) else -math.inf for v in values]


def _peak(values: Sequence[float]) -> int:
    known = _finite(values)
    return known.index(max(known))


def _overshoot(course: Course) -> list[Stop]:
    """The logits leap, and with them the loss: where, how far, and when the push is strongest."""
    if not course.logits:
        return []
    top = _peak(course.logits)
    leap = course.logits[top] / max(course.logits[0], 1e-6)
    guessing = math.log(course.classes)
    if leap < OVERSHOT or course.loss[_peak(course.loss)] < 1.5 * guessing:
        return []
    if min(course.logits[top:]) > course.logits[top] / 2:
        return []  # they grow to the end and do not come back: no overshoot
    strongest = _peak(course.push) if course.push else top
    if strongest < top and course.logits[strongest] >= OVERSHOT * course.logits[0]:
        top = strongest  # they have leapt already: the cause is told before what it does
    words = (
        "Overshoot. The classifier adds up all channels, so one step moves the logits far: from a "
        f"spread of {course.logits[0]:.1f} to {course.logits[top]:.1f}."
    )
    sure = (
        "Sure and wrong: the loss falls if all activations shrink "
        f"(push {course.push[strongest]:.1f})."
        if course.push
        else ""
    )
    if strongest == top:
        return [Stop(course.steps[top], "overshoot", f"{words} {sure}".strip())]
    return [
        Stop(course.steps[top], "overshoot", words),
        Stop(course.steps[strongest], "sure and wrong", sure),
    ]


def _sinking(course: Course, overshoot: list[Stop]) -> list[Stop]:
    """The push is over, and the worst block goes on sinking."""
    if not overshoot or not course.push or not course.dead:
        return []
    shares, peak = course.dead[course.worst], _peak(course.push)
    low = OVER * course.push[peak]
    over = [i for i in range(peak + 1, len(course.steps)) if course.push[i] < low]
    if not over or over[0] + 1 >= len(shares):
        return []
    here = over[0]
    deepest = max(shares[here:])
    if deepest - shares[here] < 0.05:
        return []
    block = block_words(course.worst, list(course.dead))
    words = (
        f"Sinking. The push has fallen to {course.push[here]:.2f}, yet {block} goes on sinking: "
        f"{percent(shares[here])} of its channels are silent here, {percent(deepest)} later."
    )
    return [Stop(course.steps[here], "sinking", words)]


def _dark(course: Course) -> list[Stop]:
    if not course.dead:
        return []
    shares = course.dead[course.worst]
    block = block_words(course.worst, list(course.dead))
    since = silent_since(course)
    if since is None:
        return []
    here = list(course.steps).index(since)
    words = (
        f"Dark. From here on {percent(shares[here])} and more of {block} "
        f"{'are' if shares[here] != 1 else 'is'} silent in the batch: "
        f"{percent(shares[-1])} at the end. A silent channel gets no gradient, so little "
        "comes back."
    )
    return [Stop(since, "dark", words)]


def _healing(course: Course) -> list[Stop]:
    """The block that was darkest, where it came back."""
    if not course.dead:
        return []
    names = list(course.dead)
    name = max(names, key=lambda n: max(course.dead[n]) - course.dead[n][-1])
    shares = course.dead[name]
    top = _peak(shares)
    if shares[top] - shares[-1] < BACK:
        return []
    words = (
        f"Healing. {block_words(name, names).capitalize()} was {percent(shares[top])} silent here, "
        f"its deepest; at the end it is {percent(shares[-1])}: channels come back while others "
        "still carry a signal."
    )
    return [Stop(course.steps[top], "healing", words)]


def _learning(course: Course) -> list[Stop]:
    """Nobody dies: when the loss passed guessing for good, and how the run ends."""
    guessing = math.log(course.classes)
    below = len(course.loss)
    while below and _finite(course.loss)[below - 1] < guessing:
        below -= 1
    end = f"The loss ends at {course.loss[-1]:.2f}."
    how = f"Alive at step {course.steps[-1]}."
    if course.dead:
        most = course.dead[course.worst][-1]
        if word_of(most) == "suffers":
            how = "Damaged, and learning."
        much = f"At most {percent(most)} of a block" if most else "No channel"
        end = f"{much} is silent in the batch. {end}"
    last = Stop(course.steps[-1], "end", f"{how} {end}")
    if below >= len(course.loss):
        last = Stop(course.steps[-1], "end", f"No block goes dark, and nothing is learned. {end}")
        return [last]
    words = f"Learning. From step {course.steps[below]} on the loss is below guessing."
    return [Stop(course.steps[below], "learning", words), last]
