"""Claims of chapter 09, from the committed runs `dying`, `remedies`, `causes` and `long`."""

from __future__ import annotations

from statistics import mean

from inception_edu.study import load_results, summarise
from inception_edu.teach.claims import registered

WIDTHS = (72, 144, 288, 576, 1152)


def shares(experiment: str, value: str) -> dict[str, tuple[float, ...]]:
    """{label: the value of each seed} of an experiment."""
    cells = summarise(load_results(experiment), value)
    return {label: tuple(cell.values) for label, cell in cells.items()}


@registered("09.wider-is-worse")
def wider_is_worse() -> tuple[bool, str]:
    found = shares("dying", "dead_last")
    dead = [mean(found[f"width {w}, scale 1, rate 0.045"]) for w in WIDTHS]
    holds = dead == sorted(dead) and dead[1] == 0 < dead[2] < 0.1 < dead[3] < dead[4]
    said = ", ".join(f"{share:.0%} at {width}" for width, share in zip(WIDTHS, dead))
    return holds, (
        "At the paper's rate and without scaling, more of the last block is dead the wider the "
        f"tower is, gradually: {said} channels (means over the seeds)."
    )


@registered("09.innocent")
def innocent() -> tuple[bool, str]:
    """Changes that do not save the tower."""
    worst = shares("causes", "dead_most")
    changes = (
        "last layers centred",
        "last layers without bias",
        "classifier from zero",
        "torch's own initial weights",
        "no momentum, rate × 10",
    )
    least = min(min(worst[change]) for change in changes)
    return least > 0.5, (
        f"None of {len(changes)} changes saves the tower ({'; '.join(changes)}): in every run at "
        f"least {least:.0%} of some block is dead."
    )


@registered("09.momentum")
def momentum() -> tuple[bool, str]:
    worst = shares("causes", "dead_most")
    most, slow = max(worst["no momentum"]), max(worst["slow classifier"])
    return most < 0.1 and slow < 0.15, (
        f"Without momentum the tower lives (at most {most:.0%} of a block dead), and with a slow "
        f"classifier it nearly does (at most {slow:.0%})."
    )


@registered("09.another-victim")
def another_victim() -> tuple[bool, str]:
    worst, last = shares("causes", "dead_most"), shares("causes", "dead_last")
    label = "slow last layers"
    saved, elsewhere = mean(last[label]), min(worst[label])
    return saved < 0.2 and elsewhere > 0.5, (
        f"Slow last layers save the last block ({saved:.0%} dead in the mean) at the expense of "
        f"another: in every run at least {elsewhere:.0%} of some block is dead."
    )


@registered("09.both-halves")
def both_halves() -> tuple[bool, str]:
    small = min(shares("causes", "dead_most")["small last layers"])
    scaled = max(shares("remedies", "dead_most")["scale 0.1"])
    return small > 0.5 and scaled < 0.1, (
        f"Small last layers alone do not help (at least {small:.0%} of some block dead); a scale "
        f"of 0.1, which makes them small *and* slow, does (at most {scaled:.0%})."
    )


@registered("09.time-of-death")
def time_of_death() -> tuple[bool, str]:
    """Dead just before the push is over, and at the end."""
    before, after = [], []
    for run in load_results("causes"):
        if run.label != "as it is":
            continue
        dead, push = list(run.maps["dead"].values())[-1], run.curves["push"]
        peak = push.index(max(push))
        over = next(i for i, p in enumerate(push) if i > peak and abs(p) < 0.1)
        before.append(dead[over - 1])
        after.append(run.dead_last - dead[over])
    return max(before) < 0.1 and min(after) > 0.2, (
        f"While the push lasts hardly anything is dead (at most {max(before):.0%} of the last "
        f"block); after it is over another {min(after):.0%} or more dies."
    )


@registered("09.warm-up")
def warm_up() -> tuple[bool, str]:
    """What the two-phase warm-ups learn in their first phase."""
    runs = load_results("remedies")

    def fall(label: str) -> float:
        curves = [run.curves["loss"] for run in runs if run.label == label]
        return mean(curve[0] - curve[10] for curve in curves)

    slow, fast = fall("two-phase warm-up"), fall("two-phase warm-up from rate / 10")
    return slow < 0.05 < 0.15 < fast, (
        "The paper's warm-up learns nothing before the rate rises (the loss changes by "
        f"{-slow:+.2f} in ten steps); one that starts at a tenth of the rate does ({-fast:+.2f})."
    )


@registered("09.remedies")
def remedies() -> tuple[bool, str]:
    worst = shares("remedies", "dead_most")
    held = ("scale 0.1", "rate / 10", "norm after last sum")
    most, nearly = max(max(worst[h]) for h in held), max(worst["slow classifier"])
    return most < 0.1 < nearly < 0.15, (
        f"Three remedies hold in every seed ({', '.join(held)}): at most {most:.0%} of any block "
        f"is dead at the end. A slow classifier nearly does: {nearly:.0%} at most."
    )


@registered("09.long-runs")
def long_runs() -> tuple[bool, str]:
    steps = {run.config.recipe.steps for run in load_results("long")}
    return steps == {3000}, f"The long runs have {max(steps):,} steps."
