"""Training: one visible loop, what it records, and how it ends.

    history = train(model, data, Recipe(steps=200, lr=0.1))
    history.sentence                       "Finished 200 steps in 14 s: 81 % of 2,000 test images
                                           right."
    [r.loss for r in history.records]      one record every few steps
    history.records[-1].dead               {"stem": 0.0, "inception_resnet_c.1": 0.02, …}

`train` is the loop, `training` the same a step at a time; `learning_rate` the schedules;
`RMSPropTF` the paper's optimizer; `Probes` what is recorded.
"""

from __future__ import annotations

import ctypes
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, field, fields
from functools import cache, partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inception_edu.data import default_device, window
from inception_edu.describe.spec import SpecError
from inception_edu.learn.evaluate import centre_crop, error_rate, evaluating, fast_layout, logits
from inception_edu.nets.build import named_blocks


class TrainError(ValueError):
    """A recipe, network or data set that cannot be trained together. The message says what to
    do."""


# --- The recipe -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recipe:
    """How to train. Section 4 of the paper is
    `Recipe(optimizer="rmsprop", lr=0.045, schedule="paper")`.

    steps, batch_size   how many batches of how many images
    optimizer           "sgd", or "rmsprop": TensorFlow's, see `RMSPropTF`
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
    augment: str = "none"
    record_every: int = 5
    evaluate_every: int | None = None
    precision: str = "auto"
    seed: int = 0

    def __post_init__(self):
        for name, choices in (
            ("optimizer", ("sgd", "rmsprop")),
            ("schedule", ("constant", "paper", "one-cycle")),
            ("precision", ("auto", "float32", "bfloat16")),
        ):
            if getattr(self, name) not in choices:
                raise TrainError(
                    f"{name} is {getattr(self, name)!r}; choose one of {', '.join(choices)}."
                )
        for name in ("steps", "batch_size", "record_every", "decay_every", "evaluate_every"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise TrainError(f"{name} must be at least 1, got {value}.")
        for name in ("lr", "weight_decay", "eps", "warmup_steps", "warmup_lr"):
            if not 0 <= (getattr(self, name) or 0) < math.inf:
                raise TrainError(
                    f"{name} must be a finite number of at least 0, got {getattr(self, name)}."
                )
        for name in ("momentum", "rms_decay", "average", "label_smoothing"):
            if not 0 <= getattr(self, name) <= 1:
                raise TrainError(f"{name} must lie between 0 and 1, got {getattr(self, name)}.")
        if self.clip is not None and self.clip <= 0:
            raise TrainError(f"clip must be above 0 (None: no clipping), got {self.clip}.")


def learning_rate(recipe: Recipe, step: int, decay_every: int | None = None) -> float:
    """The learning rate of a step, counted from 1. `decay_every` is used where the recipe has none
    of its own."""
    done = step - 1
    if done < recipe.warmup_steps:
        return (
            recipe.lr * step / recipe.warmup_steps if recipe.warmup_lr is None else recipe.warmup_lr
        )
    done -= recipe.warmup_steps
    if recipe.schedule == "paper":
        return recipe.lr * recipe.lr_decay ** (
            done // (recipe.decay_every or decay_every or recipe.steps)
        )
    if recipe.schedule == "one-cycle":
        total = recipe.steps - recipe.warmup_steps
        # After a warm-up the rate is at its peak already.
        rise = 0 if recipe.warmup_steps else max(1, total // 4)
        return (
            recipe.lr * (done + 1) / rise
            if done < rise
            else recipe.lr * (total - done) / (total - rise)
        )
    return recipe.lr


class RMSPropTF(torch.optim.Optimizer):
    """RMSProp as TensorFlow has it, with which the paper trained; all at once for each weight w
    with gradient g:

        s ← decay · s + (1 − decay) · g²           s starts at 1
        m ← momentum · m + lr · g / √(s + eps)     m starts at 0
        w ← w − m

    `torch.optim.RMSprop` differs in three places: s starts at 0, eps is added after the root, and
    lr is not inside m. With the paper's eps of 1.0 this matters: where gradients are far below 1
    both are about SGD with rate lr, but torch's takes the step of rate lr/2 where |g| is 1 and
    TensorFlow's that of lr/√2. `weight_decay` adds weight_decay · w to the gradient.
    """

    def __init__(
        self,
        params,
        lr: float = 0.045,
        decay: float = 0.9,
        momentum: float = 0.9,
        eps: float = 1.0,
        weight_decay: float = 0.0,
    ):
        super().__init__(
            params, dict(lr=lr, decay=decay, momentum=momentum, eps=eps, weight_decay=weight_decay)
        )

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
                momentum.mul_(group["momentum"]).addcdiv_(
                    gradient, (squares + group["eps"]).sqrt_(), value=group["lr"]
                )
                weight.sub_(momentum)
        return loss


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimizer. Weight decay acts on weights of convolutions and classifiers only."""
    weights = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    others = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [
        {"params": weights, "weight_decay": recipe.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if not groups:
        raise TrainError(
            "The network has no weights to train: all of them are frozen, or there are none."
        )
    if recipe.optimizer == "rmsprop":
        return RMSPropTF(groups, recipe.lr, recipe.rms_decay, recipe.momentum, recipe.eps)
    fused = groups[0]["params"][0].device.type in (
        "cpu",
        "cuda",
    )  # one call for all weights, where there is one
    return torch.optim.SGD(
        groups,
        recipe.lr,
        recipe.momentum,
        nesterov=recipe.nesterov and recipe.momentum > 0,
        fused=fused,
    )


# --- What a run leaves behind ---------------------------------------------------------------------


@dataclass
class Record:
    """One point of the curves. `loss` and `accuracy` are means over the training batches since the
    record before.

    spread   standard deviation of a block's output, by block
    dead     share of a block's output channels that are 0 at every pixel of every image of the
             batch
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
    """A run: its records, how it ended ("finished", "stopped" or "diverged"), and that in a
    sentence.

    `test_accuracy` is None unless the run finished. `evaluations` holds (step, test accuracy)
    pairs, the last one included. `seconds` counts training alone, without tests.
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

    def __repr__(self):
        return f"<History: {self.sentence or self.status} {len(self.records)} records>"

    def to_dict(self) -> dict:
        """Plain JSON types: the records as columns, numbers to six digits, None for what is not
        finite."""
        rows = [asdict(r) for r in self.records]
        columns = {}
        for key in (f.name for f in fields(Record)):
            values = [row[key] for row in rows]
            if values and isinstance(values[0], dict):
                names = dict.fromkeys(name for value in values for name in value)
                columns[key] = {
                    name: [_short(value.get(name)) for value in values] for name in names
                }
            else:
                columns[key] = [_short(value) for value in values]
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            **plain,
            "recipe": asdict(self.recipe),
            "records": columns,
            "seconds": _short(self.seconds),
            "evaluations": [list(pair) for pair in self.evaluations],
        }

    @classmethod
    def from_dict(cls, values: dict) -> History:
        """What `to_dict` wrote, also after a way through JSON."""
        columns, records = values["records"], []
        for i, step in enumerate(columns["step"]):
            row = {
                key: {n: _long(v[i]) for n, v in column.items()}
                if isinstance(column, dict)
                else _long(column[i])
                for key, column in columns.items()
            }
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


# --- The loop -------------------------------------------------------------------------------------


def train(
    model: nn.Module,
    data,
    recipe: Recipe = Recipe(),
    *,
    on_record: Callable[[Record], None] | None = None,
    stop=None,
    device: str | torch.device | None = None,
) -> History:
    """Train `model` on `data.train` in place, then test it on `data.test`.

    `on_record` is called with each `Record` as soon as there is one. `stop` is a `threading.Event`,
    read before each step. `device`: where to train; None is where the data is. The same seed gives
    the same curve on a CPU, whatever the caller drew before; torch's own random state is left as it
    was. With `recipe.average`, a finished model holds the averaged weights. Raises `TrainError`
    where network and images do not fit; a loss that is no longer a finite number is no error, it
    ends the run as "diverged".
    """
    *_, history = training(model, data, recipe, on_record=on_record, stop=stop, device=device)
    return history


def training(
    model: nn.Module,
    data,
    recipe: Recipe = Recipe(),
    *,
    on_record: Callable[[Record], None] | None = None,
    stop=None,
    device: str | torch.device | None = None,
) -> Iterator[History]:
    """`train`, a step at a time: yields the history after each step, and once more when the run is
    over.

    Two of these, advanced in turn, race each other; the time between two steps does not count.
    (Networks with dropout would draw their random numbers from one another's generator: they had
    better not take turns.)
    """
    set_threads()
    keep_memory()
    place = torch.device(device) if device is not None else data.device
    model, data = model.to(place), data.to(place)
    check(model, data)
    cast, precision = autocast(place, recipe.precision)
    optimizer, probes, average = (
        make_optimizer(model, recipe),
        Probes(model),
        Average(model, recipe.average),
    )
    history, clock = History(recipe, device=str(place), precision=precision), Clock()
    two_epochs = 2 * max(1, len(data.train.labels) // recipe.batch_size)
    order = torch.Generator().manual_seed(recipe.seed)
    batches = data.batches(data.train, recipe.batch_size, order, recipe.augment, steps=recipe.steps)

    model.train()
    with dropout_seed(model, place, recipe.seed):
        for step, (images, labels) in enumerate(batches, 1):
            if stop is not None and stop.is_set():
                history.status = "stopped"
                break
            record = step == 1 or step % recipe.record_every == 0 or step == recipe.steps
            lr = set_rate(optimizer, learning_rate(recipe, step, two_epochs))

            with cast(), probes.watch(record):
                output = model(fast_layout(images))
                loss = F.cross_entropy(
                    output.float(), labels, label_smoothing=recipe.label_smoothing
                )
            optimizer.zero_grad()
            loss.backward()
            norm = gradient_norm(model, recipe.clip) if record or recipe.clip else None
            optimizer.step()
            average.update()

            probes.count(loss, output, labels)
            if record:
                point = probes.record(step, clock.seconds, norm, lr)
                if not math.isfinite(point.loss):
                    history.status = "diverged"
                    break
                history.records.append(point)
                if on_record:
                    on_record(point)
            if recipe.evaluate_every and step % recipe.evaluate_every == 0 and step < recipe.steps:
                with clock.paused(), cast(), average.weights(data):
                    examine(model, data, history, step, stop)
            with clock.paused():
                yield history

    yield finish(model, data, average, cast, history, clock, step, stop)


# --- What the loop is made of ---------------------------------------------------------------------


def check(model: nn.Module, data) -> None:
    """Raise `TrainError`, in a sentence, where the network cannot take the images or does not know
    their classes."""
    images = data.normalise(data.train.images[:2])
    size = "×".join(map(str, images.shape[1:]))
    try:
        with evaluating(model):
            output = model(fast_layout(images))
    except SpecError:
        raise  # a sentence already
    except Exception as error:
        raise TrainError(
            f"The network cannot take images of {size} (channels×height×width) of {data.name}. Build it "
            f"for their size, or load them in its size (load(..., image=...)). Torch says: {error}"
        ) from error
    if output.ndim != 2 or output.shape[1] < len(data.classes):
        shape = "×".join(["N", *map(str, output.shape[1:])])
        raise TrainError(
            f"The network's output is {shape}, but {data.name} has {len(data.classes)} classes: it should "
            f"be N×{len(data.classes)}. Build the network with classes={len(data.classes)}."
        )


def set_rate(optimizer: torch.optim.Optimizer, lr: float) -> float:
    for group in optimizer.param_groups:
        group["lr"] = lr
    return lr


def gradient_norm(model: nn.Module, clip: float | None = None) -> Tensor:
    """Length of all gradients taken as one vector, before they are shortened to `clip`."""
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in gradients]))
    if clip is not None:
        shorter = (clip / (norm + 1e-12)).clamp(
            max=1.0
        )  # stays on the device: no waiting for a GPU
        for gradient in gradients:
            gradient.mul_(shorter)
    return norm


class Probes:
    """What a record holds: loss and accuracy counted at every step, the blocks' activations at
    recorded steps.

    `watch(True)` hangs a hook on every block for one forward pass; at other steps no hook exists.
    Everything stays on the device until `record` fetches it in one go, so a GPU is waited for at
    recorded steps only.
    """

    def __init__(self, model: nn.Module):
        self.blocks = named_blocks(model)
        self.values: dict[tuple[str, str], Tensor] = {}
        self._start_counting()

    def _start_counting(self) -> None:
        self.loss, self.hits, self.steps, self.images = 0.0, 0, 0, 0

    def count(self, loss: Tensor, output: Tensor, labels: Tensor) -> None:
        self.loss = self.loss + loss.detach()
        self.hits = self.hits + (output.detach().argmax(1) == labels).sum()
        self.steps, self.images = self.steps + 1, self.images + len(labels)

    @contextmanager
    def watch(self, on: bool) -> Iterator[None]:
        hooks = []
        if on:
            for name, block in self.blocks:
                hooks.append(block.register_forward_hook(partial(self._output, name)))
                if all(hasattr(block, part) for part in ("body", "shortcut", "scale")):
                    hooks.append(
                        block.body.register_forward_hook(partial(self._residual, name, block))
                    )
                    hooks.append(
                        block.shortcut.register_forward_hook(partial(self._shortcut, name))
                    )
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    @torch.no_grad()
    def _output(self, name: str, module: nn.Module, inputs: tuple, output: Tensor) -> None:
        if output.ndim == 4:
            x = output.detach().float()
            # Sums are ten times faster here than std() and any().
            n, mean, length = x.numel(), x.mean(), torch.linalg.vector_norm(x)
            self.values["spread", name] = (
                ((length.square() - n * mean.square()) / max(1, n - 1)).clamp(min=0).sqrt()
            )
            self.values["dead", name] = (x.abs().sum((0, 2, 3)) == 0).float().mean()

    @torch.no_grad()
    def _residual(
        self, name: str, block: nn.Module, module: nn.Module, inputs: tuple, output: Tensor
    ) -> None:
        self.values["body", name] = torch.linalg.vector_norm(output.detach().float()) * abs(
            block.scale
        )

    @torch.no_grad()
    def _shortcut(self, name: str, module: nn.Module, inputs: tuple, output: Tensor) -> None:
        self.values["shortcut", name] = torch.linalg.vector_norm(output.detach().float())

    def record(self, step: int, seconds: float, norm: Tensor, lr: float) -> Record:
        """The record of the steps since the last one. The only place of the loop that waits for the
        device."""
        numbers = [self.loss / self.steps, self.hits / self.images, norm, *self.values.values()]
        loss, accuracy, norm, *rest = torch.stack([x.detach().float() for x in numbers]).tolist()
        found: dict[str, dict[str, float]] = {}
        for (kind, name), value in zip(self.values, rest):
            found.setdefault(kind, {})[name] = value
        body, shortcut = found.get("body", {}), found.get("shortcut", {})
        # Both have the same number of elements, so the ratio of their lengths is the ratio of their
        # rms.
        ratio = {
            name: body[name] / shortcut[name] if shortcut[name] else math.inf
            for name in body
            if name in shortcut
        }
        self.values = {}
        self._start_counting()
        return Record(
            step,
            seconds,
            loss,
            accuracy,
            norm,
            lr,
            found.get("spread", {}),
            found.get("dead", {}),
            ratio,
        )


class Average:
    """The running average of the weights that Section 4 evaluates. With decay 0 there is none, and
    nothing is done.

    As in TensorFlow, the decay is (1 + n) / (10 + n) after n steps until it has grown to `decay`,
    so that the first, random weights are soon forgotten. Batch norm's statistics belong to the
    weights that made the activations: for the averaged weights they are measured anew, on training
    images.
    """

    def __init__(self, model: nn.Module, decay: float):
        self.model, self.decay, self.steps = model, decay, 0
        self.now = [p for p in model.parameters() if p.requires_grad] if decay else []
        self.mean = [p.detach().clone() for p in self.now]

    @torch.no_grad()
    def update(self) -> None:
        self.steps += 1
        keep = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for mean, weight in zip(self.mean, self.now):
            mean.lerp_(weight, 1 - keep)

    @torch.no_grad()
    def put_in(self, data) -> None:
        """The averaged weights take their place in the model, for good."""
        for mean, weight in zip(self.mean, self.now):
            weight.copy_(mean)
        if self.now:
            measure_statistics(self.model, data)

    @contextmanager
    def weights(self, data) -> Iterator[None]:
        """The averaged weights are in the model, until the end of the block."""
        kept = (
            [(x, x.detach().clone()) for x in (*self.now, *self.model.buffers())]
            if self.now
            else []
        )
        self.put_in(data)
        try:
            yield
        finally:
            with torch.no_grad():
                for tensor, value in kept:
                    tensor.copy_(value)


def measure_statistics(model: nn.Module, data, images: int = 2000, batch_size: int = 100) -> None:
    """Set the means and variances of every batch norm to the averages over (up to) `images`
    training images."""
    norms = [
        m
        for m in model.modules()
        if isinstance(m, nn.modules.batchnorm._BatchNorm) and m.track_running_stats
    ]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    count = min(images, len(data.train.labels))
    # At random, always the same ones: every n-th image would be of one class in a split whose
    # classes take turns.
    chosen = torch.randperm(len(data.train.labels), generator=torch.Generator().manual_seed(0))[
        :count
    ]
    chosen = chosen.to(data.train.labels.device)
    with evaluating(model):
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # a plain average over the batches
            norm.train()
        for i in range(parts := max(1, count // batch_size)):
            model(fast_layout(data.normalise(data.train.images[chosen[i::parts]])))
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum


def examine(model: nn.Module, data, history: History, step: int, stop=None) -> float | None:
    """Accuracy on the test images, kept in the history; None where `stop` came in between."""
    windows = "window" in history.recipe.augment.split("+")
    rows = logits(
        model,
        data,
        crops=centre_crop(window(data.test.images.shape[-1])) if windows else None,
        stop=stop,
    )
    if len(rows) < len(data.test.labels):
        return None
    accuracy = 1 - error_rate(rows, data.test.labels)
    history.evaluations.append((step, accuracy))
    return accuracy


def finish(
    model: nn.Module,
    data,
    average: Average,
    cast,
    history: History,
    clock: Clock,
    step: int,
    stop=None,
) -> History:
    """Test a run that came to its end, and say in a sentence how it ended."""
    steps, records, history.seconds = history.recipe.steps, history.records, clock.seconds
    if history.status == "stopped":
        history.sentence = f"Stopped after {step - 1} of {steps} steps."
        return history
    if history.status == "diverged":
        before = f" (it was {records[-1].loss:.3g} at step {records[-1].step})" if records else ""
        history.sentence = (
            f"Diverged: by step {step} the loss was no longer a finite number{before}. Try a lower "
            "learning rate, a warm-up, gradient clipping, or a smaller residual scale."
        )
        return history
    with cast():
        average.put_in(data)
        history.test_accuracy = examine(model, data, history, step, stop)
    if history.test_accuracy is None:
        history.status, history.sentence = (
            "stopped",
            f"Stopped in the test after all {steps} steps.",
        )
    else:
        history.status = "finished"
        history.sentence = (
            f"Finished {steps} steps in {history.seconds:.3g} s: {100 * history.test_accuracy:.1f} % "
            f"of {len(data.test.labels):,} test images right."
        )
    return history


class Clock:
    """Seconds since it was made, without the pauses."""

    def __init__(self):
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._start

    @contextmanager
    def paused(self) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self._start += time.perf_counter() - start


# --- The machine ----------------------------------------------------------------------------------


def device() -> torch.device:
    """INCEPTION_EDU_DEVICE where it is set, else CUDA, else MPS (Apple), else the CPU."""
    return default_device()


@cache
def set_threads() -> int:
    """Let torch use INCEPTION_EDU_THREADS threads where that is set; otherwise no more than there
    are cores for.

    `train` calls this; it does something once in a process. A container may own a few of a
    machine's cores, which torch does not notice: threads that share a core wait for each other, and
    a step can take ten times as long.
    Returns the number of threads.
    """
    chosen = os.environ.get("INCEPTION_EDU_THREADS")
    torch.set_num_threads(int(chosen) if chosen else min(cores(), torch.get_num_threads()))
    return torch.get_num_threads()


@cache
def keep_memory() -> bool:
    """Let the process keep the memory that a training step frees, for the next step; whether it
    could be arranged.

    `train` calls this. Where torch computes on the CPU, glibc gives large freed blocks back to the
    system, which clears them before it hands them out again, at every step: a tenth to a fifth of a
    mini network's training time. Other systems are left as they are.
    """
    trim_threshold, mmap_threshold = -1, -3  # as <malloc.h> numbers them
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    # 32 MiB is the most that older releases take for the second.
    kept = any(mallopt(mmap_threshold, size) for size in (1 << 30, 1 << 25))
    return bool(kept and mallopt(trim_threshold, (1 << 31) - 1))


def cores(quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """CPU cores that this process may use: those it is bound to, or the share that its container
    has of them."""
    bound = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    with suppress(OSError, ValueError):
        used, period = map(int, quota.read_text().split())  # "max 100000" where there is no limit
        bound = min(bound, max(1, round(used / period)))
    return bound


def autocast(place: torch.device, precision: str = "auto") -> tuple[Callable, str]:
    """A function that makes the context in which to compute, and the precision's name.

    "auto" is bfloat16 where the device multiplies matrices in it: CUDA from compute capability 8 on
    (a T4 has 7.5) and CPUs with AMX (measured there: steps of the small networks take 0.7 to 0.9 of
    the time). Float32 elsewhere: emulated bfloat16 takes several times as long.
    """
    if precision == "auto":
        fast = (
            torch.cuda.get_device_capability(place)[0] >= 8
            if place.type == "cuda"
            else place.type == "cpu" and getattr(torch.cpu, "_is_amx_tile_supported", bool)()
        )
        precision = "bfloat16" if fast else "float32"
    if precision == "bfloat16":
        return partial(torch.autocast, place.type, dtype=torch.bfloat16), precision
    return nullcontext, precision


@contextmanager
def dropout_seed(model: nn.Module, place: torch.device, seed: int) -> Iterator[None]:
    """Dropout draws from torch's global generator: seed it, and put its state back at the end.

    Left alone where the network has no dropout, so that a run in the background disturbs nobody's
    random numbers.
    """
    drops = any(isinstance(m, nn.modules.dropout._DropoutNd) and m.p > 0 for m in model.modules())
    with torch.random.fork_rng(devices=[place] if place.type == "cuda" else [], enabled=drops):
        if drops:
            torch.manual_seed(seed)
        yield
