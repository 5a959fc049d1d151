"""Oldest and newest: Python 3.10 to 3.13, each with the lowest packages that pyproject.toml admits
and with the newest. `make versions` calls it.

    python tools/versions.py                 what needs no torch: describe, and its tests
    python tools/versions.py --torch         torch too: several GB for each environment
    python tools/versions.py --python 3.12   only this one
    python tools/versions.py --packages lowest   only with these

For each environment: import every module of `describe`, then run its unit tests. With --torch:
every module of the package, the unit tests of the description, the networks, the data, the training
loop and the statistics, and two chapters in quick mode, whose seconds are kept in data/machines. A
Python that this machine does not have is named as such.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
NEWER = ("3.13",)  # than the lowest packages, which have no files for it
TESTS = ["test_figures.py", "test_draw.py", "test_paths.py", "test_spec.py", "test_networks.py"]
TESTS_WITH_TORCH = ["test_core.py", "test_data.py", "test_train.py", "test_statistics.py"]
CHAPTERS = ("02", "03")
TOOLS = ("pytest", "hypothesis", "tomli", "jupytext", "nbclient", "nbformat")
WITHOUT_TORCH = ("numpy", "matplotlib", "pillow", "pytest", "hypothesis", "tomli")


def find_python(version: str) -> str | None:
    """A Python of this version on this machine."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    candidates = [str(path) for path in sorted(pyenv.glob(f"{version}.*/bin/python"))]
    for python in (*candidates, shutil.which(f"python{version}")):
        # A name on the path may be one that only says that it is not switched on.
        if python and not subprocess.run([python, "--version"], capture_output=True).returncode:
            return python
    return None


def requirements(torch: bool, lowest: bool) -> list[str]:
    """What to install: everything that the project needs, at its lowest or newest version."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        project = tomllib.load(file)["project"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + (extras["lab"] if torch else [])
    wanted += [r for r in extras["dev"] if r.startswith(TOOLS)]
    if not torch:
        wanted = [r for r in wanted if re.match(r"[\w-]+", r)[0].startswith(WITHOUT_TORCH)]
    # The first release of a lower bound: ">=2.7" becomes "~=2.7.0", its last repair.
    return [at_lowest(r) for r in wanted] if lowest else wanted


def at_lowest(requirement: str) -> str:
    name, bound, *marker = re.match(r"([\w-]+)>=([\d.]+)(;.*)?$", requirement.strip()).groups()
    parts = (bound.split(".") + ["0", "0"])[:3]
    return f"{name}~={'.'.join(parts)}{marker[0] or ''}"


def modules(room: str) -> list[str]:
    """Dotted names of the modules of a room; "" is the whole package."""
    files = sorted((ROOT / "inception_edu" / room).rglob("*.py"))
    names = (path.relative_to(ROOT).with_suffix("").parts for path in files)
    return [".".join(part for part in parts if part != "__init__") for parts in names]


def attempt(version: str, lowest: bool, torch: bool) -> str:
    """What came of one environment, in a few words."""
    interpreter = find_python(version)
    if interpreter is None:
        return "this machine has no such Python"
    with tempfile.TemporaryDirectory() as name:
        python = Path(name, "bin", "python")
        subprocess.run([interpreter, "-m", "venv", name], check=True)
        pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        done = subprocess.run([*pip, *requirements(torch, lowest)], capture_output=True, text=True)
        if done.returncode:
            return "cannot be installed: " + last_line(done.stderr)
        settings = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        names = modules("" if torch else "describe")
        names = [n for n in names if not n.endswith("__main__")]
        script = "import importlib, sys; [importlib.import_module(n) for n in sys.argv[1:]]"
        done = subprocess.run(
            [python, "-c", script, *names], capture_output=True, text=True, cwd=ROOT, env=settings
        )
        if done.returncode:
            return "import fails: " + last_line(done.stderr)
        names = TESTS + TESTS_WITH_TORCH if torch else [n for n in TESTS if not needs_torch(n)]
        files = [f"tests/{name}" for name in names]
        command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts=", *files]
        command += ["-o", "timeout="]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=settings)
        said = last_line(done.stdout) or last_line(done.stderr)
        failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
        said = "; ".join([said, *failed])
        if not torch:
            return said
        card = f"Python {version}, the {'lowest' if lowest else 'newest'} packages"
        return f"{said}; {chapters(python, settings, card)}"


def chapters(python: Path, settings: dict[str, str], card: str) -> str:
    """Two chapters, executed in quick mode: the seconds of each, or what went wrong. They are kept
    as those of the machine called `card`."""
    sys.path.insert(0, str(ROOT / "notebooks"))
    import machines

    command = [python, ROOT / "tests" / "on_second_device.py", "cpu", *CHAPTERS]
    quick = settings | {"INCEPTION_EDU_MODE": "quick"}
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run(command, capture_output=True, text=True, cwd=empty, env=quick)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if len(rows) < len(CHAPTERS):
        return "chapters fail: " + last_line(done.stderr)
    kept = [machines.ran(row["name"], row["seconds"], "quick", row["error"]) for row in rows]
    machines.keep(card, kept, **machines.versions(python))
    machines.PAGE.write_text(machines.page(), encoding="utf-8")
    return ", ".join(
        f"{row['name']} {'fails: ' + last_line(row['error']) if row['error'] else row['seconds']}"
        + ("" if row["error"] else " s")
        for row in rows
    )


def needs_torch(test: str) -> bool:
    text = (ROOT / "tests" / test).read_text(encoding="utf-8")
    return bool(re.search(r"^(import|from) (torch|scipy)", text, re.MULTILINE))


def last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1].strip("= ")[:300] if lines else ""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--torch", action="store_true", help="with torch: several GB each")
    parser.add_argument("--python", nargs="*", default=PYTHONS, help="such as 3.12")
    parser.add_argument("--packages", choices=("lowest", "newest"), help="both, if not given")
    args = parser.parse_args(arguments)
    failed = 0
    for version in args.python:
        for lowest in (True, False):
            if args.packages not in (None, "lowest" if lowest else "newest"):
                continue
            if lowest and version in NEWER:
                print(f"Python {version}, lowest packages: older than it; see make colab-test")
                continue
            said = attempt(version, lowest, args.torch)
            failed += "fail" in said or "error" in said or "cannot" in said
            print(f"Python {version}, {'lowest' if lowest else 'newest':6} packages: {said}")
            sys.stdout.flush()
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
