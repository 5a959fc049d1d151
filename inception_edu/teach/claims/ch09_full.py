"""What chapter 09 says about Inception-ResNet-v2 with all of its filters, and what was not run."""

from __future__ import annotations

from inception_edu.study import configurations, difference, holm, load_results, summarise
from inception_edu.study.claims import WIDE
from inception_edu.study.claims_dying import LOW_RATE, PAPER_RATE, fates_of, full
from inception_edu.study.fates import between, fate
from inception_edu.study.results import results_if_any
from inception_edu.study.sized import on_a_card
from inception_edu.teach.claims import registered


def _known(share: float | None) -> float:
    """A share of dead channels that every committed run of these experiments has."""
    assert share is not None
    return share


@registered("09.full-width")
def full_width() -> tuple[bool, str]:
    found = fates_of("paper_width")
    paper, low, high = (found[full(1, lr)] for lr in (PAPER_RATE, LOW_RATE, 0.14))
    return (paper.word, low.word, high.word) == ("dies", "lives", "dies"), (
        "Inception-ResNet-v2 with all of its filters, unscaled, after 1000 steps: at the paper's "
        f"rate it {paper.sentence}. At a tenth of this rate it {low.sentence}, and at three times "
        f"this rate it {high.sentence}."
    )


@registered("09.full-control")
def full_control() -> tuple[bool, str]:
    runs = [r for r in load_results("paper_width") if r.label == full(0, PAPER_RATE)]
    places = sorted({max(r.dead, key=r.dead.__getitem__).replace("_", "-") for r in runs})
    last = [_known(r.dead_last) for r in runs]
    ends = [_known(r.dead_most) for r in runs]
    rising = sum(fate(r).trend == "rising" for r in runs)
    return min(ends) > 0.1 and max(ends) < 0.5, (
        "Not all of it comes from the blocks. With the blocks switched off "
        f"{between(ends)} of the channels of the worst place are dead ({' or '.join(places)}; "
        f"{len(runs)} seeds), and "
        f"{between(last)} of those of the last block. In {rising} of these runs the share still "
        "rises at the end, and none was followed further. So the paper's rate is high for the "
        "rest of this short network, too."
    )


@registered("09.full-rate")
def full_rate() -> tuple[bool, str]:
    found = fates_of("paper_width")
    scaled, slow = found[full(0.2, PAPER_RATE)], found[full(1, LOW_RATE)]
    cells = summarise(load_results("paper_width"))
    gaps = holm(
        {
            "a tenth of the rate, unscaled": difference(
                cells[full(1, LOW_RATE)], cells[full(1, PAPER_RATE)]
            ),
            "a scale of 0.2 at the paper's rate": difference(
                cells[full(0.2, PAPER_RATE)], cells[full(1, PAPER_RATE)]
            ),
        }
    )
    told = "; ".join(f"{what} {gap.text()}" for what, gap in gaps.items())
    return slow.word == "lives" and all(gap.seen == "more" for gap in gaps.values()), (
        "Both remedies save the accuracy. Against the unscaled network at the paper's rate: "
        f"{told}. But scaled by 0.2 the network {scaled.sentence}, and at a tenth of the rate it "
        f"{slow.sentence}. So in this setting scaling is not necessary."
    )


@registered("09.scope")
def scope() -> tuple[bool, str]:
    runs = load_results("paper_width")
    first, seconds = runs[0], sum(r.seconds for r in runs)
    steps, batch = first.config.recipe.steps, first.config.recipe.batch_size
    card = first.versions.get("card", first.device)
    image = dict(first.config.arguments)["image"]
    return {r.versions.get("card", r.device) for r in runs} == {card}, (
        f"How far this reaches: {len(runs)} runs at full width on an {card}, "
        f"{seconds / 60:.0f} minutes of computing, {steps} steps of {batch} windows of "
        f"{image}×{image} pixels, {steps * batch / first.data['train']:.1f} passes over "
        f"{first.data['train']:,} photographs. A full replication needs {WIDE}."
    )


# Experiments that wait for a GPU, in the order in which they are to be run.
WAITING = ("paper_width", "wide_remedies", "wide_race_tuning", "wide_race")


def lacking(name: str) -> list:
    """The configurations of an experiment that have no committed run."""
    there = {run.config for run in results_if_any(name)}
    return [config for config in configurations(name, "standard") if config not in there]


@registered("09.missing")
def missing() -> tuple[bool, str]:
    begun, *names = WAITING
    left, others = lacking(begun), [config for name in names for config in lacking(name)]
    settings = "; ".join(dict.fromkeys(config.label for config in left))
    waiting = [*left, *others]
    return bool(left) and bool(others), (
        f"Not all was run. For want of a GPU {len(left)} of the "
        f"{len(configurations(begun, 'standard'))} runs of `{begun}` ({settings}) are missing. So "
        "are the remedies at 1152 channels and the race with all filters "
        f"({', '.join(f'`{name}`' for name in names)}, {len(others)} runs). "
        f"`python -m inception_edu.study run {' '.join(WAITING[:-1])} --missing` makes them, and "
        f"goes on where it was stopped. `{WAITING[-1]}` comes last, at the rates that its tuning "
        "chose (data/results/README.md). By the time that committed runs took, all of them take "
        f"about {on_a_card(waiting)} (an estimate)."
    )
