"""How long a block takes, and what is said about one that cannot be built."""

from __future__ import annotations

from typing import Any

from inception_edu.describe import Node, Shape, SpecError
from inception_edu.teach.claims import Text


def milliseconds(node: Node, shape: Shape, batch: int = 8, budget: float = 1.5) -> float:
    """Median processor time of a forward pass on one core, in ms for one image of a batch of
    `batch`; batch norm and ReLU included. Repeated for `budget` seconds at most."""
    import torch

    from inception_edu.learn import clock
    from inception_edu.nets import build

    module = build(node, shape[0], seed=0).eval()
    x = torch.randn(batch, *shape, generator=torch.Generator().manual_seed(0))
    took = clock({"": module}, x, rounds=40, budget=budget, one_core=True)
    return 1000 * took[""].median / batch


def refusal(make: Any, *arguments: Any) -> Text:
    """What is said about something that cannot be: `refusal(out_shape, node, (256, 56, 56))`.
    AssertionError where nothing is wrong with it."""
    try:
        make(*arguments)
    except (SpecError, RuntimeError) as error:
        return Text(f"> {str(error).splitlines()[0]}")
    raise AssertionError("Nothing refuses this.")
