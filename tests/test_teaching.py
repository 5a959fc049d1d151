"""docs/TEACHING.md says of the chapters, and of their checks, what is there."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "TEACHING.md").read_text(encoding="utf-8")
SOURCES = sorted((ROOT / "notebooks" / "src").glob("[0-9]*.py"))


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    part = PAGE.split(f"\n## {heading}")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [re.split(r"\s*\|\s*", line.strip("| ")) for line in lines[1:]]


def test_the_sections_that_a_lesson_names_are_in_the_chapters():
    headings = {}
    for path in SOURCES:
        found = re.findall(r"^# #+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        headings[path.stem[:2]] = found
    lab = PAGE.split("## A lab of three hours")[1].split("\n## ")[0]
    named = [
        (chapter, " ".join(groups).strip())
        for chapter, text in re.findall(r"Chapter (\d\d): ([^|]+)", lab)
        for groups in re.findall(r"\*([^*]+)\*|(Experiment \d)", text)
    ]
    assert len(named) >= 8
    for chapter, section in named:
        assert any(head.startswith(section.rstrip("?")) for head in headings[chapter]), section
    lecture = PAGE.split("## A lecture of 90 minutes")[1].split("\n## ")[0]
    everywhere = [head for found in headings.values() for head in found]
    for section in re.findall(r"\*([A-Z][^*]+)\*", lecture):
        assert section in everywhere, section


def test_the_minutes_of_the_lecture_and_of_the_lab_add_up():
    assert sum(int(row[0]) for row in rows("A lecture of 90 minutes")) == 90
    assert sum(int(row[0]) for row in rows("A lab of three hours")) == 180


def test_what_the_page_says_that_a_check_says_is_what_it_says():
    """A number that the check computes stands as {…} in its source."""
    said = []
    for path in (ROOT / "inception_edu" / "teach").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [n.value if isinstance(n, ast.Constant) else None for n in node.values]
                said.append("".join(".+" if p is None else re.escape(p) for p in parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                said.append(re.escape(node.value))
    said = [pattern for pattern in said if len(pattern) > 20]
    quoted = rows("What students get wrong")
    assert len(quoted) >= 12
    asked = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    for exercise, _, sentence in quoted:
        assert any(re.search(pattern, sentence) for pattern in said), sentence
        assert f'check("{exercise.split()[0]}"' in asked
