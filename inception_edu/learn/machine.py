"""The machine that computes: its device, cores, precision and memory."""

from __future__ import annotations

import ctypes
import os
import warnings
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import cache, partial
from pathlib import Path

import torch

from inception_edu.nets.inference import device_of as device_of

CGROUPS = Path("/sys/fs/cgroup")


def default_device() -> torch.device:
    """INCEPTION_EDU_DEVICE where it is set, else CUDA, else MPS (Apple), else the CPU.

    Where the chapters put their networks: `build(...).to(default_device())`. Data stay on the CPU.
    A device that torch sees and cannot compute on is passed over, with a warning. Raises ValueError
    where the one that was asked for is not there.
    """
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if chosen := os.environ.get("INCEPTION_EDU_DEVICE"):
        place: torch.device | None = None
        with suppress(RuntimeError):
            place = torch.device(chosen)
        if place is None or not found.get(place.type, True):
            here = ", ".join([*(name for name, there in found.items() if there), "cpu"])
            raise ValueError(
                f"INCEPTION_EDU_DEVICE is {chosen!r}, but torch has no such device here: set it to "
                f"one of {here}, or to nothing."
            )
        return place
    return torch.device(next((n for n, there in found.items() if there and _computes(n)), "cpu"))


@cache
def _computes(name: str) -> bool:
    """Whether torch computes on the device: it also sees cards that are too old for it."""
    try:
        return torch.ones(1, device=name).add(1).item() == 2
    except RuntimeError as error:
        warnings.warn(
            f"torch sees a device {name} and cannot compute on it: {str(error).splitlines()[0]} "
            "The CPU is used instead; PyTorch's install page has builds for older cards.",
            stacklevel=4,
        )
        return False


def synchronize(place: torch.device) -> None:
    """Wait until a device has done what it was asked to do; a CPU has."""
    if place.type != "cpu" and place.type != "meta":
        module = getattr(torch, place.type, None)
        if module is not None and hasattr(module, "synchronize"):
            # Of several cards the one that computes; there is only one MPS, which takes no name.
            module.synchronize(*([place] if place.index and place.type != "mps" else []))


def cores(cgroups: Path = CGROUPS) -> int:
    """CPU cores that this process may use: those it is bound to, or the share that its container
    has of them (cgroup version 2 or 1)."""
    if hasattr(os, "sched_getaffinity"):
        bound = len(os.sched_getaffinity(0))
    else:
        bound = os.cpu_count() or 1
    share = _quota(cgroups)
    return bound if share is None else max(1, min(bound, round(share)))


def _quota(cgroups: Path) -> float | None:
    """Cores' worth of time that the container gets, None where it is not limited."""
    with suppress(OSError, ValueError):
        # Version 2: one file, "150000 100000", or "max 100000" where there is no limit.
        used, period = (cgroups / "cpu.max").read_text().split()
        return None if used == "max" else int(used) / int(period)
    for folder in ("cpu", "cpu,cpuacct"):
        with suppress(OSError, ValueError):
            # Version 1: two files; -1 where there is no limit.
            used = (cgroups / folder / "cpu.cfs_quota_us").read_text()
            period = (cgroups / folder / "cpu.cfs_period_us").read_text()
            return int(used) / int(period) if int(used) > 0 else None
    return None


@cache
def keep_memory() -> bool:
    """Let the process keep the memory that a training step frees, for the next step; whether it
    could be arranged.

    Changes the whole process, so nothing calls this but whoever wants it: workers of a sweep, and a
    process whose environment asks for it with INCEPTION_EDU_KEEP_MEMORY=1, as the notebooks of
    `make lab` do. Where torch computes on
    the CPU, glibc gives large freed blocks back to the system, which clears them before it hands
    them out again, at every step: a tenth to a fifth of a mini network's training time. Other
    systems are left as they are.
    """
    trim_threshold, mmap_threshold = -1, -3  # as <malloc.h> numbers them
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    # 32 MiB is the most that older releases take for the second.
    kept = any(mallopt(mmap_threshold, size) for size in (1 << 30, 1 << 25))
    return bool(kept and mallopt(trim_threshold, (1 << 31) - 1))


def autocast(place: torch.device, precision: str = "auto") -> tuple[Callable, str]:
    """A function that makes the context in which to compute, and the precision's name.

    "auto" is bfloat16 where the device multiplies matrices in it: CUDA from compute capability 8 on
    (a T4 has 7.5) and CPUs with AMX (measured there: steps of the small networks take 0.7 to 0.9 of
    the time). Float32 elsewhere: emulated bfloat16 takes several times as long.
    """
    if precision == "auto":
        precision = "bfloat16" if _fast_bfloat16(place) else "float32"
    if precision == "bfloat16":
        return partial(torch.autocast, place.type, dtype=torch.bfloat16), precision
    return nullcontext, precision


def _fast_bfloat16(place: torch.device) -> bool:
    if place.type == "cuda":
        return torch.cuda.get_device_capability(place)[0] >= 8
    return place.type == "cpu" and getattr(torch.cpu, "_is_amx_tile_supported", bool)()


if os.environ.get("INCEPTION_EDU_KEEP_MEMORY") == "1":
    keep_memory()
