"""The experiments on Section 4, how the paper trains: its optimizer, its clipping, its running
average of the weights, and the label smoothing of Inception-v3. On the embedded images. Each is a
function from a mode to its configurations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inception_edu.learn import Recipe
from inception_edu.study.cells import repeat
from inception_edu.study.config import Config, ExperimentError
from inception_edu.study.results import load_results
from inception_edu.study.statistics import summarise

STEPS = 200
PLAIN = Recipe(steps=STEPS, batch_size=32, record_every=20)
OPTIMISERS = {
    "SGD": replace(PLAIN, optimizer="sgd"),
    "RMSProp": replace(PLAIN, optimizer="rmsprop"),
}
RATES = (0.01, 0.03, 0.1)
# What is changed in the training by RMSProp, one thing at a time. A run of 200 steps is short: the
# running average forgets after some 50 steps, and the rate falls by 0.94 as often as in 100 epochs.
CHANGES: dict[str, dict[str, Any]] = {
    "rate × 0.94, fifty times": dict(schedule="paper", decay_every=STEPS // 50),
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
        test_images=1000,
        judge=judge,
    )


def training_tuning(mode: str) -> list[Config]:
    """The learning rate of either optimizer, the same three rates for both, judged on training
    images that are held out: it picks a rate, it proves nothing."""
    cells = [
        _cell(f"{name}, rate {lr:g}", replace(recipe, lr=lr), "validation")
        for name, recipe in OPTIMISERS.items()
        for lr in RATES
    ]
    return repeat(cells, mode, ["SGD, rate 0.1", "RMSProp, rate 0.1"], count=3)


def training(mode: str) -> list[Config]:
    """Section 4, one part at a time: RMSProp against SGD, each at its own best rate; then what the
    falling rate, the running average, clipping and label smoothing change."""
    cells = [
        _cell(name, replace(recipe, lr=best_rate(name))) for name, recipe in OPTIMISERS.items()
    ]
    base = cells[-1].recipe
    cells += [_cell(label, replace(base, **change)) for label, change in CHANGES.items()]
    return repeat(cells, mode, ["SGD", "RMSProp"])


def best_rate(name: str) -> float:
    """The rate with the best mean accuracy on the held-out images (0.1 while there are no runs)."""
    try:
        runs = load_results("training_tuning")
    except ExperimentError:
        return 0.1
    optimizer = OPTIMISERS[name].optimizer
    cells = summarise(runs, "accuracy", by=("optimizer", "lr"))
    whole = {lr: cell for (kind, lr), cell in cells.items() if kind == optimizer and not cell.lost}
    return max(whole, key=lambda lr: whole[lr].mean)
