"""The residual-scaling lab: one tower of residual Inception blocks, its scale a slider (Section
3.3, Fig. 20).

    from inception_edu.labs.scaling import scaling_lab
    lab = scaling_lab()

`python -m inception_edu.labs.scaling` trains the lab's first settings and writes the run that the
lab shows when it is opened, `data/lab_scaling.json`.
"""

from __future__ import annotations

from dataclasses import replace

import ipywidgets as widgets

from inception_edu.data import Data
from inception_edu.describe import networks
from inception_edu.labs.chart import number
from inception_edu.labs.frame import Curve, Panel, Run
from inception_edu.labs.tower import BATCH, TowerLab
from inception_edu.learn import Recipe

OPTIMIZERS = {"rmsprop": "RMSProp", "sgd": "SGD"}


class ScalingLab(TowerLab):
    """`scaling_lab` makes one. The network is `networks.tower`: three convolutions, then `depth`
    blocks of Fig. 13."""

    name, title = "scaling-lab", "Residual-scaling lab"
    log_panel = 0
    panels = (
        Panel("Training loss", "step", "cross-entropy (nats)", low=0, cap=6),
        Panel("Accuracy on the training batches", "step", "accuracy", low=0, high=1, percent=True),
        Panel(
            "Activation spread by block, now",
            "block (0 = stem)",
            "standard deviation",
            log=True,
            whole=True,
        ),
        Panel(
            "Dead channels in the last block",
            "step",
            "share of channels",
            low=0,
            high=1,
            percent=True,
        ),
    )

    first_settings = {
        "scale": 1.0,
        "width": 576,
        "depth": 6,
        "lr": 0.1,
        "optimizer": "rmsprop",
        "seed": 0,
    }
    file = "lab_scaling.json"
    tests = 500  # enough for a figure in a legend
    steps = 80

    def make_controls(self) -> dict:
        wide = widgets.Layout(width="330px")
        slider = {
            "continuous_update": False,
            "layout": wide,
            "style": {"description_width": "90px"},
        }
        first = self.first
        return {
            "scale": widgets.FloatSlider(
                first["scale"], min=0, max=1.5, step=0.05, description="scale", **slider
            ),
            "width": widgets.IntSlider(
                first["width"], min=32, max=1152, step=32, description="width", **slider
            ),
            "depth": widgets.IntSlider(
                first["depth"], min=1, max=20, description="depth", **slider
            ),
            "lr": widgets.FloatLogSlider(
                first["lr"],
                base=10,
                min=-4,
                max=0,
                step=0.1,
                readout_format=".3g",
                description="learning rate",
                **slider,
            ),
            "optimizer": widgets.Dropdown(
                options=[(words, key) for key, words in OPTIMIZERS.items()],
                value=first["optimizer"],
                description="optimizer",
                layout=wide,
                style=slider["style"],
            ),
            "seed": widgets.BoundedIntText(
                first["seed"],
                min=0,
                max=9999,
                description="seed",
                layout=wide,
                style=slider["style"],
            ),
        }

    def recipe(self, settings: dict) -> Recipe:
        """How a run trains: the paper's RMSProp (decay 0.9, eps 1.0) or SGD, both with momentum
        0.9."""
        return Recipe(
            steps=self.steps,
            batch_size=BATCH,
            optimizer=settings["optimizer"],
            lr=settings["lr"],
            record_every=2,
            seed=settings["seed"],
        )

    def network(self, settings: dict):
        """The tower of these settings, for this lab's images."""
        return networks.tower(
            width=settings["width"],
            depth=settings["depth"],
            scale=settings["scale"],
            image=self.data.image,
            classes=len(self.data.classes),
        )

    def curves(self, run: Run) -> list[list[Curve]]:
        records, n = run.records, run.number
        if not records:
            return [[] for _ in self.panels]
        steps = [r.step for r in records]

        def spread(record):
            return Curve(list(range(len(record.spread))), list(record.spread.values()), n)

        start = replace(spread(records[0]), guide=True)
        dead = [list(r.dead.values())[-1] if r.dead else None for r in records]
        return [
            [Curve(steps, [r.loss for r in records], n)],
            [Curve(steps, [r.accuracy for r in records], n)],
            [start, spread(records[-1])],
            [Curve(steps, dead, n)],
        ]

    def x_ranges(self, settings: list[dict]):
        steps = (0, self.steps)
        return [steps, steps, (0, max(s["depth"] for s in settings)), steps]

    def notes(self) -> list[str]:
        return [
            '<div style="color:#5f5f5f">Third picture: the dotted line is the spread at the first step of the run, '
            "before it learned anything.</div>"
        ]

    def words(self, settings: dict) -> str:
        return (
            f"scale {settings['scale']:g} · width {settings['width']} · depth {settings['depth']} · "
            f"rate {settings['lr']:.3g} · {OPTIMIZERS[settings['optimizer']]} · seed {settings['seed']}"
        )

    def outcome(self, run: Run) -> str:
        last = run.records[-1]
        words = f"loss {number(last.loss)}, accuracy {number(last.accuracy, True)}"
        if last.dead:
            words += f", dead in the last block {number(list(last.dead.values())[-1], True)}"
        return words + (
            "" if run.status in ("finished", "running") else f" ({run.status} at step {last.step})"
        )


def scaling_lab(
    data: Data | None = None, steps: int = 80, mode: str = "auto", **first
) -> ScalingLab:
    """Display the residual-scaling lab and return it.

    `data` is what `data.load` returns (the embedded Fashion-MNIST subset by default), `steps` the
    length of a run. `mode` is "background", "foreground" (Colab) or "auto". Further keywords are
    the sliders' first values: scale, width, depth, lr, optimizer ("rmsprop" or "sgd"), seed. Raises
    ValueError for a setting that there is not.
    """
    lab = ScalingLab(data, steps, mode, **first)
    lab.show()
    return lab


if __name__ == "__main__":
    ScalingLab(mode="foreground").record()
