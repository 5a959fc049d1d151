"""A chapter as a slide show: one HTML file that needs nothing beside it and no network.

reveal.js lies in notebooks/reveal and is put into the page; formulas become MathML here. A heading
begins a slide. Text is cut where a slide is full, each figure has a slide, long tables go on over
several. Code is folded. A question stands on a slide of its own, before the outcome. Exercises show
their card. A script of the page makes what a slide holds as large as fits, so nothing sticks out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from jinja2 import Template
from latex2mathml.converter import convert

REVEAL = Path(__file__).resolve().parent / "reveal"
FULL = 520  # letters of text on a slide
BESIDE = 300  # at most so many letters stand over a figure
ROWS = 12  # of a table on a slide

FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)
CODE_OR_MATH = re.compile(
    r"(```.*?```|`[^`\n]*`)|\$\$(.+?)\$\$|(?<![\\$])\$([^$\n]+(?:\n[^$\n]+)?)\$", re.DOTALL
)


def formulas(text: str) -> str:
    """Markdown with its formulas as MathML, which every browser shows without a script."""

    def shown(found: re.Match) -> str:
        if found[1]:
            return found[1]
        if found[2]:
            return f'\n<div class="math">{convert(found[2].strip(), display="block")}</div>\n'
        return convert(found[3].strip(), display="inline")

    return CODE_OR_MATH.sub(shown, text)


def html(text: str) -> str:
    """Markdown as HTML."""
    from nbconvert.filters import markdown2html

    return markdown2html(formulas(text))


@dataclass
class Slide:
    """What stands on a slide. `level` 1: it begins a section; 2: it goes on below."""

    level: int
    section: str
    parts: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    letters: int = 0
    pictures: bool = False

    def add(self, part: str, letters: int = 0, picture: bool = False) -> None:
        self.parts.append(part)
        self.letters += letters
        self.pictures |= picture


def slides_of(notebook) -> Iterator[Slide]:
    """The slides of a chapter without solutions, in order."""
    show = _Show()
    cells = [c for c in notebook.cells if "bootstrap" not in c.metadata.get("tags", [])]
    first_code = next((c for c in cells if c.cell_type == "code"), None)
    for cell in cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "markdown":
            show.text(FOLDED.sub("", cell.source))
        elif "check" not in tags:
            outputs = [] if cell is first_code else cell.outputs
            show.code(cell.source, outputs)
    return (slide for slide in show.slides if slide.parts)


class _Show:
    """Puts cells on slides."""

    def __init__(self) -> None:
        self.slides: list[Slide] = []
        self.pending: list[str] = []  # code that showed nothing yet

    @property
    def last(self) -> Slide:
        return self.slides[-1]

    @property
    def only_headings(self) -> bool:
        return not (self.last.letters or self.last.pictures)

    def new(self, level: int = 2, section: str | None = None) -> Slide:
        if section is None:
            section = self.last.section if self.slides else ""
        self.slides.append(Slide(level if self.slides else 1, section))
        return self.last

    def text(self, source: str) -> None:
        for block in blocks(source):
            heading = re.match(r"(#{1,3}) (.*)", block)
            if heading:
                self.pending = []
                level = 1 if len(heading[1]) < 3 else 2
                if level == 1 or not self.slides or not self.only_headings:
                    self.new(level, heading[2])
                self.last.add(html(block))
                continue
            weight = len(block) * (2 if block.startswith(("|", "$$")) else 1)
            if not self.slides or self.last.pictures or self.last.letters + weight > FULL:
                if not self.slides or not self.only_headings:
                    self.new()
            self.last.add(html(block), weight)

    def code(self, source: str, outputs: list) -> None:
        self.pending.append(source)
        for output in outputs:
            for part, letters in pieces(output):
                alone = letters == 0 or "ied-predict" in part or "ied-outcome" in part
                room = BESIDE if alone else FULL - letters
                if part.count("<tr") > ROWS // 2:
                    room = 0
                if not self.slides or self.last.pictures or self.last.letters > max(room, 0):
                    self.new()
                self.last.add(part, letters, alone)
                self.last.code += self.pending
                self.pending = []


def blocks(source: str) -> Iterator[str]:
    """Paragraphs, lists and tables of Markdown; what stands between fences stays whole."""
    kept: list[str] = []
    fenced = False
    lines = [*source.splitlines(), ""]
    for place, line in enumerate(lines):
        fenced ^= line.startswith("```")
        heading = line.startswith("#") and not fenced
        if (not line.strip() or heading) and not fenced and kept:
            after = next((text for text in lines[place:] if text.strip()), "")
            if kept[-1].endswith(("**", ":")) and re.match(r"[-*|] ?|\d\. ", after) and not heading:
                kept.append("")  # a list stays with the line that announces it
                continue
            yield "\n".join(kept).rstrip()
            kept = []
        if heading:
            yield line
        elif line.strip() or fenced:
            kept.append(line)


def pieces(output) -> Iterator[tuple[str, int]]:
    """What an output shows as HTML, with its letters where it is text (0: a figure or a table)."""
    if output.output_type == "stream":
        if output.get("name") != "stderr" and output.text.strip():
            yield f"<pre>{escape(output.text.rstrip())}</pre>", len(output.text)
        return
    data = output.get("data", {})
    if "text/html" in data:
        content = "".join(data["text/html"])
        if 'class="ied-claim"' in content:
            yield content, len(re.sub(r"<[^>]*>", "", content))
            return
        yield from ((part, 0) for part in _parts_of_table(content))
    elif "image/svg+xml" in data:
        yield "".join(data["image/svg+xml"]), 0
    elif "text/markdown" in data:
        text = "".join(data["text/markdown"])
        yield html(text), len(text)
    elif "text/plain" in data:
        text = "".join(data["text/plain"])
        yield f"<pre>{escape(text)}</pre>", len(text)


def _parts_of_table(content: str) -> Iterator[str]:
    """A table in pieces of ROWS rows, each with its headings."""
    head, opening, rest = content.partition("<tbody>")
    body, closing, tail = rest.partition("</tbody>")
    rows = re.findall(r"<tr\b.*?</tr>", body, re.DOTALL)
    if len(rows) <= ROWS + 3 or "<tbody>" in tail or re.search("<(img|svg)", content):
        yield content
        return
    count = -(-len(rows) // ROWS)
    size = -(-len(rows) // count)
    for start in range(0, len(rows), size):
        yield head + opening + "".join(rows[start : start + size]) + closing + tail


PAGE = Template(
    """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title>
<style>{{ reveal_css }}</style><style>{{ css }}</style></head>
<body><div class="reveal"><p class="hint">space: on · shift + space: back · F: whole screen ·
Esc: all slides</p><div class="slides">
{% for stack in stacks %}<section>
{% for slide in stack %}<section><p class="running">{{ title }}{% if slide.section != title %} ·
{{ slide.section }}{% endif %}</p><div class="fit">
{% for part in slide.parts %}<div class="part">{{ part }}</div>
{% endfor %}</div>
{% if slide.code %}<details class="code"><summary>code</summary><pre>{{
slide.code | join("\n\n") | e }}</pre></details>{% endif %}
</section>
{% endfor %}</section>
{% endfor %}</div></div>
<script>{{ reveal_js }}</script><script>{{ script }}</script></body></html>
"""
)

CSS = """
body { background: #fff; color: #1d1d1f; }
.reveal { font: 27px/1.42 system-ui, "DejaVu Sans", sans-serif; color: #1d1d1f; }
.reveal .slides { text-align: left; }
.reveal .slides section { padding: 0; height: 720px; box-sizing: border-box; }
.reveal .slides section > section { padding: 46px 32px 0; }
.running { position: absolute; top: 8px; left: 32px; margin: 0; font-size: 15px; color: #6b6b6b; }
.fit { transform-origin: 0 0; }
.part { margin: 0 0 14px; }
.part > :first-child { margin-top: 0; } .part > :last-child { margin-bottom: 0; }
.reveal h1 { font-size: 46px; line-height: 1.15; margin: 0 0 8px; }
.reveal h2 { font-size: 36px; line-height: 1.2; margin: 0 0 6px; }
.reveal h3 { font-size: 31px; line-height: 1.2; margin: 0 0 4px; }
.reveal .anchor-link { display: none; }
.reveal p { margin: 0 0 12px; } .reveal ul, .reveal ol { margin: 0 0 12px; padding-left: 1.3em; }
.reveal .part > table { border-collapse: collapse; font-size: 22px; }
.reveal .part > table :is(td, th) { border-bottom: 1px solid #c8c8c8; padding: 4px 14px 4px 4px; }
.reveal pre { font-size: 20px; line-height: 1.35; white-space: pre-wrap; margin: 0; }
.reveal code { font-size: .9em; background: #f1f1f1; padding: 0 .2em; }
.reveal pre code { background: none; padding: 0; }
.reveal img, .reveal svg { max-width: 100%; height: auto; }
.part > img, .part > div > img:only-child { display: block; margin: 0 auto; }
.hint { position: absolute; right: 32px; top: 8px; margin: 0; font-size: 15px; color: #6b6b6b; }
.reveal blockquote { margin: 0; padding-left: 14px; border-left: 4px solid #00704a; }
.part > :is(.ied-predict, .ied-outcome, .ied-claim) { max-width: none !important;
  font-size: 27px !important; }
.ied-table { overflow: visible !important; max-width: none !important; }
.ied-table button { text-decoration: none !important; }
details.code { position: absolute; left: 32px; right: 32px; bottom: 6px; font-size: 14px;
  color: #6b6b6b; }
details.code[open] { background: #fff; max-height: 560px; overflow: auto; z-index: 5;
  border: 1px solid #c8c8c8; padding: 8px; color: #1d1d1f; }
details.code pre { font-size: 15px; }
summary { cursor: pointer; }
"""

# What a slide holds is drawn as large as fits: figures and tables up to twice their size.
SCRIPT = """
const WIDE = 1216, HIGH = 636;
function tries(box, scale) {
  box.style.width = WIDE / scale + 'px';
  box.style.transform = 'scale(' + scale + ')';
  return box.scrollHeight * scale <= HIGH && box.scrollWidth <= WIDE / scale + 1;
}
async function fit(section) {
  const box = section && section.querySelector(':scope > .fit');
  if (!box) return;
  await Promise.all([...box.querySelectorAll('img')].map(i => i.decode().catch(() => {})));
  let low = 0.2, high = box.querySelector('img, svg, .ied-table') ? 2 : 1.25;
  if (!tries(box, high)) {
    for (let i = 0; i < 9; i++) {
      const middle = (low + high) / 2;
      if (tries(box, middle)) low = middle; else high = middle;
    }
    tries(box, low);
  }
  window.fitted = section;
}
Reveal.initialize({ width: 1280, height: 720, margin: 0, center: false, hash: true,
  slideNumber: 'c/t', controls: false, navigationMode: 'linear', transition: 'none' });
Reveal.on('ready', event => fit(event.currentSlide));
Reveal.on('slidechanged', event => {
  document.querySelector('.hint').hidden = true;
  fit(event.currentSlide);
});
"""


def page(notebook) -> str:
    """The slide show of a chapter without solutions, as one HTML page."""
    stacks: list[list[Slide]] = []
    for slide in slides_of(notebook):
        if slide.level == 1 or not stacks:
            stacks.append([])
        stacks[-1].append(slide)
    return PAGE.render(
        title=stacks[0][0].section,
        stacks=stacks,
        css=CSS,
        script=SCRIPT,
        reveal_css=(REVEAL / "reveal.css").read_text(encoding="utf-8"),
        reveal_js=(REVEAL / "reveal.js").read_text(encoding="utf-8"),
    )
