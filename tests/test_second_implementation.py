"""The dying tower written a second time: plain torch and numpy, not a line of the package.

It knows the paper's Fig. 13 and Section 3.3, draws its own weights in its own way, and has to give
the verdicts of the committed runs on five seeds.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from inception_edu.study import fate_of_cell, load_results

WIDTH, DEPTH, STEPS, BATCH, CLASSES = 72, 10, 40, 32, 10


def images():
    """Fashion-MNIST 28×28, padded to 32, three equal channels, mean 0 and deviation 1."""
    path = Path(__file__).resolve().parents[1] / "data" / "fashion.npz"
    with np.load(path) as arrays:
        pixels = np.pad(arrays["train_images"], ((0, 0), (2, 2), (2, 2))).astype(np.float32)
        labels = arrays["train_labels"].astype(np.int64)
    pixels = (pixels - pixels.mean()) / pixels.std()
    return torch.from_numpy(pixels)[:, None].repeat(1, 3, 1, 1), torch.from_numpy(labels)


class Tower:
    """Three convolutions of stride 2, ten blocks of Fig. 13, mean over the map, a linear layer."""

    def __init__(self, scale, seed):
        self.random = torch.Generator().manual_seed(seed)
        self.scale, self.parameters = scale, []
        branch = round(192 * WIDTH / 1792)
        self.stem = [self.conv(3, 32, 3, 3), self.conv(32, 64, 3, 3), self.conv(64, WIDTH, 3, 3)]
        self.blocks = [
            {
                "one": self.conv(WIDTH, branch, 1, 1),
                "long": [
                    self.conv(WIDTH, branch, 1, 1),
                    self.conv(branch, branch, 1, 3),
                    self.conv(branch, branch, 3, 1),
                ],
                "last": (self.weight(2 * branch, WIDTH, 1, 1), self.zeros(WIDTH)),
            }
            for _ in range(DEPTH)
        ]
        self.classifier = (self.weight(WIDTH, CLASSES), self.zeros(CLASSES))

    def keep(self, tensor):
        self.parameters.append(tensor.requires_grad_())
        return tensor

    def zeros(self, n):
        return self.keep(torch.zeros(n))

    def weight(self, inputs, outputs, *kernel):
        # Cut at two deviations, as the paper's framework draws them, by drawing again.
        found = torch.randn(outputs, inputs, *kernel, generator=self.random)
        while (far := found.abs() > 2).any():
            found[far] = torch.randn(int(far.sum()), generator=self.random)
        return self.keep(found / (inputs * int(np.prod(kernel))) ** 0.5)

    def conv(self, inputs, outputs, height, width):
        weight = self.weight(inputs, outputs, height, width)
        return weight, self.keep(torch.ones(outputs)), self.zeros(outputs)

    def apply(self, layer, x, stride=1):
        weight, gain, shift = layer
        pad = (weight.shape[2] // 2, weight.shape[3] // 2)
        x = F.conv2d(x, weight, stride=stride, padding=pad)
        return F.batch_norm(x, None, None, gain, shift, training=True, eps=1e-3).relu()

    def features(self, x):
        """What leaves the stem and every block."""
        for layer in self.stem:
            x = self.apply(layer, x, 2)
        seen = [x]
        for block in self.blocks:
            long = x
            for layer in block["long"]:
                long = self.apply(layer, long)
            both = torch.cat([self.apply(block["one"], x), long], 1)
            weight, bias = block["last"]
            x = (x + self.scale * F.conv2d(both, weight, bias)).relu()
            seen.append(x)
        return seen

    def __call__(self, x):
        weight, bias = self.classifier
        return self.features(x)[-1].mean((2, 3)) @ weight.T + bias


def rmsprop(parameters, state, rate, decay=0.9, momentum=0.9, eps=1.0):
    """TensorFlow's: the mean of squares starts at 1, ε is under the root."""
    for p in parameters:
        squares, step = state.setdefault(p, (torch.ones_like(p), torch.zeros_like(p)))
        squares.mul_(decay).add_((1 - decay) * p.grad**2)
        step.mul_(momentum).add_(rate * p.grad / (squares + eps).sqrt())
        p.data -= step
        p.grad = None


def dead_shares(scale, rate, seed, pixels, labels):
    tower, state = Tower(scale, seed), {}
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(100 + seed))
    for step in range(STEPS):
        batch = order[step * BATCH : (step + 1) * BATCH]
        F.cross_entropy(tower(pixels[batch]), labels[batch]).backward()
        with torch.no_grad():
            rmsprop(tower.parameters, state, rate)
    with torch.no_grad():
        seen = tower.features(pixels[order[-64:]])
    return {
        f"block {i}": (x.amax((0, 2, 3)) <= 0).float().mean().item() for i, x in enumerate(seen)
    }


@pytest.mark.parametrize(
    "label, scale, rate",
    [("nothing", 1.0, 0.45), ("scale 0.1", 0.1, 0.45), ("rate / 10", 1.0, 0.045)],
)
def test_the_second_implementation_gives_the_verdicts_of_the_committed_runs(label, scale, rate):
    pixels, labels = images()
    mine = fate_of_cell(dead_shares(scale, rate, seed, pixels, labels) for seed in range(5))
    committed = fate_of_cell(r for r in load_results("embedded") if r.label == label)
    assert mine.word == committed.word, (mine.sentence, committed.sentence)
    assert mine.word == ("dies" if label == "nothing" else "lives")
