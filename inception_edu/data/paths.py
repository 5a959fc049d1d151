"""Where data lies: the embedded files, and what was fetched or decoded on this machine."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from inception_edu.data.errors import DataError

PACKAGE = Path(__file__).resolve().parents[1]


def data_dir() -> Path:
    """The folder of the embedded data: in an installed package `inception_edu/_data`, else `data`
    beside the package.

    Raises DataError if there is neither.
    """
    for folder in (PACKAGE / "_data", PACKAGE.parent / "data"):
        if folder.is_dir():
            return folder
    raise DataError(
        f"The embedded data is missing: neither {PACKAGE / '_data'} nor {PACKAGE.parent / 'data'} "
        "exists. Install the project again, or work in a complete copy of its repository."
    )


def downloads_dir() -> Path:
    """Where downloads and decoded folders are kept: INCEPTION_EDU_DATA, or ~/.cache/inception_edu.
    Not created here."""
    return Path(os.environ.get("INCEPTION_EDU_DATA") or "~/.cache/inception_edu").expanduser()


def read_parts(folder: Path, *names: str) -> list[dict[str, Any]]:
    """{name: value} from each JSON file of `folder` that has all these parts, by file name;
    "machine.card" is the card of the machine.

    An audit event says beforehand what will be read, so that a chapter is stamped with these parts
    alone (`notebooks/stamps.py`): the rest of the files may change.
    """
    paths = sorted(folder.glob("*.json"))
    sys.audit("inception_edu.read_parts", str(folder), names, tuple(map(str, paths)))
    found = []
    for path in paths:
        content = json.loads(path.read_text(encoding="utf-8"))
        values = {name: _part(content, name) for name in names}
        if None not in values.values():
            found.append(values)
    return found


def _part(content: Any, name: str) -> Any:
    for key in name.split("."):
        content = content.get(key) if isinstance(content, dict) else None
    return content
