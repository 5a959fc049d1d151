"""Ten made-up students hand in; the table says what each has solved."""

import csv
import re
from pathlib import Path

import nbformat
import pytest
from made_up_class import write_class
from nbformat.v4 import new_code_cell, new_notebook

from inception_edu.teach.grade.__main__ import main
from inception_edu.teach.grade.gradebook import grade, gradebook
from inception_edu.teach.grade.hand_ins import answers
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


def test_checks_are_found_wherever_they_stand(tmp_path):
    cells = [new_code_cell("m = 230\nprint(m)\ncheck('01.2', m)\ncheck('01.99', m)")]
    cells.append(new_code_cell("check('01.2', m)"))
    nbformat.write(new_notebook(cells=cells), tmp_path / "x.ipynb")
    first, unknown, second = answers(tmp_path / "x.ipynb")
    assert "No cell makes" in first.fault and "no such exercise" in unknown.fault
    assert not second.fault and "m = 230" in second.code
