"""What the block designer shows: controls, diagram, branches, numbers, goal, code."""

from __future__ import annotations

from functools import lru_cache
from html import escape

from inception_edu.describe import design
from inception_edu.describe.canvas import BRANCH_COLOURS
from inception_edu.describe.draw import Drawing, draw
from inception_edu.describe.measure import Measurement, measure
from inception_edu.describe.parts import Path, at
from inception_edu.describe.spec import Chain, Conv, Node, Pool, Residual, SpecError
from inception_edu.describe.under import shares
from inception_edu.describe.words import amount, leaf_words, size_words
from inception_edu.labs.blocks import BLOCKS, OWN, klmn
from inception_edu.labs.core import Column, Control, Part, Row, View
from inception_edu.labs.designer_state import State

KERNELS = ((1, 1), (3, 3), (5, 5), (7, 7), (1, 3), (3, 1), (1, 7), (7, 1))
MOST_FILTERS = 8192
FIELDS = ("kind", "filters", "kernel", "stride", "padding", "norm", "relu")
BUTTONS = {  # key: label, tip
    "add_step": ("Add step", "A 3×3 convolution after the chosen step"),
    "remove_step": ("Remove step", "Take the chosen step out"),
    "add_branch": ("Add branch", "A copy of the chosen step's branch, beside it"),
    "remove_branch": ("Remove branch", "Take out the chosen step's branch"),
    "widen": ("Widen branch × 2", "Twice the filters in the chosen step's branch"),
    "narrow": ("Narrow branch ÷ 2", "Half the filters in the chosen step's branch"),
}


# --- What is shown --------------------------------------------------------------------------------


@lru_cache(maxsize=8)  # the host asks several times for one state
def render(state: State) -> View:
    node, path = state.node, state.selected
    now, error = _measured(state)
    said = f"{state.said} {error}".strip()
    goal, reached = _goal_words(state, now)
    parts = (
        Part("goal", goal, hidden=state.goal is None),
        Part("diagram", _diagram(state), "diagram", "the block as a diagram"),
        Part("branches", _branches_html(state)),
        Part("numbers", _table(state, now)),
        Part("forward", _forward_html(state, now)),
        Part("code", {"title": "The block as Python", "text": state.code}, "code"),
    )
    controls = (*_controls(node, path, state), *_buttons(state, now))
    layout = Column(
        "goal",
        Row(*BUTTONS, "undo", "redo", "reset"),
        "status",
        Row(
            Column("block", "step", *FIELDS, "scale", "text", width="236px"),
            Column("diagram", width="min(100%, 480px)"),
            Column("branches", "numbers", Row("run"), "forward", "code", width="min(100%, 340px)"),
        ),
    )
    return View(controls, parts, said, alert=state.alert or bool(error), layout=layout)


def _measured(state: State) -> tuple[Measurement | None, str]:
    try:
        return measure(state.node, state.shape), ""
    except SpecError as error:
        return None, str(error)


def _controls(node: Node, path: Path, state: State) -> tuple[Control, ...]:
    leaf = at(node, path)
    empty = isinstance(leaf, Chain)
    conv = isinstance(leaf, Conv)
    usual = Conv(64, 1)
    shown = leaf if isinstance(leaf, Conv) else usual  # what a pool would become as a convolution
    window = leaf if isinstance(leaf, (Conv, Pool)) else usual
    steps = tuple((_step_words(node, place), place) for place in design.places(node))
    kinds = (("convolution", "conv"), ("max pool", "max"), ("average pool", "avg"))
    sizes = KERNELS if window.kernel in KERNELS else (*KERNELS, window.kernel)
    kernels = tuple((f"{h}×{w}", (h, w)) for h, w in sizes)
    strides = tuple(sorted({1, 2, 3, window.stride}))
    pads = (("same", "same"), ("V (valid)", "valid"))
    blocks = (*BLOCKS, OWN) if state.own else tuple(BLOCKS)
    kind = leaf.kind if isinstance(leaf, Pool) else "conv"
    residual = isinstance(node, Residual)
    scale = node.scale if isinstance(node, Residual) else 1.0
    high = max(1.5, scale)
    return (
        Control("block", "list", "block", state.block, blocks),
        Control("step", "list", "step", path, steps),
        Control("kind", "list", "kind", kind, kinds, disabled=empty),
        Control(
            "filters",
            "slider",
            "filters",
            shown.out,
            low=1,
            high=max(MOST_FILTERS, shown.out),
            whole=True,
            disabled=not conv,
        ),
        Control("kernel", "list", "kernel", window.kernel, kernels, disabled=empty),
        Control("stride", "list", "stride", window.stride, strides, disabled=empty),
        Control("padding", "list", "padding", window.padding, pads, disabled=empty),
        Control("norm", "check", "batch norm", shown.norm, disabled=not conv),
        Control("relu", "check", "ReLU", shown.relu, disabled=not conv),
        Control(
            "scale", "slider", "scale", scale, low=0, high=high, step=0.05, hidden=not residual
        ),
        Control(
            "text",
            "text",
            "",
            state.text,
            name="a block as Python",
            note="Paste a block as Python, then Enter.",
        ),
    )


def _step_words(node: Node, place: Path) -> str:
    leaf = at(node, place)
    words = "hands its input on"
    if isinstance(leaf, (Conv, Pool)):
        words = " ".join(leaf_words(leaf))
    return f"{design.where(place)}: {words}"


def _buttons(state: State, now: Measurement | None) -> tuple[Control, ...]:
    made = [Control(key, "button", label, tip=tip) for key, (label, tip) in BUTTONS.items()]
    return (
        *made,
        Control("undo", "button", "Undo", disabled=state.at == 0, tip="Take back the last change"),
        Control(
            "redo",
            "button",
            "Redo",
            disabled=state.at + 1 == len(state.changes),
            tip="Make the change again that was taken back",
        ),
        Control("reset", "button", "Reset", tip="The block as it was at first"),
        Control(
            "run",
            "button",
            "Run it",
            disabled=now is None or state.running,
            tip="Send one random image through the built block",
        ),
    )


def drawing(state: State) -> Drawing:
    """The block as it is now, mismatches in red; k, l, m, n by name in Fig. 7."""
    node = state.node
    name = getattr(node, "name", "") or "Your block"
    title = ": ".join(filter(None, [getattr(node, "figure", ""), name]))
    if state.at:
        title += " (changed)"
    return draw(
        node, state.shape, title=title, wrong=True, labels=klmn(node), fields=state.selected
    )


def _diagram(state: State) -> dict:
    node, shape = state.node, state.shape
    places = design.places(node)
    facts = {"/".join(place): design.formula(node, shape, place) for place in places}
    return {
        "svg": str(drawing(state)),
        "kinds": ["conv", "pool"],
        "selected": "/".join(state.selected),
        "grid": True,
        "facts": facts,
        "height": 424,
        "said": "the steps of the block",
    }


def _branches_html(state: State) -> str:
    """The numbers that stand small under each branch, as a table."""
    found = design.branches(state.node, state.shape, state.selected)
    if not found:
        return '<div style="min-height:70px"></div>'
    params, macs = shares(found)
    colours = [BRANCH_COLOURS[i % len(BRANCH_COLOURS)] for i in range(len(found))]
    rows = {
        "branch": [
            f'<b class="ied-paper" style="color:{c}">{i}</b>' for i, c in enumerate(colours, 1)
        ],
        "sees": [f"{b.field[0]}×{b.field[1]}" for b in found],
        "parameters": [f"{share:.0%}" for share in params],
        "multiply-adds": [f"{share:.0%}" for share in macs],
    }
    body = ""
    for name, cells in rows.items():
        tds = "".join(f'<td style="padding:0 8px;text-align:center">{cell}</td>' for cell in cells)
        body += f'<tr><th scope="row" style="text-align:left;font-weight:400">{name}</th>{tds}</tr>'
    return (
        '<div style="min-height:70px;overflow-x:auto"><table style="border-collapse:collapse;'
        f'font-size:12px;line-height:1.4">{body}</table></div>'
    )


def _table(state: State, now: Measurement | None) -> str:
    was = measure(state.original, state.shape)

    def field(measured):
        return "×".join(map(str, measured.receptive_field))

    counts = [
        sum(isinstance(at(block, p), Conv) for p in design.places(block))
        for block in (state.original, state.node)
    ]
    rows = [
        ("output", size_words(was.output), size_words(now.output) if now else "—", ""),
        ("parameters", *_change(was.params, now.params if now else None)),
        ("multiply-adds", *_change(was.macs, now.macs if now else None)),
        ("a value sees", field(was), field(now) if now else "—", ""),
        ("convolutions", *_change(*counts)),
    ]
    body = ""
    for name, *cells in rows:
        tds = "".join(
            f'<td style="text-align:right;padding:0 0 0 10px">{escape(c)}</td>' for c in cells
        )
        body += f'<tr><th scope="row" style="text-align:left;font-weight:400">{name}</th>{tds}</tr>'
    heads = "".join(
        f'<th scope="col" style="text-align:right;padding-left:10px">{word}</th>'
        for word in ("original", "now", "change")
    )
    return (
        '<table tabindex="0" style="border-collapse:collapse;font-size:12px;line-height:1.45">'
        f"<tr><td></td>{heads}</tr>{body}</table>"
    )


def _change(before: int, after: int | None) -> tuple[str, str, str]:
    if after is None:
        return amount(before), "—", ""
    if after == before:
        return amount(before), amount(after), "the same"
    share = f"{after / before - 1:+.1%}" if before else f"{after - before:+,}"
    return amount(before), amount(after), share.replace("-", "−")


def _forward_html(state: State, now: Measurement | None) -> str:
    if now is None:
        words = "Not possible while the numbers do not fit."
    elif state.running:
        words = "One random image is on its way …"
    elif state.trial is None:
        words = "“Run it” builds the block and sends one random image through it."
    elif isinstance(state.trial, str):
        words = state.trial
    else:
        words = _trial_words(state, now)
    return f'<div role="status" style="font-size:12px;min-height:5.4em">{escape(words)}</div>'


def _trial_words(state: State, now: Measurement) -> str:
    trial = state.trial
    smaller = ""
    if trial.input != state.shape:
        smaller = f" (a smaller map: the whole one costs {amount(now.macs)} multiply-adds)"
    before, after = ("×".join(map(str, shape)) for shape in (trial.input, trial.output))
    return (
        f"1×{before}{smaller} went in, 1×{after} came out after {trial.milliseconds:.0f} ms "
        f"(N×C×H×W). Standard deviation of the output: {trial.spread:.3f}; {trial.zeros:.0%} of it "
        "is 0. The weights are random."
    )


def _goal_words(state: State, now: Measurement | None) -> tuple[str, bool]:
    """The goal, whether it is reached, and what to notice then."""
    goal = state.goal
    if goal is None:
        return "", False
    missing = "The numbers do not fit."
    if now is not None:
        missing = goal.check(state.node, state.shape, state.original)
    mark, words = "☐", f"Not yet: {missing}"
    if not missing:
        mark = "☑"
        words = f"Reached. {goal.notice(state.node, state.shape, state.original)}"
    colour = "var(--ied-line,#d0d3d8)" if missing else "var(--ied-good,#00714f)"
    html = (
        f'<div role="status" style="border-left:4px solid {colour};padding:0 8px;min-height:2.8em">'
        f"<b>{mark} Goal: {escape(goal.text)}.</b> {escape(words)}</div>"
    )
    return html, not missing
