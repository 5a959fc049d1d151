"""What a lab is, without widgets: a frozen state, what happens to it, what it shows.

    lab = Lab("padding", "Padding calculator", State(), update, render)
    session = Session(lab)
    session.send(Set("kernel", "5"))          # what a reader typed, clicked or dragged
    session.state, session.view               # what came of it

`update(state, event)` gives the next state and nothing else happens in it. What is to happen
besides (train this, stop) it returns as data: `return state, Start("run", config)`. `render(state)`
gives a `View`: the controls, the parts (HTML, or a JavaScript component and its JSON), a status.
A host draws the view and sends events: `host.NotebookLab` with widgets, a `Session` alone in tests,
a page without Python with the same components (`web/`).
"""

from __future__ import annotations

from inception_edu.labs.reading import (
    number,
    read,
)
from inception_edu.labs.session import (
    Lab,
    Session,
    begun,
    run_now,
)
from inception_edu.labs.view import (
    KINDS,
    Column,
    Control,
    Effect,
    End,
    Event,
    Part,
    Press,
    Refused,
    Report,
    Row,
    Set,
    Start,
    Stop,
    Tell,
    View,
    say,
)

__all__ = [
    "Column",
    "Control",
    "Effect",
    "End",
    "Event",
    "KINDS",
    "Lab",
    "Part",
    "Press",
    "Refused",
    "Report",
    "Row",
    "Session",
    "Set",
    "Start",
    "Stop",
    "Tell",
    "View",
    "begun",
    "number",
    "read",
    "run_now",
    "say",
]
