"""One network at several steps of its training, in one small safetensors file.

    save_steps(path, network, {10: state, 50: state}, seed=0)
    model, facts = load_step(path, 50)

Kernels and matrices are stored with 8 bits and one scale for each output channel: a quarter of what
float32 takes, and far less than training changes. Vectors (biases, batch norms) stay whole.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch
from torch import Tensor, nn

from inception_edu.describe import make
from inception_edu.nets.build import build
from inception_edu.nets.checkpoints import write_whole
from inception_edu.nets.fit import WeightsError

SCALE = ".scale"  # ends the name of a tensor's scales


def pack(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a state dict in 8 bits. A tensor out×… becomes int8 of the same shape and
    scales float32 out×1×…; vectors and numbers stay as they are. The error of a value is at most
    half of its scale, which is the 127th part of the channel's largest value."""
    packed = {}
    for key, value in state.items():
        value = value.detach().cpu().contiguous()
        if value.ndim < 2:
            packed[key] = value.clone()
            continue
        others = tuple(range(1, value.ndim))
        scale = value.abs().amax(others, keepdim=True) / 127
        scale = torch.where(scale > 0, scale, torch.ones_like(scale))
        packed[key] = (value / scale).round().to(torch.int8)
        packed[key + SCALE] = scale
    return packed


def unpack(packed: dict[str, Tensor]) -> dict[str, Tensor]:
    """What `pack` packed, as float32."""
    state = {}
    for key, value in packed.items():
        if key.endswith(SCALE):
            continue
        scale = packed.get(key + SCALE)
        state[key] = value if scale is None else value.float() * scale
    return state


def save_steps(
    path: str | os.PathLike, network: dict, states: dict[int, dict[str, Tensor]], **facts
) -> None:
    """Write the states of one network, by step, to one file.

    `network` is a recipe for `networks.make`; `facts` (accuracy by step, command, …) must be JSON.
    The file appears whole or not at all.
    """
    path = Path(path)
    tensors = {}
    for step, state in states.items():
        for key, value in pack(state).items():
            tensors[f"{step}/{key}"] = value
    metadata = {"network": json.dumps(network), "facts": json.dumps(facts)}
    write_whole(path, tensors, metadata)


def steps(path: str | os.PathLike) -> tuple[list[int], dict]:
    """The steps in a file, in order, and its facts. Raises `WeightsError` where there is no such
    file."""
    with _open(path) as file:
        found = {int(key.partition("/")[0]) for key in file.keys()}
        return sorted(found), json.loads(file.metadata()["facts"])


def load_step(path: str | os.PathLike, step: int) -> tuple[nn.Module, dict]:
    """The network as it was after `step` steps, in evaluation mode, and the file's facts. Raises
    `WeightsError` where the file or the step is missing."""
    with _open(path) as file:
        prefix = f"{step}/"
        keys = [key for key in file.keys() if key.startswith(prefix)]
        if not keys:
            known = sorted({int(key.partition("/")[0]) for key in file.keys()})
            raise WeightsError(f"{Path(path).name} holds the steps {known}, not step {step}.")
        packed = {key.removeprefix(prefix): file.get_tensor(key) for key in keys}
        metadata = file.metadata()
    model = build(make(**json.loads(metadata["network"])), init="torch")
    model.load_state_dict(unpack(packed))
    return model.eval(), json.loads(metadata["facts"])


def _open(path):
    from safetensors import safe_open

    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"There is no file {path}.")
    return safe_open(path, "pt")
