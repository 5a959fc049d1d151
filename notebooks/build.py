"""Chapters: from notebooks/src/NN_name.py to the executed notebooks/NN_name.ipynb.

    python notebooks/build.py                 build every stale chapter: its source, the code it
                                              runs or a result file it reads has changed
    python notebooks/build.py 03 08           only these
    python notebooks/build.py --force         also those that are not stale
    python notebooks/build.py --check         build nothing; exit 1 where a chapter is stale
    python notebooks/build.py --no-execute    transform only, keep no outputs (to try the markup)
    python notebooks/build.py --force --machine "two cores, no GPU"
                                              keeps what each chapter took in data/machines
    python notebooks/build.py --mode quick    sets INCEPTION_EDU_MODE (default: standard)
    python notebooks/build.py --student       dist/student: chapters without any solution
    python notebooks/build.py --solutions     dist/solutions: chapters with the exercises solved
    python notebooks/build.py --slides        dist/slides: a slide show for each chapter
    python notebooks/build.py --handout       dist/handout: a PDF for each chapter
    python notebooks/build.py --colab         write dist/inception_edu_colab.zip

A source is a Python file with cells in the percent format (`# %%` code, `# %% [markdown]` text).
Its first cell is text: the heading, then a paragraph that says what the chapter covers; README's
table has the heading, and what `teach/chapters.py` says of the chapter. The build adds a line on
the time a chapter takes (`minutes.py`), one on what comes before it, a Colab link where
pyproject.toml names the project's address, and after it the cell that makes the package importable.
The tag `hide-input`
(`# %% tags=["hide-input"]`) folds a cell's code in JupyterLab and in Colab, where a first line
`# @title …` is shown instead. The site's front page shows the first picture of the cell tagged
`picture`, or else of the chapter; it is kept in notebooks/pictures.

Exercises are one cell each; `markup.py` says how they are written.

Stamps
------
A built notebook carries hashes of all that made it (see `stamps.py`): `--check` and the tests tell
which chapters are stale, and a plain `build.py` builds those.
"""

import argparse
import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import jupytext
import lint
import machines
import minutes
import nbformat
import stamps
from markup import Exercise, SourceError, exercise_cells, parse_exercise
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

NOTEBOOKS = Path(__file__).resolve().parent
ROOT = NOTEBOOKS.parent
SOURCES = NOTEBOOKS / "src"
BUNDLE = "inception_edu_colab.zip"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

# What a chapter needs beyond torch, numpy and matplotlib; installed on Colab only where missing,
# without dependencies.
COLAB_EXTRAS = "torchinfo safetensors anywidget psygnal captum"

BOOTSTRAP = """\
# @title Makes inception_edu importable. Where it already is, this cell does nothing.
import importlib.util, pathlib, shutil, subprocess, sys
names = "inception_edu {extras}".split()
missing = [name for name in names if importlib.util.find_spec(name) is None]
if "inception_edu" in missing:
    if pathlib.Path("{bundle}").exists(): shutil.unpack_archive("{bundle}")
    package = [str(path) for path in pathlib.Path().glob("inception_edu-*.whl")][-1:] or {package}
    if not package or "google.colab" not in sys.modules: raise SystemExit("{advice}")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps"]
    if subprocess.run([*pip, *package, *missing[1:]]).returncode: raise SystemExit("{failed}")"""
UPLOAD = "upload {bundle} beside this notebook, then run this cell again"
ADVICE = (
    f"inception_edu is not installed here. On Colab: {UPLOAD}. "
    "Elsewhere: run `make lab` in {place}."
)
FAILED = f"inception_edu could not be installed: pip says why, above. {UPLOAD.capitalize()}."


def repository() -> str:
    """The project's public address from pyproject.toml, "" while there is none."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        return tomllib.load(file)["tool"]["inception_edu"]["repository"].rstrip("/")


def bootstrap(address: str) -> str:
    """The first code cell of every chapter."""
    package = [f"inception-edu @ git+{address}"] if address else []
    place = f"a clone of {address}" if address else "the project's folder"
    return BOOTSTRAP.format(
        bundle=BUNDLE,
        package=package,
        extras=COLAB_EXTRAS,
        advice=ADVICE.format(bundle=BUNDLE, place=place),
        failed=FAILED.format(bundle=BUNDLE),
    )


def colab_link(name: str, address: str) -> str:
    """A text link (a picture would be fetched from the network), for a project on GitHub."""
    owner = re.fullmatch(r"https://github\.com/([^/]+/[^/]+?)(\.git)?", address)
    if not owner:
        return ""
    path = f"{owner[1]}/blob/main/notebooks/{name}.ipynb"
    return f"[Open in Colab](https://colab.research.google.com/github/{path})"


# ---- chapters ------------------------------------------------------------------------------------


def sources(*chapters: str) -> list[Path]:
    """The chapters' source files; `chapters` are numbers ("03") or names, none means all."""
    found = sorted(SOURCES.glob("[0-9][0-9]_*.py"))
    for chapter in chapters:
        if not any(path.stem.startswith(chapter) for path in found):
            raise SystemExit(f"There is no chapter {chapter!r} in notebooks/src.")
    return [path for path in found if not chapters or path.stem.startswith(tuple(chapters))]


def target(source: Path) -> Path:
    return NOTEBOOKS / f"{source.stem}.ipynb"


def head(source: Path) -> tuple[str, str]:
    """(title, first paragraph) of a chapter, from its first cell."""
    first = jupytext.read(source, fmt="py:percent").cells[0]
    paragraphs = [p.replace("\n", " ").strip() for p in first.source.split("\n\n") if p.strip()]
    if first.cell_type != "markdown" or len(paragraphs) < 2 or not paragraphs[0].startswith("# "):
        raise SourceError(
            f"{source.name}: the first cell must be text: `# Title`, then a paragraph on what it "
            "covers"
        )
    return paragraphs[0][2:], paragraphs[1]


LANGUAGE = "01_from_googlenet_to_v3.ipynb#The-language-of-this-collection"


def before(name: str) -> str:
    """What a reader of the chapter should have read, and where its words are explained."""
    from inception_edu.teach.chapters import chapters, listed

    all_of_them = {chapter.number: chapter for chapter in chapters()}
    chapter = all_of_them.get(name[:2])
    links = [f"[{n}]({all_of_them[n].name}.ipynb)" for n in chapter.after] if chapter else []
    needs = "You know what a convolution is, and have trained one network"
    if links:
        needs = f"Chapter{'s' if len(links) > 1 else ''} {listed(links)}"
    return (
        f"**Before it.** {needs}. **To look up.** [The language of the descriptions]({LANGUAGE}), "
        "[words](../docs/glossary.md), [figures of the paper](../docs/figures.md)."
    )


def parse_exercises(source: Path) -> list[Exercise]:
    cells = jupytext.read(source, fmt="py:percent").cells
    return [
        parse_exercise(c.source)
        for c in cells
        if c.cell_type == "code" and c.source.startswith("# exercise:")
    ]


def transform(source: Path, address: str | None = None):
    """The unexecuted notebook of a chapter. `address`: another than the project's own."""
    head(source)
    address = repository() if address is None else address
    cells, exercises = [], 0
    for cell in jupytext.read(source, fmt="py:percent").cells:
        if cell.cell_type == "code" and cell.source.startswith("# exercise:"):
            exercises += 1
            exercise = parse_exercise(cell.source)
            name = f"{source.stem[:2]}.{exercises}"
            if f'"{name}"' not in exercise.check:
                raise SourceError(f"exercise {exercise.title!r}: its check must name {name!r}")
            cells += exercise_cells(exercise, exercises)
        elif cell.source.strip():
            cells.append(cell)
    cells[0].source += f"\n\n{minutes.sentence(source)}\n\n{before(source.stem)}"
    for cell in cells:
        if cell.cell_type == "markdown" and MINUTES in cell.source:
            cell.source = cell.source.replace(MINUTES, minutes.row(sources()))
    link = colab_link(source.stem, address)
    if link:
        cells[0].source += f"\n\n{link}"
    cells.insert(
        1, new_code_cell(bootstrap(address), metadata={"tags": ["bootstrap", "hide-input"]})
    )
    for number, cell in enumerate(cells):
        tags = cell.metadata.get("tags", [])
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if "hide-input" in tags:
            cell.metadata |= {
                "jupyter": {"source_hidden": True},
                "cellView": "form",
            }  # folded in JupyterLab, in Colab
        # The same id at every build: small differences in git.
        cell.id = f"{source.stem[:2]}-{number:03d}"
    return new_notebook(
        cells=cells,
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
    )


def matches(source: Path) -> bool:
    """Whether the built notebook's cells are those that its source gives now."""
    if not target(source).exists():
        return False

    def essence(notebook):
        return [(c.id, c.cell_type, c.source, c.metadata.get("tags", [])) for c in notebook.cells]

    return essence(nbformat.read(target(source), as_version=4)) == essence(transform(source))


def stale(source: Path, mode: str = "standard") -> list[str]:
    """Why the built chapter is not what it would be if it were built now; empty: it is."""
    if not target(source).exists():
        return ["it was never built"]
    if not matches(source):
        return ["its source has changed"]
    kept = nbformat.read(target(source), as_version=4).metadata.get("inception_edu", {})
    if kept.get("mode") != mode:
        return [f"it was built in the mode {kept.get('mode')}, not {mode}"]
    if "made_from" not in kept:
        return ["it carries no stamp"]
    return [f"{name} has changed" for name in stamps.changed(kept["made_from"])]


def execute(notebook, mode: str, folder: Path, timeout: int = 1800):
    """Run all cells in a fresh kernel in `folder`; raises nbclient's CellExecutionError at the
    first error.

    The kernel notes which files the chapter depends on: they are put into the metadata of the
    notebook, as `noted`.
    """
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )
    variables = {
        "INCEPTION_EDU_MODE": mode,
        "INCEPTION_EDU_CLAIMS": "strict",
        "INCEPTION_EDU_JOURNAL": "off",
        "INCEPTION_EDU_KEEP_MEMORY": "1",
    }
    cells = list(notebook.cells)
    noting = new_code_cell(stamps.end())
    extra = [new_code_cell(stamps.begin()), noting]
    notebook.cells += extra
    with client.setup_kernel(env={**os.environ, **variables}):
        client.execute_cell(extra[0], len(cells), store_history=False)
        for index, cell in enumerate(cells):
            client.execute_cell(cell, index)
        client.execute_cell(noting, len(cells) + 1, store_history=False)
    notebook.cells = cells
    notebook.metadata["inception_edu"] = {"mode": mode, "noted": noting.outputs[0].text.strip()}
    return notebook


def tidy(notebook):
    """Leave only what a reader of the stored notebook can use.

    A live widget cannot be shown without its kernel: where a bundle has another representation (a
    picture, HTML, text), the widget view goes, so that the picture shows. Times and interpreter
    versions would only make git noisy.
    """
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        kept = []
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if WIDGET_VIEW in data and len(data) > 1:
                del data[WIDGET_VIEW]
            if data == {"text/html": ""}:
                continue  # the place of a lab's view: its picture is the output before
            output.get("metadata", {}).pop(WIDGET_VIEW, None)
            if (
                kept
                and output.output_type == "stream"
                and output.get("name") == kept[-1].get("name")
            ):
                kept[-1].text += output.text
            else:
                kept.append(output)
        if cell.cell_type == "code":
            cell.outputs = kept
    return notebook


def build(source: Path, mode: str, run: bool = True) -> float:
    """Build one chapter, return the seconds it took; the file is replaced only when all went
    well."""
    start = time.perf_counter()
    notebook = transform(source)
    if run:
        tidy(execute(notebook, mode, NOTEBOOKS))
        noted = notebook.metadata["inception_edu"].pop("noted")
        notebook.metadata["inception_edu"]["made_from"] = stamps.stamp(source, noted)
    part = target(source).with_suffix(".part")
    nbformat.write(notebook, part)
    part.replace(target(source))
    if run:
        save_picture(notebook, source)
    return time.perf_counter() - start


def write_text(source: Path) -> bool:
    """Give a built chapter the text cells that its source has now; whether that is all that it
    lacked. Outputs do not depend on text, so nothing has to run."""
    if not target(source).exists():
        return False
    notebook, wanted = nbformat.read(target(source), as_version=4), transform(source)

    def code(cells):
        found = []
        for cell in cells:
            source = cell.source if cell.cell_type == "code" else ""
            found.append((cell.id, source, cell.metadata.get("tags", [])))
        return found

    if code(notebook.cells) != code(wanted.cells):
        return False
    for cell, new in zip(notebook.cells, wanted.cells):
        if cell.cell_type == "markdown":
            cell.source = new.source
    made_from = notebook.metadata.get("inception_edu", {}).get("made_from", {})
    made_from |= {name: stamps.fingerprint(source) for name in made_from if source.match(name)}
    part = target(source).with_suffix(".part")
    nbformat.write(notebook, part)
    part.replace(target(source))
    return True


# ---- README and Colab ----------------------------------------------------------------------------

MINUTES = "<!-- minutes of the chapters -->"  # stands in a text cell; the build puts them there
TABLE = re.compile(r"(<!-- chapters:.*?-->\n).*?(<!-- end of chapters -->)", re.DOTALL)
WHOLE = re.compile(r"\d+ hours \d+ minutes")
CLAIMS = re.compile(r"(<!-- claims:.*?-->\n).*?(<!-- end of claims -->)", re.DOTALL)


PICTURE = re.compile(
    r'(<svg\b(?:(?!<svg\b).)*?</svg>)|src="data:image/(svg\+xml|png|jpeg);base64,([^"]+)"',
    re.DOTALL,
)


def save_picture(notebook, source: Path) -> None:
    """notebooks/pictures/NN.svg (or .png): the picture by which the site's front page shows the
    chapter."""
    cells = sorted(
        (cell for cell in notebook.cells if cell.cell_type == "code"),
        key=lambda cell: "picture" not in cell.metadata.get("tags", []),
    )
    html = (
        "".join(output.data.get("text/html", ""))
        for cell in cells
        for output in cell.outputs
        if "data" in output
    )
    contents = (
        (found[2] or "svg+xml", found[1].encode() if found[1] else base64.b64decode(found[3]))
        for text in html
        for found in PICTURE.finditer(text)
    )
    kind, content = next(
        (pair for pair in contents if pair[0] != "svg+xml" or _stands_alone(pair[1])), (None, b"")
    )
    folder = NOTEBOOKS / "pictures"
    for old in folder.glob(f"{source.stem[:2]}.*"):
        old.unlink()
    if kind:
        folder.mkdir(exist_ok=True)
        (folder / f"{source.stem[:2]}.{kind.removesuffix('+xml')}").write_bytes(content)


def _stands_alone(svg: bytes) -> bool:
    """Whether an SVG is a file of its own: inside HTML more is allowed."""
    try:
        return ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    except ElementTree.ParseError:
        return False


def finding(source: Path) -> str:
    """The first registered claim that a chapter opens with, in a few words; "" where it has
    none."""
    from inception_edu.teach import claim

    opening = re.search(r'^say\(\s*"(\d\d\.[\w-]+|C\d+)"', source.read_text("utf-8"), re.MULTILINE)
    return claim(opening[1]).short.replace("|", r"\|") if opening else ""


def claims_table() -> str:
    """The claims of the paper with their verdicts, as Markdown (`teach.paper_claims`)."""
    from inception_edu.teach import paper_claims

    found = paper_claims()
    lines = [list(found.columns), ["---"] * len(found.columns), *found.texts()]
    cells = ([text.replace("|", r"\|") for text in line] for line in lines)
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def readme() -> str:
    """README.md with its two tables made new: the chapters from their heads, and the claims of the
    paper from the committed runs."""
    from inception_edu.teach.chapters import chapters

    told = {chapter.number: chapter for chapter in chapters()}
    rows, whole = [], 0
    for source in sources():
        covers = head(source)[1].replace("|", r"\|")
        this, took = told[source.stem[:2]], minutes.minutes(source)[0]
        whole += took
        small = (", ".join(this.after), took, this.runs, finding(source) or covers)
        rows.append(
            f"| [{this.number} · {this.title}](notebooks/{target(source).name}) | "
            + " | ".join(f"<sub>{text}</sub>" for text in small)
            + " |\n"
        )
    # Small type keeps each chapter on one line, and the whole on one screen.
    heads = ("chapter", "after", "min", "what runs", "one finding")
    table = f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}\n{''.join(rows)}"
    hours = f"{whole // 60} hours {whole % 60} minutes"
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    text = TABLE.sub(lambda m: m[1] + table + m[2], text)
    text = WHOLE.sub(hours, text)
    return CLAIMS.sub(lambda m: m[1] + claims_table() + m[2], text)


def colab() -> Path:
    """dist/inception_edu_colab.zip: the wheel, which carries data/ inside it, and the built
    chapters."""
    bundle = ROOT / "dist" / BUNDLE
    bundle.parent.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder
    ):  # a clean copy: a stale build folder never gets in
        copy, wheels = Path(folder, "copy"), Path(folder, "wheels")
        copy.mkdir()
        for name in ("inception_edu", "data"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, copy)
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "wheel",
                "-q",
                "--no-deps",
                "--no-build-isolation",
                "--no-index",
                "-w",
                wheels,
                copy,
            ],
            check=True,
        )
        part = bundle.with_suffix(".part")
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            for wheel in wheels.glob("*.whl"):
                archive.write(wheel, wheel.name, zipfile.ZIP_STORED)
            for source in sources():
                if target(source).exists():
                    archive.write(target(source), f"notebooks/{target(source).name}")
        part.replace(bundle)
    return bundle


KIT = {
    "student": "the chapters without any solution",
    "solutions": "the chapters with their exercises solved",
    "slides": "a slide show for each chapter",
    "handout": "a PDF for each chapter",
}


def write_kit(kind: str, chapters: list[str]) -> None:
    """One edition of the class kit, from the built chapters."""
    import kit

    def parts(source: Path) -> list[str]:
        cells = jupytext.read(source, fmt="py:percent").cells
        return [c.source for c in cells if c.source.startswith("# exercise:")]

    wanted = [(s, target(s), lambda s=s: parts(s)) for s in sources(*chapters)]
    for source, built, _ in wanted:
        if not built.exists() or not matches(source):
            sys.exit(f"{built.name} does not match its source: run `make notebooks` first.")
    for file in kit.write(kind, ROOT / "dist" / kind, wanted):
        print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1e6:.1f} MB")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("chapters", nargs="*", help="numbers, such as 03 08; none means all")
    parser.add_argument("--mode", choices=("quick", "standard", "full"), default="standard")
    parser.add_argument("--force", action="store_true", help="build also what has not changed")
    parser.add_argument(
        "--no-execute", action="store_true", help="write the notebook without outputs"
    )
    parser.add_argument(
        "--check", action="store_true", help="only compare; exit 1 where something is out of date"
    )
    parser.add_argument(
        "--machine", metavar="WORDS", help="what this machine is: keeps each chapter's seconds"
    )
    for kind, words in KIT.items():
        parser.add_argument(f"--{kind}", action="store_true", help=f"write dist/{kind}: {words}")
    parser.add_argument("--colab", action="store_true", help=f"write dist/{BUNDLE}")
    args = parser.parse_args(arguments)

    for kind in KIT:
        if getattr(args, kind):
            write_kit(kind, args.chapters)
            return
    if args.colab:
        bundle = colab()
        print(f"dist/{bundle.name}: {bundle.stat().st_size / 1e6:.1f} MB")
        return
    if args.check:
        found = {target(s).name: stale(s, args.mode) for s in sources(*args.chapters)}
        if readme() != (ROOT / "README.md").read_text(encoding="utf-8"):
            found["README.md"] = ["its tables are not those of the chapters and of the runs"]
        if machines.page() != machines.PAGE.read_text(encoding="utf-8"):
            found["docs/machines.md"] = ["its table is not that of data/machines"]
        if minutes.page() != minutes.PAGE.read_text(encoding="utf-8"):
            found["docs/TEACHING.md"] = ["its minutes are not those of the chapters"]
        for name, reasons in found.items():
            if reasons:
                more = f" (and {len(reasons) - 3} more)" if len(reasons) > 3 else ""
                print(f"{name} is stale: {'; '.join(reasons[:3])}{more}")
        if any(found.values()):
            print("Run `make notebooks`.")
        sys.exit(any(found.values()))
    took = []
    for source in sources(*args.chapters):
        reasons = stale(source, args.mode)
        if reasons and not args.force and write_text(source):
            reasons = stale(source, args.mode)
        if not reasons and not args.force and not args.no_execute:
            print(f"{target(source).name}: up to date")
            continue
        print(f"{target(source).name}: ", end="", flush=True)
        seconds = build(source, args.mode, not args.no_execute)
        took.append(machines.ran(source.stem, seconds, args.mode))
        print(f"{seconds:.0f} s")
        for problem in lint.problems(target(source).read_text(encoding="utf-8")):
            print(f"    {problem}")
    if args.machine and took and not args.no_execute:
        machines.keep(args.machine, took, **machines.versions())
        for source in sources():
            write_text(source)
    (ROOT / "README.md").write_text(readme(), encoding="utf-8")
    machines.PAGE.write_text(machines.page(), encoding="utf-8")
    minutes.PAGE.write_text(minutes.page(), encoding="utf-8")


if __name__ == "__main__":
    main()
