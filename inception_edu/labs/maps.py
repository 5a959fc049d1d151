"""The feature-map lab: a picture, a network, a block, its branches side by side, every channel.

feature_maps()                                   the trained networks that come with the project
feature_maps(models={"mine": Subject(model, prepare, classes)}, pictures={"cat":
Image.open("cat.jpg")})
"""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

import ipywidgets as widgets
import numpy as np
import torch
from torch import Tensor, nn

from inception_edu.data import data_dir, load
from inception_edu.describe.draw import draw
from inception_edu.labs.diagram import ROW, Bench, card, picker, status
from inception_edu.nets.build import named_blocks
from inception_edu.nets.features import activations, inside_block
from inception_edu.nets.weights import load_checkpoint
from inception_edu.teach.plots import SHADES

CHECKPOINTS = {
    "mini Inception-ResNet-v2 on photographs": "inception_resnet_v2",  # the first that is there is shown first
    "mini Inception-v4 on photographs": "inception_v4",
    "mini Inception-ResNet-v2 on clothes": "fashion_inception_resnet_v2",
    "dying tower, before": "dying_before",
    "dying tower, after": "dying_after",
}
PAGE = 24  # channels shown at once
ROW_LENGTH = 8  # channels of a branch, side by side
OUTPUT, CHANGE = "output", "after the 1×1"
_TABLE = (SHADES(np.linspace(0, 1, 256))[:, :3] * 255).astype(np.uint8)


@dataclass(frozen=True)
class Subject:
    """A network to look into: the module, how a PIL image becomes its input (1×3×H×W), and the
    names of its classes.

    `sizes`: the sides in pixels at which a picture may enter, the usual one first;
    `prepare(picture, side)` then takes one. Without them `prepare(picture)` decides.
    """

    model: nn.Module
    prepare: Callable
    classes: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()


def subject(name: str) -> Subject:
    """A checkpoint of data/checkpoints/ by its file's name; raises `weights.WeightsError` where it
    is missing."""
    model, facts = load_checkpoint(data_dir() / "checkpoints" / f"{name}.safetensors")
    usual = model.description.image
    mean, std = (
        torch.tensor(facts[key]).view(1, -1, 1, 1) for key in ("mean", "std")
    )  # one number for grey images

    def prepare(picture, side: int = usual) -> Tensor:
        square = _square(picture).resize((side, side))
        pixels = torch.from_numpy(np.asarray(square, dtype=np.float32) / 255)
        return (pixels.permute(2, 0, 1)[None] - mean) / std

    # The average pool takes a map of any size, so a small network can look at a larger picture than
    # it was trained on.
    return Subject(model, prepare, tuple(facts["classes"]), (usual, 2 * usual, 4 * usual))


def sample_pictures() -> dict:
    """Pictures that are always there, as PIL images: matplotlib's photograph, generated objects,
    embedded images."""
    from matplotlib import cbook
    from PIL import Image

    with cbook.get_sample_data("grace_hopper.jpg") as file:
        pictures = {"photograph (Grace Hopper)": Image.open(file).convert("RGB")}
    objects = load("scales:64", limit=(10, 20)).test
    for i in (0, 7, 12):
        pictures[f"generated object {i}"] = Image.fromarray(
            objects.images[i].permute(1, 2, 0).cpu().numpy()
        )
    clothes = load("fashion")
    for i in (0, 3, 8):
        name = clothes.classes[int(clothes.test.labels[i])]
        pictures[f"Fashion-MNIST: {name}"] = Image.fromarray(
            clothes.test.images[i, 0].cpu().numpy()
        ).convert("RGB")
    return pictures


def folder_pictures(folder: str | Path, most: int = 50) -> dict:
    """The pictures of a folder, by file name, as PIL images; a file that is no picture is left
    out."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    pictures = {}
    for path in sorted(Path(folder).expanduser().rglob("*")):
        if path.is_file() and len(pictures) < most:
            try:
                pictures[path.name] = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
            except (UnidentifiedImageError, OSError):
                continue
    if not pictures:
        raise ValueError(f"There is no picture in {folder}.")
    return pictures


def _square(picture):
    picture = picture.convert("RGB")
    side = min(picture.size)
    left, top = ((s - side) // 2 for s in picture.size)
    return picture.crop((left, top, left + side, top + side))


def _png(pixels: np.ndarray) -> str:
    """uint8 H×W×3 → a data address."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def tile(values: np.ndarray, top: float, words: str, alt: str, size: int = 72) -> str:
    """One channel's map as an HTML figure: light is 0, dark is `top`; a map of nothing but zeros is
    crossed out."""
    shades = _TABLE[np.clip(values / (top or 1) * 255, 0, 255).astype(np.uint8)]
    silent = not values.any()
    cross = (
        (
            "background:linear-gradient(45deg,transparent 48%,#b00 48% 52%,transparent 52%),"
            "linear-gradient(-45deg,#fff 48%,#b00 48% 52%,#fff 52%);"
        )
        if silent
        else ""
    )
    if silent:
        inner = f'<div role="img" aria-label="{escape(alt)}" style="width:{size}px;height:{size}px;{cross}"></div>'
    else:
        inner = (
            f'<img alt="{escape(alt)}" src="{_png(shades)}" width="{size}" height="{size}" '
            'style="image-rendering:pixelated;display:block">'
        )
    return (
        f'<figure class="ied-tile" style="margin:0;width:{size}px">{inner}<figcaption style="font-size:10.5px;'
        f'line-height:1.3;white-space:nowrap;overflow:hidden;text-overflow:ellipsis">{escape(words)}'
        "</figcaption></figure>"
    )


class FeatureMaps(Bench):
    """`feature_maps` makes one. `picture`, `network`, `size`, `block`, `part`, `view`, `order`,
    `page`, `channel` are its controls; `maps` the parts of the chosen block by name, each C×H×W."""

    name, title = "feature-maps", "Feature maps"

    def __init__(self, models: dict[str, Subject] | None = None, pictures: dict | None = None):
        self.subjects = models or {
            name: file
            for name, file in CHECKPOINTS.items()
            if (data_dir() / "checkpoints" / f"{file}.safetensors").is_file()
        }
        if not self.subjects:
            raise ValueError(
                "There is no network to look into: data/checkpoints/ is empty and `models` not given."
            )
        self.pictures_of = dict(pictures or sample_pictures())
        self._seen: dict = {}

        def dropdown(description: str, kind=widgets.Dropdown, width: str = "330px", **rest):
            # A layout for each: two widgets that share one are hidden together.
            return kind(
                description=description,
                layout=widgets.Layout(width=width),
                style={"description_width": "64px"},
                **rest,
            )

        self.picture = dropdown("picture", options=list(self.pictures_of))
        self.upload = widgets.FileUpload(
            accept="image/*",
            multiple=False,
            description="your own picture",
            layout=widgets.Layout(width="160px"),
        )
        self.network = dropdown("network", options=list(self.subjects))
        self.size = dropdown("enters at", width="230px")
        self.block = dropdown("block")
        self.part = dropdown("part")
        self.view = widgets.ToggleButtons(
            options=["branches side by side", "all channels", "one channel"],
            style={"button_width": "170px"},
        )
        self.order = widgets.ToggleButtons(
            options=["strongest first", "by number"], style={"button_width": "120px"}
        )
        self.page = dropdown("channels")
        self.channel = dropdown("channel", widgets.BoundedIntText, value=0, min=0, max=1)
        for key in (
            "picture",
            "upload",
            "network",
            "size",
            "block",
            "part",
            "view",
            "order",
            "page",
            "channel",
        ):
            getattr(self, key).add_class(f"ied-control-{key}")
        self.sentence = widgets.HTML().add_class("ied-status")
        self.maps_view = widgets.HTML(
            layout=widgets.Layout(flex="1 1 420px", min_width="0")
        ).add_class("ied-maps")
        self.diagram = picker("<svg></svg>", ("block", "reduction"), "", self._clicked).add_class(
            "ied-overview"
        )
        left = widgets.VBox(
            [self.diagram], layout=widgets.Layout(flex="0 1 auto", min_width="0", max_width="100%")
        )
        row = widgets.Layout(**ROW)
        self.widget = widgets.VBox(
            [
                widgets.HBox([self.picture, self.upload], layout=row),
                widgets.HBox([self.network, self.size], layout=row),
                widgets.HBox([self.block, self.part], layout=row),
                widgets.HBox([self.view, self.order], layout=row),
                widgets.HBox([self.page, self.channel], layout=row),
                self.sentence,
                widgets.HBox([left, self.maps_view], layout=row),
            ],
            layout=widgets.Layout(width="100%"),
        )
        self.widget.add_class("ied-lab").add_class(f"ied-{self.name}")
        self._quiet = True
        for control, action in (
            (self.network, self._other_network),
            (self.size, self._other_size),
            (self.block, self._other_block),
            (self.part, self._other_part),
        ):
            control.observe(
                lambda _, action=action: None if self._quiet else action(), names="value"
            )
        for control in (self.picture, self.view, self.order, self.page, self.channel):
            control.observe(lambda _: None if self._quiet else self._redraw(), names="value")
        self.upload.observe(self._uploaded, names="value")
        self._quiet = False
        self._other_network()

    # What is chosen.

    @property
    def subject(self) -> Subject:
        """The chosen network; a checkpoint is read when it is first chosen."""
        chosen = self.subjects[self.network.value]
        if isinstance(chosen, str):
            chosen = self.subjects[self.network.value] = subject(chosen)
        return chosen

    def _uploaded(self, change) -> None:
        """ipywidgets 7 hands over a dictionary by file name, ipywidgets 8 a tuple of files."""
        if not change["new"]:
            return
        from PIL import Image, ImageOps, UnidentifiedImageError

        files = change["new"]
        name, content = next(
            ((n, f["content"]) for n, f in files.items())
            if isinstance(files, dict)
            else ((f["name"], f["content"]) for f in files)
        )
        try:
            picture = ImageOps.exif_transpose(Image.open(io.BytesIO(bytes(content)))).convert("RGB")
        except (UnidentifiedImageError, OSError):
            self.sentence.value = status(
                f"{name} cannot be read as a picture; PNG and JPEG files can.", alert=True
            )
            return
        self.pictures_of[name] = picture
        self._seen = {key: seen for key, seen in self._seen.items() if key[1] != name}
        self.picture.options = list(self.pictures_of)
        self.picture.value = name

    def _clicked(self, path: str) -> None:
        if path and not self._quiet and path != self.block.value.partition(".")[0]:
            copies = [name for name in self.block.options if name.partition(".")[0] == path]
            if copies:
                self.block.value = copies[0]

    def _other_network(self) -> None:
        self._quiet = True
        names = [name for name, _ in named_blocks(self.subject.model)]
        kept = self.block.value
        self.block.options = names
        self.block.value = kept if kept in names else names[min(1, len(names) - 1)]
        sizes, kept = self.subject.sizes or (0,), self.size.value
        self.size.options = [(f"{side}×{side}" if side else "its own size", side) for side in sizes]
        self.size.value = kept if kept in sizes else sizes[0]
        self.size.disabled = len(sizes) < 2
        self._quiet = False
        self._other_size()

    def _other_size(self) -> None:
        self.diagram.svg = str(draw(self.subject.model.description, self.size.value or None))
        self._other_block()

    def _other_block(self) -> None:
        quiet, self._quiet = self._quiet, True
        self._compute()
        kept = self.part.value
        self.part.options = list(self.maps)
        self.part.value = kept if kept in self.maps else OUTPUT
        self.diagram.selected = self.block.value.partition(".")[0]
        self._quiet = quiet
        self._other_part()

    def _other_part(self) -> None:
        quiet, self._quiet = self._quiet, True
        channels = len(self.maps[self.part.value])
        starts = range(0, channels, PAGE)
        self.page.options = [
            (f"{i + 1} to {min(i + PAGE, channels)} of {channels}", i) for i in starts
        ]
        self.page.value = 0
        self.channel.value, self.channel.max = 0, channels - 1
        self._quiet = quiet
        self._redraw()

    def _compute(self) -> None:
        key = (self.network.value, self.picture.value, self.size.value)
        if key not in self._seen:
            # One pass for all blocks; choosing another block then runs that block alone.
            picture, size = self.pictures_of[self.picture.value], self.size.value
            entering = (
                self.subject.prepare(picture, size) if size else self.subject.prepare(picture)
            )
            logits = {}
            hook = self.subject.model.register_forward_hook(
                lambda m, i, out: logits.__setitem__("out", out.detach())
            )
            try:
                outputs = activations(self.subject.model, entering)
            finally:
                hook.remove()
            self._seen = {key: (entering, outputs, logits["out"][0].softmax(0))}
        self.entering, outputs, self.shares = self._seen[key]
        blocks = named_blocks(self.subject.model)
        place = [name for name, _ in blocks].index(self.block.value)
        at = inside_block(
            blocks[place][1], self.entering if place == 0 else outputs[blocks[place - 1][0]]
        )
        self.maps = {f"branch {words}": maps[0] for words, maps in at.branches.items()}
        if at.change is not None:
            self.maps[CHANGE] = at.change[0]
        self.maps[OUTPUT] = at.output[0]

    # What is shown.

    def _redraw(self) -> None:
        begun = time.perf_counter()
        self._compute()
        self.part.disabled = self.view.value == "branches side by side"
        self.order.layout.display = "none" if self.view.value == "one channel" else None
        self.page.layout.display = None if self.view.value == "all channels" else "none"
        self.channel.layout.display = None if self.view.value == "one channel" else "none"
        self.maps_view.value = card(self._html())
        self.sentence.value = status(self.verdict())
        self.seconds = time.perf_counter() - begun

    def verdict(self) -> str:
        """What the network says, and how many channels are silent."""
        maps = self.maps[OUTPUT]
        silent = int((maps.flatten(1) == 0).all(1).sum())
        best = self.shares.topk(min(3, len(self.shares)))
        names = self.subject.classes or [f"class {i}" for i in range(len(self.shares))]
        said = ", ".join(
            f"{names[i]} {share:.0%}"
            for share, i in zip(best.values.tolist(), best.indices.tolist())
        )
        return (
            f"The network says: {said} (it knows {len(self.shares)} classes). Of the {len(maps)} channels that "
            f"leave {self.block.value}, {silent} are 0 everywhere on this picture."
        )

    def order_of(self, part: str) -> list[int]:
        """The channels of a part in the chosen order."""
        maps = self.maps[part]
        strength = maps.flatten(1).abs().mean(1)
        return (
            strength.argsort(descending=True).tolist()
            if self.order.value == "strongest first"
            else list(range(len(maps)))
        )

    def _tiles(self, part: str, channels: list[int], size: int = 72) -> str:
        maps = self.maps[part].float().abs().cpu().numpy()
        # One scale for a part: the 99.5th percentile, so that one bright pixel does not hide the
        # rest.
        top = float(np.percentile(maps[maps > 0], 99.5)) if (maps > 0).any() else 1.0
        tiles = []
        for c in channels:
            largest = f"{maps[c].max():.2g}"
            tiles.append(
                tile(
                    maps[c], top, f"{c} · {largest}", f"channel {c}, largest value {largest}", size
                )
            )
        return '<div style="display:flex;flex-wrap:wrap;gap:4px">' + "".join(tiles) + "</div>"

    def _html(self) -> str:
        here = np.asarray(_square(self.pictures_of[self.picture.value]).resize((96, 96)))
        seen = self.entering[0].float().cpu().numpy().transpose(1, 2, 0)
        seen = ((seen - seen.min()) / max(seen.max() - seen.min(), 1e-9) * 255).astype(np.uint8)
        head = (
            '<div class="ied-seen" style="float:right;width:96px;margin:0 0 4px 8px;font-size:10.5px">'
            f'<img alt="the picture: {escape(self.picture.value)}" src="{_png(here)}" width="96" height="96" '
            f'style="display:block">the picture<img alt="what enters the network" src="{_png(seen)}" width="96" '
            f'style="display:block;image-rendering:pixelated;margin-top:4px">enters, {seen.shape[1]}×'
            f"{seen.shape[0]}</div>"
        )
        size = "×".join(map(str, self.maps[OUTPUT].shape[1:]))
        sign = {CHANGE: "; dark is far from 0, above or below"}
        if self.view.value == "one channel":
            part, c = self.part.value, self.channel.value
            maps = self.maps[part][c].float()
            words = (
                f"channel {c} of {part}: {int((maps == 0).sum())} of {maps.numel()} values are 0, mean "
                f"{float(maps.mean()):.3g}, from {float(maps.min()):.3g} to {float(maps.max()):.3g}"
            )
            return head + f"<p><b>{escape(words)}</b></p>" + self._tiles(part, [c], 288)
        if self.view.value == "all channels":
            channels = self.order_of(self.part.value)
            shown = channels[self.page.value : self.page.value + PAGE]
            words = f"{self.part.value}: {len(shown)} of {len(channels)} channels, {size} each"
            return (
                head
                + f"<p><b>{escape(words)}</b>{sign.get(self.part.value, '')}</p>"
                + self._tiles(self.part.value, shown)
            )
        first = "strongest" if self.order.value == "strongest first" else "first"
        rows = []
        for part, maps in self.maps.items():
            some = f"the {first} {ROW_LENGTH} of " if len(maps) > ROW_LENGTH else ""
            rows.append(
                f"<p><b>{escape(part)}</b>, {some}{len(maps)} channels, {size} each{sign.get(part, '')}</p>"
                + self._tiles(part, self.order_of(part)[:ROW_LENGTH], 56)
            )
        return head + "".join(rows)

    def pictures(self) -> list:
        return [_Html(card(self._html()))]

    def words(self) -> str:
        return f"{self.network.value}, {self.block.value}, {self.picture.value}. {self.verdict()}"


class _Html(str):
    def _repr_html_(self) -> str:
        return str(self)


def feature_maps(
    models: dict[str, Subject] | None = None, pictures: dict | None = None
) -> FeatureMaps:
    """Display the feature-map lab and return it.

    `models`: by name, what to look into (by default the checkpoints that come with the project);
    `pictures`: by name, PIL images (by default `sample_pictures()`; `folder_pictures(path)` reads a
    folder). The reader can add one.
    """
    lab = FeatureMaps(models, pictures)
    lab.show()
    return lab
