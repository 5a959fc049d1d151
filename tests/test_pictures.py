"""The one reader of pictures: what it does to unusual ones, what it says, and what it refuses."""

import io

import numpy as np
import pytest
from PIL import Image, features

from inception_edu.data.pictures import PictureError, folder_pictures, free_name, read_picture


def packed(picture, kind="PNG", **options) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def halves(width=40, height=20) -> Image.Image:
    """Left half red, right half blue."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2, 0] = 255
    pixels[:, width // 2 :, 2] = 255
    return Image.fromarray(pixels)


def test_a_plain_picture_comes_through_as_it_is():
    pixels, said = read_picture(packed(halves()))
    assert pixels.dtype == np.uint8 and pixels.shape == (3, 20, 40) and said == ""
    assert pixels[:, 5, 5].tolist() == [255, 0, 0] and pixels[:, 5, 35].tolist() == [0, 0, 255]


def test_a_photograph_is_turned_upright_and_shrunk_and_says_so():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn it by 90° clockwise
    pixels, said = read_picture(packed(halves(3000, 2000), "JPEG", exif=exif))
    assert pixels.shape == (3, 1024, 683)
    assert said == "turned upright, 2000×3000 → 683×1024"
    assert pixels[0, 10, 300] > 200 and pixels[2, 1000, 300] > 200  # red is on top


@pytest.mark.parametrize("white", [65535, 4095])
def test_sixteen_bit_grey_keeps_its_greys(white):
    ramp = np.linspace(0, white, 256).astype(np.uint16)[None].repeat(4, 0)
    pixels, said = read_picture(packed(Image.fromarray(ramp)))
    assert abs(int(pixels[0, 0, 128]) - 128) <= 1 and pixels[0, 0, 255] == 255
    assert said == f"grey values scaled from 0 to {white}"


def test_eight_bit_grey_is_not_scaled():
    pixels, said = read_picture(packed(Image.fromarray(np.full((4, 4), 90, np.uint8))))
    assert (pixels == 90).all() and said == ""


def test_hidden_colours_stay_hidden():
    clear = np.zeros((6, 6, 4), np.uint8)
    clear[..., 0] = 255  # red, but wholly transparent
    clear[0, 0] = (0, 255, 0, 255)
    pixels, said = read_picture(packed(Image.fromarray(clear)))
    assert pixels[:, 3, 3].tolist() == [255, 255, 255] and pixels[:, 0, 0].tolist() == [0, 255, 0]
    assert said == "transparent parts on white"


def test_palette_cmyk_and_animation():
    assert read_picture(packed(halves().convert("P"), "GIF"))[0][0, 5, 5] > 200
    assert read_picture(packed(halves().convert("CMYK"), "JPEG"))[0][2, 5, 35] > 200
    frames = [halves(), halves().transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    pixels, said = read_picture(packed(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert said == "first frame of an animation" and pixels[0, 5, 5] > 200


@pytest.mark.parametrize("kind", ["WEBP", "AVIF"])
def test_newer_formats(kind):
    if not features.check(kind.lower()):
        pytest.skip(f"this Pillow was built without {kind}")
    assert read_picture(packed(halves(), kind))[0][0, 5, 5] > 150


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "is empty"),
        (b"hello, I am no picture", "cannot be read as a picture: PNG"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 40, "HEIC"),
        (b"\0\0\0\x18ftypavif" + b"\0" * 40, "AVIF"),
        (b"\0\0\0\x18ftypisom" + b"\0" * 40, "a video"),
        (b'<?xml version="1.0"?><svg xmlns="x"/>', "SVG"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"%PDF-1.7", "a PDF document"),
        (packed(Image.effect_noise((200, 200), 50))[:3000], "breaks off"),
    ],
)
def test_what_cannot_be_read_is_told_by_name(content, words):
    with pytest.raises(PictureError, match=words):
        read_picture(content)


def test_an_oversized_picture_is_a_sentence():
    """A PNG that says it has 30,000 × 30,000 pixels."""
    import struct
    import zlib

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk
    png += struct.pack(">I", zlib.crc32(chunk)) + struct.pack(">I", 0) + b"IDAT"
    with pytest.raises(PictureError, match="too large to be decoded"):
        read_picture(png)


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(PictureError, match="cannot be opened"):
        read_picture(tmp_path / "absent.png")


def test_files_of_one_name_in_two_folders_are_both_there(tmp_path):
    for folder, colour in (("one", "red"), ("two", "blue")):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (9, 9), colour).save(tmp_path / folder / "a.png")
    (tmp_path / "note.txt").write_text("no picture")
    (tmp_path / "broken.png").write_text("no picture")
    found = folder_pictures(tmp_path)
    assert list(found) == ["one/a.png", "two/a.png"]
    assert found["one/a.png"][:, 0, 0].tolist() == [255, 0, 0]
    assert found["two/a.png"][:, 0, 0].tolist() == [0, 0, 255]
    assert list(folder_pictures(tmp_path, most=1)) == ["one/a.png"]
    with pytest.raises(PictureError, match="no picture in"):
        folder_pictures(tmp_path / "absent")


def test_a_taken_name_gets_a_number():
    assert free_name("a.png", []) == "a.png"
    assert free_name("a.png", ["a.png", "a.png (2)"]) == "a.png (3)"
