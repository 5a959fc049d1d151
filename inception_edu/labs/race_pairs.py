"""Who can race: the pairs of the paper, or any two networks of the family, each with its residual
sums or without them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from inception_edu.data.windows import window
from inception_edu.describe import amount
from inception_edu.learn.recipe import Recipe
from inception_edu.study.config import Config
from inception_edu.study.racers import PAIRS, RACERS, tower_pair

TOWERS = "tower without / with identity"
CHOICE = "any two networks …"
SHORT = {
    "inception_v3": "Inception-v3",
    "inception_resnet_v1": "Inception-ResNet-v1",
    "inception_v4": "Inception-v4",
    "inception_resnet_v2": "Inception-ResNet-v2",
}
NAMES = {TOWERS: ("without identity", "with identity")} | {
    f"{SHORT[plain]} / {SHORT[residual]}": (SHORT[plain], SHORT[residual])
    for plain, residual in PAIRS
}
_BLOCKS = {  # key of `describe.network`, blocks a stage
    "GoogLeNet": ("googlenet", (1, 2, 1)),
    "GoogLeNet with batch norm": ("googlenet_torchvision", (1, 2, 1)),
    "BN-Inception": ("bn_inception", (1, 2, 1)),
    **{SHORT[key]: (key, repeats) for key, repeats in RACERS.items()},
    "Inception-v4, released": ("inception_v4_released", RACERS["inception_v4"]),
    "Inception-ResNet-v1 for faces": ("inception_resnet_v1_released", (1, 3, 2)),
    "Inception-ResNet-v2, released": ("inception_resnet_v2_released", (2, 3, 2)),
    "ResNet-50": ("resnet50", (1, 1, 1, 1)),
    "ResNeXt-50": ("resnext50", (1, 1, 1, 1)),
}
NO_SUMS = ", no sums"
# Every network that can race: what `mini` is asked for.
RUNNERS: dict[str, tuple[str, dict[str, Any]]] = {
    name + end: (key, {"repeats": repeats} | ({"residual": False} if end else {}))
    for name, (key, repeats) in _BLOCKS.items()
    for end in (("", NO_SUMS) if "res" in key else ("",))
}


def names(settings: dict) -> tuple[str, str]:
    """What both sides are called."""
    if settings["pair"] == CHOICE:
        return settings["one"], settings["two"]
    return NAMES[settings["pair"]]


def second(settings: dict) -> str:
    """How a sentence calls the second side."""
    return settings["two"] if settings["pair"] == CHOICE else "the residual network"


def racers(settings: dict) -> str:
    """How a sentence calls both sides."""
    equal = settings["pair"] != CHOICE
    return "Two networks of equal cost" if equal else " and ".join(names(settings))


def cost(settings: dict, made: tuple[Config, Config]) -> str:
    """What two networks of the reader's choice cost, in a sentence; a pair costs the same."""
    if settings["pair"] != CHOICE:
        return ""
    one, two = (amount(_macs(config)) for config in made)
    return f"The networks cost {one} and {two} multiply-adds for an image."


def _macs(config: Config) -> int:
    """Counted once a network: no slider of the lab changes them."""
    arguments = tuple(pair for pair in config.arguments if pair[0] != "scale")
    return _counted(config.network, arguments)


@lru_cache(maxsize=64)
def _counted(network: str, arguments: tuple) -> int:
    return Config("", network, arguments).macs()


def configs(settings: dict, images, steps: int) -> tuple[Config, Config]:
    """Both networks as configurations: without residual connections, then with them; or the two
    that were chosen."""
    classes, seed = len(images.classes), settings["seed"]
    if settings["pair"] == TOWERS:
        rate, scale, depth = (settings[key] for key in ("rate", "scale", "depth"))
        known = dict(image=images.image, classes=classes)
        plain, residual = tower_pair(steps, rate, scale, images.source, depth, **known)
        return plain.with_seed(seed), residual.with_seed(seed)
    recipe = Recipe(
        steps=steps,
        batch_size=32,
        lr=settings["rate"],
        momentum=0.9,
        record_every=4,
        augment="window+flip",
    )
    common = dict(
        width=1 / 16,
        image=window(images.image),
        classes=classes,
        scale=settings["scale"],
    )

    def side(name: str) -> Config:
        key, arguments = RUNNERS[name]
        return Config(
            name,
            key,
            {**common, **arguments},
            recipe,
            seed=seed,
            data=images.source,
            # Without batch norm the signal of a smaller start would not reach the end.
            init="he" if key == "googlenet" else "truncated",
            test_images=500,
        )

    one, two = map(side, names(settings))
    return one, two
