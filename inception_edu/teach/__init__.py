"""What the chapters teach with: checks of exercises and their diagnoses, claims, predictions,
tables and plots. Nothing here imports torch before it is needed."""

from typing import TYPE_CHECKING

from inception_edu._lazy import lazy

if TYPE_CHECKING:
    from inception_edu.teach.chapters import chapter_map as chapter_map
    from inception_edu.teach.claims import claim as claim
    from inception_edu.teach.claims import five_lines as five_lines
    from inception_edu.teach.claims import paper_claims as paper_claims
    from inception_edu.teach.claims import say as say
    from inception_edu.teach.claims.ch09_images import SHOWN_IN as SHOWN_IN
    from inception_edu.teach.claims.ch10_towers import DEPTHS as DEPTHS
    from inception_edu.teach.claims.ch10_towers import best_towers as best_towers
    from inception_edu.teach.claims.ch14 import in_training as in_training
    from inception_edu.teach.claims.ch14 import race_gaps as race_gaps
    from inception_edu.teach.exercises import check as check
    from inception_edu.teach.machines import step_times as step_times
    from inception_edu.teach.machines import training_times as training_times
    from inception_edu.teach.opening import begin as begin
    from inception_edu.teach.openings import opening_figure as opening_figure
    from inception_edu.teach.predictions import outcome as outcome
    from inception_edu.teach.predictions import predict as predict
    from inception_edu.teach.predictor_tables import predictors as predictors
    from inception_edu.teach.predictor_tables import predictors_changed as predictors_changed
    from inception_edu.teach.profiles import count_and_time as count_and_time
    from inception_edu.teach.profiles import share_bars as share_bars
    from inception_edu.teach.profiles import time_shares as time_shares
    from inception_edu.teach.results import against as against
    from inception_edu.teach.results import contrasts as contrasts
    from inception_edu.teach.results import courses as courses
    from inception_edu.teach.results import fates as fates
    from inception_edu.teach.results import provenance as provenance
    from inception_edu.teach.results import run_dots as run_dots
    from inception_edu.teach.results import settings as settings
    from inception_edu.teach.results import shared_runs as shared_runs
    from inception_edu.teach.results import verdicts as verdicts
    from inception_edu.teach.tables import Table as Table
    from inception_edu.teach.tables import branches as branches
    from inception_edu.teach.tables import changes as changes
    from inception_edu.teach.tables import costs as costs
    from inception_edu.teach.tables import figure_costs as figure_costs
    from inception_edu.teach.tables import shapes as shapes
    from inception_edu.teach.tables import stages as stages
    from inception_edu.teach.tables import table as table
    from inception_edu.teach.tables import totals as totals
    from inception_edu.teach.trials import block_seconds as block_seconds
    from inception_edu.teach.trials import milliseconds as milliseconds
    from inception_edu.teach.trials import refusal as refusal
    from inception_edu.teach.trials import speedups as speedups
    from inception_edu.teach.trials import throughput as throughput
    from inception_edu.teach.verdict import Verdict as Verdict

_NAMES = {
    ".opening": ("begin",),
    ".exercises": ("check",),
    ".chapters": ("chapter_map",),
    ".claims": ("claim", "five_lines", "paper_claims", "say"),
    ".claims.ch09_images": ("SHOWN_IN",),
    ".claims.ch10_towers": ("DEPTHS", "best_towers"),
    ".claims.ch14": ("in_training", "race_gaps"),
    ".machines": ("step_times", "training_times"),
    ".openings": ("opening_figure",),
    ".predictions": ("outcome", "predict"),
    ".predictor_tables": ("predictors", "predictors_changed"),
    ".profiles": ("count_and_time", "share_bars", "time_shares"),
    ".results": (
        "against",
        "contrasts",
        "courses",
        "fates",
        "provenance",
        "run_dots",
        "settings",
        "shared_runs",
        "verdicts",
    ),
    ".tables": (
        "Table",
        "branches",
        "changes",
        "costs",
        "figure_costs",
        "shapes",
        "stages",
        "table",
        "totals",
    ),
    ".trials": (
        "block_seconds",
        "milliseconds",
        "refusal",
        "speedups",
        "throughput",
    ),
    ".verdict": ("Verdict",),
}
__all__ = sorted(name for names in _NAMES.values() for name in names)

__getattr__, __dir__ = lazy(__name__, _NAMES)
