"""Whether two values are the same, and in words how a wrong one is related to the right one.

No torch is imported: a tensor is known by its methods. Answers may live on any device.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from inception_edu.teach.verdict import short, student_code


def is_tensor(value: Any) -> bool:
    return hasattr(value, "detach") and hasattr(value, "numel")


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def plain(value: float) -> str:
    """A number for a sentence: 1,234 or 0.1429."""
    value = float(value)
    whole = value == int(value) and abs(value) < 1e15
    return f"{int(value):,}" if whole else f"{value:.4g}"


def same(a: Any, b: Any, tolerance: float = 1e-6) -> bool:
    """Equal in value and kind; numbers and tensors up to `tolerance`, relative."""
    if is_tensor(a) or is_tensor(b):
        return _same_tensors(a, b, tolerance)
    if isinstance(a, (bool, str)) or isinstance(b, (bool, str)):
        return type(a) is type(b) and a == b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance * 1e-3)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(same(x, y, tolerance) for x, y in zip(a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k], tolerance) for k in a)
    with student_code():
        return bool(a == b)


def _same_tensors(a: Any, b: Any, tolerance: float) -> bool:
    import torch

    if not (is_tensor(a) and is_tensor(b)):
        return False  # a tensor with one number is no number: `.item()` makes one of it
    a, b = a.detach().cpu(), b.detach().cpu()
    if a.shape != b.shape:
        return False
    return torch.allclose(a.double(), b.double(), rtol=tolerance, atol=tolerance)


def rounded(value: float, expected: float) -> bool:
    """Whether `value` is `expected` written with too few digits (two at least)."""
    text = f"{value!r}"
    if "e" in text or "." not in text or value == expected:
        return False
    digits = len(text.split(".")[1])
    return digits <= 6 and value != int(value) and round(expected, digits) == value


def unlike(a: Any, b: Any) -> tuple[str, bool]:
    """In what `a` differs from the right value `b`, and whether the sentence names a mistake."""
    if is_tensor(b):
        return _unlike_tensor(a, b)
    if isinstance(b, dict) and isinstance(a, dict):
        return _unlike_dict(a, b)
    if isinstance(b, (set, frozenset)) and isinstance(a, (set, frozenset)):
        return _unlike_set(a, b)
    if isinstance(b, (list, tuple)) and isinstance(a, (list, tuple)):
        if len(a) != len(b):
            return f"{len(b)} values are asked for, got {len(a)}.", True
        if any(map(is_tensor, a)) and not any(map(is_tensor, b)):
            return "There are tensors in it; plain numbers are asked for: `.item()`.", True
        if all(map(is_number, (*a, *b))) and (sentence := relation(list(a), list(b))):
            return sentence, True
        place = next(i for i, (x, y) in enumerate(zip(a, b)) if not same(x, y))
        return f"Value number {place + 1} is not right: {short(a[place])}.", len(b) > 1
    if isinstance(a, str) and isinstance(b, str) and _letters(a) == _letters(b):
        return f"You mean the right thing; write it exactly so: {b!r}.", True
    if is_tensor(a) and is_number(b):
        return "This is a tensor; a plain number is asked for: `.item()` gives it.", True
    numbers = isinstance(a, (int, float)) and isinstance(b, (int, float))
    if type(a) is not type(b) and not numbers:
        kinds = f"of type {type(b).__name__}, got {type(a).__name__}"
        return f"The answer should be {kinds} ({short(a)}).", True
    return f"{short(a)} is not the answer.", False


def _unlike_tensor(a: Any, b: Any) -> tuple[str, bool]:
    if not is_tensor(a):
        return f"The answer should be a tensor, got {type(a).__name__}.", True
    if a.shape != b.shape:
        return f"The shape is {tuple(a.shape)}, wanted {tuple(b.shape)}.", True
    off = (a.detach().cpu() - b.detach().cpu()).abs().max().item()
    return f"The shape is right, the values are not: they differ by up to {off:.3g}.", False


def _unlike_dict(a: dict, b: dict) -> tuple[str, bool]:
    if lacking := [k for k in b if k not in a]:
        return f"There is no entry for {lacking[0]!r}.", True
    if surplus := [k for k in a if k not in b]:
        return f"There is an entry {surplus[0]!r} that is not asked for.", True
    key = next(k for k in b if not same(a[k], b[k]))
    return f"The entry {key!r} is not right: {short(a[key])}.", True


def _unlike_set(a: set | frozenset, b: set | frozenset) -> tuple[str, bool]:
    if surplus := sorted(map(str, a - b)):
        return f"{surplus[0]!r} does not belong into the set.", True
    lacking = len(b - a)
    return f"{lacking} {'entry is' if lacking == 1 else 'entries are'} missing from the set.", True


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


# --- How wrong numbers are related to right ones --------------------------------------------------


def relation(got: Sequence[float], wanted: Sequence[float]) -> str:
    """One sentence where one idea leads from all the wrong numbers to the right ones, else ""."""
    pairs = list(zip(got, wanted))
    if all(rounded(a, b) or a == b for a, b in pairs):
        return "You rounded: let Python keep all the digits, as in `1 / 7`."
    if all(_near(a, -b) for a, b in pairs):
        return "The sign is wrong."
    for factor, sentence in _FACTORS:
        if all(_near(a, factor * b) for a, b in pairs) and any(b for _, b in pairs):
            return sentence
    if all(0 <= b <= 1 and _near(a, 1 - b) for a, b in pairs):
        return "That is the rest: 1 minus what is asked for."
    if all(b and a and _near(a, 1 / b) for a, b in pairs) and any(abs(b) != 1 for b in wanted):
        return "That is upside down: one over what is asked for."
    if all(_near(a, b + 1) for a, b in pairs) or all(_near(a, b - 1) for a, b in pairs):
        return "You are off by one."
    if all(b >= 0 and _near(a, b * b) for a, b in pairs) and any(b not in (0, 1) for b in wanted):
        return "That is its square: take the root."
    if all(b >= 0 and _near(a, b**0.5) for a, b in pairs) and any(b not in (0, 1) for b in wanted):
        return "That is its square root: take the square."
    if all(_near(a, math.floor(b)) or _near(a, round(b)) for a, b in pairs):
        return "It is rounded to a whole number."
    ratios = [a / b for a, b in pairs if b]
    if len(ratios) > 1 and ratios[0] and all(_near(r, ratios[0]) for r in ratios):
        if all(not a for a, b in pairs if not b) and len(set(wanted)) > 1:
            return (
                f"In each case it is {ratios[0]:.4g} times what is asked for: a constant factor is "
                "missing or too many."
            )
    return ""


_FACTORS = (
    (2.0, "You are off by a factor of 2: it is twice as much as it should be."),
    (0.5, "You are off by a factor of 2: it is half of what it should be."),
    (100.0, "You are off by a factor of a hundred: a share (0 to 1) or a percentage?"),
    (0.01, "You are off by a factor of a hundred: a share (0 to 1) or a percentage?"),
)


def _near(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)
