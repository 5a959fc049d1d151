"""Verdicts on the claims about speed, accuracy and cost, C1, C2, C8 and C9, from committed runs and
from the figures."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache

from inception_edu.describe import measure, networks
from inception_edu.study.answers import Answers
from inception_edu.study.experiments_race import ALL_FILTERS, DEEP_PAIR, RATES, TWICE, raced
from inception_edu.study.gains import mean_crop_gain, together_instead
from inception_edu.study.racers import DEEP, PAIRS, RACERS, depth_words, title
from inception_edu.study.results import Result, load_results, results_if_any
from inception_edu.study.statistics import Cell, Difference, difference, holm, summarise
from inception_edu.study.tuning import best_rate
from inception_edu.study.verdicts import Evidence, Verdict, gain, no_harm, thin, verdict

COST = 0.05
STILL_GAINS = 0.01  # of final accuracy, by a training of twice the length


@cache
def _race() -> tuple[Result, ...]:
    return tuple(raced())


def _wide_race() -> tuple[Result, ...]:
    """The race with all filters; empty until somebody ran it on a GPU."""
    return tuple(results_if_any("wide_race"))


def _deep_race() -> tuple[Result, ...]:
    """The race of the deep pairs."""
    return tuple(results_if_any("deep_race"))


def _longer_race() -> tuple[Result, ...]:
    """The race of the deep pairs again, twice as long."""
    return tuple(results_if_any("longer_race"))


# What the labels of each race end with, by the tuning that chose its rates.
ENDS = {"race_tuning": "", "deep_race_tuning": DEEP_PAIR, "wide_race_tuning": ALL_FILTERS}
# The longest race tells of the final accuracy.
LONGEST = ENDS | {"deep_race_tuning": TWICE}


def _races() -> dict[str, tuple[Result, ...]]:
    """The races that have runs, by the tuning that chose their rates."""
    found = {
        "race_tuning": _race(),
        "deep_race_tuning": (*_deep_race(), *_longer_race()),
        "wide_race_tuning": _wide_race(),
    }
    return {tuning: runs for tuning, runs in found.items() if runs}


def mean_error(run: Result) -> float | None:
    """Mean test error of a race from its first test to its last (trapezoids): the area under the
    curve over its length."""
    if run.status != "finished":
        return None
    at, accuracy = zip(*run.extras["evaluations"])
    error = [1 - a for a in accuracy]
    pieces = [(b - a) * (e + f) / 2 for a, b, e, f in zip(at, at[1:], error, error[1:])]
    return sum(pieces) / (at[-1] - at[0])


def untuned() -> str:
    """Why the race's rates do not allow a verdict, or nothing."""
    for name, races in _races().items():
        tuning = load_results(name)
        if any(run.config.judge != "validation" for run in tuning):
            return "the rates were chosen on test images"
        for run in races:
            if run.config.recipe.lr != best_rate(run.config.network, name):
                return f"{title(run.config.network)} did not run at the rate that its tuning chose"
        budgets = list(_budgets(tuning).values())
        if len(budgets[0]) < len(RATES) or any(rates != budgets[0] for rates in budgets):
            return "the networks' rates were not tuned with equal budgets"
    return ""


def _budgets(tuning: list[Result]) -> dict[str, set[float]]:
    groups: dict[str, set[float]] = {}
    for run in tuning:
        groups.setdefault(run.config.network, set()).add(run.config.recipe.lr)
    return groups


def _compared(value, pairs, ends: Mapping[str, str]) -> Iterator[tuple[str, Cell, Cell]]:
    """What is compared, and a value of both: each pair, in every race that has runs of it. `ends`:
    `ENDS` or `LONGEST`."""
    for tuning, races in _races().items():
        cells, note = summarise(races, value), ends[tuning]
        for a, b in pairs:
            if {f"{a}{note}", f"{b}{note}"} <= set(cells):
                yield f"{title(a)} minus {title(b)}{note}", cells[f"{a}{note}"], cells[f"{b}{note}"]


def _gaps(value, pairs: list[tuple[str, str]], ends: Mapping[str, str]) -> dict[str, Difference]:
    """First minus second of each pair, in every race that has runs; by what is compared."""
    return {what: difference(a, b) for what, a, b in _compared(value, pairs, ends)}


def speed_differences() -> dict[str, Difference]:
    """Mean test error on the way, plain minus residual, for every pair; corrected together."""
    return holm(_gaps(mean_error, list(PAIRS), ENDS))


def speed_by_seed() -> dict[tuple[str, int], tuple[float, ...]]:
    """Plain minus residual of the mean test error on the way, one number a seed, by residual
    network and its number of blocks."""
    found = {}
    for plain, residual in PAIRS:
        for runs, note, blocks in ((_race(), "", RACERS), (_deep_race(), DEEP_PAIR, DEEP)):
            a, b = (summarise(runs, mean_error)[f"{name}{note}"] for name in (plain, residual))
            of_b = dict(zip(b.seeds, b.values))
            gaps = tuple(value - of_b[seed] for seed, value in zip(a.seeds, a.values))
            found[residual, sum(blocks[residual])] = gaps
    return found


def shallow(what: str) -> bool:
    """Whether a comparison is of networks with fewer blocks than the paper's."""
    return not what.endswith((DEEP_PAIR, TWICE, ALL_FILTERS))


def _of_its_depth(what: str, evidence: Evidence) -> Evidence:
    """What a pair shows counts where both have 9 blocks or more, the least of the paper's: its
    claims presuppose this. What a shallower one shows is told, and decides nothing."""
    if not shallow(what):
        return evidence
    return evidence.told(f"{depth_words()}, fewer than the paper's")


def speed() -> Verdict:
    """C1: the residual network of each deep pair has the lower mean test error on the way."""
    evidence = [
        _of_its_depth(what, gain(f"mean error, {what}", gap, 0.02))
        for what, gap in speed_differences().items()
    ]
    return verdict(evidence, "reduced", untuned())


RIVALS = [(residual, plain) for plain, residual in PAIRS]
SIZES = [(large, small) for small, large in zip(*PAIRS)]


def final_differences() -> tuple[dict[str, Difference], dict[str, Difference]]:
    """Final accuracy in the longest race: residual minus plain in every pair, and the larger minus
    the smaller network of a kind; all corrected together."""
    pairs, sizes = (_gaps("accuracy", who, LONGEST) for who in (RIVALS, SIZES))
    found = holm(pairs | sizes)
    return {what: found[what] for what in pairs}, {what: found[what] for what in sizes}


def longer_gains() -> dict[Hashable, Difference]:
    """Final accuracy of the networks of the deep race with twice the steps minus without, by the
    label of the longer runs."""
    short, long = summarise(_deep_race()), summarise(_longer_race())
    return {
        label: difference(cell, short[str(label).replace(TWICE, DEEP_PAIR)], paired=True)
        for label, cell in long.items()
    }


def _of_its_end(
    labels: Iterable[Hashable], gains: Mapping[Hashable, Difference], evidence: Evidence
) -> Evidence:
    """What a race shows of the final accuracy counts where both networks have come to their end:
    more training (`longer_gains`) is shown to help by less than a margin."""
    if not set(labels) <= set(gains):
        return evidence.told("whether more training would help some of the networks was not tried")
    evidence = replace(evidence, of=evidence.of.union(*(gains[label].of for label in labels)))
    if all(gains[label].above() < STILL_GAINS for label in labels):
        return evidence
    return evidence.told("it is not shown that twice the steps give both less than a point")


def final_accuracy() -> Verdict:
    """C2: the residual network of a pair does not end worse, and not better by more than a thin
    margin; the larger of a kind ends better."""
    (pairs, sizes), gains = final_differences(), longer_gains()
    compared = _compared("accuracy", RIVALS + SIZES, LONGEST)
    who = {what: (a.label, b.label) for what, a, b in compared}
    of_pairs = [
        _of_its_end(who[what], gains, _of_its_depth(what, ask(f"{words}, {what}", gap, 0.01)))
        for ask, words in ((no_harm, "no worse end"), (thin, "a thin margin at most"))
        for what, gap in pairs.items()
    ]
    of_sizes = [
        _of_its_end(who[what], gains, gain(f"final accuracy, {what}", gap, 0.01))
        for what, gap in sizes.items()
    ]
    evidence = of_pairs + of_sizes
    # Every deep pair and the sizes have to be decided, but one finding against it is enough.
    deep = [piece for what, piece in zip([*pairs] * 2, of_pairs) if not shallow(what)]
    whole = all(e.word != "told" for e in deep) and any(e.word != "told" for e in of_sizes)
    against = any(piece.word == "against" for piece in evidence)
    lacking = "" if whole or against else "not every race of a deep pair has come to its end"
    return verdict(evidence, "reduced", untuned() or lacking)


def raw_cost() -> Verdict:
    """C8, its first half: multiply-adds as the figures and as the released code have them."""
    v4 = measure(networks.network("inception_v4")).macs
    evidence = []
    for name, network in (
        ("the paper's blocks, 5/10/5", networks.network("inception_resnet_v2")),
        ("as released, 10/20/10", networks.inception_resnet_v2_released()),
    ):
        ratio = measure(network).macs / v4
        shows = "for" if abs(ratio - 1) <= COST else "against"
        evidence.append(Evidence(shows, f"{name}: {ratio:.2f} times Inception-v4's"))
    return verdict(evidence, "full")


def crops_and_ensembles() -> Verdict:
    """C9: 12 crops for one, and five networks for one; mean of the four networks.

    144 crops are no test of it here: most of them come from an image made larger than any that
    these networks were trained on.
    """
    answered = [run for run in load_results("race") if "labels" in run.extras]
    answers = Answers.of(answered)
    gaps = {
        "error with 1 crop minus 12": mean_crop_gain(answers, "1 crop", "12 crops"),
        "error of one network minus five, jackknife": together_instead(answers, "1 crop"),
    }
    # Both are answers of the same networks.
    of = frozenset(run.digest for run in answered)
    evidence = [replace(gain(what, gap, 0.01), of=of) for what, gap in holm(gaps).items()]
    return verdict(evidence, "reduced")
