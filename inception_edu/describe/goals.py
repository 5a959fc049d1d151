"""What a reader is asked to reach with a block, checked by measuring it. No torch.

goal = read_goal("branch 3 sees 7×7")
goal = read_goal("17×17×1024 with half of the multiply-adds")
goal.check(node, shape, original)       # "" where it is reached, else what is missing
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from inception_edu.describe.design import branches
from inception_edu.describe.measure import measure
from inception_edu.describe.spec import Node, Shape, SpecError
from inception_edu.describe.tables import spaced
from inception_edu.describe.words import amount, size_words


@dataclass(frozen=True)
class Goal:
    """`text` is what is asked. What is not asked is None: the field of a branch, the output
    (C, H, W), the largest share of the original's multiply-adds and of its parameters."""

    text: str
    branch: int | None = None
    field: tuple[int, int] | None = None
    output: Shape | None = None
    macs: float | None = None
    params: float | None = None

    def check(self, node: Node, shape: Shape, original: Node) -> str:
        """What is still missing, as a sentence; empty where the goal is reached. Raises
        `SpecError` where the block's numbers do not fit."""
        now, before = measure(node, shape), measure(original, shape)
        if self.output is not None and now.output != self.output:
            words = f"The output is {size_words(now.output)}, not {size_words(self.output)}"
            if now.output[1:] == self.output[1:]:
                many = self.output[0] - now.output[0]
                words += f": {abs(many)} channels {'are missing' if many > 0 else 'too many'}"
            return words + "."
        if self.branch is not None:
            found = branches(node, shape)
            if self.branch > len(found):
                return f"There is no branch {self.branch} now."
            seen = found[self.branch - 1].field
            if seen != self.field:
                return f"Branch {self.branch} sees {seen[0]}×{seen[1]}."
        for share, mine, whole, word in (
            (self.macs, now.macs, before.macs, "multiply-adds"),
            (self.params, now.params, before.params, "parameters"),
        ):
            if share is not None and mine > share * whole:
                said = f"It has {mine / whole:.0%} of the {word}; {share:.0%} are allowed."
                return spaced(said)
        return ""

    def notice(self, node: Node, shape: Shape, original: Node) -> str:
        """What is worth seeing once the goal is reached, with its numbers."""
        now, before = measure(node, shape), measure(original, shape)
        parts = []
        for mine, whole, word in (
            (now.params, before.params, "parameters"),
            (now.macs, before.macs, "multiply-adds"),
        ):
            if mine == whole:
                parts.append(f"exactly as many {word} ({amount(whole)})")
            else:
                parts.append(spaced(f"{mine / whole:.0%} of the {word} ({amount(mine)})"))
        words = f"Notice: it has {parts[0]} and {parts[1]}"
        if self.field is not None and now.macs == before.macs and now.params == before.params:
            return f"{words}: counts do not tell what a branch sees."
        if self.output is not None and self.macs is not None:
            return f"{words}, and {_spent(node, shape, original)}"
        return words + "."


def _spent(node: Node, shape: Shape, original: Node) -> str:
    """Which branch does most of the arithmetic now, and before."""
    shares = []
    for block in (original, node):
        costs = [branch.macs for branch in branches(block, shape)]
        top = max(range(len(costs)), key=costs.__getitem__)
        shares.append((top + 1, costs[top] / max(sum(costs), 1)))
    (was, was_share), (now, now_share) = shares
    return spaced(
        f"branch {now} does {now_share:.0%} of what is left (before, branch {was} did "
        f"{was_share:.0%}). What the smaller block can still learn, no count tells."
    )


_SHARES = {"half": 0.5, "a third": 1 / 3, "a quarter": 0.25, "two thirds": 2 / 3}


def read_goal(text: str) -> Goal:
    """A goal from its words: "branch 3 sees 7×7", "17×17×1024" (H×W×C), "… with half of the
    multiply-adds", "… with 40 % of the parameters", and several of these, joined by "and". Raises
    `SpecError` for other words."""
    rest = text.replace("x", "×") if re.search(r"\dx\d", text) else text
    branch = field = output = None
    limits: dict[str, float] = {}
    if found := re.search(r"branch (\d+) sees (\d+)×(\d+)", rest):
        branch, field = int(found[1]), (int(found[2]), int(found[3]))
        rest = rest.replace(found[0], " ")
    if found := re.search(r"(\d+)×(\d+)×(\d+)", rest):
        output = (int(found[3]), int(found[1]), int(found[2]))
        rest = rest.replace(found[0], " ")
    share = r"(half|a third|a quarter|two thirds|\d+ ?%) of the (multiply-adds|parameters)"
    for amount_words, what in re.findall(share, rest):
        percent = amount_words.rstrip("% ")
        limits[what] = _SHARES.get(amount_words) or int(percent) / 100
    rest = re.sub(share, " ", rest)
    left = re.sub(r"\b(with|and|at most|only)\b|[,;.]", " ", rest).split()
    if left or (branch is None and output is None and not limits):
        raise SpecError(
            f"This goal cannot be checked: {text!r}. Say, for example, “branch 3 sees 7×7” or "
            "“17×17×1024 with half of the multiply-adds”."
        )
    macs, params = limits.get("multiply-adds"), limits.get("parameters")
    return Goal(text, branch, field, output, macs, params)
