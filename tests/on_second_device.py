"""Runs chapters on the second device, in one process: `python tests/on_second_device.py mps 03 12`.

Prints a line of JSON a chapter: its name, the seconds it took, by the clock and of a processor,
the three cells that took longest, and the traceback of the first cell that raised, if one did.
"cpu" instead of a variant runs them on the CPU, to compare.
"""

import io
import json
import os
import sys
import time
import traceback
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "notebooks"), str(ROOT / "tests"), str(ROOT)]
os.environ.setdefault("INCEPTION_EDU_MODE", "quick")
os.environ.setdefault("MPLBACKEND", "agg")


def run(source: Path) -> dict:
    """Every code cell of the chapter as it is handed to a reader, stubs unsolved."""
    import build
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.reset()
    start, busy, shown = time.perf_counter(), time.process_time(), io.StringIO()
    error, cells = "", {}
    for number, cell in enumerate(build.transform(source).cells):
        if cell.cell_type != "code":
            continue
        begun = time.perf_counter()
        with redirect_stdout(shown), redirect_stderr(shown):
            result = shell.run_cell(cell.source, store_history=True, silent=False)
        cells[number] = round(time.perf_counter() - begun, 1)
        raised = result.error_before_exec or result.error_in_exec
        if raised:
            lines = traceback.format_exception(type(raised), raised, raised.__traceback__)
            error = f"cell {number}:\n{cell.source}\n\n{''.join(lines[-12:])}"
            break
    return {
        "name": source.stem,
        "seconds": round(time.perf_counter() - start, 1),
        "cpu": round(time.process_time() - busy, 1),
        "longest": dict(sorted(cells.items(), key=lambda item: -item[1])[:3]),
        "error": error,
    }


def main(variant: str, *chapters: str) -> None:
    import build

    if variant != "cpu":
        import second_device

        second_device.register(variant)
        os.environ["INCEPTION_EDU_DEVICE"] = second_device.NAME
    for source in build.sources(*chapters):
        print(json.dumps(run(source)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
