"""What chapter 09 says about the remedies that Section 3.3 names, and some that others do."""

from __future__ import annotations

from inception_edu.study import Cell, Difference, difference, load_results, summarise
from inception_edu.study.claims import CLAIMS
from inception_edu.study.claims_dying import fates_of
from inception_edu.study.fates import DIES_FROM, LIVES_BELOW
from inception_edu.teach.claims import registered


@registered("09.warm-up")
def warm_up() -> tuple[bool, str]:
    """What the two-phase warm-ups learn in a first phase of a hundred steps."""
    runs, steps = load_results("warm_ups"), 100

    def change(label: str) -> Difference:
        """The loss at the last record of the first phase minus that at the first step."""
        phase = [run for run in runs if run.label == label]
        last = max(i for i, step in enumerate(phase[0].curves["step"]) if step <= steps)

        def loss(place: int) -> Cell:
            return summarise(phase, lambda run: run.curves["loss"][place])[label]

        return difference(loss(last), loss(0))

    slow, fast = change(f"{steps} steps at 0.00001"), change(f"{steps} steps at rate / 10")
    return not slow.seen and fast.seen == "less", (
        f"In {steps} steps at the paper's first rate the tower is not seen to learn: the loss of a "
        f"batch changes by {slow.text('nats', 1)}. At a tenth of the full rate it learns: "
        f"{fast.text('nats', 1)}."
    )


@registered("09.longer-warm-up")
def longer_warm_up() -> tuple[bool, tuple[str, str]]:
    short, found = fates_of("remedies")["two-phase warm-up"], fates_of("warm_ups")
    slow, fast = (
        [found[f"{steps} steps at {rate}"] for steps in (100, 400)]
        for rate in ("0.00001", "rate / 10")
    )
    paper = [short, *slow]
    dead, runs = sum(f.counts.get("dies", 0) for f in paper), sum(len(f.dead) for f in paper)
    worst = max(share for f in fast for share in f.dead)
    return all(f.word == "dies" for f in paper) and worst < DIES_FROM, (
        f"At a rate of 0.00001, the paper's, a longer first phase does not help. With 100 steps "
        f"the tower {slow[0].sentence}, with 400 it {slow[1].sentence}. At a tenth of the rate it "
        f"helps: with 100 steps the tower {fast[0].sentence}, with 400 it {fast[1].sentence}. By "
        "the rule, written before these runs, all four had to die. So the claim on warm-ups is "
        f"*{CLAIMS['C6'].verdict().word}*, although what the paper says of its own rate is seen.",
        f"At the paper's 0.00001, {dead} of {runs} towers die after a first phase of 30 to 400 "
        f"steps; at a tenth of the rate, after 100 or 400, at most {worst:.0%} is dead.",
    )


@registered("09.remedies")
def remedies() -> tuple[bool, tuple[str, str]]:
    worst = {label: max(cell.dead) for label, cell in fates_of("remedies").items()}
    alone = [label for label in worst if "+" not in label and not label.startswith("SGD")]
    held = [label for label in alone if worst[label] < LIVES_BELOW]
    nearly, unscaled = worst["slow classifier"], [x for x in held if "scale" not in x]
    later = {label: fate for label, fate in fates_of("long").items() if label in unscaled}
    lasts = [label for label, fate in later.items() if fate.word == "lives"]
    return len(held) > 1 and LIVES_BELOW < nearly < 0.15, (
        f"At the end, after 60 to 120 steps, these remedies hold in every seed: "
        f"{', '.join(held)}. At most "
        f"{max(worst[label] for label in held):.0%} of any block is dead at the end. With a slow "
        f"classifier it is {nearly:.0%} at most.",
        f"Without a scale {len(unscaled)} changes keep every tower alive for 60 to 120 steps; of "
        f"{len(later)} followed for 3000 steps {len(lasts)} does ({' and '.join(lasts)}).",
    )


@registered("09.section-4")
def section_4() -> tuple[bool, str]:
    """Two parts of the paper's training, in the tower that dies."""
    found = fates_of("remedies")
    clipped, sgd, scaled = (
        found[label] for label in ("clipped gradient", "SGD: nothing", "SGD: scale 0.1")
    )
    return sgd.word == "dies" and scaled.word == "lives", (
        "The death needs no RMSProp. With SGD in its place, at the same rate and momentum, the "
        f"unscaled tower {sgd.sentence}. Scaled by 0.1 it "
        f"{scaled.sentence}. With RMSProp and the gradient clipped to length 2 it "
        f"{clipped.sentence}."
    )
