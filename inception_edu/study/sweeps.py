"""Many runs: on this machine's cores or on a cluster, interrupted and taken up again.

Whoever calls `sweep` writes the files, and an interrupted sweep loses only the runs that were under
way.

Several machines, with the `dask` extra: start `dask scheduler` on one, and on each
`dask worker tcp://SCHEDULER:8786 --nworkers 4 --nthreads 1` in an environment that has this package
and, where the experiment wants photographs, INCEPTION_EDU_PHOTOGRAPHS set to where that machine
keeps them. Then, on a machine that has the same images:

    from dask.distributed import Client
    sweep(configs, Client("tcp://SCHEDULER:8786").get_executor())

Workers may come and go: dask gives the runs of a lost worker to another one. A worker whose images,
precision or kind of device are others than here has its run refused.
"""

from __future__ import annotations

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

from inception_edu._numbers import is_whole
from inception_edu.learn import keep_memory
from inception_edu.study.config import Config, ExperimentError
from inception_edu.study.digests import Identity, digest
from inception_edu.study.identity import identify
from inception_edu.study.results import Result, keep, read_result, runs_folder
from inception_edu.study.runs import run


@dataclass(frozen=True)
class _Job:
    """One run in a worker, whatever kind of worker that is."""

    config: Config
    identity: Identity
    source: str | None
    threads: int
    folder: Path

    def __call__(self) -> Result:
        # Another sweep may have finished it meanwhile.
        if found := read_result(self.config, self.folder, identity=self.identity):
            return found
        return run(self.config, source=self.source, threads=self.threads)


def _local_worker(parent: int, threads: int) -> None:
    torch.set_num_threads(threads)
    keep_memory()

    def watch():
        # A worker whose parent was killed would wait for work for ever, or finish a run that nobody
        # keeps.
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def local_executor(workers: int = 2, threads: int = 1) -> ProcessPoolExecutor:
    """Processes on this machine, `threads` torch threads each: on two cores, two runs of one thread
    finish sooner than one run of two threads after another, and do not fight over the cores. Raises
    `ExperimentError` for what is no number of processes or threads."""
    for what, number in (("workers", workers), ("threads", threads)):
        if not is_whole(number) or number < 1:
            raise ExperimentError(f"{what} should be a whole number from 1 on, got {number!r}.")
    return ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),
        initializer=_local_worker,
        initargs=(os.getpid(), threads),
    )


@cache
def _multiply_adds(network: str, arguments: tuple) -> int:
    return Config("", network, arguments).macs()


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
    number of torch threads of a run; with one it repeats to the last bit. `progress`: True prints a
    line now and then, or a function of (finished, total, seconds left).
    Raises `ExperimentError` when runs failed; the others are kept, and the same call goes on where
    this one ended.
    """
    if isinstance(configs, Config) or not isinstance(configs, Iterable):
        raise ExperimentError("A sweep takes a list of configurations: write sweep([config]).")
    if executor is not None and not hasattr(executor, "submit"):
        raise ExperimentError(f"Who runs it is such as local_executor(2), got {executor!r}.")
    configs = list(configs)
    for one in configs:
        if not isinstance(one, Config):
            raise ExperimentError(f"A run is said by a Config(...), got {type(one).__name__}.")
    folder = Path(folder or runs_folder())
    names = {config: _name(config, source) for config in configs}
    wanted = {key: (config, identity) for config, (key, identity) in names.items()}
    results = {}
    for key, (config, identity) in wanted.items():
        if found := read_result(config, folder, identity=identity):
            results[key] = found
    todo = {key: pair for key, pair in wanted.items() if key not in results}
    amounts = {key: work(config) for key, (config, _) in todo.items()}
    report = _Progress(len(wanted), len(results), amounts, progress)
    failed: dict[str, BaseException] = {}

    def finish(key: str, outcome: Callable[[], Result]) -> None:
        try:
            result = outcome()
            _same(key, result, wanted[key][0])
        except BrokenExecutor as error:
            raise ExperimentError(
                f"A worker process ended abruptly (out of memory, or killed) with {len(results)} "
                f"of {len(wanted)} runs finished. They are kept: make the same call again to go on."
            ) from error
        except Exception as error:
            failed[key] = error
            return
        keep(result, folder)
        config, identity = wanted[key]
        kept = read_result(config, folder, identity=identity)
        assert kept is not None  # it was kept two lines ago
        results[key] = kept
        report.done(key)

    jobs = {
        key: _Job(config, identity, source, threads, folder)
        for key, (config, identity) in todo.items()
    }
    if executor is None:
        for key, job in jobs.items():
            finish(key, job)
    else:
        futures = {executor.submit(job): key for key, job in jobs.items()}
        try:
            for future in as_completed(futures):
                finish(futures[future], future.result)
        finally:
            for future in futures:
                future.cancel()
    report.close()
    if failed:
        key, error = next(iter(failed.items()))
        first = wanted[key][0]
        raise ExperimentError(
            f"{len(failed)} of {len(wanted)} runs failed; the others are kept. The first: "
            f"{first.label}, seed {first.seed}: {type(error).__name__}: {error}"
        ) from error
    return [replace(results[names[config][0]], config=config) for config in configs]


def _name(config: Config, source: str | None) -> tuple[str, Identity]:
    identity = identify(config, source)
    return digest(config, identity), identity


def _same(key: str, result: Result, config: Config) -> None:
    if replace(result, config=config).digest != key:
        raise ExperimentError(
            f"a worker trained with {result.identity}, which is not what was asked for: give it "
            "the same images, precision and kind of device as this machine has."
        )


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
