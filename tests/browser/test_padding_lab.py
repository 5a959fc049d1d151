"""The padding calculator in a real browser: sliders, dropdown, reset, and what a reader without a
kernel sees."""

import pytest

pytestmark = pytest.mark.browser


def test_a_wrong_padding_is_seen_and_mended(lab):
    lab.open(
        lab.write(
            "padding.ipynb",
            "from inception_edu.labs.padding import padding_calculator",
            'calculator = padding_calculator(15, 3, 1, 1, beside="1×1, stride 1")',
        )
    )
    lab.run_all(seconds=120)
    shown = lab.page.locator(".ied-padding")
    shown.wait_for()
    status = shown.locator(".ied-status")
    assert "can be concatenated" in status.inner_text()
    assert (
        shown.locator("svg.ied-window").get_attribute("aria-label").startswith("A row of 15 pixels")
    )
    lab.slider("padding").press("Home")
    status.get_by_text("the concatenation breaks").wait_for()
    assert status.get_by_role("alert").count() == 1
    lab.slider("kernel").press("End")
    status.get_by_text("this one 9").wait_for()
    lab.slider("stride").press("ArrowRight")
    status.get_by_text("this one 5").wait_for()
    lab.type_into(lab.readout("input"), "4")
    status.get_by_text("does not fit").wait_for()
    lab.button("Reset").click()
    status.get_by_text("can be concatenated").wait_for()
    assert lab.evaluate("calculator.state.window") == "(15, 3, 1, 1)"
