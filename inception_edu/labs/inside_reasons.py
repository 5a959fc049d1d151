"""One channel with its reasons, as JSON for `web/inside_reasons.js`: its map, what excites it, who
listens to it, what it adds to the answer, and why the network says what it says."""

from __future__ import annotations

from collections import Counter

import numpy as np

from inception_edu.describe import BRANCH_COLOURS
from inception_edu.labs.inside_desk import Desk
from inception_edu.labs.inside_parts import (
    address,
    geometry,
    number,
    overlay,
    packed,
    percent,
    png,
)
from inception_edu.nets import explain
from inception_edu.nets import look as see
from inception_edu.nets.features import FeatureError, listening
from inception_edu.nets.look import block_of, branch_words

ROUNDING = 1e-5  # by so much logits differ that were computed in batches of different sizes

# --- One channel, and why -------------------------------------------------------------------------


def reasons_part(desk: Desk, state) -> dict:
    subject, picture = desk.subject(state.network), state.shown(desk)
    model = desk.model(state.network, state.step)
    seen = desk.look(state.network, state.step, picture, state.side, state.off)
    maps = desk.parts(state.network, state.step, picture, state.side, state.block, state.off)
    values = maps[state.part][state.channel]
    image = desk.image(state.network, picture, state.side)
    words = branch_words(block_of(model, state.block))
    silenced = _without(desk, state, len(words))
    effect = seen.logits - silenced[state.part, state.channel]
    effect[np.abs(effect) < ROUNDING] = 0  # a silent channel adds nothing
    order = np.argsort(-np.abs(effect), kind="stable")[:4]
    where = state.part.partition(" · ")[0].capitalize()
    weights = None
    if state.part == see.OUTPUT:
        weights = explain.class_weights(model, state.block, state.channel)
    return {
        "title": f"{where}, channel {state.channel} of {len(maps[state.part])}",
        "part": state.part,
        "channel": state.channel,
        "src": address(desk, state),
        "image": list(image.shape[2:]),
        "map": {
            "h": values.shape[0],
            "w": values.shape[1],
            "top": float(np.abs(values).max()),
            "q": packed(values, float(np.abs(values).max())),
        },
        "windows": geometry(desk, state, state.part),
        "patches": _patches(desk, state),
        "branches": _branches(desk, state, subject, seen, words, silenced),
        "effect": [
            {
                "name": subject.name_of(int(k)),
                "value": float(effect[k]),
                "weight": None if weights is None else float(weights[k]),
            }
            for k in order
        ],
        "why": _why(desk, state, subject, seen),
    }


def _without(desk: Desk, state, branches: int) -> dict:
    """By case (see `explain.without`) the logits without the chosen channel and without each
    branch; on a large picture, where each takes a while, without the channel alone."""
    picture = state.shown(desk)
    large = desk.large(state.network, picture, state.side)
    cases = ((state.part, state.channel), *(() if large else range(1, branches + 1)))
    return desk.without(
        state.network, state.step, picture, state.side, state.block, cases, state.off
    )


def _branches(desk: Desk, state, subject, seen: see.Look, words: list[str], silenced: dict) -> dict:
    """Of each branch: its share of the linear 1×1's weights, of all and of those of the chosen
    channel (None without a 1×1, and for a channel before it), and the first class's share and the
    change of its logit with the branch off (None where that was not asked for)."""
    heard: list[float | None] = [None] * len(words)
    by_channel = [*heard]
    module = block_of(desk.model(state.network, state.step), state.block)
    try:
        heard = [*listening(module)]
        if state.part in (see.CHANGE, see.OUTPUT):
            by_channel = [*listening(module, state.channel)]
    except FeatureError:
        pass
    best = int(seen.shares.argmax())
    rows = []
    for i, (word, weights) in enumerate(zip(words, heard)):
        row = {
            "name": word.partition(" · ")[0],
            "weights": weights,
            "channel": by_channel[i],
            "colour": BRANCH_COLOURS[i % len(BRANCH_COLOURS)],
            "off": (state.block, i + 1) in state.off,
            "share": None,
            "change": None,
        }
        if not row["off"] and (logits := silenced.get(i + 1)) is not None:
            row["share"] = float(_softmax(logits)[best])
            row["change"] = float(logits[best] - seen.logits[best])
        rows.append(row)
    return {"rows": rows, "words": _decides(rows, subject.name_of(best), float(seen.shares[best]))}


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def _decides(rows: list[dict], best: str, share: float) -> str:
    """What the table of branches says, in a sentence."""
    now = f"{best} is at {percent(share, 1)} now"
    moved = {row["name"]: row["share"] - share for row in rows if row["share"] is not None}
    if not moved:
        return f"{now}. Switch a branch off: on a large picture that takes a while."
    (name, fall), (other, rise) = (f(moved.items(), key=lambda item: item[1]) for f in (min, max))
    if fall <= -0.01:
        return f"{now}. Most depends on {name}: without it {percent(share + fall, 1)}."
    if rise >= 0.01:
        return f"{now}, and no branch holds it up: without {other} {percent(share + rise, 1)}."
    most = f"; most does {name}: without it {percent(share + fall, 1)}" if fall < 0 else ""
    return f"{now}. No branch moves that by a point{most}."


def _patches(desk: Desk, state) -> dict:
    subject = desk.subject(state.network)
    if subject.data is None or (data := subject.data()) is None:
        return {"words": "no images to look through", "shown": [], "can": False}
    count = len(data.test.labels)
    seen, found = desk.found.get((state.network, state.step), (0, {}))
    if (state.block, state.part) not in found:
        if seen:
            return {"words": "kept for branches and the output only", "shown": [], "can": False}
        words = "looking …" if state.task else f"not yet looked for in {count:,} test images"
        return {"words": words, "shown": [], "can": not state.task}
    at = found[state.block, state.part]
    windows = desk.windows(state.network, state.step, state.block, state.part)
    pieces, labels = [], []
    for k in range(at.images.shape[1]):
        i, value = int(at.images[state.channel, k]), float(at.values[state.channel, k])
        if value <= 0:
            break
        y, x = int(at.rows[state.channel, k]), int(at.columns[state.channel, k])
        label = data.classes[int(data.test.labels[i])]
        pixels = data.test.images[i].expand(3, -1, -1).numpy()
        labels.append(label)
        pieces.append(
            {"src": png(_cut(pixels, windows, y, x)), "words": f"{label}, {number(value)}"}
        )
    done = f"{count:,}" if seen >= count else f"{seen:,} of {count:,}"
    words = f"{_classes(labels)}; looked at {done} test images"
    if not pieces:
        words = f"silent on all of {done} test images"
    return {"words": words, "shown": pieces, "can": False}


def _classes(labels: list[str]) -> str:
    """How many of the pieces come from which class: "5 sneaker, 3 sandal"."""
    counted = Counter(labels).most_common()
    words = [f"{count} {name}" for name, count in counted[:3]]
    rest = sum(count for _, count in counted[3:])
    return ", ".join(words + [f"{rest} other"] * (rest > 0))


def _cut(pixels: np.ndarray, windows, y: int, x: int) -> np.ndarray:
    """The window around a value, H×W×3; what lies beyond the border is grey."""
    if windows is None:
        return pixels.transpose(1, 2, 0)
    (top, bottom), (left, right) = (w.of(i) for w, i in zip(windows, (y, x)))
    height, width = pixels.shape[1:]
    if bottom - top >= height or right - left >= width:
        return pixels.transpose(1, 2, 0)
    piece = np.full((3, bottom - top, right - left), 128, np.uint8)
    t, l, b, r = max(0, top), max(0, left), min(height, bottom), min(width, right)  # noqa: E741
    piece[:, t - top : b - top, l - left : r - left] = pixels[:, t:b, l:r]
    return piece.transpose(1, 2, 0)


def _why(desk: Desk, state, subject, seen: see.Look) -> dict:
    best = int(seen.shares.argmax())
    second = state.against
    if second is None or second == best or second >= len(seen.shares):
        second = int(np.argsort(-seen.shares)[1]) if len(seen.shares) > 1 else best
    picture = state.shown(desk)
    maps = desk.reasons(state.network, state.step, picture, state.side, (best, second), state.why)
    top = max((float(np.abs(m).max()) for m in maps.values()), default=0.0) or 1.0
    words = {
        "places": "places that speak for the class (blue) or against it (orange)",
        "occlusion": "covered here, its probability falls (blue) or grows (orange)",
    }[state.why]
    if not maps:
        words = "covering the picture at 16 places, one after the other: some seconds …"
        maps = {k: np.zeros((4, 4), np.float32) for k in (best, second)}
    order = np.argsort(-seen.shares)[:20].tolist()
    return {
        "kind": state.why,
        "maps": [
            {"name": subject.name_of(k), "k": k} | overlay(maps[k], top) for k in (best, second)
        ],
        "classes": [[int(k), subject.name_of(int(k))] for k in order if k != best],
        "against": second,
        "words": words,
    }
