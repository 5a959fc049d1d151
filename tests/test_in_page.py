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
    assert view["status"].startswith("Died: 95 %") and "12 % right" in view["status"]
    failed = {"status": "failed", "sentence": "The page could not train: no memory."}
    lab.send("press", "retrain")
    view = json.loads(lab.send("end", "run", json.dumps(failed)))
    assert "no memory" in view["status"] and view["alert"]


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
        ("shape_explorer(name)", None),
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
