"""What chapters say in plain words about committed results and descriptions: each sentence is
computed here again, and fails if they stop saying so."""

import math

import pytest

from inception_edu.describe import Chain, Conv, Pool, inception_v4, measure, out_shape, walk
from inception_edu.study import difference, kernel_sizes, load_results, summarise


def shares(name, value):
    return {label: cell.values for label, cell in summarise(load_results(name), value).items()}


def mean(values):
    return sum(values) / len(values)


def test_chapter_01_on_kernel_sizes():
    cells, _ = kernel_sizes.committed()
    gains = [cells[(9,), 48].mean(size) - cells[(3,), 48].mean(size) for size in kernel_sizes.SIZES]
    assert min(gains) > 0 and gains[0] == min(gains), (
        "9×9 wins at every size, least on small objects"
    )
    assert cells[(3,), 132].mean("small") > cells[(9,), 15].mean("small"), (
        "at equal cost the small kernel wins there"
    )
    assert cells[(9,), 48].mean("all") > cells[(3, 5, 9), 48].mean("all"), (
        "who knows the size does better alone"
    )
    assert cells[(5,), 48].mean("all") > cells[(3, 5, 9), 30].mean("all")


def test_chapter_05_on_depth_and_activations():
    def longest(node):
        if isinstance(node, (Conv, Pool)):
            return int(isinstance(node, Conv))
        return (
            sum(map(longest, node.parts))
            if isinstance(node, Chain)
            else max(map(longest, node.branches))
        )

    network, shape, computed = inception_v4(), (3, 299, 299), {}
    assert sum(block.repeat * longest(block.node) for block in network.blocks) == 75
    for block in network.blocks:
        for _ in range(block.repeat):
            steps = [
                step.output
                for step in walk(block.node, shape)
                if isinstance(step.node, (Conv, Pool))
            ]
            computed[block.name] = computed.get(block.name, 0) + sum(map(math.prod, steps))
            shape = out_shape(block.node, shape)
    assert 0.30 < computed["stem"] / sum(computed.values()) < 0.35, "about a third"
    stem = next(row for row in measure(network).rows if row.name == "stem")
    assert round(100 * stem.params / measure(network).params, 1) == 1.4


@pytest.mark.parametrize("width", [72, 576])
def test_chapter_08_on_what_the_blocks_add(width):
    accuracy = {
        s: summarise(load_results("scaling"))[f"width {width}, scale {s}"]
        for s in ("0", "0.1", "1")
    }
    gap = difference(accuracy["0.1"], accuracy["0"])
    assert gap.low < 0 < gap.high, "scaled blocks add nothing measurable to the stem alone"
    assert difference(accuracy["1"], accuracy["0"]).high < 0, "unscaled ones do harm"


def test_chapter_09_on_the_suspects():
    worst, last = shares("causes", "dead_most"), shares("causes", "dead_last")
    for acquitted in (
        "last layers centred",
        "last layers without bias",
        "classifier from zero",
        "torch's own initial weights",
        "no momentum, rate × 10",
    ):
        assert min(worst[acquitted]) > 0.5, acquitted
    assert max(worst["slow classifier"]) < 0.15, "all but saves the patient"
    assert max(worst["no momentum"]) < 0.1
    assert mean(last["slow last layers"]) < 0.2 and min(worst["slow last layers"]) > 0.5, (
        "another victim"
    )
    assert (
        min(worst["small last layers"]) > 0.5
        and max(shares("remedies", "dead_most")["scale 0.1"]) < 0.1
    ), "it takes both"


def test_chapter_09_on_the_time_of_death():
    """While the push lasts hardly anything is dead; a good part of the channels dies when it is
    over."""
    for run in (r for r in load_results("causes") if r.label == "as it is"):
        dead, push = list(run.maps["dead"].values())[-1], run.curves["push"]
        over = next(i for i, p in enumerate(push) if i > push.index(max(push)) and abs(p) < 0.1)
        assert dead[over - 1] < 0.1 and run.dead_last - dead[over] > 0.2


def test_chapter_09_wider_is_worse_gradually():
    dead = [
        mean(shares("dying", "dead_last")[f"width {w}, scale 1, rate 0.045"])
        for w in (72, 144, 288, 576, 1152)
    ]
    assert dead == sorted(dead) and dead[1] == 0 < dead[2] < 0.1 < dead[3] < dead[4]


def test_chapter_09_on_warm_ups_and_the_long_runs():
    runs = load_results("remedies")
    fall = {
        label: mean([r.curves["loss"][0] - r.curves["loss"][10] for r in runs if r.label == label])
        for label in ("two-phase warm-up", "two-phase warm-up from rate / 10")
    }
    assert fall["two-phase warm-up"] < 0.05 < 0.15 < fall["two-phase warm-up from rate / 10"]
    worst = shares("remedies", "dead_most")
    for held in ("scale 0.1", "rate / 10", "norm after last sum"):
        assert max(worst[held]) < 0.1
    assert 0.1 < max(shares("remedies", "dead_most")["slow classifier"]) < 0.15, "which nearly did"
    assert {r.config.recipe.steps for r in load_results("long")} == {3000}
