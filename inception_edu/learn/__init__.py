"""Learning: recipes, the training loop, what it records, evaluation, and the machine it runs on.

Names are fetched when they are first used: `Recipe` and `Record` need no torch.
"""

from importlib import import_module

_WHERE = {
    "average": ("Average", "measure_statistics"),
    "crops": ("centre_crop", "many_crops", "shifted_crops", "ten_crops", "twelve_crops"),
    "evaluate": (
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
    "history": ("History", "Record"),
    "loop": ("train", "training"),
    "machine": ("autocast", "cores", "default_device", "device_of", "keep_memory", "synchronize"),
    "optimisers": ("RMSPropTF", "gradient_norm", "make_optimizer"),
    "pace": ("Pace", "set_threads", "threads"),
    "plain": ("plain_train",),
    "probes": ("Moment", "Probe"),
    "recipe": ("Recipe", "TrainError", "learning_rate"),
    "speedup": ("Speedup",),
    "timing": ("Timing", "clock", "ratio"),
}
_HOME = {name: module for module, names in _WHERE.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"inception_edu.learn has no {name!r}.")
    return getattr(import_module(f"inception_edu.learn.{_HOME[name]}"), name)


def __dir__():
    return __all__
