"""Learning: recipes, the training loop, what it records, evaluation, and the machine it runs on."""

from inception_edu.learn.average import Average, measure_statistics
from inception_edu.learn.crops import (
    centre_crop,
    many_crops,
    shifted_crops,
    ten_crops,
    twelve_crops,
)
from inception_edu.learn.evaluate import (
    accuracy,
    agreement,
    bootstrap,
    ensemble,
    error_correlation,
    error_rate,
    evaluating,
    fast_layout,
    interval,
    logits,
    right,
)
from inception_edu.learn.history import History, Record
from inception_edu.learn.loop import train, training
from inception_edu.learn.machine import (
    autocast,
    cores,
    default_device,
    device_of,
    keep_memory,
    synchronize,
)
from inception_edu.learn.optimisers import RMSPropTF, gradient_norm, make_optimizer
from inception_edu.learn.pace import Pace, set_threads, threads
from inception_edu.learn.plain import plain_train
from inception_edu.learn.probes import Moment, Probe
from inception_edu.learn.recipe import Recipe, TrainError, learning_rate
from inception_edu.learn.speedup import Speedup
from inception_edu.learn.timing import Timing, clock, ratio

__all__ = [
    "Average",
    "History",
    "Moment",
    "Pace",
    "Probe",
    "RMSPropTF",
    "Recipe",
    "Record",
    "Speedup",
    "Timing",
    "TrainError",
    "accuracy",
    "agreement",
    "autocast",
    "bootstrap",
    "centre_crop",
    "clock",
    "cores",
    "default_device",
    "device_of",
    "ensemble",
    "error_correlation",
    "error_rate",
    "evaluating",
    "fast_layout",
    "gradient_norm",
    "interval",
    "keep_memory",
    "learning_rate",
    "logits",
    "make_optimizer",
    "many_crops",
    "measure_statistics",
    "plain_train",
    "ratio",
    "right",
    "set_threads",
    "shifted_crops",
    "synchronize",
    "ten_crops",
    "threads",
    "train",
    "training",
    "twelve_crops",
]
