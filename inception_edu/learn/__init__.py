"""Learning: recipes, the training loop, what it records, evaluation, and the machine it runs on.

Names are fetched when they are first used: `Recipe` and `Record` need no torch.
"""

from typing import TYPE_CHECKING

from inception_edu._lazy import lazy

if TYPE_CHECKING:
    from inception_edu.learn.average import Average as Average
    from inception_edu.learn.average import measure_statistics as measure_statistics
    from inception_edu.learn.crops import centre_crop as centre_crop
    from inception_edu.learn.crops import many_crops as many_crops
    from inception_edu.learn.crops import ten_crops as ten_crops
    from inception_edu.learn.crops import twelve_crops as twelve_crops
    from inception_edu.learn.evaluate import accuracy as accuracy
    from inception_edu.learn.evaluate import agreement as agreement
    from inception_edu.learn.evaluate import bootstrap as bootstrap
    from inception_edu.learn.evaluate import ensemble as ensemble
    from inception_edu.learn.evaluate import error_correlation as error_correlation
    from inception_edu.learn.evaluate import error_rate as error_rate
    from inception_edu.learn.evaluate import evaluating as evaluating
    from inception_edu.learn.evaluate import fast_layout as fast_layout
    from inception_edu.learn.evaluate import interval as interval
    from inception_edu.learn.evaluate import logits as logits
    from inception_edu.learn.evaluate import right as right
    from inception_edu.learn.history import History as History
    from inception_edu.learn.history import Record as Record
    from inception_edu.learn.loop import train as train
    from inception_edu.learn.loop import training as training
    from inception_edu.learn.machine import autocast as autocast
    from inception_edu.learn.machine import cores as cores
    from inception_edu.learn.machine import default_device as default_device
    from inception_edu.learn.machine import device_of as device_of
    from inception_edu.learn.machine import keep_memory as keep_memory
    from inception_edu.learn.machine import synchronize as synchronize
    from inception_edu.learn.optimisers import RMSPropTF as RMSPropTF
    from inception_edu.learn.optimisers import gradient_norm as gradient_norm
    from inception_edu.learn.optimisers import make_optimizer as make_optimizer
    from inception_edu.learn.pace import Pace as Pace
    from inception_edu.learn.pace import set_threads as set_threads
    from inception_edu.learn.pace import threads as threads
    from inception_edu.learn.plain import plain_train as plain_train
    from inception_edu.learn.probes import Moment as Moment
    from inception_edu.learn.probes import Probe as Probe
    from inception_edu.learn.recipe import Recipe as Recipe
    from inception_edu.learn.recipe import TrainError as TrainError
    from inception_edu.learn.recipe import learning_rate as learning_rate
    from inception_edu.learn.speedup import Speedup as Speedup
    from inception_edu.learn.timing import Timing as Timing
    from inception_edu.learn.timing import clock as clock
    from inception_edu.learn.timing import ratio as ratio

_NAMES = {
    ".average": ("Average", "measure_statistics"),
    ".crops": ("centre_crop", "many_crops", "ten_crops", "twelve_crops"),
    ".evaluate": (
        "accuracy",
        "agreement",
        "bootstrap",
        "ensemble",
        "error_correlation",
        "error_rate",
        "evaluating",
        "fast_layout",
        "interval",
        "logits",
        "right",
    ),
    ".history": ("History", "Record"),
    ".loop": ("train", "training"),
    ".machine": ("autocast", "cores", "default_device", "device_of", "keep_memory", "synchronize"),
    ".optimisers": ("RMSPropTF", "gradient_norm", "make_optimizer"),
    ".pace": ("Pace", "set_threads", "threads"),
    ".plain": ("plain_train",),
    ".probes": ("Moment", "Probe"),
    ".recipe": ("Recipe", "TrainError", "learning_rate"),
    ".speedup": ("Speedup",),
    ".timing": ("Timing", "clock", "ratio"),
}
__all__ = sorted(name for names in _NAMES.values() for name in names)

__getattr__, __dir__ = lazy(__name__, _NAMES)
