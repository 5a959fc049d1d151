"""The training of a web page (web/run.js, web/tower.js, web/gemm.ts) against torch: the same
weights and images give the same loss, gradients and steps."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from inception_edu.labs import page_run
from inception_edu.labs.core import Refused
from inception_edu.labs.dying import FIRST, REMEDIES, config
from inception_edu.labs.page import script
from inception_edu.labs.race_pairs import NAMES, TOWERS, configs
from inception_edu.labs.race_state import FIRST as RACE
from inception_edu.learn import gradient_norm, make_optimizer
from inception_edu.study.identity import open_data

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import live_pages  # noqa: E402

N = 16
DRIVER = """
import { readFileSync } from "node:fs";
const { job, weights, images, labels, steps } = JSON.parse(readFileSync(0, "utf8"));
const code = new WebAssembly.Module(readFileSync(process.argv[2]));
const net = new Network(code, job, labels.length), { f } = net.memory;
let at = 0;
for (const { at: to, count } of net.all) {
  f.set(weights.slice(at, at + count), to);
  at += count;
}
if (at !== weights.length) throw Error(`${weights.length} weights, ${at} wanted`);
const told = { losses: [], norms: [] };
for (let step = 0; step < steps; step++) {
  f.set(images, net.input.at(labels.length));
  net.forward(labels.length);
  const found = net.backward(labels.length, labels);
  told.losses.push(found.loss);
  told.norms.push(net.clip(job.recipe.clip));
  if (!step) {
    told.push = found.push;
    told.slopes = net.all.flatMap(w => [...f.subarray(w.slope, w.slope + w.count)]);
    Object.assign(told, net.inside(labels.length));
  }
  net.step(job.rates[step], job.recipe);
}
net.training = false;
net.forward(labels.length);
told.logits = [...f.subarray(net.logits, net.logits + net.classes * labels.length)];
console.log(JSON.stringify(told));
"""
TRAINED = """
import { readFileSync } from "node:fs";
const { job, folder, stopAt } = JSON.parse(readFileSync(0, "utf8"));
const code = new WebAssembly.Module(readFileSync(process.argv[2]));
const facts = JSON.parse(readFileSync(`${folder}/images.json`, "utf8"));
const images = new Images(new Uint8Array(readFileSync(`${folder}/images.bin`)), facts, job);
const records = [];
const end = await train(code, job, images, r => records.push(r), () => records.length >= stopAt);
console.log(JSON.stringify({ records, end }));
"""

RACED = """
import { readFileSync } from "node:fs";
const { job, folder, stopAt } = JSON.parse(readFileSync(0, "utf8"));
const code = new WebAssembly.Module(readFileSync(process.argv[2]));
const facts = JSON.parse(readFileSync(`${folder}/images.json`, "utf8"));
const bytes = new Uint8Array(readFileSync(`${folder}/images.bin`));
const images = new Images(bytes, facts, job.sides[0]);
const laps = [], alone = [];
const end = await race(code, job, images, lap => laps.push(lap), () => laps.length >= stopAt);
for (const side of job.sides) alone.push(await train(code, side, images, () => {}, () => false));
console.log(JSON.stringify({ laps, end, alone }));
"""


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    """web/gemm.ts, compiled."""
    target = tmp_path_factory.mktemp("wasm") / "gemm.wasm"
    if why := live_pages.missing():
        assert not os.environ.get("CI")
        pytest.skip(why)
    live_pages.products(target)
    return target


def in_node(products: Path, driver: str, told: dict) -> dict:
    module = products.with_name("driver.mjs")
    module.write_text(script("run") + driver, encoding="utf-8")
    done = subprocess.run(
        [live_pages.tool("node"), str(module), str(products)],
        input=json.dumps(told),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def small(remedy: str, **changes):
    """A narrow tower of two blocks, with the remedy of the dying lab."""
    found = config({**FIRST, "remedy": remedy, "width": 30, "rate": 0.1, **changes})
    return replace(found, arguments={**dict(found.arguments), "depth": 2})


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    data = open_data("fashion")
    return data.normalise(data.train.images[:N]), data.train.labels[:N]


HERE = [name for name in REMEDIES if name not in ("slow classifier", "last layers centred")]


@pytest.mark.parametrize(
    "remedy, optimizer", [*((name, "rmsprop") for name in HERE), ("nothing", "sgd")]
)
def test_loss_gradients_and_steps_are_those_of_torch(products, remedy, optimizer):
    as_torch(products, small(remedy, optimizer=optimizer))


def racers(steps: int = 100, **settings):
    """Both sides of the race lab's first race."""
    return configs(RACE | settings, page_run.images("fashion"), steps)


@pytest.mark.parametrize("side", [0, 1])
def test_both_sides_of_a_race_are_those_of_torch(products, side):
    what = racers(depth=2)[side]
    as_torch(products, replace(what, arguments={**dict(what.arguments), "width": 30}))


def as_torch(products, what) -> None:
    """The page's five steps of a network are torch's."""
    model, (images, labels) = what.model().train(), batch()
    weights = torch.cat([p.detach().flatten() for p in model.parameters()])
    job, steps = page_run.job(what), 5
    told = in_node(
        products,
        DRIVER,
        {
            "job": job,
            "weights": weights.tolist(),
            "images": images.permute(1, 0, 2, 3).flatten().tolist(),
            "labels": labels.tolist(),
            "steps": steps,
        },
    )
    optimizer = make_optimizer(model, what.recipe)
    losses, norms, slopes = [], [], None
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = job["rates"][step]
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        if slopes is None:
            slopes = torch.cat([p.grad.flatten() for p in model.parameters()])
        norms.append(float(gradient_norm(model, what.recipe.clip)))
        losses.append(float(loss))
        optimizer.step()
    error = np.abs(np.array(told["slopes"]) - slopes.numpy()).max() / slopes.abs().max()
    if what.recipe.clip and norms[0] > what.recipe.clip:  # told after they were shortened
        shorter = what.recipe.clip / norms[0]
        error = np.abs(np.array(told["slopes"]) / shorter - slopes.numpy()).max()
        error /= slopes.abs().max()
    assert error < 1e-4
    np.testing.assert_allclose(told["norms"], norms, rtol=2e-3)
    np.testing.assert_allclose(told["losses"], losses, rtol=2e-3)
    model.eval()
    with torch.no_grad():
        logits = model(images).T.flatten().numpy()
    assert np.abs(np.array(told["logits"]) - logits).max() < 2e-2 * np.abs(logits).max()


def test_what_is_seen_inside_is_what_torch_sees(products):
    from inception_edu.learn.probes import Meter
    from inception_edu.nets.build import named_blocks

    what = small("nothing", width=40)
    model, (images, labels) = what.model().train(), batch()
    meter = Meter(model)
    with meter.watch(model):
        model(images)
    told = in_node(
        products,
        DRIVER,
        {
            "job": page_run.job(what),
            "weights": torch.cat([p.detach().flatten() for p in model.parameters()]).tolist(),
            "images": images.permute(1, 0, 2, 3).flatten().tolist(),
            "labels": labels.tolist(),
            "steps": 1,
        },
    )
    assert list(told["dead"]) == [name for name, _ in named_blocks(model)]
    for kind in ("spread", "dead"):
        wanted = [float(meter.values[kind, name]) for name in told[kind]]
        np.testing.assert_allclose(list(told[kind].values()), wanted, rtol=1e-3, atol=1e-6)


def test_a_run_in_the_page_learns_repeats_and_stops(products, tmp_path):
    live_pages.images(tmp_path / "images.bin")
    what = config({**FIRST, "width": 32, "scale": 0.1, "rate": 0.045})
    what = replace(what, arguments={**dict(what.arguments), "depth": 3})
    told = {"job": page_run.job(what), "folder": str(tmp_path), "stopAt": 99}
    run, again = (in_node(products, TRAINED, told) for _ in range(2))
    steps = [record["step"] for record in run["records"]]
    assert steps == [1, *range(2, 61, 2)] and run["end"]["status"] == "finished"
    for key in ("curves", "dead", "test_accuracy"):
        assert run["end"][key] == again["end"][key]
    assert run["records"][-1]["loss"] < 1.5 < run["records"][0]["loss"]
    assert run["end"]["test_accuracy"] > 0.4  # guessing: 0.1
    stopped = in_node(products, TRAINED, {**told, "stopAt": 3})
    assert stopped["end"]["status"] == "stopped" and len(stopped["records"]) == 3


def test_a_race_in_the_page_trains_each_side_as_alone(products, tmp_path):
    live_pages.images(tmp_path / "images.bin")
    job = page_run.race(racers(steps=24))
    assert len(set(job["places"])) == 12
    told = {"job": job, "folder": str(tmp_path), "stopAt": 99}
    found = in_node(products, RACED, told)
    assert [lap["sides"][0]["step"] for lap in found["laps"]] == [1, *range(4, 25, 4)]
    assert found["end"]["status"] == "finished"
    for side, alone in enumerate(found["alone"]):
        for key in ("curves", "maps", "dead", "test_accuracy"):
            assert found["end"]["results"][side][key] == alone[key]
    plain, residual = (result["curves"]["loss"] for result in found["end"]["results"])
    assert plain[0] != residual[0] and residual[-1] < residual[0]
    says = found["laps"][-1]["says"]
    assert [len(side) for side in says] == [12, 12] and says[0] != found["laps"][0]["says"][0]
    stopped = in_node(products, RACED, {**told, "stopAt": 2})
    assert stopped["end"]["status"] == "stopped" and len(stopped["laps"]) == 2


def test_a_side_that_diverges_leaves_the_race(products, tmp_path):
    live_pages.images(tmp_path / "images.bin")
    job = page_run.race(racers(steps=12))
    job["sides"][0]["rates"] = [1e30] * 12
    told = {"job": job, "folder": str(tmp_path), "stopAt": 99}
    end = in_node(products, RACED, told)["end"]
    assert [result["status"] for result in end["results"]] == ["diverged", "finished"]
    assert end["status"] == "finished"


def test_what_the_page_cannot_train_is_refused_in_a_sentence():
    whole = next(pair for pair in NAMES if pair != TOWERS)
    with pytest.raises(Refused, match="trains towers alone: to train Inception-"):
        page_run.race(racers(pair=whole))
    with pytest.raises(Refused, match="clothes alone"):
        page_run.images("scales")
    for remedy in ("slow classifier", "last layers centred"):
        with pytest.raises(Refused, match="cannot train this"):
            page_run.job(small(remedy))
    with pytest.raises(Refused, match="torch"):
        page_run.job("something else")
