"""What a module really computes, as steps: it is run once, and every operation on a tensor is
recorded.

However a module is written (`nn.Sequential`, attributes, `torch.nn.functional`, a loop), what it
does to its input is the same handful of operations; watching them needs no look at the source.
Where an operation cannot work, the fault is noted and a map of zeros goes on in its place, so that
one run finds every fault.

Why not torch.fx: its symbolic tracing runs a forward without values, so it refuses forwards that
look at them (`if x.mean() > …`, `assert x.shape[1] == 48`, `n, c, h, w = x.shape`), and running its
graph stops at the first operation that cannot work. Of 200 damaged answers (tests/checks_hit_rate)
it could not trace 15 and stopped early in 139; watching named the fault in all 200.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from inception_edu.teach.arguments import getter, lower, scalar, two
from inception_edu.teach.diagnose import Join, Sequence, Step, size_words, tidy
from inception_edu.teach.traces import Made, fuse, trace

RELUS = {"relu", "relu_"}
ADDS = {
    "add": 1,
    "add_": 1,
    "__add__": 1,
    "__radd__": 1,
    "__iadd__": 1,
    "sub": -1,
    "sub_": -1,
    "__sub__": -1,
    "__isub__": -1,
    "__rsub__": -1,
    "rsub": -1,
}
TIMES = {
    "mul",
    "mul_",
    "__mul__",
    "__rmul__",
    "__imul__",
    "multiply",
    "div",
    "div_",
    "__truediv__",
    "__itruediv__",
    "true_divide",
}
CATS = {"cat", "concat", "concatenate"}
SILENT = {"contiguous", "to", "float", "type", "clone", "detach", "alias"}


@dataclass
class Watched:
    """What was seen. `output` is what the module returned, `faults` are sentences, `error` what
    stopped it."""

    steps: Sequence | None
    output: object = None
    faults: list[str] = field(default_factory=list)
    error: Exception | None = None
    used: list[nn.Module] = field(default_factory=list)  # layers with weights, in the order of use
    order: list[tuple[Step, nn.Module | None]] = field(default_factory=list)


def watch(module: nn.Module, x: Tensor) -> Watched:
    """Run `module` on `x` (evaluation mode, no gradients) and say what it did."""
    mode = _Mode(module, x)
    was = module.training
    module.eval()
    output, error = None, None
    try:
        with torch.no_grad(), mode:
            output = module(x)
    except Exception as caught:  # whatever a student's forward raises becomes a sentence later
        error = caught
    finally:
        module.train(was)
    made = mode.made.get(id(output)) if isinstance(output, Tensor) else None
    steps = None
    if made is not None:
        steps = tidy(fuse(trace(made[1], mode.start)))
    return Watched(steps, output, mode.faults, error, mode.used, mode.order)


class _Mode(TorchFunctionMode):
    def __init__(self, module, x):
        super().__init__()
        self.start = Made(None, [], tuple(x.shape))
        self.made = {
            id(x): (x, self.start)
        }  # the tensor is kept, so that its id is not given to another
        self.names, self.layers = {}, {}
        for name, child in module.named_modules():
            for parameter in child.parameters(recurse=False):
                self.names[id(parameter)], self.layers[id(parameter)] = name, child
        self.faults: list[str] = []
        self.used, self.order = [], []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = getattr(function, "__name__", str(function))
        known = self._known(args) + self._known(kwargs.values())
        if not known or name in ("__get__", "__set__", "size", "dim", "numel", "__len__"):
            return function(*args, **kwargs)
        try:
            result = function(*args, **kwargs)
        except Exception as error:
            result = self._go_on(name, args, kwargs, error)
        several = result if isinstance(result, (tuple, list)) else (result,)
        tensors = [t for t in several if isinstance(t, Tensor)]
        if name in SILENT and tensors:
            self._keep(tensors[0], known[0])
            return result
        for tensor in tensors:
            self._keep(tensor, self._note(name, args, kwargs, known, tensor))
        return result

    def _keep(self, tensor, made):
        self.made[id(tensor)] = (tensor, made)

    def _known(self, values) -> list[Made]:
        found = []
        for value in values:
            if isinstance(value, Tensor):
                found += [self.made[id(value)][1]] if id(value) in self.made else []
            elif isinstance(value, (list, tuple)):
                found += self._known(value)
        return found

    def _note(self, name, args, kwargs, known, result) -> Made:
        step = self._step(name, args, kwargs, known)
        shape = tuple(result.shape)
        if step is None:  # adding a number that changes nothing, …
            return known[0]
        if name == "sub" or name in ("sub_", "__sub__", "__isub__", "__rsub__", "rsub"):
            minus = 1 if name not in ("__rsub__", "rsub") else 0
            if len(known) == 2:
                known = list(known)
                known[minus] = Made(Step("times", factor=-1.0), [known[minus]], known[minus].shape)
        alpha = kwargs.get("alpha", 1)
        if isinstance(step, Join) and alpha != 1 and len(known) == 2:
            known = [
                known[0],
                Made(Step("times", factor=float(alpha)), [known[1]], known[1].shape),
            ]
        return Made(step, known, shape)

    def _step(self, name, args, kwargs, known):
        if name == "conv2d":
            return self._conv(args, kwargs)
        if name == "batch_norm":
            weight = kwargs.get("weight", args[3] if len(args) > 3 else None)
            self._use(weight)
            return Step("norm", eps=kwargs.get("eps", 1e-5), name=self.names.get(id(weight), ""))
        if name in RELUS or (name in ("clamp", "clamp_min", "clip") and lower(args, kwargs) == 0):
            return Step("relu")
        if name in ("max_pool2d", "_max_pool2d"):
            get = getter(
                args, kwargs, ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
            )
            kernel = two(get(1, "kernel_size"))
            return Step(
                "max",
                0,
                kernel,
                two(get(2, "stride") or kernel),
                two(get(3, "padding", 0)),
                dilation=two(get(4, "dilation", 1)),
                ceil=bool(get(5, "ceil_mode", False)),
            )
        if name == "avg_pool2d":
            get = getter(args, kwargs, ())
            kernel, padding = two(get(1, "kernel_size")), two(get(3, "padding", 0))
            count = bool(get(5, "count_include_pad", True)) and any(padding)
            return Step(
                "avg",
                0,
                kernel,
                two(get(2, "stride") or kernel),
                padding,
                count=count,
                ceil=bool(get(4, "ceil_mode", False)),
            )
        if name in CATS:
            dim = kwargs.get("dim", kwargs.get("axis", args[1] if len(args) > 1 else 0))
            return Join("cat", (), dim % max(1, len(known[0].shape)))
        if name in ADDS:
            if len(known) >= 2:
                return Join("add", ())
            other = [a for a in args if not (isinstance(a, Tensor) and id(a) in self.made)]
            return None if other and scalar(other[0]) == 0 else Step("plus a constant")
        if name in TIMES:
            if len(known) >= 2:
                return Join("product", ())
            other = [a for a in args if not (isinstance(a, Tensor) and id(a) in self.made)]
            factor = scalar(other[0]) if other else None
            if factor is None:
                return Step("multiplication by a tensor")
            return Step("times", factor=1 / factor if "div" in name and factor else factor)
        if name in ("neg", "__neg__"):
            return Step("times", factor=-1.0)
        if name == "dropout":
            return None
        if name == "pad":
            return Step("padding of its own")
        return Step(name.strip("_"))

    def _conv(self, args, kwargs):
        get = getter(args, kwargs, ())
        weight, bias = get(1, "weight"), get(2, "bias")
        kernel = tuple(weight.shape[2:])
        dilation = two(get(5, "dilation", 1))
        padding = get(4, "padding", 0)
        if isinstance(padding, str):
            same = tuple(d * (k - 1) // 2 for k, d in zip(kernel, dilation))
            padding = same if padding == "same" else (0, 0)
        step = Step(
            "conv",
            weight.shape[0],
            kernel,
            two(get(3, "stride", 1)),
            two(padding),
            bias=bias is not None,
            groups=int(get(6, "groups", 1)),
            dilation=dilation,
            name=self.names.get(id(weight), ""),
        )

        self._use(weight)
        self.order.append((step, self.layers.get(id(weight))))
        return step

    def _use(self, weight):
        if id(weight) in self.layers:
            self.used.append(self.layers[id(weight)])

    def _go_on(self, name, args, kwargs, error):
        """Note why an operation failed and return zeros of the shape it would have had."""
        get = getter(args, kwargs, ())
        if name == "conv2d":
            x, weight = get(0, "input"), get(1, "weight")
            channels, wanted = x.shape[1], weight.shape[1] * int(get(6, "groups", 1))
            if x.dim() == 4 and channels != wanted:
                what = f"{size_words(weight.shape[2:])} convolution with {weight.shape[0]} filters"
                called = self.names.get(id(weight), "")
                self.faults.append(
                    f"The in-channels of {called or 'a convolution'} ({what}) should be "
                    f"{channels}, not "
                    f"{wanted}: that many channels arrive."
                )
                step = self._conv(args, kwargs)
                size = [
                    (n + 2 * p - d * (k - 1) - 1) // s + 1
                    for n, k, s, p, d in zip(
                        x.shape[2:], step.kernel, step.stride, step.padding, step.dilation
                    )
                ]
                self.order.pop()
                self.used.pop()
                return x.new_zeros(x.shape[0], weight.shape[0], *(max(1, n) for n in size))
        if name == "batch_norm":
            x = get(0, "input")
            mean = get(1, "running_mean")
            called = self.names.get(id(kwargs.get("weight")), "") or "a batch norm"
            self.faults.append(
                f"The batch norm {called} is made for {len(mean)} channels, but {x.shape[1]} "
                "arrive: it "
                "needs as many as the convolution before it has filters."
            )
            return x.clone()
        if name in CATS:
            tensors = list(get(0, "tensors"))
            step = self._step(name, args, kwargs, self._known(args))
            if step.dim == 1:
                sizes = ", ".join(size_words(t.shape[2:]) for t in tensors)
                self.faults.append(f"The maps to be concatenated have different sizes: {sizes}.")
            else:
                self.faults.append(
                    f"The branches cannot be joined along dimension {step.dim}; channels are "
                    "dimension "
                    "1: torch.cat([…], dim=1)."
                )
            first = tensors[0]
            return first.new_zeros(
                first.shape[0], sum(t.shape[1] for t in tensors), *first.shape[2:]
            )
        if name in ADDS:
            tensors = [a for a in args if isinstance(a, Tensor)]
            if len(tensors) == 2:
                shapes = [
                    f"{t.shape[1]}×{size_words(t.shape[2:])}" for t in tensors if t.dim() == 4
                ]
                self.faults.append(
                    f"The maps to be added have different shapes: {' and '.join(shapes)}."
                )
                return tensors[0].clone()
        if name in ("conv2d", "max_pool2d", "avg_pool2d"):
            x = get(0, "input")
            step = self._step(name, args, kwargs, self._known(args))
            if name == "conv2d":
                self.order.pop()
                self.used.pop()
            room = [n + 2 * p for n, p in zip(x.shape[2:], step.padding)]
            if any(k > n for k, n in zip(step.kernel, room)):
                self.faults.append(
                    f"The kernel {size_words(step.kernel)} of {step.name or 'a pool'} is larger "
                    "than "
                    f"the map that arrives, {size_words(x.shape[2:])}."
                )
                return x.new_zeros(x.shape[0], step.out or x.shape[1], *x.shape[2:])
            if any(2 * p > k for k, p in zip(step.kernel, step.padding)) and name != "conv2d":
                self.faults.append(
                    f"A pool with the kernel {size_words(step.kernel)} cannot have padding "
                    f"{step.padding[0]}: at most half the kernel."
                )
                return x.clone()
        raise error
