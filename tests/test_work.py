"""A reader's copies of the chapters: a real `git pull` onto answered exercises, and every way in
which an answer could get lost."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NAME = "03_blocks.ipynb"
STUB = "def channels(block):\n    ..."
ANSWER = "def channels(block):\n    return 384"


def notebook(*texts: str, output: str = "") -> str:
    """A notebook of code cells."""
    outputs = [{"output_type": "stream", "name": "stdout", "text": output}] if output else []
    cells = [
        {
            "cell_type": "code",
            "id": f"03-{number:03d}",
            "metadata": {},
            "source": text.splitlines(keepends=True),
            "outputs": outputs,
            "execution_count": None,
        }
        for number, text in enumerate(texts)
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def texts(path: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(path.read_text("utf-8"))["cells"]]


class Reader:
    """Somebody who cloned the collection, and its author, who goes on writing."""

    def __init__(self, folder: Path):
        self.author, self.clone = folder / "author", folder / "Überblick mit Leerzeichen"
        (self.author / "notebooks").mkdir(parents=True)
        (self.author / "tools").mkdir()
        (self.author / "tools" / "work.py").write_bytes((ROOT / "tools" / "work.py").read_bytes())
        (self.author / ".gitignore").write_bytes((ROOT / ".gitignore").read_bytes())
        self.git(self.author, "init", "-q", "-b", "main")
        self.publish("title", STUB, "check")
        self.git(folder, "clone", "-q", self.author, self.clone)
        self.work("")

    def git(self, folder, *command):
        identity = ("-c", "user.name=A", "-c", "user.email=a@b.c")
        subprocess.run(["git", *identity, *command], cwd=folder, check=True, capture_output=True)

    def publish(self, *cells, output=""):
        (self.author / "notebooks" / NAME).write_text(notebook(*cells, output=output), "utf-8")
        self.git(self.author, "add", ".")
        self.git(self.author, "commit", "-q", "-m", "a version")

    def work(self, *arguments, expected=0):
        script = [sys.executable, "tools/work.py", *(a for a in arguments if a)]
        environment = os.environ | {"PYTHONIOENCODING": "cp1252"}
        done = subprocess.run(
            script, cwd=self.clone, capture_output=True, env=environment, timeout=60
        )
        assert done.returncode == expected, done.stderr.decode("cp1252")
        return done.stdout.decode("cp1252")

    def pull(self):
        """As a reader does it: `git pull`, then `make lab`."""
        self.git(self.clone, "pull", "-q")
        return self.work()

    @property
    def copy(self) -> Path:
        return self.clone / "work" / NAME

    @property
    def offer(self) -> Path:
        return self.clone / "work" / "03_blocks.new.ipynb"

    @property
    def earlier(self) -> list[Path]:
        return sorted((self.clone / "work" / "earlier").glob("*"))

    def write(self, *cells, output=""):
        self.copy.write_text(notebook(*cells, output=output), "utf-8")


@pytest.fixture
def reader(tmp_path):
    return Reader(tmp_path)


def test_a_copy_is_made_and_git_does_not_see_it(reader):
    assert texts(reader.copy) == ["title", STUB, "check"]
    reader.write("title", ANSWER, "check")
    status = ["git", "status", "--porcelain"]
    assert subprocess.run(status, cwd=reader.clone, capture_output=True, check=True).stdout == b""
    assert reader.work() == "" and texts(reader.copy)[1] == ANSWER


def test_an_untouched_copy_becomes_the_new_version(reader):
    reader.write("title", STUB, "check", output="ran")
    reader.publish("a better title", STUB, "check")
    assert "had written nothing" in reader.pull()
    assert texts(reader.copy) == ["a better title", STUB, "check"]
    assert not reader.offer.exists()


def test_a_pull_onto_answers_keeps_them_and_offers_the_new_version_with_them(reader):
    mine = ["title", ANSWER, "my own experiment", "check"]
    reader.write(*mine)
    reader.publish("a better title", "a new paragraph", STUB, "check", "one more")
    assert "make update CHAPTER=03" in reader.pull()
    assert texts(reader.copy) == mine
    assert texts(reader.offer) == [
        *("a better title", "a new paragraph", ANSWER, "my own experiment", "check", "one more")
    ]
    reader.work("--update", "03")
    assert texts(reader.copy)[2] == ANSWER and not reader.offer.exists()
    assert [texts(path) for path in reader.earlier] == [mine]
    assert reader.work() == ""


def test_an_answer_to_an_exercise_that_changed_is_quoted_beside_the_new_one(reader):
    reader.write("title", ANSWER, "check")
    stub = "def channels(block, image):\n    ..."
    reader.publish("title", stub, "check")
    reader.pull()
    cells = texts(reader.offer)
    assert cells[0] == "title" and cells[2:] == [stub, "check"]
    assert ANSWER in cells[1] and "you wrote" in cells[1]


def test_what_the_reader_wrote_into_the_offer_survives_the_next_version(reader):
    reader.write("title", ANSWER, "check")
    reader.publish("second", STUB, "check")
    reader.pull()
    reader.offer.write_text(notebook("second", "better", "check"), "utf-8")
    reader.pull()
    assert texts(reader.offer)[1] == "better"
    reader.publish("third", STUB, "check")
    reader.pull()
    assert texts(reader.offer) == ["third", ANSWER, "check"]
    assert ["second", "better", "check"] in [texts(path) for path in reader.earlier]


def test_other_outputs_are_no_new_version(reader):
    reader.write("title", ANSWER, "check")
    reader.publish("title", STUB, "check", output="0.91")
    assert reader.pull() == "" and not reader.offer.exists()


def test_reset_gives_a_fresh_copy_and_keeps_the_old(reader):
    for answer in ("one", "two"):
        reader.write("title", answer, "check")
        assert "earlier" in reader.work("--reset", "03")
        assert texts(reader.copy) == ["title", STUB, "check"]
    assert sorted(texts(path)[1] for path in reader.earlier) == ["one", "two"]


@pytest.mark.parametrize("number", ("", "0", "99", "chapter"))
def test_reset_and_update_name_what_they_need(reader, number):
    (reader.clone / "notebooks" / "04_more.ipynb").write_text(notebook("more"))
    for action in ("--reset", "--update"):
        script = [sys.executable, "tools/work.py", action, number]
        done = subprocess.run(script, cwd=reader.clone, capture_output=True, text=True)
        assert done.returncode == 2 and "CHAPTER=03" in done.stdout
    assert reader.earlier == []


def test_a_copy_that_is_no_notebook_is_left_alone(reader):
    reader.copy.write_text('{"cells": [', "utf-8")
    reader.publish("second", STUB, "check")
    assert "stays as it is" in reader.pull()
    assert reader.copy.read_text("utf-8") == '{"cells": ['
    assert texts(reader.offer) == ["second", STUB, "check"]


def test_names_suit_windows_and_no_part_is_left(reader):
    reader.write("title", ANSWER, "check")
    reader.work("--reset", "03")
    names = [path.name for path in (reader.clone / "work").rglob("*")]
    assert names and not [name for name in names if set(name) & set('<>:"|?*\\')]
    assert not [name for name in names if name.endswith(".part")]


def test_a_write_that_fails_leaves_the_old_file(reader, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import work

    def no_space(self, content):
        raise OSError("no space left on device")

    before = reader.copy.read_bytes()
    monkeypatch.setattr(Path, "write_bytes", no_space)
    with pytest.raises(OSError):
        work.Work(reader.clone / "notebooks", reader.clone / "work").start(NAME)
    assert reader.copy.read_bytes() == before
