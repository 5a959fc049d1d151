"""The lab of a network's inside in a real JupyterLab: pointer, keyboard, own pictures, themes."""

import ast
import base64
import io
import re

import numpy as np
import pytest
from PIL import Image, features
from playwright.sync_api import expect

CODE = """from inception_edu.labs.inside import feature_maps
lab = feature_maps()"""


@pytest.fixture
def inside(lab):
    lab.open(lab.write("inside.ipynb", CODE))
    lab.run_all(seconds=180)
    expect(lab.page.locator(".ied-inside .ied-tile").first).to_be_visible()
    return lab


def box(lab):
    return lab.page.locator(".ied-inside").first


def state(lab, expression):
    return ast.literal_eval(lab.evaluate(f"lab.state.{expression}"))


def until(lab, expression, value):
    """Wait until the lab's state says so."""
    for _ in range(100):
        if state(lab, expression) == value:
            return
        lab.page.wait_for_timeout(100)
    raise AssertionError(f"{expression} is {state(lab, expression)!r}, not {value!r}")


def answer(lab):
    return box(lab).locator(".ied-inside-picture .ied-answers li").first


def test_the_first_answer_is_right_and_every_piece_follows(inside):
    expect(answer(inside)).to_contain_text("sneaker ✓")
    expect(box(inside).locator(".ied-status")).to_contain_text("(right)")

    tile = box(inside).get_by_role("button", name=re.compile(r"^channel \d+ of branch 2")).first
    place = tile.bounding_box()
    inside.page.mouse.move(place["x"] + 20, place["y"] + 24)
    expect(box(inside).locator(".ied-field")).to_be_visible()
    expect(box(inside).locator(".ied-words")).to_contain_text("could see 11×11 pixels")
    tile.click()
    until(inside, "part", "branch 2 · 1×1 → 3×3")
    expect(box(inside).locator(".ied-inside-reasons h4").first).to_contain_text("Branch 2, channel")

    branch = box(inside).get_by_role("button", name=re.compile("^branch 3 .* switched off"))
    branch.click()
    expect(branch).to_have_attribute("aria-pressed", "true")
    expect(box(inside).locator(".ied-changed")).to_contain_text("branch 3 off: sneaker 95 % →")
    branch.click()
    expect(box(inside).locator(".ied-changed")).to_have_text("")

    box(inside).get_by_role("button", name="inception_resnet_c.2").click()
    until(inside, "block", "inception_resnet_c.2")
    expect(box(inside).locator(".ied-inside-tiles")).to_contain_text("Inception-ResNet-C, 2 of 2")
    inside.page.wait_for_timeout(300)
    height = box(inside).bounding_box()["height"]
    box(inside).locator(".ied-tile").last.hover()
    expect(box(inside).locator(".ied-words")).to_contain_text("also beyond the border")
    assert box(inside).bounding_box()["height"] == height, "pointing moves nothing"
    assert box(inside).locator(".ied-words").evaluate("p => p.scrollHeight <= p.clientHeight + 1")
    box(inside).locator(".ied-control-compare select").select_option(label="before training")
    expect(box(inside).locator(".ied-inside-picture")).to_contain_text("before training: it says")
    box(inside).get_by_role("button", name="occlusion").click()
    expect(box(inside).locator(".ied-why")).to_contain_text("probability falls")

    handle = box(inside).locator(".ied-control-training").get_by_role("slider")
    expect(handle).to_have_attribute("aria-valuetext", "step 625")
    handle.focus()
    handle.press("Home")
    until(inside, "step", 0)
    expect(handle).to_have_attribute("aria-valuetext", "before training")
    expect(answer(inside)).not_to_contain_text("✓")
    inside.assert_clean()


def test_the_keyboard_reads_and_chooses(inside):
    tile = box(inside).locator(".ied-tile").nth(2)
    tile.focus()
    inside.page.keyboard.press("ArrowRight")
    inside.page.keyboard.press("ArrowDown")
    expect(box(inside).locator(".ied-field")).to_be_visible()
    for _ in range(40):
        if state(inside, "point"):
            break
        inside.page.wait_for_timeout(100)
    before = state(inside, "point")
    inside.page.keyboard.press("ArrowLeft")
    until(inside, "point", (*before[:3], max(0, before[3] - 1)))
    inside.page.keyboard.press("Enter")
    until(inside, "channel", before[1])
    expect(tile).to_be_focused()  # the focus stays where it was

    large = box(inside).locator(".ied-large .ied-over")
    large.focus()
    inside.page.keyboard.press("ArrowUp")
    expect(box(inside).locator(".ied-read")).to_contain_text("at row")


def png(picture, kind="PNG", **more):
    out = io.BytesIO()
    picture.save(out, kind, **more)
    return out.getvalue()


def choose(lab, *files):
    with lab.page.expect_file_chooser() as chooser:
        box(lab).get_by_role("button", name="choose…").click()
    chooser.value.set_files(
        [{"name": n, "mimeType": "image/*", "buffer": content} for n, content in files]
    )


def test_pictures_of_ones_own(inside):
    exif = Image.Exif()
    exif[0x0112] = 6
    noise = np.random.default_rng(0).integers(0, 256, (3000, 5000, 3), dtype=np.uint8)
    large = png(Image.fromarray(noise), "JPEG", quality=95, exif=exif)
    assert len(large) > 10_000_000, "more than a connection to the kernel takes"
    choose(inside, ("holiday.jpg", large))
    note = box(inside).locator(".ied-note-own")
    expect(note).to_have_text("turned upright, 3000×5000 → 614×1024", timeout=30_000)
    until(inside, "picture", "holiday.jpg")
    assert state(inside, "own[0].pixels.shape") == (3, 1024, 614)

    clear = np.zeros((40, 40, 4), np.uint8)
    clear[..., 0] = 255
    choose(inside, ("a.png", png(Image.fromarray(clear))))
    expect(note).to_have_text("transparent parts on white")
    assert state(inside, "own[1].pixels[:, 5, 5].tolist()") == [255, 255, 255]
    ramp = np.linspace(0, 65535, 64).astype(np.uint16)[None].repeat(64, 0)
    choose(inside, ("a.png", png(Image.fromarray(ramp))))
    until(inside, "picture", "a.png (2)")
    assert abs(state(inside, "own[2].pixels[0, 5, 32].item()") - 129) < 4

    height = box(inside).bounding_box()["height"]
    choose(inside, ("notes.png", b"no picture at all"))
    expect(note).to_contain_text("notes.png cannot be read as a picture")
    assert box(inside).bounding_box()["height"] == height, "a long reason moves nothing"
    expect(box(inside).get_by_role("alert")).to_contain_text("notes.png")
    choose(inside, ("IMG_1.HEIC", b"\0\0\0\x18ftypheic" + b"\0" * 40))
    expect(note).to_contain_text("IMG_1.HEIC is an HEIC picture")
    choose(inside, ("scan.tif", png(Image.new("RGB", (30, 20), "lime"), "TIFF")))
    until(inside, "picture", "scan.tif")  # the browser cannot, the kernel can

    for kind in ("WEBP", "AVIF"):
        if features.check(kind.lower()):
            name = f"new.{kind.lower()}"
            choose(inside, (name, png(Image.new("RGB", (30, 20), "red"), kind)))
            until(inside, "picture", name)
            red, green, _ = state(inside, "own[-1].pixels[:, 5, 5].tolist()")
            assert red > 240 and green < 20

    data = base64.b64encode(png(Image.new("RGB", (30, 20), "blue"))).decode()
    transfer = inside.page.evaluate_handle(
        """data => { const t = new DataTransfer();
        t.items.add(new File([Uint8Array.from(atob(data), c => c.charCodeAt(0))], "dropped.png",
          { type: "image/png" })); return t; }""",
        data,
    )
    stage = box(inside).locator(".ied-stage")
    stage.dispatch_event("drop", {"dataTransfer": transfer})
    until(inside, "picture", "dropped.png")
    stage.evaluate(
        """(node, t) => node.dispatchEvent(new ClipboardEvent("paste",
        { clipboardData: t, bubbles: true, cancelable: true }))""",
        transfer,
    )
    until(inside, "picture", "pasted picture")


def test_drawing_and_taking_away(inside):
    inside.context.grant_permissions(["clipboard-read", "clipboard-write"])
    box(inside).get_by_role("button", name="draw", exact=True).click()
    place = box(inside).locator(".ied-ink").bounding_box()
    mouse = inside.page.mouse
    across, side = place["x"] + 8.6 / 32 * place["width"], place["height"]
    mouse.move(across, place["y"] + 5.8 / 32 * side)
    mouse.down()
    mouse.move(across, place["y"] + 25.9 / 32 * side, steps=4)
    mouse.up()
    until(inside, "picture", "drawing on sneaker")
    assert state(inside, "own[0].pixels[0, 12, 8].item()") == 255
    box(inside).get_by_role("button", name="black").click()
    box(inside).locator(".ied-ink").focus()
    for key in ("ArrowUp", "ArrowUp", " "):  # from where the pointer left, on the white line
        inside.page.keyboard.press(key)
    until(inside, "own[-1].pixels[0, 23, 8].item()", 0)
    inside.assert_accessible(".ied-inside")
    box(inside).get_by_role("button", name="wipe").click()
    until(inside, "picture", "drawing")
    assert state(inside, "own[-1].pixels.max().item()") == 0
    inside.page.locator(".ied-ink").press("Escape")
    expect(box(inside).get_by_role("button", name="draw", exact=True)).to_be_focused()
    expect(box(inside).locator(".ied-ink")).to_have_count(0)

    box(inside).get_by_role("button", name="copy as code").click()
    expect(box(inside).locator(".ied-take pre")).to_contain_text("lab = feature_maps(")
    code = inside.page.evaluate("navigator.clipboard.readText()")
    assert "'picture': 'drawing'" in code and "data:image/png;base64," in code
    with inside.page.expect_download() as saved:
        box(inside).get_by_role("button", name="PNG").click()
    with Image.open(saved.value.path()) as picture:
        assert picture.format == "PNG" and picture.width == 1520


def test_named_narrow_and_dark(inside):
    for theme in ("light", "dark"):
        inside.theme(theme)
        inside.assert_accessible(".ied-inside")
    inside.resize(1280, 720).page.evaluate("jupyterapp.shell.collapseLeft()")
    inside.page.wait_for_timeout(500)
    assert box(inside).bounding_box()["height"] <= 605, "it is seen whole in a window of 720 pixels"
    box(inside).locator(".ied-control-compare select").select_option(label="before training")
    expect(box(inside).locator(".ied-sides")).to_contain_text("before training")
    inside.assert_accessible(".ied-inside")
    assert box(inside).bounding_box()["height"] <= 605
    inside.resize(700, 900)
    fits = "box => box.scrollWidth <= box.clientWidth + 1"
    assert box(inside).evaluate(fits), "the lab is wider than a narrow window"


def test_own_modules_and_photographs(lab):
    lab.open(
        lab.write(
            "own.ipynb",
            "import torch\nfrom torch import nn\nimport numpy as np\n"
            "from inception_edu.labs.inside import Subject, feature_maps\n"
            "trunk = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU())\n"
            "net = nn.Sequential(trunk, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3))\n"
            "def prepare(picture):\n"
            "    x = np.asarray(picture.convert('RGB').resize((40, 40)), dtype=np.float32) / 255\n"
            "    return torch.from_numpy(x).permute(2, 0, 1)[None]\n"
            "lab = feature_maps({'mine': Subject(net, prepare, ('a', 'b', 'c'))})",
        )
    )
    lab.run_all(seconds=180)
    expect(box(lab).locator(".ied-tile")).to_have_count(6)
    expect(box(lab).locator(".ied-control-training")).to_be_hidden()
    lab.assert_clean()
