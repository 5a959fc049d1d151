"""Random filters on the `scales` pictures: costs, repeatability, and the committed runs."""

import pytest
import torch

from inception_edu.describe import Conv, measure
from inception_edu.study.kernel_sizes import (
    SAME_COST,
    SAME_FILTERS,
    SIZES,
    committed,
    fit,
    multiply_adds,
    pictures,
    see,
)


def test_costs_are_those_of_the_convolutions():
    for kernels, filters in SAME_FILTERS + SAME_COST:
        share = filters // len(kernels)
        norms = 2 * share * len(kernels)  # `measure` counts the batch norm, these filters have none
        cost = sum(measure(Conv(share, k, 2), (3, 32, 32)).macs for k in kernels) - norms
        assert multiply_adds(kernels, filters) == cost
    costs = [multiply_adds(*cell) for cell in SAME_COST]
    assert max(costs) < 1.06 * min(costs)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others():
    data = tuple(part[:300] for part in pictures(0))
    first, again, other = (see((3, 9), 8, seed, data) for seed in (0, 0, 1))
    sizes = (*SIZES, "all")
    assert [first[s] for s in sizes] == [again[s] for s in sizes] != [other[s] for s in sizes]
    assert first["all"] > 0.15


def test_what_cannot_be_seen_is_not_seen():
    train, test = (part[:300] for part in pictures(0))
    generator = torch.Generator().manual_seed(0)
    train.labels.copy_(train.labels[torch.randperm(300, generator=generator)])
    assert see((3,), 8, 0, (train, test))["all"] < 0.2


def test_fit_separates_what_is_separable():
    labels = torch.arange(10).repeat(20)
    features = torch.nn.functional.one_hot(labels, 10).float() + 0.05 * torch.randn(200, 10)
    assert (fit(features, labels)(features) == labels).float().mean() > 0.95


@pytest.mark.parametrize("kernels, filters", [((), 8), ((2,), 8), ((3, 5), 1), ((0,), 4)])
def test_impossible_kernels_are_refused(kernels, filters):
    with pytest.raises(ValueError, match="odd sizes"):
        see(kernels, filters)


def test_the_committed_runs_are_whole():
    cells, facts = committed()
    assert set(cells) == set(SAME_FILTERS + SAME_COST) and len(facts["seeds"]) >= 5
    assert facts["device"] and facts["versions"]["torch"] and facts["data"]
    for cell in cells.values():
        assert all(len(values) == len(facts["seeds"]) for values in cell.accuracy.values())


def test_a_committed_run_is_found_again():
    cells, _ = committed()
    again = see((3,), 48, seed=0)
    assert all(
        again[size] == pytest.approx(cells[(3,), 48].accuracy[size][0], abs=0.02) for size in SIZES
    )
