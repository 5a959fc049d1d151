"""Every block and network a second time, written down by hand from the figures: in a notation of
its own, read from the fields of the nodes alone. No torch.

    3 96          a 3×3 convolution with 96 filters, batch norm and ReLU; 1x7: height 1, width 7
    /2  V         stride 2; valid padding
    linear, +     no batch norm and no ReLU; no ReLU alone
    max 3, avg 3  pools, as the figures mean them: padded zeros not counted; "counted": they are
    a > b         one after the other; [a | b] side by side; [a | b] = 384 with the printed sum
    x + s * (f)   a residual block, then ReLU; "(no relu)", "shortcut (g)" where it has them
"""

from dataclasses import replace

import pytest

from inception_edu import describe as d
from inception_edu.describe import Chain, Concat, Conv, Pool, Residual


def written(node) -> str:
    if isinstance(node, Chain):
        return " > ".join(written(part) for part in node.parts)
    if isinstance(node, Concat):
        inside = "[" + " | ".join(written(branch) for branch in node.branches) + "]"
        return inside if node.out is None else f"{inside} = {node.out}"
    if isinstance(node, Residual):
        assert (node.norm, node.learnable, node.identity_scale) == (False, False, 1.0)
        words = f"x + {node.scale:g} * ({written(node.body)})"
        if node.shortcut is not None:
            words += f" shortcut ({written(node.shortcut)})"
        return words if node.relu else words + " (no relu)"
    height, width = node.kernel
    words = str(height) if height == width else f"{height}x{width}"
    stride = f" /{node.stride}" if node.stride != 1 else ""
    window = stride + {"same": "", "valid": " V"}[node.padding]
    if isinstance(node, Pool):
        return f"{node.kind} {words}" + (" counted" if node.count_padding else "") + window
    assert isinstance(node, Conv)
    assert (node.bias, node.centred, node.gain) == (None, False, 1.0)
    groups = f" in {node.groups}" if node.groups != 1 else ""
    end = {(True, True): "", (True, False): " +", (False, False): " linear"}
    return f"{words} {node.out}{groups}{window}{end[node.norm, node.relu]}"


STEM_3 = (
    "3 32 /2 V > 3 32 V > 3 64 > [max 3 /2 V | 3 96 /2 V] = 160 > "
    "[1 64 > 3 96 V | 1 64 > 7x1 64 > 1x7 64 > 3 96 V] = 192 > [3 192 /2 V | max 3 /2 V] = 384"
)
STEM_V3 = "3 32 /2 V > 3 32 V > 3 64 > max 3 /2 V > 1 80 > 3 192 V > max 3 /2 V"
FIG_10 = "x + 1 * ([1 32 | 1 32 > 3 32 | 1 32 > 3 32 > 3 32] > 1 256 linear)"

PAPER = {
    ("ResidualConnection", "Fig. 1", "Residual connection"): "x + 1 * (3 64 > 3 64 +)",
    (
        "ReducedResidualConnection",
        "Fig. 2",
        "Residual connection with 1×1",
    ): "x + 1 * (1 64 > 3 64 > 1 256 +)",
    ("StemV4", "Fig. 3", "Stem"): STEM_3,
    (
        "InceptionA",
        "Fig. 4",
        "Inception-A",
    ): "[avg 3 > 1 96 | 1 96 | 1 64 > 3 96 | 1 64 > 3 96 > 3 96] = 384",
    ("InceptionB", "Fig. 5", "Inception-B"): (
        "[avg 3 > 1 128 | 1 384 | 1 192 > 1x7 224 > 1x7 256 | "
        "1 192 > 1x7 192 > 7x1 224 > 1x7 224 > 7x1 256] = 1024"
    ),
    ("InceptionC", "Fig. 6", "Inception-C"): (
        "[avg 3 > 1 256 | 1 256 | 1 384 > [1x3 256 | 3x1 256] | "
        "1 384 > 1x3 448 > 3x1 512 > [3x1 256 | 1x3 256]] = 1536"
    ),
    (
        "ReductionB",
        "Fig. 8",
        "Reduction-B",
    ): "[max 3 /2 V | 1 192 > 3 192 /2 V | 1 256 > 1x7 256 > 7x1 320 > 3 320 /2 V]",
    ("InceptionResNetA_v1", "Fig. 10", "Inception-ResNet-A"): FIG_10,
    (
        "InceptionResNetB_v1",
        "Fig. 11",
        "Inception-ResNet-B",
    ): "x + 1 * ([1 128 | 1 128 > 1x7 128 > 7x1 128] > 1 896 linear)",
    (
        "ReductionB_v1",
        "Fig. 12",
        "Reduction-B",
    ): "[max 3 /2 V | 1 256 > 3 384 /2 V | 1 256 > 3 256 /2 V | 1 256 > 3 256 > 3 256 /2 V]",
    (
        "InceptionResNetC_v1",
        "Fig. 13",
        "Inception-ResNet-C",
    ): "x + 1 * ([1 192 | 1 192 > 1x3 192 > 3x1 192] > 1 1792 linear)",
    (
        "StemV1",
        "Fig. 14",
        "Stem",
    ): "3 32 /2 V > 3 32 V > 3 64 > max 3 /2 V > 1 80 > 3 192 V > 3 256 /2 V",
    (
        "InceptionResNetA_v2",
        "Fig. 16",
        "Inception-ResNet-A",
    ): "x + 1 * ([1 32 | 1 32 > 3 32 | 1 32 > 3 48 > 3 64] > 1 384 linear)",
    (
        "InceptionResNetB_v2",
        "Fig. 17",
        "Inception-ResNet-B",
    ): "x + 1 * ([1 192 | 1 128 > 1x7 160 > 7x1 192] > 1 1152 linear)",
    (
        "ReductionB_v2",
        "Fig. 18",
        "Reduction-B",
    ): "[max 3 /2 V | 1 256 > 3 384 /2 V | 1 256 > 3 288 /2 V | 1 256 > 3 288 > 3 320 /2 V]",
    (
        "InceptionResNetC_v2",
        "Fig. 19",
        "Inception-ResNet-C",
    ): "x + 1 * ([1 192 | 1 192 > 1x3 224 > 3x1 256] > 1 2144 linear)",
    ("ScaledResidualBlock", "Fig. 20", "Scaled residual block"): FIG_10.replace("1 *", "0.1 *", 1),
    ("StemV3", "Inception-v3", "Stem"): STEM_V3,
    (
        "ReductionA_v3",
        "Inception-v3",
        "Reduction-A",
    ): "[3 384 /2 V | 1 64 > 3 96 > 3 96 /2 V | max 3 /2 V]",
    (
        "ReductionB_v3",
        "Inception-v3",
        "Reduction-B",
    ): "[1 192 > 3 320 /2 V | 1 192 > 1x7 192 > 7x1 192 > 3 192 /2 V | max 3 /2 V]",
    ("InceptionC_v3", "Inception-v3", "Inception-C"): (
        "[1 320 | 1 384 > [1x3 384 | 3x1 384] | 1 448 > 3 384 > [1x3 384 | 3x1 384] | "
        "avg 3 counted > 1 192] = 2048"
    ),
    ("Mixed_5b", "Released Inception-ResNet-v2", "Mixed_5b"): (
        "[1 96 | 1 48 > 5 64 | 1 64 > 3 96 > 3 96 | avg 3 > 1 64] = 320"
    ),
    ("StemResNet", "ResNet", "Stem"): "7 64 /2 > max 3 /2",
}


@pytest.mark.parametrize("name, figure, title", PAPER)
def test_a_block_is_what_its_figure_shows(name, figure, title):
    node = getattr(d, name)()
    assert written(node) == PAPER[name, figure, title]
    assert (node.figure, node.name) == (figure, title)
    assert node.source.split(":")[1] == name


def reduction_a(k, l, m, n):  # noqa: E741
    return f"[max 3 /2 V | 3 {n} /2 V | 1 {k} > 3 {l} > 3 {m} /2 V]"


def inception_b_v3(c):
    return (
        f"[1 192 | 1 {c} > 1x7 {c} > 7x1 192 | "
        f"1 {c} > 7x1 {c} > 1x7 {c} > 7x1 {c} > 1x7 192 | avg 3 counted > 1 192]"
    )


# Arguments that a figure's words allow, and what changes with them.
VARIANTS = [
    (lambda: d.ReductionA(1, 2, 3, 4), reduction_a(1, 2, 3, 4)),
    (lambda: d.StemV4("released"), STEM_3.replace("7x1 64 > 1x7 64", "1x7 64 > 7x1 64")),
    (
        lambda: d.InceptionB("released"),
        "[avg 3 > 1 128 | 1 384 | 1 192 > 1x7 224 > 7x1 256 | "
        "1 192 > 7x1 192 > 1x7 224 > 7x1 224 > 1x7 256] = 1024",
    ),
    (
        lambda: d.InceptionC("released"),
        "[avg 3 > 1 256 | 1 256 | 1 384 > [1x3 256 | 3x1 256] | "
        "1 384 > 3x1 448 > 1x3 512 > [3x1 256 | 1x3 256]] = 1536",
    ),
    (
        lambda: d.InceptionResNetB_v2(0.5, printed=True),
        "x + 0.5 * ([1 192 | 1 128 > 1x7 160 > 7x1 192] > 1 1154 linear)",
    ),
    (
        lambda: d.InceptionResNetC_v2(0.25, relu=False, printed=True),
        "x + 0.25 * ([1 192 | 1 192 > 1x3 224 > 3x1 256] > 1 2048 linear) (no relu)",
    ),
    (
        lambda: d.InceptionA_v3(32),
        "[1 64 | 1 48 > 5 64 | 1 64 > 3 96 > 3 96 | avg 3 counted > 1 32]",
    ),
    (
        lambda: d.InceptionA_v3(64, count_padding=False),
        "[1 64 | 1 48 > 5 64 | 1 64 > 3 96 > 3 96 | avg 3 > 1 64]",
    ),
    (lambda: d.InceptionB_v3(128), inception_b_v3(128)),
    (lambda: d.Bottleneck(64), "x + 1 * (1 64 > 3 64 > 1 256 +)"),
    (
        lambda: d.Bottleneck(128, 2, True),
        "x + 1 * (1 128 > 3 128 /2 > 1 512 +) shortcut (1 512 /2 +)",
    ),
    (
        lambda: d.Bottleneck(8, 2, True, out=20, groups=4, stride_on="1×1"),
        "x + 1 * (1 8 /2 > 3 8 in 4 > 1 20 +) shortcut (1 20 /2 +)",
    ),
    (
        lambda: d.InceptionResNetC_v1(0.3, relu=False),
        "x + 0.3 * ([1 192 | 1 192 > 1x3 192 > 3x1 192] > 1 1792 linear) (no relu)",
    ),
]


@pytest.mark.parametrize("number", range(len(VARIANTS)))
def test_a_variant_is_what_its_words_say(number):
    make_it, expected = VARIANTS[number]
    assert written(make_it()) == expected


# Network: its blocks in order (name, copies, stage, printed output), and its own numbers.
V4 = [
    ("stem", 1, "", (384, 35, 35)),
    ("inception_a", 4, "A", (384, 35, 35)),
    ("reduction_a", 1, "", (1024, 17, 17)),
    ("inception_b", 7, "B", (1024, 17, 17)),
    ("reduction_b", 1, "", (1536, 8, 8)),
    ("inception_c", 3, "C", (1536, 8, 8)),
]
RESNET_V1 = [
    ("stem", 1, "", (256, 35, 35)),
    ("inception_resnet_a", 5, "A", (256, 35, 35)),
    ("reduction_a", 1, "", (896, 17, 17)),
    ("inception_resnet_b", 10, "B", (896, 17, 17)),
    ("reduction_b", 1, "", (1792, 8, 8)),
    ("inception_resnet_c", 5, "C", (1792, 8, 8)),
]


def rows(network):
    return [(b.name, b.repeat, b.stage, b.output) for b in network.blocks]


def own(network):
    names = ("classes", "dropout", "image", "channels", "norm_eps", "heads")
    return tuple(getattr(network, name) for name in names)


def test_the_papers_networks_have_the_blocks_of_figures_9_and_15():
    v4, v1, v2 = d.inception_v4(), d.inception_resnet_v1(), d.inception_resnet_v2()
    assert (v4.name, v1.name, v2.name) == (
        "Inception-v4",
        "Inception-ResNet-v1",
        "Inception-ResNet-v2",
    )
    assert rows(v4) == V4 and rows(v1) == RESNET_V1
    assert rows(v2) == [(*row[:3], None) for row in RESNET_V1]  # its sizes are printed nowhere
    for network in (v4, v1, v2):
        assert own(network) == (1000, 0.2, 299, 3, 1e-3, ())
        assert network.classifier == d.Classifier(1.0, 1.0, "")
        assert network.input == (3, 299, 299)
    assert written(v4["reduction_a"].node) == reduction_a(192, 224, 256, 384)
    assert written(v1["reduction_a"].node) == reduction_a(192, 192, 256, 384)
    assert written(v2["reduction_a"].node) == reduction_a(256, 256, 384, 384)
    for network, fig in ((v1, (10, 11, 13)), (v2, (16, 17, 19))):
        for stage, number in zip("abc", fig):
            node = network[f"inception_resnet_{stage}"].node
            assert node.figure == f"Fig. {number}" and node.scale == 0.1 and node.relu
    for stage, number in zip("abc", (4, 5, 6)):
        assert v4[f"inception_{stage}"].node.figure == f"Fig. {number}"
    assert [n["stem"].node.figure for n in (v4, v1, v2)] == ["Fig. 3", "Fig. 14", "Fig. 3"]
    assert [n["reduction_b"].node.figure for n in (v4, v1, v2)] == ["Fig. 8", "Fig. 12", "Fig. 18"]


def test_the_words_of_a_network_reach_its_blocks():
    assert {b.node.scale for b in d.inception_resnet_v1(0.3).blocks if b.stage} == {0.3}
    assert {b.node.scale for b in d.inception_resnet_v2(0.3).blocks if b.stage} == {0.3}
    printed = d.inception_resnet_v2(printed=True)
    assert printed.name == "Inception-ResNet-v2 (as printed)"
    ends = [printed[f"inception_resnet_{s}"].node.body.parts[1].out for s in "abc"]
    assert ends == [384, 1154, 2048]
    turned = d.inception_v4("released")
    assert turned.name == "Inception-v4 (released)"
    assert turned["stem"].node == d.StemV4("released")
    assert turned["inception_b"].node == d.InceptionB("released")
    assert turned["inception_c"].node == d.InceptionC("released")


def test_the_released_inception_resnet_v2():
    released = d.inception_resnet_v2_released()
    assert released.name == "Inception-ResNet-v2 (released)"
    assert own(released) == (1000, 0.2, 299, 3, 1e-3, ())
    assert rows(released) == [
        ("stem", 1, "", None),
        ("mixed_5b", 1, "", None),
        ("inception_resnet_a", 10, "A", None),
        ("reduction_a", 1, "", None),
        ("inception_resnet_b", 20, "B", None),
        ("reduction_b", 1, "", None),
        ("inception_resnet_c", 9, "C", None),
        ("inception_resnet_c_last", 1, "C", None),
        ("conv_7b", 1, "", None),
    ]
    text = {block.name: written(block.node) for block in released.blocks}
    assert text["stem"] == STEM_V3
    assert text["reduction_a"] == reduction_a(256, 256, 384, 384)
    starts = {name: words[:9] for name, words in text.items() if words.startswith("x + ")}
    assert starts == {
        "inception_resnet_a": "x + 0.17 ",
        "inception_resnet_b": "x + 0.1 *",
        "inception_resnet_c": "x + 0.2 *",
        "inception_resnet_c_last": "x + 1 * (",
    }
    ends = [text[name].split(" > ")[-1] for name in starts]
    assert ends == ["1 320 linear)", "1 1088 linear)", "1 2080 linear)", "1 2080 linear) (no relu)"]
    assert text["conv_7b"] == "1 1536"


def test_inception_v3():
    v3 = d.inception_v3()
    assert (v3.name, own(v3)) == ("Inception-v3", (1000, 0.2, 299, 3, 1e-3, ()))
    assert [row[:3] for row in rows(v3)] == [
        ("stem", 1, ""),
        ("mixed_5b", 1, "A"),
        ("mixed_5c", 2, "A"),
        ("mixed_6a", 1, ""),
        ("mixed_6b", 1, "B"),
        ("mixed_6c", 2, "B"),
        ("mixed_6e", 1, "B"),
        ("mixed_7a", 1, ""),
        ("mixed_7b", 2, "C"),
    ]
    assert written(v3["mixed_5b"].node).endswith("avg 3 counted > 1 32]")
    assert written(v3["mixed_5c"].node).endswith("avg 3 counted > 1 64]")
    assert written(v3["mixed_6b"].node) == inception_b_v3(128)
    assert written(v3["mixed_6c"].node) == inception_b_v3(160)
    assert written(v3["mixed_6e"].node) == inception_b_v3(192)
    as_tensorflow = d.inception_v3(count_padding=False)
    assert not any("counted" in written(block.node) for block in as_tensorflow.blocks)


# He et al. 2015, Table 1.
@pytest.mark.parametrize(
    "depth, stages", [(50, (3, 4, 6, 3)), (101, (3, 4, 23, 3)), (152, (3, 8, 36, 3))]
)
def test_resnet(depth, stages):
    network = d.resnet(depth)
    assert network.name == f"ResNet-{depth}"
    assert own(network) == (1000, 0.0, 224, 3, 1e-5, ())
    expected = [("stem", 1, "")]
    for i, count in zip((2, 3, 4, 5), stages):
        expected += [(f"conv{i}_1", 1, ""), (f"conv{i}", count - 1, str(i))]
    assert [row[:3] for row in rows(network)] == expected
    for i, inner, stride in ((2, 64, ""), (3, 128, " /2"), (4, 256, " /2"), (5, 512, " /2")):
        out = 4 * inner
        assert written(network[f"conv{i}"].node) == f"x + 1 * (1 {inner} > 3 {inner} > 1 {out} +)"
        assert written(network[f"conv{i}_1"].node) == (
            f"x + 1 * (1 {inner} > 3 {inner}{stride} > 1 {out} +) shortcut (1 {out}{stride} +)"
        )


def test_resnet_as_he_et_al_have_it_and_other_depths():
    first = d.resnet(50, "1×1")["conv3_1"].node
    assert written(first) == "x + 1 * (1 128 /2 > 3 128 > 1 512 +) shortcut (1 512 /2 +)"
    assert d.resnet().name == "ResNet-152"
    with pytest.raises(d.SpecError, match="50, 101 or 152 layers, not 34"):
        d.resnet(34)
    with pytest.raises(d.SpecError, match="got '5×5'"):
        d.Bottleneck(64, stride_on="5×5")
    with pytest.raises(d.SpecError, match="got 'printed'"):
        d.InceptionB("printed")


def test_plain_words_make_a_network():
    from inception_edu.describe.networks import make

    assert make("inception_v4", classes=7) == replace(d.inception_v4(), classes=7)
    assert make("mini", network="inception_v3", width=0.25) == d.mini(d.inception_v3(), width=0.25)
    assert make("tower", width=64, depth=3) == d.tower(64, 3)
