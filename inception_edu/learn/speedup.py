"""How many times as fast one way is as another, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from statistics import median

LEVEL = 0.95


@dataclass(frozen=True)
class Speedup:
    """Ratios slow / quick, one a round in which both ran, one after the other: above 1, the second
    was quicker."""

    ratios: tuple[float, ...]

    @classmethod
    def of(cls, slow: Sequence[float], quick: Sequence[float]) -> Speedup:
        """From the seconds of each round of both."""
        return cls(tuple(a / b for a, b in zip(slow, quick)))

    @property
    def median(self) -> float:
        """The median of the ratios."""
        return median(self.ratios)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The median's 95 % interval, by counting rounds (no distribution is assumed); None with
        fewer than six rounds, which cannot give one."""
        n, tail, k = len(self.ratios), 0.0, 0
        while k < n // 2 and tail + comb(n, k) / 2**n <= (1 - LEVEL) / 2:
            tail += comb(n, k) / 2**n
            k += 1
        ordered = sorted(self.ratios)
        return (ordered[k - 1], ordered[n - k]) if k else None

    @property
    def verdict(self) -> str:
        """ "faster", "slower", "no clear gain", or "too few rounds to tell"."""
        if self.interval is None:
            return "too few rounds to tell"
        low, high = self.interval
        if low > 1:
            return "faster"
        return "slower" if high < 1 else "no clear gain"

    def __str__(self) -> str:
        """For example "faster: 1.31 times (95 % interval 1.22 to 1.35, 15 rounds)"."""
        rounds = f"{len(self.ratios)} round{'s' * (len(self.ratios) != 1)}"
        if self.interval is None:
            return f"{self.verdict}: {self.median:.2f} times as fast in {rounds}"
        low, high = self.interval
        return (
            f"{self.verdict}: {self.median:.2f} times as fast "
            f"(95 % interval {low:.2f} to {high:.2f}, {rounds})"
        )
