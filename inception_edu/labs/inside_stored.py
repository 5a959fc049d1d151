"""The lab of a network's inside as one still picture, for a page without a kernel."""

from __future__ import annotations

from html import escape

import numpy as np

from inception_edu.labs import Picture as Still
from inception_edu.labs.inside_parts import answers, percent, png, shown, title
from inception_edu.nets import look as see

WIDTH, TILE, LEFT = 760, 46, 262


def cividis(values: np.ndarray, top: float) -> np.ndarray:
    """A map h×w as uint8 h×w×3; what lies below 0 is orange."""
    from matplotlib import colormaps

    share = np.clip(np.abs(values) / (top or 1.0), 0, 1)
    above = colormaps["cividis"](share)[..., :3]
    below = np.array([0.0, 0.13, 0.3]) + share[..., None] * np.array([1.0, 0.49, 0.09])
    return (
        np.rint(np.where(values[..., None] < 0, below, above) * 255).clip(0, 255).astype(np.uint8)
    )


def _image(pixels: np.ndarray, x: float, y: float, side: float) -> str:
    return (
        f'<image x="{x}" y="{y}" width="{side}" height="{side}" style="image-rendering:pixelated" '
        f'href="{png(pixels)}"/>'
    )


def stored(desk, state, words: str) -> list[Still]:
    """The picture, the answers, and every part's strongest channels."""
    subject, picture = desk.subject(state.network), state.shown(desk)
    model = desk.model(state.network, state.step)
    seen = desk.look(state.network, state.step, picture, state.side, state.off)
    maps = desk.parts(state.network, state.step, picture, state.side, state.block, state.off)
    image = desk.image(state.network, picture, state.side)
    heading = title(model, state.block, maps[see.OUTPUT].shape[1:])
    body = [
        _text(12, 22, "The picture", True),
        _image(shown(image), 12, 30, 222),
        _text(12, 280, "The answer", True),
        _text(LEFT, 22, heading, True),
    ]
    for i, answer in enumerate(answers(subject, seen)):
        y = 290 + 22 * i
        width = max(1, 110 * answer["share"])
        body.append(f'<rect x="12" y="{y}" width="{width:.0f}" height="13" fill="#0072b2"/>')
        body.append(_text(130, y + 11, f"{answer['name']} {percent(answer['share'])}", i == 0))
    y = 34
    for part, values in maps.items():
        body.append(_text(LEFT, y + 12, part, False))
        order = np.argsort(-np.abs(values).mean((1, 2)), kind="stable")[:8]
        sizes = np.abs(values)
        top = float(np.percentile(sizes[sizes > 0], 99.5)) if sizes.any() else 1.0
        for i, c in enumerate(order):
            body.append(_image(cividis(values[c], top), LEFT + (TILE + 4) * i, y + 18, TILE))
        y += TILE + 30
    height = max(y, 370)
    said = f"{words} {heading}: {len(maps)} parts, the strongest channels of each."
    label = escape(said, quote=True)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" '
        f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" font-family="system-ui, sans-serif" '
        f'font-size="13" fill="#1d1d1f"><rect width="{WIDTH}" height="{height}" fill="#fff"/>'
        f"{''.join(body)}</svg>"
    )
    return [Still(svg, said)]


def _text(x: float, y: float, words: str, strong: bool) -> str:
    weight = ' font-weight="600"' if strong else ""
    return f'<text x="{x}" y="{y}"{weight}>{escape(words)}</text>'
