"""What is chosen in the convolution lab, and the arithmetic of it."""

from __future__ import annotations

from dataclasses import dataclass

from inception_edu.describe.padding import outputs, readers
from inception_edu.labs.core import Refused

LONGEST = 35  # pixels a side
SQUARES = tuple((k, k) for k in range(1, 8))
KERNELS = (*SQUARES, (1, 3), (3, 1), (1, 7), (7, 1))
CHOICES = {
    "size": tuple(range(1, LONGEST + 1)),
    "kernel": KERNELS,
    "stride": (1, 2, 3, 4),
    "padding": ("valid", "same", 1, 2, 3),
    "beside": ("nothing", "1×1, stride 1", "3×3, stride 1, padding 1", "3×3 pool, stride 2, V"),
    "channels": (1, 3),
    "picture": ("disc", "stripes", "point"),
    "weights": ("across", "down", "ones", "centre"),
    "mix": ("sum", "red", "opposed"),
}
# What stands beside the window in a block: kernel, stride, zeros on each side.
PARTNERS: dict[str, tuple[int, int, int] | None] = {
    "nothing": None,
    "1×1, stride 1": (1, 1, 0),
    "3×3, stride 1, padding 1": (3, 1, 1),
    "3×3 pool, stride 2, V": (3, 2, 0),
}


@dataclass(frozen=True)
class State:
    """What is chosen. `padding` is "valid", "same", or a number of zeros on each side; `own` holds
    weights that the reader changed, channels × height × width, or None."""

    size: int = 12
    kernel: tuple[int, int] = (3, 3)
    stride: int = 1
    padding: str | int = "valid"
    beside: str = "nothing"
    channels: int = 1
    picture: str = "disc"
    weights: str = "across"
    mix: str = "sum"
    own: tuple | None = None

    def __post_init__(self):
        for key, allowed in CHOICES.items():
            value = getattr(self, key)
            if value not in allowed or isinstance(value, bool):
                there = ", ".join(map(str, allowed))
                raise Refused(f"{key} is one of {there}; got {value!r}.")

    @property
    def zeros(self) -> tuple[int, int]:
        """Zeros on each side: (above and below, left and right)."""
        if isinstance(self.padding, int):
            return self.padding, self.padding
        if self.padding == "valid":
            return 0, 0
        tall, wide = self.kernel
        return (tall - 1) // 2, (wide - 1) // 2

    @property
    def output(self) -> tuple[int, int]:
        """(rows, columns) of the map that comes out; 0 where the window does not fit."""
        sides = zip(self.kernel, self.zeros)
        rows, columns = (outputs(self.size, k, self.stride, p) for k, p in sides)
        return rows, columns

    @property
    def joins(self) -> bool | None:
        """Whether the output can be concatenated with the branch beside it; None without one."""
        partner = PARTNERS[self.beside]
        if partner is None:
            return None
        return self.output == (outputs(self.size, *partner),) * 2

    @property
    def nobody(self) -> int:
        """Pixels that no window reads."""
        read = 1
        for k, p in zip(self.kernel, self.zeros):
            read *= sum(r > 0 for r in readers(self.size, k, self.stride, p))
        return self.size**2 - read
