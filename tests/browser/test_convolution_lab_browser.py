"""The convolution that moves, in a real JupyterLab: pointed at, dragged, played, typed."""

import re

import pytest
from playwright.sync_api import expect

CHANGE = """async ({select, value}) => {
    const control = document.querySelector(select);
    const output = document.querySelector('.ied-convolution-page .out svg');
    const before = output.innerHTML, start = performance.now();
    control.value = value;
    control.dispatchEvent(new Event('input', {bubbles: true}));
    if (output.innerHTML === before) throw Error('the output is the same');
    await new Promise(requestAnimationFrame);
    return performance.now() - start;
}"""


@pytest.fixture
def moving(lab):
    lab.open(
        lab.write(
            "moving.ipynb",
            "from inception_edu.labs.convolution import convolution_lab\n"
            "c = convolution_lab(size=12, kernel=(3, 3))",
        )
    )
    lab.run_all(seconds=120)
    expect(lab.page.locator(".ied-convolution-page .out svg g.out")).to_have_count(100)
    return lab


def test_pointing_at_an_output_lights_its_window_and_the_reverse(moving):
    page = moving.page
    out, into = page.locator(".out svg"), page.locator(".in svg")
    place = page.locator(".ied-convolution-page .place")
    box = out.bounding_box()
    cell = box["width"] / 10
    out.hover(position={"x": 2.5 * cell, "y": 4.5 * cell})
    expect(place).to_contain_text("Row 5, column 3")
    window = into.locator(".over .window")
    wide = into.bounding_box()["width"] / 12
    assert window.bounding_box()["x"] == pytest.approx(into.bounding_box()["x"] + 2 * wide, abs=4)
    assert window.bounding_box()["width"] == pytest.approx(3 * wide, abs=6)
    into.hover(position={"x": 5.5 * wide, "y": 5.5 * wide})
    expect(place).to_contain_text("is read by 9 outputs")
    expect(out.locator(".over .reader")).to_have_count(9)
    into.hover(position={"x": 0.5 * wide, "y": 0.5 * wide})
    expect(place).to_contain_text("is read by 1 output.")


def test_the_window_is_dragged_and_played(moving):
    page = moving.page
    place, into = page.locator(".ied-convolution-page .place"), page.locator(".in svg")
    box = into.bounding_box()
    wide = box["width"] / 12
    page.mouse.move(box["x"] + 3.5 * wide, box["y"] + 3.5 * wide)
    page.mouse.down()
    page.mouse.move(box["x"] + 11.5 * wide, box["y"] + 11.5 * wide, steps=4)
    page.mouse.up()
    expect(place).to_contain_text("Row 10, column 10")
    page.locator(".ied-convolution-page .play").click()
    expect(page.locator("g.out.later").first).to_be_attached()
    expect(place).to_contain_text(re.compile("Row 1, column [4-9]"))
    page.locator(".ied-convolution-page .play").click()
    expect(page.locator("g.out.later")).to_have_count(0)
    words = place.inner_text()
    page.locator(".ied-convolution-page .step").click()
    expect(place).not_to_have_text(words)


def test_it_is_the_padding_calculator(moving):
    page, lab = moving.page, moving
    verdict = page.locator(".ied-convolution-page .verdict")
    height = page.locator(".ied-lab").bounding_box()["height"]
    expect(verdict).to_contain_text("⌊(12 + 2·0 − 3) / 1⌋ + 1 = 10")
    choose = {key: page.locator(f"[data-key={key}]") for key in ("stride", "padding", "beside")}
    choose["stride"].select_option("2")
    expect(verdict).to_contain_text("23 of 144 pixels are read by nobody")
    expect(page.locator("path.unread")).to_have_count(23)
    choose["beside"].select_option("3×3 pool, stride 2, V")
    expect(verdict).to_contain_text("gives 5 too")
    choose["padding"].select_option("same")
    expect(verdict).to_contain_text("the concatenation breaks")
    expect(verdict).to_have_class(re.compile("alert"))
    expect(page.locator("rect.zero")).to_have_count(14 * 14 - 144)
    page.locator("[data-key=kernel]").select_option("7×1")
    assert page.locator(".ied-lab").bounding_box()["height"] == height  # nothing jumps
    page.wait_for_timeout(500)
    assert (
        lab.evaluate("(c.state.kernel, c.state.stride, c.state.padding)") == "((7, 1), 2, 'same')"
    )
    page.locator(".ied-convolution-page .reset").click()
    expect(verdict).to_contain_text("= 10 (V: valid")


def test_everything_by_keyboard(moving):
    page = moving.page
    place = page.locator(".ied-convolution-page .place")
    page.locator(".out svg").focus()
    page.keyboard.press("Home")
    expect(place).to_contain_text("Row 1, column 1:")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(place).to_contain_text("Row 2, column 2:")
    page.locator(".in svg").focus()
    page.keyboard.press("ArrowUp")
    expect(place).to_contain_text("is read by 9 outputs")
    page.locator(".sum svg").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("+")
    weight = page.locator("[data-weight='0,1,1'] text")
    expect(weight).to_have_text("1")
    page.keyboard.press("-")
    page.keyboard.press("-")
    expect(weight).to_have_text("−1")
    page.wait_for_timeout(500)
    assert moving.evaluate("c.state.own[0][1][1]") == "-1"
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    page.keyboard.press("b")
    page.keyboard.press("a")
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells


@pytest.mark.parametrize("theme, width", [("light", 1280), ("dark", 700)])
def test_axe_finds_nothing_and_it_fits(moving, theme, width):
    moving.resize(width, 720).theme(theme)
    moving.page.wait_for_timeout(300)
    moving.assert_accessible()
    box = moving.page.locator(".ied-lab").bounding_box()
    assert box["x"] + box["width"] <= width
    if width == 1280:
        assert box["height"] < 560


def test_a_change_takes_less_than_100_ms(moving):
    times = []
    for size in (12, 35, 20, 34, 9, 33):
        arguments = {"select": "[data-key=size]", "value": str(size)}
        if size != 12:
            times.append(moving.page.evaluate(CHANGE, arguments))
    print("slider to new picture, ms:", [round(t) for t in times])
    assert min(times) < 100
