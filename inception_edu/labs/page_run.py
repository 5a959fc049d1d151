"""A run or a race of a training lab in a web page: what `web/run.js` is told, and what it says.

The page trains the network of the configuration, made from its description, by code of its own: the
same layers, first weights drawn by the same rule, the same optimizer. Its random numbers are not
torch's, so a run is one more draw of the same experiment, not the run that a notebook would give.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from inception_edu.data.paths import data_dir
from inception_edu.describe import Chain, Concat, Conv, Node, Residual
from inception_edu.describe.blocks import Classifier, Network
from inception_edu.labs import race_images
from inception_edu.labs.core import Refused
from inception_edu.learn.recipe import Recipe, learning_rate

NEEDS_TORCH = "This part needs torch: open the chapter in JupyterLab or Colab to run it."
NOT_HERE = "The page cannot train this ({}): open the chapter in JupyterLab or Colab to run it."
WHOLE = "A page trains towers alone: to train {}, open the chapter in JupyterLab or Colab."
CLOTHES = "A page has the clothes alone: for other images open the chapter in JupyterLab or Colab."
# Of the embedded images the page has so many, as many of each class.
TRAIN, TEST = 2000, 200
PICTURES = "race_images.json"  # beside the recorded runs; the site's builder writes it


@lru_cache(maxsize=1)
def images(source: str) -> race_images.Images:
    """The twelve test images of a race. Raises `Refused` for a source that a page has not."""
    if source != "fashion":
        raise Refused(CLOTHES)
    if (path := data_dir() / PICTURES).is_file():
        return race_images.read(path)
    try:
        from inception_edu.labs import racing  # in a notebook's Python, which builds the page
    except ImportError:
        raise Refused(NEEDS_TORCH) from None
    return racing.look_at(source, TEST)


def race(configs: tuple[Any, Any]) -> dict:
    """What the page is told of a race. Raises `Refused` for one that it cannot run."""
    for config in configs:
        if config.network != "tower":
            raise Refused(WHOLE.format(config.label))
    return {"sides": [job(config) for config in configs], "places": images("fashion").places}


def job(config: Any) -> dict:
    """What the page is told of a `study.Config`. Raises `Refused` for what it cannot do."""
    if not hasattr(config, "description"):
        raise Refused(NEEDS_TORCH)
    if config.data != "fashion" or config.init != "truncated":
        raise Refused(NOT_HERE.format(f"images: {config.data}"))
    recipe: Recipe = config.recipe
    unknown = ("average", "label_smoothing", "weight_decay", "augment", "replicas")
    if any(getattr(recipe, name) != getattr(Recipe(), name) for name in unknown):
        raise Refused(NOT_HERE.format("its recipe"))
    network = config.description()
    return {
        "blocks": blocks(network),
        "classes": network.classes,
        "image": network.image,
        "rates": [learning_rate(recipe, step) for step in range(1, recipe.steps + 1)],
        "recipe": asdict(recipe),
        "seed": config.seed,
        "train": TRAIN,
        "test": TEST,
    }


def blocks(network: Network) -> list[dict]:
    """The blocks in order, each copy by itself, named as in `nets.build.named_blocks`."""
    if network.classifier != Classifier() or network.dropout:
        raise Refused(NOT_HERE.format("its classifier"))
    found = []
    for block in network.blocks:
        for i in range(1, block.repeat + 1):
            name = block.name if block.repeat == 1 else f"{block.name}.{i}"
            found.append({"name": name, "node": node(block.node)})
    return found


def node(what: Node) -> dict:
    """A description as JSON. Raises `Refused` for what `web/tower.js` does not know."""
    if isinstance(what, Conv) and what.groups == 1 and not what.centred:
        return {
            "kind": "conv",
            "out": what.out,
            "kernel": list(what.kernel),
            "stride": what.stride,
            "same": what.padding == "same",
            "norm": what.norm,
            "relu": what.relu,
            "bias": what.has_bias,
            "gain": what.gain,
        }
    if isinstance(what, Chain):
        return {"kind": "chain", "parts": [node(part) for part in what.parts]}
    if isinstance(what, Concat):
        return {"kind": "concat", "parts": [node(part) for part in what.branches]}
    if isinstance(what, Residual) and what.shortcut is None and not what.learnable and what.relu:
        return {
            "kind": "residual",
            "body": node(what.body),
            "scale": what.scale,
            "identity": what.identity_scale,
            "norm": what.norm,
        }
    raise Refused(NOT_HERE.format(type(what).__name__))


def record(said: dict) -> SimpleNamespace:
    """A record as `learn.Record` has it, or a lap of a race as `racing.Lap`, of what a training lab
    reads."""
    if "sides" in said:
        sides = tuple(one and record(one) for one in said["sides"])
        return SimpleNamespace(sides=sides, says=tuple(map(tuple, said["says"])))
    return SimpleNamespace(**{key: _long(value) for key, value in said.items()})


def _long(value):
    if isinstance(value, dict):
        return {key: _long(item) for key, item in value.items()}
    return float("nan") if value is None else value


@dataclass(frozen=True)
class Ran:
    """What a run in the page showed: of `study.Result` that which the labs read."""

    status: str
    sentence: str
    test_accuracy: float | None
    dead: dict[str, float]
    curves: dict[str, list]
    maps: dict[str, dict[str, list]]
    seconds: float
    extras: dict = field(default_factory=dict)

    @property
    def accuracy(self) -> float | None:
        return self.test_accuracy if self.status == "finished" else None


@dataclass(frozen=True)
class Raced:
    """What a race in the page showed: of `racing.Race` that which the race lab reads."""

    results: tuple[Ran | None, ...]


def result(said: dict) -> Any:
    """The end of a run as `Ran`, or of a race as `Raced`; None where it failed."""
    if said["status"] == "failed":
        return None
    if "results" in said:
        return Raced(tuple(result(one) for one in said["results"]))
    return Ran(**{one.name: said[one.name] for one in fields(Ran) if one.name in said})
