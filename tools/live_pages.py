"""What makes labs alive in a page of the site: Python for the browser, the package, the components.

`tools/website.py` calls it. Python comes from npm's package pyodide, which `npm install` puts into
dist/npm; it becomes a part of the built site and of nothing else. Without npm the site is built
without live labs.
"""

import ast
import json
import shutil
import subprocess
import sys
import zipfile
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NPM = ROOT / "dist" / "npm"
PYODIDE = "pyodide@^314"
FILES = (
    *("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm"),
    *("python_stdlib.zip", "pyodide-lock.json"),
)


def pyodide() -> Path | None:
    """The folder of Pyodide, fetched once by npm; None where that cannot be."""
    folder = NPM / "node_modules" / "pyodide"
    if not (folder / FILES[0]).exists():
        npm = shutil.which("npm")
        if npm is None:
            return None
        NPM.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(NPM), PYODIDE]
        if subprocess.run(command, capture_output=True).returncode:
            return None
    return folder


def components() -> list[str]:
    """The components of the labs: each file in web/ that has a `mount`."""
    web = ROOT / "inception_edu" / "labs" / "web"
    names = (path.stem for path in sorted(web.glob("*.js")))
    return [n for n in names if "function mount(" in (web / f"{n}.js").read_text(encoding="utf-8")]


def lay_out(static: Path) -> bool:
    """Put everything into the site's folder of static files; False where there is no Pyodide."""
    source = pyodide()
    if source is None:
        print("No live labs: npm, which fetches Python for the browser, did not give it.")
        return False
    sys.path.insert(0, str(ROOT))
    from inception_edu.labs.page import script, style

    target = static / "live"
    (target / "pyodide").mkdir(parents=True)
    for name in FILES:
        shutil.copy(source / name, target / "pyodide" / name)
    (target / "labs").mkdir()
    for name in components():
        module = script(name) + "\nexport { mount };\n"
        (target / "labs" / f"{name}.mjs").write_text(module, encoding="utf-8")
        (target / "labs" / f"{name}.css").write_text(style(name), encoding="utf-8")
    (target / "page_host.js").write_text(script("page_host"), encoding="utf-8")
    (target / "labs.css").write_text(style("lab") + style("page_host"), encoding="utf-8")
    with zipfile.ZipFile(target / "inception_edu.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((ROOT / "inception_edu").rglob("*.py")):
            archive.write(path, path.relative_to(ROOT).as_posix())
    return True


def place(source: str) -> str:
    """The place of a live lab for a cell that opens one; "" for any other cell."""
    sys.path.insert(0, str(ROOT))
    from inception_edu.labs.in_page import MODULES

    try:
        tree = ast.parse(source)
    except SyntaxError:  # a line for the shell, say
        return ""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name not in MODULES:
            continue
        try:
            arguments = [ast.literal_eval(value) for value in node.args]
            settings = {word.arg: ast.literal_eval(word.value) for word in node.keywords}
        except ValueError:  # what the lab is given was computed
            return ""
        return (
            f'<div class="ied-page-lab" data-lab="{name}" '
            f'data-settings="{escape(json.dumps(settings), quote=True)}" '
            f'data-arguments="{escape(json.dumps(arguments), quote=True)}"></div>'
        )
    return ""
