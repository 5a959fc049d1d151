"""What the labs that draw HTML by themselves share: `Bench`, which shows a lab as one bundle,
`picker`, a drawing whose boxes can be chosen, and a few pieces of HTML. New labs do without: see
`docs/labs.md`."""

from __future__ import annotations

from functools import lru_cache
from html import escape

import ipywidgets as widgets

from inception_edu.describe.canvas import Drawing
from inception_edu.labs import WIDGET_VIEW, Shown
from inception_edu.labs.page import KEEP_KEYS

CARD = (
    '<div class="ied-card" style="background:#fff;color:#222;border:1px solid #d0d0d0;border-radius:8px;'
    "padding:8px 10px;line-height:1.45;font-size:13px;box-sizing:border-box;overflow-x:auto;"
    'font-family:var(--jp-ui-font-family,system-ui,sans-serif)">'
)
ROW = {"flex_flow": "row wrap", "width": "100%", "align_items": "flex-start"}


def card(*pieces: str) -> str:
    """HTML on a light card, so that it reads the same in a dark theme."""
    return CARD + "".join(pieces) + "</div>"


def status(sentence: str, alert: bool = False) -> str:
    """A sentence that a screen reader speaks when it changes; with `alert` one that is marked as
    well."""
    style = "font-weight:600;border-left:4px solid #d55e00;padding-left:8px" if alert else ""
    return (
        f'<div role="{"alert" if alert else "status"}" aria-live="polite" style="line-height:1.4;{style}">'
        f"{escape(sentence)}</div>"
    )


def table(rows: list[tuple[str, ...]], head: tuple[str, ...] = (), css: str = "") -> str:
    """A small table: the first cell of a row names it, the others are numbers."""
    cell = 'style="padding:1px 14px 1px 0;text-align:{};font-weight:{}"'
    left, right, bold = (
        cell.format("left", 400),
        cell.format("right", 400),
        cell.format("right", 600),
    )
    out = [
        f'<table class="{css}" style="border-collapse:collapse;margin:6px 0;color:#222;background:#fff">'
    ]
    if head:
        out.append(
            "<tr>" + "".join(f'<th scope="col" {bold}>{escape(h)}</th>' for h in head) + "</tr>"
        )
    for name, *cells in rows:
        out.append(
            f'<tr style="background:#fff"><th scope="row" {left}>{escape(name)}</th>'
            + "".join(f"<td {right}>{escape(c)}</td>" for c in cells)
            + "</tr>"
        )
    return "".join(out) + "</table>"


class Bench(Shown):
    """A lab without training: shown once, as one bundle of widget, pictures of its first state, and
    a line of text.

    A subclass sets `name` (its CSS class is ied-NAME), `title` and `widget`, and defines
    `pictures()` and `words()`.
    """

    name, title = "bench", "Lab"
    widget: widgets.Widget

    def pictures(self) -> list[Drawing]:
        """What a page without a kernel shows."""
        raise NotImplementedError

    def words(self) -> str:
        """The lab's state in a line."""
        raise NotImplementedError

    def bundle(self) -> dict:
        """The lab in three forms, by MIME type."""
        text = f"{self.title}: {self.words()} It is live in JupyterLab and Colab."
        html = "".join(picture._repr_html_() for picture in self.pictures())
        return {
            WIDGET_VIEW: {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id},
            "text/html": f'<div class="ied-static">{html}</div>',
            "text/plain": text,
        }

    def __repr__(self) -> str:
        return f"<{self.title}: {self.words()}>"


# --- The picture one can click --------------------------------------------------------------------

_ESM = (
    KEEP_KEYS
    + """
function render({ model, el }) {
  el.classList.add("ied-picker");
  let boxes = [];
  const say = () => boxes.forEach(box => {
    const chosen = box.dataset.path === model.get("selected");
    box.setAttribute("aria-selected", chosen);
    box.setAttribute("tabindex", "-1");
  });
  const stop = () => {            // one stop of the Tab key: the chosen box, else the first
    const chosen = boxes.find(box => box.dataset.path === model.get("selected")) || boxes[0];
    if (chosen) chosen.setAttribute("tabindex", "0");
  };
  const choose = box => { model.set("selected", box.dataset.path); model.save_changes(); };
  const draw = () => {
    const focused = el.contains(document.activeElement) ? document.activeElement.dataset.path : null;
    el.innerHTML = model.get("svg");
    const svg = el.querySelector("svg");
    if (!svg) return;
    svg.setAttribute("role", "listbox");
    const kinds = model.get("kinds");
    boxes = [...svg.querySelectorAll("g[data-path]")].filter(g => kinds.includes(g.getAttribute("class")));
    if (model.get("upwards")) boxes.sort((a, b) => b.getBBox().y - a.getBBox().y || a.getBBox().x - b.getBBox().x);
    boxes.forEach((box, i) => {
      box.setAttribute("role", "option");
      box.setAttribute("aria-label", [...box.querySelectorAll("text")].map(t => t.textContent).join(" "));
      box.addEventListener("click", () => { choose(box); box.focus(); });
      box.addEventListener("keydown", event => {
        const step = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key];
        let next = null;
        if (step) next = boxes[Math.min(Math.max(i + (model.get("upwards") ? step : -step), 0), boxes.length - 1)];
        if (event.key === "Home") next = boxes[0];
        if (event.key === "End") next = boxes[boxes.length - 1];
        if (event.key === "Enter" || event.key === " ") choose(box);
        else if (next) next.focus();
        else return;
        event.preventDefault();
        event.stopPropagation();   // the notebook has keys of its own
      });
    });
    say(); stop();
    const again = boxes.find(box => box.dataset.path === focused);
    if (again) again.focus();
  };
  const update = () => { say(); stop(); };
  model.on("change:svg", draw);
  model.on("change:selected", update);
  draw();
  keepKeys(el);
  return () => { model.off("change:svg", draw); model.off("change:selected", update); };
}
export default { render };
"""
)
_CSS = """
.ied-picker svg { max-width: 100%; height: auto; display: block; }
.ied-picker [role=option] { cursor: pointer; outline: none; }
.ied-picker [role=option]:hover .box { stroke-width: 2.6px; }
.ied-picker [role=option][aria-selected=true] .box { stroke-width: 3.6px; }
.ied-picker [role=option]:focus-visible .box { stroke: #1b1b1b; stroke-width: 3.6px; stroke-dasharray: 3 2; }
"""


@lru_cache(maxsize=1)
def _picker_class():
    """The widget's class, or None where anywidget is missing."""
    try:
        import anywidget
        import traitlets
    except ImportError:
        return None

    class Picker(anywidget.AnyWidget):
        """An SVG whose boxes can be chosen by mouse or keyboard: `selected` is the chosen box's
        path."""

        _esm, _css = _ESM, _CSS
        svg = traitlets.Unicode().tag(sync=True)
        selected = traitlets.Unicode().tag(sync=True)
        kinds = traitlets.List(traitlets.Unicode()).tag(sync=True)
        upwards = traitlets.Bool(True).tag(sync=True)

    return Picker


class _Still(widgets.HTML):
    """What stands in for the picker where anywidget is missing: the same picture, chosen by the
    dropdown alone."""

    def __init__(self, svg: str = "", selected: str = "", **_):
        super().__init__()
        self._svg, self._selected = svg, selected
        self._draw()

    def _draw(self) -> None:
        start = f'data-path="{escape(self._selected, quote=True)}"'
        self.value = self._svg.replace(
            start, start + ' style="filter:drop-shadow(0 0 3px #000)"', 1
        )

    svg = property(
        lambda self: self._svg, lambda self, svg: (setattr(self, "_svg", svg), self._draw())[0]
    )
    selected = property(
        lambda self: self._selected,
        lambda self, path: (setattr(self, "_selected", path), self._draw())[0],
    )


def picker(
    svg: str, kinds: tuple[str, ...], selected: str = "", on_pick=None, clickable: bool = True
):
    """A widget that shows an SVG and lets its boxes of these kinds be chosen; has `svg` and
    `selected`.

    `on_pick(path)` is called when the reader chooses. Without anywidget, or with `clickable=False`,
    a still picture.
    """
    kind = _picker_class() if clickable else None
    if kind is None:
        return _Still(svg, selected)
    made = kind(svg=svg, selected=selected, kinds=list(kinds))
    if on_pick is not None:
        made.observe(lambda change: on_pick(change["new"]), names="selected")
    return made
