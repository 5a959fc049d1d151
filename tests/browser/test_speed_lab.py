"""The speed lab in a real JupyterLab."""

import re

from playwright.sync_api import expect


def test_a_trick_is_clocked(lab):
    lab.open(
        lab.write(
            "speed.ipynb",
            "from inception_edu.labs.speed import speed_lab\n"
            "bench = speed_lab('mini inception_v4', image=32)",
        )
    )
    lab.run_all(seconds=180)
    box = lab.page.locator(".ied-speed").first
    result, sentence = box.locator(".ied-result"), box.locator(".ied-status")
    expect(result).to_contain_text("folded and merged", timeout=60_000)
    verdict = re.compile("(faster|slower|no clear gain|too few rounds)", re.IGNORECASE)
    expect(sentence).to_contain_text(verdict, timeout=60_000)
    expect(lab.button("Measure")).to_be_enabled(timeout=60_000)
    height = box.bounding_box()["height"]

    box.locator(".ied-control-weights select").select_option(label="folded")
    expect(sentence).to_contain_text("folded and merged")  # what was measured stands
    lab.button("Measure").click()
    expect(result.locator(".ied-median")).to_have_count(2, timeout=60_000)
    expect(lab.button("Measure")).to_be_enabled(timeout=60_000)
    assert lab.evaluate("bench.state.found[-1].settings.weights") == "'folded'"
    assert abs(box.bounding_box()["height"] - height) < 25

    box.locator(".ied-control-network select").select_option(label="Inception-v4")
    box.locator(".ied-control-batch select").select_option(label="16")
    lab.button("Measure").click()
    lab.button("Stop").click()  # a long one
    expect(sentence).to_contain_text("Stopped before its time", timeout=120_000)
    for theme in ("light", "dark"):
        lab.theme(theme)
        lab.assert_accessible(".ied-speed")
    lab.button("Reset").click()
    expect(sentence).to_contain_text("press Measure")
    lab.assert_clean()
