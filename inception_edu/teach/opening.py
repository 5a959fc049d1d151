"""What a chapter's first cell says of the machine that it runs on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from inception_edu.teach.shell import at_each_cell

RECENT = 2.0  # seconds for which a chosen number of threads is taken to be right still


def begin() -> Any:
    """A line with the mode, the device and the number of threads. In a notebook the number is
    chosen anew before each later cell.

    A program that starts between two cells would else make the next forward pass ten times as slow
    (`inception_edu.learn.pace` says why). A number that the reader sets with
    `torch.set_num_threads` is the most that is chosen from then on.
    """
    from inception_edu.learn import default_device, set_threads
    from inception_edu.study import mode
    from inception_edu.teach.claims import say

    number = set_threads()
    _before_each_cell(set_threads)
    return say(f"Mode: {mode()}. Device: {default_device()}. Threads: {number}.")


def _before_each_cell(choose: Callable[[], Any]) -> None:
    chosen = time.monotonic()

    def before(*_: Any) -> None:
        nonlocal chosen
        if time.monotonic() - chosen > RECENT:
            choose()
            chosen = time.monotonic()

    at_each_cell("pre_run_cell", before)
