"""Claims of chapter 02, from the descriptions of Figs. 3 and 14."""

from __future__ import annotations

from dataclasses import replace

from inception_edu.describe import (
    Chain,
    Concat,
    Conv,
    MaxPool,
    SpecError,
    StemV1,
    StemV4,
    inception_v4,
    measure,
    out_shape,
    slide,
    smallest_image,
)
from inception_edu.teach.claims import registered

# Fig. 3 from below, one window a step: kernel, stride, padding.
WINDOWS = (
    (3, 2, "valid"),
    (3, 1, "valid"),
    (3, 1, "same"),
    (3, 2, "valid"),
    (3, 1, "valid"),
    (3, 2, "valid"),
)


def _runs(side: int) -> bool:
    try:
        measure(inception_v4(), side)
    except SpecError:
        return False
    return True


@registered("02.sides")
def sides() -> tuple[bool, tuple[str, str]]:
    """The sides of the maps, by the windows and by the description; how many pixels are left."""
    found, shape = [299], (3, 299, 299)
    left = 0
    for kernel, stride, padding in WINDOWS:
        if padding == "valid":
            left += (found[-1] - kernel) % stride
        found.append(slide(found[-1], kernel, stride, padding))
    described = []
    for part in StemV4().parts:
        shape = out_shape(part, shape)
        described.append(shape[1])
    return found[1:] == described and left == 0, (
        f"The stem takes the side of the map from 299 to {found[-1]} pixels "
        f"({' → '.join(map(str, found))}), and no pixel is left over.",
        f"From {found[0]} to {found[-1]} pixels a side, and no pixel is left over.",
    )


@registered("02.smallest")
def smallest() -> tuple[bool, str]:
    side = smallest_image(inception_v4())
    return _runs(side) and not _runs(side - 1), (
        f"The smallest image that Inception-v4 can take has {side}×{side} pixels."
    )


@registered("02.one-pixel")
def one_pixel() -> tuple[bool, str]:
    """Two branches of join 1, one with its V forgotten."""
    with_v, without = (slide(147, 3, 2, padding) for padding in ("valid", "same"))
    return with_v != without, (
        f"Branches can be joined only if their maps have one size: a forgotten V gives {without} "
        f"pixels beside {with_v}."
    )


@registered("02.misprint")
def misprint() -> tuple[bool, str]:
    """Join 3 as printed, without its stride."""
    *before, join = StemV4().parts
    assert isinstance(join, Concat)
    enters = out_shape(Chain(*before), (3, 299, 299))
    conv, pool = join.branches
    assert isinstance(conv, Conv) and pool == MaxPool(3, 2, "valid")
    printed = replace(conv, stride=1)
    sides_found = [out_shape(branch, enters)[1] for branch in (printed, pool)]
    try:
        out_shape(Concat(printed, pool), enters)
        refused = False
    except SpecError:
        refused = True
    return refused and out_shape(join, enters) == (384, 35, 35), (
        "Fig. 3 prints its last convolution without a stride. As printed, maps of "
        f"{sides_found[0]} and {sides_found[1]} pixels would meet, so the stride of 2 is missing."
    )


@registered("02.two-stems")
def two_stems() -> tuple[bool, str]:
    plain, branched = (measure(stem, (3, 299, 299)).macs for stem in (StemV1(), StemV4()))
    return plain < branched, (
        f"The plain stem of Fig. 14 needs {plain / branched:.0%} of the multiply-adds of Fig. 3."
    )
