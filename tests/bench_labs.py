"""Speed of the labs, for bench.py: how soon the first point, how soon a stop, and what plotting
costs the training."""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

TARGETS = {"first": 0.5, "stop": 0.3, "cost": 3.0}


def in_process(line) -> list:
    """The first settings, in this process: from Retrain to the first drawn point, from Stop to the
    end of the run."""
    from inception_edu.labs.scaling import ScalingLab

    lab = ScalingLab(mode="background")
    lab.warm_up()
    firsts, stops = [], []
    for _ in range(5):
        lab.retrain()
        while len(lab.run.records) < 4 and lab.run.running:
            time.sleep(0.005)
        lab.stop()
        lab.wait()
        if lab.run.error:
            raise lab.run.error
        firsts.append(lab.run.times["first draw"] - lab.run.times["start"])
        stops.append(lab.run.times["end"] - lab.run.times["stop"])
    guess, start = lab.seconds(lab.settings()), time.perf_counter()
    lab.retrain()
    lab.wait()
    whole = time.perf_counter() - start
    return [
        line(
            "a run with the lab's first settings", whole, "s", 15, note=f"foretold: {guess:.1f} s"
        ),
        line(
            "from Retrain to the first plotted point, the lab's first settings",
            min(firsts),
            "s",
            TARGETS["first"],
            note=f"median {statistics.median(firsts):.2f} s",
        ),
        line(
            "from Stop to the end of the run",
            min(stops),
            "s",
            TARGETS["stop"],
            note=f"median {statistics.median(stops):.2f} s",
        ),
    ]


CLICK = """async ({button, selector}) => {
    const start = performance.now();
    document.querySelector(button + ' button, button' + button).click();
    while (!document.querySelector(selector))
        await new Promise(done => requestAnimationFrame(done));
    return (performance.now() - start) / 1000;
}"""


def in_browser(line) -> list:
    """The same in a real JupyterLab, and the same training with and without plotting, in turn."""
    sys.path.insert(0, str(Path(__file__).parent / "browser"))
    from harness import Lab, LabServer, find_browser, open_browser

    if find_browser() is None:
        print("no browser here: the lines that need one are left out")
        return []
    with LabServer() as server, open_browser() as browser:
        lab = Lab(browser, server)
        lab.open(
            lab.write(
                "bench.ipynb",
                "from inception_edu.labs.scaling import scaling_lab\nimport time",
                "bench = scaling_lab(seed=1)",
                "def timed(draw, width=64, depth=2, steps=300):\n"
                "    bench.steps = steps\n"
                "    bench.controls['width'].value, bench.controls['depth'].value = width, depth\n"
                "    bench.run._draw = bench._draw if draw else (lambda: None)\n"
                "    bench.retrain(); bench.wait()\n"
                "    return bench.history.seconds",
            )
        )
        lab.run_all(300)
        lab.page.wait_for_selector(".ied-panel")
        lab.page.wait_for_function(
            "document.querySelector('.ied-estimate').textContent.includes('run')", timeout=300_000
        )  # it is warm
        firsts, stops = [], []
        for _ in range(5):
            lab.button("Reset").click()
            lab.page.wait_for_function(
                "document.querySelector('.ied-status').textContent.includes('press Retrain')"
            )
            firsts.append(
                lab.page.evaluate(
                    CLICK,
                    {"button": ".ied-retrain", "selector": ".ied-panel-1 polyline[opacity='1']"},
                )
            )
            stops.append(
                lab.page.evaluate(
                    CLICK,
                    {"button": ".ied-stop", "selector": ".ied-chart:not(:has(.ied-progress))"},
                )
            )
            lab.evaluate("bench.wait()")
        rounds = [
            [float(lab.evaluate(f"timed({draw})")) for draw in (True, False)] for _ in range(5)
        ]
        plotted, plain = (min(column) for column in zip(*rounds))
        lab.close()
    return [
        line(
            "in JupyterLab, from the click on Retrain to the first point in the page",
            min(firsts),
            "s",
            TARGETS["first"],
            note=f"median {statistics.median(firsts):.2f} s",
        ),
        line(
            "in JupyterLab, from the click on Stop to the end of the run in the page",
            min(stops),
            "s",
            TARGETS["stop"],
            note=f"median {statistics.median(stops):.2f} s",
        ),
        line(
            "in JupyterLab, plotting costs training (a small tower's short steps)",
            100 * (plotted / plain - 1),
            "%",
            TARGETS["cost"],
            note=f"{plotted:.2f} against {plain:.2f} s",
        ),
    ]


def labs(line) -> list:
    """All lines. `line` is bench.py's `Line`."""
    return in_process(line) + in_browser(line)
