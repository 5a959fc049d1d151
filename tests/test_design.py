"""Changing a block, reading it back from text, goals: without any lab."""

import pytest

from inception_edu.describe import figures
from inception_edu.describe.code import code, parse
from inception_edu.describe.design import (
    add_branch,
    add_step,
    branches,
    change,
    formula,
    free,
    nearest,
    places,
    remove_branch,
    remove_step,
    widen,
)
from inception_edu.describe.goals import read_goal
from inception_edu.describe.measure import measure, smallest_image
from inception_edu.describe.networks import inception_v4
from inception_edu.describe.parts import at
from inception_edu.describe.printed import FIGURES
from inception_edu.describe.sides import padded, side_chain, smallest
from inception_edu.describe.spec import (
    AvgPool,
    Chain,
    Concat,
    Conv,
    Linear,
    MaxPool,
    Residual,
    SpecError,
)

A, A_SHAPE = figures.InceptionA(), (384, 35, 35)


# --- Steps and branches ---------------------------------------------------------------------------


def test_a_branch_without_steps_can_still_be_chosen_filled_and_removed():
    """Once a branch had lost its last step, nothing could choose it any more."""
    node = free(A)
    changed, path = remove_step(node, ("branch 2",))
    assert at(changed, path) == Chain() and path in places(changed)
    with pytest.raises(SpecError, match="no step left"):
        remove_step(changed, path)
    with pytest.raises(SpecError, match="add one first"):
        change(changed, path, kernel=(3, 3))
    filled, inner = add_step(changed, path)
    assert at(filled, ("branch 2",)) == Chain(Conv(64, 3)) and inner == ("branch 2", "step 1")
    gone, near = remove_branch(changed, path)
    assert gone.branches == (node.branches[0], *node.branches[2:]) and near in places(gone)
    emptied, path = remove_step(filled, inner)
    assert at(emptied, path) == Chain() and path == ("branch 2",)


def test_steps_come_and_go():
    node = free(A)
    longer, path = add_step(node, ("branch 4", "step 2"))
    assert at(longer, ("branch 4",)) == Chain(Conv(64, 1), Conv(96, 3), Conv(96, 3), Conv(96, 3))
    assert path == ("branch 4", "step 3")
    shorter, near = remove_step(longer, path)
    assert shorter == node and near == path  # the step that followed
    two, path = add_step(node, ("branch 2",))
    assert two.branches[1] == Chain(Conv(96, 1), Conv(96, 3)) and path == ("branch 2", "step 2")
    with pytest.raises(SpecError, match="last step"):
        remove_step(Concat(Conv(8, 3)), ("branch 1",))


def test_branches_come_and_go():
    node = free(A)
    more, path = add_branch(node, ("branch 4", "step 2"))
    assert more.branches == (*node.branches, node.branches[3]) and path[0] == "branch 5"
    assert remove_branch(more, path)[0] == node
    wide, path = widen(node, ("branch 3", "step 2"), 2)
    assert (
        wide.branches[2] == Chain(Conv(128, 1), Conv(192, 3)) and wide.branches[3] == A.branches[3]
    )
    assert widen(wide, path, 0.5)[0] == node
    with pytest.raises(SpecError, match="last branch"):
        remove_branch(Concat(Conv(8, 3)), ("branch 1",))
    with pytest.raises(SpecError, match="lies in no branch"):
        add_branch(figures.InceptionResNetA_v1(), ("residual branch", "step 2"))
    with pytest.raises(SpecError, match="last step"):
        remove_branch(Concat(Conv(8, 1), Chain()), ("branch 1",))


def test_what_is_nearest():
    assert nearest(A, ("branch 4", "step 9")) == ("branch 4", "step 3")
    assert nearest(A, ("branch 9",)) == ("branch 4", "step 1")


def test_a_step_keeps_what_is_not_changed():
    node = Concat(AvgPool(3, count_padding=True), Linear(8))
    changed, _ = change(node, ("branch 1",), kernel=(5, 5))
    assert changed.branches[0] == AvgPool(5, count_padding=True)
    changed, _ = change(node, ("branch 2",), out=9)
    assert changed.branches[1] == Linear(9)
    changed, _ = change(node, ("branch 1",), kind="conv")
    assert changed.branches[0] == Conv(64, 3)
    assert change(changed, ("branch 1",), kind="max", stride=2)[0].branches[0] == MaxPool(3, 2)
    with pytest.raises(SpecError, match="odd kernels"):
        change(node, ("branch 2",), kernel=(2, 2))


def test_free_forgets_printed_sums_and_learnt_scales():
    node = free(Chain(A, Residual(Conv(384, 3), 0.1, learnable=True)))
    assert node.parts[0].out is None and not node.parts[1].learnable
    assert node.parts[1].scale == 0.1 and node.parts[0].branches == A.branches


# --- What branches do -----------------------------------------------------------------------------


def test_branches_of_fig_5():
    found = branches(figures.InceptionB(), (1024, 17, 17))
    assert [b.field for b in found] == [(3, 3), (1, 1), (1, 13), (13, 13)]
    whole = measure(figures.InceptionB(), (1024, 17, 17))
    assert sum(b.params for b in found) == whole.params
    assert [b.output[0] for b in found] == [128, 384, 256, 256]
    inner = branches(figures.InceptionC(), (1536, 8, 8), ("branch 3", "step 2", "branch 1"))
    assert len(inner) == 4  # the outermost, of which the figure speaks
    residual = branches(figures.InceptionResNetB_v1(), (896, 17, 17))
    assert [b.field for b in residual] == [(1, 1), (7, 7)]
    assert branches(Conv(8, 3), (3, 9, 9)) == ()
    join = branches(figures.StemV4(), (3, 299, 299), ("step 5", "branch 2", "step 2"))
    assert [b.field for b in join] == [(3, 3), (9, 9)]


def test_formulas_carry_their_numbers():
    said = formula(A, A_SHAPE, ("branch 3", "step 2"))
    assert "64 × 96 × 3×3 = 55,296 weights, + 2·96 (γ and β) = 55,488 parameters" in said
    assert f"{55296 * 35 * 35 + 192:,} multiply-adds" in said
    assert "mean of each 3×3 window" in formula(A, A_SHAPE, ("branch 1", "step 1"))
    seven = figures.ReductionA(192, 224, 256, 384)
    assert "⌊(35 − 3) / 2⌋ + 1 = 17" in formula(seven, A_SHAPE, ("branch 2",))
    linear = Chain(Linear(7))
    assert "+ 7 (bias)" in formula(linear, (3, 5, 5), ("step 1",))


# --- Code -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [n for n in FIGURES if n not in (9, 15)])
def test_every_figure_is_read_back(number):
    node = FIGURES[number].node
    text = code(node)
    assert parse(text) == node
    assert parse(text.replace("\n", " ")) == node  # as a box of one line has it
    scope = {}
    exec(text, scope)
    assert scope["block"] == node


@pytest.mark.parametrize(
    "text, words",
    [
        ("__import__('os').system('echo')", "not part of a block"),
        ("Conv(64, 3).__class__", "not part of a block"),
        ("Conv(*[64, 3])", "not part of a block"),
        ("Conv(**{'out': 64})", r"\*\* is not read"),
        ("[Conv(1, 1) for _ in range(9)]", "not part of a block"),
        ("open('x')", "There is no 'open'"),
        ("Conv(64)", "does not fit"),
        ("Conv(64, 3", "cannot be read as Python"),
        ("Conv(64, 2)", "odd kernels"),
        ("Chain(3)", "made of blocks"),
        ("Residual(body=3)", "made of blocks"),
        ("17", "made of"),
        ("", "nothing to read"),
        ("(" * 5000, "cannot be read|characters"),
        ("x" * 30_000, "characters"),
    ],
)
def test_what_is_no_block_is_refused_with_a_sentence(text, words, monkeypatch):
    def never(*_, **__):
        raise AssertionError("executed")

    monkeypatch.setattr("builtins.open", never)
    monkeypatch.setattr("os.system", never)
    with pytest.raises(SpecError, match=words):
        parse(text)


# --- Goals ----------------------------------------------------------------------------------------


def test_a_branch_is_to_see_a_square():
    goal = read_goal("branch 3 sees 7x7")
    paper, released = figures.InceptionB(), figures.InceptionB("released")
    assert goal.check(paper, (1024, 17, 17), paper) == "Branch 3 sees 1×13."
    assert goal.check(released, (1024, 17, 17), paper) == ""
    notice = goal.notice(released, (1024, 17, 17), paper)
    assert "exactly as many parameters" in notice and "do not tell what a branch sees" in notice


def test_a_reduction_for_half_the_price():
    goal = read_goal("17×17×1024 with half of the multiply-adds")
    was = figures.ReductionA(192, 224, 256, 384)
    assert "100 % of the multiply-adds" in goal.check(was, A_SHAPE, was)
    assert "17×17×896" in goal.check(figures.ReductionA(192, 192, 256, 256), A_SHAPE, was)
    cheap = Concat(MaxPool(3, 2, "valid"), Chain(Conv(128, 1), Conv(640, 3, 2, "valid")))
    assert goal.check(cheap, A_SHAPE, was) == ""
    assert "branch 2 does 100 % of what is left" in goal.notice(cheap, A_SHAPE, was)


def test_goals_that_cannot_be_checked_are_refused():
    assert read_goal("with 40 % of the parameters").params == 0.4
    for text in ("be beautiful", "branch 3 sees 7×7 quickly", ""):
        with pytest.raises(SpecError, match="cannot be checked"):
            read_goal(text)


# --- Sides ----------------------------------------------------------------------------------------


def test_the_sides_of_the_paper():
    net = inception_v4()
    assert side_chain(net, 299) == [299, 149, 147, 73, 71, 35, 17, 8]
    assert side_chain(padded(net, "same"), 299) == [299, 150, 75, 38, 19, 10]
    assert smallest(net) == smallest_image(net) == 75
    assert smallest(padded(net, "valid")) is None
    assert padded(net, "printed") is net
