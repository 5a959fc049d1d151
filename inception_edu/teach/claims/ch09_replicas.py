"""What chapter 09 says about towers that asynchronous replicas train."""

from __future__ import annotations

from inception_edu.study import difference, fate_of_cell, holm, load_results, summarise
from inception_edu.study.cells import PAPER
from inception_edu.study.claims_dying import fates_of
from inception_edu.study.experiments_replicas import RATES, REPLICAS, STEPS, TOGETHER, one_step
from inception_edu.teach.claims import registered

MANY = 20


def _words(kind: str, copies: int) -> dict[float, str]:
    """{rate: the word for its runs} of one tower, trained by so many replicas."""
    cells: dict[float, list] = {}
    for run in load_results("replicas"):
        if run.label.startswith(f"{kind},") and run.config.recipe.replicas == copies:
            cells.setdefault(run.config.recipe.lr, []).append(run)
    return {rate: fate_of_cell(cells[rate]).word for rate in sorted(cells)}


def _told(words: dict[float, str]) -> str:
    """ "lives at 0.00225, dies at 0.015 and 0.045"."""
    rates: dict[str, list[str]] = {}
    for rate, word in words.items():
        rates.setdefault(word, []).append(f"{rate:g}")
    if len(rates) == 1:
        return f"{next(iter(rates))} at all {len(words)} rates"
    return ", ".join(f"{word} at {_and(found)}" for word, found in rates.items())


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


@registered("09.replicas")
def replicas() -> tuple[bool, str]:
    one, many = _words("scale 1", 1), _words("scale 1", MANY)
    lives = [rate for rate in many if many[rate] == "lives"]
    died = [rate for rate in many if many[rate] == "dies" and one[rate] == "lives"]
    return bool(died) and bool(lives), (
        f"Trained by one replica, the unscaled tower of 144 channels {_told(one)}. With {MANY} "
        f"asynchronous replicas it {_told(many)} (5 runs at each rate). So a third of the paper's "
        f"rate does not save it; {max(lives):g}, which is the paper's rate divided by "
        f"{0.045 / max(lives):.0f}, does."
    )


@registered("09.replicas-scale")
def replicas_scale() -> tuple[bool, str]:
    dead = summarise(load_results("replicas"), "dead_most")
    rate = 0.015
    kinds = {"unscaled": "scale 1", "scaled by 0.1": "scale 0.1"}
    kinds["without the identity"] = "without identity"
    found = {name: dead[f"{kind}, rate {rate:g}, {MANY} replicas"] for name, kind in kinds.items()}
    names = ("scaled by 0.1", "without the identity")
    gaps = holm({name: difference(found["unscaled"], found[name]) for name in names})
    gap, other = gaps.values()
    told = ", ".join(f"{100 * cell.mean:.0f} % {name}" for name, cell in found.items())
    return gap.seen == other.seen == "more", (
        f"At rate {rate:g} with {MANY} replicas the towers differ. Dead in the worst block: "
        f"{told}. Unscaled minus scaled: {gap.text()}. Unscaled minus without the identity: "
        f"{other.text()}. At the paper's rate all three "
        f"{'die' if _all_die(kinds.values(), 0.045) else 'do not die'}."
    )


def _all_die(kinds, rate: float) -> bool:
    return all(_words(kind, MANY)[rate] == "dies" for kind in kinds)


@registered("09.replicas-slow")
def replicas_slow() -> tuple[bool, str]:
    many = _words("scale 0.1", MANY)
    cells = summarise(load_results("replicas"))
    rate = max(rate for rate, word in many.items() if word == "lives")
    slower = difference(
        cells[f"scale 0.1, rate {rate:g}, {MANY} replicas"],
        cells[f"scale 0.1, rate {rate:g}, 1 replica"],
    )
    return slower.high < 0, (
        f"A tower that lives need not learn well. The scaled tower lives with {MANY} replicas at "
        f"rate {rate:g}, but after as many steps its accuracy, {MANY} replicas minus one, is "
        f"{slower.text()}: {slower.word()}."
    )


@registered("09.synchronous")
def synchronous() -> tuple[bool, str]:
    """Replicas that wait for one another: one step of a large batch."""
    found = fates_of("synchronous")
    together, alone = (
        [found[one_step(1.0, batch, rate)] for rate in RATES]
        for batch in (TOGETHER, PAPER.batch_size)
    )
    words = [[cell.word for cell in cells] for cells in (together, alone)]
    times = f"{REPLICAS} times this rate ({RATES[1]:g})"
    return words == [["lives", "dies"]] * 2, (
        f"With one step of {TOGETHER} images the unscaled tower of 144 channels "
        f"{together[0].sentence} at the paper's rate and {together[1].sentence} at {times}, after "
        f"{STEPS} steps. With {PAPER.batch_size} images it does the same: it {alone[0].sentence}, "
        f"and {alone[1].sentence}. So a large batch alone does not bring this death. The rate does."
    )
