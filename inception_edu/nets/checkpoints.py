"""Tensors in files: safetensors and PyTorch's own, and small checkpoints of this project.

Only tensors are read from files, never code.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from inception_edu.describe import Network, make
from inception_edu.nets.build import build
from inception_edu.nets.fit import WeightsError, misfit, plain_names
from inception_edu.nets.modules import NetworkModule

KERAS_WEIGHTS = "model.weights.h5"  # in a .keras archive
TABLE_END = bytes.fromhex("57fb808b247547db")  # of LevelDB's tables, which TensorFlow writes


def read_tensors(path: str | os.PathLike) -> dict[str, torch.Tensor]:
    """The tensors of a file, read without running any code in it: PyTorch's (.pth, .pt, .bin),
    .safetensors, NumPy's .npz, or Keras's HDF5 (.h5, .weights.h5, .keras).

    Raises `WeightsError` where the file is missing, truncated, or holds something else.
    """
    return read_file(path)[0]


def read_file(path: str | os.PathLike) -> tuple[dict[str, torch.Tensor], str]:
    """The tensors of a file and its kind: "PyTorch", "safetensors", "NumPy", "HDF5" or "Keras" (an
    archive with HDF5 in it). What the file is, its bytes say, not its name. Raises as
    `read_tensors`."""
    if not isinstance(path, (str, os.PathLike)):
        raise WeightsError(f"The path of a file is asked for, got a {type(path).__name__}.")
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"There is no file {path}.")
    if _is_tensorflow(path):
        raise WeightsError(
            f"{path.name} is a checkpoint of TensorFlow, which only TensorFlow reads: write its "
            "variables with numpy.savez under their names, then give the .npz."
        )
    try:
        kind = _kind(path)
        state = _READERS[kind](path)
    except ImportError as error:
        raise WeightsError(
            f"{path.name} is a file of kind {kind}, which {error.name} reads: "
            f"pip install {error.name}."
        ) from None
    except Exception as error:  # noqa: BLE001 - damaged files raise many kinds
        raise WeightsError(
            f"{path.name} cannot be read as a file of tensors: it is truncated, damaged, or holds "
            f"something other than tensors ({type(error).__name__})."
        ) from None
    for inner in ("state_dict", "model_state_dict", "model", "net"):
        if isinstance(state, dict) and isinstance(state.get(inner), dict):
            state = state[inner]
    if not (
        isinstance(state, dict)
        and state
        and all(isinstance(v, torch.Tensor) for v in state.values())
    ):
        raise WeightsError(f"{path.name} holds no dictionary of tensors.")
    return plain_names(state), kind


def _kind(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(9)
    if start.startswith(b"\x89HDF"):
        return "HDF5"
    if start[8:9] == b"{":  # after eight bytes that say how long the description is
        return "safetensors"
    if start.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            if all(name.endswith(".npy") for name in archive.namelist()):
                return "NumPy"
            if KERAS_WEIGHTS in archive.namelist():
                return "Keras"
    return "PyTorch"


def _is_tensorflow(path: Path) -> bool:
    """A table of TensorFlow's: a V1 checkpoint, or the index of a V2 one; or the latter's data."""
    if re.search(r"\.data-\d+-of-\d+$", path.name):
        return True
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 8))
        return file.read() == TABLE_END


def _safetensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(path)


def _numpy(path: Path) -> dict[str, torch.Tensor]:
    import numpy as np

    with np.load(path, allow_pickle=False) as arrays:
        return {name: torch.from_numpy(np.array(arrays[name])) for name in arrays.files}


def _hdf5(path: Path | BytesIO) -> dict[str, torch.Tensor]:
    h5py = import_module("h5py")  # where a reader has such a file: no chapter needs it
    found: dict[str, torch.Tensor] = {}
    with h5py.File(path, "r") as file:

        def visit(name: str, item: object) -> None:
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiu":
                found[_keras_3(name, item)] = torch.from_numpy(item[()].reshape(item.shape))

        file.visititems(visit)
    return found


def _keras_archive(path: Path) -> dict[str, torch.Tensor]:
    """A .keras file: only its weights are read, not the configuration, which may name code."""
    with zipfile.ZipFile(path) as archive:
        return _hdf5(BytesIO(archive.read(KERAS_WEIGHTS)))


# The order in which Keras 3 stores a layer's variables, by the layer's class and their number.
_VARIABLES = {
    ("conv2d", 1): ("kernel",),
    ("conv2d", 2): ("kernel", "bias"),
    ("dense", 2): ("kernel", "bias"),
    ("batch_normalization", 3): ("beta", "moving_mean", "moving_variance"),
    ("batch_normalization", 4): ("gamma", "beta", "moving_mean", "moving_variance"),
}


def _keras_3(name: str, item: Any) -> str:
    """A variable's name in a .weights.h5 file of Keras 3, "layers/conv2d_7/vars/0", as .h5 files
    have it: layer/kernel. There the layer is only numbered; newer versions note its name beside the
    variables."""
    match = re.fullmatch(r"layers/(\w+?)(?:_\d+)?/vars/(\d+)", name)
    layer = item.parent.attrs.get("name")
    words = _VARIABLES.get((match[1], len(item.parent))) if match else None
    return f"{layer}/{words[int(match[2])]}" if match and words and layer else name


_READERS = {
    "PyTorch": lambda path: torch.load(path, map_location="cpu", weights_only=True),
    "safetensors": _safetensors,
    "NumPy": _numpy,
    "HDF5": _hdf5,
    "Keras": _keras_archive,
}


def load_tensors(model: nn.Module, state: dict[str, torch.Tensor], what: str) -> None:
    try:
        model.load_state_dict(state)
    except (RuntimeError, WeightsError) as error:
        raise WeightsError(
            f"The weights of {what} do not fit the network: "
            f"{misfit(model.state_dict(), state) or error}."
        ) from None


def save_checkpoint(
    path: str | os.PathLike, model: nn.Module, network: dict, half: bool = True, **facts
) -> None:
    """Write a built network to one .safetensors file: its tensors, and as metadata how to make it
    and what is known.

    `network` is a recipe for `networks.make`; `facts` (data, accuracy, command, …) must be JSON.
    With `half` the kernels are stored with 16 bits. The file appears whole or not at all. Raises
    `WeightsError` where the recipe is none, or not that of the model, or `facts` are no JSON.
    """
    path = Path(path)
    _check_recipe(model, network)
    try:
        metadata = {"network": json.dumps(network), "facts": json.dumps(facts)}
    except (TypeError, ValueError) as error:
        raise WeightsError(
            f"Facts are kept as JSON (numbers, text, lists and dicts), but: {error}."
        ) from None
    # Vectors (biases, batch-norm statistics) stay whole: they are few, and a variance may exceed
    # what 16 bits hold.
    tensors = {
        key: (value.half() if half and value.ndim > 1 else value).contiguous().cpu()
        for key, value in model.state_dict().items()
    }
    write_whole(path, tensors, metadata)


def write_whole(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write tensors under another name, then rename: the file is there whole or not at all."""
    from safetensors.torch import save_file

    part = path.with_name(path.name + ".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, part, metadata)
    part.chmod(0o644)  # safetensors makes files that only their owner can read
    os.replace(part, path)


def _check_recipe(model: nn.Module, network: object) -> None:
    if not isinstance(model, nn.Module):
        raise WeightsError(f"A built network can be saved, got a {type(model).__name__}: build it.")
    if not isinstance(network, dict) or "kind" not in network:
        raise WeightsError(
            "A checkpoint holds the words from which `make` makes its network, such as "
            f"dict(kind='tower', width=8, depth=1); got a {type(network).__name__}."
        )
    own = build(make(**network), init="empty").state_dict()
    if wrong := misfit(own, model.state_dict()):
        raise WeightsError(f"The model is not the network that {network} makes: {wrong}.")


def load_checkpoint(path: str | os.PathLike) -> tuple[NetworkModule, dict]:
    """The network of a checkpoint that `save_checkpoint` wrote, in evaluation mode, and its facts.

    Raises `WeightsError` where the file is missing, damaged, or not one of ours.
    """
    from safetensors import safe_open

    tensors, kind = read_file(path)
    path = Path(path)
    metadata: dict[str, str] = {}
    if kind == "safetensors":
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
    if "network" not in metadata:
        raise WeightsError(
            f"{path.name} is not a checkpoint of this project: it does not say which network it "
            f"holds. Weights of others: passport({path.name!r}) says whose they are."
        )
    network: Network = make(**json.loads(metadata["network"]))
    model = build(network, init="empty")
    load_tensors(
        model, {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}, path.name
    )
    return model.eval(), json.loads(metadata.get("facts", "{}"))
