"""How a released network wants its pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class Preprocessing:
    """How a released network wants its images: resize the short side to image/crop, centre crop, (x
    − mean) / std, with x in 0..`top` and bicubic interpolation, or bilinear. `bgr`: the channels
    in the order blue, green, red.
    """

    image: int
    crop: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    bilinear: bool = False
    bgr: bool = False
    top: float = 1.0

    def __call__(self, picture: Image.Image) -> torch.Tensor:
        """A PIL image of any size and mode → 1×3×image×image."""
        return self.transform(picture.convert("RGB"))[None]

    @property
    def transform(self) -> Callable[[Image.Image], torch.Tensor]:
        """The steps by torchvision's transforms: an RGB image of PIL → 3×image×image."""
        from torchvision.transforms import v2

        mode = v2.InterpolationMode
        steps = [
            v2.Resize(
                int(self.image / self.crop), mode.BILINEAR if self.bilinear else mode.BICUBIC
            ),
            v2.CenterCrop(self.image),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
        ]
        if self.bgr:
            steps.append(v2.Lambda(lambda x: x.flip(0)))
        # (top · x − mean) / std, as Normalize writes it for x in 0..1.
        means = [value / self.top for value in self.mean]
        stds = [value / self.top for value in self.std]
        return v2.Compose([*steps, v2.Normalize(means, stds), v2.ToPureTensor()])

    def __str__(self) -> str:
        mean, std = (", ".join(f"{v:.4g}" for v in vs) for vs in (self.mean, self.std))
        return (
            f"{'BGR' if self.bgr else 'RGB'} 0 to {self.top:g}, mean ({mean}), deviation ({std}); "
            f"short side to {int(self.image / self.crop)}, "
            f"{'bilinear' if self.bilinear else 'bicubic'}, centre crop {self.image}×{self.image}"
        )
