"""Claims of chapter 13, from a committed trained network."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn

from inception_edu.data import data_dir, load
from inception_edu.describe import amount, measure
from inception_edu.nets import NetworkModule, fast, load_checkpoint
from inception_edu.study.racers import title
from inception_edu.teach.claims import registered
from inception_edu.teach.machines import measured

CHECKPOINT = "fashion_inception_resnet_v2.safetensors"
IMAGES = 64


@cache
def _network() -> tuple[NetworkModule, Tensor]:
    """The trained mini network and the images that it is asked about."""
    model, _ = load_checkpoint(data_dir() / "checkpoints" / CHECKPOINT)
    clothes = load("fashion")
    return model.eval(), clothes.normalise(clothes.test.images[:IMAGES])


def _count(model: nn.Module, kind: type[nn.Module]) -> int:
    return sum(isinstance(module, kind) for module in model.modules())


@torch.inference_mode()
def _farthest(a: nn.Module, b: nn.Module, images: Tensor) -> tuple[float, bool]:
    """The largest difference of two networks' logits, and whether they name the same classes."""
    first, second = a(images), b(images)
    same = bool((first.argmax(1) == second.argmax(1)).all())
    return (first - second).abs().max().item(), same


@registered("13.fold")
def folding() -> tuple[bool, tuple[str, str]]:
    """Batch norms before and after folding, and what becomes of the answers."""
    model, images = _network()
    folded = fast.fold(model)
    before, after = (_count(net, nn.BatchNorm2d) for net in (model, folded))
    off, same = _farthest(model, folded, images)
    return before > 0 and after == 0 and same and off < 1e-3, (
        f"Folding takes all {before} batch norms out of a trained mini Inception-ResNet-v2. It "
        f"names the same class for {len(images)} of {len(images)} test images, and no logit moves "
        f"by more than {off:.0e}.",
        f"{before} batch norms folded; logits move by at most {off:.0e}.",
    )


@registered("13.merge")
def merging() -> tuple[bool, str]:
    """Convolutions before and after siblings are merged."""
    model, images = _network()
    folded = fast.fold(model)
    merged = fast.merge_siblings(folded)
    before, after = (_count(net, nn.Conv2d) for net in (folded, merged))
    blocks = _count(merged, fast.Siblings)
    off, same = _farthest(model, merged, images)
    return after < before and same and off < 1e-3, (
        f"Merging the 1×1 convolutions that read the same map leaves {after} of {before} "
        f"convolutions, in {blocks} blocks. The answers are the same again."
    )


@registered("13.little-arithmetic")
def little_arithmetic() -> tuple[bool, str]:
    """One multiply-add a value for batch norm, against those of the convolutions."""
    model, images = _network()
    convolutions, norms = measure(model.description).macs, _values_normed(model, images[:1])
    share = norms / (convolutions + norms)
    return share < 0.05, (
        "One image costs the convolutions of a mini Inception-ResNet-v2 "
        f"{amount(convolutions)} multiply-adds. Batch norm needs one for each of {amount(norms)} "
        f"values: {share:.1%} of the arithmetic."
    )


@torch.inference_mode()
def _values_normed(model: nn.Module, image: Tensor) -> int:
    """Values that pass a batch norm for one image."""
    values: list[int] = []
    hooks = [
        module.register_forward_hook(lambda m, entered, out: values.append(out.numel()))
        for module in model.modules()
        if isinstance(module, nn.BatchNorm2d)
    ]
    model(image)
    for hook in hooks:
        hook.remove()
    return sum(values)


@registered("13.replay")
def replay() -> tuple[bool, str]:
    told, ratios = [], []
    for card, row in measured("steps"):
        ratios.append(row["ordinary_ms"] / row["replayed_ms"])
        told.append(
            f"{title(row['network'])}, {row['batch_size']} images, on an {card}: "
            f"{row['ordinary_ms']:.1f} ms, replayed {row['replayed_ms']:.1f} ms, "
            f"{ratios[-1]:.1f} times as fast"
        )
    return bool(ratios) and min(ratios) > 1, (
        f"A replayed training step is faster on every machine that was measured: {'; '.join(told)}."
    )
