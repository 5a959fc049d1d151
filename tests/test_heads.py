"""Auxiliary heads in small networks: where they stand, how they are trained, and that nothing else
changes."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from inception_edu.data import load
from inception_edu.describe import (
    Chain,
    Conv,
    googlenet,
    inception_v3_aux,
    measure,
    mini,
)
from inception_edu.learn import Recipe, make_optimizer, train
from inception_edu.learn.dropout import Masks
from inception_edu.learn.steps import Steps
from inception_edu.nets import build

LOW = (
    (lambda: googlenet(heads=True), None, {"aux1": 1, "aux2": 4}, 0.3),
    (lambda: googlenet(heads=True), (1, 2, 1), {"aux1": 1, "aux2": 2}, 0.3),
    (inception_v3_aux, None, {"aux": 4}, 0.4),
    (inception_v3_aux, (1, 2, 1), {"aux": 2}, 0.4),
    (inception_v3_aux, (1, 0, 1), {}, 0.4),
)


@pytest.mark.parametrize("make, repeats, places, weight", LOW)
def test_heads_stand_at_their_place_in_the_stage(make, repeats, places, weight):
    small = mini(make(), repeats=repeats, heads=True)
    stage, found = [], {}
    for block in small.blocks:
        stage += [block.name] * block.repeat if block.stage == "B" else []
        for head in small.heads:
            if head.after == block.name:
                found[head.name] = len(stage)
    assert found == places
    assert all(head.weight == weight for head in small.heads)
    assert mini(make(), repeats=repeats).heads == ()


def test_a_head_reads_the_whole_pooled_map_with_fewer_filters():
    (head,) = mini(inception_v3_aux(), 1 / 8, (1, 2, 1), heads=True).heads
    pool, one, whole = head.node.parts
    assert (pool.kernel, pool.stride, one.out, whole.out) == ((5, 5), 3, 16, 96)
    assert whole.kernel == (2, 2)  # 8×8 pooled to 2×2, as the whole network's 17×17 to 5×5
    assert mini(inception_v3_aux(), 1 / 8, (1, 2, 1), image=128, heads=True).heads[0].node.parts[
        2
    ].kernel == (4, 4)
    one_pixel = mini(inception_v3_aux(), 1 / 8, (1, 1, 1), image=8, heads=True)
    assert one_pixel.heads[0].node.parts[0].kernel == (2, 2)
    assert build(one_pixel, seed=0)(torch.rand(2, 3, 8, 8))[1][0].shape == (2, 10)


def test_the_network_starts_from_the_same_weights_with_and_without_heads():
    described = mini(googlenet(heads=True), 1 / 16, (1, 2, 1), heads=True)
    with_, without = build(described, seed=5), build(replace(described, heads=()), seed=5)
    states = with_.state_dict(), without.state_dict()
    assert all(torch.equal(states[0][name], tensor) for name, tensor in states[1].items())
    assert {name.split(".")[0] for name in set(states[0]) - set(states[1])} == {"heads"}
    assert measure(described).macs == measure(replace(described, heads=())).macs


def test_a_step_answers_for_the_heads_with_their_weight():
    described = mini(googlenet(heads=True), 1 / 16, (1, 2, 1), heads=True)
    model, twin = build(described, seed=0).train(), build(described, seed=0).train()
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    labels = torch.tensor([0, 3, 5, 9])
    recipe = Recipe(lr=0.1, momentum=0.0)

    def ordinary():
        return torch.autocast("cpu", enabled=False)

    steps = Steps(model, recipe, make_optimizer(model, recipe), Masks(torch.Generator()), ordinary)
    output, loss, _ = steps(images, labels, look=True)
    answer, asides = twin(images)
    assert torch.allclose(output, answer, atol=1e-5)
    main = F.cross_entropy(answer, labels)
    assert loss.item() == pytest.approx(main.item())
    (main + 0.3 * sum(F.cross_entropy(a, labels) for a in asides)).backward()
    for (name, ours), theirs in zip(model.named_parameters(), twin.parameters()):
        assert torch.allclose(ours, theirs - 0.1 * theirs.grad, atol=1e-6), name
        assert theirs.grad.abs().sum() > 0, name


def test_a_network_with_heads_trains_and_is_tested_without_them():
    data = load("fashion")
    model = build(mini(inception_v3_aux(), 1 / 16, (1, 1, 1), heads=True), seed=0)
    seen = []
    history = train(
        model,
        replace(data, test=data.test[:20]),
        Recipe(steps=3, batch_size=8, lr=0.05, record_every=1),
        probes=[lambda moment: seen.append(tuple(moment.output.shape))],
    )
    assert history.status == "finished" and seen == [(8, 10)] * 3
    assert history.test_accuracy is not None
    assert isinstance(model.eval()(torch.rand(1, 3, 32, 32)), torch.Tensor)


def test_heads_are_made_of_the_language():
    small = mini(googlenet(heads=True), 1 / 8, None, heads=True)
    for head in small.heads:
        assert isinstance(head.node, Chain) and isinstance(head.node.parts[-1], Conv)
        assert not head.node.parts[-1].norm
