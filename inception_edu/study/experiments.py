"""The paper's claims as experiments: named lists of configurations.

    configs = configurations("remedies", "quick")     what an experiment consists of
    sweep(configs, local_executor(2))                 run it on two cores
    load_results("remedies")                          its committed runs

Each experiment declares its knobs: the *scientific* ones, whose effect is asked for; the *nuisance*
ones, which are tuned alike or drawn (the seed is one in all of them); the *fixed* ones, on which
every answer depends. `python -m inception_edu.study list` prints them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from inception_edu.study import experiments_dying as d
from inception_edu.study import experiments_embedded as e
from inception_edu.study import experiments_own as o
from inception_edu.study import experiments_race as r
from inception_edu.study import experiments_replicas as many
from inception_edu.study import experiments_training as t
from inception_edu.study import experiments_wide as w
from inception_edu.study.cells import MODES
from inception_edu.study.config import Config, ExperimentError

SMALL = "tower of Fig. 13's blocks, 32×32 images, batch 32, float32"
HALVED = (
    "Inception-v4 with a sixteenth of the filters and one block a stage, embedded images, batch "
    "32, SGD with momentum 0.9, one-cycle; 300 steps"
)
HEADED = (
    "1/16 of the filters, 1/2/1 blocks a stage, embedded images, batch 32, rate up and down to "
    "zero, 300 steps, float32"
)
TRAINING = (
    "Inception-ResNet-v1 with 1/16 of the filters and one block a stage, embedded images, batch "
    "32, 600 steps, float32"
)
MINIS = "1/16 of the filters, 28×28 windows, batch 32, 0.94 every 30 steps, float32"
DEEP_MINIS = f"{MINIS}; 3/4/2, 4/9/4, 4/7/3 and 7/13/8 blocks"
FILTERS = MINIS.replace("1/16 of the filters", "all filters")


def mode() -> str:
    """quick, standard or full: how much the chapters compute. Set by the environment variable
    INCEPTION_EDU_MODE. Raises `ExperimentError` for another word."""
    word = os.environ.get("INCEPTION_EDU_MODE", "standard").strip().lower() or "standard"
    if word not in MODES:
        raise ExperimentError(
            f"INCEPTION_EDU_MODE is {word!r}; set it to one of {', '.join(MODES)}."
        )
    return word


@dataclass(frozen=True)
class Experiment:
    """A question, the configurations that answer it, and its knobs in words.

    maps    of a run's maps only these go into the committed file, which is small then; None: all
    """

    make: Callable[[str], list[Config]]
    scientific: str
    nuisance: str
    fixed: str
    maps: tuple[str, ...] | None = None

    @property
    def question(self) -> str:
        """What it asks, in a sentence or two."""
        return " ".join((self.make.__doc__ or "").split())


EXPERIMENTS: dict[str, Experiment] = {
    "remedies": Experiment(
        d.remedies, "remedy", "seed", f"{SMALL}; 144 channels, rate 0.3, 60 to 120 steps"
    ),
    "warm_ups": Experiment(
        d.warm_ups,
        "length and rate of the first phase",
        "seed",
        f"{SMALL}; 144 channels, rate 0.3, 60 steps after the first phase",
    ),
    "dying": Experiment(d.dying, "width, scale, rate", "seed", f"{SMALL}; 60 steps"),
    "no_blocks": Experiment(d.no_blocks, "width, rate", "seed", f"{SMALL}; scale 0, 60 steps"),
    "narrow": Experiment(
        d.narrow, "width, rate, scale, blocks on or off", "seed", f"{SMALL}; 2000 steps", ("dead",)
    ),
    "slow_return": Experiment(
        d.slow_return,
        "blocks on or off",
        "seed",
        f"{SMALL}; 1152 channels, the paper's rate, 6000 steps",
        ("dead",),
    ),
    "recovery": Experiment(
        d.recovery, "scale, rate, blocks on or off", "seed", f"{SMALL}; 1152 channels, 600 steps"
    ),
    "wide": Experiment(w.wide, "width, scale, rate", "seed", f"{SMALL}; 2000 steps; for a GPU"),
    "paper_width": Experiment(
        w.paper_width,
        "scale, rate",
        "seed",
        "Inception-ResNet-v2 with all filters, 2/3/2 blocks, 28×28 windows, batch 32, float32; "
        "1000 steps; for a GPU",
    ),
    "wide_remedies": Experiment(
        w.wide_remedies, "remedy", "seed", f"{SMALL}; 1152 channels, 600 steps; for a GPU"
    ),
    "wide_race_tuning": Experiment(
        w.wide_race_tuning,
        "rate",
        "seed",
        f"{DEEP_MINIS.replace(MINIS, FILTERS)}; 400 steps; the same five rates for every network, "
        "judged on held-out training images; for a GPU",
    ),
    "wide_race": Experiment(
        w.wide_race,
        "network",
        "rate (from wide_race_tuning), seed",
        f"{DEEP_MINIS.replace(MINIS, FILTERS)}; 1200 steps; for a GPU",
    ),
    "scaling": Experiment(d.scaling, "scale, width", "seed", f"{SMALL}; rate 0.045"),
    "which_term": Experiment(d.which_term, "what is scaled", "seed", f"{SMALL}; one rate a width"),
    "causes": Experiment(
        d.causes, "possible cause taken away", "seed", f"{SMALL}; 144 channels, rate 0.3, 60 steps"
    ),
    "mechanism": Experiment(d.mechanism, "change, width", "seed", f"{SMALL}; rate 0.3, 60 steps"),
    "long": Experiment(d.long, "remedy", "seed", f"{SMALL}; 144 channels, 3000 steps"),
    "long_norm": Experiment(
        d.long_norm,
        "batch norm after the last sum, or no blocks",
        "seed",
        f"{SMALL}; 144 channels, rate 0.3, 6000 steps",
        ("dead",),
    ),
    "race_tuning": Experiment(
        r.race_tuning,
        "rate",
        "seed",
        f"{MINIS}; 400 steps; the same four rates for every network, judged on held-out training "
        "images",
    ),
    "race": Experiment(
        r.race, "network; scale", "rate (from race_tuning), seed", f"{MINIS}; 1200 steps"
    ),
    "race_more": Experiment(
        r.race_more, "network", "rate (from race_tuning), seed", f"{MINIS}; 1200 steps"
    ),
    "deep_race_tuning": Experiment(
        r.deep_race_tuning,
        "rate",
        "seed",
        f"{DEEP_MINIS}; 400 steps; the same five rates for all four, judged on "
        "held-out training images",
        (),
    ),
    "deep_race": Experiment(
        r.deep_race,
        "network",
        "rate (from deep_race_tuning), seed",
        f"{DEEP_MINIS}; 1200 steps",
        (),
    ),
    "longer_race": Experiment(
        r.longer_race,
        "network, length (with deep_race)",
        "rate (from deep_race_tuning), seed",
        f"{DEEP_MINIS}; 2400 steps",
        (),
    ),
    "own_photographs": Experiment(
        o.own_photographs,
        "pictures a class; network",
        "seed (the rates are those of race_tuning)",
        f"{MINIS}, but 0.94 every 15; 600 steps; the first pictures of each class",
    ),
    "depth": Experiment(
        r.depth, "identity, bottleneck, depth", "rate (two), seed", f"{SMALL}; 200 steps"
    ),
    "long_gradients": Experiment(
        r.long_gradients,
        "identity, blocks on or off, length of the steps",
        "rate (five each, by training loss), seed",
        f"{SMALL}; 72 channels, 16 blocks, 200 steps",
        (),
    ),
    "heads_tuning": Experiment(
        t.heads_tuning, "rate", "seed", f"{HEADED}; judged on held-out training images"
    ),
    "heads": Experiment(t.heads, "heads", "rate (from heads_tuning), seed", HEADED),
    "reductions_tuning": Experiment(
        t.reductions_tuning, "rate", "seed", f"{HALVED}; judged on held-out training images"
    ),
    "reductions": Experiment(
        t.reductions,
        "how the grid is halved",
        "rate (from reductions_tuning), seed",
        HALVED,
    ),
    "training_tuning": Experiment(
        t.training_tuning, "rate", "seed", f"{TRAINING}; judged on held-out training images"
    ),
    "training": Experiment(
        t.training,
        "optimizer, schedule, average, clipping, label smoothing",
        "rate (from training_tuning), seed",
        TRAINING,
    ),
    "embedded": Experiment(
        e.embedded, "remedy", "seed", f"{SMALL}; 72 channels, 40 steps, embedded images"
    ),
    "lab_grid": Experiment(
        e.lab_grid, "width, scale, rate", "seed", f"{SMALL}; 60 steps, embedded images"
    ),
    "elsewhere": Experiment(
        e.elsewhere,
        "width, rate",
        "depth, batch size, optimiser, class count, seed",
        "tower of Fig. 13's blocks, 32×32 images, float32; unscaled, 60 steps, embedded images",
    ),
    "replicas": Experiment(
        many.replicas,
        "replicas, scale, rate, width, blocks on or off",
        "seed",
        f"{SMALL}; 150 steps",
        ("dead",),
    ),
    "synchronous": Experiment(
        many.synchronous,
        "batch, rate",
        "seed",
        "tower of Fig. 13's blocks, 32×32 images, float32; 144 channels, unscaled, 60 steps",
        ("dead",),
    ),
    "lab_race": Experiment(
        r.lab_race,
        "identity, depth",
        "seed",
        f"{SMALL}; 72 channels, rate 0.05, scale 0.3, 100 steps, embedded images",
        ("dead",),
    ),
}


def configurations(name: str, mode_: str | None = None, data: str | None = None) -> list[Config]:
    """The configurations of an experiment in a mode; `data` replaces the photographs by another
    source. Raises `ExperimentError` where there is no such one."""
    if mode_ is not None and mode_ not in MODES:
        raise ExperimentError(f"There is no mode {mode_!r}; choose one of {', '.join(MODES)}.")
    if name not in EXPERIMENTS:
        raise ExperimentError(
            f"There is no experiment {name!r}; choose one of {', '.join(EXPERIMENTS)}."
        )
    configs = EXPERIMENTS[name].make(mode_ or mode())
    return [replace(c, data=data) for c in configs] if data else configs


def question(name: str) -> str:
    """What an experiment asks, in a sentence or two. Raises `ExperimentError` where there is
    none of that name."""
    if name not in EXPERIMENTS:
        raise ExperimentError(
            f"There is no experiment {name!r}; choose one of {', '.join(EXPERIMENTS)}."
        )
    return EXPERIMENTS[name].question
