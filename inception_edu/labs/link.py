"""A lab's settings as one line of text that opens it again.

    lab.link                              "dying_lab?scale=0.3&width=144&rate=0.45&…"
    open_link("dying_lab?scale=0.3")      the lab, with these settings and else its usual ones

On the site the line stands behind the page's address, after "#": the lab there opens with it.
A long text in it, such as a network of the reader's own, is deflated: about a tenth is left.
"""

from __future__ import annotations

import base64
import importlib
import json
import zlib
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from inception_edu.describe.code import LONGEST
from inception_edu.labs.view import Refused

LONG = 600  # characters of a text from which it is deflated
DEFLATED = "deflated:"

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
    "speed_lab": "speed",
}


def write(name: str, settings: dict[str, Any]) -> str:
    """The link to a lab. Texts stand in it as they are, other values as JSON; None is left out."""
    given = {key: value for key, value in settings.items() if value is not None}
    told = {k: v if isinstance(v, str) else json.dumps(v) for k, v in given.items()}
    told = {k: v if len(v) < LONG else _deflated(v) for k, v in told.items()}
    return f"{name}?{urlencode(told, quote_via=quote)}"


def read(link: str) -> tuple[str, dict[str, Any]]:
    """(the name of the lab, its settings). Raises `Refused` for what is no link."""
    name, _, told = link.strip().rpartition("#")[2].partition("?")
    if name not in MODULES:
        raise Refused(f"A link begins with one of {', '.join(MODULES)}; got “{name[:40]}”.")
    return name, {key: _value(_inflated(text)) for key, text in parse_qsl(told)}


def _deflated(text: str) -> str:
    packed = base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode()
    return DEFLATED + packed.rstrip("=")


def _inflated(text: str) -> str:
    """Of a text that `_deflated` has made, the text; any other as it is. Raises `Refused` for half
    a link."""
    if not text.startswith(DEFLATED):
        return text
    packed = text.removeprefix(DEFLATED)
    try:
        inflate = zlib.decompressobj()
        # Not more than is read of a text: a few bytes can stand for very many.
        found = inflate.decompress(
            base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), 4 * LONGEST
        ).decode()
        whole = inflate.eof
    except (ValueError, zlib.error):
        whole = False
    if not whole:
        raise Refused("This link is not whole: copy it again, to its end.")
    return found


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
