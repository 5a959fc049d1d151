"""The lab of a trained network's inside: a picture, its answer, every block's maps, and reasons.

lab = feature_maps()                                 the networks that come with the project
lab.block = "inception_resnet_b.2"                   as the buttons do it
feature_maps({"mine": Subject(my_module, prepare, classes)})
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from inception_edu.labs import core, link
from inception_edu.labs.core import (
    Column,
    Control,
    End,
    Part,
    Refused,
    Report,
    Row,
    Set,
    Start,
    Stop,
    Tell,
)
from inception_edu.labs.inside_address import address, code, opened
from inception_edu.labs.inside_desk import Desk
from inception_edu.labs.inside_own import drawn, taken
from inception_edu.labs.inside_parts import (
    a,
    first,
    picture_part,
    step_words,
    take_part,
    tiles_part,
)
from inception_edu.labs.inside_reasons import reasons_part
from inception_edu.labs.inside_state import State
from inception_edu.labs.inside_stored import stored
from inception_edu.labs.live import pick_mode
from inception_edu.labs.subjects import Subject, default_subjects, given_pictures
from inception_edu.nets import look as see

AS_IT_IS = -1  # the step of a network without recorded steps
WHY = (("class activation", "places"), ("occlusion", "occlusion"))


class Inside:
    """`update` and `render` of the lab, over one desk."""

    def __init__(self, desk: Desk):
        self.desk = desk
        self._last: tuple[State, core.View] | None = None

    def begin(self, network: str, **kept) -> State:
        """The first state of a network: the picture that it knows, the block after the stem."""
        subject = self.desk.subject(network)
        side = subject.sizes[0] if subject.sizes else 0
        state = State(network, side=side, step=subject.step, **kept)
        pictures = self.desk.pictures(network, state.own)
        if state.picture not in [p.name for p in pictures]:
            state = replace(state, picture=pictures[0].name)
        names = list(self._look(state).outputs)
        block = state.block if state.block in names else names[min(1, len(names) - 1)]
        return self.fit(replace(state, block=block))

    def _look(self, state: State) -> see.Look:
        desk = self.desk
        return desk.look(state.network, state.step, state.shown(desk), state.side)

    def fit(self, state: State) -> State:
        """A part and a channel that the block has: the strongest of the output where the chosen is
        not there."""
        desk = self.desk
        maps = desk.parts(state.network, state.step, state.shown(desk), state.side, state.block)
        state = replace(state, point=None, cover="")
        if desk.slow(state.network, state.shown(desk), state.side):
            state = replace(state, why="places")
        if state.open not in maps:
            state = replace(state, open="", page=0)
        if state.part in maps and state.channel < len(maps[state.part]):
            return state
        part = next(iter(maps))
        strongest = int(abs(maps[part]).mean((1, 2)).argmax())
        return replace(state, part=part, channel=strongest)

    # -- what happens --

    def update(self, state: State, event):
        if isinstance(event, Set) or (isinstance(event, Tell) and "point" not in event.value):
            # Code, file and refusal belong to what was shown.
            state = replace(state, code="", refused="", taken=(state.taken[0], "", "", ""))
        if isinstance(event, Set):
            return self._set(state, event.key, event.value)
        if isinstance(event, Tell):
            return self._tell(state, dict(event.value))
        if isinstance(event, Report) and event.task == state.task:
            return replace(state, searched=event.value)
        if isinstance(event, End) and event.task == state.task:
            refused = event.sentence if event.status == "failed" else state.refused
            return replace(state, task="", refused=refused)
        if isinstance(event, End) and event.task == state.cover:
            return replace(state, cover="")
        return state

    def _set(self, state: State, key: str, value):
        if key == "network":
            kept = {"own": state.own, "searches": state.searches}
            return self._searching(self.begin(value, **kept), state)
        if key == "training":
            return self._searching(self.fit(replace(state, step=value)), state)
        if key == "picture":
            return self.fit(replace(state, picture=value, refused=""))
        if key == "block":
            return self.fit(replace(state, block=value, part="", open="", page=0))
        if key == "size":
            return self.fit(replace(state, side=value))
        return self._why(state, value) if key == "why" else replace(state, **{key: value})

    def _why(self, state: State, why: str):
        """Reasons of another kind; covering a large picture takes a while, so it is a task."""
        desk, picture = self.desk, state.shown(self.desk)
        state = replace(state, why=why)
        large = desk.slow(state.network, picture, state.side)
        if why == "places" or state.cover or not large:
            return state
        number = state.searches + 1
        state = replace(state, searches=number, cover=f"cover {number}")
        return state, Start(state.cover, (state.network, state.step, picture, state.side))

    def _searching(self, state: State, before: State | None = None):
        """Look for what excites the channels of the network that is now chosen."""
        effects = [Stop(before.task)] if before is not None and before.task else []
        subject = self.desk.subject(state.network)
        known = (state.network, state.step) in self.desk.found
        if known or subject.data is None or subject.data() is None:
            return (replace(state, task="", searched=0), *effects)
        number = state.searches + 1
        task = f"search {number}"
        state = replace(state, task=task, searches=number, searched=0)
        return (state, *effects, Start(task, (state.network, state.step)))

    def _tell(self, state: State, said: dict):
        if "search" in said:
            return state if state.task else self._searching(state)
        if "file" in said:
            return self.fit(taken(self.desk, state, said["file"]))
        if "draw" in said:
            return self.fit(drawn(self.desk, state, said["draw"]))
        if said.get("take") in ("code", "link", "png"):
            return self._taken(state, said["take"])
        if "refused" in said:
            return replace(state, refused=str(said["refused"]))
        if "block" in said:
            return self._set(state, "block", self.known(state, said["block"]))
        if "branch" in said:
            return self._switch(state, int(said["branch"]))
        if "open" in said:
            part = said["open"] or ""
            return replace(state, open=part, page=int(said.get("page", 0)))
        if "choose" in said:
            part, channel = said["choose"]
            self.check(state, part, channel)
            return replace(state, part=part, channel=int(channel))
        if "point" in said:
            return replace(state, point=self._point(state, said["point"]))
        if "against" in said:
            return replace(state, against=int(said["against"]))
        if said.get("why") in ("places", "occlusion"):
            return self._why(state, said["why"])
        raise Refused(f"The lab does not know what {sorted(said)} means.")

    def known(self, state: State, block: str) -> str:
        names = list(self._look(state).outputs)
        if block not in names:
            raise Refused(f"There is no block {block!r}; there are {', '.join(names)}.")
        return block

    def check(self, state: State, part: str, channel) -> None:
        maps = self._maps(state)
        if part not in maps or not 0 <= int(channel) < len(maps[part]):
            raise Refused(f"{state.block} has no channel {channel} in {part!r}.")

    def _maps(self, state: State):
        desk = self.desk
        return desk.parts(
            state.network, state.step, state.shown(desk), state.side, state.block, state.off
        )

    def _point(self, state: State, said):
        if said is None:
            return None
        part, channel, y, x = said
        self.check(state, part, channel)
        height, width = self._maps(state)[part].shape[1:]
        return (part, int(channel), min(max(int(y), 0), height - 1), min(max(int(x), 0), width - 1))

    def _switch(self, state: State, branch: int) -> State:
        key = (state.block, branch)
        off = tuple(k for k in state.off if k != key)
        state = replace(state, off=off if len(off) < len(state.off) else (*off, key))
        self._look(state)
        return state

    def _taken(self, state: State, kind: str) -> State:
        """What a reader takes away: the lab as code, its picture as a file."""
        if kind == "code":
            return replace(state, code=code(self.desk, state))
        if kind == "link" and state.picture in [p.name for p in state.own]:
            sentence = "A link cannot carry a picture of your own: take “copy as code”."
            return replace(state, refused=sentence)
        if kind == "link":
            return replace(state, code=link.code(self.link(state)))
        (still,) = stored(self.desk, state, self.words(state))
        data = base64.b64encode(still.encode()).decode()
        taken = (state.taken[0] + 1, f"inside.{kind}", "image/svg+xml", data)
        return replace(state, taken=taken)

    # -- what is shown --

    def render(self, state: State) -> core.View:
        if self._last is None or self._last[0] is not state:
            self._last = (state, self._view(state))
        return self._last[1]

    def _view(self, state: State) -> core.View:
        desk = self.desk
        subject = desk.subject(state.network)
        pictures = tuple(p.name for p in desk.pictures(state.network, state.own))
        blocks = tuple(self._look(state).outputs)
        sizes = tuple((f"{s}×{s}", s) for s in subject.sizes) or (("its own size", 0),)
        steps = tuple((step_words(s), s) for s in sorted(subject.steps)) or (
            ("as it is", AS_IT_IS),
        )
        # A network without recorded steps has one choice, whatever step its file was saved at.
        step = state.step if state.step in subject.steps else steps[-1][1]
        controls = (
            Control("network", "list", "Network", state.network, desk.names),
            Control("picture", "list", "Picture", state.picture, pictures),
            Control("size", "list", "Enters at", state.side, sizes, hidden=len(sizes) < 2),
            Control(
                "compare",
                "list",
                "Compare",
                state.compare,
                desk.others(state.network),
                name="Compare with",
            ),
            Control("training", "steps", "Training", step, steps, hidden=len(steps) < 2),
            Control("block", "list", "Block", state.block, blocks, hidden=True),
            Control("why", "list", "Why this answer", state.why, WHY, hidden=True),
        )
        parts = (
            Part("inside_picture", picture_part(desk, state), "inside_picture"),
            Part("inside_tiles", tiles_part(desk, state), "inside_tiles"),
            Part("inside_reasons", reasons_part(desk, state), "inside_reasons"),
            Part("take", take_part(state), "take"),
        )
        left = Column("inside_picture", "training", "block", "why", "take", width="208px")
        layout = Column(
            Row("network", "picture", "size", "compare"),
            "status",
            Row(left, "inside_tiles", "inside_reasons"),
        )
        status = state.refused or self.words(state)
        return core.View(controls, parts, status, bool(state.refused), layout)

    def words(self, state: State) -> str:
        """What the network says, and how many channels are silent, in a sentence."""
        desk = self.desk
        subject, picture = desk.subject(state.network), state.shown(desk)
        seen = desk.look(state.network, state.step, picture, state.side, state.off)
        maps = seen.outputs[state.block]
        silent = int((maps == 0).all((1, 2)).sum())
        said = first(subject, seen)
        best = subject.name_of(int(seen.shares.argmax()))
        if picture.label:
            right = "right" if picture.label == best else f"wrong: it is {a(picture.label)}"
            said += f" ({right})"
        return (
            f"The network says {said}. Of the {len(maps)} channels that leave {state.block}, "
            f"{silent or 'none'} {'are' if silent > 1 else 'is'} 0 everywhere on this picture."
        )

    def link(self, state: State) -> str:
        return link.write("feature_maps", {"at": address(state)})

    def lab(self, start: State) -> core.Lab:
        return core.Lab(
            "inside",
            "Inside a network",
            start,
            self.update,
            self.render,
            lambda state: stored(self.desk, state, self.words(state)),
            self.words,
            lambda job: (self.desk.search if len(job) == 2 else self.desk.covering)(*job),
            link=self.link,
        )


def feature_maps(
    models: dict[str, Subject | Callable[[], Subject]] | None = None,
    pictures: dict | str | Path | None = None,
    mode: str = "auto",
    at: dict | None = None,
):
    """Display the lab and return it.

    `models`: by name, what to look into (by default the networks that come with the project);
    `pictures`: by name, PIL images or uint8 3×H×W, paths or data addresses; or a
    folder; the reader can add more. `at`: what is to be chosen at first, as *copy as code* writes
    it (`inside_address`). Raises `Refused` where `at` names what there is not.
    """
    from inception_edu.labs.host import NotebookLab

    desk = Desk(models or default_subjects(), given_pictures(pictures))
    inside = Inside(desk)
    start = inside.begin(desk.names[0]) if at is None else opened(inside, at)
    lab = NotebookLab(inside.lab(start), mode)
    lab.show()
    if pick_mode(mode) == "background":
        lab.send(Tell("inside_reasons", {"search": True}))
    return lab
