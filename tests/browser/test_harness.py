"""The harness itself: it acts as a reader does, and it notices what it should notice."""

import os
from types import SimpleNamespace

import pytest
from harness import ROOT, Lab, LabServer, attempted
from playwright.sync_api import Error

LAB = """\
import ipywidgets as w
scale = w.FloatSlider(0.1, max=1.5, step=0.05, description="scale")
depth = w.IntSlider(4, description="depth")
button, answer = w.Button(description="Retrain"), w.HTML()
button.on_click(lambda _: setattr(answer, "value", f"<b>scale {scale.value:.2f}</b>"))
w.VBox([scale, depth, button, answer])"""


@pytest.fixture
def window(browser, server):
    """As `lab`, without the assertion at the end."""
    lab = Lab(browser, server)
    yield lab
    lab.close()


def test_sliders_and_buttons_reach_the_kernel(lab):
    lab.open(lab.write("sliders.ipynb", LAB)).run_all()
    lab.slider("scale").press("End")
    assert lab.evaluate("scale.value") == "1.5"
    lab.slider("scale").press("ArrowLeft")
    lab.type_into(lab.readout("depth"), "7")
    assert (lab.evaluate("scale.value"), lab.evaluate("depth.value")) == ("1.45", "7")
    lab.button("Retrain").click()
    lab.page.get_by_text("scale 1.45").wait_for()


def test_run_all_reports_an_error_and_a_time_limit(window):
    window.open(window.write("error.ipynb", "1 + 1", "1 / 0", "2 + 2"))
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        window.run_all()
    window.open(window.write("slow.ipynb", "import time; time.sleep(5)"))
    with pytest.raises(Exception, match="still running at the time limit"):
        window.run_all(seconds=1)


def test_run_all_right_after_opening_runs_every_cell(lab):
    lab.open(lab.write("many.ipynb", *[f"n = {n}" for n in range(30)])).run_all()
    assert [cell["execution_count"] for cell in lab.cells()] == list(range(1, 31))
    assert lab.evaluate("n") == "29"


@pytest.mark.parametrize(
    "html, where",
    [
        ("<img src='http://127.0.0.2:9/x.png'>", "foreign"),
        ("<img src=x onerror=\"console.error('oh')\">", "console"),
    ],
)
def test_a_foreign_request_or_a_console_message_is_noticed(window, html, where):
    window.open(
        window.write("bad.ipynb", f"from IPython.display import HTML\nHTML({html!r})")
    ).run_all()
    window.page.wait_for_timeout(1000)
    assert getattr(window, where)
    with pytest.raises(AssertionError):
        window.assert_clean()


def test_theme_width_and_pictures(lab, tmp_path):
    lab.open(lab.write("long.ipynb", *["print('x\\n' * 20)"] * 10)).theme("dark").resize(
        600
    ).run_all()
    pictures = lab.pages(tmp_path / "long")
    assert len(pictures) >= 3 and all(path.stat().st_size > 1000 for path in pictures)
    assert (
        lab.page.evaluate(
            "getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor"
        )
        == "rgb(17, 17, 17)"
    )


def test_server_leaves_the_repository_alone_and_ends():
    before = sorted((path, path.stat().st_mtime) for path in (ROOT / "notebooks").glob("*"))
    with LabServer() as server:
        assert server.folder.is_dir() and ROOT not in server.folder.parents
        process = server._process.pid
    assert not server.folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert sorted((path, path.stat().st_mtime) for path in (ROOT / "notebooks").glob("*")) == before


@pytest.mark.parametrize("there", [True, False])
def test_a_control_that_is_gone_by_now_is_no_fault(there):
    control = SimpleNamespace(is_visible=lambda: True, is_enabled=lambda: there)

    def click():
        raise Error("30 seconds are over")

    if there:
        with pytest.raises(Error):
            attempted(control, click)
    else:
        assert not attempted(control, click) and attempted(control, lambda: None)
