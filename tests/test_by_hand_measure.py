"""Measures by hand: parameters, multiply-adds and fields, worked out with a pencil. No torch.

The sums stand beside their results, so that a reader can follow them.
"""

import pytest

from inception_edu import describe as d
from inception_edu.describe import (
    Block,
    Chain,
    ChannelError,
    Concat,
    Conv,
    Linear,
    MaxPool,
    Network,
    Residual,
    SizeError,
    SpecError,
    measure,
)
from inception_edu.describe.spec import VanishedError


def counts(node, shape):
    row = measure(node, shape).rows[0]
    return row.output, row.params, row.macs, row.receptive_field, row.stride


@pytest.mark.parametrize(
    "node, shape, expected",
    [
        # 3·4·3·3 = 108 weights, batch norm 2·4 = 8; 108·(5·6) + 8 multiply-adds.
        (Conv(4, 3), (3, 5, 6), ((4, 5, 6), 116, 3248, (3, 3), (1, 1))),
        # 3·4·1·7 = 84 weights and 4 biases; 88·(5·6).
        (Conv(4, (1, 7), norm=False), (3, 5, 6), ((4, 5, 6), 88, 2640, (1, 7), (1, 1))),
        # Two groups: 4/2·6·3·3 = 108, batch norm 12; 9×10 with stride 2 gives 5×5: 108·25 + 12.
        (Conv(6, 3, 2, groups=2), (4, 9, 10), ((6, 5, 5), 120, 2712, (3, 3), (2, 2))),
        # 4·5 weights and 5 biases at 6·7 places.
        (Linear(5), (4, 6, 7), ((5, 6, 7), 25, 1050, (1, 1), (1, 1))),
        (MaxPool(3, 2, "valid"), (3, 9, 11), ((3, 4, 5), 0, 0, (3, 3), (2, 2))),
        (Chain(), (3, 4, 5), ((3, 4, 5), 0, 0, (1, 1), (1, 1))),
        # Rows see 1 + 2 + 2·2 = 7, columns 1 + 0 + 2·2 = 5: the stride comes before the second.
        (
            Chain(Conv(2, (3, 1), 2), MaxPool(3, 3)),
            (1, 12, 12),
            # 1·2·3 = 6 weights, norm 4; 6·(6·6) + 4.
            ((2, 2, 2), 10, 220, (7, 5), (6, 6)),
        ),
        (
            Concat(Chain(Conv(4, 1), MaxPool((1, 3))), Conv(1, (3, 1))),
            (3, 2, 2),
            # 12 + 8 = 20; 3·3 = 9, norm 2: 11. 12·4 + 8 = 56; 9·4 + 2 = 38.
            ((5, 2, 2), 31, 94, (3, 3), (1, 1)),
        ),
        # 3·3 + 3 = 12, at 4 places 48.
        (Residual(Linear(3)), (3, 2, 2), ((3, 2, 2), 12, 48, (1, 1), (1, 1))),
        # ... and one learnt scale; a norm after the sum has 2·3 = 6.
        (Residual(Linear(3), learnable=True), (3, 2, 2), ((3, 2, 2), 13, 48, (1, 1), (1, 1))),
        # One channel: 1 and the scale.
        (
            Residual(Linear(1, bias=False), learnable=True),
            (1, 2, 2),
            ((1, 2, 2), 2, 4, (1, 1), (1, 1)),
        ),
        (Residual(Linear(3), norm=True), (3, 2, 2), ((3, 2, 2), 18, 54, (1, 1), (1, 1))),
    ],
)
def test_one_node_counted_with_a_pencil(node, shape, expected):
    assert counts(node, shape) == expected


def tiny(**changes):
    blocks = (
        Block("stem", Conv(4, 3, 2, "valid")),
        Block("twice", Conv(4, 3), 2),
    )
    return Network("Tiny", blocks, **{"classes": 10, "image": 9, **changes})


def test_a_network_counted_with_a_pencil():
    """Stem 3·4·9 = 108 and 8: 9×9 → 4×4, 108·16 + 8 = 1736. Then twice 4·4·9 = 144 and 8, 144·16 +
    8 = 2312. Classifier (4 + 1)·10 = 50. Fields 3, 3 + 2·2 = 7, 7 + 2·2 = 11."""
    measured = measure(tiny())
    assert [(r.name, r.params, r.macs, r.receptive_field, r.stride) for r in measured.rows] == [
        ("stem", 116, 1736, (3, 3), (2, 2)),
        ("twice.1", 152, 2312, (7, 7), (2, 2)),
        ("twice.2", 152, 2312, (11, 11), (2, 2)),
        ("classifier", 50, 50, (11, 11), (1, 1)),
    ]
    assert [(r.input, r.output) for r in measured.rows] == [
        ((3, 9, 9), (4, 4, 4)),
        ((4, 4, 4), (4, 4, 4)),
        ((4, 4, 4), (4, 4, 4)),
        ((4, 1, 1), (10, 1, 1)),
    ]
    assert (measured.params, measured.macs) == (116 + 304 + 50, 1736 + 4624 + 50)
    assert (measured.output, measured.receptive_field) == ((4, 4, 4), (11, 11))
    assert (measured.name, measured.input) == ("Tiny", (3, 9, 9))


def test_a_network_without_blocks_is_its_classifier():
    bare = measure(Network("Bare", (), classes=10, image=8))
    assert [(r.name, r.input, r.params) for r in bare.rows] == [("classifier", (3, 1, 1), 40)]
    assert (bare.output, bare.receptive_field) == ((3, 8, 8), (1, 1))
    assert bare.rows[0].receptive_field == (1, 1)


def test_the_table_of_a_measurement():
    lines = str(measure(tiny())).splitlines()
    assert lines[0] == "Tiny, input 3×9×9"
    assert lines[1].split() == "block output C×H×W parameters multiply-adds sees".split()
    cells = [line.split() for line in lines[3:]]
    assert cells[0] == ["stem", "4×4×4", "116", "1,736", "3×3"]
    assert cells[3] == ["classifier", "10×1×1", "50", "50"]
    assert cells[4] == ["together", "470", "6,410"]
    assert "<table" in measure(tiny())._repr_html_()
    assert measure(Conv(4, 3), (3, 5, 6)).name == "block"
    assert measure(d.InceptionA(), (384, 35, 35)).name == "Inception-A"


def test_images_may_be_given_in_three_ways():
    assert measure(tiny(), 11).input == (3, 11, 11)
    assert measure(tiny(), (9, 11)).input == (3, 9, 11)
    assert measure(tiny(), (3, 11, 9)).input == (3, 11, 9)
    assert measure(tiny(channels=1)).input == (1, 9, 9)
    assert measure(tiny(), 3).rows[0].output == (4, 1, 1)
    for wrong in (0, (0, 9), (9, 0), (3, 9, 0)):
        with pytest.raises(SpecError, match="at least one pixel"):
            measure(tiny(), wrong)
    for channels in (1, 4):
        with pytest.raises(SpecError, match=f"Tiny takes images of 3 channels, got {channels}"):
            measure(tiny(), (channels, 9, 9))
    pixel = Network("Pixel", (Block("one", Conv(4, 1)),))
    assert measure(pixel, 1).output == (4, 1, 1) and measure(pixel, (1, 2)).output == (4, 1, 2)
    for wrong in (None, 9, (9, 9), [3, 9, 9]):
        with pytest.raises(SpecError, match="needs the shape"):
            measure(Conv(4, 3), wrong)


def test_an_image_that_is_too_small_is_told_where_and_what_would_do():
    down = Network("Down", (Block("half", Conv(4, 3, 2, "valid"), 3),), image=299)
    # 15 → 7 → 3 → 1; 14 → 6 → 2, and then a 3×3 does not fit: the third copy breaks.
    assert measure(down, 15).output == (4, 1, 1) and d.smallest_image(down) == 15
    words = r"Down cannot take 14×15 images\. In block half\.3 the map vanishes: .*2×3.* is 15×15\."
    with pytest.raises(VanishedError, match=words):
        measure(down, (14, 15))
    once = Network("Once", (Block("half", Conv(4, 3, 2, "valid")),))
    with pytest.raises(SizeError, match="In block half the map vanishes"):
        measure(once, 2)
    assert d.smallest_image(Network("Any", (Block("one", Conv(4, 1)),))) == 1
    assert d.smallest_image(Network("Bare", ())) == 1


def test_one_of_1024_pixels_is_the_largest_that_is_tried():
    def wide(kernel):
        return Network("Wide", (Block("one", Conv(4, kernel, padding="valid")),))

    assert d.smallest_image(wide(1024)) == 1024
    with pytest.raises(SizeError, match="up to 1024 pixels"):
        d.smallest_image(wide(1025))
    with pytest.raises(ChannelError):
        d.smallest_image(Network("Odd", (Block("one", Residual(Linear(4))),)))


def test_sizes_that_close_for_no_image_are_told():
    uneven = Concat(Conv(1, 1), Conv(1, 3, padding="valid"))
    ends = Network("Uneven", (Block("a", Conv(4, 1)), Block("b", uneven)), image=9)
    with pytest.raises(SizeError, match="up to 1024"):
        measure(ends)


def test_a_trace_goes_as_far_as_the_image():
    from inception_edu.describe.measure import trace

    down = Network("Down", (Block("stem", Conv(4, 1)), Block("half", Conv(4, 3, 2, "valid"), 3)))
    found = trace(down, 14)
    assert [r.name for r in found.rows] == ["stem", "half.1", "half.2"]
    assert (found.end, found.broken.name) == ((4, 2, 2), "half")
    assert found.error.startswith("Block half breaks. ") and "2×2" in found.error
    assert [r.name for r in found.of("half")] == ["half.1", "half.2"]
    assert [r.name for r in found.of("stem")] == ["stem"]
    whole = trace(down, 15)
    assert (whole.end, whole.broken, whole.cause, whole.error) == ((4, 1, 1), None, None, "")


def test_what_a_network_says_of_itself():
    network = tiny()
    assert network["twice"].repeat == 2
    with pytest.raises(KeyError, match="Tiny has no block 'three'; it has stem, twice"):
        network["three"]
    assert repr(network).splitlines() == [
        "Network Tiny, 9×9×3 in, 10 classes, dropout 0.2:",
        '   1 × stem: Conv(4, 3, stride=2, padding="valid")',
        "   2 × twice: Conv(4, 3)",
    ]
    assert "Fig. 4 Inception-A" in repr(d.inception_v4())
    wider = network.map(lambda n: Conv(5, 3) if n == Conv(4, 3) else n)
    assert [b.node.out for b in wider.blocks] == [4, 5] and wider.classes == 10
