"""Verdicts on claims beside the paper's ten: what auxiliary heads do, and the parts of Section 4.
Margins and evidence were written down before the runs: docs/verdicts.md."""

from __future__ import annotations

from functools import cache

from inception_edu.study.claims_race import mean_error
from inception_edu.study.experiments_training import HEADED, OPTIMISERS, headed
from inception_edu.study.results import load_results
from inception_edu.study.statistics import Cell, Difference, difference, holm, summarise
from inception_edu.study.tuning import best_rate
from inception_edu.study.verdicts import Verdict, gain, no_harm, verdict

MARGIN, ON_THE_WAY = 0.01, 0.02


@cache
def cells(experiment: str, value: str) -> dict[str, Cell]:
    """The cells of a committed experiment by label: "accuracy", or "mean error" on the way."""
    return summarise(load_results(experiment), mean_error if value == "mean error" else value)


def heads_differences() -> dict[tuple[str, str], Difference]:
    """What the heads of each network bring, corrected together: {(network, "speed" or "end"):
    difference in favour of the heads}."""
    found = {}
    way, end = cells("heads", "mean error"), cells("heads", "accuracy")
    for name in HEADED:
        with_, without = headed(name, True), headed(name, False)
        if not {with_, without} <= set(end):
            continue
        found[name, "speed"] = difference(way[without], way[with_])
        found[name, "end"] = difference(end[with_], end[without])
    return holm(found)


def heads_verdict(part: str) -> Verdict:
    """Do auxiliary heads let networks learn faster ("speed") or end better ("end")?"""
    margin = ON_THE_WAY if part == "speed" else MARGIN
    words = {
        "speed": "mean error on the way, without minus with heads",
        "end": "final accuracy, with minus without heads",
    }
    evidence = [
        gain(f"{name}, {words[part]}", gap, margin)
        for (name, kind), gap in heads_differences().items()
        if kind == part
    ]
    missing = "" if len(evidence) == len(HEADED) else "the runs of one network are missing"
    return verdict(evidence, "reduced", missing)


# What is compared with what, by label. The first two have rates of their own on both sides.
SECTION_4 = {
    "RMSProp": ("RMSProp", "SGD"),
    "falling rate": ("RMSProp", "RMSProp, constant rate"),
    "running average": ("running average of the weights", "RMSProp"),
    "label smoothing": ("label smoothing 0.1", "RMSProp"),
    "clipping": ("gradient clipped at 2", "RMSProp"),
}


def section_4_differences() -> dict[str, Difference]:
    """What each part of Section 4 changes at the end, corrected together."""
    found = cells("training", "accuracy")
    return holm({part: difference(found[a], found[b]) for part, (a, b) in SECTION_4.items()})


def untuned() -> str:
    """Why the rates of `training` do not allow a verdict, or nothing."""
    tuning = load_results("training_tuning")
    if any(run.config.judge != "validation" for run in tuning):
        return "the rates were chosen on test images"
    trials = (sum(run.label.startswith(f"{name}, rate ") for run in tuning) for name in OPTIMISERS)
    if len(set(trials)) > 1:
        return "the rates were not tuned with equal budgets"
    for run in load_results("training"):
        tuned = best_rate(run.label if run.label in OPTIMISERS else "RMSProp", "training_tuning")
        if run.config.recipe.lr != tuned:
            return f"{run.label} did not run at the rate that its tuning chose"
    return ""


def section_4(part: str) -> Verdict:
    """Does a part of Section 4 (a key of `SECTION_4`) let the network end better? Clipping: does
    it do no harm?"""
    a, b = SECTION_4[part]
    judge = no_harm if part == "clipping" else gain
    what = f"final accuracy, {a} minus {b}"
    evidence = [judge(what, section_4_differences()[part], MARGIN)]
    return verdict(evidence, "reduced", untuned())
