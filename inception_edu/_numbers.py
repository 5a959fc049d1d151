"""Numbers that are handed in."""

from math import isfinite
from numbers import Integral, Real


def is_whole(value: object) -> bool:
    """Whether a value is a whole number: Python's, numpy's, and no text, nor a yes or no."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether a value is a finite number, and no text, nor a yes or no."""
    return not isinstance(value, bool) and isinstance(value, Real) and isfinite(value)
