"""The frame of a lab: controls, Retrain, Stop, Reset, progress with time left, live curves, earlier
runs.

A lab is a subclass of `Lab` that says what its controls are, how to train with their values, and
what to draw. It is displayed as one bundle: the live widget, a picture of its first state with its
words, and a line of text, so that a page without a kernel shows the picture.
"""

from __future__ import annotations

import base64
import threading
import time
from dataclasses import dataclass, field, replace
from html import escape

import ipywidgets as widgets

from inception_edu.labs import WIDGET_VIEW, Shown, chart
from inception_edu.labs.chart import Curve, Panel
from inception_edu.labs.live import (
    LiveRun,
    aside,
    let_clicks_through,
    page_seconds,
    pick_mode,
    warm_up,
)
from inception_edu.labs.page import changing

MOST_RUNS = 7  # curves kept in a chart; the oldest goes first


@dataclass
class Run:
    """One run of a lab, under way or over: its number, the settings it was started with, and its
    records."""

    number: int
    settings: dict
    words: str
    records: list = field(default_factory=list)
    status: str = "running"
    sentence: str = ""
    recorded: bool = False  # comes from a file: it was there when the lab was opened
    drawn: list = field(default_factory=list)  # its curves, a list for each panel, once it is over


class LiveChart:
    """The panels of `chart.py`, a progress bar and a legend, in one `page.changing` widget on a
    light card."""

    def __init__(self, panels, mode: str = "auto"):
        self.panels = list(panels)
        self.widget = changing(mode, width="auto").add_class("ied-chart")

    def draw(self, curves, legend=(), progress: str = "", x_ranges=None, notes=()) -> None:
        """`curves`: a list of curves a panel; `legend`: (number, faded, words); `progress` and
        `notes`: HTML."""
        figures = "".join(
            f'<div class="ied-panel ied-panel-{i + 1}" style="flex:1 1 250px;min-width:0;max-width:520px">'
            + chart.panel_svg(
                panel,
                drawn,
                x_ranges[i] if x_ranges else None,
                'style="width:100%;height:auto;display:block"',
            )
            + "</div>"
            for i, (panel, drawn) in enumerate(zip(self.panels, curves))
        )
        lines = "".join(
            f'<li class="ied-run" style="display:flex;gap:8px;align-items:baseline;margin:1px 0">'
            f'<span style="flex:none">{chart.key_svg(number, faded)}</span>'
            f'<b style="flex:none;color:{chart.COLOURS[(number - 1) % len(chart.COLOURS)]}">{number}</b>'
            f'<span style="font-weight:{400 if faded else 600}">{escape(words)}</span></li>'
            for number, faded, words in legend
        )
        self.widget.value = (
            '<div class="ied-card" style="background:#fff;color:#222;border:1px solid #d0d0d0;border-radius:8px;'
            "padding:8px 10px;line-height:1.4;font-size:13px;box-sizing:border-box;"
            f'font-family:var(--jp-ui-font-family,system-ui,sans-serif)">{progress}'
            f'<div style="display:flex;flex-wrap:wrap;gap:4px">{figures}</div>'
            f'<ol style="list-style:none;margin:4px 0 0;padding:0">{lines}</ol>{"".join(notes)}</div>'
        )


def progress_bar(done: int, total: int, text: str) -> str:
    """A progress bar as HTML, with its text beside it."""
    share = 100 * min(1.0, done / max(1, total))
    return (
        '<div class="ied-progress" style="display:flex;gap:10px;align-items:center;margin:0 0 6px">'
        f'<div role="progressbar" aria-label="progress of the run" aria-valuemin="0" aria-valuemax="{total}" '
        f'aria-valuenow="{done}" style="flex:1 1 60px;max-width:320px;height:10px;border:1px solid #767676;'
        f'border-radius:5px;overflow:hidden"><div style="width:{share:.1f}%;height:100%;background:#0072b2">'
        f'</div></div><span class="ied-progress-text">{escape(text)}</span></div>'
    )


class Lab(Shown):
    """Controls, Retrain, Stop, Reset, progress and live curves around a `LiveRun`. The base of
    every lab.

    A subclass sets `name` (its CSS class is ied-NAME), `title`, `panels`, and defines

        controls()                 {name: widget}; every widget has a `value`
        work(settings)             a function of (report, stop) that trains; runs outside the
                                   callback
        curves(run)                a list of `Curve` for each panel
        total(settings)            how many steps a run has;   step(record): how many are done
        words(settings)            a run's name in the legend; outcome(run): what came of it
        seconds(settings)          how long a run will take here, about, or None

    and may override `legend(run)` (one line a run), `recorded()` (runs that are there at the
    start), `x_ranges(settings)` (of every run shown), `notes()` (pieces of HTML under the legend)
    and `warm_up()`. `controls`, `retrain()`, `stop()`, `reset()`, `runs`, `wait()` do in code what
    the widgets do.
    """

    name, title = "lab", "Lab"
    panels: tuple[Panel, ...] = ()
    log_panel: int | None = None  # the panel whose values can be drawn on a logarithmic axis
    LONG = 15  # seconds: a run that takes longer says so before it starts

    def __init__(self, mode: str = "auto"):
        mode = pick_mode(mode)
        self.run = LiveRun(mode, draw=self._draw, ended=self._ended, page=page_seconds(mode))
        self.controls = self.make_controls()
        self.defaults = self.settings()
        self.chart = LiveChart(self.panels, mode)
        self._clear, self._shown, self._number = False, None, 0
        self._guard = (
            threading.RLock()
        )  # a click and the training thread may change the runs at the same time
        self.runs: list[Run] = []
        self.current: Run | None = None
        self._buttons = {}
        for label, action, tip, style in (
            ("Retrain", self.retrain, "Train a new network with these settings", "primary"),
            ("Stop", self.stop, "End the run after the step it is in", ""),
            ("Reset", self.reset, "Forget the runs and put every setting back", ""),
        ):
            button = widgets.Button(
                description=label,
                tooltip=tip,
                button_style=style,
                layout=widgets.Layout(width="96px"),
            )
            button.add_class(f"ied-{label.lower()}")
            button.on_click(lambda _, action=action: action())
            self._buttons[label] = button
        for key, control in self.controls.items():
            control.add_class(f"ied-control-{key.replace('_', '-')}")
            control.observe(lambda _: self._say_estimate(), names="value")
        self.estimate = widgets.HTML().add_class("ied-estimate")
        self.log_axis = widgets.Checkbox(
            description="logarithmic loss axis", indent=False, layout=widgets.Layout(width="180px")
        ).add_class("ied-log")
        self.log_axis.observe(lambda _: self._draw(), names="value")
        self.status = widgets.HTML(layout=widgets.Layout(width="auto")).add_class("ied-status")
        row = widgets.Layout(flex_flow="row wrap", width="auto")
        self.widget = widgets.VBox(
            [
                widgets.HBox(list(self.controls.values()), layout=row),
                widgets.HBox(
                    [
                        *self._buttons.values(),
                        *([] if self.log_panel is None else [self.log_axis]),
                        self.estimate,
                    ],
                    layout=widgets.Layout(flex_flow="row wrap", width="auto", align_items="center"),
                ),
                self.status,
                self.chart.widget,
            ],
            layout=widgets.Layout(width="auto"),
        )
        self.widget.add_class("ied-lab").add_class(f"ied-{self.name}")
        self._start_over()
        if self.run.mode == "background":
            aside(self._warm_up)
        else:
            self._warm_up()

    # What a subclass defines.

    def make_controls(self) -> dict:
        raise NotImplementedError

    def work(self, settings: dict):
        raise NotImplementedError

    def curves(self, run: Run) -> list[list[Curve]]:
        raise NotImplementedError

    def total(self, settings: dict) -> int:
        raise NotImplementedError

    def step(self, record) -> int:
        return record.step

    def words(self, settings: dict) -> str:
        return " · ".join(f"{k} {v}" for k, v in settings.items())

    def outcome(self, run: Run) -> str:
        return ""

    def legend(self, run: Run) -> list[tuple[int, str]]:
        """A run's lines in the legend: the number of a curve, and what to say of it."""
        words = run.words + (" · recorded earlier" if run.recorded else "")
        outcome = self.outcome(run) if run.records else ""
        return [(run.number, words + (f": {outcome}" if outcome else ""))]

    def seconds(self, settings: dict) -> float | None:
        return None

    def recorded(self) -> list[Run]:
        return []

    def x_ranges(self, settings: list[dict]):
        return None

    def notes(self) -> list[str]:
        return []

    def warm_up(self) -> None:
        warm_up()

    # What the widgets and code do.

    def settings(self) -> dict:
        """The values of the controls, by name."""
        return {name: control.value for name, control in self.controls.items()}

    def retrain(self) -> bool:
        """Train with the settings as they are. False, and nothing else, while a run is under
        way."""
        return self.run.start(self._work)

    def stop(self) -> None:
        """End the run after the step it is in."""
        if self.run.running:
            self.run.stop()
            self._say("Stopping after this step …")

    def reset(self) -> None:
        """Stop, forget the runs, and put every control back to its first value."""
        for name, value in self.defaults.items():
            self.controls[name].value = value
        with self._guard:
            if self.run.status in ("running", "stopping"):
                self._clear = True  # the run's end clears
                self.stop()
            else:
                self._start_over()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the run is over (for code; a reader just watches)."""
        return self.run.wait(seconds)

    @property
    def history(self):
        """What the last run returned (a `train.History`), or None."""
        return self.run.result

    # The machinery.

    def _warm_up(self) -> None:
        """While the lab is being drawn: what the first run would else have to wait for."""
        self.warm_up()
        self._say_estimate()

    def _start_over(self) -> None:
        self._clear = False
        self.runs = self.recorded()
        self._number = len(self.runs)
        self.current = None
        for run in self.runs:
            self._finish(run)
        self._say(
            "Set the sliders and press Retrain."
            + (
                " Training keeps the notebook busy here until it ends; Stop or Interrupt ends it."
                if self.run.mode == "foreground"
                else ""
            )
        )
        self._say_estimate()
        self._draw()

    def _work(self, report, stop):
        """Runs where the training runs: in its thread, or in the foreground."""
        # A slider's value waits in the browser while an earlier one is on its way, a click does
        # not: it may come first.
        time.sleep(0.05)
        if self.run.mode == "foreground":
            let_clicks_through()
        settings = self.settings()
        with self._guard:
            self._number += 1
            self.current = Run(self._number, settings, self.words(settings), self.run.records)
            self.runs = [*self.runs[-(MOST_RUNS - 1) :], self.current]
        self._say(f"Training run {self._number}: {self.current.words}.")
        self._draw()
        return self.work(settings)(report, stop)

    def _finish(self, run: Run) -> None:
        """A run is over: keep its curves as they will stay, faded."""
        run.drawn = [
            [
                Curve(*chart.thin(c.x, c.y), c.number, True, c.guide, c.label)
                for c in panel
                if not c.guide
            ]
            for panel in self.curves(run)
        ]

    def _ended(self) -> None:
        with self._guard:
            run = self.current
            if self._clear or run is None:
                self._start_over()
                return
            run.status, run.sentence = self.run.status, self.run.sentence
            bad = run.status in ("diverged", "failed")
            self._say(f"Run {run.number}: {run.sentence or run.status + '.'}", alert=bad)
            self._finish(run)
            self._say_estimate()
            self._draw()

    def _say(self, sentence: str, alert: bool = False) -> None:
        style = "font-weight:600;border-left:4px solid #d55e00;padding-left:8px" if alert else ""
        self.status.value = (
            f'<div role="{"alert" if alert else "status"}" aria-live="polite" '
            f'style="line-height:1.4;{style}">{escape(sentence)}</div>'
        )

    def _say_estimate(self) -> None:
        seconds = self.seconds(self.settings())
        if seconds is None:
            self.estimate.value = ""
        elif seconds <= self.LONG:
            self.estimate.value = f"A run with these settings: about {_time(seconds)}."
        else:
            self.estimate.value = (
                f"<b>Long: a run with these settings takes about {_time(seconds)} here.</b>"
            )

    def _progress(self) -> str:
        run = self.current
        if run is None or run.status != "running":
            return ""
        records, total = run.records, self.total(run.settings)
        if not records:
            return progress_bar(0, total, f"step 0 of {total}")
        done = self.step(records[-1])
        passed = time.perf_counter() - self.run.times.get("first draw", time.perf_counter())
        first = self.step(records[0])
        left = (
            f" · {_time(passed / (done - first) * (total - done))} left"
            if done > first and passed > 0.3
            else ""
        )
        return progress_bar(done, total, f"step {done} of {total}{left}")

    def _draw(self) -> None:
        with self._guard:
            self._draw_now()

    def _draw_now(self) -> None:
        last = self.current
        if self.log_panel is not None:
            panel = self.panels[self.log_panel]
            self.chart.panels[self.log_panel] = (
                replace(panel, log=True, low=None, cap=None) if self.log_axis.value else panel
            )
        panels = [[] for _ in self.panels]
        legend, settings = [], [run.settings for run in self.runs] or [self.settings()]
        for run in self.runs:
            live = run is last
            drawn = self.curves(run) if live else run.drawn
            for panel, curves in zip(panels, drawn):
                panel += curves
            legend += [(number, not live, words) for number, words in self.legend(run)]
        self.chart.draw(panels, legend, self._progress(), self.x_ranges(settings), self.notes())

    # Showing.

    def picture(self) -> str:
        """The lab at rest as an SVG document: its settings and the runs that are there at the
        start."""
        runs = self.recorded()
        panels = [[] for _ in self.panels]
        for run in runs:
            for panel, curves in zip(panels, self.curves(run)):
                panel += curves
        lines = [self.title, "Settings: " + self.words(self.defaults)]
        lines += [f"Curve {run.number}: {self.outcome(run)} (recorded earlier)" for run in runs]
        return chart.panels_svg(self.panels, panels, lines, self.x_ranges([self.defaults]))

    def bundle(self) -> dict:
        """The lab in three forms: the live widget, a picture of its first state with its words, a
        line of text."""
        text = f"{self.title}: {self.words(self.defaults)}. It is live in JupyterLab and Colab."
        runs = self.recorded()
        said = " ".join(
            [text]
            + [
                chart.describe(panel, [c for run in runs for c in self.curves(run)[i]])
                for i, panel in enumerate(self.panels)
            ]
        )
        image = base64.b64encode(self.picture().encode()).decode()
        return {
            WIDGET_VIEW: {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id},
            "text/html": f'<img alt="{escape(said, quote=True)}" style="max-width:100%;background:#fff" '
            f'src="data:image/svg+xml;base64,{image}">',
            "text/plain": text,
        }

    def __repr__(self) -> str:
        return f"<{self.title}: {self.words(self.settings())}; {self.run.status}>"


def _time(seconds: float) -> str:
    if seconds < 1:
        return "1 s"
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
