"""Predictions and verdicts are kept in one file of the reader, and shown again."""

import json
import multiprocessing
import sys

import pytest

from inception_edu.teach import check, journal, outcome, predict, predictions
from inception_edu.teach.predictions import _ANSWERS, kept


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "journal.jsonl"
    monkeypatch.setenv("INCEPTION_EDU_JOURNAL", str(path))
    _ANSWERS.clear()
    yield path
    _ANSWERS.clear()


def test_nothing_is_written_outside_a_notebook(tmp_path, monkeypatch):
    monkeypatch.delenv("INCEPTION_EDU_JOURNAL", raising=False)
    monkeypatch.chdir(tmp_path)
    check("01.2", 3)
    predict("04.x", "Which?", ["a", "b"]).answer("a")
    assert not list(tmp_path.iterdir())
    _ANSWERS.clear()


def test_verdicts_are_kept_but_no_stubs_and_no_answers(file):
    check("01.2", ...)
    assert not file.exists()
    check("01.2", 229)
    check("01.2", 230)
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(line["name"], line["state"]) for line in lines] == [
        ("01.2", "wrong"),
        ("01.2", "right"),
    ]
    assert all(line["kind"] == "verdict" and line["time"].startswith("20") for line in lines)


def test_a_prediction_is_shown_again_beside_the_outcome(file):
    question = predict("04.grid", "Which is cheapest?", ["pool", "convolution"])
    assert "Which is cheapest?" in repr(question) and "pool" in question._static()
    assert repr(outcome("04.grid", "pool")) == "The answer: pool."
    question.answer("convolution")
    _ANSWERS.clear()  # another session
    shown = outcome("04.grid", "pool", "By far.")
    assert repr(shown) == "You predicted convolution. The answer: pool. By far."
    assert "<b>pool</b>" in shown._repr_html_()
    question.answer("pool")
    assert "and so it is" in repr(outcome("04.grid", "pool"))
    with pytest.raises(ValueError, match="no choice"):
        question.answer("stride")


def test_a_predicted_number_may_be_a_tenth_off(file):
    question = predict("05.share", "How much?", unit="per cent")
    with pytest.raises(ValueError, match="number"):
        question.answer("much")
    question.answer(31.0)
    assert "and so it is" in repr(outcome("05.share", 32.0, unit="per cent"))
    assert "The answer: 40 per cent" in repr(outcome("05.share", 40.0, unit="per cent"))


def test_the_widget_answers_and_the_bundle_has_text_too(file):
    from inception_edu.teach.prediction_widget import widget

    question = predict("04.grid", "Which?", ["pool", "convolution"])
    head, buttons, line = widget(question).children
    assert buttons.value is None and "Kept" not in line.value
    buttons.value = "pool"
    assert "Kept: <b>pool</b>" in line.value
    assert journal.last("prediction", "04.grid")["answer"] == "pool"
    again = widget(question, kept(question.name)).children
    assert again[1].value == "pool", "the kept answer is shown"
    number = widget(predict("05.share", "How much?"))
    number.children[1].children[0].value = 12.5
    number.children[1].children[1].click()
    assert journal.last("prediction", "05.share")["answer"] == 12.5
    bundle = question._repr_mimebundle_()
    assert {"text/html", "text/plain", "application/vnd.jupyter.widget-view+json"} <= set(bundle)


def test_text_and_widget_are_two_outputs_and_one_on_colab(file, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: shown.append(bundle))
    view, question = predictions.WIDGET_VIEW, predict("04.grid", "Which?", ["pool", "convolution"])
    question._ipython_display_()
    stored, alive = shown
    assert view not in stored and "Which?" in stored["text/html"] and set(alive) >= {view}
    monkeypatch.setitem(sys.modules, "google.colab", sys)
    question._ipython_display_()
    assert view in shown[2] and "Which?" in shown[2]["text/html"] and len(shown) == 3


def _write(path):
    import os

    os.environ["INCEPTION_EDU_JOURNAL"] = str(path)
    for number in range(200):
        journal.note("prediction", "04.x", answer=number, pad="x" * 300)


def test_two_notebooks_share_the_file_and_a_torn_line_is_left_out(file):
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=_write, args=(file,)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert len(list(journal.entries(file))) == 400
    with file.open("a", encoding="utf-8") as out:
        out.write('{"kind": "verdict", "name": "01')
    assert len(list(journal.entries(file))) == 400


def test_a_disk_that_refuses_stops_no_chapter(tmp_path, monkeypatch):
    monkeypatch.setenv("INCEPTION_EDU_JOURNAL", str(tmp_path / "no" / "such" / "folder.jsonl"))
    assert check("01.2", 230).ok
