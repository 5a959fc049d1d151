"""Training: one visible loop, what it records, and how it ends.

    history = train(model, data, Recipe(steps=200, lr=0.1))
    history.sentence                       "Finished 200 steps in 14 s: 81 % of 2,000 test images right."
    [r.loss for r in history.records]      one record every few steps
    history.records[-1].dead               {"stem": 0.0, "inception_resnet_c.1": 0.02, …}

`train` is the loop; `learning_rate` the schedules; `RMSPropTF` the paper's optimizer; `Probes` what is recorded.
"""
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields

import torch
import torch.nn.functional as F
from torch import nn


class TrainError(ValueError):
    """A recipe, network or data set that cannot be trained together. The message says what to do."""


# --- The recipe --------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Recipe:
    """How to train. Section 4 of the paper is `Recipe(optimizer="rmsprop", lr=0.045, schedule="paper")`.

    steps, batch_size   how many batches of how many images
    optimizer           "sgd", or "rmsprop": TensorFlow's, see `RMSPropTF`
    lr, momentum        of either; `nesterov` looks ahead (SGD only)
    weight_decay        pulls weights, but not biases and batch norms, to zero
    rms_decay, eps      of RMSProp
    schedule            "constant"; "paper": times `lr_decay` every `decay_every` steps (None: two epochs);
                        "one-cycle": up to `lr` in the first quarter, then down to zero, in straight lines
    warmup_steps        with `warmup_lr` the two-phase warm-up of Section 3.3: so many steps at that rate, then `lr`
                        at once; without it the rate grows in a straight line up to `lr`
    label_smoothing     share of the target that is spread evenly over all classes
    average             decay of the running average of the weights that is evaluated (0: none), such as 0.999
    clip                gradients longer than this are shortened to it, all together
    augment             as `data.batches` takes it: "none", "flip", "crop+flip", …
    record_every        steps from record to record;   evaluate_every: steps from test to test (None: at the end only)
    precision           "auto" (bfloat16 on CUDA from compute capability 8 on, else float32), "float32", "bfloat16"
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
    augment: str = "none"
    record_every: int = 5
    evaluate_every: int | None = None
    precision: str = "auto"
    seed: int = 0

    def __post_init__(self):
        for name, choices in (("optimizer", ("sgd", "rmsprop")), ("schedule", ("constant", "paper", "one-cycle")),
                              ("precision", ("auto", "float32", "bfloat16"))):
            if getattr(self, name) not in choices:
                raise TrainError(f"{name} is {getattr(self, name)!r}; choose one of {', '.join(choices)}.")
        for name in ("steps", "batch_size", "record_every", "decay_every", "evaluate_every"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise TrainError(f"{name} must be at least 1, got {value}.")
        for name, low, high in (("lr", 0, math.inf), ("momentum", 0, 1), ("rms_decay", 0, 1), ("average", 0, 1),
                                ("weight_decay", 0, math.inf), ("label_smoothing", 0, 1), ("warmup_steps", 0, math.inf)):
            if not low <= getattr(self, name) <= high:
                raise TrainError(f"{name} must lie between {low:g} and {high:g}, got {getattr(self, name)}.")
        if self.clip is not None and self.clip <= 0:
            raise TrainError(f"clip must be above 0 (None: no clipping), got {self.clip}.")


def learning_rate(recipe: Recipe, step: int, decay_every: int | None = None) -> float:
    """The learning rate of a step, counted from 1. `decay_every` is used where the recipe has none of its own."""
    done = step - 1
    if done < recipe.warmup_steps:
        return recipe.lr * step / recipe.warmup_steps if recipe.warmup_lr is None else recipe.warmup_lr
    done -= recipe.warmup_steps
    if recipe.schedule == "paper":
        return recipe.lr * recipe.lr_decay ** (done // (recipe.decay_every or decay_every or recipe.steps))
    if recipe.schedule == "one-cycle":
        total = recipe.steps - recipe.warmup_steps
        # After a warm-up the rate is at its peak already.
        rise = 0 if recipe.warmup_steps else max(1, total // 4)
        return recipe.lr * (done + 1) / rise if done < rise else recipe.lr * (total - done) / (total - rise)
    return recipe.lr


class RMSPropTF(torch.optim.Optimizer):
    """RMSProp as TensorFlow has it, with which the paper trained; all at once for each weight w with gradient g:

        s ← decay · s + (1 − decay) · g²           s starts at 1
        m ← momentum · m + lr · g / √(s + eps)     m starts at 0
        w ← w − m

    `torch.optim.RMSprop` differs in three places: s starts at 0, eps is added after the root, and lr is not inside m.
    With the paper's eps of 1.0 this matters: where gradients are far below 1 both are about SGD with rate lr, but
    torch's takes the step of rate lr/2 where |g| is 1 and TensorFlow's that of lr/√2.
    `weight_decay` adds weight_decay · w to the gradient.
    """

    def __init__(self, params, lr: float = 0.045, decay: float = 0.9, momentum: float = 0.9, eps: float = 1.0,
                 weight_decay: float = 0.0):
        super().__init__(params, dict(lr=lr, decay=decay, momentum=momentum, eps=eps, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure else None
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                gradient, state = weight.grad, self.state[weight]
                if not state:
                    state["square_avg"] = torch.ones_like(weight)
                    state["momentum_buffer"] = torch.zeros_like(weight)
                if group["weight_decay"]:
                    gradient = gradient + group["weight_decay"] * weight
                squares, momentum = state["square_avg"], state["momentum_buffer"]
                squares.mul_(group["decay"]).addcmul_(gradient, gradient, value=1 - group["decay"])
                momentum.mul_(group["momentum"]).addcdiv_(gradient, (squares + group["eps"]).sqrt_(), value=group["lr"])
                weight.sub_(momentum)
        return loss


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimizer. Weight decay acts on weights of convolutions and classifiers only."""
    weights = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    others = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [{"params": weights, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]]
    if not groups:
        raise TrainError("The network has no weights to train: all of them are frozen, or there are none.")
    if recipe.optimizer == "rmsprop":
        return RMSPropTF(groups, recipe.lr, recipe.rms_decay, recipe.momentum, recipe.eps)
    return torch.optim.SGD(groups, recipe.lr, recipe.momentum, nesterov=recipe.nesterov and recipe.momentum > 0,
                           foreach=True)


# --- What a run leaves behind --------------------------------------------------------------------------------------------

@dataclass
class Record:
    """One point of the curves. `loss` and `accuracy` are means over the training batches since the record before.

    spread   standard deviation of a block's output, by block
    dead     share of a block's output channels that are 0 at every pixel of every image of the batch
    ratio    root mean square of scale · body(x) over that of the shortcut, residual blocks only
    """

    step: int
    seconds: float
    loss: float
    accuracy: float
    grad_norm: float
    lr: float
    spread: dict[str, float] = field(default_factory=dict)
    dead: dict[str, float] = field(default_factory=dict)
    ratio: dict[str, float] = field(default_factory=dict)


@dataclass
class History:
    """A run: its records, how it ended ("finished", "stopped" or "diverged"), and that in a sentence.

    `test_accuracy` is None unless the run finished. `evaluations` holds (step, test accuracy) pairs, the last one
    included. `seconds` counts training alone, without tests.
    """

    recipe: Recipe = Recipe()
    records: list[Record] = field(default_factory=list)
    status: str = "running"
    sentence: str = ""
    test_accuracy: float | None = None
    evaluations: list[tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0
    device: str = "cpu"
    precision: str = "float32"

    def to_dict(self) -> dict:
        """Plain JSON types: the records as columns, numbers to six digits, None for what is not finite."""
        rows = [asdict(r) for r in self.records]
        columns = {}
        for key in (f.name for f in fields(Record)):
            values = [row[key] for row in rows]
            if values and isinstance(values[0], dict):
                names = dict.fromkeys(name for value in values for name in value)
                columns[key] = {name: [_short(value.get(name)) for value in values] for name in names}
            else:
                columns[key] = [_short(value) for value in values]
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return {**plain, "recipe": asdict(self.recipe), "records": columns, "seconds": _short(self.seconds),
                "evaluations": [list(pair) for pair in self.evaluations]}

    @classmethod
    def from_dict(cls, values: dict) -> History:
        """What `to_dict` wrote, also after a way through JSON."""
        columns, records = values["records"], []
        for i, step in enumerate(columns["step"]):
            row = {key: {n: _long(v[i]) for n, v in column.items()} if isinstance(column, dict)
                   else ({} if i >= len(column) else _long(column[i])) for key, column in columns.items()}
            records.append(Record(**{**row, "step": step}))
        known = {f.name for f in fields(Recipe)}
        recipe = Recipe(**{k: v for k, v in values["recipe"].items() if k in known})
        pairs = [tuple(pair) for pair in values["evaluations"]]
        return cls(**{**values, "recipe": recipe, "records": records, "evaluations": pairs})


def _short(value):
    if not isinstance(value, float):
        return value
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _long(value):
    return math.nan if value is None else value


# --- The loop ------------------------------------------------------------------------------------------------------------

def train(model: nn.Module, data, recipe: Recipe = Recipe(), *, on_record: Callable[[Record], None] | None = None,
          stop=None, device: str | torch.device | None = None) -> History:
    """Train `model` on `data.train` in place; the test accuracy is measured at the end.

    `on_record` is called with each `Record` as soon as there is one. `stop` is a `threading.Event`, read before each
    step. `device`: where to train; None is where the data is. The same seed gives the same curve on a CPU, whatever
    the caller draws before; torch's own random state is left as it was. With `recipe.average`, the model holds the
    averaged weights at the end. Raises `TrainError` where network and images do not fit; a loss that is no longer
    finite is no error but ends the run as "diverged".
    """
    place = torch.device(device) if device is not None else data.device
    model, data = model.to(place, memory_format=torch.channels_last), data.to(place)
    check(model, data)
    cast, precision = autocast(place, recipe.precision)
    optimizer, probes, average = make_optimizer(model, recipe), Probes(model), Average(model, recipe.average)
    history = History(recipe, device=str(place), precision=precision)
    clock, two_epochs = Clock(), 2 * max(1, len(data.train.labels) // recipe.batch_size)
    order = torch.Generator().manual_seed(recipe.seed)
    batches = data.batches(data.train, recipe.batch_size, order, recipe.augment, steps=recipe.steps)

    model.train()
    with random_numbers(model, place, recipe.seed):
        for step, (images, labels) in enumerate(batches, 1):
            if stop is not None and stop.is_set():
                history.status = "stopped"
                break
            record = step == 1 or step % recipe.record_every == 0 or step == recipe.steps
            lr = set_rate(optimizer, learning_rate(recipe, step, two_epochs))

            with cast(), probes.watch(record):
                output = model(images.contiguous(memory_format=torch.channels_last))
                loss = F.cross_entropy(output.float(), labels, label_smoothing=recipe.label_smoothing)
            optimizer.zero_grad()
            loss.backward()
            norm = gradient_norm(model, recipe.clip) if record or recipe.clip else None
            optimizer.step()
            average.update(model)

            probes.count(loss, output, labels)
            if record:
                history.records.append(probes.record(step, clock.seconds(), norm, lr))
                if not math.isfinite(history.records[-1].loss):
                    history.records.pop()
                    history.status = "diverged"
                    break
                if on_record:
                    on_record(history.records[-1])
            if recipe.evaluate_every and step % recipe.evaluate_every == 0 and step < recipe.steps:
                with clock.paused(), average.weights(model, data, recipe):
                    test(model, data, cast, history, step, stop)
    return finish(model, data, average, cast, history, clock, stop)


# --- What the loop is made of --------------------------------------------------------------------------------------------
