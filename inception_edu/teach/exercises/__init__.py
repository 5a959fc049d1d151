"""The exercises of the chapters by name.

    check("01.2", m)

A chapter asks, and shows one line that checks; the right answer, the likely mistakes and what to
say about them live here, one file a chapter (`ch01.py`), one function an exercise (`exercise_2`).
Its parameters have the names that the chapter's cells give to the answers.

In a notebook, a cell that stops with an error before it makes such an answer takes the former
answer away: its check then speaks of the error, and not of an answer that is no longer there.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from inception_edu.teach.exercises import cells
from inception_edu.teach.verdict import Verdict

__all__ = ["all_names", "answer_names", "check"]

Exercise = Callable[..., Verdict]


def check(name: str, *answers: Any) -> Verdict:
    """The verdict on the answers to an exercise: `check("01.2", m)`. KeyError: no such exercise.
    ValueError: more or fewer answers than it asks for.

    A wrong answer never raises. The verdict is written into the journal, if one is kept.
    """
    exercise = find(name)
    asked = answer_names(name)
    if len(answers) != len(asked):
        wanted = ", ".join([f'check("{name}"', *asked])
        raise ValueError(f"Exercise {name} takes {len(asked)} answers: write {wanted}).")
    verdict = cells.stopped(answers)
    if verdict is None:  # a wrong verdict is false, too
        verdict = exercise(*answers)
    from inception_edu.teach import journal

    journal.note_verdict(name, verdict)
    return verdict


def find(name: str) -> Exercise:
    """The check of an exercise, as a function of its answers."""
    if not isinstance(name, str) or not re.fullmatch(r"\d\d\.\d+", name):
        raise KeyError(f"An exercise is called like '01.2' (chapter.number), not {name!r}.")
    chapter, number = name.split(".")
    exercise = getattr(_chapter(chapter), f"exercise_{number}", None)
    if exercise is None:
        raise KeyError(f"There is no exercise {name}; there are {', '.join(_names(chapter))}.")
    return exercise


def all_names() -> Iterator[str]:
    """Every exercise: "01.1", "01.2", …"""
    for path in sorted(Path(__file__).parent.glob("ch[0-9][0-9].py")):
        yield from _names(path.stem[2:])


def answer_names(name: str) -> list[str]:
    """What the cells of the chapter call the answers to an exercise."""
    return list(inspect.signature(find(name)).parameters)


@lru_cache(maxsize=1)
def every_answer_name() -> frozenset[str]:
    return frozenset(answer for name in all_names() for answer in answer_names(name))


def _chapter(number: str) -> ModuleType:
    try:
        return importlib.import_module(f"{__name__}.ch{number}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.ch{number}":
            raise
        raise KeyError(f"Chapter {number} has no exercises.") from None


def _names(chapter: str) -> list[str]:
    found = re.findall(r"exercise_(\d+)\b", " ".join(vars(_chapter(chapter))))
    return [f"{chapter}.{number}" for number in sorted(map(int, found))]


cells.follow(every_answer_name)
