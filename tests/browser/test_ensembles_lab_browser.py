"""The ensembles lab in a real JupyterLab: mouse, keyboard, rows, the dark theme, a narrow
window."""

from playwright.sync_api import expect

CODE = """import torch
from inception_edu.labs.ensembles import ensembles_lab
from inception_edu.study.answers import Answers
kinds = ("inception_v3", "inception_v4", "inception_resnet_v1", "inception_resnet_v2")
labels = torch.arange(300) % 10
rows = torch.randn(20, 300, 10, generator=torch.Generator().manual_seed(0))
rows[:, torch.arange(300), labels] += 1.5
said = {"1 crop": rows, "12 crops": 2 * rows}
names = tuple(kind for kind in kinds for _ in range(5))
bench = ensembles_lab(Answers(labels, names, tuple(range(5)) * 4, said))"""


def test_members_are_chosen_rows_added_and_compared(lab):
    lab.open(lab.write("ensembles.ipynb", CODE))
    lab.run_all(seconds=180)
    shown = lab.page.locator(".ied-ensembles").first
    status, rows = shown.locator(".ied-status"), shown.locator(".ied-rows")
    expect(status).to_contain_text("Inception-v4 (seed 0) + Inception-ResNet-v2 (seeds 0, 1, 2)")
    expect(rows).to_contain_text("Inception-v3 (0, 1, 2, 3) · 1 crop")
    height = shown.bounding_box()["height"]

    second = shown.get_by_role("button", name="Inception-v4, seed 1")
    second.click()
    expect(second).to_have_attribute("aria-pressed", "true")
    expect(status).to_contain_text("Inception-v4 (seeds 0, 1) + ")
    lab.page.keyboard.press("Tab")
    lab.page.keyboard.press("Space")  # the keyboard does it too: the next one
    expect(status).to_contain_text("Inception-v4 (seeds 0, 1, 2) + ")
    expect(shown.get_by_role("button", name="Inception-v4, seed 2")).to_be_focused()

    lab.button("12 crops").click()
    expect(rows).to_contain_text("· 12 crops")
    lab.button("Add as a row").click()
    expect(lab.button("Add as a row")).to_be_disabled()
    shown.locator(".ied-control-preset select").select_option(label="all 20 members")
    expect(status).to_contain_text("all 20 members, 12 crops: error")
    shown.locator(".ied-control-against select").select_option(label="row 2")
    expect(shown.locator(".ied-against")).to_contain_text("95 % interval")
    expect(shown.locator(".ied-against")).to_contain_text("It saves, for example")
    assert shown.bounding_box()["height"] == height, "nothing below it moves"
    shown.get_by_role("button", name="Inception-v4, seed 3").click()
    expect(status).to_contain_text("19 members, 12 crops: error")
    assert shown.bounding_box()["height"] == height, "nor with all but one"

    for theme in ("light", "dark"):
        lab.theme(theme)
        lab.assert_accessible(".ied-ensembles")
    lab.resize(700, 900)
    fits = "box => box.scrollWidth <= box.clientWidth + 1"
    assert shown.evaluate(fits), "the lab is wider than a narrow window"
    lab.button("Reset").click()
    expect(status).to_contain_text("Inception-v4 (seed 0) + ")
    lab.assert_clean()
