"""The twelve test images of the race lab, and a file of them for a page that cannot open any."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Images:
    """What the lab shows of a source: its name, classes, side, and twelve test images as PNG (one
    or two of each class) with their labels and their places among the test images; `about`: of a
    folder, how many images it gave and what was left out."""

    source: str
    name: str
    classes: tuple[str, ...]
    image: int
    pictures: tuple[str, ...]
    labels: tuple[int, ...]
    places: tuple[int, ...] = ()
    about: str = ""


def write(path: Path, images: Images) -> None:
    path.write_text(json.dumps(asdict(images), ensure_ascii=False), encoding="utf-8")


def read(path: Path) -> Images:
    """What `write` wrote."""
    said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in said.items()}
    return Images(**values)
