"""What chapter 08 says about its results, computed from the committed runs."""

from __future__ import annotations

from inception_edu.study import CLAIMS, difference, holm, load_results, summarise
from inception_edu.study.claims_dying import LOW_RATE, PAPER_RATE, fates_of, full
from inception_edu.teach.claims import registered

SCALES = (0.1, 0.3, 0.5, 1.0, 1.5)
WAYS = (
    "residual × 0.1",
    "identity × 0.1",
    "learnable, from 0.1",
    "learnable, from 1",
    "last layer from zero",
)


@registered("08.wide")
def wide() -> tuple[bool, tuple[str, str]]:
    dead = summarise(load_results("scaling"), "dead_last", by=("width", "scale"))
    unscaled, scaled = dead[576, 1.0], dead[576, 0.1]
    return min(unscaled.values) > max(scaled.values), (
        "Without a scale, a tower of 576 channels loses "
        f"{100 * unscaled.mean:.0f} % of the channels of its last block in 60 steps at the paper's "
        f"rate. With a scale of 0.1 it loses {100 * scaled.mean:.0f} % (means of {unscaled.n} "
        "seeds).",
        f"Unscaled {100 * unscaled.mean:.0f} % of the channels die; scaled by 0.1 "
        f"{100 * scaled.mean:.0f} %.",
    )


@registered("08.blocks-add")
def blocks_add() -> tuple[bool, str]:
    cells = summarise(load_results("scaling"), by=("width", "scale"))
    told, more = [], []
    for width in (72, 576):
        gaps = holm({s: difference(cells[width, s], cells[width, 0.0]) for s in SCALES})
        more += [s for s, gap in gaps.items() if gap.seen == "more"]
        less = ", ".join(f"{s:g}" for s, gap in gaps.items() if gap.seen == "less")
        told.append(
            f"{width} channels: scale 0.1 minus no blocks {gaps[0.1].text()}, {gaps[0.1].word()}; "
            f"{'worse than no blocks at scale ' + less if less else 'no scale is seen to be worse'}"
        )
    return not more, (
        "In runs as short as these the blocks add nothing that can be seen to the stem alone "
        f"(corrected for the {len(SCALES)} scales of each width). {'. '.join(told)}."
    )


@registered("08.safe")
def safe() -> tuple[bool, str]:
    found = fates_of("which_term")
    words = {way: found[f"width 144: {way}"] for way in WAYS}
    live = [way for way, fate in words.items() if fate.word == "lives"]
    rest = "; ".join(f"{way}: {fate.sentence}" for way, fate in words.items() if way not in live)
    cells = summarise(load_results("which_term"))
    alone = summarise(load_results("remedies"))["blocks switched off"]  # the same setting and seeds
    gaps = holm({way: difference(cells[f"width 144: {way}"], alone) for way in live})
    told = "; ".join(f"{way} {gap.text()}, {gap.word()}" for way, gap in gaps.items())
    return "residual × 0.1" in live and all(gap.seen != "more" for gap in gaps.values()), (
        "Unscaled, this tower dies. Judged by its worst block, these changes keep it alive: "
        f"{'; '.join(live)}. The other changes: {rest}. To be alive is not to be useful: none of "
        f"them is seen to be better than the tower without blocks. Accuracy minus that: {told}."
    )


@registered("08.ways")
def ways() -> tuple[bool, str]:
    cells = summarise(load_results("which_term"))
    fixed = cells["width 72: residual × 0.1"]
    gaps = holm(
        {w: difference(cells[f"width 72: {w}"], fixed) for w in WAYS if "residual" not in w}
    )
    worse = {way: gap for way, gap in gaps.items() if gap.seen == "less"}
    told = "; ".join(f"{way} {gap.text()}" for way, gap in worse.items())
    rest = [way for way in gaps if way not in worse]
    least = [100 * gaps[way].could_have_seen for way in rest]
    return all(gap.seen != "more" for gap in gaps.values()), (
        f"Where nothing dies, {len(worse)} of the {len(gaps)} other ways is seen to be worse than "
        f"the scaled residual (corrected for {len(gaps)} questions): {told or 'none'}. For the "
        f"rest no difference is seen: {', '.join(rest)} (these runs can show {min(least):.1f} to "
        f"{max(least):.1f} points or more)."
    )


@registered("08.shared-runs")
def shared_runs() -> tuple[bool, str]:
    first = {run.digest for run in load_results("scaling")}
    shared = [run for run in load_results("which_term") if run.digest in first]
    labels = ", ".join(dict.fromkeys(run.label for run in shared))
    return True, (
        f"{len(shared)} of these runs are runs of Experiment 1 ({labels}): what they show there "
        "and here is one piece of evidence, not two."
    )


@registered("08.full-width")
def full_width() -> tuple[bool, tuple[str, str]]:
    found = fates_of("paper_width")
    unscaled, fifth, tenth = (found[full(scale, PAPER_RATE)] for scale in (1, 0.2, 0.1))
    return (unscaled.word, fifth.word, tenth.word) == ("dies", "suffers", "lives"), (
        f"Inception-ResNet-v2 with all of its filters, at the paper's rate for 1000 steps: "
        f"unscaled it {unscaled.sentence}. Scaled by 0.2 it {fifth.sentence}. Scaled by 0.1 it "
        f"{tenth.sentence}.",
        f"At full width {unscaled.counts['dies']} of {len(unscaled.dead)} runs die unscaled, "
        f"{fifth.counts['suffers']} suffer at a scale of 0.2, and {tenth.counts['lives']} live at "
        "0.1.",
    )


@registered("08.full-blocks")
def full_blocks() -> tuple[bool, str]:
    cells = summarise(load_results("paper_width"))
    none = cells[full(0, PAPER_RATE)]
    gaps = holm({scale: difference(cells[full(scale, PAPER_RATE)], none) for scale in (0.1, 0.2)})
    told = "; ".join(
        f"scale {scale:g} {gap.text()}, {gap.word()}" for scale, gap in sorted(gaps.items())
    )
    return all(gap.seen == "more" for gap in gaps.values()), (
        "Here the scaled blocks are of use. Accuracy against the same network with its blocks "
        f"switched off, at the paper's rate: {told}."
    )


@registered("08.full-cost")
def full_cost() -> tuple[bool, tuple[str, str]]:
    results = load_results("paper_width")
    cells, loss = summarise(results), summarise(results, "final_loss")

    def better(scale: float) -> float:
        """The rate of the two with the lower training loss."""
        return min((PAPER_RATE, LOW_RATE), key=lambda lr: loss[full(scale, lr)].mean)

    same = difference(cells[full(0.2, LOW_RATE)], cells[full(1, LOW_RATE)])
    rates = better(0.2), better(1)
    own = difference(cells[full(0.2, rates[0])], cells[full(1, rates[1])])
    *others, here = CLAIMS["C7"].verdict().evidence
    count = len(others) + 1
    return same.seen == "less" and own.seen == here.shows == "", (
        "At a tenth of the paper's rate nothing dies. There the network scaled by 0.2 is behind "
        f"after 1000 steps: {same.text()} of accuracy against unscaled. With each network at the "
        f"better of two rates ({rates[0]:g} scaled, {rates[1]:g} unscaled) the difference is "
        f"{own.text()}: {own.word()}. The verdict on harm rests on {count} such differences. "
        f"Corrected for {count} questions, the first is not seen any more.",
        f"In {[piece.shows for piece in (*others, here)].count('')} of {count} comparisons harm "
        f"cannot be excluded; in one the scaled network is {-100 * same.mean:.1f} points behind, "
        "not seen after correction.",
    )
