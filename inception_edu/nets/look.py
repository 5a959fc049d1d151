"""One network on one picture, as numbers that can be shown: answers, maps, fields, reasons.

Every function takes any module that maps 1×C×H×W to 1×classes, and leaves it as it was. The batch
is moved to the module; what comes back is numpy, on the CPU. Blocks are called as `named_blocks`
calls them; in a module that `build` did not make they are its children that give maps.

    seen = look(model, image)
    seen.shares, seen.outputs["stem"]
    parts(model, seen, "inception_resnet_a.1")      {"branch 1 · 1×1": C×H×W, …, "output": C×H×W}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from inception_edu.describe import Chain, Node, Residual
from inception_edu.describe import Concat as ConcatSpec
from inception_edu.describe.field import entering, within
from inception_edu.nets.build import ScaledResidual, named_blocks
from inception_edu.nets.features import FeatureError, branch_names, branches_of, silent

INPUT, CHANGE, OUTPUT = "what came in", "× scale, after the linear 1×1", "output"
Off = Iterable[tuple[str, int]]  # branches that are switched off: (block, 1, 2, …)


@dataclass(frozen=True)
class Look:
    """One forward pass: `logits` and `shares` (their softmax), K numbers each, and by block what
    entered it (`entered`, tensors on the module's device) and its output, C×H×W (`outputs`)."""

    logits: np.ndarray
    shares: np.ndarray
    entered: dict[str, tuple]
    outputs: dict[str, np.ndarray]


def look(model: nn.Module, image: Tensor, off: Off = ()) -> Look:
    """Run one picture, 1×C×H×W, through the network, with some branches switched off."""
    entered, outputs = {}, {}

    def keep(name):
        def hook(module, inputs, output):
            if isinstance(output, Tensor) and output.ndim == 4:
                entered[name] = tuple(
                    x.detach().clone() if isinstance(x, Tensor) else x for x in inputs
                )
                outputs[name] = as_numpy(output[0])

        return hook

    with resting(model), silenced(model, off), ExitStack() as stack:
        for name, module in blocks_of(model):
            stack.callback(module.register_forward_hook(keep(name)).remove)
        with torch.no_grad():
            logits = model(to_model(model, image))[0].float()
    if not outputs:
        raise FeatureError(
            f"No child of this {type(model).__name__} gives maps (1×C×H×W): there is nothing to "
            "look into."
        )
    order = [name for name, _ in blocks_of(model) if name in outputs]
    return Look(
        as_numpy(logits),
        as_numpy(logits.softmax(0)),
        {name: entered[name] for name in order},
        {name: outputs[name] for name in order},
    )


def parts(model: nn.Module, seen: Look, name: str, off: Off = ()) -> dict[str, np.ndarray]:
    """What happens in one block, in the figure's order, C×H×W each: its branches; in a residual
    block the linear 1×1's output times the scale, and the identity; the block's output."""
    module = block_of(model, name)
    found: dict[str, Tensor] = {}
    watched, words = branches_of(module), branch_words(module)

    def keep(key):
        return lambda m, inputs, output: found.__setitem__(key, output[0].detach().clone())

    with resting(model), silenced(model, off), ExitStack() as stack:
        for key, branch in zip(words, watched):
            stack.callback(branch.register_forward_hook(keep(key)).remove)
        if isinstance(module, ScaledResidual):
            stack.callback(module.body.register_forward_hook(keep(CHANGE)).remove)
        with torch.no_grad():
            output = module(*seen.entered[name])
            if isinstance(module, ScaledResidual):
                found[CHANGE] = found[CHANGE] * float(module.scale)
                found[INPUT] = module.shortcut(seen.entered[name][0])[0]
    found[OUTPUT] = output[0]
    return {key: as_numpy(value) for key, value in found.items()}


def branch_words(module: nn.Module) -> list[str]:
    """What `parts` calls a block's branches: "branch 1 · 1×1", …"""
    return [f"branch {i} · {words}" for i, words in enumerate(branch_names(module), 1)]


def block_of(model: nn.Module, name: str) -> nn.Module:
    """The module of a block. Raises `FeatureError` where there is none of that name."""
    blocks = dict(blocks_of(model))
    if name not in blocks:
        raise FeatureError(f"The network has no block {name!r}; it has {', '.join(blocks)}.")
    return blocks[name]


def block_node(model: nn.Module, name: str) -> Node | None:
    """A block's description; None in a module that was not built from one."""
    network = getattr(model, "description", None)
    return None if network is None else network[name.partition(".")[0]].node


# --- Where a value looks --------------------------------------------------------------------------


def windows(model: nn.Module, name: str, part: str = OUTPUT):
    """The windows (rows, columns; see `describe.field`) of a part's values in pixels of the image.
    None in a module without description."""
    network = getattr(model, "description", None)
    if network is None:
        return None
    whole: Node = network[name.partition(".")[0]].node
    node: Node | None = whole
    words = branch_words(block_of(model, name))
    if part in words:
        node = branch_nodes(whole)[words.index(part)]
    elif isinstance(whole, Residual) and part == CHANGE:
        node = whole.body
    elif isinstance(whole, Residual) and part == INPUT:
        node = whole.shortcut
    if node is None:  # the identity
        return entering(network, name)
    return within(network, name, node)


def shade(
    model: nn.Module, image: Tensor, name: str, part: str, channel: int, y: int, x: int
) -> np.ndarray:
    """H×W: how much one value of a part depends on each pixel of this picture: the gradient's
    absolute value, summed over colours, scaled to a maximum of 1 (all 0 where it depends on
    none)."""
    module = block_of(model, name)
    target, factor = part_module(module, part)
    picture = to_model(model, image).detach().clone().requires_grad_(True)
    with resting(model), torch.enable_grad():
        out = _run_to(model, target, picture, inputs=factor)
        (gradient,) = torch.autograd.grad(
            out[0, channel, y, x], picture, allow_unused=True, materialize_grads=True
        )
    depends = as_numpy(gradient[0].abs().sum(0))
    return depends / max(float(depends.max()), 1e-30)


def part_module(module: nn.Module, part: str) -> tuple[nn.Module, bool]:
    """(the module whose output, or input if the second is true, is this part)."""
    words = branch_words(module)
    if part in words:
        return branches_of(module)[words.index(part)], False
    if isinstance(module, ScaledResidual) and part == CHANGE:
        return module.body, False
    if isinstance(module, ScaledResidual) and part == INPUT:
        return module.shortcut, False
    return module, False


class _Reached(Exception):
    """The value that was wanted is there: the rest of the network need not run."""


def _run_to(model: nn.Module, target: nn.Module, image: Tensor, inputs: bool = False) -> Tensor:
    found = []

    def stop(module, args, output):
        found.append(args[0] if inputs else output)
        raise _Reached

    handle = target.register_forward_hook(stop)
    try:
        model(image)
    except _Reached:
        pass
    finally:
        handle.remove()
    if not found:
        raise FeatureError("This part of the network was not reached by its forward pass.")
    return found[0]


# --- Another network beside it --------------------------------------------------------------------


@contextmanager
def without_residuals(model: nn.Module) -> Iterator[nn.Module]:
    """Within the context every residual block's scale is 0: only the identity is left."""
    kept = [(m, m.scale) for m in model.modules() if isinstance(m, ScaledResidual)]
    try:
        for module, scale in kept:
            if isinstance(scale, nn.Parameter):
                module.scale = nn.Parameter(torch.zeros_like(scale))
            else:
                module.scale = 0.0 * scale
        yield model
    finally:
        for module, scale in kept:
            module.scale = scale


def counterpart(seen: Look, name: str, other: Look) -> str:
    """The block of another network to set beside `name`: the last beside the last, else the one of
    the same name, else the last one whose maps have the nearest size."""
    if name == list(seen.outputs)[-1]:
        return list(other.outputs)[-1]
    if name in other.outputs:
        return name
    side = seen.outputs[name].shape[-1]
    nearest = min(abs(maps.shape[-1] - side) for maps in other.outputs.values())
    return [key for key, maps in other.outputs.items() if abs(maps.shape[-1] - side) == nearest][-1]


# --- Helpers --------------------------------------------------------------------------------------


def as_numpy(values: Tensor) -> np.ndarray:
    return values.detach().to("cpu", torch.float32).numpy()


def to_model(model: nn.Module, image: Tensor) -> Tensor:
    tensor = next(model.parameters(), None)
    return image if tensor is None else image.to(tensor.device, tensor.dtype)


@contextmanager
def resting(model: nn.Module) -> Iterator[None]:
    """Evaluation mode; afterwards every module is in the mode it was in."""
    learning = [module for module in model.modules() if module.training]
    for module in learning:
        module.training = False
    try:
        yield
    finally:
        for module in learning:
            module.training = True


@contextmanager
def silenced(model: nn.Module, off: Off) -> Iterator[None]:
    with ExitStack() as stack:
        for name, branch in off:
            stack.enter_context(silent(block_of(model, name), name, branch))
        yield


def blocks_of(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """The modules that may be blocks: those of `named_blocks`, or else children, containers
    opened."""
    if getattr(model, "description", None) is not None:
        return named_blocks(model)
    found: list[tuple[str, nn.Module]] = []

    def add(prefix: str, module: nn.Module) -> None:
        for name, child in module.named_children():
            if _is_stage(child):
                add(f"{prefix}{name}.", child)
            else:
                found.append((prefix + name, child))

    add("", model)
    return found


def _is_stage(module: nn.Module) -> bool:
    """A list of blocks, and not a block that is a list of layers."""
    if type(module) not in (nn.Sequential, nn.ModuleList):
        return False
    return len(list(module.children())) > 4 or any(list(m.children()) for m in module.children())


def branch_nodes(node: Node) -> tuple[Node, ...]:
    """The branches that `features.concatenation` finds, in the description, each as a chain from
    the block's input."""
    if isinstance(node, ConcatSpec):
        return node.branches
    if isinstance(node, Residual):
        return branch_nodes(node.body)
    before: list[Node] = []
    found: tuple[Node, ...] = ()
    for part in getattr(node, "parts", ()):
        inner = branch_nodes(part)
        if inner:
            found = tuple(Chain(*before, branch) for branch in inner)
        before.append(part)
    return found
