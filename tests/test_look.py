"""One network on one picture, against sums by hand and against the network itself."""

import numpy as np
import pytest
import torch
from torch import nn

from inception_edu.describe import mini, network
from inception_edu.nets import explain
from inception_edu.nets import look as see
from inception_edu.nets.build import build, named_blocks
from inception_edu.nets.excite import exciting, searching
from inception_edu.nets.features import FeatureError, switched_off


@pytest.fixture(scope="module")
def model():
    made = build(
        mini(network("inception_resnet_v2"), width=1 / 16, repeats=(2, 2, 2), scale=0.3), seed=0
    )
    return made.train()


@pytest.fixture(scope="module")
def image():
    return torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))


class Own(nn.Module):
    """A module that knows nothing of this package."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(inplace=True))
        self.second = nn.Conv2d(4, 6, 3, stride=2)
        self.head = nn.Linear(6, 5)

    def forward(self, x):
        return self.head(self.second(self.first(x)).relu().mean((2, 3)))


def test_one_pass_gives_the_answer_and_every_blocks_maps(model, image):
    seen = see.look(model, image)
    assert list(seen.outputs) == [name for name, _ in named_blocks(model)]
    model.eval()
    with torch.no_grad():
        expected = model(image)[0]
    model.train()
    np.testing.assert_allclose(seen.logits, expected.numpy(), atol=1e-5)
    assert seen.shares.sum() == pytest.approx(1, abs=1e-5)
    assert all(m.training for m in model.modules()), "the module is left as it was"
    assert not any(m._forward_hooks for m in model.modules())


def test_the_parts_of_a_residual_block_add_up(model, image):
    seen = see.look(model, image)
    found = see.parts(model, seen, "inception_resnet_b.2")
    assert list(found) == [
        "branch 1 · 1×1",
        "branch 2 · 1×1 → 1×7 → 7×1",
        see.CHANGE,
        see.INPUT,
        see.OUTPUT,
    ]
    total = np.maximum(found[see.CHANGE] + found[see.INPUT], 0)
    np.testing.assert_allclose(total, found[see.OUTPUT], atol=1e-6)
    np.testing.assert_array_equal(found[see.OUTPUT], seen.outputs["inception_resnet_b.2"])


def test_a_branch_switched_off_answers_again(model, image):
    off = [("reduction_a", 2)]
    whole, seen = see.look(model, image), see.look(model, image, off)
    assert np.abs(whole.logits - seen.logits).max() > 1e-4
    model.eval()
    with switched_off(model, "reduction_a", 2), torch.no_grad():
        np.testing.assert_allclose(seen.logits, model(image)[0].numpy(), atol=1e-5)
    assert not see.parts(model, seen, "reduction_a", off)["branch 2 · 3×3"].any()
    with pytest.raises(FeatureError, match="no branch 9"):
        see.look(model, image, [("reduction_a", 9)])


@pytest.mark.parametrize(
    "name, part",
    [
        ("stem", see.OUTPUT),
        ("inception_resnet_a.1", "branch 2 · 1×1 → 3×3"),
        ("inception_resnet_a.1", see.INPUT),
        ("inception_resnet_a.2", see.CHANGE),
        ("reduction_a", "branch 3 · 1×1 → 3×3 → 3×3"),
    ],
)
def test_the_shade_lies_within_the_window(model, name, part):
    """And fills it: over many pictures every edge of the frame is reached by some gradient."""
    images = torch.randn(12, 1, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    y, x, total = 7, 6, 0
    for picture in images:
        for channel in (0, 1, 2):
            total = total + see.shade(model, picture, name, part, channel, y, x)
    (low, high), (left, right) = (w.of(i) for w, i in zip(see.windows(model, name, part), (y, x)))
    rows, columns = (np.flatnonzero(total.sum(axis)) for axis in (1, 0))
    assert (rows[0], rows[-1] + 1) == (max(0, low), min(64, high))
    assert (columns[0], columns[-1] + 1) == (max(0, left), min(64, right))
    assert see.shade(model, images[0], "stem", see.OUTPUT, 0, y, x).max() in (0, 1)


def test_what_a_channel_adds_is_its_mean_times_its_weight_in_the_last_block(model, image):
    seen = see.look(model, image)
    last = list(seen.outputs)[-1]
    channel = int(seen.outputs[last].mean((1, 2)).argmax())
    weights = explain.class_weights(model, last, channel)
    expected = weights * seen.outputs[last][channel].mean()
    (silenced,) = explain.without(model, image, last, [(see.OUTPUT, channel)])
    np.testing.assert_allclose(seen.logits - silenced, expected, atol=1e-5)
    assert np.abs(expected).max() > 1e-4
    assert explain.class_weights(model, "stem", 0) is None


@pytest.mark.parametrize("name", ["stem", "inception_resnet_b.1", "reduction_b"])
def test_without_a_branch_or_a_channel_is_what_the_whole_network_says_then(model, image, name):
    off = (("inception_resnet_a.1", 2),)
    words = see.branch_words(see.block_of(model, name))
    cases = [1, (words[0], 1), 2, (see.OUTPUT, 3)]
    rows = explain.without(model, image, name, cases, off)
    for case, logits in zip(cases, rows):
        if isinstance(case, int):
            expected = see.look(model, image, (*off, (name, case))).logits
        else:
            expected = _silenced(model, image, name, *case, off)
        np.testing.assert_allclose(logits, expected, atol=1e-5)
        assert np.abs(logits - see.look(model, image, off).logits).max() > 1e-6, "it does something"


def _silenced(model, image, name, part, channel, off):
    target, _ = see.part_module(see.block_of(model, name), part)

    def silence(module, inputs, output):
        output = output.clone()
        output[:, channel] = 0
        return output

    handle = target.register_forward_hook(silence)
    try:
        return see.look(model, image, off).logits
    finally:
        handle.remove()


def test_the_places_of_the_last_block_add_up_to_the_logit(model, image):
    seen = see.look(model, image)
    bias = model.classifier.bias.detach().numpy()
    for target, places in explain.class_activation(model, image, [3, 7]).items():
        assert places.shape == seen.outputs["inception_resnet_c.2"].shape[1:]
        assert places.sum() == pytest.approx(seen.logits[target] - bias[target], abs=1e-4)
        captum = explain.grad_cam(model, image, [target], "inception_resnet_c.2")[target]
        np.testing.assert_allclose(places, captum, atol=1e-6)


def test_exciting_images_are_those_with_the_largest_values(model):
    images = torch.randint(
        0, 256, (30, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(3)
    )

    def prepare(batch):
        return batch.float() / 255

    name = "inception_resnet_a.1"
    *_, (seen, found) = searching(model, images, prepare, [name], count=4, batch_size=7)
    assert seen == 30 and list(found)[-1] == (name, see.OUTPUT) and len(found) == 4
    assert len(exciting(model, images, prepare, count=1)) > 20, "all blocks in one pass"
    maps = np.stack(
        [
            see.look(model, prepare(images[i : i + 1])).outputs["inception_resnet_a.1"]
            for i in range(30)
        ]
    )
    most = maps.max((2, 3))
    for channel in range(3):
        order = np.argsort(-most[:, channel])[:4]
        got = found[name, see.OUTPUT]
        np.testing.assert_allclose(got.values[channel], most[order, channel], rtol=1e-4)
        first, row, column = (int(a[channel, 0]) for a in (got.images, got.rows, got.columns))
        assert maps[first, channel, row, column] == pytest.approx(
            float(got.values[channel, 0]), rel=1e-4
        )


def test_own_modules_work(image):
    own = Own()
    seen = see.look(own, image)
    assert {name: maps.shape for name, maps in seen.outputs.items()} == {
        "first": (4, 32, 32),
        "second": (6, 15, 15),
    }
    assert list(see.parts(own, seen, "second")) == [see.OUTPUT]
    assert see.windows(own, "second") is None
    lit = see.shade(own, image, "second", see.OUTPUT, 1, 5, 5) > 0
    rows = np.flatnonzero(lit.any(1))
    assert 9 <= rows[0] and rows[-1] <= 13  # 3×3 with stride 2 on 3×3 with padding
    (silenced,) = explain.without(own, image, "second", [(see.OUTPUT, 2)])
    np.testing.assert_allclose(silenced, _silenced(own, image, "second", see.OUTPUT, 2, ()))
    assert explain.class_activation(own, image, [1])[1].shape == (15, 15)
    with pytest.raises(FeatureError, match="nothing to look into"):
        see.look(nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 2)), image)


def test_scale_0_leaves_the_identity_and_comes_back(model, image):
    before = see.look(model, image)
    with see.without_residuals(model):
        bare = see.look(model, image)
        found = see.parts(model, bare, "inception_resnet_a.1")
        np.testing.assert_allclose(found[see.OUTPUT], np.maximum(found[see.INPUT], 0))
    np.testing.assert_array_equal(before.logits, see.look(model, image).logits)


def test_counterparts(model, image):
    plain = build(mini(network("inception_v4"), width=1 / 16), seed=0)
    seen, other = see.look(model, image), see.look(plain, image)
    assert see.counterpart(seen, "reduction_a", other) == "reduction_a"
    assert see.counterpart(seen, list(seen.outputs)[-1], other) == list(other.outputs)[-1]
    assert see.counterpart(seen, "inception_resnet_b.1", other) == "inception_b.2"


def test_covering_agrees_with_captum(model, image):
    from captum.attr import Occlusion

    drop = Occlusion(lambda x: model(x).softmax(1)).attribute(
        image, (3, 8, 8), (3, 4, 4), target=3, baselines=0.5, perturbations_per_eval=64
    )
    expected = drop[0].mean(0)
    got = explain.covered(model, image, [3, 5], patch=8, stride=4, cover=0.5)
    np.testing.assert_allclose(got[3], expected.numpy(), atol=1e-6)
    assert got[3].shape == (32, 32) and np.abs(got[3] - got[5]).max() > 1e-6
