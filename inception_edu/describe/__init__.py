"""The paper as data: what its figures are made of, changed, measured, drawn and compared. No torch.

Everything public of the room can be imported from here; the files are

    spec, parts, flow        the five nodes; their parts; the shapes that flow through them
    errors                   what a description cannot be, and the sentences that say so
    figures, baselines,      the blocks of the paper, of the networks it compares with,
    googlenet_blocks         and of those it stands on
    paper_tables, printed    Tables 1 to 5, and the figures by number
    blocks, networks,        a network as data; the paper's;
    family, small            those it stands on; small trainable ones
    edits, halving           the changes of the experiments
    measure                  shapes, parameters, multiply-adds, receptive fields
    draw                     pictures (layout, pieces, overview, words and canvas help)
    portraits, difference    networks side by side, and step by step (table, ports)

Names are fetched when they are first used.
"""

from inception_edu._lazy import TYPE_CHECKING, lazy

# Functions of the same name as their file: bound here before anybody imports the file.
from inception_edu.describe.draw import draw as draw
from inception_edu.describe.measure import measure as measure

if TYPE_CHECKING:
    from inception_edu.describe.baselines import Bottleneck as Bottleneck
    from inception_edu.describe.baselines import InceptionA_v3 as InceptionA_v3
    from inception_edu.describe.baselines import InceptionB_v3 as InceptionB_v3
    from inception_edu.describe.baselines import InceptionC_v3 as InceptionC_v3
    from inception_edu.describe.baselines import Mixed_5b as Mixed_5b
    from inception_edu.describe.baselines import ReductionA_v3 as ReductionA_v3
    from inception_edu.describe.baselines import ReductionB_v3 as ReductionB_v3
    from inception_edu.describe.baselines import StemResNet as StemResNet
    from inception_edu.describe.baselines import StemV3 as StemV3
    from inception_edu.describe.blocks import Block as Block
    from inception_edu.describe.blocks import Classifier as Classifier
    from inception_edu.describe.blocks import Head as Head
    from inception_edu.describe.blocks import Network as Network
    from inception_edu.describe.canvas import BRANCH_COLOURS as BRANCH_COLOURS
    from inception_edu.describe.canvas import Drawing as Drawing
    from inception_edu.describe.difference import Difference as Difference
    from inception_edu.describe.difference import differences as differences
    from inception_edu.describe.difference import node_words as node_words
    from inception_edu.describe.draw import figure as figure
    from inception_edu.describe.edits import CHANGES as CHANGES
    from inception_edu.describe.edits import changed as changed
    from inception_edu.describe.edits import on_last_conv as on_last_conv
    from inception_edu.describe.edits import on_last_residual as on_last_residual
    from inception_edu.describe.edits import on_residuals as on_residuals
    from inception_edu.describe.family import FAMILY as FAMILY
    from inception_edu.describe.family import bn_inception as bn_inception
    from inception_edu.describe.family import facenet as facenet
    from inception_edu.describe.family import googlenet as googlenet
    from inception_edu.describe.family import inception_v3_aux as inception_v3_aux
    from inception_edu.describe.family import resnext as resnext
    from inception_edu.describe.figures import InceptionA as InceptionA
    from inception_edu.describe.figures import InceptionB as InceptionB
    from inception_edu.describe.figures import InceptionC as InceptionC
    from inception_edu.describe.figures import InceptionResNetA_v1 as InceptionResNetA_v1
    from inception_edu.describe.figures import InceptionResNetA_v2 as InceptionResNetA_v2
    from inception_edu.describe.figures import InceptionResNetB_v1 as InceptionResNetB_v1
    from inception_edu.describe.figures import InceptionResNetB_v2 as InceptionResNetB_v2
    from inception_edu.describe.figures import InceptionResNetC_v1 as InceptionResNetC_v1
    from inception_edu.describe.figures import InceptionResNetC_v2 as InceptionResNetC_v2
    from inception_edu.describe.figures import (
        ReducedResidualConnection as ReducedResidualConnection,
    )
    from inception_edu.describe.figures import ReductionA as ReductionA
    from inception_edu.describe.figures import ReductionB as ReductionB
    from inception_edu.describe.figures import ReductionB_v1 as ReductionB_v1
    from inception_edu.describe.figures import ReductionB_v2 as ReductionB_v2
    from inception_edu.describe.figures import ResidualConnection as ResidualConnection
    from inception_edu.describe.figures import ScaledResidualBlock as ScaledResidualBlock
    from inception_edu.describe.figures import StemV1 as StemV1
    from inception_edu.describe.figures import StemV4 as StemV4
    from inception_edu.describe.flow import Step as Step
    from inception_edu.describe.flow import narrowest as narrowest
    from inception_edu.describe.flow import out_channels as out_channels
    from inception_edu.describe.flow import out_shape as out_shape
    from inception_edu.describe.flow import slide as slide
    from inception_edu.describe.flow import walk as walk
    from inception_edu.describe.googlenet_blocks import HeadGoogLeNet as HeadGoogLeNet
    from inception_edu.describe.googlenet_blocks import InceptionBN as InceptionBN
    from inception_edu.describe.googlenet_blocks import InceptionGoogLeNet as InceptionGoogLeNet
    from inception_edu.describe.googlenet_blocks import LocalNorm as LocalNorm
    from inception_edu.describe.googlenet_blocks import ReductionBN as ReductionBN
    from inception_edu.describe.googlenet_blocks import StemGoogLeNet as StemGoogLeNet
    from inception_edu.describe.halving import with_reductions as with_reductions
    from inception_edu.describe.link import source_of as source_of
    from inception_edu.describe.measure import Measurement as Measurement
    from inception_edu.describe.measure import Row as Row
    from inception_edu.describe.measure import Trace as Trace
    from inception_edu.describe.measure import input_shape as input_shape
    from inception_edu.describe.measure import smallest_image as smallest_image
    from inception_edu.describe.measure import trace as trace
    from inception_edu.describe.networks import NETWORKS as NETWORKS
    from inception_edu.describe.networks import inception_resnet_v1 as inception_resnet_v1
    from inception_edu.describe.networks import inception_resnet_v2 as inception_resnet_v2
    from inception_edu.describe.networks import (
        inception_resnet_v2_released as inception_resnet_v2_released,
    )
    from inception_edu.describe.networks import inception_v3 as inception_v3
    from inception_edu.describe.networks import inception_v4 as inception_v4
    from inception_edu.describe.networks import make as make
    from inception_edu.describe.networks import network as network
    from inception_edu.describe.networks import resnet as resnet
    from inception_edu.describe.paper_tables import AAAI as AAAI
    from inception_edu.describe.paper_tables import BLACKLISTED as BLACKLISTED
    from inception_edu.describe.paper_tables import TABLE_1 as TABLE_1
    from inception_edu.describe.paper_tables import TABLE_2 as TABLE_2
    from inception_edu.describe.paper_tables import TABLE_3 as TABLE_3
    from inception_edu.describe.paper_tables import TABLE_4 as TABLE_4
    from inception_edu.describe.paper_tables import TABLE_5 as TABLE_5
    from inception_edu.describe.paper_tables import TEST_TOP5 as TEST_TOP5
    from inception_edu.describe.paper_tables import VALIDATION_IMAGES as VALIDATION_IMAGES
    from inception_edu.describe.parts import Path as Path
    from inception_edu.describe.parts import at as at
    from inception_edu.describe.parts import children as children
    from inception_edu.describe.parts import last_conv as last_conv
    from inception_edu.describe.parts import leaf_paths as leaf_paths
    from inception_edu.describe.parts import leaves as leaves
    from inception_edu.describe.parts import map_convs as map_convs
    from inception_edu.describe.parts import map_nodes as map_nodes
    from inception_edu.describe.parts import put as put
    from inception_edu.describe.parts import rebuild as rebuild
    from inception_edu.describe.parts import with_padding as with_padding
    from inception_edu.describe.portraits import compare as compare
    from inception_edu.describe.portraits import portrait as portrait
    from inception_edu.describe.portraits import trunk as trunk
    from inception_edu.describe.ports import PORTS as PORTS
    from inception_edu.describe.printed import FIG_9 as FIG_9
    from inception_edu.describe.printed import FIG_15 as FIG_15
    from inception_edu.describe.printed import FIGURES as FIGURES
    from inception_edu.describe.printed import Figure as Figure
    from inception_edu.describe.small import mini as mini
    from inception_edu.describe.small import thin as thin
    from inception_edu.describe.small import tower as tower
    from inception_edu.describe.spec import AvgPool as AvgPool
    from inception_edu.describe.spec import Chain as Chain
    from inception_edu.describe.spec import ChannelError as ChannelError
    from inception_edu.describe.spec import Concat as Concat
    from inception_edu.describe.spec import Conv as Conv
    from inception_edu.describe.spec import Linear as Linear
    from inception_edu.describe.spec import MaxPool as MaxPool
    from inception_edu.describe.spec import Node as Node
    from inception_edu.describe.spec import Pool as Pool
    from inception_edu.describe.spec import Residual as Residual
    from inception_edu.describe.spec import Shape as Shape
    from inception_edu.describe.spec import SizeError as SizeError
    from inception_edu.describe.spec import SpecError as SpecError
    from inception_edu.describe.spec import VanishedError as VanishedError
    from inception_edu.describe.table import Table as Table
    from inception_edu.describe.words import amount as amount
    from inception_edu.describe.words import describe as describe
    from inception_edu.describe.words import leaf_words as leaf_words
    from inception_edu.describe.words import size_words as size_words

_NAMES = {
    ".baselines": (
        "Bottleneck",
        "InceptionA_v3",
        "InceptionB_v3",
        "InceptionC_v3",
        "Mixed_5b",
        "ReductionA_v3",
        "ReductionB_v3",
        "StemResNet",
        "StemV3",
    ),
    ".blocks": (
        "Block",
        "Classifier",
        "Head",
        "Network",
    ),
    ".canvas": (
        "BRANCH_COLOURS",
        "Drawing",
    ),
    ".portraits": (
        "compare",
        "portrait",
        "trunk",
    ),
    ".difference": (
        "Difference",
        "differences",
        "node_words",
    ),
    ".draw": (
        "draw",
        "figure",
    ),
    ".edits": (
        "CHANGES",
        "changed",
        "on_last_conv",
        "on_last_residual",
        "on_residuals",
    ),
    ".family": (
        "FAMILY",
        "bn_inception",
        "facenet",
        "googlenet",
        "inception_v3_aux",
        "resnext",
    ),
    ".figures": (
        "InceptionA",
        "InceptionB",
        "InceptionC",
        "InceptionResNetA_v1",
        "InceptionResNetA_v2",
        "InceptionResNetB_v1",
        "InceptionResNetB_v2",
        "InceptionResNetC_v1",
        "InceptionResNetC_v2",
        "ReducedResidualConnection",
        "ReductionA",
        "ReductionB",
        "ReductionB_v1",
        "ReductionB_v2",
        "ResidualConnection",
        "ScaledResidualBlock",
        "StemV1",
        "StemV4",
    ),
    ".flow": (
        "Step",
        "narrowest",
        "out_channels",
        "out_shape",
        "slide",
        "walk",
    ),
    ".googlenet_blocks": (
        "HeadGoogLeNet",
        "InceptionBN",
        "InceptionGoogLeNet",
        "LocalNorm",
        "ReductionBN",
        "StemGoogLeNet",
    ),
    ".halving": ("with_reductions",),
    ".link": ("source_of",),
    ".measure": (
        "Measurement",
        "Row",
        "Trace",
        "input_shape",
        "measure",
        "smallest_image",
        "trace",
    ),
    ".networks": (
        "NETWORKS",
        "inception_resnet_v1",
        "inception_resnet_v2",
        "inception_resnet_v2_released",
        "inception_v3",
        "inception_v4",
        "make",
        "network",
        "resnet",
    ),
    ".paper_tables": (
        "AAAI",
        "BLACKLISTED",
        "TABLE_1",
        "TABLE_2",
        "TABLE_3",
        "TABLE_4",
        "TABLE_5",
        "TEST_TOP5",
        "VALIDATION_IMAGES",
    ),
    ".parts": (
        "Path",
        "at",
        "children",
        "last_conv",
        "leaf_paths",
        "leaves",
        "map_convs",
        "map_nodes",
        "put",
        "rebuild",
        "with_padding",
    ),
    ".ports": ("PORTS",),
    ".printed": (
        "FIGURES",
        "FIG_15",
        "FIG_9",
        "Figure",
    ),
    ".small": (
        "mini",
        "thin",
        "tower",
    ),
    ".spec": (
        "AvgPool",
        "Chain",
        "ChannelError",
        "Concat",
        "Conv",
        "Linear",
        "MaxPool",
        "Node",
        "Pool",
        "Residual",
        "Shape",
        "SizeError",
        "SpecError",
        "VanishedError",
    ),
    ".table": ("Table",),
    ".words": (
        "amount",
        "describe",
        "leaf_words",
        "size_words",
    ),
}
__all__ = sorted(name for names in _NAMES.values() for name in names)

__getattr__, __dir__ = lazy(__name__, _NAMES)
