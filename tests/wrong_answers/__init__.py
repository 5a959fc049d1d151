"""Wrong answers to every exercise, as students give them, and what the checks make of them.

    python -m wrong_answers            (in tests/) a table a set: refused and diagnosed, by chapter
    python -m wrong_answers fresh      one set
    python -m wrong_answers 03 -v      one chapter, and what is said to each undiagnosed answer

There are six sets: `answers/chNN.txt`, `fresh/`, `third/`, `fourth/` for three chapters, `fifth/`
for the other ten, and `sixth/`.
`== 01.2` begins an exercise, `--` divides its answers. Each is what a student would write into the
stub cell.

`answers` was written after reading the checks of that day: it shows that what they know is still
known. `fresh` was written from the text of the tasks alone, before a look at any check: its first
run, in README.md, says how much of what a student may do the checks knew. Those from `third` to
`sixth` were written in the same way after the checks had been mended with the help of the others.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import build

from inception_edu.teach import exercises
from inception_edu.teach.exercises.cells import Stopped
from inception_edu.teach.grade.slices import needed
from inception_edu.teach.verdict import Verdict

HERE = Path(__file__).parent
SETS = ("answers", "fresh", "third", "fourth", "fifth", "sixth")


@dataclass(frozen=True)
class Tried:
    exercise: str
    code: str
    verdict: Verdict

    @property
    def refused(self) -> bool:
        return not self.verdict.ok

    @property
    def diagnosed(self) -> bool:
        """The message names the mistake. An answer that is taken for a stub is not diagnosed."""
        return self.verdict.state == "wrong" and self.verdict.diagnosed


def chapters() -> list[str]:
    return sorted(path.stem[2:] for path in (HERE / SETS[0]).glob("ch*.txt"))


def answers(chapter: str, which: str = "answers") -> dict[str, list[str]]:
    """{exercise: its wrong answers} of a chapter such as "01", from one of the SETS; empty where
    the set has none of this chapter."""
    found: dict[str, list[str]] = {}
    path = HERE / which / f"ch{chapter}.txt"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    for part in re.split(r"^== ", text, flags=re.M)[1:]:
        name, _, body = part.partition("\n")
        found[name.strip()] = [code.strip("\n") for code in body.split("\n--\n")]
    return found


def only_here(chapter: str, which: str) -> dict[str, set[str]]:
    """{exercise: the answers of a set that no other set has}, spacing and comments aside."""

    def tree(code: str) -> str:
        return ast.dump(ast.parse(code))

    elsewhere: dict[str, set[str]] = {}
    for other in SETS:
        if other != which:
            for name, codes in answers(chapter, other).items():
                elsewhere.setdefault(name, set()).update(map(tree, codes))
    return {
        name: {code for code in codes if tree(code) not in elsewhere.get(name, set())}
        for name, codes in answers(chapter, which).items()
    }


def tried(chapter: str, which: str = "answers", right: bool = False) -> Iterator[Tried]:
    """Every wrong answer of a chapter, checked; with `right` the solutions in their place."""
    (source,) = build.sources(chapter)
    cells = [c for c in build.transform(source).cells if c.cell_type == "code"]
    solutions = iter(build.parse_exercises(source))
    before: list[str] = []
    wrong = answers(chapter, which)
    for cell in cells:
        if "exercise" in cell.metadata.get("tags", []):
            solution = next(solutions)
            name = solution.check.split('"')[1]
            for code in [solution.solution] if right else wrong.get(name, []):
                yield Tried(name, code, verdict(name, before, solution.solution, code))
            before.append(solution.solution)
        elif not {"check", "bootstrap"} & set(cell.metadata.get("tags", [])):
            before.append(cell.source)


def verdict(name: str, before: list[str], solution: str, code: str) -> Verdict:
    """What the check says about a wrong answer, in a namespace that holds what it needs."""
    space: dict = {}
    names = exercises.answer_names(name)
    with contextlib.redirect_stdout(io.StringIO()):
        exec(needed(before, f"{solution}\n{code}"), space)
        exec(solution, space)  # the helpers that the stub brings
        for answer in names:
            del space[answer]
        try:
            exec(code, space)
        except Exception as error:  # noqa: BLE001 - a student's code
            for answer in names:
                space[answer] = Stopped(answer, error)
        return exercises.check(name, *(space[answer] for answer in names))
