"""The feature-map lab without a browser: what its controls show, its own pictures, and what happens
to wrong ones."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from inception_edu.describe.networks import mini, network, tower
from inception_edu.labs.maps import (
    CHANGE,
    OUTPUT,
    FeatureMaps,
    Subject,
    folder_pictures,
    sample_pictures,
    tile,
)
from inception_edu.nets.build import build, named_blocks
from inception_edu.nets.features import activations


def _subject(what, seed=0):
    model = build(what, seed=seed).eval()

    def prepare(picture):
        pixels = np.asarray(picture.convert("RGB").resize((32, 32)), dtype=np.float32) / 127.5 - 1
        return torch.from_numpy(pixels).permute(2, 0, 1)[None]

    return Subject(model, prepare, tuple(f"thing {i}" for i in range(10)))


def _picture(seed):
    return Image.fromarray(
        np.random.default_rng(seed).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    )


@pytest.fixture
def lab():
    models = {
        "residual": _subject(mini(network("inception_resnet_v2"), width=1 / 16)),
        "plain": _subject(mini(network("inception_v4"), width=1 / 16)),
    }
    return FeatureMaps(models, {"first": _picture(0), "second": _picture(1)})


def test_the_maps_are_the_networks_own(lab):
    lab.block.value = "inception_resnet_b.2"
    model = lab.subject.model
    expected = activations(model, lab.subject.prepare(_picture(0)))["inception_resnet_b.2"][0]
    torch.testing.assert_close(lab.maps[OUTPUT], expected)
    assert list(lab.maps) == ["branch 1 · 1×1", "branch 2 · 1×1 → 1×7 → 7×1", CHANGE, OUTPUT]


def test_another_picture_or_network_shows_other_maps(lab):
    seen = {lab.maps_view.value}
    lab.picture.value = "second"
    seen.add(lab.maps_view.value)
    lab.network.value = "plain"
    seen.add(lab.maps_view.value)
    lab.block.value = "reduction_a"
    seen.add(lab.maps_view.value)
    assert len(seen) == 4
    assert list(lab.block.options) == [name for name, _ in named_blocks(lab.subject.model)]


def test_side_by_side_shows_every_branch_and_the_1x1(lab):
    lab.block.value = "inception_resnet_a"
    for part in lab.maps:
        assert f"<b>{part.replace('→', '→')}</b>" in lab.maps_view.value


def test_channels_stand_in_the_order_asked_for(lab):
    lab.block.value = "reduction_a"
    lab.view.value = "all channels"
    strength = lab.maps[OUTPUT].abs().flatten(1).mean(1)
    order = lab.order_of(OUTPUT)
    assert (strength[order].diff() <= 0).all() and sorted(order) == list(range(len(order)))
    lab.order.value = "by number"
    assert lab.order_of(OUTPUT) == list(range(len(order)))
    assert len(lab.page.options) == -(-len(order) // 24) > 1
    lab.page.value = lab.page.options[-1][1]
    last = len(order) - 1
    assert f"channel {last}," in lab.maps_view.value and "channel 0," not in lab.maps_view.value


def test_one_channel_is_described_in_numbers(lab):
    lab.view.value = "one channel"
    lab.channel.value = 5
    values = lab.maps[OUTPUT][5]
    assert f"{int((values == 0).sum())} of {values.numel()} values are 0" in lab.maps_view.value


def test_silent_channels_are_counted_and_crossed_out():
    model = _subject(tower(32, 2))
    conv = dict(named_blocks(model.model))["inception_resnet_c.2"].body[1]
    with torch.no_grad():
        conv.bias[:9] = -1e6
    lab = FeatureMaps({"tower": model}, {"first": _picture(0)})
    lab.block.value = "inception_resnet_c.2"
    assert (
        "Of the 32 channels that leave inception_resnet_c.2, 9 are 0 everywhere"
        in lab.sentence.value
    )
    lab.view.value = "all channels"
    lab.order.value = "by number"
    assert lab.maps_view.value.count("linear-gradient(45deg") == 9


def test_a_click_in_the_diagram_shows_that_block(lab):
    lab._clicked("inception_resnet_b")
    assert lab.block.value == "inception_resnet_b.1"
    assert lab.diagram.selected == "inception_resnet_b"
    lab._clicked("no such block")
    assert lab.block.value == "inception_resnet_b.1"


@pytest.mark.parametrize("version", [7, 8])
def test_an_own_picture_is_added(lab, version):
    out = io.BytesIO()
    _picture(9).save(out, "PNG")
    file = {"name": "mine.png", "content": out.getvalue()}
    lab._uploaded({"new": {"mine.png": {"content": out.getvalue()}} if version == 7 else (file,)})
    assert lab.picture.value == "mine.png"
    expected = activations(lab.subject.model, lab.subject.prepare(_picture(9)))[lab.block.value][0]
    torch.testing.assert_close(lab.maps[OUTPUT], expected)


def test_what_is_no_picture_gets_a_sentence_and_changes_nothing(lab):
    lab._uploaded({"new": ({"name": "notes.txt", "content": memoryview(b"no picture")},)})
    assert "notes.txt cannot be read as a picture" in lab.sentence.value
    assert lab.picture.value == "first" and "notes.txt" not in lab.picture.options


def test_folder_pictures(tmp_path):
    _picture(0).save(tmp_path / "a.png")
    (tmp_path / "b.txt").write_text("no picture")
    assert list(folder_pictures(tmp_path)) == ["a.png"]
    with pytest.raises(ValueError, match="no picture in"):
        folder_pictures(tmp_path / "absent")


def test_sample_pictures_are_pictures_offline():
    pictures = sample_pictures()
    assert len(pictures) >= 5 and all(p.mode == "RGB" for p in pictures.values())


def test_a_tile_is_dark_where_the_map_is_high():
    import base64
    import re

    values = np.zeros((4, 4))
    values[1, 2] = 3.0
    html = tile(values, 3.0, "0 · 3", "channel 0")
    png = base64.b64decode(re.search(r"base64,([^\"]+)", html).group(1))
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("L"))
    assert pixels.shape == (4, 4) and pixels.argmin() == 6 and "channel 0" in html


def test_the_bundle_stands_alone(lab):
    bundle = lab.bundle()
    assert "<img alt=" in bundle["text/html"] and "The network says" in bundle["text/plain"]
