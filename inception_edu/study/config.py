"""What a run is: a frozen configuration, from which everything that it computes follows.

config = Config("scale 0.1", "tower", dict(width=576, scale=0.1), Recipe(steps=100))
seeds(config)                  the same with seeds 0 to 4
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from inception_edu._numbers import is_whole
from inception_edu.describe import CHANGES, FAMILY, changed, measure, networks
from inception_edu.learn.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn

PHOTOGRAPHS = "photographs"  # the colour photographs, wherever this machine keeps them
JUDGES = ("test", "validation")
AFTERS = ("crops", "few crops")


class ExperimentError(RuntimeError):
    """A configuration or a sweep that cannot go on. The message says what is wrong and what to
    do."""


@dataclass(frozen=True)
class Config:
    """One training run. `label` names the cell of the experiment; runs of a cell differ in their
    seed alone.

    network      "tower", or a key of `networks.NETWORKS` for `mini` of it
    arguments    what that function is called with (a dict is turned into sorted pairs)
    recipe       how to train; its seed is replaced by `seed`, which also draws the initial weights
    data         "photographs", or a source of `data.load`
    change       a key of `CHANGES`: what is altered in the network's description
    init         how the first weights are drawn, as `build` takes it
    test_images  how many images the accuracy is measured on, evenly over the classes (0: none)
    after        "crops": keep what the trained network says of 1, 12 and 144 crops of each test
                 image; "few crops": of 1 and 12
    judge        whose images these are: "test", or "validation": training images that are held out
                 of training. Rates are tuned on these, so that a verdict's images are never seen
    per_class    train on the first so many images of each class alone (None: on all)
    """

    label: str
    network: str
    arguments: Any = ()
    recipe: Recipe = Recipe()
    seed: int = 0
    data: str = PHOTOGRAPHS
    change: str = ""
    init: str = "truncated"
    test_images: int = 1000
    after: str = ""
    judge: str = "test"
    per_class: int | None = None

    def __post_init__(self):
        if not isinstance(self.arguments, (dict, tuple, list)):
            raise ExperimentError(
                "arguments are what the network's function is called with, such as "
                f"dict(width=576); got {self.arguments!r}."
            )
        if not isinstance(self.recipe, Recipe):
            raise ExperimentError(
                f"How to train is said by a Recipe(...), got {type(self.recipe).__name__}."
            )
        for name, least in (("test_images", 0), ("per_class", 1)):
            value = getattr(self, name)
            if value is None and name == "per_class":
                continue
            if not is_whole(value) or value < least:
                raise ExperimentError(
                    f"{name} should be a whole number of at least {least}, got {value!r}."
                )
        pairs = self.arguments.items() if isinstance(self.arguments, dict) else self.arguments
        plain = tuple(sorted((k, tuple(v) if isinstance(v, list) else v) for k, v in pairs))
        object.__setattr__(self, "arguments", plain)
        object.__setattr__(self, "recipe", replace(self.recipe, seed=self.seed))
        _one_of("network", self.network, ("tower", *networks.NETWORKS, *FAMILY))
        if self.change:
            _one_of("change", self.change, CHANGES)
        if self.after:
            _one_of("thing to do after", self.after, AFTERS)
        _one_of("judge", self.judge, JUDGES)

    def to_dict(self) -> dict:
        """Plain JSON types, every field of the recipe included."""
        return {**asdict(self), "arguments": dict(self.arguments), "recipe": asdict(self.recipe)}

    @classmethod
    def from_dict(cls, values: dict) -> Config:
        """What `to_dict` wrote. A field of the recipe that this version does not know is left
        out."""
        known = {f.name for f in fields(Recipe)}
        recipe = Recipe(**{k: v for k, v in values["recipe"].items() if k in known})
        return cls(**{**values, "recipe": recipe})

    def description(self) -> networks.Network:
        """The network as data, with `change` made."""
        arguments = dict(self.arguments)
        try:
            if self.network == "tower":
                network = networks.tower(**arguments)
            else:
                network = networks.mini(networks.network(self.network), **arguments)
        except TypeError as error:
            raise ExperimentError(
                f"{self.network} cannot be made from {arguments}: {error}."
            ) from None
        return changed(network, self.change) if self.change else network

    def macs(self) -> int:
        """Multiply-adds of the network for one image."""
        return measure(self.description()).macs

    def with_seed(self, seed: int) -> Config:
        """The same run from another seed."""
        return replace(self, seed=seed)

    def model(self) -> nn.Module:
        """The network, initialised from `seed`."""
        from inception_edu.nets.build import build  # torch, which a web page has not

        return build(self.description(), init=self.init, seed=self.seed)


def _one_of(what: str, word: str, known) -> None:
    if word not in known:
        raise ExperimentError(f"There is no {what} {word!r}; choose one of {', '.join(known)}.")


def seeds(config: Config, count: int = 5, first: int = 0) -> list[Config]:
    """The same configuration with seeds first, first + 1, … Raises `ExperimentError` for what is no
    configuration or no number."""
    if not isinstance(config, Config):
        raise ExperimentError(f"A run is said by a Config(...), got {type(config).__name__}.")
    for what, number in (("count", count), ("first", first)):
        if not is_whole(number):
            raise ExperimentError(f"{what} should be a whole number, got {number!r}.")
    return [replace(config, seed=s) for s in range(first, first + count)]
