"""A busy machine: how much longer a chapter takes beside other programs.

    python tests/bench_load.py 03 04              quiet, then beside two programs that never rest
    python tests/bench_load.py --mode quick 00
    python tests/bench_load.py 00 --machine "two cores"   keeps both in data/machines

Prints for each chapter the seconds by the clock, quiet and busy, and their ratio. Two competitors
on two cores leave half of the machine, so a ratio of 2 is fair; the target is 2.5. Run it where
nothing else runs: what is not quiet cannot be compared with.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGET = 2.5


@contextmanager
def competitors(count: int):
    """Programs that compute as long as the context lasts."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def run(chapter: str, mode: str) -> dict:
    """What `on_second_device.py cpu CHAPTER` says: seconds, and the error if there is one."""
    environment = os.environ | {"INCEPTION_EDU_MODE": mode}
    environment.pop("OMP_NUM_THREADS", None)  # torch chooses, as on a reader's machine
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, str(HERE / "on_second_device.py"), "cpu", chapter],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
        )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(lines[-1])


def keep(card: str, row: dict, mode: str) -> None:
    """Keep a chapter's seconds as those of the machine called `card`."""
    sys.path.insert(0, str(HERE.parent / "notebooks"))
    import machines

    line = machines.ran(row["name"], row["seconds"], mode, row["error"])
    machines.keep(card, [line], **machines.versions())
    machines.PAGE.write_text(machines.page(), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="+", help="numbers: 00, 03 …")
    parser.add_argument("--mode", default="standard", choices=("quick", "standard", "full"))
    parser.add_argument("--competitors", type=int, default=2)
    parser.add_argument("--machine", metavar="WORDS", help="keep the seconds under this name")
    arguments = parser.parse_args()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if load > 0.5:
        print(f"other programs run here (load {load:.1f}): the quiet times are not quiet ones")
    missed = 0
    for chapter in arguments.chapters:
        quiet = run(chapter, arguments.mode)
        with competitors(arguments.competitors):
            busy = run(chapter, arguments.mode)
        if arguments.machine:
            keep(arguments.machine, quiet, arguments.mode)
            beside = f"{arguments.machine}, beside {arguments.competitors} busy programs"
            keep(beside, busy, arguments.mode)
        ratio = busy["seconds"] / quiet["seconds"]
        missed += ratio > TARGET or bool(quiet["error"] or busy["error"])
        print(
            f"{quiet['name']:28} {quiet['seconds']:7.1f} s quiet {busy['seconds']:7.1f} s beside "
            f"{arguments.competitors} competitors: {ratio:.2f} times as long "
            f"({'pass' if ratio <= TARGET else 'MISS'}) {quiet['error'][:80]}{busy['error'][:80]}",
            flush=True,
        )
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
