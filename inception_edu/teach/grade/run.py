"""Answers run in a process of their own, with a limit on the time of each."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from inception_edu.teach.grade.hand_ins import Answer

START = 60.0  # seconds that the first answer gets on top: torch has to be imported
PACKAGE = Path(__file__).resolve().parents[3]
CHILD = "inception_edu.teach.grade.child"


class _Child:
    """A running child and the lines that it has written."""

    def __init__(self, folder: str):
        keep = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "OMP_NUM_THREADS")
        environment = {name: os.environ[name] for name in keep if name in os.environ}
        environment |= {
            "HOME": folder,
            "TMPDIR": folder,
            "INCEPTION_EDU_JOURNAL": "off",
            "PYTHONPATH": os.pathsep.join([str(PACKAGE), *filter(None, sys.path)]),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=environment,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")  # it has ended

    def ask(self, job: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """Its line on a job; None where it ended without one. TimeoutError."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
        except OSError:
            return None
        try:
            line = self.lines.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError from None
        return json.loads(line) if line else None

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def run(answers: Sequence[Answer], seconds: float = 20.0) -> Iterator[dict[str, Any]]:
    """{"exercise", "state", "message", "diagnosed"} for each answer, in order. An answer that takes
    longer than `seconds`, or that ends the process, is wrong; the next one gets a new process."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        child: _Child | None = None
        try:
            for answer in answers:
                if answer.fault:
                    yield _wrong(answer, answer.fault)
                    continue
                patience = seconds
                if child is None:
                    child, patience = _Child(folder), seconds + START
                job = {"exercise": answer.exercise, "code": answer.code, "names": answer.names}
                try:
                    found = child.ask(job, patience)
                    fault = "Your answer ended Python, or needed too much memory."
                except TimeoutError:
                    found, fault = None, f"Your answer took longer than {seconds:g} s."
                if found is None:
                    child.end()
                    child = None
                yield found or _wrong(answer, fault)
        finally:
            if child is not None:
                child.end()


def _wrong(answer: Answer, message: str) -> dict[str, Any]:
    return {
        "exercise": answer.exercise,
        "state": "wrong",
        "message": message,
        "diagnosed": True,
    }
