"""The house style, and the static figures that chapters share.

    fig = figure(7, 3)
    axis = fig.add_subplot()
    axis.plot(steps, losses)
    show(fig, "Training loss against steps: it falls from 2.3 to 0.9.")

Figures are matplotlib's own, drawn without pyplot (which keeps state that threads share). Each
stands on a light card of its own, so it reads the same in a dark theme; `show` needs a sentence for
readers who cannot see it. Every colour has at least 3:1 contrast on the card and is told apart by
colour-blind readers; where it can be, a second sign goes with it (dashes, markers, a number).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from statistics import fmean, median

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from inception_edu.describe.canvas import BRANCH_COLOURS, CARD, INK
from inception_edu.teach.pictures import (
    COLOURS,
    DASHES,
    MARKERS,
    SHADES,
    Picture,
    figure,
    image_grid,
    save,
    show,
    style,
)


def _axis(axis: Axes | None, width: float, height: float) -> Axes:
    return figure(width, height).add_subplot() if axis is None else axis


# --- Curves ---------------------------------------------------------------------------------------


def curves(
    groups: Mapping[str, Sequence],
    value: str = "loss",
    axis: Axes | None = None,
    ylabel: str = "",
    percent: bool = False,
    block: str | None = None,
) -> Axes:
    """Every run a thin line and the mean of its group a thick one, against the step.

    groups: by name, the runs; a run is a `History` (of its records `value` is drawn, `block`'s
    where it is a dict), or a pair (steps, values). The mean covers the steps that all runs of the
    group have.
    """
    axis = _axis(axis, 7, 3.2)
    for (name, runs), colour, dash in zip(groups.items(), cycle(COLOURS), cycle(DASHES)):
        lines = [_line(run, value, block) for run in runs]
        if not lines:
            continue
        factor = 100 if percent else 1
        if len(lines) > 1:
            for line in lines:
                values = [factor * v for v in line.values()]
                # Under the means of all groups, which must keep their colours.
                axis.plot(list(line), values, color=colour, lw=0.8, alpha=0.4, zorder=1)
        steps = sorted(set.intersection(*(set(line) for line in lines)))
        mean = [factor * sum(line[s] for line in lines) / len(lines) for s in steps]
        count = f" ({len(lines)} seeds)" if len(lines) > 1 else ""
        axis.plot(steps, mean, color=colour, ls=dash, lw=2.2, label=f"{name}{count}")
    axis.set(
        xlabel="step", ylabel=ylabel or (value.replace("_", " ") + (" (%)" if percent else ""))
    )
    if len(groups) > 1 or any(len(runs) > 1 for runs in groups.values()):
        axis.legend()
    return axis


def _line(run, value: str, block: str | None) -> dict[float, float]:
    if not hasattr(run, "records"):
        return dict(zip(*run))
    values = ((r.step, getattr(r, value)) for r in run.records)
    return {step: v[block] if block is not None else v for step, v in values}


# --- Values by name -------------------------------------------------------------------------------


def bars(
    values: Mapping[str, float],
    axis: Axes | None = None,
    xlabel: str = "",
    colours: Sequence[str] | None = None,
    text: str = "{:.3g}",
    errors: Mapping[str, tuple[float, float]] | None = None,
) -> Axes:
    """Horizontal bars from 0, first name on top, each with its number. `errors`: (low, high) by
    name."""
    axis = _axis(axis, 7, 0.6 + 0.36 * len(values))
    names, places = list(values), range(len(values))
    axis.barh(places, list(values.values()), 0.68, color=colours or COLOURS[0], edgecolor=CARD)
    ends = dict(values)
    for place, name in zip(places, names):
        if errors and name in errors:
            low, high = errors[name]
            axis.plot([low, high], [place, place], color=INK, lw=1.4)
            ends[name] = max(values[name], high)
        axis.annotate(
            text.format(values[name]),
            (ends[name], place),
            (4, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    axis.set_yticks(places, names)
    axis.invert_yaxis()
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel(xlabel)
    spec = axis.get_subplotspec()
    beside = spec.get_gridspec().ncols if spec else 1  # the narrower, the more a number takes
    axis.margins(x=0.08 + 0.04 * beside)
    return axis


def paired_bars(
    series: Mapping[str, Mapping[str, float]],
    axis: Axes | None = None,
    xlabel: str = "",
    text: str = "{:.3g}",
) -> Axes:
    """Two or more bars for each name, from 0: `series` maps what is counted to {name: value}. All
    have the same names; the first name is on top."""
    names = list(next(iter(series.values())))
    axis = _axis(axis, 7, 0.7 + 0.5 * len(names))
    height = 0.8 / len(series)
    for number, (label, values) in enumerate(series.items()):
        places = [place + (number + 0.5) * height - 0.4 for place in range(len(names))]
        lengths = [values[name] for name in names]
        axis.barh(places, lengths, height, color=COLOURS[number], edgecolor=CARD, label=label)
        for place, length in zip(places, lengths):
            axis.annotate(
                text.format(length),
                (length, place),
                (4, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
            )
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel(xlabel)
    axis.margins(x=0.12)
    axis.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(series))
    return axis


def dots(
    groups: Mapping[str, Sequence[float]],
    axis: Axes | None = None,
    xlabel: str = "",
    percent: bool = False,
    intervals: Mapping[str, tuple[float, float]] | None = None,
) -> Axes:
    """Each seed a dot, the mean of its group an upright stroke, first name on top.

    `intervals`: by name (low, high), of the group's middle value; drawn as a grey bar under the
    dots, and the stroke is the middle value then.
    """
    axis = _axis(axis, 7, 0.7 + 0.34 * len(groups))
    factor = 100 if percent else 1
    for place, (name, values) in enumerate(groups.items()):
        scaled = [factor * v for v in values]
        if intervals and name in intervals:
            axis.plot(
                [factor * v for v in intervals[name]],
                [place, place],
                color="#c9c9c9",
                lw=7,
                zorder=1,
                solid_capstyle="butt",
            )
        # Spread out a little, always in the same way, so that equal values stay countable.
        offsets = [0.22 * (i / max(1, len(scaled) - 1) - 0.5) for i in range(len(scaled))]
        axis.plot(
            scaled,
            [place + o for o in offsets],
            "o",
            color=COLOURS[0],
            alpha=0.75,
            ms=5,
            mew=0,
            zorder=3,
        )
        if scaled:
            axis.plot(
                [(median if intervals and name in intervals else fmean)(scaled)] * 2,
                [place - 0.3, place + 0.3],
                color=COLOURS[1],
                lw=2.2,
                zorder=2,
            )
    axis.set_yticks(range(len(groups)), list(groups))
    axis.set_ylim(len(groups) - 0.5, -0.5)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x")
    axis.set_xlabel(xlabel or ("%" if percent else ""))
    return axis


# --- Maps and images ------------------------------------------------------------------------------


def grid_map(
    values,
    rows: Sequence,
    columns: Sequence,
    axis: Axes | None = None,
    xlabel: str = "",
    ylabel: str = "",
    text: str = "{:.2g}",
    low: float | None = None,
    high: float | None = None,
) -> Axes:
    """A table of numbers on shades from light (`low`) to dark (`high`); cells without a number
    (NaN, None) stay empty.

    values: rows × columns.
    """
    table = np.array(
        [[np.nan if v is None else float(v) for v in row] for row in values], dtype=float
    )
    if table.shape != (len(rows), len(columns)):
        raise ValueError(
            f"The values are {' × '.join(map(str, table.shape))}, but there are {len(rows)} "
            "rows and "
            f"{len(columns)} columns."
        )
    axis = _axis(axis, 1.6 + 0.85 * len(columns), 1.0 + 0.42 * len(rows))
    known = table[~np.isnan(table)]
    if low is None:
        low = known.min() if known.size else 0.0
    if high is None:
        high = known.max() if known.size else 1.0
    shade = Normalize(low, high if high > low else low + 1, clip=True)
    axis.imshow(np.ma.masked_invalid(table), cmap=SHADES, norm=shade, aspect="auto")
    for (i, j), value in np.ndenumerate(table):
        if not np.isnan(value):
            axis.text(
                j,
                i,
                text.format(value),
                ha="center",
                va="center",
                fontsize=9,
                color=CARD if _luminance(SHADES(shade(value))) < 0.2 else INK,
            )
    axis.set_xticks(range(len(columns)), [str(c) for c in columns])
    axis.set_yticks(range(len(rows)), [str(r) for r in rows])
    axis.set(xlabel=xlabel, ylabel=ylabel)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    return axis


def _luminance(colour) -> float:
    """Relative luminance (WCAG) of a colour with parts from 0 to 1."""
    parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


__all__ = [
    "BRANCH_COLOURS",
    "COLOURS",
    "DASHES",
    "MARKERS",
    "SHADES",
    "Picture",
    "bars",
    "curves",
    "dots",
    "figure",
    "grid_map",
    "image_grid",
    "save",
    "show",
    "style",
]
