"""A lab in a web page without Jupyter: the second host. Python runs in the page itself (Pyodide).

    lab = open_lab("shape_explorer", '{"network": "inception_v4"}')
    lab.view()                                   # JSON: controls, parts, status, layout
    lab.send("set", "image", "75")               # JSON again, after what the reader did

The page (`web/page_host.js`) draws the view with the same components as a notebook and sends what
the reader does. Of the labs, those are here that need neither torch nor numpy.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import fields

from inception_edu.labs import link
from inception_edu.labs.core import Control, End, Press, Row, Session, Set, Start, Tell, View

# The function that readers call → the module whose `make` gives the lab.
MODULES = {
    "shape_explorer": "shapes",
    "block_designer": "designer",
    "convolution_lab": "convolution",
    "comparison_lab": "comparison",
    "family_lab": "family",
}
NEEDS_TORCH = "This part needs torch: open the chapter in JupyterLab or Colab to run it."


def make(name: str, *arguments, **settings):
    """The `core.Lab` of a function in `MODULES`, with the arguments that it takes."""
    module = importlib.import_module(f"inception_edu.labs.{MODULES[name]}")
    return module.make(*arguments, **settings)


def plain(value):
    """A value as JSON knows it; what it does not know is said in words."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return str(value)
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)


def control_json(control: Control) -> dict:
    """A control; of a choice, its words and which of them is chosen."""
    found = {f.name: getattr(control, f.name) for f in fields(control) if f.name != "options"}
    found["choices"] = [words for words, _ in control.choices]
    found["said"], found["text"] = control.said, control.text
    return plain(found)


def layout_json(item: Row | str):
    if isinstance(item, str):
        return item
    return {
        "row": type(item) is Row,
        "items": [layout_json(part) for part in item.items],
        "width": item.width,
    }


def view_json(view: View) -> str:
    return json.dumps(
        {
            "controls": [control_json(control) for control in view.controls],
            "parts": [
                {"key": p.key, "kind": p.kind, "value": plain(p.value), "hidden": p.hidden}
                for p in view.parts
            ],
            "status": view.status,
            "alert": view.alert,
            "layout": layout_json(view.arranged()),
        }
    )


class PageLab:
    """A session whose events and views are JSON."""

    def __init__(self, lab):
        self.name, self.title = lab.name, lab.title
        self.session = Session(lab, self._carry_out)

    def _carry_out(self, effect) -> None:
        if isinstance(effect, Start):
            self.session.send(End(effect.task, "failed", None, NEEDS_TORCH))

    def view(self) -> str:
        return view_json(self.session.view)

    def link(self) -> str:
        """The line that opens the lab again as it is set; "" where there is none."""
        return self.session.lab.link(self.session.state)

    def send(self, kind: str, key: str, value: str = "null") -> str:
        """Deal with "set", "press" or "tell"; `value` is JSON. The view afterwards."""
        said = json.loads(value)
        if kind == "set":
            self.session.send(Set(key, said))
        elif kind == "press":
            self.session.send(Press(key))
        else:
            self.session.send(Tell(key, said))
        return self.view()


def open_lab(name: str, settings: str = "{}", arguments: str = "[]", address: str = "") -> PageLab:
    """The lab of a function in `MODULES`. `settings` and `arguments` are JSON; lists are tuples.
    `address`: what stands behind "#" in the page's; a link to this lab there counts instead."""
    if address.partition("?")[0] == name:
        return PageLab(make(name, **link.read(address)[1]))

    def tuples(value):
        return tuple(tuples(item) for item in value) if isinstance(value, list) else value

    named = {key: tuples(value) for key, value in json.loads(settings).items()}
    return PageLab(make(name, *tuples(json.loads(arguments)), **named))
