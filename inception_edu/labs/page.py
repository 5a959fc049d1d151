"""The JavaScript and CSS of the labs, as widgets.

A component is a file `web/NAME.js` with one function:

    mount(el, value, tell) → { update(value), remove() }

`value` is JSON, `tell(said)` sends something to the lab. The file knows nothing of notebooks; what
it needs it names in its first line (`// needs: keys.js`). Here the files are tied to `anywidget`;
a page without Python ties the same files to itself.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

WEB = Path(__file__).parent / "web"


@cache
def script(name: str) -> str:
    """The JavaScript of a component, with all that it needs before it, each file once."""
    there: dict[str, str] = {}

    def add(file: str) -> None:
        if file in there:
            return
        text = (WEB / file).read_text(encoding="utf-8")
        there[file] = ""  # taken: a circle ends here
        for line in re.findall(r"^// needs: (.+)$", text[:500], re.MULTILINE):
            for other in line.split():
                add(other)
        del there[file]
        there[file] = text

    add(f"{name}.js")
    return "\n".join(there.values())


@cache
def style(name: str) -> str:
    """The CSS of a component, `web/NAME.css` with what it needs before it; or nothing."""
    path = WEB / f"{name}.css"
    if not path.exists():
        return ""
    text = path.read_text(encoding="utf-8")
    needed = re.findall(r"^/\* needs: (.+) \*/$", text[:500], re.MULTILINE)
    others = " ".join(needed).split()
    return "\n".join([*((WEB / other).read_text(encoding="utf-8") for other in others), text])


@cache
def component(name: str):
    """The widget class of `web/NAME.js`, with a `value`; None where anywidget is missing."""
    try:
        import anywidget
        import traitlets
    except ImportError:
        return None
    return type(
        f"Component_{name}",
        (anywidget.AnyWidget,),
        {
            "_esm": script(name) + "\n" + script("anywidget"),
            "_css": style(name),
            "value": traitlets.Any().tag(sync=True),
        },
    )
