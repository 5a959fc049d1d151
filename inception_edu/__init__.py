"""inception_edu: the blocks, networks, measurements and labs of the chapters.

    import inception_edu as ie

    ie.figure(5)                                       a figure of the paper, drawn
    ie.measure(ie.inception_v4())                      shapes, parameters, multiply-adds, fields
    model = ie.build(ie.mini(ie.inception_v4()))       an ordinary torch module
    ie.train(model, ie.load("fashion"), ie.Recipe(steps=100))

These names are the ones that are used most; each comes from the room that is named beside it below,
which has more. They are fetched when they are first used, so importing the package loads no torch.
"""

# Nothing is imported here, not even typing: a reader who wants one room pays for that room alone.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from inception_edu.data import Data as Data
    from inception_edu.data import load as load
    from inception_edu.describe import FIGURES as FIGURES
    from inception_edu.describe import AvgPool as AvgPool
    from inception_edu.describe import Chain as Chain
    from inception_edu.describe import Concat as Concat
    from inception_edu.describe import Conv as Conv
    from inception_edu.describe import Linear as Linear
    from inception_edu.describe import MaxPool as MaxPool
    from inception_edu.describe import Network as Network
    from inception_edu.describe import Residual as Residual
    from inception_edu.describe import changed as changed
    from inception_edu.describe import compare as compare
    from inception_edu.describe import differences as differences
    from inception_edu.describe import draw as draw
    from inception_edu.describe import figure as figure
    from inception_edu.describe import inception_resnet_v1 as inception_resnet_v1
    from inception_edu.describe import inception_resnet_v2 as inception_resnet_v2
    from inception_edu.describe import inception_v4 as inception_v4
    from inception_edu.describe import measure as measure
    from inception_edu.describe import mini as mini
    from inception_edu.describe import network as network
    from inception_edu.describe import tower as tower
    from inception_edu.learn import Recipe as Recipe
    from inception_edu.learn import accuracy as accuracy
    from inception_edu.learn import default_device as default_device
    from inception_edu.learn import train as train
    from inception_edu.nets import build as build
    from inception_edu.nets import fold as fold
    from inception_edu.nets import load_checkpoint as load_checkpoint
    from inception_edu.study import Config as Config
    from inception_edu.study import load_results as load_results
    from inception_edu.study import run as run
    from inception_edu.study import sweep as sweep
    from inception_edu.teach import check as check
else:

    def __getattr__(name):
        from inception_edu._lazy import lazy

        return lazy(__name__, _NAMES)[0](name)


__version__ = "0.1.0"

_NAMES = {
    ".describe": (
        *("AvgPool", "Chain", "Concat", "Conv", "FIGURES", "Linear", "MaxPool", "Network"),
        *("Residual", "changed", "compare", "differences", "draw", "figure"),
        *("inception_resnet_v1", "inception_resnet_v2", "inception_v4"),
        *("measure", "mini", "network", "tower"),
    ),
    ".nets": ("build", "fold", "load_checkpoint"),
    ".data": ("Data", "load"),
    ".learn": ("Recipe", "accuracy", "default_device", "train"),
    ".study": ("Config", "load_results", "run", "sweep"),
    ".teach": ("check",),
}

__all__ = ["__version__", *sorted(name for names in _NAMES.values() for name in names)]


def __dir__() -> list[str]:
    return __all__
