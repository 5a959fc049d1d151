"""Speed of the labs, for bench.py: how soon a slider answers, how soon the first point, the verdict
and a stop come, and what plotting costs the training."""

from __future__ import annotations

import ast
import statistics
import sys
import time
from contextlib import contextmanager
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


@contextmanager
def in_jupyter(*cells: str):
    """A JupyterLab in a real browser that has run these cells, of which one makes a lab named
    `bench`; None where there is no browser."""
    sys.path.insert(0, str(Path(__file__).parent / "browser"))
    from harness import Lab, LabServer, find_browser, open_browser

    if find_browser() is None:
        print("no browser here: the lines that need one are left out")
        yield None
        return
    with LabServer() as server, open_browser() as browser:
        lab = Lab(browser, server)
        lab.open(lab.write("bench.ipynb", *cells))
        lab.run_all(300)
        lab.page.wait_for_selector(".ied-panel canvas")
        lab.evaluate("bench.wait()")  # it is warm
        yield lab
        lab.close()


def in_browser(line) -> list:
    """The same in a real JupyterLab."""
    cells = "from inception_edu.labs.dying import dying_lab", "bench = dying_lab()"
    with in_jupyter(*cells) as lab:
        if lab is None:
            return []
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
    ]


# --- What plotting costs --------------------------------------------------------------------------

# Runs of the lab as a reader finds it, with and without a chart.
LEAST, MOST = 6, 24
SURE = 1.0  # per cent: pairs are run until the median's standard error is below it
TIMED = """import time
run = bench.task('run')
draw = run._draw
def timed(plot):
    run._draw = draw if plot else (lambda: None)
    spent, start = time.process_time(), time.perf_counter()
    bench.press('retrain'); bench.wait()
    return time.process_time() - spent, time.perf_counter() - start, run.times['draws']"""


def median_error(values: list[float]) -> float:
    """Standard error of the median, from the distance of the quartiles (normal values: 1.25 · sd /
    √n)."""
    low, _, high = statistics.quantiles(values, n=4)
    return 1.25 * (high - low) / 1.349 / len(values) ** 0.5


def pairs(timed, at: int, least: int = LEAST, most: int = MOST) -> tuple[float, float, list]:
    """What plotting costs in per cent, its standard error, and the pairs (with, without) of column
    `at` of `timed(plot)`. Other work lies on both runs of a pair, and on one more than on the other
    by chance alone: the order within a pair alternates and the median counts."""
    found: list[tuple[float, float]] = []
    costs: list[float] = []
    while len(found) < most:
        first = len(found) % 2 == 0
        one, other = timed(first)[at], timed(not first)[at]
        found.append((one, other) if first else (other, one))
        costs = [100 * (with_ / without - 1) for with_, without in found]
        if len(found) >= least and median_error(costs) < SURE:
            break
    return statistics.median(costs), median_error(costs), found


def plotting(line):
    """The same training with and without plotting, in turn: the processor time of the kernel, which
    other programs hardly change, and the clock, which says something on a quiet machine only."""
    cells = (
        "from inception_edu.labs.dying import dying_lab",
        "bench = dying_lab()",
        TIMED,
    )
    with in_jupyter(*cells) as lab:
        if lab is None:
            return
        timed = lambda plot: ast.literal_eval(lab.evaluate(f"timed({plot})"))  # noqa: E731
        lab.evaluate("__import__('os').environ.update(INCEPTION_EDU_THREADS='1')")
        timed(True)
        cost, error, found = pairs(timed, 0)
        yield (
            line(
                "in JupyterLab, plotting costs training, processor time of the kernel",
                cost,
                "%",
                TARGETS["cost"],
                note=f"± {error:.1f}; {len(found)} pairs of whole runs on one thread, "
                f"{statistics.median(w for w, _ in found):.2f} s each",
            )
        )
        lab.evaluate("__import__('os').environ.pop('INCEPTION_EDU_THREADS')")
        timed(True)
        quiet = [lab.evaluate(FREE) == "True"]
        cost, error, found = pairs(timed, 1, least=6, most=12)
        quiet.append(lab.evaluate(FREE) == "True")
        draws = timed(True)[2]
        said = "" if all(quiet) else "other work on the cores: not judged; "
        yield (
            line(
                "in JupyterLab, plotting costs training, on the clock, all threads",
                cost,
                "%",
                TARGETS["cost"] if all(quiet) else None,
                note=f"{said}± {error:.1f}; {len(found)} pairs, "
                f"{statistics.median(w for w, _ in found):.2f} s each, {draws} pictures a run",
            )
        )


FREE = "__import__('inception_edu.learn.pace', fromlist=['x']).cores_are_free(2)"


def labs(line) -> list:
    """All lines. `line` is bench.py's `Line`."""
    return in_process(line) + in_browser(line)
