"""What chapter 10 says about its results, computed from the committed runs."""

from __future__ import annotations

from collections.abc import Callable
from statistics import mean
from typing import Any

from inception_edu.study import (
    PAIRS,
    Cell,
    Difference,
    Result,
    difference,
    holm,
    load_results,
    summarise,
)
from inception_edu.study.claims_race import (
    final_differences,
    mean_error,
    speed_differences,
    untuned,
)
from inception_edu.study.experiments_race import DEEP_PAIR, DEEP_RATES, raced
from inception_edu.study.racers import DEEP, RACERS, depth_words, title
from inception_edu.study.tuning import best_rate

# It registers the claims in it.
from inception_edu.teach.claims import ch10_training as ch10_training
from inception_edu.teach.claims import registered

DEPTHS = (2, 4, 8, 16)
KINDS = {
    "plain": (None, False, None),
    "plain, full width": (None, False, False),
    "residual": (1.0, None, None),
    "residual × 0.1": (0.1, None, None),
}
BY = ("depth", "scale", "residual", "bottleneck", "lr")


def best_towers() -> dict[tuple, Cell]:
    """The accuracy of each kind at each depth, and of the stem alone, at the rate of the two with
    the lower training loss: the test images do not choose it. {(kind, depth): Cell}."""
    runs = load_results("depth")
    accuracy, loss = (summarise(runs, value, by=BY) for value in ("accuracy", "final_loss"))
    found: dict[tuple, Any] = {}
    for key in accuracy:
        depth, *kind, _ = key
        name = next((n for n, k in KINDS.items() if k == tuple(kind) and depth), "stem only")
        place = (name, depth)
        best = found.get(place)
        if best is None or loss[key].mean < loss[best].mean:
            found[place] = key
    return {place: accuracy[key] for place, key in found.items()}


def _could_show(gaps: dict[Any, Difference]) -> str:
    """What "no difference seen" is worth in a table of differences, in a sentence."""
    least = [f"{100 * f(gap.could_have_seen for gap in gaps.values()):.1f}" for f in (min, max)]
    asked = max(gap.questions for gap in gaps.values())
    return (
        f"Corrected for {asked} questions, these runs can show {' to '.join(least)} points or more."
    )


def _most(gaps: dict[Any, Difference]) -> str:
    """The difference that each of a table of comparisons would have shown."""
    return f"{100 * max(gap.could_have_seen for gap in gaps.values()):.1f} points"


@registered("10.pairs")
def pairs() -> tuple[bool, tuple[str, str]]:
    """The shallow pairs: corrected together with the deep ones, as the verdict on C1 is."""
    gaps = {what: gap for what, gap in speed_differences().items() if DEEP_PAIR not in what}
    told = ", and ".join(f"{gap.text()} for {what}" for what, gap in gaps.items())
    slower = [what.rpartition(" minus ")[2] for what, gap in gaps.items() if gap.seen == "less"]
    also = f" {' and '.join(slower)} is seen to learn more slowly." if slower else ""
    return all(gap.seen != "more" for gap in gaps.values()), (
        f"In neither pair of {depth_words()} is the residual network seen to learn faster. The "
        f"mean test error on the way differs by {told}. {_could_show(gaps)}{also} Residuals are "
        "scaled by 0.1.",
        f"No faster learning in {len(gaps)} pairs of {depth_words()}.",
    )


FASTER = {"more": "learns faster", "less": "learns more slowly", "": "is not seen to learn faster"}


@registered("10.deep-pair")
def deep_pair() -> tuple[bool, tuple[str, str]]:
    """The races of the pairs that are as deep as the paper's."""
    runs = load_results("deep_race")
    ways, ends = (
        [gap for what, gap in found.items() if DEEP_PAIR in what]
        for found in (speed_differences(), final_differences()[0])
    )
    told = " ".join(
        f"{title(residual)} ({sum(DEEP[residual])} blocks) {FASTER[way.seen]} than {title(plain)} "
        f"({sum(DEEP[plain])}): mean test error on the way, plain minus residual, {way.text()}. It "
        f"ends {end.word()}, by {end.text()}."
        for (plain, residual), way, end in zip(PAIRS, ways, ends, strict=True)
    )
    gains = sorted(100 * way.mean for way in ways)
    return all(way.seen == "more" for way in ways), (
        f"In the pairs as deep as the paper's: {told} {len(runs)} runs.",
        f"No faster learning with {depth_words()}; with {min(map(sum, DEEP.values()))} or more by "
        f"{gains[0]:.0f} to {gains[-1]:.0f} points.",
    )


@registered("10.deep-tuning")
def deep_tuning() -> tuple[bool, str]:
    """The rates of the deep pairs, and what every rate gives on the held-out images."""
    runs = load_results("deep_race_tuning")
    cells = summarise(runs, by=("network", "lr"))
    told = "; ".join(
        f"{title(name)} {best_rate(name, 'deep_race_tuning'):g} ("
        + ", ".join(f"{rate:g}: {cells[name, rate].mean:.0%}" for rate in DEEP_RATES)
        + " right)"
        for name in DEEP
    )
    return True, (
        f"Their rates were chosen in {len(runs)} runs of a third of the length on held-out images, "
        f"with equal budgets: {told}."
    )


@registered("10.fresh-seeds")
def fresh_seeds() -> tuple[bool, str]:
    """The ten seeds that were added after the first five had been seen, by themselves."""
    runs = load_results("race_more")
    plain, residual = PAIRS[1]
    end, way = (summarise(runs, value) for value in ("accuracy", mean_error))
    gaps = {
        "final accuracy": difference(end[residual], end[plain]),
        "mean test error on the way": difference(way[residual], way[plain]),
    }
    told = ", and in ".join(f"{what} by {gap.text()}" for what, gap in gaps.items())
    return gaps["final accuracy"].seen == "less" and gaps[list(gaps)[1]].seen != "less", (
        "The race had five seeds first, and ten more after these had been seen. The ten by "
        f"themselves say the same of the larger pair: {title(residual)} differs from "
        f"{title(plain)} in {told}."
    )


@registered("10.race-unscaled")
def race_unscaled() -> tuple[bool, str]:
    """The residual network of the larger pair with its residuals as they are."""
    residual = PAIRS[1][1]
    cells = summarise(load_results("race"))
    gap = difference(cells[f"{residual}, scale 1"], cells[residual])
    return gap.seen == "less", (
        f"The scale is a knob of the residual side alone. With a scale of 1 in place of 0.1 "
        f"{title(residual)} ends {gap.word()}, by {gap.text()}. But the rate was tuned for 0.1."
    )


@registered("10.tuning")
def tuning() -> tuple[bool, str]:
    why, runs = untuned(), len(load_results("race_tuning"))
    if why:
        return True, f"No verdict on speed or final accuracy: in {runs} tuning runs {why}."
    rates = ", ".join(f"{title(name)} {best_rate(name):g}" for name in RACERS)
    return True, (
        f"The rates were chosen in {runs} runs on held-out images, with equal budgets: {rates}."
    )


@registered("10.speed")
def speed() -> tuple[bool, str]:
    """What the verdict on the first claim rests on, in one sentence."""
    cells = summarise(raced(), mean_error)
    gaps = {pair: difference(cells[pair[0]], cells[pair[1]]) for pair in PAIRS}
    small = [
        f"{title(r)} (at most {100 * gap.high:.1f})"
        for (_, r), gap in gaps.items()
        if gap.high < 0.02
    ]
    rest = [title(r) for (_, r), gap in gaps.items() if gap.high >= 0.02]
    more = f" For {' and '.join(rest)} these runs cannot exclude it." if rest else ""
    return bool(small), (
        "The claim on speed was given a margin before these runs: 2 points of mean test error. In "
        f"the pairs of {depth_words()} a gain of this size is excluded for "
        f"{' and '.join(small)}.{more}"
    )


@registered("10.final")
def final() -> tuple[bool, tuple[str, str]]:
    pairs, sizes = final_differences()
    pairs = {what: gap for what, gap in pairs.items() if DEEP_PAIR not in what}
    of_pairs = ", and ".join(f"{gap.text()} for {what}" for what, gap in pairs.items())
    of_sizes = " ".join(f"{what}: {gap.text()}, {gap.word()}." for what, gap in sizes.items())
    seen = zip(PAIRS, pairs.values())
    worse = [title(residual) for (_, residual), gap in seen if gap.seen == "less"]
    also = f" {' and '.join(worse)} is seen to end worse." if worse else ""
    return all(gap.seen != "more" for gap in pairs.values()), (
        f"In neither pair of {depth_words()} is the residual network seen to end better. The final "
        f"test accuracy differs by {of_pairs}. {_could_show(pairs)}{also} The larger network "
        f"against the smaller: {of_sizes}",
        f"No better end is seen in {len(pairs)} pairs ({_most(pairs)} would show).{also} The "
        f"larger network ends better in {sum(gap.seen == 'more' for gap in sizes.values())} of "
        f"{len(sizes)}.",
    )


def error_at(place: int) -> Callable[[Result], float]:
    """The test error of a run at one of its evaluations, by their order."""
    accuracy = ch10_training.accuracy_at(place)
    return lambda run: 1 - accuracy(run)


@registered("10.meet")
def meet() -> tuple[bool, str]:
    """Where the residual curve is below the plain one, as in Figs 21 to 26, test by test."""
    runs = raced()
    steps = [step for step, _ in runs[0].extras["evaluations"]]
    told, below = [], 0
    for plain, residual in PAIRS:
        gaps = {}
        for place, step in enumerate(steps):
            cells = summarise(runs, error_at(place))
            gaps[step] = difference(cells[residual], cells[plain])
        gaps = holm(gaps)
        lower = [step for step in steps if gaps[step].mean < 0]
        below += sum(gap.seen == "less" for gap in gaps.values())
        told.append(
            f"{title(residual)} has the lower mean error than {title(plain)} at {len(lower)} of "
            f"{len(steps)} tests; first {gaps[steps[0]].text()}, last {gaps[steps[-1]].text()}. "
            f"{_could_show(gaps)}"
        )
    return below == 0, (
        "By the captions of Figs. 21 to 24 the residual network trains faster, and both end close "
        f"together. Here no test shows it ahead. {' '.join(told)}"
    )


def _identity() -> dict[int, Difference]:
    """What the identity (× 0.1) is worth at each depth, at full width, corrected together."""
    cells = best_towers()
    gaps = {
        d: difference(cells["residual × 0.1", d], cells["plain, full width", d]) for d in DEPTHS
    }
    return holm(gaps)


@registered("10.deep")
def deep() -> tuple[bool, str]:
    gaps, few, many = _identity(), DEPTHS[0], DEPTHS[-1]
    return gaps[many].seen == "more", (
        f"With {many} blocks a tower with the identity is better by {gaps[many].text()} of test "
        f"accuracy than one without it. With {few} blocks the difference is {gaps[few].text()}: "
        f"{gaps[few].word()}."
    )


@registered("10.stem")
def stem() -> tuple[bool, str]:
    cells = best_towers()
    alone = cells["stem only", 0]
    gaps = {
        place: difference(cell, alone) for place, cell in cells.items() if place[0] != "stem only"
    }
    gaps = holm(gaps)
    beat = [place for place, gap in gaps.items() if gap.seen == "more"]
    return not beat, (
        f"No tower is seen to beat its own stem, which alone gives {alone.text()}, in 200 steps. "
        f"{_could_show(gaps)} So the advantage of the identity needs no useful blocks here: it may "
        "be an easy way past them."
    )


@registered("10.bottleneck")
def bottleneck() -> tuple[bool, str]:
    cells = best_towers()
    narrow, wide = (cells[kind, 16] for kind in ("plain", "plain, full width"))
    residual = cells["residual × 0.1", 16]
    gaps = holm({"width": difference(wide, narrow), "identity": difference(residual, wide)})
    width, identity = gaps["width"], gaps["identity"]
    return identity.seen == "more" and width.high < identity.low, (
        "The missing identity harms deep plain towers more than the bottleneck does. 16 plain "
        f"blocks give {narrow.text()} with a bottleneck and {wide.text()} at full width, a "
        f"difference of {width.text()}. 16 blocks with the identity give {residual.text()}: "
        f"{identity.text()} more than those at full width."
    )


@registered("10.depth")
def advantage() -> tuple[bool, str]:
    gaps = _identity()
    ahead = [depth for depth in DEPTHS if gaps[depth].seen == "more"]
    told = "; ".join(f"{depth}: {gap.text()}" for depth, gap in gaps.items())
    return 16 in ahead, (
        "Accuracy with the identity (× 0.1) minus without it at full width, by the number of "
        f"blocks: {told}. After Holm's correction it is ahead at "
        f"{', '.join(map(str, ahead)) or 'none'}."
    )


@registered("10.explodes")
def explodes() -> tuple[bool, str]:
    """What happens to signal and gradient in towers of 16 blocks, at their first step."""
    blocks, rate = DEPTHS[-1], 0.02
    steps = blocks - 1
    down, up, ranges = {}, {}, {}
    for kind in ("plain", "residual × 0.1"):
        label = f"{kind}, depth {blocks}, rate {rate:g}"
        runs = [run for run in load_results("depth") if run.label == label]
        first = {what: [_first(run, what) for run in runs] for what in ("gradient", "spread")}
        lengths, spreads = ([mean(b) for b in zip(*first[what])] for what in first)
        down[kind] = lengths[1] / lengths[-1]
        ranges[kind] = [run[1] / run[-1] for run in first["gradient"]]
        up[kind] = (spreads[-1] / spreads[1]) ** (1 / steps)
    plain, residual = down.values()
    return plain > 100 and 0.5 < residual < 2 and all(0.9 < each < 1.1 for each in up.values()), (
        "Textbooks warn of vanishing gradients. Here the first step says the opposite. In plain "
        f"towers of {blocks} blocks the gradient is {plain:,.0f} times as long in block 1 as in "
        f"block {blocks} (a ratio of means; by seed {min(ranges['plain']):,.0f} to "
        f"{max(ranges['plain']):,.0f}): {plain ** (1 / steps):.2f} times a block. The spread of "
        f"the activations changes by {up['plain']:.2f} times a block: batch norm fixes it on the "
        "way up, and nothing does on the way down. With the identity and a scale of 0.1 the "
        "gradient changes "
        f"by {residual ** (1 / steps):.2f} times a block. No run takes the long gradient away and "
        "leaves all else. So that it is what these towers suffer from is a hypothesis."
    )


def _first(run: Result, what: str) -> list[float]:
    """A map of a run at its first record, the stem first."""
    return [values[0] for values in run.maps[what].values()]
