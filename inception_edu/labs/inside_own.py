"""Pictures of the reader's own in the lab of a network's inside: chosen, dropped, pasted, drawn."""

from __future__ import annotations

import base64
import binascii
import io
from dataclasses import replace

import numpy as np

from inception_edu.data.pictures import PictureError, free_name, read_picture
from inception_edu.labs.core import Refused
from inception_edu.labs.inside_desk import Desk, is_dark
from inception_edu.labs.inside_state import State
from inception_edu.labs.subjects import Picture, square

DRAWN = "drawn by you"


def taken(desk: Desk, state: State, file: dict) -> State:
    """With a picture that the page sent as a file: {name, data: base64, said: what was done}."""
    name = str(file.get("name") or "pasted picture")
    try:
        content = base64.b64decode(file["data"], validate=True)
        pixels, said = read_picture(content)
    except (PictureError, binascii.Error, KeyError) as error:
        return replace(state, refused=str(error).replace("This file", name))
    name = free_name(name, [p.name for p in desk.pictures(state.network, state.own)])
    words = ", ".join(filter(None, (str(file.get("said") or ""), said)))
    own = (*state.own, Picture(name, pixels, source="your own picture", said=words))
    return replace(state, own=own, picture=name, refused="")


def drawn(desk: Desk, state: State, stroke: dict) -> State:
    """With what was drawn: {on: the picture below it, ink: base64 of a PNG that is clear where
    nothing is drawn, blank: whether the picture below is wiped first}.

    The picture is called "drawing on …", or "drawing" on a wiped ground; a further stroke takes
    the place of the one before. Raises `Refused`.
    """
    from PIL import Image

    below = next(
        (p for p in desk.pictures(state.network, state.own) if p.name == stroke.get("on")), None
    )
    if below is None:
        raise Refused(f"There is no picture {stroke.get('on')!r} to draw on.")
    try:
        ink = Image.open(io.BytesIO(base64.b64decode(stroke["ink"]))).convert("RGBA")
    except (OSError, binascii.Error, KeyError) as error:
        raise Refused(f"What was drawn cannot be read: {error}.") from None
    if stroke.get("blank"):
        name, ground = "drawing", Image.new("RGB", ink.size, "black" if is_dark(below) else "white")
    else:
        name = below.name if below.source == DRAWN else f"drawing on {below.name}"
        ground = square(below.image)
    ink = ink.resize(ground.size, Image.Resampling.NEAREST)
    ground.paste(ink, mask=ink.getchannel("A"))
    pixels = np.asarray(ground).transpose(2, 0, 1).copy()
    kept = tuple(p for p in state.own if p.name != name)
    own = (*kept, Picture(name, pixels, source=DRAWN))
    return replace(state, own=own, picture=name, refused="")


def as_address(picture: Picture) -> str:
    """The picture as a data address, which `subjects.given_pictures` reads back."""
    out = io.BytesIO()
    picture.image.save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
