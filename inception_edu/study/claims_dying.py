"""Verdicts on the claims about dying networks, C3 to C7 and C10, from committed runs."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from inception_edu.study.config import Config
from inception_edu.study.experiments_dying import CONTROLLED, cell, no_blocks_at
from inception_edu.study.fates import CellFate, fate, fate_of_cell
from inception_edu.study.results import Result, results_if_any
from inception_edu.study.statistics import Difference, difference, holm, summarise
from inception_edu.study.verdicts import Evidence, Verdict, fates, no_harm, verdict

REMEDIES_OF_C4 = ("rate / 10", "norm in last branch", "norm after last sum")
WIDE_NOTE = ", all filters, 1000 steps"
TOWER_NOTE = ", 1152 channels, 600 steps"
WARM_UPS = ("two-phase warm-up", "two-phase warm-up from rate / 10")
LONGER_WARM_UPS = tuple(
    f"{steps} steps at {rate}" for steps in (100, 400) for rate in ("0.00001", "rate / 10")
)
SCALES = ("scale 0.1", "scale 0.2", "scale 0.3")


# The paper's rate, a third and a tenth of it.
PAPER_RATE, THIRD_RATE, LOW_RATE = 0.045, 0.015, 0.0045
# Towers above the paper's 1000 filters: these steps, and no more than 60.
LONG_NOTE, SHORT_NOTE = " for 2000 steps", " at step 60"

BY = ("depth", "scale", "residual", "bottleneck", "lr")


def full(scale: float, lr: float) -> str:
    """The label of a setting of `paper_width`: Inception-ResNet-v2 with all of its filters."""
    return f"scale {scale:g}, rate {lr:g}"


UNSCALED = full(1, PAPER_RATE)


@cache
def _runs(name: str) -> tuple[Result, ...]:
    return tuple(results_if_any(name))


def fates_of(name: str) -> dict[str, CellFate]:
    """The fate of every cell of an experiment, by its label."""
    groups: dict[str, list[Result]] = {}
    for run in _runs(name):
        groups.setdefault(run.label, []).append(run)
    return {label: fate_of_cell(runs) for label, runs in groups.items()}


def _expect(
    name: str,
    expected: dict[str, str],
    note: str = "",
    presupposed: str = "",
    lasting: bool = False,
) -> Evidence | None:
    """The fates of an experiment as evidence; None where its runs are not there. `presupposed`: the
    setting without a remedy, which has to die before any remedy can be judged. `lasting`: the
    share of dead channels must not change any more."""
    found = fates_of(name)
    if not set(expected) <= set(found):
        return None
    told = {label + note: (found[label], word) for label, word in expected.items()}
    evidence = fates(told, [presupposed + note] if presupposed else [], lasting)
    return replace(evidence, of=frozenset(_start(r) for r in _runs(name) if r.label in expected))


def _start(run: Result) -> tuple[Config, float]:
    """What a run has in common with one that goes on for longer from the same start: they are
    counted as one. The first loss tells whether the first weights are the same: runs made with an
    older torch drew others from the same seed (docs/devices.md)."""
    recipe = replace(run.config.recipe, steps=1, record_every=1)
    alike = replace(run.config, label="", recipe=recipe, test_images=0)
    return alike, round(run.curves["loss"][0], 2)


def _at_paper_width(
    expected: dict[tuple[float, float], str], presupposed: str = ""
) -> Evidence | None:
    """Fates of the network with all of its filters, by (scale, rate)."""
    words = {full(*key): word for key, word in expected.items()}
    return _expect("paper_width", words, WIDE_NOTE, presupposed)


def _tower(
    name: str,
    width: int,
    expected: dict[tuple[float, float], str],
    note: str,
    presupposed: tuple[float, float] | None = None,
    lasting: bool = False,
) -> Evidence | None:
    """Fates of the tower of this width, by (scale, rate)."""
    words = {cell(width, *key): word for key, word in expected.items()}
    before = cell(width, *presupposed) if presupposed else ""
    return _expect(name, words, note, before, lasting)


def _wide_remedies(expected: dict[str, str]) -> Evidence | None:
    """Fates of the tower of 1152 channels with remedies: evidence once they were run on a GPU."""
    return _expect("wide_remedies", expected, TOWER_NOTE, "nothing")


def _known(*evidence: Evidence | None) -> list[Evidence]:
    """What there are runs for."""
    return [some for some in evidence if some is not None]


def wide_networks_die() -> Verdict:
    """C3: 1152 channels at the paper's rate die and stay dead, 2304 die; 72 and 144 live, and go on
    living. Inception-ResNet-v2 with all of its filters dies, too."""
    wide = cell(1152, 1, 0.045)
    dead = {(1.0, PAPER_RATE): "dies"}
    early = {wide: "dies", cell(72, 1, 0.045): "lives", cell(144, 1, 0.045): "lives"}
    evidence = [
        _expect("dying", early, " at step 60"),
        _expect("recovery", {f"{wide}, 600 steps": "dies"}, lasting=True),
        _expect("paper_width", {UNSCALED: "dies"}, WIDE_NOTE, lasting=True),
        _tower("dying", 2304, dead, SHORT_NOTE),
        _tower("wide", 1152, dead, LONG_NOTE, lasting=True),
    ]
    lacks = "" if all(evidence) else "its long runs or those at full width are missing"
    longest = _tower("wide", 2304, dead, LONG_NOTE, lasting=True)
    alive = {cell(width, 1, PAPER_RATE): "lives" for width in (72, 144)}
    narrow = _expect("narrow", alive, LONG_NOTE)
    slow = _tower("slow_return", 1152, dead, " for 6000 steps", lasting=True)
    return verdict(_known(*evidence, longest, narrow, slow), "reduced", lacks)


def controlled_differences() -> dict[tuple[int, float, str], Difference]:
    """Accuracy in the towers of `narrow` that have controls, by width, rate, and what is compared;
    all corrected together."""
    cells = summarise(_runs("narrow"))
    found = {}
    for width, rate in CONTROLLED:
        unscaled, scaled = (cells[cell(width, scale, rate)] for scale in (1, 0.1))
        alone = cells[no_blocks_at(width, rate)]
        found[width, rate, "unscaled − no blocks"] = difference(unscaled, alone)
        found[width, rate, "× 0.1 − no blocks"] = difference(scaled, alone)
        found[width, rate, "× 0.1 − unscaled"] = difference(scaled, unscaled)
    return holm(found)


# The experiments that go on long enough for a death to be a late one.
FOLLOWED = (
    *("long", "narrow", "recovery", "wide", "paper_width"),
    *("slow_return", "long_norm"),  # these go on from runs of `wide` and `long`
)


def dead_at(run: Result, step: float) -> dict[str, float]:
    """Each block's share of channels that were dead in the batch, at the first record from this
    step on."""
    place = next(i for i, recorded in enumerate(run.curves["step"]) if recorded >= step)
    return {name: shares[place] for name, shares in run.maps["dead"].items()}


def followed() -> list[Result]:
    """The runs in which a late death would show. Of those that start alike the longest counts."""
    runs = [run for name in FOLLOWED for run in _runs(name)]
    return list({_start(run): run for run in sorted(runs, key=_steps)}.values())


def _steps(run: Result) -> int:
    return run.config.recipe.steps


def lived_early() -> list[Result]:
    """Runs that lived after the overshoot of the first steps (at a twentieth of their length): no
    other run can die late."""
    return [r for r in followed() if fate(dead_at(r, _steps(r) / 20)).word == "lives"]


def late_deaths() -> list[Result]:
    """Runs that lived early and were dead at the end: what the paper describes."""
    return [run for run in lived_early() if fate(run).word == "dies"]


def not_prevented() -> Verdict:
    """C4: with a tenth of the rate, and with either reading of the extra norm, the tower dies."""
    expected = {"nothing": "dies"} | {label: "dies" for label in REMEDIES_OF_C4}
    rates = {(1.0, PAPER_RATE): "dies", (1.0, LOW_RATE): "dies"}
    evidence = _known(
        _expect("remedies", expected, presupposed="nothing"),
        _at_paper_width(rates, UNSCALED),
        *_lower_rates(),
        _wide_remedies(expected),
    )
    return verdict(evidence, "reduced")


def _lower_rates() -> list[Evidence | None]:
    """Do towers above 1000 filters die at a lower rate, where they die at the paper's?"""
    usual = (1.0, PAPER_RATE)
    third, tenth = ({usual: "dies", (1.0, rate): "dies"} for rate in (THIRD_RATE, LOW_RATE))
    return [
        _tower("dying", 2304, tenth, SHORT_NOTE, usual),
        _tower("wide", 1152, third, LONG_NOTE, usual),
    ]


def scaling_stabilises() -> Verdict:
    """C5: scaled the tower lives, for 60 and for 3000 steps, where it dies unscaled; so does the
    network with all filters, at both scales that were tried."""
    short = {"nothing": "dies"} | {label: "lives" for label in SCALES}
    lasting = {"nothing": "dies", "scale 0.1": "lives"}
    usual = (1.0, PAPER_RATE)
    saved = {usual: "dies", (0.1, PAPER_RATE): "lives"}
    evidence = [
        _expect("remedies", short, presupposed="nothing"),
        _expect("long", lasting, " for 3000 steps", "nothing"),
        _at_paper_width({(1, PAPER_RATE): "dies", (0.1, PAPER_RATE): "lives"}, UNSCALED),
        _at_paper_width({(0.2, PAPER_RATE): "lives"}),
        _tower("dying", 2304, saved, SHORT_NOTE, usual),
        _tower("wide", 1152, saved, LONG_NOTE, usual),
    ]
    if not all(evidence):
        return verdict([], "reduced", "the long runs or those at full width are missing")
    longest = _tower("wide", 2304, saved, LONG_NOTE, usual)
    return verdict(_known(*evidence, longest, _wide_remedies(short)), "reduced")


def warm_up_is_not_enough() -> Verdict:
    """C6: both two-phase warm-ups end dead, and so do those with a longer first phase."""
    expected = {"nothing": "dies"} | {label: "dies" for label in WARM_UPS}
    longer = {"nothing": "dies"} | {label: "dies" for label in LONGER_WARM_UPS}
    evidence = _known(
        _expect("remedies", expected, presupposed="nothing"),
        _expect("warm_ups", longer, ", longer warm-up", "nothing"),
        _wide_remedies(expected),
    )
    return verdict(evidence, "reduced")


def harm_differences() -> dict[str, Difference]:
    """Accuracy, scaled minus unscaled, where the unscaled network lives; corrected together. The
    network with all filters, where it has runs, comes last."""
    accuracy = summarise(_runs("scaling"), "accuracy", by=("width", "scale"))
    gaps = {
        f"72 channels, scale {scale:g} minus scale 1": difference(
            accuracy[72, scale], accuracy[72, 1.0]
        )
        for scale in (0.1, 0.3)
    }
    depth = summarise(_runs("depth"), "accuracy", by=BY)
    losses = summarise(_runs("depth"), "final_loss", by=BY)
    for d in (2, 4, 8, 16):
        scaled, unscaled = (_best(depth, losses, (d, scale, None, None)) for scale in (0.1, 1.0))
        gaps[f"{d} blocks, scale 0.1 minus scale 1"] = difference(scaled, unscaled)
    wide = summarise(_runs("paper_width"), "accuracy")
    one, other = full(0.2, LOW_RATE), full(1, LOW_RATE)
    if one in wide and other in wide:
        what = f"scale 0.2 minus scale 1, rate {LOW_RATE:g} for both{WIDE_NOTE}"
        gaps[what] = difference(wide[one], wide[other])
    return holm(gaps)


def scaling_does_no_harm() -> Verdict:
    """C7: where the unscaled network lives, a scale of 0.1 to 0.3 is not worse by a point."""
    evidence = [no_harm(what, gap, 0.01) for what, gap in harm_differences().items()]
    return verdict(evidence, "reduced")


def _best(cells: dict, losses: dict, key: tuple):
    """The cell at the rate with the lowest training loss: the test images do not choose it."""
    keys = [k for k in cells if k[:-1] == key]
    return cells[min(keys, key=lambda k: losses[k].mean)]


def scaling_is_necessary() -> Verdict:
    """C10: without scaling every remedy dies, in the patient, at 1152 channels, and in the network
    with all filters."""
    expected = {"nothing": "dies", "rate / 10": "dies"}
    evidence = [
        _expect("remedies", expected, presupposed="nothing"),
        _expect("long", expected, " for 3000 steps", "nothing"),
        _expect("recovery", {f"{cell(1152, 1, LOW_RATE)}, 600 steps": "dies"}),
        _at_paper_width({(1, PAPER_RATE): "dies", (1, LOW_RATE): "dies"}, UNSCALED),
        *_lower_rates(),
        _wide_remedies(expected),
    ]
    return verdict([e for e in evidence if e], "reduced")
