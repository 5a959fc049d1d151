"""The whole package passes the type checker, as `[tool.mypy]` in pyproject.toml sets it."""

import subprocess
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]


def test_every_file_of_the_package_is_checked():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert settings["files"] == ["inception_edu"]
    assert "exclude" not in settings
    silenced = [
        file.name
        for file in (ROOT / "inception_edu").rglob("*.py")
        if "# type: ignore\n" in file.read_text(encoding="utf-8")
        or "# mypy: ignore-errors" in file.read_text(encoding="utf-8")
    ]
    assert not silenced, "an ignore names the error that it means"


def test_mypy_finds_nothing():
    """One process; what was checked before comes from its cache (half a minute without)."""
    pytest.importorskip("mypy")
    done = subprocess.run(
        [sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True, timeout=800
    )
    assert done.returncode == 0, done.stdout + done.stderr
