"""Tables of recorded runs: where they come from, what each setting gave, how settings differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from inception_edu.describe.tables import Table, table
from inception_edu.teach.claims import Text

WORDS = {"dead_last": "dead in the last block", "dead_most": "dead in the worst block"}


def provenance(results: Sequence[Any]) -> Text:
    """Where runs come from, in one line: data, number, device, version of torch."""
    first = results[0]
    steps = sorted({run.config.recipe.steps for run in results})
    said = f"{steps[0]}" if len(steps) == 1 else f"{steps[0]} to {steps[-1]}"
    return Text(
        f"{len(results)} runs of {said} steps on {first.data['name']}, {first.device}, torch "
        f"{first.versions['torch']}."
    )


def settings(results: Sequence[Any], *values: str, caption: str = "") -> Table:
    """A row a setting: mean and interval of each of `values`, such as "dead_last"."""
    from inception_edu.study import summarise

    cells = [summarise(results, value) for value in values]
    rows = [(label, *(found[label].text() for found in cells)) for label in cells[0]]
    names = [WORDS.get(value, value.replace("_", " ")) for value in values]
    return table(rows, ["setting", *names], caption=caption)


def fates(results: Sequence[Any], accuracy: bool = False, caption: str = "") -> Table:
    """A row a setting: whether its runs live or die, in words (docs/verdicts.md)."""
    from inception_edu.study import fate_of_cell, summarise

    groups: dict[str, list[Any]] = {}
    for run in results:
        groups.setdefault(run.label, []).append(run)
    rows = []
    for label, runs in groups.items():
        found = fate_of_cell(runs)
        more = (summarise(runs)[label].text(),) if accuracy else ()
        rows.append((label, found.word, found.sentence, *more))
    columns = ["setting", "fate", "what the seeds did", *(["accuracy"] if accuracy else [])]
    return table(rows, columns, caption=caption)


def contrasts(differences: Mapping[Any, Any], caption: str = "") -> Table:
    """A row a difference: its mean with the 95 % interval, and what may be said."""
    rows = [(str(name), gap.text(), gap.word()) for name, gap in differences.items()]
    return table(rows, ["", "difference", "verdict"], caption=caption)


def verdicts(*names: str) -> Table:
    """Claims of the paper, such as "C1", with the evidence of the committed runs."""
    from inception_edu.study import CLAIMS

    rows = []
    for name in names:
        claim, found = CLAIMS[name], CLAIMS[name].verdict()
        said = [f"{piece.shows or 'neither'}: {piece.sentence}" for piece in found.evidence]
        if found.why:
            said.append(f"because {found.why}")
        said.append(f"A full replication needs {claim.needs}.")
        for place, sentence in enumerate(said):
            first = (claim.says, found.word) if place == 0 else (None, None)
            rows.append((*first, sentence))
    return table(rows, ["the paper says", "seen here", "evidence"])
