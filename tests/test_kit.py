"""The class kit: no solution in the student edition, every check right in the teacher's, figures on
slides and handouts."""

import re
import shutil

import build
import jupytext
import kit
import nbformat
import pytest
import slides
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

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


BUILT = [build.target(source) for source in build.sources() if build.target(source).exists()]


@pytest.mark.parametrize("built", BUILT, ids=[built.stem for built in BUILT])
def test_no_question_is_answered_in_the_student_edition(built, tmp_path):
    (file,) = kit.write("student", tmp_path, [(built, built, list)])
    stored = nbformat.read(built, as_version=4).cells
    handed = nbformat.read(file, as_version=4).cells
    asked = sum("predict(" in c.source for c in handed)
    told = [sum("The answer: " in str(c.get("outputs", "")) for c in e) for e in (stored, handed)]
    assert told == [asked, 0]


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
    plain = [c for c in notebook.cells if c.cell_type == "code" and not c.metadata.get("tags")]
    cell = plain[1]  # the first one imports
    cell.outputs = [new_output("display_data", data)]
    return notebook


@pytest.mark.parametrize("built", BUILT, ids=[built.stem for built in BUILT])
def test_every_figure_is_on_the_handout_and_nothing_is_fetched(built):
    def pictures(html):
        return len(re.findall(r"<(img|svg)\b", html))

    notebook = nbformat.read(built, as_version=4)
    shown = [
        "".join(output["data"].get("text/html", ""))
        for cell in notebook.cells
        if cell.cell_type == "code" and "check" not in cell.metadata.get("tags", [])
        for output in cell.outputs
        if "data" in output
    ]
    html = kit.handout_html(notebook)
    assert pictures(html) == sum(map(pictures, shown)) > 0
    assert not re.search(r'(<script|<link|<img)[^>]*(src|href)="(https?:)?//', html)


def test_slides_have_headings_figures_and_folded_code():
    html = kit.slides(with_a_figure(SOURCES[0]))
    assert html.count("<section") > 10 and "reveal" in html
    assert "<summary>code</summary>" in html and "A falling line." in html
    assert "Solution" not in html
    assert not re.search(r'(src|href)="(https?:)?//', html), "a show needs no network"


def test_what_stands_on_slides():
    text = "## Head\n\nA *word* and $x^2$, `$HOME`.\n\n**You can**\n\n1. read\n2. write"
    notebook = new_notebook(cells=[new_markdown_cell("# Title"), new_code_cell("import this")])
    rows = "".join(f"<tr><td>{n}</td></tr>" for n in range(30))
    long = f'<div class="ied-table"><table><tbody>{rows}</tbody></table></div>'
    asks = '<div class="ied-predict">How many?</div>'
    cells = [new_markdown_cell(text), new_code_cell("silent()"), new_code_cell("shows()")]
    cells[2].outputs = [new_output("display_data", {"text/html": long})]
    cells += [new_markdown_cell("word " * 90), new_code_cell("predict()"), new_code_cell("check()")]
    cells[4].outputs = [new_output("display_data", {"text/html": asks})]
    cells[5].metadata["tags"] = ["check"]
    cells[5].outputs = [new_output("display_data", {"text/plain": "not tried"})]
    notebook.cells += cells
    shown = list(slides.slides_of(notebook))
    parts = ["".join(slide.parts) for slide in shown]
    assert "<math" in parts[1] and "$HOME" in parts[1] and "<li>read</li>" in parts[1]
    assert [part.count("<td>") for part in parts] == [0, 0, 10, 10, 10, 0, 0]
    assert shown[2].code == ["silent()", "shows()"] and not shown[3].code
    assert parts[-1].strip() == asks, "a question has a slide of its own"
    assert not any("not tried" in part for part in parts)


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs Chromium")
def test_nothing_sticks_out_of_a_slide(tmp_path):
    """In a browser at projector size: text, a wide table and a tall figure, and no request."""
    from playwright.sync_api import sync_playwright

    notebook = with_a_figure(SOURCES[0])
    tall = plots.figure(4, 14)
    tall.add_subplot().plot([0, 1], [1, 0])
    wide = "".join(f"<td>column number {n}</td>" for n in range(14))
    outputs = [
        new_output("display_data", plots.show(tall, "A tall figure.")._repr_mimebundle_()),
        new_output("display_data", {"text/html": f"<table><tr>{wide}</tr></table>"}),
    ]
    notebook.cells.append(new_code_cell("show()", outputs=outputs))
    file = tmp_path / "show.html"
    file.write_text(kit.slides(notebook), encoding="utf-8")
    foreign = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.on("request", lambda r: r.url.startswith("http") and foreign.append(r.url))
        page.goto(file.as_uri())
        for _ in range(page.evaluate("Reveal.getTotalSlides()")):
            page.wait_for_function("window.fitted === Reveal.getCurrentSlide()")
            right, bottom = page.evaluate(FARTHEST)
            assert right <= 1281 and bottom <= 721
            page.evaluate("Reveal.next()")
        browser.close()
    assert not foreign


FARTHEST = """() => {
  const boxes = [...Reveal.getCurrentSlide().querySelectorAll('.fit *')];
  const seen = boxes.map(box => box.getBoundingClientRect()).filter(r => r.width && r.height);
  return [Math.max(...seen.map(r => r.right)), Math.max(...seen.map(r => r.bottom))];
}"""


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs Chromium")
def test_the_handout_is_a_pdf_with_its_figures(tmp_path):
    file = tmp_path / "handout.pdf"
    kit.handout(with_a_figure(SOURCES[0]), file)
    content = file.read_bytes()
    assert content.startswith(b"%PDF") and b"/Subtype /Image" in content
    assert len(content) > 20_000


PRINTED = """() => [...document.querySelectorAll('a[href]')].map(
  link => [link.getAttribute('href'), getComputedStyle(link, '::after').content])"""


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs Chromium")
def test_on_paper_only_addresses_of_the_web_are_written_out(tmp_path):
    """A path such as ../docs/glossary.md is of no use there."""
    from playwright.sync_api import sync_playwright

    file = tmp_path / "page.html"
    file.write_text(kit.handout_html(build.transform(SOURCES[0])), encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.emulate_media(media="print")
        page.goto(file.as_uri())
        printed = page.evaluate(PRINTED)
        browser.close()
    files = [after for href, after in printed if not href.startswith(("http", "#"))]
    assert len(files) >= 3 and set(files) == {"none"}
