"""`make lab`'s installation, against a package index on this machine: which torch, and what it says
before it downloads."""

import hashlib
import os
import re
import subprocess
import sys
import threading
import venv
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import environments
import pytest

ROOT = Path(__file__).resolve().parents[1]
TORCH, BIG = "2.14.1", 3_000_000

# A build backend of a few lines: the project under test is installed without one from outside.
BACKEND = '''
import zipfile
def build_editable(folder, config_settings=None, metadata_directory=None):
    return build_wheel(folder)
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "toy-1-py3-none-any.whl"
    with zipfile.ZipFile(folder + "/" + name, "w") as file:
        file.writestr("toy.py", "")
        file.writestr("toy-1.dist-info/METADATA", METADATA)
        file.writestr("toy-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        file.writestr("toy-1.dist-info/RECORD", "")
    return name
METADATA = """Metadata-Version: 2.1
Name: toy
Version: 1
Provides-Extra: lab
Requires-Dist: torch
Requires-Dist: torchvision; extra == "lab"
"""
'''


def wheel(index: Path, name: str, version: str, size: int) -> None:
    """Put a package of about `size` bytes on the index."""
    folder = index / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{name}.py", "")
        file.writestr(f"{name}.bin", os.urandom(size))
        file.writestr(f"{info}/METADATA", metadata)
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")
    path.with_name(path.name + ".metadata").write_text(metadata)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    link = f'<a href="{path.name}#sha256={digest}" data-dist-info-metadata="true">{path.name}</a>'
    (folder / "index.html").write_text(f"<html><body>{link}</body></html>")


@pytest.fixture
def index(tmp_path):
    """Two package indices on 127.0.0.1, ordinary and for the CPU; the requests that they got."""
    folder = tmp_path / "served"
    for name in ("torch", "torchvision"):
        wheel(folder / "ordinary", name, TORCH, BIG)
        wheel(folder / "cpu", name, f"{TORCH}+cpu", 1000)
    requests = []

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, code="-", size="-"):
            requests.append((self.command, self.path))

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", requests
    server.shutdown()


@pytest.fixture(scope="module")
def environment_with_new_pip(tmp_path_factory):
    """A new environment with the newest pip: an older one fetches whole packages to name them."""
    folder = tmp_path_factory.mktemp("pip") / "venv"
    try:
        venv.create(folder, with_pip=True, upgrade_deps=True)
    except subprocess.CalledProcessError:
        if os.environ.get("CI"):
            raise
        pytest.skip("the newest pip comes from a package index, and there is none")
    return folder


@pytest.fixture
def fresh(environment_with_new_pip):
    """That environment, with none of the packages of this test in it afterwards."""
    yield environment_with_new_pip
    python = environments.python_of(environment_with_new_pip)
    remove = [python, "-m", "pip", "uninstall", "-q", "-y", "toy", "torch", "torchvision"]
    subprocess.run(remove, check=True, capture_output=True)


def small_project(folder: Path) -> Path:
    """A folder with tools/install.py and a project that it can install."""
    project = folder / "a projéct"
    (project / "tools").mkdir(parents=True)
    (project / "tools" / "install.py").write_bytes((ROOT / "tools" / "install.py").read_bytes())
    (project / "backend.py").write_text(BACKEND)
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    return project


def settings(address: str) -> dict[str, str]:
    """An environment in which pip asks the index at `address` alone."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "TORCH_"))}
    return clean | {
        "PIP_INDEX_URL": f"{address}/ordinary/",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_CACHE_DIR": "1",
        "PATH": "/usr/bin:/bin",  # no nvidia-smi
    }


@pytest.fixture
def lab(tmp_path, index, fresh):
    """lab(**environment) installs a small project with tools/install.py into a new environment."""
    project, python = small_project(tmp_path), environments.python_of(fresh)

    def run(**environment):
        done = subprocess.run(
            [python, "tools/install.py", "lab"],
            cwd=project,
            env=settings(index[0]) | environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        freeze = [python, "-m", "pip", "list", "--format=freeze"]
        packages = subprocess.run(freeze, capture_output=True, text=True, check=True).stdout.split()
        return done.stdout, dict(line.split("==") for line in packages)

    return run


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has two builds of torch")


@on_linux
def test_the_index_for_the_cpu_gives_torch_where_it_is_named(lab, index):
    address, requests = index
    said, packages = lab(TORCH_INDEX=f"{address}/cpu/")
    assert packages["torch"] == packages["torchvision"] == f"{TORCH}+cpu"
    assert not [path for command, path in requests if path.startswith("/ordinary/torch/torch-")]
    assert "To download: 0 MB in 2 packages" in said


@on_linux
def test_without_it_the_size_and_the_way_to_a_smaller_one_are_said(lab, index):
    _, requests = index
    said, packages = lab()
    assert packages["torch"] == TORCH
    assert "make lab TORCH_INDEX=" in said and "To download: 6 MB in 2 packages" in said
    files = [(command, path) for command, path in requests if path.endswith(".whl")]
    first_get = min(i for i, (command, _) in enumerate(files) if command == "GET")
    assert {path for _, path in files[:first_get]} == {
        f"/ordinary/{name}/{name}-{TORCH}-py3-none-any.whl" for name in ("torch", "torchvision")
    }


@on_linux
def test_an_index_that_does_not_answer_is_no_error(lab, index):
    said, packages = lab(TORCH_INDEX="http://127.0.0.1:9/", PIP_RETRIES="0")
    assert packages["torch"] == TORCH and "the ordinary one is taken instead" in said


@on_linux
def test_a_second_time_nothing_is_downloaded(lab, index):
    address, requests = index
    lab(TORCH_INDEX=f"{address}/cpu/")
    requests.clear()
    said, packages = lab(TORCH_INDEX=f"{address}/cpu/")
    assert packages["torch"] == f"{TORCH}+cpu"
    assert not [path for _, path in requests if path.endswith(".whl")]


def lines_for(system: str) -> list[str]:
    """The commands that docs/install.md gives for a system."""
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    section = page.split(f"\n## {system}\n")[1].split("\n## ")[0]
    return [line.strip() for line in section.splitlines() if re.match(r"    \S.*venv", line)]


@pytest.mark.skipif(os.name != "posix", reason="the lines are turned into those of a Unix shell")
@pytest.mark.parametrize("system", ["Linux and macOS", "Windows"])
def test_the_lines_of_the_page_as_they_are_typed(tmp_path, index, system):
    """From an empty folder to a working copy of the first chapter, with a `py` that does what
    Windows's does."""
    project = small_project(tmp_path)
    (project / "tools" / "work.py").write_bytes((ROOT / "tools" / "work.py").read_bytes())
    (project / "notebooks").mkdir()
    empty = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    (project / "notebooks" / "00_start_here.ipynb").write_text(empty)
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("py", "python3"):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        (programs / name).chmod(0o755)
    environment = settings(index[0])
    environment["PATH"] = f"{programs}:{environment['PATH']}"
    lines = [line.replace("\\", "/").replace("Scripts", "bin") for line in lines_for(system)]
    assert len(lines) == 4 and lines[1:] == [line for line in lines_for("Linux and macOS")[1:]], (
        "the same steps on every system"
    )
    for line in lines[:3]:
        done = subprocess.run(
            line, shell=True, cwd=project, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, (line, done.stdout + done.stderr)
    names = [p.name.split("-")[0] for p in (project / ".venv").glob("lib/*/site-packages/*-info")]
    assert {"torch", "torchvision", "toy"} <= set(names)
    start = lines[3].split()
    assert start[:2] == [".venv/bin/jupyter-lab", "--notebook-dir=."]
    assert (project / start[2]).read_text() == empty
