"""Where images can lie: the devices and the memory of this machine."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import torch

from inception_edu.data.errors import DataError

CGROUPS = Path("/sys/fs/cgroup")


def device_here(device: str | torch.device) -> torch.device:
    """A device that torch can put images on. Raises `DataError` where there is no such one here."""
    try:
        place = torch.device(device)
        torch.empty(0, device=place)
    except (RuntimeError, AssertionError, TypeError, NotImplementedError):
        there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        known = ", ".join(["cpu", *(name for name, found in there.items() if found)])
        raise DataError(f"There is no device {str(device)!r} here: torch has {known}.") from None
    return place


def need_memory(count: int, channels: int, side: int) -> None:
    """Raises `DataError` where so many images, a byte a value, would take more than half of this
    machine's memory: it would come to a halt, or end the process without a word."""
    # While they are made, one or a few of them are there as float32, several times.
    wanted, there = (count + 16) * channels * side * side, memory()
    if wanted > there / 2:
        raise DataError(
            f"To make {count:,} images of {side:,}×{side:,} pixels takes {_size(wanted)}, more "
            f"than half of the {_size(there)} of memory here: choose smaller ones (image=...) or "
            "fewer (limit=...)."
        )


def memory(cgroups: Path = CGROUPS) -> int:
    """Bytes of memory that this process may use: the machine's, or what its container gets of them
    (cgroup version 2 or 1). Windows, which does not say, refuses by itself what it has not."""
    most = sys.maxsize
    with suppress(AttributeError, ValueError, OSError):
        most = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for file in ("memory.max", "memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):  # "max": not limited
            most = min(most, int((cgroups / file).read_text()))
    return most


def _size(amount: float) -> str:
    return f"{amount / 1e9:,.1f} GB" if amount < 1e14 else f"{amount / 1e12:,.0f} TB"
