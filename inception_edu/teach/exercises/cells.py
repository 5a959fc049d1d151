"""What happened to the cell above: answers of cells that stopped with an error are taken away.

IPython tells after every cell whether it failed (`post_run_cell`; IPython 7, as in Colab, too).
Where a failed cell would have made an answer, the answer's name is given to a `Stopped` that knows
the error. Names that are no answers are left alone.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Collection, Iterable
from typing import Any

from inception_edu.teach.shell import at_each_cell
from inception_edu.teach.verdict import Verdict, in_words, wrong


class Stopped:
    """Stands for an answer whose cell stopped with an error."""

    def __init__(self, name: str, error: BaseException):
        self.name, self.error = name, error

    def __repr__(self) -> str:
        return f"<no {self.name}: its cell stopped with {in_words(self.error)}>"


def stopped(answers: Iterable[Any]) -> Verdict | None:
    """The verdict on answers of which one was never made; None where all were."""
    for answer in answers:
        if isinstance(answer, Stopped):
            return wrong(
                f"The cell that makes `{answer.name}` stopped with an error, so there is no answer "
                f"yet. Mend it and run it again: {in_words(answer.error)}"
            )
    return None


def follow(answer_names: Callable[[], Collection[str]]) -> None:
    """From now on look at every cell of this notebook; nothing outside IPython. A second call
    replaces the first."""

    def after(result: Any) -> None:
        error = result.error_before_exec or result.error_in_exec
        if error is None or getattr(result, "info", None) is None:
            return
        wanted = set(bound_names(result.info.raw_cell or "")) & set(answer_names())
        shell = sys.modules["IPython"].get_ipython()
        for name in wanted:
            shell.user_ns[name] = Stopped(name, error)

    at_each_cell("post_run_cell", after)


def bound_names(source: str) -> list[str]:
    """The names that a cell binds at its top level, also where it is not valid Python."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return re.findall(r"^(?:(?:async )?def |class )?(\w+)\s*(?=[(:=])(?!==)", source, re.M)
    names: list[str] = []
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.append(statement.name)
            continue
        stored = (n for n in ast.walk(statement) if isinstance(n, ast.Name))
        names += [n.id for n in stored if isinstance(n.ctx, ast.Store)]
    return names
