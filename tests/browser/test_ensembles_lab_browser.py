"""The ensembles lab in a real JupyterLab: mouse, keyboard, rows that stay, reset, the dark theme, a
narrow window."""

from playwright.sync_api import expect

CODE = """import torch
from inception_edu.labs.ensembles import Answers, ensembles_lab
kinds = [k for k in ("inception_v3", "inception_v4", "inception_resnet_v1", "inception_resnet_v2") for _ in range(5)]
labels = torch.arange(300) % 10
rows = torch.randn(20, 300, 10, generator=torch.Generator().manual_seed(0))
rows[:, torch.arange(300), labels] += 1.5
answers = Answers(labels, tuple(kinds), tuple(range(5)) * 4, {"1 crop": rows, "12 crops": 2 * rows})
bench = ensembles_lab(answers)"""


def test_members_and_crops_are_chosen_and_rows_stay(lab):
    lab.open(lab.write("ensembles.ipynb", CODE, "bench.chosen"))
    lab.run_all(seconds=120)
    shown = lab.page.locator(".ied-ensembles")
    status, picture = shown.locator(".ied-status"), shown.locator("svg.ied-ensembles-rows")
    expect(status).to_contain_text(
        "Inception-v4 (seed 0) + Inception-ResNet-v2 (seeds 0, 1, 2), 1 crop: error"
    )
    expect(picture).to_contain_text("Inception-v3 (0, 1, 2, 3) · 1 crop")

    shown.locator(".ied-kind-inception_v4").get_by_label("seed 1").check()
    expect(status).to_contain_text(
        "Inception-v4 (seeds 0, 1) + Inception-ResNet-v2 (seeds 0, 1, 2)"
    )
    first = shown.locator(".ied-kind-inception_v3").get_by_label("seed 0")
    first.focus()
    lab.page.keyboard.press("Space")  # the keyboard does it too, and Tab goes on
    expect(status).to_contain_text("Inception-v3 (seed 0) + ")
    lab.page.keyboard.press("Tab")
    expect(shown.locator(".ied-kind-inception_v3").get_by_label("seed 1")).to_be_focused()

    lab.button("12 crops").click()
    expect(picture).to_contain_text("· 12 crops")
    expect(picture).to_contain_text("Inception-v4 (0) + Inception-ResNet-v2 (0, 1, 2) · 1 crop")
    expect(shown.locator(".ied-facts tr")).to_have_count(1 + 5)
    shown.locator(".ied-control-preset select").select_option(label="all 20 members")
    expect(status).to_contain_text("all 20 members, 12 crops: error")
    assert f"{100 * float(lab.evaluate('bench.outcome.error')):.1f} %" in status.inner_text()

    lab.button("Reset").click()
    expect(shown.locator(".ied-facts tr")).to_have_count(1 + 2)
    assert lab.evaluate("bench.chosen") == "(5, 15, 16, 17)"
    lab.theme("dark")
    lab.resize(600, 900)
    expect(picture).to_be_visible()
    assert shown.evaluate("box => box.scrollWidth <= box.clientWidth + 1"), (
        "the lab is wider than a narrow window"
    )
