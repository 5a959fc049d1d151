"""What is done before or after each cell of a notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def at_each_cell(event: str, act: Callable[..., None]) -> None:
    """Call `act` at every `event` ("pre_run_cell", "post_run_cell") of this notebook; nothing
    outside IPython. An earlier function of the same place in the code is replaced."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return
    for old in list(shell.events.callbacks[event]):
        if _place(old) == _place(act):
            shell.events.unregister(event, old)
    shell.events.register(event, act)


def _place(function: Any) -> tuple[str, str]:
    """Where a function stands: its module, and its name in there."""
    return getattr(function, "__module__", ""), getattr(function, "__qualname__", "")
