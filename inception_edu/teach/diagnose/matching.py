"""Which branch of an answer belongs to which of the figure, and which step to which step: the
pairs of least cost. No torch."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache

from inception_edu.teach.diagnose.faults import step_faults
from inception_edu.teach.diagnose.steps import Join, Sequence, Step

Pairs = tuple[tuple[int | None, int | None], ...]

GAP = 6.0  # a step that has no counterpart


@lru_cache(maxsize=50_000)
def _distance(a, e) -> float:
    """How much two items, or two sequences, differ."""
    if isinstance(a, tuple):
        return sum(_cost(a, e, i, j) for i, j in align(a, e))
    if isinstance(a, Join) != isinstance(e, Join):
        return GAP * (_weight(a) + _weight(e))
    if isinstance(a, Join):
        joined = (5.0 if a.kind != e.kind else 0.0) + (3.0 if a.dim != e.dim else 0.0)
        for i, j in assign(a.branches, e.branches):
            if i is None:
                joined += _alone(e.branches[j]) if j is not None else 0
            elif j is None:
                joined += _alone(a.branches[i])
            else:
                joined += _distance(a.branches[i], e.branches[j])
        return joined
    if a.kind != e.kind and not {a.kind, e.kind} <= {"max", "avg"}:
        return 14
    cost = sum(c for _, c in step_faults(a, e, None))
    # Filters that are nearly right belong together rather than filters that are far off.
    return cost + (
        abs(a.out - e.out) / (a.out + e.out) if a.out != e.out and a.kind == e.kind == "conv" else 0
    )


def _cost(a: Sequence, e: Sequence, i: int | None, j: int | None) -> float:
    """Of one pair of `align`."""
    if i is None:
        return GAP * _weight(e[j]) if j is not None else 0.0
    return GAP * _weight(a[i]) if j is None else _distance(a[i], e[j])


def _weight(item) -> float:
    if isinstance(item, Join):
        return 2 + sum(_weight(step) for branch in item.branches for step in branch)
    return 0.3 if item.kind in ("times", "relu") else 1


def _alone(branch: Sequence) -> float:
    return 8 + 2 * len(branch)


@lru_cache(maxsize=50_000)
def align(a: Sequence, e: Sequence) -> tuple[tuple[int | None, int | None], ...]:
    """Pairs of positions that belong together, in order; None where one side has nothing."""
    table: dict[tuple[int, int], tuple[float, Pairs]] = {(len(a), len(e)): (0.0, ())}
    for i in range(len(a), -1, -1):
        for j in range(len(e), -1, -1):
            ways: list[tuple[float, Pairs]] = []
            if i < len(a) and j < len(e):
                cost, rest = table[i + 1, j + 1]
                ways.append((cost + _distance(a[i], e[j]), ((i, j), *rest)))
            if i < len(a):
                cost, rest = table[i + 1, j]
                ways.append((cost + GAP * _weight(a[i]), ((i, None), *rest)))
            if j < len(e):
                cost, rest = table[i, j + 1]
                ways.append((cost + GAP * _weight(e[j]), ((None, j), *rest)))
            if ways:
                table[i, j] = min(ways, key=lambda way: way[0])
    return table[0, 0][1]


@lru_cache(maxsize=50_000)
def assign(
    a: tuple[Sequence, ...], e: tuple[Sequence, ...]
) -> tuple[tuple[int | None, int | None], ...]:
    """Each branch of `a` with the branch of `e` that it most resembles, in the order of `a`."""

    @cache
    def best(i: int, free: frozenset[int]):
        if i == len(a):
            return sum(_alone(e[j]) for j in free), tuple((None, j) for j in sorted(free))
        ways = []
        for j in sorted(free):
            cost, rest = best(i + 1, free - {j})
            ways.append((cost + _distance(a[i], e[j]) + 0.01 * abs(i - j), ((i, j), *rest)))
        if len(a) - i > len(free):
            cost, rest = best(i + 1, free)
            ways.append((cost + _alone(a[i]), ((i, None), *rest)))
        return min(ways, key=lambda way: way[0])

    return best(0, frozenset(range(len(e))))[1]


def pairs(answer: Sequence, expected: Sequence) -> Iterator[tuple[Step, Step]]:
    """The steps of two sequences without differences, each with its counterpart."""
    for i, j in align(answer, expected):
        assert i is not None and j is not None, "the sequences differ"
        a, e = answer[i], expected[j]
        if isinstance(a, Join):
            for m, n in assign(a.branches, e.branches):
                assert m is not None and n is not None, "the sequences differ"
                yield from pairs(a.branches[m], e.branches[n])
        else:
            yield a, e


def order(answer: Sequence, expected: Sequence) -> list[int]:
    """For a block that is one join: the position in `expected` of each branch of `answer`; else an
    empty list."""
    if (
        len(answer) == len(expected) == 1
        and isinstance(answer[0], Join)
        and isinstance(expected[0], Join)
    ):
        return [j for _, j in assign(answer[0].branches, expected[0].branches) if j is not None]
    return []
