"""The comparison of networks against what was read, by hand, in the paper and in the ports' source
code."""

import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inception_edu import describe as f
from inception_edu.describe import (
    NETWORKS,
    PORTS,
    Chain,
    Concat,
    Conv,
    Pool,
    Residual,
    SpecError,
    Table,
    compare,
    differences,
    facenet,
    inception_resnet_v1,
    inception_resnet_v2,
    inception_resnet_v2_released,
    inception_v3,
    inception_v4,
    leaves,
    measure,
    network,
    portrait,
    resnet,
    tower,
    trunk,
)
from inception_edu.describe.table import NOTHING
from inception_edu.labs.comparison import KEYS, make
from inception_edu.labs.core import Press, Session

TABLE = compare(
    inception_resnet_v2(),
    inception_resnet_v2(printed=True),
    inception_resnet_v2_released(),
    facenet(),
)

# Written down from the paper's figures, from slim's inception_resnet_v2.py and from facenet's
# inception_resnet_v1.py.
BY_HAND = {
    "image": ("299×299", "299×299", "299×299", "160×160"),
    "blocks in stages A / B / C": ("5 / 10 / 5", "5 / 10 / 5", "10 / 20 / 10", "5 / 10 / 6"),
    "trunk width": (
        "384 / 1152 / 2144",
        "384 / 1152 / 2144",
        "320 / 1088 / 2080",
        "256 / 896 / 1792",
    ),
    "branches joined": ("128 / 384 / 448", "128 / 384 / 448", "128 / 384 / 448", "96 / 256 / 384"),
    "linear 1×1": (
        "384 / 1152 / 2144",
        "384 / 1154 / 2048",
        "320 / 1088 / 2080",
        "256 / 896 / 1792",
    ),
    "scale": (
        "0.1 / 0.1 / 0.1",
        "0.1 / 0.1 / 0.1",
        "0.17 / 0.1 / 0.2, last 1",
        "0.17 / 0.1 / 0.2, last 1",
    ),
    "ReLU after the last sum": ("yes", "yes", "no", "no"),
    "classifier": ("2144 → 1000", "2144 → 1000", "1536 → 1000", "512 → 8631"),
    "dropout keeps": ("0.8", "0.8", "0.8", "0.4"),
    "average pools in blocks": ("none", "none", "1, padded zeros not counted", "none"),
    "multiply-adds, relative": ("1.00", NOTHING, "1.42", "0.15"),
}


@pytest.mark.parametrize("aspect", BY_HAND)
def test_the_four_networks_differ_as_read(aspect):
    assert TABLE[aspect] == BY_HAND[aspect]


def test_the_heads_and_stems_are_named():
    assert TABLE["before stage A"][0] == "Stem (Fig. 3) → 35×35×384"
    assert "Mixed_5b" in TABLE["before stage A"][2] and "35×35×320" in TABLE["before stage A"][2]
    assert TABLE["before stage A"][3] == "Stem (Fig. 14) → 17×17×256"
    assert TABLE["after the last stage"] == ("nothing", "nothing", "1×1 Conv 1536", "Embedding")


def test_the_printed_network_says_why_it_does_not_close():
    assert TABLE["sums close"][0] == "yes"
    assert (
        "1154" in TABLE["sums close"][1]
        and "1152" in TABLE["sums close"][1]
        and "Fig. 17" in TABLE["sums close"][1]
    )
    assert TABLE["parameters"][1] == NOTHING


def test_cost_claim_of_section_3_2():
    """ "matches the raw cost of the newly introduced Inception-v4": 0.76 for the paper's blocks,
    1.07 as released."""
    v4 = measure(inception_v4()).macs
    assert measure(inception_resnet_v2()).macs / v4 == pytest.approx(0.756, abs=0.001)
    assert measure(inception_resnet_v2_released()).macs / v4 == pytest.approx(1.0745, abs=0.001)


def test_facenet_has_the_known_number_of_parameters():
    """facenet-pytorch's InceptionResnetV1: 23,482,624 without the classifier, 27,910,327 with 8631
    identities."""
    assert measure(facenet()).params == 27_910_327
    assert measure(facenet()).params - (512 + 1) * 8631 == 23_482_624
    assert [
        row.output
        for row in measure(facenet()).rows
        if row.name in ("stem", "reduction_a", "reduction_b")
    ] == [(256, 17, 17), (896, 8, 8), (1792, 3, 3)]
    assert measure(facenet()).output == (512, 1, 1)


def test_facenet_is_inception_resnet_v1_but_for_the_end():
    places = {d.where.split("/")[0] for d in differences(inception_resnet_v1(scale=0.1), facenet())}
    assert places == {
        "input",
        "inception_resnet_a",
        "inception_resnet_c",
        "inception_resnet_c_last",
        "embedding",
        "head",
    }


def test_a_changed_description_changes_the_table():
    v2 = inception_resnet_v2()
    longer = replace(
        v2, blocks=tuple(replace(b, repeat=7) if b.stage == "B" else b for b in v2.blocks)
    )
    scaled = inception_resnet_v2(scale=0.25)
    assert portrait(longer)["blocks in stages A / B / C"] == "5 / 7 / 5"
    assert portrait(scaled)["scale"] == "0.25 / 0.25 / 0.25"
    changed = {row for row, _ in compare(v2, replace(v2, norm_eps=1e-5)).differing().rows}
    assert changed == {"batch norm"}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_has_a_portrait_and_equals_itself(name):
    described = network(name)
    assert portrait(described)["parameters"] == f"{measure(described).params:,}"
    assert differences(described, described) == []
    assert compare(described, described).differing().rows == ()


def test_orientation_is_nine_kernels():
    """Section 2.2 of the released code's differences: stem 2, B 1 + 4, C 2 kernels turned, nothing
    else."""
    found = differences(inception_v4("paper"), inception_v4("released"))
    assert [d.where for d in found] == [
        "stem/step 5/branch 2/step 2",
        "stem/step 5/branch 2/step 3",
        "inception_b/branch 3/step 3",
        *(f"inception_b/branch 4/step {i}" for i in (2, 3, 4, 5)),
        "inception_c/branch 4/step 2",
        "inception_c/branch 4/step 3",
    ]
    assert all(
        d.what == "kernel" and d.left == "×".join(reversed(d.right.split("×"))) for d in found
    )


def test_paper_against_released():
    found = {
        (d.where, d.what): (d.left, d.right)
        for d in differences(inception_resnet_v2(), inception_resnet_v2_released())
    }
    assert found[("inception_resnet_a", "repeats")] == ("5", "10")
    assert found[("inception_resnet_c", "repeats")] == ("5", "9")
    assert found[("inception_resnet_c", "scale")] == ("0.1", "0.2")
    assert found[("inception_resnet_b/residual branch/step 2", "filters")] == ("1152", "1088")
    assert found[("conv_7b", "block")] == (NOTHING, "1×1 Conv 1536")
    assert not any(where.startswith("reduction") for where, _ in found)


LEAVES = st.builds(
    Conv,
    st.integers(1, 64),
    st.sampled_from([1, 3, (1, 7), (7, 1)]),
    st.integers(1, 2),
    st.sampled_from(["same", "valid"]),
)
NODES = st.recursive(
    LEAVES | st.builds(Pool, st.sampled_from(["max", "avg"]), st.just(3)),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Chain(*parts)),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Concat(*parts)),
        inner.map(Residual),
    ),
    max_leaves=8,
)


def _change(node, at, count=0):
    """The node with its leaf number `at` given 1000 more filters or another kernel; and how many
    leaves were seen."""
    if isinstance(node, Conv):
        return (replace(node, out=node.out + 1000) if count == at else node), count + 1
    if isinstance(node, Pool):
        return (replace(node, kernel=5) if count == at else node), count + 1
    if isinstance(node, Residual):
        body, count = _change(node.body, at, count)
        return replace(node, body=body), count
    parts = []
    for part in node.parts if isinstance(node, Chain) else node.branches:
        part, count = _change(part, at, count)
        parts.append(part)
    return type(node)(*parts), count


@given(NODES, st.data())
def test_one_changed_leaf_is_one_difference(node, data):
    at = data.draw(st.integers(0, len(list(leaves(node))) - 1))
    changed, _ = _change(node, at)
    found = differences(node, changed)
    assert len(found) == 1 and found[0].what in ("filters", "kernel")
    assert differences(node, node) == []


def test_missing_and_other_parts_are_named():
    chain = Chain(Conv(8, 1), Conv(8, 3))
    assert [str(d) for d in differences(chain, Chain(Conv(8, 1)))] == [
        "step 2: part 3×3 Conv 8 against —"
    ]
    assert [str(d) for d in differences(Chain(Conv(8, 1)), chain)] == [
        "step 2: part — against 3×3 Conv 8"
    ]
    found = differences(Concat(chain), Concat(Conv(8, 3)))
    assert [str(d) for d in found] == ["branch 1: node 1×1 Conv 8 → 3×3 Conv 8 against 3×3 Conv 8"]
    assert [
        d.what for d in differences(Residual(chain), Residual(chain, scale=0.1, relu=False))
    ] == ["scale", "ReLU"]
    same = differences(f.InceptionA(), Concat(*f.InceptionA().branches))
    assert same == [], "names, figures and printed sums are no difference"


def test_the_trunk_is_the_one_that_measure_walks():
    for name in ("inception_v4", "inception_resnet_v1", "resnet50"):
        described = network(name)
        assert list(trunk(described))[-1][2] == measure(described).output


def test_errors_are_sentences():
    with pytest.raises(SpecError, match="stages"):
        compare(inception_v4(), resnet(50))
    with pytest.raises(SpecError, match="no stages"):
        portrait(tower(depth=0))
    with pytest.raises(SpecError, match="two networks or two blocks"):
        differences(inception_v4(), f.StemV4())
    with pytest.raises(SpecError, match="at least one"):
        compare()
    with pytest.raises(KeyError, match="There is no row"):
        TABLE["colour"]


def test_tables_print_and_mark_what_differs():
    table = Table(("a", "b"), (("same", ("1", "1")), ("sign", ("x < y", "x > y"))))
    html = table._repr_html_()
    assert html.count("≠") == 1 and "x &lt; y" in html and "<b>≠ x &gt; y</b>" in html
    assert table.differing().rows == (("sign", ("x < y", "x > y")),)
    assert (
        "≠" not in replace(table, marked=False)._repr_html_()
        and "≠" not in PORTS.differing()._repr_html_()
    )
    assert str(table).splitlines() == ["      a      b", "same  1      1", "sign  x < y  x > y"]


def test_the_ports_table_holds_for_timm():
    timm = pytest.importorskip("timm")
    from torch import nn

    model = timm.create_model("inception_resnet_v2")
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    pools = [m for m in model.modules() if isinstance(m, nn.AvgPool2d)]

    def one(values):
        values = set(values)
        assert len(values) == 1
        return values.pop()

    facts = {
        "auxiliary classifier": "yes"
        if any("aux" in name.lower() for name, _ in model.named_modules())
        else "no",
        "batch norm learns a scale γ": "yes" if one(m.affine for m in norms) else "no",
        "running mean keeps a step": f"{1 - one(m.momentum for m in norms):g}",
        "batch norm's ε": f"{one(m.eps for m in norms):g}",
        "dropout keeps": f"{1 - one(m.p for m in model.modules() if isinstance(m, nn.Dropout)):g}",
        "padded zeros in averages": "counted"
        if one(m.count_include_pad for m in pools)
        else "not counted",
        "classes in the checkpoint": str(model.num_classes),
    }
    column = PORTS.names.index("timm")
    assert facts == {aspect: cells[column] for aspect, cells in PORTS.rows}


def test_the_averages_of_inception_v3_count_zeros_in_torch_only():
    assert portrait(inception_v3())["average pools in blocks"] == "9, padded zeros counted"
    assert (
        portrait(inception_v3(count_padding=False))["average pools in blocks"]
        == "9, padded zeros not counted"
    )


def test_no_torch_is_needed():
    code = "import sys, inception_edu.describe.portraits; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# --- The lab --------------------------------------------------------------------------------------


def test_lab_shows_what_the_controls_say():
    session = Session(make("inception_v4", "inception_v4_released"))
    assert "1 properties" not in session.view.status and "9 places" in session.view.status
    assert [row for row, _ in session.state.table.rows] == ["kernels n×1 and 1×n"]
    session.set("show", "steps")
    html = session.view.part("result").value
    assert len(session.state.table.rows) == 9 and "inception_c/branch 4/step 2: kernel" in html
    session.set("right", "facenet")
    html = session.view.part("result").value
    assert "facenet" in session.view.status and "embedding: block" in html
    session.set("show", "all")
    assert len(session.state.table.rows) == len(compare(inception_v4()).rows)
    session.send(Press("swap"))
    assert (session.state.left, session.state.right) == ("facenet", "inception_v4")
    session.send(Press("reset"))
    state = session.state
    assert (state.left, state.right) == ("inception_v4", "inception_v4_released")
    assert state.show == "differing"
    assert session.view.part("result").value == state.table._repr_html_()


def test_lab_compares_every_pair():
    session = Session(make(KEYS[0], KEYS[0]))
    assert "the same description" in session.view.status and session.state.table.rows == ()
    for left in KEYS:
        for right in KEYS:
            session.set("left", left)
            session.set("right", right)
            assert (left == right) == (session.state.table.rows == ()), (left, right)
    with pytest.raises(SpecError, match="facenet"):
        make("vgg", "inception_v4")
