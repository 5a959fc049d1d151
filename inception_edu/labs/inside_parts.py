"""The three pieces that the lab of a network's inside shows, as JSON for its components.

The picture with its answers: `web/inside_picture.js`. The block's maps: `web/inside_tiles.js`. One
channel with its reasons: `web/inside_reasons.js`.
"""

from __future__ import annotations

import base64
import io

import numpy as np

from inception_edu.describe import BRANCH_COLOURS
from inception_edu.describe.field import window
from inception_edu.labs.inside_desk import BARE, BEFORE, NOTHING, Desk
from inception_edu.labs.inside_own import DRAWN
from inception_edu.nets import look as see
from inception_edu.nets.look import block_node, block_of, branch_nodes, branch_words

ROW = 8  # tiles of a part in view
PAGE = 48  # tiles of a part that is opened
WIDE = 64  # pixels a side that a shade or an overlay is sent with, at most
GREY = "#8a8f96"


# --- Pixels ---------------------------------------------------------------------------------------


def png(pixels: np.ndarray) -> str:
    """uint8 H×W×3 → a data address; JPEG where PNG would be large."""
    from PIL import Image

    out = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(pixels))
    kind = "PNG" if image.size[0] * image.size[1] <= 128 * 128 else "JPEG"
    image.save(out, kind, **({"compress_level": 1} if kind == "PNG" else {"quality": 90}))
    return f"data:image/{kind.lower()};base64,{base64.b64encode(out.getvalue()).decode()}"


def shown(image) -> np.ndarray:
    """A network's input 1×3×H×W as uint8 H×W×3: its darkest value black, its lightest white."""
    pixels = image[0].to("cpu").float().numpy().transpose(1, 2, 0)
    low, high = float(pixels.min()), float(pixels.max())
    return np.rint((pixels - low) / max(high - low, 1e-9) * 255).astype(np.uint8)


def packed(values: np.ndarray, top: float) -> str:
    """A map h×w as base64 of int8: 127 is `top`, −127 is −`top`."""
    steps = np.clip(np.rint(values / max(top, 1e-30) * 127), -127, 127).astype(np.int8)
    return base64.b64encode(steps.tobytes()).decode()


def small(values: np.ndarray) -> np.ndarray:
    """A map with at most `WIDE` pixels a side, by averaging."""
    height, width = values.shape
    step = -(-max(height, width) // WIDE)
    if step == 1:
        return values
    high, wide = height // step * step, width // step * step
    return values[:high, :wide].reshape(high // step, step, wide // step, step).mean((1, 3))


def address(desk: Desk, state) -> str:
    """What enters the network, as a data address."""
    image = desk.image(state.network, state.shown(desk), state.side)
    return desk.once(("png", id(image)), lambda: png(shown(image)), image)


def overlay(values: np.ndarray, top: float | None = None) -> dict:
    values = small(values)
    top = float(np.abs(values).max()) if top is None else top
    return {"h": values.shape[0], "w": values.shape[1], "top": top, "q": packed(values, top)}


# --- Words ----------------------------------------------------------------------------------------


def number(value: float) -> str:
    return f"{value:.2g}" if abs(value) < 100 else f"{value:.0f}"


def percent(share: float, digits: int = 0) -> str:
    return f"{100 * share:.{digits}f} %"


def short(name: str) -> str:
    """The words on a block's button: "A", "↓", "stem"."""
    base = name.partition(".")[0]
    if base.startswith("reduction"):
        return "↓"
    last = base.rpartition("_")[2]
    return last.upper() if len(last) == 1 else base.replace("_", " ")


def title(model, name: str, size) -> str:
    """ "Inception-ResNet-A, 1 of 2 · Fig. 16 · 16×16"."""
    node = block_node(model, name)
    words = getattr(node, "name", "") or name.partition(".")[0].replace("_", " ")
    base, _, copy = name.partition(".")
    network = getattr(model, "description", None)
    if network is not None and copy:
        words += f", {copy} of {network[base].repeat}"
    figure = getattr(node, "figure", "")
    return " · ".join(filter(None, (words, figure, f"{size[0]}×{size[1]}")))


def answers(subject, seen: see.Look, count: int = 3) -> list[dict]:
    order = np.argsort(-seen.shares)[:count]
    return [{"name": subject.name_of(int(k)), "share": float(seen.shares[k])} for k in order]


def first(subject, seen: see.Look, digits: int = 0) -> str:
    """ "sneaker 95 %"."""
    best = int(seen.shares.argmax())
    return f"{subject.name_of(best)} {percent(float(seen.shares[best]), digits)}"


def off_words(state) -> str:
    """ "branch 2 off", with its block where that is not the one that is shown."""
    if len(state.off) != 1:
        return f"{len(state.off)} branches off"
    block, branch = state.off[0]
    return f"branch {branch} off" if block == state.block else f"branch {branch} of {block} off"


def a(label: str) -> str:
    article = "an" if label[:1].lower() in "aeiou" else "a"
    return label if label == "trouser" else f"{article} {label}"


def step_words(step: int) -> str:
    return "before training" if step == 0 else f"step {step:,}"


# --- The picture ----------------------------------------------------------------------------------


def picture_part(desk: Desk, state) -> dict:
    subject, picture = desk.subject(state.network), state.shown(desk)
    image = desk.image(state.network, picture, state.side)
    seen = desk.look(state.network, state.step, picture, state.side, state.off)
    value = {
        "src": address(desk, state),
        "h": image.shape[2],
        "w": image.shape[3],
        "name": picture.name,
        "drawing": picture.source == DRAWN,
        "note": picture.said or picture.source,
        "refused": state.refused,
        "answers": answers(subject, seen),
        "right": picture.label,
        "off": "",
        "other": None,
        "shade": None,
        "frame": None,
        "words": "Point at a map: its field is shown here. Drop or paste a picture of your own.",
    }
    if state.off:
        whole = desk.look(state.network, state.step, picture, state.side)
        value["off"] = f"{off_words(state)}: {_before_after(subject, whole, seen)}"
    if state.compare != NOTHING:
        other = desk.beside(state.network, state.compare, picture, state.side, state.block)
        theirs = desk.who(state.network, state.compare)
        value["other"] = {"words": state.compare, "answers": answers(theirs, other[0], 2)}
    if state.point:
        part, _, y, x = state.point
        shade = desk.shade(state.network, state.step, picture, state.side, state.block, state.point)
        value["shade"] = overlay(shade, 1.0)
        value["frame"], value["words"] = _frame(desk, state, shade, part, y, x)
    return value


def _before_after(subject, whole: see.Look, seen: see.Look) -> str:
    """ "sneaker 95 % → 93 %", "sneaker 95 % → bag 60 %"; with tenths where whole percents would be
    the same."""
    for digits in (0, 1):
        before, after = first(subject, whole, digits), first(subject, seen, digits)
        if before != after:
            break
    name = subject.name_of(int(whole.shares.argmax()))
    return f"{before} → {after.removeprefix(f'{name} ')}"


def take_part(state) -> dict:
    """What can be taken away, for `web/take.js`."""
    number, name, mime, data = state.taken
    files = {"number": number, "name": name, "mime": mime, "data": data}
    return {"code": state.code, "kinds": ["PNG"], "ready": True, "link": True, **files}


def _frame(desk: Desk, state, shade: np.ndarray, part: str, y: int, x: int):
    """(top, left, bottom, right) of the field on the picture, and what to say of it."""
    found = desk.windows(state.network, state.step, state.block, part)
    if found is None:  # a module without description: what the gradient reaches
        rows, columns = (np.flatnonzero(shade.any(axis)) for axis in (1, 0))
        if not len(rows):
            return None, "on this picture the value depends on no pixel"
        box = [int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1]
        return box, f"this value depends on {box[2] - box[0]}×{box[3] - box[1]} pixels (frame)"
    (top, bottom), (left, right) = (w.of(i) for w, i in zip(found, (y, x)))
    tall, wide = (w.size for w in found)
    words = f"could see {tall}×{wide} pixels (frame)"
    inside = top >= 0 and left >= 0 and bottom <= shade.shape[0] and right <= shade.shape[1]
    words += "" if inside else ", also beyond the border"
    words += "; looks mostly at the shade" if shade.any() else "; it is 0, and no pixel changes it"
    return [top, left, bottom, right], words


# --- The maps of a block --------------------------------------------------------------------------


def tiles_part(desk: Desk, state) -> dict:
    picture = state.shown(desk)
    model = desk.model(state.network, state.step)
    seen = desk.look(state.network, state.step, picture, state.side, state.off)
    maps = desk.parts(state.network, state.step, picture, state.side, state.block, state.off)
    other = desk.beside(state.network, state.compare, picture, state.side, state.block)
    words = branch_words(block_of(model, state.block))
    node = block_node(model, state.block)
    image = desk.image(state.network, picture, state.side)
    rows = []
    for part, values in maps.items():
        branch = words.index(part) + 1 if part in words else 0
        off = (state.block, branch) in state.off
        row = {
            "part": part,
            "branch": branch,
            "off": off,
            "colour": BRANCH_COLOURS[(branch - 1) % len(BRANCH_COLOURS)] if branch else GREY,
            "words": part,
            "note": _note(desk, state, part, branch, off, node),
            "count": len(values),
            "h": values.shape[1],
            "w": values.shape[2],
            "open": part == state.open,
            "page": [state.page, -(-len(values) // PAGE)],
            "first": state.page * PAGE,
            "windows": geometry(desk, state, part),
        }
        chosen = _chosen(state, part, values, ROW if other is None else ROW // 2)
        if other is None:
            row["tiles"] = _tiles(values, chosen)
        else:
            theirs = _same_part(other[2], part, len(values))
            row["tiles"] = _tiles(values, chosen, theirs)
            if theirs is not None:
                # Of another network the strongest: its channels have nothing to do with these.
                same = state.compare in (BEFORE, BARE)
                beside = chosen if same else _strongest(theirs)[: len(chosen)]
                row["other"] = _tiles(theirs, beside, values)
        rows.append(row)
    return {
        "title": title(model, state.block, maps[see.OUTPUT].shape[1:]),
        "blocks": [
            {"name": name, "short": short(name), "here": name == state.block}
            for name in seen.outputs
        ],
        "rows": rows,
        "image": list(image.shape[2:]),
        "chosen": [state.part, state.channel],
        "compared": state.compare if other is not None else "",
        "theirs": other[1] if other is not None else "",
        "block": state.block,
    }


def _note(desk: Desk, state, part: str, branch: int, off: bool, node) -> str:
    if not branch:
        words = {see.CHANGE: "adds up to this", see.INPUT: "the identity", see.OUTPUT: "goes on"}
        return words.get(part, "")
    nodes, sees = branch_nodes(node) if node is not None else (), ""
    if len(nodes) >= branch:
        tall, wide = (w.size for w in window(nodes[branch - 1]))
        sees = "1 cell" if tall == wide == 1 else f"{tall}×{wide} cells"
        if found := desk.windows(state.network, state.step, state.block, part):
            sees += f", {found[0].size}×{found[1].size} px"
    return " · ".join(filter(None, (sees, "off" if off else "")))


def geometry(desk: Desk, state, part: str):
    found = desk.windows(state.network, state.step, state.block, part)
    return None if found is None else [[w.start, w.step, w.size] for w in found]


def _strongest(values: np.ndarray) -> list[int]:
    return np.argsort(-np.abs(values).mean((1, 2)), kind="stable").tolist()


def _chosen(state, part: str, values: np.ndarray, count: int) -> list[int]:
    """Which channels are in view: the strongest, and in any case the one that was clicked."""
    order = _strongest(values)
    if part == state.open:
        return order[state.page * PAGE : (state.page + 1) * PAGE]
    order = order[:count]
    if part == state.part and state.channel not in order and state.channel < len(values):
        order[-1] = state.channel
    return order


def _tiles(values: np.ndarray, channels: list[int], beside=None) -> list[dict]:
    sizes = np.abs(values).ravel()
    if beside is not None:
        sizes = np.concatenate([sizes, np.abs(beside).ravel()])
    # One scale for a part: a percentile, so that one bright value does not hide the rest.
    top = float(np.percentile(sizes[sizes > 0], 99.5)) if sizes.any() else 1.0
    found = []
    for c in channels:
        if c < len(values):
            largest = float(values[c].flat[np.abs(values[c]).argmax()])
            found.append(
                {
                    "c": c,
                    "h": values.shape[1],
                    "w": values.shape[2],
                    "q": packed(values[c], top),
                    "top": top,
                    "most": number(largest),
                    "silent": not values[c].any(),
                }
            )
    return found


def _same_part(theirs: dict, part: str, count: int):
    if part in theirs and len(theirs[part]) == count:
        return theirs[part]
    return theirs[see.OUTPUT] if part == see.OUTPUT else None
