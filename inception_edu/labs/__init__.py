"""The labs: one file a lab. `live.py` holds what they share, `chart.py` draws the curves.

from inception_edu.labs.scaling import scaling_lab
"""

from __future__ import annotations

import base64
from html import escape

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class Picture(str):
    """An SVG with its words; a notebook shows it as <img alt=…>, which it also does before it is
    trusted."""

    said: str

    def __new__(cls, svg: str, said: str):
        picture = super().__new__(cls, svg)
        picture.said = said
        return picture

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.encode()).decode()
        return (
            f'<img class="ied-drawing" alt="{escape(self.said, quote=True)}" '
            f'style="max-width:100%;height:auto" src="data:image/svg+xml;base64,{data}">'
        )


class Shown:
    """What every lab shares: it is displayed once a cell, as the one bundle that its `bundle()`
    gives."""

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
