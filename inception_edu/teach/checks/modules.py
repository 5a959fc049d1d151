"""Checks of torch modules by what they do when they run."""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from inception_edu.describe import Concat, Node, Shape, measure
from inception_edu.describe import out_shape as described_shape
from inception_edu.nets.build import build
from inception_edu.teach import diagnose
from inception_edu.teach.checks.descriptions import NODES, compared, printed
from inception_edu.teach.verdict import (
    StudentError,
    Unsolved,
    Verdict,
    Wrong,
    checked,
    in_words,
    short,
    student_code,
)
from inception_edu.teach.verdict import wrong as wrong_
from inception_edu.teach.watch import watch


@checked
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
    if type(model).forward is nn.Module.forward:
        raise Unsolved("Your module has no forward yet.")
    x = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    seen = watch(model, x)
    want = described_shape(expected, shape)
    if seen.error is not None:
        return wrong_(*seen.faults, f"Its forward stopped with {in_words(seen.error)}")
    if seen.output is Ellipsis:
        raise Unsolved
    if seen.output is None:
        return wrong_("Its forward returns nothing: is the `return` missing?")
    if isinstance(seen.output, (list, tuple)):
        return wrong_(
            f"Its forward returns {len(seen.output)} tensors; join them along the channels: "
            "torch.cat([…], dim=1)."
        )
    if not isinstance(seen.output, Tensor):
        return wrong_(f"Its forward should return a tensor, got {short(seen.output)}.")
    if seen.steps is None:
        return wrong_("What its forward returns was not made from its input: is x used?")
    eps = _eps_fault(seen.steps, strict_eps)
    # Sizes that do not fit are said by the comparison, with the branch that is to blame.
    faults = [f for f in seen.faults if "maps to be concatenated" not in f] + eps
    verdict = compared(seen.steps, expected, shape, wrong, ordered, faults=faults)
    if not verdict.ok:
        if len(verdict.faults) == 0 or not any("gives" in f for f in verdict.faults):
            got = tuple(seen.output.shape[1:])
            if not seen.faults and got != want and seen.output.dim() == 4:
                extra = f"(It gives {printed(got)}, wanted is {printed(want)}.)"
                return replace(
                    verdict, message=f"{verdict.message} {extra}", faults=(*verdict.faults, extra)
                )
        return verdict
    if (tuple(seen.output.shape[1:])) != want:
        return wrong_(f"It gives {printed(seen.output.shape[1:])}, wanted is {printed(want)}.")
    return _weights(model, seen, expected, shape, x, verdict)


def _make(answer: Any) -> nn.Module:
    if isinstance(answer, nn.Module):
        return answer
    if isinstance(answer, NODES):
        raise Wrong(
            "This is a description; a module is asked for: build(description, in_channels)."
        )
    if not callable(answer):
        raise Wrong(f"A module is asked for, got {short(answer)}.")
    _takes_no_arguments(answer)
    if isinstance(answer, type) and issubclass(answer, nn.Module):
        return _instance(answer)
    with student_code():
        model = answer()
    if model is Ellipsis:
        raise Unsolved
    if model is None:
        raise Wrong("Your function returns nothing: is the `return` missing?")
    if not isinstance(model, nn.Module):
        raise Wrong(f"A module is asked for, got {short(model)}.")
    return model


def _takes_no_arguments(answer: Callable) -> None:
    try:
        signature = inspect.signature(answer)
    except (TypeError, ValueError):  # some types written in C tell nothing
        return
    try:
        signature.bind()
    except TypeError as error:
        raise Wrong(f"It should be made without arguments: {error}.") from None


def _instance(answer: type[nn.Module]) -> nn.Module:
    """`answer()`; where it fails, whether `super().__init__()` had been called by then."""
    model = answer.__new__(answer)
    try:
        with student_code():
            model.__init__()  # type: ignore[misc]
    except StudentError:
        if "_modules" not in vars(model):
            raise Wrong("Call super().__init__() first in your __init__.") from None
        raise
    if "_modules" not in vars(model):
        raise Wrong("Call super().__init__() first in your __init__.")
    return model


def _eps_fault(steps, strict: float | None) -> list[str]:
    if strict is None:
        return []
    for step in _all_steps(steps):
        if step.eps is not None and not math.isclose(step.eps, strict, rel_tol=1e-6):
            return [
                f"The batch norm's eps is {step.eps:g}; it should be {strict:g} (torch's "
                "default is 1e-05)."
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
        return wrong_(
            f"The layer {twice[0]} is used {convs.count(twice[0])} times, so these places share "
            "one set of "
            "weights; the figure has a layer of its own at each place."
        )
    own = {n for n, m in model.named_modules() if any(True for _ in m.parameters(recurse=False))}
    watched = {step.name for step, _ in paired} | {step.norm_name for step, _ in paired}
    if idle := sorted(own - watched):
        verb = "is" if len(idle) == 1 else "are"
        return wrong_(
            f"{', '.join(idle[:3])} {verb} made in __init__, but forward does not use "
            f"{'it' if len(idle) == 1 else 'them'}."
        )
    got, want = sum(p.numel() for p in model.parameters()), measure(expected, shape).params
    surplus = sum(a.out for a, e in paired if a.kind == "conv" and a.norm and a.bias)
    remark = ""
    if surplus:
        remark = (
            f" Its convolutions have biases, {surplus:,} parameters that the batch norms after "
            "them cancel: "
            "bias=False saves them."
        )
    if got - surplus != want:
        return wrong_(f"It has {got:,} parameters, wanted are {want:,}.")
    same = _same_output(
        model, paired, expected, shape, x, diagnose.order(seen.steps, diagnose.sequence(expected))
    )
    if isinstance(same, str):
        return wrong_(same)
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
            if norm.running_mean is None or norm.running_var is None:
                continue
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
                    made, copy_to = layers.get(a.norm_name), others[e.norm_name]
                    if not isinstance(made, nn.BatchNorm2d):
                        return None
                    copy_to.load_state_dict(made.state_dict())
                    copy_to.eps = made.eps
                    if source.bias is not None:  # a bias before a batch norm only shifts its mean
                        copy_to.running_mean.sub_(source.bias)
        with student_code():
            got = model(x.clone())
        want = reference(x.clone())
    off = ((got - want).abs().max() / want.abs().max().clamp(min=1e-12)).item()
    if off > 1e-3:
        return (
            "Every step is there, but with the same weights the output differs from the "
            f"reference's by {off:.1%}."
        )
    return off
