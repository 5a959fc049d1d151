"""Python environments for tests: they borrow torch and the other big packages instead of installing
them again."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COLAB = ("ipywidgets==7.7.1", "ipython==7.34.0", "ipykernel==6.17.1")


def python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def borrowing_venv(folder: Path, *requirements: str) -> Path:
    """A new environment in `folder` with `requirements`; what it lacks comes from the environment
    that runs now.

    The borrowed packages come last on the path, so `requirements` win. Only inception_edu is not
    borrowed.
    Returns the environment's Python.
    """
    venv.create(folder, with_pip=True, clear=True)
    python = python_of(folder)
    if requirements:
        subprocess.run([python, "-m", "pip", "install", "-q", *requirements], check=True)
    borrowed = folder / "borrowed"
    borrowed.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith(("inception_edu", "__editable__", "__pycache__")):
            (borrowed / path.name).symlink_to(path)
    packages = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    Path(packages, "borrowed.pth").write_text(f"{borrowed}\n")
    return python


def colab_like() -> Path:
    """Python of an environment with Colab's ipywidgets, IPython and ipykernel; made once, then
    found again."""
    folder = Path(sys.prefix) / "colab-like"
    done = folder / "done.txt"
    if not done.exists() or done.read_text() != " ".join(COLAB):
        python = borrowing_venv(folder, "ipython-genutils", *COLAB[1:])
        # Without its dependencies: they would bring the classic notebook server.
        subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", COLAB[0]], check=True)
        done.write_text(" ".join(COLAB))
    return python_of(folder)


if __name__ == "__main__":
    print(colab_like())
