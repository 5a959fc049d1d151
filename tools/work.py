"""A reader's own copies of the chapters, in work/, which git ignores. `make lab` calls it.

    python tools/work.py              make the copies that are missing, look for new versions
    python tools/work.py --update 03  go on with the new version of a chapter, with your answers
    python tools/work.py --reset 03   begin a chapter anew

`git pull` changes the chapters in notebooks/ and never what you wrote. Where a chapter has changed
and you have written nothing into your copy, the copy becomes the new version. Where you have, it
stays as it is, and the new version is put beside it, as NAME.new.ipynb, with your answers in it.
Nothing is ever deleted: what --update and --reset replace is kept in work/earlier.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def write(path: Path, content: bytes) -> None:
    """Write a file so that it is either there as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def cells(content: bytes) -> list[dict] | None:
    """The cells of a notebook file; None where the file is not a notebook."""
    try:
        found = json.loads(content)["cells"]
        return [cell | {"source": "".join(cell["source"])} for cell in found]
    except (ValueError, KeyError, TypeError):
        return None


def same_text(one: bytes, other: bytes) -> bool:
    """Whether two notebooks have the same cells, whatever their outputs are."""
    first, second = cells(one), cells(other)
    if first is None or second is None:
        return one == other
    return [(c["cell_type"], c["source"]) for c in first] == [
        (c["cell_type"], c["source"]) for c in second
    ]


def merged(base: bytes, mine: bytes, new: bytes) -> bytes:
    """The new version of a chapter with what the reader wrote into the version before, `base`.

    A cell that the reader changed and the author did not holds the reader's text. Where the author
    changed it too, or took it out, the reader's text stands as a quotation. Cells that the reader
    added stand after the cell that they stood after.
    """
    before, written, chapter = cells(base), cells(mine), cells(new)
    before_texts = [cell["source"] for cell in before]
    written_texts = [cell["source"] for cell in written]
    at = -1  # the place in `chapter` after which a cell of the reader's goes
    for kind, i, i_end, j, j_end in SequenceMatcher(
        None, before_texts, written_texts, autojunk=False
    ).get_opcodes():
        if kind == "equal":
            at = place(chapter, before_texts[i_end - 1], otherwise=at)
            continue
        for number, cell in enumerate(written[j:j_end]):
            replaced = i + number < i_end
            target = place(chapter, before_texts[i + number], otherwise=-1) if replaced else -1
            if target >= 0:
                chapter[target]["source"] = cell["source"]
                at = target
                continue
            at += 1
            chapter.insert(at, quoted(cell) if replaced else dict(cell))
    for number, cell in enumerate(chapter):
        cell["id"] = f"{number:03d}"
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    result = json.loads(new) | {"cells": chapter}
    return (json.dumps(result, ensure_ascii=False, indent=1) + "\n").encode()


def quoted(cell: dict) -> dict:
    """A reader's cell as text, for a place that has become another."""
    text = f"**What you wrote in the version before:**\n\n```python\n{cell['source']}\n```"
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def place(chapter: list[dict], text: str, otherwise: int) -> int:
    """Where a cell of this text stands in `chapter`."""
    for number, cell in enumerate(chapter):
        if cell["source"] == text:
            return number
    return otherwise


@dataclass
class Work:
    """The working copies of the chapters in `shipped`, kept in `folder`."""

    shipped: Path
    folder: Path

    def chapters(self, number: str = "") -> list[str]:
        """File names of the chapters whose name begins with `number`."""
        return sorted(path.name for path in self.shipped.glob(f"{number}*.ipynb"))

    def base(self, name: str) -> Path:
        """The version from which the reader's copy was made."""
        return self.folder / ".origin" / name

    def offer(self, name: str) -> Path:
        return self.folder / name.replace(".ipynb", ".new.ipynb")

    def keep(self, path: Path) -> Path:
        """Move a file of the reader's to work/earlier, under a name that is free."""
        stamp = time.strftime("%Y-%m-%d_%H%M%S")
        target = self.folder / "earlier" / f"{path.stem}_{stamp}.ipynb"
        while target.exists():
            target = target.with_name(target.stem + "x.ipynb")
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)
        return target

    def start(self, name: str) -> None:
        """A fresh copy of the chapter."""
        content = (self.shipped / name).read_bytes()
        write(self.base(name), content)
        write(self.folder / name, content)

    def refresh(self, name: str) -> str:
        """Make the copy of a chapter, or look for a new version; a sentence where one is due."""
        mine, base = self.folder / name, self.base(name)
        new = (self.shipped / name).read_bytes()
        if not mine.exists():
            self.start(name)
            return ""
        if not base.exists():  # somebody copied the chapter by hand
            write(base, new)
            return ""
        if base.read_bytes() == new:
            return ""
        if same_text(base.read_bytes(), new) or same_text(mine.read_bytes(), new):
            write(base, new)  # other outputs only, or the reader has this text already
            return ""
        if same_text(mine.read_bytes(), base.read_bytes()):
            self.start(name)
            return f"{name}: your copy is the new version now; you had written nothing into it."
        offer, made_from = self.offer(name), self.base(name + ".offered")
        if offer.exists() and made_from.exists() and made_from.read_bytes() == new:
            return self.advice(name)
        if offer.exists():
            self.keep(offer)
        write(offer, self.with_answers(name))
        write(made_from, new)
        return self.advice(name)

    def advice(self, name: str) -> str:
        return (
            f"{name} has changed, and your copy holds what you wrote: it stays as it is. The new "
            f"version, with your answers, is beside it: {self.offer(name).name}. To go on with "
            f"that one: make update CHAPTER={name[:2]}"
        )

    def with_answers(self, name: str) -> bytes:
        """The new version with the reader's answers; without, where a file cannot be read."""
        base, mine = self.base(name).read_bytes(), (self.folder / name).read_bytes()
        new = (self.shipped / name).read_bytes()
        if cells(base) is None or cells(mine) is None:
            return new
        return merged(base, mine, new)

    def update(self, name: str) -> str:
        """The new version becomes the reader's copy."""
        self.refresh(name)
        offer = self.offer(name)
        if not offer.exists():
            return f"{name}: there is no newer version than yours."
        kept = self.keep(self.folder / name)
        os.replace(offer, self.folder / name)
        write(self.base(name), (self.shipped / name).read_bytes())
        return f"{name} is the new version now. What you had is in {kept}"

    def reset(self, name: str) -> str:
        """A fresh copy becomes the reader's copy."""
        mine = self.folder / name
        if not mine.exists():
            self.start(name)
            return f"{name} is there now, as it was made."
        kept = self.keep(mine)
        self.start(name)
        return f"{name} is as it was made. What you had is in {kept}"


def main(arguments: list[str] | None = None) -> int:
    sys.stdout.reconfigure(errors="replace")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--update", metavar="CHAPTER", help="take the new version of this chapter")
    parser.add_argument("--reset", metavar="CHAPTER", help="begin this chapter anew")
    parser.add_argument("--folder", type=Path, default=ROOT / "work", help="where the copies are")
    parser.add_argument("--shipped", type=Path, default=ROOT / "notebooks", help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    work = Work(args.shipped, args.folder)
    action = work.refresh
    number = ""
    if args.update is not None:
        action, number = work.update, args.update
    elif args.reset is not None:
        action, number = work.reset, args.reset
    asked = args.update is not None or args.reset is not None
    names = work.chapters(number)
    if asked and (len(names) != 1 or not number):
        print(f"Name one chapter by its number, as in CHAPTER=03; {number!r} is none.")
        return 2
    try:
        for name in names:
            said = action(name)
            if said:
                print(said)
    except OSError as error:
        print(
            f"The working copies of the chapters cannot be written into {args.folder}: "
            f"{error.strerror}. What you wrote before is as it was. Make room on the disk, or copy "
            "the project into a folder that you may write to."
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
