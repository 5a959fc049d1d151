"""The scaling and the dying lab without widgets: events in, view out."""

import base64
import csv
import io
import json
import math
import re
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from inception_edu.labs.core import End, Press, Refused, Report, Session, Set, Tell, run_now
from inception_edu.labs.dying import (
    FIRST,
    PANELS,
    REMEDIES,
    STEPS,
    USUAL,
    config,
    dying_core,
    grid,
    tower,
)
from inception_edu.labs.scaling import scaling_core
from inception_edu.labs.takeaway import COLOURS, DASHES, FAINT, PITCH, apart, figure
from inception_edu.labs.tower_controls import strip_html
from inception_edu.labs.tower_curves import FATE_PLACES, chart_value, colour
from inception_edu.labs.tower_known import Look, near, shown
from inception_edu.labs.tower_words import _earlier, fate_words, share_interval, verdict
from inception_edu.labs.training import MOST, Track, interval
from inception_edu.learn import Record
from inception_edu.study import Config, run
from inception_edu.study.fates import Fate, fate_of_cell
from inception_edu.study.recorded import recorded_grid
from inception_edu.study.statistics import at_most_counts

ROOT = Path(__file__).resolve().parents[1]
LOOK = Look(lambda state: (), PANELS, grid("fashion", STEPS), tower, USUAL)
SMALL = dict(width=72, rate=0.45)


def opened(lab=None, carry_out=None, **settings):
    session = Session(lab or dying_core(steps=8, **{**SMALL, **settings}))
    session.carry_out = carry_out or run_now(session)
    return session


def retrain(session, **settings):
    for key, value in settings.items():
        session.set(key, value)
    session.send(Press("retrain"))
    return session.state.last


@pytest.fixture(scope="module")
def two_runs():
    """A session with two runs that differ in the scale alone."""
    session = opened()
    retrain(session)
    retrain(session, scale=0.1)
    return session


# --- What is trained ------------------------------------------------------------------------------


def test_a_lab_trains_what_its_configuration_trains(two_runs):
    track = two_runs.state.tracks[0]
    result = run(track.config)
    assert list(track.curves["loss"]) == result.curves["loss"]
    assert list(track.curves["push"]) == result.curves["push"]
    assert {k: list(v) for k, v in track.dead.items()} == result.maps["dead"]
    assert track.accuracy == result.test_accuracy and track.fate.dead == max(result.dead.values())


@pytest.mark.parametrize("remedy", REMEDIES)
def test_every_remedy_is_a_configuration_of_its_own(remedy):
    made = config({**FIRST, "remedy": remedy})
    assert made.recipe.steps == STEPS and made.recipe.lr == 0.45
    if remedy != "nothing":
        assert made != config(FIRST)
    made.description()


def test_every_control_of_the_scaling_lab_changes_the_configuration():
    session = Session(scaling_core())
    seen = {session.state.config}
    changes = dict(scale=0.1, width=288, depth=3, rate=0.01, optimizer="sgd", seed=1)
    for key, value in changes.items():
        fresh = Session(scaling_core())
        fresh.set(key, value)
        seen.add(fresh.state.config)
    assert len(seen) == 1 + len(changes)


def test_the_default_run_is_the_recorded_patient():
    """What is recorded of the lab's first settings is the very run that Retrain makes."""
    facts = recorded_grid().facts
    made = config(FIRST)
    assert facts["steps"] == made.recipe.steps and facts["optimizer"] == made.recipe.optimizer
    assert dict(made.arguments)["depth"] == facts["depth"] and made.data in facts["data"]


# --- Before training ------------------------------------------------------------------------------


def test_moving_a_control_answers_from_recorded_runs_in_a_tenth_of_a_second():
    session = opened(dying_core())
    assert session.view.parts  # the file is read once
    slowest = 0.0
    for scale in (0.0, 0.15, 0.3, 0.55, 1.0, 1.2):
        start = time.thread_time()  # not what other programs take
        session.set("scale", scale)
        assert session.view.parts
        slowest = max(slowest, time.thread_time() - start)
    assert slowest < 0.1
    session.set("scale", 0.3)
    cell = recorded_grid().nearest(width=144, scale=0.3, rate=0.45).cell
    chart = session.view.part("curves").value
    band = next(b for b in chart["bands"] if b["panel"] == "loss")
    assert band["low"] == cell.band("loss")["low"]
    assert "width 144, scale 0.3, rate 0.45" in session.view.status
    towers = session.view.part("player").value["towers"]
    assert [tower["title"] for tower in towers] == ["recorded · scale 0.3", "recorded · scale 0.1"]


def test_what_is_not_recorded_is_not_shown_as_if_it_were():
    session = opened(dying_core())
    session.set("rate", 0.001)
    assert "Nothing is recorded near" in session.view.status
    chart = session.view.part("curves").value
    assert chart["bands"] == [] and "no band: nothing is recorded" in chart["panels"][0]["note"]
    assert session.view.part("player").value["towers"] == []
    assert near(144, 1.0, 0.001) is None, "a rate of 0.001 is far from all that is recorded"


def test_with_a_remedy_the_same_without_it_is_shown_and_says_so():
    session = opened(dying_core())
    session.set("remedy", "clipped gradient")
    lead, more = session.view.status.split("\n")
    assert lead == "Nothing is recorded with remedy clipped gradient."
    assert more.startswith("Recorded without the remedy: width 144, scale 1, rate 0.45: all 5 runs")
    chart = session.view.part("curves").value
    assert chart["bands"] == []
    assert "no band: recorded without the remedy only" in chart["panels"][0]["note"]
    assert [run["name"] for run in chart["runs"]] == ["rec"]
    assert chart["runs"][0]["words"].startswith("recorded without the remedy · scale 1")
    towers = session.view.part("player").value["towers"]
    assert [one["title"] for one in towers] == ["rec. no remedy · scale 1"]
    scale = session.view.control("scale")
    assert scale.note.startswith("without the remedy: lives 0–") and "opacity:1" not in scale.strip
    assert not session.view.part("key").hidden, "nothing moves"
    session.set("remedy", "nothing")
    assert "note" not in session.view.part("curves").value["panels"][0]


def test_of_other_settings_than_the_last_run_everything_speaks():
    """Words, towers and curves of SGD, not the towers of the last run with the words of it."""
    session = opened(dying_core())
    track = Track(1, dict(session.state.settings), session.state.config, "1", steps=(1, 2))
    track = replace(track, curves={"loss": (2.0, 1.0)}, dead={"stem": (0, 0)}, status="finished")
    session.state = replace(session.state, tracks=(track,), count=1)
    session.set("optimizer", "sgd")
    assert session.view.status.startswith("Nothing is recorded with SGD.\nRecorded with RMSProp")
    towers = session.view.part("player").value["towers"]
    assert [one["title"] for one in towers] == ["rec. RMSProp · scale 1"]
    session.set("width", 1152)  # nothing is near: the last run, by its settings
    towers = session.view.part("player").value["towers"]
    assert [one["title"] for one in towers] == ["run 1 · width 144 · RMSProp · scale 1"]


def test_the_time_that_is_foretold_follows_the_run_under_way():
    """Other programs may take half of the machine."""
    session, _ = started()
    session.send(End("warm up", "finished", lambda config: 8.0))
    for step, seconds in ((1, 30.0), (6, 12.0)):
        record = Record(step, seconds, 2.3, 0.1, 1.0, 0.1, {"stem": 0.5}, {"stem": 0.0}, {})
        session.send(Report("run", record))
    assert session.state.factor == 2.0, "12 s for 6 of 8 steps, in place of 6"
    assert "about 4 s left" in session.view.status
    assert session.view.control("five").label == "Five seeds · about 80 s"


def test_the_strip_says_what_recorded_runs_did():
    session = opened(dying_core())
    control = session.view.control("scale")
    entries = recorded_grid().strip("scale", width=144, rate=0.45)
    for entry in entries:
        assert f"scale {entry['value']:g}: {entry['sentence']}" in control.strip.replace(
            "&#x27;", "'"
        )
    assert control.note.startswith("lives 0–") and " · dies " in control.note


def test_settings_that_were_never_run_are_not_tried():
    session = opened(dying_core())
    session.set("width", 288)
    session.set("rate", 0.45)
    recorded = {e["value"] for e in recorded_grid().strip("scale", width=288, rate=0.45)}
    missing = [scale for scale in recorded_grid().axes["scale"] if scale not in recorded]
    assert missing, "the grid is whole now: take this test away"
    note = session.view.control("scale").note
    assert note.endswith(f" · not tried {missing[0]:g}–{missing[-1]:g}")
    assert session.view.control("scale").strip.count("title=") == len(recorded)
    session.set("rate", 0.1)
    assert session.view.control("scale").note == "not tried near these settings"


def test_a_width_that_is_not_recorded_says_which_one_is_shown():
    session = opened(dying_core())
    session.set("rate", 0.2)
    session.set("width", 576)
    assert session.view.control("scale").note.startswith("at width 288: lives 0–0.3 · ")
    assert "scale 0.5 at width 288" in session.view.control("scale").strip
    assert session.view.control("width").note == "suffers 72 · dies 144–288"
    assert "width 288, scale 1, rate 0.2 is the nearest" in session.view.status
    titles = [tower["title"] for tower in session.view.part("player").value["towers"]]
    assert titles == ["rec. width 288 · scale 1", "rec. width 288 · scale 0.1"]
    words = [run["words"] for run in session.view.part("curves").value["runs"]]
    assert all("width 288" in said for said in words) and len(words) == 3
    said = session.view.part("forecast").value
    assert "rate × ‖a‖² is" in said and "means at width 288" in said
    session.set("width", 1152)
    assert session.view.control("scale").note == "not tried near these settings"
    assert "title=" not in session.view.control("scale").strip
    session.set("width", 144)
    assert "width 144" not in session.view.part("curves").value["runs"][0]["words"]


def test_before_training_the_spread_is_foretold_and_then_measured(two_runs):
    from inception_edu.study.foretold import before

    told = before(1.0, 10).spread
    session = Session(scaling_core())
    said = f"from {told[0]:.2f} at the stem to {told[-1]:.2f} at the last block"
    assert said in session.view.part("forecast").value
    runs = {run["name"]: run for run in session.view.part("curves").value["runs"]}
    assert runs["0"]["series"] == {"spread": [list(range(11)), list(told)]}
    seen = list(two_runs.state.last.first_spread.values())
    words = f"measured in run 2: from {seen[0]:.2f} to {seen[-1]:.2f}"
    assert words in two_runs.view.part("forecast").value
    session = opened(dying_core())
    session.set("remedy", "norm in last branch")
    assert "spread" not in session.view.part("forecast").value, "it alters the network"


def test_a_setting_far_from_all_recorded_ones_stands_on_their_axis_too():
    session = opened(dying_core())
    session.set("width", 1152)
    assert "Nothing is recorded near" in session.view.status
    said = session.view.part("forecast").value
    assert "before the first step; of the 10 recorded settings nearest to that" in said
    assert "10 die" in said or "die" in said


# --- A run and its verdict ------------------------------------------------------------------------


def test_the_verdict_names_the_end_and_what_differs(two_runs):
    words = two_runs.view.status
    assert "Against run 1 only the scale differs (1 → 0.1)" in words
    assert "One seed is a picture, not a verdict" in words and "guessing gives 10 %" in words


def test_a_moved_control_speaks_of_its_own_settings_not_of_the_last_run():
    session = opened()
    retrain(session, scale=0.1)
    told = session.view.status
    session.set("scale", 0.3)
    assert session.view.status.startswith("Nothing is recorded near these settings")
    assert "Your last run, scale 0.1: " in session.view.status and not session.view.alert
    session.set("seed", 4)
    session.set("scale", 0.1)
    assert session.view.status == told


def test_what_was_set_while_a_run_was_under_way_does_not_hide_its_verdict():
    """The verdict that a reader waits for comes first; the settings speak once they are moved."""
    session = opened()
    asked = []
    run_at_once, session.carry_out = session.carry_out, asked.append
    session.set("scale", 0.1)
    session.send(Press("retrain"))
    session.set("scale", 0.3)
    run_at_once(asked[0])
    session.carry_out = run_at_once
    words = session.view.status.split("\n")[0]
    assert words == f"{fate_words(session.state.last)} Set for the next run: scale 0.3."
    assert session.view.part("player").value["towers"][0]["title"] == "run 1 · scale 0.1"
    session.set("scale", 0.5)
    assert session.view.status.startswith("Nothing is recorded near these settings")
    assert "Your last run, scale 0.1: " in session.view.status


def test_a_run_under_way_stands_among_what_is_recorded_of_its_own_settings():
    session = opened(dying_core())
    session.carry_out = lambda effect: None
    session.send(Press("retrain"))
    before = session.view.part("curves").value
    assert before["bands"] and "recorded" in before["runs"][1]["words"]
    session.set("scale", 0.3)
    session.set("rate", 0.2)
    after = session.view.part("curves").value
    assert (after["bands"], after["runs"]) == (before["bands"], before["runs"])
    session.send(End("run", "stopped"))
    assert session.view.part("curves").value["bands"] == before["bands"]
    session.set("scale", 0.2)  # now the settings are asked about
    assert session.view.part("curves").value["bands"] != before["bands"]


def test_a_figure_that_is_saved_has_the_lines_of_the_page():
    """Dashes tell what is recorded from what the reader ran; what is only known is grey."""
    session = opened(dying_core())
    track = Track(1, dict(session.state.settings), session.state.config, "1", steps=(1, 2))
    track = replace(track, curves={"loss": (2.0, 1.0)}, status="finished")
    chart = chart_value(replace(session.state, tracks=(track,)), LOOK)
    lines = {
        line.get_label().split(":")[0]: line
        for line in figure(chart).axes[0].lines
        if ":" in line.get_label()
    }
    assert {"1", "0.1", "off"} <= set(lines)
    assert lines["1"].get_linestyle() == "-" != lines["0.1"].get_linestyle()
    assert lines["off"].get_color() == FAINT and lines["off"].is_dashed()
    page = (ROOT / "inception_edu/labs/web/theme.js").read_text()
    light = re.search(r"light: (\[.*?\])", page, re.DOTALL)
    assert json.loads(light[1].replace(",\n  ]", "]")) == list(COLOURS) and FAINT in page
    dashes = re.search(r"const DASHES = (.*?);", page, re.DOTALL)
    assert [tuple(dash) for dash in json.loads(dashes[1])] == [dash or () for dash in DASHES]


def test_no_run_of_the_readers_has_a_colour_of_what_was_recorded():
    session = opened(dying_core())
    tracks = [Track(n, dict(session.state.settings), None, str(n)) for n in range(1, 9)]
    recorded = {run["colour"] for run in session.view.part("curves").value["runs"]}
    assert recorded == {0, 1, -1}, "the recorded run dies"
    session.set("scale", 0.1)
    session.set("rate", 0.2)
    recorded |= {run["colour"] for run in session.view.part("curves").value["runs"]}
    assert recorded == {0, 1, 3, -1}, "this one lives"
    assert not {*recorded, *FATE_PLACES.values()} & {colour(track) for track in tracks}
    assert len({colour(track) for track in tracks}) == 4


def test_no_two_runs_that_are_shown_look_alike():
    """Also of many runs, some of them pinned."""
    state = opened(dying_core()).state
    tracks = [
        Track(n, dict(state.settings), state.config, str(n), pinned=n % 5 == 0)
        for n in range(1, 17)
    ]
    runs = chart_value(replace(state, tracks=tuple(tracks)), LOOK)["runs"]
    looks = [(run["colour"], run["dash"], run["faded"]) for run in runs if run["name"] != "0"]
    assert len(runs) == 17 and len(set(looks)) == len(looks)
    own = [(run["colour"], run["dash"]) for run in runs if not run["fixed"]]
    assert len(set(own)) == len(own), "not by their width alone"


@pytest.mark.parametrize("places", [[0.5] * 3, [0.0, 0.01, 0.02], [1.0] * 12, [0.1, 0.5] * 7])
def test_names_in_a_saved_figure_do_not_cover_each_other(places):
    put = apart(sorted(places))
    for column in {column for column, _ in put}:
        here = [place for at, place in put if at == column]
        assert all(0 <= place <= 1 for place in here)
        assert all(high - low > 0.99 * PITCH for low, high in zip(here, here[1:]))
    assert apart([0.2, 0.6]) == [(0, 0.2), (0, 0.6)], "who has room stays"


def test_a_band_of_another_setting_does_not_stand_behind_the_readers_run():
    session = opened(dying_core())
    session.set("scale", 0.4)  # 0.3 and 0.5 are recorded
    loss = [b for b in session.view.part("curves").value["bands"] if b["panel"] == "loss"]
    assert len(loss) == 1, "the recorded curve says which setting it is"
    track = Track(1, dict(session.state.settings), session.state.config, "1", status="stopped")
    chart = chart_value(replace(session.state, tracks=(track,)), LOOK)
    assert chart["bands"] == [] and "rec" not in [run["name"] for run in chart["runs"]]


def test_a_stopped_run_stays_one_when_a_control_is_moved():
    state = opened(dying_core()).state
    track = Track(1, dict(state.settings), state.config, "1", steps=(1, 2), status="stopped")
    said = _earlier(state, track, ["scale"])
    assert said == "Your last run, scale 1: Run 1 was stopped at step 2: no verdict."


def test_what_the_blocks_are_worth_is_said_by_all_seeds():
    session = opened(dying_core())
    assert "the blocks do harm in every seed" in session.view.part("forecast").value
    session.set("rate", 0.2)
    session.set("scale", 0.5)
    assert "no difference is shown" in session.view.part("forecast").value


def test_between_two_recorded_settings_both_are_said():
    session = opened(dying_core())
    for key, value in (("width", 288), ("rate", 0.2), ("scale", 0.4)):
        session.set(key, value)
    said = session.view.status
    assert "scale 0.5, rate 0.2 is the nearest recorded setting: of 5 runs 3 suffer" in said
    assert "At scale 0.3 all 5 runs live." in said
    session.set("scale", 1.05)  # nothing is recorded beyond
    assert "At scale" not in session.view.status
    session.set("scale", 0.5)
    assert "At scale" not in session.view.status and "How sure" in session.view.status


def test_the_readers_own_runs_are_dots_on_the_strip(two_runs):
    strip = two_runs.view.control("scale").strip
    assert strip.count("ied-own") == 2 and "your 1 run at scale 0.1: " in strip
    assert two_runs.view.control("rate").strip.count("ied-own") == 1, "the other has another scale"


def test_after_five_seeds_the_towers_show_the_readers_run():
    session = opened(dying_core())
    session.set("scale", 0.5)
    done = {**session.state.settings, "seed": 4}
    track = Track(5, done, session.state.config, "5", status="finished", group=1)
    state = replace(session.state, tracks=(track,))
    assert shown(state, LOOK)[0] is track
    assert shown(replace(state, settings={**state.settings, "scale": 0.3}), LOOK)[0].number == -1
    alone = replace(track, group=0)
    assert shown(replace(state, tracks=(alone,)), LOOK)[0].number == -1, "another seed is another"


def test_seeds_of_one_value_are_one_dot_by_the_rule_for_seeds():
    session = opened()
    fates = {
        "dies": Fate("dies", 0.9, "stem", 0.9, 0.9, "level", ""),
        "lives": Fate("lives", 0.0, "stem", 0.0, 0.0, "level", ""),
    }
    tracks = tuple(
        Track(n, {**session.state.settings, "seed": n}, None, status="finished", fate=fates[word])
        for n, word in enumerate(["lives"] * 4 + ["dies"])
    )
    strip = strip_html(
        "scale", replace(session.state, tracks=tracks), LOOK, session.view.control("scale")
    )[0]
    assert strip.count("ied-own") == 1
    expected = fate_of_cell([track.fate for track in tracks]).word
    assert f"your 5 runs at scale 1: {expected}" in strip and expected != "dies"


def test_only_what_differs_is_in_the_legend(two_runs):
    runs = two_runs.view.part("curves").value["runs"]
    own = [r for r in runs if not r["fixed"]]
    assert [r["words"].split(" · ")[-1] for r in own] == ["scale 1", "scale 0.1"]
    fates = [track.fate.word for track in two_runs.state.tracks]
    assert [r["words"].split(" · ")[0] for r in own] == fates, "the line may be cut at its end"
    assert [r["faded"] for r in own] == [True, False]
    assert "width" not in own[0]["words"]


def test_the_view_is_json(two_runs):
    for part in two_runs.view.parts:
        json.loads(json.dumps(part.value, allow_nan=False))


def test_hide_pin_rename_remove():
    session = opened()
    retrain(session)
    retrain(session, seed=1)

    def runs():
        found = session.view.part("curves").value["runs"]
        return {r["id"]: r for r in found if not r["fixed"]}

    session.send(Tell("curves", {"hide": 1, "hidden": True}))
    session.send(Tell("curves", {"pin": 1}))
    session.send(Tell("curves", {"rename": 1, "name": "mine"}))
    assert runs()[1]["hidden"] and runs()[1]["pinned"] and runs()[1]["name"] == "mine"
    assert not runs()[1]["faded"], "a pinned run is drawn in full"
    session.send(Tell("curves", {"remove": 1}))
    assert set(runs()) == {2}
    session.send(Tell("curves", {"remove": 7}))  # gone already
    assert set(runs()) == {2}


def test_every_run_stays_in_the_legend_and_the_oldest_step_back():
    session = opened(dying_core(), carry_out=lambda effect: None)
    for n in range(1, MOST + 4):
        session.send(Press("retrain"))
        record = Record(1, 0.1, 2.3, 0.1, 1.0, 0.1, {"stem": 0.5}, {"stem": 0.0}, {})
        session.send(Report("run", record))
        session.send(End("run", "stopped"))
        if n == 2:
            session.send(Tell("curves", {"pin": 2}))
    runs = {r["id"]: r for r in session.view.part("curves").value["runs"] if not r["fixed"]}
    assert list(runs) == list(range(1, MOST + 4)), "none is lost"
    drawn = [n for n, run in runs.items() if run["series"] and not run["hidden"]]
    assert drawn == [2, *range(4, MOST + 4)], "the last seven, and the pinned one"
    session.send(Tell("curves", {"hide": 1, "hidden": False}))
    runs = {r["id"]: r for r in session.view.part("curves").value["runs"]}
    assert runs[1]["series"]["loss"] == [[1], [2.3]] and not runs[1]["hidden"]


def test_five_seeds_give_a_band_and_an_interval():
    session = opened()
    session.send(Press("five"))
    assert [t.settings["seed"] for t in session.state.tracks] == [5, 6, 7, 8, 9]
    assert {t.status for t in session.state.tracks} == {"finished"}
    right = [t.accuracy for t in session.state.tracks]
    mean, half = interval(right)
    assert mean == pytest.approx(sum(right) / 5)
    words = session.view.status
    assert words.startswith("5 seeds: ") and "95 % interval" in words
    bands = session.view.part("curves").value["bands"]
    losses = [t.curves["loss"][-1] for t in session.state.tracks]
    band = next(b for b in bands if b["panel"] == "loss")
    assert (band["low"][-1], band["high"][-1]) == (min(losses), max(losses))


def test_how_sure_counts_the_recorded_seeds_too_but_no_seed_twice():
    session = opened(dying_core())
    done = {"status": "finished", "group": 1, "accuracy": 0.2}
    fates = Fate("dies", 0.9, "stem", 0.9, 0.9, "level", "")

    def told(seeds):
        tracks = [
            Track(
                n, {**session.state.settings, "seed": n}, session.state.config, fate=fates, **done
            )
            for n in seeds
        ]
        state = replace(session.state, tracks=tuple(tracks))
        return verdict(state, LOOK)[0]

    assert "With 5 recorded seeds: dies, 10 of 10 die" in told(range(5, 10))
    assert "69 to 100 % of all seeds do" in told(range(5, 10)), "Clopper and Pearson, 10 of 10"
    assert "How sure: 5 of 5 die" in told(range(5)), "the recorded seeds themselves"


@pytest.mark.parametrize("k, n", [(0, 5), (3, 5), (5, 5), (1, 10)])
def test_the_interval_of_a_count_is_that_of_the_statistics(k, n):
    assert share_interval(k, n) == pytest.approx(at_most_counts(k, n), abs=1e-6)


def test_a_bet_on_five_seeds_is_settled_when_all_are_over():
    session = opened()
    session.set("bet", "dies")
    session.send(Press("five"))
    word = fate_of_cell([t.fate for t in session.state.tracks]).word
    assert session.state.bet == "no bet" and len(session.state.tracks) == 5
    assert session.state.bets == ((word == "dies",) if word != "differs by seed" else ())


def test_the_interval_is_students():
    # Five numbers with mean 3 and standard deviation √2.5: half width 2.776 · √(2.5 / 5).
    assert interval([1, 2, 3, 4, 5]) == pytest.approx((3, 2.776 * math.sqrt(0.5)))


def test_a_bet_is_counted_once():
    session = opened()
    session.set("bet", "lives")
    track = retrain(session)
    won = track.fate.word == "lives"
    assert session.state.bets == (won,) and session.state.bet == "no bet"
    assert f"right so far: {int(won)} of 1" in session.view.control("bet").label
    retrain(session)
    assert len(session.state.bets) == 1


# --- Under way ------------------------------------------------------------------------------------


def started(**settings):
    """A session whose run is under way and goes nowhere, and what it was asked to do."""
    asked = []
    session = Session(dying_core(steps=8, **{**SMALL, **settings}), carry_out=asked.append)
    session.send(Press("retrain"))
    return session, asked


def enabled(session):
    keys = ("retrain", "stop", "reset", "five")
    return [key for key in keys if not session.view.control(key).disabled]


def test_buttons_are_there_when_they_do_something():
    fresh = Session(dying_core())
    assert enabled(fresh) == ["retrain", "five"]
    fresh.set("scale", 0.2)
    assert enabled(fresh) == ["retrain", "reset", "five"]
    session, asked = started()
    assert enabled(session) == ["stop", "reset"] and len(asked) == 1
    session.send(Press("retrain"))
    assert len(asked) == 1, "two quick clicks start one run"
    session.send(Press("stop"))
    assert enabled(session) == ["reset"] and "Stopping" in session.view.status


def test_a_setting_changed_in_mid_run_is_for_the_next_run():
    session, _ = started()
    session.set("scale", "0,3")
    assert session.view.control("scale").note == "for the next run; this one has 1"
    assert "for the next" not in session.view.control("width").note
    assert session.state.running.settings["scale"] == 1.0


def test_a_run_under_way_cannot_be_removed():
    session, _ = started()
    with pytest.raises(Refused, match="press Stop first"):
        session.send(Tell("curves", {"remove": 1}))


def test_reset_asks_before_it_forgets_more_than_one():
    session = opened()
    retrain(session)
    session.send(Press("reset"))
    assert session.state.tracks == ()
    retrain(session)
    retrain(session, scale=0.5)
    session.send(Press("reset"))
    assert len(session.state.tracks) == 2 and "forgets 2 runs" in session.view.status
    session.set("seed", 3)  # going on is an answer
    session.send(Press("reset"))
    assert len(session.state.tracks) == 2
    session.send(Press("reset"))
    assert session.state.tracks == () and session.state.settings == session.state.first


def test_after_a_reset_in_mid_run_the_next_run_waits_for_the_end_of_that_one():
    session, asked = started()
    session.send(Press("reset"))
    assert session.state.tracks == () and enabled(session) == [] and len(asked) == 2
    session.send(Press("five"))  # the host would refuse a second run
    assert len(asked) == 2
    session.send(End("run", "stopped", SimpleNamespace(curves={}), ""))
    assert enabled(session) == ["retrain", "five"] and session.state.tracks == ()


def test_bad_ends_are_sentences():
    session = opened()
    session.lab = session.lab.__class__(
        **{**session.lab.__dict__, "work": lambda job: lambda report, stop: 1 / 0}
    )
    track = retrain(session)
    assert track.status == "failed" and session.view.alert
    assert "ZeroDivisionError" in session.view.status

    def diverges(report, stop):
        return SimpleNamespace(status="diverged", sentence="", curves={})

    session.lab = session.lab.__class__(**{**session.lab.__dict__, "work": lambda job: diverges})
    retrain(session)
    assert "diverged" in session.view.status and session.view.alert
    assert not session.view.control("retrain").disabled


def test_an_unknown_setting_is_named():
    with pytest.raises(ValueError, match="no control 'lr'; it has scale, width, rate, depth"):
        scaling_core(lr=0.1)
    with pytest.raises(ValueError, match="width is one of|width, in channels is one of"):
        dying_core(width=100)


# --- Taken away -----------------------------------------------------------------------------------


def test_the_code_repeats_the_run(two_runs):
    two_runs.send(Tell("take", {"take": "code"}))
    code = two_runs.state.code
    assert code.startswith("# run 2: scale 0.1 · width 72")
    assert two_runs.view.part("take").value["of"] == "run 2"
    assert "result = run(config)" in code
    found: dict = {}
    exec(code.split("result = run")[0], found)
    assert isinstance(found["config"], Config)
    assert found["config"] == two_runs.state.last.config


def test_the_table_holds_every_record(two_runs):
    two_runs.send(Tell("take", {"take": "csv"}))
    number, name, mime, data = two_runs.state.taken
    rows = list(csv.DictReader(io.StringIO(base64.b64decode(data).decode())))
    assert name == "runs.csv" and mime == "text/csv"
    first = two_runs.state.tracks[0]
    mine = [row for row in rows if row["run"] == "1"]
    assert [int(row["step"]) for row in mine] == list(first.steps)
    assert [float(row["loss"]) for row in mine] == list(first.curves["loss"])
    assert float(mine[-1]["dead stem"]) == first.dead["stem"][-1]
    assert {row["fate"] for row in mine} == {first.fate.word}
    assert float(mine[0]["test accuracy"]) == first.accuracy


@pytest.mark.parametrize("kind, begins", [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_the_figure_is_a_file(two_runs, kind, begins):
    before = two_runs.state.taken[0]
    two_runs.send(Tell("take", {"take": kind}))
    number, name, _, data = two_runs.state.taken
    assert number == before + 1 and name == f"runs.{kind}"
    assert base64.b64decode(data).startswith(begins)


def test_a_saved_figure_says_what_all_its_runs_have_in_common(two_runs):
    chart = two_runs.view.part("curves").value
    made = figure(chart, chart["same"])
    assert made._suptitle.get_text().startswith("In all runs: width ")
    labels = [axes.get_xlabel() for axes in made.axes]
    assert "step" in labels and set(labels) <= {"", "step", "block"}


def test_the_stored_picture_says_the_verdict(two_runs):
    (picture,) = two_runs.lab.stored(two_runs.state)
    assert picture.startswith("<svg") and "only the scale differs" in picture.said
    assert 'alt="' in picture._repr_html_()
    (again,) = two_runs.lab.stored(two_runs.state)
    assert again == picture, "a chapter that is built anew has the same picture"
    assert "<metadata" not in picture and "\n " not in picture


def test_what_cannot_be_read_is_refused():
    session = opened()
    wrong = ("99", "1e9", "abc", "0.33")
    for key, typed in (*(("scale", text) for text in wrong), ("seed", "1.5")):
        before = session.state.settings
        session.send(Set(key, typed))
        assert session.state.settings == before and session.view.control(key).wrong


def test_nothing_is_trained_while_a_typed_value_is_refused():
    session = opened()
    session.send(Set("scale", "0.33"))
    for key in ("retrain", "five"):
        button = session.view.control(key)
        assert button.disabled and "scale" in button.tip
        session.send(Press(key))
    assert not session.state.tracks and session.view.control("scale").wrong
    session.send(Set("scale", "0.35"))
    assert not session.view.control("retrain").disabled
    session.send(Set("scale", "abc"))
    session.send(Press("reset"))
    assert not session.view.control("scale").wrong
    assert not session.view.control("retrain").disabled


def test_a_run_says_beforehand_how_long_it_takes():
    """The warm-up measures this machine; what is foretold follows the work."""
    from inception_edu.labs.pace import layers, pace
    from inception_edu.labs.training import WARM_UP

    session = opened(dying_core())
    assert session.view.control("retrain").label == "Retrain"
    session.do(next(effect for effect in session.lab.begin if effect.job == WARM_UP))
    assert session.view.control("retrain").label.startswith("Retrain · ")
    seconds = pace()
    small, large = config({**FIRST, "width": 72}), config({**FIRST, "width": 1152})
    assert 0 < seconds(small) and seconds(large) > 5 * seconds(small)
    # Three of the stem, ten blocks of 1 + 3 + 1 convolutions, the classifier.
    assert layers(small.description()) == 3 + 10 * 5 + 1
