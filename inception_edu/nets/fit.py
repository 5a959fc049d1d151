"""Whether batches and weights fit a network, as a sentence where they do not."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from inception_edu.describe import Network, SpecError


class WeightsError(ValueError):
    """Weights that cannot be had or do not fit. The message is a sentence for the reader."""


def plain_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors under the network's own names: a model saved from inside
    `torch.nn.DataParallel` has "module." before each of them, a compiled one "_orig_mod.", one
    that is a part of another the name of that part."""
    state = dict(state)
    while len(state) > 1 and all("." in name for name in state):
        first = {name.partition(".")[0] for name in state}
        if len(first) > 1 or first.pop().isdigit():
            break
        state = {name.partition(".")[2]: tensor for name, tensor in state.items()}
    return state


def misfit(own: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> str:
    """What keeps the tensors `state` from being the weights `own`, in words; "" where nothing
    does."""
    missing = [name for name in own if name not in state and not name.endswith("batches_tracked")]
    others = [name for name in state if name not in own]
    turned = [name for name in own if name in state and own[name].shape != state[name].shape]
    said = []
    if missing:
        said.append(f"{len(missing)} of its {len(own)} tensors are missing, such as {missing[0]}")
    if others:
        said.append(f"{len(others)} are there that it has not, such as {others[0]}")
    if turned:
        theirs, ours = ("×".join(map(str, of[turned[0]].shape)) for of in (state, own))
        said.append(f"{turned[0]} is {theirs} there and {ours} here")
    return "; ".join(said)


def do_not_fit(name: str, own: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> str:
    """The sentence for weights that are not those of the network `name`."""
    return (
        f"These weights do not fit {name}: {misfit(own, state)}. "
        "passport(file) says whose weights a file holds."
    )


def check_kind(network: Network, images: object, weight: Tensor | None) -> None:
    """A `SpecError` for what is no tensor, for bytes, and for numbers of another kind or in another
    place than the weights (None: a replica of `torch.nn.DataParallel`, which has none)."""
    if not isinstance(images, Tensor):
        raise SpecError(
            f"{network.name} takes a tensor, got {type(images).__name__}: write "
            "torch.as_tensor(images)."
        )
    kind = str(images.dtype).removeprefix("torch.")
    if not images.is_floating_point():
        raise SpecError(
            f"{network.name} takes float32 numbers around 0, got a batch of {kind}: "
            "`data.normalise(images)` makes them of bytes."
        )
    if weight is None:
        return
    if images.dtype != weight.dtype and not torch.is_autocast_enabled(images.device.type):
        wanted = str(weight.dtype).removeprefix("torch.")
        write = "float()" if weight.dtype == torch.float32 else f"to({weight.dtype})"
        raise SpecError(
            f"{network.name} has weights of {wanted}, got a batch of {kind}: write images.{write}."
        )
    if images.device != weight.device:
        raise SpecError(
            f"{network.name} is on {weight.device}, got a batch on {images.device}: write "
            f"images.to({str(weight.device)!r})."
        )


def check_shape(network: Network, shape: tuple[int, ...]) -> None:
    """A `SpecError` for what is no N×C×H×W."""
    wanted = network.channels
    if len(shape) == 4 and shape[1] == wanted:
        return
    advice = ""
    if len(shape) == 4 and shape[1] == 1 and wanted == 3:
        advice = " Grey images: write images.expand(-1, 3, -1, -1)."
    elif len(shape) == 4 and shape[3] == wanted:
        advice = " Channels last: write images.permute(0, 3, 1, 2)."
    elif len(shape) == 3:
        advice = " One image: write image[None]."
    raise SpecError(
        f"{network.name} takes batches of shape N×{wanted}×H×W, "
        f"got {'×'.join(map(str, shape))}.{advice}"
    )


def one_value(network: Network) -> str:
    """The sentence for a batch that batch norm cannot take in training."""
    return (
        f"{network.name} in training got a batch of one image, so small that a map is one pixel: "
        "batch norm needs more than one value a channel. Take two images or more, larger ones, or "
        "model.eval()."
    )
