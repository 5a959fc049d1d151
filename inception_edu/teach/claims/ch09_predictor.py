"""What chapter 09 says about the number that is to tell dead from living runs before training."""

from __future__ import annotations

from inception_edu.study import apart, judge, load_results, recorded_grid, recorded_runs, transfer
from inception_edu.teach.claims import registered

OURS, RIVAL = "rate × ‖a‖²", "width × rate × scale²"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _gap(runs, rival: str) -> tuple[bool, str]:
    """Whether ours is told apart from a rival, and how many more of the pairs it orders."""
    mean, low, high = (100 * x for x in apart(runs, OURS, rival))
    return not low <= 0 <= high, f"{mean:+.1f} % (95 % interval {low:+.1f} to {high:+.1f} %)"


@registered("09.predictor")
def predictor() -> tuple[bool, str]:
    fitted, elsewhere = load_results("dying"), recorded_runs(recorded_grid())
    there, moved = judge(elsewhere), transfer(fitted, elsewhere)
    rivals = (RIVAL, "width × rate × scale")
    told = "; ".join(
        f"{name} orders {_percent(there[name].share)} of the pairs there, and its threshold sorts "
        f"{_percent(moved[name].judged)}"
        for name in (OURS, *rivals)
    )
    gaps = {rival: _gap(elsewhere, rival) for rival in rivals}
    best = max(moved, key=lambda name: moved[name].judged)
    sorts = "" if best == OURS else f", and the threshold of {best} sorts more of the runs"
    of_gaps = "; ".join(f"{said} against {rival}" for rival, (_, said) in gaps.items())
    return not any(seen for seen, _ in gaps.values()), (
        f"Judged on other images and other settings than it was found on: {told} (mean of the "
        f"dead and of the living). The share of pairs that {OURS} orders differs from that of its "
        f"rivals by {of_gaps}. These runs cannot tell ‖a‖² from its simple rivals{sorts}."
    )


@registered("09.predictor-elsewhere")
def predictor_elsewhere() -> tuple[bool, str]:
    runs = load_results("elsewhere")
    ordered, moved = judge(runs), transfer(load_results("dying"), runs)
    first, second = (ordered[name] for name in (OURS, RIVAL))
    seen, gap = _gap(runs, RIVAL)
    return moved[OURS].judged >= 0.9 and not seen, (
        f"The threshold of {OURS} that was found on towers of 10 blocks is tried on {first.dead} "
        f"dead and {first.alive} living runs with 4 and 16 blocks, batches of 8 and 128, SGD, and "
        f"100 classes. It sorts {_percent(moved[OURS].judged)} of them rightly (mean of the dead "
        f"and of the living); that of its rival, {RIVAL}, sorts "
        f"{_percent(moved[RIVAL].judged)}. The first orders {_percent(first.share)} "
        f"of the pairs, the second {_percent(second.share)}. The difference is {gap}: these runs "
        "do not tell the two apart either."
    )


@registered("09.predictor-causes")
def predictor_fails() -> tuple[bool, str]:
    runs = load_results("causes")
    score = {OURS: lambda r: r.config.recipe.lr * r.curves["length"][0]}
    found = judge(runs, score)[OURS]
    return found.low < 0.5, (
        f"In the runs of Experiment 2 {OURS} fails: it orders {_percent(found.share)} of the pairs "
        f"(95 % interval {_percent(found.low)} to {_percent(found.high)}; guessing gives 50 %). It "
        "does not contain how fast the classifier and the last layers learn."
    )
