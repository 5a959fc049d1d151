"""The machines on which chapters were run: one file each in data/machines, one line each in
docs/machines.md.

    python notebooks/machines.py --write      docs/machines.md anew; `make notebooks` does so too

`make gpu`, `make colab-test`, `make versions ARGS=--torch`, `notebooks/build.py --machine WORDS`
and `tests/bench_load.py --machine WORDS` write the files. What a chapter took replaces what it took
before on that machine, and leaves the other chapters alone.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MACHINES = ROOT / "data" / "machines"
PAGE = ROOT / "docs" / "machines.md"
VERSIONS = """import sys; from importlib.metadata import version
print(sys.version.split()[0], version("torch"))"""
TABLE = re.compile(r"(<!-- machines: .*? -->\n).*?(<!-- end of machines -->)", re.DOTALL)


def found() -> list[dict]:
    """The content of every file of data/machines, by name."""
    paths = sorted(MACHINES.glob("*.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def load() -> float | None:
    """How many programs wanted a processor in the last minute, this one with them; None on
    Windows, which does not count them."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def ran(name: str, seconds: float, mode: str, error: str = "") -> dict:
    """The line of a chapter that was run just now."""
    row = {"chapter": name, "mode": mode, "status": "failed" if error else "ran"}
    row |= {"seconds": round(seconds, 1), "load": load()}
    row["date"] = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    plain = re.sub(r"\x1b\[[\d;]*m", "", error)  # IPython writes errors in colours
    return row | ({"error": plain.strip().splitlines()[-1][:300]} if error else {})


def versions(python: str | Path = sys.executable) -> dict[str, str]:
    """Of this Python, and of its torch."""
    done = subprocess.run([python, "-c", VERSIONS], capture_output=True, text=True, check=True)
    return dict(zip(("python", "torch"), done.stdout.split()))


def keep(card: str, rows: Iterable[dict], **facts: str) -> Path:
    """Keep the lines of chapters that were run on the machine called `card`. `facts`: its
    versions, now; each line keeps those with which it was run."""
    name = re.sub(r"[^a-z0-9]+", "-", card.lower()).strip("-")
    path = MACHINES / f"{name}.json"
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    chapters = {(row["chapter"], row["mode"]): row for row in before.get("chapters", [])}
    chapters |= {(row["chapter"], row["mode"]): row | facts for row in rows}
    content = before | {"machine": before.get("machine", {}) | {"card": card} | facts}
    content["chapters"] = [chapters[key] for key in sorted(chapters)]
    MACHINES.mkdir(exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)
    return path


def table(numbers: Iterable[str]) -> str:
    """A Markdown table: a line for each machine and mode, a column for each chapter, in seconds."""
    numbers = list(numbers)
    heads = ["machine", "mode", *numbers, "load", "when", "Python", "torch"]
    lines = [heads, ["---", "---", *["---:"] * len(numbers), "---", "---", "---", "---"]]
    for content in found():
        machine, chapters = content["machine"], content.get("chapters") or []
        for mode in sorted({row["mode"] for row in chapters}, reverse=True):
            of = {row["chapter"][:2]: row for row in chapters if row["mode"] == mode}
            loads = sorted(row["load"] for row in of.values() if row.get("load") is not None)
            days = sorted({row.get("date") or content.get("date") or "" for row in of.values()})
            lines.append([machine["card"], mode, *(shown(of.get(number)) for number in numbers)])
            lines[-1] += [span(loads, ".0f"), span([day for day in days if day])]
            for what in ("python", "torch"):
                with_it = {row.get(what) or machine.get(what, "") for row in of.values()}
                lines[-1].append(span(sorted((v.split("+")[0] for v in with_it), key=_release)))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _release(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def shown(row: dict | None) -> str:
    if row is None:
        return ""
    return f"{row['seconds']:.0f}" if row["status"] == "ran" else row["status"]


def span(values: list, form: str = "") -> str:
    """Smallest to largest; one word where they look alike."""
    ends = [format(value, form) for value in values[:1] + values[-1:]]
    return " to ".join(dict.fromkeys(ends))


def page() -> str:
    """docs/machines.md with its table made new."""
    names = sorted(path.name[:2] for path in (ROOT / "notebooks" / "src").glob("[0-9][0-9]_*.py"))
    text = PAGE.read_text(encoding="utf-8")
    return TABLE.sub(lambda m: m[1] + table(names) + m[2], text)


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        print(page())
