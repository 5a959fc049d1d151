"""Tables: text in a terminal, HTML in a page."""

from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

from inception_edu.describe import (
    Chain,
    Concat,
    Conv,
    InceptionA,
    InceptionB,
    InceptionResNetA_v1,
    MaxPool,
    differences,
    narrowest,
)
from inception_edu.describe.tables import Table, table
from inception_edu.teach import branches, changes, figure_costs, shapes, stages, totals
from inception_edu.teach.results import provenance


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
        "stem <b>      1,234,567   +25 %",
        "inception_a           8   −50 %",
    ]


def test_html_has_the_same_cells_escaped_and_scrolls():
    made = table(ROWS, NAMES, formats={"change": "+.0%"}, caption="Sizes & shares")
    html = made._repr_html_()
    cells = Cells(html).found
    assert [text for _, _, text in cells] == [*NAMES, "stem <b>", "1,234,567", "+25\xa0%"] + [
        "inception_a",
        "8",
        "−50\xa0%",
    ]
    assert "nowrap" in cells[4][1]["style"] and "nowrap" not in cells[3][1]["style"]
    assert "<b>" not in html and "Sizes &amp; shares" in html and "overflow-x:auto" in html
    assert "text-align:right" in cells[4][1]["style"] and "text-align:left" in cells[3][1]["style"]
    assert "#fff" not in html, "it follows the page's colours"


def test_no_line_ends_between_a_number_and_its_sign():
    cells = Cells(table([("Fig. 10 of 12", "50% to 69%")], ["figure", "share"])._repr_html_()).found
    assert [text for _, _, text in cells[2:]] == ["Fig.\xa010 of 12", "50\xa0% to 69\xa0%"]


def test_a_share_within_a_text_is_written_as_everywhere():
    (row,) = table([("60 of 100", "50% to 69%")], ["right", "interval"]).texts()
    assert row == ["60 of 100", "50 % to 69 %"]


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


def test_branches_of_a_block_and_the_sum_of_a_residual_one():
    rows = {row[0]: row[1:] for row in branches(InceptionResNetA_v1(), (256, 35, 35)).rows}
    assert list(rows) == [
        "branch 1",
        "branch 2",
        "branch 3",
        "joined",
        "linear 1×1",
        "the block",
    ]
    assert rows["joined"][0] == "35×35×96" and rows["the block"][0] == "35×35×256"
    assert rows["linear 1×1"][2] == 96 * 256 + 256  # weights and bias, no batch norm
    plain = branches(InceptionA(), (384, 35, 35))
    assert [row[0] for row in plain.rows][-2:] == ["branch 4", "the block"]
    assert sum(row[3] for row in plain.rows[:-1]) == plain.rows[-1][3]
    assert "Fig. 4" in plain.caption


def test_figures_cost_what_their_descriptions_do():
    rows = figure_costs(4, 10).rows
    assert rows[0] == ("Fig. 4", "Inception-A", "35×35×384", 317632, 387610816)
    assert rows[1][3:] == (77440, 94393984) and "Inception-ResNet-v1" in rows[1][1]
    for none in (9, 0, "5"):
        with pytest.raises(ValueError, match="The figures of blocks are 1 to 8, .*; got"):
            figure_costs(none)


def test_shapes_before_and_after_each_step():
    rows = shapes(Chain(Conv(32, 3, 2, "valid"), MaxPool(3, 2, "valid")), (3, 299, 299)).rows
    assert rows == (
        ("step 1", 'Conv(32, 3, stride=2, padding="valid")', (3, 299, 299), (32, 149, 149)),
        ("step 2", 'MaxPool(3, stride=2, padding="valid")', (32, 149, 149), (32, 74, 74)),
    )


def test_whole_networks_and_their_stages_side_by_side():
    from inception_edu.describe import inception_resnet_v1, inception_resnet_v2, inception_v4

    found = totals(inception_resnet_v2(), inception_v4(), base=inception_v4())
    assert found.columns[-1] == "Inception-v4 = 1"
    assert found.rows[1] == ("Inception-v4", 149, 42679816, 12254038792, 1.0)
    assert found.texts()[0][1:] == ["132", "32,433,928", "9,264,354,856", "0.76"]
    both = {row[0]: row[1:] for row in stages(inception_resnet_v1(), inception_resnet_v2()).rows}
    assert both["reduction_a"] == (1, (896, 17, 17), 1, (1152, 17, 17))
    assert both["inception_resnet_b"] == (10, (896, 17, 17), 10, (1152, 17, 17))


def test_changes_have_one_row_a_place():
    found = changes(differences(InceptionB("paper"), InceptionB("released")), "paper", "released")
    assert found.columns == ("where", "what", "paper", "released")
    assert found.rows[0] == ("branch 3/step 3", "kernel", "1×7", "7×1") and len(found.rows) == 5


def test_the_narrowest_place_of_a_reduction():
    pool, wide = MaxPool(3, 2, "valid"), Conv(1024, 3)
    assert narrowest(Chain(pool, wide), (384, 35, 35)) == 384 * 17 * 17
    assert narrowest(Chain(wide, pool), (384, 35, 35)) == 1024 * 17 * 17
    side_by_side = Concat(pool, Chain(Conv(8, 1), Conv(64, 3, 2, "valid")))
    assert narrowest(side_by_side, (384, 35, 35)) == 384 * 17 * 17 + 8 * 35 * 35


def test_fates_of_a_setting_are_counted_in_words():
    from types import SimpleNamespace

    from inception_edu.teach import fates

    def runs(label, *shares, first=None):
        """One run a share; it was `first` before the last quarter of the records."""
        return [
            SimpleNamespace(
                label=label,
                status="finished",
                dead={"block 1": share, "block 2": 0.0},
                maps={"dead": {} if first is None else {"block 1": [first] * 30 + [share] * 10}},
            )
            for share in shares
        ]

    found = fates(
        [*runs("wide", 0.6, 0.9, 0.2), *runs("narrow", 0.0), *runs("moving", 0.6, 0.7, first=0.7)]
    )
    assert found.columns == (
        *("setting", "fate", "its runs", "dead in the worst block"),
        "this share at the end",
    )
    assert found.rows[0] == ("wide", "differs by seed", "1 suffers, 2 die", "20 % to 90 %", "")
    assert found.rows[1] == ("narrow", "lives", "1 lives", "0 %", "")
    assert found.rows[2] == ("moving", "dies", "2 die", "60 % to 70 %", "falls in 1, level in 1")


def test_runs_that_stand_in_several_experiments_are_a_row_each_setting(monkeypatch):
    from inception_edu import study
    from inception_edu.teach import shared_runs

    files = {
        "causes": [("1", "as it is"), ("2", "as it is"), ("3", "slow")],
        "remedies": [("2", "nothing"), ("1", "nothing"), ("4", "scale 0.1")],
        "mechanism": [("1", "bare"), ("2", "bare"), ("5", "slow")],
        "scaling": [("4", "scale 0.1")],
    }
    monkeypatch.setattr(
        study,
        "load_results",
        lambda name: [SimpleNamespace(digest=d, label=label) for d, label in files[name]],
    )
    places = {name: f"Experiment {n}" for n, name in enumerate(files, 1)}
    assert [tuple(row) for row in shared_runs(places).rows] == [
        ("as it is (Experiment 1)", "nothing (Experiment 2); bare (Experiment 3)", 2),
        ("scale 0.1 (Experiment 2)", "scale 0.1 (Experiment 4)", 1),
    ]


def test_a_setting_is_compared_with_the_others_of_its_group():
    from inception_edu.study import Cell
    from inception_edu.teach import against

    cells = {
        "width 72: base": Cell("a", (0.30, 0.31, 0.32, 0.30, 0.31)),
        "width 72: more": Cell("b", (0.80, 0.81, 0.82, 0.80, 0.81)),
        "width 72: same": Cell("c", (0.30, 0.31, 0.32, 0.30, 0.31)),
        "width 9: more": Cell("d", (0.1, 0.1, 0.1, 0.1, 0.2)),
    }
    more, same = against(cells, "width 72: base", "Accuracy").rows
    assert more[0] == "more" and more[1].startswith("+50.0 points") and more[2] == "better"
    assert same[0] == "same" and same[2].startswith("no difference seen")


def test_contrasts_say_where_the_correction_decides_against_an_interval():
    from inception_edu.study import Cell, difference, holm
    from inception_edu.teach import contrasts

    def gap(*values):
        return difference(Cell("a", values), Cell("b", (0.0,) * len(values)))

    alone = {
        "near": gap(0.01, 0.02, 0.03, 0.01, 0.05),  # its interval leaves 0 out, p = 0.03
        "none": gap(0.02, -0.02, 0.01, -0.01, 0.0),
        "clear": gap(0.50, 0.51, 0.52, 0.50, 0.49),
    }
    assert alone["near"].low > 0 and alone["near"].seen == "more"
    plain = contrasts(alone, "Accuracy")
    assert plain.rows[0][2] == "better" and plain.caption == "Accuracy"

    near, none, clear = contrasts(holm(alone), "Accuracy").rows
    assert near[1] == alone["near"].text()
    assert near[2].startswith("corrected for 3 questions: no difference seen")
    assert none[2].startswith("no difference seen") and clear[2] == "better"
    assert contrasts(holm(alone), "", "higher", "lower").rows[2][2] == "higher"
    caption = contrasts(holm(alone), "Accuracy").caption
    assert caption.startswith("Accuracy. Each interval") and "Holm" in caption
    without = {name: gap for name, gap in holm(alone).items() if name != "near"}
    assert contrasts(without, "Accuracy").caption == "Accuracy"


def test_where_runs_come_from_is_told_of_all_of_them():
    def runs(count, device, steps=60, **card):
        recipe = SimpleNamespace(steps=steps)
        versions = {"torch": "2.7"} | card
        run = {"data": {"name": "a"}, "device": device, "versions": versions}
        return count * [SimpleNamespace(config=SimpleNamespace(recipe=recipe), **run)]

    cpu, gpu = runs(3, "cpu"), runs(2, "cuda", 90, card="NVIDIA H200")
    assert str(provenance(cpu)) == "3 runs of 60 steps on a, cpu, torch 2.7."
    assert str(provenance(cpu + gpu)) == (
        "5 runs of 60 to 90 steps: 3 on a, cpu, torch 2.7; 2 on a, NVIDIA H200, torch 2.7."
    )
