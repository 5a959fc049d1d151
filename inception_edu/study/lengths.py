"""‖a‖² of the full networks before any training: a is the vector that enters the classifier.

    python -m inception_edu.study lengths      data/results/lengths.json: fresh weights, five seeds
    committed_lengths()                        {network: Lengths}

One step of SGD at rate η moves an image's own logits by about η ‖a‖² (p − y) if it were alone in
the batch. The released Inception-ResNet-v2 has a 1×1 convolution with batch norm before the
pooling, which the paper's has not: `before` is ‖a‖² as the pooling would give it without that
layer.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from inception_edu.data import load
from inception_edu.describe import networks
from inception_edu.nets.build import build, named_blocks
from inception_edu.study.results import RESULTS, versions, write_whole
from inception_edu.study.statistics import Cell

IMAGE, BATCH, SEEDS = 139, 8, range(5)
NETWORKS = {
    "Inception-v4": lambda: networks.inception_v4(),
    "Inception-ResNet-v1, scale 1": lambda: networks.inception_resnet_v1(1.0),
    "Inception-ResNet-v2, scale 1": lambda: networks.inception_resnet_v2(1.0),
    "Inception-ResNet-v2, scale 0.3": lambda: networks.inception_resnet_v2(0.3),
    "Inception-ResNet-v2, scale 0.1": lambda: networks.inception_resnet_v2(0.1),
    "Inception-ResNet-v2 as released": lambda: networks.inception_resnet_v2_released(),
}


@dataclass(frozen=True)
class Lengths:
    """Mean ‖a‖² over a batch, one number a seed; `before`: of what enters the last block."""

    name: str
    values: tuple[float, ...]
    before: tuple[float, ...]

    @property
    def cell(self) -> Cell:
        return Cell(self.name, self.values)


@torch.no_grad()
def squared_lengths(model: nn.Module, images: torch.Tensor) -> tuple[float, float]:
    """Mean ‖a‖² of N×3×H×W images, and the same of the pooled input of the last block. Measured as
    in training, with the batch's own statistics."""
    seen: dict[str, torch.Tensor] = {}
    last = named_blocks(model)[-1][1]
    classifier = model.get_submodule("classifier")
    hooks = [
        classifier.register_forward_hook(lambda m, i, o: seen.update(a=i[0])),
        last.register_forward_hook(lambda m, i, o: seen.update(before=i[0].mean((2, 3)))),
    ]
    model.train()
    for part in model.modules():
        if isinstance(part, nn.Dropout):
            part.eval()
    model(images)
    for hook in hooks:
        hook.remove()
    a, before = (seen[key].square().sum(1).mean().item() for key in ("a", "before"))
    return a, before


def measure_lengths(path: Path | None = None) -> Path:
    """Build every network with every seed, measure, and write the committed file."""
    data = load(f"scales:{IMAGE}", device="cpu", limit=BATCH)
    images = data.normalise(data.train.images[:BATCH])
    found = []
    for name, make in NETWORKS.items():
        pairs = [squared_lengths(build(make(), seed=seed), images) for seed in SEEDS]
        values, before = (tuple(float(f"{x:.4g}") for x in column) for column in zip(*pairs))
        found.append(asdict(Lengths(name, values, before)))
        print(name, values, before, flush=True)
    content = {
        "question": "How long is the vector that enters the classifier before any training?",
        "image": IMAGE,
        "batch": BATCH,
        "data": data.name,
        "versions": versions(),
        "networks": found,
    }
    path = path or RESULTS / "lengths.json"
    write_whole(path, json.dumps(content, ensure_ascii=False) + "\n")
    return path


def committed_lengths() -> dict[str, Lengths]:
    """The committed measurement, by network."""
    content = json.loads((RESULTS / "lengths.json").read_text(encoding="utf-8"))
    found = {}
    for row in content["networks"]:
        found[row["name"]] = Lengths(row["name"], tuple(row["values"]), tuple(row["before"]))
    return found
