"""Train the small checkpoints of chapter 12 and write them to data/checkpoints/.

    python data/train_checkpoints.py                                   the ones that need only the
    embedded data python data/train_checkpoints.py inception_v4 inception_resnet_v2 --data
    folder:/path/to/cifar10

`--data` is any source of `inception_edu.data.load`; the committed files come from CIFAR-10 (JPEG
copy). Each file holds its configuration, its data, the accuracy on the test images and the command
that makes it again. Ctrl-C ends a run early and keeps what it has learnt.
"""

import argparse
import platform
import signal
import sys
import threading
from dataclasses import asdict, replace
from pathlib import Path

import torch

from inception_edu.data import load
from inception_edu.describe import make
from inception_edu.learn import Average, Recipe, accuracy, default_device, train, training
from inception_edu.nets import save_checkpoint
from inception_edu.nets.build import build
from inception_edu.nets.steps import load_step, save_steps

FOLDER = Path(__file__).parent / "checkpoints"

# Networks of about a million parameters, for colour photographs: 28 epochs take a core an hour
# (with AMX) to two.
NETWORKS = {
    "inception_v4": dict(kind="mini", network="inception_v4", width=1 / 4, repeats=[1, 2, 1]),
    "inception_resnet_v2": dict(
        kind="mini", network="inception_resnet_v2", width=1 / 4, repeats=[2, 3, 2], scale=0.2
    ),
}
# The second, narrower, on the embedded Fashion-MNIST, whose images can be shown beside what it
# computes.
CLOTHES = {"fashion_inception_resnet_v2": NETWORKS["inception_resnet_v2"] | dict(width=1 / 8)}
# After which steps of the clothes' network's training it is kept (625 steps in all; `--steps`).
KEPT_STEPS = (0, 10, 50, 100, 200, 400)
# A wide unscaled tower under the paper's optimizer at twice its rate: alive at first, dead soon
# after (chapter 09).
DYING = dict(kind="tower", width=576, depth=10, scale=1.0)
DYING_STEPS = {"before": 4, "after": 100}


def recipe(epochs: float, images: int, lr: float, seed: int) -> Recipe:
    return Recipe(
        steps=round(epochs * images / 128),
        batch_size=128,
        optimizer="sgd",
        lr=lr,
        momentum=0.9,
        nesterov=True,
        weight_decay=5e-4,
        schedule="one-cycle",
        label_smoothing=0.1,
        average=0.995,
        augment="crop+flip",
        record_every=50,
        seed=seed,
    )


# Photographs are plenty and these networks small: they underfit rather than overfit, so they need
# less decay, and windows of 28×28 pixels cost a quarter less than the whole 32×32.
PHOTOGRAPHS = dict(weight_decay=3e-4, augment="window+flip")


def report(record) -> None:
    words = f"loss {record.loss:.3f}, {record.accuracy:.1%} of the batch right"
    print(f"step {record.step:6} {record.seconds:7.0f} s  {words}", flush=True)


def run(
    name: str, network: dict, data, plan: Recipe, source: str, command: str, stop: threading.Event
) -> None:
    model = build(make(**network), seed=plan.seed).to(default_device())
    history = train(model, data, plan, on_record=report, stop=stop)
    save(name, model, network, history, data, source, command)


def save(name: str, model, network: dict, history, data, source: str, command: str) -> None:
    path = FOLDER / f"{name}.safetensors"
    last = history.records[-1]
    save_checkpoint(
        path,
        model,
        network,
        recipe=asdict(history.recipe),
        data=source,
        status=history.status,
        steps=last.step,
        test_images=len(data.test.labels),
        test_accuracy=history.test_accuracy,
        dead=last.dead,
        mean=data.mean.tolist(),
        std=data.std.tolist(),
        classes=list(data.classes),
        command=command,
        device=str(default_device()),
        torch=torch.__version__,
        python=platform.python_version(),
    )
    print(f"{path.name}: {history.sentence}", flush=True)


def record_steps(name: str, network: dict, data, plan: Recipe, source: str, command: str) -> None:
    """Train and save as `run` does, and keep the averaged weights after some steps, with batch-norm
    statistics that belong to them: all of them steps of one run."""
    model = build(make(**network), seed=plan.seed).to(default_device())
    average, states, step = Average(model, plan.average), {}, 0

    def keep() -> None:
        with average.weights(data):
            states[step] = {key: value.cpu().clone() for key, value in model.state_dict().items()}

    keep()
    run = training(model, data, plan, on_record=report)
    for _ in range(plan.steps):
        next(run)
        step += 1
        average.update()
        if step in KEPT_STEPS:
            keep()
    history = next(run)  # the last one tests the finished run
    path = FOLDER / "steps" / f"{name}.safetensors"
    facts = {
        "recipe": asdict(plan),
        "data": source,
        "command": command,
        "device": str(default_device()),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    save_steps(path, network, states, **facts)
    right = {}
    for step in states:
        right[step] = accuracy(load_step(path, step)[0].to(default_device()), data)
        print(f"step {step:4}: {right[step]:.1%} of the test images right", flush=True)
    save_steps(path, network, states, test_accuracy=right, **facts)
    save(name, model, network, history, data, source, command)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [*NETWORKS, *CLOTHES, "dying"]
    parser.add_argument(
        "names", nargs="*", default=[*CLOTHES, "dying"], help=f"of {', '.join(names)}"
    )
    parser.add_argument(
        "--data", default="cifar10", help="source of the photographs (default: cifar10)"
    )
    parser.add_argument(
        "--as", dest="called", help="what to call that source, such as 'CIFAR-10 (JPEG copy)'"
    )
    parser.add_argument(
        "--epochs", type=float, default=8, help="passes over the training images (default: 8)"
    )
    parser.add_argument(
        "--lr", type=float, default=0.2, help="the highest learning rate (default: 0.2)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--steps",
        action="store_true",
        help="keep the network after some steps of its training, in steps/NAME.safetensors",
    )
    options = parser.parse_args()
    unknown = set(options.names) - set(names)
    if unknown:
        sys.exit(
            f"There is no checkpoint {', '.join(sorted(unknown))}; choose of {', '.join(names)}."
        )
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    for name in options.names:
        photographs = name in NETWORKS
        data = load(options.data if photographs else "fashion")
        print(data.describe(), flush=True)
        source = options.called or data.name if photographs else data.name
        command = (
            f"python data/train_checkpoints.py {name} --epochs {options.epochs:g} "
            f"--lr {options.lr:g} --seed {options.seed}"
        )
        if name == "dying":
            for when, steps in DYING_STEPS.items():
                plan = Recipe(
                    steps=steps,
                    batch_size=32,
                    optimizer="rmsprop",
                    lr=0.1,
                    momentum=0.9,
                    eps=1.0,
                    record_every=10,
                    seed=options.seed,
                )
                run(f"dying_{when}", DYING, data, plan, source, command, stop)
        else:
            plan = recipe(options.epochs, len(data.train.labels), options.lr, options.seed)
            plan = replace(plan, **PHOTOGRAPHS) if photographs else plan
            network = (NETWORKS | CLOTHES)[name]
            if options.steps:
                record_steps(name, network, data, plan, source, command + " --steps")
            else:
                run(name, network, data, plan, source, command, stop)


if __name__ == "__main__":
    main()
