"""The residual-scaling lab: one tower of residual Inception blocks, its scale a slider (Section
3.3, Fig. 20).

from inception_edu.labs.scaling import scaling_lab
lab = scaling_lab()
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from inception_edu.labs import towers
from inception_edu.labs.core import Control, Lab
from inception_edu.labs.dying import (
    DEPTH,
    GUESSING,
    RATES,
    STEPS,
    USUAL,
    grid,
    recipe_of,
    shape,
    tower,
)
from inception_edu.labs.tower_known import Look
from inception_edu.labs.training import State
from inception_edu.study import Config

if TYPE_CHECKING:
    from inception_edu.labs.host import NotebookLab

WIDTHS = (32, 72, 144, 288, 576, 1152)
FIRST = {
    "scale": 1.0,
    "width": 144,
    "depth": DEPTH,
    "rate": 0.2,
    "optimizer": "rmsprop",
    "seed": 5,  # 0 to 4 are recorded
}
PANELS = (
    dict(key="loss", title="Loss", unit="nats, log", log=True, guides=[GUESSING]),
    dict(key="accuracy", title="Right on the training batch", percent=True, low=0, high=1),
    dict(key="dead", title="Silent in the batch, last block", percent=True, low=0, high=1),
    dict(
        key="spread",
        title="Spread of each block's output",
        unit="log; block 0 is the stem",
        log=True,
        alone=True,
    ),
)


def config(settings: dict, data: str = "fashion", steps: int = STEPS) -> Config:
    """The settings as a configuration that `study.run` takes."""
    recipe = recipe_of(settings, steps)
    names = ("width", "depth", "scale")
    network = {name: settings[name] for name in names} | shape(data)
    return Config(
        "lab", "tower", network, recipe, seed=settings["seed"], data=data, test_images=200
    )


def _controls(state: State) -> tuple[Control, ...]:
    s = state.settings
    optimizers = (("RMSProp", "rmsprop"), ("SGD", "sgd"))
    return (
        Control("scale", "slider", "scale", s["scale"], low=0, high=1.5, step=0.05),
        Control("width", "steps", "width", s["width"], options=WIDTHS, name="width, in channels"),
        Control("rate", "steps", "learning rate", s["rate"], options=RATES),
        Control("depth", "slider", "depth", s["depth"], low=1, high=20, whole=True),
        Control("optimizer", "list", "optimizer", s["optimizer"], options=optimizers),
        Control("seed", "whole", "seed", s["seed"], low=0, high=9999),
    )


def scaling_core(data: str = "fashion", steps: int = STEPS, **first) -> Lab:
    """The lab without widgets. Raises ValueError for a setting that it does not have."""
    look = Look(_controls, PANELS, grid(data, steps), tower, USUAL)
    make = partial(config, data=data, steps=steps)
    return towers.make("scaling-lab", "Residual-scaling lab", look, FIRST, first, make)


def scaling_lab(
    data: str = "fashion", steps: int = STEPS, mode: str = "auto", **first
) -> NotebookLab:
    """Display the residual-scaling lab and return it.

    `data` is a source of `data.load` ("fashion", the embedded images, by default, or
    "folder:PATH"), `steps` the length of a run. `mode` is "background", "foreground" (Colab) or
    "auto". Further keywords are the controls' first values: scale, width, rate, depth, optimizer
    ("rmsprop" or "sgd"), seed. In code, set `lab.scale = 0.3`, `lab.press("retrain")`,
    `lab.wait()`, and read `lab.state`. Raises ValueError for a setting that there is not.
    """
    from inception_edu.labs.host import NotebookLab

    lab = NotebookLab(scaling_core(data, steps, **first), mode)
    lab.show()
    return lab
