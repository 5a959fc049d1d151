"""A notebook that was saved, closed and opened again while its kernel is gone shows the stored
picture."""

import json

import pytest
from playwright.sync_api import expect

CELL = "from inception_edu.labs.{0} import {1}\nlab = {1}()"
LABS = [
    ("convolution", "convolution_lab"),
    ("shapes", "shape_explorer"),
    ("inside", "feature_maps"),
    ("speed", "speed_lab"),
    ("dying", "dying_lab"),
    ("race", "race_lab"),
]


@pytest.mark.parametrize("module, make", LABS)
def test_alive_the_lab_shows_and_dead_its_picture(lab, module, make):
    name = lab.write(f"reopened_{module}.ipynb", CELL.format(module, make))
    lab.open(name)
    lab.run_all(seconds=240)
    alive, stored = lab.page.locator(".ied-lab").first, lab.page.locator(".ied-stored")
    expect(alive).to_be_visible()
    expect(stored).to_be_hidden()

    lab.page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    path = lab.server.folder / name
    lab.page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    saved = json.loads(path.read_text())
    assert "widget-view" in json.dumps(saved), "the view is stored: that is what this test is about"
    lab.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    lab.open(name)
    assert lab.page.evaluate(
        "() => jupyterapp.shell.currentWidget.content.model.cells.get(0).trusted"
    ), "a notebook that ran whole is trusted"
    expect(stored.locator("img").first).to_be_visible()
    lab.page.wait_for_timeout(3000)
    for words in ("Error displaying widget", "model not found", "Loading widget"):
        expect(lab.page.get_by_text(words)).to_be_hidden()
    expect(stored.locator("img").first).to_be_visible()
    assert lab.page.locator(".ied-lab").count() == 0
    lab.console.clear()  # JupyterLab says there that it looked for the model
