"""The state of the lab of a network's inside as Python that opens it again.

at = address(state)                 {"network": …, "picture": …, "block": …, "off": …, …}
feature_maps(at=at)                 the same network, picture, block, channel and reasons
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

from inception_edu.labs.core import Refused
from inception_edu.labs.inside_desk import NOTHING, Desk
from inception_edu.labs.inside_own import as_address
from inception_edu.labs.inside_state import State
from inception_edu.labs.subjects import CHECKPOINTS

SHORT = 8000  # letters of a picture that still stands in the code itself
WHY = ("places", "occlusion")
KEYS = "network picture side step block part channel off compare why against".split()


def address(state: State) -> dict[str, Any]:
    """What is chosen, as plain values; what has its usual value is left out."""
    found = {key: getattr(state, key) for key in KEYS}
    usual = {"off": (), "compare": NOTHING, "why": "places", "against": None, "step": None}
    return {key: value for key, value in found.items() if key not in usual or value != usual[key]}


def code(desk: Desk, state: State) -> str:
    """Python that opens the lab as it is."""
    own = next((p for p in state.own if p.name == state.picture), None)
    lines = ["from inception_edu.labs.inside import feature_maps", ""]
    if set(desk.names) - set(CHECKPOINTS):
        lines.append("# models: the networks that you gave to this lab")
    arguments = ["models"] if set(desk.names) - set(CHECKPOINTS) else []
    if own is not None:
        content = as_address(own)
        if len(content) > SHORT:
            lines.append(f"# {own.name} has to lie beside the notebook")
            content = own.name
        arguments.append(f"pictures={{{own.name!r}: {content!r}}}")
    rows = "".join(f"        {key!r}: {value!r},\n" for key, value in address(state).items())
    arguments.append(f"at={{\n{rows}    }}")
    body = "".join(f"    {argument},\n" for argument in arguments)
    return "\n".join([*lines, f"lab = feature_maps(\n{body})"]) + "\n"


class Lab(Protocol):
    """What is needed of `inside.Inside`."""

    desk: Desk

    def begin(self, network: str) -> State: ...
    def known(self, state: State, block: str) -> str: ...
    def check(self, state: State, part: str, channel: int) -> None: ...
    def fit(self, state: State) -> State: ...


def opened(inside: Lab, at: dict[str, Any]) -> State:
    """The state that an address names. Raises `Refused` where the lab has no such thing."""
    desk = inside.desk
    if unknown := set(at) - set(KEYS):
        raise Refused(f"`at` knows no {sorted(unknown)}; it has {', '.join(KEYS)}.")
    network = at.get("network", desk.names[0])
    _one_of("network", network, desk.names)
    state = inside.begin(network)
    subject = desk.subject(network)
    if "picture" in at:
        _one_of("picture", at["picture"], [p.name for p in desk.pictures(network)])
    if "side" in at:
        _one_of("side", at["side"], subject.sizes or (0,))
    if at.get("step") is not None:
        _one_of("step", at["step"], (*subject.steps, subject.step))
    _one_of("compare", at.get("compare", NOTHING), desk.others(network))
    _one_of("why", at.get("why", "places"), WHY)
    off = tuple((str(block), int(branch)) for block, branch in at.get("off", ()))
    chosen = {k: at[k] for k in KEYS if k in at and k != "off"}
    state = replace(state, **chosen, off=off)
    inside.known(state, state.block)
    if "part" in at:
        inside.check(state, state.part, state.channel)
    return inside.fit(state)


def _one_of(what: str, value: Any, known) -> None:
    if value not in known:
        raise Refused(f"There is no {what} {value!r}; there are {', '.join(map(str, known))}.")
