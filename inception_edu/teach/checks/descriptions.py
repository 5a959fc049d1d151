"""Checks of descriptions of blocks, and of what was watched, against a figure. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from inception_edu.describe import (
    Chain,
    Concat,
    Conv,
    Node,
    Pool,
    Residual,
    Shape,
    children,
    measure,
)
from inception_edu.describe import out_shape as described_shape
from inception_edu.teach import diagnose
from inception_edu.teach.verdict import (
    Unsolved,
    Verdict,
    checked,
    missing,
    right,
    short,
    student_code,
)
from inception_edu.teach.verdict import wrong as wrong_

NODES = (Conv, Pool, Chain, Concat, Residual)


@checked
def description(
    answer: Any,
    expected: Node,
    shape: Shape | None = None,
    *,
    wrong: Mapping[Node, str] | None = None,
    ordered: bool = False,
) -> Verdict:
    """A description of a block, compared with `expected` (a node of `spec`) branch by branch.

    shape: (C, H, W) of what enters, for sentences about sizes. wrong: {node: sentence}. Without
    `ordered` the branches may stand in another order. Names, figure words and printed sums are not
    compared.
    """
    if isinstance(answer, type) and issubclass(answer, NODES):
        return wrong_(f"This is the type {answer.__name__}; make one: {answer.__name__}(…).")
    if hasattr(answer, "parameters") and hasattr(answer, "forward"):
        return wrong_(
            "This is a module; a description is asked for, made of Conv, Pool, Chain, Concat and "
            "Residual."
        )
    if callable(answer):
        with student_code():
            answer = answer()
        if answer is None:
            return wrong_("Your function returns nothing: is a `return` missing?")
        if missing(answer):
            raise Unsolved
    if isinstance(answer, (list, tuple)):
        return wrong_(
            f"This is a {type(answer).__name__} of {len(answer)} parts; put them into Chain(…) if "
            "they follow each other, into Concat(…) if they stand side by side."
        )
    if not isinstance(answer, NODES):
        return wrong_(
            f"A description is made of Conv, Pool, Chain, Concat and Residual, got {short(answer)}."
        )
    _find_gaps(answer)
    return compared(diagnose.sequence(answer), expected, shape, wrong, ordered, answer=answer)


def _find_gaps(node: Node, where: str = "") -> None:
    for word, part in children(node):
        place = f"{where}, {word}" if where else word
        if part is ...:
            raise Unsolved(f"There is still a `...` in {place}.")
        _find_gaps(part, place)


def compared(steps, expected: Node, shape, wrong, ordered, answer=None, faults=()) -> Verdict:
    wanted = diagnose.sequence(expected)
    for mistake, sentence in (wrong or {}).items():
        if steps == diagnose.sequence(mistake):
            return wrong_(sentence)
    found = _explained(steps, wanted, shape) or [
        str(d) for d in diagnose.differences(steps, wanted, shape, ordered)
    ]
    found = list(dict.fromkeys([*faults, *found]))
    if found:
        return wrong_(*found)
    if answer is not None and shape is not None:
        with student_code():
            described_shape(
                answer, shape
            )  # a printed sum that does not close raises its own sentence
    words = []
    if shape is not None:
        size = measure(expected, shape)
        words = [
            f"{printed(shape)} → {printed(size.output)}, {size.params:,} parameters, {size.macs:,} "
            "multiply-adds."
        ]
    if diagnose.reordered(steps, wanted):
        words.append(
            "The branches stand in another order than in the figure; that only permutes the "
            "channels."
        )
    return right(" ".join(words) or "The same block as in the figure.")


def _explained(steps, wanted, shape) -> list[str]:
    """One sentence where one idea explains all differences."""
    if not diagnose.differences(steps, wanted):
        return []
    if not diagnose.differences(_turned(steps), wanted):
        return ["Every 1×n and n×1 is turned: a kernel is (height, width), so 1×7 is (1, 7)."]
    if not diagnose.differences(steps, _unshared(wanted)):
        return [
            "Two branches begin with a convolution of their own; in the figure they share it "
            "and fan out after it: "
            "Chain(…, Concat(…, …))."
        ]
    if wanted and isinstance(wanted[0], diagnose.Join) and wanted[0].kind == "add":
        for body in wanted[0].branches:
            if (
                () not in wanted[0].branches
                or not body
                or any(isinstance(step, diagnose.Join) and step.kind == "add" for step in steps)
            ):
                continue
            if (
                min(
                    len(diagnose.differences(steps, end, shape))
                    for end in (body, body + wanted[1:])
                )
                < 3
            ):
                return ["The identity is missing: the result of the branches is not added to x."]
    return []


def _turned(items):
    turned = []
    for item in items:
        if isinstance(item, diagnose.Join):
            item = replace(item, branches=tuple(_turned(b) for b in item.branches))
        elif item.kind in diagnose.WINDOWS:
            item = replace(item, kernel=item.kernel[::-1], padding=item.padding[::-1])
        turned.append(item)
    return tuple(turned)


def _unshared(items):
    """Fan-outs written as separate branches: 1×1 → {1×3, 3×1} becomes 1×1 → 1×3 and 1×1 → 3×1."""
    found = []
    for item in items:
        if isinstance(item, diagnose.Join):
            branches = []
            for branch in item.branches:
                last = branch[-1] if branch else None
                if isinstance(last, diagnose.Join) and last.kind == item.kind:
                    branches += [(*branch[:-1], *way) for way in last.branches]
                else:
                    branches.append(branch)
            item = replace(item, branches=tuple(branches))
        found.append(item)
    return tuple(found)


def printed(shape) -> str:
    """(C, H, W) as the figures print it: H×W×C."""
    return "×".join(map(str, (*shape[1:], shape[0])))
