"""Decoded images kept as one file, so that the second time they are there at once."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from torch import Tensor


def digest(thing) -> str:
    """A name for plain JSON types: the same for the same content."""
    return hashlib.sha256(json.dumps(thing).encode("utf-8", "surrogatepass")).hexdigest()


def read(path: Path, signature: str) -> tuple[dict[str, Tensor], dict] | None:
    """(tensors, facts) if the file is there, whole, and made from the same originals; otherwise
    None."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            known = file.metadata() or {}
            if known.get("signature") != signature:
                return None
            # Copies: the file may be replaced while its images are in use.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}
            return tensors, json.loads(known["facts"])
    except (OSError, SafetensorError, KeyError, ValueError):
        return None


def write(path: Path, signature: str, tensors: dict[str, Tensor], facts: dict) -> None:
    """Writes the file under another name and renames it, so that no half-written one is ever
    read. Where there is no room or no permission, nothing is kept."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(whole, temporary, {"signature": signature, "facts": json.dumps(facts)})
        temporary.replace(path)
    except (OSError, SafetensorError):
        pass
    finally:
        try:
            temporary.unlink(missing_ok=True)
        except OSError:
            pass
