"""Configurations, runs, sweeps (also killed ones and on a dask cluster), result files, and the
committed results."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from PIL import Image

from inception_edu.describe import CHANGES
from inception_edu.describe.halving import HALVINGS
from inception_edu.nets import last_linear, residual_blocks
from inception_edu.study import (
    EXPERIMENTS,
    RESULTS,
    Config,
    ExperimentError,
    Identity,
    Recipe,
    commands,
    configurations,
    dead_channels,
    digest,
    experiments,
    fingerprint,
    identify,
    load_results,
    local_executor,
    open_data,
    read_result,
    results,
    run,
    seeds,
    summarise,
    sweep,
    sweeps,
)
from inception_edu.study.migrate import migrate_file

TINY = Config(
    "tiny",
    "tower",
    dict(width=16, depth=2, scale=0.5),
    Recipe(steps=3, batch_size=8, lr=0.01, record_every=1),
    data="fashion",
    test_images=20,
)


HERE = Identity("0123456789abcdef", "float32", "cpu")
CHANGED_IDENTITY = (
    dict(data="fedcba9876543210"),
    dict(precision="bfloat16"),
    dict(device="cuda"),
    dict(version=2),
)


def tiny(count: int, **changes) -> list[Config]:
    return seeds(replace(TINY, recipe=replace(TINY.recipe, **changes)), count)


# --- Configurations -------------------------------------------------------------------------------


def test_digest_is_the_same_in_another_process_and_never_changes():
    code = (
        "from inception_edu.study import *\n"
        "print(digest(Config('other', 'tower', [('scale', 0.5), ('depth', 2), ('width', 16)], "
        "Recipe(steps=3, batch_size=8, lr=0.01, record_every=1), data='fashion', test_images=20), "
        "Identity('0123456789abcdef', 'float32', 'cpu')))"
    )
    other = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    ).stdout.strip()
    assert digest(TINY, HERE) == other
    assert digest(TINY, HERE) == "9834d049716b", (
        "a changed digest makes every committed result unreadable"
    )


def test_digest_tells_apart_whatever_changes_the_result():
    others = [
        replace(TINY, seed=1),
        replace(TINY, change="no bias"),
        replace(TINY, init="he"),
        replace(TINY, arguments=dict(width=16, depth=2, scale=0.4)),
        replace(TINY, data="scales"),
        replace(TINY, recipe=replace(TINY.recipe, lr=0.02)),
        replace(TINY, test_images=30),
        replace(TINY, judge="validation"),
    ]
    names = {digest(c, HERE) for c in [TINY, *others]}
    names |= {digest(TINY, replace(HERE, **change)) for change in CHANGED_IDENTITY}
    assert len(names) == len(others) + len(CHANGED_IDENTITY) + 1
    assert digest(replace(TINY, label="another cell"), HERE) == digest(TINY, HERE)


def test_config_goes_through_json():
    config = Config(
        "a", "inception_v4", dict(width=0.125, repeats=(1, 2, 1)), Recipe(lr=0.1), seed=3
    )
    again = Config.from_dict(json.loads(json.dumps(config.to_dict())))
    assert again == config and digest(again, HERE) == digest(config, HERE)
    assert hash(again) == hash(config)
    assert again.recipe.seed == 3


@pytest.mark.parametrize(
    "wrong", [dict(network="inception_v9"), dict(change="magic"), dict(after="magic")]
)
def test_wrong_words_are_answered_with_the_right_ones(wrong):
    with pytest.raises(ExperimentError, match="choose"):
        replace(TINY, **wrong)


def test_mode(monkeypatch):
    monkeypatch.setenv("INCEPTION_EDU_MODE", "quick")
    assert experiments.mode() == "quick"
    monkeypatch.setenv("INCEPTION_EDU_MODE", "fast")
    with pytest.raises(ExperimentError, match="quick, standard, full"):
        experiments.mode()


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_has_five_seeds_a_cell_and_buildable_networks(name):
    configs = configurations(name, "standard")
    cells = summarise_seeds(configs)
    assert cells and all(len(s) >= (2 if name.endswith("_tuning") else 5) for s in cells.values())
    for config in {replace(c, seed=0) for c in configs}:
        config.description()
    assert 1 <= len(configurations(name, "quick")) <= 8
    assert len(configurations(name, "full")) > len(configs)
    assert experiments.question(name)


def summarise_seeds(configs):
    cells = {}
    for config in configs:
        cells.setdefault(config.label, set()).add(config.seed)
    return cells


# --- Changes --------------------------------------------------------------------------------------


def changed(change: str, **arguments):
    torch.manual_seed(0)
    config = replace(TINY, change=change, arguments={**dict(TINY.arguments), **arguments})
    return config.model(), torch.rand(4, 3, 32, 32)


@pytest.mark.parametrize("change", [c for c in CHANGES if c not in HALVINGS])
def test_a_changed_network_trains(change):
    model, images = changed(change)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    model(images).square().sum().backward()
    missing = [n for n, p in model.named_parameters() if p.grad is None]
    assert not missing
    assert before.keys() == model.state_dict().keys()


def test_changes_do_what_they_say():
    plain, images = changed("")
    blocks = dict(residual_blocks(plain))
    assert len(blocks) == 2
    x = torch.rand(4, 16, 4, 4)

    def block(change):
        return residual_blocks(changed(change)[0])[-1][1].train()

    body = block("").body(x)
    assert torch.allclose(block("")(x), torch.relu(x + 0.5 * body))
    assert torch.allclose(block("scaled identity")(x), torch.relu(0.5 * x + body))
    assert torch.allclose(block("zero last layer")(x), x)
    assert torch.allclose(block("learnable scale")(x), block("")(x))
    assert isinstance(block("learnable scale").scale, torch.nn.Parameter)
    normed = block("norm in last branch").body(x)
    assert torch.allclose(normed.mean((0, 2, 3)), torch.zeros(16), atol=1e-5)
    summed = x + 0.5 * body
    norm = (summed - summed.mean((0, 2, 3), keepdim=True)) / (
        summed.var((0, 2, 3), False, keepdim=True) + 1e-3
    ).sqrt()
    assert torch.allclose(block("norm after last sum")(x), norm.relu(), atol=1e-5)
    assert last_linear(block("no bias")).bias is None
    centred = last_linear(block("centred last layers"))
    level = torch.rand(1, centred.in_channels, 1, 1)
    same = level.mean() * torch.ones_like(level)
    assert centred(same).abs().max() < 1e-5 < last_linear(block(""))(same).abs().max()
    # Only the last block where the name says so.
    first = residual_blocks(changed("norm in last branch")[0])[0][1]
    assert isinstance(first.body[-1], torch.nn.Conv2d)
    every = residual_blocks(changed("norm in every branch")[0])[0][1]
    assert isinstance(every.body[-1].norm, torch.nn.BatchNorm2d)


# --- One run --------------------------------------------------------------------------------------


def test_a_run_holds_what_a_verdict_needs():
    result = run(TINY)
    assert result.status == "finished" and result.sentence
    assert 0 <= result.test_accuracy <= 1
    names = ["stem", "inception_resnet_c.1", "inception_resnet_c.2"]
    assert list(result.dead) == names
    steps = len(result.curves["step"])
    assert steps >= 3 and all(len(curve) == steps for curve in result.curves.values())
    assert {
        "loss",
        "accuracy",
        "grad_norm",
        "lr",
        "weight",
        "bias",
        "momentum",
        "branch",
        "identity",
        "length",
        "logits",
        "entropy",
        "push",
    } <= set(result.curves)
    assert all(len(row) == steps for m in result.maps.values() for row in m.values())
    assert (
        result.data["train"] > 1000
        and result.data["test"] == 20
        and result.data["name"] == "fashion"
    )
    assert (
        result.versions["torch"]
        and result.device
        and result.precision == "float32"
        and result.threads >= 1
    )
    assert result.params == sum(p.numel() for p in TINY.model().parameters())


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    first, again, other = run(TINY), run(TINY), run(replace(TINY, seed=1))
    assert first.curves["loss"] == again.curves["loss"] != other.curves["loss"]


def test_runs_have_one_thread_unless_more_are_asked_for(tmp_path, monkeypatch):
    """Whatever torch was set to, and whatever the environment says, a recorded run has one, here
    and in a worker; and the number that was there before comes back."""
    monkeypatch.setenv("INCEPTION_EDU_THREADS", "2")
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        alone, two = run(TINY), run(TINY, threads=2)
        (swept,) = sweep([TINY], folder=tmp_path, progress=False)
        with ThreadPoolExecutor(1) as executor:
            (worker,) = sweep([TINY], executor, folder=tmp_path / "w", progress=False)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert [r.threads for r in (alone, two, swept, worker)] == [1, 2, 1, 1]
    assert {len(r.curves["loss"]) for r in (alone, two, swept, worker)} == {3}
    kept = tmp_path / f"{swept.digest}.json"
    assert json.loads(results.line(alone))["curves"] == json.loads(kept.read_text())["curves"]
    assert swept.curves == worker.curves


def test_dead_channels_are_counted_and_nothing_is_left_changed():
    model = TINY.model()
    last = last_linear(residual_blocks(model)[-1][1])
    with torch.no_grad():
        last.bias[:4] = -1e6
    state = {k: v.clone() for k, v in model.state_dict().items()}
    shares = dead_channels(model, open_data("fashion"))
    assert 4 / 16 <= shares["inception_resnet_c.2"] <= 5 / 16
    assert shares["inception_resnet_c.1"] < 4 / 16
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())


def test_no_image_is_looked_at_in_vain():
    model, data = TINY.model(), open_data("fashion")
    seen = []
    model.register_forward_pre_hook(lambda m, inputs: seen.append(len(inputs[0])))
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.bias.fill_(3.0)  # everything is above 0 somewhere
    assert set(dead_channels(model, data, 1000).values()) == {0.0} and seen == [250]
    seen.clear()
    with torch.no_grad():
        last_linear(residual_blocks(model)[-1][1]).bias[:4] = -1e6
    assert max(dead_channels(model, data, 1000).values()) == 4 / 16 and seen == [250] * 4


def test_a_diverged_run_is_a_result(tmp_path):
    (result,) = sweep(
        [replace(TINY, recipe=replace(TINY.recipe, lr=1e30, steps=6))],
        folder=tmp_path,
        progress=False,
    )
    assert result.status == "diverged"
    assert result.accuracy is None and result.dead_last is None and result.final_loss is None
    cell = summarise([result])["tiny"]
    assert cell.n == 0 and cell.lost == {"diverged": 1} and "1 diverged" in cell.text()


def test_a_stopped_run_has_no_accuracy_and_is_counted():
    stop = threading.Event()
    result = run(TINY, on_record=lambda record: stop.set(), stop=stop)
    assert result.status == "stopped" and result.accuracy is None and result.dead == {}
    assert summarise([result, run(TINY)])["tiny"].lost == {"stopped": 1}


# --- Files ----------------------------------------------------------------------------------------


def test_a_half_written_or_foreign_file_is_not_read(tmp_path):
    (result,) = sweep([TINY], folder=tmp_path, progress=False)
    path = tmp_path / f"{digest(TINY, identify(TINY))}.json"
    whole = path.read_text()
    assert read_result(TINY, tmp_path).curves == result.curves
    path.write_text(whole[: len(whole) // 2])
    assert read_result(TINY, tmp_path) is None
    path.write_text(whole.replace('"lr":0.01', '"lr":0.02'))
    assert read_result(TINY, tmp_path) is None
    path.write_text(whole.replace('"schema":2', '"schema":3'))
    assert read_result(TINY, tmp_path) is None
    path.write_text(whole.replace(result.data["fingerprint"], "0" * 16))
    assert read_result(TINY, tmp_path) is None, "made with other images"
    path.write_text(whole)
    assert read_result(TINY, tmp_path)
    assert not list(tmp_path.glob(".*part"))


def test_a_result_of_other_images_of_the_same_name_is_not_read_back(tmp_path, monkeypatch):
    """Two folders of photographs, alike but for one pixel."""
    for name in ("one", "two"):
        for split in ("train", "test"):
            for label in ("a", "b"):
                folder = tmp_path / name / split / label
                folder.mkdir(parents=True)
                for k in range(20):
                    picture = Image.new("RGB", (32, 32), (9 * k, 5, 200 if label == "a" else 0))
                    picture.save(folder / f"{k}.png")
    changed = tmp_path / "two" / "train" / "a" / "0.png"
    picture = Image.open(changed).copy()
    picture.putpixel((3, 4), (1, 2, 3))
    picture.save(changed)
    monkeypatch.setenv("INCEPTION_EDU_DATA", str(tmp_path / "cache"))
    config = replace(TINY, data="photographs", test_images=0)
    one, two = (f"folder:{tmp_path / name}" for name in ("one", "two"))
    assert fingerprint("photographs", one) != fingerprint("photographs", two)
    (first,) = sweep([config], folder=tmp_path / "runs", source=one, progress=False)
    assert read_result(config, tmp_path / "runs", one).curves == first.curves
    assert read_result(config, tmp_path / "runs", two) is None


def test_held_out_images_are_trained_on_by_nobody_and_tested_by_nobody():
    whole, judged = open_data("fashion"), open_data("fashion", judge="validation")
    held = len(judged.test)
    assert held == len(whole.train) // 5 and len(judged.train) + held == len(whole.train)
    labels = torch.bincount(judged.test.labels)
    assert labels.max() == labels.min(), "as many of each class"
    pictures = {image.numpy().tobytes() for image in judged.train.images}
    known = {image.numpy().tobytes() for image in whole.train.images}
    mine = {image.numpy().tobytes() for image in judged.test.images}
    assert mine <= known and len(mine & pictures) <= len(whole.train) - len(known)
    result = run(replace(TINY, judge="validation"))
    assert result.data["train"] == len(judged.train) and result.accuracy is not None


def test_a_file_of_an_older_schema_is_told_about_and_brought_up_to_date(tmp_path):
    (result,) = sweep([TINY], folder=tmp_path, progress=False)
    values = json.loads(json.dumps(result.to_dict()))
    del values["schema"], values["version"], values["data"]["fingerprint"]
    del values["config"]["judge"]
    values["digest"] = "3c8e5c9f1eb7"
    path = tmp_path / "remedies.jsonl"
    path.write_text(json.dumps({"experiment": "remedies"}) + "\n" + json.dumps(values) + "\n")
    with pytest.raises(ExperimentError, match="schema 1.*migrate"):
        load_results("remedies", tmp_path)
    assert "1 runs have schema 2" in migrate_file(path)
    (again,) = load_results("remedies", tmp_path)
    assert again.digest == result.digest and again.curves == result.curves
    values["curves"]["loss"][0] *= 1.1
    path.write_text(json.dumps({"experiment": "remedies"}) + "\n" + json.dumps(values) + "\n")
    with pytest.raises(ExperimentError, match="not the images"):
        migrate_file(path)


def test_write_whole_leaves_the_old_file_when_it_is_cut_off(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    results.write_whole(path, "old")
    monkeypatch.setattr(results.os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        results.write_whole(path, "new")
    assert path.read_text() == "old"


def test_pack_and_load(tmp_path):
    runs = sweep(tiny(3), folder=tmp_path, progress=False)
    results.pack("remedies", runs, tmp_path, "why?")
    again = load_results("remedies", tmp_path)
    assert [r.config for r in again] == [r.config for r in runs]
    assert [r.curves for r in again] == [r.curves for r in runs]
    header = json.loads((tmp_path / "remedies.jsonl").read_text().splitlines()[0])
    assert header["runs"] == 3 and header["cells"] == 1 and header["question"] == "why?"
    with pytest.raises(ExperimentError, match="remedies"):
        load_results("nothing", tmp_path)


# --- Sweeps ---------------------------------------------------------------------------------------


class Counting:
    """Counts the runs that are computed in this process."""

    def __init__(self, monkeypatch):
        self.configs = []
        original = sweeps.run

        def counted(config, **kw):
            self.configs.append(config)
            return original(config, **kw)

        monkeypatch.setattr(sweeps, "run", counted)


def test_a_second_sweep_computes_nothing(tmp_path, monkeypatch):
    counting = Counting(monkeypatch)
    first = sweep(tiny(3), folder=tmp_path, progress=False)
    again = sweep(tiny(4), folder=tmp_path, progress=False)
    assert len(counting.configs) == 4
    assert [r.curves for r in again[:3]] == [r.curves for r in first]


def test_a_run_that_another_sweep_finished_meanwhile_is_not_computed_again(tmp_path, monkeypatch):
    first, second = sweep(tiny(2), folder=tmp_path, progress=False)
    counting = Counting(monkeypatch)

    def job(config):
        return sweeps._Job(config, identify(config), None, None, tmp_path)()

    assert job(tiny(2)[1]).curves == second.curves and not counting.configs
    assert job(tiny(3)[2]).seed == 2 and len(counting.configs) == 1


def test_a_worker_with_other_images_is_refused(tmp_path, monkeypatch):
    original = sweeps.run

    def elsewhere(config, **kw):
        result = original(config, **kw)
        return replace(result, data={**result.data, "fingerprint": "f" * 16})

    monkeypatch.setattr(sweeps, "run", elsewhere)
    with pytest.raises(ExperimentError, match="same images"):
        sweep([TINY], folder=tmp_path, progress=False)
    assert not list(tmp_path.glob("*.json"))


def test_one_run_in_two_cells_is_computed_once(tmp_path, monkeypatch):
    counting = Counting(monkeypatch)
    a, b = sweep([TINY, replace(TINY, label="other cell")], folder=tmp_path, progress=False)
    assert (
        len(counting.configs) == 1
        and (a.label, b.label) == ("tiny", "other cell")
        and a.curves == b.curves
    )


def test_a_failed_run_is_named_and_the_others_are_kept(tmp_path, monkeypatch):
    original = sweeps.run

    def failing(config, **kw):
        if config.seed == 1:
            raise ValueError("on purpose")
        return original(config, **kw)

    monkeypatch.setattr(sweeps, "run", failing)
    with pytest.raises(ExperimentError, match="1 of 3 runs failed.*seed 1: ValueError: on purpose"):
        sweep(tiny(3), folder=tmp_path, progress=False)
    assert len(list(tmp_path.glob("*.json"))) == 2


def test_threads_and_progress(tmp_path):
    seen = []
    before = torch.get_num_threads()
    with ThreadPoolExecutor(2) as executor:
        results = sweep(tiny(4), executor, folder=tmp_path, progress=lambda *now: seen.append(now))
    torch.set_num_threads(before)
    assert [r.seed for r in results] == [0, 1, 2, 3]
    assert [done for done, _, _ in seen] == [1, 2, 3, 4] and seen[-1][2] == 0


def test_processes_and_threads_give_the_same_curves_to_the_last_bit(tmp_path):
    """RMSProp, so that the momentum that is recorded is each run's own; four runs at a time, so
    that threads draw weights and take steps between one another."""
    configs = tiny(4, optimizer="rmsprop", steps=4)
    with local_executor(2) as executor:
        processes = sweep(configs, executor, folder=tmp_path / "a", progress=False)
    before = torch.get_num_threads()
    with ThreadPoolExecutor(4) as executor:
        threads = sweep(configs, executor, folder=tmp_path / "b", progress=False)
    torch.set_num_threads(before)
    assert all(r.threads == 1 for r in (*processes, *threads))
    for a, b in zip(processes, threads):
        assert a.curves == b.curves and a.maps == b.maps and a.dead == b.dead


SCRIPT = """
import sys
from dataclasses import replace
from inception_edu.study import *
config = recipe = Recipe(steps=30, batch_size=8, lr=0.01)
config = Config("killed", "tower", dict(width=16, depth=2), recipe, data="fashion",
                test_images=20)
if __name__ == "__main__":
    with local_executor(2) as executor:
        sweep(seeds(config, 12), executor, folder=sys.argv[1])
"""


def test_a_sweep_killed_in_mid_run_goes_on_where_it_stopped(tmp_path):
    script, folder = tmp_path / "killed.py", tmp_path / "runs"
    script.write_text(textwrap.dedent(SCRIPT))
    command = [sys.executable, str(script), str(folder)]

    def finished():
        return {p.name: p.stat().st_mtime_ns for p in folder.glob("*.json")}

    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while len(finished()) < 3 and time.monotonic() < deadline:
        assert first.poll() is None, "the sweep ended before it could be killed"
        time.sleep(0.02)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    before = finished()
    assert 3 <= len(before) < 12
    for name in before:
        json.loads((folder / name).read_text())
    time.sleep(3)  # the workers notice that their parent is gone, and write nothing more
    assert finished() == before
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    after = finished()
    assert len(after) == 12 and f"12 runs, {len(before)} of them finished before" in said
    assert {name: after[name] for name in before} == before, "a finished run was computed again"


def test_a_killed_local_worker_is_told_in_a_sentence(tmp_path):
    with local_executor(1) as executor:
        executor.submit(os.getpid).result()
        (worker,) = executor._processes
        configs = tiny(3, steps=400)
        started = []

        def kill_soon(*_):
            started.append(1)
            os.kill(worker, signal.SIGKILL)

        with pytest.raises(ExperimentError, match="same call again"):
            sweep(configs, executor, folder=tmp_path, progress=kill_soon)
    assert 1 <= len(list(tmp_path.glob("*.json"))) < 3
    assert len(sweep(configs, folder=tmp_path, progress=False)) == 3


def test_a_dask_cluster_that_loses_a_worker_finishes_the_sweep(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    # Nothing of the cluster's own files under the current folder.
    monkeypatch.chdir(tmp_path)
    killed = []
    with (
        distributed.LocalCluster(
            n_workers=3,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            host="127.0.0.1",
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        workers = client.run(os.getpid)

        def kill_one(done, total, left):
            if not killed:
                victim = next(iter(workers.values()))
                killed.append(victim)
                os.kill(victim, signal.SIGKILL)

        results = sweep(
            tiny(10, steps=40), client.get_executor(), folder=tmp_path / "runs", progress=kill_one
        )
        assert killed and killed[0] not in client.run(os.getpid).values()
    assert [r.seed for r in results] == list(range(10)) and all(
        r.status == "finished" for r in results
    )
    here = run(replace(results[0].config))
    assert results[0].curves["loss"] == pytest.approx(here.curves["loss"], rel=1e-3)


# --- The command line -----------------------------------------------------------------------------


def test_command_line(tmp_path, capsys, monkeypatch):
    def asks(configs):
        known = experiments.EXPERIMENTS["remedies"]
        changed = replace(known, make=lambda mode: configs)
        monkeypatch.setitem(experiments.EXPERIMENTS, "remedies", changed)

    asks(tiny(2))
    monkeypatch.setattr(results, "RESULTS", tmp_path / "packed")
    assert commands.main(["run", "remedies", "--workers", "0", "--folder", str(tmp_path)]) == 0
    assert commands.main(["status", "remedies", "--folder", str(tmp_path)]) == 0
    assert "1 cells, 2 runs, 2 finished" in capsys.readouterr().out
    assert commands.main(["pack", "remedies", "--folder", str(tmp_path)]) == 0
    assert len(load_results("remedies", tmp_path / "packed")) == 2
    # What was packed stays, also where the single runs are gone, and is not run again when asked
    # so.
    before, empty = (
        (tmp_path / "packed" / "remedies.jsonl").read_text(),
        ["--folder", str(tmp_path / "empty")],
    )
    new = [replace(TINY, label="new", seed=7)]
    asks(tiny(2) + new)
    assert commands.main(["run", "remedies", "--missing", "--workers", "0", *empty]) == 0
    assert len(list((tmp_path / "empty").glob("*.json"))) == 1
    assert commands.main(["pack", "remedies", "--missing", *empty]) == 0
    after = (tmp_path / "packed" / "remedies.jsonl").read_text()
    assert after.splitlines()[1:3] == before.splitlines()[1:] and len(after.splitlines()) == 4
    # A file that cannot be read is not overwritten.
    old = re.sub(r'"schema":\s*\d+', '"schema": 0', after)
    (tmp_path / "packed" / "remedies.jsonl").write_text(old)
    assert old != after and commands.main(["pack", "remedies", *empty]) != 0
    assert "schema 0" in capsys.readouterr().err
    assert (tmp_path / "packed" / "remedies.jsonl").read_text() == old
    assert commands.main(["list"]) == 0
    assert "dying" in (listed := capsys.readouterr().out) and "H200" not in listed
    monkeypatch.setattr(results, "RESULTS", RESULTS)
    assert commands.main(["list", "wide", "dying"]) == 0
    assert capsys.readouterr().out.count("minutes on an NVIDIA H200") == 1
    assert commands.main(["run", "nothing"]) == 1 and "choose one of" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    ["run remedies scaling --workers 0", "run --workers 0 remedies scaling",
     "run remedies --only lr=0.1 x --workers 0 scaling", "--workers 0 run remedies scaling"],
)  # fmt: skip
def test_names_stand_before_or_after_the_options(words, monkeypatch):
    asked = []
    monkeypatch.setattr(commands, "_one", lambda name, args: asked.append((name, args.workers)))
    assert commands.main(words.split()) == 0
    assert asked == [("remedies", 0), ("scaling", 0)]


@pytest.mark.parametrize("what", ["run", "status"])
def test_a_name_that_only_took_is_refused(what, monkeypatch, capsys):
    monkeypatch.setattr(commands, "_one", lambda name, args: pytest.fail(f"went to {name}"))
    assert commands.main([what, "--only", "scale", "1", "remedies"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and f"write `{what} remedies --only …`" in said


@pytest.mark.parametrize(
    "words, said",
    [("pack wide --only x", "--only is for `run` and `status`"),
     ("list --only x", "--only is for `run` and `status`"),
     ("claims C3", "`claims` takes no names: leave out C3."),
     ("reproduce wide", "`reproduce` takes no names: leave out wide.")],
)  # fmt: skip
def test_a_word_that_would_be_passed_over_is_refused(words, said, capsys):
    assert commands.main(words.split()) == 1
    assert capsys.readouterr().err.startswith(said)


@pytest.mark.parametrize("text", ["", "[1", "[1]\n"])
def test_a_file_that_is_no_results_is_left_as_it_is(text, tmp_path, capsys):
    path = tmp_path / "remedies.jsonl"
    path.write_text(text)
    assert commands.main(["migrate", str(path)]) == 1
    assert "is no file of results" in capsys.readouterr().err and path.read_text() == text


def test_a_scheduler_that_does_not_answer_is_told(monkeypatch):
    distributed = pytest.importorskip("dask.distributed")

    def silent(address):
        raise OSError("timed out")

    monkeypatch.setattr(distributed, "Client", silent)
    with pytest.raises(ExperimentError, match="No dask scheduler answers at 'tcp://x:1' .timed"):
        commands._executor(commands._parser().parse_args(["run", "--dask", "tcp://x:1"]))


def test_a_wrong_mode_is_a_sentence(monkeypatch, capsys):
    monkeypatch.setenv("INCEPTION_EDU_MODE", "fast")
    assert commands.main(["list"]) == 1
    assert capsys.readouterr().err.startswith("INCEPTION_EDU_MODE is 'fast'; set it to one of")


# --- Committed results ----------------------------------------------------------------------------

COMMITTED = sorted(p.stem for p in RESULTS.glob("*.jsonl"))


@pytest.mark.parametrize("name", COMMITTED)
def test_committed_results_are_complete(name):
    runs = load_results(name)
    asked = set(configurations(name, "standard"))
    assert all(r.config in asked for r in runs), (
        "a result that no configuration asks for: pack again"
    )
    least = 2 if name.endswith("_tuning") else 5  # which only picks a rate
    header = json.loads((RESULTS / f"{name}.jsonl").read_text().splitlines()[0])
    if not header.get("missing"):
        assert all(cell.n >= least for cell in summarise(runs, "final_loss").values())
    for result in runs:
        here = result.config.data == "fashion"
        assert result.data["name"] == ("fashion" if here else "CIFAR-10 (JPEG copy)")
        assert result.versions["torch"]
        assert "/" not in json.dumps(result.data)
    assert (RESULTS / f"{name}.jsonl").stat().st_size < 4_500_000


def test_a_file_holds_the_maps_that_its_experiment_keeps(tmp_path, monkeypatch, capsys):
    kept = [name for name in COMMITTED if EXPERIMENTS[name].maps is not None]
    assert {"narrow", "synchronous"} <= set(kept)
    for name in kept:
        assert all(tuple(r.maps) == EXPERIMENTS[name].maps for r in load_results(name)), name
    known = replace(EXPERIMENTS["remedies"], make=lambda mode: tiny(1), maps=("dead",))
    monkeypatch.setitem(experiments.EXPERIMENTS, "remedies", known)
    monkeypatch.setattr(results, "RESULTS", tmp_path / "packed")
    (whole,) = sweep(tiny(1), folder=tmp_path, progress=False)
    assert commands.main(["pack", "remedies", "--folder", str(tmp_path)]) == 0
    (packed,) = load_results("remedies", tmp_path / "packed")
    assert set(whole.maps) > {"dead"} and packed.maps == {"dead": whole.maps["dead"]}
    assert packed.curves == whole.curves and packed.dead == whole.dead


def test_committed_results_are_small():
    assert sum(p.stat().st_size for p in RESULTS.glob("*.jsonl")) < 26_000_000


def test_photographs_that_cannot_be_had_are_asked_for_once(monkeypatch, capsys, tmp_path):
    """Asking may download them, and a status has many experiments."""
    asked = []

    def identify(config, source):
        asked.append(config.data)
        raise OSError("no network")

    monkeypatch.setattr(commands, "identify", identify)
    assert commands.main(["status", "remedies", "scaling", "--folder", str(tmp_path)]) == 0
    assert asked == ["photographs"]
    assert capsys.readouterr().out.count("not at hand: no network") == 1
