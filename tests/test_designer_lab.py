"""The block designer, driven by events as a reader's clicks drive it."""

import re

import pytest

from inception_edu.describe import design, figures
from inception_edu.describe.flow import out_shape
from inception_edu.describe.measure import measure
from inception_edu.describe.parts import at
from inception_edu.describe.spec import Chain, Concat, Conv, Linear, MaxPool, Residual, SpecError
from inception_edu.labs import designer
from inception_edu.labs.blocks import BLOCKS, klmn
from inception_edu.labs.core import End, Press, Refused, Session, Set, Tell, run_now
from inception_edu.labs.designer_view import _change
from inception_edu.nets import forward
from inception_edu.nets.forward import forward_pass


def open_lab(*args, **options) -> Session:
    session = Session(designer.make(*args, **options))
    session.carry_out = run_now(session)
    return session


def choose(session, path):
    session.send(Tell("diagram", {"choose": path}))


def press(session, key):
    session.send(Press(key))


def part(session, key):
    return session.view.part(key).value


def test_a_change_reaches_diagram_numbers_code_and_the_forward_pass():
    session = open_lab("InceptionA")
    choose(session, "branch 3/step 2")
    values = [session.view.control(k).value for k in ("kind", "filters", "kernel")]
    assert values == ["conv", 96, (3, 3)]
    session.set("kernel", "5×5")
    assert at(session.state.node, ("branch 3", "step 2")) == Conv(96, 5)
    svg = part(session, "diagram")["svg"]
    assert "5×5 Conv" in svg and "(changed)" in svg
    assert "5×5 Conv (96)" in session.view.status
    more = 64 * 96 * 16 / measure(figures.InceptionA(), (384, 35, 35)).params
    assert f"{more:+.1%}" in part(session, "numbers")
    assert "Run it" in part(session, "forward")
    press(session, "run")
    assert "1×384×35×35 came out" in part(session, "forward")
    scope = {}
    exec(part(session, "code")["text"], scope)
    assert scope["block"] == session.state.node
    session.set("kernel", "3×3")
    assert "came out" not in part(session, "forward")  # it was another block's


def test_a_forward_pass_of_an_earlier_block_is_not_shown():
    session = open_lab("InceptionA")
    begun = []
    session.carry_out = begun.append
    press(session, "run")
    assert session.view.control("run").disabled and "on its way" in part(session, "forward")
    job = begun[0].job
    session.send(Set("block", "ReductionB"))
    result = designer.work(job)(None, None)
    session.send(End("forward", "finished", result))
    assert session.state.trial is None and not session.view.control("run").disabled
    session.send(End("forward", "failed", None, "MemoryError: too large"))
    assert "too large" in part(session, "forward")


def test_every_field_changes_its_own():
    session = open_lab("InceptionA")
    choose(session, "branch 4/step 3")
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
        session.set(field, value)
        assert at(session.state.node, session.state.selected) == expected, field
    assert len(session.state.changes) == 9


def test_undo_redo_and_reset():
    session = open_lab("ReductionB")
    states = [session.state.node]
    choose(session, "branch 3/step 2")
    for kernel in ((1, 3), (1, 1), (3, 3)):
        session.set("kernel", kernel)
        states.append(session.state.node)
    assert session.view.control("redo").disabled and not session.view.control("undo").disabled
    for state in states[-2::-1]:
        press(session, "undo")
        assert session.state.node == state
    assert session.view.control("undo").disabled
    press(session, "undo")
    assert session.state.node == states[0]
    press(session, "redo"), press(session, "redo")
    assert session.state.node == states[2]
    session.set("kernel", (7, 7))  # a new change ends what could be made again
    press(session, "redo")
    assert at(session.state.node, session.state.selected).kernel == (7, 7)
    press(session, "reset")
    assert session.state.node == states[0] and session.view.control("undo").disabled
    assert "(changed)" not in part(session, "diagram")["svg"]


def test_an_emptied_branch_stays_in_the_list():
    session = open_lab("InceptionA")
    choose(session, "branch 2")
    press(session, "remove_step")
    step = session.view.control("step")
    assert (
        step.value == ("branch 2",) and ("Branch 2: hands its input on", step.value) in step.options
    )
    assert session.view.control("kernel").disabled and not session.view.alert
    assert out_shape(session.state.node, (384, 35, 35))[0] == 384 - 96 + 384
    press(session, "remove_step")
    assert "no step left" in session.view.status and session.view.alert
    press(session, "remove_branch")
    assert len(session.state.node.branches) == 3 and "Branch 2 is taken out" in session.view.status


def test_a_mismatch_is_a_sentence_and_red_in_the_diagram():
    session = open_lab("InceptionA")
    choose(session, "branch 2")
    session.set("stride", 2)
    assert "branch 1 gives 35×35 and branch 2 gives 18×18" in session.view.status
    assert session.view.alert and session.view.control("run").disabled
    svg = part(session, "diagram")["svg"]
    assert "35×35 ≠ 18×18" in svg and "#c00000" in svg
    assert "not fit" in part(session, "forward") and "—" in part(session, "numbers")
    press(session, "undo")
    assert "#c00000" not in part(session, "diagram")["svg"] and not session.view.alert
    session = open_lab("InceptionResNetB_v2")
    choose(session, "residual branch/step 2")
    session.set("filters", 1154)  # as the paper prints it
    assert "1154 ≠ 1152" in part(session, "diagram")["svg"] and "1154" in session.view.status


def test_what_cannot_be_is_refused_and_changes_nothing():
    session = open_lab("InceptionResNetA_v1")
    before = session.state.node
    choose(session, "residual branch/step 2")
    for key in ("add_branch", "remove_branch", "widen"):
        press(session, key)
        assert "lies in no branch" in session.view.status and session.view.alert
        assert session.state.node == before
    with pytest.raises(Refused, match="filters"):
        session.set("filters", "many")
    choose(session, "residual branch/step 9")
    assert "no step" in session.view.status
    with pytest.raises(SpecError, match="InceptionA"):
        designer.make("InceptionZ")
    with pytest.raises(SpecError, match="shape"):
        designer.make(Conv(8, 3))
    with pytest.raises(SpecError, match="branch 2 gives"):
        designer.make(Concat(Conv(8, 1), Conv(8, 3, 2)), (3, 9, 9))


def test_the_scale_of_a_residual_block():
    session = open_lab("InceptionResNetA_v1")
    assert not session.view.control("scale").hidden
    session.set("scale", 0.2)
    assert session.state.node.scale == 0.2 and "× 0.2" in part(session, "diagram")["svg"]
    press(session, "undo")
    assert session.view.control("scale").value == 1.0
    session.set("block", "InceptionA")
    assert session.view.control("scale").hidden


def test_a_goal_is_checked_while_the_reader_edits():
    session = open_lab("InceptionB", goal="branch 3 sees 7×7")
    assert "Not yet: Branch 3 sees 1×13." in part(session, "goal")
    choose(session, "branch 3/step 3")
    session.set("kernel", (7, 1))
    assert "Reached" in part(session, "goal") and "exactly as many" in part(session, "goal")
    session.set("stride", 2)
    assert "do not fit" in part(session, "goal")
    press(session, "undo"), press(session, "undo")
    assert "Not yet" in part(session, "goal")
    assert open_lab("InceptionB").view.part("goal").hidden


def test_the_letters_of_fig_7():
    session = open_lab("ReductionA")
    svg = part(session, "diagram")["svg"]
    for words in ("k = 192", "l = 224", "m = 256", "n = 384"):
        assert words in svg
    choose(session, "branch 3/step 1")
    session.set("filters", 96)
    assert "k = 96" in part(session, "diagram")["svg"]
    press(session, "add_step")  # then it is not Fig. 7 any more
    assert "k = " not in part(session, "diagram")["svg"]
    assert klmn(figures.InceptionA()) == {}


def test_each_block_says_whose_it_is():
    assert "as the paper has it" in open_lab("InceptionA").view.status
    assert "as Inception-v3 has it" in open_lab("InceptionA_v3").view.status
    assert "as ResNet has it" in open_lab("Bottleneck").view.status
    own = open_lab(Concat(Conv(8, 3), Conv(8, 1)), (3, 9, 9))
    assert "as you gave it" in own.view.status and "paper" not in own.view.status
    assert "as you gave it" in own.lab.words(own.state)


def test_a_block_is_copied_and_read_back():
    session = open_lab("InceptionA")
    text = part(open_lab("InceptionA_v3"), "code")["text"]
    session.set("text", text)
    assert session.state.node.branches == figures_v3().branches
    press(session, "undo")
    assert session.state.node.branches == figures.InceptionA().branches
    with pytest.raises(Refused, match="There is no 'eval'"):
        session.set("text", "eval('1')")
    session.send(Set("text", "Conv(64"))
    assert "cannot be read" in session.view.control("text").note
    assert session.state.node.branches == figures.InceptionA().branches


def figures_v3():
    return BLOCKS["InceptionA_v3"][0]


@pytest.mark.parametrize("name", BLOCKS)
def test_every_block_opens_and_each_step_can_be_chosen(name):
    session = open_lab(name)
    node = session.state.node
    assert measure(node, session.state.shape).params == measure(*BLOCKS[name]).params
    for words, path in session.view.control("step").options:
        session.set("step", path)
        old = at(node, path)
        picture = part(session, "diagram")
        assert picture["selected"] == "/".join(path) and words.split(":")[0]
        assert f'data-path="{"/".join(path)}"' in picture["svg"]
        assert session.view.control("kernel").value == old.kernel
        assert old.kernel[0] and str(old.kernel[0]) in picture["facts"]["/".join(path)]
    assert len(session.state.changes) == 1  # choosing changes nothing
    found = design.branches(node, session.state.shape, session.state.selected)
    picture = part(session, "diagram")
    assert picture["svg"].count('class="field"') == len(found)
    for branch in found:  # under its own boxes, as a shape of its own, and in words
        assert f">{branch.field[0]}×{branch.field[1]}</text>" in picture["svg"]


@pytest.mark.parametrize(
    "name", ["InceptionC", "ReductionB_v2", "InceptionResNetC_v1", "StemV4", "Bottleneck"]
)
def test_the_forward_pass_gives_the_predicted_shape(name):
    node, shape = BLOCKS[name]
    done = forward_pass(node, shape)
    assert done.output == out_shape(node, done.input)
    assert measure(node, done.input).macs <= forward.MOST_MACS
    assert done.milliseconds > 0 and 0.05 < done.spread < 20 and 0 <= done.zeros < 0.9


def test_the_forward_pass_is_the_described_network():
    # A 1×1 linear map of ones has the standard deviation that its weights give it.
    done = forward_pass(Linear(4000), (300, 4, 4))
    assert done.spread == pytest.approx((1 / 3) ** 0.5, rel=0.05) and done.zeros == 0
    residual = forward_pass(Residual(Chain(Conv(8, 3), Linear(64)), scale=0.0), (64, 8, 8))
    # relu(x): a uniform image comes out again
    assert residual.spread == pytest.approx((1 / 12) ** 0.5, rel=0.05)
    with pytest.raises(SpecError, match="parameters"):
        forward_pass(Conv(8192, 7), (8192, 9, 9))


def test_a_field_stands_under_its_branch_in_its_shape():
    session = open_lab("InceptionB")
    svg = part(session, "diagram")["svg"]
    box = re.search(
        r'data-path="branch 3/step 1".*?<rect class="box" x="([\d.]+)".*?width="([\d.]+)"', svg
    )
    middle = float(box[1]) + float(box[2]) / 2
    move = float(re.search(r"<g transform=.translate\(([\d.]+)", svg)[1])
    words = re.search(r'<text x="([\d.]+)"[^>]*>1×13</text>', svg)
    assert abs(float(words[1]) + move - middle) < 0.2
    strip = re.findall(r'<path class="field" d="([^"]+)"', svg)[2]
    corners = {tuple(map(float, at)) for at in re.findall(r"M([\d.]+) ([\d.]+)", strip)}
    assert len(corners) == 13 and len({y for _, y in corners}) == 1
    assert "1×13</td>" in part(session, "branches")
    session.set("step", ("branch 4", "step 1"))
    session.set("filters", 8192)
    found = design.branches(session.state.node, session.state.shape)
    share = found[3].params / sum(b.params for b in found)
    assert f">{share:.0%} · {share:.0%}</text>" in part(session, "diagram")["svg"] and share > 0.6


def test_half_of_a_branch_says_what_leaves_it_and_the_goal_what_is_missing():
    session = Session(designer.make("InceptionB", goal="17×17×1024 with half of the multiply-adds"))
    session.set("step", ("branch 4", "step 1"))
    session.send(Press("narrow"))
    assert session.view.status == "Branch 4 has half the filters: 128 channels leave it."
    assert "17×17×896, not 17×17×1024: 128 channels are missing." in part(session, "goal")


def test_a_block_without_a_sum_has_no_scale():
    session = Session(designer.make())
    with pytest.raises(Refused, match="no scale"):
        session.set("scale", 0.5)


def test_less_is_written_with_a_minus_sign():
    assert [_change(200, now)[2] for now in (100, 200, 300)] == ["−50.0%", "the same", "+50.0%"]
