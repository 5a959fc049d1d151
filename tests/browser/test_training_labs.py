"""The labs that train, and the films, in a real JupyterLab. A test's notebook calls its lab
`bench`."""

import json
import re

import pytest
from playwright.sync_api import expect

PATIENCE = 240_000  # milliseconds: a loaded machine trains slowly, and what takes longer hangs
LABS = {
    "scaling": "scaling_lab(width=72, steps={})",
    "dying": "dying_lab(width=72, steps={})",
    "race": "race_lab(depth=2, steps={})",
}


def opened(lab, name, steps=12, make=None):
    """A notebook with the lab of labs/NAME.py in it."""
    make = make or LABS[name].format(steps)
    function = make.split("(")[0]
    lab.open(
        lab.write(
            f"{name}.ipynb",
            "import torch; torch.set_num_threads(1)",  # two workers share two cores
            f"from inception_edu.labs.{name} import {function}",
            f"bench = {make}",
            "1 + 1",
        )
    )
    lab.run_all(seconds=240)
    expect(lab.page.locator(".ied-panel canvas").first).to_be_visible()
    return lab


def status(lab):
    return lab.page.locator(".ied-lab .ied-status")


def values(lab, panel):
    """What stands in the head of a panel: the values at the cursor."""
    return lab.page.locator(f".ied-panel-{panel} .ied-value").all_inner_texts()


@pytest.mark.parametrize("name", ["scaling", "dying"])
def test_set_retrain_scrub_and_compare(lab, name):
    opened(lab, name, 40)
    box = lab.page.get_by_role("textbox", name="scale")
    box.fill("0,3")
    box.press("Enter")
    expect(box).to_have_value("0.3")
    assert lab.evaluate("bench.scale") == "0.3"
    lab.slider("scale").press("End")
    expect(box).to_have_value("1.5")
    box.fill("abc")
    box.press("Enter")
    expect(lab.page.locator(".ied-wrong")).to_contain_text("“abc” cannot be read as one")
    assert lab.evaluate("bench.scale") == "1.5" and box.input_value() == "abc"
    box.fill("1.5")  # what is set already takes the refusal away, too
    box.press("Enter")
    expect(lab.page.locator(".ied-wrong")).to_have_count(0)
    box.fill("1")
    box.press("Enter")
    width = lab.page.get_by_role("textbox", name="width, in channels").input_value()
    said = lab.slider("width, in channels")  # and not at which place of its list it stands
    expect(said).to_have_attribute("aria-valuetext", width)

    lab.page.get_by_role("button", name=re.compile("^Retrain")).click()
    expect(status(lab)).to_contain_text("guessing gives 10 %", timeout=PATIENCE)
    said = lab.page.locator(".ied-panel-loss [role=img]").get_attribute("aria-label")
    assert re.match(r"Loss\. run 1: [\d.]+ at 1, highest [\d.]+ at \d+, [\d.]+ at 40", said), said
    # One cursor: the player's first step, then a place in a curve.
    scrub = lab.page.get_by_role("slider", name="step of the run")
    scrub.press("Home")
    expect(lab.page.locator(".ied-play output")).to_have_text("step 1 of 40")
    back = lab.page.get_by_role("button", name="one record back")
    expect(back).to_have_attribute("aria-disabled", "true")
    expect(lab.page.get_by_role("button", name="one record on")).to_have_attribute(
        "aria-disabled", "false"
    )
    first = lab.evaluate("'%.2f' % bench.state.last.curves['loss'][0]").strip("'")
    assert values(lab, "loss") == [f"1: {first}"]
    place = lab.page.locator(".ied-panel-loss .u-over").bounding_box()
    lab.page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    expect(lab.page.locator(".ied-play output")).to_have_text("step 20 of 40")
    expect(lab.page.locator(".ied-cursor")).not_to_have_count(0)
    # The legend: hide, pin, rename, remove.
    lab.page.get_by_role("button", name="hide run 1").click()
    expect(lab.page.get_by_role("button", name="show run 1")).to_be_visible()
    assert lab.evaluate("bench.state.tracks[0].hidden") == "True"
    lab.page.get_by_role("button", name="show run 1").click()
    expect(lab.page.get_by_role("button", name="hide run 1")).to_be_visible()
    assert lab.evaluate("bench.state.tracks[0].hidden") == "False"
    lab.page.get_by_role("button", name="pin run 1").click()
    expect(lab.page.get_by_role("button", name="unpin run 1")).to_be_visible()
    lab.page.get_by_role("button", name="rename run 1").click()
    lab.page.get_by_role("textbox", name="new name of run 1").fill("mine")
    lab.page.keyboard.press("Enter")
    expect(lab.page.locator(".ied-legend")).to_contain_text("mine")
    expect(lab.page.get_by_role("button", name="rename run mine")).to_be_focused()
    lab.page.get_by_role("button", name="remove run mine").press("Enter")
    expect(lab.page.locator(".ied-run button[aria-label^=remove]")).to_have_count(0)
    assert lab.evaluate("len(bench.state.tracks)") == "0"
    left = lab.page.locator(".ied-legend button")  # of recorded runs, where there are any
    expect(left.first if left.count() else lab.page.locator(".ied-legend")).to_be_focused()


def test_stop_two_quick_clicks_settings_in_mid_run_and_reset(lab):
    opened(lab, "scaling", 20_000)
    retrain = lab.page.get_by_role("button", name=re.compile("^Retrain"))
    stop = lab.page.get_by_role("button", name="Stop")
    expect(stop).to_be_disabled()
    retrain.dblclick()  # one run
    expect(status(lab)).to_contain_text(re.compile(r"step \d+ of 20000"), timeout=PATIENCE)
    expect(retrain).to_be_disabled()
    box = lab.page.get_by_role("textbox", name="scale")
    box.fill("0.3")
    box.press("Enter")
    expect(lab.page.locator(".ied-control-scale")).to_contain_text("for the next run")
    assert lab.evaluate("(len(bench.state.tracks), bench.task('run').started)") == "(1, 1)", (
        "answered while the run goes on"
    )
    stop.click()
    expect(status(lab)).to_contain_text("was stopped", timeout=PATIENCE)
    expect(stop).to_be_disabled()
    retrain.click()
    expect(status(lab)).to_contain_text(re.compile(r"Run 2.*step \d+"), timeout=PATIENCE)
    reset = lab.page.get_by_role("button", name=re.compile("^Reset|^Forget"))
    reset.click()
    expect(status(lab)).to_contain_text("Reset forgets 2 runs")
    reset.click()  # in mid-run
    expect(box).to_have_value("1")
    expect(lab.page.locator(".ied-run button[aria-label^=remove]")).to_have_count(0)
    lab.evaluate("bench.wait(60)")
    assert lab.evaluate("bench.state.tracks") == "()"


@pytest.mark.parametrize("name", LABS)
def test_every_control_is_pressed(lab, name):
    """Quicker than anybody can, with a run under way too."""
    opened(lab, name, 8)
    assert lab.press_everything() >= 10
    lab.evaluate("bench.wait(120)")
    for _ in range(2):  # the widest towers of all are set now
        lab.evaluate("bench.press('reset')")
    lab.page.get_by_role("button", name=re.compile("^Retrain|^Race")).click()
    said = "test images wrong" if name == "race" else "guessing gives|diverged"
    expect(status(lab)).to_contain_text(re.compile(said), timeout=PATIENCE)
    again = lab.press_everything()
    assert again >= 12, "now with a run in the legend"


@pytest.mark.parametrize("name", LABS)
def test_a_run_under_way_has_no_cross(lab, name):
    """What cannot be removed offers no ×; when the run is over, it does."""
    opened(lab, name, 2000)
    lab.page.get_by_role("button", name=re.compile("^Retrain|^Race")).click()
    keys = lab.page.locator(".ied-run button[aria-label^=hide]:not([disabled])")
    pin = lab.page.locator(".ied-run button[aria-label^=pin]")
    cross = lab.page.locator(".ied-run button[aria-label^=remove]")
    expect(pin.first).to_be_visible(timeout=PATIENCE)
    expect(keys.first).to_be_visible()
    expect(cross).to_have_count(0)
    lab.page.get_by_role("button", name="Stop").click()
    expect(cross.first).to_be_visible(timeout=PATIENCE)
    before = pin.count()
    cross.first.click()
    expect(pin).not_to_have_count(before)


def test_what_is_taken_away(lab):
    opened(lab, "dying", 12)
    lab.page.get_by_role("button", name=re.compile("^Retrain")).click()
    expect(status(lab)).to_contain_text("guessing", timeout=PATIENCE)
    for words, name in (("CSV", "runs.csv"), ("SVG", "runs.svg"), ("PNG", "runs.png")):
        with lab.page.expect_download() as download:
            lab.page.get_by_role("button", name=words, exact=True).click()
        assert download.value.suggested_filename == name
    lab.page.get_by_role("button", name="copy as code").click()
    expect(lab.page.locator(".ied-take pre")).to_contain_text("result = run(config)")
    lab.page.get_by_role("button", name="link", exact=True).click()
    shown = lab.page.locator(".ied-take pre")
    expect(shown).to_contain_text("open_link")
    code = shown.inner_text()
    lab.open(lab.write("again.ipynb", code)).run_all(seconds=240)
    assert lab.evaluate("(lab.width, lab.state.config.recipe.steps)") == "(72, 12)"


def test_a_race_and_its_pictures(lab):
    opened(lab, "race", 8)
    expect(lab.page.locator(".ied-twelve img")).to_have_count(12)
    lab.page.get_by_role("button", name=re.compile("^Race")).click()
    expect(status(lab)).to_contain_text("test images wrong", timeout=PATIENCE)
    expect(lab.page.locator(".ied-twelve .ied-side0")).to_have_count(12)
    expect(lab.page.locator(".ied-run")).to_have_count(2)
    lab.page.get_by_label("images", exact=True).select_option("a folder …")
    expect(status(lab)).to_contain_text("Type the path")
    lab.page.get_by_label("path", exact=True).fill("/no/such/folder")
    lab.page.keyboard.press("Enter")
    expect(status(lab).get_by_role("alert")).to_contain_text("/no/such/folder")


PLACES = """() => {
    const lab = document.querySelector('.ied-lab'), top = lab.getBoundingClientRect().top;
    const parts = '.ied-control, .widget-button, .ied-panel, .ied-towers, .ied-legend, .ied-take';
    return [lab.getBoundingClientRect().height, [...lab.querySelectorAll(parts)].map(part => {
        const box = part.getBoundingClientRect();
        return [part.className, Math.round(box.left), Math.round(box.top - top)];
    })];
}"""


@pytest.mark.parametrize("name", ["dying", "scaling"])
def test_nothing_moves_and_all_of_it_fits(lab, name):
    """At rest, in a run, at its end, with a second one, and when Reset asks."""
    lab.resize(1280, 720)
    opened(lab, name, make=f"{name}_lab(width=72)")  # recorded, with all its words
    retrain = lab.page.get_by_role("button", name=re.compile("^Retrain · about"))
    expect(retrain).to_be_enabled(timeout=PATIENCE)
    lab.page.wait_for_timeout(800)
    height, places = lab.page.evaluate(PLACES)
    assert height <= 608, "more than the window shows"

    def as_before():
        now = lab.page.evaluate(PLACES)
        assert now[1] == places and now[0] == height

    for number in (1, 2):
        retrain.click()
        expect(status(lab)).to_contain_text(f"Run {number}: step", timeout=PATIENCE)
        as_before()
        expect(status(lab)).to_contain_text("guessing gives", timeout=PATIENCE)
        as_before()
    lab.page.get_by_role("button", name="Reset").click()
    expect(lab.page.get_by_role("button", name="Forget 2?")).to_be_visible()
    as_before()
    # With what nothing is recorded of, too.
    scale = lab.page.get_by_role("textbox", name="scale")
    scale.fill("0.6")
    scale.press("Enter")
    along = lab.page.locator(".ied-along", has_text="at scale 0.5: lives 72")
    inside = (
        "e => e.getBoundingClientRect().right - e.closest('.ied-control')"
        ".getBoundingClientRect().right"
    )
    expect(along.first).to_be_visible()
    assert along.first.evaluate(inside) <= 0.5, "what is known along a slider stays under it"
    lab.page.get_by_label("optimizer", exact=True).select_option("SGD")
    expect(status(lab)).to_contain_text("Nothing is recorded with SGD")
    assert lab.page.evaluate(PLACES)[0] <= height


@pytest.mark.parametrize("name", LABS)
def test_it_keeps_three_columns_beside_the_file_list(lab, name):
    """As `make lab` opens it: settings, pictures and curves side by side, and nothing cut."""
    lab.resize(1280, 720)
    make = f"{name}_lab()"
    cells = (f"from inception_edu.labs.{name} import {name}_lab", make, "1 + 1")
    lab.open(lab.write(f"{name}_wide.ipynb", *cells), view="lab")
    lab.run_all(seconds=240)
    expect(lab.page.locator(".ied-panel canvas").first).to_be_visible()
    tops, height, cut = lab.page.evaluate("""() => {
        const lab = document.querySelector('.ied-lab'), of = e => e.getBoundingClientRect();
        const columns = [...lab.querySelectorAll('.ied-row > .ied-column')];
        const heads = [...lab.querySelectorAll('.ied-panel-head')];
        return [columns.map(column => Math.round(of(column).top)), of(lab).height,
            heads.filter(head => [...head.querySelectorAll('.ied-value')]
                .some(value => of(value).right > of(head).right + 1)).length];
    }""")
    assert len(tops) == 3 and len(set(tops)) == 1
    assert height <= 690 and not cut


def test_one_step_is_read_in_every_panel(lab):
    """The cursor stands in all of them, with the values of the runs at its step."""
    opened(lab, "dying", 12)
    lab.page.get_by_role("button", name=re.compile("^Retrain")).click()
    expect(status(lab)).to_contain_text("guessing", timeout=PATIENCE)
    place = lab.page.locator(".ied-panel-dead .u-over").bounding_box()
    lab.page.mouse.move(place["x"] + place["width"] / 3, place["y"] + place["height"] / 2)
    expect(lab.page.locator(".ied-play output")).to_have_text("step 4 of 12")
    at = lab.evaluate("bench.state.last.steps.index(4)")
    for panel in ("loss", "push", "logits"):
        number = float(lab.evaluate(f"bench.state.last.curves[{panel!r}][{at}]"))
        said = values(lab, panel)[-1]  # after what earlier and recorded runs had at this step
        digits = len(said.partition(".")[2])
        assert float(said.removeprefix("1: ").replace("−", "-")) == pytest.approx(
            number, abs=0.51 * 10**-digits
        )
        expect(lab.page.locator(f".ied-panel-{panel} .ied-cursor")).to_be_visible()
    for panel in ("accuracy", "dead"):
        assert values(lab, panel)[0].endswith("%")


def test_a_film_plays_without_a_kernel(lab):
    opened(lab, "film", make="death()")
    lab.page.evaluate(
        "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()"
    )
    stops = lab.page.locator(".ied-stops button")
    expect(stops.first).to_be_visible()
    caption = lab.page.locator(".ied-caption")
    heights = set()
    for number in reversed(range(stops.count())):  # what stands below the caption does not move
        stops.nth(number).click()
        heights.add(lab.page.locator(".ied-lab").bounding_box()["height"])
    assert len(heights) == 1
    expect(caption).to_contain_text("Overshoot")
    before = lab.page.locator(".ied-play output").inner_text()
    lab.page.get_by_role("button", name="play", exact=True).click()
    expect(lab.page.locator(".ied-play output")).not_to_have_text(before)
    expect(caption).to_contain_text("Dark", timeout=60_000)
    share = lab.page.locator(".ied-tower").first.locator(".ied-share").first  # block 10
    expect(share).to_contain_text(re.compile(r"9\d|100"))
    scrub = lab.page.get_by_role("slider", name="step of the run")
    scrub.press("Home")
    expect(share).to_have_text("0")
    scrub.press("Space")  # the keyboard alone plays and pauses
    expect(lab.page.get_by_role("button", name="pause", exact=True)).to_be_visible()
    scrub.press("Space")
    expect(lab.page.get_by_role("button", name="play", exact=True)).to_be_visible()
    # Another film begins at its end, and its curves show no step of the one before.
    expect(lab.page.locator(".ied-panel-loss .ied-cursor")).to_be_visible()
    lab.page.get_by_label("run", exact=True).select_option(index=1)
    expect(lab.page.locator(".ied-play output")).to_have_text("step 60 of 60")
    expect(lab.page.locator(".ied-panel-loss .ied-cursor")).to_be_hidden()
    expect(lab.page.locator(".ied-panel-loss .ied-dot")).to_have_count(0)


@pytest.mark.parametrize("name", LABS)
def test_a_restarted_kernel_is_said(lab, name):
    opened(lab, name, 20_000)
    lab.page.get_by_role("button", name=re.compile("^Retrain|^Race")).click()
    expect(status(lab)).to_contain_text(re.compile(r"step \d+ of"), timeout=PATIENCE)
    lab.page.evaluate(
        "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
    )
    expect(lab.page.locator(".ied-gone")).to_contain_text("The kernel was restarted")
    lab.console.clear()  # JupyterLab writes there that its connection closed


@pytest.mark.parametrize("name", ["scaling", "dying", "race", "film"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_and_it_fits(lab, name, theme):
    opened(lab, name, 2000, make="death()" if name == "film" else None).theme(theme)
    if name != "film":
        button = lab.page.get_by_role("button", name=re.compile("^Retrain|^Race"))
        expect(button).to_be_enabled()
        button.click()
        expect(status(lab)).to_contain_text(re.compile(r"step \d+ of"), timeout=PATIENCE)
        lab.page.get_by_role("button", name="Stop").click()
        expect(status(lab)).to_contain_text("was stopped", timeout=PATIENCE)
    for width in (1280, 700):
        lab.resize(width, 720)
        lab.page.wait_for_timeout(800)
        lab.assert_accessible()
        box = lab.page.locator(".ied-lab").evaluate("e => [e.scrollWidth, e.clientWidth]")
        assert box[0] <= box[1] + 1, f"the lab is wider than its place: {box}"
        if width == 1280:
            height = lab.page.locator(".ied-lab").evaluate("e => e.getBoundingClientRect().height")
            assert height <= 608, f"{height} pixels high: more than the window shows"
    card = lab.page.locator(".ied-lab").evaluate("e => getComputedStyle(e).backgroundColor")
    light = sum(json.loads(f"[{card[card.index('(') + 1 : -1]}]")[:3]) > 380
    assert light == (theme == "light"), card
