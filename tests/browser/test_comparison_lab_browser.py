"""The comparison lab in a real JupyterLab."""

from playwright.sync_api import expect


def test_two_networks_side_by_side(lab):
    lab.open(
        lab.write(
            "comparison.ipynb",
            "from inception_edu.labs.comparison import comparison_lab\nbench = comparison_lab()",
        )
    )
    lab.run_all(seconds=120)
    result, sentence = (
        lab.page.locator(".ied-comparison .ied-result"),
        lab.page.locator(".ied-comparison .ied-status"),
    )
    expect(result).to_contain_text("10 / 20 / 10")
    lab.page.locator(".ied-comparison select").first.select_option(label="Inception-v4")
    expect(result).to_contain_text("4 / 7 / 3")
    lab.page.locator(".ied-control-show select").select_option(label="step by step")
    expect(result).to_contain_text("inception_resnet_c_last: block")
    lab.button("Swap").click()
    expect(sentence).to_contain_text("Inception-ResNet-v2 (released) and Inception-v4")
    lab.button("Reset").click()
    expect(sentence).to_contain_text("Inception-ResNet-v2 and Inception-ResNet-v2 (released)")
    expect(result).to_contain_text("320 / 1088 / 2080")
    assert lab.evaluate("bench.state.show") == "'differing'"
    lab.assert_accessible()
    lab.theme("dark")
    lab.resize(600, 900)
    lab.page.wait_for_timeout(300)
    lab.assert_accessible()
    assert lab.page.locator(".ied-comparison").evaluate(
        "box => box.scrollWidth <= box.clientWidth + 1"
    ), "the lab is wider than a narrow window"
