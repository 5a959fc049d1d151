"""Speed of the labs, for bench.py: how soon a slider answers, how soon the first point, the verdict
and a stop come, and what plotting costs the training."""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

TARGETS = {"slider": 0.1, "first": 0.5, "stop": 0.3, "verdict": 10.0, "cost": 3.0}


def in_process(line) -> list:
    """The first settings, in this process: from Retrain to the first drawn point, from Stop to the
    end of the run, a whole run."""
    from inception_edu.labs.dying import dying_core
    from inception_edu.labs.host import NotebookLab

    lab = NotebookLab(dying_core(), mode="background")
    lab.wait()  # the warm-up
    run = lab.task("run")
    firsts, stops = [], []
    for _ in range(5):
        lab.press("retrain")
        while len(run.records) < 4 and run.running:
            time.sleep(0.005)
        lab.press("stop")
        lab.wait()
        if run.error:
            raise run.error
        firsts.append(run.times["first draw"] - run.times["start"])
        stops.append(run.times["end"] - run.times["stop"])
    guess, start = lab.state.seconds, time.perf_counter()
    lab.press("retrain")
    lab.wait()
    whole = time.perf_counter() - start
    return [
        line(
            "from Retrain to the verdict, the dying lab's first settings",
            whole,
            "s",
            TARGETS["verdict"],
            note=f"foretold: {guess:.1f} s",
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


# Seconds from a click, or a key, to the first frame in which the page has what is waited for.
ACT = """async ({act, until}) => {
    const start = performance.now();
    eval(act);
    while (!eval(until)) {
        await new Promise(done => requestAnimationFrame(done));
        if (performance.now() - start > 60000)
            throw Error(`after a minute not seen: ${until}; the status: ` +
                document.querySelector('.ied-status').textContent);
    }
    await new Promise(done => requestAnimationFrame(done));
    return (performance.now() - start) / 1000;
}"""
TYPE = """(() => {
    const box = document.querySelector('.ied-control-scale input');
    box.value = '%s';
    box.dispatchEvent(new Event('input', {bubbles: true}));
    box.dispatchEvent(new Event('change', {bubbles: true}));
})()"""


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
                "from inception_edu.labs.dying import dying_lab\nimport time",
                "bench = dying_lab()",
                "run = bench.task('run')\n"
                "draw = run._draw\n"
                "def timed(plot):\n"
                "    run._draw = draw if plot else (lambda: None)\n"
                "    bench.press('retrain'); bench.wait()\n"
                "    return run.result.seconds",
            )
        )
        lab.run_all(300)
        lab.page.wait_for_selector(".ied-panel canvas")
        lab.evaluate("bench.wait()")  # it is warm
        said = "document.querySelector('.ied-status').textContent"
        sliders = []
        for scale in ("0.3", "0.1", "0.5", "0.2", "1"):
            until = f"{said}.includes('scale {scale},')"
            sliders.append(lab.page.evaluate(ACT, {"act": TYPE % scale, "until": until}))
        press = "document.querySelector('button.ied-{0}, .ied-{0} button').click()"
        # What is waited for names the run: the words of the run before it stand there at first.
        firsts, stops = [], []
        for number in range(1, 6):
            until = f"/Run {number}:.* step [1-9]/.test({said})"
            firsts.append(lab.page.evaluate(ACT, {"act": press.format("retrain"), "until": until}))
            until = f"{said}.includes('Run {number} was stopped')"
            stops.append(lab.page.evaluate(ACT, {"act": press.format("stop"), "until": until}))
            lab.evaluate("bench.wait()")
        until = f"{said}.includes('guessing gives')"
        verdict = lab.page.evaluate(ACT, {"act": press.format("retrain"), "until": until})
        lab.evaluate("bench.wait()")
        rounds = [
            [float(lab.evaluate(f"timed({plot})")) for plot in (True, False)] for _ in range(6)
        ]
        # What else the machine does lies on both runs of a round, and differs between rounds.
        ratio = statistics.median(plotted / plain for plotted, plain in rounds)
        lab.close()
    return [
        line(
            "in JupyterLab, from a number typed at a slider to the recorded runs in the page",
            min(sliders),
            "s",
            TARGETS["slider"],
            note=f"median {statistics.median(sliders):.3f} s",
        ),
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
            "in JupyterLab, from the click on Retrain to the verdict in the page",
            verdict,
            "s",
            TARGETS["verdict"],
        ),
        line(
            "in JupyterLab, plotting costs training (the lab's first settings)",
            100 * (ratio - 1),
            "%",
            TARGETS["cost"],
            note="rounds: " + ", ".join(f"{a:.2f} against {b:.2f}" for a, b in rounds) + " s",
        ),
    ]


def labs(line) -> list:
    """All lines. `line` is bench.py's `Line`."""
    return in_process(line) + in_browser(line)
