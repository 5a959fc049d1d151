"""What the browser tests of the labs that train share. A test's notebook calls its lab `bench`."""

import time

from playwright.sync_api import expect

PATIENCE = 240_000  # milliseconds: a loaded machine trains slowly, and what takes longer hangs


def open_lab(lab, name: str, make: str, panels: int):
    """A notebook in which `make` ("scaling_lab(width=64)") made the lab of labs/NAME.py, with so
    many panels."""
    lab.open(
        lab.write(
            f"{name}.ipynb",
            "import torch; torch.set_num_threads(1)",  # two workers share two cores
            f"from inception_edu.labs.{name} import {name}_lab",
            f"bench = {make}",
            "1 + 1",
        )
    )
    lab.run_all(seconds=240)
    expect(lab.page.locator(f".ied-{name}-lab .ied-panel")).to_have_count(panels)
    return lab


def status(lab):
    return lab.page.locator(".ied-status")


def wait_until(condition, message: str) -> None:
    end = time.monotonic() + PATIENCE / 1000
    while not condition():
        assert time.monotonic() < end, message
        time.sleep(0.1)


def setting(lab, name: str, value: str) -> None:
    """Wait until the kernel has it: a control's value is on its way for a moment."""
    wait_until(
        lambda: lab.evaluate(f"bench.settings()['{name}']") == value,
        f"{name} does not become {value}",
    )


def assert_fits(lab, name: str) -> None:
    """The lab is no wider than its place."""
    box = lab.page.locator(f".ied-{name}-lab").evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert box[0] <= box[1] + 1, f"the lab is wider than its place: {box}"
