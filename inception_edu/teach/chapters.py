"""The chapters as cards: what each covers, and a block of it drawn from its description."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from inception_edu.describe import Chain, Conv, Linear, Node, Residual, draw, figures, networks


@dataclass(frozen=True)
class Chapter:
    """A chapter's file name (without its ending), its title, what it covers, and a block of it."""

    name: str
    title: str
    covers: str
    block: Node


def chapters() -> list[Chapter]:
    """All chapters but the first, in order."""
    inner = Chain(Conv(64, 1), Conv(64, 3), Linear(256))
    scaled = Residual(inner, scale=0.1, name="scaled residual")
    v3 = networks.inception_v3()["mixed_6b"].node
    return [
        Chapter("01_from_googlenet_to_v3", "From GoogLeNet to v3", "why branches and 1×7", v3),
        Chapter("02_stem", "The stem", "from 299×299 pixels to a 35×35 map", figures.StemV4()),
        Chapter(
            "03_inception_modules",
            "Inception modules",
            "Figs. 4 to 6, by hand and from a description",
            figures.InceptionA(),
        ),
        Chapter(
            "04_reductions",
            "Reductions",
            "halving the grid without a bottleneck",
            figures.ReductionB(),
        ),
        Chapter(
            "05_inception_v4",
            "Inception-v4",
            "the whole network; where parameters and work are",
            figures.InceptionB(),
        ),
        Chapter(
            "06_inception_resnet",
            "Inception-ResNet",
            "v1 and v2; arithmetic finds the misprints",
            figures.InceptionResNetA_v2(),
        ),
        Chapter(
            "07_paper_and_code",
            "Paper and code",
            "three networks of one name",
            figures.InceptionResNetC_v2(),
        ),
        Chapter("08_residual_scaling", "Residual scaling", "a constant before the sum", scaled),
        Chapter(
            "09_dying_networks",
            "Dying networks",
            "how wide networks die, and every remedy",
            figures.InceptionResNetC_v1(),
        ),
        Chapter(
            "10_the_race",
            "The race",
            "with and without residuals at equal cost",
            figures.InceptionResNetB_v1(),
        ),
        Chapter(
            "11_crops_and_ensembles",
            "Crops and ensembles",
            "what many looks and many networks add",
            figures.InceptionC(),
        ),
        Chapter(
            "12_looking_inside",
            "Looking inside",
            "feature maps, branches, receptive fields",
            figures.InceptionResNetB_v2(),
        ),
        Chapter(
            "13_making_it_fast",
            "Making it fast",
            "the same outputs in less time",
            figures.ReductionB_v2(),
        ),
        Chapter(
            "14_your_photographs",
            "Your photographs",
            "race, vote and look inside, with a folder of yours",
            figures.InceptionB("released"),
        ),
    ]


def _card(chapter: Chapter) -> str:
    file = Path(f"{chapter.name}.ipynb")
    head = f"{chapter.name[:2]} · {escape(chapter.title)}"
    if file.exists():
        head = f'<a href="{file}" style="color:#0b57a4">{head}</a>'
    svg = base64.b64encode(draw(chapter.block).encode()).decode()
    picture = (
        f'<img alt="{escape(chapter.title)}: a block drawn from its description" '
        f'style="height:150px;width:100%;object-fit:contain" src="data:image/svg+xml;base64,{svg}">'
    )
    return (
        '<div style="border:1px solid #d0d0d0;border-radius:8px;padding:8px;background:#fff;'
        f'color:#222">{picture}<div style="font-weight:600;margin-top:6px">{head}</div>'
        f"<div>{escape(chapter.covers)}</div></div>"
    )


def chapter_map() -> Any:
    """A card for each chapter, with a link where its notebook lies beside this one."""
    from IPython.display import HTML

    grid = "display:grid;grid-template-columns:repeat(auto-fill,minmax(170px,1fr));gap:10px"
    return HTML(f'<div style="{grid}">{"".join(map(_card, chapters()))}</div>')
