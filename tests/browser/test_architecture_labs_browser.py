"""The labs without training in a real JupyterLab: clicked, typed into and driven by keyboard."""

import json
import re

import pytest
from playwright.sync_api import expect

# Milliseconds from a key on the slider to the moment at which the picture has changed in the page.
SLIDE = """async ({box, picture, key}) => {
    const handle = document.querySelector(box + ' [role=slider]');
    const target = document.querySelector(picture);
    handle.focus();
    const changed = new Promise((done, late) => {
        const observer = new MutationObserver(() => { observer.disconnect(); requestAnimationFrame(() => done()); });
        setTimeout(() => late(Error(`30 s after ${key} the picture is the same; the slider is at `
                                    + handle.getAttribute('aria-valuenow'))), 30000);
        observer.observe(target, {childList: true, subtree: true, characterData: true});
    });
    const start = performance.now();
    handle.dispatchEvent(new KeyboardEvent('keydown', {key, code: key, keyCode: {ArrowRight: 39, ArrowLeft: 37}[key],
                                                       which: {ArrowRight: 39, ArrowLeft: 37}[key], bubbles: true}));
    await changed;
    return performance.now() - start;
}"""


def choose(lab, css, label):
    lab.page.locator(f"{css} select").select_option(label=label)


@pytest.fixture
def diagram(lab):
    lab.open(
        lab.write(
            "diagram.ipynb",
            "from inception_edu.labs.diagram import network_diagram\n"
            "names = []\ng = network_diagram('inception_v4', on_select=names.append)",
            "len(names)",
        )
    )
    lab.run_all(seconds=120)
    expect(lab.page.locator(".ied-picker svg")).to_be_visible()
    return lab


def test_a_click_shows_a_block_and_tells_the_chapter(diagram):
    lab = diagram
    box = lab.page.locator('.ied-picker g[data-path="inception_a"]')
    box.click()
    details = lab.page.locator(".ied-details")
    expect(details).to_contain_text("Fig. 4: Inception-A (inception_a.1)")
    expect(details).to_contain_text("317,632")
    expect(box).to_have_attribute("aria-selected", "true")
    expect(lab.page.locator(".ied-control-block select")).to_have_value("inception_a (× 4)")
    choose(lab, ".ied-control-copy", "4")
    expect(details).to_contain_text("(inception_a.4)")
    assert lab.evaluate("names") == "['inception_a.1', 'inception_a.4']"
    details.locator("summary").first.click()
    expect(details.locator("pre").first).to_contain_text("def InceptionA()")


def test_keyboard_alone_reaches_every_block(diagram):
    lab, page = diagram, diagram.page
    focused = "() => document.activeElement.dataset.path"
    page.locator('.ied-picker g[data-path="stem"]').focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert page.evaluate(focused) == "reduction_a"  # upwards as the data flows
    expect(page.locator(".ied-details")).to_contain_text("Stem")
    page.keyboard.press("Enter")
    expect(page.locator(".ied-details")).to_contain_text("Reduction-A")
    page.keyboard.press("End")
    assert page.evaluate(focused) == "inception_c"
    page.keyboard.press(" ")
    expect(page.locator(".ied-details")).to_contain_text("inception_c.1")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == "reduction_b"
    # One stop of the Tab key, on the chosen block.
    stops = page.locator('.ied-picker [tabindex="0"]')
    expect(stops).to_have_count(1)
    expect(stops).to_have_attribute("data-path", "inception_c")
    assert lab.evaluate("g.selected") == "'inception_c.1'"


def test_the_dropdown_does_the_same(diagram):
    lab = diagram
    choose(lab, ".ied-control-block", "reduction_b")
    expect(lab.page.locator(".ied-details")).to_contain_text("Reduction-B")
    expect(lab.page.locator('.ied-picker g[data-path="reduction_b"]')).to_have_attribute(
        "aria-selected", "true"
    )
    assert lab.evaluate("names[-1]") == "'reduction_b'"


def test_the_shape_explorer_follows_slider_keys_and_typing(lab):
    lab.open(
        lab.write(
            "shapes.ipynb",
            "from inception_edu.labs.shapes import shape_explorer\ns = shape_explorer()",
        )
    )
    lab.run_all(seconds=120)
    page = lab.page
    said, overview = page.locator(".ied-shape-explorer .ied-status"), page.locator(".ied-overview")
    expect(said).to_contain_text("299 → 149 → 147 → 73 → 71 → 35 → 17 → 8")
    lab.type_into(lab.readout("image (px)"), "74")
    expect(said).to_contain_text("The smallest image it can take is 75×75")
    expect(overview).to_contain_text("breaks here")
    expect(page.locator(".ied-details")).to_contain_text("reduction_b, the block that breaks")
    lab.slider("image (px)").press("ArrowRight")
    expect(said).to_contain_text("takes 75×75 images")
    expect(overview).not_to_contain_text("breaks here")
    lab.slider("image (px)").press("End")
    expect(said).to_contain_text("takes 640×640 images")
    lab.button("V everywhere").click()
    expect(said).to_contain_text("With this padding no image fits")
    lab.button("same everywhere").click()
    expect(said).to_contain_text("640 → 320")
    choose(lab, ".ied-control-network", "ResNet-152")
    expect(said).to_contain_text("ResNet-152 takes 224×224")
    choose(lab, ".ied-control-block", "conv4")
    expect(page.locator(".ied-details")).to_contain_text("conv4 in ResNet-152")
    lab.button("Reset").click()
    expect(said).to_contain_text("Inception-v4 takes 299×299")
    expect(lab.readout("image (px)")).to_have_text(
        "299"
    )  # the slider itself hears of it in a message of its own
    expect(lab.slider("image (px)")).to_have_attribute("aria-valuenow", re.compile(r"^299(\.0*)?$"))
    times = [
        page.evaluate(SLIDE, {"box": ".ied-control-image", "picture": ".ied-overview", "key": key})
        for key in ["ArrowRight", "ArrowLeft"] * 5
    ]
    print("slider to redrawn picture, ms:", json.dumps([round(t) for t in times]))
    assert min(times) < 2000  # the aim is 100 ms; a loaded machine takes longer


def test_a_block_is_redesigned_and_put_back(lab):
    lab.open(
        lab.write(
            "design.ipynb",
            "from inception_edu.labs.designer import block_designer\nd = block_designer()",
        )
    )
    lab.run_all(seconds=180)
    page = lab.page
    said, diagram = page.locator(".ied-block-designer .ied-status"), page.locator(".ied-diagram")
    diagram.locator('g[data-path="branch 3/step 2"]').click()
    expect(page.locator(".ied-control-step select")).to_have_value(re.compile("Branch 3, step 2"))
    choose(lab, ".ied-control-kernel", "5×5")
    expect(diagram).to_contain_text("5×5 Conv")
    expect(page.locator(".ied-numbers")).to_contain_text("+98,304")
    expect(page.locator(".ied-forward")).to_contain_text("1×384×35×35 came out", timeout=30_000)
    lab.type_into(page.locator(".ied-control-filters input"), "200")
    expect(diagram).to_contain_text("(200)")
    choose(lab, ".ied-control-stride", "2")
    expect(said).to_contain_text("branch 3 gives 18×18")
    expect(diagram).to_contain_text("35×35 ≠ 18×18")
    for _ in range(3):
        lab.button("Undo").click()
    expect(diagram).not_to_contain_text("5×5 Conv")
    lab.button("Redo").click()
    expect(diagram).to_contain_text("5×5 Conv")
    lab.button("Add branch").click()
    expect(diagram.locator('g[data-path^="branch 4"]')).to_have_count(2)
    lab.button("Add step").press("Enter")
    expect(diagram.locator('g[data-path^="branch 4"]')).to_have_count(3)
    page.locator(".ied-export summary").click()
    expect(page.locator(".ied-export pre")).to_contain_text("from inception_edu.describe import")
    lab.button("Reset").click()
    expect(said).to_contain_text("as the paper has it")
    assert lab.evaluate("(d.node == d.node, len(d.node.branches))") == "(True, 4)"
