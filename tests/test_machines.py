"""The tables of what `make gpu` found, from files of measured machines."""

import json

import pytest

from inception_edu.data import data_dir
from inception_edu.teach import step_times, training_times
from inception_edu.teach.claims import claim

CARD = {
    "machine": {"card": "A card"},
    "steps": [
        {"network": "inception_v4", "batch_size": 32, "ordinary_ms": 12.0, "replayed_ms": 3.0}
    ],
    "training": [
        {
            "network": "inception_v4",
            "seconds": 30.26,
            "seconds_to": {"80%": 8.189, "90%": None},
            "test_accuracy": 0.8809,
            "images_per_second": 23663.5,
        }
    ],
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(CARD))
    (tmp_path / "b.json").write_text(json.dumps({"machine": {"card": "No GPU"}, "chapters": []}))
    return tmp_path


def test_a_step_is_shown_in_both_ways_with_the_ratio(folder):
    (row,) = step_times(folder).texts()
    assert row == ["A card", "Inception-v4", "32", "12.0", "3.0", "4.0"]


def test_a_training_is_shown_with_what_it_reached_and_what_not(folder):
    (row,) = training_times(folder).texts()
    assert row == ["A card", "Inception-v4", "8.2 s", "not reached", "30.3 s", "88.1 %", "23,664"]
    assert training_times(folder).columns[2:4] == ("to 80 %", "to 90 %")


def test_where_no_machine_was_measured_the_table_says_how_to_measure_one(tmp_path):
    for made in (step_times, training_times):
        assert not made(tmp_path).rows and "make gpu" in made(tmp_path).caption


def test_every_committed_machine_that_took_steps_is_in_the_table():
    found = [json.loads(p.read_text()) for p in (data_dir() / "machines").glob("*.json")]
    asked = sum(len(m.get("steps", [])) for m in found)
    assert len(step_times().rows) == asked >= 2
    assert all(card in claim("13.replay").sentence for card, *_ in step_times().rows)
