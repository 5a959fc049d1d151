"""Pages of the site without the weight of their pictures."""

import base64
import io
import re
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import light_pages  # noqa: E402


def svg(head: str) -> bytes:
    dots = "".join(f'<circle r="{n}"/>' for n in range(200))
    return f'<svg xmlns="http://www.w3.org/2000/svg" {head}>{dots}</svg>'.encode()


def png(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((width, height), 90).save(file, "PNG")
    return file.getvalue()


def tag(data: bytes, kind: str, more: str = "") -> str:
    return f'<img alt="a"{more} src="data:image/{kind};base64,{base64.b64encode(data).decode()}">'


@pytest.mark.parametrize(
    "data, kind, given, width, height",
    [
        (svg('width="300" height="150" viewBox="0 0 600 300"'), "svg+xml", "", 300, 150),
        (svg('width="72pt" height="36pt" viewBox="0 0 72 36"'), "svg+xml", "", 96, 48),
        (svg('viewBox="0 0 600 300"'), "svg+xml", "", 600, 300),
        (svg('width="100%" viewBox="0 0 600 300"'), "svg+xml", ' width="200"', 200, 100),
        (png(120, 60), "png", ' width="60" style="max-width:100%"', 60, 30),
        (png(120, 60), "png", ' width="60" height="30"', 60, 30),
    ],
)
def test_a_picture_becomes_a_file_and_keeps_its_place(data, kind, given, width, height, tmp_path):
    folder = tmp_path / "_images"
    html = light_pages.pictures_apart(f"<p>{tag(data, kind, given)}</p>", folder)
    [file] = folder.iterdir()
    assert file.read_bytes() == data and file.suffix == f".{kind[:3]}"
    assert f'src="_images/{file.name}"' in html and "base64" not in html
    assert 'loading="lazy"' in html and 'alt="a"' in html
    assert re.findall(r'\bwidth="(\d+)"', html) == [str(width)]
    assert re.findall(r'\bheight="(\d+)"', html) == [str(height)]


def test_one_picture_twice_is_one_file_and_small_ones_stay(tmp_path):
    folder = tmp_path / "_images"
    twice = tag(png(90, 90), "png") * 2
    html = light_pages.pictures_apart(twice, folder)
    assert len(list(folder.iterdir())) == 1 and html.count("_images/") == 2
    small = tag(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "svg+xml")
    assert light_pages.pictures_apart(small, folder) == small


def test_what_stands_in_json_is_left_alone(tmp_path):
    text = '<script type="application/json">{"svg": "' + tag(png(90, 90), "png").replace('"', '\\"')
    assert light_pages.pictures_apart(text, tmp_path) == text


def test_the_second_set_of_icons_is_left_out(tmp_path):
    script = '<script defer src="_static/scripts/fontawesome.js?digest=1"></script>'
    other = '<script src="_static/doctools.js"></script>'
    assert light_pages.without_unused(f"<head>{script}{other}</head>") == f"<head>{other}</head>"
    files = [
        "scripts/fontawesome.js",
        "scripts/fontawesome.js.map",
        "scripts/a.js",
        "scripts/a.js.map",
        "live/b.js",
    ]
    for name in files:
        path = tmp_path / "_static" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("f();\n//# sourceMappingURL=a.js.map\n")
    light_pages.remove_unused(tmp_path)
    left = {p.name: p.read_text() for p in (tmp_path / "_static").rglob("*.js")}
    assert set(left) == {"a.js", "b.js"} and left["a.js"] == "f();\n\n"
    assert not list(tmp_path.rglob("*.map"))
