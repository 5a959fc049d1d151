"""The experiments on towers that die: C3 to C7 and C10. Each is a function from a mode to its
configurations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inception_edu.study.cells import LINEAR, SGD, SICK, TWO_PHASE, repeat, sick, tower
from inception_edu.study.config import Config, seeds


def treated(width: int, lr: float) -> list[Config]:
    """An unscaled tower of this width at this rate, with nothing and with each remedy."""

    def of(label: str, scale: float = 1.0, **changes) -> Config:
        return tower(label, scale=scale, **{"width": width, "lr": lr, **changes})

    tenth: dict[str, Any] = dict(lr=lr / 10)
    return [
        of("nothing"),
        # What is there without any block: the mark that tells "saved" from "never did anything".
        of("blocks switched off", depth=0),
        of("scale 0", 0.0),
        of("scale 0.1", 0.1),
        of("scale 0.2", 0.2),
        of("scale 0.3", 0.3),
        of("rate / 10", **tenth),
        of("rate / 100", lr=lr / 100),
        of("norm in last branch", change="norm in last branch"),
        of("norm after last sum", change="norm after last sum"),
        of("two-phase warm-up", **TWO_PHASE),
        of("two-phase warm-up from rate / 10", **{**TWO_PHASE, "warmup_lr": lr / 10}),
        of("linear warm-up", **LINEAR),
        of("clipped gradient", clip=2.0),
        of("slow classifier", change="slow classifier"),
        of("norm in every branch", change="norm in every branch"),
        of("norm after every sum", change="norm after every sum"),
        of("rate / 10 + norm in last branch", change="norm in last branch", **tenth),
        of("linear warm-up + norm in last branch", change="norm in last branch", **LINEAR),
        of("two-phase warm-up + scale 0.1", 0.1, **TWO_PHASE),
        of("SGD: nothing", base=SGD),
        of("SGD: scale 0.1", 0.1, base=SGD),
        of("SGD: rate / 10", base=SGD, **tenth),
        of("SGD: norm in last branch", base=SGD, change="norm in last branch"),
        of("SGD: norm after last sum", base=SGD, change="norm after last sum"),
        of("SGD: two-phase warm-up", base=SGD, **TWO_PHASE),
    ]


def remedies(mode: str) -> list[Config]:
    """A residual tower that dies (144 channels, rate 0.3), and all that is said to help or not to
    help: C3 to C6."""
    cells = treated(**SICK)
    return repeat(
        cells,
        mode,
        ("nothing", "scale 0.1", "norm in last branch", "rate / 10", "slow classifier"),
        60,
    )


NARROW = (72, 144)
TO_576 = (*NARROW, 288, 576)
TO_2304 = (*TO_576, 1152, 2304)
# The widths of `dying`, by rate and scale: all of them at the paper's rate and at a tenth, a third
# and three times of it; at ten times it the narrow ones, for the wide ones die at three.
DYING = {
    (0.0045, 1.0): TO_2304,
    (0.015, 1.0): TO_2304,
    (0.015, 0.1): TO_2304,
    (0.045, 1.0): TO_2304,
    (0.045, 0.3): TO_576,
    (0.045, 0.1): TO_2304,
    (0.14, 1.0): TO_2304,
    (0.14, 0.3): NARROW,
    (0.14, 0.1): TO_2304,
    (0.45, 1.0): NARROW,
    (0.45, 0.3): NARROW,
    (0.45, 0.1): NARROW,
}


def dying(mode: str) -> list[Config]:
    """Width × scale × learning rate: where does the last block die, and is width alone to blame?
    C3, C5, C10."""
    cells = [
        tower(cell(width, scale, rate), width, scale, lr=rate)
        for (rate, scale), widths in DYING.items()
        for width in widths
    ]
    if mode == "full":
        cells += [
            tower(cell(w, s, lr), w, s, lr=lr, steps=2000, record_every=50)
            for w in (1152, 1792, 2304)
            for s in (0.1, 0.3, 1.0)
            for lr in (0.045, 0.0045, 0.00045)
        ]
    return repeat(cells, mode, [cell(w, s, 0.045) for w in (72, 288, 576) for s in (1.0, 0.1)], 30)


def no_blocks(mode: str) -> list[Config]:
    """The towers of `dying` with their blocks switched off (scale 0), at the paper's rate and three
    times of it: what dies then does not die because of the blocks."""
    rates = (0.045, 0.14)
    cells = [tower(cell(w, 0, lr), w, 0.0, lr=lr) for lr in rates for w in TO_2304]
    return repeat(cells, mode, [cell(72, 0, lr) for lr in rates], 30)


# Width and rate of the towers of `narrow` that have controls.
CONTROLLED = ((576, 0.045), *((width, 0.14) for width in TO_576))


def narrow(mode: str) -> list[Config]:
    """Towers below the paper's 1000 filters, followed for 2000 steps at the paper's rate, a third
    and three times of it: does one that lives at first die late? Beside those that do not all live,
    and at the highest rate beside all, a scale of 0.1 and no blocks at all. C3."""
    steps: dict[str, Any] = dict(steps=2000, record_every=50)
    rates = (0.015, 0.045, 0.14)
    cells = [tower(cell(w, 1, lr), w, lr=lr, **steps) for w in TO_576 for lr in rates]
    for w, lr in CONTROLLED:
        cells.append(tower(cell(w, 0.1, lr), w, 0.1, lr=lr, **steps))
        cells.append(tower(no_blocks_at(w, lr), w, depth=0, lr=lr, **steps))
    return repeat(cells, mode, [cell(72, 1, lr) for lr in rates], 60)


def slow_return(mode: str) -> list[Config]:
    """The unscaled tower of 1152 channels at the paper's rate, followed for 6000 steps beside one
    without blocks: it comes back after the first steps, but how far? C3."""
    steps: dict[str, Any] = dict(lr=0.045, steps=6000, record_every=150)
    cells = [
        tower(cell(1152, 1, 0.045), 1152, **steps),
        tower(no_blocks_at(1152, 0.045), 1152, depth=0, **steps),
    ]
    return repeat(cells, mode, [c.label for c in cells], 20)


def recovery(mode: str) -> list[Config]:
    """Does the tower of 1152 channels at the paper's rate stay dead? Followed for 600 steps, beside
    a scale of 0.1, a tenth of the rate, and no blocks at all: C3, C4, C10."""
    steps: dict[str, Any] = dict(steps=600, record_every=15)
    if mode == "full":
        steps = dict(steps=20_000, record_every=200)
    widths = (1152,) if mode != "full" else (1152, 1792)
    rates = (0.045, 0.0045)
    cells = []
    for width in widths:
        for rate in rates:
            setting: dict[str, Any] = dict(lr=rate, **steps)
            cells += [
                tower(f"{cell(width, 1, rate)}, {steps['steps']} steps", width, 1.0, **setting),
                tower(f"{cell(width, 0.1, rate)}, {steps['steps']} steps", width, 0.1, **setting),
                tower(no_blocks_at(width, rate), width, depth=0, **setting),
            ]
    if mode == "standard":
        # At the low rate nothing dies unscaled, so there is nothing for a scale to save.
        cells = [c for c in cells if c.label != f"{cell(1152, 0.1, 0.0045)}, 600 steps"]
    if mode == "full":
        # Some 40 runs of 20,000 steps beside the cheap ones without blocks: for a GPU.
        return [config for c in cells for config in seeds(c)]
    return repeat(cells, mode, [cells[0].label, cells[2].label], 20)


def cell(width: float, scale: float, lr: float) -> str:
    return f"width {width}, scale {scale:g}, rate {lr:g}"


def no_blocks_at(width: int, lr: float) -> str:
    return f"width {width}, no blocks, rate {lr:g}"


def scaling(mode: str) -> list[Config]:
    """Scale from 0 to 1.5 in a narrow and in a wide tower: stability and accuracy. C5, C7."""
    scales = (0.0, 0.1, 0.3, 0.5, 1.0, 1.5)
    cells = [tower(f"width 576, scale {s:g}", 576, s) for s in scales]
    cells += [tower(f"width 72, scale {s:g}", 72, s, steps=120, record_every=6) for s in scales]
    quick = [f"width {w}, scale {s:g}" for w in (72, 576) for s in (0.1, 1.0)]
    return repeat(cells, mode, quick)


def which_term(mode: str) -> list[Config]:
    """Scale the residual, scale the identity by mistake, learn the scale, start the last layer at
    zero."""

    def at(width, **recipe):
        return [
            tower(f"width {width}: unscaled", width, **recipe),
            tower(f"width {width}: residual × 0.1", width, 0.1, **recipe),
            tower(f"width {width}: identity × 0.1", width, 0.1, change="scaled identity", **recipe),
            tower(
                f"width {width}: learnable, from 0.1",
                width,
                0.1,
                change="learnable scale",
                **recipe,
            ),
            tower(
                f"width {width}: learnable, from 1", width, 1.0, change="learnable scale", **recipe
            ),
            tower(
                f"width {width}: last layer from zero",
                width,
                1.0,
                change="zero last layer",
                **recipe,
            ),
        ]

    cells = at(144, lr=SICK["lr"]) + at(72, steps=120, record_every=6)
    return repeat(
        cells,
        mode,
        [
            f"width 72: {w}"
            for w in (
                "unscaled",
                "residual × 0.1",
                "identity × 0.1",
                "learnable, from 1",
                "last layer from zero",
            )
        ],
        60,
    )


def causes(mode: str) -> list[Config]:
    """Take away one suspect at a time from the tower that dies: what kills the channels? C10."""
    cells = [
        sick("as it is"),
        sick("slow classifier", change="slow classifier"),
        sick("slow last layers", change="slow last layers"),
        sick("small last layers", change="small last layers"),
        sick("last layers centred", change="centred last layers"),
        sick("last layers without bias", change="no bias"),
        sick("no momentum", momentum=0.0),
        sick("no momentum, rate × 10", momentum=0.0, lr=3.0),
        sick("classifier from zero", change="zero classifier"),
        sick("last layers from zero", change="zero last layer"),
        replace(sick("torch's own initial weights"), init="torch"),
    ]
    return repeat(cells, mode, ("as it is", "slow classifier", "last layers centred"), 60)


def long(mode: str) -> list[Config]:
    """Does a remedy that holds for 60 steps hold for three thousand? C4, C5."""
    steps = dict(steps=3000, record_every=75)
    cells = [
        sick("nothing", **steps),
        sick("blocks switched off", depth=0, **steps),
        sick("blocks switched off, rate / 10", depth=0, lr=0.03, **steps),
        sick("blocks switched off, slow classifier", depth=0, change="slow classifier", **steps),
        sick("scale 0.1", 0.1, **steps),
        sick("rate / 10", lr=0.03, **steps),
        sick("norm after last sum", change="norm after last sum", **steps),
        sick("slow classifier", change="slow classifier", **steps),
    ]
    if mode == "full":
        cells = [
            replace(c, recipe=replace(c.recipe, steps=20_000, record_every=500)) for c in cells
        ]
    return repeat(cells, mode, ("rate / 10", "scale 0.1"), 60)


def long_norm(mode: str) -> list[Config]:
    """Batch norm after the last sum keeps the tower alive for 3000 steps, but its share of dead
    channels still rises. How far does it rise in 6000, beside a tower without blocks? C4."""
    steps: dict[str, Any] = dict(steps=6000, record_every=150)
    cells = [
        sick("norm after last sum", change="norm after last sum", **steps),
        sick("blocks switched off", depth=0, **steps),
    ]
    return repeat(cells, mode, [c.label for c in cells], 20)


def warm_ups(mode: str) -> list[Config]:
    """Does a longer first phase of the two-phase warm-up keep the tower alive? 60 steps at the full
    rate follow each. C6."""
    rates = {"0.00001": TWO_PHASE["warmup_lr"], "rate / 10": SICK["lr"] / 10}

    def after(length: int, rate: str) -> dict[str, Any]:
        recipe = dict(warmup_steps=length, warmup_lr=rates[rate])
        return dict(**recipe, steps=length + 60, record_every=20)

    cells = [sick("nothing", steps=460, record_every=20)]
    cells += [
        sick(f"{length} steps at {rate}", **after(length, rate))
        for length in (100, 400)
        for rate in rates
    ]
    control = "blocks switched off, 400 steps at rate / 10"
    cells.append(sick(control, depth=0, **after(400, "rate / 10")))
    return repeat(cells, mode, [cell.label for cell in cells[:3]], 160)


MECHANISMS = (
    "centred classifier input",
    "classifier rate per width",
    "centred input and rate per width",
)


def mechanism(mode: str) -> list[Config]:
    """Two hypotheses, apart and together: the common part of the classifier's input, and a
    classifier rate that does not fall with the width. C10."""
    cells = []
    for width in (72, 144, 288):
        setting: dict[str, Any] = dict(width=width, lr=SICK["lr"])
        cells.append(tower(f"width {width}: nothing", **setting))
        for change in MECHANISMS:
            cells.append(tower(f"width {width}: {change}", change=change, **setting))
    for change in ("centred classifier input, mean held", "slow classifier and last layers"):
        cells.append(sick(f"width 144: {change}", change=change))
    return repeat(cells, mode, [f"width 72: {change}" for change in MECHANISMS], 60)
