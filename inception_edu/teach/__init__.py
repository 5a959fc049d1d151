"""What the chapters teach with: checks of exercises and their diagnoses, claims, predictions,
tables and plots. Nothing here imports torch before it is needed."""

from inception_edu.teach.lazy import lazy

__all__ = [
    "DEPTHS",
    "Table",
    "Verdict",
    "block_seconds",
    "best_towers",
    "branches",
    "changes",
    "chapter_map",
    "check",
    "checks",
    "claim",
    "contrasts",
    "costs",
    "fates",
    "five_lines",
    "milliseconds",
    "outcome",
    "paper_claims",
    "plots",
    "predict",
    "provenance",
    "refusal",
    "run_dots",
    "say",
    "settings",
    "share_bars",
    "table",
    "time_shares",
    "verdicts",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "inception_edu.teach.exercises": ["check"],
        "inception_edu.teach.chapters": ["chapter_map"],
        "inception_edu.teach.claims": ["claim", "five_lines", "paper_claims", "say"],
        "inception_edu.teach.claims.ch10": ["DEPTHS", "best_towers"],
        "inception_edu.teach.predictions": ["outcome", "predict"],
        "inception_edu.teach.profiles": ["share_bars", "time_shares"],
        "inception_edu.teach.results": [
            "contrasts",
            "fates",
            "provenance",
            "run_dots",
            "settings",
            "verdicts",
        ],
        "inception_edu.teach.tables": ["Table", "branches", "changes", "costs", "table"],
        "inception_edu.teach.trials": ["block_seconds", "milliseconds", "refusal"],
        "inception_edu.teach.verdict": ["Verdict"],
    },
)
