"""Predictions: a question before the outcome, whose answer is kept and shown again beside it.

    predict("04.grid", "Which way of halving the grid costs least?", ["pool first", "conv first"])
    ...
    outcome("04.grid", "pool first", "But it squeezes the map before anything has read it.")

A question has three or so choices (buttons) or asks for a number. What the reader answers goes into
the journal (`teach.journal`) and stays there: running the cell again shows it. On a page without a
kernel the question stands there with its choices, as text.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from inception_edu.describe.tables import plain, spaced
from inception_edu.teach import journal

_ANSWERS: dict[str, Any] = {}  # of this session, also where no journal is kept

CARD = (
    "border:1px solid var(--jp-border-color2, #c8c8c8);border-left:6px solid {colour};"
    "border-radius:6px;padding:8px 12px;line-height:1.45;max-width:820px;color:inherit"
)
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
# The question as text and its widget are two outputs, one below the other, as a lab's are: a
# reopened notebook would show "Error displaying widget" in place of both. The widget hides the text
# while it is alive (`prediction_widget`); where there is none, this hides its place.
NO_WIDGET = (
    '<style>.jp-OutputArea-child:has([data-ied-stored="{place}"])'
    " + .jp-OutputArea-child:not(:has(.ied-asks)) {{ display: none; }}</style>"
)


def kept(name: str) -> Any:
    """What the reader predicted last; None where nothing."""
    if name in _ANSWERS:
        return _ANSWERS[name]
    entry = journal.last("prediction", name)
    return entry.get("answer") if entry else None


def keep(name: str, answer: Any) -> None:
    """Remember an answer, in this session and in the journal."""
    _ANSWERS[name] = answer
    journal.note("prediction", name, answer=answer)


@dataclass(frozen=True)
class Prediction:
    """A question that takes an answer; without `choices` it is a number, in `unit`."""

    name: str
    question: str
    choices: tuple[str, ...] = ()
    unit: str = ""

    def answer(self, value: Any) -> None:
        """Answer without buttons. ValueError for what is no choice, or no number."""
        if self.choices and value not in self.choices:
            raise ValueError(f"{value!r} is no choice; there are {', '.join(self.choices)}.")
        if not self.choices and (isinstance(value, bool) or not isinstance(value, (int, float))):
            raise ValueError(f"A number is asked for, got {value!r}.")
        keep(self.name, value)

    def __repr__(self) -> str:
        offered = " / ".join(self.choices) or f"a number{' in ' + self.unit if self.unit else ''}"
        return f"Predict: {self.question}  [{offered}]"

    def _static(self) -> str:
        from inception_edu.teach.claims import as_html as markdown

        offered = "".join(
            f'<span style="display:inline-block;border:1px solid currentColor;border-radius:4px;'
            f'padding:1px 8px;margin:0 8px 4px 0">{escape(choice)}</span>'
            for choice in self.choices
        )
        return (
            f'<div class="ied-predict" data-ied-stored="{self.place}" '
            f'style="{CARD.format(colour="#2f6fb2")}"><b>Predict.</b> '
            f'{markdown(self.question)}<div style="margin-top:6px">{offered}</div></div>'
        )

    @property
    def place(self) -> str:
        """What the text of the question is called in the page."""
        return escape(f"predict-{self.name}", quote=True)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        bundle = self._repr_mimebundle_()
        if WIDGET_VIEW not in bundle or "google.colab" in sys.modules:
            display(bundle, raw=True)  # Colab shows all forms of one output well
            return
        view = {WIDGET_VIEW: bundle.pop(WIDGET_VIEW), "text/html": ""}
        bundle["text/html"] += NO_WIDGET.format(place=self.place)
        for output in (bundle, view):
            display(output, raw=True)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle = {"text/plain": repr(self), "text/html": self._static()}
        try:
            from inception_edu.teach.prediction_widget import widget
        except ImportError:  # no ipywidgets: a page, a terminal
            return bundle
        return {**widget(self, kept(self.name))._repr_mimebundle_(), **bundle}


def predict(
    name: str, question: str, choices: Sequence[str] | None = None, *, unit: str = ""
) -> Prediction:
    """A question to answer before the outcome is shown; see the head of this file. Raises
    ValueError for choices that are no list."""
    if choices is not None and not isinstance(choices, (list, tuple)):
        raise ValueError(f"choices are a list, such as ['this', 'that']; got {choices!r}.")
    return Prediction(name, question, tuple(choices or ()), unit)


@dataclass(frozen=True)
class Outcome:
    """What came out, beside what the reader predicted."""

    name: str
    value: Any
    text: str = ""
    unit: str = ""

    def sentences(self) -> str:
        said, text = kept(self.name), spaced(self.text)
        unit = f" {self.unit}" if self.unit else ""
        found = f"The answer: **{plain(self.value)}{unit}**."
        if said is None:
            return f"{found} {text}".strip()
        if _agrees(said, self.value):
            return f"You predicted **{plain(said)}{unit}**, and so it is. {text}".strip()
        return f"You predicted {plain(said)}{unit}. {found} {text}".strip()

    def __repr__(self) -> str:
        return self.sentences().replace("**", "")

    def _repr_html_(self) -> str:
        from inception_edu.teach.claims import as_html as markdown

        said = kept(self.name)
        colour = "#00704a" if said is not None and _agrees(said, self.value) else "#6b6b6b"
        style = CARD.format(colour=colour)
        return f'<div class="ied-outcome" style="{style}">{markdown(self.sentences())}</div>'


def outcome(name: str, value: Any, text: str = "", *, unit: str = "") -> Outcome:
    """The outcome of a prediction: a choice or a number, with a sentence on it."""
    return Outcome(name, value, text, unit)


def _agrees(said: Any, value: Any) -> bool:
    """The same choice, or a number that is at most a tenth off."""
    numbers = isinstance(said, (int, float)) and isinstance(value, (int, float))
    return abs(said - value) <= 0.1 * abs(value) if numbers else said == value
