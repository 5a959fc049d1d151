"""The block designer: change any block of the paper, and see its diagram, its cost and a forward
pass follow.

lab = block_designer("InceptionA")
lab.node                  # the description as it is now
print(lab.code)           # the Python that makes it
"""

from __future__ import annotations

import time
from dataclasses import replace
from html import escape

import ipywidgets as widgets

from inception_edu import describe as f
from inception_edu.describe import (
    Chain,
    Concat,
    Conv,
    Drawing,
    Measurement,
    Node,
    Pool,
    Residual,
    Shape,
    SpecError,
    amount,
    at,
    draw,
    leaf_paths,
    leaf_words,
    map_nodes,
    measure,
    out_shape,
    put,
    size_words,
)
from inception_edu.labs.diagram import ROW, Bench, card, picker, status, table

Path = tuple[str, ...]

# Each block of the paper with the shape (C, H, W) that enters it.
BLOCKS: dict[str, tuple[Node, Shape]] = {
    "InceptionA": (f.InceptionA(), (384, 35, 35)),
    "InceptionB": (f.InceptionB(), (1024, 17, 17)),
    "InceptionC": (f.InceptionC(), (1536, 8, 8)),
    "ReductionA": (f.ReductionA(**f.TABLE_1["inception_v4"]), (384, 35, 35)),
    "ReductionB": (f.ReductionB(), (1024, 17, 17)),
    "StemV4": (f.StemV4(), (3, 299, 299)),
    "InceptionResNetA_v1": (f.InceptionResNetA_v1(), (256, 35, 35)),
    "InceptionResNetB_v1": (f.InceptionResNetB_v1(), (896, 17, 17)),
    "InceptionResNetC_v1": (f.InceptionResNetC_v1(), (1792, 8, 8)),
    "ReductionB_v1": (f.ReductionB_v1(), (896, 17, 17)),
    "StemV1": (f.StemV1(), (3, 299, 299)),
    "InceptionResNetA_v2": (f.InceptionResNetA_v2(), (384, 35, 35)),
    "InceptionResNetB_v2": (f.InceptionResNetB_v2(), (1152, 17, 17)),
    "InceptionResNetC_v2": (f.InceptionResNetC_v2(), (2144, 8, 8)),
    "ReductionB_v2": (f.ReductionB_v2(), (1152, 17, 17)),
    "InceptionA_v3": (f.InceptionA_v3(64), (288, 35, 35)),
    "InceptionB_v3": (f.InceptionB_v3(160), (768, 17, 17)),
    "InceptionC_v3": (f.InceptionC_v3(), (2048, 8, 8)),
    "ReductionA_v3": (f.ReductionA_v3(), (288, 35, 35)),
    "ReductionB_v3": (f.ReductionB_v3(), (768, 17, 17)),
    "ResidualConnection": (f.ResidualConnection(), (64, 56, 56)),
    "Bottleneck": (f.Bottleneck(64), (256, 56, 56)),
}
KERNELS = ((1, 1), (3, 3), (5, 5), (7, 7), (1, 3), (3, 1), (1, 7), (7, 1))
MOST_MACS = 6e8  # of the forward pass; a costlier block runs on a smaller map


# --- Changing a description -----------------------------------------------------------------------


def mapped(node: Node, change) -> Node:
    """`node` with `change` applied to every convolution and pool; printed sums are forgotten,
    scales are fixed."""

    def changed(n: Node) -> Node:
        if isinstance(n, (Conv, Pool)):
            return change(n)
        if isinstance(n, Residual):
            return replace(n, learnable=False)
        return replace(n, out=None) if isinstance(n, Concat) else n

    return map_nodes(changed, node)


def branch_of(path: Path) -> Path | None:
    """The innermost branch in which a path lies."""
    found = [i for i, word in enumerate(path) if word.startswith("branch ")]
    return path[: found[-1] + 1] if found else None


def imports(code: str) -> str:
    """The line that imports what a description's code uses."""
    names = [
        n
        for n in ("AvgPool", "Chain", "Concat", "Conv", "Linear", "MaxPool", "Residual")
        if f"{n}(" in code
    ]
    return f"from inception_edu.describe import {', '.join(names)}"


# --- A real forward pass --------------------------------------------------------------------------


def forward_pass(node: Node, shape: Shape) -> dict:
    """Send one random image through the built block: {input, output, milliseconds, spread, zeros}.

    The map is halved until the pass costs at most `MOST_MACS` multiply-adds. `spread` is the
    standard deviation of the output, `zeros` the share of its values that are 0.
    """
    import torch
    from torch import nn

    from inception_edu.nets.build import build

    while measure(node, shape).macs > MOST_MACS:
        smaller = (shape[0], shape[1] // 2, shape[2] // 2)
        try:
            out_shape(node, smaller)
        except SpecError:
            break
        shape = smaller
    # Weights are drawn once, and uniformly: for millions of them that takes a tenth of the usual
    # initialisation.
    draw_from = torch.Generator().manual_seed(0)
    with torch.device("meta"):
        model = build(node, shape[0], init="torch")
    model = model.to_empty(device="cpu")
    x = torch.rand(1, *shape, generator=draw_from)
    with torch.inference_mode():
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                bound = (3 / module.weight[0].numel()) ** 0.5  # the standard deviation is 1/√fan-in
                module.weight.uniform_(-bound, bound, generator=draw_from)
                if module.bias is not None:
                    module.bias.zero_()
            elif isinstance(module, nn.BatchNorm2d):
                module.reset_parameters()
        seconds = []
        while (
            not seconds or len(seconds) < 3 and sum(seconds) < 0.1
        ):  # the first pass also makes preparations
            start = time.perf_counter()
            y = model(x)
            seconds.append(time.perf_counter() - start)
    return {
        "input": shape,
        "output": tuple(y.shape[1:]),
        "milliseconds": 1000 * min(seconds),
        "spread": y.std().item(),
        "zeros": (y == 0).float().mean().item(),
    }


# --- The lab --------------------------------------------------------------------------------------


class BlockDesigner(Bench):
    """`block_designer` makes one. `node` and `shape` are the block and its input, `code` its
    Python.

    `select(path)`, `change(...)`, `add_step()`, `remove_step()`, `add_branch()`, `remove_branch()`,
    `widen(factor)`, `undo()`, `redo()` and `reset()` do in code what the controls do.
    """

    name, title = "block-designer", "Block designer"

    def __init__(
        self, block: str | Node = "InceptionA", shape: Shape | None = None, clickable: bool = True
    ):
        self.blocks = dict(BLOCKS)
        if not isinstance(block, str):
            if shape is None:
                raise SpecError(
                    "A block of your own needs the shape (channels, height, width) that enters it."
                )
            self.blocks["your block"] = (block, shape)
            block = "your block"
        if block not in self.blocks:
            raise SpecError(f"There is no block {block!r}; choose one of {', '.join(self.blocks)}.")
        self._quiet = True
        self._make_controls(block, clickable)
        self._quiet = False
        self._first = block
        self.load(block)

    def _make_controls(self, block: str, clickable: bool) -> None:
        def control(kind, name, width, **options):
            made = kind(layout=widgets.Layout(width=width), **options)
            made.add_class(f"ied-control-{name}")
            return made

        style = {"style": {"description_width": "60px"}}
        self.block = control(
            widgets.Dropdown,
            "block",
            "280px",
            options=list(self.blocks),
            value=block,
            description="block",
            **style,
        )
        self.step = control(widgets.Dropdown, "step", "380px", description="step", **style)
        self.kind = control(
            widgets.Dropdown,
            "kind",
            "190px",
            description="kind",
            **style,
            options=[("convolution", "conv"), ("max pool", "max"), ("average pool", "avg")],
        )
        self.filters = control(
            widgets.BoundedIntText,
            "filters",
            "170px",
            min=1,
            max=8192,
            description="filters",
            **style,
        )
        self.kernel = control(
            widgets.Dropdown,
            "kernel",
            "150px",
            description="kernel",
            **style,
            options=[(f"{h}×{w}", (h, w)) for h, w in KERNELS],
        )
        self.stride = control(
            widgets.Dropdown, "stride", "130px", options=[1, 2, 3], description="stride", **style
        )
        self.padding = control(
            widgets.Dropdown,
            "padding",
            "170px",
            description="padding",
            **style,
            options=[("same", "same"), ("V (valid)", "valid")],
        )
        self.norm = control(
            widgets.Checkbox, "norm", "130px", description="batch norm", indent=False
        )
        self.relu = control(widgets.Checkbox, "relu", "90px", description="ReLU", indent=False)
        self.scale = control(
            widgets.FloatSlider,
            "scale",
            "300px",
            min=0,
            max=1.5,
            step=0.05,
            description="scale",
            continuous_update=False,
            **style,
        )
        self._fields = ("kind", "filters", "kernel", "stride", "padding", "norm", "relu")
        self.buttons = {}
        for label, action, tip in (
            ("Add step", self.add_step, "A 3×3 convolution after the chosen step"),
            ("Remove step", self.remove_step, "Take the chosen step out"),
            ("Add branch", self.add_branch, "A copy of the chosen step's branch, beside it"),
            ("Remove branch", self.remove_branch, "Take out the chosen step's branch"),
            ("Widen × 2", lambda: self.widen(2), "Twice the filters in the chosen step's branch"),
            ("Narrow ÷ 2", lambda: self.widen(0.5), "Half the filters in the chosen step's branch"),
            ("Undo", self.undo, "Take back the last change"),
            ("Redo", self.redo, "Make the change again that was taken back"),
            ("Reset", self.reset, "The block as it was at first"),
        ):
            button = widgets.Button(
                description=label, tooltip=tip, layout=widgets.Layout(width="auto", flex="0 0 auto")
            )
            button.add_class(f"ied-{label.split(' ')[0].lower()}-{(label.split(' ') + ['all'])[1]}")
            button.on_click(lambda _, action=action: action())
            self.buttons[label] = button
        self.sentence = widgets.HTML().add_class("ied-status")
        self.picture = picker("", ("conv", "pool"), "", self._picked, clickable).add_class(
            "ied-diagram"
        )
        self.numbers = widgets.HTML().add_class("ied-numbers")
        self.forward = widgets.HTML().add_class("ied-forward")
        self.export = widgets.HTML().add_class("ied-export")
        row = widgets.Layout(**ROW)
        side = widgets.VBox(
            [self.numbers, self.forward, self.export],
            layout=widgets.Layout(flex="1 1 320px", min_width="0"),
        )
        drawn = widgets.VBox(
            [self.picture], layout=widgets.Layout(flex="0 1 auto", min_width="0", max_width="100%")
        )
        buttons = self.buttons
        self.widget = widgets.VBox(
            [
                widgets.HBox([self.block, self.step, self.scale], layout=row),
                widgets.HBox(
                    [
                        self.kind,
                        self.filters,
                        self.kernel,
                        self.stride,
                        self.padding,
                        self.norm,
                        self.relu,
                    ],
                    layout=row,
                ),
                widgets.HBox(list(buttons.values()), layout=row),
                self.sentence,
                widgets.HBox([drawn, side], layout=row),
            ],
            layout=widgets.Layout(width="100%"),
        )
        self.widget.add_class("ied-lab").add_class(f"ied-{self.name}")
        self.block.observe(lambda change: self._quiet or self.load(change["new"]), names="value")
        self.step.observe(lambda change: self._quiet or self.select(change["new"]), names="value")
        for name in self._fields:
            getattr(self, name).observe(lambda _: self._quiet or self._edited(), names="value")
        self.scale.observe(
            lambda change: self._quiet or self._rescale(change["new"]), names="value"
        )

    # The state: a list of (node, selected path), and where in it we are.

    @property
    def node(self) -> Node:
        """The block as it is now."""
        return self._states[self._at][0]

    @property
    def selected(self) -> Path:
        """The path of the chosen step."""
        return self._states[self._at][1]

    @property
    def code(self) -> str:
        """The Python that makes the block."""
        code = repr(self.node)
        return f"{imports(code)}\n\nblock = {code}\n"

    def load(self, block: str) -> None:
        """Start from a block of the paper, by its name in `BLOCKS`."""
        self.original, self.shape = self.blocks[block]
        # Without the printed sums: the reader is free to change them; the table compares with the
        # original.
        start = mapped(self.original, lambda leaf: leaf)
        self._states, self._at = [(start, leaf_paths(start)[0])], 0
        self._was = measure(self.original, self.shape)
        self._show(f"{block} as the paper has it. Choose a step, then change it.")
        if self.block.value != block:
            quiet, self._quiet = self._quiet, True
            self.block.value = block
            self._quiet = quiet

    def select(self, path: Path) -> None:
        """Choose the step that the controls change."""
        path = tuple(path)
        if path not in leaf_paths(self.node):
            raise SpecError(f"The block has no step {'/'.join(path)!r}.")
        self._states[self._at] = (self.node, path)
        self._show_controls()
        self._show_picture()

    def _picked(self, path: str) -> None:
        if not self._quiet and tuple(path.split("/")) != self.selected:
            self.select(tuple(path.split("/")))

    def _push(self, node: Node, path: Path, sentence: str) -> None:
        self._states = [*self._states[: self._at + 1], (node, path)]
        self._at += 1
        self._show(sentence)

    def undo(self) -> None:
        """Take back the last change."""
        if self._at:
            self._at -= 1
            self._show("The last change is taken back.")

    def redo(self) -> None:
        """Make the change again that was taken back."""
        if self._at + 1 < len(self._states):
            self._at += 1
            self._show("The change is made again.")

    def reset(self) -> None:
        """The block as it was when the lab was opened."""
        self.load(self._first)

    # Changes.

    def change(self, **fields) -> None:
        """Change the chosen step: kind ("conv", "max", "avg"), filters, kernel, stride, padding,
        norm, relu."""
        old = at(self.node, self.selected)
        kind = fields.pop("kind", "conv" if isinstance(old, Conv) else old.kind)
        window = {"kernel": old.kernel, "stride": old.stride, "padding": old.padding}
        window |= {key: fields.pop(key) for key in list(fields) if key in window}
        try:
            if kind == "conv":
                default = {
                    "out": getattr(old, "out", 64),
                    "norm": getattr(old, "norm", True),
                    "relu": getattr(old, "relu", True),
                }
                if "filters" in fields:
                    fields["out"] = fields.pop("filters")
                new = Conv(**{**default, **fields}, **window)
            else:
                new = Pool(kind, **window)
        except SpecError as error:
            self._say(str(error), alert=True)
            self._show_controls()
            return
        if new != old:
            self._push(
                put(self.node, self.selected, new),
                self.selected,
                f"{self._where()}: {' '.join(leaf_words(old))} became {' '.join(leaf_words(new))}.",
            )

    def _edited(self) -> None:
        self.change(**{name: getattr(self, name).value for name in self._fields})

    def _rescale(self, scale: float) -> None:
        if isinstance(self.node, Residual) and scale != self.node.scale:
            self._push(
                replace(self.node, scale=scale),
                self.selected,
                f"The residual branch is now times {scale:g}.",
            )

    def add_step(self) -> None:
        """A 3×3 convolution after the chosen step, with as many filters."""
        node, path = self.node, self.selected
        old = at(node, path)
        new = Conv(old.out if isinstance(old, Conv) else 64, 3)
        if path and path[-1].startswith("step "):
            changed = put(node, path, old, new)
            follow = (*path[:-1], f"step {int(path[-1].split()[1]) + 1}")
        else:  # a branch of one step becomes a chain of two
            changed, follow = put(node, path, Chain(old, new)), (*path, "step 2")
        self._push(changed, follow, f"A 3×3 convolution follows {self._where()}.")

    def remove_step(self) -> None:
        """Take the chosen step out; a branch without steps hands its input on."""
        path = self.selected
        if len(leaf_paths(self.node)) == 1:
            self._say("The last step of a block has to stay.", alert=True)
            return
        in_chain = path[-1].startswith("step ")
        changed = put(self.node, path, *(() if in_chain else (Chain(),)))
        self._push(changed, self._nearest(changed, path), f"{self._where()} is taken out.")

    def add_branch(self) -> None:
        """A copy of the chosen step's branch, to its right."""
        branch = self._branch()
        if branch is not None:
            copy = at(self.node, branch)
            changed = put(self.node, branch, copy, copy)
            number = int(branch[-1].split()[1]) + 1
            new = (*branch[:-1], f"branch {number}")
            self._push(
                changed,
                next(p for p in leaf_paths(changed) if p[: len(new)] == new)
                if leaf_paths(copy)
                else self.selected,
                f"Branch {number} is a copy of branch {number - 1}: change one of them.",
            )

    def remove_branch(self) -> None:
        """Take out the chosen step's branch."""
        branch = self._branch()
        if branch is None:
            return
        if len(at(self.node, branch[:-1]).branches) == 1:
            self._say("The last branch of a concatenation has to stay.", alert=True)
            return
        changed = put(self.node, branch)
        self._push(
            changed,
            self._nearest(changed, self.selected),
            f"{branch[-1].capitalize()} is taken out.",
        )

    def widen(self, factor: float) -> None:
        """Multiply the filters of every convolution in the chosen step's branch."""
        branch = self._branch()
        if branch is None:
            return

        def wider(leaf):
            return (
                replace(leaf, out=max(1, round(leaf.out * factor)))
                if isinstance(leaf, Conv)
                else leaf
            )

        changed = put(self.node, branch, mapped(at(self.node, branch), wider))
        if changed != self.node:
            self._push(
                changed,
                self.selected,
                f"{branch[-1].capitalize()} has {factor:g} times the filters.",
            )

    def _branch(self) -> Path | None:
        branch = branch_of(self.selected)
        if branch is None:
            self._say(
                f"{self._where()} lies in no branch: choose a step between the input and a concatenation.",
                alert=True,
            )
        return branch

    @staticmethod
    def _nearest(node: Node, path: Path) -> Path:
        """The step that remains closest to where one was."""

        def likeness(other: Path) -> int:
            return next(
                (i for i, (a, b) in enumerate(zip(path, other)) if a != b),
                min(len(path), len(other)),
            )

        return max(leaf_paths(node), key=likeness)

    def _where(self, path: Path | None = None) -> str:
        path = self.selected if path is None else path
        words = [w for w in path if w.startswith(("branch", "shortcut"))] + path_steps(path)
        return (", ".join(words) or "the step").capitalize()

    # Showing.

    def _say(self, sentence: str, alert: bool = False) -> None:
        self.sentence.value = status(sentence, alert)

    def _show(self, sentence: str) -> None:
        try:
            out_shape(self.node, self.shape)
            now, error = measure(self.node, self.shape), ""
        except SpecError as wrong:
            now, error = None, str(wrong)
        self._say(f"{sentence} {error}".strip(), alert=bool(error))
        self._show_controls()
        self._show_picture()
        self.numbers.value = card("<b>Compared with the original</b>", self._table(now))
        code = escape(self.code)
        self.export.value = card(
            '<details class="ied-code"><summary>The block as code</summary><pre style="overflow:'
            f'auto;font-size:12px;background:#f6f7f9;color:#222;padding:6px">{code}</pre></details>'
        )
        self.forward.value = card(self._forward_words(now))

    def _show_controls(self) -> None:
        self._quiet = True
        node, path = self.node, self.selected
        leaf = at(node, path)
        # Options first: a value must be among them.
        self.step.options = [
            (f"{self._where(p)}: {' '.join(leaf_words(at(node, p)))}", p) for p in leaf_paths(node)
        ]
        self.step.value = path
        conv = isinstance(leaf, Conv)
        self.kind.value = "conv" if conv else leaf.kind
        kernels = KERNELS if leaf.kernel in KERNELS else (*KERNELS, leaf.kernel)
        self.kernel.options = [(f"{h}×{w}", (h, w)) for h, w in kernels]
        self.kernel.value = leaf.kernel
        self.stride.options = sorted({1, 2, 3, leaf.stride})
        self.stride.value, self.padding.value = leaf.stride, leaf.padding
        for name in ("filters", "norm", "relu"):
            getattr(self, name).disabled = not conv
        shown = leaf if conv else Conv(64, 1)  # what a pool would become as a convolution
        self.filters.value, self.norm.value, self.relu.value = shown.out, shown.norm, shown.relu
        residual = isinstance(node, Residual)
        self.scale.layout.display = "" if residual else "none"
        if residual:
            self.scale.value = node.scale
        self.buttons["Undo"].disabled = self._at == 0
        self.buttons["Redo"].disabled = self._at + 1 == len(self._states)
        self._quiet = False

    def drawing(self) -> Drawing:
        """The block as it is now, mismatches in red."""
        name = getattr(self.node, "name", "") or "Your block"
        changed = "" if self._at == 0 else " (changed)"
        figure = getattr(self.node, "figure", "")
        title = ": ".join(filter(None, [figure, name])) + changed
        return draw(self.node, self.shape, title=title, wrong=True)

    def _show_picture(self) -> None:
        self._quiet = True
        self.picture.svg = str(self.drawing())
        self.picture.selected = "/".join(self.selected)
        self._quiet = False

    def _table(self, now: Measurement | None) -> str:
        was = self._was

        def row(name, before, after):
            if now is None:
                return (name, f"{before:,}", "—", "")
            share = f" ({after / before - 1:+.1%})" if before else ""
            return (
                name,
                f"{before:,}",
                f"{after:,}",
                "the same" if after == before else f"{after - before:+,}{share}",
            )

        def shape(before, after):
            return "" if now is None else "the same" if before == after else "another"

        def field(measured):
            return "×".join(map(str, measured.receptive_field))

        convs = [
            sum(isinstance(at(n, p), Conv) for p in leaf_paths(n))
            for n in (self.original, self.node)
        ]
        rows = [
            (
                "output",
                size_words(was.output),
                size_words(now.output) if now else "—",
                shape(was.output, now and now.output),
            ),
            row("parameters", was.params, now and now.params),
            row("multiply-adds", was.macs, now and now.macs),
            (
                "an output value sees",
                field(was),
                field(now) if now else "—",
                shape(was.receptive_field, now and now.receptive_field),
            ),
            (
                "convolutions",
                str(convs[0]),
                str(convs[1]),
                "the same" if convs[0] == convs[1] else f"{convs[1] - convs[0]:+}",
            ),
        ]
        return table(rows, ("", "original", "now", "difference"), "ied-comparison")

    def _forward_words(self, now: Measurement | None) -> str:
        if now is None:
            return "<b>Forward pass:</b> not possible while the numbers do not fit."
        done = forward_pass(self.node, self.shape)
        smaller = (
            ""
            if done["input"] == self.shape
            else f" (a smaller map: the whole one costs {amount(now.macs)} multiply-adds)"
        )
        return (
            f"<b>Forward pass:</b> 1×{'×'.join(map(str, done['input']))}{smaller} went in, "
            f"1×{'×'.join(map(str, done['output']))} came out after {done['milliseconds']:.0f} ms (N×C×H×W). "
            f"Standard deviation of the output: {done['spread']:.3f}; {done['zeros']:.0%} of it is 0. "
            "The weights are random."
        )

    def pictures(self) -> list[Drawing]:
        return [self.drawing()]

    def words(self) -> str:
        changes = f"{self._at} changes" if self._at else "as the paper has it"
        return f"{self.block.value}, input {size_words(self.shape)}, {changes}."


def path_steps(path: Path) -> list[str]:
    """The words of the step that a path ends with, if it does."""
    return [path[-1]] if path and path[-1].startswith("step") else []


def block_designer(
    block: str | Node = "InceptionA", shape: Shape | None = None, clickable: bool = True
) -> BlockDesigner:
    """Display the block designer and return it.

    `block` is a name in `BLOCKS`, or any node, with the `shape` (C, H, W) that enters it.
    `clickable=False` shows a still diagram, so that steps are chosen in the dropdown alone. Raises
    `SpecError` for a block that there is not.
    """
    lab = BlockDesigner(block, shape, clickable)
    lab.show()
    return lab
