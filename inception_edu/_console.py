"""What the commands of the package print, on consoles and pipes that know few signs."""

from __future__ import annotations

import io
import sys

# Marks that mean something: a "?" in their place would say the wrong thing.
PLAIN = str.maketrans({"✓": "+", "✗": "-"})


def forgive() -> None:
    """From here on a sign that standard output lacks (cp1252 on Windows) becomes "?", where it
    would have raised an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def marks(text: str) -> str:
    """The text with ✓ and ✗, or with + and - where standard output lacks them."""
    try:
        "✓✗".encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return text.translate(PLAIN)
    return text
