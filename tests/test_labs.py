"""The labs without a browser: the chart, the run that can be stopped, the frame, and the same lab
as on Colab."""

import base64
import json
import math
import os
import re
import signal
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from queue import Empty
from types import SimpleNamespace as Record

import ipywidgets as widgets
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inception_edu.labs import chart
from inception_edu.labs.chart import Curve, Panel
from inception_edu.labs.frame import MOST_RUNS, WIDGET_VIEW, Lab
from inception_edu.labs.live import AskingStop, LiveRun, pick_mode

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 60  # seconds: machines may be slow; what takes that long hangs

# --- The chart ------------------------------------------------------------------------------------

finite = st.floats(-1e6, 1e6)


@given(st.lists(finite, min_size=1, max_size=2000))
@settings(max_examples=60, deadline=None)
def test_thinning_keeps_the_extremes_and_the_ends(values):
    x, y = chart.thin(range(len(values)), values)
    assert len(x) == len(y) <= chart.MOST_POINTS
    assert (x[0], x[-1]) == (0, len(values) - 1)
    assert (min(y), max(y)) == (min(values), max(values))
    assert x == sorted(set(x)) and all(values[a] == b for a, b in zip(x, y))


def test_thinning_drops_what_is_not_finite():
    assert chart.thin([1, 2, 3, 4], [1.0, math.nan, math.inf, None]) == ([1], [1.0])


@given(finite, st.floats(1e-3, 1e6))
@settings(deadline=None)
def test_ticks_are_round_few_and_inside(low, width):
    found = chart.ticks(low, low + width)
    assert 2 <= len(found) <= 6
    assert all(low - 1e-6 * width <= t <= low + width * (1 + 1e-6) for t in found)


@given(st.floats(1e-8, 1e6), st.floats(1.3, 1e9))
@settings(deadline=None)
def test_log_ticks_are_few_and_inside(low, factor):
    found = chart.log_ticks(low, low * factor)
    assert len(found) <= 6
    assert all(low * 0.99 <= t <= low * factor * 1.01 for t in found)
    assert len(found) >= 2


def test_ticks_of_blocks_are_whole():
    assert chart.ticks(0, 3, 5, whole=True) == [0, 1, 2, 3]


@example([5e-324], True, False, False)
@example([5e-324], False, False, False)
@given(
    st.lists(st.one_of(finite, st.just(math.nan), st.just(math.inf), st.none()), max_size=40),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_a_panel_is_well_formed_whatever_the_values(values, log, percent, faded):
    panel = Panel("a < b", "step & more", '"value"', log=log, percent=percent, cap=10.0)
    svg = chart.panel_svg(panel, [Curve(list(range(len(values))), values, 2, faded)])
    tree = ElementTree.fromstring(svg)
    assert tree.get("role") == "img" and tree.get("aria-label").startswith("a < b.")
    assert "nan" not in re.sub(r'aria-label="[^"]*"', "", svg)
    places = [
        float(v)
        for line in tree.iter("polyline")
        for p in line.get("points").split()
        for v in p.split(",")
    ]
    assert all(-5 <= v <= chart.WIDTH for v in places)


def test_runs_differ_without_colour_and_earlier_ones_fade():
    panel = Panel("Loss", "step", "nats")
    svg = chart.panel_svg(panel, [Curve([0, 1], [2, 1], 1, faded=True), Curve([0, 1], [2, 1.5], 2)])
    lines = [e for e in ElementTree.fromstring(svg).iter("polyline")]
    assert [e.get("opacity") for e in lines] == ["0.5", "1"]
    assert (
        len({e.get("stroke-dasharray") for e in lines})
        == len({e.get("stroke") for e in lines})
        == 2
    )
    assert len(set(chart.DASHES)) == len(set(chart.COLOURS)) == MOST_RUNS
    texts = [e.text for e in ElementTree.fromstring(svg).iter("text")]
    assert {"1", "2", "Loss", "step", "nats"} <= set(texts)


def test_the_description_states_the_numbers():
    said = chart.describe(
        Panel("Dead", "step", "share", percent=True), [Curve([1, 50], [0.0, 0.57], 3)]
    )
    assert said == "Dead. run 3: 0 % at step 1, 57 % at step 50."


def test_an_exploding_run_does_not_flatten_the_others():
    panel = Panel("Loss", "step", "nats", low=0, cap=6)
    svg = chart.panel_svg(panel, [Curve([0, 1], [2.3, 1.0], 1), Curve([0, 1], [2.3, 1e30], 2)])
    first = next(ElementTree.fromstring(svg).iter("polyline")).get("points").split()
    drop = float(first[1].split(",")[1]) - float(first[0].split(",")[1])
    assert drop > 25, "the fall from 2.3 to 1.0 is visible"


# --- One run --------------------------------------------------------------------------------------


def counting(steps=10_000, pause=0.002, end="finished", explode=False):
    """Work that "trains": `steps` records, stopping when asked."""

    def work(report, stop):
        for step in range(1, steps + 1):
            if stop.is_set():
                return Record(status="stopped", sentence=f"Stopped at step {step}.")
            if explode:
                raise RuntimeError("the images are gone")
            report(Record(step=step, loss=2.0 / step, thread=threading.current_thread()))
            time.sleep(pause)
        return Record(status=end, sentence=f"{end} after {steps} steps.")

    return work


def until(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def test_background_runs_in_a_thread_of_its_own_and_stops():
    run = LiveRun("background")
    assert run.start(counting()) and run.running
    until(lambda: run.records)
    run.stop()
    assert run.wait(PATIENCE)
    assert run.status == "stopped" and run.sentence.startswith("Stopped at step")
    assert run.records[0].thread is not threading.current_thread() and run.records[0].thread.daemon


def test_foreground_runs_where_it_is_called():
    run = LiveRun("foreground")
    assert run.start(counting(5, 0)) and not run.running
    assert run.status == "finished" and len(run.records) == 5
    assert run.records[0].thread is threading.current_thread()


def test_many_quick_starts_make_one_run():
    run = LiveRun("background")
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(run.start(counting()))) for _ in range(8)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    run.stop()
    assert run.wait(PATIENCE)
    assert sorted(answers) == [False] * 7 + [True] and run.started == 1
    assert run.start(counting(3, 0)) and run.wait(PATIENCE) and run.started == 2


def test_a_start_from_within_a_foreground_run_is_refused():
    run = LiveRun("foreground")
    answers = []
    run.start(lambda report, stop: answers.append(run.start(counting(1))))
    assert answers == [False] and run.status == "finished"


@pytest.mark.parametrize("mode", ["background", "foreground"])
def test_ends_are_told_apart(mode):
    run = LiveRun(mode)
    run.start(counting(3, 0, "diverged"))
    assert run.wait(PATIENCE) and (run.status, run.sentence) == (
        "diverged",
        "diverged after 3 steps.",
    )
    run.start(counting(explode=True))
    assert run.wait(PATIENCE) and run.status == "failed"
    assert run.sentence == "The run ended with an error. RuntimeError: the images are gone"
    assert isinstance(run.error, RuntimeError)
    run.start(counting(3, 0))
    assert run.wait(PATIENCE) and run.status == "finished" and run.error is None


def test_the_first_record_is_drawn_at_once_and_drawing_keeps_to_its_share():
    drawn = []
    run = LiveRun(
        "foreground",
        draw=lambda: (drawn.append(len(run.records)), time.sleep(0.02)),
        redraw=0.0,
        share=0.1,
    )
    run.start(counting(400, 0.002))
    assert drawn[0] == 1
    total = run.times["end"] - run.times["start"]
    assert run.times["drawing"] <= 0.1 * total + 0.1, "at most its share, and one drawing"
    for page, most in ((0.05, 0.1 * total / (0.05 + 0.02)), (10.0, 1)):
        run = LiveRun("foreground", draw=lambda: time.sleep(0.02), redraw=0.0, share=0.1, page=page)
        run.start(counting(400, 0.002))
        assert 1 <= run.times["draws"] <= most + 1, (
            "what the page needs to show a drawing counts as well"
        )
    fast = []
    run = LiveRun("foreground", draw=lambda: fast.append(1), redraw=0.05)
    run.start(counting(100, 0.002))
    assert 2 <= len(fast) <= (run.times["end"] - run.times["start"]) / 0.05 + 1


def test_foreground_asks_for_clicks_and_a_click_on_stop_ends_the_run():
    run = LiveRun("foreground")
    asked = []

    def work(report, stop):
        stop._ask = lambda: (asked.append(1), run.stop() if len(asked) == 3 else None)
        return counting()(report, stop)

    run.start(work)
    assert run.status == "stopped" and len(asked) == 3


def test_asking_is_rationed():
    asked = []
    stop = AskingStop(lambda: asked.append(1), every=30)
    assert not any(stop.is_set() for _ in range(100)) and len(asked) == 1


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_interrupt_ends_a_foreground_run_in_order():
    before = signal.getsignal(signal.SIGINT)
    run = LiveRun("foreground")
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    run.start(counting())
    assert run.status == "stopped" and run.sentence.startswith("Stopped at step")
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_second_interrupt_ends_work_that_does_not_listen():
    run = LiveRun("foreground")
    for seconds in (0.3, 0.6):
        threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)).start()

    def deaf(report, stop):
        while True:
            time.sleep(0.01)

    run.start(deaf)
    assert (run.status, run.sentence) == ("stopped", "Interrupted.")


def test_the_mode_fits_the_place(monkeypatch):
    for name in ("COLAB_RELEASE_TAG",):
        monkeypatch.delenv(name, raising=False)
    assert pick_mode() == "background" and pick_mode("foreground") == "foreground"
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release")
    assert pick_mode() == "foreground" and pick_mode("background") == "background"
    with pytest.raises(ValueError, match="auto, background, foreground"):
        pick_mode("sometimes")


# --- The frame ------------------------------------------------------------------------------------

CORE = {
    "FloatSlider",
    "IntSlider",
    "FloatLogSlider",
    "SelectionSlider",
    "Dropdown",
    "ToggleButtons",
    "Checkbox",
    "Button",
    "HTML",
    "Image",
    "Output",
    "VBox",
    "HBox",
    "BoundedIntText",
}


class CountingLab(Lab):
    """A lab that counts instead of training."""

    name, title = "counting-lab", "Counting lab"
    log_panel = 0
    panels = (Panel("Loss", "step", "nats", low=0), Panel("Other", "step", "things"))
    end, explode, pause = "finished", False, 0.002

    def make_controls(self):
        return {
            "steps": widgets.IntSlider(value=40, min=1, max=100_000, description="steps"),
            "two_words": widgets.FloatSlider(value=1.0, min=0, max=1.5, description="two words"),
        }

    def work(self, settings):
        return counting(settings["steps"], self.pause, self.end, self.explode)

    def curves(self, run):
        steps = [r.step for r in run.records]
        return [
            [Curve(steps, [r.loss for r in run.records], run.number)],
            [Curve(steps, steps, run.number)],
        ]

    def total(self, settings):
        return settings["steps"]

    def seconds(self, settings):
        return settings["steps"] * 0.1

    def outcome(self, run):
        return f"loss {run.records[-1].loss:.3f}"


def everything(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from everything(child)


def by_class(lab, name):
    return next(w for w in everything(lab.widget) if name in getattr(w, "_dom_classes", ()))


def polylines(lab):
    return re.findall(r"<polyline[^>]*>", lab.chart.widget.value)


@pytest.mark.parametrize("mode", ["background", "foreground"])
def test_retrain_keeps_earlier_runs_as_faded_named_curves(mode):
    lab = CountingLab(mode)
    retrain = by_class(lab, "ied-retrain")
    retrain.click()
    assert lab.wait(PATIENCE)
    lab.controls["two_words"].value = 0.5
    retrain.click()
    assert lab.wait(PATIENCE)
    assert [run.settings["two_words"] for run in lab.runs] == [1.0, 0.5]
    assert len(polylines(lab)) == 4 and sum('opacity="0.5"' in line for line in polylines(lab)) == 2
    value = lab.chart.widget.value
    assert (
        "steps 40 · two_words 1.0: loss 0.050" in value
        and "steps 40 · two_words 0.5: loss 0.050" in value
    )
    assert "Run 2: finished after 40 steps." in lab.status.value


def test_two_quick_clicks_start_one_run_and_stop_ends_it():
    lab = CountingLab("background")
    lab.controls["steps"].value = 100_000
    for _ in range(2):
        by_class(lab, "ied-retrain").click()
    until(lambda: lab.run.records)
    assert len(lab.runs) == 1 and lab.run.started == 1
    by_class(lab, "ied-stop").click()
    assert lab.wait(PATIENCE) and lab.run.status == "stopped"
    assert "Run 1: Stopped at step" in lab.status.value


def test_progress_tells_steps_and_time_left_while_the_run_goes_on():
    lab = CountingLab("background")
    lab.controls["steps"].value = 100_000
    lab.retrain()
    until(lambda: re.search(r"step \d+ of 100000 · \d+ (s|min) left", lab.chart.widget.value))
    assert 'role="progressbar"' in lab.chart.widget.value
    lab.stop()
    assert lab.wait(PATIENCE) and 'role="progressbar"' not in lab.chart.widget.value


@pytest.mark.parametrize("running", [True, False])
def test_reset_stops_forgets_and_puts_the_settings_back(running):
    lab = CountingLab("background")
    lab.controls["steps"].value = 100_000 if running else 5
    lab.retrain()
    until(lambda: lab.run.records)
    if not running:
        assert lab.wait(PATIENCE)
    by_class(lab, "ied-reset").click()
    assert lab.wait(PATIENCE)
    assert lab.runs == [] and not polylines(lab)
    assert lab.settings() == lab.defaults == {"steps": 40, "two_words": 1.0}
    assert "press Retrain" in lab.status.value
    lab.retrain()
    assert (
        lab.wait(PATIENCE)
        and [run.number for run in lab.runs] == [1]
        and lab.run.status == "finished"
    )


def test_reset_right_after_retrain_wins():
    lab = CountingLab("background")
    lab.controls["steps"].value = 100_000
    for _ in range(3):
        lab.retrain()
        lab.reset()  # before the run has even read its settings
        assert lab.wait(PATIENCE)
        assert (
            lab.runs == [] and lab.run.status == "stopped" and "press Retrain" in lab.status.value
        )
        lab.controls["steps"].value = 100_000


def test_old_runs_make_room():
    lab = CountingLab("foreground")
    lab.pause = 0
    for _ in range(MOST_RUNS + 2):
        lab.retrain()
    assert [run.number for run in lab.runs] == list(range(3, MOST_RUNS + 3))


@pytest.mark.parametrize("mode", ["background", "foreground"])
def test_bad_ends_are_sentences(mode):
    lab = CountingLab(mode)
    lab.end = "diverged"
    lab.retrain()
    assert lab.wait(PATIENCE)
    assert (
        "Run 1: diverged after 40 steps." in lab.status.value and 'role="alert"' in lab.status.value
    )
    lab.explode = True
    lab.retrain()
    assert lab.wait(PATIENCE)
    assert (
        "Run 2: The run ended with an error. RuntimeError: the images are gone" in lab.status.value
    )


def test_a_long_run_says_so_beforehand():
    lab = CountingLab("background")
    until(lambda: "about 4 s" in lab.estimate.value)
    assert "Long" not in lab.estimate.value
    lab.controls["steps"].value = 3000
    assert "Long: a run with these settings takes about 5 min here" in lab.estimate.value


def test_the_loss_axis_can_be_logarithmic():
    lab = CountingLab("foreground")
    lab.controls["steps"].value = 1000
    lab.pause = 0
    lab.retrain()
    assert ">0.01<" not in lab.chart.widget.value
    by_class(lab, "ied-log").value = True
    assert ">0.01<" in lab.chart.widget.value


@pytest.mark.parametrize("mode, own", [("foreground", set()), ("background", {"Component_html"})])
def test_every_part_can_be_found_and_is_a_core_widget_on_colab(mode, own):
    lab = CountingLab(mode)
    for name in (
        "ied-lab",
        "ied-counting-lab",
        "ied-retrain",
        "ied-stop",
        "ied-reset",
        "ied-control-steps",
        "ied-control-two-words",
        "ied-estimate",
        "ied-status",
        "ied-chart",
        "ied-log",
    ):
        assert by_class(lab, name)
    assert {type(w).__name__ for w in everything(lab.widget)} - CORE == own


def test_without_anywidget_the_chart_is_html(monkeypatch):
    from inception_edu.labs import page

    monkeypatch.setitem(sys.modules, "anywidget", None)
    page.component.cache_clear()
    assert type(page.changing("background")) is widgets.HTML
    page.component.cache_clear()


def test_a_lab_is_one_bundle_of_widget_picture_and_text():
    lab = CountingLab("foreground")
    bundle = lab.bundle()
    assert set(bundle) == {WIDGET_VIEW, "text/html", "text/plain"}
    assert bundle[WIDGET_VIEW]["model_id"] == lab.widget.model_id
    image = ElementTree.fromstring(bundle["text/html"].replace(">", "/>"))
    assert image.tag == "img" and "Counting lab: steps 40 · two_words 1.0" in image.get("alt")
    picture = ElementTree.fromstring(base64.b64decode(image.get("src").partition(",")[2]))
    assert picture.tag.endswith("svg") and "Settings: steps 40" in "".join(picture.itertext())
    assert len(json.dumps(bundle)) < 100_000


# --- The residual-scaling lab ---------------------------------------------------------------------

SMALL = dict(width=32, depth=2, steps=6)


@pytest.fixture(scope="module")
def clothes():
    from inception_edu.data import load

    return load("fashion", device="cpu", limit=(640, 100))


def scaling(clothes, mode, **first):
    from inception_edu.labs.scaling import ScalingLab

    return ScalingLab(clothes, mode=mode, **{**SMALL, **first})


def test_the_lab_trains_the_same_network_in_both_modes(clothes):
    curves = []
    for mode in ("background", "foreground"):
        lab = scaling(clothes, mode, scale=0.3, lr=0.05)
        lab.retrain()
        assert lab.wait(PATIENCE) and lab.run.status == "finished", lab.run.sentence
        assert [r.step for r in lab.run.records] == [1, 2, 4, 6]
        assert list(lab.run.records[0].spread) == [
            "stem",
            "inception_resnet_c.1",
            "inception_resnet_c.2",
        ]
        curves.append([r.loss for r in lab.run.records])
    assert curves[0] == curves[1] and len(set(curves[0])) > 1


def test_every_control_changes_what_is_trained(clothes):
    lab = scaling(clothes, "foreground")
    seen = []
    for change in (
        {},
        {"scale": 0.1},
        {"width": 64},
        {"depth": 3},
        {"lr": 0.01},
        {"optimizer": "sgd"},
        {"seed": 1},
    ):
        for name, value in {**lab.defaults, **change}.items():
            lab.controls[name].value = value
        lab.retrain()
        assert lab.run.status == "finished", lab.run.sentence
        seen.append(tuple(r.loss for r in lab.run.records))
    assert len(set(seen)) == len(seen), "two different settings gave the same curve"
    from inception_edu.learn import Recipe

    assert lab.recipe(lab.defaults) == Recipe(
        steps=6,
        batch_size=32,
        optimizer="rmsprop",
        lr=0.1,
        momentum=0.9,
        rms_decay=0.9,
        eps=1.0,
        record_every=2,
    )


def test_stopped_and_diverged_runs_say_so(clothes):
    lab = scaling(clothes, "background", steps=5000)
    lab.retrain()
    until(lambda: len(lab.run.records) >= 2)
    lab.stop()
    assert lab.wait(PATIENCE) and lab.run.status == "stopped" and "topped" in lab.status.value
    assert f"(stopped at step {lab.run.records[-1].step})" in lab.chart.widget.value
    lab = scaling(clothes, "foreground", optimizer="sgd", steps=50)
    lab.controls["lr"].max = 31  # beyond what the slider allows
    lab.controls["lr"].value = 1e30
    lab.retrain()
    assert lab.run.status == "diverged", lab.run.sentence
    assert 'role="alert"' in lab.status.value and "Traceback" not in lab.status.value


def test_the_estimate_follows_the_work(clothes):
    lab = scaling(clothes, "foreground", steps=100)  # the foreground warms up before it goes on
    small = lab.seconds(lab.defaults)
    large = lab.seconds({**lab.defaults, "width": 1152, "depth": 20})
    assert 0 < small < large and large > 5 * small
    lab.controls["width"].value, lab.controls["depth"].value = 1152, 20
    lab._per_guess *= 100  # a very slow machine
    lab._say_estimate()
    assert "Long:" in lab.estimate.value


def test_the_recorded_run_is_that_of_the_first_settings():
    from inception_edu.labs.scaling import ScalingLab

    kept = json.loads(ScalingLab(mode="foreground").path.read_text(encoding="utf-8"))
    lab = ScalingLab(mode="background")
    assert kept["settings"] == lab.first == lab.settings(), (
        "record it again: python -m inception_edu.labs.scaling"
    )
    assert [run.recorded for run in lab.runs] == [True] and len(polylines(lab)) == 4
    assert lab.runs[0].records[-1].step == lab.steps
    assert "recorded earlier" in lab.chart.widget.value
    alt = ElementTree.fromstring(lab.bundle()["text/html"].replace(">", "/>")).get("alt")
    assert re.search(r"Dead channels in the last block. run 1: .* at step 80", alt)
    assert ScalingLab(mode="background", scale=0.5).runs == [], (
        "other settings have no recorded run"
    )


def test_an_unknown_setting_is_named(clothes):
    with pytest.raises(
        ValueError, match="no setting rate; it has scale, width, depth, lr, optimizer, seed"
    ):
        scaling(clothes, "background", rate=0.1)


# --- As on Colab: ipywidgets 7.7.1, IPython 7.34, ipykernel 6.17 ----------------------------------


class ColabKernel:
    """A kernel of Colab's versions, driven message by message: clicks are sent while it is busy."""

    def __init__(self, python, folder, **environment):
        from jupyter_client.kernelspec import KernelSpecManager
        from jupyter_client.manager import KernelManager

        spec = folder / "kernels" / "colab"
        spec.mkdir(parents=True)
        (spec / "kernel.json").write_text(
            json.dumps(
                {
                    "argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
                    "display_name": "Colab",
                    "language": "python",
                    "interrupt_mode": "signal",
                    "env": {
                        "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)]),
                        "IPYTHONDIR": str(folder / "ipython"),
                        "COLAB_RELEASE_TAG": "test",
                        **environment,
                    },
                }
            )
        )
        self.manager = KernelManager(
            kernel_name="colab",
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(spec.parent)]),
        )
        self.manager.start_kernel(cwd=str(folder))
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)
        self.seen: list[dict] = []  # every message on iopub, in order

    def listen(self, until, seconds=2 * PATIENCE):
        """Read messages until `until(message)` holds; return that message."""
        end = time.monotonic() + seconds
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=1)
            except Empty:
                assert time.monotonic() < end and self.manager.is_alive(), (
                    "waited in vain for the kernel"
                )
                continue
            self.seen.append(message)
            if message["msg_type"] == "error":
                raise AssertionError("\n".join(message["content"]["traceback"]))
            if until(message):
                return message

    def send(self, comm: str, data: dict) -> str:
        message = self.client.session.msg("comm_msg", {"comm_id": comm, "data": data})
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def click(self, comm: str) -> str:
        return self.send(comm, {"method": "custom", "content": {"event": "click"}})

    def set(self, comm: str, value) -> str:
        return self.send(comm, {"method": "update", "state": {"value": value}, "buffer_paths": []})

    def idle(self, parent: str):
        """Wait until the kernel has dealt with the message `parent`."""
        return self.listen(
            lambda m: (
                m["msg_type"] == "status"
                and m["content"]["execution_state"] == "idle"
                and m["parent_header"].get("msg_id") == parent
            )
        )

    def run(self, code: str) -> str:
        """Run a cell and return what it prints."""
        first = len(self.seen)
        self.idle(self.client.execute(code))
        return "".join(m["content"]["text"] for m in self.seen[first:] if m["msg_type"] == "stream")

    def values(self, comm: str, first: int = 0) -> list[dict]:
        """The messages that set the widget's value."""
        return [
            m
            for m in self.seen[first:]
            if m["msg_type"] == "comm_msg"
            and m["content"]["comm_id"] == comm
            and "value" in m["content"]["data"].get("state", {})
        ]

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def colab(colab_python, tmp_path):
    kernel = ColabKernel(colab_python, tmp_path)
    yield kernel
    kernel.close()


OPEN = """
import ipywidgets, IPython, ipykernel, json
assert (ipywidgets.__version__, IPython.__version__) == ("7.7.1", "7.34.0"), "not Colab's versions"
{make}
parts = {{b.description: b.model_id for b in lab._buttons.values()}}
parts.update({{name: control.model_id for name, control in lab.controls.items()}})
parts.update(chart=lab.chart.widget.model_id, status=lab.status.model_id)
lab.show()
print(json.dumps(parts))
"""
COUNTING = (
    "from counting import CountingLab\nlab = CountingLab()\nlab.controls['steps'].value = 100_000"
)


def counting_module():
    """The lab of this file, for a kernel that has no pytest."""
    text = open(__file__, encoding="utf-8").read()
    lab = text[text.index("class CountingLab") : text.index("def everything")]
    work = text[text.index("def counting(") : text.index("def until")]
    return (
        "import threading, time\nfrom types import SimpleNamespace as Record\n"
        "import ipywidgets as widgets\n"
        "from inception_edu.labs.chart import Curve, Panel\n"
        "from inception_edu.labs.frame import Lab\n\n" + work + lab
    )


def test_on_colab_the_run_is_in_the_foreground_and_stop_gets_through(colab, tmp_path):
    (tmp_path / "counting.py").write_text(counting_module(), encoding="utf-8")
    parts = json.loads(colab.run(OPEN.format(make=COUNTING)))
    shown = next(m for m in colab.seen if m["msg_type"] == "display_data")
    assert set(shown["content"]["data"]) == {WIDGET_VIEW, "text/html", "text/plain"}

    first = len(colab.seen)
    train = colab.click(parts["Retrain"])
    colab.listen(lambda m: m["msg_type"] == "comm_msg" and "left" in str(m))
    grown = colab.values(parts["chart"], first)
    assert all(m["parent_header"]["msg_id"] == train for m in grown), (
        "Colab shows what belongs to the click"
    )
    again = colab.click(parts["Retrain"])  # is refused while the run goes on
    colab.idle(again)
    waiting = colab.client.execute("print('a cell that waited', lab.run.status)")
    moved = colab.set(parts["two_words"], 0.25)
    colab.idle(moved)  # before the cell: the slider is dealt with in mid-run
    later = len(colab.seen)
    colab.listen(lambda m: m in colab.values(parts["chart"], later))
    assert colab.values(parts["chart"], later)[0]["parent_header"]["msg_id"] == train, (
        "still the run's own parent"
    )
    colab.click(parts["Stop"])
    colab.idle(train)
    colab.idle(waiting)
    printed = "".join(m["content"]["text"] for m in colab.seen if m["msg_type"] == "stream")
    assert "a cell that waited stopped" in printed
    state = json.loads(
        colab.run(
            "print(json.dumps([lab.run.started, len(lab.runs), lab.run.status, "
            "lab.controls['two_words'].value, lab.run.mode]))"
        )
    )
    assert state == [1, 1, "stopped", 0.25, "foreground"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_on_colab_interrupt_ends_a_run_in_order(colab, tmp_path):
    (tmp_path / "counting.py").write_text(counting_module(), encoding="utf-8")
    parts = json.loads(colab.run(OPEN.format(make=COUNTING)))
    train = colab.click(parts["Retrain"])
    colab.listen(lambda m: m["msg_type"] == "comm_msg" and "left" in str(m))
    colab.manager.interrupt_kernel()
    colab.idle(train)
    assert json.loads(colab.run("print(json.dumps([lab.run.status, lab.run.sentence[:15]]))")) == [
        "stopped",
        "Stopped at step",
    ]
    interrupted = colab.client.execute("lab.retrain()")  # the same from a cell
    colab.listen(lambda m: m["msg_type"] == "comm_msg" and "left" in str(m))
    colab.manager.interrupt_kernel()
    colab.idle(interrupted)
    assert json.loads(colab.run("print(json.dumps([lab.run.started, lab.run.status]))")) == [
        2,
        "stopped",
    ]
    # Interrupt works as ever afterwards.
    message = colab.client.execute("import time; time.sleep(600)")
    time.sleep(1)
    colab.manager.interrupt_kernel()
    with pytest.raises(AssertionError, match="KeyboardInterrupt"):
        colab.idle(message)


SCALING = (
    "import torch; torch.set_num_threads(1)\nfrom inception_edu.labs.scaling import ScalingLab\n"
    "lab = ScalingLab(width=32, depth=1, steps=5000)"
)


def test_on_colab_the_scaling_lab_trains_and_stops(colab):
    parts = json.loads(colab.run(OPEN.format(make=SCALING)))
    colab.idle(colab.set(parts["scale"], 0.2))
    train = colab.click(parts["Retrain"])
    colab.listen(
        lambda m: m["msg_type"] == "comm_msg" and re.search(r"step \d+ of 5000 · .* left", str(m))
    )
    colab.click(parts["Stop"])
    colab.idle(train)
    state = json.loads(
        colab.run(
            "print(json.dumps([lab.run.started, lab.run.status, lab.runs[-1].settings['scale'], "
            "lab.run.records[-1].step]))"
        )
    )
    assert state[:3] == [1, "stopped", 0.2] and 1 <= state[3] < 5000
    assert "Stopped" in colab.values(parts["status"])[-1]["content"]["data"]["state"]["value"]
