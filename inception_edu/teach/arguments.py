"""The arguments of a torch function, whether given by place or by name."""

from __future__ import annotations

import math

from torch import Tensor


def getter(args, kwargs, _):
    return lambda i, name, default=None: kwargs.get(name, args[i] if len(args) > i else default)


def two(n) -> tuple[int, int]:
    if isinstance(n, int):
        return (n, n)
    n = tuple(int(v) for v in n)
    return n * 2 if len(n) == 1 else n


def scalar(value) -> float | None:
    if isinstance(value, Tensor):
        return float(value) if value.numel() == 1 else None
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def lower(args, kwargs):
    return kwargs.get("min", args[1] if len(args) > 1 else None)
