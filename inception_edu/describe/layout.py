"""Where everything of a block's drawing goes: each node becomes a part of boxes, lines, words.

No torch.

x grows to the right, y in the direction of flow; `canvas.render` writes the SVG.
"""

from __future__ import annotations

from dataclasses import replace

from inception_edu._lazy import TYPE_CHECKING
from inception_edu.describe.canvas import (
    PAD,
    SIZE,
    SMALL,
    WRONG,
    Box,
    Line,
    Text,
    Words,
    box_size,
    branch_colour,
    text_width,
)
from inception_edu.describe.flow import Step
from inception_edu.describe.measure import measure
from inception_edu.describe.parts import Path, children
from inception_edu.describe.pieces import End, Part, bar, label_of, reach_of
from inception_edu.describe.spec import (
    Chain,
    Concat,
    Conv,
    Node,
    Pool,
    Residual,
    SizeError,
    SpecError,
)
from inception_edu.describe.words import amount, leaf_words, scale_words, scaled, size_words

if TYPE_CHECKING:
    from typing import Any


GAP, FAN, COLUMN = 30, 46, 14  # between boxes, where lines fan out, between columns
RADIUS = 11  # of the "+"


class Layout:
    """Turns nodes into parts. `steps` are the steps of a walk by address, with their shapes if
    those are known."""

    def __init__(self, steps: dict[Path, Step], params: bool, labels: dict[str, str]):
        self.steps, self.params, self.labels = steps, params, labels

    def error(self, path: Path) -> SpecError | None:
        return self.steps[path].error

    def shape(self, path: Path) -> str:
        output = self.steps[path].output
        return size_words(output) if output else ""

    def node(
        self, node: Node, path: Path = (), branch: int | None = None, inner: bool = False
    ) -> Part:
        """`inner`: the node ends a branch, so a concatenation there may leave the joining to the
        one outside."""
        if isinstance(node, (Conv, Pool)):
            return self.leaf(node, path, branch)
        if isinstance(node, Chain):
            return self.chain(node, path, branch, inner)
        if isinstance(node, Concat):
            return self.concat(node, path, branch, inner)
        return self.residual(node, path, branch)

    def words(self, node: Conv | Pool, path: Path) -> tuple:
        step = self.steps[path]
        lines = [
            (text, SIZE, False) for text in leaf_words(node, self.labels.get("/".join(path), ""))
        ]
        if self.params and isinstance(node, Conv) and step.output:
            cost = measure(node, step.input)
            lines.append((f"{amount(cost.params)} · {amount(cost.macs)}", SMALL, False))
        if step.error:
            lines.append((step.error.short, SMALL, True))
        return tuple(lines)

    def leaf(self, node: Conv | Pool, path: Path, branch: int | None, width: float = 0.0) -> Part:
        step, lines = self.steps[path], self.words(node, path)
        natural, height = box_size(lines)
        width = max(natural, width, 76)
        kind = "conv" if isinstance(node, Conv) else "pool"
        box = Box(
            0, 0, width, height, lines, kind, path, branch, step.error is not None, _tip(step)
        )
        label, middle = self.shape(path), width / 2
        right = max(
            middle, reach_of(label) + 4 - COLUMN
        )  # a label may reach into the gap between columns
        return Part(
            middle + right,
            height,
            middle,
            middle,
            [End(middle, 0, path, branch)],
            [End(middle, height, path, branch, label)],
            [box],
        )

    def chain(self, node: Chain, path: Path, branch: int | None, inner: bool) -> Part:
        if not node.parts:
            end = End(10, 0, path, branch, self.shape(path), through=True)
            right = max(20, 10 + reach_of(end.label) - COLUMN)
            return Part(right, 0, 10, 10, [end], [replace(end)])
        leaves = [
            ((*path, word), part) for word, part in children(node) if isinstance(part, (Conv, Pool))
        ]
        width = max((box_size(self.words(part, where))[0] for where, part in leaves), default=0.0)
        parts = [
            self.leaf(part, (*path, word), branch, width)
            if isinstance(part, (Conv, Pool))
            else self.node(part, (*path, word), branch, inner and part is node.parts[-1])
            for word, part in children(node)
        ]
        return self.stack(parts)

    def stack(self, parts: list[Part]) -> Part:
        """Parts one after the other, joined by lines."""
        whole, *rest = parts
        for part in rest:
            if part.height == 0:  # nothing but a line
                continue
            if whole.height == 0:
                whole = part
                continue
            start, shift = whole.exits[0], whole.outlet - part.inlet
            straight = all(
                abs(start.nearest(e.x + shift) - e.x - shift) < 0.1 for e in part.entries
            )
            gap = GAP if straight else FAN
            part.move(shift, whole.height + gap)
            whole.items += part.items + self.join(start, part.entries)
            whole.height += gap + part.height
            whole.outlet, whole.exits = part.outlet, part.exits
            whole.cover(shift, shift + part.width)
        return whole

    def join(self, start: End, entries: list[End]) -> list:
        """Lines from one end to one or several entries: straight, or over a rail where they lie
        aside."""
        items: list = []
        rail = start.y + (20 if start.label else 14)
        turned = [e for e in entries if abs(start.nearest(e.x) - e.x) >= 0.1]
        left = [e for e in turned if e.x < start.nearest(e.x)]
        right = [e for e in turned if e.x > start.nearest(e.x)]
        for side in filter(None, (left, right)):
            x = start.nearest(side[0].x)
            far = max(side, key=lambda e: abs(e.x - x)).x
            trunk = (
                [] if side is right and left and start.nearest(left[0].x) == x else [(x, start.y)]
            )
            items.append(Line([*trunk, (x, rail), (far, rail)], start.path, arrow=False))
        for entry in entries:
            foot = rail if entry in turned else start.y
            items.append(
                Line(
                    [(entry.x, foot), (entry.x, entry.y)],
                    entry.path,
                    entry.branch,
                    not entry.through,
                )
            )
            if entry.badge:
                items.append(
                    Text(
                        entry.x - 6,
                        entry.y - 12,
                        entry.badge,
                        entry.path,
                        "end",
                        branch_colour(entry.branch),
                        True,
                    )
                )
        top = rail if turned else entries[0].y
        return items + label_of(start, (start.y + top) / 2)

    def concat(self, node: Concat, path: Path, branch: int | None, inner: bool) -> Part:
        entries: list[End] = []
        exits: list[End] = []
        items: list[Any] = []
        x = height = 0.0
        error = self.error(path)
        odd = error.odd if isinstance(error, SizeError) else ()
        for i, (word, child) in enumerate(children(node)):
            colour = i if branch is None else branch
            part = self.node(child, (*path, word), colour, inner=True)
            part.move(x)
            part.entries[0].badge = part.entries[0].badge or str(i + 1)
            for end in (*part.entries, *part.exits):
                end.branch = colour
                end.wrong = end.wrong or i in odd
            x += part.width + COLUMN
            height = max(height, part.height)
            entries, exits, items = entries + part.entries, exits + part.exits, items + part.items
        width, middle = x - COLUMN, (entries[0].x + entries[-1].x) / 2
        if inner and not error and len(exits) > 1:
            return Part(width, height, middle, middle, entries, exits, items)
        y = height + GAP
        for end in exits:
            items += [
                Line([(end.x, end.y), (end.x, y)], end.path, end.branch, wrong=end.wrong),
                *label_of(end, y - 18),
            ]
        joined = bar(
            "bar",
            "Filter concat",
            "" if error else self.shape(path),
            y,
            exits,
            path,
            str(error or ""),
            error.short if error else "",
        )
        low, high = joined.x, joined.x + joined.width
        top = y + joined.height
        leave = End((low + high) / 2, top, path, branch, span=(low + 8, high - 8))
        return Part(width, top, middle, leave.x, entries, [leave], [*items, joined]).cover(
            low, high
        )

    def residual(self, node: Residual, path: Path, branch: int | None) -> Part:
        """The shortcut on the left, the body beside it, the "+" over the body's end."""
        word = (*path, "shortcut")
        aside = ((f"× {node.identity_scale:g}", SIZE, True),) if node.identity_scale != 1 else ()
        if node.shortcut is None:
            wide = max(16.0, box_size(aside)[0] if aside else 0.0)
            middle = wide / 2
            start = End(middle, 0, word, branch, through=True)
            side = Part(wide, 0, middle, middle, [start], [End(middle, 0, word, branch)])
        else:
            side = self.node(node.shortcut, word, branch)
        body = self.node(node.body, (*path, "residual branch"), branch)
        on_body = ((scale_words(node), SIZE, True),) if scaled(node) else ()
        half = max(RADIUS + 8, box_size(on_body)[0] / 2)
        body.cover(body.outlet - half, body.outlet + half)
        body.move(side.width + COLUMN)
        error, end, start = self.error(path), body.exits[0], side.exits[0]
        x, items = body.outlet, side.items + body.items
        plus_y = max(body.height, side.height) + GAP
        if on_body:
            tip = "The residual branch is multiplied by this number before the addition (Fig. 20)."
            end = self.pill(items, end, on_body, body.height, (*path, "scale"), branch, tip)
            plus_y = max(plus_y, end.y + 18)
        if aside:
            tip = "The identity is multiplied by this number: not what Fig. 20 says."
            where = (*path, "identity scale")
            start = self.pill(items, start, aside, side.height, where, branch, tip)
            plus_y = max(plus_y, start.y + 18 - RADIUS)
        plus = Box(
            x - RADIUS,
            plus_y,
            2 * RADIUS,
            2 * RADIUS,
            (("+", 15, True),),
            "plus",
            path,
            None,
            error is not None,
            str(error or ""),
        )
        middle, top = plus_y + RADIUS, plus_y + 2 * RADIUS
        items += [
            Line([(x, end.y), (x, plus_y)], end.path, branch),
            *label_of(end, plus_y - GAP / 2),
            Line([(start.x, start.y), (start.x, middle), (x - RADIUS, middle)], word, branch),
            plus,
        ]
        items += label_of(start, start.y + GAP / 2) if node.shortcut is not None else []
        right = body.width + side.width + COLUMN
        if error:
            items.append(
                Text(x + RADIUS + 6, middle, error.short, path, colour=WRONG, bold=True, size=SIZE)
            )
            right = max(right, x + RADIUS + 6 + text_width(error.short, SIZE, True))
        after = [("Batch norm", "norm")] if node.norm else []
        after += [("ReLU activation", "relu")] if node.relu else []
        for text, kind in after:
            lines = ((text, SIZE, False),)
            width, height = box_size(lines)
            box = Box(x - width / 2, top + 16, width, height, lines, kind, path)
            items += [Line([(x, top), (x, box.y)], path, branch), box]
            top = box.y + height
            right = max(right, x + width / 2)
        leave = End(x, top, path, branch, self.shape(path))
        part = Part(right, top, body.inlet, x, [*side.entries, *body.entries], [leave], items)
        return part.cover(
            x - text_width("ReLU activation") / 2 - PAD, x + reach_of(leave.label) - COLUMN + 4
        )

    def pill(
        self,
        items: list[Any],
        end: End,
        lines: tuple[Words, ...],
        y: float,
        path: Path,
        branch: int | None,
        tip: str,
    ) -> End:
        """A scale on the line that leaves `end`, `y` below it; returns where the line goes on."""
        width, height = box_size(lines)
        box = Box(end.x - width / 2, y + GAP, width, height, lines, "scale", path, tip=tip)
        line = Line([(end.x, end.y), (end.x, box.y)], end.path, branch)
        items += [line, box, *label_of(end, (end.y + box.y) / 2)]
        return End(end.x, box.y + height, path)


def _tip(step: Step) -> str:
    words = repr(step.node)
    if step.input and step.output:
        words += f": {size_words(step.input)} → {size_words(step.output)}"
    if step.output and isinstance(step.node, Conv):
        cost = measure(step.node, step.input)
        words += f", {cost.params:,} parameters, {cost.macs:,} multiply-adds"
    return f"{words}. {step.error}" if step.error else words
