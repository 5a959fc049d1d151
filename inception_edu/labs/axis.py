"""Colours and round numbers for the pictures that the labs draw as SVG."""

from __future__ import annotations

import math

# Told apart by readers who see few colours; each at least 4.5 to 1 against white.
COLOURS = ("#0072b2", "#d55e00", "#007a5a", "#a63d82", "#8a6200", "#4a4a9c", "#555555")
FAINT, GRID = "#5f5f5f", "#e4e4e4"


def ticks(low: float, high: float, about: int = 4, whole: bool = False) -> list[float]:
    """Round numbers (1, 2, 2.5 or 5 times a power of ten apart) between `low` and `high`, about
    `about` of them."""
    if not high > low:
        return [low]
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= raw * 0.999)
    if whole:
        step = max(1.0, float(math.ceil(step)))
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) for k in range(first, math.floor(high / step + 1e-9) + 1)]
