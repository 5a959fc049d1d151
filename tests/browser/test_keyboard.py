"""All labs by keyboard alone: the Tab key reaches every control, and axe-core finds nothing, light
and dark, in a wide and a narrow window."""

import pytest

LABS = """from inception_edu.labs.convolution import convolution_lab
from inception_edu.labs.field import field_lab
from inception_edu.labs.family import family_lab
from inception_edu.labs.designer import block_designer
from inception_edu.labs.shapes import shape_explorer
from inception_edu.labs.diagram import network_diagram
from inception_edu.labs.comparison import comparison_lab
from inception_edu.labs.ensembles import ensembles_lab
from inception_edu.labs.inside import feature_maps
from inception_edu.labs.speed import speed_lab
from inception_edu.labs.scaling import scaling_lab
from inception_edu.labs.dying import dying_lab
from inception_edu.labs.race import race_lab"""
MAKE = {
    "convolution": "convolution_lab()",
    "field-lab": "field_lab('1×7 ∘ 7×1')",
    "family": "family_lab()",
    "block-designer": "block_designer('ReductionA', goal='17×17×1024')",
    "shape-explorer": "shape_explorer()",
    "network-diagram": "network_diagram()",
    "comparison": "comparison_lab()",
    "ensembles": "ensembles_lab()",
    "inside": "feature_maps()",
    "speed": "speed_lab('mini inception_v4', image=32)",
    "scaling-lab": "scaling_lab()",
    "dying-lab": "dying_lab()",
    "race-lab": "race_lab()",
}
# What the Tab key should stop at. Of a group that arrow keys walk through, one is enough.
WALK = """([css, start]) => {
    const lab = document.querySelector(css), controls = [...lab.querySelectorAll(
        'button, select, input, summary, [contenteditable=true], [tabindex="0"]')].filter(node =>
        node.checkVisibility() && !node.disabled && node.tabIndex >= 0 && node.type !== 'file');
    if (start) { controls[0].focus(); lab.walked = []; }
    const now = document.activeElement, inside = lab.contains(now);
    if (inside) lab.walked.push(now);
    const missed = controls.filter(node => !lab.walked.includes(node));
    return { inside, missed: missed.map(node => node.outerHTML.slice(0, 160)) };
}"""


@pytest.fixture(scope="module")
def all_labs(browser, server):
    from harness import opened_window

    with opened_window(browser, server) as lab:
        cells = [f"_{i} = {make}" for i, make in enumerate(MAKE.values())]
        lab.open(lab.write("all_labs.ipynb", LABS, *cells))
        lab.page.evaluate("jupyterapp.shell.collapseLeft()")
        lab.run_all(seconds=500)
        yield lab


@pytest.mark.parametrize("name", MAKE)
def test_the_tab_key_reaches_every_control(all_labs, name):
    page, css = all_labs.page, f".ied-lab.ied-{name}"
    page.locator(css).scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    found = page.evaluate(WALK, [css, True])
    for _ in range(250):
        page.keyboard.press("Tab")
        found = page.evaluate(WALK, [css, False])
        if not found["inside"]:
            break
    assert not found["missed"], f"{len(found['missed'])} controls are not reached"


# Boxes that a browser makes a stop of the Tab key because they can be scrolled by a pixel or two.
SCROLLED = """() => [...document.querySelectorAll('.ied-lab .ied-control')].filter(node =>
    /auto|scroll/.test(getComputedStyle(node).overflowX + getComputedStyle(node).overflowY)
    && (node.scrollHeight > node.clientHeight || node.scrollWidth > node.clientWidth)
).map(node => node.className)"""


def test_the_tab_key_stops_at_no_empty_box(all_labs):
    assert all_labs.page.evaluate(SCROLLED) == []


@pytest.mark.parametrize("theme, width", [("light", 1280), ("dark", 1280), ("dark", 700)])
def test_axe_finds_nothing(all_labs, theme, width):
    all_labs.resize(width, 720).theme(theme)
    all_labs.page.wait_for_timeout(500)
    said = []
    for name in MAKE:
        all_labs.page.locator(f".ied-lab.ied-{name}").scroll_into_view_if_needed()
        try:
            all_labs.assert_accessible(f".ied-lab.ied-{name}")
        except AssertionError as error:
            said.append(f"{name}: {error}")
    assert not said, "\n".join(said)
