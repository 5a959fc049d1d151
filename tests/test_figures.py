"""The figures against numbers written down by hand from the paper (Figs. 3 to 19, Table 1), not
from the code."""

import pytest

from inception_edu import describe as f
from inception_edu.describe import (
    NETWORKS,
    ChannelError,
    Concat,
    Conv,
    inception_resnet_v2,
    inception_v4,
    measure,
    network,
    out_shape,
    slide,
    walk,
)

# figure: (input, output), read off the printed figures; the closing reading for Figs. 17 and 19.
PRINTED = {
    3: ((3, 299, 299), (384, 35, 35)),
    4: ((384, 35, 35), (384, 35, 35)),
    5: ((1024, 17, 17), (1024, 17, 17)),
    6: ((1536, 8, 8), (1536, 8, 8)),
    7: ((384, 35, 35), (1024, 17, 17)),
    8: ((1024, 17, 17), (1536, 8, 8)),
    10: ((256, 35, 35), (256, 35, 35)),
    11: ((896, 17, 17), (896, 17, 17)),
    12: ((896, 17, 17), (1792, 8, 8)),
    13: ((1792, 8, 8), (1792, 8, 8)),
    14: ((3, 299, 299), (256, 35, 35)),
    16: ((384, 35, 35), (384, 35, 35)),
    17: ((1152, 17, 17), (1152, 17, 17)),
    18: ((1152, 17, 17), (2144, 8, 8)),
    19: ((2144, 8, 8), (2144, 8, 8)),
}
# Every filter count in a block, sorted: a second transcription, as a multiset, of what each figure
# prints.
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
    return [
        s.node
        for s in walk(f.FIGURES[number].node, f.FIGURES[number].input)
        if isinstance(s.node, Conv)
    ]


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
    for kernel, stride, padding in (
        (3, 2, "valid"),
        (3, 1, "valid"),
        (3, 1, "same"),
        (3, 2, "valid"),
        (3, 1, "valid"),
        (3, 2, "valid"),
    ):
        sizes.append(slide(sizes[-1], kernel, stride, padding))
    assert sizes == [299, 149, 147, 147, 73, 71, 35]
    joins = [s.output for s in walk(f.StemV4(), (3, 299, 299)) if isinstance(s.node, Concat)]
    assert joins == [(160, 73, 73), (192, 71, 71), (384, 35, 35)]


@pytest.mark.parametrize(
    "row, name, before, after",
    [
        ("inception_v4", "inception_v4", 384, 1024),
        ("inception_resnet_v1", "inception_resnet_v1", 256, 896),
        ("inception_resnet_v2", "inception_resnet_v2", 384, 1152),
    ],
)
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
    assert [(r.output, r.params, r.macs) for r in paper.rows] == [
        (r.output, r.params, r.macs) for r in released.rows
    ]
    assert f.InceptionB("paper") != f.InceptionB("released")
    short = f.InceptionB("paper").branches[2]
    assert [c.kernel for c in short.parts] == [(1, 1), (1, 7), (1, 7)]
    assert [c.kernel for c in f.InceptionB("released").branches[2].parts] == [
        (1, 1),
        (1, 7),
        (7, 1),
    ]


def test_parameters_are_the_known_ones():
    """Counts that others publish: timm's model cards give 23.8, 42.7, 55.8, 25.6 and 60.2
    million."""
    millions = {name: round(measure(network(name)).params / 1e6, 1) for name in NETWORKS}
    assert millions["inception_v3"] == 23.8
    assert millions["inception_v4"] == millions["inception_v4_released"] == 42.7
    assert millions["inception_resnet_v2_released"] == 55.8
    assert (millions["resnet50"], millions["resnet152"]) == (25.6, 60.2)


# --- Tables 2 to 5 --------------------------------------------------------------------------------

# A second transcription, a string a row: Tables 2, 3 and 4 side by side, then the ensembles.
RESULTS = """
inception_v3          21.2 5.6   19.8 4.6   18.9 4.3
inception_resnet_v1   21.3 5.5   19.8 4.6   18.8 4.3
inception_v4          20.0 5.0   18.7 4.2   17.7 3.8
inception_resnet_v2   19.9 4.9   18.7 4.1   17.8 3.7
"""


def test_tables_2_to_4_are_the_printed_ones():
    for name, *numbers in map(str.split, RESULTS.split("\n")[1:-1]):
        rows = [table[name] for table in (f.TABLE_2, f.TABLE_3, f.TABLE_4)]
        assert [row[k] for row in rows for k in ("top1", "top5")] == [float(n) for n in numbers]
        assert [row["crops"] for row in rows] == ["1 crop", "12 crops", "144 crops"]
    others = {"bn_inception", "resnet_151"}
    assert [set(t) & others for t in (f.TABLE_2, f.TABLE_3, f.TABLE_4)] == [
        {"bn_inception"},
        {"resnet_151"},
        {"resnet_151"},
    ]
    assert f.TABLE_2["bn_inception"] == dict(crops="1 crop", top1=25.2, top5=7.8)
    assert f.TABLE_3["resnet_151"] == dict(crops="10 crops", top1=21.4, top5=5.7)
    assert f.TABLE_4["resnet_151"] == dict(crops="dense", top1=19.4, top5=4.5)


def test_table_5_and_the_test_images():
    found = {
        tuple(row["networks"].items()): (row["top1"], row["top5"]) for row in f.TABLE_5.values()
    }
    assert found == {
        (("resnet_151", 6),): (None, 3.6),
        (("inception_v3", 4),): (17.3, 3.6),
        (("inception_v4", 1), ("inception_resnet_v2", 3)): (16.5, 3.1),
    }
    assert f.TEST_TOP5 == 3.08
    assert f.BLACKLISTED == dict(images=1700, top1=0.3, top5=0.15)


def test_every_error_is_plausible_and_more_crops_never_hurt():
    for table in (f.TABLE_2, f.TABLE_3, f.TABLE_4, f.TABLE_5):
        for row in table.values():
            assert 3 < row["top5"] < 8 and (row["top1"] is None or 16 < row["top1"] < 26)
    for name in f.TABLE_4:
        assert (
            f.TABLE_4[name]["top1"] < f.TABLE_3[name]["top1"]
            and f.TABLE_4[name]["top5"] < f.TABLE_3[name]["top5"]
        )


def test_the_aaai_version_differs_where_it_is_said_to():
    for (table, row), numbers in f.AAAI.items():
        ours = getattr(f, table)[row]
        assert any(ours[k] != number for k, number in numbers.items())
    slip = f.AAAI["TABLE_3", "resnet_151"]
    assert slip == {k: f.TABLE_2["bn_inception"][k] for k in slip}
    assert f.AAAI["TABLE_5", "mixed"]["top1"] == 16.4
