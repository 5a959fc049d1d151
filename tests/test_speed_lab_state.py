"""The speed lab without a browser."""

from dataclasses import replace

import pytest
import torch

from inception_edu.describe.spec import SpecError
from inception_edu.labs import host, link, speed
from inception_edu.labs.core import End, Press, Report, Session, Set, Start, Stop, run_now
from inception_edu.labs.speed import FEW, Found, Settings, State, lab_of, speed_lab
from inception_edu.labs.speed_clock import _model
from inception_edu.labs.speed_recorded import ALL, PLAIN, NotRecorded, measured, recorded

MINI = Settings("mini inception_v4", 32, 1)


@pytest.fixture
def lab():
    session = Session(lab_of(MINI))
    session.started = []
    session.carry_out = session.started.append
    return session


def test_a_trick_is_clocked_for_real():
    session = Session(lab_of(MINI))
    session.carry_out = run_now(session)
    session.send(Press("measure"))
    (found,) = session.state.found
    assert len(found.plain) == len(found.changed) >= FEW and 0 < found.error < 1e-3
    assert found.status == "finished" and not session.state.running
    for words in ("folded and merged", "times as fast", "ms an image in place of"):
        assert words in session.view.status
    assert any(v in session.view.status.lower() for v in ("faster", "slower", "no clear gain"))


def test_the_times_agree_with_the_ratio():
    """Other programs ran beside it: the medians of all rounds, 200 and 150 ms, would say the
    opposite of the ratio."""
    found = Found(MINI, (0.1, 0.5, 0.15) * 3, (0.2, 0.4, 0.07) * 3, 0.0)
    said = speed.words(State(MINI, (found,)))
    assert "1.25 times as fast" in said
    assert "400.0 ms an image in place of 500.0 in the middle round" in said


def test_it_foretells_and_says_when_it_is_long(lab, monkeypatch):
    monkeypatch.setattr(speed, "probe", lambda: 1e9)
    assert "it takes about 1 s" in lab.view.status
    lab.send(Set("network", "inception_v4"))
    assert lab.state.settings.image == 139
    lab.send(Set("image", 299))
    lab.send(Set("batch", 16))
    assert "long: Stop ends it" in lab.view.status
    shown = State(MINI, rate=1e12)
    assert speed.seconds_for(shown) < 0.2, "what the machine has shown counts more than the probe"


def test_a_side_that_the_network_cannot_take_is_moved_on_and_told(lab):
    lab.send(Set("network", "bn_inception"))
    assert lab.state.settings.image == 159 and "Set to 159×159" in lab.view.status
    lab.send(Set("image", 158))
    assert lab.state.settings.image == 134, "the next smaller one"
    lab.send(Set("image", 135))
    assert lab.state.settings.image == 159, "the next larger one"
    lab.send(Set("image", 299))
    assert lab.state.settings.image == 294, "none is larger"
    lab.send(Set("image", 224))
    assert lab.state.settings.image == 224 and "cannot" not in lab.view.status


def test_after_a_measurement_the_next_one_is_foretold_too(lab, monkeypatch):
    monkeypatch.setattr(speed, "probe", lambda: 1e9)
    lab.send(Press("measure"))
    lab.send(End("measure", "finished", Found(MINI, (0.2,) * 7, (0.1,) * 7, 0.0)))
    said = lab.view.status
    assert said.startswith("mini Inception-v4") and "Measuring this" not in said
    lab.send(Set("network", "inception_v4"))
    lab.send(Set("batch", 16))
    assert "minutes (long: Stop ends it" in lab.view.status
    assert lab.view.status.endswith("Measured last: " + said)
    lab.send(Press("measure"))
    assert "minutes (long" in lab.view.status and "Building Inception-v4" in lab.view.status


def test_rounds_show_as_they_come_and_stop_keeps_them(lab):
    lab.send(Press("measure"))
    assert lab.started == [Start("measure", MINI)] and lab.view.control("network").disabled
    lab.send(Press("measure"))
    assert len(lab.started) == 1, "one at a time"
    found = Found(MINI, (0.2,), (0.1,), 0.0, "running")
    lab.send(Report("measure", found))
    assert "round 1 of at most 15" in lab.view.status and "too few rounds" in lab.view.status
    assert "2.00×" in lab.view.part("result").value
    lab.send(Press("stop"))
    assert lab.started[-1] == Stop("measure")
    stopped = Found(MINI, (0.2, 0.2), (0.1, 0.1), 0.0, "stopped")
    lab.send(End("measure", "stopped", stopped))
    assert not lab.state.running and "Stopped before its time" in lab.view.status
    lab.send(Press("measure"))
    lab.send(End("measure", "failed", None, "RuntimeError: no memory"))
    assert lab.view.alert and "no memory" in lab.view.status
    lab.send(Press("reset"))
    assert lab.state.found == () and "press Measure" in lab.view.status


def test_the_height_stays_and_old_rows_go(lab):
    before = lab.view.part("result").value.split('viewBox="')[1].split('"')[0]
    for i in range(speed.MOST + 2):
        found = Found(MINI, (0.2,) * 7, (0.1 + i / 100,) * 7, 0.0)
        lab.send(Press("measure"))
        lab.send(End("measure", "finished", found))
    assert len(lab.state.found) == speed.MOST
    assert f'viewBox="{before}"' in lab.view.part("result").value


def test_a_network_it_does_not_have():
    with pytest.raises(SpecError, match="no network 'vgg'"):
        speed_lab("vgg")


def test_what_is_compared_depends_on_the_picture():
    """Or equal outputs would prove nothing."""
    plain = _model("inception_v4", "plain", "channels first")
    pictures = torch.randn(2, 3, 75, 75, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        first, second = plain(pictures)
    assert (first - second).abs().max() > 0.05 * first.std()


def test_the_plain_network_keeps_its_own_layout():
    """Or it would be clocked against itself."""
    _model("mini inception_v4", "plain", "channels last")
    plain = _model("mini inception_v4", "plain", "channels first")
    weights = next(p for p in plain.parameters() if p.ndim == 4 and p.shape[1] > 1)
    assert weights.is_contiguous() and not weights.is_contiguous(memory_format=torch.channels_last)


def test_before_anything_is_measured_the_stored_picture_shows_what_was_recorded(lab):
    (still,) = lab.lab.stored(lab.state)
    rows, where = recorded()
    assert len(rows) == 4 and still.count('class="ied-median"') == 4 and where in still.said
    for words, speedup in rows:
        assert f"{words}: {speedup}" in still.said and len(speedup.ratios) >= FEW
    found = Found(MINI, (0.2,) * 8, (0.1,) * 8, 0.0)
    (still,) = lab.lab.stored(State(MINI, found=(found,)))
    assert still.count('class="ied-median"') == 1 and "2.00 times" in still.said


def test_a_link_holds_every_choice(lab, monkeypatch):
    monkeypatch.setattr(host.NotebookLab, "show", lambda lab: None)
    for key, value in (("weights", "folded"), ("layout", "channels last"), ("batch", 4)):
        lab.send(Set(key, value))
    line = lab.lab.link(lab.state)
    opened = link.open_link(line, mode="foreground")
    assert opened.state.settings == lab.state.settings and opened.link == line
    with pytest.raises(SpecError, match="There is no layout 'sideways'; choose one of channels"):
        link.open_link("speed_lab?layout=sideways")


def test_there_is_a_measurement_of_every_choice():
    for settings in ALL:
        found, _ = measured(settings)
        assert len(found.speedup.ratios) >= FEW
        # The order of sums, or bfloat16, moves an output a little; the same network not at all.
        same = settings == PLAIN
        assert found.error == 0 if same else 0 <= found.error < 0.5, settings
    with pytest.raises(NotRecorded, match="no recorded measurement of Inception-ResNet-v2, 1 × 75"):
        measured(replace(PLAIN, image=75))
