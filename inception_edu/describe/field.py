"""Where a value looks: the exact window of input pixels from which some path leads to it. No torch.

rows, columns = window(InceptionA())     # one `Window` an axis
rows.of(5)                               # (3, 8): value 5 could see pixels 3 to 7
"""

from __future__ import annotations

from dataclasses import dataclass

from inception_edu.describe.blocks import Network
from inception_edu.describe.spec import Chain, Concat, Conv, Node, Pool, SpecError


@dataclass(frozen=True)
class Window:
    """Along one axis, output i reads the inputs from `start + i·step` on, `size` of them. Inputs
    outside the image (below 0, or beyond its end) are padding."""

    start: int = 0
    step: int = 1
    size: int = 1

    def of(self, i: int) -> tuple[int, int]:
        """(first, one past the last) input of output i; it may lie outside the image."""
        low = self.start + i * self.step
        return low, low + self.size

    def then(self, following: Window) -> Window:
        """The window of a layer behind this one, in this one's inputs."""
        return Window(
            self.start + self.step * following.start,
            self.step * following.step,
            self.size + self.step * (following.size - 1),
        )


Windows = tuple[Window, Window]
ONE: Windows = (Window(), Window())


def window(node: Node) -> Windows:
    """The windows (along rows, along columns) of a node's outputs in its input. Branches give the
    union of theirs."""
    if isinstance(node, (Conv, Pool)):
        before = [k // 2 if node.padding == "same" else 0 for k in node.kernel]
        rows, columns = (Window(-b, node.stride, k) for b, k in zip(before, node.kernel))
        return rows, columns
    if isinstance(node, Chain):
        found = ONE
        for part in node.parts:
            found = _then(found, window(part))
        return found
    if isinstance(node, Concat):
        parts = node.branches
    else:
        parts = (node.body, Chain() if node.shortcut is None else node.shortcut)
    rows, columns = (_union(axis) for axis in zip(*(window(part) for part in parts)))
    return rows, columns


def entering(network: Network, name: str) -> Windows:
    """The windows of what enters a block (for example "inception_a.2"), in pixels of the network's
    image. Raises `SpecError` where there is no such block."""
    found = ONE
    for block in network.blocks:
        for i in range(1, block.repeat + 1):
            if name == (block.name if block.repeat == 1 else f"{block.name}.{i}"):
                return found
            found = _then(found, window(block.node))
    raise SpecError(f"{network.name} has no block {name!r}.")


def _then(first: Windows, second: Windows) -> Windows:
    rows, columns = (a.then(b) for a, b in zip(first, second))
    return rows, columns


def _union(windows: tuple[Window, ...]) -> Window:
    start = min(w.start for w in windows)
    end = max(w.start + w.size for w in windows)
    return Window(start, windows[0].step, end - start)


def within(network: Network, name: str, node: Node) -> Windows:
    """The windows, in pixels of the image, of the outputs of a node that reads what enters the
    block `name`: one of its branches, or the block's own node."""
    return _then(entering(network, name), window(node))
