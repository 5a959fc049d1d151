"""The markup of exercises in a chapter's source, and the cells that it becomes.

One code cell of the source holds a whole exercise, solved, so that the source runs as it stands:

    # %%
    # exercise: Add up the branches | ●○○ | 3 min
    # task: Write `channels(block)`, the number of channels that leave a `Concat`.
    #   Lines that follow belong to the task until the next keyword or the first line of code.
    #
    #   A lone `#` is a blank line.
    # hint: A block knows its `branches`.
    # hint: A second hint gets a fold of its own.
    # explain: Text under the code of the folded solution.
    def channels(block):
        # begin solution
        return sum(b.out for b in block.branches)
        # end solution
        # stub: return ...
    # check:
    check("03.1", channels)

`exercise` and `task` are required, `hint` and `explain` are not. The build makes of it: a card
(title, difficulty, minutes, task), the stub cell, the check cell, and the folded hints and
solution. In the stub cell each region from `# begin solution` to `# end solution` is replaced by
the `# stub: CODE` lines right after it (their indentation is kept), or by `...` where there are
none. The check is one line that names chapter and exercise; what it compares with lives in
`inception_edu.teach.exercises`, so that no answer stands in the notebook. Stub and check must run
without an error on the unsolved stub, which must not pass; with the solution it must.
`tests/test_notebooks.py` proves both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nbformat.v4 import new_code_cell, new_markdown_cell

# Code that only says, asks or answers: on paper and in a page its output stands alone.
ONLY_SAYS = re.compile(r"\s*(say|predict|outcome|claim|display\(claim|five_lines|opening_figure)\(")


class SourceError(ValueError):
    """A chapter's source breaks the markup described at the top of this file."""


@dataclass(frozen=True)
class Exercise:
    title: str
    difficulty: str
    minutes: str
    task: str
    hints: tuple[str, ...]
    explain: str
    stub: str
    solution: str
    check: str


def parse_exercise(source: str) -> Exercise:
    """Parse one exercise cell of a source; SourceError names the exercise and what is missing."""
    lines = source.splitlines()
    title = lines[0].removeprefix("# exercise:").strip()
    card = [part.strip() for part in title.split("|")]
    if (
        len(card) != 3
        or set(card[1]) - set("●○")
        or len(card[1]) != 3
        or not re.fullmatch(r"\d+ min", card[2])
    ):
        raise SourceError(
            f"exercise {title!r}: the first line must read `# exercise: title | ●○○ | 3 min`"
        )

    texts: list[tuple[str, list[str]]] = []
    at = 1
    while (
        at < len(lines)
        and lines[at].startswith("#")
        and not lines[at].startswith(("# begin", "# check:"))
    ):
        keyword = re.match(r"# (task|hint|explain): ?(.*)", lines[at])
        if keyword:
            texts.append((keyword[1], [keyword[2]]))
        elif texts:
            texts[-1][1].append(lines[at][1:])
        else:
            raise SourceError(
                f"exercise {title!r}: `# task:` must follow the first line, not {lines[at]!r}"
            )
        at += 1

    def text(keyword):
        return tuple(_paragraphs(first, rest) for key, (first, *rest) in texts if key == keyword)

    if len(text("task")) != 1:
        raise SourceError(f"exercise {title!r}: exactly one `# task:` is needed")
    body = lines[at:]
    if "# check:" not in body:
        raise SourceError(f"exercise {title!r}: the line `# check:` is missing")
    cut = body.index("# check:")
    stub, solution = _stub_and_solution(body[:cut], title)
    check = "\n".join(body[cut + 1 :]).strip()
    if not re.fullmatch(r'check\("\d\d\.\d+", \w+(, \w+)*\)', check):
        raise SourceError(
            f"exercise {title!r}: `# check:` must be followed by one line such as "
            f'`check("03.1", channels)`, not {check!r}'
        )
    return Exercise(
        *card, text("task")[0], text("hint"), "\n\n".join(text("explain")), stub, solution, check
    )


def _paragraphs(first: str, rest: list[str]) -> str:
    """The text of a keyword and its continuation lines, whose common indentation goes."""
    blanks = [len(line) - len(line.lstrip()) for line in rest if line.strip()]
    return "\n".join([first, *(line[min(blanks, default=0) :].rstrip() for line in rest)]).strip()


def _stub_and_solution(lines: list[str], title: str) -> tuple[str, str]:
    stub, solution, region = [], [], None
    for number, line in enumerate(lines):
        mark = line.strip()
        if mark == "# begin solution":
            if region is not None:
                raise SourceError(f"exercise {title!r}: a solution region begins inside another")
            region = line[: line.index("#")]
        elif mark == "# end solution":
            if region is None:
                raise SourceError(
                    f"exercise {title!r}: `# end solution` without `# begin solution`"
                )
            if number + 1 == len(lines) or not lines[number + 1].strip().startswith("# stub: "):
                stub.append(region + "...  # your code here")
            region = None
        elif mark.startswith("# stub: "):
            stub.append(line.replace("# stub: ", "", 1))
        else:
            solution.append(line)
            if region is None:
                stub.append(line)
    if region is not None or len(stub) == len(lines):
        raise SourceError(
            f"exercise {title!r}: `# begin solution` and `# end solution` must mark the solution"
        )
    return "\n".join(stub).strip(), "\n".join(solution).strip()


def exercise_cells(exercise: Exercise, number: int) -> list:
    """The cells that a reader sees. Stub and check carry a tag by which tests find them."""
    folds = [
        ("Hint" if len(exercise.hints) == 1 else f"Hint {n}", hint)
        for n, hint in enumerate(exercise.hints, 1)
    ]
    folds.append(("Solution", f"```python\n{exercise.solution}\n```\n\n{exercise.explain}".strip()))
    folded = "\n\n".join(
        f"<details><summary>{head}</summary>\n\n{body}\n\n</details>" for head, body in folds
    )
    return [
        new_markdown_cell(
            f"### Exercise {number} · {exercise.title}\n\n{exercise.difficulty} · "
            f"{exercise.minutes}"
            f"\n\n{exercise.task}"
        ),
        new_code_cell(exercise.stub, metadata={"tags": ["exercise"]}),
        new_code_cell(exercise.check, metadata={"tags": ["check"]}),
        new_markdown_cell(folded),
    ]
