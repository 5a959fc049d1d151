"""The lab of a network's inside without a browser: events in, views out."""

import base64
import io
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from inception_edu.describe import mini, network, tower
from inception_edu.labs import core, link
from inception_edu.labs.core import End, Set, Tell
from inception_edu.labs.inside import Inside, feature_maps
from inception_edu.labs.inside_address import opened
from inception_edu.labs.inside_desk import BARE, BEFORE, DEAD, Desk
from inception_edu.labs.inside_reasons import _decides
from inception_edu.labs.subjects import (
    CLOTHES,
    Picture,
    Subject,
    cat,
    checkpoint,
    clothes,
    default_subjects,
    given_pictures,
    known_pictures,
)
from inception_edu.nets import look as see
from inception_edu.nets.build import build, named_blocks


def prepare(picture, side=32):
    pixels = np.asarray(picture.convert("RGB").resize((side, side)), dtype=np.float32) / 127.5 - 1
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]


def subject(what, seed=0, **more):
    names = tuple(f"thing {i}" for i in range(10))
    return Subject(build(what, seed=seed).eval(), prepare, names, (32, 64), **more)


def picture(name, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (3, 40, 50), dtype=np.uint8)
    return Picture(name, pixels)


class Mine(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(3, 5, 3, stride=2), nn.ReLU())
        self.top = nn.Conv2d(5, 7, 3)
        self.head = nn.Linear(7, 4)

    def forward(self, x):
        return self.head(self.top(self.trunk(x)).relu().mean((2, 3)))


def session(subjects, pictures=None):
    if pictures is None:
        pictures = (picture("first", 0), picture("second", 1))
    inside = Inside(Desk(subjects, list(pictures)))
    lab = inside.lab(inside.begin(inside.desk.names[0]))
    started = []
    made = core.Session(lab, started.append)
    made.started, made.desk = started, inside.desk
    return made


@pytest.fixture(scope="module")
def residual():
    return subject(mini(network("inception_resnet_v2"), width=1 / 16, repeats=(1, 2, 1)))


@pytest.fixture
def lab(residual):
    plain = subject(mini(network("inception_v4"), width=1 / 16, repeats=(1, 1, 1)))
    return session({"residual": residual, "plain": plain})


def tell(lab, **said):
    lab.send(Tell("page", said))
    return lab.view


def rows(lab):
    return {row["part"]: row for row in lab.view.part("inside_tiles").value["rows"]}


def values(tile, row):
    steps = np.frombuffer(base64.b64decode(tile["q"]), np.int8).reshape(row["h"], row["w"])
    return steps * tile["top"] / 127


def test_the_tiles_are_the_networks_own_maps(lab, residual):
    tell(lab, block="inception_resnet_b.2")
    expected = see.look(residual.model, prepare(picture("first", 0).image)).outputs[
        "inception_resnet_b.2"
    ]
    row = rows(lab)[see.OUTPUT]
    assert row["count"] == len(expected) and len(row["tiles"]) == 8
    order = [t["c"] for t in row["tiles"]]
    assert order == np.argsort(-np.abs(expected).mean((1, 2)), kind="stable")[:8].tolist()
    for tile in row["tiles"]:
        shown = np.clip(expected[tile["c"]], None, tile["top"])
        np.testing.assert_allclose(values(tile, row), shown, atol=tile["top"] / 200)
    assert list(rows(lab)) == [
        "branch 1 · 1×1",
        "branch 2 · 1×1 → 1×7 → 7×1",
        see.CHANGE,
        see.INPUT,
        see.OUTPUT,
    ]
    assert rows(lab)["branch 2 · 1×1 → 1×7 → 7×1"]["note"].startswith("7×7 cells, ")


def test_every_choice_shows_something_else(lab):
    seen = []

    def now():
        seen.append(str(lab.view.part("inside_tiles").value["rows"][-1]["tiles"]))

    now()
    lab.send(Set("picture", "second"))
    now()
    lab.send(Set("size", 64))
    now()
    tell(lab, block="reduction_a")
    now()
    lab.send(Set("network", "plain"))
    now()
    assert len(set(seen)) == 5
    names = [name for name, _ in named_blocks(lab.desk.subject("plain").model)]
    assert [b["name"] for b in lab.view.part("inside_tiles").value["blocks"]] == names


def test_a_branch_switched_off_and_on(lab):
    before = lab.view.part("inside_picture").value["answers"]
    tell(lab, branch=2)
    value = lab.view.part("inside_picture").value
    assert value["answers"] != before and "branch 2 off: " in value["off"]
    row = rows(lab)["branch 2 · 1×1 → 3×3"]
    assert row["off"] and all(tile["silent"] for tile in row["tiles"])
    tell(lab, branch=2)
    assert lab.view.part("inside_picture").value["answers"] == before
    assert lab.state.off == ()


def test_a_point_shows_its_field(lab):
    tell(lab, point=["branch 2 · 1×1 → 3×3", 1, 8, 8])
    value = lab.view.part("inside_picture").value
    windows = rows(lab)["branch 2 · 1×1 → 3×3"]["windows"]
    (top, step, size), _ = windows
    assert value["frame"][0] == top + 8 * step and value["frame"][2] == value["frame"][0] + size
    assert f"{size}×{size} pixels" in value["words"] and value["shade"]["h"] == 32
    tell(lab, point=None)
    assert lab.view.part("inside_picture").value["frame"] is None
    tell(lab, point=[see.OUTPUT, 0, 999, -5])
    assert lab.state.point == (see.OUTPUT, 0, 15, 0), "a place beyond the edge is the edge's"


def test_a_tile_is_chosen_and_stays_in_view(lab):
    tell(lab, open=see.OUTPUT)
    tiles, count = rows(lab)[see.OUTPUT]["tiles"], rows(lab)[see.OUTPUT]["count"]
    assert len(tiles) == count > 8
    last = tiles[-1]["c"]  # the weakest
    tell(lab, choose=[see.OUTPUT, last])
    tell(lab, open="")
    assert last in [t["c"] for t in rows(lab)[see.OUTPUT]["tiles"]]
    value = lab.view.part("inside_reasons").value
    assert value["channel"] == last and value["title"].startswith(f"Output, channel {last} of")
    with pytest.raises(core.Refused, match="no channel"):
        tell(lab, choose=[see.OUTPUT, 10_000])


def test_reasons_and_their_kinds(lab):
    value = lab.view.part("inside_reasons").value["why"]
    best = lab.view.part("inside_picture").value["answers"]
    assert [m["name"] for m in value["maps"]] == [best[0]["name"], best[1]["name"]]
    other = value["classes"][-1][0]
    tell(lab, against=other)
    assert lab.view.part("inside_reasons").value["why"]["maps"][1]["k"] == other
    tell(lab, why="occlusion")
    covered = lab.view.part("inside_reasons").value["why"]
    assert covered["kind"] == "occlusion" and covered["maps"][0]["h"] == 32
    assert "probability falls" in covered["words"]
    decides = lab.view.part("inside_reasons").value["branches"]["rows"]
    assert sum(row["weights"] for row in decides) == pytest.approx(1)
    assert all(row["channel"] is None for row in decides), "no 1×1 makes a branch's channel"
    before = lab.desk.look("residual", None, lab.state.shown(lab.desk), 32)
    best = int(before.shares.argmax())
    tell(lab, branch=2)
    after = lab.desk.look("residual", None, lab.state.shown(lab.desk), 32, lab.state.off)
    assert decides[1]["share"] == pytest.approx(after.shares[best])
    change = after.logits[best] - before.logits[best]
    assert decides[1]["change"] == pytest.approx(change, abs=1e-5)
    assert decides[1]["change"] != 0
    words = _decides(
        [{"name": "branch 1", "share": 0.5}, {"name": "branch 2", "share": 0.2}], "bag", 0.6
    )
    assert words.endswith("Most depends on branch 2: without it 20.0 %.")
    said = _decides([{"name": "branch 1", "share": 0.599}], "bag", 0.6)
    assert said.endswith("moves that by a point; most does branch 1: without it 59.9 %.")
    assert "holds it up" in _decides([{"name": "branch 1", "share": 0.7}], "bag", 0.6)
    tell(lab, branch=2)


def test_a_second_network_stands_beside_it(lab):
    lab.send(Set("compare", "plain"))
    assert lab.view.part("inside_tiles").value["compared"] == "plain"
    assert rows(lab)[see.OUTPUT]["other"] and lab.view.part("inside_picture").value["other"]
    lab.send(Set("compare", BARE))
    beside = rows(lab)[see.CHANGE]["other"]
    assert all(tile["silent"] for tile in beside), "at scale 0 no block adds anything"
    assert BEFORE not in [v for _, v in lab.view.control("compare").choices]


def test_silent_channels_are_counted():
    made = subject(tower(32, 2))
    conv = dict(named_blocks(made.model))["inception_resnet_c.2"].body[1]
    with torch.no_grad():
        conv.bias[:9] = -1e6
    lab = session({"tower": made})
    tell(lab, block="inception_resnet_c.2")
    expected = "Of the 32 channels that leave inception_resnet_c.2, 9 are 0 everywhere"
    assert expected in lab.view.status


def test_own_modules_work():
    made = Subject(Mine(), prepare, ("a", "b", "c", "d"))
    lab = session({"mine": made})
    value = lab.view.part("inside_tiles").value
    assert [b["name"] for b in value["blocks"]] == ["trunk", "top"]
    tell(lab, block="top")
    tell(lab, point=[see.OUTPUT, 2, 6, 6])
    frame = lab.view.part("inside_picture").value["frame"]
    assert frame is None or frame[2] - frame[0] <= 7
    assert "depends on" in lab.view.part("inside_picture").value["words"]
    assert lab.view.part("inside_reasons").value["branches"]["rows"] == []
    assert lab.view.part("inside_reasons").value["patches"]["shown"] == []


def sent(image, kind="PNG", name="mine.png", **more):
    out = io.BytesIO()
    image.save(out, kind)
    return {"name": name, "data": base64.b64encode(out.getvalue()).decode(), **more}


def test_a_picture_of_ones_own(lab):
    one, two = Image.new("RGB", (60, 40), "red"), Image.new("RGB", (60, 40), "blue")
    tell(lab, file=sent(one, said="turned upright"))
    tell(lab, file=sent(two))
    assert [p.name for p in lab.state.own] == ["mine.png", "mine.png (2)"]
    assert lab.state.own[0].pixels[:, 0, 0].tolist() == [255, 0, 0]
    assert lab.state.own[0].said == "turned upright"
    assert lab.state.picture == "mine.png (2)"
    lab.send(Set("picture", "mine.png"))
    assert lab.view.part("inside_picture").value["note"] == "turned upright"
    tell(lab, file={"name": "notes.txt", "data": base64.b64encode(b"no picture").decode()})
    assert lab.view.alert and lab.view.status.startswith("notes.txt cannot be read as a picture")
    assert lab.state.picture == "mine.png"
    tell(lab, file={"name": "x", "data": "///not base64"})
    assert lab.view.alert


def ink(side=32, spot=(4, 6)):
    pixels = np.zeros((side, side, 4), np.uint8)
    pixels[spot] = 255
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def test_drawing_lies_on_the_picture_and_changes_the_answer():
    dark = Picture("dark", np.zeros((3, 32, 32), np.uint8))
    dark.pixels[:, 16, 8:24] = 90
    lab = session(
        {"clothes": replace(checkpoint("fashion_inception_resnet_v2"), pictures=None)}, [dark]
    )
    before = lab.view.part("inside_picture").value
    tell(lab, draw={"on": "dark", "ink": ink(), "blank": False})
    (own,) = lab.state.own
    assert lab.state.picture == own.name == "drawing on dark"
    assert own.pixels[:, 4, 6].tolist() == [255] * 3 and own.pixels[0, 16, 8] == 90
    after = lab.view.part("inside_picture").value
    assert after["answers"] != before["answers"] and after["drawing"] and not before["drawing"]
    tell(lab, draw={"on": "dark", "ink": ink(spot=(9, 9)), "blank": False})
    assert len(lab.state.own) == 1, "a further stroke takes the place of the one before"
    tell(lab, draw={"on": "drawing on dark", "ink": ink(spot=(1, 1)), "blank": False})
    assert [p.name for p in lab.state.own] == ["drawing on dark"]
    assert [lab.state.own[0].pixels[0, i, i] for i in (1, 9)] == [255, 255]
    tell(lab, draw={"on": "dark", "ink": ink(), "blank": True})
    assert lab.state.picture == "drawing" and lab.state.own[-1].pixels[0].sum() == 255
    for wrong in ({"on": "nowhere", "ink": ink()}, {"on": "dark", "ink": "AAAA"}, {"on": "dark"}):
        with pytest.raises(core.Refused):
            lab.lab.update(lab.state, Tell("inside_picture", {"draw": wrong}))


def called(lab):
    """What the lab's code calls `feature_maps` with."""
    text = lab.view.part("take").value["code"].replace("import feature_maps", "import State")
    found = {}
    exec(text, {"models": None, "feature_maps": lambda *_, **more: found.update(more)})  # noqa: S102
    return found


def test_the_code_opens_the_same_view_again(lab):
    inside = lab.lab.update.__self__
    network, start = lab.state.network, lab.state
    tell(lab, block="inception_resnet_c")
    tell(lab, branch=2)
    tell(lab, choose=[see.OUTPUT, 5])
    lab.send(Set("picture", "second"))
    tell(lab, against=7)
    for side, why in ((64, "places"), (32, "occlusion")):
        lab.send(Set("size", side))
        tell(lab, why=why)
        tell(lab, take="code")
        again = opened(inside, called(lab)["at"])
        assert again == replace(lab.state, code="") and again != start
        assert inside.render(again).parts[:3] == inside.render(lab.state).parts[:3]
    lab.send(Set("picture", "first"))
    assert lab.view.part("take").value["code"] == "", "code belongs to what was shown"
    for wrong in (
        {"block": "x"},
        {"network": "x"},
        {"picture": "x"},
        {"part": "x"},
        {"of": 1},
        {"channel": 9999, "part": see.OUTPUT},
        {"side": 7},
        {"why": "x"},
        {"step": 5},
    ):
        with pytest.raises(core.Refused):
            opened(inside, wrong)
    assert opened(inside, {}).network == network


def test_a_link_opens_the_same_view_again(lab):
    tell(lab, block="inception_resnet_c")
    tell(lab, branch=2)
    tell(lab, choose=[see.OUTPUT, 5])
    written = lab.lab.link(lab.state)
    name, settings = link.read(written)
    assert name == "feature_maps" and link.MODULES[name] == "inside"
    assert opened(lab.lab.update.__self__, settings["at"]) == lab.state
    tell(lab, take="link")
    assert written in lab.view.part("take").value["code"]
    tell(lab, draw={"on": "first", "ink": ink(), "blank": True})
    tell(lab, take="link")
    assert lab.view.alert and "copy as code" in lab.view.status
    assert lab.view.part("take").value["code"] == ""


def test_a_drawing_travels_in_the_code(lab):
    tell(lab, draw={"on": "first", "ink": ink(), "blank": True})
    tell(lab, take="code")
    said = called(lab)
    (back,) = given_pictures(said["pictures"])
    assert back.name == said["at"]["picture"] == "drawing"
    assert np.array_equal(back.pixels, lab.state.own[-1].pixels)


def test_the_picture_is_taken_as_a_file(lab):
    tell(lab, take="png")
    value = lab.view.part("take").value
    assert value["name"] == "inside.png" and value["mime"] == "image/svg+xml"
    (still,) = lab.lab.stored(lab.state)
    assert base64.b64decode(value["data"]).decode() == still
    number = value["number"]
    tell(lab, take="png")
    assert lab.view.part("take").value["number"] == number + 1


def test_the_clothes_network_is_right_at_once_and_can_go_back_to_before_training():
    lab = session(default_subjects(), ())
    assert lab.state.network == CLOTHES and "(right)" in lab.view.status
    assert lab.state.picture == "sneaker"
    names = [p.name for p in lab.desk.pictures(CLOTHES)]
    assert set(clothes().classes) <= set(names) and any("taken for" in n for n in names)
    steps = [value for _, value in lab.view.control("training").choices]
    assert steps[0] == 0 and len(steps) >= 7
    lab.send(Set("training", 0))
    share = {a["name"]: a["share"] for a in lab.view.part("inside_picture").value["answers"]}
    assert share.get("sneaker", 0) < 0.5
    assert [e.job for e in lab.started if isinstance(e, core.Start)] == [(CLOTHES, 0)]
    lab.send(Set("compare", DEAD))
    assert lab.view.part("inside_picture").value["other"]["words"] == DEAD
    tell(lab, block="inception_resnet_c.2")
    dead = lab.desk.beside(CLOTHES, DEAD, lab.state.shown(lab.desk), 32, "inception_resnet_c.2")
    assert (dead[2][see.OUTPUT] == 0).all((1, 2)).mean() > 0.5


def test_covering_a_large_picture_is_a_task():
    made = subject(mini(network("inception_v4"), width=1 / 16), seed=1)
    made = Subject(made.model, prepare, made.classes, (64,))
    lab = session({"large": made})
    tell(lab, why="occlusion")
    value = lab.view.part("inside_reasons").value["why"]
    assert "some seconds" in value["words"]
    assert lab.view.part("inside_reasons").value["branches"]["rows"][0]["share"] is not None
    (start,) = lab.started
    tell(lab, why="occlusion")
    assert lab.started == [start], "one at a time"
    lab.carry_out = core.run_now(lab)
    lab.do(start)
    value = lab.view.part("inside_reasons").value["why"]
    assert "probability falls" in value["words"] and value["maps"][0]["top"] > 0
    assert lab.state.cover == ""
    lab.send(Set("picture", "second"))
    assert lab.state.why == "places"


def test_what_excites_a_channel_is_looked_for_beside(monkeypatch):
    data = clothes()
    few = type(data)(data.name, data.classes, data.train[:10], data.test[:60])
    made = subject(mini(network("inception_resnet_v2"), width=1 / 16), data=lambda: few)
    lab = session({"residual": made})
    assert lab.view.part("inside_reasons").value["patches"]["can"]
    lab.carry_out = core.run_now(lab)
    tell(lab, search=True)
    assert lab.state.task == "" and lab.state.searched == 60
    patches = lab.view.part("inside_reasons").value["patches"]
    assert patches["words"].endswith("; looked at 60 test images") and patches["shown"]
    named = Counter(piece["words"].rsplit(",", 1)[0] for piece in patches["shown"])
    said = dict(reversed(w.split(" ", 1)) for w in patches["words"].split("; ")[0].split(", "))
    assert sum(map(int, said.values())) == len(patches["shown"])
    assert all(int(n) == named[name] for name, n in said.items() if name != "other")
    state = lab.state
    lab.send(End("search 99", "finished"))
    assert lab.state == state, "the end of an older search changes nothing"


def test_the_photograph_networks_know_the_cat(monkeypatch):
    from inception_edu.labs import subjects

    monkeypatch.setattr(subjects, "photographs", lambda: None)
    for name in ("inception_v4", "inception_resnet_v2"):
        made = checkpoint(name)
        seen = see.look(made.model, made.enter(cat()))
        assert made.name_of(int(seen.shares.argmax())) == "cat"
    assert "CC0" in cat().source


def test_of_images_sorted_by_class_every_class_is_offered():
    data = clothes()
    order = torch.sort(data.test.labels, stable=True).indices
    by_class = type(data)(data.name, data.classes, data.train[:10], data.test[order])
    pictures = known_pictures(
        replace(checkpoint("fashion_inception_resnet_v2"), data=lambda: by_class)
    )
    assert set(data.classes) <= {p.name for p in pictures}


def test_pictures_as_they_are_given(tmp_path):
    Image.new("RGB", (9, 9), "red").save(tmp_path / "a.png")
    assert [p.name for p in given_pictures(tmp_path)] == ["a.png"]
    found = given_pictures({"x": Image.new("L", (4, 4), 7), "y": np.zeros((3, 2, 2), np.uint8)})
    assert found[0].pixels.shape == (3, 4, 4) and found[1].name == "y"


def test_the_stored_picture_says_it_all(lab):
    (still,) = lab.lab.stored(lab.state)
    assert still.count("<image ") > 20 and "The network says" in still.said


def test_only_the_last_output_is_read_by_the_classes(lab):
    tell(lab, block="inception_resnet_c")
    tell(lab, choose=[see.OUTPUT, 1])
    effect = lab.view.part("inside_reasons").value["effect"]
    assert all(e["value"] * e["weight"] >= 0 for e in effect), "a map behind a ReLU is positive"
    part = next(iter(rows(lab)))
    tell(lab, choose=[part, 1])
    assert lab.view.part("inside_reasons").value["effect"][0]["weight"] is None


def test_every_network_shows_a_step_that_can_be_chosen():
    """A network without recorded steps once showed its file's step, which was no choice."""
    bench = feature_maps()
    for name in [value for _, value in bench.view.control("network").choices]:
        bench.controls["network"].value = name
        training = bench.view.control("training")
        assert training.value in [value for _, value in training.choices], name


def test_all_channels_of_a_part_can_be_paged_through_and_say_which_branch_they_read(lab):
    tell(lab, open="output")
    row = lab.view.part("inside_tiles").value["rows"][-1]
    pages, count = row["page"][1], row["count"]
    assert row["open"] and row["first"] == 0
    seen = []
    for page in range(pages):
        tell(lab, open="output", page=page)
        row = lab.view.part("inside_tiles").value["rows"][-1]
        assert row["page"] == [page, pages] and row["first"] == len(seen)
        seen += [tile["c"] for tile in row["tiles"]]
    assert sorted(seen) == list(range(count))
    tell(lab, choose=["output", 3])
    rows = lab.view.part("inside_reasons").value["branches"]["rows"]
    assert sum(row["channel"] for row in rows) == pytest.approx(1)
    assert [row["channel"] for row in rows] != [row["weights"] for row in rows]
