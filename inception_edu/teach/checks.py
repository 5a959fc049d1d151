"""Checks of exercises that say what is wrong.

    checks.number(side, 147, wrong={149: "149 is what goes in."})
    checks.description(answer, InceptionA(), (384, 35, 35))
    checks.module(MyInceptionA, InceptionA(), (384, 35, 35))
    checks.residual(MyResidual, scale=0.1)

Each check returns a `Verdict`. None of them raises, whatever the answer is, so a wrong answer never
stops a notebook. An answer that is still None or `...` is "not solved yet", not wrong. Modules are
judged by what they do when they run, residual blocks and training steps by how they treat a body
and a batch that are known; the source is never read.
"""

from __future__ import annotations

import copy
import functools
import math
import re
from dataclasses import dataclass, field, replace
from html import escape

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inception_edu.describe.measure import measure
from inception_edu.describe.networks import Network
from inception_edu.describe.spec import (
    Chain,
    Concat,
    Conv,
    Node,
    Pool,
    Residual,
    Shape,
    SpecError,
    children,
)
from inception_edu.describe.spec import out_shape as described_shape
from inception_edu.nets.build import build
from inception_edu.teach import diagnose
from inception_edu.teach.watch import watch

NODES = (Conv, Pool, Chain, Concat, Residual)
MOST = 4  # faults that are listed one by one


@dataclass(frozen=True)
class Verdict:
    """What a check found: `state` is "right", "wrong" or "unsolved"; `message` one or more plain
    sentences.

    `faults` are the same findings one by one, for a list. True in an `if` when the answer is right.
    """

    state: str
    message: str
    name: str = ""
    faults: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        return self.state == "right"

    def __bool__(self):
        return self.ok

    def __repr__(self):
        mark = {"right": "✓", "wrong": "✗", "unsolved": "…"}[self.state]
        return f"{mark} {self.name + ': ' if self.name else ''}{self.message}"

    def _repr_html_(self):
        mark, word, colour = {
            "right": ("✓", "Right", "#00704a"),
            "wrong": ("✗", "Not yet", "#b3400a"),
            "unsolved": ("…", "Not solved yet", "#5a5a5a"),
        }[self.state]
        body = f"<span>{_html(self.message)}</span>"
        if len(self.faults) > 1:
            body = (
                "<ul style='margin:4px 0 0;padding-left:20px'>"
                + "".join(f"<li>{_html(fault)}</li>" for fault in self.faults)
                + "</ul>"
            )
        name = f" · {escape(self.name)}" if self.name else ""
        return (
            f"<div class='ied-verdict ied-{self.state}' role='status' style='background:#fff;color:#222;"
            f"border:1px solid #d0d0d0;border-left:6px solid {colour};border-radius:6px;padding:8px 12px;"
            f"line-height:1.45;max-width:820px'><b style='color:{colour}'>{mark} {word}{name}</b><br>{body}</div>"
        )


def _html(text: str) -> str:
    """A sentence as HTML; what stands between `backticks` is code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


class _Unsolved(Exception):
    """The answer is still a stub."""


class _Wrong(Exception):
    """The answer cannot be checked further; the text is the fault."""


def _right(message: str) -> Verdict:
    return Verdict("right", message)


def _wrong(*faults: str) -> Verdict:
    shown = faults[:MOST]
    rest = len(faults) - len(shown)
    more = (f"And {rest} more difference{'s' if rest > 1 else ''}.",) if rest else ()
    return Verdict("wrong", " ".join((*shown, *more)), faults=(*shown, *more))


def _check(function):
    """Turn whatever happens in a check into a verdict, and put the exercise's name on it."""

    @functools.wraps(function)
    def checked(answer, *args, name: str = "", **kwargs) -> Verdict:
        try:
            if _missing(answer):
                raise _Unsolved
            verdict = function(answer, *args, **kwargs)
        except _Unsolved as reason:
            text = str(reason) or "Replace the `...` by your answer and run both cells again."
            verdict = Verdict("unsolved", text)
        except _Wrong as fault:
            verdict = _wrong(str(fault))
        except Exception as error:  # the answer is a student's code: anything can come out of it
            verdict = _wrong(f"Your answer stopped with {_error(error)}")
        return replace(verdict, name=name)

    return checked


def _error(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}" if text else f"{type(error).__name__}."


def _missing(value) -> bool:
    if value is None or value is Ellipsis or value is NotImplemented:
        return True
    return (
        isinstance(value, (tuple, list))
        and len(value) > 0
        and any(v is Ellipsis or v is None for v in value)
    )


# --- Numbers, shapes, values ----------------------------------------------------------------------


@_check
def number(
    answer, expected: float, *, wrong: dict | None = None, tolerance: float = 0.0, unit: str = ""
) -> Verdict:
    """A number. `wrong` maps likely wrong numbers to what was overlooked; `tolerance` is
    relative."""
    if isinstance(answer, Tensor) and answer.numel() == 1:
        answer = answer.item()
    if callable(answer):
        return _wrong(
            "This is a function; the answer should be the number that it returns: call it."
        )
    if isinstance(answer, str):
        return _wrong(
            f"The answer should be a number, but it is the text {answer!r}: leave the quotation marks out."
        )
    if isinstance(answer, (tuple, list)):
        return _wrong(f"The answer should be one number, but there are {len(answer)}.")
    if (
        isinstance(answer, bool)
        or not hasattr(answer, "__float__")
        or not math.isfinite(float(answer))
    ):
        return _wrong(f"The answer should be a number, got {answer!r}.")
    value, unit = float(answer), f" {unit}" if unit else ""

    def near(x):
        return math.isclose(value, x, rel_tol=max(tolerance, 1e-9), abs_tol=1e-12)

    if near(float(expected)):
        return _right(f"{_plain(expected)}{unit}.")
    for mistake, sentence in (wrong or {}).items():
        if near(float(mistake)):
            return _wrong(sentence)
    return _wrong(
        f"{_plain(answer)}{unit} is not the answer. {_hint(value, float(expected))}".strip()
    )


def _plain(value) -> str:
    value = float(value)
    return f"{int(value):,}" if value == int(value) and abs(value) < 1e15 else f"{value:.4g}"


def _hint(value: float, expected: float) -> str:
    def ratio(factor):
        return expected and math.isclose(value / expected, factor, rel_tol=1e-6)

    whole = expected == int(expected)
    if whole and abs(value - expected) == 1:
        return "You are off by one."
    if value == -expected:
        return "The sign is wrong."
    if ratio(2):
        return "You are off by a factor of 2: it is twice as much as it should be."
    if ratio(0.5):
        return "You are off by a factor of 2: it is half of what it should be."
    for factor, words in (
        (1e3, "a thousand"),
        (1e6, "a million"),
        (1e9, "a thousand million"),
        (100, "a hundred: a share or a percentage?"),
    ):
        if ratio(factor) or ratio(1 / factor):
            return f"You are off by a factor of {words}{'' if words.endswith('?') else ': which unit is asked for?'}"
    if expected and value > 0 and expected > 0:
        return f"It is too {'large' if value > expected else 'small'}."
    return ""


@_check
def shape(answer, expected: Shape, *, wrong: dict | None = None) -> Verdict:
    """A shape such as (C, H, W), as a tuple or list."""
    if isinstance(answer, Tensor):
        return _wrong(f"This is a tensor; its shape is asked for: {tuple(answer.shape)}.")
    if isinstance(answer, (int, float, str)) or not hasattr(answer, "__len__"):
        return _wrong(
            f"A shape has {len(expected)} numbers, (channels, height, width); got {answer!r}."
        )
    values, expected = tuple(answer), tuple(expected)
    if any(v is None or v is Ellipsis for v in values):
        raise _Unsolved
    if values == expected:
        return _right(f"{expected}.")
    for mistake, sentence in (wrong or {}).items():
        if values == tuple(mistake):
            return _wrong(sentence)
    if len(values) == len(expected) + 1 and values[1:] == expected:
        return _wrong("The batch is not part of the shape here: leave the first number out.")
    if len(values) != len(expected):
        return _wrong(f"{len(expected)} numbers are asked for, got {len(values)}.")
    if sorted(values) == sorted(expected):
        return _wrong(
            "The numbers are right, but in another order: channels come first, then height and width."
        )
    if values[0] == expected[0]:
        near = all(abs(a - b) <= 1 for a, b in zip(values[1:], expected[1:]))
        return _wrong(
            f"The channels are right, the map is not {diagnose.size_words(values[1:])}"
            + (
                ": off by one, so look at padding and rounding."
                if near
                else ": look at strides, padding."
            )
        )
    if values[1:] == expected[1:]:
        return _wrong(
            f"The map is right, but there are not {values[0]} channels: what do the branches add up to?"
        )
    return _wrong(f"{values} is not the shape: neither the channels nor the map.")


@_check
def equal(answer, expected, *, wrong: dict | None = None) -> Verdict:
    """Any other value. For dictionaries and lists the message says which entry differs."""
    if _same(answer, expected):
        return _right("That is it.")
    for mistake, sentence in (wrong or {}).items():
        if _same(answer, mistake):
            return _wrong(sentence)
    return _wrong(_unlike(answer, expected))


def _same(a, b, tolerance: float = 1e-6) -> bool:
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        try:
            a, b = torch.as_tensor(a), torch.as_tensor(b)
        except (TypeError, ValueError, RuntimeError):
            return False
        return a.shape == b.shape and torch.allclose(
            a.double(), b.double(), rtol=tolerance, atol=tolerance
        )
    if isinstance(a, bool) or isinstance(b, bool) or isinstance(a, str) or isinstance(b, str):
        return type(a) is type(b) and a == b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance * 1e-3)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(_same(x, y, tolerance) for x, y in zip(a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[k], b[k], tolerance) for k in a)
    return bool(a == b)


def _unlike(a, b) -> str:
    if isinstance(b, Tensor):
        if not isinstance(a, Tensor):
            return f"The answer should be a tensor, got {type(a).__name__}."
        if a.shape != b.shape:
            return f"The shape is {tuple(a.shape)}, wanted {tuple(b.shape)}."
        return f"The shape is right, the values are not: they differ by up to {(a - b).abs().max().item():.3g}."
    if isinstance(b, dict) and isinstance(a, dict):
        if lacking := [k for k in b if k not in a]:
            return f"There is no entry for {lacking[0]!r}."
        if surplus := [k for k in a if k not in b]:
            return f"There is an entry {surplus[0]!r} that is not asked for."
        key = next(k for k in b if not _same(a[k], b[k]))
        return f"The entry {key!r} is not right: {_short(a[key])}."
    if isinstance(b, (list, tuple)) and isinstance(a, (list, tuple)):
        if len(a) != len(b):
            return f"{len(b)} values are asked for, got {len(a)}."
        place = next(i for i, (x, y) in enumerate(zip(a, b)) if not _same(x, y))
        return f"Value number {place + 1} is not right: {_short(a[place])}."
    if isinstance(a, str) and isinstance(b, str) and _letters(a) == _letters(b):
        return f"You mean the right thing; write it exactly so: {b!r}."
    if type(a) is not type(b) and not (isinstance(a, (int, float)) and isinstance(b, (int, float))):
        return f"The answer should be of type {type(b).__name__}, got {type(a).__name__} ({_short(a)})."
    return f"{_short(a)} is not the answer."


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def _printed(shape) -> str:
    """(C, H, W) as the figures print it: H×W×C."""
    return "×".join(map(str, (*shape[1:], shape[0])))


def _short(value) -> str:
    text = f"network {value.name}" if isinstance(value, Network) else " ".join(repr(value).split())
    return text if len(text) <= 80 else text[:77] + "…"


@_check
def function(
    answer, expected, cases: list, *, wrong: dict | None = None, tolerance: float = 1e-5
) -> Verdict:
    """A student's function, on `cases` (tuples of arguments).

    expected: a reference function, or a list of the values. wrong: {sentence: function that makes a
    typical mistake}; a mistake is recognised when the answer agrees with it in every case.
    """
    if not callable(answer):
        return _wrong(f"A function is asked for, got {_short(answer)}.")
    cases = [case if isinstance(case, tuple) else (case,) for case in cases]
    wanted = [expected(*_copies(case)) for case in cases] if callable(expected) else list(expected)
    got = []
    for case in cases:
        untouched = _copies(case)
        try:
            got.append(answer(*untouched))
        except Exception as error:
            if not got and isinstance(error, TypeError) and "argument" in str(error):
                return _wrong(f"Your function should take {len(case)} arguments: {_error(error)}")
            return _wrong(f"With {_call(case)} your function stopped with {_error(error)}")
        if _missing(got[-1]):
            if len(got) == 1:
                raise _Unsolved("Your function returns nothing yet." if got[0] is None else "")
            return _wrong(
                f"With {_call(case)} your function returns nothing: is there a path without a return?"
            )
    bad = [i for i, (a, b) in enumerate(zip(got, wanted)) if not _same(a, b, tolerance)]
    if not bad:
        return _right(f"Right in all {len(cases)} cases.")
    for sentence, twin in (wrong or {}).items():
        if all(_same(a, _quietly(twin, case), tolerance) for a, case in zip(got, cases)):
            return _wrong(sentence)
    first = bad[0]
    some = f"Right in {len(cases) - len(bad)} of {len(cases)} cases. With {_call(cases[first])}"
    if _is_number(got[first]) and _is_number(wanted[first]):
        return _wrong(
            f"{some} your function gives {_plain(got[first])}; {_plain(wanted[first])} would be right."
        )
    value = (
        "" if isinstance(wanted[first], Tensor) else f" The function gives {_short(got[first])}."
    )
    return _wrong(f"{some}:{value} {_unlike(got[first], wanted[first])}")


def _is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _copies(case):
    return tuple(v.clone() if isinstance(v, Tensor) else copy.copy(v) for v in case)


def _quietly(twin, case):
    try:
        return twin(*_copies(case))
    except Exception:  # a twin that cannot take a case is not what the student wrote
        return None


def _call(case) -> str:
    words = [
        f"a tensor of shape {tuple(v.shape)}" if isinstance(v, Tensor) else _short(v) for v in case
    ]
    return "(" + ", ".join(words) + ")"


@_check
def raises(answer, error: type[Exception] = SpecError) -> Verdict:
    """A function without arguments that should raise `error`, for example because its block cannot
    exist."""
    if not callable(answer):
        return _wrong(f"A function without arguments is asked for, got {_short(answer)}.")
    try:
        value = answer()
    except error as caught:
        return _right(f"It says: {caught}")
    if _missing(value):
        raise _Unsolved
    return _wrong(
        f"It should stop with {error.__name__}, but it works and returns {_short(value)}."
    )


# --- Descriptions ---------------------------------------------------------------------------------


@_check
def description(
    answer,
    expected: Node,
    shape: Shape | None = None,
    *,
    wrong: dict | None = None,
    ordered: bool = False,
) -> Verdict:
    """A description of a block, compared with `expected` (a node of `spec`) branch by branch.

    shape: (C, H, W) of what enters, for sentences about sizes. wrong: {node: sentence}. Without
    `ordered` the branches may stand in another order. Names, figure words and printed sums are not
    compared.
    """
    if isinstance(answer, type) and issubclass(answer, NODES):
        return _wrong(f"This is the type {answer.__name__}; make one: {answer.__name__}(…).")
    if callable(answer):
        answer = answer()
        if _missing(answer):
            raise _Unsolved("Your function returns nothing yet.")
    if isinstance(answer, nn.Module):
        return _wrong(
            "This is a module; a description is asked for, made of Conv, Pool, Chain, Concat and Residual."
        )
    if isinstance(answer, (list, tuple)):
        return _wrong(
            f"This is a {type(answer).__name__} of {len(answer)} parts; put them into Chain(…) if they "
            "follow each other, into Concat(…) if they stand side by side."
        )
    if not isinstance(answer, NODES):
        return _wrong(
            f"A description is made of Conv, Pool, Chain, Concat and Residual, got {_short(answer)}."
        )
    _find_gaps(answer)
    return _verdict(diagnose.sequence(answer), expected, shape, wrong, ordered, answer=answer)


def _find_gaps(node: Node, where: str = "") -> None:
    for word, part in children(node):
        place = f"{where}, {word}" if where else word
        if part is Ellipsis or part is None:
            raise _Unsolved(f"There is still a `...` in {place}.")
        if isinstance(part, type) and issubclass(part, NODES):
            raise _Wrong(
                f"{place.capitalize()} is the type {part.__name__}; make one: {part.__name__}(…)."
            )
        if isinstance(part, (list, tuple)):
            raise _Wrong(
                f"{place.capitalize()} is a {type(part).__name__}; put its parts into Chain(…)."
            )
        if not isinstance(part, NODES):
            raise _Wrong(
                f"{place.capitalize()} is {_short(part)}; a part is a Conv, Pool, Chain, Concat or Residual."
            )
        _find_gaps(part, place)


def _verdict(steps, expected: Node, shape, wrong, ordered, answer=None, faults=()) -> Verdict:
    wanted = diagnose.sequence(expected)
    for mistake, sentence in (wrong or {}).items():
        if steps == diagnose.sequence(mistake):
            return _wrong(sentence)
    found = _explained(steps, wanted, shape) or [
        str(d) for d in diagnose.differences(steps, wanted, shape, ordered)
    ]
    found = list(dict.fromkeys([*faults, *found]))
    if found:
        return _wrong(*found)
    if answer is not None and shape is not None:
        described_shape(answer, shape)  # a printed sum that does not close raises its own sentence
    words = []
    if shape is not None:
        size = measure(expected, shape)
        words = [
            f"{_printed(shape)} → {_printed(size.output)}, {size.params:,} parameters, {size.macs:,} "
            "multiply-adds."
        ]
    if diagnose.reordered(steps, wanted):
        words.append(
            "The branches stand in another order than in the figure; that only permutes the channels."
        )
    return _right(" ".join(words) or "The same block as in the figure.")


def _explained(steps, wanted, shape) -> list[str]:
    """One sentence where one idea explains all differences."""
    if not diagnose.differences(steps, wanted):
        return []
    if not diagnose.differences(_turned(steps), wanted):
        return ["Every 1×n and n×1 is turned: a kernel is (height, width), so 1×7 is (1, 7)."]
    if not diagnose.differences(steps, _unshared(wanted)):
        return [
            "Two branches begin with a convolution of their own; in the figure they share it and fan out after it: "
            "Chain(…, Concat(…, …))."
        ]
    if wanted and isinstance(wanted[0], diagnose.Join) and wanted[0].kind == "add":
        for body in wanted[0].branches:
            if (
                () not in wanted[0].branches
                or not body
                or any(isinstance(step, diagnose.Join) and step.kind == "add" for step in steps)
            ):
                continue
            if (
                min(
                    len(diagnose.differences(steps, end, shape))
                    for end in (body, body + wanted[1:])
                )
                < 3
            ):
                return ["The identity is missing: the result of the branches is not added to x."]
    return []


def _turned(items):
    turned = []
    for item in items:
        if isinstance(item, diagnose.Join):
            item = replace(item, branches=tuple(_turned(b) for b in item.branches))
        elif item.kind in diagnose.WINDOWS:
            item = replace(item, kernel=item.kernel[::-1], padding=item.padding[::-1])
        turned.append(item)
    return tuple(turned)


def _unshared(items):
    """Fan-outs written as separate branches: 1×1 → {1×3, 3×1} becomes 1×1 → 1×3 and 1×1 → 3×1."""
    found = []
    for item in items:
        if isinstance(item, diagnose.Join):
            branches = []
            for branch in item.branches:
                last = branch[-1] if branch else None
                fan = isinstance(last, diagnose.Join) and last.kind == item.kind
                branches += [(*branch[:-1], *way) for way in last.branches] if fan else [branch]
            item = replace(item, branches=tuple(branches))
        found.append(item)
    return tuple(found)


# --- Modules --------------------------------------------------------------------------------------


@_check
def module(
    answer,
    expected: Node,
    shape: Shape,
    *,
    wrong: dict | None = None,
    ordered: bool = False,
    strict_eps: float | None = None,
) -> Verdict:
    """A torch module, by what it does to a batch of two maps of `shape` (C, H, W), compared with a
    description.

    `answer` is a module, or a class or function that makes one without arguments. Compared are
    every operation, the output's shape, the parameters, and the output itself once the reference
    has the answer's weights. `strict_eps`: the batch norms' eps must be this (otherwise any is
    right).
    """
    model = _make(answer)
    x = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    seen = watch(model, x)
    want = described_shape(expected, shape)
    if seen.error is not None:
        if isinstance(seen.error, NotImplementedError):
            raise _Unsolved("Your module has no forward yet.")
        return _wrong(*seen.faults, f"Its forward stopped with {_error(seen.error)}")
    if _missing(seen.output):
        raise _Unsolved("Its forward returns nothing yet.")
    if isinstance(seen.output, (list, tuple)):
        return _wrong(
            f"Its forward returns {len(seen.output)} tensors; join them along the channels: "
            "torch.cat([…], dim=1)."
        )
    if not isinstance(seen.output, Tensor):
        return _wrong(f"Its forward should return a tensor, got {_short(seen.output)}.")
    if seen.steps is None:
        return _wrong("What its forward returns was not made from its input: is x used?")
    eps = _eps_fault(seen.steps, strict_eps)
    # Sizes that do not fit are said by the comparison, with the branch that is to blame.
    faults = [f for f in seen.faults if "maps to be concatenated" not in f] + eps
    verdict = _verdict(seen.steps, expected, shape, wrong, ordered, faults=faults)
    if not verdict.ok:
        if len(verdict.faults) == 0 or not any("gives" in f for f in verdict.faults):
            got = tuple(seen.output.shape[1:])
            if not seen.faults and got != want and seen.output.dim() == 4:
                extra = f"(It gives {_printed(got)}, wanted is {_printed(want)}.)"
                return replace(
                    verdict, message=f"{verdict.message} {extra}", faults=(*verdict.faults, extra)
                )
        return verdict
    if (tuple(seen.output.shape[1:])) != want:
        return _wrong(f"It gives {_printed(seen.output.shape[1:])}, wanted is {_printed(want)}.")
    return _weights(model, seen, expected, shape, x, verdict)


def _make(answer) -> nn.Module:
    if isinstance(answer, nn.Module):
        return answer
    if isinstance(answer, NODES):
        raise _Wrong(
            "This is a description; a module is asked for: build(description, in_channels)."
        )
    if not callable(answer):
        raise _Wrong(f"A module is asked for, got {_short(answer)}.")
    try:
        model = answer()
    except TypeError as error:
        if "argument" in str(error) and "missing" in str(error):
            raise _Wrong(f"Your class should be made without arguments: {_error(error)}") from None
        if "super().__init__" in str(error) or "cannot assign module before" in str(error):
            raise _Wrong("Call super().__init__() first in your __init__.") from None
        raise
    except AttributeError as error:
        if "before Module.__init__" in str(error):
            raise _Wrong("Call super().__init__() first in your __init__.") from None
        raise
    if _missing(model):
        raise _Unsolved("Your function returns nothing yet.")
    if not isinstance(model, nn.Module):
        raise _Wrong(f"A module is asked for, got {_short(model)}.")
    return model


def _eps_fault(steps, strict: float | None) -> list[str]:
    if strict is None:
        return []
    for step in _all_steps(steps):
        if step.eps is not None and not math.isclose(step.eps, strict, rel_tol=1e-6):
            return [
                f"The batch norm's eps is {step.eps:g}; it should be {strict:g} (torch's default is 1e-05)."
            ]
    return []


def _all_steps(items):
    for item in items:
        if isinstance(item, diagnose.Join):
            for branch in item.branches:
                yield from _all_steps(branch)
        else:
            yield item


def _weights(
    model: nn.Module, seen, expected: Node, shape: Shape, x: Tensor, verdict: Verdict
) -> Verdict:
    """Parameters that are shared, unused or too many; then the same output from the same
    weights."""
    paired = list(diagnose.pairs(seen.steps, diagnose.sequence(expected)))
    convs = [a.name for a, _ in paired if a.kind == "conv" and a.name]
    if twice := [n for n in dict.fromkeys(convs) if convs.count(n) > 1]:
        return _wrong(
            f"The layer {twice[0]} is used {convs.count(twice[0])} times, so these places share one set of "
            "weights; the figure has a layer of its own at each place."
        )
    own = {n for n, m in model.named_modules() if any(True for _ in m.parameters(recurse=False))}
    watched = {step.name for step, _ in paired} | {step.norm_name for step, _ in paired}
    if idle := sorted(own - watched):
        verb = "is" if len(idle) == 1 else "are"
        return _wrong(
            f"{', '.join(idle[:3])} {verb} made in __init__, but forward does not use "
            f"{'it' if len(idle) == 1 else 'them'}."
        )
    got, want = sum(p.numel() for p in model.parameters()), measure(expected, shape).params
    surplus = sum(a.out for a, e in paired if a.kind == "conv" and a.norm and a.bias)
    remark = ""
    if surplus:
        remark = (
            f" Its convolutions have biases, {surplus:,} parameters that the batch norms after them cancel: "
            "bias=False saves them."
        )
    if got - surplus != want:
        return _wrong(f"It has {got:,} parameters, wanted are {want:,}.")
    same = _same_output(
        model, paired, expected, shape, x, diagnose.order(seen.steps, diagnose.sequence(expected))
    )
    if isinstance(same, str):
        return _wrong(same)
    equality = (
        ""
        if same is None
        else " With the same weights its output is the reference's, "
        + ("exactly." if same == 0 else f"to {same:.0e}.")
    )
    return replace(verdict, message=verdict.message + equality + remark)


def _same_output(model, paired, expected, shape, x, order) -> float | str | None:
    """The largest difference between the outputs with equal weights, relative to the output; a
    sentence where it is too large; None where weights cannot be told apart."""
    model = copy.deepcopy(model).eval()
    if order and order != sorted(order) and isinstance(expected, Concat):
        expected = Concat(*(expected.branches[j] for j in order))
    reference = build(expected, shape[0]).eval()
    twin = watch(reference, x)
    layers, others = dict(model.named_modules()), dict(reference.named_modules())
    steps = [s for s in _all_steps(twin.steps)]
    mine = [a for a, _ in paired]
    if len(steps) != len(mine):
        return None
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for norm in (m for m in model.modules() if isinstance(m, nn.BatchNorm2d)):
            norm.running_mean.copy_(torch.randn(norm.num_features, generator=generator) / 10)
            norm.running_var.copy_(torch.rand(norm.num_features, generator=generator) + 0.5)
        for a, e in zip(mine, steps):
            if a.kind == "conv":
                source, target = layers.get(a.name), others[e.name]
                if not isinstance(source, nn.Conv2d) or source.weight.shape != target.weight.shape:
                    return None
                target.weight.copy_(source.weight)
                if target.bias is not None and source.bias is not None:
                    target.bias.copy_(source.bias)
                if a.norm:
                    norm, copy_to = layers.get(a.norm_name), others[e.norm_name]
                    if not isinstance(norm, nn.BatchNorm2d):
                        return None
                    copy_to.load_state_dict(norm.state_dict())
                    copy_to.eps = norm.eps
                    if source.bias is not None:  # a bias before a batch norm only shifts its mean
                        copy_to.running_mean.sub_(source.bias)
        got, want = model(x.clone()), reference(x.clone())
    off = ((got - want).abs().max() / want.abs().max().clamp(min=1e-12)).item()
    if off > 1e-3:
        return f"Every step is there, but with the same weights the output differs from the reference's by {off:.1%}."
    return off


# --- Residual blocks ------------------------------------------------------------------------------


class _Probe(nn.Module):
    """A body whose output does not depend on its input, and that remembers what it was given."""

    def __init__(self, value: Tensor):
        super().__init__()
        self.value, self.inputs = value, []

    def forward(self, x):
        if not isinstance(x, Tensor):
            raise _Wrong(f"The body is called with {_short(x)}; it should be called with x.")
        self.inputs.append(x.clone())
        return self.value.clone()


@_check
def residual(answer, scale: float = 0.1, relu: bool = True, *, kind: str = "module") -> Verdict:
    """A scaled residual block, judged by what it does with bodies whose output is known.

    answer: a class or function (body, scale) → module; with kind="function" a function (x, body,
    scale) → tensor. relu: whether a ReLU follows the sum (the last block of the released network
    has none).
    """
    if not callable(answer) or isinstance(answer, nn.Module):
        return _wrong(
            "A class or function that takes a body and a scale is asked for, got "
            + _short(answer)
            + "."
        )
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(2, 4, 5, 5, generator=generator) * 2
    b = torch.randn(2, 4, 5, 5, generator=generator) * 2
    y, probe, untouched = _respond(answer, kind, x, b, scale)
    if y.shape != x.shape:
        if y.dim() == 4 and y.shape[1] == 2 * x.shape[1]:
            return _wrong(
                "The two branches are concatenated, channels doubled; a residual block adds them."
            )
        return _wrong(
            f"{'×'.join(map(str, x.shape))} goes in, {'×'.join(map(str, y.shape))} comes out; a residual "
            "block keeps the shape."
        )
    if not untouched:
        return _wrong(
            "The block overwrites its input x (an operation in place, such as += or inplace=True on x)."
        )
    if len(probe.inputs) != 1:
        return _wrong(
            "The body is never called."
            if not probe.inputs
            else f"The body is called {len(probe.inputs)} times; once is enough."
        )
    if not torch.allclose(probe.inputs[0], x, atol=1e-5):
        return _wrong(_about_input(probe.inputs[0], x, scale))
    sentence = _about_output(answer, kind, x, b, y, scale, relu)
    if sentence:
        return _wrong(sentence)
    other = 0.5 if scale != 0.5 else 0.25
    again, _, _ = _respond(answer, kind, x, b, other)
    if not torch.allclose(again, _wanted(x, b, other, relu), atol=1e-5):
        if torch.allclose(again, _wanted(x, b, scale, relu), atol=1e-5):
            return _wrong(
                f"It is right for scale {scale:g} but does the same for scale {other:g}: the number is "
                "written into the block; use the argument."
            )
        return _wrong(f"It is right for scale {scale:g}, not for scale {other:g}.")
    formula = f"relu(x + {scale:g} · body(x))" if relu else f"x + {scale:g} · body(x)"
    return _right(f"{formula}, measured with bodies of known output.")


def _wanted(x, b, scale, relu):
    y = x + scale * b
    return y.relu() if relu else y


def _respond(answer, kind, x, b, scale):
    probe, given = _Probe(b), x.clone()
    if kind == "function":
        y = answer(given, probe, scale)
    else:
        model = answer(probe, scale)
        if _missing(model):
            raise _Unsolved("Your function returns nothing yet.")
        if not isinstance(model, nn.Module):
            raise _Wrong(f"A module is asked for, got {_short(model)}.")
        with torch.no_grad():
            try:
                y = model(given)
            except NotImplementedError:
                raise _Unsolved("Your module has no forward yet.") from None
    if _missing(y):
        raise _Unsolved(f"{'It' if kind == 'function' else 'Its forward'} returns nothing yet.")
    if not isinstance(y, Tensor):
        raise _Wrong(f"A tensor should come out, got {_short(y)}.")
    return y.detach(), probe, torch.equal(given, x)


def _about_input(got, x, scale) -> str:
    if got.shape != x.shape:
        return f"The body is given a map of shape {tuple(got.shape)}; it should be given x, {tuple(x.shape)}."
    if torch.allclose(got, x.relu(), atol=1e-5):
        return "The body is given relu(x); it should be given x itself."
    if torch.allclose(got, scale * x, atol=1e-5):
        return f"The scale {scale:g} is applied to the body's input; it belongs to its output."
    return "The body is given something other than x."


def _about_output(answer, kind, x, b, y, scale, relu) -> str:
    """The first mistake that reproduces what came out; else the numbers a, b of the sum that fits
    best."""
    s = scale
    if torch.allclose(y, _wanted(x, b, s, relu), atol=1e-5):
        return ""
    mistakes = [
        ("the ReLU is missing: it follows the addition.", x + s * b),
        ("there is a ReLU after the sum; this block has none.", (x + s * b).relu()),
        (
            "the ReLU comes before the addition, on the residual branch; it belongs after the sum.",
            x + (s * b).relu(),
        ),
        (
            "the ReLU comes before the addition, on the residual branch; it belongs after the sum alone.",
            (x + (s * b).relu()).relu(),
        ),
        (
            "the ReLU comes before the addition, on the identity; it belongs after the sum.",
            x.relu() + s * b,
        ),
        (
            "the ReLU comes before the addition, on both branches; it belongs after the sum.",
            x.relu() + (s * b).relu(),
        ),
        (
            "there is a ReLU on the identity before the addition; x passes unchanged.",
            (x.relu() + s * b).relu(),
        ),
        ("the branches are multiplied; a residual block adds them.", x * s * b),
        ("the branches are multiplied; a residual block adds them.", (x * s * b).relu()),
        (
            "the identity comes after the ReLU: x + relu(…); the ReLU follows the sum.",
            x + s * b.relu(),
        ),
    ]
    for sentence, candidate in mistakes:
        if torch.allclose(y, candidate, atol=1e-5):
            return sentence[0].upper() + sentence[1:]
    for eps in (1e-3, 1e-5):

        def normed(value, eps=eps):
            return F.batch_norm(value, None, None, training=True, eps=eps)

        for sentence, candidate in (
            ("There is a batch norm after the sum; the paper has none there.", normed(x + s * b)),
            (
                "There is a batch norm after the ReLU; the paper has none there.",
                normed((x + s * b).relu()),
            ),
            ("There is a batch norm on the identity.", normed(x) + s * b),
            (
                "There is a batch norm on the residual branch, which already ends as it should.",
                x + s * normed(b),
            ),
            (
                "There is a batch norm on the residual branch, which already ends as it should.",
                x + normed(s * b),
            ),
        ):
            if any(torch.allclose(y, c, atol=1e-4) for c in (candidate, candidate.relu())):
                return sentence
    # With large positive inputs no ReLU hides the sum; with a negative x none hides one that
    # subtracts it.
    for large in (x.abs() + 500, -x.abs() - 500):
        found = _respond(answer, kind, large, b.abs(), s)[0]
        if found.any():
            break
    fit = _fit(found, large, b.abs())
    if fit is not None and (fit[0] or fit[1]):
        faults = diagnose.scale_faults(fit[0], fit[1], s)
        line = fit[0] * x + fit[1] * b + fit[2]
        if faults and not any(
            torch.allclose(y, c, atol=1e-3) for c in (line, line.relu(), line.relu() - fit[2])
        ):
            return _off(x, b, y, s, relu)
        if abs(fit[2]) > 1e-3 and not faults:
            return f"A constant {fit[2]:.3g} is added to the sum."
        if faults:
            return "".join(faults[:1])[0].upper() + faults[0][1:]
        if relu:
            return "For positive sums the block is right, for negative ones it is not: relu(…) gives 0 there."
        return "For positive sums the block is right, for negative ones it is not: no ReLU is wanted here."
    return _off(x, b, y, s, relu)


def _off(x, b, y, s, relu) -> str:
    off = (y - _wanted(x, b, s, relu)).abs().max().item()
    formula = f"relu(x + {s:g} · body(x))" if relu else f"x + {s:g} · body(x)"
    return f"Wanted is {formula}; what comes out differs from it by up to {off:.3g}."


def _fit(y, x, b) -> tuple[float, float, float] | None:
    """a, b, c of y = a · x + b · body + c, where that fits exactly."""
    columns = torch.stack([x.flatten(), b.flatten(), torch.ones(x.numel())], 1).double()
    solution = torch.linalg.lstsq(columns, y.flatten().double()).solution
    if (columns @ solution - y.flatten()).abs().max() > 1e-3:
        return None
    return tuple(0.0 if abs(v) < 1e-6 else v for v in solution.tolist())


# --- Training -------------------------------------------------------------------------------------


@_check
def training_step(answer) -> Verdict:
    """A function step(model, images, labels, optimizer) → loss that makes one step of gradient
    descent."""
    if not callable(answer):
        return _wrong(f"A function is asked for, got {_short(answer)}.")
    wanted = _trajectory(_right_step)
    got = _trajectory(answer)
    if _missing(got.losses[0]):
        if got.moved:
            return _wrong("The step trains, but it returns nothing: return the loss.")
        raise _Unsolved("Your function returns nothing yet.")
    if not got.moved:
        return _wrong(
            "The parameters have gradients but did not move: optimizer.step() is missing."
            if got.gradients
            else "The parameters have no gradients: loss.backward() is missing."
        )
    if got.close(wanted):
        return _right("Loss and parameters are as they should be after three steps.")
    for sentence, twin in _TWINS.items():
        if got.close(_trajectory(twin)):
            return _wrong(sentence)
    if not math.isclose(got.losses[0], wanted.losses[0], rel_tol=1e-4):
        return _wrong(
            f"The loss of the first step is {got.losses[0]:.4g}, wanted is {wanted.losses[0]:.4g}, the mean "
            "cross-entropy."
        )
    return _wrong(
        "The loss is right, but the parameters do not move as gradient descent would move them."
    )


@dataclass
class _Trained:
    losses: list
    weights: Tensor
    moved: bool
    gradients: bool

    def close(self, other: _Trained) -> bool:
        return torch.allclose(self.weights, other.weights, rtol=1e-4, atol=1e-6) and all(
            a is not None and b is not None and math.isclose(a, b, rel_tol=1e-4)
            for a, b in zip(self.losses, other.losses)
        )


def _trajectory(step) -> _Trained:
    generator = torch.Generator().manual_seed(5)
    model = nn.Linear(6, 3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    before = model.weight.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    images = torch.randn(3, 8, 6, generator=generator)
    labels = torch.randint(0, 3, (3, 8), generator=generator)
    losses, gradients = [], False
    for x, y in zip(images, labels):
        loss = step(model, x, y, optimizer)
        gradients = gradients or model.weight.grad is not None
        losses.append(
            loss.item()
            if isinstance(loss, Tensor) and loss.numel() == 1
            else loss
            if isinstance(loss, (int, float)) or _missing(loss)
            else math.nan
        )
    return _Trained(
        losses, model.weight.detach().clone(), not torch.equal(model.weight, before), gradients
    )


def _step(loss_of, zero="first", repeats=1):
    def step(model, images, labels, optimizer):
        if zero == "first":
            optimizer.zero_grad()
        loss = loss_of(model(images), labels)
        loss.backward()
        if zero == "between":
            optimizer.zero_grad()
        for _ in range(repeats):
            optimizer.step()
        return loss

    return step


_right_step = _step(F.cross_entropy)
_TWINS = {
    "The gradients of earlier batches are still there: optimizer.zero_grad() is missing.": _step(
        F.cross_entropy, zero=""
    ),
    "A softmax is applied before the cross-entropy, which has one inside: pass it the model's output itself.": _step(
        lambda z, y: F.cross_entropy(z.softmax(1), y)
    ),
    "A log-softmax is taken twice: F.cross_entropy takes the model's output itself.": _step(
        lambda z, y: F.nll_loss(z, y)
    ),
    "The loss is summed over the batch; take the mean, so that the rate does not depend on the batch size.": _step(
        lambda z, y: F.cross_entropy(z, y, reduction="sum")
    ),
    "The loss is label-smoothed; plain cross-entropy is asked for.": _step(
        lambda z, y: F.cross_entropy(z, y, label_smoothing=0.1)
    ),
    "optimizer.step() is called twice.": _step(F.cross_entropy, repeats=2),
    "The sign is wrong: the step climbs the loss.": _step(lambda z, y: -F.cross_entropy(z, y)),
}


__all__ = [
    "Verdict",
    "description",
    "equal",
    "function",
    "module",
    "number",
    "raises",
    "residual",
    "shape",
    "training_step",
]
