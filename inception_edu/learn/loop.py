"""Training: one visible loop, and how it ends.

    history = train(model, data, Recipe(steps=200, lr=0.1))
    history.sentence                       "Finished 200 steps in 14 s: 81 % of 2,000 test images
                                           right."
    [r.loss for r in history.records]      one record every few steps
    history.records[-1].dead               {"stem": 0.0, "inception_resnet_c.1": 0.02, …}

`train` is the loop, `training` the same a step at a time. `plain` has the same in a page.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from inception_edu.data import window
from inception_edu.describe import SpecError
from inception_edu.learn.average import Average
from inception_edu.learn.crops import Crops, centre_crop
from inception_edu.learn.evaluate import error_rate, evaluating, fast_layout, logits
from inception_edu.learn.history import History, Record
from inception_edu.learn.machine import autocast, device_of
from inception_edu.learn.optimisers import make_optimizer, set_rate
from inception_edu.learn.pace import Pace
from inception_edu.learn.probes import Meter, Moment, watching
from inception_edu.learn.recipe import Recipe, TrainError, check_stop, learning_rate
from inception_edu.learn.steps import Steps

DEFAULT = Recipe()


def train(
    model: nn.Module,
    data,
    recipe: Recipe = DEFAULT,
    *,
    on_record: Callable[[Record], None] | None = None,
    stop=None,
    probes: Sequence[Callable[[Moment], object]] = (),
) -> History:
    """Train `model` on `data.train` in place, where it is, then test it on `data.test`.

    on_record   called with each `Record` as soon as there is one
    stop        a `threading.Event`, read before each step
    probes      called with a `Moment` (model, batch, output, optimizer …) at each recorded step,
                before `on_record`; see `Probe`

    Batches travel to the model's device; `data.to(device)` beforehand spares them the journey.

    With the same number of threads, the same seed gives the same curve on a CPU to the last bit,
    whatever else runs in the process; with another number, sums are added in another order, and the
    curves part after a few steps. `history.threads` says how many there were; inside
    `with threads(1):` there is one. Torch's own random state is neither used nor changed.

    With `recipe.average`, a finished model holds the averaged weights. Raises `TrainError` where
    network and images do not fit; a loss that is no longer a finite number is no error, it ends the
    run as "diverged".
    """
    *_, history = training(model, data, recipe, on_record=on_record, stop=stop, probes=probes)
    return history


def training(
    model: nn.Module,
    data,
    recipe: Recipe = DEFAULT,
    *,
    on_record: Callable[[Record], None] | None = None,
    stop=None,
    probes: Sequence[Callable[[Moment], object]] = (),
) -> Iterator[History]:
    """`train`, a step at a time: yields the history after each step, and once more when the run is
    over.

    Two of these, advanced in turn, race each other; the time between two steps does not count.
    Raises `TrainError` as `train` does.
    """
    if not isinstance(recipe, Recipe):
        raise TrainError(f"How to train is said by a Recipe(...), got {type(recipe).__name__}.")
    check_stop(stop)
    _check_watchers(on_record, probes)
    check(model, data)
    place = device_of(model)
    cast, precision = autocast(place, recipe.precision)
    optimizer, meter = make_optimizer(model, recipe), Meter(model)
    average = Average(model, recipe.average, test_crops(recipe, data))
    pace, clock = Pace(place), Clock()
    history = History(recipe, device=str(place), precision=precision)
    two_epochs = 2 * max(1, len(data.train.labels) // recipe.batch_size)
    order = torch.Generator().manual_seed(recipe.seed)
    drops = torch.Generator().manual_seed(recipe.seed)
    take_step = Steps(model, recipe, optimizer, drops, cast)
    batches = data.batches(
        data.train, recipe.batch_size, order, recipe.augment, steps=recipe.steps, device=place
    )

    model.train()
    step = 0
    for step, (images, labels) in enumerate(batches, 1):
        if stop is not None and stop.is_set():
            history.status = "stopped"
            break
        record = step == 1 or step % recipe.record_every == 0 or step == recipe.steps
        lr = set_rate(optimizer, learning_rate(recipe, step, two_epochs))

        with pace.step(), watching([meter, *probes] if record else [], model):
            output, loss, norm = take_step(images, labels, look=record)
            average.update()

        meter.count(loss, output, labels)
        if record:
            point = meter.record(step, clock.seconds, norm, lr)
            if not math.isfinite(point.loss):
                history.status = "diverged"
                break
            history.records.append(point)
            for probe in probes:
                probe(Moment(step, model, images, labels, output, loss, optimizer, point))
            if on_record:
                on_record(point)
        if recipe.evaluate_every and step % recipe.evaluate_every == 0 and step < recipe.steps:
            with clock.paused(), cast(), average.weights(data):
                examine(model, data, history, step, stop)
        history.threads = pace.numbers
        with clock.paused():
            yield history

    yield finish(model, data, average, cast, history, clock, step, stop)


# --- What the loop is made of ---------------------------------------------------------------------


def check(model: nn.Module, data) -> None:
    """Raise `TrainError`, in a sentence, where the network cannot take the images or does not know
    their classes.

    Only what torch says about tensors that do not fit becomes such a sentence. A mistake in the
    network's own code, such as a name that is not defined, is left to say what it is.
    """
    if not isinstance(model, nn.Module):
        raise TrainError(
            f"A torch module can be trained, got {type(model).__name__}: `build` makes one of a "
            "description."
        )
    if not hasattr(data, "batches"):
        raise TrainError(f"Training needs the images that `load` gives, got {type(data).__name__}.")
    for split in (data.train, data.test):
        _check_labels(split.labels, data)
    images = data.normalise(data.train.images[:2].to(device_of(model)))
    size = "×".join(map(str, images.shape[1:]))
    try:
        with evaluating(model):
            output = model(fast_layout(images))
    except (SpecError, NotImplementedError, RecursionError, torch.OutOfMemoryError):
        raise  # a sentence already, or nothing that the images could have to do with
    except RuntimeError as error:
        raise TrainError(
            f"The network cannot take images of {size} (channels×height×width) of {data.name}. "
            "Build it for their size, or load them in its size (load(..., image=...)). Torch says: "
            f"{error}"
        ) from error
    classes = len(data.classes)
    if not isinstance(output, torch.Tensor):
        raise TrainError(
            f"The network returns a {type(output).__name__}, but training needs one tensor, "
            f"N×{classes}."
        )
    if output.ndim != 2 or output.shape[1] < classes:
        shape = "×".join(["N", *map(str, output.shape[1:])])
        raise TrainError(
            f"The network's output is {shape}, but {data.name} has {classes} classes: it should be "
            f"N×{classes}. Build the network with classes={classes}."
        )


def _check_watchers(on_record: object, probes: object) -> None:
    if on_record is not None and not callable(on_record):
        raise TrainError(f"on_record is a function of a Record, got {on_record!r}.")
    if not isinstance(probes, (list, tuple)) or not all(callable(probe) for probe in probes):
        raise TrainError(
            "probes is a list of functions of a Moment, or of objects like Probe: write "
            "probes=[mine]."
        )


def test_crops(recipe: Recipe, data) -> Crops | None:
    """What a network is tested on: after training on windows their middle ones, else whole
    images."""
    windows = "window" in recipe.augment.split("+")
    return centre_crop(window(data.test.images.shape[-1])) if windows else None


def _check_labels(labels: torch.Tensor, data) -> None:
    """On a GPU a label that is no class ends every computation of the process."""
    if not len(labels):
        return
    if labels.is_floating_point():
        raise TrainError(
            f"The labels of {data.name} are {labels.dtype}: write labels.long(), positions in its "
            "classes."
        )
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= len(data.classes):
        raise TrainError(
            f"The labels of {data.name} go from {low} to {high}, but it has {len(data.classes)} "
            f"classes: they should be 0 to {len(data.classes) - 1}."
        )


def examine(model: nn.Module, data, history: History, step: int, stop=None) -> float | None:
    """Accuracy on the test images, kept in the history; None where `stop` came in between."""
    rows = logits(model, data, crops=test_crops(history.recipe, data), stop=stop)
    if len(rows) < len(data.test.labels):
        return None
    accuracy = 1 - error_rate(rows, data.test.labels)
    history.evaluations.append((step, accuracy))
    return accuracy


def finish(
    model: nn.Module,
    data,
    average: Average,
    cast,
    history: History,
    clock: Clock,
    step: int,
    stop=None,
) -> History:
    """Test a run that came to its end, and say in a sentence how it ended."""
    steps, records, history.seconds = history.recipe.steps, history.records, clock.seconds
    if history.status == "stopped":
        history.sentence = f"Stopped after {step - 1} of {steps} steps."
        return history
    if history.status == "diverged":
        before = f" (it was {records[-1].loss:.3g} at step {records[-1].step})" if records else ""
        history.sentence = (
            f"Diverged: by step {step} the loss was no longer a finite number{before}. Try a lower "
            "learning rate, a warm-up, gradient clipping, or a smaller residual scale."
        )
        return history
    with cast():
        average.put_in(data)
        history.test_accuracy = examine(model, data, history, step, stop)
    if history.test_accuracy is None:
        history.status = "stopped"
        history.sentence = f"Stopped in the test after all {steps} steps."
    else:
        history.status = "finished"
        history.sentence = (
            f"Finished {steps} steps in {history.seconds:.3g} s: "
            f"{100 * history.test_accuracy:.1f} % of {len(data.test.labels):,} test images right."
        )
    return history


class Clock:
    """Seconds since it was made, without the pauses."""

    def __init__(self):
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._start

    @contextmanager
    def paused(self) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self._start += time.perf_counter() - start
