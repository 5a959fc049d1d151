"""The picture of the speed lab: a line a measurement, a dot a round."""

from __future__ import annotations

import textwrap
from html import escape

from inception_edu.learn.speedup import Speedup

INK, FAINT = "var(--ied-ink, #1d1d1f)", "var(--ied-faint, #5a5f66)"
GRID, CARD = "var(--ied-grid, #e6e9ee)", "var(--ied-card, #ffffff)"
BLUE, RED = "var(--ied-blue, #0068ab)", "var(--ied-alarm, #b84300)"
LEFT, WIDTH, STEP, TOP = 12, 680, 40, 34


def speed_svg(rows: list[tuple[str, Speedup]], room: int, note: str = "") -> str:
    """One line a measurement (its words and ratios), the last one strong: a dot a round at
    plain / changed, a bar over the median's 95 % interval. As high as `room` lines, so that nothing
    below it moves; `note` stands under it."""
    # One interrupted round does not squeeze all others: dots beyond the edge stand on it.
    ends = [1.2 * (s.interval or (0, s.median))[1] for _, s in rows]
    most = max(2.0, *ends, 0)
    scale = (WIDTH - 2 * LEFT) / most
    height = TOP + STEP * room + 16
    lines = textwrap.wrap(note, 95)  # so many letters fit
    whole = height + 8 * bool(note) + 16 * len(lines)
    said = "; ".join(f"{words}: {speedup}" for words, speedup in rows) or "nothing measured yet"
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {whole}" role="img" '
        f'style="max-width:{WIDTH}px;width:100%;height:auto;font-family:system-ui,sans-serif" '
        f'aria-label="{escape(said, quote=True)}">',
        f'<rect width="{WIDTH}" height="{whole}" fill="{CARD}"/>',
        f'<text x="{LEFT}" y="16" font-size="13" font-weight="600" fill="{INK}">'
        "times as fast as the plain network</text>",
    ]
    for tick in range(int(most) + 1):
        x = LEFT + tick * scale
        colour = FAINT if tick == 1 else GRID
        out.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="24" y2="{height - 16}" stroke="{colour}"/>'
            f'<text x="{x:.1f}" y="{height - 3}" font-size="11" text-anchor="middle" '
            f'fill="{FAINT}">{tick}</text>'
        )
    for row, (words, speedup) in enumerate(rows):
        out += _row(TOP + STEP * row, words, speedup, row == len(rows) - 1, scale)
    for place, line in enumerate(lines):
        y, words = height + 14 + 16 * place, escape(line)
        out.append(f'<text x="{LEFT}" y="{y}" font-size="12" fill="{INK}">{words}</text>')
    return "".join(out) + "</svg>"


def _row(y: int, words: str, speedup: Speedup, last: bool, scale: float) -> list[str]:
    middle = LEFT + speedup.median * scale
    weight, opacity = (600, 0.75) if last else (400, 0.35)
    # A rim, so that the lines behind the words do not cross them out.
    out = [
        f'<text x="{LEFT + 4}" y="{y + 8}" font-size="12" fill="{INK}" font-weight="{weight}" '
        f'stroke="{CARD}" stroke-width="4" paint-order="stroke">{escape(words)} · '
        f"{escape(speedup.verdict)}</text>"
    ]
    for ratio in speedup.ratios:
        x = min(LEFT + ratio * scale, WIDTH - LEFT)
        out.append(
            f'<circle cx="{x:.1f}" cy="{y + 20}" r="3.5" fill="{BLUE}" fill-opacity="{opacity}"/>'
        )
    if speedup.interval:
        low, high = (LEFT + value * scale for value in speedup.interval)
        out.append(
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y + 20}" y2="{y + 20}" stroke="{RED}" '
            'stroke-width="2"/>'
        )
    out.append(
        f'<line class="ied-median" x1="{middle:.1f}" x2="{middle:.1f}" y1="{y + 12}" y2="{y + 28}" '
        f'stroke="{RED}" stroke-width="3"/><text x="{middle + 7:.1f}" y="{y + 32}" font-size="11" '
        f'fill="{INK}">{speedup.median:.2f}×</text>'
    )
    return out
