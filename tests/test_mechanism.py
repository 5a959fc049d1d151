"""The changes of the experiment `mechanism`: what each does to a network, and to one step of it."""

import pytest
import torch
import torch.nn.functional as F

from inception_edu.describe import changed, networks
from inception_edu.nets.build import build

TOWER = networks.tower(24, 2)


def built(change=""):
    return build(changed(TOWER, change) if change else TOWER, seed=0).train()


def rows(n=6, channels=24):
    return torch.rand(n, channels, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    "change", ["centred classifier input", "centred classifier input, mean held"]
)
def test_what_all_images_share_does_not_reach_the_classifier(change):
    classifier, a = built(change).classifier, rows()
    shifted = a + 5 * torch.rand(24, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(classifier(a), classifier(shifted), atol=1e-4)
    plain = built().classifier
    assert not torch.allclose(plain(a), plain(shifted), atol=0.1)
    assert torch.equal(classifier.weight, plain.weight), "it starts from the same weights"


def test_a_held_mean_lets_the_common_push_through_and_the_other_does_not():
    def push(change):
        a = rows().requires_grad_()
        F.cross_entropy(built(change).classifier(a), torch.tensor([0, 1, 2, 3, 4, 5])).backward()
        return a.grad.mean(0).abs().max().item()

    assert push("centred classifier input") < 1e-8
    assert push("centred classifier input, mean held") > 1e-4


def test_outside_training_the_running_mean_is_taken_away():
    classifier = built("centred classifier input").classifier
    for _ in range(200):
        classifier(rows())
    assert torch.allclose(classifier.mean, rows().mean(0), atol=1e-4)
    inside = classifier(rows())
    assert torch.allclose(classifier.eval()(rows()), inside, atol=1e-3)


@pytest.mark.parametrize("width, share", [(24, 0.6), (144, 0.1), (288, 0.05)])
def test_the_classifiers_rate_falls_as_the_width(width, share):
    """One step of SGD moves the weights' effect on the logits by that share of the plain step."""
    plain = build(networks.tower(width, 1), seed=0)
    slow = build(changed(networks.tower(width, 1), "classifier rate per width"), seed=0)
    a, labels = rows(6, width), torch.arange(6)
    moved = []
    for model in (plain, slow):
        layer = model.classifier
        before = layer(a).detach()
        F.cross_entropy(layer(a), labels).backward()
        with torch.no_grad():
            layer.weight -= 0.01 * layer.weight.grad
        moved.append(layer(a) - before)
    assert torch.allclose(moved[1], share * moved[0], rtol=1e-3, atol=1e-7)


def test_both_slow_ends_start_as_the_plain_network():
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    slow = changed(TOWER, "slow classifier and last layers")
    assert slow.classifier.rate == 0.1
    assert torch.allclose(
        built("slow classifier and last layers")(images), built()(images), atol=1e-5
    )


def test_a_slice_of_a_network_is_a_plain_sequence_of_its_blocks():
    model = built()
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    trunk = model[:-2]
    assert type(trunk) is torch.nn.Sequential and trunk(images).shape == (2, 24)
    assert torch.equal(model[-1](trunk(images)), model.eval().train()(images))
    assert model[0] is next(iter(model.children()))
