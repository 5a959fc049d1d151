"""The table of a class: students and exercises."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inception_edu.describe.tables import Table, table
from inception_edu.teach import journal
from inception_edu.teach.grade.hand_ins import NOTEBOOK, answers, students
from inception_edu.teach.grade.run import run

MARKS = {"right": "✓", "wrong": "✗", "unsolved": "·"}


@dataclass
class Student:
    """A student's results by exercise, and what could not be read."""

    name: str
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def state(self, exercise: str) -> str:
        return self.results.get(exercise, {}).get("state", "unsolved")


def grade(folder: Path, seconds: float = 20.0) -> list[Student]:
    """Every student of a folder. What a notebook shows when it runs counts before what a journal
    says; of several notebooks the best counts. What was not tried takes nothing away."""
    return [_student(name, files, seconds) for name, files in students(folder).items()]


def _student(name: str, files: list[Path], seconds: float) -> Student:
    found = Student(name)
    if not files:
        found.problems.append("handed in no notebook and no journal")
    for file in files:
        if file.suffix != NOTEBOOK:
            _read_journal(found, file)
    for file in files:
        if file.suffix != NOTEBOOK:
            continue
        try:
            made = list(answers(file))
        except ValueError as error:
            found.problems.append(str(error))
            continue
        if not made:
            found.problems.append(f"{file.name} has no check in it")
        for result in run(made, seconds):
            _keep(found, {**result, "from": file.name})
    return found


def _keep(found: Student, result: dict[str, Any]) -> None:
    """Take in what a notebook shows of one exercise."""
    name = result["exercise"]
    earlier = found.results.get(name)
    if earlier is not None:
        from_notebook = earlier["from"].endswith(NOTEBOOK)
        if result["state"] == "unsolved" or (from_notebook and earlier["state"] == "right"):
            return
    found.results[name] = result


def _read_journal(found: Student, file: Path) -> None:
    """The last verdict on each exercise; a right one is not lost by a later try."""
    for entry in journal.entries(file):
        if entry.get("kind") != "verdict" or entry.get("state") not in MARKS:
            continue
        if found.state(entry["name"]) == "right":
            continue
        found.results[entry["name"]] = {
            "exercise": entry["name"],
            "state": entry["state"],
            "message": str(entry.get("message", "")),
            "from": file.name,
        }


def exercises_of(class_: list[Student]) -> list[str]:
    return sorted({e for s in class_ for e in s.results}, key=lambda n: (n[:3], len(n), n))


def gradebook(class_: list[Student]) -> Table:
    """✓ right, ✗ not yet, · not tried: a row a student, a column an exercise."""
    names = exercises_of(class_)
    rows = []
    for student in class_:
        states = [student.state(name) for name in names]
        marks = [MARKS[state] for state in states]
        rows.append((student.name, *marks, states.count("right"), "; ".join(student.problems)))
    right = [sum(s.state(name) == "right" for s in class_) for name in names]
    rows.append(("right", *map(str, right), sum(right), ""))
    return table(
        rows,
        ["student", *names, "right", "remarks"],
        caption="✓ right   ✗ not yet   · not tried",
        strong=[len(rows) - 1],
    )


def write_csv(class_: list[Student], file: Path) -> None:
    """One line a student and exercise, with what the check said."""
    with file.open("w", newline="", encoding="utf-8") as out:
        lines = csv.writer(out)
        lines.writerow(["student", "exercise", "state", "message", "from"])
        for student in class_:
            for name in exercises_of(class_):
                result = student.results.get(name, {})
                state = student.state(name)
                words = "not tried" if state == "unsolved" else state
                lines.writerow(
                    [student.name, name, words, result.get("message", ""), result.get("from", "")]
                )


def diagnoses(class_: list[Student]) -> Table:
    """What was said to whom, and how often."""
    said: dict[tuple[str, str], int] = {}
    for student in class_:
        for name, result in student.results.items():
            if result["state"] == "wrong":
                key = (name, result["message"])
                said[key] = said.get(key, 0) + 1
    rows = [(name, count, message) for (name, message), count in sorted(said.items())]
    return table(rows, ["exercise", "students", "what the check says"])
