"""The labs that train, shown by VS Code's own widget managers: npm's `@vscode/jupyter-ipywidgets8`
and `…7`, which its Jupyter extension loads for ipywidgets 8 and 7. The kernel is a real one; in the
second case it has Colab's ipywidgets 7.7.1. VS Code itself, its notebook and the way it hands
messages on, is not there: `vscode_host.js` does their part."""

import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from harness import COLOURED, ROOT, assert_accessible
from playwright.sync_api import expect

sys.path.insert(0, str(ROOT / "tools"))
from live_pages import tool  # noqa: E402

FOLDER = ROOT / "dist" / "npm-vscode"
PACKED = ("@vscode/jupyter-ipywidgets8", "@vscode/jupyter-ipywidgets7", "requirejs")
BUNDLED = ("@jupyterlab/services", "path-browserify", "esbuild")
HERE = Path(__file__).parent
PATIENCE = 240_000
PAGE = """<!doctype html><meta charset="utf-8">
<body class="vscode-{theme}" data-vscode-theme-kind="vscode-{theme}" style="background:{ground}">
<script src="/vscode/host.js"></script><script src="/vscode/require.js"></script>
<style>.cell-output-ipywidget-background {{ background: white !important; }}</style>
<script type="module">
import {{ activate }} from "/vscode/ipywidgets{version}.js";
activate();
host.begin({url}, {kernel}, {version}).then(
    () => {{ document.body.dataset.begun = "yes"; }},
    error => {{ document.body.dataset.begun = String(error.stack || error); }});
</script>"""


def fetched() -> dict[str, bytes]:
    """The page's scripts by name: VS Code's managers and require.js as npm packs them, and the
    stand-in with JupyterLab's client of a kernel in it."""
    npm, node = tool("npm"), tool("node")
    if npm is None or node is None:
        pytest.skip("npm was not found, and VS Code's widget managers come from it")
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "package.json").write_text("{}")
    for command in (["pack", *PACKED], ["install", "--no-audit", "--no-fund", *BUNDLED]):
        done = subprocess.run([npm, *command], cwd=FOLDER, capture_output=True, text=True)
        if done.returncode and not os.environ.get("CI"):
            pytest.skip(f"npm did not give what this test needs: {done.stderr[-300:]}")
        assert done.returncode == 0, done.stderr[-2000:]
    found = {}
    for name, inner, pattern in (
        ("ipywidgets8.js", "package/dist/ipywidgets.js", "vscode-jupyter-ipywidgets8-*.tgz"),
        ("ipywidgets7.js", "package/dist/ipywidgets.js", "vscode-jupyter-ipywidgets7-*.tgz"),
        ("require.js", "package/require.js", "requirejs-*.tgz"),
    ):
        newest = max(FOLDER.glob(pattern), key=lambda path: path.stat().st_mtime)
        with tarfile.open(newest) as archive:
            found[name] = archive.extractfile(inner).read()
    bundler = [FOLDER / "node_modules" / ".bin" / "esbuild", HERE / "vscode_host.js", "--bundle"]
    options = ["--format=iife", "--global-name=host", "--alias:path=path-browserify"]
    where = {**os.environ, "NODE_PATH": str(FOLDER / "node_modules")}
    found["host.js"] = subprocess.run(
        [*map(str, bundler), *options], cwd=FOLDER, env=where, check=True, capture_output=True
    ).stdout
    return found


@pytest.fixture(scope="module")
def scripts():
    return fetched()


def kernel_spec(server, python) -> str:
    """Tell the server of a kernel with this Python; its name."""
    spec = server.folder.parent / "data" / "kernels" / "widgets7" / "kernel.json"
    spec.parent.mkdir(parents=True, exist_ok=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    places = {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(spec.parent / "ipython")}
    said = {"argv": argv, "display_name": "ipywidgets 7", "language": "python", "env": places}
    spec.write_text(json.dumps(said))
    return spec.parent.name


@pytest.fixture
def opened(request, browser, server, scripts):
    """open(version, theme) → a page of VS Code's widgets, with `run(code)` and `trouble`."""
    from importlib.util import find_spec

    contexts = []

    def open_page(version: int, theme: str):
        kernel = "python3"
        if version == 7:
            kernel = kernel_spec(server, request.getfixturevalue("colab_python"))
        context = browser.new_context(viewport={"width": 1280, "height": 720})
        contexts.append(context)
        context.request.get(f"{server.url}/lab")  # for its cookie
        page, trouble = context.new_page(), []
        page.on("pageerror", lambda error: trouble.append(str(error)))
        # The package says with `console.error` that it begins.
        page.on(
            "console",
            lambda m: (
                m.type == "error"
                and "ipywidgets" not in m.text
                and trouble.append(f"{m.text} ({m.location.get('url', '')})")
            ),
        )
        ground = {"light": "#ffffff", "dark": "#1f1f1f"}[theme]
        known = dict(theme=theme, version=version, ground=ground)
        html = PAGE.format(url=json.dumps(server.url), kernel=json.dumps(kernel), **known)
        anywidget = next(Path(sys.prefix).glob("share/jupyter/nbextensions/anywidget/index.js"))

        def answer(route):
            name = route.request.url.rpartition("/")[2]
            # What is not there: pictures of widgets that the labs do not use.
            route.fulfill(body=scripts.get(name, b""), content_type="text/javascript")

        page.route("**/vscode/**", answer)
        page.route("**/nbextensions/anywidget/index.js", lambda r: r.fulfill(path=str(anywidget)))
        # Only a page that the server sent may open a websocket to it: another text is put there.
        page.goto(f"{server.url}/static/style/bootstrap.min.css")
        page.set_content(html)
        page.wait_for_function("document.body.dataset.begun", timeout=PATIENCE)
        assert page.evaluate("document.body.dataset.begun") == "yes"
        assert find_spec("anywidget"), "the labs' components are anywidget's"
        return SimpleNamespace(
            page=page, trouble=trouble, run=lambda code: page.evaluate("code => cell(code)", code)
        )

    yield open_page
    for context in contexts:
        context.close()


LABS = {
    "scaling": ("scaling_lab(width=72, steps=12)", "Retrain", "guessing gives 10 %", "loss"),
    "race": ("race_lab(depth=2, steps=8)", "Race", "test images wrong", "error"),
}


@pytest.mark.parametrize("version, theme", [(8, "dark"), (7, "light")])
@pytest.mark.parametrize("name", LABS)
def test_a_lab_trains_and_its_chart_shows_it(opened, name, version, theme):
    make, start, end, panel = LABS[name]
    there = opened(version, theme)
    page = there.page
    function = make.split("(")[0]
    there.run("import ipywidgets, torch; torch.set_num_threads(1)")
    there.run(f"assert ipywidgets.__version__.startswith('{version}.'), ipywidgets.__version__")
    there.run(f"from inception_edu.labs.{name} import {function}\nbench = {make}")
    lab = page.locator(".ied-lab")
    expect(lab).to_have_count(1)
    expect(page.locator("[data-ied-stored]")).to_be_hidden()
    canvas = page.locator(f".ied-panel-{panel} canvas")
    expect(canvas).to_be_visible()
    card = lab.evaluate("e => getComputedStyle(e).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", card)[:3])) < 380) == (theme == "dark"), card
    assert canvas.evaluate(COLOURED) == 0, "nothing is known of so short a run"

    scale = page.get_by_role("textbox", name=re.compile("scale$"))
    scale.fill("0,5")
    scale.press("Enter")
    expect(scale).to_have_value("0.5")
    button = page.get_by_role("button", name=re.compile(f"^{start}"))
    expect(button).to_be_enabled(timeout=PATIENCE)
    button.click()
    expect(page.locator(".ied-status")).to_contain_text(end, timeout=PATIENCE)
    drawn = page.locator(f".ied-panel-{panel} [role=img]")
    expect(drawn).to_have_attribute("aria-label", re.compile(r"run 1.?: [\d.]+( %)? at 1, "))
    assert canvas.evaluate(COLOURED) > 100, "a curve"
    there.run("assert bench.scale == 0.5")
    page.get_by_role("button", name="CSV", exact=True).click()
    page.wait_for_function("saved.length === 1")
    assert page.evaluate("saved[0]")[0] == "runs.csv"
    assert_accessible(page)  # the words of every part are told from its ground
    assert there.trouble == []
