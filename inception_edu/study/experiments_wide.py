"""The experiments at the paper's width, for a machine with a GPU: C3, C5, C7 and C10. Each is a
function from a mode to its configurations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inception_edu.study.cells import PAPER, repeat, tower
from inception_edu.study.config import Config
from inception_edu.study.experiments_dying import cell

# As many blocks as make two minutes of a run on one core of a laptop, and seconds on a GPU.
BLOCKS = (2, 3, 2)
STEPS = 1000


def wide(mode: str) -> list[Config]:
    """Towers of 1152 and 2304 channels at the paper's rate, a third and three times of it: does
    what died in the first steps come back, and does what lived die late? C3, C5, C10."""
    settings = [
        (1152, 1.0, 0.045),
        (1152, 0.1, 0.045),
        (1152, 1.0, 0.015),
        (1152, 1.0, 0.14),
        (1152, 0.1, 0.14),
        (2304, 1.0, 0.045),
        (2304, 0.1, 0.045),
    ]
    steps: dict[str, Any] = dict(steps=2000, record_every=25)
    cells = [tower(cell(w, s, lr), w, s, lr=lr, **steps) for w, s, lr in settings]
    cells.append(tower("width 1152, no blocks, rate 0.045", 1152, depth=0, **steps))
    return repeat(cells, mode, [cell(1152, 1.0, 0.045)], 20)


def paper_width(mode: str) -> list[Config]:
    """Inception-ResNet-v2 with all of its filters (1152 channels in its B blocks, 2144 in its C
    blocks) and fewer blocks (2, 3 and 2), with the paper's RMSProp: does it die unscaled, does
    scaling save it, and does scaling cost accuracy where nothing dies? C3, C5, C7."""
    settings = [
        (1.0, 0.045),
        (0.2, 0.045),
        (0.1, 0.045),
        (0.0, 0.045),
        (1.0, 0.0045),
        (0.2, 0.0045),
        (1.0, 0.14),
        (0.2, 0.14),
    ]
    cells = [_full(f"scale {scale:g}, rate {lr:g}", scale, lr) for scale, lr in settings]
    return repeat(cells, mode, ["scale 1, rate 0.045"], 4)


def _full(label: str, scale: float, lr: float) -> Config:
    recipe = replace(PAPER, lr=lr, steps=STEPS, record_every=20, augment="window+flip")
    arguments = dict(width=1, repeats=BLOCKS, image=28, scale=scale)
    return Config(label, "inception_resnet_v2", arguments, recipe, test_images=2000)
