"""The padding calculator against torch, and what it says."""

import pytest
import torch
import torch.nn.functional as F

from inception_edu.labs import WIDGET_VIEW, outputs
from inception_edu.labs.core import Press, Session, Set
from inception_edu.labs.padding import (
    PARTNERS,
    padding_calculator,
    padding_lab,
    unread,
    window_svg,
)
from inception_edu.labs.padding import outputs as count_outputs


def test_the_formula_is_torchs():
    for size in range(1, 36):
        for kernel in range(1, 8):
            for stride in range(1, 5):
                for padding in range(4):
                    count = count_outputs(size, kernel, stride, padding)
                    if size + 2 * padding < kernel:
                        assert count == 0
                        continue
                    row, window = torch.zeros(1, 1, size), torch.zeros(1, 1, kernel)
                    assert count == F.conv1d(row, window, stride=stride, padding=padding).shape[2]


@pytest.mark.parametrize(
    "size, kernel, stride, padding",
    [(15, 3, 2, 0), (16, 3, 2, 0), (8, 3, 3, 0), (7, 5, 4, 1), (3, 7, 1, 0)],
)
def test_pixels_without_influence_are_the_unread_ones(size, kernel, stride, padding):
    row = torch.zeros(1, 1, size, requires_grad=True)
    lost = size
    if size + 2 * padding >= kernel:
        F.conv1d(row, torch.ones(1, 1, kernel), stride=stride, padding=padding).sum().backward()
        touched = row.grad[0, 0].nonzero()
        lost = size - 1 - int(touched.max())
    assert unread(size, kernel, stride, padding) == lost


def test_a_wrong_padding_breaks_the_concatenation():
    session = Session(padding_lab(35, 3, 1, 1, beside="1×1, stride 1"))
    assert session.state.joins and session.state.output == 35
    assert "can be concatenated" in session.view.status and "same" in session.view.status
    assert not session.view.alert and session.view.control("reset").disabled
    session.send(Set("padding", "0"))
    assert session.state.joins is False
    for words in ("breaks", "33", "V:"):
        assert words in session.view.status
    assert session.view.alert
    session.send(Press("reset"))
    assert session.state.joins and session.state.window == (35, 3, 1, 1)
    assert not session.view.alert


def test_it_never_fails_and_always_has_words():
    session = Session(padding_lab())
    for beside in PARTNERS:
        session.set("beside", beside)
        for size in (1, 2, 14, 35):
            for kernel in (1, 2, 7):
                session.set("size", size)
                session.set("kernel", kernel)
                assert session.view.status and "<svg" in session.view.part("picture").value
    session.set("size", 1)
    session.set("kernel", 7)
    assert "does not fit" in session.view.status and session.view.alert
    picture = session.lab.stored(session.state)[0]
    assert 'alt="' in picture._repr_html_() and "pixels" in window_svg(15, 3, 2, 0).said


def test_a_setting_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="kernel goes from 1 to 7; 9 is outside"):
        padding_lab(kernel=9)
    with pytest.raises(ValueError, match="beside it is one of nothing"):
        padding_lab(beside="a wall")


def test_it_is_shown_as_one_bundle():
    lab = padding_calculator()
    bundle = lab.bundle()
    assert bundle[WIDGET_VIEW]["model_id"] == lab.widget.model_id and "alt=" in bundle["text/html"]
    assert "7" in bundle["text/plain"]
    kept, live = outputs(bundle, "id")
    assert WIDGET_VIEW not in kept and "alt=" in kept["text/html"]
    assert set(live) == {WIDGET_VIEW, "text/html"} and live["text/html"] == ""
    lab.stride = 3
    assert lab.state.output == 5 and "<svg" in lab.pieces["picture"].widget.value
