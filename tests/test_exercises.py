"""The exercises by name: wrong answers are refused and diagnosed, a failed cell has no answer."""

import ast
import subprocess
import sys

import build
import jupytext
import pytest
import wrong_answers

from inception_edu.teach import exercises
from inception_edu.teach.exercises import cells, check
from inception_edu.teach.exercises.cells import bound_names

CHAPTERS = [source.stem[:2] for source in build.sources() if build.parse_exercises(source)]


@pytest.mark.parametrize(
    "which, each, least", [("answers", 9, 5), ("fresh", 5, 5), ("third", 3, 3)]
)
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_wrong_answers_are_refused_and_most_are_diagnosed(chapter, which, each, least):
    found = list(wrong_answers.tried(chapter, which))
    names = [one.exercise for one in found]
    asked = [name for name in exercises.all_names() if name.startswith(chapter)]
    assert min(names.count(name) for name in asked) >= least
    assert len(found) >= each * len(asked)
    accepted = [one.code for one in found if not one.refused]
    assert len(accepted) <= 0.05 * len(found), "\n\n".join(accepted)
    silent = [f"{one.code}\n    {one.verdict}" for one in found if not one.diagnosed]
    assert len(silent) <= 0.2 * len(found), "\n\n".join(silent)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_fourth_and_the_fifth_set_have_each_chapter_once(chapter):
    found = {which: list(wrong_answers.tried(chapter, which)) for which in ("fourth", "fifth")}
    (which,) = (which for which in found if found[which])
    assert len(found[which]) >= {"fourth": 10, "fifth": 4}[which]
    assert all(one.refused for one in found[which])
    assert sum(one.diagnosed for one in found[which]) >= 0.8 * len(found[which])


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_sixth_set_has_every_exercise(chapter):
    found = list(wrong_answers.tried(chapter, "sixth"))
    asked = {name for name in exercises.all_names() if name.startswith(chapter)}
    assert {one.exercise for one in found} == asked
    accepted = [one.code for one in found if not one.refused]
    assert len(accepted) <= 0.05 * len(found), "\n\n".join(accepted)
    assert sum(one.diagnosed for one in found) >= 0.8 * len(found)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_solutions_are_right(chapter):
    """Quickly, without the chapter's kernel; `test_notebooks` does it in the notebook."""
    for one in wrong_answers.tried(chapter, right=True):
        assert one.verdict.ok, f"{one.exercise}: {one.verdict}"


def test_every_exercise_of_a_chapter_has_a_check_and_the_other_way_round():
    asked = [
        exercise.check.split('"')[1]
        for source in build.sources()
        for exercise in build.parse_exercises(source)
    ]
    assert asked == list(exercises.all_names())
    for source in build.sources():
        for exercise in build.parse_exercises(source):
            name = exercise.check.split('"')[1]
            given = exercise.check.split("(", 1)[1].rstrip(")").split(", ")[1:]
            assert given == exercises.answer_names(name)


def test_an_unknown_exercise_says_which_there_are():
    with pytest.raises(KeyError, match="01.1, 01.2"):
        check("01.99", 1)
    with pytest.raises(KeyError, match="Chapter 77"):
        check("77.1", 1)
    with pytest.raises(KeyError, match="called like"):
        check("the first", 1)


def test_no_torch_for_counts_shapes_and_descriptions():
    code = """
import sys
from inception_edu.describe.spec import Conv
from inception_edu.teach import check
assert check("01.2", 230) and not check("02.2", (1, 2, 3)) and not check("01.3", Conv(3, 1))
assert not check("04.1", lambda c, k, l, m, n: c * k) and not check("05.3", 3)
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "cell, names",
    [
        ("m = 3\nn: int = 4\n(a, b) = 1, 2", {"m", "n", "a", "b"}),
        ("def f(x):\n    y = x\n    return y\nclass G:\n    z = 1", {"f", "G"}),
        ("def f(x)\n    return x", {"f"}),
        ("m = = 3", {"m"}),
        ("for i in range(3):\n    total = i", {"i", "total"}),
    ],
)
def test_names_that_a_cell_binds(cell, names):
    assert set(cells.bound_names(cell)) == names


def test_in_a_notebook_a_failed_cell_takes_its_answer_away(tmp_path):
    """In a kernel: a right answer, then a cell with an error; then one that is mended."""
    import nbformat
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell, new_notebook

    def cell(text, fails=False):
        return new_code_cell(text, metadata={"tags": ["raises-exception"] if fails else []})

    notebook = new_notebook(
        cells=[
            cell("from inception_edu.teach import check\nimages = 1"),
            cell("m = 230"),
            cell('check("01.2", m)'),
            cell("m = = 230", fails=True),
            cell('check("01.2", m)'),
            cell("m = 230\nimages = 1 / 0", fails=True),
            cell('check("01.2", m)'),
            cell("images"),
            cell("m = 230"),
            cell('check("01.2", m)'),
            cell("def multiply_adds(c)\n    return c", fails=True),
            cell('check("01.1", multiply_adds)'),
            cell("def multiply_adds(c, filters, h, w, kh, kw):\n    return c * kernel"),
            cell('check("01.1", multiply_adds)'),
        ]
    )
    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = [
        "".join(c.outputs[0].data["text/plain"]) if c.outputs and "data" in c.outputs[0] else ""
        for c in notebook.cells
    ]
    assert nbformat.validate(notebook) is None
    assert "✓" in said[2] and "✓" in said[9]
    assert said[4].startswith("✗ The cell that makes `m` stopped with an error, so there is no ")
    assert "SyntaxError" in said[4] and "<no m" not in said[4]
    assert "✗" in said[6] and "ZeroDivisionError" in said[6]
    assert said[7] == "1", "a name that is no answer is left alone"
    assert "✗" in said[11] and "SyntaxError" in said[11], "also where there was none before"
    assert "NameError" in said[13] and said[13].endswith("(line: `return c * kernel`)")


def test_an_answer_hides_no_name_that_the_chapter_uses():
    """Whoever has solved an exercise can run every earlier cell again."""
    hidden = []
    for source in build.sources():
        found = build.parse_exercises(source)
        names = {n for e in found for n in exercises.answer_names(e.check.split('"')[1])}
        for cell in jupytext.read(source, fmt="py:percent").cells:
            if cell.cell_type != "code" or cell.source.startswith("# exercise:"):
                continue
            nodes = [n for n in ast.walk(ast.parse(cell.source)) if isinstance(n, ast.Name)]
            used, made = (
                {n.id for n in nodes if isinstance(n.ctx, how)} for how in (ast.Load, ast.Store)
            )
            imported = set(bound_names(cell.source)) - made
            hidden += [(source.stem, name) for name in names & ((used - made) | imported)]
    assert not hidden
