"""The experiments: configurations, runs, sweeps, results, statistics and verdicts.

    from inception_edu.study import load_results, summarise, difference, fate

Names are fetched when they are first used: `fates` and `recorded` need no torch.
"""

from typing import TYPE_CHECKING

from inception_edu._lazy import lazy

if TYPE_CHECKING:
    from inception_edu.study.answers import Answers as Answers
    from inception_edu.study.answers import Comparison as Comparison
    from inception_edu.study.answers import Outcome as Outcome
    from inception_edu.study.answers import compare as compare
    from inception_edu.study.answers import mixtures as mixtures
    from inception_edu.study.answers import outcome as outcome
    from inception_edu.study.cells import PAPER as PAPER
    from inception_edu.study.cells import SGD as SGD
    from inception_edu.study.cells import SICK as SICK
    from inception_edu.study.claims import CLAIMS as CLAIMS
    from inception_edu.study.claims_dying import controlled_differences as controlled_differences
    from inception_edu.study.claims_dying import fates_of as fates_of
    from inception_edu.study.claims_dying import harm_differences as harm_differences
    from inception_edu.study.claims_race import mean_error as mean_error
    from inception_edu.study.claims_training import heads_verdict as heads_verdict
    from inception_edu.study.claims_training import section_4 as section_4
    from inception_edu.study.claims_training import section_4_differences as section_4_differences
    from inception_edu.study.config import PHOTOGRAPHS as PHOTOGRAPHS
    from inception_edu.study.config import Config as Config
    from inception_edu.study.config import ExperimentError as ExperimentError
    from inception_edu.study.config import Recipe as Recipe
    from inception_edu.study.config import seeds as seeds
    from inception_edu.study.crops import CROPS as CROPS
    from inception_edu.study.crops import crop_logits as crop_logits
    from inception_edu.study.digests import Identity as Identity
    from inception_edu.study.digests import digest as digest
    from inception_edu.study.experiments import EXPERIMENTS as EXPERIMENTS
    from inception_edu.study.experiments import configurations as configurations
    from inception_edu.study.experiments import mode as mode
    from inception_edu.study.experiments import question as question
    from inception_edu.study.experiments_embedded import ELSEWHERE as ELSEWHERE
    from inception_edu.study.experiments_race import OPTIMISERS as OPTIMISERS
    from inception_edu.study.experiments_race import RACE as RACE
    from inception_edu.study.experiments_race import RATES as RATES
    from inception_edu.study.experiments_race import TOWERS as TOWERS
    from inception_edu.study.experiments_race import raced as raced
    from inception_edu.study.fates import CellFate as CellFate
    from inception_edu.study.fates import Fate as Fate
    from inception_edu.study.fates import fate as fate
    from inception_edu.study.fates import fate_of_cell as fate_of_cell
    from inception_edu.study.identity import fingerprint as fingerprint
    from inception_edu.study.identity import identify as identify
    from inception_edu.study.identity import open_data as open_data
    from inception_edu.study.identity import photographs as photographs
    from inception_edu.study.predictor import apart as apart
    from inception_edu.study.predictor import judge as judge
    from inception_edu.study.predictor import recorded_runs as recorded_runs
    from inception_edu.study.predictor import transfer as transfer
    from inception_edu.study.racers import PAIRS as PAIRS
    from inception_edu.study.racers import RACERS as RACERS
    from inception_edu.study.racers import title as title
    from inception_edu.study.racers import tower_pair as tower_pair
    from inception_edu.study.recorded import recorded_grid as recorded_grid
    from inception_edu.study.results import RESULTS as RESULTS
    from inception_edu.study.results import Result as Result
    from inception_edu.study.results import load_results as load_results
    from inception_edu.study.results import pack as pack
    from inception_edu.study.results import read_result as read_result
    from inception_edu.study.results import runs_folder as runs_folder
    from inception_edu.study.runs import Running as Running
    from inception_edu.study.runs import reproduce as reproduce
    from inception_edu.study.runs import run as run
    from inception_edu.study.statistics import Cell as Cell
    from inception_edu.study.statistics import Difference as Difference
    from inception_edu.study.statistics import StatisticsError as StatisticsError
    from inception_edu.study.statistics import difference as difference
    from inception_edu.study.statistics import holm as holm
    from inception_edu.study.statistics import jackknife as jackknife
    from inception_edu.study.statistics import leave_one_out as leave_one_out
    from inception_edu.study.statistics import not_worse as not_worse
    from inception_edu.study.statistics import rows as rows
    from inception_edu.study.statistics import summarise as summarise
    from inception_edu.study.sweeps import local_executor as local_executor
    from inception_edu.study.sweeps import sweep as sweep
    from inception_edu.study.tuning import best_rate as best_rate
    from inception_edu.study.verdicts import REDUCED as REDUCED
    from inception_edu.study.watch import Watch as Watch
    from inception_edu.study.watch import dead_channels as dead_channels
    from inception_edu.study.within import train_within as train_within

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
    ".claims_dying": (
        "controlled_differences",
        "fates_of",
        "harm_differences",
    ),
    ".claims_race": ("mean_error",),
    ".claims_training": ("heads_verdict", "section_4", "section_4_differences"),
    ".verdicts": ("REDUCED",),
    ".answers": ("Answers", "Comparison", "Outcome", "compare", "mixtures", "outcome"),
    ".predictor": ("apart", "judge", "recorded_runs", "transfer"),
    ".recorded": ("recorded_grid",),
    ".fates": ("CellFate", "Fate", "fate", "fate_of_cell"),
    ".cells": ("PAPER", "SGD", "SICK"),
    ".experiments_embedded": ("ELSEWHERE",),
    ".racers": ("PAIRS", "RACERS", "title", "tower_pair"),
    ".experiments_race": ("OPTIMISERS", "RACE", "RATES", "TOWERS", "raced"),
    ".tuning": ("best_rate",),
    ".experiments": ("EXPERIMENTS", "configurations", "mode", "question"),
}
__all__ = sorted(name for names in _NAMES.values() for name in names)

__getattr__, __dir__ = lazy(__name__, _NAMES)
