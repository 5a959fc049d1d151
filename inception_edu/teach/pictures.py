"""The house style of figures, and a drawn figure with its words.

Figures are matplotlib's own, drawn without pyplot (which keeps state that threads share). Each
stands on a light card of its own, so it reads the same in a dark theme.
"""

from __future__ import annotations

import base64
import io
from html import escape
from pathlib import Path

import matplotlib
from cycler import cycler
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from PIL import Image

from inception_edu.describe.canvas import CARD, INK

# For runs, networks and the like; branches of a block have their own colours, the same as in every
# diagram.
COLOURS = ("#0072b2", "#d55e00", "#007a5a", "#a63d82", "#8a6200", "#4a4a9c", "#555555")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
MARKERS = "os^Dv*P"
# Light means little, dark much; lightness alone tells the values apart. Near-white stays apart from
# the card.
SHADES = LinearSegmentedColormap.from_list(
    "inception_edu", ["#eef4f9", "#9fc3de", "#3f86ba", "#0b4a7d", "#062b4c"]
)

STYLE = {
    "figure.facecolor": CARD,
    "axes.facecolor": CARD,
    "savefig.facecolor": CARD,
    "figure.dpi": 110,
    "savefig.dpi": 110,
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.edgecolor": "#767676",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "grid.color": "#e3e3e3",
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "axes.prop_cycle": cycler(color=COLOURS),
}


def style() -> None:
    """Make the house style matplotlib's default in this process; importing this module does it."""
    matplotlib.rcParams.update(STYLE)


style()


def figure(width: float = 7.0, height: float = 3.2) -> Figure:
    """An empty figure, in inches; 7 to 9 wide fills a notebook's column. Axes:
    `fig.add_subplot(rows, columns, i)`."""
    fig = Figure((width, height), layout="constrained")
    FigureCanvasAgg(fig)
    return fig


class Picture:
    """A drawn figure with its words: a notebook shows it as <img alt=…>."""

    def __init__(self, png: bytes, alt: str, width: int):
        self.png, self.alt, self.width = png, alt, width

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """HTML, which carries the words, and the PNG itself, for what cannot show HTML (LaTeX)."""
        png = base64.b64encode(self.png).decode()
        return {"text/html": self._repr_html_(), "image/png": png, "text/plain": repr(self)}

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.png).decode()
        return (
            f'<img class="inception-figure" alt="{escape(self.alt, quote=True)}" '
            f'width="{self.width}" '
            'style="max-width:100%;height:auto;background:#fff;border-radius:6px" '
            f'src="data:image/png;base64,{data}">'
        )

    def __repr__(self) -> str:
        return f"<Picture: {self.alt}>"

    def save(self, path: str | Path) -> Path:
        """Write the PNG."""
        Path(path).write_bytes(self.png)
        return Path(path)


def show(fig: Figure, alt: str, dpi: int = 160) -> Picture:
    """The figure for a notebook; `alt` says in words what it shows. Raises ValueError where `alt`
    is empty.

    Drawn at 160 dots an inch and shown at 96, so it is sharp on a dense screen.
    """
    if not alt.strip():
        raise ValueError("Say in `alt` what the figure shows, for readers who cannot see it.")
    return Picture(_png(fig, dpi), " ".join(alt.split()), round(fig.get_figwidth() * 96))


def save(fig: Figure, path: str | Path, dpi: int = 200) -> Path:
    """Write a figure as the path's ending says: PNG, SVG or PDF."""
    path = Path(path)
    # Without the date, the same figure is the same file.
    undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix, {})
    with matplotlib.rc_context({"svg.hashsalt": "inception_edu"}):
        fig.savefig(path, dpi=dpi, metadata=undated)
    return path


def _png(fig: Figure, dpi: int) -> bytes:
    out = io.BytesIO()
    fig.savefig(out, format="png", dpi=dpi, metadata={"Software": None})
    return _small(out)


def _small(png: io.BytesIO) -> bytes:
    """The same picture with 256 colours: a third of the bytes, and a plot looks the same."""
    picture = Image.open(png).convert("RGB")
    out = io.BytesIO()
    picture.quantize(256, dither=Image.Dither.NONE).save(out, format="png", optimize=True)
    return out.getvalue()
