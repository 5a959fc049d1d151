"""Wrong answers to every exercise, as students give them, and what the checks make of them.

    python -m wrong_answers            (in tests/) the table: refused and diagnosed, by chapter
    python -m wrong_answers 03 -v      one chapter, and what is said to each undiagnosed answer

`answers/chNN.txt` holds them: `== 01.2` begins an exercise, `--` divides its answers. Each is what
a student would write into the stub cell. They were written from the tasks, without a look at what
the checks know.
"""

from __future__ import annotations

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

ANSWERS = Path(__file__).parent / "answers"


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


def answers(chapter: str) -> dict[str, list[str]]:
    """{exercise: its wrong answers} of a chapter such as "01"."""
    found: dict[str, list[str]] = {}
    text = (ANSWERS / f"ch{chapter}.txt").read_text(encoding="utf-8")
    for part in re.split(r"^== ", text, flags=re.M)[1:]:
        name, _, body = part.partition("\n")
        found[name.strip()] = [code.strip("\n") for code in body.split("\n--\n")]
    return found


def tried(chapter: str, right: bool = False) -> Iterator[Tried]:
    """Every wrong answer of a chapter, checked; with `right` the solutions in their place."""
    (source,) = build.sources(chapter)
    cells = [c for c in build.transform(source).cells if c.cell_type == "code"]
    solutions = iter(build.parse_exercises(source))
    before: list[str] = []
    wrong = answers(chapter)
    for cell in cells:
        if "exercise" in cell.metadata.get("tags", []):
            solution = next(solutions)
            name = solution.check.split('"')[1]
            for code in [solution.solution] if right else wrong[name]:
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
