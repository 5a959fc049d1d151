"""What is recorded of a network while it trains, beside what the loop records, and its dead
channels at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import nn

from inception_edu.data.types import Data
from inception_edu.learn import Moment, Probe, device_of
from inception_edu.nets.build import last_linear, named_blocks, residual_blocks
from inception_edu.study.identity import some


class Watch(Probe):
    """Completes each record with the inner quantities of the residual blocks and of the classifier:
    a probe for `train`."""

    def __init__(self, model: nn.Module):
        self.blocks, self.named = residual_blocks(model), named_blocks(model)
        self.seen: dict[str, tuple] = {}
        self.rows: list[dict] = []
        self.branch: dict[str, list] = {name: [] for name, _ in self.blocks}
        self.gradient: dict[str, list] = {name: [] for name, _ in self.named}

    @contextmanager
    def watch(self, model: nn.Module) -> Iterator[None]:
        """Within the context, the model's forward passes are noted."""
        hooks = [model.get_submodule("classifier").register_forward_hook(self._classifier)]
        for name, block in self.blocks:
            hooks.append(block.body.register_forward_hook(partial(self._keep, name)))
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _keep(self, name, module, inputs, output):
        self.seen[name] = (inputs[0].detach(), output.detach())

    def _classifier(self, module, inputs, output):
        if inputs[0].requires_grad:
            inputs[0].retain_grad()
        self.seen["classifier"] = (inputs[0], output.detach())

    @torch.no_grad()
    def __call__(self, moment: Moment) -> None:
        row = self._of_classifier()
        for name, block in self.blocks:
            identity, branch = self.seen[name]
            row["branch"] = float(block.scale) * branch.mean().item()
            row["identity"] = identity.mean().item()
            self.branch[name].append(row["branch"])
        for name, part in self.named:
            gradients = [p.grad for p in part.parameters() if p.grad is not None]
            lengths = [torch.linalg.vector_norm(gradient) for gradient in gradients]
            self.gradient[name].append(torch.stack(lengths).norm().item() if lengths else 0.0)
        if self.blocks:
            row |= _of_last_layer(last_linear(self.blocks[-1][1]), moment.optimizer)
        self.rows.append(row)
        moment.record.inside = row
        self.seen.clear()

    def _of_classifier(self) -> dict[str, float]:
        features, logits = self.seen["classifier"]
        log = logits.float().log_softmax(1)
        slope = 0.0 if features.grad is None else (features * features.grad).sum().item()
        return {
            "push": slope,
            "length": features.float().square().sum(1).mean().item(),
            "logits": logits.std().item(),
            "entropy": -(log.exp() * log).sum(1).mean().item(),
        }


def _of_last_layer(conv: nn.Conv2d, optimizer: torch.optim.Optimizer) -> dict[str, float]:
    momentum = optimizer.state.get(conv.weight, {}).get("momentum_buffer")
    return {
        "weight": conv.weight.mean().item(),
        "bias": 0.0 if conv.bias is None else conv.bias.mean().item(),
        "momentum": 0.0 if momentum is None else momentum.mean().item(),
    }


@torch.no_grad()
def dead_channels(model: nn.Module, data: Data, images: int = 64) -> dict[str, float]:
    """Share of channels that are 0 at every position of `images` training images, by block.

    Measured as in training, with each batch's own statistics (at most 250 images a batch); the
    running ones are put back afterwards. Where no channel is dead any more, further images are not
    looked at: they could not change that.
    """
    state = {k: v.clone() for k, v in model.state_dict().items()}
    highest: dict[str, torch.Tensor] = {}

    def hook(name):
        def keep(module, inputs, output):
            now = output.amax((0, 2, 3))
            highest[name] = torch.maximum(highest[name], now) if name in highest else now

        return keep

    hooks = [block.register_forward_hook(hook(name)) for name, block in named_blocks(model)]
    training = model.training
    model.train()
    for part in some(data.train, images).images.split(250):
        model(data.normalise(part.to(device_of(model))))
        if not any((top <= 0).any() for top in highest.values()):
            break
    model.train(training)
    for h in hooks:
        h.remove()
    model.load_state_dict(state)
    return {name: (top <= 0).float().mean().item() for name, top in highest.items()}
