"""The convolution that moves: its page against torch (in node, where there is one), its words
against Python's."""

import json
import shutil
import subprocess
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from inception_edu.labs import convolution as lab
from inception_edu.labs import convolution_picture as still
from inception_edu.labs import convolution_state as chosen
from inception_edu.labs.core import Refused, Session, Tell
from inception_edu.labs.page import WEB, script

node = pytest.mark.skipif(not shutil.which("node"), reason="node is not here")


def run(expression: str, tmp_path: Path):
    """What a JavaScript expression over the page's functions gives."""
    module = tmp_path / "page.mjs"
    module.write_text((WEB / "convolution.js").read_text(encoding="utf-8"), encoding="utf-8")
    program = (
        f"const m = await import({json.dumps(module.as_uri())});"
        f"console.log(JSON.stringify({expression}))"
    )
    done = subprocess.run(
        ["node", "--input-type=module", "-"],
        input=program,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def settings(**given) -> dict:
    return asdict(chosen.State(**given))


CASES = [
    settings(kernel=(3, 3), padding="same", stride=2),
    settings(kernel=(1, 7), padding="same", weights="down"),
    settings(kernel=(7, 1), padding="valid", size=9),
    settings(kernel=(1, 1), channels=3, mix="opposed"),
    settings(kernel=(5, 5), channels=3, padding=3, stride=3, picture="stripes", size=17),
    settings(kernel=(2, 2), picture="point", weights="ones", stride=4),
    settings(kernel=(5, 5), weights="centre", size=9),
]


@node
def test_the_page_computes_what_torch_does(tmp_path):
    found = run(
        f"{json.dumps(CASES)}.map(s => {{ const t = {{ ...m.FIRST, ...s }}; return {{"
        "image: m.picture(t.picture, t.size, t.channels), weights: m.kernelWeights(t),"
        "output: m.convolve(t) }; })",
        tmp_path,
    )
    for case, page in zip(CASES, found):
        image, weights = (torch.tensor([page[key]]).double() for key in ("image", "weights"))
        state = chosen.State(**case)
        wanted = F.conv2d(image, weights, stride=state.stride, padding=state.zeros)
        assert torch.equal(torch.tensor(page["output"]).double(), wanted[0, 0]), case
        assert still.pixels(state).tolist() == page["image"]  # the stored picture's are the same
        assert still.weights(state).tolist() == page["weights"]
        assert still.convolved(state).tolist() == page["output"]
        assert wanted.abs().max() > 0


@node
def test_page_and_python_say_the_same(tmp_path):
    states = [
        chosen.State(size=size, kernel=kernel, stride=stride, padding=padding, beside=beside)
        for size, kernel, stride, padding, beside in product(
            (1, 7, 12, 35), chosen.KERNELS, (1, 2, 4), ("valid", "same", 2), chosen.PARTNERS
        )
    ]
    texts = run(
        f"{json.dumps([asdict(s) for s in states])}.map(s => m.verdict({{ ...m.FIRST, ...s }}))",
        tmp_path,
    )
    for state, page in zip(states, texts):
        assert page["text"] == lab.verdict(state)
        broken = state.joins is False or 0 in state.output or "odd kernel:" in page["text"]
        assert page["alert"] == broken


@node
def test_the_page_offers_what_python_knows(tmp_path):
    page = run(
        "({ kernels: m.KERNELS, padding: Object.keys(m.PADDINGS), first: m.FIRST,"
        " partners: m.PARTNERS, pictures: Object.keys(m.PICTURES), longest: m.LONGEST,"
        " weights: Object.keys(m.WEIGHTS), mixes: Object.keys(m.MIXES) })",
        tmp_path,
    )
    assert [tuple(k) for k in page["kernels"]] == list(chosen.KERNELS)
    assert set(page["padding"]) == {str(p) for p in chosen.CHOICES["padding"]}
    assert page["pictures"] == list(chosen.CHOICES["picture"])
    assert page["weights"] == list(chosen.CHOICES["weights"])
    assert page["mixes"] == list(chosen.CHOICES["mix"]) and page["longest"] == chosen.LONGEST
    partners = {key: p and tuple(p) for key, p in page["partners"].items()}
    assert partners == chosen.PARTNERS
    first = {key: page["first"][key] for key in asdict(chosen.State())}
    assert first == json.loads(json.dumps(settings()))


@node
def test_events_move_the_window_and_stay_inside(tmp_path):
    found = run(
        "(() => { const say = s => [s.place, s.cursor, m.placeOf(s)];"
        "let s = m.update(m.FIRST, { place: [99, -4] }); const corner = say(s);"
        "s = m.update(s, { step: 1 }); const next = say(s);"
        "s = m.update(s, { set: { size: 4 } }); const small = say(s);"
        "s = m.update(s, { step: -99 }); s = m.update(s, { pixel: [9, 9] }); const off = say(s);"
        "const w = m.update(m.FIRST, { weight: [0, 1, 1], by: 1 });"
        "return { corner, next, small, off, own: w.own, old: m.FIRST.own,"
        " reset: m.update(w, { set: { kernel: [1, 1] } }).own,"
        " readers: m.readersOf({ ...m.FIRST, stride: 2 }, [2, 3]),"
        " wide: m.readersOf({ ...m.FIRST, kernel: [1, 7], padding: 'same' }, [2, 0]) }; })()",
        tmp_path,
    )
    assert found["corner"] == [90, None, [9, 0]] and found["next"] == [91, None, [9, 1]]
    assert found["small"][2] == [1, 1] and found["off"][1] is None
    assert found["own"][0][1][1] == 1 and found["old"] is None and found["reset"] is None
    assert found["readers"] == [[0, 1], [1, 1]]
    assert found["wide"] == [[2, 0], [2, 1], [2, 2], [2, 3]]


def test_python_hears_what_the_page_chose():
    session = Session(lab.make(size=15))
    told = settings(size=9, kernel=(1, 7), padding="same")
    told["kernel"] = [1, 7]
    told["own"] = [[[0, 1, 2, 3, 2, 1, 0]]]
    session.send(Tell("convolution", {"settings": told}))
    assert session.state.kernel == (1, 7) and session.state.output == (9, 9)
    assert session.state.own == (((0, 1, 2, 3, 2, 1, 0),),)
    hash(session.state)
    with pytest.raises(Refused, match="stride is one of 1, 2, 3, 4; got 9"):
        session.send(Tell("convolution", {"settings": {**told, "stride": 9}}))
    assert session.state.size == 9


def test_a_setting_that_there_is_not_is_refused():
    with pytest.raises(Refused, match="kernel is one of"):
        lab.make(kernel=(2, 9))
    with pytest.raises(Refused, match="There is no setting 'pad'"):
        lab.make(pad=1)


def test_pixels_that_nobody_reads():
    assert chosen.State(size=12, kernel=(1, 1), stride=2).nobody == 144 - 36
    assert chosen.State(size=15, kernel=(3, 3), stride=2).nobody == 0
    assert chosen.State(size=16, kernel=(3, 3), stride=2).nobody == 256 - 225
    words = lab.verdict(chosen.State(size=16, stride=2, beside="3×3 pool, stride 2, V"))
    assert "31 of 256 pixels are read by nobody" in words and "gives 7 too" in words


@pytest.mark.parametrize("case", range(len(CASES)))
def test_the_stored_picture_computes_what_torch_does(case):
    state = chosen.State(**CASES[case])
    image, weights = (
        torch.from_numpy(a.astype(float))[None] for a in (still.pixels(state), still.weights(state))
    )
    wanted = F.conv2d(image, weights, stride=state.stride, padding=state.zeros)[0, 0]
    assert still.convolved(state).tolist() == wanted.tolist()


def test_the_stored_picture_shows_zeros_and_lost_pixels():
    drawn = lab.picture(chosen.State(size=6, stride=2, padding=1))
    assert drawn.count("stroke-dasharray") == 8 * 8 - 36
    assert drawn.count('stroke-width="2"') == chosen.State(size=6, stride=2, padding=1).nobody
    assert drawn.count("<rect") == 8 * 8 + 9 + 2
    assert "breaks" not in drawn.said and "3×3" in drawn.said
    none = lab.picture(replace(chosen.State(size=2), kernel=(7, 7)))
    assert "no output" in none.said


def test_the_page_asks_for_nothing_from_the_network():
    text = script("convolution")
    for word in ("http:", "https:", "import(", "fetch("):
        assert word not in text
