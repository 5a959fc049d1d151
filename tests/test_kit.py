"""The class kit: no solution in the student edition, every check right in the teacher's, figures on
slides and handouts."""

import shutil

import build
import jupytext
import kit
import pytest
from nbformat.v4 import new_output

from inception_edu.teach import plots

SOURCES = [source for source in build.sources() if build.parse_exercises(source)]
chapters = pytest.mark.parametrize("source", SOURCES, ids=[source.stem for source in SOURCES])


def parts(source):
    cells = jupytext.read(source, fmt="py:percent").cells
    return [c.source for c in cells if c.source.startswith("# exercise:")]


@chapters
def test_no_solution_is_left_in_the_student_edition(source):
    made = kit.student(build.transform(source))
    text = "\n".join(cell.source for cell in made.cells)
    assert "Solution</summary>" not in text and "Answer</summary>" not in text
    assert "Hint" in text or not any(e.hints for e in build.parse_exercises(source))
    for exercise in build.parse_exercises(source):
        stub = set(exercise.stub.splitlines())
        hidden = [
            line for line in exercise.solution.splitlines() if line.strip() and line not in stub
        ]
        assert hidden and "\n".join(hidden) not in text
        assert exercise.check in text


@chapters
def test_every_check_of_the_teachers_edition_is_right(source):
    made = kit.solutions(build.transform(source), source, parts(source))
    verdicts = [c.outputs for c in made.cells if "check" in c.metadata.get("tags", [])]
    assert len(verdicts) == len(parts(source))
    assert all("✓" in outputs[0].data["text/plain"] for outputs in verdicts)
    assert "Solution</summary>" not in "\n".join(c.source for c in made.cells)


def with_a_figure(source):
    """A chapter with one stored figure."""
    notebook = build.transform(source)
    figure = plots.figure()
    figure.add_subplot().plot([0, 1], [1, 0])
    shown = plots.show(figure, "A falling line.")
    data = shown._repr_mimebundle_()
    cell = next(c for c in notebook.cells if c.cell_type == "code" and not c.metadata.get("tags"))
    cell.outputs = [new_output("display_data", data)]
    return notebook


def test_slides_have_headings_figures_and_folded_code():
    html = kit.slides(with_a_figure(SOURCES[0]))
    assert html.count("<section") > 10 and "reveal" in html
    assert "<summary>code</summary>" in html and "A falling line." in html
    assert "Solution" not in html


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs Chromium")
def test_the_handout_is_a_pdf_with_its_figures(tmp_path):
    file = tmp_path / "handout.pdf"
    kit.handout(with_a_figure(SOURCES[0]), file)
    content = file.read_bytes()
    assert content.startswith(b"%PDF") and b"/Subtype /Image" in content
    assert len(content) > 20_000
