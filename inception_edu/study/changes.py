"""Changes that an experiment makes to a built network before it is trained, by name."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from inception_edu.nets.build import ScaledResidual, named_blocks


def residual_blocks(model: nn.Module) -> list[tuple[str, ScaledResidual]]:
    """The residual blocks of a built network, in order, with their names."""
    return [
        (name, block) for name, block in named_blocks(model) if isinstance(block, ScaledResidual)
    ]


def last_linear(block: ScaledResidual) -> nn.Conv2d:
    """The convolution that ends a residual branch: the figures' "1×1 Linear"."""
    return [m for m in block.body.modules() if isinstance(m, nn.Conv2d)][-1]


class NormedSum(ScaledResidual):
    """N×C×H×W → N×C×H×W: relu(batch norm(x + scale · body(x))), the other reading of "an extra
    batch-normalization to this layer" (Section 3.3)."""

    def __init__(self, block: ScaledResidual):
        super().__init__(block.body, block.scale)
        self.norm = nn.BatchNorm2d(last_linear(block).out_channels, eps=1e-3)

    def forward(self, x):
        return self.relu(self.norm(x + self.scale * self.body(x)))


class ScaledIdentity(ScaledResidual):
    """N×C×H×W → N×C×H×W: relu(scale · x + body(x)), the wrong way round: what Fig. 20 does not
    say."""

    def forward(self, x):
        return self.relu(self.scale * x + self.body(x))


class CentredConv(nn.Conv2d):
    """A convolution each of whose filters has its mean weight taken away, without bias: it cannot
    push its output up or down as a whole when all its inputs rise together."""

    def forward(self, x):
        return self._conv_forward(x, self.weight - self.weight.mean((1, 2, 3), keepdim=True), None)


def _swap(model: nn.Module, old: nn.Module, new: nn.Module) -> None:
    for parent in model.modules():
        for name, child in parent.named_children():
            if child is old:
                setattr(parent, name, new)


def _norm_in_branches(model: nn.Module, blocks: list[ScaledResidual]) -> None:
    for block in blocks:
        norm = nn.BatchNorm2d(last_linear(block).out_channels, eps=1e-3)
        block.body = nn.Sequential(*block.body, norm)


def _norm_after_sum(model: nn.Module, blocks: list[ScaledResidual]) -> None:
    for block in blocks:
        _swap(model, block, NormedSum(block))


def _blocks(model: nn.Module) -> list[ScaledResidual]:
    return [block for _, block in residual_blocks(model)]


def _learnable_scale(model: nn.Module) -> None:
    for block in _blocks(model):
        start = block.scale
        del block.scale
        block.scale = nn.Parameter(torch.tensor(float(start)))


def _scaled_identity(model: nn.Module) -> None:
    for block in _blocks(model):
        _swap(model, block, ScaledIdentity(block.body, block.scale))


def _zero_last_layer(model: nn.Module) -> None:
    for block in _blocks(model):
        nn.init.zeros_(last_linear(block).weight)


class SlowLinear(nn.Linear):
    """A classifier that starts as it would and learns at a tenth of the rate: z = W (a / √10) with
    W √10 times larger.

    Under SGD its weights' effect moves exactly 10 times slower; under RMSProp with ε = 1 almost
    exactly.
    """

    FACTOR = 10**-0.5

    def forward(self, x):
        return super().forward(x * self.FACTOR)


def _slow_classifier(model: nn.Module) -> None:
    old = model.classifier
    new = SlowLinear(old.in_features, old.out_features)
    with torch.no_grad():
        new.weight.copy_(old.weight / SlowLinear.FACTOR)
        new.bias.copy_(old.bias)
    model.classifier = new


def _slow_last_layers(model: nn.Module) -> None:
    for block in _blocks(model):
        block.scale = 0.1 * block.scale
        with torch.no_grad():
            last_linear(block).weight *= 10


def _small_last_layers(model: nn.Module) -> None:
    for block in _blocks(model):
        with torch.no_grad():
            last_linear(block).weight *= 0.1


def _zero_classifier(model: nn.Module) -> None:
    nn.init.zeros_(model.classifier.weight)


def _no_bias(model: nn.Module) -> None:
    for block in _blocks(model):
        last_linear(block).register_parameter("bias", None)


def _centred(model: nn.Module) -> None:
    for block in _blocks(model):
        conv = last_linear(block)
        new = CentredConv(conv.in_channels, conv.out_channels, 1, bias=False)
        with torch.no_grad():
            new.weight.copy_(conv.weight)
        _swap(block, conv, new)


CHANGES: dict[str, Callable[[nn.Module], None]] = {
    "norm in last branch": lambda model: _norm_in_branches(model, _blocks(model)[-1:]),
    "norm in every branch": lambda model: _norm_in_branches(model, _blocks(model)),
    "norm after last sum": lambda model: _norm_after_sum(model, _blocks(model)[-1:]),
    "norm after every sum": lambda model: _norm_after_sum(model, _blocks(model)),
    "learnable scale": _learnable_scale,
    "scaled identity": _scaled_identity,
    "zero last layer": _zero_last_layer,
    "zero classifier": _zero_classifier,
    "slow classifier": _slow_classifier,
    "slow last layers": _slow_last_layers,
    "small last layers": _small_last_layers,
    "no bias": _no_bias,
    "centred last layers": _centred,
}
