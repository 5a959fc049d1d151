"""The statistics layer: worked examples, and every interval by simulation."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from inception_edu.learn import interval
from inception_edu.study import (
    Cell,
    Comparison,
    StatisticsError,
    difference,
    holm,
    jackknife,
    leave_one_out,
    load_results,
    not_worse,
    rows,
    summarise,
)
from inception_edu.study.predictor import _judged
from inception_edu.study.statistics import at_most_counts

DRAWS = 4000
# A simulated coverage of 0.95 has a standard error of 0.0034 with so many draws; "within a point"
# is about three of them.
POINT = 0.011


# --- Worked examples ------------------------------------------------------------------------------


def test_cell_against_a_worked_example():
    cell = Cell("a", (1.0, 2.0, 3.0, 4.0, 5.0))
    assert cell.mean == 3 and cell.sd == pytest.approx(1.5811, abs=1e-4)
    assert cell.interval == pytest.approx((1.0368, 4.9632), abs=1e-3)  # 3 ± 2.776 · 1.5811 / √5
    assert cell.one_more == pytest.approx((-4.974, 10.974), abs=1e-2)  # 3 ± 4.604 · 1.5811 · √1.2
    assert Cell("a", (0.5, 0.6, 0.7)).text() == "60 % (50 % to 70 %, 3 seeds)"


def test_paired_against_a_worked_example():
    """Zar's deer: ten hind and fore legs, t = 3.41 with 9 degrees of freedom."""
    hind = (142, 140, 144, 144, 142, 146, 149, 150, 142, 148)
    fore = (138, 136, 147, 139, 143, 141, 143, 145, 136, 146)
    gap = difference(Cell("hind", hind), Cell("fore", fore))
    assert gap.counted == "pairs" and gap.n == 10 and gap.mean == pytest.approx(3.3)
    assert gap.mean / gap.se == pytest.approx(3.414, abs=2e-3)
    assert 0.005 < gap.p < 0.01


def test_without_common_seeds_it_is_welch():
    a, b = Cell("a", (1.0, 2.0, 3.0, 4.0, 5.0)), Cell("b", (0.0,) * 5, seeds=(5, 6, 7, 8, 9))
    gap = difference(a, b)
    assert gap.counted == "seeds each" and gap.mean == 3
    assert (gap.low, gap.high) == pytest.approx((1.0368, 4.9632), abs=1e-3)
    a, b = (1.1, 2.3, 2.9, 4.4), (0.2, 0.1, 0.4, 0.9, 0.3)
    gap = difference(Cell("a", a), Cell("b", b, seeds=(9, 8, 7, 6, 5)))
    theirs = stats.ttest_ind(a, b, equal_var=False)
    assert gap.p == pytest.approx(theirs.pvalue)
    limits = theirs.confidence_interval()
    assert (gap.low, gap.high) == pytest.approx((limits.low, limits.high))


def test_pairs_go_by_seed_not_by_place():
    a = Cell("a", (1.0, 2.0, 4.0), seeds=(0, 1, 2))
    b = Cell("b", (3.9, 0.9, 2.0), seeds=(2, 0, 1))
    gap = difference(a, b)
    assert gap.mean == pytest.approx((0.1 + 0.0 + 0.1) / 3) and gap.high < 0.3


@pytest.mark.parametrize("what", ["sd", "interval", "one_more"])
def test_one_run_is_refused_in_a_sentence(what):
    with pytest.raises(StatisticsError, match=r"1 finished run.*at least 2"):
        getattr(Cell("alone", (0.5,)), what)


def test_a_difference_of_one_run_is_refused():
    with pytest.raises(StatisticsError, match="at least 2"):
        difference(Cell("a", (0.5,)), Cell("b", (0.4,)))
    with pytest.raises(StatisticsError, match="each seed once"):
        Cell("a", (0.5, 0.6), seeds=(1, 1))
    with pytest.raises(StatisticsError, match="each seed once"):
        Cell("a", (0.5, 0.6), seeds=(0, 0, 1))


def test_holm_against_a_worked_example():
    def with_p(p):
        return replace(difference(Cell("a", (1.0, 2.0)), Cell("b", (1.0, 2.5))), p=p)

    table = holm({"a": with_p(0.01), "b": with_p(0.04), "c": with_p(0.03), "d": with_p(0.005)})
    assert {k: round(v.p, 4) for k, v in table.items()} == {
        "a": 0.03,
        "b": 0.06,
        "c": 0.06,
        "d": 0.02,
    }
    assert list(table) == ["a", "b", "c", "d"] and {d.questions for d in table.values()} == {4}


def test_not_worse():
    base = (0.5, 0.52, 0.48, 0.51, 0.49)

    def gap(*shifts):
        return difference(Cell("a", tuple(b + s for b, s in zip(base, shifts))), Cell("b", base))

    assert not_worse(gap(0.001, -0.001, 0.0, 0.002, -0.002), 0.01) is True
    assert not_worse(gap(-0.03, -0.031, -0.029, -0.03, -0.03), 0.01) is False
    assert not_worse(gap(-0.05, 0.05, 0.02, -0.03, 0.0), 0.01) is None


def test_rows_are_flat_and_hold_everything():
    table = rows(load_results("dying"))
    assert len(table) == 270
    first = table[0]
    assert {"width", "scale", "depth", "lr", "momentum", "steps", "seed", "dead_last"} <= set(first)
    assert all(not isinstance(v, (dict, list)) for v in first.values())
    by_numbers = summarise(load_results("dying"), "dead_last", by=("width", "scale", "lr"))
    by_label = summarise(load_results("dying"), "dead_last")
    assert by_numbers[1152, 1.0, 0.045].values == by_label["width 1152, scale 1, rate 0.045"].values
    assert by_numbers[1152, 1.0, 0.045].seeds == (0, 1, 2, 3, 4)


def test_jackknife_of_a_mean_is_its_interval():
    values = (1.0, 2.0, 4.0, 4.5, 7.0)
    left_out = [(sum(values) - v) / 4 for v in values]
    low, high = Cell("a", values).interval
    assert jackknife(left_out) == pytest.approx((high - low) / 2)


# --- Coverage at n = 5 ----------------------------------------------------------------------------


def covered(intervals, truth) -> float:
    return float(np.mean([low <= truth <= high for low, high in intervals]))


def test_the_t_interval_covers_what_it_says():
    random = np.random.default_rng(1)
    found = [Cell("", tuple(row)).interval for row in random.normal(0.4, 0.03, (DRAWS, 5))]
    assert covered(found, 0.4) == pytest.approx(0.95, abs=POINT)


@pytest.mark.parametrize("common", [0.0, 0.77])
def test_the_paired_difference_covers_what_it_says(common):
    """Also where the seeds make both alike, and then it is much narrower than Welch's."""
    random = np.random.default_rng(2)
    shared = random.normal(0, math.sqrt(common), (DRAWS, 5))
    own = random.normal(0, math.sqrt(1 - common), (2, DRAWS, 5))
    paired, apart = [], []
    for a, b in zip(1 + shared + own[0], shared + own[1]):
        a, b = Cell("a", tuple(a)), Cell("b", tuple(b))
        paired.append(difference(a, b))
        apart.append(difference(a, b, paired=False))
    assert covered([(d.low, d.high) for d in paired], 1) == pytest.approx(0.95, abs=POINT)
    width = [np.median([d.high - d.low for d in kind]) for kind in (paired, apart)]
    assert width[0] < 0.7 * width[1] or common == 0


@pytest.mark.parametrize("spreads", [(1, 1), (1, 2)])
def test_welch_covers_what_it_says(spreads):
    random = np.random.default_rng(3)
    a, b = (random.normal(0, s, (DRAWS, 5)) for s in spreads)
    gaps = [
        difference(Cell("a", tuple(x)), Cell("b", tuple(y)), paired=False) for x, y in zip(a, b)
    ]
    assert covered([(d.low, d.high) for d in gaps], 0) == pytest.approx(0.955, abs=POINT)


@pytest.mark.parametrize("typical, of", [(0.02, 1000), (0.1, 1000), (0.5, 1000), (0.97, 576)])
def test_the_interval_of_a_share_covers_the_typical_share(typical, of):
    """Counts whose logit differs from seed to seed, as accuracies and dead shares do."""
    random = np.random.default_rng(4)
    logits = math.log(typical / (1 - typical)) + random.normal(0, 0.4, (DRAWS, 5))
    counts = random.binomial(of, 1 / (1 + np.exp(-logits)))
    found = [Cell("", tuple(row / of)).share_interval(of) for row in counts]
    assert covered(found, typical) == pytest.approx(0.95, abs=POINT)
    assert all(0 <= low <= high <= 1 for low, high in found)


def test_a_share_that_was_never_seen_has_a_limit_all_the_same():
    low, high = Cell("", (0.0,) * 5).share_interval(72)
    assert low == 0 and high == pytest.approx(0.5218, abs=1e-3)  # 1 − 0.025^(1/5)
    assert Cell("", (1.0,) * 5).share_interval(72)[1] == 1


@pytest.mark.parametrize("p", [0.02, 0.2, 0.5])
def test_counts_of_runs_are_covered_at_least(p):
    inside = [low <= p <= high for low, high in (at_most_counts(k, 5) for k in range(6))]
    weights = stats.binom.pmf(range(6), 5, p)
    assert sum(w for w, i in zip(weights, inside) if i) >= 0.95
    with pytest.raises(StatisticsError, match="between 0 and n"):
        at_most_counts(6, 5)


def test_one_more_seed_falls_where_it_should():
    random = np.random.default_rng(5)
    draws = random.normal(0, 1, (DRAWS, 6))
    found = [Cell("", tuple(row[:5])).one_more for row in draws]
    inside = np.mean([low <= row[5] <= high for (low, high), row in zip(found, draws)])
    assert inside == pytest.approx(0.99, abs=0.006)


def test_holm_calls_a_difference_in_few_tables_without_one():
    """Six comparisons with one control in a table, none of them real."""
    random = np.random.default_rng(6)
    wrong = 0
    for table in random.normal(0, 1, (1500, 7, 5)):
        control, *others = (Cell(k, tuple(row)) for k, row in enumerate(table))
        found = holm({k: difference(cell, control) for k, cell in enumerate(others)})
        wrong += any(d.seen for d in found.values())
    assert wrong / 1500 < 0.06


def test_what_could_have_been_seen_is_seen_four_times_in_five():
    random = np.random.default_rng(7)
    base = Cell("", (0.0,) * 5)
    # From the spread that is there; with the true spread, so that nothing but the power is tried.
    spread = 0.03
    se = spread / math.sqrt(5)
    shift = replace(difference(Cell("", (0.0, 0.01) * 2 + (0.0,)), base), se=se).could_have_seen
    draws = random.normal(shift, spread, (DRAWS, 5))
    seen = np.mean([bool(difference(Cell("", tuple(row)), base).seen) for row in draws])
    assert seen == pytest.approx(0.8, abs=0.02)


def test_what_could_have_been_seen_among_several_questions_is_seen_four_times_in_five():
    """Three differences, of which two are not there at all: the third has to pass Holm."""
    random = np.random.default_rng(9)
    spread, base = 0.03, Cell("", (0.0,) * 5)
    some = replace(difference(Cell("", (0.0, 0.01) * 2 + (0.0,)), base), se=spread / math.sqrt(5))
    alone, among = some.could_have_seen, holm({k: some for k in "abc"})["a"].could_have_seen
    draws = random.normal([[[0], [0], [among]]], spread, (4000, 3, 5))
    seen = [
        bool(
            holm({k: difference(Cell("", tuple(row)), base) for k, row in enumerate(table)})[2].seen
        )
        for table in draws
    ]
    assert among > 1.2 * alone
    assert np.mean(seen) == pytest.approx(0.8, abs=0.03)


def test_the_one_sided_limit_of_not_worse_errs_in_one_of_twenty():
    """Truly worse by just the margin: called "not worse" in 5 of 100 experiments."""
    random = np.random.default_rng(8)
    base = Cell("", (0.0,) * 5)
    draws = random.normal(-0.01, 0.01, (DRAWS, 5))
    called = [not_worse(difference(Cell("", tuple(row)), base), 0.01) is True for row in draws]
    assert np.mean(called) == pytest.approx(0.05, abs=POINT)


def test_the_jackknife_of_an_ensembles_gain_covers_at_least_what_it_says():
    """Members of five seeds on the same 400 images: what averaging them saves."""
    random = np.random.default_rng(11)
    image = random.normal(size=(400, 4)) + [0.8, 0, 0, 0]  # the first class is the right one

    def experiment():
        # A seed has its own strength, and its own noise at every image.
        strength = 1 + 0.15 * random.normal(size=(5, 1, 1))
        answers = np.exp(strength * image + 1.2 * random.normal(size=(5, 400, 4)))
        answers /= answers.sum(-1, keepdims=True)
        alone = (answers.argmax(-1) != 0).mean(1)

        def gain(seeds):
            return alone[seeds].mean() - (answers[seeds].mean(0).argmax(-1) != 0).mean()

        return leave_one_out(gain, range(5))

    found = [experiment() for _ in range(400)]
    truth = float(np.mean([gap.mean for gap in found]))
    assert covered([(gap.low, gap.high) for gap in found], truth) >= 0.95


@pytest.mark.parametrize("p", [0.1, 0.4, 0.6, 0.9])
def test_wilsons_interval_of_a_share_of_images_covers_what_it_says(p):
    """Every count of 2,000 images, weighted by how often it comes up."""
    inside = [low <= p <= high for low, high in (interval(k, 2000) for k in range(2001))]
    weights = stats.binom.pmf(range(2001), 2000, p)
    assert weights @ inside == pytest.approx(0.95, abs=POINT)


@pytest.mark.parametrize("saved, spoiled", [(0.03, 0.02), (0.1, 0.06), (0.004, 0.004)])
def test_the_interval_of_two_ensembles_on_the_same_images_covers_what_it_says(saved, spoiled):
    random = np.random.default_rng(12)
    counts = random.multinomial(2000, (saved, spoiled, 1 - saved - spoiled), DRAWS)
    found = [Comparison(tuple(range(a)), tuple(range(b)), 2000).interval for a, b, _ in counts]
    assert covered(found, saved - spoiled) == pytest.approx(0.95, abs=POINT)


def test_the_predictors_interval_covers_somewhat_less_than_it_says():
    """40 settings of five runs, half of them dead: how often a dead one has the higher score."""
    random = np.random.default_rng(13)
    truth = stats.norm.cdf(1.5 / math.sqrt(2))

    def experiment():
        levels = random.normal(0, 0.8, 40) + 1.5 * (np.arange(40) % 2)
        cells = [
            [(level + random.normal(0, 0.6), bool(k % 2)) for _ in range(5)]
            for k, level in enumerate(levels)
        ]
        return _judged(cells, lambda score: score, random.integers(0, 40, (200, 40)))

    found = [experiment() for _ in range(300)]
    assert 0.86 <= covered([(judged.low, judged.high) for judged in found], truth) <= 0.97
