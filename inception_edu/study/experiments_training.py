"""The experiments on how the networks are trained, on the embedded images: auxiliary heads, ways to
halve the grid, and Section 4 of the paper. Each is a function from a mode to its configurations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inception_edu.describe.halving import HALVINGS
from inception_edu.learn import Recipe
from inception_edu.study.cells import repeat
from inception_edu.study.config import Config
from inception_edu.study.tuning import best_rate

# Two passes over the training images. The rate falls to zero, so that what a run ends with is its
# own and not its last step's.
BASE = Recipe(
    steps=600,
    batch_size=32,
    momentum=0.9,
    schedule="one-cycle",
    record_every=20,
    evaluate_every=100,
)
SHORT = replace(BASE, steps=300, evaluate_every=50)

# --- Auxiliary heads ------------------------------------------------------------------------------

# GoogLeNet has no batch norm, so its weights start with He's variance: with less, nothing arrives
# at its end. Its heads stand after the first and the last of the two blocks of stage B, that of
# Inception-v3 after the last, as in the whole networks.
HEADED = {"GoogLeNet": ("googlenet_aux", "he"), "Inception-v3": ("inception_v3_aux", "truncated")}
HEAD_RATES = (0.01, 0.03, 0.1)


def headed(name: str, heads: bool) -> str:
    return f"{name}, {'with' if heads else 'without'} heads"


def _headed(name: str, heads: bool, lr: float, label: str = "", judge: str = "test") -> Config:
    network, init = HEADED[name]
    return Config(
        label or headed(name, heads),
        network,
        dict(width=1 / 16, repeats=(1, 2, 1), heads=heads),
        replace(SHORT, lr=lr),
        data="fashion",
        init=init,
        test_images=2000,
        judge=judge,
    )


def heads_tuning(mode: str) -> list[Config]:
    """The learning rate with and without auxiliary heads, the same three rates for all, judged on
    training images that are held out: it picks a rate, it proves nothing."""
    cells = [
        _headed(name, heads, lr, f"{headed(name, heads)}, rate {lr:g}", "validation")
        for name in HEADED
        for heads in (False, True)
        for lr in HEAD_RATES
    ]
    return repeat(
        cells, mode, [f"{headed('GoogLeNet', h)}, rate 0.03" for h in (False, True)], count=2
    )


def heads(mode: str) -> list[Config]:
    """Do auxiliary heads help? GoogLeNet with its two and Inception-v3 with its one, and both
    without, each at its own best rate."""
    cells = [
        _headed(name, kind, best_rate(headed(name, kind), "heads_tuning", 0.03))
        for name in HEADED
        for kind in (False, True)
    ]
    return repeat(cells, mode, [headed("GoogLeNet", h) for h in (False, True)])


# --- Reductions -----------------------------------------------------------------------------------

PARALLEL = "parallel (Figs. 7, 8)"
WAYS = (PARALLEL, *HALVINGS)
REDUCTION_RATES = (0.01, 0.03, 0.1, 0.3)


def _halving(way: str, lr: float, label: str = "", judge: str = "test") -> Config:
    return Config(
        label or way,
        "inception_v4",
        dict(width=1 / 16, repeats=(1, 1, 1)),
        replace(SHORT, lr=lr),
        data="fashion",
        change="" if way == PARALLEL else way,
        test_images=2000,
        judge=judge,
    )


def reductions_tuning(mode: str) -> list[Config]:
    """The learning rate for each way to halve the grid, the same four rates for all, judged on
    training images that are held out: it picks a rate, it proves nothing."""
    cells = [
        _halving(way, lr, f"{way}, rate {lr:g}", "validation")
        for way in WAYS
        for lr in REDUCTION_RATES
    ]
    return repeat(cells, mode, [f"{PARALLEL}, rate 0.1"], count=2)


def reductions(mode: str) -> list[Config]:
    """Does it help to halve the grid by a pool and strided convolutions side by side? Against a
    pool first and last, also with equal parameters and with equal multiply-adds, each at its own
    best rate."""
    cells = [_halving(way, best_rate(way, "reductions_tuning", 0.1)) for way in WAYS]
    return repeat(cells, mode, WAYS, count=10)


# --- Section 4 ------------------------------------------------------------------------------------

FALLING = replace(BASE, schedule="paper", decay_every=BASE.steps // 50, record_every=60)
PAPERS: dict[str, Any] = dict(optimizer="rmsprop", rms_decay=0.9, eps=1.0)
OPTIMISERS = {
    "RMSProp": replace(FALLING, **PAPERS),
    "SGD": replace(FALLING, optimizer="sgd"),
    "RMSProp, constant rate": replace(FALLING, schedule="constant", decay_every=None, **PAPERS),
}
RATES = (0.003, 0.01, 0.03, 0.1, 0.3)
# The differences in `heads` spread by 1.4 points. With such a spread five questions over five seeds
# show 3.6 points or more, over ten seeds 1.8: the margin is 1.
SEEDS = 10
# A run that only picks a rate is tested once, at its end, and keeps few records.
PICKS: dict[str, Any] = dict(record_every=100, evaluate_every=None)
# What Section 4 and Inception-v3's recipe add, one at a time. The average forgets after some 50
# steps; the rate falls by 0.94 fifty times, as in 100 epochs.
ADDED: dict[str, dict[str, Any]] = {
    "running average of the weights": dict(average=0.98),
    "gradient clipped at 2": dict(clip=2.0),
    "label smoothing 0.1": dict(label_smoothing=0.1),
}


def _cell(label: str, recipe: Recipe, judge: str = "test") -> Config:
    arguments = dict(width=1 / 16, repeats=(1, 1, 1))
    return Config(
        label,
        "inception_resnet_v1",
        arguments,
        recipe,
        data="fashion",
        test_images=2000,
        judge=judge,
    )


def training_tuning(mode: str) -> list[Config]:
    """The learning rate of either optimizer and of a constant rate, the same five rates for all,
    judged on training images that are held out: it picks a rate, it proves nothing."""
    cells = [
        _cell(f"{name}, rate {lr:g}", replace(recipe, lr=lr, **PICKS), "validation")
        for name, recipe in OPTIMISERS.items()
        for lr in RATES
    ]
    return repeat(cells, mode, ["SGD, rate 0.1", "RMSProp, rate 0.1"], count=2)


def training(mode: str) -> list[Config]:
    """Section 4, one part at a time: RMSProp against SGD and the falling rate against a constant
    one, each at its own best rate; then what the running average, clipping and label smoothing
    change."""
    tuned = {
        name: replace(recipe, lr=best_rate(name, "training_tuning", 0.03))
        for name, recipe in OPTIMISERS.items()
    }
    cells = [_cell(name, recipe) for name, recipe in tuned.items()]
    cells += [_cell(label, replace(tuned["RMSProp"], **change)) for label, change in ADDED.items()]
    return repeat(cells, mode, ["SGD", "RMSProp"], count=SEEDS)
