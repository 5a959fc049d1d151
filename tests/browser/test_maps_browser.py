"""The feature-map lab in a real JupyterLab: every control pressed, and what is shown compared with
the network."""

import ast
import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect
from training import wait_until

# Two small networks and two pictures of our own, so that the test does not depend on which
# checkpoints are there. The first network's last block has nine channels that are 0 whatever
# enters. `expected` computes without the lab.
SETUP = """
import numpy as np, torch
from PIL import Image
from inception_edu.nets.build import build, named_blocks
from inception_edu.nets.features import activations
from inception_edu.labs.maps import Subject, feature_maps
from inception_edu.describe.networks import mini, network

def subject(name):
    def prepare(picture, side=32):
        pixels = np.asarray(picture.resize((side, side)), dtype=np.float32) / 127.5 - 1
        return torch.from_numpy(pixels).permute(2, 0, 1)[None]
    classes = tuple(f"thing {i}" for i in range(10))
    return Subject(build(mini(network(name), width=1 / 16), seed=0).eval(), prepare, classes, (32, 64))

subjects = {"residual": subject("inception_resnet_v2"), "plain": subject("inception_v4")}
with torch.no_grad():
    dict(named_blocks(subjects["residual"].model))["inception_resnet_c"].body[1].bias[:9] = -1e6
generator = np.random.default_rng(0)
pictures = {name: Image.fromarray(generator.integers(0, 256, (40, 40, 3), dtype=np.uint8)) for name in ("one", "two")}

def expected(network, picture, block, side=32):
    subject = subjects[network]
    return activations(subject.model, subject.prepare(lab.pictures_of[picture], side))[block][0]

def agrees(network, picture, block, side=32):
    return torch.allclose(lab.maps["output"], expected(network, picture, block, side), atol=1e-5)
"""


@pytest.fixture
def maps(lab):
    lab.open(lab.write("maps.ipynb", SETUP, "lab = feature_maps(subjects, pictures)"))
    lab.run_all(seconds=180)
    expect(lab.page.locator(".ied-feature-maps .ied-overview svg")).to_be_visible()
    return lab


def control(lab, name):
    return lab.page.locator(f".ied-control-{name}")


def choose(lab, name, label):
    control(lab, name).locator("select").select_option(label=label)


def press(lab, name, label):
    control(lab, name).get_by_role("button", name=label, exact=True).click()


def expect_chosen(lab, name, label):
    # ipywidgets puts no-break spaces into the options' values.
    expect(control(lab, name).locator("select")).to_have_value(
        re.compile(r"^\s*" + r"\s".join(re.escape(word) for word in label.split()) + r"\s*$")
    )


def value(lab, expression):
    return ast.literal_eval(lab.evaluate(expression))


def options(lab, name):
    return [
        text.replace("\xa0", " ") for text in control(lab, name).locator("option").all_inner_texts()
    ]


def shown(lab):
    """The channels whose tiles are shown, in order."""
    labels = lab.page.locator(".ied-maps .ied-tile").evaluate_all(
        "tiles => tiles.map(t => t.querySelector('[alt], [aria-label]')).map(t => t.alt || "
        "t.ariaLabel)"
    )
    return [int(re.match(r"channel (\d+),", label).group(1)) for label in labels]


def words(lab):
    return lab.page.locator(".ied-feature-maps .ied-status")


def other_picture(lab, address):
    """Wait until the first tile is another picture than `address`."""
    expect(lab.page.locator(".ied-maps .ied-tile img").first).not_to_have_attribute("src", address)


def first_tile(lab):
    return lab.page.locator(".ied-maps .ied-tile img").first.get_attribute("src")


def test_every_choice_is_there_to_be_seen(maps):
    for name in ("picture", "network", "size", "block", "part"):
        expect(control(maps, name).locator("select")).to_be_visible()
        assert control(maps, name).locator("select").evaluate("box => box.selectedOptions[0].label")
    expect(control(maps, "upload")).to_be_visible()
    expect(control(maps, "page")).to_be_hidden()
    expect(control(maps, "channel")).to_be_hidden()
    press(maps, "view", "all channels")
    expect(control(maps, "page").locator("select")).to_be_visible()
    expect(control(maps, "channel")).to_be_hidden()
    press(maps, "view", "one channel")
    expect(control(maps, "page")).to_be_hidden()
    expect(control(maps, "channel").locator("input")).to_be_visible()
    expect(control(maps, "block").locator("select")).to_be_visible()


def test_picture_network_size_and_block(maps):
    view = maps.page.locator(".ied-maps")
    assert maps.evaluate("agrees('residual', 'one', 'inception_resnet_a')") == "True"
    before = first_tile(maps)
    choose(maps, "picture", "two")
    expect(view.get_by_alt_text("the picture: two")).to_be_visible()
    other_picture(maps, before)
    assert maps.evaluate("agrees('residual', 'two', 'inception_resnet_a')") == "True"

    control(maps, "picture").locator("select").press("ArrowUp")  # the keyboard does it too
    expect(view.get_by_alt_text("the picture: one")).to_be_visible()

    choose(maps, "block", "inception_resnet_b.2")
    expect(words(maps)).to_contain_text("that leave inception_resnet_b.2")
    for part in ("branch 1 · 1×1", "branch 2 · 1×1 → 1×7 → 7×1", "after the 1×1", "output"):
        expect(view.locator("b", has_text=re.compile(f"^{part}$"))).to_be_visible()
    expect(maps.page.locator('.ied-overview g[data-path="inception_resnet_b"]')).to_have_attribute(
        "aria-selected", "true"
    )
    assert maps.evaluate("agrees('residual', 'one', 'inception_resnet_b.2')") == "True"

    choose(maps, "size", "64×64")
    expect(view).to_contain_text("16×16 each")
    expect(view).to_contain_text("enters, 64×64")
    expect(maps.page.locator(".ied-overview")).to_contain_text("64×64×3")
    assert maps.evaluate("agrees('residual', 'one', 'inception_resnet_b.2', 64)") == "True"
    choose(maps, "size", "32×32")
    expect(view).to_contain_text("8×8 each")

    choose(maps, "network", "plain")
    expect(maps.page.locator('.ied-overview g[data-path="inception_b"]')).to_be_visible()
    expect(words(maps)).not_to_contain_text("resnet")
    assert options(maps, "block") == value(
        maps, "[name for name, _ in named_blocks(subjects['plain'].model)]"
    )
    choose(maps, "block", "reduction_b")
    expect(view.locator("b", has_text="max pool")).to_be_visible()
    assert maps.evaluate("agrees('plain', 'one', 'reduction_b')") == "True"


def test_a_block_is_chosen_in_the_diagram_by_mouse_and_keyboard(maps):
    maps.page.locator('.ied-overview g[data-path="reduction_b"]').click()
    expect_chosen(maps, "block", "reduction_b")
    expect(words(maps)).to_contain_text("that leave reduction_b")
    expect(maps.page.locator(".ied-maps")).to_contain_text("max pool")
    maps.page.keyboard.press("ArrowDown")  # against the flow of the data
    maps.page.keyboard.press("Enter")
    expect_chosen(maps, "block", "inception_resnet_b.1")
    expect(words(maps)).to_contain_text("that leave inception_resnet_b.1")
    assert maps.evaluate("agrees('residual', 'one', 'inception_resnet_b.1')") == "True"


def test_part_order_page_and_channel(maps):
    strongest = (
        "torch.argsort(lab.maps[{!r}].abs().flatten(1).mean(1), descending=True).tolist()".format
    )
    press(maps, "view", "all channels")
    expect(maps.page.locator(".ied-maps b")).to_have_count(1)
    choose(maps, "block", "reduction_a")
    expect(words(maps)).to_contain_text("reduction_a")
    assert shown(maps) == value(maps, strongest("output") + "[:24]")
    press(maps, "order", "by number")
    expect(maps.page.locator(".ied-maps figcaption").first).to_contain_text("0 ·")
    assert shown(maps) == list(range(24))
    pages = options(maps, "page")
    choose(maps, "page", pages[1])
    expect(maps.page.locator(".ied-maps figcaption").first).to_contain_text("24 ·")
    assert shown(maps)[:3] == [24, 25, 26]

    parts = options(maps, "part")
    assert len(parts) == 4 and parts[-1] == "output"  # three branches
    press(maps, "order", "strongest first")
    choose(maps, "part", parts[1])
    expect(maps.page.locator(".ied-maps b")).to_contain_text(parts[1])
    assert shown(maps) == value(maps, strongest(parts[1]) + "[:24]")

    press(maps, "view", "one channel")
    maps.type_into(control(maps, "channel").locator("input"), "5")
    expect(maps.page.locator(".ied-maps b")).to_contain_text(f"channel 5 of {parts[1]}:")
    assert shown(maps) == [5]
    mean = value(maps, f"'mean %.3g' % float(lab.maps[{parts[1]!r}][5].mean())")
    expect(maps.page.locator(".ied-maps b")).to_contain_text(mean)
    control(maps, "channel").locator("input").press("ArrowUp")
    expect(maps.page.locator(".ied-maps b")).to_contain_text("channel 6 of")
    maps.type_into(
        control(maps, "channel").locator("input"), "9999"
    )  # there is no such channel: the last one
    expect(maps.page.locator(".ied-maps b")).to_contain_text(re.compile(r"channel \d{1,2} of"))
    press(maps, "view", "branches side by side")
    expect(maps.page.locator(".ied-maps b")).to_have_count(4)
    expect(control(maps, "part").locator("select")).to_be_disabled()


def test_dead_channels_are_counted_and_crossed_out(maps):
    choose(maps, "block", "inception_resnet_c")
    expect(words(maps)).to_contain_text("that leave inception_resnet_c")
    silent = value(
        maps, "(lab.maps['output'].flatten(1).amax(1) == 0).nonzero().flatten().tolist()"
    )
    assert silent[:9] == list(range(9))  # and others by chance
    expect(words(maps)).to_contain_text(f"{len(silent)} are 0 everywhere")
    press(maps, "view", "all channels")
    press(maps, "order", "by number")
    expect(maps.page.locator(".ied-maps figcaption").first).to_contain_text("0 ·")
    crossed = maps.page.locator(".ied-maps .ied-tile [role=img]")
    expect(crossed).to_have_count(sum(channel < 24 for channel in silent))
    labels = crossed.evaluate_all("tiles => tiles.map(t => t.ariaLabel)")
    assert [int(label.split()[1].strip(",")) for label in labels] == [c for c in silent if c < 24]
    assert crossed.evaluate_all(
        "tiles => tiles.every(t => getComputedStyle(t).backgroundImage.includes('gradient'))"
    )


def test_an_own_picture_and_a_file_that_is_none(maps):
    out = io.BytesIO()
    Image.fromarray(np.full((50, 80, 3), (200, 30, 40), dtype=np.uint8)).save(out, "PNG")
    before = first_tile(maps)

    def upload(name, mime, content):
        with maps.page.expect_file_chooser() as chooser:
            control(maps, "upload").click()
        chooser.value.set_files({"name": name, "mimeType": mime, "buffer": content})

    upload("red.png", "image/png", out.getvalue())
    expect(maps.page.locator(".ied-maps").get_by_alt_text("the picture: red.png")).to_be_visible()
    expect_chosen(maps, "picture", "red.png")
    other_picture(maps, before)
    assert maps.evaluate("agrees('residual', 'red.png', 'inception_resnet_a')") == "True"
    upload("notes.png", "image/png", b"no picture")
    expect(words(maps)).to_contain_text("notes.png cannot be read as a picture")
    expect_chosen(maps, "picture", "red.png")


def test_the_trained_networks_that_come_with_the_project(lab):
    lab.open(
        lab.write(
            "trained.ipynb",
            "from inception_edu.labs.maps import feature_maps",
            "lab = feature_maps()",
        )
    )
    lab.run_all(seconds=180)
    expect(words(lab)).to_contain_text("The network says")
    networks, pictures = options(lab, "network"), options(lab, "picture")
    assert networks and any("photograph" in name for name in pictures)
    for name in networks[1:] + networks[:1]:
        choose(lab, "network", name)
        expect_chosen(lab, "network", name)
        wait_until(
            lambda name=name: lab.evaluate("lab.network.value") == repr(name),
            f"the kernel has no {name}",
        )
        seen = first_tile(lab)
        choose(lab, "picture", pictures[1])
        expect(
            lab.page.locator(".ied-maps").get_by_alt_text(f"the picture: {pictures[1]}")
        ).to_be_visible()
        assert first_tile(lab) != seen
        choose(lab, "picture", pictures[0])
        expect(
            lab.page.locator(".ied-maps").get_by_alt_text(f"the picture: {pictures[0]}")
        ).to_be_visible()
    lab.theme("dark").resize(600, 900)
    box = lab.page.locator(".ied-feature-maps")
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth + 1"), (
        "the lab is wider than a narrow window"
    )
