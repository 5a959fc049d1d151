"""The speed lab: the same network, folded, merged, in another layout or precision, clocked against
the plain one.

lab = speed_lab("inception_resnet_v2", image=139)
lab.weights.value = "folded"; lab.measure()       # as the controls do it
lab.found[-1]                                      # Found(words="…", plain=(…), changed=(…),
                                                   error=…)
"""

from __future__ import annotations

from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from statistics import median

import ipywidgets as widgets
import torch
from torch import nn

from inception_edu.describe import NETWORKS, SpecError, mini, network, smallest_image
from inception_edu.labs import Picture
from inception_edu.labs.diagram import ROW, Bench, card, status
from inception_edu.labs.page import changing
from inception_edu.learn import default_device, set_threads
from inception_edu.nets.build import build
from inception_edu.nets.fast import clock, fold, merge_siblings

MINI = "mini "
KEYS = (
    *(key for key in NETWORKS if key.startswith("inception")),
    *(MINI + key for key in ("inception_v4", "inception_resnet_v1", "inception_resnet_v2")),
)
WEIGHTS = {"plain": "as trained", "folded": "folded", "merged": "folded and merged"}
LAYOUTS = {"channels first": torch.contiguous_format, "channels last": torch.channels_last}
PRECISIONS = ("float32", "bfloat16")
SECONDS = 1.2  # about what one measurement takes, so that a press of the button is answered at once
MOST = 8  # rows that are kept


@dataclass(frozen=True)
class Found:
    """One measurement: seconds of each call of the plain network and of the changed one on so many
    images, in turns, and the largest difference of their logits in standard deviations of the plain
    one's."""

    words: str
    images: int
    plain: tuple[float, ...]
    changed: tuple[float, ...]
    error: float

    @property
    def ratios(self) -> list[float]:
        return [a / b for a, b in zip(self.plain, self.changed)]


def _description(key: str):
    return mini(network(key.removeprefix(MINI))) if key.startswith(MINI) else network(key)


@lru_cache(maxsize=3)
def _model(key: str, weights: str, layout: str) -> nn.Module:
    if (
        layout != "channels first"
    ):  # a copy: `to` would change the plain network that it is clocked against
        return deepcopy(_model(key, weights, "channels first")).to(memory_format=LAYOUTS[layout])
    if weights == "plain":
        return build(_description(key), init="torch", seed=0).to(default_device()).eval()
    folded = fold(_model(key, "plain", layout))
    return folded if weights == "folded" else merge_siblings(folded)


class SpeedLab(Bench):
    """`speed_lab` makes one. `measure()` is what the button does; `found` holds what it gave."""

    name, title = "speed", "Speed"

    def __init__(self, key: str, image: int, batch: int):
        if key not in KEYS:
            raise SpecError(
                f"There is no network {key!r} to measure; choose one of {', '.join(KEYS)}."
            )
        self._first = (key, image, batch, "merged", "channels first", "float32")
        wide = {
            "layout": widgets.Layout(width="330px", max_width="100%"),
            "style": {"description_width": "80px"},
        }
        names = [(_description(k).name, k) for k in KEYS]
        self.network = widgets.Dropdown(options=names, value=key, description="network", **wide)
        self.image = widgets.IntSlider(
            image, min=28, max=299, description="image (px)", continuous_update=False, **wide
        )
        self.batch = widgets.Dropdown(options=(1, 4, 16), value=batch, description="images", **wide)
        self.weights = widgets.Dropdown(
            options=[(words, k) for k, words in WEIGHTS.items()],
            value="merged",
            description="weights",
            **wide,
        )
        self.layout = widgets.Dropdown(options=tuple(LAYOUTS), description="layout", **wide)
        self.precision = widgets.Dropdown(options=PRECISIONS, description="precision", **wide)
        self.measure_button = widgets.Button(
            description="Measure",
            button_style="primary",
            tooltip="Clock these settings against the plain network",
            layout=widgets.Layout(width="96px"),
        )
        self.reset_button = widgets.Button(
            description="Reset",
            tooltip="Put every setting back, clear the table",
            layout=widgets.Layout(width="96px"),
        )
        self.sentence = widgets.HTML(layout=widgets.Layout(width="auto")).add_class("ied-status")
        self.result = changing(width="auto").add_class("ied-result")
        row = widgets.Layout(**ROW)
        self.widget = widgets.VBox(
            [
                widgets.HBox([self.network, self.image, self.batch], layout=row),
                widgets.HBox([self.weights, self.layout, self.precision], layout=row),
                widgets.HBox([self.measure_button, self.reset_button], layout=row),
                self.sentence,
                self.result,
            ],
            layout=widgets.Layout(width="100%"),
        )
        self.widget.add_class("ied-lab").add_class(f"ied-{self.name}")
        self.found: list[Found] = []
        self.network.observe(self._fit, names="value")
        self.measure_button.on_click(lambda _: self.measure())
        self.reset_button.on_click(lambda _: self.reset())
        self._fit()
        self.measure()

    def reset(self) -> None:
        """Put every setting back, and clear the table."""
        controls = (self.network, self.image, self.batch, self.weights, self.layout, self.precision)
        for control, value in zip(controls, self._first):
            control.value = value
        self.found.clear()
        self.result.value = ""
        self.sentence.value = status("Choose what to change, then press Measure.")

    def _fit(self, change=None) -> None:
        """Only sizes that the network can take, and another network begins with one that is
        quick."""
        net = _description(self.network.value)
        self.image.min = smallest_image(net)
        if change is not None:
            self.image.value = min(net.image, 139)

    def settings(self) -> str:
        """What is being measured, in words."""
        changes = [
            WEIGHTS[self.weights.value] if self.weights.value != "plain" else "",
            self.layout.value if self.layout.value != "channels first" else "",
            self.precision.value if self.precision.value != "float32" else "",
        ]
        side, images = self.image.value, self.batch.value
        return f"{_description(self.network.value).name}, {images} × {side}×{side}: " + (
            ", ".join(filter(None, changes)) or "nothing changed"
        )

    def measure(self) -> Found:
        """Clock the chosen settings against the plain network, and show the result."""
        self.sentence.value = status(f"Measuring {self.settings()} …")
        set_threads()
        device, key, side = default_device(), self.network.value, self.image.value
        plain = _model(key, "plain", "channels first")
        changed = _model(key, self.weights.value, self.layout.value)
        images = torch.randn(
            self.batch.value,
            _description(key).channels,
            side,
            side,
            generator=torch.Generator().manual_seed(0),
        ).to(device)
        order = LAYOUTS[self.layout.value]

        def call(x):
            cast = (
                torch.autocast(device.type, torch.bfloat16)
                if self.precision.value == "bfloat16"
                else nullcontext()
            )
            with cast:
                return changed(x.contiguous(memory_format=order))

        with torch.inference_mode():
            expected = plain(images)
            error = ((call(images).float() - expected).abs().max() / expected.std()).item()
        once = sum(median(s) for s in clock({"plain": plain, "changed": call}, images, 1).values())
        rounds = max(3, min(15, int(SECONDS / max(once, 1e-4))))
        seconds = clock({"plain": plain, "changed": call}, images, rounds)
        found = Found(self.settings(), self.batch.value, *map(tuple, seconds.values()), error)
        self.found = [*self.found, found][-MOST:]
        self.sentence.value = status(self.words())
        self.result.value = card(_svg(self.found))
        return found

    def words(self) -> str:
        if not self.found:
            return "Nothing is measured yet."
        last = self.found[-1]
        now, before = (
            1000 * median(seconds) / last.images for seconds in (last.changed, last.plain)
        )
        low, high = min(last.ratios), max(last.ratios)
        return (
            f"{last.words}. {median(last.ratios):.2f} times as fast as plain ({low:.2f} to {high:.2f} in "
            f"{len(last.ratios)} rounds): {now:.1f} ms an image in place of {before:.1f}. "
            f"Outputs differ by at most {last.error:.0e} standard deviations."
        )

    def pictures(self) -> list[Picture]:
        return [Picture(_svg(self.found), self.words())]


def _svg(found: list[Found]) -> str:
    """One line a measurement, the last one strong: a dot a round at plain / changed, a stroke at
    the median."""
    most = max(2.0, *(1.1 * r for f in found for r in f.ratios))
    left, width, step = 12, 620, 40
    scale = (width - 2 * left) / most
    height = 34 + step * len(found) + 16
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'style="max-width:{width}px;width:100%;height:auto;font-family:system-ui,sans-serif" '
        f'aria-label="{escape("; ".join(f"{f.words}: {median(f.ratios):.2f} times as fast" for f in found))}">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{left}" y="16" font-size="13" font-weight="600" fill="#222">times as fast as the plain network'
        "</text>",
    ]
    for tick in range(int(most) + 1):
        x = left + tick * scale
        colour = "#555" if tick == 1 else "#ddd"
        out.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="24" y2="{height - 16}" stroke="{colour}"/>'
            f'<text x="{x:.1f}" y="{height - 3}" font-size="11" text-anchor="middle" fill="#555">{tick}</text>'
        )
    for row, f in enumerate(found):
        y, last = 34 + step * row, row == len(found) - 1
        middle = left + median(f.ratios) * scale
        # A white rim, so that the lines behind the words do not cross them out.
        out.append(
            f'<text x="{left + 4}" y="{y + 8}" font-size="12" fill="#222" font-weight="{600 if last else 400}" '
            'stroke="#fff" stroke-width="4" paint-order="stroke">'
            f"{escape(f.words)}</text>"
        )
        out += [
            f'<circle cx="{left + r * scale:.1f}" cy="{y + 20}" r="3.5" fill="#0072b2" '
            f'fill-opacity="{0.7 if last else 0.3}"/>'
            for r in f.ratios
        ]
        out.append(
            f'<line x1="{middle:.1f}" x2="{middle:.1f}" y1="{y + 12}" y2="{y + 28}" stroke="#d55e00" '
            f'stroke-width="3"/><text x="{middle + 7:.1f}" y="{y + 32}" font-size="11" fill="#222">'
            f"{median(f.ratios):.2f}×</text>"
        )
    return "".join(out) + "</svg>"


def speed_lab(key: str = "inception_resnet_v2", image: int = 139, batch: int = 1) -> SpeedLab:
    """Display the speed lab and return it.

    `key`: one of `KEYS`; `image`: the side of its square images in pixels; `batch`: 1, 4 or 16
    images at once.
    Raises `SpecError` for a network that it does not have.
    """
    lab = SpeedLab(key, image, batch)
    lab.show()
    return lab
