"""What crops and members save: against sums by hand on made-up answers."""

import pytest
import torch

from inception_edu.study import StatisticsError, gains, leave_one_out
from inception_edu.study.answers import Answers

RIGHT, WRONG = [5.0, 0.0], [0.0, 5.0]


def answers(columns: dict[tuple[str, int], list[list[int]]]) -> Answers:
    """Members by (kind, seed) → for each kind of crop, 1 where an image is named rightly."""
    rows = {}
    for place, crops in enumerate(("1 crop", "12 crops")):
        said = [[RIGHT if ok else WRONG for ok in found[place]] for found in columns.values()]
        rows[crops] = torch.tensor(said)
    kinds, seeds = zip(*columns)
    images = len(next(iter(columns.values()))[0])
    return Answers(torch.zeros(images, dtype=torch.long), kinds, seeds, rows)


THREE = answers(
    {
        ("inception_v3", 0): [[1, 1, 0, 0], [1, 1, 1, 0]],
        ("inception_v3", 1): [[1, 0, 1, 0], [1, 1, 1, 0]],
        ("inception_v3", 2): [[0, 1, 1, 0], [0, 1, 1, 1]],
    }
)


def test_the_share_of_members_that_miss_each_image():
    found = gains.misses(THREE, [0, 1, 2], "1 crop")
    assert found.tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1])


def test_crops_are_compared_seed_by_seed():
    gap = gains.crop_gain(THREE, "inception_v3", "1 crop", "12 crops")
    assert gap.counted == "pairs" and gap.n == 3
    assert gap.mean == pytest.approx(0.25) and gap.se == 0  # each seed saves one image of four


def test_a_vote_of_three_saves_what_one_of_them_misses():
    gap = gains.together_gain(THREE, "inception_v3", "1 crop")
    assert gap.mean == pytest.approx(0.5 - 0.25)  # two of four each; together all but the last


TWO = answers(
    {
        ("inception_v3", 0): [[1, 1, 0, 0], [1, 1, 1, 0]],
        ("inception_v3", 1): [[1, 0, 1, 0], [1, 1, 1, 0]],
        ("inception_v3", 2): [[0, 1, 1, 0], [0, 1, 1, 1]],
        ("inception_v4", 0): [[1, 1, 1, 1], [1, 1, 1, 1]],
        ("inception_v4", 1): [[1, 1, 1, 1], [1, 1, 1, 1]],
        ("inception_v4", 2): [[1, 1, 1, 0], [1, 1, 1, 1]],
    }
)


def test_the_mean_over_networks_keeps_the_seeds_apart():
    gap = gains.mean_crop_gain(TWO, "1 crop", "12 crops")
    # Seeds 0 and 1 save a quarter in one network of two, seed 2 in both.
    assert (
        gap.counted == "pairs"
        and gap.n == 3
        and gap.mean == pytest.approx((0.125 + 0.125 + 0.25) / 3)
    )


def test_all_seeds_with_one_crop_against_one_network_with_many():
    # Together: v3 misses one image of four, v4 none. One of them with one crop misses 1/2 and 1/12.
    gap = gains.together_instead(TWO, "1 crop")
    assert gap.mean == pytest.approx((0.5 - 0.25 + 1 / 12) / 2)
    # With twelve crops one of v3 misses a quarter, as all together do with one crop.
    assert gains.together_instead(TWO, "12 crops").mean == pytest.approx(0)
    kept = Answers(TWO.labels, TWO.kinds, (0, 1, 2, 0, 1, 5), TWO.rows)
    for ask in (
        lambda: gains.together_instead(kept, "1 crop"),
        lambda: gains.mean_crop_gain(kept, "1 crop", "12 crops"),
    ):
        with pytest.raises(StatisticsError, match="same seeds"):
            ask()


def test_how_many_miss_an_image_and_what_independent_ones_would():
    found, alone = gains.missed_by(THREE)
    assert found == pytest.approx([0, 0.75, 0, 0.25])
    assert alone == pytest.approx([1 / 8, 3 / 8, 3 / 8, 1 / 8])  # each errs on half


def test_the_jackknife_of_a_mean_is_its_t_interval():
    values = {0: 1.0, 1: 2.0, 2: 4.0, 3: 5.0}
    gap = leave_one_out(lambda kept: sum(values[s] for s in kept) / len(kept), list(values))
    spread = torch.tensor(list(values.values())).std().item()
    assert gap.mean == 3 and gap.se == pytest.approx(spread / 2) and gap.degrees == 3
    assert gap.high - gap.mean == pytest.approx(3.182446 * spread / 2)
    with pytest.raises(StatisticsError):
        leave_one_out(lambda kept: 1.0, [0])


def test_seeds_that_agree_carry_gains_over_whole():
    points = {"inception_v3": 1, "inception_v4": 0}  # images out of four that one seed misses more
    made = answers(
        {
            (kind, seed): [[1, 1, 1, 1 - more]] * 2
            for kind, more in points.items()
            for seed in range(2)
        }
    )
    assert gains.slope(made, "1 crop") == pytest.approx(1)  # the seeds agree: gains carry over
    assert gains.steps(made, "inception_v3", "inception_v4", "1 crop", [0, 1]) == (0.25, 0.25)
    assert gains.lost_gain(made, "inception_v3", "inception_v4", "1 crop").mean == 0


def test_all_choices_or_thirty_random_ones():
    assert len(gains.choices(range(5), 2)) == 10
    assert len(set(gains.choices(range(20), 10))) == 30
    assert len(gains.choices(range(20), 20)) == 1
    assert len(set(gains.choices(range(20), 19))) == len(gains.choices(range(20), 19)) == 20


def test_names_that_matter_are_found_by_dealing_them_out():
    names = ["a"] * 5 + ["b"] * 5
    same = torch.tensor([[float(x == y) for x in names] for y in names])
    observed, as_large, least = gains.dealt_as_large(same, names, deals=200)
    assert observed == 1 and as_large < 10 and 0 < least < 1
    # Names that say nothing: the value that they would need lies above most deals.
    noise = torch.randn(10, 10, generator=torch.Generator().manual_seed(0))
    observed, as_large, least = gains.dealt_as_large(noise + noise.T, names, deals=200)
    assert (observed > least) == (as_large <= 5)
