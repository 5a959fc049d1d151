"""The story of a run, on recorded runs and on courses made for it."""

import math

import pytest

from inception_edu.labs.core import Session
from inception_edu.labs.film import Film, as_track, committed, film_core, healed
from inception_edu.labs.film import names as names_of
from inception_edu.labs.story import Course, block_words, percent, silent_since, stops
from inception_edu.study.recorded import recorded_grid
from inception_edu.study.results import load_results

GUESSING = math.log(10)


def course(run) -> Course:
    return Course(run.steps, run.curve("loss"), run.dead(), run.curve("push"), run.curve("logits"))


def names(found) -> list[str]:
    return [stop.name for stop in found]


def runs():
    return [run for cell in recorded_grid().cells for run in cell.runs]


def test_every_recorded_run_has_a_story_in_the_order_of_its_steps():
    for run in runs():
        found = stops(course(run))
        assert 1 <= len(found) <= 5
        steps = [stop.step for stop in found]
        assert steps == sorted(set(steps)) and set(steps) <= set(run.steps)
        assert all(len(stop.words) > 20 for stop in found)


def test_a_run_that_dies_ends_dark_and_one_that_lives_does_not():
    for run in runs():
        found = names(stops(course(run)))
        if run.fate.word == "dies":
            assert "dark" in found or "healing" in found, (run, found)
        if run.fate.word == "lives":
            told = " ".join(stop.words for stop in stops(course(run)))
            assert "dark" not in found and ("Learning." in told or "Healing." in told), (run, found)


def test_the_patient_overshoots_sinks_and_goes_dark():
    cell = recorded_grid().nearest(width=144, scale=1, rate=0.45).cell
    for run in cell.runs:
        found = stops(course(run))
        assert names(found)[0] == "overshoot", names(found)
        assert "dark" in names(found)
        overshoot = next(stop for stop in found if stop.name == "overshoot")
        at = run.steps.index(overshoot.step)
        logits, push = run.curve("logits"), run.curve("push")
        assert logits[at] == max(logits) or push[at] == max(push), "where they are largest, or push"
        assert logits[at] >= 3 * logits[0]
        dark = next(stop for stop in found if stop.name == "dark")
        worst = max(run.dead().values(), key=lambda shares: shares[-1])
        before = [s for step, s in zip(run.steps, worst) if step < dark.step]
        after = [s for step, s in zip(run.steps, worst) if step >= dark.step]
        assert min(after) >= 0.9 * worst[-1] > before[-1]


def test_a_network_that_heals_has_its_own_story():
    healing = max(load_results("dying"), key=healed)
    track = as_track(healing)
    assert healed(healing) > 0.1
    found = {stop.name: stop for stop in stops(track.course)}
    assert "healing" in found
    at = track.steps.index(found["healing"].step)
    shares = max(track.dead.values(), key=lambda s: max(s) - s[-1])
    assert shares[at] == max(shares), "placed where it was deepest"
    assert percent(shares[-1]) in found["healing"].words


def test_a_made_course_is_told_as_it_goes():
    steps = (1, 2, 3, 4, 5, 6)
    loss = (GUESSING, 8.0, 4.0, 2.4, 2.3, 2.3)
    dead = {"stem": (0,) * 6, "c.1": (0, 0, 0.2, 0.4, 0.9, 0.95)}
    push, logits = (0.1, 5.0, 3.0, 0.2, 0.0, 0.0), (1.0, 4.0, 6.0, 0.5, 0.2, 0.2)
    found = stops(Course(steps, loss, dead, push, logits))
    assert [(stop.step, stop.name) for stop in found] == [
        (2, "overshoot"),
        (4, "sinking"),
        (5, "dark"),
    ]
    assert "from a spread of 1.0 to 4.0. Sure and wrong: the loss falls" in found[0].words
    assert "40 % of its channels are silent here, 95 % later" in found[1].words
    assert silent_since(Course(steps, loss, dead)) == 5
    # Without the leap of the logits there is no overshoot to tell of, and no sinking after it.
    calm = stops(Course(steps, (GUESSING,) * 6, dead, push, (1.0,) * 6))
    assert names(calm) == ["dark"]


def test_nothing_learned_and_nothing_dead_is_said_too():
    flat = Course((1, 2, 3), (2.31, 2.31, 2.31), {"stem": (0, 0, 0), "c.1": (0, 0, 0)})
    (only,) = stops(flat)
    assert only.name == "end" and "nothing is learned" in only.words
    assert stops(Course((1, 2), (2.3, 2.2))) == []


@pytest.mark.parametrize("dead, words", [(0.18, "Damaged"), (0.09, "Alive"), (0.0, "Alive")])
def test_the_end_is_told_by_the_rule_of_the_verdict(dead, words):
    """What the verdict calls suffering is not called alive under the film."""
    course = Course((1, 2, 3), (2.31, 1.5, 1.1), {"stem": (0, 0, 0), "c.1": (0, 0, dead)})
    last = stops(course)[-1]
    assert last.name == "end" and last.words.startswith(words)


@pytest.mark.parametrize(
    "share, words", [(0, "0 %"), (0.004, "0.4 %"), (0.071, "7 %"), (0.994, "99 %"), (1, "100 %")]
)
def test_shares_in_words(share, words):
    assert percent(share) == words


def test_blocks_in_words():
    assert block_words("c.2", ["stem", "c.1", "c.2"]) == "block 2"
    assert block_words("stem", ["stem", "c.1"]) == "the stem"


def test_the_committed_films_are_there_and_have_twins():
    films = committed()
    assert len(films) == 4
    fates = {film.run.fate.word for film in films}
    assert {"dies", "lives"} <= fates
    assert any("heals" in film.title for film in films)
    for film in films:
        assert film.twin is None or film.twin.settings["scale"] == 0.1
        assert {"loss", "push", "logits", "branch"} <= set(film.run.curves)


def test_every_film_is_shown_with_its_twin():
    session = Session(film_core(committed()))
    for i, film in enumerate(committed()):
        session.set("film", i)
        player = session.view.part("player").value
        assert len(player["towers"]) == 1 + (film.twin is not None)
        assert player["towers"][0]["steps"] == list(film.run.steps)
        assert [len(shares) for shares in player["towers"][0]["dead"]] == [len(film.run.steps)] * 11
        assert player["stops"] == [stop.to_dict() for stop in stops(film.run.course)]
        assert len(session.view.part("curves").value["panels"]) == 5
    (picture,) = session.lab.stored(session.state)
    assert picture.startswith("<svg") and "right" in picture.said


def test_two_films_of_one_scale_are_told_apart_by_their_names():
    first = {r.label: r for r in reversed(load_results("remedies"))}
    one, other = first["norm in last branch"], first["norm after last sum"]
    film = Film("", as_track(one, 1), as_track(other, 2))
    assert names_of(film) == ["norm in last branch", "norm after last sum"]
