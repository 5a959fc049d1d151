"""Many runs: on this machine's cores or on a cluster, interrupted and taken up again; their files
and summaries.

A result is written under another name first and then renamed, so a file that exists is whole.
Whoever calls `sweep` writes the files, and an interrupted sweep loses only the runs that were under
way.

Several machines, with the `dask` extra: start `dask scheduler` on one, and on each
`dask worker tcp://SCHEDULER:8786 --nworkers 4 --nthreads 1` in an environment that has this package
and, where the experiment wants photographs, INCEPTION_EDU_PHOTOGRAPHS set to where that machine
keeps them. Then, anywhere:

    from dask.distributed import Client
    sweep(configs, Client("tcp://SCHEDULER:8786").get_executor())

Workers may come and go: dask gives the runs of a lost worker to another one.
"""

from __future__ import annotations

import json
import math
import os
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import torch

from inception_edu.data import data_dir, downloads_dir
from inception_edu.describe.measure import measure
from inception_edu.study.runs import Config, ExperimentError, Result, digest, run

RESULTS = data_dir() / "results"


# --- Result files ---------------------------------------------------------------------------------


def runs_folder() -> Path:
    """Where finished runs are kept: INCEPTION_EDU_RUNS, else runs/ beside the downloads."""
    chosen = os.environ.get("INCEPTION_EDU_RUNS")
    return Path(chosen).expanduser() if chosen else downloads_dir() / "runs"


def _short(value):
    """Four significant digits are enough for a curve; what is not finite becomes null."""
    if isinstance(value, float):
        return (
            (float(f"{value:.4g}") if value != int(value) or abs(value) > 1e6 else int(value))
            if math.isfinite(value)
            else None
        )
    if isinstance(value, dict):
        return {k: _short(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_short(v) for v in value]
    return value


def _line(result: Result) -> str:
    values = result.to_dict()
    config = values.pop("config")
    return json.dumps(
        {"digest": values.pop("digest"), "config": config, **_short(values)}, separators=(",", ":")
    )


def write_whole(path: Path, text: str) -> None:
    """Write under another name, then rename: `path` either has all of `text` or is as it was
    before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def read_result(config: Config, folder: Path | None = None) -> Result | None:
    """The finished run of `config`, or None. A file of another configuration, or an unreadable one,
    counts as none."""
    path = Path(folder or runs_folder()) / f"{digest(config)}.json"
    try:
        result = Result.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (
        replace(result, config=config)
        if replace(result.config, label=config.label) == config
        else None
    )


# --- Sweeps ---------------------------------------------------------------------------------------


def _job(config: Config, source: str | None, threads: int | None, folder: Path) -> Result:
    """One run in a worker, whatever kind of worker that is. Another sweep may have finished it
    meanwhile."""
    if found := read_result(config, folder):
        return found
    if threads:
        torch.set_num_threads(threads)
    return run(config, source=source)


def _local_worker(parent: int, threads: int) -> None:
    torch.set_num_threads(threads)

    def watch():
        # A worker whose parent was killed would wait for work for ever, or finish a run that nobody
        # keeps.
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def local_executor(workers: int = 2, threads: int = 1) -> ProcessPoolExecutor:
    """Processes on this machine, `threads` torch threads each: on two cores, two runs of one thread
    finish sooner than one run of two threads after another, and do not fight over the cores."""
    return ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),
        initializer=_local_worker,
        initargs=(os.getpid(), threads),
    )


@cache
def _multiply_adds(network: str, arguments: tuple) -> int:
    return measure(Config("", network, arguments).description()).macs


def work(config: Config) -> float:
    """Multiply-adds of a run, about: what the time left is reckoned with."""
    recipe, macs = config.recipe, _multiply_adds(config.network, config.arguments)
    return macs * (3 * recipe.steps * recipe.batch_size + config.test_images)


def sweep(
    configs: Iterable[Config],
    executor: Executor | None = None,
    *,
    folder: Path | None = None,
    source: str | None = None,
    threads: int = 1,
    progress: bool | Callable = True,
) -> list[Result]:
    """Run every configuration that has no finished result yet; return all results in the order
    asked for.

    `executor`: any `concurrent.futures.Executor` (`local_executor(2)`, threads,
    `Client(…).get_executor()`); None runs one after the other in this process. `threads` is the
    number of torch threads a run may use in a worker. `progress`: True prints a line now and then,
    or a function of (finished, total, seconds left).
    Raises `ExperimentError` when runs failed; the others are kept, and the same call goes on where
    this one ended.
    """
    configs = list(configs)
    folder = Path(folder or runs_folder())
    wanted: dict[str, Config] = {}
    for config in configs:
        wanted.setdefault(digest(config), config)
    results = {key: result for key, c in wanted.items() if (result := read_result(c, folder))}
    todo = {key: c for key, c in wanted.items() if key not in results}
    report = _Progress(len(wanted), len(results), {k: work(c) for k, c in todo.items()}, progress)
    failed: dict[str, BaseException] = {}

    def finish(key: str, outcome: Callable[[], Result]) -> None:
        try:
            result = outcome()
        except BrokenExecutor as error:
            raise ExperimentError(
                f"A worker process ended abruptly (out of memory, or killed) with {len(results)} of "
                f"{len(wanted)} runs finished. They are kept: make the same call again to go on."
            ) from error
        except Exception as error:
            failed[key] = error
            return
        write_whole(folder / f"{key}.json", _line(result))
        results[key] = read_result(wanted[key], folder)
        report.done(key)

    if executor is None:
        for key, config in todo.items():
            finish(key, lambda config=config: run(config, source=source))
    else:
        futures = {
            executor.submit(_job, c, source, threads, folder): key for key, c in todo.items()
        }
        try:
            for future in as_completed(futures):
                finish(futures[future], future.result)
        finally:
            for future in futures:
                future.cancel()
    report.close()
    if failed:
        key, error = next(iter(failed.items()))
        raise ExperimentError(
            f"{len(failed)} of {len(wanted)} runs failed; the others are kept. The first: {wanted[key].label}, seed "
            f"{wanted[key].seed}: {type(error).__name__}: {error}"
        ) from error
    return [replace(results[digest(c)], config=c) for c in configs]


class _Progress:
    def __init__(self, total: int, found: int, todo: dict[str, float], show: bool | Callable):
        self.total, self.finished, self.todo, self.show = total, found, dict(todo), show
        self.all_work, self.start, self.last = sum(todo.values()), time.monotonic(), 0.0
        if show is True and total:
            print(f"{total} runs, {found} of them finished before", flush=True)

    def done(self, key: str) -> None:
        self.finished += 1
        self.todo.pop(key)
        left, now = sum(self.todo.values()), time.monotonic()
        seconds = (now - self.start) * left / max(self.all_work - left, 1e-9)
        if callable(self.show):
            self.show(self.finished, self.total, seconds)
        elif self.show and (now - self.last > 5 or not self.todo):
            self.last = now
            print(f"{self.finished}/{self.total} runs, about {_clock(seconds)} left", flush=True)

    def close(self) -> None:
        if self.show is True and self.all_work:
            print(f"finished in {_clock(time.monotonic() - self.start)}", flush=True)


def _clock(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


# --- Committed results ----------------------------------------------------------------------------


def pack(name: str, results: list[Result], folder: Path | None = None, question: str = "") -> Path:
    """Write an experiment's runs into one file, a header line and a line a run:
    data/results/NAME.jsonl."""
    header = {
        "experiment": name,
        "question": question,
        "runs": len(results),
        "cells": len({r.label for r in results}),
        "core_hours": round(sum(r.seconds * r.threads for r in results) / 3600, 2),
        "data": sorted({r.data["name"] for r in results}),
        "device": sorted({r.device for r in results}),
    }
    path = Path(folder or RESULTS) / f"{name}.jsonl"
    write_whole(
        path, "\n".join([json.dumps(header, ensure_ascii=False), *map(_line, results)]) + "\n"
    )
    return path


def load_results(name: str, folder: Path | None = None) -> list[Result]:
    """The committed runs of an experiment. Raises `ExperimentError` where there are none."""
    path = Path(folder or RESULTS) / f"{name}.jsonl"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in Path(folder or RESULTS).glob("*.jsonl"))) or "none"
        raise ExperimentError(
            f"There are no committed results called {name!r} (there are: {known}). Make them with "
            f"`python -m inception_edu.study.experiments run {name}`."
        )
    _, *lines = path.read_text(encoding="utf-8").splitlines()
    return [Result.from_dict(json.loads(line)) for line in lines]


def reproduce(result: Result, seed: int | None = None, **arguments) -> Result:
    """The same configuration once more, here and now; with `seed`, a draw that the committed file
    does not have."""
    config = result.config if seed is None else replace(result.config, seed=seed)
    return run(config, **arguments)


# Student's t: two-sided 95 % and 99 % points for 1, 2, … 30 degrees of freedom, then the normal
# ones.
T95 = (
    12.706,
    4.303,
    3.182,
    2.776,
    2.571,
    2.447,
    2.365,
    2.306,
    2.262,
    2.228,
    2.201,
    2.179,
    2.160,
    2.145,
    2.131,
    2.120,
    2.110,
    2.101,
    2.093,
    2.086,
    2.080,
    2.074,
    2.069,
    2.064,
    2.060,
    2.056,
    2.052,
    2.048,
    2.045,
    2.042,
)
T99 = (
    63.657,
    9.925,
    5.841,
    4.604,
    4.032,
    3.707,
    3.499,
    3.355,
    3.250,
    3.169,
    3.106,
    3.055,
    3.012,
    2.977,
    2.947,
    2.921,
    2.898,
    2.878,
    2.861,
    2.845,
    2.831,
    2.819,
    2.807,
    2.797,
    2.787,
    2.779,
    2.771,
    2.763,
    2.756,
    2.750,
)


def student(degrees: float, table: tuple = T95) -> float:
    """The two-sided point of Student's t; a fraction of a degree is rounded down, to the careful
    side."""
    whole = int(degrees)
    return table[max(1, whole) - 1] if whole <= len(table) else {T95: 1.960, T99: 2.576}[table]


@dataclass(frozen=True)
class Cell:
    """The runs of one cell, one value a seed."""

    label: str
    values: tuple[float, ...]

    @property
    def n(self) -> int:
        return len(self.values)

    @property
    def mean(self) -> float:
        return sum(self.values) / self.n

    @property
    def sd(self) -> float:
        """Standard deviation over seeds (n − 1); 0 for one seed."""
        return (
            math.sqrt(sum((v - self.mean) ** 2 for v in self.values) / (self.n - 1))
            if self.n > 1
            else 0.0
        )

    @property
    def interval(self) -> tuple[float, float]:
        """95 % t interval of the mean."""
        half = student(self.n - 1) * self.sd / math.sqrt(self.n) if self.n > 1 else math.inf
        return self.mean - half, self.mean + half

    @property
    def one_more(self) -> tuple[float, float]:
        """Where one more seed should fall: the 99 % prediction interval, at least what has been
        seen."""
        half = (
            student(self.n - 1, T99) * self.sd * math.sqrt(1 + 1 / self.n)
            if self.n > 1
            else math.inf
        )
        return min(self.mean - half, *self.values), max(self.mean + half, *self.values)

    def text(self, percent: bool = True) -> str:
        """For example "61 % (51 to 69 %, 5 seeds)": mean, smallest and largest."""
        low, high = min(self.values), max(self.values)
        if percent:
            return f"{self.mean:.0%} ({low:.0%} to {high:.0%}, {self.n} seeds)".replace("%", " %")
        return f"{self.mean:.3g} ({low:.3g} to {high:.3g}, {self.n} seeds)"


def summarise(
    results: Iterable[Result], value: str | Callable[[Result], float] = "accuracy"
) -> dict[str, Cell]:
    """Every cell by its label, in the order of the results. `value` is an attribute of a result or
    a function."""
    get = value if callable(value) else lambda result: getattr(result, value)
    groups: dict[str, list[float]] = {}
    for result in results:
        groups.setdefault(result.label, []).append(get(result))
    return {label: Cell(label, tuple(values)) for label, values in groups.items()}


def difference(a: Cell, b: Cell) -> tuple[float, float, float]:
    """Mean of a − mean of b, with its 95 % interval (Welch): (difference, low, high)."""
    parts = [c.sd**2 / c.n for c in (a, b)]
    total = sum(parts)
    degrees = total**2 / sum(p**2 / (c.n - 1) for p, c in zip(parts, (a, b)) if p) if total else 1
    half = student(degrees) * math.sqrt(total)
    return a.mean - b.mean, a.mean - b.mean - half, a.mean - b.mean + half
