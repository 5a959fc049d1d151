"""The shape explorer: image size, network and padding; every shape on the way, what it costs, and
where it breaks.

shape_explorer("inception_v4", image=299)
"""

from __future__ import annotations

from functools import lru_cache

import ipywidgets as widgets

from inception_edu.describe import (
    NETWORKS,
    Drawing,
    Network,
    SpecError,
    amount,
    draw,
    mini,
    network,
    size_words,
    smallest_image,
    trace,
    walk,
    with_padding,
)
from inception_edu.labs.diagram import ROW, Bench, card, status, table
from inception_edu.labs.page import changing

PADDINGS = {"printed": "as printed", "same": "same everywhere", "valid": "V everywhere"}
SMALLEST, LARGEST = 8, 640  # sides of the image, in pixels


KEYS = (*NETWORKS, *(f"mini {key}" for key in NETWORKS if key not in ("resnet101", "resnet152")))


@lru_cache(maxsize=64)
def _network(key: str) -> Network:
    if not key.startswith("mini "):
        return network(key)
    return mini(network(key[5:]), repeats=(1, 1, 1, 1) if key == "mini resnet50" else (1, 2, 1))


@lru_cache(maxsize=64)
def _padded(key: str, padding: str) -> Network:
    net = _network(key)
    return net if padding == "printed" else net.map(lambda node: with_padding(node, padding))


def side_chain(net: Network, image: int) -> list[int]:
    """The side of the map from the image on, wherever it shrinks: 299, 149, 147, 73, 71, 35, 17,
    8."""
    sides = [image]
    for row in trace(net, image).rows:
        if row.output[1] < row.input[1]:
            for step in walk(row.node, row.input):
                sides += [step.output[1]] if step.output[1] < sides[-1] else []
    return sides


@lru_cache(maxsize=256)
def smallest(net: Network) -> int | None:
    """The smallest legal side, or None where no image up to `LARGEST` fits."""
    if all(trace(net, side).error for side in (LARGEST, LARGEST - 1, LARGEST - 2, LARGEST - 3)):
        return None
    return smallest_image(net)


class ShapeExplorer(Bench):
    """`shape_explorer` makes one. `network`, `image`, `padding`, `block` are its controls; `trace`
    what they give."""

    name, title = "shape-explorer", "Shape explorer"

    def __init__(
        self, network: str = "inception_v4", image: int | None = None, padding: str = "printed"
    ):
        if network not in KEYS:
            raise SpecError(f"There is no network {network!r}; choose one of {', '.join(KEYS)}.")
        wide = {"layout": widgets.Layout(width="380px"), "style": {"description_width": "80px"}}
        self.network = widgets.Dropdown(
            options=[(_network(key).name, key) for key in KEYS],
            value=network,
            description="network",
            **wide,
        )
        self.image = widgets.IntSlider(
            _network(network).image if image is None else image,
            min=SMALLEST,
            max=LARGEST,
            description="image (px)",
            **wide,
        )
        self.padding = widgets.ToggleButtons(
            options=[(words, key) for key, words in PADDINGS.items()],
            value=padding,
            description="padding",
            style={"button_width": "140px", "description_width": "80px"},
        )
        self.block = widgets.Dropdown(description="block", **wide)
        self.reset_button = widgets.Button(
            description="Reset",
            tooltip="Put every setting back",
            layout=widgets.Layout(width="96px"),
        )
        for key in ("network", "image", "padding", "block"):
            getattr(self, key).add_class(f"ied-control-{key}")
        self.sentence = widgets.HTML().add_class("ied-status")
        self.overview = changing().add_class("ied-overview")
        self.facts = widgets.HTML().add_class("ied-facts")
        self.details = widgets.HTML(
            layout=widgets.Layout(flex="0 1 auto", min_width="0")
        ).add_class("ied-details")
        left = widgets.VBox(
            [self.overview, self.facts],
            layout=widgets.Layout(flex="0 1 auto", min_width="0", max_width="100%"),
        )
        row = widgets.Layout(**ROW)
        self.widget = widgets.VBox(
            [
                widgets.HBox([self.network, self.image], layout=row),
                self.padding,
                widgets.HBox([self.block, self.reset_button], layout=row),
                self.sentence,
                widgets.HBox([left, self.details], layout=row),
            ],
            layout=widgets.Layout(width="100%"),
        )
        self.widget.add_class("ied-lab").add_class(f"ied-{self.name}")
        self._first = (network, self.image.value, padding)
        self._quiet = False
        self._blocks()
        self.network.observe(self._other_network, names="value")
        self.image.observe(self._redraw, names="value")
        self.padding.observe(self._redraw, names="value")
        self.block.observe(self._redraw, names="value")
        self.reset_button.on_click(lambda _: self.reset())
        self._redraw()

    def reset(self) -> None:
        """Put every setting back to the first one."""
        self._quiet = True
        self.network.value, self.image.value, self.padding.value = self._first
        self._blocks()
        self._quiet = False
        self._redraw()

    @property
    def net(self) -> Network:
        """The network as it is set: with the chosen padding."""
        return _padded(self.network.value, self.padding.value)

    def _blocks(self) -> None:
        blocks = _network(self.network.value).blocks
        self.block.options = [b.name for b in blocks]
        self.block.value = blocks[0].name

    def _other_network(self, _) -> None:
        if self._quiet:
            return
        self._quiet = True
        self.image.value = _network(self.network.value).image
        self._blocks()
        self._quiet = False
        self._redraw()

    def _redraw(self, _=None) -> None:
        if self._quiet:
            return
        net, side = self.net, self.image.value
        self.trace = trace(net, side)
        self.block.disabled = bool(self.trace.error)  # then the block that breaks is shown
        self.sentence.value = status(self.verdict(), alert=bool(self.trace.error))
        overview, details = self._drawings()
        self.overview.value = overview
        self.details.value = details
        self.facts.value = self._facts()

    def _drawings(self) -> tuple[Drawing, Drawing]:
        net, side = self.net, self.image.value
        shown = self.trace.broken or net[self.block.value]
        rows = self.trace.of(shown.name)
        entering = rows[0].input if rows and shown is not self.trace.broken else self.trace.end
        title = (
            f"{shown.name}, the block that breaks"
            if self.trace.error
            else f"{shown.name} in {net.name}"
        )
        details = draw(shown.node, entering, title=title, wrong=True)
        return draw(net, side, params=True, wrong=True), details

    def verdict(self) -> str:
        """What this image meets in this network, in sentences."""
        net, side = self.net, self.image.value
        sides = " → ".join(map(str, side_chain(net, side)))
        if self.trace.error:
            least = smallest(net)
            words = f"{net.name} cannot take {side}×{side} images. {self.trace.error} "
            return words + (
                "With this padding no image fits."
                if least is None
                else f"The smallest image it can take is {least}×{least}."
                if side < least
                else f"Images from {least}×{least} on can fit; this one does not."
            )
        return f"{net.name} takes {side}×{side} images. The side of the map: {sides}."

    def _facts(self) -> str:
        if self.trace.error:
            return ""
        rows, net = self.trace.rows, self.net
        own = _network(self.network.value)
        at_home = trace(own, own.image)
        classifier = (rows[-1].output[0] + 1) * net.classes
        macs = sum(r.macs for r in rows) + classifier
        ratio = macs / (sum(r.macs for r in at_home.rows) + (at_home.end[0] + 1) * own.classes)
        least = smallest(net)
        sees, stride = rows[-1].receptive_field, rows[-1].stride
        facts = [
            ("last map", size_words(rows[-1].output)),
            ("parameters", f"{sum(r.params for r in rows) + classifier:,}"),
            ("multiply-adds", f"{macs:,} ({amount(macs)})"),
            (
                f"compared with {own.image}×{own.image} as printed",
                f"{ratio:.2f} times the multiply-adds",
            ),
            (
                "the last map sees",
                f"{sees[0]}×{sees[1]} pixels, one value every {stride[0]} pixels",
            ),
            ("smallest image", f"{least}×{least}" if least else "none"),
        ]
        return card(table(facts))

    def pictures(self) -> list[Drawing]:
        return list(self._drawings())

    def words(self) -> str:
        return f"image {self.image.value}×{self.image.value}, padding: {PADDINGS[self.padding.value]}. {self.verdict()}"


def shape_explorer(
    network: str = "inception_v4", image: int | None = None, padding: str = "printed"
) -> ShapeExplorer:
    """Display the shape explorer and return it.

    `network` is a key of `networks.NETWORKS`, or "mini " and a key; `image` the side of the image
    in pixels (the network's own by default); `padding` "printed", "same" or "valid". In code, set
    `.network.value`, `.image.value`, `.padding.value` or `.block.value` as the reader does;
    `.trace` holds the shapes.
    """
    lab = ShapeExplorer(network, image, padding)
    lab.show()
    return lab
