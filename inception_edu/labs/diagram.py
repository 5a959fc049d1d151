"""The clickable diagram: a network as an overview, the details of a block on demand.

    lab = network_diagram("inception_v4")
    lab.on_select(lambda name: print(name))      # called with "inception_a.2" and the like, as in
    `build.named_blocks`

The picture is an `anywidget`; the dropdown beside it does the same, and does it alone where
anywidget is missing. The module also holds what the labs without training share: `Bench`, which
shows a lab as one bundle, and `picker`.
"""

from __future__ import annotations

from functools import lru_cache
from html import escape

import ipywidgets as widgets

from inception_edu.describe import (
    Block,
    Drawing,
    Network,
    Node,
    amount,
    draw,
    network,
    size_words,
    source_of,
    trace,
)
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


# --- The lab --------------------------------------------------------------------------------------


class NetworkDiagram(Bench):
    """`network_diagram` makes one. `selected` is a block's name as in `build.named_blocks`; set it
    to select."""

    name, title = "network-diagram", "Network diagram"

    def __init__(
        self, what: Network | str, image: int | None = None, on_select=None, clickable: bool = True
    ):
        self.network = network(what) if isinstance(what, str) else what
        self.trace = trace(self.network, image)
        self._drawing = draw(self.network, image, wrong=True)
        self._callbacks: list = []
        self._quiet = False
        options = [(_option(b), b.name) for b in self.network.blocks]
        first = options[0][1]
        self.block = widgets.Dropdown(
            options=options, value=first, description="block", layout=widgets.Layout(width="300px")
        ).add_class("ied-control-block")
        self.copy = widgets.Dropdown(
            options=[1], value=1, description="copy", layout=widgets.Layout(width="150px")
        ).add_class("ied-control-copy")
        self.picture = picker(self._drawing, ("block", "reduction"), first, self._picked, clickable)
        self.picture.add_class("ied-overview")
        self.details = widgets.HTML(
            layout=widgets.Layout(flex="1 1 320px", min_width="0")
        ).add_class("ied-details")
        left = widgets.VBox(
            [self.picture], layout=widgets.Layout(flex="0 1 auto", min_width="0", max_width="100%")
        )
        self.widget = widgets.VBox(
            [
                widgets.HBox([self.block, self.copy], layout=widgets.Layout(**ROW)),
                widgets.HBox([left, self.details], layout=widgets.Layout(**ROW)),
            ],
            layout=widgets.Layout(width="100%"),
        )
        self.widget.add_class("ied-lab").add_class(f"ied-{self.name}")
        self.block.observe(self._chosen, names="value")
        self.copy.observe(lambda _: self._changed(), names="value")
        self._chosen()
        if on_select is not None:
            self.on_select(on_select)

    def on_select(self, callback) -> None:
        """Call `callback(name)` whenever another block or copy is selected."""
        self._callbacks.append(callback)

    @property
    def selected(self) -> str:
        """The selected block: "stem", or "inception_a.2" for the second of several copies."""
        return (
            self.block.value
            if len(self.copy.options) == 1
            else f"{self.block.value}.{self.copy.value}"
        )

    @selected.setter
    def selected(self, name: str) -> None:
        block, _, copy = name.partition(".")
        repeats = {b.name: b.repeat for b in self.network.blocks}
        if (
            block not in repeats
            or copy
            and not (copy.isdigit() and 1 <= int(copy) <= repeats[block])
        ):
            raise ValueError(
                f"{self.network.name} has no block {name!r}; it has {', '.join(repeats)} "
                '(a copy is written as in "inception_a.2").'
            )
        before, self._quiet = self.selected, True
        self.block.value = block
        self.copy.value = int(copy or 1)
        self._quiet = False
        if self.selected != before:
            self._changed()

    def _picked(self, path: str) -> None:
        if path in dict(self.block.options).values():
            self.block.value = path

    def _chosen(self, _=None) -> None:
        """Another block: its copies start at the first."""
        quiet, self._quiet = self._quiet, True
        repeat = self.network[self.block.value].repeat
        self.copy.options = list(range(1, repeat + 1))
        self.copy.layout.visibility = "visible" if repeat > 1 else "hidden"
        self.picture.selected = self.block.value
        self._quiet = quiet
        self._changed()

    def _changed(self) -> None:
        if self._quiet:
            return
        self.details.value = card(self.describe(self.selected))
        for callback in self._callbacks:
            callback(self.selected)

    def describe(self, name: str) -> str:
        """The details of a block as HTML: its diagram, shapes, cost, and the code that made it."""
        block = self.network[name.partition(".")[0]]
        rows = self.trace.of(block.name)
        mine = [row for row in rows if row.name == name]
        if mine:
            row = mine[0]
            picture = draw(
                block.node, row.input, title=f"{_title(block.node, block.name)} ({name})"
            )
            total = sum(r.params for r in self.trace.rows), sum(r.macs for r in self.trace.rows)
            seen = "×".join(map(str, row.receptive_field)) + " pixels of the image"
            if min(row.receptive_field) >= max(self.trace.rows[0].input[1:]):
                seen = f"the whole image (it reaches {seen.removesuffix(' of the image')} far)"
            facts = table(
                [
                    ("input → output", f"{size_words(row.input)} → {size_words(row.output)}"),
                    ("parameters", f"{row.params:,} ({row.params / total[0]:.1%} of the blocks')"),
                    ("multiply-adds", f"{row.macs:,} ({row.macs / total[1]:.1%})"),
                    *(
                        [
                            (
                                f"all {block.repeat} copies",
                                f"{amount(sum(r.params for r in rows))} parameters, "
                                f"{amount(sum(r.macs for r in rows))} multiply-adds",
                            )
                        ]
                        if block.repeat > 1
                        else []
                    ),
                    ("one output value sees", seen),
                ],
                css="ied-facts",
            )
        elif block is self.trace.broken:
            picture = draw(block.node, self.trace.end, wrong=True)
            facts = status(self.trace.error, alert=True)
        else:
            picture, facts = (
                draw(block.node),
                status("No image gets this far: an earlier block breaks.", alert=True),
            )
        code = source_of(block.node)
        pieces = [("Its function in inception_edu/figures.py", code)] if code else []
        pieces.append(("The description itself", repr(block.node)))
        folded = "".join(
            f'<details class="ied-code"><summary>{escape(head)}</summary><pre style="overflow:auto;'
            f'font-size:12px;background:#f6f7f9;color:#222;padding:6px">{escape(text)}</pre></details>'
            for head, text in pieces
        )
        return (
            '<div style="display:flex;flex-wrap:wrap;gap:4px 16px">'
            f'<div>{picture}</div><div style="min-width:0">{facts}{folded}</div></div>'
        )

    def pictures(self) -> list[Drawing]:
        first = self.network.blocks[0]
        return [self._drawing, draw(first.node, self.network.input, wrong=True)]

    def words(self) -> str:
        return f"{self.network.name}, {len(self.network.blocks)} blocks, {self.selected} selected."


def _title(node: Node, otherwise: str) -> str:
    return (
        ": ".join(filter(None, [getattr(node, "figure", ""), getattr(node, "name", "")]))
        or otherwise
    )


def _option(block: Block) -> str:
    times = f" (× {block.repeat})" if block.repeat > 1 else ""
    return f"{block.name}{times}"


def network_diagram(
    what: Network | str = "inception_v4",
    image: int | None = None,
    on_select=None,
    clickable: bool = True,
) -> NetworkDiagram:
    """Display a network as a clickable overview and return the lab.

    `what` is a `Network` or a key of `networks.NETWORKS`, `image` the side of the image in pixels
    (the network's own by default). `on_select(name)` is called when a block is selected, by click,
    key, dropdown or `lab.selected = …`. `clickable=False` shows a still picture with the dropdown
    alone.
    """
    lab = NetworkDiagram(what, image, on_select, clickable)
    lab.show()
    return lab
