"""One chapter as a page, with a made-up public address: where it can be opened elsewhere, what a
link to it shows, and how the collection is cited."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
CHAPTER = "13_making_it_fast"
URL = "https://someone.example/course"


def built(tmp_path_factory, url: str) -> Path:
    """The site of one chapter, with the address of a project that does not exist."""
    if not os.environ.get("CI"):
        pytest.importorskip("sphinx_book_theme")
    import website

    stage, out = tmp_path_factory.mktemp("stage"), tmp_path_factory.mktemp("out")
    shutil.copy(ROOT / "docs" / "conf.py", stage)
    shutil.copytree(ROOT / "docs" / "_static", stage / "_static")
    shutil.copy(ROOT / "notebooks" / f"{CHAPTER}.ipynb", stage)
    (stage / "index.md").write_text(f"# A course\n\n```{{toctree}}\n{CHAPTER}\n```\n")
    if url:
        website.lay_out_previews(stage / "_static" / "previews")
    settings = os.environ | {"SITE_REPOSITORY": "https://github.com/someone/course"}
    settings["SITE_URL"] = url
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", stage, out]
    subprocess.run([*map(str, command)], check=True, env=settings)
    return out


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The HTML of a chapter, of a site that is told its address."""
    site = built(tmp_path_factory, URL)
    return (site / f"{CHAPTER}.html").read_text(encoding="utf-8"), site


@pytest.fixture(scope="module")
def without(tmp_path_factory):
    """The same of a site that is not."""
    return (built(tmp_path_factory, "") / f"{CHAPTER}.html").read_text(encoding="utf-8")


def test_a_chapter_opens_in_colab_where_the_address_is_known(page):
    html, _ = page
    there = f"github/someone/course/blob/main/notebooks/{CHAPTER}.ipynb"
    assert f"https://colab.research.google.com/{there}" in html
    assert 'href="https://github.com/someone/course"' in html


def preview(html: str) -> dict[str, str]:
    return dict(re.findall(r'<meta property="(og:[\w:]+)" content="([^"]*)"', html))


def test_a_link_to_a_page_shows_its_title_what_it_is_about_and_a_picture(page):
    html, site = page
    said = preview(html)
    assert said["og:title"] == "Making it fast" and len(said["og:description"]) > 60
    assert said["og:url"] == f"{URL}/{CHAPTER}.html"
    assert f'<link rel="canonical" href="{URL}/{CHAPTER}.html"' in html
    image = site / said["og:image"].removeprefix(f"{URL}/")
    with Image.open(image) as picture:
        assert picture.format == "PNG"
        sides = [int(said[f"og:image:{side}"]) for side in ("width", "height")]
        assert list(picture.size) == sides == [1200, 630]
        assert len(picture.convert("L").getcolors()) > 50  # words stand on it
    assert image.stat().st_size < 100_000
    front = preview((site / "index.html").read_text(encoding="utf-8"))
    assert front["og:image"] == f"{URL}/_static/previews/index.png"


def test_without_an_address_there_is_no_picture_of_a_link(without):
    said = preview(without)
    assert said["og:title"] == "Making it fast"
    assert "og:image" not in said and "og:url" not in said and "canonical" not in without


def test_an_address_that_is_none_is_refused(capsys):
    import website

    with pytest.raises(SystemExit):
        website.main(["--url", "example.org"])
    assert "begins with https://" in capsys.readouterr().err


def test_the_words_of_a_picture_have_no_marks():
    import previews

    assert previews.plain("by *hand*: [*v4*](https://a.org), `x`") == "by hand: v4, x"
    assert previews.plain("see [the race](10.ipynb)") == "see the race"


def test_the_front_page_begins_with_the_readmes_words_and_leads_nowhere_into_the_repository():
    import website

    front = website.front_page()
    assert front.startswith("# ") and "One paper" in front.split("\n\n")[1]
    assert website.pictures_of(front) == ["docs/dying_lab.png"]
    assert not re.findall(r"(?<!!)\[[^\]]*\]\((?:docs|notebooks|data)/[^)]*\)", front)


def test_the_front_page_says_how_to_cite():
    import website

    text = website.citation()
    assert "@inproceedings" in text and "Szegedy, Christian and Ioffe, Sergey" in text
    assert "@misc" in text and text.count("{") == text.count("}")


def test_a_column_without_a_head_has_a_plain_cell():
    import website

    table = '<tr><th class="head"></th><th scope="col"> <p></p> </th><th>paper</th></tr>'
    assert website.accessible(table) == "<tr><td></td><td></td><th>paper</th></tr>"


def test_links_to_files_and_into_chapters_lead_to_pages():
    import website

    text = "[a](01_some.ipynb#The-language), [b](02_other.ipynb), [c](../docs/glossary.md)"
    assert website.links_to_pages(text) == (
        "[a](01_some.ipynb#the-language), [b](02_other.ipynb), [c](glossary.md)"
    )
    rule = website.links_to_pages("by one rule (`docs/verdicts.md`)")
    assert rule == "by one rule ([How a verdict is reached](verdicts.md))"


def test_an_exercise_that_a_page_cannot_check_says_so():
    """And not that both cells are to be run again."""
    import website

    stub, check = (
        {"cell_type": "code", "source": text, "metadata": {"tags": tags}, "outputs": [output]}
        for text, tags, output in (
            ("def combine(rows):\n    return ...", ["exercise"], {"output_type": "stream"}),
            ('check("11.1", combine)', [], website.displayed("Not solved yet: run both cells")),
        )
    )
    shown = website.for_the_site({"cells": [stub, check]}, python=False)["cells"]
    assert shown[0]["outputs"] == [website.displayed(website.NOT_HERE)]
    assert shown[1]["outputs"] == []


def test_the_front_page_says_what_can_be_done_in_it():
    import website

    said = website.what_works(37, 53)
    assert "37 of 53 exercises are checked" in said and "labs work in the page" in said
    assert "labs" not in website.what_works(0, 53)


def test_a_picture_of_a_lab_says_once_that_it_is_one():
    import website

    from inception_edu.labs.host import HINT

    assert website.HINT.sub("", f"<b>a</b>{HINT}") == "<b>a</b>"
    cell = {"cell_type": "code", "source": "film(patient)", "metadata": {}}
    cell["outputs"] = [website.displayed(f"<b>a</b>{HINT}")]
    shown = website.for_the_site({"cells": [cell]}, python=False)["cells"][0]["outputs"]
    assert [o["data"]["text/html"].count("picture of the lab") for o in shown] == [0, 1]


def test_code_that_only_says_something_is_not_on_a_page():
    import website

    sources = ['say("04.parallel")', 'predict(\n  "04.a", "?")', "figure(4)", 'x = 1\nsay("a")']
    cells = [
        {"cell_type": "code", "source": text, "metadata": {}, "outputs": []} for text in sources
    ]
    shown = website.for_the_site({"cells": cells}, python=False)["cells"]
    assert [c["metadata"] for c in shown] == [{"tags": ["remove-input"]}] * 2 + [{}] * 2
