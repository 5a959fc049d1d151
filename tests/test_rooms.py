"""The rooms of the package: who imports whom, which need no torch, how long a file may be."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "inception_edu"

# A room may import the rooms that stand before it; `nets` and `data` stand side by side.
LEVELS = {"describe": 0, "nets": 1, "data": 1, "learn": 2, "study": 3, "teach": 4, "labs": 5}
BELOW = ("_lazy", "_console", "_numbers")  # no rooms: all may import them, they import none

# Rooms and modules that load no torch when they are imported.
TORCH_FREE = ("describe", "data.windows", "study.fates", "study.recorded", "study.results")

LONGEST = 330  # lines of a file: what can be read in one sitting


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def module(file: Path) -> str:
    """The dotted name below inception_edu: describe/draw.py is describe.draw."""
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports(text: str, name: str) -> set[str]:
    """Names below inception_edu that a module's text imports, also inside its functions.

    `name` is the dotted name of the package that relative imports start from.
    """
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = ""
            if node.level:
                parents = f"inception_edu.{name}".split(".")
                start = ".".join(parents[: len(parents) - node.level + 1]) + "."
            found |= {f"{start}{node.module or ''}.{alias.name}" for alias in node.names}
    inside = (full.replace("..", ".").split(".") for full in found)
    return {".".join(parts[1:]) for parts in inside if parts[0] == "inception_edu"}


def forbidden(importer: str, imported: str) -> bool:
    """Whether a module of room `importer` must not import from room `imported`."""
    if importer == imported or imported not in LEVELS:
        return False
    return LEVELS[imported] >= LEVELS[importer]


def test_the_rule_sees_every_kind_of_import():
    text = (
        "import inception_edu.labs.host\n"
        "from inception_edu import data\n"
        "def f():\n"
        "    from inception_edu.learn import train\n"
        "    from ..study import runs\n"
        "    from . import fast\n"
    )
    found = {name.split(".")[0] for name in imports(text, "nets")}
    assert found == {"labs", "data", "learn", "study", "nets"}
    assert {room for room in found if forbidden("nets", room)} == {"labs", "data", "learn", "study"}
    assert not {room for room in found if forbidden("labs", room)}


def test_every_file_stands_in_a_room():
    outside = {module(file) for file in files()} - {"", *BELOW}
    assert {name.split(".")[0] for name in outside} <= set(LEVELS)
    for below in BELOW:
        assert not imports((PACKAGE / f"{below}.py").read_text(encoding="utf-8"), "")


def test_no_room_imports_a_higher_one():
    wrong = set()
    for file in files():
        name = module(file)
        room = name.split(".")[0]
        if room not in LEVELS:
            continue  # the face of the package may name them all
        package = name if file.name == "__init__.py" else name.rpartition(".")[0]
        for target in imports(file.read_text(encoding="utf-8"), package):
            if forbidden(room, target.split(".")[0]):
                wrong.add((name, target.split(".")[0]))
    assert not wrong, sorted(wrong)


def in_a_circle(arrows: dict[str, set[str]]) -> set[str]:
    """The files that import themselves in the end."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        ahead = list(arrows[start])
        while ahead:
            name = ahead.pop()
            if name not in seen:
                seen.add(name)
                ahead += arrows[name]
        return seen

    return {name for name in arrows if name in reached(name)}


def test_no_files_import_each_other():
    """Neither for their types alone, nor inside a function."""
    inner = [file for file in files() if file.name != "__init__.py"]  # a face names what is inside
    texts = {module(file): file.read_text(encoding="utf-8") for file in inner}
    arrows = {
        name: {
            other
            for found in imports(text, name.rpartition(".")[0])
            for other in (found, found.rpartition(".")[0])
            if other in texts
        }
        for name, text in texts.items()
    }
    assert sum(map(len, arrows.values())) > 300
    assert not in_a_circle(arrows)
    assert in_a_circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == {"b", "c"}


@pytest.mark.parametrize("room", TORCH_FREE)
def test_torch_free_rooms_load_no_torch(room):
    names = [f"inception_edu.{module(file)}" for file in files() if module(file).startswith(room)]
    assert names
    script = f"import sys, {', '.join(names)}; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr or f"{room} loads torch"


def of_a_room(imported: str) -> bool:
    """Whether a chapter may import from it: the package, a room, one of the labs."""
    parts = imported.split(".")
    return len(parts) <= 2 or (parts[1] == "labs" and len(parts) == 3)


def imported_from(text: str) -> set[str]:
    """What of the package a chapter's source imports from, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return {name for name in found if name.split(".")[0] == "inception_edu"}


def test_the_chapters_rule_tells_rooms_from_files():
    text = "import inception_edu as ie\ndef f():\n    from inception_edu.nets.build import build\n"
    assert imported_from(text) == {"inception_edu", "inception_edu.nets.build"}
    assert of_a_room("inception_edu") and of_a_room("inception_edu.describe")
    assert of_a_room("inception_edu.labs.dying")
    assert not of_a_room("inception_edu.nets.build")


CHAPTERS = sorted((ROOT / "notebooks" / "src").glob("*.py"))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_chapters_import_from_rooms(chapter):
    """Not from files inside rooms, so that those can be split without touching a chapter."""
    found = imported_from(chapter.read_text(encoding="utf-8"))
    assert found
    assert not {name for name in found if not of_a_room(name)}


def test_each_file_can_be_read_in_one_sitting():
    lengths = {
        file.relative_to(PACKAGE).as_posix(): len(file.read_text(encoding="utf-8").splitlines())
        for file in files()
    }
    too_long = {name for name, length in lengths.items() if length > LONGEST}
    assert not too_long, {name: lengths[name] for name in too_long}


def test_the_contributors_table_is_the_rule():
    """CONTRIBUTING.md names every room, and what each may import."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.split("<!-- rooms -->")[1].split("<!-- end of rooms -->")[0]
    rows = [row.split("|")[1:-1] for row in table.strip().splitlines()[2:]]
    told = {re.findall(r"`(.+)`", row[0])[0]: re.findall(r"`(\w+)`", row[2]) for row in rows}
    kept = {
        room: [other for other in LEVELS if other != room and not forbidden(room, other)]
        for room in LEVELS
    }
    assert told == kept
    assert set(told) == {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    free = {re.findall(r"`(.+)`", row[0])[0] for row in rows if row[3].strip() == "no"}
    assert free == set(TORCH_FREE) & set(LEVELS)
