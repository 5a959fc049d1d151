"""The block designer: change any block, and see its diagram, what each branch sees and costs, and
whether it still fits.

    lab = block_designer("InceptionB", goal="branch 3 sees 7×7")
    lab.state.node            # the description as it is now
    print(lab.state.code)     # the Python that makes it
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from inception_edu.describe import code as texts
from inception_edu.describe import design
from inception_edu.describe.goals import Goal, read_goal
from inception_edu.describe.measure import measure
from inception_edu.describe.parts import Path, at
from inception_edu.describe.spec import Conv, Node, Pool, Residual, Shape, SpecError
from inception_edu.describe.words import leaf_words, size_words
from inception_edu.labs import link
from inception_edu.labs.blocks import BLOCKS, OWN, origin
from inception_edu.labs.core import End, Lab, Press, Refused, Set, Start, Tell
from inception_edu.labs.designer_state import State
from inception_edu.labs.designer_view import drawing, render

if TYPE_CHECKING:
    from inception_edu.labs.host import NotebookLab

FIELDS = {"kind": "kind", "filters": "out", "kernel": "kernel", "stride": "stride"}
FIELDS |= {"padding": "padding", "norm": "norm", "relu": "relu"}
EDITS = {
    "add_step": design.add_step,
    "remove_step": design.remove_step,
    "add_branch": design.add_branch,
    "remove_branch": design.remove_branch,
    "widen": lambda node, path: design.widen(node, path, 2),
    "narrow": lambda node, path: design.widen(node, path, 0.5),
}
DONE = {
    "add_step": "A 3×3 convolution follows {step}.",
    "remove_step": "{step} is taken out.",
    "add_branch": "A copy of {branch} stands beside it: change one of them.",
    "remove_branch": "{branch} is taken out.",
    "widen": "{branch} has twice the filters.",
    "narrow": "{branch} has half the filters.",
}


def opened(
    block: str, own: tuple[Node, Shape] | None = None, goal: Goal | None = None, said: str = ""
) -> State:
    """The state in which a block of `BLOCKS`, or the reader's own, is opened."""
    original, shape = own if block == OWN and own else BLOCKS[block]
    # Without the printed sums: the reader is free to change them; the table compares with the
    # original.
    start = design.free(original)
    first = design.places(start)[0]
    said = said or f"{_name(original)} {origin(block, original)}. Choose a step, then change it."
    return State(block, original, shape, ((start, first),), said=said, goal=goal, own=own)


def _name(node: Node) -> str:
    title = ": ".join(filter(None, [getattr(node, "figure", ""), getattr(node, "name", "")]))
    return title or "The block"


# --- What happens ---------------------------------------------------------------------------------


def update(state: State, event):
    state = replace(state, alert=False) if not isinstance(event, End) else state
    try:
        if isinstance(event, Set):
            return _set(state, event.key, event.value)
        if isinstance(event, Tell):
            return _select(state, tuple(event.value["choose"].split("/")))
        if isinstance(event, Press):
            return _press(state, event.key)
        if isinstance(event, End):
            return _ended(state, event)
    except SpecError as error:
        return replace(state, said=str(error), alert=True)
    return state


def _set(state: State, key: str, value) -> State:
    if key == "block":
        goal = state.goal if value == state.block else None
        return opened(value, state.own, goal)
    if key == "step":
        return _select(state, value)
    if key == "scale" and isinstance(state.node, Residual):
        node: Node = replace(state.node, scale=float(value))
        return _push(state, node, state.selected, f"The residual branch is now times {value:g}.")
    if key == "text":
        if not value.strip():
            return replace(state, text="")
        try:
            node = texts.parse(value)
            first = design.places(node)[0]
        except (SpecError, IndexError) as error:
            raise Refused(str(error) or "This block has no step.") from None
        return replace(_push(state, node, first, "The block is read from your text."), text=value)
    if key not in FIELDS:  # of code alone: the control is hidden
        raise Refused(f"This block has no {key}: choose a residual block.")
    node, path = design.change(state.node, state.selected, **{FIELDS[key]: value})
    leaf = at(node, path)
    assert isinstance(leaf, (Conv, Pool))  # what `change` makes of it
    words = f"{design.where(path)} is now {' '.join(leaf_words(leaf))}."
    return _push(state, node, path, words)


def _select(state: State, path: Path) -> State:
    if path not in design.places(state.node):
        raise SpecError(f"The block has no step {'/'.join(path)!r}.")
    now = list(state.changes)
    now[state.at] = (state.node, path)
    return replace(state, changes=tuple(now))


def _push(state: State, node: Node, path: Path, said: str) -> State:
    if node == state.node:
        return replace(state, changes=_selected(state, path))
    changes = (*state.changes[: state.at + 1], (node, path))
    return replace(state, changes=changes, at=state.at + 1, said=said, trial=None)


def _selected(state: State, path: Path) -> tuple:
    return (*state.changes[: state.at], (state.node, path), *state.changes[state.at + 1 :])


def _press(state: State, key: str):
    if key in EDITS:
        path = state.selected
        node, after = EDITS[key](state.node, path)
        branch = design.where(design.branch_of(path) or path)
        said = DONE[key].format(step=design.where(path), branch=branch)
        if key in ("widen", "narrow"):
            said = said[:-1] + _leaving(node, state.shape, path)
        return _push(state, node, after, said)
    if key == "undo":
        return replace(state, at=state.at - 1, said="The last change is taken back.", trial=None)
    if key == "redo":
        return replace(state, at=state.at + 1, said="The change is made again.", trial=None)
    if key == "reset":
        return replace(opened(state.block, state.own, state.goal), running=state.running)
    if key == "run":
        measure(state.node, state.shape)  # raises with a sentence where the numbers do not fit
        job = (state.node, state.shape)
        return replace(state, running=True, trial=None), Start("forward", job)
    return state


def _leaving(node: Node, shape: Shape, path: Path) -> str:
    """How many channels leave the branch of a step now."""
    for branch in design.branches(node, shape, path):
        if path[: len(branch.path)] == branch.path:
            return f": {branch.output[0]} channels leave it."
    return "."


def _ended(state: State, event: End) -> State:
    state = replace(state, running=False)
    if event.status != "finished":
        return replace(state, trial=event.sentence)
    node, trial = event.value.value
    return replace(state, trial=trial if node == state.node else None)


@dataclass(frozen=True)
class _Tried:
    value: tuple


def work(job):
    """The forward pass, as a task."""

    def run(report, stop):
        from inception_edu.nets.forward import forward_pass

        node, shape = job
        return _Tried((node, forward_pass(node, shape)))

    return run


def words(state: State) -> str:
    how = origin(state.block, state.original)
    if state.at:
        how = f"{state.at} {'change' if state.at == 1 else 'changes'}"
    asked = f" Goal: {state.goal.text}." if state.goal else ""
    return f"{state.block}, input {size_words(state.shape)}, {how}.{asked}"


def link_to(state: State) -> str:
    """The line that opens the lab again: the block as it was, and what the reader made of it."""
    settings: dict = {"block": state.block}
    if state.block == OWN:
        settings = {"block": repr(state.original), "shape": state.shape}
    if state.node != state.changes[0][0]:
        settings["text"] = repr(state.node)
    return link.write("block_designer", settings | {"goal": state.goal and state.goal.text})


def make(
    block: str | Node = "InceptionA",
    shape: Shape | None = None,
    goal: str | Goal | None = None,
    text: str = "",
) -> Lab:
    """The lab without widgets: a `core.Lab`. Raises as `block_designer`."""
    own = None
    if isinstance(block, str) and "(" in block:
        block = texts.parse(block)
    if not isinstance(block, str):
        if shape is None:
            raise SpecError(
                "A block of your own needs the shape (channels, height, width) that enters it."
            )
        measure(block, shape)  # raises with a sentence where its numbers do not fit
        own, block = (block, shape), OWN
    elif block not in BLOCKS:
        raise SpecError(f"There is no block {block!r}; choose one of {', '.join(BLOCKS)}.")
    aim = read_goal(goal) if isinstance(goal, str) else goal
    start = opened(block, own, aim)
    if text:
        start = replace(_set(start, "text", text), text="")
    return Lab(
        "block-designer",
        "Block designer",
        start,
        update,
        render,
        stored=lambda state: [drawing(state)],
        words=words,
        work=work,
        link=link_to,
    )


def block_designer(
    block: str | Node = "InceptionA",
    shape: Shape | None = None,
    goal: str | Goal | None = None,
    mode: str = "auto",
    text: str = "",
) -> NotebookLab:
    """Display the block designer and return it; `lab.state.node` is the block now,
    `lab.state.code` its Python.

    `block` is a name in `blocks.BLOCKS`, or any node (or its code), with the `shape` (C, H, W) that
    enters it. `goal` is what is to be reached, as in `goals.read_goal`; it is checked after every
    change. `text` is the code of what the block has become, as a link has it. Raises `SpecError`
    for a block or a goal that there is not.
    """
    from inception_edu.labs.host import NotebookLab

    lab = NotebookLab(make(block, shape, goal, text), mode)
    lab.show()
    return lab
