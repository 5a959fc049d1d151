"""Words and visible lines of code of each chapter, now and at another revision.

    python notebooks/count.py                 the chapters as they are
    python notebooks/count.py 16afd6d         … beside a revision of git
    python notebooks/count.py 16afd6d --write … into docs/chapters.md

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
PAGE = SOURCES.parent.parent / "docs" / "chapters.md"
TABLE = re.compile(r"(<!-- counted.*?-->\n).*?(<!-- end -->)", re.DOTALL)


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
    revision = next((word for word in words if not word.startswith("-")), "")
    rows = []
    for path in sorted(SOURCES.glob("[0-9][0-9]_*.py")):
        now = counts(path.read_text(encoding="utf-8"))
        before = counts(at(revision, path)) if revision else ()
        rows.append((path.stem[:2], *before, *now))
    rows.append(("all", *(sum(column) for column in list(zip(*rows))[1:])))
    names = ["words", "lines of code", "that print"]
    old = [f"{name}, {revision}" for name in names] if revision else []
    found = table(rows, ["chapter", *old, *names])
    print(found)
    if "--write" in words:
        lines = [list(found.columns), ["---", *["---:"] * len(names + old)], *found.texts()]
        text = "".join(f"| {' | '.join(line)} |\n" for line in lines)
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(TABLE.sub(lambda m: m[1] + text + m[2], page), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
