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


# What changes files, with the number of paths that it names.
CHANGES = {
    "os.remove": 1,
    "os.rename": 2,
    "os.rmdir": 1,
    "os.mkdir": 1,
    "os.truncate": 1,
    "os.chmod": 1,
    "os.link": 2,
    "os.symlink": 2,
    "shutil.rmtree": 1,
}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def guard(folder: str) -> None:
    """From now on files outside `folder` can be read only: no answer deletes what others handed in
    by mistake."""

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            paths = arguments[:1] if arguments[2] & WRITING else ()
        else:
            paths = arguments[: CHANGES.get(event, 0)]
        for path in paths:
            if not isinstance(path, (str, bytes, os.PathLike)):
                continue  # a file that is open already
            place = os.path.realpath(os.fsdecode(path))
            if place != os.devnull and not place.startswith(folder + os.sep):
                raise PermissionError(
                    f"an answer may change files in its own folder only, not {place}"
                )

    sys.addaudithook(look)


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
    guard(os.path.realpath(os.getcwd()))
    for line in sys.stdin:
        job = json.loads(line)
        with contextlib.redirect_stdout(io.StringIO()):
            found = judge(job)
        out.write(json.dumps({"exercise": job["exercise"], **found}) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
