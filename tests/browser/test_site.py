"""The static site in a real browser, from a plain local server and from a folder of any name."""

import functools
import http.server
import os
import shutil
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

HEAVIEST = 1_500_000  # bytes of a page

OVERFLOW = """() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll('article *')]
        .filter(e => e.getBoundingClientRect().right > width + 1)
        .slice(0, 3).map(e => e.tagName + '.' + e.className);
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """(address, folder) of the site that `make site` builds, served from a folder with a space."""
    try:
        import myst_nb  # noqa: F401
        import sphinx_book_theme  # noqa: F401
    except ModuleNotFoundError:
        if os.environ.get("CI"):
            raise
        pytest.skip("make site needs its extra: pip install -e .[site]")
    import website

    website.lay_out()
    website.build()
    folder = tmp_path_factory.mktemp("host") / "über uns"
    shutil.copytree(website.SITE, folder / "course")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        # Python's own table lacks them; every web server knows them.
        extensions_map = {
            **http.server.SimpleHTTPRequestHandler.extensions_map,
            ".mjs": "text/javascript",
            ".wasm": "application/wasm",
        }

        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/course", folder / "course"
    server.shutdown()


def failed(page, request) -> None:
    """Note it, unless the browser gave up on a page's icon because the test left the page."""
    left = request.failure == "net::ERR_ABORTED" and request.url.endswith("/favicon.svg")
    if not left:
        page.trouble.append(f"failed: {request.url} ({request.failure})")


@pytest.fixture
def page(site, browser):
    """A page that notes requests to other hosts, failed ones, and everything on the console."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.trouble = []

    def note(message):
        if "[PST]" not in message.text or message.type != "log":  # the theme says what it does
            page.trouble.append(f"{message.type}: {message.text}")

    page.on("console", note)
    page.on("pageerror", lambda error: page.trouble.append(str(error)))
    page.on("requestfailed", lambda request: failed(page, request))

    def watch(route):
        url = route.request.url
        if not url.startswith((site[0].rsplit("/", 1)[0], "data:", "blob:")):
            page.trouble.append(f"foreign: {url}")
            return route.abort()
        return route.continue_()

    page.route("**/*", watch)
    yield page
    context.close()


def test_every_page_is_quiet_and_fits_a_phone(site, page):
    address, folder = site
    names = sorted(path.name for path in folder.glob("*.html"))
    assert sum(name[:2].isdigit() for name in names) >= 14
    for name in names:
        page.set_viewport_size({"width": 375, "height": 800})
        page.goto(f"{address}/{name}")
        assert page.locator("h1").first.inner_text().strip(), name
        assert page.evaluate(OVERFLOW) == [], name
        assert page.trouble == [], (name, page.trouble)
        assert (folder / name).stat().st_size < HEAVIEST, name


def test_from_the_front_page_to_the_last_chapter(site, page):
    page.goto(f"{site[0]}/index.html")
    page.locator("article").get_by_role("link", name="02 · The stem").click()
    assert page.locator("h1").first.inner_text().startswith("The stem")
    page.locator(".prev-next-footer .right-next").click()
    assert page.url.endswith("03_inception_modules.html")
    page.locator(".prev-next-footer .left-prev").click()
    assert page.url.endswith("02_stem.html")
    assert page.trouble == []


def test_search_finds_a_chapter_by_a_word(site, page):
    page.goto(f"{site[0]}/search.html?q=orientation")
    page.locator("#search-results a", has_text="Inception modules").first.wait_for()
    assert page.trouble == []


def test_the_figure_index_leads_to_the_chapter(site, page):
    page.goto(f"{site[0]}/figures.html")
    row = page.locator("tr", has_text="Fig. 3").first
    row.locator("a").click()
    assert page.url.endswith("02_stem.html")


def test_claims_have_verdicts(site, page):
    page.goto(f"{site[0]}/claims.html")
    rows = page.locator("article table").first.locator("tbody tr")
    assert rows.count() >= 10
    for words in rows.locator("td:last-child").all_inner_texts():
        assert words.strip()


def test_formulas_are_drawn_without_a_script(site, page):
    page.goto(f"{site[0]}/02_stem.html")
    formula = page.locator("math").first
    box = formula.bounding_box()
    assert (
        box["height"] > 8 and "$" not in page.locator("article p", has=formula).first.inner_text()
    )


def test_dark_mode_and_no_address_to_open_elsewhere(site, page):
    page.goto(f"{site[0]}/05_inception_v4.html")
    page.locator(".theme-switch-button").first.click()
    page.get_by_role("button", name="Dark").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert all(int(part) < 60 for part in ground.strip("rgb()").split(",")[:3])
    assert page.locator("a[href*='colab.research']").count() == 0


def test_the_cell_that_installs_and_the_machine_are_not_shown(site):
    for path in site[1].glob("[0-9]*.html"):
        text = path.read_text(encoding="utf-8")
        assert "Makes inception_edu importable" not in text


@pytest.fixture
def explorer(site, page):
    """The shape explorer of chapter 02, alive in the page."""
    if not (site[1] / "_static" / "live").exists():
        assert not os.environ.get("CI")
        pytest.skip("npm did not give Python for the browser")
    page.goto(f"{site[0]}/02_stem.html")
    place = page.locator(".ied-page-lab[data-lab=shape_explorer]")
    assert not page.evaluate(
        "performance.getEntriesByType('resource').some(e => /wasm/.test(e.name))"
    )
    place.get_by_role("button", name="Use this lab here").click()
    place.locator(".ied-lab").wait_for(timeout=240_000)
    return place


def test_a_lab_answers_in_the_page_as_in_a_notebook(explorer, page):
    from inception_edu.labs import shapes
    from inception_edu.labs.core import Session, Set

    session = Session(shapes.make("inception_v4"))
    status = explorer.locator(".ied-status")
    assert status.inner_text() == session.view.status
    typed = explorer.get_by_label("image (px), typed")
    typed.fill("74")
    typed.press("Enter")
    session.send(Set("image", 74))
    assert status.inner_text() == session.view.status and "cannot take" in status.inner_text()
    explorer.get_by_role("slider", name="image (px)").focus()
    page.keyboard.press("ArrowRight")
    assert typed.input_value() == "75" and "takes 75×75" in status.inner_text()
    typed.fill("a house")
    typed.press("Enter")
    assert "“a house” cannot be read" in explorer.locator(".ied-wrong").inner_text()
    explorer.get_by_role("button", name="Reset").click()
    assert typed.input_value() == "299" and explorer.locator(".ied-wrong").count() == 0
    assert page.trouble == []


def test_a_box_of_a_diagram_can_be_chosen_in_the_page(explorer, page):
    explorer.get_by_role("option", name="Reduction-B").click()
    assert explorer.get_by_label("block", exact=True).input_value() == "reduction_b"
    page.set_viewport_size({"width": 375, "height": 800})
    assert page.evaluate(OVERFLOW) == []
    assert page.trouble == []


def test_a_link_opens_the_lab_as_it_was(explorer, page):
    typed = explorer.get_by_label("image (px), typed")
    typed.fill("123")
    typed.press("Enter")
    said = explorer.locator(".ied-status").inner_text()
    explorer.get_by_role("button", name="copy link").click()
    address = page.url
    assert "#shape_explorer?" in address and "image=123" in address
    page.goto("about:blank")
    page.goto(address)
    explorer.get_by_role("button", name="Use this lab here, as the link has it").click()
    explorer.locator(".ied-lab").wait_for(timeout=240_000)
    assert explorer.locator(".ied-status").inner_text() == said
    assert typed.input_value() == "123" and page.trouble == []
