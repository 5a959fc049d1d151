"""The race lab without a browser: each network trains as it would alone; Stop, Reset, a network
that drops out."""

import math
import threading

import pytest

from inception_edu.describe import measure
from inception_edu.labs.race import NAMES, TOWERS, RaceLab, recent_error
from inception_edu.learn import train


@pytest.fixture(scope="module")
def lab():
    return RaceLab(mode="foreground", steps=8, depth=2)


def race(lab, **settings):
    lab.reset()
    for name, value in settings.items():
        lab.controls[name].value = value
    assert lab.retrain()
    return lab.history


def curve(history):
    return [(r.step, r.loss, r.accuracy, r.grad_norm) for r in history.records]


@pytest.mark.parametrize("pair", NAMES)
def test_each_network_trains_as_it_would_alone(lab, pair):
    found = race(lab, pair=pair, seed=3)
    assert found.status == "finished" and all(name in found.sentence for name in NAMES[pair])
    for config, history in zip(lab.configs(lab.settings()), found.histories):
        alone = train(config.model(), lab.few, config.recipe)
        assert curve(history) == curve(alone) and history.test_accuracy == alone.test_accuracy
    plain, residual = (measure(config.description()) for config in lab.configs(lab.settings()))
    assert abs(plain.macs / residual.macs - 1) < 0.02


def test_each_network_has_a_clock_of_its_own(lab):
    plain, residual = race(lab).histories
    whole = lab.run.times["end"] - lab.run.times["start"]
    assert 0 < plain.seconds and 0 < residual.seconds and plain.seconds + residual.seconds < whole


def test_two_curves_a_run_in_every_panel_and_two_lines_in_the_legend(lab):
    race(lab)
    lab.controls["scale"].value = 1.0
    lab.retrain()
    drawn = lab.chart.widget.value
    assert drawn.count('class="ied-run"') == 4 and drawn.count("<polyline") == 8
    assert [c.number for c in lab.curves(lab.runs[1])[0]] == [3, 4]
    assert "with identity" in drawn and "scale 1 " in drawn
    lab.reset()
    assert lab.settings()["scale"] == 0.1 and not lab.runs


def test_stop_ends_both(lab):
    stop, laps = threading.Event(), []

    def report(lap):
        laps.append(lap)
        if lap.step >= 4:
            stop.set()

    found = lab.work(lab.first)(report, stop)
    assert found.status == "stopped" and found.sentence == "Stopped after 4 steps."
    assert [len(h.records) for h in found.histories] == [2, 2] and laps[-1].step == 4


def test_a_network_that_diverges_drops_out_and_the_other_goes_on(lab, monkeypatch):
    configs = type(lab).configs

    def one_sick(self, settings):
        from dataclasses import replace

        plain, residual = configs(self, settings)
        return plain, replace(residual, recipe=replace(residual.recipe, lr=1e30))

    monkeypatch.setattr(type(lab), "configs", one_sick)
    found = race(lab)
    assert [h.status for h in found.histories] == [
        "finished",
        "diverged",
    ] and found.status == "finished"
    assert "with identity diverged" in found.sentence and "without identity" in found.sentence
    assert lab.runs[-1].records[-1].sides[1] is None and "out of the race" in lab.side(
        lab.runs[-1], 1
    )


def test_where_both_diverge_a_sentence_says_so(lab, monkeypatch):
    monkeypatch.setattr("inception_edu.labs.race.RATES", (1e30,))
    sick = RaceLab(mode="foreground", steps=8, depth=2, rate=1e30)
    found = race(sick)
    assert found.status == "diverged" and "Try a lower learning rate" in found.sentence
    assert 'role="alert"' in sick.status.value


def test_only_towers_have_a_depth(lab):
    lab.reset()
    assert not lab.controls["depth"].disabled
    lab.controls["pair"].value = list(NAMES)[1]
    assert lab.controls["depth"].disabled and "depth" not in lab.words(lab.settings())
    lab.reset()
    assert not lab.controls["depth"].disabled and lab.settings()["pair"] == TOWERS


def test_the_recorded_race_is_the_first_settings_race():
    lab = RaceLab(mode="foreground")
    (run,) = lab.recorded()
    assert run.status == "finished" and run.settings == lab.first
    plain, residual = ([lap.sides[k] for lap in run.records] for k in (0, 1))
    assert all(math.isfinite(r.loss) for r in plain + residual)
    assert recent_error(residual) < recent_error(plain) - 0.2
    assert plain[-1].step == residual[-1].step == lab.steps
    assert (
        "Curve 1: without identity" in lab.picture() and "curve 2: with identity" in lab.picture()
    )
