"""Released ImageNet weights into our networks and back.

timm has them; `ports` says which of a package's layers belongs to which of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from inception_edu.describe import Network
from inception_edu.nets.build import build
from inception_edu.nets.checkpoints import load_tensors, read_tensors
from inception_edu.nets.fit import WeightsError, plain_names
from inception_edu.nets.ports import PORTED, Port
from inception_edu.nets.preprocessing import Preprocessing

# The released networks under timm's names: our description, the checkpoint's tag, and its
# preprocessing.
RELEASED = {
    name: (PORTED[name].describe, f"{name}.{tag}", PORTED[name].prepare)
    for name, tag in (
        ("inception_v3", "tv_in1k"),
        ("inception_v4", "tf_in1k"),
        ("inception_resnet_v2", "tf_in1k"),
    )
}
__all__ = ["RELEASED", "Preprocessing", "WeightsError", "from_timm", "to_timm", "with_weights"]


def from_timm(name: str, source=None) -> nn.Module:
    """Our network with timm's weights: "inception_v3", "inception_v4" or "inception_resnet_v2";
    N×3×299×299 → N×1000. The other keys of `PORTED` take the weights of their packages
    (torchvision, Cadene, facenet-pytorch).

    `source`: a model of the package, a state dict, a .safetensors or .pth file, or None to have
    timm download the released ImageNet weights. Returns the module in evaluation mode. Raises
    `WeightsError` where weights cannot be had, are damaged, or belong to another network.
    """
    port = _port(name)
    state = dict(_state(name, source))
    key = f"{port.classifier}.weight"
    background = name in RELEASED and len(state.get(key, ())) == 1001
    return with_weights(name, state, background)


def with_weights(
    name: str,
    state: Mapping[str, Tensor],
    background: bool = False,
    description: Network | None = None,
) -> nn.Module:
    """Our network with a state dict that has the names of the port `name`, in evaluation mode.

    `background`: row 0 of the classifier is TensorFlow's background class, and is left out.
    `description`: the network to build, where it is not the port's own.
    """
    port = _port(name)
    state = dict(state)
    if background:
        for classifier in (port.classifier, *(h[1] + h[3] for h in port.heads)):
            for key in (f"{classifier}.weight", f"{classifier}.bias"):
                if key in state:
                    state[key] = state[key][1:]
    whole = description or port.describe()
    classes = len(state.get(f"{port.classifier}.weight", range(whole.classes)))
    whole = replace(whole, classes=classes)
    ours = {}
    for pair in port.pairs(whole):
        for our_key, their_key, has_inputs in port.tensors(pair):
            if their_key not in state:
                if their_key.endswith("num_batches_tracked"):
                    ours[our_key] = torch.tensor(0)
                    continue
                raise WeightsError(
                    f"These weights are not {_whose(name)}: {their_key} is missing "
                    f"(the first of them is called {next(iter(state), 'nothing')})."
                )
            tensor = state[their_key]
            if has_inputs and pair.theirs in port.matrices:
                shape = pair.shape(classes)
                if tensor.shape == (shape[0], shape[1] * shape[2] * shape[3]):
                    tensor = tensor.reshape(shape)
            if tensor.ndim and pair.rows is not None:
                tensor = _pick(tensor, 0, pair.rows, their_key, name)
            ours[our_key] = (
                _pick(tensor, 1, pair.columns, their_key, name) if has_inputs else tensor
            )
    model = build(whole, init="empty")
    load_tensors(model, ours, _whose(name))
    return model.eval()


def to_timm(name: str, model: nn.Module) -> dict[str, Tensor]:
    """The weights of our network as a state dict that timm's model of that name loads, or the
    model of the package that has it: a key of `PORTED`.
    Raises `WeightsError` where the model is not that network."""
    port = _port(name)
    ours, theirs = model.state_dict(), {}
    for pair in port.pairs():
        for our_key, their_key, has_inputs in port.tensors(pair):
            if our_key not in ours:
                raise WeightsError(f"This model is not our {name}: it has no {our_key}.")
            tensor = ours[our_key]
            if tensor.ndim and pair.rows is not None:
                tensor = tensor[_inverse(pair.rows)]
            if has_inputs:
                tensor = tensor[:, _inverse(pair.columns)]
            theirs[their_key] = (
                tensor.flatten(1) if has_inputs and pair.theirs in port.matrices else tensor
            )
    return theirs


def _port(name: str) -> Port:
    if name not in PORTED:
        raise WeightsError(f"There are released weights for {', '.join(PORTED)}, not for {name!r}.")
    return PORTED[name]


def _whose(name: str) -> str:
    return f"timm's {name}" if name in RELEASED else f"{PORTED[name].packages}'s {name}"


def _pick(tensor: Tensor, axis: int, order: list[int], key: str, name: str) -> Tensor:
    if tensor.ndim <= axis or tensor.shape[axis] != len(order):
        raise WeightsError(
            f"These weights are not {_whose(name)}: {key} has shape {tuple(tensor.shape)}, "
            f"but axis {axis} should have {len(order)} entries."
        )
    return (
        tensor
        if order == list(range(len(order)))
        else tensor.index_select(axis, torch.tensor(order))
    )


def _inverse(order: list[int]) -> Tensor:
    return torch.tensor(order).argsort()


def _state(name: str, source) -> dict[str, Tensor]:
    if isinstance(source, nn.Module):
        return source.state_dict()
    if isinstance(source, dict):
        return plain_names(source)
    if source is not None:
        return read_tensors(source)
    if name not in RELEASED:
        raise WeightsError(
            f"timm is asked for {', '.join(RELEASED)} only: "
            f"give {name} a model of {PORTED[name].packages} or a file."
        )
    try:
        import timm
    except ImportError:
        raise WeightsError(
            "The released weights are downloaded by timm, which is not installed: "
            "pip install timm. Or give the path of a file that you have already."
        ) from None
    tag = RELEASED[name][1]
    try:
        return timm.create_model(tag, pretrained=True).state_dict()
    except Exception as error:
        # Whatever the hub's client raises, the reader needs one sentence.
        raise WeightsError(
            f"timm could not download {tag} ({type(error).__name__}). "
            "Check the network connection, or give the path of a file that you have already."
        ) from error
