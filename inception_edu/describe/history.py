"""When each network of the family came, what it changed, and what that brought: facts with their
sources. No torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from inception_edu.describe.blocks import Network
from inception_edu.describe.measure import Measurement, measure
from inception_edu.describe.networks import network
from inception_edu.describe.paper_tables import TABLE_2
from inception_edu.describe.spec import Chain, Concat, Conv, Node, Residual

PAPER = "arXiv 1602.07261, Table 2: one crop, validation images without the blacklisted"
TORCHVISION = "torchvision's weights IMAGENET1K_V1: one crop, all validation images"
HERE = "arXiv 1602.07261, Table 2"


@dataclass(frozen=True)
class Fact:
    """A network (`key` of `network`) in the family's history.

    `came` is its year and month, "2014-09", as `by` says: the number of its arXiv paper holds them,
    or its weights were published then. `top1`, `top5` are published errors on ImageNet in percent,
    None where none was published for one crop, with their `source`; `changed` and `brought` are
    sentences, the second with a published number and where it stands.
    """

    key: str
    name: str
    came: str
    by: str
    changed: str
    brought: str
    top1: float | None = None
    top5: float | None = None
    source: str = ""

    @cached_property
    def network(self) -> Network:
        return network(self.key)

    @cached_property
    def measured(self) -> Measurement:
        return measure(self.network)

    @property
    def date(self) -> float:
        """The year with its months as a fraction."""
        year, month = map(int, self.came.split("-"))
        return year + (month - 1) / 12

    @property
    def depth(self) -> int:
        """Layers with weights on the longest way from image to classes."""
        return 1 + sum(block.repeat * depth(block.node) for block in self.network.blocks)


def depth(node: Node) -> int:
    """Convolutions on the longest way through a node."""
    if isinstance(node, Conv):
        return 1
    if isinstance(node, Chain):
        return sum(map(depth, node.parts))
    if isinstance(node, Concat):
        return max(map(depth, node.branches))
    return depth(node.body) if isinstance(node, Residual) else 0


# What can stand on an axis: words, unit, and how a fact gives the number (None: it has none).
AXES: dict[str, tuple[str, str, Callable[[Fact], float | None]]] = {
    "year": ("year", "", lambda f: f.date),
    "params": ("parameters", "million", lambda f: f.measured.params / 1e6),
    "macs": ("multiply-adds", "billion", lambda f: f.measured.macs / 1e9),
    "depth": ("depth", "layers", lambda f: f.depth),
    "field": ("receptive field", "pixels", lambda f: f.measured.receptive_field[0]),
    "top1": ("top-1 error", "%", lambda f: f.top1),
    "top5": ("top-5 error", "%", lambda f: f.top5),
}


def _printed(key: str) -> dict[str, Any]:
    """The errors of the paper's Table 2."""
    return {"top1": TABLE_2[key]["top1"], "top5": TABLE_2[key]["top5"], "source": PAPER}


def _gain(before: str, after: str) -> str:
    """Points of top-1 error between two rows of Table 2, in words."""
    return f"{TABLE_2[before]['top1'] - TABLE_2[after]['top1']:.1f} points less top-1 error than"


HISTORY = (
    Fact(
        "googlenet",
        "GoogLeNet",
        "2014-09",
        "arXiv 1409.4842",
        "Four branches side by side; 1×1 convolutions before the costly ones.",
        "A twelfth of AlexNet's parameters, and a smaller error (arXiv 1409.4842, Section 1).",
        top5=10.07,
        source="arXiv 1409.4842, Table 3: one network, one crop",
    ),
    Fact(
        "bn_inception",
        "BN-Inception",
        "2015-02",
        "arXiv 1502.03167",
        "Batch norm after each convolution; two 3×3 in place of the 5×5.",
        "The same accuracy in 14 times fewer training steps (arXiv 1502.03167, abstract).",
        **_printed("bn_inception"),
    ),
    Fact(
        "inception_v3",
        "Inception-v3",
        "2015-12",
        "arXiv 1512.00567",
        "n×n split into 1×n and n×1; a reduction with branches; label smoothing.",
        f"{_gain('bn_inception', 'inception_v3')} BN-Inception on one crop ({HERE}).",
        **_printed("inception_v3"),
    ),
    Fact(
        "resnet50",
        "ResNet-50",
        "2015-12",
        "arXiv 1512.03385",
        "An identity beside each block, to which the block's output is added.",
        "Up to 152 layers can be trained; an ensemble has 3.57 % top-5 error on the test images "
        "(arXiv 1512.03385, abstract).",
        23.87,
        7.138,
        TORCHVISION,
    ),
    Fact(
        "resnet152",
        "ResNet-152",
        "2015-12",
        "arXiv 1512.03385",
        "The same block 50 times in place of 16.",
        "23.0 % top-1 error in place of ResNet-50's 24.7 %, on one crop (its authors' page "
        "KaimingHe/deep-residual-networks).",
        21.688,
        5.954,
        TORCHVISION,
    ),
    Fact(
        "inception_v4",
        "Inception-v4",
        "2016-02",
        "arXiv 1602.07261",
        "One plan for all blocks of a stage, a stem with branches, more blocks.",
        f"{_gain('inception_v3', 'inception_v4')} Inception-v3 ({HERE}).",
        **_printed("inception_v4"),
    ),
    Fact(
        "inception_resnet_v1",
        "Inception-ResNet-v1",
        "2016-02",
        "arXiv 1602.07261",
        "The identity beside Inception blocks; batch norm not on the sums.",
        "It trains faster than Inception-v3 (arXiv 1602.07261, Fig. 21) and ends about as good: "
        f"{TABLE_2['inception_resnet_v1']['top1']} to {TABLE_2['inception_v3']['top1']} % top-1 "
        f"error ({HERE}).",
        **_printed("inception_resnet_v1"),
    ),
    Fact(
        "inception_resnet_v2",
        "Inception-ResNet-v2",
        "2016-02",
        "arXiv 1602.07261",
        "Inception-v4's stem and wider blocks, with the identity.",
        f"{_gain('inception_v4', 'inception_resnet_v2')} Inception-v4 ({HERE}).",
        **_printed("inception_resnet_v2"),
    ),
    Fact(
        "inception_resnet_v2_released",
        "Inception-ResNet-v2, released",
        "2016-08",
        "Google's announcement of 31 August 2016",
        "Inception-v3's stem, 40 narrower blocks in place of 20, a 1×1 before the pooling.",
        "Weights for everybody: 80.4 % top-1 accuracy on one crop (slim's page).",
        19.6,
        4.7,
        "tensorflow/models, research/slim: one crop, all validation images",
    ),
    Fact(
        "resnext50",
        "ResNeXt-50",
        "2016-11",
        "arXiv 1611.05431",
        "ResNet's 3×3 in 32 groups: as many branches, all alike.",
        "22.2 % top-1 error in place of ResNet-50's 23.9 %, at about equal cost (its authors' page "
        "facebookresearch/ResNeXt).",
        22.382,
        6.302,
        TORCHVISION,
    ),
    Fact(
        "inception_resnet_v1_released",
        "Inception-ResNet-v1 for faces",
        "2018-04",
        "the name of facenet's weights, 20180402-114759",
        "A sixth C block without scale and ReLU; an embedding of 512 numbers.",
        "A network for faces: no error on ImageNet was published.",
    ),
)
