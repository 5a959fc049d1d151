"""Every chapter, unsolved, in a real JupyterLab: it runs from top to bottom without an error or a
message, and so does every control of the chapters whose labs answer at once."""

import pytest
from harness import ROOT

CHAPTERS = sorted(path.name for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_chapter_runs(lab, chapter):
    lab.open(f"notebooks/{chapter}").run_all()
    if chapter[:2] not in ("00", "08", "09", "10"):  # the labs that train have tests of their own
        assert lab.press_everything() >= 5
