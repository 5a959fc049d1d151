"""A description as Python that can be copied, and read back without running it. No torch.

    print(code(InceptionA()))
    node = parse("Concat(Conv(64, 1), Chain(Conv(48, 1), Conv(64, 5)))")
    net = parse_network(network_code(inception_v4()))

A text is read as a syntax tree; a few names and plain values are known, and nothing of it is ever
executed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from inception_edu.describe.blocks import Block, Classifier, Head, Network
from inception_edu.describe.googlenet_blocks import LocalNorm
from inception_edu.describe.spec import (
    AvgPool,
    Chain,
    Concat,
    Conv,
    Linear,
    MaxPool,
    Node,
    Pool,
    Residual,
    SpecError,
)

ALPHABET: dict[str, Callable[..., Node]] = {
    "AvgPool": AvgPool,
    "Chain": Chain,
    "Concat": Concat,
    "Conv": Conv,
    "Linear": Linear,
    "LocalNorm": LocalNorm,
    "MaxPool": MaxPool,
    "Pool": Pool,
    "Residual": Residual,
}
# What a network is made of beside its blocks' nodes.
NETWORK: dict[str, Callable[..., Any]] = {
    "Network": Network,
    "Block": Block,
    "Classifier": Classifier,
    "Head": Head,
}
NODES = (Conv, Pool, Chain, Concat, Residual)
LONGEST = 20_000  # characters of a text that is read


def code(node: Node, name: str = "block") -> str:
    """The Python that makes a description, with its import."""
    text = repr(node)
    used = [word for word in ALPHABET if re.search(rf"\b{word}\(", text)]
    return f"from inception_edu.describe import {', '.join(used)}\n\n{name} = {text}\n"


def parse(text: str) -> Node:
    """The description that a text writes, such as `code` gives or a chapter has.

    Imports and the name before the "=" are passed over. Raises `SpecError` with a sentence for
    anything that is not a description.
    """
    _short_enough(text)
    # A one-line box turns line ends into spaces: what follows the last "name =" is the block.
    body = re.sub(r"^\s*from\s+[\w.]+\s+import\s+[\w, ]+?(?=\s+\w+\s*=|\s*\n|\s*$)", "", text)
    body = re.sub(r"^\s*\w+\s*=\s*", "", body.strip())
    if not body:
        raise SpecError("There is nothing to read: paste a block, for example Conv(64, 3).")
    try:
        tree = ast.parse(body.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = f" near line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise SpecError(
            f"This cannot be read as Python{where}. Paste one block, for example "
            "Concat(Conv(64, 1), Conv(96, 3))."
        ) from None
    node = _value(tree.body)
    if not isinstance(node, NODES):
        raise SpecError(f"A block is made of {', '.join(ALPHABET)}; got {node!r}.")
    return node


def network_code(net: Network) -> str:
    """A network as a text that `parse_network` reads."""
    given = {f.name: getattr(net, f.name) for f in fields(net)}
    return f"Network({', '.join(f'{name}={value!r}' for name, value in given.items())})"


def parse_network(text: str) -> Network:
    """The network that `network_code` has written. Raises `SpecError` with a sentence for any other
    text."""
    from inception_edu.describe.measure import trace

    _short_enough(text)
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise SpecError("This text of a network cannot be read: is it whole?") from None
    net = _value(tree.body, ALPHABET | NETWORK)
    try:
        fits = all(isinstance(block.node, NODES) for block in (*net.blocks, *net.heads))
        trace(net)  # an image that the network cannot take is no fault of the text
    except (AttributeError, TypeError, ValueError):
        fits = False
    if not fits:
        raise SpecError(f"“{_shortened(text)}” is not a network: its parts do not fit together.")
    return net


def _short_enough(text: str) -> None:
    if len(text) > LONGEST:
        raise SpecError(f"The text has {len(text):,} characters; up to {LONGEST:,} are read.")


def _value(tree: ast.AST, known: dict[str, Callable[..., Any]] = ALPHABET) -> Any:
    if isinstance(tree, ast.Constant) and isinstance(
        tree.value, (bool, int, float, str, type(None))
    ):
        return tree.value
    if isinstance(tree, (ast.Tuple, ast.List)):
        return tuple(_value(part, known) for part in tree.elts)
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        number = _value(tree.operand, known)
        if isinstance(number, (int, float)):
            return -number
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name):
        return _call(tree.func.id, tree, known)
    raise SpecError(
        f"“{_shortened(ast.unparse(tree))}” is not part of a block: only numbers, words in "
        f"quotes, (height, width) and {', '.join(known)} are read."
    )


def _call(name: str, tree: ast.Call, known: dict[str, Callable[..., Any]]) -> Any:
    if name not in known:
        raise SpecError(f"There is no {name!r}; a block is made of {', '.join(known)}.")
    values = [_value(part, known) for part in tree.args]
    named = {}
    for keyword in tree.keywords:
        if keyword.arg is None:
            raise SpecError("A block is written out: ** is not read.")
        named[keyword.arg] = _value(keyword.value, known)
    if name in ("Chain", "Concat", "Residual"):
        parts = [*values, *filter(None, (named.get("body"), named.get("shortcut")))]
        for part in parts[:1] if name == "Residual" else parts:
            if not isinstance(part, NODES):
                raise SpecError(f"{name} is made of blocks; got {part!r}.")
    try:
        return known[name](*values, **named)
    except TypeError:
        written = _shortened(ast.unparse(tree))
        raise SpecError(f"{written} does not fit: see help({name}) for what it takes.") from None


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
