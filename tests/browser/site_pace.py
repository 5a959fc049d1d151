"""What the built site weighs and how soon it answers: `make site`, then

    python tests/browser/site_pace.py [--write]

Three tables: the parts of the site; of each page what a browser takes before a reader touches
anything; of each of four labs the seconds from the first touch of its slider until Python has
answered, then the milliseconds from a step of the slider to the frame in which its answer stands,
of 20 steps. The load of the machine is said, because these are times by the clock. `--write` puts
the tables into docs/site.md.
"""

import os
import statistics
import sys
from pathlib import Path

from harness import ROOT, open_browser
from site_host import serving, watched

SITE = ROOT / "dist" / "site"
LABS = (  # page, lab, the slider's name
    ("02_stem", "shape_explorer", "image (px)"),
    ("08_residual_scaling", "scaling_lab", "scale"),
    ("09_dying_networks", "dying_lab", "scale"),
    ("10_the_race", "race_lab", "residual scale"),
)
PARTS = (  # a pattern of files, what they are, when a browser takes them
    ("[0-9][0-9]_*.html", "chapters", "when a page is opened"),
    ("[!0-9]*.html", "other pages", "when a page is opened"),
    ("_images/*", "pictures", "when a reader comes near them"),
    ("_static/live/labs/*", "components of labs, with their styles", "with a page that has them"),
    ("_static/live/recorded/*/*", "recorded views", "one at a choice"),
    ("_static/live/pyodide/*", "Python (Pyodide)", "at the first touch of a lab that needs it"),
    ("_static/live/python.bin", "memory of a started Python, deflated", "with Python"),
    ("_static/live/inception_edu.zip", "the package and its records", "with Python"),
    ("_static/live/images.bin", "images to train on", "at the first run"),
    ("searchindex.js", "index of words", "at a search"),
)
STEPS = 20
AIM = 100  # milliseconds
PATIENCE = 240_000
TAKEN = """() => performance.getEntries().reduce(
    ([files, bytes], entry) => entry.encodedBodySize === undefined ? [files, bytes]
        : [files + 1, bytes + entry.encodedBodySize], [0, 0])"""
READY = """lab => {
    const place = document.querySelector(`[data-lab=${lab}]`), start = performance.now();
    window.ready = null;
    new MutationObserver(() => { window.ready ??= performance.now() - start; })
        .observe(place, { attributeFilter: ['data-ready'] });
    place.querySelector('input[type=range]').focus();
}"""
# The host sets aria-valuetext with all else that the answer changes; two frames on, it is painted.
ANSWER = """([lab, name, up]) => new Promise(done => {
    const slider = document.querySelector(`[data-lab=${lab}] input[aria-label="${name}"]`);
    const start = performance.now(), frame = act => requestAnimationFrame(() => setTimeout(act));
    new MutationObserver((_, seen) => {
        seen.disconnect();
        frame(() => done(performance.now() - start));
    }).observe(slider, { attributeFilter: ['aria-valuetext'] });
    const way = up ? 1 : -1;
    slider.valueAsNumber = slider.valueAsNumber + way * +slider.step;
    slider.dispatchEvent(new Event('input'));
})"""
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
START, END = "<!-- measured: python tests/browser/site_pace.py --write -->", "<!-- end -->"


def table(heads: list[str], rows: list[list]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def parts(folder: Path) -> str:
    """The site's tree: what it is made of."""
    left, rows = {path for path in folder.rglob("*") if path.is_file()}, []
    whole = [path.stat().st_size for path in left]
    for pattern, what, when in PARTS:
        found = [path for path in folder.glob(pattern) if path in left]
        left -= set(found)
        size = sum(path.stat().st_size for path in found)
        rows.append([f"`{pattern}`", what, len(found), f"{size / 1e6:.2f}", when])
    size = sum(path.stat().st_size for path in left)
    rows.append(["all else", "the theme, the host", len(left), f"{size / 1e6:.2f}", "with a page"])
    rows.append(["**all**", "", len(whole), f"**{sum(whole) / 1e6:.2f}**", ""])
    return table(["files", "what", "number", "MB", "when a browser takes them"], rows)


def page_weights(browser, address: str) -> str:
    """What each page makes a browser take before anything is touched."""
    rows = []
    for path in sorted(SITE.glob("*.html")):
        context = browser.new_context(viewport={"width": 375, "height": 800})
        page = watched(context.new_page(), address)
        page.goto(f"{address}/{path.name}")
        page.wait_for_timeout(1500)
        files, size = page.evaluate(TAKEN)
        first = page.evaluate(FIRST_PAINT)
        itself = f"{path.stat().st_size / 1e6:.2f}"
        rows.append([path.stem, itself, f"{size / 1e6:.2f}", files, f"{first:.0f}"])
        if page.trouble:
            print(path.name, *page.trouble)
        context.close()
    return table(["page", "HTML, MB", "with all it takes, MB", "files", "first paint, ms"], rows)


def answers(browser, address: str) -> tuple[str, int]:
    """(the table of the labs, how many are slower than the aim)"""
    rows, slow = [], 0
    for name, lab, slider in LABS:
        page = watched(browser.new_page(), address)
        page.goto(f"{address}/{name}.html")
        page.locator(f"[data-lab={lab}] .ied-lab").wait_for(timeout=PATIENCE)
        page.evaluate(READY, lab)
        page.wait_for_function("window.ready", timeout=PATIENCE)
        ready = page.evaluate("window.ready")
        times = []
        for i in range(STEPS):  # there and back again: nothing is answered from memory at first
            times.append(page.evaluate(ANSWER, [lab, slider, i >= STEPS // 2]))
            page.wait_for_timeout(150)
        middle, load = statistics.median(times), os.getloadavg()[0]
        slow += middle > AIM
        ms = [f"{middle:.0f}", f"{max(times):.0f}"]
        rows.append([f"{lab}, “{slider}”", f"{ready / 1000:.1f}", *ms, f"{load:.1f}"])
        if page.trouble:
            print(lab, *page.trouble)
        page.close()
    heads = ["lab, slider", "ready after, s", f"a step, ms (median of {STEPS})", "slowest, ms"]
    return table([*heads, "load"], rows), slow


def main() -> int:
    if not (SITE / "_static" / "live" / "pyodide").exists():
        sys.exit("There is no site with live labs: run `make site` first.")
    with serving(SITE) as address, open_browser() as browser:
        weights = page_weights(browser, address)
        times, slow = answers(browser, address)
    text = f"{parts(SITE)}\n\n{weights}\n\nOn {os.cpu_count()} cores:\n\n{times}"
    print(text)
    print("each answers within 100 ms" if not slow else f"{slow} of {len(LABS)} are above 100 ms")
    if "--write" in sys.argv:
        document = ROOT / "docs" / "site.md"
        before, rest = document.read_text(encoding="utf-8").split(START)
        after = rest.split(END)[1]
        document.write_text(f"{before}{START}\n\n{text}\n\n{END}{after}", encoding="utf-8")
    return slow


if __name__ == "__main__":
    sys.exit(main())
