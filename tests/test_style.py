"""The whole project is clean for ruff: what it checks, and how it lays lines out."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("command", (["check", "--output-format=concise"], ["format", "--check"]))
def test_ruff_finds_nothing(command):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--no-cache", ROOT], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
