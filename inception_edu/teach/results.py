"""Tables of recorded runs: where they come from, what each setting gave, how settings differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from inception_edu.describe.tables import Table, table
from inception_edu.teach.claims import Text

WORDS = {"dead_last": "dead in the last block", "dead_most": "dead in the worst block"}


def provenance(results: Sequence[Any]) -> Text:
    """Where runs come from, in one line: data, number, device, version of torch; where these
    differ, how many runs have which."""
    steps = sorted({run.config.recipe.steps for run in results})
    said = f"{steps[0]}" if len(steps) == 1 else f"{steps[0]} to {steps[-1]}"
    places = Counter(
        f"{run.data['name']}, {run.versions.get('card', run.device)}, torch {run.versions['torch']}"
        for run in results
    )
    told = f" on {next(iter(places))}"
    if len(places) > 1:
        told = ": " + "; ".join(f"{count} on {place}" for place, count in places.items())
    return Text(f"{len(results)} runs of {said} steps{told}.")


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
    from inception_edu.study.fates import between, counted

    groups: dict[str, list[Any]] = {}
    for run in results:
        groups.setdefault(run.label, []).append(run)
    rows = []
    for label, runs in groups.items():
        found = fate_of_cell(runs)
        more = (summarise(runs)[label].text(),) if accuracy else ()
        said = (found.word, counted(found.counts), between(found.dead), _at_the_end(found.trends))
        rows.append((label, *said, *more))
    columns = ["setting", "fate", "its runs", "dead in the worst block", "this share at the end"]
    return table(rows, [*columns, *(["accuracy"] if accuracy else [])], caption=caption)


def _at_the_end(trends: Mapping[str, int]) -> str:
    """{"falling": 3, "level": 2} as "falls in 3, level in 2"; "level" where all runs are."""
    words = {"falling": "falls", "rising": "rises", "level": "level"}
    if len(trends) == 1:
        return words[next(iter(trends))]
    return ", ".join(f"{words[word]} in {n}" for word, n in sorted(trends.items()))


def same_runs(names: Iterable[str]) -> list[dict[str, str]]:
    """The runs that stand in several of these experiments: for each, its label in each of them."""
    from inception_edu.study import load_results

    labels: dict[str, dict[str, str]] = {}
    for name in names:
        for run in load_results(name):
            labels.setdefault(run.digest, {})[name] = run.label
    return [where for where in labels.values() if len(where) > 1]


def shared_runs(places: Mapping[str, str]) -> Table:
    """A row for each setting whose runs stand in several of these experiments, told by the place at
    which each is shown: {"causes": "Experiment 2"}."""
    groups = Counter(tuple(where.items()) for where in same_runs(places))
    rows = []
    for where, count in groups.items():
        first, *others = (f"{label} ({places[name]})" for name, label in where)
        rows.append((first, "; ".join(others), count))
    return table(rows, ["these runs", "are also shown as", "runs"])


ALONE = (
    "Each interval is of one difference alone. The verdict is corrected for all questions of the "
    "table together (Holm), so it can say less than its interval."
)


def contrasts(
    differences: Mapping[Any, Any],
    caption: str = "",
    more: str = "better",
    less: str = "worse",
) -> Table:
    """A row a difference: its mean with the 95 % interval, and what may be said: `more` where it is
    seen above 0, `less` below. Where an interval lies on one side of 0 and after Holm's correction
    no difference is seen, the row names the correction, and the caption says why the two
    disagree."""
    rows, why = [], ""
    for name, gap in differences.items():
        why = ALONE if gap.corrected else why
        rows.append((str(name), gap.text(), gap.word(more, less)))
    caption = ". ".join(filter(None, (caption.rstrip("."), why)))
    return table(rows, ["", "difference", "verdict"], caption=caption)


def against(cells: Mapping[str, Any], base: str, caption: str = "") -> Table:
    """`contrasts` of the setting `base` of `cells` (as `summarise` gives them) with all others of
    its group, corrected together (Holm). "width 72: unscaled" is in the group "width 72"."""
    from inception_edu.study import difference, holm

    group = base.rpartition(": ")[0]
    names = [label for label in cells if label.rpartition(": ")[0] == group and label != base]
    gaps = {name.rpartition(": ")[2]: difference(cells[name], cells[base]) for name in names}
    return contrasts(holm(gaps), caption)


def verdicts(*names: str) -> Table:
    """Claims of the paper, such as "C1", with the evidence of the committed runs."""
    from inception_edu.study import CLAIMS

    rows = []
    for name in names:
        claim, found = CLAIMS[name], CLAIMS[name].verdict()
        said = [f"{e.word}: {e.sentence}" for e in found.evidence if e.word != "told"]
        if told := [piece for piece in found.evidence if piece.word == "told"]:
            # Two questions about one difference are told once.
            shown = dict.fromkeys(_difference_in(piece.sentence) for piece in told)
            whys = dict.fromkeys(why for piece in told for why in piece.why)
            said += [f"told, decides nothing: {'; '.join(shown)} (why: {'; '.join(whys)})"]
        if found.why:
            said.append(f"because {found.why}")
        said.append(f"How it was made: {claim.made} A full replication needs {claim.needs}.")
        for place, sentence in enumerate(said):
            first = (f"{name}. {claim.says}", found.word) if place == 0 else (None, None)
            rows.append((*first, sentence))
    return table(rows, ["the paper says", "verdict", "evidence"])


def _difference_in(sentence: str) -> str:
    """What is compared, and by how much it differs: "mean error, a minus b: +1.2 points (…), margin
    2" without the question and the margin."""
    return sentence.partition(", ")[2].partition(", margin")[0]


def run_dots(results: Sequence[Any], values: Mapping[str, str]) -> Any:
    """A row a setting, a dot a run, a stroke at the mean; one panel for each of `values`, which
    maps a value such as "dead_last" to the title of its panel."""
    from inception_edu.study import summarise
    from inception_edu.teach import plots

    cells = {title: summarise(results, value) for value, title in values.items()}
    settings = list(next(iter(cells.values())))
    # Many rows stand closer, so that the figure fits on a screen.
    fig = plots.figure(9, 0.9 + min(0.28 * len(settings), max(4.5, 0.21 * len(settings))))
    for place, (title, found) in enumerate(cells.items(), 1):
        runs = {str(cell.label): cell.values for cell in found.values()}
        axis = plots.dots(runs, fig.add_subplot(1, len(cells), place), percent=True)
        axis.set_title(title)
        if place > 1:
            axis.set_yticklabels([])
    title, found = next(iter(cells.items()))
    said = "; ".join(f"{label}: {cell.text()}" for label, cell in found.items())
    return plots.show(fig, f"{title}, one dot a run. {said}.", colours=16)


def courses(
    results: Sequence[Any], labels: Mapping[str, str] | None = None, mark: int | None = None
) -> Any:
    """The share of dead channels in the worst block against the step: a line a run, a panel a
    setting. `labels` maps each setting that is shown to the title of its panel; `mark` is a step
    that gets a dotted line."""
    from inception_edu.study import summarise
    from inception_edu.teach import plots

    shown = labels or {run.label: run.label for run in results}
    fig = plots.figure(9, 2.8)
    for place, (label, title) in enumerate(shown.items()):
        axis = fig.add_subplot(1, len(shown), place + 1)
        for run in (r for r in results if r.label == label):
            worst = [100 * max(shares) for shares in zip(*run.maps["dead"].values())]
            axis.plot(run.curves["step"], worst, color=plots.COLOURS[0], alpha=0.6, lw=1)
        if mark is not None:
            axis.axvline(mark, color="#555555", lw=1, ls=":")
        axis.set_title(title, fontsize=8)
        axis.set(xlabel="step", ylim=(-4, 104))
        if place:
            axis.set_yticklabels([])
        else:
            axis.set_ylabel("dead channels, worst block (%)")
    cells = summarise((r for r in results if r.label in shown), "dead_most")
    said = "; ".join(f"{label} ends at {cell.text()}" for label, cell in cells.items())
    return plots.show(
        fig,
        "Dead channels in the worst block against the step, one line a run, one panel a setting: "
        f"{said}.",
        # Many thin lines: with three such figures a chapter would be too large a file.
        dpi=128,
        colours=16,
    )
