"""Ten made-up students hand in; the table says what each has solved."""

import csv
import json
import re
from pathlib import Path

import nbformat
import pytest
from made_up_class import write_class
from nbformat.v4 import new_code_cell, new_notebook

from inception_edu.teach.grade.__main__ import main
from inception_edu.teach.grade.gradebook import grade, gradebook
from inception_edu.teach.grade.hand_ins import Answer, answers
from inception_edu.teach.grade.run import run
from inception_edu.teach.grade.slices import needed, uses

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("submitted")
    write_class(folder)
    (folder / "kim").mkdir()
    (folder / "kim" / "broken.ipynb").write_text("{", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def class_(folder):
    return {student.name: student for student in grade(folder, seconds=5)}


def states(student):
    return "".join(
        {"right": "+", "wrong": "-", "unsolved": "."}[student.state(f"01.{n}")] for n in range(1, 4)
    )


def test_the_class_is_graded(class_):
    assert {name: states(student) for name, student in class_.items()} == {
        "ada": "+++",
        "ben": "...",
        "cem": "+-+",
        "dina": "-+.",
        "emil": ".-+",
        "fay": ".-+",
        "gus": "--.",
        "hui": "+-.",
        "ida": ".+.",
        "jan": ".+.",
        "kim": "...",
    }


def test_the_page_for_teachers_shows_the_class_as_it_is_graded(class_):
    page = (Path(__file__).resolve().parents[1] / "docs" / "TEACHING.md").read_text("utf-8")
    rows = re.findall(r"^\| (\w+) \| ([✓✗·]) \| ([✓✗·]) \| ([✓✗·]) \|", page, re.MULTILINE)
    shown = {name: "".join({"✓": "+", "✗": "-", "·": "."}[mark] for mark in m) for name, *m in rows}
    assert shown == {name: states(one) for name, one in class_.items() if name != "kim"}


def test_it_says_why(class_):
    said = {name: {e: r["message"] for e, r in s.results.items()} for name, s in class_.items()}
    assert "A little more still fits" in said["cem"]["01.2"]
    assert "longer than 5 s" in said["dina"]["01.1"]
    assert "MemoryError" in said["emil"]["01.2"] or "memory" in said["emil"]["01.2"]
    assert "ended Python" in said["fay"]["01.2"]
    assert "not valid Python" in said["gus"]["01.1"]
    assert "A little more still fits" in said["gus"]["01.2"], "what it prints is no verdict"
    assert "undefined_name" in said["hui"]["01.2"]
    assert class_["kim"].problems == ["broken.ipynb is no notebook that can be read."]


def test_table_and_spreadsheet(folder, class_, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(
        "inception_edu.teach.grade.__main__.grade", lambda *a: list(class_.values())
    )
    assert main([str(folder), "--csv", str(tmp_path / "class.csv")]) == 0
    printed = capsys.readouterr().out
    assert "ada" in printed and "✓" in printed and "A little more still fits" in printed
    lines = list(csv.DictReader((tmp_path / "class.csv").open(encoding="utf-8")))
    assert len(lines) == 11 * 3
    assert {line["state"] for line in lines} == {"right", "wrong", "not tried"}
    assert len(gradebook(list(class_.values())).rows) == 12
    nowhere = tmp_path / "nowhere" / "class.csv"
    assert main([str(folder), "--csv", str(nowhere)]) == 1
    told = capsys.readouterr()
    assert "ada" in told.out and told.err.startswith(f"{nowhere} cannot be written: ")


def test_a_folder_that_is_not_there(capsys, tmp_path):
    assert main([str(tmp_path / "nowhere")]) == 1
    assert "no folder" in capsys.readouterr().out


def test_only_what_an_answer_needs_is_run():
    cells = [
        "import math, os\nfrom torch import nn",
        "expensive = train()\nwidth = 3",
        "def helper(x):\n    return math.sqrt(x) * width",
        "def answer(x):\n    expensive = 4\n    return helper(x) + expensive",
    ]
    code = needed(cells, "answer")
    assert "train" not in code and "nn" not in code
    space = {}
    exec(code, space)
    assert space["answer"](4) == 10
    assert uses("[y for y in z if y > limit]") == {"z", "limit"}
    assert uses("a = 1\nb = a + c") == {"c"}
    later = ["for split in train():\n    pass", "split = 1", "split = split + 1"]
    assert needed(later, "split") == "split = 1\nsplit = split + 1"


def test_a_helper_may_stand_below_the_function_that_calls_it():
    cells = ["def answer(x):\n    return [helper(y) for y in x]\ndef helper(x):\n    return x + k"]
    cells.append("k = train()")
    code = needed(cells, "answer")
    assert "def helper" in code and "k = train()" in code
    at_once = ["y = 1", "answer = [y for _ in range(3)]", "y = train()"]
    assert "train" not in needed(at_once, "answer"), "a comprehension runs at once"


def test_lines_for_the_notebook_are_passed_over():
    cell = "%matplotlib inline\n!ls\nif True:\n    %timeit 1\nm = 230"
    assert needed([cell], "m") == "m = 230"
    assert needed(["m = (7\n% 4)"], "m") == "m = (7\n% 4)", "what is valid is left as it is"


def test_an_answer_changes_no_files_of_others(tmp_path):
    theirs = tmp_path / "theirs.txt"
    theirs.write_text("kept")
    ways = [
        f"import os\nos.remove({str(theirs)!r})\nm = 230",
        f"import shutil\nshutil.rmtree({str(tmp_path)!r})\nm = 230",
        f"import os\nos.rename({str(theirs)!r}, 'mine')\nm = 230",
        f"f = open({str(theirs)!r}, 'w')\nm = f and 230",
        f"m = len(open({str(theirs)!r}).read()) * 0 + 230",
        "f = open('mine', 'w')\nm = f and 230",
    ]
    # As one piece of code: what is a bare statement here would not be run from a notebook.
    found = list(run([Answer("01.2", code, ("m",)) for code in ways], seconds=60))
    assert [f["state"] for f in found] == ["wrong"] * 4 + ["right"] * 2
    assert "its own folder only" in found[0]["message"]
    assert theirs.read_text() == "kept"


def test_what_was_not_tried_takes_nothing_away(tmp_path, monkeypatch):
    states = {"m = 230": "right", "m = 229": "wrong", "m = ...": "unsolved"}
    monkeypatch.setattr(
        "inception_edu.teach.grade.gradebook.run",
        lambda made, seconds: [{"exercise": a.exercise, "state": states[a.code]} for a in made],
    )
    right = {"kind": "verdict", "name": "01.2", "state": "right", "message": "230."}
    for name, files in {
        "copy": {"a.ipynb": "m = 230", "b.ipynb": "m = ..."},
        "later": {"a.ipynb": "m = 230", "b.ipynb": "m = 229"},
        "both": {"journal.jsonl": right, "z.ipynb": "m = ..."},
        "worse": {"journal.jsonl": right, "z.ipynb": "m = 229"},
    }.items():
        (tmp_path / name).mkdir()
        for file, content in files.items():
            place = tmp_path / name / file
            if isinstance(content, dict):
                place.write_text(json.dumps(content))
            else:
                cells = [new_code_cell(content), new_code_cell("check('01.2', m)")]
                nbformat.write(new_notebook(cells=cells), place)
    found = {student.name: student.state("01.2") for student in grade(tmp_path)}
    assert found == {"copy": "right", "later": "right", "both": "right", "worse": "wrong"}


def test_checks_are_found_wherever_they_stand(tmp_path):
    cells = [new_code_cell("m = 230\nprint(m)\ncheck('01.2', m)\ncheck('01.99', m)")]
    cells.append(new_code_cell("check('01.2', m)"))
    nbformat.write(new_notebook(cells=cells), tmp_path / "x.ipynb")
    first, unknown, second = answers(tmp_path / "x.ipynb")
    assert "No cell makes" in first.fault and "no such exercise" in unknown.fault
    assert not second.fault and "m = 230" in second.code
