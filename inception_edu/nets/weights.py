"""Released ImageNet weights into our networks and back.

timm has them; `timm_plans` says which of its convolutions belongs to which of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import nn

from inception_edu.describe import (
    inception_resnet_v2_released,
    inception_v3,
    inception_v4,
)
from inception_edu.nets.build import build
from inception_edu.nets.checkpoints import WeightsError, load_tensors, plain_names, read_tensors
from inception_edu.nets.timm_plans import PLANS, Pair, all_pairs, tensors


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


def from_timm(name: str, source=None) -> nn.Module:
    """Our network with timm's weights: "inception_v3", "inception_v4" or "inception_resnet_v2";
    N×3×299×299 → N×1000.

    `source`: a timm model, a state dict, a .safetensors or .pth file, or None to have timm download
    the released ImageNet weights. Returns the module in evaluation mode. Raises `WeightsError`
    where weights cannot be had, are damaged, or belong to another network.
    """
    state = dict(_state(name, source))
    classifier = PLANS[name][1] if name in PLANS else None
    pairs = list(_pairs(name))
    if len(state.get(f"{classifier}.weight", ())) == 1001:
        # TensorFlow's checkpoints have a background class in row 0.
        state |= {key: state[key][1:] for key in (f"{classifier}.weight", f"{classifier}.bias")}
    classes = len(state[f"{classifier}.weight"]) if f"{classifier}.weight" in state else 1000
    ours = {}
    for pair in pairs:
        for our_key, their_key, has_inputs in tensors(pair):
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
    load_tensors(model, ours, f"timm's {name}")
    return model.eval()


def to_timm(name: str, model: nn.Module) -> dict[str, torch.Tensor]:
    """The weights of our network as a state dict that timm's model of that name loads."""
    ours, theirs = model.state_dict(), {}
    for pair in _pairs(name):
        for our_key, their_key, has_inputs in tensors(pair):
            if our_key not in ours:
                raise WeightsError(f"This model is not our {name}: it has no {our_key}.")
            tensor = ours[our_key]
            if tensor.ndim and pair.rows is not None:
                tensor = tensor[_inverse(pair.rows)]
            theirs[their_key] = tensor[:, _inverse(pair.columns)] if has_inputs else tensor
    return theirs


def _pairs(name: str) -> Iterator[Pair]:
    if name not in RELEASED:
        raise WeightsError(
            f"There are released weights for {', '.join(RELEASED)}, not for {name!r}."
        )
    return all_pairs(name, RELEASED[name][0]())


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
