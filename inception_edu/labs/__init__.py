"""The labs: one file a lab.

from inception_edu.labs.scaling import scaling_lab

A lab is a frozen state, a pure `update`, a pure `render` (`core.py`); `host.py` shows it with
widgets; `web/` holds the JavaScript and CSS. `docs/labs.md` says how to add one.
"""

from __future__ import annotations

import base64
import uuid
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


# A lab is displayed as two outputs, one below the other: the stored form, then the widget view. A
# reopened notebook prefers a widget view over everything stored beside it in one output, and prints
# "Error displaying widget" where its kernel is gone. Of the two outputs, one is always hidden: the
# picture while the lab is alive, else the place of the view.
_EITHER = (
    '<style>.jp-OutputArea-child:has([data-ied-stored="{id}"])'
    " + .jp-OutputArea-child:not(:has(.ied-lab)),"
    ' .jp-OutputArea-child:has([data-ied-stored="{id}"]):has(+ .jp-OutputArea-child .ied-lab)'
    " {{ display: none; }}</style>"
)


def outputs(bundle: dict, stored: str) -> list[dict]:
    """The two outputs of a lab's bundle: what stays in the notebook (its id is `stored`), and the
    widget view."""
    html = f'<div class="ied-stored" data-ied-stored="{stored}">{bundle["text/html"]}</div>'
    kept = {key: value for key, value in bundle.items() if key != WIDGET_VIEW}
    kept["text/html"] = html + _EITHER.format(id=stored)
    return [kept, {WIDGET_VIEW: bundle[WIDGET_VIEW], "text/html": ""}]


class Shown:
    """What every lab shares: it is displayed once a cell, in the forms that its `bundle()`
    gives."""

    _shown = None
    _stored = ""

    def bundle(self) -> dict:
        """The lab in several forms, by MIME type: widget view, stored picture, a line of text."""
        raise NotImplementedError

    @property
    def stored_id(self) -> str:
        """The id of the stored picture in the page."""
        self._stored = self._stored or uuid.uuid4().hex[:12]
        return self._stored

    def show(self) -> None:
        """Display the lab."""
        from IPython import get_ipython
        from IPython.display import display

        from inception_edu.labs.live import pick_mode

        shell = get_ipython()
        if shell is None:
            print(repr(self))
            return
        self._shown = shell.execution_count
        if pick_mode() == "foreground":  # Colab: there one output holds all forms
            display(self.bundle(), raw=True)
            return
        for output in outputs(self.bundle(), self.stored_id):
            display(output, raw=True)

    def _ipython_display_(self) -> None:
        """A cell that ends in the lab shows it, once."""
        from IPython import get_ipython

        if get_ipython() is None or self._shown != get_ipython().execution_count:
            self.show()
