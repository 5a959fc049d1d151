"""The clickable diagram: a network as an overview, the details of a block on demand.

lab = network_diagram("inception_v4")
lab.on_select(lambda name: print(name))      # called with "inception_a.2" and the like, as in
                                             # `nets.build.named_blocks`
"""

from __future__ import annotations

from collections.abc import Callable

from inception_edu.describe.blocks import Network
from inception_edu.labs.core import Tell
from inception_edu.labs.diagram_view import make
from inception_edu.labs.host import NotebookLab


class NetworkDiagram(NotebookLab):
    """`network_diagram` makes one. `selected` is a block's name as in `named_blocks`; set it to
    select."""

    def __init__(
        self,
        what: Network | str,
        image: int | None = None,
        on_select=None,
        block: str = "",
        copy: int = 1,
    ):
        self._callbacks: list[Callable[[str], None]] = []
        super().__init__(make(what, image, block, copy))
        self._before = self.selected
        if on_select is not None:
            self.on_select(on_select)

    def on_select(self, callback: Callable[[str], None]) -> None:
        """Call `callback(name)` whenever another block or copy is selected. Raises ValueError for
        what cannot be called."""
        if not callable(callback):
            raise ValueError(f"on_select is a function of a block's name, got {callback!r}.")
        self._callbacks.append(callback)

    @property
    def selected(self) -> str:
        """The selected block: "stem", or "inception_a.2" for the second of several copies."""
        return self.state.selected

    @selected.setter
    def selected(self, name: str) -> None:
        block, _, copy = name.partition(".")
        net = self.state.network
        repeats = {b.name: b.repeat for b in net.blocks}
        there = block in repeats
        if there and copy:
            there = copy.isdigit() and 1 <= int(copy) <= repeats[block]
        if not there:
            raise ValueError(
                f"{net.name} has no block {name!r}; it has {', '.join(repeats)} "
                '(a copy is written as in "inception_a.2").'
            )
        self.send(Tell("code", {"select": {"block": block, "copy": int(copy or 1)}}))

    def _changed(self, event) -> None:
        super()._changed(event)
        if self.selected != self._before:
            self._before = self.selected
            for callback in self._callbacks:
                callback(self.selected)


def network_diagram(
    what: Network | str = "inception_v4",
    image: int | None = None,
    on_select=None,
    block: str = "",
    copy: int = 1,
) -> NetworkDiagram:
    """Display a network as a clickable overview and return the lab.

    `what` is a `Network`, its text as a link has it, or a key of `describe.network`; `image` the
    side of the image in pixels (the network's own by default). `on_select(name)` is called when a
    block is selected, by click, key, list or `lab.selected = …`. `block` and `copy` are what is
    selected first.
    """
    lab = NetworkDiagram(what, image, on_select, block, copy)
    lab.show()
    return lab
