"""What chapter 09 says about the networks of the paper's width: 1152 channels and more."""

from __future__ import annotations

from collections import Counter

from inception_edu.study import (
    difference,
    holm,
    load_results,
    summarise,
)
from inception_edu.study.claims_dying import (
    PAPER_RATE,
    THIRD_RATE,
    controlled_differences,
    dead_at,
    fates_of,
    followed,
    full,
    late_deaths,
    lived_early,
)
from inception_edu.study.experiments_dying import CONTROLLED, TO_576, cell, no_blocks_at
from inception_edu.study.fates import PLURAL, CellFate, between, counted, fate
from inception_edu.study.results import Result
from inception_edu.study.statistics import Difference, at_most_counts
from inception_edu.teach.claims import registered


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


@registered("09.recovery")
def recovery() -> tuple[bool, str]:
    runs = load_results("recovery")
    label = f"{cell(1152, 1, PAPER_RATE)}, 600 steps"
    cells, found = summarise(runs), fates_of("recovery")
    unscaled = [r for r in runs if r.label == label]
    early, here = ([_worst_at(r, step) for r in unscaled] for step in (60, 600))
    pairs = ", ".join(f"{_percent(a)} → {_percent(b)}" for a, b in zip(early, here))
    alone = difference(cells[label], cells["width 1152, no blocks, rate 0.045"])
    falls = all(b < a for a, b in zip(early, here))
    there = [_worst_at(r, 600) for r in load_results("wide") if r.label == UNSCALED]
    more = sum(here) / len(here) > sum(there) / len(there)
    return more and falls and found[label].word == "dies" and alone.seen == "less", (
        "At step 600 this unscaled tower of 1152 channels, at the paper's rate, is still dead by "
        f"our rule: on 64 images it {found[label].sentence}. In the batch {between(here)} of its "
        f"worst block are dead there; of the runs above {between(there)}. It comes back slowly, "
        f"too: from step 60 to step 600 this share falls in each of {len(early)} seeds ({pairs}). "
        f"It is worse than no blocks at all: {alone.text()}."
    )


UNSCALED, SCALED = cell(1152, 1, PAPER_RATE), cell(1152, 0.1, PAPER_RATE)
WIDER, SLOWER = cell(2304, 1, PAPER_RATE), cell(1152, 1, THIRD_RATE)
# What is dead unscaled and lives scaled, after 2000 steps.
THRICE = 0.14
SAVED = {
    (2304, PAPER_RATE): "2304 channels at the paper's rate",
    (1152, THRICE): "1152 channels at three times the paper's rate",
}


NO_BLOCKS = no_blocks_at(1152, PAPER_RATE)


def _after_2000_steps() -> dict[tuple[str, str], Difference]:
    """The differences in accuracy between the towers of `wide`, corrected together."""
    cells = summarise(load_results("wide"))
    pairs = [(UNSCALED, NO_BLOCKS), (SCALED, NO_BLOCKS), (SCALED, UNSCALED)]
    pairs.append((WIDER, no_blocks_at(2304, PAPER_RATE)))
    pairs.append((SLOWER, no_blocks_at(1152, THIRD_RATE)))
    for at in SAVED:
        width, rate = at
        scaled = cell(width, 0.1, rate)
        pairs += [(scaled, no_blocks_at(*at)), (scaled, cell(width, 1, rate))]
    return holm({(a, b): difference(cells[a], cells[b]) for a, b in pairs})


def _course(name: str, label: str) -> tuple[bool, str, str]:
    """Whether the worst block's share of dead channels falls in every run of a setting, from a
    fortieth or more of its steps to its end; both values in words; and how many still fall at the
    end."""
    runs = [r for r in load_results(name) if r.label == label]
    start, end = runs[0].config.recipe.steps / 40, runs[0].curves["step"][-1]
    start = next(step for step in runs[0].curves["step"] if step >= start)
    early, late = ([_worst_at(r, step) for r in runs] for step in (start, end))
    ends = f"{between(early)} dead in the batch at step {start}, {between(late)} at step {end}"
    falling = sum(fate(r).trend == "falling" for r in runs)
    fall = all(b < a for a, b in zip(early, late))
    return fall, ends, f"still falls in {falling} of {len(runs)} runs"


@registered("09.wide")
def comes_back() -> tuple[bool, tuple[str, str]]:
    found, gap = fates_of("wide")[UNSCALED], _after_2000_steps()[UNSCALED, NO_BLOCKS]
    falls, ends, still = _course("wide", UNSCALED)
    return falls and found.word == "suffers" and gap.seen != "more", (
        f"At the paper's rate the unscaled tower of 1152 channels comes back slowly. Its worst "
        f"block: {ends}. At the end, on 64 images, it {found.sentence}, and the share {still}. "
        f"Against the same one without blocks: {gap.text()}, {gap.word()}."
        f"{' The interval is of this difference alone.' if gap.corrected else ''}",
        f"1152 channels, unscaled, the paper's rate, worst block: {ends}.",
    )


@registered("09.wider")
def comes_back_less() -> tuple[bool, str]:
    found, gap = fates_of("wide")[WIDER], _after_2000_steps()[WIDER, no_blocks_at(2304, PAPER_RATE)]
    falls, ends, still = _course("wide", WIDER)
    return falls and found.word == "dies" and gap.seen != "more", (
        f"With 2304 channels at the paper's rate it comes back, too. Its worst block: {ends}. But "
        f"after 2000 steps it is still dead by our rule: it {found.sentence}, and the share "
        f"{still}. "
        f"Against the same one without blocks: {gap.text()}, {gap.word()}."
    )


@registered("09.wide-rates")
def rates() -> tuple[bool, str]:
    found = fates_of("wide")
    third, thrice = found[SLOWER], found[cell(1152, 1, 0.14)]
    alone = found[no_blocks_at(1152, 0.14)]
    gap = _after_2000_steps()[SLOWER, no_blocks_at(1152, THIRD_RATE)]
    _, ends, still = _course("wide", cell(1152, 1, 0.14))
    words = (third.word, thrice.word, alone.word)
    return words == ("lives", "dies", "lives") and gap.seen == "more", (
        f"At a third of the paper's rate the unscaled tower of 1152 channels {third.sentence}, and "
        f"its blocks earn their place: {gap.text()} against none. At three times the paper's rate "
        f"it {thrice.sentence}. Without blocks, at three times the rate, it "
        f"{alone.sentence}. So there the blocks die, and they are still dead at the end. Their "
        f"worst: {ends}; the share {still}."
    )


@registered("09.wide-scaled")
def scaled_blocks_earn_their_place() -> tuple[bool, str]:
    found, gaps = fates_of("wide")[SCALED], _after_2000_steps()
    over_none, over_unscaled = gaps[SCALED, NO_BLOCKS], gaps[SCALED, UNSCALED]
    right = found.word == "lives" and over_none.seen == over_unscaled.seen == "more"
    return right, (
        f"With a scale of 0.1 the same tower {found.sentence}. And its blocks earn their place: "
        f"after 2000 steps it is better than without blocks, by {over_none.text()}, and better "
        f"than unscaled, by {over_unscaled.text()}. So at the paper's rate scaled blocks help, "
        "and unscaled ones are not seen to."
    )


@registered("09.wide-saved")
def scaling_saves_what_stays_dead() -> tuple[bool, str]:
    found, gaps = fates_of("wide"), _after_2000_steps()
    told, right = [], True
    for (width, rate), words in SAVED.items():
        scaled, unscaled = cell(width, 0.1, rate), cell(width, 1, rate)
        alone, over = gaps[scaled, no_blocks_at(width, rate)], gaps[scaled, unscaled]
        right &= (found[unscaled].word, found[scaled].word) == ("dies", "lives")
        right &= alone.seen == over.seen == "more"
        told.append(
            f"With {words} the scaled tower {found[scaled].sentence}. Its accuracy, against the "
            f"unscaled one: {over.text()}; against no blocks: {alone.text()}."
        )
    return right, (
        "Where the unscaled tower is still dead after 2000 steps, the one with a scale of 0.1 "
        f"lives and is better. {' '.join(told)}"
    )


@registered("09.narrow")
def narrow() -> tuple[bool, str]:
    found = fates_of("narrow")
    words = {
        told: {width: found[cell(width, 1, rate)] for width in TO_576}
        for told, rate in (
            ("At a third of the paper's rate", THIRD_RATE),
            ("At the paper's rate", PAPER_RATE),
            ("At three times the paper's rate", THRICE),
        )
    }
    third, usual, thrice = words.values()
    told = ". ".join(f"{at}, {_by_word(fates)}" for at, fates in words.items())
    courses = [_course("narrow", cell(width, 1, THRICE)) for width in (288, 576)]
    right = {f.word for f in (*third.values(), usual[72], usual[144])} == {"lives"}
    return right and thrice[288].word == thrice[576].word == "dies", (
        f"These are the unscaled towers after 2000 steps, by their channels. {told}. So a tower "
        "with fewer than 1000 filters can still be dead after 2000 steps, too, at a higher "
        f"rate. The worst block of 288 channels at three times the paper's rate: "
        f"{_ends_and_still(courses[0])}. Of 576 channels: {_ends_and_still(courses[1])}."
    )


@registered("09.narrow-controls")
def narrow_controls() -> tuple[bool, str]:
    """What the unscaled towers of `narrow` are to be compared with: a scale of 0.1, no blocks."""
    found, gaps = fates_of("narrow"), controlled_differences()
    told, right = [], True
    for width in (288, 576):
        over = gaps[width, THRICE, "× 0.1 − unscaled"]
        more = gaps[width, THRICE, "× 0.1 − no blocks"]
        right &= over.seen == "more"
        told.append(
            f"With {width} channels the scaled tower is better than the unscaled one by "
            f"{over.text()}, and than none by {more.text()}, {more.word()}."
        )
    controls = [label for w, r in CONTROLLED for label in (cell(w, 0.1, r), no_blocks_at(w, r))]
    living = {found[label].word for label in controls}
    return right and living == {"lives"}, (
        f"At three times the paper's rate towers of {', '.join(map(str, TO_576))} channels live "
        "with a scale of 0.1, and so do those without blocks; at the paper's rate so do those of "
        f"{CONTROLLED[0][0]}. So what dies unscaled dies because of its blocks. Where the unscaled "
        f"tower dies: {' '.join(told)}"
    )


@registered("09.slow-return")
def comes_back_slowly() -> tuple[bool, tuple[str, str]]:
    runs = load_results("slow_return")
    cells, found = summarise(runs), fates_of("slow_return")[UNSCALED]
    gap = difference(cells[UNSCALED], cells[NO_BLOCKS])
    falls, ends, still = _course("slow_return", UNSCALED)
    before = [_worst_at(r, 2000) for r in load_results("wide") if r.label == UNSCALED]
    return falls and gap.seen == "more", (
        f"Followed for {runs[0].config.recipe.steps} steps, the unscaled tower of 1152 channels "
        f"goes on coming back. Its worst block: {ends} (at step 2000 {between(before)}). At the "
        f"end, on 64 images, it {found.sentence}, and the share {still}. By then its blocks earn "
        f"their place: it is {gap.word()} than the same tower without blocks, by {gap.text()}.",
        f"1152 channels, unscaled, the paper's rate, worst block: {ends}; {found.sentence}.",
    )


def _ends_and_still(course: tuple[bool, str, str]) -> str:
    _, ends, still = course
    return f"{ends}; the share {still}"


def _by_word(fates: dict[int, CellFate]) -> str:
    """In words: "those of 72 and 144 live, those of 576 die"; where the seeds differ, how many."""
    groups: dict[str, list[str]] = {}
    for width, found in fates.items():
        mixed = f"differ by seed ({counted(found.counts)})"
        groups.setdefault(PLURAL.get(found.word, mixed), []).append(str(width))
    told = []
    for word, widths in groups.items():
        *first, last = widths
        told.append(f"those of {' and '.join(filter(None, (', '.join(first), last)))} {word}")
    return ", ".join(told)


@registered("09.late-death")
def late_death() -> tuple[bool, str]:
    runs = followed()
    lengths = Counter(run.config.recipe.steps for run in runs)
    told = ", ".join(f"{lengths[steps]} of {steps} steps" for steps in sorted(lengths))
    early = lived_early()
    unscaled = [run for run in early if _unscaled(run)]
    bare = [run for run in unscaled if not run.config.change]
    usual = [run for run in bare if run.config.recipe.lr >= PAPER_RATE]
    most = at_most_counts(0, len(usual))[1]
    widest = max(_width(run) for run in usual)
    worse = [run for run in early if fate(run).word == "suffers"]
    towers = all(run.config.network == "tower" for run in usual)
    return not late_deaths() and towers and widest < 1000, (
        "The paper's late death was not reproduced: of "
        f"{len(runs)} runs ({told}), none that lived after a twentieth of its "
        f"steps was dead at the end. But few could show it: {len(early)} runs lived so far, "
        f"{len(unscaled)} of them with unscaled blocks, and {len(usual)} of these at the paper's "
        f"rate or above without a remedy, none of more than {widest} channels. So up to "
        f"{_percent(most)} of such runs may die late (95 % confidence), and of wider ones these "
        "runs say nothing: they were dead or suffered by then. Nearest to a late death come "
        f"{len(worse)} runs that lived so far and suffer at the end "
        f"({'; '.join(dict.fromkeys(run.label for run in worse))})."
    )


def _unscaled(run: Result) -> bool:
    """Whether it has blocks, and their residuals are added as they are."""
    arguments = dict(run.config.arguments)
    return arguments.get("depth") != 0 and arguments["scale"] == 1


def _width(run: Result) -> int:
    return dict(run.config.arguments)["width"]


def _worst_at(run: Result, step: float) -> float:
    return max(dead_at(run, step).values())


@registered("09.early-death")
def early_death() -> tuple[bool, str]:
    falls, ends, still = _course("paper_width", full(1, PAPER_RATE))
    found = fates_of("paper_width")[full(1, PAPER_RATE)]
    return falls and found.word == "dies", (
        "What was seen instead is an early death. With all filters, unscaled at the paper's rate, "
        f"the worst block has {ends}. So some channels come back, most are still dead, and the "
        f"share {still}."
    )
