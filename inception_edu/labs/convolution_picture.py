"""The convolution that moves, standing still: for a page without scripts."""

from __future__ import annotations

import numpy as np

from inception_edu.describe.canvas import BRANCH_COLOURS, CARD, FAINT, INK
from inception_edu.describe.padding import readers
from inception_edu.labs import Picture
from inception_edu.labs.convolution_state import State

LOST = "#d55e00"
MIXES = {"sum": (1, 1, 1), "red": (1, 0, 0), "opposed": (1, -1, 0)}


def pixels(state: State) -> np.ndarray:
    """The picture, channels × n × n, 0 (black) to 9 (white); the page draws the same."""
    n, half = state.size, (state.size - 1) / 2
    rows, columns = np.mgrid[:n, :n]
    planes = []
    for c in range(state.channels):
        if state.picture == "point":
            middle = (rows == int(half)) & (columns == int(half))
            planes.append(np.where(middle, 9 - 3 * c, 0))
        elif state.picture == "stripes":
            planes.append(np.where((rows if c == 1 else columns) % 4 < 2, 8 - 2 * c, 1))
        else:
            shift = (c - 1) * n * 0.12 if state.channels > 1 else 0.0
            away = np.hypot(rows - half, columns - half - shift) / max(n, 2)
            planes.append(np.floor(9 * np.clip((0.42 - away) * 8, 0, 1) + 0.5))
    return np.array(planes, dtype=int)


def weights(state: State) -> np.ndarray:
    """The weights, channels × height × width."""
    if state.own is not None:
        return np.array(state.own)
    h, w = state.kernel
    if state.weights == "ones":
        plane = np.ones((h, w), int)
    elif state.weights == "centre":
        plane = np.zeros((h, w), int)
        plane[h // 2, w // 2] = 1
    else:
        across = state.weights == "across"
        length = w if across else h
        sides = np.sign(2 * np.arange(length) - (length - 1)) if length > 1 else np.ones(1, int)
        plane = np.broadcast_to(sides if across else sides[:, None], (h, w))
    mix = MIXES[state.mix] if state.channels > 1 else (1,)
    return np.array([plane * factor for factor in mix])


def convolved(state: State) -> np.ndarray:
    """The output, rows × columns; empty where the window does not fit."""
    if 0 in state.output:
        return np.zeros((0, 0), int)
    top, left = state.zeros
    padded = np.pad(pixels(state), ((0, 0), (top, top), (left, left)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, state.kernel, axis=(1, 2))
    return np.einsum("cijhw,chw->ij", windows[:, :: state.stride, :: state.stride], weights(state))


def picture(state: State, said: str) -> Picture:
    """The input with its zeros and the pixels that nobody reads, one window, the output."""
    (top, left), (rows, columns) = state.zeros, state.output
    high, wide = state.size + 2 * top, state.size + 2 * left
    cell = min(22, 300 / max(high, wide))
    read = [readers(state.size, k, state.stride, p) for k, p in zip(state.kernel, state.zeros)]
    begin, line = 14, 30  # left and upper edge of the drawings
    gap = begin + wide * cell + 60
    width = max(gap + columns * cell, gap + 90) + 14
    height = line + max(high, rows) * cell + 14
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" role="img" style="background:{CARD};font:12px sans-serif">'
        f'<text x="{begin}" y="19" fill="{INK}">input {state.size}×{state.size}</text>'
        f'<text x="{gap:.1f}" y="19" fill="{INK}">output {rows}×{columns}</text>'
    ]

    def square(i: int, j: int, at: float, look: str, value: object = "", ink: str = INK) -> None:
        x, y = at + j * cell, line + i * cell
        out.append(
            f'<rect x="{x + 0.5:.1f}" y="{y + 0.5:.1f}" width="{cell - 1:.1f}" '
            f'height="{cell - 1:.1f}" {look}/>'
        )
        if cell >= 16 and value != "":
            text = str(value).replace("-", "−")
            out.append(
                f'<text x="{x + cell / 2:.1f}" y="{y + cell / 2 + 3.2:.1f}" font-size="9" '
                f'text-anchor="middle" fill="{ink}">{text}</text>'
            )

    image = pixels(state)
    for i in range(high):
        for j in range(wide):
            y, x = i - top, j - left
            if not (0 <= y < state.size and 0 <= x < state.size):
                look = f'fill="none" stroke="{FAINT}" stroke-dasharray="2 2"'
                square(i, j, begin, look, 0, FAINT)
                continue
            shades = [int(28.3 * value) for value in image[:, y, x]]
            shades = shades if len(shades) == 3 else shades * 3
            lost = not (read[0][y] and read[1][x])
            edge = f' stroke="{LOST}" stroke-width="2"' if lost else ""
            value = image[0, y, x] if state.channels == 1 else ""
            ink = "#000" if image[0, y, x] > 4 else "#fff"
            square(i, j, begin, f'fill="rgb{tuple(shades)}"{edge}', value, ink)
    result = convolved(state)
    most = max(1, int(np.abs(result).max(initial=0)))
    for i, values in enumerate(result):
        for j, value in enumerate(values):
            share = 0.9 * abs(value) / most
            full = (230, 120, 40) if value < 0 else (60, 140, 210)
            shade = tuple(round(255 - (255 - c) * share) for c in full)
            square(i, j, gap, f'fill="rgb{shade}"', value, "#111")
    if rows and columns:
        i, j = rows // 3, columns // 5
        left_edge, top_edge = begin + j * state.stride * cell, line + i * state.stride * cell
        sides = f'width="{state.kernel[1] * cell:.1f}" height="{state.kernel[0] * cell:.1f}"'
        frame = f'fill="none" stroke="{BRANCH_COLOURS[1]}" stroke-width="3"'
        out.append(f'<rect x="{left_edge:.1f}" y="{top_edge:.1f}" {sides} {frame}/>')
        place = f'x="{gap + j * cell:.1f}" y="{line + i * cell:.1f}"'
        out.append(f'<rect {place} width="{cell:.1f}" height="{cell:.1f}" {frame}/>')
    out.append("</svg>")
    return Picture("".join(out), said)
