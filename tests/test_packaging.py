"""Installing: the Colab bundle, the first cell of the chapters, and environment.yml."""

import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import build
import environments
import pytest
from nbformat.v4 import new_code_cell

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import colab  # noqa: E402

ON_COLAB = "import sys, types; sys.modules['google.colab'] = types.ModuleType('google.colab')\n"
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}


@pytest.fixture(scope="module")
def bundle():
    return build.colab()


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory):
    """An environment that has everything but inception_edu."""
    return environments.borrowing_venv(tmp_path_factory.mktemp("bare") / "venv")


def run(python, script, folder):
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | OFFLINE
    return subprocess.run(
        [python, "-c", script], cwd=folder, capture_output=True, text=True, env=environment
    )


def test_bundle_holds_wheel_data_and_notebooks(bundle):
    with zipfile.ZipFile(bundle) as archive:
        names = archive.namelist()
        (wheel,) = (name for name in names if name.endswith(".whl"))
        with archive.open(wheel) as file, zipfile.ZipFile(file) as package:
            packed = set(package.namelist())
    assert {f"notebooks/{build.target(source).name}" for source in build.sources()} <= set(names)
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "inception_edu").rglob("*.py")}
    data = {
        f"inception_edu/_data/{path.relative_to(ROOT / 'data').as_posix()}"
        for path in (ROOT / "data").rglob("*")
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts
    }
    assert modules | data <= packed


def test_first_cell_does_nothing_where_the_package_is():
    done = run(sys.executable, build.bootstrap("") + "\nassert not set(missing)\n", ROOT)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_first_cell_says_what_to_do_where_there_is_nothing_to_install(bare_python, tmp_path):
    elsewhere = run(bare_python, build.bootstrap(""), tmp_path)
    colab = run(bare_python, ON_COLAB + build.bootstrap(""), tmp_path)
    for done in (elsewhere, colab):
        assert done.returncode == 1 and done.stderr.startswith(
            "inception_edu is not installed here. On Colab: upload"
        )


def test_first_cell_installs_the_bundle_on_colab_and_upgrades_nothing(
    bundle, bare_python, tmp_path
):
    (tmp_path / bundle.name).symlink_to(bundle)
    freeze = (
        "import subprocess, sys\n"
        "subprocess.run([sys.executable, '-m', 'pip', 'list', '--format=freeze'])"
    )
    before = set(run(bare_python, freeze, tmp_path).stdout.split())
    done = run(
        bare_python,
        ON_COLAB
        + build.bootstrap("")
        + """
import importlib; importlib.invalidate_caches()
import inception_edu
print(inception_edu.__file__)
""",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    package = Path(done.stdout.strip()).parent
    assert bare_python.parents[1] in package.parents  # not the checkout
    data = {
        path.relative_to(ROOT / "data") for path in (ROOT / "data").rglob("*") if path.is_file()
    }
    assert all(
        (package / "_data" / path).is_file()
        for path in data
        if path.suffix != ".py" and "__pycache__" not in path.parts
    )
    after = set(run(bare_python, freeze, tmp_path).stdout.split())
    assert len(before) > 50 and not before - after
    assert [line.split("==")[0] for line in after - before] == ["inception-edu"]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address on this machine of a git repository with the package, its data and what a wheel
    needs."""
    folder = tmp_path_factory.mktemp("published")
    copy = folder / "copy"
    copy.mkdir()
    for name in ("inception_edu", "data"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "core.compression=0"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "a version"]):
        subprocess.run([*git, *command], cwd=copy, check=True)
    bare = folder / "course.git"
    subprocess.run([*git, "clone", "-q", "--bare", copy, bare], check=True)
    subprocess.run([*git, "update-server-info"], cwd=bare, check=True)
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/course.git"
    server.shutdown()


def test_a_chapter_opened_alone_needs_nothing_uploaded(address, tmp_path):
    """Where the address is known, "run all" is the one action: the folder is empty, the first cell
    installs the project from its address, and the chapter runs."""
    python = environments.borrowing_venv(tmp_path / "venv")
    chapter = build.transform(build.sources("02")[0], address)
    chapter.cells.append(new_code_cell("import inception_edu; print(inception_edu.__file__)"))
    # Without isolation ("0" means that), so with our setuptools: a new environment's is older.
    offline = OFFLINE | {"PIP_NO_BUILD_ISOLATION": "0"}
    offline["PYTHONPATH"] = str(tmp_path / "venv" / "borrowed")
    row = colab.execute("02_stem", chapter, None, python, **offline)
    assert row["status"] == "ran", row["error"]
    package = Path(chapter.cells[-1].outputs[0].text.strip()).parent
    assert tmp_path / "venv" in package.parents  # not the checkout
    assert len(list((package / "_data" / "results").iterdir())) > 5


def test_first_cell_says_what_to_do_where_the_address_gives_nothing(tmp_path):
    hide = "import importlib.util; importlib.util.find_spec = lambda name: None\n"
    cell = ON_COLAB + hide + build.bootstrap("http://127.0.0.1:9/nowhere.git")
    done = run(sys.executable, cell, tmp_path)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "inception_edu could not be installed: pip says why, above. Upload" in done.stderr


def test_first_cell_elsewhere_names_the_address(tmp_path):
    hide = "import importlib.util; importlib.util.find_spec = lambda name: None\n"
    done = run(sys.executable, hide + build.bootstrap("https://example.org/course"), tmp_path)
    assert "run `make lab` in a clone of https://example.org/course." in done.stderr


def test_first_cell_prefers_the_bundle_to_the_address(bundle, bare_python, tmp_path):
    """The command is only printed here: it would fetch from the network."""
    show = (
        "import subprocess, types\n"
        "did = types.SimpleNamespace(returncode=0)\n"
        "subprocess.run = lambda command: print(*command[5:]) or did\n"
    )
    hide = (
        "import importlib.util; find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda n: None if n in ('inception_edu', 'torchinfo') else "
        "find(n)\n"
    )
    cell = ON_COLAB + show + hide + build.bootstrap("https://github.com/someone/course")
    done = run(bare_python, cell, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "--no-deps inception-edu @ git+https://github.com/someone/course torchinfo\n"
    )
    (tmp_path / bundle.name).symlink_to(bundle)
    assert run(bare_python, cell, tmp_path).stdout.startswith("--no-deps inception_edu-")


def test_second_make_lab_only_starts_the_server(tmp_path):
    """pip is not called again while pyproject.toml stays as it is, so it starts at once and without
    a network."""
    for name in ("Makefile", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").touch()
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("MAKE", "ARGS", "PORT"))
    }

    def commands(target, *settings):
        done = subprocess.run(
            ["make", "-n", target, "PORT=", "ARGS=", *settings],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        return [" ".join(line.split()) for line in done.stdout.splitlines()]

    root = "--allow-root " if os.geteuid() == 0 else ""
    copies = ".venv/bin/python tools/work.py"
    start = f".venv/bin/jupyter-lab {root}--notebook-dir=. work/00_start_here.ipynb"
    first = commands("lab")
    assert first == [".venv/bin/python tools/install.py lab", "touch .venv/.lab", copies, start]
    (tmp_path / ".venv" / ".lab").touch()
    assert commands("lab") == [copies, start]
    assert commands("lab", "PORT=8899", "ARGS=--no-browser") == [
        copies,
        start.replace("work/", "--port=8899 --no-browser work/"),
    ]
    assert commands("reset", "CHAPTER=03") == [f'{copies} --reset "03"']
    assert (ROOT / "notebooks" / "00_start_here.ipynb").exists()
    assert any("install.py lab dev" in line for line in commands("test"))
    (tmp_path / ".venv" / ".test").touch()
    assert not any("install.py" in line for line in commands("test"))
    os.utime(tmp_path / "pyproject.toml", (4e9, 4e9))
    assert "install.py lab" in commands("lab")[0]


def test_make_lab_brings_what_the_chapters_show_their_proofs_with():
    with open(ROOT / "pyproject.toml", "rb") as file:
        project = build.tomllib.load(file)["project"]
    brought = project["dependencies"] + project["optional-dependencies"]["lab"]
    names = {re.match(r"[\w-]+", requirement)[0] for requirement in brought}
    assert names >= {
        *("jupyterlab", "torch", "torchvision", "matplotlib", "ipywidgets", "torchinfo", "timm")
    }


def test_lower_bounds_only():
    """A pin or an upper bound would up- or downgrade what Colab ships."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        project = build.tomllib.load(file)["project"]
    requirements = project["dependencies"] + [
        r for extra in project["optional-dependencies"].values() for r in extra
    ]
    for requirement in requirements:
        assert (
            not set("<~!") & set(requirement.split(";")[0])
            and "==" not in requirement.split(";")[0]
        ), requirement


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.skipif(
    not os.environ.get("CI"),
    reason="installs several GB into a new environment; runs where CI is set",
)
def test_environment_yml_gives_a_working_environment(tmp_path):
    """pip's part of environment.yml, installed as conda does: from a requirements file in the
    project's folder."""
    import venv

    import yaml

    entries = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (requirements,) = (entry["pip"] for entry in entries if isinstance(entry, dict))
    assert requirements == ["-e .[lab]"]
    copy = tmp_path / "project"  # an editable install writes beside the sources
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "environment.yml"):
        shutil.copy(ROOT / name, copy)
    for name in ("inception_edu", "data"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "requirements.txt").write_text("\n".join(requirements))
    folder = tmp_path / "venv"
    try:
        venv.create(folder, with_pip=True)
        python = environments.python_of(folder)
        subprocess.run(
            [python, "-m", "pip", "install", "-q", "-r", "requirements.txt"], cwd=copy, check=True
        )
        done = run(
            python,
            "import inception_edu, jupyterlab, torch\nprint(inception_edu.__file__)",
            tmp_path,
        )
        assert done.stdout.strip() == str(copy / "inception_edu" / "__init__.py"), done.stderr
        assert (
            subprocess.run(
                [folder / "bin" / "jupyter-lab", "--version"], capture_output=True
            ).returncode
            == 0
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # several GB
