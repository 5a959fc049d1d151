"""The dying lab in a real JupyterLab: a tower dies in its map and lives with other settings; Stop,
Reset."""

import re

from playwright.sync_api import expect
from training import PATIENCE, assert_fits, open_lab, setting, status

# Narrow and fast: 72 channels at a rate of 0.45 die as 576 do at 0.1.
MAKE = "dying_lab(width=72, rate=0.45, steps={})"


def choose(lab, control, value):
    lab.page.locator(f".ied-control-{control} select").select_option(value)


def maps(lab):
    return lab.page.locator(".ied-card svg[aria-label*='dead channels by block and step']")


def dead(lab, place=0):
    """The share of the last block that a map says is dead, in percent."""
    return float(
        re.search(
            r"([\d.]+) % of the last block dead", maps(lab).nth(place).get_attribute("aria-label")
        )[1]
    )


def test_it_dies_and_lives(lab):
    open_lab(lab, "dying", MAKE.format(40), panels=2)
    lab.button("Retrain").click()
    expect(status(lab)).to_contain_text("Run 1: Finished 40 steps", timeout=PATIENCE)
    expect(maps(lab)).to_have_count(1)
    assert dead(lab) > 50
    expect(lab.page.locator(".ied-run").first).to_contain_text(
        re.compile(r"width 72 · scale 1 · RMSProp 0\.45 .*dead")
    )

    # Each control once: a scale by typing, a rate by the keyboard, remedy and optimizer from their
    # lists, a seed.
    lab.type_into(lab.readout("scale"), "0.1")
    setting(lab, "scale", "0.1")
    lab.button("Retrain").click()
    expect(status(lab)).to_contain_text("Run 2: Finished", timeout=PATIENCE)
    expect(maps(lab)).to_have_count(2)  # this run above the one before
    assert dead(lab) < 10 and dead(lab, 1) > 50

    lab.type_into(lab.readout("scale"), "1")
    setting(lab, "scale", "1.0")
    lab.slider("learning rate").focus()
    lab.page.keyboard.press("Home")
    setting(lab, "rate", "0.001")
    lab.slider("width").focus()
    lab.page.keyboard.press("ArrowRight")
    setting(lab, "width", "144")
    choose(lab, "remedy", "norm after last sum")
    choose(lab, "optimizer", "SGD")
    seed = lab.page.locator(".ied-control-seed input")
    seed.fill("3")
    seed.press("Enter")
    setting(lab, "seed", "3")
    lab.button("Retrain").click()
    expect(status(lab)).to_contain_text("Run 3: Finished", timeout=PATIENCE)
    expect(lab.page.locator(".ied-run").last).to_contain_text(
        "width 144 · scale 1 · SGD 0.001 · norm after last sum · seed 3"
    )
    assert dead(lab) < 10
    expect(lab.page.locator(".ied-panel-2 polyline[opacity='0.5']")).to_have_count(2)
    lab.button("Reset").click()
    expect(lab.page.locator(".ied-run")).to_have_count(0)
    setting(lab, "width", "72")


def test_stop_in_mid_run_and_narrow_windows(lab):
    open_lab(lab, "dying", MAKE.format(20_000), panels=2).theme("dark").resize(600, 900)
    lab.button("Retrain").click()
    expect(maps(lab)).to_have_count(1, timeout=PATIENCE)
    expect(lab.page.locator(".ied-progress-text")).to_contain_text("left", timeout=PATIENCE)
    lab.button("Stop").click()
    expect(status(lab)).to_contain_text("Run 1: Stopped", timeout=PATIENCE)
    assert_fits(lab, "dying")
    card = lab.page.locator(".ied-card")
    assert card.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 255, 255)"
    assert maps(lab).bounding_box()["width"] >= 400


def test_chapter_09_shows_a_recorded_death_and_goes_on_from_there(lab):
    lab.open("notebooks/09_dying_networks.ipynb")
    picture = lab.page.locator("img[alt^='Dying networks:']")
    picture.scroll_into_view_if_needed()
    expect(picture).to_be_visible()  # without a kernel
    lab.run_all(seconds=900)
    expect(lab.page.locator(".ied-dying-lab .ied-panel")).to_have_count(2)
    expect(lab.page.locator(".ied-run").first).to_contain_text("recorded earlier")
    assert dead(lab, 0) > 50
    lab.slider("width").focus()
    lab.page.keyboard.press("Home")
    lab.button("Retrain").click()
    expect(status(lab)).to_contain_text("Run 2: Finished 60 steps", timeout=PATIENCE)
    assert dead(lab, 0) < 10 < dead(lab, 1)
