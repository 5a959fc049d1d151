"""Installs the project and what it needs into the environment that runs this. `make lab` calls it.

    python tools/install.py lab                    the extras to install, from pyproject.toml
    python tools/install.py lab --torch-index URL  torch and torchvision from this package index

On Linux the ordinary torch brings several GB of CUDA libraries. A machine without an NVIDIA card
needs none of them: PyTorch's install page names, for "CPU", an index that holds a build without
them. Give its address as `make lab TORCH_INDEX=...`, or in the environment. An index that does not
answer is no error: the ordinary build is taken then.

Before anything is downloaded, the size of it is printed.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
TORCH = ["torch", "torchvision"]
ADVICE = """\
This machine has no NVIDIA card, and the torch that comes next is made for one: most of its size is
of no use here. A smaller build is on the index that PyTorch's install page names for "CPU":
stop this with Ctrl-C and run    make lab TORCH_INDEX=<that address>"""


def has_nvidia() -> bool:
    """Whether the machine has an NVIDIA card that torch could use."""
    return bool(shutil.which("nvidia-smi")) or Path("/proc/driver/nvidia/version").exists()


# An older pip fetches each package as a whole before it can say which ones it would fetch.
NEW_PIP = (25, 3)


def can_say() -> bool:
    """Whether pip can name what it would download; a pip that is too old is replaced first."""

    def version() -> tuple[int, ...]:
        done = subprocess.run([*PIP, "--version"], capture_output=True, text=True, check=True)
        return tuple(int(part) for part in done.stdout.split()[1].split(".")[:2])

    if version() < NEW_PIP:
        subprocess.run([*PIP, "install", "--quiet", "--upgrade", "pip"], capture_output=True)
    return version() >= NEW_PIP


def wheels(requirements: list[str]) -> list[str]:
    """Addresses of what pip would download for `requirements`; empty where pip cannot say."""
    command = [*PIP, "install", "--quiet", "--dry-run", "--report", "-", *requirements]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        return []
    report = json.loads(done.stdout[done.stdout.index("{") :])
    return [item["download_info"]["url"] for item in report["install"]]


def size(url: str) -> int:
    """Bytes of the file at `url`, asked for without fetching it; 0 where that is not known."""
    request = urllib.request.Request(url, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.headers.get("Content-Length") or 0)
    except (OSError, ValueError):
        return 0


def download_size(requirements: list[str]) -> tuple[int, int, str]:
    """(bytes to download, packages, the largest one's file name) for `requirements`."""
    addresses = [url for url in wheels(requirements) if url.startswith("http")]
    if not addresses:
        return 0, 0, ""
    with ThreadPoolExecutor(16) as pool:
        sizes = list(pool.map(size, addresses))
    largest = max(range(len(sizes)), key=sizes.__getitem__)
    return sum(sizes), len(sizes), addresses[largest].rsplit("/", 1)[-1]


def announce(requirements: list[str]) -> None:
    """Say how much pip is about to download."""
    total, packages, largest = download_size(requirements) if can_say() else (0, 0, "")
    if total:
        name = largest.split("-")[0]
        print(f"To download: {total / 1e6:,.0f} MB in {packages} packages, the largest is {name}.")
    else:
        print("To download: nothing, or pip could not say how much.")
    sys.stdout.flush()


def install(requirements: list[str]) -> int:
    announce(requirements)
    return subprocess.run([*PIP, "install", *requirements], cwd=ROOT).returncode


def has_torch() -> bool:
    show = [*PIP, "show", "--quiet", "torch"]
    return subprocess.run(show, capture_output=True).returncode == 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("extras", nargs="*", default=["lab"])
    parser.add_argument("--torch-index", default=os.environ.get("TORCH_INDEX", ""))
    args = parser.parse_args(arguments)

    if not has_torch():
        if args.torch_index:
            print("torch comes from the index that TORCH_INDEX names.")
            if install(["--index-url", args.torch_index, *TORCH]):
                print("That index did not give a torch; the ordinary one is taken instead.")
        elif sys.platform == "linux" and not has_nvidia():
            print(ADVICE)
    return install(["--editable", f".[{','.join(args.extras)}]"])


if __name__ == "__main__":
    sys.exit(main())
