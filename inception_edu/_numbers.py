"""Numbers that are handed in."""

from numbers import Integral


def is_whole(value: object) -> bool:
    """Whether a value is a whole number: Python's, numpy's, and no text, nor a yes or no."""
    return isinstance(value, Integral) and not isinstance(value, bool)
