"""The architecture labs in a real JupyterLab: clicked, typed into and driven by keyboard."""

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
        const observer = new MutationObserver(() => {
            observer.disconnect();
            requestAnimationFrame(() => done());
        });
        setTimeout(() => late(Error(`30 s after ${key} the picture is the same; the slider is at `
                                    + handle.getAttribute('aria-valuenow'))), 30000);
        observer.observe(target, {childList: true, subtree: true, characterData: true});
    });
    const code = {ArrowRight: 39, ArrowLeft: 37}[key], start = performance.now();
    handle.dispatchEvent(new KeyboardEvent('keydown', {key, code: key, keyCode: code, which: code,
                                                       bubbles: true}));
    await changed;
    return performance.now() - start;
}"""


def choose(lab, css, label):
    lab.page.locator(f"{css} select").select_option(label=label)


def fits(lab, theme, width, height):
    """Axe-core finds nothing, and the lab stays inside the window."""
    lab.resize(width, 720).theme(theme)
    lab.page.wait_for_timeout(500)
    lab.assert_accessible()
    box = lab.page.locator(".ied-lab").bounding_box()
    assert box["x"] + box["width"] <= width
    if width == 1280:
        assert box["height"] <= height


SIZES = pytest.mark.parametrize("theme, width", [("light", 1280), ("dark", 700)])


# --- Network diagram ------------------------------------------------------------------------------


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
    expect(lab.page.locator(".ied-diagram-page svg")).to_be_visible()
    return lab


def test_a_click_shows_a_block_and_tells_the_chapter(diagram):
    lab = diagram
    box = lab.page.locator('.ied-diagram-page g[data-path="inception_a"]')
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
    page.locator('.ied-diagram-page g[data-path="stem"]').focus()
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
    stops = page.locator('.ied-diagram-page [tabindex="0"]')
    expect(stops).to_have_count(1)
    expect(stops).to_have_attribute("data-path", "inception_c")
    assert lab.evaluate("g.selected") == "'inception_c.1'"


def test_the_list_does_the_same(diagram):
    lab = diagram
    choose(lab, ".ied-control-block", "reduction_b")
    expect(lab.page.locator(".ied-details")).to_contain_text("Reduction-B")
    expect(lab.page.locator('.ied-diagram-page g[data-path="reduction_b"]')).to_have_attribute(
        "aria-selected", "true"
    )
    assert lab.evaluate("names[-1]") == "'reduction_b'"


@SIZES
def test_the_diagram_is_accessible_and_fits(diagram, theme, width):
    fits(diagram, theme, width, 640)


# --- Shape explorer -------------------------------------------------------------------------------


@pytest.fixture
def shapes(lab):
    lab.open(
        lab.write(
            "shapes.ipynb",
            "from inception_edu.labs.shapes import shape_explorer\ns = shape_explorer()",
        )
    )
    lab.run_all(seconds=120)
    expect(lab.page.locator(".ied-status")).to_contain_text("takes 299×299")
    return lab


def test_the_shape_explorer_follows_slider_keys_and_typing(shapes):
    lab, page = shapes, shapes.page
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
    choose(lab, ".ied-control-padding", "V everywhere")
    expect(said).to_contain_text("With this padding no image fits")
    choose(lab, ".ied-control-padding", "same everywhere")
    expect(said).to_contain_text("640 → 320")
    choose(lab, ".ied-control-network", "ResNet-152")
    expect(said).to_contain_text("ResNet-152 takes 224×224")
    page.locator('.ied-overview g[data-path="conv4"]').click()
    expect(page.locator(".ied-details")).to_contain_text("conv4 in ResNet-152")
    expect(page.locator(".ied-control-block select")).to_have_value("conv4")
    lab.button("Reset").click()
    expect(said).to_contain_text("Inception-v4 takes 299×299")
    expect(lab.readout("image (px)")).to_have_value("299")
    expect(lab.slider("image (px)")).to_have_attribute("aria-valuenow", re.compile(r"^299(\.0*)?$"))
    times = [
        page.evaluate(SLIDE, {"box": ".ied-control-image", "picture": ".ied-overview", "key": key})
        for key in ["ArrowRight", "ArrowLeft"] * 5
    ]
    print("slider to redrawn picture, ms:", json.dumps([round(t) for t in times]))
    assert min(times) < 2000  # the aim is 100 ms; a loaded machine takes longer


def test_slider_and_result_are_seen_together(shapes):
    """At 1280×720, with the whole lab scrolled into view."""
    shapes.resize(1280, 720)
    page = shapes.page
    page.locator(".ied-shape-explorer").scroll_into_view_if_needed()
    for css in (".ied-control-image", ".ied-status", ".ied-overview svg", ".ied-details svg"):
        box = page.locator(f".ied-shape-explorer {css}").first.bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= 720, (css, box)


def test_its_height_is_the_same_for_every_block(shapes):
    shapes.resize(1280, 720).page.evaluate("jupyterapp.shell.collapseLeft()")
    shapes.page.wait_for_timeout(500)
    heights = {}
    for block in ("stem", "inception_b", "reduction_a"):
        shapes.page.locator(f'.ied-overview g[data-path="{block}"]').click()
        expect(shapes.page.locator(".ied-details")).to_contain_text(f"{block} in Inception-v4")
        heights[block] = round(shapes.page.locator(".ied-shape-explorer").bounding_box()["height"])
    assert len(set(heights.values())) == 1, heights


@SIZES
def test_the_shape_explorer_is_accessible_and_fits(shapes, theme, width):
    fits(shapes, theme, width, 620)


# --- Block designer -------------------------------------------------------------------------------


@pytest.fixture
def design(lab):
    lab.open(
        lab.write(
            "design.ipynb",
            "from inception_edu.labs.designer import block_designer\n"
            "d = block_designer('InceptionA', goal='branch 3 sees 5×5')",
        )
    )
    lab.run_all(seconds=180)
    expect(lab.page.locator(".ied-diagram-page svg")).to_be_visible()
    return lab


def test_a_block_is_redesigned_and_put_back(design):
    lab, page = design, design.page
    said, diagram = page.locator(".ied-block-designer .ied-status"), page.locator(".ied-diagram")
    goal = page.locator(".ied-goal")
    expect(goal).to_contain_text("Not yet: Branch 3 sees 3×3")
    diagram.locator('g[data-path="branch 3/step 2"]').click()
    expect(page.locator(".ied-control-step select")).to_have_value(re.compile("Branch 3, step 2"))
    choose(lab, ".ied-control-kernel", "5×5")
    expect(diagram).to_contain_text("5×5 Conv")
    expect(page.locator(".ied-numbers")).to_contain_text("+30.9%")
    expect(goal).to_contain_text("Reached. Notice: it has 131 % of the parameters")
    lab.button("Run it").click()
    expect(page.locator(".ied-forward")).to_contain_text("1×384×35×35 came out", timeout=60_000)
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
    lab.button("Reset").click()
    expect(said).to_contain_text("as the paper has it")
    assert lab.evaluate("(d.state.at, len(d.state.node.branches))") == "(0, 4)"


def test_a_box_tells_its_formula_when_pointed_at_or_reached_by_tab(design):
    page = design.page
    fact = page.locator(".ied-diagram .fact")
    page.locator('.ied-diagram g[data-path="branch 4/step 2"]').hover()
    expect(fact).to_contain_text("64 × 96 × 3×3 = 55,296 weights")
    page.locator(".ied-goal").hover()
    expect(fact).to_contain_text("Branch 1, step 1")
    page.locator('.ied-diagram [tabindex="0"]').focus()
    page.keyboard.press("End")
    expect(fact).to_contain_text("96 × 96 × 3×3 = 82,944 weights")


def test_code_is_shown_and_a_text_is_read_back(design):
    page = design.page
    page.locator(".ied-code summary").click()
    code = page.locator(".ied-code pre")
    expect(code).to_contain_text("from inception_edu.describe import")
    page.locator(".ied-code button").click()
    expect(page.locator(".ied-code .done")).to_have_text(re.compile("Copied|Marked"))
    paste = page.locator(".ied-control-text input")
    paste.fill("__import__('os')")
    paste.press("Enter")
    expect(page.locator(".ied-control-text .ied-note")).to_contain_text("There is no '__import__'")
    paste.fill("block = Concat(Conv(8, 1), Conv(8, 3))")
    paste.press("Enter")
    expect(page.locator(".ied-status")).to_contain_text("read from your text")
    expect(page.locator('.ied-diagram g[data-path^="branch"]')).to_have_count(2)


@SIZES
def test_the_designer_is_accessible_and_fits(design, theme, width):
    fits(design, theme, width, 605)


# Where the arrow keys lead to from each box: {path: {key: path}}.
KEYS = """() => {
    const boxes = [...document.querySelectorAll('.ied-diagram [role=option]')];
    const now = () => document.activeElement.dataset.path;
    return Object.fromEntries(boxes.map(box => [box.dataset.path, Object.fromEntries(
        ['ArrowUp', 'ArrowDown', 'ArrowLeft', 'ArrowRight'].map(key => {
            box.focus();
            box.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
            return [key, now()];
        }))]));
}"""


@pytest.mark.parametrize("block", ["InceptionB", "InceptionC", "StemV4"])
def test_arrow_keys_follow_the_branches(design, block):
    choose(design, ".ied-control-block", block)
    first = ".ied-diagram [role=option]"
    expect(design.page.locator(first).first).to_be_visible()
    design.page.wait_for_timeout(800)
    leads = design.page.evaluate(KEYS)
    if block == "InceptionB":
        assert leads["branch 3/step 1"]["ArrowUp"] == "branch 3/step 2"
        assert leads["branch 3/step 2"]["ArrowUp"] == "branch 3/step 3"
        assert leads["branch 3/step 3"]["ArrowUp"] == "branch 3/step 3", "the branch ends there"
        assert leads["branch 2"]["ArrowUp"] == "branch 2", "its only step"
        assert leads["branch 3/step 2"]["ArrowDown"] == "branch 3/step 1"
        assert leads["branch 3/step 2"]["ArrowRight"] == "branch 4/step 2"
        assert leads["branch 2"]["ArrowLeft"] == "branch 1/step 1"
    for start in leads:
        reached, new = set(), {start}
        while new:
            reached |= new
            new = {to for box in new for to in leads[box].values()} - reached
        assert reached == set(leads), f"not reached from {start}: {set(leads) - reached}"
