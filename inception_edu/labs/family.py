"""The family lab: every network as a point between two axes that the reader chooses.

lab = family_lab()
lab.x = "macs"; lab.y = "top1"            # keys of `history.AXES`
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

from inception_edu.describe.draw import draw
from inception_edu.describe.history import AXES, HISTORY, Fact
from inception_edu.describe.spec import SpecError
from inception_edu.labs import Picture, link
from inception_edu.labs.axis import COLOURS, FAINT, GRID, ticks
from inception_edu.labs.core import Column, Control, Lab, Part, Press, Row, Set, Tell, View
from inception_edu.labs.pieces import card, table

if TYPE_CHECKING:
    from inception_edu.labs.host import NotebookLab

WIDTH, HEIGHT = 560, 360
LEFT, RIGHT, TOP, BOTTOM = 58, 16, 14, 46
Area = tuple[float, float, float, float]  # left, right, top, bottom
FACTS = {fact.key: fact for fact in HISTORY}
# Shape and colour of a point say whether a network has branches, an identity, or both.
KINDS = {"branches": COLOURS[0], "identity": COLOURS[1], "branches and identity": COLOURS[2]}


def kind(fact: Fact) -> str:
    if fact.key.startswith("res"):
        return "identity"
    return "branches and identity" if "resnet" in fact.key else "branches"


@dataclass(frozen=True)
class State:
    """Two keys of `AXES`, and the key of the network that is chosen."""

    x: str
    y: str
    chosen: str
    first: tuple[str, str, str] = ("", "", "")

    @property
    def points(self) -> dict[str, tuple[float, float]]:
        """The networks that have a number on both axes: key → (x, y)."""
        found = {}
        for fact in HISTORY:
            x, y = (AXES[axis][2](fact) for axis in (self.x, self.y))
            if x is not None and y is not None:
                found[fact.key] = (float(x), float(y))
        return found


def update(state: State, event) -> State:
    if isinstance(event, Set):
        return replace(state, **{event.key: event.value})
    if isinstance(event, Tell) and event.value.get("choose") in FACTS:
        return replace(state, chosen=event.value["choose"])
    if isinstance(event, Press) and event.key == "reset":
        return State(*state.first, first=state.first)
    return state


@lru_cache(maxsize=8)  # the host asks several times for one state
def render(state: State) -> View:
    axes = tuple((_axis(key), key) for key in AXES)
    networks = tuple((fact.name, fact.key) for fact in HISTORY)
    controls = (
        Control("x", "list", "across", state.x, axes),
        Control("y", "list", "up", state.y, axes),
        Control("chosen", "list", "network", state.chosen, networks),
        Control("reset", "button", "Reset", tip="Put every setting back"),
    )
    plot = {
        "svg": picture(state),
        "kinds": ["point"],
        "selected": state.chosen,
        "upwards": True,
        "plane": True,
        "facts": {key: _sentence(state, key) for key in FACTS},
        "pictures": {key: _drawing(key) for key in state.points},
        "said": f"networks by {_axis(state.x)} and {_axis(state.y)}",
        "hint": "Point at a network.",
    }
    parts = (
        Part("plot", plot, "diagram", "the family as points"),
        Part("story", story(FACTS[state.chosen])),
    )
    layout = Column(Row("x", "y", "chosen", "reset"), "status", "plot", "story")
    return View(controls, parts, words(state), layout=layout)


def _axis(key: str) -> str:
    name, unit, _ = AXES[key]
    return f"{name} ({unit})" if unit else name


def _number(key: str, value: float) -> str:
    name, unit, _ = AXES[key]
    if key == "year":
        return f"{int(value)}"
    return f"{value:.4g} {unit}"


def _sentence(state: State, key: str) -> str:
    """What is said of a network while it is pointed at."""
    fact = FACTS[key]
    if key not in state.points:
        return f"{fact.name} has no published number here. {fact.changed}"
    numbers = zip((state.x, state.y), state.points[key])
    said = ", ".join(f"{AXES[axis][0]} {_number(axis, value)}" for axis, value in numbers)
    return f"{fact.name}: {said}. {fact.changed} {fact.brought}"


@lru_cache(maxsize=32)
def _drawing(key: str) -> str:
    return str(draw(FACTS[key].network))


def words(state: State) -> str:
    """What the picture shows, and which networks are not in it."""
    without = [fact.name for fact in HISTORY if fact.key not in state.points]
    missing = f" Without a number: {', '.join(without)}." if without else ""
    errors = {"top1", "top5"} & {state.x, state.y}
    careful = (
        " Errors of different sources are on different images: compare within one source."
        if errors
        else ""
    )
    count = len(state.points)
    return f"{count} networks by {AXES[state.x][0]} and {AXES[state.y][0]}.{missing}{careful}"


def story(fact: Fact) -> str:
    """What a network changed and brought, and its numbers, as HTML."""
    rows = []
    for key, (name, _, give) in AXES.items():
        value = give(fact)
        rows.append((name, "—" if value is None else _number(key, float(value))))
    source = f"<br>Errors: {escape(fact.source)}." if fact.source else ""
    source += f"<br>Year: that of {escape(fact.by)}."
    return card(
        f"<b>{escape(fact.name)}</b><br>Changed: {escape(fact.changed)}<br>"
        f"Brought: {escape(fact.brought)}{source}",
        table([tuple(cell for _, cell in [("", "network"), *rows])], ("", *(n for n, _ in rows))),
    )


def picture(state: State) -> str:
    """The points as an SVG."""
    points = state.points
    xs, ys = zip(*points.values())
    across, up = _scale(xs, LEFT, WIDTH - RIGHT), _scale(ys, HEIGHT - BOTTOM, TOP)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" font-family="system-ui, sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#ffffff"/>',
    ]
    whole = state.x == "year"
    for value in ticks(*across.range, about=5, whole=whole):
        x = across(value)
        out.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="{GRID}"/>')
        out.append(_text(x, HEIGHT - BOTTOM + 16, f"{value:g}", "middle"))
    for value in ticks(*up.range, about=5, whole=state.y == "year"):
        y = up(value)
        out.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{GRID}"/>')
        out.append(_text(LEFT - 6, y + 4, f"{value:g}", "end"))
    middle = (HEIGHT - BOTTOM + TOP) / 2
    out.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, _axis(state.x), "middle"))
    out.append(
        f'<text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle" '
        f'fill="{FAINT}">{escape(_axis(state.y))}</text>'
    )
    places = {key: (across(x), up(y)) for key, (x, y) in points.items()}
    taken = [(x - 7, x + 7, y - 7, y + 7) for x, y in places.values()]
    for key, (x, y) in places.items():
        out.append(_point(FACTS[key], x, y, taken))
    for i, (name, colour) in enumerate(KINDS.items()):
        x = LEFT + 8 + 120 * i
        out.append(f'<circle cx="{x}" cy="{TOP - 4}" r="4" fill="{colour}"/>')
        out.append(_text(x + 8, TOP, name))
    return "".join(out) + "</svg>"


def _point(fact: Fact, x: float, y: float, taken: list[Area]) -> str:
    """A circle and its name, at the nearest place beside it that is free; `taken` are the areas of
    what stands already."""
    length = 6.0 * len(fact.name)
    area = (x, x, y, y)
    for down in (0, -11, 11, -22, 22, -33, 33, -44, 44, -55, 55):
        for start in (x + 10, x - 10 - length):
            area = (start, start + length, y + down - 6, y + down + 5)
            inside = start > LEFT and area[1] < WIDTH - 2 and TOP < area[2]
            inside = inside and area[3] < HEIGHT - BOTTOM
            if inside and not any(_meet(area, other) for other in taken):
                break
        else:
            continue
        break
    taken.append(area)
    at, anchor = (area[0], "start") if area[0] > x else (area[1], "end")
    return (
        f'<g class="point" data-path="{fact.key}"><title>{escape(fact.name)}</title>'
        f'<circle class="box" cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{KINDS[kind(fact)]}" '
        f'stroke="#1b1b1b" stroke-width="0.8"/>'
        f'<text x="{at:.1f}" y="{area[3] - 1:.1f}" text-anchor="{anchor}" fill="#1b1b1b">'
        f"{escape(fact.name)}</text></g>"
    )


def _meet(a: Area, b: Area) -> bool:
    return a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{FAINT}">'
        f"{escape(words)}</text>"
    )


class _scale:
    """From numbers to pixels, with a margin of a twelfth on both sides."""

    def __init__(self, values, start: float, end: float):
        low, high = min(values), max(values)
        margin = (high - low) / 12 or 1.0
        self.range = (low - margin, high + margin)
        self.start, self.end = start, end

    def __call__(self, value: float) -> float:
        low, high = self.range
        return self.start + (value - low) / (high - low) * (self.end - self.start)


def make(x: str = "macs", y: str = "top5", chosen: str = "inception_resnet_v2") -> Lab:
    """The lab without widgets: a `core.Lab`. Raises `SpecError` for another axis or network."""
    for axis in (x, y):
        if axis not in AXES:
            raise SpecError(f"There is no axis {axis!r}; choose one of {', '.join(AXES)}.")
    if chosen not in FACTS:
        raise SpecError(f"There is no {chosen!r} here; choose one of {', '.join(FACTS)}.")
    return Lab(
        "family",
        "The family",
        State(x, y, chosen, first=(x, y, chosen)),
        update,
        render,
        stored=lambda state: [Picture(picture(state), words(state))],
        words=words,
        link=lambda state: link.write(
            "family_lab", {"x": state.x, "y": state.y, "chosen": state.chosen}
        ),
    )


def family_lab(
    x: str = "macs", y: str = "top5", chosen: str = "inception_resnet_v2"
) -> NotebookLab:
    """Display the family lab and return it; `lab.state.points` holds what it shows.

    `x`, `y` are keys of `history.AXES`; `chosen` is the network whose story is told. Raises
    `SpecError` for another axis or network.
    """
    from inception_edu.labs.host import NotebookLab

    lab = NotebookLab(make(x, y, chosen))
    lab.show()
    return lab
