"""The comparison lab: choose two networks, and see what differs between their descriptions.

lab = comparison_lab("inception_resnet_v2", "inception_resnet_v2_released")
lab.left = "inception_v4"                 # as the list does it
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from inception_edu.describe import NETWORKS, facenet, inception_resnet_v2, network
from inception_edu.describe.blocks import Network
from inception_edu.describe.difference import differences
from inception_edu.describe.portraits import compare
from inception_edu.describe.spec import SpecError
from inception_edu.describe.table import Table
from inception_edu.labs import link
from inception_edu.labs.core import Column, Control, Lab, Part, Press, Row, Set, View

if TYPE_CHECKING:
    from inception_edu.labs.host import NotebookLab

# Networks with stages A, B and C, which can be laid side by side.
KEYS = (
    "googlenet",
    "googlenet_torchvision",
    "bn_inception",
    *(key for key in NETWORKS if key.startswith("inception")),
    "inception_resnet_v2_printed",
    "facenet",
)
VIEWS = {"differing": "what differs", "all": "everything", "steps": "step by step"}


@lru_cache(maxsize=32)
def _network(key: str) -> Network:
    if key == "inception_resnet_v2_printed":
        return inception_resnet_v2(printed=True)
    return facenet() if key == "facenet" else network(key)


@dataclass(frozen=True)
class State:
    """Two keys of `KEYS`, and a key of `VIEWS`."""

    left: str
    right: str
    show: str = "differing"
    first: tuple[str, str] = ("", "")

    @property
    def networks(self) -> tuple[Network, Network]:
        return _network(self.left), _network(self.right)

    @property
    def table(self) -> Table:
        """What the two are compared in."""
        left, right = self.networks
        if self.show == "steps":
            rows = [(f"{d.where}: {d.what}", (d.left, d.right)) for d in differences(left, right)]
            return Table((left.name, right.name), tuple(rows))
        table = compare(left, right)
        return table.differing() if self.show == "differing" else table


def update(state: State, event) -> State:
    if isinstance(event, Set):
        return replace(state, **{event.key: event.value})
    if isinstance(event, Press) and event.key == "swap":
        return replace(state, left=state.right, right=state.left)
    if isinstance(event, Press) and event.key == "reset":
        left, right = state.first
        return State(left, right, first=state.first)
    return state


@lru_cache(maxsize=8)  # the host asks several times for one state
def render(state: State) -> View:
    names = tuple((_network(key).name, key) for key in KEYS)
    views = tuple((words, key) for key, words in VIEWS.items())
    controls = (
        Control("left", "list", "left", state.left, names),
        Control("right", "list", "right", state.right, names),
        Control("show", "list", "show", state.show, views),
        Control("swap", "button", "Swap", tip="Exchange left and right"),
        Control("reset", "button", "Reset", tip="Put every setting back"),
    )
    layout = Column(
        Row("left", "right", "show", "swap", "reset"),
        "status",
        "result",
    )
    part = Part("result", state.table._repr_html_(), said="the comparison")
    return View(controls, (part,), words(state), layout=layout)


def words(state: State) -> str:
    left, right = state.networks
    places = len(differences(left, right))
    if not places:
        return f"{left.name} and {right.name} are the same description."
    rows = len(compare(left, right).differing().rows)
    properties = f"{rows} {'property' if rows == 1 else 'properties'}"
    where = f"{places} {'place' if places == 1 else 'places'}"
    return f"{left.name} and {right.name} differ in {properties} and {where}."


def make(left: str = "inception_resnet_v2", right: str = "inception_resnet_v2_released") -> Lab:
    """The lab without widgets: a `core.Lab`. Raises `SpecError` for another network."""
    for key in (left, right):
        if key not in KEYS:
            raise SpecError(
                f"There is no network {key!r} to compare; choose one of {', '.join(KEYS)}."
            )
    return Lab(
        "comparison",
        "Comparison",
        State(left, right, first=(left, right)),
        update,
        render,
        stored=lambda state: [state.table],
        words=words,
        link=lambda state: link.write("comparison_lab", {"left": state.left, "right": state.right}),
    )


def comparison_lab(
    left: str = "inception_resnet_v2", right: str = "inception_resnet_v2_released"
) -> NotebookLab:
    """Display the comparison lab and return it; `lab.state.table` holds what it shows.

    `left` and `right` are keys of `describe.network` whose networks have stages A, B and C,
    "inception_resnet_v2_printed" or "facenet".
    Raises `SpecError` for another network.
    """
    from inception_edu.labs.host import NotebookLab

    lab = NotebookLab(make(left, right))
    lab.show()
    return lab
