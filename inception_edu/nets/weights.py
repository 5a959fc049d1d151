"""Released ImageNet weights into our networks and back, and small checkpoints of our own.
safetensors only.

timm joins the branches of a block in another order than the paper's figures show them, so its
weights do not only get other names: the input channels of every later convolution are put in order
too. `_PLANS` says which of timm's convolutions belongs to which of ours, and at which place timm
concatenates a branch; everything else follows from the description. Only tensors are read from
files, never code.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from inception_edu.describe import (
    Chain,
    Concat,
    Conv,
    Network,
    Node,
    Pool,
    Residual,
    inception_resnet_v2_released,
    inception_v3,
    inception_v4,
    make,
)
from inception_edu.nets.build import build


class WeightsError(ValueError):
    """Weights that cannot be had or do not fit. The message is a sentence for the reader."""


@dataclass(frozen=True)
class Preprocessing:
    """How a released network wants its images: resize the short side to image/crop, centre crop, (x
    − mean) / std, with x in 0..1 and bicubic interpolation."""

    image: int
    crop: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def __call__(self, picture) -> torch.Tensor:
        """A PIL image of any size and mode → 1×3×image×image."""
        import numpy as np
        from PIL import Image

        picture = picture.convert("RGB")
        side = int(self.image / self.crop)
        short = min(picture.size)
        size = tuple(side if s == short else int(side * s / short) for s in picture.size)
        picture = picture.resize(size, Image.Resampling.BICUBIC)
        left, top = (round((s - self.image) / 2) for s in picture.size)
        picture = picture.crop((left, top, left + self.image, top + self.image))
        x = torch.from_numpy(np.asarray(picture, dtype="float32") / 255).permute(2, 0, 1)[None]
        mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (self.mean, self.std))
        return (x - mean) / std


_HALF = (0.5, 0.5, 0.5)

# The released networks under timm's names: our description, the checkpoint's tag, and its
# preprocessing.
RELEASED = {
    "inception_v3": (inception_v3, "inception_v3.tv_in1k", Preprocessing(299, 0.875, _HALF, _HALF)),
    "inception_v4": (
        lambda: inception_v4("released"),
        "inception_v4.tf_in1k",
        Preprocessing(299, 0.875, _HALF, _HALF),
    ),
    "inception_resnet_v2": (
        inception_resnet_v2_released,
        "inception_resnet_v2.tf_in1k",
        Preprocessing(299, 0.8975, _HALF, _HALF),
    ),
}


# --- Which convolution of timm's is which of ours -------------------------------------------------
# A plan mirrors a description: a string names a convolution, None stands for a pool, a list for a
# chain, and a tuple of (place in timm's concatenation, plan) for a concatenation, its entries in
# the order of our branches.


def _run(prefix: str, count: int, start: int = 0) -> list[str]:
    return [f"{prefix}.{i}" for i in range(start, start + count)]


_AVERAGE = [None, "branch3.1"]
_V4_C = (
    (3, _AVERAGE),
    (0, "branch0"),
    (1, ["branch1_0", ((0, "branch1_1a"), (1, "branch1_1b"))]),
    (2, ["branch2_0", "branch2_1", "branch2_2", ((1, "branch2_3b"), (0, "branch2_3a"))]),
)
_REDUCTION_A = ((2, None), (0, "branch0"), (1, _run("branch1", 3)))


def _v4_blocks() -> Iterator[tuple[str, str, object]]:
    """(our block, timm's prefix, plan) for every block of Inception-v4."""
    stem = [
        "0",
        "1",
        "2",
        ((0, None), (1, "3.conv")),
        ((0, _run("4.branch0", 2)), (1, _run("4.branch1", 4))),
        ((0, "5.conv"), (1, None)),
    ]
    yield "stem", "features.", stem
    a = ((3, _AVERAGE), (0, "branch0"), (1, _run("branch1", 2)), (2, _run("branch2", 3)))
    b = ((3, _AVERAGE), (0, "branch0"), (1, _run("branch1", 3)), (2, _run("branch2", 5)))
    for i in range(4):
        yield f"inception_a.{i + 1}", f"features.{6 + i}.", a
    yield "reduction_a", "features.10.", _REDUCTION_A
    for i in range(7):
        yield f"inception_b.{i + 1}", f"features.{11 + i}.", b
    yield (
        "reduction_b",
        "features.18.",
        ((2, None), (0, _run("branch0", 2)), (1, _run("branch1", 4))),
    )
    for i in range(3):
        yield f"inception_c.{i + 1}", f"features.{19 + i}.", _V4_C


def _resnet_v2_blocks() -> Iterator[tuple[str, str, object]]:
    yield "stem", "", ["conv2d_1a", "conv2d_2a", "conv2d_2b", None, "conv2d_3b", "conv2d_4a", None]
    yield (
        "mixed_5b",
        "mixed_5b.",
        ((0, "branch0"), (1, _run("branch1", 2)), (2, _run("branch2", 3)), (3, _AVERAGE)),
    )
    a = [((0, "branch0"), (1, _run("branch1", 2)), (2, _run("branch2", 3))), "conv2d"]
    b_or_c = [((0, "branch0"), (1, _run("branch1", 3))), "conv2d"]
    for i in range(10):
        yield f"inception_resnet_a.{i + 1}", f"repeat.{i}.", a
    yield "reduction_a", "mixed_6a.", _REDUCTION_A
    for i in range(20):
        yield f"inception_resnet_b.{i + 1}", f"repeat_1.{i}.", b_or_c
    yield (
        "reduction_b",
        "mixed_7a.",
        ((3, None), (0, _run("branch0", 2)), (1, _run("branch1", 2)), (2, _run("branch2", 3))),
    )
    for i in range(9):
        yield f"inception_resnet_c.{i + 1}", f"repeat_2.{i}.", b_or_c
    yield "inception_resnet_c_last", "block8.", b_or_c
    yield "conv_7b", "", "conv2d_7b"


def _v3_blocks() -> Iterator[tuple[str, str, object]]:
    def numbered(prefix, *ends):
        return [f"{prefix}_{end}" for end in ends]

    pool = [None, "branch_pool"]
    yield (
        "stem",
        "",
        [
            "Conv2d_1a_3x3",
            "Conv2d_2a_3x3",
            "Conv2d_2b_3x3",
            None,
            "Conv2d_3b_1x1",
            "Conv2d_4a_3x3",
            None,
        ],
    )
    a = (
        (0, "branch1x1"),
        (1, numbered("branch5x5", 1, 2)),
        (2, numbered("branch3x3dbl", 1, 2, 3)),
        (3, pool),
    )
    b = (
        (0, "branch1x1"),
        (1, numbered("branch7x7", 1, 2, 3)),
        (2, numbered("branch7x7dbl", 1, 2, 3, 4, 5)),
        (3, pool),
    )

    def fan(prefix, end):
        return ((0, f"{prefix}_{end}a"), (1, f"{prefix}_{end}b"))

    c = (
        (0, "branch1x1"),
        (1, ["branch3x3_1", fan("branch3x3", 2)]),
        (2, [*numbered("branch3x3dbl", 1, 2), fan("branch3x3dbl", 3)]),
        (3, pool),
    )
    reduction_a = ((0, "branch3x3"), (1, numbered("branch3x3dbl", 1, 2, 3)), (2, None))
    reduction_b = (
        (0, numbered("branch3x3", 1, 2)),
        (1, numbered("branch7x7x3", 1, 2, 3, 4)),
        (2, None),
    )
    for ours, theirs, plan in (
        ("mixed_5b", "Mixed_5b", a),
        ("mixed_5c.1", "Mixed_5c", a),
        ("mixed_5c.2", "Mixed_5d", a),
        ("mixed_6a", "Mixed_6a", reduction_a),
        ("mixed_6b", "Mixed_6b", b),
        ("mixed_6c.1", "Mixed_6c", b),
        ("mixed_6c.2", "Mixed_6d", b),
        ("mixed_6e", "Mixed_6e", b),
        ("mixed_7a", "Mixed_7a", reduction_b),
        ("mixed_7b.1", "Mixed_7b", c),
        ("mixed_7b.2", "Mixed_7c", c),
    ):
        yield ours, theirs + ".", plan


_PLANS = {
    "inception_v3": (_v3_blocks, "fc"),
    "inception_v4": (_v4_blocks, "last_linear"),
    "inception_resnet_v2": (_resnet_v2_blocks, "classif"),
}


@dataclass(frozen=True)
class _Pair:
    """One layer of ours and of timm's; `rows[j]` is timm's output channel for our channel j,
    `columns` its input."""

    ours: str
    theirs: str
    rows: list[int]
    columns: list[int]
    norm: bool


def _pairs(
    node: Node, plan, ours: str, theirs: str, order: list[int], end: list[int] | None = None
):
    """Yields the pairs below `node`; returns the order of its output channels. `end` is the order
    that the last convolution must have, because its output is added to something in that order."""
    if isinstance(node, Conv):
        rows = end or list(range(node.out))
        yield _Pair(ours, theirs + plan, rows, order, node.norm)
        return rows
    if isinstance(node, Pool):
        return order
    if isinstance(node, Chain):
        for i, (part, sub) in enumerate(zip(node.parts, plan)):
            last = i == len(node.parts) - 1
            order = yield from _pairs(
                part, sub, f"{ours}.{i}", theirs, order, end if last else None
            )
        return order
    if isinstance(node, Concat):
        orders = {}
        for i, (branch, (place, sub)) in enumerate(zip(node.branches, plan), 1):
            orders[place] = (
                i,
                (yield from _pairs(branch, sub, f"{ours}.branch{i}", theirs, order)),
            )
        start, starts = 0, {}
        for place in sorted(orders):
            i, inner = orders[place]
            starts[i] = [start + c for c in inner]
            start += len(inner)
        return [c for i in sorted(starts) for c in starts[i]]
    assert isinstance(node, Residual)
    yield from _pairs(node.body, plan, f"{ours}.body", theirs, order, end=order)
    return order


def _all_pairs(name: str) -> Iterator[_Pair]:
    if name not in _PLANS:
        raise WeightsError(f"There are released weights for {', '.join(_PLANS)}, not for {name!r}.")
    description, (blocks, classifier) = RELEASED[name][0](), _PLANS[name]
    plans = {ours: (theirs, plan) for ours, theirs, plan in blocks()}
    order = list(range(description.channels))
    for block in description.blocks:
        for i in range(1, block.repeat + 1):
            ours = block.name if block.repeat == 1 else f"{block.name}.{i}"
            theirs, plan = plans[ours]
            order = yield from _pairs(block.node, plan, ours, theirs, order)
    yield _Pair("classifier", classifier, None, order, False)


_NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


def _tensors(pair: _Pair) -> Iterator[tuple[str, str, bool]]:
    """(our key, timm's key, whether the tensor has input channels) for each tensor of a layer."""
    if pair.norm:
        yield f"{pair.ours}.conv.weight", f"{pair.theirs}.conv.weight", True
        for key in _NORM:
            yield f"{pair.ours}.norm.{key}", f"{pair.theirs}.bn.{key}", False
    else:
        yield f"{pair.ours}.weight", f"{pair.theirs}.weight", True
        yield f"{pair.ours}.bias", f"{pair.theirs}.bias", False


def from_timm(name: str, source=None) -> nn.Module:
    """Our network with timm's weights: "inception_v3", "inception_v4" or "inception_resnet_v2";
    N×3×299×299 → N×1000.

    `source`: a timm model, a state dict, a .safetensors or .pth file, or None to have timm download
    the released ImageNet weights. Returns the module in evaluation mode. Raises `WeightsError`
    where weights cannot be had, are damaged, or belong to another network.
    """
    state = dict(_state(name, source))
    classifier = _PLANS[name][1] if name in _PLANS else None
    pairs = list(_all_pairs(name))
    if len(state.get(f"{classifier}.weight", ())) == 1001:
        # TensorFlow's checkpoints have a background class in row 0.
        state |= {key: state[key][1:] for key in (f"{classifier}.weight", f"{classifier}.bias")}
    classes = len(state[f"{classifier}.weight"]) if f"{classifier}.weight" in state else 1000
    ours = {}
    for pair in pairs:
        for our_key, their_key, has_inputs in _tensors(pair):
            if their_key not in state:
                if their_key.endswith("num_batches_tracked"):
                    ours[our_key] = torch.tensor(0)
                    continue
                raise WeightsError(
                    f"These weights are not timm's {name}: {their_key} is missing "
                    f"(the first of them is called {next(iter(state), 'nothing')})."
                )
            tensor = state[their_key]
            if tensor.ndim and pair.rows is not None:
                tensor = _pick(tensor, 0, pair.rows, their_key, name)
            ours[our_key] = (
                _pick(tensor, 1, pair.columns, their_key, name) if has_inputs else tensor
            )
    model = build(replace(RELEASED[name][0](), classes=classes), init="empty")
    _load(model, ours, f"timm's {name}")
    return model.eval()


def to_timm(name: str, model: nn.Module) -> dict[str, torch.Tensor]:
    """The weights of our network as a state dict that timm's model of that name loads."""
    ours, theirs = model.state_dict(), {}
    for pair in _all_pairs(name):
        for our_key, their_key, has_inputs in _tensors(pair):
            if our_key not in ours:
                raise WeightsError(f"This model is not our {name}: it has no {our_key}.")
            tensor = ours[our_key]
            if tensor.ndim and pair.rows is not None:
                tensor = tensor[_inverse(pair.rows)]
            theirs[their_key] = tensor[:, _inverse(pair.columns)] if has_inputs else tensor
    return theirs


def _pick(tensor: torch.Tensor, axis: int, order: list[int], key: str, name: str) -> torch.Tensor:
    if tensor.ndim <= axis or tensor.shape[axis] != len(order):
        raise WeightsError(
            f"These weights are not timm's {name}: {key} has shape {tuple(tensor.shape)}, "
            f"but axis {axis} should have {len(order)} entries."
        )
    return (
        tensor
        if order == list(range(len(order)))
        else tensor.index_select(axis, torch.tensor(order))
    )


def _inverse(order: list[int]) -> torch.Tensor:
    return torch.tensor(order).argsort()


def _load(model: nn.Module, state: dict[str, torch.Tensor], what: str) -> None:
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        lines = str(error).splitlines()
        raise WeightsError(
            f"The weights of {what} do not fit the network: {lines[1].strip() if lines[1:] else error}"
        ) from None


def _state(name: str, source) -> dict[str, torch.Tensor]:
    if name not in RELEASED:
        raise WeightsError(
            f"There are released weights for {', '.join(RELEASED)}, not for {name!r}."
        )
    if isinstance(source, nn.Module):
        return source.state_dict()
    if isinstance(source, dict):
        return plain_names(source)
    if source is not None:
        return read_tensors(source)
    try:
        import timm
    except ImportError:
        raise WeightsError(
            "The released weights are downloaded by timm, which is not installed: pip install timm. "
            "Or give the path of a file that you have already."
        ) from None
    tag = RELEASED[name][1]
    try:
        return timm.create_model(tag, pretrained=True).state_dict()
    except Exception as error:  # noqa: BLE001 - whatever the hub's client raises, the reader needs one sentence
        raise WeightsError(
            f"timm could not download {tag} ({type(error).__name__}). Check the network connection, "
            "or give the path of a file that you have already."
        ) from error


def read_tensors(path: str | os.PathLike) -> dict[str, torch.Tensor]:
    """The tensors of a .safetensors file, or of a .pth/.pt/.bin file read without running any code
    in it.

    Raises `WeightsError` where the file is missing, truncated, or holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"There is no file {path}.")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return plain_names(load_file(path))
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - damaged files raise many kinds
        raise WeightsError(
            f"{path.name} cannot be read as a file of tensors: it is truncated, damaged, or holds "
            f"something other than tensors ({type(error).__name__})."
        ) from None
    state = state.get("state_dict", state) if isinstance(state, dict) else state
    if not (
        isinstance(state, dict)
        and state
        and all(isinstance(v, torch.Tensor) for v in state.values())
    ):
        raise WeightsError(f"{path.name} holds no dictionary of tensors.")
    return plain_names(state)


def plain_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same tensors under the network's own names: a model saved from inside
    `torch.nn.DataParallel` has "module." before each of them."""
    if not all(name.startswith("module.") for name in state):
        return state
    return {name.removeprefix("module."): tensor for name, tensor in state.items()}


# --- Our own small checkpoints --------------------------------------------------------------------


def save_checkpoint(
    path: str | os.PathLike, model: nn.Module, network: dict, half: bool = True, **facts
) -> None:
    """Write a built network to one .safetensors file: its tensors, and as metadata how to make it
    and what is known.

    `network` is a recipe for `networks.make`; `facts` (data, accuracy, command, …) must be JSON.
    With `half` the kernels are stored with 16 bits. The file appears whole or not at all.
    """
    from safetensors.torch import save_file

    path = Path(path)
    # Vectors (biases, batch-norm statistics) stay whole: they are few, and a variance may exceed
    # what 16 bits hold.
    tensors = {
        key: (value.half() if half and value.ndim > 1 else value).contiguous().cpu()
        for key, value in model.state_dict().items()
    }
    metadata = {"network": json.dumps(network), "facts": json.dumps(facts)}
    part = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, part, metadata)
    part.chmod(0o644)  # safetensors makes files that only their owner can read
    os.replace(part, path)


def load_checkpoint(path: str | os.PathLike) -> tuple[nn.Module, dict]:
    """The network of a checkpoint that `save_checkpoint` wrote, in evaluation mode, and its facts.

    Raises `WeightsError` where the file is missing, damaged, or not one of ours.
    """
    from safetensors import safe_open

    path = Path(path)
    tensors = read_tensors(path)
    with safe_open(path, "pt") as file:
        metadata = file.metadata() or {}
    if "network" not in metadata:
        raise WeightsError(
            f"{path.name} is not a checkpoint of this project: it does not say which network it holds."
        )
    network: Network = make(**json.loads(metadata["network"]))
    model = build(network, init="empty")
    _load(
        model, {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}, path.name
    )
    return model.eval(), json.loads(metadata.get("facts", "{}"))
