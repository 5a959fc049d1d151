"""The figure with which a chapter opens: what it will have shown, from committed runs and from
descriptions, before anything is run.

    opening_figure("09")
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inception_edu.describe import (
    Node,
    figures,
    inception_resnet_v2,
    inception_resnet_v2_released,
    inception_v4,
    measure,
    narrowest,
    out_shape,
)
from inception_edu.teach import openings_runs as made
from inception_edu.teach import plots
from inception_edu.teach.openings_runs import panels


def opening_figure(chapter: str) -> Any:
    """The opening figure of a chapter, by its number. KeyError where it has none."""
    return _OPENINGS[chapter]()


def chapter_01() -> Any:
    from inception_edu.study import kernel_sizes
    from inception_edu.teach.claims.ch01 import GOOGLENET_3A, NAIVE

    fig, (left, right) = panels(2, 1.7)
    cost = {
        "large kernels alone": measure(NAIVE, (192, 28, 28)).macs / 1e6,
        "a 1×1 before each": measure(GOOGLENET_3A, (192, 28, 28)).macs / 1e6,
    }
    plots.bars(cost, left, "million multiply-adds", text="{:.0f}")
    cells, facts = kernel_sizes.committed()
    small = {
        "132 filters of 3×3": cells[(3,), 132].accuracy["small"],
        "15 filters of 9×9": cells[(9,), 15].accuracy["small"],
    }
    plots.dots(small, right, "small objects right (%)", percent=True)
    left.set_title("a block of GoogLeNet", fontsize=10)
    right.set_title("the same cost", fontsize=10)
    means = "; ".join(f"{name} {sum(v) / len(v):.0%}" for name, v in small.items())
    return plots.show(
        fig,
        "Left, multiply-adds of a block: "
        + "; ".join(f"{name} {value:.0f} million" for name, value in cost.items())
        + f". Right, small objects named rightly at equal cost, {len(facts['seeds'])} seeds: "
        + f"{means}.",
    )


def chapter_02() -> Any:
    shape = (3, 299, 299)
    sides = [shape[1]]
    for part in figures.StemV4().parts:
        shape = out_shape(part, shape)
        sides.append(shape[1])
    names = ["image", "3×3 /2 V", "3×3 V", "3×3", "join 1", "join 2", "join 3"]
    fig, (axis,) = panels(1, 2.5)
    plots.bars(
        dict(zip(names, sides, strict=True)), axis, "side of the map (pixels)", text="{:.0f}"
    )
    told = " → ".join(map(str, sides))
    return plots.show(fig, f"The side of the map on its way through the stem: {told}.")


def _sees(node: Node, grid: int = 17) -> tuple[Any, tuple[int, int]]:
    """A grid of pixels, 1 where the output in the middle sees one; and the field's size."""
    import numpy as np

    high, wide = measure(node, (1024, grid, grid)).receptive_field
    seen, middle = np.zeros((grid, grid)), grid // 2
    seen[
        middle - high // 2 : middle + high // 2 + 1, middle - wide // 2 : middle + wide // 2 + 1
    ] = 1
    return seen, (high, wide)


def chapter_03() -> Any:
    fig, axes = panels(2, 2.7)
    told = []
    for axis, orientation, words in zip(axes, ("paper", "released"), ("printed", "released")):
        seen, (high, wide) = _sees(figures.InceptionB(orientation).branches[2])
        axis.pcolormesh(seen, cmap=plots.SHADES, vmin=0, vmax=1.3, edgecolors="#c8c8c8", lw=0.4)
        axis.set_aspect("equal")
        axis.set(xticks=[], yticks=[], xlabel=f"{high}×{wide} of 17×17 pixels")
        axis.set_title(f"branch 3 of Fig. 5, as {words}")
        told.append(f"as {words} {high}×{wide}")
    return plots.show(
        fig, f"What one output of branch 3 of Fig. 5 sees of its input: {', '.join(told)} pixels."
    )


def chapter_04() -> Any:
    from inception_edu.teach.claims.ch04 import ENTERS, FIG_7, POOL_FIRST

    ways: dict[str, Node] = {"pool, then widen": POOL_FIRST, "parallel (Fig. 7)": FIG_7}
    fig, axes = panels(3, 1.5)
    counted: dict[str, Callable[[Node], float]] = {
        "thousand numbers at the\nnarrowest place": lambda node: narrowest(node, ENTERS) / 1e3,
        "million parameters": lambda node: measure(node, ENTERS).params / 1e6,
        "billion multiply-adds": lambda node: measure(node, ENTERS).macs / 1e9,
    }
    told = []
    for axis, (words, value) in zip(axes, counted.items()):
        found = {name: value(node) for name, node in ways.items()}
        plots.bars(found, axis, words, text="{:.0f}" if axis is axes[0] else "{:.2f}")
        told.append(
            words.replace("\n", " ")
            + ": "
            + ", ".join(f"{name} {number:.3g}" for name, number in found.items())
        )
    for axis in axes[1:]:
        axis.set_yticklabels([])
    return plots.show(fig, f"Two ways to halve the grid. {'; '.join(told)}.")


def chapter_05() -> Any:
    from inception_edu.teach.claims.ch05 import _shares

    groups = {"stem": "the stem", "inception_c": "the three C blocks"}
    series = {
        f"% of the {words}": {name: 100 * _shares(what)[group] for group, name in groups.items()}
        for what, words in (("params", "parameters"), ("macs", "multiply-adds"))
    }
    fig, (axis,) = panels(1, 1.8)
    plots.paired_bars(series, axis, text="{:.0f}")
    told = "; ".join(
        f"{name} {', '.join(f'{found[name]:.0f} {words}' for words, found in series.items())}"
        for name in groups.values()
    )
    return plots.show(fig, f"Where Inception-v4 has its weights and its work: {told}.")


def chapter_06() -> Any:
    blocks: dict[str, tuple[Node, int]] = {
        "Inception-A (Fig. 4)": (figures.InceptionA(), 384),
        "Inception-ResNet-A of v1 (Fig. 10)": (figures.InceptionResNetA_v1(), 256),
        "Inception-ResNet-A of v2 (Fig. 16)": (figures.InceptionResNetA_v2(), 384),
    }
    macs = {name: measure(node, (c, 35, 35)).macs / 1e6 for name, (node, c) in blocks.items()}
    fig, (axis,) = panels(1, 1.7)
    plots.bars(macs, axis, "million multiply-adds of one block", text="{:.0f}")
    told = ", ".join(f"{name} {value:.0f} million" for name, value in macs.items())
    return plots.show(fig, f"Multiply-adds of one block: {told}.")


def chapter_07() -> Any:
    v4 = measure(inception_v4())
    networks = {
        "Inception-ResNet-v2 of the paper": measure(inception_resnet_v2()),
        "Inception-ResNet-v2 as released": measure(inception_resnet_v2_released()),
    }
    macs = {name: size.macs / v4.macs for name, size in networks.items()}
    fig, (axis,) = panels(1, 1.4)
    plots.bars(macs, axis, "multiply-adds (Inception-v4 = 1)", text="{:.2f}")
    axis.axvline(1, color="#555555", lw=1)
    told = ", ".join(f"{name} {value:.2f}" for name, value in macs.items())
    return plots.show(fig, f"Multiply-adds of two networks of one name, Inception-v4 = 1: {told}.")


def chapter_13() -> Any:
    from torch import nn

    from inception_edu.nets import fast
    from inception_edu.teach.claims.ch13 import _count, _network

    model = _network()[0]
    folded = fast.fold(model)
    networks = {"trained": model, "folded": folded, "folded, merged": fast.merge_siblings(folded)}
    kinds = {"batch norms": nn.BatchNorm2d, "convolutions": nn.Conv2d}
    series = {
        words: {name: float(_count(net, kind)) for name, net in networks.items()}
        for words, kind in kinds.items()
    }
    fig, (axis,) = panels(1, 2.2)
    plots.paired_bars(series, axis, "in a mini Inception-ResNet-v2", "{:.0f}")
    told = "; ".join(
        f"{name} {', '.join(f'{found[name]:.0f} {words}' for words, found in series.items())}"
        for name in networks
    )
    return plots.show(fig, f"What is left of a mini Inception-ResNet-v2: {told}.")


_OPENINGS: dict[str, Callable[[], Any]] = {
    "00": made.chapter_00,
    "01": chapter_01,
    "02": chapter_02,
    "03": chapter_03,
    "04": chapter_04,
    "05": chapter_05,
    "06": chapter_06,
    "07": chapter_07,
    "08": made.chapter_08,
    "09": made.chapter_09,
    "10": made.chapter_10,
    "11": made.chapter_11,
    "12": made.chapter_12,
    "13": chapter_13,
    "14": made.chapter_14,
}
