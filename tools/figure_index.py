"""docs/figures.md: each figure and table of the paper, and the chapter where it is built.

    python tools/figure_index.py            write it
    python tools/figure_index.py --check    exit 1 where it is out of date

A figure belongs to the chapter that draws it first, with `figure(N)`; what no chapter draws from a
description (the error curves, the tables) belongs to the chapter that names it most often.
"""

import argparse
import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "notebooks" / "src"
TARGET = ROOT / "docs" / "figures.md"

# What Figs. 21 to 26 and the tables show; the other titles come from the descriptions.
CURVES = {
    21: "Top-1 error in training: Inception-v3 and Inception-ResNet-v1",
    22: "Top-5 error in training: Inception-v3 and Inception-ResNet-v1",
    23: "Top-1 error in training: Inception-v4 and Inception-ResNet-v2",
    24: "Top-5 error in training: Inception-v4 and Inception-ResNet-v2",
    25: "Top-5 error in training: all four networks",
    26: "Top-1 error in training: all four networks",
}
TABLES = {
    1: "k, l, m and n of Reduction-A",
    2: "One crop, without the blacklisted images",
    3: "Twelve crops",
    4: "144 crops",
    5: "Ensembles",
}
HEAD = """\
# Figures and tables of the paper

Where each one is built or retold. Made by `python tools/figure_index.py` from the descriptions and
the chapters; a test compares.

| in the paper | what it shows | chapter | section |
|---|---|---|---|
"""


def chapters() -> list[Path]:
    return sorted(SOURCES.glob("[0-9][0-9]_*.py"))


def heading(text: str, line: int) -> str:
    """The heading above a line of a chapter's source."""
    above = text.splitlines()[:line]
    heads = [re.match(r"# #{2,3} (.+)", row) for row in above]
    found = [match[1] for match in heads if match]
    return found[-1] if found else ""


def drawn(text: str) -> dict[int, int]:
    """The figures that a chapter draws with `figure(N)`, each with the first line that does."""
    found = {}
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, (ast.Name, ast.Attribute)):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        owner = getattr(getattr(node.func, "value", None), "id", "ie")
        if name != "figure" or owner not in ("ie", "draw", "describe") or not node.args:
            continue
        number = node.args[0]
        if isinstance(number, ast.Constant) and type(number.value) is int:
            found[number.value] = min(node.lineno, found.get(number.value, node.lineno))
    return found


def named(text: str, kind: str, number: int) -> list[int]:
    """The lines of a chapter that name a figure or table, also within a range of them."""
    found = []
    for at, row in enumerate(text.splitlines(), 1):
        for match in re.finditer(rf"{kind}s?\.? (\d+)(?:(?: to |–|-)(\d+))?(?:,? and (\d+))?", row):
            first, last, other = (int(part) if part else None for part in match.groups())
            if first <= number <= (last or first) or number == other:
                found.append(at)
    return found


def row(label: str, title: str, place: tuple[Path, int] | None) -> str:
    if place is None:
        return f"| {label} | {title} | | |"
    path, line = place
    text = path.read_text(encoding="utf-8")
    name = re.search(r"^# # (.+)$", text, re.MULTILINE)[1]
    link = f"[{path.stem[:2]} · {name}](../notebooks/{path.stem}.ipynb)"
    return f"| {label} | {title} | {link} | {heading(text, line)} |"


def find(number: int, kind: str = "Fig") -> tuple[Path, int] | None:
    """Chapter and line where a figure is drawn, else where it is named."""
    texts = {path: path.read_text(encoding="utf-8") for path in chapters()}
    if kind == "Fig":
        for path, text in texts.items():
            if number in drawn(text):
                return path, drawn(text)[number]
    lines = {path: named(text, kind, number) for path, text in texts.items()}
    most = max(lines, key=lambda path: len(lines[path]))
    return (most, lines[most][0]) if lines[most] else None


def page() -> str:
    sys.path.insert(0, str(ROOT))
    from inception_edu.describe import FIGURES

    titles = {number: figure.title for number, figure in FIGURES.items()} | CURVES
    rows = [row(f"Fig. {number}", titles[number], find(number)) for number in sorted(titles)]
    rows += [row(f"Table {n}", title, find(n, "Table")) for n, title in TABLES.items()]
    return HEAD + "\n".join(rows) + "\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args(arguments)
    text = page()
    if args.check:
        same = TARGET.exists() and TARGET.read_text(encoding="utf-8") == text
        print("" if same else "docs/figures.md is out of date: python tools/figure_index.py")
        return int(not same)
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
