"""The command line of the experiments: `python -m inception_edu.study …`.

What it can do:

    list                              the experiments, their questions and knobs
    run remedies --data folder:PATH   run one; what is finished is kept
    status                            how much of each is finished
    pack remedies                     write its finished runs into data/results/
    run lab_grid --missing --only "width 288" "rate 0.2"    some cells of the labs' grid
    pack lab_grid                     put them into the labs' recorded runs
    claims                            the paper's claims and their verdicts
    reproduce                         make a sample of the committed runs again
    lengths                           ‖a‖² of the full networks before any training
    all_images                        dead channels on every training image
    migrate FILE…                     bring result files of an older schema up to date
"""

from __future__ import annotations

import argparse
import sys
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path

from inception_edu._console import forgive
from inception_edu.data.errors import DataError
from inception_edu.study.all_images import measure_all_images
from inception_edu.study.cells import MODES
from inception_edu.study.claims import table
from inception_edu.study.config import PHOTOGRAPHS, Config, ExperimentError
from inception_edu.study.experiments import EXPERIMENTS, configurations, mode, question
from inception_edu.study.identity import identify
from inception_edu.study.lengths import measure_lengths
from inception_edu.study.migrate import migrate_file
from inception_edu.study.record_grid import pack_grid, recorded_there
from inception_edu.study.reproduction import report
from inception_edu.study.results import Result, pack, read_result, results_if_any
from inception_edu.study.sized import on_a_card
from inception_edu.study.sweeps import local_executor, sweep, work

WHAT = (
    "list",
    "run",
    "status",
    "pack",
    "claims",
    "reproduce",
    "lengths",
    "all_images",
    "migrate",
)


def main(words: list[str] | None = None) -> int:
    forgive()
    _absent.clear()
    try:
        # Names may stand after options.
        args = _parser().parse_intermixed_args(words)
        _no_words_unheard(args)
        _no_name_in_only(args)
        if args.what == "migrate":
            for path in args.names:
                print(migrate_file(Path(path), _photographs(args)))
            return 0
        if args.what == "claims":
            print(table())
            return 0
        if args.what == "reproduce":
            return 0 if report(args.small, _photographs(args)) else 1
        if args.what == "lengths":
            print(measure_lengths())
            return 0
        if args.what == "all_images":
            print(measure_all_images(_photographs(args)))
            return 0
        for name in args.names or EXPERIMENTS:
            _one(name, args)
    except (ExperimentError, DataError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m inception_edu.study", description="The paper's claims, tried."
    )
    add = parser.add_argument
    add("what", choices=WHAT)
    add("names", nargs="*", metavar="NAME", help="experiments (none: all of them), or files")
    add("--mode", choices=MODES, default=mode())
    add("--missing", action="store_true", help="run only what the committed results do not hold")
    add("--only", nargs="+", default=[], help="run: only cells with all of these in their name")
    add("--partial", action="store_true", help="pack: also cells that still lack seeds")
    add("--small", action="store_true", help="reproduce: the embedded images alone, a minute")
    add("--workers", type=int, default=2, help="processes of one thread; 0: in this process")
    add("--data", help="where the photographs are (folder:PATH), or another source in their place")
    add("--folder", type=Path, default=None, help="where finished runs are kept")
    add("--dask", metavar="ADDRESS", help="a dask scheduler, instead of processes here")
    return parser


def _no_name_in_only(args: argparse.Namespace) -> None:
    """Refuse an experiment's name that was read as a word of --only, which takes all words up to
    the next option: without a name all experiments would be meant."""
    taken = [] if args.names else [word for word in args.only if word in EXPERIMENTS]
    if taken:
        raise ExperimentError(
            f"--only takes every word after it, {taken[0]} too, so no experiment was named: write "
            f"`{args.what} {taken[0]} --only …`."
        )


def _no_words_unheard(args: argparse.Namespace) -> None:
    """Refuse words that the command would pass over."""
    if args.names and args.what in ("claims", "reproduce", "lengths", "all_images"):
        raise ExperimentError(f"`{args.what}` takes no names: leave out {' '.join(args.names)}.")
    if args.only and args.what in ("list", "pack"):
        raise ExperimentError(
            f"--only is for `run` and `status`: `{args.what}` is of a whole experiment."
        )


def _photographs(args: argparse.Namespace) -> str | None:
    photographs = args.data and args.data.startswith(("folder:", "cifar10"))
    return args.data if photographs else None


def _one(name: str, args: argparse.Namespace) -> None:
    photos = _photographs(args)
    configs = configurations(name, args.mode, None if photos else args.data)
    if args.what == "list":
        _list(name, configs)
        return
    committed = _committed(name)
    # Packing only some of them would drop the others.
    if args.what != "pack":
        there = recorded_there(configs) if name == "lab_grid" else set(committed)
        configs = [c for c in configs if not (args.missing and c in there)]
        configs = [c for c in configs if all(words in c.label for words in args.only)]
    found = _finished(configs, args.folder, photos)
    spent = f", {sum(r.seconds for r in found) / 60:.0f} min of computing" if found else ""
    print(f"{_size(name, configs)}, {len(found)} finished{spent}", flush=True)
    if args.what == "run":
        with _executor(args) as executor:
            sweep(configs, executor, folder=args.folder, source=photos)
    if args.what == "pack":
        _pack(name, configs, committed, found, args.partial)


def _size(name: str, configs: list[Config]) -> str:
    return f"{name}: {len({c.label for c in configs})} cells, {len(configs)} runs"


def _list(name: str, configs: list[Config]) -> None:
    experiment = EXPERIMENTS[name]
    print(_size(name, configs))
    print(f"    {experiment.question}")
    print(f"    scientific: {experiment.scientific}; nuisance: {experiment.nuisance}")
    print(f"    fixed: {experiment.fixed}")
    print(f"    about {sum(map(work, configs)) / 1e15:.3g} · 10^15 multiply-adds")
    if "for a GPU" in experiment.fixed:
        with suppress(ExperimentError):  # an estimate needs committed runs
            print(f"    by the committed runs about {on_a_card(configs)}")


def _finished(configs: list[Config], folder: Path | None, source: str | None) -> list[Result]:
    """The finished runs on this machine's images; none where the images cannot be had."""
    found = []
    for data in dict.fromkeys(c.data for c in configs):
        if (data, source) in _absent:
            continue
        chosen = [c for c in configs if c.data == data]
        try:
            identify(chosen[0], source)
        except Exception as error:
            if data == PHOTOGRAPHS:
                _absent.add((data, source))
                print(f"    (the photographs are not at hand: {error})")
                continue
            raise
        found += [r for c in chosen if (r := read_result(c, folder, source))]
    return found


# Images that could not be had: asked for once, since asking may try to download them.
_absent: set[tuple[str, str | None]] = set()


def _pack(
    name: str, configs: list[Config], committed: dict, found: list[Result], partial: bool
) -> None:
    """What was committed stays, unless it was run again or the experiment does not ask for it any
    more."""
    runs = {**committed, **{r.config: r for r in found}}
    missing = [c for c in configs if c not in runs]
    if missing and not partial:
        print(f"    {len(missing)} runs are missing: only whole cells are packed")
    if name == "lab_grid":  # too many runs for lines of JSON; a cell may still lack seeds
        print(f"    {pack_grid(name, found)}")
        return
    whole = {c.label for c in configs} - {c.label for c in missing}
    chosen = [runs[c] for c in configs if c in runs and (partial or c.label in whole)]
    if (maps := EXPERIMENTS[name].maps) is not None:
        chosen = [replace(r, maps={what: r.maps.get(what, {}) for what in maps}) for r in chosen]
    lacking = len(configs) - len(chosen)
    print(f"    {pack(name, chosen, question=question(name), missing=lacking)}")


def _committed(name: str) -> dict[Config, Result]:
    # A file that is there and cannot be read is told: packing would overwrite its runs.
    return {r.config: r for r in results_if_any(name)}


def _executor(args: argparse.Namespace):
    if args.dask:
        try:
            from dask.distributed import Client

            return Client(args.dask).get_executor()
        except ImportError:
            raise ExperimentError(
                "--dask needs dask, which is not installed: `pip install distributed`, or leave "
                "--dask out."
            ) from None
        except (OSError, ValueError) as error:
            raise ExperimentError(
                f"No dask scheduler answers at {args.dask!r} ({error}). Start one with `dask "
                "scheduler` and give its address, such as tcp://127.0.0.1:8786."
            ) from None
    return local_executor(args.workers) if args.workers else nullcontext()
