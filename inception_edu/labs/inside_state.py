"""What is chosen in the lab of a network's inside."""

from __future__ import annotations

from dataclasses import dataclass

from inception_edu.labs.inside_desk import NOTHING, Desk
from inception_edu.labs.subjects import Picture


@dataclass(frozen=True)
class State:
    """What is chosen. `point` is (part, channel, row, column), `off` a tuple of (block, branch),
    `own` the reader's pictures, `refused` why the last one was not taken, `task` the search that is
    under way, `searched` how many images it has seen, `cover` the covering that is under way,
    `code` the lab as Python where that was asked for, `taken` the last file that was: number, name,
    MIME type, base64."""

    network: str
    picture: str = ""
    side: int = 0
    step: int | None = None
    block: str = ""
    part: str = ""
    channel: int = 0
    point: tuple[str, int, int, int] | None = None
    off: tuple[tuple[str, int], ...] = ()
    compare: str = NOTHING
    open: str = ""
    page: int = 0
    why: str = "places"
    against: int | None = None
    own: tuple[Picture, ...] = ()
    refused: str = ""
    task: str = ""
    searched: int = 0
    searches: int = 0
    cover: str = ""
    code: str = ""
    taken: tuple[int, str, str, str] = (0, "", "", "")

    def shown(self, desk: Desk) -> Picture:
        """The chosen picture."""
        pictures = desk.pictures(self.network, self.own)
        return next((p for p in pictures if p.name == self.picture), pictures[0])
