"""A real JupyterLab in a real browser, for the tests in this folder and for `make screenshots`.

    with LabServer() as server, open_browser() as browser:
        lab = Lab(browser, server)
        lab.open("notebooks/08_residual_scaling.ipynb")
        lab.run_all()
        lab.close()

The server runs on a copy of notebooks/ with configuration folders of its own, on 127.0.0.1 and a
free port, and ends with the `with` block: nothing of the repository or of the user's Jupyter
settings is read or changed.

`python tests/browser/harness.py --find` prints the browser that is used; it exits 1 where there is
none.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

try:
    import resource
except ImportError:  # Windows
    resource = None

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
)
# Root without the right to pass over the rights of files.
OBEYING = ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# Messages that JupyterLab writes to the console by itself, with no chapter open: (pattern, why it
# is harmless).
HARMLESS = (
    # Notebook 7 says these of its own menus and settings, with no chapter open.
    (r"warning: Menu entry for command .* is duplicated", "its menus"),
    (r"warning: \[yjs#509\] Not same Y.Doc", "its document"),
    (r"error: Cannot read properties of undefined \(reading 'schema'\)", "its settings"),
    (r"warning: Plugin .* (too long|[\d.]+ms) to activate", "a loaded machine starts slowly"),
    (r"warning: Item with index \d+ did not appear within 10000 ms", "its cells, on a loaded one"),
)

# Waits for what JupyterLab calls ready; its idle indicator alone shows too early.
READY = """async () => {
    const late = new Promise((_, reject) =>
        setTimeout(() => reject(Error('not ready after two minutes')), 120000));
    const w = jupyterapp.shell.currentWidget;
    const ready = async () => {
        await w.context.ready; await w.sessionContext.ready; await w.revealed;
        await w.sessionContext.session.kernel.info;
    };
    await Promise.race([ready(), late]);
}"""
RUN_ALL = """async (limit) => {
    const late = new Promise((_, reject) =>
        setTimeout(() => reject(Error('still running at the time limit')), limit));
    return await Promise.race([jupyterapp.commands.execute('notebook:run-all-cells'), late]);
}"""
CELLS = (
    """() => jupyterapp.shell.currentWidget.content.model.sharedModel.cells.map(c => c.toJSON())"""
)
# Where the last cell would end in a window in which nothing had to be scrolled.
# ipywidgets shows what a callback raises with IPython's showtraceback: keep it, where JupyterLab
# would only log it.
WATCH_CALLBACKS = """setattr(get_ipython(), "showtraceback", lambda *args, **kwargs:
    get_ipython().user_ns.setdefault("_failed_callbacks", []).append(
        repr(__import__("sys").exc_info()[1])))"""

END_OF_LAST_CELL = """() => {
    const panel = document.querySelector('.jp-WindowedPanel-outer');
    panel.scrollTo(0, panel.scrollHeight);
    const last = [...panel.querySelectorAll('.jp-Cell')].at(-1);
    const bottom = last.getBoundingClientRect().bottom + panel.scrollTop;
    panel.scrollTo(0, 0);
    return Math.ceil(bottom) + 20;
}"""
# How many pixels of a picture have a colour, and are no grey: those of curves and bands.
COLOURED = """canvas => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let found = 0;
    for (let i = 0; i < data.length; i += 4) {
        const rgb = data.slice(i, i + 3);
        if (data[i + 3] > 128 && Math.max(...rgb) - Math.min(...rgb) > 60) found += 1;
    }
    return found;
}"""
EVALUATE = """async (code) => {
    const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const future = kernel.requestExecute({code: '', silent: true, user_expressions: {value: code}});
    const late = new Promise((_, reject) =>
        setTimeout(() => reject(Error('the kernel did not answer')), 240000));
    const value = (await Promise.race([future.done, late])).content.user_expressions.value;
    if (value.status !== 'ok') throw new Error(value.ename + ': ' + value.evalue);
    return value.data['text/plain'];
}"""


def find_browser() -> str | None:
    """Path of a Chromium or Chrome: one on PATH, else the one that Playwright has fetched."""
    for name in BROWSERS:
        if shutil.which(name):
            return shutil.which(name)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.path.exists(path) else None


@contextmanager
def open_browser():
    """A headless browser; RuntimeError where there is none."""
    from playwright.sync_api import sync_playwright

    path = find_browser()
    if path is None:
        raise RuntimeError(
            "No Chromium or Chrome found: install one, or run `.venv/bin/playwright install "
            "chromium`."
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=list(FLAGS))
        yield browser
        browser.close()


def attempted(control, act) -> bool:
    """Whether something could be done to a control that was there a moment ago. By now it may be
    gone or disabled, as Stop is when its run ends: that is no fault. Raises what `act` raises where
    the control is still there."""
    from playwright.sync_api import Error

    try:
        act()
    except Error:
        if control.is_visible() and control.is_enabled():
            raise
        return False
    return True


class LabServer:
    """JupyterLab on 127.0.0.1 over a temporary copy of notebooks/ (`.folder`), at `.url`.

    `base` is the path under which it is served, as behind a hub ("/", "/user/ada/"). `app`:
    "jupyterlab", or "notebook" for Notebook 7. `obeys`: it keeps to the rights of files also where
    the tests run as root, who need not; see `lock`.
    """

    def __init__(
        self, mode: str = "quick", base: str = "/", app: str = "jupyterlab", obeys: bool = False
    ):
        self.mode, self.base, self.app = mode, base, app
        self.prefix = OBEYING if obeys and os.geteuid() == 0 else ()

    def __enter__(self):
        self._temporary = tempfile.TemporaryDirectory(prefix="lab-", ignore_cleanup_errors=True)
        base = Path(self._temporary.name)
        self.folder = base / "files"
        shutil.copytree(
            ROOT / "notebooks",
            self.folder / "notebooks",
            ignore=shutil.ignore_patterns("src", "__pycache__", ".ipynb_checkpoints", "*.py"),
        )
        settings = base / "settings" / "@jupyterlab"
        for name, values in {
            "apputils-extension/notification": {"fetchNews": "false"},
            "docmanager-extension/plugin": {"autosave": False},
        }.items():
            path = settings / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))
        private = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
        }
        environment = {
            **os.environ,
            "INCEPTION_EDU_MODE": self.mode,
            **{key: str(base / name) for key, name in private.items()},
        }
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}{self.base.rstrip('/')}"
        self.log = base / "server.log"
        with open(self.log, "wb") as log:
            self._process = subprocess.Popen(
                [
                    *self.prefix,
                    sys.executable,
                    "-m",
                    self.app,
                    "--no-browser",
                    "--allow-root",
                    "--ServerApp.ip=127.0.0.1",
                    f"--ServerApp.port={port}",
                    "--ServerApp.port_retries=0",
                    "--IdentityProvider.token=",
                    f"--ServerApp.root_dir={self.folder}",
                    f"--ServerApp.base_url={self.base}",
                    "--LabApp.expose_app_in_browser=True",
                    "--JupyterNotebookApp.expose_app_in_browser=True",
                ],
                cwd=base,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._wait()
        return self

    def lock(self):
        """From now on the folder may only be read, like a checkout that belongs to somebody else;
        `unlock` gives the right to write back."""
        self._rights(0o555, 0o444)

    def unlock(self):
        self._rights(0o755, 0o644)

    def _rights(self, folders: int, files: int):
        for path in (self.folder, *self.folder.rglob("*")):
            path.chmod(folders if path.is_dir() else files)

    def fill(self, *kernels: int, room: int | None = 0):
        """As on a full disk: the server, and kernels by their process number, can write no file
        beyond `room` bytes. None: there is room again."""
        most = resource.RLIM_INFINITY if room is None else room
        for process in (self._process.pid, *kernels):
            hard = resource.prlimit(process, resource.RLIMIT_FSIZE)[1]
            resource.prlimit(process, resource.RLIMIT_FSIZE, (most, hard))

    def _wait(self, seconds: float = 300):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/api/status", timeout=5).close()
                return
            except OSError:
                time.sleep(0.1)
        text = self.log.read_text(errors="replace")[-3000:]
        self.__exit__()
        raise RuntimeError(
            f"JupyterLab did not start within {seconds:.0f} s. Its log ends with:\n{text}"
        )

    def __exit__(self, *_):
        self._process.terminate()  # it ends its kernels first
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._temporary.cleanup()


def assert_accessible(page, css: str = ".ied-lab"):
    """axe-core finds nothing in the elements of a page that a CSS selector names."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, context=css).response["violations"]
    said = [
        f"{v['id']}: {v['help']}: {v['nodes'][0]['target']} {v['nodes'][0]['failureSummary']}"
        for v in found
    ]
    assert not said, "\n".join(said)


@contextmanager
def opened_window(browser, server):
    """A fresh window, as a `Lab`. At the end it fails if the console holds an error or a request
    left this machine."""
    lab = Lab(browser, server)
    try:
        yield lab
        # Before the kernel goes: JupyterLab complains about requests that are cut short by that.
        lab.assert_clean()
    finally:
        lab.close()


class Lab:
    """One browser window with JupyterLab, in which a test acts as a reader does."""

    def __init__(
        self, browser, server: LabServer, width: int = 1280, height: int = 900, scale: float = 1
    ):
        self.server = server
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, device_scale_factor=scale
        )
        self.page = self.context.new_page()
        self.console: list[str] = []  # errors and warnings, JupyterLab's own harmless ones left out
        self.foreign: list[str] = []  # addresses outside this machine that the page asked for
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self._note(f"error: {error}"))
        self.page.on("request", lambda request: self._on_request(request.url))
        self.page.on("websocket", lambda websocket: self._on_request(websocket.url))

    def _on_console(self, message):
        text = f"{message.type}: {message.text}"
        if message.type in ("error", "warning"):
            self._note(text, f" ({message.location.get('url', '')})")

    def _note(self, text: str, place: str = ""):
        if not any(re.search(pattern, text) for pattern, _ in HARMLESS):
            self.console.append(text + place)

    def _on_request(self, url: str):
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
            self.foreign.append(url)

    # -- notebooks --

    def open(self, notebook: str, view: str = "doc"):
        """Open `notebook` (a path under the server's folder, "notebooks/08_….ipynb") and wait until
        it can be run. `view`: "doc" for the notebook alone, "lab" with the file list beside it."""
        place = f"{view}/tree/{notebook}?reset"
        if self.server.app == "notebook":
            place = f"notebooks/{notebook}"
        self.page.goto(f"{self.server.url}/{place}", timeout=120_000)
        self.page.wait_for_function(
            "window.jupyterapp?.shell?.currentWidget?.context !== undefined", timeout=120_000
        )
        self.page.evaluate(READY)
        return self

    def write(self, name: str, *cells: str) -> str:
        """Write a notebook of code cells into the server's folder and return its path, for
        `open`."""
        import nbformat.v4 as v4

        notebook = v4.new_notebook(
            cells=[v4.new_code_cell(cell) for cell in cells],
            metadata={
                "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}
            },
        )
        path = self.server.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(notebook))
        return name

    def cells(self) -> list[dict]:
        """The cells as they are now, outputs included, in notebook format."""
        return self.page.evaluate(CELLS)

    def run_all(self, seconds: float = 600):
        """Run every cell as the menu does, and assert that each was run and none failed."""
        self.page.evaluate(READY)
        self.page.evaluate(RUN_ALL, seconds * 1000)
        code = [
            cell
            for cell in self.cells()
            if cell["cell_type"] == "code" and "".join(cell["source"]).strip()
        ]
        errors = [
            output
            for cell in code
            for output in cell["outputs"]
            if output["output_type"] == "error"
        ]
        assert not errors, f"a cell failed: {errors[0]['ename']}: {errors[0]['evalue']}"
        skipped = [n for n, cell in enumerate(code) if not cell["execution_count"]]
        assert code and not skipped, f"code cells {skipped} of {len(code)} were not run"
        return self

    def evaluate(self, expression: str) -> str:
        """The repr of a Python expression in the notebook's kernel (it waits while a cell is
        running)."""
        return self.page.evaluate(EVALUATE, expression)

    # -- looking and acting --

    def cell(self, number: int):
        """Locator of a cell, counted from 0 over all cells."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(number)

    def slider(self, label: str, within=None):
        """Locator of the handle of the slider whose description or name is `label`: press arrow
        keys, Home, End on it."""
        named = (within or self.page).get_by_role("slider", name=label, exact=True)
        return self._slider_box(label, within).get_by_role("slider").or_(named)

    def readout(self, label: str, within=None):
        """Locator of the number beside that slider; `type_into(lab.readout("scale"), "0.3")` types
        into it."""
        name = re.compile(rf"^\s*{re.escape(label)}\s*$")
        box = (within or self.page).locator(".ied-slider-text")
        box = box.filter(has=self.page.locator(".widget-label", has_text=name))
        return self._slider_box(label, within).locator(".widget-readout").or_(box.locator("input"))

    def _slider_box(self, label: str, within):
        name = self.page.locator(
            ".widget-label", has_text=re.compile(rf"^\s*{re.escape(label)}\s*$")
        )
        return (within or self.page).locator(".widget-slider").filter(has=name)

    def type_into(self, readout, text: str):
        readout.click()
        readout.press("ControlOrMeta+a")
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def button(self, label: str, within=None):
        """Locator of an ipywidgets button by its label."""
        return (within or self.page).locator(
            ".jupyter-button", has_text=re.compile(rf"^\s*{re.escape(label)}\s*$")
        )

    def theme(self, name: str):
        """ "light" or "dark"."""
        theme = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}[name]
        self.page.evaluate(
            "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", theme
        )
        self.page.wait_for_function(
            "light => document.body.dataset.jpThemeLight === light",
            arg="true" if name == "light" else "false",
        )
        return self

    def resize(self, width: int, height: int = 900):
        self.page.set_viewport_size({"width": width, "height": height})
        return self

    def screenshot(self, path, locator=None):
        """A PNG of the window, or of one locator (scrolled into view first)."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        (locator or self.page).screenshot(path=str(path))
        return path

    def pages(self, stem, height: int = 1800) -> list[Path]:
        """The whole notebook as numbered PNG pictures STEM-1.png, STEM-2.png, …, each at most
        `height` pixels high."""
        width = self.page.viewport_size["width"]
        total = 0
        while total != (total := min(self.page.evaluate(END_OF_LAST_CELL), 30_000)):
            self.resize(width, total)  # cells get their real height only when they come into view
            self.page.wait_for_timeout(500)
        paths = []
        Path(stem).parent.mkdir(parents=True, exist_ok=True)
        for number, top in enumerate(range(0, total, height), 1):
            paths.append(Path(f"{stem}-{number}.png"))
            self.page.screenshot(
                path=str(paths[-1]),
                clip={"x": 0, "y": top, "width": width, "height": min(height, total - top)},
            )
        return paths

    def press_everything(self, wait: int = 60) -> int:
        """Use every control of every lab: each entry of each list, each button, box and number,
        sliders by the keyboard, the boxes of diagrams that can be chosen, and what components have
        to press. Returns how many times something was pressed; raises where one of the kernel's
        callbacks failed."""
        self.evaluate(WATCH_CALLBACKS)
        self.resize(
            self.page.viewport_size["width"], min(self.page.evaluate(END_OF_LAST_CELL), 30_000)
        )
        self.page.wait_for_timeout(1000)  # cells are made when they come into view
        pressed = 0

        def each(selector: str):
            nonlocal pressed
            for control in self.page.query_selector_all(
                f".jp-Notebook .jp-OutputArea-output {selector}"
            ):
                if control.is_visible() and control.is_enabled():
                    yield control
                    pressed += 1
                    self.page.wait_for_timeout(wait)

        for choice in each("select"):
            number = 0
            while number < len(
                choice.query_selector_all("option")
            ):  # a choice may shorten its own list
                choice.select_option(index=number)
                number += 1
                self.page.wait_for_timeout(wait)
        for control in each("button.jupyter-button, input[type=checkbox]"):
            attempted(control, control.click)
        for handle in each(".noUi-handle"):
            handle.focus()
            for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "PageUp", "Home", "End"):
                self.page.keyboard.press(key)
                self.page.wait_for_timeout(wait)
        for number in each("input[type=text], input[type=number]"):
            number.fill("7")
            number.press("Enter")
        for box in each("svg [tabindex]"):
            if box.is_visible():
                box.focus()
                self.page.keyboard.press("Enter")
        # Buttons of components; a press may draw them anew, so they are found again each time.
        buttons = self.page.locator(".jp-Notebook .ied-lab button:not(.jupyter-button)")
        for number in range(buttons.count()):
            button = buttons.nth(number)
            if button.is_visible() and button.is_enabled():
                pressed += attempted(button, button.click)
                self.page.wait_for_timeout(wait)
        failed = self.evaluate("list(get_ipython().user_ns.get('_failed_callbacks', []))")
        assert failed == "[]", f"pressed {pressed} controls, and callbacks failed: {failed}"
        return pressed

    def assert_clean(self):
        """No error or warning in the console, no request that left this machine."""
        assert not self.foreign, f"requests left this machine: {self.foreign[:5]}"
        assert not self.console, (
            f"{len(self.console)} messages in the browser's console, first: {self.console[:3]}"
        )

    def assert_accessible(self, css: str = ".ied-lab"):
        """axe-core finds nothing in the elements that a CSS selector names."""
        assert_accessible(self.page, css)

    def close(self):
        """Shut the notebook's kernel down and close the window."""
        try:
            self.page.evaluate("() => jupyterapp.shell.currentWidget?.sessionContext?.shutdown()")
        finally:
            self.context.close()


if __name__ == "__main__":
    found = find_browser()
    print(f"browser: {found}" if found else "browser: none found")
    sys.exit(found is None)
