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
