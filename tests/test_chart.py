"""What the chart of the labs computes in the page, run in node."""

import json
import random
import shutil
import subprocess

import pytest

from inception_edu.labs.page import WEB
from inception_edu.labs.takeaway import PITCH, apart


@pytest.mark.skipif(not shutil.which("node"), reason="node is not here")
def test_names_stand_apart_in_the_page_as_in_a_saved_figure():
    draw = random.Random(0)
    cases = [sorted(draw.random() ** 3 for _ in range(n)) for n in (0, 1, 2, 7, 12, 13, 30)]
    code = (WEB / "chart.js").read_text(encoding="utf-8")
    code += f"\nconst found = {json.dumps(cases)}.map(places => apart(places, 0, 1, {PITCH}));"
    code += "\nconsole.log(JSON.stringify(found.map(all => all.map(one => [one.column, one.y]))));"
    ran = subprocess.run(
        ["node", "--input-type=module", "-"], input=code, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    for places, found in zip(cases, json.loads(ran.stdout), strict=True):
        mine = apart(places)
        assert [column for column, _ in found] == [column for column, _ in mine]
        assert [y for _, y in found] == pytest.approx([y for _, y in mine])
    assert max(column for column, _ in apart(cases[-1])) == 2


@pytest.mark.skipif(not shutil.which("node"), reason="node is not here")
def test_a_long_name_at_a_curve_is_shortened_and_says_so():
    code = (WEB / "chart.js").read_text(encoding="utf-8")
    code += """
    const wide = text => 7 * text.length;
    console.log(JSON.stringify([["my best run", 80], ["my best run", 30], ["12", 1], ["", 9]]
      .map(([name, room]) => fitted(name, room, wide))));"""
    ran = subprocess.run(
        ["node", "--input-type=module", "-"], input=code, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == ["my best run", "my …", "1…", ""]
