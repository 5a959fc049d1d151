"""A lab's settings as one line of text that opens it again.

    lab.link                              "dying_lab?scale=0.3&width=144&rate=0.45&…"
    open_link("dying_lab?scale=0.3")      the lab, with these settings and else its usual ones

On the site the line stands behind the page's address, after "#": the lab there opens with it.
"""

from __future__ import annotations

import importlib
import json
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from inception_edu.labs.view import Refused

# The function that readers call → its module, of the labs whose settings are a link.
MODULES = {
    "scaling_lab": "scaling",
    "dying_lab": "dying",
    "race_lab": "race",
    "shape_explorer": "shapes",
    "convolution_lab": "convolution",
    "comparison_lab": "comparison",
    "feature_maps": "inside",
    "family_lab": "family",
    "field_lab": "field",
    "block_designer": "designer",
    "network_diagram": "diagram",
    "death": "film",
}


def write(name: str, settings: dict[str, Any]) -> str:
    """The link to a lab. Texts stand in it as they are, other values as JSON; None is left out."""
    given = {key: value for key, value in settings.items() if value is not None}
    told = {k: v if isinstance(v, str) else json.dumps(v) for k, v in given.items()}
    return f"{name}?{urlencode(told, quote_via=quote)}"


def read(link: str) -> tuple[str, dict[str, Any]]:
    """(the name of the lab, its settings). Raises `Refused` for what is no link."""
    name, _, told = link.strip().rpartition("#")[2].partition("?")
    if name not in MODULES:
        raise Refused(f"A link begins with one of {', '.join(MODULES)}; got “{name[:40]}”.")
    return name, {key: _value(text) for key, text in parse_qsl(told)}


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return _tuples(value)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def code(link: str) -> str:
    """Python that opens a link."""
    return f"from inception_edu.labs.link import open_link\n\nlab = open_link({link!r})\n"


def open_link(link: str, **more: Any):
    """Display the lab of a link, and return it; `more` as the lab's function takes it (mode).

    Raises `Refused`, a ValueError, for what is no link, and as the lab does for settings that it
    does not have.
    """
    name, settings = read(link)
    function = getattr(importlib.import_module(f"inception_edu.labs.{MODULES[name]}"), name)
    try:
        return function(**settings, **more)
    except TypeError as error:
        raise Refused(f"{name} cannot be opened with {', '.join(settings)}: {error}.") from None
