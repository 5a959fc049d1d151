"""How a field grows, in a real JupyterLab: played, walked through, another output chosen."""

import pytest
from playwright.sync_api import expect


@pytest.fixture
def growing(lab):
    lab.open(
        lab.write(
            "growing.ipynb",
            "from inception_edu.labs.field import field_lab\nf = field_lab('Fig. 5, branch 4')",
        )
    )
    lab.run_all(seconds=120)
    expect(lab.page.locator(".ied-field-page [role=option]")).to_have_count(6)
    return lab


def test_the_field_grows_backwards(growing):
    page = growing.page
    said = page.locator(".ied-field-page .said")
    expect(said).to_contain_text("one value is chosen")
    page.locator(".ied-field-page .step").click()
    expect(said).to_contain_text("sees 7×1 of 17×17")
    page.locator(".ied-field-page .play").click()
    expect(said).to_contain_text("The input: the value sees 13×13 of 17×17, on 2,401 paths")
    expect(said).to_contain_text("busiest pixel lies on 49")
    expect(page.locator(".ied-field-page .square text")).to_have_count(169)
    last = page.locator(".ied-field-page [role=option]").last
    expect(last).to_have_attribute("aria-selected", "true")
    page.locator(".ied-field-page [role=option]").nth(2).hover()
    expect(said).to_contain_text("sees 7×7")
    page.locator(".ied-field-page .help").hover()
    expect(said).to_contain_text("sees 13×13")


def test_another_output_by_click_and_by_key(growing):
    page = growing.page
    square, said = page.locator(".ied-field-page .square"), page.locator(".ied-field-page .said")
    box = square.bounding_box()
    square.click(position={"x": box["width"] / 34, "y": box["height"] / 34})
    page.wait_for_timeout(500)
    assert growing.evaluate("f.state.place") == "(0, 0)"
    page.locator(".ied-field-page .layers").focus()
    page.keyboard.press("End")
    expect(said).to_contain_text("sees 7×7 of 17×17 (13×13 if the map had no border)")
    square.focus()
    page.keyboard.press("ArrowRight")  # back to the output first
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(500)
    assert growing.evaluate("f.state.place") == "(1, 1)"


def test_a_whole_network_is_chosen(growing):
    page = growing.page
    height = page.locator(".ied-field-lab").bounding_box()["height"]
    page.locator(".ied-control-what select").select_option(label="Inception-v4")
    expect(page.locator(".ied-field-page [role=option]")).to_have_count(23)
    page.locator(".ied-field-page .layers").focus()
    page.keyboard.press("End")
    said = page.locator(".ied-field-page .said")
    expect(said).to_contain_text("sees 299×299 of 299×299 (2071×2071 if the map had no border)")
    expect(said).to_contain_text("Half of all paths begin in 101 of the 299 rows")
    assert page.locator(".ied-field-lab").bounding_box()["height"] == height
    page.evaluate("jupyterapp.shell.collapseLeft()")
    for width in (1280, 900, 700):
        growing.resize(width, 720)
        page.wait_for_timeout(300)
        wrapped = page.locator(".ied-field-page [role=option] span").evaluate_all(
            "all => all.filter(s => s.offsetHeight > 22).map(s => s.textContent)"
        )
        assert not wrapped, f"{width}: two lines in a row of one: {wrapped[:3]}"


@pytest.mark.parametrize("theme, width", [("light", 1280), ("dark", 700)])
def test_axe_finds_nothing_and_it_fits(growing, theme, width):
    growing.resize(width, 720).theme(theme)
    growing.page.locator(".ied-field-page .step").click()
    growing.page.wait_for_timeout(300)
    growing.assert_accessible(".ied-field-lab")
    box = growing.page.locator(".ied-field-lab").bounding_box()
    assert box["x"] + box["width"] <= width
    if width == 1280:
        assert box["height"] < 600
