"""A lab in a notebook: widgets for its controls, components for its parts.

    lab = NotebookLab(core.Lab(…))
    lab.show()
    lab.scale = 0.3                          # or lab.set("scale", "0,3"): as a reader types it
    lab.controls["scale"].value = 0.3        # the widget; can be linked to others
    lab.state, lab.view                      # what came of it

The host knows nothing of any lab. It sends what a reader does as events and sets the widgets to
what the lab renders. What a widget says while the host sets it is looked at afterwards: if it then
shows what the state says, as it nearly always does, it has said nothing.
"""

from __future__ import annotations

import threading
import time
from html import escape

import ipywidgets as widgets

from inception_edu.labs import WIDGET_VIEW, Shown, core
from inception_edu.labs.boxes import Box, Piece
from inception_edu.labs.core import Column, End, Press, Report, Set, Stop, Tell
from inception_edu.labs.live import LiveRun, let_clicks_through, page_seconds, pick_mode
from inception_edu.labs.page import component, style

# Under the stored picture, which looks as if it could be pressed.
HINT = (
    '<p style="font-size:13px;margin:4px 0">A picture of the lab. In JupyterLab or Colab, run this '
    "cell and the lab answers.</p>"
)


class NotebookLab(Shown):
    """A `core.Lab` with widgets. `mode`: see `live.pick_mode`."""

    def __init__(self, lab: core.Lab, mode: str = "auto"):
        mode = pick_mode(mode)
        self.lab = lab
        self.name, self.title = lab.name, lab.title
        self.session = core.Session(lab, self._carry_out, self._changed)
        self._tasks: dict[str, LiveRun] = {}
        self._mode = mode
        self._setting: int | None = None  # the thread that sets widgets now
        self._said: set[str] = set()  # controls that said something meanwhile
        view = self.session.view
        self.boxes = {c.key: Box(c, self._from_widget) for c in view.controls}
        self.pieces = {
            p.key: Piece(p, lambda said, key=p.key: self.send(Tell(key, said))) for p in view.parts
        }
        self.controls = {key: box.handle for key, box in self.boxes.items()}
        self.status = widgets.HTML(layout=widgets.Layout(width="auto")).add_class("ied-status")
        self._frame = self._make_frame()
        look = widgets.HTML(f"<style>{style('lab')}</style>").add_class("ied-frame")
        laid_out = self._arrange(view.arranged())
        self.widget = widgets.VBox(
            [look, *([self._frame] if self._frame else []), laid_out],
            layout=widgets.Layout(width="auto"),
        )
        self.widget.add_class("ied-lab").add_class(f"ied-{lab.name}")
        self._view: core.View | None = None
        self._apply()
        for effect in lab.begin:
            self._carry_out(effect)

    # -- what code does --

    @property
    def state(self):
        """The lab's state now; frozen."""
        return self.session.state

    @property
    def link(self) -> str:
        """A line that opens the lab again as it is set: `labs.link.open_link(lab.link)`."""
        return self.lab.link(self.state)

    @property
    def view(self) -> core.View:
        """What is shown now."""
        return self.session.view

    def set(self, key: str, value) -> None:
        """Give a control a value, typed or not. Raises `core.Refused` with the reason."""
        self.session.set(key, value)

    def press(self, key: str) -> None:
        """Press a button."""
        self.send(Press(key))

    def send(self, event: core.Event) -> None:
        self.session.send(event)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until no task is under way, at most so many seconds, and say whether that came to
        pass (for code; a reader just watches)."""
        end = None if seconds is None else time.monotonic() + seconds
        while True:  # the end of one task may begin the next
            before = [run.started for run in self._tasks.values()]
            left = None if end is None else max(0.0, end - time.monotonic())
            over = [run.wait(left) for run in list(self._tasks.values())]
            if all(over) and before == [run.started for run in self._tasks.values()]:
                return True
            if left == 0.0:
                return False

    def __getattr__(self, key: str):
        boxes = self.__dict__.get("boxes", {})
        if key in boxes:
            return self.session.view.control(key).value
        raise AttributeError(f"{type(self).__name__} has no {key!r}.")

    def __setattr__(self, key: str, value) -> None:
        if key in self.__dict__.get("boxes", {}):
            self.set(key, value)
            return
        super().__setattr__(key, value)

    # -- tasks --

    def task(self, name: str) -> LiveRun:
        """The runner of a task: its status, its times."""
        if name not in self._tasks:

            def released():  # only now can the end of one run begin the next
                self.send(End(name, run.status, run.result, run.sentence))

            page = page_seconds(self._mode)
            run = LiveRun(self._mode, draw=self._apply, page=page, released=released)
            self._tasks[name] = run
        return self._tasks[name]

    def _carry_out(self, effect: core.Effect) -> None:
        run = self.task(effect.task)
        if isinstance(effect, Stop):
            run.stop()
            return

        make = self.lab.work
        assert make is not None  # only a lab that can work starts a task

        def work(report, stop):
            if self._mode == "foreground":
                let_clicks_through()

            def tell(record):
                self.session.send(Report(effect.task, record))
                report(record)

            return make(effect.job)(tell, stop)

        if not run.start(work):
            raise RuntimeError(f"{effect.task} is under way already.")

    # -- showing --

    def _make_frame(self):
        kind = component("frame")
        if kind is None:
            return None
        return kind(value=self._frame_value(self.session.view)).add_class("ied-frame")

    def _frame_value(self, view: core.View) -> dict:
        named, texts = {}, {}
        wrong = []
        for control in view.controls:
            css = "ied-control-" + control.key.replace("_", "-")
            if control.kind != "button":
                named[css] = control.said
            if control.kind in ("slider", "steps"):  # "step 625", where the handle's number is 6
                texts[css] = control.text + control.unit
            if control.wrong:
                wrong.append(css)
        return {"stored": self.stored_id, "names": named, "texts": texts, "wrong": wrong}

    def _arrange(self, row) -> widgets.Widget:
        if isinstance(row, str):
            return self._widget(row)
        children = [self._arrange(item) for item in row.items]
        layout = widgets.Layout(width="auto")
        if row.width:  # its share of the row; wider where there is room
            layout.flex, layout.min_width, layout.max_width = f"1 1 {row.width}", "0", "100%"
        if isinstance(row, Column):
            return widgets.VBox(children, layout=layout).add_class("ied-column")
        layout.flex_flow = "row wrap"
        return widgets.HBox(children, layout=layout).add_class("ied-row")

    def _widget(self, key: str) -> widgets.Widget:
        if key == "status":
            return self.status
        if key in self.boxes:
            return self.boxes[key].widget
        return self.pieces[key].widget

    def _from_widget(self, event: Set | Press) -> None:
        if self._setting == threading.get_ident():
            self._said.add(event.key)
        else:
            self.send(event)

    def _changed(self, event: core.Event) -> None:
        if isinstance(event, Report):
            return  # drawn by the runner, as often as training can afford
        self._apply()

    def _apply(self) -> None:
        """Set every widget to what the lab renders now."""
        with self.session.lock:
            view = self.session.view
            if view == self._view:
                return
            self._view = view
            self._setting = threading.get_ident()
            try:
                self._set_all(view)
            finally:
                self._setting = None
            said, self._said = self._said, set()
            for key in said:
                value = self.boxes[key].handle.value
                if value != view.control(key).value and key not in self.session.refused:
                    self.send(Set(key, value))

    def _set_all(self, view: core.View) -> None:
        for control in view.controls:
            self.boxes[control.key].show(control)
        for part in view.parts:
            self.pieces[part.key].show(part)
        role = "alert" if view.alert else "status"
        lead, _, more = view.status.partition("\n")
        words = escape(lead)
        if more:  # what counts first, the rest in a line of its own
            words = f"<b>{words}</b><div>{escape(more)}</div>"
        self.status.value = f'<div role="{role}" aria-live="polite">{words}</div>'
        if self._frame:
            self._frame.value = self._frame_value(view)

    def bundle(self) -> dict:
        """The lab in three forms: the widget, the stored pictures of its state, a line of text."""
        state = self.state
        text = f"{self.title}: {self.lab.words(state)} It is live in JupyterLab and Colab."
        html = "".join(picture._repr_html_() for picture in self.lab.stored(state))
        return {
            WIDGET_VIEW: {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id},
            "text/html": f'<div class="ied-static">{html}{HINT}</div>',
            "text/plain": text,
        }

    def __repr__(self) -> str:
        return f"<{self.title}: {self.lab.words(self.state)}>"
