"""The lab on growing fields: events, and what it hands to the page."""

import base64

import numpy as np
import pytest

from inception_edu.describe import Conv, SpecError, figures, networks
from inception_edu.labs import field as lab
from inception_edu.labs.core import Refused, Session, Set, Tell


def frames(session):
    return session.view.part("field").value["frames"]


@pytest.mark.parametrize("what", lab.EXAMPLES)
def test_every_example_goes_back_to_its_input(what):
    session = Session(lab.make(what))
    shown = frames(session)
    whole, shape = lab.EXAMPLES[what]
    side = shape[1] if shape else whole.image
    assert shown[-1]["size"] == [side, side] and shown[0]["seen"] == "1×1"
    for frame, packed in zip(session.state.frames, shown):
        top, left, bottom, right = packed["box"]
        shares = np.frombuffer(base64.b64decode(packed["cells"]), np.uint8)
        assert len(shares) == (bottom - top) * (right - left) and shares.max() == 255
        there = frame.counts[top:bottom, left:right].ravel() > 0
        assert np.array_equal(shares > 0, there)  # what is seen is never drawn as unseen
        if packed["numbers"]:
            assert sum(packed["numbers"]) == frame.paths
        assert packed["said"].endswith((".", "!"))
    assert len(lab.picture(session.state)) < 250_000


def test_two_small_kernels_and_a_large_one():
    session = Session(lab.make())
    two = frames(session)[-1]
    assert two["seen"] == "5×5" and two["numbers"][12] == 9 and "81 paths" in two["said"]
    session.set("what", "5×5")
    assert set(frames(session)[-1]["numbers"]) == {1}
    assert "no middle" in frames(session)[-1]["said"]
    session.set("what", "1×7 ∘ 1×7")
    assert "sees 1×13" in session.view.status


def test_another_output_is_chosen_in_the_page():
    session = Session(lab.make("Fig. 4, branch 4"))
    session.send(Tell("field", {"place": [0, 34]}))
    assert frames(session)[-1]["box"] == [0, 32, 3, 35]
    assert "5×5 if the map had no border" in frames(session)[-1]["said"]
    with pytest.raises(Refused, match="35×35"):
        session.send(Tell("field", {"place": [35, 0]}))
    session.send(Set("what", "5×5"))
    assert session.state.place is None


def test_a_block_or_network_of_ones_own():
    session = Session(lab.make(figures.InceptionA(), (384, 35, 35)))
    assert session.state.what == lab.OWN and "5×5 of the 35×35" in session.view.status
    assert lab.OWN in session.view.control("what").options
    small = networks.mini(networks.inception_v4())
    assert "of the 32×32" in Session(lab.make(small)).view.status
    with pytest.raises(SpecError, match="shape"):
        lab.make(Conv(8, 3))
    with pytest.raises(Refused, match="5×5"):
        lab.make("a cloud")
