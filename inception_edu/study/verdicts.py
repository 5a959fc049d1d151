"""What the runs say about a claim, in four words, by the rule of docs/verdicts.md.

gain(difference, margin=0.02)          is a better than b, by something that matters?
no_harm(difference, margin=0.01)       is a not worse than b?
thin(difference, margin=0.01)          is a at most a little better than b?
fates({"scale 1": (cell, "dies"), …})  do settings live and die as the claim says?
verdict(evidence, scope="reduced")     supported, seen at reduced scale only, contradicted,
                                       undecided
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from inception_edu.study.fates import CellFate
from inception_edu.study.statistics import Difference, not_worse

SUPPORTED = "supported"
REDUCED = "seen at reduced scale only"
CONTRADICTED = "contradicted"
UNDECIDED = "undecided"
WORDS = (SUPPORTED, CONTRADICTED, REDUCED, UNDECIDED)
SCOPES = ("full", "reduced")
FINDINGS = ("for", "against", "open", "told")
OPPOSITE = {"lives": "dies", "dies": "lives"}
LEAST_SEEDS = 5


@dataclass(frozen=True)
class Evidence:
    """One piece of evidence for a claim.

    shows     "for", "against", "told" where by the rule of its claim it decides nothing, or ""
              where it could decide and shows neither
    sentence  what was found, with its numbers
    of        the runs it rests on, each under a name of its own, so that a run which two pieces of
              evidence share is counted once
    why       why it decides nothing, where it is "told"
    """

    shows: str
    sentence: str
    of: frozenset = frozenset()
    why: tuple[str, ...] = ()

    @property
    def runs(self) -> int:
        return len(self.of)

    @property
    def word(self) -> str:
        """What it shows, in a word of `FINDINGS`."""
        return self.shows or "open"

    def told(self, why: str) -> Evidence:
        """The same with a reason why it decides nothing, or with one reason more."""
        return replace(self, shows="told", why=(*self.why, why))

    def to_dict(self) -> dict:
        """Plain JSON types."""
        plain = {"shows": self.shows, "sentence": self.sentence, "runs": self.runs}
        return plain | ({"why": list(self.why)} if self.why else {})


@dataclass(frozen=True)
class Verdict:
    """A word of `WORDS`, the evidence, and in which scope it holds."""

    word: str
    scope: str
    evidence: tuple[Evidence, ...] = field(default_factory=tuple)
    why: str = ""

    @property
    def runs(self) -> int:
        """How many runs its evidence rests on together, each counted once."""
        return len(frozenset().union(*(piece.of for piece in self.evidence)))

    def to_dict(self) -> dict:
        """Plain JSON types."""
        return {
            "word": self.word,
            "scope": self.scope,
            "evidence": [piece.to_dict() for piece in self.evidence],
            "why": self.why,
        }


def gain(what: str, difference: Difference, margin: float, unit: str = "points") -> Evidence:
    """Is the difference above 0 and does it matter? Against: it is certainly smaller than the
    margin, no gain is seen, and one as large as the margin would have been. `what` names a and
    b."""
    shown = difference.p < 0.05 and difference.mean >= margin
    strong = difference.seen == "less" or difference.could_have_seen <= margin
    against = difference.high < margin and difference.seen != "more" and strong
    return _of(what, difference, shown, against, margin, unit)


def no_harm(what: str, difference: Difference, margin: float, unit: str = "points") -> Evidence:
    """Is a at least as good as b but for less than the margin (non-inferiority)?"""
    shown = not_worse(difference, margin) is True
    against = difference.p < 0.05 and difference.mean <= -margin
    return _of(what, difference, shown, against, margin, unit)


def thin(what: str, difference: Difference, margin: float, unit: str = "points") -> Evidence:
    """Is a better than b by less than the margin, if at all? The other side of `no_harm`."""
    shown = difference.above() < margin
    against = difference.p < 0.05 and difference.mean >= margin
    return _of(what, difference, shown, against, margin, unit)


def _of(what, difference, shown, against, margin, unit) -> Evidence:
    if difference.n < LEAST_SEEDS:
        few = f"{what}: {difference.n} seeds, {LEAST_SEEDS} are the least"
        return Evidence("", few, difference.of)
    text = f"{what}: {difference.text(unit)}, margin {100 * margin:g}"
    if not shown and not against:
        text += f"; these runs can show {100 * difference.could_have_seen:.1f} points or more"
    return Evidence(_shows(shown, against), text, difference.of)


def _shows(right: bool, wrong: bool) -> str:
    """The word for what evidence shows; "" where it leaves the claim open."""
    if right:
        return "for"
    return "against" if wrong else ""


def fates(
    expected: Mapping[str, tuple[CellFate, str]],
    presupposed: Collection[str] = (),
    lasting: bool = False,
) -> Evidence:
    """Do the settings have the fates that the claim gives them? {name: (fate, word)}.

    `presupposed`: names of settings that only have to be as the claim takes for granted, such as
    the tower that dies without a remedy. Where one is not, nothing is shown, for or against.
    `lasting`: the claim says that a setting stays so. Where the share of dead channels still
    changes at the end, this is not shown.
    """
    wrong = [name for name, (cell, word) in expected.items() if cell.word == OPPOSITE[word]]
    right = all(cell.word == word for cell, word in expected.values())
    given = all(expected[name][0].word == expected[name][1] for name in presupposed)
    few = [name for name, (cell, _) in expected.items() if len(cell.dead) < LEAST_SEEDS]
    sentence = "; ".join(f"{name}: {cell.sentence}" for name, (cell, _) in expected.items())
    of = frozenset(
        (name, place)
        for name, (cell, _) in expected.items()
        for place in range(sum(cell.counts.values()))
    )
    if few:
        return Evidence("", f"{sentence}; {LEAST_SEEDS} seeds are the least", of)
    if not given:
        return Evidence("", f"{sentence}; what the claim presupposes was not seen", of)
    moving = [name for name, (cell, _) in expected.items() if not cell.settled]
    if lasting and right and moving:
        return Evidence("", f"{sentence}; the share still changes, so this is no last word", of)
    return Evidence(_shows(right, bool(wrong)), sentence, of)


def verdict(evidence: Iterable[Evidence], scope: str, missing: str = "") -> Verdict:
    """The word for a claim: every piece of evidence that decides has to be for it; one that is
    against it contradicts it.

    `scope`: "full" where the claim is tested in its own scope, else "reduced". `missing`: a control
    or a tuning that the claim needs and these runs do not have; then it is undecided.
    """
    evidence = tuple(evidence)
    if scope not in SCOPES:
        raise ValueError(f"The scope is one of {', '.join(SCOPES)}, got {scope!r}.")
    if missing:
        return Verdict(UNDECIDED, scope, evidence, missing)
    decide = [e.word for e in evidence if e.word != "told"]
    if "against" in decide:
        return Verdict(CONTRADICTED, scope, evidence)
    if decide and set(decide) == {"for"}:
        return Verdict(SUPPORTED if scope == "full" else REDUCED, scope, evidence)
    if not evidence:
        return Verdict(UNDECIDED, scope, evidence, "there are no runs")
    open_ = decide.count("open")
    few = f"{open_} of {len(decide)} findings {'is' if open_ == 1 else 'are'} open"
    why = few if open_ < len(decide) else "the runs leave it open"
    return Verdict(UNDECIDED, scope, evidence, why)
