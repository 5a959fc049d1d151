"""What a chapter's first cell says of the machine that it runs on."""

from __future__ import annotations

import sys
import time
from typing import Any

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


def _before_each_cell(choose: Any) -> None:
    """Nothing outside IPython; a second call replaces the first."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return
    chosen = time.monotonic()

    def before(*_: Any) -> None:
        nonlocal chosen
        if time.monotonic() - chosen > RECENT:
            choose()
            chosen = time.monotonic()

    before.__module__ = __name__
    for old in list(shell.events.callbacks["pre_run_cell"]):
        if getattr(old, "__module__", "") == __name__:
            shell.events.unregister("pre_run_cell", old)
    shell.events.register("pre_run_cell", before)
