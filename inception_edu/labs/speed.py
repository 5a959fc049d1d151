"""The speed lab: the same network, folded, merged, in another layout or precision, clocked against
the plain one.

    lab = speed_lab("inception_resnet_v2", image=139)
    lab.weights = "folded"; lab.press("measure")      # as the controls do it
    lab.state.found[-1].speedup                       # Speedup(ratios=(1.31, …))
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from statistics import median

from inception_edu.describe import SpecError, smallest_image, trace
from inception_edu.labs import Picture, core, link
from inception_edu.labs.core import Column, Control, End, Part, Press, Report, Row, Set, Start, Stop
from inception_edu.labs.speed_clock import (
    BATCHES,
    BUDGET,
    FEW,
    KEYS,
    LAYOUTS,
    MOST_ROUNDS,
    PRECISIONS,
    WEIGHTS,
    Found,
    Settings,
    clocking,
    description_of,
    probe,
)
from inception_edu.labs.speed_picture import speed_svg
from inception_edu.labs.speed_recorded import recorded

LONG = 10.0  # seconds from which a measurement is announced as long
MOST = 6  # rows that are kept
LARGEST = 299  # pixels of a side


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


def update(state: State, event):
    if isinstance(event, Set):
        settings = replace(state.settings, **{event.key: event.value})
        if event.key == "network":
            # Another network begins with a size that is quick.
            return _sized(state, replace(settings, image=min(settings.description.image, 139)))
        if event.key == "image":
            return _sized(state, settings)
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


def _sized(state: State, wanted: Settings) -> State:
    """With the next side, in the direction of the move, that the network can take. BN-Inception
    takes 31 to 38, 63 to 70 pixels and so on: between them its branches end at different sizes."""
    network, side = wanted.description, wanted.image
    larger, smaller = range(side, LARGEST + 1), range(side, 0, -1)
    ways = (larger, smaller) if side > state.settings.image else (smaller, larger)
    fitting = next(s for way in ways for s in way if trace(network, s).broken is None)
    said = ""
    if fitting != side:
        said = (
            f"{network.name} cannot take images of {side}×{side}: branches would end at different "
            f"sizes. Set to {fitting}×{fitting}."
        )
    return replace(state, settings=replace(wanted, image=fitting), said=said)


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
    if state.settings != last.settings:
        before = replace(state, settings=last.settings)
        return f"Measuring this takes about {_about(state)}. Measured last: {words(before)}"
    # Of one round: medians of all rounds, taken apart, can say the opposite of the ratio's.
    rounds = sorted(zip(last.changed, last.plain), key=lambda r: r[1] / r[0])
    each = [1000 * s / last.settings.batch for s in rounds[len(rounds) // 2]]
    stopped = " Stopped before its time: these are the rounds until then." * (
        last.status == "stopped"
    )
    said = f"{last.speedup}"
    differ = "Outputs are the same."
    if last.error:
        differ = f"Outputs differ by at most {last.error:.0e} of their spread."
    return (
        f"{last.settings.words()}. {said[0].upper()}{said[1:]}; {each[0]:.1f} ms an image in place "
        f"of {each[1]:.1f} in the middle round. {differ}{stopped}"
    )


def _about(state: State) -> str:
    seconds = seconds_for(state)
    if seconds < LONG:
        return f"{max(1, round(seconds))} s"
    time = f"{round(seconds / 5) * 5} s" if seconds < 120 else f"{round(seconds / 60)} minutes"
    return f"{time} (long: Stop ends it, and the rounds until then count)"


def render(state: State) -> core.View:
    now, run = state.settings, state.running
    least = smallest_image(now.description)
    names = tuple((description_of(k).name, k) for k in KEYS)
    controls = (
        Control("network", "list", "Network", now.network, names, disabled=run),
        Control(
            "image",
            "slider",
            "Image",
            now.image,
            low=least,
            high=LARGEST,
            whole=True,
            unit="px",
            disabled=run,
            name="side of the image in pixels",
        ),
        Control("batch", "list", "Batch", now.batch, BATCHES, disabled=run, name="images at once"),
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
            starts=True,
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


def stored(state: State) -> list[Picture]:
    """What was measured here; before that, the measurement that comes with the project."""
    rows, where = recorded()
    if state.found or not rows:
        return [Picture(_picture(state), words(state))]
    said = f"Measured beforehand ({where}). Run this cell to clock your own machine."
    lines = "; ".join(f"{what}: {speedup}" for what, speedup in rows)
    return [Picture(speed_svg(rows, len(rows), said), f"{said} {lines}")]


def link_of(settings: Settings) -> str:
    """The line that opens the lab again with these settings."""
    given = asdict(settings)
    return link.write("speed_lab", {"key": given.pop("network")} | given)


def speed_lab(
    key: str = "inception_resnet_v2",
    image: int = 139,
    batch: int = 1,
    mode: str = "auto",
    weights: str = "merged",
    layout: str = "channels first",
    precision: str = "float32",
):
    """Display the speed lab and return it; it begins with a measurement of its first settings.

    `key`: one of `KEYS`; `image`: the side of its square images in pixels; `batch`: 1, 4 or 16
    images at once; `weights`: "plain", "folded" or "merged"; `layout` and `precision` as the lab
    writes them. Raises `SpecError` for what it does not have.
    """
    from inception_edu.labs.host import NotebookLab
    from inception_edu.labs.live import pick_mode

    if key not in KEYS:
        raise SpecError(f"There is no network {key!r} to measure; choose one of {', '.join(KEYS)}.")
    for what, value, known in (
        ("batch", batch, list(BATCHES)),
        ("weights", weights, [word for _, word in WEIGHTS]),
        ("layout", layout, list(LAYOUTS)),
        ("precision", precision, list(PRECISIONS)),
    ):
        if value not in known:
            raise SpecError(
                f"There is no {what} {value!r}; choose one of {', '.join(map(str, known))}."
            )
    lab = NotebookLab(lab_of(Settings(key, image, batch, weights, layout, precision)), mode)
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
        stored,
        words,
        clocking,
        link=lambda state: link_of(state.settings),
    )
