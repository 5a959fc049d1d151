"""Where data lies: the embedded files, and what was fetched or decoded on this machine."""

import os
from pathlib import Path

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
