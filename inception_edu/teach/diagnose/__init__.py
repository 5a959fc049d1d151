"""Two blocks as sequences of steps, and what differs between them, in sentences. No torch.

Branches are matched to branches and steps to steps at the least cost; each remaining difference
becomes a sentence that says where it is and what it is.
"""

from inception_edu.teach.diagnose.differences import Difference, differences, misfit, reordered
from inception_edu.teach.diagnose.faults import scale_faults
from inception_edu.teach.diagnose.matching import order, pairs
from inception_edu.teach.diagnose.steps import (
    WINDOWS,
    Join,
    Sequence,
    Step,
    branch_words,
    output,
    sequence,
    size_words,
    tidy,
    what,
)

__all__ = [
    "WINDOWS",
    "Difference",
    "Join",
    "Sequence",
    "Step",
    "branch_words",
    "differences",
    "misfit",
    "order",
    "output",
    "pairs",
    "reordered",
    "scale_faults",
    "sequence",
    "size_words",
    "tidy",
    "what",
]
