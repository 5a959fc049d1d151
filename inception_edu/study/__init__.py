"""The experiments: configurations, runs, sweeps, results, statistics and verdicts.

    from inception_edu.study import load_results, summarise, difference, fate

Names are fetched when they are first used: `fates` and `recorded` need no torch.
"""

from importlib import import_module

_WHERE = {
    "config": ("Config", "ExperimentError", "PHOTOGRAPHS", "Recipe", "seeds"),
    "identity": ("Identity", "digest", "fingerprint", "identify", "open_data", "photographs"),
    "watch": ("Watch", "dead_channels"),
    "crops": ("CROPS", "crop_logits"),
    "runs": ("Running", "reproduce", "run"),
    "results": ("RESULTS", "Result", "load_results", "pack", "read_result", "runs_folder"),
    "sweeps": ("local_executor", "sweep"),
    "statistics": (
        "Cell",
        "Difference",
        "StatisticsError",
        "difference",
        "holm",
        "jackknife",
        "leave_one_out",
        "not_worse",
        "rows",
        "summarise",
    ),
    "claims": ("CLAIMS",),
    "claims_dying": ("fates_of",),
    "claims_race": ("mean_error",),
    "claims_training": ("heads_verdict", "section_4"),
    "verdicts": ("REDUCED",),
    "answers": ("Answers", "Comparison", "Outcome", "compare", "mixtures", "outcome"),
    "predictor": ("judge", "recorded_runs", "transfer"),
    "recorded": ("recorded_grid",),
    "fates": ("CellFate", "Fate", "fate", "fate_of_cell"),
    "cells": ("PAPER", "SGD", "SICK"),
    "experiments_dying": ("ELSEWHERE",),
    "experiments_race": ("PAIRS", "RACE", "RACERS", "RATES", "best_rate", "tower_pair"),
    "experiments": ("EXPERIMENTS", "configurations", "mode", "question"),
}
_HOME = {name: module for module, names in _WHERE.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"inception_edu.study has no {name!r}.")
    return getattr(import_module(f"inception_edu.study.{_HOME[name]}"), name)


def __dir__():
    return __all__
