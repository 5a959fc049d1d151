"""The padding calculator: one row of pixels, the window that slides over it, and whether two
branches can be joined.

padding_calculator(15, kernel=3, stride=2, padding=0)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from inception_edu.describe.canvas import BRANCH_COLOURS, CARD, INK
from inception_edu.labs import Picture
from inception_edu.labs.core import Control, Event, Lab, Part, Press, Set, View, begun

if TYPE_CHECKING:
    from inception_edu.labs.host import NotebookLab

LONGEST = 35  # pixels in the row
PARTNERS = {  # what stands beside the window: kernel, stride, padding
    "nothing": None,
    "1×1, stride 1": (1, 1, 0),
    "3×3, stride 1, padding 1": (3, 1, 1),
    "3×3 pool, stride 2, V": (3, 2, 0),
}
WRONG = "#d55e00"


def outputs(size: int, kernel: int, stride: int, padding: int) -> int:
    """⌊(size + 2·padding − kernel) / stride⌋ + 1, and 0 where the window does not fit at all."""
    room = size + 2 * padding - kernel
    return 0 if room < 0 else room // stride + 1


def unread(size: int, kernel: int, stride: int, padding: int) -> int:
    """Pixels at the right end that no window reaches (padding not counted)."""
    count = outputs(size, kernel, stride, padding)
    reached = (count - 1) * stride + kernel - padding if count else 0
    return max(0, size - max(0, reached)) if count else size


def window_svg(size: int, kernel: int, stride: int, padding: int) -> Picture:
    """The row with its padding, every position of the window, and the outputs."""
    count, lost = outputs(size, kernel, stride, padding), unread(size, kernel, stride, padding)
    cell, gap, left = 17, 5, 74
    rows = min(count, 12)
    width = left + (size + 2 * padding) * cell + 12
    top = 10
    height = top + cell + 14 + rows * (gap + 6) + (12 if count > rows else 0) + cell + 24
    said = (
        f"A row of {size} pixels with {padding} of padding on each side. "
        f"A window of {kernel} moves by {stride} and stops at {count} places"
        + (f"; {lost} pixels at the end are not read." if lost else ".")
    )
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ied-window" role="img" '
        f'aria-label="{said}" viewBox="0 0 {width} {height}" width="{width}" '
        f'style="max-width:100%;height:auto;background:{CARD};font:12px system-ui,sans-serif">'
    ]

    def text(x, y, words, anchor="end"):
        out.append(f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{INK}">{words}</text>')

    def square(i, y, fill, stroke, dash=""):
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        out.append(
            f'<rect x="{left + i * cell + 1}" y="{y}" width="{cell - 2}" height="{cell - 2}" '
            f'rx="2" fill="{fill}" stroke="{stroke}"{dashes}/>'
        )

    text(left - 8, top + 12, "input")
    for i in range(size + 2 * padding):
        outside = i < padding or i >= padding + size
        gone = not outside and i >= padding + size - lost
        square(
            i,
            top,
            "#fff" if outside else "#fbe3d6" if gone else "#dbe9f4",
            "#767676" if outside else WRONG if gone else BRANCH_COLOURS[0],
            "2 2" if outside else "",
        )
        if outside:
            text(left + i * cell + cell / 2, top + 12, "0", "middle")
    y = top + cell + 8
    text(left - 8, y + 8, "window")
    for n in range(rows):
        x = left + n * stride * cell
        out.append(
            f'<rect x="{x + 1}" y="{y}" width="{kernel * cell - 2}" height="5" rx="2" '
            f'fill="{BRANCH_COLOURS[1]}"/>'
        )
        y += gap + 6
    if count > rows:
        text(left + 4, y + 8, f"… and {count - rows} more", "start")
        y += 12
    y += 8
    text(left - 8, y + 12, "output")
    for n in range(count):
        square(n, y, "#e3f1ea", "#007a5a")
    text(left + count * cell + 6, y + 12, str(count), "start")
    out.append("</svg>")
    return Picture("".join(out), said)


@dataclass(frozen=True)
class State:
    """What is set: a row of `size` pixels, the window, and a key of `PARTNERS` beside it."""

    size: int = 15
    kernel: int = 3
    stride: int = 2
    padding: int = 0
    beside: str = "nothing"
    first: State | None = None  # what Reset goes back to

    @property
    def window(self) -> tuple[int, int, int, int]:
        return self.size, self.kernel, self.stride, self.padding

    @property
    def output(self) -> int:
        """The side of the map that comes out; 0 where the window does not fit."""
        return outputs(*self.window)

    @property
    def joins(self) -> bool | None:
        """Whether this branch can be concatenated with the one beside it; None where there is
        none."""
        partner = PARTNERS[self.beside]
        return None if partner is None else outputs(self.size, *partner) == self.output


def update(state: State, event: Event) -> State:
    """A slider is moved, the partner chosen, or Reset pressed."""
    if isinstance(event, Set):
        return replace(state, **{event.key: event.value})
    if event == Press("reset"):
        return replace(state.first, first=state.first)
    return state


def render(state: State) -> View:
    """Four sliders, a list, a sentence, the picture."""
    at_first = replace(state, first=None) == state.first

    def slider(key: str, label: str, low: int, high: int) -> Control:
        return Control(
            key, "slider", label, getattr(state, key), low=low, high=high, step=1, whole=True
        )

    return View(
        controls=(
            slider("size", "input", 1, LONGEST),
            slider("kernel", "kernel", 1, 7),
            slider("stride", "stride", 1, 4),
            slider("padding", "padding", 0, 3),
            Control("beside", "list", "beside it", state.beside, options=tuple(PARTNERS)),
            Control("reset", "button", "Reset", disabled=at_first, tip="Put every setting back"),
        ),
        parts=(Part("picture", window_svg(*state.window)),),
        status=verdict(state),
        alert=state.joins is False or not state.output,
    )


def formula(state: State) -> str:
    """The arithmetic with the numbers in it."""
    n, k, s, p = state.window
    return f"⌊({n} + 2·{p} − {k}) / {s}⌋ + 1 = {state.output}"


def kind(state: State) -> str:
    """The padding in the figures' words."""
    if state.padding == 0:
        return "V: valid, no padding"
    if 2 * state.padding == state.kernel - 1:
        return "same: the window's centre starts on the first pixel"
    if state.kernel % 2:
        return f"neither V nor same; same would be {(state.kernel - 1) // 2}"
    return "neither V nor same; same needs an odd kernel"


def verdict(state: State) -> str:
    """The settings in the figures' words, and whether the concatenation works."""
    n, k, _, p = state.window
    if not state.output:
        return f"A window of {k} does not fit into {n} pixels with {p} of padding: no output."
    words = f"{formula(state)}   ({kind(state)})."
    lost = unread(*state.window)
    if lost:
        words += f" The last {lost} of {n} pixels are not read."
    partner = PARTNERS[state.beside]
    if partner is None:
        return words
    other = outputs(n, *partner)
    if state.joins:
        return f"{words} The branch beside it gives {other} too: the two can be concatenated."
    return (
        f"{words} The branch beside it gives {other}, this one {state.output}: "
        "the concatenation breaks."
    )


def stored(state: State) -> list[Picture]:
    """What a page without a kernel shows."""
    picture = window_svg(*state.window)
    return [Picture(picture, f"{verdict(state)} {picture.said}")]


def padding_lab(
    size: int = 15, kernel: int = 3, stride: int = 2, padding: int = 0, beside: str = "nothing"
) -> Lab:
    """The padding calculator without widgets: a `core.Lab`. Raises ValueError for a setting that
    it does not have."""
    lab = Lab("padding", "Padding calculator", State(), update, render, stored, verdict)
    lab = begun(lab, size=size, kernel=kernel, stride=stride, padding=padding, beside=beside)
    return replace(lab, start=replace(lab.start, first=lab.start))


def padding_calculator(
    size: int = 15, kernel: int = 3, stride: int = 2, padding: int = 0, beside: str = "nothing"
) -> NotebookLab:
    """Display the padding calculator and return it.

    `size` up to 35 pixels, `kernel` up to 7, `stride` up to 4, `padding` up to 3 on each side;
    `beside` is a key of `PARTNERS`, the branch that the result is to be concatenated with. In code,
    set `.size`, `.kernel` and so on, and read `.state.output`, `.state.joins`.
    """
    from inception_edu.labs.host import NotebookLab

    lab = NotebookLab(padding_lab(size, kernel, stride, padding, beside))
    lab.show()
    return lab
