"""The pages in docs/ and beside them: links lead somewhere, and what is made by a command is as the
command makes it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from inception_edu.study.claims import CLAIMS

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
SOURCES = sorted((ROOT / "notebooks" / "src").glob("*.py"))


def terms() -> list[str]:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    return re.findall(r"^\*\*(.+?)\*\*", text, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"(?:\]\(|(?:src|href)=\")([^)#\s\"]+)", text):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_pages_name_exist(page):
    """Written from the top, or from a folder that a reader of the page has in mind."""
    folders = (".", "inception_edu", "inception_edu/labs", "inception_edu/labs/web", "docs")
    for name in re.findall(
        r"`([a-z_0-9./-]+/[a-z_0-9-]+\.(?:py|js|css|toml))`", page.read_text("utf-8")
    ):
        assert any((ROOT / folder / name).is_file() for folder in folders), name


def test_make_targets_that_pages_name_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"`make ([a-z][a-z-]*)", page.read_text(encoding="utf-8")))
        assert named <= targets, (page.name, named - targets)


def test_jupyterlab_is_started_where_the_links_of_chapters_lead_somewhere():
    """A chapter's copy in work/ links to ../docs: JupyterLab must serve the folder above."""
    pages = [*PAGES, ROOT / "Makefile", ROOT / "environment.yml"]
    lines = [line for page in pages for line in page.read_text(encoding="utf-8").splitlines()]
    starts = [line for line in lines if re.search(r"jupyter[- ]lab.*(00_start|START)", line)]
    assert len(starts) == 5 and all("--notebook-dir=. " in line for line in starts)
    for chapter in SOURCES:
        for target in re.findall(r"\]\((\.\./[^)#\s]+)", chapter.read_text(encoding="utf-8")):
            assert (ROOT / "work" / target).resolve().exists(), (chapter.name, target)


def test_the_figure_index_is_as_its_command_makes_it():
    command = [sys.executable, ROOT / "tools" / "figure_index.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_figure_index_finds_figures_and_not_plots(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import figure_index

    text = "# ## Blocks\nfigure(4)\nplots.figure(9, 3)\nfigure(6.5)\nie.figure(7)\n"
    assert figure_index.drawn(text) == {4: 2, 7: 5}
    assert figure_index.heading(text, 2) == "Blocks"
    assert figure_index.named("see Figs. 21 to 24 and 26", "Fig", 23) == [1]
    assert figure_index.named("see Figs. 21 to 24 and 26", "Fig", 26) == [1]
    assert figure_index.named("see Figs. 21 to 24 and 26", "Fig", 25) == []


def test_the_glossary_is_in_order_and_each_term_is_used_in_a_chapter():
    found = terms()
    assert found == sorted(found, key=str.lower) and len(found) == len(set(found))
    text = re.sub(r"\s+#?\s*", " ", "\n".join(p.read_text("utf-8") for p in SOURCES)).lower()
    unused = []
    for term in found:
        words = re.sub(r" \(.*\)", "", term).lower().split(", ")
        if not any(word in text for word in words):
            unused.append(term)
    assert not unused


# Words that a reader of the chapters may not know. Each that a chapter uses is in the glossary.
JARGON = (
    "activation|augment|batch norm|bfloat16|bootstrap|bottleneck|branch|clipping|"
    "cuda graph|jackknife|"
    "channel|channels last|checkpoint|interval|crop|dead channel|dropout|ensemble|epoch|"
    "feature map|filter|fold|gradient|grid|identity|label smoothing|learning rate|logit|momentum|"
    "multiply-add|occlusion|optimizer|padding|parameter|receptive field|reduction|residual|"
    "push|rmsprop|seed|sgd|standard error|stem|step|stride|top-5|trunk|variance|warm-up|decay|width"
).split("|")


def test_words_that_need_one_have_an_entry():
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES).lower()
    entries = " ".join(terms()).lower()
    assert not [word for word in JARGON if word in text and word not in entries]


def test_the_page_of_verdicts_says_each_claim_in_words():
    text = (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8")
    assert all(f"| {name} | {claim.says} |" in text for name, claim in CLAIMS.items())


def test_the_citation_can_be_read_and_names_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{citation["version"]}"' in project
    assert citation["preferred-citation"]["url"].endswith("1602.07261")
