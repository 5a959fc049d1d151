"""Settings and fixtures for all tests. Test files need different names, also across folders."""

import os

# Before torch is imported anywhere. Two workers share two cores: one thread each is fastest, and
# sums repeat exactly.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("INCEPTION_EDU_MODE", "quick")

import shutil  # noqa: E402
import subprocess  # noqa: E402
import tempfile  # noqa: E402
from pathlib import Path  # noqa: E402

import pytest  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]

# Downloads and finished runs go to a folder of this test run, shared by its workers; nothing of the
# user's is touched.
if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ["INCEPTION_EDU_DATA"] = tempfile.mkdtemp(prefix="inception-edu-")


def pytest_unconfigure(config):
    if "PYTEST_XDIST_WORKER" not in os.environ:
        shutil.rmtree(os.environ["INCEPTION_EDU_DATA"], ignore_errors=True)


@pytest.fixture
def threads_put_back(monkeypatch):
    """What `learn.pace` remembers, and torch's number of threads, as they were before the test."""
    import torch

    from inception_edu.learn import pace

    before, kept = torch.get_num_threads(), dict(vars(pace._here))
    monkeypatch.setattr(pace, "_last", pace._last)
    monkeypatch.setattr(pace, "_stepped", {})
    yield
    torch.set_num_threads(before)
    vars(pace._here).clear()
    vars(pace._here).update(kept)


@pytest.fixture(scope="session")
def colab_python():
    """Python of an environment with Colab's ipywidgets 7.7.1, IPython 7.34 and ipykernel 6.17.1,
    and our torch."""
    import environments

    if chosen := os.environ.get("INCEPTION_EDU_COLAB_PYTHON"):  # `make colab-test`
        return Path(chosen)
    try:
        return environments.colab_like()
    except subprocess.CalledProcessError:
        if os.environ.get("CI"):
            raise
        pytest.skip("the environment like Colab's is made once and needs a package index for that")


@pytest.fixture
def run_on_colab(colab_python, tmp_path):
    """run(script, **environment) runs Python text in that environment, in a temporary folder;
    returns its output."""

    def run(script: str, seconds: float = 300, **environment: str) -> str:
        done = subprocess.run(
            [colab_python, "-c", script],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=seconds,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        )
        assert done.returncode == 0, f"the script failed:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


@pytest.fixture
def notebook_on_colab(colab_python, tmp_path):
    """run(cells, **environment) runs code cells in a kernel of that environment; returns the
    executed notebook."""
    import json

    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell, new_notebook

    def run(cells: list[str], seconds: float = 300, **environment: str):
        spec = tmp_path / "kernels" / "colab"
        spec.mkdir(parents=True, exist_ok=True)
        (spec / "kernel.json").write_text(
            json.dumps(
                {
                    "argv": [
                        str(colab_python),
                        "-m",
                        "ipykernel_launcher",
                        "-f",
                        "{connection_file}",
                    ],
                    "display_name": "Colab",
                    "language": "python",
                    "env": {
                        "PYTHONPATH": str(ROOT),
                        "IPYTHONDIR": str(tmp_path / "ipython"),
                        **environment,
                    },
                }
            )
        )
        specs = KernelSpecManager(kernel_dirs=[str(spec.parent)])
        notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
        client = NotebookClient(
            notebook,
            timeout=seconds,
            store_widget_state=False,
            km=AsyncKernelManager(kernel_name="colab", kernel_spec_manager=specs),
            resources={"metadata": {"path": str(tmp_path)}},
        )
        return client.execute()

    return run
