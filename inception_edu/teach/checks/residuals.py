"""Checks of scaled residual blocks by bodies whose output is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inception_edu.teach import diagnose
from inception_edu.teach.verdict import (
    Unsolved,
    Verdict,
    Wrong,
    checked,
    right,
    short,
    student_code,
)
from inception_edu.teach.verdict import wrong as wrong_


class _Probe(nn.Module):
    """A body whose output does not depend on its input, and that remembers what it was given."""

    def __init__(self, value: Tensor):
        super().__init__()
        self.value = value
        self.inputs: list[Tensor] = []

    def forward(self, x: Any) -> Tensor:
        if not isinstance(x, Tensor):
            raise Wrong(f"The body is called with {short(x)}; it should be called with x.")
        self.inputs.append(x.detach().clone())
        return self.value.clone()


@checked
def residual(
    answer: Any, scale: float = 0.1, relu: bool = True, *, kind: str = "module"
) -> Verdict:
    """A scaled residual block, judged by what it does with bodies whose output is known.

    answer: a class or function (body, scale) → module; with kind="function" a function (x, body,
    scale) → tensor. relu: whether a ReLU follows the sum (the last block of the released network
    has none). Values and gradients are compared.
    """
    if not callable(answer) or isinstance(answer, nn.Module):
        return wrong_(
            f"A class or function that takes a body and a scale is asked for, got {short(answer)}."
        )
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(2, 4, 5, 5, generator=generator) * 8
    b = torch.randn(2, 4, 5, 5, generator=generator) * 8
    y, probe, untouched = _respond(answer, kind, x, b, scale)
    if sentence := _about_the_call(x, y, probe, untouched):
        return wrong_(sentence)
    if not torch.allclose(probe.inputs[0], x, atol=1e-5):
        return wrong_(_about_input(probe.inputs[0], x, scale))
    if sentence := _about_output(answer, kind, x, b, y, scale, relu):
        return wrong_(sentence, diagnosed=not sentence.startswith("Wanted is"))
    other = 0.5 if scale != 0.5 else 0.25
    again, _, _ = _respond(answer, kind, x, b, other)
    if not torch.allclose(again, _wanted(x, b, other, relu), atol=1e-5):
        if torch.allclose(again, _wanted(x, b, scale, relu), atol=1e-5):
            return wrong_(
                f"It is right for scale {scale:g} but does the same for scale {other:g}: the "
                "number is written into the block; use the argument."
            )
        return wrong_(f"It is right for scale {scale:g}, not for scale {other:g}.")
    if sentence := _about_gradients(answer, kind, x, b, scale, relu):
        return wrong_(sentence)
    formula = f"relu(x + {scale:g} · body(x))" if relu else f"x + {scale:g} · body(x)"
    return right(f"{formula}, measured with bodies of known output.")


def _about_the_call(x: Tensor, y: Tensor, probe: _Probe, untouched: bool) -> str:
    """What is wrong with the shape, with x afterwards, or with how often the body ran."""
    if y.shape != x.shape:
        if y.dim() == 4 and y.shape[1] == 2 * x.shape[1]:
            return (
                "The two branches are concatenated, channels doubled; a residual block adds them."
            )
        sizes = f"{_times(x)} goes in, {_times(y)} comes out"
        return f"{sizes}; a residual block keeps the shape."
    if not untouched:
        return (
            "The block overwrites its input x (an operation in place, such as += or inplace=True "
            "on x)."
        )
    if not probe.inputs:
        return "The body is never called."
    if len(probe.inputs) > 1:
        return f"The body is called {len(probe.inputs)} times; once is enough."
    return ""


def _times(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape))


def _wanted(x: Tensor, b: Tensor, scale: float, relu: bool) -> Tensor:
    y = x + scale * b
    return y.relu() if relu else y


def _respond(
    answer: Callable, kind: str, x: Tensor, b: Tensor, scale: float
) -> tuple[Tensor, _Probe, bool]:
    """What comes out, the body that was used, and whether x is still what it was."""
    given = x.clone()
    y, probe = _run(answer, kind, given, b, scale)
    return y.detach(), probe, torch.equal(given.detach(), x)


def _run(answer: Callable, kind: str, x: Tensor, b: Tensor, scale: float) -> tuple[Tensor, _Probe]:
    probe = _Probe(b)
    with student_code():
        if kind == "function":
            y = answer(x, probe, scale)
        else:
            model = answer(probe, scale)
            if model is Ellipsis:
                raise Unsolved
            if not isinstance(model, nn.Module):
                raise Wrong(f"A module is asked for, got {short(model)}.")
            if type(model).forward is nn.Module.forward:
                raise Unsolved("Your module has no forward yet.")
            y = model(x)
    if y is Ellipsis:
        raise Unsolved
    it = "Your function" if kind == "function" else "Its forward"
    if y is None:
        raise Wrong(f"{it} returns nothing: is the `return` missing?")
    if not isinstance(y, Tensor):
        raise Wrong(f"A tensor should come out, got {short(y)}.")
    return y, probe


def _about_gradients(
    answer: Callable, kind: str, x: Tensor, b: Tensor, scale: float, relu: bool
) -> str:
    """Training goes through both branches: what gradients arrive at x and at the body."""
    x = x.clone().requires_grad_()
    b = b.clone().requires_grad_()
    y, _ = _run(answer, kind, x + 0, b, scale)
    if not y.requires_grad:
        return (
            "The values are right, but no gradient passes the block, so nothing below it learns: "
            "take `no_grad` (or `.data`, `.detach()`) away."
        )
    got = torch.autograd.grad(y.sum(), (x, b), allow_unused=True)
    wanted = torch.autograd.grad(_wanted(x, b, scale, relu).sum(), (x, b))
    for gradient, right_one, place in zip(got, wanted, ("the identity", "the body")):
        if gradient is None or not gradient.any():
            return (
                f"The values are right, but no gradient passes {place}: a `detach`, `.data` or "
                "`no_grad` cuts it off, and what lies below does not learn."
            )
        if not torch.allclose(gradient, right_one, atol=1e-4):
            return f"The values are right, but the gradient through {place} is not."
    return ""


def _about_input(got, x, scale) -> str:
    if got.shape != x.shape:
        given = f"The body is given a map of shape {tuple(got.shape)}"
        return f"{given}; it should be given x, {tuple(x.shape)}."
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
        (
            "the output is cut off at 6 (ReLU6); the figure has a plain ReLU.",
            F.relu6(x + s * b),
        ),
        ("the ReLU is missing: it follows the addition.", x + s * b),
        ("there is a ReLU after the sum; this block has none.", (x + s * b).relu()),
        (
            "the ReLU comes before the addition, on the residual branch; it belongs after the sum.",
            x + (s * b).relu(),
        ),
        (
            "the ReLU comes before the addition, on the residual branch; it belongs after the "
            "sum alone.",
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
            return (
                "For positive sums the block is right, for negative ones it is not: relu(…) gives "
                "0 there."
            )
        return (
            "For positive sums the block is right, for negative ones it is not: no ReLU is wanted "
            "here."
        )
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
    first, second, third = (0.0 if abs(v) < 1e-6 else v for v in solution.tolist())
    return first, second, third
