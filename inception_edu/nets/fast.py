"""The same outputs in less time: what a trained network no longer needs can be folded away or
merged.

    quick = fold(model)                  batch norms and residual scales into the convolutions
                                         before them
    quick = merge_siblings(quick)        1×1 convolutions that read the same map, as one

Both return a new network for inference and leave the one they were given as it is.
"""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from inception_edu.describe import SpecError
from inception_edu.nets.build import Concat, ConvBNReLU, ScaledResidual


def fold(model: nn.Module, scale: bool = True) -> nn.Module:
    """A copy without batch norms: each is a factor and a shift a channel, and moves into the
    convolution before it.

    With `scale`, the residual scale of Fig. 20 moves into the linear 1×1 in the same way (where a
    residual ends in a convolution without ReLU, as the paper's do, and the scale is not being
    learned). Raises `SpecError` for a network in training mode: there a batch norm divides by the
    batch's own spread, which no weight can know.
    """
    if not isinstance(model, nn.Module):
        raise SpecError(f"A built network can be folded, got a {type(model).__name__}: build it.")
    if model.training:
        raise SpecError(
            "Folding takes the batch norms' running averages for granted: call model.eval() first."
        )
    holder = nn.Sequential(deepcopy(model))  # the model may be a unit itself
    for module in list(holder.modules()):
        for name, child in module.named_children():
            if isinstance(child, ConvBNReLU):
                folded: nn.Module = fuse_conv_bn_eval(child.conv, child.norm)
                if child.spec.relu:
                    folded = nn.Sequential(folded, child.get_submodule("relu"))
                setattr(module, name, folded)
    for block in holder.modules() if scale else ():
        if not isinstance(block, ScaledResidual) or not isinstance(block.body, nn.Sequential):
            continue
        last = block.body[-1]
        if isinstance(last, nn.Conv2d) and not isinstance(block.scale, nn.Parameter):
            with torch.no_grad():
                for tensor in (last.weight, last.bias):
                    if tensor is not None:
                        tensor.mul_(block.scale)
            block.scale = 1.0
    return holder[0]


class Siblings(nn.Module):
    """N×C×H×W → N×out×H'×W': a `Concat` some of whose branches begin with a 1×1 convolution,
    computed together.

    `first` is that convolution, for all of them; each gets its slice of the result and goes on with
    its rest.
    """

    def __init__(
        self, first: nn.Module, sizes: list[int], branches: list[nn.Module], merged: list[int]
    ):
        super().__init__()
        self.first, self.sizes, self.merged = first, sizes, merged
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        slices = dict(zip(self.merged, self.first(x).split(self.sizes, dim=1)))
        return torch.cat(
            [branch(slices.get(i, x)) for i, branch in enumerate(self.branches)], dim=1
        )

    def extra_repr(self):
        return (
            f"{len(self.merged)} branches begin with one 1×1 of {' + '.join(map(str, self.sizes))}"
        )


def merge_siblings(model: nn.Module) -> nn.Module:
    """A copy of a folded network in which the 1×1 convolutions at the beginning of a block's
    branches are one.

    Only those that read the same map with stride 1 and end in a ReLU, two or more of them. Raises
    `SpecError` where batch norms are left: fold them first.
    """
    if any(isinstance(m, ConvBNReLU) for m in model.modules()):
        raise SpecError(
            "There are batch norms between the 1×1 convolutions and their ReLUs: fold(model) first."
        )
    holder = nn.Sequential(deepcopy(model))
    for module in reversed(
        list(holder.modules())
    ):  # inner blocks first: outer ones take their branches along
        for name, child in module.named_children():
            if isinstance(child, Concat):
                setattr(module, name, _merged(child))
    return holder[0]


def _merged(block: Concat) -> nn.Module:
    branches = list(block.children())
    heads = {i: head for i, b in enumerate(branches) if (head := _head(b)) is not None}
    if len(heads) < 2:
        return block
    convs = [conv for conv, _ in heads.values()]
    sizes = [conv.out_channels for conv in convs]
    one = nn.Conv2d(convs[0].in_channels, sum(sizes), 1).to(convs[0].weight)
    with torch.no_grad():
        one.weight.copy_(torch.cat([conv.weight for conv in convs]))
        biases: list[torch.Tensor] = [conv.get_parameter("bias") for conv in convs]
        one.get_parameter("bias").copy_(torch.cat(biases))
    for i, (_, rest) in heads.items():
        branches[i] = rest
    return Siblings(nn.Sequential(one, nn.ReLU(inplace=True)), sizes, branches, list(heads))


def _head(branch: nn.Module) -> tuple[nn.Conv2d, nn.Module] | None:
    """A branch's first step, if that is a 1×1 convolution with bias and ReLU, and the rest of the
    branch."""
    if not isinstance(branch, nn.Sequential):
        return None
    first, *rest = branch
    conv: nn.Module
    relu: nn.Module | None
    if isinstance(first, nn.Conv2d):  # the branch is the convolution and its ReLU
        conv, relu, rest = first, rest[0] if rest else None, rest[1:]
    elif isinstance(first, nn.Sequential) and len(first) == 2:
        conv, relu = first
    else:
        return None
    if not isinstance(conv, nn.Conv2d) or not isinstance(relu, nn.ReLU):
        return None
    fits = conv.bias is not None and conv.kernel_size == conv.stride == (1, 1)
    return (conv, nn.Sequential(*rest)) if fits else None
