"""The recorded runs that the labs show: what is stored comes out again, the nearest is found."""

import errno
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from inception_edu.study import Recipe, configurations, fate, run
from inception_edu.study.cells import tower
from inception_edu.study.record_grid import pack_grid, recorded_there
from inception_edu.study.recorded import RecordedError, packed, read_grid, recorded_grid


@pytest.fixture(scope="module")
def runs():
    recipe = Recipe(steps=8, batch_size=8, record_every=2, optimizer="rmsprop")
    cells = [
        tower("", width, scale, recipe, depth=2, lr=lr)
        for width, scale, lr in ((16, 0.1, 0.1), (16, 1.0, 0.1), (32, 1.0, 2.0))
    ]
    configs = [
        replace(cell, data="fashion", test_images=20, seed=s) for cell in cells for s in (0, 1)
    ]
    return [run(config) for config in configs]


def test_what_is_stored_comes_out_again(runs, tmp_path):
    grid = read_grid(pack_grid("a", runs, tmp_path))
    assert len(grid.cells) == 3
    for result in runs:
        arguments = dict(result.config.arguments)
        near = grid.nearest(
            width=arguments["width"], scale=arguments["scale"], rate=result.config.recipe.lr
        )
        assert near.exact
        (kept,) = [r for r in near.cell.runs if r.seed == result.seed]
        assert list(kept.steps) == result.curves["step"]
        assert kept.curve("loss") == pytest.approx(result.curves["loss"], rel=0.006)
        assert kept.curve("push") == pytest.approx(result.curves["push"], rel=0.006, abs=1e-5)
        assert kept.curve("accuracy") == pytest.approx(result.curves["accuracy"], abs=0.0021)
        assert list(kept.dead()) == list(result.maps["dead"])
        for name, course in result.maps["dead"].items():
            assert kept.dead()[name] == pytest.approx(course, abs=0.0021)
        assert kept.fate.word == fate(result).word
        assert kept.test_accuracy == result.accuracy


def test_what_the_file_has_stays(runs, tmp_path):
    whole = read_grid(pack_grid("whole", runs, tmp_path))
    pack_grid("a", runs[:3], tmp_path)
    path = pack_grid("a", runs[3:], tmp_path)
    again = read_grid(path)
    assert [c.to_dict() for c in again.cells] == [c.to_dict() for c in whole.cells]
    assert again.facts | {"core_hours": 0} == whole.facts | {"core_hours": 0}
    before = path.read_bytes()
    assert pack_grid("a", runs, tmp_path).read_bytes() == before, "run again, counted once"


def test_a_full_disk_leaves_the_recorded_runs_as_they_were(runs, tmp_path, monkeypatch):
    path = pack_grid("a", runs[:2], tmp_path)
    before, write = path.read_bytes(), Path.write_bytes

    def full(target, content):
        write(target, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        pack_grid("a", runs, tmp_path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_what_is_recorded_need_not_be_run_again():
    asked = configurations("lab_grid", "standard")
    there = recorded_there(asked)
    assert 0 < len(there) < len(asked)
    assert len(there) == sum(len(cell.runs) for cell in recorded_grid().cells)


def test_a_band_is_the_smallest_the_mean_and_the_largest(runs, tmp_path):
    cell = read_grid(pack_grid("a", runs, tmp_path)).cells[0]
    band, rows = cell.band("loss"), [r.curve("loss") for r in cell.runs]
    assert band["low"] == [min(pair) for pair in zip(*rows)]
    assert band["mean"][-1] == pytest.approx((rows[0][-1] + rows[1][-1]) / 2)
    assert cell.band("dead")["high"][-1] >= cell.band("dead_last")["high"][-1]
    json.dumps(cell.to_dict(), allow_nan=False)


def test_numbers_of_any_size_are_kept():
    from inception_edu.study.recorded import _unpacked

    values = [0.0, 1e-5, -3.7, 2.5e8, None, -1e-9]
    back = _unpacked("push", packed("push", values))
    assert back[0] == 0 and math.isnan(back[4]) and back[5] == 0
    assert [back[i] for i in (1, 2, 3)] == pytest.approx([1e-5, -3.7, 2.5e8], rel=0.006)
    assert _unpacked("dead", packed("dead", [0, 0.5, 1, None]))[:3] == [0, 0.5, 1]


def test_the_nearest_is_nearest_by_factors_of_width_and_rate(runs, tmp_path):
    grid = read_grid(pack_grid("a", runs, tmp_path))
    near = grid.nearest(width=17, scale=0.2, rate=0.11)
    assert near.settings == {"width": 16, "scale": 0.1, "rate": 0.1} and not near.exact
    assert "the nearest to width 17" in near.sentence
    assert grid.nearest(width=30, scale=1.0, rate=1.0).settings["width"] == 32
    assert grid.nearest(width=32, scale=1.0, rate=1.0).distance == pytest.approx(1)


def test_a_strip_runs_along_one_axis(runs, tmp_path):
    grid = read_grid(pack_grid("a", runs, tmp_path))
    strip = grid.strip("scale", width=15, rate=0.1)
    assert [step["value"] for step in strip] == [0.1, 1.0]
    assert all(step["word"] and step["counts"] for step in strip)
    with pytest.raises(RecordedError, match="other two"):
        grid.strip("scale", width=16)
    with pytest.raises(RecordedError, match="no recorded runs"):
        read_grid(tmp_path / "none.json.gz")


def test_the_committed_grid():
    grid = recorded_grid()
    asked = {
        (dict(c.arguments)["width"], dict(c.arguments)["scale"], c.recipe.lr)
        for c in configurations("lab_grid", "standard")
    }
    assert {(c.width, c.scale, c.rate) for c in grid.cells} <= asked
    assert grid.facts["data"] == ["fashion"]
    for cell in grid.cells:
        assert cell.danger > 0 and len({r.seed for r in cell.runs}) == len(cell.runs)
