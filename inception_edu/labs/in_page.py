"""A lab in a web page without Jupyter: the second host. Python runs in the page itself (Pyodide).

    lab = open_lab("shape_explorer", '{"network": "inception_v4"}')
    lab.view()                                   # JSON: controls, parts, status, layout
    lab.send("set", "image", "75")               # JSON again, after what the reader did

The page (`web/page_host.js`) draws the view with the same components as a notebook and sends what
the reader does. Of the labs, those are here that need neither torch nor numpy. A training lab's
runs are computed by the page (`web/run.js`); `page_run` says which.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import fields

from inception_edu.labs import link
from inception_edu.labs.core import (
    Control,
    End,
    Part,
    Press,
    Refused,
    Report,
    Row,
    Session,
    Set,
    Start,
    Stop,
    Tell,
    View,
)

# The function that readers call → the module that gives the lab, and how that is called there.
MODULES = {
    "shape_explorer": ("shapes", "make"),
    "block_designer": ("designer", "make"),
    "convolution_lab": ("convolution", "make"),
    "comparison_lab": ("comparison", "make"),
    "family_lab": ("family", "make"),
    "network_diagram": ("diagram_view", "make"),
    "scaling_lab": ("scaling", "scaling_core"),
    "dying_lab": ("dying", "dying_core"),
    "race_lab": ("race", "race_core"),
}


def make(name: str, *arguments, **settings):
    """The `core.Lab` of a function in `MODULES`, with the arguments that it takes."""
    module, function = MODULES[name]
    core = getattr(importlib.import_module(f"inception_edu.labs.{module}"), function)
    return core(*arguments, **settings)


def plain(value):
    """A value as JSON knows it, numbers to five digits; what it does not know is said in words."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float):
        return float(f"{value:.5g}") if abs(value) < float("inf") else None
    return value if value is None or isinstance(value, (bool, int)) else str(value)


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


def part_json(part: Part) -> dict:
    value = plain(part.value)
    if part.kind == "take":
        value.setdefault("kinds", ["CSV"])  # figures are matplotlib's, which a page has not
    return {"key": part.key, "kind": part.kind, "value": value, "hidden": part.hidden}


def view_dict(view: View) -> dict:
    """All that a lab shows, as plain JSON types."""
    return {
        "controls": [control_json(control) for control in view.controls],
        "parts": [part_json(part) for part in view.parts],
        "status": view.status,
        "alert": view.alert,
        "layout": layout_json(view.arranged()),
    }


class PageLab:
    """A session whose events and views are JSON."""

    def __init__(self, lab):
        self.name, self.title = lab.name, lab.title
        self.effects: list[dict] = []  # what the page is to do: start or end a run
        self.note = ""
        self.session = Session(lab, self._carry_out)
        for effect in lab.begin:
            if effect.task == "open":  # nothing is warmed up: the page trains, not this Python
                self._carry_out(effect)

    def _carry_out(self, effect) -> None:
        if isinstance(effect, Stop):
            self.effects.append({"stop": effect.task})
            return
        from inception_edu.labs import page_run

        assert isinstance(effect, Start)
        try:
            if effect.task == "open":
                _, source = effect.job
                self.session.send(End("open", "finished", page_run.images(source)))
                return
            what = page_run.race(effect.job[1]) if effect.task == "race" else None
            self.effects.append({"start": effect.task, "job": what or page_run.job(effect.job)})
        except Refused as reason:
            self.session.send(End(effect.task, "failed", None, str(reason)))

    def view(self) -> str:
        """JSON. Its `effects` are told once; `note` is what could not be done, and why."""
        told = view_dict(self.session.view)
        told |= {"effects": self.effects, "note": self.note}
        self.effects, self.note = [], ""
        return json.dumps(told)

    def link(self) -> str:
        """The line that opens the lab again as it is set; "" where there is none."""
        return self.session.lab.link(self.session.state)

    def send(self, kind: str, key: str, value: str = "null") -> str:
        """Deal with "set", "press", "tell", or with "report" (a list of records) and "end" of a
        run; `value` is JSON. The view afterwards."""
        said = json.loads(value)
        try:
            for one in said if kind == "report" else [said]:
                self.session.send(self._event(kind, key, one))
        except Refused as reason:
            self.note = str(reason)
        except ImportError as error:
            self.note = f"A web page has no {error.name}: do this in JupyterLab or Colab."
        return self.view()

    def _event(self, kind: str, key: str, said):
        from inception_edu.labs import page_run

        if kind == "set":
            return Set(key, said)
        if kind == "press":
            return Press(key)
        if kind == "report":
            return Report(key, page_run.record(said))
        if kind == "end":
            return End(key, said["status"], page_run.result(said), said["sentence"])
        return Tell(key, said)


def open_lab(name: str, settings: str = "{}", arguments: str = "[]", address: str = "") -> PageLab:
    """The lab of a function in `MODULES`. `settings` and `arguments` are JSON; lists are tuples.
    `address`: what stands behind "#" in the page's; a link to this lab there counts instead."""
    if address.partition("?")[0] == name:
        return PageLab(make(name, **link.read(address)[1]))

    def tuples(value):
        return tuple(tuples(item) for item in value) if isinstance(value, list) else value

    named = {key: tuples(value) for key, value in json.loads(settings).items()}
    return PageLab(make(name, *tuples(json.loads(arguments)), **named))


# --- What the page's worker asks, in words and numbers alone --------------------------------------

_labs: list[PageLab] = []


def opened(name: str, settings: str, arguments: str, address: str) -> int:
    """Open a lab; the number by which it is asked."""
    _labs.append(open_lab(name, settings, arguments, address))
    return len(_labs) - 1


def warm_up() -> None:
    """Open every lab and check an answer once, so that nothing is left to import or to read."""
    from inception_edu.teach.exercises import all_names

    for name in MODULES:
        open_lab(name).view()
    list(all_names())
    checked("from inception_edu.teach import check", "m = ...", 'check("01.2", m)')


def view(number: int) -> str:
    return _labs[number].view()


def send(number: int, kind: str, key: str, value: str) -> str:
    return _labs[number].send(kind, key, value)


def address(number: int) -> str:
    return _labs[number].link()


def checked(prelude: str, code: str, check: str) -> str:
    """Run an answer and the chapter's line that checks it. JSON: the verdict as HTML, and what the
    answer printed."""
    import contextlib
    import io

    from inception_edu.teach.verdict import in_words, wrong

    space: dict = {"__name__": "__main__"}
    printed = io.StringIO()
    exec(prelude, space)
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(code, "<your answer>", "exec"), space)
        except (Exception, SystemExit) as error:
            verdict = wrong(f"Your answer stopped with {in_words(error)}")
        else:
            verdict = eval(check, space)
    return json.dumps({"html": verdict._repr_html_(), "printed": printed.getvalue()})
