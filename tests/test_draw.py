"""Drawings: valid SVG, every convolution once, nothing overlaps, no text leaves its box, and the
words are right.

Widths of texts are taken from DejaVu Sans, which matplotlib brings along: none of the usual
sans-serif fonts is wider.
"""

import re
import xml.etree.ElementTree as ET
from functools import cache
from itertools import combinations
from pathlib import Path

import matplotlib
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matplotlib.ft2font import FT2Font

from inception_edu.describe import (
    FIGURES,
    NETWORKS,
    TABLE_1,
    AvgPool,
    Block,
    Chain,
    ChannelError,
    Concat,
    Conv,
    InceptionA,
    InceptionResNetB_v2,
    InceptionResNetC_v1,
    Linear,
    MaxPool,
    Network,
    Pool,
    ReductionA,
    Residual,
    SizeError,
    SpecError,
    amount,
    children,
    draw,
    figure,
    inception_resnet_v2,
    inception_v4,
    leaf_words,
    mini,
    network,
    out_shape,
    size_words,
    tower,
    walk,
)
from inception_edu.describe.canvas import BRANCH_COLOURS, text_width, wrap

SVG = "{http://www.w3.org/2000/svg}"
FONTS = Path(matplotlib.get_data_path(), "fonts", "ttf")


@cache
def advance(letter: str, bold: bool) -> float:
    """Width of a letter of DejaVu Sans, as a share of its size."""
    font = FT2Font(str(FONTS / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf")))
    font.set_size(100, 72)
    return font.load_char(ord(letter)).linearHoriAdvance / 65536 / 100


def real_width(text: str, size: float, bold: bool) -> float:
    return sum(advance(letter, bold) for letter in text) * size


class Picture:
    """What can be read off an SVG: boxes (with their paths and texts) and the words outside them,
    as rectangles."""

    def __init__(self, svg: str):
        self.root = ET.fromstring(svg)
        self.width, self.height = map(float, self.root.get("viewBox").split()[2:])
        self.boxes, self.labels = [], []
        for group in self.root.findall(f"{SVG}g"):
            shape = next(e for e in group if e.get("class") == "box")
            if shape.tag == f"{SVG}rect":
                x, y, w, h = (float(shape.get(k)) for k in ("x", "y", "width", "height"))
            else:
                numbers = [float(n) for n in re.findall(r"-?[\d.]+", shape.get("d"))]
                x, first, right, _, second = numbers[:5]
                y, w, h = min(first, second), right - x, abs(first - second)
            texts = [self.rectangle(t) for t in group.findall(f"{SVG}text")]
            self.boxes.append(
                {
                    "kind": group.get("class"),
                    "path": group.get("data-path"),
                    "rect": (x, y, x + w, y + h),
                    "texts": texts,
                    "words": [t[4] for t in texts],
                    "dash": shape.get("stroke-dasharray"),
                    "fade": group.get("opacity"),
                    "stroke": shape.get("stroke"),
                    "tip": group.findtext(f"{SVG}title"),
                }
            )
        for text in self.root.findall(f"{SVG}text"):
            self.labels.append(self.rectangle(text))

    def rectangle(self, text):
        size = float(text.get("font-size", 12))
        bold = text.get("font-weight") == "700"
        words = "".join(text.itertext())
        width = real_width(words, size, bold) + (6 if text.find(f"{SVG}tspan") is not None else 0)
        x, y = float(text.get("x")), float(text.get("y"))
        left = {"middle": x - width / 2, "end": x - width}.get(text.get("text-anchor"), x)
        return left, y - 0.76 * size, left + width, y + 0.24 * size, words

    def kinds(self, kind):
        return [box for box in self.boxes if box["kind"] == kind]


def apart(a, b, slack=0.15):
    return (
        a[2] <= b[0] + slack or b[2] <= a[0] + slack or a[3] <= b[1] + slack or b[3] <= a[1] + slack
    )


def check_layout(svg: str) -> Picture:
    picture = Picture(svg)
    for box in picture.boxes:
        for left, top, right, bottom, words in box["texts"]:
            x0, y0, x1, y1 = box["rect"]
            assert x0 <= left and right <= x1 and y0 <= top + 1 and bottom <= y1 + 1, (
                f"{words!r} leaves its box"
            )
    for a, b in combinations(picture.boxes, 2):
        assert apart(a["rect"], b["rect"]), (
            f"{a['path']} {a['words']} and {b['path']} {b['words']} overlap"
        )
    for label in picture.labels:
        for box in picture.boxes:
            assert apart(label, box["rect"]), f"{label[4]!r} lies on {box['words']}"
    for a, b in combinations(picture.labels, 2):
        assert apart(a, b), f"{a[4]!r} and {b[4]!r} overlap"
    for rect in [box["rect"] for box in picture.boxes] + picture.labels:
        assert (
            rect[0] >= 0 and rect[1] >= 0 and rect[2] <= picture.width and rect[3] <= picture.height
        ), rect
    return picture


def leaves(node, kind):
    if isinstance(node, kind):
        return [node]
    return [leaf for _, part in children(node) for leaf in leaves(part, kind)]


# --- Any description ------------------------------------------------------------------------------

odd = st.sampled_from([1, 3, 5, 7])
windows = st.fixed_dictionaries(
    {
        "kernel": st.one_of(odd, st.tuples(odd, odd)),
        "stride": st.integers(1, 3),
        "padding": st.sampled_from(["same", "valid"]),
    }
)
convs = st.builds(
    lambda out, w, norm, relu: Conv(out, **w, norm=norm, relu=relu),
    st.integers(1, 4096),
    windows,
    st.booleans(),
    st.booleans(),
)
pools = st.builds(
    lambda kind, w, count: Pool(kind, **w, count_padding=count and kind == "avg"),
    st.sampled_from(["max", "avg"]),
    windows,
    st.booleans(),
)


def bigger(inner):
    return st.one_of(
        st.builds(lambda parts: Chain(*parts), st.lists(inner, max_size=4)),
        st.builds(
            lambda parts, out: Concat(*parts, out=out),
            st.lists(inner, min_size=1, max_size=4),
            st.none() | st.integers(1, 9999),
        ),
        st.builds(
            Residual,
            inner,
            st.sampled_from([1.0, 0.1, 0.17]),
            st.booleans(),
            st.none() | inner,
            st.booleans(),
        ),
    )


nodes = st.recursive(st.one_of(convs, pools), bigger, max_leaves=12)


@settings(max_examples=150, deadline=None)
@example(
    Chain(MaxPool(1), Residual(Chain(), 0.1, False, Linear(1))), (1, 1, 10), "up", False
)  # a wide "× 0.1" alone
@example(
    Chain(Conv(8, 3), Concat(Conv(8, 3), Chain(), Concat(Conv(8, 1), Conv(8, 3)))),
    (3, 9, 9),
    "up",
    True,
)
@example(
    Chain(Concat(Conv(8, 1), Conv(8, 1)), Residual(Concat(Conv(8, 1), Conv(8, 1)))),
    (3, 9, 9),
    "down",
    False,
)
@given(
    nodes,
    st.none() | st.tuples(st.integers(1, 2048), st.integers(1, 300), st.integers(1, 300)),
    st.sampled_from(["up", "down"]),
    st.booleans(),
)
def test_any_description_is_drawn_without_overlap(node, shape, direction, params):
    drawing = draw(node, shape, direction=direction, params=params, wrong=True)
    picture = check_layout(drawing)
    assert len(picture.kinds("conv")) == len(leaves(node, Conv))
    assert len(picture.kinds("pool")) == len(leaves(node, Pool))
    assert len(picture.kinds("plus")) == len(leaves_of_kind(node, Residual))
    paths = [box["path"] for box in picture.kinds("conv") + picture.kinds("pool")]
    assert len(set(paths)) == len(paths)
    if shape is not None:
        try:
            out_shape(node, shape)
        except SpecError as error:
            assert str(error) in drawing.errors
        else:
            assert drawing.errors == ()


def leaves_of_kind(node, kind):
    """Every node of a kind, also inside others of the same kind."""
    found = [node] if isinstance(node, kind) else []
    return found + [leaf for _, part in children(node) for leaf in leaves_of_kind(part, kind)]


@settings(max_examples=300, deadline=None)
@given(
    st.text(
        alphabet=st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"])
        | st.sampled_from("×≠·→"),
        max_size=40,
    ),
    st.booleans(),
)
def test_text_width_is_an_upper_bound(text, bold):
    assert text_width(text, 12, bold) >= real_width(text, 12, bold) - 1e-6


def test_wrapped_lines_keep_their_width():
    text = "The third branch prints 1×7 twice; the released code has 1×7, then 7×1."
    lines = wrap(text, 150, 11)
    assert " ".join(lines) == text and len(lines) > 2
    assert all(text_width(line, 11) <= 150 for line in lines)


# --- The paper's figures and the networks ---------------------------------------------------------


@pytest.mark.parametrize("number", FIGURES)
def test_figures_of_the_paper(number):
    f, drawing = FIGURES[number], figure(number)
    picture = check_layout(drawing)
    assert picture.width <= 680  # at 600 pixels the smallest letters keep 9 of them
    root = picture.root
    assert root.get("role") == "img" and root.get("aria-label") == f"Fig. {number}: {f.title}"
    assert (
        root.findtext(f"{SVG}title") == root.get("aria-label")
        and len(root.findtext(f"{SVG}desc")) > 40
    )
    words = " ".join(label[4] for label in picture.labels)
    if f.misprint:
        assert f.misprint in words
    if isinstance(f.node, tuple):
        for row in f.node:
            assert size_words(row.output) in words
        return
    # Every shape along the way stands in the picture.
    shown = words + " " + " ".join(w for box in picture.boxes for w in box["words"])
    for step in walk(f.node, f.input):
        if not isinstance(step.node, Chain):
            assert size_words(step.output) in shown, step
    # The boxes of one kernel and number of filters are as many as in the description.
    for conv in set(leaves(f.node, Conv)) if number != 7 else ():
        same = [box for box in picture.kinds("conv") if box["words"] == list(leaf_words(conv))]
        assert len(same) == leaves(f.node, Conv).count(conv), conv


def test_reduction_a_carries_its_letters():
    words = [w for box in Picture(figure(7)).boxes for w in box["words"]]
    assert {"(k = 192)", "(l = 224)", "(m = 256, stride 2, V)", "(n = 384, stride 2, V)"} <= set(
        words
    )


def test_branches_keep_their_colours_and_numbers():
    for node, shape in (
        (InceptionA(), (384, 35, 35)),
        (ReductionA(**TABLE_1["inception_v4"]), (384, 35, 35)),
    ):
        picture = Picture(draw(node, shape))
        for box in picture.kinds("conv") + picture.kinds("pool"):
            branch = int(box["path"].split("/")[0].removeprefix("branch "))
            assert box["stroke"] == BRANCH_COLOURS[branch - 1]
        badges = [label[4] for label in picture.labels if label[4].isdigit()]
        assert badges == [str(i + 1) for i in range(len(node.branches))]
    assert len(set(BRANCH_COLOURS)) == len(BRANCH_COLOURS)


def test_branch_colours_can_be_read_on_white():
    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for colour in BRANCH_COLOURS:
        assert 1.05 / (luminance(colour) + 0.05) >= 3.5, colour  # WCAG asks 3 of lines and shapes


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name):
    net = network(name)
    for one in (net, *([] if name.startswith("resnet") else [mini(net)])):
        drawing = draw(one, params=True)
        picture = check_layout(drawing)
        assert picture.width <= 680
        paths = [box["path"] for box in picture.boxes]
        assert [b.name for b in one.blocks] == [
            p for p in paths if p in {b.name for b in one.blocks}
        ]
        for block in one.blocks:
            words = next(box["words"] for box in picture.boxes if box["path"] == block.name)
            assert words[0].startswith(f"{block.repeat} × ") == (block.repeat > 1)


def test_a_network_shows_what_measure_computes():
    from inception_edu.describe import measure

    net = inception_v4()
    words = [label[4] for label in Picture(draw(net, params=True)).labels]
    rows = measure(net).rows
    stem = rows[0]
    assert (
        size_words(stem.output) in words
        and amount(stem.params) in words
        and amount(stem.macs) in words
    )
    assert words.count(amount(1537 * 1000)) == 2  # the classifier, parameters and multiply-adds
    last = [row for row in rows if row.name.startswith("inception_c")]
    assert amount(sum(row.macs for row in last)) in words
    assert f"{last[-1].receptive_field[0]}×{last[-1].receptive_field[1]}" in words


def test_a_tower_without_blocks_is_drawn():
    check_layout(draw(tower(depth=0)))


# --- Options --------------------------------------------------------------------------------------


def test_up_and_down_are_the_same_picture_turned():
    up, down = Picture(figure(4)), Picture(figure(4, direction="down"))
    order = [box["rect"][1] for box in up.boxes if box["path"].startswith("branch 4")]
    turned = [box["rect"][1] for box in down.boxes if box["path"].startswith("branch 4")]
    assert order == sorted(order, reverse=True) and turned == sorted(turned)
    with pytest.raises(SpecError, match="left"):
        draw(InceptionA(), direction="left")


@pytest.mark.parametrize(
    "highlight, bright",
    [
        (3, {"branch 3/step 1", "branch 3/step 2"}),
        ("branch 3/step 2", {"branch 3/step 2"}),
        (["branch 2", ("branch 1", "step 2")], {"branch 2", "branch 1/step 2"}),
    ],
)
def test_highlight_fades_the_rest(highlight, bright):
    picture = Picture(draw(InceptionA(), highlight=highlight))
    assert {box["path"] for box in picture.boxes if box["fade"] is None} == bright


def test_highlight_inside_a_residual_block_and_in_a_network():
    picture = Picture(draw(InceptionResNetC_v1(), highlight=2))
    bright = {box["path"] for box in picture.boxes if box["fade"] is None}
    assert bright == {f"residual branch/step 1/branch 2/step {i}" for i in (1, 2, 3)}
    picture = Picture(draw(inception_v4(), highlight="reduction_a"))
    assert [box["path"] for box in picture.boxes if box["fade"] is None] == ["reduction_a"]


def test_params_are_written_into_the_boxes():
    picture = Picture(draw(Conv(96, 3), (64, 35, 35), params=True))
    assert (
        f"{amount(64 * 96 * 9 + 192)} · {amount(64 * 96 * 9 * 35 * 35 + 192)}"
        in picture.kinds("conv")[0]["words"]
    )


def test_a_residual_shows_its_scale_and_its_relu():
    words = {
        scale: [w for box in Picture(draw(InceptionResNetC_v1(scale))).boxes for w in box["words"]]
        for scale in (1.0, 0.1)
    }
    assert "× 0.1" in words[0.1] and not any(w.startswith("× ") for w in words[1.0])
    assert "ReLU activation" in words[1.0]
    plain = Picture(draw(InceptionResNetC_v1(relu=False)))
    assert plain.kinds("plus") and not plain.kinds("relu")


def test_words_are_the_papers():
    assert leaf_words(Conv(96, 3, 2, "valid")) == ("3×3 Conv", "(96, stride 2, V)")
    assert leaf_words(Conv(64, (7, 1))) == ("7×1 Conv", "(64)")
    assert leaf_words(Linear(256)) == ("1×1 Conv", "(256, Linear)")
    assert leaf_words(Conv(256, 1, relu=False)) == ("1×1 Conv", "(256, no ReLU)")
    assert leaf_words(MaxPool(3, 2, "valid")) == ("3×3 MaxPool", "(stride 2, V)")
    assert leaf_words(AvgPool(3)) == ("3×3 AvgPool",)
    assert leaf_words(AvgPool(3, count_padding=True)) == ("3×3 AvgPool", "(zeros count)")
    assert [amount(n) for n in (0, 999, 41_293, 999_600, 12_345_678, 12_345_678_901)] == [
        "0",
        "999",
        "41.3 k",
        "1 M",
        "12.3 M",
        "12.3 G",
    ]


# --- Mismatches -----------------------------------------------------------------------------------


def test_a_wrong_sum_is_drawn_at_its_place():
    node = InceptionResNetB_v2(printed=True)
    with pytest.raises(ChannelError, match="1154"):
        draw(node, (1152, 17, 17))
    drawing = draw(node, wrong=True)
    picture = check_layout(drawing)
    assert [box["kind"] for box in picture.boxes if box["dash"]] == ["plus"]
    assert "1154 ≠ 1152" in [label[4] for label in picture.labels]
    assert len(drawing.errors) == 1 and "1154" in drawing.errors[0] and "1152" in drawing.errors[0]
    assert drawing.errors[0] in drawing.description


def test_a_branch_of_another_size_is_named():
    node = Concat(Conv(96, 3, 2, "valid"), MaxPool(3, 2), Conv(64, 3, 2, "valid"))
    with pytest.raises(SizeError):
        draw(node, (384, 35, 35))
    picture = check_layout(draw(node, (384, 35, 35), wrong=True))
    assert [box["kind"] for box in picture.boxes if box["dash"]] == ["bar"]
    red = [
        e
        for e in picture.root.findall(f"{SVG}text")
        if e.get("fill") == "#c00000" and e.get("stroke")
    ]
    assert ["".join(e.itertext()) for e in red] == ["18×18×384"]
    # What follows is drawn with the usual size, so a second mismatch is found as well.
    drawing = draw(Chain(node, Residual(Conv(8, 1))), (384, 35, 35), wrong=True)
    assert len(drawing.errors) == 2 and "8 ≠ 544" in drawing


def test_a_map_that_vanishes_is_drawn_at_its_place():
    node = Chain(Conv(8, 3, 2, "valid"), Conv(8, 3, 2, "valid"), Conv(8, 3))
    drawing = draw(node, (3, 5, 5), wrong=True)
    wrong = [box for box in Picture(drawing).boxes if box["dash"]]
    assert [box["path"] for box in wrong] == ["step 2"] and "2×2 is too small" in wrong[0]["words"]
    with pytest.raises(SizeError, match="75"):
        draw(inception_v4(), 70)
    drawing = draw(inception_v4(), 70, wrong=True, params=True)
    picture = check_layout(drawing)
    assert [box["path"] for box in picture.boxes if box["dash"]] == ["reduction_b"]
    assert "reduction_b" in drawing.errors[0] and "breaks here" in [
        label[4] for label in picture.labels
    ]


def test_a_network_whose_sums_do_not_close():
    drawing = draw(inception_resnet_v2(printed=True), wrong=True)
    assert [box["path"] for box in check_layout(drawing).boxes if box["dash"]] == [
        "inception_resnet_b"
    ]
    assert "1154" in drawing.errors[0]


def test_any_name_may_be_used():
    rude = '<b> & "quotes"'
    node = Chain(Concat(Conv(8, 3), Conv(8, 1), name=rude), name=rude, figure="<i>")
    drawing = draw(node, (3, 9, 9), labels={"step 1/branch 1": rude}, note=rude)
    picture = check_layout(drawing)
    assert f"({rude})" in picture.kinds("conv")[0]["words"] and picture.labels[-1][4] == rude
    net = Network(rude, (Block(rude, node),), image=9)
    assert check_layout(draw(net)).boxes[1]["words"][0] == rude
    assert (
        rude in draw(Chain(Conv(1, 5, padding="valid"), name=rude), (3, 4, 4), wrong=True).errors[0]
    )


def test_what_cannot_be_drawn_is_refused_in_a_sentence():
    for bad in (
        lambda: draw("InceptionA"),
        lambda: draw(InceptionA(), (384, 35)),
        lambda: figure(21),
        lambda: draw(InceptionA(), 299),
    ):
        with pytest.raises(SpecError):
            bad()


# --- In a notebook --------------------------------------------------------------------------------


def test_a_notebook_shows_a_picture_with_its_words():
    import base64

    drawing = figure(4)
    html = drawing._repr_html_()
    image = ET.fromstring(html.replace('">', '"/>'))
    assert image.tag == "img" and "branch 4" in image.get("alt") and "Fig. 4" in image.get("alt")
    kind, data = image.get("src").split(",")
    assert kind == "data:image/svg+xml;base64" and base64.b64decode(data).decode() == str(drawing)
    assert (
        drawing._repr_svg_() == str(drawing)
        and "Inception-A" in repr(drawing)
        and len(repr(drawing)) < 1500
    )


def test_drawing_needs_no_torch():
    import subprocess
    import sys

    code = (
        "import sys, inception_edu.describe.draw\n"
        "sys.exit('torch' in sys.modules or 'matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
