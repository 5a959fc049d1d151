"""The buttons, or the number, of a prediction. Core ipywidgets only (7.7 and 8)."""

from __future__ import annotations

from typing import Any, Protocol

import ipywidgets as widgets

from inception_edu.describe.tables import plain
from inception_edu.teach import journal
from inception_edu.teach.claims import as_html


class Asked(Protocol):
    """A question, as `predictions.Prediction` is one."""

    @property
    def question(self) -> str: ...
    @property
    def choices(self) -> tuple[str, ...]: ...
    @property
    def unit(self) -> str: ...
    @property
    def place(self) -> str: ...
    def answer(self, value: Any) -> None: ...


def widget(prediction: Asked, said: Any = None) -> widgets.VBox:
    """The question, what takes the answer, and a line that says what is kept (`said`, at first)."""
    line = widgets.HTML(_line(said, prediction.unit))

    def take(answer: Any) -> None:
        prediction.answer(answer)
        line.value = _line(answer, prediction.unit)

    # While the widget is there, the text of the question is not (`predictions.NO_WIDGET`).
    text = f'[data-ied-stored="{prediction.place}"]'
    hide = f"{text} {{ display: none }} .jp-OutputArea-child:has({text}) {{ display: none }}"
    asks = f"<b>Predict.</b> {as_html(prediction.question)}"
    head = widgets.HTML(f"<style>{hide}</style>{asks}")
    taker = _buttons(prediction, said, take) if prediction.choices else _number(said, take)
    box = widgets.VBox([head, taker, line])
    box.add_class("ied-predict").add_class("ied-asks")
    return box


def _line(said: Any, unit: str) -> str:
    if said is None:
        return "Your answer is kept, and stands beside the outcome later."
    answer = f"<b>{as_html(plain(said))}{' ' + unit if unit else ''}</b>"
    if why := journal.refused():
        return f"Kept until this kernel ends: {answer}. {as_html(why)}"
    return f"Kept: {answer}"


def _buttons(prediction: Asked, said: Any, take: Any) -> widgets.ToggleButtons:
    buttons = widgets.ToggleButtons(
        options=prediction.choices,
        value=said if said in prediction.choices else None,
        tooltips=[f"{prediction.question}: {choice}" for choice in prediction.choices],
    )
    buttons.style.button_width = "auto"
    buttons.observe(lambda change: change["new"] is not None and take(change["new"]), "value")
    return buttons


def _number(said: Any, take: Any) -> widgets.HBox:
    field = widgets.FloatText(value=said or 0.0, description="your number", step=0.1)
    field.style.description_width = "initial"
    button = widgets.Button(description="Keep")
    button.on_click(lambda _: take(field.value))
    return widgets.HBox([field, button])
