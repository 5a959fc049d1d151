"""README as a code host shows it: all that is not folded fits on one screen."""

from harness import ROOT
from markdown_it import MarkdownIt

SCREEN = 1080  # pixels high, of the commonest screen
COLUMN = 1012  # pixels wide: the text of a repository's front page
LINE = 38  # a table row with one line of text in it

# What decides heights in the style sheet of GitHub (primer/css, markdown-body).
CSS = """
body { margin: 0; overflow-wrap: break-word;
       font: 16px/1.5 -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; }
h1, h3 { margin: 24px 0 16px; font-weight: 600; line-height: 1.25; }
h1 { margin-top: 0; font-size: 2em; padding-bottom: .3em; border-bottom: 1px solid #d1d9e0; }
h3 { font-size: 1.25em; }
p, ul, table, pre, details { margin: 0 0 16px; }
ul { padding-left: 2em; } li + li { margin-top: .25em; }
table { display: block; width: max-content; max-width: 100%; overflow: auto;
        border-collapse: collapse; }
th, td { padding: 6px 13px; border: 1px solid #d1d9e0; }
td > :last-child { margin-bottom: 0; }
img { max-width: 100%; box-sizing: content-box; }
sub { font-size: 75%; line-height: 0; position: relative; bottom: -.25em; }
pre { padding: 16px; overflow: auto; font-size: 85%; line-height: 1.45; background: #f6f8fa; }
code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 85%; }
pre code { font-size: 100%; }
a { color: #0969da; text-decoration: none; }
"""
MEASURE = """() => {
    const box = e => e.getBoundingClientRect();
    const table = [...document.querySelectorAll('table')].find(t => t.querySelector('sub'));
    const picture = document.querySelector('img');
    return {
        folded: box(document.querySelector('details:last-of-type')).bottom,
        rows: [...table.querySelectorAll('tr')].map(row => box(row).height),
        wide: table.scrollWidth - table.clientWidth,
        shown: box(picture).width / picture.naturalWidth * %s,
    };
}"""


def page_of(browser, tmp_path, height=SCREEN):
    render = MarkdownIt("commonmark", {"html": True}).enable("table").render
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    head = f"<!doctype html><meta charset=utf-8><base href='{ROOT.as_uri()}/'><style>{CSS}</style>"
    file = tmp_path / "readme.html"
    file.write_text(f"{head}<article>{render(text)}</article>", encoding="utf-8")
    page = browser.new_page(viewport={"width": COLUMN, "height": height})
    page.goto(file.as_uri())
    return page


def test_what_is_not_folded_fits_on_one_screen(browser, tmp_path):
    page = page_of(browser, tmp_path)
    found = page.evaluate(MEASURE % 1.0)
    page.close()
    assert found["folded"] <= SCREEN
    assert max(found["rows"]) <= LINE and found["wide"] == 0
    assert len(found["rows"]) == 1 + len(list((ROOT / "notebooks" / "src").glob("[0-9][0-9]_*.py")))


def test_the_picture_is_shown_large_enough_to_be_read(browser, tmp_path):
    """It is stored at twice the size of the lab's own pixels."""
    page = page_of(browser, tmp_path)
    found = page.evaluate(MEASURE % 2.0)
    page.close()
    assert found["shown"] >= 0.75  # a lab's letters of 13 pixels are 10 high and more
