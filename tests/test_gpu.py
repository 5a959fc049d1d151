"""`make gpu`, as far as a machine without a GPU can show: a rehearsal on the CPU, what it does when
time runs out, and what it says where there is no CUDA."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import gpu  # noqa: E402


def test_the_first_time_is_that_of_the_first_test_that_reached_the_goal():
    reached = {20: 0.85, 5: 0.4, 10: 0.8, 15: 0.78}
    seconds = {5: 1.0, 10: 2.0, 15: 3.0, 20: 4.0}
    assert gpu.first_time(reached, seconds, 0.8) == 2.0
    assert gpu.first_time(reached, seconds, 0.82) == 4.0
    assert gpu.first_time(reached, seconds, 0.9) is None


def test_chapters_for_which_there_is_no_time_are_named_as_such():
    found = gpu.chapters("cpu", "quick", ["01", "02"], gpu.Budget(0))
    assert [row["chapter"][:2] for row in found] == ["01", "02"]
    assert {(row["status"], row["seconds"]) for row in found} == {("out of time", None)}


def test_a_command_that_takes_too_long_is_ended():
    code, output, seconds = gpu.run(
        ["-c", "import time; print('began', flush=True); time.sleep(60)"], gpu.Budget(2)
    )
    assert code is None and "began" in output and seconds < 20


def test_a_chapter_that_fails_is_told_from_one_that_ran(monkeypatch):
    monkeypatch.setattr(
        gpu, "EXECUTE", "import sys; sys.exit('no memory' if '01' in sys.argv[1] else 0)"
    )
    found = gpu.chapters("cpu", "quick", ["01", "02"], gpu.Budget(60))
    assert [row["status"] for row in found] == ["failed", "ran"]
    assert found[0]["error"] == "no memory"


def test_a_benchmark_that_fails_is_no_measurement(monkeypatch):
    monkeypatch.setattr(gpu, "run", lambda *_: (1, "Traceback\nValueError: no card\n", 1.0))
    with pytest.raises(RuntimeError, match="ValueError: no card"):
        gpu.benchmark([], gpu.Budget(1))
    monkeypatch.setattr(gpu, "run", lambda *_: (0, "step 1.0\n", 1.0))
    assert gpu.benchmark([], gpu.Budget(1))["lines"] == ["step 1.0"]


def test_a_part_that_fails_leaves_what_the_others_found(tmp_path, monkeypatch, capsys):
    def broken(*_):
        raise RuntimeError("out of memory")

    rows = [{"chapter": "01_a", "status": "failed"}, {"chapter": "02_b", "status": "ran"}]
    monkeypatch.setenv("INCEPTION_EDU_DEVICE", "cpu")
    monkeypatch.setattr(gpu, "training", broken)
    monkeypatch.setattr(gpu, "steps", lambda *_: ["steps"])
    monkeypatch.setattr(gpu, "tests", broken)
    monkeypatch.setattr(gpu, "benchmark", lambda *_: {"lines": ["a line"]})
    monkeypatch.setattr(gpu, "chapters", lambda *_: rows)
    output = tmp_path / "machine.json"
    assert gpu.main(["--quick", "--output", str(output)]) == 1
    found = json.loads(output.read_text(encoding="utf-8"))
    assert found["steps"] == ["steps"] and found["chapters"] == rows and "training" not in found
    said = capsys.readouterr().out
    assert "training: RuntimeError: out of memory" in said and "failed: 01_a training tests" in said


def test_a_chapter_that_hangs_leaves_time_for_the_next(monkeypatch):
    hang = "import sys, time; time.sleep(60 if '01' in sys.argv[1] else 0)"
    monkeypatch.setattr(gpu, "EXECUTE", hang)
    monkeypatch.setattr(gpu, "LEAST", 1)
    found = gpu.chapters("cpu", "quick", ["01", "02"], gpu.Budget(12))
    assert [row["status"] for row in found] == ["out of time", "ran"]


def test_without_cuda_a_sentence_says_what_to_do():
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    environment = {k: v for k, v in os.environ.items() if k != "INCEPTION_EDU_DEVICE"}
    command = [sys.executable, ROOT / "tools" / "gpu.py"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.returncode == 2 and done.stdout.startswith("No CUDA device is here")


@pytest.mark.slow
def test_a_rehearsal_on_the_cpu_fills_the_whole_file(tmp_path):
    output = tmp_path / "machine.json"
    command = [ROOT / "tools" / "gpu.py", "--quick", "--minutes", "8", "--chapters", "02"]
    done = subprocess.run(
        [sys.executable, *command, "--output", output],
        capture_output=True,
        text=True,
        env=os.environ | {"INCEPTION_EDU_DEVICE": "cpu"},
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(output.read_text(encoding="utf-8"))
    assert found["rehearsal"] and found["machine"]["device"] == "cpu"
    assert {row["network"] for row in found["training"]} == set(gpu.NETWORKS)
    for row in found["training"]:
        assert row["status"] == "finished" and 0 <= row["test_accuracy"] <= 1
        assert row["images_per_second"] > 0 and 0 < row["share_of_matrix_rate"] < 1.5
    assert found["tests"]["counts"]["passed"] >= 3 and not found["tests"]["failed"]
    assert len(found["bench"]["lines"]) > 2
    assert [(r["chapter"], r["status"]) for r in found["chapters"]] == [("02_stem", "ran")]
    assert found["chapters"][0]["seconds"] > 1
