"""The learning rate that a tuning experiment chose."""

from __future__ import annotations

from inception_edu.study.results import load_results, results_file
from inception_edu.study.statistics import summarise


def best_rate(name: str, tuning: str = "race_tuning", otherwise: float = 0.1) -> float:
    """The rate with the best mean accuracy on the held-out images among the cells "NAME, rate R" of
    a tuning experiment; `otherwise` while it has no committed runs."""
    if not results_file(tuning).exists():
        return otherwise
    runs = [run for run in load_results(tuning) if run.label.startswith(f"{name}, rate ")]
    cells = summarise(runs, "accuracy", by=("lr",))
    # A rate at which a run diverged is no candidate.
    whole = {rate: cell for (rate,), cell in cells.items() if not cell.lost}
    return max(whole, key=lambda rate: whole[rate].mean)
