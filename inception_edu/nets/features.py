"""What a trained network computes: maps by block and by branch, dead channels, who listens to whom,
what is seen.

Every function takes a network that `build` made and a batch N×C×H×W as the network wants it
(normalised), and leaves the network as it was. Block names are those of `named_blocks`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from inception_edu.nets.build import Concat, ScaledResidual, named_blocks
from inception_edu.nets.inference import Images, device_of, evaluating, share_right


class FeatureError(ValueError):
    """A block, branch or channel that the network does not have. The message says which there
    are."""


def block(model: nn.Module, name: str) -> nn.Module:
    """The module of a block by its name."""
    blocks = dict(named_blocks(model))
    if name not in blocks:
        raise FeatureError(f"The network has no block {name!r}; it has {', '.join(blocks)}.")
    return blocks[name]


def concatenation(module: nn.Module) -> Concat | None:
    """The concatenation that ends a block's branches: an Inception block itself, the first part of
    a residual body, the last of a stem. None for a block without branches."""
    if isinstance(module, Concat):
        return module
    if isinstance(module, ScaledResidual):
        return concatenation(module.body)
    if isinstance(module, nn.Sequential):
        found = [inner for inner in (concatenation(part) for part in module) if inner is not None]
        return found[-1] if found else None
    return None


def branches_of(module: nn.Module) -> list[nn.Module]:
    """The modules of a block's branches; none where it has none."""
    join = concatenation(module)
    return [] if join is None else list(join.children())


def branch_names(module: nn.Module) -> list[str]:
    """Words for each branch of a block, "1×1 → 3×3", in the order of the figure; empty without
    branches."""
    return [_words(branch) for branch in branches_of(module)]


def _words(branch: nn.Module) -> str:
    parts = (
        branch if isinstance(branch, nn.Sequential) and not hasattr(branch, "spec") else [branch]
    )
    words = []
    for part in parts:
        spec = getattr(part, "spec", None)
        if spec is not None:
            words.append("{}×{}".format(*spec.kernel))
        elif isinstance(part, Concat):
            words.append("{" + ", ".join(_words(inner) for inner in part.children()) + "}")
        elif isinstance(part, nn.MaxPool2d):
            words.append("max pool")
        elif isinstance(part, nn.AvgPool2d):
            words.append("average pool")
        elif isinstance(part, nn.Conv2d):
            words.append("{}×{} linear".format(*part.kernel_size))
        else:
            words.append(type(part).__name__)
    return " → ".join(words)


@contextmanager
def _watched(modules: dict[str, nn.Module]) -> Iterator[dict[str, Tensor]]:
    """The outputs of some modules, as they are computed. Copies: a ReLU in place would change them
    afterwards."""
    seen: dict[str, Tensor] = {}

    def keep(name):
        return lambda module, inputs, out: seen.__setitem__(name, out.detach().clone())

    with ExitStack() as stack:
        for name, module in modules.items():
            stack.callback(module.register_forward_hook(keep(name)).remove)
        yield seen


@torch.no_grad()
def activations(model: nn.Module, images: Tensor) -> dict[str, Tensor]:
    """The output N×C×H×W of every block, by name, in order."""
    with evaluating(model), _watched(dict(named_blocks(model))) as seen:
        model(images.to(device_of(model)))
    return seen


@dataclass(frozen=True)
class Inside:
    """One block at work: what entered it, each branch before the concatenation (keys "1×1", "1×1 →
    3×3", …), the linear 1×1 after it (`change`, before the scale; None where a block has none) and
    what leaves it. All N×C×H×W."""

    input: Tensor
    branches: dict[str, Tensor]
    change: Tensor | None
    output: Tensor


def inside(model: nn.Module, images: Tensor, name: str) -> Inside:
    """The same images through each branch of one block, side by side."""
    names = [other for other, _ in named_blocks(model)]
    block(model, name)  # raises where there is no such block
    before = names.index(name)
    images = images.to(device_of(model))
    entering = images if before == 0 else activations(model, images)[names[before - 1]]
    return inside_block(block(model, name), entering)


def inside_block(module: nn.Module, entering: Tensor) -> Inside:
    """One block alone, on what enters it, N×C×H×W."""
    branches = enumerate(branches_of(module), 1)
    watched = {f"{i} · {_words(branch)}": branch for i, branch in branches}
    body = {"change": module.body} if isinstance(module, ScaledResidual) else {}
    with evaluating(module), _watched(watched | body) as seen:
        output = module(entering.to(device_of(module)))
    return Inside(entering, {words: seen[words] for words in watched}, seen.get("change"), output)


@torch.no_grad()
def dead_channels(
    model: nn.Module, data: Images, split: Any = None, batch_size: int = 250
) -> dict[str, Tensor]:
    """For each block a mask of its channels: True where a channel is 0 at every pixel of every
    image of the split (by default the test images). Only blocks that end with a ReLU can have such
    channels."""
    alive: dict[str, Tensor] = {}
    for images, _ in data.batches(data.test if split is None else split, batch_size):
        for name, out in activations(model, images).items():
            some = (out != 0).any(0).flatten(1).any(1)
            alive[name] = alive[name] | some if name in alive else some
    return {name: ~some for name, some in alive.items()}


# --- Branches and shares ---


def _linear(module: nn.Module) -> nn.Conv2d | None:
    """The 1×1 convolution after the concatenation of a residual block."""
    if not isinstance(module, ScaledResidual) or not isinstance(module.body, nn.Sequential):
        return None
    last = module.body[-1]
    conv = getattr(last, "conv", last)
    return conv if isinstance(conv, nn.Conv2d) and concatenation(module) is not None else None


def _slices(module: nn.Module, channels: list[int]) -> list[slice]:
    ends = torch.tensor(channels).cumsum(0).tolist()
    return [slice(end - n, end) for end, n in zip(ends, channels)]


def branch_channels(module: nn.Module) -> list[int]:
    """Channels that each branch of a block delivers."""

    def out(part: nn.Module) -> int:
        if isinstance(part, Concat):
            return sum(out(inner) for inner in part.children())
        convs = [m for m in part.modules() if isinstance(m, nn.Conv2d)]
        last = (
            list(part.children())[-1]
            if isinstance(part, nn.Sequential) and not hasattr(part, "spec")
            else part
        )
        if isinstance(last, Concat):
            return out(last)
        if not convs:
            raise FeatureError(
                "A pooling branch hands on the channels of its input, "
                "which only a forward pass knows."
            )
        return convs[-1].out_channels

    return [out(branch) for branch in branches_of(module)]


def listening(module: nn.Module, channel: int | None = None) -> list[float]:
    """How strongly the linear 1×1 of a residual block reads each branch: the root mean square of
    its weights on that branch's slice of the concatenation, as shares that sum to 1. `channel`: of
    this output channel alone."""
    conv = _linear(module)
    if conv is None:
        raise FeatureError(
            "Only a residual Inception block has a linear 1×1 that reads its branches."
        )
    weight = conv.weight if channel is None else conv.weight[channel : channel + 1]
    norms = [
        weight[:, s].detach().square().mean().sqrt()
        for s in _slices(module, branch_channels(module))
    ]
    total = float(sum(norms)) or 1.0
    return [float(n) / total for n in norms]


@contextmanager
def switched_off(model: nn.Module, name: str, branch: int) -> Iterator[None]:
    """Within the context, one branch (1, 2, …) of a block gives zeros."""
    with silent(block(model, name), name, branch):
        yield


@contextmanager
def silent(module: nn.Module, name: str, branch: int) -> Iterator[None]:
    """The same for a block at hand, whose `name` stands in the error."""
    branches = branches_of(module)
    if not 1 <= branch <= len(branches):
        raise FeatureError(
            f"Block {name} has {len(branches)} branches; there is no branch {branch}."
        )
    hook = branches[branch - 1].register_forward_hook(
        lambda module, inputs, out: torch.zeros_like(out)
    )
    try:
        yield
    finally:
        hook.remove()


def branch_effects(model: nn.Module, data: Images, split: Any = None) -> dict[str, list[float]]:
    """For each block with branches: how much accuracy is lost (a share, 0.1 is ten points) when one
    branch is off."""
    whole = share_right(model, data, split)
    effects: dict[str, list[float]] = {}
    for name, module in named_blocks(model):
        if not (branches := branches_of(module)):
            continue
        effects[name] = []
        for i in range(1, len(branches) + 1):
            with switched_off(model, name, i):
                effects[name].append(whole - share_right(model, data, split))
    return effects


@torch.no_grad()
def residual_shares(model: nn.Module, images: Tensor) -> dict[str, float]:
    """For each residual block: root mean square of scale · change over that of change and identity
    together (0 to 1;
    0.5 where both are equally large)."""
    shares = {}
    for name, module in named_blocks(model):
        if isinstance(module, ScaledResidual):
            at = inside(model, images, name)
            with evaluating(module):
                identity = module.shortcut(at.input)
            assert at.change is not None  # every residual block has one
            both = (float(module.scale) * at.change, identity)
            change, kept = (t.square().mean().sqrt().item() for t in both)
            shares[name] = change / (change + kept) if change + kept > 0 else 0.0
    return shares


# --- What is seen ---


def effective_field(model: nn.Module, images: Tensor, name: str) -> Tensor:
    """H×W map of how much the middle of a block's output depends on each pixel of the input: the
    mean over images of the gradient's absolute value, summed over colours, scaled to a maximum of 1
    (Luo et al., arXiv 1701.04128)."""
    found: dict[str, Tensor] = {}
    hook = block(model, name).register_forward_hook(
        lambda m, inputs, out: found.__setitem__("out", out)
    )
    x = images.detach().clone().to(device_of(model)).requires_grad_(True)
    try:
        with evaluating(model), torch.enable_grad():
            model(x)
    finally:
        hook.remove()
    out = found["out"]
    middle = out[:, :, out.shape[2] // 2, out.shape[3] // 2]
    (gradient,) = torch.autograd.grad(middle.sum(), x)
    field = gradient.abs().sum(1).mean(0)
    return field / field.max().clamp_min(1e-30)


def field_radius(field: Tensor, share: float = 0.95) -> float:
    """Side in pixels of the square around the field's centre of mass that holds `share` of it: one
    number to set beside the theoretical receptive field."""
    height, width = field.shape
    total = field.sum()
    rows = torch.arange(height, dtype=field.dtype, device=field.device)
    columns = torch.arange(width, dtype=field.dtype, device=field.device)
    y, x = (field.sum(1) @ rows / total).item(), (field.sum(0) @ columns / total).item()
    distance = torch.maximum((rows - y).abs()[:, None], (columns - x).abs()[None, :]).flatten()
    order = distance.argsort()
    held = field.flatten()[order].cumsum(0) / total
    position = min(int((held < share).sum()), len(order) - 1)
    return 2 * distance[order[position]].item() + 1
