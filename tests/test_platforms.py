"""What a Linux machine can show of Windows and macOS: commands that print where the console knows
few signs, and folders whose names have spaces and umlauts."""

import os
import shutil
import subprocess
import sys
import zipfile
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


def test_the_list_of_experiments_prints_in_cp1252():
    done = run("-m", "inception_edu.study", "list")
    assert done.returncode == 0, done.stderr.decode("cp1252")
    assert done.stdout.count(b"multiply-adds") >= 10


def test_a_class_is_graded_in_cp1252(tmp_path):
    """Where the console has no ✓, a + stands in its place, not a question mark."""
    for name in ("Zoë Müller", "山田"):
        (tmp_path / name).mkdir()
        shutil.copy(ROOT / "notebooks" / "02_stem.ipynb", tmp_path / name)
    done = run("-m", "inception_edu.teach.grade", str(tmp_path), "--csv", str(tmp_path / "a.csv"))
    assert done.returncode == 0, done.stderr.decode("cp1252")
    said = done.stdout.decode("cp1252")
    assert "Zoë Müller" in said and "+ right" in said and "- not yet" in said
    assert "山田" in (tmp_path / "a.csv").read_text(encoding="utf-8-sig")


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
import zipfile
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


@pytest.fixture(scope="module")
def far_away(tmp_path_factory):
    """A copy of what `make colab` reads, in a folder with a space and umlauts."""
    folder = tmp_path_factory.mktemp("home") / "Übung für Zoë"
    folder.mkdir()
    leave = shutil.ignore_patterns("__pycache__", "photographs*")
    for name in ("inception_edu", "data", "notebooks"):
        shutil.copytree(ROOT / name, folder / name, ignore=leave)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    return folder


def run_there(folder, *command, **environment):
    """As `run`, in that folder: with its package, and nothing of this checkout."""
    settings = os.environ | {"PYTHONPATH": str(folder), "PYTHONIOENCODING": "cp1252"} | environment
    return subprocess.run([sys.executable, *command], cwd=folder, env=settings, capture_output=True)


def test_make_colab_in_a_folder_with_a_space_and_umlauts(far_away):
    done = run_there(far_away, "notebooks/build.py", "--colab")
    assert done.returncode == 0, done.stderr.decode("cp1252")
    with zipfile.ZipFile(far_away / "dist" / "inception_edu_colab.zip") as bundle:
        names = bundle.namelist()
    assert sum(name.endswith(".whl") for name in names) == 1
    assert sum(name.endswith(".ipynb") for name in names) >= 14


SWEEP = """
from pathlib import Path
import inception_edu
from inception_edu.study import Config, Recipe, local_executor, sweep

if __name__ == "__main__":
    assert "Zo\\u00eb" in inception_edu.__file__, inception_edu.__file__
    recipe = Recipe(steps=2, batch_size=8)
    arguments = {"width": 16, "depth": 1}
    configs = [
        Config("one", "tower", arguments, recipe, seed, "scales", test_images=16) for seed in (0, 1)
    ]
    folder = Path("Ergebnisse f\\u00fcr heute")
    with local_executor(2) as workers:
        results = sweep(configs, workers, folder=folder, progress=False)
    again = sweep(configs, folder=folder, progress=False)
    print([r.status for r in results], again == results, len(list(folder.glob("*.json"))))
"""


def test_a_sweep_on_processes_in_such_a_folder(far_away):
    """Each worker is a new process (`spawn`, as on Windows and macOS)."""
    (far_away / "mein Lauf.py").write_text(SWEEP, encoding="utf-8")
    done = run_there(far_away, "mein Lauf.py")
    assert done.returncode == 0, done.stderr.decode("cp1252")
    assert done.stdout.decode("cp1252").split() == "['finished', 'finished'] True 2".split()
