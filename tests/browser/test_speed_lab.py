"""The speed lab in a real JupyterLab."""

from playwright.sync_api import expect


def test_a_trick_is_clocked(lab):
    lab.open(
        lab.write(
            "speed.ipynb",
            "from inception_edu.labs.speed import speed_lab\n"
            "bench = speed_lab('mini inception_v4', image=32)",
            "len(bench.found)",
        )
    )
    lab.run_all(seconds=120)
    box = lab.page.locator(".ied-speed")
    result, sentence = box.locator(".ied-result"), box.locator(".ied-status")
    expect(result).to_contain_text("folded and merged")
    box.locator("select").nth(2).select_option(label="folded")
    box.locator("select").nth(4).select_option(label="bfloat16")
    lab.button("Measure").click()
    expect(sentence).to_contain_text("folded, bfloat16. ")
    expect(result.locator("line[stroke-width='3']")).to_have_count(2)
    assert lab.evaluate("len(bench.found), bench.found[-1].error < 0.3") == "(2, True)"
    lab.button("Reset").click()
    expect(sentence).to_contain_text("press Measure")
    expect(result.locator("svg")).to_have_count(0)
    lab.theme("dark")
    lab.resize(600, 900)
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth + 1"), (
        "the lab is wider than a narrow window"
    )
