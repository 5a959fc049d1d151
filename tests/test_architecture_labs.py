"""The labs without training, driven as a reader's clicks drive them: diagram, shape explorer, block
designer."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from inception_edu.describe import (
    NETWORKS,
    Chain,
    Concat,
    Conv,
    Linear,
    MaxPool,
    Residual,
    SpecError,
    at,
    inception_resnet_v2,
    inception_v4,
    leaf_paths,
    measure,
    network,
    out_shape,
    put,
    size_words,
    smallest_image,
    source_of,
    trace,
    with_padding,
)
from inception_edu.labs import designer, diagram
from inception_edu.labs.designer import (
    BLOCKS,
    BlockDesigner,
    forward_pass,
)
from inception_edu.labs.diagram import NetworkDiagram
from inception_edu.labs.shapes import KEYS, ShapeExplorer, side_chain, smallest

ROOT = Path(__file__).resolve().parents[1]


def text(widget) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", widget.value).split())


@pytest.fixture
def still(monkeypatch):
    """As where anywidget is missing."""
    monkeypatch.setitem(sys.modules, "anywidget", None)
    diagram._picker_class.cache_clear()
    yield
    diagram._picker_class.cache_clear()


# --- Clickable diagram ----------------------------------------------------------------------------


def test_every_way_of_selecting_a_block_does_the_same():
    calls = []
    lab = NetworkDiagram("inception_v4", on_select=calls.append)
    assert lab.selected == "stem"
    lab.picture.selected = "inception_a"  # a click
    assert (lab.selected, lab.block.value) == ("inception_a.1", "inception_a")
    lab.copy.value = 3
    lab.block.value = "reduction_b"  # the dropdown
    assert lab.picture.selected == "reduction_b"
    lab.selected = "inception_b.7"  # code
    assert (lab.picture.selected, lab.copy.value) == ("inception_b", 7)
    assert calls == ["inception_a.1", "inception_a.3", "reduction_b", "inception_b.7"]
    for wrong in ("inception_d", "inception_b.8", "stem.2", "inception_b.x"):
        with pytest.raises(ValueError, match="inception_a"):
            lab.selected = wrong
    assert lab.selected == "inception_b.7"


def test_selected_names_are_those_of_the_built_model():
    import torch

    from inception_edu.describe import mini
    from inception_edu.nets.build import build, named_blocks

    net = mini(inception_resnet_v2())
    lab = NetworkDiagram(net)
    with torch.no_grad():
        names = [name for name, _ in named_blocks(build(net))]
    seen = []
    for name in names:
        lab.selected = name
        seen.append(lab.selected)
    assert seen == names


def test_details_agree_with_measure():
    lab = NetworkDiagram("inception_v4")
    for row in measure(inception_v4()).rows[:-1]:
        lab.selected = row.name
        words = text(lab.details)
        assert f"{size_words(row.input)} → {size_words(row.output)}" in words
        assert f"{row.params:,}" in words and f"{row.macs:,}" in words
        assert "×".join(map(str, row.receptive_field)) in words
        assert row.name in words and "<svg" in lab.details.value


def test_every_block_shows_the_code_that_makes_it():
    from inception_edu import describe

    for name in NETWORKS:
        for block in network(name).blocks:
            if isinstance(block.node, Conv):
                assert source_of(block.node) == ""
                continue
            source = source_of(block.node)
            function = getattr(describe, re.match(r"def (\w+)\(", source).group(1))
            assert callable(function)
            assert f'name="{block.node.name}"' in source and block.node.figure in source
    lab = NetworkDiagram("inception_resnet_v2_released")
    lab.selected = "conv_7b"
    assert "Conv(1536, 1)" in text(lab.details)
    lab.selected = "mixed_5b"
    assert "def Mixed_5b()" in text(lab.details)


def test_an_image_that_is_too_small_is_shown_where_it_breaks():
    lab = NetworkDiagram("inception_v4", image=70)
    lab.selected = "reduction_b"
    assert "too small" in text(lab.details) and 'role="alert"' in lab.details.value
    lab.selected = "inception_c.3"
    assert "earlier block breaks" in text(lab.details)
    assert "breaks here" in lab.picture.svg


def test_without_anywidget_the_dropdown_does_it_alone(still):
    lab = NetworkDiagram("inception_v4")
    assert type(lab.picture).__name__ == "_Still" and "<svg" in lab.picture.value
    before = lab.picture.value
    lab.block.value = "reduction_a"
    assert lab.selected == "reduction_a" and lab.picture.value != before
    assert re.search(r'data-path="reduction_a" style="filter', lab.picture.value)


def test_the_picture_asks_for_nothing_from_the_network():
    assert not re.search(r"https?:|import\(|import .* from|fetch\(", diagram._ESM + diagram._CSS)


# --- Shape explorer -------------------------------------------------------------------------------


def test_the_chain_of_shapes_of_the_paper():
    lab = ShapeExplorer()
    assert side_chain(inception_v4(), 299) == [299, 149, 147, 73, 71, 35, 17, 8]
    assert "299 → 149 → 147 → 73 → 71 → 35 → 17 → 8" in text(lab.sentence)
    facts = text(lab.facts)
    whole = measure(inception_v4())
    assert f"{whole.params:,}" in facts and f"{whole.macs:,}" in facts and "75×75" in facts
    assert "1.00 times" in facts


@pytest.mark.parametrize("side", [74, 75])
def test_the_smallest_image_is_where_it_starts_to_fit(side):
    lab = ShapeExplorer("inception_v4", side)
    said = text(lab.sentence)
    assert ("cannot take" in said) == (side < 75)
    if side < 75:
        assert "reduction_b" in said and "smallest image it can take is 75×75" in said
        assert (
            "breaks here" in lab.overview.value
            and "reduction_b, the block that breaks" in lab.details.value
        )
        assert text(lab.facts) == "" and 'role="alert"' in lab.sentence.value


def test_every_network_and_padding_says_what_measure_says():
    lab = ShapeExplorer()
    for key in KEYS:
        lab.network.value = key
        assert lab.image.value == lab.net.image  # each network starts with its own size
        for padding in ("same", "valid", "printed"):
            lab.padding.value = padding
            error = lab.trace.error
            assert error == trace(lab.net, lab.image.value).error
            if error:
                with pytest.raises(SpecError):
                    out_shape(
                        Chain(*(b.node for b in lab.net.blocks for _ in range(b.repeat))),
                        lab.net.input,
                    )
                assert "cannot take" in text(lab.sentence)
            else:
                whole = measure(lab.net, lab.image.value)
                assert [
                    (r.name, r.output, r.params, r.macs, r.receptive_field) for r in lab.trace.rows
                ] == [
                    (r.name, r.output, r.params, r.macs, r.receptive_field) for r in whole.rows[:-1]
                ]
                assert f"{whole.params:,}" in text(lab.facts)
    assert lab.padding.value == "printed" and not lab.trace.error


def test_v_everywhere_breaks_the_first_concatenation_of_two_kernels():
    lab = ShapeExplorer(padding="valid")
    assert (
        "stem" in text(lab.sentence)
        and "70×70" in text(lab.sentence)
        and "no image fits" in text(lab.sentence)
    )
    assert smallest(inception_v4().map(lambda n: with_padding(n, "valid"))) is None
    assert smallest(inception_v4()) == smallest_image(inception_v4()) == 75


def test_same_everywhere_halves_rounding_up():
    lab = ShapeExplorer(padding="same")
    assert "299 → 150 → 75 → 38 → 19 → 10" in text(lab.sentence)


def test_reset_puts_every_setting_back():
    lab = ShapeExplorer("inception_v3", 200)
    first = lab.sentence.value, lab.overview.value, lab.details.value
    lab.network.value, lab.image.value, lab.padding.value = "resnet50", 64, "valid"
    assert (lab.sentence.value, lab.overview.value, lab.details.value) != first
    lab.reset_button.click()
    assert (lab.network.value, lab.image.value, lab.padding.value) == (
        "inception_v3",
        200,
        "printed",
    )
    assert (lab.sentence.value, lab.overview.value, lab.details.value) == first


def test_the_block_in_detail_follows_the_dropdown():
    lab = ShapeExplorer()
    lab.image.value = 70
    assert lab.block.disabled  # the block that breaks is shown instead
    lab.image.value = 299
    lab.block.value = "inception_b"
    assert not lab.block.disabled and "inception_b in Inception-v4" in lab.details.value
    assert "17×17×1024" in lab.details.value


# --- Block designer -------------------------------------------------------------------------------


def press(lab, label):
    lab.buttons[label].click()


def test_a_change_reaches_diagram_numbers_code_and_forward_pass():
    lab = BlockDesigner("InceptionA")
    lab.step.value = ("branch 3", "step 2")
    assert (lab.kind.value, lab.filters.value, lab.kernel.value) == ("conv", 96, (3, 3))
    lab.kernel.value = (5, 5)
    assert at(lab.node, ("branch 3", "step 2")) == Conv(96, 5)
    assert "5×5 Conv" in lab.picture.svg and "(changed)" in lab.picture.svg
    more = 64 * 96 * 16  # 25 weights instead of 9
    assert f"+{more:,}" in text(lab.numbers) and f"+{more * 35 * 35:,}" in text(lab.numbers)
    assert "1×384×35×35 came out" in text(lab.forward)
    assert "became 5×5 Conv (96)" in text(lab.sentence)
    scope = {}
    exec(lab.code, scope)
    assert scope["block"] == lab.node


def test_every_field_changes_its_own():
    lab = BlockDesigner("InceptionA")
    lab.select(("branch 4", "step 3"))
    for field, value, expected in (
        ("filters", 40, Conv(40, 3)),
        ("stride", 2, Conv(40, 3, 2)),
        ("padding", "valid", Conv(40, 3, 2, "valid")),
        ("relu", False, Conv(40, 3, 2, "valid", relu=False)),
        ("norm", False, Conv(40, 3, 2, "valid", norm=False, relu=False)),
        ("kernel", (1, 7), Conv(40, (1, 7), 2, "valid", norm=False, relu=False)),
        ("kind", "max", MaxPool((1, 7), 2, "valid")),
        ("kind", "conv", Conv(64, (1, 7), 2, "valid")),
    ):
        getattr(lab, field).value = value
        assert at(lab.node, lab.selected) == expected, field
    assert len(lab._states) == 9


def test_steps_and_branches_come_and_go():
    lab = BlockDesigner("InceptionA")
    start = lab.node
    lab.select(("branch 2",))
    press(lab, "Add step")
    assert lab.node.branches[1] == Chain(Conv(96, 1), Conv(96, 3)) and lab.selected == (
        "branch 2",
        "step 2",
    )
    press(lab, "Remove step")
    assert lab.node.branches[1] == Chain(Conv(96, 1))
    press(lab, "Remove step")
    assert lab.node.branches[1] == Chain()  # a branch that hands its input on
    assert out_shape(lab.node, lab.shape)[0] == 384 - 96 + 384
    assert "came out" in text(lab.forward)
    press(lab, "Undo"), press(lab, "Undo"), press(lab, "Undo")
    assert lab.node == start
    lab.select(("branch 4", "step 2"))
    press(lab, "Add branch")
    assert len(lab.node.branches) == 5 and lab.node.branches[3] == lab.node.branches[4]
    assert lab.selected == ("branch 5", "step 1")
    press(lab, "Widen × 2")
    assert lab.node.branches[4] == Chain(Conv(128, 1), Conv(192, 3), Conv(192, 3))
    assert lab.node.branches[3] == start.branches[3]
    press(lab, "Narrow ÷ 2")
    assert lab.node.branches[4] == lab.node.branches[3]
    press(lab, "Remove branch")
    assert lab.node == start


def test_undo_redo_and_reset():
    lab = BlockDesigner("ReductionB")
    states = [lab.node]
    lab.select(("branch 3", "step 2"))
    for kernel in ((1, 3), (1, 1), (3, 3)):
        lab.kernel.value = kernel
        states.append(lab.node)
    assert lab.buttons["Redo"].disabled and not lab.buttons["Undo"].disabled
    for state in states[-2::-1]:
        press(lab, "Undo")
        assert lab.node == state
    assert lab.buttons["Undo"].disabled
    press(lab, "Undo")
    assert lab.node == states[0]
    press(lab, "Redo"), press(lab, "Redo")
    assert lab.node == states[2] and lab.kernel.value == (1, 1)
    lab.kernel.value = (7, 7)  # a new change ends what could be made again
    press(lab, "Redo")
    assert at(lab.node, lab.selected).kernel == (7, 7) and lab.buttons["Redo"].disabled
    press(lab, "Reset")
    assert (
        lab.node == states[0]
        and lab.buttons["Undo"].disabled
        and "(changed)" not in lab.picture.svg
    )


def test_a_mismatch_is_a_sentence_and_red_in_the_diagram():
    lab = BlockDesigner("InceptionA")
    lab.select(("branch 2",))
    lab.stride.value = 2
    assert (
        "branch 1 gives 35×35 and branch 2 gives 18×18" in text(lab.sentence)
        and "alert" in lab.sentence.value
    )
    assert "35×35 ≠ 18×18" in lab.picture.svg and "#c00000" in lab.picture.svg
    assert "not possible" in text(lab.forward) and "—" in text(lab.numbers)
    press(lab, "Undo")
    assert "#c00000" not in lab.picture.svg and "came out" in text(lab.forward)
    lab = BlockDesigner("InceptionResNetB_v2")
    lab.select(("residual branch", "step 2"))
    lab.filters.value = 1154  # as the paper prints it
    assert "1154 ≠ 1152" in lab.picture.svg and "1154" in text(lab.sentence)


def test_what_cannot_be_is_refused_and_changes_nothing():
    lab = BlockDesigner("InceptionResNetA_v1")
    before = lab.node
    lab.change(kernel=(2, 2))
    assert "odd kernels" in text(lab.sentence) and lab.node == before
    lab.select(("residual branch", "step 2"))
    for label in ("Add branch", "Remove branch", "Widen × 2"):
        press(lab, label)
        assert "lies in no branch" in text(lab.sentence) and lab.node == before
    alone = BlockDesigner(Concat(Conv(8, 3)), (3, 16, 16))
    press(alone, "Remove branch")
    assert "last branch" in text(alone.sentence)
    press(alone, "Remove step")
    assert "last step" in text(alone.sentence) and alone.node == Concat(Conv(8, 3))
    with pytest.raises(SpecError):
        lab.select(("branch 9",))
    with pytest.raises(SpecError, match="InceptionA"):
        BlockDesigner("InceptionZ")
    with pytest.raises(SpecError, match="shape"):
        BlockDesigner(Conv(8, 3))


def test_the_scale_of_a_residual_block():
    lab = BlockDesigner("InceptionResNetA_v1")
    assert lab.scale.layout.display == ""
    lab.scale.value = 0.2
    assert lab.node.scale == 0.2 and "× 0.2" in lab.picture.svg
    press(lab, "Undo")
    assert lab.scale.value == 1.0
    lab.block.value = "InceptionA"
    assert lab.scale.layout.display == "none"


@pytest.mark.parametrize("name", BLOCKS)
def test_every_block_opens_and_each_step_can_be_chosen(name, monkeypatch):
    monkeypatch.setattr(
        designer,
        "forward_pass",
        lambda node, shape: {
            "input": shape,
            "output": out_shape(node, shape),
            "milliseconds": 1.0,
            "spread": 1.0,
            "zeros": 0.5,
        },
    )
    lab = BlockDesigner(name)
    assert (
        lab.block.value == name
        and measure(lab.node, lab.shape).params == measure(lab.original, lab.shape).params
    )
    for path in leaf_paths(lab.node):
        lab.step.value = path
        old = at(lab.node, path)
        assert lab.picture.selected == "/".join(path) and lab.selected == path
        assert (
            lab.kernel.value == old.kernel
            and lab.stride.value == old.stride
            and lab.padding.value == old.padding
        )
        assert f'data-path="{"/".join(path)}"' in lab.picture.svg
    assert len(lab._states) == 1  # choosing changes nothing


@pytest.mark.parametrize(
    "name", ["InceptionC", "ReductionB_v2", "InceptionResNetC_v1", "StemV4", "Bottleneck"]
)
def test_the_forward_pass_gives_the_predicted_shape(name):
    node, shape = BLOCKS[name]
    done = forward_pass(node, shape)
    assert (
        done["output"] == out_shape(node, done["input"])
        and measure(node, done["input"]).macs <= designer.MOST_MACS
    )
    assert done["milliseconds"] > 0 and 0.05 < done["spread"] < 20 and 0 <= done["zeros"] < 0.9


def test_the_forward_pass_is_the_described_network():
    # A 1×1 linear map of ones has the standard deviation that its weights give it.
    done = forward_pass(Linear(4000), (300, 4, 4))
    assert done["spread"] == pytest.approx((1 / 3) ** 0.5, rel=0.05) and done["zeros"] == 0
    residual = forward_pass(Residual(Chain(Conv(8, 3), Linear(64)), scale=0.0), (64, 8, 8))
    assert residual["spread"] == pytest.approx(
        (1 / 12) ** 0.5, rel=0.05
    )  # relu(x): a uniform image comes out again


def test_paths_replace_what_they_name():
    node = BLOCKS["InceptionC"][0]
    path = ("branch 4", "step 4", "branch 2")
    assert at(node, path) == Conv(256, (1, 3))
    changed = put(node, path, Conv(7, 1))
    assert at(changed, path) == Conv(7, 1) and put(changed, path, at(node, path)) == node
    gone = put(node, path)
    assert len(at(gone, path[:-1]).branches) == 1
    project = BLOCKS["Bottleneck"][0]
    assert put(project, ("residual branch", "step 1"), Conv(9, 1), Conv(9, 1)).body.parts[:2] == (
        Conv(9, 1),
        Conv(9, 1),
    )


def test_a_click_in_the_diagram_chooses_the_step():
    lab = BlockDesigner("InceptionA")
    lab.picture.selected = "branch 3/step 2"
    assert lab.selected == ("branch 3", "step 2") and lab.step.value == ("branch 3", "step 2")
    lab.kernel.value = (7, 7)
    assert lab.picture.selected == "branch 3/step 2"


def test_the_designer_works_without_anywidget(still):
    lab = BlockDesigner("InceptionA")
    lab.step.value = ("branch 2",)
    lab.filters.value = 32
    assert "(32)" in lab.picture.value and 'data-path="branch 2" style="filter' in lab.picture.value


# --- Showing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda: NetworkDiagram("inception_v4"),
        lambda: ShapeExplorer(),
        lambda: BlockDesigner("InceptionA"),
    ],
)
def test_a_lab_is_one_bundle_with_picture_and_words(make):
    lab = make()
    bundle = lab.bundle()
    assert bundle[diagram.WIDGET_VIEW]["model_id"] == lab.widget.model_id
    images = re.findall(
        r'<img class="ied-drawing" alt="[^"]{80,}"[^>]* src="data:image/svg\+xml;base64',
        bundle["text/html"],
    )
    assert len(images) == len(lab.pictures())
    assert (
        lab.title in bundle["text/plain"]
        and "\n" not in bundle["text/plain"]
        and len(bundle["text/plain"]) < 400
    )
    classes = {c for w in everything(lab.widget) for c in getattr(w, "_dom_classes", ())}
    assert {"ied-lab", f"ied-{lab.name}"} <= classes and any(
        c.startswith("ied-control-") for c in classes
    )
    assert not any(type(w).__name__ == "Tab" for w in everything(lab.widget))


def everything(widget):
    return [widget] + [w for child in getattr(widget, "children", ()) for w in everything(child)]


def test_the_shape_explorer_and_diagram_need_no_torch():
    code = (
        "import sys; from inception_edu.labs.shapes import shape_explorer; from "
        "inception_edu.labs.diagram import "
        "network_diagram; shape_explorer(); network_diagram(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_a_slider_move_is_redrawn_quickly():
    """The aim is 100 ms; this limit holds on a loaded machine as well."""
    lab = ShapeExplorer("inception_resnet_v2")
    best = float("inf")
    for side in range(200, 230, 3):
        start = time.perf_counter()
        lab.image.value = side
        best = min(best, time.perf_counter() - start)
    assert best < 0.5


def test_as_on_colab(notebook_on_colab):
    notebook = notebook_on_colab(
        [
            "from inception_edu.labs.diagram import network_diagram\ng = "
            "network_diagram('inception_v4')",
            "from inception_edu.labs.shapes import shape_explorer\ns = shape_explorer()\ns",
            "from inception_edu.labs.designer import block_designer\nd = block_designer()",
            "import ipywidgets\ng.selected = 'inception_a.2'; s.image.value = 70; d.step.value = "
            "('branch 2',); "
            "d.filters.value = 8\n(ipywidgets.__version__, g.selected, s.trace.broken.name, "
            "d.node.branches[1].out)",
        ],
        COLAB_RELEASE_TAG="release",
    )
    for cell in notebook.cells[:3]:
        shown = [o for o in cell.outputs if o.output_type in ("display_data", "execute_result")]
        assert len(shown) == 1, json.dumps(cell.outputs)[:500]
        assert diagram.WIDGET_VIEW in shown[0].data and "<img" in shown[0].data["text/html"]
    assert (
        notebook.cells[3].outputs[0].data["text/plain"]
        == "('7.7.1', 'inception_a.2', 'reduction_b', 8)"
    )
    assert "widgets" not in notebook.metadata
