"""A lab's settings as a line that opens it again."""

import json
from dataclasses import replace

import pytest

from inception_edu.describe import Chain, Concat, Conv, SpecError, inception_v4, mini, network
from inception_edu.labs import designer, diagram_view, family, field, film, host, in_page, link
from inception_edu.labs.core import Press, Refused, Session, Set, Tell
from inception_edu.labs.dying import dying_core
from inception_edu.labs.race import race_core
from inception_edu.labs.race_pairs import NAMES
from inception_edu.labs.scaling import scaling_core

CORES = {"scaling_lab": scaling_core, "dying_lab": dying_core, "race_lab": race_core}
CHANGES = {
    "scaling_lab": dict(scale=0.3, width=288, rate=0.01, depth=4, optimizer="sgd", seed=7),
    "dying_lab": dict(scale=0.0, width=576, remedy="linear warm-up", rate=0.001),
    "race_lab": dict(pair=list(NAMES)[2], rate=0.3, scale=0.15, seed=3),
}


def again(text: str):
    name, settings = link.read(text)
    return Session(CORES[name](**settings))


@pytest.mark.parametrize("name", CORES)
@pytest.mark.parametrize("steps", [60, 12])
def test_a_link_brings_every_setting_back(name, steps):
    session = Session(CORES[name](steps=steps), carry_out=lambda effect: None)
    assert again(session.lab.link(session.state)).state.settings == session.state.settings
    for key, value in CHANGES[name].items():
        session.set(key, value)
    found = again(session.lab.link(session.state)).state
    assert found.settings == session.state.settings
    if name == "race_lab":
        assert found.steps == steps
    else:
        assert found.config == session.state.config


def test_a_folder_of_pictures_is_in_the_link():
    session = Session(race_core("folder:/my pictures/& more"))
    found = again(session.lab.link(session.state)).state
    assert found.source == "folder:/my pictures/& more"


def test_open_link_shows_the_lab(monkeypatch):
    shown = []
    monkeypatch.setattr(host.NotebookLab, "show", lambda lab: shown.append(lab))
    lab = link.open_link("dying_lab?scale=0.3&width=72", mode="foreground")
    assert shown == [lab] and lab.scale == 0.3 and lab.width == 72
    assert link.open_link(lab.link, mode="foreground").state.settings == lab.state.settings


@pytest.mark.parametrize(
    "text, said",
    [
        ("dying?scale=0.3", "A link begins with one of scaling_lab, dying_lab"),
        ("dying_lab?scale=99", "scale goes from 0 to 1.5; 99 is outside"),
        ("dying_lab?speed=1", "no control 'speed'"),
        ("comparison_lab?speed=1", "cannot be opened with speed"),
    ],
)
def test_what_is_no_link_is_a_sentence(text, said):
    with pytest.raises(Refused, match=said):
        link.open_link(text)


def test_the_button_gives_code_that_opens_the_lab():
    session = Session(dying_core(), carry_out=lambda effect: None)
    session.set("scale", 0.3)
    session.send(Tell("take", {"take": "link"}))
    shown = session.view.part("take").value["code"]
    made: dict = {"open_link": again}
    exec(shown.split("\n\n")[1], made)
    assert made["lab"].state.settings == session.state.settings


@pytest.mark.parametrize(
    "name, events",
    [
        ("shape_explorer", [("set", "image", '"75"'), ("set", "padding", '"valid"')]),
        ("comparison_lab", [("press", "swap", "null")]),
        ("convolution_lab", []),
    ],
)
def test_on_a_page_the_address_opens_the_lab(name, events):
    lab = in_page.open_lab(name, '{"kernel": [1, 7]}' if name == "convolution_lab" else "{}")
    for event in events:
        lab.send(*event)
    there = in_page.open_lab(name, "{}", "[]", lab.link())
    assert json.loads(there.view()) == json.loads(lab.view()) or name == "shape_explorer"
    assert there.link() == lab.link() != in_page.open_lab(name).link()
    assert in_page.open_lab(name, "{}", "[]", "another?x=1").link() == in_page.open_lab(name).link()


OWN = Concat(Conv(8, 1), Chain(Conv(4, 3), Conv(8, (1, 7), 1)))
BUILT = {
    "family_lab": (family.make(), [Set("x", "year"), Tell("plot", {"choose": "googlenet"})]),
    "field_lab": (field.make("Fig. 4, branch 4"), [Tell("field", {"place": [0, 34]})]),
    "field_lab, own": (field.make(OWN, (3, 9, 9)), [Tell("field", {"place": [2, 0]})]),
    "block_designer": (
        designer.make("InceptionB", goal="branch 3 sees 7×7"),
        [Press("add_step"), Set("filters", "48"), Press("add_branch")],
    ),
    "block_designer, own": (designer.make(OWN, (3, 9, 9)), [Press("widen")]),
    "network_diagram": (diagram_view.make(), [Set("block", "inception_a"), Set("copy", "2")]),
    "death": (film.death_core(), [Set("film", film.committed()[2].title)]),
}


@pytest.mark.parametrize("name", BUILT)
def test_a_link_holds_what_was_built_and_opens_it_in_a_notebook(name, monkeypatch):
    monkeypatch.setattr(host.NotebookLab, "show", lambda lab: None)
    core, events = BUILT[name]
    session, before = Session(core), core.link(core.start)
    for event in events:
        session.send(event)
    line = core.link(session.state)
    assert line.partition("?")[0] == name.partition(",")[0] and line != before
    lab = link.open_link(line)
    assert lab.link == line
    if "block_designer" in name:
        assert lab.state.node == session.state.node and lab.state.goal == session.state.goal
        assert lab.state.original == session.state.original
        lab.press("undo")
        assert lab.link == before
    else:
        assert [p.value for p in lab.view.parts] == [p.value for p in session.view.parts]


@pytest.mark.parametrize("key", ["inception_resnet_v2", "googlenet", "inception_v3_aux"])
def test_a_network_of_ones_own_is_in_the_link(key, monkeypatch):
    """Deflated: short enough for any address, and the same in a notebook and on a page."""
    monkeypatch.setattr(host.NotebookLab, "show", lambda lab: None)
    net = replace(network(key), name="my own", classes=7, image=139)
    session = Session(diagram_view.make(net, block=net.blocks[2].name))
    line = session.lab.link(session.state)
    assert len(line) < 1500 and "deflated" in line
    lab = link.open_link(line)
    assert lab.state.network == net and lab.view.status == session.view.status
    assert lab.link == line
    on_page = in_page.open_lab("network_diagram", "{}", "[]", line)
    assert on_page.session.state.network == net and on_page.link() == line


def test_the_field_of_a_network_of_ones_own_is_in_the_link():
    lab = field.make(mini(inception_v4()), place=(0, 1))
    line = lab.link(lab.start)
    name, settings = link.read(line)
    assert field.make(**settings).start == lab.start and name == "field_lab"


def test_half_a_link_is_a_sentence():
    line = diagram_view.make(inception_v4()).link(diagram_view.make(inception_v4()).start)
    for cut in (line[:400], line[: line.index("deflated") + 20]):
        with pytest.raises(Refused, match="This link is not whole"):
            link.read(cut)
    for blocks, said in (
        ("(1,)", "The blocks of a are a tuple of Block"),
        ("(Block('x', 5),)", "A description is made of Conv, Pool"),
    ):
        short = link.write("network_diagram", {"what": f"Network('a', blocks={blocks})"})
        with pytest.raises(SpecError, match=said):
            link.open_link(short)


def test_a_few_bytes_do_not_become_many():
    bomb = link.write("network_diagram", {"what": "(" + " " * 50_000_000})
    assert len(bomb) < 100_000
    with pytest.raises(Refused, match="not whole"):
        link.read(bomb)


@pytest.mark.parametrize(
    "text, said",
    [
        ("death?film=a comedy", "a comedy"),
        ("network_diagram?block=stern", "has no block 'stern'"),
        ("network_diagram?block=inception_a&copy=9", "there is no copy 9"),
        ("block_designer?block=Conv(8, 3)", "needs the shape"),
        ("block_designer?text=eval(1)", "There is no 'eval'"),
        ("field_lab?what=5×5&place=[20, 0]", "there is no row 20"),
        ("family_lab?x=weight", "There is no axis 'weight'"),
    ],
)
def test_a_link_to_what_there_is_not_is_a_sentence(text, said):
    with pytest.raises(ValueError, match=said):
        link.open_link(text)
