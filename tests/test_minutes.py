"""The time of a chapter: counted words, lines and exercises, and measured waiting."""

import re

import machines
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
    monkeypatch.setattr(machines, "MACHINES", tmp_path)
    source = tmp_path / "99_some.py"
    source.write_text(CHAPTER, encoding="utf-8")
    assert "Running" not in minutes.sentence(source)
    for row in (
        machines.ran("99_some", 3.21, "quick"),
        machines.ran("99_some", 12.34, "standard"),
        machines.ran("98_other", 5.67, "standard"),
    ):
        path = machines.keep("two cores, no GPU", [row])
    assert path.name == "two-cores-no-gpu.json"
    told = "Running all cells took 12 s on two cores, no GPU; the longest wait is counted."
    assert minutes.sentence(source).endswith(told) and minutes.minutes(source)[0] == 15
    slow = machines.ran("99_some", 60, "standard")
    machines.keep("a slow one", [slow])  # 17 minutes and one: nearer to 20 than to 15
    assert minutes.minutes(source)[0] == 20
    machines.keep("a slow one", [slow | {"status": "failed"}])
    machines.keep("two cores, no GPU", [machines.ran("99_some", 1, "standard", "a\nKeyError: 'b'")])
    assert "Running" not in minutes.sentence(source)


def test_the_table_has_a_line_for_each_machine_and_mode(tmp_path, monkeypatch):
    monkeypatch.setattr(machines, "MACHINES", tmp_path)
    first = machines.ran("98_other", 5.67, "standard") | {"load": 1.6, "date": "2026-01-02"}
    again = machines.ran("99_some", 7.6, "standard") | {"load": 8.2, "date": "2026-01-03"}
    broken = machines.ran("99_some", 1, "quick", "a\n\x1b[0;31mKeyError\x1b[0m: 'b'\n") | {
        "load": None
    }
    machines.keep("a", [first], python="3.13.0", torch="2.11.0+cpu")
    assert broken["error"] == "KeyError: 'b'"
    machines.keep("a", [again, broken], python="3.9.1", torch="2.11.0+cpu")
    heads, _, standard, quick = machines.table(["97", "98", "99"]).splitlines()
    assert heads.startswith("| machine | mode | 97 | 98 | 99 | load")
    assert standard == (
        "| a | standard |  | 6 | 8 | 2 to 8 | 2026-01-02 to 2026-01-03 | 3.9.1 to 3.13.0 | 2.11.0 |"
    )
    assert quick.startswith("| a | quick |  |  | failed |  | 20")


def test_the_page_of_machines_is_as_its_command_makes_it():
    assert machines.PAGE.read_text(encoding="utf-8") == machines.page()
    assert "nvidia" in machines.page().lower()


def test_the_days_of_the_project_have_the_minutes_of_their_chapters():
    """As the build counts them, and each day counts the chapters that it names."""
    text = minutes.PAGE.read_text(encoding="utf-8")
    assert text == minutes.page(), "run `make notebooks`"
    days = [line for line in text.splitlines() if minutes.DAY.search(line)]
    assert len(days) == 5
    for line in days:
        _, what, _ = re.split(r"\s*\|\s*", line.strip("| "))
        named = {n for n in re.findall(r"\b\d\d\b", what.replace("08.3", ""))}
        assert {n for _, _, told in minutes.DAY.findall(line) for n in told.split()} == named


def test_the_minutes_of_a_day_are_counted_anew(monkeypatch, tmp_path):
    monkeypatch.setattr(minutes, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(minutes, "SOURCES", tmp_path)
    monkeypatch.setattr(machines, "MACHINES", tmp_path)
    for number in ("98", "99"):
        (tmp_path / f"{number}_some.py").write_text(CHAPTER, encoding="utf-8")
    minutes.PAGE.write_text("<!-- minutes 98 99 -->1 + <!-- exercises 99 -->2 + 30\n")
    assert minutes.page() == "<!-- minutes 98 99 -->30 + <!-- exercises 99 -->7 + 30\n"
