"""What a module really computes, as steps: it is run once, and every operation on a tensor is
recorded.

However a module is written (`nn.Sequential`, attributes, `torch.nn.functional`, a loop), what it
does to its input is the same handful of operations; watching them needs no look at the source.
Where an operation cannot work, the fault is noted and a map of zeros goes on in its place, so that
one run finds every fault.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from inception_edu.teach.diagnose import Join, Sequence, Step, size_words, tidy

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


@dataclass(eq=False)
class _Made:
    """A tensor that was made from the input: by which step, from which others."""

    step: Step | Join | None
    sources: list[_Made] = field(default_factory=list)
    shape: tuple = ()


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
        steps = tidy(_fuse(_trace(made[1], mode.start)))
    return Watched(steps, output, mode.faults, error, mode.used, mode.order)


class _Mode(TorchFunctionMode):
    def __init__(self, module, x):
        super().__init__()
        self.start = _Made(None, [], tuple(x.shape))
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
        tensors = (
            [result]
            if isinstance(result, Tensor)
            else [t for t in result if isinstance(t, Tensor)]
            if isinstance(result, (tuple, list))
            else []
        )
        if name in SILENT and tensors:
            self._keep(tensors[0], known[0])
            return result
        for tensor in tensors:
            self._keep(tensor, self._note(name, args, kwargs, known, tensor))
        return result

    def _keep(self, tensor, made):
        self.made[id(tensor)] = (tensor, made)

    def _known(self, values) -> list[_Made]:
        found = []
        for value in values:
            if isinstance(value, Tensor):
                found += [self.made[id(value)][1]] if id(value) in self.made else []
            elif isinstance(value, (list, tuple)):
                found += self._known(value)
        return found

    def _note(self, name, args, kwargs, known, result) -> _Made:
        step = self._step(name, args, kwargs, known)
        shape = tuple(result.shape)
        if step is None:  # adding a number that changes nothing, …
            return known[0]
        if name == "sub" or name in ("sub_", "__sub__", "__isub__", "__rsub__", "rsub"):
            minus = 1 if name not in ("__rsub__", "rsub") else 0
            if len(known) == 2:
                known = list(known)
                known[minus] = _Made(Step("times", factor=-1.0), [known[minus]], known[minus].shape)
        alpha = kwargs.get("alpha", 1)
        if isinstance(step, Join) and alpha != 1 and len(known) == 2:
            known = [
                known[0],
                _Made(Step("times", factor=float(alpha)), [known[1]], known[1].shape),
            ]
        return _Made(step, known, shape)

    def _step(self, name, args, kwargs, known):
        if name == "conv2d":
            return self._conv(args, kwargs)
        if name == "batch_norm":
            weight = kwargs.get("weight", args[3] if len(args) > 3 else None)
            self._use(weight)
            return Step("norm", eps=kwargs.get("eps", 1e-5), name=self.names.get(id(weight), ""))
        if name in RELUS or (name in ("clamp", "clamp_min", "clip") and _lower(args, kwargs) == 0):
            return Step("relu")
        if name in ("max_pool2d", "_max_pool2d"):
            get = _getter(
                args, kwargs, ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
            )
            kernel = _two(get(1, "kernel_size"))
            return Step(
                "max",
                0,
                kernel,
                _two(get(2, "stride") or kernel),
                _two(get(3, "padding", 0)),
                dilation=_two(get(4, "dilation", 1)),
                ceil=bool(get(5, "ceil_mode", False)),
            )
        if name == "avg_pool2d":
            get = _getter(args, kwargs, ())
            kernel, padding = _two(get(1, "kernel_size")), _two(get(3, "padding", 0))
            count = bool(get(5, "count_include_pad", True)) and any(padding)
            return Step(
                "avg",
                0,
                kernel,
                _two(get(2, "stride") or kernel),
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
            return None if other and _scalar(other[0]) == 0 else Step("plus a constant")
        if name in TIMES:
            if len(known) >= 2:
                return Join("product", ())
            other = [a for a in args if not (isinstance(a, Tensor) and id(a) in self.made)]
            factor = _scalar(other[0]) if other else None
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
        get = _getter(args, kwargs, ())
        weight, bias = get(1, "weight"), get(2, "bias")
        kernel = tuple(weight.shape[2:])
        dilation = _two(get(5, "dilation", 1))
        padding = get(4, "padding", 0)
        if isinstance(padding, str):
            same = tuple(d * (k - 1) // 2 for k, d in zip(kernel, dilation))
            padding = same if padding == "same" else (0, 0)
        step = Step(
            "conv",
            weight.shape[0],
            kernel,
            _two(get(3, "stride", 1)),
            _two(padding),
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
        get = _getter(args, kwargs, ())
        if name == "conv2d":
            x, weight = get(0, "input"), get(1, "weight")
            channels, wanted = x.shape[1], weight.shape[1] * int(get(6, "groups", 1))
            if x.dim() == 4 and channels != wanted:
                what = f"{weight.shape[2]}×{weight.shape[3]} convolution with {weight.shape[0]} "
                "filters"
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


def _getter(args, kwargs, _):
    return lambda i, name, default=None: kwargs.get(name, args[i] if len(args) > i else default)


def _two(n) -> tuple[int, int]:
    if isinstance(n, int):
        return (n, n)
    n = tuple(int(v) for v in n)
    return n * 2 if len(n) == 1 else n


def _scalar(value) -> float | None:
    if isinstance(value, Tensor):
        return float(value) if value.numel() == 1 else None
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _lower(args, kwargs):
    return kwargs.get("min", args[1] if len(args) > 1 else None)


# --- From what was recorded to a sequence ---------------------------------------------------------


def _before(made: _Made, memory: dict) -> list[_Made]:
    """The maps that every path from the input to `made` passes, from `made` back to the input."""
    if id(made) not in memory:
        memory[id(made)] = [made]
        if made.sources:
            common = _before(made.sources[0], memory)
            for other in made.sources[1:]:
                seen = {id(m) for m in _before(other, memory)}
                common = [m for m in common if id(m) in seen]
            memory[id(made)] = [made, *common]
    return memory[id(made)]


def _trace(end: _Made, start: _Made, memory: dict | None = None) -> Sequence:
    """The steps from `start` to `end`; every operation is listed with the record it came from."""
    memory = {} if memory is None else memory
    points = _before(end, memory)
    stop = next((i for i, m in enumerate(points) if m is start), None)
    if stop is None:
        return ((None, Step("something that does not begin at the input")),)
    items = []
    for point, origin in zip(points[:stop], points[1 : stop + 1]):
        if len(point.sources) < 2:
            items.append((point, point.step))
            continue
        paths = [_trace(source, origin, memory) for source in point.sources]
        join = point.step if isinstance(point.step, Join) else Join(point.step.kind, ())
        items.append((point, replace(join, branches=_grouped(paths, join))))
    return tuple(reversed(items))


def _grouped(paths, join) -> tuple[Sequence, ...]:
    """Neighbouring paths that begin with the same operation share it: 1×1 → {1×3, 3×1}."""
    groups: list[list] = []
    for path in paths:
        first = path[0][0] if path else None
        if groups and first is not None and groups[-1][0] and groups[-1][0][0][0] is first:
            groups[-1].append(path)
        else:
            groups.append([path])
    branches = []
    for group in groups:
        if len(group) == 1:
            branches.append(group[0])
            continue
        shared = 0
        while all(len(p) > shared for p in group) and len({id(p[shared][0]) for p in group}) == 1:
            shared += 1
        rest = Join(join.kind, _grouped([p[shared:] for p in group], join), join.dim)
        branches.append((*group[0][:shared], (None, rest)))
    return tuple(branches)


def _fuse(items) -> Sequence:
    """Convolution, batch norm and ReLU in a row become one step; the records are dropped."""
    found: list = []
    for _, item in items:
        if isinstance(item, Join):
            found.append(replace(item, branches=tuple(_fuse(branch) for branch in item.branches)))
            continue
        last = (
            found[-1]
            if found and isinstance(found[-1], Step) and found[-1].kind == "conv"
            else None
        )
        if last and item.kind == "norm" and not last.norm:
            found[-1] = replace(
                last, norm=True, eps=item.eps, norm_name=item.name, relu_first=last.relu
            )
        elif last and item.kind == "relu" and not last.relu:
            found[-1] = replace(last, relu=True)
        elif not (item.kind == "relu" and last and last.relu) and not (
            item.kind == "times" and item.factor == 1
        ):
            found.append(item)
    return tuple(found)
