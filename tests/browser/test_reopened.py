"""A notebook that was saved, closed and opened again while its kernel is gone shows the stored
picture of each lab, and says how to bring the lab back."""

import json

from playwright.sync_api import expect

LABS = {
    "convolution": "convolution_lab()",
    "field": "field_lab('1×7 ∘ 7×1')",
    "shapes": "shape_explorer()",
    "diagram": "network_diagram()",
    "designer": "block_designer('ReductionA')",
    "comparison": "comparison_lab()",
    "family": "family_lab()",
    "inside": "feature_maps()",
    "ensembles": "ensembles_lab()",
    "speed": "speed_lab('mini inception_v4', image=32)",
    "film": "death()",
    "scaling": "scaling_lab()",
    "dying": "dying_lab()",
    "race": "race_lab()",
}


def test_alive_the_labs_show_and_dead_their_pictures(lab):
    cells = [
        f"from inception_edu.labs.{module} import {make.split('(')[0]}\nlab = {make}"
        for module, make in LABS.items()
    ]
    name = lab.write("reopened.ipynb", *cells)
    lab.open(name)
    lab.run_all(seconds=400)
    alive, stored = lab.page.locator(".ied-lab"), lab.page.locator(".ied-stored")
    for number in range(len(LABS)):
        lab.cell(number).scroll_into_view_if_needed()
        expect(lab.cell(number).locator(".ied-lab").first).to_be_visible()
        expect(lab.cell(number).locator(".ied-stored")).to_be_hidden()

    lab.page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    path = lab.server.folder / name
    lab.page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    saved = json.loads(path.read_text())
    assert "widget-view" in json.dumps(saved), "the view is stored: that is what this test is about"
    lab.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    lab.open(name)
    assert lab.page.evaluate(
        "() => jupyterapp.shell.currentWidget.content.model.cells.get(0).trusted"
    ), "a notebook that ran whole is trusted"
    expect(stored.first).to_be_visible()
    lab.page.wait_for_timeout(3000)
    for number, module in enumerate(LABS):
        cell = lab.cell(number)
        cell.scroll_into_view_if_needed()
        expect(cell.locator(".ied-stored")).to_contain_text("run this cell and the lab answers")
        shown = cell.locator(".ied-stored :is(img, svg, table)").first
        expect(shown, f"the picture of {module}").to_be_visible()
        for words in ("Error displaying widget", "model not found", "Loading widget"):
            expect(cell.get_by_text(words)).to_be_hidden()
    assert alive.count() == 0
    lab.console.clear()  # JupyterLab says there that it looked for the model


def test_a_prediction_is_asked_once_alive_or_dead(lab):
    question = "predict('04.grid', 'Which one?', ['first', 'second'])"
    name = lab.write("asked.ipynb", f"from inception_edu.teach import predict\n{question}")
    lab.open(name)
    lab.run_all(seconds=200)
    alive, stored = lab.page.locator(".ied-asks"), lab.page.locator("[data-ied-stored]")
    expect(alive).to_be_visible()
    expect(stored).to_be_hidden()
    lab.page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    lab.page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    lab.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    lab.open(name)
    expect(stored).to_be_visible()
    lab.page.wait_for_timeout(3000)
    expect(stored).to_contain_text("Which one?")
    for words in ("Error displaying widget", "model not found", "Loading widget"):
        expect(lab.page.get_by_text(words)).to_be_hidden()
    lab.console.clear()  # JupyterLab says there that it looked for the model


def test_headings_of_a_stored_table_look_like_text_before_its_notebook_is_trusted(lab):
    from nbformat.v4 import new_code_cell, new_notebook, new_output

    from inception_edu.describe.tables import table

    html = table([(name, 1) for name in "abcd"], ["name", "count"])._repr_html_()
    shown = new_output("display_data", {"text/html": html})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = new_notebook(
        cells=[new_code_cell("made_elsewhere", outputs=[shown])], metadata={"kernelspec": kernel}
    )
    (lab.server.folder / "strange.ipynb").write_text(json.dumps(notebook))
    lab.open("strange.ipynb")
    look = """button => {
        const own = getComputedStyle(button);
        const red = Number(own.color.match(/\\d+/)[0]);
        return [own.backgroundColor, own.borderTopWidth, own.fontSize, red];
    }"""
    for theme, reds in (("light", range(60)), ("dark", range(200, 256))):
        lab.theme(theme)
        heading = lab.page.locator(".ied-table th button").last
        expect(heading).to_be_visible()
        background, border, size, red = heading.evaluate(look)
        assert (background, border, size) == ("rgba(0, 0, 0, 0)", "0px", "13px"), theme
        assert red in reds, f"{theme}: red {red}"


def test_a_heading_sorts_its_table(browser):
    from inception_edu.describe.tables import table

    page = browser.new_page()
    rows = [("a", 2), ("b", 10), ("d", 1), ("c", 3)]
    page.set_content(table(rows, ["name", "count"])._repr_html_())

    def names() -> str:
        return "".join(page.locator("tbody td:first-child").all_inner_texts())

    page.locator("tbody td").first.click()
    assert names() == "abdc"
    count = page.locator("th button", has_text="count")
    count.click()
    assert names() == "dacb" and page.locator("th[aria-sort=ascending]").inner_text() == "count"
    count.click()
    assert names() == "bcad" and page.locator("th[aria-sort=descending]").count() == 1
    page.locator("th button", has_text="name").focus()
    page.keyboard.press("Enter")
    assert names() == "abcd" and page.locator("th[aria-sort]").inner_text() == "name"
    page.close()
