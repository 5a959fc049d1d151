"""What crops and members save, image by image and seed by seed (C9). Errors and gains are shares:
0.01 is one point.

    members = Answers.of(load_results("race"))
    crop_gain(members, "inception_v4", "1 crop", "12 crops").text()
    together_gain(members, "inception_v4", "1 crop").text()
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor

from inception_edu.learn import agreement, right
from inception_edu.study.answers import Answers
from inception_edu.study.statistics import (
    Cell,
    Difference,
    StatisticsError,
    difference,
    leave_one_out,
)


def misses(answers: Answers, group: Sequence[int], crops: str) -> Tensor:
    """For each image the share of these members that miss it, each asked alone: N."""
    return torch.stack([answers.wrong([i], crops) for i in group]).double().mean(0)


def _with_seeds(answers: Answers, kind: str, seeds: Sequence[int]) -> list[int]:
    return [i for i in answers.of_kind(kind) if answers.seeds[i] in seeds]


def _seeds(answers: Answers, kind: str) -> list[int]:
    return [answers.seeds[i] for i in answers.of_kind(kind)]


def crop_gain(answers: Answers, kind: str, before: str, after: str) -> Difference:
    """How much error a network saves with other crops, paired by seed."""
    group, seeds = answers.of_kind(kind), tuple(_seeds(answers, kind))
    old, new = (
        Cell(crops, tuple(answers.error([i], crops) for i in group), seeds)
        for crops in (before, after)
    )
    return difference(old, new)


def mean_crop_gain(answers: Answers, before: str, after: str) -> Difference:
    """The same as the mean over all networks, which have to have the same seeds."""
    seeds = _shared_seeds(answers)

    def cell(crops: str) -> Cell:
        groups = [_with_seeds(answers, kind, seeds) for kind in answers.networks]
        errors = zip(*([answers.error([i], crops) for i in group] for group in groups))
        return Cell(crops, tuple(sum(row) / len(row) for row in errors), tuple(seeds))

    return difference(cell(before), cell(after))


def together_instead(answers: Answers, crops: str) -> Difference:
    """How much lower the error of all seeds together with one crop each is than that of one network
    with `crops`: mean over the networks, which have to have the same seeds. The interval leaves out
    one seed at a time."""

    def value(seeds: list[int]) -> float:
        groups = [_with_seeds(answers, kind, seeds) for kind in answers.networks]
        gaps = [
            misses(answers, group, crops).mean().item() - answers.error(group, "1 crop")
            for group in groups
        ]
        return sum(gaps) / len(gaps)

    return leave_one_out(value, _shared_seeds(answers))


def _shared_seeds(answers: Answers) -> list[int]:
    first, *others = (_seeds(answers, kind) for kind in answers.networks)
    if any(seeds != first for seeds in others):
        raise StatisticsError("A mean over networks needs the same seeds of each of them.")
    return first


def together_gain(answers: Answers, kind: str, crops: str) -> Difference:
    """How much lower the error of all seeds together is than that of one of them, on average. The
    interval leaves out one seed at a time."""

    def value(seeds: list[int]) -> float:
        group = _with_seeds(answers, kind, seeds)
        return misses(answers, group, crops).mean().item() - answers.error(group, crops)

    return leave_one_out(value, _seeds(answers, kind))


def steps(
    answers: Answers, a: str, b: str, crops: str, seeds: Sequence[int]
) -> tuple[float, float]:
    """From network a to network b: error saved by one network, and by all its seeds together."""
    first, second = (_with_seeds(answers, kind, seeds) for kind in (a, b))
    alone = misses(answers, first, crops) - misses(answers, second, crops)
    together = answers.error(first, crops) - answers.error(second, crops)
    return alone.mean().item(), together


def lost_gain(answers: Answers, a: str, b: str, crops: str) -> Difference:
    """What of the single network's gain from a to b does not reach the ensemble; above 0 where the
    ensemble gains less."""

    def value(seeds: list[int]) -> float:
        alone, together = steps(answers, a, b, crops, seeds)
        return alone - together

    return leave_one_out(value, _seeds(answers, a))


def slope(answers: Answers, crops: str, seeds: Sequence[int] | None = None) -> float:
    """What a point gained by the single network is worth in the ensemble, over all networks: the
    slope of the ensembles' errors against their members' mean errors."""
    points = []
    for kind in answers.networks:
        group = _with_seeds(answers, kind, seeds or _seeds(answers, kind))
        points.append((misses(answers, group, crops).mean(), answers.error(group, crops)))
    single, together = torch.tensor(points, dtype=torch.float64).T
    away = single - single.mean()
    return (away @ (together - together.mean()) / (away @ away)).item()


def choices(pool: Sequence[int], size: int, most: int = 30, seed: int = 0) -> list[tuple[int, ...]]:
    """All choices of `size` members where there are at most `most`, else `most` random ones."""
    if 0 < math.comb(len(pool), size) <= most:
        return list(combinations(pool, size))
    rng = random.Random(f"{seed} {size}")
    return [tuple(rng.sample(list(pool), size)) for _ in range(most)]


def missed_by(answers: Answers, crops: str = "1 crop") -> tuple[list[float], list[float]]:
    """Shares of the images that 0, 1, … M members miss; and what they would be if members erred
    independently, each with its own error."""
    wrong = torch.stack([answers.wrong([i], crops) for i in range(len(answers))]).double()
    counts = torch.bincount(wrong.sum(0).long(), minlength=len(answers) + 1).double()
    alone = [1.0]
    for error in wrong.mean(1).tolist():
        stays = [share * (1 - error) for share in alone] + [0.0]
        grows = [0.0] + [share * error for share in alone]
        alone = [a + b for a, b in zip(stays, grows)]
    return (counts / counts.sum()).tolist(), alone


def disagreement(answers: Answers, crops: str = "1 crop") -> float:
    """Mean share of the images that exactly one of two members names rightly, over all pairs."""
    columns = [right(row, answers.labels) for row in answers.rows[crops]]
    found = [agreement(a, b)["disagreement"] for a, b in combinations(columns, 2)]
    return sum(found) / len(found)


def yules_q(answers: Answers, order: Sequence[int], crops: str = "1 crop") -> Tensor:
    """Yule's Q of every pair of members in this order, M×M, with 1 on the diagonal."""
    columns = [right(answers.rows[crops][i], answers.labels) for i in order]
    found = torch.ones(len(order), len(order))
    for i, j in combinations(range(len(order)), 2):
        found[i, j] = found[j, i] = agreement(columns[i], columns[j])["q"]
    return found


def dealt_as_large(
    values: Tensor, names: Sequence[str], deals: int = 2000
) -> tuple[float, int, float]:
    """M×M values of pairs, M names: the mean of pairs of one name minus that of pairs of two, in
    how many of `deals` random deals of the names it is as large, and what it takes to be larger
    than 39 of 40 deals."""
    upper = torch.ones_like(values, dtype=torch.bool).triu(1)
    kinds = torch.tensor([sorted(set(names)).index(name) for name in names])

    def contrast(dealt: Tensor) -> float:
        same = dealt[:, None] == dealt[None, :]
        return (values[upper & same].mean() - values[upper & ~same].mean()).item()

    observed, generator = contrast(kinds), torch.Generator().manual_seed(0)
    orders = (torch.randperm(len(names), generator=generator) for _ in range(deals))
    dealt = sorted((contrast(kinds[order]) for order in orders), reverse=True)
    return observed, sum(each >= observed for each in dealt), dealt[deals // 40]
