"""What makes the built pages light: pictures as files that are read when a reader comes near them,
and nothing that no page uses.

    html = pictures_apart(html, folder)    # the folder is _images of the site
"""

import base64
import hashlib
import io
import re
from pathlib import Path
from xml.etree import ElementTree

from PIL import Image

SMALL = 2_000  # characters of a picture that stays in its page
ENDINGS = {"svg+xml": "svg", "png": "png", "jpeg": "jpg"}
INSIDE = re.compile(r'<img\b([^>]*?)src="data:image/(svg\+xml|png|jpeg);base64,([^"]+)"([^>]*)>')
# The theme's icons come from its style and its font; this draws them a second time, as SVG: 1.6 MB.
ICONS = re.compile(r'<script[^>]*src="[^"]*fontawesome\.js[^"]*"[^>]*></script>')


def size(data: bytes, ending: str) -> tuple[float, float] | None:
    """Width and height of a picture in pixels, as a browser shows it by itself; None where an SVG
    does not say."""
    if ending != "svg":
        with Image.open(io.BytesIO(data)) as picture:
            return picture.size
    root = ElementTree.fromstring(data)
    box = [float(number) for number in root.get("viewBox", "").split()]
    sides = [re.fullmatch(r"([\d.]+)(px|pt|)", root.get(side, "")) for side in ("width", "height")]
    width, height = (float(s[1]) * (4 / 3 if s[2] == "pt" else 1) if s else None for s in sides)
    if width and height:
        return width, height
    if len(box) != 4:
        return None
    return (width, width * box[3] / box[2]) if width else (box[2], box[3])


def pictures_apart(html: str, folder: Path) -> str:
    """The page with its larger pictures as files in `folder`. Each says its sides, so that nothing
    moves when it comes."""

    def apart(found: re.Match) -> str:
        before, kind, text, after = found.groups()
        if len(text) < SMALL:
            return found[0]
        data, ending = base64.b64decode(text), ENDINGS[kind]
        name = f"{hashlib.sha256(data).hexdigest()[:12]}.{ending}"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
        said, sides = f"{before} {after}", size(data, ending)
        if sides and not re.search(r'\bheight="', said):
            width, high = sides
            if given := re.search(r'\bwidth="([\d.]+)"', said):
                width, high = float(given[1]), high * float(given[1]) / width
            else:
                before += f'width="{width:.0f}" '
            before += f'height="{high:.0f}" '
        return f'<img{before}src="{folder.name}/{name}" loading="lazy"{after}>'

    return INSIDE.sub(apart, html)


def without_unused(html: str) -> str:
    """The page without the scripts that it does not need."""
    return ICONS.sub("", html)


def remove_unused(site: Path) -> None:
    """Files that no page asks for: what is left out above, and the sources of the theme's files."""
    for path in [*(site / "_static").rglob("*.map"), *site.glob("_static/scripts/fontawesome.js")]:
        path.unlink()
    for path in (site / "_static").rglob("*"):
        if path.suffix in (".css", ".js") and "live" not in path.parts:
            text = path.read_text(encoding="utf-8")
            if "sourceMappingURL" in text:
                text = re.sub(r"(?m)^(//|/\*)# sourceMappingURL=.*$", "", text)
                path.write_text(text, encoding="utf-8")
