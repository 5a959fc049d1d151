"""How Sphinx builds the site; `make site` calls it, on pages that tools/website.py has laid out.

Nothing of a built page comes from another host: formulas become MathML when the site is built, and
the scripts of MyST-NB for live widgets are left out, because the labs have their own.
"""

import os
import re
from html import escape
from pathlib import Path

from docutils.nodes import paragraph
from latex2mathml.converter import convert

project = "Inception-ResNet, a laboratory"
author = "the contributors of inception-edu"
language = "en"
extensions = ["myst_nb"]
templates_path = []
exclude_patterns = ["_build"]

nb_execution_mode = "off"
nb_ipywidgets_js = {}
nb_merge_streams = True
nb_output_stderr = "remove"
nb_render_markdown_format = "myst"
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
suppress_warnings = ["mystnb.unknown_mime_type", "myst.header"]

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css", "live/labs.css"]
html_js_files = [("live/page_host.js", {"type": "module"})]  # labs in the page
html_favicon = "_static/favicon.svg"
html_copy_source = False
html_use_index = False
html_show_sourcelink = False
html_context = {"default_mode": "auto"}
html_math_renderer = "mathml"

_url = os.environ.get("SITE_URL", "").rstrip("/")  # where the site will stand, "" if not known
html_baseurl = f"{_url}/" if _url else ""

_address = os.environ.get("SITE_REPOSITORY", "")
html_theme_options = {
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "show_navbar_depth": 1,
    "home_page_in_toc": True,
    "navbar_persistent": [],
}
if _address:
    html_theme_options |= {
        "repository_url": _address,
        "repository_branch": "main",
        "path_to_docs": "notebooks",
        "use_repository_button": True,
        "launch_buttons": {"colab_url": "https://colab.research.google.com"},
    }


def _inline(self, node):
    self.body.append(convert(node.astext(), display="inline"))
    _leave(self, node)


def _block(self, node):
    self.body.append(f'<div class="math">{convert(node.astext(), display="block")}</div>')
    _leave(self, node)


def _leave(self, node):
    from docutils.nodes import SkipNode

    raise SkipNode


def _preview(app, page, template, context, doctree):
    """What other sites show of a link to the page: its title, its first sentence and, where the
    site's address is known, a picture."""
    if doctree is None:
        return
    first = next((node.astext() for node in doctree.findall(paragraph)), "")
    said = {
        "og:type": "article",
        "og:site_name": project,
        "og:title": re.sub("<[^>]+>", "", context.get("title", project)),
        "og:description": " ".join(first.split())[:200],
    }
    if _url:
        said["og:url"] = f"{_url}/{page}.html"
        name = (
            page
            if (Path(app.srcdir) / "_static" / "previews" / f"{page}.png").exists()
            else "index"
        )
        said["og:image"] = f"{_url}/_static/previews/{name}.png"
        said |= {"og:image:width": "1200", "og:image:height": "630"}
        said["og:image:alt"] = f"{said['og:title']}. {said['og:description']}"
    tags = [f'<meta property="{key}" content="{escape(text)}" />' for key, text in said.items()]
    tags.append(f'<meta name="description" content="{escape(said["og:description"])}" />')
    context["metatags"] = context.get("metatags", "") + "\n".join(tags)


def setup(app):
    app.connect("html-page-context", _preview)
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
