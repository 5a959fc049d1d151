"""Networks made of descriptions: ordinary torch modules, their weights, and what they compute
inside.

A model is where its owner put it: functions here move their inputs to it. Weights are made on the
CPU, so that every device gets the same.
"""

from inception_edu.nets.build import build, last_linear, named_blocks, residual_blocks
from inception_edu.nets.checkpoints import load_checkpoint, read_tensors, save_checkpoint
from inception_edu.nets.excite import Exciting, exciting
from inception_edu.nets.explain import covered
from inception_edu.nets.fast import Siblings, fold, merge_siblings
from inception_edu.nets.fit import WeightsError, plain_names
from inception_edu.nets.inference import device_of, evaluating, fast_layout
from inception_edu.nets.look import windows
from inception_edu.nets.modules import (
    AlteredResidual,
    CentredConv,
    Concat,
    ConvBNReLU,
    NetworkModule,
    ScaledResidual,
    SlowLinear,
    WithHeads,
)
from inception_edu.nets.passport import Passport, passport
from inception_edu.nets.ports import PORTED
from inception_edu.nets.preprocessing import Preprocessing
from inception_edu.nets.weights import RELEASED, from_timm, to_timm

__all__ = [
    "PORTED",
    "RELEASED",
    "AlteredResidual",
    "CentredConv",
    "Concat",
    "ConvBNReLU",
    "Exciting",
    "NetworkModule",
    "Passport",
    "Preprocessing",
    "ScaledResidual",
    "Siblings",
    "SlowLinear",
    "WeightsError",
    "WithHeads",
    "build",
    "covered",
    "device_of",
    "evaluating",
    "exciting",
    "fast_layout",
    "fold",
    "from_timm",
    "last_linear",
    "load_checkpoint",
    "merge_siblings",
    "named_blocks",
    "passport",
    "plain_names",
    "read_tensors",
    "residual_blocks",
    "save_checkpoint",
    "to_timm",
    "windows",
]
