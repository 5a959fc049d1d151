"""The modules that networks are made of: ordinary torch, one class for each idea of the paper.

`ConvBNReLU`, `Concat` and `ScaledResidual` are all that the paper's figures need.
`AlteredResidual`, `CentredConv` and `SlowLinear` are for experiments that change what the figures
say.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import skip_init

from inception_edu.describe import Conv, Network, Pool, SpecError, input_shape, measure
from inception_edu.nets import fit
from inception_edu.nets.folded import folded, folded_text


class ConvBNReLU(nn.Sequential):
    """N×C×H×W → N×out×H'×W': convolution without bias, batch norm, and ReLU unless `relu=False`.

    Every unmarked convolution of the paper's figures. `padding="valid"` is the figures' V. The
    kernels are not drawn here: `build` does that.
    """

    if TYPE_CHECKING:  # TorchScript cannot read such annotations
        conv: nn.Conv2d
        norm: nn.BatchNorm2d

    def __init__(self, channels: int, spec: Conv, norm_eps: float = 1e-3):
        parts: OrderedDict[str, nn.Module] = OrderedDict()
        parts["conv"] = convolution(channels, spec)
        parts["norm"] = nn.BatchNorm2d(spec.out, eps=norm_eps)
        if spec.relu:
            parts["relu"] = nn.ReLU(inplace=True)
        super().__init__(parts)
        self.spec = spec

    def __repr__(self) -> str:
        words = [f"{self.conv.in_channels} → {self.spec.out}"]
        words += [f"stride {self.spec.stride}"] if self.spec.stride != 1 else []
        words += ["V"] if self.spec.padding == "valid" else []
        words += [f"{self.spec.groups} groups"] if self.spec.groups != 1 else []
        words += ["bias"] if self.spec.has_bias else []
        words += [] if self.spec.relu else ["no ReLU"]
        return f"ConvBNReLU({self.spec.kernel[0]}×{self.spec.kernel[1]}, {', '.join(words)})"


class Concat(nn.Module):
    """N×C×H×W → N×(sum of the branches)×H'×W': every branch on the same input, joined along the
    channels."""

    def __init__(self, *branches: nn.Module):
        super().__init__()
        for i, branch in enumerate(branches, 1):
            self.add_module(f"branch{i}", branch)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.children()], dim=1)


class ScaledResidual(nn.Module):
    """N×C×H×W → N×C×H×W: relu(x + scale · body(x)), Fig. 20.

    The shortcut is the identity, or a projecting convolution in ResNet. `scale` is a number, or a
    parameter of the network where `learnable`.
    """

    def __init__(
        self,
        body: nn.Module,
        scale: float = 1.0,
        relu: bool = True,
        shortcut: nn.Module | None = None,
        learnable: bool = False,
    ):
        super().__init__()
        self.body = body
        self.shortcut = nn.Identity() if shortcut is None else shortcut
        self.scale = nn.Parameter(torch.tensor(float(scale))) if learnable else scale
        self.relu = nn.ReLU() if relu else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.shortcut(x) + self.scale * self.body(x))

    def extra_repr(self) -> str:
        learnable = ", learnable" if isinstance(self.scale, nn.Parameter) else ""
        return f"scale={float(self.scale):g}{learnable}"


class AlteredResidual(ScaledResidual):
    """N×C×H×W → N×C×H×W: relu(norm(identity_scale · x + scale · body(x))).

    What the paper does not do: it scales the residual and not the identity (Fig. 20), and puts no
    batch norm on the sum (Section 3.2). `norm` is one, or None.
    """

    def __init__(
        self,
        body: nn.Module,
        scale: float = 1.0,
        relu: bool = True,
        shortcut: nn.Module | None = None,
        learnable: bool = False,
        norm: nn.Module | None = None,
        identity_scale: float = 1.0,
    ):
        super().__init__(body, scale, relu, shortcut, learnable)
        self.norm = nn.Identity() if norm is None else norm
        self.identity_scale = identity_scale

    def forward(self, x: Tensor) -> Tensor:
        identity = self.shortcut(x)
        if self.identity_scale != 1:
            identity = self.identity_scale * identity
        return self.relu(self.norm(identity + self.scale * self.body(x)))

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, identity_scale={self.identity_scale:g}"


class CentredConv(nn.Conv2d):
    """N×C×H×W → N×out×H'×W': a convolution each of whose filters has its mean weight taken away.

    It cannot push its output up or down as a whole when all its inputs rise together.
    """

    def forward(self, input: Tensor) -> Tensor:
        mean = self.weight.mean((1, 2, 3), keepdim=True)
        return self._conv_forward(input, self.weight - mean, self.bias)


class SlowLinear(nn.Linear):
    """N×features → N×classes: a classifier that learns at a share `rate` of the ordinary rate.

    z = W (√rate · a) + b, where `build` makes W larger by 1/√rate. Under SGD the effect of its
    weights moves exactly `rate` times as far; under RMSProp with ε = 1 almost exactly.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        rate: float = 0.1,
        device: torch.device | str | None = None,
    ):
        super().__init__(in_features, out_features, device=device)
        self.factor = rate**0.5

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input * self.factor, self.weight, self.bias)


class CentredLinear(SlowLinear):
    """N×features → N×classes: a classifier that reads its input minus the mean over the batch, or
    outside training minus the running mean. With `held` no gradient passes through the mean."""

    if TYPE_CHECKING:
        mean: Tensor

    def __init__(self, in_features, out_features, rate=1.0, held=False, device=None):
        super().__init__(in_features, out_features, rate, device)
        self.held = held
        self.register_buffer("mean", torch.zeros(in_features, device=device))

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input - self.mean)
        mean = input.mean(0)
        with torch.no_grad():
            self.mean.lerp_(mean.detach().float(), 0.1)
        return super().forward(input - (mean.detach() if self.held else mean))


class NetworkModule(nn.Sequential):
    """N×C×H×W → N×classes: the blocks of a network, pool, flatten, dropout, classifier.

    `description` is the `Network` it was made of. A batch that the network cannot take ends with a
    `SpecError` that says why.
    """

    def __init__(self, description: Network, children: OrderedDict[str, nn.Module]):
        super().__init__(children)
        self.description = description
        self._seen: set[tuple[int, ...]] = set()

    def forward(self, input: Tensor) -> Tensor:
        if not torch.jit.is_scripting():  # TorchScript knows no try
            return self._checked(input)
        for module in self:
            input = module(input)
        return input

    @torch.jit.unused
    def _checked(self, input: Tensor) -> Tensor:
        self._check(input)
        batch = len(input)
        try:
            for module in self:
                input = module(input)
        except ValueError as error:
            if self.training and batch == 1:  # batch norm refuses a single value a channel
                raise SpecError(fit.one_value(self.description)) from error
            raise
        return input

    @torch.jit.unused
    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign=False):
        """As torch's, also of weights that were saved from inside `torch.nn.DataParallel`.

        Raises `WeightsError` where they do not fit.
        """
        own = self.state_dict()
        if not own.keys() & state_dict.keys():
            state_dict = fit.plain_names(state_dict)
        try:
            return super().load_state_dict(state_dict, strict, assign)
        except RuntimeError:
            if not fit.misfit(own, state_dict):
                raise
            name = self.description.name
            raise fit.WeightsError(fit.do_not_fit(name, own, state_dict)) from None

    def _repr_html_(self) -> str:
        return folded(self, self.description.name)

    def __repr__(self) -> str:
        return folded_text(self, self.description.name)

    def __getitem__(self, at):
        """A block by its position; a slice gives an ordinary `nn.Sequential` of blocks."""
        if isinstance(at, slice):
            return nn.Sequential(OrderedDict(list(self._modules.items())[at]))
        return super().__getitem__(at)

    @torch.jit.unused
    def _check(self, images: Tensor) -> None:
        """A sentence instead of an error from inside torch, for a batch that does not fit."""
        if torch.compiler.is_compiling() or torch.jit.is_tracing():
            return
        network = self.description
        fit.check_kind(network, images, next(self.parameters(), None))
        shape = tuple(images.shape)
        if shape[1:] in self._seen:
            return
        fit.check_shape(network, shape)
        measure(network, input_shape(network, shape[1:]))
        self._seen.add(shape[1:])


class WithHeads(NetworkModule):
    """A network with auxiliary classifiers (`heads`, read after the blocks of `after`).

    In training N×C×H×W → (N×classes, [N×classes, one a head]); in evaluation N×classes.
    """

    def __init__(
        self,
        description: Network,
        children: OrderedDict[str, nn.Module],
        heads: OrderedDict[str, nn.Module],
    ):
        super().__init__(description, children)
        self.after = {head.name: head.after for head in description.heads}
        self.heads = nn.ModuleDict(heads)

    def forward(self, input: Tensor):
        self._check(input)
        aside = []
        for name, module in self.named_children():
            if name == "heads":
                continue
            input = module(input)
            if self.training:
                aside += [self.heads[h](input) for h, after in self.after.items() if after == name]
        return (input, aside) if self.training else input


def convolution(channels: int, spec: Conv) -> nn.Conv2d:
    """The convolution of a description, its weights not drawn yet."""
    return skip_init(
        CentredConv if spec.centred else nn.Conv2d,
        channels,
        spec.out,
        spec.kernel,
        spec.stride,
        padding(spec),
        groups=spec.groups,
        bias=spec.has_bias,
    )


def padding(spec: Conv | Pool) -> tuple[int, int]:
    """Zeros around a map, (above and below, left and right)."""
    return (spec.kernel[0] // 2, spec.kernel[1] // 2) if spec.padding == "same" else (0, 0)


def pool(spec: Pool) -> nn.Module:
    """The pooling of a description."""
    if spec.kind == "local":
        return nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)
    window: dict[str, Any] = {
        "kernel_size": spec.kernel,
        "stride": spec.stride,
        "padding": padding(spec),
        "ceil_mode": spec.padding == "ceil",
    }
    if spec.kind == "max":
        return nn.MaxPool2d(**window)
    return nn.AvgPool2d(**window, count_include_pad=spec.count_padding)
