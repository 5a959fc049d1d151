"""How long a block or a network takes, and what is said about one that cannot be built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from inception_edu.describe import Node, Shape, SpecError
from inception_edu.describe.tables import Table, table
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


def block_seconds(model: Any, images: Any, rounds: int = 6) -> dict[str, float]:
    """Median processor time of each block of a built network on one core, in seconds, for
    `images` (N×C×H×W) on their way through it. Equal blocks are added up: "inception_b"."""
    from functools import partial

    import torch

    from inception_edu.learn import clock
    from inception_edu.nets import named_blocks

    calls, x = {}, images
    with torch.inference_mode():
        for name, block in named_blocks(model):
            calls[name] = partial(block, x)
            x = block(x)
    found: dict[str, float] = {}
    for name, timing in clock(calls, rounds=rounds, device=images.device, one_core=True).items():
        group = name.split(".")[0]
        found[group] = found.get(group, 0.0) + timing.median
    return found


def throughput(model: Any, batches: Sequence[int], shape: Shape = (3, 32, 32)) -> Table:
    """A row a batch size: milliseconds of a forward pass on the model's device, images a second."""
    import torch

    from inception_edu.learn import clock

    device, rows = next(model.parameters()).device, []
    for batch in batches:
        x = torch.randn(batch, *shape).to(device)
        took = clock({"": model}, x, rounds=5)[""].median
        rows.append((batch, 1000 * took, batch / took))
    columns = ["images at once", "ms", "images a second"]
    return table(rows, columns, formats={"ms": ".2f", "images a second": ",.0f"})


def speedups(took: Mapping[str, Any], what: str = "", caption: str = "") -> Table:
    """A row for each of the timings of `clock`: its milliseconds, and how many times as fast it is
    as the first."""
    from inception_edu.learn import Speedup

    first = next(iter(took.values()))
    rows = [(name, 1000 * s.median, Speedup.of(first, s).median) for name, s in took.items()]
    columns = [what, "ms", "times as fast"]
    return table(rows, columns, caption=caption, formats={"ms": ".1f", "times as fast": ".2f"})


def refusal(make: Any, *arguments: Any) -> Text:
    """What is said about something that cannot be: `refusal(out_shape, node, (256, 56, 56))`.
    AssertionError where nothing is wrong with it."""
    try:
        make(*arguments)
    except (SpecError, RuntimeError) as error:
        lines = str(error).splitlines()
        said = next((line.strip() for line in lines if not line.endswith(":")), lines[0])
        return Text(f"> {said}")
    raise AssertionError("Nothing refuses this.")
