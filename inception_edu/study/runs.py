"""One training run of an experiment: its configuration, the changes it may make to a network, what
it measures.

    config = Config("scale 0.1", "tower", dict(width=576, scale=0.1), Recipe(steps=100))
    result = run(config)

A configuration is frozen and everything that a run computes follows from it, so its digest can name
its result file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
import platform
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

import inception_edu
from inception_edu.data import Data, Split, default_device, evenly, load, window
from inception_edu.describe import networks
from inception_edu.describe.measure import measure
from inception_edu.learn.evaluate import centre_crop, logits, many_crops, twelve_crops
from inception_edu.learn.train import Recipe, train
from inception_edu.nets.build import ScaledResidual, build, named_blocks

PHOTOGRAPHS = "photographs"  # the colour photographs, wherever this machine keeps them


class ExperimentError(RuntimeError):
    """A configuration or a sweep that cannot go on. The message says what is wrong and what to
    do."""


# --- Configurations -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Config:
    """One training run. `label` names the cell of the experiment; runs of a cell differ in their
    seed alone.

    network      "tower", or a key of `networks.NETWORKS` for `mini` of it
    arguments    what that function is called with (a dict is turned into sorted pairs)
    recipe       how to train; its seed is replaced by `seed`, which also draws the initial weights
    data         "photographs", or a source of `data.load`
    change       a key of `CHANGES`: what is altered in the built network before training
    test_images  how many test images the accuracy is measured on, evenly over the classes (0: none)
    after        a key of `AFTER`: what else is computed with the trained network
    """

    label: str
    network: str
    arguments: tuple = ()
    recipe: Recipe = Recipe()
    seed: int = 0
    data: str = PHOTOGRAPHS
    change: str = ""
    init: str = "truncated"
    test_images: int = 1000
    after: str = ""

    def __post_init__(self):
        pairs = self.arguments.items() if isinstance(self.arguments, dict) else self.arguments
        plain = tuple(sorted((k, tuple(v) if isinstance(v, list) else v) for k, v in pairs))
        object.__setattr__(self, "arguments", plain)
        object.__setattr__(self, "recipe", replace(self.recipe, seed=self.seed))
        if self.network != "tower" and self.network not in networks.NETWORKS:
            raise ExperimentError(
                f"There is no network {self.network!r}; choose tower or one of "
                f"{', '.join(networks.NETWORKS)}."
            )
        if self.change and self.change not in CHANGES:
            raise ExperimentError(
                f"There is no change {self.change!r}; choose one of {', '.join(CHANGES)}."
            )
        if self.after and self.after not in AFTER:
            raise ExperimentError(
                f"There is nothing called {self.after!r} to do after; choose one of "
                f"{', '.join(AFTER)}."
            )

    def to_dict(self) -> dict:
        """Plain JSON types, every field of the recipe included."""
        return {**asdict(self), "arguments": dict(self.arguments), "recipe": asdict(self.recipe)}

    @classmethod
    def from_dict(cls, values: dict) -> Config:
        known = {f.name for f in fields(Recipe)}
        return cls(
            **{
                **values,
                "recipe": Recipe(**{k: v for k, v in values["recipe"].items() if k in known}),
            }
        )

    def description(self) -> networks.Network:
        """The network as data, before `change`."""
        arguments = dict(self.arguments)
        if self.network == "tower":
            return networks.tower(**arguments)
        return networks.mini(networks.network(self.network), **arguments)

    def model(self) -> nn.Module:
        """The network, initialised from `seed`, with `change` made."""
        model = build(self.description(), init=self.init, seed=self.seed)
        if self.change:
            CHANGES[self.change](model)
        return model


def digest(config: Config) -> str:
    """Twelve characters that name what `config` computes: the same in every process, on every
    Python.

    The label is left out, so one run can belong to several experiments. So are the recipe's fields
    that have their default value: a recipe that learns something new keeps its old results.
    """
    values = config.to_dict()
    del values["label"]
    plain = asdict(Recipe())
    values["recipe"] = {k: v for k, v in values["recipe"].items() if v != plain[k]}
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def seeds(config: Config, count: int = 5, first: int = 0) -> list[Config]:
    """The same configuration with seeds first, first + 1, …"""
    return [replace(config, seed=s) for s in range(first, first + count)]


# --- Changes made to a built network --------------------------------------------------------------


def residual_blocks(model: nn.Module) -> list[tuple[str, ScaledResidual]]:
    """The residual blocks of a built network, in order, with their names."""
    return [
        (name, block) for name, block in named_blocks(model) if isinstance(block, ScaledResidual)
    ]


def last_linear(block: ScaledResidual) -> nn.Conv2d:
    """The convolution that ends a residual branch: the figures' "1×1 Linear"."""
    return [m for m in block.body.modules() if isinstance(m, nn.Conv2d)][-1]


class NormedSum(ScaledResidual):
    """N×C×H×W → N×C×H×W: relu(batch norm(x + scale · body(x))), the other reading of "an extra
    batch-normalization to this layer" (Section 3.3)."""

    def __init__(self, block: ScaledResidual):
        super().__init__(block.body, block.scale)
        self.norm = nn.BatchNorm2d(last_linear(block).out_channels, eps=1e-3)

    def forward(self, x):
        return self.relu(self.norm(x + self.scale * self.body(x)))


class ScaledIdentity(ScaledResidual):
    """N×C×H×W → N×C×H×W: relu(scale · x + body(x)), the wrong way round: what Fig. 20 does not
    say."""

    def forward(self, x):
        return self.relu(self.scale * x + self.body(x))


class CentredConv(nn.Conv2d):
    """A convolution each of whose filters has its mean weight taken away, without bias: it cannot
    push its output up or down as a whole when all its inputs rise together."""

    def forward(self, x):
        return self._conv_forward(x, self.weight - self.weight.mean((1, 2, 3), keepdim=True), None)


def _swap(model: nn.Module, old: nn.Module, new: nn.Module) -> None:
    for parent in model.modules():
        for name, child in parent.named_children():
            if child is old:
                setattr(parent, name, new)


def _norm_in_branches(model: nn.Module, blocks: list[ScaledResidual]) -> None:
    for block in blocks:
        norm = nn.BatchNorm2d(last_linear(block).out_channels, eps=1e-3)
        block.body = nn.Sequential(*block.body, norm)


def _norm_after_sum(model: nn.Module, blocks: list[ScaledResidual]) -> None:
    for block in blocks:
        _swap(model, block, NormedSum(block))


def _blocks(model: nn.Module) -> list[ScaledResidual]:
    return [block for _, block in residual_blocks(model)]


def _learnable_scale(model: nn.Module) -> None:
    for block in _blocks(model):
        start = block.scale
        del block.scale
        block.scale = nn.Parameter(torch.tensor(float(start)))


def _scaled_identity(model: nn.Module) -> None:
    for block in _blocks(model):
        _swap(model, block, ScaledIdentity(block.body, block.scale))


def _zero_last_layer(model: nn.Module) -> None:
    for block in _blocks(model):
        nn.init.zeros_(last_linear(block).weight)


class SlowLinear(nn.Linear):
    """A classifier that starts as it would and learns at a tenth of the rate: z = W (a / √10) with
    W √10 times larger.

    Under SGD its weights' effect moves exactly 10 times slower; under RMSProp with ε = 1 almost
    exactly.
    """

    FACTOR = 10**-0.5

    def forward(self, x):
        return super().forward(x * self.FACTOR)


def _slow_classifier(model: nn.Module) -> None:
    old = model.classifier
    new = SlowLinear(old.in_features, old.out_features)
    with torch.no_grad():
        new.weight.copy_(old.weight / SlowLinear.FACTOR)
        new.bias.copy_(old.bias)
    model.classifier = new


def _slow_last_layers(model: nn.Module) -> None:
    for block in _blocks(model):
        block.scale = 0.1 * block.scale
        with torch.no_grad():
            last_linear(block).weight *= 10


def _small_last_layers(model: nn.Module) -> None:
    for block in _blocks(model):
        with torch.no_grad():
            last_linear(block).weight *= 0.1


def _zero_classifier(model: nn.Module) -> None:
    nn.init.zeros_(model.classifier.weight)


def _no_bias(model: nn.Module) -> None:
    for block in _blocks(model):
        last_linear(block).register_parameter("bias", None)


def _centred(model: nn.Module) -> None:
    for block in _blocks(model):
        conv = last_linear(block)
        new = CentredConv(conv.in_channels, conv.out_channels, 1, bias=False)
        with torch.no_grad():
            new.weight.copy_(conv.weight)
        _swap(block, conv, new)


CHANGES: dict[str, Callable[[nn.Module], None]] = {
    "norm in last branch": lambda model: _norm_in_branches(model, _blocks(model)[-1:]),
    "norm in every branch": lambda model: _norm_in_branches(model, _blocks(model)),
    "norm after last sum": lambda model: _norm_after_sum(model, _blocks(model)[-1:]),
    "norm after every sum": lambda model: _norm_after_sum(model, _blocks(model)),
    "learnable scale": _learnable_scale,
    "scaled identity": _scaled_identity,
    "zero last layer": _zero_last_layer,
    "zero classifier": _zero_classifier,
    "slow classifier": _slow_classifier,
    "slow last layers": _slow_last_layers,
    "small last layers": _small_last_layers,
    "no bias": _no_bias,
    "centred last layers": _centred,
}


# --- What else is computed with a trained network -------------------------------------------------

CROPS = {"1 crop": centre_crop, "12 crops": twelve_crops, "144 crops": many_crops}


def _crops(model: nn.Module, data: Data, count: int = 2000) -> dict:
    """What the network says of `count` test images, by kind of crop: windows such as it was trained
    on, 28×28 of 32×32.

    Kept as float16 (logits, and for several crops the logarithm of the mean probability), with the
    seconds it took.
    """
    some = _some(data.test, count)
    found = {"labels": _packed(some.labels.to(torch.uint8)), "images": len(some)}
    for name, crops in CROPS.items():
        start = time.perf_counter()
        rows = logits(model, data, some, crops(window(some.images.shape[-1])))
        found[name] = {
            "rows": _packed(rows.clamp(min=-30).half()),
            "seconds": time.perf_counter() - start,
        }
    return found


def _packed(tensor: torch.Tensor) -> str:
    return base64.b64encode(tensor.cpu().contiguous().numpy().tobytes()).decode()


def crop_logits(result: Result) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The labels (N) of the test images and, by kind of crop, what a run's network said of them
    (N×classes).

    Raises ExperimentError for a run whose configuration did not ask for it (`after="crops"`).
    """
    if "labels" not in result.extras:
        why = (
            "it diverged."
            if result.status == "diverged"
            else 'its configuration needs after="crops".'
        )
        raise ExperimentError(f"The run {result.label!r} kept no answers to crops: {why}")

    def unpacked(text: str, kind: torch.dtype) -> torch.Tensor:
        return torch.frombuffer(bytearray(base64.b64decode(text)), dtype=kind)

    labels = unpacked(result.extras["labels"], torch.uint8).long()
    return labels, {
        name: unpacked(result.extras[name]["rows"], torch.float16).float().view(len(labels), -1)
        for name in CROPS
    }


AFTER: dict[str, Callable[[nn.Module, Data], dict]] = {"crops": _crops}


# --- One run --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """What one run showed. `Result.from_dict(json)` reads what `to_dict` wrote.

    dead       share of channels that are 0 at every position of 64 training images at the end, by
               block
    curves     by name, one number a recorded step: step, loss, accuracy, grad_norm, lr; for the
               last residual block bias, weight, momentum (means of its last layer's parameters and
               of the optimizer's buffer for its weights), branch, identity (means of what it adds
               and of what it adds to); for the vector a that enters the classifier length (mean of
               |a|²) and push (mean of a · ∂loss/∂a); logits (standard deviation), entropy (of the probabilities, in nats)
    maps       by name (spread, dead, ratio, branch, gradient: the length of a block's gradient), by
               block, one number a recorded step
    data       the exact name of the images, with their counts
    extras     evaluations, pairs of (step, test accuracy), where the recipe asks for them; what
               `config.after` gave
    """

    config: Config
    status: str
    sentence: str
    test_accuracy: float | None
    dead: dict[str, float]
    curves: dict[str, list]
    maps: dict[str, dict[str, list]]
    seconds: float
    params: int
    macs: int
    data: dict
    device: str
    threads: int
    precision: str
    versions: dict[str, str]
    extras: dict = field(default_factory=dict)

    @property
    def label(self) -> str:
        return self.config.label

    @property
    def seed(self) -> int:
        return self.config.seed

    @property
    def digest(self) -> str:
        return digest(self.config)

    @property
    def dead_last(self) -> float:
        """Share of dead channels in the last block, the layer before the average pooling. 1 after a
        divergence."""
        return list(self.dead.values())[-1] if self.dead else 1.0

    @property
    def dead_most(self) -> float:
        """Share of dead channels in the block that has most of them."""
        return max(self.dead.values(), default=1.0)

    @property
    def final_loss(self) -> float:
        """Mean of the last fifth of the recorded losses; infinite after a divergence."""
        losses = [x for x in self.curves["loss"] if x is not None]
        tail = losses[-max(1, len(losses) // 5) :]
        return sum(tail) / len(tail) if self.status != "diverged" and tail else math.inf

    @property
    def accuracy(self) -> float:
        """Accuracy on the test images; the chance level after a divergence."""
        return 0.1 if self.test_accuracy is None else self.test_accuracy

    def to_dict(self) -> dict:
        return {
            "digest": self.digest,
            **{f.name: getattr(self, f.name) for f in fields(self)},
            "config": self.config.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: dict) -> Result:
        values = {k: v for k, v in values.items() if k != "digest"}
        return cls(**{**values, "config": Config.from_dict(values["config"])})


def photographs() -> str:
    """The source behind "photographs": INCEPTION_EDU_PHOTOGRAPHS (for example folder:PATH), else
    cifar10."""
    return os.environ.get("INCEPTION_EDU_PHOTOGRAPHS", "cifar10")


@lru_cache(maxsize=2)
def _data(source: str) -> Data:
    return load(source)


@lru_cache(maxsize=4)
def _with_test(source: str, count: int) -> Data:
    data = _data(source)
    return replace(data, test=_some(data.test, count))


def open_data(
    name: str = PHOTOGRAPHS, source: str | None = None, test_images: int | None = None
) -> Data:
    """The images of a configuration, read once a process; `test_images`: only so many, as many of
    each class.

    `source` says where the photographs are.
    """
    where = (source or photographs()) if name == PHOTOGRAPHS else name
    return _data(where) if test_images is None else _with_test(where, test_images)


CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def exact_name(data: Data, source: str) -> str:
    """How results name their images. The JPEG copy of CIFAR-10 is told by its classes and
    counts."""
    if source.startswith("folder:") and tuple(data.classes) == CIFAR10:
        if (len(data.train), len(data.test)) == (50_000, 10_000):
            return "CIFAR-10 (JPEG copy)"
    return data.name


def _some(split: Split, count: int) -> Split:
    """`count` images, as many of each class: the same ones every time."""
    return (
        split
        if count >= len(split)
        else split[torch.from_numpy(evenly(split.labels.cpu().numpy(), count))]
    )


class _Watch:
    """Keeps what the residual blocks saw last, so that a record can be completed with their inner
    quantities."""

    def __init__(self, model: nn.Module):
        self.blocks, self.named = residual_blocks(model), named_blocks(model)
        self.seen: dict[str, tuple] = {}
        self.optimizer, self.precision = None, "float32"
        self.rows: list[dict] = []
        self.branch: dict[str, list] = {name: [] for name, _ in self.blocks}
        self.gradient: dict[str, list] = {name: [] for name, _ in self.named}
        self.hooks = [model.classifier.register_forward_hook(self._classifier)]
        self.hooks += [
            block.body.register_forward_hook(self._keep(name)) for name, block in self.blocks
        ]
        self.hooks.append(register_optimizer_step_post_hook(self._optimizer))

    def _keep(self, name):
        def hook(module, inputs, output):
            self.seen[name] = (inputs[0].detach(), output.detach())

        return hook

    def _classifier(self, module, inputs, output):
        if inputs[0].requires_grad:
            inputs[0].retain_grad()
        self.seen["classifier"] = (inputs[0], output.detach())

    def _optimizer(self, optimizer, *_):
        self.optimizer = optimizer

    @torch.no_grad()
    def record(self, record) -> None:
        features, logits = self.seen["classifier"]
        log = logits.float().log_softmax(1)
        self.precision = str(logits.dtype).removeprefix("torch.")
        slope = 0.0 if features.grad is None else (features * features.grad).sum().item()
        row = {
            "push": slope,
            "length": features.float().square().sum(1).mean().item(),
            "logits": logits.std().item(),
            "entropy": -(log.exp() * log).sum(1).mean().item(),
        }
        for name, block in self.blocks:
            identity, branch = self.seen[name]
            row |= {
                "branch": float(block.scale) * branch.mean().item(),
                "identity": identity.mean().item(),
            }
            self.branch[name].append(row["branch"])
        for name, block in self.named:
            lengths = [
                torch.linalg.vector_norm(p.grad) for p in block.parameters() if p.grad is not None
            ]
            self.gradient[name].append(torch.stack(lengths).norm().item() if lengths else 0.0)
        if self.blocks:
            conv = last_linear(self.blocks[-1][1])
            state = self.optimizer.state.get(conv.weight, {}) if self.optimizer else {}
            momentum = state.get("momentum_buffer")
            row |= {
                "weight": conv.weight.mean().item(),
                "bias": 0.0 if conv.bias is None else conv.bias.mean().item(),
                "momentum": 0.0 if momentum is None else momentum.mean().item(),
            }
        self.rows.append(row)

    def close(self) -> None:
        for hook in self.hooks:
            hook.remove()


@torch.no_grad()
def dead_channels(model: nn.Module, data: Data, images: int = 64) -> dict[str, float]:
    """Share of channels that are 0 at every position of `images` training images, by block.

    Measured as in training, with the batch's own statistics; the running ones are put back
    afterwards.
    """
    state = {k: v.clone() for k, v in model.state_dict().items()}
    shares: dict[str, float] = {}

    def hook(name):
        return lambda module, inputs, output: shares.update(
            {name: (output.amax((0, 2, 3)) <= 0).float().mean().item()}
        )

    hooks = [block.register_forward_hook(hook(name)) for name, block in named_blocks(model)]
    training = model.training
    model.train()
    model(data.normalise(_some(data.train, images).images))
    model.train(training)
    for h in hooks:
        h.remove()
    model.load_state_dict(state)
    return shares


def versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "torch": torch.__version__.split("+")[0],
        "inception_edu": inception_edu.__version__,
    }


def run(
    config: Config,
    *,
    source: str | None = None,
    on_record=None,
    stop: threading.Event | None = None,
) -> Result:
    """Train once and measure. `source` says where the photographs are, else `photographs()` does.

    `on_record` and `stop` are handed to `train`. A run that diverges returns a result like any
    other. On a CPU, the recipe's precision "auto" is float32 here.
    """
    images, data = (
        open_data(config.data, source),
        open_data(config.data, source, config.test_images or 1),
    )
    model = config.model().to(default_device())
    watch = _Watch(model)
    recipe = config.recipe
    if recipe.precision == "auto" and images.device.type == "cpu":
        recipe = replace(recipe, precision="float32")  # so that a run means the same on every CPU

    def record(entry):
        watch.record(entry)
        if on_record:
            on_record(entry)

    try:
        history = train(model, data, recipe, on_record=record, stop=stop)
    finally:
        watch.close()
    names = [name for name, _ in named_blocks(model)]
    curves = {
        k: [getattr(r, k) for r in history.records]
        for k in ("step", "loss", "accuracy", "grad_norm", "lr")
    }
    for key in watch.rows[0] if watch.rows else {}:
        curves[key] = [row[key] for row in watch.rows]
    maps = {
        k: {
            n: [getattr(r, k)[n] for r in history.records]
            for n in names
            if history.records and n in getattr(history.records[0], k)
        }
        for k in ("spread", "dead", "ratio")
    }
    maps |= {"branch": watch.branch, "gradient": watch.gradient}
    whole = history.status != "diverged"
    size = measure(config.description())
    return Result(
        config=config,
        status=history.status,
        sentence=history.sentence,
        test_accuracy=history.test_accuracy if whole and config.test_images else None,
        dead=dead_channels(model, data) if whole else {},
        curves=curves,
        maps=maps,
        seconds=history.seconds,
        params=sum(p.numel() for p in model.parameters()),
        macs=size.macs,
        data={
            "name": exact_name(images, source or photographs())
            if config.data == PHOTOGRAPHS
            else images.name,
            "train": len(images.train),
            "test": len(data.test) if config.test_images else 0,
        },
        device=str(default_device()),
        threads=torch.get_num_threads(),
        precision=watch.precision,
        versions=versions(),
        extras={
            **({"evaluations": history.evaluations} if history.evaluations else {}),
            **(AFTER[config.after](model, images) if config.after and whole else {}),
        },
    )
