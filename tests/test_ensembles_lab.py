"""The ensembles lab without a browser: events in, views out."""

import re

import pytest
from test_answers import CROPS, answers, by_hand

from inception_edu.labs.core import Press, Refused, Session, Set, Tell
from inception_edu.labs.ensembles import BEST, KEPT, Ensembles
from inception_edu.labs.ensembles_rows import rows_svg
from inception_edu.study.answers import outcome


def session(made=None, **more):
    lab = Ensembles(made or answers(), **more)
    found = Session(lab.lab())
    found.ensembles = lab
    return found


@pytest.fixture
def lab():
    return session()


def texts(lab, part):
    return re.sub(r"<[^>]+>", " ", lab.view.part(part).value)


def test_it_starts_with_the_papers_mixture_beside_four_of_a_kind(lab):
    assert lab.state.chosen == (5, 10, 11, 12) and lab.state.crops == "1 crop"
    assert [row[1] for row in lab.state.rows] == [(0, 1, 2, 3)]
    error = outcome(lab.ensembles.answers, (5, 10, 11, 12), "1 crop").error
    assert f"error {100 * error:.1f} %" in lab.view.status
    assert "Against row 1" in texts(lab, "pair")


def test_a_member_is_switched_and_the_choice_of_now_follows(lab):
    lab.send(Tell("grid", "member 5"))
    assert lab.state.chosen == (10, 11, 12)
    lab.send(Set("members", "10 11, 12 5"))
    assert lab.state.chosen == (5, 10, 11, 12)
    with pytest.raises(Refused, match="numbers from 0 to 14"):
        lab.set("members", "99")
    assert lab.view.part("grid").value.count('aria-pressed="true"') == 4
    lab.send(Set("crops", "144 crops"))
    assert "144 crops" in texts(lab, "rows")


def test_rows_are_added_when_asked_and_only_then(lab):
    lab.send(Tell("grid", "member 0"))
    lab.send(Set("crops", "12 crops"))
    assert len(lab.state.rows) == 1
    lab.send(Press("add"))
    assert [row[0] for row in lab.state.rows] == [2, 1]
    assert lab.view.control("add").disabled, "it is there already"
    lab.send(Press("add"))
    assert len(lab.state.rows) == 2
    for i in range(10):
        lab.set("members", str(i))
        lab.send(Press("add"))
    assert [row[0] for row in lab.state.rows] == [*range(12, 13 - KEPT, -1), 1]
    assert lab.state.against == "row 1", "the row of the comparison stays"


def test_the_height_stays(lab):
    def height():
        return re.search(r'viewBox="0 0 680 (\d+)"', lab.view.part("rows").value).group(1)

    def room():
        return re.search(r"min-height:(\d+)px", lab.view.part("rows").value).group(1)

    before = height(), room()
    lab.set("members", "3")
    lab.send(Press("add"))
    assert (height(), room()) == before
    lab.set("members", "")
    assert (height(), room()) == before


def test_against_a_row_and_against_the_best_member(lab):
    found, words = lab.ensembles.against(lab.state)
    assert words == "row 1"
    assert f"saves {len(found.saved)} images and spoils {len(found.spoiled)}" in texts(lab, "pair")
    lab.send(Set("against", BEST))
    assert re.search(r"(and|than) its best member \(Inception-", texts(lab, "pair"))
    lab.set("members", "3")
    assert "With two members" in texts(lab, "pair"), "one member is its own best"


def test_pictures_that_are_saved_and_spoiled():
    asked = []
    lab = session(pictures=lambda i: asked.append(i) or "data:,", classes=tuple("abcdefghij"))
    found, _ = lab.ensembles.against(lab.state)
    shown = lab.view.part("pair").value
    assert asked and set(asked) <= {*found.saved, *found.spoiled} and "<img" in shown
    i = found.saved[0]
    label = "abcdefghij"[int(lab.ensembles.answers.labels[i])]
    assert f"{label}: " in shown and "the vote says" in shown
    assert "<img" not in session().view.part("pair").value


def test_nobody_chosen_is_a_sentence(lab):
    lab.set("members", "")
    assert lab.view.alert and lab.view.status == "Choose at least one member."
    lab.set("members", "7")
    assert "One member is no ensemble yet" in lab.view.status


def test_presets_choose_at_once_and_reset_forgets(lab):
    start = lab.state
    assert "the paper's" in lab.view.control("preset").value, "what is chosen has its name"
    lab.send(Set("preset", "all 15 members"))
    assert lab.state.chosen == tuple(range(15))
    lab.send(Tell("grid", "member 0"))
    assert lab.state.preset == "" and lab.state.chosen == tuple(range(1, 15))
    lab.send(Press("reset"))
    assert lab.state == start


def test_each_member_says_what_it_is_worth_alone(lab):
    for crops in CROPS[:2]:
        lab.send(Set("crops", crops))
        error = 100 * outcome(lab.ensembles.answers, (6,), crops).error
        assert f'Inception-v4, seed 1, alone {error:.1f} % wrong"' in lab.view.part("grid").value


def test_many_members_are_counted_in_the_sentence_and_named_in_the_picture():
    """A sentence that listed 14 of 15 took a line more than its room."""
    kinds = ("inception_v3", "inception_v4", "inception_resnet_v1", "inception_resnet_v2")
    lab = session(answers([(kind, seed) for kind in kinds for seed in range(5)]))
    lab.set("members", " ".join(str(i) for i in range(20) if i != 7))
    assert lab.view.status.startswith("19 members, 1 crop: error ")
    shown = "v3 (0–4) + v4 (0, 1, 3, 4) + ResNet-v1 (0–4) + ResNet-v2 (0–4) · 1 crop"
    assert shown in texts(lab, "rows")
    lab.set("members", "0 1 5 6 10 11 15 16")
    assert lab.view.status.startswith("Inception-v3 (seeds 0, 1) + ")


def test_the_sentence_tells_less_from_more():
    """A good member is better than its average with a poor but very sure one."""
    import torch

    a = answers()
    a.rows["1 crop"][0, torch.arange(200), a.labels] += 2
    a.rows["1 crop"][1] *= 3
    lab = session(a)
    lab.set("members", "0 1")
    o = lab.ensembles.outcome((0, 1), "1 crop")
    assert o.gain_on_best < 0 < o.gain_on_mean
    assert f"{100 * o.gain_on_mean:.1f} points less than its mean member" in lab.view.status
    assert f"{-100 * o.gain_on_best:.1f} points more than its best" in lab.view.status


def test_one_kind_or_one_member_is_enough_for_a_lab():
    few = session(answers([("inception_v3", 0), ("inception_v3", 4)]))
    assert few.state.chosen == (0, 1) and "all" not in " ".join(few.ensembles.presets)
    assert "no ensemble yet" in session(answers([("inception_v3", 0)])).view.status


def test_marks_stand_where_their_errors_are():
    """Two rows with known errors: the picture's diamonds lie on a line with them."""
    a = by_hand()
    outcomes = [outcome(a, [0, 1], "1 crop"), outcome(a, [0], "12 crops")]
    picture = rows_svg(a, [(2, (0, 1), "1 crop", outcomes[0]), (1, (0,), "12 crops", outcomes[1])])
    diamonds = re.findall(r'<path d="M([\d.]+) [\d.]+l7 8l-7 8l-7 -8z" fill', picture)[:2]
    labels = re.findall(
        r'<text x="([\d.]+)" y="\d+" text-anchor="middle" fill="[^"]*">([\d.]+)<', picture
    )
    (x0, v0), (x1, v1) = (tuple(map(float, labels[k])) for k in (0, -1))
    for x, found in zip(map(float, diamonds), outcomes):
        at = x0 + (100 * found.error - v0) * (x1 - x0) / (v1 - v0)
        assert x == pytest.approx(at, abs=0.2)
    assert "error 50.0 %, members 50.0 to 50.0 %" in picture.said


def test_the_stored_form(lab):
    (still,) = lab.lab.stored(lab.state)
    assert "Inception-v4 (seed 0) + " in still.said and still.startswith("<svg")
    assert CROPS[0] in still.said
