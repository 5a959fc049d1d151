"""Words and visible lines of code of each chapter, now and at another revision.

    python notebooks/count.py                 the chapters as they are
    python notebooks/count.py v0.1            … beside a revision of git

Words are those of text cells and exercise cards; lines are those of code cells that are not folded,
without blank lines, comments and the solutions of exercises. Printing lines are those with `print`.
"""

import re
import subprocess
import sys
from pathlib import Path

import jupytext

from inception_edu.describe.tables import table

SOURCES = Path(__file__).resolve().parent / "src"


def counts(text: str) -> tuple[int, int, int]:
    """(words, visible lines of code, lines that print) of a chapter's source."""
    words = lines = prints = 0
    for cell in jupytext.reads(text, fmt="py:percent").cells:
        if cell.cell_type == "markdown":
            words += len(re.findall(r"\w+", cell.source))
            continue
        source, _, check = cell.source.partition("# check:\n")
        source = re.sub(r"# begin solution.*?# end solution", "", source, flags=re.DOTALL)
        folded = "hide-input" in cell.metadata.get("tags", [])
        for line in [*source.splitlines(), *check.splitlines()]:
            text = line.strip()
            if text.startswith("#"):
                words += (
                    len(re.findall(r"\w+", text)) if cell.source.startswith("# exercise") else 0
                )
            elif text and not folded:
                lines += 1
                prints += "print(" in text
    return words, lines, prints


def at(revision: str, path: Path) -> str:
    name = path.relative_to(SOURCES.parent.parent).as_posix()
    command = ["git", "show", f"{revision}:{name}"]
    return subprocess.run(command, capture_output=True, text=True, cwd=SOURCES).stdout


def main(words: list[str]) -> None:
    rows = []
    for path in sorted(SOURCES.glob("[0-9][0-9]_*.py")):
        now = counts(path.read_text(encoding="utf-8"))
        before = counts(at(words[0], path)) if words else ()
        rows.append((path.stem[:2], *before, *now))
    rows.append(("all", *(sum(column) for column in list(zip(*rows))[1:])))
    names = ["words", "lines of code", "that print"]
    old = [f"{name}, {words[0]}" for name in names] if words else []
    print(table(rows, ["chapter", *old, *names]))


if __name__ == "__main__":
    main(sys.argv[1:])
