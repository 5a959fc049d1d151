"""The process in which answers run: reads jobs from standard input, writes a line for each.

A line is {"exercise", "state", "message", "diagnosed"}. Whatever the answers print goes nowhere.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from typing import Any

MEMORY = 8 * 2**30  # address space; torch alone maps about 3 GB
FILE = 64 * 2**20


def limit() -> None:
    """Limits on memory and files, where the system has them."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for what, size in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_FSIZE, FILE)):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (size, size))


def judge(job: dict[str, Any]) -> dict[str, Any]:
    """The verdict on one answer."""
    from inception_edu.teach import exercises
    from inception_edu.teach.verdict import in_words

    space: dict[str, Any] = {"__name__": "answer"}
    try:
        exec(compile(job["code"], "<answer>", "exec"), space)
        answers = [space[name] for name in job["names"]]
    except (Exception, SystemExit) as error:
        message = f"The cell stopped with {in_words(error)}"
        return {"state": "wrong", "message": message, "diagnosed": True}
    verdict = exercises.check(job["exercise"], *answers)
    return {
        "state": verdict.state,
        "message": verdict.message,
        "diagnosed": verdict.diagnosed,
    }


def main() -> None:
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    limit()
    with contextlib.suppress(ImportError):
        import torch  # noqa: F401 - now, so that no answer's time is spent on it
    for line in sys.stdin:
        job = json.loads(line)
        with contextlib.redirect_stdout(io.StringIO()):
            found = judge(job)
        out.write(json.dumps({"exercise": job["exercise"], **found}) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
