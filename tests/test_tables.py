"""Tables: text in a terminal, HTML in a page."""

from html.parser import HTMLParser

import pytest

from inception_edu.describe.tables import Table, table


class Cells(HTMLParser):
    """The texts of th and td, and their styles."""

    def __init__(self, html):
        super().__init__()
        self.found, self.open = [], None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag in ("th", "td"):
            self.open = [tag, dict(attributes), ""]

    def handle_endtag(self, tag):
        if tag in ("th", "td"):
            self.found.append(tuple(self.open))
            self.open = None

    def handle_data(self, text):
        if self.open:
            self.open[2] += text


ROWS = [("stem <b>", 1234567, 0.25), ("inception_a", 8, -0.5)]
NAMES = ["block", "parameters", "change"]


def test_text_is_aligned_numbers_at_the_right():
    text = str(table(ROWS, NAMES, formats={"change": "+.0%"}, caption="Sizes"))
    assert text.splitlines() == [
        "Sizes",
        "block        parameters  change",
        "───────────────────────────────",
        "stem <b>      1,234,567    +25%",
        "inception_a           8    −50%",
    ]


def test_html_has_the_same_cells_escaped_and_scrolls():
    made = table(ROWS, NAMES, formats={"change": "+.0%"}, caption="Sizes & shares")
    html = made._repr_html_()
    cells = Cells(html).found
    assert [text for _, _, text in cells] == [*NAMES, "stem <b>", "1,234,567", "+25%"] + [
        "inception_a",
        "8",
        "−50%",
    ]
    assert "<b>" not in html and "Sizes &amp; shares" in html and "overflow-x:auto" in html
    assert "text-align:right" in cells[4][1]["style"] and "text-align:left" in cells[3][1]["style"]
    assert "#fff" not in html, "it follows the page's colours"


def test_rows_of_all_kinds():
    by_name = table([dict(a=1, b=2), dict(a=3)])
    assert by_name.columns == ("a", "b") and by_name.texts() == [["1", "2"], ["3", ""]]
    by_mapping = table({"x": (1, 2.5), "y": (3, 4)}, ["name", "n", "m"])
    assert by_mapping.texts() == [["x", "1", "2.5"], ["y", "3", "4"]]
    shapes = table([((384, 35, 35), True, None)], ["shape", "fits", "note"])
    assert shapes.texts() == [["384×35×35", "yes", ""]]
    assert table([(1, 2)], ["a", "b"], formats={"b": lambda v: f"{v} ms"}).texts() == [
        ["1", "2 ms"]
    ]


def test_wrong_input_says_what_is_wrong():
    with pytest.raises(ValueError, match="columns"):
        table([(1, 2)])
    with pytest.raises(ValueError, match="3 columns .* but the row"):
        table([(1, 2)], NAMES)
    with pytest.raises(ValueError, match="no column 'c'"):
        table([(1, 2)], ["a", "b"], formats={"c": ","})


def test_only_tables_that_are_worth_it_can_be_sorted():
    short, long = table(ROWS, NAMES), table([*ROWS, *ROWS], NAMES)
    assert "<button" not in short._repr_html_()
    assert long._repr_html_().count("<button") == 3
    assert [c[1]["data-v"] for c in Cells(long._repr_html_()).found if "data-v" in c[1]][:2] == [
        "1234567.0",
        "0.25",
    ]


def test_measurements_and_comparisons_are_tables():
    from inception_edu.describe.measure import measure
    from inception_edu.describe.networks import inception_v4

    html = measure(inception_v4())._repr_html_()
    assert "inception_c" in html and "multiply-adds" in html and "<table" in html
    assert isinstance(table(ROWS, NAMES), Table)
