"""The padding calculator: one row of pixels, the window that slides over it, and whether two
branches can be joined.

padding_calculator(15, kernel=3, stride=2, padding=0)
"""

from __future__ import annotations

import ipywidgets as widgets

from inception_edu.describe.canvas import BRANCH_COLOURS, CARD, INK
from inception_edu.labs import Picture
from inception_edu.labs.diagram import ROW, Bench, card, status
from inception_edu.labs.page import changing

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
        f"A row of {size} pixels with {padding} of padding on each side. A window of {kernel} moves by {stride} "
        f"and stops at {count} places"
        + (f"; {lost} pixels at the end are not read." if lost else ".")
    )
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ied-window" role="img" aria-label="{said}" '
        f'viewBox="0 0 {width} {height}" width="{width}" '
        f'style="max-width:100%;height:auto;background:{CARD};font:12px system-ui,sans-serif">'
    ]

    def text(x, y, words, anchor="end"):
        out.append(f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{INK}">{words}</text>')

    def square(i, y, fill, stroke, dash=""):
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        out.append(
            f'<rect x="{left + i * cell + 1}" y="{y}" width="{cell - 2}" height="{cell - 2}" rx="2" '
            f'fill="{fill}" stroke="{stroke}"{dashes}/>'
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


class PaddingCalculator(Bench):
    """`padding_calculator` makes one. `size`, `kernel`, `stride`, `padding`, `beside` are its
    controls."""

    name, title = "padding", "Padding calculator"

    def __init__(
        self,
        size: int = 15,
        kernel: int = 3,
        stride: int = 2,
        padding: int = 0,
        beside: str = "nothing",
    ):
        wide = {"layout": widgets.Layout(width="300px"), "style": {"description_width": "80px"}}
        self.size = widgets.IntSlider(size, min=1, max=LONGEST, description="input", **wide)
        self.kernel = widgets.IntSlider(kernel, min=1, max=7, description="kernel", **wide)
        self.stride = widgets.IntSlider(stride, min=1, max=4, description="stride", **wide)
        self.padding = widgets.IntSlider(padding, min=0, max=3, description="padding", **wide)
        self.beside = widgets.Dropdown(
            options=list(PARTNERS), value=beside, description="beside it", **wide
        )
        self.reset_button = widgets.Button(
            description="Reset",
            tooltip="Put every setting back",
            layout=widgets.Layout(width="96px"),
        )
        self.controls = {
            key: getattr(self, key) for key in ("size", "kernel", "stride", "padding", "beside")
        }
        self._first = {key: control.value for key, control in self.controls.items()}
        for key, control in self.controls.items():
            control.add_class(f"ied-control-{key}")
            control.observe(self._redraw, names="value")
        self.reset_button.on_click(lambda _: self.reset())
        self.sentence = widgets.HTML().add_class("ied-status")
        self.picture = changing().add_class("ied-picture")
        row = widgets.Layout(**ROW)
        self.widget = widgets.VBox(
            [
                widgets.HBox([self.size, self.kernel], layout=row),
                widgets.HBox([self.stride, self.padding], layout=row),
                widgets.HBox([self.beside, self.reset_button], layout=row),
                self.sentence,
                self.picture,
            ],
            layout=widgets.Layout(width="100%"),
        )
        self.widget.add_class("ied-lab").add_class(f"ied-{self.name}")
        self._redraw()

    @property
    def window(self) -> tuple[int, int, int, int]:
        return self.size.value, self.kernel.value, self.stride.value, self.padding.value

    @property
    def output(self) -> int:
        """The side of the map that comes out; 0 where the window does not fit."""
        return outputs(*self.window)

    @property
    def joins(self) -> bool | None:
        """Whether this branch can be concatenated with the one beside it; None where there is
        none."""
        partner = PARTNERS[self.beside.value]
        return None if partner is None else outputs(self.size.value, *partner) == self.output

    def reset(self) -> None:
        """Put every setting back to the first one."""
        for key, value in self._first.items():
            self.controls[key].value = value

    def formula(self) -> str:
        """The arithmetic with the numbers in it."""
        n, k, s, p = self.window
        return f"⌊({n} + 2·{p} − {k}) / {s}⌋ + 1 = {self.output}"

    def verdict(self) -> str:
        """The settings in the figures' words, and whether the concatenation works."""
        n, k, s, p = self.window
        if not self.output:
            return f"A window of {k} does not fit into {n} pixels with {p} of padding: there is no output."
        kind = (
            "V: valid, no padding"
            if p == 0
            else "same: the window's centre starts on the first pixel"
            if 2 * p == k - 1
            else f"neither V nor same; same would be {(k - 1) // 2}"
            if k % 2
            else "neither V nor same; same needs an odd kernel"
        )
        lost = unread(*self.window)
        words = f"{self.formula()}   ({kind})." + (
            f" The last {lost} of {n} pixels are not read." if lost else ""
        )
        partner = PARTNERS[self.beside.value]
        if partner is None:
            return words
        other = outputs(n, *partner)
        if self.joins:
            return f"{words} The branch beside it gives {other} too: the two can be concatenated."
        return f"{words} The branch beside it gives {other}, this one {self.output}: the concatenation breaks."

    def _redraw(self, _=None) -> None:
        self.sentence.value = status(self.verdict(), alert=self.joins is False or not self.output)
        self.picture.value = card(window_svg(*self.window))

    def pictures(self) -> list[Picture]:
        picture = window_svg(*self.window)
        picture.said = f"{self.verdict()} {picture.said}"
        return [picture]

    def words(self) -> str:
        return self.verdict()


def padding_calculator(
    size: int = 15, kernel: int = 3, stride: int = 2, padding: int = 0, beside: str = "nothing"
) -> PaddingCalculator:
    """Display the padding calculator and return it.

    `size` up to 35 pixels, `kernel` up to 7, `stride` up to 4, `padding` up to 3 on each side;
    `beside` is a key of `PARTNERS`, the branch that the result is to be concatenated with. In code,
    set `.size.value` and so on.
    """
    lab = PaddingCalculator(size, kernel, stride, padding, beside)
    lab.show()
    return lab
