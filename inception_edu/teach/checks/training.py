"""Checks of a step of training by the parameters and losses after three steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inception_edu.teach.verdict import (
    Unsolved,
    Verdict,
    checked,
    missing,
    right,
    short,
    student_code,
)
from inception_edu.teach.verdict import wrong as wrong_


@checked
def training_step(answer) -> Verdict:
    """A function step(model, images, labels, optimizer) → loss that makes one step of gradient
    descent."""
    if not callable(answer):
        return wrong_(f"A function is asked for, got {short(answer)}.")
    wanted = _trajectory(_right_step)
    got = _trajectory(answer)
    if got.losses[0] is Ellipsis:
        raise Unsolved
    if missing(got.losses[0]):
        if got.moved:
            return wrong_("The step trains, but it returns nothing: return the loss.")
        return wrong_("Your function returns nothing, and nothing was trained.")
    if not got.moved:
        return wrong_(
            "The parameters have gradients but did not move: optimizer.step() is missing."
            if got.gradients
            else "The parameters have no gradients: loss.backward() is missing."
        )
    if got.close(wanted):
        return right("Loss and parameters are as they should be after three steps.")
    for sentence, twin in _TWINS.items():
        if got.close(_trajectory(twin)):
            return wrong_(sentence)
    if not math.isclose(got.losses[0], wanted.losses[0], rel_tol=1e-4):
        return wrong_(
            f"The loss of the first step is {got.losses[0]:.4g}, wanted is "
            f"{wanted.losses[0]:.4g}, the mean "
            "cross-entropy."
        )
    return wrong_(
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
        with student_code():
            loss = step(model, x, y, optimizer)
        gradients = gradients or model.weight.grad is not None
        if isinstance(loss, Tensor) and loss.numel() == 1:
            loss = loss.item()
        a_number = isinstance(loss, (int, float)) or missing(loss)
        losses.append(loss if a_number else math.nan)
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
    "A softmax is applied before the cross-entropy, which has one inside: pass it the model's "
    "output itself.": _step(lambda z, y: F.cross_entropy(z.softmax(1), y)),
    "A log-softmax is taken twice: F.cross_entropy takes the model's output itself.": _step(
        lambda z, y: F.nll_loss(z, y)
    ),
    "The loss is summed over the batch; take the mean, so that the rate does not depend on the "
    "batch size.": _step(lambda z, y: F.cross_entropy(z, y, reduction="sum")),
    "The loss is label-smoothed; plain cross-entropy is asked for.": _step(
        lambda z, y: F.cross_entropy(z, y, label_smoothing=0.1)
    ),
    "optimizer.step() is called twice.": _step(F.cross_entropy, repeats=2),
    "The sign is wrong: the step climbs the loss.": _step(lambda z, y: -F.cross_entropy(z, y)),
}
