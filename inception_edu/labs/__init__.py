"""The labs: one file a lab. `live.py` holds what they share, `chart.py` draws the curves.

    from inception_edu.labs.scaling import scaling_lab
"""
from __future__ import annotations

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class Shown:
    """What every lab shares: it is displayed once a cell, as the one bundle that its `bundle()` gives."""

    _shown = None

    def bundle(self) -> dict:
        """The lab in several forms, by MIME type."""
        raise NotImplementedError

    def show(self) -> None:
        """Display the lab."""
        from IPython import get_ipython
        from IPython.display import display
        shell = get_ipython()
        if shell is None:
            print(repr(self))
            return
        self._shown = shell.execution_count
        display(self.bundle(), raw=True)

    def _ipython_display_(self) -> None:
        """A cell that ends in the lab shows it, once."""
        from IPython import get_ipython
        if get_ipython() is None or self._shown != get_ipython().execution_count:
            self.show()
