"""Pictures of a chapter in JupyterLab, run from top to bottom before it is photographed.

python tests/browser/screenshots.py 08 --theme dark --width 600 --out DIR
make screenshots CHAPTER=08 ARGS="--theme dark --width 600"

With --labs: each training lab at rest, in mid-run, at its end (1280 pixels, light) and at its end
again (700 pixels, dark), and the film of a death frame by frame.

With --readme: docs/dying_lab.png, the lab of chapter 09 after a run, at twice its size.

With --see, and names of labs or none for all: each lab that shows without training, frame by frame
at 1280×720 in the light theme, then dark, then 700 pixels wide in both.
"""

import argparse
import re
import sys
from io import BytesIO
from pathlib import Path

from harness import ROOT, Lab, LabServer, open_browser
from PIL import Image
from site_host import serving, watched

# The labs that train: module, what makes one, the button that starts it, what is said at the end.
LABS = (
    ("scaling", "scaling_lab()", "Retrain", "guessing gives"),
    ("dying", "dying_lab()", "Retrain", "guessing gives"),
    ("race", "race_lab()", "Race", "test images wrong:"),
)
PATIENCE = 240_000  # milliseconds
EAGER = "document.querySelectorAll('img[loading=lazy]').forEach(i => { i.loading = 'eager'; })"


def press(css: str, number: int = 0):
    return lambda page: page.locator(css).nth(number).click()


def point(css: str, number: int = 0):
    return lambda page: page.locator(css).nth(number).hover()


def choose(css: str, label: str):
    return lambda page: page.locator(f"{css} select").select_option(label=label)


def key(css: str, name: str):
    return lambda page: page.locator(css).first.press(name)


STEP = ".ied-field-page .step"
# The labs that show without training: module → what makes one, and its frames (words, act).
SEE = {
    "convolution": (
        "convolution_lab(size=12, kernel=(3, 3), padding='same')",
        [("pixel", point(".in svg")), ("playing", press(".play")), ("over", press(".play"))],
    ),
    "field": (
        "field_lab('1×7 ∘ 7×1')",
        [("one back", press(STEP)), ("two back", press(STEP))],
    ),
    "designer": (
        "block_designer('ReductionA', goal='17×17×1024 with half of the multiply-adds')",
        [
            ("pointed", point('.ied-diagram g[data-path="branch 3/step 2"]')),
            ("chosen", press('.ied-diagram g[data-path="branch 3/step 2"]')),
            ("narrow", press("button.ied-narrow")),
        ],
    ),
    "shapes": ("shape_explorer()", [("block", press('.ied-overview g[data-path="inception_b"]'))]),
    "diagram": ("network_diagram()", [("block", press('g[data-path="inception_a"]'))]),
    "comparison": ("comparison_lab()", []),
    "family": ("family_lab()", []),
    "inside": (
        "feature_maps()",
        [
            ("field", point(".ied-tile", 10)),
            ("channel", press(".ied-tile", 10)),
            ("branch off", press(".ied-branch", 2)),
            ("branch on", press(".ied-branch", 2)),
            ("occlusion", press(".ied-why button", 1)),
            ("before training", choose(".ied-control-compare", "before training")),
            ("step 0", key(".ied-control-training .noUi-handle", "Home")),
        ],
    ),
    "ensembles": (
        "ensembles_lab()",
        [("all", choose(".ied-control-preset", "all 20 members")), ("row", press(".ied-add"))],
    ),
    "speed": (
        "speed_lab('mini inception_v4', image=32)",
        [("measured", lambda page: page.wait_for_selector("button.ied-measure:enabled"))],
    ),
}


def open_lab(browser, server, module: str, make: str, height: int = 900, **window) -> Lab:
    """A notebook with one lab in it, without the side bar."""
    lab = Lab(browser, server, width=1280, height=height, **window)
    function = make.split("(")[0]
    code = f"from inception_edu.labs.{module} import {function}\nlab = {make}"
    lab.open(lab.write(f"{module}.ipynb", code))
    lab.page.evaluate("jupyterapp.shell.collapseLeft()")
    lab.theme("light")
    lab.run_all(300)
    lab.page.wait_for_selector(".ied-lab")
    return lab


def take(lab: Lab, out: Path, name: str) -> None:
    """A picture of the lab, whole also where it is higher than the window."""
    lab.page.wait_for_timeout(900)
    box, size = lab.page.locator(".ied-lab").first, lab.page.viewport_size
    high = box.bounding_box()["height"]
    lab.resize(size["width"], max(size["height"], round(high) + 200))
    print(lab.screenshot(out / f"{name}.png", box), f"{high:.0f} pixels high")
    lab.resize(**size)


def training_labs(out: Path) -> None:
    """Each lab at rest, in mid-run, at its end, and dark and narrow."""
    with LabServer() as server, open_browser() as browser:
        for module, make, start, end in LABS:
            lab = open_lab(browser, server, module, make)
            lab.page.wait_for_selector(".ied-panel canvas")
            button = lab.page.locator("button:enabled", has_text=start).first
            button.wait_for(timeout=PATIENCE)
            take(lab, out, f"{module}-1-rest")
            button.click()
            # Of a fast run not every step is drawn.
            under_way = lab.page.locator(".ied-status", has_text=re.compile(rf"step \d\d|{end}"))
            under_way.wait_for(timeout=PATIENCE)
            take(lab, out, f"{module}-2-running")
            lab.page.locator(".ied-status", has_text=end).wait_for(timeout=PATIENCE)
            take(lab, out, f"{module}-3-end")
            lab.theme("dark").resize(700, 1800)
            take(lab, out, f"{module}-4-dark-700")
            lab.close()
        lab = open_lab(browser, server, "film", "death()")
        lab.page.wait_for_selector(".ied-panel canvas")
        places = lab.page.locator(".ied-stops button")
        for i in range(places.count()):
            places.nth(i).click()
            take(lab, out, f"film-{i + 1}")
        lab.close()


def readme_picture(file: Path) -> None:
    """The verdict and the towers of the dying lab after a run, as narrow as README shows them."""
    with LabServer() as server, open_browser() as browser:
        lab = open_lab(browser, server, "dying", "dying_lab()", scale=2)
        lab.page.wait_for_selector(".ied-panel canvas")
        lab.page.locator("button:enabled", has_text="Retrain").first.click(timeout=PATIENCE)
        lab.page.locator(".ied-status", has_text="guessing gives").wait_for(timeout=PATIENCE)
        lab.resize(700, 1800)
        lab.page.wait_for_timeout(900)
        parts = [
            Image.open(BytesIO(lab.page.locator(css).first.screenshot()))
            for css in (".ied-status", ".ied-towers")
        ]
        lab.close()
    size = max(part.width for part in parts), sum(part.height for part in parts) + 16
    whole = Image.new("RGB", size, "white")
    whole.paste(parts[0], (0, 0))
    whole.paste(parts[1], (0, parts[0].height + 16))
    # Few colours: a third of the bytes.
    whole.quantize(128, dither=Image.Dither.NONE).save(file, optimize=True)
    print(file, f"{file.stat().st_size / 1000:.0f} kB")


def see_labs(out: Path, names: list[str]) -> None:
    """Each lab of `SEE`: its frames, then its last frame dark and narrow."""
    if unknown := set(names) - set(SEE):
        sys.exit(f"There is no lab {', '.join(sorted(unknown))}; there are {', '.join(SEE)}.")
    with LabServer() as server, open_browser() as browser:
        for name in names or SEE:
            make, frames = SEE[name]
            lab = open_lab(browser, server, name, make, height=720)
            take(lab, out, f"{name}-1-rest")
            for number, (what, act) in enumerate(frames, 2):
                act(lab.page)
                take(lab, out, f"{name}-{number}-{what}")
            for theme, width in (("dark", 1280), ("light", 700), ("dark", 700)):
                lab.theme(theme).resize(width, 720)
                take(lab, out, f"{name}-{theme}-{width}")
            for problem in lab.console + lab.foreign:
                print(f"    {problem}")
            lab.close()


def site(out: Path) -> None:
    """Pictures of every page of the built site, and what it weighs."""
    folder = ROOT / "dist" / "site"
    names = sorted(path.name for path in folder.glob("*.html"))
    if not names:
        sys.exit("There is no site: run `make site` first.")
    for path in sorted([*folder.glob("*.html"), *(folder / "_static" / "live").glob("**/*.*")]):
        if path.parent.parent.name != "recorded":  # a view for each choice: told together
            print(f"{path.stat().st_size / 1e6:8.2f} MB  {path.relative_to(folder)}")
    for lab in sorted((folder / "_static" / "live" / "recorded").glob("*")):
        sizes = [path.stat().st_size for path in lab.glob("*.json")]
        print(f"{sum(sizes) / 1e6:8.2f} MB  {lab.relative_to(folder)}: {len(sizes)} files")
    with serving(folder) as address, open_browser() as browser:
        for theme, width, height in (("light", 1280, 720), ("dark", 375, 800)):
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=theme
            )
            page = watched(context.new_page(), address)
            for name in names:
                page.goto(f"{address}/{name}")
                page.evaluate(EAGER)  # pictures that come when a reader comes near them
                page.wait_for_timeout(1500)
                picture = out / f"{name.removesuffix('.html')}-{theme}-{width}.png"
                page.screenshot(path=picture, full_page=True)
                print(picture, *page.trouble)
            context.close()


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
    parser.add_argument(
        "--see", nargs="*", metavar="LAB", help="the labs that show without training"
    )
    parser.add_argument("--readme", action="store_true", help="the picture of README")
    parser.add_argument("--site", action="store_true", help="the built site, not JupyterLab")
    parser.add_argument("--out", type=Path, default=Path("screenshots"))
    args = parser.parse_args()
    if args.site:
        args.out.mkdir(parents=True, exist_ok=True)
        site(args.out)
        return
    if args.readme:
        readme_picture(ROOT / "docs" / "dying_lab.png")
        return
    if args.labs:
        training_labs(args.out)
        return
    if args.see is not None:
        see_labs(args.out, args.see)
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
