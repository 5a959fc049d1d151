"""Claims: sentences about results that are shown where they are made and checked everywhere.

    claim("09.wider-is-worse")                     a registered claim, from the committed results
    claim("09.here", low > 0, f"… {low:.1f} …")    one that a cell has just computed

A claim holds while its condition does. In a chapter it shows its sentence; where the condition has
become false it says so beside the sentence, and in a build or a test (INCEPTION_EDU_CLAIMS=strict)
it raises `ClaimError`. Registered claims live in `chNN.py` of this folder, one function each:

    @registered("09.wider-is-worse")
    def wider_is_worse() -> tuple[bool, str]:
        dead = …
        return dead == sorted(dead), f"The wider the tower, the more is dead: {dead[0]:.0%} … "

The sentence holds its numbers, filled in when it is shown. A pair (sentence, short) also says it
in a few words (`Claim.short`). `all_claims()` lists them, a test asserts them without any chapter,
`python -m inception_edu.teach.claims` prints them. `claim("C1")` is a claim of the *paper* with the
verdict that the committed runs give it (`study.claims`), `paper_claims()` the table of all of them.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from inception_edu.describe.tables import Table, spaced, table

__all__ = [
    "Claim",
    "ClaimError",
    "all_claims",
    "claim",
    "five_lines",
    "paper_claims",
    "registered",
    "say",
]

Made = Callable[[], tuple[bool, str] | tuple[bool, tuple[str, str]]]
_CLAIMS: dict[str, Made] = {}
_NAME = re.compile(r"\d\d\.[\w-]+|C\d+")  # of a registered claim


class ClaimError(AssertionError):
    """The results no longer support a claim."""


@dataclass(frozen=True)
class Claim:
    """A sentence (Markdown) and whether the results support it; `short` says it in a few words, or
    is empty."""

    name: str
    holds: bool
    sentence: str
    short: str = ""

    def __str__(self) -> str:
        return self.sentence if self.holds else f"{self.sentence} [{NOT_SUPPORTED}]"

    def __repr__(self) -> str:
        return f"{'✓' if self.holds else '✗'} {self}"

    def _repr_markdown_(self) -> str:
        mark = "" if self.holds else f" **[{NOT_SUPPORTED}]**"
        return f"> {self.sentence}{mark}"

    def _repr_html_(self) -> str:
        colour = "#00704a" if self.holds else "#b3400a"
        more = "" if self.holds else f" <b>[{NOT_SUPPORTED}]</b>"
        return (
            f'<div class="ied-claim" data-claim="{escape(self.name)}" '
            f'style="border-left:4px solid {colour};padding:2px 12px;margin:4px 0;max-width:820px;'
            f'font-size:14px;line-height:1.5;color:inherit">{as_html(self.sentence)}{more}</div>'
        )


NOT_SUPPORTED = "the results here no longer support this"


def as_html(sentence: str) -> str:
    """A sentence as HTML: `code`, **strong**, *stressed*."""
    text = escape(sentence)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    text = re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", text)
    return re.sub(r"\*([^*\s][^*]*)\*", r"<i>\1</i>", text)


def registered(name: str) -> Callable[[Made], Made]:
    """Register a function () → (whether it holds, sentence) under "chapter.word"."""

    def keep(made: Made) -> Made:
        if name in _CLAIMS and _CLAIMS[name].__qualname__ != made.__qualname__:
            raise ValueError(f"There are two claims called {name!r}.")
        _CLAIMS[name] = made
        return made

    return keep


def claim(name: str, condition: bool | None = None, sentence: str = "") -> Claim:
    """A claim to show: registered under `name`, or made here with its condition and sentence.

    KeyError where nothing is registered. ClaimError under INCEPTION_EDU_CLAIMS=strict where it does
    not hold.
    """
    short = ""
    if condition is None:
        holds, said = _find(name)()
        sentence, short = (said, "") if isinstance(said, str) else said
    else:
        holds = bool(condition)
    found = Claim(name, bool(holds), spaced(" ".join(sentence.split())), spaced(short))
    if not found.holds and os.environ.get("INCEPTION_EDU_CLAIMS") == "strict":
        raise ClaimError(f"{name}: {found}")
    return found


def _find(name: str) -> Made:
    if re.fullmatch(r"C\d+", name):
        return _of_the_paper(name)
    chapter = name.split(".")[0]
    if name not in _CLAIMS:
        try:
            importlib.import_module(f"{__name__}.ch{chapter}")
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.ch{chapter}":
                raise
    if name not in _CLAIMS:
        known = ", ".join(n for n in _CLAIMS if n.startswith(f"{chapter}."))
        raise KeyError(f"There is no claim {name!r}; chapter {chapter} has: {known or 'none'}.")
    return _CLAIMS[name]


def _of_the_paper(name: str) -> Made:
    from inception_edu.study.claims import CLAIMS

    if name not in CLAIMS:
        raise KeyError(f"There is no claim {name!r} of the paper; there are {', '.join(CLAIMS)}.")

    def made() -> tuple[bool, str]:
        said, found = CLAIMS[name], CLAIMS[name].verdict()
        runs = found.runs
        why = f": {found.why}" if found.why else ""
        seeds = f" ({runs} runs)" if runs else ""
        return True, (
            f"The paper says: {said.says.rstrip('.')} ({said.where}). Here that is "
            f"**{found.word}**{seeds}{why}."
        )

    return made


# The registered claim that says in a few words what was seen of each claim of the paper.
SEEN = {
    "C1": "10.speed",
    "C2": "10.longer",
    "C3": "09.slow-return",
    "C4": "09.lower-rate",
    "C5": "08.full-width",
    "C6": "09.longer-warm-up",
    "C7": "08.full-cost",
    "C8": "07.cost",
    "C9": "11.members",
    "C10": "09.remedies",
}


def paper_claims() -> Table:
    """What the paper says, the verdict, what is seen here in a few words, at what scale, and how
    sure that is: one row a claim."""
    from inception_edu.study.claims import CLAIMS

    rows = []
    for name, said in CLAIMS.items():
        found, seen = said.verdict(), claim(SEEN[name]).short
        rows.append((said.says, said.where, found.word, seen, _scale(said), _how_sure(found)))
    return table(
        rows,
        ["the paper says", "where", "verdict", "seen here", "at what scale", "how sure"],
        caption="The claims of the paper, and what the runs of this collection say",
    )


def _scale(said: Any) -> str:
    if said.verdict().scope == "full":
        return "the networks of the paper, counted from its figures"
    full = ", one with all filters" if "paper_width" in said.rests_on else ""
    return f"small networks{full}, small images, short training"


def _how_sure(found: Any) -> str:
    """On how many runs a verdict rests and what its findings say; for an open one, why it is."""
    runs = found.runs
    told = f"{runs} runs" if runs else "counted, so exact"
    from inception_edu.study.verdicts import FINDINGS

    findings = [piece.word for piece in found.evidence]
    words = {"for": "for it", "against": "against it", "told": "told and decide nothing"}
    counts = [
        f"{findings.count(word)} {words.get(word, word)}" for word in FINDINGS if word in findings
    ]
    kind = "finding" if len(findings) == 1 else "findings"
    # That findings are open has just been said; what else makes a claim undecided has not.
    why = f"; {found.why}" if found.why and "findings" not in found.why else ""
    return f"{told}; of {len(findings)} {kind} {', '.join(counts)}{why}"


def judged(says: str, found: Any) -> tuple[bool, str]:
    """A claim beside the paper's ten: what it says, its verdict (a `study.verdicts.Verdict`) and
    what that rests on. It holds while at least five runs of each side are there."""
    why = f" ({found.why})" if found.why else ""
    told = "; ".join(piece.sentence for piece in found.evidence)
    whole = bool(found.evidence) and all(piece.runs >= 10 for piece in found.evidence)
    return whole, f"{says}: **{found.word}**{why}. {told[:1].upper()}{told[1:]}."


def all_claims() -> Iterator[str]:
    """The names of all registered claims."""
    for path in sorted(Path(__file__).parent.glob("ch[0-9][0-9].py")):
        importlib.import_module(f"{__name__}.{path.stem}")
    yield from sorted(_CLAIMS)


@dataclass(frozen=True)
class Text:
    """Markdown that a cell has computed, such as a sentence with its numbers."""

    markdown: str

    def __repr__(self) -> str:
        return self.markdown

    def _repr_markdown_(self) -> str:
        return self.markdown


def say(*parts: str | Claim) -> Text:
    """A paragraph of sentences and claims, as Markdown, so that its numbers are computed. Several
    registered claims, and nothing else, are a list: one thought a line."""
    found = [_sentence(part) for part in parts]
    if len(parts) > 1 and all(isinstance(part, str) and _NAME.fullmatch(part) for part in parts):
        return Text("\n".join(f"- {sentence}" for sentence in found))
    return Text(" ".join(found))


def five_lines(*parts: str | Claim) -> Text:
    """A numbered list of sentences and claims; a name such as "09.wider-is-worse" stands for the
    registered claim."""
    lines = (f"{number}. {_sentence(part)}" for number, part in enumerate(parts, 1))
    return Text("\n".join(lines))


def _sentence(part: str | Claim) -> str:
    if isinstance(part, Claim):
        return str(part)
    return str(claim(part)) if _NAME.fullmatch(part) else spaced(part)
