"""The figures against numbers written down by hand from the paper (Figs. 3 to 19, Table 1), not from the code."""
import pytest

from inception_edu import figures as f
from inception_edu.measure import measure
from inception_edu.networks import NETWORKS, inception_resnet_v2, inception_v4, network
from inception_edu.spec import ChannelError, Concat, Conv, out_shape, slide, walk

# figure: (input, output), read off the printed figures; the closing reading for Figs. 17 and 19.
PRINTED = {
    3: ((3, 299, 299), (384, 35, 35)), 4: ((384, 35, 35), (384, 35, 35)), 5: ((1024, 17, 17), (1024, 17, 17)),
    6: ((1536, 8, 8), (1536, 8, 8)), 7: ((384, 35, 35), (1024, 17, 17)), 8: ((1024, 17, 17), (1536, 8, 8)),
    10: ((256, 35, 35), (256, 35, 35)), 11: ((896, 17, 17), (896, 17, 17)), 12: ((896, 17, 17), (1792, 8, 8)),
    13: ((1792, 8, 8), (1792, 8, 8)), 14: ((3, 299, 299), (256, 35, 35)), 16: ((384, 35, 35), (384, 35, 35)),
    17: ((1152, 17, 17), (1152, 17, 17)), 18: ((1152, 17, 17), (2144, 8, 8)), 19: ((2144, 8, 8), (2144, 8, 8)),
}
# Every filter count in a block, sorted: a second transcription, as a multiset, of what each figure prints.
FILTERS = {
    3: [32, 32, 64, 64, 64, 64, 64, 96, 96, 96, 192],
    4: [64, 64, 96, 96, 96, 96, 96],
    5: [128, 192, 192, 192, 224, 224, 224, 256, 256, 384],
    6: [256, 256, 256, 256, 256, 256, 384, 384, 448, 512],
    7: [192, 224, 256, 384],
    8: [192, 192, 256, 256, 320, 320],
    10: [32, 32, 32, 32, 32, 32, 256],
    11: [128, 128, 128, 128, 896],
    12: [256, 256, 256, 256, 256, 256, 384],
    13: [192, 192, 192, 192, 1792],
    14: [32, 32, 64, 80, 192, 256],
    16: [32, 32, 32, 32, 48, 64, 384],
    17: [128, 160, 192, 192, 1152],
    18: [256, 256, 256, 288, 288, 320, 384],
    19: [192, 192, 224, 256, 2144],
}


def _convs(number):
    return [s.node for s in walk(f.FIGURES[number].node, f.FIGURES[number].input) if isinstance(s.node, Conv)]


@pytest.mark.parametrize("number", PRINTED)
def test_shapes_are_the_printed_ones(number):
    figure = f.FIGURES[number]
    assert (figure.input, out_shape(figure.node, figure.input)) == PRINTED[number]
    assert figure.node.figure == f"Fig. {number}"


@pytest.mark.parametrize("number", FILTERS)
def test_filters_are_the_printed_ones(number):
    assert sorted(conv.out for conv in _convs(number)) == FILTERS[number]


def test_every_figure_from_1_to_20_is_there():
    assert sorted(f.FIGURES) == list(range(1, 21))


def test_the_stem_walks_down_as_the_paper_prints_it():
    sizes = [299]
    for kernel, stride, padding in ((3, 2, "valid"), (3, 1, "valid"), (3, 1, "same"), (3, 2, "valid"),
                                    (3, 1, "valid"), (3, 2, "valid")):
        sizes.append(slide(sizes[-1], kernel, stride, padding))
    assert sizes == [299, 149, 147, 147, 73, 71, 35]
    joins = [s.output for s in walk(f.StemV4(), (3, 299, 299)) if isinstance(s.node, Concat)]
    assert joins == [(160, 73, 73), (192, 71, 71), (384, 35, 35)]


@pytest.mark.parametrize("row, name, before, after", [
    ("inception_v4", "inception_v4", 384, 1024), ("inception_resnet_v1", "inception_resnet_v1", 256, 896),
    ("inception_resnet_v2", "inception_resnet_v2", 384, 1152)])
def test_table_1_closes(row, name, before, after):
    numbers = f.TABLE_1[row]
    assert before + numbers["n"] + numbers["m"] == after
    assert out_shape(f.ReductionA(**numbers), (before, 35, 35)) == (after, 17, 17)
    assert network(name)["reduction_a"].node == f.ReductionA(**numbers)


@pytest.mark.parametrize("name", ["inception_v4", "inception_resnet_v1"])
def test_overviews_agree_with_their_blocks(name):
    described = network(name)
    rows = {row.name: row.output for row in measure(described).rows}
    for block in described.blocks:
        last = block.name if block.repeat == 1 else f"{block.name}.{block.repeat}"
        assert rows[last] == block.output


def test_the_printed_inception_resnet_v2_does_not_close():
    with pytest.raises(ChannelError, match=r"Fig\. 17.*1154.*1152"):
        measure(inception_resnet_v2(printed=True))
    with pytest.raises(ChannelError, match=r"Fig\. 19.*2048.*2144"):
        out_shape(f.InceptionResNetC_v2(printed=True), (2144, 8, 8))


def test_orientation_turns_kernels_and_nothing_else():
    paper, released = measure(inception_v4("paper")), measure(inception_v4("released"))
    assert [(r.output, r.params, r.macs) for r in paper.rows] == [(r.output, r.params, r.macs) for r in released.rows]
    assert f.InceptionB("paper") != f.InceptionB("released")
    short = f.InceptionB("paper").branches[2]
    assert [c.kernel for c in short.parts] == [(1, 1), (1, 7), (1, 7)]
    assert [c.kernel for c in f.InceptionB("released").branches[2].parts] == [(1, 1), (1, 7), (7, 1)]


def test_parameters_are_the_known_ones():
    """Counts that others publish: timm's model cards give 23.8, 42.7, 55.8, 25.6 and 60.2 million."""
    millions = {name: round(measure(network(name)).params / 1e6, 1) for name in NETWORKS}
    assert millions["inception_v3"] == 23.8
    assert millions["inception_v4"] == millions["inception_v4_released"] == 42.7
    assert millions["inception_resnet_v2_released"] == 55.8
    assert (millions["resnet50"], millions["resnet152"]) == (25.6, 60.2)
