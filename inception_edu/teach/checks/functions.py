"""Checks of a student's function by cases. No torch: tensors among the arguments are copied by
their methods."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from inception_edu.describe import SpecError
from inception_edu.teach.checks.alike import (
    is_number,
    is_tensor,
    plain,
    relation,
    same,
    unlike,
)
from inception_edu.teach.verdict import (
    StudentError,
    Unsolved,
    Verdict,
    Wrong,
    checked,
    in_words,
    missing,
    right,
    short,
    student_code,
)
from inception_edu.teach.verdict import wrong as wrong_


@checked
def function(
    answer: Any,
    expected: Callable[..., Any] | Sequence[Any],
    cases: Sequence[Any],
    *,
    wrong: Mapping[str, Callable[..., Any]] | None = None,
    tolerance: float = 1e-5,
) -> Verdict:
    """A student's function, on `cases` (tuples of arguments).

    expected: a reference function, or a list of the values. wrong: {sentence: function that makes a
    typical mistake}; a mistake is recognised when the answer agrees with it in every case.
    """
    if not callable(answer):
        return wrong_(f"A function is asked for, got {short(answer)}.")
    tuples = [case if isinstance(case, tuple) else (case,) for case in cases]
    wanted = _expected(expected, tuples)
    got = _answers(answer, tuples)
    bad = [i for i, (a, b) in enumerate(zip(got, wanted)) if not same(a, b, tolerance)]
    if not bad:
        return right(f"Right in all {len(cases)} cases.")
    for sentence, twin in (wrong or {}).items():
        if all(same(a, _twin(twin, case), tolerance) for a, case in zip(got, tuples)):
            return wrong_(sentence)
    if sentence := _pattern(got, wanted, tolerance):
        return wrong_(sentence)
    return _first_case(bad, got, wanted, tuples)


def _expected(expected: Any, cases: list[tuple]) -> list[Any]:
    if not callable(expected):
        return list(expected)
    return [expected(*_copies(case)) for case in cases]


def _answers(answer: Callable[..., Any], cases: list[tuple]) -> list[Any]:
    _can_be_called(answer, cases[0])
    got: list[Any] = []
    for case in cases:
        given = _copies(case)
        try:
            with student_code():
                got.append(answer(*given))
        except StudentError as stopped:
            error = in_words(stopped.error)
            raise Wrong(f"With {_call(case)} your function stopped with {error}") from None
        if got[-1] is None:
            before = "" if len(got) == 1 else f"With {_call(case)} your"
            raise Wrong(
                f"{before or 'Your'} function returns nothing: is a `return` missing"
                f"{' on one of its paths' if before else ''}?"
            )
        if missing(got[-1]):
            raise Unsolved
        if any(not same(a, b) for a, b in zip(given, case) if is_tensor(b)):
            raise Wrong(
                "Your function changes the tensor that it is given; make a new one (no `+=`, no "
                "`relu_`)."
            )
    return got


def _can_be_called(answer: Callable[..., Any], case: tuple) -> None:
    try:
        signature = inspect.signature(answer)
    except (TypeError, ValueError):  # some functions written in C tell nothing
        return
    try:
        signature.bind(*case)
    except TypeError as error:
        n = len(case)
        arguments = "no arguments" if n == 0 else f"{n} argument{'s' if n > 1 else ''}"
        raise Wrong(f"Your function should take {arguments}: {error}.") from None


def _pattern(got: list[Any], wanted: list[Any], tolerance: float) -> str:
    """One sentence where one idea explains all cases."""
    if any(inspect.isgenerator(value) for value in got):
        return "Your function gives a generator; make a list of it, or sum it."
    differ = any(not same(a, b, tolerance) for a, b in zip(wanted, wanted[1:]))
    constant = all(same(a, got[0], tolerance) for a in got[1:])
    if len(got) > 1 and constant and differ:
        return (
            f"Your function gives {short(got[0])} whatever it is given: use its arguments, so that "
            "it holds for every case."
        )
    if all(map(is_number, got)) and all(map(is_number, wanted)):
        return relation(got, wanted)
    if all(isinstance(value, str) for value in (*got, *wanted)):
        never = [word for word in dict.fromkeys(wanted) if word not in got]
        return (
            f"Your function never gives {never[0]!r}. In some cases it is right." if never else ""
        )
    tensors = [(a, b) for a, b in zip(got, wanted) if is_tensor(a) and is_number(b)]
    if len(tensors) == len(got):
        values = [a.item() for a, _ in tensors if a.numel() == 1]
        if len(values) == len(got) and same(values, wanted, tolerance):
            return "This is a tensor; a plain number is asked for: `.item()` gives it."
    return _pattern_of_tensors(got, wanted, tolerance)


def _pattern_of_tensors(got: list[Any], wanted: list[Any], tolerance: float) -> str:
    pairs = list(zip(got, wanted))
    if not all(is_tensor(a) and is_tensor(b) and a.shape == b.shape for a, b in pairs):
        return ""
    changes: list[tuple[str, Callable[[Any], Any]]] = [
        ("The sign is wrong.", lambda b: -b),
        ("You are off by a factor of 2: it is twice as much as it should be.", lambda b: 2 * b),
        ("You are off by a factor of 2: it is half of what it should be.", lambda b: b / 2),
        ("That is its square: take the root.", lambda b: b * b),
    ]
    for sentence, change in changes:
        if all(same(a, change(b), tolerance) for a, b in pairs):
            return sentence
    return ""


def _first_case(bad: list[int], got: list[Any], wanted: list[Any], cases: list[tuple]) -> Verdict:
    first = bad[0]
    some = f"Right in {len(cases) - len(bad)} of {len(cases)} cases. With {_call(cases[first])}"
    a, b = got[first], wanted[first]
    if is_number(a) and is_number(b):
        text = f"{some} your function gives {plain(a)}; {plain(b)} would be right."
        return wrong_(text, diagnosed=False)
    sentence, known = unlike(a, b)
    value = "" if is_tensor(b) or is_tensor(a) else f" The function gives {short(a)}."
    return wrong_(f"{some}:{value} {sentence}", diagnosed=known)


def _copies(case: tuple) -> tuple:
    return tuple(v.clone() if is_tensor(v) else copy.copy(v) for v in case)


def _twin(twin: Callable[..., Any], case: tuple) -> Any:
    """What a typical mistake gives; None where it cannot take the case (a division by zero, say):
    then it is not what the student wrote."""
    try:
        return twin(*_copies(case))
    except (ArithmeticError, IndexError, ValueError, RuntimeError):
        return None


def _call(case: tuple) -> str:
    words = [f"a tensor of shape {tuple(v.shape)}" if is_tensor(v) else short(v) for v in case]
    return "(" + ", ".join(words) + ")"


@checked
def raises(answer: Any, error: type[Exception] = SpecError) -> Verdict:
    """A function without arguments that should raise `error`, for example because its block cannot
    exist."""
    if not callable(answer):
        return wrong_(f"A function without arguments is asked for, got {short(answer)}.")
    try:
        with student_code():
            value = answer()
    except StudentError as stopped:
        if isinstance(stopped.error, error):
            return right(f"It says: {stopped.error}")
        raise
    if missing(value):
        raise Unsolved
    return wrong_(f"It should stop with {error.__name__}, but it works and returns {short(value)}.")
