"""TensorFlow's and Keras's weights under the names that the PyTorch ports have.

Their files name layers in another way, keep kernels as height × width × inputs × outputs, and have
no γ in batch norm. Layers are matched by the order in which each package's own code makes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from inception_edu.nets.fit import WeightsError
from inception_edu.nets.ports import PORTED

SCOPES = {
    "InceptionV1": "googlenet_torchvision",
    "InceptionV3": "inception_v3",
    "InceptionV4": "inception_v4",
    "InceptionResnetV2": "inception_resnet_v2",
    "InceptionResnetV1": "inception_resnet_v1_released",
}
# Where the repeated blocks stand among the scopes, which are otherwise in the alphabet's order.
_PLACE = {
    "Repeat": "Mixed_5z",
    "Repeat_1": "Mixed_6z",
    "Repeat_2": "Mixed_7y",
    "Block8": "Mixed_7z",
    "Conv2d_7b_1x1": "Mixed_8",
    "Bottleneck": "Mixed_9",
}
_WORDS = {
    "weights": "kernel",
    "kernel": "kernel",
    "biases": "bias",
    "bias": "bias",
    "beta": "beta",
    "gamma": "gamma",
    "moving_mean": "mean",
    "moving_variance": "variance",
}
Layer = dict[str, Tensor]


@dataclass
class Foreign:
    """What a file of another framework holds: the key of `PORTED` that it is, its package, its
    tensors under that port's names, and what did not fit."""

    key: str
    package: str
    state: dict[str, Tensor] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)


def from_tensorflow(tensors: Mapping[str, Tensor]) -> Foreign | None:
    """slim's and facenet's checkpoints, saved with their variables' names; None for others."""
    scopes = {name.partition("/")[0] for name in tensors}
    if "InceptionV2" in scopes:
        raise WeightsError(
            "This is slim's Inception-v2, whose first convolution is cut into a depthwise and a "
            "pointwise one. No network here is described so, and none takes its weights."
        )
    scope = next((name for name in SCOPES if name in scopes), None)
    if scope is None:
        return None
    face = scope == "InceptionResnetV1"
    found = Foreign(SCOPES[scope], "facenet" if face else "slim")
    layers: dict[str, Layer] = {}
    for name, tensor in tensors.items():
        layer, _, last = name.removesuffix(":0").rpartition("/")
        layer = layer.removesuffix("/BatchNorm").removeprefix(scope + "/")
        if last not in _WORDS or layer.startswith("AuxLogits"):
            found.left_over.append(name)
        else:
            layers.setdefault(layer, {})[_WORDS[last]] = tensor
    head = [layer for layer in layers if layer.startswith("Logits")]
    body = sorted((n for n in layers if n not in head), key=_slim_order)
    _match(found, [(n, layers[n]) for n in body], [(n, layers[n]) for n in head])
    return found


def from_keras(tensors: Mapping[str, Tensor]) -> Foreign | None:
    """Keras's Inception-v3 and Inception-ResNet-v2, in HDF5 files with the layers' names; None for
    others."""
    layers: dict[str, Layer] = {}
    left = []
    for name, tensor in tensors.items():
        parts = name.removeprefix("model_weights/").split("/")
        word = parts[-1].removesuffix(":0")
        if word in _WORDS and parts[0] != "optimizer_weights":
            layers.setdefault(parts[0], {})[_WORDS[word]] = tensor
        else:
            left.append(name)
    convs = _numbered(layers, "conv2d")
    norms = _numbered(layers, "batch_normalization")
    if not convs or len(convs) != len(norms):
        return None
    residual = "block35_1_conv" in layers
    found = Foreign("inception_resnet_v2" if residual else "inception_v3", "Keras", left_over=left)
    together = iter([(conv, layers[conv] | layers[norm]) for conv, norm in zip(convs, norms)])
    used, body = {*convs, *norms}, []
    port = PORTED[found.key]
    for layer in port.layers():
        if layer == port.classifier:
            continue
        own = _keras_name(layer) if residual else None
        if own is None:
            body.append(next(together, (layer, {})))
        else:
            body.append((own, layers.get(own, {}) | layers.get(f"{own}_bn", {})))
            used |= {own, f"{own}_bn"}
    body += together
    head = [(n, layer) for n, layer in layers.items() if n not in used]
    _match(found, body, head)
    return found


def _keras_name(layer: str) -> str | None:
    """The name that Keras gives a layer of Inception-ResNet-v2; None where it only numbers it."""
    if layer in ("conv2d_7b", "block8.conv2d"):
        return "conv_7b" if layer == "conv2d_7b" else "block8_10_conv"
    block = re.fullmatch(r"(repeat|repeat_1|repeat_2)\.(\d+)\.conv2d", layer)
    kind = {"repeat": "block35", "repeat_1": "block17", "repeat_2": "block8"}
    return f"{kind[block[1]]}_{int(block[2]) + 1}_conv" if block else None


def _numbered(names: Iterable[str], start: str) -> list[str]:
    """conv2d, conv2d_1, … in the order of their numbers."""
    matches = (re.fullmatch(rf"{start}(?:_(\d+))?", name) for name in names)
    return [m[0] for m in sorted((m for m in matches if m), key=lambda m: int(m[1] or 0))]


def _slim_order(layer: str) -> list[tuple[int, int | str]]:
    top, slash, rest = layer.partition("/")
    words = re.split(r"(\d+)", _PLACE.get(top, top) + slash + rest)
    return [(0, int(w)) if w.isdigit() else (1, w) for w in words]


def _match(found: Foreign, body: list[tuple[str, Layer]], head: list[tuple[str, Layer]]) -> None:
    """Fill `found`: the body's layers are the port's in its own order, the head is its
    classifier."""
    port = PORTED[found.key]
    pairs = {pair.theirs: pair for pair in port.pairs()}
    wanted = [layer for layer in port.layers() if layer != port.classifier]
    for theirs, (name, layer) in zip(wanted, body):
        pair = pairs[theirs]
        kernel = layer.get("kernel")
        out, *rest = pair.shape(0)
        # An embedding may have any length, and is a matrix there.
        if kernel is None or (theirs not in port.matrices and _turned(kernel) != (out, *rest)):
            found.missing.append(f"{theirs} (in its place stands {name})")
            found.left_over.append(name)
            continue
        conv, norm = port.naming(theirs) if pair.norm else (theirs, "")
        found.state[f"{conv}.weight"] = _turn(kernel)
        if pair.bias:
            _take(found, layer, "bias", f"{conv}.bias", name)
        if pair.norm:
            ones = torch.ones(kernel.shape[-1])
            found.state[f"{norm}.weight"] = layer.get("gamma", ones)
            for word, key in (("beta", "bias"), ("mean", "running_mean")):
                _take(found, layer, word, f"{norm}.{key}", name)
            _take(found, layer, "variance", f"{norm}.running_var", name)
    found.missing += wanted[len(body) :]
    found.left_over += [name for name, _ in body[len(wanted) :]]
    for name, layer in head:
        if f"{port.classifier}.weight" in found.state or "kernel" not in layer:
            found.left_over.append(name)
            continue
        kernel = layer["kernel"]
        found.state[f"{port.classifier}.weight"] = _turn(kernel).flatten(1)
        _take(found, layer, "bias", f"{port.classifier}.bias", name)


def _take(found: Foreign, layer: Layer, word: str, key: str, name: str) -> None:
    if word in layer:
        found.state[key] = layer[word]
    else:
        found.missing.append(f"{key} ({name})")


def _turn(kernel: Tensor) -> Tensor:
    """Height × width × inputs × outputs → outputs × inputs × height × width; a matrix likewise."""
    order = (3, 2, 0, 1) if kernel.ndim == 4 else (1, 0)
    return kernel.permute(order).contiguous()


def _turned(kernel: Tensor) -> tuple[int, ...]:
    return tuple(_turn(kernel).shape) if kernel.ndim in (2, 4) else ()
