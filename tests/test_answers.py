"""Ensembles of recorded answers: their numbers against sums by hand."""

import base64
import random
from dataclasses import replace

import numpy as np
import pytest
import torch

from inception_edu.learn import (
    bootstrap,
    ensemble,
    error_correlation,
    error_rate,
    interval,
)
from inception_edu.study.answers import (
    Answers,
    Comparison,
    best_member,
    compare,
    mixtures,
    outcome,
    words_for,
)
from inception_edu.study.config import Config
from inception_edu.study.results import load_results

CROPS = ("1 crop", "12 crops", "144 crops")
MEMBERS = [
    (kind, seed)
    for kind in ("inception_v3", "inception_v4", "inception_resnet_v2")
    for seed in range(5)
]


def answers(members=MEMBERS, images=200, seed=0) -> Answers:
    """Made-up answers that are right about half of the time."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(images) % 10
    rows = {crops: torch.randn(len(members), images, 10, generator=generator) for crops in CROPS}
    for table in rows.values():
        table[:, torch.arange(images), labels] += 1.5
    kinds, seeds = zip(*members)
    return Answers(labels, kinds, seeds, rows)


def as_result(labels, rows, kind="inception_v4", seed=0, kept=True):
    """A result whose run kept these answers, encoded here."""

    def text(array):
        return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()

    extras = {
        "labels": text(np.array(labels, dtype=np.uint8)),
        "images": len(labels),
        **{
            crops: {"rows": text(np.array(table, dtype=np.float16)), "seconds": 1.0}
            for crops, table in rows.items()
        },
    }
    config = Config("made up", kind, dict(image=28), seed=seed, after="crops")
    return replace(load_results("embedded")[0], config=config, extras=extras if kept else {})


# --- Answers --------------------------------------------------------------------------------------

# Four images of class 0, two classes. Shares of class 0: the first member's, then the second's.
ONE, TWO = [0.9, 0.6, 0.4, 0.3], [0.2, 0.3, 0.7, 0.6]


def logs(shares):
    return np.log([[p, 1 - p] for p in shares])


def by_hand() -> Answers:
    flat = logs([0.6] * 4)
    results = [
        as_result([0] * 4, {"1 crop": logs(ONE), "12 crops": flat, "144 crops": flat}),
        as_result(
            [0] * 4,
            {"1 crop": logs(TWO), "12 crops": flat, "144 crops": flat},
            "inception_resnet_v2",
            3,
        ),
        as_result([0] * 4, {}, seed=9, kept=False),
    ]
    return Answers.of(results)


def test_answers_are_read_from_results_and_averaged_as_shares():
    """Means 0.55, 0.45, 0.55, 0.45: the second and the last image are missed."""
    a = by_hand()
    assert len(a) == 2 and a.kinds == ("inception_v4", "inception_resnet_v2") and a.seeds == (0, 3)
    assert a.shares["1 crop"].shape == (2, 4, 2)
    assert a.wrong([0, 1], "1 crop").tolist() == [False, True, False, True]
    assert a.error([0], "1 crop") == 0.5 and a.error([0, 1], "12 crops") == 0.0


def test_outcome_by_hand():
    """Each member misses two images, and they never miss the same one."""
    o = outcome(by_hand(), [0, 1], "1 crop")
    assert (o.error, o.members, o.disagreement, o.q) == (0.5, (0.5, 0.5), 1.0, -1.0)
    assert o.interval == interval(2, 4) and o.gain_on_best == o.gain_on_mean == 0.0
    single = outcome(by_hand(), [1], "12 crops")
    assert (single.error, single.disagreement, single.q) == (0.0, None, None)
    with pytest.raises(ValueError, match="at least one"):
        outcome(by_hand(), [], "1 crop")


@pytest.mark.parametrize("chosen", [[3], [0, 7], [0, 5, 6, 7], list(range(15))])
@pytest.mark.parametrize("crops", CROPS)
def test_errors_are_those_of_the_packages_ensemble(chosen, crops):
    a = answers()
    o = outcome(a, chosen, crops)
    members = [a.rows[crops][i] for i in chosen]
    assert o.error == pytest.approx(error_rate(ensemble(members), a.labels))
    assert o.members == pytest.approx([error_rate(member, a.labels) for member in members])
    assert o.gain_on_best == pytest.approx(min(o.members) - o.error)
    assert o.gain_on_mean == pytest.approx(sum(o.members) / len(chosen) - o.error)
    if len(chosen) > 1:
        together = error_correlation(members, a.labels)
        assert (o.disagreement, o.q) == (together["disagreement"], together["q"])


def test_answers_that_do_not_fit_together_are_refused():
    with pytest.raises(ValueError, match='after="crops"'):
        Answers.of([as_result([0] * 4, {}, kept=False)])
    one = {crops: logs(ONE) for crops in CROPS}
    with pytest.raises(ValueError, match="different test images"):
        Answers.of([as_result([0] * 4, one), as_result([0, 0, 0, 1], one)])


def test_members_are_named():
    a = answers()
    assert words_for(a, [5, 10, 11]) == "Inception-v4 (seed 0) + Inception-ResNet-v2 (seeds 0, 1)"
    assert words_for(a, [2]) == "Inception-v3 (seed 2)"
    assert words_for(a, range(15)) == "all 15 members" and words_for(a, []) == "nobody"


def test_what_images_could_have_shown_is_seen_four_times_in_five():
    images, share = 2000, 0.03  # only one of the two names so many rightly
    none = Comparison(tuple(range(60)), tuple(range(60)), images)
    assert none.seen == "" and 0.01 < none.could_have_seen < 0.02
    # As many images on which they differ, and that gain between the two.
    shift, draw = none.could_have_seen / 2, random.Random(0)
    seen = 0
    for _ in range(400):
        kinds = draw.choices((1, -1, 0), (share + shift, share - shift, 1 - 2 * share), k=images)
        saved, spoiled = (tuple(range(kinds.count(kind))) for kind in (1, -1))
        seen += Comparison(saved, spoiled, images).seen == "better"
    assert 0.74 < seen / 400 < 0.86


def test_a_comparison_by_hand():
    """The first member names images 0 and 1, the second 2 and 3; together 0 and 2."""
    a = by_hand()
    found = compare(a, ([0, 1], "1 crop"), ([0], "1 crop"))
    assert (found.saved, found.spoiled, found.images) == ((2,), (1,), 4)
    assert found.gain == 0 and found.seen == ""
    sentence = found.sentence("the pair", "the first")
    assert sentence.startswith("These 4 images show no difference between the pair and the first")
    assert "saves 1 image and spoils 1" in sentence and "points would show)" in sentence
    better = compare(a, ([0], "12 crops"), ([0], "1 crop"))
    assert better.saved == (2, 3) and better.spoiled == () and better.gain == 0.5
    with pytest.raises(ValueError, match="at least one"):
        compare(a, ([], "1 crop"), ([0], "1 crop"))
    assert best_member(a, [0, 1], "1 crop") == 0


def test_the_interval_of_a_comparison_is_that_of_redrawn_images():
    a = answers(images=1000)
    found = compare(a, (list(range(15)), "1 crop"), ([0], "1 crop"))
    columns = [~a.wrong(list(range(15)), "1 crop"), ~a.wrong([0], "1 crop")]
    low, high = bootstrap(columns[0].double() - columns[1].double())
    assert found.interval == pytest.approx((low, high), abs=0.006)
    assert found.seen == "better" and "is better than" in found.sentence("all", "one")
    assert found.gain == pytest.approx(a.error([0], "1 crop") - a.error(range(15), "1 crop"))


def test_mixtures_worth_a_look():
    found = mixtures(answers())
    assert found["the paper's: 1 × Inception-v4 + 3 × Inception-ResNet-v2"] == (5, 10, 11, 12)
    assert found["4 × Inception-v3"] == (0, 1, 2, 3) and found["one of each network"] == (0, 5, 10)
    assert found["all 15 members"] == tuple(range(15))
