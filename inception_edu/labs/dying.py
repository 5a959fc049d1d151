"""The dying lab: a wide residual tower loses its channels in front of the reader, and lives with
scaled residuals.

    from inception_edu.labs.dying import dying_lab
    lab = dying_lab()

`python -m inception_edu.labs.dying` trains the lab's first settings and writes the run that the lab
shows when it is opened, `data/lab_dying.json`.
"""

from __future__ import annotations

import math
from html import escape

import ipywidgets as widgets
from torch import nn

from inception_edu.data import Data
from inception_edu.describe import Network
from inception_edu.describe.canvas import CARD
from inception_edu.labs import Picture
from inception_edu.labs.chart import FAINT, INK, Curve, Panel, number
from inception_edu.labs.frame import Run
from inception_edu.labs.tower import BATCH, TowerLab
from inception_edu.learn import Recipe
from inception_edu.study import Config

DEPTH, STEPS = 10, 60
REMEDIES = {
    "nothing": {},
    "norm in last branch": dict(change="norm in last branch"),
    "norm after last sum": dict(change="norm after last sum"),
    "two-phase warm-up": dict(warmup_steps=20, warmup_lr=1e-5),
    "linear warm-up": dict(warmup_steps=STEPS),
    "clipped gradient": dict(clip=2.0),
    "slow classifier": dict(change="slow classifier"),
    "last layers centred": dict(change="centred last layers"),
}
# 0.1 puts 576 channels in as much danger as the paper's 0.045 would some 1200.
RATES = (0.001, 0.0045, 0.01, 0.045, 0.1, 0.2, 0.45)


def shade(share: float) -> str:
    """White for a block that lives, through orange to black for one that is dead: darker is always
    worse."""
    stops = (
        (0.0, (255, 255, 255)),
        (0.15, (253, 216, 160)),
        (0.5, (213, 94, 0)),
        (1.0, (20, 20, 20)),
    )
    for (a, low), (b, high) in zip(stops, stops[1:]):
        if share <= b:
            t = (share - a) / (b - a)
            return "#" + "".join(f"{round(x + t * (y - x)):02x}" for x, y in zip(low, high))
    return "#141414"


def map_svg(
    steps: list[int],
    dead: dict[str, list[float]],
    title: str,
    total: int | None = None,
    words: str = "",
) -> Picture:
    """Dead channels over block (rows, the first at the bottom) and step (columns) as an SVG with
    its words.

    `dead` has one share of 1 a step for each block. `total`: the last step of the axis. `words`: a
    second line.
    """
    names = list(dead)
    total = max(total or 0, steps[-1] if steps else 1, 1)
    left, top, width, row = 76, 46 if words else 30, 560, 15
    bottom = top + row * len(names)
    last = (
        f"{number(dead[names[-1]][-1], True)} of the last block dead at step {steps[-1]}"
        if steps
        else "Empty"
    )
    said = ". ".join(filter(None, (title, words, last))) + "."
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 20} {bottom + 62}" role="img" '
        f'width="720" style="max-width:100%;height:auto;display:block;background:{CARD}" '
        f'aria-label="{escape(said, quote=True)}" '
        f'font-family="system-ui, sans-serif" font-size="11" fill="{INK}">'
        f'<text x="{left}" y="17" font-size="13" font-weight="600">{escape(title)}</text>'
    ]
    out += [f'<text x="{left}" y="34" fill="{FAINT}">{escape(words)}</text>'] if words else []
    edges = [*steps, total] if steps and steps[-1] < total else [*steps, total + 1]
    for i, name in enumerate(names):
        y = bottom - row * (i + 1)
        word = "stem" if name == "stem" else f"block {i}"
        out.append(
            f'<text x="{left - 6}" y="{y + 12}" text-anchor="end" fill="{FAINT}">{escape(word)}</text>'
        )
        for k, (step, share) in enumerate(zip(steps, dead[name])):
            x = left + width * step / total
            after = min(edges[k + 1], step + (step - steps[k - 1] if k else 2), total)
            out.append(
                f'<rect x="{x:.1f}" y="{y}" width="{max(1.0, width * (after - step) / total + 0.4):.1f}" '
                f'height="{row}" fill="{shade(share)}"/>'
            )
    out.append(
        f'<rect x="{left}" y="{top}" width="{width}" height="{bottom - top}" fill="none" stroke="{FAINT}"/>'
    )
    for k in range(0, 5):
        step = round(total * k / 4)
        out.append(
            f'<text x="{left + width * step / total:.1f}" y="{bottom + 15}" text-anchor="middle" '
            f'fill="{FAINT}">{step}</text>'
        )
    out.append(f'<text x="{left + width}" y="{bottom + 32}" text-anchor="end">step</text>')
    for k, share in enumerate((0, 0.1, 0.25, 0.5, 0.75, 1)):
        x = left + 64 * k
        out.append(
            f'<rect x="{x}" y="{bottom + 40}" width="14" height="12" fill="{shade(share)}" stroke="{FAINT}"/>'
            f'<text x="{x + 19}" y="{bottom + 50}">{100 * share:g} %</text>'
        )
    out.append(
        f'<text x="{left - 6}" y="{bottom + 50}" text-anchor="end" fill="{FAINT}">dead</text>'
    )
    return Picture("".join(out) + "</svg>", said)


class DyingLab(TowerLab):
    """Width, scale, rate and remedy of a tower of ten residual blocks; `dying_lab` makes and shows
    one."""

    name, title = "dying-lab", "Dying networks"
    panels = (
        Panel("Training loss (dotted: guessing)", "step", "cross-entropy (nats)", low=0.0, cap=6.0),
        Panel(
            "Dead channels in the last block",
            "step",
            "share of channels",
            low=0.0,
            high=1.0,
            percent=True,
        ),
    )

    first_settings = {
        "width": 576,
        "scale": 1.0,
        "rate": 0.1,
        "remedy": "nothing",
        "optimizer": "rmsprop",
        "seed": 0,
    }
    file = "lab_dying.json"
    tests = 200  # all turns on the dead channels
    steps = STEPS

    def make_controls(self) -> dict:
        common = {"layout": widgets.Layout(width="330px"), "style": {"description_width": "90px"}}
        slider = {"continuous_update": False, **common}
        first = self.first
        return {
            "width": widgets.SelectionSlider(
                options=[72, 144, 288, 576, 1152],
                value=first["width"],
                description="width",
                **slider,
            ),
            "scale": widgets.FloatSlider(
                first["scale"], min=0.0, max=1.5, step=0.05, description="scale", **slider
            ),
            "rate": widgets.SelectionSlider(
                options=RATES, value=first["rate"], description="learning rate", **slider
            ),
            "remedy": widgets.Dropdown(
                options=list(REMEDIES), value=first["remedy"], description="remedy", **common
            ),
            "optimizer": widgets.Dropdown(
                options=[("RMSProp", "rmsprop"), ("SGD", "sgd")],
                value=first["optimizer"],
                description="optimizer",
                **common,
            ),
            "seed": widgets.BoundedIntText(
                first["seed"], min=0, max=9999, description="seed", **common
            ),
        }

    def config(self, settings: dict) -> Config:
        """The settings as the configuration of an experiment."""
        remedy = dict(REMEDIES[settings["remedy"]])
        change = remedy.pop("change", "")
        recipe = Recipe(
            steps=self.steps,
            batch_size=BATCH,
            optimizer=settings["optimizer"],
            lr=settings["rate"],
            momentum=0.9,
            rms_decay=0.9,
            eps=1.0,
            record_every=2,
            **remedy,
        )
        network = dict(
            width=settings["width"],
            depth=DEPTH,
            scale=settings["scale"],
            image=self.data.image,
            classes=len(self.data.classes),
        )
        return Config(
            "lab",
            "tower",
            network,
            recipe,
            seed=settings["seed"],
            data=self.data.name,
            change=change,
        )

    def network(self, settings: dict) -> Network:
        return self.config(settings).description()

    def recipe(self, settings: dict) -> Recipe:
        return self.config(settings).recipe

    def model(self, settings: dict) -> nn.Module:
        return self.config(settings).model()

    def curves(self, run: Run) -> list[list[Curve]]:
        steps = [r.step for r in run.records]
        guessing = Curve([0, self.steps], [math.log(len(self.data.classes))] * 2, guide=True)
        return [
            [guessing, Curve(steps, [r.loss for r in run.records], run.number)],
            [Curve(steps, [_last(r.dead) for r in run.records], run.number)],
        ]

    def x_ranges(self, settings: list[dict]):
        return [(0, self.steps)] * 2

    def words(self, settings: dict) -> str:
        words = [
            f"width {settings['width']}",
            f"scale {settings['scale']:g}",
            f"{'RMSProp' if settings['optimizer'] == 'rmsprop' else 'SGD'} {settings['rate']:g}",
        ]
        words += [settings["remedy"]] if settings["remedy"] != "nothing" else []
        return " · ".join([*words, f"seed {settings['seed']}"])

    def outcome(self, run: Run) -> str:
        last = run.records[-1].dead
        worst = max(last, key=last.get)
        text = f"{number(_last(last), True)} of the last block dead"
        elsewhere = last[worst] > _last(last)
        return text + (
            f" ({number(last[worst], True)} in {_block(worst, list(last))})" if elsewhere else ""
        )

    def notes(self) -> list[str]:
        """The maps of the current run and of the one before it."""
        return [self._map(run) for run in reversed([run for run in self.runs[-2:] if run.records])]

    def _map(self, run: Run) -> str:
        dead = {name: [r.dead[name] for r in run.records] for name in run.records[0].dead}
        title = f"Run {run.number}: dead channels by block and step"
        return map_svg([r.step for r in run.records], dead, title, self.steps, run.words)


def _last(dead: dict[str, float]) -> float:
    return list(dead.values())[-1]


def _block(name: str, names: list[str]) -> str:
    return "the stem" if name == "stem" else f"block {names.index(name)}"


def dying_lab(
    data: Data | None = None, steps: int = STEPS, mode: str = "auto", **first
) -> DyingLab:
    """Display the lab on Section 3.3, in which a tower of ten Inception-ResNet-C blocks dies, and
    return it.

    `data` is what `data.load` returns (the embedded images by default), `steps` the length of a
    run: at width 576 its fate shows within a few seconds on two cores. Further keywords are the
    controls' first values: width, scale, rate, remedy (a key of `REMEDIES`), optimizer, seed.
    Raises ValueError for a setting that there is not.
    """
    lab = DyingLab(data, steps, mode, **first)
    lab.show()
    return lab


if __name__ == "__main__":
    DyingLab(mode="foreground").record()
