"""What a Linux machine can show of Windows and macOS: commands that print where the console knows
few signs, and folders whose names have spaces and umlauts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(
    path.parent.relative_to(ROOT).as_posix().replace("/", ".")
    for path in (ROOT / "inception_edu").rglob("__main__.py")
)
SCRIPTS = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("tools", "notebooks", "data")
    for path in (ROOT / folder).glob("*.py")
    if "argparse.ArgumentParser" in path.read_text(encoding="utf-8")
)


def run(*command, **environment):
    """Run Python as on a Windows whose pipes are not UTF-8."""
    settings = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "cp1252"} | environment
    return subprocess.run([sys.executable, *command], cwd=ROOT, env=settings, capture_output=True)


@pytest.mark.parametrize("module", MODULES)
def test_each_command_of_the_package_prints_in_cp1252(module):
    arguments = [] if module.endswith("claims") else ["--help"]
    done = run("-m", module, *arguments)
    assert b"UnicodeEncodeError" not in done.stderr, done.stderr.decode("cp1252")
    assert done.stdout


def test_the_table_of_claims_prints_in_cp1252():
    done = run("-m", "inception_edu.study", "claims")
    assert done.returncode == 0, done.stderr.decode("cp1252")
    assert done.stdout.decode("cp1252").startswith("C1 ")


@pytest.mark.parametrize("script", SCRIPTS)
def test_each_script_explains_itself_in_cp1252(script):
    done = run(script, "--help")
    assert done.returncode == 0 and done.stdout, done.stderr.decode("cp1252")


def test_text_files_are_read_and_written_as_utf_8():
    """Without `encoding=`, Windows takes its own: every file of the project names it."""
    done = run("-X", "warn_default_encoding", "-W", "error::EncodingWarning", "-c", READS)
    assert done.returncode == 0, done.stderr.decode("cp1252")


READS = """
import sys
sys.path[:0] = ["tools", "notebooks"]
import live_pages, website, work
website.head(website.chapters()[0])
website.front_page()
website.claims_page()
live_pages.components()
from inception_edu.labs.page import script, style
script("diagram"), style("lab")
"""


def test_make_lab_in_a_folder_with_a_space_and_an_umlaut(tmp_path):
    folder = tmp_path / "mein Übungsordner"
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    (folder / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    # Programs that say how they were called.
    for name in ("python", "jupyter-lab"):
        program = folder / ".venv" / "bin" / name
        program.write_text(f'#!/bin/sh\necho {name} "$@"\n')
        program.chmod(0o755)
    done = subprocess.run(
        ["make", "lab", "ARGS="], cwd=folder, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    said = [row for row in done.stdout.splitlines() if row.startswith(("python ", "jupyter-lab "))]
    assert said[:2] == ["python tools/install.py lab", "python tools/work.py"]
    assert said[2].startswith("jupyter-lab ") and said[2].endswith("work/00_start_here.ipynb")
