"""A checkout that may only be read, and a disk that is full: the labs work and train as elsewhere,
the reader is told what is not kept, and no file is half-written."""

import os
import re
import shutil

import pytest
from harness import LabServer, opened_window
from playwright.sync_api import expect

CELLS = (
    "from inception_edu.teach import check, predict\ncheck('01.2', 3)",
    "question = predict('01.test', 'Which one?', ['this', 'that'])\nquestion",
    "from inception_edu.labs.shapes import shape_explorer\nshape_explorer()",
    "from inception_edu.labs.dying import dying_lab\nlab = dying_lab(width=72, steps=12)\nlab",
)
PATIENCE = 240_000
NOT_KEPT = r"Your journal .*journal\.jsonl cannot be written: .* is not kept\."


@pytest.fixture
def lab(browser):
    if os.name != "posix" or (os.geteuid() == 0 and not shutil.which("setpriv")):
        pytest.skip("rights of files that hold for the server are known on Unix alone")
    with LabServer(obeys=True) as server, opened_window(browser, server) as lab:
        yield lab


def works(lab):
    """Every cell runs; the lab answers at once, and trains to its end."""
    lab.run_all(seconds=240)
    shapes, dying = lab.page.locator(".ied-lab").nth(0), lab.page.locator(".ied-lab").nth(1)
    shapes.scroll_into_view_if_needed()
    before = shapes.inner_text()
    shapes.get_by_role("slider").first.press("ArrowRight")
    lab.page.wait_for_function(
        "before => document.querySelector('.ied-lab').innerText !== before", arg=before
    )
    lab.page.get_by_role("button", name=re.compile("^Retrain")).click()
    expect(dying.locator(".ied-status")).to_contain_text(
        re.compile(r"\d % of the test images right"), timeout=PATIENCE
    )


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_checkout_that_may_only_be_read(lab):
    name = lab.write("reading.ipynb", *CELLS)
    before = files(lab.server.folder)
    lab.server.lock()
    try:
        lab.open(name)
        works(lab)
        expect(lab.cell(0)).to_contain_text(re.compile(NOT_KEPT))
        lab.page.get_by_role("button", name="that").click()
        expect(lab.cell(1)).to_contain_text(re.compile(f"Kept until this kernel ends.*{NOT_KEPT}"))
        assert lab.evaluate("__import__('inception_edu').teach.outcome('01.test', 'that')").count(
            "You predicted that, and so it is"
        ), "within the session a prediction is remembered"
        assert files(lab.server.folder) == before
    finally:
        lab.server.unlock()
    lab.console.clear()  # JupyterLab says there that it must not write


def test_a_full_disk(lab):
    name = lab.write("full.ipynb", *CELLS)
    lab.open(name)
    kernel = int(lab.evaluate("__import__('os').getpid()"))
    before = files(lab.server.folder)
    lab.server.fill(kernel)
    works(lab)
    expect(lab.cell(0)).to_contain_text(re.compile(NOT_KEPT))
    lab.page.evaluate("void jupyterapp.commands.execute('docmanager:save').catch(() => {})")
    dialog = lab.page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("File Save Error")  # JupyterLab's own words
    dialog.get_by_role("button").last.click()
    assert files(lab.server.folder)[name] == before[name], "the notebook is as it was before"
    lab.server.fill(kernel, room=None)  # somebody made room
    lab.page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    lab.page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    saved = files(lab.server.folder)[name]
    assert b"ied-stored" in saved and len(saved) > len(before[name])
    lab.console.clear()  # the browser says there what the server answered
