"""`import inception_edu as ie`: the names that are used most, without torch until one needs it."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from types import FunctionType

import pytest

import inception_edu as ie

ROOM = {name: f"inception_edu{room}" for room, names in ie._NAMES.items() for name in names}


def python(script: str) -> str:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def imported_names(file: str, start: str) -> dict[str, str]:
    """{name: module} of what a file imports from modules whose name begins so."""
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    return {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(start)
        for alias in node.names
    }


@pytest.mark.parametrize("name", [n for n in ie.__all__ if n != "__version__"])
def test_every_name_is_there_and_is_its_rooms_own(name):
    room = __import__(ROOM[name], fromlist=[name])
    assert getattr(ie, name) is getattr(room, name)
    assert name in dir(ie)


def test_about_thirty_names_and_type_checkers_see_the_same():
    assert 25 <= len(ROOM) <= 40
    told = imported_names(ie.__file__, "inception_edu.")
    assert told.pop("lazy") == "inception_edu._lazy"
    assert told == ROOM
    assert (Path(ie.__file__).parent / "py.typed").is_file()


@pytest.mark.parametrize("room", ("describe", "data", "learn", "study", "teach"))
def test_type_checkers_and_editors_know_the_names_of_a_lazy_room(room):
    """Each where it is fetched from, under `if TYPE_CHECKING`; else they would take it for
    anything."""
    module = importlib.import_module(f"inception_edu.{room}")
    told = imported_names(module.__file__, f"inception_edu.{room}.")
    assert set(told) == set(dir(module)) and len(told) > 10
    for name, place in told.items():
        assert getattr(module, name) is getattr(importlib.import_module(place), name)
    # Who imports a file of the same name would put it where the name is looked for; these two are
    # bound by the room itself, before anybody can.
    files = {path.stem for path in Path(module.__file__).parent.iterdir()}
    assert files & set(told) == ({"draw", "measure"} if room == "describe" else set())


@pytest.mark.parametrize("room", ("describe", "nets", "data", "learn", "study", "teach"))
def test_every_public_name_and_method_says_what_it_is_and_what_it_raises(room):
    module = importlib.import_module(f"inception_edu.{room}")
    untold = []
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isclass(value):
            # Without a text of its own a dataclass has its signature there.
            if not value.__doc__ or value.__doc__.startswith(f"{name}("):
                untold.append(name)
            untold += [f"{name}.{m}" for m, function in methods(value) if not function.__doc__]
        elif inspect.isfunction(value):
            told, code = value.__doc__ or "", inspect.getsource(value)
            if not told or (" raise " in code and not re.search("Raises|Error", told)):
                untold.append(name)
    assert not untold


def methods(kind: type) -> list[tuple[str, FunctionType]]:
    """The public methods and properties that a class defines; torch asks for the other two."""
    found = []
    for name, value in vars(kind).items():
        function = value.fget if isinstance(value, property) else value
        if inspect.isfunction(function) and name not in ("forward", "extra_repr"):
            found += [] if name.startswith("_") else [(name, function)]
    return found


def test_a_function_is_no_file_whatever_was_imported_before():
    script = (
        "import inception_edu.describe.measure, inception_edu.describe.draw\n"
        "from inception_edu.describe import compare, draw, measure\n"
        "import inception_edu.describe.portraits\n"
        "from inception_edu.describe import compare as again\n"
        "print(callable(draw), callable(measure), callable(compare), again is compare)"
    )
    assert python(script) == "True True True True"


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
