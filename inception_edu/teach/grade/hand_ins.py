"""What was handed in: students, their notebooks and journals, and the answers in them."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from inception_edu.teach import exercises
from inception_edu.teach.exercises.cells import bound_names
from inception_edu.teach.grade.slices import needed, statements

JOURNAL = ".jsonl"
NOTEBOOK = ".ipynb"


@dataclass(frozen=True)
class Answer:
    """An exercise, the code that makes the answers, their names, or why there is none."""

    exercise: str
    code: str
    names: tuple[str, ...]
    fault: str = ""


def students(folder: Path) -> dict[str, list[Path]]:
    """{student: notebooks and journals}. ValueError where there is no such folder."""
    if not folder.is_dir():
        raise ValueError(f"There is no folder {folder}.")
    found = {}
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        files = sorted(entry.rglob("*")) if entry.is_dir() else [entry]
        wanted = [f for f in files if f.suffix in (NOTEBOOK, JOURNAL) and f.is_file()]
        wanted = [f for f in wanted if ".ipynb_checkpoints" not in f.parts]
        if wanted or entry.is_dir():
            found[entry.stem if entry.is_file() else entry.name] = wanted
    return found


def code_cells(notebook: Path) -> list[str]:
    """The sources of a notebook's code cells. ValueError where it is no notebook."""
    try:
        content = json.loads(notebook.read_text(encoding="utf-8"))
        cells = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
        return ["".join(cell["source"]) for cell in cells]
    except (ValueError, KeyError, TypeError, UnicodeDecodeError):
        raise ValueError(f"{notebook.name} is no notebook that can be read.") from None


def answers(notebook: Path) -> Iterator[Answer]:
    """The answers of a notebook: one for each line `check("01.2", m)`."""
    cells = code_cells(notebook)
    for place, cell in enumerate(cells):
        for name, given in _checks(cell):
            yield _answer(name, given, cells[:place])


def _checks(cell: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Exercise and names of the answers, for each call of `check` in a cell."""
    try:
        nodes = list(ast.walk(ast.parse(cell)))
    except SyntaxError:
        return
    for node in nodes:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id != "check" or not node.args:
            continue
        first, *rest = node.args
        is_name = isinstance(first, ast.Constant) and isinstance(first.value, str)
        if is_name and all(isinstance(argument, ast.Name) for argument in rest):
            yield first.value, tuple(argument.id for argument in rest)  # type: ignore[attr-defined]


def _answer(name: str, given: tuple[str, ...], before: list[str]) -> Answer:
    try:
        wanted = tuple(exercises.answer_names(name))
    except KeyError:
        return Answer(name, "", given, "There is no such exercise.")
    if len(given) != len(wanted):
        return Answer(name, "", given, f"The check should be given {', '.join(wanted)}.")
    for variable in given:
        makers = [cell for cell in before if variable in bound_names(cell)]
        if not makers:
            return Answer(name, "", given, f"No cell makes `{variable}`.")
        if not statements(makers[-1]):
            return Answer(name, "", given, f"The cell that makes `{variable}` is not valid Python.")
    # The last cell that makes an answer counts, as in a notebook that ran from top to bottom.
    return Answer(name, needed(before, "\n".join(given)), given)
