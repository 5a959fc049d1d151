"""One training run: train the network of a configuration, and measure it.

result = run(Config("scale 0.1", "tower", dict(width=576, scale=0.1), Recipe(steps=100)))
print(result.sentence)
"""

from __future__ import annotations

import threading
from contextlib import nullcontext
from typing import Any

import torch

from inception_edu.learn import History, default_device, training
from inception_edu.learn.pace import threads as with_threads
from inception_edu.nets.build import named_blocks
from inception_edu.study.config import PHOTOGRAPHS, Config, ExperimentError
from inception_edu.study.crops import KINDS, crop_answers
from inception_edu.study.fates import END_IMAGES
from inception_edu.study.identity import exact_name, fingerprint, open_data, settled, where
from inception_edu.study.results import Result, versions
from inception_edu.study.watch import Watch, dead_channels

# The dead channels at the end are counted on so many training images, and once more on so many.
FEW, MANY = END_IMAGES, 500


class Running:
    """A run that is advanced a step at a time, so that two can race.

        running = Running(config)
        for history in running:        # after each step; the last one says how the run ended
            ...
        result = running.result()

    `model` is the network, `data` its images with the configuration's test images. Arguments as in
    `run`.
    """

    def __init__(
        self,
        config: Config,
        *,
        source: str | None = None,
        on_record=None,
        stop: threading.Event | None = None,
    ):
        self.config, self.source = config, source
        self.data = open_data(
            config.data, source, config.test_images or 1, config.judge, config.per_class
        )
        self.model = config.model().to(default_device())
        self.history = History()
        self._watch = Watch(self.model)
        self._steps = training(
            self.model,
            self.data,
            settled(config),
            on_record=on_record,
            stop=stop,
            probes=[self._watch],
        )

    def __iter__(self) -> Running:
        return self

    def __next__(self) -> History:
        self.history = next(self._steps)
        return self.history

    def finish(self) -> Result:
        """All steps that are left, then what the run showed."""
        for _ in self:
            pass
        return self.result()

    def result(self) -> Result:
        """What the run showed. To be asked for when it is over."""
        config, source, history = self.config, self.source, self.history
        model, data = self.model, self.data
        images = open_data(config.data, source)
        whole = history.status == "finished"
        extras: dict[str, Any] = {}
        if history.evaluations:
            extras["evaluations"] = history.evaluations
        if whole:
            extras["dead_training"] = dead_channels(model, data, MANY)
        if whole and config.after:
            extras |= crop_answers(model, images, config.test_images, KINDS[config.after])
        name = images.name
        if config.data == PHOTOGRAPHS:
            name = exact_name(images, where(config.data, source))
        return Result(
            config=config,
            status=history.status,
            sentence=history.sentence,
            test_accuracy=history.test_accuracy if whole and config.test_images else None,
            dead=dead_channels(model, data, FEW) if whole else {},
            curves=_curves(history, self._watch),
            maps=_maps(history, self._watch, [name for name, _ in named_blocks(model)]),
            seconds=history.seconds,
            params=sum(p.numel() for p in model.parameters()),
            macs=config.macs(),
            data={
                "name": name,
                "fingerprint": fingerprint(config.data, source),
                "train": len(data.train),
                "test": len(data.test) if config.test_images else 0,
            },
            device=str(default_device()),
            threads=torch.get_num_threads(),
            precision=history.precision,
            versions=versions(),
            extras=extras,
        )


def run(
    config: Config,
    *,
    source: str | None = None,
    on_record=None,
    stop: threading.Event | None = None,
    threads: int | None = 1,
) -> Result:
    """Train once and measure. `source` says where the photographs are, else `photographs()` does.

    `threads`: with one of torch's threads a run repeats to the last bit on the same machine, for
    two add up the same numbers in another order. None: as many as are fast just now.

    `on_record` and `stop` are handed to `train`. A run that diverges or is stopped returns a result
    like any other, without accuracy and dead channels. The recipe's precision "auto" is
    float32 here. Raises `ExperimentError` for what is no configuration, else as `train`.
    """
    if not isinstance(config, Config):
        raise ExperimentError(f"A run is said by a Config(...), got {type(config).__name__}.")
    with nullcontext() if threads is None else with_threads(threads):
        return Running(config, source=source, on_record=on_record, stop=stop).finish()


def _curves(history: History, watch: Watch) -> dict[str, list]:
    names = ("step", "loss", "accuracy", "grad_norm", "lr")
    curves = {name: [getattr(record, name) for record in history.records] for name in names}
    for name in watch.rows[0] if watch.rows else {}:
        curves[name] = [row[name] for row in watch.rows]
    return curves


def _maps(history: History, watch: Watch, blocks: list[str]) -> dict[str, dict[str, list]]:
    maps = {}
    for what in ("spread", "dead", "ratio"):
        rows = [getattr(record, what) for record in history.records]
        known = [name for name in blocks if rows and name in rows[0]]
        maps[what] = {name: [row[name] for row in rows] for name in known}
    return maps | {"branch": watch.branch, "gradient": watch.gradient}


def reproduce(result: Result, seed: int | None = None, **arguments) -> Result:
    """The same configuration once more, here and now; with `seed`, a draw that the committed file
    does not have."""
    return run(result.config.with_seed(result.seed if seed is None else seed), **arguments)
