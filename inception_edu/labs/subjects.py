"""What the lab of a network's inside can look into: trained networks, and pictures that they know.

Subject(my_module, prepare, classes)             a module of one's own
checkpoint("fashion_inception_resnet_v2")        one of data/checkpoints/
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from inception_edu.data.errors import DataError
from inception_edu.data.paths import data_dir, downloads_dir
from inception_edu.data.pictures import PictureError, folder_pictures, read_picture
from inception_edu.data.sources import load
from inception_edu.data.types import Data, evenly
from inception_edu.nets import load_checkpoint
from inception_edu.nets.steps import load_step, steps

CLOTHES = "mini Inception-ResNet-v2 on clothes"
TOWER = "tower that dies, on clothes"
# By name: the file in data/checkpoints/, and the files or steps of its training.
CHECKPOINTS = {
    CLOTHES: "fashion_inception_resnet_v2",
    "mini Inception-ResNet-v2 on photographs": "inception_resnet_v2",
    "mini Inception-v4 on photographs": "inception_v4",
    TOWER: "dying_before",
}
LOOKED = 200  # test images among which pictures are looked for
HARD = 2  # pictures that the network gets wrong are offered too


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture: uint8 3×H×W, its name, the right answer (where it is known), where it comes from,
    and what was done to it when it was read."""

    name: str
    pixels: np.ndarray
    label: str = ""
    source: str = ""
    said: str = ""

    @property
    def image(self):
        """As a PIL image."""
        from PIL import Image

        return Image.fromarray(np.ascontiguousarray(self.pixels.transpose(1, 2, 0)))


@dataclass(frozen=True, eq=False)
class Subject:
    """A network to look into.

    model      any module that maps 1×3×H×W to 1×classes
    prepare    a PIL image → its input, 1×3×H×W; with `sizes`, prepare(image, side)
    classes    their names
    sizes      the sides in pixels at which a picture may enter, the usual one first
    pictures   gives the pictures of classes that it knows (without: those of the lab)
    data       gives the images in which to look for what excites a channel
    steps      by step, what gives the network as it was then
    step       which of them `model` is (None: the last)
    """

    model: nn.Module
    prepare: Callable
    classes: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    pictures: Callable[[], list[Picture]] | None = None
    data: Callable[[], Data | None] | None = None
    steps: dict[int, Callable[[], nn.Module]] = field(default_factory=dict)
    step: int | None = None

    def enter(self, picture: Picture, side: int | None = None) -> Tensor:
        """The network's input, 1×3×H×W."""
        if self.sizes:
            return self.prepare(picture.image, side or self.sizes[0])
        return self.prepare(picture.image)

    def name_of(self, k: int) -> str:
        return self.classes[k] if k < len(self.classes) else f"class {k}"


@cache
def clothes() -> Data:
    """The embedded images, on the CPU."""
    return load("fashion", device="cpu")


@cache
def photographs() -> Data | None:
    """Test images of the reader's own copy of the photographs, where there is one already
    (INCEPTION_EDU_PHOTOGRAPHS, or CIFAR-10 read before); nothing is downloaded for it."""
    source = os.environ.get("INCEPTION_EDU_PHOTOGRAPHS")
    if source is None and (downloads_dir() / "cifar10.safetensors").is_file():
        source = "cifar10"
    if source is None:
        return None
    try:
        return load(source, device="cpu", limit=(10, 2000))
    except DataError:
        return None


@cache
def cat() -> Picture:
    """The one photograph that comes with the project."""
    pixels, _ = read_picture(data_dir() / "pictures" / "cat.jpg")
    words = "photograph by Stefan van der Walt, CC0, from scikit-image's data"
    return Picture("a cat", pixels, "cat", words)


def checkpoint(name: str) -> Subject:
    """A network of data/checkpoints/ by its file's name, with pictures that it knows. Raises
    `weights.WeightsError` where it is missing."""
    folder = data_dir() / "checkpoints"
    model, facts = load_checkpoint(folder / f"{name}.safetensors")
    usual = model.description.image
    mean, std = (torch.tensor(facts[key]).view(1, -1, 1, 1) for key in ("mean", "std"))

    def prepare(picture, side: int = usual) -> Tensor:
        small = square(picture).resize((side, side))
        pixels = torch.from_numpy(np.asarray(small, dtype=np.float32) / 255)
        return (pixels.permute(2, 0, 1)[None] - mean) / std

    embedded = facts["data"] == "fashion"
    subject = Subject(
        model,
        prepare,
        tuple(facts["classes"]),
        # The average pool takes a map of any size: a small network can look at a larger picture.
        (usual, 2 * usual, 4 * usual),
        data=clothes if embedded else photographs,
        steps=_steps(name, model, facts),
        step=facts["steps"],
    )
    return replace(subject, pictures=lambda: known_pictures(subject))


def own_subject(model: nn.Module, data: Data) -> Subject:
    """A network that was trained on `data`, to be looked into with the test pictures of `data`."""
    usual, grey = data.image, data.train.images.shape[1] == 1

    def prepare(picture, side: int = usual) -> Tensor:
        small = square(picture).resize((side, side)).convert("L" if grey else "RGB")
        pixels = torch.from_numpy(np.array(small, dtype=np.uint8))
        return data.normalise(pixels[None, None] if grey else pixels.permute(2, 0, 1)[None])

    subject = Subject(
        model.eval(),
        prepare,
        data.classes,
        (usual, 2 * usual, 4 * usual),
        data=lambda: data,
    )
    return replace(subject, pictures=lambda: known_pictures(subject))


def _steps(name: str, model: nn.Module, facts: dict) -> dict[int, Callable[[], nn.Module]]:
    folder = data_dir() / "checkpoints"
    found: dict[int, Callable[[], nn.Module]] = {}
    if name.startswith("dying"):
        for when in ("before", "after"):
            path = folder / f"dying_{when}.safetensors"
            if path.is_file():
                tower, known = load_checkpoint(path)
                found[known["steps"]] = partial(_itself, tower)
        return found
    path = folder / "steps" / f"{name}.safetensors"
    if not path.is_file():
        return {}
    for step in steps(path)[0]:
        found[step] = partial(_after, path, step)
    return found | {facts["steps"]: partial(_itself, model)}


def _itself(model: nn.Module) -> nn.Module:
    return model


def _after(path: Path, step: int) -> nn.Module:
    return load_step(path, step)[0]


def known_pictures(subject: Subject) -> list[Picture]:
    """Pictures of the classes that a network knows: of each class the first test image that it
    names rightly, so that the first answer is right, then some that it gets wrong. Without a data
    set, the cat."""
    data = subject.data() if subject.data else None
    if data is None:
        return [cat()]
    # Evenly from the classes: a folder's images are sorted by class.
    some = evenly(data.test.labels.numpy(), LOOKED)
    images = data.test.images[some]
    with torch.no_grad():
        subject.model.eval()
        said = subject.model(_to_model(subject.model, data.normalise(images))).argmax(1).cpu()
    found: list[Picture] = []
    wrong: list[Picture] = []
    kinds = set()
    labels = data.test.labels[some].tolist()
    for i, pixel, label, answer in zip(some.tolist(), images, labels, said.tolist()):
        name = data.classes[label]
        pixels = pixel.expand(3, -1, -1).numpy()
        source = f"test image {i} of {data.name}"
        if label == answer and label not in kinds:
            kinds.add(label)
            found.append(Picture(name, pixels, name, source))
        elif label != answer and len(wrong) < HARD:
            hard = f"{name}, taken for {data.classes[answer]}"
            wrong.append(Picture(hard, pixels, name, source))
    found = found or [Picture(p.label, p.pixels, p.label, p.source) for p in wrong]
    return _sneaker_first(found) + wrong


def _sneaker_first(pictures: list[Picture]) -> list[Picture]:
    """A shoe has more to see than a shirt: it comes first."""
    return sorted(pictures, key=lambda p: p.name != "sneaker")


def default_subjects() -> dict[str, Callable[[], Subject]]:
    """By name, what gives each network of data/checkpoints/; a file is read when it is first
    chosen."""
    folder = data_dir() / "checkpoints"
    found: dict[str, Callable[[], Subject]] = {}
    for name, file in CHECKPOINTS.items():
        if (folder / f"{file}.safetensors").is_file():
            found[name] = partial(checkpoint, file)
    return found


def given_pictures(given: dict | str | os.PathLike | None) -> list[Picture]:
    """Pictures as a reader gives them: by name, PIL images, uint8 3×H×W, paths or data addresses
    (data:image/png;base64,…); or a folder. Raises `PictureError` for what is no picture."""
    if given is None:
        return []
    if isinstance(given, (str, os.PathLike)):
        return [Picture(n, p, source=str(given)) for n, p in folder_pictures(given).items()]
    found = []
    if not isinstance(given, dict):
        raise PictureError(f"pictures are a dict by name, or a folder; got {given!r}.")
    for name, picture in given.items():
        if isinstance(picture, (str, os.PathLike)):
            _, inline, data = str(picture).partition("data:image/png;base64,")
            picture, _ = read_picture(base64.b64decode(data) if inline else picture)
        if isinstance(picture, np.ndarray):
            if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[0] != 3:
                shape = "×".join(map(str, picture.shape))
                raise PictureError(
                    f"{name}: a picture is uint8 3×H×W, got {picture.dtype} {shape}."
                )
        elif not hasattr(picture, "convert"):
            raise PictureError(f"{name}: a picture is a path, a PIL image or uint8 3×H×W.")
        else:
            picture = np.asarray(picture.convert("RGB")).transpose(2, 0, 1)
        found.append(Picture(name, picture))
    return found


def _to_model(model: nn.Module, batch: Tensor) -> Tensor:
    return batch.to(next(model.parameters()).device)


def square(picture):
    """The middle square of a PIL image, RGB."""
    picture = picture.convert("RGB")
    side = min(picture.size)
    left, top = ((s - side) // 2 for s in picture.size)
    return picture.crop((left, top, left + side, top + side))
