"""A stated sample of the committed runs, made again: with their own seeds, and with seeds that
nobody has seen.

    python -m inception_edu.study reproduce            at most 20 minutes on two cores
    python -m inception_edu.study reproduce --small    at most a minute, on the embedded images

For the committed seeds the first recorded loss has to come out again (later ones may part: dying
amplifies rounding). For unseen seeds the values have to fall where the committed spread says that
one more seed should, in 99 of 100 cases; and the fate has to be one that a committed run has.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from inception_edu.study.config import PHOTOGRAPHS, Config, ExperimentError
from inception_edu.study.fates import fate, fate_of_cell
from inception_edu.study.identity import fingerprint
from inception_edu.study.results import Result, load_results
from inception_edu.study.runs import run
from inception_edu.study.statistics import Cell, summarise

# Settings that carry the verdicts, and are cheap: (experiment, label).
SAMPLE = (
    ("embedded", "nothing"),
    ("embedded", "scale 0.1"),
    ("embedded", "rate / 10"),
    ("remedies", "nothing"),
    ("remedies", "scale 0.1"),
    ("remedies", "rate / 10"),
    ("remedies", "norm in last branch"),
    ("remedies", "norm after last sum"),
    ("remedies", "two-phase warm-up"),
    ("remedies", "SGD: nothing"),
    ("causes", "slow classifier"),
    ("causes", "slow last layers"),
    ("dying", "width 72, scale 1, rate 0.045"),
    ("dying", "width 288, scale 1, rate 0.14"),
    ("scaling", "width 72, scale 0.1"),
    ("depth", "plain, depth 16, rate 0.1"),
    ("depth", "residual × 0.1, depth 16, rate 0.1"),
)
SMALL = SAMPLE[:3]
UNSEEN = (1001, 1002)
FIRST_LOSS = 0.02  # relative: another processor or torch rounds differently

# A share moves in steps of one channel or one image: that much is no deviation.
GRAIN = {"dead_last": 1 / 72, "accuracy": 1 / 200, "final_loss": 1e-3}
SHARES = ("dead_last", "accuracy")


@dataclass(frozen=True)
class Checked:
    """One run made again, and whether it came out as the committed ones say; `holds` is None, and
    there is no seed, where a setting was left out."""

    label: str
    seed: int | None
    holds: bool | None
    sentence: str


def reproduce_sample(small: bool = False, source: str | None = None) -> Iterable[Checked]:
    """Make the sample again, run by run. Settings on photographs are left out, in a sentence, where
    the photographs are not the ones that the committed runs were made with."""
    why: dict[str, str] = {}  # images are looked for once: a download that fails takes its time
    for experiment, label in SMALL if small else SAMPLE:
        committed = [r for r in load_results(experiment) if r.label == label]
        images = committed[0].data["fingerprint"]
        if images not in why:
            why[images] = _other_images(committed[0], source)
        if why[images]:
            yield Checked(f"{experiment}: {label}", None, None, why[images])
        else:
            yield from _setting(experiment, committed, small, source)


def _other_images(result: Result, source: str | None) -> str:
    if result.config.data != PHOTOGRAPHS:
        return ""
    try:
        here = fingerprint(PHOTOGRAPHS, source)
    except Exception as error:
        return f"the photographs are not at hand ({error})"
    if here != result.data["fingerprint"]:
        return f"made with {result.data['name']}, and these are other images"
    return ""


def _setting(experiment: str, committed: list[Result], small: bool, source) -> Iterable[Checked]:
    name = f"{experiment}: {committed[0].label}"
    old = committed[0]
    new = run(old.config, source=source)
    was, now = old.curves["loss"][0], new.curves["loss"][0]
    same = math.isclose(was, now, rel_tol=FIRST_LOSS)
    told = f"committed seed: first loss {now:.4g} (was {was:.4g}), {fate(new).word}"
    yield Checked(name, old.seed, same, told)
    seen = {result.seed for result in committed}
    fresh = [run(_fresh(old.config, seed, seen), source=source) for seed in UNSEEN[: 2 - small]]
    for result in fresh:
        yield _unseen(name, result, committed)


def _fresh(config: Config, seed: int, seen: set[int]) -> Config:
    if seed in seen:
        raise ExperimentError(f"Seed {seed} is a committed one, so it is no new evidence.")
    return config.with_seed(seed)


def _unseen(name: str, new: Result, committed: list[Result]) -> Checked:
    outside, parts = [], []
    for value, grain in GRAIN.items():
        cell: Cell = summarise(committed, value)[committed[0].label]
        low, high = cell.one_more
        got = getattr(new, value)
        if got is None:  # it diverged: its fate says so
            continue
        if value in SHARES:
            low, high = max(low, 0.0), min(high, 1.0)
        parts.append(f"{value} {got:.3g} ({low:.3g} to {high:.3g})")
        if not low - grain <= got <= high + grain:
            outside.append(value)
    now, then = fate(new).word, fate_of_cell(committed)
    if now not in then.counts:
        outside.append("fate")
    told = f"unseen seed: {now} (the committed ones: {then.word}); {', '.join(parts)}"
    if outside:
        told += f"; outside: {', '.join(outside)}"
    return Checked(name, new.seed, not outside, told)


def report(small: bool = False, source: str | None = None) -> bool:
    """Print every run of the sample as it is made; whether all hold that could be made."""
    made: list[Checked] = []
    left_out: list[Checked] = []
    for checked in reproduce_sample(small, source):
        if checked.holds is None:
            if checked.sentence not in [other.sentence for other in left_out]:
                print(f"left out: {checked.sentence}", flush=True)
            left_out.append(checked)
            print(f"--  {checked.label:42} left out", flush=True)
            continue
        made.append(checked)
        mark = "ok " if checked.holds else "NOT"
        print(f"{mark} {checked.label:42} seed {checked.seed:<5} {checked.sentence}", flush=True)
    held = sum(bool(checked.holds) for checked in made)
    told = f"{held} of {len(made)} runs came out as the committed runs say"
    print(f"{told}; {len(left_out)} settings were left out." if left_out else f"{told}.")
    return held == len(made)
