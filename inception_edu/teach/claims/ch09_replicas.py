"""What chapter 09 says about towers that asynchronous replicas train."""

from __future__ import annotations

from inception_edu.study import difference, fate_of_cell, holm, load_results, summarise
from inception_edu.study.cells import PAPER
from inception_edu.study.claims_dying import fates_of
from inception_edu.study.experiments_replicas import RATES, REPLICAS, STEPS, TOGETHER, one_step
from inception_edu.study.fates import between
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
    alive, right = max(lives), summarise(load_results("replicas"))
    slow, usual = (right[_label("scale 1", alive, copies)].mean for copies in (MANY, 1))
    return bool(died) and bool(lives) and slow < 0.15 < usual, (
        f"Trained by one replica, the unscaled tower of 144 channels {_told(one)}. With {MANY} "
        f"asynchronous replicas it {_told(many)} (5 runs at each rate). So a third of the paper's "
        f"rate does not save it. At {alive:g}, the paper's rate divided by {0.045 / alive:.0f}, it "
        f"stays alive, but it hardly learns: {slow:.0%} of the test images are right, with one "
        f"replica {usual:.0%} (guessing gives 10 %)."
    )


def _label(kind: str, rate: float, copies: int) -> str:
    return f"{kind}, rate {rate:g}, {copies} replica{'s' * (copies > 1)}"


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
    right = summarise(load_results("replicas"))
    learnt = [right[_label(kind, rate, MANY)].mean for kind in kinds.values()]
    stem, blocks = _places("scale 0.1", rate)
    return gap.seen == other.seen == "more" and max(blocks) < min(stem) and max(learnt) < 0.15, (
        f"At rate {rate:g} with {MANY} replicas the towers differ. Dead in the worst block: "
        f"{told}. Unscaled minus scaled: {gap.text()}. Unscaled minus without the identity: "
        f"{other.text()}. In the scaled tower it is the stem that suffers ({between(stem)}); in "
        f"its blocks at most {max(blocks):.0%} are dead. And none of the three has learnt: "
        f"{_and([f'{share:.0%}' for share in learnt])} of the test images are right. At the "
        f"paper's rate all three {'die' if _all_die(kinds.values(), 0.045) else 'do not die'}."
    )


def _places(kind: str, rate: float) -> tuple[list[float], list[float]]:
    """Dead channels of the stem, and of the worst of the blocks, run by run; many replicas."""
    runs = [r for r in load_results("replicas") if r.label == _label(kind, rate, MANY)]
    blocks = [[share for name, share in r.dead.items() if name != "stem"] for r in runs]
    return [r.dead["stem"] for r in runs], [max(shares, default=0.0) for shares in blocks]


@registered("09.replicas-alone")
def replicas_alone() -> tuple[bool, str]:
    """The control: what old gradients do where there is no block."""
    many, found = _words("no blocks", MANY), fates_of("replicas")
    usual, third = (found[_label("no blocks", rate, MANY)] for rate in (0.045, 0.015))
    return many[0.045] == "dies" and many[0.015] != "dies", (
        f"Blocks are not needed for this death. Without any, {MANY} replicas kill the stem at the "
        f"paper's rate: the tower {usual.sentence}. At a third of it the tower without blocks "
        f"{third.sentence}. So what more dies there in the unscaled tower, the blocks add."
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
