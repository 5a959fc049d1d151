"""How to train: a recipe, and the learning rate that it sets for each step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real


class TrainError(ValueError):
    """A recipe, network or data set that cannot be trained together. The message says what to
    do."""


WHOLE = (
    *("seed", "warmup_steps", "steps", "batch_size"),
    *("record_every", "decay_every", "evaluate_every", "replicas"),
)
REAL = (
    *("lr", "weight_decay", "eps", "warmup_lr", "momentum", "rms_decay", "average"),
    *("label_smoothing", "clip", "lr_decay"),
)


@dataclass(frozen=True)
class Recipe:
    """How to train. Section 4 of the paper is
    `Recipe(optimizer="rmsprop", lr=0.045, schedule="paper")`.

    steps, batch_size   how many batches of how many images
    optimizer           "sgd"; "rmsprop": TensorFlow's, see `RMSPropTF`; "normalised": SGD whose
                        gradient has length 1 in every tensor, so that all blocks take equal steps
    lr, momentum        of either; `nesterov` looks ahead (SGD only)
    weight_decay        pulls weights, but not biases and batch norms, to zero
    rms_decay, eps      of RMSProp
    schedule            "constant"; "paper": times `lr_decay` every `decay_every` steps (None: two
                        epochs); "one-cycle": up to `lr` in the first quarter, then down to zero, in
                        straight lines
    warmup_steps        with `warmup_lr` the two-phase warm-up of Section 3.3: so many steps at that
                        rate, then `lr` at once; without it the rate grows in a straight line up to
                        `lr`
    label_smoothing     share of the target that is spread evenly over all classes
    average             decay of the running average of the weights that is evaluated (0: none),
                        such as 0.999
    clip                gradients longer than this are shortened to it, all together
    replicas            asynchronous copies of the network that train in turns (the paper had 20),
                        simulated: each gradient belongs to weights `replicas` − 1 updates old
    augment             as `data.batches` takes it: "none", "flip", "crop+flip", …; after training
                        on "window", smaller than the images, the test is on their centres
    record_every        steps from record to record;   evaluate_every: steps from test to test
                        (None: at the end only)
    precision           "auto" (bfloat16 where the device computes in it, see `autocast`),
                        "float32", "bfloat16"
    seed                of the order of the images, their augmentation, and dropout
    """

    steps: int = 200
    batch_size: int = 64
    optimizer: str = "sgd"
    lr: float = 0.1
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 0.0
    rms_decay: float = 0.9
    eps: float = 1.0
    schedule: str = "constant"
    lr_decay: float = 0.94
    decay_every: int | None = None
    warmup_steps: int = 0
    warmup_lr: float | None = None
    label_smoothing: float = 0.0
    average: float = 0.0
    clip: float | None = None
    replicas: int = 1
    augment: str = "none"
    record_every: int = 5
    evaluate_every: int | None = None
    precision: str = "auto"
    seed: int = 0

    def __post_init__(self):
        for name, choices in (
            ("optimizer", ("sgd", "rmsprop", "normalised")),
            ("schedule", ("constant", "paper", "one-cycle")),
            ("precision", ("auto", "float32", "bfloat16")),
        ):
            if getattr(self, name) not in choices:
                raise TrainError(
                    f"{name} is {getattr(self, name)!r}; choose one of {', '.join(choices)}."
                )
        for names, kind, word in ((WHOLE, Integral, "a whole number"), (REAL, Real, "a number")):
            for name in names:
                value, usual = getattr(self, name), getattr(type(self), name)
                if value is None and usual is None:
                    continue
                if isinstance(value, bool) or not isinstance(value, kind):
                    raise TrainError(f"{name} must be {word}, got {value!r}.")
        if not isinstance(self.augment, str):
            raise TrainError(f"augment is text, such as 'none' or 'flip'; got {self.augment!r}.")
        if not isinstance(self.nesterov, bool):
            raise TrainError(f"nesterov is True or False, got {self.nesterov!r}.")
        for name in WHOLE[2:]:
            value = getattr(self, name)
            if value is not None and value < 1:
                raise TrainError(f"{name} must be at least 1, got {value}.")
        for name in ("lr", "lr_decay", "weight_decay", "eps", "warmup_steps", "warmup_lr"):
            if not 0 <= (getattr(self, name) or 0) < math.inf:
                raise TrainError(
                    f"{name} must be a finite number of at least 0, got {getattr(self, name)}."
                )
        for name in ("momentum", "rms_decay", "average", "label_smoothing"):
            if not 0 <= getattr(self, name) <= 1:
                raise TrainError(f"{name} must lie between 0 and 1, got {getattr(self, name)}.")
        if self.clip is not None and not self.clip > 0:
            raise TrainError(f"clip must be above 0 (None: no clipping), got {self.clip}.")


def check_stop(stop: object) -> None:
    """Raise `TrainError` for what cannot be asked whether to stop."""
    if stop is not None and not hasattr(stop, "is_set"):
        raise TrainError(
            f"stop is a threading.Event, which another thread sets to end the work; got {stop!r}."
        )


def learning_rate(recipe: Recipe, step: int, decay_every: int | None = None) -> float:
    """The learning rate of a step, counted from 1. `decay_every` is used where the recipe has none
    of its own."""
    done = step - 1
    if done < recipe.warmup_steps:
        if recipe.warmup_lr is not None:
            return recipe.warmup_lr
        return recipe.lr * step / recipe.warmup_steps
    done -= recipe.warmup_steps
    if recipe.schedule == "paper":
        every = recipe.decay_every or decay_every or recipe.steps
        return recipe.lr * recipe.lr_decay ** (done // every)
    if recipe.schedule == "one-cycle":
        total = recipe.steps - recipe.warmup_steps
        # After a warm-up the rate is at its peak already.
        rise = 0 if recipe.warmup_steps else max(1, total // 4)
        if done < rise:
            return recipe.lr * (done + 1) / rise
        return recipe.lr * (total - done) / (total - rise)
    return recipe.lr
