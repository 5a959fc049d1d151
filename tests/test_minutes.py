"""The time of a chapter: counted words, lines and exercises, and measured waiting."""

import json

import minutes

CHAPTER = (
    "# %% [markdown]\n"
    + "# word word word word word word word word word word\n" * 60
    + "\n# %%\n"
    + "x = 1\n" * 60
    + '\n# %% tags=["hide-input"]\n'
    + "folded = 1\n" * 600
    + "\n# %%\n# exercise: Title | ●○○ | 7 min\n# task: Do it.\n# begin solution\nm = 1\n"
    + '# end solution\n# stub: m = ...\n# check:\ncheck("99.1", m)\n'
)


def test_words_lines_and_exercises_are_counted(tmp_path):
    source = tmp_path / "99_some.py"
    source.write_text(CHAPTER, encoding="utf-8")
    # 600 words are 5 minutes, 60 lines are 5, the exercise says 7: 17, and to the next five 15.
    assert minutes.minutes(source) == (15, 7, 1)
    assert minutes.sentence(source).startswith("**Time.** About 15 minutes, 7 of them for 1 ")


def test_waiting_is_what_was_measured_on_a_machine_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(minutes, "MACHINES", tmp_path)
    source = tmp_path / "99_some.py"
    source.write_text(CHAPTER, encoding="utf-8")
    assert "Running" not in minutes.sentence(source)
    path = minutes.write_times("two cores, no GPU", {"99_some": 12.34}, "standard")
    assert path.name == "two-cores-no-gpu.json"
    assert minutes.sentence(source).endswith("Running all cells took 12 s on two cores, no GPU.")
    content = json.loads(path.read_text(encoding="utf-8"))
    content["chapters"][0]["status"] = "failed"
    path.write_text(json.dumps(content), encoding="utf-8")
    assert "Running" not in minutes.sentence(source)
