"""What a description cannot be: the errors, their sentences, and the checks of a node's fields. No
torch."""

from __future__ import annotations

from collections.abc import Iterable

from inception_edu._lazy import TYPE_CHECKING
from inception_edu._numbers import is_number

if TYPE_CHECKING:
    from typing import Any


class SpecError(ValueError):
    """A description that cannot be right. The message is a sentence for the reader.

    `short` says the same in a few characters, for a picture: "1154 ≠ 1152".
    """

    def __init__(self, message: str, short: str = ""):
        super().__init__(message)
        self.short = short


class ChannelError(SpecError):
    """Two channel counts that must be equal are not."""


class SizeError(SpecError):
    """Two map sizes that must be equal are not. `odd` are the branches (0, 1, …) of another size
    than most."""

    def __init__(self, message: str, short: str = "", odd: tuple[int, ...] = ()):
        super().__init__(message, short)
        self.odd = odd


class VanishedError(SizeError):
    """A map has become smaller than the kernel on it."""


def strange(
    value: object,
    wanted: str = "A description",
    such: str = "is made of Conv, Pool, Chain, Concat and Residual",
) -> str:
    """The sentence for what is no description."""
    name = getattr(value, "__name__", "")
    if isinstance(value, type):
        return f"{wanted} {such}, got the type {name}: make one, {name}(…)."
    if name and callable(value):
        return f"{wanted} is asked for, got the function {name}: call it, {name}()."
    text = repr(value)
    said = text if len(text) < 60 and "\n" not in text else f"a {type(value).__name__}"
    return f"{wanted} {such}, got {said}."


def check_fields(
    node: object, what: str, flags: Iterable[str], numbers: Iterable[str] = ()
) -> None:
    for name in flags:
        if not isinstance(value := getattr(node, name), bool):
            raise SpecError(f"{what}: {name} is True or False, got {value!r}.")
    for name in numbers:
        if not is_number(value := getattr(node, name)):
            raise SpecError(f"{what}: {name} is a finite number, got {value!r}.")


def _pair(kernel: Any, what: str) -> tuple[int, int]:
    pair = tuple(kernel) if isinstance(kernel, Iterable) else (kernel, kernel)
    if len(pair) != 2 or not all(isinstance(k, int) and k >= 1 for k in pair):
        wanted = "one whole number or (height, width)"
        raise SpecError(f"{what}: the kernel must be {wanted}, got {kernel!r}.")
    return pair


def check_window(node: Any, what: str) -> None:
    """Kernel, stride and padding of a convolution or a pool; the kernel becomes (height, width)."""
    object.__setattr__(node, "kernel", _pair(node.kernel, what))
    if not (isinstance(node.stride, int) and node.stride >= 1):
        wanted = "a whole number of at least 1"
        raise SpecError(f"{what}: the stride must be {wanted}, got {node.stride!r}.")
    known = ("same", "valid", "ceil") if hasattr(node, "kind") else ("same", "valid")
    if node.padding not in known:
        wanted = "'same' or 'valid' (V in the figures)"
        raise SpecError(f"{what}: padding is {wanted}, got {node.padding!r}.")
    if node.padding == "same" and not all(k % 2 for k in node.kernel):
        height, width = node.kernel
        raise SpecError(f"{what}: 'same' padding needs odd kernels, got {height}×{width}.")
