"""The dying lab: a wide residual tower loses its channels in front of the reader, and lives with
scaled residuals (Section 3.3).

from inception_edu.labs.dying import dying_lab
lab = dying_lab()
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from inception_edu.labs import towers
from inception_edu.labs.core import Control, Lab
from inception_edu.labs.tower_known import Look
from inception_edu.labs.training import State
from inception_edu.learn import Recipe
from inception_edu.study import Config
from inception_edu.study.foretold import Before, before

if TYPE_CHECKING:
    from inception_edu.labs.host import NotebookLab

DEPTH, STEPS = 10, 60
REMEDIES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "norm in last branch": dict(change="norm in last branch"),
    "norm after last sum": dict(change="norm after last sum"),
    "two-phase warm-up": dict(warmup_steps=20, warmup_lr=1e-5),
    "linear warm-up": dict(warmup_steps=STEPS),
    "clipped gradient": dict(clip=2.0),
    "slow classifier": dict(change="slow classifier"),
    "last layers centred": dict(change="centred last layers"),
}
RATES = (0.001, 0.0045, 0.01, 0.045, 0.1, 0.2, 0.45)
WIDTHS = (72, 144, 288, 576, 1152)
FIRST = {
    "scale": 1.0,
    "width": 144,
    "rate": 0.45,
    "remedy": "nothing",
    "optimizer": "rmsprop",
    "seed": 5,  # 0 to 4 are recorded: a reader's first run is a new one
}
# What every recorded run has.
USUAL = {"remedy": "nothing", "optimizer": "rmsprop", "depth": DEPTH}
GUESSING = {"y": towers.GUESSING, "label": "guessing"}
PANELS = (
    dict(key="loss", title="Loss", unit="nats, log", log=True, guides=[GUESSING]),
    dict(key="push", title="Push", unit="mean of a · ∂loss/∂a", cap=20),
    dict(key="logits", title="Logits", unit="standard deviation", low=0, cap=20),
    dict(key="accuracy", title="Right on the training batch", percent=True, low=0, high=1),
    dict(key="dead", title="Silent in the batch, last block", percent=True, low=0, high=1),
)


def shape(data: str) -> dict:
    """What a network must know of images that are not the embedded ones: their side, the number of
    classes. Raises `data.DataError` where there are no such images."""
    if data == "fashion":
        return {}
    from inception_edu.study import open_data  # torch, which a web page has not

    images = open_data(data)
    return {"image": images.image, "classes": len(images.classes)}


def recipe_of(settings: dict, steps: int, **changes: Any) -> Recipe:
    """The paper's RMSProp (decay 0.9, eps 1.0) or SGD, both with momentum 0.9."""
    return Recipe(
        steps=steps,
        batch_size=32,
        optimizer=settings["optimizer"],
        lr=settings["rate"],
        momentum=0.9,
        rms_decay=0.9,
        eps=1.0,
        record_every=2,
        **changes,
    )


def config(settings: dict, data: str = "fashion", steps: int = STEPS) -> Config:
    """The settings as a configuration that `study.run` takes."""
    remedy = dict(REMEDIES[settings["remedy"]])
    change = remedy.pop("change", "")
    recipe = recipe_of(settings, steps, **remedy)
    network = dict(width=settings["width"], depth=DEPTH, scale=settings["scale"], **shape(data))
    seed = settings["seed"]
    return Config(
        "lab", "tower", network, recipe, seed=seed, data=data, change=change, test_images=200
    )


def _controls(state: State) -> tuple[Control, ...]:
    s = state.settings
    return (
        Control("scale", "slider", "scale", s["scale"], low=0, high=1.5, step=0.05),
        Control("width", "steps", "width", s["width"], options=WIDTHS, name="width, in channels"),
        Control("rate", "steps", "learning rate", s["rate"], options=RATES),
        Control("remedy", "list", "remedy", s["remedy"], options=tuple(REMEDIES)),
        Control(
            "optimizer",
            "list",
            "optimizer",
            s["optimizer"],
            options=(("RMSProp", "rmsprop"), ("SGD", "sgd")),
        ),
        Control("seed", "whole", "seed", s["seed"], low=0, high=9999),
    )


def grid(data: str, steps: int):
    """A function: settings → (width, scale, rate) where the recorded grid speaks of them, else
    None."""

    def place(settings: dict) -> tuple[float, float, float] | None:
        same = all(settings.get(key, value) == value for key, value in USUAL.items())
        if not same or data != "fashion" or steps != STEPS:
            return None
        return settings["width"], settings["scale"], settings["rate"]

    return place


def tower(settings: dict) -> Before | None:
    """The tower before its first step; None with a remedy that alters the network."""
    if "change" in REMEDIES[settings.get("remedy", "nothing")]:
        return None
    return before(settings["scale"], settings.get("depth", DEPTH))


def dying_core(data: str = "fashion", steps: int = STEPS, **first) -> Lab:
    """The lab without widgets. Raises ValueError for a setting that it does not have."""
    look = Look(_controls, PANELS, grid(data, steps), tower, USUAL)
    make = partial(config, data=data, steps=steps)
    return towers.make("dying-lab", "Dying networks", look, FIRST, first, make)


def dying_lab(
    data: str = "fashion", steps: int = STEPS, mode: str = "auto", **first
) -> NotebookLab:
    """Display the lab on Section 3.3, in which a tower of ten Inception-ResNet-C blocks dies, and
    return it.

    `data` is a source of `data.load` ("fashion", the embedded images, by default, or
    "folder:PATH"), `steps` the length of a run. Further keywords are the controls' first values:
    scale, width, rate, remedy (a key of `REMEDIES`), optimizer ("rmsprop" or "sgd"), seed. In code,
    set `lab.scale = 0.3`, `lab.press("retrain")`, `lab.wait()`, and read `lab.state`. Raises
    ValueError for a setting that there is not.
    """
    from inception_edu.labs.host import NotebookLab

    lab = NotebookLab(dying_core(data, steps, **first), mode)
    lab.show()
    return lab
