"""How long a chapter takes: words, code and exercises are counted, waiting is measured.

    python notebooks/minutes.py               a row a chapter

Reading is reckoned at 120 words and 12 visible lines of code a minute, slower than a novel is read:
the reader stops to think, and English may be a second language. The minutes of an exercise stand on
its card. Waiting is what running all cells took on the slowest machine of `data/machines` that ran
the chapter; where there is none, nothing is said. To measure it anew, beside other programs:

    python notebooks/build.py --force --machine "two cores without a GPU, other programs open"
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import machines
from count import counts

from inception_edu.describe.tables import table

WORDS_A_MINUTE = 120
LINES_A_MINUTE = 12
SOURCES = Path(__file__).resolve().parent / "src"
PAGE = SOURCES.parent.parent / "docs" / "TEACHING.md"
DAY = re.compile(r"(<!-- (minutes|exercises) ([\d ]+) -->)\d+")


def minutes(source: Path) -> tuple[int, int, int]:
    """(all of it, exercises alone, number of exercises): minutes for a reader, waiting included."""
    text = source.read_text(encoding="utf-8")
    words, lines, _ = counts(text)
    cards = re.findall(r"^# exercise:.*\| (\d+) min *$", text, re.MULTILINE)
    own = sum(map(int, cards))
    reading = words / WORDS_A_MINUTE + lines / LINES_A_MINUTE
    seconds = max((row["seconds"] for _, row in _waited(source.stem)), default=0)
    return 5 * max(1, round((reading + own + seconds / 60) / 5)), own, len(cards)


def _waited(name: str) -> list[tuple[dict, dict]]:
    """(machine, line of the chapter) for each machine that ran it in standard mode."""
    wanted = (name, "standard", "ran")
    return [
        (content, row)
        for content in machines.found()
        for row in content["chapters"]
        if (row["chapter"], row["mode"], row["status"]) == wanted
    ]


def waiting(name: str) -> list[str]:
    """What running all cells of a chapter took in standard mode, a phrase for each machine that was
    measured."""
    told = []
    for content, row in _waited(name):
        together = content.get("together", 1)
        beside = f" ({together} chapters at a time)" if together > 1 else ""
        told.append(f"{row['seconds']:.0f} s on {content['machine']['card']}{beside}")
    return told


def sentence(source: Path) -> str:
    """The line on time at the head of a chapter."""
    whole, own, count = minutes(source)
    exercises = f", {own} of them for {count} exercises" if count else ""
    measured = waiting(source.stem)
    told = f"**Time.** About {whole} minutes{exercises}."
    took = f" Running all cells took {' and '.join(measured)}; the longest wait is counted."
    return told + (took if measured else "")


def row(sources: Sequence[Path]) -> str:
    """The minutes of all chapters as a Markdown table of one row, with their sum."""
    whole = [minutes(path)[0] for path in sources]
    heads = ["chapter", *(path.stem[:2] for path in sources), "all"]
    cells = ["minutes", *map(str, whole), str(sum(whole))]
    lines = (heads, ["---"] * len(heads), cells)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def page() -> str:
    """docs/TEACHING.md with the minutes of its days made new. What chapters 03 and 04 take together
    stands behind `<!-- minutes 03 04 -->`, the exercises alone behind `<!-- exercises 07 -->`."""

    def counted(match: re.Match[str]) -> str:
        column = ("minutes", "exercises").index(match[2])
        paths = [next(SOURCES.glob(f"{chapter}_*.py")) for chapter in match[3].split()]
        return f"{match[1]}{sum(minutes(path)[column] for path in paths)}"

    return DAY.sub(counted, PAGE.read_text(encoding="utf-8"))


def main(sources: Sequence[Path]) -> None:
    rows = [(path.stem[:2], *minutes(path), "; ".join(waiting(path.stem))) for path in sources]
    totals = [sum(row[place] for row in rows) for place in (1, 2, 3)]
    columns = ["chapter", "minutes", "exercises (minutes)", "exercises", "running all cells"]
    print(table([*rows, ("all", *totals, "")], columns))


if __name__ == "__main__":
    main(sorted(SOURCES.glob("[0-9][0-9]_*.py")))
