"""The experiments: configurations, runs, sweeps, results, statistics and verdicts.

    from inception_edu.study import load_results, summarise, difference, fate

Names are fetched when they are first used: `fates` and `recorded` need no torch.
"""

from inception_edu._lazy import lazy

_NAMES = {
    ".config": ("Config", "ExperimentError", "PHOTOGRAPHS", "Recipe", "seeds"),
    ".digests": ("Identity", "digest"),
    ".identity": ("fingerprint", "identify", "open_data", "photographs"),
    ".watch": ("Watch", "dead_channels"),
    ".crops": ("CROPS", "crop_logits"),
    ".runs": ("Running", "reproduce", "run"),
    ".within": ("train_within",),
    ".results": ("RESULTS", "Result", "load_results", "pack", "read_result", "runs_folder"),
    ".sweeps": ("local_executor", "sweep"),
    ".statistics": (
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
    ".claims": ("CLAIMS",),
    ".claims_dying": ("fates_of",),
    ".claims_race": ("mean_error",),
    ".claims_training": ("heads_verdict", "section_4", "section_4_differences"),
    ".verdicts": ("REDUCED",),
    ".answers": ("Answers", "Comparison", "Outcome", "compare", "mixtures", "outcome"),
    ".predictor": ("apart", "judge", "recorded_runs", "transfer"),
    ".recorded": ("recorded_grid",),
    ".fates": ("CellFate", "Fate", "fate", "fate_of_cell"),
    ".cells": ("PAPER", "SGD", "SICK"),
    ".experiments_dying": ("ELSEWHERE",),
    ".racers": ("PAIRS", "RACERS", "tower_pair"),
    ".experiments_race": ("RACE", "RATES", "best_rate"),
    ".experiments": ("EXPERIMENTS", "configurations", "mode", "question"),
}
__all__ = sorted(name for names in _NAMES.values() for name in names)

__getattr__, __dir__ = lazy(__name__, _NAMES)
