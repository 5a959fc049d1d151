"""The chapters as a static site: `make site` writes dist/site, for any web server.

    python tools/website.py             lay out the pages and build
    python tools/website.py --serve     … and show it on 127.0.0.1
    python tools/website.py --url https://example.org/course
                                        … which will stand there: a link to a page shows a picture

The pages are the executed chapters as they stand in notebooks/, the figure index, the glossary, the
claims with their verdicts, and the page for teachers. Nothing is executed and nothing is fetched,
neither now nor by a reader's browser. The folder can have any name and be moved.
"""

import argparse
import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import light_pages
import live_exercises
import live_pages
import previews
import yaml

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "notebooks"))
from markup import ONLY_SAYS  # noqa: E402

STAGE = ROOT / "dist" / "site-source"
SITE = ROOT / "dist" / "site"
PAGES = {
    "figures": "Figure index",
    "glossary": "Glossary",
    "verdicts": "How a verdict is reached",
    "TEACHING": "For teachers",
}
NOT_HERE = (
    '<p class="ied-page-closed">A page cannot run all that this exercise needs. Write your answer '
    "in JupyterLab or Colab, where the line below checks it.</p>"
)
HINT = re.compile(r"<p [^>]*>A picture of the lab\. [^<]*</p>")  # as `labs.host` has it


def repository() -> str:
    """The project's public address, "" while there is none."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        return tomllib.load(file)["tool"]["inception_edu"]["repository"].rstrip("/")


def chapters() -> list[Path]:
    return sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def for_the_site(notebook: dict, python: bool) -> dict:
    """A chapter as a page: without the cell that installs and without the code that only says
    something, with links to pages, not to files, and with a place for each lab. Where the page has
    a `python`, it checks exercises."""
    kept = []
    tags = [cell.get("metadata", {}).get("tags", []) for cell in notebook["cells"]]
    answered = live_exercises.exercises(notebook) if python else {}
    for i, cell in enumerate(notebook["cells"]):
        if "bootstrap" in tags[i]:
            continue
        if cell["cell_type"] == "code" and ONLY_SAYS.match("".join(cell["source"])):
            cell["metadata"].setdefault("tags", []).append("remove-input")
        if cell["cell_type"] == "markdown":
            cell["source"] = links_to_pages(headings_in_order("".join(cell["source"])))
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            data.pop("application/vnd.jupyter.widget-view+json", None)
            if "text/html" in data:
                html = "".join(data["text/html"])
                data["text/html"] = re.sub(r'href="(\d\d_\w+)\.ipynb', r'href="\1.html', html)
        cell["outputs"] = [o for o in cell.get("outputs", []) if o.get("data", o) != {}]
        if cell["cell_type"] == "markdown":
            del cell["outputs"]
        elif "exercise" in tags[i] and i not in answered:
            cell["outputs"] = [displayed(NOT_HERE)]
            notebook["cells"][i + 1]["outputs"] = []  # "run both cells again"
        elif html := live_pages.place("".join(cell["source"]), answered.get(i), python):
            if "ied-page-closed" in html:  # which says it too
                for output in cell["outputs"]:
                    if "text/html" in output.get("data", {}):
                        output["data"]["text/html"] = HINT.sub("", output["data"]["text/html"])
            cell["outputs"].append(displayed(html))
        kept.append(cell)
    return notebook | {"cells": kept}


def displayed(html: str) -> dict:
    """An output of a cell."""
    return {"output_type": "display_data", "data": {"text/html": html}, "metadata": {}}


def headings_in_order(text: str) -> str:
    """Folded text keeps its markdown: a blank line is needed on both sides of <summary>."""
    return re.sub(r"(<summary>.*?</summary>)\n(?!\n)", r"\1\n\n", text)


def links_to_pages(text: str) -> str:
    """Links to files beside the chapters, and into another chapter, as the site has them: its
    anchors are in small letters."""
    text = re.sub(r"\]\(\.\./docs/(\w+\.md)\)", r"](\1)", text)
    for name, title in PAGES.items():
        text = text.replace(f"`docs/{name}.md`", f"[{title}]({name}.md)")
    return re.sub(r"\]\((\d\d_\w+\.ipynb#)([\w-]+)\)", lambda m: f"]({m[1]}{m[2].lower()})", text)


def head(path: Path) -> tuple[str, str]:
    """(title, first paragraph) of a chapter."""
    first = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
    paragraphs = [p.replace("\n", " ").strip() for p in first.split("\n\n") if p.strip()]
    return paragraphs[0].lstrip("# "), paragraphs[1]


def front_page(checked: int = 0, asked: int = 0) -> str:
    """The first page: what it is, what can be done in it (`checked` of the `asked` exercises), the
    chapters with a picture and their claim, the other pages."""
    title, source, alt, words = head_of_readme()
    opening = f"# {title}\n\n{words}\n\n![{alt}]({source})"
    rows = []
    for path in chapters():
        title, claim = head(path)
        pictures = sorted((ROOT / "notebooks" / "pictures").glob(f"{path.stem[:2]}.*"))
        picture = f"![{title}](pictures/{pictures[0].name})" if pictures else ""
        rows.append(f"| {picture} | [{path.stem[:2]} · {title}]({path.name}) | {claim} |")
    table = "\n".join(["| | chapter | what it covers |", "|---|---|---|", *rows])
    names = "\n".join(path.stem for path in chapters())
    others = "\n".join([f"{title} <{name}>" for name, title in PAGES.items()] + ["claims"])
    return (
        f"{opening}\n\n{what_works(checked, asked)}\n\n## Chapters\n\n"
        f"::::{{container}} chapters\n\n{table}\n\n::::\n\n{citation()}\n\n"
        f"```{{toctree}}\n:hidden:\n:caption: Chapters\n\n{names}\n```\n\n"
        f"```{{toctree}}\n:hidden:\n:caption: Look up\n\n{others}\n```\n"
    )


def what_works(checked: int, asked: int) -> str:
    """What a reader can do in the pages, and what needs the collection."""
    told = ["These are the chapters as they were run. Recorded experiments play in the page."]
    if checked:
        told = [
            "These are the chapters as they were run, and nothing has to be installed: their labs "
            f"work in the page, small networks train in it, and {checked} of {asked} exercises are "
            "checked in it. The first touch of a lab may bring Python into the page (up to 23 MB, "
            "once)."
        ]
    return " ".join([*told, "To run all cells yourself, take the collection: `make lab`."])


def citation() -> str:
    """How to cite the collection and the paper, from CITATION.cff."""
    facts = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    paper = facts["preferred-citation"]
    names = " and ".join(f"{a['family-names']}, {a['given-names']}" for a in paper["authors"])
    title, us = facts["title"], facts["authors"][0]["name"]
    return (
        f"## To cite it\n\n{facts['message']}\n\n```bibtex\n"
        f"@misc{{inception-edu,\n  title = {{{title}}},\n  author = {{{{{us}}}}},\n"
        f"  note = {{version {facts['version']}}}\n}}\n"
        f"@inproceedings{{szegedy2017,\n  title = {{{paper['title']}}},\n  author = {{{names}}},\n"
        f"  booktitle = {{{paper['collection-title']}}},\n  year = {{{paper['year']}}},\n"
        f"  url = {{{paper['url']}}}\n}}\n```"
    )


def claims_page() -> str:
    """The paper's claims and what the committed runs say about each."""
    sys.path.insert(0, str(ROOT))
    from inception_edu.study.claims import CLAIMS

    rows = ["| | the paper says | where | seen here |", "|---|---|---|---|"]
    details = []
    for claim in CLAIMS.values():
        verdict = claim.verdict()
        place = f"{claim.id} {verdict.word}".lower().replace(" ", "-")
        rows.append(f"| [{claim.id}](#{place}) | {claim.says} | {claim.where} | {verdict.word} |")
        evidence = "\n".join(f"- {piece.sentence}" for piece in verdict.evidence)
        why = f"\n\nWhy: {verdict.why}." if verdict.why else ""
        details.append(
            f"## {claim.id}: {verdict.word}\n\n{claim.says}\n\n{evidence}{why}\n\n"
            f"What would have mattered: {claim.margin}. A full replication needs {claim.needs}.\n"
        )
    table, more = "\n".join(rows), "\n".join(details)
    more = more.replace("docs/verdicts.md", "[the rule](verdicts.md)")
    return f"# The claims, and what is seen here\n\n{table}\n\n{more}"


def pictures_of(text: str) -> list[str]:
    """The files that a page's pictures name, relative to the project's folder."""
    found = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    return [name for name in found if not name.startswith(("http", "pictures/"))]


def lay_out_previews(folder: Path) -> None:
    """A picture for a link to each chapter and to the front page, by the page's name."""
    site = project()
    previews.card(folder / "index.png", site, site, head_of_readme()[-1])
    for path in chapters():
        title, claim = head(path)
        previews.card(folder / f"{path.stem}.png", site, title, claim)


def project() -> str:
    """The site's name, as `docs/conf.py` has it."""
    text = (ROOT / "docs" / "conf.py").read_text(encoding="utf-8")
    return re.search(r'^project = "(.+)"$', text, re.M)[1]


def head_of_readme() -> tuple[str, str, str, str]:
    """The README's title, the address of its picture, what the picture shows, and the words beside
    it. Links of the README lead into the repository, so of the rest nothing is taken."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    picture = re.search(r'<img src="([^"]+)" alt="([^"]+)">', text)
    if not text.startswith("# ") or picture is None:
        raise SystemExit("README.md begins with a title and a table with <img src=… alt=…> in it.")
    paragraphs = text[picture.end() :].split("\n\n")
    words = next(p for p in paragraphs if p.strip() and not p.strip().startswith("<"))
    return text.splitlines()[0][2:], *picture.groups(), words.replace("\n", " ").strip()


def lay_out(url: str = "") -> None:
    """All pages, in dist/site-source; with the `url` of the site the pictures of links to them."""
    shutil.rmtree(STAGE, ignore_errors=True)
    STAGE.mkdir(parents=True)
    shutil.copy(ROOT / "docs" / "conf.py", STAGE)
    shutil.copytree(ROOT / "docs" / "_static", STAGE / "_static")
    python = live_pages.lay_out(STAGE / "_static")
    if (ROOT / "notebooks" / "pictures").exists():
        shutil.copytree(ROOT / "notebooks" / "pictures", STAGE / "pictures")
    checked, asked = 0, 0
    for path in chapters():
        notebook = for_the_site(json.loads(path.read_text(encoding="utf-8")), python)
        text = json.dumps(notebook, ensure_ascii=False)
        (STAGE / path.name).write_text(text, encoding="utf-8")
        checked += text.count("ied-page-exercise")
        asked += sum("exercise" in cell["metadata"].get("tags", []) for cell in notebook["cells"])
    live_pages.lay_out_views(STAGE / "_static")
    if url:
        lay_out_previews(STAGE / "_static" / "previews")
    for name in PAGES:
        text = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
        (STAGE / f"{name}.md").write_text(text.replace("../notebooks/", ""), encoding="utf-8")
    (STAGE / "claims.md").write_text(claims_page(), encoding="utf-8")
    front = front_page(checked, asked)
    (STAGE / "index.md").write_text(front, encoding="utf-8")
    for name in pictures_of(front):
        (STAGE / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, STAGE / name)


def build(url: str = "") -> None:
    """dist/site from dist/site-source; the old site is replaced only when all went well, and a
    picture or a page that is not there is an error, not a warning."""
    fresh = SITE.with_name("site-new")
    shutil.rmtree(fresh, ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    command += ["-d", STAGE / "_build"]
    settings = os.environ | {"SITE_REPOSITORY": repository(), "SITE_URL": url}
    subprocess.run([*command, STAGE, fresh], check=True, env=settings)
    for page in fresh.glob("*.html"):
        html = light_pages.without_unused(accessible(page.read_text(encoding="utf-8")))
        html = light_pages.pictures_apart(html, fresh / "_images")
        page.write_text(html, encoding="utf-8")
    light_pages.remove_unused(fresh)
    (fresh / ".nojekyll").touch()
    shutil.rmtree(SITE, ignore_errors=True)
    fresh.rename(SITE)


def accessible(html: str) -> str:
    """The page with its empty heads of table columns as plain cells: a head must say something."""
    return re.sub(r"<th\b[^>]*>\s*(?:<p>\s*</p>)?\s*</th>", "<td></td>", html)


def weight() -> str:
    """The site's size, and its heaviest page."""
    files = [path for path in SITE.rglob("*") if path.is_file()]
    pages = max(SITE.glob("*.html"), key=lambda path: path.stat().st_size)
    total = sum(path.stat().st_size for path in files)
    return (
        f"{len(files)} files, {total / 1e6:.1f} MB; the heaviest page is {pages.name}, "
        f"{pages.stat().st_size / 1e6:.2f} MB"
    )


def serve(port: int) -> None:
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"http://127.0.0.1:{server.server_port}/  (Ctrl-C ends it)")
        server.serve_forever()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--serve", action="store_true", help="show it on this machine")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument(
        "--url", default="", help="where the site will stand, such as https://example.org/course"
    )
    args = parser.parse_args(arguments)
    url = args.url.rstrip("/")
    if url and not url.startswith(("https://", "http://")):
        parser.error(f"--url begins with https:// or http://; got {args.url}")
    lay_out(url)
    build(url)
    print(f"dist/site: {weight()}")
    if args.serve:
        serve(args.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
