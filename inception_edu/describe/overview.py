"""The drawing of a whole network, as Figs. 9 and 15: one box a block. No torch."""

from __future__ import annotations

from dataclasses import dataclass, replace

from inception_edu.describe.blocks import Block, Network
from inception_edu.describe.canvas import (
    FAINT,
    INK,
    PLATE,
    SIZE,
    SMALL,
    WRONG,
    Box,
    Canvas,
    Line,
    Text,
    box_size,
    text_width,
)
from inception_edu.describe.measure import input_shape, measure, trace
from inception_edu.describe.parts import at, last_conv
from inception_edu.describe.printed import FIGURES, Row
from inception_edu.describe.spec import Conv, Pool, Residual, Shape, SpecError
from inception_edu.describe.words import (
    amount,
    classifier_words,
    ending_words,
    leaf_words,
    scaled,
    size_words,
)


@dataclass
class _Stage:
    """One box of an overview, its output, and further cells beside it."""

    name: str
    words: str
    output: str = ""
    small: str = ""
    kind: str = "tail"
    repeat: int = 1
    cells: tuple[str, ...] = ()
    wrong: bool = False


def printed_canvas(rows: tuple[Row, ...]) -> Canvas:
    """Figs. 9 and 15 as printed."""
    stages = [_Stage("input", "Input", "299×299×3", kind="input")]
    for row in rows:
        kind = "reduction" if row.block.startswith("reduction") else "block"
        stages.append(
            _Stage(
                row.block,
                getattr(FIGURES[row.figure].node, "name", ""),
                size_words(row.output),
                f"Fig. {row.figure}",
                kind,
                row.repeat,
            )
        )
    features = str(rows[-1].output[0])
    stages += [
        _Stage("pool", "Average pooling", features),
        _Stage("dropout", "Dropout (keep 0.8)", features),
        _Stage("classifier", "Softmax", "1000"),
    ]
    return _overview(stages, (), "Overview", ())


def network_canvas(
    network: Network, shape: Shape | int | None, params: bool, wrong: bool
) -> Canvas:
    shape = input_shape(network, shape)
    if not wrong:
        measure(network, shape)  # raises where the network cannot take the image
    traced = trace(network, shape)
    stages = [_Stage("input", "Input", size_words(shape), kind="input")]
    for block in network.blocks:
        stage = _Stage(
            block.name, _block_words(block), "", _small_words(block), "block", block.repeat
        )
        if "reduction" in stage.words.lower():
            stage.kind = "reduction"
        rows = traced.of(block.name)
        stage.wrong = block is traced.broken
        if rows and not stage.wrong:
            stage.output = size_words(rows[-1].output)
            sees = "×".join(map(str, rows[-1].receptive_field))
            stage.cells = (
                amount(sum(r.params for r in rows)),
                amount(sum(r.macs for r in rows)),
                sees,
            )
        stages.append(stage)
    features, fits = traced.end[0], not traced.error
    classifier = amount((features + 1) * network.classes)
    tail = [_Stage("pool", "Average pooling", str(features))]
    if network.dropout:
        keep = f"Dropout (keep {1 - network.dropout:g})"
        tail.append(_Stage("dropout", keep, str(features)))
    changes = classifier_words(network.classifier)
    cells = (classifier, classifier, "")
    tail.append(_Stage("classifier", "Softmax", str(network.classes), changes, cells=cells))
    stages += tail if fits else [replace(stage, output="", cells=()) for stage in tail]
    heads = ("parameters", "multiply-adds", "sees (pixels)") if params else ()
    return _overview(stages, heads, network.name, (traced.error,) if traced.error else ())


def _block_words(block: Block) -> str:
    """The name of a block in an overview: the paper's, or its words if it is a single
    convolution."""
    node = block.node
    if isinstance(node, (Conv, Pool)):
        return " ".join(leaf_words(node))
    return node.name or block.name


def _small_words(block: Block) -> str:
    """The figure, or the block's own name where neither the words nor a figure of the paper tell it
    apart."""
    node, words = block.node, [getattr(block.node, "figure", "")]
    if not words[0].startswith("Fig.") and block.name != _block_words(block).lower().replace(
        "-", "_"
    ):
        words = [block.name]
    if scaled(node):
        words.append(f"scale {node.scale:g}" + (", learnt" if node.learnable else ""))
    if isinstance(node, Residual):
        words += [f"identity × {node.identity_scale:g}"] if node.identity_scale != 1 else []
        words += ["batch norm after the sum"] if node.norm else []
        words += [] if node.relu else ["no ReLU"]
        words += _last_layer_words(node)
    return " · ".join(filter(None, words))


def _last_layer_words(block: Residual) -> list[str]:
    """How the convolution that ends a residual body differs from the figures' "1×1 Linear"."""
    try:
        conv = at(block, last_conv(block))
    except SpecError:
        return []
    usual = ("Linear", "no ReLU", "no BN")
    assert isinstance(conv, Conv)
    words = [word for word in ending_words(conv) if word not in usual]
    return [f"last layer {', '.join(words)}"] if words else []


def _overview(
    stages: list[_Stage], heads: tuple[str, ...], title: str, errors: tuple[str, ...]
) -> Canvas:
    """Boxes one above the other, what leaves each at its right, and columns of further numbers."""
    lines = []
    for stage in stages:
        times = f"{stage.repeat} × " if stage.repeat > 1 else ""
        lines.append(
            (
                (times + stage.words, SIZE + 1, True),
                *(((stage.small, SMALL, False),) if stage.small else ()),
            )
        )
    left = 2 * PLATE if any(s.repeat > 1 for s in stages) else 0
    width = max(
        170.0, *(box_size(line)[0] + 24 for line in lines)
    )  # 24: a reduction's slanting sides
    outputs = ["breaks here" if s.wrong else s.output for s in stages]
    column = left + width + 14
    rights = [column + max(text_width(words, SIZE, True) for words in outputs)]
    for i, head in enumerate(heads):
        cells = [s.cells[i] for s in stages if s.cells]
        rights.append(
            rights[-1] + 16 + max(text_width(head, SMALL), *(text_width(c, SIZE) for c in cells), 0)
        )
    items: list = []
    y = last = 0.0
    said = []
    for i, (stage, line, output) in enumerate(zip(stages, lines, outputs)):
        height = box_size(line)[1] + 2
        lift = PLATE * (min(stage.repeat, 3) - 1)
        y += lift
        path = (stage.name,)
        if i:
            items.append(Line([(left + width / 2, last), (left + width / 2, y - lift)], path))
        last = y + height
        leaves = f", output {output}" if output else ""
        tip = errors[0] if stage.wrong else stage.words + leaves
        items.append(
            Box(
                left, y, width, height, line, stage.kind, path, None, stage.wrong, tip, stage.repeat
            )
        )
        middle = y + height / 2
        if output:
            colour = WRONG if stage.wrong else INK
            items.append(Text(rights[0], middle, output, path, "end", colour, stage.wrong, SIZE))
        items += [
            Text(x, middle, cell, path, "end", FAINT, False, SIZE)
            for x, cell in zip(rights[1:], stage.cells)
        ]
        times = f"{stage.repeat} times " if stage.repeat > 1 else ""
        small = f" ({stage.small})" if stage.small else ""
        gives = f": {output}" if output else ""
        said.append(f"{times}{stage.words}{small}{gives}")
        y = last + 20
    if heads:
        items += [
            Text(x, last + 14, head, (), "end") for x, head in zip(rights, ("output", *heads))
        ]
        last += 22
    words = f"From input to output: {'; '.join(said)}." + "".join(
        f" Wrong: {error}" for error in errors
    )
    return Canvas(rights[-1], last, items, title, words, errors)
