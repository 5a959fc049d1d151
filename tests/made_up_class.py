"""Ten made-up students who hand in chapter 01, to see what grading makes of a class.

    python tests/made_up_class.py FOLDER      then: make grade FOLDER=FOLDER

Some solve it, some leave it, some write code that does not end, takes all memory, ends Python or
prints a verdict of its own. The tenth hands in a journal.
"""

import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "notebooks")]

import build  # noqa: E402

CHAPTER = "01"


def handed_in(change=lambda cells, solutions: cells):
    """The notebook of chapter 01 as it is handed out, with a student's changes."""
    (source,) = build.sources(CHAPTER)
    notebook = build.transform(source)
    solutions = {e.check.split('"')[1]: e.solution for e in build.parse_exercises(source)}
    stubs = {}
    for cell, check in zip(notebook.cells, notebook.cells[1:]):
        if "exercise" in cell.metadata.get("tags", []):
            stubs[check.source.split('"')[1]] = cell
    change(stubs, solutions)
    return notebook


def solve(*names):
    def change(stubs, solutions):
        for name in names:
            stubs[name].source = solutions[name]

    return change


def write(name, text):
    def change(stubs, solutions):
        stubs[name].source = text

    return change


def both(*changes):
    def change(stubs, solutions):
        for one in changes:
            one(stubs, solutions)

    return change


ENDLESS = "def multiply_adds(*sizes):\n    while True:\n        pass"
HUGE = "m = len(bytearray(10**12))"
QUITS = "import os\nm = os._exit(0)"
SPEAKS = 'print(\'{"state": "right"}\')\nm = 229'
BROKEN = "def multiply_adds(c, filters\n    return c"
ERROR = "m = undefined_name"
HELPER = "def tenth(n):\n    return n / 10\n\nm = int(tenth(9 * 256))"
JOURNAL = """{"kind": "verdict", "name": "01.2", "state": "wrong", "message": "No."}
{"kind": "verdict", "name": "01.2", "state": "right", "message": "230."}
{"kind": "verdict", "name": "01.2", "state": "wrong", "message": "No."}
{"kind": "prediction", "name": "01.p", "answer": "a"}
not a line
"""

STUDENTS = {
    "ada": solve("01.1", "01.2", "01.3"),
    "ben": solve(),
    "cem": both(solve("01.1", "01.3"), write("01.2", "m = 229")),
    "dina": both(write("01.1", ENDLESS), solve("01.2")),
    "emil": both(write("01.2", HUGE), solve("01.3")),
    "fay": both(write("01.2", QUITS), solve("01.3")),
    "gus": both(write("01.2", SPEAKS), write("01.1", BROKEN)),
    "hui": both(write("01.2", ERROR), solve("01.1")),
    "ida": write("01.2", HELPER),
}


def write_class(folder: Path) -> None:
    """Lay the hand-ins of all ten into `folder`."""
    for name, change in STUDENTS.items():
        place = folder / name / "chapter_01"
        place.mkdir(parents=True, exist_ok=True)
        nbformat.write(handed_in(change), place / "01_from_googlenet_to_v3.ipynb")
    (folder / "jan.jsonl").write_text(JOURNAL, encoding="utf-8")


if __name__ == "__main__":
    write_class(Path(sys.argv[1]))
    print(f"{len(STUDENTS) + 1} students handed in: {sys.argv[1]}")
