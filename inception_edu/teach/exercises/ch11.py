"""Exercises of chapter 11: crops and ensembles."""

from __future__ import annotations

import math
from typing import Any

from inception_edu.describe import BLACKLISTED, TABLE_2, TABLE_3, TABLE_4
from inception_edu.teach import checks
from inception_edu.teach.verdict import Verdict

NETWORKS = ("inception_v4", "inception_resnet_v2")


def exercise_1(combine: Any) -> Verdict:
    """Probabilities averaged over members and views."""
    import torch

    rows = 3 * torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    return checks.function(
        combine,
        lambda r: r.softmax(-1).mean((0, 1)),
        [(rows,), (rows[:1],), (rows[:, :1],)],
        name="combine",
        wrong={
            "Those are mean logits: take the softmax of every row first.": (
                lambda r: r.mean((0, 1))
            ),
            "The mean comes before the softmax; it belongs after it.": (
                lambda r: r.mean((0, 1)).softmax(-1)
            ),
            "That is the sum of the probabilities; divide by their number.": (
                lambda r: r.softmax(-1).sum((0, 1))
            ),
            "The softmax is taken along the members; the classes are the last axis.": (
                lambda r: r.softmax(0).mean((0, 1))
            ),
            "The softmax is taken along the views; the classes are the last axis.": (
                lambda r: r.softmax(1).mean((0, 1))
            ),
            "The softmax is taken along the images; the classes are the last axis.": (
                lambda r: r.softmax(2).mean((0, 1))
            ),
            "That takes the best of the views; average over them, too.": (
                lambda r: r.softmax(-1).mean(0).amax(0)
            ),
            "That averages over the members only: the views are left.": (
                lambda r: r.softmax(-1).mean(0)
            ),
            "That averages over the views only: the members are left.": (
                lambda r: r.softmax(-1).mean(1)
            ),
            "That averages over the images; members and views are axes 0 and 1.": (
                lambda r: r.softmax(-1).mean((0, 2))
            ),
            "Average the probabilities, not their logarithms.": (
                lambda r: r.log_softmax(-1).mean((0, 1))
            ),
            "That is a mean of logarithms (a geometric mean); average the probabilities.": (
                lambda r: r.log_softmax(-1).mean((0, 1)).exp()
            ),
            "The mean over views comes before the softmax; take it after.": (
                lambda r: r.mean(1).softmax(-1).mean(0)
            ),
            "That is the largest probability over members and views; take the mean.": (
                lambda r: r.softmax(-1).amax((0, 1))
            ),
            "Those are shares of votes; average the probabilities.": (
                lambda r: (
                    torch.nn.functional.one_hot(r.argmax(-1), r.shape[-1]).float().mean((0, 1))
                )
            ),
            "Probabilities are asked for, not the class.": (
                lambda r: r.softmax(-1).mean((0, 1)).argmax(-1)
            ),
        },
    )


def exercise_2(crops_bring: Any) -> Verdict:
    """Points of error that twelve crops save."""
    two, three, out = TABLE_2, TABLE_3, BLACKLISTED
    kinds = [kind for kind in NETWORKS if kind in two and kind in three]
    return checks.function(
        crops_bring,
        lambda k, t: two[k][t] + out[t] - three[k][t],
        [(kind, top) for kind in kinds for top in ("top1", "top5")],
        name="crops_bring",
        wrong={
            "All three are in per cent: nothing is divided by 100.": (
                lambda k, t: two[k][t] + out[t] / 100 - three[k][t]
            ),
            "That is relative to Table 3; the difference itself, in points, is asked for.": (
                lambda k, t: (two[k][t] + out[t] - three[k][t]) / three[k][t]
            ),
            "That is the difference as printed: the two tables are about different images.": (
                lambda k, t: two[k][t] - three[k][t]
            ),
            "Table 4 is about 144 crops; twelve are in Table 3.": (
                lambda k, t: two[k][t] + out[t] - TABLE_4[k][t]
            ),
            "Table 2 is too good, so its errors must be raised.": (
                lambda k, t: two[k][t] - out[t] - three[k][t]
            ),
            "The sign is wrong: points saved are positive.": (
                lambda k, t: three[k][t] - two[k][t] - out[t]
            ),
            "Table 3 has all images already: add the missing ones to Table 2, not to Table 3.": (
                lambda k, t: two[k][t] - (three[k][t] + out[t])
            ),
            "The missing images are added, with the right sign, to Table 2.": (
                lambda k, t: three[k][t] - two[k][t]
            ),
            "That is the share of the error that is saved; points are asked for.": (
                lambda k, t: (two[k][t] + out[t] - three[k][t]) / (two[k][t] + out[t])
            ),
            "That is the share of the error that is saved, in per cent; points are asked for.": (
                lambda k, t: 100 * (1 - three[k][t] / (two[k][t] + out[t]))
            ),
            "That is always the top-1 row: use `top`.": (
                lambda k, t: two[k]["top1"] + out["top1"] - three[k]["top1"]
            ),
            "The correction must be the one for `top` as well.": (
                lambda k, t: two[k][t] + out["top1"] - three[k][t]
            ),
            "That is Table 2 with the missing images put back; the crops' error is still to be "
            "subtracted.": lambda k, t: two[k][t] + out[t],
            "That is Table 2 alone.": lambda k, t: two[k][t],
            "Put the missing images back once, not twice.": (
                lambda k, t: two[k][t] + 2 * out[t] - three[k][t]
            ),
        },
    )


def exercise_3(missed_by_all: Any) -> Verdict:
    """Images that all members miss, and that independent ones would."""
    import torch

    generator = torch.Generator().manual_seed(0)
    hard = torch.rand(400, generator=generator)
    table = torch.rand(5, 400, generator=generator) < hard

    def both(w: Any) -> tuple[float, float]:
        return w.all(0).double().mean().item(), w.double().mean(1).prod().item()

    return checks.function(
        missed_by_all,
        both,
        [(table[:3],), (table,), (table[:1],)],
        name="missed_by_all",
        wrong={
            "The first is the share that *any* member misses.": (
                lambda w: (w.any(0).double().mean().item(), both(w)[1])
            ),
            "The second is the members' mean error; multiply their errors.": (
                lambda w: (both(w)[0], w.double().mean().item())
            ),
            "The second adds the errors; independent events happen together with the product.": (
                lambda w: (both(w)[0], w.double().mean(1).sum().item())
            ),
            "The second takes the mean error to the power of M; each member has its own error.": (
                lambda w: (both(w)[0], w.double().mean().item() ** len(w))
            ),
            "The second multiplies what is right; multiply the errors.": (
                lambda w: (both(w)[0], (~w).double().mean(1).prod().item())
            ),
            "The other way round: first what is, then what would be.": lambda w: both(w)[::-1],
            "`all` along the images says whether a member is always wrong; the members are axis "
            "0.": lambda w: (w.all(1).double().mean().item(), both(w)[1]),
            "The first is a number of images; divide by how many there are.": (
                lambda w: (w.all(0).sum().item(), both(w)[1])
            ),
            "The first is the share that all get right; `wrong` is true where a member errs.": (
                lambda w: ((~w).all(0).double().mean().item(), both(w)[1])
            ),
            "Only the first is there: two shares are asked for.": lambda w: both(w)[0],
            "Only the second is there: two shares are asked for.": lambda w: both(w)[1],
            "The errors are multiplied over the images; first the mean over the images, then the "
            "product over the members.": (lambda w: (both(w)[0], w.double().mean(0).prod().item())),
        },
    )


def exercise_4(standard_error: Any) -> Verdict:
    """The standard error of a paired difference."""
    import torch

    generator = torch.Generator().manual_seed(1)
    hard = torch.rand(300, generator=generator)
    a = torch.rand(300, generator=generator) < hard
    b = torch.rand(300, generator=generator) < 0.8 * hard

    def paired(a: Any, b: Any) -> float:
        d = a.double() - b.double()
        return (d.var(correction=0) / len(d)).sqrt().item()

    def apart(a: Any, b: Any) -> float:
        spread = a.double().var(correction=0) + b.double().var(correction=0)
        return (spread / len(a)).sqrt().item()

    def spread(a: Any, b: Any) -> float:
        return (a.double() - b.double()).std(correction=0).item()

    def share_of_ones(a: Any, b: Any) -> float:
        gap = abs((a.double() - b.double()).mean().item())
        return math.sqrt(gap * (1 - gap) / len(a))

    return checks.function(
        standard_error,
        paired,
        [(a, b), (a[:50], b[:50]), (a, a)],
        name="standard_error",
        wrong={
            "That is the mean square; a variance is taken about the mean.": (
                lambda a, b: ((a.double() - b.double()).square().mean() / len(a)).sqrt().item()
            ),
            "That is for the sum of the two; take their difference.": (
                lambda a, b: ((a.double() + b.double()).var(correction=0) / len(a)).sqrt().item()
            ),
            "That is for different images: variances add up only where the two are independent.": (
                apart
            ),
            "That is the spread over images, not of their mean: divide by √N.": spread,
            "Divide the spread by √N, not by N.": lambda a, b: spread(a, b) / len(a),
            "That is the variance of the mean; its root is the standard error.": (
                lambda a, b: spread(a, b) ** 2 / len(a)
            ),
            "Take the variance with 1/N, as the task says: `correction=0`.": (
                lambda a, b: ((a.double() - b.double()).var() / len(a)).sqrt().item()
            ),
            "That is the difference itself; how surely it is known is asked.": (
                lambda a, b: (a.double() - b.double()).mean().item()
            ),
            "The sign of the difference matters: without it −1 and 1 look alike.": (
                lambda a, b: ((a != b).double().var(correction=0) / len(a)).sqrt().item()
            ),
            "That is the half-width of the 95 % interval; the standard error is asked for.": (
                lambda a, b: 1.96 * paired(a, b)
            ),
            "That is for a mean of zeros and ones; a difference can be −1, too.": share_of_ones,
            "That is in points; shares go from 0 to 1.": lambda a, b: 100 * paired(a, b),
            "That is the standard error of one network; the two are compared.": (
                lambda a, b: (a.double().var(correction=0) / len(a)).sqrt().item()
            ),
            "Standard errors of one network each cannot be subtracted; take the variance of the "
            "difference.": lambda a, b: (
                (a.double().var(correction=0) / len(a)).sqrt()
                - (b.double().var(correction=0) / len(b)).sqrt()
            ).item(),
        },
    )


def exercise_5(images_needed: Any) -> Verdict:
    """Images that would show a gap between two networks."""

    def need(d: float, g: float, z: float = 1.96) -> float:
        return z**2 * (d - g * g) / g**2

    return checks.function(
        images_needed,
        lambda d, g: math.ceil(need(d, g)),
        [(0.06, 0.005), (0.1, 0.02), (0.3, 0.25), (0.02, 0.004)],
        name="images_needed",
        tolerance=1e-9,
        wrong={
            "The variance is disagree − gap²; you added the square.": (
                lambda d, g: math.ceil(1.96**2 * (d + g * g) / g**2)
            ),
            "disagree − gap² is a variance already: only 1.96 and the gap are squared.": (
                lambda d, g: math.ceil((1.96 * (d - g * g) / g) ** 2)
            ),
            "1.96 standard errors are half the interval: compare them with the gap itself.": (
                lambda d, g: math.ceil(4 * need(d, g))
            ),
            "Round up: a part of an image cannot be taken.": need,
            "Round up, not down: with one image fewer the interval is too wide.": (
                lambda d, g: math.floor(need(d, g))
            ),
            "Round up; `round` goes down at times.": lambda d, g: round(need(d, g)),
            "The variance is disagree − gap²: the square of the mean is to be taken away.": (
                lambda d, g: math.ceil(1.96**2 * d / g**2)
            ),
            "The variance is disagree − gap²; you took the gap away, not its square.": (
                lambda d, g: math.ceil(1.96**2 * (d - g) / g**2)
            ),
            "The 1.96 is missing: one standard error covers only two cases of three.": (
                lambda d, g: math.ceil(need(d, g, 1.0))
            ),
            "1.96 is squared like the rest.": lambda d, g: math.ceil(need(d, g, 1.96**0.5)),
            "The error shrinks with √N, so N grows with the square of 1 / gap.": (
                lambda d, g: math.ceil(1.96 * (d - g * g) ** 0.5 / g)
            ),
            "The error shrinks with √N: the gap enters squared.": (
                lambda d, g: math.ceil(1.96**2 * (d - g * g) / g)
            ),
            "The error shrinks with √N: the gap enters squared; and its square is taken from the "
            "variance.": lambda d, g: math.ceil(1.96**2 * d / g),
            "1.96, not 2: the answer differs.": lambda d, g: math.ceil(need(d, g, 2.0)),
            "That is for two networks asked about different images; here they see the same ones.": (
                lambda d, g: math.ceil(2 * need(d, g))
            ),
            "`disagree` is a share already: it is not squared.": (
                lambda d, g: math.ceil(1.96**2 * (d * d - g * g) / g**2)
            ),
            "That is the variance of one right-or-wrong answer; here it is that of a difference, "
            "disagree − gap².": lambda d, g: math.ceil(1.96**2 * d * (1 - d) / g**2),
        },
    )
