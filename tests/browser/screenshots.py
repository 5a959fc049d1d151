"""Pictures of a chapter in JupyterLab, run from top to bottom before it is photographed.

python tests/browser/screenshots.py 08 --theme dark --width 600 --out DIR
make screenshots CHAPTER=08 ARGS="--theme dark --width 600"

With --labs: each training lab at rest, in mid-run, at its end (1280 pixels, light) and at its end
again (700 pixels, dark), and the film of a death frame by frame.
"""

import argparse
import sys
from pathlib import Path

from harness import ROOT, Lab, LabServer, open_browser

# The labs that train: module, what makes one, the button that starts it, what is said at the end.
LABS = (
    ("scaling", "scaling_lab()", "Retrain", "guessing gives"),
    ("dying", "dying_lab()", "Retrain", "guessing gives"),
    ("race", "race_lab()", "Race", "test images wrong"),
)
PATIENCE = 240_000  # milliseconds


def open_lab(browser, server, module: str, make: str) -> Lab:
    """A notebook with one lab in it, without the side bar."""
    lab = Lab(browser, server, width=1280)
    function = make.split("(")[0]
    code = f"from inception_edu.labs.{module} import {function}\nlab = {make}"
    lab.open(lab.write(f"{module}.ipynb", code))
    lab.page.evaluate("jupyterapp.shell.collapseLeft()")
    lab.theme("light")
    lab.run_all(300)
    lab.page.wait_for_selector(".ied-panel canvas")
    return lab


def take(lab: Lab, out: Path, name: str) -> None:
    lab.page.wait_for_timeout(900)
    print(lab.screenshot(out / f"{name}.png", lab.page.locator(".ied-lab").first))


def training_labs(out: Path) -> None:
    """Each lab at rest, in mid-run, at its end, and dark and narrow."""
    with LabServer() as server, open_browser() as browser:
        for module, make, start, end in LABS:
            lab = open_lab(browser, server, module, make)
            button = lab.page.locator("button:enabled", has_text=start).first
            button.wait_for(timeout=PATIENCE)
            take(lab, out, f"{module}-1-rest")
            button.click()
            lab.page.get_by_text("step 2").first.wait_for(timeout=PATIENCE)
            take(lab, out, f"{module}-2-running")
            lab.page.locator(".ied-status", has_text=end).wait_for(timeout=PATIENCE)
            take(lab, out, f"{module}-3-end")
            lab.theme("dark").resize(700, 1800)
            take(lab, out, f"{module}-4-dark-700")
            lab.close()
        lab = open_lab(browser, server, "film", "death()")
        places = lab.page.locator(".ied-stops button")
        for i in range(places.count()):
            places.nth(i).click()
            take(lab, out, f"film-{i + 1}")
        lab.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("chapters", nargs="*", help="numbers, such as 08; none means all")
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    parser.add_argument("--width", type=int, default=1280, help="of the window, in pixels")
    parser.add_argument("--mode", choices=("quick", "standard", "full"), default="quick")
    parser.add_argument(
        "--as-stored", action="store_true", help="do not run it: show the stored outputs"
    )
    parser.add_argument("--labs", action="store_true", help="the labs that train, by themselves")
    parser.add_argument("--out", type=Path, default=Path("screenshots"))
    args = parser.parse_args()
    if args.labs:
        training_labs(args.out)
        return

    found = [
        path
        for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
        if not args.chapters or path.name.startswith(tuple(args.chapters))
    ]
    if not found:
        sys.exit(
            f"There is no built chapter {' '.join(args.chapters)}: run `make notebooks` first."
        )
    with LabServer(args.mode) as server, open_browser() as browser:
        for path in found:
            lab = (
                Lab(browser, server, width=args.width)
                .open(f"notebooks/{path.name}")
                .theme(args.theme)
            )
            if not args.as_stored:
                lab.run_all(1800)
            for picture in lab.pages(args.out / f"{path.stem}-{args.theme}-{args.width}"):
                print(picture)
            for problem in lab.console + lab.foreign:
                print(f"    {problem}")
            lab.close()


if __name__ == "__main__":
    main()
