"""The comparison lab: choose two networks, and see what differs between their descriptions.

lab = comparison_lab("inception_resnet_v2", "inception_resnet_v2_released")
lab.left.value = "inception_v4"           # as the dropdown does it
"""

from __future__ import annotations

from functools import lru_cache

import ipywidgets as widgets

from inception_edu.describe import (
    NETWORKS,
    Network,
    SpecError,
    Table,
    compare,
    differences,
    facenet,
    inception_resnet_v2,
    network,
)
from inception_edu.labs.diagram import ROW, Bench, status
from inception_edu.labs.page import changing

# Networks with stages A, B and C, which can be laid side by side.
KEYS = (
    *(key for key in NETWORKS if key.startswith("inception")),
    "inception_resnet_v2_printed",
    "facenet",
)
VIEWS = {"differing": "what differs", "all": "everything", "steps": "step by step"}


@lru_cache(maxsize=32)
def _network(key: str) -> Network:
    if key == "inception_resnet_v2_printed":
        return inception_resnet_v2(printed=True)
    return facenet() if key == "facenet" else network(key)


class ComparisonLab(Bench):
    """`comparison_lab` makes one. `left`, `right` and `view` are its controls, `table` what they
    give."""

    name, title = "comparison", "Comparison"

    def __init__(self, left: str, right: str):
        for key in (left, right):
            if key not in KEYS:
                raise SpecError(
                    f"There is no network {key!r} to compare; choose one of {', '.join(KEYS)}."
                )
        options = [(_network(key).name, key) for key in KEYS]
        wide = {
            "layout": widgets.Layout(width="360px", max_width="100%"),
            "style": {"description_width": "50px"},
        }
        self.left = widgets.Dropdown(options=options, value=left, description="left", **wide)
        self.right = widgets.Dropdown(options=options, value=right, description="right", **wide)
        self.view = widgets.ToggleButtons(
            options=[(words, key) for key, words in VIEWS.items()],
            description="show",
            style={"button_width": "auto", "description_width": "50px"},
            layout=widgets.Layout(max_width="100%"),
        )
        self.swap_button = widgets.Button(
            description="Swap",
            tooltip="Exchange left and right",
            layout=widgets.Layout(width="90px"),
        )
        self.reset_button = widgets.Button(
            description="Reset",
            tooltip="Put every setting back",
            layout=widgets.Layout(width="90px"),
        )
        self.sentence = widgets.HTML(layout=widgets.Layout(width="auto")).add_class("ied-status")
        self.result = changing(width="auto").add_class("ied-result")
        row = widgets.Layout(**ROW)
        self.widget = widgets.VBox(
            [
                widgets.HBox([self.left, self.right], layout=row),
                widgets.HBox([self.view, self.swap_button, self.reset_button], layout=row),
                self.sentence,
                self.result,
            ],
            layout=widgets.Layout(width="100%"),
        )
        self.widget.add_class("ied-lab").add_class(f"ied-{self.name}")
        self._first, self._quiet = (left, right, "differing"), False
        for control in (self.left, self.right, self.view):
            control.observe(self._redraw, names="value")
        self.swap_button.on_click(
            lambda _: self._set(self.right.value, self.left.value, self.view.value)
        )
        self.reset_button.on_click(lambda _: self._set(*self._first))
        self._redraw()

    def _set(self, left: str, right: str, view: str) -> None:
        self._quiet = True
        self.left.value, self.right.value, self.view.value = left, right, view
        self._quiet = False
        self._redraw()

    def _redraw(self, _=None) -> None:
        if self._quiet:
            return
        self.sentence.value = status(self.words())
        self.result.value = self.table._repr_html_()

    @property
    def table(self) -> Table:
        left, right = _network(self.left.value), _network(self.right.value)
        if self.view.value == "steps":
            return Table(
                (left.name, right.name),
                tuple(
                    (f"{d.where}: {d.what}", (d.left, d.right)) for d in differences(left, right)
                ),
            )
        table = compare(left, right)
        return table.differing() if self.view.value == "differing" else table

    def pictures(self) -> list[Table]:
        return [self.table]

    def words(self) -> str:
        left, right = _network(self.left.value), _network(self.right.value)
        rows, steps = len(compare(left, right).differing().rows), len(differences(left, right))
        if not steps:
            return f"{left.name} and {right.name} are the same description."
        return (
            f"{left.name} and {right.name} differ in {rows} {'property' if rows == 1 else 'properties'} and "
            f"{steps} {'place' if steps == 1 else 'places'}."
        )


def comparison_lab(
    left: str = "inception_resnet_v2", right: str = "inception_resnet_v2_released"
) -> ComparisonLab:
    """Display the comparison lab and return it.

    `left` and `right` are keys of `networks.NETWORKS`, "inception_resnet_v2_printed" or "facenet".
    Raises `SpecError` for another network.
    """
    lab = ComparisonLab(left, right)
    lab.show()
    return lab
