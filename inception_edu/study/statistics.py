"""What a set of runs says, and how sure it is.

    rows(results)                              flat rows: arguments, recipe, seed, values
    cells = summarise(results, "dead_last")    by label; or by=("width", "scale") by their values
    difference(cells[a], cells[b])             paired by seed where both have the same seeds
    holm({label: difference, …})               the same with Holm's correction within one table

Every interval says what it covers, and a test simulates that it does. An interval needs two runs at
least: one run is refused in a sentence.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

from scipy import optimize, stats

from inception_edu.study.results import Result

Key = TypeVar("Key", bound=Hashable)

LEVEL, POWER = 0.95, 0.8


class StatisticsError(ValueError):
    """Runs from which this cannot be concluded. The message says what is missing."""


# --- Rows and cells -------------------------------------------------------------------------------

VALUES = ("accuracy", "dead_last", "dead_most", "final_loss")


def rows(results: Iterable[Result]) -> list[dict]:
    """One flat row a run: label, network, data, change, init, judge, status, every argument of the
    network, every field of the recipe, the seed, and the values (None where the run has none)."""
    table = []
    for result in results:
        config = result.config
        row = {"label": config.label, "network": config.network, "data": result.data["name"]}
        row |= {name: getattr(config, name) for name in ("change", "init", "judge")}
        row |= asdict(config.recipe) | dict(config.arguments)
        row |= {"seed": result.seed, "status": result.status}
        row |= {value: getattr(result, value) for value in VALUES}
        table.append(row)
    return table


@dataclass(frozen=True)
class Cell:
    """The runs of one setting: one value a seed.

    lost    how many runs have no value, by their status ("diverged", "stopped"): they are not in
            `values`, and every text names them
    """

    label: Hashable
    values: tuple[float, ...]
    seeds: tuple[int, ...] = ()
    lost: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self):
        if not self.seeds:
            object.__setattr__(self, "seeds", tuple(range(len(self.values))))
        if not len(set(self.seeds)) == len(self.seeds) == len(self.values):
            raise StatisticsError(
                f"The cell {self.label!r} needs one value for each of its seeds, each seed once: "
                f"it has {len(self.values)} values and the seeds {self.seeds}."
            )

    @property
    def n(self) -> int:
        """How many runs have a value."""
        return len(self.values)

    @property
    def mean(self) -> float:
        """The mean over seeds."""
        self._at_least(1)
        return math.fsum(self.values) / self.n

    @property
    def sd(self) -> float:
        """Standard deviation over seeds (n − 1)."""
        self._at_least(2)
        return math.sqrt(math.fsum((v - self.mean) ** 2 for v in self.values) / (self.n - 1))

    @property
    def interval(self) -> tuple[float, float]:
        """95 % t interval of the mean: for values that spread like a bell curve."""
        half = _t(self.n - 1) * self.sd / math.sqrt(self.n)
        return self.mean - half, self.mean + half

    @property
    def one_more(self) -> tuple[float, float]:
        """Where one more seed should fall: the 99 % prediction interval, at least what has been
        seen."""
        half = _t(self.n - 1, 0.99) * self.sd * math.sqrt(1 + 1 / self.n)
        return min(self.mean - half, *self.values), max(self.mean + half, *self.values)

    def share_interval(self, of: int) -> tuple[float, float]:
        """95 % interval of the typical share, for values that are counts of `of` and may lie near 0
        or 1: a t interval of the logits of (count + ½)/(of + 1), so it never leaves 0 to 1.

        Seeds that all gave 0 (or 1) have no spread that could be measured; then the limit is that
        of 0 of n seeds (Clopper and Pearson), which holds however the shares are spread.
        """
        self._at_least(2)
        counts = [v * of for v in self.values]
        if len(set(self.values)) == 1 and self.values[0] in (0, 1):
            return at_most_counts(round(math.fsum(self.values)), self.n)
        logits = [math.log((k + 0.5) / (of - k + 0.5)) for k in counts]
        low, high = Cell(self.label, tuple(logits)).interval
        return 1 / (1 + math.exp(-low)), 1 / (1 + math.exp(-high))

    def text(self, percent: bool = True) -> str:
        """For example "61 % (51 % to 69 %, 5 seeds)": mean, smallest and largest; runs without a
        value are named."""
        lost = "".join(f", {count} {status}" for status, count in self.lost.items())
        if not self.n:
            return f"no value ({lost[2:] or 'no runs'})"
        ends = (self.mean, min(self.values), max(self.values))
        mean, low, high = (f"{100 * x:.0f} %" if percent else f"{x:.3g}" for x in ends)
        return f"{mean} ({low} to {high}, {self.n} {'seed' if self.n == 1 else 'seeds'}{lost})"

    def _at_least(self, n: int) -> None:
        if self.n < n:
            lost = "".join(f", {count} {status}" for status, count in self.lost.items())
            raise StatisticsError(
                f"The cell {self.label!r} has {self.n} finished run(s){lost}: this needs at least "
                f"{n}. Run more seeds."
            )


def summarise(
    results: Iterable[Result],
    value: str | Callable[[Result], float | None] = "accuracy",
    by: Sequence[str] | None = None,
) -> dict[Any, Cell]:
    """Every cell, in the order of the results, by its label; with `by`, names of columns of `rows`,
    by the tuple of these (None where a run has no such argument).

    `value` is an attribute of a result or a function. Runs without a value are counted in
    `Cell.lost`. Raises `StatisticsError` for an unknown name in `by`.
    """
    get = value if callable(value) else lambda result: getattr(result, value)
    results = list(results)
    keys: list[Hashable] = [r.label for r in results]
    if by:
        table = rows(results)
        if unknown := [name for name in by if not any(name in row for row in table)]:
            raise StatisticsError(f"No run has {unknown[0]!r}; `rows` shows what they have.")
        keys = [tuple(row.get(name) for name in by) for row in table]
    groups: dict[Hashable, list[Result]] = {}
    for key, result in zip(keys, results):
        groups.setdefault(key, []).append(result)
    return {key: _cell(key, group, get) for key, group in groups.items()}


def _cell(key: Hashable, group: list[Result], get: Callable) -> Cell:
    found = [(result, get(result)) for result in group]
    lost = Counter(result.status for result, value in found if value is None)
    kept = [(result.seed, value) for result, value in found if value is not None]
    return Cell(key, tuple(v for _, v in kept), tuple(s for s, _ in kept), dict(lost))


# --- Differences ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """A difference of means, with the 95 % interval.

    p         two-sided, of no difference; after `holm` corrected within its table
    n         how many it rests on (of two cells without pairs, the smaller one's runs)
    counted   what n counts: "pairs", "seeds each", or "seeds" that are left out in turn
    se        standard error of `mean`;   degrees: of freedom
    lost      runs of either cell that have no value
    questions how many were asked together and corrected for each other (`holm`)
    of        (label, seed) of every run that it rests on
    """

    mean: float
    low: float
    high: float
    p: float
    n: int
    counted: str
    se: float
    degrees: float
    lost: int = 0
    questions: int = 1
    of: frozenset = frozenset()

    @property
    def seen(self) -> str:
        """ "more", "less", or "" where these runs show no difference."""
        if self.p >= 1 - LEVEL:
            return ""
        return "more" if self.mean > 0 else "less"

    @property
    def corrected(self) -> bool:
        """Whether the correction for several questions alone keeps it from being seen."""
        return not self.seen and (self.low > 0 or self.high < 0)

    @property
    def could_have_seen(self) -> float:
        """The smallest difference that four of five such experiments would have shown: what "no
        difference seen" is worth. Of several questions asked together it is the one that has to
        pass Holm's first and strictest step."""
        if self.se == 0:
            return 0.0
        point = _t(self.degrees, 1 - (1 - LEVEL) / self.questions)
        return self.se * optimize.brentq(
            lambda shift: stats.nct.sf(point, self.degrees, shift) - POWER, 0, 50 + 10 * point
        )

    def below(self, level: float = LEVEL) -> float:
        """One-sided lower limit: the difference is above it, with this confidence."""
        return self.mean - stats.t.ppf(level, self.degrees) * self.se

    def above(self, level: float = LEVEL) -> float:
        """One-sided upper limit."""
        return self.mean + stats.t.ppf(level, self.degrees) * self.se

    def text(self, unit: str = "points", factor: float = 100) -> str:
        """For example "+3.3 points (95 % interval +1.7 to +4.9, 5 pairs)"."""
        of = f"{self.n} {self.counted}"
        if self.lost:
            of += f", {self.lost} {'run' if self.lost == 1 else 'runs'} without a value"
        # Adding 0 makes −0.0 a 0.0.
        mean, low, high = (round(factor * x, 1) + 0.0 for x in (self.mean, self.low, self.high))
        return f"{mean:+.1f} {unit} (95 % interval {low:+.1f} to {high:+.1f}, {of})"

    def word(self, more: str = "better", less: str = "worse", factor: float = 100) -> str:
        """`more`, `less`, or "no difference seen": what could be seen, and what `corrected` it."""
        if self.seen:
            return more if self.seen == "more" else less
        least = factor * self.could_have_seen
        before = f"corrected for {self.questions} questions: " if self.corrected else ""
        return f"{before}no difference seen (these runs can show {least:.1f} points or more)"


def difference(a: Cell, b: Cell, paired: bool | None = None) -> Difference:
    """Mean of a − mean of b. Paired by seed where both cells have the same seeds (a seed fixes the
    order of the images and the first weights, so what is common to both drops out); else Welch's.

    `paired=True` compares the seeds that both have. Raises StatisticsError where fewer than two
    pairs, or two runs of either, are there.
    """
    lost = sum(a.lost.values()) + sum(b.lost.values())
    of = frozenset((cell.label, seed) for cell in (a, b) for seed in cell.seeds)
    if paired is None:
        paired = set(a.seeds) == set(b.seeds)
    if paired:
        of_b = dict(zip(b.seeds, b.values))
        gaps = [v - of_b[s] for s, v in zip(a.seeds, a.values) if s in of_b]
        gap = Cell(f"{a.label} − {b.label}", tuple(gaps))
        gap._at_least(2)
        return _difference(gap.mean, gap.sd / gap.n**0.5, gap.n - 1, gap.n, "pairs", lost, of)
    parts = [c.sd**2 / c.n for c in (a, b)]
    total = math.fsum(parts)
    shares = math.fsum(p**2 / (c.n - 1) for p, c in zip(parts, (a, b)))  # Welch, Satterthwaite
    degrees = total**2 / shares if shares else a.n + b.n - 2
    return _difference(a.mean - b.mean, total**0.5, degrees, min(a.n, b.n), "seeds each", lost, of)


def _difference(mean, se, degrees, n, counted, lost, of=frozenset()) -> Difference:
    half = _t(degrees) * se
    p = float(2 * stats.t.sf(abs(mean) / se, degrees)) if se else float(mean == 0)
    return Difference(mean, mean - half, mean + half, p, n, counted, se, degrees, lost, 1, of)


def holm(table: Mapping[Key, Difference]) -> dict[Key, Difference]:
    """The differences of one table with their p corrected, so that in 95 of 100 tables without any
    difference none is "seen" (Holm 1979). The intervals stay those of each one alone."""
    order = sorted(table, key=lambda key: table[key].p)
    corrected, least = {}, 0.0
    for rank, key in enumerate(order):
        least = max(least, min(1.0, (len(order) - rank) * table[key].p))
        corrected[key] = replace(table[key], p=least, questions=len(order))
    return {key: corrected[key] for key in table}


def not_worse(gap: Difference, margin: float) -> bool | None:
    """Is a no worse than b by `margin` or more (non-inferiority)? True where the one-sided 95 %
    limit says so, False where it says the opposite, None where these runs cannot tell."""
    if gap.below() > -margin:
        return True
    return False if gap.above() < -margin else None


def jackknife(left_out: Sequence[float]) -> float:
    """Half of the 95 % interval of a number that is computed from all seeds together, from its
    values with one seed left out at a time. Raises `StatisticsError` for fewer than two."""
    n = len(left_out)
    if n < 2:
        raise StatisticsError(f"A jackknife needs at least 2 seeds to leave out in turn, got {n}.")
    mean = math.fsum(left_out) / n
    spread = (n - 1) / n * math.fsum((x - mean) ** 2 for x in left_out)
    return _t(n - 1) * math.sqrt(spread)


def leave_one_out(value: Callable[[list[int]], float], seeds: Sequence[int]) -> Difference:
    """A gain that is computed from all seeds together, such as an ensemble's, with the jackknife's
    interval. `value` takes the seeds that are kept."""
    half, degrees = jackknife([value([s for s in seeds if s != x]) for x in seeds]), len(seeds) - 1
    return _difference(value([*seeds]), half / _t(degrees), degrees, len(seeds), "seeds", 0)


# --- Counts ---------------------------------------------------------------------------------------


def at_most_counts(k: int, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Interval of a share of which k of n were counted (Clopper and Pearson): it covers at least
    `level`, also for k = 0 and k = n."""
    if not 0 <= k <= n or n < 1:
        raise StatisticsError(f"{k} of {n} is not a share: k must lie between 0 and n.")
    found = stats.binomtest(k, n).proportion_ci(level, method="exact")
    return float(found.low), float(found.high)


def _t(degrees: float, level: float = LEVEL) -> float:
    """The two-sided point of Student's t."""
    return float(stats.t.ppf((1 + level) / 2, degrees))
