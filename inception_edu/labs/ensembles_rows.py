"""The picture of the ensembles lab: a row a choice, its members' errors and its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from inception_edu.describe import network
from inception_edu.labs import Picture
from inception_edu.labs.axis import COLOURS, ticks
from inception_edu.study.answers import Answers, Outcome, words_for

INK, FAINT = "var(--ied-ink, #1d1d1f)", "var(--ied-faint, #5a5f66)"
GRID, CARD = "var(--ied-grid, #e6e9ee)", "var(--ied-card, #ffffff)"
SOFT = "var(--ied-soft, #f3f5f8)"
TALL = 38  # of a row

# number, members, crops, what they reach; number 0 is the choice that is not added yet
ShownRow = tuple[int, tuple[int, ...], str, Outcome]


def _mark(place: int, x: float, y: float, faded: bool) -> str:
    """A member's dot: every kind of network has its own colour and shape."""
    shape = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5"',
        f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8"',
        f'<path d="M{x:.1f} {y - 5:.1f}l5 9h-10z"',
        f'<path d="M{x:.1f} {y + 5:.1f}l5 -9h-10z"',
    )[place % 4]
    colour, opacity = COLOURS[place % len(COLOURS)], 0.45 if faded else 0.85
    return f'{shape} fill="{colour}" fill-opacity="{opacity}" stroke="{CARD}"/>'


def number(share: float) -> str:
    """A share of 1 in percent, without the sign."""
    return f"{100 * share:.1f}"


def signed(share: float) -> str:
    """A share of 1 in points, with its sign."""
    return f"{100 * share:+.1f}".replace("-", "−")


def percent(share: float) -> str:
    return f"{number(share)} %"


def members_html(answers: Answers, chosen: Sequence[int], alone: Sequence[float]) -> str:
    """A line a network, a button a member: its seed, and its error alone in percent."""
    lines = []
    for kind in answers.networks:
        name, cells = escape(network(kind).name), []
        for i in answers.of_kind(kind):
            seed, on = answers.seeds[i], str(i in chosen).lower()
            said = f"{name}, seed {seed}, alone {percent(alone[i])} wrong"
            cells.append(
                f'<button type="button" data-tell="member {i}" aria-pressed="{on}" '
                f'aria-label="{said}" title="{said}"><b>{seed}</b> {number(alone[i])}</button>'
            )
        lines.append(f'<tr><th scope="row">{name}</th><td>{"".join(cells)}</td></tr>')
    head = "<tr><td></td><td>seed, and its error alone (%)</td></tr>"
    return f'<table class="ied-members">{head}{"".join(lines)}</table>'


def rows_svg(answers: Answers, rows: Sequence[ShownRow], room_for: int = 0) -> Picture:
    """One row a choice (its number, members, crops, outcome), the first one the current: members'
    errors as dots, the ensemble as a diamond on the bar of its 95 % interval."""
    width, left, right_end, top, tall = 680, 22, 658, 8, TALL
    bottom = top + tall * max(len(rows), room_for)
    values = [v for *_, o in rows for v in (*o.interval, *o.members)]
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = 0.04 * (high - low or 1)
    low, high = max(0.0, low - room), min(1.0, high + room)

    def at(value):
        return left + (right_end - left) * (value - low) / (high - low)

    said = "; ".join(
        f"{place or 'now'}: {words_for(answers, chosen)}, {crops}: error {percent(o.error)}, "
        f"members {number(min(o.members))} to {percent(max(o.members))}"
        for place, chosen, crops, o in rows
    )
    said = f"Errors of ensembles and of their members. {said or 'Nobody is chosen'}."
    body = []
    for value in ticks(100 * low, 100 * high, 7):
        x = at(value / 100)
        body.append(
            f'<path d="M{x:.1f} {top}V{bottom}" stroke="{GRID}"/>'
            f'<text x="{x:.1f}" y="{bottom + 15}" text-anchor="middle" fill="{FAINT}">'
            f"{value:g}</text>"
        )
    for k, (place, chosen, crops, o) in enumerate(rows):
        y, now = top + tall * k, k == 0
        if now:
            body.append(
                f'<rect x="4" y="{y}" width="{width - 8}" height="{tall - 4}" rx="5" '
                f'fill="{SOFT}"/>'
            )
        name = f"{_short_words(answers, chosen)} · {crops}"
        weight = ' font-weight="600"' if now else ""
        body.append(
            f'<text x="12" y="{y + 15}" font-weight="600">{place or "now"}</text>'
            f'<text x="52" y="{y + 15}"{weight}>{escape(name)}</text>'
            f'<text x="{width - 12}" y="{y + 15}" text-anchor="end"{weight}>{percent(o.error)}'
            "</text>"
        )
        y += 27
        body.append(f'<path d="M{left} {y}H{right_end}" stroke="var(--ied-line, #d0d3d8)"/>')
        body += [
            _mark(answers.networks.index(answers.kinds[i]), at(e), y, not now)
            for i, e in zip(chosen, o.members)
        ]
        x0, x1, x = at(o.interval[0]), at(o.interval[1]), at(o.error)
        body.append(
            f'<path d="M{x0:.1f} {y}H{x1:.1f}M{x0:.1f} {y - 4}v8M{x1:.1f} {y - 4}v8" '
            f'stroke="{INK}" stroke-width="{2 if now else 1.2}"/>'
            f'<path d="M{x:.1f} {y - 8}l7 8l-7 8l-7 -8z" fill="{INK}" stroke="{CARD}"/>'
        )
    y = bottom + 34
    body.append(
        f'<text x="{(left + right_end) / 2}" y="{y}" text-anchor="middle">'
        f"error on {len(answers.labels):,} test images (%)</text>"
    )
    y, x = y + 22, 12
    for place, kind in enumerate(answers.networks):
        name = network(kind).name
        body.append(
            _mark(place, x + 5, y - 4, False) + f'<text x="{x + 15}" y="{y}">{escape(name)}</text>'
        )
        x += 30 + 7.2 * len(name)
    body.append(
        f'<path d="M19 {y + 10}l7 8l-7 8l-7 -8z" fill="{INK}"/>'
        f'<path d="M12 {y + 18}H54" stroke="{INK}" stroke-width="2"/>'
        f'<text x="62" y="{y + 22}">the ensemble, with the 95 % interval of its error; '
        "in brackets: seeds</text>"
    )
    height = y + 34
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ied-ensembles-rows" role="img" '
        f'aria-label="{escape(said, quote=True)}" viewBox="0 0 {width} {height}" width="{width}" '
        f'style="max-width:100%;height:auto;background:{CARD}" '
        f'font-family="system-ui, sans-serif" font-size="13" fill="{INK}">{"".join(body)}</svg>'
    )
    return Picture(svg, said)


def _short_words(answers: Answers, chosen: Sequence[int]) -> str:
    """`words_for` in one line of the picture: "Inception-v4 (0) + Inception-ResNet-v2 (0, 1,
    2)"."""
    words = words_for(answers, chosen).replace("seeds ", "").replace("seed ", "")
    words = words if len(words) <= 60 else words.replace("Inception-", "")
    if len(words) > 72:  # 0, 1, 2, 3 → 0–3
        words = re.sub(r"\d+(?:, \d+)+", lambda seeds: _ranges(seeds[0]), words)
    return words if len(words) <= 72 else f"{words[:70].rstrip(' ,(+')} …"


def _ranges(seeds: str) -> str:
    """ "0, 1, 2, 4" → "0–2, 4": three or more that follow each other are one range."""
    runs: list[list[int]] = []
    for seed in map(int, seeds.split(", ")):
        if runs and seed == runs[-1][-1] + 1:
            runs[-1].append(seed)
        else:
            runs.append([seed])
    return ", ".join(
        f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs
    )
