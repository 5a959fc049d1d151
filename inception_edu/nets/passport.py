"""Which network a file of weights holds, whose names it uses, and whether it fits ours.

No code from the file is ever run. What a file cannot say is what its package's own code says.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from inception_edu.describe import (
    Network,
    Pool,
    Table,
    facenet,
    inception_v3,
    leaves,
)
from inception_edu.nets.checkpoints import read_file
from inception_edu.nets.fit import WeightsError
from inception_edu.nets.foreign import Foreign, from_keras, from_tensorflow
from inception_edu.nets.ports import PORTED
from inception_edu.nets.preprocessing import Preprocessing
from inception_edu.nets.weights import with_weights

ENOUGH = 0.5  # of all names known or found, those that agree: below, it is another network
_COUNTER = "num_batches_tracked"


@dataclass(frozen=True, repr=False)
class Passport:
    """What is known of a file of weights. `load()` gives our network with them.

    `key` is the key of `PORTED`, `package` whose names the file uses, `kind` the kind of file;
    `missing` and `left_over` are names of tensors; `notes` are sentences.
    """

    file: str
    kind: str
    key: str
    package: str
    description: Network
    background: bool
    prepare: Preprocessing
    missing: tuple[str, ...] = ()
    left_over: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    state: Mapping[str, Tensor] = field(default_factory=dict, compare=False)

    @property
    def classes(self) -> int:
        """The classes without a background row; 0 where the file has no classifier."""
        rows = self.state.get(f"{PORTED[self.key].classifier}.weight", ())
        return len(rows) - self.background

    @property
    def loads(self) -> bool:
        """Whether nothing but the classifier is missing."""
        return not [name for name in self.missing if not _is_head(self.key, name)]

    def load(self, classes: int | None = None, seed: int = 0) -> nn.Module:
        """Our network with the file's weights, in evaluation mode.

        Where the file has no classifier, one for `classes` (None: the description's) is drawn with
        `seed`. Raises `WeightsError` where a tensor is missing.
        """
        if not self.loads:
            raise WeightsError(
                f"{self.file} cannot be loaded: {len(self.missing)} of its tensors are missing, "
                f"the first is {self.missing[0]}."
            )
        state = dict(self.state)
        classifier = PORTED[self.key].classifier
        if not self.classes:
            features = next(iter(self._last_pair()))
            count = self.description.classes if classes is None else classes
            generator = torch.Generator().manual_seed(seed)
            weight = torch.rand(count, features, generator=generator) * 2 - 1
            state[f"{classifier}.weight"] = weight / features**0.5
            state[f"{classifier}.bias"] = torch.zeros(count)
        return with_weights(self.key, state, self.background, self.description)

    def _last_pair(self):
        pairs = PORTED[self.key].pairs(self.description)
        yield from (len(p.columns) for p in pairs if p.ours == "classifier")

    def table(self) -> Table:
        """All of it, a row each."""
        classes = f"{self.classes}" if self.classes else "no classifier"
        background = " and a background row before them" if self.background else ""
        turned = self.kind in ("HDF5", "Keras") or self.package in ("slim", "facenet")
        gamma = "no γ in the file (1 is used)" if turned else "with γ"
        rows = [
            ("file", f"{self.file}, {self.kind}"),
            ("network", f"{self.description.name} ({self.key})"),
            ("names of", self.package),
            ("classes", classes + background),
            ("batch norm", f"ε {self.description.norm_eps:g}, {gamma}"),
            ("padding", _padding(self.description, turned)),
            ("kernels", _kernels(self.key, turned)),
            ("pictures", str(self.prepare)),
            ("missing", _some(self.missing)),
            ("left over", _some(self.left_over)),
            ("loads into ours", "yes" if self.loads else "no"),
        ]
        rows += [("note", note) for note in self.notes]
        return Table(("",), tuple((row, (cell,)) for row, cell in rows), marked=False)

    def __str__(self) -> str:
        return str(self.table())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def passport(path: str | os.PathLike) -> Passport:
    """What a file of weights holds: a file of PyTorch, safetensors, NumPy (slim's and facenet's
    variables under their names) or Keras's HDF5.

    Raises `WeightsError` where the file cannot be read or is of no network that is known here.
    """
    tensors, kind = read_file(path)
    foreign = from_keras(tensors) if kind in ("HDF5", "Keras") else from_tensorflow(tensors)
    if foreign is not None:
        return _of_foreign(Path(path).name, kind, foreign)
    found = _names(tensors)
    key = max(PORTED, key=lambda name: _share(name, found))
    if _share(key, found) < ENOUGH:
        numbered = kind in ("HDF5", "Keras") and all(
            n.startswith(("layers/", "_layer")) for n in tensors
        )
        advice = (
            " Some versions of Keras 3 only number the layers in such a file: "
            'write model.save("name.h5") there.'
            if numbered
            else ""
        )
        raise WeightsError(
            f"{Path(path).name} holds no network that is known here ({', '.join(PORTED)}): its "
            f"first tensors are called {', '.join(list(tensors)[:3])}.{advice}"
        )
    return _of_names(Path(path).name, kind, key, tensors)


def _of_names(file: str, kind: str, key: str, tensors: dict[str, Tensor]) -> Passport:
    port, notes = PORTED[key], []
    state = dict(tensors)
    wanted = _wanted(key)
    classifier = f"{port.classifier}.weight"
    if classifier not in state:
        features = wanted[classifier][1]
        heads = [
            n
            for n, t in state.items()
            if n not in wanted and n.endswith(".weight") and t.ndim == 2 and t.shape[1] == features
        ]
        if len(heads) == 1:
            old = heads[0].removesuffix(".weight")
            for end in (".weight", ".bias"):
                if old + end in state:
                    state[port.classifier + end] = state.pop(old + end)
            notes.append(f"The classifier is called {old} in the file, {port.classifier} usually.")
    for name, shape in wanted.items():
        if name in state and state[name].ndim and not _fits(key, name, state[name], shape):
            notes.append(f"{name} is {tuple(state[name].shape)} in the file, {shape} expected.")
    wrong = [note.split(" ")[0] for note in notes if note.endswith("expected.")]
    missing = tuple(n for n in wanted if n not in state or n in wrong)
    left = tuple(n for n in state if n not in wanted and not n.endswith(_COUNTER))
    description = port.describe()
    if key == "inception_resnet_v1_released" and "last_linear.weight" in state:
        description = facenet(embedding=len(state["last_linear.weight"]))
    notes += _remarks(key)
    rows = len(state.get(classifier, ()))
    package = port.packages
    if rows == 1001 and "Cadene" in package:
        package = "Cadene"
    if key == "inception_v4" and rows == 1001:
        notes.append("timm's file has 1000 classes; 1001 are in Cadene's with the background.")
    return Passport(
        *(file, kind, key, package, description, rows == 1001, port.prepare),
        *(missing, left, tuple(notes), state),
    )


def _of_foreign(file: str, kind: str, found: Foreign) -> Passport:
    port = PORTED[found.key]
    description = port.describe()
    if found.key == "inception_v3":
        # TensorFlow's averages leave padded zeros out.
        description = inception_v3(count_padding=False)
    if found.key == "inception_resnet_v1_released" and "last_linear.weight" in found.state:
        description = facenet(embedding=len(found.state["last_linear.weight"]))
    state = found.state
    if f"{port.classifier}.weight" not in state:
        found.missing.append(f"{port.classifier}.weight")
    rows = len(state.get(f"{port.classifier}.weight", ()))
    return Passport(
        *(file, kind, found.key, found.package, description, rows == 1001),
        replace(port.prepare, bilinear=True) if found.package == "slim" else port.prepare,
        *(
            tuple(found.missing),
            tuple(found.left_over),
            tuple(_remarks(found.key, found.package)),
            state,
        ),
    )


def _remarks(key: str, package: str = "") -> list[str]:
    if (key, package) == ("googlenet_torchvision", "slim"):
        return [
            "slim's first convolution pads two zeros before the picture and three behind it, ours "
            "and torchvision's three on both sides."
        ]
    if key.startswith("resn"):
        return [
            "Where a block's stride sits cannot be seen in weights: torchvision and timm have it "
            "on the 3×3, He et al. on the first 1×1."
        ]
    if key == "googlenet_torchvision_aux":
        return [
            "torchvision pools 14×14 to 4×4 before an auxiliary head by other windows than the "
            "paper, so its heads compute something else here; the classifier does not."
        ]
    return []


def _names(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {n: tuple(t.shape) for n, t in tensors.items() if not n.endswith(_COUNTER)}


@cache
def _wanted(key: str) -> dict[str, tuple[int, ...]]:
    """The names of a port's tensors, counters left out, and their shapes."""
    port = PORTED[key]
    classes, wanted = port.describe().classes, {}
    for pair in port.pairs():
        shape = pair.shape(classes)
        for _, name, has_inputs in port.tensors(pair):
            if not name.endswith(_COUNTER):
                wanted[name] = shape if has_inputs else shape[:1]
    return wanted


def _is_head(key: str, name: str) -> bool:
    return name.startswith(f"{PORTED[key].classifier}.")


def _fits(key: str, name: str, tensor: Tensor, wanted: tuple[int, ...]) -> bool:
    """Whether a tensor has the shape that is wanted; classes and an embedding may be any number."""
    shape, count = tuple(tensor.shape), 1
    if name.startswith(("last_linear.", "last_bn.", "logits.")) and "resnet_v1" in key:
        return True
    if not _is_head(key, name) and ".fc" not in name:
        count = 0
    if len(shape) != len(wanted):
        return tensor.numel() == torch.Size(wanted).numel()
    return shape[count:] == wanted[count:]


def _share(key: str, found: Mapping[str, tuple[int, ...]]) -> float:
    """Of all names that the port has or the file has, the share that both have in one shape."""
    wanted = _wanted(key)
    same = sum(
        name in found and (found[name] == shape or _is_head(key, name))
        for name, shape in wanted.items()
    )
    return same / len({*wanted, *found})


def _padding(network: Network, tensorflow: bool) -> str:
    pools = [
        leaf
        for block in network.blocks
        for leaf in leaves(block.node)
        if isinstance(leaf, Pool) and leaf.kind == "avg" and leaf.padding == "same"
    ]
    words = "same where a layer keeps the grid"
    strided = any(
        getattr(leaf, "stride", 1) > 1 and leaf.padding == "same"
        for block in network.blocks
        for leaf in leaves(block.node)
    )
    words += ", the same zeros on both sides where it halves it" if strided else ", else valid (V)"
    if pools:
        counted = any(pool.count_padding for pool in pools)
        words += f"; averages {'count' if counted else 'leave out'} padded zeros"
    return words + (" (TensorFlow's rule)" if tensorflow and pools else "")


def _kernels(key: str, turned: bool) -> str:
    words = (
        "height × width × inputs × outputs, turned when loaded"
        if turned
        else "outputs × inputs × height × width"
    )
    if key == "inception_v4":
        words += "; 1×n and n×1 in the released order, not the paper's figures'"
    return words


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more if names else "nothing"
