"""Where else the labs are opened: behind a base URL as on a hub, in Notebook 7, in each of the ways
in which JupyterLab draws long notebooks, and in two notebooks at a time."""

import re

import pytest
from harness import COLOURED, Lab, LabServer, opened_window
from playwright.sync_api import expect

SHAPES = "from inception_edu.labs.shapes import shape_explorer\nshape_explorer()"
DYING = "from inception_edu.labs.dying import dying_lab\nlab = dying_lab(width=72, steps={})\nlab"
PATIENCE = 240_000


def ended(lab):
    """The run is over, and the lab says how it ended."""
    status = lab.page.locator(".ied-lab .ied-status")
    expect(status).to_contain_text(re.compile(r"\d % of the test images right"), timeout=PATIENCE)


@pytest.fixture(params=[("jupyterlab", "/user/ada/"), ("notebook", "/")], ids=["hub", "notebook 7"])
def elsewhere(request, browser):
    app, base = request.param
    if app == "notebook":
        pytest.importorskip("notebook")
    with LabServer(base=base, app=app) as server, opened_window(browser, server) as lab:
        yield lab


def test_a_lab_works_there(elsewhere):
    lab = elsewhere
    lab.open(lab.write("shapes.ipynb", SHAPES)).run_all(seconds=240)
    shown = lab.page.locator(".ied-lab").first
    expect(shown).to_be_visible()
    handle = shown.get_by_role("slider").first
    before = shown.inner_text()
    handle.press("ArrowRight")
    lab.page.wait_for_function(
        "before => document.querySelector('.ied-lab').innerText !== before", arg=before
    )


def test_training_works_there(elsewhere):
    lab = elsewhere
    lab.open(lab.write("dying.ipynb", DYING.format(12))).run_all(seconds=240)
    lab.page.get_by_role("button", name=re.compile("^Retrain")).click()
    status = lab.page.locator(".ied-lab").first
    expect(status).to_contain_text(
        re.compile("Died|Lived|Lives|Suffer|dead", re.I), timeout=PATIENCE
    )
    chart = lab.page.locator(".ied-panel-loss [role=img]")
    expect(chart).to_have_attribute("aria-label", re.compile(r"run 1: [\d.]+ at 1, .* at 12"))
    assert lab.page.locator(".ied-panel-loss canvas").evaluate(COLOURED) > 100, "a curve"


def go(panel, place: str, shown) -> None:
    """Scroll until it is seen: JupyterLab scrolls too, some time after a cell has run."""
    for _ in range(20):
        panel.evaluate(f"e => e.scrollTo(0, {place})")
        panel.page.wait_for_timeout(500)
        if shown.is_visible():
            break
    expect(shown).to_be_visible()


@pytest.mark.parametrize("mode", ["full", "defer", "contentVisibility"])
def test_scrolled_away_and_back(lab, mode):
    """A lab that was out of sight is there again, with what the reader set."""
    lab.open(lab.write(f"scroll_{mode}.ipynb", SHAPES, *["print('\\n' * 60)"] * 8))
    lab.page.evaluate(
        """mode => jupyterapp.serviceManager.settings.save('@jupyterlab/notebook-extension:tracker',
            JSON.stringify({windowingMode: mode}))""",
        mode,
    )
    lab.open(f"scroll_{mode}.ipynb").run_all(seconds=240)
    shown = lab.page.locator(".ied-lab").first
    panel = lab.page.locator(".jp-WindowedPanel-outer").first
    go(panel, "0", shown)  # running all cells went to the last one
    shown.get_by_role("slider").first.press("ArrowRight")
    lab.page.wait_for_timeout(1000)
    before = shown.inner_text()
    panel.evaluate("e => e.scrollTo(0, e.scrollHeight)")
    lab.page.wait_for_timeout(1500)
    go(panel, "0", shown)
    assert shown.inner_text() == before
    lab.page.evaluate(
        """() => jupyterapp.serviceManager.settings.save('@jupyterlab/notebook-extension:tracker',
            '{}')"""
    )


def test_two_notebooks_train_at_once(browser, server):
    """Two kernels share the cores; both runs end, and each says how."""
    labs = [Lab(browser, server) for _ in range(2)]
    try:
        for number, lab in enumerate(labs):
            name = lab.write(f"two_{number}.ipynb", DYING.format(30))
            lab.open(name).run_all(seconds=240)
        for lab in labs:
            lab.page.get_by_role("button", name=re.compile("^Retrain")).click()
        for lab in labs:
            ended(lab)
            lab.assert_clean()
    finally:
        for lab in labs:
            lab.close()
