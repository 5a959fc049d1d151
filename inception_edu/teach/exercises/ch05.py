"""Exercises of chapter 05: Inception-v4."""

from __future__ import annotations

import math
from typing import Any

from inception_edu.describe import (
    Conv,
    Network,
    differences,
    inception_v4,
    leaves,
    measure,
    networks,
)
from inception_edu.teach import checks
from inception_edu.teach.verdict import Verdict


def _convolutions(network: Network) -> int:
    per_block = [
        (block, sum(isinstance(leaf, Conv) for leaf in leaves(block.node)))
        for block in network.blocks
    ]
    return sum(block.repeat * count for block, count in per_block)


def exercise_1(convolutions: Any) -> Verdict:
    """Convolutions of a network."""

    def once(network: Network) -> int:
        return sum(
            isinstance(leaf, Conv) for block in network.blocks for leaf in leaves(block.node)
        )

    def everything(network: Network) -> int:
        return sum(block.repeat for block in network.blocks for _ in leaves(block.node))

    def both(network: Network) -> int:
        return sum(1 for block in network.blocks for _ in leaves(block.node))

    def top(network: Network) -> int:
        return sum(block.repeat * isinstance(block.node, Conv) for block in network.blocks)

    def different(network: Network) -> int:
        found = {leaf for block in network.blocks for leaf in leaves(block.node)}
        return sum(isinstance(leaf, Conv) for leaf in found)

    def piled_up(network: Network) -> int:
        count = 0
        for block in network.blocks:
            count += sum(isinstance(leaf, Conv) for leaf in leaves(block.node))
            count *= block.repeat
        return count

    def first_block(network: Network) -> int:
        block = network.blocks[0]
        return block.repeat * sum(isinstance(leaf, Conv) for leaf in leaves(block.node))

    return checks.function(
        convolutions,
        _convolutions,
        [inception_v4(), networks.inception_v3(), networks.inception_resnet_v1()],
        name="convolutions",
        wrong={
            "`repeat` multiplies its own block's convolutions, not earlier ones.": piled_up,
            "That is the first block alone: is the `return` inside the loop?": first_block,
            "You counted each block once; it stands for `block.repeat` copies.": once,
            "Pools are no convolutions.": everything,
            "Pools are no convolutions, and a block stands for `block.repeat` copies.": both,
            "A set keeps one of each: convolutions that are equal count each time.": different,
            "Those are the blocks; each holds many convolutions: `leaves(block.node)`.": (
                lambda network: sum(block.repeat for block in network.blocks)
            ),
            "Those are the entries of the overview; look into each block with `leaves`.": (
                lambda network: len(network.blocks)
            ),
            "A block is a Chain, Concat or Residual: its convolutions are inside, in "
            "`leaves(block.node)`.": top,
            "That counts the pools: `isinstance(leaf, Conv)`, not its opposite.": (
                lambda network: everything(network) - _convolutions(network)
            ),
        },
    )


def _share(network: Network, stage: str, what: str = "macs") -> float:
    total = measure(network)
    rows = [row for row in total.rows if row.name.startswith(stage)]
    return sum(getattr(row, what) for row in rows) / getattr(total, what)


def exercise_2(share: Any) -> Verdict:
    """A stage's share of the multiply-adds."""

    def exact(network: Network, stage: str) -> float:
        total = measure(network)
        return sum(row.macs for row in total.rows if row.name == stage) / total.macs

    def first(network: Network, stage: str) -> float:
        total = measure(network)
        return next(r.macs for r in total.rows if r.name.startswith(stage)) / total.macs

    def of_the_rest(network: Network, stage: str) -> float:
        part = _share(network, stage)
        return part / (1 - part)

    def of_blocks(network: Network, stage: str) -> float:
        rows = measure(network).rows
        return sum(row.name.startswith(stage) for row in rows) / len(rows)

    return checks.function(
        share,
        _share,
        [
            (inception_v4(), "inception_b"),
            (inception_v4(), "stem"),
            (inception_v4(), "reduction"),
            (networks.inception_resnet_v1(), "stem"),
            (networks.inception_resnet_v1(), "inception_resnet_b"),
        ],
        name="share",
        wrong={
            "That is always Inception-v4: measure the `network` that is given.": (
                lambda n, s: _share(inception_v4(), s)
            ),
            "A share from 0 to 1 is asked for; you give per cent.": lambda n, s: 100 * _share(n, s),
            "The blocks of a stage are called inception_b.1, inception_b.2, …: use `startswith`.": (
                exact
            ),
            "That is one block of the stage; add up all whose name begins with it.": first,
            "These are shares of the parameters.": lambda n, s: _share(n, s, "params"),
            "Divide by the total, so that all shares add up to 1.": (
                lambda n, s: _share(n, s) * measure(n).macs
            ),
            "Divide by the whole network, not by what is left.": of_the_rest,
            "That is the share of the blocks by number; add up their multiply-adds.": of_blocks,
            "Multiply-adds belong above and below: you divide them by the parameters.": (
                lambda n, s: _share(n, s) * measure(n).macs / measure(n).params
            ),
            "`//` gives 0 for every share: divide with `/`.": lambda n, s: 0,
        },
    )


def exercise_3(light: Any) -> Verdict:
    """Inception-v4 below 9 billion multiply-adds."""
    whole = measure(inception_v4())
    one = {row.name: row.macs for row in whole.rows}["inception_b.1"]
    most = max(n for n in range(8) if whole.macs - (7 - n) * one < 9e9)

    def repeats(n: int) -> str:
        return f"inception_b: repeats 7 against {n}"

    changes = _changes(light)
    return checks.equal(
        changes,
        repeats(most),
        name="light",
        wrong={
            **({changes: _too_much(light)} if isinstance(light, Network) else {}),
            "none": "This is Inception-v4 as it is: replace its B blocks.",
            "no network": "`light` should be a network: `replace(v4, blocks=…)`.",
            "a block": "This is one block; put it among the blocks of a network: "
            "`replace(v4, blocks=…)`.",
            **{repeats(n): "One B block more still fits." for n in range(most)},
            **{repeats(n): "That is still 9 billion or more." for n in range(most + 1, 7)},
            **{
                f"inception_{other}: repeats {has} against {n}": (
                    f"You changed the {other.upper()} blocks; take B blocks away, and keep the "
                    "others as they are."
                )
                for other, has in (("a", 4), ("c", 3))
                for n in range(has)
            },
        },
    )


def _changes(network: Any) -> Any:
    """What was changed, in words; `...` as it is."""
    if network in (None, ...):
        return network
    if isinstance(network, networks.Block):
        return "a block"
    if not isinstance(network, Network):
        return "no network"
    return "; ".join(str(d) for d in differences(inception_v4(), network)) or "none"


def _too_much(network: Network) -> str:
    """A sentence about a network in which more than the repeats of one stage was changed."""
    kept = {block.name: block for block in network.blocks}
    lost = [block.name for block in inception_v4().blocks if block.name not in kept]
    if lost:
        return f"There is no {lost[0]} any more: keep every block, `… if … else b for b in …`."
    found = differences(inception_v4(), network)
    changed = [d for d in found if not d.where.startswith("inception_b")]
    if not changed:
        return "Change how often the B block is repeated, and nothing inside it."
    return f"{changed[0].where} was changed too: keep everything but the B blocks as it is."


def exercise_4(largest: Any) -> Verdict:
    """The largest map inside Inception-v4."""
    return checks.number(
        largest,
        64 * 147 * 147,
        name="largest",
        unit="numbers",
        wrong={
            96 * 147 * 147: "The 96 filters come behind a stride of 2: their map is 73 wide.",
            96 * 73 * 73: "That is one branch of the first join: more filters, fewer places.",
            32 * 149 * 149: "That is the first convolution's map; the third has a slightly smaller "
            "map but twice the filters.",
            64 * 149 * 149: "The right filters, but a valid 3×3 lies before: the third "
            "convolution's map is 147 wide.",
            64 * 145 * 145: "The third convolution pads: its map stays 147 wide.",
            299 * 299 * 3: "That is the image itself; maps inside the network are larger.",
            64 * 299 * 299: "The first convolution has stride 2: maps inside are at most 149 wide.",
            64 * 150 * 150: "V windows round down: 299 gives 149, then 147.",
            32 * 299 * 299: "The first convolution has stride 2: its map is 149 wide.",
            147 * 147: "That is one channel of it; the map has 64.",
            64 * 147: "A map has two sides: 147·147.",
            4 * 64 * 147 * 147: "Those are its bytes; how many numbers are they?",
            32 * 147 * 147: "That is the second convolution's map; the third has twice the "
            "filters.",
            160 * 73 * 73: "That is the first join: more channels, but a quarter of the places.",
            192 * 71 * 71: "That is the second join; look further down in the stem.",
            384 * 35 * 35: "That is what leaves the stem; inside it maps are larger.",
            math.prod((1536, 8, 8)): "That is the last map; the largest is near the image.",
        },
    )
