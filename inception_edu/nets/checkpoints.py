"""Tensors in files: safetensors and PyTorch's own, and small checkpoints of this project.

Only tensors are read from files, never code.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch
from torch import nn

from inception_edu.describe import Network, make
from inception_edu.nets.build import build
from inception_edu.nets.modules import NetworkModule


class WeightsError(ValueError):
    """Weights that cannot be had or do not fit. The message is a sentence for the reader."""


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


def load_tensors(model: nn.Module, state: dict[str, torch.Tensor], what: str) -> None:
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        lines = str(error).splitlines()
        raise WeightsError(
            f"The weights of {what} do not fit the network: "
            f"{lines[1].strip() if lines[1:] else error}"
        ) from None


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


def load_checkpoint(path: str | os.PathLike) -> tuple[NetworkModule, dict]:
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
            f"{path.name} is not a checkpoint of this project: "
            "it does not say which network it holds."
        )
    network: Network = make(**json.loads(metadata["network"]))
    model = build(network, init="empty")
    load_tensors(
        model, {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}, path.name
    )
    return model.eval(), json.loads(metadata.get("facts", "{}"))
