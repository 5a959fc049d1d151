"""What chapter 10 says about Section 4 of the paper: how the networks are trained."""

from __future__ import annotations

from collections.abc import Callable

from inception_edu.study import (
    Result,
    difference,
    load_results,
    section_4,
    section_4_differences,
    summarise,
)
from inception_edu.study.claims import IMAGENET, made
from inception_edu.study.claims_training import MARGIN, SECTION_4, untuned
from inception_edu.study.experiments_training import OPTIMISERS, RATES
from inception_edu.study.tuning import best_rate
from inception_edu.teach.claims import Made, judged, registered

# What is claimed of each part, as docs/verdicts.md has it.
SAYS = {
    "RMSProp": "RMSProp ends better than SGD",
    "falling rate": "A rate that falls by 0.94 at a time ends better than a constant one",
    "running average": "The running average of the weights is better than the weights",
    "label smoothing": "Label smoothing of 0.1 ends better",
    "clipping": "Clipping the gradient at 2 does no harm",
}


@registered("10.training-rates")
def training_rates() -> tuple[bool, str]:
    runs = load_results("training_tuning")
    best = {name: best_rate(name, "training_tuning") for name in OPTIMISERS}
    told = ", ".join(f"{name} {rate:g}" for name, rate in best.items())
    edge = [name for name, rate in best.items() if rate in (RATES[0], RATES[-1])]
    more = f" At the edge of what was tried, so there may be a better one: {'; '.join(edge)}."
    return not untuned(), (
        f"The rates were chosen in {len(runs)} runs on held-out images, {len(RATES)} rates for "
        f"each of three recipes: {told}.{more if edge else ''}"
    )


def _verdict(part: str) -> Made:
    return lambda: judged(SAYS[part], section_4(part))


for part in SAYS:  # "10.rmsprop", "10.falling-rate", …
    registered(f"10.{part.lower().replace(' ', '-')}")(_verdict(part))


@registered("10.training-power")
def training_power() -> tuple[bool, str]:
    gaps = section_4_differences()
    least = {part: gap.could_have_seen for part, gap in gaps.items()}
    missed = [part for part, gap in gaps.items() if not gap.seen and least[part] > MARGIN]
    more = (
        f"Where no difference is seen, one of the margin, {100 * MARGIN:g} point, could have been "
        f"missed for {', '.join(missed) or 'none of them'}."
    )
    pairs = {gap.n for gap in gaps.values()}
    return len(gaps) == len(SECTION_4) and min(pairs) >= 5, (
        f"With {min(pairs)} pairs a comparison, and corrected for {len(gaps)} questions, these "
        f"runs would show differences of {100 * min(least.values()):.1f} to "
        f"{100 * max(least.values()):.1f} points in four of five cases. {more}"
    )


def accuracy_at(place: int) -> Callable[[Result], float]:
    """What a run reached at one of its evaluations, by their order."""
    return lambda run: run.extras["evaluations"][place][1]


@registered("10.average-early")
def average_early() -> tuple[bool, str]:
    """What the running average brings while the rate is high: looked at after the runs."""
    runs, gaps = load_results("training"), []
    steps = [step for step, _ in runs[0].extras["evaluations"]]
    with_, without = SECTION_4["running average"]
    for place in (0, -1):
        cells = summarise(runs, accuracy_at(place))
        gaps.append(difference(cells[with_], cells[without]))
    early, late = gaps
    return early.low > late.high > 0, (
        f"At step {steps[0]}, while the rate is high, the running average is right more often by "
        f"{early.text()}. At step {steps[-1]} it is {late.text()}. This was asked after "
        "the runs, so no verdict rests on it."
    )


@registered("10.training-scope")
def training_scope() -> tuple[bool, str]:
    counted = frozenset().union(*(e.of for part in SAYS for e in section_4(part).evidence))
    return len(counted) >= 30, (
        f"These verdicts on Section 4: {made(('training',), len(counted))} A full replication "
        f"needs {IMAGENET}, with and without each part."
    )
