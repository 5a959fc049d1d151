"""The shape explorer: image size, network and padding; every shape on the way, what it costs, and
where it breaks.

    lab = shape_explorer("inception_v4", image=299)
    lab.image = 75
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

from inception_edu._numbers import is_whole
from inception_edu.describe.blocks import Network
from inception_edu.describe.draw import Drawing, draw
from inception_edu.describe.family import FAMILY
from inception_edu.describe.measure import Trace, trace
from inception_edu.describe.networks import NETWORKS, network
from inception_edu.describe.sides import padded, side_chain, smallest
from inception_edu.describe.small import mini
from inception_edu.describe.spec import SpecError
from inception_edu.describe.words import size_words
from inception_edu.labs import link
from inception_edu.labs.blocks import sized
from inception_edu.labs.core import Column, Control, Lab, Part, Press, Row, Set, Tell, View

if TYPE_CHECKING:
    from inception_edu.labs.host import NotebookLab

PADDINGS = {"printed": "as printed", "same": "same everywhere", "valid": "V everywhere"}
SMALLEST, LARGEST = 8, 640  # sides of the image, in pixels
# Auxiliary heads change no shape on the way to the answer, and some networks are the same small.
_WHOLE = tuple(key for key in (*NETWORKS, *FAMILY) if not key.endswith("_aux"))
_ONCE = ("resnet101", "resnet152", "googlenet_local")
KEYS = (*_WHOLE, *(f"mini {key}" for key in _WHOLE if key not in _ONCE))
HEIGHT = 560  # of the drawings, in pixels


@lru_cache(maxsize=64)
def _network(key: str) -> Network:
    if not key.startswith("mini "):
        return network(key)
    whole = network(key.removeprefix("mini "))
    stages = {block.stage for block in whole.blocks if block.stage}
    return mini(whole, repeats=(1, 2, 1) if len(stages) == 3 else (1,) * len(stages))


@dataclass(frozen=True)
class State:
    """A key of `KEYS`, the side of the image in pixels, a key of `PADDINGS`, the block that is
    shown in detail."""

    network: str
    image: int
    padding: str = "printed"
    block: str = ""
    first: State | None = None

    @property
    def net(self) -> Network:
        """The network with the chosen padding."""
        return _padded(self.network, self.padding)

    @property
    def trace(self) -> Trace:
        """Every shape on the way, up to the block that breaks."""
        return trace(self.net, self.image)


@lru_cache(maxsize=64)
def _padded(key: str, padding: str) -> Network:
    return padded(_network(key), padding)


def opened(key: str, image: int | None = None, padding: str = "printed") -> State:
    """The state in which a network is opened."""
    net = _network(key)
    return State(key, net.image if image is None else image, padding, net.blocks[0].name)


def update(state: State, event) -> State:
    if isinstance(event, Set):
        if event.key == "network":
            return replace(opened(event.value), padding=state.padding, first=state.first)
        return replace(state, **{event.key: event.value})
    if isinstance(event, Tell) and not state.trace.broken:
        return replace(state, block=event.value["choose"])
    if isinstance(event, Press) and state.first is not None:
        return replace(state.first, first=state.first)
    return state


@lru_cache(maxsize=8)  # the host asks several times for one state
def render(state: State) -> View:
    found = state.trace
    overview, details = drawings(state)
    blocks = tuple(block.name for block in state.net.blocks)
    controls = (
        Control(
            "network",
            "list",
            "network",
            state.network,
            tuple((_network(key).name, key) for key in KEYS),
        ),
        Control(
            "image", "slider", "image (px)", state.image, low=SMALLEST, high=LARGEST, whole=True
        ),
        Control(
            "padding",
            "list",
            "padding",
            state.padding,
            tuple((words, key) for key, words in PADDINGS.items()),
        ),
        Control("block", "list", "block", state.block, blocks, disabled=bool(found.broken)),
        Control("reset", "button", "Reset", tip="Put every setting back"),
    )
    shown = found.broken.name if found.broken else state.block
    picture = {
        "svg": str(overview),
        "kinds": ["block", "reduction"],
        "selected": shown,
        "upwards": True,
        "height": HEIGHT,
        "said": "the blocks of the network",
    }
    parts = (
        Part("overview", picture, "diagram", "the network as a diagram"),
        Part("details", sized(details, HEIGHT)),
        Part("facts", facts(state)),
    )
    layout = Column(
        "status",
        Row(
            Column("network", "image", "padding", "block", "reset", "facts", width="280px"),
            Column("overview", width="min(100%, 380px)"),
            Column("details", width="min(100%, 410px)"),
        ),
    )
    return View(controls, parts, verdict(state), alert=bool(found.broken), layout=layout)


def drawings(state: State) -> tuple[Drawing, Drawing]:
    """The network, and one of its blocks: the one that breaks, or the chosen one."""
    net, found = state.net, state.trace
    shown = found.broken or net[state.block]
    rows = found.of(shown.name)
    entering = rows[0].input if rows and shown is not found.broken else found.end
    title = f"{shown.name} in {net.name}"
    if found.broken:
        title = f"{shown.name}, the block that breaks"
    details = draw(shown.node, entering, title=title, wrong=True)
    return draw(net, state.image, params=True, wrong=True), details


def verdict(state: State) -> str:
    """What this image meets in this network, in sentences."""
    net, side, found = state.net, state.image, state.trace
    if not found.broken:
        sides = " → ".join(map(str, side_chain(net, side)))
        return f"{net.name} takes {side}×{side} images. The side of the map: {sides}."
    words = f"{net.name} cannot take {side}×{side} images. {found.error} "
    least = smallest(net, LARGEST)
    if least is None:
        return words + "With this padding no image fits."
    if side < least:
        return words + f"The smallest image it can take is {least}×{least}."
    return words + f"Images from {least}×{least} on can fit; this one does not."


def facts(state: State) -> str:
    """Costs and fields, as HTML."""
    found, net = state.trace, state.net
    if found.broken:
        return '<div style="min-height:230px"></div>'
    rows, own = found.rows, _network(state.network)
    classifier = (rows[-1].output[0] + 1) * net.classes
    params = sum(r.params for r in rows) + classifier
    macs = sum(r.macs for r in rows) + classifier
    at_home = trace(own, own.image)
    home = sum(r.macs for r in at_home.rows) + (at_home.end[0] + 1) * own.classes
    least = smallest(net, LARGEST)
    lines = [
        ("last map", size_words(rows[-1].output)),
        ("parameters", f"{params:,}"),
        ("multiply-adds", f"{macs:,}"),
        (f"… of those at {own.image}×{own.image}", f"{macs / home:.2f} times"),
        ("smallest image", f"{least}×{least}" if least else "none"),
    ]
    body = "".join(
        f'<tr><th scope="row" style="text-align:left;font-weight:400">{escape(name)}</th>'
        f'<td style="text-align:right;padding-left:10px">{escape(value)}</td></tr>'
        for name, value in lines
    )
    table = f'<table style="border-collapse:collapse;font-size:12px;line-height:1.5">{body}</table>'
    return f'<div style="min-height:230px">{table}{reach(state)}</div>'


def reach(state: State) -> str:
    """How far one value of the last map reaches, as a picture to scale: the image inside it, or it
    inside the image."""
    last = state.trace.rows[-1]
    sees, side = last.receptive_field[0], state.image
    largest = max(sees, side)
    box = 96.0
    window, picture = box * sees / largest, box * side / largest
    if sees > side:
        words = (
            f"A value of the last map could see {sees}×{sees} pixels, but the image has only "
            f"{side}×{side}: it sees the whole image, and zeros around it."
        )
        with suppress(ModuleNotFoundError):  # a web page has no numpy to count paths with
            rows = _half(state.network, state.padding, side)
            words += f" Half of its paths begin in {rows} of the {side} rows."
    else:
        words = f"A value of the last map sees {sees}×{sees} of the {side}×{side} pixels."

    def square(length: float, look: str) -> str:
        at = (box - length) / 2 + 1
        return (
            f'<rect x="{at:.1f}" y="{at:.1f}" width="{length:.1f}" height="{length:.1f}" {look}/>'
        )

    image = square(picture, 'fill="#9cc4e4" stroke="#0072b2"')
    frame = square(window, 'fill="none" stroke="#d55e00" stroke-width="2" stroke-dasharray="4 2"')
    said = f"the image, {side} pixels, and the field, {sees} pixels, to scale"
    return (
        '<div style="display:flex;gap:8px;font-size:12px;line-height:1.35;margin-top:6px">'
        '<svg class="ied-paper" width="98" height="98" style="flex:none;background:#fff" '
        f'role="img" aria-label="{said}">{image}{frame}</svg><div>{escape(words)} '
        '<span style="white-space:nowrap">(<span style="color:#0072b2">■</span> image,</span> '
        '<span style="white-space:nowrap"><span style="color:#d55e00">▢</span> field)</span>'
        "</div></div>"
    )


@lru_cache(maxsize=512)
def _half(key: str, padding: str, side: int) -> int:
    """In how many rows of the image half of the paths to the middle of the last map begin."""
    from inception_edu.describe.paths import grow

    return grow(_padded(key, padding), side)[-1].core()[0]


def words(state: State) -> str:
    padding = PADDINGS[state.padding]
    return f"image {state.image}×{state.image}, padding: {padding}. {verdict(state)}"


def make(network: str = "inception_v4", image: int | None = None, padding: str = "printed") -> Lab:
    """The lab without widgets: a `core.Lab`. Raises `SpecError` for what there is not."""
    if network not in KEYS:
        raise SpecError(f"There is no network {network!r}; choose one of {', '.join(KEYS)}.")
    if padding not in PADDINGS:
        raise SpecError(f"There is no padding {padding!r}; choose one of {', '.join(PADDINGS)}.")
    start = opened(network, image, padding)
    if not is_whole(start.image):
        raise SpecError(f"The side of the image is a whole number, got {image!r}.")
    if not SMALLEST <= start.image <= LARGEST:
        raise SpecError(
            f"The side of the image goes from {SMALLEST} to {LARGEST} pixels; got {start.image}."
        )
    return Lab(
        "shape-explorer",
        "Shape explorer",
        replace(start, first=start),
        update,
        render,
        stored=lambda state: list(drawings(state)),
        words=words,
        link=lambda state: link.write(
            "shape_explorer",
            {"network": state.network, "image": state.image, "padding": state.padding},
        ),
    )


def shape_explorer(
    network: str = "inception_v4", image: int | None = None, padding: str = "printed"
) -> NotebookLab:
    """Display the shape explorer and return it.

    `network` is a key of `describe.network`, or "mini " and a key; `image` the side of the image
    in pixels (the network's own by default); `padding` "printed", "same" or "valid". In code, set
    `lab.network`, `lab.image`, `lab.padding` or `lab.block` as the reader does; `lab.state.trace`
    holds the shapes.
    """
    from inception_edu.labs.host import NotebookLab

    lab = NotebookLab(make(network, image, padding))
    lab.show()
    return lab
