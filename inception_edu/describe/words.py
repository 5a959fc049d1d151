"""The words for nodes, shapes and amounts in drawings and sentences. No torch."""

from __future__ import annotations

from inception_edu._lazy import TYPE_CHECKING
from inception_edu.describe.blocks import Classifier
from inception_edu.describe.spec import Chain, Concat, Conv, Node, Pool, Residual, Shape

if TYPE_CHECKING:
    from typing import TypeGuard


def size_words(shape: Shape) -> str:
    """(C, H, W) as the paper prints it: H×W×C."""
    return f"{shape[1]}×{shape[2]}×{shape[0]}"


def amount(number: float) -> str:
    """A number in three figures: 41,293 → "41.3 k", 12,345,678 → "12.3 M"."""
    for unit, word in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if number >= unit * 0.9995:
            return (
                f"{number / unit:.3g}{word}"
                if number < 999.5 * unit
                else f"{number / unit:.0f}{word}"
            )
    return f"{number:.0f}"


def leaf_words(node: Conv | Pool, filters: str = "") -> tuple[str, ...]:
    """The words in the box of a convolution or pool, as in the paper: ("3×3 Conv", "(96, stride 2,
    V)")."""
    kernel = f"{node.kernel[0]}×{node.kernel[1]}"
    window = [f"stride {node.stride}"] if node.stride != 1 else []
    window += ["V"] if node.padding == "valid" else []
    window += ["rounded up"] if node.padding == "ceil" else []
    if isinstance(node, Pool) and node.kind == "local":
        return ("Local response", "normalisation")
    if isinstance(node, Pool):
        window += ["zeros count"] if node.count_padding else []
        head = f"{kernel} {'MaxPool' if node.kind == 'max' else 'AvgPool'}"
    else:
        window = [filters or str(node.out), *ending_words(node), *window]
        head = f"{kernel} Conv"
    return (head, f"({', '.join(window)})") if window else (head,)


def ending_words(node: Conv) -> list[str]:
    """What a convolution has or lacks beside the paper's batch norm and ReLU."""
    words = [word for word, there in (("no BN", node.norm), ("no ReLU", node.relu)) if not there]
    words = ["Linear"] if len(words) == 2 else words
    if node.groups != 1:
        words.append(f"{node.groups} groups")
    if node.bias is not None and node.bias == node.norm:
        words.append("bias" if node.bias else "no bias")
    if node.centred:
        words.append("centred")
    if node.gain != 1:
        words.append("starts at 0" if node.gain == 0 else f"starts × {node.gain:g}")
    return words


def classifier_words(classifier: Classifier) -> str:
    """How a classifier differs from the ordinary one; empty where it does not."""
    words = []
    if classifier.gain != 1:
        zero = classifier.gain == 0
        words.append("starts at 0" if zero else f"starts × {classifier.gain:g}")
    if classifier.rate != 1:
        words.append(f"learns at {classifier.rate:g} of the rate")
    if classifier.centre:
        words.append("its input minus the batch mean")
    return ", ".join(words)


def describe(node: Node) -> str:
    """A description as part of a sentence, for readers who hear the picture."""
    if isinstance(node, (Conv, Pool)):
        return " ".join(leaf_words(node))
    if isinstance(node, Chain):
        return ", then ".join(describe(part) for part in node.parts) or "the input unchanged"
    if isinstance(node, Concat):
        words = "; ".join(f"branch {i}: {describe(b)}" for i, b in enumerate(node.branches, 1))
        return f"{len(node.branches)} branches joined along the channels ({words})"
    scale = f" {scale_words(node)}" if scaled(node) else ""
    shortcut = (
        "the identity" if node.shortcut is None else f"a shortcut ({describe(node.shortcut)})"
    )
    if node.identity_scale != 1:
        shortcut += f" × {node.identity_scale:g}"
    norm = ", then batch norm" if node.norm else ""
    relu = ", then ReLU" if node.relu else ""
    return f"{shortcut} plus{scale} ({describe(node.body)}){norm}{relu}"


def scaled(node: Node) -> TypeGuard[Residual]:
    """Whether a residual block has a scale to speak of."""
    return isinstance(node, Residual) and (node.scale != 1 or node.learnable)


def scale_words(node: Residual) -> str:
    """`× 0.1`, with a word where it is learnt."""
    return f"× {node.scale:g}" + (", learnt" if node.learnable else "")
