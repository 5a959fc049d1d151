"""What chapter 11 says about its results, computed from the committed runs and the paper's
tables."""

from __future__ import annotations

from functools import cache

from inception_edu.describe import BLACKLISTED, TABLE_2, TABLE_3, TABLE_4, TABLE_5
from inception_edu.study import RACERS, Answers, gains, holm, load_results
from inception_edu.teach.claims import registered

PAPER_LOSS = 0.4  # points, of "11.paper-gap"


@cache
def _members() -> Answers:
    return Answers.of(load_results("race"))


def _range(values: list[float]) -> str:
    return f"{100 * min(values):.1f} to {100 * max(values):.1f} points"


@registered("11.members")
def members() -> tuple[bool, tuple[str, str]]:
    answers = _members()
    found = holm({k: gains.together_gain(answers, k, "1 crop") for k in answers.networks})
    holds = all(gap.seen == "more" for gap in found.values())
    size = min(gap.n for gap in found.values())
    return holds, (
        f"{size} seeds of one network together make fewer errors than one of them: "
        f"{_range([gap.mean for gap in found.values()])} fewer, for each of {len(found)} networks "
        f"({len(answers)} runs, {len(answers.labels):,} test images).",
        f"{size} seeds together: {_range([gap.mean for gap in found.values()])} fewer errors.",
    )


@registered("11.crops")
def crops() -> tuple[bool, str]:
    answers = _members()
    found = holm({k: gains.crop_gain(answers, k, "1 crop", "12 crops") for k in answers.networks})
    seen = [kind for kind, gap in found.items() if gap.seen == "more"]
    holds = all(gap.mean > 0 for gap in found.values()) and len(seen) >= 1
    least = [gap.could_have_seen for kind, gap in found.items() if kind not in seen]
    missed = f" For the others five seeds can show {_range(least)} or more." if least else ""
    return holds, (
        f"12 crops in place of 1 save {_range([gap.mean for gap in found.values()])}. With five "
        f"seeds each, that is seen for {len(seen)} of {len(found)} networks.{missed}"
    )


@registered("11.more-crops")
def more_crops() -> tuple[bool, str]:
    answers = _members()
    found = holm(
        {k: gains.crop_gain(answers, k, "12 crops", "144 crops") for k in answers.networks}
    )
    holds = all(gap.seen == "less" for gap in found.values())
    return holds, (
        "144 crops in place of 12 make it worse for each of these networks, by "
        f"{_range([-gap.mean for gap in found.values()])}."
    )


@registered("11.cheapest")
def cheapest() -> tuple[bool, str]:
    answers = _members()
    of_five, of_crops = (
        sum(error(kind) for kind in answers.networks) / len(answers.networks)
        for error in (
            lambda kind: answers.error(answers.of_kind(kind), "1 crop"),
            lambda kind: gains.misses(answers, answers.of_kind(kind), "12 crops").mean().item(),
        )
    )
    gap = gains.together_instead(answers, "12 crops")
    return gap.seen == "more", (
        f"Five networks with one crop each make {of_five:.1%} errors in 5 forward passes. One "
        f"network with twelve crops makes {of_crops:.1%} in 12 passes. The difference is "
        f"{gap.text()}."
    )


@registered("11.shared")
def shared() -> tuple[bool, str]:
    answers = _members()
    found, alone = gains.missed_by(answers)
    return found[-1] > 0.05 and alone[-1] < 1e-4, (
        f"All {len(answers)} trained networks miss the same {found[-1]:.1%} of the "
        f"{len(answers.labels):,} test images. If they erred independently, it would be fewer than "
        "1 image in 10,000. No average can be expected to correct what all of them miss."
    )


@registered("11.footing")
def footing() -> tuple[bool, str]:
    printed = sum(TABLE_2[k]["top1"] - TABLE_3[k]["top1"] for k in RACERS) / len(RACERS)
    same = printed + BLACKLISTED["top1"]
    return same > printed > 0, (
        f"In the paper 12 crops seem to save {printed:.2f} points of top-1 error on average. "
        f"But Table 2 leaves out {BLACKLISTED['images']:,} images. On the "
        f"same images it is about {same:.2f}."
    )


@registered("11.paper-gap")
def paper_gap() -> tuple[bool, str]:
    best = min(TABLE_4[kind]["top1"] for kind in ("inception_v4", "inception_resnet_v2"))
    alone = TABLE_4["inception_v3"]["top1"] - best
    together = TABLE_5["inception_v3"]["top1"] - TABLE_5["mixed"]["top1"]
    return round(alone - together, 1) == PAPER_LOSS, (
        f"From Inception-v3 to the better new network the paper gains {alone:.1f} points with one "
        f"network and {together:.1f} with four (top-1, 144 crops)."
    )


@registered("11.carried")
def carried() -> tuple[bool, str]:
    answers = _members()
    pairs = [(kind, c) for kind in ("inception_v4", "inception_resnet_v2") for c in answers.rows]
    found = holm({p: gains.lost_gain(answers, "inception_v3", *p) for p in pairs})
    seen = [pair for pair, gap in found.items() if gap.seen == "more"]
    least, most = (f(gap.could_have_seen for gap in found.values()) for f in (min, max))
    grown = [pair for pair, gap in found.items() if gap.seen == "less"]
    return not seen and not grown and 100 * least > PAPER_LOSS, (
        f"In our runs the ensemble is seen to gain less than the single network in {len(seen)} of "
        f"{len(found)} comparisons. Corrected for {len(found)} questions, five seeds "
        f"can show a loss of {100 * least:.1f} to {100 * most:.1f} points or more. The paper's is "
        f"{PAPER_LOSS:.1f}. So this half of the claim is undecided."
    )
