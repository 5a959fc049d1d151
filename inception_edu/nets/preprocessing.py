"""How a released network wants its pictures."""

from __future__ import annotations

from dataclasses import dataclass

import torch


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

    def __call__(self, picture) -> torch.Tensor:
        """A PIL image of any size and mode → 1×3×image×image."""
        import numpy as np
        from PIL import Image

        picture = picture.convert("RGB")
        side = int(self.image / self.crop)
        short = min(picture.size)
        size = tuple(side if s == short else int(side * s / short) for s in picture.size)
        resampling = Image.Resampling.BILINEAR if self.bilinear else Image.Resampling.BICUBIC
        picture = picture.resize(size, resampling)
        left, top = (round((s - self.image) / 2) for s in picture.size)
        picture = picture.crop((left, top, left + self.image, top + self.image))
        x = torch.from_numpy(np.asarray(picture, dtype="float32") / 255).permute(2, 0, 1)[None]
        if self.bgr:
            x = x.flip(1)
        mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (self.mean, self.std))
        return (self.top * x - mean) / std

    def __str__(self) -> str:
        mean, std = (", ".join(f"{v:.4g}" for v in vs) for vs in (self.mean, self.std))
        return (
            f"{'BGR' if self.bgr else 'RGB'} 0 to {self.top:g}, mean ({mean}), deviation ({std}); "
            f"short side to {int(self.image / self.crop)}, "
            f"{'bilinear' if self.bilinear else 'bicubic'}, centre crop {self.image}×{self.image}"
        )
