"""Every chapter: the stored notebook is what its source gives and is fit to be read; each exercise
can be solved."""

import build
import lint
import nbformat
import pytest

SOURCES = build.sources()
chapters = pytest.mark.parametrize("source", SOURCES, ids=[source.stem for source in SOURCES])


@chapters
def test_notebook_is_not_stale(source):
    """Source, code and result files are those that made the stored outputs."""
    assert build.stale(source) == [], "run `make notebooks`"


@chapters
def test_notebook_is_fit_to_be_read(source):
    assert lint.problems(build.target(source).read_text(encoding="utf-8")) == []


@chapters
def test_outputs_are_those_of_a_complete_standard_run(source):
    notebook = nbformat.read(build.target(source), as_version=4)
    assert notebook.metadata["inception_edu"]["mode"] == "standard"
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


@chapters
def test_pictures_show_before_the_notebook_is_trusted(source):
    """JupyterLab takes <svg> elements, but not <img>, out of the HTML of a notebook that this
    machine did not run."""
    cells = nbformat.read(build.target(source), as_version=4).cells
    outputs = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [
        html for o in outputs if "<svg" in (html := "".join(o.get("data", {}).get("text/html", "")))
    ]


def test_chapter_table_of_the_readme_is_current():
    assert build.readme() == (build.ROOT / "README.md").read_text(encoding="utf-8"), (
        "run `make notebooks`"
    )


def test_there_are_chapters_and_no_notebook_without_source():
    assert SOURCES
    built = {path.name for path in build.NOTEBOOKS.glob("*.ipynb")}
    assert built == {build.target(source).name for source in SOURCES}


@chapters
def test_stubs_fail_their_checks_and_solutions_pass(source, tmp_path):
    """One quick run of the chapter: after each stub and its check come the solution and the check
    again."""
    exercises = build.parse_exercises(source)
    cells, todo = [], iter(exercises)
    verdict = "print(bool(Out[len(In) - 2].ok))"  # of the value that the cell before it ended with
    for cell in build.transform(source).cells:
        cells.append(cell)
        if "check" in cell.metadata.get("tags", []):
            solution = next(todo).solution
            cells += [
                nbformat.v4.new_code_cell(text, metadata=tags)
                for text, tags in [
                    (verdict, {"tags": ["stub"]}),
                    (solution, {}),
                    (cell.source, {}),
                    (verdict, {"tags": ["solution"]}),
                ]
            ]
    notebook = build.execute(nbformat.v4.new_notebook(cells=cells), "quick", tmp_path)

    def verdicts(tag):
        return [
            cell.outputs[0].text.strip()
            for cell in notebook.cells
            if tag in cell.metadata.get("tags", [])
        ]

    for number, (exercise, stub, solution) in enumerate(
        zip(exercises, verdicts("stub"), verdicts("solution")), 1
    ):
        assert stub == "False", (
            f"exercise {number}, {exercise.title}: the unsolved stub passes its check"
        )
        assert solution == "True", (
            f"exercise {number}, {exercise.title}: the solution does not pass its check"
        )
    assert len(verdicts("stub")) == len(exercises)
