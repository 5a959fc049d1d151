"""Stamps: what a built chapter was made from, as {path: hash}, in the notebook's metadata.

A chapter depends on its source, on the modules of `inception_edu` that its kernel had imported when
it ended, on the other files of the package that it opened (JavaScript, CSS), and on the files of
`data/` that it opened. The kernel itself notes them while the chapter runs (`BEGIN`, `END`). Python
is hashed as its syntax tree without docstrings, so that a comment, a docstring or another layout
makes no chapter stale; other files are hashed byte by byte. What `read_parts` reads of a folder of
JSON files is one entry, "FOLDER#PART,PART": the rest of these files makes no chapter stale.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from inception_edu.data.paths import read_parts

ROOT = Path(__file__).resolve().parent.parent

# Runs in the kernel before the first cell: an audit hook sees every file that is opened to read.
# A file of which only parts are read is not noted as a whole.
BEGIN = """
def _note_files():
    import os, sys
    root, found, in_parts = {root!r}, set(), []
    def hook(event, arguments):
        if event == "inception_edu.read_parts":
            folder, names, paths = arguments
            found.add(os.path.relpath(folder, root) + "#" + ",".join(names))
            in_parts.extend(map(os.path.abspath, paths))
        if event == "open" and isinstance(arguments[0], (str, os.PathLike)):
            name, mode = os.path.abspath(os.fspath(arguments[0])), arguments[1]
            writes = isinstance(mode, str) and set(mode) & set("wax+")
            if name in in_parts:
                in_parts.remove(name)
            elif name.startswith(root + os.sep) and not writes:
                found.add(os.path.relpath(name, root))
    sys.addaudithook(hook)
    sys._inception_edu_opened = found
_note_files()
del _note_files
"""

# Runs in the kernel after the last cell; prints one line of JSON.
END = """
def _noted():
    import json, os, sys
    root = {root!r}
    names = set(sys._inception_edu_opened)
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name.split(".")[0] == "inception_edu" and file:
            names.add(os.path.relpath(os.path.abspath(file), root))
    print(json.dumps(sorted(names)))
_noted()
del _noted
"""


def begin() -> str:
    return BEGIN.format(root=str(ROOT))


def end() -> str:
    return END.format(root=str(ROOT))


def stamp(source: Path, noted: str) -> dict[str, str]:
    """{path: hash} of a chapter's source and of the files that its kernel noted (`END`'s line)."""
    names = {name for name in json.loads(noted) if _counts(name)}
    return hashes([source.resolve().relative_to(ROOT).as_posix(), *names])


def _counts(name: str) -> bool:
    if "__pycache__" in name or name.endswith(".pyc"):
        return False
    return name.startswith(("inception_edu/", "data/"))


def hashes(names: Iterable[str]) -> dict[str, str]:
    return {name: found for name in sorted(set(names)) if (found := fingerprint(ROOT / name))}


def fingerprint(path: Path) -> str:
    """The hash of a file; "" where there is none. Of FOLDER#PART,PART: of these parts."""
    folder, _, names = path.name.partition("#")
    if names:
        parts = json.dumps(read_parts(path.with_name(folder), *names.split(",")), sort_keys=True)
        return _hash(parts.encode())
    if not path.is_file():
        return ""
    state = path.stat()
    return _hashed(path, state.st_mtime_ns, state.st_size)


@cache
def _hashed(path: Path, _time: int, _size: int) -> str:
    content = path.read_bytes()
    if path.suffix == ".py" and "src" not in path.parent.name:
        content = _without_words(content.decode("utf-8")).encode()
    return _hash(content)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _without_words(source: str) -> str:
    """A module's syntax tree without docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            if ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree, include_attributes=False)


def changed(stamped: Mapping[str, str]) -> list[str]:
    """The files of a stamp that are not any more what they were."""
    return [name for name, old in stamped.items() if fingerprint(ROOT / name) != old]
