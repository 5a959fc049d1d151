"""A convolution that moves: a picture, the window on it, the products, the output.

    convolution_lab(kernel=(1, 7), padding="same")

Everything happens in the page (`web/convolution.js`): playing, dragging, pointing, and the
arithmetic of sizes and padding. Python chooses the first settings, hears of new ones, and draws
the picture that a page without scripts shows.
"""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING

from inception_edu.describe.padding import outputs
from inception_edu.labs import Picture, link
from inception_edu.labs.convolution_state import PARTNERS, State
from inception_edu.labs.core import Lab, Part, Refused, Tell, View

if TYPE_CHECKING:
    from inception_edu.labs.host import NotebookLab


def update(state: State, event) -> State:
    """The page tells the settings that it has now."""
    if not isinstance(event, Tell):
        return state
    told = {f.name: event.value["settings"].get(f.name) for f in fields(State)}
    told["kernel"] = tuple(told["kernel"])
    if told["own"] is not None:
        told["own"] = tuple(tuple(map(tuple, plane)) for plane in told["own"])
    return replace(state, **told)


def render(state: State) -> View:
    value = {"settings": asdict(state), "turn": 0}
    return View(parts=(Part("convolution", value, "convolution", "a convolution that moves"),))


# --- Words ----------------------------------------------------------------------------------------


def formula(state: State) -> str:
    """The arithmetic of both axes with the numbers in it."""
    lines = []
    for kernel, padding, count in zip(state.kernel, state.zeros, state.output):
        room = f"({state.size} + 2·{padding} − {kernel}) / {state.stride}"
        lines.append(f"⌊{room}⌋ + 1 = {count}")
    height, width = lines
    return height if state.kernel[0] == state.kernel[1] else f"height {height}, width {width}"


def verdict(state: State) -> str:
    """The settings in the figures' words, and whether the result can be joined with its
    neighbour."""
    (height, width), (rows, columns) = state.kernel, state.output
    if state.padding == "same" and (height % 2 == 0 or width % 2 == 0):
        return f'"same" needs an odd kernel: a window of {height}×{width} has no middle pixel.'
    if not rows or not columns:
        return (
            f"A window of {height}×{width} does not fit into {state.size}×{state.size} pixels "
            f"with {max(state.zeros)} of padding: there is no output."
        )
    words = f"{formula(state)} ({_kind(state)})."
    if state.kernel == (1, 1) and state.channels == 1:
        words += " A 1×1 sees one pixel: with 3 channels it mixes them."
    if state.nobody:
        words += f" {state.nobody} of {state.size**2} pixels are read by nobody."
    partner = PARTNERS[state.beside]
    if partner is None:
        return words
    other = outputs(state.size, *partner)
    if state.joins:
        return f"{words} The branch beside it gives {other} too: the two can be concatenated."
    mine = str(rows) if rows == columns else f"{rows}×{columns}"
    return f"{words} The branch beside it gives {other}, this one {mine}: the concatenation breaks."


def _kind(state: State) -> str:
    zeros = list(state.zeros)
    same = [(k - 1) / 2 for k in state.kernel]
    if not any(zeros):
        return "V: valid, no padding"
    if zeros == same:
        return "same: the window's centre starts on the first pixel"
    if any(s % 1 for s in same):
        return "neither V nor same; same needs an odd kernel"
    there = f"{same[0]:g}" if same[0] == same[1] else f"{same[0]:g} and {same[1]:g}"
    return f"neither V nor same; same would be {there}"


def picture(state: State) -> Picture:
    """What a page without scripts shows."""
    rows, columns = state.output
    said = (
        f"{state.size}×{state.size} pixels, a window of {state.kernel[0]}×{state.kernel[1]} that "
        f"moves by {state.stride}, and the {rows}×{columns} output. {verdict(state)}"
    )
    from inception_edu.labs import convolution_picture  # numpy, which a web page has not

    return convolution_picture.picture(state, said)


def make(**settings) -> Lab:
    """The lab without widgets: a `core.Lab`. Raises `Refused` for a setting that there is not."""
    known = [f.name for f in fields(State)]
    for key in settings:
        if key not in known:
            raise Refused(f"There is no setting {key!r}; there are {', '.join(known)}.")
    return Lab(
        "convolution",
        "A convolution that moves",
        State(**settings),
        update,
        render,
        stored=lambda state: [picture(state)],
        words=verdict,
        link=lambda state: link.write(
            "convolution_lab", {k: v for k, v in asdict(state).items() if v is not None}
        ),
    )


def convolution_lab(**settings) -> NotebookLab:
    """Display a convolution that moves, and return the lab; its `.state` has the settings now.

    `size` up to 35 pixels a side, `kernel` a pair such as (3, 3), (1, 7) or (7, 1), `stride` up to
    4, `padding` "valid", "same" or 1 to 3 zeros on each side, `beside` a key of `PARTNERS`: the
    branch with which the result is to be concatenated. `channels` 1 or 3; `picture`, `weights` and
    `mix` as in `CHOICES`. Raises `Refused` for a setting that there is not.
    """
    from inception_edu.labs.host import NotebookLab

    lab = NotebookLab(make(**settings))
    lab.show()
    return lab
