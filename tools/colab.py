"""The chapters as Colab runs them: `make colab-test`.

    python tools/colab.py             every chapter in quick mode, then the labs
    python tools/colab.py 03 08       only these chapters, no labs
    python tools/colab.py 03 --alone  a chapter opened alone: nothing is uploaded

Makes, once, an environment in .colab/env with Python 3.13 and the versions of Colab (August 2026);
several GB are downloaded for it. In it, each chapter is executed from its first cell, which
installs the bundle, in an empty folder that holds nothing but the bundle. The kernel believes to be
on Colab: the labs train in the foreground there. The seconds are kept in data/machines.

With --alone the folder is empty: the first cell installs the project from its address, which is a
bare git repository on this machine with the last commit of this checkout.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from versions import find_python

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".colab"

# As Colab had them in August 2026. timm, tqdm, pandas and scipy are there; torchinfo is not.
VERSIONS = [
    *("torch==2.11.*", "torchvision==0.26.*", "numpy==2.1.*", "matplotlib==3.10.*"),
    *("ipython==7.34.0", "ipykernel==6.17.1", "anywidget==0.9.*", "jupyter-client<8"),
    *("timm", "tqdm", "pandas", "scipy", "ipython-genutils"),
    *("widgetsnbextension~=3.6.0", "jupyterlab-widgets<3"),
]
# Without its dependencies, which would bring the classic notebook server.
WIDGETS = "ipywidgets==7.7.1"
# What the first cell of a chapter installs: taken out again before each run.
OURS = ["inception-edu", "torchinfo", "captum"]

# Run by IPython before the first cell.
STARTUP = "import sys, types\nsys.modules['google.colab'] = types.ModuleType('google.colab')\n"


def environment() -> Path:
    """Python of the environment like Colab's; made once, then found again."""
    python = FOLDER / "env" / "bin" / "python"
    done = FOLDER / "done.txt"
    wanted = "\n".join([*VERSIONS, WIDGETS])
    if not done.exists() or done.read_text() != wanted:
        newest = find_python("3.13")
        if newest is None:
            sys.exit("Colab has Python 3.13 and this machine has none: install it.")
        subprocess.run([newest, "-m", "venv", "--clear", FOLDER / "env"], check=True)
        pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, *VERSIONS], check=True)
        subprocess.run([*pip, "--no-deps", WIDGETS], check=True)
        done.write_text(wanted)
    return python


def forget(python: Path) -> None:
    """Take out again what the first cell of a chapter installs."""
    remove = [python, "-m", "pip", "uninstall", "-q", "-y", *OURS]
    subprocess.run(remove, check=True, capture_output=True)


def published(folder: Path) -> str:
    """The address of a bare git repository in `folder` that holds the last commit."""
    subprocess.run(["git", "clone", "-q", "--bare", ROOT, folder], check=True)
    return folder.as_uri()


def execute(name: str, notebook, bundle: Path | None, python: Path, **variables: str) -> dict:
    """Run one chapter in a folder that holds nothing but the bundle, or nothing; its seconds, and
    the first error."""
    import machines
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from jupyter_core.utils import run_sync
    from nbclient import NotebookClient

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        start = folder / "ipython" / "profile_default" / "startup"
        start.mkdir(parents=True)
        (start / "00_colab.py").write_text(STARTUP)
        kernel = folder / "kernels" / "colab"
        kernel.mkdir(parents=True)
        command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": command, "display_name": "Colab", "language": "python"}
        (kernel / "kernel.json").write_text(json.dumps(spec))
        content = folder / "content"
        content.mkdir()
        if bundle:
            (content / bundle.name).symlink_to(bundle)
        settings = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        settings |= {
            "IPYTHONDIR": str(folder / "ipython"),
            "INCEPTION_EDU_MODE": "quick",
            "INCEPTION_EDU_DATA": str(folder / "kept"),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # one warning less in each kernel
        } | variables
        manager = AsyncKernelManager(
            kernel_name="colab",
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(kernel.parent)]),
        )
        client = NotebookClient(
            notebook,
            timeout=1800,
            store_widget_state=False,
            km=manager,
            resources={"metadata": {"path": str(content)}},
        )
        begun, error = time.monotonic(), ""
        try:
            client.execute(env=settings)
        except Exception as problem:  # one chapter's trouble must not hide the others'
            error = f"{type(problem).__name__}: {problem}"
            print(error[-2000:], file=sys.stderr)
        finally:
            run_sync(manager.shutdown_kernel)(now=True)
        return machines.ran(name, time.monotonic() - begun, "quick", error)


def labs(python: Path) -> int:
    """The tests that drive labs on Colab, in this environment."""
    subprocess.run([python, "-m", "pip", "uninstall", "-q", "-y", "inception-edu"], check=True)
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "tests", "-k", "colab"]
    command += ["--ignore=tests/test_packaging.py", "-m", "not slow"]
    settings = os.environ | {"INCEPTION_EDU_COLAB_PYTHON": str(python), "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=settings).returncode


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("chapters", nargs="*", help="numbers; none: all, and the labs")
    parser.add_argument("--alone", action="store_true", help="install from a git address")
    args = parser.parse_args(arguments)
    sys.path.insert(0, str(ROOT / "notebooks"))
    import build
    import machines

    python = environment()
    facts = machines.versions(python)
    failed = False
    with tempfile.TemporaryDirectory() as served:
        # Both at once: whoever goes on working here changes chapters and the package together.
        address = published(Path(served, "course.git")) if args.alone else build.repository()
        bundle = None if args.alone else build.colab()
        chapters = {p.stem: build.transform(p, address) for p in build.sources(*args.chapters)}
        for name, notebook in chapters.items():
            forget(python)
            row = execute(name, notebook, bundle, python)
            failed |= row["status"] == "failed"
            print(f"{name:30} {row['seconds']:6.0f} s  {row.get('error', 'ran')}", flush=True)
            if not args.alone:
                machines.keep("the versions of Colab", [row], **facts)
                machines.PAGE.write_text(machines.page(), encoding="utf-8")
    if not args.chapters:
        failed |= bool(labs(python))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
