"""The house style of figures, and a drawn figure with its words.

Figures are matplotlib's own, drawn without pyplot (which keeps state that threads share). Each
stands on a light card of its own, so it reads the same in a dark theme.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from cycler import cycler
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
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

STYLE: dict[Any, Any] = {
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
    # A little air, so that the names of a panel do not touch the numbers of the one before.
    fig = Figure((width, height), layout=ConstrainedLayoutEngine(wspace=0.05))
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


def show(fig: Figure, alt: str, dpi: int = 160, colours: int = 64) -> Picture:
    """The figure for a notebook; `alt` says in words what it shows. Raises ValueError where `alt`
    is empty.

    Drawn at 160 dots an inch and shown at 96, so it is sharp on a dense screen. The file keeps so
    many `colours`: for one or two hues on white 16 do, with three quarters of the bytes.
    """
    if not alt.strip():
        raise ValueError("Say in `alt` what the figure shows, for readers who cannot see it.")
    return Picture(_png(fig, dpi, colours), " ".join(alt.split()), round(fig.get_figwidth() * 96))


def save(fig: Figure, path: str | Path, dpi: int = 200) -> Path:
    """Write a figure as the path's ending says: PNG, SVG or PDF."""
    path = Path(path)
    # Without the date, the same figure is the same file.
    undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix, {})
    with matplotlib.rc_context({"svg.hashsalt": "inception_edu"}):
        fig.savefig(path, dpi=dpi, metadata=undated)
    return path


def _png(fig: Figure, dpi: int, colours: int) -> bytes:
    """With few colours it has a quarter of the bytes, and lines and dots look the same; a figure
    with images in it keeps more of them."""
    out, small = io.BytesIO(), io.BytesIO()
    fig.savefig(out, format="png", dpi=dpi, metadata={"Software": None})
    colours = 256 if any(axis.images for axis in fig.axes) else colours
    picture = Image.open(out).convert("RGB").quantize(colours, dither=Image.Dither.NONE)
    picture.save(small, format="png", optimize=True)
    return small.getvalue()


def _draw(axis, picture: np.ndarray) -> None:
    """1×H×W in shades of grey or 3×H×W in colour, from 0 to 1, without a frame."""
    axis.imshow(
        picture[0] if len(picture) == 1 else picture.transpose(1, 2, 0),
        cmap="gray",
        vmin=0,
        vmax=1,
        interpolation="nearest",
    )
    axis.set_axis_off()


def _side_by_side(pixels: np.ndarray, columns: int) -> np.ndarray:
    """N×C×H×W in rows of `columns`, a white pixel or more between two: 3×rows×width."""
    import torch
    from torchvision.utils import make_grid

    between = max(1, round(0.06 * pixels.shape[-1]))
    images = torch.from_numpy(np.ascontiguousarray(pixels, dtype="float32"))
    return make_grid(images, nrow=columns, padding=between, pad_value=1.0).numpy()


def image_grid(
    images,
    titles: Sequence[str] | None = None,
    columns: int = 10,
    side: float = 0.8,
    low: float | None = None,
    high: float | None = None,
) -> Figure:
    """Images in rows of `columns`: N×C×H×W or N×H×W, uint8 from 0 to 255 or floats from `low` to
    `high`.

    One channel is drawn in shades of grey, three are red, green and blue. Floats without `low` and
    `high` span the values of all images together, so that images can be compared. `side` is in
    inches.
    """
    pixels = images.detach().cpu().numpy() if hasattr(images, "detach") else np.asarray(images)
    if pixels.ndim == 3:
        pixels = pixels[:, None]
    if pixels.ndim != 4 or pixels.shape[1] not in (1, 3):
        raise ValueError(
            "Images are N×1×H×W, N×3×H×W or N×H×W, got " + "×".join(map(str, pixels.shape)) + "."
        )
    if pixels.dtype == np.uint8:
        pixels = pixels / 255
    else:
        low = float(pixels.min()) if low is None else low
        high = float(pixels.max()) if high is None else high
        pixels = np.clip((pixels - low) / (high - low or 1), 0, 1)
    columns = min(columns, len(pixels))
    rows = -(-len(pixels) // columns)
    line = 0.26 if titles is not None else 0.04
    fig = figure(columns * (side + 0.06), rows * (side + line))
    if titles is None:
        _draw(fig.add_subplot(), _side_by_side(pixels, columns))
    else:
        for i, picture in enumerate(pixels):
            axis = fig.add_subplot(rows, columns, i + 1)
            _draw(axis, picture)
            axis.set_title(titles[i], fontsize=8, fontweight="normal", loc="center", pad=2)
    engine = fig.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    engine.set(w_pad=0.01, h_pad=0.03, wspace=0.02, hspace=0.02)
    return fig
