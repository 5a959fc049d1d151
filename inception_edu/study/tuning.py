"""The learning rate that a tuning experiment chose."""

from __future__ import annotations

from inception_edu.study.results import results_if_any
from inception_edu.study.statistics import summarise


def best_rate(name: str, tuning: str = "race_tuning", otherwise: float = 0.1) -> float:
    """The rate with the best mean accuracy on the held-out images among the cells "NAME, rate R" of
    a tuning experiment; `otherwise` while it has no committed runs."""
    runs = [run for run in results_if_any(tuning) if run.label.startswith(f"{name}, rate ")]
    if not runs:
        return otherwise
    cells = summarise(runs, "accuracy", by=("lr",))
    # A rate at which a run diverged is no candidate.
    whole = {rate: cell for (rate,), cell in cells.items() if not cell.lost}
    return max(whole, key=lambda rate: whole[rate].mean)
