"""What chapter 09 says about towers that asynchronous replicas train."""

from __future__ import annotations

from inception_edu.study import difference, fate_of_cell, load_results, summarise
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
    return ", ".join(f"{word} at {' and '.join(found)}" for word, found in rates.items())


@registered("09.replicas")
def replicas() -> tuple[bool, str]:
    one, many = _words("scale 1", 1), _words("scale 1", MANY)
    died = [rate for rate in many if many[rate] == "dies" and one[rate] == "lives"]
    return bool(died), (
        f"Trained by one replica, the unscaled tower of 144 channels {_told(one)}. With {MANY} "
        f"asynchronous replicas it {_told(many)} (5 runs at each rate). Its stale gradients alone "
        f"kill it, at {' and '.join(f'{rate:g}' for rate in died)}."
    )


@registered("09.replicas-scale")
def replicas_scale() -> tuple[bool, str]:
    many = _words("scale 0.1", MANY)
    cells = summarise(load_results("replicas"))
    rate = max(rate for rate, word in many.items() if word == "lives")
    slower = difference(
        cells[f"scale 0.1, rate {rate:g}, {MANY} replicas"],
        cells[f"scale 0.1, rate {rate:g}, 1 replica"],
    )
    return slower.mean < 0, (
        f"Scaled by 0.1 and with {MANY} replicas it {_told(many)}. Alive is not yet well: at rate "
        f"{rate:g} its accuracy after as many steps, {MANY} replicas minus one, is "
        f"{slower.text()}, {slower.word()}."
    )


@registered("09.replicas-identity")
def replicas_identity() -> tuple[bool, str]:
    one, many = _words("without identity", 1), _words("without identity", MANY)
    return True, (
        f"The same tower without the identity: with one replica it {_told(one)}; with {MANY} it "
        f"{_told(many)}."
    )
