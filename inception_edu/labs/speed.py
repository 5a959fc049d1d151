"""The speed lab: the same network, folded, merged, in another layout or precision, clocked against
the plain one.

    lab = speed_lab("inception_resnet_v2", image=139)
    lab.weights = "folded"; lab.press("measure")      # as the controls do it
    lab.state.found[-1].speedup                       # Speedup(ratios=(1.31, …))
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import median

import torch
from torch import nn

from inception_edu.describe import NETWORKS, SpecError, measure, mini, network, smallest_image
from inception_edu.labs import Picture, core
from inception_edu.labs.core import Column, Control, End, Part, Press, Report, Row, Set, Start, Stop
from inception_edu.labs.speed_picture import speed_svg
from inception_edu.learn import default_device
from inception_edu.learn.machine import synchronize
from inception_edu.learn.pace import set_threads
from inception_edu.learn.speedup import Speedup
from inception_edu.nets.build import build
from inception_edu.nets.fast import fold, merge_siblings

MINI = "mini "
KEYS = (
    *(key for key in NETWORKS if key.startswith("inception")),
    *(MINI + key for key in ("inception_v4", "inception_resnet_v1", "inception_resnet_v2")),
)
WEIGHTS = (("as trained", "plain"), ("folded", "folded"), ("folded and merged", "merged"))
LAYOUTS = {"channels first": torch.contiguous_format, "channels last": torch.channels_last}
PRECISIONS = ("float32", "bfloat16")
BATCHES = (1, 4, 16)
FEW, MOST_ROUNDS, BUDGET = 6, 15, 4.0  # rounds, and seconds after which six are enough
LONG = 10.0  # seconds from which a measurement is announced as long
MOST = 8  # rows that are kept


@dataclass(frozen=True)
class Settings:
    """What is measured."""

    network: str
    image: int
    batch: int
    weights: str = "merged"
    layout: str = "channels first"
    precision: str = "float32"

    @property
    def description(self):
        return _description(self.network)

    @property
    def macs(self) -> int:
        """Multiply-adds of one call of the plain network."""
        return self.batch * measure(self.description, self.image).macs

    def words(self) -> str:
        changes = [
            dict((k, words) for words, k in WEIGHTS)[self.weights]
            if self.weights != "plain"
            else "",
            self.layout if self.layout != "channels first" else "",
            self.precision if self.precision != "float32" else "",
        ]
        what = ", ".join(filter(None, changes)) or "nothing changed"
        return f"{self.description.name}, {self.batch} × {self.image}×{self.image}: {what}"


@dataclass(frozen=True)
class Found:
    """One measurement: seconds of each call of the plain network and of the changed one, in turns,
    and the largest difference of their logits in standard deviations of the plain one's."""

    settings: Settings
    plain: tuple[float, ...]
    changed: tuple[float, ...]
    error: float
    status: str = "finished"

    @property
    def speedup(self) -> Speedup:
        return Speedup.of(self.plain, self.changed)


@dataclass(frozen=True)
class State:
    """`rate`: multiply-adds a second, as this machine has shown; `now`: the measurement that is
    under way."""

    settings: Settings
    found: tuple[Found, ...] = ()
    now: Found | None = None
    running: bool = False
    rate: float | None = None
    said: str = ""


def _description(key: str):
    return mini(network(key.removeprefix(MINI))) if key.startswith(MINI) else network(key)


@lru_cache(maxsize=3)
def _model(key: str, weights: str, layout: str) -> nn.Module:
    if layout != "channels first":
        # A copy: `to` would change the plain network that it is clocked against.
        return deepcopy(_model(key, weights, "channels first")).to(memory_format=LAYOUTS[layout])
    if weights == "plain":
        return build(_description(key), init="torch", seed=0).to(default_device()).eval()
    folded = fold(_model(key, "plain", layout))
    return folded if weights == "folded" else merge_siblings(folded)


@lru_cache(maxsize=1)
def probe() -> float:
    """Multiply-adds a second of a middling convolution here: about 20 ms of work."""
    set_threads()
    conv, x = nn.Conv2d(64, 64, 3, padding=1).to(default_device()), torch.zeros(1, 64, 48, 48)
    x = x.to(default_device())
    with torch.inference_mode():
        conv(x)
        synchronize(x.device)
        start = time.perf_counter()
        for _ in range(3):
            conv(x)
        synchronize(x.device)
    return 3 * 64 * 64 * 9 * 48 * 48 / (time.perf_counter() - start)


def clocking(settings: Settings):
    """A function of (report, stop) that clocks the settings against the plain network, round by
    round; it reports a `Found` after each."""

    def work(report, stop) -> Found:
        set_threads()
        device, key, side = default_device(), settings.network, settings.image
        plain = _model(key, "plain", "channels first")
        changed = _model(key, settings.weights, settings.layout)
        shape = (settings.batch, settings.description.channels, side, side)
        images = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(device)
        order = LAYOUTS[settings.layout]

        def call(x):
            half = settings.precision == "bfloat16"
            cast = torch.autocast(device.type, torch.bfloat16) if half else nullcontext()
            with cast:
                return changed(x.contiguous(memory_format=order))

        with torch.inference_mode():
            expected = plain(images)  # these two warm up as well
            error = ((call(images).float() - expected).abs().max() / expected.std()).item()
            found, begun = Found(settings, (), (), error, "running"), time.perf_counter()
            for done in range(1, MOST_ROUNDS + 1):
                first, second = (_seconds(f, images, device) for f in (plain, call))
                found = replace(
                    found, plain=(*found.plain, first), changed=(*found.changed, second)
                )
                report(found)
                if stop.is_set():
                    break
                if done >= FEW and time.perf_counter() - begun > BUDGET:
                    break
        return replace(found, status="stopped" if stop.is_set() else "finished")

    return work


def _seconds(call, images, device) -> float:
    synchronize(device)
    start = time.perf_counter()
    call(images)
    synchronize(device)
    return time.perf_counter() - start


# --- The lab --------------------------------------------------------------------------------------


def update(state: State, event):
    if isinstance(event, Set):
        settings = replace(state.settings, **{event.key: event.value})
        if event.key == "network":
            # Another network begins with a size that is quick.
            settings = replace(settings, image=min(settings.description.image, 139))
        return replace(state, settings=settings, said="")
    if isinstance(event, Press):
        if event.key == "measure" and not state.running:
            state = replace(state, running=True, now=None, said="")
            return state, Start("measure", state.settings)
        if event.key == "stop" and state.running:
            return state, Stop("measure")
        return replace(state, found=(), said="") if event.key == "reset" else state
    if isinstance(event, Report):
        found: Found = event.value
        return replace(state, now=found, rate=found.settings.macs / median(found.plain))
    if isinstance(event, End):
        state = replace(state, running=False, now=None)
        if event.status == "failed" or event.value is None:
            return replace(state, said=event.sentence)
        return replace(state, found=(*state.found, event.value)[-MOST:])
    return state


def seconds_for(state: State) -> float:
    """About how long the next measurement takes."""
    once = 2 * state.settings.macs / (state.rate or probe())
    rounds = max(FEW, min(MOST_ROUNDS, round(BUDGET / max(once, 1e-6))))
    return (rounds + 1) * once


def words(state: State) -> str:
    if state.said:
        return state.said
    if state.running:
        if state.now is None:
            return f"Building {state.settings.description.name}; about {_about(state)} …"
        return (
            f"Measuring {state.now.settings.words()}: round {len(state.now.plain)} of at most "
            f"{MOST_ROUNDS}. So far: {state.now.speedup}"
        )
    if not state.found:
        return f"Choose what to change, then press Measure: it takes about {_about(state)}."
    last = state.found[-1]
    each = [1000 * median(s) / last.settings.batch for s in (last.changed, last.plain)]
    stopped = " Stopped before its time: these are the rounds until then." * (
        last.status == "stopped"
    )
    said = f"{last.speedup}"
    differ = "Outputs are the same."
    if last.error:
        differ = f"Outputs differ by at most {last.error:.0e} of their spread."
    return (
        f"{last.settings.words()}. {said[0].upper()}{said[1:]}; {each[0]:.1f} ms an image in place "
        f"of {each[1]:.1f}. {differ}{stopped}"
    )


def _about(state: State) -> str:
    seconds = seconds_for(state)
    if seconds < LONG:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 5) * 5} s (long: Stop ends it, and the rounds until then count)"


def render(state: State) -> core.View:
    now, run = state.settings, state.running
    least = smallest_image(now.description)
    names = tuple((_description(k).name, k) for k in KEYS)
    controls = (
        Control("network", "list", "Network", now.network, names, disabled=run),
        Control(
            "image",
            "slider",
            "Image",
            now.image,
            low=least,
            high=299,
            whole=True,
            unit="px",
            disabled=run,
            name="side of the image in pixels",
        ),
        Control("batch", "pick", "Images at once", now.batch, BATCHES, disabled=run),
        Control("weights", "list", "Weights", now.weights, WEIGHTS, disabled=run),
        Control("layout", "list", "Layout", now.layout, tuple(LAYOUTS), disabled=run),
        Control("precision", "list", "Precision", now.precision, PRECISIONS, disabled=run),
        Control(
            "measure",
            "button",
            "Measure",
            look="primary",
            disabled=run,
            tip="Clock these settings against the plain network",
        ),
        Control("stop", "button", "Stop", disabled=not run, tip="End after this round"),
        Control("reset", "button", "Reset", disabled=run, tip="Forget what was measured"),
    )
    layout = Column(
        Row("network", "image", "batch"),
        Row("weights", "layout", "precision"),
        Row("measure", "stop", "reset"),
        "status",
        "result",
    )
    return core.View(
        controls, (Part("result", _picture(state)),), words(state), bool(state.said), layout
    )


def _picture(state: State) -> str:
    rows = [*state.found, *([state.now] if state.now else [])]
    return speed_svg([(f.settings.words(), f.speedup) for f in rows][-MOST:], MOST)


def speed_lab(
    key: str = "inception_resnet_v2", image: int = 139, batch: int = 1, mode: str = "auto"
):
    """Display the speed lab and return it; it begins with a measurement of its first settings.

    `key`: one of `KEYS`; `image`: the side of its square images in pixels; `batch`: 1, 4 or 16
    images at once. Raises `SpecError` for a network that it does not have.
    """
    from inception_edu.labs.host import NotebookLab
    from inception_edu.labs.live import pick_mode

    if key not in KEYS:
        raise SpecError(f"There is no network {key!r} to measure; choose one of {', '.join(KEYS)}.")
    lab = NotebookLab(lab_of(Settings(key, image, batch)), mode)
    lab.show()
    if pick_mode(mode) == "background":
        lab.press("measure")
    return lab


def lab_of(settings: Settings) -> core.Lab:
    return core.Lab(
        "speed",
        "Speed",
        State(settings),
        update,
        render,
        lambda state: [Picture(_picture(state), words(state))],
        words,
        clocking,
    )
