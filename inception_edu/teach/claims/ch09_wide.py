"""What chapter 09 says about the networks of the paper's width: 1152 channels and more."""

from __future__ import annotations

from inception_edu.study import (
    difference,
    holm,
    load_results,
    summarise,
)
from inception_edu.study.claims_dying import (
    FOLLOWED,
    PAPER_RATE,
    THIRD_RATE,
    dead_at,
    fates_of,
    full,
    late_deaths,
    lived_early,
)
from inception_edu.study.experiments_dying import TO_576, cell
from inception_edu.study.fates import fate
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
    early, late = [], []
    for run in (r for r in runs if r.label == label):
        shares = list(run.maps["dead"].values())[-1]
        early.append(shares[run.curves["step"].index(60)])
        late.append(shares[-1])
    pairs = ", ".join(f"{_percent(a)} → {_percent(b)}" for a, b in zip(early, late))
    alone = difference(cells[label], cells["width 1152, no blocks, rate 0.045"])
    falls = all(b < a for a, b in zip(early, late))
    return falls and found[label].word == "dies" and alone.seen == "less", (
        "At step 600 the unscaled tower of 1152 channels is still dead by our rule, but it comes "
        "back slowly: from step 60 to step 600 the share of its last block that is dead in the "
        f"batch falls in each of {len(early)} seeds ({pairs}). It is worse than no blocks at all: "
        f"{alone.text()}."
    )


UNSCALED, SCALED = cell(1152, 1, PAPER_RATE), cell(1152, 0.1, PAPER_RATE)
WIDER, SLOWER = cell(2304, 1, PAPER_RATE), cell(1152, 1, THIRD_RATE)
# What is dead unscaled and lives scaled, after 2000 steps.
THRICE = 0.14
SAVED = {
    (2304, PAPER_RATE): "2304 channels at the paper's rate",
    (1152, THRICE): "1152 channels at three times this rate",
}


def _no_blocks(width: int, rate: float) -> str:
    return f"width {width}, no blocks, rate {rate:g}"


NO_BLOCKS = _no_blocks(1152, PAPER_RATE)


def _after_2000_steps() -> dict[tuple[str, str], Difference]:
    """The differences in accuracy between the towers of `wide`, corrected together."""
    cells = summarise(load_results("wide"))
    pairs = [(UNSCALED, NO_BLOCKS), (SCALED, NO_BLOCKS), (SCALED, UNSCALED)]
    pairs.append((WIDER, _no_blocks(2304, PAPER_RATE)))
    pairs.append((SLOWER, _no_blocks(1152, THIRD_RATE)))
    for at in SAVED:
        width, rate = at
        scaled = cell(width, 0.1, rate)
        pairs += [(scaled, _no_blocks(*at)), (scaled, cell(width, 1, rate))]
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
        f"The unscaled tower of 1152 channels comes back slowly. Its worst block: {ends}. At the "
        f"end, on 64 images, it {found.sentence}, and the share {still}. It is not seen to be "
        f"better than the same one without blocks: {gap.text()}, {gap.word()}.",
        f"A tower of 1152 channels, its worst block: {ends}.",
    )


@registered("09.wider")
def comes_back_more_slowly() -> tuple[bool, str]:
    found, gap = fates_of("wide")[WIDER], _after_2000_steps()[WIDER, _no_blocks(2304, PAPER_RATE)]
    falls, ends, still = _course("wide", WIDER)
    return falls and found.word == "dies" and gap.seen != "more", (
        f"With 2304 channels it comes back even more slowly. Its worst block: {ends}. So after "
        f"2000 steps it is still dead by our rule: it {found.sentence}, and the share {still}. "
        f"Against the same one without blocks: {gap.text()}, {gap.word()}."
    )


@registered("09.wide-rates")
def rates() -> tuple[bool, str]:
    found = fates_of("wide")
    third, thrice = found[SLOWER], found[cell(1152, 1, 0.14)]
    alone = found[_no_blocks(1152, 0.14)]
    gap = _after_2000_steps()[SLOWER, _no_blocks(1152, THIRD_RATE)]
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
        alone, over = gaps[scaled, _no_blocks(width, rate)], gaps[scaled, unscaled]
        right &= (found[unscaled].word, found[scaled].word) == ("dies", "lives")
        right &= alone.seen == over.seen == "more"
        told.append(
            f"With {words} it {found[scaled].sentence}: {over.text()} against unscaled, and "
            f"{alone.text()} against no blocks."
        )
    return right, (
        "Where the unscaled tower is still dead after 2000 steps, the one with a scale of 0.1 "
        f"lives and is better. {' '.join(told)}"
    )


PLURAL = {
    "lives": "live",
    "suffers": "suffer",
    "dies": "die",
    "differs by seed": "differ by seed",
}


@registered("09.narrow")
def narrow() -> tuple[bool, str]:
    found = fates_of("narrow")
    words = {
        told: {width: found[cell(width, 1, rate)].word for width in TO_576}
        for told, rate in (
            ("At a third of the paper's rate", THIRD_RATE),
            ("At the paper's rate", PAPER_RATE),
            ("At three times of it", THRICE),
        )
    }
    third, usual, thrice = words.values()
    told = ". ".join(f"{at}, {_by_word(fates)}" for at, fates in words.items())
    _, ends, still = _course("narrow", cell(TO_576[-1], 1, THRICE))
    right = set(third.values()) == {"lives"} and usual[72] == usual[144] == "lives"
    return right and thrice[TO_576[-1]] == "dies", (
        f"These are the unscaled towers after 2000 steps, by their channels. {told}. So a tower "
        "below 1000 filters can stay dead as well, at a higher rate. That of "
        f"{TO_576[-1]} channels at three times the rate, its worst block: {ends}; the share "
        f"{still}."
    )


def _by_word(fates: dict[int, str]) -> str:
    """{72: "lives", 144: "lives", 576: "dies"} as "those of 72 and 144 live, those of 576 die"."""
    groups: dict[str, list[str]] = {}
    for width, word in fates.items():
        groups.setdefault(PLURAL[word], []).append(str(width))
    told = []
    for word, widths in groups.items():
        *first, last = widths
        told.append(f"those of {' and '.join(filter(None, (', '.join(first), last)))} {word}")
    return ", ".join(told)


@registered("09.late-death")
def late_death() -> tuple[bool, str]:
    counts = {name: load_results(name) for name in FOLLOWED}
    told = ", ".join(
        f"{len(runs)} of {runs[0].config.recipe.steps} steps" for runs in counts.values()
    )
    early = lived_early()
    unscaled = [run for run in early if _unscaled(run)]
    bare = [run for run in unscaled if not run.config.change]
    usual = [run for run in bare if run.config.recipe.lr >= PAPER_RATE]
    most = at_most_counts(0, len(unscaled))[1]
    slim = all(run.config.network == "tower" and _width(run) < 1000 for run in usual)
    return not late_deaths() and bool(usual) and slim, (
        "The paper's late death was not reproduced: of "
        f"{sum(map(len, counts.values()))} runs ({told}), none that lived after a twentieth of its "
        f"steps was dead at the end. But few could show it: {len(early)} runs lived so far, "
        f"{len(unscaled)} of them with unscaled blocks (so up to {_percent(most)} of such runs may "
        f"die late, with 95 % confidence), and {len(usual)} of these at the paper's rate or above "
        "without a remedy, all of less than 1000 filters. The wider ones were dead or suffered by "
        "then."
    )


def _unscaled(run: Result) -> bool:
    """Whether it has blocks, and their residuals are added as they are."""
    arguments = dict(run.config.arguments)
    return arguments.get("depth") != 0 and arguments["scale"] == 1


def _width(run: Result) -> int:
    return dict(run.config.arguments)["width"]


def _worst_at(run: Result, step: float) -> float:
    return max(dead_at(run, step).values())


def between(values) -> str:
    """Shares as "12 to 34 %"."""
    return f"{100 * min(values):.0f} to {_percent(max(values))}"


@registered("09.early-death")
def early_death() -> tuple[bool, str]:
    falls, ends, still = _course("paper_width", full(1, PAPER_RATE))
    found = fates_of("paper_width")[full(1, PAPER_RATE)]
    return falls and found.word == "dies", (
        "What was seen instead is an early death. With all filters, unscaled at the paper's rate, "
        f"the worst block has {ends}. So channels come back, and the share {still}."
    )
