"""The race lab: two networks of equal cost, one with residual connections and one without, train in
turns.

    from inception_edu.labs.race import race_lab
    lab = race_lab()

`python -m inception_edu.labs.race` runs the lab's first settings and writes the race that the lab
shows when it is opened, `data/lab_race.json`.
"""

from __future__ import annotations

from dataclasses import dataclass

import ipywidgets as widgets

from inception_edu.data import Data, window
from inception_edu.describe import Network
from inception_edu.labs.chart import Curve, Panel, number
from inception_edu.labs.frame import Run
from inception_edu.labs.tower import BATCH, TowerLab
from inception_edu.learn import History, Recipe, Record, default_device, training
from inception_edu.study import PAIRS, RACERS, Config

WIDTH, STEPS = 72, 100
TOWERS = "tower without / with identity"
SHORT = {
    "inception_v3": "Inception-v3",
    "inception_resnet_v1": "Inception-ResNet-v1",
    "inception_v4": "Inception-v4",
    "inception_resnet_v2": "Inception-ResNet-v2",
}
NAMES = {
    TOWERS: ("without identity", "with identity"),
    **{
        " / ".join(SHORT[name] for name in pair): tuple(SHORT[name] for name in pair)
        for pair in PAIRS
    },
}
RATES = (0.003, 0.01, 0.02, 0.03, 0.1, 0.3, 1.0)


@dataclass
class Lap:
    """Both networks at one step: the record of each, or None for one that is out of the race."""

    sides: tuple[Record | None, Record | None]

    @property
    def step(self) -> int:
        return next(record.step for record in self.sides if record)


@dataclass
class Race:
    """A race that is over: the two histories, and its end in words."""

    histories: tuple[History, History]
    status: str
    sentence: str


class RaceLab(TowerLab):
    """A run trains two networks, a step of each in turn, with the same batches; `race_lab` makes
    and shows one.

    Run n draws the curves 2n − 1, without residual connections, and 2n, with them.
    """

    name, title = "race-lab", "The race"
    panels = (
        Panel("Training error, step by step", "step", "error", low=0.0, high=1.0, percent=True),
        Panel(
            "The same against its own time",
            "seconds of its own",
            "error",
            low=0.0,
            high=1.0,
            percent=True,
        ),
    )
    first_settings = {"pair": TOWERS, "depth": 16, "rate": 0.1, "scale": 0.1, "seed": 0}
    file = "lab_race.json"
    steps = STEPS

    def make_controls(self) -> dict:
        common = {"layout": widgets.Layout(width="330px"), "style": {"description_width": "90px"}}
        slider = {"continuous_update": False, **common}
        first = self.first
        controls = {
            "pair": widgets.Dropdown(
                options=list(NAMES), value=first["pair"], description="pair", **common
            ),
            "depth": widgets.SelectionSlider(
                options=[2, 4, 8, 16, 24], value=first["depth"], description="depth", **slider
            ),
            "rate": widgets.SelectionSlider(
                options=RATES, value=first["rate"], description="learning rate", **slider
            ),
            "scale": widgets.FloatSlider(
                first["scale"], min=0.0, max=1.5, step=0.05, description="residual scale", **slider
            ),
            "seed": widgets.BoundedIntText(
                first["seed"], min=0, max=9999, description="seed", **common
            ),
        }

        def only_towers_have_a_depth(*_):
            controls["depth"].disabled = controls["pair"].value != TOWERS

        controls["pair"].observe(only_towers_have_a_depth, names="value")
        only_towers_have_a_depth()
        return controls

    def configs(self, settings: dict) -> tuple[Config, Config]:
        """Both networks as configurations of an experiment: without residual connections, then with
        them."""
        towers, scale, classes = (
            settings["pair"] == TOWERS,
            settings["scale"],
            len(self.data.classes),
        )
        recipe = Recipe(
            steps=self.steps,
            batch_size=BATCH,
            lr=settings["rate"],
            momentum=0.9,
            record_every=4,
            augment="none" if towers else "window+flip",
        )
        if towers:
            common = dict(
                width=WIDTH, depth=settings["depth"], image=self.data.image, classes=classes
            )
            racers = [
                ("tower", dict(residual=False, **common)),
                ("tower", dict(scale=scale, **common)),
            ]
        else:
            pair = PAIRS[list(NAMES).index(settings["pair"]) - 1]
            racers = [
                (
                    name,
                    dict(
                        width=1 / 16,
                        repeats=RACERS[name],
                        image=window(self.data.image),
                        scale=scale,
                        classes=classes,
                    ),
                )
                for name in pair
            ]
        return tuple(
            Config(side, kind, arguments, recipe, seed=settings["seed"], data=self.data.name)
            for side, (kind, arguments) in zip(NAMES[settings["pair"]], racers)
        )

    def networks(self, settings: dict) -> list[Network]:
        return [config.description() for config in self.configs(settings)]

    def train(self, settings: dict, report, stop) -> Race:
        configs = self.configs(settings)
        runners = [
            training(config.model().to(default_device()), self.few, config.recipe, stop=stop)
            for config in configs
        ]
        histories, seen = [History(), History()], [0, 0]
        while running := [k for k in (0, 1) if histories[k].status == "running"]:
            for k in running:
                histories[k] = next(runners[k])
            counts = [len(history.records) for history in histories]
            if counts != seen:
                report(
                    Lap(
                        tuple(
                            h.records[-1] if n > s else None
                            for h, n, s in zip(histories, counts, seen)
                        )
                    )
                )
                seen = counts
        return Race(tuple(histories), *verdict(configs, histories))

    def curves(self, run: Run) -> list[list[Curve]]:
        drawn = [[], []]
        for side, name in enumerate(NAMES[run.settings["pair"]]):
            records = [lap.sides[side] for lap in run.records if lap.sides[side]]
            error, label = [1 - r.accuracy for r in records], f"{name}, run {run.number}"
            for panel, x in zip(drawn, ([r.step for r in records], [r.seconds for r in records])):
                panel.append(Curve(x, error, 2 * run.number - 1 + side, label=label))
        return drawn

    def x_ranges(self, settings: list[dict]):
        ends = [
            lap.sides[k].seconds
            for run in self.runs
            for lap in run.records[-1:]
            for k in (0, 1)
            if lap.sides[k]
        ]
        return [(0, self.steps), (0, max(ends, default=1))]

    def words(self, settings: dict) -> str:
        """What a race is called; a tower's depth belongs to it, a mini network has the repeats of
        `RACERS`."""
        towers = settings["pair"] == TOWERS
        return " · ".join(
            [
                settings["pair"],
                *([f"depth {settings['depth']}"] if towers else []),
                f"rate {settings['rate']:g}",
                f"scale {settings['scale']:g}",
                f"seed {settings['seed']}",
            ]
        )

    def side(self, run: Run, side: int) -> str:
        """One network's line in the legend: its name and where it stands."""
        name = NAMES[run.settings["pair"]][side]
        records = [lap.sides[side] for lap in run.records if lap.sides[side]]
        if not records:
            return name
        last = records[-1]
        out = (
            " (out of the race)"
            if last.step < run.records[-1].step or run.status == "diverged"
            else ""
        )
        return (
            f"{name}: {number(recent_error(records), True)} wrong at step {last.step} after "
            f"{last.seconds:.3g} s{out}"
        )

    def outcome(self, run: Run) -> str:
        """For the caption of the lab's picture, which begins with "Curve" and the run's number."""
        parts = [
            f"{name} {number(recent_error([lap.sides[k] for lap in run.records if lap.sides[k]]), True)} wrong"
            for k, name in enumerate(NAMES[run.settings["pair"]])
        ]
        return f"; curve {2 * run.number}: ".join(parts)

    def legend(self, run: Run) -> list[tuple[int, str]]:
        """A line for each of a run's two networks."""
        setting = run.words.removeprefix(run.settings["pair"]) + (
            " · recorded earlier" if run.recorded else ""
        )
        return [(2 * run.number - 1 + side, self.side(run, side) + setting) for side in (0, 1)]

    def recorded(self) -> list[Run]:
        kept = self.kept()
        if not kept:
            return []
        laps = [
            Lap(pair) for pair in zip(*(History.from_dict(h).records for h in kept["histories"]))
        ]
        return [Run(1, self.first, self.words(self.first), laps, kept["status"], recorded=True)]

    def to_keep(self, result: Race) -> dict:
        return {
            "status": result.status,
            "histories": [history.to_dict() for history in result.histories],
        }


def recent_error(records: list[Record], count: int = 3) -> float:
    """Training error of the last few records together: one alone jumps about."""
    return sum(1 - record.accuracy for record in records[-count:]) / len(records[-count:])


def verdict(configs: tuple[Config, Config], histories: list[History]) -> tuple[str, str]:
    """How a race ended, as a status and in words."""
    names = [config.label for config in configs]
    said = []
    for name, history in zip(names, histories):
        if history.test_accuracy is not None:
            said.append(
                f"{name} {number(1 - history.test_accuracy, True)} of the test images wrong"
            )
        elif history.status == "diverged":
            at = f"after step {history.records[-1].step}" if history.records else "at once"
            said.append(f"{name} diverged {at}: its loss was no longer a finite number")
    if any(history.status == "stopped" for history in histories):
        return (
            "stopped",
            f"Stopped after {max(h.records[-1].step if h.records else 0 for h in histories)} steps.",
        )
    if all(history.status == "diverged" for history in histories):
        return "diverged", "; ".join(
            said
        ) + ". Try a lower learning rate or a smaller residual scale."
    plain, residual = histories
    ahead = ""
    if None not in (plain.test_accuracy, residual.test_accuracy):
        goal = max(recent_error(h.records) for h in histories)
        steps = [
            next(r.step for i, r in enumerate(h.records, 1) if recent_error(h.records[:i]) <= goal)
            for h in histories
        ]
        first, last = (0, 1) if steps[0] < steps[1] else (1, 0)
        ahead = (
            f" A training error of {number(goal, True)} came at step {steps[first]} for {names[first]}, at step "
            f"{steps[last]} for {names[last]}."
            if steps[0] != steps[1]
            else ""
        )
    return "finished", f"{histories[0].recipe.steps} steps each: {'; '.join(said)}.{ahead}"


def race_lab(data: Data | None = None, steps: int = STEPS, mode: str = "auto", **first) -> RaceLab:
    """Display the race between networks with and without residual connections, and return it.

    `data` is what `data.load` returns (the embedded images by default), `steps` the steps of each
    network. Further keywords are the controls' first values: pair (a key of `NAMES`), depth (towers
    only), rate, scale, seed. Raises ValueError for a setting that there is not.
    """
    lab = RaceLab(data, steps, mode, **first)
    lab.show()
    return lab


if __name__ == "__main__":
    RaceLab(mode="foreground").record()
