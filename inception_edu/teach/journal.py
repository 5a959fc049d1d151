"""The reader's journal: predictions and verdicts, one JSON object a line, in a file of the reader.

In a notebook it is `journal.jsonl` beside the notebook; INCEPTION_EDU_JOURNAL names another file,
or "off". Outside a notebook nothing is written unless the variable names a file. Answers to
exercises are not kept, only what the check said. The file can be handed in (`teach.grade`).
"""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from inception_edu.teach.verdict import Verdict

FILE = "journal.jsonl"


def path() -> Path | None:
    """Where the journal is kept; None where none is."""
    named = os.environ.get("INCEPTION_EDU_JOURNAL", "")
    if named.lower() == "off":
        return None
    if named:
        return Path(named).expanduser()
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    in_a_notebook = shell is not None and hasattr(shell, "kernel")
    return Path.cwd() / FILE if in_a_notebook else None


def note(kind: str, name: str, **content: Any) -> None:
    """Add a line. It is written at once and as a whole, so that two notebooks can share the file.
    Where the disk refuses, a sentence says so, once, and the chapter goes on without a journal."""
    file = path()
    if file is None:
        return
    time = datetime.now(timezone.utc).isoformat(timespec="seconds")
    line = json.dumps({"time": time, "kind": kind, "name": name, **content}, ensure_ascii=False)
    try:
        _append(file, f"{line}\n".encode())
        _refused.pop(file, None)
    except OSError as error:
        if file not in _refused:
            _refused[file] = (
                f"Your journal {file} cannot be written: {error.strerror}. What it held is as it "
                "was; what you predict and solve now is not kept."
            )
            print(_refused[file])


_refused: dict[Path, str] = {}


def refused() -> str:
    """Why the last line could not be written, as a sentence; "" where it was, or none is kept."""
    file = path()
    return _refused.get(file, "") if file else ""


def _append(file: Path, line: bytes) -> None:
    """The line is in the file as a whole, or the file is as it was."""
    handle = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        size = os.fstat(handle).st_size
        try:
            written = os.write(handle, line)
        except OSError:
            written = 0
            raise
        finally:
            if 0 < written < len(line):  # the disk is full
                os.ftruncate(handle, size)
        if written < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(handle)


def note_verdict(name: str, verdict: Verdict) -> None:
    """Keep what a check said; an answer that is still a stub is no news."""
    if verdict.state != "unsolved":
        note("verdict", name, state=verdict.state, message=verdict.message)


def entries(file: Path | None = None) -> Iterator[dict[str, Any]]:
    """The journal's lines, oldest first. A line that is no whole entry (the machine went off while
    it was written) is left out."""
    file = path() if file is None else file
    if file is None or not file.is_file():
        return
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            yield entry


def last(kind: str, name: str) -> dict[str, Any] | None:
    """The newest entry of a kind and name."""
    found = [e for e in entries() if e.get("kind") == kind and e["name"] == name]
    return found[-1] if found else None
