"""notebooks/build.py and notebooks/lint.py, tried on a tiny project of their own."""

import json
import re
import shutil
from contextlib import nullcontext
from pathlib import Path

import build
import lint
import nbformat
import pytest
import stamps
from nbclient.exceptions import CellExecutionError

from inception_edu.teach.chapters import chapters

ROOT = Path(__file__).resolve().parents[1]

EXERCISE = """\
# exercise: Add two numbers | ●○○ | 3 min
# task: Write `add(a, b)`.
#   It takes
#
#   - ints
#     - and floats
# hint: Use `+`.
# hint: Really.
# explain: Nothing more to it.
def add(a, b):
    # begin solution
    return a + b
    # end solution

# begin solution
three = add(1, 2)
# end solution
# stub: three = ...
# check:
check("00.1", three)
"""
CHAPTER = f"""\
# %% [markdown]
# # Tiny
#
# A chapter | to try
# the build with.

# %%
from types import SimpleNamespace
import os

def check(name, answer):
    return SimpleNamespace(ok=answer == 3)

print(os.environ["INCEPTION_EDU_MODE"])

# %%
{EXERCISE}
# %%
from IPython.display import HTML
HTML(
    "<svg aria-label='no file'></svg>"
    "<svg xmlns='http://www.w3.org/2000/svg' aria-label='first'></svg>"
)

# %% tags=["picture"]
HTML('<img alt="second" src="data:image/png;base64,UE5H">')

# %% tags=["hide-input"]
import ipywidgets
ipywidgets.IntSlider(description="n")
"""


def test_exercise_becomes_stub_solution_and_check():
    exercise = build.parse_exercise(EXERCISE.strip())
    assert (exercise.title, exercise.difficulty, exercise.minutes) == (
        "Add two numbers",
        "●○○",
        "3 min",
    )
    assert exercise.task == "Write `add(a, b)`.\nIt takes\n\n- ints\n  - and floats"
    assert exercise.hints == ("Use `+`.", "Really.")
    assert exercise.explain == "Nothing more to it."
    assert exercise.stub == "def add(a, b):\n    ...  # your code here\n\nthree = ..."
    assert exercise.solution == "def add(a, b):\n    return a + b\n\nthree = add(1, 2)"
    assert exercise.check == 'check("00.1", three)'


@pytest.mark.parametrize(
    "wrong, sentence",
    [
        (EXERCISE.replace("●○○", "easy"), "first line must read"),
        (EXERCISE.replace("# task:", "# words:"), "must follow the first line"),
        (EXERCISE.replace("# check:", "# test:"), "`# check:` is missing"),
        (EXERCISE.replace("# begin solution", "# here"), "without `# begin solution`"),
        (EXERCISE.replace("# end solution", "# there"), "begins inside another"),
        ("# exercise: A | ●○○ | 3 min\n# task: Do.\nx = 1\n# check:\nx", "must mark the solution"),
        (EXERCISE[: EXERCISE.index("check(")], "followed by one line such as"),
    ],
)
def test_a_broken_exercise_is_an_error_that_says_what_is_wrong(wrong, sentence):
    with pytest.raises(build.SourceError, match=sentence):
        build.parse_exercise(wrong.strip())


@pytest.fixture
def project(tmp_path, monkeypatch, capsys):
    """A project with one tiny chapter; project(*arguments) builds there and returns what was
    printed."""
    (tmp_path / "notebooks" / "src").mkdir(parents=True)
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(stamps, "ROOT", tmp_path)
    monkeypatch.setattr(build, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(build, "SOURCES", tmp_path / "notebooks" / "src")
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    for module in (build.machines, build.minutes):  # pages that the build writes
        monkeypatch.setattr(module, "PAGE", Path(shutil.copy(module.PAGE, tmp_path)))
    (tmp_path / "notebooks" / "src" / "00_tiny.py").write_text(CHAPTER, encoding="utf-8")

    def run(*arguments, fails=None):
        with pytest.raises(fails) if fails else nullcontext():
            build.main(list(arguments))
        return capsys.readouterr().out

    run.root = tmp_path
    run.source = tmp_path / "notebooks" / "src" / "00_tiny.py"
    run.notebook = tmp_path / "notebooks" / "00_tiny.ipynb"
    return run


def test_build_executes_tidies_and_skips_what_has_not_changed(project):
    assert "it was never built" in project("--check", fails=SystemExit)
    project()
    notebook = nbformat.read(project.notebook, as_version=4)
    nbformat.validate(notebook)
    assert "".join(cell.cell_type[0] for cell in notebook.cells) == "mccmccmccc"
    assert notebook.cells[1].source == build.bootstrap("")
    assert notebook.cells[1].outputs == []  # inception_edu imports here: nothing to do
    assert notebook.cells[2].outputs[0].text == "standard\n"
    assert notebook.cells[5].outputs[0].data["text/plain"] == "namespace(ok=False)"
    assert list(notebook.cells[9].outputs[0].data) == ["text/plain"]  # the live widget view is gone
    assert notebook.cells[9].metadata["jupyter"]["source_hidden"]
    assert "widgets" not in notebook.metadata
    assert notebook.cells[6].source.count("<details>") == 3
    assert lint.problems(project.notebook.read_text()) == []
    assert (project.root / "notebooks" / "pictures" / "00.png").read_bytes() == b"PNG"
    cells = ("", "5", chapters()[0].runs, "A chapter \\| to try the build")
    small = " | ".join(f"<sub>{cell}" + "</sub>" * (n < 3) for n, cell in enumerate(cells))
    row = f"| [00 · Start here](notebooks/00_tiny.ipynb) | {small}"
    assert row in (project.root / "README.md").read_text()

    assert build.matches(project.source)
    assert "up to date" in project()
    assert "up to date" not in project("--mode", "quick")
    project.source.write_text(CHAPTER.replace('# %% tags=["picture"]', "# %%"))
    project()
    assert [path.name for path in (project.root / "notebooks" / "pictures").iterdir()] == ["00.svg"]
    assert (project.root / "notebooks" / "pictures" / "00.svg").read_text() == (
        "<svg xmlns='http://www.w3.org/2000/svg' aria-label='first'></svg>"
    )
    project.source.write_text(project.source.read_text().replace("# Tiny", "# Tiny, said anew"))
    made = nbformat.read(project.notebook, as_version=4).cells[2].outputs
    assert "up to date" in project(), "new text alone runs nothing"
    told = nbformat.read(project.notebook, as_version=4)
    assert told.cells[0].source.startswith("# Tiny, said anew") and told.cells[2].outputs == made
    project.source.write_text(CHAPTER.replace("Really.", "Indeed."))
    assert "00_tiny.ipynb is stale" in project("--check", fails=SystemExit)


def test_a_chapter_that_reads_parts_of_files_is_stamped_with_these_parts(project):
    folder = project.root / "data" / "machines"
    folder.mkdir(parents=True)

    def write(name, **parts):
        content = {"machine": {"card": name, "torch": "1"}, "chapters": 1} | parts
        (folder / f"{name}.json").write_text(json.dumps(content))

    def stale():
        return build.stale(project.source)

    write("a", steps=[1])
    write("b")
    reads = """
# %%
from pathlib import Path
from inception_edu.data.paths import read_parts
read_parts(Path("../data/machines"), "machine.card", "steps")
"""
    project.source.write_text(CHAPTER + reads)
    project()
    metadata = nbformat.read(project.notebook, as_version=4).metadata["inception_edu"]
    part = "data/machines#machine.card,steps"
    assert [name for name in metadata["made_from"] if name.startswith("data/")] == [part]
    assert stale() == []
    write("a", steps=[1], chapters=2, machine={"card": "a", "torch": "2"})
    write("b", chapters=3)
    write("c")
    assert stale() == []  # nothing that the chapter read has changed
    write("c", steps=[])
    assert stale() == [f"{part} has changed"]
    (folder / "c.json").unlink()
    write("a", steps=[2])
    assert stale() == [f"{part} has changed"]

    whole = reads + "print(len(Path('../data/machines/a.json').read_text()) > 9)\n"
    project.source.write_text(CHAPTER + whole)
    project()
    write("a", steps=[2], chapters=2)
    assert stale() == ["data/machines/a.json has changed"]  # it was opened beside its parts


def test_check_finds_a_notebook_edited_by_hand_and_a_stale_table(project):
    project()
    with pytest.raises(SystemExit) as ended:
        build.main(["--check"])
    assert ended.value.code == 0
    project.notebook.write_text(project.notebook.read_text().replace("three = ...", "three = 3"))
    assert "00_tiny.ipynb is stale" in project("--check", fails=SystemExit)
    project("--no-execute")
    readme = project.root / "README.md"
    readme.write_text(readme.read_text().replace("[00 · Start here]", "[00 · Huge]"))
    assert "README.md is stale" in project("--check", fails=SystemExit)


def test_a_failing_cell_leaves_the_old_notebook_alone(project):
    project()
    before = project.notebook.read_bytes()
    project.source.write_text(CHAPTER + "\n# %%\n1 / 0\n")
    project(fails=CellExecutionError)
    assert project.notebook.read_bytes() == before


def test_the_address_in_pyproject_stamps_link_and_first_cell(project):
    pyproject = project.root / "pyproject.toml"
    text = pyproject.read_text()
    assert text.count('\nrepository = "') == 1
    head, tail = text.split('\nrepository = "')
    pyproject.write_text(
        head + '\nrepository = "https://github.com/someone/course' + tail[tail.index('"') :]
    )
    project("--no-execute")
    cells = nbformat.read(project.notebook, as_version=4).cells
    assert cells[0].source.endswith(
        "[Open in "
        "Colab](https://colab.research.google.com/github/someone/course/blob/main/notebooks/00_tiny.ipynb)"
    )
    assert "inception-edu @ git+https://github.com/someone/course" in cells[1].source

    pyproject.write_text(head + '\nrepository = "' + tail[tail.index('"') :])
    project("--no-execute")
    cells = nbformat.read(project.notebook, as_version=4).cells
    assert "colab.research" not in cells[0].source and "git+" not in cells[1].source


def test_first_cell_is_short():
    assert len(build.bootstrap("https://github.com/someone/course").splitlines()) <= 10


# ---- lint ----------------------------------------------------------------------------------------


def notebook_with(cell=None, output=None, **metadata) -> str:
    one = {"output_type": "stream", "text": ["1"]}
    good = {"cell_type": "code", "source": ["1"], "outputs": [one]}
    return json.dumps(
        {"metadata": metadata, "cells": [good, cell or {**good, "outputs": [output or one]}]}
    )


def shows(kind, text):
    return {"output_type": "display_data", "data": {kind: [text]}}


def html(text):
    return shows("text/html", text)


def words(text):
    return {"cell_type": "markdown", "source": [text]}


@pytest.mark.parametrize(
    "wrong, word",
    [
        (notebook_with(widgets={}), "metadata.widgets"),
        (
            notebook_with(output={"output_type": "error", "ename": "ValueError", "evalue": "no"}),
            "ValueError",
        ),
        (
            notebook_with(output={"output_type": "stream", "text": ["in /ho" + "me/someone/x.py"]}),
            "a path of the machine",
        ),
        (notebook_with(output={"output_type": "stream", "text": ["x" * 1_600_000]}), "1.6 MB"),
        (notebook_with({"cell_type": "code", "source": ["x\n"] * 41, "outputs": []}), "41 lines"),
        (json.dumps({"metadata": {}, "cells": []}), "no cell has an output"),
        (notebook_with(output=html("<img src='data:x'>")), "<img> without alt"),
        (notebook_with(output=html("<svg><circle/></svg>")), "<svg> without"),
        (
            notebook_with(output=html("<img alt='x' src='https://example.org/x.png'>")),
            "fetched from the network",
        ),
        (notebook_with(output=shows("image/png", "abc")), "a bare picture"),
        (notebook_with(output=shows("image/svg+xml", "<svg></svg>")), "<svg> without"),
        (notebook_with(words("![](x.png)")), "without alt text"),
        (notebook_with(words("![x](https://example.org/x.png)")), "fetched from the network"),
    ],
)
def test_lint_finds(wrong, word):
    found = lint.problems(wrong)
    assert len(found) == 1 and word in found[0]


def test_lint_is_content_with_described_pictures():
    good = html(
        "<svg aria-label='a curve'><svg></svg></svg><svg><title>x</title></svg><img alt='x' "
        "src='data:,'>"
        "<svg aria-hidden='true'></svg>"
    )
    assert lint.problems(notebook_with(output=good)) == []


def test_chapter_00_tells_the_minutes_of_all_chapters():
    start = build.transform(build.sources("00")[0])
    line = next(
        line
        for cell in start.cells
        for line in cell.source.splitlines()
        if line.startswith("| minutes")
    )
    *each, whole = (int(cell) for cell in line.strip("| ").split(" | ")[1:])
    assert len(each) == len(build.sources()) and whole == sum(each)
    assert not any(build.MINUTES in cell.source for cell in start.cells)
    for source, told in zip(build.sources(), each):
        assert f"About {told} minutes" in build.transform(source).cells[0].source


def test_the_claims_of_the_paper_as_a_table_for_the_readme():
    head, rule, *rows = build.claims_table().splitlines()
    assert head.count("|") == rule.count("|") and len(rows) == 10
    assert all(row.count("|") == head.count("|") for row in rows)
    assert "Residual connections speed up" in rows[0]


def test_each_chapter_has_one_short_finding_with_its_number():
    for source in build.sources():
        found = build.finding(source)
        assert found.endswith(".") and re.search(r"\d", found), (source.stem, found)
        assert len(found) <= 60 and len(re.findall(r"\. ", found)) == 0, (source.stem, found)


def test_each_chapter_says_what_comes_before_it_and_its_links_lead_somewhere():
    told = {chapter.name: chapter for chapter in chapters()}
    assert list(told) == [source.stem for source in build.sources()]
    headings = build.sources("01")[0].read_text(encoding="utf-8")
    assert "# ## The language of this collection\n" in headings
    for source in build.sources():
        needs = told[source.stem].after
        assert all(number < source.stem[:2] for number in needs) and needs == tuple(sorted(needs))
        head = build.transform(source).cells[0].source
        targets = re.findall(r"\]\(([^)#]+)", head)
        assert all((build.NOTEBOOKS / target).exists() for target in targets), targets
        assert re.findall(r"\[(\d\d)\]", head) == list(needs)
        assert build.LANGUAGE in head and "../docs/glossary.md" in targets
