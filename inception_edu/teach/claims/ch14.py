"""What chapter 14 says about small collections of photographs, from the committed runs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from inception_edu.study import Answers, Cell, difference, gains, holm, load_results, summarise
from inception_edu.study.experiments_own import PER_CLASS, cell
from inception_edu.study.racers import PAIRS, title
from inception_edu.study.results import Result
from inception_edu.study.statistics import Difference
from inception_edu.teach.claims import registered

PLAIN, RESIDUAL = PAIRS[1]
LEAST = 3  # runs of a setting from which anything is concluded


@cache
def runs() -> tuple[Result, ...]:
    return tuple(load_results("own_photographs"))


def settings(kind: str) -> list[int]:
    """Pictures a class for which there are runs enough of a network."""
    cells = summarise(runs())
    labels = {count: cell(kind, count) for count in PER_CLASS}
    return [n for n, label in labels.items() if label in cells and cells[label].n >= LEAST]


@cache
def answers(count: int) -> Answers:
    """What the networks that saw `count` pictures a class said of the test images."""
    return Answers.of(run for run in runs() if run.config.per_class == count)


def in_training(run: Result) -> float:
    """The share of training pictures that were named rightly, mean of the last fifth of the
    records."""
    shares = run.curves["accuracy"]
    tail = shares[-max(1, len(shares) // 5) :]
    return sum(tail) / len(tail)


def _row(values: Sequence[object]) -> str:
    *first, last = map(str, values)
    return f"{', '.join(first)} and {last}" if first else last


def _number(cells: Sequence[int]) -> str:
    low, high = min(cells), max(cells)
    return f"{low}" if low == high else f"{low} to {high}"


@registered("14.size")
def size() -> tuple[bool, tuple[str, str]]:
    counts, cells = settings(RESIDUAL), summarise(runs())
    found = [cells[cell(RESIDUAL, count)] for count in counts]
    means = [c.mean for c in found]
    gaps = _steps(cells)
    told = "; ".join(f"{what}: {gap.text()}, {gap.word()}" for what, gap in gaps.items())
    return [gap.seen for gap in gaps.values()][0] == "more", (
        f"A small {title(RESIDUAL)} that was trained on {_row(counts)} photographs a class names "
        f"{_row([f'{m:.0%}' for m in means])} of {runs()[0].data['test']:,} new ones rightly "
        f"(10 classes, {runs()[0].config.recipe.steps} steps, {_number([c.n for c in found])} runs "
        f"each; guessing gives 10%). {told}.",
        f"{', '.join(map(str, counts))} photographs a class: "
        f"{', '.join(f'{100 * m:.0f}' for m in means)} % right.",
    )


def _steps(cells: dict[str, Cell]) -> dict[str, Difference]:
    """From each number of photographs a class to the next, corrected together."""
    counts = settings(RESIDUAL)
    return holm(
        {
            f"{more} minus {fewer}": difference(
                cells[cell(RESIDUAL, more)], cells[cell(RESIDUAL, fewer)]
            )
            for fewer, more in zip(counts, counts[1:])
        }
    )


@registered("14.memory")
def memory() -> tuple[bool, str]:
    counts = settings(RESIDUAL)
    known, new = summarise(runs(), in_training), summarise(runs())
    gaps = [100 * (known[cell(RESIDUAL, n)].mean - new[cell(RESIDUAL, n)].mean) for n in counts]
    steps = _steps(summarise(runs(), lambda run: in_training(run) - _right(run)))
    fewer = [gap.seen for gap in steps.values()]
    told = "; ".join(f"{what} {gap.text()}" for what, gap in steps.items())
    return set(fewer) == {"less"}, (
        "The fewer pictures there are, the more the network learns these pictures themselves. In "
        f"training they are shifted and mirrored. Accuracy of {title(RESIDUAL)} in training minus "
        f"that on new pictures, with {_row(counts)} a class: "
        f"{_row([f'{gap:+.0f}' for gap in gaps])} points. It falls each time: {told}."
    )


def _right(run: Result) -> float:
    if run.accuracy is None:
        raise ValueError(f"{run.label}: a run that did not end has no accuracy.")
    return run.accuracy


def _gains(gain) -> dict[tuple[str, int], Difference]:
    """`gain(answers, network)` in each setting, corrected for their number."""
    kinds = [(kind, count) for kind in PAIRS[1] for count in settings(kind)]
    return holm({(kind, count): gain(answers(count), kind) for kind, count in kinds})


@registered("14.together")
def together() -> tuple[bool, str]:
    found = _gains(lambda a, kind: gains.together_gain(a, kind, "1 crop"))
    points = [100 * gap.mean for gap in found.values()]
    seen = sum(gap.seen == "more" for gap in found.values())
    return min(points) > 0, (
        f"{_number([gap.n for gap in found.values()])} seeds of a network together make "
        f"{min(points):.1f} to {max(points):.1f} points fewer errors than one of them. Corrected "
        f"for {len(found)} questions, fewer errors are seen in {seen} of {len(found)} settings."
    )


@registered("14.crops")
def crops() -> tuple[bool, str]:
    found = _gains(lambda a, kind: gains.crop_gain(a, kind, "1 crop", "12 crops"))
    points = [-100 * gap.mean for gap in found.values()]
    seen = sum(gap.seen == "more" for gap in found.values())
    return True, (
        f"Twelve crops in place of one change the error by {min(points):+.1f} to "
        f"{max(points):+.1f} points. Corrected for {len(found)} questions, fewer errors are seen "
        f"in {seen} of {len(found)} settings."
    )


def race_gaps() -> dict[int, Difference]:
    """Accuracy of the residual network minus that of the plain one, by pictures a class."""
    cells = summarise(runs())
    counts = [count for count in settings(PLAIN) if count in settings(RESIDUAL)]
    pairs = {n: (cells[cell(RESIDUAL, n)], cells[cell(PLAIN, n)]) for n in counts}
    return holm({n: difference(*pair, paired=True) for n, pair in pairs.items()})


@registered("14.race")
def race() -> tuple[bool, str]:
    gaps = race_gaps()
    told = "; ".join(f"{gap.text()} with {count} a class" for count, gap in gaps.items())
    seen = [count for count, gap in gaps.items() if gap.seen]
    word, where = ("a", f" with {_row(seen)} a class") if seen else ("no", "")
    return True, (
        f"Corrected for {len(gaps)} questions, {word} difference between {title(RESIDUAL)} and "
        f"{title(PLAIN)} at equal cost is seen{where}. Accuracy of the first minus the second: "
        f"{told}."
    )
