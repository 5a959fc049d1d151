"""What the block designer knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inception_edu.describe import code as texts
from inception_edu.describe.goals import Goal
from inception_edu.describe.parts import Path
from inception_edu.describe.spec import Node, Shape


@dataclass(frozen=True)
class State:
    """The block as it was, every change since, and where among them the reader is."""

    block: str
    original: Node
    shape: Shape
    changes: tuple[tuple[Node, Path], ...]
    at: int = 0
    said: str = ""
    alert: bool = False
    goal: Goal | None = None
    trial: Any = None  # what the forward pass found: nets.forward.Pass, a sentence, or None
    running: bool = False
    own: tuple[Node, Shape] | None = None
    text: str = ""

    @property
    def node(self) -> Node:
        """The block as it is now."""
        return self.changes[self.at][0]

    @property
    def selected(self) -> Path:
        """The address of the chosen step."""
        return self.changes[self.at][1]

    @property
    def code(self) -> str:
        """The Python that makes the block."""
        return texts.code(self.node)
