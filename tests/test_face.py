"""`import inception_edu as ie`: the names that are used most, without torch until one needs it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import inception_edu as ie

ROOM = {name: f"inception_edu{room}" for room, names in ie._NAMES.items() for name in names}


def python(script: str) -> str:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", [n for n in ie.__all__ if n != "__version__"])
def test_every_name_is_there_and_is_its_rooms_own(name):
    room = __import__(ROOM[name], fromlist=[name])
    assert getattr(ie, name) is getattr(room, name)
    assert name in dir(ie)


def test_about_thirty_names_and_type_checkers_see_the_same():
    assert 25 <= len(ROOM) <= 40
    tree = ast.parse(Path(ie.__file__).read_text(encoding="utf-8"))
    told = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in ROOM.values()
        for alias in node.names
    }
    assert told == ROOM
    assert (Path(ie.__file__).parent / "py.typed").is_file()


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(AttributeError, match="has no 'bild'; it has .*build"):
        ie.bild  # noqa: B018


def test_importing_and_describing_load_no_torch():
    assert python("import sys, inception_edu as ie; print('torch' in sys.modules)") == "False"
    script = "import sys, inception_edu as ie; ie.measure(ie.inception_v4()); ie.figure(5)"
    assert python(f"{script}; print('torch' in sys.modules)") == "False"
    script = "import sys, inception_edu as ie; ie.build"
    assert python(f"{script}; print('torch' in sys.modules)") == "True"


def test_importing_takes_less_than_a_fifth_of_a_second():
    script = (
        "import time; t = time.process_time(); import inception_edu; print(time.process_time() - t)"
    )
    assert min(float(python(script)) for _ in range(3)) < 0.2
