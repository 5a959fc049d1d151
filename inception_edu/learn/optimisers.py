"""The optimizers: TensorFlow's RMSProp, with which the paper trained, SGD, and SGD with gradients
of equal length."""

from __future__ import annotations

from collections import deque
from typing import Any

import torch
from torch import Tensor, nn

from inception_edu.learn.recipe import Recipe, TrainError


class RMSPropTF(torch.optim.Optimizer):
    """RMSProp as TensorFlow has it, with which the paper trained; all at once for each weight w
    with gradient g:

        s ← decay · s + (1 − decay) · g²           s starts at 1
        m ← momentum · m + lr · g / √(s + eps)     m starts at 0
        w ← w − m

    `torch.optim.RMSprop` differs in three places: s starts at 0, eps is added after the root, and
    lr is not inside m. With the paper's eps of 1.0 this matters: where gradients are far below 1
    both are about SGD with rate lr, but torch's takes the step of rate lr/2 where |g| is 1 and
    TensorFlow's that of lr/√2. `weight_decay` adds weight_decay · w to the gradient.
    """

    def __init__(
        self,
        params,
        lr: float = 0.045,
        decay: float = 0.9,
        momentum: float = 0.9,
        eps: float = 1.0,
        weight_decay: float = 0.0,
    ):
        super().__init__(
            params, dict(lr=lr, decay=decay, momentum=momentum, eps=eps, weight_decay=weight_decay)
        )

    @torch.no_grad()
    def step(self, closure=None):
        """One step, as torch's optimizers make it."""
        loss = closure() if closure else None
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            for weight in weights:
                if not self.state[weight]:
                    self.state[weight]["square_avg"] = torch.ones_like(weight)
                    self.state[weight]["momentum_buffer"] = torch.zeros_like(weight)
            if weights and weights[0].device.type == "cuda":
                self._all_at_once(weights, group)
                continue
            for weight in weights:
                gradient, state = weight.grad, self.state[weight]
                if group["weight_decay"]:
                    gradient = gradient + group["weight_decay"] * weight
                squares, momentum = state["square_avg"], state["momentum_buffer"]
                squares.mul_(group["decay"]).addcmul_(gradient, gradient, value=1 - group["decay"])
                momentum.mul_(group["momentum"]).addcdiv_(
                    gradient, (squares + group["eps"]).sqrt_(), value=group["lr"]
                )
                weight.sub_(momentum)
        return loss

    def _all_at_once(self, weights: list[Tensor], group: dict) -> None:
        """The same for all weights in a few calls: on a GPU starting a call is what takes time."""
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        squares = [self.state[weight]["square_avg"] for weight in weights]
        momenta = [self.state[weight]["momentum_buffer"] for weight in weights]
        if group["weight_decay"]:
            decayed = torch._foreach_add(gradients, weights, alpha=group["weight_decay"])
            gradients = list(decayed)
        torch._foreach_mul_(squares, group["decay"])
        torch._foreach_addcmul_(squares, gradients, gradients, value=1 - group["decay"])
        lengths = torch._foreach_add(squares, group["eps"])
        torch._foreach_sqrt_(lengths)
        changes = torch._foreach_div(gradients, lengths)
        torch._foreach_mul_(changes, group["lr"])
        torch._foreach_mul_(momenta, group["momentum"])
        torch._foreach_add_(momenta, changes)
        torch._foreach_sub_(weights, momenta)


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimizer. Weight decay acts on weights of convolutions and classifiers only.
    Raises `TrainError` where nothing can be trained."""
    weights = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    others = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": weights, "weight_decay": recipe.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if not groups:
        raise TrainError(
            "The network has no weights to train: all of them are frozen, or there are none."
        )
    optimizer: torch.optim.Optimizer
    if recipe.optimizer == "rmsprop":
        optimizer = RMSPropTF(groups, recipe.lr, recipe.rms_decay, recipe.momentum, recipe.eps)
    else:
        # One call for all weights, where there is one.
        fused = groups[0]["params"][0].device.type in ("cpu", "cuda")
        optimizer = torch.optim.SGD(
            groups,
            recipe.lr,
            recipe.momentum,
            nesterov=recipe.nesterov and recipe.momentum > 0,
            fused=fused,
        )
    if recipe.optimizer == "normalised":
        optimizer.register_step_pre_hook(_normalise)
    if recipe.replicas > 1:
        delay(optimizer, recipe.replicas - 1)
    return optimizer


def _normalise(optimizer: torch.optim.Optimizer, *_: Any) -> None:
    """Give the gradient of every tensor the length 1; one of length 0 stays as it is."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    for gradient, length in zip(gradients, torch._foreach_norm(gradients), strict=True):
        gradient.div_(length + 1e-12)


def delay(optimizer: torch.optim.Optimizer, updates: int) -> None:
    """From now on each step applies the gradient that was handed over `updates` steps before; the
    first `updates` steps change nothing.

    This is what asynchronous replicas do that take turns: while one of them computes a gradient,
    the others change the weights, so each gradient belongs to weights that are `updates` steps old.
    """
    waiting: deque[list[Tensor | None]] = deque()

    def exchange(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        waiting.append([weight.grad for weight in weights])
        old = waiting.popleft() if len(waiting) > updates else [None] * len(weights)
        for weight, gradient in zip(weights, old, strict=True):
            weight.grad = gradient

    optimizer.register_step_pre_hook(exchange)


def set_rate(optimizer: torch.optim.Optimizer, lr: float) -> float:
    """Give every group of weights the learning rate `lr`, and return it. A rate that is a tensor,
    which a captured step reads, keeps its place."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(lr)
        else:
            group["lr"] = lr
    return lr


def gradient_norm(model: nn.Module, clip: float | None = None) -> Tensor:
    """Length of all gradients taken as one vector, before they are shortened to `clip`."""
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in gradients]))
    if clip is not None:
        # A tensor, which stays on the device: a GPU is not waited for.
        shorter = (clip / (norm + 1e-12)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(shorter)
    return norm
