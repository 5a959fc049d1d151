"""Verdicts on the claims about speed, accuracy and cost, C1, C2, C8 and C9, from committed runs and
from the figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

from inception_edu.describe import measure, networks
from inception_edu.study.answers import Answers
from inception_edu.study.experiments_race import ALL_FILTERS, DEEP_PAIR, RATES, raced
from inception_edu.study.gains import mean_crop_gain, together_instead
from inception_edu.study.racers import PAIRS, depth_words, title
from inception_edu.study.results import Result, load_results, results_if_any
from inception_edu.study.statistics import Cell, Difference, difference, holm, summarise
from inception_edu.study.tuning import best_rate
from inception_edu.study.verdicts import Evidence, Verdict, gain, no_harm, thin, verdict

COST = 0.05
STILL_FALLS = 0.01  # of the test error, between the last two tests of a race


@cache
def _race() -> tuple[Result, ...]:
    return tuple(raced())


def _wide_race() -> tuple[Result, ...]:
    """The race with all filters; empty until somebody ran it on a GPU."""
    return tuple(results_if_any("wide_race"))


def _deep_race() -> tuple[Result, ...]:
    """The race of the deep pairs."""
    return tuple(results_if_any("deep_race"))


# What the labels of each race end with, by the tuning that chose its rates.
ENDS = {"race_tuning": "", "deep_race_tuning": DEEP_PAIR, "wide_race_tuning": ALL_FILTERS}


def _races() -> dict[str, tuple[Result, ...]]:
    """The races that have runs, by the tuning that chose their rates."""
    found = {
        "race_tuning": _race(),
        "deep_race_tuning": _deep_race(),
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
        if any(len(group) < len(RATES) for group in _budgets(tuning).values()):
            return "the networks' rates were not tuned with equal budgets"
    return ""


def _budgets(tuning: list[Result]) -> dict[str, set[float]]:
    groups: dict[str, set[float]] = {}
    for run in tuning:
        groups.setdefault(run.config.network, set()).add(run.config.recipe.lr)
    return groups


def _compared(value, pairs: list[tuple[str, str]]) -> Iterator[tuple[str, Cell, Cell]]:
    """What is compared, and a value of both: each pair, in every race that has runs of it."""
    for tuning, races in _races().items():
        cells, note = summarise(races, value), ENDS[tuning]
        for a, b in pairs:
            if {f"{a}{note}", f"{b}{note}"} <= set(cells):
                yield f"{title(a)} minus {title(b)}{note}", cells[f"{a}{note}"], cells[f"{b}{note}"]


def _gaps(value, pairs: list[tuple[str, str]]) -> dict[str, Difference]:
    """First minus second of each pair, in every race that has runs; by what is compared."""
    return {what: difference(a, b) for what, a, b in _compared(value, pairs)}


def speed_differences() -> dict[str, Difference]:
    """Mean test error on the way, plain minus residual, for every pair; corrected together."""
    return holm(_gaps(mean_error, list(PAIRS)))


def _of_its_depth(what: str, evidence: Evidence) -> Evidence:
    """What a pair shows counts where it is as deep as the paper's: its claims presuppose this. What
    a shallower one shows is told, and decides nothing."""
    if what.endswith((DEEP_PAIR, ALL_FILTERS)):
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
    """Final accuracy: residual minus plain in every pair, and the larger minus the smaller network
    of a kind; all corrected together."""
    pairs, sizes = (_gaps("accuracy", who) for who in (RIVALS, SIZES))
    found = holm(pairs | sizes)
    return {what: found[what] for what in pairs}, {what: found[what] for what in sizes}


def last_fall(run: Result) -> float | None:
    """By how much the test error of a race still fell between its last two tests."""
    if run.status != "finished":
        return None
    (_, before), (_, last) = run.extras["evaluations"][-2:]
    return last - before


def _of_its_end(what: str, falls: Mapping[str, float], evidence: Evidence) -> Evidence:
    """What a race shows of the final accuracy counts where both networks have come to their end."""
    if falls[what] < STILL_FALLS:
        return evidence
    fall = f"{100 * falls[what]:.1f} points"
    return evidence.told(f"an error still falls by {fall} in the last eighth")


def final_accuracy() -> Verdict:
    """C2: the residual network of a pair does not end worse, and not better by more than a thin
    margin; the larger of a kind ends better."""
    pairs, sizes = final_differences()
    falls = {w: max(a.mean, b.mean) for w, a, b in _compared(last_fall, RIVALS + SIZES)}
    of_pairs = [
        _of_its_end(what, falls, _of_its_depth(what, ask(f"{words}, {what}", gap, 0.01)))
        for ask, words in ((no_harm, "no worse end"), (thin, "a thin margin at most"))
        for what, gap in pairs.items()
    ]
    evidence = of_pairs + [
        _of_its_end(what, falls, gain(f"final accuracy, {what}", gap, 0.01))
        for what, gap in sizes.items()
    ]
    # The claim has two halves. The sizes alone do not show it, but they could contradict it.
    half = all(piece.word == "told" for piece in of_pairs)
    half = half and all(piece.word != "against" for piece in evidence)
    lacking = "no race of a deep pair has come to its end" if half else ""
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
