"""The widgets of a lab's controls and parts: what `host` puts together."""

from __future__ import annotations

from html import escape

import ipywidgets as widgets

from inception_edu.labs.page import component
from inception_edu.labs.view import Control, Part, Press, Set


class Listed(widgets.Dropdown):
    """A list. A reader may choose from it while the kernel is shortening it: what is no longer
    there leaves the choice as it is, where a `Dropdown` would raise unseen."""

    def set_state(self, sync_data):
        """What the page says."""
        index = sync_data.get("index")
        if index is not None and not 0 <= index < len(self._options_labels):
            sync_data = {key: value for key, value in sync_data.items() if key != "index"}
        super().set_state(sync_data)


class Box:
    """The widgets of one control. `handle` is the one with the value; `widget` holds all of it.

    Whatever the reader does goes to `send(Set or Press)`; `show(control)` sets the widgets.
    """

    def __init__(self, control: Control, send):
        self.control, self._send = control, send
        self._css = "ied-control-" + control.key.replace("_", "-")
        self.handle = self._make(control)
        self.text = None
        whole = widgets.Layout(width="auto")
        if control.kind == "button":
            self.handle.add_class("ied-" + control.key.replace("_", "-"))
            self.handle.on_click(lambda _: send(Press(control.key)))
            self.widget = self.handle.add_class(self._css)
            self.show(control)
            return
        rows: list[widgets.Widget] = []
        if control.kind in ("slider", "steps"):
            self.text = widgets.Text(
                continuous_update=False, description=control.label, layout=whole
            )
            self.text.add_class("ied-slider-text")
            self.text.observe(lambda change: self._typed(change["new"]), names="value")
            rows.append(self.text)
        rows.append(self.handle)
        self.strip = widgets.HTML(layout=whole).add_class("ied-strip")
        self.note = widgets.HTML(layout=whole).add_class("ied-note")
        if control.strip:
            rows.append(self.strip)
        rows.append(self.note)
        self.handle.observe(lambda change: send(Set(control.key, change["new"])), names="value")
        self.widget = widgets.VBox(rows).add_class("ied-control").add_class(self._css)
        if self.text is not None:
            self.widget.add_class("ied-has-text")
        self.show(control)

    def _typed(self, text: str) -> None:
        # What is set already is typed again after a refusal: it takes the refusal away.
        if text != self.control.text or self.control.wrong:
            self._send(Set(self.control.key, text))

    def _make(self, control: Control) -> widgets.Widget:
        whole = widgets.Layout(width="auto")
        if control.kind == "slider":
            kind = widgets.IntSlider if control.whole else widgets.FloatSlider
            return kind(
                value=control.value,
                min=control.low,
                max=control.high,
                step=control.step,
                readout=False,
                layout=whole,
            )
        if control.kind == "steps":
            return widgets.SelectionSlider(
                options=control.choices, value=control.value, readout=False, layout=whole
            )
        if control.kind in ("list", "pick"):
            kind = Listed if control.kind == "list" else widgets.ToggleButtons
            return kind(options=control.choices, value=control.value, description=control.label)
        if control.kind == "check":
            return widgets.Checkbox(control.value, description=control.label, indent=False)
        if control.kind in ("text", "whole"):
            return widgets.Text(
                control.text, description=control.label, continuous_update=False, layout=whole
            )
        return widgets.Button(
            description=control.label,
            button_style=control.look,
            layout=widgets.Layout(width="auto"),
        )

    def show(self, control: Control) -> None:
        """Set the widgets to what the control says; only what differs is sent to the page."""
        before, self.control = self.control, control
        handle = self.handle
        handle.disabled = control.disabled
        if control.label != before.label:
            (self.text or handle).description = control.label
        self.widget.layout.display = "none" if control.hidden else None
        if control.kind == "button":
            handle.description, handle.tooltip = control.label, control.tip
            return
        if control.kind == "slider":
            if control.low > handle.max:  # a range never stands on its head
                handle.max = control.high
            handle.min, handle.max, handle.step = control.low, control.high, control.step
        elif control.options != before.options:
            handle.options = control.choices
        if not control.wrong:
            handle.value = control.text if control.kind == "whole" else control.value
        if self.text is not None:
            self.text.disabled = control.disabled
            if not control.wrong:
                self.text.value = control.text
        self.strip.value = control.strip
        words = escape(control.note)
        if control.wrong:
            words = f'<span class="ied-wrong">{words}</span>'
        elif control.strip:  # one line, whatever is known: what is cut off can be pointed at
            words = f'<div class="ied-along" title="{words}">{words}</div>'
        self.note.value = words


class Piece:
    """The widget of one part."""

    def __init__(self, part: Part, tell):
        kind = component(part.kind)
        if kind is None and part.kind != "html":
            raise RuntimeError(
                f"This lab draws {part.key!r} with anywidget, which is missing: "
                "pip install anywidget, then run this cell again."
            )
        self.widget = (kind or widgets.HTML)(layout=widgets.Layout(width="auto"))
        self.widget.add_class("ied-" + part.key.replace("_", "-"))
        if kind is not None:
            self.widget.on_msg(lambda _, said, __: tell(said["tell"]) if "tell" in said else None)
        self.part: Part | None = None
        self.show(part)

    def show(self, part: Part) -> None:
        if self.part is None or part.hidden != self.part.hidden:
            self.widget.layout.display = "none" if part.hidden else None
        if self.part is None or (part.value is not self.part.value and part != self.part):
            self.widget.value = part.value
        self.part = part
