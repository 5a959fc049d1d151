"""Twelve test images, and what the two networks of a race say of them."""

from __future__ import annotations

from html import escape

from inception_edu.labs.race_pairs import names
from inception_edu.labs.race_state import Course, State


def pictures_html(state: State) -> str:
    """Twelve test images, and what both networks say of them now."""
    if state.images is None:
        return '<div class="ied-twelve" style="min-height:300px">The images come here.</div>'
    images = state.images
    course = state.races[-1] if state.races else None
    if not state.raced or (course and course.configs[0].data != images.source):
        course = None  # its answers are of other settings, or about other images
    says = course.says if course else ((), ())
    since = course.since if course else ((), ())
    tiles = []
    for i, (picture, label) in enumerate(zip(images.pictures, images.labels)):
        truth = images.classes[label]
        lines = [
            _answer(images, label, answers[i] if answers else None, side, steps[i] if steps else 0)
            for side, (answers, steps) in enumerate(zip(says, since))
        ]
        tiles.append(
            f'<figure style="margin:0;font-size:11px;line-height:1.3;min-width:0">'
            f'<img alt="{escape(truth, quote=True)}" width="56" height="56" '
            f'style="image-rendering:pixelated;border-radius:4px;display:block" '
            f'src="data:image/png;base64,{picture}"><figcaption>'
            f"<b>{escape(truth)}</b>{''.join(lines)}</figcaption></figure>"
        )
    sides = names(course.settings if course else state.settings)
    return (
        f'<div style="font-size:12px;margin:0 0 4px">{escape(images.name)}: '
        f'<b class="ied-side0">− {sides[0]}</b>, <b class="ied-side1">+ {sides[1]}</b></div>'
        '<div class="ied-twelve" style="display:grid;gap:6px 8px;'
        f'grid-template-columns:repeat(auto-fill,minmax(76px,1fr))">{"".join(tiles)}</div>'
        '<div style="font-size:11px;line-height:1.4;min-height:2.8em;margin-top:4px">'
        f"{_latest(course)}</div>"
    )


def _latest(course: Course | None) -> str:
    """Which pictures got a new answer last, on each side, once the race is over."""
    if course is None or course.status == "running" or not any(course.since):
        return ""
    told = []
    for side, steps in enumerate(course.since):
        which = [str(i) for i, step in enumerate(steps, 1) if step == max(steps)]
        told.append(
            f'<span class="ied-side{side}">{"+" if side else "−"} picture{"s"[: len(which) > 1]} '
            f"{', '.join(which)} at step {max(steps)}</span>"
        )
    return f"Last new answers: {'; '.join(told)}."


def _answer(images, label: int, answer: int | None, side: int, since: int = 0) -> str:
    if answer is None:
        return '<div style="height:1.3em"></div>'
    mark = "✓" if answer == label else "✗"
    word = escape(images.classes[answer])
    came = f", since step {since}" if since else ""
    return (
        f'<div class="ied-side{side}" style="white-space:nowrap;overflow:hidden;'
        f'text-overflow:ellipsis" title="{word}{came}">{"+" if side else "−"} {mark} {word}</div>'
    )
