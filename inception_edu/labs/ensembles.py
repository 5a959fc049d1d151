"""The ensembles lab: choose trained networks and a number of crops, and see at once what averaging
them is worth.

    lab = ensembles_lab()                       # the committed runs of the race
    lab.choose([0, 5, 6, 7], "12 crops")        # as the checkboxes and buttons do it
    lab.outcome.error, lab.outcome.gain_on_mean

Nothing is trained or evaluated here: the networks' answers to the test images are read from the
result files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape

import ipywidgets as widgets
import torch
from torch import Tensor

from inception_edu.describe import NETWORKS, network
from inception_edu.describe.canvas import CARD, INK
from inception_edu.labs import Picture
from inception_edu.labs.chart import COLOURS, FAINT, GRID, ticks
from inception_edu.labs.diagram import ROW, Bench, card, status, table
from inception_edu.labs.page import changing
from inception_edu.learn import error_correlation, interval, right
from inception_edu.study import Result, crop_logits, load_results

KEPT = 6  # choices that stay in view


# --- What the members said ------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Answers:
    """What M trained networks said of the same N test images, by kind of crop.

    labels   N
    kinds    the network of each member, a key of `networks.NETWORKS`
    seeds    its seed
    rows     by kind of crop ("1 crop", "12 crops", …), M×N×classes: logits, or logarithms of mean
             probabilities
    """

    labels: Tensor
    kinds: tuple[str, ...]
    seeds: tuple[int, ...]
    rows: dict[str, Tensor]

    @classmethod
    def of(cls, results: Iterable[Result]) -> Answers:
        """The answers of those runs that kept any. Raises ValueError where there are none, or where
        they are answers to different images."""
        kept = [result for result in results if "labels" in result.extras]
        if not kept:
            raise ValueError(
                "None of these runs kept answers: run an experiment whose configurations have "
                'after="crops", such as "race".'
            )
        said = [crop_logits(result) for result in kept]
        labels = said[0][0]
        if not all(torch.equal(labels, other) for other, _ in said):
            raise ValueError(
                "These runs answered about different test images, so they cannot be averaged."
            )
        return cls(
            labels,
            tuple(r.config.network for r in kept),
            tuple(r.seed for r in kept),
            {crops: torch.stack([rows[crops] for _, rows in said]) for crops in said[0][1]},
        )

    def __len__(self) -> int:
        return len(self.kinds)

    @cached_property
    def shares(self) -> dict[str, Tensor]:
        """Probabilities, M×N×classes, by kind of crop."""
        return {crops: rows.softmax(2) for crops, rows in self.rows.items()}

    @cached_property
    def networks(self) -> tuple[str, ...]:
        """The kinds of networks there are, in the order of `NETWORKS`."""
        return tuple(kind for kind in NETWORKS if kind in self.kinds)

    def of_kind(self, kind: str) -> list[int]:
        """The places of a network's members, by seed."""
        return sorted(
            (i for i, k in enumerate(self.kinds) if k == kind), key=lambda i: self.seeds[i]
        )

    def wrong(self, chosen: Sequence[int], crops: str) -> Tensor:
        """For each test image, whether the average of the chosen members' probabilities misses it:
        N booleans."""
        return ~right(self.shares[crops][list(chosen)].mean(0), self.labels)

    def error(self, chosen: Sequence[int], crops: str) -> float:
        """Error of the chosen members' average, 0 to 1."""
        return self.wrong(chosen, crops).double().mean().item()


@dataclass(frozen=True)
class Outcome:
    """An ensemble's error (0 to 1) with its 95 % interval, its members' errors, and how they agree
    (None for one)."""

    error: float
    interval: tuple[float, float]
    members: tuple[float, ...]
    disagreement: float | None = None
    q: float | None = None

    @property
    def gain_on_best(self) -> float:
        return min(self.members) - self.error

    @property
    def gain_on_mean(self) -> float:
        return sum(self.members) / len(self.members) - self.error


def evaluate(answers: Answers, chosen: Sequence[int], crops: str) -> Outcome:
    """The outcome of averaging the chosen members. The interval is Wilson's: what another draw of
    test images could change. Raises ValueError where no member is chosen."""
    if not chosen:
        raise ValueError("Choose at least one member.")
    wrong = answers.wrong(chosen, crops)
    together = (
        error_correlation(list(answers.rows[crops][list(chosen)]), answers.labels)
        if len(chosen) > 1
        else {}
    )
    return Outcome(
        wrong.double().mean().item(),
        interval(int(wrong.sum()), len(wrong)),
        tuple(answers.error([i], crops) for i in chosen),
        together.get("disagreement"),
        together.get("q"),
    )


def words_for(answers: Answers, chosen: Sequence[int]) -> str:
    """For example "Inception-v4 (seed 0) + Inception-ResNet-v2 (seeds 0, 1, 2)"."""
    parts = []
    for kind in answers.networks:
        seeds = [answers.seeds[i] for i in answers.of_kind(kind) if i in chosen]
        if seeds:
            parts.append(
                f"{network(kind).name} (seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))})"
            )
    if len(chosen) == len(answers) and len(answers.networks) > 1:
        return f"all {len(answers)} members"
    return " + ".join(parts) or "nobody"


# --- The picture ----------------------------------------------------------------------------------


def _mark(place: int, x: float, y: float, faded: bool) -> str:
    """A member's dot: every kind of network has its own colour and shape."""
    shape = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5"',
        f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8"',
        f'<path d="M{x:.1f} {y - 5:.1f}l5 9h-10z"',
        f'<path d="M{x:.1f} {y + 5:.1f}l5 -9h-10z"',
    )[place % 4]
    return f'{shape} fill="{COLOURS[place % len(COLOURS)]}" fill-opacity="{0.45 if faded else 0.85}" stroke="{CARD}"/>'


def _number(share: float) -> str:
    """A share of 1 in percent, without the sign."""
    return f"{100 * share:.1f}"


def _percent(share: float) -> str:
    return f"{_number(share)} %"


def rows_svg(answers: Answers, rows: list[tuple[int, tuple[int, ...], str, Outcome]]) -> Picture:
    """One row a choice (its number, members, crops, outcome), the first one the current: members'
    errors as dots, the ensemble as a diamond on the bar of its 95 % interval."""
    width, left, right_end, top, tall = 680, 22, 658, 8, 50
    bottom = top + tall * len(rows)
    values = [v for *_, o in rows for v in (*o.interval, *o.members)]
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = 0.04 * (high - low or 1)
    low, high = max(0.0, low - room), min(1.0, high + room)

    def at(value):
        return left + (right_end - left) * (value - low) / (high - low)

    said = "; ".join(
        f"{number}: {words_for(answers, chosen)}, {crops}: error {_percent(o.error)}, members "
        f"{_number(min(o.members))} to {_percent(max(o.members))}"
        for number, chosen, crops, o in rows
    )
    said = f"Errors of ensembles and of their members. {said or 'Nobody is chosen'}."
    body = []
    for value in ticks(100 * low, 100 * high, 7):
        x = at(value / 100)
        body.append(
            f'<path d="M{x:.1f} {top}V{bottom}" stroke="{GRID}"/><text x="{x:.1f}" y="{bottom + 15}" '
            f'text-anchor="middle" fill="{FAINT}">{value:g}</text>'
        )
    for k, (number, chosen, crops, o) in enumerate(rows):
        y, now = top + tall * k, k == 0
        if now:
            body.append(
                f'<rect x="4" y="{y}" width="{width - 8}" height="{tall - 4}" rx="5" fill="#e8f1f8"/>'
            )
        name = f"{_short_words(answers, chosen)} · {crops}"
        weight = ' font-weight="600"' if now else ""
        body.append(
            f'<text x="12" y="{y + 16}" font-weight="600">{number}</text>'
            f'<text x="32" y="{y + 16}"{weight}>{escape(name)}</text>'
            f'<text x="{width - 12}" y="{y + 16}" text-anchor="end"{weight}>{_percent(o.error)}</text>'
        )
        y += 32
        body.append(f'<path d="M{left} {y}H{right_end}" stroke="#b9b9b9"/>')
        body += [
            _mark(answers.networks.index(answers.kinds[i]), at(e), y, not now)
            for i, e in zip(chosen, o.members)
        ]
        x0, x1, x = at(o.interval[0]), at(o.interval[1]), at(o.error)
        body.append(
            f'<path d="M{x0:.1f} {y}H{x1:.1f}M{x0:.1f} {y - 4}v8M{x1:.1f} {y - 4}v8" stroke="{INK}" '
            f'stroke-width="{2 if now else 1.2}"/><path d="M{x:.1f} {y - 8}l7 8l-7 8l-7 -8z" fill="{INK}" '
            f'stroke="{CARD}"/>'
        )
    y = bottom + 34
    body.append(
        f'<text x="{(left + right_end) / 2}" y="{y}" text-anchor="middle">error on {len(answers.labels):,} '
        "test images (%)</text>"
    )
    y, x = y + 22, 12
    for place, kind in enumerate(answers.networks):
        name = network(kind).name
        body.append(
            _mark(place, x + 5, y - 4, False) + f'<text x="{x + 15}" y="{y}">{escape(name)}</text>'
        )
        x += 30 + 7.2 * len(name)
    body.append(
        f'<path d="M19 {y + 10}l7 8l-7 8l-7 -8z" fill="{INK}"/><path d="M12 {y + 18}H54" stroke="{INK}" '
        f'stroke-width="2"/><text x="62" y="{y + 22}">the ensemble, with the 95 % interval of its error; '
        "in brackets: seeds</text>"
    )
    height = y + 34
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ied-ensembles-rows" role="img" '
        f'aria-label="{escape(said, quote=True)}" viewBox="0 0 {width} {height}" width="{width}" '
        f'style="max-width:100%;height:auto;background:{CARD}" font-family="system-ui, sans-serif" font-size="13" '
        f'fill="{INK}">{"".join(body)}</svg>'
    )
    return Picture(svg, said)


def _short_words(answers: Answers, chosen: Sequence[int]) -> str:
    """`words_for` in one line of the picture: "Inception-v4 (0) + Inception-ResNet-v2 (0, 1,
    2)"."""
    words = words_for(answers, chosen).replace("seeds ", "").replace("seed ", "")
    words = words if len(words) <= 60 else words.replace("Inception-", "")
    return words if len(words) <= 72 else f"{words[:70].rstrip(' ,(+')} …"


# --- The lab --------------------------------------------------------------------------------------


class EnsemblesLab(Bench):
    """`ensembles_lab` makes one. `boxes` are its checkboxes (one a member), `crops` and `preset`
    its other controls; `chosen` the places of the chosen members, `outcome` what they reach, `rows`
    the choices in view."""

    name, title = "ensembles", "Ensembles"

    def __init__(self, answers: Answers):
        self.answers = answers
        self._quiet, self._count, self._seen = True, 0, {}
        self.rows: list[tuple[int, tuple[int, ...], str, Outcome]] = []
        self.boxes = [
            widgets.Checkbox(
                False, description=f"seed {seed}", indent=False, layout=widgets.Layout(width="65px")
            )
            for seed in answers.seeds
        ]
        lines = []
        for kind in answers.networks:
            places = answers.of_kind(kind)
            label = widgets.HTML(
                f'<span class="ied-kind">{escape(network(kind).name)}</span>',
                layout=widgets.Layout(width="134px"),
            )
            line = widgets.HBox(
                [label, *(self.boxes[i] for i in places)], layout=widgets.Layout(**ROW)
            )
            line.add_class(f"ied-kind-{kind}")
            lines.append(line)
        self.presets = self._presets()
        self.preset = widgets.Dropdown(
            options=["choose …", *self.presets],
            description="or take",
            layout=widgets.Layout(width="400px", max_width="100%"),
            style={"description_width": "60px"},
        ).add_class("ied-control-preset")
        self.crops = widgets.ToggleButtons(
            options=list(answers.rows),
            style={"button_width": "auto"},
            layout=widgets.Layout(max_width="100%"),
        ).add_class("ied-control-crops")
        self.reset_button = widgets.Button(
            description="Reset",
            tooltip="Forget the earlier choices and start again",
            layout=widgets.Layout(width="96px"),
        )
        self.sentence = widgets.HTML(layout=widgets.Layout(width="auto")).add_class("ied-status")
        self.picture = changing(width="auto").add_class("ied-picture")
        row = widgets.Layout(**ROW)
        self.widget = widgets.VBox(
            [
                *lines,
                widgets.HBox([self.preset], layout=row),
                widgets.HBox([self.crops, self.reset_button], layout=row),
                self.sentence,
                self.picture,
            ],
            layout=widgets.Layout(width="100%"),
        )
        self.widget.add_class("ied-lab").add_class(f"ied-{self.name}")
        for box in (*self.boxes, self.crops):
            box.observe(self._changed, names="value")
        self.preset.observe(self._preset_chosen, names="value")
        self.reset_button.on_click(lambda _: self.reset())
        self.reset()

    def _presets(self) -> dict[str, list[int]]:
        """Choices worth a look: a member, a network with all its seeds or four of them, the paper's
        mixture, all."""
        a, found = self.answers, {}
        for kind in a.networks:
            places = a.of_kind(kind)
            for count in sorted({1, min(4, len(places)), len(places)}):
                found[f"{count} × {network(kind).name}"] = places[:count]
        if {"inception_v4", "inception_resnet_v2"} <= set(a.networks):
            mixed = a.of_kind("inception_v4")[:1] + a.of_kind("inception_resnet_v2")[:3]
            if len(mixed) == 4:
                found["the paper's: 1 × Inception-v4 + 3 × Inception-ResNet-v2"] = mixed
        if len(a.networks) > 1:
            found["one of each network"] = [a.of_kind(kind)[0] for kind in a.networks]
            found[f"all {len(a)} members"] = list(range(len(a)))
        return found

    # What is chosen.

    @property
    def chosen(self) -> tuple[int, ...]:
        """The places of the chosen members in `answers`."""
        return tuple(i for i, box in enumerate(self.boxes) if box.value)

    @property
    def outcome(self) -> Outcome | None:
        """What the current choice reaches; None where nobody is chosen."""
        return self._outcome(self.chosen, self.crops.value) if self.chosen else None

    def _outcome(self, chosen: tuple[int, ...], crops: str) -> Outcome:
        if (chosen, crops) not in self._seen:
            self._seen[chosen, crops] = evaluate(self.answers, chosen, crops)
        return self._seen[chosen, crops]

    def choose(self, members: Iterable[int], crops: str | None = None) -> None:
        """Choose members by their places in `answers` (and a kind of crop), all at once."""
        members, quiet, self._quiet = set(members), self._quiet, True
        for i, box in enumerate(self.boxes):
            box.value = i in members
        if crops is not None:
            self.crops.value = crops
        self._quiet = quiet
        self._changed()

    def reset(self) -> None:
        """Back to the first two choices: four seeds of one network, then a mixture as in the paper,
        where there is one."""
        self._quiet = True
        self.rows, self._count = [], 0
        self.crops.value = self.crops.options[0]
        self.preset.value = "choose …"
        first = [p for name, p in self.presets.items() if name.startswith(("4 ×", "the paper's"))]
        self._quiet = False
        for members in first[:1] + first[-1:] if len(first) > 1 else [list(range(len(self.boxes)))]:
            self.choose(members)

    def _preset_chosen(self, change) -> None:
        if not self._quiet and change["new"] in self.presets:
            self.choose(self.presets[change["new"]])

    def _changed(self, _=None) -> None:
        if self._quiet:
            return
        if self.preset.value in self.presets and set(self.presets[self.preset.value]) != set(
            self.chosen
        ):
            self._quiet, self.preset.value, self._quiet = True, "choose …", False
        if self.chosen:
            key = (self.chosen, self.crops.value)
            again = [row for row in self.rows if row[1:3] == key]
            self._count += not again
            now = again[0] if again else (self._count, *key, self._outcome(*key))
            self.rows = [now, *(row for row in self.rows if row[1:3] != key)][:KEPT]
        self.sentence.value = status(self.words(), alert=not self.chosen)
        self.picture.value = card(self._picture(), self._table())

    # What is shown.

    def _picture(self) -> Picture:
        return rows_svg(self.answers, self.rows)

    def _table(self) -> str:
        rows = []
        for number, _, _, o in self.rows:
            low, high = map(_number, o.interval)
            rows.append(
                (
                    str(number),
                    _number(o.error),
                    f"{low}\u2060–\u2060{high}",
                    f"{100 * o.gain_on_best:+.1f}",
                    f"{100 * o.gain_on_mean:+.1f}",
                    "" if o.disagreement is None else _number(o.disagreement),
                    "" if o.q is None else f"{o.q:.2f}",
                )
            )
        return table(
            rows,
            (
                "row",
                "error %",
                "95 % interval",
                "gain on best",
                "gain on mean",
                "disagree on %",
                "Yule's Q",
            ),
            "ied-facts",
        )

    def words(self) -> str:
        o = self.outcome
        if o is None:
            return "Choose at least one member."
        low, high = o.interval
        start = (
            f"{words_for(self.answers, self.chosen)}, {self.crops.value}: error {_percent(o.error)} "
            f"(95 % interval {_number(low)} to {_percent(high)})"
        )
        if len(o.members) == 1:
            return f"{start}. One member is no ensemble yet: tick a second one."

        def against(gain):
            return f"{abs(100 * gain):.1f} points {'less' if gain >= 0 else 'more'} than"

        return (
            f"{start}, {against(o.gain_on_mean)} its mean member and {against(o.gain_on_best)} its best. Two "
            f"members disagree about {_percent(o.disagreement)} of the images: one of them is right."
        )

    def pictures(self) -> list[Picture]:
        picture = self._picture()
        picture.said = f"{self.words()} {picture.said}"
        return [picture]


def ensembles_lab(answers: Answers | Iterable[Result] | None = None) -> EnsemblesLab:
    """Display the ensembles lab and return it.

    `answers`: `Answers`, or results of runs that kept their answers (after="crops"); by default the
    committed runs of the experiment `race`. Raises ValueError where no run kept any.
    """
    if not isinstance(answers, Answers):
        answers = Answers.of(load_results("race") if answers is None else answers)
    lab = EnsemblesLab(answers)
    lab.show()
    return lab
