"""The host for a web page: events and views as JSON, without torch, numpy or widgets."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from inception_edu.labs.in_page import MODULES, open_lab
from inception_edu.labs.page_run import NEEDS_TORCH

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import live_pages  # noqa: E402


def control(view: dict, key: str) -> dict:
    return next(c for c in view["controls"] if c["key"] == key)


@pytest.mark.parametrize("name", MODULES)
def test_each_lab_is_whole_as_json(name):
    view = json.loads(open_lab(name).view())
    keys = [item["key"] for item in (*view["controls"], *view["parts"])]

    def laid_out(item):
        return [item] if isinstance(item, str) else [k for i in item["items"] for k in laid_out(i)]

    assert set(laid_out(view["layout"])) - {"status"} == set(keys) and len(keys) == len(set(keys))
    there = live_pages.components()
    assert {part["kind"] for part in view["parts"]} <= set(there)


def test_the_labs_need_no_torch_numpy_or_widgets():
    """As in the page, where none of them can be imported."""
    script = (ROOT / "tests" / "without_packages.py").read_text(encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_a_reader_does_comes_back_as_a_view():
    lab = open_lab("shape_explorer", '{"image": 299}', '["inception_v4"]')
    view = json.loads(lab.send("set", "network", '"Inception-ResNet-v1"'))
    assert control(view, "network")["text"] == "Inception-ResNet-v1"
    view = json.loads(lab.send("tell", "overview", '{"choose": "reduction_a"}'))
    assert control(view, "block")["text"] == "reduction_a"
    view = json.loads(lab.send("set", "image", '"75,5"'))
    assert control(view, "image")["wrong"] and "whole number" in control(view, "image")["note"]
    view = json.loads(lab.send("press", "reset"))
    assert control(view, "network")["text"] == "Inception-v4"


def test_lists_become_pairs():
    lab = open_lab("convolution_lab", '{"kernel": [1, 7], "size": 12}')
    assert lab.session.state.kernel == (1, 7)


def test_a_training_lab_offers_the_files_that_a_page_can_make():
    view = json.loads(open_lab("scaling_lab").view())
    take = next(part for part in view["parts"] if part["kind"] == "take")
    assert take["value"]["kinds"] == ["CSV"]


def test_what_needs_torch_says_so():
    lab = open_lab("block_designer")
    view = json.loads(lab.send("press", "run"))
    assert NEEDS_TORCH in json.dumps(view, ensure_ascii=False)


def test_a_run_of_the_page_is_told_begun_and_ended():
    """What the page's trainer says stands in the lab as a run; two labels for two records."""
    lab = open_lab("dying_lab", '{"width": 72}')
    [effect] = json.loads(lab.send("press", "retrain"))["effects"]
    assert effect["start"] == "run" and len(effect["job"]["rates"]) == 60
    assert effect["job"]["blocks"][0]["name"] == "stem" and len(effect["job"]["blocks"]) == 11
    names = [block["name"] for block in effect["job"]["blocks"]]
    records = [
        {
            "step": step,
            "loss": 2.0,
            "accuracy": 0.25,
            "dead": dict.fromkeys(names, 0.9),
            "spread": dict.fromkeys(names, 1.0),
            "inside": {"push": 0.1, "logits": None},
        }
        for step in (1, 2)
    ]
    view = json.loads(lab.send("report", "run", json.dumps(records)))
    assert "step 2 of 60" in view["status"] and view["effects"] == []
    assert json.loads(lab.send("press", "stop"))["effects"] == [{"stop": "run"}]
    end = {
        "status": "finished",
        "sentence": "Finished.",
        "test_accuracy": 0.125,
        "dead": dict.fromkeys(names, 0.95),
        "curves": {"step": [1, 2]},
        "maps": {"dead": dict.fromkeys(names, [0.9, 0.95])},
        "seconds": 3.0,
    }
    view = json.loads(lab.send("end", "run", json.dumps(end)))
    assert (
        view["status"].startswith("Died: 95 %")
        and "12 % of the test images right" in view["status"]
    )
    failed = {"status": "failed", "sentence": "The page could not train: no memory."}
    lab.send("press", "retrain")
    view = json.loads(lab.send("end", "run", json.dumps(failed)))
    assert "no memory" in view["status"] and view["alert"]


def test_a_race_of_the_page_is_told_begun_and_ended():
    """Its images are there at once, its recorded seeds before anybody trains."""
    lab = open_lab("race_lab", '{"seed": 2}')
    view = json.loads(lab.view())
    assert "Recorded, 5 seeds" in view["status"] and "Press Race" in view["status"]
    chart = next(part["value"] for part in view["parts"] if part["key"] == "curves")
    assert len(chart["bands"]) == 2 and "seed 2" in chart["runs"][0]["words"]
    [effect] = json.loads(lab.send("press", "retrain"))["effects"]
    assert effect["start"] == "race" and len(effect["job"]["sides"]) == 2
    assert len(effect["job"]["places"]) == 12
    record = {"step": 4, "accuracy": 0.25, "seconds": 0.5}
    lap = {"sides": [record, None], "says": [[9] * 12, [0] * 12]}
    view = json.loads(lab.send("report", "race", json.dumps([lap])))
    assert "step 4 of 100" in view["status"] and "✓" in json.dumps(view, ensure_ascii=False)
    side = {"status": "finished", "sentence": "", "dead": {}, "curves": {}, "maps": {}}
    results = [side | {"test_accuracy": right, "seconds": 1.0} for right in (0.5, 0.75)]
    end = {"status": "finished", "sentence": "", "results": results}
    view = json.loads(lab.send("end", "race", json.dumps(end)))
    assert "without identity 50 %, with identity 25 %" in view["status"]
    assert "ahead in 1" in view["status"]
    lab.send("set", "pair", json.dumps("Inception-v4 / Inception-ResNet-v2"))
    view = json.loads(lab.send("press", "retrain"))
    assert "open the chapter in JupyterLab" in view["status"] and view["effects"] == []
    view = json.loads(lab.send("set", "data", '"shapes, generated"'))
    assert "A page has the clothes alone" in view["status"] and view["alert"]


def test_the_images_of_a_race_come_back_from_their_file(tmp_path):
    from inception_edu.labs import page_run, race_images

    images = page_run.images("fashion")
    assert len(images.pictures) == len(images.places) == len(set(images.places)) == 12
    race_images.write(tmp_path / "images.json", images)
    assert race_images.read(tmp_path / "images.json") == images


def test_what_a_page_has_not_is_said():
    """A picture of the curves needs matplotlib, which a page has not."""
    script = (ROOT / "tests" / "without_packages.py").read_text(encoding="utf-8")
    script += "lab = open_lab('dying_lab')\nprint(lab.send('tell', 'take', '{\"take\": \"png\"}'))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert "A web page has no matplotlib" in done.stdout, done.stderr


def test_an_answer_is_checked_with_what_stands_above_it():
    from inception_edu.labs.in_page import checked

    def verdict(code):
        prelude = "from inception_edu.teach import check"
        return json.loads(checked(prelude, code, 'check("02.2", leaves)'))

    assert "ied-right" in verdict("leaves = (384, 25, 25)")["html"]
    assert "ied-unsolved" in verdict("leaves = ...")["html"]
    assert "ZeroDivisionError" in verdict("leaves = 1 / 0")["html"]
    assert "SyntaxError" in verdict("leaves = (")["html"]
    assert verdict("print(7)\nleaves = 1")["printed"] == "7\n"


@pytest.mark.parametrize(
    "source, found",
    [
        ('lab = shape_explorer("inception_v4", image=299)', ("shape_explorer", ["inception_v4"])),
        ("ie.convolution_lab(kernel=(3, 3))", ("convolution_lab", [])),
        ("lab = race_lab(depth=8)", ("race_lab", [])),
        ("%timeit 3", None),
        ("figure(4)", None),
    ],
)
def test_a_place_is_made_for_labs_whose_settings_are_known(source, found):
    html = live_pages.place(source)
    if found is None:
        assert html == ""
        return
    assert f'data-lab="{found[0]}"' in html
    assert json.dumps(found[1]).replace('"', "&quot;") in html


@pytest.mark.parametrize(
    "source", ["shape_explorer(name)", 'speed_lab("inception_v4", image=75)', "film(a)"]
)
def test_a_lab_that_a_page_cannot_open_is_said_to_be_a_picture(source):
    html = live_pages.place(source)
    assert "data-lab" not in html and "picture of the lab" in html and "JupyterLab" in html


def test_a_recorded_lab_has_a_view_and_a_link_for_each_choice(monkeypatch):
    from inception_edu.labs import film, link

    monkeypatch.setattr(live_pages, "STAGED", {})
    first = live_pages.recorded("death", [], {})
    entries = json.loads(live_pages.STAGED[first["index"]])
    titles = [made.title for made in film.committed()]
    assert [entry["chosen"] for entry in entries] == [[title] for title in titles]
    assert first["usual"] == entries[0]["link"]
    for entry, title in zip(entries, titles):
        view = json.loads(live_pages.STAGED[entry["file"]])
        assert control(view, "film")["text"] == title and not control(view, "film")["disabled"]
        assert link.read(entry["link"]) == ("death", {"film": title})
    assert json.loads(live_pages.STAGED[entries[0]["file"]]) == json.loads(
        json.dumps(first["view"])
    )
    again = dict(live_pages.STAGED)
    live_pages.recorded("death", [], {"film": titles[1]})
    assert live_pages.STAGED == again


def test_the_speed_lab_shows_what_was_recorded_for_each_choice(monkeypatch):
    from inception_edu.labs import link
    from inception_edu.labs.speed_clock import Settings
    from inception_edu.labs.speed_recorded import ALL, measured

    monkeypatch.setattr(live_pages, "STAGED", {})
    first = live_pages.recorded("speed_lab", ["inception_resnet_v2"], {"image": 139})
    entries, seen = json.loads(live_pages.STAGED[first["index"]]), set()
    for entry in entries:
        view = json.loads(live_pages.STAGED[entry["file"]])
        name, told = link.read(entry["link"])
        settings = Settings(told.pop("key"), **told)
        seen.add(settings)
        found, where = measured(settings)
        assert str(found.speedup)[1:] in view["status"]
        assert f"Measured beforehand ({where})." in view["status"] and "load" in where
        drawn = view["parts"][0]["value"]
        assert drawn.count('class="ied-median"') in (4, 5)
        assert f'; {settings.words()}: {found.speedup}"' in drawn  # the last one of its words
        usable = {c["key"] for c in view["controls"] if not c["disabled"]}
        assert usable == {"weights", "layout", "precision"} and name == "speed_lab"
    assert seen == set(ALL) and len(entries) == 12
    assert "cannot time networks" in first["about"]


def test_without_node_one_sentence_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(live_pages, "tool", lambda name: None)
    said = live_pages.missing()
    assert said.startswith(
        "The site has no Python: the command node was not found. Install Node.js"
    )
    monkeypatch.setattr(live_pages, "tool", lambda name: "node" if name == "node" else None)
    monkeypatch.setattr(live_pages, "NPM", tmp_path)
    assert "npm was not found, so it could not give pyodide and assemblyscript" in (
        live_pages.missing()
    )


def test_a_command_of_node_is_found_beside_python(monkeypatch, tmp_path):
    (tmp_path / "node").touch(mode=0o755)
    monkeypatch.setattr(live_pages.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert live_pages.tool("node") == str(tmp_path / "node") and live_pages.tool("npm") is None


def test_without_python_a_lab_stands_still_and_says_why():
    def embedded(source: str) -> dict:
        html = live_pages.place(source, python=False)
        return json.loads(
            html.partition('<script type="application/json">')[2].split("</script")[0]
        )

    lab = embedded('shape_explorer("inception_v4")')
    assert all(c["disabled"] for c in lab["view"]["controls"]) and "alive" not in lab
    assert lab["keys"] == [] and "without Python" in lab["about"] and lab["usual"]
    lab = embedded("convolution_lab()")  # which needs none
    assert not any(c["disabled"] for c in lab["view"]["controls"]) and "keys" not in lab


def test_of_a_recorded_lab_all_else_is_closed(monkeypatch):
    """The inside lab, of a small network: pictures and blocks can be chosen, nothing else."""
    from inception_edu.labs.core import Session

    session = Session(live_pages._inside(), carry_out=lambda effect: None)
    view = live_pages.closed(session.view, ["picture", "block"])
    for one in view["controls"]:
        assert one["disabled"] == (one["key"] not in ("picture", "block")), one["key"]
