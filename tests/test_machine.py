"""The machine: device, cores, threads, precision, memory, clocks."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from inception_edu.learn import autocast, machine, pace

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    "capability, expected", [((7, 5), "float32"), ((8, 0), "bfloat16"), ((9, 0), "bfloat16")]
)
def test_bfloat16_where_the_gpu_has_it(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda place: capability)
    assert autocast(torch.device("cuda"), "auto")[1] == expected


@pytest.mark.parametrize("amx, expected", [(True, "bfloat16"), (False, "float32")])
def test_bfloat16_where_the_cpu_has_it(monkeypatch, amx, expected):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx, raising=False)
    assert autocast(torch.device("cpu"), "auto")[1] == expected
    assert autocast(torch.device("mps"), "auto")[1] == "float32"


def test_the_device_can_be_chosen(monkeypatch):
    monkeypatch.setenv("INCEPTION_EDU_DEVICE", "meta")
    assert machine.default_device() == torch.device("meta")


@pytest.mark.parametrize("wrong", ["gpu", "cuda", "cuda:1", "mps"])
def test_a_device_that_is_not_there_is_a_sentence(monkeypatch, wrong):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: wrong == "gpu")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setenv("INCEPTION_EDU_DEVICE", wrong)
    here = "cuda, cpu" if wrong == "gpu" else "cpu"
    with pytest.raises(ValueError, match=f"is '{wrong}', but .* set it to one of {here}, or to"):
        machine.default_device()


def test_a_card_that_is_too_old_for_torch_is_passed_over(monkeypatch):
    """torch sees it; only computing shows that no kernel was built for it."""
    monkeypatch.delenv("INCEPTION_EDU_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    asked, old, ones = [], [True], torch.ones

    def no_kernel(*size, device=None):
        asked.append(device)
        if old[0]:
            raise RuntimeError("CUDA error: no kernel image is available.\nCompile with …")
        return ones(*size)

    monkeypatch.setattr(torch, "ones", no_kernel)
    machine._computes.cache_clear()
    try:
        with pytest.warns(UserWarning, match="no kernel image is available. The CPU is") as said:
            assert machine.default_device() == machine.default_device() == torch.device("cpu")
        assert asked == ["cuda"] and len(said) == 1, "asked and told once"
        machine._computes.cache_clear()
        old[0] = False
        assert machine.default_device() == torch.device("cuda")
    finally:
        machine._computes.cache_clear()


def test_a_clock_waits_for_the_card_that_computes(monkeypatch):
    waited = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda *place: waited.append(place))
    monkeypatch.setattr(torch.mps, "synchronize", lambda: waited.append("mps"))
    for name in ("cpu", "cuda", "cuda:1", "mps:0"):
        machine.synchronize(torch.device(name))
    assert waited == [(), (torch.device("cuda:1"),), "mps"]


@pytest.mark.parametrize("wrong", ["two", "0", "-1", "1.5"])
def test_a_number_of_threads_that_is_none_is_a_sentence(monkeypatch, wrong):
    monkeypatch.setenv("INCEPTION_EDU_THREADS", wrong)
    with pytest.raises(ValueError, match=f"INCEPTION_EDU_THREADS is '{wrong}': set it to a whole"):
        pace.set_threads()


@pytest.mark.parametrize(
    "settings, expected",
    [
        ({"INCEPTION_EDU_THREADS": "3", "OMP_NUM_THREADS": "1"}, "3"),
        ({"OMP_NUM_THREADS": "1"}, "1"),
    ],
)
def test_threads_follow_the_environment(settings, expected):
    environment = {
        k: v for k, v in os.environ.items() if k not in ("INCEPTION_EDU_THREADS", "OMP_NUM_THREADS")
    }
    code = (
        "import torch; from inception_edu.learn import set_threads; "
        "print(set_threads(), torch.get_num_threads())"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], env=environment | settings, capture_output=True, text=True
    )
    assert out.stdout.split() == [expected, expected], out.stderr


@pytest.mark.skipif(
    not Path("/proc/self/statm").exists() or platform.libc_ver()[0] != "glibc",
    reason="glibc on Linux",
)
@pytest.mark.parametrize("keep, most, least", [("0", 60, 0), ("keep_memory()", 220, 150)])
def test_freed_memory_stays_with_the_process(keep, most, least):
    code = f"""
import torch
from inception_edu.learn import keep_memory
pages = lambda: int(open("/proc/self/statm").read().split()[1])
resident = lambda: pages() * {os.sysconf("SC_PAGE_SIZE")} / 2 ** 20
{keep}
before = resident()
maps = [torch.ones(1 << 18) for _ in range(200)]     # a MiB each
del maps
print(resident() - before)
"""
    # Fixed thresholds to start from: glibc moves its own with what was freed before, by the imports
    # for example.
    plain = os.environ | {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=plain)
    assert least <= float(out.stdout) <= most, f"{out.stdout} MiB are left {out.stderr}"


@pytest.mark.parametrize("asked, times", [("1", 1), ("0", 0)])
def test_the_environment_can_ask_for_it(asked, times):
    """`make lab` asks for its notebooks; nobody else's process is changed by an import."""
    code = """
import ctypes
from unittest import mock
with mock.patch.object(ctypes, "CDLL", side_effect=OSError) as library:
    import inception_edu.learn.machine
    print(library.call_args_list.count(mock.call(None)))
"""
    environment = os.environ | {"INCEPTION_EDU_KEEP_MEMORY": asked, "PYTHONPATH": str(ROOT)}
    code = "import torch, torchvision\n" + code
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert out.stdout.strip() == str(times), out.stderr


@pytest.mark.parametrize("version", [1, 2])
def test_a_containers_share_of_the_cores(tmp_path, monkeypatch, version):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(16), raising=False)
    assert machine.cores(tmp_path) == 16
    (tmp_path / "cpu").mkdir()
    for quota, period, expected in (
        (None, 100000, 16),
        (200000, 100000, 2),
        (50000, 100000, 1),
        (6400000, 100000, 16),
    ):
        if version == 2:
            (tmp_path / "cpu.max").write_text(f"{quota or 'max'} {period}\n")
        else:
            (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(f"{quota or -1}\n")
            (tmp_path / "cpu" / "cpu.cfs_period_us").write_text(f"{period}\n")
        assert machine.cores(tmp_path) == expected


def test_training_leaves_the_process_as_it_is():
    """malloc's settings are for everybody: only who asks for `keep_memory` gets it."""
    code = """
import ctypes
from unittest import mock
import torch
from inception_edu.learn import Recipe, machine, train
from test_train import images, small
asked = []
with mock.patch.object(ctypes, "CDLL", lambda *a, **k: asked.append(a) or mock.MagicMock()):
    train(small(), images(), Recipe(steps=2, batch_size=8))
    before = len(asked)
    machine.keep_memory()
print(before, len(asked))
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert out.stdout.split() == ["0", "1"], out.stderr
