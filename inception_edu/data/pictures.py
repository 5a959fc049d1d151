"""One reader for every picture that comes from outside: a file, an upload, a folder.

    pixels, said = read_picture("cat.jpg")      uint8 3×H×W, "turned upright, 8000×6000 → 1024×768"

Whatever was done to the picture is said. What cannot be read raises `PictureError`, a sentence that
names the format and what to do.
"""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path

import numpy as np

MOST = 1024  # pixels of the longer side
LARGEST = 400_000_000  # pixels that are decoded at most: 1.2 GB of memory
SUFFIXES = ".png .jpg .jpeg .webp .avif .heic .heif .gif .bmp .tif .tiff .ppm .pgm .qoi".split()


class PictureError(ValueError):
    """A file that cannot be read as a picture. The message is a sentence for the reader."""


def read_picture(
    source: bytes | str | os.PathLike, most: int | None = MOST, side: int | None = None
) -> tuple[np.ndarray, str]:
    """A picture as uint8 3×H×W, and a sentence (perhaps empty) that says what was done to it.

    `source`: a path, or the file's bytes. Turned upright as its EXIF note asks; 16-bit grey scaled
    to 8; transparent parts laid on white; of an animation the first frame; shrunk so that its
    longer side has at most `most` pixels (None: as it is). With `side`, the middle square, scaled
    to side×side pixels, instead. Raises `PictureError`.
    """
    from PIL import Image, ImageOps

    name, content = _content(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            picture = _open(content, name)
            _check_size(picture, name)
            size, done = picture.size, []
            if (enough := side or most) is not None:
                # A large JPEG is decoded at a fraction of its size.
                picture.draft(None, (2 * enough, 2 * enough))
            if getattr(picture, "n_frames", 1) > 1:
                done.append("first frame of an animation")
            upright = ImageOps.exif_transpose(picture)
            # Pillow of before 9.4 gives None where nothing is to be turned.
            orientation = _orientation(picture) or 1
            if orientation != 1:
                done.append("turned upright")
                size = size[::-1] if orientation >= 5 else size
            picture = upright or picture
            picture, words = _eight_bits(picture)
            done += words
            if side is not None:
                if picture.size != (side, side):
                    picture = ImageOps.fit(picture, (side, side), Image.Resampling.BICUBIC)
            elif most is not None and max(picture.size) > most:
                picture.thumbnail((most, most), Image.Resampling.LANCZOS)
        except PictureError:
            raise
        except Exception as error:  # noqa: BLE001 - Pillow raises many kinds for damaged files
            raise PictureError(
                f"{name} is damaged or breaks off: it cannot be decoded ({error})."
            ) from None
    if picture.size != size:
        done.append(f"{size[0]}×{size[1]} → {picture.size[0]}×{picture.size[1]}")
    pixels = np.ascontiguousarray(np.asarray(picture, dtype=np.uint8).transpose(2, 0, 1))
    return pixels, ", ".join(done)


def free_name(name: str, taken) -> str:
    """`name`, or "name (2)", "name (3)", … where it is taken: one picture never replaces
    another."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free


def folder_pictures(folder: str | os.PathLike, most: int = 50) -> dict[str, np.ndarray]:
    """The first `most` pictures of a folder and its subfolders, by their path in it, uint8 3×H×W.

    A file that is no picture is left out. Raises `PictureError` where there is none.
    """
    folder = Path(folder).expanduser()
    pictures: dict[str, np.ndarray] = {}
    for path in sorted(folder.rglob("*")):
        if len(pictures) == most:
            break
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        try:
            pictures[path.relative_to(folder).as_posix()], _ = read_picture(path)
        except PictureError:
            continue
    if not pictures:
        raise PictureError(f"There is no picture in {folder}.")
    return pictures


def _content(source) -> tuple[str, bytes]:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return "This file", bytes(source)
    path = Path(source).expanduser()
    try:
        return path.name, path.read_bytes()
    except OSError as error:
        raise PictureError(f"{path} cannot be opened: {error.strerror or error}.") from None


def _open(content: bytes, name: str):
    from PIL import Image, UnidentifiedImageError

    if not content:
        raise PictureError(f"{name} is empty.")
    kind = _kind(content)
    if kind == "HEIC":
        try:
            import pillow_heif

            pillow_heif.register_heif_opener()
        except ImportError:
            raise PictureError(
                f"{name} is an HEIC picture (as iPhones take them), which Python reads only with "
                "the package pillow-heif. Save it as JPEG, or install that package."
            ) from None
    try:
        return Image.open(io.BytesIO(content))
    except Image.DecompressionBombError:
        raise PictureError(_too_large(name)) from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        pass
    if kind in ("AVIF", "WebP"):
        raise PictureError(
            f"{name} is a damaged {kind} picture, or this Pillow was built without {kind}: "
            "save it as PNG or JPEG."
        )
    if kind:
        raise PictureError(f"{name} is {kind}, not a picture: save what you want to see as PNG.")
    raise PictureError(
        f"{name} cannot be read as a picture: PNG, JPEG, WebP, AVIF, GIF, BMP and TIFF can."
    )


def _kind(content: bytes) -> str:
    """What the first bytes say, where that needs a word of its own."""
    if content[4:8] == b"ftyp":
        brands = content[8:32]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        if any(brand in brands for brand in (b"heic", b"heix", b"hevc", b"heim", b"mif1")):
            return "HEIC"
        return "a video"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WebP"
    start = content[:400].lstrip().lower()
    if b"<svg" in start:
        return "a drawing made of lines (SVG)"
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if start.startswith(b"%pdf"):
        return "a PDF document"
    return ""


def _check_size(picture, name: str) -> None:
    width, height = picture.size
    if width * height > LARGEST and picture.format != "JPEG":
        raise PictureError(_too_large(name, f" ({width}×{height} pixels)"))


def _too_large(name: str, size: str = "") -> str:
    return (
        f"{name} is too large to be decoded{size}: save it smaller, 4000 pixels a side is plenty."
    )


def _orientation(picture) -> int | None:
    return picture.getexif().get(0x0112)


def _eight_bits(picture):
    """(RGB picture, what had to be done)."""
    from PIL import Image

    done = []
    if picture.mode.startswith(("I", "F")):  # 16 or 32 bits a pixel
        levels = np.nan_to_num(np.asarray(picture, np.float32))
        most = float(levels.max(initial=0))
        if picture.mode == "F" and most <= 1:
            white = 1.0
        elif most > 4095:
            white = 65535.0
        elif most > 255 or picture.mode.startswith("I;16"):
            white = 4095.0  # cameras and scanners put 12 bits into 16
        else:
            white = 255.0
        levels = np.clip(np.rint(levels * (255 / max(white, most))), 0, 255)
        picture = Image.fromarray(levels.astype(np.uint8))
        if white != 255:
            done.append(f"grey values scaled from 0 to {max(white, most):g}")
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        if picture.getextrema()[3][0] < 255:
            done.append("transparent parts on white")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("RGB"), done
