"""The race lab in a real JupyterLab: two networks race in one run; every control once; Stop, Reset,
narrow windows."""

import re

from playwright.sync_api import expect
from training import PATIENCE, assert_fits, open_lab, setting, status, wait_until


def lines(lab):
    return lab.page.locator(".ied-run")


def test_two_networks_race_and_every_control_counts(lab):
    open_lab(lab, "race", "race_lab(depth=2, steps=12)", panels=2)
    lab.button("Retrain").click()
    expect(status(lab)).to_contain_text(
        re.compile("Run 1: 12 steps each: without identity .* with identity"), timeout=PATIENCE
    )
    expect(lines(lab)).to_have_count(2)
    expect(lab.page.locator(".ied-panel-1 polyline[opacity='1']")).to_have_count(2)
    expect(lab.page.locator(".ied-panel-2 polyline[opacity='1']")).to_have_count(2)

    lab.type_into(lab.readout("residual scale"), "1")
    setting(lab, "scale", "1.0")
    lab.slider("learning rate").focus()
    lab.page.keyboard.press("Home")
    setting(lab, "rate", "0.003")
    lab.slider("depth").focus()
    lab.page.keyboard.press("ArrowRight")
    setting(lab, "depth", "4")
    seed = lab.page.locator(".ied-control-seed input")
    seed.fill("3")
    seed.press("Enter")
    setting(lab, "seed", "3")
    lab.button("Retrain").click()
    expect(status(lab)).to_contain_text("Run 2: 12 steps each", timeout=PATIENCE)
    expect(lines(lab)).to_have_count(4)
    expect(lines(lab).last).to_contain_text("depth 4 · rate 0.003 · scale 1 · seed 3")
    expect(lab.page.locator(".ied-panel-1 polyline[opacity='0.5']")).to_have_count(2)

    lab.page.locator(".ied-control-pair select").select_option("Inception-v3 / Inception-ResNet-v1")
    setting(lab, "pair", "'Inception-v3 / Inception-ResNet-v1'")
    wait_until(
        lambda: lab.evaluate("bench.controls['depth'].disabled") == "True",
        "depth should be disabled: True",
    )
    lab.button("Retrain").click()
    expect(status(lab)).to_contain_text("Run 3: 12 steps each", timeout=PATIENCE)
    expect(lines(lab).last).to_contain_text(
        re.compile(r"Inception-ResNet-v1: [\d.]+ % wrong at step 12")
    )
    lab.button("Reset").click()
    expect(lines(lab)).to_have_count(0)
    setting(lab, "depth", "2")
    wait_until(
        lambda: lab.evaluate("bench.controls['depth'].disabled") == "False",
        "depth should be disabled: False",
    )


def test_stop_in_mid_race_and_narrow_windows(lab):
    open_lab(lab, "race", "race_lab(depth=2, steps=20_000)", panels=2).theme("dark").resize(
        600, 900
    )
    lab.button("Retrain").click()
    expect(lab.page.locator(".ied-progress-text")).to_contain_text("left", timeout=PATIENCE)
    lab.button("Stop").click()
    expect(status(lab)).to_contain_text("Run 1: Stopped after", timeout=PATIENCE)
    assert_fits(lab, "race")


def test_chapter_10_shows_a_recorded_race(lab):
    lab.open("notebooks/10_the_race.ipynb")
    picture = lab.page.locator("img[alt^='The race:']")
    picture.scroll_into_view_if_needed()
    expect(picture).to_be_visible()  # without a kernel
    expect(picture).to_have_attribute("alt", re.compile("with identity, run 1"))
