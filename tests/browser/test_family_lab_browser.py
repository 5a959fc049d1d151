"""The family lab in a real JupyterLab."""

import os

from playwright.sync_api import expect


def test_a_network_is_pointed_at_chosen_and_moved(lab):
    lab.open(
        lab.write(
            "family.ipynb", "from inception_edu.labs.family import family_lab\nkin = family_lab()"
        )
    )
    lab.run_all(seconds=120)
    page = lab.page
    point = page.locator('.ied-family g[data-path="googlenet"] circle')
    beside, fact = page.locator(".ied-family .beside"), page.locator(".ied-family .fact")
    expect(fact).to_contain_text("Inception-ResNet-v2")
    point.hover()
    expect(fact).to_contain_text("AlexNet")
    expect(beside.locator("svg")).to_have_attribute("aria-label", "GoogLeNet")
    point.click()
    page.keyboard.press("ArrowDown")  # at once; the chart was never drawn anew
    expect(fact).not_to_contain_text("AlexNet")
    expect(beside.locator("svg")).not_to_have_attribute("aria-label", "GoogLeNet")
    page.keyboard.press("Home")
    page.keyboard.press("End")
    expect(fact).to_contain_text("AlexNet")  # the largest error stands highest
    expect(beside.locator("svg")).to_have_attribute("aria-label", "GoogLeNet")
    page.keyboard.press("ArrowRight")  # the next along the multiply-adds
    expect(fact).to_contain_text("BN-Inception")
    expect(page.locator(".ied-family .ied-story")).to_contain_text("AlexNet")
    page.locator(".ied-control-x select").select_option(label="year")
    expect(page.locator(".ied-family svg").first).to_contain_text("2016")
    for theme, width in (("light", 1280), ("dark", 700)):
        lab.resize(width, 720).theme(theme)
        page.wait_for_timeout(400)
        if folder := os.environ.get("PICTURES"):
            page.locator(".ied-family").screenshot(path=f"{folder}/family_{theme}_{width}.png")
        lab.assert_accessible()
        if width == 1280:
            assert page.locator(".ied-family").bounding_box()["height"] <= 720
        assert page.locator(".ied-family").evaluate("b => b.scrollWidth <= b.clientWidth + 1")
    page.mouse.move(0, 0)
    page.locator('.ied-family g[data-path="googlenet"]').focus()
    page.keyboard.press("ArrowDown")
    expect(fact).not_to_contain_text("AlexNet")
