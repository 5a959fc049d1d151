"""The race lab without a browser: each network trains as it would alone; Stop, Reset, a network
that drops out, the images."""

import base64
import csv
import io
import re
import threading
from dataclasses import replace
from itertools import combinations, combinations_with_replacement
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from inception_edu.describe import Conv, Residual, amount, leaves, measure
from inception_edu.labs import takeaway
from inception_edu.labs.core import End, Press, Refused, Report, Session, Set, Tell, run_now
from inception_edu.labs.race import race_core
from inception_edu.labs.race_pairs import CHOICE, NAMES, NO_SUMS, RUNNERS, TOWERS, configs, cost
from inception_edu.labs.race_state import FOLDER, OPEN, STEPS, Course, margin, standing, three
from inception_edu.labs.race_words import tally
from inception_edu.labs.racing import Lap, Race, look_at, race
from inception_edu.study import load_results, run
from inception_edu.study.racers import DEPTHS


def opened(lab=None, **settings):
    session = Session(lab or race_core(steps=8, **settings))
    session.carry_out = run_now(session)
    for effect in session.lab.begin[1:]:
        session.do(effect)
    return session


@pytest.fixture(scope="module")
def clothes():
    return look_at("fashion")


def settings_of(pair, **more):
    return {"pair": pair, "depth": 2, "rate": 0.05, "scale": 0.3, "seed": 3, **more}


@pytest.mark.parametrize("pair", NAMES)
def test_each_network_trains_as_it_would_alone(clothes, pair):
    made = configs(settings_of(pair), clothes, 8)
    laps = []
    found = race(made, laps.append, threading.Event())
    assert found.status == "finished"
    for config, result in zip(made, found.results):
        alone = run(config)
        assert result.config == config and result.status == "finished"
        assert result.curves == alone.curves and result.maps == alone.maps
        assert result.test_accuracy == alone.test_accuracy and result.dead == alone.dead
    plain, residual = (measure(config.description()) for config in made)
    assert abs(plain.macs / residual.macs - 1) < 0.02
    assert [lap.step for lap in laps] == [1, 4, 8]
    assert all(len(answers) == 12 for answers in laps[-1].says)


def any_two(one, two, **more):
    return settings_of(CHOICE, one=one, two=two, rate=0.02, **more)


def test_any_two_networks_race_at_the_cost_that_is_said(clothes):
    """Every pair is described; every network takes steps in one of the races."""
    names = list(RUNNERS)
    assert len(names) >= 18 and sum(name.endswith(NO_SUMS) for name in names) >= 6
    costs = {name: configs(any_two(name, name), clothes, 2)[0].macs() for name in names}
    for one, two in combinations_with_replacement(names, 2):
        made = configs(any_two(one, two), clothes, 2)
        assert [c.macs() for c in made] == [costs[one], costs[two]]
        words = cost(any_two(one, two), made)
        assert words.startswith(f"The networks cost {amount(costs[one])} and {amount(costs[two])} ")
    for one, two in zip(names[::2], names[1::2]):
        found = race(configs(any_two(one, two), clothes, 2), lambda lap: None, threading.Event())
        assert [r.status for r in found.results] == ["finished", "finished"], (one, two)
        assert [r.label for r in found.results] == [one, two]


@pytest.mark.slow
@pytest.mark.parametrize("one, two", list(combinations(RUNNERS, 2)))
def test_every_pair_trains(clothes, one, two):
    found = race(configs(any_two(one, two), clothes, 2), lambda lap: None, threading.Event())
    assert [r.status for r in found.results] == ["finished", "finished"]


@pytest.mark.parametrize("name", [name for name in RUNNERS if name + NO_SUMS in RUNNERS])
def test_without_sums_nothing_is_added_and_the_rest_is_as_it_was(clothes, name):
    def nodes(made):
        return [b.node for b in made.description().blocks for _ in range(b.repeat)]

    def windows(node):
        return [(c.out, c.kernel, c.stride) for c in leaves(node) if isinstance(c, Conv)]

    with_, without = map(nodes, configs(any_two(name, name + NO_SUMS), clothes, 2))
    assert len(with_) == len(without) and any(isinstance(node, Residual) for node in with_)
    for there, here in zip(with_, without):
        assert "Residual" not in repr(here)
        if not isinstance(there, Residual):
            assert there == here
            continue
        assert windows(there.body) == windows(here)
        *_, last = leaves(here)
        assert last.norm and last.relu and not last.has_bias


def test_the_lab_races_two_of_the_readers_choice():
    session = opened()
    assert next(c for c in session.view.controls if c.key == "one").hidden
    session.set("pair", CHOICE)
    session.set("one", "GoogLeNet")
    session.set("two", "ResNet-50" + NO_SUMS)
    control = next(c for c in session.view.controls if c.key == "two")
    assert not control.hidden and set(control.options) == set(RUNNERS)
    assert session.view.status.startswith("GoogLeNet and ResNet-50, no sums, on fashion: which")
    assert "equal cost" not in session.view.status
    session.send(Press("retrain"))
    words = session.view.status
    assert "GoogLeNet " in words and "ResNet-50, no sums is ahead in" in words
    assert "multiply-adds for an image" in words
    assert "the residual network" not in words


def test_stop_ends_both(clothes):
    stop, laps = threading.Event(), []

    def report(lap):
        laps.append(lap)
        if lap.step >= 4:
            stop.set()

    found = race(configs(settings_of(TOWERS), clothes, 50), report, stop)
    assert found.status == "stopped"
    assert [len(r.curves["step"]) for r in found.results] == [2, 2] and laps[-1].step == 4


def test_a_network_that_diverges_drops_out_and_the_other_goes_on(clothes):
    plain, residual = configs(settings_of(TOWERS), clothes, 8)
    sick = replace(residual, recipe=replace(residual.recipe, lr=1e30))
    laps = []
    found = race((plain, sick), laps.append, threading.Event())
    assert [r.status for r in found.results] == ["finished", "diverged"]
    assert found.status == "finished"
    assert laps[-1].sides[1] is None and laps[-1].sides[0].step == 8


def test_two_curves_a_race_whose_colours_mean_sides():
    session = opened(depth=2)
    session.send(Press("retrain"))
    session.set("depth", 4)
    session.send(Press("retrain"))
    runs = session.view.part("curves").value["runs"]
    assert [(r["name"], r["colour"]) for r in runs] == [("1−", 0), ("1+", 1), ("2−", 0), ("2+", 1)]
    assert [r["faded"] for r in runs] == [True, True, False, False]
    for one in runs:
        assert one["series"]["error"][0] == [1, 4, 8] and len(one["series"]["own"][0]) == 3
    html = session.view.part("pictures").value
    assert html.count("data:image/png") == 12 and html.count("ied-side0") == 14
    assert session.state.running is None and "test images wrong" in session.view.status


def test_before_a_race_the_recorded_one_is_shown_and_says_so():
    session = opened(race_core())
    chart = session.view.part("curves").value
    assert [(r["name"], r["colour"], r["fixed"]) for r in chart["runs"]] == [
        ("rec−", 0, True),
        ("rec+", 1, True),
    ]
    assert all("recorded" in r["words"] and list(r["series"]) == ["error"] for r in chart["runs"])
    assert [band["panel"] for band in chart["bands"]] == ["error", "error"], "no seconds"
    recorded = load_results("lab_race")
    for depth in DEPTHS:
        asked = {**session.state.settings, "depth": depth, "seed": 2}
        lab_makes = configs(asked, session.state.images, STEPS)
        assert set(lab_makes) <= {
            replace(r.config, label=r.label.partition(",")[0]) for r in recorded
        }
        session.set("depth", depth)
        plain = [
            100 * (1 - r.accuracy)
            for r in recorded
            if r.label == f"without identity, depth {depth}"
        ]
        words = f"without identity {min(plain):.0f} to {max(plain):.0f} %"
        assert f"Recorded, 5 seeds: {words}" in session.view.status
        assert len(session.view.part("curves").value["bands"]) == 2
    session.set("depth", 4)
    plain = [100 * (1 - r.accuracy) for r in recorded if r.label == "without identity, depth 4"]
    words = f"without identity {min(plain):.0f} to {max(plain):.0f} %"
    (picture,) = session.lab.stored(session.lab.start)  # the images are not open yet
    assert session.lab.start.images is None and "24 to 33 %" in picture.said
    assert "rec+: recorded · with identity" in picture and "own time" not in picture
    session.set("scale", 0.5)
    chart = session.view.part("curves").value
    assert chart["runs"] == chart["bands"] == [] and "seeds" not in session.view.status
    said = f"Recorded at depth 4, rate 0.05, scale 0.3, 100 steps only: {words}"
    assert said in session.view.status
    session.set("pair", list(NAMES)[1])
    assert "Recorded" not in session.view.status, "of another pair nothing is known"


def test_the_strip_under_the_depth_says_how_recorded_races_ended():
    session = opened(race_core())
    depth = session.view.control("depth")
    right: dict = {}
    for r in load_results("lab_race"):
        right.setdefault(dict(r.config.arguments)["depth"], {})[r.label.split()[0], r.seed] = r
    ahead = {
        depth: sum(
            runs["with", seed].accuracy - runs["without", seed].accuracy >= OPEN
            for seed in range(5)
        )
        for depth, runs in right.items()
    }
    assert list(ahead) == list(DEPTHS) and ahead[24] == 5
    for at, count in ahead.items():
        said = f"depth {at}, of 5 recorded seeds: "
        (told,) = (line for line in depth.strip.split('"') if line.startswith(said))
        assert (f"ahead in {count}" in told) == (count > 0)
    assert depth.strip.count("opacity:1") == len(DEPTHS) and depth.note.endswith("–24")
    session.set("rate", 0.02)
    paler = session.view.control("depth")
    assert "opacity:1" not in paler.strip and "with other settings" in paler.note
    session.set("pair", list(NAMES)[1])
    assert "span" not in session.view.control("depth").strip, "of another pair nothing is known"


def raced(session, **settings):
    """A race that is over, without training it."""
    state = session.state
    settings = {**state.settings, **settings}
    made = configs(settings, state.images, state.steps)
    says = ((0,) * 12, (1,) * 12)
    course = Course(1, settings, made, says=says, wrong=(0.5, 0.3), status="finished", name="1")
    session.state = replace(state, settings=settings, races=(course,), fresh=True)
    return session


def test_the_verdict_names_what_was_changed_for_the_next_race():
    session = raced(opened(race_core()), depth=6)
    assert session.view.status.startswith("Race 1, test images wrong")
    # As after a change in mid-race: the race is just over, and the control is elsewhere.
    session.state = replace(session.state, settings=session.state.settings | {"depth": 2})
    assert session.view.status.startswith("Race 1, depth 6, test images wrong")


def test_after_a_race_a_moved_control_speaks_of_its_own_settings():
    session = raced(opened(race_core()), depth=6)
    assert "Race 1, test images wrong" in session.view.status
    assert not any(run["fixed"] for run in session.view.part("curves").value["runs"])
    session.set("depth", 16)
    assert "Recorded, 5 seeds" in session.view.status and "Race 1" not in session.view.status
    html = session.view.part("pictures").value
    assert "✓" not in html and "✗" not in html, "these settings have answered nothing"
    shown = [run for run in session.view.part("curves").value["runs"] if run["fixed"]]
    assert [list(run["series"]) for run in shown] == [["error"], ["error"]]
    session.set("depth", 6)
    assert "Race 1, test images wrong" in session.view.status, "back at its settings"
    session.set("depth", 16)
    session.send(Tell("curves", {"remove": 2}))
    assert session.state.races == () and "Recorded, 5 seeds" in session.view.status


def test_answers_stand_under_the_names_and_images_of_their_own_race():
    session = raced(opened(race_core()))
    html = session.view.part("pictures").value
    assert html.count(">− ") == 13 and "− without identity" in html
    session.set("pair", list(NAMES)[1])
    html = session.view.part("pictures").value
    assert "− Inception-v3" in html and html.count("ied-side0") == 1, "the race to come"
    session.set("pair", TOWERS)
    assert session.view.part("pictures").value.count("ied-side0") == 13, "back at its settings"
    session.set("pair", list(NAMES)[1])
    session.set("data", "scales")
    html = session.view.part("pictures").value
    assert "+ Inception-ResNet-v1" in html, "the race to come"
    assert html.count("ied-side0") == 1, "nobody has said anything of these"


def test_the_pictures_say_which_answers_came_up_last():
    session = opened(race_core())
    session.carry_out = lambda effect: None
    session.send(Press("retrain"))

    def lap(step, *says):
        record = SimpleNamespace(step=step, accuracy=0.5, seconds=1.0)
        session.send(Report("race", Lap((record, record), says)))

    lap(1, (0,) * 12, (0,) * 12)
    lap(4, (0, 1, 1) + (0,) * 9, (0,) * 12)
    lap(8, (0, 1, 2) + (0,) * 9, (0,) * 11 + (3,))
    assert "Last new answers" not in session.view.part("pictures").value, "they still change"
    side = SimpleNamespace(accuracy=0.5, seconds=1.0, data={"test": 500})
    session.send(End("race", "finished", Race((side, side), "finished")))
    html = session.view.part("pictures").value
    assert "− picture 3 at step 8</span>" in html and "+ picture 12 at step 8</span>" in html
    assert ", since step 4" in html and ", since step 1" in html


def test_on_few_test_images_a_small_difference_is_open():
    assert standing(0.53, 0.50) == standing(0.53, 0.50, 500) == "ahead"
    assert standing(0.53, 0.50, 36) == "open" and standing(0.60, 0.50, 36) == "ahead"
    assert margin(2000) == margin(500) == OPEN and margin(125) == pytest.approx(2 * OPEN)
    session = raced(opened(race_core()))
    (course,) = session.state.races
    few = replace(course, wrong=(0.53, 0.50), tested=36)
    session.state = replace(session.state, races=(few,))
    said = session.view.status
    assert "with identity 50 % of 36." in said
    assert "open in 1 (less than 7.5 points apart)" in said


def test_files_that_are_taken_away_name_the_images_and_the_test_error(tmp_path):
    session = raced(opened(race_core()))
    session.send(Tell("take", {"take": "csv"}))
    rows = list(csv.DictReader(io.StringIO(base64.b64decode(session.state.taken[3]).decode())))
    assert not rows, "no record yet"
    (course,) = session.state.races
    away = replace(course.configs[0], data="folder:/home/ada/garden")
    other = replace(
        course, number=2, name="2", configs=(away, away), steps=((1,), (1,)),
        errors=((0.9,), (0.8,)), seconds=((1.0,), (1.0,)),
    )  # fmt: skip
    session.state = replace(session.state, races=(course, other))
    words = [run["words"] for run in session.view.part("curves").value["runs"]]
    assert words[0].startswith("without identity · on fashion · ")
    assert words[2].startswith("without identity · on folder:garden · ")
    session.send(Tell("take", {"take": "csv"}))
    rows = list(csv.DictReader(io.StringIO(base64.b64decode(session.state.taken[3]).decode())))
    assert [row["data"] for row in rows] == ["folder:/home/ada/garden"] * 2
    assert [row["test_error"] for row in rows] == ["0.5", "0.3"]
    assert [row["training_error"] for row in rows] == ["0.9", "0.8"] and "one" not in rows[0]
    session.send(Tell("take", {"take": "svg"}))
    svg = base64.b64decode(session.state.taken[3]).decode()
    assert "<!-- The race, on fashion, folder:garden -->" in svg and "<!-- step -->" in svg
    panel = takeaway.figure(session.view.part("curves").value).axes[0]
    assert -4 < panel.get_ylim()[0] < 0, "from 0 % on, as in the page"


def test_what_is_set_meanwhile_is_not_for_the_seeds_that_were_asked_for():
    session = opened(race_core())
    session.carry_out = lambda effect: None
    session.send(Press("three"))
    session.set("data", "scales")  # its images are not there yet
    side = SimpleNamespace(accuracy=0.5, seconds=1.0)
    session.send(End("race", "finished", Race((side, side), "finished")))
    assert len(session.state.races) == 2 and session.state.running.settings["seed"] == 6
    assert {c.data for c in session.state.running.configs} == {"fashion"}
    assert session.view.status.startswith("Race 2: seed 6")


def test_before_a_race_its_time_is_foretold_for_this_machine():
    """Recorded seconds are another machine's: the axis has what this one was measured at."""
    session = opened(race_core())
    assert session.view.part("curves").value["panels"][1]["unit"] == "empty until the first race"
    session.send(End("warm up", "finished", lambda config: 7.0))
    chart = session.view.part("curves").value
    assert chart["panels"][1]["unit"] == "seconds foretold for this machine"
    for one in chart["runs"]:
        steps, seconds = one["series"]["error"][0], one["series"]["own"][0]
        assert seconds == pytest.approx([7.0 * step / STEPS for step in steps])
    (picture,) = session.lab.stored(session.state)
    assert "own time" not in picture, "its reader has another machine"
    session = opened(depth=2)
    session.send(End("warm up", "finished", lambda config: 7.0))
    session.send(Press("retrain"))
    chart = session.view.part("curves").value
    assert "on this machine" in chart["panels"][1]["unit"] and not any(
        run["fixed"] for run in chart["runs"]
    )


def test_three_seeds_race_those_that_were_not_raced():
    session = opened(depth=2)
    assert three(session.state) == [5, 6, 7]
    session.set("seed", 6)
    session.send(Press("retrain"))
    session.set("seed", 5)
    session.send(Press("three"))
    assert [c.settings["seed"] for c in session.state.races] == [6, 5, 7]
    assert "Of 3 seeds" in session.view.status
    assert three(session.state) == [8, 9, 10], "three new ones"
    session.set("scale", 0.5)
    assert three(session.state) == [5, 6, 7], "with other settings none was raced"


def test_the_tally_says_how_sure():
    state = opened(depth=2).state
    races = tuple(
        Course(n, {**state.settings, "seed": n}, (), wrong=(0.5, 0.3), status="finished")
        for n in range(3)
    )
    words = tally(replace(state, races=races))
    # Three of three: the lower end p has p³ = 0.025.
    assert f"ahead in {100 * 0.025 ** (1 / 3):.0f} to 100 % of all seeds" in words
    assert "How sure" not in tally(replace(state, races=races[:1]))


def test_three_seeds_keep_a_tally():
    session = opened(depth=2)
    session.send(Press("three"))
    assert [c.settings["seed"] for c in session.state.races] == [5, 6, 7]
    words = session.view.status
    assert "Of 3 seeds" in words and "verdict" not in words
    outcomes = [course.outcome for course in session.state.races]
    for kind in ("ahead", "behind", "open"):
        assert re.search(rf"{kind} in {outcomes.count(kind)}\b", words), (kind, words)


@pytest.mark.parametrize(
    "wrong, outcome",
    [
        ((0.5, 0.3), "ahead"),
        ((0.3, 0.5), "behind"),
        ((0.30, 0.31), "open"),
        ((0.3, None), "no result"),
    ],
)
def test_ahead_behind_open(wrong, outcome):
    assert Course(1, {}, (), wrong=wrong).outcome == outcome


def test_reset_asks_and_puts_back():
    session = opened(depth=2)
    session.send(Press("retrain"))
    session.send(Press("retrain"))
    session.set("scale", 1)
    session.send(Press("reset"))
    assert len(session.state.races) == 2 and "forgets 2 races" in session.view.status
    session.send(Press("reset"))
    assert session.state.races == () and session.state.settings["scale"] == 0.3


def test_after_a_reset_in_mid_race_the_next_race_waits_for_the_end_of_that_one(clothes):
    asked = []
    session = Session(race_core(), carry_out=asked.append)
    session.send(End("open", "finished", clothes))
    session.send(Press("retrain"))
    session.send(Press("reset"))
    session.send(Press("three"))
    assert len(asked) == 2 and session.state.races == ()
    session.send(End("race", "stopped"))
    session.send(Press("three"))
    assert len(asked) == 3 and len(session.state.races) == 1


def folder_of_pictures(tmp_path):
    generator = np.random.default_rng(0)
    for name in ("cats", "dogs"):
        (tmp_path / name).mkdir()
        for i in range(12):
            pixels = generator.integers(0, 255, (40, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.png")
    return tmp_path


def test_a_folder_of_ones_own(tmp_path):
    (folder_of_pictures(tmp_path) / "dogs" / "broken.png").write_bytes(b"no picture")
    with pytest.warns(UserWarning, match="dogs.broken.png"):
        session = opened(race_core(f"folder:{tmp_path}", steps=2, depth=2))
    assert session.state.images.classes == ("cats", "dogs")
    said = "19 training and 5 test images. Left out, because they cannot be read, 1 file: dogs"
    assert said in session.view.status
    html = session.view.part("pictures").value
    assert html.count("data:image/png") == len(session.state.images.labels) and "cats" in html
    session.send(Press("retrain"))
    made = session.state.races[-1].configs
    assert dict(made[0].arguments)["classes"] == 2 and session.state.races[-1].status == "finished"


def test_images_that_are_not_there_are_a_sentence():
    session = opened()
    session.set("data", FOLDER)
    assert session.view.status.startswith("Type the path")
    assert session.view.control("retrain").disabled
    session.set("folder", "/no/such/place")
    assert session.view.alert and "/no/such/place" in session.view.status
    assert "Error" not in session.view.status
    session.set("data", "fashion")
    assert not session.view.alert and not session.view.control("retrain").disabled
    with pytest.raises(Refused, match="fashion, scales or folder:PATH; got 'cifar'"):
        race_core("cifar")


def test_an_answer_that_comes_late_is_asked_for_again(clothes):
    asked = []
    session = Session(race_core(), carry_out=asked.append)
    session.send(Set("data", "scales"))
    session.send(Set("data", FOLDER))
    session.send(Set("data", "scales"))
    assert asked == [], "one source is opened at a time"
    session.send(End("open", "finished", clothes))  # what was wanted before
    assert session.state.images is None and [effect.job[1] for effect in asked] == ["scales"]
    session.send(Set("data", "fashion"))
    session.send(End("open", "failed", None, "DataError: no scales here"))
    assert not session.view.alert and asked[-1].job[1] == "fashion"
    session.send(End("open", "finished", clothes))
    assert session.state.images is clothes and len(asked) == 2


def test_both_configurations_are_taken_away_as_code():
    session = opened(depth=2)
    session.send(Tell("take", {"take": "code"}))
    assert session.state.code.count("result = run(config)") == 2
    assert "# what is set: with identity\n" in session.state.code
    both = []
    for part in session.state.code.split("print(result.sentence)")[:2]:
        made: dict = {}
        exec(part.replace("result = run(config)", ""), made)
        both.append(made["config"])
    session.send(Press("retrain"))
    assert tuple(both) == session.state.races[-1].configs
    session.send(Tell("take", {"take": "code"}))
    assert session.state.code.startswith("# race 1: without identity\n")
    assert session.view.part("take").value["of"] == "race 1"
    assert [result.config for result in session.state.races[-1].results] == both
    session.send(Tell("take", {"take": "csv"}))
    text = base64.b64decode(session.state.taken[3]).decode()
    assert "with identity" in text and len(text.splitlines()) == 1 + 2 * 3
