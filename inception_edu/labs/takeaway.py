"""What a reader takes away from a training lab: code that repeats a run, its curves as CSV, the
figure as PNG or SVG."""

from __future__ import annotations

import base64
import csv
import io
import math
import re
import textwrap
from dataclasses import fields
from typing import Any

from inception_edu.labs import Picture
from inception_edu.labs.training import Track

# The same colours as in the page (`web/theme.js`, light).
COLOURS = (
    "#b84300", "#0068ab", "#8a3f8f", "#00714f", "#7a5c00", "#b0305c", "#3b4cc0", "#007a80",
)  # fmt: skip
FAINT = "#5a5f66"
DASHES = (
    None, (7, 3), (2, 3), (9, 3, 2, 3), (5, 5), (12, 3), (2, 2, 6, 2), (3, 6), (14, 3, 3, 3),
    (1, 3),
)  # fmt: skip
# Of these, those of runs that step back, and those of pinned ones; the last run is a whole line.
FADED, PINNED, RECORDED = (2, 3, 6, 9), (1, 4, 7, 8), 5
PITCH = 0.085  # from name to name, as a share of a panel's height
MIME = {"csv": "text/csv", "png": "image/png", "svg": "image/svg+xml"}


def dash(number: int, colours: int, last: bool, faded: bool) -> int:
    """The pattern of a run's line, a place in `DASHES`. Runs take `colours` colours in turn; those
    of one colour have patterns of their own."""
    turn, place = divmod(number - 1, colours)
    if last:
        return 0
    return (FADED if faded else PINNED)[(turn + place) % 4]


def value(state, ready: bool, of: str) -> dict:
    """What can be taken away, for `web/take.js`: `state.code` as text, and `state.taken` as a file;
    `ready`, whether there are curves to save; `of`: what the code is of, "run 3"."""
    number, name, mime, data = state.taken
    return {
        "code": state.code,
        "of": "the settings" if "open_link" in state.code else of,
        "tips": {"code": f"{of}, as code that repeats it", "link": "a link to what is set"},
        "number": number,
        "name": name,
        "mime": mime,
        "data": data,
        "ready": ready,
        "link": True,
    }


def code(config, of: str = "") -> str:
    """Python that repeats the run of a configuration; what has its default value is left out. `of`
    says what run it is."""
    head = f"# {of}\n" if of else ""
    return (
        f"{head}from inception_edu.learn import Recipe\n"
        "from inception_edu.study import Config, run\n\n"
        f"config = {_call(config, 'recipe')}\n"
        "result = run(config)\n"
        "print(result.sentence)\n"
    )


def _call(thing, opened: str = "") -> str:
    """A frozen dataclass as the call that makes it, one argument a line."""
    lines = []
    for f in fields(thing):
        value = getattr(thing, f.name)
        if f.name == opened:
            inner = _call(value).replace("\n", "\n    ")
            lines.append(f"    {f.name}={inner},")
        elif f.name == "arguments":
            lines.append(f"    {f.name}={dict(value)!r},")
        elif value != f.default:
            lines.append(f"    {f.name}={value!r},")
    return "\n".join([f"{type(thing).__name__}(", *lines, ")"])


def table(tracks: list[Track]) -> str:
    """The curves of the runs as CSV: one line a record, with what became of its run at the end
    (`fate`: "lives", "suffers", "dies", or "running", "stopped", …)."""
    names = sorted({name for track in tracks for name in track.curves})
    blocks = list(dict.fromkeys(name for track in tracks for name in track.dead))
    keys = list(dict.fromkeys(key for track in tracks for key in track.settings))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    ends = ["test accuracy", "fate"]
    writer.writerow(["run", *keys, "step", *names, *(f"dead {block}" for block in blocks), *ends])
    for track in tracks:
        settings = [track.settings.get(key, "") for key in keys]
        right = "" if track.accuracy is None else track.accuracy
        end = [right, track.fate.word if track.fate else track.status]
        for i, step in enumerate(track.steps):
            values = [_at(track.curves.get(name), i) for name in names]
            shares = [_at(track.dead.get(block), i) for block in blocks]
            writer.writerow([track.name, *settings, step, *values, *shares, *end])
    return out.getvalue()


def _at(values, i: int):
    return "" if not values or i >= len(values) else values[i]


def figure(chart: dict, title: str = ""):
    """The chart that the page draws (its value) as a matplotlib `Figure`; a panel in which nothing
    is drawn yet is left out, or all say so."""
    from matplotlib.figure import Figure

    shown = [run for run in chart["runs"] if not run["hidden"]]
    drawn = {key for run in shown for key, points in run["series"].items() if points and points[0]}
    panels = [panel for panel in chart["panels"] if panel["key"] in drawn] or chart["panels"]
    rows = (len(panels) + 1) // 2
    height = 2.1 * rows + 0.7 + 0.2 * len(shown)
    made = Figure(figsize=(9.6, height), layout="constrained")
    if title:
        made.suptitle(textwrap.fill(title, 110), fontsize=11, x=0.01, ha="left")
    for i, panel in enumerate(panels):
        axes = made.add_subplot(rows, min(2, len(panels)), i + 1)
        _panel(axes, panel, chart)
        if panel.get("alone") or i >= len(panels) - 2:
            axes.set_xlabel("block" if panel.get("alone") else chart["x"]["label"], fontsize=9)
        if not drawn:
            axes.set_xticks([])  # none that mean anything
            axes.text(0.5, 0.5, "no run yet", transform=axes.transAxes, ha="center", color=FAINT)
    lines: dict[str, Any] = {}
    for axes in made.axes:
        lines |= {label: line for line, label in zip(*axes.get_legend_handles_labels())}
    if lines:
        made.legend(
            list(lines.values()), list(lines), loc="outside lower left", fontsize=8, frameon=False
        )
    return made


def _panel(axes, panel: dict, chart: dict) -> None:
    factor = 100 if panel.get("percent") else 1
    axes.set_title(panel["title"], fontsize=10, loc="left", fontweight="bold")
    unit = "%" if panel.get("percent") else panel.get("unit", "")
    axes.set_ylabel(unit, fontsize=9)
    across = panel["unit"] if panel.get("alone") else chart["x"]["label"]
    axes.set_xlabel(across, fontsize=9)
    axes.tick_params(labelsize=9)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if panel.get("log"):
        from matplotlib.ticker import LogLocator, NullFormatter

        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")  # 0.2, 0.5, 1: no powers of ten
        axes.yaxis.set_minor_formatter(NullFormatter())
    for guide in panel.get("guides", ()):
        axes.axhline(factor * guide["y"], color="#5a5f66", lw=1, ls=":")
    for band in chart["bands"]:
        if band["panel"] == panel["key"]:
            low, high = ([factor * v for v in band[side]] for side in ("low", "high"))
            axes.fill_between(band["x"], low, high, color=COLOURS[band["colour"]], alpha=0.18)
    ends = []
    for run in chart["runs"]:
        points = run["series"].get(panel["key"])
        if not points or not points[0] or run["hidden"]:
            continue
        xs = [x for x, y in zip(*points) if y is not None]
        ys = [factor * y for y in points[1] if y is not None]
        line = COLOURS[run["colour"]] if run["colour"] >= 0 else FAINT
        dash = DASHES[run["dash"]]
        axes.plot(
            xs,
            ys,
            color=line,
            lw=1.1 if run["faded"] else 1.9,
            ls=(0, tuple(0.7 * length for length in dash)) if dash else "-",
            label=f"{run['name']}: {run['words']}",
        )
        ends.append((xs[-1], ys[-1], run["name"], line))
    top = panel.get("cap")
    if top is not None and axes.get_ylim()[1] > factor * top:
        axes.set_ylim(top=factor * top)
    if panel.get("high") is not None:
        axes.set_ylim(top=1.05 * factor * panel["high"])
    if panel.get("low") is not None:  # as in the page; a curve along the edge is seen whole
        axes.set_ylim(bottom=factor * panel["low"] - 0.03 * axes.get_ylim()[1])
    _names(axes, ends)


def _names(axes, ends: list[tuple[float, float, str, str]]) -> None:
    """The names of the curves at their ends; those that would cover each other stand apart, with a
    line to their end."""
    axes.autoscale_view()
    shares = axes.transData + axes.transAxes.inverted()
    places: list[tuple[float, float, str, str]] = []
    for end_x, end_y, name, line in ends:
        x, y = shares.transform((end_x, end_y))
        places.append((float(x), float(y), name, line))
    places.sort(key=lambda place: place[:2])
    while places:  # curves that end side by side
        last = places[0][0] + 0.05
        group = sorted((p for p in places if p[0] <= last), key=lambda p: p[1])
        places = [p for p in places if p[0] > last]
        for (x, y, name, line), (column, at) in zip(group, apart([p[1] for p in group])):
            moved = column > 0 or abs(at - y) > PITCH / 4
            axes.annotate(
                name, (x, min(max(y, 0), 1)), xytext=(x + 0.03 + 0.06 * column, at),
                xycoords="axes fraction", textcoords="axes fraction", color=line, fontsize=9,
                va="center", annotation_clip=False,
                arrowprops=dict(arrowstyle="-", color=line, lw=0.5) if moved else None,
            )  # fmt: skip


def apart(places: list[float]) -> list[tuple[int, float]]:
    """(column, place) of names at these heights of a panel, the lowest first, so that no two of a
    column cover each other; as `apart` of `web/chart.js`."""
    columns = max(1, math.ceil(len(places) / (int(1 / PITCH) + 1)))
    found = [(0, 0.0)] * len(places)
    for column in range(columns):
        here = list(places[column::columns])
        for i in range(1, len(here)):
            here[i] = max(here[i], here[i - 1] + PITCH)
        most = 1.0
        for i in reversed(range(len(here))):
            here[i] = min(here[i], most)
            most = here[i] - PITCH
        found[column::columns] = [(column, place) for place in here]
    return found


def rendered(chart: dict, kind: str, title: str = "") -> bytes:
    """The figure as "png" or "svg"."""
    out = io.BytesIO()
    # No date, so that the same figure gives the same bytes, and no word of the program.
    nothing = {"png": ("Software",), "svg": ("Creator", "Date", "Format", "Type")}[kind]
    figure(chart, title).savefig(out, format=kind, dpi=150, metadata=dict.fromkeys(nothing))
    return out.getvalue()


def picture(chart: dict, title: str, said: str) -> Picture:
    """The figure as a stored picture with its words. A notebook holds several, so it is kept small:
    its letters stay letters (drawn ones would take half as many bytes again), each names two fonts
    and not nine, and no line is indented."""
    import matplotlib  # slow to import, and few need it

    fonts = ["DejaVu Sans", "Verdana"]
    letters = {"svg.fonttype": "none", "svg.hashsalt": "stored", "font.sans-serif": fonts}
    with matplotlib.rc_context(letters):  # type: ignore[arg-type]
        svg = rendered(chart, "svg", title).decode()
    return Picture(re.sub(r"\n +", "\n", svg[svg.index("<svg") :]), said)


def file(
    kind: str, number: int, tracks: list[Track], chart: dict, title: str = ""
) -> tuple[int, str, str, str]:
    """(number, file name, MIME type, base64) of what `kind` ("csv", "png", "svg") asks for; `title`
    stands over a picture, else what its runs have in common: the legend has only differences."""
    over = title or chart.get("same", "")
    data = table(tracks).encode() if kind == "csv" else rendered(chart, kind, over)
    return number, f"runs.{kind}", MIME[kind], base64.b64encode(data).decode()
