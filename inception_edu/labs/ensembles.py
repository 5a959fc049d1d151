"""The ensembles lab: choose trained networks and a number of crops, and see at once what averaging
them is worth, and which pictures it saves and spoils.

    lab = ensembles_lab()                       # the committed runs of the race
    lab.members = "0, 5, 6, 7"                  # as the buttons do it
    lab.crops = "12 crops"
    lab.press("add")                            # keeps this choice as a row

Nothing is trained or evaluated here: the networks' answers to the test images are read from the
result files.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape

from inception_edu.labs import Picture, core
from inception_edu.labs.core import Column, Control, Part, Press, Refused, Row, Set, Tell
from inception_edu.labs.ensembles_rows import members_html, number, percent, rows_svg, signed
from inception_edu.labs.pieces import table
from inception_edu.study.answers import (
    Answers,
    Comparison,
    Outcome,
    best_member,
    compare,
    mixtures,
    outcome,
    words_for,
)
from inception_edu.study.results import Result, load_results

KEPT = 4  # rows that are kept, below the choice of now
SHOWN = 4  # saved pictures that are shown, and spoiled ones
NAMED = 8  # members that the sentence still names one by one
BEST, BY_HAND = "its best member", ("chosen by hand", "")


@dataclass(frozen=True)
class State:
    """`chosen`: the places of members; `rows`: what was added, newest first, each a number, members
    and a kind of crop; `against`: the row (or "its best member") that the choice is compared
    with."""

    chosen: tuple[int, ...]
    crops: str
    rows: tuple[tuple[int, tuple[int, ...], str], ...] = ()
    added: int = 0
    against: str = BEST
    preset: str = ""


class Ensembles:
    """`update` and `render` of the lab, over what the members said. `pictures(i)` gives the pixels
    of test image i as a data address, or None where this machine does not have them."""

    def __init__(self, answers: Answers, pictures=None, classes: tuple[str, ...] = ()):
        self.answers, self.pictures, self.classes = answers, pictures, classes
        self.presets = mixtures(answers)
        self.outcome = lru_cache(maxsize=256)(self._outcome)
        self.compare = lru_cache(maxsize=256)(lambda a, b: compare(answers, a, b))

    def _outcome(self, chosen: tuple[int, ...], crops: str) -> Outcome:
        return outcome(self.answers, chosen, crops)

    def start(self) -> State:
        """The paper's mixture, or what is nearest to it, with four seeds of one network added."""
        crops = next(iter(self.answers.rows))
        first = [p for name, p in self.presets.items() if name.startswith(("4 ×", "the paper's"))]
        if not first:
            return State(tuple(range(len(self.answers))), crops)
        rows = ((1, first[0], crops),) if len(first) > 1 else ()
        return State(first[-1], crops, rows, len(rows), "row 1" if rows else BEST)

    # -- what happens --

    def update(self, state: State, event) -> State:
        if isinstance(event, Press):
            return self.start() if event.key == "reset" else self._add(state)
        if isinstance(event, Tell):
            return self._toggle(state, event.value)
        if not isinstance(event, Set):
            return state
        if event.key == "members":
            return replace(state, chosen=self._read(event.value), preset="")
        if event.key == "preset":
            chosen = self.presets.get(event.value, state.chosen)
            return replace(state, chosen=chosen, preset=event.value)
        return replace(state, **{event.key: event.value})

    def _toggle(self, state: State, said) -> State:
        words = str(said).split()
        if len(words) != 2 or words[0] != "member" or not words[1].isdigit():
            raise Refused(f"The lab does not know what {said!r} means.")
        (place,) = self._read(words[1])
        chosen = tuple(sorted(set(state.chosen) ^ {place}))
        return replace(state, chosen=chosen, preset="")

    def _read(self, typed: str) -> tuple[int, ...]:
        words = typed.replace(",", " ").split()
        places = []
        for word in words:
            if not word.isdigit() or int(word) >= len(self.answers):
                raise Refused(
                    f"Members are numbers from 0 to {len(self.answers) - 1}; got “{word}”."
                )
            places.append(int(word))
        return tuple(sorted(set(places)))

    def _add(self, state: State) -> State:
        same = [row for row in state.rows if row[1:] == (state.chosen, state.crops)]
        if same or not state.chosen:
            return state
        # The oldest goes, but not the one that is compared with.
        free = [row for row in state.rows if f"row {row[0]}" != state.against]
        gone = free[-1] if len(state.rows) >= KEPT else None
        kept = tuple(row for row in state.rows if row is not gone)
        rows = ((state.added + 1, state.chosen, state.crops), *kept)
        return replace(state, rows=rows, added=state.added + 1)

    # -- what is shown --

    def render(self, state: State) -> core.View:
        rows = [f"row {n}" for n, *_ in state.rows]
        there = any(row[1:] == (state.chosen, state.crops) for row in state.rows)
        controls = (
            Control("preset", "list", "Take", self._preset(state), (BY_HAND, *self.presets)),
            Control("crops", "pick", "Crops", state.crops, tuple(self.answers.rows)),
            Control("against", "list", "Against", state.against, (BEST, *rows)),
            Control("members", "text", "Members", self._typed(state), hidden=True),
            Control(
                "add",
                "button",
                "Add as a row",
                look="primary",
                tip=f"Keep this choice, to set others beside it; {KEPT} rows are kept",
                disabled=there or not state.chosen,
            ),
            Control("reset", "button", "Reset", tip="Forget the rows and start again"),
        )
        parts = (
            Part("grid", self._grid(state), "ensembles"),
            Part("rows", str(self._picture(state)) + self._table(state)),
            Part("pair", self._pair(state)),
        )
        layout = Column(
            Row(
                "grid",
                Column("preset", "against"),
                Column("crops", "members", Row("add", "reset")),
            ),
            "status",
            Row("rows", "pair"),
        )
        return core.View(controls, parts, self.words(state), not state.chosen, layout)

    def _preset(self, state: State) -> str:
        """What the choice is called in the list, also where it was made by hand."""
        if self.presets.get(state.preset) == state.chosen:
            return state.preset
        return next((name for name, who in self.presets.items() if who == state.chosen), "")

    def _typed(self, state: State) -> str:
        return ", ".join(map(str, state.chosen))

    def _grid(self, state: State) -> str:
        alone = [self.outcome((i,), state.crops).error for i in range(len(self.answers))]
        return members_html(self.answers, state.chosen, alone)

    def _shown(self, state: State):
        shown = []
        if state.chosen:
            now = self.outcome(state.chosen, state.crops)
            shown.append((0, state.chosen, state.crops, now))
        for number_, chosen, crops in state.rows:
            shown.append((number_, chosen, crops, self.outcome(chosen, crops)))
        return shown

    def _picture(self, state: State) -> Picture:
        return rows_svg(self.answers, self._shown(state), KEPT + 1)

    def _table(self, state: State) -> str:
        rows = []
        for place, _, _, o in self._shown(state):
            low, high = map(number, o.interval)
            rows.append(
                (
                    str(place or "now"),
                    number(o.error),
                    f"{low}\u2060–\u2060{high}",
                    signed(o.gain_on_best),
                    signed(o.gain_on_mean),
                    "" if o.disagreement is None else number(o.disagreement),
                )
            )
        head = ("row", "error %", "95 % interval", "gain on best", "gain on mean", "disagree on %")
        room = 21 * (KEPT + 2)  # also for the rows that may come: nothing moves then
        return f'<div style="min-height:{room}px">{table(rows, head, "ied-facts")}</div>'

    def against(self, state: State) -> tuple[Comparison, str] | None:
        """The choice of now against the row it is compared with, and what that is called."""
        if not state.chosen:
            return None
        now = (state.chosen, state.crops)
        if state.against == BEST:
            best = best_member(self.answers, state.chosen, state.crops)
            other: tuple[tuple[int, ...], str] = ((best,), state.crops)
            words = f"its best member ({words_for(self.answers, [best])})"
        else:
            row = next((r for r in state.rows if f"row {r[0]}" == state.against), None)
            if row is None:
                return None
            other, words = row[1:], state.against
        return None if other == now else (self.compare(now, other), words)

    def _pair(self, state: State) -> str:
        found = self.against(state)
        if found is None:
            said = "Choose something else than what it is compared with."
            if len(state.chosen) < 2 and state.against == BEST:
                said = "With two members there is something to compare."
            return f'<div class="ied-against"><h4>Against {state.against}</h4><p>{said}</p></div>'
        comparison, words = found
        said = comparison.sentence("the choice of now", words)
        saved = self._cases("saves", comparison.saved, state)
        spoiled = self._cases("spoils", comparison.spoiled, state)
        return (
            f'<div class="ied-against"><h4>Against {escape(words)}</h4><p>{escape(said)}</p>'
            f"{saved}{spoiled}</div>"
        )

    def _cases(self, verb: str, places: tuple[int, ...], state: State) -> str:
        cells = []
        shares = self.answers.shares[state.crops]
        for i in places[:: max(1, len(places) // SHOWN)][:SHOWN]:  # from all classes
            label = int(self.answers.labels[i])
            votes = shares[list(state.chosen), i].argmax(1).tolist()
            right = sum(vote == label for vote in votes)
            vote = int(shares[list(state.chosen), i].mean(0).argmax())
            words = f"{self._name(label)}: {right} of {len(votes)} members right"
            if vote != label:
                words += f", the vote says {self._name(vote)}"
            address = self.pictures(i) if self.pictures else None
            picture = (
                f'<img src="{address}" alt="test image {i}" width="48" height="48">'
                if address
                else f'<span class="ied-no-picture" title="test image {i}">{i}</span>'
            )
            cells.append(f"<li>{picture}<span>{escape(words)}</span></li>")
        if not cells:
            cells.append("<li><span>none</span></li>")
        what = {"saves": "It saves, for example", "spoils": "It spoils, for example"}[verb]
        if not self.pictures and verb == "saves":
            what += " (numbers: no images here)"
        return f'<h5>{what}</h5><ul class="ied-cases">{"".join(cells)}</ul>'

    def _name(self, label: int) -> str:
        return self.classes[label] if label < len(self.classes) else f"class {label}"

    def words(self, state: State) -> str:
        if not state.chosen:
            return "Choose at least one member."
        o = self.outcome(state.chosen, state.crops)
        low, high = o.interval
        # The grid shows who they are. A sentence that lists 19 of 20 takes three lines of the lab.
        many = len(o.members) > NAMED and len(o.members) < len(self.answers)
        who = f"{len(o.members)} members" if many else words_for(self.answers, state.chosen)
        start = (
            f"{who}, {state.crops}: error {percent(o.error)} "
            f"(95 % interval {number(low)} to {number(high)})"
        )
        if len(o.members) == 1 or o.disagreement is None:
            return f"{start}. One member is no ensemble yet: choose a second one."

        def against(gain):
            return f"{abs(100 * gain):.1f} points {'less' if gain >= 0 else 'more'} than"

        return (
            f"{start}, {against(o.gain_on_mean)} its mean member and {against(o.gain_on_best)} its "
            f"best. Two members disagree about {percent(o.disagreement)} of the images."
        )

    def lab(self) -> core.Lab:
        return core.Lab(
            "ensembles",
            "Ensembles",
            self.start(),
            self.update,
            self.render,
            self._still,
            self.words,
        )

    def _still(self, state: State) -> list[Picture]:
        picture = self._picture(state)
        picture.said = f"{self.words(state)} {picture.said}"
        return [picture]


def ensembles_lab(answers: Answers | Iterable[Result] | None = None, mode: str = "auto"):
    """Display the ensembles lab and return it.

    `answers`: `Answers`, or results of runs that kept their answers (after="crops"); by default the
    committed runs of the experiment `race`. Raises ValueError where no run kept any.
    """
    from inception_edu.labs.ensembles_pictures import pictures_of
    from inception_edu.labs.host import NotebookLab

    pictures = None
    classes: tuple[str, ...] = ()
    if not isinstance(answers, Answers):
        results = list(load_results("race") if answers is None else answers)
        answers = Answers.of(results)
        pictures, classes = pictures_of(results, answers.labels)
    lab = NotebookLab(Ensembles(answers, pictures, classes).lab(), mode)
    lab.show()
    return lab
