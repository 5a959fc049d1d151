"""The chapters: what each covers, what runs in it, what comes before it; as cards, with a block of
each that is drawn from its description."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from inception_edu.describe import Chain, Conv, Linear, Node, Residual, draw, figures, networks


@dataclass(frozen=True)
class Chapter:
    """A chapter: the name of its file (without ending), its title, what it covers, what runs in it,
    the numbers of the chapters that it builds on, and a block of it."""

    name: str
    title: str
    covers: str
    runs: str
    after: tuple[str, ...]
    block: Node

    @property
    def number(self) -> str:
        return self.name[:2]


def chapters() -> list[Chapter]:
    """All chapters in order."""
    inner = Chain(Conv(64, 1), Conv(64, 3), Linear(256))
    scaled = Residual(inner, scale=0.1, name="scaled residual")
    v3 = networks.inception_v3()["mixed_6b"].node
    return [
        Chapter(
            "00_start_here",
            "Start here",
            "the verdicts, the device, a first lab",
            "a first network, a first lab",
            (),
            scaled,
        ),
        Chapter(
            "01_from_googlenet_to_v3",
            "From GoogLeNet to v3",
            "why branches and 1×7",
            "kernels on your clock",
            (),
            v3,
        ),
        Chapter(
            "02_stem",
            "The stem",
            "from 299×299 pixels to a 35×35 map",
            "windows over maps",
            ("01",),
            figures.StemV4(),
        ),
        Chapter(
            "03_inception_modules",
            "Inception modules",
            "Figs. 4 to 6, by hand and from a description",
            "one block in three forms",
            ("01",),
            figures.InceptionA(),
        ),
        Chapter(
            "04_reductions",
            "Reductions",
            "halving the grid without a bottleneck",
            "four ways to halve a grid",
            ("02",),
            figures.ReductionB(),
        ),
        Chapter(
            "05_inception_v4",
            "Inception-v4",
            "the whole network; where parameters and work are",
            "the whole network",
            ("03", "04"),
            figures.InceptionB(),
        ),
        Chapter(
            "06_inception_resnet",
            "Inception-ResNet",
            "v1 and v2; arithmetic finds the misprints",
            "a norm after each sum",
            ("03", "04"),
            figures.InceptionResNetA_v2(),
        ),
        Chapter(
            "07_paper_and_code",
            "Paper and code",
            "three networks of one name",
            "any two networks compared",
            ("05", "06"),
            figures.InceptionResNetC_v2(),
        ),
        Chapter(
            "08_residual_scaling",
            "Residual scaling",
            "a constant before the sum",
            "a scale slider",
            ("06",),
            scaled,
        ),
        Chapter(
            "09_dying_networks",
            "Dying networks",
            "how wide networks die, and every remedy",
            "a network dies",
            ("08",),
            figures.InceptionResNetC_v1(),
        ),
        Chapter(
            "10_the_race",
            "The race",
            "with and without residuals at equal cost",
            "a race of two",
            ("06",),
            figures.InceptionResNetB_v1(),
        ),
        Chapter(
            "11_crops_and_ensembles",
            "Crops and ensembles",
            "what many looks and many networks add",
            "votes of recorded networks",
            ("10",),
            figures.InceptionC(),
        ),
        Chapter(
            "12_looking_inside",
            "Looking inside",
            "feature maps, branches, receptive fields",
            "two networks, opened",
            ("06",),
            figures.InceptionResNetB_v2(),
        ),
        Chapter(
            "13_making_it_fast",
            "Making it fast",
            "the same outputs in less time",
            "one network in five forms",
            ("06",),
            figures.ReductionB_v2(),
        ),
        Chapter(
            "14_your_photographs",
            "Your photographs",
            "race, vote and look inside, with a folder of yours",
            "a race, a vote, a look",
            ("10", "11", "12"),
            figures.InceptionB("released"),
        ),
    ]


def _card(chapter: Chapter) -> str:
    file = Path(f"{chapter.name}.ipynb")
    head = f"{chapter.number} · {escape(chapter.title)}"
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
        f"<div>{escape(chapter.covers)}</div>{_before(chapter)}</div>"
    )


def _before(chapter: Chapter) -> str:
    if not chapter.after:
        return ""
    return f'<div style="color:#595959;font-size:12px">after {listed(chapter.after)}</div>'


def listed(words: Sequence[str]) -> str:
    """ "03 and 04", "10, 11 and 12"; at least one word."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def chapter_map() -> Any:
    """A card for each chapter but the first, with a link where its notebook lies beside this
    one."""
    from IPython.display import HTML

    grid = "display:grid;grid-template-columns:repeat(auto-fill,minmax(170px,1fr));gap:10px"
    return HTML(f'<div style="{grid}">{"".join(map(_card, chapters()[1:]))}</div>')
