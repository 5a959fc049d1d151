"""Checks of numbers, shapes and other values. No torch: a tensor is known by its methods."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from inception_edu.teach.checks.alike import (
    is_number,
    is_tensor,
    plain,
    relation,
    rounded,
    same,
    unlike,
)
from inception_edu.teach.diagnose import size_words
from inception_edu.teach.verdict import (
    Unsolved,
    Verdict,
    Wrong,
    checked,
    missing,
    right,
    short,
    student_code,
)
from inception_edu.teach.verdict import wrong as wrong_


@checked
def number(
    answer: Any,
    expected: float,
    *,
    wrong: Mapping[float, str] | None = None,
    tolerance: float = 0.0,
    unit: str = "",
) -> Verdict:
    """A number. `wrong` maps likely wrong numbers to what was overlooked; `tolerance` is
    relative."""
    value = _as_number(answer)
    unit = f" {unit}" if unit else ""

    def near(x: float) -> bool:
        return math.isclose(value, x, rel_tol=max(tolerance, 1e-9), abs_tol=1e-12)

    if near(float(expected)):
        return right(f"{plain(expected)}{unit}.")
    for mistake, sentence in (wrong or {}).items():
        if near(float(mistake)):
            return wrong_(sentence)
    if rounded(value, float(expected)):
        return wrong_("You rounded it: let Python keep all the digits, as in `1 / 7`.")
    if isinstance(expected, int) and not value.is_integer():
        return wrong_(f"{value:,.10g} is no whole number{unit and f' of{unit}'}; one is asked for.")
    hint, known = _hint(value, float(expected))
    said = f"{plain(value)}{unit}: that" if unit else plain(value)
    return wrong_(f"{said} is not the answer. {hint}".strip(), diagnosed=known)


def _as_number(answer: Any) -> float:
    if is_tensor(answer) and answer.numel() == 1:
        answer = answer.item()
    if callable(answer):
        raise Wrong("This is a function; the answer should be the number that it returns: call it.")
    if isinstance(answer, str):
        raise Wrong(
            f"The answer should be a number, but it is the text {answer!r}: "
            "leave the quotation marks out."
        )
    if isinstance(answer, (tuple, list)):
        raise Wrong(f"The answer should be one number, but there are {len(answer)}.")
    if not hasattr(answer, "__float__") or isinstance(answer, bool):
        raise Wrong(f"The answer should be a number, got {short(answer)}.")
    with student_code():
        value = float(answer)
    if not math.isfinite(value):
        raise Wrong(f"The answer should be a number, got {short(answer)}.")
    return value


def _hint(value: float, expected: float) -> tuple[str, bool]:
    """A sentence on how a wrong number is related to the right one, and whether it names a
    mistake."""
    if sentence := relation([value], [expected]):
        return sentence, True
    for factor, words in ((1e3, "a thousand"), (1e6, "a million"), (1e9, "a thousand million")):
        if any(math.isclose(value, expected * f, rel_tol=1e-6) for f in (factor, 1 / factor)):
            return f"You are off by a factor of {words}: which unit is asked for?", True
    if value > 0 and expected > 0:
        return f"It is too {'large' if value > expected else 'small'}.", False
    return "", False


@checked
def shape(
    answer: Any,
    expected: Sequence[int],
    *,
    wrong: Mapping[tuple[int, ...], str] | None = None,
) -> Verdict:
    """A shape such as (C, H, W), as a tuple or list."""
    if is_tensor(answer):
        return wrong_(f"This is a tensor; its shape is asked for: {tuple(answer.shape)}.")
    if isinstance(answer, (int, float, str)) or not hasattr(answer, "__len__"):
        return wrong_(
            f"A shape has {len(expected)} numbers, (channels, height, width); got {short(answer)}."
        )
    values, wanted = tuple(answer), tuple(expected)
    if missing(values):
        raise Unsolved
    if values == wanted:
        return right(f"{wanted}.")
    for mistake, sentence in (wrong or {}).items():
        if values == tuple(mistake):
            return wrong_(sentence)
    if len(values) == len(wanted) + 1 and values[1:] == wanted:
        return wrong_("The batch is not part of the shape here: leave the first number out.")
    if len(values) != len(wanted):
        return wrong_(f"{len(wanted)} numbers are asked for, got {len(values)}.")
    if not all(is_number(v) for v in values):
        return wrong_(f"A shape is made of whole numbers, got {values!r}.")
    if sorted(values) == sorted(wanted):
        return wrong_(
            "The numbers are right, but in another order: channels come first, then height and "
            "width."
        )
    return _part_of_a_shape(values, wanted)


def _part_of_a_shape(values: tuple[int, ...], wanted: tuple[int, ...]) -> Verdict:
    if values[0] == wanted[0]:
        near = all(abs(a - b) <= 1 for a, b in zip(values[1:], wanted[1:]))
        look = (
            "off by one, so look at padding and rounding." if near else "look at strides, padding."
        )
        return wrong_(f"The channels are right, the map is not {size_words(values[1:])}: {look}")
    if values[1:] == wanted[1:]:
        return wrong_(
            f"The map is right, but there are not {values[0]} channels: what do the branches add "
            "up to?"
        )
    return wrong_(
        f"{values} is not the shape: neither the channels nor the map.",
        diagnosed=False,
    )


@checked
def equal(
    answer: Any, expected: Any, *, wrong: Sequence[tuple[Any, str]] | Mapping[Any, str] = ()
) -> Verdict:
    """Any other value. For dictionaries, sets and lists the message says which entry differs.

    wrong: {wrong value: sentence}, or pairs of them where the values cannot be keys.
    """
    if same(answer, expected):
        return right("That is it.")
    pairs = wrong.items() if isinstance(wrong, Mapping) else wrong
    for mistake, sentence in pairs:
        if same(answer, mistake):
            return wrong_(sentence)
    sentence, known = unlike(answer, expected)
    return wrong_(sentence, diagnosed=known)
