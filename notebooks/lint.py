"""What a stored chapter must satisfy so that code hosts show it, screen readers read it and it
works offline."""

import json
import re
from html.parser import HTMLParser

LARGEST = 1_500_000  # bytes of a notebook file
LONGEST = 40  # lines of a code cell
MACHINE_PATH = re.compile(r"/(work|root|home|tmp)/|[A-Z]:\\\\Users")
BASE64 = re.compile(r"[A-Za-z0-9+/=\\n]{200,}")


class _Pictures(HTMLParser):
    """Collects pictures without alternative text and pictures that would be fetched from the
    network."""

    def __init__(self):
        super().__init__()
        self.problems: list[str] = []
        self.open_svg: dict | None = None

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "img":
            if not (attributes.get("alt") or "").strip():
                self.problems.append("an <img> without alt text")
            if re.match(r"(https?:)?//", attributes.get("src") or ""):
                self.problems.append(
                    f"a picture that is fetched from the network: {attributes['src'][:60]}"
                )
        elif tag == "svg" and self.open_svg is None:
            self.open_svg = attributes
        elif tag == "title" and self.open_svg is not None:
            self.open_svg["aria-label"] = "title"

    def handle_endtag(self, tag):
        if tag == "svg" and self.open_svg is not None:
            if not any(
                self.open_svg.get(key) for key in ("aria-label", "aria-labelledby", "aria-hidden")
            ):
                self.problems.append("an <svg> without aria-label or <title>")
            self.open_svg = None


def _pictures(html: str) -> list[str]:
    parser = _Pictures()
    parser.feed(html)
    return parser.problems


def problems(text: str) -> list[str]:
    """What is wrong with a notebook file of content `text`, one sentence each; empty where all is
    well."""
    notebook = json.loads(text)
    found = []
    if len(text.encode()) > LARGEST:
        found.append(
            f"the file has {len(text.encode()) / 1e6:.1f} MB, more than {LARGEST / 1e6} MB"
        )
    if "widgets" in notebook["metadata"]:
        found.append("metadata.widgets is there, which makes code hosts refuse the notebook")
    path = MACHINE_PATH.search(BASE64.sub("", text))
    if path:
        found.append(
            "a path of the machine that built it: "
            f"…{text_around(BASE64.sub('', text), path.start())}…"
        )
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    if not any(cell["outputs"] for cell in code):
        found.append("no cell has an output")
    for number, cell in enumerate(notebook["cells"]):
        found += [f"cell {number}: {problem}" for problem in _cell(cell)]
    return found


def _cell(cell) -> list[str]:
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        empty = ["a picture without alt text"] * bool(re.search(r"!\[\s*\]\(", source))
        foreign = ["a picture that is fetched from the network"] * bool(
            re.search(r"!\[[^\]]*\]\((https?:)?//", source)
        )
        return empty + foreign + _pictures(source)
    found = []
    lines = len(source.splitlines())
    if lines > LONGEST:
        found.append(f"{lines} lines, more than {LONGEST}")
    for output in cell["outputs"]:
        if output["output_type"] == "error":
            found.append(f"an error: {output['ename']}: {output['evalue']}")
        data = output.get("data", {})
        if "text/html" in data:
            found += _pictures("".join(data["text/html"]))
        elif "image/svg+xml" in data:
            found += _pictures("".join(data["image/svg+xml"]))
        elif any(kind.startswith("image/") for kind in data):
            found.append(
                "a bare picture, which cannot carry alt text: show it as HTML with <img alt>"
            )
    return found


def text_around(text: str, at: int) -> str:
    return text[max(at - 20, 0) : at + 40]
