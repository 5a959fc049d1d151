"""The paper's claims as experiments: named lists of configurations, and a command line to run them.

    python -m inception_edu.study.experiments list
    python -m inception_edu.study.experiments run remedies --data folder:PATH
    python -m inception_edu.study.experiments status
    python -m inception_edu.study.experiments pack remedies

    configs = configurations("remedies", "quick")     what an experiment consists of
    sweep(configs, local_executor(2))                 run it on two cores; what is finished is read
    back
    load_results("remedies")                          its committed runs
    summarise(results, "dead_last")                   every cell with its mean, spread and number of
    seeds

How one run goes is in `runs`, how many go is in `sweeps` (also on several machines); both are
handed on here.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from inception_edu.learn.train import Recipe
from inception_edu.study.runs import (
    AFTER,
    CHANGES,
    PHOTOGRAPHS,
    Config,
    ExperimentError,
    Result,
    crop_logits,
    dead_channels,
    digest,
    open_data,
    residual_blocks,
    run,
    seeds,
)
from inception_edu.study.sweeps import (
    RESULTS,
    Cell,
    difference,
    load_results,
    local_executor,
    pack,
    read_result,
    reproduce,
    runs_folder,
    summarise,
    sweep,
)

__all__ = [
    "AFTER",
    "CHANGES",
    "EXPERIMENTS",
    "PHOTOGRAPHS",
    "RESULTS",
    "Cell",
    "Config",
    "ExperimentError",
    "Recipe",
    "Result",
    "configurations",
    "crop_logits",
    "dead_channels",
    "difference",
    "digest",
    "load_results",
    "local_executor",
    "mode",
    "open_data",
    "pack",
    "read_result",
    "reproduce",
    "residual_blocks",
    "run",
    "runs_folder",
    "seeds",
    "summarise",
    "sweep",
]

MODES = ("quick", "standard", "full")


def mode() -> str:
    """quick, standard or full: how much the chapters compute. Set by the environment variable
    INCEPTION_EDU_MODE."""
    word = os.environ.get("INCEPTION_EDU_MODE", "standard").strip().lower() or "standard"
    if word not in MODES:
        raise ExperimentError(
            f"INCEPTION_EDU_MODE is {word!r}; set it to one of {', '.join(MODES)}."
        )
    return word


# --- The experiments: each a function from a mode to its configurations ---------------------------
#
# quick: a picture in about 15 s on two cores. standard: what is committed, 5 seeds a cell. full:
# larger, for a GPU.

# Section 3.3's setting, small: the paper's RMSProp (decay 0.9, epsilon 1.0) and learning rate on a
# tower of Fig. 13's blocks. 60 steps settle whether a tower dies.
PAPER = Recipe(
    steps=60,
    batch_size=32,
    optimizer="rmsprop",
    lr=0.045,
    momentum=0.9,
    rms_decay=0.9,
    eps=1.0,
    record_every=3,
)
SGD = replace(PAPER, optimizer="sgd")
# A tower of 144 channels at rate 0.3 dies as surely as one of 1152 at 0.045 (the experiment `dying`
# shows it) and takes a tenth of the time: the patient on which remedies and causes are tried.
SICK = dict(width=144, lr=0.3)
# Two-phase warm-up of Section 3.3: a first phase at a very low rate, then the full one at once.
TWO_PHASE = dict(warmup_steps=30, warmup_lr=1e-5, steps=90)
LINEAR = dict(warmup_steps=60, steps=120, record_every=6)


def _tower(
    label: str,
    width: int = 576,
    scale: float = 1.0,
    base: Recipe = PAPER,
    change: str = "",
    depth: int = 10,
    **recipe,
) -> Config:
    return Config(
        label,
        "tower",
        dict(width=width, depth=depth, scale=scale),
        replace(base, **recipe),
        change=change,
    )


def _sick(label: str, scale: float = 1.0, **changes) -> Config:
    return _tower(label, scale=scale, **{**SICK, **changes})


def _repeat(
    cells: list[Config], mode: str, quick: Iterable[str] = (), quick_steps: int = 40, count: int = 5
) -> list[Config]:
    """Seeds for each cell: `count`, twice as many in full mode; in quick mode one, of the cells
    named, with fewer steps."""
    if mode == "quick":
        chosen = [c for c in cells if c.label in set(quick)]
        return [replace(c, recipe=replace(c.recipe, steps=quick_steps)) for c in chosen]
    return [c for cell in cells for c in seeds(cell, 2 * count if mode == "full" else count)]


def remedies(mode: str) -> list[Config]:
    """A residual tower that dies (144 channels, rate 0.3), and all that is said to help or not to
    help: C3 to C6."""
    cells = [
        _sick("nothing"),
        _sick("scale 0.1", 0.1),
        _sick("scale 0.2", 0.2),
        _sick("scale 0.3", 0.3),
        _sick("rate / 10", lr=0.03),
        _sick("rate / 100", lr=0.003),
        _sick("norm in last branch", change="norm in last branch"),
        _sick("norm after last sum", change="norm after last sum"),
        _sick("two-phase warm-up", **TWO_PHASE),
        _sick("two-phase warm-up from rate / 10", **{**TWO_PHASE, "warmup_lr": 0.03}),
        _sick("linear warm-up", **LINEAR),
        _sick("clipped gradient", clip=2.0),
        _sick("slow classifier", change="slow classifier"),
        _sick("norm in every branch", change="norm in every branch"),
        _sick("norm after every sum", change="norm after every sum"),
        _sick("rate / 10 + norm in last branch", lr=0.03, change="norm in last branch"),
        _sick("linear warm-up + norm in last branch", change="norm in last branch", **LINEAR),
        _sick("two-phase warm-up + scale 0.1", 0.1, **TWO_PHASE),
        _sick("SGD: nothing", base=SGD),
        _sick("SGD: scale 0.1", 0.1, base=SGD),
        _sick("SGD: rate / 10", base=SGD, lr=0.03),
        _sick("SGD: norm in last branch", base=SGD, change="norm in last branch"),
        _sick("SGD: norm after last sum", base=SGD, change="norm after last sum"),
        _sick("SGD: two-phase warm-up", base=SGD, **TWO_PHASE),
    ]
    if mode == "full":
        cells += [
            _tower(
                f"width 1152: {c.label}",
                1152,
                dict(c.arguments)["scale"],
                c.recipe,
                c.change,
                lr=c.recipe.lr / 3,
            )
            for c in cells
        ]
    return _repeat(
        cells,
        mode,
        ("nothing", "scale 0.1", "norm in last branch", "rate / 10", "slow classifier"),
        60,
    )


def dying(mode: str) -> list[Config]:
    """Width × scale × learning rate: where does the last block die, and is width alone to blame?
    C3, C5, C10."""
    pairs = [(1.0, 0.045), (0.1, 0.045), (0.3, 0.045), (1.0, 0.0045), (1.0, 0.14), (0.1, 0.14)]
    cells = [_tower(_cell(w, s, lr), w, s, lr=lr) for w in (72, 144, 288, 576) for s, lr in pairs]
    cells += [
        _tower(_cell(w, s, lr), w, s, lr=lr)
        for w in (144, 72)
        for s, lr in ((0.3, 0.14), (1.0, 0.45), (0.3, 0.45), (0.1, 0.45))
    ]
    cells += [_tower(_cell(1152, s, 0.045), 1152, s) for s in (1.0, 0.1)]
    if mode == "full":
        cells += [
            _tower(_cell(w, s, lr), w, s, lr=lr, steps=2000, record_every=50)
            for w in (1152, 1792, 2304)
            for s in (0.1, 0.3, 1.0)
            for lr in (0.045, 0.0045, 0.00045)
        ]
    return _repeat(
        cells, mode, [_cell(w, s, 0.045) for w in (72, 288, 576) for s in (1.0, 0.1)], 30
    )


def _cell(width: int, scale: float, lr: float) -> str:
    return f"width {width}, scale {scale:g}, rate {lr:g}"


def scaling(mode: str) -> list[Config]:
    """Scale from 0 to 1.5 in a narrow and in a wide tower: stability and accuracy. C5, C7."""
    scales = (0.0, 0.1, 0.3, 0.5, 1.0, 1.5)
    cells = [_tower(f"width 576, scale {s:g}", 576, s) for s in scales]
    cells += [_tower(f"width 72, scale {s:g}", 72, s, steps=120, record_every=6) for s in scales]
    quick = [f"width {w}, scale {s:g}" for w in (72, 576) for s in (0.1, 1.0)]
    return _repeat(cells, mode, quick)


def which_term(mode: str) -> list[Config]:
    """Scale the residual, scale the identity by mistake, learn the scale, start the last layer at
    zero."""

    def at(width, **recipe):
        return [
            _tower(f"width {width}: unscaled", width, **recipe),
            _tower(f"width {width}: residual × 0.1", width, 0.1, **recipe),
            _tower(
                f"width {width}: identity × 0.1", width, 0.1, change="scaled identity", **recipe
            ),
            _tower(
                f"width {width}: learnable, from 0.1",
                width,
                0.1,
                change="learnable scale",
                **recipe,
            ),
            _tower(
                f"width {width}: learnable, from 1", width, 1.0, change="learnable scale", **recipe
            ),
            _tower(
                f"width {width}: last layer from zero",
                width,
                1.0,
                change="zero last layer",
                **recipe,
            ),
        ]

    cells = at(144, lr=SICK["lr"]) + at(72, steps=120, record_every=6)
    return _repeat(
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
        _sick("as it is"),
        _sick("slow classifier", change="slow classifier"),
        _sick("slow last layers", change="slow last layers"),
        _sick("small last layers", change="small last layers"),
        _sick("last layers centred", change="centred last layers"),
        _sick("last layers without bias", change="no bias"),
        _sick("no momentum", momentum=0.0),
        _sick("no momentum, rate × 10", momentum=0.0, lr=3.0),
        _sick("classifier from zero", change="zero classifier"),
        _sick("last layers from zero", change="zero last layer"),
        replace(_sick("torch's own initial weights"), init="torch"),
    ]
    return _repeat(cells, mode, ("as it is", "slow classifier", "last layers centred"), 60)


def long(mode: str) -> list[Config]:
    """Does a remedy that holds for 60 steps hold for three thousand? C4, C5."""
    steps = dict(steps=3000, record_every=75)
    cells = [
        _sick("scale 0.1", 0.1, **steps),
        _sick("rate / 10", lr=0.03, **steps),
        _sick("norm after last sum", change="norm after last sum", **steps),
        _sick("slow classifier", change="slow classifier", **steps),
    ]
    if mode == "full":
        cells = [
            replace(c, recipe=replace(c.recipe, steps=20_000, record_every=500)) for c in cells
        ]
    return _repeat(cells, mode, ("rate / 10", "scale 0.1"), 60)


# As in the paper, v3 races v1 and v4 races v2. Its Inception-ResNets have more and cheaper blocks
# than its pure networks; with these numbers of blocks, each pair has the same multiply-adds within
# one part in a hundred.
RACERS = {
    "inception_v3": (1, 2, 1),
    "inception_resnet_v1": (1, 3, 2),
    "inception_v4": (1, 2, 1),
    "inception_resnet_v2": (2, 3, 2),
}
PAIRS = (("inception_v3", "inception_resnet_v1"), ("inception_v4", "inception_resnet_v2"))
# Three quarters of a pass over the 50,000 images; the rate falls as in Section 4, by 0.94 at a
# time, 40 times.
RACE = Recipe(
    steps=1200,
    batch_size=32,
    optimizer="sgd",
    momentum=0.9,
    schedule="paper",
    decay_every=30,
    augment="window+flip",
    record_every=20,
    evaluate_every=150,
)
RATES = (0.03, 0.1, 0.3)


def _racer(
    name: str, lr: float, label: str = "", scale: float | None = None, after: str = "", **recipe
) -> Config:
    return Config(
        label or f"{name}, rate {lr:g}",
        name,
        dict(width=1 / 16, repeats=RACERS[name], image=28, scale=scale),
        replace(RACE, lr=lr, **recipe),
        test_images=2000,
        after=after,
    )


def race_tuning(mode: str) -> list[Config]:
    """The race's learning rate, tried alike for all four networks (3 seeds: it picks a rate, it
    proves nothing)."""
    cells = [
        _racer(name, lr, steps=400, decay_every=10, evaluate_every=None)
        for name in RACERS
        for lr in RATES
    ]
    return _repeat(cells, mode, [f"{n}, rate 0.1" for n in PAIRS[1]], count=3)


def race(mode: str) -> list[Config]:
    """Inception against Inception-ResNet at equal cost, each at its best rate: C1, C2, C7. Also
    scale 1 against 0.1.

    Each network's answers to 1, 12 and 144 crops are kept: C9.
    """
    cells = [_racer(name, best_rate(name), label=name, after="crops") for name in RACERS]
    cells += [
        _racer(
            "inception_resnet_v2",
            best_rate("inception_resnet_v2"),
            "inception_resnet_v2, scale 1",
            1.0,
        )
    ]
    if mode == "quick":
        cells = [
            replace(c, after="", recipe=replace(c.recipe, evaluate_every=None, decay_every=2))
            for c in cells
        ]
    return _repeat(cells, mode, PAIRS[1], 80)


def best_rate(name: str) -> float:
    """The learning rate with the best mean test accuracy in the committed tuning runs (0.1 while
    there are none)."""
    try:
        cells = summarise(r for r in load_results("race_tuning") if r.config.network == name)
    except ExperimentError:
        return 0.1
    return float(max(cells.values(), key=lambda cell: cell.mean).label.split("rate ")[1])


def depth(mode: str) -> list[Config]:
    """The same tower with and without the identity at depths 2 to 16: where does the advantage
    begin? C1.

    With the identity once as in ResNet (scale 1) and once as in Fig. 20 (scale 0.1).
    """
    kinds = {
        "plain": dict(residual=False),
        "residual": dict(scale=1.0),
        "residual × 0.1": dict(scale=0.1),
    }
    cells = [
        Config(
            f"{kind}, depth {d}, rate {lr:g}",
            "tower",
            dict(width=72, depth=d, **arguments),
            replace(SGD, lr=lr, steps=200, record_every=10),
        )
        for lr in (0.1, 0.02)
        for d in ((2, 4, 8, 16) if mode != "full" else (2, 4, 8, 16, 32, 64))
        for kind, arguments in kinds.items()
    ]
    return _repeat(
        cells,
        mode,
        [f"{k}, depth {d}, rate 0.1" for k in ("residual", "plain") for d in (2, 16)],
        60,
    )


def embedded(mode: str) -> list[Config]:
    """A tower that dies and two that do not, on the embedded images and in seconds: what anybody
    can run again."""
    base = dict(lr=0.45, steps=40, record_every=5)
    cells = [
        _tower("nothing", 72, **base),
        _tower("scale 0.1", 72, 0.1, **base),
        _tower("rate / 10", 72, **{**base, "lr": 0.045}),
    ]
    cells = [replace(c, data="fashion", test_images=200) for c in cells]
    return _repeat(cells, mode, [c.label for c in cells], count=16)


EXPERIMENTS: dict[str, Callable[[str], list[Config]]] = {
    f.__name__: f
    for f in (
        remedies,
        dying,
        scaling,
        which_term,
        causes,
        long,
        race_tuning,
        race,
        depth,
        embedded,
    )
}


def configurations(name: str, mode_: str | None = None, data: str | None = None) -> list[Config]:
    """The configurations of an experiment in a mode; `data` replaces the photographs by another
    source."""
    if name not in EXPERIMENTS:
        raise ExperimentError(
            f"There is no experiment {name!r}; choose one of {', '.join(EXPERIMENTS)}."
        )
    configs = EXPERIMENTS[name](mode_ or mode())
    return [replace(c, data=data) for c in configs] if data else configs


def question(name: str) -> str:
    """What an experiment asks, in a sentence or two."""
    return " ".join((EXPERIMENTS[name].__doc__ or "").split())


# --- On the command line --------------------------------------------------------------------------


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m inception_edu.study.experiments", description="The paper's claims, tried."
    )
    parser.add_argument("what", choices=("list", "run", "status", "pack"))
    parser.add_argument("names", nargs="*", metavar="NAME", help="experiments; none: all of them")
    parser.add_argument("--mode", choices=MODES, default=mode())
    parser.add_argument(
        "--missing", action="store_true", help="run only what the committed results do not hold yet"
    )
    parser.add_argument(
        "--workers", type=int, default=2, help="processes of one thread each; 0: in this process"
    )
    parser.add_argument(
        "--data", help="where the photographs are (folder:PATH), or another source in their place"
    )
    parser.add_argument("--folder", type=Path, default=None, help="where finished runs are kept")
    parser.add_argument(
        "--dask", metavar="ADDRESS", help="a dask scheduler, instead of processes here"
    )
    args = parser.parse_args(words)
    photos = args.data if args.data and args.data.startswith(("folder:", "cifar10")) else None
    try:
        for name in args.names or EXPERIMENTS:
            configs = configurations(name, args.mode, None if photos else args.data)
            committed = _committed(name)
            if (
                args.missing and args.what != "pack"
            ):  # packing only these would drop the committed ones
                configs = [c for c in configs if c not in committed]
            found = [r for c in configs if (r := read_result(c, args.folder))]
            print(
                f"{name}: {len({c.label for c in configs})} cells, {len(configs)} runs, {len(found)} finished"
                + (f", {sum(r.seconds for r in found) / 60:.0f} min of computing" if found else ""),
                flush=True,
            )
            if args.what == "list":
                print(f"    {question(name)}")
            elif args.what == "run":
                with _executor(args) as executor:
                    sweep(configs, executor, folder=args.folder, source=photos)
            elif args.what == "pack":
                # What was committed stays, unless it was run again or the experiment does not ask
                # for it any more.
                runs = {**committed, **{r.config: r for r in found}}
                missing = [c for c in configs if c not in runs]
                if missing:
                    print(f"    {len(missing)} runs are missing: only whole cells are packed")
                whole = {c.label for c in configs} - {c.label for c in missing}
                print(
                    f"    {pack(name, [runs[c] for c in configs if c.label in whole], question=question(name))}"
                )
    except ExperimentError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _committed(name: str) -> dict[Config, Result]:
    try:
        return {r.config: r for r in load_results(name)}
    except ExperimentError:
        return {}


def _executor(args: argparse.Namespace):
    if args.dask:
        from dask.distributed import Client

        return Client(args.dask).get_executor()
    return local_executor(args.workers) if args.workers else nullcontext()


if __name__ == "__main__":
    # Under its own name, so that what is sent to workers can be found there.
    from inception_edu.study.experiments import main as _main

    sys.exit(_main())
