"""One random image through a block that is built from its description."""

from __future__ import annotations

import time
from dataclasses import dataclass

from inception_edu.describe.measure import measure
from inception_edu.describe.spec import Node, Shape, SpecError

MOST_MACS = 6e8  # of the pass; a costlier block runs on a smaller map
MOST_PARAMS = 2e8  # 0.8 GB of float32 weights


@dataclass(frozen=True)
class Pass:
    """What went in and came out (C, H, W), how long it took, and what came out: its standard
    deviation, and the share of it that is 0."""

    input: Shape
    output: Shape
    milliseconds: float
    spread: float
    zeros: float


def forward_pass(node: Node, shape: Shape) -> Pass:
    """Build the block with random weights and send one random image through it, on the CPU.

    The map is halved until the pass costs at most `MOST_MACS` multiply-adds. Raises `SpecError`
    where the numbers do not fit, or the block is too large to try.
    """
    import torch
    from torch import nn

    from inception_edu.nets.build import build

    cost = measure(node, shape)
    if cost.params > MOST_PARAMS:
        raise SpecError(
            f"The block has {cost.params:,} parameters; up to {MOST_PARAMS:,.0f} are built here."
        )
    while measure(node, shape).macs > MOST_MACS:
        smaller = (shape[0], shape[1] // 2, shape[2] // 2)
        try:
            measure(node, smaller)
        except SpecError:
            break
        shape = smaller
    # Weights are drawn once, and uniformly: for millions of them that takes a tenth of the usual
    # initialisation.
    generator = torch.Generator().manual_seed(0)
    with torch.device("meta"):
        model = build(node, shape[0], init="torch")
    model = model.to_empty(device="cpu")
    x = torch.rand(1, *shape, generator=generator)
    with torch.inference_mode():
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                bound = (3 / module.weight[0].numel()) ** 0.5  # the standard deviation is 1/√fan-in
                module.weight.uniform_(-bound, bound, generator=generator)
                if module.bias is not None:
                    module.bias.zero_()
            elif isinstance(module, nn.BatchNorm2d):
                module.reset_parameters()
        seconds: list[float] = []
        # The first pass also makes preparations.
        while len(seconds) < 3 and sum(seconds) < 0.1:
            start = time.perf_counter()
            y = model(x)
            seconds.append(time.perf_counter() - start)
    zeros = (y == 0).float().mean().item()
    return Pass(shape, tuple(y.shape[1:]), 1000 * min(seconds), y.std().item(), zeros)
