"""Fixtures for tests in a real JupyterLab: `lab` is a fresh browser window; see harness.py for what
it can do."""

import os

import pytest
from harness import LabServer, find_browser, open_browser, opened_window
from playwright.sync_api import expect

expect.set_options(
    timeout=30_000
)  # 5 s by default: too little for a kernel that shares its cores with others


def pytest_collection_modifyitems(items):
    """Browser, server and kernel are three programs on two shared cores: a test that fails is tried
    once more, and the summary names it as run again ("R")."""
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def browser():
    if find_browser() is None and not os.environ.get("INCEPTION_EDU_REQUIRE_BROWSER"):
        pytest.skip(
            "no Chromium or Chrome here: install one, or run `.venv/bin/playwright install "
            "chromium`"
        )
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def server(browser):
    with LabServer() as server:
        yield server


@pytest.fixture
def lab(browser, server):
    """A fresh window that has to be clean at the end."""
    with opened_window(browser, server) as lab:
        yield lab
