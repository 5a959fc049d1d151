"""What the clickable diagram is and shows, without widgets: `make` gives the `core.Lab`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape

from inception_edu.describe.blocks import Block, Network, check_network
from inception_edu.describe.code import network_code, parse_network
from inception_edu.describe.draw import Drawing, draw
from inception_edu.describe.link import source_of
from inception_edu.describe.measure import Trace, trace
from inception_edu.describe.networks import network
from inception_edu.describe.spec import Node, SpecError
from inception_edu.describe.words import amount, size_words
from inception_edu.labs import link
from inception_edu.labs.blocks import sized
from inception_edu.labs.core import Column, Control, Lab, Part, Row, Set, Tell, View
from inception_edu.labs.pieces import card, status, table

HEIGHT = 520  # of the drawings, in pixels


@dataclass(frozen=True)
class State:
    """A network, the side of its image (None: its own), a block, and which of its copies; `key`:
    what the network is called in `networks`, "" for one of the reader's own."""

    network: Network
    image: int | None
    block: str
    copy: int = 1
    key: str = ""

    @property
    def trace(self) -> Trace:
        """Every shape on the way."""
        return trace(self.network, self.image)

    @property
    def selected(self) -> str:
        """The block's name as in `named_blocks`: "stem", or "inception_a.2"."""
        repeat = self.network[self.block].repeat
        return self.block if repeat == 1 else f"{self.block}.{self.copy}"


def update(state: State, event) -> State:
    if isinstance(event, Set) and event.key == "copy":
        return replace(state, copy=event.value)
    if isinstance(event, Set):
        return replace(state, block=event.value, copy=1)
    if isinstance(event, Tell) and "select" in event.value:
        return replace(state, **event.value["select"])
    if isinstance(event, Tell) and event.value["choose"] != state.block:
        return replace(state, block=event.value["choose"], copy=1)
    return state


@lru_cache(maxsize=8)  # the host asks several times for one state
def render(state: State) -> View:
    repeat = state.network[state.block].repeat
    copies = tuple(range(1, repeat + 1))
    options = tuple((_option(block), block.name) for block in state.network.blocks)
    controls = (
        Control("block", "list", "block", state.block, options),
        Control("copy", "list", "copy", state.copy, copies, disabled=repeat == 1),
    )
    picture = {
        "svg": str(draw(state.network, state.image, wrong=True)),
        "kinds": ["block", "reduction"],
        "selected": state.block,
        "upwards": True,
        "height": HEIGHT,
        "said": "the blocks of the network",
    }
    parts = (
        Part("overview", picture, "diagram", "the network as a diagram"),
        Part("details", _details(state)),
    )
    layout = Row(
        Column(Row("block", "copy"), "overview", width="min(100%, 420px)"),
        Column("details", width="min(100%, 640px)"),
    )
    return View(controls, parts, words(state), layout=Column("status", layout))


def _details(state: State) -> str:
    """The details of a block as HTML: its diagram, shapes, cost, and the code that made it."""
    block, found = state.network[state.block], state.trace
    mine = [row for row in found.rows if row.name == state.selected]
    if mine:
        row = mine[0]
        title = f"{_title(block.node, block.name)} ({state.selected})"
        picture = draw(block.node, row.input, title=title)
        facts = table(_facts(state, row), css="ied-facts")
    elif block is found.broken:
        picture = draw(block.node, found.end, wrong=True)
        facts = status(found.error, alert=True)
    else:
        picture = draw(block.node)
        facts = status("No image gets this far: an earlier block breaks.", alert=True)
    code = source_of(block.node)
    pieces = [("Its function in inception_edu.describe", code)] if code else []
    pieces.append(("The description itself", repr(block.node)))
    folded = "".join(
        f'<details class="ied-code"><summary>{escape(head)}</summary><pre tabindex="0" '
        'style="overflow:auto;font-size:12px;background:#f6f7f9;color:#222;padding:6px">'
        f"{escape(text)}</pre></details>"
        for head, text in pieces
    )
    return card(
        f'<div style="display:flex;flex-wrap:wrap;gap:4px 16px;min-height:{HEIGHT}px">'
        f'<div>{sized(picture, HEIGHT)}</div><div style="min-width:0">{facts}{folded}</div></div>'
    )


def _facts(state: State, row) -> list[tuple[str, str]]:
    """What a block costs and sees."""
    found, rows = state.trace, state.trace.of(state.block)
    params, macs = sum(r.params for r in found.rows), sum(r.macs for r in found.rows)
    seen = "×".join(map(str, row.receptive_field)) + " pixels of the image"
    if min(row.receptive_field) >= max(found.rows[0].input[1:]):
        far = "×".join(map(str, row.receptive_field))
        seen = f"the whole image (it reaches {far} pixels far)"
    facts = [
        ("input → output", f"{size_words(row.input)} → {size_words(row.output)}"),
        ("parameters", f"{row.params:,} ({row.params / params:.1%} of the blocks')"),
        ("multiply-adds", f"{row.macs:,} ({row.macs / macs:.1%})"),
    ]
    if len(rows) > 1:
        costs = (
            f"{amount(sum(r.params for r in rows))} parameters, "
            f"{amount(sum(r.macs for r in rows))} multiply-adds"
        )
        facts.append((f"all {len(rows)} copies", costs))
    return [*facts, ("one output value sees", seen)]


def pictures(state: State) -> list[Drawing]:
    """The network and its first block, for a page without a kernel."""
    whole, first = state.network, state.network.blocks[0]
    return [draw(whole, state.image, wrong=True), draw(first.node, whole.input, wrong=True)]


def words(state: State) -> str:
    net = state.network
    return f"{net.name}, {len(net.blocks)} blocks, {state.selected} selected."


def _title(node: Node, otherwise: str) -> str:
    title = filter(None, [getattr(node, "figure", ""), getattr(node, "name", "")])
    return ": ".join(title) or otherwise


def _option(block: Block) -> str:
    times = f" (× {block.repeat})" if block.repeat > 1 else ""
    return f"{block.name}{times}"


def link_to(state: State) -> str:
    """The line that opens the lab again. It holds the description of a network of one's own."""
    what = state.key or network_code(state.network)
    return link.write(
        "network_diagram",
        {"what": what, "block": state.block, "copy": state.copy, "image": state.image},
    )


def make(
    what: Network | str = "inception_v4",
    image: int | None = None,
    block: str = "",
    copy: int = 1,
) -> Lab:
    """The lab without widgets: a `core.Lab`. `what` is a network, its key or its text
    (`code.network_code`), `block` and `copy` what is selected first. Raises
    `SpecError` for a network, block or copy that there is not."""
    if isinstance(what, str) and "(" in what:
        what = parse_network(what)
    key = what if isinstance(what, str) else ""
    net = network(what) if isinstance(what, str) else what
    check_network(net)
    repeats = {b.name: b.repeat for b in net.blocks}
    block = block or net.blocks[0].name
    if block not in repeats:
        raise SpecError(f"{net.name} has no block {block!r}; it has {', '.join(repeats)}.")
    if copy not in range(1, repeats[block] + 1):
        raise SpecError(f"{net.name} has {block} {repeats[block]} times; there is no copy {copy}.")
    start = State(net, image, block, copy, key)
    return Lab(
        "network-diagram",
        "Network diagram",
        start,
        update,
        render,
        pictures,
        words,
        link=link_to,
    )
