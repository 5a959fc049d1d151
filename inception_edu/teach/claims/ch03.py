"""Claims of chapter 03, from the descriptions of Figs. 4, 5 and 6."""

from __future__ import annotations

from inception_edu.describe import (
    InceptionA,
    InceptionB,
    InceptionC,
    differences,
    measure,
)
from inception_edu.teach.claims import registered

BLOCKS = {
    "A": (InceptionA(), (384, 35, 35)),
    "B": (InceptionB(), (1024, 17, 17)),
    "C": (InceptionC(), (1536, 8, 8)),
}


@registered("03.same-shape")
def same_shape() -> tuple[bool, tuple[str, str]]:
    told, holds = [], True
    for name, (block, shape) in BLOCKS.items():
        size = measure(block, shape)
        holds = holds and size.output == shape
        height, width = shape[1:]
        told.append(f"{name} with {shape[0]} channels of {height}×{width}")
    return holds, (
        f"Each Inception block returns the shape that it receives: {', '.join(told)}. "
        "So a block can be repeated.",
        f"Each of {len(BLOCKS)} blocks returns the shape that it receives.",
    )


@registered("03.orientation")
def orientation() -> tuple[bool, str]:
    """Fig. 5 as printed and as released: turned kernels, equal counts, another field."""
    shape = BLOCKS["B"][1]
    printed, released = InceptionB("paper"), InceptionB("released")
    one, other = measure(printed, shape), measure(released, shape)
    turned = differences(printed, released)
    sees = [
        "×".join(map(str, measure(block.branches[2], shape).receptive_field))
        for block in (printed, released)
    ]
    equal = (one.params, one.macs, one.output) == (other.params, other.macs, other.output)
    return equal and bool(turned) and sees[0] != sees[1], (
        f"The released code turns {len(turned)} kernels of Fig. 5. No shape and no cost changes. "
        f"But branch 3 sees {sees[1]} in place of {sees[0]}."
    )
