"""The residual-scaling lab: one tower of residual Inception blocks, its scale a slider (Section 3.3, Fig. 20).

    from inception_edu.labs.scaling import scaling_lab
    lab = scaling_lab()

`python -m inception_edu.labs.scaling` trains the lab's first settings and writes the run that the lab shows when it
is opened, `data/lab_scaling.json`.
"""
from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from functools import lru_cache

import ipywidgets as widgets
import torch

from inception_edu.build import build
from inception_edu.data import Data, data_dir, default_device, load
from inception_edu.labs import live
from inception_edu.labs.chart import number
from inception_edu.labs.frame import Curve, Lab, Panel, Run
from inception_edu.measure import measure
from inception_edu.networks import tower
from inception_edu.train import History, Recipe, train

RECORDED = data_dir() / "lab_scaling.json"
OPTIMIZERS = {"rmsprop": "RMSProp", "sgd": "SGD"}
BATCH = 32
_MEASURING = threading.Lock()


class ScalingLab(Lab):
    """`scaling_lab` makes one. The network is `networks.tower`: three convolutions, then `depth` blocks of Fig. 13."""

    name, title = "scaling-lab", "Residual-scaling lab"
    log_panel = 0
    panels = (
        Panel("Training loss", "step", "cross-entropy (nats)", low=0, cap=6),
        Panel("Accuracy on the training batches", "step", "accuracy", low=0, high=1, percent=True),
        Panel("Activation spread by block, now", "block (0 = stem)", "standard deviation", log=True, whole=True),
        Panel("Dead channels in the last block", "step", "share of channels", low=0, high=1, percent=True),
    )

    def __init__(self, data: Data | None = None, steps: int = 80, mode: str = "auto", **first):
        self.data = load("fashion") if data is None else data
        # A run ends with a look at test images: 500 are enough for a figure in a legend.
        self.few = replace(self.data, test=self.data.test[:500])
        self.steps = steps
        self.first = {"scale": 1.0, "width": 576, "depth": 6, "lr": 0.1, "optimizer": "rmsprop", "seed": 0}
        unknown = set(first) - set(self.first)
        if unknown:
            raise ValueError(f"The scaling lab has no setting {', '.join(sorted(unknown))}; it has "
                             f"{', '.join(self.first)}.")
        self.first |= first
        self._per_guess = 1.0      # seconds that a run took, over what was reckoned
        super().__init__(mode)

    def make_controls(self) -> dict:
        wide = widgets.Layout(width="330px")
        slider = {"continuous_update": False, "layout": wide, "style": {"description_width": "90px"}}
        first = self.first
        return {
            "scale": widgets.FloatSlider(first["scale"], min=0, max=1.5, step=0.05, description="scale", **slider),
            "width": widgets.IntSlider(first["width"], min=32, max=1152, step=32, description="width", **slider),
            "depth": widgets.IntSlider(first["depth"], min=1, max=20, description="depth", **slider),
            "lr": widgets.FloatLogSlider(first["lr"], base=10, min=-4, max=0, step=0.1, readout_format=".3g",
                                         description="learning rate", **slider),
            "optimizer": widgets.Dropdown(options=[(words, key) for key, words in OPTIMIZERS.items()],
                                          value=first["optimizer"], description="optimizer", layout=wide,
                                          style=slider["style"]),
            "seed": widgets.BoundedIntText(first["seed"], min=0, max=9999, description="seed", layout=wide,
                                           style=slider["style"]),
        }

    def recipe(self, settings: dict) -> Recipe:
        """How a run trains: the paper's RMSProp (decay 0.9, eps 1.0) or SGD, both with momentum 0.9."""
        return Recipe(steps=self.steps, batch_size=BATCH, optimizer=settings["optimizer"], lr=settings["lr"],
                      record_every=2, seed=settings["seed"])

    def network(self, settings: dict):
        """The tower of these settings, for this lab's images."""
        return tower(width=settings["width"], depth=settings["depth"], scale=settings["scale"],
                     image=self.data.image, classes=len(self.data.classes))

    def work(self, settings: dict):
        def train_it(report, stop):
            model = build(self.network(settings), seed=settings["seed"]).to(default_device())
            begin = time.perf_counter()
            history = train(model, self.few, self.recipe(settings), on_record=report, stop=stop)
            if history.status == "finished":
                guess = self.seconds(settings)
                if guess:
                    self._per_guess *= (time.perf_counter() - begin) / guess
            return history
        return train_it

    def total(self, settings: dict) -> int:
        return self.steps

    def seconds(self, settings: dict) -> float | None:
        """What a run takes here, about: multiply-adds at this machine's rate, and so much a layer."""
        if not speed.cache_info().currsize:
            return None            # the warm-up has not measured it yet
        rate, layer = speed()
        macs, layers = measure(self.network(settings)).macs, 4 + 5 * settings["depth"]
        return self._per_guess * self.steps * (3 * BATCH * macs / rate + layer * layers)

    def warm_up(self) -> None:
        measure_machine()

    def curves(self, run: Run) -> list[list[Curve]]:
        records, n = run.records, run.number
        if not records:
            return [[] for _ in self.panels]
        steps = [r.step for r in records]

        def spread(record):
            return Curve(list(range(len(record.spread))), list(record.spread.values()), n)

        start = replace(spread(records[0]), guide=True)
        dead = [list(r.dead.values())[-1] if r.dead else None for r in records]
        return [[Curve(steps, [r.loss for r in records], n)], [Curve(steps, [r.accuracy for r in records], n)],
                [start, spread(records[-1])], [Curve(steps, dead, n)]]

    def x_ranges(self, settings: list[dict]):
        steps = (0, self.steps)
        return [steps, steps, (0, max(s["depth"] for s in settings)), steps]

    def notes(self) -> list[str]:
        return ['<div style="color:#5f5f5f">Third picture: the dotted line is the spread at the first step of the run, '
                "before it learned anything.</div>"]

    def words(self, settings: dict) -> str:
        return (f"scale {settings['scale']:g} · width {settings['width']} · depth {settings['depth']} · "
                f"rate {settings['lr']:.3g} · {OPTIMIZERS[settings['optimizer']]} · seed {settings['seed']}")

    def outcome(self, run: Run) -> str:
        last = run.records[-1]
        words = f"loss {number(last.loss)}, accuracy {number(last.accuracy, True)}"
        if last.dead:
            words += f", dead in the last block {number(list(last.dead.values())[-1], True)}"
        return words + ("" if run.status in ("finished", "running") else f" ({run.status} at step {last.step})")

    def recorded(self) -> list[Run]:
        """The committed run of the first settings, if the lab still has these, and these images."""
        try:
            kept = json.loads(RECORDED.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        if (kept["settings"], kept["steps"], kept["data"]) != (self.first, self.steps, self.data.name):
            return []
        history = History.from_dict(kept["history"])
        return [Run(1, self.first, self.words(self.first), history.records, history.status, recorded=True)]


def measure_machine() -> None:
    """What the first run of a lab would else wait for: torch's first steps, and the measurement of `speed`."""
    with _MEASURING:          # two labs that open at once would measure each other
        live.warm_up()
        speed()


@lru_cache(maxsize=1)
def speed() -> tuple[float, float]:
    """(multiply-adds a second in large layers, seconds a small layer costs whatever its size), forward and backward.

    Measured on a stack of convolution, batch norm and ReLU, on a 4×4 grid like the tower's. Draws no random numbers.
    """
    place = default_device()

    def seconds(width: int, layers: int) -> float:
        x = torch.full((BATCH, width, 4, 4), 0.1, device=place)
        weights = [torch.full((width, width, 1, 1), 0.01, device=place, requires_grad=True) for _ in range(layers)]
        best = float("inf")
        for _ in range(6):
            start = time.perf_counter()
            y = x
            for weight in weights:
                y = torch.relu(torch.nn.functional.batch_norm(
                    torch.nn.functional.conv2d(y, weight), None, None, training=True))
            y.sum().backward()
            y.sum().item()         # waits for the device
            best = min(best, time.perf_counter() - start)
        return best

    small, large = seconds(16, 10), seconds(512, 10)
    macs = 3 * 10 * BATCH * 16 * 512 * 512
    return macs / max(large - small, large / 4), min(small, large) / 10


def scaling_lab(data: Data | None = None, steps: int = 80, mode: str = "auto", **first) -> ScalingLab:
    """Display the residual-scaling lab and return it.

    `data` is what `data.load` returns (the embedded Fashion-MNIST subset by default), `steps` the length of a run.
    `mode` is "background", "foreground" (Colab) or "auto". Further keywords are the sliders' first values: scale,
    width, depth, lr, optimizer ("rmsprop" or "sgd"), seed. Raises ValueError for a setting that there is not.
    """
    lab = ScalingLab(data, steps, mode, **first)
    lab.show()
    return lab


def _record() -> None:
    lab = ScalingLab(mode="foreground")
    history = lab.work(lab.first)(lambda record: None, None)
    kept = {"settings": lab.first, "steps": lab.steps, "data": lab.data.name, "images": len(lab.data.train.labels),
            "device": str(default_device()), "torch": torch.__version__, "history": history.to_dict()}
    RECORDED.write_text(json.dumps(kept) + "\n", encoding="utf-8")
    print(f"{RECORDED.name}: {lab.words(lab.first)}: {history.sentence}")


if __name__ == "__main__":
    _record()
