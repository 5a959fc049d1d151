"""The link from a block to the function that describes it. No torch."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable
from dataclasses import replace

from inception_edu._lazy import TYPE_CHECKING
from inception_edu.describe.spec import Chain, Concat, Node, Residual

if TYPE_CHECKING:
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    N = TypeVar("N", Chain, Concat, Residual)


def linked(function: Callable[P, N]) -> Callable[P, N]:
    """Let the block that a function returns remember the function: `source` is "module:name"."""

    @functools.wraps(function)
    def described(*args: P.args, **kwargs: P.kwargs) -> N:
        source = f"{function.__module__}:{function.__name__}"
        return replace(function(*args, **kwargs), source=source)

    return described


def source_of(node: Node) -> str:
    """The code of the function that describes a block; empty where no function of a figure does."""
    module, _, name = getattr(node, "source", "").partition(":")
    if not name:
        return ""
    function = inspect.unwrap(getattr(importlib.import_module(module), name))
    lines = inspect.getsource(function).splitlines(keepends=True)
    return "".join(line for line in lines if line.strip() != "@linked")
