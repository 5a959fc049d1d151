"""A description as Python that can be copied, and read back without running it. No torch.

    print(code(InceptionA()))
    node = parse("Concat(Conv(64, 1), Chain(Conv(48, 1), Conv(64, 5)))")

`parse` reads the text as a syntax tree and knows eight names and plain values; nothing of it is
ever executed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

from inception_edu.describe.googlenet import LocalNorm
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
    if len(text) > LONGEST:
        raise SpecError(f"The text has {len(text):,} characters; up to {LONGEST:,} are read.")
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
    if not isinstance(node, (Conv, Pool, Chain, Concat, Residual)):
        raise SpecError(f"A block is made of {', '.join(ALPHABET)}; got {node!r}.")
    return node


def _value(tree: ast.AST) -> Any:
    if isinstance(tree, ast.Constant) and isinstance(
        tree.value, (bool, int, float, str, type(None))
    ):
        return tree.value
    if isinstance(tree, (ast.Tuple, ast.List)):
        return tuple(_value(part) for part in tree.elts)
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        number = _value(tree.operand)
        if isinstance(number, (int, float)):
            return -number
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name):
        return _call(tree.func.id, tree)
    raise SpecError(
        f"“{_shortened(ast.unparse(tree))}” is not part of a block: only numbers, words in "
        f"quotes, (height, width) and {', '.join(ALPHABET)} are read."
    )


def _call(name: str, tree: ast.Call) -> Node:
    if name not in ALPHABET:
        raise SpecError(f"There is no {name!r}; a block is made of {', '.join(ALPHABET)}.")
    values = [_value(part) for part in tree.args]
    named = {}
    for keyword in tree.keywords:
        if keyword.arg is None:
            raise SpecError("A block is written out: ** is not read.")
        named[keyword.arg] = _value(keyword.value)
    if name in ("Chain", "Concat", "Residual"):
        parts = [*values, *filter(None, (named.get("body"), named.get("shortcut")))]
        for part in parts[:1] if name == "Residual" else parts:
            if not isinstance(part, (Conv, Pool, Chain, Concat, Residual)):
                raise SpecError(f"{name} is made of blocks; got {part!r}.")
    try:
        return ALPHABET[name](*values, **named)
    except TypeError:
        written = _shortened(ast.unparse(tree))
        raise SpecError(f"{written} does not fit: see help({name}) for what it takes.") from None


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
