"""Live curves as inline SVG: a few panels side by side, light enough to redraw ten times a second.

A panel is drawn from plain lists, so this file needs neither torch nor a notebook. What a curve
looks like is decided here once: each run has a number, a colour that colour-blind readers can tell
apart, a dash pattern of its own and its number at the end of the line, so that colour is never the
only difference. Earlier runs fade.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

COLOURS = ("#0072b2", "#d55e00", "#007a5a", "#a63d82", "#8a6200", "#4a4a9c", "#555555")
DASHES = ("", "7 3", "2 3", "9 3 2 3", "12 4", "4 2 1 2", "1 2")
MOST_POINTS = 300  # of one curve in the picture; more cannot be seen at this size
WIDTH, HEIGHT = 340, 216  # of one panel, in the units of its viewBox
LEFT, RIGHT, TOP, BOTTOM = 50, 24, 30, 44
INK, FAINT, GRID = "#222", "#5f5f5f", "#e4e4e4"


@dataclass(frozen=True)
class Panel:
    """What one panel shows: its title and axes (`x` and `y` are the axis labels, with their units).

    `low` and `high` fix the ends of the value axis where they are given; `cap` is a value beyond
    which a curve runs along the upper edge (so that one exploding run does not flatten all others).
    `log`: logarithmic values. `whole`: only whole numbers are ticks of the x axis. `percent`:
    values are shares of 1, written as %.
    """

    title: str
    x: str
    y: str
    low: float | None = None
    high: float | None = None
    cap: float | None = None
    log: bool = False
    whole: bool = False
    percent: bool = False


@dataclass
class Curve:
    """One line: `x` and `y` of equal length, the number of its run, and whether it is an earlier,
    faded one."""

    x: list
    y: list
    number: int = 1
    faded: bool = False
    guide: bool = False  # a thin dotted line of its own: a reference rather than a run
    label: str = ""

    def words(self) -> str:
        return self.label or ("the guide line" if self.guide else f"run {self.number}")


def thin(x, y, most: int = MOST_POINTS):
    """At most `most` of the points (x, y), the first and last, lowest and highest ones among them.

    The curve is cut into `most // 2` pieces and each keeps its lowest and highest point, so a spike
    of one step stays visible. Values that are not finite are dropped.
    """
    points = [(a, b) for a, b in zip(x, y) if b is not None and math.isfinite(b)]
    if len(points) <= most:
        return [p[0] for p in points], [p[1] for p in points]
    pieces = (most - 2) // 2
    keep = {0, len(points) - 1}
    for i in range(pieces):
        piece = range(i * len(points) // pieces, (i + 1) * len(points) // pieces)
        keep.add(min(piece, key=lambda k: points[k][1]))
        keep.add(max(piece, key=lambda k: points[k][1]))
    chosen = [points[k] for k in sorted(keep)]
    return [p[0] for p in chosen], [p[1] for p in chosen]


def ticks(low: float, high: float, about: int = 4, whole: bool = False) -> list[float]:
    """Round numbers (1, 2, 2.5 or 5 times a power of ten apart) between `low` and `high`, about
    `about` of them."""
    if not high > low:
        return [low]
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= raw * 0.999)
    if whole:
        step = max(1.0, float(math.ceil(step)))
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten between `low` and `high`; where fewer than three fit, values between them
    too."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1,), (1, 3), (1, 2, 5)):
        found = [
            m * 10.0**p for p in powers for m in steps if low * 0.999 <= m * 10.0**p <= high * 1.001
        ]
        if len(found) >= 3:
            break
    return found[:: math.ceil(len(found) / 6)] if len(found) >= 2 else ticks(low, high)


def number(value: float, percent: bool = False) -> str:
    """A number as a reader writes it: 0.25, 1200, 3e-05, 40 %."""
    if value is None or not math.isfinite(value):
        return "not finite"
    if percent:
        return f"{100 * value:.0f} %" if abs(value) >= 0.1 or value == 0 else f"{100 * value:.2g} %"
    return f"{value:.3g}" if abs(value) < 1000 or abs(value) >= 1e6 else f"{value:.0f}"


def _range(panel: Panel, curves) -> tuple[float, float]:
    # What is as small as rounding errors of nothing is nothing: no axis can show it.
    values = [
        v if abs(v) > 1e-30 else 0.0
        for c in curves
        for v in c.y
        if v is not None and math.isfinite(v)
    ]
    values = [v for v in values if v > 0 or not panel.log]
    if panel.cap is not None:
        values = [min(v, panel.cap) for v in values]
    if not values:
        values = [0.1, 1.0] if panel.log else [0.0, 1.0]
    low = min(values) if panel.low is None else panel.low
    high = max(values) if panel.high is None else panel.high
    if panel.log:
        low, high = (low, high) if high / low > 1.2 else (low / 1.5, high * 1.5)
        return low / 1.06, high * 1.06
    if high <= low:
        low, high = low - 0.5 * abs(low or 1), high + 0.5 * abs(high or 1)
    room = 0.05 * (high - low)
    return (low if panel.low is not None else low - room), (
        high if panel.high is not None else high + room
    )


def describe(panel: Panel, curves) -> str:
    """The panel in one sentence or two, with its current numbers: what a screen reader says."""
    parts = []
    for c in (c for c in curves if not c.guide):
        values = [(a, b) for a, b in zip(c.x, c.y) if b is not None]
        if values:
            (x0, y0), (x1, y1) = values[0], values[-1]
            parts.append(
                f"{c.words()}: {number(y0, panel.percent)} at {panel.x} {number(x0)}, "
                f"{number(y1, panel.percent)} at {panel.x} {number(x1)}"
            )
    return f"{panel.title}. " + ("; ".join(parts) + "." if parts else "Nothing drawn yet.")


def panel_svg(panel: Panel, curves, x_range=None, attributes: str = "") -> str:
    """One panel as an SVG element with a role and a spoken description. `x_range`: (first, last) of
    the x axis."""
    low, high = _range(panel, curves)
    xs = [a for c in curves for a in c.x]
    x0, x1 = x_range or ((min(xs), max(xs)) if xs else (0, 1))
    x1 = x1 if x1 > x0 else x0 + 1
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    scale = math.log10 if panel.log else float
    bottom_value, span = scale(low), scale(high) - scale(low)
    kx, ky = (right - LEFT) / (x1 - x0), (bottom - TOP) / span

    def place(value):
        if panel.log and value <= 0:
            return bottom
        return min(max(bottom - (scale(value) - bottom_value) * ky, TOP - 3), bottom + 3)

    said = escape(describe(panel, curves), quote=True)
    out = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{said}" {attributes} '
        f'font-family="system-ui, sans-serif" font-size="11" fill="{INK}">'
        f'<text x="{LEFT}" y="17" font-size="13" font-weight="600">{escape(panel.title)}</text>'
    ]
    for value in log_ticks(low, high) if panel.log else ticks(low, high):
        y = place(value)
        text = f"{100 * value:g}" if panel.percent else f"{value:g}"
        out.append(
            f'<path d="M{LEFT} {y:.1f}H{right}" stroke="{GRID}"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="{FAINT}">{text}</text>'
        )
    for value in ticks(x0, x1, 5, panel.whole):
        x = LEFT + (value - x0) * kx
        out.append(
            f'<path d="M{x:.1f} {bottom}v4" stroke="{FAINT}"/>'
            f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle" fill="{FAINT}">{value:g}</text>'
        )
    unit = f"{panel.y} (%)" if panel.percent else panel.y
    out.append(
        f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="{FAINT}"/>'
        f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 9}" text-anchor="middle">{escape(panel.x)}</text>'
        f'<text transform="translate(12 {(TOP + bottom) / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(unit)}</text>"
    )
    ends = []  # where a run number already stands: (x, y)
    for c in sorted(curves, key=lambda c: (not c.guide, not c.faded)):
        x, y = thin(c.x, c.y)
        if not x:
            continue
        path = " ".join(f"{LEFT + (a - x0) * kx:.1f},{place(b):.1f}" for a, b in zip(x, y))
        colour = COLOURS[(c.number - 1) % len(COLOURS)]
        if c.guide:
            out.append(
                f'<polyline points="{path}" fill="none" stroke="{FAINT}" stroke-dasharray="1 3"/>'
            )
            continue
        dash = DASHES[(c.number - 1) % len(DASHES)]
        out.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-linejoin="round" '
            f'stroke-width="{1.5 if c.faded else 2.2}" opacity="{0.5 if c.faded else 1}"'
            f'{f""" stroke-dasharray="{dash}" """ if dash else ""}/>'
        )
        at, height = LEFT + (x[-1] - x0) * kx, place(y[-1])
        if not c.faded:
            out.append(f'<circle cx="{at:.1f}" cy="{height:.1f}" r="3" fill="{colour}"/>')
        where = next(
            (
                height + 4 + shift
                for shift in (0, -10, 10, -20, 20, -30, 30, -40, 40)
                if TOP <= height + 4 + shift <= bottom + 6
                and not any(abs(height + 4 + shift - h) < 10 and abs(at - a) < 12 for a, h in ends)
            ),
            height + 4,
        )
        ends.append((at, where))
        out.append(
            f'<text x="{at + 6:.1f}" y="{where:.1f}" fill="{colour}" font-weight="600">{c.number}</text>'
        )
    return "".join(out) + "</svg>"


def key_svg(number: int, faded: bool) -> str:
    """A short piece of a run's line, for the legend."""
    dash = DASHES[(number - 1) % len(DASHES)]
    return (
        f'<svg viewBox="0 0 34 10" width="34" height="10" aria-hidden="true">'
        f'<path d="M1 5H33" stroke="{COLOURS[(number - 1) % len(COLOURS)]}" '
        f'stroke-width="{2 if faded else 3}"{f""" stroke-dasharray="{dash}" """ if dash else ""}/></svg>'
    )


def panels_svg(panels, curves, captions=(), x_ranges=None) -> str:
    """All panels in one SVG document, two in a row, under lines of text: the picture of a lab at
    rest.

    `curves` is one list of curves a panel. `captions` are the lines of text.
    """
    top = 12 + 20 * len(captions)
    rows = math.ceil(len(panels) / 2)
    width, height = 2 * WIDTH + 10, top + rows * (HEIGHT + 6)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="system-ui, sans-serif"><rect width="100%" height="100%" fill="#fff"/>'
    ]
    for i, line in enumerate(captions):
        weight = ' font-weight="600"' if i == 0 else ""
        out.append(
            f'<text x="12" y="{22 + 20 * i}" font-size="14" fill="{INK}"{weight}>{escape(line)}</text>'
        )
    for i, (panel, drawn) in enumerate(zip(panels, curves)):
        at = f'x="{(i % 2) * (WIDTH + 6)}" y="{top + (i // 2) * (HEIGHT + 6)}" width="{WIDTH}" height="{HEIGHT}"'
        out.append(panel_svg(panel, drawn, x_ranges[i] if x_ranges else None, at))
    return "".join(out) + "</svg>"
