"""The residual-scaling lab in a real JupyterLab: sliders, Retrain, Stop, two quick clicks, Reset,
light and dark."""

import re

import pytest
from playwright.sync_api import expect
from training import PATIENCE, assert_fits, open_lab, setting, status, wait_until

MAKE = "scaling_lab(width=64, depth=2, steps={})"


def points(lab, panel=1):
    """How many points the current run's curve has in a panel."""
    lines = lab.page.locator(f".ied-panel-{panel} polyline[opacity='1']")
    return len(lines.first.get_attribute("points").split()) if lines.count() else 0


def test_set_retrain_and_compare(lab):
    open_lab(lab, "scaling", MAKE.format(40), panels=4)
    expect(status(lab)).to_contain_text("press Retrain")
    lab.slider("scale").focus()
    lab.page.keyboard.press("Home")
    expect(lab.readout("scale")).to_have_text("0.00")
    lab.type_into(lab.readout("scale"), "0.3")
    expect(lab.readout("scale")).to_have_text("0.30")
    setting(lab, "scale", "0.3")
    lab.button("Retrain").click()
    expect(lab.page.locator(".ied-run")).to_have_count(1)
    expect(lab.page.locator(".ied-run").first).to_contain_text("scale 0.3 · width 64 · depth 2")
    expect(status(lab)).to_contain_text("Run 1: Finished 40 steps", timeout=PATIENCE)
    assert points(lab) >= 20
    said = lab.page.locator(".ied-panel-1 svg").get_attribute("aria-label")
    assert re.match(r"Training loss\. run 1: [\d.]+ at step 1, [\d.]+ at step 40\.", said)

    # Drag the handle to the right, then train again: the first run stays, faded.
    handle = lab.slider("scale")
    box = handle.bounding_box()
    lab.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    lab.page.mouse.down()
    lab.page.mouse.move(box["x"] + 60, box["y"] + box["height"] / 2, steps=5)
    lab.page.mouse.up()
    expect(lab.readout("scale")).not_to_have_text("0.30")
    dragged = float(lab.readout("scale").text_content())
    lab.button("Retrain").focus()
    lab.page.keyboard.press("Enter")  # the keyboard alone will do
    expect(status(lab)).to_contain_text("Run 2: Finished", timeout=PATIENCE)
    expect(lab.page.locator(".ied-run")).to_have_count(2)
    expect(lab.page.locator(".ied-panel-1 polyline[opacity='0.5']")).to_have_count(1)
    assert float(lab.evaluate("bench.runs[-1].settings['scale']")) == dragged > 0.3


def test_stop_two_quick_clicks_and_reset(lab):
    open_lab(lab, "scaling", MAKE.format(20_000), panels=4)
    expect(lab.page.locator(".ied-estimate")).to_contain_text("Long:", timeout=PATIENCE)
    lab.button("Retrain").dblclick()  # one run
    wait_until(lambda: points(lab) >= 2, "no curve appeared")
    before = points(lab)
    wait_until(lambda: points(lab) > before, "the curve does not grow")
    expect(lab.page.locator(".ied-progress-text")).to_contain_text("left")
    assert lab.evaluate("(bench.run.started, len(bench.runs))") == "(1, 1)", (
        "answered while the run goes on"
    )
    lab.button("Stop").click()
    expect(status(lab)).to_contain_text(re.compile("Run 1: Stopped"), timeout=PATIENCE)
    expect(lab.page.locator(".ied-progress")).to_have_count(0)

    lab.type_into(lab.readout("scale"), "1.5")
    lab.button("Retrain").click()
    wait_until(lambda: points(lab) >= 2, "no curve appeared")
    lab.button("Reset").click()  # in mid-run
    expect(status(lab)).to_contain_text("press Retrain", timeout=PATIENCE)
    expect(lab.page.locator(".ied-run")).to_have_count(0)
    expect(lab.readout("scale")).to_have_text("1.00")
    assert lab.evaluate("(bench.run.status, bench.runs)") == "('stopped', [])"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_curves_lie_on_a_light_card_and_fit_a_narrow_window(lab, theme):
    open_lab(lab, "scaling", MAKE.format(10), panels=4).theme(theme).resize(600, 900)
    card = lab.page.locator(".ied-card")
    card.scroll_into_view_if_needed()
    assert card.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 255)"
    assert card.evaluate("e => getComputedStyle(e).color") == "rgb(34, 34, 34)"
    assert_fits(lab, "scaling")
    for panel in lab.page.locator(".ied-panel svg").all():
        place = panel.bounding_box()
        assert place["width"] >= 200 and place["x"] + place["width"] <= 600


def test_chapter_08_from_its_picture_to_a_run_of_ones_own(lab):
    lab.open("notebooks/08_residual_scaling.ipynb")
    picture = lab.page.locator("img[alt^='Residual-scaling lab: scale 1']")
    picture.scroll_into_view_if_needed()
    expect(picture).to_be_visible()  # the stored chapter shows the lab at rest, without a kernel
    assert picture.evaluate("image => image.naturalWidth") > 400
    lab.run_all(seconds=900)
    expect(lab.page.locator(".ied-scaling-lab .ied-panel")).to_have_count(4)
    expect(lab.page.locator(".ied-run").first).to_contain_text("recorded earlier")
    for label, text in (("width", "32"), ("depth", "1"), ("scale", "0.1")):
        lab.type_into(lab.readout(label), text)
    lab.button("Retrain").click()
    expect(status(lab)).to_contain_text("Run 2: Finished 80 steps", timeout=PATIENCE)
    expect(lab.page.locator(".ied-panel-4 polyline[opacity='0.5']")).to_have_count(1)
