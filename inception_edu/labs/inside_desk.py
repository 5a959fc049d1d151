"""What the lab of a network's inside computes, each thing once: networks, looks, maps, reasons.

A `Desk` holds the networks and remembers what it computed; the lab's state says what is wanted of
it. Everything here is numbers; `inside_parts` makes of them what the page shows.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import nullcontext

import numpy as np
from torch import nn

from inception_edu.labs.subjects import TOWER, Picture, Subject, cat, clothes
from inception_edu.nets import explain
from inception_edu.nets import look as see
from inception_edu.nets.build import ScaledResidual
from inception_edu.nets.excite import Found, searching

NOTHING, BEFORE, BARE, DEAD = "nothing", "before training", "at scale 0", "a tower that died"
SMALL = 48  # pixels a side above which covering a picture is a task of its own: dozens of passes
LARGE = 64  # pixels a side above which no pass is made that was not asked for
# How many things are remembered; a look at 299×299 pixels takes 20 MB.
HEAVY = ("look", "parts")
KEPT_HEAVY, KEPT = 24, 200


class Desk:
    """`subjects`: by name, a `Subject` or what gives one; `pictures`: more pictures, for all."""

    def __init__(
        self,
        subjects: Mapping[str, Subject | Callable[[], Subject]],
        pictures: list[Picture] | None = None,
    ):
        if not subjects:
            raise ValueError(
                "There is no network to look into: data/checkpoints/ is empty and `models` not "
                "given."
            )
        if not isinstance(subjects, Mapping):
            raise ValueError(
                "`models` are subjects by name, {'mine': Subject(module, prepare, classes)}; got "
                f"a {type(subjects).__name__}."
            )
        for name, one in subjects.items():
            if not isinstance(one, Subject) and (isinstance(one, nn.Module) or not callable(one)):
                raise ValueError(
                    f"{name} is a {type(one).__name__}, not a Subject: write own_subject(model, "
                    "data), or Subject(module, prepare, classes)."
                )
        self._makers = dict(subjects)
        self._made: dict[str, Subject] = {}
        self._pictures = list(pictures or [])
        self._models: dict[tuple[str, int | None], nn.Module] = {}
        self._kept: dict[bool, tuple[OrderedDict, int]] = {
            True: (OrderedDict(), KEPT_HEAVY),
            False: (OrderedDict(), KEPT),
        }
        self.found: dict[tuple[str, int | None], tuple[int, Found]] = {}
        self.covered: dict[tuple, dict[int, np.ndarray]] = {}

    # -- networks and pictures --

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._makers)

    def subject(self, name: str) -> Subject:
        if name not in self._made:
            maker = self._makers[name]
            self._made[name] = maker if isinstance(maker, Subject) else maker()
        return self._made[name]

    def model(self, name: str, step: int | None = None) -> nn.Module:
        """A network as it was after some step of its training (None: as it is)."""
        subject = self.subject(name)
        if step is None or step == subject.step or step not in subject.steps:
            return subject.model
        if (name, step) not in self._models:
            self._models[name, step] = subject.steps[step]()
        return self._models[name, step]

    def pictures(self, name: str, own: tuple[Picture, ...] = ()) -> tuple[Picture, ...]:
        """The pictures to choose from: one's own, those that the network knows, those given."""

        def find():
            subject = self.subject(name)
            known = list(subject.pictures()) if subject.pictures else []
            found = [*known, *self._pictures]
            return tuple(found) if found else (cat(), *_some_clothes())

        return (*own, *self.once(("pictures", name), find))

    def others(self, name: str) -> tuple[str, ...]:
        """What a network can be compared with."""
        subject = self.subject(name)
        found = [NOTHING]
        if len(subject.steps) > 1 and 0 in subject.steps:
            found.append(BEFORE)
        if any(isinstance(m, ScaledResidual) for m in subject.model.modules()):
            found.append(BARE)
        if TOWER in self.names:
            found.append(DEAD)
        return (*found, *(other for other in self.names if other not in (name, TOWER)))

    def who(self, name: str, compare: str) -> Subject:
        """The network that is set beside `name`."""
        if compare in (NOTHING, BEFORE, BARE):
            return self.subject(name)
        return self.subject(TOWER if compare == DEAD else compare)

    # -- numbers --

    def image(self, name: str, picture: Picture, side: int):
        """What enters: 1×3×H×W."""
        subject = self.subject(name)
        used = side if side in subject.sizes else None
        return self.once(
            ("image", name, id(picture), used), lambda: subject.enter(picture, used), picture
        )

    def look(self, name: str, step, picture: Picture, side: int, off=(), bare=False) -> see.Look:
        model = self.model(name, step)
        image = self.image(name, picture, side)

        def compute():
            with see.without_residuals(model) if bare else nullcontext():
                return see.look(model, image, off)

        return self.once(("look", name, step, id(picture), side, off, bare), compute, picture)

    def parts(self, name: str, step, picture, side, block, off=(), bare=False):
        model = self.model(name, step)
        seen = self.look(name, step, picture, side, off, bare)

        def compute():
            with see.without_residuals(model) if bare else nullcontext():
                return see.parts(model, seen, block, off)

        key = ("parts", name, step, id(picture), side, off, bare, block)
        return self.once(key, compute, picture)

    def beside(self, name: str, compare: str, picture: Picture, side: int, block: str):
        """The other network's (look, block, parts); None where nothing is compared."""
        if compare == NOTHING or compare not in self.others(name):
            return None
        mine = self.look(name, None, picture, side)
        other, step, bare = name, None, False
        if compare == BEFORE:
            step = 0
        elif compare == BARE:
            bare = True
        elif compare == DEAD:
            other, step = TOWER, max(self.subject(TOWER).steps, default=None)
        else:
            other = compare
        seen = self.look(other, step, picture, side, bare=bare)
        theirs = see.counterpart(mine, block, seen)
        return seen, theirs, self.parts(other, step, picture, side, theirs, bare=bare)

    def shade(self, name, step, picture, side, block, point) -> np.ndarray:
        part, channel, y, x = point
        model, image = self.model(name, step), self.image(name, picture, side)
        key = ("shade", name, step, id(picture), side, block, point)
        return self.once(key, lambda: see.shade(model, image, block, part, channel, y, x), picture)

    def without(self, name, step, picture, side, block, cases, off) -> dict:
        """By case (see `explain.without`) the K logits without it."""
        key = ("without", name, step, id(picture), side, block, off)
        known: dict = self.once(key, dict, picture)
        if missing := [case for case in cases if case not in known]:
            model, image = self.model(name, step), self.image(name, picture, side)
            seen = self.look(name, step, picture, side, off)
            rows = explain.without(model, image, block, missing, off, seen)
            known |= zip(missing, rows)
        return {case: known[case] for case in cases}

    def windows(self, name, step, block, part):
        """The windows of a part's values in pixels of the image (`see.windows`)."""
        key = ("windows", name, block, part)
        return self.once(key, lambda: see.windows(self.model(name, step), block, part))

    def reasons(self, name, step, picture, side, targets, why) -> dict[int, np.ndarray]:
        """By class, where on the picture the reasons for it lie: places (class activation) or how
        far its share falls when a patch is covered (occlusion)."""
        model, image = self.model(name, step), self.image(name, picture, side)

        def compute():
            if why == "places":
                seen = self.look(name, step, picture, side)
                return explain.class_activation(model, image, targets, seen)
            patch = image.shape[-1] // 4
            return explain.covered(model, image, targets, patch, patch // 2, _cover(image, picture))

        if why == "occlusion" and self.slow(name, picture, side):
            found = self.covered.get((name, step, id(picture), side), {})
            return {k: found[k] for k in targets if k in found}
        key = ("reasons", name, step, id(picture), side, targets, why)
        return self.once(key, compute, picture)

    def slow(self, name: str, picture: Picture, side: int) -> bool:
        """Whether covering the picture everywhere takes longer than a reader waits."""
        return self.image(name, picture, side).shape[-1] > SMALL

    def large(self, name: str, picture: Picture, side: int) -> bool:
        """Whether one pass through the network is felt."""
        return self.image(name, picture, side).shape[-1] > LARGE

    def covering(self, name: str, step, picture: Picture, side: int):
        """A function of (report, stop) that covers a large picture, a quarter of its side at a
        time, on a copy of the network, and keeps what it does to the twenty likeliest classes."""
        image = self.image(name, picture, side)
        shares = self.look(name, step, picture, side).shares
        targets = [int(k) for k in np.argsort(-shares)[:20]]
        model = copy.deepcopy(self.model(name, step))

        def work(report, stop):
            patch, cover = image.shape[-1] // 4, _cover(image, picture)
            found = explain.covered(model, image, targets, patch, patch, cover)
            self.covered[name, step, id(picture), side] = found

        return work

    # -- what excites a channel --

    def search(self, name: str, step: int | None):
        """A function of (report, stop) that looks through the network's images. It works on a copy
        of the network, so that the lab can be used meanwhile."""
        subject = self.subject(name)
        data = subject.data() if subject.data else None
        model = copy.deepcopy(self.model(name, step))

        def work(report, stop):
            if data is None:
                return None
            for seen, found in searching(model, data.test.images, data.normalise):
                self.found[name, step] = (seen, found)
                report(seen)
                if stop.is_set():
                    break
            return None

        return work

    # -- memory --

    def once(self, key, compute, *alive):
        """`compute()`, remembered. `alive` holds what the key names by its id."""
        kept, most = self._kept[key[0] in HEAVY]
        if key in kept:
            kept.move_to_end(key)
            return kept[key][0]
        value = compute()
        kept[key] = (value, alive)
        while len(kept) > most:
            kept.popitem(last=False)
        return value


def _cover(image, picture: Picture) -> float:
    """The value of the square: black where the picture's ground is black, else the middle grey."""
    return float(image.min()) if is_dark(picture) else 0.0


def is_dark(picture: Picture) -> bool:
    """Whether the picture's border is black, so that a black square hides and does not add."""
    edge = np.concatenate([picture.pixels[:, 0].ravel(), picture.pixels[:, -1].ravel()])
    return float(edge.mean()) < 16


def _some_clothes() -> list[Picture]:
    data, found = clothes(), []
    for i in (0, 3, 8):
        label = data.classes[int(data.test.labels[i])]
        pixels = data.test.images[i].expand(3, -1, -1).numpy()
        found.append(Picture(label, pixels, label, f"test image {i} of {data.name}"))
    return found
