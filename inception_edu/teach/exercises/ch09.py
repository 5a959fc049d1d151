"""Exercises of chapter 09: dying networks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from inception_edu.teach import checks
from inception_edu.teach.verdict import Verdict


def exercise_1(dead_share: Any) -> Verdict:
    """The share of dead channels."""
    import torch

    generator = torch.Generator().manual_seed(0)
    one = torch.zeros(4, 8, 3, 3)
    one[2, 5, 1, 1] = 0.1
    alive = torch.rand(2, 6, 2, 2, generator=generator) + 0.01
    holes = torch.rand(3, 4, 3, 3, generator=generator) + 0.01
    holes[:, 1] = 0  # dead
    holes[0, 2] = 0  # silent on one image
    holes[:, 0, 0, 0] = 0  # a zero in a corner
    holes[:, 3, 1, 1] = 0  # a zero in the middle

    faint = torch.full((2, 4, 2, 2), 1e-6)
    faint[:, 3] = 0
    second = torch.ones(2, 5, 2, 2)
    second[1, :2] = 0  # silent on the second image

    def over(maps: Any, axes: tuple[int, ...]) -> float:
        return (maps.amax(axes) == 0).float().mean().item()

    return checks.function(
        dead_share,
        [0.875, 0.0, 1.0, 0.25, 0.25, 0.0],
        [(one,), (alive,), (torch.zeros(1, 3, 2, 2),), (holes,), (faint,), (second,)],
        name="dead_share",
        wrong={
            "A faint activation is not a dead one: compare with 0 itself.": (
                lambda m: (m.amax((0, 2, 3)) < 1e-3).float().mean().item()
            ),
            "That is the share of all zeros; a channel counts only if every one of its values is "
            "0.": lambda m: (m == 0).float().mean().item(),
            "That takes one pixel for the whole map: look at all positions.": (
                lambda m: (m[:, :, 0, 0].amax(0) == 0).float().mean().item()
            ),
            "That takes the middle pixel for the whole map: look at all positions.": (
                lambda m: (
                    (m[:, :, m.shape[2] // 2, m.shape[3] // 2].amax(0) == 0).float().mean().item()
                )
            ),
            "`amin` finds channels with *a* zero; a dead one has nothing else: `amax`.": (
                lambda m: (m.amin((0, 2, 3)) == 0).float().mean().item()
            ),
            "`any` zero is not enough: all values of the channel must be 0.": (
                lambda m: (m == 0).flatten(2).any(2).any(0).float().mean().item()
            ),
            "That looks at the first image only; a dead channel is 0 for every image.": (
                lambda m: (m[0].amax((1, 2)) == 0).float().mean().item()
            ),
            "A map that is silent on one image is not dead: take the maximum over the images "
            "too.": (lambda m: over(m, (2, 3))),
            "Silent on any one image is not dead: it must be 0 on all of them.": (
                lambda m: (m.amax((2, 3)) == 0).any(0).float().mean().item()
            ),
            "Channels are axis 1; that maximum leaves another axis.": lambda m: over(m, (1, 2, 3)),
            "That leaves the positions; the maximum must run over them too.": (
                lambda m: over(m, (0,))
            ),
            "That is how many, not which share of the channels.": (
                lambda m: (m.amax((0, 2, 3)) == 0).sum().item()
            ),
            "That is the share of the living: 1 minus what is asked for.": (
                lambda m: (m.amax((0, 2, 3)) > 0).float().mean().item()
            ),
        },
    )


def exercise_2(push: Any) -> Verdict:
    """Slope of the loss as loss minus entropy. From the logits the slope could be had without
    either, so the probabilities are given."""
    import torch

    def loss(p: Any, k: int) -> Any:
        return -p.log()[k]

    def entropy(p: Any) -> Any:
        return -(p * p.log()).sum()

    def again(p: Any) -> Any:
        return p.softmax(0)

    some = torch.tensor([2.0, -1.0, 0.5]).softmax(0)
    other = torch.tensor([0.3, 3.0, -2.0, 1.0]).softmax(0)
    return checks.function(
        push,
        lambda p, k: (loss(p, k) - entropy(p)).item(),
        [*((some, k) for k in range(3)), (other, 2), (other, 1)],
        name="push",
        wrong={
            "The loss has lost its minus: it is −log p of the true class.": (
                lambda p, k: (-loss(p, k) - entropy(p)).item()
            ),
            "The entropy weighs log p with p, not p with itself.": (
                lambda p, k: (loss(p, k) + (p * p).sum()).item()
            ),
            "`p` holds probabilities already: no softmax.": (
                lambda p, k: (loss(again(p), k) - entropy(again(p))).item()
            ),
            "`cross_entropy` wants logits: it takes the softmax once more.": (
                lambda p, k: loss(again(p), k).item()
            ),
            "`cross_entropy` wants logits: take −log p of the true class.": (
                lambda p, k: (loss(again(p), k) - entropy(p)).item()
            ),
            "Take the natural logarithm, as the loss does: `log`, not `log2`.": (
                lambda p, k: ((loss(p, k) - entropy(p)) / torch.tensor(2.0).log()).item()
            ),
            "That is the loss alone: the entropy is still to be taken away.": (
                lambda p, k: loss(p, k).item()
            ),
            "That is the entropy alone: the loss is missing.": lambda p, k: entropy(p).item(),
            "That is the entropy with its sign turned; the loss is missing.": (
                lambda p, k: -entropy(p).item()
            ),
            "The entropy is taken away, not added.": lambda p, k: (loss(p, k) + entropy(p)).item(),
            "The sign is wrong: loss minus entropy.": lambda p, k: (entropy(p) - loss(p, k)).item(),
            "Those are the probabilities in place of the logits: z differs from log p by a "
            "constant only.": lambda p, k: ((p * p).sum() - p[k]).item(),
            "The sum of p² is no entropy, and the loss is missing.": (
                lambda p, k: (p * p).sum().item()
            ),
            "The sum must run over all classes, not over the true one alone.": (
                lambda p, k: ((p[k] - 1) * p[k].log()).item()
            ),
            "The entropy weighs each log-probability with its probability.": (
                lambda p, k: (loss(p, k) + p.log().sum()).item()
            ),
            "The entropy is a sum over the classes, not their mean.": (
                lambda p, k: (loss(p, k) - entropy(p) / len(p)).item()
            ),
            "The loss is -log p of the true class, not -p.": (
                lambda p, k: (-p[k] - entropy(p)).item()
            ),
        },
    )


def exercise_3(elsewhere: Any) -> Verdict:
    """Labels whose worst block is much worse than the last one."""

    def gaps(results: Any) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {}
        for r in results:
            found.setdefault(r.label, []).append(r.dead_most - r.dead_last)
        return found

    def chosen(results: Any, at_least: float = 0.2, by: Any = None) -> set[str]:
        how = by or (lambda values: sum(values) / len(values))
        return {label for label, gap in gaps(results).items() if how(gap) >= at_least}

    def means(results: Any, what: str) -> dict[str, float]:
        runs: dict[str, list[float]] = {}
        for r in results:
            runs.setdefault(r.label, []).append(getattr(r, what))
        return {label: sum(values) / len(values) for label, values in runs.items()}

    return checks.function(
        elsewhere,
        chosen,
        [(_made_up(),), (_made_up()[:9],), (_made_up()[9:],)],
        name="elsewhere",
        wrong={
            "That takes the last seed alone; take the mean over the seeds.": (
                lambda rs: chosen(rs, by=lambda values: values[-1])
            ),
            "One seed is enough for `max`; the mean over the seeds is asked for.": (
                lambda rs: chosen(rs, by=max)
            ),
            "`min` asks that every seed shows it; the mean over the seeds is asked for.": (
                lambda rs: chosen(rs, by=min)
            ),
            "That takes the first seed alone; take the mean over the seeds.": (
                lambda rs: chosen(rs, by=lambda values: values[0])
            ),
            # Two slips give the empty set; which one it was cannot be seen.
            "The set is empty. 20 points are 0.2, for shares go from 0 to 1; and it is the worst "
            "block minus the last one.": lambda rs: chosen(rs, 20),
            "Compare the worst block with the last one; how bad it is by itself is not asked.": (
                lambda rs: {label for label, v in means(rs, "dead_most").items() if v >= 0.2}
            ),
            "Those are the cells that save the last block; the question is whether another block "
            "pays for it.": lambda rs: {
                label for label, v in means(rs, "dead_last").items() if v < 0.2
            },
            "Any gap at all is not enough: at least 20 points.": lambda rs: chosen(rs, 1e-9),
            "At least 20 points, relative to nothing: no ratio.": lambda rs: {
                label
                for label, most in means(rs, "dead_most").items()
                if most >= 1.2 * means(rs, "dead_last")[label]
            },
            "These are the others: at least 20 points *more*.": (
                lambda rs: set(gaps(rs)) - chosen(rs)
            ),
            "That gives every label whatever its runs say.": lambda rs: set(gaps(rs)),
        },
    )


def _made_up() -> list[SimpleNamespace]:
    """Runs of eight labels with three seeds each."""
    rows = {
        "same place": [(0.6, 0.6), (0.7, 0.7), (0.5, 0.5)],
        "elsewhere": [(0.1, 0.7), (0.0, 0.5), (0.2, 0.6)],
        "one seed of three": [(0.1, 0.5), (0.3, 0.3), (0.2, 0.25)],
        "by a little": [(0.5, 0.6), (0.4, 0.55), (0.3, 0.4)],
        "saved": [(0.0, 0.0), (0.0, 0.05), (0.0, 0.0)],
        "first seed not": [(0.3, 0.4), (0.1, 0.6), (0.2, 0.5)],
        "last seed not": [(0.1, 0.6), (0.1, 0.5), (0.3, 0.4)],
        "by a hair": [(0.6, 0.62), (0.7, 0.72), (0.8, 0.82)],
    }
    return [
        SimpleNamespace(label=label, seed=seed, dead_last=last, dead_most=most)
        for label, runs in rows.items()
        for seed, (last, most) in enumerate(runs)
    ]


def exercise_4(dangerous_rate: Any) -> Verdict:
    """The rate that is as dangerous at another width."""
    return checks.function(
        dangerous_rate,
        [0.1, 0.2, 0.05, 0.4],
        [576, 288, 1152, 144],
        name="dangerous_rate",
        wrong={
            "Width 576 is missing: the product of rate and width is 0.1 · 576.": lambda w: 0.1 / w,
            "The known pair is rate 0.1 at width 576, not the paper's 0.045 at 1152.": (
                lambda w: 0.045 * 1152 / w
            ),
            "Upside down: a narrower tower bears a higher rate.": lambda w: 0.1 * w / 576,
            "‖a‖² grows with the width itself, not with its square.": lambda w: (
                0.1 * (576 / w) ** 2
            ),
            "‖a‖² is squared already: it grows with the width itself.": (
                lambda w: 0.1 * (576 / w) ** 0.5
            ),
            "The product of rate and width stays the same: divide by the width.": (
                lambda w: 0.1 * 576
            ),
            "The rate 0.1 is missing.": lambda w: 576 / w,
            "The known pair is rate 0.1 at width 576, not the paper's 0.045.": (
                lambda w: 0.045 * 576 / w
            ),
            "The known pair is width 576 at rate 0.1, not width 1152.": lambda w: 0.1 * 1152 / w,
            "The product stays the same, not the sum.": lambda w: 0.1 + (576 - w) / 576,
        },
    )


def exercise_5(survivors: Any) -> Verdict:
    """Verdicts that survive Holm's correction."""
    cases = [
        {"a": 0.001, "b": 0.02, "c": 0.04, "d": 0.3},
        {"a": 0.012, "b": 0.013, "c": 0.016, "d": 0.9},
        {"a": 0.049},
        {"a": 0.05},
        {"a": 0.03, "b": 0.026, "c": 0.2},
        {"a": 0.001, "b": 0.03, "c": 0.035, "d": 0.04},
        {"a": 0.04, "b": 0.045},
        {"z": 0.024, "a": 0.011, "m": 0.2},
    ]

    def kept_in_order(p: dict[str, float], ranked: list[str], alpha: float = 0.05) -> set[str]:
        kept: set[str] = set()
        for place, label in enumerate(ranked):
            if p[label] > alpha / (len(p) - place):
                break
            kept.add(label)
        return kept

    def holm(p: dict[str, float], alpha: float = 0.05) -> set[str]:
        return kept_in_order(p, sorted(p, key=p.__getitem__), alpha)

    def holm_without_stop(p: dict[str, float]) -> set[str]:
        ranked = sorted(p, key=p.__getitem__)
        return {label for i, label in enumerate(ranked) if p[label] <= 0.05 / (len(p) - i)}

    def benjamini(p: dict[str, float]) -> set[str]:
        ranked = sorted(p, key=p.__getitem__)
        fits = [i for i, label in enumerate(ranked, 1) if p[label] <= 0.05 * i / len(p)]
        return set(ranked[: max(fits, default=0)])

    def hochberg(p: dict[str, float]) -> set[str]:
        most = max((p[label] for label in holm_without_stop(p)), default=0.0)
        return {label for label, value in p.items() if value <= most}

    return checks.function(
        survivors,
        holm,
        [(case,) for case in cases],
        name="survivors",
        wrong={
            "*At most*: a value that is equal to its limit survives.": lambda p: holm(p, 0.0499999),
            "That is without a correction: of twenty empty questions one is below 0.05 by "
            "chance.": (lambda p: {label for label, value in p.items() if value <= 0.05}),
            "That is Bonferroni, which divides by n every time; Holm divides by n, n − 1, "
            "n − 2, …": (lambda p: {label for label, value in p.items() if value <= 0.05 / len(p)}),
            "Stop at the first that fails: none after it survives.": holm_without_stop,
            "That controls the share of false finds (Benjamini and Hochberg); Holm's limits are "
            "α/n, α/(n − 1), …": benjamini,
            "Begin with the smallest value: sort first.": lambda p: kept_in_order(p, list(p)),
            "Begin with the smallest value, not with the largest.": (
                lambda p: kept_in_order(p, sorted(p, key=p.__getitem__, reverse=True))
            ),
            "That looks for the last that fits (Hochberg); Holm stops at the first that fails.": (
                hochberg
            ),
            "Those are the ones that do not survive.": lambda p: set(p) - holm(p),
            "A set of labels is asked for; use `set(…)`.": lambda p: sorted(holm(p)),
            "A set of labels is asked for, not their values.": lambda p: {p[k] for k in holm(p)},
            "How many is not asked; which ones is.": lambda p: len(holm(p)),
            "Only the smallest is kept; go on with α/(n − 1), α/(n − 2), …": (
                lambda p: {min(p, key=p.__getitem__)} & holm(p)
            ),
        },
    )
