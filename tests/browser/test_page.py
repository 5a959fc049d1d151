"""What a lab does in the page: HTML that changes in place, and keys that stay inside the lab."""

import pytest
from playwright.sync_api import expect

NUMBERS = (
    '<div class="card"><svg><polyline points="0,{0} 5,{1}"></polyline><text>{0}</text></svg>'
    "{2}<p>end</p></div>"
)
TEXTS = [
    NUMBERS.format(1, 2, ""),
    NUMBERS.format(1, 3, ""),
    NUMBERS.format(7, 3, "<ul><li>one</li></ul>"),
    NUMBERS.format(7, 3, "<ul><li>two</li><li title='x'>three &lt; 4</li></ul>"),
    "",
    "only <b>text</b>",
    NUMBERS.format(1, 2, "<ul></ul>"),
]


@pytest.fixture
def shown(lab):
    lab.open(
        lab.write(
            "changing.ipynb",
            "from inception_edu.labs.page import component\nw = component('html')(value='')\n"
            "w.add_class('shown')\n"
            f"texts = {TEXTS!r}\nw.value = texts[0]\nw",
        )
    )
    lab.run_all(seconds=120)
    expect(lab.page.locator(".shown polyline")).to_have_count(1)
    return lab


def test_what_is_shown_is_the_value_and_what_stays_the_same_is_left_alone(shown):
    page = shown.page
    page.evaluate("document.querySelector('.shown polyline').mine = true")

    def change_to(n):
        shown.evaluate(f"setattr(w, 'value', texts[{n}])")
        page.wait_for_function(
            """text => {
            const template = document.createElement('template');
            template.innerHTML = text;
            return document.querySelector('.shown').innerHTML === template.innerHTML;
        }""",
            arg=TEXTS[n],
            timeout=30_000,
        )

    for n in (1, 2, 3):
        change_to(n)
        assert page.evaluate("document.querySelector('.shown polyline').mine"), (
            "the same line, with other points"
        )
    for n in (4, 0, 5, 6, 3, 1):
        change_to(n)


@pytest.mark.parametrize(
    "module, make",
    [
        ("field", "field_lab"),
        ("comparison", "comparison_lab"),
        ("shapes", "shape_explorer"),
        ("scaling", "scaling_lab"),
        ("ensembles", "ensembles_lab"),
    ],
)
def test_arrow_keys_on_a_dropdown_do_not_walk_through_the_cells(lab, module, make):
    lab.open(
        lab.write(
            "keys.ipynb",
            "1 + 1",
            f"from inception_edu.labs.{module} import {make}\nbench = {make}()",
            "2 + 2",
        )
    )
    lab.run_all(seconds=240)
    choice = lab.page.locator(".ied-lab select").first
    expect(choice).to_be_visible()
    active = (
        "() => [...document.querySelectorAll('.jp-Notebook .jp-Cell')].findIndex("
        "c => c.classList.contains('jp-mod-active'))"
    )
    choice.evaluate("select => select.addEventListener('change', () => { window.chosen = true; })")
    choice.focus()
    cell = lab.page.evaluate(active)
    choice.press("ArrowDown")
    lab.page.wait_for_function("window.chosen")
    choice.press("ArrowUp")
    choice.press("b")  # in the notebook: a new cell
    assert lab.page.evaluate(active) == cell, "the key went to the notebook"
    assert lab.page.locator(".jp-Notebook .jp-Cell").count() == 3
