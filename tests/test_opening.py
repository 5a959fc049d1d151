"""The first cell of a chapter: what it says, and the threads of the cells after it."""

import build
import jupytext
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell

import inception_edu.teach.opening as opening
from inception_edu.learn import pace
from inception_edu.teach import begin
from inception_edu.teach.shell import at_each_cell


@pytest.fixture
def shell(threads_put_back):
    made = InteractiveShell.instance()
    yield made
    for hook in list(made.events.callbacks["pre_run_cell"]):
        if hook.__module__ == opening.__name__:
            made.events.unregister("pre_run_cell", hook)


def test_it_says_mode_device_and_threads(monkeypatch):
    monkeypatch.setenv("INCEPTION_EDU_MODE", "quick")
    monkeypatch.setenv("INCEPTION_EDU_DEVICE", "cpu")
    with pace.threads(1):
        assert str(begin()) == "Mode: quick. Device: cpu. Threads: 1."


def test_threads_are_chosen_anew_before_a_later_cell(shell, monkeypatch):
    monkeypatch.delenv("INCEPTION_EDU_THREADS", raising=False)
    monkeypatch.setattr(pace, "most_threads", lambda: 2)
    free = [True]
    monkeypatch.setattr(pace, "cores_are_free", lambda number: free[0])
    monkeypatch.setattr(opening, "RECENT", 0.0)
    seen = []
    shell.user_ns["note"] = lambda: seen.append(torch.get_num_threads())
    begin()
    begin()  # a cell that is run twice looks once
    shell.run_cell("note()")
    free[0] = False
    shell.run_cell("note()")
    monkeypatch.setattr(opening, "RECENT", 1000.0)
    free[0] = True
    shell.run_cell("note()")
    assert seen == [2, 1, 1], "two while free, one beside other work, not asked again at once"
    ours = [h for h in shell.events.callbacks["pre_run_cell"] if h.__module__ == opening.__name__]
    assert len(ours) == 1


def test_what_is_done_at_each_cell_is_replaced_by_itself_alone(shell):
    done = []

    def first(word):
        def act(*_):
            done.append(word)

        return act

    def second(*_):
        done.append("second")

    ours = first("old"), second, first("new")
    try:
        for act in ours:
            at_each_cell("pre_run_cell", act)
        shell.run_cell("1")
        assert done == ["second", "new"]
    finally:
        for act in ours[1:]:
            shell.events.unregister("pre_run_cell", act)


@pytest.mark.parametrize("source", build.sources(), ids=lambda path: path.stem)
def test_every_chapter_begins_so(source):
    """In one of its first cells of code, before anything is trained."""
    cells = [c for c in jupytext.read(source, fmt="py:percent").cells if c.cell_type == "code"]
    first = next(i for i, cell in enumerate(cells) if "begin()" in cell.source.splitlines())
    assert not any("train(" in cell.source for cell in cells[:first])
