"""One chapter as a page, with a made-up public address: where it can be opened elsewhere, what a
link to it shows, and how the collection is cited."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
CHAPTER = "13_making_it_fast"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The HTML of a chapter, of a site with the address of a project that does not exist."""
    if not os.environ.get("CI"):
        pytest.importorskip("sphinx_book_theme")
    stage, out = tmp_path_factory.mktemp("stage"), tmp_path_factory.mktemp("out")
    shutil.copy(ROOT / "docs" / "conf.py", stage)
    shutil.copytree(ROOT / "docs" / "_static", stage / "_static")
    shutil.copy(ROOT / "notebooks" / f"{CHAPTER}.ipynb", stage)
    (stage / "index.md").write_text(f"# A course\n\n```{{toctree}}\n{CHAPTER}\n```\n")
    settings = os.environ | {"SITE_REPOSITORY": "https://github.com/someone/course"}
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", stage, out]
    subprocess.run([*map(str, command)], check=True, env=settings)
    return (out / f"{CHAPTER}.html").read_text(encoding="utf-8")


def test_a_chapter_opens_in_colab_where_the_address_is_known(page):
    there = f"github/someone/course/blob/main/notebooks/{CHAPTER}.ipynb"
    assert f"https://colab.research.google.com/{there}" in page
    assert 'href="https://github.com/someone/course"' in page


def test_a_link_to_a_page_shows_its_title_and_what_it_is_about(page):
    said = dict(re.findall(r'<meta property="(og:\w+)" content="([^"]*)"', page))
    assert said["og:title"] == "Making it fast" and len(said["og:description"]) > 60


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


def test_code_that_only_says_something_is_not_on_a_page():
    import website

    sources = ['say("04.parallel")', "predict(\n  1)", "figure(4)", 'x = 1\nsay("a")']
    cells = [
        {"cell_type": "code", "source": text, "metadata": {}, "outputs": []} for text in sources
    ]
    shown = website.for_the_site({"cells": cells}, live=False)["cells"]
    assert [c["metadata"] for c in shown] == [{"tags": ["remove-input"]}] * 2 + [{}] * 2
