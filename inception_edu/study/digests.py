"""What a run is called: a digest of all that decides what it computes. No torch.

    digest(config, identity)       twelve characters, the same in every process, on every Python

A label says "photographs"; two machines may mean different pixels by it. So the name of a run holds
a fingerprint of the images, and a result that was made with others has another name.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields

from inception_edu.learn.recipe import Recipe
from inception_edu.study.config import Config

# Of the result files: raised when an older reader would misread a newer file.
SCHEMA = 2
# Of the training: raised when the same recipe and seed give another curve than before.
RECIPE_VERSION = 1


@dataclass(frozen=True)
class Identity:
    """What decides a run's numbers beside its configuration.

    data       fingerprint of all images and labels of the source
    precision  "float32" or "bfloat16", as computed in
    device     the kind of device: "cpu", "cuda", "mps"
    version    of the training, `RECIPE_VERSION`
    """

    data: str
    precision: str
    device: str
    version: int = RECIPE_VERSION


def digest(config: Config, identity: Identity) -> str:
    """Twelve characters that name what `config` computes on these images, in this precision, on
    this kind of device.

    The label is left out, so one run can belong to several experiments. So is every field of the
    configuration and of the recipe that has its default value: what learns something new keeps its
    old results.
    """
    values = {f.name: getattr(config, f.name) for f in fields(config)}
    values = {k: v for k, v in values.items() if k not in ("label", "arguments", "recipe")}
    values = _changed(values, {f.name: f.default for f in fields(config)})
    values["arguments"] = dict(config.arguments)
    values["recipe"] = _changed(asdict(config.recipe), asdict(Recipe()))
    values["identity"] = asdict(identity)
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _changed(values: dict, defaults: dict) -> dict:
    return {k: v for k, v in values.items() if v != defaults[k]}
