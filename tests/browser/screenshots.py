"""Pictures of a chapter in JupyterLab, run from top to bottom before it is photographed.

python tests/browser/screenshots.py 08 --theme dark --width 600 --out DIR
make screenshots CHAPTER=08 ARGS="--theme dark --width 600"
"""

import argparse
import sys
from pathlib import Path

from harness import ROOT, Lab, LabServer, open_browser


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
    parser.add_argument("--out", type=Path, default=Path("screenshots"))
    args = parser.parse_args()

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
