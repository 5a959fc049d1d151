"""The rule of docs/verdicts.md: what became of a run, of a setting, of a claim."""

import json
from types import SimpleNamespace

import pytest

from inception_edu.study import Cell, difference, fate, fate_of_cell
from inception_edu.study.verdicts import Evidence, fates, gain, no_harm, thin, verdict


@pytest.mark.parametrize(
    "dead, word",
    [(0.0, "lives"), (0.099, "lives"), (0.1, "suffers"), (0.499, "suffers"), (0.5, "dies")],
)
def test_the_worst_block_has_the_word(dead, word):
    found = fate({"stem": 0.0, "block 1": dead, "block 2": 0.0})
    assert (found.word, found.last) == (word, 0.0)
    assert found.dead == dead and (dead == 0 or found.block == "block 1")
    assert json.loads(json.dumps(found.to_dict()))["word"] == word


def test_a_course_has_a_peak_and_a_trend():
    back = fate({"b": [0.0, 0.9, 0.9, 0.8, 0.7, 0.5, 0.3, 0.2]})
    assert (back.word, back.peak, back.trend, back.settled) == ("suffers", 0.9, "falling", False)
    assert fate({"b": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]}).trend == "rising"
    assert fate({"b": [0.0, 0.9, 0.8, 0.8, 0.8, 0.81, 0.8, 0.8]}).settled


def test_the_end_of_a_result_counts_not_its_last_record():
    result = SimpleNamespace(dead={"b": 0.05}, maps={"dead": {"b": [0.0, 0.6]}}, status="finished")
    assert (fate(result).word, fate(result).peak) == ("lives", 0.6)


def test_what_did_not_finish_is_counted_as_what_it_is():
    assert fate({"b": [0.0, 0.2]}, "diverged").word == "diverges"
    assert fate({"b": [0.0, 0.2]}, "stopped").dead is None
    assert fate({}, "stopped").word == "stopped"
    with pytest.raises(ValueError, match="at least one block"):
        fate({})


def test_a_setting_has_the_word_of_four_in_five():
    def cell(*dead):
        return fate_of_cell([{"b": share} for share in dead])

    assert cell(0, 0, 0, 0, 0.11).word == "lives", "a few points of one seed change nothing"
    assert cell(0, 0, 0, 0.2, 0.11).word == "differs by seed"
    assert cell(0.9, 0.9, 0.9, 0.9, 0.2).word == "dies"
    stopped = fate({}, "stopped")
    mixed = fate_of_cell([stopped, {"b": 0.9}, {"b": 0.8}])
    assert mixed.word == "dies" and mixed.counts == {"stopped": 1, "dies": 2}
    assert fate_of_cell([stopped]).word == "no run"
    assert fate_of_cell([fate({}, "diverged")] * 5).word == "diverges"


def test_the_sentence_of_a_setting_counts_in_good_english():
    def said(*dead):
        return fate_of_cell([{"b": share} for share in dead]).sentence

    assert said(0.6, 0.7, 0.9) == "dies (3 of 3 runs; worst block 60 % to 90 % dead)"
    assert said(0, 0) == "lives (2 of 2 runs; worst block 0 % dead)"
    mixed = "suffers (1 lives, 4 suffer; worst block 0 % to 20 % dead)"
    assert said(0, 0.1, 0.2, 0.2, 0.2) == mixed


def pairs(*gaps):
    """A difference of two cells whose seeds differ by these gaps."""
    base = (0.3, 0.5, 0.4, 0.35, 0.45)[: len(gaps)]
    return difference(Cell("a", tuple(b + g for b, g in zip(base, gaps))), Cell("b", base))


def test_a_gain_has_to_matter():
    assert gain("x", pairs(0.03, 0.04, 0.03, 0.05, 0.04), 0.02).shows == "for"
    small = pairs(0.003, 0.004, 0.003, 0.005, 0.004)
    assert small.seen == "more" and gain("x", small, 0.02).shows == "", "a small gain is a gain"
    none = pairs(0.003, -0.004, 0.003, -0.005, 0.002)
    assert not none.seen and gain("x", none, 0.02).shows == "against"
    # The interval excludes a gain of 2 points, but such runs would often have missed one.
    weak = pairs(-0.01, 0.01, -0.02, 0.008, -0.015)
    assert weak.high < 0.02 < weak.could_have_seen and gain("x", weak, 0.02).shows == ""
    assert gain("x", pairs(-0.03, -0.04, -0.03, -0.05, -0.04), 0.02).shows == "against"
    wide = gain("x", pairs(-0.05, 0.09, -0.02, 0.1, 0.04), 0.02)
    assert wide.shows == "" and "these runs can show" in wide.sentence
    assert gain("x", pairs(0.03, 0.031), 0.02).shows == "", "two seeds are too few"


def test_a_thin_margin_has_an_upper_limit():
    assert thin("x", pairs(0.001, -0.001, 0.002, 0.0, -0.002), 0.01).shows == "for"
    assert thin("x", pairs(-0.03, -0.04, -0.03, -0.05, -0.04), 0.01).shows == "for", "worse"
    assert thin("x", pairs(0.03, 0.04, 0.03, 0.05, 0.04), 0.01).shows == "against"
    assert thin("x", pairs(0.05, -0.05, 0.04, -0.03, 0.0), 0.01).shows == ""


def test_no_harm_needs_a_limit_above_the_margin():
    assert no_harm("x", pairs(0.001, -0.001, 0.002, 0.0, -0.002), 0.01).shows == "for"
    assert no_harm("x", pairs(-0.03, -0.04, -0.03, -0.05, -0.04), 0.01).shows == "against"
    assert no_harm("x", pairs(-0.05, 0.05, -0.04, 0.03, 0.0), 0.01).shows == ""


def test_the_four_words():
    yes, no, neither = (Evidence(s, "x") for s in ("for", "against", ""))
    assert verdict([yes, yes], "full").word == "supported"
    assert verdict([yes], "reduced").word == "seen at reduced scale only"
    assert verdict([yes, no], "reduced").word == "contradicted"
    assert verdict([yes, neither], "full").word == "undecided"
    assert verdict([], "full").word == "undecided"
    told = yes.told("4 blocks"), no.told("4 blocks")
    assert [t.shows for t in told] == ["told"] * 2 and told[0].why == ("4 blocks",)
    assert verdict([yes, *told], "full").word == "supported", "what is told decides nothing"
    assert verdict(told, "full").word == "undecided"
    assert verdict([neither, *told], "full").why == "the runs leave it open"
    assert verdict([neither, yes, *told], "full").why == "1 of 2 findings is open"
    missing = verdict([yes], "full", missing="the rate was tuned on the test images")
    assert missing.word == "undecided" and "tuned" in missing.why
    with pytest.raises(ValueError, match="full, reduced"):
        verdict([yes], "small")


def test_fates_against_what_a_claim_says():
    dead, alive = (fate_of_cell([{"b": share}] * 5) for share in (0.9, 0.0))
    mixed = fate_of_cell([{"b": share} for share in (0.9, 0.0, 0.9, 0.0, 0.9)])
    assert fates({"x": (dead, "dies"), "y": (alive, "lives")}).shows == "for"
    assert fates({"x": (dead, "dies"), "y": (dead, "lives")}).shows == "against"
    assert fates({"x": (dead, "dies"), "y": (mixed, "lives")}).shows == ""
    assert fates({"x": (fate_of_cell([{"b": 0.9}] * 3), "dies")}).shows == "", "three seeds"
