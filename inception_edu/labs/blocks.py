"""The blocks that the architecture labs offer, where each comes from, and how large it is drawn."""

from __future__ import annotations

from inception_edu.describe import baselines
from inception_edu.describe import figures as f
from inception_edu.describe.canvas import Drawing
from inception_edu.describe.paper_tables import TABLE_1
from inception_edu.describe.parts import Path, at, leaf_paths
from inception_edu.describe.spec import Conv, Node, Shape

OWN = "your block"
LEGIBLE = 0.54  # a drawing's least size: the stem of Fig. 3 is whole in 520 pixels then

# Each block with the shape (C, H, W) that enters it.
BLOCKS: dict[str, tuple[Node, Shape]] = {
    "InceptionA": (f.InceptionA(), (384, 35, 35)),
    "InceptionB": (f.InceptionB(), (1024, 17, 17)),
    "InceptionC": (f.InceptionC(), (1536, 8, 8)),
    "ReductionA": (f.ReductionA(**TABLE_1["inception_v4"]), (384, 35, 35)),
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
    "InceptionA_v3": (baselines.InceptionA_v3(64), (288, 35, 35)),
    "InceptionB_v3": (baselines.InceptionB_v3(160), (768, 17, 17)),
    "InceptionC_v3": (baselines.InceptionC_v3(), (2048, 8, 8)),
    "ReductionA_v3": (baselines.ReductionA_v3(), (288, 35, 35)),
    "ReductionB_v3": (baselines.ReductionB_v3(), (768, 17, 17)),
    "ResidualConnection": (f.ResidualConnection(), (64, 56, 56)),
    "Bottleneck": (baselines.Bottleneck(64), (256, 56, 56)),
}


def origin(block: str, node: Node) -> str:
    """Who has the block like this: a paper's figure, a released network, or the reader."""
    figure = getattr(node, "figure", "")
    if block not in BLOCKS:
        return "as you gave it"
    if figure.startswith("Fig."):
        return "as the paper has it"
    return f"as {figure} has it"


_PLACES: dict[str, Path] = {
    "k": ("branch 3", "step 1"),
    "l": ("branch 3", "step 2"),
    "m": ("branch 3", "step 3"),
    "n": ("branch 2",),
}
_SKELETON = leaf_paths(f.ReductionA(1, 1, 1, 1))


def klmn(node: Node) -> dict[str, str]:
    """The letters of Fig. 7 for its boxes, as long as the block still has the figure's steps."""
    if getattr(node, "figure", "") != "Fig. 7" or leaf_paths(node) != _SKELETON:
        return {}
    found = {}
    for letter, path in _PLACES.items():
        leaf = at(node, path)
        if isinstance(leaf, Conv):
            found["/".join(path)] = f"{letter} = {leaf.out}"
    return found


def sized(drawing: Drawing, height: int) -> str:
    """A drawing in a window of so many pixels' height, so that a lab fits the screen. It is made
    smaller to fit, but never so small that its letters cannot be read: then the window scrolls."""
    least = round(LEGIBLE * drawing.size[1])
    style = f"width:auto;max-width:100%;max-height:{max(height, least)}px;height:auto;display:block"
    look = f'class="ied-paper" style="{style}"'
    svg = str(drawing).replace('style="max-width:100%;height:auto"', look, 1)
    if least <= height:
        return svg
    named = 'tabindex="0" role="region" aria-label="the block"'
    return f'<div {named} style="max-height:{height}px;overflow:auto">{svg}</div>'
