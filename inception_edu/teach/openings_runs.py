"""Opening figures that are drawn from committed runs and trained networks; see `openings`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from inception_edu.teach import plots

WIDTH = 8.5  # inches


def panels(count: int, height: float) -> tuple[Any, list[Any]]:
    fig = plots.figure(WIDTH, height)
    return fig, [fig.add_subplot(1, count, place) for place in range(1, count + 1)]


def _full_width(labels: Mapping[str, str]) -> Any:
    """Dead channels and accuracy of Inception-ResNet-v2 with all its filters: a dot a run, a row a
    setting (label of the committed runs → words)."""
    from inception_edu.study import load_results, summarise

    runs = [run for run in load_results("paper_width") if run.label in labels]
    fig, axes = panels(2, 0.9 + 0.34 * len(labels))
    told = []
    for axis, (value, title) in zip(
        axes,
        (("dead_most", "dead channels, worst block (%)"), ("accuracy", "test images right (%)")),
    ):
        cells = summarise(runs, value)
        groups = {words: cells[label].values for label, words in labels.items()}
        plots.dots(groups, axis, title, percent=True)
        told += [f"{words}, {title}: {cells[label].text()}" for label, words in labels.items()]
    axes[1].set_yticklabels([])
    return plots.show(
        fig,
        "Inception-ResNet-v2 with all of its filters after 1000 steps, one dot a run: "
        f"{'; '.join(told)}.",
    )


def chapter_00() -> Any:
    return _full_width(
        {
            "scale 1, rate 0.045": "unscaled, the paper's rate",
            "scale 1, rate 0.0045": "unscaled, a tenth of the rate",
            "scale 0.1, rate 0.045": "scaled by 0.1, the paper's rate",
        }
    )


def chapter_08() -> Any:
    return _full_width({f"scale {s}, rate 0.045": f"scale {s}" for s in ("1", "0.2", "0.1")})


def chapter_09() -> Any:
    from inception_edu.study import load_results
    from inception_edu.teach.results import courses

    settings = {
        "scale 1, rate 0.14": "three times the paper's rate",
        "scale 1, rate 0.045": "the paper's rate",
        "scale 1, rate 0.0045": "a tenth of it",
    }
    return courses(load_results("paper_width"), settings)


def chapter_10() -> Any:
    from inception_edu.study.claims_race import speed_by_seed
    from inception_edu.study.racers import title
    from inception_edu.teach.claims.ch10_towers import DEPTHS, best_towers

    fig, (left, right) = panels(2, 2.7)
    groups = {
        f"{title(name).removeprefix('Inception-')}, {blocks} blocks": gaps
        for (name, blocks), gaps in speed_by_seed().items()
    }
    plots.dots(groups, left, "learns faster than its rival by (points)", percent=True)
    left.axvline(0, color="0.5", lw=0.8, zorder=0)
    best, ends = best_towers(), []
    kinds = {"residual × 0.1": "with the identity", "plain, full width": "without it"}
    for (kind, words), colour, dash in zip(kinds.items(), plots.COLOURS, plots.DASHES):
        means = [100 * best[kind, depth].mean for depth in DEPTHS]
        right.plot(range(len(DEPTHS)), means, dash, marker="o", color=colour, label=words)
        ends.append(f"{words} {means[0]:.0f} % with {DEPTHS[0]} and {means[-1]:.0f} % with 16")
    right.set(xlabel="blocks of a tower", ylabel="test images right (%)", ylim=(0, 40))
    right.set_xticks(range(len(DEPTHS)), list(map(str, DEPTHS)))
    right.legend()
    told = ", ".join(f"{name} {100 * sum(v) / len(v):+.1f}" for name, v in groups.items())
    return plots.show(
        fig,
        "Left: by how many points the mean test error on the way is lower than that of the network "
        f"without residuals at equal cost, one dot a seed; means: {told}. Right: accuracy of "
        f"towers, mean of 5 seeds, {'; '.join(ends)} blocks.",
    )


def chapter_11() -> Any:
    from inception_edu.study import Answers, load_results
    from inception_edu.study.racers import title

    members = Answers.of(load_results("race"))
    alone, together = {}, {}
    for kind in members.networks:
        places = members.of_kind(kind)
        errors = [members.error([place], "1 crop") for place in places]
        alone[title(kind)] = 100 * sum(errors) / len(errors)
        together[title(kind)] = 100 * members.error(places, "1 crop")
    series = {"one network, mean of 5": alone, "its 5 seeds together": together}
    fig, (axis,) = panels(1, 2.7)
    plots.paired_bars(series, axis, "test error (%), 2,000 images, one crop", "{:.1f}")
    told = "; ".join(f"{n} {alone[n]:.1f} % alone, {together[n]:.1f} % together" for n in alone)
    return plots.show(fig, f"Test error of one network and of five: {told}.")


def chapter_12() -> Any:
    from inception_edu.nets import features
    from inception_edu.teach.claims import ch12

    series: dict[str, Mapping[str, float]] = {}
    networks: Sequence[tuple[str, str]] = (
        (ch12.CLOTHES, "trained on clothes"),
        (ch12.PHOTOGRAPHS, "trained on photographs"),
    )
    for name, words in networks:
        model = ch12._trained(name)
        heard = [features.listening(features.block(model, b)) for b in ch12._residual_blocks(model)]
        two = [100 * shares[1] for shares in heard if len(shares) == 2]
        series[words] = {f"block {place}": share for place, share in enumerate(two, 1)}
    fig, (axis,) = panels(1, 3.1)
    words = "% of the 1×1's weights on the branch with 1×n and n×1, blocks B and C"
    plots.paired_bars(series, axis, words, "{:.0f}")
    axis.axvline(50, color="#555555", lw=1)
    told = "; ".join(
        f"{words}: {min(found.values()):.0f} to {max(found.values()):.0f} %"
        for words, found in series.items()
    )
    return plots.show(
        fig,
        "Share of the weights of the linear 1×1 on the branch with 1×n and n×1, in the blocks B "
        f"and C of two networks. {told}.",
    )


def chapter_14() -> Any:
    from inception_edu.study import summarise
    from inception_edu.study.experiments_own import PER_CLASS, cell
    from inception_edu.teach.claims.ch14 import PLAIN, RESIDUAL, runs, settings, title

    cells = summarise(runs())
    groups = {
        cell(name, count): cells[cell(name, count)].values
        for count in PER_CLASS
        for name in (PLAIN, RESIDUAL)
        if count in settings(name)
    }
    tested = runs()[0].data["test"]
    fig, (axis,) = panels(1, 2.7)
    plots.dots(groups, axis, f"% of {tested:,} new photographs named rightly", percent=True)
    axis.axvline(10, color="#555555", lw=1, ls=":")
    told = "; ".join(f"{label} {cells[label].text()}" for label in groups)
    return plots.show(
        fig,
        f"Accuracy of {title(PLAIN)} and {title(RESIDUAL)} by pictures a class, one dot a run; "
        f"dotted: guessing. {told}.",
    )
