"""The speed lab where nothing can be measured: it shows, for each choice, what was recorded."""

from __future__ import annotations

from dataclasses import replace

from inception_edu.labs import core, speed
from inception_edu.labs.core import Part, Set
from inception_edu.labs.speed_clock import Settings
from inception_edu.labs.speed_picture import speed_svg
from inception_edu.labs.speed_recorded import measured, recorded


def update(settings: Settings, event):
    if isinstance(event, Set):
        return replace(settings, **{event.key: event.value})
    return settings


def render(settings: Settings) -> core.View:
    """The lab's own controls; the rows of the chapter's steps, and the chosen one strong below."""
    view = speed.render(speed.State(settings))
    chosen = (settings.words(), measured(settings)[0].speedup)
    rows = [row for row in recorded()[0] if row != chosen] + [chosen]
    part = Part("result", speed_svg(rows, len(recorded()[0]) + 1))
    return replace(view, parts=(part,), status=words(settings))


def words(settings: Settings) -> str:
    found, where = measured(settings)
    said = str(found.speedup)
    differ = "Outputs are the same."
    if found.error:
        differ = f"Outputs differ by at most {found.error:.0e} of their spread."
    return (
        f"{settings.words()}. {said[0].upper()}{said[1:]}. {differ} Measured beforehand ({where})."
    )


def make(key: str = "inception_resnet_v2", image: int = 139, batch: int = 1) -> core.Lab:
    """The lab without widgets. Raises `NotRecorded` for what is not in the file."""
    start = Settings(key, image, batch)
    measured(start)
    return core.Lab("speed", "Speed", start, update, render, words=words, link=speed.link_of)
