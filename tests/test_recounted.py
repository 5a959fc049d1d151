"""Claims about differences, counted once more from the lines of the result files, with scipy and
numpy alone: nothing of the package's statistics takes part."""

import json

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import trapezoid

from inception_edu.study import RESULTS
from inception_edu.study.claims_race import speed_by_seed
from inception_edu.teach.claims import claim


def runs(*names):
    """The runs of result files, as they stand there."""
    lines = [line for n in names for line in (RESULTS / f"{n}.jsonl").read_text().splitlines()[1:]]
    return [json.loads(line) for line in lines]


def by_seed(found, label, value):
    return {run["config"]["seed"]: value(run) for run in found if run["config"]["label"] == label}


def accuracy(run):
    return run["test_accuracy"]


def loss(run):
    """Of the last fifth of the records, in training."""
    losses = run["curves"]["loss"]
    return np.mean(losses[-(len(losses) // 5) :])


def dead(run):
    return max(run["dead"].values())


def error_on_the_way(run):
    at, right = zip(*run["extras"]["evaluations"])
    return trapezoid(1 - np.array(right), at) / (at[-1] - at[0])


def error_at(place):
    return lambda run: 1 - run["extras"]["evaluations"][place][1]


def said(found, a, b, value):
    """A minus b, paired by seed, as claims say it."""
    first, second = (by_seed(found, label, value) for label in (a, b))
    assert set(first) == set(second) and len(first) >= 5
    test = stats.ttest_rel(*([each[seed] for seed in sorted(first)] for each in (first, second)))
    mean = np.mean([first[seed] - second[seed] for seed in first])
    low, high = test.confidence_interval()
    mean, low, high = (round(100 * x, 1) + 0.0 for x in (mean, low, high))  # 0.0, never −0.0
    return f"{mean:+.1f} points (95 % interval {low:+.1f} to {high:+.1f}, {len(first)} pairs)"


V1, V2 = ("inception_resnet_v1", "inception_v3"), ("inception_resnet_v2", "inception_v4")
RACES = {  # of `race` and `race_more`
    "10.pairs": [(V1[::-1], error_on_the_way), (V2[::-1], error_on_the_way)],
    "10.final": [(V1, accuracy), (V2, accuracy), (("inception_v4", "inception_v3"), accuracy)],
    "10.meet": [(V1, error_at(0)), (V2, error_at(-1))],
}
AT_045 = "width {}, {}, rate 0.045"
NO_BLOCKS = AT_045.format(1152, "no blocks")
UNSCALED = AT_045.format(1152, "scale 1")
OTHERS = [
    ("09.wide", "wide", UNSCALED, NO_BLOCKS),
    ("09.wider", "wide", AT_045.format(2304, "scale 1"), AT_045.format(2304, "no blocks")),
    ("09.wide-rates", "wide", *(f"width 1152, {x}, rate 0.015" for x in ("scale 1", "no blocks"))),
    ("09.wide-scaled", "wide", AT_045.format(1152, "scale 0.1"), NO_BLOCKS),
    ("09.wide-scaled", "wide", AT_045.format(1152, "scale 0.1"), UNSCALED),
    *(
        ("09.wide-saved", "wide", f"width {at[0]}, scale 0.1, rate {at[1]}", other.format(*at))
        for at in ((2304, 0.045), (1152, 0.14))
        for other in ("width {}, scale 1, rate {}", "width {}, no blocks, rate {}")
    ),
    ("09.slow-return", "slow_return", UNSCALED, NO_BLOCKS),
    *(
        ("09.narrow-controls", "narrow", f"width {width}, scale 0.1, rate 0.14", other)
        for width in (288, 576)
        for other in (f"width {width}, {x}, rate 0.14" for x in ("scale 1", "no blocks"))
    ),
    *(
        ("04.reductions", "reductions", "parallel (Figs. 7, 8)", way)
        for way in (
            "pool, then widen",
            "pool first, equal parameters",
            "pool first, equal multiply-adds",
            "widen, then pool",
        )
    ),
    ("09.full-rate", "paper_width", "scale 1, rate 0.0045", "scale 1, rate 0.045"),
    ("09.full-rate", "paper_width", "scale 0.2, rate 0.045", "scale 1, rate 0.045"),
    ("09.earn", "long", "slow classifier", "blocks switched off, slow classifier"),
    ("09.long-norm", "long_norm", "norm after last sum", "blocks switched off"),
]


@pytest.mark.parametrize("name", RACES)
def test_the_races_are_what_the_lines_of_their_files_give(name):
    found = runs("race", "race_more")
    for pair, value in RACES[name]:
        assert said(found, *pair, value) in claim(name).sentence


@pytest.mark.parametrize("pair", [V1, V2])
def test_the_races_of_the_deep_pairs_are_what_the_lines_of_their_file_give(pair):
    found, (residual, plain) = runs("deep_race"), (f"{name}, deep" for name in pair)
    assert said(found, plain, residual, error_on_the_way) in claim("10.deep-pair").sentence
    found, sentence = runs("longer_race"), claim("10.longer").sentence
    plain, residual = (f"{name}, twice as long" for name in (plain, residual))
    assert said(found, residual, plain, accuracy) in sentence


def test_the_dots_of_the_opening_figure_are_what_the_lines_of_the_files_give():
    found = speed_by_seed()
    assert [blocks for _, blocks in found] == [6, 17, 7, 28]
    for (name, blocks), dots in found.items():
        deep, plain = blocks > 7, dict([V1, V2])[name]
        of = runs("deep_race") if deep else runs("race", "race_more")
        labels = [f"{each}, deep" if deep else each for each in (plain, name)]
        slow, fast = (by_seed(of, label, error_on_the_way) for label in labels)
        assert sorted(dots) == pytest.approx(sorted(slow[seed] - fast[seed] for seed in slow))


@pytest.mark.parametrize("name, file, a, b", OTHERS)
def test_a_difference_is_what_the_lines_of_its_file_give(name, file, a, b):
    assert said(runs(file), a, b, accuracy) in claim(name).sentence


def test_what_equal_steps_leave_of_the_advantage_is_what_the_lines_of_the_file_give():
    found, sentence = runs("long_gradients"), claim("10.equal-steps").sentence
    for how in ("SGD", "SGD, clipped", "SGD, equal steps"):
        best = {}
        for kind in ("plain, full width", "residual × 0.1"):
            names = {run["config"]["label"] for run in found}
            labels = [name for name in names if name.startswith(f"{kind}, {how}, rate")]
            assert len(labels) == 5
            best[kind] = min(labels, key=lambda x: np.mean([*by_seed(found, x, loss).values()]))
        assert said(found, best["residual × 0.1"], best["plain, full width"], accuracy) in sentence


def test_what_replicas_kill_is_what_the_lines_of_the_file_give():
    a, b = (f"{scale}, rate 0.015, 20 replicas" for scale in ("scale 1", "scale 0.1"))
    assert said(runs("replicas"), a, b, dead) in claim("09.replicas-scale").sentence


def test_the_warm_ups_are_what_the_lines_of_the_file_give():
    found, sentence = runs("warm_ups"), claim("09.longer-warm-up").sentence
    for steps in (100, 400):
        slow = by_seed(found, f"{steps} steps at 0.00001", dead).values()
        fast = by_seed(found, f"{steps} steps at rate / 10", dead).values()
        assert len(slow) == len(fast) == 5 and min(slow) >= 0.5 > max(fast)
        for each in (slow, fast):
            assert (
                f"worst block {100 * min(each):.0f} % to {100 * max(each):.0f} % dead" in sentence
            )
