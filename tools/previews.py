"""The pictures that other sites show beside a link to a page: its title and its first sentence, as
PNG of the size that they ask for."""

import re
import textwrap
from pathlib import Path

WIDTH, HEIGHT, DPI = 1200, 630, 100
INK, GROUND, MARK = "#1d1d1f", "#ffffff", "#0068ab"


def card(path: Path, site: str, title: str, words: str) -> None:
    """Write one: the site's name above, the title, the words as far as there is room."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, facecolor=GROUND)
    figure.add_artist(_bar())
    said = textwrap.shorten(plain(words), 260, placeholder=" …")
    heading = textwrap.fill(title, 30)
    if site != title:
        figure.text(0.07, 0.86, site, size=20, color=MARK, va="top")
    figure.text(0.07, 0.75, heading, size=40, color=INK, va="top", weight="bold")
    below = 0.75 - 0.125 * (heading.count("\n") + 1) - 0.04
    figure.text(0.07, below, textwrap.fill(said, 62), size=22, color=INK, va="top", linespacing=1.4)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", dpi=DPI)


def plain(markdown: str) -> str:
    """Words without the marks of links, stress and code."""
    return re.sub("[*`]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown))


def _bar():
    from matplotlib.patches import Rectangle

    return Rectangle((0, 0), 0.025, 1, color=MARK)
