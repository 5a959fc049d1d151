"""Verdicts on the claims about speed, accuracy and cost, C1, C2, C8 and C9, from committed runs and
from the figures."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import torch

from inception_edu.describe import measure, networks
from inception_edu.study.crops import crop_logits
from inception_edu.study.experiments_race import RATES, best_rate
from inception_edu.study.racers import PAIRS, title
from inception_edu.study.results import Result, load_results
from inception_edu.study.statistics import Cell, Difference, difference, holm, jackknife, summarise
from inception_edu.study.verdicts import Evidence, Verdict, gain, no_harm, verdict

COST = 0.05


@cache
def _race() -> tuple[Result, ...]:
    return tuple(load_results("race"))


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
    tuning = load_results("race_tuning")
    if any(run.config.judge != "validation" for run in tuning):
        return "the rates were chosen on test images"
    for run in _race():
        if run.config.recipe.lr != best_rate(run.config.network):
            return f"{title(run.config.network)} did not run at the rate that its tuning chose"
    if any(len(group) < len(RATES) for group in _budgets(tuning).values()):
        return "the networks' rates were not tuned with equal budgets"
    return ""


def _budgets(tuning: list[Result]) -> dict[str, set[float]]:
    groups: dict[str, set[float]] = {}
    for run in tuning:
        groups.setdefault(run.config.network, set()).add(run.config.recipe.lr)
    return groups


def _pairs(value) -> dict[str, Difference]:
    """Plain minus residual for both pairs, corrected together."""
    cells = summarise(_race(), value)
    found = {f"{title(p)} minus {title(r)}": difference(cells[p], cells[r]) for p, r in PAIRS}
    return holm(found)


def speed() -> Verdict:
    """C1: the residual network of each pair has the lower mean test error on the way."""
    evidence = [gain(f"mean error, {what}", d, 0.02) for what, d in _pairs(mean_error).items()]
    return verdict(evidence, "reduced", untuned())


def final_accuracy() -> Verdict:
    """C2: the residual network of a pair does not end worse; the larger of a kind ends better."""
    cells = summarise(_race(), "accuracy")
    pairs = {
        f"final accuracy, {title(r)} minus {title(p)}": difference(cells[r], cells[p])
        for p, r in PAIRS
    }
    evidence = [no_harm(what, d, 0.01) for what, d in holm(pairs).items()]
    sizes = {
        f"final accuracy, {title(large)} minus {title(small)}": difference(
            cells[large], cells[small]
        )
        for small, large in zip(*PAIRS)
    }
    evidence += [gain(what, d, 0.01) for what, d in holm(sizes).items()]
    return verdict(evidence, "reduced", untuned())


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
    answered = [run for run in _race() if "labels" in run.extras]
    errors = {(run.config.network, run.seed): _errors(run) for run in answered}
    names = sorted({name for name, _ in errors})
    seeds = sorted({seed for _, seed in errors})

    def by_seed(kind: str) -> Cell:
        means = [sum(errors[n, s][kind] for n in names) / len(names) for s in seeds]
        return Cell(kind, tuple(means), tuple(seeds))

    crops = difference(by_seed("1 crop"), by_seed("12 crops"))
    mean, half = _ensemble_gain(answered, seeds)
    shows = "for" if mean - half > 0 and mean >= 0.01 else "against" if mean + half < 0.01 else ""
    said = (
        f"one network minus five: {100 * mean:+.1f} points of error (± {100 * half:.1f}, jackknife)"
    )
    # Both are answers of the same networks.
    of = frozenset(run.digest for run in answered)
    one = replace(gain("error with 1 crop minus 12", crops, 0.01), of=of)
    return verdict([one, Evidence(shows, said, of)], "reduced")


@cache
def _rows(digest_: str) -> tuple:
    run = next(r for r in _race() if r.digest == digest_)
    labels, rows = crop_logits(run)
    return labels, rows


def _errors(run: Result) -> dict[str, float]:
    labels, rows = _rows(run.digest)
    return {kind: (r.argmax(1) != labels).float().mean().item() for kind, r in rows.items()}


def _ensemble_gain(runs: list[Result], seeds: list[int]) -> tuple[float, float]:
    """How much lower the error of all seeds together is than the mean of each, over the networks;
    and half of its 95 % interval, with one seed left out at a time."""
    whole = _gain_of(runs, seeds)
    return whole, jackknife([_gain_of(runs, [s for s in seeds if s != left]) for left in seeds])


def _gain_of(runs: list[Result], seeds: list[int]) -> float:
    gains = []
    for name in sorted({run.config.network for run in runs}):
        chosen = [run for run in runs if run.config.network == name and run.seed in seeds]
        labels, _ = _rows(chosen[0].digest)
        rows = [_rows(run.digest)[1]["1 crop"].softmax(1) for run in chosen]
        together = (torch.stack(rows).mean(0).argmax(1) != labels).float().mean().item()
        alone = sum(_errors(run)["1 crop"] for run in chosen) / len(chosen)
        gains.append(alone - together)
    return sum(gains) / len(gains)
