"""What is recorded of a network while it trains, beside what the loop records, and its dead
channels at the end."""

from __future__ import annotations

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from inception_edu.data import Data
from inception_edu.nets.build import named_blocks
from inception_edu.study.changes import last_linear, residual_blocks
from inception_edu.study.identity import some


class Watch:
    """Keeps what the residual blocks saw last, so that a record can be completed with their inner
    quantities."""

    def __init__(self, model: nn.Module):
        self.blocks, self.named = residual_blocks(model), named_blocks(model)
        self.seen: dict[str, tuple] = {}
        self.optimizer = None
        self.rows: list[dict] = []
        self.branch: dict[str, list] = {name: [] for name, _ in self.blocks}
        self.gradient: dict[str, list] = {name: [] for name, _ in self.named}
        self.classifier = model.classifier
        self.hooks = [self.classifier.register_forward_hook(self._classifier)]
        self.hooks += [
            block.body.register_forward_hook(self._keep(name)) for name, block in self.blocks
        ]
        self.hooks.append(register_optimizer_step_post_hook(self._optimizer))

    def _keep(self, name):
        def hook(module, inputs, output):
            self.seen[name] = (inputs[0].detach(), output.detach())

        return hook

    def _classifier(self, module, inputs, output):
        if inputs[0].requires_grad:
            inputs[0].retain_grad()
        self.seen["classifier"] = (inputs[0], output.detach())

    def _optimizer(self, optimizer, *_):
        # The hook hears of every optimizer of the process: runs in other threads have theirs.
        mine = next(self.classifier.parameters())
        if any(p is mine for group in optimizer.param_groups for p in group["params"]):
            self.optimizer = optimizer

    @torch.no_grad()
    def record(self, record) -> None:
        features, logits = self.seen["classifier"]
        log = logits.float().log_softmax(1)
        slope = 0.0 if features.grad is None else (features * features.grad).sum().item()
        row = {
            "push": slope,
            "length": features.float().square().sum(1).mean().item(),
            "logits": logits.std().item(),
            "entropy": -(log.exp() * log).sum(1).mean().item(),
        }
        for name, block in self.blocks:
            identity, branch = self.seen[name]
            row |= {
                "branch": float(block.scale) * branch.mean().item(),
                "identity": identity.mean().item(),
            }
            self.branch[name].append(row["branch"])
        for name, block in self.named:
            lengths = [
                torch.linalg.vector_norm(p.grad) for p in block.parameters() if p.grad is not None
            ]
            self.gradient[name].append(torch.stack(lengths).norm().item() if lengths else 0.0)
        if self.blocks:
            conv = last_linear(self.blocks[-1][1])
            state = self.optimizer.state.get(conv.weight, {}) if self.optimizer else {}
            momentum = state.get("momentum_buffer")
            row |= {
                "weight": conv.weight.mean().item(),
                "bias": 0.0 if conv.bias is None else conv.bias.mean().item(),
                "momentum": 0.0 if momentum is None else momentum.mean().item(),
            }
        self.rows.append(row)

    def close(self) -> None:
        for hook in self.hooks:
            hook.remove()


@torch.no_grad()
def dead_channels(model: nn.Module, data: Data, images: int = 64) -> dict[str, float]:
    """Share of channels that are 0 at every position of `images` training images, by block.

    Measured as in training, with each batch's own statistics (at most 250 images a batch); the
    running ones are put back afterwards.
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
        model(data.normalise(part))
    model.train(training)
    for h in hooks:
        h.remove()
    model.load_state_dict(state)
    return {name: (top <= 0).float().mean().item() for name, top in highest.items()}
