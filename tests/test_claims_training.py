"""Verdicts beside the paper's ten, from made-up runs: they say what the rule of docs/verdicts.md
says, and nothing where runs are missing."""

from dataclasses import replace

import pytest

from inception_edu.study import claims_training, load_results
from inception_edu.study.claims_training import SECTION_4, heads_verdict, section_4, untuned
from inception_edu.study.experiments_training import HEADED, headed
from inception_edu.study.statistics import Cell
from inception_edu.study.verdicts import CONTRADICTED, REDUCED, UNDECIDED

NOISE = (0.0005, -0.001, 0.0, 0.001, -0.0005)


def made(monkeypatch, levels: dict[str, float]):
    """Cells of five seeds around these levels; a mean error is one minus it."""

    def cells(experiment, value):
        sign = -1 if value == "mean error" else 1
        return {
            label: Cell(label, tuple(sign * level + n * (1 + 3 * (i % 2)) for n in NOISE))
            for i, (label, level) in enumerate(levels.items())
        }

    monkeypatch.setattr(claims_training, "cells", cells)


def of_heads(gains):
    return {
        headed(name, kind): 0.6 + kind * gain
        for name, gain in zip(HEADED, gains)
        for kind in (False, True)
    }


@pytest.mark.parametrize(
    "gains, speed, end",
    [
        ((0.05, 0.05), REDUCED, REDUCED),
        # The margins: 2 points on the way, 1 at the end. A gain that is seen, but is smaller, is
        # neither for nor against.
        ((0.012, 0.012), UNDECIDED, REDUCED),
        ((0.05, 0.0), CONTRADICTED, CONTRADICTED),
        ((-0.05, -0.05), CONTRADICTED, CONTRADICTED),
    ],
)
def test_heads_are_judged_by_both_networks(monkeypatch, gains, speed, end):
    made(monkeypatch, of_heads(gains))
    assert (heads_verdict("speed").word, heads_verdict("end").word) == (speed, end)
    assert [e.runs for e in heads_verdict("end").evidence] == [10, 10]


def test_without_one_network_heads_are_undecided(monkeypatch):
    levels = of_heads((0.05, 0.05))
    del levels[headed("Inception-v3", True)]
    made(monkeypatch, levels)
    found = heads_verdict("end")
    assert found.word == UNDECIDED and "missing" in found.why and len(found.evidence) == 1


@pytest.mark.parametrize(
    "wrong, says",
    [
        (dict(judge="test"), "test images"),
        (dict(lr=0.5), "did not run at the rate"),
        (dict(left_out="SGD, rate 0.1"), "equal budgets"),
    ],
)
def test_rates_that_were_not_tuned_fairly_allow_no_verdict(monkeypatch, wrong, says):
    tuning, raced = load_results("training_tuning"), load_results("training")
    assert not untuned()
    if judge := wrong.get("judge"):
        tuning = [replace(r, config=replace(r.config, judge=judge)) for r in tuning]
    if lr := wrong.get("lr"):
        raced = [r if r.label != "SGD" else at_rate(r, lr) for r in raced]
    tuning = [r for r in tuning if r.label != wrong.get("left_out")]
    runs = {"training_tuning": tuning, "training": raced}
    monkeypatch.setattr(claims_training, "load_results", runs.get)
    assert says in untuned() and section_4("RMSProp").word == UNDECIDED


def at_rate(run, lr):
    return replace(run, config=replace(run.config, recipe=replace(run.config.recipe, lr=lr)))


def test_the_parts_of_section_4(monkeypatch):
    labels = {label for pair in SECTION_4.values() for label in pair}
    levels = dict.fromkeys(sorted(labels), 0.8)
    levels |= {"SGD": 0.75, "gradient clipped at 2": 0.797, "label smoothing 0.1": 0.75}
    made(monkeypatch, levels)
    words = {part: section_4(part).word for part in SECTION_4}
    assert words == {
        "RMSProp": REDUCED,
        "falling rate": CONTRADICTED,
        "running average": CONTRADICTED,
        "label smoothing": CONTRADICTED,
        "clipping": REDUCED,
    }
