"""Learning: recipes, the training loop, what it records, evaluation, and the machine it runs on.

Names are fetched when they are first used: `Recipe` and `Record` need no torch.
"""

from inception_edu._lazy import lazy

_NAMES = {
    ".average": ("Average", "measure_statistics"),
    ".crops": ("centre_crop", "many_crops", "shifted_crops", "ten_crops", "twelve_crops"),
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
