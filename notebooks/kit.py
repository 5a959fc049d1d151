"""The class kit: editions of the chapters for students and teachers, slides and handouts.

`build.py --student`, `--solutions`, `--slides` and `--handout` write into dist/. They start from
the built chapters, so that stored outputs and pictures are in them; nothing is executed but the
checks of the solutions.
"""

from __future__ import annotations

import contextlib
import copy
import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
from markup import ONLY_SAYS, parse_exercise
from nbformat.v4 import new_output
from slides import formulas, page

FOLD = re.compile(
    r"<details>\s*<summary>(?:Solution|Answer)</summary>.*?</details>\s*", re.DOTALL | re.IGNORECASE
)

HINT = re.compile(r"<details>\s*<summary>Hint.*?</details>\s*", re.DOTALL)
OUTCOME = re.compile(r"^outcome\(", re.MULTILINE)  # the cell that answers a question
PAPER = 680  # pixels: the width of A4 between its margins

# A table that is too wide for the paper may break inside words; one that fits does not.
TIGHTEN = """() => document.querySelectorAll('table').forEach(table => {
    if (table.offsetWidth > document.body.clientWidth) table.classList.add('tight');
})"""

# On paper a table cannot be scrolled, no fold can be opened, and nothing is fetched. Code of 100
# characters a line fits.
HANDOUT = """{%- extends 'classic/index.html.j2' -%}
{% block html_head_js %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{%- block html_head_css -%}
<style>
body { font: 10.5pt/1.4 "DejaVu Sans", system-ui, sans-serif; }
div#notebook-container { padding: 0; width: auto; box-shadow: none; }
div.cell, div.output_wrapper, div.output { page-break-inside: auto; }
img, svg { max-width: 100%; height: auto; break-inside: avoid; }
pre { white-space: pre-wrap; font-size: 7.8pt; }
h1, h2, h3 { break-after: avoid; }
div[style*="overflow-x"] { overflow: visible !important; max-width: none !important; }
table { font-size: 8pt !important; max-width: 100%; }
td, th { min-width: 0 !important; padding: 2px 6px 2px 2px !important; }
table.tight td, table.tight th { overflow-wrap: anywhere; white-space: normal !important; }
div.output_subarea { max-width: 100%; }
.ied-table button { text-decoration: none !important; } tr { break-inside: avoid; }
.anchor-link { display: none; }
a:not([href^="http"])::after { content: none !important; }
</style>
{%- endblock html_head_css -%}
"""


def student(notebook):
    """A chapter without solutions, and without the folded answers to predictions."""
    made = copy.deepcopy(notebook)
    for cell in made.cells:
        if cell.cell_type == "markdown":
            cell.source = FOLD.sub("", cell.source).rstrip()
    made.cells = [c for c in made.cells if c.source.strip()]
    return made


def handed_out(notebook):
    """The student edition: questions are answered when their cells run, not before."""
    made = student(notebook)
    for cell in made.cells:
        if cell.cell_type == "code" and OUTCOME.search(cell.source):
            cell.outputs, cell.execution_count = [], None
    return made


def solutions(notebook, source: Path, parts: list[str]):
    """A chapter whose exercise cells hold the solutions and whose checks say so.

    `parts`: the exercise cells of the source, in order.
    """
    from inception_edu.teach import exercises
    from inception_edu.teach.grade.slices import needed

    made = copy.deepcopy(notebook)
    solved = iter([parse_exercise(part) for part in parts])
    before: list[str] = []
    for cell in made.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "markdown":
            cell.source = FOLD.sub(_explanation, cell.source).rstrip()
        elif "exercise" in tags:
            exercise = next(solved)
            cell.source, cell.outputs = exercise.solution, []
        elif "check" in tags:
            name = exercise.check.split('"')[1]
            answers = exercises.answer_names(name)
            space: dict = {}
            with contextlib.redirect_stdout(io.StringIO()):
                exec(needed(before, "\n".join(answers)), space)
                verdict = exercises.check(name, *(space[answer] for answer in answers))
            if not verdict.ok:
                raise ValueError(f"{source.name}, exercise {name}: {verdict}")
            data = {"text/html": verdict._repr_html_(), "text/plain": repr(verdict)}
            cell.outputs = [
                new_output("execute_result", data, execution_count=cell.execution_count)
            ]
        if cell.cell_type == "code" and "bootstrap" not in tags:
            before.append(cell.source)
    made.cells = [c for c in made.cells if c.source.strip()]
    return made


def _explanation(fold: re.Match) -> str:
    """What stands under the code of a folded solution; the code is in the cell above."""
    body = re.sub(r"</?details>|<summary>.*?</summary>", "", fold[0])
    return re.sub(r"```python.*?```", "", body, flags=re.DOTALL).strip() + "\n\n"


def slides(notebook) -> str:
    """A slide show, one HTML page with all that it needs; see `slides.py`."""
    return page(student(notebook))


def handout_html(notebook) -> str:
    """A chapter as one page to be printed: every figure, and no code that is folded on screen."""
    from jinja2 import DictLoader
    from nbconvert.exporters import HTMLExporter

    made = student(notebook)
    made.cells = [c for c in made.cells if not {"bootstrap", "check"} & set(_tags(c))]
    made.cells.remove(next(c for c in made.cells if c.cell_type == "code"))  # it imports
    for cell in made.cells:
        if cell.cell_type == "markdown":
            unfolded = HINT.sub("", cell.source).replace("<details>", "<details open>")
            cell.source = formulas(unfolded)
        elif _folded(cell):
            cell.metadata["transient"] = {"remove_source": True}
    exporter = HTMLExporter(
        extra_loaders=[DictLoader({"handout.html.j2": HANDOUT})],
        template_name="classic",
        template_file="handout.html.j2",
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    return exporter.from_notebook_node(made)[0]


def _tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def _folded(cell) -> bool:
    """Cells that show and do not teach: folded ones, and those that only say, ask or answer."""
    return "hide-input" in _tags(cell) or bool(ONLY_SAYS.match(cell.source))


def handout(notebook, file: Path) -> None:
    """The PDF of a chapter, printed by a Chromium that is there (Playwright drives it)."""
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    browser_path = next(filter(None, map(shutil.which, names)), None)
    page_file = file.with_suffix(".html")
    page_file.write_text(handout_html(notebook), encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": PAPER, "height": 1000})
        page.goto(page_file.as_uri(), wait_until="load")
        page.evaluate(TIGHTEN)
        margin = dict.fromkeys(("top", "bottom", "left", "right"), "15mm")
        page.pdf(path=str(file), format="A4", margin=margin, print_background=True)
        browser.close()
    page_file.unlink()


def write(kind: str, folder: Path, chapters: list[tuple[Path, Path, Callable[[], list[str]]]]):
    """Write one edition; yields the files. `chapters`: (source, built notebook, its exercises)."""
    folder.mkdir(parents=True, exist_ok=True)
    for source, built, parts in chapters:
        notebook = nbformat.read(built, as_version=4)
        if kind == "student":
            file = folder / built.name
            nbformat.write(handed_out(notebook), file)
        elif kind == "solutions":
            file = folder / built.name
            nbformat.write(solutions(notebook, source, parts()), file)
        elif kind == "slides":
            file = folder / f"{source.stem}.slides.html"
            file.write_text(slides(notebook), encoding="utf-8")
        else:
            file = folder / f"{source.stem}.pdf"
            handout(notebook, file)
        yield file
