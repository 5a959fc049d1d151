"""What chapter 10 says about its results, computed from the committed runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inception_edu.study import (
    PAIRS,
    Difference,
    Result,
    difference,
    holm,
    load_results,
    summarise,
)
from inception_edu.study.claims_race import (
    STILL_GAINS,
    final_differences,
    longer_gains,
    mean_error,
    shallow,
    speed_differences,
    untuned,
)
from inception_edu.study.experiments_race import DEEP_PAIR, TWICE, raced
from inception_edu.study.racers import DEEP, RACERS, depth_words, title
from inception_edu.study.tuning import best_rate

# Both register claims.
from inception_edu.teach.claims import ch10_training as ch10_training
from inception_edu.teach.claims import registered
from inception_edu.teach.claims.ch10_towers import could_show


def _most(gaps: dict[Any, Difference]) -> str:
    """The difference that each of a table of comparisons would have shown."""
    return f"{100 * max(gap.could_have_seen for gap in gaps.values()):.1f} points"


@registered("10.pairs")
def pairs() -> tuple[bool, tuple[str, str]]:
    """The shallow pairs: corrected together with the deep ones, as the verdict on C1 is."""
    gaps = {what: gap for what, gap in speed_differences().items() if shallow(what)}
    told = ", and ".join(f"{gap.text()} for {what}" for what, gap in gaps.items())
    slower = [what.rpartition(" minus ")[2] for what, gap in gaps.items() if gap.seen == "less"]
    also = f" {' and '.join(slower)} is seen to learn more slowly." if slower else ""
    return all(gap.seen != "more" for gap in gaps.values()), (
        f"In neither pair of {depth_words()} is the residual network seen to learn faster. The "
        f"mean test error on the way differs by {told}. {could_show(gaps)}{also} Residuals are "
        "scaled by 0.1.",
        f"No faster learning in {len(gaps)} pairs of {depth_words()}.",
    )


@registered("10.deep-pair")
def deep_pair() -> tuple[bool, tuple[str, str]]:
    """The races of the deep pairs."""
    runs, gaps = load_results("deep_race"), speed_differences()
    ways = [gap for what, gap in gaps.items() if what.endswith(DEEP_PAIR)]
    told = "; ".join(
        f"{title(residual)} ({sum(DEEP[residual])} blocks) against {title(plain)} "
        f"({sum(DEEP[plain])}) by {way.text()}"
        for (plain, residual), way in zip(PAIRS, ways, strict=True)
    )
    return all(way.seen == "more" for way in ways), (
        "In the deep pairs the residual network has the lower mean test error on the way: "
        f"{told}; {len(runs)} runs.",
        f"{_deep_gain(ways)} ahead; {depth_words().removesuffix(' blocks')}: none.",
    )


def _deep_gain(ways: list[Difference]) -> str:
    gains = sorted(100 * way.mean for way in ways)
    deep = min(map(sum, DEEP.values()))
    return f"{deep} or more blocks: {gains[0]:.0f} to {gains[-1]:.0f} points"


@registered("10.by-depth")
def by_depth() -> tuple[bool, str]:
    """What more blocks do to each network, in the races of 1200 steps."""
    few, many = summarise(raced()), summarise(load_results("deep_race"))
    gaps = holm(
        {name: difference(many[f"{name}{DEEP_PAIR}"], few[name], paired=True) for name in DEEP}
    )
    lost = ", and ".join(f"{title(plain)} by {gaps[plain].text()}" for plain, _ in PAIRS)
    kept = {residual: gaps[residual] for _, residual in PAIRS}
    worse = all(gaps[plain].seen == "less" for plain, _ in PAIRS)
    return worse and not any(gap.seen for gap in kept.values()), (
        'This is not yet the paper\'s "faster, then equal": the deep networks without residuals do '
        f"not catch up. After as many steps, more blocks change the final accuracy of {lost}. For "
        f"{' and '.join(map(title, kept))} no change is seen. {could_show(kept)} So the advantage "
        "with many blocks is a loss that is avoided."
    )


@registered("10.longer")
def longer() -> tuple[bool, tuple[str, str]]:
    """The deep pairs at the end of a training of twice the length, and what this gave."""
    ends, sizes = (
        {what: gap for what, gap in found.items() if what.endswith(TWICE)}
        for found in final_differences()
    )
    told, of_sizes = (
        "; ".join(
            f"{what.removesuffix(TWICE)} {gap.text()}{'' if gap.seen else f', {gap.word()}'}"
            for what, gap in each.items()
        )
        for each in (ends, sizes)
    )
    gained = longer_gains()
    steps = load_results("longer_race")[0].config.recipe.steps
    still = [name for name, gap in gained.items() if gap.above() >= STILL_GAINS]
    best = sorted(100 * gap.mean for gap in ends.values())
    most = sorted(100 * gap.mean for gap in gained.values())
    return all(gap.seen == "more" for gap in ends.values()) and len(still) == len(gained), (
        f"This is the final accuracy of the deep pairs after {steps} steps, with the same fall of "
        f"the rate from the first to the last. Residual minus plain: {told}. The larger network "
        f"minus the smaller: {of_sizes}. But {len(still)} of {len(gained)} networks are not "
        f"shown to be at an end: doubling the steps gave {most[0]:.1f} to {most[-1]:.1f} points.",
        f"{min(map(sum, DEEP.values()))} or more blocks: {best[0]:.0f} to {best[-1]:.0f} points "
        f"better after {steps} steps, but {len(still)} of {len(gained)} networks are not at an end "
        f"({most[0]:.0f} to {most[-1]:.0f} points by the last doubling).",
    )


@registered("10.deep-tuning")
def deep_tuning() -> tuple[bool, str]:
    """The rates of the deep pairs."""
    runs = load_results("deep_race_tuning")
    told = ", ".join(f"{title(name)} {best_rate(name, 'deep_race_tuning'):g}" for name in DEEP)
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
        f"{title(plain)} in {told}, so it is worse in both."
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
def speed() -> tuple[bool, tuple[str, str]]:
    """What the verdict on the first claim rests on, and the pair that speaks against it."""
    cells = summarise(raced(), mean_error)
    gaps = {pair: difference(cells[pair[0]], cells[pair[1]]) for pair in PAIRS}
    small = [
        f"{title(r)} (at most {100 * gap.high:+.1f})"
        for (_, r), gap in gaps.items()
        if gap.high < 0.02
    ]
    rest = [title(r) for (_, r), gap in gaps.items() if gap.high >= 0.02]
    more = f" For {' and '.join(rest)} these runs cannot exclude it." if rest else ""
    corrected = speed_differences()
    ways = [gap for what, gap in corrected.items() if not shallow(what)]
    slower = [
        f"{what.rpartition(' minus ')[2]} behind by {-100 * gap.mean:.1f}"
        for what, gap in corrected.items()
        if shallow(what) and gap.seen == "less"
    ]
    return bool(small) and all(way.seen == "more" and way.mean >= 0.02 for way in ways), (
        "The claim on speed was given a margin before these runs: 2 points of mean test error. In "
        f"the pairs of {depth_words()} a gain of this size is excluded for "
        f"{' and '.join(small)}.{more} Both deep pairs show one.",
        f"{_deep_gain(ways)} ahead; {depth_words()}: {' and '.join(slower) or 'none is ahead'}.",
    )


@registered("10.final")
def final() -> tuple[bool, tuple[str, str]]:
    pairs, sizes = (
        {what: gap for what, gap in found.items() if shallow(what)} for found in final_differences()
    )
    of_pairs = ", and ".join(f"{gap.text()} for {what}" for what, gap in pairs.items())
    of_sizes = " ".join(f"{what}: {gap.text()}, {gap.word()}." for what, gap in sizes.items())
    seen = zip(PAIRS, pairs.values())
    worse = [title(residual) for (_, residual), gap in seen if gap.seen == "less"]
    also = f" {' and '.join(worse)} is seen to end worse." if worse else ""
    return all(gap.seen != "more" for gap in pairs.values()), (
        f"In neither pair of {depth_words()} is the residual network seen to end better. The final "
        f"test accuracy differs by {of_pairs}. {could_show(pairs)}{also} The larger network "
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
            f"{len(steps)} tests (residual minus plain: first {gaps[steps[0]].text()}, last "
            f"{gaps[steps[-1]].text()}). "
            f"{could_show(gaps)}"
        )
    return below == 0, (
        "By the captions of Figs. 21 to 24 the residual network trains faster, and both end close "
        f"together. In the pairs of {depth_words()} no test shows it ahead. {' '.join(told)}"
    )
